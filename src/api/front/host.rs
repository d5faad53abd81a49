//! Un nom d'hôte et son port, tels qu'écrits dans `Host`, dans une origine ou dans une cible absolue.
//!
//! La lecture est stricte et sans interprétation : ni zone IPv6, ni adresse IPv4 abrégée (`127.1`), ni identifiants
//! devant un `@`. Invariant : deux valeurs égales désignent le même hôte, quelles que soient la casse et le point final.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Une adresse, ou un nom en minuscules sans point final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    Address(IpAddr),
    Dns(String),
}

/// Un hôte et le port s'il est écrit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub name: Name,
    pub port: Option<u16>,
}

impl Host {
    /// Lit `nom`, `nom:port`, `[ipv6]` ou `[ipv6]:port` ; `None` pour tout autre texte.
    pub fn parse(text: &str) -> Option<Host> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                (Name::Address(IpAddr::V6(address)), port)
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                let (name, port) = text.split_at(end);
                (parse_name(name)?, port)
            }
        };
        let port = match port.strip_prefix(':') {
            Some(digits) => Some(parse_port(digits)?),
            None if port.is_empty() => None,
            None => return None,
        };
        Some(Host { name, port })
    }
}

fn parse_name(text: &str) -> Option<Name> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let label = |label: &str| !label.is_empty() && label.bytes().all(letter);
    if text.len() > 253 || !text.split('.').all(label) {
        return None;
    }
    Some(match text.parse::<Ipv4Addr>() {
        Ok(address) => Name::Address(IpAddr::V4(address)),
        Err(_) => Name::Dns(text.to_ascii_lowercase()),
    })
}

fn parse_port(digits: &str) -> Option<u16> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|port| *port > 0)
}
