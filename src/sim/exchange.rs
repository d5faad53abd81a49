//! La bourse simulée : l'état derrière son verrou, et les poignées d'un test.
//!
//! Un seul verrou garde tout l'état : une requête est traitée entière ou pas du tout. Le journal des ordres
//! acceptés est l'oracle des tests ; rien ne l'efface, pas même [`Exchange::wipe`].

mod account;
mod calls;
mod cancellation;
mod clock;
mod engine;
mod key;
mod limits;
mod misquote;
mod movement;
mod order;
mod params;
mod person;
mod placement;
mod public;
mod reads;
mod refusal;
mod signed;
mod state;
mod ticket;
mod visibility;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ed25519_compact::PublicKey;
use rust_decimal::Decimal;

pub use account::{Account, Balance};
pub use misquote::Misquote;
pub use movement::{Movement, MovementKind};
pub use order::{Asked, Fill, Order, OrderSide, OrderStatus, TimeInForce};
pub use person::Person;
pub use state::SameId;
pub use visibility::{Lag, View};

use super::counterpart::Counterpart;
use super::market::{Book, Listing, Status};
use super::reply::Reply;
use super::request::Request;
use super::script::Script;
use state::State;

pub struct Exchange {
    state: Mutex<State>,
}

impl Counterpart for Exchange {
    fn arrived(&self, path: &str) {
        *self.lock().calls.entry(path.to_owned()).or_default() += 1;
    }

    fn answer(&self, request: &Request) -> Reply {
        self.lock().answer(request)
    }
}

/// Les poignées d'un test. Une paire inconnue y est une faute du test : elles paniquent.
impl Exchange {
    pub(super) fn new(script: &Script) -> Exchange {
        Exchange { state: Mutex::new(State::new(script)) }
    }

    /// Place le milieu du carnet, aligné sur le pas ; la moyenne suit.
    pub fn set_price(&self, pair: &str, mid: Decimal) {
        let mut state = self.lock();
        let (symbol, dice) = state.market.find_mut(pair).expect("a listed pair");
        symbol.set_price(mid, dice);
    }

    /// Le milieu du carnet.
    pub fn price(&self, pair: &str) -> Decimal {
        self.lock().market.find(pair).expect("a listed pair").mid
    }

    pub fn book(&self, pair: &str) -> Book {
        self.lock().market.find(pair).expect("a listed pair").book.clone()
    }

    /// Impose un carnet, vide s'il le faut, jusqu'au prochain mouvement de la paire.
    pub fn set_book(&self, pair: &str, book: Book) {
        self.lock().market.find_mut(pair).expect("a listed pair").0.set_book(book);
    }

    /// Met le carnet en miettes, jusqu'au prochain mouvement de la paire : `orders` ordres de `quantity` de chaque côté,
    /// tous au meilleur prix. Un ordre au marché y fait une exécution par miette.
    pub fn shred_book(&self, pair: &str, quantity: Decimal, orders: usize) {
        self.lock().market.find_mut(pair).expect("a listed pair").0.shred_book(quantity, orders);
    }

    /// Montre un carnet faux aux `readings` prochaines lectures de `bookTicker` et `depth` ; les échanges, `avgPrice` et
    /// `ticker/price` restent vrais.
    pub fn misquote(&self, pair: &str, misquote: Misquote, readings: u64) {
        let mut state = self.lock();
        let pair = state.market.find(pair).expect("a listed pair").pair;
        state.misquotes.set(pair, misquote, readings);
    }

    /// Les ordres que quelqu'un a envoyés après avoir lu un carnet faux de leur paire.
    pub fn misled_orders(&self) -> Vec<i64> {
        self.lock().misquotes.misled.clone()
    }

    /// Le carnet se montre de nouveau tel qu'il est.
    pub fn quote_truly(&self, pair: &str) {
        self.lock().misquotes.clear(pair);
    }

    /// Impose la moyenne publiée, qui sert au montant minimal, jusqu'au prochain [`Exchange::set_price`].
    pub fn set_average(&self, pair: &str, average: Decimal) {
        self.lock().market.find_mut(pair).expect("a listed pair").0.set_average(average);
    }

    pub fn set_status(&self, pair: &str, status: Status) {
        self.edit_listing(pair, |listing| listing.status = status);
    }

