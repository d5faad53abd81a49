//! La perte que l'on se fixe, au grand livre : qui l'a fixée, son plus haut, le compte des évaluations, et l'arrêt.
//!
//! Invariants : le recul se relit des relevés, donc une coupure n'en oublie rien ; l'arrêt, la pause et la vente de tout sont une
//! seule transaction, celle du tour qui en décide ; rien n'est jugé où la survie ne l'est pas, ni en pause ; reprendre commence
//! un nouveau plus haut.

use rusqlite::{Connection, params};

use super::views::Prepared;
use super::{Db, LedgerError, survival, views, wishes};
use crate::domain;
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Weight};
use crate::domain::portfolio::Valuation;
use crate::domain::stop_loss::{Choice, Limit, SetBy};
use crate::domain::survival::Reading;

/// Ce qu'il en est, tel que les écrans le montrent.
#[derive(Clone, Debug)]
pub struct StopLoss {
    /// `None` s'il n'y en a pas.
    pub limit: Option<Limit>,
    pub set_by: Option<SetBy>,
    /// Ce que disait `STOP_LOSS_PCT` au démarrage.
    pub configured: Option<Limit>,
    /// Le recul au dernier relevé ; `None` sans limite, ou avant que le plus haut ne soit su.
    pub fall: Option<Weight>,
    /// Évaluations de suite où elle est atteinte.
    pub low_in_a_row: u32,
    /// Atteinte, et personne n'a repris depuis : quand, et de combien.
    pub reached: Option<(Moment, Weight)>,
}

/// Ce qu'une évaluation dit du recul.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fall {
    limit: Limit,
    now: Weight,
    reading: Reading,
    read_at: Moment,
}

/// La ligne.
struct Kept {
    configured: Option<Weight>,
    chosen: Option<Weight>,
    after_snapshot: i64,
    low_in_a_row: u32,
    judged_at: Option<Moment>,
    reached: Option<(Moment, Weight)>,
}

impl Kept {
    fn read(connection: &Connection) -> Result<Kept, LedgerError> {
        let sql =
            "SELECT configured, chosen, after_snapshot, low_in_a_row, judged_at, reached_at, reached_fall
                   FROM stop_loss";
        Ok(connection.query_row_cached(sql, [], |row| {
            let reached: (Option<Moment>, Option<Weight>) = (row.get(5)?, row.get(6)?);
            Ok(Kept {
                configured: row.get(0)?,
                chosen: row.get(1)?,
                after_snapshot: row.get(2)?,
                low_in_a_row: row.get(3)?,
                judged_at: row.get(4)?,
                reached: reached.0.zip(reached.1),
            })
        })?)
    }

    fn limit(&self) -> Option<Limit> {
        self.chosen.or(self.configured).and_then(Limit::of)
    }

    fn set_by(&self) -> Option<SetBy> {
        let configured = self.configured.map(|_| SetBy::Configuration);
        self.chosen.map(|_| SetBy::Person).or(configured)
    }
}

impl Db {
    /// Retient ce que dit `STOP_LOSS_PCT` ; ce qu'une personne a choisi l'emporte. Rend la limite qui vaut.
    pub fn configure_stop_loss(&mut self, configured: Option<Limit>) -> Result<Option<Limit>, LedgerError> {
        if Kept::read(&self.connection)?.configured == configured.map(Limit::part) {
            return Ok(Kept::read(&self.connection)?.limit());
        }
        let transaction = self.transaction()?;
        let limit = change(&transaction, "configured", configured.map(Limit::part))?;
        transaction.commit()?;
        Ok(limit)
    }

    /// Fixe la limite qu'une personne choisit ; rend celle qui vaut.
    ///
    /// # Errors
    /// Quand elle est déjà atteinte, et que la personne ne l'a pas lu.
    pub fn choose_stop_loss(
        &mut self,
        choice: Choice,
        understood: bool,
    ) -> Result<Option<Limit>, LedgerError> {
        let before = Kept::read(&self.connection)?;
        let fall = self.watched_fall()?;
        let transaction = self.transaction()?;
        let chosen = match choice {
            Choice::Own(limit) => Some(limit.map_or(Weight::ZERO, Limit::part)),
            Choice::AsConfigured => None,
        };
        let limit = change(&transaction, "chosen", chosen)?;
        let goes_on = before.limit().is_some() && survival::is_at_stake(&transaction)?;
        if let (Some(limit), Some(fall), true) = (limit, fall, goes_on && !understood)
            && limit.is_reached(fall)
        {
            return Err(LedgerError::Refused(format!(
                "the value is {} % below its highest now: with {limit} everything is sold after five readings; \
                 send {{\"understood\": true}} if that is what you want, nothing was changed",
                fall.percent()
            )));
        }
        transaction.commit()?;
        Ok(limit)
    }

    /// Ce qu'il en est.
    pub fn stop_loss(&mut self) -> Result<StopLoss, LedgerError> {
        let (fall, kept) = (self.watched_fall()?, Kept::read(&self.connection)?);
        Ok(StopLoss {
            limit: kept.limit(),
            set_by: kept.set_by(),
            configured: kept.configured.and_then(Limit::of),
            fall,
            low_in_a_row: kept.low_in_a_row,
            reached: kept.reached,
        })
    }

    /// Vrai si une perte que l'on s'est fixée se juge.
    pub fn has_stop_loss(&self) -> Result<bool, LedgerError> {
        Ok(Kept::read(&self.connection)?.limit().is_some())
    }

