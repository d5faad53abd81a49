//! Le moteur : filtres d'un ordre, quantité d'un ordre au montant, marche dans le carnet.
//!
//! Calcule sans rien changer : [`Match`] dit ce qui serait exécuté, ou le refus. Le montant minimal d'un ordre au
//! marché se mesure au prix de référence ou moyen, jamais au bid ni à l'ask (fiche 3.1). Un achat ou une vente au
//! montant est arrondi vers le bas au pas ; le reste n'est pas dépensé. Un ordre LIMIT prend ce que le carnet
//! offre à son prix ou mieux ; ce qu'il laisse ouvert le reste, le carnet ne le rejoint jamais.

use std::ops::RangeInclusive;

use rust_decimal::Decimal;

use super::order::{Asked, OrderSide, TimeInForce};
use super::refusal::Refusal;
use crate::sim::market::{Level, Listing, NotionalFilter, PERCENT_PRICE, Symbol, floor_to};

const SHORT_OF_BOOK: &str = "INSUFFICIENT_LIQUIDITY";
const OUT_OF_RANGE: &str = "EXECUTION_RULE_PRICE_RANGE_EXCEEDED";

#[derive(Debug)]
pub(super) struct Match {
    pub(super) quantity: Decimal,
    pub(super) fills: Vec<Level>,
    pub(super) expiry_reason: Option<&'static str>,
    /// Ce que l'ordre entier engage, dans l'actif payé.
    pub(super) needed: Decimal,
    /// Le montant que les filtres ont mesuré.
    pub(super) notional: Decimal,
}

pub(super) fn match_order(symbol: &Symbol, side: OrderSide, asked: Asked) -> Result<Match, Refusal> {
    let levels = match side {
        OrderSide::Buy => &symbol.book.asks,
        OrderSide::Sell => &symbol.book.bids,
    };
    match asked {
        Asked::Quantity(quantity) => match_market(symbol, side, levels, quantity),
        Asked::Amount(amount) => {
            let (quantity, short_of_book) = derive_quantity(&symbol.listing, levels, amount)?;
            let mut found = match_market(symbol, side, levels, quantity)?;
            if short_of_book {
                found.expiry_reason.get_or_insert(SHORT_OF_BOOK);
            }
            if side == OrderSide::Buy {
                found.needed = amount;
            }
            Ok(found)
        }
        Asked::Limit { price, quantity, time_in_force } => {
            let within = |level: &&Level| match side {
                OrderSide::Buy => level.price <= price,
                OrderSide::Sell => level.price >= price,
            };
            let levels: Vec<Level> = levels.iter().take_while(within).copied().collect();
            match_limit(symbol, side, &levels, price, quantity, time_in_force)
        }
    }
}

fn match_market(
    symbol: &Symbol,
    side: OrderSide,
    levels: &[Level],
    quantity: Decimal,
) -> Result<Match, Refusal> {
    let listing = &symbol.listing;
    check_lot(listing, quantity)?;
    check_market_lot(listing, quantity)?;
    let notional = quantity * symbol.filter_price();
    let applies = [listing.min_notional_applies_to_market, listing.max_notional_applies_to_market];
    check_notional(listing, notional, applies)?;
    let (fills, stopped_by_range) = walk(levels, quantity, price_range(listing));
    let executed: Decimal = fills.iter().map(|fill| fill.quantity).sum();
    let expiry_reason = match (executed < quantity, stopped_by_range) {
        (false, _) => None,
        (true, true) => Some(OUT_OF_RANGE),
        (true, false) => Some(SHORT_OF_BOOK),
    };
    let needed = match side {
        OrderSide::Sell => quantity,
        OrderSide::Buy => {
            let worst = levels.last().map_or(symbol.mid, |level| level.price);
            fills.iter().map(|fill| fill.quote()).sum::<Decimal>() + (quantity - executed) * worst
        }
    };
    Ok(Match { quantity, fills, expiry_reason, needed, notional })
}

