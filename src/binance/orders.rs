//! L'envoi d'un ordre : la demande, et ce que sa réponse prouve.
//!
//! Envoie une fois, ne refait rien, ne change pas d'adresse ; qui appelle a déjà écrit l'ordre au grand livre.
//! Source : docs Binance Spot, « New order (TRADE) ». Invariant : n'est accepté qu'un récit entier et lisible
//! de *cet* ordre, n'est refusé que ce qui ne peut pas avoir été exécuté ; entre les deux, l'issue est
//! inconnue, et seule la bourse la dira.

use std::time::Duration;

use super::account::Account;
use super::refusal::{Reaction, Refusal, judged};
use super::request::Request;
use super::trouble::{told, unreadable};
use super::{BODY_LIMIT, reports, wire};
use crate::domain::execution::{Execution, Report};
use crate::domain::moment::Moment;
use crate::domain::order::{Order, Size};
use crate::fetch::OneShot;

/// Un ordre prêt à partir, tel qu'il est écrit au grand livre.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Neuf à chaque essai : la bourse n'en garde l'unicité que parmi les ordres ouverts. De 1 à 36 lettres
    /// sans accent, chiffres, `-` ou `_`.
    pub client_id: String,
    pub order: Order,
    /// L'heure de la bourse dont la demande est datée ([`super::ServerClock::stamp`]).
    pub stamped_at: Moment,
    /// Passé ce temps après `stamped_at`, la bourse ne prend plus l'ordre ; une minute au plus.
    pub window: Duration,
}

/// Ce qu'on sait d'un ordre après l'avoir envoyé.
#[derive(Clone, Debug, PartialEq)]
pub enum Placed {
    /// La bourse l'a : ce qu'elle en dit, et les exécutions qu'elle a montrées.
    Accepted(Report, Vec<Execution>),
    /// Il n'a sûrement pas été exécuté.
    Refused(Refusal),
    /// Il existe peut-être. Ne jamais le renvoyer ; demander.
    Unknown(String),
}

impl Account {
    /// Envoie l'ordre (`POST /api/v3/order`, poids 1, ou 0 s'il réussit), une fois : rien au-dessous ne le
    /// refait. Pendant un silence, rien ne part.
    pub async fn place(&self, sender: &OneShot, ticket: &Ticket) -> Placed {
        let exchange = self.exchange();
        let later = |reason| Placed::Refused(Refusal { reason, then: Reaction::Later });
        if let Some(silence) = exchange.silence() {
            return later(silence.to_string());
        }
        let (url, key) = self.signed(ticket.request(), ticket.stamped_at, ticket.window);
        match sender.post(&url, &[key], BODY_LIMIT).await {
            Ok(answer) => {
                exchange.heed(&answer);
                let placed = ticket.outcome(answer.status, &answer.body);
                if let Placed::Refused(Refusal { then: Reaction::Resynchronise, .. }) = placed {
                    exchange.timekeeper.doubt();
                }
                placed
            }
            Err(error) if error.was_not_sent() => later(format!("the exchange {error}")),
            Err(error) => Placed::Unknown(format!("the exchange {error}")),
        }
    }
}

impl Ticket {
    fn request(&self) -> Request {
        let size = match self.order.size() {
            Size::Spend(amount) => ("quoteOrderQty", amount.to_string()),
            Size::Sell(quantity) => ("quantity", quantity.to_string()),
        };
        Request::new("/api/v3/order")
            .with("symbol", self.order.coin().pair())
            .with("side", self.order.side().word())
            .with("type", "MARKET")
            .with(size.0, &size.1)
            .with("newClientOrderId", &self.client_id)
            .with("newOrderRespType", "FULL")
    }

    /// Ce que cette réponse prouve.
    fn outcome(&self, status: u16, body: &[u8]) -> Placed {
        if status != 200 {
            return match judged(status, body) {
                Some(refusal) => Placed::Refused(refusal),
                None => Placed::Unknown(told(status, body)),
            };
        }
        let Some((report, executions)) = wire::decoded(body).and_then(reports::receipt) else {
            return Placed::Unknown(unreadable(body));
        };
        if !self.is_told_by(&report) {
            let reason = format!("the exchange answered about another order, {:?}", report.client_id);
            return Placed::Unknown(reason);
        }
        Placed::Accepted(report, executions)
    }

    fn is_told_by(&self, report: &Report) -> bool {
        report.client_id == self.client_id
            && report.coin == self.order.coin()
            && report.side == self.order.side()
    }
}
