//! `calvalot check` : tout ce qui doit aller pour que le suiveur tourne, essayé pour de vrai, en une table.
//!
//! `machine` regarde la configuration et le disque, `outside` le leader, l'heure et la bourse, `account` la
//! clé et le compte. N'envoie aucun ordre, n'écrit rien, marche pendant que le démon tourne, et obéit au silence
//! que la bourse lui a demandé.
//! Invariant : chaque essai a sa ligne, faite ou non ; un défaut dit toujours quoi faire ; aucun secret n'est
//! jamais écrit.

mod account;
mod machine;
mod outside;

use std::fmt;

use crate::config::{Config, Mode};
use crate::domain::check::{Check, Verdict};
use crate::domain::signal::Target;
use crate::exchange::{Exchange, Silence};
use crate::fetch::{self, FetchError};
use crate::leader::Leader;
use crate::ledger::Silenced;

use machine::{Capital, Seen};
use outside::Outside;

pub use account::open;

/// La table, dans l'ordre des essais.
#[derive(Clone, Debug)]
pub struct Report {
    lines: Vec<Check>,
    mode: Mode,
    /// Vrai si le grand livre n'est pas là, ou n'a encore rien envoyé.
    begins: bool,
}

impl Report {
    /// Le nombre de défauts.
    pub fn faults(&self) -> usize {
        self.lines.iter().filter(|line| line.verdict == Verdict::Fault).count()
    }

    /// Vrai si un grand livre réel commence : le compte peut s'en rappeler un autre.
    pub fn begins(&self) -> bool {
        self.begins && self.mode == Mode::Live
    }

    /// Le même, où le grand livre a ce défaut : ce qui se disait de son capital n'est plus su.
    pub fn with_ledger_fault(mut self, found: String, remedy: &str) -> Report {
        for line in &mut self.lines {
            match line.test {
                "ledger" => *line = Check::fault("ledger", found.clone(), remedy),
                test @ ("minima" | "balance") => *line = Check::not_tested(test, machine::UNKNOWN),
                _ => {}
            }
        }
        self
    }

    /// Le nombre d'essais qui n'ont pas pu se faire, et sans lesquels rien ne s'échange pour de vrai.
    pub fn unproved(&self) -> usize {
        let unproved = |line: &&Check| line.verdict == Verdict::NotTested && line.stops_trading();
        if self.mode == Mode::Live { self.lines.iter().filter(unproved).count() } else { 0 }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for line in &self.lines {
            let verdict = match line.verdict {
                Verdict::Fine => "ok",
                Verdict::Fault => "FAULT",
                Verdict::NotTested => "-",
            };
            writeln!(f, "{:<14} {verdict:<5}  {}", line.test, one_line(&line.found))?;
            if let Some(advice) = &line.advice {
                writeln!(f, "{:<14}        -> {}", "", one_line(advice))?;
            }
        }
        Ok(())
    }
}

/// Un texte venu du dehors ne dessine pas la table.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// Ce que les premiers essais ont appris, pour les suivants.
struct Findings {
    capital: Capital,
    /// Le compte du premier démarrage réel.
    uid: Option<i64>,
    target: Option<Target>,
    outside: Outside,
}

/// Fait tous les essais que cette configuration demande.
///
/// # Errors
/// Quand le client HTTP ne peut pas se construire.
pub fn run(config: &Config) -> Result<Report, FetchError> {
    let fetch = fetch::Client::new(fetch::TIME_LIMIT)?;
    let leader = Leader::new(&config.leader_url, config.secret.expose(), &config.version, fetch.clone());
    let exchange = Exchange::binance(&config.exchange_url, fetch);
    if let Some(Silenced { status, from, until }) = machine::silence(&config.db_path) {
        exchange.keep_silent(Silence { status, from, until });
    }
    let seen = machine::whole_ledger(config);
    let begins =
        seen.line.verdict == Verdict::Fine && seen.books.as_ref().is_none_or(|books| books.untouched);
    let lines = smol::block_on(lines(config, seen, &leader, &exchange));
    Ok(Report { lines, mode: config.mode, begins })
}

/// Les mêmes essais par des accès déjà ouverts, qui tiennent eux-mêmes le silence demandé. N'attend que le réseau,
/// dans les limites de temps de chaque appel : le grand livre n'est que regardé.
pub async fn examine(config: &Config, leader: &Leader, exchange: &Exchange) -> Vec<Check> {
    lines(config, machine::ledger(config), leader, exchange).await
}

async fn lines(
    config: &Config,
    Seen { line, capital, books }: Seen,
    leader: &Leader,
    exchange: &Exchange,
) -> Vec<Check> {
    let mut lines = vec![machine::configuration(config), machine::disk(&config.db_path)];
    let orders = machine::orders(&line, books.as_ref());
    lines.extend([line, orders]);
    let (line, target) = outside::leader(leader).await;
    lines.push(line);
    lines.push(outside::clock(exchange).await);
    let (market_lines, outside) = outside::exchange(exchange).await;
    lines.extend(market_lines);
    let uid = books.and_then(|books| books.uid);
    let findings = Findings { capital, uid, target, outside };
    lines.push(outside::minima(&findings, config.policy.threshold));
    lines.extend(account::lines(config, exchange, &findings).await);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stands_on_its_own_whatever_the_outside_put_in_it() {
        let lines = vec![
            Check::fine("disk", "fine"),
            Check::fault("leader", "said\nok\r\u{1b}[31m", "do this"),
            Check::not_tested("key", "not needed for dry_run"),
        ];
        let report = Report { lines, mode: Mode::DryRun, begins: true };
        assert_eq!(
            report.to_string(),
            "disk           ok     fine\n\
             leader         FAULT  said ok  [31m\n\
             \x20                     -> do this\n\
             key            -      not needed for dry_run\n"
        );
        assert_eq!((report.faults(), report.unproved()), (1, 0));
        assert_eq!(Report { mode: Mode::Live, ..report }.unproved(), 1);
    }
}
