//! La ligne de commande : un mot, ses options, l'aide. Elle ne fait que choisir ce qui tourne.

mod asking;
mod restoring;

use std::fmt::Write;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::backup;
use crate::check;
use crate::config::{Config, Faults, VARIABLES, VERSION};
use crate::daemon::{self, StartError};
use crate::decide::{self, Field};
use crate::demo;
use crate::domain::wish::SELL_ALL_TELLS;
use crate::exchange::{Account, Exchange};
use crate::fetch;
use crate::healthcheck;
use crate::keygen;
use crate::ledger;
use crate::logging;
use crate::output::{print, say};
use crate::sell_all;
use crate::verify::{self, Comparison};

/// Ce que l'on a demandé.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Run,
    Check,
    /// Où écrire la clé privée ; [`keygen::DEFAULT_PATH`] si rien n'est dit.
    Keygen(Option<PathBuf>),
    Demo(demo::Options),
    Verify(Books),
    /// Où copier le grand livre ; `backups` à côté de lui si rien n'est dit.
    Backup(Option<PathBuf>),
    Restore(Return),
    Healthcheck,
    /// Vrai : sans demander.
    SellAll(bool),
    Decide(Wanted),
    Help,
    Version,
}

/// Les livres à vérifier.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Books {
    /// `None` : ceux de la configuration.
    pub path: Option<PathBuf>,
    /// Sans demander à la bourse.
    pub offline: bool,
}

/// Ce qui est à remettre.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Return {
    /// La copie ; `None` : ce que le compte réel sait seul.
    pub from: Option<PathBuf>,
    /// Le passé à reprendre du compte, s'il y en a plusieurs.
    pub tag: Option<String>,
    /// Sans demander.
    pub yes: bool,
}

/// Ce qu'une personne décide ; sans nom, elle demande ce qu'il y a à décider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    pub way: Option<String>,
    pub fields: Vec<Field>,
    /// Sans demander.
    pub yes: bool,
}

/// Pourquoi le programme s'arrête mal, et avec quel code.
#[derive(Debug)]
pub enum Failure {
    /// La ligne de commande ou la configuration est à corriger : code 2.
    Usage(String),
    /// Ce qui était demandé ne s'est pas fait, ou l'installation ou les livres ont un défaut : code 1.
    Failed(String),
    /// Les livres concordent entre eux, mais la bourse n'a pas pu être interrogée : code 3.
    Unproved(String),
}

impl Failure {
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Failed(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Unproved(_) => 3,
        }
    }

    pub fn message(&self) -> &str {
        match self {
            Failure::Failed(message) | Failure::Usage(message) | Failure::Unproved(message) => message,
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Configuration(fault) => Failure::Usage(fault.to_string()),
            StartError::Failed(reason) => Failure::Failed(format!("calvalot: {reason}")),
        }
    }
}

