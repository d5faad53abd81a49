//! La survie : sous 5 EUR l'agent meurt, pour toujours.
//!
//! Comme c'est pour toujours, il faut plusieurs évaluations complètes de suite sous le seuil, chacune sur des cours relus
//! depuis la précédente, et chacune confirmée par les prix moyens que la bourse publie : un carnet vidé ne tue personne.
//! Une évaluation qui manque, ou que les prix moyens n'ont pas pu confirmer, ne compte ni pour ni contre. N'est jugé que
//! ce qui baisse de soi-même : après un mouvement qui laisse moins que le moindre capital, plus rien ne l'est.

use rust_decimal::dec;

use super::market::PerCoin;
use super::money::{Eur, Price, Rate};
use super::portfolio::Holdings;

/// Le seuil, voulu par le propriétaire.
pub const MINIMUM: Eur = Eur::new(dec!(5));

/// Le moindre capital d'un grand livre neuf, et ce qu'un mouvement doit laisser pour que la suite soit jugée.
pub const LEAST_BUDGET: Eur = Eur::new(dec!(10));

/// Pourquoi un agent mort n'exécute pas un signal.
pub const DEAD: &str = "the agent is DEAD: its value fell below 5 EUR";

/// Évaluations complètes de suite sous le seuil avant la mort.
pub const READINGS: u32 = 5;

/// Les prix moyens que la bourse publie, à côté de ses carnets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Averages {
    /// De ce qui est tenu au moins.
    pub coins: PerCoin<Option<Price>>,
    pub rate: Rate,
}

impl Averages {
    /// Ce que tout vaut à ces prix ; `None` s'il en manque un.
    pub fn value(&self, holdings: &Holdings) -> Option<Eur> {
        let coins = holdings.coins_at(&self.coins)?;
        Some((holdings.cash + coins.iter().map(|(_, &value)| value).sum()).to_eur(self.rate))
    }
}

/// Ce qu'une évaluation complète dit d'un seuil, de la survie ou d'une perte que l'on se fixe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Au-dessus du seuil, d'après les carnets ou les prix moyens.
    Well,
    /// Au-dessous, d'après les uns et les autres.
    Low,
    /// Au-dessous d'après les carnets seuls, et les prix moyens manquent.
    Unproved,
}

impl Reading {
    /// De la survie. `averaged` : ce que tout vaut aux prix moyens, qui ne se demandent que si `total` est bas.
    pub fn of(total: Eur, averaged: Option<Eur>) -> Reading {
        Reading::beside(is_low(total), averaged.map(is_low))
    }

    /// Bas d'après les carnets, et d'après les prix moyens s'ils sont connus.
    pub fn beside(low: bool, averaged: Option<bool>) -> Reading {
        match averaged {
            _ if !low => Reading::Well,
            Some(true) => Reading::Low,
            Some(false) => Reading::Well,
            None => Reading::Unproved,
        }
    }
}

/// Vrai sous le seuil.
pub fn is_low(total: Eur) -> bool {
    total < MINIMUM
}

/// Vrai si c'est un capital, au centime près : un aller et retour au cours de l'euro perd un rien.
pub fn is_a_budget(value: Eur) -> bool {
    value.ceil(2) >= LEAST_BUDGET
}

/// Le compte après cette évaluation ; la mort est à [`READINGS`].
pub fn count(low_in_a_row: u32, reading: Reading) -> u32 {
    match reading {
        Reading::Well => 0,
        Reading::Low => low_in_a_row + 1,
        Reading::Unproved => low_in_a_row,
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn a_low_book_alone_is_no_step_towards_death() {
        let cases: [(Decimal, Option<Decimal>, u32); 7] = [
            (dec!(5), None, 0),
            (dec!(4.99), Some(dec!(4.99)), 4),
            (dec!(4.99), Some(dec!(5)), 0),
            (dec!(0.02), Some(dec!(99)), 0),
            (dec!(4.99), None, 3),
            (dec!(99), Some(dec!(1)), 0),
            (dec!(0), Some(dec!(0)), 4),
        ];
        for (total, averaged, expected) in cases {
            let reading = Reading::of(Eur::new(total), averaged.map(Eur::new));
            assert_eq!(count(3, reading), expected, "{total} {averaged:?}");
        }
    }

    #[test]
    fn a_budget_of_ten_euros_is_one_even_after_a_round_trip() {
        for (value, expected) in [(dec!(10), true), (dec!(9.99999999), true), (dec!(9.99), false)] {
            assert_eq!(is_a_budget(Eur::new(value)), expected, "{value}");
        }
    }
}
