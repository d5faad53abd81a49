//! Les exécutions de nos intentions, relues du grand livre avec leurs frais.

use rusqlite::{Connection, Row};

use super::{LedgerError, fees};
use crate::domain::book::{Fees, Fill};

/// Une exécution, son numéro et celui de son intention.
pub(super) struct Trade {
    pub id: i64,
    pub intent: i64,
    pub fill: Fill,
}

/// Les exécutions de nos intentions ; les trades repris sont dans ce que l'ancienne
/// base apportait.
pub(super) fn all(connection: &Connection) -> Result<Vec<Trade>, LedgerError> {
    let sql = format!(
        "SELECT {COLUMNS}, trades.intent, trades.id FROM trades WHERE intent IS NOT NULL ORDER BY id"
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| {
        Ok(Trade { id: row.get(COUNT + 1)?, intent: row.get(COUNT)?, fill: read(row)? })
    })?;
    let mut trades: Vec<Trade> = rows.collect::<Result<_, _>>()?;
    let mut apart = fees::between(connection, 0, i64::MAX)?;
    for trade in &mut trades {
        trade.fill.fees.apart = apart.remove(&trade.id).unwrap_or_default();
    }
    Ok(trades)
}

/// Les colonnes d'une exécution, dans l'ordre où [`read`] les lit ; ses frais notés à part n'en sont pas.
pub(super) const COLUMNS: &str = "trades.coin, trades.side, trades.quantity, trades.price, trades.amount, trades.fee_coin, \
                               trades.fee_cash, trades.fee_bnb, trades.bnb_price";
pub(super) const COUNT: usize = 9;

pub(super) fn read(row: &Row) -> rusqlite::Result<Fill> {
    let (coin, usdc, bnb, bnb_price) = (row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?);
    let fees = Fees { coin, usdc, bnb, bnb_price, apart: Vec::new() };
    Ok(Fill {
        coin: row.get(0)?,
        side: row.get(1)?,
        quantity: row.get(2)?,
        price: row.get(3)?,
        amount: row.get(4)?,
        fees,
    })
}