    /// Change les règles d'une paire : pas, minima, permissions, prix de référence.
    pub fn edit_listing(&self, pair: &str, edit: impl FnOnce(&mut Listing)) {
        edit(&mut self.lock().market.find_mut(pair).expect("a listed pair").0.listing);
    }

    /// Avance le marché d'un pas.
    pub fn step(&self) {
        self.lock().market.step();
    }

    pub fn balance(&self, asset: &str) -> Balance {
        self.lock().account.balance(asset)
    }

    pub fn balances(&self) -> BTreeMap<String, Balance> {
        self.lock().account.balances.clone()
    }

    /// Un autre que nous a touché au compte.
    pub fn set_balance(&self, asset: &str, free: Decimal) {
        let mut state = self.lock();
        let amount = free - state.account.balance(asset).free;
        let written = state.move_asset(MovementKind::Written, asset, amount);
        written.expect("a balance is never below zero");
    }

    /// Ce que la personne fait de son compte sur la page de la bourse.
    pub fn person(&self) -> Person<'_> {
        Person::new(&self.state)
    }

    /// Ce qui est entré au compte ou en est sorti sans ordre, dans l'ordre.
    pub fn movements(&self) -> Vec<Movement> {
        self.lock().movements.clone()
    }

    /// Un ordre fini sans exécution est archivé aussitôt : `GET order` répond -2026, `allOrders` ne le rend plus.
    pub fn archive_at_once(&self, at_once: bool) {
        self.lock().archives_at_once = at_once;
    }

    /// Un autre que nous pose un ordre LIMIT, sans passer par l'API ni le journal : il reste ouvert et immobilise
    /// son dû. Rend son `orderId`, ou `None` sans le solde.
    pub fn rest_order(
        &self,
        pair: &str,
        side: OrderSide,
        price: Decimal,
        quantity: Decimal,
        client_id: &str,
    ) -> Option<i64> {
        self.lock().rest(pair, side, price, quantity, client_id)
    }

    /// Change les droits du compte ou de la clé, et les commissions.
    pub fn edit_account(&self, edit: impl FnOnce(&mut Account)) {
        edit(&mut self.lock().account);
    }

    /// L'utilisateur a collé cette moitié publique : la clé signe désormais en Ed25519, et plus par HMAC.
    pub fn register_public_key(&self, pem: &str) {
        self.lock().public_key = Some(PublicKey::from_pem(pem).expect("a public key in PEM form"));
    }

    /// Requêtes arrivées sur ce chemin, pannes comprises.
    pub fn calls(&self, path: &str) -> u64 {
        self.lock().calls.get(path).copied().unwrap_or(0)
    }

    /// L'oracle : tous les ordres acceptés, dans l'ordre.
    pub fn accepted_orders(&self) -> Vec<Order> {
        self.lock().journal.clone()
    }

    pub fn set_lag(&self, view: View, lag: Lag) {
        self.lock().visibility.set(view, lag);
    }

    /// Avance (ou recule) l'heure de la bourse sur celle du monde.
    pub fn set_skew(&self, skew_ms: i64) {
        let mut state = self.lock();
        state.clock.set_skew(skew_ms);
        state.misquotes.lose_the_hour();
    }

    /// Fait dériver l'heure de la bourse à partir de maintenant.
    pub fn set_drift(&self, parts_per_million: i64) {
        self.lock().clock.set_drift(parts_per_million);
    }

    pub fn set_weight_limit(&self, per_minute: i64) {
        self.lock().limits.weight_limit = per_minute;
    }

    pub fn set_raw_limit(&self, per_five_minutes: i64) {
        self.lock().limits.raw_limit = per_five_minutes;
    }

    pub fn set_order_limit(&self, per_ten_seconds: i64) {
        self.lock().limits.orders_per_10s = per_ten_seconds;
    }

    pub fn set_same_id(&self, same_id: SameId) {
        self.lock().same_id = same_id;
    }

    /// Remise à zéro du testnet : ordres oubliés, soldes de départ.
    pub fn wipe(&self) {
        let mut state = self.lock();
        state.orders.clear();
        state.account.balances = Account::new(&state.opening_balances).balances;
        state.past_balances.clear();
        state.remember_balances();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
