//! Où les ordres s'exécutent : la simulation, ou le compte réel. Un choix fermé, fait une fois.

use super::Engine;
use super::desk::Desk;
use super::execute::tell_refused;
use super::holdback::Shortage;
use crate::clock;
use crate::domain::book::Fill;
use crate::domain::market::{Coin, Market};
use crate::domain::order::{Left, Order};
use crate::ledger::{LedgerError, Outcome};
use crate::metrics::Instruments;
use crate::paper;

/// Où les ordres s'exécutent.
pub enum Venue {
    Paper,
    Live(Box<Desk>),
}

impl Venue {
    /// Ce qui manque au compte réel ; rien en simulation.
    pub(super) fn shortage(&self) -> Shortage {
        match self {
            Venue::Paper => Shortage::default(),
            Venue::Live(desk) => desk.shortage,
        }
    }
}

impl Engine {
    /// Écrit les intentions, les exécute, écrit leurs issues ; rend celles qui n'ont rien échangé.
    pub(super) async fn execute(
        &mut self,
        signal: i64,
        orders: &[Order],
        market: &Market,
    ) -> Result<Vec<(Coin, Left)>, LedgerError> {
        match self.venue {
            _ if orders.is_empty() => Ok(Vec::new()),
            Venue::Paper => self.simulate(signal, orders, market).await,
            Venue::Live(_) => self.send(signal, orders, market).await,
        }
    }

    async fn simulate(
        &self,
        signal: i64,
        orders: &[Order],
        market: &Market,
    ) -> Result<Vec<(Coin, Left)>, LedgerError> {
        let (now, planned) = (clock::now(), orders.to_vec());
        let intents = self.ledger.with(move |db| db.write_intents(signal, &planned, now)).await?;
        let mut refused = Vec::new();
        for (intent, order) in intents.into_iter().zip(orders) {
            let (now, executed) = (clock::now(), paper::execute(order, market));
            let outcome = match &executed {
                Ok(fill) => Outcome::Filled(*fill),
                Err(reason) => Outcome::Refused(reason.clone()),
            };
            self.ledger.with(move |db| db.book(intent, None, &outcome, now)).await?;
            match executed {
                Ok(fill) => {
                    tell_trade(&fill);
                    measure(&self.instruments, &fill, market);
                }
                Err(reason) => {
                    tell_refused(order, &reason);
                    refused.push((order.coin(), Left::Refused(reason)));
                }
            }
        }
        Ok(refused)
    }
}

/// Mesure de combien le prix d'un trade est pire que le milieu sur lequel il a été décidé.
pub(super) fn measure(instruments: &Instruments, fill: &Fill, market: &Market) {
    instruments.slipped(fill.side, fill.slippage(market.quotes[fill.coin].mid()));
}

/// Dit un trade au journal, une fois qu'il est aux livres.
pub(super) fn tell_trade(fill: &Fill) {
    log::info!(
        "trade side={} coin={} quantity={} price={} amount_usdc={}",
        fill.side.word(),
        fill.coin,
        fill.quantity,
        fill.price,
        fill.amount
    );
}
