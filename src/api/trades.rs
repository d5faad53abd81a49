//! `GET /api/trades`.

use http_types::StatusCode;
use miniserde::Serialize;

use super::Request;
use super::errors::{ApiError, json, limit};
use crate::clock;
use crate::ledger::views::Trade;

#[derive(Serialize)]
struct TradeView {
    id: i64,
    coin: &'static str,
    action: &'static str,
    amount_usdt: f64,
    price: f64,
    quantity: f64,
    fee_usdt: f64,
    signal_id: Option<String>,
    is_simulated: u8,
    created_at: String,
    fee: f64,
    fee_asset: String,
}

impl From<Trade> for TradeView {
    fn from(trade: Trade) -> Self {
        TradeView {
            id: trade.id,
            coin: trade.coin.pair(),
            action: trade.side.word(),
            amount_usdt: trade.amount.to_f64(),
            price: trade.price.to_f64(),
            quantity: trade.quantity.to_f64(),
            fee_usdt: trade.fee_usdc.to_f64(),
            signal_id: trade.signal_id,
            is_simulated: u8::from(trade.simulated),
            created_at: clock::utc(trade.at),
            fee: trade.fee.to_f64(),
            fee_asset: trade.fee_asset,
        }
    }
}

/// Les derniers trades.
pub async fn trades(request: Request) -> tide::Result {
    let limit = limit(&request, 20, 100)?;
    let trades = request.state().ledger.with(move |db| db.trades(limit)).await.map_err(ApiError::from)?;
    let views: Vec<TradeView> = trades.into_iter().map(TradeView::from).collect();
    Ok(json(StatusCode::Ok, &views))
}
