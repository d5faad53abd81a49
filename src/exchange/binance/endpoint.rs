//! Ce qu'une adresse demande, pour qui compte les demandes.

use crate::exchange::asked::Endpoint;

/// Ce que lit `target`, chemin et paramètres ; `None` si ce n'est pas de la liste.
pub(super) fn read_by(target: &str) -> Option<Endpoint> {
    Some(match target.split('?').next()? {
        "/api/v3/time" => Endpoint::Time,
        "/api/v3/ticker/bookTicker" => Endpoint::BookTicker,
        "/api/v3/avgPrice" => Endpoint::AveragePrice,
        "/api/v3/trades" => Endpoint::Trades,
        "/api/v3/depth" => Endpoint::Depth,
        "/api/v3/exchangeInfo" => Endpoint::ExchangeInfo,
        "/api/v3/account" => Endpoint::Account,
        "/sapi/v1/account/apiRestrictions" => Endpoint::KeyRights,
        "/api/v3/order" => Endpoint::Order,
        "/api/v3/allOrders" => Endpoint::AllOrders,
        "/api/v3/myTrades" => Endpoint::MyTrades,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_without_its_parameters() {
        let cases = [
            ("/api/v3/time", Some(Endpoint::Time)),
            ("/api/v3/avgPrice?symbol=BTCUSDC", Some(Endpoint::AveragePrice)),
            ("/api/v3/account?omitZeroBalances=true&signature=x", Some(Endpoint::Account)),
            ("/api/v3/order?symbol=BTCUSDC", Some(Endpoint::Order)),
            ("/api/v3/trades?symbol=BTCUSDC&limit=5", Some(Endpoint::Trades)),
            ("/api/v3/orders?symbol=BTCUSDC", None),
            ("", None),
        ];
        for (target, expected) in cases {
            assert_eq!(read_by(target), expected, "{target}");
        }
    }
}
