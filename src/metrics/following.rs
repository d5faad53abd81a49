//! Suivre : le leader, les tours, les signaux, l'écart à ce qu'il veut.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::series::{by_coin, flag, single};
use crate::domain::market::PerCoin;
use crate::domain::poll::PollOutcome;

/// Les états d'un signal, dans l'ordre de la page.
const SIGNAL_STATUSES: [&str; 5] = ["received", "executed", "skipped", "error", "rejected"];

/// Où l'on en est avec le leader ; les instants sont en secondes Unix.
#[derive(Clone, Debug, Default)]
pub struct Following {
    pub leader_connected: bool,
    pub leader_contact: Option<f64>,
    pub last_poll: Option<f64>,
    pub last_signal: Option<f64>,
    pub polls: Vec<(String, u32)>,
    pub signals: Vec<(String, u32)>,
    /// La part que le leader donne à chaque paire.
    pub targets: PerCoin<Option<f64>>,
    /// La part de la valeur qui n'est pas où le leader la met.
    pub drift_ratio: Option<f64>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Status {
    status: &'static str,
}

impl Following {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "1 if the leader answered the last poll as it should";
        single(registry, "leader_connected", help, Some(flag(self.leader_connected)));
        let help = "Last poll that the leader answered as it should";
        single(registry, "leader_contact_timestamp_seconds", help, self.leader_contact);
        let help = "Last poll, whatever came of it";
        single(registry, "poll_timestamp_seconds", help, self.last_poll);
        let help = "Arrival of the last signal of the leader";
        single(registry, "signal_timestamp_seconds", help, self.last_signal);

        let polls = Family::<Outcome, Counter>::default();
        for outcome in PollOutcome::ALL.map(PollOutcome::word) {
            polls.get_or_create(&Outcome { outcome }).inc_by(u64::from(count(&self.polls, outcome)));
        }
        registry.register("polls", "Polls, by outcome", polls);

        let signals = Family::<Status, Gauge>::default();
        for status in SIGNAL_STATUSES {
            signals.get_or_create(&Status { status }).set(i64::from(count(&self.signals, status)));
        }
        registry.register("signals", "Signals in the ledger, by status", signals);

        let help = "Part the leader gives to a coin, once a signal has said it";
        by_coin(registry, "target_weight_ratio", help, &self.targets);
        let help = "Part of the value that is not where the leader puts it";
        single(registry, "drift_ratio", help, self.drift_ratio);
    }
}

fn count(counts: &[(String, u32)], wanted: &str) -> u32 {
    counts.iter().find(|(word, _)| word == wanted).map_or(0, |(_, count)| *count)
}
