//! L'histoire de la valeur et celle des retraits.

use std::time::Duration;

use rusqlite::params;

use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Rate, Usdc};
use crate::ledger::{Db, LedgerError};

/// Un relevé de valeur.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub id: i64,
    pub total_eur: Eur,
    pub coins_usdc: Usdc,
    pub cash_usdc: Usdc,
    pub deposited_eur: Eur,
    pub at: Moment,
}

/// Un retrait.
#[derive(Clone, Debug)]
pub struct Withdrawal {
    pub id: i64,
    pub requested: Eur,
    pub sold: Usdc,
    pub received: Eur,
    pub rate: Option<Rate>,
    pub positions_sold: String,
    pub status: String,
    pub simulated: bool,
    pub at: Moment,
}

impl Db {
    /// Les relevés des `period` derniers temps (tous si `None`), du plus récent au plus ancien, au
    /// plus `limit` : au-delà, un par intervalle égal, sur toute la durée.
    pub fn snapshots(
        &self,
        period: Option<Duration>,
        limit: u32,
        now: Moment,
    ) -> Result<Vec<Snapshot>, LedgerError> {
        let start = period.map_or(Moment(0), |period| now.minus(period));
        let (count, first, last): (i64, Option<i64>, Option<i64>) = self.connection.query_row(
            "SELECT count(*), min(at), max(at) FROM snapshots WHERE at > ?1",
            [start],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let (first, last) = (first.unwrap_or(0), last.unwrap_or(0));
        let slot = if count <= i64::from(limit) { 0 } else { (last - first) / i64::from(limit) + 1 };
        let mut statement = self.connection.prepare_cached(
            "SELECT id, total_eur, coins_usdc, cash_usdc, deposited_eur, at FROM snapshots
             WHERE at > ?1 AND (?2 = 0 OR id IN
                 (SELECT max(id) FROM snapshots WHERE at > ?1 GROUP BY (at - ?3) / max(?2, 1)))
             ORDER BY at DESC, id DESC LIMIT ?4",
        )?;
        let rows = statement.query_map(params![start, slot, first, limit], |row| {
            Ok(Snapshot {
                id: row.get(0)?,
                total_eur: row.get(1)?,
                coins_usdc: row.get(2)?,
                cash_usdc: row.get(3)?,
                deposited_eur: row.get(4)?,
                at: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Les retraits, du plus récent au plus ancien ; tous si `limit` est `None`.
    pub fn withdrawals(&self, limit: Option<u32>) -> Result<Vec<Withdrawal>, LedgerError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, requested_eur, sold_usdc, received_eur, rate, positions_sold, status, simulated, at
             FROM withdrawals ORDER BY id DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([limit.map_or(-1, i64::from)], |row| {
            Ok(Withdrawal {
                id: row.get(0)?,
                requested: row.get(1)?,
                sold: row.get(2)?,
                received: row.get(3)?,
                rate: row.get(4)?,
                positions_sold: row.get(5)?,
                status: row.get(6)?,
                simulated: row.get(7)?,
                at: row.get(8)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
