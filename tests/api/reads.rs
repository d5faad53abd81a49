//! Les lectures : chaque champ, son type, ce qui peut être `null`, l'ordre des lignes.

use calvalot::sim::{Fault, On, Wire};
use rust_decimal::{Decimal, dec};
use serde_json::json;

use crate::follower::{Folder, Follower, decimal, still_world, until};
use crate::{base, check, hourly, list, looks_like, restarted_with, settled};

const TICKER: &str = "/api/v3/ticker/bookTicker";

const WITHDRAWALS: &str = r#"
    INSERT INTO withdrawals (requested_eur, sold_usdc, received_eur, rate, positions_sold, status, simulated, at) VALUES
        ('20', '21.7', '19.98', '0.92', '[{"coin":"ETHUSDC","quantity":0.01}]', 'completed', 1, 1790000000000),
        ('5', '5.5', '4.9', NULL, '[]', 'pending', 0, 1790000100999),
        ('150', '156.8', '0', NULL, '[]', 'cancelled', 0, 1790000200000);"#;

const BUDGET: [(&str, &str); 23] = [
    ("status", "ACTIVE|DEAD"),
    ("initial_total_eur", "number"),
    ("total_deposited_eur", "number"),
    ("positions_count", "int"),
    ("created_at", "at"),
    ("cash_usdt", "number"),
    ("portfolio_usdt", "number"),
    ("total_value_usdt", "number"),
    ("total_value_eur", "number"),
    ("eurusdc_rate", "number"),
    ("mode", "dry_run|live"),
    ("paused", "bool"),
    ("withdrawn_eur", "number"),
    ("pnl_eur", "number"),
    ("pnl_pct", "number"),
    ("unknown", "list"),
    ("return_pct", "number"),
    ("return_since", "at"),
    ("return_unknown", "null"),
    ("today", "object"),
    ("drift_pct", "number"),
    ("allocation", "list"),
    ("set_aside_usdc", "number"),
];

const AGENT: [(&str, &str); 17] = [
    ("running", "bool"),
    ("paused", "bool"),
    ("version", "text"),
    ("poll_interval_seconds", "number"),
    ("leader_url", "***"),
    ("last_poll", "object?"),
    ("last_poll_time", "number?"),
    ("mode", "dry_run|live"),
    ("state", "ACTIVE|DEAD"),
    ("leader", "object"),
    ("unknown", "list"),
    ("waiting_signals", "int"),
    ("paused_reason", "text?"),
    ("selling_all", "object?"),
    ("target", "object?"),
    ("old_target", "object?"),
    ("stop_loss", "object"),
];

pub const DECISION: [(&str, &str); 4] =
    [("coin", "text"), ("decision", "bought|sold|left|waiting"), ("code", "text"), ("reason", "text")];

const UNKNOWN: [(&str, &str); 3] = [("what", "text"), ("reason", "text"), ("since", "number?")];

#[test]
fn the_budget_adds_up() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = restarted_with(&world, &folder, WITHDRAWALS);
    let budget = follower.site().json("/api/budget");
    check("budget", &budget, &BUDGET);
    let number = |field: &str| decimal(&budget[field]);
    assert_eq!((number("initial_total_eur"), number("total_deposited_eur")), (dec!(1000), dec!(1000)));
    assert_eq!((&budget["positions_count"], number("withdrawn_eur")), (&2.into(), dec!(24.88)));
    assert_eq!(budget["unknown"], json!([]));
    let close = |one: Decimal, other: Decimal| (one - other).abs() < dec!(0.00001);
    assert!(close(number("total_value_usdt"), number("cash_usdt") + number("portfolio_usdt")), "{budget}");
    assert!(
        close(number("total_value_eur"), number("total_value_usdt") * number("eurusdc_rate")),
        "{budget}"
    );
    assert!(close(number("eurusdc_rate"), dec!(1) / world.exchange().price("EURUSDC")), "{budget}");
    assert!(close(number("pnl_eur"), number("total_value_eur") + dec!(24.88) - dec!(1000)), "{budget}");
    assert!(close(number("pnl_pct"), number("pnl_eur") / dec!(10)), "{budget}");
}

