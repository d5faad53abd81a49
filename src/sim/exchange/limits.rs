//! Les limites de débit : poids par minute, requêtes par cinq minutes, ordres par dix secondes et par jour.
//!
//! Les fenêtres sont calées sur le calendrier, pas glissantes. Plus de dix requêtes de suite au-delà d'une limite
//! valent un bannissement, comme 429 ignoré mène à 418 : deux minutes, puis le double à chaque récidive.

use super::refusal::Refusal;

const MINUTE_MS: i64 = 60_000;
const FIVE_MINUTES_MS: i64 = 5 * MINUTE_MS;
const TEN_SECONDS_MS: i64 = 10_000;
const DAY_MS: i64 = 86_400_000;
const FIRST_BAN_MS: i64 = 2 * MINUTE_MS;
const LONGEST_BAN_MS: i64 = 3 * DAY_MS;
const PATIENCE: u32 = 10;

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
    pub(super) raw_limit: i64,
    pub(super) orders_per_10s: i64,
    pub(super) orders_per_day: i64,
    weight: Window,
    raw: Window,
    ten_seconds: Window,
    day: Window,
    ignored: u32,
    banned_until: i64,
    next_ban_ms: i64,
}

impl Limits {
    pub(super) fn new() -> Limits {
        Limits {
            weight_limit: 6_000,
            raw_limit: 300_000,
            orders_per_10s: 100,
            orders_per_day: 200_000,
            weight: Window::new(MINUTE_MS),
            raw: Window::new(FIVE_MINUTES_MS),
            ten_seconds: Window::new(TEN_SECONDS_MS),
            day: Window::new(DAY_MS),
            ignored: 0,
            banned_until: 0,
            next_ban_ms: FIRST_BAN_MS,
        }
    }

    /// Compte une requête de ce poids ; refuse au-delà d'une limite, puis bannit qui insiste.
    pub(super) fn charge(&mut self, now_ms: i64, weight: i64) -> Result<(), Refusal> {
        if now_ms < self.banned_until {
            return Err(self.ban(now_ms));
        }
        *self.weight.at(now_ms) += weight;
        *self.raw.at(now_ms) += 1;
        let (told, wait) = if self.weight.used > self.weight_limit {
            let told = format!(
                "Too much request weight used; current limit is {} request weight per 1 MINUTE.",
                self.weight_limit
            );
            (told, self.weight.seconds_left(now_ms))
        } else if self.raw.used > self.raw_limit {
            let told =
                format!("Too many requests; current limit is {} requests per 5 MINUTE.", self.raw_limit);
            (told, self.raw.seconds_left(now_ms))
        } else {
            self.ignored = 0;
            return Ok(());
        };
        self.ignored += 1;
        if self.ignored > PATIENCE {
            self.banned_until = now_ms + self.next_ban_ms;
            self.next_ban_ms = (self.next_ban_ms * 2).min(LONGEST_BAN_MS);
            return Err(self.ban(now_ms));
        }
        let text = format!("{told} Please use WebSocket Streams for live updates to avoid polling the API.");
        Err(Refusal::slow_down(429, -1003, text, wait))
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
        let windows = [
            (&mut self.ten_seconds, self.orders_per_10s, "10 SECOND"),
            (&mut self.day, self.orders_per_day, "1 DAY"),
        ];
        for (window, limit, period) in windows {
            if *window.at(now_ms) >= limit {
                let text = format!("Too many new orders; current limit is {limit} orders per {period}.");
                return Err(Refusal::slow_down(429, -1015, text, window.seconds_left(now_ms)));
            }
        }
        Ok(())
    }

    /// Un ordre qui s'exécute, fût-ce en partie, rend son compte : on ne compte que les autres.
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
        let ban_end = now + MINUTE_MS + FIRST_BAN_MS;
        assert_eq!(limits.charge(ban_end - 1, 1).unwrap_err().status, 418);
        let again = limits.charge(ban_end, 20).unwrap_err();
        assert_eq!((again.status, again.retry_after), (418, Some(2 * FIRST_BAN_MS / 1_000 + 1)));
        assert!(limits.charge(ban_end + 2 * FIRST_BAN_MS, 1).is_ok());
    }

    #[test]
    fn requests_are_counted_over_five_minutes_whatever_they_weigh() {
        let mut limits = Limits { raw_limit: 2, ..Limits::new() };
        let now = 1_790_000_000_000 / FIVE_MINUTES_MS * FIVE_MINUTES_MS;
        assert!(limits.charge(now, 0).is_ok() && limits.charge(now + MINUTE_MS, 0).is_ok());
        let refusal = limits.charge(now + 4 * MINUTE_MS, 0).unwrap_err();
        assert_eq!((refusal.status, refusal.code, refusal.retry_after), (429, -1003, Some(61)));
        assert!(refusal.text.starts_with("Too many requests; current limit is 2 requests per 5 MINUTE."));
        assert!(limits.charge(now + FIVE_MINUTES_MS, 0).is_ok());
    }

    #[test]
    fn unfilled_orders_are_counted_over_ten_seconds_and_over_the_day() {
        let mut limits = Limits { orders_per_10s: 1, orders_per_day: 2, ..Limits::new() };
        let now = 1_790_000_000_000 / DAY_MS * DAY_MS;
        let refused = |limits: &mut Limits, now| limits.admit_order(now).err().map(|refusal| refusal.text);
        limits.count_unfilled(now);
        let told = "Too many new orders; current limit is 1 orders per 10 SECOND.";
        assert_eq!(refused(&mut limits, now + 9_999).as_deref(), Some(told));
        assert_eq!(refused(&mut limits, now + TEN_SECONDS_MS), None);
        limits.count_unfilled(now + TEN_SECONDS_MS);
        let told = "Too many new orders; current limit is 2 orders per 1 DAY.";
        assert_eq!(refused(&mut limits, now + 2 * TEN_SECONDS_MS).as_deref(), Some(told));
        assert_eq!(refused(&mut limits, now + DAY_MS), None);
    }
}
