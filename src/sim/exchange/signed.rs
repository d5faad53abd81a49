//! Qui a le droit : clé, heure, signature, dans cet ordre (que la documentation ne dit pas, fiche 13.2).
//!
//! La signature porte sur les octets reçus, chaîne de requête puis corps sans séparateur, moins le paramètre
//! `signature`. L'heure se compare en microsecondes.

use super::params::Params;
use super::refusal::Refusal;
use super::state::State;
use crate::sim::request::Request;
use crate::sim::signature::{hmac_hex, is_signed_by};

/// Avance tolérée d'un horodatage sur l'heure de la bourse.
const AHEAD_MICROS: i64 = 1_000_000;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permission {
    Read,
    Trade,
}

impl State {
    pub(super) fn signed(
        &self,
        request: &Request,
        params: &Params,
        wanted: Permission,
    ) -> Result<(), Refusal> {
        let Some(key) = request.header("X-MBX-APIKEY").filter(|key| !key.is_empty()) else {
            return Err(Refusal::unauthorized(-2014, "API-key format invalid."));
        };
        let disabled = wanted == Permission::Trade && !self.account.key_may_trade;
        if key != self.api_key || disabled {
            return Err(Refusal::unauthorized(-2015, "Invalid API-key, IP, or permissions for action."));
        }
        params.require("timestamp")?;
        let timestamp = params.time("timestamp")?.ok_or_else(|| Refusal::missing("timestamp"))?;
        let window = params.recv_window_micros()?;
        check_time(timestamp, window, self.clock.now_micros())?;
        let sent = params.require("signature")?;
        let payload = payload(request.query.as_bytes(), &request.body);
        let valid = match &self.public_key {
            Some(key) => is_signed_by(key, &payload, sent),
            None => hmac_hex(&self.api_secret, &payload).eq_ignore_ascii_case(sent),
        };
        if valid { Ok(()) } else { Err(Refusal::new(-1022, "Signature for this request is not valid.")) }
    }
}

/// Tout est en microsecondes.
fn check_time(timestamp: i64, window: i64, now: i64) -> Result<(), Refusal> {
    if timestamp >= now + AHEAD_MICROS {
        let text = "Timestamp for this request was 1000ms ahead of the server's time.";
        return Err(Refusal::new(-1021, text));
    }
    if now - timestamp > window {
        return Err(Refusal::new(-1021, "Timestamp for this request is outside of the recvWindow."));
    }
    Ok(())
}

/// Les octets signés de cette chaîne de requête et de ce corps.
fn payload(query: &[u8], body: &[u8]) -> Vec<u8> {
    [query, body].map(without_signature).concat()
}

fn without_signature(bytes: &[u8]) -> Vec<u8> {
    let parts = bytes.split(|byte| *byte == b'&');
    let kept: Vec<&[u8]> = parts.filter(|part| !part.starts_with(b"signature=")).collect();
    kept.join(&b'&')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

    #[test]
    fn signs_the_official_and_computed_vectors() {
        let b = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
        let v2_query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC";
        let v2_body = "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
        let v3 = b.replace("LTCBTC", "%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96");
        let c3 = "symbol=BTCUSDC&side=BUY&type=MARKET&quoteOrderQty=25.00&newClientOrderId=bot-20260101-0001&newOrderRespType=FULL&recvWindow=3000&timestamp=1700000000000";
        let c4 = "symbol=BTCUSDC&side=SELL&type=MARKET&quantity=0.00031&newClientOrderId=bot-20260101-0002&newOrderRespType=FULL&recvWindow=3000.5&timestamp=1700000000000000";
        let c2 = "symbol=BTCUSDC&origClientOrderId=bot-20260101-0001&recvWindow=3000&timestamp=1700000000000";
        let c1 = "omitZeroBalances=true&recvWindow=5000&timestamp=1700000000000";
        let cases = [
            ("V1 query", b, "", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
            ("V1 body", "", b, "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
            ("V2", v2_query, v2_body, "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"),
            ("V3", &v3, "", "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"),
            ("C1", c1, "", "821af6641542547413c6f4364e0c62f100d8d746e0ed17277e290acd6214876f"),
            ("C2", c2, "", "7c6badb6b23e01ac5af3991c59d90e39654ba7337ab9d722eea356b10349eed4"),
            ("C3", c3, "", "c5843e47fe9173bd0ae308a957da2f1403a52d4d345a1a4695cb04d566229d90"),
            ("C4", c4, "", "df54b31ec410a64c32b05bc315c90e1b06ba9728530575bcb79990aae601cc2e"),
            (
                "C5",
                "timestamp=1499827319559",
                "",
                "2222d49722f6af5da13f6da6bfc0d7de19ca2815ebc98bbc49e4942268472f3f",
            ),
        ];
        for (name, query, body, expected) in cases {
            let sign = |query: &str| hmac_hex(SECRET, &payload(query.as_bytes(), body.as_bytes()));
            assert_eq!(sign(query), expected, "{name}");
            let signed = format!("{query}&signature={expected}").trim_start_matches('&').to_owned();
            assert_eq!(sign(&signed), expected, "{name}, signature in the query");
        }
    }

    #[test]
    fn a_timestamp_has_a_second_ahead_and_a_window_behind() {
        let now = 1_790_000_000_000_000;
        let text = |timestamp| check_time(timestamp, 3_000_500, now).err().map(|refusal| refusal.text);
        let ahead = Some("Timestamp for this request was 1000ms ahead of the server's time.".to_owned());
        let late = Some("Timestamp for this request is outside of the recvWindow.".to_owned());
        assert_eq!(text(now + 999_999), None);
        assert_eq!(text(now + 1_000_000), ahead);
        assert_eq!(text(now - 3_000_500), None);
        assert_eq!(text(now - 3_000_501), late);
    }
}