#[test]
fn history_is_newest_first_with_the_deposits_of_its_time() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 500}"#);
    follower.site().wait_polls(2);
    let history = list(follower.site(), "/api/budget/history");
    for snapshot in &history {
        let fields = [
            ("id", "int"),
            ("total_value_eur", "number"),
            ("portfolio_value_usdt", "number"),
            ("cash_usdt", "number"),
            ("created_at", "at"),
            ("deposited_eur", "number"),
        ];
        check("history", snapshot, &fields);
    }
    let ids: Vec<u64> = history.iter().filter_map(|snapshot| snapshot["id"].as_u64()).collect();
    assert!(ids.is_sorted_by(|one, other| one > other), "{ids:?}");
    let deposits = |at: usize| history[at]["deposited_eur"].as_f64();
    assert_eq!((deposits(0), deposits(history.len() - 1)), (Some(1500.0), Some(1000.0)));
}

#[test]
fn withdrawals_are_newest_first_and_what_was_sold_for_a_cancelled_one_is_not_in_their_totals() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let none = follower.site().json("/api/budget/withdrawals");
    assert_eq!(none, json!({"withdrawals": [], "total_usdt": 0.0, "total_eur": 0.0}));
    follower.stop();
    base(&folder).execute_batch(WITHDRAWALS).unwrap();
    let follower = hourly(&world, &folder);
    let page = follower.site().json("/api/budget/withdrawals");
    check("page", &page, &[("withdrawals", "list"), ("total_usdt", "number"), ("total_eur", "number")]);
    assert_eq!((decimal(&page["total_usdt"]), decimal(&page["total_eur"])), (dec!(27.2), dec!(24.88)));
    let expected = json!([
        {"id": 3, "amount_eur_requested": 150.0, "amount_usdt_sold": 156.8, "amount_eur_received": 0.0,
         "eurusdc_rate": null, "positions_sold": [], "status": "cancelled", "is_simulated": 0,
         "created_at": "2026-09-21 14:16:40", "wanted_usdc": null, "set_aside_usdc": 0.0, "taken_usdc": 0.0,
         "waiting_for": null, "can_cancel": false, "ended_at": null},
        {"id": 2, "amount_eur_requested": 5.0, "amount_usdt_sold": 5.5, "amount_eur_received": 4.9,
         "eurusdc_rate": null, "positions_sold": [], "status": "pending", "is_simulated": 0,
         "created_at": "2026-09-21 14:15:00", "wanted_usdc": null, "set_aside_usdc": 0.0, "taken_usdc": 0.0,
         "waiting_for": null, "can_cancel": false, "ended_at": null},
        {"id": 1, "amount_eur_requested": 20.0, "amount_usdt_sold": 21.7, "amount_eur_received": 19.98,
         "eurusdc_rate": 0.92, "positions_sold": [{"coin": "ETHUSDC", "quantity": 0.01}], "status": "completed",
         "is_simulated": 1, "created_at": "2026-09-21 14:13:20", "wanted_usdc": null, "set_aside_usdc": 0.0,
         "taken_usdc": 0.0, "waiting_for": null, "can_cancel": false, "ended_at": null}
    ]);
    assert_eq!(page["withdrawals"], expected);
    let one = follower.site().json("/api/budget/withdrawals?limit=1");
    assert_eq!(one["withdrawals"].as_array().map(Vec::len), Some(1));
    assert_eq!(one["total_usdt"], page["total_usdt"], "the totals are those of all");
}

