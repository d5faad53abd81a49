//! Les intentions et leurs trades.
//!
//! Invariants : une intention est écrite avant tout envoi et n'est exécutée qu'une fois ; le trade,
//! ses frais, la position, le cash et la fin de l'intention sont une seule transaction ; un état n'en suit un
//! autre que si [`State::next`] le permet.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::{Db, LedgerError, Origin, fees, others, positions, seal, views, withdrawals};
use crate::domain::book::{self, Effect, Fill};
use crate::domain::doubt::ATTEMPTS;
use crate::domain::intent::{Event, State};
use crate::domain::moment::Moment;
use crate::domain::order::{Order, Size};
use crate::domain::order_name::OrderName;
use crate::domain::recourse::Hand;

/// Un achat dont l'issue n'était pas connue a pris l'argent mis de côté.
const SPENT: &str =
    "called off: an order learned late has spent what was set aside; ask again if it is still wanted";

/// Pourquoi une intention exécutée n'est pas bookée.
const ACCOUNTED: &str =
    "the exchange executed it, and a person had settled what it changed: it is not booked again";

/// Ce qui arrive à une intention, et pourquoi.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Filled(Fill),
    Refused(String),
    Unprocessed(String),
    Lost(String),
    ProvedAbsent(String),
    GivenUp(String),
    /// Une personne l'a booké, tel que la page de la bourse le montre.
    BookedByHand(Fill),
    /// Une personne l'a réglé, sans rien à booker.
    Settled,
}

/// Une intention réelle, au disque et prête à partir.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    pub intent: i64,
    /// Le nom de l'ordre à la bourse : jamais deux fois le même, quel que soit le grand livre.
    pub client_id: String,
    pub attempt: u32,
}

impl Outcome {
    /// L'ordre a fini, de ce mot de la bourse, et n'a rien échangé.
    pub fn nothing_exchanged(status: &str) -> Outcome {
        Outcome::Unprocessed(format!("it ended {status} and exchanged nothing"))
    }

    /// Ce qu'il est advenu de l'ordre, en un mot du journal.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Filled(_) => "filled",
            Outcome::Refused(_) => "refused",
            Outcome::Unprocessed(_) => "not_processed",
            Outcome::Lost(_) => "unknown",
            Outcome::ProvedAbsent(_) => "absent",
            Outcome::GivenUp(_) => "stuck",
            Outcome::BookedByHand(_) => "booked",
            Outcome::Settled => "settled",
        }
    }

    fn event(&self) -> Event {
        match self {
            Outcome::Filled(_) | Outcome::BookedByHand(_) => Event::Filled,
            Outcome::Refused(_) => Event::Refused,
            Outcome::Unprocessed(_) => Event::Unprocessed,
            Outcome::Lost(_) => Event::Lost,
            Outcome::ProvedAbsent(_) | Outcome::Settled => Event::ProvedAbsent,
            Outcome::GivenUp(_) => Event::GivenUp,
        }
    }

    pub fn reason(&self) -> Option<&str> {
        match self {
            Outcome::Filled(_) => None,
            Outcome::Refused(reason)
            | Outcome::Unprocessed(reason)
            | Outcome::Lost(reason)
            | Outcome::ProvedAbsent(reason)
            | Outcome::GivenUp(reason) => Some(reason),
            Outcome::BookedByHand(_) => Some("booked by hand"),
            Outcome::Settled => Some("a person settled it: nothing was booked"),
        }
    }

    fn fill(&self) -> Option<&Fill> {
        match self {
            Outcome::Filled(fill) | Outcome::BookedByHand(fill) => Some(fill),
            _ => None,
        }
    }

    /// Comment une personne l'a fini sans la bourse.
    fn hand(&self) -> Option<Hand> {
        match self {
            Outcome::BookedByHand(_) => Some(Hand::Booked),
            Outcome::Settled => Some(Hand::Settled),
            _ => None,
        }
    }
}

