//! `GET /api/agent/status` et `POST /api/agent/toggle` : l'agent, son leader, sa pause.

use http_types::StatusCode;
use miniserde::{Deserialize, Serialize, json::Value};

use super::Request;
use super::body::json_body;
use super::errors::ApiError;
use super::guard::is_bare;
use super::json::{json, number};
use super::sell_all::SellingAll;
use super::stop_loss::StopLoss;
use super::target::{OldTargetView, TargetView};
use crate::clock;
use crate::domain::market::Unknown;
use crate::domain::moment::Moment;
use crate::domain::signal;
use crate::ledger::views::{Agent, Pulse};

#[derive(Serialize)]
struct Status {
    running: bool,
    paused: bool,
    paused_reason: Option<String>,
    version: String,
    poll_interval_seconds: Value,
    leader_url: &'static str,
    last_poll: Option<LastPoll>,
    last_poll_time: Option<f64>,
    mode: String,
    state: &'static str,
    leader: LeaderStatus,
    unknown: Vec<UnknownStatus>,
    waiting_signals: usize,
    selling_all: Option<SellingAll>,
    target: Option<TargetView>,
    old_target: Option<OldTargetView>,
    stop_loss: StopLoss,
}

#[derive(Serialize)]
struct LastPoll {
    status: String,
    signal_id: Option<String>,
    trades: Option<u32>,
    error: Option<String>,
}

#[derive(Serialize)]
struct LeaderStatus {
    connected: bool,
    last_contact: Option<f64>,
    last_signal_at: Option<String>,
    said_at: Option<String>,
    error: Option<String>,
}

/// Ce qui manque à une évaluation, dans l'API.
#[derive(Serialize)]
pub(super) struct UnknownStatus {
    what: String,
    reason: String,
    since: Option<f64>,
}

impl From<Unknown> for UnknownStatus {
    fn from(unknown: Unknown) -> Self {
        let Unknown { what, reason, since } = unknown;
        UnknownStatus { what, reason, since: since.map(Moment::seconds) }
    }
}

/// L'état de l'agent. L'adresse du leader n'en sort pas.
pub async fn status(request: Request) -> tide::Result {
    let state = request.state().clone();
    let now = clock::now();
    let read = move |db: &mut crate::ledger::Db| {
        let waiting = db.pending()?.iter().filter(|signal| signal.wish.is_none()).count();
        let heard = (db.pulse()?, db.last_word()?, TargetView::read(db)?, db.old_target(now)?);
        let asked = (db.selling_all()?, db.stop_loss()?);
        Ok((db.agent()?, heard, db.outside(now)?, waiting, asked))
    };
    let (agent, (pulse, last_word, target, old_target), outside, waiting_signals, (selling_all, stop_loss)) =
        state.ledger.with(read).await.map_err(ApiError::from)?;
    let Agent { mode, dead, paused, paused_reason } = agent;
    let status = Status {
        running: !paused && !dead,
        paused,
        paused_reason,
        version: state.version,
        poll_interval_seconds: number(state.poll_interval.as_secs_f64()),
        leader_url: "***",
        last_poll_time: pulse.as_ref().map(|pulse| pulse.polled_at.seconds()),
        mode,
        state: if dead { "DEAD" } else { "ACTIVE" },
        leader: leader_status(pulse.as_ref(), last_word),
        last_poll: pulse.map(last_poll),
        selling_all: selling_all.map(|selling| SellingAll::of(selling, &outside.prices)),
        unknown: outside.unknown.into_iter().map(UnknownStatus::from).collect(),
        waiting_signals,
        target,
        old_target: old_target.map(|old| OldTargetView::of(old, now)),
        stop_loss: stop_loss.into(),
    };
    Ok(json(StatusCode::Ok, &status))
}

fn leader_status(pulse: Option<&Pulse>, last_word: Option<(Moment, Option<Moment>)>) -> LeaderStatus {
    LeaderStatus {
        connected: pulse.is_some_and(|pulse| pulse.leader_error.is_none()),
        last_contact: pulse.and_then(|pulse| pulse.leader_contact_at).map(Moment::seconds),
        last_signal_at: last_word.map(|(received_at, _)| clock::utc(received_at)),
        said_at: last_word
            .and_then(|(received_at, said_at)| signal::dated(said_at, received_at))
            .map(clock::utc),
        error: pulse.and_then(|pulse| pulse.leader_error.clone()),
    }
}

fn last_poll(pulse: Pulse) -> LastPoll {
    LastPoll { status: pulse.outcome, signal_id: pulse.signal_id, trades: pulse.trades, error: pulse.error }
}

#[derive(Deserialize)]
struct Toggle {
    paused: Option<bool>,
}

#[derive(Serialize)]
struct Toggled {
    status: &'static str,
}

/// Met en pause ou reprend ; sans `paused`, ou sans rien du tout comme à l'ancien programme, retourne l'état.
pub async fn toggle(mut request: Request) -> tide::Result {
    let Toggle { paused } = match is_bare(&request) {
        true => Toggle { paused: None },
        false => json_body(&mut request, &["paused"], "{} or {\"paused\": true}").await?,
    };
    let paused = request.state().commands.pause(paused).await.map_err(ApiError::from)?;
    Ok(json(StatusCode::Ok, &Toggled { status: if paused { "paused" } else { "resumed" } }))
}