#[test]
fn trades_are_newest_first() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.2))]);
    follower.site().closed_signal(&id);
    let trades = list(follower.site(), "/api/trades");
    for trade in &trades {
        let fields = [
            ("id", "int"),
            ("coin", "BTCUSDC|ETHUSDC"),
            ("action", "BUY|SELL"),
            ("amount_usdt", "number"),
            ("price", "number"),
            ("quantity", "number"),
            ("fee_usdt", "number"),
            ("signal_id", "text"),
            ("is_simulated", "flag"),
            ("created_at", "at"),
            ("fee", "number"),
            ("fee_asset", "BTC|ETH|USDC"),
            ("fees", "list"),
            ("order", "int"),
        ];
        check("trade", trade, &fields);
        let value = decimal(&trade["price"]) * decimal(&trade["quantity"]);
        assert!((decimal(&trade["amount_usdt"]) - value).abs() < dec!(0.001), "{trade}");
        assert!((decimal(&trade["fee_usdt"]) - value * dec!(0.001)).abs() < dec!(0.01), "{trade}");
    }
    let ids: Vec<u64> = trades.iter().filter_map(|trade| trade["id"].as_u64()).collect();
    assert_eq!(ids, [3, 2, 1]);
    assert_eq!((&trades[0]["action"], &trades[0]["signal_id"]), (&"SELL".into(), &id.into()));
}

#[test]
fn positions_are_by_coin_each_with_its_share() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    world.exchange().set_price("BTCUSDC", dec!(75000));
    until("the new price is read", || {
        (follower.site().json("/api/prices")["BTCUSDC"] == 75000.0).then_some(())
    });
    let positions = list(follower.site(), "/api/positions");
    let coins: Vec<&str> = positions.iter().filter_map(|position| position["coin"].as_str()).collect();
    assert_eq!(coins, ["BTCUSDC", "ETHUSDC"]);
    let budget = follower.site().json("/api/budget");
    let (total, rate) = (decimal(&budget["total_value_usdt"]), decimal(&budget["eurusdc_rate"]));
    for position in &positions {
        let fields = [
            ("coin", "text"),
            ("quantity", "number"),
            ("avg_entry_price", "number"),
            ("total_invested_usdt", "number"),
            ("updated_at", "at"),
            ("price", "number"),
            ("value_usdt", "number"),
            ("pnl_usdt", "number"),
            ("pnl_pct", "number"),
            ("value_eur", "number"),
            ("pnl_eur", "number"),
            ("weight", "number"),
            ("leader_weight", "number"),
        ];
        check("position", position, &fields);
        let number = |field: &str| decimal(&position[field]);
        let close = |one: Decimal, other: Decimal| (one - other).abs() < dec!(0.0001);
        assert!(close(number("value_usdt"), number("quantity") * number("price")), "{position}");
        assert!(
            close(number("pnl_usdt"), number("value_usdt") - number("total_invested_usdt")),
            "{position}"
        );
        let percent = number("pnl_usdt") / number("total_invested_usdt") * dec!(100);
        assert!(close(number("pnl_pct"), percent), "{position}");
        assert!(close(number("weight"), number("value_usdt") / total), "{position}");
        for (eur, usdc) in [("value_eur", "value_usdt"), ("pnl_eur", "pnl_usdt")] {
            assert!(close(number(eur), number(usdc) * rate), "{eur} of {position}");
        }
        let entry = number("total_invested_usdt") / number("quantity");
        assert!((number("avg_entry_price") - entry).abs() < dec!(0.001), "{position}");
    }
    assert_eq!(decimal(&positions[0]["leader_weight"]), dec!(0.4));
}

#[test]
fn prices_are_the_middle_of_the_book_and_an_unknown_one_is_not_there() {
    let (world, folder) = (still_world(), Folder::new());
    hourly(&world, &folder).stop();
    let follower = hourly(&world, &folder);
    let prices = follower.site().json("/api/prices");
    assert_eq!(prices.as_object().unwrap().len(), 5);
    for (pair, price) in prices.as_object().unwrap() {
        let book = world.exchange().book(pair);
        assert_eq!(decimal(price), (book.bids[0].price + book.asks[0].price) / dec!(2), "{pair}");
    }
    follower.stop();
    let renamed = Wire::Rewrite { from: "XRPUSDC".to_owned(), to: "XXXUSDC".to_owned() };
    world.fault(On::exchange(TICKER), Fault::processed(renamed));
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(1);
    let known: Vec<String> =
        follower.site().json("/api/prices").as_object().unwrap().keys().cloned().collect();
    assert_eq!(known, ["BNBUSDC", "BTCUSDC", "ETHUSDC", "SOLUSDC"]);
}

