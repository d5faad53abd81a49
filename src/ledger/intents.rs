//! Les intentions et leurs trades.
//!
//! Invariants : une intention est écrite avant tout envoi et n'est exécutée qu'une fois ; le trade,
//! ses frais, la position, le cash et la fin de l'intention sont une seule transaction.

use rusqlite::{Connection, params};

use super::views;
use super::{Db, LedgerError};
use crate::domain::book::{self, Fill};
use crate::domain::intent::{Event, State};
use crate::domain::moment::Moment;
use crate::domain::order::{Order, Size};

/// L'issue d'une intention.
#[derive(Clone, Debug)]
pub enum Outcome {
    Filled(Fill),
    Refused(String),
}

impl Db {
    /// Abandonne les intentions qu'une interruption a laissées : rien n'en était parti.
    pub fn abandon_intents(&mut self, now: Moment) -> Result<usize, LedgerError> {
        let abandoned = State::Planned.next(Event::Interrupted).map(State::word);
        Ok(self.connection.execute(
            "UPDATE intents SET state = ?2, ended_at = ?1 WHERE state = 'planned'",
            params![now, abandoned],
        )?)
    }

    /// Écrit les intentions, toutes ou aucune, avant que rien ne parte ; rend leurs numéros.
    pub fn write_intents(
        &mut self,
        signal: i64,
        orders: &[Order],
        now: Moment,
    ) -> Result<Vec<i64>, LedgerError> {
        let transaction = self.transaction()?;
        let mut rows = Vec::with_capacity(orders.len());
        for order in orders {
            let (spend, quantity) = match order.size() {
                Size::Spend(amount) => (Some(amount), None),
                Size::Sell(quantity) => (None, Some(quantity)),
            };
            transaction.execute(
                "INSERT INTO intents (signal, coin, side, spend, quantity, state, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'planned', ?6)",
                params![signal, order.coin(), order.side(), spend, quantity, now],
            )?;
            rows.push(transaction.last_insert_rowid());
        }
        transaction.commit()?;
        Ok(rows)
    }

    /// Écrit l'issue d'une intention et, si elle est exécutée, le trade, la position et le cash.
    pub fn book(&mut self, intent: i64, outcome: &Outcome, now: Moment) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        let (event, reason) = match outcome {
            Outcome::Filled(_) => (Event::Filled, None),
            Outcome::Refused(reason) => (Event::Refused, Some(reason)),
        };
        let next = State::Planned.next(event).map(State::word);
        let moved = transaction.execute(
            "UPDATE intents SET state = ?2, reason = ?3, ended_at = ?4 WHERE id = ?1 AND state = 'planned'",
            params![intent, next, reason, now],
        )?;
        if moved != 1 {
            return Err(LedgerError::Refused(format!("intent {intent} has already ended")));
        }
        if let Outcome::Filled(fill) = outcome {
            book_fill(&transaction, intent, fill, now)?;
        }
        transaction.commit()?;
        Ok(())
    }
}

fn book_fill(connection: &Connection, intent: i64, fill: &Fill, now: Moment) -> Result<(), LedgerError> {
    let holdings = views::holdings(connection)?
        .ok_or_else(|| LedgerError::Refused("a fill came before the opening was booked".to_owned()))?;
    let after = book::apply(&holdings, fill).map_err(|error| LedgerError::Refused(error.to_string()))?;
    let fees = fill.fees;
    connection.execute(
        "INSERT INTO trades (intent, signal_id, coin, side, quantity, price, amount, fee_coin, fee_cash, fee_bnb,
             bnb_price, fee_usdc, simulated, at)
         VALUES (?1, (SELECT signal_id FROM signals JOIN intents ON signals.id = intents.signal
                      WHERE intents.id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
             (SELECT mode = 'dry_run' FROM agent), ?12)",
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
            now
        ],
    )?;
    let position = after.positions[fill.coin];
    connection.execute(
        "INSERT INTO positions (coin, quantity, invested, updated_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (coin) DO UPDATE SET quantity = ?2, invested = ?3, updated_at = ?4",
        params![fill.coin, position.quantity, position.invested, now],
    )?;
    connection.execute("UPDATE account SET cash = ?1", [after.cash])?;
    Ok(())
}
