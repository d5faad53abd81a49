//! Ce qui se tient dans un carnet, et ce qu'un ordre en prend : au plus ce qui n'est pas trop loin du milieu.
//!
//! Le milieu est celui du cours cru, non du carnet lu ensuite : une lecture fausse ne l'éloigne pas. Invariant : un ordre qui
//! prend plus qu'un peu du meilleur prix porte une borne, et ne peut ni payer ni céder au-delà.

use rust_decimal::{Decimal, dec};

use super::cost::{Paid, RISE, SLIGHT};
use super::market::{Pair, Quote, Rules};
use super::money::{Price, Quantity, Usdc, Weight};
use super::order::{Bound, Left, Order, Side, Size};

/// Ce dont un achat doit accepter au moins que le carnet monte, quand accepter plus lui coûterait un pas.
const LEAST_RISE: Decimal = dec!(0.0002);

/// Une offre ou une demande.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    pub price: Price,
    pub quantity: Quantity,
}

/// Un carnet, les meilleurs prix d'abord.
#[derive(Clone, Debug, PartialEq)]
pub struct Depth {
    bids: Vec<Level>,
    asks: Vec<Level>,
}

/// Ce qu'il advient d'un ordre face au carnet : ce qui part, et pourquoi tout ne part pas.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    pub order: Option<Order>,
    pub left: Option<Left>,
}

impl Depth {
    /// `None` si ce n'est pas un carnet : un prix qui n'en est pas un, un ordre qui n'est pas le sien, des côtés croisés.
    pub fn new(bids: Vec<Level>, asks: Vec<Level>) -> Option<Depth> {
        let sound = |level: &Level| level.price.is_positive() && level.quantity >= Quantity::ZERO;
        let crossed = bids.first().zip(asks.first()).is_some_and(|(bid, ask)| bid.price > ask.price);
        let sorted = bids.is_sorted_by(|one, next| one.price >= next.price)
            && asks.is_sorted_by(|one, next| one.price <= next.price);
        (sorted && !crossed && bids.iter().chain(&asks).all(sound)).then_some(Depth { bids, asks })
    }
}

/// Ce que `order` fait sans que le carnet entier se lise ; `None` s'il faut le lire.
pub fn at_the_top(order: &Order, quote: Quote, most: Weight) -> Option<Fitted> {
    let side = order.side();
    let (price, there) = top(quote, side);
    if is_beyond(price, reach(quote, side, most), side) {
        return Some(Fitted { order: None, left: Some(thin(order, Usdc::ZERO, quote, most)) });
    }
    let wanted = match order.size() {
        Size::Spend(amount) => amount.buys_at(price),
        Size::Sell(quantity) => quantity,
    };
    (wanted <= there.times(SLIGHT)).then_some(Fitted { order: Some(*order), left: None })
}

/// Ce que `order` prend de ce carnet : ce qui est à `most` du milieu, au plus.
pub fn fit(order: &Order, depth: &Depth, pair: &Pair, most: Weight) -> Fitted {
    let (quote, side) = (pair.quote, order.side());
    let reach = reach(quote, side, most);
    let levels = match side {
        Side::Buy => &depth.asks,
        Side::Sell => &depth.bids,
    };
    let (best, _) = top(quote, side);
    let slack = quote.mid().times(most.decimal());
    let strange = |level: &Level| match side {
        Side::Buy => level.price + slack < best,
        Side::Sell => level.price > best + slack,
    };
    if levels.first().is_some_and(strange) {
        let reason = "its book and its price do not agree".to_owned();
        return Fitted { order: None, left: Some(Left::Later(reason)) };
    }
    let within: Vec<Level> =
        levels.iter().copied().take_while(|level| !is_beyond(level.price, reach, side)).collect();
    let there: Usdc = within.iter().map(|level| level.price * level.quantity).sum();
    let standing: Quantity = within.iter().map(|level| level.quantity).sum();
    let bounded = part(order, (standing, there), pair).and_then(|part| {
        let bound = bound(&part, &within, standing, (reach, pair))?;
        part.bounded(bound, &pair.rules)
    });
    let whole = match order.size() {
        Size::Spend(amount) => there >= amount,
        Size::Sell(quantity) => bounded.is_some_and(|order| order.size() == Size::Sell(quantity)),
    };
    let left = (!whole || bounded.is_none()).then(|| thin(order, there, quote, most));
    Fitted { order: bounded, left }
}

