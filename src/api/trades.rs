//! `GET /api/trades`.

use http_types::StatusCode;
use miniserde::Serialize;

use super::Request;
use super::errors::ApiError;
use super::json::list;
use super::parameters::selection;
use crate::clock;
use crate::domain::book::{FeeApart, Fees};
use crate::domain::order::Side;
use crate::domain::reconcile::CASH;
use crate::ledger::views::Trade;

#[derive(Serialize)]
struct TradeView {
    id: i64,
    coin: &'static str,
    action: &'static str,
    amount_usdt: f64,
    price: f64,
    quantity: f64,
    /// `null` si une part en a été prise dans un actif dont la valeur n'est pas connue.
    fee_usdt: Option<f64>,
    signal_id: Option<String>,
    is_simulated: u8,
    created_at: String,
    /// Les frais dans l'actif où la plus grande part en a été prise.
    fee: f64,
    fee_asset: String,
    fees: Vec<FeeView>,
    order: Option<i64>,
}

#[derive(Serialize)]
struct FeeView {
    asset: String,
    amount: f64,
}

/// Chaque actif où des frais ont été pris, le plus lourd d'abord, puis ceux dont la valeur n'est pas connue.
fn fees(trade: &Trade) -> Vec<FeeView> {
    let Fees { coin, usdc, bnb, bnb_price, ref apart } = trade.fees;
    let view = |asset: &str, amount| FeeView { asset: asset.to_owned(), amount };
    let mut parts = [
        ((trade.price * coin), view(trade.coin.asset(), coin.to_f64())),
        (usdc, view(CASH, usdc.to_f64())),
        ((bnb_price * bnb), view("BNB", bnb.to_f64())),
    ];
    parts.sort_by_key(|(value, _)| std::cmp::Reverse(*value));
    let apart = apart.iter().map(|FeeApart { asset, quantity }| view(asset, quantity.to_f64()));
    parts.into_iter().map(|(_, view)| view).chain(apart).filter(|view| view.amount > 0.0).collect()
}

impl From<Trade> for TradeView {
    fn from(trade: Trade) -> Self {
        let fees = fees(&trade);
        let received = if trade.side == Side::Buy { trade.coin.asset() } else { CASH };
        let (fee, fee_asset) =
            fees.first().map_or((0.0, received.to_owned()), |main| (main.amount, main.asset.clone()));
        TradeView {
            id: trade.id,
            coin: trade.coin.pair(),
            action: trade.side.word(),
            amount_usdt: trade.amount.to_f64(),
            price: trade.price.to_f64(),
            quantity: trade.quantity.to_f64(),
            fee_usdt: trade.fees.apart.is_empty().then(|| trade.fee_usdc.to_f64()),
            signal_id: trade.signal_id,
            is_simulated: u8::from(trade.simulated),
            created_at: clock::utc(trade.at),
            fee,
            fee_asset,
            fees,
            order: trade.intent,
        }
    }
}

/// Les derniers trades.
pub async fn trades(request: Request) -> tide::Result {
    let selection = selection(&request, 20, 100)?;
    let trades =
        request.state().ledger.with(move |db| db.trades(&selection)).await.map_err(ApiError::from)?;
    Ok(list(StatusCode::Ok, trades.into_iter().map(TradeView::from)))
}
