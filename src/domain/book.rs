//! La comptabilité : comment une exécution et ses frais changent le cash, une position, et ce qui est d'autrui au compte.
//!
//! Invariants : toute exécution se compte, et ne rend négatifs ni le cash ni une position : ce qu'elle prend au-delà des
//! livres est d'autrui, avec la part de ce qu'elle rapporte ([`Others`]), au dernier chiffre ; le prix de revient ne
//! change que par un achat ; les frais sont pris dans l'actif où la bourse les a pris.

use rust_decimal::Decimal;

use super::market::Coin;
use super::money::{Price, Quantity, Usdc};
use super::movement::{Moved, Movement};
use super::order::Side;
use super::others::Others;
use super::portfolio::{Holdings, Position};
use super::reconcile::CASH;

/// Décimales de nos parts d'une exécution partagée, comme celles de la bourse.
const PLACES: u32 = 8;

/// Une exécution complète d'un ordre, avant comptabilité.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fees {
    /// Pris dans ce qu'un achat apporte.
    pub coin: Quantity,
    pub usdc: Usdc,
    /// Pris en BNB : dans la position si elle en a, le reste dans du BNB du compte qui n'est pas à nous.
    pub bnb: Quantity,
    /// Le prix auquel ces BNB comptent en USDC.
    pub bnb_price: Price,
    /// Pris dans un autre actif, ou dont la valeur n'est pas connue.
    pub apart: Vec<FeeApart>,
}

/// Des frais notés à part : pris de même, dans la position si c'est un coin suivi, sans valeur en USDC.
#[derive(Clone, Debug, PartialEq)]
pub struct FeeApart {
    pub asset: String,
    pub quantity: Quantity,
}

impl Fees {
    /// Ce que l'on en connaît en USDC : ceux de la paire au prix de l'exécution, le BNB au sien.
    pub fn known(&self, price: Price) -> Usdc {
        (price * self.coin).floor(PLACES) + self.usdc + (self.bnb_price * self.bnb).floor(PLACES)
    }

    /// Leur valeur en USDC ; `None` si une part n'en a pas de connue.
    pub fn value(&self, price: Price) -> Option<Usdc> {
        self.apart.is_empty().then(|| self.known(price))
    }
}

impl Fill {
    /// Les frais en USDC, pour ce qu'on en connaît.
    pub fn fee_usdc(&self) -> Usdc {
        self.fees.known(self.price)
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

/// Ce que l'on possède après une exécution simulée, où rien n'est à d'autres ; refuse celle qui prendrait plus que ce
/// qui est là.
pub fn apply(holdings: &Holdings, fill: &Fill) -> Result<Holdings, Overdrawn> {
    let Effect { holdings, others } = effect(holdings, fill);
    if others.is_empty() { Ok(holdings) } else { Err(Overdrawn { coin: fill.coin, side: fill.side }) }
}

/// Ce qui change les livres.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Moved(Movement),
    Filled(Fill),
}

/// Ce que des événements font : ce que l'on possède après eux, et ce qu'ils ont pris à d'autres.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effect {
    pub holdings: Holdings,
    pub others: Others,
}

/// Ce que ces événements font, dans l'ordre, de ce que l'on possédait : de quoi prouver des livres.
pub fn replay(start: Holdings, events: impl IntoIterator<Item = Event>) -> Effect {
    let start = Effect { holdings: start, others: Others::default() };
    events.into_iter().fold(start, |before, event| match event {
        Event::Moved(movement) => Effect { holdings: moved(&before.holdings, &movement), ..before },
        Event::Filled(fill) => {
            let Effect { holdings, others } = effect(&before.holdings, &fill);
            Effect { holdings, others: before.others.and(&others) }
        }
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
            without(before, -quantity)
        };
    }
    after
}

/// Ce que fait une exécution qui a eu lieu, même contre notre attente : c'est un fait.
pub fn effect(holdings: &Holdings, fill: &Fill) -> Effect {
    let mut effect = Effect { holdings: *holdings, others: Others::default() };
    match fill.side {
        Side::Buy => effect.buy(fill),
        Side::Sell => effect.sell(fill),
    }
    effect.pay(Coin::Bnb.asset(), fill.fees.bnb);
    for fee in &fill.fees.apart {
        effect.pay(&fee.asset, fee.quantity);
    }
    effect
}

