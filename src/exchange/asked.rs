//! Ce qu'une demande à la bourse a donné, pour qui les compte : où, comment, en combien de temps.
//!
//! Deux listes closes. Qui compte est donné à l'accès ([`Watcher`]) ; la bourse ne sait rien de lui.

use std::time::Duration;

/// Une demande finie, avec ou sans réponse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    pub endpoint: Endpoint,
    pub code: Code,
    pub took: Duration,
    /// Le poids que la bourse compte à notre adresse, s'il est connu.
    pub used_weight: Option<u64>,
}

/// Qui est prévenu de chaque demande.
pub type Watcher = dyn Fn(Asked);

/// Ce qui se demande à la bourse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Time,
    BookTicker,
    AveragePrice,
    Trades,
    Depth,
    ExchangeInfo,
    Account,
    KeyRights,
    Order,
    AllOrders,
    MyTrades,
    PlaceOrder,
}

impl Endpoint {
    pub const ALL: [Endpoint; 12] = [
        Endpoint::Time,
        Endpoint::BookTicker,
        Endpoint::AveragePrice,
        Endpoint::Trades,
        Endpoint::Depth,
        Endpoint::ExchangeInfo,
        Endpoint::Account,
        Endpoint::KeyRights,
        Endpoint::Order,
        Endpoint::AllOrders,
        Endpoint::MyTrades,
        Endpoint::PlaceOrder,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Endpoint::Time => "time",
            Endpoint::BookTicker => "book_ticker",
            Endpoint::AveragePrice => "average_price",
            Endpoint::Trades => "trades",
            Endpoint::Depth => "depth",
            Endpoint::ExchangeInfo => "exchange_info",
            Endpoint::Account => "account",
            Endpoint::KeyRights => "key_rights",
            Endpoint::Order => "order",
            Endpoint::AllOrders => "all_orders",
            Endpoint::MyTrades => "my_trades",
            Endpoint::PlaceOrder => "place_order",
        }
    }
}

/// Le statut de la réponse, ou qu'il n'y en a pas eu : une liste close, les autres statuts ensemble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    Ok,
    BadRequest,
    Unauthorized,
    Forbidden,
    Banned,
    TooMany,
    ServerError,
    Other,
    /// Pas de réponse, ou pas entière.
    NoAnswer,
}

impl Code {
    pub const ALL: [Code; 9] = [
        Code::Ok,
        Code::BadRequest,
        Code::Unauthorized,
        Code::Forbidden,
        Code::Banned,
        Code::TooMany,
        Code::ServerError,
        Code::Other,
        Code::NoAnswer,
    ];

    pub fn of(status: Option<u16>) -> Code {
        match status {
            None => Code::NoAnswer,
            Some(200) => Code::Ok,
            Some(400) => Code::BadRequest,
            Some(401) => Code::Unauthorized,
            Some(403) => Code::Forbidden,
            Some(418) => Code::Banned,
            Some(429) => Code::TooMany,
            Some(500..=599) => Code::ServerError,
            Some(_) => Code::Other,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Code::Ok => "200",
            Code::BadRequest => "400",
            Code::Unauthorized => "401",
            Code::Forbidden => "403",
            Code::Banned => "418",
            Code::TooMany => "429",
            Code::ServerError => "5xx",
            Code::Other => "other",
            Code::NoAnswer => "none",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_word_and_every_word_has_its_status() {
        let cases = [
            (Some(200), "200"),
            (Some(400), "400"),
            (Some(401), "401"),
            (Some(403), "403"),
            (Some(418), "418"),
            (Some(429), "429"),
            (Some(500), "5xx"),
            (Some(504), "5xx"),
            (Some(302), "other"),
            (Some(451), "other"),
            (None, "none"),
        ];
        for (status, expected) in cases {
            assert_eq!(Code::of(status).word(), expected, "{status:?}");
        }
        for word in Code::ALL.map(Code::word) {
            assert!(cases.iter().any(|(_, expected)| *expected == word), "{word}");
        }
    }
}
