//! Les ordres passés et leurs exécutions, relus : entiers et de la bonne paire, ou pas du tout.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use calvalot::clock;
use calvalot::domain::execution::Executions;
use calvalot::domain::market::Coin;
use calvalot::domain::moment::Moment;
use calvalot::exchange::{Account, Credentials, Exchange, Sighting, Trouble};
use calvalot::sim::{Fault, Lag, On, Reply, View};
use rust_decimal::{Decimal, dec};
use smol::block_on;

use crate::fake::{Fake, response};
use crate::{Desk, ORDER, client};

const ALL_ORDERS: &str = "/api/v3/allOrders";
const DAY: i64 = 86_400_000;

fn is_unreadable<T: std::fmt::Debug>(read: Result<T, Trouble>, what: &str) {
    let reason = match read {
        Err(Trouble::Failed(reason)) => reason,
        other => panic!("{what}: {other:?}"),
    };
    assert!(reason.contains("cannot be read"), "{what}: {reason}");
}

#[test]
fn what_was_placed_is_read_back_the_same() {
    let desk = Desk::open();
    let since = desk.stamp();
    let placed: Vec<_> = (0..3).map(|run| desk.bought(&format!("bot-{run}"))).collect();
    for (report, executions) in &placed {
        let read = block_on(desk.account.order(Coin::Btc, &report.client_id)).expect("an answer");
        assert_eq!(read, Sighting::Seen(report.clone()));
        let read = block_on(desk.account.executions(Coin::Btc, report.order_id)).expect("an answer");
        assert_eq!(read, executions.iter().collect());
    }
    let reports: Vec<_> = placed.iter().map(|(report, _)| report.clone()).collect();
    let executions: Vec<_> = placed.iter().flat_map(|(_, executions)| executions.clone()).collect();
    let (account, btc) = (&desk.account, Coin::Btc);
    assert_eq!(block_on(account.orders_since(btc, since)), Ok(reports.clone()));
    assert_eq!(block_on(account.executions_since(btc, since)), Ok(executions));
    assert_eq!(block_on(account.orders_from(btc, reports[1].order_id)), Ok(reports[1..].to_vec()));
    assert_eq!(block_on(account.recent_orders(btc)), Ok(reports.clone()));
    let last = reports.last().expect("several were placed");
    assert_eq!(block_on(account.order_numbered(btc, last.order_id)), Ok(Sighting::Seen(last.clone())));
    assert_eq!(block_on(account.order_numbered(btc, last.order_id + 1)), Ok(Sighting::Unseen));
    assert_eq!(block_on(account.orders_since(btc, Moment(since.0 + DAY))), Ok(Vec::new()));
    // Rien d'une autre paire.
    assert_eq!(block_on(account.recent_orders(Coin::Eth)), Ok(Vec::new()));
    assert_eq!(block_on(account.orders_from(Coin::Eth, 1)), Ok(Vec::new()));
    assert_eq!(block_on(account.order(Coin::Eth, "bot-0")), Ok(Sighting::Unseen));
    assert_eq!(block_on(account.executions(Coin::Btc, 1)), Ok(Executions::default()));
}

/// Des ordres d'une autre main sont lus comme les nôtres : c'est par là qu'on les voit.
#[test]
fn an_order_placed_by_someone_else_is_seen() {
    let desk = Desk::open();
    let side = calvalot::sim::OrderSide::Buy;
    let rested = desk.world.exchange().rest_order("BTCUSDC", side, dec!(50), dec!(1), "by-hand");
    let read = block_on(desk.account.recent_orders(Coin::Btc)).expect("an answer").pop().expect("an order");
    assert_eq!((Some(read.order_id), read.client_id.as_str(), read.ended), (rested, "by-hand", false));
}

