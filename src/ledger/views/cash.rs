//! Le cash libre au grand livre.

use rusqlite::Connection;

use super::{holdings, withdrawals};
use crate::domain::cash::Cash;
use crate::domain::money::Usdc;
use crate::ledger::{Db, LedgerError};

/// Ce que les achats dont l'issue n'est pas connue dépenseraient.
fn reserved(connection: &Connection) -> Result<Usdc, LedgerError> {
    let sql = "SELECT spend FROM intents WHERE state IN ('sent', 'unknown', 'stuck') AND spend IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let spent = statement.query_map([], |row| row.get::<_, Usdc>(0))?;
    Ok(spent.collect::<Result<Vec<_>, _>>()?.into_iter().sum())
}

/// Le cash et ce qui en est réservé ; `None` tant que l'ouverture n'est pas comptée.
pub(in crate::ledger) fn cash(connection: &Connection) -> Result<Option<Cash>, LedgerError> {
    let Some(holdings) = holdings(connection)? else { return Ok(None) };
    let (booked, reserved) = (holdings.cash, reserved(connection)?);
    Ok(Some(Cash { booked, reserved, aside: withdrawals::aside(connection, booked)? }))
}

impl Db {
    /// Le cash et ce qui en est réservé ; `None` tant que l'ouverture n'est pas comptée.
    pub fn cash(&self) -> Result<Option<Cash>, LedgerError> {
        cash(&self.connection)
    }
}
