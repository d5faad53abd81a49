//! Les copies d'un grand livre : comment elles se nomment, où elles sont, et la plus récente que l'on puisse remettre.
//!
//! Un nom ne prouve rien : une copie n'est conseillée qu'une fois relue en entier. Son heure est celle du dernier tour
//! qu'elle contient, pas celle de son nom, que n'importe qui peut changer.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::file::folder_of;
use super::soundness::{self, Origin};
use crate::clock;
use crate::domain::moment::Moment;

/// À côté de la base : l'heure Unix de la dernière copie réussie, en secondes. Ce qui surveille de dehors le lit.
pub const LAST: &str = "last-backup";

/// Le dossier des copies de la base `db_path`, à côté d'elle.
pub fn folder(db_path: &Path) -> PathBuf {
    folder_of(db_path).join("backups")
}

/// `calvalot-20261122-101500.db`, en UTC.
pub fn name(db_path: &Path, now: Moment) -> String {
    let stamp: String = clock::utc(now).replace(' ', "-").chars().filter(|c| !":-".contains(*c)).collect();
    let (day, hour) = stamp.split_at(8);
    format!("{}-{day}-{hour}.db", stem(db_path))
}

/// Le nom que garde la base `db_path` qu'une copie remplace.
pub fn name_of_before(db_path: &Path, now: Moment) -> String {
    format!("{BEFORE}{}", name(db_path, now))
}

const BEFORE: &str = "before-restore-";

/// Les copies de la base `db_path` dans ce dossier, par leurs noms, de la plus ancienne à la plus récente.
pub fn named_in(folder: &Path, db_path: &Path) -> io::Result<Vec<PathBuf>> {
    matching(folder, |candidate| is_named(candidate, db_path))
}

/// Ce que des retours de copies ont gardé de la base `db_path`, à côté d'elle.
pub(super) fn kept_before(db_path: &Path) -> Vec<PathBuf> {
    let ours = |candidate: &str| candidate.strip_prefix(BEFORE).is_some_and(|rest| is_named(rest, db_path));
    matching(folder_of(db_path), ours).unwrap_or_default()
}

/// Vrai si ce dossier a des copies d'une autre base que `db_path`.
pub(super) fn has_others(folder: &Path, db_path: &Path) -> bool {
    let others = |candidate: &str| stamped(candidate).is_some_and(|stem| stem != self::stem(db_path));
    matching(folder, others).is_ok_and(|others| !others.is_empty())
}

/// Les noms se rangent comme les heures.
fn matching(folder: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.filter_map(Result::ok);
    let wanted = |name: &std::ffi::OsString| name.to_str().is_some_and(&wanted);
    let mut found: Vec<_> = entries.map(|entry| entry.file_name()).filter(wanted).collect();
    found.sort_unstable();
    Ok(found.into_iter().map(|name| folder.join(name)).collect())
}

fn stem(db_path: &Path) -> String {
    db_path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_named(candidate: &str, db_path: &Path) -> bool {
    stamped(candidate).is_some_and(|stem| stem == self::stem(db_path))
}

/// De quelle base [`name`] ferait ce nom.
fn stamped(candidate: &str) -> Option<&str> {
    let (rest, hour) = candidate.strip_suffix(".db")?.rsplit_once('-')?;
    let (stem, day) = rest.rsplit_once('-')?;
    let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    (shape(day) == "00000000" && shape(hour) == "000000").then_some(stem)
}

/// De l'argent réel se refait sans copie.
const ANEW: &str =
    "of real money, `calvalot restore` without a file makes it again of what the account remembers";

/// Quoi faire d'une base perdue ou abîmée : remettre la copie la plus récente de `db_path` qui soit bonne.
pub(super) fn remedy(db_path: &Path) -> String {
    advice(db_path, |moment| ago(moment, clock::now()))
}

/// De même, en une phrase qui restera vraie tant qu'on la lit.
pub(super) fn lasting_remedy(db_path: &Path) -> String {
    advice(db_path, |_| String::new())
}

fn advice(db_path: &Path, age: impl FnOnce(Moment) -> String) -> String {
    let folder = folder(db_path);
    let mut copies = named_in(&folder, db_path).unwrap_or_default();
    // Là où ce dossier ne s'écrivait pas, ce qui restait d'une base ôtée est à côté d'elle.
    copies.extend(named_in(folder_of(db_path), db_path).unwrap_or_default());
    match newest_good(&copies) {
        Some((copy, moment)) => {
            let (copy, at, age) = (copy.display(), clock::utc(moment), age(moment));
            format!("put back the newest good copy, of {at} UTC{age}: `calvalot restore {copy}`")
        }
        None if copies.is_empty() => format!(
            "put a good copy back with `calvalot restore FILE` (there is none in {}); {ANEW}",
            folder.display()
        ),
        None => format!(
            "put a good copy back with `calvalot restore FILE` (none of those in {} is good); {ANEW}",
            folder.display()
        ),
    }
}

/// La plus récente d'abord : relire toute une copie est long, et la première bonne suffit.
fn newest_good(copies: &[PathBuf]) -> Option<(&PathBuf, Moment)> {
    let mut dated: Vec<_> = copies.iter().filter_map(|copy| Some((copy, last_moment(copy)?))).collect();
    dated.sort_by_key(|(_, moment)| *moment);
    dated.into_iter().rev().find(|(copy, _)| is_good(copy))
}

/// Vrai si cette copie est entière et à nous.
fn is_good(copy: &Path) -> bool {
    let whole = soundness::open_alone(copy).map_err(Into::into).and_then(|copy| soundness::whole(&copy));
    whole.is_ok_and(Origin::is_ours)
}

/// L'heure du dernier tour d'une copie, ou celle de sa création s'il n'y en eut aucun ; `None` si elle ne la dit pas.
fn last_moment(copy: &Path) -> Option<Moment> {
    moment_of(&soundness::open_alone(copy).ok()?).ok()?
}

fn moment_of(connection: &Connection) -> rusqlite::Result<Option<Moment>> {
    let sql = "SELECT coalesce((SELECT polled_at FROM pulse), created_at) FROM account";
    connection.query_row(sql, [], |row| row.get(0)).optional()
}

/// `, 6 days ago` ; rien quand l'heure de la machine est d'avant.
fn ago(moment: Moment, now: Moment) -> String {
    let hours = now.since(moment).as_secs() / 3600;
    match hours {
        _ if now < moment => String::new(),
        0 => ", less than an hour ago".to_owned(),
        1 => ", an hour ago".to_owned(),
        2..48 => format!(", {hours} hours ago"),
        _ => format!(", {} days ago", hours / 24),
    }
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
            "my-live-20260101-000000.db",
            "live-20260101-000000.db.part",
            "live-2026010a-000000.db",
        ];
        assert!(ours.iter().all(|name| is_named(name, ledger)));
        assert!(!others.iter().any(|name| is_named(name, ledger)));
    }

    #[test]
    fn the_age_of_a_copy_is_said_unless_the_clock_contradicts_it() {
        const HOUR: i64 = 3_600_000;
        let cases = [
            (-1, ""),
            (0, ", less than an hour ago"),
            (HOUR, ", an hour ago"),
            (2 * HOUR, ", 2 hours ago"),
            (47 * HOUR, ", 47 hours ago"),
            (48 * HOUR, ", 2 days ago"),
            (30 * 24 * HOUR, ", 30 days ago"),
        ];
        for (age, expected) in cases {
            assert_eq!(ago(Moment(HOUR), Moment(HOUR + age)), expected, "{age}");
        }
    }
}
