//! Le fil qui possède la base : ses travaux un par un, et ce qu'elle doit à son fichier.
//!
//! Chaque heure, et dans la minute d'un démarrage, ce qui n'est que dans le journal revient dans la base : copié seul, son
//! fichier est un grand livre. Avant chaque travail le fil regarde si ce fichier est toujours à sa place. Invariant : rien
//! n'est ramené dans un fichier que quelqu'un d'autre a récrit ; ce qui n'est plus dans aucun fichier est copié dès que cela
//! se voit et encore en partant, ou l'on dit pourquoi il n'a pas pu l'être.

use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use smol::channel::Receiver;
use smol::future;

use super::file::{self, cannot, folder_of, sync_folder};
use super::place::{Displaced, Place};
use super::{Db, LedgerError, copies, copy};
use crate::clock;

pub(super) type Job = Box<dyn FnOnce(&mut Db) + Send>;

/// Quand le journal revient dans la base : après l'ouverture, puis d'une fois à l'autre, et quand quelqu'un lisait encore.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub first: Duration,
    pub then: Duration,
    pub again: Duration,
}

pub(super) const PACE: Pace =
    Pace { first: Duration::from_secs(50), then: Duration::from_secs(3600), again: Duration::from_secs(60) };

/// Les pages du journal au-delà desquelles il revient sans attendre son heure.
const LONGEST: i32 = 512;

/// Avant de refaire une copie qui n'a pas pu l'être.
const AGAIN: Duration = Duration::from_secs(60);

/// Une raison que d'autres fils lisent ; `None` si tout va.
pub(super) type Told = Arc<Mutex<Option<String>>>;

/// Ce qui est dit là en ce moment.
pub(super) fn told(told: &Told) -> MutexGuard<'_, Option<String>> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

/// La base et la place de son fichier.
pub(super) struct Keeper {
    db: Db,
    place: Place,
    displaced: Option<Displaced>,
    told: Told,
    /// La copie d'une base qui n'est plus dans aucun fichier, ou pourquoi il n'y en a pas, et quand la refaire alors.
    rescued: Option<Result<PathBuf, String>>,
    rescue_at: Instant,
    /// Les lignes changées quand le journal est revenu pour la dernière fois.
    brought: u64,
    /// Vrai si du journal est revenu dans la base depuis le dernier regard : rien d'autre de nous n'écrit ce fichier.
    written: Arc<AtomicBool>,
}

impl Keeper {
    pub fn new(mut db: Db, place: Place, told: Told) -> Result<Keeper, LedgerError> {
        // Ce qui a ouvert la base vient de s'écrire, et attend aussi.
        let written = Arc::new(AtomicBool::new(true));
        let known = written.clone();
        // À la place du retour automatique de SQLite, qui ne se dit pas.
        db.connection.wal_hook(Some(move |journal: &mut Wal, pages| {
            if pages < LONGEST {
                return Ok(());
            }
            known.store(true, Ordering::Relaxed);
            // Ce qui vient de s'écrire l'est : un retour manqué se refait, et n'en fait pas une erreur.
            if let Err(error) = journal.checkpoint() {
                log::warn!("ledger_checkpoint failed reason={error}");
            }
            Ok(())
        }))?;
        let mut keeper = Keeper {
            db,
            place,
            displaced: None,
            told,
            rescued: None,
            rescue_at: clock::instant(),
            brought: 0,
            written,
        };
        keeper.note();
        Ok(keeper)
    }

    /// Exécute les travaux jusqu'à ce que plus personne ne puisse en confier, puis ferme la base ; rend pourquoi ce qu'elle
    /// contenait est perdu, s'il l'est.
    pub fn run(mut self, jobs: &Receiver<Job>, pace: Pace) -> Option<String> {
        let mut due = clock::instant() + pace.first;
        let mut alarm = pin!(clock::sleep_until(due));
        loop {
            let job = async { Some(jobs.recv().await) };
            let woken = future::block_on(future::or(job, async {
                alarm.as_mut().await;
                None
            }));
            self.look();
            let rang = woken.is_none();
            match woken {
                Some(Ok(job)) => self.serve(job),
                Some(Err(_)) => break,
                None => {}
            }
            // Des travaux sans trêve ne laisseraient pas l'alarme sonner.
            if rang || clock::instant() >= due {
                due = clock::instant() + self.bring(pace);
                alarm.set(clock::sleep_until(due));
            }
            self.note();
        }
        self.close()
    }

    fn serve(&mut self, job: Job) {
        job(&mut self.db);
        self.db.changes.announce(&self.db.connection);
    }

    /// Retient comment ce tour laisse la base : son fichier, seulement s'il a pu l'écrire ; une copie mise là entre-temps
    /// passerait pour ce qu'il a laissé.
    fn note(&mut self) {
        if self.written.swap(false, Ordering::Relaxed) {
            self.place.note_base();
        }
        self.place.note_journal();
        self.db.note_height();
    }

