//! Le fil qui possède la base : ses travaux un par un, et ce qu'elle doit à son fichier.
//!
//! Chaque heure, et dans la minute d'un démarrage, ce qui n'est que dans le journal revient dans la base : copié seul, son
//! fichier est un grand livre. Avant chaque travail le fil regarde si ce fichier est toujours à sa place. Invariant : rien
//! n'est ramené dans un fichier que quelqu'un d'autre a récrit ; ce qui n'est plus dans aucun fichier est copié dès que cela
//! se voit et encore en partant, ou l'on dit pourquoi il n'a pas pu l'être ; dans une base récrite, rien n'est plus pris.

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
        // Récrite, elle le reste, et ne s'écrit plus : ce que le prochain travail laisserait passerait pour la vérité.
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
        self.tell_loss();
    }

    /// Une base récrite n'est plus entière nulle part : ses pages étaient dans ce fichier. Ce qui s'y déciderait serait perdu,
    /// et n'est plus pris ; reste à dire quoi remettre.
    fn tell_loss(&mut self) {
        let Some(Displaced::Overwritten(reason)) = &self.displaced else { return };
        let remedy = copies::lasting_remedy(self.place.file().named());
        let reason = format!(
            "{reason}: what it held is whole nowhere any more, so it cannot be copied, and nothing more is written; stop \
             calvalot, then {remedy}"
        );
        log::error!("ledger_lost_its_pages reason={reason:?}");
        *told(&self.told) = Some(reason.clone());
        if let Err(error) = self.db.close_to_writes(reason) {
            log::error!("ledger_not_closed_to_writes reason={error}");
        }
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

    fn close(mut self) -> Option<String> {
        let overwritten = self.db.overwritten.take();
        let rescued = matches!(self.displaced, Some(Displaced::Lost(_))).then(|| self.rescue());
        if let Err((_, error)) = self.db.connection.close() {
            log::warn!("ledger_close failed reason={error}");
        }
        if let Some(reason) = overwritten {
            return Some(reason);
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
mod tests;
