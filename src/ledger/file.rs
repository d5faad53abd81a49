//! Le fichier d'une base, et ceux qui sont tenus à côté de lui, sous le seul nom qui compte : celui où mènent les liens.
//!
//! SQLite et le verrou nomment leurs fichiers d'après la base : sous deux noms, un même fichier aurait deux verrous et
//! deux journaux, et deux programmes s'en serviraient. Un lien symbolique est donc suivi, et un fichier qui a deux vrais
//! noms est refusé. Aucun de ces fichiers n'est à lire par un autre que son propriétaire.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::LedgerError;

/// Lisible et modifiable par son seul propriétaire.
const PRIVATE: u32 = 0o600;

/// Les droits de tous les autres.
const OTHERS: u32 = 0o077;

/// Où est une base.
#[derive(Clone, Debug)]
pub(super) struct LedgerFile {
    /// Tel que la configuration le dit : ce que l'on montre.
    named: PathBuf,
    /// Sans lien : ce que l'on ouvre.
    path: PathBuf,
}

impl LedgerFile {
    /// Le fichier que `named` désigne, qu'il soit déjà là ou non.
    ///
    /// # Errors
    /// Quand ce n'est pas un fichier, qu'il a deux noms, ou que le lien ne mène nulle part.
    pub fn at(named: &Path) -> Result<LedgerFile, LedgerError> {
        let shown = named.display();
        let path = match fs::canonicalize(named) {
            Ok(path) => path,
            Err(error) if is_absence(&error) => absent(named)?,
            Err(error) => return Err(cannot(named, &error)),
        };
        match fs::metadata(&path) {
            Ok(found) if !found.is_file() => Err(LedgerError::Unfit {
                found: format!("{shown} is not a file"),
                remedy: "set DB_PATH to the name of a file, like data/calvalot.db".to_owned(),
            }),
            Ok(found) if found.nlink() > 1 => Err(LedgerError::Unfit {
                found: format!(
                    "{shown} has {} names (hard links), and SQLite keeps its last writes beside one of them only",
                    found.nlink()
                ),
                remedy: format!(
                    "give it a single one: remove the others, or `cp {shown} {shown}.alone && mv {shown}.alone {shown}`"
                ),
            }),
            _ => Ok(LedgerFile { named: named.to_owned(), path }),
        }
    }

    /// Le nom que la personne connaît.
    pub fn named(&self) -> &Path {
        &self.named
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sa taille en octets ; 0 s'il n'est pas là.
    pub fn size(&self) -> Result<u64, LedgerError> {
        match fs::metadata(&self.path) {
            Err(error) if is_absence(&error) => Ok(0),
            found => Ok(found.map_err(|error| cannot(&self.named, &error))?.len()),
        }
    }

    /// Ce que SQLite n'a pas encore ramené dans la base.
    pub fn journal(&self) -> PathBuf {
        beside(&self.path, "-wal")
    }

    /// L'index de ce journal.
    pub fn index(&self) -> PathBuf {
        beside(&self.path, "-shm")
    }

    /// Le journal du programme Python, qui défait ce qui n'est pas fini.
    pub fn rollback(&self) -> PathBuf {
        beside(&self.path, "-journal")
    }

    /// Tenu verrouillé par qui écrit la base.
    pub fn lock(&self) -> PathBuf {
        beside(&self.path, ".lock")
    }

    /// Une base entière qui n'a pas encore pris son nom : personne n'en attend rien.
    pub fn unnamed(&self) -> PathBuf {
        beside(&self.path, "-new")
    }

    /// Une copie que l'on remet, avant qu'elle n'ait pris son nom.
    pub fn restoring(&self) -> PathBuf {
        beside(&self.path, ".restoring")
    }

    /// Comment dire le nom d'un voisin de la base : du côté que la personne connaît.
    pub fn shown(&self, neighbour: &Path) -> PathBuf {
        let aliased = self.named.file_name() != self.path.file_name()
            || fs::canonicalize(folder_of(&self.named)).ok().as_deref() != self.path.parent();
        match neighbour.strip_prefix(folder_of(&self.path)) {
            Ok(name) if !aliased => self.named.with_file_name(name),
            _ => neighbour.to_owned(),
        }
    }

    /// Ôte aux autres le droit de lire et d'écrire la base et ses voisins, que des versions d'avant leur laissaient.
    pub fn tighten(&self) {
        for path in [self.path.clone(), self.journal(), self.index(), self.lock()] {
            let Ok(found) = fs::metadata(&path) else { continue };
            let mode = found.permissions().mode() & 0o7777;
            if mode & OTHERS == 0 {
                continue;
            }
            let shown = self.shown(&path);
            match fs::set_permissions(&path, Permissions::from_mode(mode & !OTHERS)) {
                Ok(()) => log::info!("rights_tightened path={} was={mode:04o}", shown.display()),
                Err(error) => {
                    log::warn!("rights_left path={} mode={mode:04o} reason={error}", shown.display())
                }
            }
        }
    }
}

/// Les fichiers de la base `db_path` que le programme écrit, ceux qui sont là.
pub fn written(db_path: &Path) -> Vec<PathBuf> {
    let Ok(file) = LedgerFile::at(db_path) else { return Vec::new() };
    let all = [file.path.clone(), file.journal(), file.index(), file.lock()];
    all.into_iter().filter(|path| path.exists()).map(|path| file.shown(&path)).collect()
}

/// Vrai si cette erreur dit qu'il n'y a là aucun fichier.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Où sera la base que `named` désigne, qui n'y est pas.
fn absent(named: &Path) -> Result<PathBuf, LedgerError> {
    let shown = named.display();
    if let Ok(target) = fs::read_link(named) {
        let target = folder_of(named).join(target);
        return Err(LedgerError::Unfit {
            found: format!("{shown} is a link to {}, which is not there", target.display()),
            remedy: format!(
                "mount the disk it is on; to begin a ledger there, set DB_PATH={} itself",
                target.display()
            ),
        });
    }
    match (fs::canonicalize(folder_of(named)), named.file_name()) {
        (Ok(folder), Some(name)) => Ok(folder.join(name)),
        // Le dossier n'y est pas encore non plus : il n'y a là ni base, ni lien.
        _ => std::path::absolute(named).map_err(|error| cannot(named, &error)),
    }
}

/// Le fichier neuf `path`, à son seul propriétaire quel que soit l'`umask`.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path)?;
    file.set_permissions(Permissions::from_mode(PRIVATE))?;
    Ok(file)
}

/// Supprime `path` ; qu'il n'y soit pas est aussi bien.
pub(super) fn remove(path: &Path) -> Result<(), LedgerError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot(path, &error)),
        _ => Ok(()),
    }
}

/// Le voisin que SQLite nommerait ainsi.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.into();
    name.push(suffix);
    name.into()
}

/// Le dossier de `path`, `.` pour un nom seul.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(super) fn sync_file(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Rend au disque les noms du dossier de `path`.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

pub(super) fn cannot(path: &Path, error: &io::Error) -> LedgerError {
    LedgerError::Storage(format!("{}: {error}", path.display()))
}
