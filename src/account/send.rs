//! L'envoi des ordres réels : écrits au disque, envoyés ensemble, chacun une fois, chacun jugé pour soi.
//!
//! Rien ici ne renvoie jamais : une réponse dont on n'est pas sûr laisse l'intention inconnue, et
//! [`super::doubts`] la suit.

use super::LiveAccount;
use crate::clock;
use crate::domain::doubt::WINDOW;
use crate::domain::execution::{self, BnbPrice};
use crate::domain::market::{Coin, Pairs};
use crate::domain::moment::Moment;
use crate::domain::order::{Left, Order};
use crate::exchange::{Account, Placed, Reaction, Ticket};
use crate::fetch::{OneShot, together};
use crate::ledger::{Db, Ledger, LedgerError, Outcome, Sending};
use crate::logging::orders as told;
use crate::metrics::Instruments;

/// Ce qu'un envoi a donné.
struct Settled {
    intent: i64,
    coin: Coin,
    left: Option<Left>,
    /// Le refus qui ferme l'échange.
    stop: Option<String>,
    /// Pourquoi son issue n'a pas pu s'écrire au grand livre.
    unwritten: Option<String>,
}

impl LiveAccount {
    /// Envoie ces ordres ensemble ; rend ceux qui n'ont rien échangé, ou dont on ne sait pas. Dès qu'un octet est parti, plus
    /// rien n'est une erreur : une issue qui ne s'écrit pas est un doute de plus, et ferme l'échange.
    pub async fn execute(
        &mut self,
        signal: i64,
        orders: &[Order],
        pairs: &Pairs,
    ) -> Result<Vec<(Coin, Left)>, LedgerError> {
        // Les ventes ont pu le fermer.
        let later = |reason: &str| {
            orders.iter().map(|order| (order.coin(), Left::Later(reason.to_owned()))).collect()
        };
        if let Some(reason) = self.obstacle() {
            return Ok(later(&reason));
        }
        if let Some(reason) = self.vouch_for(signal).await? {
            return Ok(later(&reason));
        }
        let Some(server) = self.account.exchange().server_clock() else {
            return Ok(later("the exchange's clock is not known"));
        };
        let (stamped_at, now, planned) = (server.stamp(), clock::now(), orders.to_vec());
        let (stamp, origin) = ((stamped_at, WINDOW), self.origin());
        let write = move |db: &mut Db| db.write_sendings(signal, &planned, stamp, (&origin, now));
        let sendings = self.ledger.with(write).await?;
        let batch = Batch {
            ledger: &self.ledger,
            account: &self.account,
            sender: &self.sender,
            instruments: &self.instruments,
            pairs,
            stamped_at,
        };
        let errands = sendings.into_iter().zip(orders).map(|(sending, order)| batch.run(sending, order));
        let settled = together(errands).await;
        if settled.iter().any(|settled| settled.left.is_none()) {
            self.gate.proved();
        }
        if let Some(reason) = settled.iter().find_map(|settled| settled.stop.clone()) {
            log::error!("trading_stopped reason={reason:?}");
            self.gate.close(reason);
        }
        for Settled { intent, coin, unwritten, .. } in &settled {
            if let Some(reason) = unwritten {
                self.unbooked.hold(*intent, *coin, reason.clone());
            }
        }
        if let Err(error) = self.watch_doubts().await {
            self.unfollow(&error);
        }
        Ok(settled.into_iter().filter_map(|settled| Some((settled.coin, settled.left?))).collect())
    }
}

/// Ce que chaque envoi d'un même lot partage.
struct Batch<'a> {
    ledger: &'a Ledger,
    account: &'a Account,
    sender: &'a OneShot,
    instruments: &'a Instruments,
    /// Celles sur lesquelles ces ordres ont été décidés.
    pairs: &'a Pairs,
    stamped_at: Moment,
}

impl Batch<'_> {
    /// Envoie un ordre et écrit ce qu'il en est, dès que sa propre réponse est là.
    async fn run(&self, sending: Sending, order: &Order) -> Settled {
        let Sending { intent, client_id, attempt } = sending;
        told::sent(order, &client_id, attempt);
        let ticket = Ticket { client_id, order: *order, stamped_at: self.stamped_at, window: WINDOW };
        let placed = self.account.place(self.sender, &ticket).await;
        let order_id = match &placed {
            Placed::Accepted(report, _) => Some(report.order_id),
            _ => None,
        };
        let (outcome, at, stop) = self.judge(placed);
        let coin = order.coin();
        let booked = outcome.clone();
        let written = self.ledger.with(move |db| db.book(intent, order_id, &booked, at)).await;
        if let Err(error) = written {
            let unwritten = format!("its outcome could not be written into the books: {error}");
            let left = Some(Left::InDoubt(unwritten.clone()));
            return Settled { intent, coin, left, stop, unwritten: Some(unwritten) };
        }
        let left = match &outcome {
            Outcome::Filled(fill) => {
                told::traded(fill);
                self.instruments.traded(fill, self.pairs.mid(fill.coin));
                None
            }
            Outcome::Refused(reason) => {
                told::refused(order, reason);
                Some(Left::Refused(reason.clone()))
            }
            Outcome::Unprocessed(reason) => {
                told::not_processed(coin, reason);
                Some(Left::Later(reason.clone()))
            }
            other => {
                let reason = other.reason().unwrap_or_default().to_owned();
                told::in_doubt(coin, &ticket.client_id, &reason);
                Some(Left::InDoubt(reason))
            }
        };
        Settled { intent, coin, left, stop, unwritten: None }
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
                let bnb = BnbPrice::or_unknown(self.pairs.mid(Coin::Bnb));
                let outcome = match execution::fill(&report, &executions.iter().collect(), bnb) {
                    Ok(Some(fill)) => Outcome::Filled(fill),
                    Ok(None) => Outcome::nothing_exchanged(&report.status),
                    Err(incomplete) => Outcome::Lost(incomplete.to_string()),
                };
                (outcome, report.at, None)
            }
        }
    }
}
