//! Le monde simulé, par un vrai client HTTP : ce que le reste du projet en voit.
//!
//! Les coupures, les refus et les comptes ligne à ligne sont dans `src/sim/tests`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use calvalot::sim::{
    Delivery, Direct, Fault, Hour, NotionalFilter, On, OrderSide, Pace, Script, Side, Status, Wire, World,
};
use hmac::{Hmac, KeyInit, Mac};
use isahc::http::HeaderMap;
use isahc::prelude::*;
use isahc::{HttpClient, Request};
use miniserde::json::{self, Value};
use rust_decimal::Decimal;
use sha2::Sha256;

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn value(&self) -> Value {
        json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

fn call(method: &str, url: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = HttpClient::new().unwrap().send(request.body(()).unwrap()).unwrap();
    let body = String::from_utf8(response.bytes().unwrap()).unwrap();
    Answer { status: response.status().as_u16(), headers: response.headers().clone(), body }
}

fn get(world: &World, target: &str) -> Answer {
    call("GET", &format!("{}{target}", world.exchange_url()), &[])
}

fn signed(world: &World, method: &str, path: &str, params: &str) -> Answer {
    let url = format!("{}{path}?{}", world.exchange_url(), signed_params(params));
    call(method, &url, &[("X-MBX-APIKEY", &Script::default().api_key)])
}

fn signed_params(params: &str) -> String {
    let payload = format!("{params}&timestamp={}", unix_ms());
    format!("{payload}&signature={}", hmac_hex(&Script::default().api_secret, &payload))
}

fn poll(world: &World, timestamp: i64, secret: &str) -> Answer {
    let timestamp = timestamp.to_string();
    let headers = [
        ("X-Signal-Timestamp", timestamp.as_str()),
        ("X-Signal-Signature", &hmac_hex(secret, &timestamp)),
        ("X-Follower-Version", "9.9.9"),
    ];
    call("GET", &format!("{}/api/signal/latest", world.leader_url()), &headers)
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn hmac_hex(secret: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unix_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn at<'a>(value: &'a Value, key: &str) -> &'a Value {
    let Value::Object(fields) = value else { panic!("not an object") };
    fields.get(key).unwrap_or_else(|| panic!("no field {key}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    let Value::String(text) = at(value, key) else { panic!("{key} is not a text") };
    text
}

fn list(value: &Value) -> &[Value] {
    let Value::Array(values) = value else { panic!("not an array") };
    values
}

fn frozen() -> World {
    let balances = vec![("USDC".to_owned(), Decimal::ONE_THOUSAND)];
    World::start(Script { pace: Pace::Frozen, balances, ..Script::default() }).unwrap()
}

fn place(world: &World, params: &str) -> Answer {
    signed(world, "POST", "/api/v3/order", params)
}

fn buy(client_id: &str) -> String {
    format!("symbol=BTCUSDC&side=BUY&type=MARKET&quoteOrderQty=25&newClientOrderId={client_id}")
}

fn poll_now(world: &World) -> Answer {
    poll(world, unix_ms() / 1_000, &Script::default().secret)
}

/// Prix et signaux de quarante tours, heures exceptées.
fn story(seed: u64) -> Vec<String> {
    let world = World::start(Script { seed, ..Script::default() }).unwrap();
    let mut lines = Vec::new();
    for _ in 0..40 {
        lines.push(get(&world, "/api/v3/ticker/bookTicker").body);
        let signal = poll_now(&world).value();
        let told = ["signal_id", "reasoning"].map(|key| text(&signal, key).to_owned());
        lines.push(format!("{told:?} {}", json::to_string(at(&signal, "portfolio_state"))));
    }
    lines
}

#[test]
fn two_worlds_with_the_same_seed_tell_the_same_story() {
    let story_of_seven = story(7);
    assert_eq!(story_of_seven, story(7));
    assert_ne!(story_of_seven, story(8));
    let signals: Vec<&String> = story_of_seven.iter().filter(|line| line.contains("sig-0008")).collect();
    assert_eq!(signals.len(), 5, "forty polls, one mind every five");
}

/// Quarante achats sans réseau, une seconde de la simulation entre deux, une réponse sur quatre perdue.
fn story_without_a_network(seed: u64) -> (Vec<String>, usize) {
    let hour = Arc::new(AtomicI64::new(1_790_000_000_000_000));
    let script = Script { seed, hour: Hour::Set(hour.clone()), ..Script::default() };
    let key = script.api_key.clone();
    let world = Direct::new(script);
    world.fault(On::exchange("/api/v3/order").chance(0.25), Fault::processed(Wire::Silence));
    let mut lines = Vec::new();
    for rank in 0..40 {
        let now_ms = hour.fetch_add(1_000_000, Ordering::SeqCst) / 1_000 + 1_000;
        let payload = format!("{}&timestamp={now_ms}", buy(&format!("n{rank}")));
        let signature = hmac_hex(&Script::default().api_secret, &payload);
        let order = format!("/api/v3/order?{payload}&signature={signature}");
        for (method, target) in [("GET", "/api/v3/ticker/bookTicker"), ("POST", &order)] {
            let arrival = world.arrive(Side::Exchange, method, target, &[("X-MBX-APIKEY", &key)], b"");
            lines.push(match arrival.process() {
                Delivery::Whole(reply) => format!("{reply:?}"),
                other => format!("{other:?}"),
            });
        }
    }
    (lines, world.exchange().accepted_orders().len())
}

#[test]
fn without_a_network_the_same_seed_tells_the_same_story_to_the_last_byte() {
    let (story, orders) = story_without_a_network(7);
    assert_eq!((story.clone(), orders), story_without_a_network(7));
    assert_ne!(story, story_without_a_network(8).0);
    assert!(story.contains(&"Never".to_owned()));
    assert_eq!(orders, 40, "1000 USDC pay forty orders of 25 at most, heard of or not");
}

#[test]
fn the_leader_serves_its_signal_to_a_signed_request_only() {
    let world = frozen();
    let id = world.leader().set_target(&[("BTCUSDC", decimal("0.4"))]);
    let now = unix_ms() / 1_000;
    let answer = poll_now(&world);
    assert_eq!(answer.status, 200);
    let signal = answer.value();
    assert_eq!(text(&signal, "signal_id"), id);
    assert!(
        answer.body.contains(r#""positions":[{"coin":"BTCUSDC","pct_of_portfolio":0.4}]"#),
        "{}",
        answer.body
    );
    assert!(answer.body.contains(r#""version":2"#));
    assert_eq!(poll(&world, now, "wrong").status, 403);
    assert_eq!(poll(&world, now - 310, &Script::default().secret).status, 403);
    assert_eq!(poll(&world, now + 310, &Script::default().secret).status, 403);
    assert_eq!(call("GET", &format!("{}/api/signal/latest", world.leader_url()), &[]).status, 403);
    assert_eq!((world.leader().polls(), world.leader().refused(), world.leader().requests()), (1, 4, 5));
    assert_eq!(world.leader().last_version_header().as_deref(), Some("9.9.9"));
}

#[test]
fn the_leader_serves_whatever_a_test_puts_in_its_mouth() {
    let world = frozen();
    world.leader().no_signal();
    let answer = poll_now(&world);
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    world.leader().set_raw(r#"{"signal_id":NaN}"#);
    assert_eq!(poll_now(&world).body, r#"{"signal_id":NaN}"#);
    world.leader().set_actions(&[("ETHUSDC", "SELL", decimal("0.05"))], None);
    let body = poll_now(&world).body;
    assert!(body.contains(r#""version":1"#) && !body.contains("portfolio_state"), "{body}");
    assert!(body.contains(r#"[{"coin":"ETHUSDC","action":"SELL","pct_of_capital":0.05}]"#), "{body}");
}

#[test]
fn exchange_info_has_the_shape_of_the_real_one() {
    let world = frozen();
    let answer = get(&world, "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDC%22%2C%22ETHUSDC%22%5D");
    let value = answer.value();
    assert!(answer.body.starts_with(r#"{"timezone":"UTC","serverTime":1"#));
    assert!(answer.body.contains(r#""exchangeFilters":[],"symbols":["#));
    let symbols = list(at(&value, "symbols"));
    assert_eq!(
        symbols.iter().map(|symbol| text(symbol, "symbol")).collect::<Vec<_>>(),
        ["BTCUSDC", "ETHUSDC"]
    );
    assert!(answer.body.contains(
        r#"{"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"}"#
    ));
    assert!(answer.body.contains(r#"{"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","#));
    assert!(
        answer.body.contains(r#""filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true"#)
    );
    assert!(answer.body.contains(r#""permissions":[],"permissionSets":[["SPOT","MARGIN","TRD_GRP_004"]]"#));
    world.exchange().edit_listing("BTCUSDC", |listing| {
        listing.notional_filter = NotionalFilter::MinNotional;
        listing.status = Status::Halt;
    });
    let changed = get(&world, "/api/v3/exchangeInfo?symbol=BTCUSDC&showPermissionSets=false").body;
    assert!(
        changed.contains(r#""filterType":"MIN_NOTIONAL","minNotional":"5.00000000","applyToMarket":true"#)
    );
    assert!(changed.contains(r#""status":"HALT""#) && !changed.contains("permissionSets"));
}

#[test]
fn ticker_depth_and_average_agree_and_weigh_what_they_should() {
    let world = frozen();
    world.exchange().set_price("ETHUSDC", decimal("2500.00"));
    let book = get(&world, "/api/v3/ticker/bookTicker?symbols=[%22ETHUSDC%22]");
    let (ticker, weight) = (book.value(), book.header("X-MBX-USED-WEIGHT-1M").map(str::to_owned));
    let ticker = &list(&ticker)[0];
    assert_eq!((text(ticker, "bidPrice"), text(ticker, "askPrice")), ("2499.99000000", "2500.01000000"));
    assert_eq!(weight.as_deref(), Some("4"));
    assert_eq!(
        get(&world, "/api/v3/ticker/price?symbol=ETHUSDC").body,
        r#"{"symbol":"ETHUSDC","price":"2500.00000000"}"#
    );
    assert_eq!(text(&get(&world, "/api/v3/avgPrice?symbol=ETHUSDC").value(), "price"), "2500.00000000");
    let depth = get(&world, "/api/v3/depth?symbol=ETHUSDC&limit=5");
    assert!(depth.body.contains(r#""bids":[["2499.99000000","#), "{}", depth.body);
    assert_eq!(list(at(&depth.value(), "asks")).len(), 5);
    assert_eq!(depth.header("X-MBX-USED-WEIGHT-1M"), Some("13"));
}

#[test]
fn the_account_has_the_shape_of_the_real_one() {
    let world = frozen();
    world.exchange().set_balance("BTC", Decimal::ZERO);
    let answer = signed(&world, "GET", "/api/v3/account", "omitZeroBalances=true");
    let value = answer.value();
    assert_eq!(text(at(&value, "commissionRates"), "taker"), "0.00100000");
    assert!(
        answer.body.contains(r#""balances":[{"asset":"USDC","free":"1000.00000000","locked":"0.00000000"}]"#)
    );
    assert!(answer.body.contains(r#""canTrade":true"#) && answer.body.contains(r#""takerCommission":10,"#));
    assert!(signed(&world, "GET", "/api/v3/account", "").body.contains(r#""asset":"BTC""#));
}

#[test]
fn buying_by_amount_then_selling_by_quantity_conserves_balances_to_the_last_digit() {
    let world = frozen();
    world.exchange().set_price("BTCUSDC", decimal("68012.34"));
    let bought = place(&world, &buy("first-1")).value();
    assert_eq!((text(&bought, "status"), text(&bought, "origQuoteOrderQty")), ("FILLED", "25.00000000"));
    assert_eq!(text(&bought, "executedQty"), "0.00036000");
    assert_eq!(text(&bought, "cummulativeQuoteQty"), "24.48444600");
    assert_eq!(text(&list(at(&bought, "fills"))[0], "commission"), "0.00000036");
    assert_eq!(world.exchange().balance("BTC").free, decimal("0.00035964"));
    assert_eq!(world.exchange().balance("USDC").free, decimal("975.515554"));

    let sold = place(&world, "symbol=BTCUSDC&side=SELL&type=MARKET&quantity=0.00035").value();
    assert_eq!(text(&sold, "clientOrderId").len(), 22);
    assert_eq!(world.exchange().balance("BTC").free, decimal("0.00000964"));

    let (mut usdc, mut btc) = (Decimal::ONE_THOUSAND, Decimal::ZERO);
    for order in world.exchange().accepted_orders() {
        let bought = order.side == OrderSide::Buy;
        for fill in &order.fills {
            let sign = if bought { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
            btc += sign * fill.quantity - if bought { fill.commission } else { Decimal::ZERO };
            usdc -= sign * fill.price * fill.quantity + if bought { Decimal::ZERO } else { fill.commission };
        }
    }
    assert_eq!((world.exchange().balance("USDC").free, world.exchange().balance("BTC").free), (usdc, btc));

    let query = "symbol=BTCUSDC&origClientOrderId=first-1";
    let record = signed(&world, "GET", "/api/v3/order", query).value();
    assert_eq!(text(&record, "cummulativeQuoteQty"), "24.48444600");
    let trades = signed(&world, "GET", "/api/v3/myTrades", "symbol=BTCUSDC").value();
    assert_eq!(text(&list(&trades)[0], "commissionAsset"), "BTC");
    assert_eq!(text(&list(&trades)[1], "commissionAsset"), "USDC");
}

#[test]
fn a_real_client_keeps_its_connection_and_sends_its_order_in_the_body() {
    let world = frozen();
    let client = HttpClient::new().unwrap();
    for _ in 0..3 {
        let mut answer = client.get(format!("{}/api/v3/ping", world.exchange_url())).unwrap();
        assert_eq!(answer.bytes().unwrap(), b"{}");
    }
    let body = signed_params(&buy("body"));
    let request = Request::post(format!("{}/api/v3/order", world.exchange_url()))
        .header("X-MBX-APIKEY", Script::default().api_key)
        .body(body)
        .unwrap();
    assert_eq!(client.send(request).unwrap().status().as_u16(), 200);
    assert_eq!(world.exchange().accepted_orders()[0].client_id, "body");
}
