//! `limit`, `period`, HEAD, et la santé d'une boucle qui ne tourne plus.

use std::sync::Arc;
use std::time::{Duration, Instant};

use calvalot::api::guard::Guard;
use calvalot::api::{State, app};
use calvalot::clock;
use calvalot::domain::moment::Moment;
use calvalot::domain::money::Eur;
use calvalot::domain::policy::Policy;
use calvalot::engine::{Engine, Manner, Means};
use calvalot::exchange::Exchange;
use calvalot::leader::Leader;
use calvalot::metrics::{Instruments, Place};
use calvalot::paper::PaperAccount;
use calvalot::venue::Venue;
use calvalot::{fetch, ledger};
use http_types::{Method, Request, Url};
use rust_decimal::dec;

use crate::follower::{Folder, still_world};
use crate::{list, restarted_with, settled};

/// De quoi dépasser chaque maximum.
const MANY: &str = "
    WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 6000)
    INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at)
    SELECT '1000', '500', '580', '1000', (SELECT max(at) FROM snapshots) - n * 60000 FROM n;
    WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 250)
    INSERT INTO withdrawals (requested_eur, sold_usdc, received_eur, positions_sold, status, simulated, at)
    SELECT '1', '1.1', '1', '[]', 'completed', 1, n FROM n;
    WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 150)
    INSERT INTO trades (coin, side, quantity, price, amount, fee_usdc, simulated, at)
    SELECT 'BTCUSDC', 'BUY', '1', '1', '1', '0', 1, n FROM n;
    WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 150)
    INSERT INTO signals (signal_id, reasoning, actions, status, received_at)
    SELECT 'many-' || n, '', '[]', 'executed', n FROM n;";

#[test]
fn every_list_has_its_default_its_maximum_and_what_is_asked_between() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = restarted_with(&world, &folder, MANY);
    let count = |path: &str| {
        let answer = follower.site().json(path);
        answer.as_array().or(answer["withdrawals"].as_array()).expect("a list").len()
    };
    let cases = [("/api/trades", 20, 100), ("/api/signals", 20, 100), ("/api/budget/withdrawals", 50, 200)];
    for (path, default, maximum) in cases {
        assert_eq!(count(path), default, "{path}");
        for (limit, expected) in [
            ("1", 1),
            ("37", 37),
            ("007", 7),
            ("1000", maximum),
            ("4294967296", maximum),
            ("99999999999999999999999", maximum),
        ] {
            assert_eq!(count(&format!("{path}?limit={limit}")), expected, "{path}?limit={limit}");
        }
    }
    for (query, most) in [
        ("", 5000),
        ("?period=1y", 1000),
        ("?period=1y&limit=100000", 5000),
        ("?limit=300", 300),
        ("?limit=1", 1),
    ] {
        let found = count(&format!("/api/budget/history{query}"));
        assert!(found <= most && found * 3 >= most, "{query}: {found} of at most {most}");
    }
    let withdrawn = follower.site().json("/api/budget/withdrawals?limit=1");
    assert_eq!((&withdrawn["total_eur"], &withdrawn["total_usdt"]), (&250.0.into(), &275.0.into()));
}

