//! Réunir un montant : ce qu'il faut vendre pour que le cash l'atteigne, coûts payés.
//!
//! Chaque position donne en proportion de ce que sa vente rendrait ; ce qui serait trop petit pour la bourse est pris à la
//! plus grande. Invariants : jamais plus que ce qui manque, à un pas par coin et un minimum près ; jamais plus que ce qui
//! est tenu ; le montant est atteint chaque fois que les règles le permettent.

use rust_decimal::{Decimal, dec};

use super::cost;
use super::market::{Coin, Pairs};
use super::money::{Price, Quantity, Usdc};
use super::order::{Left, Order, Size};
use super::portfolio::Holdings;

/// Les arrondis d'une vente sont contre nous : on vise un centime de plus.
const SPARE: Usdc = Usdc::new(dec!(0.01));

/// Une position qui peut se vendre.
struct Lot {
    coin: Coin,
    /// Ce qui peut s'en vendre en un ordre.
    whole: Quantity,
    smallest: Quantity,
    step: Quantity,
    /// Le cash que rend une unité.
    unit: Price,
    sold: Quantity,
}

impl Lot {
    fn of(coin: Coin, holdings: &Holdings, pairs: &Pairs) -> Result<Lot, Left> {
        let owned = holdings.positions[coin].quantity;
        if owned.is_zero() {
            return Err(Left::NothingToDo);
        }
        let order = Order::sell(coin, owned, owned, pairs)?;
        let pair = pairs.get(coin).ok_or(Left::Unknown)?;
        let Size::Sell(whole) = order.size() else { return Err(Left::NothingToDo) };
        let unit = pair.quote.mid().times(cost::returned_by_one(coin, pair.quote));
        let smallest = Order::smallest_sale(pair).min(whole);
        Ok(Lot { coin, whole, smallest, step: pair.rules.step, unit, sold: Quantity::ZERO })
    }

    fn worth(&self) -> Usdc {
        self.unit * self.whole
    }

    fn returned(&self) -> Usdc {
        self.unit * self.sold
    }
}

/// Le plus que des ventes ajouteraient au cash maintenant, coûts payés.
pub fn most(holdings: &Holdings, pairs: &Pairs) -> Usdc {
    let lots = Coin::ALL.into_iter().filter_map(|coin| Lot::of(coin, holdings, pairs).ok());
    lots.map(|lot| lot.worth()).sum()
}

/// Les ventes qui portent le cash à `amount`, et pourquoi chaque autre coin est laissé.
pub fn raise(amount: Usdc, holdings: &Holdings, pairs: &Pairs) -> (Vec<Order>, Vec<(Coin, Left)>) {
    let (mut sales, mut left, mut lots) = (Vec::new(), Vec::new(), Vec::new());
    for coin in Coin::ALL {
        match Lot::of(coin, holdings, pairs) {
            Ok(lot) => lots.push(lot),
            Err(reason) => left.push((coin, reason)),
        }
    }
    if amount > holdings.cash {
        sell(amount + SPARE - holdings.cash, &mut lots);
    }
    for lot in lots {
        let owned = holdings.positions[lot.coin].quantity;
        match Order::sell(lot.coin, lot.sold, owned, pairs) {
            _ if lot.sold.is_zero() => left.push((lot.coin, Left::NothingToDo)),
            Ok(order) => sales.push(order),
            Err(reason) => left.push((lot.coin, reason)),
        }
    }
    (sales, left)
}

/// Répartit ce qui manque entre les positions.
fn sell(missing: Usdc, lots: &mut [Lot]) {
    lots.sort_by_key(|lot| (std::cmp::Reverse(lot.worth()), lot.coin));
    let total: Usdc = lots.iter().map(Lot::worth).sum();
    let ratio = missing.share_of(total).decimal().min(Decimal::ONE);
    for lot in lots.iter_mut() {
        let part = lot.whole.times(ratio).ceil_to_step(lot.step).min(lot.whole);
        lot.sold = if part < lot.smallest { Quantity::ZERO } else { part };
    }
    for at in 0..lots.len() {
        let rest = missing - lots.iter().map(Lot::returned).sum();
        if !rest.is_positive() {
            return;
        }
        let lot = &mut lots[at];
        let more = rest.buys_at(lot.unit).ceil_to_step(lot.step);
        lot.sold = (lot.sold + more).max(lot.smallest).min(lot.whole);
    }
}
