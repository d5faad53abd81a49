//! Les règles de la maison, lues dans les sources : qui importe qui, ce qu'on n'écrit pas, ce qui reste court.
//!
//! Les sources sont formatées (`cargo fmt`) : une fonction finit à la première accolade de même retrait.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use calvalot::config::VARIABLES;

const LONGEST_FILE: usize = 450;
const LONGEST_FUNCTION: usize = 60;

/// Un fichier de `src/`, sans ses essais.
struct Source {
    /// Depuis `src/`.
    name: String,
    text: String,
    /// Les lignes de code : ni commentaires, ni ce qui suit `#[cfg(test)] mod`.
    code: Vec<String>,
}

impl Source {
    /// Le premier mot du chemin : `ledger` pour `ledger/views.rs` comme pour `ledger.rs`.
    fn module(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap_or_default()
    }

    /// Combien de `super::` mènent d'ici à la racine.
    fn depth(&self) -> usize {
        let path = self.name.trim_end_matches(".rs").trim_end_matches("/mod");
        path.split('/').count()
    }

    fn is_test(&self) -> bool {
        self.name.contains("tests")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let (mut found, base) = (Vec::new(), root().join("src"));
    gather(&base, &base, &mut found);
    assert!(found.len() > 40, "only {} sources were found", found.len());
    found
}

fn gather(base: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            gather(base, &entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&entry).unwrap();
            let name = entry.strip_prefix(base).unwrap().to_str().unwrap().to_owned();
            let code = code(&text);
            found.push(Source { name, text, code });
        }
    }
}

fn code(text: &str) -> Vec<String> {
    let written = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = written.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    lines.map(|line| line.split(" // ").next().unwrap_or_default().to_owned()).collect()
}

/// Dit toutes les fautes d'un coup.
fn expect_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Les modules de premier rang que nomme une ligne, par `crate::x`.
fn named(line: &str) -> impl Iterator<Item = &str> {
    let word = |rest: &str| rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    line.split("crate::").skip(1).map(move |rest| &rest[..word(rest)])
}

/// Ce que chaque module peut nommer ; `None` : tout ce qui est dessous, lui-même en haut.
fn allowed(module: &str) -> Option<&'static [&'static str]> {
    Some(match module {
        "domain" => &["domain"],
        "sim" => &["sim"],
        "clock" => &["clock", "domain"],
        "fetch" => &["fetch", "domain", "clock"],
        "config" => &["config", "domain", "clock", "fetch", "network"],
        "logging" => &["logging", "domain", "clock", "fetch"],
        "leader" => &["leader", "domain", "clock", "fetch"],
        "exchange" => &["exchange", "domain", "clock", "fetch"],
        "paper" => &["paper", "domain", "clock", "ledger", "logging", "metrics"],
        "account" => &["account", "domain", "clock", "fetch", "exchange", "ledger", "logging", "metrics"],
        "venue" => &["venue", "domain", "account", "exchange", "ledger", "paper"],
        "ledger" => &["ledger", "domain", "clock", "fetch"],
        "metrics" => &["metrics", "domain", "clock", "fetch"],
        "engine" => &["engine", "domain", "clock", "exchange", "leader", "ledger", "metrics", "venue"],
        "api" => &["api", "domain", "clock", "engine", "ledger", "metrics", "network"],
        "network" => &["network"],
        "undumpable" => &["undumpable"],
        "verify" => &["verify", "domain", "clock", "exchange", "ledger"],
        "check" => &["check", "domain", "clock", "fetch", "config", "leader", "exchange", "ledger"],
        "keygen" => &["keygen", "exchange"],
        "restore" => &["restore", "domain", "clock", "backup", "config", "exchange", "ledger"],
        "backup" => &["backup", "domain", "clock", "ledger"],
        "local" => &["local"],
        "healthcheck" => &["healthcheck", "local"],
        "machine" => &["machine"],
        "output" => &["output"],
        "sell_all" => &["sell_all", "local"],
        "decide" => &["decide", "local"],
        "notify" => &["notify", "domain", "clock"],
        "daemon" | "demo" | "cli" | "lib" | "main" => return None,
        other => panic!("the module {other} has no layer: give it one here and in ARCHITECTURE.md"),
    })
}

