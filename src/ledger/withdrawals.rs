//! Les retraits au grand livre : voulus, réunis et mis de côté, puis constatés partis ou révoqués.
//!
//! Invariants : un retrait au plus est ouvert ; ce qui lui est mis de côté n'est à personne d'autre ; le mouvement, ce qu'il
//! change et l'état du retrait sont une seule transaction, écrite une fois pour chaque part constatée.

use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;

use super::{
    Db, Decision, LedgerError, RequestKey, SignalStatus, aim, foreign, movements, requests, seal, signals,
    views, wishes,
};
use crate::domain::aim::Cause;
use crate::domain::market::Market;
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Quantity, Rate, Usdc};
use crate::domain::movement::{Kind, Movement};
use crate::domain::reconcile::Line;
use crate::domain::wish::Wish;
use crate::domain::withdrawal::{self, Asked, Shown, Stage, Terms};

/// Un retrait qu'une personne demande.
#[derive(Clone, Debug)]
pub struct Request {
    pub asked: Asked,
    pub understood: bool,
    /// Le nom de la demande, si elle en a un.
    pub key: Option<RequestKey>,
}

/// Le retrait ouvert.
struct Open {
    id: i64,
    signal: i64,
    stage: Stage,
    wanted: Option<Usdc>,
    set_aside: Usdc,
    taken: Usdc,
    received: Eur,
    level: Option<Usdc>,
}

