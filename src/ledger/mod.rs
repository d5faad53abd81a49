//! Le grand livre : la seule vérité durable du programme.
//!
//! Un fil (*thread*) possède la connexion SQLite et exécute les travaux un par un, dans l'ordre
//! d'arrivée ; [`Ledger`] en est la poignée, que l'on clone. Un travail est une fonction sur [`Db`] :
//! les écritures sont dans `account`, `signals`, `wishes`, `withdrawals`, `intents` et `cycle`, les lectures dans `views` ; `changes` dit ce
//! qui vient d'être écrit. Ce qui touche à l'argent est une transaction, synchronisée au disque avant que l'appelant ne
//! la sache faite.

mod account;
mod audit;
mod balances;
mod changes;
mod columns;
mod copy;
mod cycle;
mod exchange;
mod figures;
mod flows;
mod foreign;
mod intents;
mod legacy;
mod movements;
mod pages;
mod positions;
mod requests;
mod schema;
mod seal;
mod signals;
pub mod views;
mod wishes;
mod withdrawals;

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use smol::channel::{self, Receiver, Sender};
use smol::future::yield_now;

use crate::domain::moment::Moment;
use crate::domain::money::Eur;
use crate::domain::refusal::Refusal;
use changes::Changes;

pub use audit::{Audit, LiveOrder};
pub use changes::Watch;
pub use copy::{copy, replace};
pub use cycle::{CycleRecord, ReadingRow};
pub use exchange::{ClockReading, Outlook, Silenced};
pub use foreign::ForeignOrder;
pub use intents::{Outcome, Sending};
pub use requests::RequestKey;
pub use seal::reseal;
pub use signals::{Decision, PendingSignal, Received, SignalStatus, Verdict};
pub use withdrawals::Request as WithdrawalRequest;

/// Travaux en attente au plus ; au-delà, qui demande attend son tour.
const QUEUE: usize = 64;

/// Réglages mesurés pour un Pi : peu de cache, rien en mémoire partagée, tout au disque, de petites pages ([`pages`]).
const PRAGMAS: &str = "
    PRAGMA page_size = 1024;
    PRAGMA foreign_keys = OFF;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -512;
    PRAGMA mmap_size = 0;
    PRAGMA temp_store = MEMORY;
    PRAGMA journal_size_limit = 1048576;
    PRAGMA wal_autocheckpoint = 256;
    PRAGMA busy_timeout = 5000;
";

/// Ce qui n'a pas pu se faire au grand livre.
#[derive(Debug)]
pub enum LedgerError {
    /// SQLite n'a pas pu : disque plein, fichier en lecture seule, base abîmée.
    Storage(String),
    /// La demande contredit la comptabilité ; rien n'a changé.
    Refused(String),
    /// Le fil du grand livre est arrêté.
    Closed,
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            LedgerError::Storage(reason) => write!(f, "the ledger could not be read or written: {reason}"),
            LedgerError::Refused(reason) => f.write_str(reason),
            LedgerError::Closed => f.write_str("the ledger is closed"),
        }
    }
}

impl std::error::Error for LedgerError {}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        LedgerError::Storage(error.to_string())
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Refused(reason) => Refusal::Conflict(reason),
            error => Refusal::Failed(error.to_string()),
        }
    }
}

/// La connexion, vue par les travaux.
pub struct Db {
    connection: Connection,
    changes: Changes,
    /// Des sommes qui ne font que s'allonger : gardées, pour ne pas tout relire à chaque lecture des mesures.
    turnover: views::Turnover,
    followed: views::Followed,
    tally: views::Tally,
}

impl Db {
    fn of(connection: Connection) -> Db {
        Db {
            connection,
            changes: Changes::default(),
            turnover: Default::default(),
            followed: Default::default(),
            tally: Default::default(),
        }
    }

    /// Fait échouer toute écriture, comme un disque plein, ou cesse : pour une simulation.
    pub fn refuse_writes(&mut self, refuse: bool) -> Result<(), LedgerError> {
        Ok(self.connection.pragma_update(None, "query_only", refuse)?)
    }

