//! La page `/metrics`, faite à chaque demande à partir de chiffres donnés.
//!
//! Rien n'est gardé ici : les compteurs viennent du grand livre et continuent donc après un
//! redémarrage. Les étiquettes viennent de listes closes, chaque série est là dès le début. Une
//! grandeur inconnue n'a pas d'échantillon : ni zéro, ni vieille valeur.

use std::fmt::Write;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::domain::intent::State as OrderState;
use crate::domain::market::Coin;
use crate::domain::order::Side;
use crate::domain::poll::PollOutcome;

/// Les états d'un signal, dans l'ordre de la page.
pub const SIGNAL_STATUSES: [&str; 5] = ["received", "executed", "skipped", "error", "rejected"];

type Floating = Gauge<f64, AtomicU64>;

/// Les chiffres d'un instant.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub version: String,
    pub mode: String,
    pub dead: bool,
    pub paused: bool,
    pub value_eur: Option<f64>,
    pub value_usdc: Option<f64>,
    pub cash_usdc: Option<f64>,
    pub net_deposits_eur: f64,
    pub leader_connected: bool,
    pub leader_contact: Option<f64>,
    pub last_poll: Option<f64>,
    pub polls: Vec<(String, u32)>,
    pub signals: Vec<(String, u32)>,
    pub trades: Vec<(Coin, Side, u32)>,
    pub positions: Vec<Holding>,
    pub prices: Vec<(Coin, f64)>,
    pub eur_rate: Option<f64>,
    /// Chaque lecture qu'une évaluation demande, et si elle manque.
    pub readings: Vec<(String, bool)>,
    pub orders: Vec<(OrderState, Side, u32)>,
    pub late_orders: u32,
    pub foreign_orders: u32,
    /// Rien en simulation, où rien ne s'échange pour de vrai.
    pub trading_open: Option<bool>,
    /// Chaque essai fait, et s'il est bon.
    pub checks: Vec<(String, bool)>,
    pub clock_lead: Option<f64>,
    pub silent_until: Option<f64>,
    pub balances: Vec<Reconciled>,
}

/// Un actif du dernier rapprochement : l'écart du compte aux livres, et ce qui lui manque.
#[derive(Clone, Debug)]
pub struct Reconciled {
    pub asset: String,
    pub difference: f64,
    pub missing: f64,
}

/// Une position et, si elle est connue, sa valeur.
#[derive(Clone, Debug)]
pub struct Holding {
    pub coin: Coin,
    pub quantity: f64,
    pub value_usdc: Option<f64>,
}

/// Le format demandé par qui lit la page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    OpenMetrics,
    Text,
}

