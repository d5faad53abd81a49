//! `GET /health` : le programme tourne-t-il, et sa boucle avec lui ?

use std::time::Duration;

use http_types::StatusCode;
use miniserde::Serialize;
use tide::Response;

use super::errors::json;
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
    /// `written`, ou pourquoi le dernier tour n'a pas pu l'être.
    ledger: String,
    timestamp: String,
}

/// 200 tant que les tours se font, 503 quand deux ont manqué ou que le dernier n'a pas pu s'écrire.
pub async fn health(request: Request) -> tide::Result {
    let state = request.state();
    let now = clock::now();
    let read = state.ledger.with(move |db| Ok((db.pulse()?, db.clock_unknown(now)?)));
    let (read, unread) = match read.await {
        Ok(read) => (read, None),
        // Illisible, il reste à dire qu'il l'est : c'est ici que l'on regarde d'abord.
        Err(error) => ((None, None), Some(error.to_string())),
    };
    let (pulse, clock_unknown) = read;
    let clock = match (clock_unknown, &unread) {
        (Some(unknown), _) => unknown.reason,
        (None, Some(_)) => "not known".to_owned(),
        (None, None) => "right".to_owned(),
    };
    let poller = match &pulse {
        Some(pulse) => format!("last_poll_{}s_ago", now.since(pulse.polled_at).as_secs()),
        None => "no_poll_yet".to_owned(),
    };
    let unwritten = unread.or_else(|| state.ledger.unwritten());
    let well = unwritten.is_none() && is_on_time(state, pulse.as_ref(), now);
    let health = Health {
        status: if well { "ok" } else { "degraded" },
        service: "calvalot",
        version: state.version.clone(),
        poller,
        clock,
        ledger: unwritten.unwrap_or_else(|| "written".to_owned()),
        timestamp: clock::rfc3339(now),
    };
    let response: Response =
        json(if well { StatusCode::Ok } else { StatusCode::ServiceUnavailable }, &health);
    Ok(response)
}

fn is_on_time(state: &State, pulse: Option<&Pulse>, now: Moment) -> bool {
    let last = pulse.map_or(state.started, |pulse| pulse.polled_at.max(state.started));
    now.since(last) <= state.poll_interval * 2 + SLACK
}
