//! La naissance d'un grand livre : il prend son nom d'un coup, entier et rendu au disque.
//!
//! Un fichier vide sous ce nom ne vient donc jamais d'un premier démarrage. Coupée n'importe où, une naissance laisse un
//! verrou vide et un fichier sans nom, que la suivante efface, ou un grand livre entier.

use std::fs;

use rusqlite::Connection;

use super::file::{self, LedgerFile, cannot, sync_file, sync_folder};
use super::{Db, LedgerError, journal};

/// Fait naître le grand livre, que `settle` remplit ; il n'y a rien à cet endroit, ou un fichier vide.
pub(super) fn give(
    file: &LedgerFile,
    settle: impl FnOnce(Connection) -> Result<Db, LedgerError>,
) -> Result<(), LedgerError> {
    clear(file)?;
    write(file, settle)?;
    name(file)
}

/// Efface ce qu'une naissance coupée a laissé.
fn clear(file: &LedgerFile) -> Result<(), LedgerError> {
    let unnamed = file.unnamed();
    let journals = ["-wal", "-shm", "-journal"].map(|suffix| file::beside(&unnamed, suffix));
    file::remove(&unnamed)?;
    journals.iter().try_for_each(|journal| file::remove(journal))
}

/// Écrit le grand livre entier, sans nom encore.
fn write(
    file: &LedgerFile,
    settle: impl FnOnce(Connection) -> Result<Db, LedgerError>,
) -> Result<(), LedgerError> {
    let unnamed = file.unnamed();
    file::create(&unnamed).map_err(|error| cannot(&file.shown(&unnamed), &error))?;
    let db = settle(Connection::open(&unnamed)?)?;
    journal::number_at_random(&db.connection)?;
    // Fermée, la base n'a plus de journal : elle tient en un fichier.
    db.connection.close().map_err(|(_, error)| error)?;
    sync_file(&unnamed).map_err(|error| cannot(&file.shown(&unnamed), &error))
}

fn name(file: &LedgerFile) -> Result<(), LedgerError> {
    let named = fs::rename(file.unnamed(), file.path()).and_then(|()| sync_folder(file.path()));
    named.map_err(|error| cannot(file.named(), &error))
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;
    use crate::domain::moment::Moment;
    use crate::domain::money::Eur;
    use crate::ledger::lock::{Lock, remembers};
    use crate::ledger::opening::{look, open, settled};

    const NOW: Moment = Moment(1_790_000_000_000);

    fn eur(amount: u32) -> Eur {
        Eur::new(amount.into())
    }

    type Step = fn(&LedgerFile);

    /// Les étapes d'un premier démarrage, dans l'ordre, et ce qu'une coupure peut laisser au milieu d'une d'elles.
    const STEPS: [(&str, Step); 8] = [
        ("locked", |file| drop(Lock::take(file).expect("the folder is there").expect("nobody has it"))),
        ("cleared", |file| clear(file).expect("nothing is there")),
        ("created", |file| drop(file::create(&file.unnamed()).expect("it is new"))),
        ("written by half", |file| {
            let journal = file::beside(&file.unnamed(), "-wal");
            [file.unnamed(), journal].iter().for_each(|path| fs::write(path, "half").expect("a file"));
        }),
        ("written", |file| {
            clear(file).expect("it can be removed");
            write(file, |connection| settled(connection, "dry_run", eur(100), NOW)).expect("a whole ledger");
        }),
        ("named", |file| name(file).expect("it takes its name")),
        ("told by half", |file| fs::write(file.lock(), "a who").expect("a file")),
        ("told", |file| {
            fs::write(file.lock(), "").expect("a file");
            let lock = Lock::take(file).expect("the lock").expect("nobody has it");
            lock.remember(file).expect("a line");
        }),
    ];

    #[test]
    fn a_birth_cut_after_any_step_is_a_first_start_again_or_a_whole_ledger() {
        let folder = std::env::temp_dir().join(format!("calvalot-birth-{}", std::process::id()));
        for last in 0..STEPS.len() {
            fs::create_dir_all(&folder).expect("a folder");
            let path = folder.join("a.db");
            let file = LedgerFile::at(&path).expect("nothing is there");
            STEPS[..=last].iter().for_each(|(_, step)| step(&file));
            let (done, _) = STEPS[last];
            let born = file.path().exists();
            assert_eq!(born, last >= 5, "{done}: it has its name too early or too late");
            assert!(born || !remembers(&file), "{done}: a past without a ledger");
            if born {
                // Elle est entière sans rien d'autre à côté d'elle.
                assert!(!file.journal().exists() && !file.unnamed().exists(), "{done}");
                assert!(look(&path).expect("it is read").is_some(), "{done}");
            }
            let (ledger, thread) = open(&path, "dry_run", eur(200), NOW).expect(done);
            let deposited =
                smol::block_on(ledger.with(|db| Ok(db.account()?.deposited))).expect("an account");
            assert_eq!(deposited, Eur::new(if born { dec!(100) } else { dec!(200) }), "{done}");
            drop(ledger);
            thread.join();
            assert!(remembers(&file) && !file.unnamed().exists(), "{done}");
            fs::remove_dir_all(&folder).expect("it is ours");
        }
    }
}
