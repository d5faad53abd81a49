//! Ouvrir un grand livre : le trouver, prendre son verrou, le relire en entier, puis seulement le changer.
//!
//! Invariant : une base refusée reste comme elle était, à l'octet près, journal compris ; rien n'est repris, ni commencé,
//! tant que tout n'est pas en ordre. Un refus dit ce qui est là, ce que cela veut dire, et quoi faire.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::examination::{self, Found, Writer, found, own_journal};
use super::file::{LedgerFile, cannot, folder_of};
use super::lock::{Borrowed, Lock};
use super::place::Place;
use super::soundness::{self, Origin};
use super::{Db, Ledger, LedgerError, LedgerThread};
use super::{account, birth, journal, pages, schema};
use crate::domain::moment::Moment;
use crate::domain::money::Eur;

/// Réglages mesurés pour un Pi : peu de cache, rien en mémoire partagée, tout au disque, de petites pages ([`pages`]).
/// Le journal revient dans la base à son heure ([`super::keeper`]) ; ici, seulement ce qui ne l'attend pas.
const PRAGMAS: &str = "
    PRAGMA page_size = 1024;
    PRAGMA foreign_keys = OFF;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -512;
    PRAGMA mmap_size = 0;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 512;
    PRAGMA busy_timeout = 5000;
";

/// Ouvre la base à `path`, la crée ou la reprend. `mode` est `dry_run` ou `live` : une base ne sert
/// qu'à un seul. `initial` n'est compté qu'à la création.
///
/// # Errors
/// Quand un autre s'en sert, qu'elle est abîmée, à un autre programme, ou qu'il n'en reste que des traces.
pub fn open(
    path: &Path,
    mode: &str,
    initial: Eur,
    now: Moment,
) -> Result<(Ledger, LedgerThread), LedgerError> {
    let settle = |connection| settled(connection, mode, initial, now);
    let opened = prepare(path, settle);
    let (db, place, lock) = opened.map_err(|error| explained(path, error))?;
    Ledger::on_a_thread(db, place, lock).map_err(|error| explained(path, cannot(path, &error)))
}

fn prepare(
    path: &Path,
    settle: impl Fn(Connection) -> Result<Db, LedgerError>,
) -> Result<(Db, Place, Lock), LedgerError> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    let file = LedgerFile::at(path)?;
    let Some(lock) = Lock::take(&file)? else {
        return Err(LedgerError::Refused(format!(
            "another calvalot already uses {}: stop it first; a second one needs a DB_PATH of its own",
            path.display()
        )));
    };
    file.tighten();
    if found(&file, Writer::Nobody)? == Found::Nothing {
        birth::give(&file, &settle)?;
    }
    let mut db = settle(reopen(&file)?)?;
    if pages::are_large(&db.connection)? {
        drop(db);
        match pages::rebuild(&file) {
            Ok(()) => log::info!("ledger_rebuilt page_size={}", pages::SMALL),
            Err(error) => log::warn!("ledger_not_rebuilt reason={error}"),
        }
        db = settle(reopen(&file)?)?;
    }
    lock.remember(&file)?;
    let place = Place::of(file).map_err(|error| cannot(path, &error))?;
    Ok((db, place, lock))
}

/// Pour écrire une base qui est là : si elle vient de disparaître, elle n'est pas refaite.
fn reopen(file: &LedgerFile) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(file.path(), flags)?)
}

/// Amène la base à aujourd'hui, d'un coup ou pas du tout.
pub(super) fn settled(
    connection: Connection,
    mode: &str,
    initial: Eur,
    now: Moment,
) -> Result<Db, LedgerError> {
    connection.execute_batch(PRAGMAS)?;
    connection.pragma_update(None, "journal_size_limit", journal::LEFT as i64)?;
    let mut db = Db::of(connection);
    let transaction = db.transaction()?;
    schema::migrate(&transaction)?;
    schema::index(&transaction)?;
    account::settle(&transaction, mode, initial, now)?;
    journal::turn(&transaction)?;
    transaction.commit()?;
    // Éteintes jusqu'ici : une migration peut refaire une table que d'autres désignent.
    db.connection.execute_batch("PRAGMA foreign_keys = ON")?;
    db.changes.follow(&mut db.connection)?;
    Ok(db)
}

