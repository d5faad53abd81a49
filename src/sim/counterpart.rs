//! Le leader ou la bourse, vus du réseau : une requête leur arrive, ils y répondent.

use super::reply::Reply;
use super::request::Request;

pub(super) trait Counterpart {
    /// Une requête est arrivée, quel que soit son sort.
    fn arrived(&self, path: &str);
    fn answer(&self, request: &Request) -> Reply;
}
