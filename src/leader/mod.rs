//! Le leader : lui demander son dernier signal, signé de notre clé, et lire ce qu'il répond.
//!
//! Connaît le protocole et rien d'autre : ni le grand livre, ni ce qu'on fera du signal. De l'étage
//! 1, il se sert du domaine et de `fetch`. Invariant : toute réponse, même absurde, devient une
//! [`Reply`] ou une [`LeaderError`] qui dit quoi faire ; le secret n'est ni gardé en clair ni écrit.

mod decode;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::moment::Moment;
use crate::fetch::{Answer, Client, FetchError};

pub use decode::{Received, decode};

/// Un signal tient en quelques kilo-octets ; d'un plus grand, rien n'est gardé.
const BODY_LIMIT: usize = 16 * 1024;

/// Le leader que l'on suit.
pub struct Leader {
    address: String,
    key: Hmac<Sha256>,
    version: String,
    fetch: Client,
}

/// Ce que le leader a répondu d'utilisable.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Il n'a pas encore de signal.
    NoSignal,
    Signal(Box<Received>),
}

/// Pourquoi il n'y a pas de réponse utilisable ; la prochaine interrogation réessaiera.
#[derive(Clone, Debug, PartialEq)]
pub enum LeaderError {
    /// Pas de réponse, ou une panne chez lui.
    Unreachable(String),
    /// Il a répondu non : quelqu'un doit agir, ici ou chez lui.
    Refused(String),
    /// Il a envoyé quelque chose qui n'est pas un signal.
    InvalidSignal(String),
}

impl fmt::Display for LeaderError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            LeaderError::Unreachable(reason) => write!(f, "the leader {reason}"),
            LeaderError::Refused(reason) => f.write_str(reason),
            LeaderError::InvalidSignal(reason) => write!(f, "the leader sent no valid signal: {reason}"),
        }
    }
}

impl Leader {
    /// Le leader à l'adresse `url` (sans le chemin) ; `version` est la nôtre, qu'on lui annonce.
    pub fn new(url: &str, secret: &str, version: &str, fetch: Client) -> Leader {
        Leader {
            address: format!("{}/api/signal/latest", url.trim_end_matches('/')),
            key: key(secret),
            version: version.to_owned(),
            fetch,
        }
    }

    /// Demande le dernier signal. `now` date la signature : une horloge fausse vaut un refus.
    pub async fn poll(&self, now: Moment) -> Result<Reply, LeaderError> {
        let timestamp = now.0.div_euclid(1000).to_string();
        let signature = sign(&self.key, &timestamp);
        let headers = [
            ("X-Signal-Timestamp", timestamp.as_str()),
            ("X-Signal-Signature", signature.as_str()),
            ("X-Follower-Version", self.version.as_str()),
        ];
        match self.fetch.get(&self.address, &headers, BODY_LIMIT).await {
            Ok(answer) => read(&answer),
            Err(error @ FetchError::TooLarge(_)) => Err(LeaderError::InvalidSignal(format!("it {error}"))),
            Err(error) => Err(LeaderError::Unreachable(error.to_string())),
        }
    }
}

fn read(answer: &Answer) -> Result<Reply, LeaderError> {
    match answer.status {
        204 => Ok(Reply::NoSignal),
        200 => match answer.text().and_then(decode) {
            Ok(received) => Ok(Reply::Signal(Box::new(received))),
            Err(reason) => {
                let opening = answer.opening();
                Err(LeaderError::InvalidSignal(format!("{reason}; the answer starts with {opening}")))
            }
        },
        401 | 403 if answer.is_page() => Err(LeaderError::Refused(format!(
            "a web page answered {} in the leader's place: a firewall or a sign-in page stands before it, and must let \
             /api/signal/latest through without one",
            answer.status
        ))),
        403 => Err(LeaderError::Refused(
            "the leader refused our signature: check SIGNAL_SECRET, and that the clock of this machine is right"
                .to_owned(),
        )),
        404 => Err(LeaderError::Refused(
            "the leader has switched its signal off, or LEADER_URL is not the address of a leader".to_owned(),
        )),
        status @ 300..=399 => Err(LeaderError::Unreachable(format!(
            "answered {status}, a redirection, which is not followed: set LEADER_URL to the final address"
        ))),
        status => Err(LeaderError::Unreachable(format!("answered {status}{}", answer.beginning()))),
    }
}

fn key(secret: &str) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length")
}

/// HMAC-SHA256 de l'horodatage, en hexadécimal minuscule.
fn sign(key: &Hmac<Sha256>, timestamp: &str) -> String {
    let digest = key.clone().chain_update(timestamp.as_bytes()).finalize().into_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_the_leader_expects() {
        assert_eq!(
            sign(&key("s3cret"), "1767225600"),
            "bba1593c5e0035b85b991f483c61885f6eb00f47bf70df381d3f0ab2118023c5"
        );
    }
}
