//! `calvalot backup` et `calvalot restore` : une copie du grand livre, relue avant d'être comptée, et son retour.
//!
//! Le démon peut tourner pendant une copie, jamais pendant un retour. Une copie n'en remplace aucune ; seules celles du
//! dossier, sous leurs noms d'ici, s'effacent quand il y en a plus de [`KEPT`]. La copie d'un livre d'argent réel ne sait
//! rien des ordres partis depuis : [`crate::restore`] les lui rend.
//! Invariant : ce qui porte le nom d'une copie, ou celui de la base, a été relu en entier.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::clock;
use crate::domain::moment::Moment;
use crate::ledger::{self, LedgerError, copies};

/// Les copies gardées dans un dossier.
const KEPT: usize = 7;

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

/// Le chemin d'à côté de `place`, sur son disque : le nom peut être un lien vers un autre, d'où rien ne se met en place d'un
/// coup.
pub fn beside(place: &Path, extension: &str) -> PathBuf {
    fs::canonicalize(place).unwrap_or_else(|_| place.to_owned()).with_added_extension(extension)
}

/// Un fichier qui n'a pas encore son nom. S'il ne le prend pas, il disparaît.
struct Draft(PathBuf);

impl Draft {
    /// Celui d'une fois d'avant, coupée, est effacé. Si rien ne s'écrit là, le grand livre n'y est pour rien.
    fn beside(place: &Path, extension: &str) -> Result<Draft, BackupError> {
        let path = beside(place, extension);
        let cleared = match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => File::create_new(&path).and_then(|_| fs::remove_file(&path)),
        };
        let unwritable = |error| BackupError(format!("{} cannot be written: {error}", place.display()));
        cleared.map(|()| Draft(path)).map_err(unwritable)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // S'il a pris son nom, il n'y est plus.
        let _ = fs::remove_file(&self.0);
    }
}

/// Copie la base `db_path` : dans ce fichier, dans ce dossier, ou dans `backups` à côté d'elle ; rend où.
pub fn backup(db_path: &Path, to: Option<&Path>) -> Result<PathBuf, BackupError> {
    let now = clock::now();
    let beside = copies::folder(db_path);
    let to = to.unwrap_or(&beside);
    // Sans grand livre, aucun dossier ne naît.
    if !db_path.exists() {
        ledger::examine(db_path)?;
        return Err(BackupError(format!("there is no ledger at {}: nothing to copy", db_path.display())));
    }
    let is_folder = to.is_dir() || to == beside || to.to_string_lossy().ends_with('/');
    let place = if is_folder {
        fs::create_dir_all(to).map_err(cannot(to))?;
        to.join(copies::name(db_path, now))
    } else {
        to.to_owned()
    };
    if place.exists() {
        return Err(BackupError(format!("{} exists already and is not replaced", place.display())));
    }
    let draft = Draft::beside(&place, "part")?;
    // Ce qui ne se copie pas est dit comme un démarrage le dirait, avec quoi faire.
    copied(db_path, &draft)
        .map_err(|error| ledger::examine(db_path).err().map_or(error, BackupError::from))?;
    // Rendu au disque avec son nom : ce que l'on dit copié survit à une coupure.
    let named = || fs::rename(&draft.0, &place).and_then(|()| File::open(folder_of(&place))?.sync_all());
    named().map_err(cannot(&place))?;
    if is_folder {
        forget_the_oldest(to, db_path, &place)?;
    }
    tell_when(db_path, now)?;
    Ok(place)
}

/// Une copie relue en entier, à côté de la base dont elle prendra la place.
pub struct Copy<'a> {
    db_path: &'a Path,
    new: Draft,
    /// C'est un livre d'argent réel : il ne sait rien des ordres partis depuis ([`crate::restore`]).
    pub live: bool,
}

