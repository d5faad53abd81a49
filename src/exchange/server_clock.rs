//! L'heure de la bourse, estimée et comptée à l'horloge monotone.
//!
//! Un Raspberry Pi n'a pas d'horloge à lui et son heure peut sauter ; une bourse refuse une demande datée d'une seconde
//! d'avance. Invariant : rien de ce que fait ensuite l'horloge murale ne change l'heure dont une demande est datée.

use std::time::{Duration, Instant};

use crate::clock;
use crate::domain::moment::Moment;

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
pub(super) struct Sample {
    pub sent: Instant,
    pub round_trip: Duration,
    pub server: Moment,
    /// L'heure murale à la réponse.
    pub wall: Moment,
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

impl ServerClock {
    /// La bourse a lu son heure au milieu de l'aller-retour, à une moitié près.
    pub(super) fn of(sample: Sample) -> ServerClock {
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

    /// De combien de millisecondes la machine avançait quand la mesure a été faite, et l'heure qu'elle croyait être.
    pub fn measured(&self) -> (i64, Moment) {
        (self.wall.0.saturating_sub(self.server.0), self.wall)
    }

    fn at(&self, instant: Instant) -> Moment {
        later(self.server, instant.saturating_duration_since(self.at))
    }

    pub(super) fn is_stale(&self) -> bool {
        let elapsed = clock::instant().saturating_duration_since(self.at);
        let by_wall = later(self.wall, elapsed).0.abs_diff(clock::now().0);
        elapsed >= VALID || u128::from(by_wall) > JUMP.as_millis()
    }
}

/// L'instant situé `duration` plus tard.
pub(super) fn later(moment: Moment, duration: Duration) -> Moment {
    Moment(moment.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(round_trip: Duration, server: Moment) -> Sample {
        Sample { sent: clock::instant(), round_trip, server, wall: clock::now() }
    }

    #[test]
    fn the_hour_is_the_server_s_at_the_middle_of_the_round_trip_and_goes_on_from_there() {
        let sample = sample(Duration::from_millis(80), Moment(1_790_000_000_000));
        let clock = ServerClock::of(sample);
        assert_eq!(clock.margin, Duration::from_millis(40));
        let after =
            |milliseconds| clock.at(sample.sent + Duration::from_millis(milliseconds)).0 - 1_790_000_000_000;
        assert_eq!(after(40), 0);
        assert_eq!(after(80), 40);
        assert_eq!(after(600_040), 600_000);
    }
}
