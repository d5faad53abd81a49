//! La bourse simulée : la table des appels, l'état derrière, et les poignées d'un test.
//!
//! Un seul verrou garde tout l'état : une requête est traitée entière ou pas du tout. Le journal des ordres
//! acceptés est l'oracle des tests ; rien ne l'efface, pas même [`Exchange::wipe`].

mod account;
mod cancellation;
mod clock;
mod engine;
mod key;
mod limits;
mod order;
mod params;
mod placement;
mod public;
mod reads;
mod refusal;
mod signed;
mod ticket;
mod visibility;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ed25519_compact::PublicKey;
use jiff::Timestamp;
use rust_decimal::Decimal;

pub use account::{Account, Balance};
pub use order::{Asked, Fill, Order, OrderSide, OrderStatus, TimeInForce};
pub use visibility::{Lag, View};

use super::direct::Counterpart;
use super::json::{Json, object};
use super::market::{Book, Listing, Market, Status};
use super::reply::Reply;
use super::request::Request;
use super::{Pace, Script};
use account::Balances;
use clock::Clock;
use limits::Limits;
use params::Params;
use refusal::Refusal;
use signed::Permission;
use visibility::{Stamp, Visibility};

/// Ce qu'une recherche par `origClientOrderId` rend quand plusieurs ordres le portent (fiche 13.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameId {
    Latest,
    Earliest,
}

pub struct Exchange {
    state: Mutex<State>,
}

struct State {
    pace: Pace,
    api_key: String,
    api_secret: String,
    /// Si elle est là, la clé est Ed25519 et le secret ne sert plus.
    public_key: Option<PublicKey>,
    clock: Clock,
    market: Market,
    limits: Limits,
    account: Account,
    opening_balances: Vec<(String, Decimal)>,
    /// Soldes après chaque changement : ce que lit une vue en retard.
    past_balances: Vec<(Stamp, Balances)>,
    orders: Vec<Order>,
    journal: Vec<Order>,
    next_order_id: i64,
    next_trade_id: i64,
    dice: fastrand::Rng,
    visibility: Visibility,
    same_id: SameId,
    calls: BTreeMap<String, u64>,
}

impl State {
    /// La table des appels.
    fn route(&mut self, request: &Request, params: &Params) -> Option<Result<Json, Refusal>> {
        let read = Permission::Read;
        Some(match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/api/v3/ping") => params.only(&[], false).map(|()| object! {}),
            ("GET", "/api/v3/time") => params
                .only(&[], false)
                .map(|()| object! { "serverTime": Json::Time(self.clock.now_micros()) }),
            ("GET", "/api/v3/exchangeInfo") => self.exchange_info(params),
            ("GET", "/api/v3/ticker/price") => self.ticker(params, public::price_ticker),
            ("GET", "/api/v3/ticker/bookTicker") => self.ticker(params, public::book_ticker),
            ("GET", "/api/v3/avgPrice") => self.average_price(params),
            ("GET", "/api/v3/depth") => self.depth(params),
            ("GET", "/api/v3/referencePrice") => self.reference_price(params),
            ("GET", "/api/v3/executionRules") => self.execution_rules(params),
            ("POST", "/api/v3/order") => {
                self.signed(request, params, Permission::Trade).and_then(|()| self.place_order(params))
            }
            ("POST", "/api/v3/order/test") => {
                self.signed(request, params, Permission::Trade).and_then(|()| self.test_order(params))
            }
            ("DELETE", "/api/v3/order") => {
                self.signed(request, params, Permission::Trade).and_then(|()| self.cancel_order(params))
            }
            ("GET", "/api/v3/order") => {
                self.signed(request, params, read).and_then(|()| self.query_order(params))
            }
            ("GET", "/api/v3/openOrders") => {
                self.signed(request, params, read).and_then(|()| self.open_orders(params))
            }
            ("GET", "/api/v3/allOrders") => {
                self.signed(request, params, read).and_then(|()| self.all_orders(params))
            }
            ("GET", "/api/v3/myTrades") => {
                self.signed(request, params, read).and_then(|()| self.my_trades(params))
            }
            ("GET", "/api/v3/account") => {
                self.signed(request, params, read).and_then(|()| self.read_account(params))
            }
            ("GET", "/api/v3/account/commission") => {
                self.signed(request, params, read).and_then(|()| self.commission_rates(params))
            }
            ("GET", "/api/v3/myFilters") => {
                self.signed(request, params, read).and_then(|()| self.my_filters(params))
            }
            ("GET", "/api/v3/rateLimit/order") => {
                self.signed(request, params, read).and_then(|()| self.order_counts(params))
            }
            ("GET", "/sapi/v1/account/apiRestrictions") => {
                self.signed(request, params, read).and_then(|()| self.key_restrictions(params))
            }
            ("GET", "/sapi/v1/system/status") => Ok(object! { "status": 0i64, "msg": "normal" }),
            _ => return None,
        })
    }

    fn answer(&mut self, request: &Request) -> Reply {
        let now_ms = self.clock.now_ms();
        let parsed = Params::parse(&request.query, &String::from_utf8_lossy(&request.body));
        let weight = parsed.as_ref().map_or(1, |params| weight(request, params));
        let routed = match self.limits.charge(now_ms, weight).and(parsed) {
            Ok(params) => self.route(request, &params),
            Err(refusal) => Some(Err(refusal)),
        };
        let reply = match routed {
            None => not_found(request),
            Some(Err(refusal)) => refusal.reply(),
            Some(Ok(json)) => {
                let unit = request.header("X-MBX-TIME-UNIT").unwrap_or_default();
                let finer = unit.eq_ignore_ascii_case("MICROSECOND") && request.path.starts_with("/api/");
                let json = if finer { json.in_microseconds() } else { json };
                let mut reply = Reply::json(200, json.to_string());
                if (request.method.as_str(), request.path.as_str()) == ("POST", "/api/v3/order") {
                    self.limits.refund(now_ms, weight);
                    let (ten_seconds, day) = self.limits.order_counts(now_ms);
                    reply = reply
                        .header("x-mbx-order-count-10s", &ten_seconds.to_string())
                        .header("x-mbx-order-count-1d", &day.to_string());
                }
                reply
            }
        };
        let used = self.limits.used_weight(now_ms).to_string();
        let date =
            Timestamp::from_millisecond(now_ms).unwrap_or_default().strftime("%a, %d %b %Y %H:%M:%S GMT");
        reply
            .header("Date", &date.to_string())
            .header("x-mbx-used-weight", &used)
            .header("x-mbx-used-weight-1m", &used)
    }

    /// Garde les soldes d'après ce changement pour les lectures en retard ; les plus vieux s'en vont.
    fn remember_balances(&mut self) {
        let stamp = self.visibility.stamp(self.clock.now_ms());
        if self.past_balances.len() == 1_024 {
            self.past_balances.remove(0);
        }
        self.past_balances.push((stamp, self.account.balances.clone()));
    }
}