impl Db {
    /// Reprend ce qu'une interruption a laissé : ce qui n'était pas parti est abandonné, ce qui l'était
    /// peut-être est d'issue inconnue.
    pub fn interrupt_intents(&mut self, now: Moment) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        let (planned, sent) = (in_state(&transaction, "planned")?, in_state(&transaction, "sent")?);
        for intent in &planned {
            seal::change(&transaction, &seal::INTENTS, *intent, |connection| {
                let sql = "UPDATE intents SET state = 'abandoned', ended_at = ?1 WHERE id = ?2";
                connection.execute(sql, params![now, intent])
            })?;
        }
        for intent in &sent {
            seal::change(&transaction, &seal::INTENTS, *intent, |connection| {
                connection.execute(
                    "UPDATE intents SET state = 'unknown', doubted = 1,
                         reason = 'interrupted before its answer was written down' WHERE id = ?1",
                    [intent],
                )
            })?;
        }
        transaction.commit()?;
        let (abandoned, unknown) = (planned.len(), sent.len());
        if abandoned + unknown > 0 {
            log::warn!("intents_interrupted abandoned={abandoned} unknown={unknown}");
        }
        Ok(())
    }

    /// Écrit les intentions simulées, toutes ou aucune ; rend leurs numéros.
    pub fn write_intents(
        &mut self,
        signal: i64,
        orders: &[Order],
        now: Moment,
    ) -> Result<Vec<i64>, LedgerError> {
        let transaction = self.transaction()?;
        let mut rows = Vec::with_capacity(orders.len());
        for order in orders {
            let intent = insert(&transaction, signal, order, 1, now)?;
            seal::lay(&transaction, &seal::INTENTS, intent)?;
            rows.push(intent);
        }
        transaction.commit()?;
        Ok(rows)
    }

    /// Écrit les intentions réelles, toutes ou aucune, avant qu'un octet ne parte. `stamped_at` est l'heure de
    /// la bourse dont les ordres seront datés, `window` le temps qu'ils ont pour y arriver ; `origin` d'où ils partent.
    pub fn write_sendings(
        &mut self,
        signal: i64,
        orders: &[Order],
        (stamped_at, window): (Moment, Duration),
        (origin, now): (&Origin, Moment),
    ) -> Result<Vec<Sending>, LedgerError> {
        let transaction = self.transaction()?;
        origin.bind(&transaction)?;
        let tag: String = transaction.query_row("SELECT tag FROM agent", [], |row| row.get(0))?;
        let mut sendings = Vec::with_capacity(orders.len());
        for order in orders {
            let absent: u32 = transaction.query_row(
                "SELECT count(*) FROM intents WHERE signal = ?1 AND coin = ?2 AND side = ?3 AND state = 'absent'",
                params![signal, order.coin(), order.side()],
                |row| row.get(0),
            )?;
            let attempt = absent + 1;
            if attempt > ATTEMPTS {
                return Err(LedgerError::Refused(format!(
                    "{} was already tried {absent} times",
                    order.coin()
                )));
            }
            let intent = insert(&transaction, signal, order, attempt, now)?;
            let client_id = OrderName { tag: tag.clone(), intent, attempt }.to_string();
            transaction.execute(
                "UPDATE intents SET state = 'sent', client_id = ?2, stamped_at = ?3, window = ?4 WHERE id = ?1",
                params![intent, client_id, stamped_at, window.as_millis() as i64],
            )?;
            seal::lay(&transaction, &seal::INTENTS, intent)?;
            sendings.push(Sending { intent, client_id, attempt });
        }
        transaction.commit()?;
        Ok(sendings)
    }

    /// Écrit ce qui arrive à une intention et, si elle est exécutée, le trade, la position, le cash et ce qui y est
    /// d'autrui. `order_id` est son numéro à la bourse, s'il est connu ; `at` le moment où c'est arrivé. Rend vrai si
    /// l'exécution est apprise après une fin qui la niait.
    pub fn book(
        &mut self,
        intent: i64,
        order_id: Option<i64>,
        outcome: &Outcome,
        at: Moment,
    ) -> Result<bool, LedgerError> {
        let transaction = self.transaction()?;
        let late = book(&transaction, intent, order_id, outcome, at)?;
        transaction.commit()?;
        Ok(late)
    }

    /// Retient ce qu'on apprend d'une intention en doute sans que son état change.
    pub fn annotate(&mut self, intent: i64, order_id: Option<i64>, reason: &str) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        seal::change(&transaction, &seal::INTENTS, intent, |connection| {
            connection.execute(
                "UPDATE intents SET order_id = coalesce(?2, order_id), reason = ?3 WHERE id = ?1",
                params![intent, order_id, reason],
            )
        })?;
        Ok(transaction.commit()?)
    }

    /// La bourse l'a exécutée, et ce qu'elle a changé est aux livres par ce qu'une personne a réglé des écarts.
    pub fn account_for(&mut self, intent: i64, order_id: Option<i64>) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        seal::change(&transaction, &seal::INTENTS, intent, |connection| {
            connection.execute(
                "UPDATE intents SET order_id = coalesce(?2, order_id), reason = ?3, accounted = 1 WHERE id = ?1",
                params![intent, order_id, ACCOUNTED],
            )
        })?;
        Ok(transaction.commit()?)
    }

    /// Une personne a regardé les exécutions apprises tard : les achats peuvent reprendre.
    pub fn acknowledge_late(&mut self, intent: i64) -> Result<bool, LedgerError> {
        let transaction = self.transaction()?;
        let looked = seal::change(&transaction, &seal::INTENTS, intent, |connection| {
            connection.execute("UPDATE intents SET late = 0 WHERE id = ?1 AND late = 1", [intent])
        })?;
        transaction.commit()?;
        Ok(looked == 1)
    }
}

