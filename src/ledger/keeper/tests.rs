//! Le journal revient, et ce qui a été récrit se voit, sans que rien d'autre ne soit demandé.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Instant, SystemTime};

use rusqlite::Connection;
use rust_decimal::dec;
use smol::channel;

use super::*;
use crate::domain::booking::{Booking, Footing};
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Rate};
use crate::ledger::file::LedgerFile;
use crate::ledger::opening::settled;
use crate::ledger::soundness::open_alone;
use crate::ledger::{birth, journal};

const NOW: Moment = Moment(1_790_000_000_000);

const SOON: Duration = Duration::from_millis(20);
const EACH_TIME: Pace = Pace { first: SOON, then: SOON, again: Duration::from_millis(21) };

/// Une base neuve dans un dossier à cet essai, et qui la gardera.
fn keeper(name: &str) -> (PathBuf, LedgerFile, Keeper) {
    let folder = std::env::temp_dir().join(format!("calvalot-keeper-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let file = LedgerFile::at(&folder.join("a.db")).expect("nothing is there");
    let settle = |connection| settled(connection, "dry_run", Eur::new(dec!(100)), NOW);
    birth::give(&file, settle).expect("a ledger");
    let db = settle(Connection::open(file.path()).expect("it is there")).expect("it opens");
    let place = Place::of(file.clone()).expect("it is there");
    (folder, file, Keeper::new(db, place, Told::default()).expect("a keeper"))
}

fn deposit(db: &mut Db) {
    let footing = Footing::of(Rate::new(dec!(1.25)));
    db.enter(&Booking::Deposit(Eur::new(dec!(50))), &footing, None, NOW).expect("a deposit");
}

/// Les mouvements que le fichier contient à lui seul.
fn alone(file: &LedgerFile) -> i64 {
    let copy = file.path().with_file_name("copy.db");
    fs::copy(file.path(), &copy).expect("a file");
    let connection = open_alone(&copy).expect("a database");
    connection.query_row("SELECT count(*) FROM movements", [], |row| row.get(0)).expect("its movements")
}

#[test]
fn the_file_alone_soon_holds_what_was_written_without_anything_more_being_asked() {
    let (folder, file, keeper) = keeper("alone");
    let (jobs, queue) = channel::bounded(8);
    let thread = thread::spawn(move || keeper.run(&queue, EACH_TIME));
    // Le premier compte aussi l'ouverture.
    for movements in [2, 3] {
        jobs.send_blocking(Box::new(deposit)).expect("the thread runs");
        let patience = Instant::now() + Duration::from_secs(60);
        while alone(&file) < movements {
            assert!(Instant::now() < patience, "the file never holds {movements} movements");
        }
    }
    drop(jobs);
    thread.join().expect("no panic");
    fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn the_journal_comes_back_whole_even_when_someone_reads_and_only_if_it_holds_something_new() {
    let (folder, file, mut keeper) = keeper("back");
    deposit(&mut keeper.db);
    let mut reader = Connection::open(file.path()).expect("it is there");
    let reading = reader.transaction().expect("a snapshot");
    let seen: i64 = reading.query_row("SELECT count(*) FROM movements", [], |row| row.get(0)).expect("rows");
    assert_eq!(seen, 2);
    deposit(&mut keeper.db);
    assert_eq!(keeper.bring(EACH_TIME), EACH_TIME.again, "someone reads");
    assert!(alone(&file) < 3);
    drop(reading);
    assert_eq!(keeper.bring(EACH_TIME), EACH_TIME.then);
    assert_eq!(alone(&file), 3);
    let read = |path: &Path| fs::read(path).expect("a file");
    let before = (read(file.path()), read(&file.journal()));
    assert_eq!(keeper.bring(EACH_TIME), EACH_TIME.then);
    assert!(before == (read(file.path()), read(&file.journal())), "it wrote though nothing was new");
    drop((reader, keeper));
    fs::remove_dir_all(&folder).expect("it is ours");
}

/// Un journal qu'un lecteur a fait grandir est raccourci par SQLite, quand il le reprend à son début : ce n'est pas un autre.
#[test]
fn a_journal_that_sqlite_cuts_itself_was_not_written_over() {
    let (folder, file, mut keeper) = keeper("cut");
    let size = || fs::metadata(file.journal()).expect("it is there").len();
    let mut reader = Connection::open(file.path()).expect("it is there");
    let reading = reader.transaction().expect("a snapshot");
    reading.query_row("SELECT count(*) FROM movements", [], |_| Ok(())).expect("rows");
    while size() <= 2 * journal::LEFT {
        deposit(&mut keeper.db);
        keeper.note();
    }
    drop(reading);
    assert_eq!(keeper.bring(EACH_TIME), EACH_TIME.then);
    deposit(&mut keeper.db);
    assert!(size() <= journal::LEFT, "{} bytes are left", size());
    keeper.note();
    keeper.look();
    assert_eq!(keeper.displaced, None);
    drop((reader, keeper));
    fs::remove_dir_all(&folder).expect("it is ours");
}

/// Mise là pendant un travail, une copie n'est pas ce qu'il a laissé.
#[test]
fn a_copy_put_over_the_file_while_a_job_runs_is_told() {
    let (folder, file, mut keeper) = keeper("during");
    let (path, copy) = (file.path().to_owned(), fs::read(file.path()).expect("a file"));
    keeper.serve(Box::new(move |db| {
        deposit(db);
        fs::write(&path, copy).expect("it is ours");
        let hour = SystemTime::now() - Duration::from_secs(3600);
        let file = fs::File::options().write(true).open(&path).expect("it is there");
        file.set_modified(hour).expect("it is ours");
    }));
    keeper.note();
    keeper.look();
    assert!(matches!(keeper.displaced, Some(Displaced::Overwritten(_))), "{:?}", keeper.displaced);
    drop(keeper);
    fs::remove_dir_all(&folder).expect("it is ours");
}

/// Ni sa taille ni son heure ne le disent.
#[test]
fn a_copy_of_the_same_size_put_there_in_the_same_second_is_told_and_nothing_more_is_taken() {
    let (folder, file, mut keeper) = keeper("same");
    let earlier = fs::read(file.path()).expect("a file");
    keeper.db.connection.execute("UPDATE agent SET paused = 1", []).expect("a row");
    assert_eq!(keeper.bring(EACH_TIME), EACH_TIME.then);
    keeper.note();
    keeper.look();
    assert_eq!(keeper.displaced, None);
    assert_eq!(fs::metadata(file.path()).expect("a file").len(), earlier.len() as u64);
    fs::write(file.path(), earlier).expect("it is ours");
    keeper.look();
    assert!(matches!(keeper.displaced, Some(Displaced::Overwritten(_))), "{:?}", keeper.displaced);
    let told = told(&keeper.told).clone().expect("it is told");
    assert!(told.contains("there is none in"), "no copy was made yet: {told}");
    let refused = keeper.db.suspend("a person", NOW).map_err(|error| keeper.db.told(error));
    let refused = refused.expect_err("it would be lost").to_string();
    assert_eq!(refused, format!("nothing was changed: {told}"));
    assert_eq!(keeper.close(), Some(told));
    fs::remove_dir_all(&folder).expect("it is ours");
}

/// Coupé à tout moment de ces retours, le journal reste celui de la base ; sous un fichier d'avant un retour, jamais.
#[test]
fn a_journal_is_its_own_ledger_s_at_any_moment_and_no_earlier_one_s() {
    let (folder, file, mut keeper) = keeper("own");
    let is_of_another = || journal::is_of_another(&file).expect("both are read");
    let mut earlier: Vec<Vec<u8>> = Vec::new();
    for _ in 0..4 {
        deposit(&mut keeper.db);
        assert!(!is_of_another());
        let (now, journal) =
            (fs::read(file.path()).expect("a file"), fs::read(file.journal()).expect("a file"));
        let cut = LedgerFile::at(&folder.join("cut.db")).expect("a file");
        fs::write(cut.journal(), journal).expect("a file");
        for base in &earlier {
            fs::write(cut.path(), base).expect("a file");
            assert!(journal::is_of_another(&cut).expect("both are read"));
        }
        earlier.push(now);
        // La base seule est revenue : le numéro n'a pas encore avancé.
        let sql = "PRAGMA wal_checkpoint(PASSIVE)";
        keeper.db.connection.query_row(sql, [], |_| Ok(())).expect("it comes back");
        assert!(!is_of_another());
        assert!(keeper.db.checkpoint().expect("nobody reads"));
        assert!(!is_of_another());
    }
    drop(keeper);
    fs::remove_dir_all(&folder).expect("it is ours");
}
