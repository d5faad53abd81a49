//! L'heure de la bourse : celle de la machine, décalée et dérivée à volonté. En microsecondes depuis 1970.

use std::time::{Instant, SystemTime};

pub(super) struct Clock {
    started: Instant,
    skew_ms: i64,
    drift_ppm: i64,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock { started: Instant::now(), skew_ms: 0, drift_ppm: 0 }
    }

    pub(super) fn set_skew(&mut self, skew_ms: i64) {
        self.skew_ms = skew_ms;
    }

    /// Dérive comptée à partir de maintenant.
    pub(super) fn set_drift(&mut self, drift_ppm: i64) {
        self.started = Instant::now();
        self.drift_ppm = drift_ppm;
    }

    pub(super) fn now_micros(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let elapsed = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        let drift = elapsed.saturating_mul(self.drift_ppm) / 1_000_000;
        i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX) + self.skew_ms * 1_000 + drift
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.now_micros() / 1_000
    }
}
