//! La comptabilité : comment une exécution et ses frais changent le cash et une position.
//!
//! Invariants : une simulation ne rend négatifs ni le cash ni une position ; le prix de revient ne change que
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
    pub fees: Fees,
}

/// Les frais d'un ordre, dans chaque actif où ils ont été pris.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fees {
    /// Pris dans ce qu'un achat apporte.
    pub coin: Quantity,
    pub usdc: Usdc,
    /// Pris en BNB : dans la position si elle en a, le reste dans du BNB du compte qui n'est pas à nous.
    pub bnb: Quantity,
    /// Le prix auquel ces BNB comptent en USDC.
    pub bnb_price: Price,
}

impl Fill {
    /// Les frais en USDC : ceux de la paire au prix de l'exécution, le BNB au sien.
    pub fn fee_usdc(&self) -> Usdc {
        let Fees { coin, usdc, bnb, bnb_price } = self.fees;
        (self.price * coin).floor(8) + usdc + (bnb_price * bnb).floor(8)
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

/// Ce que l'on possède après une exécution qui a eu lieu, même contre notre attente : c'est un fait.
pub fn after(holdings: &Holdings, fill: &Fill) -> Holdings {
    let mut after = before_bnb_fees(holdings, fill);
    if fill.fees.bnb.is_positive() {
        let bnb = after.positions[Coin::Bnb];
        after.positions[Coin::Bnb] = sold(bnb, fill.fees.bnb.min(bnb.quantity));
    }
    after
}

/// Les BNB de frais que la position ne couvre pas : pris dans ceux du compte qui ne sont pas aux livres.
pub fn bnb_of_others(holdings: &Holdings, fill: &Fill) -> Quantity {
    let ours = before_bnb_fees(holdings, fill).positions[Coin::Bnb].quantity;
    (fill.fees.bnb - ours).max(Quantity::ZERO)
}

fn before_bnb_fees(holdings: &Holdings, fill: &Fill) -> Holdings {
    let mut after = *holdings;
    let before = holdings.positions[fill.coin];
    let fees = fill.fees;
    after.positions[fill.coin] = match fill.side {
        Side::Buy => {
            after.cash -= fill.amount + fees.usdc;
            Position {
                quantity: before.quantity + fill.quantity - fees.coin,
                invested: before.invested + fill.amount + fees.usdc,
            }
        }
        Side::Sell => {
            after.cash += fill.amount - fees.usdc;
            sold(before, fill.quantity + fees.coin)
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
