//! `/metrics` : deux formats, et sur le vrai démon la page gardée de `docs/metrics.txt`, ni plus ni moins que ce qui est
//! connu.

use std::collections::BTreeMap;
use std::fs;

use calvalot::exchange::{Code, Endpoint};
use calvalot::sim::{Fault, On, Reply};
use rust_decimal::dec;

use crate::follower::{Answer, Folder, Follower, Site, samples, still_world, until};
use crate::live::{self, Live};
use crate::{hourly, settled};

const OPEN_METRICS: [&str; 3] = ["application/openmetrics-text", "charset=utf-8", "version=1.0.0"];
const TEXT: [&str; 3] = ["text/plain", "charset=utf-8", "version=0.0.4"];

/// Celles qui n'ont aucune série tant que leur valeur n'est pas connue ; elles ne sont alors pas décrites non plus.
const UNKNOWN_AT_FIRST: [&str; 12] = [
    "calvalot_portfolio_value_eur",
    "calvalot_portfolio_value_usdc",
    "calvalot_cash_usdc",
    "calvalot_return_ratio",
    "calvalot_drawdown_ratio",
    "calvalot_position_weight_ratio",
    "calvalot_price_usdc",
    "calvalot_eur_rate_usdc",
    "calvalot_signal_timestamp_seconds",
    "calvalot_target_weight_ratio",
    "calvalot_drift_ratio",
    "calvalot_clock_lead_seconds",
];

/// Celles d'une perte que l'on s'est fixée, d'un compte réel, d'un silence de la bourse, d'une sauvegarde ; sans série ailleurs.
const ELSEWHERE: [&str; 11] = [
    "calvalot_stop_loss_ratio",
    "calvalot_stop_loss_drawdown_ratio",
    "calvalot_trading_open",
    "calvalot_ledger_alone",
    "calvalot_check_ok",
    "calvalot_exchange_silent_until_timestamp_seconds",
    "calvalot_reconciliation_difference",
    "calvalot_reconciliation_missing",
    "calvalot_of_others",
    "calvalot_of_others_unfollowed_assets",
    "calvalot_last_backup_timestamp_seconds",
];

/// Celles dont l'ensemble des séries dépend de ce qui est su : la page gardée les a toutes.
const PARTIAL: [&str; 1] = ["calvalot_check_ok"];

fn scrape(site: Site, accept: &str) -> Answer {
    let accept = if accept.is_empty() { String::new() } else { format!("Accept: {accept}\r\n") };
    let request =
        format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n{accept}Connection: close\r\n\r\n", site.address());
    site.raw(request.as_bytes()).expect("an answer")
}

fn value(page: &str, name: &str, labels: &str) -> Option<f64> {
    samples(page, name).into_iter().find(|(found, _)| found == labels).map(|(_, value)| value)
}

/// Ce qui décrit chaque famille, et ses séries, sans leurs nombres.
fn families(page: &str) -> BTreeMap<String, (Vec<String>, Vec<String>)> {
    let mut found: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
    let mut family = String::new();
    for line in page.lines() {
        if let Some(described) = line.strip_prefix("# HELP ").or(line.strip_prefix("# TYPE ")) {
            family = described.split(' ').next().unwrap().to_owned();
            found.entry(family.clone()).or_default().0.push(line.to_owned());
        } else {
            let is_alone = !line.contains(' ') || line.contains('{') && line.ends_with('}');
            let series = if is_alone { line } else { line.rsplit_once(' ').unwrap().0 };
            let belongs = series.starts_with(&family);
            assert!(belongs, "{line} is not described");
            found.get_mut(&family).unwrap().1.push(series.replace("version=\"test\"", "version=\"VERSION\""));
        }
    }
    for (_, series) in found.values_mut() {
        series.sort();
    }
    found
}

