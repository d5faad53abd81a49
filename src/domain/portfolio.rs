//! Ce que le suiveur possède, et ce que cela vaut.
//!
//! Une évaluation ([`Valuation`]) est complète ou n'existe pas : elle demande le prix de tout ce qui est tenu, et un cash connu.

use super::market::{Market, PerCoin};
use super::moment::Moment;
use super::money::{Eur, Price, Quantity, Usdc, Weight};

/// Une position : ce qui est possédé, et ce qu'il a coûté, frais compris.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    pub quantity: Quantity,
    pub invested: Usdc,
}

impl Position {
    /// Prix de revient d'une unité ; `None` sans position.
    pub fn average_price(&self) -> Option<Price> {
        self.invested.per(self.quantity)
    }
}

/// Les positions et le cash, tels que le grand livre les tient.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Holdings {
    pub positions: PerCoin<Position>,
    pub cash: Usdc,
}

/// La valeur de tout, à un instant où tout est connu.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Valuation {
    pub cash: Usdc,
    pub coins: PerCoin<Usdc>,
    pub total: Usdc,
    pub total_eur: Eur,
    /// L'instant du plus ancien cours qu'elle emploie.
    pub read_at: Moment,
}

impl Holdings {
    /// Évalue au milieu des carnets ; `None` s'il manque celui d'un coin qui est tenu.
    pub fn value(&self, market: &Market) -> Option<Valuation> {
        let coins = self.coins_at(&PerCoin::from_fn(|coin| market.pairs.mid(coin)))?;
        let total = self.cash + coins.iter().map(|(_, &value)| value).sum();
        Some(Valuation {
            cash: self.cash,
            coins,
            total,
            total_eur: total.to_eur(market.rate),
            read_at: market.read_at,
        })
    }

    /// Ce que vaut chaque position à ces prix ; `None` dès qu'il manque celui d'une qui est tenue.
    pub fn coins_at(&self, prices: &PerCoin<Option<Price>>) -> Option<PerCoin<Usdc>> {
        let mut coins = PerCoin::default();
        for (coin, position) in self.positions.iter().filter(|(_, position)| !position.quantity.is_zero()) {
            coins[coin] = prices[coin]? * position.quantity;
        }
        Some(coins)
    }

    /// Les coins qui sont tenus, fût-ce une poussière.
    pub fn held(&self) -> PerCoin<bool> {
        PerCoin::from_fn(|coin| !self.positions[coin].quantity.is_zero())
    }

    /// Vrai si aucune position n'est tenue, pas même une poussière.
    pub fn is_blank(&self) -> bool {
        self.positions.iter().all(|(_, position)| position.quantity.is_zero())
    }
}

impl Valuation {
    /// La part d'un coin dans le tout.
    pub fn weight(&self, coin: super::market::Coin) -> Weight {
        self.coins[coin].share_of(self.total)
    }
}