impl Effect {
    /// Ce que le cash ne couvre pas est payé par d'autres, à qui va cette part de l'achat.
    fn buy(&mut self, fill: &Fill) {
        let (price, quantity) = (fill.amount + fill.fees.usdc, fill.quantity - fill.fees.coin);
        let paid = price.min(self.holdings.cash.max(Usdc::ZERO));
        let kept = if paid == price {
            quantity
        } else {
            Quantity::new(part(quantity.decimal(), paid.decimal(), price.decimal())).floor(PLACES)
        };
        self.holdings.cash -= paid;
        let before = self.holdings.positions[fill.coin];
        self.holdings.positions[fill.coin] =
            Position { quantity: before.quantity + kept, invested: before.invested + paid };
        self.others.take(CASH, Quantity::new((price - paid).decimal()));
        self.others.give(fill.coin.asset(), quantity - kept);
    }

    /// Ce que la position ne couvre pas est vendu pour d'autres, à qui va cette part du produit.
    fn sell(&mut self, fill: &Fill) {
        let (quantity, proceeds) = (fill.quantity + fill.fees.coin, fill.amount - fill.fees.usdc);
        let before = self.holdings.positions[fill.coin];
        let sold = quantity.min(before.quantity);
        let kept = if sold == quantity {
            proceeds
        } else {
            Usdc::new(part(proceeds.decimal(), sold.decimal(), quantity.decimal())).floor(PLACES)
        };
        self.holdings.cash += kept;
        self.holdings.positions[fill.coin] = without(before, sold);
        self.others.take(fill.coin.asset(), quantity - sold);
        self.others.give(CASH, Quantity::new((proceeds - kept).decimal()));
    }

    /// Des frais sont pris dans la position si c'en est une, et ce qu'elle ne couvre pas à d'autres.
    fn pay(&mut self, asset: &str, fee: Quantity) {
        let ours = Coin::from_asset(asset).map_or(Quantity::ZERO, |coin| {
            let before = self.holdings.positions[coin];
            let ours = fee.min(before.quantity);
            self.holdings.positions[coin] = without(before, ours);
            ours
        });
        self.others.take(asset, fee - ours);
    }
}

/// De `amount`, la part que fait `ours` de `whole` ; rien d'un tout nul.
fn part(amount: Decimal, ours: Decimal, whole: Decimal) -> Decimal {
    (amount * ours).checked_div(whole).unwrap_or_default()
}

