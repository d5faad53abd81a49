//! Jusqu'où un capital permet de suivre le leader : la part suivie au mieux, et le capital qui en suivrait presque tout.
//!
//! Les deux viennent de la recherche qui fait les plans ([`super::approach`]) : la première depuis ce qui est tenu, la seconde
//! depuis du cash seul. Ce qui n'est pas une affaire de capital n'y compte pas : ni une pause de la bourse, ni le plus grand ordre
//! qu'elle prend, ni la borne d'un jour.

use rust_decimal::{Decimal, dec};

use super::approach::approach;
use super::market::{Coin, Market, Pair, Pairs, PerCoin, Rules};
use super::money::{Eur, Quantity, Usdc, Weight};
use super::order::{Order, Size};
use super::portfolio::Holdings;
use super::signal::Target;

/// La part du leader à partir de laquelle il est suivi presque tout entier.
pub const NEARLY_ALL: Weight = Weight::new(dec!(0.99));

/// Plus que ce que l'on en achètera jamais : une borne qui ne borne pas.
const UNBOUNDED: Quantity = Quantity::new(dec!(1_000_000_000));

/// Les capitaux essayés, en EUR, ont deux chiffres et des zéros : de 10 à 99, puis à 990, et ainsi jusqu'à 99 000. Au-delà, ce n'est plus le
/// capital qui manque.
const SCALES: [u32; 4] = [1, 10, 100, 1000];
const DIGITS: std::ops::Range<u32> = 10..100;

/// Combien de capitaux saute chacune des descentes : d'un facteur dix, puis d'un quart environ, puis d'aucun.
const STRIDES: [usize; 3] = [90, 10, 1];

/// Combien de capitaux de plus doivent suffire aussi : sur quelques-uns, les pas de la bourse peuvent tomber juste par chance.
const AHEAD: usize = 10;

/// Ce qu'un capital permet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// Ce qui suit le leader, en EUR.
    pub capital: Eur,
    /// La part du leader qui sera suivie quand tout ce que les règles permettent sera fait, de 0 à 1.
    pub followed: Weight,
    /// Le moindre capital, en EUR à deux chiffres, qui en suivrait [`NEARLY_ALL`] ; `None` si aucun n'y suffit.
    pub enough: Option<Eur>,
}

/// Ce que permet ce qui est tenu ; `None` s'il ne vaut rien, ou si le prix de l'un n'est pas connu. `threshold` est l'écart de part sous
/// lequel un coin n'est pas touché.
pub fn reach(target: &Target, holdings: &Holdings, market: &Market, threshold: Weight) -> Option<Reach> {
    let valuation = holdings.value(market).filter(|valuation| valuation.total.is_positive())?;
    let pairs = unhindered(&market.pairs);
    let suffices = |capital: Eur| {
        let cash = Holdings { cash: capital.to_usdc(market.rate), ..Holdings::default() };
        followed(target, &cash, &pairs, threshold) >= NEARLY_ALL
    };
    Some(Reach {
        capital: valuation.total_eur,
        followed: followed(target, holdings, &pairs, threshold),
        enough: least(suffices),
    })
}

/// Les coins visés dont un capital ne permet rien de tenir.
#[derive(Clone, Debug, PartialEq)]
pub struct Shortfall {
    pub capital: Usdc,
    pub unfollowed: Vec<Coin>,
    /// Vrai s'il n'en permet aucun.
    pub nothing: bool,
    /// Le moindre capital, en EUR à deux chiffres, qui les permettrait tous ; `None` si aucun n'y suffit.
    pub enough: Option<Eur>,
}

/// Ce que le meilleur des plans laisse en cash, faute de capital ; `None` comme pour [`reach`]. Une part sous le seuil n'est pas affaire de
/// capital.
pub fn shortfall(
    target: &Target,
    holdings: &Holdings,
    market: &Market,
    threshold: Weight,
) -> Option<Shortfall> {
    let valuation = holdings.value(market).filter(|valuation| valuation.total.is_positive())?;
    let pairs = unhindered(&market.pairs);
    let aimed = |coin: &Coin| target.weight(*coin) > threshold;
    let unfollowed = |holdings: &Holdings| -> Vec<Coin> {
        let plan = approach(target, holdings, &pairs, threshold);
        let is_held = |coin: &Coin| {
            let sold = plan.sales.iter().find(|order| order.coin() == *coin).map(Order::size);
            let owned = holdings.positions[*coin].quantity;
            !owned.is_zero() && sold != Some(Size::Sell(owned))
        };
        let is_bought = |coin: &Coin| plan.wants.iter().any(|want| want.coin == *coin);
        Coin::ALL.into_iter().filter(aimed).filter(|coin| !is_held(coin) && !is_bought(coin)).collect()
    };
    let missing = unfollowed(holdings);
    let suffices = |capital: Eur| {
        let cash = Holdings { cash: capital.to_usdc(market.rate), ..Holdings::default() };
        unfollowed(&cash).is_empty()
    };
    Some(Shortfall {
        capital: valuation.total,
        nothing: !missing.is_empty() && missing.len() == Coin::ALL.iter().filter(|coin| aimed(coin)).count(),
        enough: if missing.is_empty() { None } else { least(suffices) },
        unfollowed: missing,
    })
}

