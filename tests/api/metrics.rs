//! `/metrics` : deux formats, toutes les familles, toutes les étiquettes dès le début.

use std::collections::BTreeMap;

use calvalot::sim::{Fault, On};
use rust_decimal::dec;

use crate::follower::{Answer, Folder, Follower, Site, samples, still_world};
use crate::live::{self, Live};
use crate::{hourly, settled};

const COINS: [&str; 5] = ["BNBUSDC", "BTCUSDC", "ETHUSDC", "SOLUSDC", "XRPUSDC"];

const OPEN_METRICS: [&str; 3] = ["application/openmetrics-text", "charset=utf-8", "version=1.0.0"];
const TEXT: [&str; 3] = ["text/plain", "charset=utf-8", "version=0.0.4"];

/// Celles qui n'ont aucune série tant que leur valeur n'est pas connue ; elles ne sont alors pas décrites non plus.
const UNKNOWN_AT_FIRST: [&str; 6] = [
    "calvalot_portfolio_value_eur",
    "calvalot_portfolio_value_usdc",
    "calvalot_cash_usdc",
    "calvalot_price_usdc",
    "calvalot_eur_rate_usdc",
    "calvalot_clock_lead_seconds",
];

/// Celles d'un compte réel, et d'un silence de la bourse ; sans série ailleurs.
const ELSEWHERE: [&str; 5] = [
    "calvalot_trading_open",
    "calvalot_check_ok",
    "calvalot_exchange_silent_until_timestamp_seconds",
    "calvalot_reconciliation_difference",
    "calvalot_reconciliation_missing",
];

fn scrape(site: Site, accept: &str) -> Answer {
    let accept = if accept.is_empty() { String::new() } else { format!("Accept: {accept}\r\n") };
    let request =
        format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n{accept}Connection: close\r\n\r\n", site.address());
    site.raw(request.as_bytes()).expect("an answer")
}

/// Chaque famille décrite, et son type.
fn families(page: &str) -> BTreeMap<String, String> {
    let described = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    described.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

/// Nom, type, et les séries présentes dès le début ; vide : une série sans étiquette, si elle est connue.
fn expected() -> Vec<(&'static str, &'static str, Vec<String>)> {
    let label = |name: &str, values: &[&str]| -> Vec<String> {
        values.iter().map(|value| format!("{name}=\"{value}\"")).collect()
    };
    let sides =
        COINS.iter().flat_map(|coin| ["BUY", "SELL"].map(|side| format!("coin=\"{coin}\",side=\"{side}\"")));
    let prices = COINS.map(|coin| format!("price {coin}"));
    let rules = COINS.map(|coin| format!("rules {coin}"));
    let readings = prices.iter().chain(&rules).map(String::as_str).chain(["EUR rate", "clock", "cash"]);
    let readings: Vec<&str> = readings.collect();
    let outcomes = [
        "executed",
        "skipped",
        "rejected",
        "error",
        "already_processed",
        "waiting",
        "paused",
        "no_signal",
        "invalid_signal",
        "leader_unreachable",
        "leader_refused",
    ];
    let ends = ["filled", "refused", "absent", "abandoned"];
    let ends =
        ends.iter().flat_map(|end| ["BUY", "SELL"].map(|side| format!("outcome=\"{end}\",side=\"{side}\"")));
    let statuses = ["received", "executed", "skipped", "error", "rejected"];
    vec![
        ("calvalot_build_info", "gauge", label("version", &["test"])),
        ("calvalot_agent_state", "gauge", label("state", &["active", "paused", "dead"])),
        ("calvalot_trading_mode", "gauge", label("mode", &["dry_run", "live"])),
        ("calvalot_portfolio_value_eur", "gauge", vec![]),
        ("calvalot_portfolio_value_usdc", "gauge", vec![]),
        ("calvalot_cash_usdc", "gauge", vec![]),
        ("calvalot_net_deposits_eur", "gauge", vec![]),
        ("calvalot_position_quantity", "gauge", label("coin", &COINS)),
        ("calvalot_position_value_usdc", "gauge", label("coin", &COINS)),
        ("calvalot_trades", "counter", sides.collect()),
        ("calvalot_leader_connected", "gauge", vec![]),
        ("calvalot_leader_contact_timestamp_seconds", "gauge", vec![]),
        ("calvalot_poll_timestamp_seconds", "gauge", vec![]),
        ("calvalot_polls", "counter", label("outcome", &outcomes)),
        ("calvalot_signals", "gauge", label("status", &statuses)),
        ("calvalot_price_usdc", "gauge", vec![]),
        ("calvalot_eur_rate_usdc", "gauge", vec![]),
        ("calvalot_clock_lead_seconds", "gauge", vec![]),
        ("calvalot_reading_unknown", "gauge", label("reading", &readings)),
        ("calvalot_orders", "counter", ends.collect()),
        ("calvalot_orders_in_doubt", "gauge", label("state", &["sent", "unknown", "stuck"])),
        ("calvalot_orders_late", "gauge", vec![]),
        ("calvalot_foreign_orders", "counter", vec![]),
    ]
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
        ("application/openmetrics-text", OPEN_METRICS),
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
        let counter = families(&answer.body);
        let name = if content_type == OPEN_METRICS { "calvalot_polls" } else { "calvalot_polls_total" };
        assert_eq!(counter.get(name).map(String::as_str), Some("counter"), "{accept}");
    }
}