/// Lit les arguments ; l'erreur dit lequel ne va pas.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut command = None;
    while let Some(argument) = parser.next()? {
        match (argument, &mut command) {
            (Short('h') | Long("help"), _) => return Ok(Command::Help),
            (Short('V') | Long("version"), _) => return Ok(Command::Version),
            (Value(word), None) => {
                command = Some(match word.to_str() {
                    Some("run") => Command::Run,
                    Some("check") => Command::Check,
                    Some("keygen") => Command::Keygen(None),
                    Some("demo") => Command::Demo(demo::Options::default()),
                    Some("verify") => Command::Verify(Books::default()),
                    Some("backup") => Command::Backup(None),
                    Some("restore") => Command::Restore(Return::default()),
                    Some("healthcheck") => Command::Healthcheck,
                    Some("sell-all") => Command::SellAll(false),
                    Some("decide") => Command::Decide(Wanted::default()),
                    Some("help") => return Ok(Command::Help),
                    _ => return Err(format!("there is no command {word:?}").into()),
                });
            }
            (Value(path), Some(Command::Keygen(place @ None))) => *place = Some(PathBuf::from(path)),
            (Value(path), Some(Command::Backup(place @ None))) => *place = Some(PathBuf::from(path)),
            (Value(path), Some(Command::Restore(Return { from: from @ None, .. }))) => {
                *from = Some(PathBuf::from(path));
            }
            (Long("tag"), Some(Command::Restore(back))) => back.tag = Some(parser.value()?.string()?),
            (Long("yes"), Some(Command::Restore(back))) => back.yes = true,
            (Long("seed"), Some(Command::Demo(options))) => options.seed = parser.value()?.parse()?,
            (Long("live"), Some(Command::Demo(options))) => options.live = true,
            (Long("speed"), Some(Command::Demo(options))) => {
                options.speed = parser.value()?.parse()?;
                if !(1..=1200).contains(&options.speed) {
                    return Err("--speed must be from 1 to 1200".into());
                }
            }
            (Long("port"), Some(Command::Demo(options))) => options.port = Some(parser.value()?.parse()?),
            (Long("db"), Some(Command::Demo(options))) => {
                options.db_path = Some(PathBuf::from(parser.value()?));
            }
            (Long("db"), Some(Command::Verify(books))) => {
                books.path = Some(PathBuf::from(parser.value()?));
            }
            (Value(word), Some(Command::Decide(wanted))) => {
                let word = word.string()?;
                match (&mut wanted.way, word.split_once('=')) {
                    (way @ None, None) => *way = Some(word),
                    (Some(_), Some((field, text))) => wanted.fields.push((field.to_owned(), text.to_owned())),
                    _ => return Err(Value(word.into()).unexpected()),
                }
            }
            (Long("yes"), Some(Command::Decide(wanted))) => wanted.yes = true,
            (Long("yes"), Some(Command::SellAll(sure))) => *sure = true,
            (Long("offline"), Some(Command::Verify(books))) => books.offline = true,
            (other, _) => return Err(other.unexpected()),
        }
    }
    Ok(command.unwrap_or(Command::Run))
}

/// Exécute ce que les arguments demandent, jusqu'à sa fin.
pub fn main(parser: lexopt::Parser) -> Result<(), Failure> {
    let usage = |error: lexopt::Error| Failure::Usage(format!("calvalot: {error}; see calvalot --help"));
    match parse(parser).map_err(usage)? {
        Command::Help => print(help()),
        Command::Version => say(format_args!("calvalot {VERSION}")),
        Command::Demo(options) => {
            logging::start().map_err(daemon::cannot)?;
            demo::run(&options, daemon::termination()?)?;
        }
        Command::Check => check()?,
        Command::Keygen(path) => {
            let path = path.unwrap_or_else(|| PathBuf::from(keygen::DEFAULT_PATH));
            let told = keygen::run(&path).map_err(|reason| Failure::Failed(format!("calvalot: {reason}")))?;
            print(told);
        }
        Command::Verify(books) => verify(books)?,
        Command::Backup(to) => {
            let path = database()?;
            let place = backup::backup(&path, to.as_deref());
            ledger::hand_over(&path);
            say(place.map_err(daemon::cannot)?.display());
        }
        Command::Restore(back) => {
            let restored = restoring::run(back);
            ledger::hand_over(&database()?);
            restored?;
        }
        Command::Healthcheck => healthcheck()?,
        Command::SellAll(sure) => sell_all(sure)?,
        Command::Decide(wanted) => decide(wanted)?,
        Command::Run => run()?,
    }
    Ok(())
}

/// Toute faute vaut 1, celles des réglages aussi : Docker ne connaît pas d'autre code.
fn healthcheck() -> Result<(), Failure> {
    let port = Config::local_port().map_err(|faults| {
        let faults = faults.to_string().replace('\n', "; ");
        Failure::Failed(format!("unhealthy: {faults}"))
    })?;
    let told = healthcheck::ask(port).map_err(|reason| Failure::Failed(format!("unhealthy: {reason}")))?;
    say(format_args!("healthy: {told}"));
    Ok(())
}

