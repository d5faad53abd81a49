//! `GET /api/signals` : les signaux, et pour chaque coin ce qui en a été fait.

use http_types::StatusCode;
use miniserde::{Serialize, json::Value};

use super::Request;
use super::errors::ApiError;
use super::json::list;
use super::parameters::selection;
use crate::clock;
use crate::ledger::Decision;
use crate::ledger::views::Signal;

#[derive(Serialize)]
struct SignalView {
    id: i64,
    signal_id: String,
    confidence: Option<f64>,
    reasoning: String,
    actions: Value,
    portfolio_state: Option<Value>,
    status: String,
    error_message: Option<String>,
    received_at: String,
    executed_at: Option<String>,
    reached_at: Option<String>,
    version: Option<u32>,
    trades: u32,
    decisions: Vec<DecisionView>,
    waiting_for: Option<String>,
}

#[derive(Serialize)]
struct DecisionView {
    coin: &'static str,
    decision: String,
    code: String,
    reason: String,
}

impl From<Signal> for SignalView {
    fn from(signal: Signal) -> Self {
        let parse = |text: &str| miniserde::json::from_str(text).ok();
        SignalView {
            id: signal.id,
            signal_id: signal.signal_id,
            confidence: signal.confidence,
            reasoning: signal.reasoning,
            actions: parse(&signal.actions).unwrap_or(Value::Null),
            portfolio_state: signal.portfolio_state.as_deref().and_then(parse),
            status: signal.status,
            error_message: signal.error_message,
            received_at: clock::utc(signal.received_at),
            executed_at: signal.executed_at.map(clock::utc),
            reached_at: signal.reached_at.map(clock::utc),
            version: signal.version,
            trades: signal.trades,
            decisions: signal.decisions.into_iter().map(DecisionView::from).collect(),
            waiting_for: signal.waiting_for,
        }
    }
}

impl From<Decision> for DecisionView {
    fn from(decided: Decision) -> Self {
        let Decision { coin, decision, code, reason } = decided;
        DecisionView { coin: coin.pair(), decision, code, reason }
    }
}

/// Les derniers signaux.
pub async fn signals(request: Request) -> tide::Result {
    let selection = selection(&request, 20, 100)?;
    let signals =
        request.state().ledger.with(move |db| db.signals(&selection)).await.map_err(ApiError::from)?;
    Ok(list(StatusCode::Ok, signals.into_iter().map(SignalView::from)))
}
