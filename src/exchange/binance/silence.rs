//! Ce que la bourse nous laisse demander : le silence qu'elle impose, le poids qu'elle compte.
//!
//! Elle compte par adresse IP ; ignorer un 429 vaut un bannissement (418), de deux minutes à trois jours.
//! Invariant : un silence se mesure à l'horloge monotone, ne raccourcit jamais, et ne dure jamais plus que ce
//! qui a été demandé, même repris après un redémarrage à une heure fausse.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::{Exchange, wire};
use crate::clock;
use crate::domain::moment::Moment;
use crate::exchange::server_clock::later;
use crate::exchange::silence::Silence;
use crate::fetch::{Answer, LONGEST_RETRY_AFTER};

/// Le poids qu'une adresse IP peut demander en une minute.
pub const WEIGHT_LIMIT: u64 = 6000;

/// Au-delà, quelqu'un demande beaucoup derrière la même adresse : un tour pèse 24.
pub const WEIGHT_WATCHED: u64 = WEIGHT_LIMIT / 5;

/// Les limites d'une adresse IP.
#[derive(Default)]
pub(super) struct Limits {
    pause: Cell<Option<Pause>>,
    used_weight: Cell<Option<u64>>,
}

/// Un silence et sa fin à l'horloge monotone, qui seule décide.
#[derive(Clone, Copy)]
struct Pause {
    silence: Silence,
    over: Instant,
}

impl Exchange {
    /// Le poids compté pour notre adresse IP dans la minute de la dernière réponse, s'il était dit
    /// (en-tête `X-MBX-USED-WEIGHT-1M`).
    pub fn used_weight(&self) -> Option<u64> {
        self.limits.used_weight.get()
    }

    /// Le silence en cours, pour qui le garde d'un démarrage à l'autre.
    pub fn silence(&self) -> Option<Silence> {
        self.limits.pause().map(|pause| pause.silence)
    }

    /// Reprend un silence gardé d'avant un redémarrage ; un plus long déjà en cours reste. Il ne dure jamais
    /// plus que ce qui avait été demandé (`until - from`, trois jours au plus) ; à une heure d'avant `from`,
    /// l'horloge a reculé et toute la durée compte à nouveau.
    pub fn keep_silent(&self, silence: Silence) {
        let now = clock::now();
        let asked = silence.until.since(silence.from).min(LONGEST_RETRY_AFTER);
        let from = silence.from.min(now);
        let until = later(from, asked);
        let over = clock::instant() + until.since(now);
        self.limits.lengthen(Pause { silence: Silence { from, until, ..silence }, over });
    }

    /// Retient ce que cette réponse dit du poids et du silence ; rend le silence qu'elle demande, ou un plus
    /// long déjà en cours.
    pub(super) fn heed(&self, answer: &Answer) -> Option<Silence> {
        self.limits.weigh(answer);
        let now = self.server_clock().map_or(answer.at, |clock| clock.now());
        let asked = wait_asked_by(answer, now)?;
        let silence = Silence { status: answer.status, from: answer.at, until: later(answer.at, asked) };
        let longest = self.limits.lengthen(Pause { silence, over: clock::instant() + asked });
        log::warn!(
            "exchange asked for silence status={} until={}",
            answer.status,
            clock::rfc3339(longest.until)
        );
        Some(longest)
    }
}

impl Limits {
    fn pause(&self) -> Option<Pause> {
        self.pause.get().filter(|pause| clock::instant() < pause.over)
    }

    /// Plusieurs appels vont ensemble : la plus longue attente vaut pour tous.
    fn lengthen(&self, pause: Pause) -> Silence {
        let longest = self.pause().filter(|earlier| earlier.over > pause.over).unwrap_or(pause);
        self.pause.set(Some(longest));
        longest.silence
    }

    /// Retient le poids compté ; le dit une fois quand il passe le seuil surveillé.
    fn weigh(&self, answer: &Answer) {
        let Some(weight) = answer.number("x-mbx-used-weight-1m") else { return };
        let before = self.used_weight.replace(Some(weight)).unwrap_or_default();
        if before <= WEIGHT_WATCHED && weight > WEIGHT_WATCHED {
            log::warn!("exchange_weight_high used={weight} limit={WEIGHT_LIMIT}");
        }
    }
}

/// L'attente que demande cette réponse, reçue à `now`, heure de la bourse : `Retry-After`, sinon la fin de
/// bannissement que dit son texte, sinon une durée qui dépasse celle pour laquelle la bourse compte (une
/// minute) ou bannit d'abord (deux minutes).
fn wait_asked_by(answer: &Answer, now: Moment) -> Option<Duration> {
    let default = match answer.status {
        429 => Duration::from_secs(60),
        403 => Duration::from_secs(120),
        418 => Duration::from_secs(600),
        _ => return None,
    };
    let told =
        || banned_until(&answer.body).map(|until| until.since(now).clamp(default, LONGEST_RETRY_AFTER));
    Some(answer.retry_after.or_else(told).unwrap_or(default).max(Duration::from_secs(1)))
}

