//! `calvalot backup` et `calvalot restore`, le vrai programme : une copie prise n'importe quand est un livre entier, et
//! seul un livre simulé revient.

mod books;
mod follower;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use books::{check_consistent, check_settled, number};
use calvalot::sim::{Script, World};
use follower::{Folder, Follower, Process, still_world, until};
use rust_decimal::dec;

/// Le code de sortie, et ce qui est dit.
fn calvalot(folder: &Folder, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
    command
        .args(words)
        .env_clear()
        .env("DB_PATH", folder.db())
        .current_dir(folder.path())
        .stdin(Stdio::null());
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    (status.code(), String::from_utf8([stdout, stderr].concat()).expect("text"))
}

fn backup(folder: &Folder, words: &[&str]) -> PathBuf {
    let (code, said) = calvalot(folder, &[&["backup"], words].concat());
    assert_eq!(code, Some(0), "{said}");
    folder.path().join(said.trim())
}

fn check_refused(folder: &Folder, words: &[&str], reason: &str) {
    let (code, said) = calvalot(folder, words);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(reason), "{said}");
}

fn check_verifies(folder: &Folder, copy: &Path) {
    let (code, said) = calvalot(folder, &["verify", "--offline", "--db", copy.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{}: {said}", copy.display());
}

fn trades(path: &Path) -> i64 {
    number(&books::open(path), "SELECT count(*) FROM trades")
}

/// Un suiveur qui a acheté, arrêté.
fn settled(world: &World, folder: &Folder) {
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let follower = Follower::of(world, folder);
    follower.site().closed_signal("initial_sync");
    follower.stop();
}

fn listed(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_copy_taken_while_the_follower_trades_is_a_whole_ledger() {
    let script = Script { signal_every: 1, ..Script::default() };
    let world = World::start(script).expect("the loopback has free ports");
    let folder = Folder::new();
    let process = Process::run(&world, &folder);
    process.site().closed_signal("initial_sync");
    for round in 0..6 {
        let asked = world.leader().requests();
        until("a poll begins", || (world.leader().requests() > asked).then_some(()));
        let copy = backup(&folder, &[&format!("copy-{round}.db")]);
        check_verifies(&folder, &copy);
        check_consistent(&books::open(&copy));
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(process.terminate(), Some(0));
    assert!(trades(&folder.path().join("copy-5.db")) <= trades(&folder.db()));
}

#[test]
fn the_last_seven_copies_are_kept_and_nothing_else_is_touched() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let place = folder.path().join("backups");
    fs::create_dir(&place).unwrap();
    let old: Vec<String> = (1..=9).map(|day| format!("calvalot-2026010{day}-120000.db")).collect();
    let others = ["before-restore-calvalot-20260101-120000.db", "live-20260101-120000.db", "mine.txt"];
    for name in old.iter().map(String::as_str).chain(others) {
        fs::write(place.join(name), "x").unwrap();
    }
    let copy = backup(&folder, &[]);
    let mut expected: Vec<&str> = old[3..].iter().map(String::as_str).chain(others).collect();
    let name = copy.file_name().unwrap().to_str().unwrap();
    expected.push(name);
    expected.sort_unstable();
    assert_eq!(listed(&place), expected);
    check_verifies(&folder, &copy);
    let told = fs::read_to_string(folder.path().join("last-backup")).unwrap();
    let seconds: u64 = told.strip_suffix('\n').expect("one line").parse().expect("Unix seconds");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now - seconds < 3600, "{told}");
}

/// Une horloge en retard dit la dernière copie la plus vieille.
#[test]
fn the_copy_that_was_just_made_stays_whatever_the_clock_says() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let place = folder.path().join("backups");
    fs::create_dir(&place).unwrap();
    for day in 1..=7 {
        fs::write(place.join(format!("calvalot-2096010{day}-120000.db")), "x").unwrap();
    }
    let copy = backup(&folder, &[]);
    check_verifies(&folder, &copy);
    assert_eq!(listed(&place).len(), 7);
}

/// Deux retours dans la même seconde gardent chacun ce qui était là.
#[test]
fn two_copies_put_back_at_once_keep_both_ledgers_of_before() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let copy = backup(&folder, &[]);
    let copy = copy.to_str().unwrap();
    let kept = || {
        let names = listed(folder.path());
        names.into_iter().filter(|name| name.starts_with("before-restore-")).count()
    };
    for times in 1..=3 {
        let (code, said) = calvalot(&folder, &["restore", copy]);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(kept(), times);
    }
}

