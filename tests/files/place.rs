//! Ce qui arrive au fichier pendant que le programme tourne se dit sur `/health`, et rien de ce qu'il tient ne se perd.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use calvalot::sim::World;
use rust_decimal::dec;
use serde_json::Value;

use super::follower::{
    Folder, Follower, Process, Site, environment, free_port, key, samples, still_world, until,
};
use super::{
    Running, backup, beside, check_follows, check_refused, command, ended, restore, settled, trades,
};

/// Attend que `/health` dise ceci du grand livre, avec 503.
fn told(site: Site, reason: &str) {
    until(reason, || is_told(site, reason));
}

fn is_told(site: Site, reason: &str) -> Option<()> {
    let answer = site.try_get("/health")?;
    let health: Value = answer.json();
    let ledger = health["ledger"].as_str().unwrap_or_default();
    (ledger.contains(reason) && answer.status == 503 && health["status"] == "degraded").then_some(())
}

fn well(site: Site) {
    let well = || site.try_get("/health").filter(|answer| answer.status == 200);
    assert_eq!(until("/health is well", well).json()["ledger"], "written");
}

/// Les copies de ce dossier, de la plus ancienne à la plus récente.
fn copies(folder: &Folder) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path().join("backups")).into_iter().flatten();
    let mut copies: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    copies.sort();
    copies
}

#[test]
fn a_ledger_removed_while_it_runs_is_told_and_what_was_written_since_is_kept() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let follower = Follower::of(&world, &folder);
    well(follower.site());
    fs::remove_file(folder.db()).unwrap();
    told(follower.site(), "was removed or renamed while calvalot uses it");
    until("it is copied", || (copies(&folder).len() == 1).then_some(()));
    told(follower.site(), &format!("a copy of it is {}: stop calvalot", copies(&folder)[0].display()));
    // Ce qui se décide est gardé, et rien ne s'échange.
    let ways = follower.site().json("/api/ways");
    let pause = ways.as_array().unwrap().iter().find(|way| way["name"] == "pause").expect("it can be paused");
    let about = pause["about"].as_str().unwrap_or_default();
    assert!(about.starts_with("nothing is traded now: ") && about.contains("was removed"), "{about}");
    follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 77}"#);
    let deposited = follower.site().json("/api/budget")["total_deposited_eur"].clone();
    follower.stop();
    let rescued = copies(&folder);
    assert_eq!(rescued.len(), 1, "{rescued:?}");
    let named = format!("`calvalot restore {}`", rescued[0].display());
    check_refused(&mut command(&world, &folder, &["run"]), &["is not there", "1 copy in", &named]);
    restore(&world, &folder, &rescued[0]);
    let follower = Follower::of(&world, &folder);
    well(follower.site());
    assert_eq!(follower.site().json("/api/budget")["total_deposited_eur"], deposited);
}

#[test]
fn a_ledger_that_comes_back_to_its_place_is_well_again() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = Follower::of(&world, &folder);
    well(follower.site());
    let away = folder.path().join("away.db");
    fs::rename(folder.db(), &away).unwrap();
    told(follower.site(), "was removed or renamed");
    fs::rename(&away, folder.db()).unwrap();
    well(follower.site());
    follower.stop();
    // Celle que l'on en fit tant qu'elle n'était nulle part.
    assert_eq!(copies(&folder).len(), 1);
}

#[test]
fn a_ledger_replaced_while_it_runs_is_told_and_the_one_put_there_is_not_touched() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let copy = backup(&world, &folder);
    let put = fs::read(&copy).unwrap();
    let follower = Follower::of(&world, &folder);
    well(follower.site());
    fs::rename(&copy, folder.db()).unwrap();
    told(follower.site(), "another file was put in place of");
    follower.stop();
    assert_eq!(fs::read(folder.db()).unwrap(), put);
    assert_eq!(copies(&folder).len(), 1, "what was held is kept too");
    // Ce fichier-là est un grand livre, et le journal de l'ancien n'est plus là pour s'y mêler.
    Follower::of(&world, &folder).site().wait_polls(1);
}

