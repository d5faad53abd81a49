//! Des ordres retenus à part : ce qu'on a appris d'eux ne s'écrit pas, ou eux seuls ne se lisent pas.
//!
//! Chacun est repris à son rythme, sans les autres, et tant qu'il y en a un rien ne s'échange. Invariant : ou il finit par
//! être compté, ou une personne est appelée ([`Held::is_hopeless`]).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::pace::Pace;
use crate::clock;
use crate::domain::market::Coin;

/// Au-delà, ce n'est plus le temps qui y remédiera.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Les ordres finis sans exécution restent surveillés tant de temps.
pub(super) const WATCHED: Duration = Duration::from_secs(7 * 24 * 3600);

/// Ces ordres, par intention.
pub(super) struct Held {
    /// Ce qui leur arrive, au journal.
    what: &'static str,
    orders: BTreeMap<i64, Order>,
}

struct Order {
    coin: Coin,
    reason: String,
    since: Instant,
    pace: Pace,
}

impl Held {
    pub fn new(what: &'static str) -> Held {
        Held { what, orders: BTreeMap::new() }
    }

    /// Retient cet ordre, et pourquoi ; rend quand le reprendre.
    pub fn hold(&mut self, intent: i64, coin: Coin, reason: String) -> Instant {
        let since = clock::instant();
        let new = || Order { coin, reason: String::new(), since, pace: Pace::default() };
        let held = self.orders.entry(intent).or_insert_with(new);
        if held.reason != reason {
            log::error!("{} coin={coin} intent={intent} reason={reason:?}", self.what);
            held.reason = reason;
        }
        held.pace.failed()
    }

    /// Il est compté, ou quelqu'un s'en charge.
    pub fn release(&mut self, intent: i64) {
        self.orders.remove(&intent);
    }

    /// Ne garde que ceux-là : les autres sont comptés, ou plus personne ne les attend.
    pub fn keep_only(&mut self, intents: &[i64]) {
        self.orders.retain(|id, _| intents.contains(id));
    }

    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    pub fn holds(&self, intent: i64) -> bool {
        self.orders.contains_key(&intent)
    }

    /// Vrai s'il est retenu depuis si longtemps qu'une personne doit s'en charger.
    pub fn is_hopeless(&self, intent: i64) -> bool {
        self.orders.get(&intent).is_some_and(|held| clock::instant() - held.since >= PATIENCE)
    }

    pub fn count(&self) -> usize {
        self.orders.len()
    }

    /// L'un d'eux, et pourquoi ; `None` s'il n'y en a pas.
    pub fn told(&self) -> Option<String> {
        let Order { coin, reason, .. } = self.orders.values().next()?;
        let more = match self.orders.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        Some(format!("an order of {coin}{more}: {reason}"))
    }
}
