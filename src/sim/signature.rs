//! Les signatures, telles que le leader et la bourse les vérifient chacun de leur côté : HMAC-SHA256 en
//! hexadécimal minuscule, ou Ed25519 en base64.
//!
//! Ne sait pas ce qui est signé : on lui donne les octets reçus.

use ct_codecs::{Base64, Decoder};
use ed25519_compact::{PublicKey, Signature};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub(super) fn hmac_hex(secret: &str, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Vrai si `base64` est la signature de ces octets par la moitié privée de `key`.
pub(super) fn is_signed_by(key: &PublicKey, message: &[u8], base64: &str) -> bool {
    let bytes = Base64::decode_to_vec(base64, None).unwrap_or_default();
    let signature = Signature::from_slice(&bytes);
    signature.is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_the_vector_of_the_leader_contract() {
        let expected = "bba1593c5e0035b85b991f483c61885f6eb00f47bf70df381d3f0ab2118023c5";
        assert_eq!(hmac_hex("s3cret", b"1767225600"), expected);
    }

    /// Le vecteur de la fiche Binance, 1.6 (graine du premier essai de la RFC 8032).
    #[test]
    fn accepts_the_ed25519_vector_and_nothing_beside_it() {
        let pem = "-----BEGIN PUBLIC KEY-----\n\
                   MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
                   -----END PUBLIC KEY-----\n";
        let key = PublicKey::from_pem(pem).unwrap();
        let payload = b"symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=0.2&timestamp=1668481559918&recvWindow=5000";
        let signature =
            "XtZirsmmi0noRzUfkqktvkVfxpkq/WtbLg2UOL3QGYdUBZVlqOBEMuEVw8zioY93N54NcKj9UuAXQEa9zgTDBg==";
        assert!(is_signed_by(&key, payload, signature));
        for wrong in ["", "x", &signature.replace('X', "Y"), &signature.replace('/', " "), &signature[..80]] {
            assert!(!is_signed_by(&key, payload, wrong), "{wrong:?}");
        }
        assert!(!is_signed_by(&key, &payload[1..], signature));
    }
}
