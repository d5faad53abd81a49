//! Les refus, les retards, les limites et les comptes de la bourse.

use rust_decimal::Decimal;

use super::*;
use crate::sim::{Asked, Book, Lag, Level, OrderStatus, SameId, Status, View};

#[test]
fn signed_calls_check_key_time_and_signature() {
    let world = frozen();
    let key = Script::default().api_key;
    let ask = |target: &str, key: &str| {
        let headers = if key.is_empty() { String::new() } else { format!("X-MBX-APIKEY: {key}\r\n") };
        receive(send(&world.exchange_url(), "GET", target, &headers)).unwrap()
    };
    let account = "/api/v3/account";
    let good = signed_target(account, "");
    assert_eq!(ask(&good, &key).status, 200);
    assert_eq!(ask(&good.replace("signature=", "signature=f"), &key).refusal().1, -1022);
    assert_eq!(ask(&good, "").refusal().1, -2014);
    assert_eq!(ask(&good, "other").refusal().1, -2015);
    let stamped = |params: &str, stamp: String| ask(&stamped_target(account, params, &stamp), &key);
    let late = stamped("recvWindow=3000.5", format!("timestamp={}", unix_ms() - 4_000)).refusal();
    assert_eq!(late, (400, -1021, "Timestamp for this request is outside of the recvWindow.".to_owned()));
    let early = stamped("recvWindow=60000", format!("timestamp={}", unix_ms() + 5_000)).refusal();
    assert_eq!(early.2, "Timestamp for this request was 1000ms ahead of the server's time.");
    assert_eq!(stamped("recvWindow=60001", format!("timestamp={}", unix_ms())).refusal().1, -1131);
    assert_eq!(stamped("", format!("timestamp={}000", unix_ms())).status, 200, "microseconds");
    assert_eq!(stamped("odd=1", format!("timestamp={}", unix_ms())).refusal().1, -1104);
    world.exchange().set_skew(10_000);
    assert_eq!(ask(&signed_target(account, ""), &key).refusal().1, -1021);
}

#[test]
fn public_calls_refuse_as_the_real_exchange_does() {
    let world = frozen();
    let cases = [
        ("/api/v3/exchangeInfo?symbol=NOPEUSDC", -1121, "Invalid symbol."),
        ("/api/v3/exchangeInfo?symbols=[%22BTCUSDC%22,%22NOPE%22]", -1121, "Invalid symbol."),
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
        ("/api/v3/time?a=1", -1101, "Too many parameters; expected '0' and received '1'."),
        (
            "/api/v3/avgPrice",
            -1102,
            "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
        ),
        ("/api/v3/referencePrice?symbol=BTCUSDC", -2043, "This symbol doesn't have a reference price."),
    ];
    for (target, code, msg) in cases {
        assert_eq!(get(&world, target).refusal(), (400, code, msg.to_owned()), "{target}");
    }
    assert_eq!(get(&world, "/api/v3/nothing").status, 404);
}

#[test]
fn random_trading_conserves_balances_whatever_the_fee_asset() {
    let start = [("USDC", decimal("5000")), ("BNB", decimal("0.002"))];
    let balances = start.iter().map(|(asset, free)| (asset.to_string(), *free)).collect();
    let world = World::start(Script { seed: 3, balances, ..Script::default() }).unwrap();
    world.exchange().edit_account(|account| account.bnb_fees = true);
    let mut dice = fastrand::Rng::with_seed(3);
    let mut assets = Vec::new();
    for _ in 0..120 {
        world.exchange().step();
        let in_bnb = dice.bool();
        world.exchange().edit_account(|account| account.bnb_fees = in_bnb);
        let traded = [("BTCUSDC", 5), ("ETHUSDC", 4), ("BNBUSDC", 3), ("SOLUSDC", 3), ("XRPUSDC", 1)];
        let (pair, decimals) = traded[dice.usize(0..5)];
        let side = ["BUY", "SELL"][dice.usize(0..2)];
        let free = world.exchange().balance(pair.trim_end_matches("USDC")).free;
        let size = match side {
            // Tout ce qui est là, au pas près.
            "SELL" if dice.bool() => format!("quantity={}", free.trunc_with_scale(decimals)),
            _ => format!("quoteOrderQty={}", dice.i64(6..900)),
        };
        place(&world, &format!("symbol={pair}&side={side}&type=MARKET&{size}"));
        assert_balances(&world, &start);
    }
    for order in world.exchange().accepted_orders() {
        assert_eq!(order.status, OrderStatus::Filled);
        if let Asked::Amount(amount) = order.asked {
            assert!(order.quote <= amount, "{} spent for {amount}", order.quote);
        }
        assets.extend(order.fills.into_iter().map(|fill| fill.commission_asset));
    }
    for asset in ["BNB", "USDC", "BTC"] {
        assert!(assets.iter().any(|used| used == asset), "no commission in {asset}");
    }
}

