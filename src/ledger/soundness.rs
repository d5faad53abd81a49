//! Si un fichier est une base entière, et de qui : relu sans rien y écrire, avant que quoi que ce soit n'y soit changé.
//!
//! `quick_check` lit chaque page : une page perdue se voit au démarrage, pas le jour où un ordre en dépend. Un journal à
//! côté est lu avec la base, et reste où il est.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::file::LedgerFile;
use super::{LedgerError, legacy, schema};

/// De qui est une base entière.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// De nous, aujourd'hui.
    Current,
    /// De nous, d'une version d'avant.
    Older,
    Python,
    /// De personne : il n'y a pas une table.
    Nobody,
    Stranger,
}

impl Origin {
    pub fn is_ours(self) -> bool {
        matches!(self, Origin::Current | Origin::Older)
    }
}

/// Ce qui empêche de répondre.
pub(super) enum Unsound {
    /// Dans les mots de SQLite.
    Damaged(String),
    Unread(LedgerError),
}

impl From<LedgerError> for Unsound {
    fn from(error: LedgerError) -> Self {
        Unsound::Unread(error)
    }
}

impl From<rusqlite::Error> for Unsound {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Unsound::Damaged(error.to_string()),
            _ => Unsound::Unread(error.into()),
        }
    }
}

/// Relit toute cette base, son journal compris, que personne n'écrit.
pub(super) fn read(file: &LedgerFile) -> Result<Origin, Unsound> {
    if !file.journal().exists() && !file.rollback().exists() {
        let connection = open_alone(file.path())?;
        let origin = whole(&connection)?;
        let page: u32 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        // SQLite lit des zéros à la place de ce qui manque à la dernière page.
        if file.size()? % u64::from(page) != 0 {
            return Err(Unsound::Damaged("its last page is cut".to_owned()));
        }
        return Ok(origin);
    }
    // Pour écrire, mais rien ne l'est : un programme Python coupé laisse un journal que SQLite doit défaire.
    whole(&Connection::open_with_flags(file.path(), OpenFlags::SQLITE_OPEN_READ_WRITE)?)
}

/// De même, de la base seule, comme si elle n'avait pas de journal.
pub(super) fn read_alone(path: &Path) -> Result<Origin, Unsound> {
    whole(&open_alone(path)?)
}

/// De même, de ce qu'une connexion lit.
pub(super) fn whole(connection: &Connection) -> Result<Origin, Unsound> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(Unsound::Damaged(found.lines().collect::<Vec<_>>().join(" ")));
    }
    Ok(origin(connection)?)
}

/// La base à `path` en lecture seule et telle qu'elle est, sans journal ni verrou.
pub(super) fn open_alone(path: &Path) -> rusqlite::Result<Connection> {
    let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
}

/// De qui sont les tables ; refuse celles d'une version à venir.
pub(super) fn origin(connection: &Connection) -> Result<Origin, LedgerError> {
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
    let tables = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let has = |wanted: &[&str]| wanted.iter().all(|name| tables.iter().any(|table| table == name));
    let ours = has(&schema::FIRST_TABLES);
    if !ours && !tables.is_empty() {
        return Ok(if has(&legacy::TABLES) { Origin::Python } else { Origin::Stranger });
    }
    // Une base vide peut aussi être d'une version à venir.
    let current = schema::is_current(connection)?;
    Ok(match ours {
        true if current => Origin::Current,
        true => Origin::Older,
        false => Origin::Nobody,
    })
}
