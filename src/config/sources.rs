//! D'où viennent les valeurs : l'environnement, puis le fichier que l'assistant de l'ancien programme
//! a écrit (un objet plat de textes et de nombres).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::variables::{VARIABLES, default};
use super::{Fault, Faults};

/// Plus court, un nom ressemble à trop d'autres (`PATH` à `DB_PATH`).
const SHORTEST_CHECKED: usize = 8;

/// Ce que certains éditeurs de Windows mettent, sans le montrer, au début d'un fichier : le premier nom d'un `.env` en devient un
/// autre.
const MARK: char = '\u{feff}';

/// Une variable du processus, si elle n'est pas vide.
pub fn environment(name: &str) -> Option<String> {
    let value = std::env::var_os(name).or_else(|| std::env::var_os(format!("{MARK}{name}")))?;
    let value = value.to_string_lossy().into_owned();
    Some(value).filter(|value| !value.trim().is_empty())
}

/// Le contenu du fichier de configuration ; rien s'il n'y en a pas.
pub fn file(get: impl Fn(&str) -> Option<String>) -> Result<BTreeMap<String, String>, Faults> {
    let path = path(get);
    match std::fs::read_to_string(&path) {
        Ok(text) => read(&text).map_err(|wrong| fault(&path, wrong)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(BTreeMap::new())
        }
        Err(error) => Err(fault(&path, format!("cannot be read: {error}"))),
    }
}

fn path(get: impl Fn(&str) -> Option<String>) -> PathBuf {
    match get("CONFIG_PATH") {
        Some(path) => PathBuf::from(path.trim()),
        None => {
            let database =
                get("DB_PATH").or_else(|| default("DB_PATH").map(str::to_owned)).unwrap_or_default();
            Path::new(database.trim()).with_file_name("config.json")
        }
    }
}

fn fault(path: &Path, wrong: String) -> Faults {
    Faults::Invalid(vec![Fault {
        variable: "CONFIG_PATH".to_owned(),
        wrong: format!("{} {wrong}", path.display()),
        remedy: "correct the file, or delete it and set the variables in .env".to_owned(),
    }])
}

/// Une valeur du fichier : l'assistant écrivait des textes, une main y met aussi des nombres.
#[derive(Deserialize)]
#[serde(untagged)]
enum Setting {
    Text(String),
    Word(bool),
    Number(serde_json::Number),
}

/// Un objet plat ; ce qui est `null` n'est pas réglé. L'erreur dit à quelle ligne.
fn read(text: &str) -> Result<BTreeMap<String, String>, String> {
    let settings: BTreeMap<String, Option<Setting>> = serde_json::from_str(text)
        .map_err(|error| format!("is not a JSON object of texts and numbers: {error}"))?;
    let set = settings.into_iter().filter_map(|(name, setting)| Some((name, setting?)));
    Ok(set.map(|(name, setting)| (name, setting.into_text())).collect())
}

impl Setting {
    fn into_text(self) -> String {
        match self {
            Setting::Text(text) => text,
            Setting::Word(word) => word.to_string(),
            Setting::Number(number) => number.to_string(),
        }
    }
}

/// Un avertissement par variable dont le nom porte la marque.
pub fn marked(environment: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    let names =
        environment.filter_map(|(name, _)| name.into_string().ok()?.strip_prefix(MARK).map(str::to_owned));
    let told = |name: String| {
        format!(
            "{name}: .env begins with an invisible mark (BOM), left out here: save it as UTF-8 without BOM"
        )
    };
    names.map(told).collect()
}

/// Un avertissement par variable inconnue qui ressemble à une des nôtres.
pub fn misspelled(environment: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    let named = environment.map(|(name, _)| name.to_string_lossy().into_owned());
    let names: Vec<String> = named.filter(|name| !name.starts_with(MARK)).collect();
    let is_known = |name: &str| VARIABLES.iter().any(|variable| variable.name == name);
    let mut warnings = Vec::new();
    for name in names.iter().filter(|name| !is_known(name)) {
        let near = |known: &&str| known.len() >= SHORTEST_CHECKED && distance(known, name) <= 2;
        let meant = name.strip_prefix("CALVALOT_").filter(|rest| is_known(rest));
        let meant = meant.or_else(|| VARIABLES.iter().map(|variable| variable.name).find(near));
        if let Some(meant) = meant {
            warnings.push(format!("{name} has no effect: did you mean {meant}?"));
        }
    }
    warnings
}

/// Lettres à changer, ôter ou ajouter pour passer de l'un à l'autre (Levenshtein).
fn distance(one: &str, two: &str) -> usize {
    let mut previous: Vec<usize> = (0..=two.len()).collect();
    for (row, left) in one.bytes().enumerate() {
        let mut current = vec![row + 1];
        for (column, right) in two.bytes().enumerate() {
            let changed = previous[column] + usize::from(left != right);
            current.push(changed.min(previous[column + 1] + 1).min(current[column] + 1));
        }
        previous = current;
    }
    previous[two.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_old_assistant_is_read() {
        let values = read(
            r#"{"LEADER_URL": "https://l.example", "INITIAL_BUDGET_EUR": 100.5, "PORT": 8081,
                "BINANCE_TESTNET": false, "SMTP_USER": null}"#,
        )
        .unwrap();
        let value = |name: &str| values.get(name).map(String::as_str);
        assert_eq!(value("LEADER_URL"), Some("https://l.example"));
        assert_eq!(value("INITIAL_BUDGET_EUR"), Some("100.5"));
        assert_eq!(value("PORT"), Some("8081"));
        assert_eq!(value("BINANCE_TESTNET"), Some("false"));
        assert_eq!(value("SMTP_USER"), None);
    }

    #[test]
    fn a_file_that_is_no_flat_object_is_refused() {
        for text in ["", "[]", "{", r#"{"PORT": [8080]}"#, r#"{"PORT": {"a": 1}}"#] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_file_is_looked_for_beside_the_database() {
        let with = |name: &'static str, value: &'static str| {
            path(move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(with("NOTHING", ""), Path::new("data/config.json"));
        assert_eq!(with("DB_PATH", "/app/data/calvalot.db"), Path::new("/app/data/config.json"));
        assert_eq!(with("CONFIG_PATH", "/etc/calvalot.json"), Path::new("/etc/calvalot.json"));
    }

    #[test]
    fn a_likely_misspelling_is_named_and_other_variables_are_left_alone() {
        let check = |name: &str| misspelled([(OsString::from(name), OsString::new())].into_iter());
        assert_eq!(check("SIGNAL_SECRT"), ["SIGNAL_SECRT has no effect: did you mean SIGNAL_SECRET?"]);
        assert_eq!(check("CALVALOT_PORT"), ["CALVALOT_PORT has no effect: did you mean PORT?"]);
        for name in ["PATH", "HOME", "PWD", "SHELL", "LANG", "SIGNAL_SECRET", "HOSTNAME", "RUST_LOG"] {
            assert!(check(name).is_empty(), "{name}");
        }
    }
}
