//! Chaque valeur, lue une fois et strictement ; un défaut dit ce qui ne va pas et quoi écrire.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use rust_decimal::{Decimal, dec};

use super::variables::{VARIABLES, Variable, default};
use super::{Fault, Mode, Secret, VERSION};
use crate::clock;
use crate::domain::money::{Eur, Weight};
use crate::domain::stop_loss::Limit;
use crate::network::Network;

/// Leur valeur n'entre dans aucun message.
const SECRETS: [&str; 5] =
    ["SIGNAL_SECRET", "BINANCE_API_KEY", "BINANCE_API_SECRET", "SMTP_PASSWORD", "API_PASSWORD_HASH"];

/// Au-delà, un seuil est permis mais ressemble à un pourcentage écrit sans y penser.
const UNUSUAL_THRESHOLD: Decimal = dec!(0.1);

/// Le plus grand seuil.
const MOST_THRESHOLD: Weight = Weight::new(dec!(0.5));

/// Ce qui ne va pas, et quoi faire.
type Wrong = (String, String);

/// Les valeurs, et les défauts trouvés en les lisant.
pub struct Values<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    pub faults: Vec<Fault>,
}

impl<'a> Values<'a> {
    pub fn new(get: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Values { get, faults: Vec::new() }
    }

    pub fn is_missing(&self, name: &str) -> bool {
        self.value(name).is_none()
    }

    /// La valeur donnée ou par défaut, lue par `parse` ; un défaut est retenu.
    pub fn read<T>(&mut self, name: &str, parse: fn(&str) -> Result<T, Wrong>) -> Option<T> {
        match self.value(name).or_else(|| default(name).map(str::to_owned)) {
            Some(text) => self.parsed(name, &text, parse),
            None => {
                self.fault(
                    name,
                    ("not set".to_owned(), "set it in .env, the leader gives it to you".to_owned()),
                );
                None
            }
        }
    }

    /// La valeur donnée, ou `absent`.
    pub fn read_or<T>(&mut self, name: &str, parse: fn(&str) -> Result<T, Wrong>, absent: T) -> Option<T> {
        match self.value(name) {
            Some(text) => self.parsed(name, &text, parse),
            None => Some(absent),
        }
    }

    /// Les guillemets d'un `.env` mal écrit, même autour d'une valeur sans effet aujourd'hui.
    pub fn refuse_quotes(&mut self) {
        for Variable { name, .. } in VARIABLES {
            let Some(text) = self.value(name).filter(|text| is_quoted(text)) else { continue };
            let shown = if SECRETS.contains(name) { "its value".to_owned() } else { without_user(&text) };
            self.fault(name, (format!("{shown} is written in quotes"), "remove them".to_owned()));
        }
    }

    /// La nôtre, et le commit dont elle vient s'il est donné ici ou l'a été en la construisant.
    pub fn version(&self) -> String {
        match self.value("GIT_COMMIT").filter(|commit| is_commit(commit)) {
            Some(commit) => format!("{}+{commit}", env!("CARGO_PKG_VERSION")),
            None => VERSION.to_owned(),
        }
    }

    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.spaced();
        if !self.is_missing("API_PASSWORD_HASH") {
            warnings.push(
                "API_USER and API_PASSWORD_HASH have no effect (nor had they in the Python version since February \
                 2026): whoever reaches the dashboard can use it, keep its port inside your network"
                    .to_owned(),
            );
        }
        if !self.is_missing("ALERT_EMAIL_TO") {
            warnings.push("ALERT_EMAIL_TO has no effect: this version sends no e-mail".to_owned());
        }
        if let Some(url) = self.value("LEADER_URL").filter(|url| is_forgeable(url)) {
            warnings.push(format!(
                "LEADER_URL={url} is not https: anyone on the way can forge the leader's signals"
            ));
        }
        if let Some(url) = self.value("BINANCE_URL").filter(|url| is_forgeable(url)) {
            warnings.push(format!(
                "BINANCE_URL={url} is not https: anyone on the way can forge prices and read the key's name"
            ));
        }
        let threshold = self.value("REBALANCE_THRESHOLD_PCT").and_then(|text| Weight::parse(&text).ok());
        if let Some(threshold) = threshold.filter(|threshold| threshold.decimal() > UNUSUAL_THRESHOLD) {
            let (percent, meant) = (threshold.percent(), threshold.times(dec!(0.01)));
            warnings.push(format!(
                "REBALANCE_THRESHOLD_PCT={threshold} leaves drifts up to {percent} % alone (for {threshold} % write {meant})"
            ));
        }
        warnings
    }

    /// Les espaces autour d'une valeur, laissées de côté : celui qui les croyait du secret doit le savoir.
    fn spaced(&self) -> Vec<String> {
        let given = VARIABLES.iter().filter_map(|variable| Some((variable.name, (self.get)(variable.name)?)));
        let spaced = given.filter(|(_, text)| text.trim() != text && !text.trim().is_empty());
        spaced.map(|(name, _)| format!("{name}: the spaces around its value are not part of it")).collect()
    }

    fn parsed<T>(&mut self, name: &str, text: &str, parse: fn(&str) -> Result<T, Wrong>) -> Option<T> {
        // Dit par `refuse_quotes`, une fois pour toutes.
        if is_quoted(text) {
            return None;
        }
        parse(text).map_err(|wrong| self.fault(name, wrong)).ok()
    }

    fn value(&self, name: &str) -> Option<String> {
        let text = (self.get)(name)?.trim().to_owned();
        Some(text).filter(|text| !text.is_empty())
    }

    fn fault(&mut self, name: &str, (wrong, remedy): Wrong) {
        self.faults.push(Fault { variable: name.to_owned(), wrong, remedy });
    }
}

