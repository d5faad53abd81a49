//! Les prix d'autrefois : des vagues qui finissent, aujourd'hui, aux prix dont part le monde simulé.
//!
//! Rien n'est tiré au sort : le même jour a toujours les mêmes prix.

use calvalot::domain::market::{Coin, Market, Pair, Pairs, PerCoin, Quote, Rules};
use calvalot::domain::moment::Moment;
use calvalot::domain::money::{Price, Quantity, Rate, Usdc};
use rust_decimal::Decimal;
use rust_decimal::dec;

/// Amplitude et jours d'une vague.
const WAVES: [(f64, f64); 4] = [(0.16, 190.0), (0.06, 41.0), (0.025, 6.3), (0.008, 0.7)];

/// Le marché entier, `days` jours avant la fin.
pub fn market(days: f64, at: Moment) -> Market {
    let quotes = PerCoin::from_fn(|coin| {
        let mid = start(coin) * wave(days, coin as usize as f64);
        let half = tick(coin);
        Quote::new(Price::new(mid - half), Price::new(mid + half)).expect("a price far from zero")
    });
    let rules = PerCoin::from_fn(|coin| Rules {
        halted: None,
        step: Quantity::new(step(coin)),
        min_quantity: Quantity::new(step(coin)),
        max_quantity: Quantity::new(dec!(9000)),
        min_notional: Usdc::new(dec!(5)),
        max_notional: Some(Usdc::new(dec!(9_000_000))),
        tick: None,
        market: true,
    });
    let pairs = Pairs::all(|coin| Pair { quote: quotes[coin], rules: rules[coin].clone() });
    Market { pairs, rate: Rate::new(dec!(1.0823)), read_at: at }
}

/// Par combien le prix d'aujourd'hui est à multiplier.
fn wave(days: f64, shift: f64) -> Decimal {
    let swing: f64 = WAVES
        .iter()
        .map(|(height, length)| {
            let angle = |days: f64| days / length * std::f64::consts::TAU + shift * 1.7;
            height * (angle(days).sin() - angle(0.0).sin())
        })
        .sum();
    // Assez de décimales pour une vague, assez peu pour un prix.
    Decimal::new(((1.0 + swing).clamp(0.3, 3.0) * 1e6) as i64, 6)
}

fn start(coin: Coin) -> Decimal {
    match coin {
        Coin::Btc => dec!(68012.34),
        Coin::Eth => dec!(2451.70),
        Coin::Bnb => dec!(641.20),
        Coin::Sol => dec!(152.36),
        Coin::Xrp => dec!(2.1374),
    }
}

fn tick(coin: Coin) -> Decimal {
    if coin == Coin::Xrp { dec!(0.0001) } else { dec!(0.01) }
}

fn step(coin: Coin) -> Decimal {
    match coin {
        Coin::Btc => dec!(0.00001),
        Coin::Eth => dec!(0.0001),
        Coin::Bnb | Coin::Sol => dec!(0.001),
        Coin::Xrp => dec!(0.1),
    }
}
