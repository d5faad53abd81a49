//! `GET /api/exchange` : ouvert ou fermé, le silence, l'heure, les essais, le rapprochement ; l'inconnu est `null`.

use serde_json::{Value, json};

use crate::follower::{Folder, decimal, still_world};
use crate::live::{self, Live};
use crate::{base, check, settled};

const EXCHANGE: [(&str, &str); 12] = [
    ("mode", "dry_run|live"),
    ("trading_open", "bool?"),
    ("closed_reason", "text?"),
    ("silence", "object?"),
    ("clock", "object?"),
    ("checks", "list"),
    ("reconciliation", "list"),
    ("uncompared", "text?"),
    ("of_others", "list"),
    ("takeover", "list"),
    ("foreign_orders", "list"),
    ("not_alone", "object?"),
];

#[test]
fn a_simulation_knows_nothing_of_an_account_and_says_so() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let mut exchange = follower.site().json("/api/exchange");
    // L'heure se lit sans clé.
    assert!(exchange["clock"].take()["warning"].is_null(), "{exchange}");
    let expected = json!({"mode": "dry_run", "trading_open": null, "closed_reason": null, "silence": null,
        "clock": null, "checks": [], "reconciliation": [], "uncompared": null, "of_others": [], "takeover": [], "foreign_orders": [],
        "not_alone": null});
    assert_eq!(exchange, expected);
}

#[test]
fn an_account_tells_its_tests_its_clock_and_its_balances() {
    let live = Live::settled_with(live::ROWS);
    let exchange = live.site().json("/api/exchange");
    check("exchange", &exchange, &EXCHANGE);
    assert_eq!((&exchange["trading_open"], &exchange["silence"]), (&true.into(), &Value::Null));
    let clock = [
        ("lead_seconds", "number"),
        ("margin_seconds", "number"),
        ("measured_at", "at"),
        ("warning", "null"),
    ];
    check("clock", &exchange["clock"], &clock);
    let checks = exchange["checks"].as_array().unwrap();
    for line in checks {
        let fields = [
            ("test", "text"),
            ("verdict", "fine|fault|not_tested"),
            ("found", "text"),
            ("advice", "text?"),
            ("stops_trading", "bool"),
            ("checked_at", "at"),
        ];
        check("check", line, &fields);
    }
    assert_eq!((&checks[0]["test"], checks.len()), (&"configuration".into(), 15));
    let balances = exchange["reconciliation"].as_array().unwrap();
    let assets: Vec<&str> = balances.iter().filter_map(|balance| balance["asset"].as_str()).collect();
    assert_eq!(assets, ["USDC", "BNB", "BTC", "ETH", "SOL", "XRP"]);
    let connection = base(&live.folder);
    for balance in balances {
        let (held, booked): (String, String) = connection
            .query_row(
                "SELECT held, booked FROM balances WHERE asset = ?1",
                [balance["asset"].as_str()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!(
            (decimal(&balance["held"]), decimal(&balance["booked"])),
            (held.parse().unwrap(), booked.parse().unwrap())
        );
        assert_eq!(balance["missing"], 0.0, "{balance}");
    }
    let foreign = json!([{"coin": "BNBUSDC", "order_id": 5, "client_id": "web_1", "action": "SELL", "quantity": 0.25,
        "amount_usdt": null, "created_at": "2026-09-21 14:13:20", "bears": null}]);
    assert_eq!(exchange["foreign_orders"], foreign);
}

#[test]
fn what_closes_trading_is_said_with_what_to_do() {
    let live = Live::settled_with("");
    base(&live.folder)
        .execute_batch(
            "UPDATE exchange SET closed = 'clock: 125.000 s behind', clock_lead = -125000, silent_status = 429,
                 silent_from = 1790000000000, silent_until = 4102444800000;
             UPDATE checks SET verdict = 'fault', advice = 'set it' WHERE test IN ('clock', 'minima');
             UPDATE balances SET held = '0.001', booked = '0.0015' WHERE asset = 'BTC';",
        )
        .unwrap();
    let exchange = live.site().json("/api/exchange");
    assert_eq!(
        (&exchange["trading_open"], &exchange["closed_reason"]),
        (&false.into(), &"clock: 125.000 s behind".into())
    );
    assert_eq!(exchange["silence"], json!({"status": 429, "from": 1790000000.0, "until": 4102444800.0}));
    let warning = exchange["clock"]["warning"].as_str().unwrap();
    assert!(warning.contains("125 s behind") && warning.contains("timedatectl"), "{warning}");
    let stops = |test: &str| {
        let checks = exchange["checks"].as_array().unwrap();
        checks.iter().find(|line| line["test"] == test).map(|line| line["stops_trading"].clone())
    };
    assert_eq!(
        (stops("clock"), stops("minima"), stops("key")),
        (Some(true.into()), Some(false.into()), Some(false.into()))
    );
    let bitcoin = &exchange["reconciliation"][2];
    assert_eq!(
        (decimal(&bitcoin["missing"]).to_string(), decimal(&bitcoin["difference"]).to_string()),
        ("0.0005".to_owned(), "-0.0005".to_owned())
    );
    let metrics = live.site().get("/metrics").body;
    assert!(
        metrics.contains("\ncalvalot_trading_open 0")
            && metrics.contains("calvalot_check_ok{test=\"clock\"} 0"),
        "{metrics}"
    );
    assert!(metrics.contains("calvalot_exchange_silent_until_timestamp_seconds 4102444800"), "{metrics}");

    base(&live.folder).execute_batch("UPDATE exchange SET silent_until = 1790000000001").unwrap();
    assert_eq!(live.site().json("/api/exchange")["silence"], Value::Null, "a silence that is over is none");
}