/// Ce qui part de `order` là où se tient cette quantité, de ce montant : ce qui en reste s'échangera encore. `None` s'il attend qu'il y en ait plus.
fn part(order: &Order, (standing, there): (Quantity, Usdc), pair: &Pair) -> Option<Order> {
    match order.size() {
        Size::Sell(quantity) => {
            let part = Order::part_of_sale(quantity, standing, pair)?;
            Some(order.resized(Size::Sell(part)))
        }
        Size::Spend(amount) => {
            let part = Order::part_of_purchase(amount, there, pair);
            // Ce que le carnet borne de lui-même s'y compte au niveau près.
            Some(if part < there.min(amount) { order.resized(Size::Spend(part)) } else { *order })
        }
    }
}

/// La quantité que `order` prend de ces niveaux, son prix limite, et ce qu'elle y coûte en moyenne ; `None` s'ils sont vides.
fn bound(
    order: &Order,
    within: &[Level],
    standing: Quantity,
    (reach, pair): (Price, &Pair),
) -> Option<Bound> {
    let tick = pair.rules.tick;
    let (quantity, limit) = match order.size() {
        Size::Sell(quantity) => (quantity, tick.map(|tick| reach.ceil_to_tick(tick))),
        Size::Spend(amount) => {
            let worst = worst(within, amount)?;
            match tick {
                Some(tick) => {
                    let risen = worst.times(Decimal::ONE + RISE).min(reach).floor_to_tick(tick).max(worst);
                    let planned = Paid::of(order.coin(), pair).buys(amount).min(standing);
                    let (quantity, limit) = limited(amount, (worst, risen), planned, &pair.rules);
                    (quantity, Some(limit))
                }
                None => (amount.buys_at(worst), None),
            }
        }
    };
    let quantity = quantity.min(standing);
    let average = average(within, quantity)?;
    Some(Bound { quantity, limit, average })
}

/// Ce que ce montant achète, et jusqu'à quel prix, de `worst`, qu'il faut, à `risen`, dont le carnet peut monter. Un pas de moins que
/// prévu laisserait plus de cash dehors : pour lui, le carnet peut monter de moins. De plus que prévu, un prix arrondi au tick en ferait
/// prendre, au-delà de la cible : il ne s'en prend pas.
fn limited(
    amount: Usdc,
    (worst, risen): (Price, Price),
    planned: Quantity,
    rules: &Rules,
) -> (Quantity, Price) {
    let quantity = amount.buys_at(risen).floor_to_step(rules.step).min(planned);
    let next = quantity + rules.step;
    let highest = amount.per(next).zip(rules.tick).map(|(price, tick)| price.floor_to_tick(tick));
    match highest {
        Some(highest) if next <= planned && highest >= worst.times(Decimal::ONE + LEAST_RISE) => {
            (next, highest)
        }
        _ => (quantity, risen),
    }
}

/// Le prix du dernier niveau qu'il faut pour dépenser `amount`.
fn worst(within: &[Level], amount: Usdc) -> Option<Price> {
    let mut spent = Usdc::ZERO;
    let enough = within.iter().find(|level| {
        spent += level.price * level.quantity;
        spent >= amount
    });
    enough.or(within.last()).map(|level| level.price)
}

/// Ce que cette quantité coûte ou rend, en moyenne, aux prix de ces niveaux, le meilleur d'abord.
fn average(within: &[Level], quantity: Quantity) -> Option<Price> {
    let (mut left, mut amount) = (quantity, Usdc::ZERO);
    for level in within {
        let taken = left.min(level.quantity);
        amount += level.price * taken;
        left -= taken;
    }
    let taken = quantity - left;
    amount.decimal().checked_div(taken.decimal()).map(Price::new)
}

