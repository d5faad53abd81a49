//! `calvalot backup` et `calvalot restore` : une copie du grand livre, relue avant d'être comptée, et son retour.
//!
//! Le démon peut tourner pendant une copie, jamais pendant un retour. Une copie n'en remplace aucune ; seules celles du
//! dossier, sous leurs noms d'ici, s'effacent quand il y en a plus de [`KEPT`]. Un livre d'argent réel ne revient pas :
//! sa copie ne sait rien des ordres partis depuis, et les enverrait de nouveau.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::clock;
use crate::domain::moment::Moment;
use crate::ledger::{self, LedgerError};

/// Les copies gardées dans un dossier.
const KEPT: usize = 7;

/// À côté de la base : l'heure Unix de la dernière copie réussie, en secondes. Ce qui surveille de dehors le lit.
const LAST: &str = "last-backup";

/// Pourquoi rien n'a été copié ou remis ; une phrase pour la personne.
#[derive(Debug)]
pub struct BackupError(String);

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BackupError {}

impl From<LedgerError> for BackupError {
    fn from(error: LedgerError) -> Self {
        BackupError(error.to_string())
    }
}

fn cannot(path: &Path) -> impl Fn(io::Error) -> BackupError {
    move |error| BackupError(format!("{}: {error}", path.display()))
}

/// Copie la base `db_path` : dans ce fichier, dans ce dossier, ou dans `backups` à côté d'elle ; rend où.
pub fn backup(db_path: &Path, to: Option<&Path>) -> Result<PathBuf, BackupError> {
    let now = clock::now();
    let beside = folder_of(db_path).join("backups");
    let to = to.unwrap_or(&beside);
    let is_folder = to.is_dir() || to == beside || to.to_string_lossy().ends_with('/');
    let place = if is_folder {
        fs::create_dir_all(to).map_err(cannot(to))?;
        to.join(name(db_path, now))
    } else {
        to.to_owned()
    };
    if place.exists() {
        return Err(BackupError(format!("{} exists already and is not replaced", place.display())));
    }
    // Sous un autre nom tant qu'elle n'est pas relue : une copie qui a le sien est bonne.
    let unproved = place.with_added_extension("part");
    if unproved.exists() {
        fs::remove_file(&unproved).map_err(cannot(&unproved))?;
    }
    if !ledger::copy(db_path, &unproved)? {
        return Err(BackupError(format!("{} is no ledger of this version", db_path.display())));
    }
    if let Err(error) = prove(&unproved) {
        fs::remove_file(&unproved).map_err(cannot(&unproved))?;
        return Err(error);
    }
    // Rendu au disque avec son nom : ce que l'on dit copié survit à une coupure.
    let named = || fs::rename(&unproved, &place).and_then(|()| File::open(folder_of(&place))?.sync_all());
    named().map_err(cannot(&place))?;
    if is_folder {
        forget_the_oldest(to, db_path)?;
    }
    tell_when(db_path, now)?;
    Ok(place)
}

/// Met la copie `from` à la place de la base `db_path` ; rend où est allée celle-ci, s'il y en avait une.
pub fn restore(db_path: &Path, from: &Path) -> Result<Option<PathBuf>, BackupError> {
    // Une base qui ne se lit plus ne dit pas son mode ; la copie qui la remplace est simulée, et l'autre est gardée.
    let current = ledger::look(db_path).ok().flatten().map(|db| db.agent()).transpose()?;
    if current.is_some_and(|agent| agent.is_live()) {
        let path = db_path.display();
        return Err(BackupError(format!(
            "{path} is a ledger of real money and is not replaced: set another DB_PATH"
        )));
    }
    if prove(from)? == "live" {
        return Err(BackupError(format!(
            "{} is a ledger of real money: it knows nothing of the orders sent since, and would send them again. Compare \
             with Binance, and start a new ledger under another DB_PATH",
            from.display()
        )));
    }
    let new = db_path.with_added_extension("restoring");
    let old = folder_of(db_path).join(format!("before-restore-{}", name(db_path, clock::now())));
    if new.exists() {
        fs::remove_file(&new).map_err(cannot(&new))?;
    }
    ledger::copy(from, &new)?;
    let kept = match set_aside(db_path, &old) {
        Ok(kept) => kept,
        Err(error) => {
            fs::remove_file(&new).map_err(cannot(&new))?;
            return Err(error);
        }
    };
    if let Err(error) = ledger::replace(db_path, &new) {
        for useless in [Some(&new), kept.then_some(&old)].into_iter().flatten() {
            fs::remove_file(useless).map_err(cannot(useless))?;
        }
        return Err(error.into());
    }
    Ok(kept.then_some(old))
}

