//! Ce qu'un signal du leader est pour ce grand livre : un nouveau, le dernier redit, une vieille réponse, un qui a changé.
//!
//! Invariant : un identifiant n'est écrit qu'une fois ; un autre signal sous le même nom en prend un à lui.

use rusqlite::{Connection, OptionalExtension, params};

use super::views::Prepared;
use super::{LedgerError, Received};
use crate::domain::moment::Moment;
use crate::domain::policy;
use crate::domain::signal::{ADOPTED, INITIAL_SYNC};

/// Ce qu'un signal du leader est pour ce grand livre.
#[derive(Clone, Debug, PartialEq)]
pub enum Novelty {
    /// Jamais vu, ou un autre sous un nom connu ; il vient d'être écrit.
    Fresh(Named),
    /// Le dernier reçu.
    Known(Named),
    /// Un d'avant le dernier : la réponse d'un cache, ou d'un second serveur.
    Old,
    /// Le dernier reçu, et ce qu'il demande a changé ; des actions ne se font pas deux fois.
    Changed,
    /// Un de plus que le leader n'en dit en un jour : rien n'en est écrit.
    OneTooMany,
}

/// Un signal du leader au grand livre : sa ligne, et le nom qu'il y porte.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub row: i64,
    pub name: String,
}

/// Un signal qui a porté ce nom.
struct Bearer {
    named: Named,
    was_rejected: bool,
    meaning: Option<String>,
    said_at: Option<Moment>,
}

/// Ce qu'est ce signal, d'après ceux qui ont porté son nom. Rejeté une fois, il est jugé de nouveau quand le programme, ou son
/// texte, le comprend.
pub(super) fn judge(connection: &Connection, signal: &Received) -> Result<Novelty, LedgerError> {
    let id = &signal.signal_id;
    let mut statement = connection.prepare(
        "SELECT id, signal_id, status = 'rejected', meaning, said_at FROM signals
             WHERE signal_id = ?1 AND leader_id IS NULL
         UNION ALL SELECT id, signal_id, status = 'rejected', meaning, said_at FROM signals
             WHERE leader_id = ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([id], |row| {
        let named = Named { row: row.get(0)?, name: row.get(1)? };
        Ok(Bearer { named, was_rejected: row.get(2)?, meaning: row.get(3)?, said_at: row.get(4)? })
    })?;
    let bearers: Vec<Bearer> = rows.collect::<Result<_, _>>()?;
    let Some(Bearer { named: last, was_rejected, meaning, said_at }) = bearers.last() else {
        return fresh(connection, id);
    };
    let newest = newest(connection)?;
    let is_same = match (&signal.meaning, meaning) {
        (None, _) => *was_rejected,
        (Some(_), _) if *was_rejected => false,
        // D'un grand livre d'avant : le premier texte revu est le sien.
        (Some(now), None) => {
            connection.execute("UPDATE signals SET meaning = ?2 WHERE id = ?1", params![last.row, now])?;
            true
        }
        (Some(now), Some(before)) => now == before,
    };
    let is_newest = newest.is_none_or(|newest| last.row >= newest);
    let was_said = bearers.iter().any(|bearer| bearer.meaning.is_some() && bearer.meaning == signal.meaning);
    // D'un cache, ou de deux serveurs : ce qui a été remplacé sous ce nom même, et que le leader ne date pas d'après.
    let is_resaid = was_said && !is_same && signal.said_at <= *said_at;
    let sets_target = signal.version == Some(2);
    // Le leader en a repoussé la fin : ce qui avait expiré vaut de nouveau.
    let expired = "SELECT EXISTS (SELECT 1 FROM decisions WHERE signal = ?1 AND code = 'expired')";
    let is_prolonged = is_same
        && sets_target
        && !signal.is_outlived
        && connection.query_row_cached(expired, [last.row], |found| found.get(0))?;
    Ok(match signal.meaning {
        Some(_) if is_newest && is_prolonged => fresh(connection, id)?,
        _ if is_same && is_newest => Novelty::Known(last.clone()),
        // Sous un nom d'avant, ce qui a déjà été dit, ou n'a jamais été compris, n'est pas d'aujourd'hui.
        _ if !is_newest && (is_same || was_said || *was_rejected) => Novelty::Old,
        _ if is_resaid => Novelty::Old,
        Some(_) if *was_rejected || sets_target => fresh(connection, id)?,
        _ => Novelty::Changed,
    })
}

/// Le dernier que l'on ait compris, sans relire les autres : dix ans de signaux ne ralentissent pas un tour.
fn newest(connection: &Connection) -> Result<Option<i64>, LedgerError> {
    let newest =
        "SELECT id FROM signals WHERE wish IS NULL AND signal_id NOT IN (?1, ?2) AND status <> 'rejected'
                  ORDER BY id DESC LIMIT 1";
    Ok(connection.query_row_cached(newest, [INITIAL_SYNC, ADOPTED], |row| row.get(0)).optional()?)
}

/// Vrai si le leader en a dit un autre depuis, que l'on a compris.
pub(super) fn is_replaced(connection: &Connection, signal: i64) -> Result<bool, LedgerError> {
    Ok(newest(connection)?.is_some_and(|newest| newest > signal))
}

/// Un nouveau, sous un nom qui est libre ; sa ligne n'est pas encore écrite.
fn fresh(connection: &Connection, id: &str) -> Result<Novelty, LedgerError> {
    Ok(Novelty::Fresh(Named { row: 0, name: free_name(connection, id)? }))
}

/// Vrai si le leader en a déjà dit en un jour autant que l'on en suit.
pub(super) fn is_one_too_many(connection: &Connection, now: Moment) -> Result<bool, LedgerError> {
    let sql = "SELECT count(*) FROM (SELECT received_at FROM signals WHERE wish IS NULL AND signal_id NOT IN (?1, ?2)
                   ORDER BY id DESC LIMIT ?3) WHERE received_at > ?4";
    let since = now.minus(policy::DAY);
    let heard: u32 = connection.query_row_cached(
        sql,
        params![INITIAL_SYNC, ADOPTED, policy::MOST_SIGNALS, since],
        |row| row.get(0),
    )?;
    Ok(heard >= policy::MOST_SIGNALS)
}

/// Le nom sous lequel tenir un signal que le leader appelle ainsi : le sien, s'il est libre.
fn free_name(connection: &Connection, id: &str) -> Result<String, LedgerError> {
    let mut name = id.to_owned();
    for number in 2.. {
        let taken = "SELECT EXISTS (SELECT 1 FROM signals WHERE signal_id = ?1)";
        if !connection.query_row_cached(taken, [&name], |row| row.get(0))? {
            break;
        }
        name = format!("{id} #{number}");
    }
    Ok(name)
}