#[test]
fn a_long_list_is_read_page_by_page_and_by_coin_and_signal() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = restarted_with(&world, &folder, MANY);
    let ids = |path: &str| -> Vec<i64> {
        list(follower.site(), path).iter().filter_map(|row| row["id"].as_i64()).collect()
    };
    for path in ["/api/trades", "/api/signals"] {
        let first = ids(&format!("{path}?limit=100"));
        let last = first[99];
        let second = ids(&format!("{path}?limit=100&before={last}"));
        assert!(second.len() > 50 && second[0] < last, "{path}: the second page starts at {}", second[0]);
        assert_eq!(ids(&format!("{path}?before={}", second[second.len() - 1])), [0; 0], "{path}: the end");
    }
    let own = list(follower.site(), "/api/trades?signal_id=initial_sync");
    let coins: Vec<&str> = own.iter().filter_map(|trade| trade["coin"].as_str()).collect();
    assert_eq!(coins, ["ETHUSDC", "BTCUSDC"], "the trades of one signal");
    let of_eth = list(follower.site(), "/api/trades?limit=100&coin=ETHUSDC");
    assert!(!of_eth.is_empty() && of_eth.iter().all(|trade| trade["coin"] == "ETHUSDC"), "{of_eth:?}");
    assert_eq!(ids("/api/trades?coin=XRPUSDC&signal_id=initial_sync"), [0; 0]);
    let one = list(follower.site(), "/api/signals?signal_id=many-7");
    assert_eq!((one.len(), &one[0]["signal_id"]), (1, &"many-7".into()));
    let traded = list(follower.site(), "/api/signals?coin=ETHUSDC");
    assert!(traded.len() == 1 && traded[0]["signal_id"] == "initial_sync", "{traded:?}");
    assert_eq!(ids("/api/signals?signal_id=never"), [0; 0]);
}

#[test]
fn a_period_holds_what_is_younger_and_nothing_else() {
    let (world, folder) = (still_world(), Folder::new());
    let hours = [1, 23, 25, 167, 169, 719, 721, 8759, 8761, 30000];
    let rows: Vec<String> = hours
        .iter()
        .map(|hours| {
            format!(
                "INSERT INTO snapshots (id, total_eur, coins_usdc, cash_usdc, deposited_eur, at) SELECT {},
                     '1', '1', '1', '1', CAST(strftime('%s', 'now') AS INTEGER) * 1000 - {hours} * 3600000;",
                1_000_000 + hours
            )
        })
        .collect();
    let follower = restarted_with(&world, &folder, &rows.concat());
    let cases =
        [("?period=1d", 24), ("?period=1w", 168), ("?period=1m", 720), ("?period=1y", 8760), ("", 100_000)];
    for (query, most) in cases {
        let history = list(follower.site(), &format!("/api/budget/history{query}"));
        let ids = history.iter().filter_map(|snapshot| snapshot["id"].as_i64());
        let found: Vec<i64> = ids.map(|id| id - 1_000_000).filter(|age| hours.contains(age)).collect();
        let expected: Vec<i64> = hours.into_iter().filter(|hours| *hours < most).collect();
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn a_query_that_cannot_be_meant_is_refused_with_the_choices() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let cases = [
        ("/api/budget/history?period=2d", "1d, 1w, 1m, 1y"),
        ("/api/budget/history?period=", "1d, 1w, 1m, 1y"),
        ("/api/budget/history?period=1D", "1d, 1w, 1m, 1y"),
        ("/api/budget/history?period=1d&period=1w", "once"),
        ("/api/trades?limit=5&limit=6", "once"),
        ("/api/trades?coin=BTC", "BNBUSDC, BTCUSDC"),
        ("/api/trades?before=0", "positive whole number"),
        ("/api/signals?before=-3", "positive whole number"),
        ("/api/signals?before=one", "positive whole number"),
        ("/api/signals?limit=%2B5", "positive whole number"),
        ("/api/signals?limit=5%20", "positive whole number"),
        ("/api/budget/withdrawals?limit=1e2", "positive whole number"),
        ("/api/budget/withdrawals?limit=%D9%A5", "positive whole number"),
    ];
    for (path, words) in cases {
        let answer = follower.site().get(path);
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.json()["error"].as_str().unwrap().contains(words), "{path}: {}", answer.body);
    }
    let ignored = follower.site().get("/api/trades?unheard=of");
    assert_eq!(ignored.status, 200, "a parameter of another version does no harm");
}

