//! Les paramètres d'une requête, lus de la chaîne de requête et du corps ; la première gagne.
//!
//! Refuse un doublon, un nom que l'appel ne connaît pas, un nombre hors de sa forme légale. Ne vérifie ni
//! signature ni filtre. Après lecture, une valeur est décodée ; la signature, elle, porte sur les octets bruts.

use rust_decimal::Decimal;

use super::refusal::Refusal;

const DECIMAL_RANGE: &str = r"^([0-9]{1,20})(\.[0-9]{1,20})?$";
const INTEGER_RANGE: &str = "^[0-9]{1,20}$";
const SYMBOL_RANGE: &str = "^[A-Z0-9-_.]{1,20}$";
const CLIENT_ID_RANGE: &str = "^[a-zA-Z0-9-_]{1,36}$";
/// À partir d'ici une heure est en microsecondes : en millisecondes ce serait l'an 5138.
const MICROSECONDS_FROM: i64 = 100_000_000_000_000;
const RECV_WINDOW_RANGE: &str = r"^([0-9]{1,5})(\.[0-9]{1,3})?$";

/// Ce que toute requête signée peut porter.
const SIGNED: [&str; 3] = ["timestamp", "recvWindow", "signature"];

#[derive(Clone, Debug)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub(super) fn parse(query: &str, body: &str) -> Result<Params, Refusal> {
        let mut params = pairs(query)?;
        for (name, value) in pairs(body)? {
            if !params.iter().any(|(known, _)| *known == name) {
                params.push((name, value));
            }
        }
        Ok(Params(params))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Présent et non vide.
    pub(super) fn require(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| Refusal::missing(name))
    }

    /// Refuse tout nom hors de `known` ; le code dépend de la sécurité de l'appel.
    pub(super) fn only(&self, known: &[&str], signed: bool) -> Result<(), Refusal> {
        let is_read = |name: &str| known.contains(&name) || (signed && SIGNED.contains(&name));
        let sent = self.0.len();
        let read = self.0.iter().filter(|(name, _)| is_read(name)).count();
        match (read == sent, signed) {
            (true, _) => Ok(()),
            (false, true) => Err(Refusal::new(
                -1104,
                format!(
                    "Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
                ),
            )),
            (false, false) => Err(Refusal::new(
                -1101,
                format!("Too many parameters; expected '{read}' and received '{sent}'."),
            )),
        }
    }

    /// Un montant positif ou nul, d'au plus huit décimales significatives.
    pub(super) fn amount(&self, name: &str) -> Result<Option<Decimal>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        if text.is_empty() {
            return Err(Refusal::new(-1105, format!("Parameter '{name}' was empty.")));
        }
        if !is_decimal(text, 20, 20) {
            return Err(Refusal::illegal(name, DECIMAL_RANGE));
        }
        let too_fine = || Refusal::new(-1111, format!("Parameter '{name}' has too much precision."));
        let value: Decimal = text.parse().map_err(|_| too_fine())?;
        if value.normalize().scale() > 8 { Err(too_fine()) } else { Ok(Some(value)) }
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        if !is_decimal(text, 20, 0) {
            return Err(Refusal::illegal(name, INTEGER_RANGE));
        }
        text.parse().map(Some).map_err(|_| Refusal::new(-1108, format!("Parameter '{name}' overflowed.")))
    }

    /// Une heure donnée en millisecondes ou en microsecondes ; rendue en microsecondes.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let micros = |time: i64| if time >= MICROSECONDS_FROM { time } else { time * 1_000 };
        Ok(self.integer(name)?.map(micros))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "TRUE") => Ok(Some(true)),
            Some("false" | "FALSE") => Ok(Some(false)),
            Some(_) => Err(Refusal::new(-1130, format!("Data sent for parameter '{name}' is not valid."))),
        }
    }

    /// Un symbole de forme légale ; qu'il existe est une autre question.
    pub(super) fn symbol(&self) -> Result<Option<&str>, Refusal> {
        let Some(text) = self.get("symbol").filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let legal = text.len() <= 20
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"-_.".contains(&b));
        if legal { Ok(Some(text)) } else { Err(Refusal::illegal("symbol", SYMBOL_RANGE)) }
    }

    /// `symbols=["BTCUSDC","ETHUSDC"]`, brut ou encodé.
    pub(super) fn symbols(&self) -> Result<Option<Vec<String>>, Refusal> {
        let Some(text) = self.get("symbols") else {
            return Ok(None);
        };
        let range = r#"^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$"#;
        let list: Vec<String> =
            miniserde::json::from_str(text).map_err(|_| Refusal::illegal("symbols", range))?;
        let repeated = list.iter().enumerate().any(|(rank, name)| list[..rank].contains(name));
        match (list.is_empty(), repeated) {
            (true, _) => Err(Refusal::illegal("symbols", range)),
            (_, true) => Err(Refusal::new(-1151, "Symbol is present multiple times in the list.")),
            _ => Ok(Some(list)),
        }
    }

    pub(super) fn client_id(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let legal = (1..=36).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if legal { Ok(Some(text)) } else { Err(Refusal::illegal(name, CLIENT_ID_RANGE)) }
    }

    /// Fenêtre en microsecondes.
    pub(super) fn recv_window_micros(&self) -> Result<i64, Refusal> {
        let text = self.get("recvWindow").unwrap_or("5000");
        if !is_decimal(text, 20, 3) {
            return Err(Refusal::illegal("recvWindow", RECV_WINDOW_RANGE));
        }
        let window: Decimal = text.parse().map_err(|_| Refusal::illegal("recvWindow", RECV_WINDOW_RANGE))?;
        if window > Decimal::from(60_000) {
            return Err(Refusal::new(-1131, "recvWindow must be less than 60000"));
        }
        i64::try_from(window * Decimal::ONE_THOUSAND)
            .map_err(|_| Refusal::illegal("recvWindow", RECV_WINDOW_RANGE))
    }
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, Refusal> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in text.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let (name, value) = (decode(name), decode(value));
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(Refusal::new(-1101, "Duplicate values for a parameter detected."));
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// `%XX` et `+` ; une suite fausse reste telle quelle.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = || bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = (byte == b'%').then(code).flatten().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(escaped.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn is_decimal(text: &str, whole_limit: usize, fraction_limit: usize) -> bool {
    let digits =
        |part: &str, limit| (1..=limit).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole, whole_limit) && digits(fraction, fraction_limit),
        None => digits(text, whole_limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(outcome: Result<Option<Decimal>, Refusal>) -> Option<i64> {
        outcome.err().map(|refusal| refusal.code)
    }

    #[test]
    fn amounts_have_one_legal_form() {
        let cases = [
            ("0.00031", None),
            ("25", None),
            ("1e-05", Some(-1100)),
            ("0,001", Some(-1100)),
            (".5", Some(-1100)),
            ("-1", Some(-1100)),
            ("", Some(-1105)),
            ("0.123456789", Some(-1111)),
            ("0.120000000", None),
        ];
        for (text, expected) in cases {
            let params = Params::parse(&format!("quantity={text}"), "").unwrap();
            assert_eq!(code(params.amount("quantity")), expected, "{text}");
        }
    }

    #[test]
    fn the_query_wins_over_the_body_and_a_duplicate_is_refused() {
        let params = Params::parse("a=1", "a=2&b=%5B3").unwrap();
        assert_eq!((params.get("a"), params.get("b")), (Some("1"), Some("[3")));
        assert_eq!(Params::parse("a=1&a=2", "").unwrap_err().code, -1101);
    }

    #[test]
    fn a_time_is_in_milliseconds_or_in_microseconds() {
        let params = Params::parse("ms=1790000000123&us=1790000000123456", "").unwrap();
        assert_eq!(params.time("ms"), Ok(Some(1_790_000_000_123_000)));
        assert_eq!(params.time("us"), Ok(Some(1_790_000_000_123_456)));
    }

    #[test]
    fn the_window_takes_three_decimals_and_at_most_a_minute() {
        let window =
            |text: &str| Params::parse(&format!("recvWindow={text}"), "").unwrap().recv_window_micros();
        assert_eq!(window("3000.5"), Ok(3_000_500));
        assert_eq!(window("60000"), Ok(60_000_000));
        assert_eq!(window("60000.001").unwrap_err().code, -1131);
        assert_eq!(window("1.2345").unwrap_err().code, -1100);
    }
}
