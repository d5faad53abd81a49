//! Le compte, par des lectures que sa clé signe : ses droits, ses soldes, ce que la clé permet.
//!
//! Ne change rien. Chaque demande est datée de l'heure estimée de la bourse, un peu en retard ; qui appelle
//! veille à la mesurer. Invariant : un solde illisible est une panne, jamais un zéro ; seul un actif absent
//! vaut zéro.

use std::time::Duration;

use miniserde::Deserialize;

use super::request::Request;
use super::{Exchange, unreadable, wire};
use crate::domain::market::{Coin, PerCoin};
use crate::domain::moment::Moment;
use crate::domain::money::{NotAnAmount, Quantity, Usdc};
use crate::domain::reconcile::{Balance, Balances, CASH};
use crate::exchange::account::{AccountState, KeyRights, PermissionSets};
use crate::exchange::credentials::Credentials;
use crate::exchange::server_clock::ServerClock;
use crate::exchange::trouble::Trouble;
use crate::fetch::Answer;

/// La fenêtre d'une lecture : la refaire ne change rien, elle peut être large.
const READ_WINDOW: Duration = Duration::from_secs(10);

/// Le compte qu'une clé ouvre. Une lecture qui n'aboutit pas dit pourquoi par une [`Trouble`] ; c'est
/// [`Trouble::Clock`] tant que l'heure de la bourse n'a pas été mesurée ([`Exchange::synchronise`]).
pub struct Account {
    exchange: Exchange,
    credentials: Credentials,
}

impl Account {
    pub fn new(exchange: Exchange, credentials: Credentials) -> Account {
        Account { exchange, credentials }
    }

    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Le compte et ses soldes (`GET /api/v3/account`, poids 20) ; ceux-ci peuvent être en retard sur une
    /// exécution.
    pub async fn state(&self) -> Result<AccountState, Trouble> {
        let answer = self.read(Request::new("/api/v3/account").with("omitZeroBalances", "true")).await?;
        let account = decoded::<wire::Account>(&answer)?;
        let balances = balances(&account.balances).ok_or_else(|| unreadable(&answer))?;
        let wire::Account { uid, can_trade, permissions, .. } = account;
        Ok(AccountState { uid, can_trade, permissions, balances })
    }

    /// Ce que la clé permet (`GET /sapi/v1/account/apiRestrictions`, poids 1 d'un compte à part).
    pub async fn key_rights(&self) -> Result<KeyRights, Trouble> {
        let rights: wire::KeyRights =
            decoded(&self.read(Request::new("/sapi/v1/account/apiRestrictions")).await?)?;
        let wire::KeyRights { ip_restricted, reading, spot_trading, withdrawals } = rights;
        Ok(KeyRights { ip_restricted, reading, spot_trading, withdrawals })
    }

    /// L'heure de la bourse ; [`Trouble::Clock`] si elle n'a jamais été mesurée.
    pub(super) fn clock(&self) -> Result<ServerClock, Trouble> {
        let unknown = || Trouble::Clock("the exchange's clock has not been measured yet".to_owned());
        self.exchange.server_clock().ok_or_else(unknown)
    }

    /// Fait une lecture signée ; une réponse rendue a le statut 200.
    pub(super) async fn read(&self, request: Request) -> Result<Answer, Trouble> {
        let target = request.signed(&self.credentials, self.clock()?.stamp(), READ_WINDOW);
        self.exchange.get_with(&target, &[self.key()]).await
    }

    /// L'adresse entière de la demande signée, et l'en-tête de la clé.
    pub(super) fn signed(
        &self,
        request: Request,
        timestamp: Moment,
        window: Duration,
    ) -> (String, (&str, &str)) {
        (self.exchange.url(&request.signed(&self.credentials, timestamp, window)), self.key())
    }

    fn key(&self) -> (&str, &str) {
        ("X-MBX-APIKEY", self.credentials.id())
    }
}

/// `None` si un solde qui nous regarde n'est pas un montant, ou est négatif.
fn balances(told: &[wire::Balance]) -> Option<Balances> {
    let mut coins = PerCoin::default();
    for coin in Coin::ALL {
        coins[coin] = balance(told, coin.asset(), Quantity::parse)?;
    }
    Some(Balances { usdc: balance(told, CASH, Usdc::parse)?, coins })
}

fn balance<T: Default + PartialOrd>(
    told: &[wire::Balance],
    asset: &str,
    parse: fn(&str) -> Result<T, NotAnAmount>,
) -> Option<Balance<T>> {
    let Some(told) = told.iter().find(|balance| balance.asset == asset) else {
        return Some(Balance::default());
    };
    let amount = |text: &str| parse(text).ok().filter(|amount| *amount >= T::default());
    Some(Balance { free: amount(&told.free)?, locked: amount(&told.locked)? })
}

impl Exchange {
    /// Ce que chaque paire demande à un compte (`exchangeInfo`, sans clé, poids 20) ; `None` pour une paire
    /// dont la réponse ne dit rien de lisible.
    pub async fn permission_sets(&self) -> Result<PerCoin<Option<PermissionSets>>, Trouble> {
        let mut pairs = match self.permissions(&Coin::ALL).await {
            // Une paire que la bourse ne connaît plus lui fait refuser toute la liste : les autres se demandent une à une.
            Err(Trouble::UnknownSymbol(_)) => {
                let mut pairs = Vec::new();
                for coin in Coin::ALL {
                    match self.permissions(&[coin]).await {
                        Err(Trouble::UnknownSymbol(_)) => {}
                        known => pairs.extend(known?),
                    }
                }
                pairs
            }
            known => known?,
        };
        Ok(PerCoin::from_fn(|coin| {
            let found = pairs.iter().position(|(name, _)| name == coin.pair())?;
            pairs.swap_remove(found).1.map(|pair| PermissionSets(pair.permission_sets))
        }))
    }

    async fn permissions(&self, coins: &[Coin]) -> Result<Vec<(String, Option<wire::Permissions>)>, Trouble> {
        let names: Vec<String> = coins.iter().map(|coin| format!("\"{}\"", coin.pair())).collect();
        let request = Request::new("/api/v3/exchangeInfo").with("symbols", &format!("[{}]", names.join(",")));
        let answer = self.get(&request.target()).await?;
        let text = answer.text().map_err(|_| unreadable(&answer))?;
        wire::permissions(text).ok_or_else(|| unreadable(&answer))
    }
}

fn decoded<T: Deserialize>(answer: &Answer) -> Result<T, Trouble> {
    wire::decoded(&answer.body).ok_or_else(|| unreadable(answer))
}