#[test]
fn orders_are_refused_with_the_right_code_and_text() {
    let world = frozen();
    world.exchange().set_price("BTCUSDC", decimal("50000"));
    let legal = r"legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'.";
    let quantity_text = format!("Illegal characters found in parameter 'quantity'; {legal}");
    let id_text =
        "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.";
    let cases = [
        ("BUY&type=MARKET&quantity=0.000011", -1013, "Filter failure: LOT_SIZE"),
        ("BUY&type=MARKET&quantity=0.00009", -1013, "Filter failure: NOTIONAL"),
        ("BUY&type=MARKET&quoteOrderQty=0.1", -1013, "Filter failure: LOT_SIZE"),
        ("BUY&type=MARKET&quantity=500", -1013, "Filter failure: MARKET_LOT_SIZE"),
        ("BUY&type=MARKET&quantity=1e-05", -1100, quantity_text.as_str()),
        ("BUY&type=MARKET&quantity=0.000000001", -1111, "Parameter 'quantity' has too much precision."),
        ("BUY&type=MARKET&quantity=1&quoteOrderQty=1", -1128, "Combination of optional parameters invalid."),
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
        ("BUY&type=MARKET&quantity=1&newClientOrderId=a.b", -1100, id_text),
        ("HOLD&type=MARKET&quantity=1", -1117, "Invalid side."),
        ("BUY&type=SOON&quantity=1", -1116, "Invalid orderType."),
        ("BUY&type=MARKET&quantity=1", -2010, "Account has insufficient balance for requested action."),
        ("SELL&type=MARKET&quantity=0.001", -2010, "Account has insufficient balance for requested action."),
    ];
    for (params, code, msg) in cases {
        let refusal = place(&world, &format!("symbol=BTCUSDC&side={params}")).refusal();
        assert_eq!(refusal, (400, code, msg.to_owned()), "{params}");
    }
    world.exchange().set_status("BTCUSDC", Status::Halt);
    assert_eq!(place(&world, &buy("a")).refusal().2, "Market is closed.");
    world.exchange().set_status("BTCUSDC", Status::Trading);
    world.exchange().edit_account(|account| account.can_trade = false);
    assert_eq!(place(&world, &buy("a")).refusal().2, "This account may not place or cancel orders.");
    assert!(world.exchange().accepted_orders().is_empty());
    assert_balances(&world, &[("USDC", Decimal::ONE_THOUSAND)]);
}

#[test]
fn an_exhausted_book_leaves_the_order_expired() {
    let world = frozen();
    let asks = vec![Level { price: decimal("50000"), quantity: decimal("0.0002") }];
    world.exchange().set_price("BTCUSDC", decimal("50000"));
    world.exchange().set_book("BTCUSDC", Book { bids: Vec::new(), asks });
    let order = place(&world, &buy("thin")).value();
    assert_eq!((text(&order, "status"), text(&order, "executedQty")), ("EXPIRED", "0.00020000"));
    assert_eq!(text(&order, "expiryReason"), "INSUFFICIENT_LIQUIDITY");
    world.exchange().set_book("BTCUSDC", Book { bids: Vec::new(), asks: Vec::new() });
    let text = "Order book liquidity is less than LOT_SIZE filter minimum quantity.";
    assert_eq!(place(&world, &buy("empty")).refusal(), (400, -2010, text.to_owned()));
    let nothing = place(&world, "symbol=BTCUSDC&side=BUY&type=MARKET&quantity=0.0002").value();
    assert_eq!((super::text(&nothing, "status"), list(at(&nothing, "fills")).len()), ("EXPIRED", 0));
    assert_balances(&world, &[("USDC", Decimal::ONE_THOUSAND)]);
}

