//! Ce que la vraie bourse ferait d'un ordre, au prix réel du moment, sans que rien ne parte.
//!
//! Arrondi toujours contre nous : prix du carnet décalé du glissement, quantité au pas inférieur, frais de 0,1 % pris dans ce qui est reçu.

use rust_decimal::Decimal;

use crate::domain::book::{Fees, Fill};
use crate::domain::cost::TAKER_FEE;
use crate::domain::market::{Pair, Pairs};
use crate::domain::order::{Order, Side, Size};

/// Décimales des prix moyens, des montants et des frais à la bourse.
const PLACES: u32 = 8;

/// L'exécution simulée de l'ordre, ou pourquoi la bourse n'en aurait pas voulu.
pub fn execute(order: &Order, pairs: &Pairs) -> Result<Fill, String> {
    let coin = order.coin();
    let Pair { quote, rules } = pairs.get(coin).ok_or("its price or its rules are not known now")?;
    let slip = coin.slippage();
    let bound = order.bound();
    let fill = match order.size() {
        Size::Spend(spend) => {
            // Ce que le carnet lu demande en moyenne, s'il a été lu, et jamais plus que le prix limite.
            let asked = bound.map_or(quote.ask(), |bound| bound.average.max(quote.ask()));
            let slipped = asked.times(Decimal::ONE + slip).ceil(PLACES);
            let price = bound.and_then(|bound| bound.limit).map_or(slipped, |limit| slipped.min(limit));
            let quantity = spend.buys_at(price).floor_to_step(rules.step);
            let quantity = bound.map_or(quantity, |bound| quantity.min(bound.quantity));
            let fees = Fees { coin: quantity.times(TAKER_FEE).ceil(PLACES), ..Fees::default() };
            Fill { coin, side: Side::Buy, quantity, price, amount: (price * quantity).ceil(PLACES), fees }
        }
        Size::Sell(quantity) => {
            let offered = bound.map_or(quote.bid(), |bound| bound.average.min(quote.bid()));
            let slipped = offered.times(Decimal::ONE - slip).floor(PLACES);
            let price = bound.and_then(|bound| bound.limit).map_or(slipped, |limit| slipped.max(limit));
            let amount = (price * quantity).floor(PLACES);
            let fees = Fees { usdc: amount.times(TAKER_FEE).ceil(PLACES), ..Fees::default() };
            Fill { coin, side: Side::Sell, quantity, price, amount, fees }
        }
    };
    if fill.quantity.is_zero() || fill.quantity < rules.min_quantity {
        return Err("Filter failure: LOT_SIZE".to_owned());
    }
    if fill.amount < rules.min_notional {
        return Err("Filter failure: NOTIONAL".to_owned());
    }
    Ok(fill)
}