#[test]
fn what_is_no_good_copy_is_not_kept_nor_told() {
    let (world, folder) = (still_world(), Folder::new());
    for words in [&["backup"][..], &["backup", "copy.db"]] {
        check_refused(&folder, words, "there is no ledger at");
    }
    assert!(!folder.path().join("backups").exists(), "a folder for nothing");
    settled(&world, &folder);
    fs::write(folder.path().join("taken.db"), "mine").unwrap();
    check_refused(&folder, &["backup", "taken.db"], "is not replaced");
    // Le grand livre n'y est pour rien.
    let (code, said) = calvalot(&folder, &["backup", "absent/copy.db"]);
    assert_eq!((code, said.contains("the ledger")), (Some(1), false), "{said}");
    assert!(said.contains("absent/copy.db cannot be written: No such file"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("taken.db")).unwrap(), "mine");
    // Une intention dite exécutée, sans son trade : le livre est abîmé.
    books::open(&folder.db()).execute_batch("DELETE FROM trades").unwrap();
    check_refused(&folder, &["backup", "copy.db"], "the ledger is damaged");
    let names = listed(folder.path());
    assert!(!names.iter().any(|name| name.starts_with("copy") || name == "last-backup"), "{names:?}");
}

#[test]
fn a_ledger_that_a_hand_has_changed_is_not_kept_as_a_good_copy() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let copy = backup(&folder, &["good.db"]);
    for path in [folder.db(), copy] {
        books::open(&path).execute_batch("UPDATE trades SET bnb_price = 3 WHERE id = 1").unwrap();
    }
    let damaged = "the ledger is damaged: trades 1 is not as it was written";
    check_refused(&folder, &["backup", "copy.db"], damaged);
    check_refused(&folder, &["restore", "good.db"], damaged);
    let names = listed(folder.path());
    assert!(!names.iter().any(|name| name.starts_with("copy")), "{names:?}");
}

#[test]
fn a_copy_is_put_back_once_the_follower_is_stopped_and_the_ledger_of_before_is_kept() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let copy = backup(&folder, &["copy.db"]);
    world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(2);
    until("it trades again", || (trades(&folder.db()) > trades(&copy)).then_some(()));
    check_refused(&folder, &["restore", "copy.db"], "stop it first");
    follower.stop();
    let after = trades(&folder.db());
    let (code, said) = calvalot(&folder, &["restore", "copy.db"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(trades(&folder.db()), trades(&copy));
    let kept = said.lines().find_map(|line| line.strip_prefix("the one of before is ")).expect(&said);
    assert_eq!(trades(Path::new(kept)), after);
    check_verifies(&folder, Path::new(kept));
    // Il suit de là, comme d'un arrêt.
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(2);
    until("it trades as it had", || (trades(&folder.db()) == after).then_some(()));
    follower.stop();
    check_settled(&books::open(&folder.db()));
}

/// Coupé net, le dernier tour n'est que dans le journal : il ne doit ni se perdre, ni se mêler à la base remise.
/// La base est un lien vers un autre disque : ce qui la remplace naît là-bas, d'où il se met en place d'un coup. Dans une
/// racine où `/dev/shm` n'est pas monté, c'est le même disque : reste que le lien survit.
#[test]
fn a_ledger_on_another_disk_than_its_name_is_put_back_there() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let copy = backup(&folder, &[]);
    let disk = Path::new("/dev/shm").join(format!("calvalot-backup-{}", std::process::id()));
    fs::create_dir_all(&disk).expect("a disk in memory");
    let there = disk.join("real.db");
    fs::copy(folder.db(), &there).expect("it is copied");
    fs::remove_file(folder.db()).expect("it is ours");
    symlink(&there, folder.db()).expect("a link");
    let (code, said) = calvalot(&folder, &["restore", copy.to_str().expect("a path")]);
    assert_eq!(code, Some(0), "{said}");
    assert!(fs::symlink_metadata(folder.db()).expect("it is there").is_symlink(), "the link was replaced");
    assert_eq!(trades(&there), trades(&copy));
    fs::remove_dir_all(&disk).expect("it is ours");
}

