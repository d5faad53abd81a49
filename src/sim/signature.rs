//! HMAC-SHA256 en hexadécimal minuscule, tel que le leader et la bourse le recalculent chacun de leur côté.
//!
//! Ne sait pas ce qui est signé : on lui donne les octets reçus, dans l'ordre, sans séparateur.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub(super) fn hmac_hex(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_the_vector_of_the_leader_contract() {
        let expected = "bba1593c5e0035b85b991f483c61885f6eb00f47bf70df381d3f0ab2118023c5";
        assert_eq!(hmac_hex("s3cret", &[b"1767225600"]), expected);
        assert_eq!(hmac_hex("s3cret", &[b"17672", b"25600"]), expected);
    }
}