/// `Way too much request weight used; IP banned until 1659146400000.`
fn banned_until(body: &[u8]) -> Option<Moment> {
    let refusal = wire::refusal(body)?;
    let (_, rest) = refusal.msg.split_once("banned until ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok().map(Moment)
}

#[cfg(test)]
mod tests {
    use isahc::http::HeaderMap;

    use super::*;
    use crate::clock::simulated::Installed;
    use crate::fetch::{Client, TIME_LIMIT};

    const NOW: Moment = Moment(1_767_225_600_000);

    fn answer(status: u16, retry_after: Option<u64>, body: &str) -> Answer {
        let retry_after = retry_after.map(Duration::from_secs);
        Answer { status, headers: HeaderMap::new(), retry_after, body: body.into(), at: NOW }
    }

    fn exchange() -> Exchange {
        Exchange::new("http://127.0.0.1:1", Client::new(TIME_LIMIT).unwrap())
    }

    #[test]
    fn silence_lasts_as_long_as_the_exchange_asks_or_a_sensible_time() {
        let banned = |seconds: i64| {
            let until = NOW.0 + seconds * 1000;
            format!(r#"{{"code":-1003,"msg":"Way too much; IP banned until {until}. Use WebSocket."}}"#)
        };
        let cases = [
            (429, Some(7), String::new(), Some(7)),
            (429, None, String::new(), Some(60)),
            (429, Some(0), String::new(), Some(1)),
            (418, Some(259_200), String::new(), Some(259_200)),
            (418, None, String::new(), Some(600)),
            (418, None, banned(7_200), Some(7_200)),
            (418, Some(30), banned(7_200), Some(30)),
            // Une fin passée, ou trop lointaine pour être vraie, ne décide de rien.
            (418, None, banned(-5), Some(600)),
            (418, None, banned(9_999_999), Some(259_200)),
            (418, None, r#"{"code":-1003,"msg":"IP banned until soon."}"#.to_owned(), Some(600)),
            (403, None, String::new(), Some(120)),
            (500, Some(30), String::new(), None),
            (451, None, String::new(), None),
        ];
        for (status, asked, body, expected) in cases {
            let wait = wait_asked_by(&answer(status, asked, &body), NOW);
            assert_eq!(wait.map(|wait| wait.as_secs()), expected, "{status} {asked:?} {body}");
        }
    }

    #[test]
    fn a_silence_says_until_when() {
        let _clock = Installed::at(NOW);
        let exchange = exchange();
        let silence = exchange.heed(&answer(429, Some(90), "")).unwrap();
        let expected = "the exchange answered 429 and is not called again before 2026-01-01 00:01:30 UTC";
        assert_eq!(silence.to_string(), expected);
        assert_eq!(exchange.silence(), Some(silence));
        assert_eq!(exchange.heed(&answer(200, None, "")), None);
    }

    #[test]
    fn a_shorter_silence_does_not_end_a_longer_one() {
        let _clock = Installed::at(NOW);
        let exchange = exchange();
        let longer = exchange.heed(&answer(418, Some(600), ""));
        assert_eq!(exchange.heed(&answer(429, Some(10), "")), longer);
        exchange.keep_silent(Silence { status: 403, from: NOW, until: later(NOW, Duration::from_secs(20)) });
        assert_eq!(exchange.silence(), longer);
        assert_eq!(exchange.at("http://127.0.0.1:2").silence(), longer);
    }

    /// Repris `late` secondes après le début, à l'heure que la machine croit, un silence de 600 s.
    #[test]
    fn a_silence_taken_up_again_is_never_longer_than_what_was_asked_for() {
        let day = 86_400;
        let cases = [
            (0, Some(600)),
            (200, Some(400)),
            (599, Some(1)),
            (600, None),
            (365 * day, None),
            // L'horloge a reculé : toute la durée compte à nouveau.
            (-1, Some(600)),
            (-365 * day, Some(600)),
        ];
        for (late, expected) in cases {
            let clock = Installed::at(Moment(NOW.0 + late * 1000));
            let exchange = exchange();
            let asked = Silence { status: 418, from: NOW, until: later(NOW, Duration::from_secs(600)) };
            exchange.keep_silent(asked);
            let left = exchange.silence().map(|silence| silence.until.since(crate::clock::now()).as_secs());
            assert_eq!(left, expected, "{late} s after");
            // Gardé et repris encore, il finit au même moment.
            if let Some(silence) = exchange.silence() {
                exchange.keep_silent(silence);
                assert_eq!(exchange.silence(), Some(silence));
            }
            drop(clock);
        }
    }

    #[test]
    fn a_kept_silence_that_makes_no_sense_is_bounded() {
        let _clock = Installed::at(NOW);
        let exchange = exchange();
        exchange.keep_silent(Silence { status: 418, from: NOW, until: Moment(i64::MAX) });
        let kept = exchange.silence().map(|silence| silence.until);
        assert_eq!(kept, Some(later(NOW, LONGEST_RETRY_AFTER)));
        let backwards = self::exchange();
        backwards.keep_silent(Silence { status: 418, from: Moment(i64::MAX), until: NOW });
        assert_eq!(backwards.silence(), None);
    }

    #[test]
    fn a_silence_ends_by_the_monotonic_clock() {
        let clock = Installed::at(NOW);
        let exchange = exchange();
        exchange.heed(&answer(429, Some(90), ""));
        clock.clock().jump(3_600_000);
        assert!(exchange.silence().is_some());
        let mut wait = Box::pin(crate::clock::sleep(Duration::from_secs(90)));
        smol::block_on(async {
            while smol::future::poll_once(&mut wait).await.is_none() {
                assert!(clock.clock().advance());
            }
        });
        assert_eq!(exchange.silence(), None);
    }
}