impl Db {
    /// Ouvre un retrait, à mener à bien ; rend son numéro et ce qu'il fera, ou `None` si cette demande l'avait déjà ouvert.
    ///
    /// # Errors
    /// La phrase qui dit pourquoi rien n'est fait.
    pub fn open_withdrawal(
        &mut self,
        request: &Request,
        market: &Market,
        now: Moment,
    ) -> Result<(i64, Option<Terms>), LedgerError> {
        let transaction = self.transaction()?;
        if let Some(key) = &request.key
            && let Some(id) = requests::made(&transaction, key, now)?
        {
            return Ok((id, None));
        }
        let Request { asked, understood, key } = request;
        let terms = terms(&transaction, *asked, market, *understood)?;
        let wanted = matches!(asked, Asked::Euros(_)).then_some(terms.usdc);
        transaction.execute(
            "INSERT INTO withdrawals (requested_eur, sold_usdc, received_eur, rate, positions_sold, status, simulated,
                 at, wanted_usdc, set_aside_usdc, taken_usdc)
             VALUES (?1, '0', '0', ?2, '[]', ?3, (SELECT mode = 'dry_run' FROM agent), ?4, ?5, '0', '0')",
            params![terms.requested, inverse(market.rate), Stage::Selling.word(), now, wanted],
        )?;
        let id = transaction.last_insert_rowid();
        let reasoning = match asked {
            Asked::Euros(amount) => format!("a person takes {amount:.2} EUR out"),
            Asked::All => "a person takes everything out".to_owned(),
        };
        let signal = wishes::insert(&transaction, Wish::Withdrawal, id, wanted, &reasoning, now)?;
        transaction.execute("UPDATE withdrawals SET signal = ?2 WHERE id = ?1", params![id, signal])?;
        seal::lay(&transaction, &seal::WITHDRAWALS, id)?;
        if let Some(key) = key {
            requests::keep(&transaction, key, id, now)?;
        }
        transaction.commit()?;
        Ok((id, Some(terms)))
    }

    /// Ce que ferait ce retrait, aux prix du moment ; rien n'est ouvert.
    ///
    /// # Errors
    /// La phrase qui dit pourquoi il ne se peut pas.
    pub fn withdrawal_terms(&self, asked: Asked, market: &Market) -> Result<Terms, LedgerError> {
        terms(&self.connection, asked, market, true)
    }

    /// Clôt le signal d'un retrait et met de côté ce qui est réuni ; en simulation, le retrait est fait.
    pub fn close_withdrawal(
        &mut self,
        row: i64,
        status: &SignalStatus,
        decisions: &[Decision],
        rate: Rate,
        now: Moment,
    ) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        signals::close(&transaction, row, status, decisions, now)?;
        if let Some(open) = open_one(&transaction)?.filter(|open| open.is_sold_by(row)) {
            set_aside(&transaction, &open, rate, now)?;
        }
        Ok(transaction.commit()?)
    }

    /// Révoque un retrait : ce qui a été vendu pour lui est du cash comme un autre.
    pub fn cancel_withdrawal(&mut self, id: i64, now: Moment) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        let Some(open) = open_one(&transaction)?.filter(|open| open.id == id) else {
            return Err(LedgerError::Refused(format!("withdrawal {id} is not open: nothing to call off")));
        };
        call_off(&transaction, &open, "called off by a person", now)?;
        Ok(transaction.commit()?)
    }

    /// Vrai si le retrait ouvert, réel, n'a pas encore de quoi se comparer à ce que le compte tiendra.
    pub fn awaits_reading(&self) -> Result<bool, LedgerError> {
        let sql = "SELECT mode = 'live' FROM agent";
        let live: bool = self.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(live && open_one(&self.connection)?.is_some_and(|open| open.level.is_none()))
    }

    /// Ce qui est parti du retrait mis de côté, à cette lecture des USDC du compte ; `None` si rien ne l'est, ou si elle ne le dit
    /// pas : un ordre est en doute, ou a fini après `quiet` et n'y est peut-être pas ; un achat qu'une personne a réglé depuis,
    /// sans rien booker, a peut-être dépensé ce qui manque.
    pub fn withdrawn(&mut self, seen: &Line, quiet: Moment) -> Result<Option<Usdc>, LedgerError> {
        let transaction = self.transaction()?;
        let Some(open) = open_one(&transaction)? else { return Ok(None) };
        let cash = views::cash(&transaction)?.unwrap_or_default();
        let unsettled =
            "SELECT EXISTS (SELECT 1 FROM intents WHERE state IN ('planned', 'sent', 'unknown', 'stuck')
                             OR (client_id IS NOT NULL AND ended_at > ?1)
                             OR (by_hand = 'settled' AND state <> 'filled' AND side = 'BUY'
                                 AND ended_at >= (SELECT at FROM withdrawals WHERE id = ?2)))";
        if transaction.query_row(unsettled, params![quiet, open.id], |row| row.get(0))?
            || foreign::has_evidence(&transaction)?
        {
            return Ok(None);
        }
        // Ni l'un ni l'autre ne change par nos ordres, ni par un mouvement que le compte n'a pas vu.
        let usdc = |quantity: Quantity| Usdc::new(quantity.decimal());
        let level = usdc(seen.surplus()) + claimed(&transaction)?;
        let gone = usdc(seen.gone());
        let before = open.level.unwrap_or(level + gone);
        let left = open.set_aside - open.taken;
        let shown = withdrawal::shown(before, level, gone.is_positive(), open.taken, left);
        let (before, gone) = match shown {
            Shown::Nothing => (before, None),
            Shown::Rebased(level) => (level, None),
            Shown::Gone(part) => (before, Some(part.min(cash.booked))),
        };
        if open.level != Some(before) {
            change(&transaction, open.id, |connection| {
                let sql = "UPDATE withdrawals SET level_usdc = ?2 WHERE id = ?1";
                connection.execute(sql, params![open.id, before])
            })?;
        }
        transaction.commit()?;
        Ok(gone.filter(|part| part.is_positive() && open.stage == Stage::SetAside))
    }

    /// Vrai si un ordre parti pour de vrai a fini depuis.
    pub fn has_ended_since(&self, at: Moment) -> Result<bool, LedgerError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM intents WHERE client_id IS NOT NULL AND ended_at > ?1)";
        Ok(self.connection.query_row(sql, [at], |row| row.get(0))?)
    }

    /// La personne dit avoir sorti ce qui restait à prendre de ce retrait, ou cette part : il est fini, et le reste est du cash
    /// comme un autre.
    ///
    /// # Errors
    /// Quand ce n'est pas lui qui attend d'être pris, qu'il en restait moins, ou qu'un ordre a pu dépenser cet argent sans qu'on
    /// le sache.
    pub fn taken_out(
        &mut self,
        id: i64,
        part: Option<Usdc>,
        rate: Rate,
        now: Moment,
    ) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        let open = open_one(&transaction)?.filter(|open| open.id == id && open.stage == Stage::SetAside);
        let Some(open) = open else {
            return Err(LedgerError::Refused(format!("withdrawal {id} does not wait to be taken out")));
        };
        foreign::refuse_evidence(&transaction)?;
        let left = open.set_aside - open.taken;
        let booked = views::cash(&transaction)?.unwrap_or_default().booked;
        // De ce qui restait, des frais ont pu prendre un rien.
        let all = if withdrawal::is_uncovered(booked, left) { left } else { left.min(booked) };
        let part = part.unwrap_or(all);
        if part > left {
            return Err(LedgerError::Refused(format!(
                "only {:.2} USDC of withdrawal {id} are still to be taken out: nothing was changed",
                left.floor(2)
            )));
        }
        take(&transaction, &open, part, Stage::Completed, rate, now)?;
        Ok(transaction.commit()?)
    }

    /// Compte cette part du retrait mis de côté comme partie, au cours du moment ; rend vrai si plus rien n'est à prendre.
    pub fn book_withdrawn(&mut self, part: Usdc, rate: Rate, now: Moment) -> Result<bool, LedgerError> {
        let transaction = self.transaction()?;
        let open = open_one(&transaction)?.filter(|open| open.stage == Stage::SetAside);
        let Some(open) = open.filter(|open| part <= open.set_aside - open.taken) else {
            return Err(LedgerError::Refused("no withdrawal waits to be taken out".to_owned()));
        };
        foreign::refuse_evidence(&transaction)?;
        let done = withdrawal::is_taken(open.set_aside, open.taken + part);
        let stage = if done { Stage::Completed } else { open.stage };
        take(&transaction, &open, part, stage, rate, now)?;
        transaction.commit()?;
        Ok(done)
    }
}

