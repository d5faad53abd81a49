//! Une demande signée, comme une donnée : un chemin, des paramètres dans l'ordre, une signature au bout.
//!
//! Pur : ni horloge ni prise ; l'heure et la clé sont des arguments. Lecture ou ordre, tout est dans la chaîne
//! de requête et le corps est vide. Invariant : le texte signé est celui qui part, à l'octet près ; chaque
//! valeur y est encodée *avant* la signature (la bourse répond -1022 à qui fait l'inverse).

use std::time::Duration;

use crate::domain::moment::Moment;
use crate::exchange::credentials::Credentials;

/// Une demande pas encore signée.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    path: &'static str,
    query: String,
}

impl Request {
    pub fn new(path: &'static str) -> Request {
        Request { path, query: String::new() }
    }

    /// Ajoute un paramètre ; `value` est encodée ici.
    pub fn with(mut self, name: &str, value: &str) -> Request {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.push_str(name);
        self.query.push('=');
        self.query.extend(value.bytes().map(percent_encoded));
        self
    }

    /// Le chemin et la chaîne de requête, à envoyer tels quels.
    pub fn target(&self) -> String {
        format!("{}?{}", self.path, self.query)
    }

    /// La même signée : ce que rend [`Request::target`], heure et signature au bout. `timestamp` est l'heure de la bourse ;
    /// elle refuse la demande si elle lui arrive plus de `window` après.
    pub fn signed(self, credentials: &Credentials, timestamp: Moment, window: Duration) -> String {
        let request = self
            .with("recvWindow", &window.as_millis().to_string())
            .with("timestamp", &timestamp.0.to_string());
        let signature = credentials.sign(&request.query);
        request.with("signature", &signature).target()
    }
}

/// Les caractères qui restent eux-mêmes sont ceux de la RFC 3986.
fn percent_encoded(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

    fn request(parameters: &[(&str, &str)]) -> Request {
        parameters.iter().fold(Request::new("/api/v3/x"), |request, (name, value)| request.with(name, value))
    }

    fn check(parameters: &[(&str, &str)], expected: &str) {
        let request = request(parameters);
        assert_eq!(Credentials::hmac("key", SECRET).sign(&request.query), expected, "{}", request.query);
    }

    /// Les vecteurs de la documentation (V1 à V3) et ceux calculés avec le même secret (C1 à C5).
    #[test]
    fn the_signatures_are_those_of_the_documentation() {
        let order = |symbol| {
            [
                ("symbol", symbol),
                ("side", "BUY"),
                ("type", "LIMIT"),
                ("timeInForce", "GTC"),
                ("quantity", "1"),
                ("price", "0.1"),
                ("recvWindow", "5000"),
                ("timestamp", "1499827319559"),
            ]
        };
        check(&order("LTCBTC"), "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71");
        check(&order("１２３４５６"), "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3");
        let c1 = [("omitZeroBalances", "true"), ("recvWindow", "5000"), ("timestamp", "1700000000000")];
        check(&c1, "821af6641542547413c6f4364e0c62f100d8d746e0ed17277e290acd6214876f");
        let c2 = [
            ("symbol", "BTCUSDC"),
            ("origClientOrderId", "bot-20260101-0001"),
            ("recvWindow", "3000"),
            ("timestamp", "1700000000000"),
        ];
        check(&c2, "7c6badb6b23e01ac5af3991c59d90e39654ba7337ab9d722eea356b10349eed4");
        let market = |side, amount, id, window, timestamp| {
            [
                ("symbol", "BTCUSDC"),
                ("side", side),
                ("type", "MARKET"),
                amount,
                ("newClientOrderId", id),
                ("newOrderRespType", "FULL"),
                ("recvWindow", window),
                ("timestamp", timestamp),
            ]
        };
        let c3 = market("BUY", ("quoteOrderQty", "25.00"), "bot-20260101-0001", "3000", "1700000000000");
        check(&c3, "c5843e47fe9173bd0ae308a957da2f1403a52d4d345a1a4695cb04d566229d90");
        let c4 = market("SELL", ("quantity", "0.00031"), "bot-20260101-0002", "3000.5", "1700000000000000");
        check(&c4, "df54b31ec410a64c32b05bc315c90e1b06ba9728530575bcb79990aae601cc2e");
        check(
            &[("timestamp", "1499827319559")],
            "2222d49722f6af5da13f6da6bfc0d7de19ca2815ebc98bbc49e4942268472f3f",
        );
    }

    /// V2 : requête et corps se signent bout à bout, sans séparateur.
    #[test]
    fn a_query_and_a_body_are_signed_end_to_end() {
        let payload = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC\
                       quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
        assert_eq!(
            Credentials::hmac("key", SECRET).sign(payload),
            "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
        );
    }

    /// Le vecteur Ed25519, calculé avec la graine du premier essai de la RFC 8032.
    #[test]
    fn an_ed25519_signature_is_base64_percent_encoded() {
        let request = request(&[
            ("symbol", "BTCUSDT"),
            ("side", "SELL"),
            ("type", "LIMIT"),
            ("timeInForce", "GTC"),
            ("quantity", "1"),
            ("price", "0.2"),
            ("timestamp", "1668481559918"),
            ("recvWindow", "5000"),
        ]);
        let pem = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                   -----END PRIVATE KEY-----\n";
        let credentials = Credentials::ed25519("key", pem).expect("a private key");
        let signature = credentials.sign(&request.query);
        assert_eq!(
            signature,
            "XtZirsmmi0noRzUfkqktvkVfxpkq/WtbLg2UOL3QGYdUBZVlqOBEMuEVw8zioY93N54NcKj9UuAXQEa9zgTDBg=="
        );
        assert!(request.with("signature", &signature).target().ends_with(
            "&signature=XtZirsmmi0noRzUfkqktvkVfxpkq%2FWtbLg2UOL3QGYdUBZVlqOBEMuEVw8zioY93N54NcKj9UuAXQEa9zgTDBg%3D%3D"
        ));
    }

    #[test]
    fn what_is_sent_is_what_was_signed() {
        let request = request(&[("omitZeroBalances", "true")]);
        let window = Duration::from_secs(5);
        let sent = request.signed(&Credentials::hmac("key", SECRET), Moment(1_700_000_000_000), window);
        assert_eq!(
            sent,
            "/api/v3/x?omitZeroBalances=true&recvWindow=5000&timestamp=1700000000000\
             &signature=821af6641542547413c6f4364e0c62f100d8d746e0ed17277e290acd6214876f"
        );
    }

    #[test]
    fn a_value_is_percent_encoded_whatever_is_in_it() {
        let request = request(&[("symbols", r#"["A-_.~","é+/="]"#)]);
        assert_eq!(request.query, "symbols=%5B%22A-_.~%22%2C%22%C3%A9%2B%2F%3D%22%5D");
    }
}
