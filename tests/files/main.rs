//! Les fichiers d'un grand livre, le vrai programme devant chacun de leurs malheurs : `past` vidés ou disparus, `damage`
//! abîmés ou à un autre, `journal` sous le journal d'un autre, `names` sous deux noms, `place` ôtés ou récrits sous le
//! programme, `rights` ouverts à d'autres. Ce qui ne peut pas se suivre est refusé avec quoi faire, et reste intact.

#[path = "../books/mod.rs"]
mod books;
#[path = "../follower/mod.rs"]
mod follower;

mod damage;
mod journal;
mod names;
mod past;
mod place;
mod rights;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use books::number;
use calvalot::sim::World;
use follower::{Folder, Follower, Process, environment, free_port, until};
use rust_decimal::dec;

/// Ce que le programme a dit en partant de lui-même.
struct Ended {
    code: Option<i32>,
    out: String,
    error: String,
}

impl Ended {
    fn last_line(&self) -> &str {
        self.error.trim_end().lines().last().unwrap_or_default()
    }
}

/// Un processus que la fin du test emporte.
struct Running(Option<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Le programme dans ce dossier, face à ce monde.
fn command(world: &World, folder: &Folder, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
    command
        .args(words)
        .env_clear()
        .envs(environment(world, folder))
        .env("PORT", free_port().to_string())
        .env("INITIAL_BUDGET_EUR", "1000")
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn ended(command: &mut Command) -> Ended {
    let mut running = Running(Some(command.spawn().expect("the program starts")));
    until("the program ends by itself", || running.0.as_mut()?.try_wait().expect("a child"));
    let child = running.0.take().expect("just ended");
    let Output { status, stdout, stderr } = child.wait_with_output().expect("a child");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ended { code: status.code(), out: text(stdout), error: text(stderr) }
}

/// Un démarrage refusé, dont la dernière ligne contient chacun de ces textes ; la rend.
fn check_refused(command: &mut Command, expected: &[&str]) -> String {
    let ended = ended(command);
    let last = ended.last_line();
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{}", ended.error);
    let missing: Vec<_> = expected.iter().filter(|text| !last.contains(**text)).collect();
    assert!(missing.is_empty(), "{missing:?} not in {last:?}");
    assert!(!ended.error.contains("panicked"), "{}", ended.error);
    last.to_owned()
}

/// Le même refus, au démarrage et par la ligne `ledger` de `calvalot check` ; ni l'un ni l'autre ne change un fichier.
fn check_unfit(world: &World, folder: &Folder, found: &[&str], remedy: &[&str]) {
    let before = files(folder.path());
    check_refused(&mut command(world, folder, &["run"]), &[found, remedy].concat());
    let table = ended(&mut command(world, folder, &["check"]));
    assert_eq!(table.code, Some(1), "{}", table.out);
    let at = table.out.lines().position(|line| line.starts_with("ledger ")).expect("a line for the ledger");
    let (line, advice) =
        (table.out.lines().nth(at).unwrap(), table.out.lines().nth(at + 1).unwrap_or_default());
    assert!(
        line.contains("FAULT") && found.iter().all(|text| line.contains(text)),
        "{found:?} not in {line:?}"
    );
    assert!(remedy.iter().all(|text| advice.contains(text)), "{remedy:?} not in {advice:?}");
    let after = files(folder.path());
    let changed = |(path, bytes): &&(PathBuf, Vec<u8>)| {
        let volatile = path.extension().is_some_and(|extension| extension == "lock" || extension == "db-shm");
        !volatile && !after.iter().any(|(now, same)| now == path && same == bytes)
    };
    let changed: Vec<_> = before.iter().filter(changed).map(|(path, _)| path).collect();
    assert!(changed.is_empty(), "{changed:?} were changed");
}

/// Les fichiers de ce dossier et de ceux qu'il contient, et leurs octets.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

/// Une commande qui réussit ; rend ce qu'elle a dit.
fn succeeds(world: &World, folder: &Folder, words: &[&str]) -> String {
    let ended = ended(&mut command(world, folder, words));
    assert_eq!(ended.code, Some(0), "{words:?}: {}{}", ended.out, ended.error);
    ended.out
}

fn backup(world: &World, folder: &Folder) -> PathBuf {
    folder.path().join(succeeds(world, folder, &["backup"]).trim())
}

fn restore(world: &World, folder: &Folder, copy: &Path) -> String {
    succeeds(world, folder, &["restore", copy.to_str().unwrap()])
}

/// Un suiveur qui a acheté, arrêté proprement.
fn settled(world: &World, folder: &Folder) {
    world.leader().set_target(&[("BTCUSDC", dec!(0.5)), ("ETHUSDC", dec!(0.2))]);
    let follower = Follower::of(world, folder);
    follower.site().closed_signal("initial_sync");
    follower.site().wait_polls(2);
    follower.stop();
}

/// Un suiveur qui a acheté et encore échangé, tué net : ses dernières écritures ne sont que dans son journal.
fn killed(world: &World, folder: &Folder) {
    settled(world, folder);
    let before = trades(&folder.db());
    world.leader().set_target(&[("SOLUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.2))]);
    let process = Process::run(world, folder);
    until("it trades", || (trades(&folder.db()) > before).then_some(()));
    process.site().wait_polls(1);
    process.kill();
    assert!(fs::metadata(beside(folder, "-wal")).expect("its journal").len() > 0);
}

fn trades(path: &Path) -> i64 {
    number(&books::open(path), "SELECT count(*) FROM trades")
}

/// Le voisin de la base de ce dossier qui porte son nom et ceci.
fn beside(folder: &Folder, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", folder.db().display()))
}

/// Le programme démarre et suit, puis s'arrête proprement.
fn check_follows(world: &World, folder: &Folder) {
    let process = Process::run(world, folder);
    until("it follows", || (process.site().polls() >= 1.0).then_some(()));
    assert_eq!(process.terminate(), Some(0));
}