/// `levels` : ceux du carnet que le prix limite atteint.
fn match_limit(
    symbol: &Symbol,
    side: OrderSide,
    levels: &[Level],
    price: Decimal,
    quantity: Decimal,
    time_in_force: TimeInForce,
) -> Result<Match, Refusal> {
    let listing = &symbol.listing;
    check_price(symbol, price)?;
    check_lot(listing, quantity)?;
    let notional = price * quantity;
    check_notional(listing, notional, [true, true])?;
    let (mut fills, stopped_by_range) = walk(levels, quantity, price_range(listing));
    let executed: Decimal = fills.iter().map(|fill| fill.quantity).sum();
    let expiry_reason = match time_in_force {
        _ if executed == quantity => None,
        TimeInForce::Fok => {
            fills.clear();
            Some("UNFILLED_FOK_ORDER_EXPIRED")
        }
        _ if stopped_by_range => Some(OUT_OF_RANGE),
        TimeInForce::Ioc => Some("UNFILLED_IOC_QUANTITY_EXPIRED"),
        TimeInForce::Gtc => None,
    };
    let needed = match side {
        OrderSide::Buy => notional,
        OrderSide::Sell => quantity,
    };
    Ok(Match { quantity, fills, expiry_reason, needed, notional })
}

/// La quantité que `amount` paie dans le carnet, au pas inférieur ; vrai si le carnet s'épuise avant le montant.
fn derive_quantity(listing: &Listing, levels: &[Level], amount: Decimal) -> Result<(Decimal, bool), Refusal> {
    let liquidity: Decimal = levels.iter().map(|level| level.quantity).sum();
    for (filter, minimum) in
        [("LOT_SIZE", listing.min_quantity), ("MARKET_LOT_SIZE", listing.market_min_quantity)]
    {
        if liquidity < minimum || liquidity.is_zero() {
            let text = format!("Order book liquidity is less than {filter} filter minimum quantity.");
            return Err(Refusal::engine(&text));
        }
    }
    let (mut left, mut quantity) = (amount, Decimal::ZERO);
    for level in levels {
        let taken = level.quantity.min(left / level.price);
        quantity += taken;
        left -= if taken < level.quantity { left } else { taken * level.price };
    }
    let step = listing.step_size.max(listing.market_step_size);
    let quantity = floor_to(quantity, step);
    if amount > Decimal::ZERO && quantity < listing.min_quantity {
        return Err(Refusal::filter("LOT_SIZE"));
    }
    Ok((quantity, left > Decimal::ZERO))
}

fn check_price(symbol: &Symbol, price: Decimal) -> Result<(), Refusal> {
    if price.is_zero() {
        return Err(Refusal::new(-1013, "Invalid price."));
    }
    let tick = symbol.listing.tick_size;
    if price < tick || price > symbol.max_price() || floor_to(price, tick) != price {
        return Err(Refusal::filter("PRICE_FILTER"));
    }
    let [up, down] = PERCENT_PRICE;
    if price > symbol.filter_price() * up || price < symbol.filter_price() * down {
        return Err(Refusal::filter("PERCENT_PRICE_BY_SIDE"));
    }
    Ok(())
}

fn check_lot(listing: &Listing, quantity: Decimal) -> Result<(), Refusal> {
    if quantity.is_zero() {
        return Err(Refusal::new(-1013, "Invalid quantity."));
    }
    let bounds = [listing.min_quantity, listing.max_quantity, listing.step_size];
    check_bounds("LOT_SIZE", quantity, bounds)
}

fn check_market_lot(listing: &Listing, quantity: Decimal) -> Result<(), Refusal> {
    let bounds = [listing.market_min_quantity, listing.market_max_quantity, listing.market_step_size];
    check_bounds("MARKET_LOT_SIZE", quantity, bounds)
}

fn check_bounds(
    filter: &str,
    quantity: Decimal,
    [minimum, maximum, step]: [Decimal; 3],
) -> Result<(), Refusal> {
    let too_much = !maximum.is_zero() && quantity > maximum;
    if quantity < minimum || too_much || floor_to(quantity, step) != quantity {
        return Err(Refusal::filter(filter));
    }
    Ok(())
}

/// Si le minimum, puis le maximum, regardent cet ordre.
fn check_notional(listing: &Listing, notional: Decimal, applies: [bool; 2]) -> Result<(), Refusal> {
    let [min_applies, max_applies] = applies;
    let (name, has_maximum) = match listing.notional_filter {
        NotionalFilter::Notional => ("NOTIONAL", true),
        NotionalFilter::MinNotional => ("MIN_NOTIONAL", false),
    };
    let too_small = min_applies && notional < listing.min_notional;
    let too_big = max_applies && has_maximum && notional > listing.max_notional;
    if too_small || too_big { Err(Refusal::filter(name)) } else { Ok(()) }
}

