//! La bourse, dans les mots que le suiveur parle à n'importe laquelle ; le choix de laquelle, fermé, fait une fois.
//!
//! `account`, `order`, `trouble`, `silence`, `server_clock`, `asked`, `credentials` sont ces mots : ils n'en nomment
//! aucune. [`binance`] les met en œuvre, et rien hors d'ici ne l'importe. De l'étage 1, elle se sert du domaine, de
//! `fetch` et de `clock`.

mod account;
mod asked;
mod binance;
mod credentials;
mod order;
mod questions;
mod server_clock;
mod silence;
mod trouble;

use std::rc::Rc;
use std::time::Duration;

use crate::domain::depth::Depth;
use crate::domain::execution::{Execution, Executions, Report};
use crate::domain::market::{Coin, PerCoin, Readings};
use crate::domain::moment::Moment;
use crate::domain::survival::Averages;
use crate::fetch::{Client, OneShot};

pub use account::{AccountState, KeyRights, OTHER_ACCOUNT, PermissionSets};
pub use asked::{Asked, Code, Endpoint, Watcher};
pub use credentials::{Credentials, NewKey, NotAPrivateKey};
pub use order::{Placed, Reaction, Refusal, Sighting, Ticket};
pub use questions::Questions;
pub use server_clock::ServerClock;
pub use silence::Silence;
pub use trouble::{KeyTrouble, Trouble};

/// Une bourse, à une adresse ; la cloner partage tout.
#[derive(Clone)]
pub enum Exchange {
    Binance(binance::Exchange),
}

/// Le compte qu'une clé ouvre. Une lecture qui n'aboutit pas dit pourquoi par une [`Trouble`] ; c'est
/// [`Trouble::Clock`] tant que l'heure de la bourse n'a pas été mesurée ([`Exchange::synchronise`]).
pub enum Account {
    Binance(binance::Account),
}

impl Exchange {
    /// Binance à `base_url`, sans le chemin.
    pub fn binance(base_url: &str, fetch: Client) -> Exchange {
        Exchange::Binance(binance::Exchange::new(base_url, fetch))
    }

    /// La même, dont `watcher` apprend chaque demande finie, à toutes ses adresses.
    pub fn watched_by(self, watcher: Rc<Watcher>) -> Exchange {
        let Exchange::Binance(exchange) = self;
        Exchange::Binance(exchange.watched_by(watcher))
    }

    /// La même bourse à une autre adresse : un silence demandé par l'une vaut pour l'autre, et l'heure
    /// mesurée à l'une est celle de l'autre.
    pub fn at(&self, base_url: &str) -> Exchange {
        let Exchange::Binance(exchange) = self;
        Exchange::Binance(exchange.at(base_url))
    }

    /// Relit cours et règles ; ce qui n'a pas pu l'être garde sa lecture d'avant et sa raison. Un cours qui n'est pas cru
    /// manque, et se relit au moins `gap` plus tard.
    pub async fn refresh(&self, readings: Readings, gap: Duration) -> Readings {
        let Exchange::Binance(exchange) = self;
        exchange.refresh(readings, gap).await
    }

    /// Les prix moyens que la bourse publie pour ces coins, et celui de l'euro.
    pub async fn averages(&self, coins: &[Coin]) -> Result<Averages, Trouble> {
        let Exchange::Binance(exchange) = self;
        exchange.averages(coins).await
    }

    /// Les carnets de ces coins, dans l'ordre : leurs cent meilleurs niveaux de chaque côté.
    pub async fn depths(&self, coins: &[Coin]) -> Vec<Result<Depth, Trouble>> {
        let Exchange::Binance(exchange) = self;
        exchange.depths(coins).await
    }

    /// Mesure l'heure de la bourse et la garde. Une mesure manquée laisse la précédente.
    pub async fn synchronise(&self) -> Result<ServerClock, Trouble> {
        let Exchange::Binance(exchange) = self;
        exchange.synchronise().await
    }

    /// Vrai tant qu'aucune mesure n'est faite, quand la dernière est vieille ou mise en doute.
    pub fn needs_synchronising(&self) -> bool {
        let Exchange::Binance(exchange) = self;
        exchange.needs_synchronising()
    }

    /// La dernière mesure, même à refaire ; `None` si aucune n'a réussi.
    pub fn server_clock(&self) -> Option<ServerClock> {
        let Exchange::Binance(exchange) = self;
        exchange.server_clock()
    }

    /// L'heure de la machine, trouvée juste à une minute près, ou pourquoi elle ne l'est pas.
    pub async fn check_clock(&self) -> Result<Moment, String> {
        let Exchange::Binance(exchange) = self;
        exchange.check_clock().await
    }

