//! L'heure qu'il est, l'attente, et leur écriture.
//!
//! Rien d'autre ne lit une horloge ni ne pose de minuterie, hors des surfaces et du monde simulé ; le domaine
//! reçoit l'heure en argument. Étage 0,5 avec `fetch` : tout contrepartie peut s'en servir, il ne se sert que
//! du domaine. Un fil peut vivre à une heure [`simulated`], où attendre ne prend pas de temps.

pub mod simulated;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use smol::Timer;

use crate::domain::moment::Moment;

/// L'instant présent, à l'horloge de la machine.
pub fn now() -> Moment {
    if let Some(simulated) = simulated::current() {
        return simulated.wall();
    }
    let milliseconds =
        |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => Moment(milliseconds(after)),
        Err(before) => Moment(-milliseconds(before.duration())),
    }
}

/// L'instant présent, à l'horloge monotone : rien ne la recule ni ne la fait sauter.
pub fn instant() -> Instant {
    simulated::current().map_or_else(Instant::now, |simulated| simulated.instant())
}

/// Attend jusqu'à cet instant de l'horloge monotone.
pub async fn sleep_until(deadline: Instant) {
    match simulated::current() {
        Some(simulated) => simulated.sleep_until(deadline).await,
        None => {
            Timer::at(deadline).await;
        }
    }
}

/// Attend cette durée.
pub async fn sleep(duration: Duration) {
    sleep_until(instant() + duration).await;
}

/// L'instant que dit ce texte : RFC 3339, ou sans fuseau, alors en UTC ; `None` si ce n'en est pas un.
pub fn parse(text: &str) -> Option<Moment> {
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let timestamp = text.parse::<Timestamp>().ok().or_else(civil)?;
    Some(Moment(timestamp.as_millisecond()))
}

/// `2026-11-22 10:00:00`, en UTC : la forme des champs `…_at` de l'API.
pub fn utc(moment: Moment) -> String {
    timestamp(moment).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-11-22T10:00:00Z` (RFC 3339), à la seconde.
pub fn rfc3339(moment: Moment) -> String {
    timestamp(moment).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-11-22 11:00:00+01:00`, dans le fuseau de `TZ` ou de la machine.
pub fn local(moment: Moment) -> String {
    let zoned = timestamp(moment).to_zoned(TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M:%S%:z").to_string()
}

/// Vrai si `TZ` peut s'écrire ainsi : un nom, une règle POSIX, un fichier. Une machine sans fuseaux ne sait pas les nommer.
pub fn is_zone(text: &str) -> bool {
    let rule = |text: &str| TimeZone::posix(text).is_ok();
    // Sans ses dates, une règle d'été a celles que la bibliothèque C lui donne.
    if rule(text) || rule(&format!("{text},M3.2.0,M11.1.0")) {
        return true;
    }
    let place = text.strip_prefix(':').unwrap_or(text);
    let name = place.rsplit_once("zoneinfo/").map_or(place, |(_, name)| name);
    let is_file = || std::fs::read(place).is_ok_and(|data| TimeZone::tzif(name, &data).is_ok());
    jiff::tz::db().is_definitively_empty() || TimeZone::get(name).is_ok() || is_file()
}

/// Le début du jour de cet instant, dans le fuseau de `TZ` ou de la machine.
pub fn midnight(moment: Moment) -> Moment {
    midnight_in(moment, TimeZone::system())
}

/// Un jour peut commencer à 1 heure, et durer de 23 à 25 heures.
fn midnight_in(moment: Moment, zone: TimeZone) -> Moment {
    let start = timestamp(moment).to_zoned(zone).start_of_day();
    start.map_or(moment, |start| Moment(start.timestamp().as_millisecond()))
}

/// Un instant hors du calendrier (ans −9999 à 9999) est ramené à son bord.
fn timestamp(moment: Moment) -> Timestamp {
    let (first, last) = (Timestamp::MIN.as_millisecond(), Timestamp::MAX.as_millisecond());
    Timestamp::from_millisecond(moment.0.clamp(first, last)).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_name_a_rule_or_a_file_and_nothing_else() {
        let known = "Europe/Paris :Europe/Paris europe/paris UTC GMT0 EST5EDT CET-1CEST CET-1CEST,M3.5.0,M10.5.0/3 <+03>-3 \
                     /usr/share/zoneinfo/Europe/Paris :/usr/share/zoneinfo/Europe/Paris";
        for text in known.split_whitespace() {
            assert!(is_zone(text), "{text}");
        }
        for text in ["Europe/Pariss", "Paris", ":Europe/Pariss", "/etc/hostname", "2", "Europe/", "+02:00"] {
            assert!(!is_zone(text), "{text}");
        }
    }

    #[test]
    fn a_moment_is_written_in_utc_to_the_second() {
        let moment = Moment(1_767_225_600_999);
        assert_eq!(utc(moment), "2026-01-01 00:00:00");
        assert_eq!(rfc3339(moment), "2026-01-01T00:00:00Z");
        assert_eq!(rfc3339(Moment(-1)), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn a_moment_outside_the_calendar_is_written_all_the_same() {
        for moment in [Moment(i64::MIN), Moment(i64::MAX)] {
            assert!(!utc(moment).is_empty() && !rfc3339(moment).is_empty() && !local(moment).is_empty());
            assert!(!utc(midnight(moment)).is_empty());
        }
    }

    #[test]
    fn a_day_begins_at_local_midnight_however_long_it_lasts() {
        const PARIS: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
        // À Beyrouth, l'heure d'été commence à minuit : ce jour-là n'a pas de minuit.
        const BEIRUT: &str = "EET-2EEST,M3.5.0/0,M10.5.0/0";
        let cases = [
            (PARIS, "2026-11-22T09:30:00Z", "2026-11-21 23:00:00"),
            (PARIS, "2026-11-22T22:59:59Z", "2026-11-21 23:00:00"),
            (PARIS, "2026-11-22T23:00:00Z", "2026-11-22 23:00:00"),
            // 29 mars : 23 heures ; 25 octobre : 25 heures.
            (PARIS, "2026-03-29T21:59:59Z", "2026-03-28 23:00:00"),
            (PARIS, "2026-03-29T22:00:00Z", "2026-03-29 22:00:00"),
            (PARIS, "2026-10-25T22:59:59Z", "2026-10-24 22:00:00"),
            (PARIS, "2026-10-25T23:00:00Z", "2026-10-25 23:00:00"),
            (BEIRUT, "2026-03-29T12:00:00Z", "2026-03-28 22:00:00"),
            ("<+0530>-5:30", "2026-11-22T20:00:00Z", "2026-11-22 18:30:00"),
        ];
        for (zone, at, expected) in cases {
            let at: Timestamp = at.parse().expect("a timestamp");
            let zone = TimeZone::posix(zone).expect("a zone");
            assert_eq!(utc(midnight_in(Moment(at.as_millisecond()), zone)), expected, "{at}");
        }
    }
}