/// Garde la base `db_path` sous le nom `old` : copiée, journal compris, ou telle quelle si elle ne se lit plus.
fn set_aside(db_path: &Path, old: &Path) -> Result<bool, BackupError> {
    if !db_path.exists() {
        return Ok(false);
    }
    if !ledger::copy(db_path, old).unwrap_or(false) {
        fs::copy(db_path, old).map_err(cannot(old))?;
    }
    Ok(true)
}

/// Relit cette copie en entier ; rend son mode.
fn prove(copy: &Path) -> Result<String, BackupError> {
    let absent = || BackupError(format!("{} is no ledger of this version", copy.display()));
    let audit = ledger::look(copy)?.ok_or_else(absent)?.audit()?;
    match audit.damage.first() {
        None => Ok(audit.mode),
        Some(damage) => Err(BackupError(format!("the ledger is damaged: {damage}; see calvalot verify"))),
    }
}

fn folder_of(db_path: &Path) -> &Path {
    db_path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// `calvalot-20261122-101500.db`, en UTC.
fn name(db_path: &Path, now: Moment) -> String {
    let stamp: String = clock::utc(now).replace(' ', "-").chars().filter(|c| !":-".contains(*c)).collect();
    let (day, hour) = stamp.split_at(8);
    format!("{}-{day}-{hour}.db", stem(db_path))
}

fn stem(db_path: &Path) -> String {
    db_path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Vrai pour un nom que [`name`] fait de cette base.
fn is_named(candidate: &str, db_path: &Path) -> bool {
    let stamp =
        candidate.strip_prefix(&format!("{}-", stem(db_path))).and_then(|rest| rest.strip_suffix(".db"));
    let shape = |stamp: &str| stamp.replace(|c: char| c.is_ascii_digit(), "0") == "00000000-000000";
    stamp.is_some_and(shape)
}

/// Les noms se rangent comme les heures.
fn forget_the_oldest(folder: &Path, db_path: &Path) -> Result<(), BackupError> {
    let entries = fs::read_dir(folder).map_err(cannot(folder))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut copies: Vec<String> = names.filter(|name| is_named(name, db_path)).collect();
    copies.sort_unstable();
    for old in copies.iter().rev().skip(KEPT) {
        let old = folder.join(old);
        fs::remove_file(&old).map_err(cannot(&old))?;
    }
    Ok(())
}

/// Écrit à côté de la base quand elle a été copiée ; le fichier est remplacé d'un coup.
fn tell_when(db_path: &Path, now: Moment) -> Result<(), BackupError> {
    let (place, new) = (folder_of(db_path).join(LAST), folder_of(db_path).join(format!("{LAST}.part")));
    let write = || {
        let mut file = File::create(&new)?;
        writeln!(file, "{}", now.0.div_euclid(1000))?;
        file.sync_all()?;
        fs::rename(&new, &place)
    };
    write().map_err(cannot(&place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_named_after_its_ledger_and_its_hour() {
        let (ledger, now) = (Path::new("data/live.db"), Moment(1_767_225_600_000));
        assert_eq!(name(ledger, now), "live-20260101-000000.db");
        let ours = ["live-20260101-000000.db", "live-20990101-235959.db"];
        let others = [
            "live.db",
            "live-1.db",
            "calvalot-20260101-000000.db",
            "live-20260101-000000.db.part",
            "live-2026010a-000000.db",
        ];
        assert!(ours.iter().all(|name| is_named(name, ledger)));
        assert!(!others.iter().any(|name| is_named(name, ledger)));
    }
}
