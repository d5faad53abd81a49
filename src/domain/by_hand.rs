//! Un ordre booké de la main d'une personne, tel que la page de la bourse le lui montre.
//!
//! La bourse n'a pas confirmé ces chiffres ; ils ne passent que s'ils peuvent être ceux de cet ordre : pas plus qu'il ne
//! demandait, à un prix qui ressemble à celui du marché, des frais plus petits que ce dont ils sont pris.

use rust_decimal::{Decimal, dec};

use super::book::Fill;
use super::execution::{self, BnbPrice, Executions};
use super::market::Coin;
use super::money::{Price, Quantity, Usdc};
use super::order::{Side, Size};
use super::reconcile::CASH;

/// De combien de fois le prix d'un ordre peut s'écarter de celui de maintenant : il a peut-être des jours.
const FAR: Decimal = dec!(3);

/// Lettres du plus long nom d'actif.
const LONGEST_ASSET: usize = 20;

/// Ce qu'une personne a lu de l'ordre.
#[derive(Clone, Debug, PartialEq)]
pub struct ByHand {
    pub quantity: Quantity,
    /// USDC échangés, frais non déduits.
    pub usdc: Usdc,
    pub fee: Quantity,
    pub fee_asset: String,
}

/// L'ordre dont elle parle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    pub coin: Coin,
    pub side: Side,
    pub size: Size,
}

impl ByHand {
    /// L'exécution à booker. `now` est le prix du coin, `fee_price` celui de ce dont les frais sont pris, s'ils sont connus.
    ///
    /// # Errors
    /// Ce qui ne peut pas être, en une phrase.
    pub fn fill(
        &self,
        asked: Asked,
        now: Option<Price>,
        fee_price: Option<Price>,
        bnb: BnbPrice,
    ) -> Result<Fill, String> {
        self.check_size(asked)?;
        self.check_price(asked.coin, now)?;
        self.check_fee(asked, fee_price)?;
        let mut executions =
            Executions { count: 1, quantity: self.quantity, amount: self.usdc, ..Executions::default() };
        executions.pay(&self.fee_asset, self.fee);
        let awaited = || "the price of BNB is not known now: try again in a minute".to_owned();
        execution::priced(asked.coin, asked.side, &executions, bnb).ok_or_else(awaited)
    }

    fn check_size(&self, asked: Asked) -> Result<(), String> {
        if !self.quantity.is_positive() || !self.usdc.is_positive() || self.fee < Quantity::ZERO {
            return Err("quantity and usdc must be above 0, and fee not below".to_owned());
        }
        let asset = asked.coin.asset();
        match asked.size {
            Size::Sell(most) if self.quantity > most => Err(format!(
                "this order was to sell {most} {asset}, and {} is more: check quantity",
                self.quantity
            )),
            Size::Spend(most) if self.usdc > most => {
                Err(format!("this order was to spend {most} USDC, and {} is more: check usdc", self.usdc))
            }
            _ => Ok(()),
        }
    }

    fn check_price(&self, coin: Coin, now: Option<Price>) -> Result<(), String> {
        let Some((price, now)) = self.usdc.per(self.quantity).zip(now) else { return Ok(()) };
        if price > now.times(FAR) || price.times(FAR) < now {
            return Err(format!(
                "that is {} USDC for one {}, and one costs {now} now: check quantity and usdc",
                price.floor(8),
                coin.asset()
            ));
        }
        Ok(())
    }