#[test]
fn head_says_what_get_would_without_the_body() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let paths = [
        ("/health", "application/json"),
        ("/metrics", "text/plain"),
        ("/api/budget", "application/json"),
        ("/api/budget/history", "application/json"),
        ("/api/budget/marks", "application/json"),
        ("/api/budget/withdrawals", "application/json"),
        ("/api/trades", "application/json"),
        ("/api/positions", "application/json"),
        ("/api/prices", "application/json"),
        ("/api/signals", "application/json"),
        ("/api/agent/status", "application/json"),
        ("/", "text/html"),
    ];
    for (path, content_type) in paths {
        let request = format!(
            "HEAD {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            follower.site().address()
        );
        let head = follower.site().raw(request.as_bytes()).unwrap();
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        let header = |name: &str| {
            head.head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
        };
        assert!(header("content-type:").starts_with(content_type), "{path}: {}", head.head);
        assert!(
            header("content-length:").parse::<u32>().is_ok_and(|length| length > 1),
            "{path}: {}",
            head.head
        );
        let kept = if path == "/" { "no-cache" } else { "no-store" };
        assert_eq!(header("cache-control:"), kept, "{path}");
    }
}

/// Sans moteur : seul ce que le grand livre dit du dernier tour décide. Un tour toutes les deux minutes.
#[test]
fn health_is_degraded_once_two_polls_are_missing() {
    let folder = Folder::new();
    let now = clock::now();
    let ago = |seconds: i64| Moment(now.0 - seconds * 1000);
    let (ledger, thread) = ledger::open(&folder.db(), "dry_run", Eur::new(dec!(100)), now).unwrap();
    let fetch = fetch::Client::new(fetch::TIME_LIMIT).unwrap();
    let leader = Leader::new("http://127.0.0.1:9", "secret", "test", fetch.clone());
    let exchange = Exchange::binance("http://127.0.0.1:9", fetch);
    let interval = Duration::from_secs(120);
    let manner = Manner {
        poll_interval: interval,
        market_interval: interval,
        second_reading: interval,
        policy: Policy::default(),
    };
    let instruments = Arc::new(Instruments::new(&[], &[]));
    let venue = Venue::Paper(PaperAccount::new(ledger.clone(), instruments.clone()));
    let means = Means { ledger: ledger.clone(), leader, exchange, instruments: instruments.clone() };
    let (engine, commands) = Engine::new(means, manner, venue);
    let health = |started: Instant| {
        let state = State {
            ledger: ledger.clone(),
            commands: commands.clone(),
            version: "test".to_owned(),
            poll_interval: interval,
            policy: Policy::default(),
            started,
            instruments: instruments.clone(),
            place: Place::of(&folder.db()),
        };
        let mut request = Request::new(Method::Get, Url::parse("http://localhost/health").unwrap());
        request.insert_header("host", "localhost");
        let app = app(state, Guard::new(Vec::<String>::new()));
        smol::block_on(async {
            let mut response: http_types::Response = app.respond(request).await.unwrap();
            (u16::from(response.status()), response.body_string().await.unwrap())
        })
    };
    let polled = |at: Moment| {
        let record = ledger::CycleRecord { outcome: "no_signal", ..ledger::CycleRecord::default() };
        smol::block_on(ledger.with(move |db| db.close_cycle(&record, at))).unwrap();
    };
    let check = |started: u64, expected: (u16, &str)| {
        let (status, body) = health(Instant::now() - Duration::from_secs(started));
        assert_eq!(status, expected.0, "{body}");
        assert!(body.contains(&format!(r#""status":"{}""#, expected.1)), "{body}");
    };
    check(0, (200, "ok"));
    check(300, (503, "degraded"));
    polled(ago(200));
    check(300, (200, "ok"));
    polled(ago(400));
    check(300, (503, "degraded"));
    polled(ago(-400)); // la machine a cru être plus tard
    check(300, (503, "degraded"));
    check(30, (200, "ok")); // à peine redémarré
    drop((engine, commands, ledger));
    thread.join();
}
