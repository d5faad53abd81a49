//! L'heure de la bourse, estimée et tenue à l'horloge monotone.
//!
//! Un Raspberry Pi n'a pas d'horloge à lui et son heure peut sauter ; la bourse refuse une demande datée
//! d'une seconde d'avance. On lui demande donc l'heure plusieurs fois, on garde la réponse la plus rapide
//! et on compte de là à l'horloge monotone. Invariant : rien de ce que fait ensuite l'horloge murale ne
//! change l'heure dont une demande est datée ; un désaccord entre les deux horloges fait seulement mesurer
//! à nouveau.

use std::cell::Cell;
use std::time::{Duration, Instant};

use miniserde::Deserialize;

use super::{Exchange, Trouble, wire};
use crate::clock;
use crate::domain::moment::Moment;

const SAMPLES: usize = 5;

/// Une mesure plus vieille est à refaire : un quartz de Raspberry Pi dérive de quelques dizaines de
/// millisecondes en ce temps.
const VALID: Duration = Duration::from_secs(600);

/// Le désaccord des deux horloges de la machine au-delà duquel l'une a sauté (veille, réglage par NTP).
const JUMP: Duration = Duration::from_millis(250);

/// De combien une demande est antidatée : le retard ne coûte rien dans la fenêtre, une seconde d'avance est
/// un refus.
const LATE: Duration = Duration::from_millis(200);

/// Une lecture de l'heure de la bourse, entre l'envoi et la réponse.
#[derive(Clone, Copy, Debug)]
struct Sample {
    sent: Instant,
    round_trip: Duration,
    server: Moment,
    /// L'heure murale à la réponse.
    wall: Moment,
}

/// L'heure de la bourse, connue à un instant de l'horloge monotone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServerClock {
    at: Instant,
    server: Moment,
    /// L'heure murale à cet instant.
    wall: Moment,
    /// L'erreur la plus grande possible : la moitié de l'aller-retour gardé.
    pub margin: Duration,
}

/// Garde la dernière mesure, et si la bourse en a refusé l'heure depuis.
#[derive(Default)]
pub(super) struct Timekeeper {
    measure: Cell<Option<ServerClock>>,
    doubted: Cell<bool>,
}

#[derive(Deserialize)]
struct Time {
    #[serde(rename = "serverTime")]
    server_time: i64,
}

impl Exchange {
    /// Mesure l'heure de la bourse et la garde (`GET /api/v3/time`, sans clé, poids 1 par lecture, cinq
    /// lectures). Une mesure manquée laisse la précédente.
    pub async fn synchronise(&self) -> Result<ServerClock, Trouble> {
        let mut fastest = self.time().await?;
        for _ in 1..SAMPLES {
            let sample = self.time().await?;
            if sample.round_trip < fastest.round_trip {
                fastest = sample;
            }
        }
        let measure = ServerClock::of(fastest);
        self.timekeeper.measure.set(Some(measure));
        self.timekeeper.doubted.set(false);
        Ok(measure)
    }

    /// Vrai tant qu'aucune mesure n'est faite, dix minutes après la dernière, après un -1021, et quand
    /// l'horloge murale et la monotone se sont écartées depuis de plus de 250 ms (veille, réglage NTP).
    pub fn needs_synchronising(&self) -> bool {
        self.timekeeper.doubted.get() || self.server_clock().is_none_or(|clock| clock.is_stale())
    }

    /// La dernière mesure, même à refaire ; `None` si aucune n'a réussi.
    pub fn server_clock(&self) -> Option<ServerClock> {
        self.timekeeper.measure.get()
    }

    async fn time(&self) -> Result<Sample, Trouble> {
        let sent = clock::instant();
        let answer = self.get("/api/v3/time").await?;
        let (round_trip, wall) = (clock::instant().saturating_duration_since(sent), clock::now());
        let time = wire::decoded(&answer.body);
        let Time { server_time } = time.ok_or_else(|| Trouble::unreadable(&answer))?;
        Ok(Sample { sent, round_trip, server: Moment(server_time), wall })
    }
}

impl Timekeeper {
    /// La bourse a refusé l'heure d'une demande (-1021).
    pub(super) fn doubt(&self) {
        self.doubted.set(true);
    }
}

impl ServerClock {
    /// La bourse a lu son heure au milieu de l'aller-retour, à une moitié près.
    fn of(sample: Sample) -> ServerClock {
        let half = sample.round_trip / 2;
        ServerClock {
            at: sample.sent + half,
            server: sample.server,
            wall: sample.wall.minus(sample.round_trip - half),
            margin: half,
        }
    }

    /// L'heure de la bourse maintenant.
    pub fn now(&self) -> Moment {
        self.at(clock::instant())
    }

    /// L'heure dont dater une demande qui part maintenant : celle de la bourse, 200 ms plus tôt.
    pub fn stamp(&self) -> Moment {
        self.now().minus(LATE)
    }

    /// De combien de millisecondes `wall`, lue maintenant à l'horloge de la machine, avance sur la bourse ;
    /// négatif si elle retarde.
    pub fn lead_of(&self, wall: Moment) -> i64 {
        wall.0.saturating_sub(self.now().0)
    }

    fn at(&self, instant: Instant) -> Moment {
        Moment(self.server.0.saturating_add(self.elapsed(instant)))
    }

    /// Millisecondes de l'horloge monotone depuis la mesure.
    fn elapsed(&self, instant: Instant) -> i64 {
        let elapsed = instant.saturating_duration_since(self.at).as_millis();
        i64::try_from(elapsed).unwrap_or(i64::MAX)
    }

    fn is_stale(&self) -> bool {
        let elapsed = self.elapsed(clock::instant());
        let by_wall = clock::now().0.saturating_sub(self.wall.0);
        elapsed >= VALID.as_millis() as i64 || u128::from(by_wall.abs_diff(elapsed)) > JUMP.as_millis()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_is_the_server_s_at_the_middle_of_the_round_trip_and_goes_on_from_there() {
        let sent = clock::instant();
        let round_trip = Duration::from_millis(80);
        let sample = Sample { sent, round_trip, server: Moment(1_790_000_000_000), wall: clock::now() };
        let clock = ServerClock::of(sample);
        assert_eq!(clock.margin, Duration::from_millis(40));
        let after = |milliseconds| clock.at(sent + Duration::from_millis(milliseconds)).0 - 1_790_000_000_000;
        assert_eq!(after(40), 0);
        assert_eq!(after(80), 40);
        assert_eq!(after(600_040), 600_000);
    }

    #[test]
    fn a_clock_that_leads_is_told_from_one_that_lags() {
        let (sent, wall) = (clock::instant(), clock::now());
        let sample = Sample { sent, round_trip: Duration::ZERO, server: Moment(5_000_000), wall };
        let clock = ServerClock::of(sample);
        let near =
            |lead: i64, expected: i64| assert!((expected - 60_000..=expected).contains(&lead), "{lead}");
        near(clock.lead_of(Moment(9_000_000)), 4_000_000);
        near(clock.lead_of(Moment(1_000_000)), -4_000_000);
    }
}
