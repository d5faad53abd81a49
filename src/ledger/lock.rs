//! Le verrou d'une base : un seul programme s'en sert, et un fichier vide n'y passe pas pour un premier démarrage.
//!
//! Deux programmes sur la même base doubleraient les ordres. Le fichier du verrou reste quand la base disparaît : une
//! ligne y dit qu'elle a été là, entière. Elle n'y est écrite qu'une fois la base rendue au disque sous son nom, et n'y
//! est plus jamais récrite : un démarrage refusé ou coupé avant laisse un verrou vide, qui ne prouve rien.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};

use std::thread;
use std::time::{Duration, Instant};

use super::LedgerError;
use super::file::{self, LedgerFile, cannot, sync_folder};
use crate::clock;

/// Combien attendre qui ne fait que lire la base, ou s'arrête : il n'est pas un autre programme qui la suit.
const PATIENCE: Duration = Duration::from_secs(1);

/// Le verrou, tenu tant que cette valeur vit.
pub(super) struct Lock(File);

impl Lock {
    /// Prend le verrou de la base, qu'elle y soit déjà ou non ; son dossier existe. `None` si un autre le tient.
    pub fn take(file: &LedgerFile) -> Result<Option<Lock>, LedgerError> {
        let path = file.lock();
        let open = || {
            match file::create(&path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            OpenOptions::new().read(true).append(true).open(&path)
        };
        let lock = open().map_err(|error| cannot(&file.shown(&path), &error))?;
        let patience = Instant::now() + PATIENCE;
        while lock.try_lock().is_err() {
            if Instant::now() >= patience {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(Some(Lock(lock)))
    }

    /// Prend le verrou que qui s'est servi de la base a laissé, sans en créer : il serait à qui ne fait que lire.
    pub fn borrow(file: &LedgerFile) -> Borrowed {
        match File::open(file.lock()) {
            Ok(lock) if lock.try_lock().is_ok() => Borrowed::Free(Some(Lock(lock))),
            Ok(_) => Borrowed::Busy,
            Err(_) => Borrowed::Free(None),
        }
    }

    /// Retient que la base est là, entière et rendue au disque.
    pub fn remember(&self, file: &LedgerFile) -> Result<(), LedgerError> {
        let path = file.lock();
        let write = || {
            if self.0.metadata()?.len() > 0 {
                return Ok(());
            }
            let line = format!("a whole ledger is here since {}\n", clock::rfc3339(clock::now()));
            (&self.0)
                .write_all(line.as_bytes())
                .and_then(|()| self.0.sync_all())
                .and_then(|()| sync_folder(&path))
        };
        write().map_err(|error: io::Error| cannot(&file.shown(&path), &error))
    }
}

/// Ce qu'un lecteur apprend du verrou.
pub(super) enum Borrowed {
    /// Personne ne l'a ; le voici, s'il y en a un, pour que personne ne le prenne pendant la lecture.
    Free(Option<Lock>),
    /// Un programme écrit la base.
    Busy,
}

/// Vrai si une base entière a été là un jour.
pub(super) fn remembers(file: &LedgerFile) -> bool {
    fs::metadata(file.lock()).is_ok_and(|lock| lock.len() > 0)
}
