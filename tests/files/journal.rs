//! Une copie mise à la main sur le grand livre, sous le journal de l'ancien : SQLite lirait les deux mêlés.

use std::fs;
use std::path::Path;

use calvalot::sim::World;

use super::books;
use super::follower::{Folder, Process, still_world, until};
use super::{backup, beside, check_follows, check_unfit, command, ended, killed, restore, settled, trades};

/// Pose cette copie sur la base et laisse le journal.
fn put_over(folder: &Folder, copy: &Path) {
    fs::copy(copy, folder.db()).unwrap();
}

fn check_named(world: &World, folder: &Folder, restored: &str) {
    let (db, journal) = (folder.db().display().to_string(), beside(folder, "-wal").display().to_string());
    check_unfit(
        world,
        folder,
        &[&format!("{journal} holds the last writes of another ledger than {db}"), "mixed up"],
        &[restored, &format!("move {journal} and {db}-shm away")],
    );
    // Ni copié, ni vérifié mêlé.
    for words in [&["backup", "other.db"][..], &["verify", "--offline"]] {
        let refused = ended(&mut command(world, folder, words));
        assert_eq!(refused.code, Some(1), "{words:?}: {}", refused.out);
        assert!(!folder.path().join("other.db").exists());
    }
}

#[test]
fn a_copy_under_the_journal_of_the_ledger_it_replaced_is_never_mixed_with_it() {
    let (world, folder) = (still_world(), Folder::new());
    killed(&world, &folder);
    let copy = backup(&world, &folder);
    put_over(&folder, &copy);
    check_named(&world, &folder, &format!("`calvalot restore {}`", copy.display()));
    let (mixed, journal) = (fs::read(folder.db()).unwrap(), fs::read(beside(&folder, "-wal")).unwrap());
    let said = restore(&world, &folder, &copy);
    let kept = said.lines().find_map(|line| line.strip_prefix("the one of before is ")).expect(&said);
    assert_eq!(fs::read(kept).unwrap(), mixed);
    assert_eq!(fs::read(format!("{kept}.journal")).unwrap(), journal);
    assert_eq!(trades(&folder.db()), trades(&copy));
    check_follows(&world, &folder);
}

/// Ce fichier d'une heure d'avant, tel quel : SQLite n'y voit parfois aucun mal, ses livres si.
#[test]
fn the_file_of_an_hour_before_is_not_mixed_with_the_journal_of_now() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder);
    let before = folder.path().join("before.db");
    fs::copy(folder.db(), &before).unwrap();
    let process = Process::run(&world, &folder);
    until("it follows", || (process.site().polls() >= 1.0).then_some(()));
    assert_eq!(process.terminate(), Some(0));
    killed(&world, &folder);
    put_over(&folder, &before);
    check_named(&world, &folder, "`calvalot restore FILE`");
    // La personne voulait ce fichier-là.
    for suffix in ["-wal", "-shm"] {
        fs::rename(beside(&folder, suffix), folder.path().join(format!("away{suffix}"))).unwrap();
    }
    check_follows(&world, &folder);
}

/// Une version d'avant ne numérotait pas : il reste ce que la lecture entière voit.
#[test]
fn a_journal_without_a_number_is_denounced_by_what_it_damages() {
    let (world, folder) = (still_world(), Folder::new());
    killed(&world, &folder);
    let copy = backup(&world, &folder);
    put_over(&folder, &copy);
    let mut base = fs::read(folder.db()).unwrap();
    base[68..72].fill(0);
    let journal = fs::read(beside(&folder, "-wal")).unwrap();
    fs::write(folder.db(), &base).unwrap();
    // Sans trame de la première page, un journal n'a pas de numéro non plus : ceux d'avant, dans leur première heure.
    assert_ne!(journal.len(), 0);
    fs::write(beside(&folder, "-wal"), without_numbers(&journal)).unwrap();
    check_named(&world, &folder, &format!("`calvalot restore {}`", copy.display()));
}

/// Le même journal, où chaque page 1 porte le numéro 0 ; ses sommes sont refaites.
fn without_numbers(journal: &[u8]) -> Vec<u8> {
    let word = |bytes: &[u8], big: bool| {
        let bytes: [u8; 4] = bytes.try_into().unwrap();
        if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    let big = journal[3] & 1 == 1;
    let add = |sum: &mut [u32; 2], bytes: &[u8]| {
        for pair in bytes.chunks_exact(8) {
            sum[0] = sum[0].wrapping_add(word(&pair[..4], big)).wrapping_add(sum[1]);
            sum[1] = sum[1].wrapping_add(word(&pair[4..], big)).wrapping_add(sum[0]);
        }
    };
    let (mut sum, mut done) = ([0, 0], journal[..32].to_vec());
    add(&mut sum, &journal[..24]);
    for frame in journal[32..].chunks_exact(24 + 1024) {
        if frame[8..16] != journal[16..24] {
            break;
        }
        let mut frame = frame.to_vec();
        if frame[..4] == [0, 0, 0, 1] {
            frame[24 + 68..24 + 72].fill(0);
        }
        add(&mut sum, &frame[..8]);
        add(&mut sum, &frame[24..]);
        frame[16..20].copy_from_slice(&sum[0].to_be_bytes());
        frame[20..24].copy_from_slice(&sum[1].to_be_bytes());
        done.extend(frame);
    }
    done
}

#[test]
fn the_own_journal_of_a_killed_program_is_always_taken_up() {
    let (world, folder) = (still_world(), Folder::new());
    for _ in 0..3 {
        killed(&world, &folder);
        let bought = trades(&folder.db());
        check_follows(&world, &folder);
        assert!(trades(&folder.db()) >= bought);
        books::check_settled(&books::open(&folder.db()));
    }
}
