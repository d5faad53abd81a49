//! La page `/metrics`, faite à chaque demande.
//!
//! Ce que le grand livre sait lui est donné ([`Figures`]) : ces compteurs continuent donc après un redémarrage. Ce
//! qu'il ne garde pas (des durées, des demandes) est mesuré en mémoire par les [`Instruments`], et repart de zéro avec
//! le programme, comme Prometheus l'attend. Invariants : les étiquettes viennent de listes closes et chaque série est
//! là dès le début ; une grandeur inconnue n'a pas d'échantillon, ni zéro, ni vieille valeur. `docs/metrics.txt` est la
//! page entière, sans ses nombres.

mod agent;
mod exchange;
mod following;
mod format;
mod instruments;
mod machine;
mod market;
mod money;
mod orders;
mod process;
mod series;
mod stop_loss;

pub use agent::Agent;
pub use exchange::{Exchange, OfOthers, Reconciled};
pub use following::Following;
pub use format::Format;
pub use instruments::Instruments;
pub use machine::{Machine, Place};
pub use market::Market;
pub use money::{Holding, Money, Traded};
pub use orders::Orders;
pub use process::Process;
pub use stop_loss::StopLoss;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// Les chiffres d'un instant ; ce qui n'est pas connu est `None`.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub agent: Agent,
    pub stop_loss: StopLoss,
    pub money: Money,
    pub following: Following,
    pub market: Market,
    pub orders: Orders,
    pub exchange: Exchange,
    pub machine: Machine,
}

/// La page entière, dans le format voulu.
pub fn page(figures: &Figures, instruments: &Instruments, format: Format) -> String {
    let mut registry = Registry::default();
    figures.machine.process.register(&mut registry);
    let own = registry.sub_registry_with_prefix("calvalot");
    figures.agent.register(own);
    figures.stop_loss.register(own);
    figures.money.register(own);
    figures.following.register(own);
    figures.market.register(own);
    figures.orders.register(own);
    figures.exchange.register(own);
    figures.machine.register(own);
    instruments.register(own);
    let mut text = String::new();
    // Écrire dans une `String` n'échoue pas.
    encode(&mut text, &registry).expect("a String takes every write");
    format.of(&text.replace("{} ", " "))
}

#[cfg(test)]
mod tests;
