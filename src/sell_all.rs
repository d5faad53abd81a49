//! `calvalot sell-all` : tout vendre et s'arrêter, demandé au programme qui tourne sur cette machine.
//!
//! Lui seul tient le grand livre et la clé : sans lui rien ne se vend. Invariant : rien n'est demandé avant que la personne
//! n'ait lu ce que cela fait et ne fait pas, et dit oui.

use std::io::{BufRead, Write};

use crate::domain::wish::SELL_ALL_TELLS;
use crate::local;

/// Demande à la personne ; vrai si elle dit oui, en toutes lettres.
pub fn confirmed(input: &mut impl BufRead, output: &mut impl Write) -> std::io::Result<bool> {
    write!(output, "{SELL_ALL_TELLS}.\nType yes to sell all and stop: ")?;
    output.flush()?;
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line.trim() == "yes")
}

/// Demande au programme sur ce port ; rend ce qui va se passer.
///
/// # Errors
/// La phrase qui dit pourquoi rien n'a été demandé, et quoi faire.
pub fn ask(port: u16) -> Result<String, String> {
    let start = "start calvalot, then ask again; or sell on the exchange's own page";
    let healthy = local::get(port, "/health").map_err(|reason| format!("{reason}: {start}"))?;
    if !healthy.body.contains("\"service\":\"calvalot\"") {
        return Err(format!("what answers on port {port} is not calvalot: {start}"));
    }
    // Une réponse perdue se redemande : ce qui est ouvert ne s'ouvre pas deux fois.
    let lost = |reason| format!("{reason}: ask again, it is done only once");
    let answer = local::post(port, "/api/agent/sell-all", "{\"understood\":true}").map_err(lost)?;
    match answer.status {
        200 => Ok("it sells at its next poll, within two minutes, then stays paused; the page says what is sold, and what is \
                   left as dust"
            .to_owned()),
        status => Err(format!("status {status} {}", answer.body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_whole_yes_is_a_yes_and_what_it_does_is_read_first() {
        for (typed, expected) in [
            ("yes\n", true),
            (" yes \n", true),
            ("y\n", false),
            ("YES\n", false),
            ("", false),
            ("no\n", false),
        ] {
            let mut told = Vec::new();
            let found = confirmed(&mut typed.as_bytes(), &mut told).expect("memory");
            assert_eq!(found, expected, "{typed:?}");
            assert!(String::from_utf8(told).expect("a text").starts_with(SELL_ALL_TELLS));
        }
    }
}