/// `: > calvalot.db` : ce qui n'était que dans ses pages n'est plus nulle part.
#[test]
fn a_ledger_emptied_while_it_runs_takes_no_decision_names_a_copy_and_never_ends_well() {
    for with_a_copy in [false, true] {
        let (world, folder) = (still_world(), Folder::new());
        settled(&world, &folder);
        let copy = with_a_copy.then(|| backup(&world, &folder));
        let follower = Process::run(&world, &folder);
        well(follower.site());
        follower.site().wait_polls(2);
        File::options().write(true).truncate(true).open(folder.db()).unwrap();
        // La première demande déjà : rien n'en resterait.
        for (method, path, body) in [
            ("POST", "/api/agent/sell-all", r#"{"understood": true}"#),
            ("POST", "/api/agent/toggle", r#"{"paused": true}"#),
            ("PUT", "/api/budget/deposit", r#"{"total_eur": 990}"#),
        ] {
            let answer = follower.site().send(method, path, body);
            let error = answer.json()["error"].as_str().unwrap_or_default().to_owned();
            assert_eq!(answer.status, 503, "{path}: {}", answer.body);
            assert!(error.starts_with("nothing was changed: "), "{error}");
            assert!(error.contains("it cannot be copied, and nothing more is written"), "{error}");
        }
        let named = match &copy {
            Some(copy) => format!("`calvalot restore {}`", copy.display()),
            None => "`calvalot restore FILE` (there is none in ".to_owned(),
        };
        told(follower.site(), &named);
        // Ce qui serait refusé n'est pas offert.
        let ways = follower.site().get("/api/ways");
        let error = ways.json()["error"].as_str().unwrap_or_default().to_owned();
        assert_eq!(ways.status, 503, "{}", ways.body);
        assert!(error.starts_with("nothing can be decided now: ") && error.contains(&named), "{error}");
        let port = follower.site().address().port().to_string();
        let decide = ended(command(&world, &folder, &["decide"]).env("PORT", port));
        assert_eq!((decide.code, decide.out.as_str()), (Some(1), ""), "{}", decide.error);
        assert!(decide.error.contains("nothing can be decided now: "), "{}", decide.error);
        assert_eq!(follower.terminate(), Some(1));
        assert_eq!(fs::metadata(folder.db()).unwrap().len(), 0, "it was written to");
        assert_eq!(copies(&folder).len(), usize::from(with_a_copy), "half a ledger is no copy");
    }
}

/// Ce que font `cp` et la plupart des programmes : le même fichier, d'autres octets.
#[test]
fn a_ledger_written_over_while_it_runs_is_told_and_nothing_is_mixed_into_it() {
    for same_size in [false, true] {
        let (world, folder) = (still_world(), Folder::new());
        settled(&world, &folder);
        let (copy, raw) = (backup(&world, &folder), folder.path().join("raw.db"));
        fs::copy(folder.db(), &raw).unwrap();
        check_follows(&world, &folder);
        let put = fs::read(if same_size { &raw } else { &copy }).unwrap();
        let follower = Process::run(&world, &folder);
        well(follower.site());
        // Mise pendant un travail, elle passe pour ce qu'il a laissé : jusqu'à ce que cela prenne.
        until("it is written over", || {
            fs::write(folder.db(), &put).unwrap();
            // Une heure plus tôt : une copie est rarement faite à la seconde de la dernière écriture.
            let hour = SystemTime::now() - Duration::from_secs(3600);
            File::options().write(true).open(folder.db()).unwrap().set_modified(hour).unwrap();
            is_told(follower.site(), "was written over by another program")
        });
        told(follower.site(), &format!("`calvalot restore {}`", copy.display()));
        let asked = follower.site().send("POST", "/api/agent/toggle", r#"{"paused": true}"#);
        assert_eq!(asked.status, 503, "{}", asked.body);
        assert_eq!(follower.terminate(), Some(1), "what was held is lost");
        assert_eq!(fs::read(folder.db()).unwrap(), put, "it was written to");
        check_refused(&mut command(&world, &folder, &["run"]), &["holds the last writes of another ledger"]);
        restore(&world, &folder, &copy);
        assert_eq!(trades(&folder.db()), trades(&copy));
    }
}

/// La base n'a pas bougé depuis la copie : tout ce qui s'est fait est dans le journal, que `cp` récrit sous nos pieds.
#[test]
fn a_copy_put_over_the_journal_of_a_running_ledger_is_told() {
    for files in [&["-wal", "-shm"][..], &["-shm"], &["-wal"]] {
        let (world, folder) = (still_world(), Folder::new());
        settled(&world, &folder);
        let follower = Process::run(&world, &folder);
        well(follower.site());
        let id = world.leader().set_target(&[("BTCUSDC", dec!(0.3))]);
        follower.site().closed_signal(&id);
        let copied: Vec<_> = files
            .iter()
            .map(|file| (beside(&folder, file), fs::read(beside(&folder, file)).unwrap()))
            .collect();
        let id = world.leader().set_target(&[("BTCUSDC", dec!(0.1)), ("ETHUSDC", dec!(0.2))]);
        follower.site().closed_signal(&id);
        // Un travail en cours a pu récrire par-dessus, et rien n'est alors perdu : jusqu'à ce que cela prenne.
        until("it is put over", || {
            for (path, bytes) in &copied {
                let mut file = File::options().write(true).open(path).unwrap();
                file.write_all(bytes).unwrap();
                file.set_len(bytes.len() as u64).unwrap();
            }
            (follower.site().get("/health").status == 503).then_some(())
        });
        told(follower.site(), "was written over by another program");
        assert_eq!(follower.terminate(), Some(1), "what was held is lost");
    }
}

#[test]
fn a_journal_removed_while_it_runs_is_told_and_comes_back_into_the_ledger() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let follower = Follower::of(&world, &folder);
    well(follower.site());
    fs::remove_file(beside(&folder, "-wal")).unwrap();
    told(follower.site(), "-wal was removed or replaced");
    follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 77}"#);
    let deposited = follower.site().json("/api/budget")["total_deposited_eur"].clone();
    follower.stop();
    let follower = Follower::of(&world, &folder);
    well(follower.site());
    assert_eq!(follower.site().json("/api/budget")["total_deposited_eur"], deposited);
}

#[test]
fn a_lock_removed_while_it_runs_is_told_for_another_may_have_taken_it() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let follower = Follower::of(&world, &folder);
    well(follower.site());
    fs::remove_file(beside(&folder, ".lock")).unwrap();
    told(follower.site(), "another calvalot may have taken it");
    let second = Follower::of(&world, &folder);
    told(follower.site(), "another calvalot may have taken it");
    second.stop();
    follower.stop();
    Follower::of(&world, &folder).site().wait_polls(1);
}

/// Un suiveur en `live` dont le disque peut ne plus rien prendre.
struct Limited {
    running: Running,
    port: u16,
}

fn limited(world: &World, folder: &Folder) -> (Site, Limited) {
    let port = free_port();
    let mut shell = Command::new("sh");
    shell
        // Sinon le système tue qui écrit trop, au lieu de le lui refuser.
        .args(["-c", "trap '' XFSZ; exec \"$0\" run", env!("CARGO_BIN_EXE_calvalot")])
        .env_clear()
        .envs(environment(world, folder))
        .envs(key())
        .envs([("TRADING_MODE", "live"), ("INITIAL_BUDGET_EUR", "100"), ("POLL_INTERVAL_SECONDS", "1")])
        .env("PORT", port.to_string())
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    (Site::at(port), Limited { running: Running(Some(shell.spawn().expect("a shell"))), port })
}

impl Limited {
    fn id(&self) -> String {
        self.running.0.as_ref().expect("it runs").id().to_string()
    }

    /// Aucun fichier ne grandit plus au-delà de cela.
    fn takes(&self, most: &str) {
        let limit = Command::new("prlimit").args(["--pid", &self.id(), &format!("--fsize={most}:")]).status();
        assert!(limit.expect("prlimit exists").success());
    }

    /// SIGTERM ; rend le code de sortie.
    fn terminate(mut self) -> Option<i32> {
        let killed = Command::new("kill").args(["-s", "TERM", &self.id()]).status();
        assert!(killed.expect("kill exists").success());
        until("it ends", || self.running.0.as_mut()?.try_wait().expect("a child")).code()
    }
}

/// Ce qu'une base refuse d'écrire, le grand livre ne peut pas le dire : la page, la métrique et la réponse à une demande le
/// tiennent d'ailleurs.
#[test]
fn a_disk_that_takes_nothing_more_is_not_told_as_trading_that_is_open() {
    let (world, folder) = (still_world(), Folder::new());
    let (site, running) = limited(&world, &folder);
    let is_open = || (site.try_get("/api/exchange")?.json()["trading_open"] == true).then_some(());
    until("trading is open", is_open);
    // L'ouverture fait refaire les essais ; écrits trop tard, ils attendraient leur minute.
    site.wait_polls(3);
    running.takes("0");
    told(site, "the ledger could not be read or written: ");
    let exchange = site.json("/api/exchange");
    assert_eq!(exchange["trading_open"], false, "{exchange}");
    assert_eq!(exchange["closed_reason"], site.get("/health").json()["ledger"]);
    assert_eq!(samples(&site.get("/metrics").body, "calvalot_trading_open")[0].1, 0.0);
    let refused = site.send("POST", "/api/agent/sell-all", r#"{"understood": true}"#);
    let error = refused.json()["error"].as_str().unwrap_or_default().to_owned();
    assert_eq!(refused.status, 503, "{error}");
    assert!(error.ends_with(", then ask again"), "{error}");
    let asked = ended(command(&world, &folder, &["sell-all", "--yes"]).env("PORT", running.port.to_string()));
    assert_eq!(asked.code, Some(1));
    assert_eq!(asked.last_line(), format!("calvalot: nothing was asked: {error}"));
    running.takes("unlimited");
    until("trading is open again", is_open);
}

/// Sans place ni copie, s'arrêter perdrait tout : cela se dit avant, et ce qui finit ainsi ne finit pas bien.
#[test]
fn a_ledger_that_could_not_be_copied_is_not_told_to_be_nor_does_the_program_end_well() {
    let (world, folder) = (still_world(), Folder::new());
    let (site, running) = limited(&world, &folder);
    site.wait_polls(3);
    running.takes("0");
    fs::remove_file(folder.db()).unwrap();
    told(site, "no copy of it could be made");
    told(site, "before you stop calvalot, make room in");
    assert_eq!(running.terminate(), Some(1));
    assert!(copies(&folder).is_empty());
}

/// Où le dossier des copies ne s'écrit pas, la copie est à côté, et c'est elle qui est conseillée ensuite.
#[test]
fn a_lost_ledger_is_not_lost_for_a_folder_of_copies_that_cannot_be_written() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    fs::write(folder.path().join("backups"), "no folder").unwrap();
    let follower = Follower::of(&world, &folder);
    well(follower.site());
    fs::remove_file(folder.db()).unwrap();
    told(follower.site(), "a copy of it is ");
    follower.stop();
    let named = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let copy = named.filter(|path| path.extension().is_some_and(|kind| kind == "db")).last();
    let copy = copy.expect("a copy beside the ledger");
    let advice = format!("`calvalot restore {}`", copy.display());
    check_refused(&mut command(&world, &folder, &["run"]), &["is not there", &advice]);
}
