//! Un instant, en millisecondes Unix. Le domaine ne lit aucune horloge : on le lui donne.

use std::time::Duration;

/// Instant en millisecondes depuis le 1er janvier 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// Temps écoulé depuis `earlier` ; zéro si `earlier` est dans le futur (horloge reculée).
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0) as u64)
    }

    /// L'instant situé `duration` plus tôt.
    pub fn minus(self, duration: Duration) -> Moment {
        Moment(self.0.saturating_sub(duration.as_millis() as i64))
    }

    /// Secondes Unix, avec leurs millisecondes.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}