/// Ce que fera le retrait demandé, si aucun autre n'est ouvert.
fn terms(
    connection: &Connection,
    asked: Asked,
    market: &Market,
    understood: bool,
) -> Result<Terms, LedgerError> {
    if let Some(Open { id, .. }) = open_one(connection)? {
        return Err(LedgerError::Refused(format!(
            "withdrawal {id} is still open: take it out, or call it off first"
        )));
    }
    let unopened = || LedgerError::Refused("the opening is not booked yet".to_owned());
    let holdings = views::holdings(connection)?.ok_or_else(unopened)?;
    let cash = views::cash(connection)?.unwrap_or_default();
    withdrawal::terms(asked, &holdings, cash, market, understood).map_err(LedgerError::Refused)
}

impl Open {
    fn is_sold_by(&self, signal: i64) -> bool {
        self.signal == signal && self.stage == Stage::Selling
    }
}

/// Révoque le retrait ouvert dont les ventes ne sont pas finies, s'il y en a un.
pub(super) fn call_off_sales(connection: &Connection, reason: &str, now: Moment) -> Result<(), LedgerError> {
    match open_one(connection)?.filter(|open| open.stage == Stage::Selling) {
        Some(open) => call_off(connection, &open, reason, now),
        None => Ok(()),
    }
}

/// Révoque le retrait ouvert, s'il y en a un : ce que le compte tenait quand il a été demandé ne dit plus rien de ce qui est
/// parti.
pub(super) fn call_off_open(connection: &Connection, reason: &str, now: Moment) -> Result<(), LedgerError> {
    match open_one(connection)? {
        Some(open) => call_off(connection, &open, reason, now),
        None => Ok(()),
    }
}

/// Vrai si un retrait est ouvert : de l'argent parti du compte est peut-être le sien.
pub(super) fn is_open(connection: &Connection) -> Result<bool, LedgerError> {
    Ok(open_one(connection)?.is_some())
}

/// Refuse d'apporter quoi que ce soit pendant que tout se vend pour être repris : cela partirait avec le reste.
pub(super) fn refuse_to_add_to_all(connection: &Connection, movement: &Movement) -> Result<(), LedgerError> {
    let brings =
        movement.usdc.is_positive() || movement.moved.is_some_and(|moved| moved.quantity.is_positive());
    let takes_all = |open: &Open| open.wanted.is_none() && open.stage == Stage::Selling;
    if brings && open_one(connection)?.is_some_and(|open| takes_all(&open)) {
        let reason = "everything is being sold to be taken out, and what is brought now would go with it: wait until it is set aside, \
                      or call that withdrawal off first; nothing was changed";
        return Err(LedgerError::Refused(reason.to_owned()));
    }
    Ok(())
}

/// Révoque le retrait mis de côté que le cash ne couvre plus : un ordre que les livres n'avaient pas l'a dépensé.
pub(super) fn call_off_uncovered(
    connection: &Connection,
    reason: &str,
    now: Moment,
) -> Result<(), LedgerError> {
    let cash = views::cash(connection)?.unwrap_or_default();
    let is_uncovered = |open: &Open| {
        open.stage == Stage::SetAside && withdrawal::is_uncovered(cash.booked, open.set_aside - open.taken)
    };
    match open_one(connection)?.filter(is_uncovered) {
        Some(open) => call_off(connection, &open, reason, now),
        None => Ok(()),
    }
}

fn call_off(connection: &Connection, open: &Open, reason: &str, now: Moment) -> Result<(), LedgerError> {
    wishes::call_off(connection, open.signal, reason)?;
    keep_sold(connection, open)?;
    change(connection, open.id, |connection| {
        let sql = "UPDATE withdrawals SET status = ?2, ended_at = ?3 WHERE id = ?1";
        connection.execute(sql, params![open.id, Stage::Cancelled.word(), now])
    })?;
    aim::reopen(connection, Cause::Money, now)
}

