//! `POST /api/agent/sell-all`, et ce que l'état de l'agent en dit : depuis quand, ce qui reste et pourquoi.

use http_types::StatusCode;
use miniserde::{Deserialize, Serialize};
use rust_decimal::dec;

use super::Request;
use super::body::json_body;
use super::errors::ApiError;
use super::idempotency;
use super::json::json;
use crate::clock;
use crate::domain::market::PerCoin;
use crate::domain::money::{Price, Usdc};
use crate::domain::wish::SELL_ALL_TELLS;
use crate::ledger::views;

/// Ce que toute bourse vend : ce qui reste de plus n'est pas de la poussière.
const NO_DUST: Usdc = Usdc::new(dec!(10));

/// « Tout vendre », en cours ou fini.
#[derive(Serialize)]
pub(super) struct SellingAll {
    since: String,
    done: bool,
    waiting_for: Option<String>,
    left: Vec<LeftOver>,
}

#[derive(Serialize)]
struct LeftOver {
    coin: &'static str,
    quantity: f64,
    value_usdt: Option<f64>,
    code: Option<String>,
    reason: Option<String>,
}

impl SellingAll {
    pub fn of(selling: views::SellingAll, prices: &PerCoin<Option<Price>>) -> SellingAll {
        let left = selling.left.into_iter().map(|left| LeftOver::of(left, prices)).collect();
        SellingAll {
            since: clock::utc(selling.since),
            done: selling.done,
            waiting_for: selling.waiting_for,
            left,
        }
    }
}

impl LeftOver {
    fn of(left: views::LeftOver, prices: &PerCoin<Option<Price>>) -> LeftOver {
        let views::LeftOver { open, decision } = left;
        let quantity = open.position.quantity;
        let value = prices[open.coin].map(|price| price * quantity);
        let (code, reason) = match decision {
            Some(decision) if decision.code == "traded" && value.is_some_and(|value| value >= NO_DUST) => {
                (None, Some("it came after the rest was sold: ask again to sell it".to_owned()))
            }
            // Vendu, et il en reste : moins que ce que la bourse prend.
            Some(decision) if decision.code == "traded" => {
                (Some("dust".to_owned()), Some("the rest is less than the exchange sells".to_owned()))
            }
            decision => decision.map(|decision| (decision.code, decision.reason)).unzip(),
        };
        LeftOver {
            coin: open.coin.pair(),
            quantity: quantity.to_f64(),
            value_usdt: value.map(Usdc::to_f64),
            code,
            reason,
        }
    }
}

#[derive(Deserialize)]
struct Wanted {
    understood: Option<bool>,
}

#[derive(Serialize)]
struct Begun {
    ok: bool,
    selling_all: Option<SellingAll>,
}

/// Vend tout et met en pause, une fois que la personne a lu ce que cela fait et ne fait pas.
pub async fn sell_all(mut request: Request) -> tide::Result {
    let Wanted { understood } = json_body(&mut request, &["understood"], "{\"understood\": true}").await?;
    if understood != Some(true) {
        let told = format!("{SELL_ALL_TELLS}: send {{\"understood\": true}} if that is what you want");
        return Err(ApiError::conflict(told).into());
    }
    let key = idempotency::key(&request, || "sell-all".to_owned())?;
    let state = request.state().clone();
    state.commands.sell_all(key).await.map_err(ApiError::from)?;
    let now = clock::now();
    let read = move |db: &mut crate::ledger::Db| Ok((db.selling_all()?, db.outside(now)?.prices));
    let (selling, prices) = state.ledger.with(read).await.map_err(ApiError::from)?;
    let selling_all = selling.map(|selling| SellingAll::of(selling, &prices));
    Ok(json(StatusCode::Ok, &Begun { ok: true, selling_all }))
}