/// Regarde la base à `path` sans rien y écrire, même quand le démon s'en sert ; `None` s'il n'y en a pas
/// encore à nous (aucun fichier, ou une base du programme Python ou d'une version d'avant, pas encore reprise).
pub fn look(path: &Path) -> Result<Option<Db>, LedgerError> {
    Ok(seen(path)?.filter(|seen| seen.origin == Origin::Current).map(|seen| seen.db))
}

/// De même, quelle que soit la base ; ce qui ne se lit pas est dit comme un démarrage le dirait, avec quoi faire.
pub(super) fn seen(path: &Path) -> Result<Option<Seen>, LedgerError> {
    see(&LedgerFile::at(path)?).map_err(|error| match (error, examination::examine(path)) {
        (LedgerError::Storage(_), Err(unfit @ LedgerError::Unfit { .. })) => unfit,
        (error, _) => error,
    })
}

/// Une base regardée.
pub(super) struct Seen {
    pub db: Db,
    pub origin: Origin,
    /// Personne ne se met à l'écrire tant qu'on la regarde, si personne ne l'écrivait.
    _lock: Option<Lock>,
}

/// De même, quelle que soit la base ; `None` s'il n'y a pas de fichier.
pub(super) fn see(file: &LedgerFile) -> Result<Option<Seen>, LedgerError> {
    // Un fichier vide n'est pas ouvert : SQLite supprimerait le journal qui est à côté.
    if file.size()? == 0 {
        return Ok(None);
    }
    let (lock, written) = match Lock::borrow(file) {
        Borrowed::Busy => (None, true),
        Borrowed::Free(lock) => {
            own_journal(file)?;
            (lock, false)
        }
    };
    // Sans journal personne n'écrit : la base est lue telle quelle, sans qu'un journal vide soit posé à côté.
    let connection = if written || file.journal().exists() {
        Connection::open_with_flags(file.path(), OpenFlags::SQLITE_OPEN_READ_ONLY)?
    } else {
        soundness::open_alone(file.path())?
    };
    connection.execute_batch("PRAGMA busy_timeout = 5000")?;
    let origin = soundness::origin(&connection)?;
    Ok(Some(Seen { db: Db::of(connection), origin, _lock: lock }))
}

/// De quoi réparer ce qui n'a pas pu se lire ou s'écrire.
fn explained(path: &Path, error: LedgerError) -> LedgerError {
    match error {
        LedgerError::Storage(reason) => {
            // Un fichier qui est là n'attend que des droits : un autre DB_PATH ferait un grand livre neuf.
            let mounted = rustix::fs::statvfs(path)
                .is_ok_and(|disk| !disk.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
            let reason = of_a_full_disk(path, &reason).unwrap_or(reason);
            let remedy = if mounted && is_of_rights(&reason) { RIGHTS } else { remedy(&reason) };
            LedgerError::Storage(format!("{}: {reason}; {remedy}", path.display()))
        }
        error => error,
    }
}

const RIGHTS: &str = "let the user that runs calvalot read and write it (chown, or chmod u+rw)";

/// Vrai si ces mots, d'un fichier d'un disque qui s'écrit, ne parlent que de ses droits.
fn is_of_rights(reason: &str) -> bool {
    says(reason, &["Permission denied", "unable to open", "readonly"])
}

/// Quoi faire d'une base qui ne s'ouvre pas, d'après les mots du système ou de SQLite.
fn remedy(reason: &str) -> &'static str {
    disk_remedy(reason).unwrap_or_else(|| {
        if says(reason, &["Permission denied", "unable to open"]) {
            "let the user that runs calvalot read and write there, or set another DB_PATH"
        } else if says(reason, &["resource busy", "Resource busy"]) {
            "mount its folder, not the file alone: SQLite keeps other files beside it"
        } else {
            "put a good copy there, or set another DB_PATH"
        }
    })
}

