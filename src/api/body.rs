//! Le corps JSON d'une requête : borné, annoncé, et rien de plus que les champs attendus.

use http_types::StatusCode;
use miniserde::json::{Number, Value};
use smol::io::AsyncReadExt;
use tide::Request;

use super::errors::ApiError;
use crate::domain::money::NotAnAmount;

/// Taille d'un corps JSON, comme celle du front.
const LIMIT: u64 = 64 * 1024;

/// Vrai si le corps est annoncé, une seule fois, comme du JSON.
pub(super) fn is_json<S>(request: &Request<S>) -> bool {
    let mut types = request.header("content-type").into_iter().flatten();
    let essence = types.next().and_then(|value| value.as_str().split(';').next());
    let json = essence.is_some_and(|text| text.trim().eq_ignore_ascii_case("application/json"));
    json && types.next().is_none()
}

/// Le refus d'un corps qui n'est pas annoncé comme du JSON.
pub(super) fn not_json() -> ApiError {
    let message = "send a JSON body with Content-Type: application/json";
    ApiError::new(StatusCode::UnsupportedMediaType, message)
}

/// Le corps JSON de la requête. `example` est cité dans le refus : miniserde ne dit pas ce qui cloche. Un champ qui n'est
/// pas de `fields` est refusé : mal écrit, il passerait pour absent, et `{}` veut parfois dire quelque chose.
pub async fn json_body<T, S>(request: &mut Request<S>, fields: &[&str], example: &str) -> Result<T, ApiError>
where
    T: miniserde::Deserialize,
{
    if !is_json(request) {
        return Err(not_json());
    }
    let expected = || ApiError::bad_request(format!("the body must be JSON like {example}"));
    let mut text = String::new();
    let mut body = request.take_body().take(LIMIT + 1);
    body.read_to_string(&mut text).await.map_err(|_| expected())?;
    if text.len() as u64 > LIMIT {
        let message = format!("the body must not be larger than {LIMIT} bytes");
        return Err(ApiError::new(StatusCode::PayloadTooLarge, message));
    }
    let object: miniserde::json::Object = miniserde::json::from_str(&text).map_err(|_| expected())?;
    if !object.keys().all(|field| fields.contains(&field.as_str())) {
        return Err(expected());
    }
    miniserde::json::from_str(&text).map_err(|_| expected())
}

/// Un montant, en texte ou en nombre : le texte est exact, un nombre l'est aussi loin qu'on l'écrirait.
pub(super) fn amount<T>(
    name: &str,
    value: &Value,
    parse: impl FnOnce(&str) -> Result<T, NotAnAmount>,
) -> Result<T, ApiError> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(Number::U64(number)) => number.to_string(),
        Value::Number(Number::I64(number)) => number.to_string(),
        Value::Number(Number::F64(number)) => number.to_string(),
        _ => String::new(),
    };
    let unusable = |_| ApiError::bad_request(format!("{name} must be a number with a point, like \"0.001\""));
    parse(&text).map_err(unusable)
}
