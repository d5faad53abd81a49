//! Ce que l'on vise au grand livre : une ligne, celle du signal que le leader montre.

use rusqlite::{Connection, params};

use super::novelty;
use super::signals::{self, insert_decisions};
use super::views::Prepared;
use super::{Db, Decision, LedgerError, SignalStatus};
use crate::domain::aim::{Aim, Cause};
use crate::domain::market::{Coin, PerCoin};
use crate::domain::moment::Moment;
use crate::domain::signal::INITIAL_SYNC;

/// Ce que l'on répond à qui décide d'une vieille allocation qui n'est pas offerte.
const NO_OLD_TARGET: &str = "no old allocation waits to be taken over or left";

impl Db {
    /// Vise l'allocation de ce signal. Atteinte avant qu'on ne la vise, elle l'est d'emblée.
    pub fn aim_at(&mut self, signal: i64, now: Moment) -> Result<Aim, LedgerError> {
        let before = "SELECT reached_at FROM signals WHERE id = ?1";
        let reached_at: Option<Moment> =
            self.connection.query_row_cached(before, [signal], |row| row.get(0))?;
        let movement = self.last_flow()?;
        let (cause, waiting_for, rules, contradicted) = (Cause::Signal, None, None, None);
        let aim = Aim { signal, cause, since: now, reached_at, movement, waiting_for, rules, contradicted };
        self.keep_aim(&aim)?;
        Ok(aim)
    }

    /// Écrit où l'on en est ; la première fois qu'elle est atteinte est aussi au signal.
    pub fn keep_aim(&mut self, aim: &Aim) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        transaction.execute(
            "INSERT INTO aim (id, signal, cause, since, reached_at, movement, waiting_for, rules, contradicted)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO UPDATE SET signal = ?1, cause = ?2, since = ?3, reached_at = ?4, movement = ?5,
                 waiting_for = ?6, rules = ?7, contradicted = ?8",
            params![
                aim.signal,
                aim.cause.word(),
                aim.since,
                aim.reached_at,
                aim.movement,
                aim.waiting_for,
                aim.rules,
                aim.contradicted.as_ref().map(listed)
            ],
        )?;
        if let Some(at) = aim.reached_at {
            let sql = "UPDATE signals SET reached_at = ?2 WHERE id = ?1 AND reached_at IS NULL";
            transaction.execute(sql, params![aim.signal, at])?;
        }
        Ok(transaction.commit()?)
    }

    /// Retient ce qui empêche de la viser, si elle n'est pas atteinte, ou ne l'est plus depuis un mouvement. Dit deux fois, ce n'est écrit
    /// qu'une.
    pub fn hinder_aim(&mut self, reason: &str, now: Moment) -> Result<(), LedgerError> {
        let Some(aim) = self.aim()? else { return Ok(()) };
        let movement = self.last_flow()?;
        let is_reached = aim.reached_at.is_some();
        if is_reached && movement <= aim.movement {
            return Ok(());
        }
        let hindered = Aim { waiting_for: Some(reason.to_owned()), ..aim.clone() };
        let hindered = match is_reached {
            true => Aim { cause: Cause::Money, since: now, reached_at: None, movement, ..hindered },
            false => hindered,
        };
        if hindered == aim { Ok(()) } else { self.keep_aim(&hindered) }
    }

    /// Vrai si le leader a dit autre chose depuis ce signal.
    pub fn is_replaced(&self, signal: i64) -> Result<bool, LedgerError> {
        novelty::is_replaced(&self.connection, signal)
    }

    /// Écrit ce qui s'est décidé de nouveau d'un signal clos.
    pub fn decide_again(&mut self, signal: i64, decisions: &[Decision]) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        insert_decisions(&transaction, signal, decisions)?;
        Ok(transaction.commit()?)
    }

    /// Une personne décide d'une allocation qui était vieille au premier démarrage : la suivre, ou attendre la suivante. Refuse s'il
    /// n'y en a pas.
    pub fn settle_old_target(&mut self, follow: bool, now: Moment) -> Result<(), LedgerError> {
        let is_asked = self.old_target(now)?.is_some();
        let transaction = self.transaction()?;
        let word = if follow { "taken" } else { "declined" };
        let sql = "UPDATE signals SET old_target = ?1 WHERE old_target IN ('asked', 'declined') AND old_target <> ?1";
        if !is_asked || transaction.execute(sql, [word])? == 0 {
            return Err(LedgerError::Refused(NO_OLD_TARGET.to_owned()));
        }
        if !follow {
            let sql =
                "SELECT id FROM signals WHERE old_target = ?1 AND status = 'received' AND signal_id <> ?2";
            let open = transaction
                .prepare(sql)?
                .query_map([word, INITIAL_SYNC], |row| row.get(0))?
                .collect::<Result<Vec<i64>, _>>()?;
            let status = SignalStatus::Skipped("a person waits for the leader's next allocation".to_owned());
            for row in open {
                signals::close(&transaction, row, &status, &[], now)?;
            }
        }
        Ok(transaction.commit()?)
    }
}

/// Ces coins, en un texte.
fn listed(coins: &PerCoin<bool>) -> String {
    let named: Vec<&str> = coins.chosen().map(Coin::pair).collect();
    named.join(" ")
}

/// Vise de nouveau ce qui est visé, pour cette raison.
pub(super) fn reopen(connection: &Connection, cause: Cause, now: Moment) -> Result<(), LedgerError> {
    let sql = "UPDATE aim SET cause = ?1, since = ?2, reached_at = NULL, waiting_for = NULL";
    connection.execute(sql, params![cause.word(), now])?;
    Ok(())
}
