//! Le grand livre : la seule vérité durable du programme.
//!
//! Un fil (*thread*) possède la connexion SQLite et exécute les travaux un par un, dans l'ordre
//! d'arrivée ; [`Ledger`] en est la poignée, que l'on clone. Un travail est une fonction sur [`Db`] :
//! les écritures sont dans `account`, `signals`, `wishes`, `withdrawals`, `stop_loss`, `intents` et `cycle`, les lectures dans `views` ; `changes` dit ce
//! qui vient d'être écrit. Ce qui touche à l'argent est une transaction, synchronisée au disque avant que l'appelant ne
//! la sache faite.

mod account;
mod adoption;
mod aim;
mod audit;
mod balances;
mod birth;
mod bookings;
mod changes;
mod columns;
pub mod copies;
mod copy;
mod cycle;
mod dust;
mod examination;
mod exchange;
mod fees;
mod figures;
mod file;
mod fills;
mod flows;
mod foreign;
mod initial_sync;
mod intents;
mod journal;
mod keeper;
mod last_known;
mod legacy;
mod lock;
mod movements;
mod novelty;
mod opening;
mod others;
mod owner;
mod pages;
mod past;
mod place;
mod positions;
mod received;
mod requests;
mod schema;
mod seal;
mod settled;
mod signals;
mod soundness;
mod stop_loss;
mod survival;
mod takeover;
pub mod views;
mod wishes;
mod withdrawals;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use smol::channel::{self, Sender};
use smol::future::yield_now;

use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::Eur;
use crate::domain::refusal::Refusal;
use changes::Changes;
use keeper::{Job, Keeper, Told};
use lock::Lock;
use place::Place;

pub use audit::{Audit, LiveOrder};
pub use changes::Watch;
pub use copy::{PUT_BACK, copy, keep, pause, replace};
pub use cycle::{CycleRecord, Fate, ReadingRow};
pub use examination::{Found, examine};
pub use exchange::{CROWDED, ClockReading, Origin, Outlook, Silenced};
pub use file::written;
pub use foreign::{Bears, ForeignOrder, OrderMark, Seen};
pub use intents::{Outcome, Sending};
pub use last_known::Unpriced;
pub use novelty::{Named, Novelty};
pub use opening::{look, open};
pub use owner::hand_over;
pub use received::{Received, Verdict};
pub use requests::RequestKey;
pub use seal::reseal;
pub use signals::{Decision, PendingSignal, SignalStatus};
pub use stop_loss::StopLoss;
pub use withdrawals::Request as WithdrawalRequest;

/// Travaux en attente au plus ; au-delà, qui demande attend son tour.
const QUEUE: usize = 64;

