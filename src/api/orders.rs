//! `GET /api/orders` et `POST /api/orders/:id/release` : les ordres voulus, leur issue, ceux qui attendent quelqu'un.

use http_types::StatusCode;
use miniserde::{Deserialize, Serialize};

use super::Request;
use super::body::json_body;
use super::errors::ApiError;
use super::json::json;
use super::parameters::limit;
use crate::clock;
use crate::domain::doubt::ATTEMPTS;
use crate::domain::intent::State;
use crate::domain::money::{Quantity, Usdc};
use crate::domain::order::Size;
use crate::ledger::views::Intent;

#[derive(Serialize)]
struct OrderView {
    id: i64,
    signal_id: String,
    coin: &'static str,
    action: &'static str,
    spend_usdt: Option<f64>,
    quantity: Option<f64>,
    attempt: u32,
    /// Les tentatives qu'un ordre peut avoir.
    attempts: u32,
    state: &'static str,
    reason: Option<String>,
    client_id: Option<String>,
    order_id: Option<i64>,
    doubted: bool,
    late: bool,
    needs_person: bool,
    is_simulated: u8,
    created_at: String,
    ended_at: Option<String>,
}

impl From<Intent> for OrderView {
    fn from(intent: Intent) -> Self {
        let (spend, quantity) = match intent.size {
            Size::Spend(amount) => (Some(amount), None),
            Size::Sell(quantity) => (None, Some(quantity)),
        };
        OrderView {
            id: intent.id,
            signal_id: intent.signal_id,
            coin: intent.coin.pair(),
            action: intent.side.word(),
            spend_usdt: spend.map(Usdc::to_f64),
            quantity: quantity.map(Quantity::to_f64),
            attempt: intent.attempt,
            attempts: ATTEMPTS,
            state: intent.state.word(),
            reason: intent.reason.filter(|reason| !reason.is_empty()),
            is_simulated: u8::from(intent.sent.is_none()),
            client_id: intent.sent.map(|sent| sent.client_id),
            order_id: intent.order_id,
            doubted: intent.doubted,
            late: intent.late,
            needs_person: intent.late || intent.state == State::Stuck,
            created_at: clock::utc(intent.created_at),
            ended_at: intent.ended_at.map(clock::utc),
        }
    }
}

/// Les derniers ordres ; ceux qui sont en doute ou demandent quelqu'un d'abord.
pub async fn orders(request: Request) -> tide::Result {
    let limit = limit(&request, 20, 100)?;
    let orders = request.state().ledger.with(move |db| db.orders(limit)).await.map_err(ApiError::from)?;
    let views: Vec<OrderView> = orders.into_iter().map(OrderView::from).collect();
    Ok(json(StatusCode::Ok, &views))
}

#[derive(Deserialize)]
struct Release {
    looked: bool,
}

#[derive(Serialize)]
struct Released {
    ok: bool,
    outcome: String,
    state: &'static str,
}

/// Une personne a regardé cet ordre à la bourse : il est réglé, et son coin n'attend plus.
pub async fn release(mut request: Request) -> tide::Result {
    let id = id(&request)?;
    let Release { looked } = json_body(&mut request, &["looked"], "{\"looked\": true}").await?;
    if !looked {
        return Err(
            ApiError::bad_request("look at this order on Binance first, then say looked: true").into()
        );
    }
    let ledger = &request.state().ledger;
    let read = move |db: &mut crate::ledger::Db| db.intent(id);
    let absent = || ApiError::new(StatusCode::NotFound, format!("there is no order {id}"));
    ledger.with(read).await.map_err(ApiError::from)?.ok_or_else(absent)?;
    let outcome = request.state().commands.release(id).await.map_err(ApiError::from)?;
    let settled = ledger.with(read).await.map_err(ApiError::from)?.ok_or_else(absent)?;
    Ok(json(StatusCode::Ok, &Released { ok: true, outcome, state: settled.state.word() }))
}

fn id(request: &Request) -> Result<i64, ApiError> {
    let text = request.param("id").unwrap_or_default();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|&number: &i64| digits && number > 0);
    number.ok_or_else(|| ApiError::bad_request("the id of an order is a positive whole number"))
}
