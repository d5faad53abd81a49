//! Le monde simulé, vu du fil : ce que le leader et la bourse répondent, et ce que chaque panne fait vraiment.
//!
//! Les tests parlent par un `TcpStream` nu, pour voir les octets et les coupures ; un seul passe par isahc. Les
//! comptes se vérifient sur l'oracle de la bourse, jamais sur les réponses seules.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use calvalot::sim::{
    Asked, Balance, Book, Fault, Lag, Level, NotionalFilter, On, OrderSide, OrderStatus, Pace,
    Reply, SameId, Script, Side, Status, View, Wire, World,
};
use hmac::{Hmac, KeyInit, Mac};
use isahc::prelude::*;
use miniserde::json::{self, Value};
use rust_decimal::Decimal;
use sha2::Sha256;

const ORDER: &str = "/api/v3/order";

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn hmac_hex(secret: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn unix_ms() -> i64 {
    i64::try_from(
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_millis(),
    )
    .unwrap()
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn value(&self) -> Value {
        json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Statut, code et texte d'un refus.
    fn refusal(&self) -> (u16, i64, String) {
        let value = self.value();
        let Value::Number(json::Number::I64(code)) = at(&value, "code") else {
            panic!("no code: {}", self.body)
        };
        (self.status, *code, text(&value, "msg").to_owned())
    }
}

fn at<'a>(value: &'a Value, key: &str) -> &'a Value {
    let Value::Object(fields) = value else {
        panic!("not an object")
    };
    fields.get(key).unwrap_or_else(|| panic!("no field {key}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    let Value::String(text) = at(value, key) else {
        panic!("{key} is not a text")
    };
    text
}

fn list(value: &Value) -> &[Value] {
    let Value::Array(values) = value else {
        panic!("not an array")
    };
    values
}

fn keys(value: &Value) -> Vec<&str> {
    let Value::Object(fields) = value else {
        panic!("not an object")
    };
    fields.keys().map(String::as_str).collect()
}

/// Envoie une requête sur une connexion neuve, sans rien lire.
fn send(url: &str, method: &str, target: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    stream
}

fn receive(mut stream: TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let whole = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = whole
        .split_once("\r\n\r\n")
        .ok_or(ErrorKind::UnexpectedEof)?;
    let status = head
        .get(9..12)
        .and_then(|text| text.parse().ok())
        .ok_or(ErrorKind::InvalidData)?;
    Ok(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

fn frozen() -> World {
    let balances = vec![("USDC".to_owned(), Decimal::ONE_THOUSAND)];
    World::start(Script {
        pace: Pace::Frozen,
        balances,
        ..Script::default()
    })
    .unwrap()
}

fn get(world: &World, target: &str) -> Answer {
    receive(send(&world.exchange_url(), "GET", target, "")).unwrap()
}

/// Une requête signée, avec l'heure de la machine et une fenêtre de 5 s.
fn signed_target(path: &str, params: &str) -> String {
    stamped_target(path, params, &format!("timestamp={}", unix_ms()))
}

fn stamped_target(path: &str, params: &str, stamp: &str) -> String {
    let payload = if params.is_empty() {
        stamp.to_owned()
    } else {
        format!("{params}&{stamp}")
    };
    let signature = hmac_hex(&Script::default().api_secret, &payload);
    format!("{path}?{payload}&signature={signature}")
}

fn send_signed(world: &World, method: &str, path: &str, params: &str) -> TcpStream {
    let key = format!("X-MBX-APIKEY: {}\r\n", Script::default().api_key);
    send(
        &world.exchange_url(),
        method,
        &signed_target(path, params),
        &key,
    )
}

fn signed(world: &World, method: &str, path: &str, params: &str) -> Answer {
    receive(send_signed(world, method, path, params)).unwrap()
}

fn place(world: &World, params: &str) -> Answer {
    signed(world, "POST", ORDER, params)
}

fn buy(client_id: &str) -> String {
    format!("symbol=BTCUSDC&side=BUY&type=MARKET&quoteOrderQty=25&newClientOrderId={client_id}")
}

fn poll(world: &World, timestamp: i64, secret: &str) -> Answer {
    let signature = hmac_hex(secret, &timestamp.to_string());
    let headers = format!(
        "X-Signal-Timestamp: {timestamp}\r\nX-Signal-Signature: {signature}\r\nX-Follower-Version: 9.9.9\r\n"
    );
    receive(send(
        &world.leader_url(),
        "GET",
        "/api/signal/latest",
        &headers,
    ))
    .unwrap()
}

fn poll_now(world: &World) -> Answer {
    poll(world, unix_ms() / 1_000, &Script::default().secret)
}

/// Les soldes que l'oracle impose : départ, exécutions, commissions.
fn expected_balances(world: &World, start: &[(&str, Decimal)]) -> BTreeMap<String, Decimal> {
    let mut held: BTreeMap<String, Decimal> = start
        .iter()
        .map(|(asset, free)| (asset.to_string(), *free))
        .collect();
    for order in world.exchange().accepted_orders() {
        let base = order.pair.trim_end_matches("USDC");
        for fill in &order.fills {
            let sign = if order.side == OrderSide::Buy {
                Decimal::ONE
            } else {
                Decimal::NEGATIVE_ONE
            };
            *held.entry(base.to_owned()).or_default() += sign * fill.quantity;
            *held.entry("USDC".to_owned()).or_default() -= sign * fill.quantity * fill.price;
            *held.entry(fill.commission_asset.clone()).or_default() -= fill.commission;
        }
    }
    held
}

fn assert_balances(world: &World, start: &[(&str, Decimal)]) {
    for (asset, expected) in expected_balances(world, start) {
        let Balance { free, .. } = world.exchange().balance(&asset);
        assert!(
            free == expected && free >= Decimal::ZERO,
            "{asset}: {free} instead of {expected}"
        );
    }
}

/// Prix et signaux de quarante tours, heures exceptées.
fn story(seed: u64) -> Vec<String> {
    let world = World::start(Script {
        seed,
        ..Script::default()
    })
    .unwrap();
    let mut lines = Vec::new();
    for _ in 0..40 {
        lines.push(get(&world, "/api/v3/ticker/bookTicker").body);
        let signal = poll_now(&world).value();
        let told = ["signal_id", "reasoning"].map(|key| text(&signal, key).to_owned());
        lines.push(format!(
            "{told:?} {}",
            json::to_string(at(&signal, "portfolio_state"))
        ));
    }
    lines
}

#[test]
fn two_worlds_with_the_same_seed_tell_the_same_story() {
    let story_of_seven = story(7);
    assert_eq!(story_of_seven, story(7));
    assert_ne!(story_of_seven, story(8));
    let signals: Vec<&String> = story_of_seven
        .iter()
        .filter(|line| line.contains("sig-0008"))
        .collect();
    assert_eq!(signals.len(), 5, "forty polls, one mind every five");
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
        answer
            .body
            .contains(r#""positions":[{"coin":"BTCUSDC","pct_of_portfolio":0.4}]"#),
        "{}",
        answer.body
    );
    assert!(answer.body.contains(r#""version":2"#));
    assert_eq!(poll(&world, now, "wrong").status, 403);
    assert_eq!(
        poll(&world, now - 310, &Script::default().secret).status,
        403
    );
    assert_eq!(
        poll(&world, now + 310, &Script::default().secret).status,
        403
    );
    assert_eq!(
        receive(send(&world.leader_url(), "GET", "/api/signal/latest", ""))
            .unwrap()
            .status,
        403
    );
    assert_eq!(
        (
            world.leader().polls(),
            world.leader().refused(),
            world.leader().requests()
        ),
        (1, 4, 5)
    );
    assert_eq!(
        world.leader().last_version_header().as_deref(),
        Some("9.9.9")
    );
}

#[test]
fn the_leader_serves_whatever_a_test_puts_in_its_mouth() {
    let world = frozen();
    world.leader().no_signal();
    let answer = poll_now(&world);
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    world.leader().set_raw(r#"{"signal_id":NaN}"#);
    assert_eq!(poll_now(&world).body, r#"{"signal_id":NaN}"#);
    world
        .leader()
        .set_actions(&[("ETHUSDC", "SELL", decimal("0.05"))], None);
    let body = poll_now(&world).body;
    assert!(
        body.contains(r#""version":1"#) && !body.contains("portfolio_state"),
        "{body}"
    );
    assert!(
        body.contains(r#"[{"coin":"ETHUSDC","action":"SELL","pct_of_capital":0.05}]"#),
        "{body}"
    );
}

#[test]
fn exchange_info_has_the_shape_of_the_real_one() {
    let world = frozen();
    let answer = get(
        &world,
        "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDC%22%2C%22ETHUSDC%22%5D",
    );
    let value = answer.value();
    assert_eq!(
        keys(&value),
        [
            "exchangeFilters",
            "rateLimits",
            "serverTime",
            "symbols",
            "timezone"
        ]
    );
    let symbols = list(at(&value, "symbols"));
    assert_eq!(
        symbols
            .iter()
            .map(|symbol| text(symbol, "symbol"))
            .collect::<Vec<_>>(),
        ["BTCUSDC", "ETHUSDC"]
    );
    assert!(answer.body.contains(
        r#"{"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"}"#
    ));
    assert!(
        answer
            .body
            .contains(r#"{"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","#)
    );
    assert!(
        answer.body.contains(
            r#""filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true"#
        )
    );
    assert!(
        answer
            .body
            .contains(r#""permissions":[],"permissionSets":[["SPOT","MARGIN","TRD_GRP_004"]]"#)
    );
    world.exchange().edit_listing("BTCUSDC", |listing| {
        listing.notional_filter = NotionalFilter::MinNotional;
        listing.status = Status::Halt;
    });
    let changed = get(
        &world,
        "/api/v3/exchangeInfo?symbol=BTCUSDC&showPermissionSets=false",
    )
    .body;
    assert!(changed.contains(
        r#""filterType":"MIN_NOTIONAL","minNotional":"5.00000000","applyToMarket":true"#
    ));
    assert!(changed.contains(r#""status":"HALT""#) && !changed.contains("permissionSets"));
}

#[test]
fn public_calls_refuse_as_the_real_exchange_does() {
    let world = frozen();
    let cases = [
        (
            "/api/v3/exchangeInfo?symbol=NOPEUSDC",
            -1121,
            "Invalid symbol.",
        ),
        (
            "/api/v3/exchangeInfo?symbols=[%22BTCUSDC%22,%22NOPE%22]",
            -1121,
            "Invalid symbol.",
        ),
        (
            "/api/v3/exchangeInfo?symbols=[%22BTCUSDC%22,%22BTCUSDC%22]",
            -1151,
            "Symbol is present multiple times in the list.",
        ),
        (
            "/api/v3/ticker/price?symbol=btcusdc",
            -1100,
            "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'.",
        ),
        (
            "/api/v3/time?a=1",
            -1101,
            "Too many parameters; expected '0' and received '1'.",
        ),
        (
            "/api/v3/avgPrice",
            -1102,
            "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
        ),
        (
            "/api/v3/referencePrice?symbol=BTCUSDC",
            -2043,
            "This symbol doesn't have a reference price.",
        ),
    ];
    for (target, code, msg) in cases {
        assert_eq!(
            get(&world, target).refusal(),
            (400, code, msg.to_owned()),
            "{target}"
        );
    }
    assert_eq!(get(&world, "/api/v3/nothing").status, 404);
}

#[test]
fn ticker_depth_and_average_agree_and_weigh_what_they_should() {
    let world = frozen();
    world.exchange().set_price("ETHUSDC", decimal("2500.00"));
    let book = get(&world, "/api/v3/ticker/bookTicker?symbols=[%22ETHUSDC%22]");
    let (ticker, weight) = (
        book.value(),
        book.header("X-MBX-USED-WEIGHT-1M").map(str::to_owned),
    );
    let ticker = &list(&ticker)[0];
    assert_eq!(
        (text(ticker, "bidPrice"), text(ticker, "askPrice")),
        ("2499.99000000", "2500.01000000")
    );
    assert_eq!(weight.as_deref(), Some("4"));
    assert_eq!(
        get(&world, "/api/v3/ticker/price?symbol=ETHUSDC").body,
        r#"{"symbol":"ETHUSDC","price":"2500.00000000"}"#
    );
    assert_eq!(
        text(
            &get(&world, "/api/v3/avgPrice?symbol=ETHUSDC").value(),
            "price"
        ),
        "2500.00000000"
    );
    let depth = get(&world, "/api/v3/depth?symbol=ETHUSDC&limit=5");
    assert!(
        depth.body.contains(r#""bids":[["2499.99000000","#),
        "{}",
        depth.body
    );
    assert_eq!(list(at(&depth.value(), "asks")).len(), 5);
    assert_eq!(depth.header("X-MBX-USED-WEIGHT-1M"), Some("13"));
}

#[test]
fn signed_calls_check_key_time_and_signature() {
    let world = frozen();
    let key = Script::default().api_key;
    let ask = |target: &str, key: &str| {
        let headers = if key.is_empty() {
            String::new()
        } else {
            format!("X-MBX-APIKEY: {key}\r\n")
        };
        receive(send(&world.exchange_url(), "GET", target, &headers)).unwrap()
    };
    let account = "/api/v3/account";
    let good = signed_target(account, "");
    assert_eq!(ask(&good, &key).status, 200);
    assert_eq!(
        ask(&good.replace("signature=", "signature=f"), &key)
            .refusal()
            .1,
        -1022
    );
    assert_eq!(ask(&good, "").refusal().1, -2014);
    assert_eq!(ask(&good, "other").refusal().1, -2015);
    let stamped = |params: &str, stamp: String| ask(&stamped_target(account, params, &stamp), &key);
    let late = stamped(
        "recvWindow=3000.5",
        format!("timestamp={}", unix_ms() - 4_000),
    )
    .refusal();
    assert_eq!(
        late,
        (
            400,
            -1021,
            "Timestamp for this request is outside of the recvWindow.".to_owned()
        )
    );
    let early = stamped(
        "recvWindow=60000",
        format!("timestamp={}", unix_ms() + 5_000),
    )
    .refusal();
    assert_eq!(
        early.2,
        "Timestamp for this request was 1000ms ahead of the server's time."
    );
    assert_eq!(
        stamped("recvWindow=60001", format!("timestamp={}", unix_ms()))
            .refusal()
            .1,
        -1131
    );
    assert_eq!(
        stamped("", format!("timestamp={}000", unix_ms())).status,
        200,
        "microseconds"
    );
    assert_eq!(
        stamped("odd=1", format!("timestamp={}", unix_ms()))
            .refusal()
            .1,
        -1104
    );
    world.exchange().set_skew(10_000);
    assert_eq!(ask(&signed_target(account, ""), &key).refusal().1, -1021);
}

#[test]
fn the_account_has_the_shape_of_the_real_one() {
    let world = frozen();
    world.exchange().set_balance("BTC", Decimal::ZERO);
    let answer = signed(&world, "GET", "/api/v3/account", "omitZeroBalances=true");
    let value = answer.value();
    assert_eq!(text(at(&value, "commissionRates"), "taker"), "0.00100000");
    assert!(
        answer.body.contains(
            r#""balances":[{"asset":"USDC","free":"1000.00000000","locked":"0.00000000"}]"#
        )
    );
    assert!(
        answer.body.contains(r#""canTrade":true"#)
            && answer.body.contains(r#""takerCommission":10,"#)
    );
    assert!(
        signed(&world, "GET", "/api/v3/account", "")
            .body
            .contains(r#""asset":"BTC""#)
    );
}

#[test]
fn buying_by_amount_then_selling_by_quantity_conserves_balances_to_the_last_digit() {
    let world = frozen();
    world.exchange().set_price("BTCUSDC", decimal("68012.34"));
    let bought = place(&world, &buy("first-1")).value();
    assert_eq!(
        (text(&bought, "status"), text(&bought, "origQuoteOrderQty")),
        ("FILLED", "25.00000000")
    );
    assert_eq!(text(&bought, "executedQty"), "0.00036000");
    assert_eq!(text(&bought, "cummulativeQuoteQty"), "24.48444600");
    assert_eq!(
        text(&list(at(&bought, "fills"))[0], "commission"),
        "0.00000036"
    );
    assert_eq!(world.exchange().balance("BTC").free, decimal("0.00035964"));
    assert_eq!(world.exchange().balance("USDC").free, decimal("975.515554"));

    let too_much = place(
        &world,
        "symbol=BTCUSDC&side=SELL&type=MARKET&quantity=0.00036",
    )
    .refusal();
    assert_eq!(
        too_much,
        (
            400,
            -2010,
            "Account has insufficient balance for requested action.".to_owned()
        )
    );
    let sold = place(
        &world,
        "symbol=BTCUSDC&side=SELL&type=MARKET&quantity=0.00035",
    )
    .value();
    assert_eq!(text(&sold, "clientOrderId").len(), 22);
    assert_eq!(world.exchange().balance("BTC").free, decimal("0.00000964"));
    assert_balances(&world, &[("USDC", Decimal::ONE_THOUSAND)]);

    let query = "symbol=BTCUSDC&origClientOrderId=first-1";
    let record = signed(&world, "GET", ORDER, query).value();
    assert_eq!(text(&record, "cummulativeQuoteQty"), "24.48444600");
    let trades = signed(&world, "GET", "/api/v3/myTrades", "symbol=BTCUSDC").value();
    assert_eq!(text(&list(&trades)[0], "commissionAsset"), "BTC");
    assert_eq!(text(&list(&trades)[1], "commissionAsset"), "USDC");
}

#[test]
fn a_thousand_units_of_trading_conserve_balances_whatever_the_fee_asset() {
    let start = [("USDC", decimal("5000")), ("BNB", decimal("0.002"))];
    let balances = start
        .iter()
        .map(|(asset, free)| (asset.to_string(), *free))
        .collect();
    let world = World::start(Script {
        seed: 3,
        balances,
        ..Script::default()
    })
    .unwrap();
    world
        .exchange()
        .edit_account(|account| account.bnb_fees = true);
    let mut dice = fastrand::Rng::with_seed(3);
    let mut assets = Vec::new();
    for _ in 0..120 {
        world.exchange().step();
        let pair = ["BTCUSDC", "ETHUSDC", "BNBUSDC", "SOLUSDC", "XRPUSDC"][dice.usize(0..5)];
        let side = ["BUY", "SELL"][dice.usize(0..2)];
        let amount = dice.i64(6..900);
        place(
            &world,
            &format!("symbol={pair}&side={side}&type=MARKET&quoteOrderQty={amount}"),
        );
        assert_balances(&world, &start);
    }
    for order in world.exchange().accepted_orders() {
        assert_eq!(order.status, OrderStatus::Filled);
        let Asked::Amount(amount) = order.asked else {
            panic!("asked by amount")
        };
        assert!(order.quote <= amount, "{} spent for {amount}", order.quote);
        assets.extend(order.fills.into_iter().map(|fill| fill.commission_asset));
    }
    for asset in ["BNB", "USDC", "BTC"] {
        assert!(
            assets.iter().any(|used| used == asset),
            "no commission in {asset}"
        );
    }
}

#[test]
fn orders_are_refused_with_the_right_code_and_text() {
    let world = frozen();
    world.exchange().set_price("BTCUSDC", decimal("50000"));
    let legal = r"legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'.";
    let quantity_text = format!("Illegal characters found in parameter 'quantity'; {legal}");
    let id_text = "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.";
    let cases = [
        (
            "BUY&type=MARKET&quantity=0.000011",
            -1013,
            "Filter failure: LOT_SIZE",
        ),
        (
            "BUY&type=MARKET&quantity=0.00009",
            -1013,
            "Filter failure: NOTIONAL",
        ),
        (
            "BUY&type=MARKET&quoteOrderQty=0.1",
            -1013,
            "Filter failure: LOT_SIZE",
        ),
        (
            "BUY&type=MARKET&quantity=500",
            -1013,
            "Filter failure: MARKET_LOT_SIZE",
        ),
        (
            "BUY&type=MARKET&quantity=1e-05",
            -1100,
            quantity_text.as_str(),
        ),
        (
            "BUY&type=MARKET&quantity=0.000000001",
            -1111,
            "Parameter 'quantity' has too much precision.",
        ),
        (
            "BUY&type=MARKET&quantity=1&quoteOrderQty=1",
            -1128,
            "Combination of optional parameters invalid.",
        ),
        (
            "BUY&type=MARKET",
            -1102,
            "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!",
        ),
        (
            "BUY&type=MARKET&quantity=1&timeInForce=GTC",
            -1106,
            "Parameter 'timeInForce' sent when not required.",
        ),
        (
            "BUY&type=MARKET&quantity=1&newClientOrderId=a.b",
            -1100,
            id_text,
        ),
        ("HOLD&type=MARKET&quantity=1", -1117, "Invalid side."),
        ("BUY&type=SOON&quantity=1", -1116, "Invalid orderType."),
        (
            "BUY&type=MARKET&quantity=1",
            -2010,
            "Account has insufficient balance for requested action.",
        ),
        (
            "SELL&type=MARKET&quantity=0.001",
            -2010,
            "Account has insufficient balance for requested action.",
        ),
    ];
    for (params, code, msg) in cases {
        let refusal = place(&world, &format!("symbol=BTCUSDC&side={params}")).refusal();
        assert_eq!(refusal, (400, code, msg.to_owned()), "{params}");
    }
    world.exchange().set_status("BTCUSDC", Status::Halt);
    assert_eq!(place(&world, &buy("a")).refusal().2, "Market is closed.");
    world.exchange().set_status("BTCUSDC", Status::Trading);
    world
        .exchange()
        .edit_account(|account| account.can_trade = false);
    assert_eq!(
        place(&world, &buy("a")).refusal().2,
        "This account may not place or cancel orders."
    );
    assert!(world.exchange().accepted_orders().is_empty());
    assert_balances(&world, &[("USDC", Decimal::ONE_THOUSAND)]);
}

#[test]
fn an_exhausted_book_leaves_the_order_expired() {
    let world = frozen();
    let asks = vec![Level {
        price: decimal("50000"),
        quantity: decimal("0.0002"),
    }];
    world.exchange().set_price("BTCUSDC", decimal("50000"));
    world.exchange().set_book(
        "BTCUSDC",
        Book {
            bids: Vec::new(),
            asks,
        },
    );
    let order = place(&world, &buy("thin")).value();
    assert_eq!(
        (text(&order, "status"), text(&order, "executedQty")),
        ("EXPIRED", "0.00020000")
    );
    assert_eq!(text(&order, "expiryReason"), "INSUFFICIENT_LIQUIDITY");
    world.exchange().set_book(
        "BTCUSDC",
        Book {
            bids: Vec::new(),
            asks: Vec::new(),
        },
    );
    let text = "Order book liquidity is less than LOT_SIZE filter minimum quantity.";
    assert_eq!(
        place(&world, &buy("empty")).refusal(),
        (400, -2010, text.to_owned())
    );
    assert_balances(&world, &[("USDC", Decimal::ONE_THOUSAND)]);
}

#[test]
fn a_client_id_protects_only_while_its_order_is_open() {
    let world = frozen();
    assert_eq!(place(&world, &buy("same")).status, 200);
    assert_eq!(place(&world, &buy("same")).status, 200);
    let ids: Vec<i64> = world
        .exchange()
        .accepted_orders()
        .iter()
        .map(|order| order.id)
        .collect();
    assert_eq!(ids.len(), 2, "the trap: the same id bought twice");
    let query = "symbol=BTCUSDC&origClientOrderId=same";
    let found = |world: &World| signed(world, "GET", ORDER, query).body;
    assert!(found(&world).contains(&format!(r#""orderId":{}"#, ids[1])));
    world.exchange().set_same_id(SameId::Earliest);
    assert!(found(&world).contains(&format!(r#""orderId":{}"#, ids[0])));
    let resting = world.exchange().rest_order(
        "BTCUSDC",
        OrderSide::Buy,
        decimal("10000"),
        decimal("0.01"),
        "open",
    );
    assert!(resting.is_some());
    assert_eq!(
        place(&world, &buy("open")).refusal().2,
        "Duplicate order sent."
    );
    assert_eq!(world.exchange().balance("USDC").locked, decimal("100"));
    assert_eq!(
        list(&signed(&world, "GET", "/api/v3/openOrders", "").value()).len(),
        1
    );
}

#[test]
fn reads_can_lag_behind_the_engine() {
    let world = frozen();
    world.exchange().set_lag(View::Order, Lag::Reads(2));
    world.exchange().set_lag(View::Account, Lag::Reads(1));
    place(&world, &buy("slow"));
    let query =
        |world: &World| signed(world, "GET", ORDER, "symbol=BTCUSDC&origClientOrderId=slow");
    assert_eq!(
        query(&world).refusal(),
        (400, -2013, "Order does not exist.".to_owned())
    );
    assert_eq!(query(&world).status, 400);
    assert_eq!(query(&world).status, 200);
    let account = |world: &World| {
        signed(world, "GET", "/api/v3/account", "")
            .body
            .contains(r#""BTC""#)
    };
    assert!(!account(&world));
    assert!(account(&world));
}

#[test]
fn too_much_weight_is_refused_and_insisting_is_banned() {
    let world = frozen();
    world.exchange().set_weight_limit(0);
    let refused = get(&world, "/api/v3/ping");
    assert_eq!((refused.status, refused.refusal().1), (429, -1003));
    assert!(
        refused
            .header("Retry-After")
            .and_then(|text| text.parse::<u32>().ok())
            .is_some()
    );
    let mut last = refused;
    for _ in 0..25 {
        last = get(&world, "/api/v3/ping");
    }
    assert_eq!(last.status, 418);
    assert!(
        last.refusal().2.contains("IP banned until 1"),
        "{}",
        last.body
    );
}

#[test]
fn a_fault_cuts_the_wire_before_or_after_processing() {
    let cases = [
        (Fault::unprocessed(Wire::Close), ErrorKind::UnexpectedEof, 0),
        (Fault::processed(Wire::Close), ErrorKind::UnexpectedEof, 1),
        (
            Fault::unprocessed(Wire::Reset),
            ErrorKind::ConnectionReset,
            0,
        ),
        (Fault::processed(Wire::Reset), ErrorKind::ConnectionReset, 1),
    ];
    for (fault, expected, orders) in cases {
        let world = frozen();
        world.fault(On::exchange(ORDER).method("POST"), fault.clone());
        let outcome = receive(send_signed(&world, "POST", ORDER, &buy("cut")));
        assert_eq!(
            outcome.err().map(|error| error.kind()),
            Some(expected),
            "{fault:?}"
        );
        assert_eq!(
            world.exchange().accepted_orders().len(),
            orders,
            "{fault:?}"
        );
        assert_eq!((world.hits().len(), world.exchange().calls(ORDER)), (1, 1));
        assert_eq!(world.hits()[0].side, Side::Exchange);
        world.clear_faults();
        assert_eq!(place(&world, &buy("again")).status, 200);
    }
}

#[test]
fn a_silent_or_dripping_answer_keeps_the_connection_open() {
    let world = frozen();
    world.fault(On::exchange(ORDER), Fault::processed(Wire::Silence));
    let mut silent = send_signed(&world, "POST", ORDER, &buy("silence"));
    while world.exchange().accepted_orders().is_empty() {
        std::thread::yield_now();
    }
    silent.set_nonblocking(true).unwrap();
    assert_eq!(
        silent.read(&mut [0; 8]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );

    world.fault(
        On::leader(),
        Fault::processed(Wire::Drip(Duration::from_secs(3_600))),
    );
    let mut dripping = send(&world.leader_url(), "GET", "/", "");
    assert_eq!(dripping.read(&mut [0; 64]).unwrap(), 1);
    dripping.set_nonblocking(true).unwrap();
    assert_eq!(
        dripping.read(&mut [0; 64]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
}

#[test]
fn a_truncated_body_promises_more_than_it_brings() {
    let world = frozen();
    world.fault(On::exchange(ORDER), Fault::processed(Wire::Truncate));
    let answer = place(&world, &buy("half"));
    let promised: usize = answer.header("Content-Length").unwrap().parse().unwrap();
    assert!(answer.body.len() < promised && answer.body.starts_with(r#"{"symbol":"BTCUSDC""#));
    assert_eq!(world.exchange().accepted_orders().len(), 1);
}

#[test]
fn a_canned_answer_comes_back_whether_or_not_the_order_was_executed() {
    let unknown = Reply::code(
        504,
        -1007,
        "Timeout waiting for response from backend server.",
    );
    for (orders, fault) in [
        (1, Fault::processed(Wire::Canned(unknown.clone()))),
        (0, Fault::answer(unknown)),
    ] {
        let world = frozen();
        world.fault(On::exchange(ORDER).next(1), fault);
        assert_eq!(place(&world, &buy("lost")).refusal().1, -1007);
        assert_eq!(world.exchange().accepted_orders().len(), orders);
    }
    let world = frozen();
    let replies = [
        (
            Reply::too_many_requests(30),
            429,
            Some(("Retry-After", "30")),
        ),
        (
            Reply::banned(120, 1_790_000_000_000),
            418,
            Some(("Retry-After", "120")),
        ),
        (Reply::firewall(), 403, Some(("Content-Type", "text/html"))),
        (Reply::restricted_location(), 451, None),
        (Reply::html(502, "<html></html>"), 502, None),
        (Reply::empty(504), 504, Some(("Content-Length", "0"))),
        (
            Reply::redirect("http://127.0.0.1:1/"),
            301,
            Some(("Location", "http://127.0.0.1:1/")),
        ),
    ];
    for (reply, status, header) in replies {
        world.clear_faults();
        world.fault(On::any(), Fault::answer(reply));
        for answer in [get(&world, "/api/v3/time"), poll_now(&world)] {
            assert_eq!(answer.status, status);
            assert!(
                header.is_none_or(|(name, value)| answer.header(name) == Some(value)),
                "{}",
                answer.head
            );
        }
    }
    assert_eq!(world.leader().polls(), 0);
}

#[test]
fn an_order_delivered_twice_is_bought_twice() {
    let world = frozen();
    world.fault(On::exchange(ORDER).method("POST"), Fault::twice());
    assert_eq!(place(&world, &buy("echo")).status, 200);
    let ids: Vec<String> = world
        .exchange()
        .accepted_orders()
        .into_iter()
        .map(|order| order.client_id)
        .collect();
    assert_eq!(ids, ["echo", "echo"]);
}

#[test]
fn a_delayed_order_is_judged_when_it_arrives() {
    let world = frozen();
    let wait = Duration::from_millis(120);
    let hurried = format!("{}&recvWindow=60", buy("late"));
    world.fault(On::exchange(ORDER).nth(1), Fault::late(wait));
    world.fault(On::exchange(ORDER).nth(2), Fault::slow(wait));
    assert_eq!(place(&world, &hurried).refusal().1, -1021);
    assert!(world.exchange().accepted_orders().is_empty());
    assert_eq!(place(&world, &buy("slow")).status, 200);
    assert_eq!(world.exchange().accepted_orders().len(), 1);
}

#[test]
fn garbage_comes_in_every_shape() {
    let world = frozen();
    let leader_gives = |wire: Wire| {
        world.clear_faults();
        world.fault(On::leader(), Fault::processed(wire));
        poll_now(&world)
    };
    let huge = leader_gives(Wire::Huge(3_000_000));
    assert_eq!(
        (huge.body.len(), huge.header("Content-Length")),
        (3_000_000, Some("3000000"))
    );
    assert!(json::from_str::<Value>(&huge.body).is_ok());
    let nested = leader_gives(Wire::Nested(100_000));
    assert_eq!(nested.body.len(), 200_000);
    assert!(nested.body.starts_with("[[[") && nested.body.ends_with("]]]"));
    assert!(leader_gives(Wire::LongHead(50_000)).head.len() > 50_000);
    let (from, to) = (r#""version":2"#.to_owned(), r#""version":"two""#.to_owned());
    assert!(
        leader_gives(Wire::Rewrite { from, to })
            .body
            .contains(r#""version":"two""#)
    );
    world.clear_faults();
    world.fault(On::leader(), Fault::body("NaN"));
    assert_eq!(poll_now(&world).body, "NaN");

    world.clear_faults();
    world.fault(
        On::any(),
        Fault::processed(Wire::Raw(b"\x00\xff not http".to_vec())),
    );
    let mut raw = Vec::new();
    send(&world.exchange_url(), "GET", "/api/v3/time", "")
        .read_to_end(&mut raw)
        .unwrap();
    assert_eq!(raw, b"\x00\xff not http");

    world.clear_faults();
    world.fault(On::any(), Fault::processed(Wire::Endless));
    let mut endless = vec![0; 2_000_000];
    send(&world.exchange_url(), "GET", "/api/v3/time", "")
        .read_exact(&mut endless)
        .unwrap();
    assert!(String::from_utf8_lossy(&endless).contains("Transfer-Encoding: chunked"));
}

#[test]
fn a_closed_door_refuses_connections_until_it_opens_again() {
    let world = frozen();
    let address = world.leader_url().trim_start_matches("http://").to_owned();
    let mut living = TcpStream::connect(&address).unwrap();
    living.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert!(living.read(&mut [0; 512]).unwrap() > 0);
    world.refuse_connections(Side::Leader).unwrap();
    assert_eq!(
        TcpStream::connect(&address).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    assert_eq!(
        living.read(&mut [0; 512]).unwrap(),
        0,
        "the living connection fell too"
    );
    assert_eq!(get(&world, "/api/v3/ping").body, "{}");
    world.accept_connections(Side::Leader).unwrap();
    assert_eq!(poll_now(&world).status, 200);
}

#[test]
fn a_wiped_exchange_forgets_orders_but_the_oracle_does_not() {
    let world = frozen();
    place(&world, &buy("gone"));
    world.exchange().wipe();
    assert_eq!(
        signed(
            &world,
            "GET",
            ORDER,
            "symbol=BTCUSDC&origClientOrderId=gone"
        )
        .refusal()
        .1,
        -2013
    );
    assert_eq!(world.exchange().balance("USDC").free, Decimal::ONE_THOUSAND);
    assert_eq!(world.exchange().accepted_orders().len(), 1);
}

#[test]
fn a_real_client_keeps_its_connection_and_sends_its_order_in_the_body() {
    let world = frozen();
    let client = isahc::HttpClient::new().unwrap();
    for _ in 0..3 {
        let mut answer = client
            .get(format!("{}/api/v3/ping", world.exchange_url()))
            .unwrap();
        assert_eq!(answer.bytes().unwrap(), b"{}");
    }
    let target = signed_target("", &buy("body"));
    let request = isahc::Request::post(format!("{}{ORDER}", world.exchange_url()))
        .header("X-MBX-APIKEY", Script::default().api_key)
        .body(target.trim_start_matches('?').to_owned())
        .unwrap();
    assert_eq!(client.send(request).unwrap().status().as_u16(), 200);
    assert_eq!(world.exchange().accepted_orders()[0].client_id, "body");
}