/// La part de la cible que laisse suivre le meilleur des plans.
fn followed(target: &Target, holdings: &Holdings, pairs: &Pairs, threshold: Weight) -> Weight {
    let drift = approach(target, holdings, pairs, threshold).drift;
    (Weight::new(Decimal::ONE) - drift).max(Weight::ZERO)
}

/// Les mêmes paires, sans pause ni plus grand ordre.
fn unhindered(pairs: &Pairs) -> Pairs {
    Pairs::new(PerCoin::from_fn(|coin| {
        let Pair { quote, rules } = pairs.get(coin)?.clone();
        let rules = Rules { halted: None, max_quantity: UNBOUNDED, max_notional: None, ..rules };
        Some(Pair { quote, rules })
    }))
}

/// Le moindre des capitaux tel que de plus grands suffisent aussi, dont les [`AHEAD`] suivants ; `None` si le plus grand n'y suffit pas. D'en haut,
/// et de plus en plus fin, puis vers le haut tant que l'un de ceux qui suivent ne suffit pas.
fn least(suffices: impl Fn(Eur) -> bool) -> Option<Eur> {
    let capitals: Vec<Eur> = SCALES
        .iter()
        .flat_map(|scale| DIGITS.map(move |digits| Eur::new(Decimal::from(digits * scale))))
        .collect();
    let mut known = vec![None; capitals.len()];
    let mut suffices = |rank: usize| *known[rank].get_or_insert_with(|| suffices(capitals[rank]));
    let largest = capitals.len() - 1;
    let mut rank = largest;
    if !suffices(rank) {
        return None;
    }
    for stride in STRIDES {
        while rank > 0 && suffices(rank.saturating_sub(stride)) {
            rank = rank.saturating_sub(stride);
        }
    }
    while let Some(short) = (rank..=largest.min(rank + AHEAD)).rev().find(|&rank| !suffices(rank)) {
        rank = short + 1;
    }
    Some(capitals[rank])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::market::Quote;
    use crate::domain::moment::Moment;
    use crate::domain::money::{Price, Rate};
    use crate::domain::portfolio::Position;

    const THRESHOLD: Weight = Weight::new(dec!(0.005));

    fn rules() -> Rules {
        Rules {
            halted: None,
            step: Quantity::new(dec!(0.0001)),
            min_quantity: Quantity::new(dec!(0.0001)),
            max_quantity: Quantity::new(dec!(9000)),
            min_notional: Usdc::new(dec!(5)),
            max_notional: None,
            tick: None,
            market: true,
        }
    }

    /// Chaque coin à 100 USDC, de ces règles ; ceux qui ne sont pas connus manquent.
    fn market(rules: impl Fn(Coin) -> Option<Rules>) -> Market {
        let price = Price::new(dec!(100));
        let quote = Quote::new(price, price).expect("a price");
        let pairs = PerCoin::from_fn(|coin| Some(Pair { quote, rules: rules(coin)? }));
        Market { pairs: Pairs::new(pairs), rate: Rate::new(dec!(1)), read_at: Moment(0) }
    }

    fn open() -> Market {
        market(|_| Some(rules()))
    }

    fn target(weights: [Decimal; 5]) -> Target {
        Target::new(PerCoin::from_fn(|coin| Weight::new(weights[coin as usize]))).expect("parts of a whole")
    }

    fn cash(usdc: Decimal) -> Holdings {
        Holdings { cash: Usdc::new(usdc), ..Holdings::default() }
    }

    fn found(target: &Target, holdings: &Holdings, market: &Market) -> Reach {
        reach(target, holdings, market, THRESHOLD).expect("it is worth something")
    }

    #[test]
    fn a_small_share_of_the_leader_asks_for_more_capital() {
        // 4 % sous un minimum de 5,17 : de 60 USDC, 2,40 ; il en faut presque 130, moins ce que 1 % d'écart laisse.
        let target = target([dec!(0.96), dec!(0.04), dec!(0), dec!(0), dec!(0)]);
        let reach = found(&target, &cash(dec!(60)), &open());
        assert_eq!(reach.capital, Eur::new(dec!(60)));
        assert!((dec!(0.955)..dec!(0.965)).contains(&reach.followed.decimal()), "{reach:?}");
        let enough = reach.enough.expect("some capital is enough").decimal();
        assert!((dec!(100)..=dec!(130)).contains(&enough), "{reach:?}");
    }

    #[test]
    fn what_is_below_the_threshold_is_not_a_matter_of_capital() {
        let target = target([dec!(0.004); 5]);
        let reach = found(&target, &cash(dec!(60)), &open());
        assert_eq!((reach.enough, reach.followed), (None, Weight::new(dec!(0.98))));
    }

    #[test]
    fn neither_a_halt_nor_the_largest_order_is_a_matter_of_capital() {
        let target = target([dec!(0.5), dec!(0), dec!(0), dec!(0.5), dec!(0)]);
        let halted = |coin| Rules {
            halted: (coin == Coin::Sol).then(|| "BREAK".to_owned()),
            max_quantity: Quantity::new(dec!(0.06)),
            max_notional: Some(Usdc::new(dec!(6))),
            ..rules()
        };
        let reach = found(&target, &cash(dec!(60)), &market(|coin| Some(halted(coin))));
        // Deux fois le minimum de 5,17, et un pas.
        assert_eq!(reach, found(&target, &cash(dec!(60)), &open()));
        assert_eq!(reach.enough, Some(Eur::new(dec!(11))), "{reach:?}");
        assert!(reach.followed > NEARLY_ALL, "{reach:?}");
    }

    #[test]
    fn of_a_leader_all_in_cash_everything_is_followed_but_what_cannot_be_sold() {
        let target = target([Decimal::ZERO; 5]);
        let reach = found(&target, &cash(dec!(60)), &open());
        assert_eq!((reach.followed, reach.enough), (Weight::new(Decimal::ONE), Some(Eur::new(dec!(10)))));
        let mut holdings = cash(dec!(57));
        holdings.positions[Coin::Bnb] =
            Position { quantity: Quantity::new(dec!(0.03)), invested: Usdc::new(dec!(3)) };
        assert_eq!(found(&target, &holdings, &open()).followed, Weight::new(dec!(0.95)));
    }

    #[test]
    fn a_coin_neither_held_nor_aimed_at_needs_not_be_known_and_one_that_is_held_does() {
        let target = target([dec!(0.5), dec!(0.5), dec!(0), dec!(0), dec!(0)]);
        let partial = market(|coin| (coin != Coin::Xrp).then(rules));
        assert_eq!(found(&target, &cash(dec!(60)), &partial), found(&target, &cash(dec!(60)), &open()));
        let mut holdings = cash(dec!(60));
        holdings.positions[Coin::Xrp].quantity = Quantity::new(dec!(1));
        assert_eq!(reach(&target, &holdings, &partial, THRESHOLD), None);
    }

    /// Ce qui est tenu et ne se rachèterait pas est suivi tout de même.
    #[test]
    fn what_is_held_counts_even_below_the_minimum_and_nothing_is_no_capital() {
        let target = target([dec!(0.96), dec!(0.04), dec!(0), dec!(0), dec!(0)]);
        let held =
            |usdc: Decimal| Position { quantity: Quantity::new(usdc / dec!(100)), invested: Usdc::new(usdc) };
        let mut holdings = Holdings::default();
        (holdings.positions[Coin::Bnb], holdings.positions[Coin::Btc]) = (held(dec!(57.6)), held(dec!(2.4)));
        assert_eq!(found(&target, &holdings, &open()).followed, Weight::new(Decimal::ONE));
        for nothing in [Holdings::default(), cash(dec!(-5))] {
            assert_eq!(reach(&target, &nothing, &open(), THRESHOLD), None);
        }
    }

    #[test]
    fn the_least_capital_is_never_one_below_a_larger_one_that_does_not_suffice() {
        let check = |suffices: fn(u32) -> bool, expected: Option<u32>| {
            let euros = |capital: Eur| u32::try_from(capital.decimal()).expect("whole euros");
            assert_eq!(least(|capital| suffices(euros(capital))).map(euros), expected);
        };
        check(|_| true, Some(10));
        check(|_| false, None);
        check(|euros| euros >= 140, Some(140));
        check(|euros| euros >= 141, Some(150));
        check(|euros| euros >= 99, Some(99));
        check(|euros| euros >= 100, Some(100));
        check(|euros| euros >= 11, Some(11));
        check(|euros| euros >= 99_000, Some(99_000));
        check(|euros| euros > 99_000, None);
        check(|euros| euros >= 140 || euros == 60, Some(140));
        check(|euros| euros >= 140 && euros != 150, Some(160));
        // Entre deux de la descente du milieu, qui ne l'essaie pas.
        check(|euros| euros >= 28 && euros != 30, Some(31));
        check(|euros| euros >= 28 && euros != 30 && euros != 38, Some(39));
        check(|euros| euros >= 89_000 && euros != 98_000, Some(99_000));
    }
}
