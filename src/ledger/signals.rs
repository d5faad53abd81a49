//! Les signaux au grand livre : reçus une fois, clos une fois.
//!
//! Invariants : un identifiant n'est écrit qu'une fois, et un autre signal sous le même nom en prend un à lui ; un signal ouvert
//! garde son texte, de quoi le reprendre ; un signal clos ne se rouvre pas.

use rusqlite::{Connection, params};

use super::{Db, LedgerError};
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::signal::{ADOPTED, INITIAL_SYNC, Target};
use crate::domain::wish::{self, Wish};

/// Un signal tel que le leader l'a envoyé, prêt à être écrit.
#[derive(Clone, Debug)]
pub struct Received {
    pub signal_id: String,
    pub version: Option<u32>,
    pub confidence: Option<f64>,
    pub reasoning: String,
    pub actions: String,
    pub portfolio_state: Option<String>,
    pub payload: String,
    pub target: Option<Target>,
    /// Ce qu'il demande ; `None` s'il est rejeté.
    pub meaning: Option<String>,
    /// Il n'est plus de ce moment.
    pub is_outlived: bool,
    pub verdict: Verdict,
}

/// Ce qu'un signal du leader est pour ce grand livre.
#[derive(Clone, Debug, PartialEq)]
pub enum Novelty {
    /// Jamais vu, ou un autre sous un nom connu ; il est écrit sous ce nom-ci.
    Fresh(String),
    /// Le dernier reçu.
    Known,
    /// Un d'avant le dernier : la réponse d'un cache, ou d'un second serveur.
    Old,
    /// Le dernier reçu, et ce qu'il demande a changé ; des actions ne se font pas deux fois.
    Changed,
}

/// Ce qu'on fait d'un signal à sa réception.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// À exécuter.
    Accepted,
    /// Invalide : jamais exécuté.
    Rejected(String),
    /// Valable, mais rien n'en sera fait.
    Skipped(String),
}

/// Un signal qui attend d'être exécuté.
#[derive(Clone, Debug)]
pub struct PendingSignal {
    pub row: i64,
    pub signal_id: String,
    pub payload: String,
    /// Le souhait d'une personne ; `None` si c'est un signal du leader.
    pub wish: Option<Wish>,
    /// Des actions qui ont peut-être été faites dans un passé que ce grand livre ne connaissait pas.
    pub maybe_done: bool,
    pub received_at: Moment,
}

impl PendingSignal {
    /// Vrai si une personne veut tout : plus rien ne suit le leader.
    pub fn takes_all(&self) -> bool {
        self.wish.is_some() && wish::takes_all(&self.payload)
    }
}

/// Comment un signal finit.
#[derive(Clone, Debug, PartialEq)]
pub enum SignalStatus {
    Executed,
    Skipped(String),
    Error(String),
}

/// Ce qui a été décidé d'un coin pour un signal.
#[derive(Clone, Debug)]
pub struct Decision {
    pub coin: Coin,
    pub decision: String,
    pub code: String,
    pub reason: String,
}

impl Db {
    /// Écrit un signal jamais vu ; rend ce qu'il est. Avec `opens_sync`, la
    /// synchronisation initiale s'ouvre sur lui dans la même transaction : coupé entre les deux, il
    /// serait pris pour un autre signal, et suivi une seconde fois.
    pub fn receive(
        &mut self,
        signal: &Received,
        opens_sync: bool,
        now: Moment,
    ) -> Result<Novelty, LedgerError> {
        let transaction = self.transaction()?;
        let novelty = judge(&transaction, signal)?;
        // D'une vieille réponse rien ne se conclut.
        if novelty == Novelty::Old {
            return Ok(novelty);
        }
        if opens_sync {
            open_initial_sync(&transaction, signal, now)?;
        }
        let fresh = match &novelty {
            Novelty::Fresh(name) => insert_signal(&transaction, signal, name, now)?,
            _ => false,
        };
        if novelty == Novelty::Known {
            // Le leader a pu en avancer, ou en repousser, la fin.
            let sql = "UPDATE signals SET payload = ?2 WHERE status = 'received' AND payload IS NOT ?2
                           AND coalesce(leader_id, signal_id) = ?1 AND meaning = ?3";
            transaction.execute(sql, params![signal.signal_id, signal.payload, signal.meaning])?;
        }
        // Le premier reçu depuis qu'un passé manquait, s'il dit ce que le leader veut : il a pu y être suivi. Les autres, non.
        let tells = !matches!(signal.verdict, Verdict::Rejected(_));
        if tells && transaction.execute("UPDATE agent SET past_unknown = 0 WHERE past_unknown = 1", [])? == 1
        {
            doubt_open(&transaction)?;
            renew_initial_sync(&transaction, signal)?;
        }
        if let Some(target) = signal.target.filter(|_| fresh) {
            for coin in Coin::ALL {
                transaction.execute(
                    "INSERT INTO leader_target (coin, weight) VALUES (?1, ?2)
                     ON CONFLICT (coin) DO UPDATE SET weight = ?2",
                    params![coin, target.weight(coin)],
                )?;
            }
        }
        transaction.commit()?;
        Ok(novelty)
    }

