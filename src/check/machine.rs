//! La machine : la configuration, la place et le droit d'écrire, le grand livre s'il existe.
//!
//! L'essai d'écriture se fait dans un fichier à lui, effacé aussitôt. Le grand livre n'est que regardé.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::config::Config;
use crate::domain::check::Check;
use crate::domain::money::Eur;
use crate::domain::portfolio::Holdings;
use crate::ledger::{self, LedgerError};

const MEGABYTE: u64 = 1024 * 1024;

/// Dix ans de grand livre tiennent dans moins que cela.
const SPACE_WANTED: u64 = 500 * MEGABYTE;

/// En dessous, un journal SQLite et une mise à jour ne tiennent plus ensemble.
const SPACE_NEEDED: u64 = 50 * MEGABYTE;

/// Ce que le grand livre dit du capital.
pub(super) struct Books {
    pub deposited: Eur,
    /// `None` tant que l'ouverture n'est pas comptée.
    pub holdings: Option<Holdings>,
}

/// La configuration a été lue : il reste ses avertissements.
pub(super) fn configuration(config: &Config) -> Check {
    let found = format!("{}, {} EUR", config.mode.word(), config.initial_budget);
    if config.warnings.is_empty() {
        Check::fine("configuration", found)
    } else {
        Check::remark("configuration", found, config.warnings.join("; "))
    }
}

/// Le dossier de la base : on y écrit, et il reste de la place.
pub(super) fn disk(db_path: &Path) -> Check {
    // Le démon crée les dossiers qui manquent : c'est le premier qui existe qui compte.
    let absolute = std::path::absolute(db_path).unwrap_or_else(|_| db_path.to_owned());
    let Some(folder) = absolute.ancestors().skip(1).find(|folder| folder.exists()) else {
        return Check::fault(
            "disk",
            format!("no folder leads to {}", db_path.display()),
            "set another DB_PATH",
        );
    };
    if let Err(error) = try_writing(folder) {
        let remedy = "let the user that runs calvalot write there (chown, or a volume that is not read-only), or set \
                      another DB_PATH";
        return Check::fault("disk", format!("cannot write in {}: {error}", folder.display()), remedy);
    }
    match rustix::fs::statvfs(folder) {
        Ok(disk) => space(disk.f_bavail.saturating_mul(disk.f_frsize), folder),
        Err(error) => Check::not_tested("disk", format!("free space of {}: {error}", folder.display())),
    }
}

fn try_writing(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".calvalot-check-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&probe)?;
    let written = file.write_all(&[0; 4096]).and_then(|()| file.sync_all());
    fs::remove_file(&probe)?;
    written
}

fn space(free: u64, folder: &Path) -> Check {
    let found = format!("{} is writable, {} MB free", folder.display(), free / MEGABYTE);
    let remedy = "make room on this disk: a ledger that cannot be written stops the trading";
    if free < SPACE_NEEDED {
        Check::fault("disk", found, remedy)
    } else if free < SPACE_WANTED {
        Check::remark("disk", found, remedy)
    } else {
        Check::fine("disk", found)
    }
}

/// Le grand livre : lisible, et du même mode que la configuration.
pub(super) fn ledger(config: &Config) -> (Check, Option<Books>) {
    let (path, mode) = (config.db_path.display(), config.mode.word());
    match look(&config.db_path) {
        Ok(None) => {
            let found = match config.db_path.exists() {
                true => format!("{path} is not a ledger of this version yet, the first start takes it over"),
                false => format!("{path} does not exist yet, the first start makes it"),
            };
            (Check::fine("ledger", found), None)
        }
        Ok(Some((kept, _))) if kept != mode => {
            let remedy = format!("set another DB_PATH for {mode}, or set TRADING_MODE={kept}");
            (
                Check::fault(
                    "ledger",
                    format!("{path} belongs to {kept} and TRADING_MODE is {mode}"),
                    remedy,
                ),
                None,
            )
        }
        Ok(Some((_, books))) => {
            let found = format!("{path} is a ledger of {mode}, {} EUR deposited", books.deposited);
            (Check::fine("ledger", found), Some(books))
        }
        Err(error) => {
            let remedy = "put a good copy there, or set another DB_PATH";
            (Check::fault("ledger", format!("{path}: {error}"), remedy), None)
        }
    }
}

fn look(path: &Path) -> Result<Option<(String, Books)>, LedgerError> {
    let Some(db) = ledger::look(path)? else { return Ok(None) };
    let books = Books { deposited: db.account()?.deposited, holdings: db.holdings()? };
    Ok(Some((db.agent()?.mode, books)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::Verdict;

    #[test]
    fn a_disk_that_fills_up_is_said_before_it_is_full() {
        let cases = [
            (0, Verdict::Fault, true),
            (SPACE_NEEDED - 1, Verdict::Fault, true),
            (SPACE_NEEDED, Verdict::Fine, true),
            (SPACE_WANTED, Verdict::Fine, false),
        ];
        for (free, verdict, advised) in cases {
            let line = space(free, Path::new("data"));
            assert_eq!((line.verdict, line.advice.is_some()), (verdict, advised), "{free}");
        }
    }
}