fn wrong<T>(wrong: String, remedy: impl Into<String>) -> Result<T, Wrong> {
    Err((wrong, remedy.into()))
}

fn is_quoted(text: &str) -> bool {
    ['"', '\''].into_iter().any(|quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote))
}

/// Ce qui peut entrer dans un en-tête HTTP et une page sans précaution ; `unknown` est le défaut de
/// l'ancienne image.
fn is_commit(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    text != "unknown" && text.len() <= 40 && text.bytes().all(plain)
}

/// En clair vers un nom ou une adresse publics.
fn is_forgeable(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => !address.is_private() && !address.is_loopback(),
        Ok(IpAddr::V6(address)) => !address.is_loopback() && !address.is_unique_local(),
        Err(_) => host.contains('.') && !host.ends_with(".local"),
    }
}

pub fn secret(text: &str) -> Result<Secret, Wrong> {
    Ok(Secret::new(text.to_owned()))
}

pub fn optional_secret(text: &str) -> Result<Option<Secret>, Wrong> {
    secret(text).map(Some)
}

/// Le fuseau du processus, que la bibliothèque de l'heure lit d'elle-même : une faute y vaudrait UTC, sans un mot.
pub fn zone(text: &str) -> Result<(), Wrong> {
    match clock::is_zone(text) {
        true => Ok(()),
        false => wrong(format!("{text:?} is no time zone"), "write one like Europe/Paris, or leave it out"),
    }
}

pub fn path(text: &str) -> Result<PathBuf, Wrong> {
    Ok(PathBuf::from(text))
}

pub fn optional_path(text: &str) -> Result<Option<PathBuf>, Wrong> {
    path(text).map(Some)
}

/// L'adresse, sans le nom ni le mot de passe qu'on y a écrits avant un `@` : un message va au journal.
fn without_user(url: &str) -> String {
    let Some((before, after)) = url.rsplit_once('@') else { return url.to_owned() };
    let scheme = before.find("://").map_or("", |end| &before[..end + 3]);
    format!("{scheme}***@{after}")
}

pub fn base_url(text: &str) -> Result<String, Wrong> {
    let remedy = "write an address like https://leader.example.org";
    let shown = without_user(text);
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return wrong(format!("{shown:?} does not start with https:// or http://"), remedy);
    };
    let strange = |character: char| {
        character.is_whitespace() || character.is_control() || "?#@\"<>\\".contains(character)
    };
    if rest.starts_with(['/', ':']) || rest.is_empty() || rest.contains(strange) || !rest.is_ascii() {
        return wrong(format!("{shown:?} is no plain address"), remedy);
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return wrong(
            format!("{shown:?} has no usable port"),
            "write a port from 1 to 65535 after the colon, or none",
        );
    }
    Ok(text.trim_end_matches('/').to_owned())
}

pub fn optional_url(text: &str) -> Result<Option<String>, Wrong> {
    base_url(text).map(Some)
}

pub fn boolean(text: &str) -> Result<bool, Wrong> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => wrong(format!("{text:?} is neither true nor false"), "write true or false"),
    }
}

pub fn mode(text: &str) -> Result<Mode, Wrong> {
    match text.to_ascii_lowercase().as_str() {
        "dry_run" => Ok(Mode::DryRun),
        "live" => Ok(Mode::Live),
        _ => wrong(
            format!("{text:?} is no trading mode"),
            "set TRADING_MODE=dry_run, or TRADING_MODE=live for real orders",
        ),
    }
}

