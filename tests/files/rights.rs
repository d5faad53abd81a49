//! Rien du grand livre n'est à lire par un autre utilisateur de la machine, quel que soit l'`umask`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::follower::{Folder, Site, environment, free_port, still_world, until};
use super::{Running, backup, beside, command, ended, settled, succeeds};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode()
        & 0o777
}

#[test]
fn the_files_of_a_ledger_are_their_owner_s_alone_whatever_the_umask() {
    for umask in ["000", "022", "077", "277"] {
        let (world, folder) = (still_world(), Folder::new());
        let port = free_port();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("umask {umask} && exec {}", env!("CARGO_BIN_EXE_calvalot"))])
            .env_clear()
            .envs(environment(&world, &folder))
            .env("PORT", port.to_string())
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let running = Running(Some(shell.spawn().unwrap()));
        until("it follows", || (Site::at(port).polls() >= 1.0).then_some(()));
        for suffix in ["", "-wal", "-shm", ".lock"] {
            assert_eq!(mode(&beside(&folder, suffix)), 0o600, "umask {umask}: {suffix}");
        }
        let copy = backup(&world, &folder);
        assert_eq!(mode(&copy), 0o600, "umask {umask}");
        drop(running);
        let said = succeeds(&world, &folder, &["restore", copy.to_str().unwrap()]);
        let kept = said.lines().find_map(|line| line.strip_prefix("the one of before is ")).expect(&said);
        assert_eq!((mode(&folder.db()), mode(Path::new(kept))), (0o600, 0o600), "umask {umask}");
    }
}

#[test]
fn what_an_older_version_left_open_to_others_is_closed_and_said_once() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    for suffix in ["", ".lock"] {
        fs::set_permissions(beside(&folder, suffix), Permissions::from_mode(0o664)).unwrap();
    }
    let said = |text: &str| text.lines().filter(|line| line.contains("rights_tightened")).count();
    let first = refused_after_opening(&world, &folder);
    assert_eq!(said(&first), 2, "{first}");
    assert!(first.contains("was=0664"), "{first}");
    assert_eq!((mode(&folder.db()), mode(&beside(&folder, ".lock"))), (0o600, 0o600));
    let second = refused_after_opening(&world, &folder);
    assert_eq!(said(&second), 0, "{second}");
}

/// Un démarrage qui va jusqu'à prendre le grand livre, et que son contenu arrête : ce qu'il a dit.
fn refused_after_opening(world: &calvalot::sim::World, folder: &Folder) -> String {
    let books = super::books::open(&folder.db());
    books.execute_batch("UPDATE agent SET mode = 'live'").unwrap();
    drop(books);
    ended(&mut command(world, folder, &["run"])).error
}
