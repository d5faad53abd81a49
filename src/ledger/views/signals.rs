//! Les signaux : ce qu'ils demandaient, ce qu'il en est advenu, ceux qui attendent.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::prepared::Prepared;
use crate::domain::market::{Coin, PerCoin};
use crate::domain::moment::Moment;
use crate::domain::money::Weight;
use crate::domain::signal::{ADOPTED, INITIAL_SYNC};
use crate::ledger::views::Selection;
use crate::ledger::{Db, Decision, LedgerError, PendingSignal};

/// Un signal et ce qu'il en est advenu.
#[derive(Clone, Debug)]
pub struct Signal {
    pub id: i64,
    pub signal_id: String,
    pub version: Option<u32>,
    pub confidence: Option<f64>,
    pub reasoning: String,
    pub actions: String,
    pub portfolio_state: Option<String>,
    pub status: String,
    pub error_message: Option<String>,
    pub received_at: Moment,
    pub executed_at: Option<Moment>,
    /// Quand son allocation a été atteinte ; `None` tant qu'elle ne l'est pas, ou s'il n'en porte pas.
    pub reached_at: Option<Moment>,
    pub trades: u32,
    /// Ce qu'il attend, tant qu'il est ouvert.
    pub waiting_for: Option<String>,
    /// Ce qui est décidé de chaque coin, et ce qu'attendent les autres.
    pub decisions: Vec<Decision>,
}

/// Une pause retient tout ce qui n'est pas le souhait d'une personne, quoi qu'un signal attende d'autre.
const PAUSED: &str = "paused: it is carried out when the agent is resumed";

/// Un passé a manqué au grand livre : ce qui est ouvert y a peut-être été suivi ([`Db::due`]).
const PAST_UNKNOWN: &str =
    "orders were put back into the books, or left outside: the leader is heard again first";