#[test]
fn an_order_the_exchange_does_not_see_is_no_failure_and_the_rest_is() {
    let desk = Desk::open();
    let read = || block_on(desk.account.order(Coin::Btc, "bot-1"));
    assert_eq!(read(), Ok(Sighting::Unseen));
    desk.world.exchange().set_lag(View::Order, Lag::Reads(2));
    desk.bought("bot-1");
    assert_eq!([read(), read()], [Ok(Sighting::Unseen), Ok(Sighting::Unseen)]);
    assert!(read().expect("an answer").seen().is_some());
    for (reply, expected) in [
        (Reply::code(500, -2013, "Order does not exist."), "500"),
        (Reply::code(504, -1007, "Timeout."), "504"),
        (Reply::html(404, "<html>"), "404"),
        (Reply::empty(502), "502"),
    ] {
        desk.world.fault(On::exchange(ORDER), Fault::answer(reply));
        let read = read();
        assert!(matches!(&read, Err(Trouble::Failed(reason)) if reason.contains(expected)), "{read:?}");
        desk.world.clear_faults();
    }
    desk.world.fault(On::exchange(ORDER), Fault::answer(Reply::code(400, -2026, "Archived.")));
    // Fini sans rien échanger, il y a longtemps : c'est une réponse.
    assert_eq!(read(), Ok(Sighting::Archived));
}

#[test]
fn a_list_longer_than_a_page_is_whole_and_in_order() {
    let desk = Desk::open();
    desk.world.exchange().set_balance("USDC", dec!(100000));
    let since = desk.stamp();
    let placed: Vec<_> = (0..120).map(|run| desk.bought(&format!("bot-{run}")).0).collect();
    assert_eq!(block_on(desk.account.orders_since(Coin::Btc, since)), Ok(placed.clone()));
    // Trois pages, et une d'un élément qui prouve où commence la première.
    assert_eq!(desk.world.exchange().calls(ALL_ORDERS), 4);
    let from = placed[20].order_id;
    assert_eq!(block_on(desk.account.orders_from(Coin::Btc, from)), Ok(placed[20..].to_vec()));
    let executions = block_on(desk.account.executions_since(Coin::Btc, since)).expect("an answer");
    let total = executions.iter().map(|execution| execution.quantity).sum();
    assert_eq!(placed.iter().map(|report| report.executed).sum::<calvalot::domain::money::Quantity>(), total);
}

/// Un ordre tel que la bourse l'écrit.
fn order(id: i64, time: i64) -> String {
    format!(
        r#"{{"symbol":"BTCUSDC","orderId":{id},"orderListId":-1,"clientOrderId":"c{id}","price":"0.00000000",
        "origQty":"0.00036000","executedQty":"0.00036000","cummulativeQuoteQty":"24.48444240","status":"FILLED",
        "timeInForce":"GTC","type":"MARKET","side":"BUY","stopPrice":"0.00000000","icebergQty":"0.00000000",
        "time":{time},"updateTime":{time},"isWorking":true,"workingTime":{time},
        "origQuoteOrderQty":"25.00000000","selfTradePreventionMode":"EXPIRE_MAKER"}}"#
    )
}

fn trade(id: i64, order_id: i64) -> String {
    format!(
        r#"{{"symbol":"BTCUSDC","id":{id},"orderId":{order_id},"orderListId":-1,"price":"68012.34000000",
        "qty":"0.00036000","quoteQty":"24.48444240","commission":"0.00000036","commissionAsset":"BTC",
        "time":1790000000500,"isBuyer":true,"isMaker":false,"isBestMatch":true}}"#
    )
}