    /// Vrai si cette valeur atteint la perte que l'on s'est fixée : il faut alors la confirmer.
    pub fn reaches_stop_loss(&mut self, total: Eur) -> Result<bool, LedgerError> {
        let Some(limit) = Kept::read(&self.connection)?.limit() else { return Ok(false) };
        let level = views::level(&self.connection, total)?;
        let fall = self.watched()?.and_then(|drawdown| drawdown.at(level));
        Ok(fall.is_some_and(|fall| limit.is_reached(fall)))
    }

    /// Ce que cette évaluation dit du recul ; `averaged` est ce que tout vaut aux prix moyens. `None` sans limite, ou tant qu'il
    /// n'y a pas de plus haut.
    pub(super) fn fall(
        &mut self,
        valuation: &Valuation,
        averaged: Option<Eur>,
    ) -> Result<Option<Fall>, LedgerError> {
        let Some(limit) = Kept::read(&self.connection)?.limit() else { return Ok(None) };
        let level = |value| views::level(&self.connection, value);
        let (here, beside) = (level(valuation.total_eur)?, averaged.map(level).transpose()?);
        let Some(drawdown) = self.watched()? else { return Ok(None) };
        let Some(now) = drawdown.at(here) else { return Ok(None) };
        let is_reached = |fall: Weight| limit.is_reached(fall);
        let beside = beside.and_then(|beside| drawdown.at(beside)).map(is_reached);
        let reading = Reading::beside(limit.is_reached(now), beside);
        Ok(Some(Fall { limit, now, reading, read_at: valuation.read_at }))
    }

    fn watched_fall(&mut self) -> Result<Option<Weight>, LedgerError> {
        Ok(self.watched()?.and_then(|drawdown| drawdown.now()))
    }

    /// Le recul depuis le plus haut qui compte, relu où il en était ; `None` sans limite.
    fn watched(&mut self) -> Result<Option<&domain::drawdown::Drawdown>, LedgerError> {
        let kept = Kept::read(&self.connection)?;
        if kept.limit().is_none() {
            self.watched = None;
            return Ok(None);
        }
        let begin = || views::Followed::after(kept.after_snapshot, domain::stop_loss::drawdown());
        let watched = self.watched.take().filter(|(since, _)| *since == kept.after_snapshot);
        let (_, followed) = self.watched.insert(watched.unwrap_or_else(|| (kept.after_snapshot, begin())));
        followed.go_on(&self.connection).map(Some)
    }
}

/// Change ce que dit l'un des deux ; rend la limite qui vaut. Mise quand il n'y en avait pas, son plus haut commence là.
fn change(connection: &Connection, column: &str, part: Option<Weight>) -> Result<Option<Limit>, LedgerError> {
    let before = Kept::read(connection)?.limit();
    connection.execute(&format!("UPDATE stop_loss SET {column} = ?1"), [part])?;
    let after = Kept::read(connection)?.limit();
    if before.is_none() && after.is_some() {
        watch_anew(connection)?;
    } else if before != after {
        connection.execute("UPDATE stop_loss SET low_in_a_row = 0", [])?;
    }
    Ok(after)
}

fn watch_anew(connection: &Connection) -> Result<(), LedgerError> {
    let sql = "UPDATE stop_loss SET low_in_a_row = 0,
                   after_snapshot = (SELECT coalesce(max(id), 0) FROM snapshots)";
    connection.execute(sql, [])?;
    Ok(())
}

/// Une personne a repris : le plus haut commence là, et ce qui avait été atteint ne l'est plus.
pub(super) fn begin_anew(connection: &Connection) -> Result<(), LedgerError> {
    watch_anew(connection)?;
    let sql = "UPDATE stop_loss SET reached_at = NULL, reached_fall = NULL WHERE reached_at IS NOT NULL";
    connection.execute(sql, [])?;
    Ok(())
}

/// Compte une évaluation ; la limite atteinte, ouvre la vente de tout et met en pause. Rend alors pourquoi.
pub(super) fn judge(
    connection: &Connection,
    fall: Option<Fall>,
    now: Moment,
) -> Result<Option<String>, LedgerError> {
    let Some(fall) = fall else { return Ok(None) };
    let kept = Kept::read(connection)?;
    let low = kept.low_in_a_row;
    // Une bourse muette laisse la même lecture à plusieurs tours : elle n'est jugée qu'une fois. Et rien de bas, ni avant ni
    // maintenant, ne s'écrit.
    if kept.judged_at == Some(fall.read_at) || (low == 0 && fall.reading == Reading::Well) {
        return Ok(None);
    }
    let judged = survival::is_at_stake(connection)?;
    let low_now = if judged { domain::survival::count(low, fall.reading) } else { 0 };
    if low == low_now {
        return Ok(None);
    }
    let sql = "UPDATE stop_loss SET low_in_a_row = ?1, judged_at = ?2";
    connection.execute(sql, params![low_now, fall.read_at])?;
    if low_now < domain::survival::READINGS {
        return Ok(None);
    }
    stop(connection, &fall, now).map(Some)
}

fn stop(connection: &Connection, fall: &Fall, now: Moment) -> Result<String, LedgerError> {
    let Fall { limit, now: fallen, .. } = fall;
    let reason = format!(
        "the stop loss was reached: the value was {} % below its highest, and the limit is {limit}",
        fallen.percent()
    );
    wishes::sell_all(connection, "the stop loss sells all and stops", &reason, now)?;
    connection.execute(
        "UPDATE stop_loss SET low_in_a_row = 0, reached_at = ?1, reached_fall = ?2",
        params![now, fallen],
    )?;
    Ok(reason)
}