impl Db {
    /// Les signaux choisis, du plus récent au plus ancien ; un coin est celui d'un trade qui en est venu.
    pub fn signals(&self, selection: &Selection) -> Result<Vec<Signal>, LedgerError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, signal_id, version, confidence, reasoning, actions, portfolio_state, status, error_message,
                 received_at, executed_at, (SELECT count(*) FROM trades WHERE trades.signal_id = signals.signal_id),
                 CASE WHEN status <> 'received' THEN NULL WHEN wish IS NOT NULL THEN waiting_for
                     WHEN (SELECT paused FROM agent) THEN ?5 WHEN (SELECT past_unknown FROM agent) THEN ?6
                     ELSE waiting_for END, reached_at
             FROM signals
             WHERE (?2 IS NULL OR id < ?2) AND (?4 IS NULL OR signal_id = ?4) AND (?3 IS NULL OR EXISTS
                 (SELECT 1 FROM trades WHERE trades.signal_id = signals.signal_id AND trades.coin = ?3))
             ORDER BY id DESC LIMIT ?1",
        )?;
        let Selection { limit, before, coin, signal } = selection;
        let rows =
            statement.query_map(params![limit, before, coin, signal, PAUSED, PAST_UNKNOWN], signal_row)?;
        let mut signals: Vec<Signal> = rows.collect::<Result<_, _>>()?;
        for signal in &mut signals {
            signal.decisions = self.decisions(signal.id)?;
            signal.decisions.extend(self.waits(signal.id)?);
            signal.decisions.sort_by_key(|decision| decision.coin);
        }
        Ok(signals)
    }

    /// Ce qui est décidé d'un signal, par coin.
    pub fn decisions(&self, signal: i64) -> Result<Vec<Decision>, LedgerError> {
        self.by_coin(
            "SELECT coin, decision, code, reason FROM decisions WHERE signal = ?1 ORDER BY coin",
            signal,
        )
    }

    pub(super) fn waits(&self, signal: i64) -> Result<Vec<Decision>, LedgerError> {
        self.by_coin("SELECT coin, 'waiting', code, reason FROM waits WHERE signal = ?1", signal)
    }

    fn by_coin(&self, sql: &str, signal: i64) -> Result<Vec<Decision>, LedgerError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([signal], |row| {
            Ok(Decision { coin: row.get(0)?, decision: row.get(1)?, code: row.get(2)?, reason: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Les signaux à exécuter, dans l'ordre de leur réception.
    pub fn pending(&self) -> Result<Vec<PendingSignal>, LedgerError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, signal_id, payload, wish, received_at, maybe_done, old_target = 'asked', old_target = 'declined',
                 tried_for
             FROM signals WHERE status = 'received' ORDER BY id",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(PendingSignal {
                row: row.get(0)?,
                signal_id: row.get(1)?,
                payload: row.get(2)?,
                wish: row.get(3)?,
                received_at: row.get(4)?,
                maybe_done: row.get(5)?,
                awaits_person: row.get::<_, Option<bool>>(6)?.unwrap_or(false),
                is_declined: row.get::<_, Option<bool>>(7)?.unwrap_or(false),
                tried_for: Duration::from_millis(row.get::<_, i64>(8)?.unsigned_abs()),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Ceux dont c'est le moment, dans l'ordre où les mener : ce qu'une personne reprend en partie passe avant le leader ;
    /// ce qui prend tout passe après, car le leader en est dépassé d'abord. Une pause, ou la mort, ne retient pas une
    /// personne.
    pub fn due(&self) -> Result<Vec<PendingSignal>, LedgerError> {
        let mut due = self.pending()?;
        if due.is_empty() {
            return Ok(due);
        }
        let agent = self.agent()?;
        // Un passé a manqué : le leader dit d'abord ce qu'il veut aujourd'hui, ce qui est ouvert y a peut-être été suivi.
        let unknown: bool =
            self.connection.query_row_cached("SELECT past_unknown FROM agent", [], |row| row.get(0))?;
        due.retain(|signal| !unknown || signal.wish.is_some());
        let takes_all = due.iter().any(PendingSignal::takes_all);
        let held = agent.dead || (agent.paused && !takes_all);
        due.retain(|signal| signal.wish.is_some() || !held);
        due.sort_by_key(|signal| match signal.wish {
            Some(_) if signal.takes_all() => 2,
            Some(_) => 0,
            None => 1,
        });
        Ok(due)
    }

    /// Vrai si la synchronisation initiale a été menée à sa fin, quelle qu'elle soit, par nous ou par le
    /// programme Python, dont les trades n'ont pas d'intention.
    pub fn initial_sync_done(&self) -> Result<bool, LedgerError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM signals WHERE signal_id = ?1 AND status <> 'received')
                       OR EXISTS (SELECT 1 FROM trades WHERE signal_id = ?1 AND intent IS NULL)";
        Ok(self.connection.query_row_cached(sql, [INITIAL_SYNC], |row| row.get(0))?)
    }

    /// La réception du dernier signal du leader.
    pub fn last_signal_at(&self) -> Result<Option<Moment>, LedgerError> {
        Ok(self.last_word()?.map(|(received_at, _)| received_at))
    }

    /// Le nom d'un signal.
    pub fn name_of(&self, row: i64) -> Result<String, LedgerError> {
        let sql = "SELECT signal_id FROM signals WHERE id = ?1";
        Ok(self.connection.query_row_cached(sql, [row], |row| row.get(0))?)
    }

    /// La réception du dernier signal du leader, et quand il dit l'avoir dit.
    pub fn last_word(&self) -> Result<Option<(Moment, Option<Moment>)>, LedgerError> {
        let sql = "SELECT received_at, said_at FROM signals WHERE signal_id NOT IN (?1, ?2) AND wish IS NULL
                   ORDER BY id DESC LIMIT 1";
        let ours = [INITIAL_SYNC, ADOPTED];
        let word = self.connection.query_row_cached(sql, ours, |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(word.optional()?)
    }

    /// L'allocation du leader dans son dernier signal qui en portait une.
    pub fn leader_target(&self) -> Result<PerCoin<Option<Weight>>, LedgerError> {
        leader_target(&self.connection)
    }

    /// Celle de son signal d'avant.
    pub fn former_target(&self) -> Result<PerCoin<Option<Weight>>, LedgerError> {
        weights(&self.connection, "SELECT coin, former FROM leader_target WHERE former IS NOT NULL")
    }
}

/// L'allocation que le leader a dite en dernier, part par part.
pub(in crate::ledger) fn leader_target(
    connection: &Connection,
) -> Result<PerCoin<Option<Weight>>, LedgerError> {
    weights(connection, "SELECT coin, weight FROM leader_target")
}

fn weights(connection: &Connection, sql: &str) -> Result<PerCoin<Option<Weight>>, LedgerError> {
    let mut target = PerCoin::default();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        target[row.get::<_, Coin>(0)?] = Some(row.get(1)?);
    }
    Ok(target)
}

fn signal_row(row: &Row) -> rusqlite::Result<Signal> {
    Ok(Signal {
        id: row.get(0)?,
        signal_id: row.get(1)?,
        version: row.get(2)?,
        confidence: row.get(3)?,
        reasoning: row.get(4)?,
        actions: row.get(5)?,
        portfolio_state: row.get(6)?,
        status: row.get(7)?,
        error_message: row.get(8)?,
        received_at: row.get(9)?,
        executed_at: row.get(10)?,
        reached_at: row.get(13)?,
        trades: row.get(11)?,
        waiting_for: row.get(12)?,
        decisions: Vec::new(),
    })
}
