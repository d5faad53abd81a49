//! L'allocation que l'on vise, dans l'état de l'agent, et `POST /api/agent/old-target` : ce qu'une personne décide d'une vieille.

use http_types::StatusCode;
use miniserde::{Deserialize, Serialize};

use super::Request;
use super::body::json_body;
use super::errors::ApiError;
use super::json::json;
use crate::clock;
use crate::domain::aim::{Aim, REPLACED, TAKEN_OUT};
use crate::domain::moment::Moment;
use crate::domain::survival::DEAD;
use crate::ledger::views::{Agent, OldTarget};
use crate::ledger::{Db, LedgerError, PendingSignal};

/// Où l'on en est de l'allocation du leader.
#[derive(Serialize)]
pub(super) struct TargetView {
    signal_id: String,
    cause: &'static str,
    since: String,
    reached_at: Option<String>,
    waiting_for: Option<String>,
}

/// Celle que le premier démarrage a trouvée déjà vieille, et dont une personne décide.
#[derive(Serialize)]
pub(super) struct OldTargetView {
    said_at: String,
    age_seconds: u64,
    declined: bool,
}

impl TargetView {
    /// Celle qui est visée ; `None` avant la première.
    pub fn read(db: &mut Db) -> Result<Option<TargetView>, LedgerError> {
        let Some(Aim { signal, cause, since, reached_at, waiting_for, .. }) = db.aim()? else {
            return Ok(None);
        };
        let (reached_at, waiting_for) = match left_behind(signal, &db.pending()?) {
            Some(why) => (None, Some(why.to_owned())),
            None => (reached_at, waiting_for),
        };
        let waiting_for = match reached_at {
            Some(_) => waiting_for,
            None => hindrance(waiting_for, &db.agent()?),
        };
        Ok(Some(TargetView {
            signal_id: db.name_of(signal)?,
            cause: cause.word(),
            since: clock::utc(since),
            reached_at: reached_at.map(clock::utc),
            waiting_for,
        }))
    }
}

/// Pourquoi l'on s'écarte peut-être déjà de l'allocation de ce signal, atteinte ou non ; `None` si rien de plus récent n'est en route.
fn left_behind(signal: i64, pending: &[PendingSignal]) -> Option<&'static str> {
    let takes_all = pending.iter().any(PendingSignal::takes_all);
    let is_replaced = pending.iter().any(|entry| entry.wish.is_none() && entry.row > signal);
    if takes_all { Some(TAKEN_OUT) } else { is_replaced.then_some(REPLACED) }
}

/// Ce qui en est dit pendant une pause : à la reprise, c'est ce que le leader montre alors qui se suit.
const PAUSED: &str = "paused: nothing is followed until the agent is resumed";

/// Ce qui empêche d'y arriver : arrêté, ce qui l'empêchait auparavant n'est plus relu.
fn hindrance(waiting_for: Option<String>, agent: &Agent) -> Option<String> {
    match agent {
        Agent { dead: true, .. } => Some(DEAD.to_owned()),
        Agent { paused: true, .. } => Some(PAUSED.to_owned()),
        _ => waiting_for,
    }
}

impl OldTargetView {
    pub fn of(old: OldTarget, now: Moment) -> OldTargetView {
        let OldTarget { said_at, declined } = old;
        OldTargetView { said_at: clock::utc(said_at), age_seconds: now.since(said_at).as_secs(), declined }
    }
}

#[derive(Deserialize)]
struct Wanted {
    follow: Option<bool>,
}

#[derive(Serialize)]
struct Settled {
    ok: bool,
    follow: bool,
}

/// Suit l'allocation que le premier démarrage a trouvée vieille, ou attend la suivante.
pub async fn settle(mut request: Request) -> tide::Result {
    let Wanted { follow } = json_body(&mut request, &["follow"], "{\"follow\": true}").await?;
    let Some(follow) = follow else {
        let told = "say whether to follow it: {\"follow\": true}, or {\"follow\": false} to wait for the leader's next";
        return Err(ApiError::bad_request(told).into());
    };
    request.state().commands.settle_old_target(follow).await.map_err(ApiError::from)?;
    Ok(json(StatusCode::Ok, &Settled { ok: true, follow }))
}
