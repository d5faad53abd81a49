//! La machine : la base et le disque où elle est, la dernière sauvegarde, le processus.
//!
//! Lit des noms de fichiers et leurs tailles, n'écrit rien. Ce qui ne se lit pas n'est pas connu.

use std::fs;
use std::path::{Path, PathBuf};

use prometheus_client::registry::Registry;

use super::process::Process;
use super::series::single;

/// Le fichier où `calvalot backup` laisse l'heure de la dernière sauvegarde réussie, en secondes Unix.
const LAST_BACKUP: &str = "last-backup";

/// La machine à un instant ; les tailles sont en octets, les instants en secondes Unix.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    pub process: Process,
    /// Quand ce grand livre a commencé.
    pub ledger_created: Option<f64>,
    pub database_size: Option<f64>,
    pub disk_size: Option<f64>,
    pub disk_free: Option<f64>,
    pub last_backup: Option<f64>,
}

/// Où est la base.
#[derive(Clone, Debug)]
pub struct Place(PathBuf);

impl Place {
    /// Autour de la base `db_path`.
    pub fn of(db_path: &Path) -> Place {
        Place(db_path.to_owned())
    }

    /// Regarde la machine ; `ledger_created` vient du grand livre.
    pub fn look(&self, ledger_created: f64) -> Machine {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let disk = rustix::fs::statvfs(folder).ok();
        let bytes = |blocks: u64, size: u64| blocks.saturating_mul(size) as f64;
        Machine {
            process: Process::this(),
            ledger_created: Some(ledger_created),
            database_size: self.database_size(),
            disk_size: disk.as_ref().map(|disk| bytes(disk.f_blocks, disk.f_frsize)),
            disk_free: disk.as_ref().map(|disk| bytes(disk.f_bavail, disk.f_frsize)),
            last_backup: last_backup(&folder.join(LAST_BACKUP)),
        }
    }

    /// La base et le journal que SQLite tient à côté.
    fn database_size(&self) -> Option<f64> {
        let mut journal = self.0.as_os_str().to_owned();
        journal.push("-wal");
        let base = fs::metadata(&self.0).ok()?.len();
        let journal = fs::metadata(journal).map_or(0, |journal| journal.len());
        Some((base + journal) as f64)
    }
}

/// L'heure qu'il dit ; un fichier absent ou illisible ne dit rien.
fn last_backup(path: &Path) -> Option<f64> {
    let seconds: u32 = fs::read_to_string(path).ok()?.trim().parse().ok()?;
    Some(f64::from(seconds))
}

impl Machine {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "When this ledger began";
        single(registry, "ledger_created_timestamp_seconds", help, self.ledger_created);
        let help = "Size of the database and of its journal";
        single(registry, "database_size_bytes", help, self.database_size);
        let help = "Size of the file system the database is on";
        single(registry, "disk_size_bytes", help, self.disk_size);
        let help = "What the follower may still write on that file system";
        single(registry, "disk_free_bytes", help, self.disk_free);
        let help = "Last backup that succeeded, once there is one";
        single(registry, "last_backup_timestamp_seconds", help, self.last_backup);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_file_that_says_nothing_sensible_says_nothing() {
        let folder = std::env::temp_dir().join(format!("calvalot-machine-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(LAST_BACKUP);
        assert_eq!(last_backup(&path), None, "no file");
        let cases = [
            ("1790000000\n", Some(1_790_000_000.0)),
            (" 7 ", Some(7.0)),
            ("", None),
            ("-5\n", None),
            ("soon\n", None),
            ("1790000000.5\n", None),
            ("99999999999999\n", None),
        ];
        for (text, expected) in cases {
            fs::write(&path, text).expect("a file");
            assert_eq!(last_backup(&path), expected, "{text:?}");
        }
        fs::remove_dir_all(folder).expect("it is removed");
    }

    #[test]
    fn the_database_is_counted_with_its_journal_and_the_disk_has_a_size() {
        let folder = std::env::temp_dir().join(format!("calvalot-place-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let db = folder.join("a.db");
        let place = Place::of(&db);
        let before = place.look(1.0);
        assert_eq!((before.database_size, before.last_backup), (None, None));
        assert!(before.disk_free <= before.disk_size && before.disk_size > Some(0.0), "{before:?}");
        fs::write(&db, [0; 100]).expect("a file");
        assert_eq!(place.look(1.0).database_size, Some(100.0));
        fs::write(folder.join("a.db-wal"), [0; 11]).expect("a file");
        assert_eq!(place.look(1.0).database_size, Some(111.0));
        fs::remove_dir_all(folder).expect("it is removed");
    }
}
