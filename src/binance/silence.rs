//! Ce que la bourse nous laisse demander : le silence qu'elle impose, le poids qu'elle compte.
//!
//! Elle compte par adresse IP ; ignorer un 429 vaut un bannissement (418), de deux minutes à trois jours.
//! Invariant : un silence se mesure à l'horloge monotone, ne raccourcit jamais, et ne dure jamais plus que ce
//! qui a été demandé, même repris après un redémarrage à une heure fausse.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

use super::{Exchange, wire};
use crate::clock;
use crate::domain::moment::Moment;
use crate::fetch::{Answer, LONGEST_RETRY_AFTER};

/// Le poids qu'une adresse IP peut demander en une minute.
pub const WEIGHT_LIMIT: u64 = 6000;

/// Au-delà, quelqu'un demande beaucoup derrière la même adresse : un tour pèse 24.
pub const WEIGHT_WATCHED: u64 = WEIGHT_LIMIT / 5;

/// Un silence que la bourse a demandé, à l'heure murale de cette machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silence {
    /// Le statut de la réponse qui l'a demandé : 429, 418 ou 403.
    pub status: u16,
    pub from: Moment,
    pub until: Moment,
}

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

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let until = clock::utc(self.until);
        write!(f, "the exchange answered {} and is not called again before {until} UTC", self.status)
    }
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
        let (silence, left) = if now < silence.from {
            (Silence { from: now, until: later(now, asked), ..silence }, asked)
        } else {
            (silence, silence.until.since(now).min(asked))
        };
        self.limits.lengthen(Pause { silence, over: clock::instant() + left });
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

fn later(moment: Moment, duration: Duration) -> Moment {
    Moment(moment.0.saturating_add(duration.as_millis() as i64))
}