/// La page a les familles de la page gardée que `known` retient, chacune avec toutes ses séries, et aucune autre.
fn check_golden(page: &str, known: impl Fn(&str) -> bool) {
    let golden = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.txt")).unwrap();
    let (mut golden, found) = (families(&golden), families(page));
    golden.retain(|name, _| known(name));
    let names = |families: &BTreeMap<String, _>| families.keys().cloned().collect::<Vec<String>>();
    assert_eq!(names(&found), names(&golden));
    for (name, (described, series)) in found {
        let (expected, all) = &golden[&name];
        assert_eq!(&described, expected, "{name}");
        if PARTIAL.contains(&name.as_str()) {
            assert!(!series.is_empty() && series.iter().all(|one| all.contains(one)), "{name}: {series:?}");
        } else {
            assert_eq!(&series, all, "{name}");
        }
    }
}

#[test]
fn the_scraper_gets_the_format_it_accepts() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
         text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let cases = [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("application/openmetrics-text;q=0.1,text/plain;q=0.9", TEXT),
        ("application/openmetrics-text", OPEN_METRICS),
        ("text/plain;q=0.5\r\nAccept: application/openmetrics-text", OPEN_METRICS),
        (prometheus, OPEN_METRICS),
    ];
    for (accept, content_type) in cases {
        let answer = scrape(follower.site(), accept);
        assert_eq!(answer.status, 200);
        let header = answer.head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap();
        let mut parts: Vec<&str> = header.split(';').map(str::trim).collect();
        parts[1..].sort_unstable();
        assert_eq!(parts, content_type, "{accept}");
        assert_eq!(answer.body.ends_with("# EOF\n"), content_type == OPEN_METRICS, "{accept}");
        let name = if content_type == OPEN_METRICS { "calvalot_polls" } else { "calvalot_polls_total" };
        assert!(answer.body.contains(&format!("# TYPE {name} counter\n")), "{accept}");
    }
}

#[test]
fn every_series_is_there_from_the_start_and_what_is_not_known_has_none() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().no_signal();
    world.fault(On::whole_exchange(), Fault::body("[]"));
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(1);
    let page = scrape(follower.site(), "").body;
    let unknown = |name: &str| {
        UNKNOWN_AT_FIRST.contains(&name)
            || ELSEWHERE.contains(&name)
            || name == "calvalot_exchange_used_weight"
    };
    check_golden(&page, |name| !unknown(name));
    assert!(samples(&page, "calvalot_reading_unknown").iter().all(|(_, unknown)| *unknown == 1.0));
}

#[test]
fn what_is_known_of_a_simulation_is_the_golden_page() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let page = follower.site().get("/metrics").body;
    check_golden(&page, |name| !ELSEWHERE.contains(&name));
    assert!(page.len() < 64 * 1024, "{} bytes", page.len());
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    for line in samples {
        let (_, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
    }
}

/// Les mêmes chiffres que l'API, au même instant.
#[test]
fn the_figures_are_those_of_the_ledger() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder).stop();
    let follower = hourly(&world, &folder);
    let page = follower.site().get("/metrics").body;
    let budget = follower.site().json("/api/budget");
    let one = |name: &str| value(&page, name, "");
    for (name, field) in [
        ("calvalot_portfolio_value_eur", "total_value_eur"),
        ("calvalot_portfolio_value_usdc", "total_value_usdt"),
        ("calvalot_cash_usdc", "cash_usdt"),
        ("calvalot_net_deposits_eur", "total_deposited_eur"),
    ] {
        assert_eq!(one(name), budget[field].as_f64(), "{name}");
    }
    let state = |word: &str| value(&page, "calvalot_agent_state", &format!("state=\"{word}\""));
    assert_eq!((state("active"), state("paused"), state("dead")), (Some(1.0), Some(0.0), Some(0.0)));
    assert_eq!(one("calvalot_leader_connected"), Some(1.0));
    let eth = "coin=\"ETHUSDC\"";
    let positions = follower.site().json("/api/positions");
    for (name, field) in [
        ("calvalot_position_quantity", "quantity"),
        ("calvalot_position_value_usdc", "value_usdt"),
        ("calvalot_position_weight_ratio", "weight"),
        ("calvalot_target_weight_ratio", "leader_weight"),
    ] {
        assert_eq!(value(&page, name, eth), positions[1][field].as_f64(), "{name}");
    }
    for name in
        ["calvalot_position_quantity", "calvalot_position_weight_ratio", "calvalot_target_weight_ratio"]
    {
        assert_eq!(value(&page, name, "coin=\"XRPUSDC\""), Some(0.0), "{name}");
    }
    for (name, field) in [("calvalot_return_ratio", "return_pct"), ("calvalot_drift_ratio", "drift_pct")] {
        let (ratio, percent) = (one(name).unwrap(), budget[field].as_f64().unwrap());
        assert!((ratio * 100.0 - percent).abs() < 1e-9, "{name}: {ratio}, {percent} % expected");
    }
    let signals = follower.site().json("/api/signals");
    let received = clock(signals[0]["received_at"].as_str().unwrap());
    assert_eq!(one("calvalot_signal_timestamp_seconds").map(f64::floor), Some(received));
}