/// Un compte devant une bourse qui répond `list` à toute lecture, et l'heure.
fn reading(list: impl Fn(&str) -> String + Send + Sync + 'static) -> (Account, Fake) {
    let fake = Fake::serving(move |head, stream| {
        let hour = || format!(r#"{{"serverTime":{}}}"#, clock::now().0);
        let body = if head.contains("/time") { hour() } else { list(head) };
        drop(stream.write_all(response("200 OK", "", &body).as_bytes()));
    });
    let exchange = Exchange::binance(&fake.url, client());
    block_on(exchange.synchronise()).expect("it tells the time");
    (Account::new(exchange, Credentials::hmac("key", "secret")), fake)
}

fn parameter(head: &str, name: &str) -> Option<i64> {
    let rest = head.split_once(&format!("{name}="))?.1;
    rest[..rest.find(['&', ' '])?].parse().ok()
}

/// Une bourse qui a ces ordres (numéro, heure) et cherche comme la vraie : par numéro, ou dans un jour.
fn exchange_with(orders: impl Fn(i64) -> Option<i64> + Send + Sync + 'static) -> (Account, Fake) {
    reading(move |head| {
        let limit = parameter(head, "limit").unwrap_or(500) as usize;
        let since = parameter(head, "startTime");
        let from = parameter(head, "orderId").unwrap_or(1);
        let known = (from..from + 2_000).map_while(|id| orders(id).map(|time| (id, time)));
        let within = known.filter(|(_, time)| since.is_none_or(|since| (since..since + DAY).contains(time)));
        let page: Vec<String> = within.take(limit).map(|(id, time)| order(id, time)).collect();
        format!("[{}]", page.join(","))
    })
}

#[test]
fn a_list_cut_at_its_limit_is_not_a_proof() {
    let (account, fake) = exchange_with(|_| Some(clock::now().0 - 1_000));
    let since = Moment(clock::now().0 - 3_600_000);
    let whole = block_on(account.orders_since(Coin::Btc, since));
    assert!(matches!(&whole, Err(Trouble::Failed(reason)) if reason.contains("1000")), "{whole:.200?}");
    let first = block_on(account.orders_from(Coin::Btc, 17)).expect("the first thousand");
    let ids: Vec<i64> = first.iter().map(|report| report.order_id).collect();
    assert_eq!(ids, (17..1_017).collect::<Vec<i64>>());
    assert_eq!(fake.requests().iter().filter(|head| head.contains(ALL_ORDERS)).count(), 41);
}

/// Si une page pleine donnait les derniers ordres depuis une heure, les premiers seraient cachés.
#[test]
fn a_page_that_begins_elsewhere_than_asked_is_not_a_proof() {
    let (account, _fake) = reading(|head| {
        let limit = parameter(head, "limit").unwrap_or(500);
        let last: Vec<String> = (61 - limit..=60).map(|id| order(id, clock::now().0)).collect();
        format!("[{}]", last.join(","))
    });
    let read = block_on(account.orders_since(Coin::Btc, Moment(clock::now().0 - 1_000)));
    assert!(matches!(&read, Err(Trouble::Failed(reason)) if reason.contains("begin")), "{read:.200?}");
}

/// Un ordre qui a mangé beaucoup de carnet : toutes ses exécutions, et pas celles des autres, sans les garder.
#[test]
fn an_order_of_thousands_of_executions_is_read_whole() {
    const COUNT: i64 = 3_130;
    let (account, fake) = reading(|head| {
        let (limit, from) = (parameter(head, "limit").unwrap_or(500), parameter(head, "fromId"));
        assert_eq!(parameter(head, "orderId"), Some(7), "{head}");
        // Sans point de départ, la bourse rend les dernières.
        let first = from.unwrap_or(COUNT + 1 - limit).max(1);
        let page: Vec<String> = (first..=COUNT).take(limit as usize).map(|id| trade(id, 7)).collect();
        format!("[{}]", page.join(","))
    });
    let executions = block_on(account.executions(Coin::Btc, 7)).expect("an answer");
    let all = |one: Decimal| one * Decimal::from(COUNT);
    assert_eq!(executions.count, COUNT as usize);
    assert_eq!(executions.quantity.decimal(), all(dec!(0.00036)));
    assert_eq!(executions.amount.decimal(), all(dec!(24.4844424)));
    assert_eq!(executions.commissions["BTC"].decimal(), all(dec!(0.00000036)));
    assert_eq!(fake.requests().iter().filter(|head| head.contains("myTrades")).count(), 63);
}

/// La bourse ne regarde qu'un jour à la fois : une longue absence ne cache rien.
#[test]
fn orders_of_many_days_ago_are_found_too() {
    let now = clock::now().0;
    let times = [now - 9 * DAY, now - 2 * DAY, now - 1_000];
    let (account, _fake) = exchange_with(move |id| times.get(id as usize - 1).copied());
    for (days, expected) in [(1, 1), (3, 2), (8, 2), (10, 3), (30, 3)] {
        let read = block_on(account.orders_since(Coin::Btc, Moment(now - days * DAY)));
        assert_eq!(read.map(|reports| reports.len()), Ok(expected), "{days} days");
    }
    let read = block_on(account.orders_since(Coin::Btc, Moment(0)));
    assert!(matches!(&read, Err(Trouble::Failed(reason)) if reason.contains("does not end")), "{read:?}");
}

#[test]
fn numbers_are_read_to_the_last_digit() {
    for id in [9_007_199_254_740_993, i64::MAX - 1, i64::MAX] {
        let (account, _fake) = reading(move |head| {
            if head.contains("myTrades") {
                format!("[{}]", trade(id, id))
            } else if head.contains(ALL_ORDERS) {
                format!("[{}]", order(id, 1_790_000_000_500))
            } else {
                order(id, 1_790_000_000_500)
            }
        });
        let read = block_on(account.order(Coin::Btc, &format!("c{id}")))
            .expect("an answer")
            .seen()
            .expect("an order");
        assert_eq!((read.order_id, read.at), (id, Moment(1_790_000_000_500)));
        assert_eq!(block_on(account.recent_orders(Coin::Btc)), Ok(vec![read.clone()]));
        assert_eq!(block_on(account.order_numbered(Coin::Btc, id)), Ok(Sighting::Seen(read.clone())));
        assert_eq!(block_on(account.orders_from(Coin::Btc, id)), Ok(vec![read]));
        let executions = block_on(account.executions(Coin::Btc, id)).expect("an answer");
        assert_eq!(executions.count, 1);
        let list = block_on(account.executions_since(Coin::Btc, Moment(clock::now().0 - 1_000)));
        let list: Vec<_> = list.expect("an answer").iter().map(|one| (one.trade_id, one.order_id)).collect();
        assert_eq!(list, [(id, id)]);
    }
}

/// Un seul élément qui ne va pas, et la lecture ne prouve plus rien.
#[test]
fn one_bad_element_makes_the_whole_list_unreadable() {
    let spoilt = |from: &str, to: &str| (order(8, 1).replace(from, to), trade(8, 7).replace(from, to));
    let elements = [
        spoilt("BTCUSDC", "ETHUSDC"),
        spoilt("BTCUSDC", "DOGEUSDC"),
        spoilt("\"symbol\"", "\"name\""),
        spoilt("\"0.00036000\"", "0.00036"),
        spoilt("\"0.00036000\"", "\"-0.00036000\""),
        spoilt("\"0.00036000\"", "\"3.6e-4\""),
        spoilt("24.48444240", ""),
        spoilt(":8,", ":\"8\","),
        spoilt(":8,", ":-1,"),
        spoilt(":8,", ":8.5,"),
        ("null".to_owned(), "null".to_owned()),
        ("{}".to_owned(), "[]".to_owned()),
        (order(8, 1).replace("BUY", "HOLD"), trade(8, 7).replace("true,\"isMaker", "1,\"isMaker")),
        // Une autre liste que celle qu'on demandait : d'avant le numéro, d'un autre ordre.
        (order(5, 1), trade(8, 6)),
    ];
    for (bad_order, bad_trade) in elements {
        let what = format!("{bad_order:.120} {bad_trade:.120}");
        let (orders, trades) = (
            format!("[{},{bad_order}]", order(7, 1)),
            format!("[{},{bad_trade},{}]", trade(7, 7), trade(9, 7)),
        );
        let (account, _fake) =
            reading(move |head| if head.contains("myTrades") { trades.clone() } else { orders.clone() });
        is_unreadable(block_on(account.orders_from(Coin::Btc, 7)), &what);
        is_unreadable(block_on(account.executions(Coin::Btc, 7)), &what);
    }
    let (measured, _fake) = reading(|_| String::new());
    let measured = measured.exchange();
    for body in ["", "<html>", "{}", "null", "7", "[[]]", "[1", "{\"code\":-1121,\"msg\":\"x\"}"] {
        let exchange = measured.at(&Fake::answering("200 OK", body).url);
        let account = Account::new(exchange, Credentials::hmac("key", "secret"));
        is_unreadable(block_on(account.orders_from(Coin::Btc, 7)), body);
        is_unreadable(block_on(account.recent_orders(Coin::Btc)), body);
        is_unreadable(block_on(account.order_numbered(Coin::Btc, 7)), body);
        is_unreadable(block_on(account.executions_since(Coin::Btc, Moment(clock::now().0))), body);
        is_unreadable(block_on(account.order(Coin::Btc, "c7")), body);
    }
}

/// L'ordre d'un autre nom, ou d'une autre paire, n'est pas celui qu'on demandait.
#[test]
fn another_order_than_the_one_asked_for_is_unreadable() {
    let (account, _fake) = reading(|_| order(7, 1));
    assert!(block_on(account.order(Coin::Btc, "c7")).expect("an answer").seen().is_some());
    is_unreadable(block_on(account.order(Coin::Btc, "c8")), "another name");
    is_unreadable(block_on(account.order(Coin::Eth, "c7")), "another pair");
}

/// Une bourse qui répond toujours la même page pleine ne fait pas tourner sans fin.
#[test]
fn a_list_that_does_not_go_on_ends() {
    let calls = Arc::new(AtomicU64::new(0));
    let counted = calls.clone();
    let page: Vec<String> = (1..=50).map(|id| order(id, 1)).collect();
    let page = format!("[{}]", page.join(","));
    let (account, _fake) = reading(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        page.clone()
    });
    is_unreadable(block_on(account.orders_from(Coin::Btc, 1)), "the same page");
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn a_balance_that_is_no_amount_is_a_failure_and_not_a_zero() {
    let account_of = |balances: &str| {
        let balances = balances.to_owned();
        reading(move |_| {
            format!(
                r#"{{"canTrade":true,"permissions":["SPOT"],"uid":9007199254740993,"balances":[{balances}]}}"#
            )
        })
    };
    let balance = |asset: &str, free: &str, locked: &str| {
        format!(r#"{{"asset":"{asset}","free":{free},"locked":{locked}}}"#)
    };
    let good = [
        balance("DOGE", "\"x\"", "\"-5\""),
        balance("USDC", "\"120.53000000\"", "\"0.50000000\""),
        balance("XRP", "\"7.00000000\"", "\"0.00000000\""),
    ];
    let (account, _fake) = account_of(&good.join(","));
    let state = block_on(account.state()).expect("an account");
    assert_eq!((state.uid, state.balances.usdc.total().decimal()), (9_007_199_254_740_993, dec!(121.03)));
    assert_eq!(state.balances.coins[Coin::Xrp].free.decimal(), dec!(7));
    for bad in [
        balance("USDC", "\"x\"", "\"0\""),
        balance("USDC", "\"-1\"", "\"0\""),
        balance("XRP", "\"1\"", "\"-1\""),
        balance("BNB", "\"1\"", "1"),
        balance("BNB", "\"1e3\"", "\"0\""),
        r#"{"asset":"BNB","free":"1"}"#.to_owned(),
        "null".to_owned(),
    ] {
        let (account, _fake) = account_of(&bad);
        is_unreadable(block_on(account.state()), &bad);
    }
}
