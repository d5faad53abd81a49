//! Les intentions, telles que le moteur les reprend et que les écrans les montrent.

use std::time::Duration;

use rusqlite::{Row, params};

use crate::domain::execution::Report;
use crate::domain::intent::State;
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::{Quantity, Usdc};
use crate::domain::order::{Side, Size};
use crate::domain::recourse::{Case, Hand};
use crate::domain::signal::INITIAL_SYNC;
use crate::ledger::{Db, LedgerError};

/// Une intention, simulée ou réelle.
#[derive(Clone, Debug)]
pub struct Intent {
    pub id: i64,
    /// La ligne du signal qui l'a voulue, et son nom.
    pub signal: i64,
    pub signal_id: String,
    pub coin: Coin,
    pub side: Side,
    pub size: Size,
    pub attempt: u32,
    pub state: State,
    pub reason: Option<String>,
    pub sent: Option<Sent>,
    pub order_id: Option<i64>,
    /// Son issue a été inconnue un moment.
    pub doubted: bool,
    /// Exécutée après qu'on l'a crue absente, et personne ne l'a encore regardé.
    pub late: bool,
    pub created_at: Moment,
    pub ended_at: Option<Moment>,
    /// Comment une personne l'a finie sans la bourse.
    pub by_hand: Option<Hand>,
    /// Exécutée, et ce qu'elle a changé est aux livres par ce qu'une personne a réglé des écarts ; jugé une fois.
    pub accounted: bool,
    pub origin: Origin,
}

/// Ce que le signal d'une intention a de propre à décider de sa suite.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub received_at: Moment,
    /// Vrai si c'est une action de la version 1, qui vieillit ; la synchronisation initiale suit une allocation, comme ce qui se fait
    /// d'un signal une fois clos.
    pub is_action: bool,
    /// Vrai si son signal, ouvert ou visé encore, sera planifié à nouveau.
    pub is_open: bool,
}

impl Origin {
    /// L'âge de l'action à `now` ; `None` pour une allocation.
    pub fn action_age(&self, now: Moment) -> Option<Duration> {
        self.is_action.then(|| now.since(self.received_at))
    }
}

impl Intent {
    /// Ce qu'elle est pour une personne, à `now`.
    pub fn case(&self, now: Moment) -> Case {
        Case {
            state: self.state,
            late: self.late,
            attempt: self.attempt,
            signal_is_open: self.origin.is_open,
            action_age: self.origin.action_age(now),
        }
    }

    /// Vrai si cet ordre de la bourse, qui porte son nom, peut être le sien : à sa paire, à son sens, pas plus gros. Une copie
    /// du grand livre donne les mêmes noms à d'autres ordres.
    pub fn may_be(&self, report: &Report) -> bool {
        let within = match self.size {
            Size::Spend(spend) => report.amount.is_none_or(|amount| amount <= spend),
            Size::Sell(quantity) => report.executed <= quantity,
        };
        within && (self.coin, self.side) == (report.coin, report.side)
    }
}

/// L'ordre d'une intention réelle, tel qu'il est parti.
#[derive(Clone, Debug)]
pub struct Sent {
    pub client_id: String,
    /// À l'heure de la bourse.
    pub stamped_at: Moment,
    pub window: Duration,
}

const COLUMNS: &str =
    "intents.id, signal, signal_id, coin, side, spend, quantity, attempt, state, reason, client_id,
    stamped_at, window, order_id, doubted, late, created_at, ended_at, by_hand, received_at, version, status,
    accounted IS NOT NULL, EXISTS (SELECT 1 FROM aim WHERE aim.signal = intents.signal AND reached_at IS NULL)";

impl Db {
    /// Les intentions dont l'issue n'est pas connue, de la plus ancienne à la plus récente.
    pub fn doubtful(&self) -> Result<Vec<Intent>, LedgerError> {
        self.intents("state IN ('sent', 'unknown', 'stuck') ORDER BY intents.id", [])
    }

    /// Celles qui ont été exécutées après qu'on les a crues absentes, et que personne n'a regardées.
    pub fn late(&self) -> Result<Vec<Intent>, LedgerError> {
        self.intents("late = 1 ORDER BY intents.id", [])
    }

