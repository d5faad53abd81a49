//! Les trades, tels qu'ils ont été faits.

use rusqlite::params;

use crate::domain::book::Fees;
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::{Price, Quantity, Usdc};
use crate::domain::order::Side;
use crate::ledger::views::Selection;
use crate::ledger::{Db, LedgerError, fees};

/// Un trade, tel qu'il est au grand livre.
#[derive(Clone, Debug)]
pub struct Trade {
    pub id: i64,
    /// L'intention dont il vient ; `None` s'il est repris de l'ancienne base.
    pub intent: Option<i64>,
    pub coin: Coin,
    pub side: Side,
    pub amount: Usdc,
    pub price: Price,
    pub quantity: Quantity,
    pub fees: Fees,
    /// Ce que l'on en connaît en USDC.
    pub fee_usdc: Usdc,
    pub signal_id: Option<String>,
    pub simulated: bool,
    pub at: Moment,
}

impl Db {
    /// Les trades choisis, du plus récent au plus ancien.
    pub fn trades(&self, selection: &Selection) -> Result<Vec<Trade>, LedgerError> {
        let Selection { limit, before, coin, signal } = selection;
        self.trades_where(
            "(?2 IS NULL OR id < ?2) AND (?3 IS NULL OR coin = ?3) AND (?4 IS NULL OR signal_id = ?4)
             ORDER BY id DESC LIMIT ?1",
            params![limit, before, coin, signal],
        )
    }

    /// Les trades d'un signal, du plus ancien au plus récent.
    pub fn trades_of(&self, signal_id: &str) -> Result<Vec<Trade>, LedgerError> {
        self.trades_where("signal_id = ?1 ORDER BY id", params![signal_id])
    }

    fn trades_where(&self, clause: &str, params: impl rusqlite::Params) -> Result<Vec<Trade>, LedgerError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT id, coin, side, amount, price, quantity, fee_coin, fee_cash, fee_bnb, bnb_price, fee_usdc,
                 signal_id, simulated, at, intent
             FROM trades WHERE {clause}"
        ))?;
        let rows = statement.query_map(params, |row| {
            Ok(Trade {
                id: row.get(0)?,
                intent: row.get(14)?,
                coin: row.get(1)?,
                side: row.get(2)?,
                amount: row.get(3)?,
                price: row.get(4)?,
                quantity: row.get(5)?,
                fees: Fees {
                    coin: row.get(6)?,
                    usdc: row.get(7)?,
                    bnb: row.get(8)?,
                    bnb_price: row.get(9)?,
                    apart: Vec::new(),
                },
                fee_usdc: row.get(10)?,
                signal_id: row.get(11)?,
                simulated: row.get(12)?,
                at: row.get(13)?,
            })
        })?;
        let mut trades: Vec<Trade> = rows.collect::<Result<_, _>>()?;
        let ids = || trades.iter().map(|trade| trade.id);
        if let Some((first, last)) = ids().min().zip(ids().max()) {
            let mut apart = fees::between(&self.connection, first, last)?;
            for trade in &mut trades {
                trade.fees.apart = apart.remove(&trade.id).unwrap_or_default();
            }
        }
        Ok(trades)
    }
}
