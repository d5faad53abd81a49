//! Les signaux au grand livre : reçus une fois, clos une fois.
//!
//! Invariants : un signal ouvert garde son texte, de quoi le reprendre ; un signal clos ne se rouvre pas.

use std::time::Duration;

use rusqlite::{Connection, params};
use rust_decimal::dec;

use super::novelty::{is_one_too_many, judge};
use super::{Db, LedgerError, Novelty, Received, Verdict, initial_sync, received, views};
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::Weight;
use crate::domain::poll::PollOutcome;
use crate::domain::signal::INITIAL_SYNC;
use crate::domain::wish::{self, Wish};

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
    /// Son allocation était vieille au premier démarrage, et personne n'a dit de la suivre.
    pub awaits_person: bool,
    /// De même, et une personne attend la suivante.
    pub is_declined: bool,
    pub received_at: Moment,
    /// D'un souhait, combien de temps ses ventes ont pu s'essayer.
    pub tried_for: Duration,
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

/// De combien, coin par coin et en tout, l'allocation d'actions suit les prix sans qu'on la récrive, et au-delà de quoi c'en est une autre.
const SAME_STATE: Weight = Weight::new(dec!(0.004));
const OTHER_STATE: Weight = Weight::new(dec!(0.1));

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
        let mut novelty = judge(&transaction, signal)?;
        let moved = moved_state(&transaction, signal)?.filter(|_| matches!(novelty, Novelty::Known(_)));
        if moved > Some(OTHER_STATE) {
            // Ce n'est plus celle que les prix font bouger.
            return Ok(Novelty::Changed);
        }
        if matches!(novelty, Novelty::Fresh(_)) && is_one_too_many(&transaction, now)? {
            return Ok(Novelty::OneTooMany);
        }
        // D'une vieille réponse rien ne se conclut.
        if novelty == Novelty::Old {
            return Ok(novelty);
        }
        if opens_sync {
            let is_news = matches!(novelty, Novelty::Fresh(_));
            initial_sync::open(&transaction, signal, is_news)?;
        }
        let fresh = matches!(novelty, Novelty::Fresh(_));
        if let Novelty::Fresh(named) = &mut novelty {
            let taken =
                || LedgerError::Refused(format!("a signal named {:?} is written already", named.name));
            named.row = received::insert(&transaction, signal, &named.name)?.ok_or_else(taken)?;
            note_missed(&transaction, named.row, signal.unheard_since)?;
            if opens_sync && signal.is_old {
                let sql = "UPDATE signals SET old_target = 'asked' WHERE id = ?1";
                transaction.execute(sql, [named.row])?;
            }
        }
        if let Novelty::Known(_) = novelty {
            renew(&transaction, signal)?;
        }
        // Le premier reçu depuis qu'un passé manquait, s'il dit ce que le leader veut : il a pu y être suivi. Les autres, non.
        let tells = !matches!(signal.verdict, Verdict::Rejected(_));
        if tells && transaction.execute("UPDATE agent SET past_unknown = 0 WHERE past_unknown = 1", [])? == 1
        {
            doubt_open(&transaction)?;
            initial_sync::renew_after_gap(&transaction, signal)?;
        }
        if let Some(target) = signal.target.filter(|_| fresh || moved > Some(SAME_STATE)) {
            for coin in Coin::ALL {
                transaction.execute(
                    "INSERT INTO leader_target (coin, weight) VALUES (?1, ?2)
                     ON CONFLICT (coin) DO UPDATE SET former = CASE WHEN ?3 THEN weight ELSE former END, weight = ?2",
                    params![coin, target.weight(coin), fresh],
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

    /// Retient pourquoi ce signal-ci ne peut pas être exécuté à ce tour. Dit deux fois, ce n'est écrit qu'une.
    pub fn hold(&mut self, row: i64, reason: &str) -> Result<(), LedgerError> {
        self.connection.execute(
            "UPDATE signals SET waiting_for = ?2 WHERE id = ?1 AND status = 'received' AND waiting_for IS NOT ?2",
            params![row, reason],
        )?;
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

/// Redit sous son nom, un signal ouvert a pu voir sa fin avancée ou repoussée ; de même la synchronisation initiale qui en vient.
fn renew(connection: &Connection, signal: &Received) -> Result<(), LedgerError> {
    let sql =
        "UPDATE signals SET payload = ?2, expires_at = ?4 WHERE status = 'received' AND payload IS NOT ?2
                   AND (coalesce(leader_id, signal_id) = ?1 AND meaning = ?3
                       OR signal_id = ?5 AND reasoning = ?6 AND ?3 IS NOT NULL)";
    let (id, sync) = (&signal.signal_id, initial_sync::reasoning_of_sync(signal));
    let params = params![id, signal.payload, signal.meaning, signal.expires_at, INITIAL_SYNC, sync];
    connection.execute(sql, params)?;
    Ok(())
}

/// De combien l'allocation de ces actions n'est plus celle que l'on montre ; `None` si ce n'en sont pas.
fn moved_state(connection: &Connection, signal: &Received) -> Result<Option<Weight>, LedgerError> {
    let Some(target) = signal.target.filter(|_| signal.version == Some(1)) else { return Ok(None) };
    let kept = views::leader_target(connection)?;
    let known = Coin::ALL.into_iter().filter_map(|coin| Some((target.weight(coin) - kept[coin]?).abs()));
    Ok(Some(known.sum()))
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

pub(super) fn insert_decisions(
    connection: &Connection,
    row: i64,
    decisions: &[Decision],
) -> Result<(), LedgerError> {
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

/// Note si d'autres signaux ont pu se dire avant celui-ci sans être entendus.
fn note_missed(connection: &Connection, row: i64, since: Moment) -> Result<(), LedgerError> {
    let deaf = [
        PollOutcome::Paused,
        PollOutcome::LeaderUnreachable,
        PollOutcome::LeaderRefused,
        PollOutcome::InvalidSignal,
        PollOutcome::TooManySignals,
    ];
    let deaf = deaf.map(PollOutcome::word).join(" ");
    let sql = "UPDATE signals SET missed = 1 WHERE id = ?1
               AND EXISTS (SELECT 1 FROM pulse WHERE polled_at < ?2 OR instr(?3, outcome) > 0)";
    connection.execute(sql, params![row, since, deaf])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;
    use crate::domain::market::PerCoin;
    use crate::domain::money::{Eur, Weight};
    use crate::domain::signal::Target;
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
            said_at: None,
            expires_at: None,
            heard_at: Moment(0),
            unheard_since: Moment(0),
            is_old: false,
            verdict: Verdict::Accepted,
        }
    }

    /// Ce que suivent les signaux ouverts, et si cela a peut-être été fait.
    fn open(ledger: &Ledger) -> Vec<(String, String, bool)> {
        let pending = smol::block_on(ledger.with(|db| db.pending())).expect("they are read");
        pending.into_iter().map(|entry| (entry.signal_id, entry.payload, entry.maybe_done)).collect()
    }

    #[test]
    fn what_we_write_among_the_signals_is_no_word_of_the_leader() {
        let ledger = ledger::in_memory("live", Eur::new(dec!(100)), Moment(0)).expect("a ledger");
        let said = Received { said_at: Some(Moment(500)), ..heard("s1", None) };
        smol::block_on(ledger.with(move |db| db.receive(&said, true, Moment(1000)))).expect("it is received");
        let ours = "INSERT INTO signals (signal_id, reasoning, actions, payload, status, received_at, executed_at, wish)
            VALUES ('adopted', 'ours', '[]', NULL, 'executed', 2000, 2000, NULL),
                   ('withdrawal-1', 'ours', '[]', NULL, 'executed', 3000, 3000, 'withdrawal'),
                   ('sell-all-1', 'ours', '[]', NULL, 'executed', 4000, 4000, 'sell_all')";
        let word = |db: &mut Db| {
            db.connection.execute_batch(ours)?;
            db.last_word()
        };
        let word = smol::block_on(ledger.with(word)).expect("it is read");
        assert_eq!(word, Some((Moment(0), Some(Moment(500)))));
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
