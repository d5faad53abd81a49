//! L'envoi des ordres réels : écrits au disque, envoyés ensemble, chacun une fois, chacun jugé pour soi.
//!
//! Rien ici ne renvoie jamais : une réponse dont on n'est pas sûr laisse l'intention inconnue, et
//! [`super::resolve`] la suit.

use std::pin::Pin;
use std::task::Poll;

use super::Engine;
use super::execute::tell_refused;
use super::venue::{Venue, measure, tell_trade};
use crate::clock;
use crate::domain::doubt::WINDOW;
use crate::domain::execution::{self, Incomplete};
use crate::domain::market::{Coin, Market};
use crate::domain::moment::Moment;
use crate::domain::order::{Left, Order};
use crate::exchange::{Account, Placed, Reaction, Ticket};
use crate::fetch::OneShot;
use crate::ledger::{Ledger, LedgerError, Outcome, Sending};
use crate::metrics::Instruments;

/// Ce qu'un envoi a donné, une fois écrit au grand livre.
struct Settled {
    coin: Coin,
    left: Option<Left>,
    /// Le refus qui ferme l'échange.
    stop: Option<String>,
}

impl Engine {
    /// Envoie ces ordres ensemble ; rend ceux qui n'ont rien échangé, ou dont on ne sait pas.
    pub(super) async fn send(
        &mut self,
        signal: i64,
        orders: &[Order],
        market: &Market,
    ) -> Result<Vec<(Coin, Left)>, LedgerError> {
        let Venue::Live(desk) = &self.venue else { return Ok(Vec::new()) };
        // Les ventes ont pu le fermer.
        let later = |reason: &str| {
            orders.iter().map(|order| (order.coin(), Left::Later(reason.to_owned()))).collect()
        };
        if let Some(reason) = desk.obstacle() {
            return Ok(later(&reason));
        }
        let Some(server) = desk.account.exchange().server_clock() else {
            return Ok(later("the exchange's clock is not known"));
        };
        let (stamped_at, now, planned) = (server.stamp(), clock::now(), orders.to_vec());
        let stamp = (stamped_at, WINDOW);
        let sendings = self.ledger.with(move |db| db.write_sendings(signal, &planned, stamp, now)).await?;
        let desk = Errand {
            ledger: &self.ledger,
            account: &desk.account,
            sender: &desk.sender,
            instruments: &self.instruments,
            market,
            stamped_at,
        };
        let errands = sendings.into_iter().zip(orders).map(|(sending, order)| desk.run(sending, order));
        let settled = together(errands).await.into_iter().collect::<Result<Vec<Settled>, LedgerError>>()?;
        let accepted = settled.iter().any(|settled| settled.left.is_none());
        let stop = settled.iter().find_map(|settled| settled.stop.clone());
        if let Venue::Live(desk) = &mut self.venue {
            if accepted {
                desk.gate.proved();
            }
            if let Some(reason) = stop {
                log::error!("trading_stopped reason={reason:?}");
                desk.gate.close(reason);
            }
        }
        self.watch_doubts().await?;
        Ok(settled.into_iter().filter_map(|settled| Some((settled.coin, settled.left?))).collect())
    }
}

/// Ce que chaque envoi d'un même lot partage.
struct Errand<'a> {
    ledger: &'a Ledger,
    account: &'a Account,
    sender: &'a OneShot,
    instruments: &'a Instruments,
    /// Celui sur lequel ces ordres ont été décidés.
    market: &'a Market,
    stamped_at: Moment,
}

impl Errand<'_> {
    /// Envoie un ordre et écrit ce qu'il en est, dès que sa propre réponse est là.
    async fn run(&self, sending: Sending, order: &Order) -> Result<Settled, LedgerError> {
        let Sending { intent, client_id, attempt } = sending;
        log::info!(
            "order_sent side={} coin={} id={client_id} attempt={attempt}",
            order.side().word(),
            order.coin()
        );
        let ticket = Ticket { client_id, order: *order, stamped_at: self.stamped_at, window: WINDOW };
        let placed = self.account.place(self.sender, &ticket).await;
        let order_id = match &placed {
            Placed::Accepted(report, _) => Some(report.order_id),
            _ => None,
        };
        let (outcome, at, stop) = self.judge(placed);
        let left = match &outcome {
            Outcome::Filled(_) => None,
            Outcome::Refused(reason) => {
                tell_refused(order, reason);
                Some(Left::Refused(reason.clone()))
            }
            Outcome::Unprocessed(reason) => {
                log::warn!("order_not_processed coin={} reason={reason:?}", order.coin());
                Some(Left::Later(reason.clone()))
            }
            Outcome::Lost(reason) | Outcome::ProvedAbsent(reason) | Outcome::GivenUp(reason) => {
                log::warn!("order_in_doubt coin={} id={} reason={reason:?}", order.coin(), ticket.client_id);
                Some(Left::InDoubt(reason.clone()))
            }
        };
        let told = outcome.clone();
        self.ledger.with(move |db| db.book(intent, order_id, &outcome, at)).await?;
        if let Outcome::Filled(fill) = &told {
            tell_trade(fill);
            measure(self.instruments, fill, self.market);
        }
        Ok(Settled { coin: order.coin(), left, stop })
    }

    /// Ce que vaut cette réponse pour l'intention, quand c'est arrivé, et si elle ferme l'échange.
    fn judge(&self, placed: Placed) -> (Outcome, Moment, Option<String>) {
        match placed {
            Placed::Unknown(reason) => (Outcome::Lost(reason), clock::now(), None),
            Placed::Refused(refusal) => {
                let stop = (refusal.then == Reaction::Stop).then(|| refusal.reason.clone());
                let outcome = match refusal.then {
                    Reaction::GiveUp | Reaction::RefreshRules => Outcome::Refused(refusal.reason),
                    Reaction::Shrink | Reaction::Later | Reaction::Resynchronise | Reaction::Stop => {
                        Outcome::Unprocessed(refusal.reason)
                    }
                };
                (outcome, clock::now(), stop)
            }
            Placed::Accepted(report, executions) => {
                let outcome =
                    match execution::fill(&report, &executions, Some(self.market.quotes[Coin::Bnb].mid())) {
                        Ok(Some(fill)) => Outcome::Filled(fill),
                        Ok(None) => {
                            Outcome::Unprocessed(format!("it ended {} and exchanged nothing", report.status))
                        }
                        Err(Incomplete::Later(reason) | Incomplete::Strange(reason)) => Outcome::Lost(reason),
                        Err(Incomplete::BnbPrice) => Outcome::Lost(Incomplete::BnbPrice.to_string()),
                    };
                (outcome, report.at, None)
            }
        }
    }
}

/// Attend toutes ces tâches, menées ensemble ; rend leurs résultats dans l'ordre.
async fn together<F: Future>(tasks: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut tasks: Vec<Pin<Box<F>>> = tasks.map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = tasks.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (task, output) in tasks.iter_mut().zip(&mut outputs).filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(value) = task.as_mut().poll(context) {
                *output = Some(value);
            }
        }
        if outputs.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
