//! `calvalot demo` : le même démon, dans un monde simulé. Ni compte, ni clé, ni réseau.
//!
//! Le monde avance d'un pas à chaque tour : la même graine donne la même suite de prix, de signaux et
//! de trades, quelle que soit la vitesse de la machine. La vitesse ne raccourcit que l'attente.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rust_decimal::dec;

use crate::config::{AccountAccess, Config, MACHINE_ID, MARKET_INTERVAL, Mode, Secret, VERSION};
use crate::daemon::{self, StartError};
use crate::domain::belief::SECOND_READING;
use crate::domain::money::{Eur, Weight};
use crate::domain::policy::Policy;
use crate::ledger::{self, Found, LedgerError};
use crate::output::say;
use crate::sim::{Fault, On, Reply, Script, Wire, World};

/// L'intervalle simulé entre deux tours, celui du démon réel.
const POLL_INTERVAL: Duration = Duration::from_secs(120);

/// Le port essayé d'abord ; s'il est pris, le système en donne un autre.
const PORT: u16 = 8080;

/// Ce que la ligne de commande demande à la démonstration.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub seed: u64,
    /// Combien de fois plus vite que le vrai.
    pub speed: u32,
    /// `None` : 8080, ou un autre s'il est pris.
    pub port: Option<u16>,
    /// De vrais ordres à la bourse simulée, dont certaines réponses se perdent.
    pub live: bool,
    /// `None` : un dossier temporaire, effacé en partant.
    pub db_path: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options { seed: 3, speed: 60, port: None, live: false, db_path: None }
    }
}

/// Simule le monde et le suit jusqu'à l'arrêt.
pub fn run(options: &Options, stop: impl Future<Output = ()>) -> Result<(), StartError> {
    if let Some(path) = &options.db_path {
        refuse_another_account(path, options.live)?;
    }
    let balances = vec![("USDC".to_owned(), dec!(2000)), ("BNB".to_owned(), dec!(0.05))];
    let script = Script { seed: options.seed, balances, ..Script::default() };
    let world = World::start(script).map_err(daemon::cannot)?;
    if options.live {
        lose_answers(&world);
    }
    let listener = listen(options.port).map_err(in_options)?;
    let port = listener.local_addr().map_err(daemon::cannot)?.port();
    let scratch = std::env::temp_dir().join(format!("calvalot-demo-{}", std::process::id()));
    let db_path = options.db_path.clone().unwrap_or_else(|| scratch.join("calvalot.db"));
    let greeting = format!(
        "Calv-a-lot demo: a simulated leader and exchange, seed {}, {} times faster than life{}.\n\
         Open http://localhost:{port}/ (Ctrl-C ends it; ledger: {})",
        options.seed,
        options.speed,
        if options.live { "; real orders to the simulated exchange, some answers get lost" } else { "" },
        db_path.display()
    );
    // L'arrêt n'est attendu qu'une fois tout ouvert.
    let stop = async {
        say(greeting);
        stop.await;
    };
    let config = Config {
        mode: if options.live { Mode::Live } else { Mode::DryRun },
        poll_interval: POLL_INTERVAL / options.speed,
        port,
        ..follower(&world, db_path)
    };
    let outcome = daemon::run(config, listener, stop).map_err(in_options);
    if options.db_path.is_none() && scratch.exists() {
        fs::remove_dir_all(&scratch).map_err(daemon::cannot)?;
    }
    outcome
}

/// Le compte de `--live` commence à chaque départ : un livre qui est là est celui d'un autre.
fn refuse_another_account(db_path: &Path, live: bool) -> Result<(), StartError> {
    let kept = || -> Result<_, LedgerError> {
        let found = ledger::examine(db_path)?;
        let agent = ledger::look(db_path)?.map(|db| db.agent()).transpose()?;
        Ok((found != Found::Nothing, agent.is_some_and(|agent| agent.mode == Mode::Live.word())))
    };
    let why = match (live, kept().map_err(daemon::cannot).map_err(in_options)?) {
        (true, (true, _)) => "there already, and --live begins with a new account each time",
        (false, (_, true)) => "a ledger of real orders",
        _ => return Ok(()),
    };
    Err(StartError::Failed(format!("{} is {why}: set another --db", db_path.display())))
}

/// La démonstration n'a pas d'environnement : ses options en tiennent lieu.
fn in_options(error: StartError) -> StartError {
    match error {
        StartError::Failed(reason) => {
            StartError::Failed(reason.replace("DB_PATH", "--db").replace("PORT", "--port"))
        }
        fault @ StartError::Configuration(_) => fault,
    }
}

/// Une réponse sur quelques-unes se perd, l'ordre exécuté ou non : la page montre comment cela finit.
fn lose_answers(world: &World) {
    let orders = || On::exchange("/api/v3/order").method("POST");
    world.fault(orders().nth(2), Fault::processed(Wire::Reset));
    world.fault(orders().nth(5), Fault::unprocessed(Wire::Close));
    world.fault(orders().chance(0.1), Fault::processed(Wire::Truncate));
    world.fault(orders().chance(0.1), Fault::unprocessed(Wire::Canned(Reply::code(504, -1007, "Timeout"))));
}

fn listen(port: Option<u16>) -> Result<TcpListener, StartError> {
    match port {
        Some(port) => daemon::listen(port),
        None => daemon::listen(PORT).or_else(|_| daemon::listen(0)),
    }
}

/// La configuration d'un suiveur simulé de `world`, qui a la clé de son compte et 1000 EUR.
pub fn follower(world: &World, db_path: PathBuf) -> Config {
    let script = Script::default();
    Config {
        leader_url: world.leader_url(),
        secret: Secret::new(script.secret),
        exchange_url: world.exchange_url(),
        account: AccountAccess {
            api_key: Some(Secret::new(script.api_key)),
            api_secret: Some(Secret::new(script.api_secret)),
            ..AccountAccess::at(world.exchange_url())
        },
        mode: Mode::DryRun,
        initial_budget: Eur::new(dec!(1000)),
        poll_interval: POLL_INTERVAL,
        market_interval: MARKET_INTERVAL,
        second_reading: SECOND_READING,
        // Le leader simulé change d'avis bien plus souvent qu'un vrai.
        policy: Policy { turnover: Weight::new(dec!(1000)), ..Policy::default() },
        stop_loss: None,
        db_path,
        machine_id: PathBuf::from(MACHINE_ID),
        port: 0,
        allowed_hosts: Vec::new(),
        trusted_proxies: Vec::new(),
        version: VERSION.to_owned(),
        warnings: Vec::new(),
    }
}
