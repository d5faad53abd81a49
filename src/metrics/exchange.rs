//! La bourse et le compte : si l'on peut échanger, les essais, l'heure, le silence, le rapprochement.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::series::{Floating, flag, single};
use crate::domain::check::TESTS;

/// Ce qu'on sait de la bourse et du compte.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// Rien en simulation, où rien ne s'échange pour de vrai.
    pub trading_open: Option<bool>,
    /// Rien en simulation, où il n'y a pas de compte à partager.
    pub alone: Option<bool>,
    /// Chaque essai fait, et s'il est bon.
    pub checks: Vec<(String, bool)>,
    /// De combien de secondes l'horloge de la machine avance.
    pub clock_lead: Option<f64>,
    pub silent_until: Option<f64>,
    pub balances: Vec<Reconciled>,
    /// Rien en simulation, où le compte n'a rien d'autre.
    pub of_others: Option<OfOthers>,
}

/// Ce que nos ordres ont pris à la part du compte qui n'est pas aux livres.
#[derive(Clone, Debug)]
pub struct OfOthers {
    /// Chaque actif suivi, cash compris.
    pub followed: Vec<(&'static str, f64)>,
    /// Combien d'actifs que nous ne suivons pas ont payé de nos frais : leurs noms ne sont pas d'une liste close.
    pub unfollowed: usize,
}

/// Un actif du dernier rapprochement : l'écart du compte aux livres, et ce qui lui manque.
#[derive(Clone, Debug)]
pub struct Reconciled {
    pub asset: String,
    pub difference: f64,
    pub missing: f64,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Test {
    test: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Asset {
    asset: String,
}

impl Exchange {
    pub(super) fn register(&self, registry: &mut Registry) {
        let open = self.trading_open.map(flag);
        single(registry, "trading_open", "1 if real orders may be sent; absent in a simulation", open);
        let help = "1 if no copy of this ledger seems to trade on its account; absent in a simulation";
        single(registry, "ledger_alone", help, self.alone.map(flag));
        let checks = Family::<Test, Floating>::default();
        for test in TESTS {
            if let Some((_, fine)) = self.checks.iter().find(|(found, _)| found == test) {
                checks.get_or_create(&Test { test }).set(flag(*fine));
            }
        }
        let help = "1 if this test of the outside is fine, while it could be made";
        registry.register("check_ok", help, checks);
        let help = "How far the clock of this machine is ahead of the exchange's";
        single(registry, "clock_lead_seconds", help, self.clock_lead);
        let help = "Until when the exchange wants no request, while it wants none";
        single(registry, "exchange_silent_until_timestamp_seconds", help, self.silent_until);
        let (differences, missing) =
            (Family::<Asset, Floating>::default(), Family::<Asset, Floating>::default());
        for balance in &self.balances {
            let label = Asset { asset: balance.asset.clone() };
            differences.get_or_create(&label).set(balance.difference);
            missing.get_or_create(&label).set(balance.missing);
        }
        let help = "What the account holds less what the ledger says, in units of the asset";
        registry.register("reconciliation_difference", help, differences);
        let help = "What the account lacks for the ledger to be right";
        registry.register("reconciliation_missing", help, missing);
        let followed = Family::<Asset, Floating>::default();
        for (asset, quantity) in self.of_others.iter().flat_map(|others| &others.followed) {
            followed.get_or_create(&Asset { asset: (*asset).to_owned() }).set(*quantity);
        }
        let help = "What our orders took from what the account holds beside the books, in units of the asset; below 0 what they gave";
        registry.register("of_others", help, followed);
        let help = "Assets that are not followed here and in which fees were taken";
        let unfollowed = self.of_others.as_ref().map(|others| others.unfollowed as f64);
        single(registry, "of_others_unfollowed_assets", help, unfollowed);
    }
}
