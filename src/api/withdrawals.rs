//! `/api/budget/withdrawals` : ce qu'une personne reprend, ce qu'elle en verra, et comment le révoquer.

use http_types::StatusCode;
use miniserde::{Deserialize, Serialize, json::Value};
use rust_decimal::dec;

use super::Request;
use super::body::{amount, json_body};
use super::budget::euros;
use super::errors::ApiError;
use super::idempotency;
use super::json::json;
use super::parameters::limit;
use super::writes::Unchanged;
use crate::clock;
use crate::domain::money::{Eur, Usdc};
use crate::domain::order::{Order, Size};
use crate::domain::withdrawal::{Asked, Stage, Terms};
use crate::ledger::WithdrawalRequest;
use crate::ledger::views::Withdrawal;

#[derive(Serialize)]
struct Withdrawals {
    withdrawals: Vec<WithdrawalView>,
    total_usdt: f64,
    total_eur: f64,
}

#[derive(Serialize)]
struct WithdrawalView {
    id: i64,
    amount_eur_requested: f64,
    amount_usdt_sold: f64,
    amount_eur_received: f64,
    eurusdc_rate: Option<f64>,
    positions_sold: Value,
    status: String,
    is_simulated: u8,
    created_at: String,
    wanted_usdc: Option<f64>,
    set_aside_usdc: f64,
    taken_usdc: f64,
    waiting_for: Option<String>,
    can_cancel: bool,
    ended_at: Option<String>,
}

impl From<Withdrawal> for WithdrawalView {
    fn from(withdrawal: Withdrawal) -> Self {
        WithdrawalView {
            id: withdrawal.id,
            amount_eur_requested: withdrawal.requested.to_f64(),
            amount_usdt_sold: withdrawal.sold.to_f64(),
            amount_eur_received: withdrawal.received.to_f64(),
            eurusdc_rate: withdrawal.rate.map(|rate| rate.to_f64()),
            positions_sold: miniserde::json::from_str(&withdrawal.positions_sold).unwrap_or(Value::Null),
            status: withdrawal.status,
            is_simulated: u8::from(withdrawal.simulated),
            created_at: clock::utc(withdrawal.at),
            wanted_usdc: withdrawal.wanted.map(Usdc::to_f64),
            set_aside_usdc: withdrawal.set_aside.to_f64(),
            taken_usdc: withdrawal.taken.to_f64(),
            waiting_for: withdrawal.waiting_for,
            can_cancel: withdrawal.open,
            ended_at: withdrawal.ended_at.map(clock::utc),
        }
    }
}

/// Les retraits ; les totaux sont ceux de tous, pas seulement de ceux qui sont montrés.
pub async fn withdrawals(request: Request) -> tide::Result {
    let limit = limit(&request, 50, 200)? as usize;
    let all = request.state().ledger.with(|db| db.withdrawals(None)).await.map_err(ApiError::from)?;
    // Ce qui a été vendu pour un retrait annulé n'est pas sorti.
    let taken = all.iter().filter(|withdrawal| withdrawal.received > Eur::ZERO);
    let total_usdt = taken.map(|withdrawal| withdrawal.sold).sum::<Usdc>().to_f64();
    let total_eur = all.iter().map(|withdrawal| withdrawal.received).sum::<Eur>().to_f64();
    let withdrawals = all.into_iter().take(limit).map(WithdrawalView::from).collect();
    Ok(json(StatusCode::Ok, &Withdrawals { withdrawals, total_usdt, total_eur }))
}

#[derive(Deserialize)]
struct Wanted {
    amount_eur: Option<f64>,
    all: Option<bool>,
    understood: Option<bool>,
    preview: Option<bool>,
}

/// Ce que ferait un retrait, aux prix du moment.
#[derive(Serialize)]
struct Preview {
    ok: bool,
    preview: bool,
    amount_eur: f64,
    amount_usdc: f64,
    sales: Vec<Sale>,
    left_eur: f64,
}

impl From<Terms> for Preview {
    fn from(terms: Terms) -> Self {
        Preview {
            ok: true,
            preview: true,
            amount_eur: terms.requested.to_f64(),
            amount_usdc: terms.usdc.to_f64(),
            sales: sales(&terms),
            left_eur: terms.left.to_f64(),
        }
    }
}

#[derive(Serialize)]
struct Opened {
    ok: bool,
    id: i64,
    status: String,
    amount_eur: f64,
    amount_usdc: f64,
    eurusdc_rate: Option<f64>,
    sales: Option<Vec<Sale>>,
    left_eur: Option<f64>,
    waiting_for: Option<String>,
}

/// Ce qui sera vendu d'un coin.
#[derive(Serialize)]
struct Sale {
    coin: &'static str,
    quantity: f64,
}

fn sales(terms: &Terms) -> Vec<Sale> {
    let sale = |order: &Order| match order.size() {
        Size::Sell(quantity) => Some(Sale { coin: order.coin().pair(), quantity: quantity.to_f64() }),
        Size::Spend(_) => None,
    };
    terms.sales.iter().filter_map(sale).collect()
}

