//! `GET /health` : le programme tourne-t-il, et sa boucle avec lui ?

use std::time::Duration;

use http_types::StatusCode;
use miniserde::Serialize;
use tide::Response;

use super::errors::{ApiError, json};
use super::{Request, State};
use crate::clock;
use crate::domain::moment::Moment;
use crate::ledger::views::Pulse;

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
    timestamp: String,
}

/// 200 tant que les tours se font, 503 quand deux ont manqué.
pub async fn health(request: Request) -> tide::Result {
    let state = request.state();
    let now = clock::now();
    let read = state.ledger.with(move |db| Ok((db.pulse()?, db.clock_unknown(now)?)));
    let (pulse, clock_unknown) = read.await.map_err(ApiError::from)?;
    let poller = match &pulse {
        Some(pulse) => format!("last_poll_{}s_ago", now.since(pulse.polled_at).as_secs()),
        None => "no_poll_yet".to_owned(),
    };
    let on_time = is_on_time(state, pulse.as_ref(), now);
    let health = Health {
        status: if on_time { "ok" } else { "degraded" },
        service: "calvalot",
        version: state.version.clone(),
        poller,
        clock: clock_unknown.map_or_else(|| "right".to_owned(), |unknown| unknown.reason),
        timestamp: clock::rfc3339(now),
    };
    let response: Response =
        json(if on_time { StatusCode::Ok } else { StatusCode::ServiceUnavailable }, &health);
    Ok(response)
}

fn is_on_time(state: &State, pulse: Option<&Pulse>, now: Moment) -> bool {
    let last = pulse.map_or(state.started, |pulse| pulse.polled_at.max(state.started));
    now.since(last) <= state.poll_interval * 2 + SLACK
}
