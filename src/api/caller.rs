//! Qui demande : son adresse, le nom et le schéma sous lesquels il nous a joints, ce que l'on sait de lui.
//!
//! Un mandataire (`TRUSTED_PROXY`) parle au nom d'un autre, et lui seul est cru quand il dit lequel : de tout autre,
//! `X-Forwarded-*` et `Remote-User` ne sont pas lus. D'une liste, seul le dernier élément est de sa main, le reste a pu venir du
//! client ; l'adresse est donc la plus à droite qui n'est pas un mandataire. La garde pose un [`Caller`] sur chaque requête.
//! Qui aura donné un mot de passe sera [`Standing::Owner`] : c'est ici que sa session se lira.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tide::Request;

use super::errors::ApiError;
use super::front::host::Host;
use crate::network::{Network, household, is_home};

/// Celui qui a fait la requête.
#[derive(Clone, Debug)]
pub struct Caller {
    /// La sienne, ou celle de son bloc : ce qui compte comme un client.
    pub household: IpAddr,
    pub standing: Standing,
    /// Le nom qu'un mandataire dit avoir été demandé.
    pub(super) forwarded_host: Option<String>,
    /// `http` ou `https`, si un mandataire le dit.
    pub(super) scheme: Option<Scheme>,
}

/// Ce que l'on sait de celui qui demande ; les places des premiers passent après celles des derniers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// D'internet.
    Stranger,
    /// De cette machine ou du réseau de la maison.
    Neighbour,
    /// Un mandataire cru le dit connu (`Remote-User`).
    Owner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(super) fn parse(text: &str) -> Option<Scheme> {
        match text {
            "http" => Some(Scheme::Http),
            "https" => Some(Scheme::Https),
            _ => None,
        }
    }
}

impl Caller {
    /// Celui de la requête, cru de ces mandataires.
    pub(super) fn of<S>(request: &Request<S>, proxies: &[Network]) -> Caller {
        // Sans socket (un essai), c'est nous.
        let peer = request.peer_addr().and_then(|peer| peer.parse::<SocketAddr>().ok());
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.ip()).to_canonical();
        let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
        if !is_proxy(peer) {
            return Caller {
                household: household(peer),
                standing: at(peer),
                forwarded_host: None,
                scheme: None,
            };
        }
        let named = elements(request, "x-forwarded-for").rev();
        // Une adresse illisible ne laisse rien croire de ce qui est à sa gauche.
        let named: Vec<IpAddr> = named.map_while(address).collect();
        let address = named.iter().copied().find(|address| !is_proxy(*address)).or(named.last().copied());
        let address = address.unwrap_or(peer);
        let known = elements(request, "remote-user").next_back().is_some();
        Caller {
            household: household(address),
            standing: if known { Standing::Owner } else { at(address) },
            forwarded_host: elements(request, "x-forwarded-host").next_back().map(str::to_owned),
            scheme: elements(request, "x-forwarded-proto").next_back().and_then(Scheme::parse),
        }
    }

    #[cfg(test)]
    pub(super) fn test(household: IpAddr, standing: Standing) -> Caller {
        Caller { household, standing, forwarded_host: None, scheme: None }
    }

    /// L'hôte demandé : celui que dit un mandataire cru, sinon `Host`, dit une seule fois.
    pub(super) fn host<S>(&self, request: &Request<S>) -> Result<(String, Option<Host>), ApiError> {
        let text = match &self.forwarded_host {
            Some(text) => text.as_str(),
            None => single(request, "host")?.unwrap_or_default(),
        };
        Ok((text.to_owned(), Host::parse(text)))
    }
}

fn at(address: IpAddr) -> Standing {
    if is_home(address) { Standing::Neighbour } else { Standing::Stranger }
}

/// Une adresse, son port éventuel laissé de côté.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let read = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    read.ok().map(|address| address.to_canonical())
}

/// Les éléments non vides d'un en-tête qui est une liste, répété ou non.
fn elements<'a, S>(request: &'a Request<S>, name: &str) -> impl DoubleEndedIterator<Item = &'a str> {
    let values: Vec<&str> = request
        .header(name)
        .into_iter()
        .flatten()
        .flat_map(|value| value.as_str().split(','))
        .map(str::trim)
        .filter(|element| !element.is_empty())
        .collect();
    values.into_iter()
}

/// La valeur d'un en-tête qui ne peut pas être répété.
pub(super) fn single<'a, S>(request: &'a Request<S>, name: &str) -> Result<Option<&'a str>, ApiError> {
    let mut values = request.header(name).into_iter().flatten();
    let first = values.next().map(|value| value.as_str());
    match values.next() {
        None => Ok(first),
        Some(_) => Err(ApiError::bad_request(format!("the {name} header must be sent once"))),
    }
}
