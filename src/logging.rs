//! Le journal : une ligne par événement, sur la sortie d'erreur, à l'heure locale.
//!
//! `RUST_LOG` choisit ce qui est dit ; sans lui, `info`. Invariant : un événement tient sur une
//! ligne, même si un texte venu du dehors (le leader, la bourse) contient des sauts de ligne.

use std::io::Write;

use log::{LevelFilter, SetLoggerError};

use crate::clock;

/// Ouvre le journal ; une erreur si un autre l'est déjà.
pub fn start() -> Result<(), SetLoggerError> {
    env_logger::Builder::new()
        .filter_level(LevelFilter::Info)
        // Dit chaque certificat refusé, à chaque connexion ; le moteur le dit une fois, avec quoi faire.
        .filter_module("rustls_platform_verifier", LevelFilter::Off)
        .parse_default_env()
        .format(|out, record| {
            let (time, event) = (clock::local(clock::now()), one_line(&record.args().to_string()));
            writeln!(out, "{time} {:<5} {event}", record.level())
        })
        .try_init()
}

fn one_line(event: &str) -> String {
    event.chars().flat_map(escaped).collect()
}

fn escaped(character: char) -> Vec<char> {
    if character.is_control() { character.escape_default().collect() } else { vec![character] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stays_on_one_line_whatever_the_outside_put_in_it() {
        assert_eq!(one_line("é\nforged line\r\u{1b}[31m"), "é\\nforged line\\r\\u{1b}[31m");
    }
}
