//! Une copie du grand livre, et sa remise en place.
//!
//! Une copie est la base d'un seul instant, en un seul fichier, démon en marche ou non. Remettre est atomique : coupé
//! n'importe où, il y a là l'ancienne base ou la nouvelle, entière.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{Db, LedgerError, lock_of, look};

/// Copie la base `from` dans le fichier neuf `to`, lisible de son seul propriétaire et rendu au disque ; rend faux s'il
/// n'y a pas là de base à nous.
pub fn copy(from: &Path, to: &Path) -> Result<bool, LedgerError> {
    // Démon arrêté, il ne démarrera pas pendant la lecture. Le verrou n'est pas créé : il serait à qui copie.
    let lock = OpenOptions::new().write(true).open(lock_of(from)).ok();
    let _held = lock.filter(|lock| lock.try_lock().is_ok());
    let Some(db) = look(from)? else { return Ok(false) };
    let written = write(&db, to);
    if written.is_err() && to.exists() {
        fs::remove_file(to).map_err(|error| cannot(to, &error))?;
    }
    written.map(|()| true)
}

fn write(db: &Db, to: &Path) -> Result<(), LedgerError> {
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let file = created.map_err(|error| cannot(to, &error))?;
    let name = to.to_str().ok_or_else(|| LedgerError::Refused(format!("{to:?} is not UTF-8")))?;
    db.connection.execute("VACUUM INTO ?1", [name])?;
    file.sync_all().and_then(|()| sync_folder(to)).map_err(|error| cannot(to, &error))
}

/// Met la base `new`, un fichier entier qui y laisse son nom, à la place de celle à `path`, dont il n'est rien gardé.
///
/// # Errors
/// Quand un démon se sert de celle-ci, ou que le disque ne veut pas ; rien n'a alors changé de place.
pub fn replace(path: &Path, new: &Path) -> Result<(), LedgerError> {
    let lock = File::create(lock_of(path)).map_err(|error| cannot(path, &error))?;
    if lock.try_lock().is_err() {
        return Err(LedgerError::Refused(format!("calvalot uses {}: stop it first", path.display())));
    }
    if path.exists() && !forgets_its_journal(path) {
        // Illisible, elle ne peut pas vider son journal ; laissé là, il serait pris pour celui de la nouvelle.
        for suffix in ["-wal", "-shm"] {
            let journal = beside(path, suffix);
            if journal.exists() {
                fs::remove_file(&journal).map_err(|error| cannot(&journal, &error))?;
            }
        }
    }
    fs::rename(new, path).and_then(|()| sync_folder(path)).map_err(|error| cannot(path, &error))
}

/// Ramène dans la base ce que son journal contient, et supprime celui-ci.
fn forgets_its_journal(path: &Path) -> bool {
    let mode = Connection::open(path).and_then(|connection| {
        connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0))
    });
    mode.is_ok_and(|mode| mode == "delete") && !beside(path, "-wal").exists()
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.into();
    name.push(suffix);
    name.into()
}

pub(super) fn sync_file(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

pub(super) fn cannot(path: &Path, error: &io::Error) -> LedgerError {
    LedgerError::Storage(format!("{}: {error}", path.display()))
}
