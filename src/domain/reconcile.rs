//! Le rapprochement : ce que le compte tient d'un actif, ce que les livres en disent, et ce qui sépare les deux.
//!
//! La seule définition de tenu, booké, manque et surplus : le moteur, le grand livre et la page s'en servent. Le compte
//! peut tenir plus que les livres (l'argent d'un autre usage) ; ce qu'il tient de moins, libre, manque à nos ordres.

use std::ops::Add;

use super::market::{Coin, PerCoin};
use super::money::{Quantity, Usdc};
use super::movement::Movement;
use super::others::Others;
use super::portfolio::Holdings;

/// L'actif du cash.
pub const CASH: &str = "USDC";

/// Un actif que les livres connaissent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asset {
    Cash,
    Coin(Coin),
}

impl Asset {
    /// Le cash d'abord.
    pub fn all() -> impl Iterator<Item = Asset> {
        [Asset::Cash].into_iter().chain(Coin::ALL.map(Asset::Coin))
    }

    /// Le nom de la bourse.
    pub fn name(self) -> &'static str {
        match self {
            Asset::Cash => CASH,
            Asset::Coin(coin) => coin.asset(),
        }
    }

    pub fn from_name(name: &str) -> Option<Asset> {
        Asset::all().find(|asset| asset.name() == name)
    }
}

/// Une quantité comme une personne la lit : le cash en centimes, à moins qu'il n'en reste rien.
pub fn told(quantity: Quantity, asset: &str) -> String {
    let cents = format!("{quantity:.2}");
    if asset == CASH && cents != "0.00" { cents } else { quantity.to_string() }
}

/// De même, de ce qui peut être demandé : jamais plus que ce qu'il y a.
pub fn told_at_most(quantity: Quantity, asset: &str) -> String {
    let cents = quantity.floor(2);
    if asset == CASH && !cents.is_zero() { told(cents, asset) } else { quantity.to_string() }
}

/// Ce qu'il y a d'un actif : libre, et immobilisé par des ordres ouverts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Balance<T> {
    pub free: T,
    pub locked: T,
}

impl<T: Add<Output = T> + Copy> Balance<T> {
    pub fn total(&self) -> T {
        self.free + self.locked
    }
}

/// Ce qu'un compte tient, pour les actifs que nous connaissons.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Balances {
    pub usdc: Balance<Usdc>,
    pub coins: PerCoin<Balance<Quantity>>,
}

/// Un actif, au compte et aux livres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    pub free: Quantity,
    /// Immobilisé par des ordres ouverts : aucun n'est à nous, les nôtres ne le restent pas.
    pub locked: Quantity,
    pub booked: Quantity,
    /// Pris dans ce que le compte tient d'autre que nos livres, par des frais ou des ordres à nous ; négatif s'ils lui ont
    /// donné.
    pub of_others: Quantity,
    /// Ce que des ordres en doute, ou un retrait ouvert, en ont peut-être déjà pris : ce n'est pas un manque.
    pub reserved: Quantity,
}

/// Ce que des ordres dont l'issue n'est pas connue, ou une personne qui retire, ont peut-être déjà pris.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reserved {
    pub usdc: Usdc,
    pub coins: PerCoin<Quantity>,
}

impl Line {
    /// Ce que le compte tient.
    pub fn held(&self) -> Quantity {
        self.free + self.locked
    }

    /// Ce que le compte tient de plus que les livres ; négatif s'il tient moins.
    pub fn difference(&self) -> Quantity {
        self.held() - self.booked
    }

    /// Ce qui manque, libre, à ce que disent les livres ; zéro s'il y a assez. Ce qui est peut-être pris explique ce qui est
    /// parti, non ce qui est immobilisé.
    pub fn shortage(&self) -> Quantity {
        self.locked_short() + (self.gone() - self.reserved).max(Quantity::ZERO)
    }

    /// La part de ce manque qu'un ordre ouvert de la personne immobilise : elle n'est pas partie.
    pub fn locked_short(&self) -> Quantity {
        (self.booked - self.free).max(Quantity::ZERO).min(self.locked)
    }

    /// Ce qui est parti du compte, et que les livres disent encore là ; zéro si rien.
    pub fn gone(&self) -> Quantity {
        (-self.difference()).max(Quantity::ZERO)
    }

    /// Ce qu'il y a de libre au-delà des livres : de quoi en compter davantage.
    pub fn beyond(&self) -> Quantity {
        (self.free - self.booked).max(Quantity::ZERO)
    }

    /// Ce que le compte tenait d'autre avant nos ordres, qui ne le changent pas.
    pub fn surplus(&self) -> Quantity {
        self.difference() + self.of_others
    }
}

/// Chaque actif, au compte et aux livres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reconciliation {
    pub usdc: Line,
    pub coins: PerCoin<Line>,
}

impl Reconciliation {
    /// `others` : ce que nos ordres ont pris à ce qui n'est pas aux livres ; `reserved` : ce que des ordres en doute ont
    /// peut-être pris.
    pub fn of(
        balances: &Balances,
        holdings: &Holdings,
        others: &Others,
        reserved: &Reserved,
    ) -> Reconciliation {
        let quantity = |amount: Usdc| Quantity::new(amount.decimal());
        let usdc = Line {
            free: quantity(balances.usdc.free),
            locked: quantity(balances.usdc.locked),
            booked: quantity(holdings.cash),
            of_others: others.of(CASH),
            reserved: quantity(reserved.usdc),
        };
        let coins = PerCoin::from_fn(|coin| Line {
            free: balances.coins[coin].free,
            locked: balances.coins[coin].locked,
            booked: holdings.positions[coin].quantity,
            of_others: others.of(coin.asset()),
            reserved: reserved.coins[coin],
        });
        Reconciliation { usdc, coins }
    }

