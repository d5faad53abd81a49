//! Les ordres du compte qui ne sont pas les nôtres : retenus pour être montrés, jamais touchés ni comptés.

use rusqlite::{OptionalExtension, params};

use super::{Db, LedgerError};
use crate::domain::execution::Report;
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::{Quantity, Usdc};
use crate::domain::order::Side;

/// Un ordre qui n'est pas le nôtre.
#[derive(Clone, Debug)]
pub struct ForeignOrder {
    pub coin: Coin,
    pub order_id: i64,
    pub client_id: String,
    pub side: Side,
    pub executed: Quantity,
    pub amount: Option<Usdc>,
    pub at: Moment,
}

impl Db {
    /// Le dernier ordre vu de cette paire ; `None` avant le premier balayage.
    pub fn order_mark(&self, coin: Coin) -> Result<Option<i64>, LedgerError> {
        let sql = "SELECT order_id FROM order_marks WHERE coin = ?1";
        Ok(self.connection.query_row(sql, [coin], |row| row.get(0)).optional()?)
    }

    /// Retient qu'on a vu les ordres de cette paire jusqu'à `mark`, et ceux d'entre eux qui ne sont pas à nous.
    /// Rend combien n'étaient pas encore connus.
    pub fn keep_foreign(&mut self, coin: Coin, foreign: &[Report], mark: i64) -> Result<usize, LedgerError> {
        let transaction = self.transaction()?;
        let mut fresh = 0;
        for order in foreign {
            fresh += transaction.execute(
                "INSERT OR IGNORE INTO foreign_orders (coin, order_id, client_id, side, executed, amount, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    coin,
                    order.order_id,
                    order.client_id,
                    order.side,
                    order.executed,
                    order.amount,
                    order.at
                ],
            )?;
        }
        transaction.execute(
            "INSERT INTO order_marks (coin, order_id) VALUES (?1, ?2)
             ON CONFLICT (coin) DO UPDATE SET order_id = max(order_id, ?2)",
            params![coin, mark],
        )?;
        transaction.commit()?;
        Ok(fresh)
    }

    /// Les derniers ordres étrangers, du plus récent au plus ancien.
    pub fn foreign_orders(&self, limit: u32) -> Result<Vec<ForeignOrder>, LedgerError> {
        let mut statement = self.connection.prepare(
            "SELECT coin, order_id, client_id, side, executed, amount, at FROM foreign_orders
             ORDER BY at DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([limit], |row| {
            Ok(ForeignOrder {
                coin: row.get(0)?,
                order_id: row.get(1)?,
                client_id: row.get(2)?,
                side: row.get(3)?,
                executed: row.get(4)?,
                amount: row.get(5)?,
                at: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
