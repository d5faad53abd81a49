//! Ce processus, sous les noms que toutes les bibliothèques de Prometheus donnent : `process_…`.
//!
//! Lu dans `/proc` ; ailleurs que sous Linux, rien n'en est connu.

use std::fs;

use prometheus_client::registry::Registry;
use rustix::param::{clock_ticks_per_second, page_size};

use super::series::{counter, single};

/// Le processus à un instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Process {
    pub cpu_seconds: Option<f64>,
    pub resident_bytes: Option<f64>,
    pub virtual_bytes: Option<f64>,
    pub threads: Option<f64>,
    pub open_fds: Option<f64>,
    pub max_fds: Option<f64>,
    /// En secondes Unix.
    pub start: Option<f64>,
}

impl Process {
    /// Celui-ci.
    pub fn this() -> Process {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let (ticks, page) = (clock_ticks_per_second() as f64, page_size() as f64);
        let process = Process::told(&read("/proc/self/stat"), &read("/proc/stat"), ticks, page);
        Process {
            open_fds: fs::read_dir("/proc/self/fd").ok().map(|fds| fds.count().saturating_sub(1) as f64),
            max_fds: max_fds(&read("/proc/self/limits")),
            ..process
        }
    }

    /// Ce que disent `/proc/self/stat` et `/proc/stat`. Le nom du programme, entre parenthèses, peut contenir
    /// n'importe quoi : les champs se comptent après la dernière (proc(5) : le troisième est l'état).
    fn told(stat: &str, machine: &str, ticks: f64, page: f64) -> Process {
        let after_name = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let booted = machine.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok());
        Process {
            cpu_seconds: field(14).zip(field(15)).map(|(user, system)| (user + system) / ticks),
            threads: field(20),
            start: booted.zip(field(22)).map(|(booted, after)| booted + after / ticks),
            virtual_bytes: field(23),
            resident_bytes: field(24).map(|pages| pages * page),
            ..Process::default()
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Total user and system CPU time spent in seconds";
        counter(registry, "process_cpu_seconds", help, self.cpu_seconds);
        single(
            registry,
            "process_resident_memory_bytes",
            "Resident memory size in bytes",
            self.resident_bytes,
        );
        single(registry, "process_virtual_memory_bytes", "Virtual memory size in bytes", self.virtual_bytes);
        single(registry, "process_threads", "Number of OS threads in the process", self.threads);
        single(registry, "process_open_fds", "Number of open file descriptors", self.open_fds);
        single(registry, "process_max_fds", "Maximum number of open file descriptors", self.max_fds);
        let help = "Start time of the process since unix epoch in seconds";
        single(registry, "process_start_time_seconds", help, self.start);
    }
}

/// La limite en vigueur ; « unlimited » n'en est pas une.
fn max_fds(limits: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_counted_after_the_name_whatever_it_is() {
        let stat =
            "42 (a) b ( c) S 1 42 42 0 -1 4194560 900 0 3 0 250 50 0 0 20 0 4 0 6000 9000000 1500 18446 1 1";
        let process = Process::told(stat, "cpu 1 2\nbtime 1790000000\n", 100.0, 4096.0);
        let expected = Process {
            cpu_seconds: Some(3.0),
            resident_bytes: Some(1500.0 * 4096.0),
            virtual_bytes: Some(9_000_000.0),
            threads: Some(4.0),
            start: Some(1_790_000_060.0),
            ..Process::default()
        };
        assert_eq!(process, expected);
    }

    #[test]
    fn what_is_not_told_is_not_known() {
        assert_eq!(Process::told("", "", 100.0, 4096.0), Process::default());
        let short = Process::told("1 (a) S 1 2", "btime soon", 100.0, 4096.0);
        assert_eq!(short, Process::default());
        let limits =
            "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024    524288   files\n";
        assert_eq!(max_fds(limits), Some(1024.0));
        assert_eq!(max_fds("Max open files   unlimited   unlimited   files\n"), None);
        assert_eq!(max_fds(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_knows_itself() {
        let (process, now) = (Process::this(), crate::clock::now().seconds());
        assert!(process.start.is_some_and(|start| start > 0.0 && start < now + 60.0), "{process:?}");
        assert!(process.resident_bytes > Some(100_000.0) && process.resident_bytes < process.virtual_bytes);
        assert!(process.threads >= Some(1.0) && process.open_fds > Some(2.0));
        assert!(process.cpu_seconds.is_some_and(f64::is_finite));
    }
}