impl Format {
    /// OpenMetrics si l'en-tête `Accept` le nomme, le texte de Prometheus sinon.
    pub fn accepted(accept: &str) -> Format {
        if accept.contains("application/openmetrics-text") { Format::OpenMetrics } else { Format::Text }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// La page entière, dans le format voulu.
pub fn page(figures: &Figures, format: Format) -> String {
    let mut registry = Registry::with_prefix("calvalot");
    register_agent(&mut registry, figures);
    register_money(&mut registry, figures);
    register_following(&mut registry, figures);
    register_market(&mut registry, figures);
    register_orders(&mut registry, figures);
    register_exchange(&mut registry, figures);
    let mut text = String::new();
    // Écrire dans une `String` n'échoue pas.
    encode(&mut text, &registry).expect("a String takes every write");
    let text = text.replace("{} ", " ");
    match format {
        Format::OpenMetrics => text,
        Format::Text => as_text_format(&text),
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Version {
    version: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Mode {
    mode: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Status {
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CoinLabel {
    coin: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CoinSide {
    coin: &'static str,
    side: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reading {
    reading: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeSide {
    outcome: &'static str,
    side: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Test {
    test: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Asset {
    asset: String,
}

/// Aucune étiquette : une famille d'une seule série, ou d'aucune.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Alone {}

fn register_agent(registry: &mut Registry, figures: &Figures) {
    let build = Family::<Version, Gauge>::default();
    build.get_or_create(&Version { version: figures.version.clone() }).set(1);
    registry.register("build_info", "The running version, always 1", build);

    let states = Family::<State, Gauge>::default();
    let now = if figures.dead {
        "dead"
    } else if figures.paused {
        "paused"
    } else {
        "active"
    };
    for state in ["active", "paused", "dead"] {
        states.get_or_create(&State { state }).set(i64::from(state == now));
    }
    registry.register("agent_state", "1 for the state the agent is in", states);

    let modes = Family::<Mode, Gauge>::default();
    for mode in ["dry_run", "live"] {
        modes.get_or_create(&Mode { mode }).set(i64::from(mode == figures.mode));
    }
    registry.register("trading_mode", "1 for the trading mode in force", modes);
}

fn register_money(registry: &mut Registry, figures: &Figures) {
    single(registry, "portfolio_value_eur", "Value of coins and cash in EUR", figures.value_eur);
    single(registry, "portfolio_value_usdc", "Value of coins and cash in USDC", figures.value_usdc);
    single(registry, "cash_usdc", "Cash in USDC", figures.cash_usdc);
    let deposits = Some(figures.net_deposits_eur);
    single(registry, "net_deposits_eur", "Deposits less withdrawals in EUR", deposits);

    let (quantities, values) =
        (Family::<CoinLabel, Floating>::default(), Family::<CoinLabel, Floating>::default());
    for coin in Coin::ALL {
        let label = CoinLabel { coin: coin.pair() };
        let holding = figures.positions.iter().find(|holding| holding.coin == coin);
        quantities.get_or_create(&label).set(holding.map_or(0.0, |holding| holding.quantity));
        if let Some(value) = holding.map_or(Some(0.0), |holding| holding.value_usdc) {
            values.get_or_create(&label).set(value);
        }
    }
    registry.register("position_quantity", "Quantity held of a coin", quantities);
    registry.register("position_value_usdc", "Value of a position in USDC", values);

    let trades = Family::<CoinSide, Counter>::default();
    for coin in Coin::ALL {
        for side in [Side::Buy, Side::Sell] {
            let counter = trades.get_or_create_owned(&CoinSide { coin: coin.pair(), side: side.word() });
            let found = figures.trades.iter().find(|(c, s, _)| (*c, *s) == (coin, side));
            counter.inc_by(found.map_or(0, |(_, _, count)| u64::from(*count)));
        }
    }
    registry.register("trades", "Trades made, by coin and side", trades);
}

fn register_following(registry: &mut Registry, figures: &Figures) {
    let connected = Gauge::<i64>::default();
    connected.set(i64::from(figures.leader_connected));
    registry.register("leader_connected", "1 if the leader answered the last poll as it should", connected);
    single(
        registry,
        "leader_contact_timestamp_seconds",
        "Last poll that the leader answered as it should",
        figures.leader_contact,
    );
    single(registry, "poll_timestamp_seconds", "Last poll, whatever came of it", figures.last_poll);

    let polls = Family::<Outcome, Counter>::default();
    for outcome in PollOutcome::ALL.map(PollOutcome::word) {
        let count = figures.polls.iter().find(|(word, _)| word == outcome).map_or(0, |(_, count)| *count);
        polls.get_or_create_owned(&Outcome { outcome }).inc_by(u64::from(count));
    }
    registry.register("polls", "Polls, by outcome", polls);

    let signals = Family::<Status, Gauge>::default();
    for status in SIGNAL_STATUSES {
        let count = figures.signals.iter().find(|(word, _)| word == status).map_or(0, |(_, count)| *count);
        signals.get_or_create(&Status { status }).set(i64::from(count));
    }
    registry.register("signals", "Signals in the ledger, by status", signals);
}

fn register_market(registry: &mut Registry, figures: &Figures) {
    let prices = Family::<CoinLabel, Floating>::default();
    for (coin, price) in &figures.prices {
        prices.get_or_create(&CoinLabel { coin: coin.pair() }).set(*price);
    }
    registry.register("price_usdc", "Price of a coin in USDC, while it is known", prices);
    single(registry, "eur_rate_usdc", "USDC for 1 EUR, while it is known", figures.eur_rate);

    let unknown = Family::<Reading, Gauge>::default();
    for (reading, missing) in &figures.readings {
        unknown.get_or_create(&Reading { reading: reading.clone() }).set(i64::from(*missing));
    }
    registry.register("reading_unknown", "1 if this is not known now: no trade while any is 1", unknown);
}

fn register_orders(registry: &mut Registry, figures: &Figures) {
    let count = |state: OrderState, side: Option<Side>| -> u32 {
        let found =
            figures.orders.iter().filter(|(s, at, _)| *s == state && side.is_none_or(|side| side == *at));
        found.map(|(_, _, count)| count).sum()
    };
    let (ended, doubtful) = (Family::<OutcomeSide, Counter>::default(), Family::<State, Gauge>::default());
    for state in OrderState::ALL {
        if state.is_in_doubt() {
            doubtful.get_or_create(&State { state: state.word() }).set(i64::from(count(state, None)));
        } else if state != OrderState::Planned {
            for side in [Side::Buy, Side::Sell] {
                let label = OutcomeSide { outcome: state.word(), side: side.word() };
                ended.get_or_create_owned(&label).inc_by(u64::from(count(state, Some(side))));
            }
        }
    }
    // Une exécution apprise tard change d'issue : le compteur de l'ancienne recule d'un, une fois.
    registry.register("orders", "Orders that ended, by outcome and side", ended);
    registry.register("orders_in_doubt", "Orders whose outcome is not known, by state", doubtful);
    let late = Some(f64::from(figures.late_orders));
    single(registry, "orders_late", "Executions learned late that nobody has acknowledged", late);
    let foreign = Counter::<u64>::default();
    foreign.inc_by(u64::from(figures.foreign_orders));
    registry.register("foreign_orders", "Orders seen on the account that are not ours", foreign);
}

fn register_exchange(registry: &mut Registry, figures: &Figures) {
    let flag = |set: bool| f64::from(u8::from(set));
    let open = figures.trading_open.map(flag);
    single(registry, "trading_open", "1 if real orders may be sent; absent in a simulation", open);
    let checks = Family::<Test, Floating>::default();
    for (test, fine) in &figures.checks {
        checks.get_or_create(&Test { test: test.clone() }).set(flag(*fine));
    }
    registry.register("check_ok", "1 if this test of the outside is fine, while it could be made", checks);
    let lead = "How far the clock of this machine is ahead of the exchange's";
    single(registry, "clock_lead_seconds", lead, figures.clock_lead);
    let silent = "Until when the exchange wants no request, while it wants none";
    single(registry, "exchange_silent_until_timestamp_seconds", silent, figures.silent_until);
    let (differences, missing) = (Family::<Asset, Floating>::default(), Family::<Asset, Floating>::default());
    for balance in &figures.balances {
        let label = Asset { asset: balance.asset.clone() };
        differences.get_or_create(&label).set(balance.difference);
        missing.get_or_create(&label).set(balance.missing);
    }
    let help = "What the account holds less what the ledger says, in units of the asset";
    registry.register("reconciliation_difference", help, differences);
    registry.register("reconciliation_missing", "What the account lacks for the ledger to be right", missing);
}

/// Une valeur seule ; sans échantillon quand elle n'est pas connue.
fn single(registry: &mut Registry, name: &str, help: &str, value: Option<f64>) {
    let family = Family::<Alone, Floating>::default();
    if let Some(value) = value {
        family.get_or_create(&Alone {}).set(value);
    }
    registry.register(name, help, family);
}

/// Le format texte de Prometheus : un compteur y porte son nom entier dans `HELP` et `TYPE`, et la
/// marque de fin n'existe pas.
fn as_text_format(page: &str) -> String {
    let counters: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut text = String::with_capacity(page.len());
    for line in page.lines().filter(|line| *line != "# EOF") {
        let described = ["# HELP ", "# TYPE "].into_iter().find_map(|start| {
            let (name, rest) = line.strip_prefix(start)?.split_once(' ')?;
            counters.contains(&name).then_some((start, name, rest))
        });
        let written = match described {
            Some((start, name, rest)) => writeln!(text, "{start}{name}_total {rest}"),
            None => writeln!(text, "{line}"),
        };
        written.expect("a String takes every write");
    }
    text
}