#[test]
fn a_fall_is_a_drawdown_and_neither_a_deposit_nor_a_restart_changes_it() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    // La chute n'est pas suivie d'un retour à l'allocation.
    world.leader().no_signal();
    let drawdown = |site: Site| value(&site.get("/metrics").body, "calvalot_drawdown_ratio", "");
    assert!(drawdown(follower.site()).is_some_and(|ratio| ratio < 0.001));
    let btc = world.exchange().price("BTCUSDC");
    world.exchange().set_price("BTCUSDC", btc * dec!(0.5));
    let fallen = until("the price has fallen", || {
        // 40 % de BTC à la moitié de leur prix.
        drawdown(follower.site()).filter(|ratio| (0.19..0.21).contains(ratio))
    });
    let page = follower.site().get("/metrics").body;
    // 25 % de BTC au lieu de 40 %, et le reste de ce qui n'a pas bougé.
    let drift = value(&page, "calvalot_drift_ratio", "").unwrap();
    assert!((0.14..0.16).contains(&drift), "{drift}");
    assert!(value(&page, "calvalot_return_ratio", "").is_some_and(|gained| (gained + fallen).abs() < 0.001));
    let close = |ratio: Option<f64>| ratio.is_some_and(|ratio| (ratio - fallen).abs() < 1e-6);
    assert_eq!(follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 5000}"#).status, 200);
    assert!(close(drawdown(follower.site())), "right after the deposit");
    follower.site().wait_polls(2);
    assert!(close(drawdown(follower.site())), "after the next polls");
    follower.stop();
    let follower = hourly(&world, &folder);
    assert!(close(drawdown(follower.site())), "after a restart");
}

/// `AAAA-MM-JJ HH:MM:SS`, en UTC, en secondes Unix.
fn clock(text: &str) -> f64 {
    let timestamp: jiff::Timestamp = format!("{}Z", text.replace(' ', "T")).parse().unwrap();
    timestamp.as_second() as f64
}

#[test]
fn counters_of_the_ledger_go_on_after_a_restart() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let total = |site: Site, name: &str| -> f64 {
        samples(&site.get("/metrics").body, name).iter().map(|(_, value)| value).sum()
    };
    let kept = ["calvalot_trades_total", "calvalot_traded_usdc_total", "calvalot_fees_usdc_total"];
    let before = kept.map(|name| total(follower.site(), name));
    assert!(before[0] == 2.0 && before.iter().all(|sum| *sum > 0.0), "{before:?}");
    let polls = total(follower.site(), "calvalot_polls_total");
    follower.stop();
    let follower = Follower::of(&world, &folder);
    assert!(total(follower.site(), "calvalot_polls_total") >= polls);
    assert_eq!(kept.map(|name| total(follower.site(), name)), before);
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.1))]);
    follower.site().closed_signal(&id);
    follower.site().wait_polls(1);
    let (page, trades) = (follower.site().get("/metrics").body, follower.site().json("/api/trades"));
    let sum = |field: &str| -> f64 {
        trades.as_array().unwrap().iter().map(|trade| trade[field].as_f64().unwrap()).sum()
    };
    for (name, expected) in [
        ("calvalot_trades_total", 4.0),
        ("calvalot_traded_usdc_total", sum("amount_usdt")),
        ("calvalot_fees_usdc_total", sum("fee_usdt")),
    ] {
        let found: f64 = samples(&page, name).iter().map(|(_, value)| value).sum();
        assert!((found - expected).abs() < 1e-6, "{name}: {found}, {expected} expected");
    }
    assert!(total(follower.site(), "calvalot_polls_total") > polls);
    let simulated = "coin=\"ETHUSDC\",side=\"SELL\",mode=\"dry_run\"";
    assert_eq!(value(&page, "calvalot_trades_total", simulated), Some(1.0));
}

