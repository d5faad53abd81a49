//! Ce qui prouve qu'un grand livre a été là, quand son fichier manque ou est vide.
//!
//! Un livre neuf investirait de nouveau tout le capital : là où il y eut un livre, personne n'en commence un sans l'avoir
//! voulu. Ce qui le prouve se dit fichier par fichier, et c'est aussi ce qu'il faut ôter pour recommencer.

use std::fs;
use std::path::{Path, PathBuf};

use super::copies;
use super::file::{LedgerFile, beside, folder_of};
use super::lock;

/// Ce qui reste d'un grand livre disparu, en mots ; vide si rien n'en reste.
pub(super) fn traces(file: &LedgerFile) -> Vec<String> {
    let mut found = Vec::new();
    let shown = |path: &Path| file.shown(path).display().to_string();
    if lock::remembers(file) {
        found.push(format!("{} (written once a ledger was whole)", shown(&file.lock())));
    }
    let neighbours = [file.journal(), file.index(), file.rollback(), file.restoring()];
    found.extend(neighbours.iter().filter(|path| path.exists()).map(|path| shown(path)));
    for named in names(file) {
        found.extend(copies::kept_before(named).iter().map(|path| path.display().to_string()));
        let folder = copies::folder(named);
        let copies = copies::named_in(&folder, named).map_or(0, |copies| copies.len());
        if copies > 0 {
            let word = if copies == 1 { "copy" } else { "copies" };
            found.push(format!("{copies} {word} in {}", folder.display()));
        }
        let last = folder_of(named).join(copies::LAST);
        if last.exists() && !is_shared(named) {
            found.push(last.display().to_string());
        }
    }
    found
}

/// La base par son nom et, quand un lien mène ailleurs, par le vrai : ses copies sont à côté de l'un ou de l'autre.
fn names(file: &LedgerFile) -> Vec<&Path> {
    let resolved = file.shown(file.path());
    if resolved == file.named() { vec![file.named()] } else { vec![file.named(), file.path()] }
}

/// Vrai si une autre base vit à côté de `named`, ou y a des copies : ce qui n'est au nom de personne peut venir d'elle.
fn is_shared(named: &Path) -> bool {
    let own = beside(named, ".lock");
    let of_another = |lock: PathBuf| {
        lock.extension().is_some_and(|extension| extension == "lock")
            && lock.file_name() != own.file_name()
            && lock.with_extension("").exists()
    };
    let neighbours = fs::read_dir(folder_of(named)).into_iter().flatten().filter_map(Result::ok);
    neighbours.map(|entry| entry.path()).any(of_another) || copies::has_others(&copies::folder(named), named)
}