/// Les prix que la règle d'écart permet, quand la paire a un prix de référence.
fn price_range(listing: &Listing) -> Option<RangeInclusive<Decimal>> {
    let (reference, range) = (listing.reference_price?, listing.price_range?);
    Some(reference * (Decimal::ONE - range)..=reference * (Decimal::ONE + range))
}

/// Une exécution par niveau traversé ; vrai si l'écart permis a arrêté la marche.
fn walk(levels: &[Level], quantity: Decimal, range: Option<RangeInclusive<Decimal>>) -> (Vec<Level>, bool) {
    let mut left = quantity;
    let mut fills = Vec::new();
    for level in levels {
        if left.is_zero() {
            break;
        }
        if range.as_ref().is_some_and(|range| !range.contains(&level.price)) {
            return (fills, true);
        }
        let taken = level.quantity.min(left);
        fills.push(Level { price: level.price, quantity: taken });
        left -= taken;
    }
    (fills, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::market::{Book, Market};

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn level(price: &str, quantity: &str) -> Level {
        Level { price: decimal(price), quantity: decimal(quantity) }
    }

    /// BTCUSDC à 100, trois niveaux de chaque côté.
    fn with_symbol<T>(edit: impl FnOnce(&mut Listing), check: impl FnOnce(&Symbol) -> T) -> T {
        let mut market = Market::new(1);
        let (symbol, dice) = market.find_mut("BTCUSDC").unwrap();
        symbol.set_price(decimal("100"), dice);
        symbol.set_book(Book {
            asks: vec![level("100.01", "0.1"), level("101", "0.2"), level("110", "0.3")],
            bids: vec![level("99.99", "0.1"), level("99", "0.2"), level("90", "0.3")],
        });
        edit(&mut symbol.listing);
        check(symbol)
    }

    fn code(asked: Asked, edit: impl FnOnce(&mut Listing)) -> Option<(i64, String)> {
        with_symbol(edit, |symbol| {
            match_order(symbol, OrderSide::Buy, asked).err().map(|no| (no.code, no.text))
        })
    }

    #[test]
    fn an_order_takes_one_fill_per_level() {
        with_symbol(
            |_| (),
            |symbol| {
                let found = match_order(symbol, OrderSide::Buy, Asked::Quantity(decimal("0.25"))).unwrap();
                assert_eq!(found.fills, [level("100.01", "0.1"), level("101", "0.15")]);
                assert_eq!((found.expiry_reason, found.needed), (None, decimal("25.151")));
            },
        );
    }

    #[test]
    fn an_amount_buys_the_steps_it_covers_and_leaves_the_rest() {
        with_symbol(
            |_| (),
            |symbol| {
                let found = match_order(symbol, OrderSide::Buy, Asked::Amount(decimal("20"))).unwrap();
                // 10,001 au premier niveau, puis 9,999 / 101 = 0,0990.
                assert_eq!(found.quantity, decimal("0.199"));
                assert_eq!((found.expiry_reason, found.needed), (None, decimal("20")));
            },
        );
    }

    #[test]
    fn an_exhausted_book_or_range_ends_the_order_early() {
        let cases = [
            ("0.7", "100", None, SHORT_OF_BOOK, "0.6"),
            ("0.5", "100", Some("0.05"), OUT_OF_RANGE, "0.3"),
            ("0.5", "100", Some("0.0001"), OUT_OF_RANGE, "0.1"),
            ("0.5", "200", Some("0.05"), OUT_OF_RANGE, "0"),
        ];
        for (quantity, reference, range, reason, executed) in cases {
            let edit = |listing: &mut Listing| {
                listing.reference_price = Some(decimal(reference));
                listing.price_range = range.map(decimal);
            };
            with_symbol(edit, |symbol| {
                let found = match_order(symbol, OrderSide::Buy, Asked::Quantity(decimal(quantity))).unwrap();
                assert_eq!(found.expiry_reason, Some(reason));
                assert_eq!(found.fills.iter().map(|fill| fill.quantity).sum::<Decimal>(), decimal(executed));
            });
        }
    }

    #[test]
    fn filters_refuse_with_their_own_name() {
        let quantity = |text: &str| Asked::Quantity(decimal(text));
        let amount = |text: &str| Asked::Amount(decimal(text));
        let filter = |name: &str| Some((-1013, format!("Filter failure: {name}")));
        assert_eq!(code(quantity("0.1"), |_| ()), None);
        assert_eq!(code(quantity("0.100001"), |_| ()), filter("LOT_SIZE"));
        assert_eq!(code(quantity("9001"), |_| ()), filter("LOT_SIZE"));
        assert_eq!(code(quantity("200"), |_| ()), filter("MARKET_LOT_SIZE"));
        assert_eq!(
            code(quantity("0.1"), |l| l.market_step_size = decimal("0.03")),
            filter("MARKET_LOT_SIZE")
        );
        assert_eq!(code(quantity("0.049"), |_| ()), filter("NOTIONAL"));
        assert_eq!(
            code(quantity("0.049"), |l| l.notional_filter = NotionalFilter::MinNotional),
            filter("MIN_NOTIONAL")
        );
        assert_eq!(code(quantity("0.049"), |l| l.min_notional_applies_to_market = false), None);
        assert_eq!(code(quantity("0.1"), |l| l.reference_price = Some(decimal("49"))), filter("NOTIONAL"));
        assert_eq!(code(amount("0.0001"), |_| ()), filter("LOT_SIZE"));
        assert_eq!(code(amount("4.99"), |_| ()), filter("NOTIONAL"));
        assert_eq!(code(quantity("0"), |_| ()), Some((-1013, "Invalid quantity.".to_owned())));
    }

    fn limit(price: &str, quantity: &str, time_in_force: TimeInForce) -> Asked {
        Asked::Limit { price: decimal(price), quantity: decimal(quantity), time_in_force }
    }

    #[test]
    fn a_limit_order_takes_what_its_price_reaches() {
        let (gtc, ioc, fok) = (TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok);
        let cases = [
            ("99", "0.25", gtc, "0", None),
            ("101", "0.25", gtc, "0.25", None),
            ("101", "0.5", gtc, "0.3", None),
            ("101", "0.5", ioc, "0.3", Some("UNFILLED_IOC_QUANTITY_EXPIRED")),
            ("101", "0.5", fok, "0", Some("UNFILLED_FOK_ORDER_EXPIRED")),
            ("101", "0.3", fok, "0.3", None),
        ];
        for (price, quantity, time_in_force, executed, reason) in cases {
            with_symbol(
                |_| (),
                |symbol| {
                    let asked = limit(price, quantity, time_in_force);
                    let found = match_order(symbol, OrderSide::Buy, asked).unwrap();
                    assert_eq!(found.expiry_reason, reason, "{asked:?}");
                    let filled: Decimal = found.fills.iter().map(|fill| fill.quantity).sum();
                    assert_eq!(filled, decimal(executed), "{asked:?}");
                    assert_eq!(found.needed, decimal(price) * decimal(quantity), "{asked:?}");
                },
            );
        }
        with_symbol(
            |_| (),
            |symbol| {
                let found = match_order(symbol, OrderSide::Sell, limit("99", "0.5", gtc)).unwrap();
                assert_eq!(found.fills, [level("99.99", "0.1"), level("99", "0.2")]);
                assert_eq!(found.needed, decimal("0.5"));
            },
        );
        let bounded = |listing: &mut Listing| {
            listing.reference_price = Some(decimal("100"));
            listing.price_range = Some(decimal("0.0001"));
        };
        with_symbol(bounded, |symbol| {
            let found = match_order(symbol, OrderSide::Buy, limit("101", "0.3", gtc)).unwrap();
            assert_eq!((found.fills.len(), found.expiry_reason), (1, Some(OUT_OF_RANGE)));
        });
    }

    #[test]
    fn a_limit_price_has_filters_of_its_own() {
        let refused = |price: &str, quantity: &str| code(limit(price, quantity, TimeInForce::Gtc), |_| ());
        let filter = |name: &str| Some((-1013, format!("Filter failure: {name}")));
        assert_eq!(refused("100", "0.05"), None);
        assert_eq!(refused("0", "0.05"), Some((-1013, "Invalid price.".to_owned())));
        assert_eq!(refused("100.001", "0.05"), filter("PRICE_FILTER"));
        assert_eq!(refused("5000000", "0.05"), filter("PRICE_FILTER"));
        assert_eq!(refused("500.01", "0.05"), filter("PERCENT_PRICE_BY_SIDE"));
        assert_eq!(refused("19.99", "0.5"), filter("PERCENT_PRICE_BY_SIDE"));
        assert_eq!(refused("99.99", "0.05"), filter("NOTIONAL"));
        assert_eq!(refused("100", "0"), Some((-1013, "Invalid quantity.".to_owned())));
        assert_eq!(refused("100", "200"), None, "the market lot is for orders at the market");
        assert_eq!(refused("100", "9001"), filter("LOT_SIZE"));
    }
}