/// Sur un terminal, demande d'abord ; ailleurs, `--yes` tient lieu de réponse.
fn sell_all(sure: bool) -> Result<(), Failure> {
    let port = local_port()?;
    asking::agreed(SELL_ALL_TELLS, "sell all and stop", sure)?;
    let told = sell_all::ask(port)
        .map_err(|reason| Failure::Failed(format!("calvalot: nothing was asked: {reason}")))?;
    say(format_args!("asked: {told}"));
    Ok(())
}

/// Ce qui peut être décidé, ou cette décision, demandée d'abord.
fn decide(Wanted { way, fields, yes }: Wanted) -> Result<(), Failure> {
    let failed = |reason: String| Failure::Failed(format!("calvalot: {reason}"));
    let port = local_port()?;
    let ways = decide::ways(port).map_err(failed)?;
    let Some(name) = way else {
        if ways.is_empty() {
            say("there is nothing to decide now");
        }
        for way in &ways {
            say(way);
        }
        return Ok(());
    };
    let way = decide::named(&ways, &name).map_err(failed)?;
    way.accepts(&fields).map_err(|reason| Failure::Usage(format!("calvalot: {reason}")))?;
    asking::agreed(
        &format!("now: {}\nthen: {}", way.about, way.consequence.trim_end_matches('.')),
        &format!("do this ({name})"),
        yes,
    )?;
    let told = decide::decide(port, way, &fields).map_err(failed)?;
    say(format_args!("{name}: {told}"));
    Ok(())
}

fn local_port() -> Result<u16, Failure> {
    Config::local_port().map_err(|faults| Failure::Usage(faults.to_string()))
}

/// La même configuration que `run`, l'installation essayée, la table sur la sortie.
fn check() -> Result<(), Failure> {
    let config = load()?;
    let report = check::run(&config).map_err(daemon::cannot)?;
    let report = if report.begins() { restoring::remember(&config, report) } else { report };
    print(&report);
    match (report.faults(), report.unproved()) {
        (0, 0) => Ok(()),
        (0, _) => Err(Failure::Failed("calvalot: not all could be tested, try again".to_owned())),
        (1, _) => Err(Failure::Failed("calvalot: 1 fault".to_owned())),
        (faults, _) => Err(Failure::Failed(format!("calvalot: {faults} faults"))),
    }
}

fn load() -> Result<Config, Failure> {
    Config::load().map_err(|faults: Faults| Failure::Usage(faults.to_string()))
}

fn database() -> Result<PathBuf, Failure> {
    Config::database().map_err(|faults| Failure::Usage(faults.to_string()))
}

