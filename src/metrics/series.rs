//! Les formes que les grandeurs partagent : une série seule, une par paire, un drapeau.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::domain::market::{Coin, PerCoin};

/// Une jauge à virgule.
pub type Floating = Gauge<f64, AtomicU64>;

/// Un compteur à virgule : des montants, des secondes.
pub type Amount = Counter<f64, AtomicU64>;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct CoinLabel {
    coin: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct State {
    pub state: &'static str,
}

/// Aucune étiquette : une famille d'une seule série, ou d'aucune.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Alone {}

/// Une valeur seule ; sans échantillon quand elle n'est pas connue.
pub fn single(registry: &mut Registry, name: &str, help: &str, value: Option<f64>) {
    let family = Family::<Alone, Floating>::default();
    if let Some(value) = value {
        family.get_or_create(&Alone {}).set(value);
    }
    registry.register(name, help, family);
}

/// Un compteur seul ; sans échantillon quand il n'est pas connu.
pub fn counter(registry: &mut Registry, name: &str, help: &str, value: Option<f64>) {
    let family = Family::<Alone, Amount>::default();
    if let Some(value) = value {
        family.get_or_create(&Alone {}).inc_by(value);
    }
    registry.register(name, help, family);
}

/// Une valeur par paire ; sans échantillon là où elle n'est pas connue.
pub fn by_coin(registry: &mut Registry, name: &str, help: &str, values: &PerCoin<Option<f64>>) {
    let family = Family::<CoinLabel, Floating>::default();
    for coin in Coin::ALL {
        if let Some(value) = values[coin] {
            family.get_or_create(&CoinLabel { coin: coin.pair() }).set(value);
        }
    }
    registry.register(name, help, family);
}

/// Une série par mot de la liste ; 1 pour celui qui est vrai.
pub fn one_of(registry: &mut Registry, name: &str, help: &str, states: &[&'static str], now: &str) {
    let family = Family::<State, Gauge>::default();
    for &state in states {
        family.get_or_create(&State { state }).set(i64::from(state == now));
    }
    registry.register(name, help, family);
}

/// 1 ou 0.
pub fn flag(set: bool) -> f64 {
    f64::from(u8::from(set))
}