/// Demande un retrait, ou ce qu'il ferait ; rend ce qui va se passer.
pub async fn withdraw(mut request: Request) -> tide::Result {
    let fields = ["amount_eur", "all", "understood", "preview"];
    let Wanted { amount_eur, all, understood, preview } =
        json_body(&mut request, &fields, "{\"amount_eur\": 50} or {\"all\": true}").await?;
    let asked = match (amount_eur, all) {
        (Some(amount), None | Some(false)) => {
            let amount = euros(amount).filter(|&eur| eur.is_positive() && eur <= Eur::new(dec!(1_000_000)));
            let expected = || ApiError::bad_request("amount_eur must be above 0, at most 1000000, in cents");
            Asked::Euros(amount.ok_or_else(expected)?)
        }
        (None, Some(true)) => Asked::All,
        _ => return Err(ApiError::bad_request("say either amount_eur or \"all\": true").into()),
    };
    let state = request.state().clone();
    if preview == Some(true) {
        let terms = state.commands.withdrawal_terms(asked).await.map_err(ApiError::from)?;
        let mut told = json(StatusCode::Ok, &Preview::from(terms));
        told.insert_ext(Unchanged);
        return Ok(told);
    }
    let key = idempotency::key(&request, || format!("withdraw {asked:?}"))?;
    let wanted = WithdrawalRequest { asked, understood: understood == Some(true), key };
    let (id, terms) = state.commands.withdraw(wanted).await.map_err(ApiError::from)?;
    let read = move |db: &mut crate::ledger::Db| db.withdrawal(id);
    let kept = state.ledger.with(read).await.map_err(ApiError::from)?.ok_or_else(ApiError::internal)?;
    Ok(json(StatusCode::Ok, &opened(kept, terms)))
}

/// Ce qui se passera ; d'une demande répétée, où en est la première.
fn opened(kept: Withdrawal, terms: Option<Terms>) -> Opened {
    let usdc = terms.as_ref().map(|terms| terms.usdc).or(kept.wanted).unwrap_or(kept.set_aside + kept.taken);
    Opened {
        ok: true,
        id: kept.id,
        status: if terms.is_some() { Stage::Selling.word().to_owned() } else { kept.status },
        amount_eur: kept.requested.to_f64(),
        amount_usdc: usdc.to_f64(),
        eurusdc_rate: kept.rate.map(|rate| rate.to_f64()),
        sales: terms.as_ref().map(sales),
        left_eur: terms.map(|terms| terms.left.to_f64()),
        waiting_for: kept.waiting_for,
    }
}

#[derive(Deserialize)]
struct Nothing {}

#[derive(Serialize)]
struct Ended {
    ok: bool,
    withdrawal: WithdrawalView,
}

#[derive(Clone, Copy)]
enum End {
    Cancelled,
    /// De ce qui restait à prendre, cette part, ou tout.
    TakenOut(Option<Usdc>),
}

/// Révoque un retrait.
pub async fn cancel(mut request: Request) -> tide::Result {
    let Nothing {} = json_body(&mut request, &[], "{}").await?;
    end(&request, End::Cancelled).await
}

#[derive(Deserialize)]
struct Done {
    taken_out: bool,
    usdc: Option<Value>,
}

/// La personne dit l'avoir sorti, ou la part qu'elle en a sortie : le reste n'est plus mis de côté.
pub async fn taken(mut request: Request) -> tide::Result {
    let Done { taken_out, usdc } =
        json_body(&mut request, &["taken_out", "usdc"], "{\"taken_out\": true}").await?;
    if !taken_out {
        let first = "take it out of the exchange first, then say taken_out: true";
        return Err(ApiError::bad_request(first).into());
    }
    let part = usdc.map(|usdc| amount("usdc", &usdc, Usdc::parse)).transpose()?;
    if part.is_some_and(|part| !part.is_positive()) {
        return Err(ApiError::bad_request("usdc must be above 0: what has left the exchange").into());
    }
    end(&request, End::TakenOut(part)).await
}

/// Finit le retrait que la demande nomme ; rend ce qu'il en est.
async fn end(request: &Request, end: End) -> tide::Result {
    let missing = || ApiError::new(StatusCode::NotFound, "there is no such withdrawal");
    let id: i64 = request.param("id").ok().and_then(|id| id.parse().ok()).ok_or_else(missing)?;
    let state = request.state().clone();
    let read = move |db: &mut crate::ledger::Db| db.withdrawal(id);
    state.ledger.with(read).await.map_err(ApiError::from)?.ok_or_else(missing)?;
    let ended = match end {
        End::Cancelled => state.commands.cancel_withdrawal(id).await,
        End::TakenOut(part) => state.commands.taken_out(id, part).await,
    };
    ended.map_err(ApiError::from)?;
    let kept = state.ledger.with(read).await.map_err(ApiError::from)?.ok_or_else(ApiError::internal)?;
    Ok(json(StatusCode::Ok, &Ended { ok: true, withdrawal: kept.into() }))
}