#[test]
fn signals_are_newest_first_with_what_came_of_each_coin() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    world.leader().set_raw(r#"{"version":2,"signal_id":"bad"}"#);
    follower.site().closed_signal("bad");
    let bare = r#"{"signal_id":"bare","actions":[{"coin":"ETHUSDC","action":"SELL","pct_of_capital":0.1}]}"#;
    world.leader().set_raw(bare);
    follower.site().closed_signal("bare");
    let signals = list(follower.site(), "/api/signals");
    for signal in &signals {
        let fields = [
            ("id", "int"),
            ("signal_id", "text"),
            ("confidence", "number?"),
            ("reasoning", "text"),
            ("actions", "list"),
            ("portfolio_state", "object?"),
            ("status", "received|executed|skipped|error|rejected"),
            ("error_message", "text?"),
            ("received_at", "at"),
            ("executed_at", "at?"),
            ("reached_at", "at?"),
            ("version", "int?"),
            ("trades", "int"),
            ("decisions", "list"),
            ("waiting_for", "null"),
        ];
        check("signal", signal, &fields);
        for decision in signal["decisions"].as_array().unwrap() {
            check("decision", decision, &DECISION);
            assert_ne!(decision["decision"], "waiting", "a closed signal waits for nothing: {signal}");
        }
    }
    let ids: Vec<u64> = signals.iter().filter_map(|signal| signal["id"].as_u64()).collect();
    assert!(ids.len() == 4 && ids.is_sorted_by(|one, other| one > other), "{ids:?}");
    let (bare, bad) = (&signals[0], &signals[1]);
    assert_eq!(bare["actions"], json!([{"coin": "ETHUSDC", "action": "SELL", "pct_of_capital": 0.1}]));
    assert!(
        bare["confidence"].is_null() && bare["portfolio_state"].is_null() && bare["error_message"].is_null()
    );
    assert_eq!(
        (&bare["version"], &bare["trades"], &bare["decisions"][2]["decision"]),
        (&1.into(), &1.into(), &"sold".into())
    );
    assert_eq!((&bad["status"], bad["executed_at"].is_null()), (&"rejected".into(), true));
    let state = json!({"positions": [{"coin": "BTCUSDC", "pct_of_portfolio": 0.4}, {"coin": "ETHUSDC", "pct_of_portfolio": 0.2}]});
    assert_eq!(signals[2]["portfolio_state"], state);
}

#[test]
fn the_agent_tells_its_last_poll_and_never_the_address_of_its_leader() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let agent = follower.site().json("/api/agent/status");
    check("agent", &agent, &AGENT);
    let last =
        [("status", "already_processed"), ("signal_id", "text"), ("trades", "int?"), ("error", "text?")];
    check("last_poll", &agent["last_poll"], &last);
    let leader = [
        ("connected", "bool"),
        ("last_contact", "number"),
        ("last_signal_at", "at"),
        ("said_at", "at?"),
        ("error", "null"),
    ];
    check("leader", &agent["leader"], &leader);
    assert_eq!((&agent["version"], &agent["poll_interval_seconds"]), (&"test".into(), &0.02.into()));
    assert_eq!((&agent["running"], &agent["waiting_signals"]), (&true.into(), &0.into()));
    let address = world.leader_url();
    for path in ["/api/agent/status", "/api/budget", "/health", "/metrics", "/"] {
        assert!(!follower.site().get(path).body.contains(&address[7..]), "{path} tells the leader's address");
    }
}

