//! La survie au grand livre : ce qui est jugé, le compte des évaluations basses, la mort, et ce qu'un mouvement laisserait.
//!
//! Invariants : rien n'est jugé en pause, ni quand le compte tient autre chose que les livres, ni après un mouvement qui laissait moins que le moindre capital, tant qu'un autre
//! n'en laisse pas assez ; un mort le reste.

use rusqlite::{Connection, OptionalExtension, params};

use super::views::Prepared;
use super::{Db, LedgerError, balances, foreign, views};
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Usdc};
use crate::domain::movement::Movement;
use crate::domain::portfolio::Valuation;
use crate::domain::reconcile::{Asset, Line};
use crate::domain::survival::{self, Reading};

/// Où en est l'agent.
struct Agent {
    dead: bool,
    paused: bool,
    low_in_a_row: u32,
    /// L'instant des cours de la dernière évaluation comptée.
    judged_at: Option<Moment>,
    /// Mort sous le programme Python, et pas encore jugé par nous.
    dead_before: bool,
}

impl Agent {
    fn read(connection: &Connection) -> Result<Agent, LedgerError> {
        let sql = "SELECT state = 'DEAD', paused, low_in_a_row, judged_at, dead_before FROM agent";
        Ok(connection.query_row_cached(sql, [], |row| {
            Ok(Agent {
                dead: row.get(0)?,
                paused: row.get(1)?,
                low_in_a_row: row.get(2)?,
                judged_at: row.get(3)?,
                dead_before: row.get(4)?,
            })
        })?)
    }

    fn is_judged(&self, connection: &Connection) -> Result<bool, LedgerError> {
        match self {
            Agent { dead: true, .. } => Ok(false),
            Agent { dead_before: true, .. } => Ok(true),
            Agent { paused: true, .. } => Ok(false),
            _ => Ok(falls_by_itself(connection)? && is_what_it_holds(connection)?),
        }
    }
}

/// Vrai si le dernier mouvement d'une personne laissait au moins le moindre capital.
fn falls_by_itself(connection: &Connection) -> Result<bool, LedgerError> {
    let sql = "SELECT value_eur FROM movements WHERE kind <> 'dust' ORDER BY id DESC LIMIT 1";
    let left: Option<Option<Eur>> = connection.query_row_cached(sql, [], |row| row.get(0)).optional()?;
    Ok(left.flatten().is_some_and(survival::is_a_budget))
}