#[test]
fn the_journal_of_a_killed_follower_goes_with_its_own_ledger() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    backup(&folder, &["copy.db"]);
    world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    let before = trades(&folder.db());
    let process = Process::run(&world, &folder);
    until("it trades", || (trades(&folder.db()) > before).then_some(()));
    process.kill();
    assert!(folder.path().join("calvalot.db-wal").exists());
    let (code, said) = calvalot(&folder, &["restore", "copy.db"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(trades(&folder.db()), before);
    let kept = said.lines().find_map(|line| line.strip_prefix("the one of before is ")).expect(&said);
    assert!(trades(Path::new(kept)) > before);
}

#[test]
fn a_ledger_that_can_no_longer_be_read_is_replaced_and_kept_as_it_is() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let copy = backup(&folder, &["copy.db"]);
    fs::write(folder.db(), "no longer a database").unwrap();
    let (code, said) = calvalot(&folder, &["restore", "copy.db"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(trades(&folder.db()), trades(&copy));
    let kept = said.lines().find_map(|line| line.strip_prefix("the one of before is ")).expect(&said);
    assert_eq!(fs::read_to_string(kept).unwrap(), "no longer a database");
}

#[test]
fn neither_a_wrong_file_nor_a_ledger_of_the_other_mode_is_put_back() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let before = trades(&folder.db());
    fs::write(folder.path().join("wrong.db"), "not a database").unwrap();
    check_refused(
        &folder,
        &["restore", "wrong.db"],
        "wrong.db is no copy of a ledger (file is not a database)",
    );
    fs::create_dir(folder.path().join("copies")).unwrap();
    check_refused(&folder, &["restore", "copies"], "copies is no copy of a ledger (it is not a file)");
    check_refused(&folder, &["restore", "absent.db"], "there is no file absent.db");
    let copy = backup(&folder, &["copy.db"]);
    let whole = fs::read(&copy).unwrap();
    fs::write(folder.path().join("cut.db"), &whole[..whole.len() / 4]).unwrap();
    check_refused(&folder, &["restore", "cut.db"], "cut.db cannot be put back (");
    books::open(&copy).execute_batch("UPDATE agent SET mode = 'live'").unwrap();
    check_refused(&folder, &["restore", "copy.db"], "a ledger of dry_run and copy.db is one of live");
    let good = backup(&folder, &["good.db"]);
    books::open(&folder.db()).execute_batch("UPDATE agent SET mode = 'live'").unwrap();
    check_refused(&folder, &["restore", good.to_str().unwrap()], "a ledger of live and");
    assert_eq!(trades(&folder.db()), before);
    assert_eq!(listed(folder.path()).iter().filter(|name| name.contains("restor")).count(), 0);
}

/// `sudo calvalot backup`, puis `restore` : ce que root écrit est à qui fait tourner le programme, et lui sert encore.
#[test]
fn what_root_writes_is_not_kept_from_the_one_who_runs_the_program() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return println!("skipped: only root can show it");
    }
    let other = Some(23_456);
    for path in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()) {
        chown(path, other, other).unwrap();
    }
    chown(folder.path(), other, other).unwrap();
    fs::write(folder.path().join("notes.txt"), "of root").unwrap();
    let copy = backup(&folder, &[]);
    let (code, said) = calvalot(&folder, &["restore", copy.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    let owner = |path: &Path| fs::symlink_metadata(path).unwrap().uid();
    let backups = folder.path().join("backups");
    for path in fs::read_dir(folder.path()).unwrap().chain(fs::read_dir(backups).unwrap()) {
        let path = path.unwrap().path();
        let expected = if path.ends_with("notes.txt") { 0 } else { 23_456 };
        assert_eq!(owner(&path), expected, "{}", path.display());
    }
}
