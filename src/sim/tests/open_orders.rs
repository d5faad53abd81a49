//! Les ordres LIMIT : ce qui s'exécute, ce qui reste ouvert et immobilise son dû, et leur annulation.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::sim::{Book, Hour, Lag, Level, OrderStatus, View};

const START_MS: i64 = 1_790_000_000_000;

fn level(price: &str, quantity: &str) -> Level {
    Level { price: decimal(price), quantity: decimal(quantity) }
}

/// BTCUSDC à 50 000, un seul niveau de 0,001 de chaque côté.
fn thin() -> World {
    let world = frozen();
    world.exchange().set_price("BTCUSDC", decimal("50000"));
    let (asks, bids) = (vec![level("50001", "0.001")], vec![level("49999", "0.001")]);
    world.exchange().set_book("BTCUSDC", Book { bids, asks });
    world
}

fn limit(side: &str, price: &str, quantity: &str, time_in_force: &str, client_id: &str) -> String {
    format!(
        "symbol=BTCUSDC&side={side}&type=LIMIT&timeInForce={time_in_force}&price={price}&quantity={quantity}&newClientOrderId={client_id}"
    )
}

fn cancel(world: &World, params: &str) -> Answer {
    signed(world, "DELETE", ORDER, &format!("symbol=BTCUSDC{params}"))
}

fn held(world: &World, asset: &str) -> (Decimal, Decimal) {
    let Balance { free, locked } = world.exchange().balance(asset);
    (free, locked)
}

#[test]
fn a_limit_order_fills_what_the_book_offers_and_locks_the_rest() {
    let world = thin();
    let order = place(&world, &limit("BUY", "50100", "0.003", "GTC", "part")).value();
    assert_eq!((text(&order, "status"), text(&order, "type")), ("PARTIALLY_FILLED", "LIMIT"));
    assert_eq!((text(&order, "price"), text(&order, "executedQty")), ("50100.00000000", "0.00100000"));
    assert_eq!(text(&order, "cummulativeQuoteQty"), "50.00100000");
    // 1000 − 50,001 exécutés, dont 0,002 × 50100 = 100,2 immobilisés.
    assert_eq!(held(&world, "USDC"), (decimal("849.799"), decimal("100.2")));
    let canceled = cancel(&world, "&origClientOrderId=part&newClientOrderId=never-mind").value();
    assert_eq!((text(&canceled, "status"), text(&canceled, "origClientOrderId")), ("CANCELED", "part"));
    assert_eq!(text(&canceled, "clientOrderId"), "never-mind");
    assert_eq!(held(&world, "USDC"), (decimal("949.999"), Decimal::ZERO));
    assert_eq!(world.exchange().accepted_orders()[0].status, OrderStatus::Canceled);
    assert_balances(&world, &[("USDC", Decimal::ONE_THOUSAND)]);
}

