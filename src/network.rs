//! Une adresse ou un bloc d'adresses, tel qu'une personne l'écrit, et ce qu'une adresse dit de qui la porte.
//!
//! Invariant : une adresse IPv4 reste la même sous sa forme IPv6 (`::ffff:192.0.2.1`), celle que montre une socket qui écoute
//! les deux.

use std::net::{IpAddr, Ipv6Addr};

/// Un bloc d'adresses ; une adresse seule est un bloc d'une adresse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Lit `192.0.2.1`, `2001:db8::1` ou l'un des deux suivi de `/` et de la longueur du préfixe.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address = address.parse::<IpAddr>().ok()?.to_canonical();
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
            Some(_) => return None,
        };
        (prefix <= longest).then_some(Network { address, prefix })
    }

    /// Vrai si `address` en est.
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = |bits: u128, width: u32| bits.checked_shr(width - u32::from(self.prefix)).unwrap_or(0);
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                bits(own.to_bits().into(), 32) == bits(other.to_bits().into(), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => bits(own.to_bits(), 128) == bits(other.to_bits(), 128),
            _ => false,
        }
    }
}

/// Vrai si cette adresse ne vient pas d'internet : de cette machine, ou du réseau de la maison.
pub fn is_home(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// Ce que l'on compte comme un seul client : en IPv6, chacun a tout un bloc /64 à lui.
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_its_addresses_and_no_other() {
        let cases = [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("172.16.0.0/12", "172.31.255.255", true),
            ("172.16.0.0/12", "172.32.0.0", false),
            ("172.17.3.4/16", "172.17.9.9", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
            ("::/0", "2001:db8::1", true),
        ];
        for (network, address, expected) in cases {
            let parsed = Network::parse(network).expect(network);
            assert_eq!(parsed.contains(address.parse().expect(address)), expected, "{address} in {network}");
        }
        for text in
            ["", "proxy", "192.0.2", "192.0.2.1/33", "192.0.2.1/", "192.0.2.1/+8", "::1/129", "1.2.3.4:80"]
        {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