    /// Clôt un signal, avec ce qui a été décidé de chaque coin.
    pub fn close_signal(
        &mut self,
        row: i64,
        status: &SignalStatus,
        decisions: &[Decision],
        now: Moment,
    ) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        close(&transaction, row, status, decisions, now)?;
        Ok(transaction.commit()?)
    }

    /// Écrit ce qui est déjà décidé d'un signal, qui n'est pas repris, et ce que ses autres coins attendent, qui remplace
    /// ce qu'ils attendaient.
    pub fn decide(
        &mut self,
        row: i64,
        decisions: &[Decision],
        waits: &[Decision],
    ) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        insert_decisions(&transaction, row, decisions)?;
        replace_waits(&transaction, row, waits)?;
        transaction.commit()?;
        Ok(())
    }

    /// Retient pourquoi aucun des signaux ouverts ne peut être exécuté à ce tour. Dit deux fois, ce n'est écrit qu'une.
    pub fn postpone(&mut self, reason: &str) -> Result<(), LedgerError> {
        self.connection.execute(
            "UPDATE signals SET waiting_for = ?1 WHERE status = 'received' AND waiting_for IS NOT ?1",
            [reason],
        )?;
        Ok(())
    }
}

/// Ce qu'est ce signal, d'après ceux qui ont porté son nom. Rejeté une fois, il est jugé de nouveau quand le programme, ou son
/// texte, le comprend.
fn judge(connection: &Connection, signal: &Received) -> Result<Novelty, LedgerError> {
    let id = &signal.signal_id;
    let mut statement = connection.prepare(
        "SELECT id, status = 'rejected', meaning FROM signals WHERE signal_id = ?1 AND leader_id IS NULL
         UNION ALL SELECT id, status = 'rejected', meaning FROM signals WHERE leader_id = ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let named: Vec<(i64, bool, Option<String>)> = rows.collect::<Result<_, _>>()?;
    let Some((row, was_rejected, meaning)) = named.last() else {
        return Ok(Novelty::Fresh(free_name(connection, id)?));
    };
    // Le dernier, sans relire les autres : dix ans de signaux ne ralentissent pas un tour.
    let newest =
        "SELECT id FROM signals WHERE wish IS NULL AND signal_id NOT IN (?1, ?2) ORDER BY id DESC LIMIT 1";
    let newest: i64 = connection.query_row(newest, [INITIAL_SYNC, ADOPTED], |row| row.get(0))?;
    let is_same = match (&signal.meaning, meaning) {
        (None, _) => *was_rejected,
        (Some(_), _) if *was_rejected => false,
        // D'un grand livre d'avant : le premier texte revu est le sien.
        (Some(now), None) => {
            connection.execute("UPDATE signals SET meaning = ?2 WHERE id = ?1", params![row, now])?;
            true
        }
        (Some(now), Some(before)) => now == before,
    };
    let is_newest = *row == newest;
    let was_said = named.iter().any(|(_, _, said)| said.is_some() && *said == signal.meaning);
    let sets_target = signal.version == Some(2);
    // Le leader en a repoussé la fin : ce qui avait expiré vaut de nouveau.
    let expired = "SELECT EXISTS (SELECT 1 FROM decisions WHERE signal = ?1 AND code = 'expired')";
    let is_prolonged = is_same
        && sets_target
        && !signal.is_outlived
        && connection.query_row(expired, [row], |found| found.get(0))?;
    Ok(match signal.meaning {
        Some(_) if is_newest && is_prolonged => Novelty::Fresh(free_name(connection, id)?),
        _ if is_same && is_newest => Novelty::Known,
        // Sous un nom d'avant, ce qui a déjà été dit, ou n'a jamais été compris, n'est pas d'aujourd'hui.
        _ if !is_newest && (is_same || was_said || *was_rejected) => Novelty::Old,
        Some(_) if *was_rejected || sets_target => Novelty::Fresh(free_name(connection, id)?),
        _ => Novelty::Changed,
    })
}

/// Le nom sous lequel tenir un signal que le leader appelle ainsi : le sien, s'il est libre.
fn free_name(connection: &Connection, id: &str) -> Result<String, LedgerError> {
    let mut name = id.to_owned();
    for number in 2.. {
        let taken = "SELECT EXISTS (SELECT 1 FROM signals WHERE signal_id = ?1)";
        if !connection.query_row(taken, [&name], |row| row.get(0))? {
            break;
        }
        name = format!("{id} #{number}");
    }
    Ok(name)
}

/// Clôt un signal ouvert, avec ce qui a été décidé de chaque coin.
pub(super) fn close(
    connection: &Connection,
    row: i64,
    status: &SignalStatus,
    decisions: &[Decision],
    now: Moment,
) -> Result<(), LedgerError> {
    let (word, message) = match status {
        SignalStatus::Executed => ("executed", None),
        SignalStatus::Skipped(message) => ("skipped", Some(message)),
        SignalStatus::Error(message) => ("error", Some(message)),
    };
    let executed_at = (*status == SignalStatus::Executed).then_some(now);
    connection.execute(
        "UPDATE signals SET status = ?2, error_message = ?3, executed_at = ?4, payload = NULL, waiting_for = NULL
         WHERE id = ?1 AND status = 'received'",
        params![row, word, message, executed_at],
    )?;
    insert_decisions(connection, row, decisions)?;
    replace_waits(connection, row, &[])
}

/// Ce qu'attend le signal est la somme de ce qu'attendent ses coins, une fois par raison.
fn replace_waits(connection: &Connection, row: i64, waits: &[Decision]) -> Result<(), LedgerError> {
    connection.execute("DELETE FROM waits WHERE signal = ?1", [row])?;
    let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
    for Decision { coin, code, reason, .. } in waits {
        // Le souhait d'une personne est jugé de nouveau à chaque tour : ce qui était décidé peut attendre encore.
        connection.execute("DELETE FROM decisions WHERE signal = ?1 AND coin = ?2", params![row, coin])?;
        connection.execute(
            "INSERT INTO waits (signal, coin, code, reason) VALUES (?1, ?2, ?3, ?4)",
            params![row, coin, code, reason],
        )?;
        match told.iter_mut().find(|(known, _)| known == reason) {
            Some((_, coins)) => coins.push(coin.pair()),
            None => told.push((reason, vec![coin.pair()])),
        }
    }
    let told: Vec<String> =
        told.iter().map(|(reason, coins)| format!("{}: {reason}", coins.join(", "))).collect();
    let sentence = (!told.is_empty()).then(|| told.join("; "));
    connection.execute(
        "UPDATE signals SET waiting_for = ?2 WHERE id = ?1 AND waiting_for IS NOT ?2",
        params![row, sentence],
    )?;
    Ok(())
}

fn insert_decisions(connection: &Connection, row: i64, decisions: &[Decision]) -> Result<(), LedgerError> {
    for decision in decisions {
        connection.execute(
            "INSERT OR REPLACE INTO decisions (signal, coin, decision, code, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![row, decision.coin, decision.decision, decision.code, decision.reason],
        )?;
    }
    Ok(())
}

/// Des ordres que les livres ne connaissaient pas y sont, ou restent dehors : des actions de la version 1 reçues jusqu'ici, ou
/// que le leader redit, y ont peut-être été faites, et ne se refont pas. Une allocation, elle, se juge d'après ce qui est.
pub(super) fn doubt_actions(connection: &Connection) -> Result<(), LedgerError> {
    connection.execute("UPDATE agent SET past_unknown = 1", [])?;
    doubt_open(connection)
}

fn doubt_open(connection: &Connection) -> Result<(), LedgerError> {
    let sql = "UPDATE signals SET maybe_done = 1
               WHERE status = 'received' AND version = 1 AND signal_id <> ?1 AND wish IS NULL";
    connection.execute(sql, [INITIAL_SYNC])?;
    Ok(())
}

/// Ouvre la synchronisation initiale sur `signal`, ou la met à jour tant qu'elle n'a pas abouti.
fn open_initial_sync(connection: &Connection, signal: &Received, now: Moment) -> Result<(), LedgerError> {
    let sync = Received {
        signal_id: INITIAL_SYNC.to_owned(),
        reasoning: reasoning_of_sync(signal),
        actions: "[]".to_owned(),
        verdict: Verdict::Accepted,
        ..signal.clone()
    };
    if !insert_signal(connection, &sync, INITIAL_SYNC, now)? {
        renew(connection, signal)?;
    }
    Ok(())
}

/// La synchronisation initiale qu'un passé manquant a peut-être menée à bien prend l'allocation d'aujourd'hui ; sans elle, elle
/// est tenue pour faite, comme une action.
fn renew_initial_sync(connection: &Connection, signal: &Received) -> Result<(), LedgerError> {
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
        "UPDATE signals SET payload = ?2, portfolio_state = ?3, reasoning = ?4 WHERE signal_id = ?1 AND status = 'received'",
        params![INITIAL_SYNC, signal.payload, signal.portfolio_state, reasoning_of_sync(signal)],
    )?;
    Ok(())
}

