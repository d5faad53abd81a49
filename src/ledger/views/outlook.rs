//! Ce qu'on sait de la bourse et du compte, tel que les écrans le montrent : silence, heure, essais, soldes.

use rusqlite::{Connection, Row};

use crate::domain::check::Verdict;
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::Quantity;
use crate::domain::reconcile::{Asset, Line};
use crate::ledger::{ClockReading, Db, LedgerError, Outlook, Silenced};

/// Une ligne de la dernière table d'essais.
#[derive(Clone, Debug)]
pub struct Checked {
    pub test: String,
    pub verdict: Verdict,
    pub found: String,
    pub advice: Option<String>,
    pub at: Moment,
}

/// Un actif au dernier rapprochement.
#[derive(Clone, Debug)]
pub struct Balance {
    pub asset: String,
    pub line: Line,
    pub at: Moment,
    /// Vrai si un ordre dont l'issue n'est pas connue a pu le changer : rien ne s'en règle avant.
    pub in_doubt: bool,
}

impl Db {
    /// Où en est l'accès à la bourse.
    pub fn exchange_state(&self) -> Result<Outlook, LedgerError> {
        let sql =
            "SELECT silent_status, silent_from, silent_until, clock_lead, clock_margin, clock_at, closed, not_alone
                   FROM exchange";
        Ok(self.connection.query_row(sql, [], |row| {
            let silenced = match (row.get(0)?, row.get(1)?, row.get(2)?) {
                (Some(status), Some(from), Some(until)) => Some(Silenced { status, from, until }),
                _ => None,
            };
            let clock = match (row.get(3)?, row.get(4)?, row.get(5)?) {
                (Some(lead), Some(margin), Some(at)) => Some(ClockReading { lead, margin, at }),
                _ => None,
            };
            Ok(Outlook { silenced, clock, closed: row.get(6)?, not_alone: row.get(7)? })
        })?)
    }

    /// Le compte du premier ordre ; `None` tant qu'il n'y en a pas eu.
    pub fn account_uid(&self) -> Result<Option<i64>, LedgerError> {
        Ok(self.connection.query_row("SELECT uid FROM exchange", [], |row| row.get(0))?)
    }

    /// La dernière table d'essais, dans son ordre.
    pub fn checks(&self) -> Result<Vec<Checked>, LedgerError> {
        let sql = "SELECT test, verdict, found, advice, at FROM checks ORDER BY rank";
        let mut statement = self.connection.prepare_cached(sql)?;
        let checked = |row: &Row| {
            Ok(Checked {
                test: row.get(0)?,
                verdict: row.get(1)?,
                found: row.get(2)?,
                advice: row.get(3)?,
                at: row.get(4)?,
            })
        };
        let rows = statement.query_map([], checked)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Le dernier rapprochement, actif par actif ; vide avant le premier et en simulation.
    pub fn balances(&self) -> Result<Vec<Balance>, LedgerError> {
        let sql = "SELECT asset, held, locked, booked, at, reserved FROM balances ORDER BY asset = 'USDC' DESC, asset";
        let mut statement = self.connection.prepare_cached(sql)?;
        let doubted = doubted(&self.connection)?;
        let rows = statement.query_map([], |row| {
            let (held, locked): (Quantity, Quantity) = (row.get(1)?, row.get(2)?);
            let (booked, reserved) = (row.get(3)?, row.get(5)?);
            let line = Line { free: held - locked, locked, booked, reserved, ..Line::default() };
            let asset: String = row.get(0)?;
            let in_doubt = Asset::from_name(&asset).is_some_and(|asset| is_doubted(&doubted, asset));
            Ok(Balance { asset, line, at: row.get(4)?, in_doubt })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Les paires des ordres partis dont l'issue n'est pas connue.
pub(in crate::ledger) fn doubted(connection: &Connection) -> Result<Vec<Coin>, LedgerError> {
    let sql = "SELECT DISTINCT coin FROM intents WHERE state IN ('sent', 'unknown', 'stuck')";
    let mut statement = connection.prepare_cached(sql)?;
    let coins = statement.query_map([], |row| row.get(0))?;
    Ok(coins.collect::<Result<_, _>>()?)
}

/// Vrai si un ordre de l'une de ces paires a pu changer cet actif : tout ordre change le cash, et peut payer ses frais en BNB.
pub(in crate::ledger) fn is_doubted(doubted: &[Coin], asset: Asset) -> bool {
    match asset {
        Asset::Cash | Asset::Coin(Coin::Bnb) => !doubted.is_empty(),
        Asset::Coin(coin) => doubted.contains(&coin),
    }
}
