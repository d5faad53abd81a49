//! La page contre `docs/metrics.txt`, et ce que chaque format promet.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rust_decimal::dec;

use super::*;
use crate::domain::check::TESTS;
use crate::domain::market::{Coin, PerCoin};
use crate::domain::order::Side;

/// Les demandes et les statuts, tels que la bourse les nomme (`tests/api` compare avec le vrai programme).
const ENDPOINTS: [&str; 12] = [
    "time",
    "average_price",
    "trades",
    "depth",
    "book_ticker",
    "exchange_info",
    "account",
    "key_rights",
    "order",
    "all_orders",
    "my_trades",
    "place_order",
];
const CODES: [&str; 9] = ["200", "400", "401", "403", "418", "429", "5xx", "other", "none"];

fn instruments() -> Instruments {
    Instruments::new(&ENDPOINTS, &CODES)
}

/// Un instant où tout est connu.
fn everything() -> Figures {
    let all = PerCoin::from_fn(|_| Some(0.2));
    let known = Some(1.0);
    let holding = |coin| Holding { coin, quantity: 1.0, value_usdc: known, weight: known };
    let reconciled = |asset: &str| Reconciled { asset: asset.to_owned(), difference: 0.5, missing: 0.0 };
    Figures {
        agent: Agent { version: "VERSION".to_owned(), mode: "live".to_owned(), dead: false, paused: false },
        stop_loss: StopLoss { limit_ratio: known, drawdown_ratio: known, reached: false },
        money: Money {
            value_eur: known,
            value_usdc: known,
            cash_usdc: known,
            net_deposits_eur: 1.0,
            return_ratio: known,
            drawdown_ratio: known,
            positions: Coin::ALL.map(holding).to_vec(),
            traded: Vec::new(),
        },
        following: Following {
            leader_contact: known,
            last_poll: known,
            last_signal: known,
            targets: all,
            drift_ratio: known,
            ..Following::default()
        },
        market: Market { prices: all, eur_rate: known, unknown: Vec::new() },
        orders: Orders::default(),
        exchange: Exchange {
            trading_open: Some(true),
            alone: Some(true),
            checks: TESTS.iter().map(|test| ((*test).to_owned(), true)).collect(),
            clock_lead: known,
            silent_until: known,
            balances: ["USDC", "BNB", "BTC", "ETH", "SOL", "XRP"].map(reconciled).to_vec(),
            of_others: Some(OfOthers {
                followed: ["USDC", "BNB", "BTC", "ETH", "SOL", "XRP"].map(|asset| (asset, 0.0)).to_vec(),
                unfollowed: 0,
            }),
        },
        machine: Machine {
            process: Process {
                cpu_seconds: known,
                resident_bytes: known,
                virtual_bytes: known,
                threads: known,
                open_fds: known,
                max_fds: known,
                start: known,
            },
            ledger_created: known,
            database_size: known,
            disk_size: known,
            disk_free: known,
            last_backup: known,
        },
    }
}

/// Des instruments qui ont tous servi.
fn used() -> Instruments {
    let instruments = instruments();
    instruments.polled(Duration::from_millis(300));
    instruments.slipped(Side::Buy, dec!(0.0003));
    instruments.asked("account", "200", Duration::from_millis(60), Some(24));
    instruments
}

/// La page sans ses nombres, les séries d'une famille dans un ordre qui ne dépend de rien ; celles d'un histogramme
/// restent ensemble, bornes croissantes.
fn without_values(page: &str) -> String {
    let mut lines: Vec<(usize, String, &str)> = Vec::new();
    let mut family = 0;
    for line in page.lines() {
        family += usize::from(line.starts_with("# HELP "));
        let series = if line.starts_with('#') { line } else { line.rsplit_once(' ').expect("a value").0 };
        lines.push((family, labels(series), series));
    }
    lines.sort_by(|first, second| (first.0, &first.1).cmp(&(second.0, &second.1)));
    lines.into_iter().map(|(_, _, series)| format!("{series}\n")).collect()
}

/// Les étiquettes d'une série, bornes à part ; rien pour une ligne de description, qui vient donc d'abord.
fn labels(series: &str) -> String {
    let inside = series.strip_suffix('}').and_then(|series| series.split_once('{'));
    let labels = inside.map_or("", |(_, labels)| labels).split(',');
    labels.filter(|label| !label.starts_with("le=")).collect::<Vec<&str>>().join(",")
}

/// `GOLDEN=write cargo test --lib golden` récrit la page gardée ; c'est au relecteur de dire si elle est juste.
#[test]
fn the_page_is_the_golden_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.txt");
    let page = without_values(&page(&everything(), &used(), Format::Text));
    if std::env::var_os("GOLDEN").is_some_and(|word| word == "write") {
        fs::write(&path, &page).expect("the golden page is written");
    }
    let golden = fs::read_to_string(&path).expect("docs/metrics.txt");
    for (at, (found, expected)) in page.lines().zip(golden.lines()).enumerate() {
        assert_eq!(found, expected, "docs/metrics.txt:{}", at + 1);
    }
    assert_eq!(page.lines().count(), golden.lines().count(), "docs/metrics.txt");
}