#[test]
fn a_limit_order_that_must_not_rest_expires() {
    let world = thin();
    let told = |time_in_force: &str| {
        let order = place(&world, &limit("BUY", "50100", "0.003", time_in_force, time_in_force)).value();
        ["status", "executedQty", "expiryReason", "timeInForce"].map(|key| text(&order, key).to_owned())
    };
    assert_eq!(told("IOC"), ["EXPIRED", "0.00100000", "UNFILLED_IOC_QUANTITY_EXPIRED", "IOC"]);
    assert_eq!(told("FOK"), ["EXPIRED", "0.00000000", "UNFILLED_FOK_ORDER_EXPIRED", "FOK"]);
    assert_eq!(held(&world, "USDC").1, Decimal::ZERO);
    let counts = signed(&world, "GET", "/api/v3/rateLimit/order", "").body;
    assert!(counts.contains(r#""limit":100,"count":1"#), "{counts}");
    assert_balances(&world, &[("USDC", Decimal::ONE_THOUSAND)]);
}

#[test]
fn limit_orders_are_refused_with_the_right_code_and_text() {
    let world = thin();
    let mandatory =
        |name: &str| format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed.");
    let cases = [
        ("type=LIMIT&price=50000&quantity=0.001", -1102, mandatory("timeInForce")),
        ("type=LIMIT&timeInForce=GTC&quantity=0.001", -1102, mandatory("price")),
        ("type=LIMIT&timeInForce=GTC&price=50000", -1102, mandatory("quantity")),
        ("type=LIMIT&timeInForce=DAY&price=50000&quantity=0.001", -1115, "Invalid timeInForce.".to_owned()),
        (
            "type=LIMIT&timeInForce=GTC&price=50000&quantity=0.001&quoteOrderQty=5",
            -1106,
            "Parameter 'quoteOrderQty' sent when not required.".to_owned(),
        ),
        (
            "type=LIMIT&timeInForce=GTC&price=50000&quantity=0.001&icebergQty=0.0005",
            -1014,
            "Unsupported order combination.".to_owned(),
        ),
        (
            "type=LIMIT&timeInForce=GTC&price=50000.001&quantity=0.001",
            -1013,
            "Filter failure: PRICE_FILTER".to_owned(),
        ),
        (
            "type=LIMIT&timeInForce=GTC&price=99999999999999999999&quantity=99999999999999999999",
            -1013,
            "Filter failure: PRICE_FILTER".to_owned(),
        ),
        (
            "type=LIMIT&timeInForce=GTC&price=50000&quantity=0.03",
            -2010,
            "Account has insufficient balance for requested action.".to_owned(),
        ),
    ];
    for (params, code, msg) in cases {
        let refusal = place(&world, &format!("symbol=BTCUSDC&side=BUY&{params}")).refusal();
        assert_eq!(refusal, (400, code, msg), "{params}");
    }
    assert!(world.exchange().accepted_orders().is_empty());
    assert_eq!(held(&world, "USDC"), (Decimal::ONE_THOUSAND, Decimal::ZERO));
}

#[test]
fn a_cancellation_names_one_open_order_or_is_refused() {
    let world = thin();
    place(&world, &limit("BUY", "40000", "0.001", "GTC", "open"));
    place(&world, &buy("filled"));
    let id = world.exchange().accepted_orders()[0].id;
    let refused = |params: &str| cancel(&world, params).refusal();
    let unknown = (400, -2011, "Unknown order sent.".to_owned());
    assert_eq!(refused("").1, -1102);
    assert_eq!(refused("&origClientOrderId=nobody"), unknown);
    assert_eq!(refused("&origClientOrderId=filled"), unknown);
    assert_eq!(refused(&format!("&orderId={id}&origClientOrderId=filled")).1, -2039);
    assert_eq!(refused(&format!("&orderId={id}&cancelRestrictions=MAYBE")).1, -1145);
    assert_eq!(
        refused(&format!("&orderId={id}&cancelRestrictions=ONLY_PARTIALLY_FILLED")).2,
        "Order was not canceled due to cancel restrictions."
    );
    world.exchange().edit_account(|account| account.can_trade = false);
    let blocked = refused(&format!("&orderId={id}"));
    assert_eq!(blocked, (400, -2011, "This account may not place or cancel orders.".to_owned()));
    world.exchange().edit_account(|account| account.can_trade = true);
    let canceled = cancel(&world, &format!("&orderId={id}&cancelRestrictions=ONLY_NEW"));
    assert_eq!(text(&canceled.value(), "clientOrderId").len(), 22);
    assert_eq!(refused(&format!("&orderId={id}")), unknown);
    let again = place(&world, &limit("BUY", "40000", "0.001", "GTC", "open"));
    assert_eq!(again.status, 200, "the id of a canceled order is free");
}

#[test]
fn a_cancellation_too_can_be_seen_late() {
    let world = thin();
    place(&world, &limit("BUY", "40000", "0.001", "GTC", "open"));
    world.exchange().set_lag(View::Order, Lag::Reads(2));
    world.exchange().set_lag(View::Account, Lag::Reads(1));
    assert_eq!(signed(&world, "GET", ORDER, "symbol=BTCUSDC&origClientOrderId=open").status, 400);
    assert_eq!(signed(&world, "GET", ORDER, "symbol=BTCUSDC&origClientOrderId=open").status, 400);
    signed(&world, "GET", "/api/v3/account", "");
    assert_eq!(cancel(&world, "&origClientOrderId=open").status, 200);
    let status = || {
        let answer = signed(&world, "GET", ORDER, "symbol=BTCUSDC&origClientOrderId=open").value();
        text(&answer, "status").to_owned()
    };
    let open = || list(&signed(&world, "GET", "/api/v3/openOrders", "").value()).len();
    assert_eq!((status(), open()), ("NEW".to_owned(), 1));
    assert_eq!((status(), open()), ("CANCELED".to_owned(), 0));
    let locked = || signed(&world, "GET", "/api/v3/account", "").body.contains(r#""locked":"40.00000000""#);
    assert!(locked());
    assert!(!locked());
}

#[test]
fn random_limit_orders_and_cancellations_conserve_balances() {
    use OrderStatus::{Canceled, Expired, Filled, New, PartiallyFilled};
    let start = [("USDC", decimal("5000")), ("BNB", decimal("3"))];
    let balances = start.iter().map(|(asset, free)| (asset.to_string(), *free)).collect();
    let world = World::start(Script { seed: 5, balances, ..Script::default() }).unwrap();
    let mut dice = fastrand::Rng::with_seed(5);
    for rank in 0..150 {
        world.exchange().step();
        let in_bnb = dice.bool();
        world.exchange().edit_account(|account| account.bnb_fees = in_bnb);
        let side = ["BUY", "SELL"][dice.usize(0..2)];
        let factor = Decimal::new(dice.i64(99_960..=100_040), 5);
        let price = (world.exchange().price("BNBUSDC") * factor).trunc_with_scale(2);
        let quantity = Decimal::new(dice.i64(10..=1_500), 3);
        let time_in_force = ["GTC", "GTC", "IOC", "FOK"][dice.usize(0..4)];
        let params = format!(
            "symbol=BNBUSDC&side={side}&type=LIMIT&timeInForce={time_in_force}&price={price}&quantity={quantity}&newClientOrderId=n{rank}"
        );
        place(&world, &params);
        if dice.u32(0..3) == 0 {
            let target = dice.u32(0..=rank);
            signed(&world, "DELETE", ORDER, &format!("symbol=BNBUSDC&origClientOrderId=n{target}"));
        }
        assert_balances(&world, &start);
    }
    let orders = world.exchange().accepted_orders();
    let met = |status: OrderStatus| orders.iter().filter(|order| order.status == status).count();
    let counts = [New, PartiallyFilled, Filled, Canceled, Expired].map(met);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    let due: Decimal = orders
        .iter()
        .filter(|order| matches!(order.status, OrderStatus::New | OrderStatus::PartiallyFilled))
        .filter(|order| order.side == OrderSide::Sell)
        .map(|order| order.quantity - order.executed)
        .sum();
    assert_eq!(world.exchange().balance("BNB").locked, due);
}

#[test]
fn selling_with_fees_in_the_sold_asset_never_touches_what_the_order_locks() {
    let world = frozen();
    world.exchange().set_price("BNBUSDC", decimal("500"));
    world
        .exchange()
        .set_book("BNBUSDC", Book { bids: vec![level("500", "0.4")], asks: vec![level("501", "1")] });
    world.exchange().set_balance("BNB", Decimal::ONE);
    world.exchange().edit_account(|account| account.bnb_fees = true);
    let params = "symbol=BNBUSDC&side=SELL&type=LIMIT&timeInForce=GTC&price=500&quantity=1";
    assert_eq!(text(&place(&world, params).value(), "status"), "PARTIALLY_FILLED");
    assert_eq!(held(&world, "BNB"), (Decimal::ZERO, decimal("0.6")));
    let fill = &world.exchange().accepted_orders()[0].fills[0];
    assert_eq!((fill.commission, fill.commission_asset.as_str()), (decimal("0.2"), "USDC"));
}

#[test]
fn open_orders_count_towards_the_filters_of_the_account() {
    let world = frozen();
    world.exchange().edit_listing("BTCUSDC", |listing| listing.max_position = Some(decimal("0.01")));
    let rest = |quantity: &str, client_id: &str| {
        let (price, quantity) = (decimal("100"), decimal(quantity));
        world.exchange().rest_order("BTCUSDC", OrderSide::Buy, price, quantity, client_id)
    };
    assert!(rest("0.0099", "almost").is_some());
    assert_eq!(place(&world, &buy("over")).refusal().2, "Filter failure: MAX_POSITION");
    world.exchange().edit_listing("BTCUSDC", |listing| listing.max_position = None);
    for rank in 1..200 {
        assert!(rest("0.0001", &format!("rest-{rank}")).is_some());
    }
    assert_eq!(place(&world, &buy("crowd")).refusal().2, "Filter failure: MAX_NUM_ORDERS");
}

#[test]
fn an_order_that_never_traded_is_archived_after_ninety_days() {
    let micros = Arc::new(AtomicI64::new(START_MS * 1_000));
    let hour = Hour::Set(micros.clone());
    let world = World::start(Script { pace: Pace::Frozen, hour, ..Script::default() }).unwrap();
    let ask = |method: &str, path: &str, params: &str| {
        let stamp = format!("timestamp={}", micros.load(Ordering::SeqCst) / 1_000);
        let key = format!("X-MBX-APIKEY: {}\r\n", Script::default().api_key);
        receive(send(&world.exchange_url(), method, &stamped_target(path, params, &stamp), &key)).unwrap()
    };
    ask("POST", ORDER, &buy("traded"));
    ask("POST", ORDER, &limit("BUY", "40000", "0.001", "GTC", "canceled"));
    ask("DELETE", ORDER, "symbol=BTCUSDC&origClientOrderId=canceled");
    let query = |id: &str| ask("GET", ORDER, &format!("symbol=BTCUSDC&origClientOrderId={id}"));
    let known = || list(&ask("GET", "/api/v3/allOrders", "symbol=BTCUSDC").value()).len();
    micros.fetch_add(90 * 86_400_000_000, Ordering::SeqCst);
    assert_eq!((query("canceled").status, known()), (200, 2));
    micros.fetch_add(1_000, Ordering::SeqCst);
    assert_eq!((query("canceled").refusal().1, known()), (-2026, 1));
    assert_eq!(query("traded").status, 200);
}
