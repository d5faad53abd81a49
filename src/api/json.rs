//! Le JSON qui sort de l'API.

use http_types::StatusCode;
use miniserde::json::{Number, Value};
use tide::Response;

/// Ce nombre, entier s'il l'est : `120`, et non `120.0`.
pub fn number(value: f64) -> Value {
    let whole = value.fract() == 0.0 && (0.0..9e15).contains(&value);
    Value::Number(if whole { Number::U64(value as u64) } else { Number::F64(value) })
}

/// Une réponse JSON, jamais gardée en cache.
pub fn json(status: StatusCode, value: &impl miniserde::Serialize) -> Response {
    written(status, miniserde::json::to_string(value))
}

fn written(status: StatusCode, text: String) -> Response {
    Response::builder(status)
        .body(text)
        .content_type("application/json")
        .header("cache-control", "no-store")
        .build()
}

/// Une liste, écrite ligne à ligne : aucune n'attend, décodée, que les autres le soient.
pub fn list<T: miniserde::Serialize>(status: StatusCode, rows: impl IntoIterator<Item = T>) -> Response {
    let mut text = String::from("[");
    for (rank, row) in rows.into_iter().enumerate() {
        if rank > 0 {
            text.push(',');
        }
        text.push_str(&miniserde::json::to_string(&row));
    }
    text.push(']');
    written(status, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_never_written_as_a_fraction() {
        for (value, written) in [(120.0, "120"), (0.02, "0.02"), (0.0, "0"), (1.5, "1.5"), (-1.0, "-1.0")] {
            assert_eq!(miniserde::json::to_string(&number(value)), written);
        }
    }
}
