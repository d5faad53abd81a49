//! Les formes des réponses signées, et les combinaisons de paramètres que la bourse refuse.

use super::*;
use crate::sim::exchange::Misquote;

#[test]
fn a_test_order_checks_the_filters_and_changes_nothing() {
    let world = frozen();
    let test = |params: &str| signed(&world, "POST", "/api/v3/order/test", params);
    assert_eq!(test(&buy("dry")).body, "{}");
    let rates = test(&format!("{}&computeCommissionRates=true", buy("dry"))).body;
    assert!(rates.contains(r#""standardCommissionForOrder":{"maker":"0.00100000""#), "{rates}");
    let tiny = test("symbol=BTCUSDC&side=BUY&type=MARKET&quantity=0.000001").refusal();
    assert_eq!(tiny.2, "Filter failure: LOT_SIZE");
    assert_eq!(place(&world, &format!("{}&computeCommissionRates=true", buy("odd"))).refusal().1, -1104);
    assert!(world.exchange().accepted_orders().is_empty());
}

#[test]
fn the_response_type_decides_how_much_is_told() {
    let world = frozen();
    let told = |kind: &str| {
        let labels = "strategyId=7&strategyType=1000001";
        place(&world, &format!("{}&newOrderRespType={kind}&{labels}", buy(kind))).body
    };
    let (ack, result, full) = (told("ACK"), told("RESULT"), told("FULL"));
    assert!(ack.contains(r#""transactTime":1"#) && !ack.contains("status"), "{ack}");
    assert!(result.contains(r#""status":"FILLED""#) && !result.contains("fills"), "{result}");
    assert!(full.contains(r#""fills":[{"price":"#), "{full}");
    assert!(full.contains(r#""strategyId":7,"strategyType":1000001"#), "{full}");
    let ids: Vec<i64> = world.exchange().accepted_orders().iter().map(|order| order.id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b) && ids.len() == 3);
}

#[test]
fn order_queries_need_an_id_that_agrees() {
    let world = frozen();
    place(&world, &buy("one"));
    let id = world.exchange().accepted_orders()[0].id;
    let query = |params: &str| signed(&world, "GET", ORDER, &format!("symbol=BTCUSDC{params}"));
    assert_eq!(query(&format!("&orderId={id}")).status, 200);
    assert_eq!(query(&format!("&orderId={id}&origClientOrderId=one")).status, 200);
    assert_eq!(query(&format!("&orderId={id}&origClientOrderId=two")).refusal().1, -2039);
    assert_eq!(query("&origClientOrderId=two").refusal().1, -2013);
    assert_eq!(query("").refusal().1, -1102);
}

#[test]
fn history_is_ascending_limited_and_strict_about_combinations() {
    let world = frozen();
    for name in ["a", "b", "c"] {
        place(&world, &buy(name));
    }
    let orders = world.exchange().accepted_orders();
    let names = |params: &str| -> Vec<String> {
        let value = signed(&world, "GET", "/api/v3/allOrders", &format!("symbol=BTCUSDC{params}")).value();
        list(&value).iter().map(|order| text(order, "clientOrderId").to_owned()).collect()
    };
    assert_eq!(names(""), ["a", "b", "c"]);
    assert_eq!(names("&limit=2"), ["b", "c"]);
    assert_eq!(names(&format!("&orderId={}&limit=1", orders[1].id)), ["b"]);

    let trades = |params: &str| signed(&world, "GET", "/api/v3/myTrades", &format!("symbol=BTCUSDC{params}"));
    let of_second = trades(&format!("&orderId={}", orders[1].id)).value();
    assert_eq!(list(&of_second).len(), orders[1].fills.len());
    let last = orders[2].fills.last().unwrap().trade_id;
    assert_eq!(list(&trades(&format!("&fromId={last}")).value()).len(), 1);
    assert_eq!(trades("&orderId=1&startTime=1").refusal().1, -1128);
    assert_eq!(trades("&startTime=1&endTime=90000000").refusal().1, -1127);
    assert_eq!(list(&trades("&startTime=1&endTime=2").value()).len(), 0);
    let start = orders[0].time_ms;
    for start in [format!("{start}"), format!("{start}000")] {
        let found = trades(&format!("&startTime={start}")).value();
        assert_eq!(list(&found).len(), orders.iter().map(|order| order.fills.len()).sum::<usize>());
    }
}

#[test]
fn the_key_and_the_rates_can_be_read() {
    let world = frozen();
    let restrictions = "/sapi/v1/account/apiRestrictions";
    assert!(signed(&world, "GET", restrictions, "").body.contains(r#""enableWithdrawals":false"#));
    world.exchange().edit_account(|account| account.key_may_withdraw = true);
    assert!(signed(&world, "GET", restrictions, "").body.contains(r#""enableWithdrawals":true"#));
    let rates = signed(&world, "GET", "/api/v3/account/commission", "symbol=BTCUSDC").body;
    assert!(rates.contains(r#""standardCommission":{"maker":"0.00100000","taker":"0.00100000""#), "{rates}");
    world.exchange().edit_account(|account| account.key_may_trade = false);
    assert_eq!(place(&world, &buy("no")).refusal().1, -2015);
}

#[test]
fn only_unfilled_orders_count_towards_the_order_limit() {
    let world = frozen();
    world.exchange().set_order_limit(1);
    assert_eq!(place(&world, &buy("filled")).header("X-MBX-ORDER-COUNT-10S"), Some("0"));
    let counts = signed(&world, "GET", "/api/v3/rateLimit/order", "").body;
    assert!(counts.contains(r#""intervalNum":10,"limit":1,"count":0"#), "{counts}");
    world.exchange().set_order_limit(0);
    let refused = place(&world, &buy("refused"));
    assert_eq!((refused.status, refused.refusal().1), (429, -1015));
    assert!(refused.header("Retry-After").is_some());
}

#[test]
fn reference_prices_and_execution_rules_are_published() {
    let world = frozen();
    world.exchange().edit_listing("BTCUSDC", |listing| {
        listing.reference_price = Some(decimal("68010"));
        listing.price_range = Some(decimal("0.05"));
        listing.max_position = Some(decimal("0.0001"));
    });
    let price = get(&world, "/api/v3/referencePrice?symbol=BTCUSDC").body;
    assert!(price.contains(r#""referencePrice":"68010.00000000""#), "{price}");
    let rules = get(&world, "/api/v3/executionRules?symbol=BTCUSDC").body;
    assert!(rules.contains(r#""ruleType":"PRICE_RANGE","bidLimitMultUp":"1.05000000""#), "{rules}");
    assert_eq!(place(&world, &buy("big")).refusal().2, "Filter failure: MAX_POSITION");
}

#[test]
fn an_asset_limit_shows_in_my_filters_and_refuses_what_exceeds_it() {
    let world = frozen();
    world.exchange().set_price("BTCUSDC", decimal("50000"));
    let filters = || signed(&world, "GET", "/api/v3/myFilters", "symbol=BTCUSDC").body;
    assert!(filters().contains(r#""filterType":"LOT_SIZE""#) && filters().ends_with(r#""assetFilters":[]}"#));
    let limit = |asset: &'static str, limit: &str| {
        let limit = decimal(limit);
        world.exchange().edit_account(|account| account.max_assets = vec![(asset, limit)]);
    };
    limit("USDC", "20");
    let expected = r#""assetFilters":[{"filterType":"MAX_ASSET","asset":"USDC","limit":"20.00000000"}]}"#;
    assert!(filters().ends_with(expected), "{}", filters());
    for (asset, most, refused) in [("USDC", "20", true), ("BTC", "0.0004", true), ("ETH", "0", false)] {
        limit(asset, most);
        let answer = place(&world, "symbol=BTCUSDC&side=BUY&type=MARKET&quantity=0.0005");
        assert_eq!(answer.body.contains("Filter failure: MAX_ASSET"), refused, "{asset}: {}", answer.body);
    }
}

#[test]
fn every_time_is_in_microseconds_for_who_asks() {
    let world = frozen();
    place(&world, &buy("one"));
    let ask = |target: &str| {
        let headers =
            format!("X-MBX-APIKEY: {}\r\nX-MBX-TIME-UNIT: MICROSECOND\r\n", Script::default().api_key);
        receive(send(&world.exchange_url(), "GET", target, &headers)).unwrap().body
    };
    let digits = |body: &str, key: &str| -> usize {
        let after = body.split(&format!("\"{key}\":")).nth(1).unwrap_or_else(|| panic!("no {key} in {body}"));
        after.chars().take_while(char::is_ascii_digit).count()
    };
    let order = ask(&signed_target(ORDER, "symbol=BTCUSDC&origClientOrderId=one"));
    for key in ["time", "updateTime", "workingTime"] {
        assert_eq!(digits(&order, key), 16, "{key}");
    }
    let trades = ask(&signed_target("/api/v3/myTrades", "symbol=BTCUSDC"));
    let account = ask(&signed_target("/api/v3/account", ""));
    assert_eq!((digits(&trades, "time"), digits(&account, "updateTime")), (16, 16));
    assert_eq!(digits(&ask("/api/v3/time"), "serverTime"), 16);
    assert_eq!(digits(&ask("/api/v3/exchangeInfo"), "serverTime"), 16);
    assert_eq!(digits(&ask("/api/v3/avgPrice?symbol=BTCUSDC"), "closeTime"), 16);
    assert_eq!(digits(&get(&world, "/api/v3/time").body, "serverTime"), 13);
}

#[test]
fn a_wanted_status_refuses_one_symbol_and_filters_a_list() {
    let world = frozen();
    world.exchange().set_status("BTCUSDC", crate::sim::Status::Halt);
    for path in ["ticker/price", "ticker/bookTicker", "depth"] {
        let one = get(&world, &format!("/api/v3/{path}?symbol=BTCUSDC&symbolStatus=TRADING"));
        assert_eq!(one.refusal().1, -1220, "{path}");
    }
    for path in ["exchangeInfo", "ticker/price", "executionRules"] {
        let all = get(&world, &format!("/api/v3/{path}?symbolStatus=HALT")).body;
        assert!(all.contains("BTCUSDC") && !all.contains("ETHUSDC"), "{path}: {all}");
    }
}

/// Ceux de tout le monde : au prix du marché, quoi que montre le carnet, dans l'ordre du temps.
#[test]
fn the_last_trades_are_at_the_price_of_the_market_whatever_the_book_shows() {
    let world = frozen();
    let exchange = world.exchange();
    exchange.set_price("XRPUSDC", decimal("2.5"));
    exchange.misquote("XRPUSDC", Misquote::Times(decimal("10")), u64::MAX);
    let read = |limit: usize| get(&world, &format!("/api/v3/trades?symbol=XRPUSDC&limit={limit}")).body;
    let told = read(3);
    assert_eq!(told.matches("\"isBestMatch\":true").count(), 3, "{told}");
    let [first, ..] = told.split('{').skip(1).collect::<Vec<_>>()[..] else { panic!("{told}") };
    let fields: Vec<&str> = first.split(',').filter_map(|field| field.split('"').nth(1)).collect();
    assert_eq!(fields[..7], ["id", "price", "qty", "quoteQty", "time", "isBuyerMaker", "isBestMatch"]);
    let prices: Vec<&str> =
        told.split("\"price\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(prices.iter().all(|price| ["2.49990000", "2.50010000"].contains(price)), "{prices:?}");
    assert_eq!(get(&world, "/api/v3/trades?limit=3").refusal().1, -1102);
}

#[test]
fn a_book_can_lie_for_some_readings_while_the_average_and_the_trades_are_true() {
    let world = frozen();
    let exchange = world.exchange();
    let read = |path: &str, key: &str| {
        let answer = get(&world, &format!("/api/v3/{path}?symbol=XRPUSDC")).value();
        decimal(text(&answer, key))
    };
    let book = || ["bidPrice", "askPrice"].map(|key| read("ticker/bookTicker", key));
    let (truth, average, mid) = (book(), read("avgPrice", "price"), exchange.price("XRPUSDC"));
    let lies = [
        (Misquote::Times(decimal("10")), truth.map(|price| price * decimal("10"))),
        (Misquote::Times(decimal("1000")), truth.map(|price| price * decimal("1000"))),
        (Misquote::Times(decimal("0.01")), truth.map(|price| price / decimal("100"))),
        (Misquote::At(decimal("0.00000001")), [decimal("0.00000001"); 2]),
        (Misquote::At(decimal("1000000000")), [decimal("1000000000"); 2]),
    ];
    for (lie, shown) in lies {
        // Deux lectures par regard : une par champ.
        exchange.misquote("XRPUSDC", lie, 3);
        assert_eq!(book(), shown, "{lie:?}");
        assert_eq!((read("avgPrice", "price"), read("ticker/price", "price")), (average, mid), "{lie:?}");
        assert_eq!(book(), [shown[0], truth[1]], "the third reading is the last lie: {lie:?}");
        assert_eq!(book(), truth, "{lie:?}");
    }
    exchange.misquote("XRPUSDC", Misquote::Times(decimal("10")), u64::MAX);
    let all = get(&world, "/api/v3/ticker/bookTicker?symbols=[%22XRPUSDC%22,%22EURUSDC%22]").body;
    assert!(all.contains(&format!(r#""bidPrice":"{:.8}""#, truth[0] * decimal("10"))), "{all}");
    let bought = place(&world, "symbol=XRPUSDC&side=BUY&type=MARKET&quoteOrderQty=20");
    assert_eq!(bought.status, 200);
    assert_eq!(world.exchange().accepted_orders()[0].fills[0].price, truth[1]);
    exchange.quote_truly("XRPUSDC");
    assert_eq!(book(), truth);
    exchange.set_average("XRPUSDC", decimal("7"));
    assert_eq!((read("avgPrice", "price"), book()), (decimal("7"), truth));
}
