//! Le fil qui possède la base : ses travaux un par un, et ce qu'elle doit à son fichier.
//!
//! Chaque heure, et dans la minute d'un démarrage, ce qui n'est que dans le journal revient dans la base : copié seul, son
//! fichier est un grand livre. Avant chaque travail le fil regarde si ce fichier est toujours à sa place. Invariant : rien
//! n'est ramené dans un fichier que quelqu'un d'autre a récrit ; ce qui n'est plus dans aucun fichier laisse une copie.

use std::fs;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use smol::channel::Receiver;
use smol::future;

use super::file::cannot;
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
    /// Les lignes changées quand le journal est revenu pour la dernière fois.
    brought: u64,
}

impl Keeper {
    pub fn new(db: Db, place: Place, told: Told) -> Keeper {
        // Ce qui a ouvert la base vient de s'écrire, et attend aussi.
        Keeper { db, place, displaced: None, told, brought: 0 }
    }

    /// Exécute les travaux jusqu'à ce que plus personne ne puisse en confier, puis ferme la base.
    pub fn run(mut self, jobs: &Receiver<Job>, pace: Pace) {
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
            self.place.note();
        }
        self.close();
    }

    fn serve(&mut self, job: Job) {
        job(&mut self.db);
        self.db.changes.announce(&self.db.connection);
    }

    fn look(&mut self) {
        // Récrite, elle le reste : ce que le prochain travail laisserait passerait pour la vérité.
        if matches!(self.displaced, Some(Displaced::Overwritten(_))) {
            return;
        }
        let displaced = self.place.look();
        if displaced == self.displaced {
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

    fn close(self) {
        let rescued = matches!(self.displaced, Some(Displaced::Lost(_))).then(|| self.rescue());
        if let Err((_, error)) = self.db.connection.close() {
            log::warn!("ledger_close failed reason={error}");
        }
        match rescued {
            None => {}
            Some(Ok(copy)) => {
                log::warn!("ledger_rescued to={copy}");
                // Laissé là, il serait pris pour celui du fichier qui a pris la place.
                self.place.remove_own_journal();
            }
            Some(Err(error)) => log::error!("ledger_lost reason={error}"),
        }
    }

    /// Copie ce que nous tenons encore, et qu'aucun nom ne désigne plus, parmi les copies de cette base.
    fn rescue(&self) -> Result<String, LedgerError> {
        let named = self.place.file().named();
        let folder = copies::folder(named);
        fs::create_dir_all(&folder).map_err(|error| cannot(&folder, &error))?;
        let copy = folder.join(copies::name(named, clock::now()));
        copy::write(&self.db, &copy)?;
        Ok(copy.display().to_string())
    }
}
