//! La comptabilité : comment une exécution et ses frais changent le cash et une position.
//!
//! Invariants : ni le cash ni une position ne deviennent négatifs ; le prix de revient ne change que
//! par un achat ; les frais sont pris dans l'actif où la bourse les a pris.

use super::market::Coin;
use super::money::{Price, Quantity, Usdc};
use super::order::Side;
use super::portfolio::{Holdings, Position};

/// Une exécution complète d'un ordre, avant comptabilité.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fill {
    pub coin: Coin,
    pub side: Side,
    /// Quantité exécutée, frais non déduits.
    pub quantity: Quantity,
    /// Prix moyen.
    pub price: Price,
    /// USDC échangés, frais non déduits.
    pub amount: Usdc,
    pub fee: Fee,
}

/// Les frais, dans l'actif où ils ont été pris.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fee {
    Coin(Quantity),
    Usdc(Usdc),
}

impl Fill {
    /// Les frais en USDC, au prix de l'exécution.
    pub fn fee_usdc(&self) -> Usdc {
        match self.fee {
            Fee::Coin(quantity) => (self.price * quantity).floor(8),
            Fee::Usdc(amount) => amount,
        }
    }
}

/// L'exécution ne peut pas être vraie : elle dépense ou cède plus que ce qui est là.
#[derive(Clone, Debug, PartialEq)]
pub struct Overdrawn {
    pub coin: Coin,
    pub side: Side,
}

impl std::fmt::Display for Overdrawn {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} {} would use more than is owned", self.side.word(), self.coin)
    }
}

/// Ce que l'on possède après l'exécution ; refuse celle qui prendrait plus que ce qui est là.
pub fn apply(holdings: &Holdings, fill: &Fill) -> Result<Holdings, Overdrawn> {
    let after = after(holdings, fill);
    let overdrawn = after.cash < Usdc::ZERO || after.positions[fill.coin].quantity < Quantity::ZERO;
    if overdrawn { Err(Overdrawn { coin: fill.coin, side: fill.side }) } else { Ok(after) }
}

/// Ce que `fills` font, dans l'ordre, de ce que l'on possédait : de quoi prouver des livres. Le cash
/// peut y passer sous zéro en chemin, si un dépôt fait entre deux est compté d'avance.
pub fn replay<'a>(start: Holdings, fills: impl IntoIterator<Item = &'a Fill>) -> Holdings {
    fills.into_iter().fold(start, |holdings, fill| after(&holdings, fill))
}

fn after(holdings: &Holdings, fill: &Fill) -> Holdings {
    let mut after = *holdings;
    let before = holdings.positions[fill.coin];
    let (coin_fee, usdc_fee) = match fill.fee {
        Fee::Coin(quantity) => (quantity, Usdc::ZERO),
        Fee::Usdc(amount) => (Quantity::ZERO, amount),
    };
    after.positions[fill.coin] = match fill.side {
        Side::Buy => {
            after.cash -= fill.amount + usdc_fee;
            Position {
                quantity: before.quantity + fill.quantity - coin_fee,
                invested: before.invested + fill.amount + usdc_fee,
            }
        }
        Side::Sell => {
            after.cash += fill.amount - usdc_fee;
            sold(before, fill.quantity + coin_fee)
        }
    };
    after
}

/// Une vente emporte sa part du prix de revient ; la dernière emporte tout.
fn sold(before: Position, quantity: Quantity) -> Position {
    let rest = before.quantity - quantity;
    if !rest.is_positive() {
        return Position { quantity: rest, invested: Usdc::ZERO };
    }
    let ratio = rest.decimal() / before.quantity.decimal();
    Position { quantity: rest, invested: before.invested.times(ratio).ceil(8) }
}
