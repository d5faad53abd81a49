//! `POST /api/orders/:id/release`, `/book`, `/settle` : une personne finit un ordre qui l'attendait.
//!
//! Chacune demande d'avoir regardé la bourse, ou les chiffres qu'on y a lus ; `docs/api.md` dit ce qui s'ensuit.

use http_types::StatusCode;
use miniserde::json::{Number, Value};
use miniserde::{Deserialize, Serialize};

use super::Request;
use super::body::{amount, json_body};
use super::errors::ApiError;
use super::json::json;
use crate::domain::by_hand::ByHand;
use crate::domain::money::{Quantity, Usdc};
use crate::domain::reconcile::CASH;
use crate::engine::Decision;
use crate::ledger::Db;

#[derive(Deserialize)]
struct Looked {
    looked: bool,
}

#[derive(Deserialize)]
struct Typed {
    quantity: Value,
    usdc: Value,
    fee: Option<Value>,
    fee_asset: Option<String>,
}

#[derive(Serialize)]
struct Decided {
    ok: bool,
    outcome: String,
    state: &'static str,
}

/// Il est demandé une fois encore ; une exécution apprise tard est dite vue.
pub async fn release(request: Request) -> tide::Result {
    looked(request, Decision::Release).await
}

/// Il finit sans que rien ne soit booké.
pub async fn settle(request: Request) -> tide::Result {
    looked(request, Decision::Settle).await
}

/// Il est booké tel que la page de la bourse le montre.
pub async fn book(mut request: Request) -> tide::Result {
    const EXAMPLE: &str =
        "{\"quantity\": \"0.001\", \"usdc\": \"68.20\", \"fee\": \"0.05\", \"fee_asset\": \"USDC\"}";
    let id = id(&request)?;
    let typed: Typed = json_body(&mut request, &["quantity", "usdc", "fee", "fee_asset"], EXAMPLE).await?;
    let no_fee = Value::Number(Number::U64(0));
    let typed = ByHand {
        quantity: amount("quantity", &typed.quantity, Quantity::parse)?,
        usdc: amount("usdc", &typed.usdc, Usdc::parse)?,
        fee: amount("fee", typed.fee.as_ref().unwrap_or(&no_fee), Quantity::parse)?,
        fee_asset: typed.fee_asset.unwrap_or_else(|| CASH.to_owned()),
    };
    decide(&request, id, Decision::Book(typed)).await
}

async fn looked(mut request: Request, decision: Decision) -> tide::Result {
    let id = id(&request)?;
    let Looked { looked } = json_body(&mut request, &["looked"], "{\"looked\": true}").await?;
    if !looked {
        return Err(
            ApiError::bad_request("look at this order on Binance first, then say looked: true").into()
        );
    }
    decide(&request, id, decision).await
}

async fn decide(request: &Request, id: i64, decision: Decision) -> tide::Result {
    let ledger = &request.state().ledger;
    let read = move |db: &mut Db| db.intent(id);
    let absent = || ApiError::new(StatusCode::NotFound, format!("there is no order {id}"));
    ledger.with(read).await.map_err(ApiError::from)?.ok_or_else(absent)?;
    let outcome = request.state().commands.decide(id, decision).await.map_err(ApiError::from)?;
    let decided = ledger.with(read).await.map_err(ApiError::from)?.ok_or_else(absent)?;
    Ok(json(StatusCode::Ok, &Decided { ok: true, outcome, state: decided.state.word() }))
}

fn id(request: &Request) -> Result<i64, ApiError> {
    let text = request.param("id").unwrap_or_default();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|&number: &i64| digits && number > 0);
    number.ok_or_else(|| ApiError::bad_request("the id of an order is a positive whole number"))
}
