//! À qui sont les fichiers du grand livre qu'écrit root (`sudo calvalot restore`) : à celui du dossier, qui fait tourner le
//! programme et ne pourrait plus s'en servir.
//!
//! Invariant : rien n'est donné qui ne porte le nom du grand livre ou de ses copies, ni un lien, ni un fichier d'un autre nom encore.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};

use super::copies;
use super::file::folder_of;

const ROOT: u32 = 0;

/// Rend au maître du dossier ce que root vient d'y écrire ; sans effet pour qui n'est pas root, ou dans un dossier de root.
pub fn hand_over(db_path: &Path) {
    let folder = folder_of(db_path);
    let Ok(owner) = fs::metadata(folder) else { return };
    let Some(name) = db_path.file_name().and_then(|name| name.to_str()) else { return };
    let is_root = rustix::process::geteuid().is_root();
    if !is_root || owner.uid() == ROOT {
        return;
    }
    let backups = copies::folder(db_path);
    let mut written = named(folder, name);
    written.extend(copies::kept_before(db_path));
    written.extend(copies::named_in(&backups, db_path).unwrap_or_default());
    written.extend([folder.join(copies::LAST), backups]);
    for path in written {
        if let Err(error) = give(&path, &owner) {
            log::warn!("file_of_root path={} error={error}", path.display());
        }
    }
}

/// Ce qui est là, sous un nom qui commence ainsi.
fn named(folder: &Path, start: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_named = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(start))
    };
    entries.map(|entry| entry.path()).filter(is_named).collect()
}

fn give(path: &Path, owner: &fs::Metadata) -> io::Result<()> {
    let kept = match fs::symlink_metadata(path) {
        Ok(kept) => kept,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let is_plain = kept.is_dir() || (kept.is_file() && kept.nlink() == 1);
    if kept.uid() != ROOT || !is_plain {
        return Ok(());
    }
    lchown(path, Some(owner.uid()), Some(owner.gid()))
}
