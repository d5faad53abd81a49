//! Les limites de débit : poids par minute, ordres par dix secondes et par jour.
//!
//! Les fenêtres sont calées sur le calendrier, pas glissantes. Dix requêtes au-delà de la limite dans la même
//! minute valent un bannissement de deux minutes, comme 429 ignoré mène à 418.

use super::refusal::Refusal;

const MINUTE_MS: i64 = 60_000;
const TEN_SECONDS_MS: i64 = 10_000;
const DAY_MS: i64 = 86_400_000;
const BAN_MS: i64 = 120_000;
const PATIENCE: u32 = 10;

const ORDERS_PER_10S: i64 = 100;
pub(super) const ORDERS_PER_DAY: i64 = 200_000;

/// Un compteur remis à zéro au début de chaque période.
struct Window {
    length_ms: i64,
    period: i64,
    used: i64,
}

impl Window {
    fn new(length_ms: i64) -> Window {
        Window { length_ms, period: 0, used: 0 }
    }

    fn at(&mut self, now_ms: i64) -> &mut i64 {
        let period = now_ms.div_euclid(self.length_ms);
        if period != self.period {
            *self = Window { period, used: 0, ..*self };
        }
        &mut self.used
    }

    fn seconds_left(&self, now_ms: i64) -> i64 {
        (self.length_ms - now_ms.rem_euclid(self.length_ms)) / 1_000 + 1
    }
}

pub(super) struct Limits {
    pub(super) weight_limit: i64,
    pub(super) orders_per_10s: i64,
    weight: Window,
    ten_seconds: Window,
    day: Window,
    ignored: u32,
    banned_until: i64,
}

impl Limits {
    pub(super) fn new() -> Limits {
        Limits {
            weight_limit: 6_000,
            orders_per_10s: ORDERS_PER_10S,
            weight: Window::new(MINUTE_MS),
            ten_seconds: Window::new(TEN_SECONDS_MS),
            day: Window::new(DAY_MS),
            ignored: 0,
            banned_until: 0,
        }
    }

    /// Compte `weight` ; refuse au-delà de la limite, puis bannit qui insiste.
    pub(super) fn charge(&mut self, now_ms: i64, weight: i64) -> Result<(), Refusal> {
        if now_ms < self.banned_until {
            return Err(self.ban(now_ms));
        }
        let used = self.weight.at(now_ms);
        *used += weight;
        if *used <= self.weight_limit {
            self.ignored = 0;
            return Ok(());
        }
        self.ignored += 1;
        if self.ignored > PATIENCE {
            self.banned_until = now_ms + BAN_MS;
            return Err(self.ban(now_ms));
        }
        let limit = self.weight_limit;
        let text = format!(
            "Too much request weight used; current limit is {limit} request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API."
        );
        Err(Refusal::slow_down(429, -1003, text, self.weight.seconds_left(now_ms)))
    }

    fn ban(&self, now_ms: i64) -> Refusal {
        let until = self.banned_until;
        let text = format!(
            "Way too much request weight used; IP banned until {until}. Please use WebSocket Streams for live updates to avoid bans."
        );
        Refusal::slow_down(418, -1003, text, (until - now_ms) / 1_000 + 1)
    }

    /// Un ordre accepté ne pèse rien.
    pub(super) fn refund(&mut self, now_ms: i64, weight: i64) {
        *self.weight.at(now_ms) -= weight;
    }

    pub(super) fn used_weight(&mut self, now_ms: i64) -> i64 {
        *self.weight.at(now_ms)
    }

    pub(super) fn admit_order(&mut self, now_ms: i64) -> Result<(), Refusal> {
        let limit = self.orders_per_10s;
        if *self.ten_seconds.at(now_ms) < limit && *self.day.at(now_ms) < ORDERS_PER_DAY {
            return Ok(());
        }
        let text = format!("Too many new orders; current limit is {limit} orders per 10 SECOND.");
        Err(Refusal::slow_down(429, -1015, text, self.ten_seconds.seconds_left(now_ms)))
    }

    /// Un ordre entièrement exécuté rend son compte ; on ne le compte donc pas.
    pub(super) fn count_unfilled(&mut self, now_ms: i64) {
        *self.ten_seconds.at(now_ms) += 1;
        *self.day.at(now_ms) += 1;
    }

    /// Ordres comptés sur dix secondes, puis sur le jour.
    pub(super) fn order_counts(&mut self, now_ms: i64) -> (i64, i64) {
        (*self.ten_seconds.at(now_ms), *self.day.at(now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_starts_anew_with_the_minute_and_insisting_ends_in_a_ban() {
        let mut limits = Limits { weight_limit: 10, ..Limits::new() };
        let now = 1_790_000_000_000 / MINUTE_MS * MINUTE_MS;
        assert!(limits.charge(now, 10).is_ok());
        let refusal = limits.charge(now + 20_000, 1).unwrap_err();
        assert_eq!((refusal.status, refusal.code, refusal.retry_after), (429, -1003, Some(41)));
        assert!(limits.charge(now + MINUTE_MS, 1).is_ok());
        let mut status = 0;
        for _ in 0..=PATIENCE {
            status = limits.charge(now + MINUTE_MS, 20).unwrap_err().status;
        }
        assert_eq!(status, 418);
        assert_eq!(limits.charge(now + MINUTE_MS + BAN_MS - 1, 1).unwrap_err().status, 418);
        assert!(limits.charge(now + MINUTE_MS + BAN_MS, 1).is_ok());
    }
}