fn top(quote: Quote, side: Side) -> (Price, Quantity) {
    match side {
        Side::Buy => (quote.ask(), quote.ask_quantity()),
        Side::Sell => (quote.bid(), quote.bid_quantity()),
    }
}

/// Le dernier prix supportable.
fn reach(quote: Quote, side: Side, most: Weight) -> Price {
    match side {
        Side::Buy => quote.mid().times(Decimal::ONE + most.decimal()),
        Side::Sell => quote.mid().times(Decimal::ONE - most.decimal()),
    }
}

fn is_beyond(price: Price, reach: Price, side: Side) -> bool {
    match side {
        Side::Buy => price > reach,
        Side::Sell => price < reach,
    }
}

fn thin(order: &Order, there: Usdc, quote: Quote, most: Weight) -> Left {
    Left::ThinBook { there, wanted: order.value_at(top(quote, order.side()).0), most }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::market::{Coin, Pairs};

    const MOST: Weight = Weight::new(dec!(0.005));

    fn level(price: Decimal, quantity: Decimal) -> Level {
        Level { price: Price::new(price), quantity: Quantity::new(quantity) }
    }

    /// Une paire à `bid` et `ask`, un millième au meilleur prix.
    fn pair(bid: Decimal, ask: Decimal, tick: Option<Decimal>) -> Pair {
        let rules = Rules {
            halted: None,
            step: Quantity::new(dec!(0.001)),
            min_quantity: Quantity::new(dec!(0.001)),
            max_quantity: Quantity::new(dec!(1_000_000)),
            min_notional: Usdc::new(dec!(5)),
            max_notional: None,
            tick: tick.map(Price::new),
            market: true,
        };
        let top = Quantity::new(dec!(0.001));
        let quote = Quote::new(Price::new(bid), Price::new(ask)).expect("a price").with_tops(top, top);
        Pair { quote, rules }
    }

    fn usual() -> Pair {
        pair(dec!(99.99), dec!(100.01), Some(dec!(0.01)))
    }

    fn depth(bids: &[(Decimal, Decimal)], asks: &[(Decimal, Decimal)]) -> Depth {
        let levels = |side: &[(Decimal, Decimal)]| side.iter().map(|(p, q)| level(*p, *q)).collect();
        Depth::new(levels(bids), levels(asks)).expect("a book")
    }

    fn buy(amount: Decimal, pair: &Pair) -> Order {
        Order::buy(Coin::Sol, Usdc::new(amount), &Pairs::all(|_| pair.clone())).expect("an order")
    }

    fn sell(quantity: Decimal, pair: &Pair) -> Order {
        let quantity = Quantity::new(quantity);
        Order::sell(Coin::Sol, quantity, quantity, &Pairs::all(|_| pair.clone())).expect("an order")
    }

    /// Ce qui part : la quantité et le prix limite ; et la raison de ce qui ne part pas.
    fn told(fitted: &Fitted) -> (Option<(String, Option<String>)>, Option<String>) {
        let bound = fitted.order.and_then(|order| order.bound());
        let sent = bound.map(|b| (b.quantity.to_string(), b.limit.map(|limit| limit.to_string())));
        (sent, fitted.left.as_ref().map(Left::to_string))
    }

    #[test]
    fn an_order_takes_at_most_what_stands_near_the_middle() {
        let market = usual();
        let asks = [(dec!(100.01), dec!(1)), (dec!(100.4), dec!(2)), (dec!(103), dec!(50))];
        let bids = [(dec!(99.99), dec!(1)), (dec!(99.6), dec!(2)), (dec!(97), dec!(50))];
        let book = depth(&bids, &asks);
        let thin = |there: &str, wanted: &str| {
            Some(format!("the book holds {there} of {wanted} USDC within 0.5 % of the middle"))
        };
        let sent = |quantity: &str, limit: &str| Some((quantity.to_owned(), Some(limit.to_owned())));
        let cases = [
            // Un dixième de pour cent au-dessus de ce que le carnet demande.
            (buy(dec!(90), &market), sent("0.899", "100.11"), None),
            (buy(dec!(250), &market), sent("2.488", "100.48"), None),
            (buy(dec!(1000), &market), sent("3", "100.5"), thin("300.81", "1000.00")),
            (sell(dec!(2.5), &market), sent("2.5", "99.5"), None),
            (sell(dec!(10), &market), sent("3", "99.5"), thin("299.19", "999.90")),
            // De quoi en vendre le reste : un minimum, et de quoi le rester.
            (sell(dec!(3.03), &market), sent("2.972", "99.5"), thin("299.19", "302.97")),
        ];
        for (order, expected, left) in cases {
            assert_eq!(told(&fit(&order, &book, &market, MOST)), (expected, left), "{order:?}");
        }
    }

    /// Un tick grossier baisse le prix limite : la quantité n'en monte pas au-delà de ce que le plan voulait.
    #[test]
    fn a_coarse_tick_never_has_a_purchase_take_more_than_was_planned() {
        let market = pair(dec!(0.3636), dec!(0.36392724), Some(dec!(0.0001)));
        let order = buy(dec!(1560.66), &market);
        let plenty = [(dec!(0.36392724), dec!(1_000_000))];
        let book = depth(&[(dec!(0.3636), dec!(1_000_000))], &plenty);
        let planned = Paid::of(Coin::Sol, &market).buys(Usdc::new(dec!(1560.66)));
        let sent =
            fit(&order, &book, &market, MOST).order.and_then(|order| order.bound()).expect("it is sent");
        assert_eq!(sent.quantity, planned);
    }

    #[test]
    fn a_book_with_nothing_near_the_middle_takes_no_order() {
        let market = usual();
        for book in [depth(&[], &[]), depth(&[(dec!(90), dec!(9))], &[(dec!(110), dec!(9))])] {
            for order in [buy(dec!(50), &market), sell(dec!(1), &market)] {
                let fitted = fit(&order, &book, &market, MOST);
                assert!(fitted.order.is_none(), "{fitted:?}");
                assert!(matches!(fitted.left, Some(Left::ThinBook { .. })), "{fitted:?}");
            }
        }
        // Ce qui y est ne vaut pas le minimum de la bourse.
        let crumbs = depth(&[(dec!(99.99), dec!(0.04))], &[(dec!(100.01), dec!(0.04))]);
        for order in [buy(dec!(50), &market), sell(dec!(1), &market)] {
            assert!(fit(&order, &crumbs, &market, MOST).order.is_none());
        }
    }

    #[test]
    fn a_little_of_the_best_price_needs_no_book_and_a_wide_one_takes_nothing() {
        let narrow = usual();
        assert_eq!(at_the_top(&buy(dec!(50), &narrow), narrow.quote, MOST), None);
        let mut deep = usual();
        let top = Quantity::new(dec!(10));
        deep.quote = deep.quote.with_tops(top, top);
        for (order, slight) in [
            (buy(dec!(200), &deep), true),
            (buy(dec!(201), &deep), false),
            (sell(dec!(2), &deep), true),
            (sell(dec!(2.001), &deep), false),
        ] {
            let alone = Fitted { order: Some(order), left: None };
            assert_eq!(at_the_top(&order, deep.quote, MOST), slight.then_some(alone), "{order:?}");
        }
        let wide = pair(dec!(99.4), dec!(100.6), Some(dec!(0.01)));
        for order in [buy(dec!(50), &wide), sell(dec!(1), &wide)] {
            let fitted = at_the_top(&order, wide.quote, MOST).expect("nothing is to be read");
            assert!(fitted.order.is_none() && matches!(fitted.left, Some(Left::ThinBook { .. })));
        }
    }

    /// Dix fois trop bon n'est pas une aubaine.
    #[test]
    fn a_book_that_denies_its_price_is_not_traded() {
        let market = usual();
        let asks = depth(&[], &[(dec!(10), dec!(100))]);
        let bids = depth(&[(dec!(1000), dec!(100))], &[]);
        for (order, book) in [(buy(dec!(50), &market), asks), (sell(dec!(1), &market), bids)] {
            let fitted = fit(&order, &book, &market, MOST);
            assert!(fitted.order.is_none() && matches!(fitted.left, Some(Left::Later(_))), "{fitted:?}");
        }
    }

    #[test]
    fn a_pair_without_limit_orders_is_cut_all_the_same() {
        let market = pair(dec!(99.99), dec!(100.01), None);
        let book = depth(&[(dec!(99.99), dec!(1))], &[(dec!(100.01), dec!(1))]);
        let bought = fit(&buy(dec!(500), &market), &book, &market, MOST);
        let order = bought.order.expect("what is there");
        assert_eq!(
            (order.size(), order.bound().and_then(|bound| bound.limit)),
            (Size::Spend(Usdc::new(dec!(100.01))), None)
        );
        assert!(bought.left.is_some());
        let sold = fit(&sell(dec!(5), &market), &book, &market, MOST);
        assert_eq!(sold.order.expect("what is there").size(), Size::Sell(Quantity::new(dec!(1))));
    }

    #[test]
    fn what_is_no_book_is_refused() {
        let fine = level(dec!(100), dec!(1));
        for (bids, asks) in [
            (vec![level(dec!(0), dec!(1))], vec![]),
            (vec![level(dec!(100), dec!(-1))], vec![]),
            (vec![level(dec!(99), dec!(1)), fine], vec![]),
            (vec![], vec![fine, level(dec!(99), dec!(1))]),
            (vec![level(dec!(101), dec!(1))], vec![fine]),
        ] {
            assert_eq!(Depth::new(bids.clone(), asks.clone()), None, "{bids:?} {asks:?}");
        }
    }

    fn side(prices: Vec<(i64, i64)>, direction: Decimal) -> Vec<(Decimal, Decimal)> {
        let mut price = dec!(100) + direction * dec!(0.01);
        let lines = prices.into_iter().map(|(gap, quantity)| {
            let line = (price, Decimal::new(quantity, 3));
            price += direction * Decimal::new(gap, 2);
            line
        });
        lines.collect()
    }

    proptest! {
        /// Quel que soit le carnet, ce qui part ne coûte ni ne rend pire que la borne, jamais plus que demandé, et obéit aux
        /// règles.
        #[test]
        fn nothing_ever_slips_further_than_the_bound(
            bids in prop::collection::vec((1i64..500, 0i64..5_000), 0..12),
            asks in prop::collection::vec((1i64..500, 0i64..5_000), 0..12),
            amount in 6i64..100_000,
            limits in any::<bool>(),
        ) {
            let market = pair(dec!(99.99), dec!(100.01), limits.then_some(dec!(0.01)));
            let book = depth(&side(bids, Decimal::NEGATIVE_ONE), &side(asks, Decimal::ONE));
            let asked = [buy(Decimal::from(amount) + dec!(1), &market), sell(Decimal::from(amount) / dec!(50), &market)];
            for order in asked {
                let Fitted { order: sent, left } = fit(&order, &book, &market, MOST);
                prop_assert!(sent.is_some() || left.is_some());
                let Some(sent) = sent else { continue };
                // Ce qui reste d'une vente coupée se vendra au tour suivant.
                if let (Size::Sell(whole), Size::Sell(part)) = (order.size(), sent.size()) {
                    prop_assert!(part == whole || whole - part >= Order::smallest_sale(&market));
                }
                let bound = sent.bound().expect("it was read");
                prop_assert!(bound.quantity.floor_to_step(Quantity::new(dec!(0.001))) == bound.quantity);
                for price in [Some(bound.average), bound.limit].into_iter().flatten() {
                    let off = (price.decimal() - dec!(100)).abs();
                    prop_assert!(off <= dec!(0.5), "{} away", off);
                }
                match (order.size(), sent.size()) {
                    (Size::Spend(most), Size::Spend(spent)) => {
                        prop_assert!(spent <= most);
                        let price = bound.limit.unwrap_or(bound.average);
                        prop_assert!(!limits || spent >= price * bound.quantity);
                    }
                    (Size::Sell(most), Size::Sell(sold)) => prop_assert!(sold <= most && sold == bound.quantity),
                    sizes => prop_assert!(false, "{:?}", sizes),
                }
            }
        }
    }
}
