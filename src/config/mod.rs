//! La configuration : de l'environnement à une valeur typée, tous les défauts d'un coup.
//!
//! Ordre des sources : la variable d'environnement si elle n'est pas vide, sinon le fichier JSON de
//! l'assistant de l'ancien programme, sinon la valeur par défaut de [`VARIABLES`]. Refuse plutôt que
//! de deviner : un nombre douteux décide de l'argent. Invariant : aucun secret n'est jamais écrit, ni
//! dans un message, ni par `Debug`.

mod account;
mod faults;
mod parse;
mod sources;
mod variables;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::belief::SECOND_READING;
use crate::domain::money::Eur;
use crate::domain::policy::Policy;
use crate::domain::stop_loss::Limit;
use crate::network::Network;

pub use account::{AccountAccess, ExchangeKey, KeySecret};
pub use faults::{Fault, Faults};
pub use variables::{VARIABLES, Variable};

/// Le marché est relu au moins à ce rythme : ses lectures restent fraîches (3 minutes) même quand le
/// leader est interrogé moins souvent.
pub const MARKET_INTERVAL: Duration = Duration::from_secs(120);

/// Où systemd nomme la machine ; Compose le monte en lecture seule.
pub const MACHINE_ID: &str = "/etc/machine-id";

/// La version de ce programme, et le commit dont il vient si on l'a su en le construisant.
pub const VERSION: &str = env!("CALVALOT_VERSION");

/// Ce que le programme a besoin de savoir pour tourner.
#[derive(Clone, Debug)]
pub struct Config {
    /// Sans `/` final.
    pub leader_url: String,
    pub secret: Secret,
    /// Les cours, qui ne demandent pas de clé ; sans `/` final.
    pub exchange_url: String,
    pub account: AccountAccess,
    pub mode: Mode,
    pub initial_budget: Eur,
    pub poll_interval: Duration,
    /// Ne se règle pas : [`MARKET_INTERVAL`], sauf dans les essais.
    pub market_interval: Duration,
    /// Ne se règle pas : [`SECOND_READING`], sauf dans les essais.
    pub second_reading: Duration,
    pub policy: Policy,
    /// La perte, sous le plus haut, à laquelle tout se vend, à moins qu'une personne n'en ait choisi une autre sur la page.
    pub stop_loss: Option<Limit>,
    pub db_path: PathBuf,
    /// Le fichier qui nomme la machine. Ne se règle pas : [`MACHINE_ID`], sauf dans les essais.
    pub machine_id: PathBuf,
    pub port: u16,
    /// Noms de machine acceptés dans `Host`, en minuscules.
    pub allowed_hosts: Vec<String>,
    /// Les mandataires dont on croit ce qu'ils disent de leurs clients.
    pub trusted_proxies: Vec<Network>,
    pub version: String,
    /// À dire une fois au démarrage.
    pub warnings: Vec<String>,
}

/// Avec quel argent on achète et vend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Exécutions simulées aux prix réels.
    DryRun,
    /// Ordres réels.
    Live,
}

/// Un texte qui ne s'écrit pas.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: String) -> Secret {
        Secret(text)
    }

    /// Le texte, pour qui doit signer.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("***")
    }
}

impl Mode {
    /// Le mot de `TRADING_MODE` et de l'API.
    pub fn word(self) -> &'static str {
        match self {
            Mode::DryRun => "dry_run",
            Mode::Live => "live",
        }
    }
}

impl Config {
    /// Lit l'environnement du processus et le fichier de configuration.
    pub fn load() -> Result<Config, Faults> {
        let file = sources::file(sources::environment)?;
        let mut config = Config::read(|name| sources::environment(name).or_else(|| file.get(name).cloned()))?;
        config.warnings.extend(sources::misspelled(std::env::vars_os()));
        config.warnings.extend(sources::marked(std::env::vars_os()));
        Ok(config)
    }

    /// La base de données réglée, sans demander le reste.
    pub fn database() -> Result<PathBuf, Faults> {
        let file = sources::file(sources::environment)?;
        let get = |name: &str| sources::environment(name).or_else(|| file.get(name).cloned());
        let mut values = parse::Values::new(&get);
        values.read("DB_PATH", parse::path).ok_or(Faults::Invalid(values.faults))
    }

    /// Le port réglé, sans demander le reste.
    pub fn local_port() -> Result<u16, Faults> {
        let file = sources::file(sources::environment)?;
        let get = |name: &str| sources::environment(name).or_else(|| file.get(name).cloned());
        let mut values = parse::Values::new(&get);
        values.read("PORT", parse::port).ok_or(Faults::Invalid(values.faults))
    }

    /// Le cœur pur : `get` rend la valeur d'une variable, si elle en a une.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Config, Faults> {
        let mut values = parse::Values::new(&get);
        if values.is_missing("LEADER_URL") && values.is_missing("SIGNAL_SECRET") {
            return Err(Faults::NotConfigured);
        }
        let config = (
            values.read("LEADER_URL", parse::base_url),
            values.read("SIGNAL_SECRET", parse::secret),
            AccountAccess::read(&mut values),
            values.read("TRADING_MODE", parse::mode),
            values.read("INITIAL_BUDGET_EUR", parse::budget),
            values.read("POLL_INTERVAL_SECONDS", parse::poll_interval),
            policy(&mut values),
            values.read_or("STOP_LOSS_PCT", parse::stop_loss, None),
            values.read("DB_PATH", parse::path),
            values.read("PORT", parse::port),
            values.read_or("ALLOWED_HOSTS", parse::hosts, Vec::new()),
            values.read_or("TRUSTED_PROXY", parse::proxies, Vec::new()),
        );
        values.read_or("TZ", parse::zone, ());
        values.refuse_quotes();
        let (version, warnings) = (values.version(), values.warnings());
        match config {
            (
                Some(leader_url),
                Some(secret),
                Some((exchange_url, account)),
                Some(mode),
                Some(initial_budget),
                Some(poll_interval),
                Some(policy),
                Some(stop_loss),
                Some(db_path),
                Some(port),
                Some(allowed_hosts),
                Some(trusted_proxies),
            ) if values.faults.is_empty() => Ok(Config {
                leader_url,
                secret,
                exchange_url,
                account,
                mode,
                initial_budget,
                poll_interval,
                market_interval: MARKET_INTERVAL,
                second_reading: SECOND_READING,
                policy,
                stop_loss,
                db_path,
                machine_id: PathBuf::from(MACHINE_ID),
                port,
                allowed_hosts,
                trusted_proxies,
                version,
                warnings,
            }),
            _ => Err(Faults::Invalid(values.faults)),
        }
    }
}

/// Comment l'on suit, tel qu'un propriétaire le règle.
fn policy(values: &mut parse::Values) -> Option<Policy> {
    let (threshold, reaim_threshold, max_slippage, turnover, action_age, follow_old_target) = (
        values.read("REBALANCE_THRESHOLD_PCT", parse::threshold),
        values.read("REAIM_THRESHOLD_PCT", parse::reaim_threshold),
        values.read("MAX_SLIPPAGE_PCT", parse::slippage),
        values.read("MAX_TURNOVER_PCT_PER_DAY", parse::turnover),
        values.read("MAX_ACTION_AGE_MINUTES", parse::action_age),
        values.read("FOLLOW_OLD_TARGET", parse::boolean),
    );
    Some(Policy {
        threshold: threshold?,
        reaim_threshold: reaim_threshold?,
        max_slippage: max_slippage?,
        turnover: turnover?,
        action_age: action_age?,
        follow_old_target: follow_old_target?,
    })
}
