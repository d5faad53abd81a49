//! Le marché : les prix tant qu'ils sont connus, et ce qui ne l'est pas.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::series::{by_coin, single};
use crate::domain::market::{self, PerCoin};

/// Le nom du cash parmi ce qu'une évaluation demande.
const CASH: &str = "cash";

/// Le marché à un instant.
#[derive(Clone, Debug, Default)]
pub struct Market {
    pub prices: PerCoin<Option<f64>>,
    pub eur_rate: Option<f64>,
    /// Les lectures qu'une évaluation demande et qui manquent.
    pub unknown: Vec<String>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reading {
    reading: String,
}

impl Market {
    pub(super) fn register(&self, registry: &mut Registry) {
        by_coin(registry, "price_usdc", "Price of a coin in USDC, while it is known", &self.prices);
        single(registry, "eur_rate_usdc", "USDC for 1 EUR, while it is known", self.eur_rate);
        let unknown = Family::<Reading, Gauge>::default();
        for reading in market::everything().into_iter().chain([CASH.to_owned()]) {
            let missing = self.unknown.contains(&reading);
            unknown.get_or_create(&Reading { reading }).set(i64::from(missing));
        }
        registry.register("reading_unknown", "1 if this is not known now: no trade while any is 1", unknown);
    }
}
