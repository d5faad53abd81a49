//! L'heure de la bourse : celle du monde, décalée et dérivée à volonté. En microsecondes depuis 1970.

use crate::sim::hour::Hour;

pub(super) struct Clock {
    hour: Hour,
    skew_ms: i64,
    drift_ppm: i64,
    drifting_since: i64,
}

impl Clock {
    pub(super) fn new(hour: Hour) -> Clock {
        Clock { hour, skew_ms: 0, drift_ppm: 0, drifting_since: 0 }
    }

    pub(super) fn set_skew(&mut self, skew_ms: i64) {
        self.skew_ms = skew_ms;
    }

    /// Dérive comptée à partir de maintenant ; celle d'avant est oubliée.
    pub(super) fn set_drift(&mut self, drift_ppm: i64) {
        self.drifting_since = self.hour.now_micros();
        self.drift_ppm = drift_ppm;
    }

    pub(super) fn now_micros(&self) -> i64 {
        let now = self.hour.now_micros();
        let drift = (now - self.drifting_since).saturating_mul(self.drift_ppm) / 1_000_000;
        now + self.skew_ms * 1_000 + drift
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.now_micros() / 1_000
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[test]
    fn skew_and_drift_apply_on_top_of_the_hour_of_the_world() {
        let hour = Arc::new(AtomicI64::new(1_790_000_000_000_000));
        let mut clock = Clock::new(Hour::Set(hour.clone()));
        assert_eq!(clock.now_ms(), 1_790_000_000_000);
        clock.set_skew(-250);
        clock.set_drift(100);
        assert_eq!(clock.now_ms(), 1_789_999_999_750);
        hour.fetch_add(10_000_000, Ordering::SeqCst);
        assert_eq!(clock.now_micros(), 1_790_000_009_751_000);
    }
}