#[test]
fn a_file_names_only_the_layers_below_it() {
    let mut faults = Vec::new();
    for source in sources() {
        let Some(allowed) = allowed(source.module()) else { continue };
        for line in &source.code {
            if line.contains("crate::{") {
                faults.push(format!("{}: one `use crate::` per module: {line}", source.name));
            }
            if line.contains(&"super::".repeat(source.depth())) {
                faults.push(format!("{} goes round by the root: {line}", source.name));
            }
            let strangers = named(line).filter(|module| !allowed.contains(module));
            faults.extend(strangers.map(|module| format!("{} names {module}: {line}", source.name)));
        }
    }
    expect_none(faults);
}

/// Les fichiers que nomme une ligne de `source`, par `super::` ou `crate::` ; un dossier est nommé par son `mod.rs`.
fn files_named(source: &Source, line: &str, names: &BTreeSet<&str>) -> Vec<String> {
    let folder = || {
        let path = source.name.trim_end_matches("/mod.rs").trim_end_matches(".rs");
        path.split('/').map(str::to_owned).collect::<Vec<String>>()
    };
    let words = |rest: &str| -> Vec<String> {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        rest[..end].split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let mut paths: Vec<Vec<String>> = line.split("crate::").skip(1).map(words).collect();
    for rest in line.split(" super::").skip(1) {
        let mut place = folder();
        place.pop();
        let mut told = words(rest);
        while told.first().is_some_and(|word| word == "super") {
            told.remove(0);
            place.pop();
        }
        paths.push(place.into_iter().chain(told).collect());
    }
    let file = |path: &Vec<String>| {
        (1..=path.len()).rev().map(|length| path[..length].join("/")).find_map(|stem| {
            let either = [format!("{stem}.rs"), format!("{stem}/mod.rs")];
            either.into_iter().find(|name| names.contains(name.as_str()))
        })
    };
    paths.iter().filter_map(file).collect()
}

/// Les lignes d'une source, où `use a::{b, c}`, sur plusieurs lignes ou non, est devenu `use a::b` et `use a::c`.
fn unfolded(code: &[String]) -> Vec<String> {
    let text = code.join("\n");
    let mut lines = Vec::new();
    for statement in text.split_inclusive(';') {
        match statement.rsplit_once("use ").and_then(|(_, used)| used.split_once("::{")) {
            Some((path, rest)) if !path.contains([' ', '\n']) => {
                let items = rest.split('}').next().unwrap_or_default().split(',');
                lines.extend(items.map(|item| format!("use {path}::{}", item.trim())));
            }
            _ => lines.extend(statement.lines().map(str::to_owned)),
        }
    }
    lines
}

/// Un fichier se sert de ceux d'à côté dans un seul sens. La tête d'un dossier, qui nomme ses fichiers, n'est pas un
/// détour pour eux : ce qu'elle possède leur est commun.
#[test]
fn no_file_is_in_a_circle() {
    let sources = sources();
    let names: BTreeSet<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let heads = |name: &str| {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let above: Vec<&str> = folder.split('/').collect();
        (1..=above.len()).map(|length| above[..length].join("/")).collect::<Vec<String>>()
    };
    let mut uses: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for source in &sources {
        let own = heads(&source.name);
        let is_head = |name: &String| {
            own.iter().any(|folder| [format!("{folder}.rs"), format!("{folder}/mod.rs")].contains(name))
        };
        let lines = unfolded(&source.code);
        let named = lines.iter().flat_map(|line| files_named(source, line, &names));
        let named = named.filter(|name| *name != source.name && !is_head(name)).collect();
        uses.insert(&source.name, named);
    }
    assert!(uses.values().map(BTreeSet::len).sum::<usize>() > 500, "too few uses were seen: {uses:?}");
    // Ce qui n'est pas d'un cercle s'enlève : qui n'a plus rien sous lui, encore et encore.
    loop {
        let free: Vec<&str> =
            uses.iter().filter(|(_, below)| below.is_empty()).map(|(name, _)| *name).collect();
        if free.is_empty() {
            break;
        }
        uses.retain(|name, _| !free.contains(name));
        for below in uses.values_mut() {
            below.retain(|name| !free.contains(&name.as_str()));
        }
    }
    expect_none(uses.into_iter().map(|(name, below)| format!("{name} -> {below:?}")).collect());
}

#[test]
fn the_domain_knows_only_the_standard_library_and_the_decimals() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let table = manifest.split("[dependencies]").nth(1).unwrap().split("[dev-").next().unwrap();
    let libraries = table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let name = line.split_once(" = ")?.0;
        Some(name.replace('-', "_"))
    });
    let libraries: Vec<String> = libraries.filter(|name| name != "rust_decimal").collect();
    assert!(libraries.iter().any(|name| name == "rusqlite"), "{libraries:?}");
    let outside = ["std::fs", "std::net", "std::env", "std::thread", "std::process", "Instant", "SystemTime"];
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| source.module() == "domain") {
        for line in &source.code {
            let library = libraries.iter().any(|name| line.contains(&format!("{name}::")));
            if library || outside.iter().any(|word| line.contains(word)) || line.contains("async ") {
                faults.push(format!("{}: {line}", source.name));
            }
        }
    }
    expect_none(faults);
}

