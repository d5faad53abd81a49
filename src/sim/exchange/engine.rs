//! Le moteur : filtres, quantité d'un ordre au montant, marche dans le carnet.
//!
//! Calcule sans rien changer : [`Match`] dit ce qui serait exécuté, ou le refus. Le montant minimal se mesure au
//! prix de référence ou moyen, jamais au bid ni à l'ask (fiche 3.1). Un achat ou une vente au montant est arrondi
//! vers le bas au pas ; le reste n'est pas dépensé.

use rust_decimal::Decimal;

use super::order::{Asked, OrderSide};
use super::refusal::Refusal;
use crate::sim::market::{Level, Listing, NotionalFilter, Symbol, floor_to};

pub(super) struct Match {
    pub(super) quantity: Decimal,
    pub(super) fills: Vec<Level>,
    pub(super) expiry_reason: Option<&'static str>,
    /// Ce que l'ordre entier engage, dans l'actif payé.
    pub(super) needed: Decimal,
}

pub(super) fn match_market(symbol: &Symbol, side: OrderSide, asked: Asked) -> Result<Match, Refusal> {
    let listing = &symbol.listing;
    let levels = match side {
        OrderSide::Buy => &symbol.book.asks,
        OrderSide::Sell => &symbol.book.bids,
    };
    let (quantity, short_of_book) = match asked {
        Asked::Quantity(quantity) | Asked::Resting { quantity, .. } => (quantity, false),
        Asked::Amount(amount) => derive_quantity(listing, levels, amount)?,
    };
    if quantity.is_zero() {
        return Err(Refusal::new(-1013, "Invalid quantity."));
    }
    check_lot(listing, quantity)?;
    check_notional(listing, quantity * symbol.notional_price())?;
    let (fills, stopped_by_range) = walk(levels, quantity, side, price_bound(listing, side));
    let executed: Decimal = fills.iter().map(|fill| fill.quantity).sum();
    let expiry_reason = match (executed < quantity || short_of_book, stopped_by_range) {
        (false, _) => None,
        (true, true) => Some("EXECUTION_RULE_PRICE_RANGE_EXCEEDED"),
        (true, false) => Some("INSUFFICIENT_LIQUIDITY"),
    };
    let needed = match (side, asked) {
        (OrderSide::Sell, _) => quantity,
        (OrderSide::Buy, Asked::Amount(amount)) => amount,
        (OrderSide::Buy, _) => {
            let worst = levels.last().map_or(symbol.mid, |level| level.price);
            fills.iter().map(|fill| fill.price * fill.quantity).sum::<Decimal>()
                + (quantity - executed) * worst
        }
    };
    Ok(Match { quantity, fills, expiry_reason, needed })
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

fn check_lot(listing: &Listing, quantity: Decimal) -> Result<(), Refusal> {
    let lots = [
        ("LOT_SIZE", listing.min_quantity, listing.max_quantity, listing.step_size),
        (
            "MARKET_LOT_SIZE",
            listing.market_min_quantity,
            listing.market_max_quantity,
            listing.market_step_size,
        ),
    ];
    for (filter, minimum, maximum, step) in lots {
        let off_step = !step.is_zero() && !(quantity % step).is_zero();
        let too_much = !maximum.is_zero() && quantity > maximum;
        if quantity < minimum || too_much || off_step {
            return Err(Refusal::filter(filter));
        }
    }
    Ok(())
}

fn check_notional(listing: &Listing, notional: Decimal) -> Result<(), Refusal> {
    let name = match listing.notional_filter {
        NotionalFilter::Notional => "NOTIONAL",
        NotionalFilter::MinNotional => "MIN_NOTIONAL",
    };
    let too_small = listing.min_notional_applies_to_market && notional < listing.min_notional;
    let too_big = listing.notional_filter == NotionalFilter::Notional
        && listing.max_notional_applies_to_market
        && notional > listing.max_notional;
    if too_small || too_big { Err(Refusal::filter(name)) } else { Ok(()) }
}

/// Le pire prix que la règle d'écart permet, quand la paire a un prix de référence.
fn price_bound(listing: &Listing, side: OrderSide) -> Option<Decimal> {
    let (reference, range) = (listing.reference_price?, listing.price_range?);
    match side {
        OrderSide::Buy => Some(reference * (Decimal::ONE + range)),
        OrderSide::Sell => Some(reference * (Decimal::ONE - range)),
    }
}

/// Une exécution par niveau traversé ; vrai si l'écart permis a arrêté la marche.
fn walk(levels: &[Level], quantity: Decimal, side: OrderSide, bound: Option<Decimal>) -> (Vec<Level>, bool) {
    let mut left = quantity;
    let mut fills = Vec::new();
    for level in levels {
        let beyond = bound.is_some_and(|bound| match side {
            OrderSide::Buy => level.price > bound,
            OrderSide::Sell => level.price < bound,
        });
        if left.is_zero() || beyond {
            return (fills, beyond && !left.is_zero());
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
            match_market(symbol, OrderSide::Buy, asked).err().map(|no| (no.code, no.text))
        })
    }

    #[test]
    fn an_order_takes_one_fill_per_level() {
        with_symbol(
            |_| (),
            |symbol| {
                let found = match_market(symbol, OrderSide::Buy, Asked::Quantity(decimal("0.25"))).unwrap();
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
                let found = match_market(symbol, OrderSide::Buy, Asked::Amount(decimal("20"))).unwrap();
                // 10,001 au premier niveau, puis 9,999 / 101 = 0,0990.
                assert_eq!(found.quantity, decimal("0.199"));
                assert_eq!((found.expiry_reason, found.needed), (None, decimal("20")));
            },
        );
    }

    #[test]
    fn an_exhausted_book_or_range_ends_the_order_early() {
        let cases = [
            ("0.7", None, "INSUFFICIENT_LIQUIDITY", "0.6"),
            ("0.5", Some("0.05"), "EXECUTION_RULE_PRICE_RANGE_EXCEEDED", "0.3"),
            ("0.5", Some("0.0001"), "EXECUTION_RULE_PRICE_RANGE_EXCEEDED", "0.1"),
        ];
        for (quantity, range, reason, executed) in cases {
            let edit = |listing: &mut Listing| {
                listing.reference_price = Some(decimal("100"));
                listing.price_range = range.map(decimal);
            };
            with_symbol(edit, |symbol| {
                let found = match_market(symbol, OrderSide::Buy, Asked::Quantity(decimal(quantity))).unwrap();
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
}
