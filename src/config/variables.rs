//! Les variables que l'on lit : la seule liste, pour `--help`, `.env.example` et les défauts.

/// Une variable d'environnement.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    pub name: &'static str,
    /// Vide : aucune valeur par défaut.
    pub default: &'static str,
    pub meaning: &'static str,
}

/// Toutes, dans l'ordre où on les explique.
pub const VARIABLES: &[Variable] = &[
    variable("LEADER_URL", "", "address of the leader, like https://leader.example.org (required)"),
    variable("SIGNAL_SECRET", "", "secret shared with the leader, who gives it to you (required)"),
    variable("TRADING_MODE", "dry_run", "dry_run: simulated trades at real prices; live: real orders"),
    variable("INITIAL_BUDGET_EUR", "100", "euros at the first start, from 10 to 1000000"),
    variable("POLL_INTERVAL_SECONDS", "120", "seconds between two questions to the leader, from 1 to 86400"),
    variable("REBALANCE_THRESHOLD_PCT", "0.005", "drift that is left alone, as a fraction: 0.005 is 0.5 %"),
    variable(
        "REAIM_THRESHOLD_PCT",
        "5",
        "drift in percent at which a target that was reached is aimed at again; 0: never",
    ),
    variable(
        "MAX_TURNOVER_PCT_PER_DAY",
        "300",
        "most that is traded in a day, in percent of the capital; a third of it for drift alone",
    ),
    variable("MAX_ACTION_AGE_MINUTES", "15", "age beyond which an action of a version 1 signal is not done"),
    variable(
        "FOLLOW_OLD_TARGET",
        "false",
        "true: a first start follows an allocation older than a day without asking",
    ),
    variable(
        "STOP_LOSS_PCT",
        "",
        "sell all and pause once the value is that many percent below its highest, from 1 to 90 (none); what is set on the page wins",
    ),
    variable(
        "MAX_SLIPPAGE_PCT",
        "0.5",
        "how far from the middle of the book an order goes, in percent, from 0.1 to 2: a limit (IOC), or a market order where it takes a \
         fifth of the best price at most",
    ),
    variable("BINANCE_API_KEY", "", "key of your Binance account, not needed for dry_run"),
    variable("BINANCE_API_SECRET", "", "secret of that key, not needed for dry_run"),
    variable(
        "BINANCE_API_SECRET_FILE",
        "",
        "in its place, the private key that `calvalot keygen` made (PEM)",
    ),
    variable("ALLOW_WITHDRAWAL_KEY", "false", "true: accept a key that may withdraw (do not do this)"),
    variable("BINANCE_TESTNET", "false", "true: use Binance's test network, with its own prices and keys"),
    variable("BINANCE_URL", "", "another address of the exchange, to replace the one chosen by the mode"),
    variable("PORT", "8080", "port of the dashboard and the API"),
    variable(
        "ALLOWED_HOSTS",
        "",
        "host names the dashboard answers to besides addresses, like pi.example.org,pi",
    ),
    variable(
        "TRUSTED_PROXY",
        "",
        "address of your reverse proxy, like 172.18.0.2 or 172.16.0.0/12,fd00::/8: only what it says of its clients is believed (none)",
    ),
    variable("DB_PATH", "data/calvalot.db", "the database file"),
    variable("CONFIG_PATH", "", "JSON file read for what is not set here (config.json beside the database)"),
    variable("TZ", "", "time zone of the log, like Europe/Paris (that of the machine)"),
    variable("GIT_COMMIT", "", "commit this program was built from, added to its version"),
    variable("SMTP_HOST", "", "mail server for alerts (no effect in this version)"),
    variable("SMTP_PORT", "465", "port of the mail server (no effect in this version)"),
    variable("SMTP_USER", "", "user at the mail server (no effect in this version)"),
    variable("SMTP_PASSWORD", "", "password at the mail server (no effect in this version)"),
    variable("ALERT_EMAIL_TO", "", "where alerts go (no effect in this version)"),
    variable("API_USER", "admin", "accepted from an older .env (no effect)"),
    variable("API_PASSWORD_HASH", "", "accepted from an older .env (no effect)"),
];

const fn variable(name: &'static str, default: &'static str, meaning: &'static str) -> Variable {
    Variable { name, default, meaning }
}

/// La valeur par défaut, s'il y en a une.
pub fn default(name: &str) -> Option<&'static str> {
    let variable = VARIABLES.iter().find(|variable| variable.name == name)?;
    Some(variable.default).filter(|value| !value.is_empty())
}
