//! Les retraits, et ce qui leur est mis de côté.

use rusqlite::{Connection, OptionalExtension, Row};

use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Quantity, Rate, Usdc};
use crate::domain::withdrawal::Stage;
use crate::ledger::{Db, LedgerError};

/// Un retrait.
#[derive(Clone, Debug)]
pub struct Withdrawal {
    pub id: i64,
    pub requested: Eur,
    /// Ce que ses ventes ont rendu jusqu'ici, frais ôtés.
    pub sold: Usdc,
    pub received: Eur,
    pub rate: Option<Rate>,
    pub positions_sold: String,
    pub status: String,
    pub simulated: bool,
    pub at: Moment,
    /// Ce qui reste à prendre.
    pub set_aside: Usdc,
    pub taken: Usdc,
    /// Ce qui est voulu ; `None` si c'est tout, et d'un retrait du programme Python.
    pub wanted: Option<Usdc>,
    pub ended_at: Option<Moment>,
    /// Ce qu'il attend avant d'être mis de côté, s'il attend.
    pub waiting_for: Option<String>,
    /// Ouvert : il peut être révoqué.
    pub open: bool,
    /// La ligne du signal qui le mène ; `None` d'un retrait du programme Python.
    signal: Option<i64>,
}

const COLUMNS: &str =
    "id, requested_eur, sold_usdc, received_eur, rate, positions_sold, status, simulated, at,
    coalesce(set_aside_usdc, '0'), coalesce(taken_usdc, '0'), wanted_usdc, ended_at, signal";

impl Db {
    /// Les retraits, du plus récent au plus ancien ; tous si `limit` est `None`.
    pub fn withdrawals(&self, limit: Option<u32>) -> Result<Vec<Withdrawal>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM withdrawals ORDER BY id DESC LIMIT ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([limit.map_or(-1, i64::from)], withdrawal)?;
        rows.map(|row| selling(&self.connection, row?)).collect()
    }

    /// Le retrait `id`, s'il existe.
    pub fn withdrawal(&self, id: i64) -> Result<Option<Withdrawal>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM withdrawals WHERE id = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let kept = statement.query_row([id], withdrawal).optional()?;
        kept.map(|withdrawal| selling(&self.connection, withdrawal)).transpose()
    }

    /// Ce qui est mis de côté et pas encore parti.
    pub fn set_aside(&self) -> Result<Usdc, LedgerError> {
        Ok(open(&self.connection)?.map_or(Usdc::ZERO, |open| open.set_aside))
    }
}

/// Ce qu'un retrait ouvert garde du cash `booked`, réuni ou pas encore ; jamais plus qu'il n'y en a de réuni.
pub(in crate::ledger) fn aside(connection: &Connection, booked: Usdc) -> Result<Usdc, LedgerError> {
    Ok(open(connection)?.map_or(Usdc::ZERO, |open| match Stage::from_word(&open.status) {
        Some(Stage::Selling) => open.wanted.unwrap_or(booked),
        _ => open.set_aside.min(booked).max(Usdc::ZERO),
    }))
}

/// Ce que les ventes faites pour ce signal ont rendu, et de quoi, en JSON.
pub(in crate::ledger) fn sold(connection: &Connection, signal: i64) -> Result<(Usdc, String), LedgerError> {
    let mut statement = connection.prepare(
        "SELECT trades.coin, trades.quantity, trades.amount, trades.fee_cash FROM trades
         JOIN intents ON intents.id = trades.intent WHERE intents.signal = ?1 ORDER BY trades.id",
    )?;
    let mut rows = statement.query([signal])?;
    let (mut sold, mut positions) = (Usdc::ZERO, Vec::new());
    while let Some(row) = rows.next()? {
        let (coin, quantity): (String, Quantity) = (row.get(0)?, row.get(1)?);
        let (amount, fee): (Usdc, Usdc) = (row.get(2)?, row.get(3)?);
        sold += amount - fee;
        positions.push(format!(r#"{{"coin":"{coin}","quantity":{quantity},"amount_usdt":{amount}}}"#));
    }
    Ok((sold, format!("[{}]", positions.join(","))))
}

/// Le même, avec ce que ses ventes ont déjà rendu, qui ne s'y écrit qu'une fois fini, et ce qu'il attend.
fn selling(connection: &Connection, mut withdrawal: Withdrawal) -> Result<Withdrawal, LedgerError> {
    if let (Some(Stage::Selling), Some(signal)) = (Stage::from_word(&withdrawal.status), withdrawal.signal) {
        (withdrawal.sold, withdrawal.positions_sold) = sold(connection, signal)?;
        // Avant son premier tour, ce qui ferme l'échange est déjà ce qu'il attend.
        let sql = "SELECT coalesce(waiting_for, (SELECT closed FROM exchange)) FROM signals
                   WHERE id = ?1 AND status = 'received'";
        withdrawal.waiting_for =
            connection.prepare_cached(sql)?.query_row([signal], |row| row.get(0)).optional()?.flatten();
    }
    Ok(withdrawal)
}

/// Le retrait ouvert : un au plus.
fn open(connection: &Connection) -> Result<Option<Withdrawal>, LedgerError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM withdrawals WHERE signal IS NOT NULL AND status IN ('selling', 'set_aside')"
    );
    Ok(connection.prepare_cached(&sql)?.query_row([], withdrawal).optional()?)
}

fn withdrawal(row: &Row) -> rusqlite::Result<Withdrawal> {
    let status: String = row.get(6)?;
    let signal: Option<i64> = row.get(13)?;
    let open = signal.is_some() && Stage::from_word(&status).is_some_and(Stage::is_open);
    let (set_aside, taken): (Usdc, Usdc) = (row.get(9)?, row.get(10)?);
    Ok(Withdrawal {
        id: row.get(0)?,
        requested: row.get(1)?,
        sold: row.get(2)?,
        received: row.get(3)?,
        rate: row.get(4)?,
        positions_sold: row.get(5)?,
        status,
        simulated: row.get(7)?,
        at: row.get(8)?,
        set_aside: if open { set_aside - taken } else { Usdc::ZERO },
        taken,
        wanted: row.get(11)?,
        ended_at: row.get(12)?,
        waiting_for: None,
        open,
        signal,
    })
}
