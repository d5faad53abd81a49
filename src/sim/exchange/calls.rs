//! La table des appels, ce que chacun pèse, et l'enveloppe d'une réponse.

use jiff::Timestamp;

use super::params::Params;
use super::public;
use super::refusal::Refusal;
use super::signed::Permission;
use super::state::State;
use crate::sim::json::{Json, object};
use crate::sim::reply::Reply;
use crate::sim::request::Request;

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
            ("GET", "/api/v3/ticker/price") => self.ticker(params, State::price_ticker),
            ("GET", "/api/v3/ticker/bookTicker") => self.ticker(params, State::book_ticker),
            ("GET", "/api/v3/avgPrice") => self.average_price(params),
            ("GET", "/api/v3/depth") => self.depth(params),
            ("GET", "/api/v3/trades") => self.recent_trades(params),
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

    pub(super) fn answer(&mut self, request: &Request) -> Reply {
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
        // Documentation de la bourse ; la fiche ne le dit pas.
        ("GET", "/api/v3/trades") => 25,
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
