//! Le dernier tour, et les comptes de tous.

use rusqlite::OptionalExtension;

use crate::domain::intent::State;
use crate::domain::moment::Moment;
use crate::domain::order::Side;
use crate::ledger::{Db, LedgerError};

/// Le dernier tour.
#[derive(Clone, Debug)]
pub struct Pulse {
    pub polled_at: Moment,
    pub outcome: String,
    pub signal_id: Option<String>,
    pub trades: Option<u32>,
    pub error: Option<String>,
    pub leader_contact_at: Option<Moment>,
    pub leader_error: Option<String>,
}

/// Les comptes qui ne font que croître, et ceux des signaux.
#[derive(Clone, Debug)]
pub struct Counts {
    pub polls: Vec<(String, u32)>,
    pub signals: Vec<(String, u32)>,
    pub orders: Vec<(State, Side, u32)>,
    /// Les exécutions apprises tard que personne n'a regardées.
    pub late: u32,
    /// Les ordres du compte qui ne sont pas les nôtres.
    pub foreign: u32,
}

impl Db {
    /// Le dernier tour ; `None` avant le premier.
    pub fn pulse(&self) -> Result<Option<Pulse>, LedgerError> {
        let sql =
            "SELECT polled_at, outcome, signal_id, trades, error, leader_contact_at, leader_error FROM pulse";
        let pulse = self.connection.query_row(sql, [], |row| {
            Ok(Pulse {
                polled_at: row.get(0)?,
                outcome: row.get(1)?,
                signal_id: row.get(2)?,
                trades: row.get(3)?,
                error: row.get(4)?,
                leader_contact_at: row.get(5)?,
                leader_error: row.get(6)?,
            })
        });
        Ok(pulse.optional()?)
    }

    fn outcomes(&self) -> Result<Vec<(State, Side, u32)>, LedgerError> {
        let sql = "SELECT state, side, count(*) FROM intents GROUP BY state, side";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Les comptes pour les métriques.
    pub fn counts(&mut self) -> Result<Counts, LedgerError> {
        let signals = self.signals_by_status()?;
        let pairs = |sql: &str| -> Result<Vec<(String, u32)>, LedgerError> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        let one = |sql: &str| self.connection.query_row(sql, [], |row| row.get(0));
        Ok(Counts {
            polls: pairs("SELECT outcome, count FROM polls")?,
            signals,
            orders: self.outcomes()?,
            late: one("SELECT count(*) FROM intents WHERE late = 1")?,
            foreign: one("SELECT count(*) FROM foreign_orders")?,
        })
    }
}
