//! Ce qu'il y a là où un grand livre doit être, relu en entier avant que rien n'y change.
//!
//! Ce qui n'est ni un grand livre entier, ni un endroit où il n'y en eut jamais, est refusé : ce qui est là, ce que cela
//! veut dire, et quoi faire. N'écrit rien.

use std::fs;
use std::path::Path;

use super::file::{LedgerFile, cannot};
use super::lock::{Borrowed, Lock};
use super::soundness::{self, Origin, Unsound};
use super::{LedgerError, copies, journal, past};

/// Ce qu'il y a là où la base doit être.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Rien, et rien n'y fut : le premier démarrage en fait une.
    Nothing,
    /// Une base d'une version d'avant, ou du programme Python : le premier démarrage la reprend.
    Older,
    Current,
}

/// Si quelqu'un écrit la base pendant qu'elle est relue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    Nobody,
    Another,
}

/// Octets : aucune base n'est plus petite qu'une page, ni une page que cela.
const SMALLEST: u64 = 512;

/// Relit la base à `path`, même quand le démon s'en sert.
///
/// # Errors
/// Dans les mots de [`super::open`], quand un démarrage la refuserait.
pub fn examine(path: &Path) -> Result<Found, LedgerError> {
    let file = LedgerFile::at(path)?;
    match Lock::borrow(&file) {
        Borrowed::Busy => found(&file, Writer::Another),
        Borrowed::Free(_lock) => found(&file, Writer::Nobody),
    }
}

/// Relit la base de `file`.
pub(super) fn found(file: &LedgerFile, writer: Writer) -> Result<Found, LedgerError> {
    let origin = match file.size()? {
        0 => Origin::Nobody,
        // SQLite tient un fichier d'un octet pour vide.
        size if size < SMALLEST => return Err(damaged(file, &format!("only {size} bytes are left"))),
        _ => origin(file, writer)?,
    };
    match origin {
        Origin::Current => Ok(Found::Current),
        Origin::Older | Origin::Python => Ok(Found::Older),
        Origin::Stranger => Err(LedgerError::Unfit {
            found: format!("{} is the database of another program", file.named().display()),
            remedy: "it is left as it is: set another DB_PATH".to_owned(),
        }),
        Origin::Nobody => without_past(file),
    }
}

/// De qui est la base, si elle est entière.
fn origin(file: &LedgerFile, writer: Writer) -> Result<Origin, LedgerError> {
    if writer == Writer::Nobody {
        own_journal(file)?;
    }
    match soundness::read(file) {
        Ok(origin) => Ok(origin),
        Err(Unsound::Unread(error)) => Err(error),
        // Un journal d'une version d'avant n'a pas de numéro : ce qu'il abîme le dénonce.
        Err(Unsound::Damaged(_)) if writer == Writer::Nobody && is_sound_alone(file) => Err(mixed(file)),
        Err(Unsound::Damaged(damage)) => Err(damaged(file, &damage)),
    }
}

fn damaged(file: &LedgerFile, how: &str) -> LedgerError {
    let shown = file.named().display();
    LedgerError::Unfit {
        found: format!(
            "{shown} is damaged ({how}): nothing is traded from it, and nothing was changed in it"
        ),
        remedy: format!(
            "{}, which keeps this one aside; or set another DB_PATH",
            copies::remedy(file.named())
        ),
    }
}

fn is_sound_alone(file: &LedgerFile) -> bool {
    let filled = fs::metadata(file.journal()).is_ok_and(|journal| journal.len() > 0);
    filled && soundness::read_alone(file.path()).is_ok_and(Origin::is_ours)
}

/// Refuse le journal d'une autre base à côté de celle-ci, que personne n'écrit.
pub(super) fn own_journal(file: &LedgerFile) -> Result<(), LedgerError> {
    match journal::is_of_another(file) {
        Ok(false) => Ok(()),
        Ok(true) => Err(mixed(file)),
        Err(error) => Err(cannot(&file.shown(&file.journal()), &error)),
    }
}

fn mixed(file: &LedgerFile) -> LedgerError {
    let (shown, journal) = (file.named().display(), file.shown(&file.journal()));
    let (journal, index) = (journal.display(), file.shown(&file.index()));
    LedgerError::Unfit {
        found: format!(
            "{journal} holds the last writes of another ledger than {shown}, which was put in its place since: the two would be \
             read as one and mixed up"
        ),
        remedy: format!(
            "{}, which keeps both aside; or, when {shown} is the copy you want, move {journal} and {} away",
            copies::remedy(file.named()),
            index.display()
        ),
    }
}

/// Un endroit vide n'est un commencement que si rien n'y fut.
fn without_past(file: &LedgerFile) -> Result<Found, LedgerError> {
    let traces = past::traces(file);
    if traces.is_empty() {
        return Ok(Found::Nothing);
    }
    let how = if file.path().exists() { "is empty" } else { "is not there" };
    Err(LedgerError::Unfit {
        found: format!(
            "{} {how}, and a ledger was here: {}; a new one would invest the whole budget again",
            file.named().display(),
            traces.join(", ")
        ),
        remedy: format!(
            "{}; or, to begin anew on purpose, move away what is named here or set another DB_PATH",
            copies::remedy(file.named())
        ),
    })
}