    /// Une transaction qui prend le verrou d'écriture tout de suite.
    fn transaction(&mut self) -> Result<Transaction<'_>, LedgerError> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}

type Job = Box<dyn FnOnce(&mut Db) + Send>;

/// La poignée du grand livre.
#[derive(Clone)]
pub struct Ledger {
    keeper: Keeper,
    changes: Changes,
    /// Pourquoi le dernier tour n'a pas pu s'écrire : la seule chose que le grand livre ne peut pas dire lui-même.
    unwritten: Arc<Mutex<Option<String>>>,
}

/// Qui exécute les travaux.
#[derive(Clone)]
enum Keeper {
    /// Le fil qui possède la base.
    Thread(Sender<Job>),
    /// Qui demande, sur une base en mémoire : une simulation, où rien ne se passe ailleurs.
    Caller(Arc<Mutex<Db>>),
}

/// Le fil du grand livre, à rejoindre en partant.
pub struct LedgerThread {
    thread: JoinHandle<()>,
    /// Tenu verrouillé : deux programmes sur la même base doubleraient les ordres.
    _lock: File,
}

/// Ouvre la base à `path`, la crée ou la reprend. `mode` est `dry_run` ou `live` : une base ne sert
/// qu'à un seul. `initial` n'est compté qu'à la création.
pub fn open(
    path: &Path,
    mode: &str,
    initial: Eur,
    now: Moment,
) -> Result<(Ledger, LedgerThread), LedgerError> {
    let explained =
        |reason: String| LedgerError::Storage(format!("{}: {reason}; {}", path.display(), remedy(&reason)));
    let storage = |error: std::io::Error| explained(error.to_string());
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(storage)?;
    }
    let lock = File::create(lock_of(path)).map_err(storage)?;
    if lock.try_lock().is_err() {
        return Err(LedgerError::Refused(format!(
            "another calvalot already uses {}: stop it first, or set another DB_PATH",
            path.display()
        )));
    }
    let db = prepare(path, mode, initial, now).map_err(|error| match error {
        LedgerError::Storage(reason) => explained(reason),
        error => error,
    })?;
    let changes = db.changes.clone();
    let (jobs, queue) = channel::bounded(QUEUE);
    let thread =
        thread::Builder::new().name("ledger".to_owned()).spawn(move || keep(db, &queue)).map_err(storage)?;
    Ok((Ledger::kept_by(Keeper::Thread(jobs), changes), LedgerThread { thread, _lock: lock }))
}

/// Tenu verrouillé par qui écrit la base à `path`.
fn lock_of(path: &Path) -> PathBuf {
    path.with_added_extension("lock")
}

/// Quoi faire d'une base qui ne s'ouvre pas, d'après les mots du système ou de SQLite.
fn remedy(reason: &str) -> &'static str {
    let says = |words: [&str; 2]| words.iter().any(|word| reason.contains(word));
    if says(["Read-only file system", "readonly"]) {
        "mount it for writing; an SD card that makes itself read-only is worn out: copy data/ from it, replace it"
    } else if says(["Permission denied", "unable to open"]) {
        "let the user that runs calvalot read and write there, or set another DB_PATH"
    } else if says(["No space left", "disk is full"]) {
        "make room on this disk"
    } else {
        "put a good copy there, or set another DB_PATH"
    }
}

/// Une base en mémoire, sans fil : elle survit à qui s'en sert tant qu'une poignée vit.
pub fn in_memory(mode: &str, initial: Eur, now: Moment) -> Result<Ledger, LedgerError> {
    let db = settled(Connection::open_in_memory()?, mode, initial, now)?;
    let changes = db.changes.clone();
    Ok(Ledger::kept_by(Keeper::Caller(Arc::new(Mutex::new(db))), changes))
}

