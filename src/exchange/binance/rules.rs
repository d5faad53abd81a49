//! Les règles d'une paire, réunies de ses filtres pour un ordre au marché ou à un prix limite.
//!
//! Un zéro dans un filtre veut dire que cette part du filtre est éteinte ; un drapeau absent compte
//! comme levé. Dans le doute (pas de LOT_SIZE, un nombre illisible) les règles sont inconnues, et
//! rien ne s'achète ni ne se vend.

use rust_decimal::{Decimal, dec};

use super::wire::{Filter, Symbol};
use crate::domain::market::Rules;
use crate::domain::money::{Price, Quantity, Usdc};

/// Quand aucun filtre ne borne la quantité ; au-delà le domaine ne lit plus de nombre.
const UNBOUNDED: Quantity = Quantity::new(dec!(1_000_000_000_000));

/// Les règles de cette paire ; l'erreur dit ce qui manque pour les connaître.
pub fn rules(symbol: &Symbol) -> Result<Rules, String> {
    let lot = named(symbol, "LOT_SIZE").ok_or("the filter LOT_SIZE is missing")?;
    let (mut step, mut min_quantity, mut max_quantity) = (Quantity::ZERO, Quantity::ZERO, UNBOUNDED);
    for filter in [Some(lot), named(symbol, "MARKET_LOT_SIZE")].into_iter().flatten() {
        let one = quantity(filter, "stepSize", &filter.step)?;
        step = common_step(step, one).ok_or("no step fits both lot filters")?;
        min_quantity = min_quantity.max(quantity(filter, "minQty", &filter.min_quantity)?);
        let max = quantity(filter, "maxQty", &filter.max_quantity)?;
        max_quantity = if max.is_zero() { max_quantity } else { max_quantity.min(max) };
    }
    let tick = tick(symbol)?;
    let rules = Rules {
        halted: halted(symbol, tick.is_some()),
        step,
        min_quantity,
        max_quantity,
        min_notional: min_notional(symbol)?,
        max_notional: max_notional(symbol)?,
        tick,
        market: takes(symbol, "MARKET") && symbol.by_amount_allowed,
    };
    if rules.step.is_zero() || rules.min_quantity > rules.max_quantity {
        return Err("the lot filters leave no quantity to trade".to_owned());
    }
    if rules.max_notional.is_some_and(|most| most < rules.min_notional) {
        return Err("the notional filters leave no amount to trade".to_owned());
    }
    Ok(rules)
}

fn named<'a>(symbol: &'a Symbol, kind: &str) -> Option<&'a Filter> {
    symbol.filters.iter().find(|filter| filter.kind == kind)
}

fn takes(symbol: &Symbol, kind: &str) -> bool {
    symbol.order_types.iter().any(|taken| taken == kind)
}

/// Pourquoi rien ne s'y échange. `limited` : un ordre à un prix limite y remplacera celui au marché qu'elle ne prendrait pas.
fn halted(symbol: &Symbol, limited: bool) -> Option<String> {
    if symbol.status != "TRADING" {
        Some(symbol.status.chars().take(40).collect())
    } else if !symbol.spot_allowed {
        Some("no spot trading".to_owned())
    } else if limited {
        None
    } else if !takes(symbol, "MARKET") {
        Some("no market orders".to_owned())
    } else if !symbol.by_amount_allowed {
        Some("no market orders by amount".to_owned())
    } else {
        None
    }
}

/// Sans filtre de prix, un prix limite n'a pas de pas.
fn tick(symbol: &Symbol) -> Result<Option<Price>, String> {
    if !takes(symbol, "LIMIT") {
        return Ok(None);
    }
    let Some(filter) = named(symbol, "PRICE_FILTER") else { return Ok(Some(Price::ZERO)) };
    let tick = filter.tick.as_deref().and_then(|text| Price::parse(text).ok());
    let tick = tick.filter(|tick| *tick >= Price::ZERO);
    tick.map(Some).ok_or_else(|| unreadable(filter, "tickSize", &filter.tick))
}

fn quantity(filter: &Filter, field: &str, text: &Option<String>) -> Result<Quantity, String> {
    let value = text.as_deref().and_then(|text| Quantity::parse(text).ok());
    value.filter(|value| *value >= Quantity::ZERO).ok_or_else(|| unreadable(filter, field, text))
}

fn amount(filter: &Filter, field: &str, text: &Option<String>) -> Result<Usdc, String> {
    let value = text.as_deref().and_then(|text| Usdc::parse(text).ok());
    value.filter(|value| *value >= Usdc::ZERO).ok_or_else(|| unreadable(filter, field, text))
}

fn unreadable(filter: &Filter, field: &str, text: &Option<String>) -> String {
    match text {
        Some(text) => {
            let start: String = text.chars().take(40).collect();
            format!("{field} of the filter {} is {start:?}", filter.kind)
        }
        None => format!("{field} of the filter {} is missing", filter.kind),
    }
}

/// NOTIONAL ou MIN_NOTIONAL, le plus exigeant des deux s'ils y sont tous deux.
fn min_notional(symbol: &Symbol) -> Result<Usdc, String> {
    let notional = named(symbol, "NOTIONAL").filter(|filter| filter.min_applies.unwrap_or(true));
    let older = named(symbol, "MIN_NOTIONAL").filter(|filter| filter.applies.unwrap_or(true));
    [notional, older].into_iter().flatten().try_fold(Usdc::ZERO, |least, filter| {
        Ok(least.max(amount(filter, "minNotional", &filter.min_notional)?))
    })
}

fn max_notional(symbol: &Symbol) -> Result<Option<Usdc>, String> {
    let Some(filter) = named(symbol, "NOTIONAL").filter(|filter| filter.max_applies.unwrap_or(true)) else {
        return Ok(None);
    };
    if filter.max_notional.is_none() {
        return Ok(None);
    }
    Ok(Some(amount(filter, "maxNotional", &filter.max_notional)?).filter(|most| !most.is_zero()))
}

/// Le plus petit pas multiple des deux ; zéro est un pas éteint. `None` s'il n'est pas représentable.
fn common_step(one: Quantity, two: Quantity) -> Option<Quantity> {
    if one.is_zero() || two.is_zero() {
        return Some(one.max(two));
    }
    let scale = one.decimal().scale().max(two.decimal().scale());
    let units =
        |step: Quantity| step.decimal().mantissa().checked_mul(10_i128.pow(scale - step.decimal().scale()));
    let (one, two) = (units(one)?, units(two)?);
    let multiple = (one / greatest_divisor(one, two)).checked_mul(two)?;
    Decimal::try_from_i128_with_scale(multiple, scale)
        .ok()
        .map(Quantity::new)
        .filter(|step| *step <= UNBOUNDED)
}

fn greatest_divisor(one: i128, two: i128) -> i128 {
    if two == 0 { one } else { greatest_divisor(two, one % two) }
}
