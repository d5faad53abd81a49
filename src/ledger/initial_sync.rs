//! La synchronisation initiale : la première allocation du leader, prise au premier démarrage, une fois.
//!
//! Invariant : tant qu'elle n'a pas abouti, elle suit ce que le leader montre, et garde ce qu'une personne en a décidé.

use rusqlite::{Connection, params};

use super::{LedgerError, Received, Verdict, received};
use crate::domain::signal::INITIAL_SYNC;

/// Ouvre la synchronisation initiale sur `signal`, ou la met à jour tant qu'elle n'a pas abouti.
pub(super) fn open(connection: &Connection, signal: &Received, is_news: bool) -> Result<(), LedgerError> {
    let sync = Received {
        signal_id: INITIAL_SYNC.to_owned(),
        reasoning: reasoning_of_sync(signal),
        actions: "[]".to_owned(),
        verdict: Verdict::Accepted,
        ..signal.clone()
    };
    let is_opened = received::insert(connection, &sync, INITIAL_SYNC)?.is_some();
    if !is_opened {
        renew(connection, signal)?;
    }
    // Redit, un signal garde ce qu'une personne en a décidé.
    if is_opened || is_news {
        let asked = signal.is_old.then_some("asked");
        let sql = "UPDATE signals SET old_target = ?2 WHERE signal_id = ?1 AND status = 'received'";
        connection.execute(sql, params![INITIAL_SYNC, asked])?;
    } else if !signal.is_old {
        // Le leader le redit d'aujourd'hui : il n'y a plus rien à demander.
        let sql = "UPDATE signals SET old_target = NULL
                   WHERE old_target = 'asked' AND (signal_id = ?1 OR coalesce(leader_id, signal_id) = ?2)";
        connection.execute(sql, params![INITIAL_SYNC, signal.signal_id])?;
    }
    Ok(())
}

/// La synchronisation initiale qu'un passé manquant a peut-être menée à bien prend l'allocation d'aujourd'hui ; sans elle, elle
/// est tenue pour faite, comme une action.
pub(super) fn renew_after_gap(connection: &Connection, signal: &Received) -> Result<(), LedgerError> {
    if signal.target.is_some() {
        return renew(connection, signal);
    }
    let sql = "UPDATE signals SET maybe_done = 1 WHERE status = 'received' AND signal_id = ?1";
    connection.execute(sql, [INITIAL_SYNC])?;
    Ok(())
}

/// La synchronisation initiale, tant qu'elle n'a pas abouti, suit l'allocation de ce signal.
fn renew(connection: &Connection, signal: &Received) -> Result<(), LedgerError> {
    connection.execute(
        "UPDATE signals SET payload = ?2, portfolio_state = ?3, reasoning = ?4, said_at = ?5, expires_at = ?6
         WHERE signal_id = ?1 AND status = 'received'",
        params![
            INITIAL_SYNC,
            signal.payload,
            signal.portfolio_state,
            reasoning_of_sync(signal),
            signal.said_at,
            signal.expires_at
        ],
    )?;
    Ok(())
}

pub(super) fn reasoning_of_sync(signal: &Received) -> String {
    format!("initial sync from {}", signal.signal_id)
}
