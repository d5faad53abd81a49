//! Un corps en morceaux (RFC 9112, 7.1), lu à mesure qu'il arrive.
//!
//! Plus strict que la règle, parce que c'est là que naissent les désaccords entre un mandataire et nous : des fins de ligne
//! entières, une taille de huit chiffres au plus et rien autour, des extensions et des en-têtes de fin courts, et jetés.
//! Invariant : le corps gardé ne dépasse jamais `limit`, quoi qu'annonce un morceau.

use super::head::too_large;
use crate::api::errors::ApiError;

/// Octets d'une ligne de taille, extension comprise, ou d'un en-tête de fin.
const LINE: usize = 256;
/// Octets de tous les en-têtes de fin.
const TRAILERS: usize = 1024;

/// Où en est la lecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Size,
    Data(usize),
    EndOfData,
    Trailer,
    Nothing,
}

/// Le corps, tel que lu jusqu'ici.
pub(super) struct Chunks {
    limit: usize,
    awaited: Awaited,
    trailers: usize,
    body: Vec<u8>,
}

impl Chunks {
    /// Rien encore ; le corps aura au plus `limit` octets.
    pub fn new(limit: usize) -> Self {
        Chunks { limit, awaited: Awaited::Size, trailers: 0, body: Vec::new() }
    }

    /// Prend au début de `bytes` ce qui peut l'être, et l'en ôte ; vrai une fois le corps entier.
    pub fn read(&mut self, bytes: &mut Vec<u8>) -> Result<bool, ApiError> {
        let mut taken = 0;
        while let Some(size) = self.step(&bytes[taken..])? {
            taken += size;
            if self.awaited == Awaited::Nothing {
                break;
            }
        }
        bytes.drain(..taken);
        Ok(self.awaited == Awaited::Nothing)
    }

    /// Le corps lu.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Un pas de plus ; les octets qu'il a pris, ou `None` s'il en manque.
    fn step(&mut self, bytes: &[u8]) -> Result<Option<usize>, ApiError> {
        match self.awaited {
            Awaited::Size => {
                let Some(line) = line(bytes)? else { return Ok(None) };
                let size = size(line)?;
                if size > self.limit - self.body.len() {
                    return Err(too_large(self.limit));
                }
                self.awaited = if size == 0 { Awaited::Trailer } else { Awaited::Data(size) };
                Ok(Some(line.len() + 2))
            }
            Awaited::Data(left) => {
                let taken = bytes.len().min(left);
                if taken == 0 {
                    return Ok(None);
                }
                self.body.extend_from_slice(&bytes[..taken]);
                self.awaited = if taken == left { Awaited::EndOfData } else { Awaited::Data(left - taken) };
                Ok(Some(taken))
            }
            Awaited::EndOfData => {
                if bytes.len() < 2 {
                    return Ok(None);
                }
                if !bytes.starts_with(b"\r\n") {
                    return Err(bad("a chunk is not as long as it says"));
                }
                self.awaited = Awaited::Size;
                Ok(Some(2))
            }
            Awaited::Trailer => {
                let Some(line) = line(bytes)? else { return Ok(None) };
                self.trailers += line.len();
                if self.trailers > TRAILERS {
                    return Err(bad("the fields after the body are too long"));
                }
                if line.is_empty() {
                    self.awaited = Awaited::Nothing;
                }
                Ok(Some(line.len() + 2))
            }
            Awaited::Nothing => Ok(None),
        }
    }
}

/// La ligne au début de `bytes`, sans sa fin ; `None` si elle n'est pas encore là.
fn line(bytes: &[u8]) -> Result<Option<&[u8]>, ApiError> {
    let window = &bytes[..bytes.len().min(LINE)];
    match window.iter().position(|byte| *byte == b'\n') {
        Some(end) if end > 0 && bytes[end - 1] == b'\r' => {
            let line = &bytes[..end - 1];
            let strange = line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t');
            if strange { Err(bad("a line of the body has a forbidden character")) } else { Ok(Some(line)) }
        }
        Some(_) => Err(bad("lines must end with CR LF")),
        None if window.len() == LINE => Err(bad("a line of the body is too long")),
        None => Ok(None),
    }
}

/// La taille que dit cette ligne, son extension laissée de côté.
fn size(line: &[u8]) -> Result<usize, ApiError> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let plain = (1..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| plain);
    let size = text.and_then(|text| usize::from_str_radix(text, 16).ok());
    size.ok_or_else(|| bad("the size of a chunk must be a hexadecimal number"))
}

fn bad(message: &str) -> ApiError {
    ApiError::bad_request(message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_body_cut_anywhere_and_delivered_anyhow_is_the_body(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..10),
            delivery in 1usize..20,
            extension in "(;[a-z]{1,5}=[a-z]{1,5})?",
        ) {
            let mut wire = Vec::new();
            for piece in &pieces {
                wire.extend(format!("{:X}{extension}\r\n", piece.len()).bytes());
                wire.extend(piece);
                wire.extend(b"\r\n");
            }
            wire.extend(b"0\r\nDigest: x\r\n\r\nGET /next");
            let (mut chunks, mut buffer, mut done) = (Chunks::new(400), Vec::new(), false);
            for part in wire.chunks(delivery) {
                buffer.extend(part);
                done = done || chunks.read(&mut buffer).expect("a body that is right");
            }
            prop_assert!(done);
            prop_assert_eq!(chunks.into_body(), pieces.concat());
            prop_assert_eq!(buffer, b"GET /next".to_vec(), "what comes after is the next request");
        }

        #[test]
        fn no_bytes_make_it_panic_or_keep_more_than_the_limit(noise in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut chunks = Chunks::new(64);
            let mut buffer = noise;
            if chunks.read(&mut buffer).is_ok() {
                prop_assert!(chunks.into_body().len() <= 64);
            }
        }
    }
}
