//! La réponse arrive entière et dit n'importe quoi.

use calvalot::sim::{Fault, On, Reply, Status, Wire};
use rust_decimal::dec;

use crate::follower::{Folder, Follower, still_world, until};
use crate::{EVERYONE, INFO, TICKER, Who, check, check_alive};

#[test]
fn a_body_that_makes_no_sense_is_told_and_survived() {
    let nonsense = [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "[[]]",
        "[null]",
        "[{}]",
        "true",
        "\"text\"",
        "NaN",
        "1e999",
        "-1e999",
        "[NaN]",
        "[1e999]",
        "{\"a\":",
        "<html><body>Welcome</body></html>",
        "\u{feff}[]",
        "[] []",
        r#"{"symbols":null}"#,
        r#"{"symbols":[{"symbol":7}]}"#,
        r#"[{"symbol":"BTCUSDC"}]"#,
        r#"{"signal_id":null}"#,
        r#"{"signal_id":{}}"#,
        r#"{"signal_id":""}"#,
        r#"{"signal_id":1e999}"#,
        r#"{"signal_id":"initial_sync","version":2,"portfolio_state":{"positions":[]}}"#,
    ];
    for who in EVERYONE {
        for text in nonsense {
            check(who, Fault::body(text), 2, "");
        }
        let binary = Reply { body: vec![0xff, 0xfe, 0x00, 0x80], ..Reply::empty(200) };
        check(who, Fault::answer(binary), 2, "not");
    }
}

/// La vraie réponse, un champ abîmé partout.
fn rewrite(from: &str, to: &str) -> Fault {
    Fault::processed(Wire::Rewrite { from: from.to_owned(), to: to.to_owned() })
}

