//! L'heure de la bourse, estimée et tenue à l'horloge monotone.
//!
//! Un Raspberry Pi n'a pas d'horloge à lui et son heure peut sauter ; la bourse refuse une demande datée
//! d'une seconde d'avance. On lui demande donc l'heure plusieurs fois, on garde la réponse la plus rapide
//! et on compte de là à l'horloge monotone. Invariant : rien de ce que fait ensuite l'horloge murale ne
//! change l'heure dont une demande est datée.

use std::time::{Duration, Instant};

use miniserde::{Deserialize, json};

use super::{Exchange, Trouble};
use crate::clock;
use crate::domain::moment::Moment;

const SAMPLES: usize = 5;

/// Une lecture de l'heure de la bourse, entre l'envoi et la réponse.
#[derive(Clone, Copy, Debug)]
struct Sample {
    sent: Instant,
    round_trip: Duration,
    server: Moment,
}

/// L'heure de la bourse, connue à un instant de l'horloge monotone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServerClock {
    at: Instant,
    server: Moment,
    /// L'erreur la plus grande possible : la moitié de l'aller-retour gardé.
    pub margin: Duration,
}

#[derive(Deserialize)]
struct Time {
    #[serde(rename = "serverTime")]
    server_time: i64,
}

impl Exchange {
    /// Mesure l'heure de la bourse (`GET /api/v3/time`, sans clé, poids 1 par lecture).
    pub async fn clock(&self) -> Result<ServerClock, Trouble> {
        let mut fastest = self.time().await?;
        for _ in 1..SAMPLES {
            let sample = self.time().await?;
            if sample.round_trip < fastest.round_trip {
                fastest = sample;
            }
        }
        Ok(ServerClock::of(fastest))
    }

    async fn time(&self) -> Result<Sample, Trouble> {
        let sent = clock::instant();
        let answer = self.get("/api/v3/time").await?;
        let round_trip = sent.elapsed();
        let time = answer.text().ok().and_then(|text| json::from_str::<Time>(text).ok());
        let Time { server_time } = time.ok_or_else(|| Trouble::unreadable(&answer))?;
        Ok(Sample { sent, round_trip, server: Moment(server_time) })
    }
}

impl ServerClock {
    /// La bourse a lu son heure au milieu de l'aller-retour, à une moitié près.
    fn of(sample: Sample) -> ServerClock {
        let half = sample.round_trip / 2;
        ServerClock { at: sample.sent + half, server: sample.server, margin: half }
    }

    /// L'heure de la bourse maintenant.
    pub fn now(&self) -> Moment {
        self.at(clock::instant())
    }

    /// De combien de millisecondes `wall`, lue maintenant à l'horloge de la machine, avance sur la bourse ;
    /// négatif si elle retarde.
    pub fn lead_of(&self, wall: Moment) -> i64 {
        wall.0.saturating_sub(self.now().0)
    }

    fn at(&self, instant: Instant) -> Moment {
        let elapsed = instant.saturating_duration_since(self.at).as_millis();
        Moment(self.server.0.saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_is_the_server_s_at_the_middle_of_the_round_trip_and_goes_on_from_there() {
        let sent = clock::instant();
        let round_trip = Duration::from_millis(80);
        let clock = ServerClock::of(Sample { sent, round_trip, server: Moment(1_790_000_000_000) });
        assert_eq!(clock.margin, Duration::from_millis(40));
        let after = |milliseconds| clock.at(sent + Duration::from_millis(milliseconds)).0 - 1_790_000_000_000;
        assert_eq!(after(40), 0);
        assert_eq!(after(80), 40);
        assert_eq!(after(600_040), 600_000);
    }

    #[test]
    fn a_clock_that_leads_is_told_from_one_that_lags() {
        let sample = Sample { sent: clock::instant(), round_trip: Duration::ZERO, server: Moment(5_000_000) };
        let clock = ServerClock::of(sample);
        let near =
            |lead: i64, expected: i64| assert!((expected - 60_000..=expected).contains(&lead), "{lead}");
        near(clock.lead_of(Moment(9_000_000)), 4_000_000);
        near(clock.lead_of(Moment(1_000_000)), -4_000_000);
    }
}
