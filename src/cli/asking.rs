//! Ce que fait une commande, lu par une personne avant d'être fait.
//!
//! Invariant : rien d'autre qu'un « yes » en toutes lettres n'est un oui ; sans terminal il n'y a personne, et `--yes` en tient
//! lieu.

use std::io::{self, BufRead, IsTerminal, Write};

use super::Failure;

/// Fait lire `told`, puis demande s'il faut `deed` ; `sure` : on l'a déjà dit.
pub(super) fn agreed(told: &str, deed: &str, sure: bool) -> Result<(), Failure> {
    if sure {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        let way = format!("calvalot: {deed}: it asks first on a terminal; elsewhere it wants --yes");
        return Err(Failure::Usage(way));
    }
    let failed = |reason: String| Failure::Failed(format!("calvalot: nothing was asked: {reason}"));
    match confirmed(told, deed, &mut io::stdin().lock(), &mut io::stdout()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(failed("the answer was not yes".to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn confirmed(told: &str, deed: &str, input: &mut impl BufRead, output: &mut impl Write) -> io::Result<bool> {
    write!(output, "{told}.\nType yes to {deed}: ")?;
    output.flush()?;
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line.trim() == "yes")
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
            let found =
                confirmed("it sells all", "sell all", &mut typed.as_bytes(), &mut told).expect("memory");
            assert_eq!(found, expected, "{typed:?}");
            assert_eq!(String::from_utf8(told).expect("a text"), "it sells all.\nType yes to sell all: ");
        }
    }
}