/// Hors de l'affichage, un nombre à virgule flottante finit par décider de l'argent.
#[test]
fn the_domain_has_no_floating_point_but_to_show_a_number() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| source.module() == "domain") {
        for (at, line) in source.code.iter().enumerate().filter(|(_, line)| line.contains("f64")) {
            let function = source.code[..=at].iter().rev().find(|line| line.contains("fn "));
            let shown =
                function.is_some_and(|line| line.contains("fn to_f64(") || line.contains("fn seconds("));
            if !shown && !line.contains("confidence") {
                faults.push(format!("{}:{}: {line}", source.name, at + 1));
            }
        }
    }
    expect_none(faults);
}

/// Une écriture préparée d'avance ne serait annoncée qu'une fois (`ledger/changes.rs`) : la page ne la verrait plus.
#[test]
fn only_reads_of_the_ledger_are_prepared_in_advance() {
    let (mut faults, mut seen) = (Vec::new(), 0);
    for source in sources().iter().filter(|source| source.module() == "ledger") {
        let views = source.name.starts_with("ledger/views/");
        for (at, line) in source.code.iter().enumerate() {
            let kept = line.contains("prepare_cached");
            seen += usize::from(kept);
            let writes = ["INSERT ", "UPDATE ", "DELETE ", "REPLACE "].iter().any(|word| line.contains(word));
            if (kept && !views) || (writes && views) {
                faults.push(format!("{}:{}: {line}", source.name, at + 1));
            }
        }
    }
    assert!(seen > 5, "only {seen} statements are kept");
    expect_none(faults);
}

#[test]
fn every_file_opens_with_what_it_owns_and_stays_short() {
    let mut faults = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if !source.text.starts_with("//! ") {
            faults.push(format!("{} does not open with //!", source.name));
        }
        if lines > LONGEST_FILE {
            faults.push(format!("{} has {lines} lines, more than {LONGEST_FILE}", source.name));
        }
    }
    expect_none(faults);
}

#[test]
fn no_function_is_longer_than_a_page() {
    let (mut faults, mut seen) = (Vec::new(), 0);
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let body = line.trim_start();
            let indent = &line[..line.len() - body.len()];
            let words = body.split("fn ").next().unwrap_or_default();
            let declares = body.contains("fn ")
                && words.split(' ').all(|word| {
                    matches!(word, "" | "pub" | "async" | "const" | "unsafe") || word.starts_with("pub(")
                });
            if !declares || body.ends_with(';') {
                continue;
            }
            seen += 1;
            let end = format!("{indent}}}");
            let length = lines[start..].iter().position(|line| *line == end).map_or(0, |length| length + 1);
            if length > LONGEST_FUNCTION {
                faults.push(format!("{}:{}: {length} lines: {body}", source.name, start + 1));
            }
        }
    }
    assert!(seen > 300, "only {seen} functions were seen");
    expect_none(faults);
}

#[test]
fn nothing_is_left_unfinished_nor_can_panic_for_want_of_care() {
    let everywhere = ["todo!", "unimplemented!", "dbg!", ".unwrap()", "#[ignore", "unwrap_or_else(|_| panic"];
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        for (at, line) in source.code.iter().enumerate() {
            // Un lecteur qui s'en va y serait une panique : `output.rs` est la seule place d'où l'on écrit.
            let printed = line.contains("println!") || line.contains("print!(");
            if printed || everywhere.iter().any(|word| line.contains(word)) {
                faults.push(format!("{}:{}: {line}", source.name, at + 1));
            }
        }
    }
    expect_none(faults);
}

