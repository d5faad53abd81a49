//! `calvalot keygen` : une paire de clés Ed25519, la moitié privée dans un fichier, la publique à coller chez
//! Binance.
//!
//! Invariant : un fichier qui existe n'est jamais remplacé, la moitié privée n'est écrite que là, lisible de son
//! seul propriétaire, et n'est jamais affichée.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::exchange::NewKey;

/// Où va la clé privée si on ne le dit pas : à côté de la base, hors de git et gardé par un volume.
pub const DEFAULT_PATH: &str = "data/binance-key.pem";

/// Fait la paire, écrit la privée à `path` ; rend ce qu'il faut dire à la personne.
///
/// # Errors
/// Une phrase qui dit pourquoi rien n'a été fait, et quoi faire.
pub fn run(path: &Path) -> Result<String, String> {
    let cannot = |error: io::Error| format!("cannot write {}: {error}; give another path", path.display());
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    let key = NewKey::generate();
    write(path, &key.private).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => format!(
            "{} exists already and is not replaced: a key that Binance knows may be in it; give another path",
            path.display()
        ),
        _ => cannot(error),
    })?;
    let place = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Ok(told(&place, &key.public))
}

fn write(path: &Path, private: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(private.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // Une moitié de clé ne sert à rien et barrerait la route à la suivante.
        fs::remove_file(path)?;
    }
    written
}

fn told(place: &Path, public: &str) -> String {
    let place = place.display();
    format!(
        "The private key is in {place}, which only you can read. It never leaves this machine.\n\
         \n\
         1. At Binance, open API Management, choose Create API, then Self-generated, and paste this public key:\n\
         \n\
         {public}\n\
         2. Tick Enable Reading and Enable Spot & Margin Trading, nothing else, and never withdrawals.\n\
         3. Binance shows an API key. In .env, leave BINANCE_API_SECRET empty and write\n\
         \n\
         BINANCE_API_KEY=<the API key that Binance shows>\n\
         BINANCE_API_SECRET_FILE={place}\n\
         \n\
         4. Run `calvalot check`.\n"
    )
}
