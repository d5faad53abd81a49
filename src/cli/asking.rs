//! Ce que fait une commande, lu par une personne avant d'être fait.
//!
//! Invariant : n'est un oui que ce qui le dit, en anglais ou en français ; sans terminal il n'y a personne, et `--yes` en tient
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
    Ok(is_yes(&line))
}

/// Un oui, en anglais ou en français.
pub(super) fn is_yes(answer: &str) -> bool {
    ["y", "yes", "o", "oui"].contains(&answer.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_yes_in_either_language_is_a_yes_and_what_it_does_is_read_first() {
        for (typed, expected) in [
            ("yes\n", true),
            (" yes \n", true),
            ("y\n", true),
            ("YES\n", true),
            ("oui\n", true),
            ("O\n", true),
            ("", false),
            ("\n", false),
            ("no\n", false),
            ("yes?\n", false),
            ("yesterday\n", false),
        ] {
            let mut told = Vec::new();
            let found =
                confirmed("it sells all", "sell all", &mut typed.as_bytes(), &mut told).expect("memory");
            assert_eq!(found, expected, "{typed:?}");
            assert_eq!(String::from_utf8(told).expect("a text"), "it sells all.\nType yes to sell all: ");
        }
    }
}
