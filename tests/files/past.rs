//! Un grand livre vidé ou disparu n'en devient jamais un neuf ; un vrai premier démarrage, coupé n'importe où, en est un.

use std::fs;
use std::time::{Duration, SystemTime};

use calvalot::sim::World;
use rust_decimal::dec;

use super::follower::{Folder, Process, still_world, until};
use super::{
    backup, beside, check_follows, check_refused, check_unfit, command, killed, restore, settled, trades,
};

type Loss = fn(&Folder);
type Sight = fn(&Folder) -> bool;

/// Ce qui arrive au fichier du grand livre.
const LOSSES: [(&str, Loss); 3] = [
    ("is empty", |folder| fs::write(folder.db(), "").unwrap()),
    ("is not there", |folder| fs::remove_file(folder.db()).unwrap()),
    // Une base sans une table, de la taille d'une page.
    ("is empty", |folder| {
        let bare = folder.path().join("bare");
        rusqlite::Connection::open(&bare).unwrap().execute_batch("PRAGMA application_id = 1").unwrap();
        assert!(fs::metadata(&bare).unwrap().len() > 0);
        fs::rename(bare, folder.db()).unwrap();
        fs::remove_file(beside(folder, "-wal")).unwrap();
        fs::remove_file(beside(folder, "-shm")).unwrap();
    }),
];

#[test]
fn a_ledger_emptied_by_a_power_cut_never_becomes_a_new_one() {
    for (how, lose) in LOSSES {
        let (world, folder) = (still_world(), Folder::new());
        killed(&world, &folder);
        let copy = backup(&world, &folder);
        let bought = trades(&copy);
        lose(&folder);
        let (db, asked) = (folder.db().display().to_string(), world.leader().requests());
        let named = format!("`calvalot restore {}`", copy.display());
        check_unfit(
            &world,
            &folder,
            &[
                &db,
                how,
                "a ledger was here",
                ".lock",
                "1 copy in",
                "last-backup",
                "invest the whole budget again",
            ],
            &[
                "put back the newest good copy",
                "UTC, less than an hour ago",
                &named,
                "to begin anew on purpose",
            ],
        );
        let told = world.leader().requests() - asked;
        assert!(told <= 1, "only `check` asks the leader, not {told} times");
        restore(&world, &folder, &copy);
        assert_eq!(trades(&folder.db()), bought);
        check_follows(&world, &folder);
    }
}

/// Chaque trace, seule.
const TRACES: [(&str, &str); 7] = [
    ("calvalot.db.lock", "a whole ledger is here\n"),
    ("calvalot.db-wal", ""),
    ("calvalot.db-shm", "x"),
    ("calvalot.db.restoring", "x"),
    ("backups/calvalot-20260101-120000.db", "x"),
    ("before-restore-calvalot-20260101-120000.db", "x"),
    ("last-backup", "1790000000\n"),
];

#[test]
fn whatever_is_left_of_a_ledger_keeps_a_new_one_from_beginning_until_it_is_moved_away() {
    let world = still_world();
    for (trace, text) in TRACES {
        for empty in [false, true] {
            let folder = Folder::new();
            fs::create_dir(folder.path().join("backups")).unwrap();
            fs::write(folder.path().join(trace), text).unwrap();
            if empty {
                fs::write(folder.db(), "").unwrap();
            }
            let shown = folder.path().join(trace);
            let shown = if trace.starts_with("backups") { shown.parent().unwrap() } else { &shown };
            let last = check_refused(&mut command(&world, &folder, &["run"]), &[shown.to_str().unwrap()]);
            assert!(last.contains("put a good copy back with `calvalot restore FILE`"), "{last}");
            fs::remove_file(folder.path().join(trace)).unwrap();
            check_follows(&world, &folder);
        }
    }
}

#[test]
fn what_another_ledger_of_the_folder_leaves_is_no_past_of_this_one() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    backup(&world, &folder);
    let live = folder.path().join("live.db");
    let process = Process::with(&world, &folder, vec![("DB_PATH", live.display().to_string())]);
    until("it follows", || (process.site().polls() >= 1.0).then_some(()));
    assert_eq!(process.terminate(), Some(0));
    fs::remove_file(&live).unwrap();
    let mut command = command(&world, &folder, &["run"]);
    let last = check_refused(command.env("DB_PATH", &live), &["is not there", "live.db.lock"]);
    assert!(!last.contains("last-backup") && !last.contains("copy in"), "{last}");
}