    /// Chaque actif et sa ligne, le cash d'abord.
    pub fn lines(&self) -> impl Iterator<Item = (Asset, Line)> {
        Asset::all().map(|asset| (asset, self.line(asset)))
    }

    /// Le même, une fois ce mouvement aux livres.
    pub fn after(mut self, movement: &Movement) -> Reconciliation {
        self.usdc.booked += Quantity::new(movement.usdc.decimal());
        if let Some(moved) = movement.moved {
            self.coins[moved.coin].booked += moved.quantity;
        }
        self
    }

    pub fn line(&self, asset: Asset) -> Line {
        match asset {
            Asset::Cash => self.usdc,
            Asset::Coin(coin) => self.coins[coin],
        }
    }

    /// Ce qui manque au compte pour nos ordres.
    pub fn shortage(&self) -> Shortage {
        let lack = |line: Line| Lack { missing: line.shortage(), locked: line.locked_short() };
        Shortage { usdc: lack(self.usdc), coins: PerCoin::from_fn(|coin| lack(self.coins[coin])) }
    }
}

/// Ce que le compte tient de moins, libre, que ce que disent les livres ; zéro partout s'il tient assez.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shortage {
    pub usdc: Lack,
    pub coins: PerCoin<Lack>,
}

/// Ce qui manque d'un actif, libre, et la part qu'un ordre ouvert de la personne en immobilise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lack {
    pub missing: Quantity,
    pub locked: Quantity,
}

#[cfg(test)]
mod tests {
    use rust_decimal::{Decimal, dec};

    use super::*;

    #[test]
    fn cash_is_told_in_cents_and_never_as_nothing_when_there_is_some() {
        for (quantity, asset, expected) in [
            (dec!(276.32069862), CASH, "276.32"),
            (dec!(60), CASH, "60.00"),
            (dec!(0.004), CASH, "0.004"),
            (dec!(0.00036000), "BTC", "0.00036"),
        ] {
            assert_eq!(told(Quantity::new(quantity), asset), expected);
        }
        let asked = [dec!(3.456), dec!(7.999), dec!(20.0051), dec!(0.006)];
        let most = asked.map(|quantity| told_at_most(Quantity::new(quantity), CASH));
        assert_eq!(most, ["3.45", "7.99", "20.00", "0.006"], "what is offered can be asked for");
    }

    /// Libre, immobilisé, aux livres ; différence, manque, dont immobilisé, parti, au-delà.
    type Case = ([Decimal; 3], [Decimal; 5]);

    #[test]
    fn what_is_missing_is_what_is_not_free_and_what_is_locked_is_not_gone() {
        let cases: [Case; 4] = [
            ([dec!(100), dec!(0), dec!(100)], [dec!(0), dec!(0), dec!(0), dec!(0), dec!(0)]),
            ([dec!(80), dec!(20), dec!(100)], [dec!(0), dec!(20), dec!(20), dec!(0), dec!(0)]),
            ([dec!(80), dec!(5), dec!(100)], [dec!(-15), dec!(20), dec!(5), dec!(15), dec!(0)]),
            ([dec!(5000), dec!(20), dec!(100)], [dec!(4920), dec!(0), dec!(0), dec!(0), dec!(4900)]),
        ];
        for ([free, locked, booked], expected) in cases {
            let [free, locked, booked] = [free, locked, booked].map(Quantity::new);
            let line = Line { free, locked, booked, ..Line::default() };
            let found = [line.difference(), line.shortage(), line.locked_short(), line.gone(), line.beyond()];
            let found = found.map(Quantity::decimal);
            assert_eq!(found, expected, "{line:?}");
        }
    }

    #[test]
    fn what_an_order_of_the_person_locks_is_told_though_a_withdrawal_waits_to_be_taken_out() {
        // Libre, immobilisé, aux livres, mis de côté ; ce qui manque, et ce qui n'en est qu'immobilisé.
        let cases = [
            ([dec!(386), dec!(300), dec!(686), dec!(600)], [dec!(300), dec!(300)]),
            ([dec!(86), dec!(300), dec!(686), dec!(300)], [dec!(300), dec!(300)]),
            ([dec!(86), dec!(300), dec!(686), dec!(200)], [dec!(400), dec!(300)]),
            ([dec!(5000), dec!(300), dec!(686), dec!(600)], [dec!(0), dec!(0)]),
        ];
        for ([free, locked, booked, reserved], expected) in cases {
            let [free, locked, booked, reserved] = [free, locked, booked, reserved].map(Quantity::new);
            let line = Line { free, locked, booked, reserved, ..Line::default() };
            assert_eq!([line.shortage(), line.locked_short()].map(Quantity::decimal), expected, "{line:?}");
        }
    }

    #[test]
    fn what_an_order_in_doubt_may_have_taken_is_not_missing() {
        for (reserved, missing) in
            [(dec!(0), dec!(30)), (dec!(20), dec!(10)), (dec!(30), dec!(0)), (dec!(99), dec!(0))]
        {
            let [free, booked, reserved] = [dec!(70), dec!(100), reserved].map(Quantity::new);
            let line = Line { free, booked, reserved, ..Line::default() };
            assert_eq!(line.shortage(), Quantity::new(missing), "{line:?}");
        }
    }
}
