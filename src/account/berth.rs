//! La place d'un grand livre sur cette machine : qui la tient échange, une copie de lui qui démarre à côté attend.
//!
//! Deux copies lancées dans la même seconde ne se voient pas encore par leurs ordres ([`super::evidence`]). Le noyau, lui, ne
//! donne un nom qu'une fois, et le reprend dès que le programme finit, même tué (unix(7), noms abstraits). Un conteneur a ses
//! noms à lui : d'un conteneur à l'autre, seuls les ordres parlent.

use std::io::{self, ErrorKind};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// La place, tenue tant que cette valeur vit.
pub(super) struct Berth {
    tag: String,
    _name: Option<UnixDatagram>,
}

impl Berth {
    /// La place du grand livre de cette étiquette ; `None` si une copie de lui la tient. Où le noyau ne donne pas de tels
    /// noms, elle est à qui la demande.
    pub fn take(tag: &str) -> Option<Berth> {
        let bound = SocketAddr::from_abstract_name(format!("calvalot-{tag}"))
            .and_then(|name| UnixDatagram::bind_addr(&name));
        let name = match bound {
            Err(error) if error.kind() == ErrorKind::AddrInUse => return None,
            bound => bound.inspect_err(|error: &io::Error| log::warn!("no_berth error={error}")).ok(),
        };
        Some(Berth { tag: tag.to_owned(), _name: name })
    }

    /// Vrai si c'est celle du grand livre de cette étiquette.
    pub fn is_of(&self, tag: &str) -> bool {
        self.tag == tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_copies_never_hold_one_place_and_it_is_free_once_its_holder_is_gone() {
        let held = Berth::take("test0001").expect("it is free");
        assert!(held.is_of("test0001") && Berth::take("test0001").is_none());
        assert!(Berth::take("test0002").is_some(), "another ledger has its own");
        drop(held);
        assert!(Berth::take("test0001").is_some());
    }
}