/// Un dossier porte le nom d'un interlocuteur ou d'une notion, jamais d'une technique.
#[test]
fn no_module_is_named_after_a_technique() {
    let forbidden = ["manager", "helper", "util", "handler", "service", "processor", "common"];
    let faults = sources().into_iter().map(|source| source.name).filter(|name| {
        let parts = name.trim_end_matches(".rs").split(['/', '_']);
        parts.into_iter().any(|part| forbidden.contains(&part.trim_end_matches('s')))
    });
    expect_none(faults.collect());
}

#[test]
fn every_variable_is_explained_wherever_variables_are() {
    let mut faults = Vec::new();
    for (file, required) in [(".env.example", true), ("README.md", false), ("LISEZMOI.md", false)] {
        let Ok(text) = fs::read_to_string(root().join(file)) else {
            assert!(!required, "{file} is missing");
            continue;
        };
        let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        let missing = VARIABLES.iter().filter(|variable| !words.contains(&variable.name));
        faults.extend(missing.map(|variable| format!("{} is not in {file}", variable.name)));
    }
    expect_none(faults);
}

/// Une variable que Compose ne laisse pas passer n'a aucun effet dans le conteneur, sans que rien le dise.
#[test]
fn every_variable_reaches_the_container_and_no_secret_is_written_there() {
    let compose = fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let environment = compose.split("    environment:\n").nth(1).unwrap();
    let lines = environment.lines().take_while(|line| line.starts_with("      "));
    let passed: Vec<(&str, &str)> = lines
        .filter_map(|line| line.trim().split_once(':'))
        .map(|(name, value)| (name, value.trim()))
        .collect();
    let missing = VARIABLES.iter().filter(|variable| !passed.iter().any(|(name, _)| *name == variable.name));
    let mut faults: Vec<String> =
        missing.map(|variable| format!("{} is not in docker-compose.yml", variable.name)).collect();
    // Les deux que Compose doit connaître lui-même ; les autres n'ont de valeur que dans .env.
    let own = [("PORT", "${PORT:-8080}"), ("TZ", "${TZ:-Europe/Paris}")];
    let written = passed.iter().filter(|(_, value)| !value.is_empty()).filter(|pair| !own.contains(pair));
    faults.extend(written.map(|(name, value)| format!("{name} has the value {value} in docker-compose.yml")));
    expect_none(faults);
}

#[test]
fn the_container_has_no_more_than_it_needs() {
    let compose = fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let follower = compose.split("\n  follower:\n").nth(1).unwrap();
    let lines: Vec<&str> =
        follower.lines().take_while(|line| line.starts_with("    ") || line.is_empty()).collect();
    let wanted = [
        "container_name: calvalot",
        "restart: unless-stopped",
        "user: \"1000:1000\"",
        "read_only: true",
        "- ALL",
        "- no-new-privileges:true",
        "mem_limit: 32m",
        "- ./data:/app/data",
        "- \"${PORT:-8080}:${PORT:-8080}\"",
        "stop_grace_period: 30s",
    ];
    let missing = wanted.iter().filter(|wanted| !lines.iter().any(|line| line.trim() == **wanted));
    let mut faults: Vec<String> = missing.map(|line| format!("docker-compose.yml has no {line}")).collect();
    let forbidden = ["privileged:", "cap_add", "network_mode", "docker.sock", "pid:"];
    let risky = lines.iter().filter(|line| forbidden.iter().any(|word| line.trim().starts_with(word)));
    faults.extend(risky.map(|line| format!("docker-compose.yml has {line}")));
    expect_none(faults);
}