/// Relit la copie `from` à côté de la base `db_path`, qui est du même mode et reste en place.
pub fn read<'a>(db_path: &'a Path, from: &Path) -> Result<Copy<'a>, BackupError> {
    if !from.exists() {
        let seen = "nothing was changed (a container sees only its data folder)";
        return Err(BackupError(format!("there is no file {}: {seen}", from.display())));
    }
    if !from.is_file() {
        return Err(no_copy(from, "it is not a file"));
    }
    // Une base qui ne se lit plus ne dit pas son mode ; elle est gardée.
    let current = ledger::look(db_path).ok().flatten().and_then(|db| db.agent().ok()).map(|agent| agent.mode);
    let new = Draft::beside(db_path, "restoring")?;
    let foreign = "file is not a database";
    let mode = copied(from, &new).map_err(|error| match error.0 {
        reason if reason.contains(foreign) => no_copy(from, foreign),
        reason => {
            BackupError(format!("{} cannot be put back ({reason}): nothing was changed", from.display()))
        }
    })?;
    if let Some(current) = current.filter(|current| *current != mode) {
        let (path, from) = (db_path.display(), from.display());
        return Err(BackupError(format!(
            "{path} is a ledger of {current} and {from} is one of {mode}: set another DB_PATH, or take another copy"
        )));
    }
    Ok(Copy { db_path, new, live: mode == "live" })
}

/// Le grand livre n'y est pour rien : c'est ce qui a été nommé qui ne convient pas.
fn no_copy(from: &Path, why: &str) -> BackupError {
    BackupError(format!(
        "{} is no copy of a ledger ({why}): name the file of one, nothing was changed",
        from.display()
    ))
}

impl Copy<'_> {
    /// La met en place ; si elle est d'argent réel, en pause, et avec ce qu'une personne a laissé dehors du livre qui est là. Rend
    /// où est allé celui-ci, s'il y en avait un, et combien d'ordres restent dehors.
    pub fn put_back(self) -> Result<(Option<PathBuf>, usize), BackupError> {
        let there = ledger::look(self.db_path).ok().flatten();
        let outside = if self.live { ledger::pause(&self.new.0, there.as_ref())? } else { 0 };
        drop(there);
        Ok((put(self.db_path, &self.new.0)?, outside))
    }
}

/// Met la base `new`, un fichier entier, à la place de `db_path` ; rend où est allé ce qui y était, s'il y avait quelque chose.
pub fn put(db_path: &Path, new: &Path) -> Result<Option<PathBuf>, BackupError> {
    let old = free_name_of_before(db_path);
    let kept = ledger::keep(db_path, &old)?;
    if let Err(error) = ledger::replace(db_path, new) {
        if kept && old.exists() {
            fs::remove_file(&old).map_err(cannot(&old))?;
        }
        return Err(error.into());
    }
    Ok(kept.then_some(old))
}

/// À la seconde près, et plus tard si ce nom est pris : deux retours peuvent être dans la même.
fn free_name_of_before(db_path: &Path) -> PathBuf {
    let mut at = clock::now();
    loop {
        let name = folder_of(db_path).join(copies::name_of_before(db_path, at));
        if !name.exists() && !name.with_added_extension("journal").exists() {
            return name;
        }
        at = Moment(at.0 + 1000);
    }
}

/// Copie la base `from` dans `draft`, et relit la copie en entier ; rend son mode.
fn copied(from: &Path, draft: &Draft) -> Result<String, BackupError> {
    let absent = || BackupError(format!("{} is no ledger", from.display()));
    if !ledger::copy(from, &draft.0)? {
        return Err(absent());
    }
    let audit = ledger::look(&draft.0)?.ok_or_else(absent)?.audit()?;
    match audit.damage.first() {
        None => Ok(audit.mode),
        Some(damage) => Err(BackupError(format!("the ledger is damaged: {damage}; see calvalot verify"))),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Celle qui vient d'être faite reste, même si l'heure de la machine la dit plus vieille que les autres.
fn forget_the_oldest(folder: &Path, db_path: &Path, newest: &Path) -> Result<(), BackupError> {
    let copies = copies::named_in(folder, db_path).map_err(cannot(folder))?;
    for old in copies.iter().filter(|copy| *copy != newest).rev().skip(KEPT - 1) {
        fs::remove_file(old).map_err(cannot(old))?;
    }
    Ok(())
}

/// Écrit à côté de la base quand elle a été copiée ; le fichier est remplacé d'un coup.
fn tell_when(db_path: &Path, now: Moment) -> Result<(), BackupError> {
    let place = folder_of(db_path).join(copies::LAST);
    let new = place.with_added_extension("part");
    let write = || {
        let private = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new);
        let mut file = private?;
        writeln!(file, "{}", now.0.div_euclid(1000))?;
        file.sync_all()?;
        fs::rename(&new, &place)
    };
    write().map_err(cannot(&place))
}