    /// Le silence en cours, pour qui le garde d'un démarrage à l'autre.
    pub fn silence(&self) -> Option<Silence> {
        let Exchange::Binance(exchange) = self;
        exchange.silence()
    }

    /// Reprend un silence gardé d'avant un redémarrage ; un plus long déjà en cours reste.
    pub fn keep_silent(&self, silence: Silence) {
        let Exchange::Binance(exchange) = self;
        exchange.keep_silent(silence);
    }

    /// Le poids compté pour notre adresse IP dans la minute de la dernière réponse, s'il était dit.
    pub fn used_weight(&self) -> Option<u64> {
        let Exchange::Binance(exchange) = self;
        exchange.used_weight()
    }

    /// Le poids qu'une adresse IP peut demander en une minute.
    pub fn weight_limit(&self) -> u64 {
        let Exchange::Binance(_) = self;
        binance::WEIGHT_LIMIT
    }

    /// Celui au-delà duquel quelqu'un d'autre demande beaucoup derrière la même adresse.
    pub fn weight_watched(&self) -> u64 {
        let Exchange::Binance(_) = self;
        binance::WEIGHT_WATCHED
    }

    /// Ce que chaque paire demande à un compte ; `None` pour une paire dont la réponse ne dit rien de lisible.
    pub async fn permission_sets(&self) -> Result<PerCoin<Option<PermissionSets>>, Trouble> {
        let Exchange::Binance(exchange) = self;
        exchange.permission_sets().await
    }

    /// Quoi faire de cette panne, pour une personne.
    pub fn remedy(&self, trouble: &Trouble) -> &'static str {
        let Exchange::Binance(_) = self;
        binance::remedy(trouble)
    }
}

impl Account {
    /// Le compte que cette clé ouvre à cette bourse.
    pub fn new(exchange: Exchange, credentials: Credentials) -> Account {
        let Exchange::Binance(exchange) = exchange;
        Account::Binance(binance::Account::new(exchange, credentials))
    }

    pub fn exchange(&self) -> Exchange {
        let Account::Binance(account) = self;
        Exchange::Binance(account.exchange().clone())
    }

    /// Le compte et ses soldes ; ceux-ci peuvent être en retard sur une exécution.
    pub async fn state(&self) -> Result<AccountState, Trouble> {
        let Account::Binance(account) = self;
        account.state().await
    }

    /// Ce que la clé permet.
    pub async fn key_rights(&self) -> Result<KeyRights, Trouble> {
        let Account::Binance(account) = self;
        account.key_rights().await
    }

    /// Envoie l'ordre, une fois : rien au-dessous ne le refait. Pendant un silence, rien ne part.
    pub async fn place(&self, sender: &OneShot, ticket: &Ticket) -> Placed {
        let Account::Binance(account) = self;
        account.place(sender, ticket).await
    }

    /// L'ordre qui porte ce nom. Quand plusieurs le portent, la bourse choisit.
    pub async fn order(&self, coin: Coin, client_id: &str) -> Result<Sighting, Trouble> {
        let Account::Binance(account) = self;
        account.order(coin, client_id).await
    }

    /// Toutes les exécutions de cet ordre, ensemble.
    pub async fn executions(&self, coin: Coin, order_id: i64) -> Result<Executions, Trouble> {
        let Account::Binance(account) = self;
        account.executions(coin, order_id).await
    }

    /// Les exécutions de cette paire depuis `since`, à l'heure de la bourse. Une liste coupée est une erreur.
    pub async fn executions_since(&self, coin: Coin, since: Moment) -> Result<Vec<Execution>, Trouble> {
        let Account::Binance(account) = self;
        account.executions_since(coin, since).await
    }

    /// Les ordres de cette paire depuis `since`, à l'heure de la bourse. Une liste coupée est une erreur.
    pub async fn orders_since(&self, coin: Coin, since: Moment) -> Result<Vec<Report>, Trouble> {
        let Account::Binance(account) = self;
        account.orders_since(coin, since).await
    }

    /// Les ordres de cette paire à partir de `order_id`, compris, dans l'ordre. S'ils sont 1000, la suite est à
    /// demander depuis le dernier.
    pub async fn orders_from(&self, coin: Coin, order_id: i64) -> Result<Vec<Report>, Trouble> {
        let Account::Binance(account) = self;
        account.orders_from(coin, order_id).await
    }

    /// Les derniers ordres de cette paire, une page au plus, dans l'ordre.
    pub async fn recent_orders(&self, coin: Coin) -> Result<Vec<Report>, Trouble> {
        let Account::Binance(account) = self;
        account.recent_orders(coin).await
    }

    /// L'ordre de ce numéro.
    pub async fn order_numbered(&self, coin: Coin, order_id: i64) -> Result<Sighting, Trouble> {
        let Account::Binance(account) = self;
        account.order_numbered(coin, order_id).await
    }
}