/// La surveillance est sur demande, bornée, et n'écoute que cette machine ; un mot de passe qui manque
/// n'arrête qu'elle.
#[test]
fn the_monitoring_is_asked_for_bounded_and_heard_here_only() {
    let compose = fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let mut faults = Vec::new();
    for name in ["prometheus", "grafana"] {
        let service = compose.split(&format!("\n  {name}:\n")).nth(1).unwrap();
        let lines: Vec<&str> =
            service.lines().take_while(|line| line.starts_with("    ")).map(str::trim).collect();
        let wanted = ["- monitoring", "- ALL", "- no-new-privileges:true", "restart: unless-stopped"];
        let missing = wanted.iter().filter(|wanted| !lines.contains(wanted));
        faults.extend(missing.map(|line| format!("{name} has no {line}")));
        for start in ["mem_limit: ", "memswap_limit: ", "- \"127.0.0.1:"] {
            if !lines.iter().any(|line| line.starts_with(start)) {
                faults.push(format!("{name} has no {start}"));
            }
        }
    }
    assert!(compose.contains("- --storage.tsdb.retention.size="));
    assert!(compose.contains("GF_SECURITY_ADMIN_PASSWORD: ${GRAFANA_PASSWORD:-}\n"));
    let required = compose.lines().filter(|line| !line.trim().starts_with('#') && line.contains(":?"));
    faults.extend(required.map(|line| format!("{line} stops the follower too")));
    expect_none(faults);
}

/// Ce que le Dockerfile copie d'ici doit passer `.dockerignore`, et rien d'autre n'y passe.
#[test]
fn only_what_the_image_is_built_from_enters_its_build() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let (dockerfile, ignored) = (read("Dockerfile"), read(".dockerignore"));
    let mut copied: Vec<&str> = Vec::new();
    for line in dockerfile.lines().filter_map(|line| line.strip_prefix("COPY ")) {
        let words: Vec<&str> = line.split(' ').collect();
        if !line.starts_with("--from") {
            copied.extend(&words[..words.len() - 1]);
        }
    }
    let mut passing: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignored.lines().any(|line| line == "*"), "{ignored}");
    copied.sort_unstable();
    passing.sort_unstable();
    assert_eq!(copied, passing);
    let missing = copied.into_iter().filter(|name| !root().join(name).exists());
    expect_none(missing.map(|name| format!("{name} does not exist")).collect());
}

/// Une étiquette peut désigner autre chose demain ; une somme, non.
#[test]
fn every_image_from_elsewhere_is_named_by_its_digest() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let (dockerfile, compose) = (read("Dockerfile"), read("docker-compose.yml"));
    let bases = dockerfile.lines().filter_map(|line| line.strip_prefix("ARG RUST="));
    let images = compose.lines().filter_map(|line| line.trim().strip_prefix("image: "));
    let foreign: Vec<&str> = bases.chain(images.filter(|image| *image != "calvalot")).collect();
    assert_eq!(foreign.len(), 3, "{foreign:?}");
    let exact = |image: &str| {
        let (tag, digest) = image.split_once("@sha256:")?;
        let mut numbers = tag.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let whole = |number: &str| number.split('.').filter(|part| !part.is_empty()).count() == 3;
        Some(numbers.any(whole) && digest.len() == 64)
    };
    let vague = foreign.into_iter().filter(|image| exact(image) != Some(true));
    expect_none(vague.map(|image| format!("{image} is not one image for ever")).collect());
    let stages = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM "));
    let other = stages.filter(|from| {
        !["--platform=$BUILDPLATFORM $RUST ", "tools ", "for-", "scratch"]
            .iter()
            .any(|known| from.starts_with(known))
    });
    expect_none(other.map(|from| format!("FROM {from}: from where?")).collect());
}

