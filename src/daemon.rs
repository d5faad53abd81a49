//! La vie du démon, sur une page : ouvrir le grand livre, suivre le leader, servir les écrans, partir
//! proprement.
//!
//! Un seul fil exécute tout, sauf le grand livre, qui a le sien. L'arrêt lâche le moteur (un signal
//! interrompu est repris au démarrage), laisse finir les requêtes en cours, et ferme la base.

use std::fmt;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;

use async_io::Async;
use async_signal::{Signal, Signals};
use smol::LocalExecutor;
use smol::stream::StreamExt;

use crate::account::{LiveAccount, Preflight};
use crate::api::front::{Front, Limits};
use crate::api::guard::Guard;
use crate::api::{self, State};
use crate::check;
use crate::clock;
use crate::config::{Config, Fault, Mode};
use crate::domain::stop_loss::{self, Limit};
use crate::engine::{Engine, Manner, Means};
use crate::exchange::{Account, Asked, Code, Endpoint, Exchange};
use crate::fetch::{self, OneShot};
use crate::leader::Leader;
use crate::ledger::{self, Ledger, LedgerError};
use crate::machine;
use crate::metrics::{Instruments, Place};
use crate::notify::{News, Supervisor};
use crate::paper::PaperAccount;
use crate::venue::Venue;

