//! La clé de l'utilisateur à la bourse, et la signature qu'elle fait.
//!
//! Deux sortes : un secret que la bourse a donné (HMAC-SHA256), ou une paire Ed25519 dont la moitié privée n'a
//! jamais quitté la machine. Signe les octets qu'on lui donne, sans savoir ce qu'ils demandent. Invariant : ni
//! la clé ni ce qui signe ne s'écrivent jamais.

use std::fmt;

use ct_codecs::{Base64, Encoder};
use ed25519_compact::{KeyPair, SecretKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Une clé de la bourse : son nom, qui part en en-tête, et ce qui signe. S'écrit `***`.
pub struct Credentials {
    id: String,
    signer: Signer,
}

enum Signer {
    Hmac(Hmac<Sha256>),
    Ed25519(Box<SecretKey>),
}

/// Le texte n'est pas une clé privée Ed25519 en PEM (PKCS#8, sans mot de passe).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPrivateKey;

/// Une paire neuve, en PEM. S'écrit `***`.
pub struct NewKey {
    pub private: String,
    pub public: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("***")
    }
}

impl Credentials {
    /// Une clé dont la bourse a donné le secret.
    pub fn hmac(id: &str, secret: &str) -> Credentials {
        let mac = Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
        Credentials { id: id.to_owned(), signer: Signer::Hmac(mac) }
    }

    /// Une clé dont la bourse n'a que la moitié publique ; `pem` est la privée.
    pub fn ed25519(id: &str, pem: &str) -> Result<Credentials, NotAPrivateKey> {
        let secret = SecretKey::from_pem(pem).map_err(|_| NotAPrivateKey)?;
        Ok(Credentials { id: id.to_owned(), signer: Signer::Ed25519(Box::new(secret)) })
    }

    /// Le nom de la clé, pour l'en-tête `X-MBX-APIKEY`.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// La signature de `payload` : hexadécimal minuscule (HMAC) ou base64 (Ed25519), pas encore encodée pour
    /// une adresse.
    pub(super) fn sign(&self, payload: &str) -> String {
        match &self.signer {
            Signer::Hmac(mac) => {
                let digest = mac.clone().chain_update(payload.as_bytes()).finalize().into_bytes();
                digest.iter().map(|byte| format!("{byte:02x}")).collect()
            }
            Signer::Ed25519(secret) => {
                let signature = secret.sign(payload.as_bytes(), None);
                Base64::encode_to_string(*signature).expect("64 bytes fit in a text")
            }
        }
    }
}

impl NewKey {
    /// Tire une paire du hasard du système.
    pub fn generate() -> NewKey {
        let pair = KeyPair::generate();
        NewKey { private: pair.sk.to_pem(), public: pair.pk.to_pem() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_written() {
        let key = NewKey::generate();
        let credentials = Credentials::ed25519("key", &key.private).expect("a private key");
        assert_eq!(
            format!("{:?} {credentials:?} {key:?}", Credentials::hmac("key", "secret")),
            "*** *** ***"
        );
    }

    #[test]
    fn only_an_ed25519_private_key_is_one() {
        let NewKey { private, public } = NewKey::generate();
        let cases = [
            "",
            "secret",
            &public,
            &private[..60],
            &private.replace("PRIVATE", "ENCRYPTED PRIVATE"),
            "-----BEGIN",
        ];
        for text in cases {
            assert_eq!(Credentials::ed25519("key", text).err(), Some(NotAPrivateKey), "{text:?}");
        }
        // Ce que les éditeurs ajoutent autour ne gêne pas.
        for text in [format!("\n{private}\n\n"), private.replace('\n', "\r\n")] {
            assert!(Credentials::ed25519("key", &text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn two_keys_are_never_the_same() {
        assert_ne!(NewKey::generate().private, NewKey::generate().private);
    }
}