    fn look(&mut self) {
        // Récrite, elle le reste : ce que le prochain travail laisserait passerait pour la vérité.
        if matches!(self.displaced, Some(Displaced::Overwritten(_))) {
            return;
        }
        let displaced = self.place.look().or_else(|| self.db.went_back().then(|| self.place.overwritten()));
        if displaced == self.displaced {
            if self.wants_a_copy() && clock::instant() >= self.rescue_at {
                self.tell_rescue();
            }
            return;
        }
        match &displaced {
            Some(displaced) => log::error!("ledger_displaced reason={:?}", displaced.reason()),
            None => log::info!("ledger_in_place again"),
        }
        if let Some(Displaced::Overwritten(_) | Displaced::Lost(_)) = displaced
            && let Err(error) = self.leave_the_files_alone()
        {
            log::error!("ledger_files_not_left_alone reason={error}");
        }
        *told(&self.told) = displaced.as_ref().map(|displaced| displaced.reason().to_owned());
        self.displaced = displaced;
        self.tell_rescue();
    }

    /// Vrai si ce que nous tenons n'est dans aucun fichier, pas même une copie.
    fn wants_a_copy(&self) -> bool {
        matches!(self.displaced, Some(Displaced::Lost(_))) && !matches!(self.rescued, Some(Ok(_)))
    }

    /// Copie une base qui n'est plus dans aucun fichier, et dit où, ou quoi faire d'abord.
    fn tell_rescue(&mut self) {
        let Some(Displaced::Lost(reason)) = &self.displaced else { return };
        let rescued = self.rescue();
        let how = match &rescued {
            Ok(copy) => format!(
                "what is written now is in no file any more; a copy of it is {0}: stop calvalot (not by a kill), which brings \
                 that copy up to date, then `calvalot restore {0}`",
                copy.display()
            ),
            Err(why) => format!(
                "what is written now is in no file any more, and no copy of it could be made ({why}): before you stop \
                 calvalot, make room in {}, or let it write there; it tries again each minute",
                folder_of(self.place.file().named()).display()
            ),
        };
        if self.rescued.as_ref() != Some(&rescued) {
            log::error!("ledger_in_no_file reason={how:?}");
        }
        *told(&self.told) = Some(format!("{reason}; {how}"));
        self.rescue_at = clock::instant() + AGAIN;
        self.rescued = Some(rescued);
    }

    /// Ce qui porte ces noms n'est plus à nous : ni écrit, ni supprimé en fermant.
    fn leave_the_files_alone(&self) -> Result<(), LedgerError> {
        self.db.connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        self.db.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(())
    }

    /// Ramène le journal dans la base s'il contient du nouveau ; rend dans combien de temps recommencer.
    fn bring(&mut self, pace: Pace) -> Duration {
        let rows = self.db.connection.total_changes();
        if rows == self.brought || self.displaced.is_some() {
            return pace.then;
        }
        self.written.store(true, Ordering::Relaxed);
        match self.db.checkpoint() {
            Ok(true) => {
                self.brought = rows;
                pace.then
            }
            Ok(false) => pace.again,
            Err(error) => {
                log::warn!("ledger_checkpoint failed reason={error}");
                pace.then
            }
        }
    }

    fn close(self) -> Option<String> {
        let rescued = matches!(self.displaced, Some(Displaced::Lost(_))).then(|| self.rescue());
        if let Err((_, error)) = self.db.connection.close() {
            log::warn!("ledger_close failed reason={error}");
        }
        match (rescued?, self.rescued) {
            (Ok(copy), _) => {
                log::warn!("ledger_rescued to={}", copy.display());
                // Laissé là, il serait pris pour celui du fichier qui a pris la place.
                self.place.remove_own_journal();
                None
            }
            (Err(why), Some(Ok(copy))) => Some(format!(
                "the ledger was in no file any more, and what was written since {} was copied is lost: {why}",
                copy.display()
            )),
            (Err(why), _) => Some(format!(
                "the ledger was in no file any more, and could not be copied: it is lost: {why}"
            )),
        }
    }

    /// Copie ce que nous tenons encore, et qu'aucun nom ne désigne plus : par-dessus la copie d'avant, sinon parmi celles de
    /// cette base, ou à défaut à côté d'elle. Rend où, ou pourquoi pas.
    fn rescue(&self) -> Result<PathBuf, String> {
        if let Some(Ok(copy)) = &self.rescued {
            return self.copy_over(copy).map(|()| copy.clone()).map_err(told_plainly);
        }
        let named = self.place.file().named();
        let (folder, name) = (copies::folder(named), copies::name(named, clock::now()));
        let among = folder.join(&name);
        let made = fs::create_dir_all(&folder).map_err(|error| cannot(&folder, &error));
        let Err(first) = made.and_then(|()| self.copy_over(&among)) else { return Ok(among) };
        let near = folder_of(named).join(name);
        match self.copy_over(&near) {
            Ok(()) => Ok(near),
            Err(_) => Err(told_plainly(first)),
        }
    }

    /// Remplace `copy`, d'un coup.
    fn copy_over(&self, copy: &Path) -> Result<(), LedgerError> {
        let fresh = file::beside(copy, "-new");
        file::remove(&fresh)?;
        copy::write(&self.db, &fresh)?;
        let placed = fs::rename(&fresh, copy).and_then(|()| sync_folder(copy));
        placed.map_err(|error| cannot(copy, &error))
    }
}

fn told_plainly(error: LedgerError) -> String {
    match error {
        LedgerError::Storage(reason) => reason,
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
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
        let seen: i64 =
            reading.query_row("SELECT count(*) FROM movements", [], |row| row.get(0)).expect("rows");
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
}
