//! Ce que l'on vise : l'allocation du leader, du moment où il la dit jusqu'à ce qu'elle soit atteinte, puis de nouveau si l'on s'en
//! écarte.

use rust_decimal::{Decimal, dec};

use super::allocation::Allocation;
use super::market::{Coin, Pairs, PerCoin, Rules};
use super::moment::Moment;
use super::money::{Usdc, Weight};
use super::portfolio::Valuation;
use super::signal::Target;

/// Ce que s'approcher peut coûter, en part de ce qui s'échange : au-delà, un carnet si large ne vaut pas l'écart qu'il corrige.
const MOST_COST: Decimal = dec!(0.01);

/// Pourquoi une allocation est visée.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Le leader vient de la dire.
    Signal,
    /// De l'argent ou un coin est venu ou parti.
    Money,
    /// Les prix en ont écarté.
    Drift,
}

impl Cause {
    /// Le mot du grand livre, de l'API et du journal.
    pub fn word(self) -> &'static str {
        match self {
            Cause::Signal => "signal",
            Cause::Money => "money",
            Cause::Drift => "drift",
        }
    }

    pub fn from_word(word: &str) -> Option<Cause> {
        [Cause::Signal, Cause::Money, Cause::Drift].into_iter().find(|cause| cause.word() == word)
    }
}

/// Où l'on en est de l'allocation d'un signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Aim {
    pub signal: i64,
    pub cause: Cause,
    /// Depuis quand elle reste à atteindre, ou l'est restée.
    pub since: Moment,
    /// `None` tant qu'elle reste à atteindre.
    pub reached_at: Option<Moment>,
    /// Le dernier mouvement dont elle tient compte.
    pub movement: i64,
    pub waiting_for: Option<String>,
    /// Les coins où l'allocation va contre ses propres actions, qui l'emportent ; `None` tant qu'elle n'a pas été regardée.
    pub contradicted: Option<PerCoin<bool>>,
    /// Les règles qui ont laissé des coins loin d'elle quand elle a été atteinte ; `None` si aucun ne l'était.
    pub rules: Option<String>,
}

/// Ce que l'on dit d'une allocation que le leader a remplacée : il ne la montrera plus, ou ce sera une vieille réponse.
pub const REPLACED: &str = "the leader has replaced this allocation: what he says next is followed";

/// De celle qu'il montre, tant qu'une personne reprend tout.
pub const TAKEN_OUT: &str = "everything is being taken out: nothing is bought meanwhile";

/// Ce que l'on dit d'une allocation qui va contre ses actions ; `None` si elle ne le fait pas.
pub fn contradiction(contradicted: &PerCoin<bool>) -> Option<String> {
    let coins: Vec<&str> = contradicted.chosen().map(Coin::asset).collect();
    (!coins.is_empty()).then(|| {
        format!(
            "the leader's allocation contradicts his actions on {}: these are left as his actions say",
            coins.join(", ")
        )
    })
}

/// Les règles des coins qui en restent plus loin que `threshold` ([`is_outdated`]).
pub fn rules_apart(
    target: &Target,
    valuation: &Valuation,
    pairs: &Pairs,
    threshold: Weight,
) -> Option<String> {
    let is_apart = |coin: &Coin| (valuation.weight(*coin) - target.weight(*coin)).abs() > threshold;
    let told = |coin: Coin| Some(format!("{coin} {}", told(&pairs.get(coin)?.rules)));
    let apart: Vec<String> = Coin::ALL.into_iter().filter(is_apart).filter_map(told).collect();
    (!apart.is_empty()).then(|| apart.join("\n"))
}

/// Vrai si l'une de ces règles ([`rules_apart`]) n'est plus celle de la bourse : ce qu'elle empêchait est à essayer de nouveau.
pub fn is_outdated(rules: &str, pairs: &Pairs) -> bool {
    let now = |coin: Coin| Some(told(&pairs.get(coin)?.rules));
    let then = |coin: Coin| rules.lines().find_map(|line| line.strip_prefix(coin.pair())?.strip_prefix(' '));
    Coin::ALL.into_iter().any(|coin| match (then(coin), now(coin)) {
        (Some(then), Some(now)) => then != now,
        _ => false,
    })
}

/// Ce que des règles permettent, en un texte. Une pause n'en est pas une.
fn told(rules: &Rules) -> String {
    let Rules { step, min_quantity, max_quantity, min_notional, max_notional, market, .. } = rules;
    let most = max_notional.map(|most| most.to_string()).unwrap_or_default();
    format!("{step} {min_quantity} {max_quantity} {min_notional} {most} {market}")
}

/// Ce qu'il faudrait déplacer du tout pour être où le leader est ; `None` si rien n'a de valeur.
pub fn drift(target: &Target, valuation: &Valuation) -> Option<Weight> {
    let aimed = Allocation::aimed(PerCoin::from_fn(|coin| target.weight(coin)));
    Some(Allocation::of(&valuation.coins, valuation.cash)?.drift(&aimed))
}

/// Les coins que l'allocation n'a plus, et qui sont encore tenus pour plus que `threshold`.
pub fn left_behind(target: &Target, valuation: &Valuation, threshold: Weight) -> Vec<Coin> {
    let is_left = |coin: &Coin| target.weight(*coin).is_zero() && valuation.weight(*coin) > threshold;
    Coin::ALL.into_iter().filter(is_left).collect()
}

/// Vrai si échanger `moved` à ce coût vaut l'écart qui en est corrigé ; ne rien échanger n'en corrige aucun.
pub fn is_worth(moved: Usdc, cost: Usdc) -> bool {
    moved.is_positive() && cost <= moved.times(MOST_COST)
}