pub fn budget(text: &str) -> Result<Eur, Wrong> {
    let remedy = "write euros from 10 to 1000000, at most two decimals, like 100 or 99.50";
    match Eur::parse(text) {
        Err(_) => wrong(format!("{text:?} is no amount"), remedy),
        // Un grand livre d'avant a pu commencer avec moins que le moindre capital d'aujourd'hui : lui seul juge du sien.
        Ok(budget) if budget < Eur::new(dec!(5)) || budget > Eur::new(dec!(1_000_000)) => {
            wrong(format!("{text} is out of range"), remedy)
        }
        Ok(budget) if budget != budget.floor(2) => wrong(format!("{text} has too many decimals"), remedy),
        Ok(budget) => Ok(budget),
    }
}

pub fn poll_interval(text: &str) -> Result<Duration, Wrong> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => wrong(
            format!("{text:?} is no whole number of seconds from 1 to 86400"),
            "write a number without unit, like 120",
        ),
    }
}

pub fn threshold(text: &str) -> Result<Weight, Wrong> {
    let remedy = "write a fraction from 0 to 0.5 with a dot: 0.005 is 0.5 %";
    let number = text.strip_suffix('%').map(str::trim_end);
    match (number, Weight::parse(number.unwrap_or(text))) {
        (_, Err(_)) => wrong(format!("{text:?} is no number"), remedy),
        (Some(_), Ok(percent)) => {
            let (meant, wrongly) =
                (percent.times(dec!(0.01)), format!("{text:?} is written as a percentage"));
            let fits = (Weight::ZERO..=MOST_THRESHOLD).contains(&meant);
            wrong(wrongly, if fits { format!("write the fraction {meant}") } else { remedy.to_owned() })
        }
        (None, Ok(share)) if share < Weight::ZERO => wrong(format!("{text} is negative"), remedy),
        (None, Ok(share)) if share > MOST_THRESHOLD => {
            let (meant, wrongly) = (share.times(dec!(0.01)), format!("{text} is more than 0.5"));
            let fits = meant <= MOST_THRESHOLD;
            let meant = format!("write a fraction: for {share} % write {meant}");
            wrong(wrongly, if fits { meant } else { remedy.to_owned() })
        }
        (None, Ok(share)) => Ok(share),
    }
}

/// Un pourcentage, de `least` à `most`, dont `example` en est un ; rend la part.
fn percentage(text: &str, least: Decimal, most: Decimal, example: Decimal) -> Result<Weight, Wrong> {
    let remedy =
        format!("write percent from {least} to {most} with a point and without the sign, like {example}");
    match Weight::parse(text) {
        Err(_) => wrong(format!("{text:?} is no number"), remedy),
        Ok(percent) if percent.decimal() < least || percent.decimal() > most => {
            wrong(format!("{text} is out of range"), remedy)
        }
        Ok(percent) => Ok(percent.times(dec!(0.01))),
    }
}

pub fn reaim_threshold(text: &str) -> Result<Weight, Wrong> {
    percentage(text, dec!(0), dec!(100), dec!(2.5))
}

/// Plus, une vente limitée vaudrait moins que le minimum de la bourse ; moins, aucun carnet n'y suffirait.
pub fn slippage(text: &str) -> Result<Weight, Wrong> {
    percentage(text, dec!(0.1), dec!(2), dec!(0.5))
}

pub fn turnover(text: &str) -> Result<Weight, Wrong> {
    percentage(text, dec!(1), dec!(100_000), dec!(300))
}

pub fn action_age(text: &str) -> Result<Duration, Wrong> {
    match text.parse() {
        Ok(minutes @ 1..=10_080) => Ok(Duration::from_secs(minutes * 60)),
        _ => wrong(
            format!("{text:?} is no whole number of minutes from 1 to 10080"),
            "write a number without unit, like 15",
        ),
    }
}

/// Une perte que l'on se fixe, en pour cent ; 0 : aucune.
pub fn stop_loss(text: &str) -> Result<Option<Limit>, Wrong> {
    Limit::parse(text)
}

pub fn port(text: &str) -> Result<u16, Wrong> {
    match text.parse() {
        Ok(port @ 1..) => Ok(port),
        _ => wrong(format!("{text:?} is no port"), "write a number from 1 to 65535, like 8080"),
    }
}

pub fn proxies(text: &str) -> Result<Vec<Network>, Wrong> {
    let parse = |text: &str| Network::parse(text).ok_or_else(|| text.to_owned());
    let written = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    written.map(parse).collect::<Result<Vec<Network>, String>>().or_else(|strange| {
        wrong(
            format!("{strange:?} is no address"),
            "write addresses or blocks of addresses, separated by commas, like 172.18.0.2 or 172.16.0.0/12",
        )
    })
}

pub fn hosts(text: &str) -> Result<Vec<String>, Wrong> {
    let is_name =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    match names.iter().find(|name| !is_name(name)) {
        Some(name) => wrong(
            format!("{name:?} is no host name"),
            "write names without http:// and without port, separated by commas, like pi.example.org,pi",
        ),
        None => Ok(names.iter().map(|name| name.to_ascii_lowercase()).collect()),
    }
}
