//! `/api/exchange/differences/:asset/…` et `/api/exchange/takeover` : ce qu'une personne dit d'un écart entre le compte et
//! les livres.

use http_types::StatusCode;
use miniserde::{Deserialize, Serialize};

use super::Request;
use super::body::json_body;
use super::errors::ApiError;
use super::idempotency;
use super::json::json;
use crate::domain::booking::{Booked, Booking};
use crate::domain::money::{Eur, Quantity, Usdc};
use crate::domain::reconcile::Asset;

#[derive(Deserialize)]
struct Told {
    quantity: String,
}

#[derive(Serialize)]
struct Settled {
    ok: bool,
    asset: &'static str,
    /// Ce que les livres tiennent de plus ; négatif s'ils tiennent moins.
    quantity: f64,
    amount_usdt: f64,
    amount_eur: f64,
    total_deposited_eur: f64,
}

/// « Je l'ai vendu, ou déplacé. »
pub async fn write_off(request: Request) -> tide::Result {
    settle(request, "write-off", Booking::WriteOff).await
}

/// « C'est aussi à moi. »
pub async fn count(request: Request) -> tide::Result {
    settle(request, "count", Booking::Count).await
}

async fn settle(
    mut request: Request,
    word: &'static str,
    booking: fn(Asset, Quantity) -> Booking,
) -> tide::Result {
    let asset = asset(&request)?;
    let Told { quantity } = json_body(&mut request, &["quantity"], "{\"quantity\": \"0.0998\"}").await?;
    let quantity = Quantity::parse(&quantity)
        .ok()
        .filter(|quantity| quantity.is_positive())
        .ok_or_else(|| ApiError::bad_request("quantity must be a text like \"0.0998\", above 0"))?;
    let key = idempotency::key(&request, || format!("{word} {} {quantity}", asset.name()))?;
    let enter = request.state().commands.enter(booking(asset, quantity), key);
    let booked = enter.await.map_err(ApiError::from)?;
    Ok(json(StatusCode::Ok, &settled(asset, &booked)))
}

fn settled(asset: Asset, booked: &Booked) -> Settled {
    let Booked { movement, deposited } = booked;
    let cash = (Quantity::new(movement.usdc.decimal()), movement.usdc);
    let (quantity, usdc) = movement.moved.map_or(cash, |moved| {
        let sign = if moved.quantity.is_positive() { moved.worth } else { -moved.worth };
        (moved.quantity, sign)
    });
    Settled {
        ok: true,
        asset: asset.name(),
        quantity: quantity.to_f64(),
        amount_usdt: Usdc::to_f64(usdc),
        amount_eur: Eur::to_f64(movement.eur),
        total_deposited_eur: Eur::to_f64(*deposited),
    }
}

fn asset(request: &Request) -> Result<Asset, ApiError> {
    let name = request.param("asset").unwrap_or_default();
    Asset::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Asset::all().map(Asset::name).collect();
        ApiError::new(StatusCode::NotFound, format!("{name:?} is none of {}", known.join(", ")))
    })
}

#[derive(Deserialize)]
struct Understood {
    understood: bool,
}

#[derive(Serialize)]
struct TakenOver {
    ok: bool,
    total_deposited_eur: f64,
}

/// Les quantités brutes du programme Python deviennent ce que le compte tient.
pub async fn take_over(mut request: Request) -> tide::Result {
    let Understood { understood } =
        json_body(&mut request, &["understood"], "{\"understood\": true}").await?;
    if !understood {
        return Err(
            ApiError::bad_request("look at what the account holds first, then say understood: true").into()
        );
    }
    let key = idempotency::key(&request, || "takeover".to_owned())?;
    let booked = request.state().commands.enter(Booking::TakeOver, key).await.map_err(ApiError::from)?;
    Ok(json(StatusCode::Ok, &TakenOver { ok: true, total_deposited_eur: booked.deposited.to_f64() }))
}