/// Quoi faire d'un disque qui ne veut pas de ce qui s'écrit, une base ouverte comprise.
pub(super) fn disk_remedy(reason: &str) -> Option<&'static str> {
    if says(reason, &["No space left", "disk is full"]) {
        Some("make room on this disk")
    } else if says(reason, &["Read-only file system", "readonly"]) {
        Some(
            "mount it for writing; an SD card that makes itself read-only is worn out: copy data/ from it, replace it",
        )
    } else if says(reason, BROKEN) {
        Some("this disk does not take what is written: copy data/ from it, check it, replace it")
    } else {
        None
    }
}

/// Ce que disent SQLite et le système d'un disque qui n'écrit pas ; SQLite le dit aussi d'un disque plein, selon le fichier.
const BROKEN: &[&str] = &["disk I/O error", "Input/output error"];

/// Ce qu'il faut dire à la place de `reason` quand le disque de la base à `path` n'a simplement plus de place.
pub(super) fn of_a_full_disk(path: &Path, reason: &str) -> Option<String> {
    let is_full = says(reason, BROKEN) && is_full(folder_of(path));
    is_full.then(|| format!("the disk is full ({reason})"))
}

fn is_full(folder: &Path) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|disk| has_no_room(&disk))
}

/// Vrai s'il n'y a plus de quoi faire un fichier de rien du tout ; un disque qui ne compte pas sa place n'en dit rien.
fn has_no_room(disk: &rustix::fs::StatVfs) -> bool {
    let without_names = disk.f_files > 0 && disk.f_favail == 0;
    without_names || disk.f_blocks > 0 && disk.f_bavail.saturating_mul(disk.f_frsize) < LEAST_ROOM
}

/// L'index d'un journal et quelques pages : au-dessous, SQLite n'ouvre rien.
const LEAST_ROOM: u64 = 64 << 10;

fn says(reason: &str, words: &[&str]) -> bool {
    words.iter().any(|word| reason.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_not_told_as_a_broken_one_nor_a_broken_one_as_full() {
        let disk = |blocks, free, names, free_names| {
            let mut disk = rustix::fs::statvfs("/").expect("a disk");
            (disk.f_frsize, disk.f_blocks, disk.f_bavail) = (4096, blocks, free);
            (disk.f_files, disk.f_favail) = (names, free_names);
            disk
        };
        let cases = [
            (disk(1000, 0, 100, 50), true),
            (disk(1000, 15, 100, 50), true),
            (disk(1000, 16, 100, 50), false),
            (disk(1000, 500, 100, 0), true),
            (disk(1000, 500, 0, 0), false),
            (disk(0, 0, 0, 0), false),
        ];
        for (disk, expected) in cases {
            let room = (disk.f_blocks, disk.f_bavail, disk.f_files, disk.f_favail);
            assert_eq!(has_no_room(&disk), expected, "{room:?}");
        }
        let path = std::env::temp_dir().join("a.db");
        assert_eq!(of_a_full_disk(&path, "disk I/O error"), None, "there is room");
        assert_eq!(of_a_full_disk(&path, "database disk image is malformed"), None);
        assert_eq!(disk_remedy("the disk is full (disk I/O error)"), Some("make room on this disk"));
        assert!(disk_remedy("disk I/O error").is_some_and(|remedy| remedy.ends_with("replace it")));
    }

    #[test]
    fn a_file_that_is_only_not_writable_is_no_worn_card_and_no_reason_for_another_ledger() {
        let path = std::env::temp_dir().join(format!("calvalot-rights-{}", std::process::id()));
        fs::write(&path, "a ledger").expect("a file");
        for reason in ["attempt to write a readonly database", "unable to open database file"] {
            let told = explained(&path, LedgerError::Storage(reason.to_owned())).to_string();
            assert!(told.contains("read and write it (chown"), "{told}");
            assert!(!told.contains("SD card") && !told.contains("DB_PATH"), "{told}");
        }
        fs::remove_file(&path).expect("it is ours");
        let told =
            explained(&path, LedgerError::Storage("unable to open database file".to_owned())).to_string();
        assert!(told.contains("DB_PATH"), "{told}");
    }
}
