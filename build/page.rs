//! La page dans le binaire : chaque fichier de `static/` sans ses commentaires, tel quel et compressé, avec son étiquette.
//!
//! Écrit dans `OUT_DIR` la table que `src/api/page.rs` inclut : ajouter un fichier à `static/` suffit. Un fichier dont le
//! type n'est pas connu ici arrête la compilation, et rien de ce qui est écrit ne dépend de l'heure ni de la machine.
//! gzip et non brotli : un navigateur ne demande brotli qu'en HTTPS, et un Pi chez soi est en HTTP.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

use crate::comments;

const FOLDER: &str = "static";

/// Écrit la table et les formes compressées.
pub fn embed() -> io::Result<()> {
    println!("cargo:rerun-if-changed={FOLDER}");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| wrong("OUT_DIR is not set"))?);
    let mut names = Vec::new();
    // L'image construit ses dépendances avant d'avoir la page : `api/page.rs` refuse, lui, une table vide.
    if Path::new(FOLDER).exists() {
        gather("", &mut names)?;
    }
    names.sort();
    let mut table = "&[\n".to_owned();
    for (rank, name) in names.iter().enumerate() {
        table.push_str(&entry(&out, rank, name)?);
    }
    table.push(']');
    fs::write(out.join("page.rs"), table)
}

/// La ligne d'un fichier, dont la forme compressée est posée dans `out`.
fn entry(out: &Path, rank: usize, name: &str) -> io::Result<String> {
    let source = fs::read_to_string(Path::new(FOLDER).join(name))?;
    let plain = comments::without(name, &source).map_err(|line| {
        wrong(&format!(
            "{FOLDER}/{name}:{line}: a comment must own its lines, a template must stay on its own"
        ))
    })?;
    let gzip = compress(plain.as_bytes())?;
    fs::write(out.join(format!("{rank}.plain")), &plain)?;
    fs::write(out.join(format!("{rank}.gz")), &gzip)?;
    let path = if name == "index.html" { "/".to_owned() } else { format!("/{name}") };
    let (kind, plain, gzip) = (content_type(name)?, tag(plain.as_bytes()), tag(&gzip));
    Ok(format!(
        "File {{ name: {name:?}, path: {path:?}, content_type: {kind:?},
            plain: Form {{ tag: {plain:?}, bytes: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{rank}.plain\")) }},
            gzip: Form {{ tag: {gzip:?}, bytes: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{rank}.gz\")) }} }},\n"
    ))
}

/// Les noms des fichiers sous `static/under`, ceux que le système ou un éditeur cache mis à part.
fn gather(under: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(Path::new(FOLDER).join(under))? {
        let entry = entry?;
        let own = entry.file_name().into_string().map_err(|name| wrong(&format!("{name:?} is no name")))?;
        if own.starts_with('.') {
            continue;
        }
        // Le nom est aussi l'adresse.
        if !own.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            return Err(wrong(&format!("{FOLDER}/{under}{own}: use letters, digits, - _ and . only")));
        }
        match entry.file_type()?.is_dir() {
            true => gather(&format!("{under}{own}/"), names)?,
            false => names.push(format!("{under}{own}")),
        }
    }
    Ok(())
}

fn content_type(name: &str) -> io::Result<&'static str> {
    Ok(match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => return Err(wrong(&format!("{FOLDER}/{name}: give its content type in build/page.rs"))),
    })
}

/// Au mieux, sans date : les mêmes octets donnent la même étiquette.
fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn tag(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

fn wrong(message: &str) -> io::Error {
    io::Error::other(message)
}
