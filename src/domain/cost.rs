//! Ce qu'un échange coûte : l'écart du carnet, le glissement, les frais.
//!
//! Une position est évaluée au milieu du carnet. Acheter ou vendre en perd donc toujours un peu ; le
//! plan en tient compte pour arriver où il vise, et non un peu en dessous. Invariant : ce qu'un achat prend de pas pour un montant ne se
//! compte qu'ici, que ce soit pour le prévoir ou pour l'envoyer.

use rust_decimal::{Decimal, dec};

use super::market::{Coin, Pair, Quote};
use super::money::{Price, Quantity, Usdc};

/// Frais normaux d'un ordre preneur : 0,1 %, sans remise.
pub const TAKER_FEE: Decimal = dec!(0.001);

/// La part du meilleur prix qu'un ordre prend sans glisser : il part au marché, et rien d'autre n'est à lire.
pub const SLIGHT: Decimal = dec!(0.2);

/// De combien un achat borné accepte que le carnet monte le temps d'y arriver. La bourse en retient le cash : plus en laisserait
/// autant dehors.
pub const RISE: Decimal = dec!(0.001);

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

/// À quels prix se comptent les achats d'un coin.
#[derive(Clone, Copy)]
pub struct Paid {
    /// Ce que l'on s'attend à payer d'une unité.
    pub expected: Price,
    /// Ce que la bourse retient pour une unité d'un achat borné.
    bound: Price,
    /// Le plus grand achat qui part au marché.
    slight: Usdc,
    step: Quantity,
}

impl Paid {
    pub fn of(coin: Coin, Pair { quote, rules }: &Pair) -> Paid {
        let ask = quote.ask();
        let slight = ask * quote.ask_quantity().times(SLIGHT);
        let expected = ask.times(Decimal::ONE + coin.slippage()).ceil(8);
        Paid {
            expected,
            bound: ask.times(Decimal::ONE + RISE).ceil(8).max(expected),
            slight: if rules.market { slight } else { Usdc::ZERO },
            step: rules.step,
        }
    }

    /// Ce qu'un ordre de ce montant achète, au pas.
    pub fn buys(&self, amount: Usdc) -> Quantity {
        let price = if amount <= self.slight { self.expected } else { self.bound };
        amount.buys_at(price).floor_to_step(self.step)
    }

    /// Le montant de l'ordre qui achète cette quantité.
    pub fn amount(&self, quantity: Quantity) -> Usdc {
        let bound = (self.bound * quantity).ceil(2);
        if bound <= self.slight { (self.expected * quantity).ceil(2) } else { bound }
    }

    /// Ce que prend de cash un pas.
    pub fn notch(&self) -> Usdc {
        self.expected * self.step
    }
}