/// Une action nommée par une étiquette peut changer sous nous ; un autre secret serait à voler.
#[test]
fn the_release_names_each_action_by_its_commit_all_three_machines_and_no_secret() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let (workflow, script, image) =
        (read(".github/workflows/release.yml"), read("packaging/release"), read("Dockerfile"));
    let actions: Vec<&str> = workflow.lines().filter_map(|line| line.trim().split("uses: ").nth(1)).collect();
    assert!(!actions.is_empty(), "{workflow}");
    let exact = |action: &str| {
        let commit = action.split('@').nth(1).and_then(|rest| rest.split(' ').next());
        commit.is_some_and(|commit| commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let vague = actions.into_iter().filter(|action| !exact(action)).map(str::to_owned);
    let secrets = workflow.split("secrets.").skip(1).filter(|rest| !rest.starts_with("GITHUB_TOKEN "));
    expect_none(vague.chain(secrets.map(|rest| rest.lines().collect())).collect());
    assert!(script.contains("platforms=(linux/amd64 linux/arm64 linux/arm/v7)"), "{script}");
    for machine in ["amd64", "arm64", "armv7"] {
        assert!(image.contains(&format!("\nFROM tools AS for-{machine}\n")), "{machine}");
    }
}

/// Les routes de `api::app` : méthode et chemin, tel que le contrat l'écrit.
fn routes() -> Vec<(String, String)> {
    let source = fs::read_to_string(root().join("src/api/mod.rs")).unwrap();
    let table = source.split("pub fn app(").nth(1).unwrap().split("\n}").next().unwrap();
    let routes = table.lines().filter_map(|line| {
        let (kind, rest) = line.trim().strip_prefix('.')?.split_once("(\"")?;
        let method = match kind {
            "list" | "get_by_any_name" => "get",
            "post_even_bare" => "post",
            plain => plain,
        };
        Some((
            method.to_uppercase(),
            rest.split_once('"')?.0.replace(":id", "{id}").replace(":asset", "{asset}"),
        ))
    });
    routes.collect()
}

#[test]
fn the_contract_names_every_route_and_no_other() {
    let contract = fs::read_to_string(root().join("docs/api.md")).unwrap();
    let headings = contract.lines().filter_map(|line| line.strip_prefix("### `"));
    let named: Vec<(String, String)> = headings
        .map(|heading| {
            let (method, rest) = heading.split_once(' ').unwrap();
            (method.to_owned(), rest.split(['?', '`']).next().unwrap().to_owned())
        })
        .filter(|(_, path)| path != "/")
        .collect();
    let routes = routes();
    assert!(routes.len() >= 13, "{routes:?}");
    let missing = routes.iter().filter(|route| !named.contains(route));
    let invented = named.iter().filter(|route| !routes.contains(route));
    let missing = missing.map(|(method, path)| format!("{method} {path} is not in docs/api.md"));
    let invented = invented.map(|(method, path)| format!("{method} {path} is only in docs/api.md"));
    expect_none(missing.chain(invented).collect());
}

/// Une décision n'a pas de code que le contrat ne dise : ceux des raisons, et ceux que l'on écrit sans raison.
#[test]
fn the_contract_names_every_code_of_a_decision() {
    let contract = fs::read_to_string(root().join("docs/api.md")).unwrap();
    let codes = contract.split("`code` is `traded`").nth(1).unwrap().split("`waiting_for`:").next().unwrap();
    let order = fs::read_to_string(root().join("src/domain/order.rs")).unwrap();
    let reasons = order.split("pub fn code(").nth(1).unwrap().split("\n    }\n").next().unwrap();
    let quoted = |text: &str, mark: &str| {
        let parts = text.split(mark).skip(1);
        parts.filter_map(|part| part.split(['"', '\'']).next().map(str::to_owned)).collect::<Vec<String>>()
    };
    let mut written = quoted(reasons, "=> \"");
    for source in sources() {
        let code = source.code.join("\n");
        for mark in ["code: \"", "'left', '", "'bought', '", "'sold', '"] {
            written.extend(quoted(&code, mark));
        }
    }
    written.retain(|code| {
        code != "traded" && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    });
    assert!(written.len() > 20 && written.contains(&"adopted".to_owned()), "{written:?}");
    let untold = written.into_iter().filter(|code| !codes.contains(&format!("`{code}`")));
    expect_none(untold.map(|code| format!("{code} is not among the codes of docs/api.md")).collect());
}

/// Les phrases de « pourquoi un ordre ne peut être doublé » ont chacune leur essai : il existe, sous ce nom.
#[test]
fn every_test_that_the_architecture_names_exists() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let named: Vec<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.matches('_').count() > 3 && !name.contains(['/', '.', ' ', ':']))
        .collect();
    assert!(named.len() > 15, "{named:?}");
    let mut sources = String::new();
    for folder in ["src", "tests"] {
        read_all(&root().join(folder), &mut sources);
    }
    let missing = named.into_iter().filter(|name| !sources.contains(&format!("fn {name}(")));
    expect_none(missing.map(str::to_owned).collect());
}

fn read_all(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            read_all(&entry, text);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&entry).unwrap());
        }
    }
}
