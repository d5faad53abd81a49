//! Ce qu'un tour aura à dire de lui, et ce que le leader y montre.

use crate::clock;
use crate::domain::moment::Moment;
use crate::domain::poll::PollOutcome;
use crate::domain::signal::{Signal, Target};
use crate::leader::LeaderError;
use crate::ledger::Named;

/// L'issue d'un tour et ses raisons.
#[derive(Debug)]
pub(super) struct Story {
    pub outcome: PollOutcome,
    pub signal_id: Option<String>,
    pub trades: Option<u32>,
    pub error: Option<String>,
    pub leader_error: Option<String>,
}

impl Story {
    pub fn of(outcome: PollOutcome) -> Story {
        Story { outcome, signal_id: None, trades: None, error: None, leader_error: None }
    }

    pub fn about(outcome: PollOutcome, signal_id: &str) -> Story {
        Story { signal_id: Some(signal_id.to_owned()), ..Story::of(outcome) }
    }

    pub fn failed(error: &LeaderError) -> Story {
        let outcome = match error {
            LeaderError::Unreachable(_) => PollOutcome::LeaderUnreachable,
            LeaderError::Refused(_) => PollOutcome::LeaderRefused,
            LeaderError::InvalidSignal(_) => PollOutcome::InvalidSignal,
        };
        Story { error: Some(error.to_string()), leader_error: Some(error.to_string()), ..Story::of(outcome) }
    }

    /// Ce que ce tour a fait d'un signal.
    pub fn take(&mut self, done: Carried) {
        let Carried { signal_id, outcome, trades, error } = done;
        self.outcome = outcome;
        self.signal_id = Some(signal_id);
        self.trades = Some(trades);
        self.error = error;
    }
}

/// Ce que le suivi a fait : l'issue du dernier signal, et les trades de tous.
#[derive(Debug)]
pub(super) struct Carried {
    pub signal_id: String,
    pub outcome: PollOutcome,
    pub trades: u32,
    pub error: Option<String>,
}

/// Le signal valable que le leader montre à ce tour : une allocation ne se suit que de sa bouche.
#[derive(Debug)]
pub(super) struct Shown {
    pub named: Named,
    pub signal: Signal,
}

impl Shown {
    /// Pourquoi ce qu'il montre n'est plus à suivre ; `None` s'il l'est.
    pub fn expired(&self, now: Moment) -> Option<String> {
        let at = self.signal.expires_at.filter(|&at| at < now)?;
        Some(expired(&self.named.name, at))
    }

    /// L'allocation qu'il montre.
    pub fn target(&self) -> Option<Target> {
        self.signal.target
    }
}

/// Ce que l'on dit de ce qui a expiré à cette heure.
pub(super) fn expired(name: &str, at: Moment) -> String {
    let since = clock::utc(at);
    format!("what the leader shows, {name}, expired on {since} UTC: it is not followed")
}
