//! Le journal (`-wal`) que SQLite tient à côté d'une base : à qui il est, et quand il revient dans la base.
//!
//! SQLite ne lie les deux que par leurs noms. Le sel et les sommes d'un journal lient ses trames entre elles, jamais à la
//! base : une copie mise sous un vieux journal serait lue mêlée à lui, sans un mot. Nous les lions par un numéro, que la
//! base porte en tête (`application_id`, octets 68 à 71). Il avance au début de chaque démarrage et après chaque retour
//! du journal, si bien que la première page 1 d'un journal porte le numéro qui suit celui de sa base ; une copie en reçoit
//! un au hasard.
//! Invariant : une base dont le numéro n'est ni celui d'avant ce journal, ni l'un des siens, n'est pas la sienne.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;

use rusqlite::Connection;

use super::file::LedgerFile;
use super::{Db, LedgerError};

/// Où le numéro est dans la page 1.
const NUMBER: std::ops::Range<usize> = 68..72;

/// Où la base dit la taille de ses pages ; 1 y vaut 65536.
const PAGE_SIZE: std::ops::Range<usize> = 16..18;

/// Ce que SQLite laisse du journal, en octets, quand il le reprend à son début : plus court, il ne le rend jamais.
pub(super) const LEFT: u64 = 1 << 20;

impl Db {
    /// Ramène dans le fichier de la base ce qui n'est que dans son journal, et avance le numéro ; rend faux si quelqu'un
    /// lit encore, et qu'il en reste. Le journal garde sa taille : récrit sur place, il use moins la carte.
    pub fn checkpoint(&mut self) -> Result<bool, LedgerError> {
        let (busy, written, brought): (bool, i64, i64) =
            self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let whole = !busy && written == brought;
        if whole {
            turn(&self.connection)?;
        }
        Ok(whole)
    }
}

/// Avance le numéro de la base : ce que le journal contient désormais vient après ce que le fichier contient.
pub(super) fn turn(connection: &Connection) -> Result<(), LedgerError> {
    let number: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    Ok(connection.pragma_update(None, "application_id", number.wrapping_add(1))?)
}

/// Donne à une base neuve ou à une copie un numéro qu'aucune autre n'a, pas même celle dont elle vient.
pub(super) fn number_at_random(connection: &Connection) -> Result<(), LedgerError> {
    let number: i32 = connection.query_row("SELECT random() >> 33", [], |row| row.get(0))?;
    Ok(connection.pragma_update(None, "application_id", number)?)
}

/// Vrai si le journal qui est à côté de cette base, que personne n'écrit, est celui d'une autre. Faux si rien ne le dit :
/// un journal vide, ou coupé avant sa première fin de transaction, que SQLite ignore.
pub(super) fn is_of_another(file: &LedgerFile) -> io::Result<bool> {
    let journal = match File::open(file.journal()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        journal => journal?,
    };
    let mut head = [0; 100];
    match File::open(file.path())?.read_exact_at(&mut head, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        read => read?,
    }
    let Some(frames) = Frames::read(BufReader::new(journal))? else { return Ok(false) };
    if frames.page_size != page_size(&head) {
        return Ok(true);
    }
    let Some(first) = frames.numbers.first() else { return Ok(false) };
    let number = number(&head);
    Ok(number != first.wrapping_sub(1) && !frames.numbers.contains(&number))
}

fn number(page: &[u8]) -> u32 {
    big_endian(&page[NUMBER])
}

fn page_size(head: &[u8]) -> usize {
    match usize::from(head[PAGE_SIZE.start]) << 8 | usize::from(head[PAGE_SIZE.start + 1]) {
        1 => 65536,
        size => size,
    }
}

fn big_endian(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Ce qui d'un journal compte pour SQLite : les trames dont le sel et la somme sont justes, jusqu'à la dernière qui finit
/// une transaction.
struct Frames {
    page_size: usize,
    /// Les numéros que ses pages 1 portent, dans l'ordre.
    numbers: Vec<u32>,
}

impl Frames {
    /// `None` s'il n'y a là aucune transaction finie. (Format : <https://www.sqlite.org/fileformat2.html#walformat>.)
    fn read(mut journal: impl Read) -> io::Result<Option<Frames>> {
        let mut head = [0; 32];
        if !fill(&mut journal, &mut head)? {
            return Ok(None);
        }
        let magic = big_endian(&head[0..4]);
        let mut sum = Sum { words_are_big_endian: magic & 1 == 1, halves: [0, 0] };
        sum.add(&head[..24]);
        if magic & !1 != 0x377f_0682 || !sum.is(&head[24..32]) {
            return Ok(None);
        }
        let (page_size, salt) = (big_endian(&head[8..12]) as usize, &head[16..24]);
        let (mut numbers, mut unfinished, mut finished) = (Vec::new(), Vec::new(), false);
        let (mut frame, mut page) = ([0; 24], vec![0; page_size.clamp(512, 65536)]);
        while fill(&mut journal, &mut frame)? && fill(&mut journal, &mut page)? {
            sum.add(&frame[..8]);
            sum.add(&page);
            if frame[8..16] != *salt || !sum.is(&frame[16..24]) {
                break;
            }
            if big_endian(&frame[0..4]) == 1 {
                unfinished.push(number(&page));
            }
            if big_endian(&frame[4..8]) != 0 {
                numbers.append(&mut unfinished);
                finished = true;
            }
        }
        Ok(finished.then_some(Frames { page_size, numbers }))
    }
}

/// Remplit `bytes` en entier ; faux si le journal finit avant.
fn fill(journal: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match journal.read_exact(bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

/// La somme que SQLite fait de proche en proche, de l'en-tête à la dernière trame.
struct Sum {
    words_are_big_endian: bool,
    halves: [u32; 2],
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let word = |bytes: &[u8]| match self.words_are_big_endian {
            true => big_endian(bytes),
            false => big_endian(bytes).swap_bytes(),
        };
        let [mut left, mut right] = self.halves;
        for pair in bytes.chunks_exact(8) {
            left = left.wrapping_add(word(&pair[..4])).wrapping_add(right);
            right = right.wrapping_add(word(&pair[4..])).wrapping_add(left);
        }
        self.halves = [left, right];
    }

    fn is(&self, written: &[u8]) -> bool {
        [big_endian(&written[..4]), big_endian(&written[4..])] == self.halves
    }
}