/// Poids de la fiche Binance, 2.1.
fn weight(request: &Request, params: &Params) -> i64 {
    let one_symbol = params.get("symbol").is_some();
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/api/v3/exchangeInfo") => 20,
        ("GET", "/api/v3/ticker/price" | "/api/v3/ticker/bookTicker") => {
            if one_symbol {
                2
            } else {
                4
            }
        }
        ("GET", "/api/v3/avgPrice" | "/api/v3/referencePrice") => 2,
        ("GET", "/api/v3/depth") => match public::depth_limit(params).unwrap_or(100) {
            0..=100 => 5,
            101..=500 => 25,
            501..=1_000 => 50,
            _ => 250,
        },
        ("GET", "/api/v3/executionRules") => {
            let named = params.symbols().ok().flatten().map_or(20, |symbols| symbols.len().clamp(1, 20));
            if one_symbol { 2 } else { 2 * named as i64 }
        }
        ("GET", "/api/v3/account" | "/api/v3/account/commission" | "/api/v3/allOrders") => 20,
        ("GET", "/api/v3/order") => 4,
        ("GET", "/api/v3/openOrders") => {
            if one_symbol {
                6
            } else {
                80
            }
        }
        ("GET", "/api/v3/myTrades") => {
            if params.get("orderId").is_some() {
                5
            } else {
                20
            }
        }
        ("GET", "/api/v3/rateLimit/order" | "/api/v3/myFilters") => 40,
        ("POST", "/api/v3/order/test") if params.get("computeCommissionRates") == Some("true") => 20,
        // `sapi` a son budget à part.
        (_, path) if path.starts_with("/sapi/") => 0,
        _ => 1,
    }
}

fn not_found(request: &Request) -> Reply {
    match request.header("Accept").is_some_and(|accept| accept.contains("text/html")) {
        true => Reply::html(404, "<html><body>404 Not Found</body></html>"),
        false => Reply::empty(404),
    }
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
        let mut state = State {
            pace: script.pace,
            api_key: script.api_key.clone(),
            api_secret: script.api_secret.clone(),
            public_key: None,
            clock: Clock::new(script.hour.clone()),
            market: Market::new(script.seed),
            limits: Limits::new(),
            account: Account::new(&script.balances),
            opening_balances: script.balances.clone(),
            past_balances: Vec::new(),
            orders: Vec::new(),
            journal: Vec::new(),
            next_order_id: 100_001,
            next_trade_id: 20_001,
            dice: fastrand::Rng::with_seed(script.seed ^ 0x0072_6465_7273),
            visibility: Visibility::new(),
            same_id: SameId::Latest,
            calls: BTreeMap::new(),
        };
        state.remember_balances();
        Exchange { state: Mutex::new(state) }
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
        state.account.set_free(asset, free);
        state.remember_balances();
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
        self.lock().clock.set_skew(skew_ms);
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