/// Ce qui n'a pas pu se faire au grand livre.
#[derive(Debug)]
pub enum LedgerError {
    /// SQLite n'a pas pu : disque plein, fichier en lecture seule, base abîmée.
    Storage(String),
    /// La demande contredit la comptabilité ; rien n'a changé.
    Refused(String),
    /// Ce qui est là n'est pas un grand livre dont on puisse se servir : ce que c'est, et quoi faire.
    Unfit { found: String, remedy: String },
    /// Il manque une connaissance pour juger la demande ; rien n'a changé.
    Unknown(String),
    /// Le fil du grand livre est arrêté.
    Closed,
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            LedgerError::Storage(reason) => write!(f, "the ledger could not be read or written: {reason}"),
            LedgerError::Refused(reason) | LedgerError::Unknown(reason) => f.write_str(reason),
            LedgerError::Unfit { found, remedy } => write!(f, "{found}; {remedy}"),
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

impl LedgerError {
    /// De quoi répondre à une personne qui peut y remédier ; `None` si la faute est à nous.
    pub fn remediable(&self) -> Option<String> {
        let LedgerError::Storage(reason) = self else { return None };
        opening::disk_remedy(reason).map(|remedy| format!("{self}; {remedy}, then ask again"))
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        if let Some(told) = error.remediable() {
            return Refusal::Unknown(told);
        }
        match error {
            LedgerError::Refused(reason) => Refusal::Conflict(reason),
            LedgerError::Unknown(reason) => Refusal::Unknown(reason),
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
    /// Le recul que juge la perte que l'on s'est fixée, des relevés d'après celui-ci.
    watched: Option<(i64, views::Followed)>,
    tally: views::Tally,
    /// Jusqu'où allaient ces livres la dernière fois ; `None` si personne n'y veille ([`keeper`]).
    height: Option<views::Height>,
    /// Pourquoi rien ne s'écrit plus ici : son fichier a été récrit.
    overwritten: Option<String>,
}

impl Db {
    fn of(connection: Connection) -> Db {
        connection.set_prepared_statement_cache_capacity(views::KEPT);
        Db {
            connection,
            changes: Changes::default(),
            turnover: Default::default(),
            followed: Default::default(),
            watched: None,
            tally: Default::default(),
            height: None,
            overwritten: None,
        }
    }

    /// Plus rien ne s'y écrit : ce serait perdu.
    fn close_to_writes(&mut self, reason: String) -> Result<(), LedgerError> {
        self.overwritten = Some(reason);
        self.refuse_writes(true)
    }

    /// Pourquoi rien de ce qui se décide n'y serait gardé ; `None` si cela s'écrit.
    pub fn overwritten(&self) -> Option<&str> {
        self.overwritten.as_deref()
    }

    /// Ce qui n'a pas pu se lire ou s'écrire, avec ce que l'on sait du fichier et de son disque.
    fn told(&self, error: LedgerError) -> LedgerError {
        match (error, &self.overwritten) {
            (LedgerError::Storage(_), Some(reason)) => unchanged(reason),
            (LedgerError::Storage(said), None) => {
                let full =
                    self.connection.path().and_then(|path| opening::of_a_full_disk(path.as_ref(), &said));
                LedgerError::Storage(full.unwrap_or(said))
            }
            (error, _) => error,
        }
    }

    /// Fait échouer toute écriture, comme un disque plein, ou cesse : pour une simulation.
    pub fn refuse_writes(&mut self, refuse: bool) -> Result<(), LedgerError> {
        Ok(self.connection.pragma_update(None, "query_only", refuse)?)
    }

    /// La base entière de cet instant, en octets : pour une simulation, qui la reprend par [`in_memory_again`].
    pub fn image(&mut self) -> Result<Vec<u8>, LedgerError> {
        Ok(self.connection.serialize("main")?.to_vec())
    }

    /// Fait échouer la `nth` écriture à venir, et elle seule : pour une simulation.
    pub fn refuse_write(&mut self, nth: u32) {
        self.changes.refuse(nth);
    }

    /// Fait échouer l'écriture de tout trade de ce coin, comme une règle de la base qu'il violerait, ou cesse : pour une
    /// simulation.
    pub fn refuse_trades(&mut self, coin: Option<Coin>) -> Result<(), LedgerError> {
        self.connection.execute_batch("DROP TRIGGER IF EXISTS temp.refused")?;
        let Some(coin) = coin else { return Ok(()) };
        Ok(self.connection.execute_batch(&format!(
            "CREATE TEMP TRIGGER refused BEFORE INSERT ON main.trades WHEN NEW.coin = '{coin}'
             BEGIN SELECT RAISE(ABORT, 'a rule of this table'); END"
        ))?)
    }

    /// Ce que lit `read`, d'un même instant et sous un seul verrou, au lieu d'un par demande. Rien ne s'y écrit.
    pub fn at_once<T>(&self, read: impl FnOnce(&Db) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let view = self.connection.unchecked_transaction()?;
        let found = read(self)?;
        view.commit()?;
        Ok(found)
    }

    /// Une transaction qui prend le verrou d'écriture tout de suite.
    ///
    /// # Errors
    /// Quand ces livres ne sont plus ceux d'avant : ce qui s'y écrirait les ferait passer pour vrais.
    fn transaction(&mut self) -> Result<Transaction<'_>, LedgerError> {
        if let Some(reason) = &self.overwritten {
            return Err(unchanged(reason));
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(before) = self.height {
            let now = views::Height::of(&transaction)?;
            if now.is_below(before) {
                return Err(unchanged("the ledger went back: its file was written over by another program"));
            }
            self.height = Some(now);
        }
        Ok(transaction)
    }

    /// Vrai si ces livres ont perdu quelque chose : une copie a été écrite par-dessus leur journal, que SQLite lit comme si
    /// elle était d'un autre programme.
    fn went_back(&self) -> bool {
        let now = views::Height::of(&self.connection);
        self.height.zip(now.ok()).is_some_and(|(before, now)| now.is_below(before))
    }

    /// Retient jusqu'où vont ces livres, s'ils n'ont pas reculé.
    fn note_height(&mut self) {
        if let Ok(now) = views::Height::of(&self.connection)
            && self.height.is_none_or(|before| !now.is_below(before))
        {
            self.height = Some(now);
        }
    }
}

/// Rien n'a été pris, et ce n'est pas la faute de qui demande.
fn unchanged(reason: &str) -> LedgerError {
    LedgerError::Unknown(format!("nothing was changed: {reason}"))
}

/// La poignée du grand livre.
#[derive(Clone)]
pub struct Ledger {
    runner: Runner,
    changes: Changes,
    /// Pourquoi le dernier tour n'a pas pu s'écrire : la seule chose que le grand livre ne peut pas dire lui-même.
    unwritten: Told,
    displaced: Told,
    /// Pourquoi le compte réel n'est pas rapproché des livres en ce moment.
    uncompared: Told,
}

/// Qui exécute les travaux.
#[derive(Clone)]
enum Runner {
    /// Le fil qui possède la base.
    Thread(Sender<Job>),
    /// Qui demande, sur une base en mémoire : une simulation, où rien ne se passe ailleurs.
    Caller(Arc<Mutex<Db>>),
}

/// Le fil du grand livre, à rejoindre en partant.
pub struct LedgerThread {
    thread: JoinHandle<Option<String>>,
    /// Tenu verrouillé : deux programmes sur la même base doubleraient les ordres.
    _lock: Lock,
}

/// Une base en mémoire, sans fil : elle survit à qui s'en sert tant qu'une poignée vit.
pub fn in_memory(mode: &str, initial: Eur, now: Moment) -> Result<Ledger, LedgerError> {
    Ok(kept_in_memory(opening::settled(Connection::open_in_memory()?, mode, initial, now)?))
}

/// La base en mémoire que [`Db::image`] a copiée ; l'autre vit de son côté.
pub fn in_memory_again(image: &[u8], mode: &str, initial: Eur, now: Moment) -> Result<Ledger, LedgerError> {
    let mut connection = Connection::open_in_memory()?;
    connection.deserialize_read_exact("main", image, image.len(), false)?;
    Ok(kept_in_memory(opening::settled(connection, mode, initial, now)?))
}

fn kept_in_memory(db: Db) -> Ledger {
    let changes = db.changes.clone();
    Ledger::run_by(Runner::Caller(Arc::new(Mutex::new(db))), changes)
}

impl Ledger {
    fn run_by(runner: Runner, changes: Changes) -> Ledger {
        Ledger {
            runner,
            changes,
            unwritten: Told::default(),
            displaced: Told::default(),
            uncompared: Told::default(),
        }
    }

    /// Le grand livre d'une base ouverte, que son fil tient désormais.
    fn on_a_thread(db: Db, place: Place, lock: Lock) -> io::Result<(Ledger, LedgerThread)> {
        let (jobs, queue) = channel::bounded(QUEUE);
        let ledger = Ledger::run_by(Runner::Thread(jobs), db.changes.clone());
        let keeper = Keeper::new(db, place, ledger.displaced.clone()).map_err(io::Error::other)?;
        let thread = thread::Builder::new().name("ledger".to_owned());
        let thread = thread.spawn(move || keeper.run(&queue, keeper::PACE))?;
        Ok((ledger, LedgerThread { thread, _lock: lock }))
    }

    /// Pourquoi le fichier n'est plus à sa place, tel que le fil du grand livre l'a vu avant son dernier travail ; `None`
    /// s'il y est. Ce qui s'écrit quand même serait perdu, ou mêlé à autre chose.
    pub fn displaced(&self) -> Option<String> {
        keeper::told(&self.displaced).clone()
    }

    /// Pourquoi ce qui s'écrit serait perdu, ou n'a pas pu l'être au dernier tour ; `None` si tout va. Rien ne s'échange alors,
    /// et le grand livre ne peut pas le dire lui-même.
    pub fn trouble(&self) -> Option<String> {
        self.displaced().or_else(|| keeper::told(&self.unwritten).clone())
    }

    /// Retient comment l'écriture d'un tour a fini ; rend vrai si ce n'est pas comme celle d'avant.
    pub fn tell_unwritten(&self, reason: Option<String>) -> bool {
        let mut unwritten = keeper::told(&self.unwritten);
        let changed = *unwritten != reason;
        *unwritten = reason;
        changed
    }

    /// Pourquoi le compte réel n'est pas rapproché des livres en ce moment, et rien de leurs écarts ne se règle ; `None` s'il l'est,
    /// ou s'il n'y a pas de compte réel.
    pub fn uncompared(&self) -> Option<String> {
        keeper::told(&self.uncompared).clone()
    }

    /// Retient pourquoi il ne l'est pas, ou qu'il l'est.
    pub fn tell_uncompared(&self, reason: Option<String>) {
        *keeper::told(&self.uncompared) = reason;
    }

    /// Fait exécuter `job` par le fil du grand livre et rend sa réponse. Si l'appelant s'en va
    /// avant, le travail se fait quand même en entier.
    pub async fn with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Db) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let jobs = match &self.runner {
            Runner::Thread(jobs) => jobs,
            Runner::Caller(db) => {
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
            let done = job(db).map_err(|error| db.told(error));
            // Une réponse que plus personne n'attend n'est pas une faute.
            reply.try_send(done).ok();
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
    /// Attend que les travaux confiés soient faits et la base fermée ; rend pourquoi ce qu'elle contenait est perdu, s'il l'est.
    /// Toutes les poignées doivent être lâchées.
    pub fn join(self) -> Option<String> {
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Some("the thread of the ledger panicked".to_owned()))
    }
}
