//! La fin d'un tour, en une transaction : les lectures, le relevé, la survie, la perte que l'on s'est fixée, le pouls.
//!
//! Sans évaluation complète il n'y a ni relevé, ni pas vers la mort ou vers l'arrêt.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::{Db, LedgerError, flows, seal, stop_loss, survival, wishes};
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Price};
use crate::domain::portfolio::Valuation;

/// Les relevés plus vieux que cela sont réduits à un par heure.
pub(super) const FULL_DETAIL: Duration = Duration::from_secs(31 * 24 * 3600);

/// Tours entre deux réductions : environ un jour à deux minutes.
const THINNING_EVERY: i64 = 720;

/// La fin d'un tour : ce que les écrans en diront.
#[derive(Clone, Debug, Default)]
pub struct CycleRecord {
    pub outcome: &'static str,
    pub signal_id: Option<String>,
    pub trades: Option<u32>,
    pub error: Option<String>,
    /// `None` si le leader a répondu comme il doit.
    pub leader_error: Option<String>,
    pub readings: Vec<ReadingRow>,
    pub valuation: Option<Valuation>,
    /// Ce que tout vaut aux prix moyens, s'ils ont été demandés et lus.
    pub averaged: Option<Eur>,
    /// Depuis combien de temps ce qu'une personne veut vendre s'essaie sans empêchement de ce côté-ci.
    pub tried: Duration,
}

/// Une lecture du dehors telle qu'elle est gardée pour les écrans.
#[derive(Clone, Debug)]
pub struct ReadingRow {
    pub what: String,
    pub bid_ask: Option<(Price, Price)>,
    pub at: Option<Moment>,
    pub failure: Option<String>,
    /// Montré sans être cru : ce qui était su ne l'est plus.
    pub doubted: bool,
}

/// Ce dont ce tour décide pour longtemps.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    Dead,
    /// La perte que l'on s'était fixée est atteinte : tout se vend, en pause, pour cette raison.
    StoppedOut(String),
}

impl Db {
    /// Clôt un tour en une transaction : lectures, relevé, survie, perte que l'on s'est fixée, pouls. Rend ce qui vient d'en être
    /// décidé.
    pub fn close_cycle(&mut self, record: &CycleRecord, now: Moment) -> Result<Option<Fate>, LedgerError> {
        let fall = match &record.valuation {
            Some(valuation) => self.fall(valuation, record.averaged)?,
            None => None,
        };
        let transaction = self.transaction()?;
        keep_readings(&transaction, &record.readings)?;
        wishes::count_tried(&transaction, record.tried)?;
        transaction.execute(
            "INSERT INTO polls (outcome, count) VALUES (?1, 1) ON CONFLICT DO UPDATE SET count = count + 1",
            [record.outcome],
        )?;
        transaction.execute(
            "INSERT INTO pulse (id, polled_at, outcome, signal_id, trades, error, leader_contact_at, leader_error)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE SET polled_at = ?1, outcome = ?2, signal_id = ?3, trades = ?4, error = ?5,
                 leader_contact_at = coalesce(?6, leader_contact_at), leader_error = ?7",
            params![
                now,
                record.outcome,
                record.signal_id,
                record.trades,
                record.error,
                record.leader_error.is_none().then_some(now),
                record.leader_error
            ],
        )?;
        let fate = match &record.valuation {
            Some(valuation) => {
                snapshot(&transaction, valuation, now)?;
                match survival::survive(&transaction, valuation, record.averaged)? {
                    true => Some(Fate::Dead),
                    false => stop_loss::judge(&transaction, fall, now)?.map(Fate::StoppedOut),
                }
            }
            None => None,
        };
        transaction.commit()?;
        Ok(fate)
    }

    /// Garde les lectures entre deux tours, sans compter de tour.
    pub fn keep_readings(&mut self, readings: &[ReadingRow]) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        keep_readings(&transaction, readings)?;
        transaction.commit()?;
        Ok(())
    }
}

fn keep_readings(connection: &Connection, readings: &[ReadingRow]) -> Result<(), LedgerError> {
    let mut statement = connection.prepare(
        "INSERT INTO readings (what, bid, ask, at, failure) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (what) DO UPDATE SET bid = coalesce(?2, bid), ask = coalesce(?3, ask),
             at = CASE WHEN ?6 THEN NULL ELSE coalesce(?4, at) END, failure = ?5",
    )?;
    for reading in readings {
        let (bid, ask) = reading.bid_ask.unzip();
        statement.execute(params![reading.what, bid, ask, reading.at, reading.failure, reading.doubted])?;
    }
    Ok(())
}

fn snapshot(connection: &Connection, valuation: &Valuation, now: Moment) -> Result<(), LedgerError> {
    connection.execute(
        "INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at)
         VALUES (?1, ?2, ?3, (SELECT deposited_eur FROM account), ?4)",
        params![
            valuation.total_eur,
            (valuation.total - valuation.cash).floor(8),
            valuation.cash.floor(8),
            now
        ],
    )?;
    let row = connection.last_insert_rowid();
    seal::lay(connection, &seal::SNAPSHOTS, row)?;
    flows::appraise(connection)?;
    if row % THINNING_EVERY == 0 {
        thin(connection, now)?;
    }
    Ok(())
}

fn thin(connection: &Connection, now: Moment) -> Result<(), LedgerError> {
    // Celui dont un mouvement tire sa valeur la prouve : il reste.
    let mut delete = connection.prepare(
        "DELETE FROM snapshots WHERE at < ?1 AND id NOT IN
             (SELECT min(id) FROM snapshots WHERE at < ?1 GROUP BY at / 3600000)
             AND at NOT IN (SELECT valued_at FROM movements WHERE valued_at <> at)
         RETURNING seal IS NOT NULL",
    )?;
    let sealed = delete.query_map([now.minus(FULL_DETAIL)], |row| row.get::<_, i64>(0))?;
    seal::forget(connection, &seal::SNAPSHOTS, sealed.sum::<Result<i64, _>>()?)
}