#[test]
fn a_client_id_protects_only_while_its_order_is_open() {
    let world = frozen();
    assert_eq!(place(&world, &buy("same")).status, 200);
    assert_eq!(place(&world, &buy("same")).status, 200);
    let ids: Vec<i64> = world.exchange().accepted_orders().iter().map(|order| order.id).collect();
    assert_eq!(ids.len(), 2, "the trap: the same id bought twice");
    let query = "symbol=BTCUSDC&origClientOrderId=same";
    let found = |world: &World| signed(world, "GET", ORDER, query).body;
    assert!(found(&world).contains(&format!(r#""orderId":{}"#, ids[1])));
    world.exchange().set_same_id(SameId::Earliest);
    assert!(found(&world).contains(&format!(r#""orderId":{}"#, ids[0])));
    let resting =
        world.exchange().rest_order("BTCUSDC", OrderSide::Buy, decimal("10000"), decimal("0.01"), "open");
    assert!(resting.is_some());
    assert_eq!(place(&world, &buy("open")).refusal().2, "Duplicate order sent.");
    assert_eq!(world.exchange().balance("USDC").locked, decimal("100"));
    assert_eq!(list(&signed(&world, "GET", "/api/v3/openOrders", "").value()).len(), 1);
}

#[test]
fn reads_can_lag_behind_the_engine() {
    let world = frozen();
    world.exchange().set_lag(View::Order, Lag::Reads(2));
    world.exchange().set_lag(View::Account, Lag::Reads(1));
    place(&world, &buy("slow"));
    let query = |world: &World| signed(world, "GET", ORDER, "symbol=BTCUSDC&origClientOrderId=slow");
    assert_eq!(query(&world).refusal(), (400, -2013, "Order does not exist.".to_owned()));
    assert_eq!(query(&world).status, 400);
    assert_eq!(query(&world).status, 200);
    let account = |world: &World| signed(world, "GET", "/api/v3/account", "").body.contains(r#""BTC""#);
    assert!(!account(&world));
    assert!(account(&world));
}

#[test]
fn too_much_weight_is_refused_and_insisting_is_banned() {
    let world = frozen();
    world.exchange().set_weight_limit(0);
    let refused = get(&world, "/api/v3/ping");
    assert_eq!((refused.status, refused.refusal().1), (429, -1003));
    assert!(refused.header("Retry-After").and_then(|text| text.parse::<u32>().ok()).is_some());
    let mut last = refused;
    for _ in 0..25 {
        last = get(&world, "/api/v3/ping");
    }
    assert_eq!(last.status, 418);
    assert!(last.refusal().2.contains("IP banned until 1"), "{}", last.body);
}

#[test]
fn a_wiped_exchange_forgets_orders_but_the_oracle_does_not() {
    let world = frozen();
    place(&world, &buy("gone"));
    world.exchange().wipe();
    assert_eq!(signed(&world, "GET", ORDER, "symbol=BTCUSDC&origClientOrderId=gone").refusal().1, -2013);
    assert_eq!(world.exchange().balance("USDC").free, Decimal::ONE_THOUSAND);
    assert_eq!(world.exchange().accepted_orders().len(), 1);
}

#[test]
fn a_fee_falls_back_to_the_received_asset_when_bnb_runs_short_inside_one_order() {
    let world = frozen();
    let level = |price: &str, quantity: &str| Level { price: decimal(price), quantity: decimal(quantity) };
    let asks = vec![level("50000", "0.001"), level("50010", "0.001")];
    world.exchange().set_price("BTCUSDC", decimal("50000"));
    world.exchange().set_book("BTCUSDC", Book { bids: Vec::new(), asks });
    world.exchange().set_price("BNBUSDC", decimal("500"));
    // 50 USDC à 0,1 % et 25 % de remise : 0,0375 USDC, soit 0,000075 BNB pour la première exécution.
    world.exchange().set_balance("BNB", decimal("0.000075"));
    world.exchange().edit_account(|account| account.bnb_fees = true);
    place(&world, "symbol=BTCUSDC&side=BUY&type=MARKET&quantity=0.002");
    let fills = world.exchange().accepted_orders().remove(0).fills;
    let paid: Vec<(Decimal, &str)> =
        fills.iter().map(|fill| (fill.commission, fill.commission_asset.as_str())).collect();
    assert_eq!(paid, [(decimal("0.000075"), "BNB"), (decimal("0.000001"), "BTC")]);
    assert_eq!(world.exchange().balance("BNB").free, Decimal::ZERO);
    assert_eq!(world.exchange().balance("BTC").free, decimal("0.001999"));
}

#[test]
fn a_fee_in_bnb_never_eats_the_bnb_that_the_order_itself_sells() {
    let level = |price: &str, quantity: &str| Level { price: decimal(price), quantity: decimal(quantity) };
    let sell = |held: &str| {
        let world = frozen();
        world.exchange().set_price("BNBUSDC", decimal("500"));
        let bids = vec![level("500", "0.4"), level("499", "0.6")];
        world.exchange().set_book("BNBUSDC", Book { bids, asks: Vec::new() });
        world.exchange().set_balance("BNB", decimal(held));
        world.exchange().edit_account(|account| account.bnb_fees = true);
        let sold = place(&world, "symbol=BNBUSDC&side=SELL&type=MARKET&quantity=1").value();
        assert_eq!(text(&sold, "status"), "FILLED", "{held}");
        assert_balances(&world, &[("USDC", Decimal::ONE_THOUSAND)]);
        let fills = world.exchange().accepted_orders().remove(0).fills;
        let paid = fills.into_iter().map(|fill| (fill.commission, fill.commission_asset));
        (paid.collect::<Vec<_>>(), world.exchange().balance("BNB"))
    };
    let usdc = |amount: &str| (decimal(amount), "USDC".to_owned());
    let bnb = |amount: &str| (decimal(amount), "BNB".to_owned());
    let left = |free: &str| Balance { free: decimal(free), locked: Decimal::ZERO };
    assert_eq!(sell("1"), (vec![usdc("0.2"), usdc("0.2994")], left("0")));
    // 0,4 à 0,075 % : 0,0003 BNB. La seconde exécution en voudrait 0,00045.
    assert_eq!(sell("1.0003"), (vec![bnb("0.0003"), usdc("0.2994")], left("0")));
    assert_eq!(sell("1.0007"), (vec![bnb("0.0003"), usdc("0.2994")], left("0.0004")));
    assert_eq!(sell("1.00075"), (vec![bnb("0.0003"), bnb("0.00045")], left("0")));
}

#[test]
fn an_amount_never_has_more_decimals_than_the_exchange_writes() {
    let world = frozen();
    let tiny = Level { price: decimal("0.00000003"), quantity: decimal("700000000.5") };
    world.exchange().edit_listing("XRPUSDC", |listing| listing.min_notional = Decimal::ZERO);
    world.exchange().edit_listing("XRPUSDC", |listing| listing.market_max_quantity = Decimal::ZERO);
    world.exchange().set_book("XRPUSDC", Book { bids: Vec::new(), asks: vec![tiny] });
    let bought = place(&world, "symbol=XRPUSDC&side=BUY&type=MARKET&quantity=7.5").value();
    assert_eq!(text(&bought, "cummulativeQuoteQty"), "0.00000022");
    assert_eq!(world.exchange().balance("USDC").free, decimal("999.99999978"));
}

#[test]
fn a_fee_in_an_asset_nobody_expected_is_paid_from_it_or_from_what_was_received() {
    let world = frozen();
    world.exchange().edit_account(|account| {
        account.bnb_fees = true;
        account.fee_assets = vec![("FDUSD".to_owned(), decimal("0.5"))];
    });
    let level = |price: &str, quantity: &str| Level { price: decimal(price), quantity: decimal(quantity) };
    let asks = vec![level("50000", "0.001"), level("50010", "0.001")];
    world.exchange().set_price("BTCUSDC", decimal("50000"));
    world.exchange().set_book("BTCUSDC", Book { bids: Vec::new(), asks });
    world.exchange().person().bring("FDUSD", decimal("0.1"));
    // 50 USDC à 0,1 % font 0,05 USDC, soit 0,1 FDUSD : la seconde exécution n'en trouve plus, ni de BNB.
    place(&world, "symbol=BTCUSDC&side=BUY&type=MARKET&quantity=0.002");
    let fills = world.exchange().accepted_orders().remove(0).fills;
    let paid: Vec<(Decimal, &str)> =
        fills.iter().map(|fill| (fill.commission, fill.commission_asset.as_str())).collect();
    assert_eq!(paid, [(decimal("0.1"), "FDUSD"), (decimal("0.000001"), "BTC")]);
    assert_balances(&world, &[("USDC", Decimal::ONE_THOUSAND)]);
    let told = signed(&world, "GET", "/api/v3/myTrades", "symbol=BTCUSDC").body;
    assert!(told.contains(r#""commission":"0.10000000","commissionAsset":"FDUSD""#), "{told}");
}

#[test]
fn an_order_of_thousands_of_fills_is_read_a_thousand_at_a_time() {
    let world = frozen();
    world.exchange().shred_book("BTCUSDC", decimal("0.00001"), 2_500);
    let bought = place(&world, "symbol=BTCUSDC&side=BUY&type=MARKET&quantity=0.0145&newClientOrderId=shreds");
    assert_eq!(list(at(&bought.value(), "fills")).len(), 1_450);
    let id = world.exchange().accepted_orders()[0].id;
    let page = |from: i64| {
        let params = format!("symbol=BTCUSDC&orderId={id}&fromId={from}&limit=1000");
        let trades = signed(&world, "GET", "/api/v3/myTrades", &params).value();
        let id_of = |trade: &Value| match at(trade, "id") {
            Value::Number(json::Number::U64(id)) => i64::try_from(*id).unwrap(),
            Value::Number(json::Number::I64(id)) => *id,
            _ => panic!("no id"),
        };
        list(&trades).iter().map(id_of).collect::<Vec<i64>>()
    };
    let first = page(0);
    let second = page(first[999] + 1);
    assert_eq!((first.len(), second.len()), (1_000, 450));
    let told: Vec<i64> = first.into_iter().chain(second).collect();
    let fills = world.exchange().accepted_orders().remove(0).fills;
    assert_eq!(told, fills.iter().map(|fill| fill.trade_id).collect::<Vec<_>>());
    let depth = get(&world, "/api/v3/depth?symbol=BTCUSDC&limit=5").value();
    let bids = list(at(&depth, "bids"));
    let Value::String(quantity) = &list(&bids[0])[1] else { panic!("a level is two texts") };
    assert_eq!((bids.len(), quantity.as_str()), (1, "0.02500000"), "orders at one price are one level");
    assert_balances(&world, &[("USDC", Decimal::ONE_THOUSAND)]);
}

#[test]
fn an_order_that_exchanged_nothing_can_be_archived_at_once() {
    let world = frozen();
    world.exchange().archive_at_once(true);
    let book = world.exchange().book("BTCUSDC");
    world.exchange().set_book("BTCUSDC", Book { bids: Vec::new(), asks: Vec::new() });
    let ended = place(&world, "symbol=BTCUSDC&side=BUY&type=MARKET&quantity=0.001&newClientOrderId=nothing");
    assert_eq!(text(&ended.value(), "status"), "EXPIRED");
    world.exchange().set_book("BTCUSDC", book);
    place(&world, &buy("something"));
    let query = |id: &str| signed(&world, "GET", ORDER, &format!("symbol=BTCUSDC&origClientOrderId={id}"));
    assert_eq!(query("nothing").refusal().1, -2026);
    assert_eq!(query("something").status, 200);
    assert_eq!(list(&signed(&world, "GET", "/api/v3/allOrders", "symbol=BTCUSDC").value()).len(), 1);
    let id = world.exchange().accepted_orders()[0].id;
    let trades = signed(&world, "GET", "/api/v3/myTrades", &format!("symbol=BTCUSDC&orderId={id}"));
    assert_eq!(trades.body, "[]");
    world.exchange().archive_at_once(false);
    assert_eq!(query("nothing").status, 200);
}
