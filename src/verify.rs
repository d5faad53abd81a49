//! `calvalot verify` : prouve le grand livre, sans rien y changer.
//!
//! Les livres sont refaits depuis les mouvements et les trades, et comparés à ce qui est tenu, à la
//! dernière décimale. Une différence n'est jamais réparée : elle se montre.

use std::fmt::{self, Write};
use std::path::Path;

use crate::domain::market::Coin;
use crate::ledger::{self, Audit, LedgerError};

/// Le résultat d'une vérification, prêt à être montré.
#[derive(Debug)]
pub struct Report {
    pub text: String,
    pub differences: usize,
}

/// Vérifie la base à `path`, pendant que le démon tourne ou non.
///
/// # Errors
/// Quand il n'y a pas là de grand livre à nous, ou qu'il ne se lit pas.
pub fn verify(path: &Path) -> Result<Report, LedgerError> {
    let absent = || LedgerError::Refused("there is no ledger here yet: start calvalot on it once".to_owned());
    let db = ledger::look(path)?.ok_or_else(absent)?;
    Ok(report(path, &db.audit()?))
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
    for damage in &audit.damage {
        lines.fault("file", damage);
    }
    let verdict = match (lines.differences, audit.kept.is_some()) {
        (0, true) => "the books agree".to_owned(),
        (0, false) => "the books agree; the opening is not booked yet".to_owned(),
        (1, _) => "1 difference: keep a copy of this file and look at it before going on".to_owned(),
        (count, _) => format!("{count} differences: keep a copy of this file and look at it before going on"),
    };
    let (mode, movements, trades) = (&audit.mode, audit.movements, audit.trades);
    let head = format!("{} ({mode}): {movements} movements and {trades} trades replayed", path.display());
    Report { text: format!("{head}\n{}{verdict}\n", lines.text), differences: lines.differences }
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