/// Ce qui n'est qu'en mémoire : les tours faits depuis le départ, le glissement que la simulation prend.
#[test]
fn polls_and_trades_are_measured_as_they_are_made() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let page = follower.site().get("/metrics").body;
    let polls: f64 = samples(&page, "calvalot_polls_total").iter().map(|(_, value)| value).sum();
    let measured = value(&page, "calvalot_poll_duration_seconds_count", "").unwrap();
    assert!(measured >= polls - 1.0 && measured <= polls, "{measured} of {polls}");
    let side = |name: &str, side: &str| value(&page, name, &format!("side=\"{side}\""));
    assert_eq!(side("calvalot_slippage_ratio_count", "BUY"), Some(2.0));
    assert_eq!(side("calvalot_slippage_ratio_count", "SELL"), Some(0.0));
    // 0,02 % de glissement simulé, et la moitié de l'écart du carnet.
    let mean = side("calvalot_slippage_ratio_sum", "BUY").unwrap() / 2.0;
    assert!((0.0002..0.001).contains(&mean), "{mean}");
}

#[test]
fn a_backup_is_on_the_page_as_soon_as_its_file_is_there() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let read = || {
        let page = follower.site().get("/metrics").body;
        value(&page, "calvalot_last_backup_timestamp_seconds", "")
    };
    assert_eq!(read(), None);
    fs::write(folder.path().join("last-backup"), "1790000000\n").unwrap();
    assert_eq!(read(), Some(1_790_000_000.0));
    let page = follower.site().get("/metrics").body;
    let size = value(&page, "calvalot_database_size_bytes", "").unwrap();
    assert!(size >= fs::metadata(folder.db()).unwrap().len() as f64, "{size}");
}

/// Un compte réel : ce qui en est su a ses séries, et ce sont les chiffres de l'API.
#[test]
fn an_account_has_its_own_figures() {
    let live = Live::settled_with(live::ROWS);
    let page = live.site().get("/metrics").body;
    let absent = [
        "calvalot_stop_loss_ratio",
        "calvalot_stop_loss_drawdown_ratio",
        "calvalot_exchange_silent_until_timestamp_seconds",
        "calvalot_last_backup_timestamp_seconds",
    ];
    check_golden(&page, |name| !absent.contains(&name));
    let cases = [
        ("calvalot_trading_open", "", Some(1.0)),
        ("calvalot_orders_in_doubt", "state=\"stuck\"", Some(1.0)),
        ("calvalot_orders_in_doubt", "state=\"unknown\"", Some(0.0)),
        ("calvalot_orders_total", "outcome=\"filled\",side=\"BUY\"", Some(3.0)),
        ("calvalot_orders_total", "outcome=\"absent\",side=\"BUY\"", Some(1.0)),
        ("calvalot_orders_total", "outcome=\"refused\",side=\"SELL\"", Some(0.0)),
        ("calvalot_orders_late", "", Some(1.0)),
        ("calvalot_foreign_orders_total", "", Some(1.0)),
        ("calvalot_check_ok", "test=\"key rights\"", Some(1.0)),
        ("calvalot_reconciliation_missing", "asset=\"BTC\"", Some(0.0)),
        ("calvalot_orders_unbooked", "", Some(0.0)),
        ("calvalot_of_others", "asset=\"ETH\"", Some(0.0)),
        ("calvalot_of_others_unfollowed_assets", "", Some(0.0)),
        ("calvalot_trades_total", "coin=\"BTCUSDC\",side=\"BUY\",mode=\"live\"", Some(1.0)),
        ("calvalot_trades_total", "coin=\"BTCUSDC\",side=\"BUY\",mode=\"dry_run\"", Some(0.0)),
    ];
    for (name, labels, expected) in cases {
        assert_eq!(value(&page, name, labels), expected, "{name}{{{labels}}}");
    }
    let exchange = live.site().json("/api/exchange");
    let lead = value(&page, "calvalot_clock_lead_seconds", "");
    assert_eq!(lead, exchange["clock"]["lead_seconds"].as_f64());
    for balance in exchange["reconciliation"].as_array().unwrap() {
        let labels = format!("asset=\"{}\"", balance["asset"].as_str().unwrap());
        let found = value(&page, "calvalot_reconciliation_difference", &labels);
        assert_eq!(found, balance["difference"].as_f64(), "{labels}");
    }
}

