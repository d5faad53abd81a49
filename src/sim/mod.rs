//! Le monde extérieur simulé : un leader et une bourse, pour `demo` et les tests.
//!
//! [`World`] les sert en vrai HTTP sur la boucle locale : un fil, deux ports éphémères ; le lâcher l'arrête.
//! [`Direct`] les donne sans réseau et, par [`Hour::Set`], hors du temps de la machine. `sim` ne partage aucun
//! type du fil avec le client : une lecture fausse de la documentation ne doit pas être des deux côtés. Même
//! graine, mêmes requêtes : mêmes prix, mêmes signaux, quelle que soit la machine.
//!
//! Une troisième partie y est : la personne ([`Person`]), qui fait de son compte ce que la page de la bourse permet.
//!
//! La liste S1–S41 de la fiche Binance y est, hors gzip : répondre en clair est permis, et le client ne demande
//! rien d'autre. Hors de la liste, ne sont pas simulés : les signatures RSA, qu'il ne fait pas et qui voudraient
//! une dépendance de plus, les ordres stop, LIMIT_MAKER et iceberg (-1014), la prévention des ordres contre
//! soi-même, et la rencontre d'un ordre ouvert par le marché : il reste ouvert jusqu'à son annulation. Une fiche
//! muette sur un code en reçoit un au choix : -2014 sans clé, -1128 pour deux quantités, -1021 pour une heure
//! lointaine.

mod counterpart;
mod direct;
mod exchange;
mod fault;
mod hour;
mod http;
mod json;
mod leader;
mod market;
mod mind;
mod reply;
mod request;
mod script;
mod signature;
#[cfg(test)]
mod tests;
mod wire;
mod world;

pub use direct::{Arrival, Delivery, Direct};
pub use exchange::{
    Account, Asked, Balance, Exchange, Fill, Lag, Misquote, Movement, MovementKind, Order, OrderSide,
    OrderStatus, Person, SameId, TimeInForce, View,
};
pub use fault::{Fault, Handling, Hit, On, Side};
pub use hour::Hour;
pub use leader::Leader;
pub use market::{Book, Level, Listing, NotionalFilter, Status};
pub use reply::Reply;
pub use script::{Pace, Script};
pub use wire::Wire;
pub use world::World;
