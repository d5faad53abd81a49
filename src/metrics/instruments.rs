//! Ce qui se mesure en passant et que le grand livre ne garde pas : des durées, des demandes, des glissements.
//!
//! En mémoire, et à zéro à chaque départ. Mesurer ne coûte qu'une addition sous un verrou que personne ne tient
//! longtemps, et ne change rien à ce qui est mesuré.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::series::single;
use crate::domain::book::Fill;
use crate::domain::money::Price;
use crate::domain::order::Side;

/// Un tour attend au plus ses réponses : dix secondes chacune, plusieurs de suite quand il échange.
const POLL_BUCKETS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Une lecture est coupée à 10 s, un envoi à 15.
const REQUEST_BUCKETS: [f64; 8] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Autour des 0,02 % et 0,05 % que la simulation prend.
const SLIPPAGE_BUCKETS: [f64; 8] = [0.0, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01];

/// Les instruments, à partager entre ceux qui mesurent et la page.
pub struct Instruments {
    poll: Histogram,
    slippage: Family<Sided, Histogram, fn() -> Histogram>,
    requests: Family<Request, Counter>,
    durations: Family<Endpoint, Histogram, fn() -> Histogram>,
    used_weight: Mutex<Option<u64>>,
    unbooked: AtomicUsize,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Sided {
    side: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Endpoint {
    endpoint: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    endpoint: &'static str,
    code: &'static str,
}

impl Instruments {
    /// Des instruments à zéro ; `endpoints` et `codes` sont les mots de toutes les demandes qui seront mesurées.
    pub fn new(endpoints: &[&'static str], codes: &[&'static str]) -> Instruments {
        let instruments = Instruments {
            poll: Histogram::new(POLL_BUCKETS),
            slippage: Family::new_with_constructor(|| Histogram::new(SLIPPAGE_BUCKETS)),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(REQUEST_BUCKETS)),
            used_weight: Mutex::new(None),
            unbooked: AtomicUsize::new(0),
        };
        for side in [Side::Buy, Side::Sell] {
            drop(instruments.slippage.get_or_create(&Sided { side: side.word() }));
        }
        for &endpoint in endpoints {
            drop(instruments.durations.get_or_create(&Endpoint { endpoint }));
            for &code in codes {
                drop(instruments.requests.get_or_create(&Request { endpoint, code }));
            }
        }
        instruments
    }

    /// Un tour a pris tout ce temps.
    pub fn polled(&self, took: Duration) {
        self.poll.observe(took.as_secs_f64());
    }

    /// Un trade s'est fait ; `expected` est le milieu sur lequel il a été décidé.
    pub fn traded(&self, fill: &Fill, expected: Option<Price>) {
        if let Some(expected) = expected {
            self.slipped(fill.side, fill.slippage(expected));
        }
    }

    /// De combien un prix a été pire qu'attendu. Meilleur compte zéro : la somme d'un histogramme ne décroît pas.
    pub(super) fn slipped(&self, side: Side, slippage: Decimal) {
        let slippage = slippage.max(Decimal::ZERO).to_f64().unwrap_or(0.0);
        self.slippage.get_or_create(&Sided { side: side.word() }).observe(slippage);
    }

    /// Tant d'ordres dont la suite n'a pas pu s'écrire au grand livre, qui donc ne peut pas le dire.
    pub fn unbooked(&self, count: usize) {
        self.unbooked.store(count, Ordering::Relaxed);
    }

    /// Une demande à la bourse a fini ainsi, en tout ce temps ; `used_weight` est le poids qu'elle compte, s'il est su.
    pub fn asked(
        &self,
        endpoint: &'static str,
        code: &'static str,
        took: Duration,
        used_weight: Option<u64>,
    ) {
        self.requests.get_or_create(&Request { endpoint, code }).inc();
        self.durations.get_or_create(&Endpoint { endpoint }).observe(took.as_secs_f64());
        *self.used_weight.lock().unwrap_or_else(PoisonError::into_inner) = used_weight;
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Time a poll takes, trades included";
        registry.register("poll_duration_seconds", help, self.poll.clone());
        let help = "How much worse than the middle of the book a trade was made, as a part of it; better counts as 0";
        registry.register("slippage_ratio", help, self.slippage.clone());
        let help = "Requests to the exchange, by endpoint and status (none: no whole answer)";
        registry.register("exchange_requests", help, self.requests.clone());
        let help = "Time a request to the exchange takes, by endpoint";
        registry.register("exchange_request_duration_seconds", help, self.durations.clone());
        let unbooked = self.unbooked.load(Ordering::Relaxed) as f64;
        let help = "Orders whose outcome could not be written into the ledger; nothing is traded meanwhile";
        single(registry, "orders_unbooked", help, Some(unbooked));
        let weight = *self.used_weight.lock().unwrap_or_else(PoisonError::into_inner);
        let help = "Weight the exchange counted for this address in the minute of its last answer, of 6000";
        single(registry, "exchange_used_weight", help, weight.map(|weight| weight as f64));
    }
}
