//! Ce que pèse chaque appel, à une heure immobile : aucune minute ne s'achève au milieu d'un essai.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use super::*;
use crate::sim::{Delivery, Direct, Hour, Reply, Side};

const START_MS: i64 = 1_790_000_000_000;

fn still() -> Direct {
    let hour = Hour::Set(Arc::new(AtomicI64::new(START_MS * 1_000)));
    Direct::new(Script { pace: Pace::Frozen, hour, ..Script::default() })
}

fn ask(world: &Direct, method: &str, target: &str) -> Reply {
    let key = Script::default().api_key;
    match world.arrive(Side::Exchange, method, target, &[("X-MBX-APIKEY", &key)], b"").process() {
        Delivery::Whole(reply) => reply,
        other => panic!("{other:?} is not whole"),
    }
}

fn ask_signed(world: &Direct, method: &str, path: &str, params: &str) -> Reply {
    ask(world, method, &stamped_target(path, params, &format!("timestamp={START_MS}")))
}

#[test]
fn each_call_weighs_what_the_documentation_says() {
    let world = still();
    let mut before = 0;
    let mut weighs = |reply: Reply, expected: i64| {
        let used = reply.headers.iter().find(|(name, _)| name == "x-mbx-used-weight-1m");
        let after: i64 = used.unwrap().1.parse().unwrap();
        assert_eq!(after - before, expected, "{}", String::from_utf8_lossy(&reply.body));
        before = after;
    };
    weighs(ask(&world, "GET", "/api/v3/time"), 1);
    weighs(ask(&world, "GET", "/api/v3/exchangeInfo"), 20);
    weighs(ask(&world, "GET", "/api/v3/ticker/bookTicker?symbol=BTCUSDC"), 2);
    weighs(ask(&world, "GET", "/api/v3/trades?symbol=BTCUSDC&limit=5"), 25);
    weighs(ask(&world, "GET", "/api/v3/ticker/bookTicker"), 4);
    weighs(ask(&world, "GET", "/api/v3/executionRules?symbol=BTCUSDC"), 2);
    weighs(ask(&world, "GET", "/api/v3/executionRules?symbols=[%22BTCUSDC%22,%22ETHUSDC%22]"), 4);
    weighs(ask(&world, "GET", "/api/v3/executionRules"), 40);
    weighs(ask(&world, "GET", "/api/v3/depth?symbol=BTCUSDC&limit=500"), 25);
    weighs(ask_signed(&world, "GET", "/api/v3/account", ""), 20);
    weighs(ask_signed(&world, "GET", "/api/v3/myFilters", "symbol=BTCUSDC"), 40);
    weighs(ask_signed(&world, "GET", "/api/v3/openOrders", ""), 80);
    weighs(ask_signed(&world, "GET", "/api/v3/openOrders", "symbol=BTCUSDC"), 6);
    weighs(ask_signed(&world, "GET", "/api/v3/myTrades", "symbol=BTCUSDC&orderId=1"), 5);
    weighs(ask_signed(&world, "GET", "/sapi/v1/account/apiRestrictions", ""), 0);
    weighs(ask_signed(&world, "POST", ORDER, &buy("free")), 0);
    weighs(ask_signed(&world, "POST", ORDER, "symbol=BTCUSDC&side=BUY&type=MARKET"), 1);
    weighs(ask_signed(&world, "DELETE", ORDER, "symbol=BTCUSDC&orderId=1"), 1);
}

#[test]
fn requests_are_limited_in_number_as_in_weight() {
    let world = still();
    world.exchange().set_raw_limit(1);
    let text = |reply: &Reply| String::from_utf8_lossy(&reply.body).into_owned();
    let info = text(&ask(&world, "GET", "/api/v3/exchangeInfo"));
    let told = r#"{"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":1}"#;
    assert!(info.contains(told), "{info}");
    let refused = ask(&world, "GET", "/api/v3/ping");
    assert_eq!(refused.status, 429);
    assert!(text(&refused).contains("Too many requests; current limit is 1 requests per 5 MINUTE."));
}
