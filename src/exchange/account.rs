//! Ce qu'une bourse dit d'un compte et de la clé qui l'ouvre, dans les mots de tous.

use crate::domain::reconcile::Balances;

/// Ce que l'on dit d'une clé qui n'est pas celle du compte des livres.
pub const OTHER_ACCOUNT: &str = "the key opens another account than the one this ledger began with";

/// Ce que la bourse dit du compte.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountState {
    /// Le numéro du compte : s'il change, la clé est d'un autre.
    pub uid: i64,
    pub can_trade: bool,
    /// Les groupes de paires auxquels il a droit.
    pub permissions: Vec<String>,
    pub balances: Balances,
}

/// Ce que la clé permet ; le réseau d'essai ne le dit pas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyRights {
    pub ip_restricted: bool,
    pub reading: bool,
    pub spot_trading: bool,
    pub withdrawals: bool,
}

/// Ce qu'il faut pour échanger une paire : un groupe au moins de chaque ensemble.
#[derive(Clone, Debug, PartialEq)]
pub struct PermissionSets(pub(super) Vec<Vec<String>>);

impl PermissionSets {
    /// Vrai si un compte qui a ces groupes peut échanger la paire.
    pub fn admit(&self, permissions: &[String]) -> bool {
        self.0.iter().all(|set| set.iter().any(|group| permissions.contains(group)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_wants_one_group_of_each_set() {
        let texts = |groups: &[&str]| groups.iter().map(|group| (*group).to_owned()).collect::<Vec<String>>();
        let sets = PermissionSets(vec![texts(&["SPOT", "TRD_GRP_004"]), texts(&["A", "B"])]);
        let cases = [
            (&["SPOT", "B"][..], true),
            (&["TRD_GRP_004", "A", "X"], true),
            (&["SPOT"], false),
            (&["A", "B"], false),
            (&[], false),
        ];
        for (permissions, expected) in cases {
            assert_eq!(sets.admit(&texts(permissions)), expected, "{permissions:?}");
        }
        assert!(PermissionSets(Vec::new()).admit(&[]));
    }
}
