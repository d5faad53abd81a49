//! Une copie du grand livre, et sa remise en place.
//!
//! Une copie est la base d'un seul instant, en un seul fichier, démon en marche ou non, amenée à la version d'aujourd'hui.
//! Remettre est atomique : coupé n'importe où, il y a là l'ancienne base ou la nouvelle, entière.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::file::{self, LedgerFile, beside, cannot, sync_file, sync_folder};
use super::lock::Lock;
use super::opening;
use super::{Db, LedgerError, journal, schema, signals};
use crate::clock;

/// Copie la base `from` dans le fichier neuf `to`, lisible de son seul propriétaire et rendu au disque ; rend faux s'il
/// n'y a pas là de base à nous.
pub fn copy(from: &Path, to: &Path) -> Result<bool, LedgerError> {
    // Démon arrêté, il ne démarrera pas pendant la lecture.
    let Some(seen) = opening::see(&LedgerFile::at(from)?)?.filter(|seen| seen.origin.is_ours()) else {
        return Ok(false);
    };
    write(&seen.db, to).map(|()| true)
}

/// Écrit ce que `db` contient dans le fichier neuf `to` ; s'il était déjà là, il y reste tel quel.
pub(super) fn write(db: &Db, to: &Path) -> Result<(), LedgerError> {
    file::create(to).map_err(|error| cannot(to, &error))?;
    let filled = fill(db, to);
    if filled.is_err() {
        file::remove(to)?;
    }
    filled
}

fn fill(db: &Db, to: &Path) -> Result<(), LedgerError> {
    let name = to.to_str().ok_or_else(|| LedgerError::Refused(format!("{to:?} is not UTF-8")))?;
    db.connection.execute("VACUUM INTO ?1", [name])?;
    let mut copy = Db::of(Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?);
    copy.connection.execute_batch("PRAGMA foreign_keys = OFF")?;
    let transaction = copy.transaction()?;
    schema::migrate(&transaction)?;
    journal::number_at_random(&transaction)?;
    transaction.commit()?;
    copy.connection.close().map_err(|(_, error)| error)?;
    sync_file(to).and_then(|()| sync_folder(to)).map_err(|error| cannot(to, &error))
}

/// Pourquoi un livre d'argent réel revient en pause : ce qu'une personne a décidé depuis n'est pas à la bourse.
pub const PUT_BACK: &str = "this ledger was put back: what you decided since (pause, sell all, stop loss, deposits, \
                            withdrawals, differences) is not in it; look at the cash and the positions, then resume";

/// Met en pause la copie `path`, un fichier entier que personne n'a encore ouvert, et y laisse dehors ce qu'une personne a
/// laissé dehors du livre `there` ; rend combien d'ordres ([`Db::keep_outside`]).
pub fn pause(path: &Path, there: Option<&Db>) -> Result<usize, LedgerError> {
    let mut copy = Db::of(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?);
    copy.suspend(PUT_BACK, clock::now())?;
    signals::doubt_actions(&copy.connection)?;
    let kept = there.map_or(Ok(0), |there| copy.keep_outside(there))?;
    copy.connection.close().map_err(|(_, error)| error)?;
    sync_file(path).map_err(|error| cannot(path, &error))?;
    Ok(kept)
}

/// Garde la base `from` sous le nom `to` : copiée, journal compris, ou telle quelle si elle ne se lit plus, et son journal
/// à part, sous un nom où SQLite ne le mêle à rien. Rend faux s'il n'y a là rien à garder.
pub fn keep(from: &Path, to: &Path) -> Result<bool, LedgerError> {
    let file = LedgerFile::at(from)?;
    let journal = fs::metadata(file.journal()).is_ok_and(|journal| journal.len() > 0);
    if file.size()? == 0 && !journal {
        return Ok(false);
    }
    if copy(from, to).unwrap_or(false) {
        return Ok(true);
    }
    if file.path().exists() {
        keep_raw(file.path(), to)?;
    }
    if journal {
        keep_raw(&file.journal(), &beside(to, ".journal"))?;
    }
    Ok(true)
}

fn keep_raw(from: &Path, to: &Path) -> Result<(), LedgerError> {
    let copy = || {
        let mut kept = file::create(to)?;
        io::copy(&mut File::open(from)?, &mut kept)?;
        kept.sync_all()
    };
    copy().map_err(|error| cannot(to, &error))
}

/// Met la base `new`, un fichier entier qui y laisse son nom, à la place de celle à `path`, dont il n'est rien gardé.
///
/// # Errors
/// Quand un démon se sert de celle-ci, ou que le disque ne veut pas ; rien n'a alors changé de place.
pub fn replace(path: &Path, new: &Path) -> Result<(), LedgerError> {
    let file = LedgerFile::at(path)?;
    let Some(lock) = Lock::take(&file)? else {
        return Err(LedgerError::Refused(format!("calvalot uses {}: stop it first", path.display())));
    };
    if !brings_its_journal_in(&file) {
        // Laissé là, un journal serait pris pour celui de la nouvelle.
        for journal in [file.journal(), file.index(), file.rollback()] {
            file::remove(&journal)?;
        }
    }
    let placed = fs::rename(new, file.path()).and_then(|()| sync_folder(file.path()));
    placed.map_err(|error| cannot(path, &error))?;
    lock.remember(&file)
}

/// Ramène dans la base ce que son journal contient, et supprime celui-ci : coupé ensuite, il y a là toute l'ancienne.
fn brings_its_journal_in(file: &LedgerFile) -> bool {
    if journal::is_of_another(file).unwrap_or(true) {
        return false;
    }
    let opened = Connection::open_with_flags(file.path(), OpenFlags::SQLITE_OPEN_READ_WRITE);
    let mode = opened.and_then(|connection| {
        connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0))
    });
    mode.is_ok_and(|mode| mode == "delete") && !file.journal().exists()
}