/// Chaque demande arrivée à la bourse est sur la page, sous son nom et son statut, ordres compris.
#[test]
fn every_request_to_the_exchange_is_counted_once() {
    let live = Live::start(|world| {
        world.fault(
            On::exchange("/api/v3/account").nth(2),
            Fault::answer(Reply::code(503, -1001, "Internal error")),
        );
    });
    live.site().closed_signal("initial_sync");
    let paths = [
        ("/api/v3/time", &["time"][..]),
        ("/api/v3/ticker/bookTicker", &["book_ticker"]),
        ("/api/v3/avgPrice", &["average_price"]),
        ("/api/v3/trades", &["trades"]),
        ("/api/v3/depth", &["depth"]),
        ("/api/v3/exchangeInfo", &["exchange_info"]),
        ("/api/v3/account", &["account"]),
        ("/sapi/v1/account/apiRestrictions", &["key_rights"]),
        ("/api/v3/order", &["order", "place_order"]),
        ("/api/v3/allOrders", &["all_orders"]),
        ("/api/v3/myTrades", &["my_trades"]),
    ];
    let named: usize = paths.iter().map(|(_, words)| words.len()).sum();
    assert_eq!(named, Endpoint::ALL.len());
    let of = |page: &str, name: &str, words: &[&str]| -> f64 {
        let is_one = |labels: &str| words.iter().any(|word| labels.contains(&format!("endpoint=\"{word}\"")));
        samples(page, name).iter().filter(|(labels, _)| is_one(labels)).map(|(_, count)| count).sum()
    };
    until("the page has counted what the exchange has seen", || {
        let page = live.site().get("/metrics").body;
        let counted = |words: &[&str]| {
            let requests = of(&page, "calvalot_exchange_requests_total", words);
            let timed = of(&page, "calvalot_exchange_request_duration_seconds_count", words);
            (requests == timed).then_some(requests)
        };
        let seen = |path: &str| live.world.exchange().calls(path) as f64;
        paths.iter().all(|(path, words)| counted(words) == Some(seen(path))).then_some(())
    });
    let page = live.site().get("/metrics").body;
    let count = |endpoint: &str, code: &str| {
        let labels = format!("endpoint=\"{endpoint}\",code=\"{code}\"");
        value(&page, "calvalot_exchange_requests_total", &labels)
    };
    assert_eq!((count("place_order", "200"), count("account", "5xx")), (Some(2.0), Some(1.0)));
    let series = samples(&page, "calvalot_exchange_requests_total").len();
    assert_eq!(series, Endpoint::ALL.len() * Code::ALL.len());
    assert!(value(&page, "calvalot_exchange_used_weight", "").is_some_and(|weight| weight > 0.0));
}