/// Pourquoi le démon n'a pas pu démarrer.
#[derive(Debug)]
pub enum StartError {
    /// La configuration demande ce que cette version ne fait pas.
    Configuration(Fault),
    Failed(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            StartError::Configuration(fault) => fault.fmt(f),
            StartError::Failed(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for StartError {}

pub(crate) fn cannot(error: impl fmt::Display) -> StartError {
    StartError::Failed(error.to_string())
}

/// Suit le leader et sert les écrans sur `listener` jusqu'à ce que `stop` se termine.
pub fn run(config: Config, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<(), StartError> {
    let fetch = fetch::Client::new(fetch::TIME_LIMIT).map_err(cannot)?;
    let leader = Leader::new(&config.leader_url, config.secret.expose(), &config.version, fetch.clone());
    let instruments = instruments();
    let exchange = watched(&config, fetch.clone(), &instruments);
    let account = account(&config, &exchange)?;
    let now = clock::now();
    let (ledger, ledger_thread) =
        ledger::open(&config.db_path, config.mode.word(), config.initial_budget, now).map_err(cannot)?;
    keep_stop_loss(&ledger, config.stop_loss).map_err(cannot)?;
    let venue = venue(account, &config, (&exchange, fetch), &ledger, &instruments)?;
    let means = Means { ledger: ledger.clone(), leader, exchange, instruments: instruments.clone() };
    let (engine, commands) = Engine::new(means, manner(&config), venue);
    let state = State {
        ledger,
        commands,
        version: config.version.clone(),
        poll_interval: config.poll_interval,
        policy: config.policy,
        started: clock::instant(),
        instruments,
        place: Place::of(&config.db_path),
    };
    let alive = state.ledger.clone();
    let app = api::app(state, Guard::new(&config.allowed_hosts).behind(config.trusted_proxies.clone()));
    let listener = Async::new(listener).map_err(cannot)?;
    log::info!(
        "started version={} mode={} poll_interval={}s",
        config.version,
        config.mode.word(),
        config.poll_interval.as_secs_f64()
    );
    let executor = Rc::new(LocalExecutor::new());
    let front = Front::new(executor.clone(), app, Limits::default());
    let supervisor = Rc::new(Supervisor::from_environment());
    smol::block_on(executor.run(async {
        let following = executor.spawn(engine.run());
        let reassuring = executor.spawn(reassure(supervisor.clone(), alive));
        supervisor.tell(News::Ready);
        let stopping = async {
            stop.await;
            supervisor.tell(News::Stopping);
        };
        front.serve(vec![listener], stopping).await;
        following.cancel().await;
        reassuring.cancel().await;
    }));
    // Les tâches encore en attente tiennent des poignées du grand livre : les lâcher le ferme.
    drop(executor);
    let lost = ledger_thread.join();
    if let Some(reason) = &lost {
        log::error!("ledger_lost reason={reason:?}");
    }
    log::info!("stopped");
    lost.map_or(Ok(()), |reason| Err(cannot(reason)))
}

/// Comment cette configuration veut que l'on suive.
fn manner(config: &Config) -> Manner {
    Manner {
        poll_interval: config.poll_interval,
        market_interval: config.market_interval,
        second_reading: config.second_reading,
        policy: config.policy,
    }
}

/// Retient la perte que dit la configuration, et dit si ce qu'une personne a fixé l'emporte.
fn keep_stop_loss(ledger: &Ledger, configured: Option<Limit>) -> Result<(), LedgerError> {
    let limit = smol::block_on(ledger.with(move |db| db.configure_stop_loss(configured)))?;
    if let Some(reason) = stop_loss::overruled(configured, limit) {
        log::info!("stop_loss_kept reason={reason:?}");
    }
    Ok(())
}

/// Les instruments, qui connaissent toutes les demandes que l'on fait à la bourse.
fn instruments() -> Arc<Instruments> {
    Arc::new(Instruments::new(&Endpoint::ALL.map(Endpoint::word), &Code::ALL.map(Code::word)))
}

/// La bourse, dont chaque demande est mesurée, à quelque adresse que ce soit.
fn watched(config: &Config, fetch: fetch::Client, instruments: &Arc<Instruments>) -> Exchange {
    let instruments = instruments.clone();
    let watcher = move |asked: Asked| {
        instruments.asked(asked.endpoint.word(), asked.code.word(), asked.took, asked.used_weight);
    };
    Exchange::binance(&config.exchange_url, fetch).watched_by(Rc::new(watcher))
}

/// Vivre, c'est que ce fil tourne et que le grand livre lui réponde. Le leader ou la bourse peuvent se taire : relancer
/// le programme n'y changerait rien.
async fn reassure(supervisor: Rc<Supervisor>, ledger: Ledger) {
    supervisor.reassure(async || ledger.with(|db| db.pulse()).await.is_ok()).await;
}

/// Où les ordres s'exécuteront : sur ce compte, ou en simulation s'il n'y en a pas.
fn venue(
    account: Option<Account>,
    config: &Config,
    (exchange, fetch): (&Exchange, fetch::Client),
    ledger: &Ledger,
    instruments: &Arc<Instruments>,
) -> Result<Venue, StartError> {
    let Some(account) = account else {
        return Ok(Venue::Paper(PaperAccount::new(ledger.clone(), instruments.clone())));
    };
    let preflight = preflight(config.clone(), exchange, fetch);
    let sender = OneShot::new(fetch::SEND_LIMIT).map_err(cannot)?;
    let live = LiveAccount::new(account, sender, preflight, ledger.clone(), instruments.clone())
        .on_machine(machine::fingerprint(&config.machine_id));
    Ok(Venue::Live(Box::new(live)))
}

/// Le compte réel, `None` en simulation. Une clé qui manque ou n'en est pas une est une faute de configuration ; tout ce
/// que seul le dehors peut dire d'elle attendra les essais du moteur.
fn account(config: &Config, exchange: &Exchange) -> Result<Option<Account>, StartError> {
    if config.mode == Mode::DryRun {
        return Ok(None);
    }
    let missing = || Fault {
        variable: "BINANCE_API_KEY".to_owned(),
        wrong: "not set, and live trading needs a key".to_owned(),
        remedy: "set BINANCE_API_KEY and BINANCE_API_SECRET, or TRADING_MODE=dry_run".to_owned(),
    };
    let account = check::open(&config.account, exchange).and_then(|account| account.ok_or_else(missing));
    account.map(Some).map_err(StartError::Configuration)
}

/// Les essais de `calvalot check`, que le moteur refait de lui-même.
fn preflight(config: Config, exchange: &Exchange, fetch: fetch::Client) -> Preflight {
    let leader = Leader::new(&config.leader_url, config.secret.expose(), &config.version, fetch);
    let means = Rc::new((config, leader, exchange.clone()));
    Box::new(move || {
        let means = means.clone();
        Box::pin(async move {
            let (config, leader, exchange) = &*means;
            check::examine(config, leader, exchange).await
        })
    })
}

/// Se termine au premier SIGTERM ou Ctrl-C. Les signaux sont captés dès l'appel.
pub fn termination() -> Result<impl Future<Output = ()>, StartError> {
    let mut signals = Signals::new([Signal::Term, Signal::Int]).map_err(cannot)?;
    Ok(async move {
        if let Some(Ok(signal)) = signals.next().await {
            let signal = if signal == Signal::Term { "SIGTERM" } else { "SIGINT" };
            log::info!("stopping signal={signal}");
        }
    })
}

/// Écoute `port` sur toutes les adresses : IPv6 et IPv4 ensemble si le système le veut, IPv4 sinon.
pub fn listen(port: u16) -> Result<TcpListener, StartError> {
    let everywhere = TcpListener::bind(("::", port)).or_else(|_| TcpListener::bind(("0.0.0.0", port)));
    everywhere.map_err(|error| {
        StartError::Failed(format!(
            "cannot listen on port {port}: {error}; stop what uses it, or set another PORT"
        ))
    })
}