fn insert(
    connection: &Connection,
    signal: i64,
    order: &Order,
    attempt: u32,
    now: Moment,
) -> Result<i64, LedgerError> {
    let (spend, quantity) = match order.size() {
        Size::Spend(amount) => (Some(amount), None),
        Size::Sell(quantity) => (None, Some(quantity)),
    };
    connection.execute(
        "INSERT INTO intents (signal, coin, side, spend, quantity, attempt, state, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'planned', ?7)",
        params![signal, order.coin(), order.side(), spend, quantity, attempt, now],
    )?;
    Ok(connection.last_insert_rowid())
}

/// De même, dans la transaction de qui l'appelle.
pub(super) fn book(
    connection: &Connection,
    intent: i64,
    order_id: Option<i64>,
    outcome: &Outcome,
    at: Moment,
) -> Result<bool, LedgerError> {
    let word: Option<String> = connection
        .query_row("SELECT state FROM intents WHERE id = ?1", [intent], |row| row.get(0))
        .optional()?;
    let state = word.as_deref().and_then(State::from_word);
    let impossible = || LedgerError::Refused(format!("intent {intent} cannot become {}", outcome.word()));
    let next = state.and_then(|state| state.next(outcome.event())).ok_or_else(impossible)?;
    let late = state.is_some_and(|state| !state.is_in_doubt() && state != State::Planned);
    let ended_at = (!next.is_in_doubt()).then_some(at);
    let (reason, doubted, hand) = (outcome.reason(), next == State::Unknown, outcome.hand());
    seal::change(connection, &seal::INTENTS, intent, |connection| {
        connection.execute(
            // Qui l'a fini de sa main l'a regardé.
            "UPDATE intents SET state = ?2, reason = coalesce(?3, reason), ended_at = ?4,
                 late = iif(?8 IS NULL, max(late, ?5), 0), order_id = coalesce(?6, order_id),
                 doubted = max(doubted, ?7), by_hand = coalesce(?8, by_hand) WHERE id = ?1",
            params![intent, next.word(), reason, ended_at, late, order_id, doubted, hand],
        )
    })?;
    if let Some(fill) = outcome.fill() {
        book_fill(connection, intent, fill, at)?;
        withdrawals::call_off_uncovered(connection, SPENT, at)?;
    }
    Ok(late)
}

pub(super) fn book_fill(
    connection: &Connection,
    intent: i64,
    fill: &Fill,
    at: Moment,
) -> Result<(), LedgerError> {
    let before = views::holdings(connection)?
        .ok_or_else(|| LedgerError::Refused("a fill came before the opening was booked".to_owned()))?;
    let simulated: bool = connection.query_row("SELECT mode = 'dry_run' FROM agent", [], |row| row.get(0))?;
    let Effect { holdings, others } = if simulated {
        let refused = |error: book::Overdrawn| LedgerError::Refused(error.to_string());
        Effect { holdings: book::apply(&before, fill).map_err(refused)?, ..Effect::default() }
    } else {
        book::effect(&before, fill)
    };
    let trade = insert_trade(connection, intent, fill, simulated, at)?;
    fees::write(connection, trade, &fill.fees.apart)?;
    // Des frais peuvent changer aussi une autre position, celle de BNB surtout.
    positions::keep(connection, &before, &holdings, at)?;
    others::add(connection, &others)?;
    seal::change(connection, &seal::ACCOUNT, 1, |connection| {
        connection.execute("UPDATE account SET cash = ?1", [holdings.cash])
    })?;
    Ok(())
}

/// Écrit le trade tel que la bourse l'a fait, quelle qu'en soit la part d'autrui ; rend son numéro.
fn insert_trade(
    connection: &Connection,
    intent: i64,
    fill: &Fill,
    simulated: bool,
    at: Moment,
) -> Result<i64, LedgerError> {
    let fees = &fill.fees;
    connection.execute(
        "INSERT INTO trades (intent, signal_id, coin, side, quantity, price, amount, fee_coin, fee_cash, fee_bnb,
             bnb_price, fee_usdc, simulated, at)
         VALUES (?1, (SELECT signal_id FROM signals JOIN intents ON signals.id = intents.signal
                      WHERE intents.id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            intent,
            fill.coin,
            fill.side,
            fill.quantity,
            fill.price,
            fill.amount,
            fees.coin,
            fees.usdc,
            fees.bnb,
            fees.bnb_price,
            fill.fee_usdc(),
            simulated,
            at
        ],
    )?;
    let trade = connection.last_insert_rowid();
    seal::lay(connection, &seal::TRADES, trade)?;
    Ok(trade)
}

fn in_state(connection: &Connection, state: &str) -> Result<Vec<i64>, LedgerError> {
    let mut statement = connection.prepare("SELECT id FROM intents WHERE state = ?1")?;
    let intents = statement.query_map([state], |row| row.get(0))?;
    Ok(intents.collect::<Result<_, _>>()?)
}