/// Met de côté ce qui est réuni.
fn set_aside(connection: &Connection, open: &Open, rate: Rate, now: Moment) -> Result<(), LedgerError> {
    let cash = views::cash(connection)?.unwrap_or_default();
    let there = (cash.booked - cash.reserved).max(Usdc::ZERO);
    let amount = open.wanted.map_or(there, |wanted| wanted.min(there));
    let simulated: bool = connection.query_row("SELECT mode = 'dry_run' FROM agent", [], |row| row.get(0))?;
    let amount = if simulated { amount } else { withdrawal::in_cents(amount) };
    let stage = if amount.is_positive() { Stage::SetAside } else { Stage::Cancelled };
    keep_sold(connection, open)?;
    change(connection, open.id, |connection| {
        connection.execute(
            "UPDATE withdrawals SET status = ?2, set_aside_usdc = ?3, ended_at = ?4 WHERE id = ?1",
            params![open.id, stage.word(), amount, (!stage.is_open()).then_some(now)],
        )
    })?;
    if let (true, Some(open)) = (simulated, open_one(connection)?) {
        take(connection, &open, amount, Stage::Completed, rate, now)?;
    }
    aim::reopen(connection, Cause::Money, now)
}

/// Ce que ses ventes ont rendu, et de quoi.
fn keep_sold(connection: &Connection, open: &Open) -> Result<(), LedgerError> {
    let (sold, positions) = views::sold(connection, open.signal)?;
    change(connection, open.id, |connection| {
        let sql = "UPDATE withdrawals SET sold_usdc = ?2, positions_sold = ?3 WHERE id = ?1";
        connection.execute(sql, params![open.id, sold, positions])
    })?;
    Ok(())
}

/// Compte une part partie, et met le retrait à ce point. Elle n'est plus mise de côté avant que le mouvement ne la prenne : il ne prend que du cash libre.
fn take(
    connection: &Connection,
    open: &Open,
    part: Usdc,
    stage: Stage,
    rate: Rate,
    now: Moment,
) -> Result<(), LedgerError> {
    let (eur, taken) = ((-part).to_eur(rate), open.taken + part);
    let ended_at = (!stage.is_open()).then_some(now);
    change(connection, open.id, |connection| {
        connection.execute(
            "UPDATE withdrawals SET status = ?2, taken_usdc = ?3, received_eur = ?4, rate = ?5, ended_at = ?6
             WHERE id = ?1",
            params![open.id, stage.word(), taken, open.received - eur, inverse(rate), ended_at],
        )
    })?;
    let movement = Movement { kind: Kind::Withdrawal, eur, rate, usdc: -part, moved: None };
    movements::write(connection, &movement, now)
}

fn open_one(connection: &Connection) -> Result<Option<Open>, LedgerError> {
    let sql = "SELECT id, signal, status, wanted_usdc, set_aside_usdc, taken_usdc, received_eur, level_usdc
               FROM withdrawals WHERE signal IS NOT NULL AND status IN ('selling', 'set_aside')";
    let open = connection.query_row(sql, [], |row| {
        Ok(Open {
            id: row.get(0)?,
            signal: row.get(1)?,
            stage: row.get(2)?,
            wanted: row.get(3)?,
            set_aside: row.get(4)?,
            taken: row.get(5)?,
            received: row.get(6)?,
            level: row.get(7)?,
        })
    });
    Ok(open.optional()?)
}

/// Ce que les livres revendiquent sans nos ordres : ce qui a été apporté ou compté, moins ce qui a été constaté parti. Un
/// autre mouvement (écart noté, poussière) n'y est pas : il répond de ce que le compte avait déjà perdu.
fn claimed(connection: &Connection) -> Result<Usdc, LedgerError> {
    let sum = |sql: &str| -> Result<Usdc, LedgerError> {
        let mut statement = connection.prepare(sql)?;
        let amounts = statement.query_map([], |row| row.get::<_, Usdc>(0))?;
        Ok(amounts.collect::<Result<Vec<_>, _>>()?.into_iter().sum())
    };
    Ok(sum("SELECT usdc FROM movements WHERE kind IN ('opening', 'deposit', 'correction', 'count')")?
        - sum("SELECT taken_usdc FROM withdrawals WHERE signal IS NOT NULL")?)
}

/// La colonne `rate`, du programme Python, est en EUR pour un USDC.
fn inverse(rate: Rate) -> Rate {
    Rate::new(Decimal::ONE.checked_div(rate.decimal()).unwrap_or_default().round_dp(8))
}

fn change<T>(
    connection: &Connection,
    id: i64,
    write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, LedgerError> {
    seal::change(connection, &seal::WITHDRAWALS, id, write)
}
