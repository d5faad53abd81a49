//! La comptabilité : comment une exécution et ses frais changent le cash et une position.
//!
//! Invariants : une simulation ne rend négatifs ni le cash ni une position ; le prix de revient ne change que
//! par un achat ; les frais sont pris dans l'actif où la bourse les a pris.

use rust_decimal::Decimal;

use super::market::Coin;
use super::money::{Price, Quantity, Usdc};
use super::movement::{Moved, Movement};
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

    /// De combien le prix obtenu est pire que `expected`, en part de celui-ci ; négatif s'il est meilleur.
    pub fn slippage(&self, expected: Price) -> Decimal {
        let worse = match self.side {
            Side::Buy => self.price - expected,
            Side::Sell => expected - self.price,
        };
        worse.decimal() / expected.decimal()
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

/// Ce qui change les livres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    Moved(Movement),
    Filled(Fill),
}

/// Ce que ces événements font, dans l'ordre, de ce que l'on possédait, et les BNB d'autrui qu'ils prennent : de quoi prouver
/// des livres.
pub fn replay(start: Holdings, events: impl IntoIterator<Item = Event>) -> (Holdings, Quantity) {
    events.into_iter().fold((start, Quantity::ZERO), |(holdings, bnb), event| match event {
        Event::Moved(movement) => (moved(&holdings, &movement), bnb),
        Event::Filled(fill) => (after(&holdings, &fill), bnb + bnb_of_others(&holdings, &fill)),
    })
}

/// Ce que l'on possède après un mouvement. Un coin qui vient coûte ce qu'il vaut ; un coin qui part emporte sa part du
/// prix de revient.
pub fn moved(holdings: &Holdings, movement: &Movement) -> Holdings {
    let mut after = *holdings;
    after.cash += movement.usdc;
    if let Some(Moved { coin, quantity, worth }) = movement.moved {
        let before = holdings.positions[coin];
        after.positions[coin] = if quantity.is_positive() {
            Position { quantity: before.quantity + quantity, invested: before.invested + worth }
        } else {
            sold(before, -quantity)
        };
    }
    after
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

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;

    fn fill(coin: Coin, side: Side, quantity: Decimal, fees: Fees) -> Fill {
        let price = Price::new(dec!(10));
        let quantity = Quantity::new(quantity);
        Fill { coin, side, quantity, price, amount: price * quantity, fees }
    }

    fn bnb(amount: Decimal) -> Fees {
        Fees { bnb: Quantity::new(amount), bnb_price: Price::new(dec!(600)), ..Fees::default() }
    }

    /// Des BNB (quantité, prix de revient) et du cash.
    fn holdings(quantity: Decimal, invested: Decimal) -> Holdings {
        let mut holdings = Holdings { cash: Usdc::new(dec!(1000)), ..Holdings::default() };
        holdings.positions[Coin::Bnb] =
            Position { quantity: Quantity::new(quantity), invested: Usdc::new(invested) };
        holdings
    }

    #[test]
    fn fees_in_bnb_leave_the_position_and_then_what_is_not_in_the_books() {
        let purchase = fill(Coin::Btc, Side::Buy, dec!(2), bnb(dec!(0.3)));
        let cases =
            [(dec!(1), dec!(0.7), dec!(0)), (dec!(0.1), dec!(0), dec!(0.2)), (dec!(0), dec!(0), dec!(0.3))];
        for (owned, left, of_others) in cases {
            let before = holdings(owned, owned * dec!(600));
            let after = after(&before, &purchase);
            assert_eq!(after.positions[Coin::Bnb].quantity, Quantity::new(left), "{owned}");
            assert_eq!(bnb_of_others(&before, &purchase), Quantity::new(of_others), "{owned}");
            assert_eq!(
                (after.cash, after.positions[Coin::Btc].quantity),
                (Usdc::new(dec!(980)), Quantity::new(dec!(2)))
            );
        }
    }

    #[test]
    fn selling_bnb_pays_its_fees_in_bnb_from_what_remains() {
        let before = holdings(dec!(1), dec!(600));
        let part = fill(Coin::Bnb, Side::Sell, dec!(0.5), bnb(dec!(0.1)));
        assert_eq!(
            after(&before, &part).positions[Coin::Bnb],
            Position { quantity: Quantity::new(dec!(0.4)), invested: Usdc::new(dec!(240)) }
        );
        let whole = fill(Coin::Bnb, Side::Sell, dec!(1), bnb(dec!(0.1)));
        assert_eq!(after(&before, &whole).positions[Coin::Bnb], Position::default());
        assert_eq!(bnb_of_others(&before, &whole), Quantity::new(dec!(0.1)));
    }

    #[test]
    fn slippage_is_what_the_price_is_worse_than_expected() {
        let cases = [
            (Side::Buy, dec!(8), dec!(0.25)),
            (Side::Buy, dec!(12.5), dec!(-0.2)),
            (Side::Sell, dec!(12.5), dec!(0.2)),
            (Side::Sell, dec!(8), dec!(-0.25)),
            (Side::Sell, dec!(10), dec!(0)),
        ];
        for (side, expected, slippage) in cases {
            let fill = fill(Coin::Btc, side, dec!(1), Fees::default());
            assert_eq!(fill.slippage(Price::new(expected)), slippage, "{side:?} at 10 for {expected}");
        }
    }
}
