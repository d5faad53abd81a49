//! Une base faite avec de grandes pages, celle du programme Python ou d'une version d'avant : refaite une fois avec de
//! petites, elle s'use trois fois moins à chaque tour.
//!
//! La nouvelle est écrite à côté, rendue au disque, puis prend le nom de l'ancienne : coupé n'importe où, il y a là l'une
//! ou l'autre, entière. Ce qui ne peut pas se faire laisse l'ancienne, qui va aussi bien.

use std::fs;

use rusqlite::Connection;

use super::LedgerError;
use super::file::{self, LedgerFile, cannot, sync_file, sync_folder};

/// Octets : un tour en change six, de quelques octets chacune, et chacune s'écrit entière.
pub(super) const SMALL: i64 = 1024;

/// Vrai si cette base a d'autres pages que celles qu'aurait une neuve.
pub(super) fn are_large(connection: &Connection) -> Result<bool, LedgerError> {
    Ok(connection.query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0))? != SMALL)
}

/// Refait cette base, que personne d'autre ne tient, avec de petites pages.
///
/// # Errors
/// Quand le disque ne veut pas, ou que quelqu'un la lit ; elle est alors comme avant.
pub(super) fn rebuild(file: &LedgerFile) -> Result<(), LedgerError> {
    let done = write(file).and_then(|()| {
        let named = fs::rename(file.unnamed(), file.path()).and_then(|()| sync_folder(file.path()));
        named.map_err(|error| cannot(file.named(), &error))
    });
    if done.is_err() {
        // Rien à en garder ; s'il n'y est pas, tant mieux.
        let _ = fs::remove_file(file.unnamed());
    }
    done
}

fn write(file: &LedgerFile) -> Result<(), LedgerError> {
    let new = &file.unnamed();
    // D'une fois d'avant, coupée.
    file::remove(new)?;
    let name = new.to_str().ok_or_else(|| LedgerError::Refused(format!("{new:?} is not UTF-8")))?;
    let connection = Connection::open(file.path())?;
    // SQLite ne change pas les pages d'une base qui a un journal à part.
    let mode: String = connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode != "delete" {
        return Err(LedgerError::Refused(format!("the journal stays {mode}")));
    }
    connection.pragma_update(None, "page_size", SMALL)?;
    file::create(new).map_err(|error| cannot(new, &error))?;
    connection.execute("VACUUM INTO ?1", [name])?;
    sync_file(new).map_err(|error| cannot(new, &error))
}
