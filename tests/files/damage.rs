//! Un grand livre abîmé, coupé, ou qui n'en est pas un ne négocie jamais : relu en entier avant d'être changé, refusé, gardé.

use std::fs;

use calvalot::domain::money::Eur;
use calvalot::ledger::{self, LedgerError};
use calvalot::{clock, verify};
use rust_decimal::dec;

use super::follower::{Folder, still_world};
use super::{backup, check_follows, check_unfit, restore, settled, trades};

const PAGE: usize = 1024;

/// Ce qu'un démarrage dirait de la base de ce dossier : rien s'il l'ouvre, la fermant aussitôt.
fn opening(folder: &Folder) -> Result<(), LedgerError> {
    let (ledger, thread) = ledger::open(&folder.db(), "dry_run", Eur::new(dec!(1000)), clock::now())?;
    drop(ledger);
    thread.join();
    Ok(())
}

#[test]
fn a_ledger_that_lost_any_of_its_pages_is_never_opened() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let copy = backup(&world, &folder);
    let whole = fs::read(folder.db()).unwrap();
    let (pages, mut free) = (whole.len() / PAGE, 0);
    assert!(pages > 40, "{pages} pages");
    for page in 0..pages {
        let mut lost = whole.clone();
        let place = page * PAGE..(page + 1) * PAGE;
        if lost[place.clone()].iter().all(|byte| *byte == 0) {
            free += 1;
            continue;
        }
        lost[place].fill(0);
        fs::write(folder.db(), &lost).unwrap();
        match opening(&folder) {
            Err(LedgerError::Unfit { found, remedy }) => {
                assert!(
                    found.contains(&format!("{} is damaged", folder.db().display())),
                    "page {page}: {found}"
                );
                assert!(
                    remedy.contains(&format!("`calvalot restore {}`", copy.display())),
                    "page {page}: {remedy}"
                );
                assert_eq!(fs::read(folder.db()).unwrap(), lost, "page {page}: it was written to");
            }
            Err(error) => panic!("page {page}: {error}"),
            // La page était libre : SQLite n'y voit pas de mal, et les livres non plus.
            Ok(()) => {
                free += 1;
                let report = verify::verify(&folder.db()).unwrap();
                assert_eq!(report.differences, 0, "page {page}: {}", report.text);
            }
        }
    }
    assert!(free * 10 <= pages, "{free} of {pages} pages were not missed");
}

#[test]
fn a_ledger_cut_short_is_never_opened() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let whole = fs::read(folder.db()).unwrap();
    let page_ends = (1..whole.len() / PAGE).map(|page| page * PAGE);
    for length in page_ends.chain([1, 15, 16, 99, 100, 511, 512, 1023, 1500, whole.len() - 1]) {
        fs::write(folder.db(), &whole[..length]).unwrap();
        match opening(&folder) {
            Err(LedgerError::Unfit { found, .. }) => {
                assert!(found.contains("is damaged"), "{length}: {found}")
            }
            Err(error) => panic!("{length} octets: {error}"),
            Ok(()) => panic!("{length} of {} octets were opened", whole.len()),
        }
        assert_eq!(fs::metadata(folder.db()).unwrap().len() as usize, length, "it was written to");
    }
}

#[test]
fn a_damaged_ledger_is_refused_with_the_newest_good_copy_which_brings_it_back() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let copy = backup(&world, &folder);
    let mut lost = fs::read(folder.db()).unwrap();
    lost[PAGE..2 * PAGE].fill(0);
    fs::write(folder.db(), &lost).unwrap();
    let named = format!("`calvalot restore {}`", copy.display());
    check_unfit(
        &world,
        &folder,
        &["is damaged", "nothing is traded from it"],
        &[&named, "keeps this one aside", "another DB_PATH"],
    );
    let said = restore(&world, &folder, &copy);
    let kept = said.lines().find_map(|line| line.strip_prefix("the one of before is ")).expect(&said);
    assert_eq!(fs::read(kept).unwrap(), lost);
    assert_eq!(trades(&folder.db()), trades(&copy));
    check_follows(&world, &folder);
}

#[test]
fn garbage_is_no_ledger() {
    let (world, folder) = (still_world(), Folder::new());
    let long = "this is no database, and it is long enough to be read as one".repeat(100);
    for text in ["x", "SQLite format 3\0", long.as_str()] {
        fs::write(folder.db(), text).unwrap();
        check_unfit(
            &world,
            &folder,
            &["is damaged"],
            &["`calvalot restore FILE`", "there is none in", "DB_PATH"],
        );
    }
}

#[test]
fn the_database_of_another_program_is_left_as_it_is() {
    for version in [0, 1, 3] {
        let (world, folder) = (still_world(), Folder::new());
        let other = rusqlite::Connection::open(folder.db()).unwrap();
        other.execute_batch("CREATE TABLE orders (id INTEGER); CREATE TABLE trades (id INTEGER)").unwrap();
        other.pragma_update(None, "user_version", version).unwrap();
        drop(other);
        check_unfit(&world, &folder, &["is the database of another program"], &["another DB_PATH"]);
    }
}
