//! Un fichier a un seul nom : par un autre chemin ou un lien, c'est le même grand livre, et le même verrou.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::follower::{Folder, Process, still_world, until};
use super::{backup, check_refused, command, restore, settled, succeeds, trades};

#[test]
fn two_programs_never_use_one_ledger_under_two_names() {
    let (world, folder) = (still_world(), Folder::new());
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(folder.path(), elsewhere.join("folder")).unwrap();
    symlink(folder.db(), elsewhere.join("link.db")).unwrap();
    symlink("link.db", elsewhere.join("link-of-link.db")).unwrap();
    let first = Process::run(&world, &folder);
    until("the first one follows", || (first.site().polls() >= 1.0).then_some(()));
    let names = [
        PathBuf::from("calvalot.db"),
        folder.path().join("elsewhere/../calvalot.db"),
        folder.path().join("./calvalot.db"),
        elsewhere.join("folder/calvalot.db"),
        elsewhere.join("link.db"),
        elsewhere.join("link-of-link.db"),
    ];
    for name in &names {
        let mut second = command(&world, &folder, &["run"]);
        let expected = ["another calvalot already uses", name.to_str().unwrap(), "stop it first"];
        check_refused(second.env("DB_PATH", name), &expected);
    }
    fs::hard_link(folder.db(), elsewhere.join("hard.db")).unwrap();
    let mut second = command(&world, &folder, &["run"]);
    let expected = ["hard.db has 2 names (hard links)", "one of them only", "remove the others"];
    check_refused(second.env("DB_PATH", elsewhere.join("hard.db")), &expected);
    fs::remove_file(elsewhere.join("hard.db")).unwrap();
    assert_eq!(first.terminate(), Some(0));
    assert!(!elsewhere.join("hard.db.lock").exists() && !elsewhere.join("link.db.lock").exists());
}

#[test]
fn a_link_is_followed_by_each_command() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let (disk, linked) = (Folder::new(), Folder::new());
    fs::rename(folder.db(), disk.path().join("ledger.db")).unwrap();
    symlink(disk.path().join("ledger.db"), linked.db()).unwrap();
    let copy = backup(&world, &linked);
    assert!(copy.starts_with(linked.path().join("backups")), "{}", copy.display());
    restore(&world, &linked, &copy);
    assert!(linked.db().is_symlink(), "the link was replaced, not the ledger");
    assert_eq!(trades(&disk.path().join("ledger.db")), trades(&copy));
    let process = Process::run(&world, &linked);
    until("it follows", || (process.site().polls() >= 1.0).then_some(()));
    succeeds(&world, &linked, &["backup", "while-it-runs.db"]);
    assert_eq!(process.terminate(), Some(0));
    fs::write(disk.path().join("ledger.db"), "").unwrap();
    let named = format!("{}.lock", disk.path().join("ledger.db").display());
    check_refused(&mut command(&world, &linked, &["run"]), &["is empty", &named, "1 copy in"]);
}

/// Le disque n'est pas monté : un grand livre neuf, là, investirait tout de nouveau.
#[test]
fn a_link_to_a_disk_that_is_away_begins_nothing() {
    let (world, folder) = (still_world(), Folder::new());
    let away = folder.path().join("disk/ledger.db");
    symlink(&away, folder.db()).unwrap();
    for mounted in [false, true] {
        if mounted {
            fs::create_dir(folder.path().join("disk")).unwrap();
        }
        let target = away.display().to_string();
        let expected = ["is a link to", &target, "which is not there", "mount the disk", "DB_PATH="];
        check_refused(&mut command(&world, &folder, &["run"]), &expected);
        assert!(!away.exists());
    }
}
