//! La machine où l'on est, si elle a un nom à elle.
//!
//! Le nom est celui de systemd (machine-id(5)), qui demande de ne pas le montrer : n'en sort qu'une empreinte, propre à ce
//! programme. Sans fichier, ou sans nom dedans, on ne sait pas où l'on est, et on ne s'en sert pas.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

/// L'empreinte de la machine que nomme le fichier à `path` ; `None` s'il n'en nomme pas.
pub fn fingerprint(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let name = text.trim();
    let is_name = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digest = || Sha256::new_with_prefix("calvalot machine\n").chain_update(name).finalize();
    is_name.then(|| digest()[..8].iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_name_is_no_machine_and_a_name_never_comes_out() {
        let folder = std::env::temp_dir().join(format!("calvalot-machine-name-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder is writable");
        let path = folder.join("machine-id");
        let mut seen = Vec::new();
        for (text, named) in [
            ("0123456789abcdef0123456789abcdef\n", true),
            ("fedcba9876543210fedcba9876543210\n", true),
            ("", false),
            ("uninitialized\n", false),
            ("0123\n", false),
        ] {
            fs::write(&path, text).expect("it is written");
            let found = fingerprint(&path);
            assert_eq!(found.is_some(), named, "{text:?}");
            assert!(found.iter().all(|found| !text.contains(found.as_str())), "{found:?}");
            seen.extend(found);
        }
        assert_ne!(seen[0], seen[1]);
        assert_eq!(fingerprint(&folder.join("nowhere")), None);
        fs::remove_dir_all(&folder).expect("it is ours");
    }
}