/// Ce qui part emporte sa part du prix de revient ; le dernier départ emporte tout.
fn without(before: Position, quantity: Quantity) -> Position {
    if quantity.is_zero() {
        return before;
    }
    let rest = before.quantity - quantity;
    if !rest.is_positive() {
        return Position { quantity: rest, invested: Usdc::ZERO };
    }
    let ratio = rest.decimal() / before.quantity.decimal();
    Position { quantity: rest, invested: before.invested.times(ratio).ceil(PLACES) }
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
            let Effect { holdings: after, others } = effect(&before, &purchase);
            assert_eq!(after.positions[Coin::Bnb].quantity, Quantity::new(left), "{owned}");
            assert_eq!(others.of("BNB"), Quantity::new(of_others), "{owned}");
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
            effect(&before, &part).holdings.positions[Coin::Bnb],
            Position { quantity: Quantity::new(dec!(0.4)), invested: Usdc::new(dec!(240)) }
        );
        let whole = fill(Coin::Bnb, Side::Sell, dec!(1), bnb(dec!(0.1)));
        let Effect { holdings, others } = effect(&before, &whole);
        assert_eq!(holdings.positions[Coin::Bnb], Position::default());
        assert_eq!(others.of("BNB"), Quantity::new(dec!(0.1)));
    }

    /// De BNB à 10 USDC, avec 1000 USDC de cash : (possédé, vendu, frais en USDC) ; reste, cash, pris et donné à d'autres.
    #[test]
    fn a_sale_of_more_than_the_books_hold_is_booked_and_its_excess_is_of_others_to_the_last_digit() {
        let cases = [
            ([dec!(3), dec!(2), dec!(0)], [dec!(1), dec!(1020), dec!(0), dec!(0)]),
            ([dec!(2), dec!(2), dec!(0.02)], [dec!(0), dec!(1019.98), dec!(0), dec!(0)]),
            ([dec!(1), dec!(2), dec!(0.02)], [dec!(0), dec!(1009.99), dec!(1), dec!(-9.99)]),
            ([dec!(1), dec!(3), dec!(0.01)], [dec!(0), dec!(1009.99666666), dec!(2), dec!(-19.99333334)]),
            ([dec!(0), dec!(3), dec!(0)], [dec!(0), dec!(1000), dec!(3), dec!(-30)]),
        ];
        for ([owned, sold, fee], [left, cash, taken, given]) in cases {
            let fees = Fees { usdc: Usdc::new(fee), ..Fees::default() };
            let sale = fill(Coin::Bnb, Side::Sell, sold, fees);
            let Effect { holdings, others } = effect(&holdings(owned, owned * dec!(7)), &sale);
            let found = [
                holdings.positions[Coin::Bnb].quantity.decimal(),
                holdings.cash.decimal(),
                others.of("BNB").decimal(),
                others.of(CASH).decimal(),
            ];
            assert_eq!(found, [left, cash, taken, given], "{owned} - {sold}");
            assert!(!left.is_zero() || holdings.positions[Coin::Bnb].invested.is_zero());
        }
    }

    /// (cash, acheté à 10 USDC) ; reste de cash, à nous, pris et donné à d'autres.
    #[test]
    fn a_purchase_of_more_than_the_cash_is_booked_and_its_excess_is_of_others() {
        let cases = [
            ([dec!(20), dec!(2)], [dec!(0), dec!(2), dec!(0), dec!(0)]),
            ([dec!(10), dec!(3)], [dec!(0), dec!(1), dec!(20), dec!(-2)]),
            ([dec!(10), dec!(7)], [dec!(0), dec!(1), dec!(60), dec!(-6)]),
            ([dec!(0.0000001), dec!(0.7)], [dec!(0), dec!(0.00000001), dec!(6.9999999), dec!(-0.69999999)]),
            ([dec!(0), dec!(3)], [dec!(0), dec!(0), dec!(30), dec!(-3)]),
            // Des livres d'une version qui comptait autrement.
            ([dec!(-5), dec!(3)], [dec!(-5), dec!(0), dec!(30), dec!(-3)]),
        ];
        for ([cash, bought], [left, ours, taken, given]) in cases {
            let before = Holdings { cash: Usdc::new(cash), ..Holdings::default() };
            let purchase = fill(Coin::Btc, Side::Buy, bought, Fees::default());
            let Effect { holdings, others } = effect(&before, &purchase);
            let found = [
                holdings.cash.decimal(),
                holdings.positions[Coin::Btc].quantity.decimal(),
                others.of(CASH).decimal(),
                others.of("BTC").decimal(),
            ];
            assert_eq!(found, [left, ours, taken, given], "{cash} for {bought}");
            assert_eq!(holdings.positions[Coin::Btc].invested, Usdc::new((cash - left).max(Decimal::ZERO)));
        }
    }

    #[test]
    fn a_fee_in_any_asset_is_taken_where_it_was_and_has_no_value_of_its_own() {
        let apart =
            |asset: &str, quantity| FeeApart { asset: asset.to_owned(), quantity: Quantity::new(quantity) };
        let fees = Fees {
            usdc: Usdc::new(dec!(0.5)),
            apart: vec![apart("FDUSD", dec!(0.2)), apart("DOGE", dec!(3)), apart("BNB", dec!(1.5))],
            ..Fees::default()
        };
        let sale = fill(Coin::Btc, Side::Sell, dec!(2), fees);
        let mut before = holdings(dec!(1), dec!(600));
        before.positions[Coin::Btc].quantity = Quantity::new(dec!(2));
        let Effect { holdings, others } = effect(&before, &sale);
        assert_eq!(holdings.positions[Coin::Bnb], Position::default());
        let of_others: Vec<_> = others.iter().map(|(asset, quantity)| (asset, quantity.decimal())).collect();
        assert_eq!(of_others, [("BNB", dec!(0.5)), ("DOGE", dec!(3)), ("FDUSD", dec!(0.2))]);
        assert_eq!((sale.fee_usdc(), sale.fees.value(sale.price)), (Usdc::new(dec!(0.5)), None));
    }

    #[test]
    fn a_simulation_refuses_what_would_take_from_others() {
        for (side, quantity) in [(Side::Buy, dec!(100.1)), (Side::Sell, dec!(1.1))] {
            let overdrawn = fill(Coin::Bnb, side, quantity, Fees::default());
            let expected = Err(Overdrawn { coin: Coin::Bnb, side });
            assert_eq!(apply(&holdings(dec!(1), dec!(600)), &overdrawn), expected);
        }
        assert!(
            apply(&holdings(dec!(1), dec!(600)), &fill(Coin::Bnb, Side::Buy, dec!(100), Fees::default()))
                .is_ok()
        );
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
