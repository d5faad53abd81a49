//! `GET /api/positions` et `GET /api/prices`.

use std::collections::BTreeMap;

use http_types::StatusCode;
use miniserde::Serialize;

use super::Request;
use super::budget::value_of;
use super::errors::ApiError;
use super::json::json;
use crate::clock;
use crate::domain::money::{Price, Usdc, Weight};
use crate::ledger::views::{OpenPosition, Outside};

#[derive(Serialize)]
struct PositionView {
    coin: &'static str,
    quantity: f64,
    avg_entry_price: f64,
    total_invested_usdt: f64,
    updated_at: String,
    price: Option<f64>,
    value_usdt: Option<f64>,
    pnl_usdt: Option<f64>,
    pnl_pct: Option<f64>,
    value_eur: Option<f64>,
    pnl_eur: Option<f64>,
    weight: Option<f64>,
    leader_weight: Option<f64>,
}

/// Les positions ouvertes.
pub async fn positions(request: Request) -> tide::Result {
    let now = clock::now();
    let read = move |db: &mut crate::ledger::Db| {
        Ok((db.account()?, db.open_positions()?, db.outside(now)?, db.leader_target()?))
    };
    let (account, positions, outside, target) =
        request.state().ledger.with(read).await.map_err(ApiError::from)?;
    let total = account.cash.zip(value_of(&positions, &outside.prices)).map(|(cash, coins)| cash + coins);
    let views: Vec<PositionView> =
        positions.iter().map(|open| view(open, &outside, total, target[open.coin])).collect();
    Ok(json(StatusCode::Ok, &views))
}

fn view(open: &OpenPosition, outside: &Outside, total: Option<Usdc>, target: Option<Weight>) -> PositionView {
    let position = open.position;
    let price = outside.prices[open.coin];
    let in_eur = |usdc: Option<Usdc>| usdc.zip(outside.rate).map(|(usdc, rate)| usdc.to_eur(rate).to_f64());
    let value = price.map(|price| price * position.quantity);
    let pnl = value.map(|value| value - position.invested);
    PositionView {
        coin: open.coin.pair(),
        quantity: position.quantity.to_f64(),
        avg_entry_price: position.average_price().map_or(0.0, Price::to_f64),
        total_invested_usdt: position.invested.to_f64(),
        updated_at: clock::utc(open.updated_at),
        price: price.map(Price::to_f64),
        value_usdt: value.map(Usdc::to_f64),
        pnl_usdt: pnl.map(Usdc::to_f64),
        pnl_pct: pnl
            .filter(|_| position.invested.is_positive())
            .map(|pnl| pnl.share_of(position.invested).to_f64() * 100.0),
        value_eur: in_eur(value),
        pnl_eur: in_eur(pnl),
        weight: value.zip(total).map(|(value, total)| value.share_of(total).to_f64()),
        leader_weight: target.map(Weight::to_f64),
    }
}

/// Les prix frais, et eux seuls.
pub async fn prices(request: Request) -> tide::Result {
    let now = clock::now();
    let outside = request.state().ledger.with(move |db| db.outside(now)).await.map_err(ApiError::from)?;
    let known =
        outside.prices.iter().filter_map(|(coin, price)| Some((coin.pair().to_owned(), (*price)?.to_f64())));
    let prices: BTreeMap<String, f64> = known.collect();
    Ok(json(StatusCode::Ok, &prices))
}
