//! `PUT /api/agent/stop-loss`, et ce que l'état de l'agent en dit : la limite, qui l'a fixée, où l'on en est.

use http_types::StatusCode;
use miniserde::json::Value;
use miniserde::{Deserialize, Serialize};

use super::Request;
use super::body::{amount, json_body};
use super::errors::ApiError;
use super::json::json;
use crate::clock;
use crate::domain::money::Weight;
use crate::domain::stop_loss::{Choice, Limit, SetBy};
use crate::ledger;

/// La perte que l'on s'est fixée, en pour cent du plus haut.
#[derive(Serialize)]
pub(super) struct StopLoss {
    /// `None` : il n'y en a pas.
    pct: Option<f64>,
    set_by: Option<&'static str>,
    env_pct: Option<f64>,
    below_highest_pct: Option<f64>,
    low_readings: u32,
    reached: Option<Reached>,
}

#[derive(Serialize)]
struct Reached {
    at: String,
    below_highest_pct: f64,
}

impl From<ledger::StopLoss> for StopLoss {
    fn from(kept: ledger::StopLoss) -> Self {
        StopLoss {
            pct: kept.limit.map(|limit| percent(limit.part())),
            set_by: kept.set_by.map(SetBy::word),
            env_pct: kept.configured.map(|limit| percent(limit.part())),
            below_highest_pct: kept.fall.map(percent),
            low_readings: kept.low_in_a_row,
            reached: kept
                .reached
                .map(|(at, fall)| Reached { at: clock::utc(at), below_highest_pct: percent(fall) }),
        }
    }
}

fn percent(part: Weight) -> f64 {
    Weight::new(part.percent()).to_f64()
}

#[derive(Deserialize)]
struct Wanted {
    pct: Option<Value>,
    as_configured: Option<bool>,
    understood: Option<bool>,
}

#[derive(Serialize)]
struct Set {
    ok: bool,
    stop_loss: StopLoss,
}

/// Fixe la perte à laquelle tout se vend, l'éteint, ou la rend à `.env`.
pub async fn set(mut request: Request) -> tide::Result {
    let example =
        "{\"pct\": 20}, {\"pct\": 0} for none or {\"as_configured\": true} for what STOP_LOSS_PCT says";
    let fields = ["pct", "as_configured", "understood"];
    let Wanted { pct, as_configured, understood } = json_body(&mut request, &fields, example).await?;
    let choice = match (pct, as_configured) {
        (Some(pct), None | Some(false)) => Choice::Own(limit(&pct)?),
        (None, Some(true)) => Choice::AsConfigured,
        _ => return Err(ApiError::bad_request(format!("say one of {example}")).into()),
    };
    let state = request.state().clone();
    state.commands.stop_loss(choice, understood == Some(true)).await.map_err(ApiError::from)?;
    let kept = state.ledger.with(|db| db.stop_loss()).await.map_err(ApiError::from)?;
    Ok(json(StatusCode::Ok, &Set { ok: true, stop_loss: kept.into() }))
}

fn limit(pct: &Value) -> Result<Option<Limit>, ApiError> {
    let refused = |(wrong, remedy)| ApiError::bad_request(format!("pct {wrong}: {remedy}"));
    Limit::parse(&amount("pct", pct, |text| Ok(text.to_owned()))?).map_err(refused)
}
