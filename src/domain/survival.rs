//! La survie : sous 5 EUR l'agent meurt, pour toujours.
//!
//! Comme c'est pour toujours, il faut plusieurs évaluations complètes de suite sous le seuil, chacune
//! sur des cours relus depuis la précédente : la même lecture, évaluée trois fois, n'en est qu'une. Une
//! évaluation qui manque ne compte ni pour ni contre.

use rust_decimal::dec;

use super::money::Eur;

/// Le seuil, voulu par le propriétaire.
pub const MINIMUM: Eur = Eur::new(dec!(5));

/// Pourquoi un agent mort n'exécute pas un signal.
pub const DEAD: &str = "the agent is DEAD: its value fell below 5 EUR";

/// Évaluations complètes de suite sous le seuil avant la mort.
pub const READINGS: u32 = 3;

/// Le compte après une évaluation complète de `total` ; la mort est à [`READINGS`].
pub fn count(low_in_a_row: u32, total: Eur) -> u32 {
    if total < MINIMUM { low_in_a_row + 1 } else { 0 }
}