/// Regarde la base à `path` sans rien y écrire, même quand le démon s'en sert ; `None` s'il n'y en a pas
/// encore à nous (aucun fichier, ou une base du programme Python ou d'une version d'avant, pas encore reprise).
pub fn look(path: &Path) -> Result<Option<Db>, LedgerError> {
    if !path.exists() {
        return Ok(None);
    }
    // SQLite nomme son journal `x.db-wal`. S'il n'y en a pas, personne n'écrit : la base est lue telle quelle,
    // sans qu'un journal vide soit posé à côté.
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    let unused = if Path::new(&journal).exists() { "" } else { "?immutable=1" };
    let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(format!("file:{name}{unused}"), flags)?;
    connection.execute_batch("PRAGMA busy_timeout = 5000")?;
    let current = schema::is_current(&connection)?;
    Ok(current.then_some(Db::of(connection)))
}

/// Une base refusée reste comme elle était : rien n'est gardé tant que tout n'est pas en ordre.
fn prepare(path: &Path, mode: &str, initial: Eur, now: Moment) -> Result<Db, LedgerError> {
    let db = settled(Connection::open(path)?, mode, initial, now)?;
    if !pages::are_large(&db.connection)? {
        return Ok(db);
    }
    drop(db);
    match pages::rebuild(path) {
        Ok(()) => log::info!("ledger_rebuilt page_size={}", pages::SMALL),
        Err(error) => log::warn!("ledger_not_rebuilt reason={error}"),
    }
    settled(Connection::open(path)?, mode, initial, now)
}

fn settled(connection: Connection, mode: &str, initial: Eur, now: Moment) -> Result<Db, LedgerError> {
    connection.execute_batch(PRAGMAS)?;
    let mut db = Db::of(connection);
    let transaction = db.transaction()?;
    schema::migrate(&transaction)?;
    schema::index(&transaction)?;
    account::settle(&transaction, mode, initial, now)?;
    transaction.commit()?;
    // Éteintes jusqu'ici : une migration peut refaire une table que d'autres désignent.
    db.connection.execute_batch("PRAGMA foreign_keys = ON")?;
    db.changes.follow(&mut db.connection)?;
    Ok(db)
}

fn keep(mut db: Db, queue: &Receiver<Job>) {
    while let Ok(job) = queue.recv_blocking() {
        job(&mut db);
        db.changes.announce(&db.connection);
    }
    if let Err((_, error)) = db.connection.close() {
        log::warn!("ledger_close failed reason={error}");
    }
}

impl Ledger {
    fn kept_by(keeper: Keeper, changes: Changes) -> Ledger {
        Ledger { keeper, changes, unwritten: Arc::default() }
    }

    /// Pourquoi le dernier tour n'a pas pu s'écrire ; `None` s'il l'a été.
    pub fn unwritten(&self) -> Option<String> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Retient comment l'écriture d'un tour a fini ; rend vrai si ce n'est pas comme celle d'avant.
    pub fn tell_unwritten(&self, reason: Option<String>) -> bool {
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = *unwritten != reason;
        *unwritten = reason;
        changed
    }

    /// Fait exécuter `job` par le fil du grand livre et rend sa réponse. Si l'appelant s'en va
    /// avant, le travail se fait quand même en entier.
    pub async fn with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Db) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let jobs = match &self.keeper {
            Keeper::Thread(jobs) => jobs,
            Keeper::Caller(db) => {
                // Une simulation peut couper avant comme après l'écriture, jamais au milieu.
                yield_now().await;
                let done = {
                    let mut db = db.lock().unwrap_or_else(PoisonError::into_inner);
                    let done = job(&mut db);
                    db.changes.announce(&db.connection);
                    done
                };
                yield_now().await;
                return done;
            }
        };
        let (reply, answer) = channel::bounded(1);
        let job: Job = Box::new(move |db| {
            // Une réponse que plus personne n'attend n'est pas une faute.
            reply.try_send(job(db)).ok();
        });
        jobs.send(job).await.map_err(|_| LedgerError::Closed)?;
        answer.recv().await.map_err(|_| LedgerError::Closed)?
    }

    /// Un regard sur ce qui sera écrit à partir de maintenant.
    pub fn watch(&self) -> Watch {
        self.changes.watch()
    }
}

impl LedgerThread {
    /// Attend que les travaux confiés soient faits et la base fermée. Toutes les poignées doivent
    /// être lâchées.
    pub fn join(self) {
        if self.thread.join().is_err() {
            log::error!("ledger_thread panicked");
        }
    }
}
