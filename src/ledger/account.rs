//! Le compte et l'agent : le cash par ses mouvements, le total déposé, la pause.
//!
//! Invariant : le cash ne change ici que par un mouvement écrit dans la même transaction, au cours du
//! moment ; il ne devient jamais négatif.

use rusqlite::{Connection, OptionalExtension, params};

use super::views::Prepared;
use super::{Db, LedgerError, aim, flows, last_known, movements, seal, stop_loss, wishes};
use crate::domain;
use crate::domain::aim::Cause;
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Rate, Usdc};
use crate::domain::movement::{Kind, Movement};
use crate::domain::survival::DEAD;

/// Ce qu'un signal attend tant qu'un tour ne l'a pas dit mieux.
const JUST_STARTED: &str = "it has just started: nothing is read yet";

/// Pose l'agent et le compte à la création ; vérifie le mode. Les lectures du dehors sont oubliées et
/// l'échange réel est fermé : au démarrage rien n'est su tant que rien n'est relu.
pub(super) fn settle(
    connection: &Connection,
    mode: &str,
    initial: Eur,
    now: Moment,
) -> Result<(), LedgerError> {
    connection.execute(
        "INSERT OR IGNORE INTO agent (id, mode, tag) VALUES (1, ?1, lower(hex(randomblob(4))))",
        [mode],
    )?;
    let created = connection.execute(
        "INSERT OR IGNORE INTO account (id, initial_eur, deposited_eur, created_at) VALUES (1, ?1, ?1, ?2)",
        params![initial, now],
    )?;
    if created == 1 {
        refuse_too_little(initial)?;
        seal::lay(connection, &seal::ACCOUNT, 1)?;
    }
    let booked: Eur = connection.query_row("SELECT initial_eur FROM account", [], |row| row.get(0))?;
    if booked != initial {
        log::info!("initial_budget_kept eur={booked} configured={initial} reason=\"it counts only once\"");
    }
    let kept: String = connection.query_row("SELECT mode FROM agent", [], |row| row.get(0))?;
    if kept != mode {
        return Err(LedgerError::Refused(format!(
            "this database belongs to {kept} and TRADING_MODE is {mode}: set another DB_PATH for {mode}, \
             or set TRADING_MODE={kept}"
        )));
    }
    last_known::set_aside(connection)?;
    connection.execute(
        "UPDATE exchange SET closed = iif(?1 = 'live', 'it has just started: nothing is checked yet', NULL)",
        [mode],
    )?;
    connection.execute("UPDATE signals SET waiting_for = ?1 WHERE status = 'received'", [JUST_STARTED])?;
    Ok(())
}

/// Un capital qui mourrait au premier mouvement des prix n'en est pas un.
fn refuse_too_little(initial: Eur) -> Result<(), LedgerError> {
    let least = domain::survival::LEAST_BUDGET;
    if initial >= least {
        return Ok(());
    }
    Err(LedgerError::Refused(format!(
        "INITIAL_BUDGET_EUR is {initial}, and the least that a new ledger can begin with is {least} EUR: under {} EUR \
         it would be DEAD",
        domain::survival::MINIMUM
    )))
}

impl Db {
    /// Compte le capital initial en USDC, une seule fois, au cours du moment. Rend le cash si c'est
    /// cette fois-ci. `there` est ce que le compte réel a de libre : un grand livre neuf n'ouvre pas avec davantage.
    ///
    /// # Errors
    /// Quand ce qui est là n'est pas un capital.
    pub fn book_opening(
        &mut self,
        rate: Rate,
        there: Option<Usdc>,
        now: Moment,
    ) -> Result<Option<Usdc>, LedgerError> {
        let transaction = self.transaction()?;
        let opened = open(&transaction, rate, there, now)?;
        transaction.commit()?;
        Ok(opened)
    }

    /// Vrai si ces livres, dont l'ouverture n'est pas comptée, viennent d'une base reprise : il ne lui faut rien de nouveau.
    pub fn is_taken_over(&self) -> Result<bool, LedgerError> {
        has_past(&self.connection)
    }

    /// Le numéro du dernier mouvement du capital ; 0 s'il n'y en a pas.
    pub fn last_movement(&self) -> Result<i64, LedgerError> {
        let sql = "SELECT coalesce(max(id), 0) FROM movements";
        Ok(self.connection.query_row_cached(sql, [], |row| row.get(0))?)
    }