#[test]
fn a_price_that_is_none_is_unknown() {
    let instead =
        [r#""bidPrice":7,"x":"#, r#""bidPrice":null,"x":"#, r#""bidPrice":["1"],"x":"#, r#""other":"#];
    for field in instead {
        check(Who::Prices, rewrite(r#""bidPrice":"#, field), 2, "expected fields");
    }
    for start in ["-", "NaN", "1e", "Infinity", "0x", " ", "+", "999999999999999", "0.0000000000000000001"] {
        check(Who::Prices, rewrite(r#""bidPrice":""#, &format!(r#""bidPrice":"{start}"#)), 2, "bid");
    }
    for text in ["", "0", "1e999", "NaN", "-0"] {
        check(Who::Prices, rewrite(r#""askPrice":""#, &format!(r#""askPrice":"{text}","x":""#)), 2, "ask");
    }
    // Croisé, puis absurdement large.
    check(Who::Prices, rewrite(r#""bidPrice":""#, r#""bidPrice":"9"#), 2, "too far apart");
    check(Who::Prices, rewrite(r#""askPrice":""#, r#""askPrice":"9"#), 2, "too far apart");
    check(Who::Prices, rewrite(r#""symbol":"BTCUSDC""#, r#""symbol":"BTCUSDT""#), 2, "has no BTCUSDC");
}

#[test]
fn rules_that_are_none_are_unknown() {
    let cases = [
        (r#""filters":"#, r#""other":"#, "expected fields"),
        (r#""filters":"#, r#""filters":{},"x":"#, "expected fields"),
        (r#""status":"TRADING""#, r#""status":7"#, "expected fields"),
        (r#""orderTypes":"#, r#""other":"#, "expected fields"),
        (r#""isSpotTradingAllowed":true"#, r#""isSpotTradingAllowed":"yes""#, "expected fields"),
        (r#""symbols":"#, r#""symbols":{},"x":"#, "cannot be read"),
        (r#""LOT_SIZE""#, r#""ANOTHER_SIZE""#, "LOT_SIZE is missing"),
        (r#""stepSize":""#, r#""stepSize":"-"#, "stepSize"),
        (r#""stepSize":""#, r#""stepSize":"NaN"#, "stepSize"),
        (r#""stepSize":""#, r#""stepSize":"0","x":""#, "no quantity to trade"),
        (r#""minQty":"#, r#""minQty":null,"x":"#, "minQty"),
        (r#""minQty":""#, r#""minQty":"999999999999","x":""#, "no quantity to trade"),
        (r#""minNotional":""#, r#""minNotional":"1e999","x":""#, "minNotional"),
        (r#""minNotional":""#, r#""minNotional":"-5","x":""#, "minNotional"),
        (r#""symbol":"BTCUSDC""#, r#""symbol":"BTCUSDT""#, "has no BTCUSDC"),
    ];
    for (from, to, expected) in cases {
        check(Who::Rules, rewrite(from, to), 2, expected);
    }
}

/// Un signal qui a un identifiant et un défaut est refusé, ou n'en est pas un ; rien n'est négocié.
#[test]
fn a_signal_of_wrong_types_trades_nothing() {
    let (world, folder) = (still_world(), Folder::new());
    let deep = format!(r#","update":{}{}"#, "[".repeat(20_000), "]".repeat(20_000));
    let long = format!(r#","reasoning":"{}""#, "a".repeat(70_000));
    let fields = [
        r#","version":"2""#,
        r#","version":-1"#,
        r#","version":1e999"#,
        r#","version":3"#,
        r#","confidence":NaN"#,
        r#","confidence":1e999"#,
        r#","confidence":"high""#,
        r#","reasoning":[]"#,
        r#","actions":{}"#,
        r#","actions":[null]"#,
        r#","actions":[{"coin":"BTCUSDC","action":"ALL"}]"#,
        r#","actions":[{"coin":"BTCUSDC","action":"BUY","pct_of_capital":1e999}]"#,
        r#","portfolio_state":[]"#,
        r#","portfolio_state":{"positions":null}"#,
        r#","portfolio_state":{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":NaN}]}"#,
        r#","portfolio_state":{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":1e999}]}"#,
        r#","portfolio_state":{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":1.5}]}"#,
        r#","portfolio_state":{"positions":[{"coin":["BTCUSDC"],"pct_of_portfolio":0.5}]}"#,
        &deep,
        &long,
    ];
    world.leader().no_signal();
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    for (rank, field) in fields.iter().enumerate() {
        let (id, what) = (format!("wrong-{rank}"), format!("{field:.80}"));
        world.leader().set_raw(format!(r#"{{"signal_id":"{id}"{field}}}"#));
        until(&format!("{what} is told"), || {
            let refused = site.signal(&id).is_some_and(|signal| signal["status"] == "rejected");
            let error = site.json("/api/agent/status")["leader"]["error"].is_string();
            (refused || error).then_some(())
        });
        world.leader().no_signal();
        site.wait_polls(2);
        check_alive(site, &what);
    }
    assert_eq!(site.json("/api/trades").as_array().unwrap().len(), 0);
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    assert_eq!(site.closed_signal(&id)["status"], "executed");
}

#[test]
fn a_halted_pair_leaves_only_its_coin() {
    for status in [Status::Halt, Status::Break, Status::EndOfDay, Status::CancelOnly] {
        let (world, folder) = (still_world(), Folder::new());
        world.exchange().set_status("ETHUSDC", status);
        world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3)), ("XRPUSDC", dec!(0.2))]);
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        let sync = site.closed_signal("initial_sync");
        assert_eq!(sync["trades"], 2, "{status:?}");
        let decisions = sync["decisions"].as_array().unwrap().clone();
        let eth = decisions.iter().find(|decision| decision["coin"] == "ETHUSDC").unwrap();
        assert_eq!(eth["decision"], "left", "{status:?}");
        assert!(eth["reason"].as_str().unwrap().contains("does not trade this pair"), "{eth}");
        let budget = site.json("/api/budget");
        assert_eq!(budget["unknown"].as_array().unwrap().len(), 0, "{budget}");
        world.exchange().set_status("ETHUSDC", Status::Trading);
        site.wait_polls(2);
        let target = [("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.4)), ("XRPUSDC", dec!(0.2))];
        let id = world.leader().set_target(&target);
        assert_eq!(site.closed_signal(&id)["trades"], 1, "{status:?}");
    }
}

fn prices(coin: &str, euro: &str) -> Fault {
    let ticker =
        |(symbol, price)| format!(r#"{{"symbol":"{symbol}","bidPrice":"{price}","askPrice":"{price}"}}"#);
    let coins = ["BNBUSDC", "BTCUSDC", "ETHUSDC", "SOLUSDC", "XRPUSDC"].map(|pair| (pair, coin));
    let all: Vec<String> = coins.into_iter().chain([("EURUSDC", euro)]).map(ticker).collect();
    Fault::body(&format!("[{}]", all.join(",")))
}

/// Des prix au bord du lisible, et des règles aussi : on suit comme on peut, aucune page ne se perd.
#[test]
fn prices_at_the_edge_of_the_possible_crash_nothing() {
    let steps = ["0.000000000001", "1000000000000"];
    for step in steps {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("XRPUSDC", dec!(0.3))]);
        for field in ["stepSize", "minQty"] {
            let from = format!(r#""{field}":""#);
            world.fault(On::exchange(INFO), rewrite(&from, &format!(r#""{field}":"{step}","x":""#)));
        }
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        site.wait_polls(2);
        for (coin, euro) in [
            ("0.000000000001", "1.08"),
            ("1000000000", "1.08"),
            ("0.000000000001", "0.51"),
            ("1", "1000000000"),
            ("1", "0.000000000001"),
            ("1000000000", "1.99"),
            ("100", "1.08"),
        ] {
            world.clear_faults();
            world.fault(On::exchange(TICKER), prices(coin, euro));
            world.leader().set_target(&[("BTCUSDC", dec!(0.4)), ("SOLUSDC", dec!(0.2))]);
            site.wait_polls(3);
            world.leader().set_target(&[("XRPUSDC", dec!(0.9))]);
            site.wait_polls(3);
            check_alive(site, &format!("step {step}, coin {coin}, euro {euro}"));
        }
    }
}

/// Un euro qui n'en est pas un compterait le capital de travers, pour toujours.
#[test]
fn an_absurd_euro_rate_is_unknown_and_opens_no_account() {
    for euro in ["1000000000", "3", "0.3", "0.000000000001"] {
        let (world, folder) = (still_world(), Folder::new());
        world.fault(On::exchange(TICKER), prices("100", euro));
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        site.wait_polls(2);
        let budget = site.json("/api/budget");
        assert!(budget["cash_usdt"].is_null() && budget["eurusdc_rate"].is_null(), "{euro}: {budget}");
        let unknown = budget["unknown"].as_array().unwrap().clone();
        let rate = unknown.iter().find(|unknown| unknown["what"] == "EUR rate").expect("the rate is unknown");
        assert!(rate["reason"].as_str().unwrap().contains("euro"), "{rate}");
        world.clear_faults();
        site.closed_signal("initial_sync");
        assert_eq!(site.json("/api/budget")["total_deposited_eur"], 1000.0);
    }
}
