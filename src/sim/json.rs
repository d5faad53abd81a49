//! Le JSON que le monde simulé écrit : un arbre et son texte, rien d'autre.
//!
//! Un `Decimal` devient un texte à huit décimales (la forme des montants de la bourse) ; le leader, qui écrit
//! de vrais nombres, passe par [`Json::Number`]. Aucun montant ne traverse un flottant, et l'ordre des champs
//! est celui de l'écriture.

use std::fmt;

use rust_decimal::Decimal;

#[derive(Clone, Debug)]
pub(super) enum Json {
    Bool(bool),
    Int(i64),
    /// Une heure, en microsecondes ; écrite en millisecondes si on ne demande pas mieux.
    Time(i64),
    Number(Decimal),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

/// `object! { "symbol": pair, "price": price }`
macro_rules! object {
    ($($key:literal : $value:expr),* $(,)?) => {
        $crate::sim::json::Json::Object(vec![$(($key, $crate::sim::json::Json::from($value))),*])
    };
}
pub(super) use object;

impl Json {
    pub(super) fn time(ms: i64) -> Json {
        Json::Time(ms * 1_000)
    }

    /// Toutes les heures en microsecondes.
    pub(super) fn in_microseconds(self) -> Json {
        match self {
            Json::Time(micros) => Json::Int(micros),
            Json::List(values) => Json::List(values.into_iter().map(Json::in_microseconds).collect()),
            Json::Object(fields) => {
                let finer = |(key, value): (&'static str, Json)| (key, value.in_microseconds());
                Json::Object(fields.into_iter().map(finer).collect())
            }
            other => other,
        }
    }

    /// Ajoute un champ à un objet ; sans effet sur toute autre valeur.
    pub(super) fn push(&mut self, key: &'static str, value: impl Into<Json>) {
        if let Json::Object(fields) = self {
            fields.push((key, value.into()));
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Bool(value) => write!(f, "{value}"),
            Json::Int(value) => write!(f, "{value}"),
            Json::Time(micros) => write!(f, "{}", micros / 1_000),
            Json::Number(value) => write!(f, "{}", value.normalize()),
            Json::Text(value) => write_text(f, value),
            Json::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{value}")?;
                }
                f.write_str("]")
            }
            Json::Object(fields) => {
                f.write_str("{")?;
                for (index, (key, value)) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}\"{key}\":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for letter in text.chars() {
        match letter {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            control if (control as u32) < 0x20 => write!(f, "\\u{:04x}", control as u32)?,
            other => write!(f, "{other}")?,
        }
    }
    f.write_str("\"")
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Json {
        Json::Int(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Json {
        Json::Text(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Json {
        Json::Text(value)
    }
}

/// Un montant comme la bourse l'écrit : `"68012.34000000"`.
impl From<Decimal> for Json {
    fn from(value: Decimal) -> Json {
        Json::Text(format!("{value:.8}"))
    }
}

impl From<Vec<Json>> for Json {
    fn from(values: Vec<Json>) -> Json {
        Json::List(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_carry_eight_decimals_and_numbers_carry_their_own() {
        let price: Decimal = "68012.34".parse().unwrap();
        let json = object! { "price": price, "weight": Json::Number(Decimal::new(400, 3)), "n": 3i64 };
        assert_eq!(json.to_string(), r#"{"price":"68012.34000000","weight":0.4,"n":3}"#);
    }

    #[test]
    fn times_are_written_in_milliseconds_unless_microseconds_are_asked_for() {
        let json = object! { "list": vec![object! { "t": Json::Time(1_234_567) }, Json::time(9)], "n": 5i64 };
        assert_eq!(json.to_string(), r#"{"list":[{"t":1234},9],"n":5}"#);
        assert_eq!(json.in_microseconds().to_string(), r#"{"list":[{"t":1234567},9000],"n":5}"#);
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(Json::from("a\"b\\c\n").to_string(), r#""a\"b\\c\u000a""#);
    }
}