#[test]
fn the_copy_that_is_advised_is_the_newest_that_can_really_be_put_back() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let good = backup(&world, &folder);
    let place = good.parent().unwrap();
    let later = |day: u32| place.join(format!("calvalot-209901{day:02}-120000.db"));
    fs::write(later(1), "no database".repeat(1000)).unwrap();
    fs::write(later(2), "").unwrap();
    let mut damaged = fs::read(&good).unwrap();
    damaged[1024..2048].fill(0);
    fs::write(later(3), damaged).unwrap();
    rusqlite::Connection::open(later(4)).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
    fs::write(folder.db(), "").unwrap();
    let named = format!("`calvalot restore {}`", good.display());
    check_unfit(&world, &folder, &["5 copies in"], &["put back the newest good copy", &named]);
    fs::remove_file(&good).unwrap();
    check_unfit(
        &world,
        &folder,
        &["4 copies in"],
        &["`calvalot restore FILE`", "none of those in", "backups is good"],
    );
}

/// L'heure de la machine n'est pas celle du nom : il dit n'importe quoi.
#[test]
fn the_age_of_a_copy_is_that_of_its_last_poll() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let copy = backup(&world, &folder);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let then = now.saturating_sub(Duration::from_secs(3 * 86_400 + 60)).as_millis();
    let books = rusqlite::Connection::open(&copy).unwrap();
    books.execute_batch(&format!("UPDATE pulse SET polled_at = {then}")).unwrap();
    drop(books);
    fs::remove_file(folder.db()).unwrap();
    check_unfit(&world, &folder, &["is not there"], &["UTC, 3 days ago"]);
}

#[test]
fn a_first_start_that_was_refused_leaves_no_past() {
    let (world, folder) = (still_world(), Folder::new());
    fs::create_dir(folder.db()).unwrap();
    check_refused(&mut command(&world, &folder, &["run"]), &["is not a file"]);
    fs::remove_dir(folder.db()).unwrap();
    // Ce que laisse un démarrage de la version d'avant, coupé aussitôt.
    fs::write(beside(&folder, ".lock"), "").unwrap();
    fs::write(folder.db(), "").unwrap();
    check_follows(&world, &folder);
}

/// Chaque fichier qu'un premier démarrage pose ; coupé dès qu'il est là, le suivant est encore un premier démarrage, ou
/// continue un grand livre entier.
#[test]
fn a_first_start_killed_at_any_of_its_files_begins_or_goes_on() {
    let world = still_world();
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let filled = |folder: &Folder| fs::metadata(beside(folder, ".lock")).is_ok_and(|lock| lock.len() > 0);
    let moments: [(&str, Sight); 5] = [
        ("the lock", |folder| beside(folder, ".lock").exists()),
        ("the file without a name", |folder| beside(folder, "-new").exists() || folder.db().exists()),
        ("its journal", |folder| beside(folder, "-new-wal").exists() || folder.db().exists()),
        ("the ledger", |folder| folder.db().exists()),
        ("its journal under its name", |folder| beside(folder, "-wal").exists()),
    ];
    for round in 0..10 {
        for (what, is_there) in moments {
            let folder = Folder::new();
            let process = Process::run(&world, &folder);
            until(what, || is_there(&folder).then_some(()));
            process.kill();
            if filled(&folder) {
                assert!(folder.db().exists(), "{what}, round {round}: a past without a ledger");
            }
            check_born_once(&world, &folder, what);
        }
    }
}

fn check_born_once(world: &World, folder: &Folder, what: &str) {
    let process = Process::run(world, folder);
    process.site().closed_signal("initial_sync");
    assert_eq!(process.terminate(), Some(0), "{what}");
    assert_eq!(trades(&folder.db()), 1, "{what}");
    assert!(!beside(folder, "-new").exists(), "{what}: something is left of the first start");
}
