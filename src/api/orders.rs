//! `GET /api/orders` : les ordres voulus, leur issue, ceux qui attendent quelqu'un, et ce qu'il peut en faire.

use std::time::Duration;

use http_types::StatusCode;
use miniserde::Serialize;

use super::Request;
use super::errors::ApiError;
use super::json::list;
use super::parameters::limit;
use crate::clock;
use crate::domain::doubt::ATTEMPTS;
use crate::domain::moment::Moment;
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
    by_hand: Option<&'static str>,
    is_simulated: u8,
    created_at: String,
    ended_at: Option<String>,
    age_seconds: u64,
    ways: Vec<WayView>,
}

/// Ce qu'une personne peut faire maintenant, et ce qui s'ensuivra.
#[derive(Serialize)]
struct WayView {
    way: &'static str,
    consequence: String,
}

impl OrderView {
    fn of(intent: Intent, oldest_action: Duration, now: Moment) -> OrderView {
        let (spend, quantity) = match intent.size {
            Size::Spend(amount) => (Some(amount), None),
            Size::Sell(quantity) => (None, Some(quantity)),
        };
        let case = intent.case(now);
        let ways = case.ways().iter();
        let ways: Vec<WayView> = ways
            .map(|&way| WayView { way: way.word(), consequence: case.consequence(way, oldest_action) })
            .collect();
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
            needs_person: !ways.is_empty(),
            by_hand: intent.by_hand.map(|hand| hand.word()),
            created_at: clock::utc(intent.created_at),
            ended_at: intent.ended_at.map(clock::utc),
            age_seconds: now.since(intent.created_at).as_secs(),
            ways,
        }
    }
}

/// Les derniers ordres ; ceux qui sont en doute ou demandent quelqu'un d'abord.
pub async fn orders(request: Request) -> tide::Result {
    let limit = limit(&request, 20, 100)?;
    let state = request.state();
    let orders = state.ledger.with(move |db| db.orders(limit)).await.map_err(ApiError::from)?;
    let (oldest_action, now) = (state.policy.action_age, clock::now());
    let view = |intent| OrderView::of(intent, oldest_action, now);
    Ok(list(StatusCode::Ok, orders.into_iter().map(view)))
}
