//! Le compte, par des lectures que sa clé signe : ses droits, ses soldes, ce que la clé permet.
//!
//! N'envoie aucun ordre et ne change rien. Chaque demande est datée de l'heure estimée de la bourse, un peu
//! en retard : le retard ne coûte rien dans la fenêtre, une seconde d'avance est un refus. Invariant : un
//! solde illisible est une panne, jamais un zéro ; seul un actif absent vaut zéro.

use std::time::Duration;

use miniserde::{Deserialize, json};

use super::credentials::Credentials;
use super::request::Request;
use super::{Exchange, ServerClock, Trouble, wire};
use crate::domain::market::{Coin, PerCoin};
use crate::domain::money::Usdc;
use crate::fetch::Answer;

/// De combien une demande est antidatée.
const LATE: Duration = Duration::from_millis(200);

/// La fenêtre d'une lecture : la refaire ne change rien, elle peut être large.
const READ_WINDOW: Duration = Duration::from_secs(10);

/// Le compte que `credentials` ouvre.
pub struct Account<'a> {
    pub exchange: &'a Exchange,
    pub credentials: Credentials,
    pub clock: ServerClock,
}

/// Ce que la bourse dit du compte (`GET /api/v3/account`, poids 20).
#[derive(Clone, Debug, PartialEq)]
pub struct AccountState {
    pub can_trade: bool,
    /// Les groupes de paires auxquels il a droit.
    pub permissions: Vec<String>,
    /// USDC libres du portefeuille Spot.
    pub usdc: Usdc,
}

/// Ce que la clé permet (`GET /sapi/v1/account/apiRestrictions`, absent du réseau d'essai).
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct KeyRights {
    #[serde(rename = "ipRestrict")]
    pub ip_restricted: bool,
    #[serde(rename = "enableReading")]
    pub reading: bool,
    #[serde(rename = "enableSpotAndMarginTrading")]
    pub spot_trading: bool,
    #[serde(rename = "enableWithdrawals")]
    pub withdrawals: bool,
}

/// Ce qu'il faut pour échanger une paire : un groupe au moins de chaque ensemble.
#[derive(Clone, Debug, PartialEq)]
pub struct PermissionSets(Vec<Vec<String>>);

impl PermissionSets {
    /// Vrai si un compte qui a ces groupes peut échanger la paire.
    pub fn admit(&self, permissions: &[String]) -> bool {
        self.0.iter().all(|set| set.iter().any(|group| permissions.contains(group)))
    }
}

impl Account<'_> {
    pub async fn state(&self) -> Result<AccountState, Trouble> {
        let answer = self.read(Request::get("/api/v3/account").with("omitZeroBalances", "true")).await?;
        let account = decoded::<wire::Account>(&answer)?;
        let usdc = account.balances.iter().find(|balance| balance.asset == "USDC");
        let usdc = usdc.map_or(Ok(Usdc::ZERO), |balance| Usdc::parse(&balance.free));
        Ok(AccountState {
            can_trade: account.can_trade,
            permissions: account.permissions,
            usdc: usdc.map_err(|_| Trouble::unreadable(&answer))?,
        })
    }

    pub async fn key_rights(&self) -> Result<KeyRights, Trouble> {
        decoded(&self.read(Request::get("/sapi/v1/account/apiRestrictions")).await?)
    }

    async fn read(&self, request: Request) -> Result<Answer, Trouble> {
        let timestamp = self.clock.now().minus(LATE);
        let target = request.signed(&self.credentials, timestamp, READ_WINDOW);
        self.exchange.get_with(&target, &[("X-MBX-APIKEY", self.credentials.id())]).await
    }
}

impl Exchange {
    /// Ce que chaque paire demande à un compte (`exchangeInfo`, sans clé, poids 20) ; `None` pour une paire
    /// dont la réponse ne dit rien de lisible.
    pub async fn permission_sets(&self) -> Result<PerCoin<Option<PermissionSets>>, Trouble> {
        let names: Vec<String> = Coin::ALL.into_iter().map(|coin| format!("\"{}\"", coin.pair())).collect();
        let request = Request::get("/api/v3/exchangeInfo").with("symbols", &format!("[{}]", names.join(",")));
        let answer = self.get(&request.target()).await?;
        let text = answer.text().map_err(|_| Trouble::unreadable(&answer))?;
        let mut pairs = wire::permissions(text).ok_or_else(|| Trouble::unreadable(&answer))?;
        Ok(PerCoin::from_fn(|coin| {
            let found = pairs.iter().position(|(name, _)| name == coin.pair())?;
            pairs.swap_remove(found).1.map(|pair| PermissionSets(pair.permission_sets))
        }))
    }
}

fn decoded<T: Deserialize>(answer: &Answer) -> Result<T, Trouble> {
    let value = answer.text().ok().and_then(|text| json::from_str(text).ok());
    value.ok_or_else(|| Trouble::unreadable(answer))
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
