//! La naissance d'un grand livre : il prend son nom d'un coup, entier et rendu au disque.
//!
//! Un fichier vide sous ce nom ne vient donc jamais d'un premier démarrage. Coupée n'importe où, une naissance laisse un
//! verrou vide et un fichier sans nom, que la suivante efface, ou un grand livre entier.

use std::fs;

use rusqlite::Connection;

use super::file::{self, LedgerFile, cannot, sync_file, sync_folder};
use super::{Db, LedgerError, journal};

/// Fait naître le grand livre, que `settle` remplit ; il n'y a rien à cet endroit, ou un fichier vide.
pub(super) fn give(
    file: &LedgerFile,
    settle: impl FnOnce(Connection) -> Result<Db, LedgerError>,
) -> Result<(), LedgerError> {
    clear(file)?;
    write(file, settle)?;
    name(file)
}

/// Efface ce qu'une naissance coupée a laissé.
fn clear(file: &LedgerFile) -> Result<(), LedgerError> {
    let unnamed = file.unnamed();
    let journals = ["-wal", "-shm", "-journal"].map(|suffix| file::beside(&unnamed, suffix));
    file::remove(&unnamed)?;
    journals.iter().try_for_each(|journal| file::remove(journal))
}

/// Écrit le grand livre entier, sans nom encore.
fn write(
    file: &LedgerFile,
    settle: impl FnOnce(Connection) -> Result<Db, LedgerError>,
) -> Result<(), LedgerError> {
    let unnamed = file.unnamed();
    file::create(&unnamed).map_err(|error| cannot(&file.shown(&unnamed), &error))?;
    let db = settle(Connection::open(&unnamed)?)?;
    journal::number_at_random(&db.connection)?;
    // Fermée, la base n'a plus de journal : elle tient en un fichier.
    db.connection.close().map_err(|(_, error)| error)?;
    sync_file(&unnamed).map_err(|error| cannot(&file.shown(&unnamed), &error))
}

fn name(file: &LedgerFile) -> Result<(), LedgerError> {
    let named = fs::rename(file.unnamed(), file.path()).and_then(|()| sync_folder(file.path()));
    named.map_err(|error| cannot(file.named(), &error))
}