fn reasoning_of_sync(signal: &Received) -> String {
    format!("initial sync from {}", signal.signal_id)
}

/// Écrit ce signal sous ce nom, s'il est libre.
fn insert_signal(
    connection: &Connection,
    signal: &Received,
    name: &str,
    now: Moment,
) -> Result<bool, LedgerError> {
    let leader_id = (name != signal.signal_id).then_some(&signal.signal_id);
    let (status, message, payload) = match &signal.verdict {
        Verdict::Accepted => ("received", None, Some(&signal.payload)),
        Verdict::Rejected(reason) => ("rejected", Some(reason), None),
        Verdict::Skipped(reason) => ("skipped", Some(reason), None),
    };
    let inserted = connection.execute(
        "INSERT INTO signals (signal_id, version, confidence, reasoning, actions, portfolio_state, payload, status,
             error_message, received_at, leader_id, meaning)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (signal_id) DO NOTHING",
        params![
            name,
            signal.version,
            signal.confidence,
            signal.reasoning,
            signal.actions,
            signal.portfolio_state,
            payload,
            status,
            message,
            now,
            leader_id,
            signal.meaning,
        ],
    )?;
    Ok(inserted == 1)
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;
    use crate::domain::market::PerCoin;
    use crate::domain::money::{Eur, Weight};
    use crate::ledger::{self, Ledger};

    fn heard(id: &str, target: Option<Target>) -> Received {
        Received {
            signal_id: id.to_owned(),
            version: Some(1),
            confidence: None,
            reasoning: String::new(),
            actions: "[]".to_owned(),
            portfolio_state: None,
            payload: format!("what {id} says"),
            target,
            meaning: Some(format!("what {id} asks")),
            is_outlived: false,
            verdict: Verdict::Accepted,
        }
    }

    /// Ce que suivent les signaux ouverts, et si cela a peut-être été fait.
    fn open(ledger: &Ledger) -> Vec<(String, String, bool)> {
        let pending = smol::block_on(ledger.with(|db| db.pending())).expect("they are read");
        pending.into_iter().map(|entry| (entry.signal_id, entry.payload, entry.maybe_done)).collect()
    }

    /// Le passé perdu l'a peut-être menée à bien, et le leader a vendu depuis ce qu'elle achetait.
    #[test]
    fn an_initial_sync_of_another_time_is_never_carried_out_after_a_past_was_missing() {
        let cash = Target::new(PerCoin::from_fn(|_| Weight::ZERO)).expect("a target");
        for (target, sync) in [(Some(cash), "what s2 says"), (None, "what s1 says")] {
            let ledger = ledger::in_memory("live", Eur::new(dec!(100)), Moment(0)).expect("a ledger");
            let heard_first = heard("s1", Some(cash));
            let first = smol::block_on(ledger.with(move |db| db.receive(&heard_first, true, Moment(1))));
            first.expect("it is received");
            smol::block_on(ledger.with(|db| db.disown("a past was missing", Moment(2))))
                .expect("it is noted");
            // Ce qui n'est pas un signal ne dit rien d'aujourd'hui.
            let before = open(&ledger);
            let wrong = Received { verdict: Verdict::Rejected("no".to_owned()), ..heard("s0", None) };
            smol::block_on(ledger.with(move |db| db.receive(&wrong, false, Moment(3))))
                .expect("it is received");
            assert_eq!(open(&ledger), before);
            assert!(smol::block_on(ledger.with(|db| db.due())).expect("they are read").is_empty());
            let next = heard("s2", target);
            smol::block_on(ledger.with(move |db| db.receive(&next, false, Moment(4))))
                .expect("it is received");
            let told = open(&ledger);
            let kept = told.iter().find(|(id, ..)| id == INITIAL_SYNC).expect("it is open");
            assert_eq!((kept.1.as_str(), kept.2), (sync, target.is_none()), "{told:?}");
            let actions = told.iter().filter(|(id, ..)| id != INITIAL_SYNC);
            assert!(actions.into_iter().all(|(.., maybe_done)| *maybe_done), "{told:?}");
        }
    }
}
