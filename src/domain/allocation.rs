//! Une répartition : la part de chaque coin dans un tout, et celle du cash ; combien deux en diffèrent.
//!
//! Elle est complète ou n'existe pas, comme l'évaluation dont elle vient.

use rust_decimal::{Decimal, dec};

use super::market::{Coin, PerCoin};
use super::money::{Usdc, Weight};

/// Les parts d'un tout, de somme un.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allocation {
    pub coins: PerCoin<Weight>,
    pub cash: Weight,
}

impl Allocation {
    /// Celle de ces valeurs ; `None` si le tout ne vaut rien.
    pub fn of(coins: &PerCoin<Usdc>, cash: Usdc) -> Option<Allocation> {
        let total = cash + coins.iter().map(|(_, &value)| value).sum();
        let share = |coin: Coin| coins[coin].share_of(total);
        total.is_positive().then(|| Allocation { coins: PerCoin::from_fn(share), cash: cash.share_of(total) })
    }

    /// Celle qui donne ces parts aux coins, et le reste au cash.
    pub fn aimed(coins: PerCoin<Weight>) -> Allocation {
        let invested: Weight = coins.iter().map(|(_, &weight)| weight).sum();
        let cash = Weight::new(Decimal::ONE) - invested;
        Allocation { coins, cash: cash.max(Weight::ZERO) }
    }

    /// Ce qu'il faudrait déplacer du tout pour arriver à `other` : 0 si c'est la même, 1 si rien n'est commun.
    pub fn drift(&self, other: &Allocation) -> Weight {
        let coins = self.coins.iter().map(|(coin, &weight)| (weight - other.coins[coin]).abs());
        let moved: Weight = coins.chain([(self.cash - other.cash).abs()]).sum();
        moved.times(dec!(0.5))
    }
}