#[test]
fn every_family_keeps_the_practices_of_prometheus() {
    let page = page(&everything(), &used(), Format::Text);
    let described: Vec<(&str, &str)> =
        page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    assert!(described.len() > 40, "{described:?}");
    for (name, kind) in described {
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        assert!(name.starts_with("calvalot_") || name.starts_with("process_"), "{name}");
        let help = page.lines().find_map(|line| line.strip_prefix(&format!("# HELP {name} ")));
        assert!(help.is_some_and(|help| help.len() > 10 && help.ends_with('.')), "{name}: {help:?}");
        assert_eq!(page.matches(&format!("# TYPE {name} ")).count(), 1, "{name}");
    }
}

/// Rien de connu : les grandeurs se taisent, les listes closes sont là, à zéro.
#[test]
fn what_is_not_known_has_no_sample_and_what_is_counted_starts_at_zero() {
    let page = page(&Figures::default(), &instruments(), Format::Text);
    for silent in [
        "calvalot_portfolio_value_eur",
        "calvalot_position_weight_ratio",
        "calvalot_return_ratio",
        "calvalot_drawdown_ratio",
        "calvalot_drift_ratio",
        "calvalot_target_weight_ratio",
        "calvalot_signal_timestamp_seconds",
        "calvalot_last_backup_timestamp_seconds",
        "calvalot_exchange_used_weight",
        "calvalot_check_ok",
        "calvalot_trading_open",
        "calvalot_ledger_alone",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
    ] {
        assert!(!page.contains(silent), "{silent} is a guess");
    }
    let count = |name: &str| {
        let of_family = |line: &&str| line.split(['{', ' ']).next() == Some(name);
        let found: Vec<&str> = page.lines().filter(of_family).collect();
        assert!(found.iter().all(|line| line.ends_with(" 0") || line.ends_with(" 0.0")), "{found:?}");
        found.len()
    };
    let cases = [
        ("calvalot_trades_total", 20),
        ("calvalot_traded_usdc_total", 20),
        ("calvalot_fees_usdc_total", 20),
        ("calvalot_exchange_requests_total", 108),
        ("calvalot_exchange_request_duration_seconds_count", 12),
        ("calvalot_slippage_ratio_count", 2),
        ("calvalot_poll_duration_seconds_count", 1),
    ];
    for (name, series) in cases {
        assert_eq!(count(name), series, "{name}");
    }
}

#[test]
fn what_is_measured_is_on_the_page() {
    let instruments = used();
    // Un prix meilleur que le milieu compte zéro : la somme ne décroît jamais.
    instruments.slipped(Side::Buy, dec!(-0.01));
    let page = page(&Figures::default(), &instruments, Format::Text);
    for line in [
        "calvalot_poll_duration_seconds_bucket{le=\"0.25\"} 0",
        "calvalot_poll_duration_seconds_bucket{le=\"0.5\"} 1",
        "calvalot_poll_duration_seconds_sum 0.3",
        "calvalot_slippage_ratio_sum{side=\"BUY\"} 0.0003",
        "calvalot_slippage_ratio_count{side=\"BUY\"} 2",
        "calvalot_slippage_ratio_bucket{le=\"0.00025\",side=\"BUY\"} 1",
        "calvalot_slippage_ratio_count{side=\"SELL\"} 0",
        "calvalot_exchange_requests_total{endpoint=\"account\",code=\"200\"} 1",
        "calvalot_exchange_requests_total{endpoint=\"account\",code=\"429\"} 0",
        "calvalot_exchange_request_duration_seconds_sum{endpoint=\"account\"} 0.06",
        "calvalot_exchange_used_weight 24.0",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not on the page:\n{page}");
    }
}

#[test]
fn the_reader_gets_the_format_it_prefers() {
    let cases = [
        ("", Format::Text),
        ("*/*", Format::Text),
        ("text/plain;version=0.0.4", Format::Text),
        ("application/openmetrics-text", Format::OpenMetrics),
        ("APPLICATION/OpenMetrics-Text; version=1.0.0", Format::OpenMetrics),
        ("application/openmetrics-text;q=0", Format::Text),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.5", Format::Text),
        ("text/plain;q=0.5,application/openmetrics-text;version=1.0.0;q=0.8", Format::OpenMetrics),
        ("text/plain, application/openmetrics-text", Format::OpenMetrics),
        ("application/openmetrics-text-but-not-quite", Format::Text),
    ];
    for (accept, expected) in cases {
        assert_eq!(Format::accepted(accept), expected, "{accept:?}");
    }
}

/// La plus grande page possible : de longs nombres partout.
#[test]
fn the_whole_page_stays_small() {
    for format in [Format::OpenMetrics, Format::Text] {
        let page = page(&everything(), &used(), format);
        // Dix-sept chiffres là où il y en a un.
        let largest = page.len() + page.lines().count() * 16;
        assert!(largest < 64 * 1024, "{largest} bytes");
    }
}
