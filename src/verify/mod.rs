//! `calvalot verify` : prouve le grand livre, sans rien y changer.
//!
//! Les livres sont refaits depuis les mouvements et les trades, et comparés à ce qui est tenu, à la
//! dernière décimale ; ceux d'un compte réel le sont ensuite aux ordres de la bourse ([`against`]). Une
//! différence n'est jamais réparée : elle se montre.

mod exchange;
mod sums;

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::path::Path;

use crate::domain::market::Coin;
use crate::ledger::{self, Audit, Db, LedgerError};

pub use exchange::{Comparison, against};

/// Le résultat d'une vérification, prêt à être montré.
#[derive(Debug)]
pub struct Report {
    pub text: String,
    pub differences: usize,
    /// Vrai pour les livres d'un compte réel : la bourse en a aussi sa version.
    pub live: bool,
}

/// Vérifie la base à `path`, pendant que le démon tourne ou non.
///
/// # Errors
/// Quand il n'y a pas là de grand livre à nous, ou qu'il ne se lit pas.
pub fn verify(path: &Path) -> Result<Report, LedgerError> {
    Ok(report(path, &open(path)?.audit()?))
}

fn open(path: &Path) -> Result<Db, LedgerError> {
    let absent = || LedgerError::Refused("there is no ledger here yet: start calvalot on it once".to_owned());
    match ledger::look(path)? {
        Some(db) => Ok(db),
        None => Err(ledger::examine(path).err().unwrap_or_else(absent)),
    }
}

fn report(path: &Path, audit: &Audit) -> Report {
    let mut lines = Lines::default();
    lines.compare("deposits (EUR)", &audit.kept_deposits, &audit.replayed_deposits);
    if let Some(kept) = &audit.kept {
        lines.compare("cash (USDC)", &kept.cash, &audit.replayed.cash);
        for coin in Coin::ALL {
            let (kept, replayed) = (kept.positions[coin], audit.replayed.positions[coin]);
            if kept != replayed || !kept.quantity.is_zero() {
                lines.compare(coin.pair(), &kept.quantity, &replayed.quantity);
                lines.compare(&format!("{coin} invested"), &kept.invested, &replayed.invested);
            }
        }
    }
    let others = audit.of_others.iter().chain(audit.replayed_of_others.iter());
    for asset in others.map(|(asset, _)| asset).collect::<BTreeSet<&str>>() {
        let (kept, replayed) = (audit.of_others.of(asset), audit.replayed_of_others.of(asset));
        lines.compare(&format!("{asset} of others"), &kept, &replayed);
    }
    for damage in &audit.damage {
        lines.fault("file", damage);
    }
    let verdict = match (lines.differences, audit.kept.is_some()) {
        (0, true) => "the books agree".to_owned(),
        (0, false) => "the books agree; the opening is not booked yet".to_owned(),
        (count, _) => {
            format!(
                "{}: keep a copy of this file and look at it before going on",
                counted(count, "difference")
            )
        }
    };
    let (mode, movements, trades) = (&audit.mode, audit.movements, audit.trades);
    let head = format!(
        "{} ({mode}): {} and {} replayed",
        path.display(),
        counted(movements, "movement"),
        counted(trades, "trade")
    );
    let text = format!("{head}\n{}{verdict}\n", lines.text);
    Report { text, differences: lines.differences, live: mode == "live" }
}

/// `1 order`, `3 orders`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[derive(Default)]
struct Lines {
    text: String,
    differences: usize,
}

impl Lines {
    fn compare<T: PartialEq + fmt::Display>(&mut self, what: &str, kept: &T, replayed: &T) {
        if kept == replayed {
            self.line("ok", what, &kept.to_string());
        } else {
            self.fault(what, &format!("kept {kept}, replayed {replayed}"));
        }
    }

    fn fault(&mut self, what: &str, found: &str) {
        self.differences += 1;
        self.line("FAULT", what, found);
    }

    fn line(&mut self, state: &str, what: &str, found: &str) {
        writeln!(self.text, "{state:<6}{what:<18}{found}").expect("a String takes every write");
    }
}
