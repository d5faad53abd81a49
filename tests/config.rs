//! La configuration : de textes à une valeur typée, tous les défauts d'un coup.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use calvalot::config::{Config, Faults, Mode, VARIABLES, VERSION};

const LEADER: (&str, &str) = ("LEADER_URL", "https://leader.example.org");
const SECRET: (&str, &str) = ("SIGNAL_SECRET", "s3cret");

fn read(given: &[(&str, &str)]) -> Result<Config, Faults> {
    Config::read(|name| given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
}

/// La configuration complète, plus cette variable.
fn with(name: &str, value: &str) -> Result<Config, Faults> {
    read(&[(name, value), LEADER, SECRET])
}

fn fault(name: &str, value: &str) -> String {
    match with(name, value) {
        Err(faults @ Faults::Invalid(_)) => faults.to_string(),
        other => panic!("{name}={value}: {other:?}"),
    }
}

#[test]
fn two_variables_are_enough() {
    let config = read(&[LEADER, SECRET]).expect("a configuration");
    assert_eq!(config.leader_url, "https://leader.example.org");
    assert_eq!(config.secret.expose(), "s3cret");
    assert_eq!(config.exchange_url, "https://data-api.binance.vision");
    assert_eq!(config.mode, Mode::DryRun);
    assert_eq!(config.initial_budget.to_string(), "100");
    assert_eq!(config.poll_interval, Duration::from_secs(120));
    assert_eq!(config.policy.threshold.to_string(), "0.005");
    assert_eq!(config.db_path.to_str(), Some("data/calvalot.db"));
    assert_eq!((config.port, config.allowed_hosts.len()), (8080, 0));
    assert_eq!(config.version, VERSION);
    assert!(config.warnings.is_empty());
}

#[test]
fn the_env_file_of_the_python_version_still_works() {
    let config = read(&[
        ("LEADER_URL", "http://cashalot:8080/"),
        SECRET,
        ("BINANCE_API_KEY", ""),
        ("BINANCE_API_SECRET", " "),
        ("BINANCE_TESTNET", "false"),
        ("TRADING_MODE", "dry_run"),
        ("INITIAL_BUDGET_EUR", "250.0"),
        ("POLL_INTERVAL_SECONDS", "120"),
        ("SMTP_PORT", "465"),
        ("API_USER", "admin"),
        ("DB_PATH", "/app/data/calvalot.db"),
        ("GIT_COMMIT", "unknown"),
        ("TZ", "Europe/Paris"),
    ])
    .expect("a configuration");
    assert_eq!(config.leader_url, "http://cashalot:8080");
    assert_eq!(config.initial_budget.to_string(), "250");
    assert_eq!(config.version, VERSION);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn nothing_set_is_no_fault_but_two_lines_of_help() {
    for given in [&[][..], &[("LEADER_URL", " "), ("PORT", "nonsense")]] {
        let faults = read(given).expect_err("nothing is set");
        assert_eq!(faults, Faults::NotConfigured);
        let text = faults.to_string();
        assert_eq!(text.lines().count(), 2);
        assert!(
            text.contains("LEADER_URL") && text.contains("SIGNAL_SECRET") && text.contains("calvalot demo")
        );
    }
}

#[test]
fn a_time_zone_that_can_be_said_is_no_fault() {
    for zone in ["", " ", "Europe/Paris", ":Europe/Paris", "UTC", "CET-1CEST", "CET-1CEST,M3.5.0,M10.5.0/3"] {
        assert!(with("TZ", zone).is_ok(), "{zone:?}");
    }
}

#[test]
fn all_faults_are_told_at_once_one_per_line() {
    let faults = read(&[LEADER, ("PORT", "0"), ("INITIAL_BUDGET_EUR", "4"), ("TRADING_MODE", "real")]);
    assert_eq!(
        faults.expect_err("four faults").to_string(),
        "SIGNAL_SECRET: not set; set it in .env, the leader gives it to you\n\
         TRADING_MODE: \"real\" is no trading mode; set TRADING_MODE=dry_run, or TRADING_MODE=live for real orders\n\
         INITIAL_BUDGET_EUR: 4 is out of range; write euros from 10 to 1000000, at most two decimals, like 100 or 99.50\n\
         PORT: \"0\" is no port; write a number from 1 to 65535, like 8080"
    );
}

#[test]
fn each_fault_says_what_is_wrong_and_what_to_write() {
    let cases = [
        ("LEADER_URL", "leader.example.org", "does not start with https://"),
        ("TZ", "Europe/Pariss", "is no time zone; write one like Europe/Paris"),
        ("LEADER_URL", "ftp://leader", "does not start with https://"),
        ("LEADER_URL", "https://", "no plain address"),
        ("LEADER_URL", "https:///path", "no plain address"),
        ("LEADER_URL", "https://user:pass@leader", "no plain address"),
        ("LEADER_URL", "https://leader?x=1", "no plain address"),
        ("LEADER_URL", "https://a b", "no plain address"),
        ("LEADER_URL", "https://leader:port", "no usable port"),
        ("BINANCE_URL", "api.binance.com", "does not start with https://"),
        ("BINANCE_TESTNET", "maybe", "write true or false"),
        ("TRADING_MODE", "dry-run", "set TRADING_MODE=dry_run"),
        ("ALLOW_WITHDRAWAL_KEY", "perhaps", "write true or false"),
        ("INITIAL_BUDGET_EUR", "100 €", "no amount"),
        ("INITIAL_BUDGET_EUR", "100,50", "no amount"),
        ("INITIAL_BUDGET_EUR", "NaN", "no amount"),
        ("INITIAL_BUDGET_EUR", "1e3", "no amount"),
        ("INITIAL_BUDGET_EUR", "+100", "no amount"),
        ("INITIAL_BUDGET_EUR", "1_000", "no amount"),
        ("INITIAL_BUDGET_EUR", "-100", "out of range"),
        ("INITIAL_BUDGET_EUR", "1000000.01", "out of range"),
        ("INITIAL_BUDGET_EUR", "99.999", "too many decimals"),
        ("POLL_INTERVAL_SECONDS", "0", "from 1 to 86400"),
        ("POLL_INTERVAL_SECONDS", "86401", "from 1 to 86400"),
        ("POLL_INTERVAL_SECONDS", "2 min", "without unit"),
        ("POLL_INTERVAL_SECONDS", "1.5", "no whole number"),
        ("REBALANCE_THRESHOLD_PCT", "0.5%", "write the fraction 0.005"),
        ("REBALANCE_THRESHOLD_PCT", "0.5 %", "write the fraction 0.005"),
        ("REBALANCE_THRESHOLD_PCT", "5", "for 5 % write 0.05"),
        ("REBALANCE_THRESHOLD_PCT", "0,005", "with a dot"),
        ("REBALANCE_THRESHOLD_PCT", "-0.1", "negative"),
        ("STOP_LOSS_PCT", "0.2", "for 20 % write 20"),
        ("STOP_LOSS_PCT", "95", "from 1 to 90"),
        ("STOP_LOSS_PCT", "-5", "out of range"),
        ("STOP_LOSS_PCT", "20,5", "is no number"),
        ("MAX_SLIPPAGE_PCT", "0.5%", "without the sign"),
        ("MAX_SLIPPAGE_PCT", "0.005", "out of range"),
        ("MAX_SLIPPAGE_PCT", "2.5", "from 0.1 to 2 with a point and without the sign, like 0.5"),
        ("MAX_SLIPPAGE_PCT", "0,5", "is no number"),
        ("LEADER_URL", "me:pw-7@leader", "\"***@leader\" does not start"),
        ("LEADER_URL", "https://me:pw-7@leader", "\"https://***@leader\" is no plain address"),
        ("LEADER_URL", "https://me:p@w-7@leader:x", "\"https://***@leader:x\" is no plain address"),
        ("BINANCE_URL", "'http://me:pw-7@127.0.0.1'", "***@127.0.0.1"),
        ("TRUSTED_PROXY", "traefik", "is no address"),
        ("TRUSTED_PROXY", "172.18.0.2:80", "is no address"),
        ("TRUSTED_PROXY", "172.18.0.2, 172.16.0.0/40", "\"172.16.0.0/40\" is no address"),
        ("PORT", "65536", "no port"),
        ("PORT", "8081:8080", "no port"),
        ("ALLOWED_HOSTS", "http://pi.example.org", "without http://"),
        ("ALLOWED_HOSTS", "pi,pi.example.org:8080", "without port"),
        ("DB_PATH", "\"data/calvalot.db\"", "written in quotes; remove them"),
        ("SMTP_HOST", "'mail'", "written in quotes; remove them"),
    ];
    for (name, value, expected) in cases {
        let fault = fault(name, value);
        assert!(fault.starts_with(&format!("{name}: ")) && fault.contains(expected), "{value}: {fault}");
        assert_eq!(fault.lines().count(), 1, "{fault}");
        assert!(!fault.contains("w-7"), "a password is not shown: {fault}");
    }
}

/// Ce qu'un remède propose d'écrire : après « like », « write » ou « set », ce qui n'est pas un mot de la phrase.
fn examples(fault: &str, name: &str) -> Vec<String> {
    let (mut found, mut offered) = (Vec::new(), false);
    for word in fault.split_whitespace() {
        let bare = word.trim_end_matches([',', ';', ':']);
        let set = bare.strip_prefix(&format!("{name}="));
        let plain = bare.starts_with(|first: char| first.is_ascii_digit()) || word.contains(['/', '.', ',']);
        match bare {
            "like" | "write" | "fraction" | "or" => offered = bare != "or" || offered,
            _ if set.is_some() => found.extend(set.map(str::to_owned)),
            _ if offered && plain => found.push(bare.to_owned()),
            _ => offered = false,
        }
    }
    found
}

#[test]
fn every_example_in_a_remedy_is_taken() {
    let cases = [
        ("LEADER_URL", "leader.example.org", &["https://leader.example.org"][..]),
        ("BINANCE_URL", "binance", &["https://leader.example.org"]),
        ("TRADING_MODE", "paper", &["dry_run", "live"]),
        ("INITIAL_BUDGET_EUR", "1", &["100", "99.50"]),
        ("POLL_INTERVAL_SECONDS", "0", &["120"]),
        ("REBALANCE_THRESHOLD_PCT", "0.5%", &["0.005"]),
        ("REBALANCE_THRESHOLD_PCT", "5", &["0.05"]),
        ("REBALANCE_THRESHOLD_PCT", "80%", &[]),
        ("REBALANCE_THRESHOLD_PCT", "60", &[]),
        ("REAIM_THRESHOLD_PCT", "x", &["2.5"]),
        ("MAX_SLIPPAGE_PCT", "2.5", &["0.5"]),
        ("MAX_TURNOVER_PCT_PER_DAY", "0", &["300"]),
        ("MAX_ACTION_AGE_MINUTES", "0", &["15"]),
        ("STOP_LOSS_PCT", "95", &["20", "12.5", "0"]),
        ("STOP_LOSS_PCT", "0.2", &["20", "12.5", "0", "20"]),
        ("STOP_LOSS_PCT", "0.95", &["20", "12.5", "0"]),
        ("PORT", "0", &["8080"]),
        ("ALLOWED_HOSTS", "http://pi", &["pi.example.org,pi"]),
        ("TZ", "Paris", &["Europe/Paris"]),
    ];
    for (name, wrong, expected) in cases {
        let fault = fault(name, wrong);
        let found = examples(fault.rsplit_once(" (").map_or(&fault[name.len()..], |(told, _)| told), name);
        assert_eq!(found, expected, "{fault}");
        for example in found {
            assert!(with(name, &example).is_ok(), "{name}={example}: {fault}");
        }
    }
}

#[test]
fn what_an_editor_left_around_a_name_or_a_value_is_told_in_one_line_each_and_shows_no_secret() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("a local address").port().to_string();
    // Le port est pris : il s'arrête une fois ses avertissements dits.
    let ended = Command::new(env!("CARGO_BIN_EXE_calvalot"))
        .env_clear()
        .env("\u{feff}LEADER_URL", "http://127.0.0.1:9")
        .env("SIGNAL_SECRET", " s3cret\r")
        .env("POLL_INTERVAL_SECONDS", "120 ")
        .env("PORT", port)
        .env("TZ", "Europe/Paris")
        .output()
        .expect("the program ends");
    let said = String::from_utf8_lossy(&ended.stderr);
    let lines = |words: &str| said.lines().filter(|line| line.contains(words)).count();
    assert_eq!(lines("cannot listen on port"), 1, "{said}");
    for told in
        ["LEADER_URL: .env begins with", "SIGNAL_SECRET: the spaces", "POLL_INTERVAL_SECONDS: the spaces"]
    {
        assert_eq!(lines(told), 1, "{told}: {said}");
    }
    assert_eq!((lines("the spaces"), lines("s3cret")), (2, 0), "{said}");
}

#[test]
fn values_at_the_edge_are_taken() {
    let cases = [
        ("INITIAL_BUDGET_EUR", "5"),
        ("INITIAL_BUDGET_EUR", "1000000"),
        ("POLL_INTERVAL_SECONDS", "1"),
        ("POLL_INTERVAL_SECONDS", "86400"),
        ("REBALANCE_THRESHOLD_PCT", "0"),
        ("REBALANCE_THRESHOLD_PCT", "0.5"),
        ("STOP_LOSS_PCT", "0"),
        ("STOP_LOSS_PCT", "1"),
        ("STOP_LOSS_PCT", "12.5 %"),
        ("STOP_LOSS_PCT", "90"),
        ("MAX_SLIPPAGE_PCT", "0.1"),
        ("MAX_SLIPPAGE_PCT", "2"),
        ("PORT", "65535"),
        ("LEADER_URL", "http://[::1]:8080"),
        ("LEADER_URL", "https://example.org/cashalot/"),
        ("TRADING_MODE", " dry_run "),
        ("BINANCE_TESTNET", "No"),
        ("TRADING_MODE", "LIVE"),
    ];
    for (name, value) in cases {
        assert!(with(name, value).is_ok(), "{name}={value}: {:?}", with(name, value));
    }
}

#[test]
fn the_exchange_follows_the_mode_unless_an_address_is_given() {
    let urls = |name, value| {
        let config = with(name, value).expect("a configuration");
        (config.exchange_url, config.account.url)
    };
    let both = |url: &str| (url.to_owned(), url.to_owned());
    let real = ("https://data-api.binance.vision".to_owned(), "https://api.binance.com".to_owned());
    assert_eq!(urls("BINANCE_TESTNET", "0"), real);
    assert_eq!(urls("BINANCE_TESTNET", "1"), both("https://testnet.binance.vision"));
    assert_eq!(urls("BINANCE_URL", "https://api.binance.com"), both("https://api.binance.com"));
    assert_eq!(urls("BINANCE_URL", "http://127.0.0.1:9000/"), both("http://127.0.0.1:9000"));
}

#[test]
fn a_key_is_whole_or_told_to_be_half_set() {
    let key = |given: &[(&str, &str)]| {
        let config = read(&[&[LEADER, SECRET], given].concat()).expect("a configuration");
        config.account.key().map(|key| key.is_some()).map_err(|fault| fault.to_string())
    };
    let (id, secret) = (("BINANCE_API_KEY", "abc123"), ("BINANCE_API_SECRET", "hidden"));
    assert_eq!(key(&[]), Ok(false));
    assert_eq!(key(&[id, secret]), Ok(true));
    let cases = [
        (&[id][..], "BINANCE_API_SECRET: not set, but BINANCE_API_KEY is"),
        (&[secret], "BINANCE_API_KEY: not set, but its secret is"),
        (
            &[id, secret, ("BINANCE_API_SECRET_FILE", "key.pem")],
            "BINANCE_API_SECRET_FILE: set, and BINANCE_API_SECRET",
        ),
        (
            &[id, ("BINANCE_API_SECRET_FILE", "absent.pem")],
            "BINANCE_API_SECRET_FILE: absent.pem cannot be read",
        ),
        (&[("BINANCE_API_SECRET_FILE", "key.pem")], "BINANCE_API_KEY: not set, but its secret is"),
        (&[("BINANCE_API_KEY", "abc 123"), secret], "BINANCE_API_KEY: contains spaces"),
    ];
    for (given, expected) in cases {
        let fault = key(given).expect_err("half a key");
        assert!(
            fault.starts_with(expected) && !fault.contains("hidden") && !fault.contains("123"),
            "{fault}"
        );
    }
}

#[test]
fn host_names_are_a_list_in_lower_case() {
    let config = with("ALLOWED_HOSTS", "Pi.Example.org, calvalot ,").expect("a configuration");
    assert_eq!(config.allowed_hosts, ["pi.example.org", "calvalot"]);
}

#[test]
fn the_version_carries_the_commit() {
    let version = |commit| with("GIT_COMMIT", commit).expect("a configuration").version;
    assert_eq!(version("c3f9ff3"), concat!(env!("CARGO_PKG_VERSION"), "+c3f9ff3"));
    assert_eq!(version("a\r\nX-Forged: 1"), VERSION);
}

#[test]
fn what_has_no_effect_or_is_risky_is_said() {
    let cases = [
        ("API_PASSWORD_HASH", "pbkdf2:x", "no effect"),
        ("ALERT_EMAIL_TO", "a@example.org", "no e-mail"),
        ("LEADER_URL", "http://leader.example.org", "forge"),
        ("LEADER_URL", "http://8.8.8.8:80", "forge"),
        ("BINANCE_URL", "http://api.binance.com", "forge prices"),
        ("REBALANCE_THRESHOLD_PCT", "0.5", "for 0.5 % write 0.005"),
    ];
    for (name, value, expected) in cases {
        let warnings = with(name, value).expect("a configuration").warnings;
        assert!(warnings.len() == 1 && warnings[0].contains(expected), "{name}={value}: {warnings:?}");
    }
    for url in
        ["http://192.168.1.5:8080", "http://cashalot:8080", "http://leader.local", "http://127.0.0.1:1"]
    {
        assert!(with("LEADER_URL", url).expect("a configuration").warnings.is_empty(), "{url}");
    }
}

#[test]
fn a_secret_is_never_written() {
    let config = read(&[LEADER, SECRET]).expect("a configuration");
    assert!(!format!("{config:?} {}", config.secret).contains("s3cret"));
    for name in
        ["SIGNAL_SECRET", "BINANCE_API_KEY", "BINANCE_API_SECRET", "SMTP_PASSWORD", "API_PASSWORD_HASH"]
    {
        let fault = fault(name, "'hidden'");
        assert!(!fault.contains("hidden") && fault.contains("remove them"), "{fault}");
    }
}

/// Ceux que le programme ne lit pas : ils sont à la surveillance, que `docker-compose.yml` apporte.
const OF_THE_MONITORING: [(&str, &str); 4] =
    [("GRAFANA_PASSWORD", ""), ("GRAFANA_PORT", "3000"), ("PROMETHEUS_PORT", "9090"), ("ALERTMANAGER", "")];

#[test]
fn the_example_file_and_the_table_are_equal() {
    let example =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example")).expect("the file");
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let mut there: Vec<(&str, &str)> = example
        .lines()
        .filter_map(|line| line.strip_prefix('#').unwrap_or(line).split_once('='))
        .filter(|(name, _)| is_name(name))
        .collect();
    let mut table: Vec<(&str, &str)> =
        VARIABLES.iter().map(|variable| (variable.name, variable.default)).collect();
    table.extend(OF_THE_MONITORING);
    there.sort_unstable();
    table.sort_unstable();
    assert_eq!(there, table);
    let compose = concat!(env!("CARGO_MANIFEST_DIR"), "/docker-compose.yml");
    let compose = std::fs::read_to_string(compose).expect("the file");
    for (name, default) in OF_THE_MONITORING {
        let read = [format!("${{{name}:-{default}}}"), format!("      {name}:\n")];
        assert!(read.iter().any(|read| compose.contains(read)), "{name} is read by nobody");
    }
}

#[test]
fn the_example_file_filled_in_is_a_configuration() {
    let example =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example")).expect("the file");
    let lines: Vec<(&str, &str)> = example
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .collect();
    let given: Vec<(&str, &str)> = [LEADER, SECRET]
        .into_iter()
        .chain(lines.into_iter().filter(|(_, value)| !value.is_empty()))
        .collect();
    assert!(read(&given).expect("a configuration").warnings.is_empty());
}
