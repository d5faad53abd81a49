//! Si le fichier que nous tenons ouvert est toujours à sa place, tel que nous l'avons laissé.
//!
//! Un fichier ôté, remplacé ou récrit pendant que le programme tourne ne se voit pas de l'intérieur : SQLite garde
//! l'ancien ouvert et répond comme avant, et tout ce qui s'écrit là est perdu au prochain démarrage. Le fil du grand livre
//! regarde avant chaque travail et note après lui : ce qui change entre les deux n'est pas de nous.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::file::{self, LedgerFile};
use super::journal;

/// De combien l'heure d'un fichier peut bouger d'elle-même : des systèmes de fichiers ne la tiennent qu'à deux secondes, ou
/// la reprennent d'une autre machine.
const SLACK: Duration = Duration::from_secs(2);

/// La tête d'une base : sa taille, son numéro, et ce qui change à chaque retour du journal.
const HEAD: usize = 100;

/// La place d'une base ouverte.
pub(super) struct Place {
    file: LedgerFile,
    /// Le même fichier, à lire. Jamais fermé avant SQLite : fermer un fichier en ôte tous les verrous, les siens aussi.
    held: File,
    base: Inode,
    /// `None` là où SQLite ne peut pas tenir de journal à part.
    journal: Option<Inode>,
    lock: Option<Inode>,
    /// Ce que le dernier travail a laissé de la base, et la taille de son journal.
    left: Left,
    journal_left: Option<u64>,
}

#[derive(Clone, Copy, PartialEq)]
struct Inode {
    device: u64,
    number: u64,
}

#[derive(Clone, Copy)]
struct Left {
    size: u64,
    modified: SystemTime,
    /// `None` s'il est trop court pour en avoir une.
    head: Option<[u8; HEAD]>,
}

/// Ce qui est arrivé à la base ouverte.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Displaced {
    /// Son fichier n'a plus ce nom, ou plus aucun : nous tenons le seul exemplaire de ce qu'il contient.
    Lost(String),
    /// Son fichier n'est plus ce que nous croyons : rien ne doit plus y être ramené.
    Overwritten(String),
    /// Son journal n'a plus de nom ; il revient dans la base tant que le programme vit.
    JournalLost(String),
    /// Son verrou n'est plus celui que nous tenons : un autre programme a pu le prendre.
    LockLost(String),
}

impl Displaced {
    pub fn reason(&self) -> &str {
        match self {
            Displaced::Lost(reason)
            | Displaced::Overwritten(reason)
            | Displaced::JournalLost(reason)
            | Displaced::LockLost(reason) => reason,
        }
    }
}

impl Place {
    /// La place de la base qui vient d'être ouverte dans `file`.
    pub fn of(file: LedgerFile) -> io::Result<Place> {
        let held = File::open(file.path())?;
        let base = held.metadata()?;
        let (journal, lock) = (inode(look(&file.journal())), inode(look(&file.lock())));
        let left = Left::of(&base, &held)?;
        Ok(Place { base: Inode::of(&base), journal, lock, left, journal_left: None, held, file })
    }

    pub fn file(&self) -> &LedgerFile {
        &self.file
    }

    /// Ces octets ne sont plus les nôtres.
    pub fn overwritten(&self) -> Displaced {
        Displaced::Overwritten(format!(
            "{} was written over by another program while calvalot uses it",
            self.file.named().display()
        ))
    }

