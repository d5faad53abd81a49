//! Le journal : une ligne par événement, sur la sortie d'erreur, à l'heure locale ; sous systemd, qui date lui-même, à
//! sa place la priorité que `journalctl --priority` sait trier.
//!
//! `RUST_LOG` choisit ce qui est dit ; sans lui, `info`. Invariant : un événement tient sur une
//! ligne, même si un texte venu du dehors (le leader, la bourse) contient des sauts de ligne.

pub mod orders;

use std::env;
use std::io::{self, Write};
use std::os::fd::AsFd;

use log::{Level, LevelFilter, SetLoggerError};
use rustix::fs::fstat;

use crate::clock;

/// Ouvre le journal ; une erreur si un autre l'est déjà.
pub fn start() -> Result<(), SetLoggerError> {
    let dated_by_systemd = env::var("JOURNAL_STREAM").is_ok_and(|stream| is_stream(io::stderr(), &stream));
    env_logger::Builder::new()
        .filter_level(LevelFilter::Info)
        // Dit chaque certificat refusé, à chaque connexion ; le moteur le dit une fois, avec quoi faire.
        .filter_module("rustls_platform_verifier", LevelFilter::Off)
        .parse_default_env()
        .format(move |out, record| {
            if dated_by_systemd {
                write!(out, "<{}>", priority(record.level()))?;
            } else {
                write!(out, "{} ", clock::local(clock::now()))?;
            }
            writeln!(out, "{:<5} {}", record.level(), one_line(&record.args().to_string()))
        })
        .try_init()
}

/// Vrai si `output` est le flux que nomme `stream`, la valeur de `JOURNAL_STREAM` (systemd.exec(5)) : un programme lancé
/// par le service, dont la sortie va ailleurs, en hérite aussi.
fn is_stream(output: impl AsFd, stream: &str) -> bool {
    fstat(output).is_ok_and(|stat| stream == format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// La priorité de syslog(3), dans le préfixe de sd-daemon(3).
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

fn one_line(event: &str) -> String {
    event.chars().flat_map(escaped).collect()
}

fn escaped(character: char) -> Vec<char> {
    if character.is_control() { character.escape_default().collect() } else { vec![character] }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn the_stream_of_systemd_is_known_by_its_device_and_inode() -> io::Result<()> {
        let output = File::open("/dev/null")?;
        let metadata = output.metadata()?;
        let stream = format!("{}:{}", metadata.dev(), metadata.ino());
        assert!(is_stream(&output, &stream));
        assert!(!is_stream(File::open("/dev/zero")?, &stream));
        assert!(!is_stream(&output, ""));
        Ok(())
    }

    #[test]
    fn an_event_stays_on_one_line_whatever_the_outside_put_in_it() {
        assert_eq!(one_line("é\nforged line\r\u{1b}[31m"), "é\\nforged line\\r\\u{1b}[31m");
    }
}
