//! Donne un passé à un grand livre, pour ce qui demande des mois ou une heure d'attente : une année de relevés, mille
//! trades, un leader muet depuis une heure.
//!
//! `history grow BASE JOURS TRADES` crée une base simulée dont les livres sont vrais : plans, exécutions et évaluations
//! sont ceux du programme, et `calvalot verify` n'y trouve rien à redire. `history age BASE SECONDES` recule tout ce
//! qu'une base a vécu, comme si la machine avait été éteinte ce temps-là. Aucun démon ne doit s'en servir alors.

mod age;
mod past;
mod prices;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "history grow BASE DAYS TRADES, or history age BASE SECONDS";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match obey(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("history: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn obey(words: &[&str]) -> Result<(), String> {
    match *words {
        ["grow", base, days, trades] => {
            let (days, trades) = (number(days)?, number(trades)?);
            past::grow(Path::new(base), days, trades).map_err(|error| error.to_string())
        }
        ["age", base, seconds] => {
            age::shift(Path::new(base), number(seconds)?).map_err(|error| error.to_string())
        }
        _ => Err(USAGE.to_owned()),
    }
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{text} is no whole number"))
}