    /// Ce qui est arrivé depuis [`Place::note`] ; `None` si tout y est. Un disque qui ne répond pas se dit ailleurs.
    pub fn look(&self) -> Option<Displaced> {
        let shown = self.file.named().display();
        let base = match look(self.file.path()) {
            Look::Unknown => return None,
            Look::Absent => {
                return Some(Displaced::Lost(format!(
                    "{shown} was removed or renamed while calvalot uses it"
                )));
            }
            Look::Here(base) => base,
        };
        if Inode::of(&base) != self.base {
            let reason = format!("another file was put in place of {shown} while calvalot uses it");
            return Some(Displaced::Lost(reason));
        }
        if !self.left.is_in(&base, &self.held) {
            return Some(self.overwritten());
        }
        let journal = look(&self.file.journal());
        // Un autre programme peut y ajouter, par SQLite ; aucun ne le raccourcit pendant que nous le tenons.
        if let (Look::Here(found), Some(left)) = (&journal, self.journal_left)
            && Some(Inode::of(found)) == self.journal
            && found.len() < left.min(journal::LEFT)
        {
            return Some(self.overwritten());
        }
        let lost =
            self.journal.is_some() && !matches!(journal, Look::Unknown) && inode(journal) != self.journal;
        if lost {
            return Some(Displaced::JournalLost(format!(
                "{shown}-wal was removed or replaced while calvalot uses it; restart calvalot (not by a kill): as it stops, \
                 it brings what was there into {shown}"
            )));
        }
        let lock = look(&self.file.lock());
        let lost = self.lock.is_some() && !matches!(lock, Look::Unknown) && inode(lock) != self.lock;
        lost.then(|| {
            Displaced::LockLost(format!(
                "the lock of {shown} was removed or replaced while calvalot uses it, and another calvalot may have taken it; \
                 stop every calvalot, then start one"
            ))
        })
    }

    /// Supprime notre journal et son index, fermés, si ce sont bien eux qui sont là.
    pub fn remove_own_journal(&self) {
        let journal = self.file.journal();
        if inode(look(&journal)) == self.journal
            && let Err(error) = file::remove(&journal).and_then(|()| file::remove(&self.file.index()))
        {
            log::warn!("journal_left reason={error}");
        }
    }

    /// Retient comment un travail qui l'a écrit laisse le fichier de la base.
    pub fn note_base(&mut self) {
        if let Look::Here(base) = look(self.file.path())
            && Inode::of(&base) == self.base
            && let Ok(left) = Left::of(&base, &self.held)
            // Vidé pendant ce travail, il n'est pas ce qu'il a laissé.
            && left.head.is_some()
        {
            self.left = left;
        }
    }

    /// Retient comment un travail laisse le journal.
    pub fn note_journal(&mut self) {
        // Raccourci par un autre pendant ce travail, il le sera encore au prochain regard.
        if let Look::Here(journal) = look(&self.file.journal())
            && Some(Inode::of(&journal)) == self.journal
        {
            self.journal_left = Some(journal.len()).max(self.journal_left);
        }
    }
}

impl Inode {
    fn of(found: &Metadata) -> Inode {
        Inode { device: found.dev(), number: found.ino() }
    }
}

impl Left {
    fn of(found: &Metadata, held: &File) -> io::Result<Left> {
        Ok(Left { size: found.len(), modified: found.modified()?, head: head(held) })
    }

    fn is_in(self, found: &Metadata, held: &File) -> bool {
        let Ok(modified) = found.modified() else { return true };
        let moved = modified.duration_since(self.modified).unwrap_or_else(|before| before.duration());
        found.len() == self.size && moved <= SLACK && head(held) == self.head
    }
}

/// Une copie de la même taille, mise là dans la seconde, ne se voit qu'à elle.
fn head(held: &File) -> Option<[u8; HEAD]> {
    let mut head = [0; HEAD];
    held.read_exact_at(&mut head, 0).ok().map(|()| head)
}

enum Look {
    Here(Metadata),
    Absent,
    Unknown,
}

fn inode(look: Look) -> Option<Inode> {
    match look {
        Look::Here(found) => Some(Inode::of(&found)),
        Look::Absent | Look::Unknown => None,
    }
}

fn look(path: &Path) -> Look {
    match fs::metadata(path) {
        Ok(found) => Look::Here(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Look::Absent,
        Err(_) => Look::Unknown,
    }
}
