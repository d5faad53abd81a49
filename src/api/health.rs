//! `GET /health` : le programme tourne-t-il, et sa boucle avec lui ?

use std::time::Duration;

use http_types::StatusCode;
use miniserde::Serialize;
use tide::Response;

use super::Request;
use super::json::json;
use crate::clock;
use crate::domain::moment::Moment;

/// Ce qu'un tour peut prendre en plus de l'intervalle, réseau compris.
const SLACK: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct Health {
    status: &'static str,
    service: &'static str,
    version: String,
    poller: String,
    /// `right`, ou pourquoi l'heure n'est pas tenue pour juste : rien ne s'échange ni ne s'évalue alors.
    clock: String,
    /// `written`, ou pourquoi le dernier tour n'a pas pu l'être, ou l'est dans un fichier qui n'est plus à sa place.
    ledger: String,
    /// `alone`, ou pourquoi une autre copie de ce grand livre échange peut-être sur le même compte.
    account: String,
    timestamp: String,
}

/// 200 tant que les tours se font, 503 quand deux ont manqué, que le dernier n'a pas pu s'écrire ou qu'il serait perdu, ou
/// que le grand livre n'est peut-être pas seul sur son compte.
pub async fn health(request: Request) -> tide::Result {
    let state = request.state();
    let now = clock::now();
    let read = state
        .ledger
        .with(move |db| Ok((db.pulse()?, db.clock_unknown(now)?, db.exchange_state()?.not_alone)));
    let (read, unread) = match read.await {
        Ok(read) => (read, None),
        // Illisible, il reste à dire qu'il l'est : c'est ici que l'on regarde d'abord.
        Err(error) => ((None, None, None), Some(error.to_string())),
    };
    let (pulse, clock_unknown, not_alone) = read;
    let clock = match (clock_unknown, &unread) {
        (Some(unknown), _) => unknown.reason,
        (None, Some(_)) => "not known".to_owned(),
        (None, None) => "right".to_owned(),
    };
    let poller = match &pulse {
        Some(pulse) => format!("last_poll_{}s_ago", now.since(pulse.polled_at).as_secs()),
        None => "no_poll_yet".to_owned(),
    };
    let unwritten = unread.or_else(|| state.ledger.trouble());
    let running = clock::instant().saturating_duration_since(state.started);
    let polled = pulse.as_ref().map(|pulse| pulse.polled_at);
    let well =
        unwritten.is_none() && not_alone.is_none() && is_on_time(state.poll_interval, running, polled, now);
    let health = Health {
        status: if well { "ok" } else { "degraded" },
        service: "calvalot",
        version: state.version.clone(),
        poller,
        clock,
        ledger: unwritten.unwrap_or_else(|| "written".to_owned()),
        account: not_alone.unwrap_or_else(|| "alone".to_owned()),
        timestamp: clock::rfc3339(now),
    };
    let response: Response =
        json(if well { StatusCode::Ok } else { StatusCode::ServiceUnavailable }, &health);
    Ok(response)
}

/// Le programme tourne depuis trop peu pour qu'un tour manque, ou le dernier n'est pas loin ; un tour daté du futur est
/// d'avant que l'heure ne recule, on ne sait pas quand.
fn is_on_time(poll_interval: Duration, running: Duration, polled: Option<Moment>, now: Moment) -> bool {
    let patience = poll_interval * 2 + SLACK;
    let near = |polled: Moment| now.since(polled).max(polled.since(now)) <= patience;
    running <= patience || polled.is_some_and(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_poll_is_seen_whatever_the_clock_believed_before() {
        const NOW: i64 = 1_790_000_000_000;
        let seconds = Duration::from_secs;
        let cases = [
            // Depuis combien de secondes il tourne, et quand fut le dernier tour.
            (10, None, true),
            (300, None, false),
            (300, Some(NOW - 240_000), true),
            (300, Some(NOW - 300_000), false),
            // Parti en 1970 ou dix ans trop tard, puis mis à l'heure : le premier tour d'après rassure.
            (300, Some(60_000), false),
            (300, Some(NOW + 315_000_000_000), false),
            (300, Some(NOW), true),
        ];
        for (running, polled, expected) in cases {
            let found = is_on_time(seconds(120), seconds(running), polled.map(Moment), Moment(NOW));
            assert_eq!(found, expected, "{running} s, {polled:?}");
        }
    }
}