    fn check_fee(&self, asked: Asked, fee_price: Option<Price>) -> Result<(), String> {
        let letter = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit();
        let length = self.fee_asset.len();
        if !(1..=LONGEST_ASSET).contains(&length) || !self.fee_asset.chars().all(letter) {
            return Err("fee_asset is the asset's name in capitals, like USDC or BNB".to_owned());
        }
        let whole = match self.fee_asset.as_str() {
            CASH => Some(Quantity::new(self.usdc.decimal())),
            asset if asset == asked.coin.asset() => Some(self.quantity),
            _ => fee_price.map(|price| self.usdc.buys_at(price)),
        };
        if whole.is_some_and(|whole| self.fee >= whole) {
            return Err(format!(
                "a fee of {} {} is more than was traded: check fee",
                self.fee, self.fee_asset
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(quantity: Decimal, usdc: Decimal, fee: Decimal, asset: &str) -> ByHand {
        let (quantity, usdc, fee) = (Quantity::new(quantity), Usdc::new(usdc), Quantity::new(fee));
        ByHand { quantity, usdc, fee, fee_asset: asset.to_owned() }
    }

    #[test]
    fn what_cannot_be_this_order_is_refused_with_a_sentence() {
        let (buy, sell) = (Size::Spend(Usdc::new(dec!(68.2))), Size::Sell(Quantity::new(dec!(0.001))));
        let cases = [
            (buy, typed(dec!(0.001), dec!(68.2), dec!(0.000001), "BTC"), ""),
            (buy, typed(dec!(0.001), dec!(68.2), dec!(0), "USDC"), ""),
            (buy, typed(dec!(0.0009), dec!(60), dec!(7), "FDUSD"), ""),
            (sell, typed(dec!(0.001), dec!(68.2), dec!(0.07), "USDC"), ""),
            (sell, typed(dec!(0.0004), dec!(22.6), dec!(0), "BNB"), ""),
            (buy, typed(dec!(0.001), dec!(68.21), dec!(0), "USDC"), "to spend 68.2 USDC, and 68.21 is more"),
            (sell, typed(dec!(0.00101), dec!(68), dec!(0), "USDC"), "to sell 0.001 BTC, and 0.00101 is more"),
            (buy, typed(dec!(1), dec!(68.2), dec!(0), "USDC"), "that is 68.2 USDC for one BTC"),
            (sell, typed(dec!(0.001), dec!(6820), dec!(0), "USDC"), "that is 6820000 USDC for one BTC"),
            (buy, typed(dec!(0), dec!(68.2), dec!(0), "USDC"), "above 0"),
            (buy, typed(dec!(0.001), dec!(-1), dec!(0), "USDC"), "above 0"),
            (buy, typed(dec!(0.001), dec!(68.2), dec!(-1), "USDC"), "not below"),
            (buy, typed(dec!(0.001), dec!(68.2), dec!(0.001), "BTC"), "more than was traded"),
            (sell, typed(dec!(0.001), dec!(68.2), dec!(69), "USDC"), "more than was traded"),
            (sell, typed(dec!(0.001), dec!(68.2), dec!(0), "usdc"), "in capitals"),
            (sell, typed(dec!(0.001), dec!(68.2), dec!(0), ""), "in capitals"),
        ];
        let price = Some(Price::new(dec!(68000)));
        for (size, typed, expected) in cases {
            let side = if matches!(size, Size::Spend(_)) { Side::Buy } else { Side::Sell };
            let found = typed.fill(Asked { coin: Coin::Btc, side, size }, price, None, BnbPrice::Unknown);
            match (&found, expected) {
                (Ok(fill), "") => assert_eq!((fill.quantity, fill.amount), (typed.quantity, typed.usdc)),
                (Err(reason), expected) if !expected.is_empty() => {
                    assert!(reason.contains(expected), "{reason}");
                }
                _ => panic!("{typed:?}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_price_that_nobody_knows_is_no_reason_to_refuse() {
        let asked = Asked { coin: Coin::Btc, side: Side::Buy, size: Size::Spend(Usdc::new(dec!(70))) };
        let typed = typed(dec!(1), dec!(68.2), dec!(0.01), "BNB");
        assert!(typed.fill(asked, Some(Price::new(dec!(68000))), None, BnbPrice::Unknown).is_err());
        let fill = typed.fill(asked, None, None, BnbPrice::Unknown).expect("it is booked");
        assert_eq!((fill.fees.apart[0].asset.as_str(), fill.fees.value(fill.price)), ("BNB", None));
    }

    #[test]
    fn a_fee_in_another_coin_is_never_worth_more_than_the_trade() {
        let asked = Asked { coin: Coin::Sol, side: Side::Buy, size: Size::Spend(Usdc::new(dec!(180))) };
        let price = Some(Price::new(dec!(150)));
        for (fee, fits) in [(dec!(0.0003), true), (dec!(0.2), true), (dec!(0.8), false)] {
            let typed = typed(dec!(1.2), dec!(180), fee, "BNB");
            let found = typed.fill(asked, price, Some(Price::new(dec!(610))), BnbPrice::Unknown);
            assert_eq!(found.is_ok(), fits, "{fee}: {found:?}");
        }
    }
}
