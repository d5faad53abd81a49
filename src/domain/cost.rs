//! Ce qu'un échange coûte : l'écart du carnet, le glissement, les frais.
//!
//! Une position est évaluée au milieu du carnet. Acheter ou vendre en perd donc toujours un peu ; le
//! plan en tient compte pour arriver où il vise, et non un peu en dessous.

use rust_decimal::{Decimal, dec};

use super::market::{Coin, Quote};

/// Frais normaux d'un ordre preneur : 0,1 %, sans remise.
pub const TAKER_FEE: Decimal = dec!(0.001);

/// La valeur qu'un USDC dépensé en achetant ce coin met en position.
pub fn bought_by_one(coin: Coin, quote: Quote) -> Decimal {
    let paid = quote.ask().decimal() * (Decimal::ONE + coin.slippage());
    quote.mid().decimal() * (Decimal::ONE - TAKER_FEE) / paid
}

/// Le cash que rend un USDC de valeur de ce coin en se vendant.
pub fn returned_by_one(coin: Coin, quote: Quote) -> Decimal {
    let received = quote.bid().decimal() * (Decimal::ONE - coin.slippage());
    received * (Decimal::ONE - TAKER_FEE) / quote.mid().decimal()
}
