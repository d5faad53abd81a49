//! Comment un tour a fini : une liste close, que l'API et les métriques partagent.

/// L'issue d'un tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PollOutcome {
    Executed,
    Skipped,
    Rejected,
    Error,
    AlreadyProcessed,
    /// Le leader montre de nouveau un signal qu'il avait remplacé.
    OldSignal,
    /// Ce qu'il montre a expiré.
    ExpiredSignal,
    /// Il a changé des actions déjà reçues.
    ChangedSignal,
    /// Il en dit plus en un jour que l'on n'en suit.
    TooManySignals,
    /// Un signal attend un prix, le cash, le cours de l'euro ou les règles.
    Waiting,
    Paused,
    NoSignal,
    InvalidSignal,
    LeaderUnreachable,
    LeaderRefused,
}

impl PollOutcome {
    pub const ALL: [PollOutcome; 15] = [
        PollOutcome::Executed,
        PollOutcome::Skipped,
        PollOutcome::Rejected,
        PollOutcome::Error,
        PollOutcome::AlreadyProcessed,
        PollOutcome::OldSignal,
        PollOutcome::ExpiredSignal,
        PollOutcome::ChangedSignal,
        PollOutcome::TooManySignals,
        PollOutcome::Waiting,
        PollOutcome::Paused,
        PollOutcome::NoSignal,
        PollOutcome::InvalidSignal,
        PollOutcome::LeaderUnreachable,
        PollOutcome::LeaderRefused,
    ];

    /// Le mot de l'API et des métriques.
    pub fn word(self) -> &'static str {
        match self {
            PollOutcome::Executed => "executed",
            PollOutcome::Skipped => "skipped",
            PollOutcome::Rejected => "rejected",
            PollOutcome::Error => "error",
            PollOutcome::AlreadyProcessed => "already_processed",
            PollOutcome::OldSignal => "old_signal",
            PollOutcome::ExpiredSignal => "expired_signal",
            PollOutcome::ChangedSignal => "changed_signal",
            PollOutcome::TooManySignals => "too_many_signals",
            PollOutcome::Waiting => "waiting",
            PollOutcome::Paused => "paused",
            PollOutcome::NoSignal => "no_signal",
            PollOutcome::InvalidSignal => "invalid_signal",
            PollOutcome::LeaderUnreachable => "leader_unreachable",
            PollOutcome::LeaderRefused => "leader_refused",
        }
    }
}