    /// Met en pause, reprend, ou retourne l'état si `paused` est `None` ; rend l'état. Reprendre révoque « tout vendre », et la
    /// perte que l'on s'est fixée se compte d'un nouveau plus haut, et l'allocation est visée de nouveau.
    pub fn set_paused(&mut self, paused: Option<bool>, now: Moment) -> Result<bool, LedgerError> {
        let transaction = self.transaction()?;
        let was_paused: bool = transaction.query_row("SELECT paused FROM agent", [], |row| row.get(0))?;
        let (paused, unjudged, dead): (bool, bool, bool) = transaction.query_row(
            "UPDATE agent SET paused = coalesce(?1, 1 - paused),
                 paused_reason = iif(coalesce(?1, 1 - paused) = paused, paused_reason, NULL)
             RETURNING paused, dead_before, state = 'DEAD'",
            [paused],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        if dead && !paused {
            return Err(LedgerError::Refused(format!("{DEAD}: it follows no more, resumed or not")));
        }
        if !paused && unjudged {
            let reason = "the Python version called it DEAD: it can be resumed once its value is known";
            return Err(LedgerError::Refused(reason.to_owned()));
        }
        if !paused {
            wishes::call_off_sell_all(&transaction, "called off: a person resumed following")?;
        }
        if was_paused && !paused {
            stop_loss::begin_anew(&transaction)?;
            // Ce que la pause a laissé passer, ou vendre, est à rattraper.
            aim::reopen(&transaction, Cause::Signal, now)?;
        }
        transaction.commit()?;
        Ok(paused)
    }
}

/// Vrai d'une base reprise : elle tient déjà des coins, et son capital est une histoire.
fn has_past(connection: &Connection) -> Result<bool, LedgerError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM trades) OR EXISTS (SELECT 1 FROM positions)";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Compte le capital initial, s'il ne l'est pas ; dans ce qui est là, s'il y a moins.
pub(super) fn open(
    connection: &Connection,
    rate: Rate,
    there: Option<Usdc>,
    now: Moment,
) -> Result<Option<Usdc>, LedgerError> {
    let unopened: Option<(Eur, Usdc)> = connection
        .query_row("SELECT deposited_eur, brought_usdc FROM account WHERE cash IS NULL", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((deposited, brought)) = unopened else {
        return Ok(None);
    };
    let is_new = !has_past(connection)?;
    let opening = capital(deposited, there.filter(|_| is_new), rate)?;
    let Movement { eur, usdc, .. } = opening;
    // Une base reprise peut avoir dépensé un rien de plus que ce cours ne donne.
    let cash = (usdc + brought).max(Usdc::ZERO);
    movements::insert(connection, &opening, now)?;
    // La base a pu être faite à une heure fausse (1970 sur un Raspberry Pi) ; celle-ci est juste. Reprise du programme
    // Python, elle garde son début.
    seal::change(connection, &seal::ACCOUNT, 1, |connection| {
        connection.execute(
            "UPDATE account SET cash = ?1, deposited_eur = ?3, initial_eur = iif(?4, ?3, initial_eur), created_at =
                 iif(EXISTS (SELECT 1 FROM trades) OR EXISTS (SELECT 1 FROM snapshots), created_at, ?2)",
            params![cash, now, eur, is_new],
        )
    })?;
    flows::value_last(connection, rate, now)?;
    Ok(Some(cash))
}

/// L'ouverture : le capital voulu, ou ce qui est là s'il y a moins.
fn capital(wanted: Eur, there: Option<Usdc>, rate: Rate) -> Result<Movement, LedgerError> {
    let whole = Movement::of_euros(Kind::Opening, wanted, rate);
    let Some(there) = there.filter(|there| *there < whole.usdc) else { return Ok(whole) };
    let opening = Movement::of_usdc(Kind::Opening, there, rate);
    if domain::survival::is_a_budget(opening.eur) {
        return Ok(opening);
    }
    let least = domain::survival::LEAST_BUDGET;
    Err(LedgerError::Refused(format!(
        "the account holds {:.2} USDC free: bring at least {:.2} USDC ({least} EUR) to its Spot wallet to begin, or \
         {:.2} USDC for the whole budget",
        there.floor(2),
        least.to_usdc(rate).ceil(2),
        whole.usdc.ceil(2)
    )))
}