    /// Les intentions réelles écrites depuis `since` et finies sans exécution.
    pub fn unexecuted(&self, since: Moment) -> Result<Vec<Intent>, LedgerError> {
        let clause =
            "client_id IS NOT NULL AND state IN ('absent', 'refused', 'abandoned') AND created_at >= ?1
             ORDER BY intents.id";
        self.intents(clause, [since])
    }

    /// Toutes, dans l'ordre.
    pub fn all_intents(&self) -> Result<Vec<Intent>, LedgerError> {
        self.intents("1 = 1 ORDER BY intents.id", [])
    }

    /// Toutes celles d'un signal, dans l'ordre.
    pub fn intents_of(&self, signal: i64) -> Result<Vec<Intent>, LedgerError> {
        self.intents("signal = ?1 ORDER BY intents.id", [signal])
    }

    /// Les dernières, de la plus récente à la plus ancienne ; celles qui demandent quelqu'un d'abord.
    pub fn orders(&self, limit: u32) -> Result<Vec<Intent>, LedgerError> {
        let clause =
            "1 = 1 ORDER BY state IN ('sent', 'unknown', 'stuck') OR late DESC, intents.id DESC LIMIT ?1";
        self.intents(clause, [limit])
    }

    /// L'intention `id`, si elle existe.
    pub fn intent(&self, id: i64) -> Result<Option<Intent>, LedgerError> {
        Ok(self.intents("intents.id = ?1", [id])?.pop())
    }

    /// L'intention de cet ordre de la bourse, si c'est une des nôtres.
    pub fn intent_named(&self, client_id: &str) -> Result<Option<Intent>, LedgerError> {
        Ok(self.intents("client_id = ?1", params![client_id])?.pop())
    }

    /// Les coins dont une personne a réglé un ordre depuis ce signal, de quelque signal qu'il vînt.
    pub fn left_by_hand(&self, signal: i64) -> Result<Vec<Coin>, LedgerError> {
        let sql = "SELECT DISTINCT coin FROM intents WHERE by_hand = 'settled'
                       AND ended_at >= (SELECT received_at FROM signals WHERE id = ?1)";
        let mut statement = self.connection.prepare_cached(sql)?;
        let coins = statement.query_map([signal], |row| row.get(0))?;
        Ok(coins.collect::<Result<_, _>>()?)
    }

    fn intents(&self, clause: &str, params: impl rusqlite::Params) -> Result<Vec<Intent>, LedgerError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM intents JOIN signals ON signals.id = intents.signal WHERE {clause}"
        ))?;
        let rows = statement.query_map(params, intent)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn intent(row: &Row) -> rusqlite::Result<Intent> {
    let (spend, quantity): (Option<Usdc>, Option<Quantity>) = (row.get(5)?, row.get(6)?);
    let stamped: (Option<String>, Option<Moment>, Option<i64>) = (row.get(10)?, row.get(11)?, row.get(12)?);
    let (signal_id, version, status): (String, Option<u32>, String) =
        (row.get(2)?, row.get(20)?, row.get(21)?);
    let aimed_at: bool = row.get(23)?;
    let sent = match stamped {
        (Some(client_id), Some(stamped_at), Some(window)) => {
            Some(Sent { client_id, stamped_at, window: Duration::from_millis(window.max(0) as u64) })
        }
        _ => None,
    };
    Ok(Intent {
        id: row.get(0)?,
        signal: row.get(1)?,
        coin: row.get(3)?,
        side: row.get(4)?,
        size: spend.map_or_else(|| Size::Sell(quantity.unwrap_or_default()), Size::Spend),
        attempt: row.get(7)?,
        state: row.get(8)?,
        reason: row.get(9)?,
        sent,
        order_id: row.get(13)?,
        doubted: row.get(14)?,
        late: row.get(15)?,
        created_at: row.get(16)?,
        ended_at: row.get(17)?,
        by_hand: row.get(18)?,
        accounted: row.get(22)?,
        origin: Origin {
            received_at: row.get(19)?,
            is_action: version == Some(1) && signal_id != INITIAL_SYNC && status == "received",
            is_open: status == "received" || aimed_at,
        },
        signal_id,
    })
}
