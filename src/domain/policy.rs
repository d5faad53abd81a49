//! Comment l'on suit : ce qu'un propriétaire règle, et les bornes qu'un leader ne passe pas.
//!
//! Les valeurs par défaut sont celles qu'aucun leader honnête ne rencontre.

use std::time::Duration;

use rust_decimal::dec;

use super::money::Weight;

/// Signaux différents que l'on suit d'un leader en un jour.
pub const MOST_SIGNALS: u32 = 200;

/// Le jour glissant des bornes.
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// Comment l'on suit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// L'écart de part sous lequel un coin n'est pas touché.
    pub threshold: Weight,
    /// L'écart de toute la répartition au-delà duquel une allocation atteinte est visée de nouveau ; zéro : jamais.
    pub reaim_threshold: Weight,
    /// Ce qui s'échange au plus en un jour, en part du capital, ventes et achats ensemble.
    pub turnover: Weight,
    /// L'écart au milieu du carnet qu'aucun ordre ne dépasse.
    pub max_slippage: Weight,
    /// L'âge au-delà duquel une action de la version 1 n'est plus faite, ni refaite.
    pub action_age: Duration,
    /// Suivre dès le premier démarrage une allocation de plus d'un jour, sans demander.
    pub follow_old_target: bool,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            threshold: Weight::new(dec!(0.005)),
            reaim_threshold: Weight::new(dec!(0.05)),
            turnover: Weight::new(dec!(3)),
            max_slippage: Weight::new(dec!(0.005)),
            action_age: Duration::from_secs(15 * 60),
            follow_old_target: false,
        }
    }
}
