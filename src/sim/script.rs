//! Ce qu'un monde simulé est au départ : sa graine, ses secrets, son allure, son heure, ses soldes.

use rust_decimal::Decimal;

use super::hour::Hour;

/// Ce qui fait bouger le monde.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Chaque lecture de plusieurs prix fait d'abord un pas de marché ; chaque demande acceptée avance le leader.
    Stepped,
    /// Seul le test.
    Frozen,
}

#[derive(Clone, Debug)]
pub struct Script {
    pub seed: u64,
    /// Le `SIGNAL_SECRET` partagé avec le leader.
    pub secret: String,
    pub api_key: String,
    pub api_secret: String,
    pub pace: Pace,
    pub hour: Hour,
    /// Demandes acceptées entre deux changements d'avis du leader.
    pub signal_every: u32,
    /// Soldes du compte au départ.
    pub balances: Vec<(String, Decimal)>,
}

impl Default for Script {
    fn default() -> Script {
        Script {
            seed: 1,
            secret: "simulated-signal-secret".to_owned(),
            api_key: "simulatedApiKey0000000000000000000000000000000000000000000000001".to_owned(),
            api_secret: "simulatedApiSecret0000000000000000000000000000000000000000000001".to_owned(),
            pace: Pace::Stepped,
            hour: Hour::Machine,
            signal_every: 5,
            balances: vec![("USDC".to_owned(), Decimal::ONE_THOUSAND)],
        }
    }
}
