//! Ce qui est d'autrui au compte, tel que nos trades l'ont changé : écrit avec eux.

use rusqlite::{Connection, params};

use super::{Db, LedgerError, seal};
use crate::domain::others::Others;

/// Compte ce qu'un trade de plus leur a pris, ou donné.
pub(super) fn add(connection: &Connection, more: &Others) -> Result<(), LedgerError> {
    if more.is_empty() {
        return Ok(());
    }
    let before = all(connection)?;
    for (asset, quantity) in more.iter() {
        seal::change(connection, &seal::OF_OTHERS, asset, |connection| {
            connection.execute(
                "INSERT INTO of_others (asset, quantity) VALUES (?1, ?2)
                 ON CONFLICT (asset) DO UPDATE SET quantity = ?2",
                params![asset, before.of(asset) + quantity],
            )
        })?;
    }
    Ok(())
}

pub(super) fn all(connection: &Connection) -> Result<Others, LedgerError> {
    let mut statement = connection.prepare("SELECT asset, quantity FROM of_others")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Db {
    /// Ce que nos ordres ont pris, ou donné, à la part du compte qui n'est pas aux livres.
    pub fn of_others(&self) -> Result<Others, LedgerError> {
        all(&self.connection)
    }
}
