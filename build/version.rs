//! La version que le programme dit de lui : celle de `Cargo.toml`, suivie du commit dont il vient.
//!
//! Le commit est `GIT_COMMIT` s'il est donné (l'image se construit sans `.git`), sinon, pour une version finale, celui
//! du dépôt d'à côté. Ni l'un ni l'autre (une archive, une machine sans git) : la version seule, jamais un échec. Une
//! version de développement ne demande rien à git : chaque commit la ferait recompiler.

use std::env;
use std::path::Path;
use std::process::Command;

/// Donne au programme sa version, dans `CALVALOT_VERSION`.
pub fn tell() {
    println!("cargo:rerun-if-env-changed=GIT_COMMIT");
    let given = env::var("GIT_COMMIT").ok();
    let commit = given.filter(|commit| is_commit(commit)).or_else(checked_out);
    let own = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = commit.map_or_else(|| own.clone(), |commit| format!("{own}+{commit}"));
    println!("cargo:rustc-env=CALVALOT_VERSION={version}");
}

/// Le commit du dépôt dont ce dossier est la racine ; un dépôt plus haut n'est pas le nôtre.
fn checked_out() -> Option<String> {
    if env::var("PROFILE").as_deref() != Ok("release") || !Path::new(".git").exists() {
        return None;
    }
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file]).filter(|path| Path::new(path).exists()) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"]).filter(|commit| is_commit(commit))
}

/// Ce que git répond, s'il est là et n'a rien à redire.
fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn is_commit(text: &str) -> bool {
    (7..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