#[test]
fn every_series_is_there_from_the_start_and_what_is_not_known_has_none() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().no_signal();
    world.fault(On::whole_exchange(), Fault::body("[]"));
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(1);
    for accept in ["", "application/openmetrics-text"] {
        let page = scrape(follower.site(), accept).body;
        let known = |name: &str| !UNKNOWN_AT_FIRST.contains(&name) && !ELSEWHERE.contains(&name);
        check_families(&page, accept.is_empty(), |name| known(name));
        for unknown in UNKNOWN_AT_FIRST.iter().chain(&ELSEWHERE) {
            assert!(samples(&page, unknown).is_empty(), "{unknown} is a guess");
        }
        assert!(samples(&page, "calvalot_reading_unknown").iter().all(|(_, unknown)| *unknown == 1.0));
    }
}

/// La page décrit les familles que `known` retient et aucune autre, chacune avec toutes ses séries.
fn check_families(page: &str, plain: bool, known: impl Fn(&str) -> bool) {
    let found = families(page);
    let wanted: Vec<_> = expected().into_iter().filter(|(name, _, _)| known(name)).collect();
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for (name, kind, series) in wanted {
        let family = if kind == "counter" && plain { format!("{name}_total") } else { name.to_owned() };
        assert_eq!(found.get(&family).map(String::as_str), Some(kind), "{family}");
        assert!(page.contains(&format!("# HELP {family} ")), "{family} has no help");
        let sampled = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        let labels: Vec<String> = samples(page, &sampled).into_iter().map(|(labels, _)| labels).collect();
        for wanted in &series {
            assert_eq!(labels.iter().filter(|labels| *labels == wanted).count(), 1, "{name}{{{wanted}}}");
        }
        assert!(series.is_empty() || labels.len() == series.len(), "{name}: {labels:?}");
    }
}

#[test]
fn every_sample_belongs_to_a_described_family_and_is_there_once() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let page = follower.site().get("/metrics").body;
    check_families(&page, true, |name| !ELSEWHERE.contains(&name));
    let families = families(&page);
    let mut seen = Vec::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        assert!(families.contains_key(name), "{line} is not described");
        assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        assert!(!seen.contains(&series), "{series} is there twice");
        seen.push(series);
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
    let one = |name: &str| samples(&page, name).first().map(|(_, value)| *value);
    for (name, field) in [
        ("calvalot_portfolio_value_eur", "total_value_eur"),
        ("calvalot_portfolio_value_usdc", "total_value_usdt"),
        ("calvalot_cash_usdc", "cash_usdt"),
        ("calvalot_net_deposits_eur", "total_deposited_eur"),
    ] {
        assert_eq!(one(name), budget[field].as_f64(), "{name}");
    }
    let labelled = |name: &str, labels: &str| {
        let found = samples(&page, name).into_iter().find(|(found, _)| found == labels);
        found.map(|(_, value)| value)
    };
    let state = |word: &str| labelled("calvalot_agent_state", &format!("state=\"{word}\""));
    assert_eq!((state("active"), state("paused"), state("dead")), (Some(1.0), Some(0.0), Some(0.0)));
    let bought = labelled("calvalot_trades_total", "coin=\"BTCUSDC\",side=\"BUY\"");
    assert_eq!((bought, one("calvalot_leader_connected")), (Some(1.0), Some(1.0)));
    let positions = follower.site().json("/api/positions");
    let quantity = labelled("calvalot_position_quantity", "coin=\"ETHUSDC\"");
    assert_eq!(quantity, positions[1]["quantity"].as_f64());
    assert_eq!(labelled("calvalot_position_quantity", "coin=\"XRPUSDC\""), Some(0.0));
    assert_eq!(samples(&page, "calvalot_price_usdc").len(), 5);
}

#[test]
fn counters_go_on_after_a_restart() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let total = |site: Site, name: &str| -> f64 {
        samples(&site.get("/metrics").body, name).iter().map(|(_, value)| value).sum()
    };
    let polls = total(follower.site(), "calvalot_polls_total");
    follower.stop();
    let follower = Follower::of(&world, &folder);
    assert!(total(follower.site(), "calvalot_polls_total") >= polls);
    assert_eq!(total(follower.site(), "calvalot_trades_total"), 2.0);
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.1))]);
    follower.site().closed_signal(&id);
    follower.site().wait_polls(1);
    assert_eq!(total(follower.site(), "calvalot_trades_total"), 4.0);
    assert!(total(follower.site(), "calvalot_polls_total") > polls);
}

/// Un compte réel : ce qui en est su a ses séries, et ce sont les chiffres de l'API.
#[test]
fn an_account_has_its_own_figures() {
    let live = Live::settled_with(live::ROWS);
    let page = live.site().get("/metrics").body;
    let value = |name: &str, labels: &str| {
        let found = samples(&page, name).into_iter().find(|(found, _)| found == labels);
        found.map(|(_, value)| value)
    };
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
        ("calvalot_exchange_silent_until_timestamp_seconds", "", None),
    ];
    for (name, labels, expected) in cases {
        assert_eq!(value(name, labels), expected, "{name}{{{labels}}}");
    }
    let exchange = live.site().json("/api/exchange");
    assert_eq!(value("calvalot_clock_lead_seconds", ""), exchange["clock"]["lead_seconds"].as_f64());
    for balance in exchange["reconciliation"].as_array().unwrap() {
        let labels = format!("asset=\"{}\"", balance["asset"].as_str().unwrap());
        let found = value("calvalot_reconciliation_difference", &labels);
        assert_eq!(found, balance["difference"].as_f64(), "{labels}");
    }
}