/// Les livres face à eux-mêmes puis, s'ils sont réels, face à la bourse.
fn verify(Books { path, offline }: Books) -> Result<(), Failure> {
    let path = path.map_or_else(database, Ok)?;
    let failed = |error| Failure::Failed(format!("calvalot: {}: {error}", path.display()));
    let needed = |failure: Failure| match failure {
        Failure::Usage(faults) => Failure::Usage(format!(
            "{faults}\na live ledger is compared with the exchange, which takes the configuration of `calvalot run`; --offline \
             leaves that out"
        )),
        other => other,
    };
    let report = verify::verify(&path).map_err(failed)?;
    print(&report.text);
    let compared = match report.live && !offline {
        true => load()
            .and_then(|config| account(&config))
            .map_err(needed)
            .and_then(|account| verify::against(&path, &account).map_err(failed)),
        false => Ok(Comparison::default()),
    };
    if let Ok(comparison) = &compared {
        print(&comparison.text);
    }
    if report.differences > 0 {
        return Err(Failure::Failed("calvalot: the ledger does not agree with itself".to_owned()));
    }
    match compared? {
        Comparison { differences: 1.., .. } => {
            Err(Failure::Failed("calvalot: the ledger does not agree with the exchange".to_owned()))
        }
        Comparison { complete: false, .. } => Err(Failure::Unproved(
            "calvalot: the ledger agrees with itself, the exchange could not be asked".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Le compte réel de cette configuration.
fn account(config: &Config) -> Result<Account, Failure> {
    let fetch = fetch::Client::new(fetch::TIME_LIMIT).map_err(daemon::cannot)?;
    let account = check::open(&config.account, &Exchange::binance(&config.exchange_url, fetch));
    let account = account.map_err(|fault| Failure::Usage(fault.to_string()))?;
    account.ok_or_else(|| {
        Failure::Usage("BINANCE_API_KEY: not set, and the account is asked with it".to_owned())
    })
}

fn run() -> Result<(), Failure> {
    let config = load()?;
    logging::start().map_err(daemon::cannot)?;
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
    let stop = daemon::termination()?;
    let listener = daemon::listen(config.port)?;
    Ok(daemon::run(config, listener, stop)?)
}

/// Le texte de `--help` ; les variables viennent de la table de `config`.
pub fn help() -> String {
    let mut text = String::from(
        "calvalot follows one leader on your own Binance account.\n\
         \n\
         Usage:\n\
         \x20 calvalot [run]            follow the leader (configured by the environment, below)\n\
         \x20 calvalot check            test the leader, the clock, the exchange, the key, the disk; change nothing\n\
         \x20 calvalot keygen [PATH]    make a key for Binance; the private half stays here (data/binance-key.pem)\n\
         \x20 calvalot verify           prove the ledger: replay it, compare it (live: with the exchange too)\n\
         \x20     --db PATH             the ledger to prove (default: DB_PATH)\n\
         \x20     --offline             live: do not ask the exchange\n\
         \x20 calvalot backup [PATH]    copy the ledger, also while it runs, to that file or folder (default: backups\n\
         \x20                           beside it, the last 7 are kept)\n\
         \x20 calvalot restore [FILE]   put such a copy back; the ledger of before is kept. Live: what the account knows\n\
         \x20                           and the ledger does not is given back to it, order by order; without FILE, the\n\
         \x20                           ledger that is there, or a lost one that the account remembers\n\
         \x20     --tag TAG             which lost ledger, where the account remembers several\n\
         \x20     --yes                 where a lost ledger is made again: do not ask first\n\
         \x20 calvalot healthcheck      ask the daemon of this machine for /health on PORT; 0 if it is well, 1 if not\n\
         \x20 calvalot sell-all [--yes] have the daemon of this machine sell every position to USDC, then pause; asks first\n\
         \x20 calvalot decide           what waits for you on the daemon of this machine, and every way out of it: orders, other\n\
         \x20                           copies, differences, withdrawals, the pause\n\
         \x20 calvalot decide WAY [FIELD=VALUE…] [--yes]\n\
         \x20                           have it do that one; asks first\n\
         \x20 calvalot demo [options]   follow a simulated leader: no account, no key, no network\n\
         \x20     --seed N              the simulated world to play (default 3)\n\
         \x20     --live                real orders to the simulated exchange, with lost answers\n\
         \x20     --speed N             times faster than life, 1 to 1200 (default 60)\n\
         \x20     --port N              port of the page (default 8080, or a free one)\n\
         \x20     --db PATH             keep the ledger there (default: a temporary folder)\n\
         \x20 calvalot --help, --version\n\
         \n\
         Environment:\n",
    );
    for variable in VARIABLES {
        let default =
            if variable.default.is_empty() { String::new() } else { format!(" [{}]", variable.default) };
        writeln!(text, "  {:<24} {}{default}", variable.name, variable.meaning)
            .expect("a String takes every write");
    }
    text
}