/// Le leader se tait : le premier tour n'est pas fini, et rien n'est su.
#[test]
fn before_the_first_poll_nothing_is_known_and_nothing_is_zero_for_it() {
    let (world, folder) = (still_world(), Folder::new());
    world.fault(On::leader(), Fault::unprocessed(Wire::Silence));
    world.fault(On::whole_exchange(), Fault::unprocessed(Wire::Silence));
    let follower = Follower::of(&world, &folder);
    until("it answers", || follower.site().try_get("/health"));
    let agent = follower.site().json("/api/agent/status");
    check("agent", &agent, &AGENT);
    assert!(agent["last_poll"].is_null() && agent["last_poll_time"].is_null(), "{agent}");
    assert_eq!(
        agent["leader"],
        json!({"connected": false, "last_contact": null, "last_signal_at": null, "said_at": null, "error": null})
    );
    let unknown = agent["unknown"].as_array().unwrap();
    assert_eq!(unknown.len(), 13, "five prices, five rules, the euro, the clock, the cash: {unknown:?}");
    for unknown in unknown {
        check("unknown", unknown, &UNKNOWN);
        assert!(unknown["since"].is_null(), "{unknown}");
    }
    let budget = follower.site().json("/api/budget");
    for field in ["cash_usdt", "total_value_usdt", "total_value_eur", "eurusdc_rate", "pnl_eur", "pnl_pct"] {
        assert!(budget[field].is_null(), "{field} is {}", budget[field]);
    }
    assert_eq!(budget["unknown"], agent["unknown"]);
    let health = follower.site().json("/health");
    assert_eq!((&health["status"], &health["poller"]), (&"ok".into(), &"no_poll_yet".into()));
    for path in ["/api/trades", "/api/signals", "/api/positions", "/api/budget/history"] {
        assert_eq!(follower.site().json(path), json!([]), "{path}");
    }
    assert_eq!(follower.site().json("/api/prices"), json!({}));
}

/// Un prix trop vieux n'est plus un prix : il manque, depuis la dernière fois qu'on l'a su.
#[test]
fn an_old_price_is_unknown_since_it_was_last_read() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = restarted_with(&world, &folder, "");
    let old = "UPDATE readings SET at = 1790000000000 WHERE what = 'price BTCUSDC'";
    base(&folder).execute_batch(old).unwrap();
    let budget = follower.site().json("/api/budget");
    let unknown = &budget["unknown"];
    check("unknown", &unknown[0], &UNKNOWN);
    assert_eq!(
        (&unknown[0]["what"], &unknown[0]["since"]),
        (&"price BTCUSDC".into(), &1_790_000_000.0.into())
    );
    assert!(budget["portfolio_usdt"].is_null() && budget["cash_usdt"].is_number(), "{budget}");
    assert!(follower.site().json("/api/prices").get("BTCUSDC").is_none());
    let positions = list(follower.site(), "/api/positions");
    for field in ["price", "value_usdt", "pnl_usdt", "pnl_pct", "weight"] {
        assert!(positions[0][field].is_null(), "{field}: {}", positions[0]);
    }
    assert!(positions[1]["value_usdt"].is_number() && positions[1]["weight"].is_null(), "{}", positions[1]);
}

#[test]
fn health_says_when_the_last_poll_was() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let health = follower.site().json("/health");
    let fields = [
        ("status", "ok"),
        ("service", "calvalot"),
        ("version", "test"),
        ("poller", "text"),
        ("clock", "right"),
        ("ledger", "written"),
        ("account", "alone"),
        ("timestamp", "text"),
    ];
    check("health", &health, &fields);
    assert!(looks_like(health["timestamp"].as_str().unwrap(), "0000-00-00T00:00:00Z"), "{health}");
    let poller = health["poller"].as_str().unwrap();
    let seconds = poller.strip_prefix("last_poll_").and_then(|rest| rest.strip_suffix("s_ago"));
    assert!(seconds.is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{poller}");
}
