//! La mesure de l'heure de Binance : demandée plusieurs fois, la réponse la plus rapide gardée ([`ServerClock`]).
//!
//! Un désaccord des deux horloges de la machine, ou un refus de notre heure (-1021), fait mesurer à nouveau.

use std::cell::Cell;

use miniserde::Deserialize;

use super::{Exchange, unreadable, wire};
use crate::clock;
use crate::domain::check::{self, SET_THE_CLOCK};
use crate::domain::moment::Moment;
use crate::exchange::server_clock::{Sample, ServerClock};
use crate::exchange::trouble::Trouble;

const SAMPLES: usize = 5;

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

    /// L'heure de la machine, trouvée juste à une minute près, ou pourquoi elle ne l'est pas. N'interroge la bourse
    /// que si la mesure est à faire, ou donne tort à la machine ; une mesure ancienne, comptée à l'horloge monotone, en
    /// juge encore.
    pub async fn check_clock(&self) -> Result<Moment, String> {
        let wrong = |server: ServerClock| check::wrong_clock(server.lead_of(clock::now()));
        let measured =
            !self.needs_synchronising() && self.server_clock().is_some_and(|server| wrong(server).is_none());
        let trouble = if measured { None } else { self.synchronise().await.err() };
        let now = clock::now();
        match (self.server_clock(), trouble) {
            (Some(server), _) => match wrong(server) {
                Some(reason) => Err(reason),
                None => Ok(now),
            },
            // Un certificat qui n'est « pas encore » bon est le premier signe d'une heure passée.
            (None, Some(Trouble::Certificate(reason))) => Err(format!("{reason} ({SET_THE_CLOCK})")),
            (None, Some(trouble)) => Err(format!("nothing to compare it with: {trouble}")),
            (None, None) => Err("not compared yet".to_owned()),
        }
    }

    async fn time(&self) -> Result<Sample, Trouble> {
        let sent = clock::instant();
        let answer = self.get("/api/v3/time").await?;
        let (round_trip, wall) = (clock::instant().saturating_duration_since(sent), clock::now());
        let time = wire::decoded(&answer.body);
        let Time { server_time } = time.ok_or_else(|| unreadable(&answer))?;
        Ok(Sample { sent, round_trip, server: Moment(server_time), wall })
    }
}

impl Timekeeper {
    /// La bourse a refusé l'heure d'une demande (-1021).
    pub(super) fn doubt(&self) {
        self.doubted.set(true);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use smol::future::poll_once;

    use super::*;
    use crate::clock::simulated::Installed;
    use crate::fetch::{Client, TIME_LIMIT};

    const WALL: Moment = Moment(1_767_225_600_000);

    fn sample(round_trip: Duration, server: Moment) -> Sample {
        Sample { sent: clock::instant(), round_trip, server, wall: clock::now() }
    }

    /// Une bourse dont l'heure vient d'être mesurée.
    fn measured() -> Exchange {
        let exchange = Exchange::new("http://127.0.0.1:1", Client::new(TIME_LIMIT).unwrap());
        assert!(exchange.needs_synchronising() && exchange.server_clock().is_none());
        let measure = ServerClock::of(sample(Duration::ZERO, Moment(5_000_000)));
        exchange.timekeeper.measure.set(Some(measure));
        assert!(!exchange.needs_synchronising());
        exchange
    }

    fn wait(installed: &Installed, duration: Duration) {
        let mut wait = Box::pin(clock::sleep(duration));
        smol::block_on(async {
            while poll_once(&mut wait).await.is_none() {
                assert!(installed.clock().advance());
            }
        });
    }

    #[test]
    fn a_request_is_dated_a_little_late() {
        let _clock = Installed::at(WALL);
        let clock = measured().server_clock().unwrap();
        assert_eq!((clock.now(), clock.stamp()), (Moment(5_000_000), Moment(4_999_800)));
    }

    #[test]
    fn a_clock_that_leads_is_told_from_one_that_lags() {
        let _clock = Installed::at(WALL);
        let clock = ServerClock::of(sample(Duration::ZERO, Moment(5_000_000)));
        assert_eq!(clock.lead_of(Moment(9_000_000)), 4_000_000);
        assert_eq!(clock.lead_of(Moment(1_000_000)), -4_000_000);
    }

    #[test]
    fn a_measure_is_good_for_ten_minutes() {
        let installed = Installed::at(WALL);
        let exchange = measured();
        wait(&installed, Duration::from_secs(599));
        assert!(!exchange.needs_synchronising());
        wait(&installed, Duration::from_secs(1));
        assert!(exchange.needs_synchronising());
        // Vieille, elle reste la meilleure que l'on ait.
        assert_eq!(exchange.server_clock().map(|clock| clock.now()), Some(Moment(5_600_000)));
    }

    #[test]
    fn a_wall_clock_that_jumps_asks_for_a_measure_and_moves_no_hour() {
        let cases = [(0, false), (250, false), (-250, false), (251, true), (-251, true), (-86_400_000, true)];
        for (milliseconds, expected) in cases {
            let installed = Installed::at(WALL);
            let exchange = measured();
            wait(&installed, Duration::from_secs(60));
            installed.clock().jump(milliseconds);
            assert_eq!(exchange.needs_synchronising(), expected, "{milliseconds} ms");
            assert_eq!(exchange.server_clock().map(|clock| clock.now()), Some(Moment(5_060_000)));
        }
    }

    #[test]
    fn a_measure_is_shared_by_all_the_addresses() {
        let _clock = Installed::at(WALL);
        let exchange = measured();
        let other = exchange.at("http://127.0.0.1:2");
        assert_eq!(other.server_clock(), exchange.server_clock());
        other.timekeeper.doubt();
        assert!(exchange.needs_synchronising() && exchange.clone().needs_synchronising());
    }
}