/// Vrai si rien ne dit que le compte tient autre chose que les livres : des ordres d'ici qu'ils n'ont pas, un actif qui en est
/// parti. Qui a vendu un coin dehors n'a pas perdu ce que ce coin perd ensuite.
fn is_what_it_holds(connection: &Connection) -> Result<bool, LedgerError> {
    let alone = "SELECT not_alone IS NULL FROM exchange";
    if foreign::has_evidence(connection)? || !connection.query_row_cached(alone, [], |row| row.get(0))? {
        return Ok(false);
    }
    for asset in Asset::all() {
        let line = balances::kept(connection, asset)?;
        let lacks = |line: Line| match asset {
            Asset::Cash => line.shortage() > line.locked_short(),
            // Une vente en doute l'a peut-être pris : ce n'est pas une perte.
            Asset::Coin(_) => line.gone().is_positive(),
        };
        if line.is_some_and(lacks) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Db {
    /// Vrai tant que ce que le programme Python disait mort n'est pas jugé de nouveau.
    pub fn judges_the_dead(&self) -> Result<bool, LedgerError> {
        Ok(self.connection.query_row_cached("SELECT dead_before FROM agent", [], |row| row.get(0))?)
    }

    /// Vrai si une évaluation basse compterait : il faut alors la confirmer.
    pub fn is_judged(&self) -> Result<bool, LedgerError> {
        Agent::read(&self.connection)?.is_judged(&self.connection)
    }
}

/// Vrai si ce qui baisse est une perte, d'un agent qui suit.
pub(super) fn is_at_stake(connection: &Connection) -> Result<bool, LedgerError> {
    let agent = Agent::read(connection)?;
    Ok(!agent.paused && !agent.dead_before && agent.is_judged(connection)?)
}

/// Compte une évaluation complète pour la survie ; `averaged` est ce que tout vaut aux prix moyens, s'ils sont connus. Rend
/// vrai si l'agent vient d'en mourir.
pub(super) fn survive(
    connection: &Connection,
    valuation: &Valuation,
    averaged: Option<Eur>,
) -> Result<bool, LedgerError> {
    let agent = Agent::read(connection)?;
    let reading = Reading::of(valuation.total_eur, averaged);
    if agent.dead_before {
        return judge_the_dead(connection, reading, valuation.total_eur);
    }
    // Une bourse muette laisse la même lecture à plusieurs tours : elle n'est jugée qu'une fois.
    if agent.judged_at == Some(valuation.read_at) {
        return Ok(false);
    }
    let low = agent.low_in_a_row;
    // Rien de bas, ni avant ni maintenant : rien à retenir, et une page de moins à écrire à chaque tour.
    if low == 0 && reading == Reading::Well {
        return Ok(false);
    }
    let low_now = if agent.is_judged(connection)? { survival::count(low, reading) } else { 0 };
    if low == low_now {
        return Ok(false);
    }
    let dies = !agent.dead && low_now >= survival::READINGS;
    connection.execute(
        "UPDATE agent SET low_in_a_row = ?1, judged_at = ?2, state = CASE WHEN ?3 THEN 'DEAD' ELSE state END",
        params![low_now, valuation.read_at, dies],
    )?;
    Ok(dies)
}

/// Celui que le programme Python disait mort l'est encore s'il vaut moins que le seuil ; sinon il reste en pause, et une
/// personne le reprend.
fn judge_the_dead(connection: &Connection, reading: Reading, total: Eur) -> Result<bool, LedgerError> {
    match reading {
        Reading::Unproved => return Ok(false),
        Reading::Low => {
            connection
                .execute("UPDATE agent SET dead_before = 0, state = 'DEAD', paused_reason = NULL", [])?;
        }
        Reading::Well => {
            let reason = format!(
                "the Python version called it DEAD, and it is worth {total:.2} EUR: have a look, then resume it"
            );
            connection.execute("UPDATE agent SET dead_before = 0, paused_reason = ?1", [reason])?;
        }
    }
    Ok(reading == Reading::Low)
}

/// Refuse d'apporter quoi que ce soit à un mort : rien n'y serait plus suivi.
pub(super) fn refuse_to_feed_the_dead(
    connection: &Connection,
    movement: &Movement,
) -> Result<(), LedgerError> {
    let brings =
        movement.usdc.is_positive() || movement.moved.is_some_and(|moved| moved.quantity.is_positive());
    if brings && Agent::read(connection)?.dead {
        let reason = format!(
            "{}, and trades no more: what is brought to it would only lie there; begin a new ledger with another \
             DB_PATH, nothing was changed",
            survival::DEAD
        );
        return Err(LedgerError::Refused(reason));
    }
    Ok(())
}

/// La phrase à dire avant ce mouvement, s'il laisse moins que le seuil, ou si l'on n'en sait rien.
pub(super) fn warning(
    connection: &Connection,
    movement: &Movement,
    now: Moment,
) -> Result<Option<String>, LedgerError> {
    let Some(holdings) = views::holdings(connection)? else { return Ok(None) };
    let prices = views::fresh_prices(connection, now)?;
    let known: Usdc =
        prices.iter().filter_map(|(coin, price)| Some((*price)? * holdings.positions[coin].quantity)).sum();
    let left = (holdings.cash + known + movement.usdc).to_eur(movement.rate);
    if !movement.usdc.decimal().is_sign_negative() || !survival::is_low(left) {
        return Ok(None);
    }
    let about = match holdings.coins_at(&prices) {
        Some(_) => format!("this leaves {:.2} EUR", left.floor(2)),
        None => "this may leave less than 5 EUR (a price is not known now)".to_owned(),
    };
    let (minimum, least) = (survival::MINIMUM, survival::LEAST_BUDGET);
    Ok(Some(format!(
        "{about}: under {minimum} EUR no signal can be followed, and whether it survives is not judged until a \
         deposit leaves {least} EUR or more; say \"understood\": true to do it, nothing was changed"
    )))
}
