//! Le cash libre au grand livre, et ce que des ordres en doute ont peut-être déjà pris.

use rusqlite::Connection;

use super::{holdings, withdrawals};
use crate::domain::cash::Cash;
use crate::domain::market::Coin;
use crate::domain::money::{Quantity, Usdc};
use crate::domain::reconcile::Reserved;
use crate::ledger::{Db, LedgerError};

/// Ce que les ordres dont l'issue n'est pas connue prendraient : le cash des achats, les coins des ventes.
pub(in crate::ledger) fn reserved(connection: &Connection) -> Result<Reserved, LedgerError> {
    let sql = "SELECT coin, spend, quantity FROM intents WHERE state IN ('sent', 'unknown', 'stuck')";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut reserved = Reserved::default();
    while let Some(row) = rows.next()? {
        let (coin, spend, quantity): (Coin, Option<Usdc>, Option<Quantity>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        reserved.usdc += spend.unwrap_or_default();
        reserved.coins[coin] += quantity.unwrap_or_default();
    }
    Ok(reserved)
}

/// Le cash et ce qui en est réservé ; `None` tant que l'ouverture n'est pas comptée.
pub(in crate::ledger) fn cash(connection: &Connection) -> Result<Option<Cash>, LedgerError> {
    let Some(holdings) = holdings(connection)? else { return Ok(None) };
    let (booked, reserved) = (holdings.cash, reserved(connection)?.usdc);
    Ok(Some(Cash { booked, reserved, aside: withdrawals::aside(connection, booked)? }))
}

impl Db {
    /// Le cash et ce qui en est réservé ; `None` tant que l'ouverture n'est pas comptée.
    pub fn cash(&self) -> Result<Option<Cash>, LedgerError> {
        cash(&self.connection)
    }
}
