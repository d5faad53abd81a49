//! Les ordres : comment ils ont fini, ceux dont on ne sait pas, ceux qui ne sont pas les nôtres.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::series::{State, single};
use crate::domain::intent::State as OrderState;
use crate::domain::order::Side;

/// Les ordres à un instant.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    pub outcomes: Vec<(OrderState, Side, u32)>,
    /// Exécutés après qu'on les a crus absents, et que personne n'a regardés.
    pub late: u32,
    /// Ceux du compte que Calv-a-lot n'a pas passés.
    pub foreign: u32,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeSide {
    outcome: &'static str,
    side: &'static str,
}

impl Orders {
    pub(super) fn register(&self, registry: &mut Registry) {
        let (ended, doubtful) =
            (Family::<OutcomeSide, Counter>::default(), Family::<State, Gauge>::default());
        for state in OrderState::ALL {
            if state.is_in_doubt() {
                let label = State { state: state.word() };
                doubtful.get_or_create(&label).set(i64::from(self.count(state, None)));
            } else if state != OrderState::Planned {
                for side in [Side::Buy, Side::Sell] {
                    let label = OutcomeSide { outcome: state.word(), side: side.word() };
                    ended.get_or_create(&label).inc_by(u64::from(self.count(state, Some(side))));
                }
            }
        }
        // Une exécution apprise tard change d'issue : le compteur de l'ancienne recule d'un, une fois.
        registry.register("orders", "Orders that ended, by outcome and side", ended);
        registry.register("orders_in_doubt", "Orders whose outcome is not known, by state", doubtful);
        let help = "Executions learned late that nobody has acknowledged";
        single(registry, "orders_late", help, Some(f64::from(self.late)));
        let foreign = Counter::<u64>::default();
        foreign.inc_by(u64::from(self.foreign));
        registry.register("foreign_orders", "Orders seen on the account that are not ours", foreign);
    }

    fn count(&self, state: OrderState, side: Option<Side>) -> u32 {
        let found = self
            .outcomes
            .iter()
            .filter(|(found, at, _)| *found == state && side.is_none_or(|side| side == *at));
        found.map(|(_, _, count)| count).sum()
    }
}
