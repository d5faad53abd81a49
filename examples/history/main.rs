//! Donne un passé à un grand livre, pour ce qui demande des mois ou une heure d'attente : une année de relevés, mille
//! trades, un leader muet depuis une heure.
//!
//! `history grow BASE JOURS TRADES` crée une base simulée dont les livres sont vrais : plans, exécutions et relevés
//! passent par le programme lui-même, et `calvalot verify` n'y trouve rien à redire. `history age BASE SECONDES`
//! recule tout ce qu'une base a vécu, comme si la machine avait été éteinte ce temps-là. Aucun démon ne s'en sert
//! pendant ce temps.

mod age;
mod past;
mod prices;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["grow", base, days, trades] => numbers(days, trades)
            .and_then(|(days, trades)| past::grow(Path::new(base), days, trades).map_err(|e| e.to_string())),
        ["age", base, seconds] => numbers(seconds, "0")
            .and_then(|(seconds, _)| age::shift(Path::new(base), seconds).map_err(|e| e.to_string())),
        _ => Err("history grow BASE DAYS TRADES, or history age BASE SECONDS".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("history: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn numbers(first: &str, second: &str) -> Result<(i64, usize), String> {
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("{text} is no number"));
    Ok((i64::from(number(first)?), number(second)? as usize))
}
