//! Les paramètres d'une requête : ce qui suit le `?`. Donné deux fois ou mal écrit → 400 qui dit ce qui était attendu.

use tide::Request;

use super::errors::ApiError;
use crate::domain::market::Coin;
use crate::ledger::views::Selection;

/// Quelles lignes d'une liste : `limit`, `before` (un `id`), `coin` (une paire), `signal_id`.
pub fn selection<S>(request: &Request<S>, default: u32, max: u32) -> Result<Selection, ApiError> {
    let coins: Vec<_> = Coin::ALL.iter().map(|coin| (coin.pair(), *coin)).collect();
    Ok(Selection {
        limit: limit(request, default, max)?,
        before: before(request)?,
        coin: choice(request, "coin", &coins)?,
        signal: parameter(request, "signal_id")?,
    })
}

/// Le paramètre `before` : l'`id` avant lequel on lit ; absent → `None`.
fn before<S>(request: &Request<S>) -> Result<Option<i64>, ApiError> {
    let Some(text) = parameter(request, "before")? else {
        return Ok(None);
    };
    let id = text.parse().ok().filter(|id| *id > 0);
    id.map(Some).ok_or_else(|| ApiError::bad_request("before must be an id, a positive whole number"))
}

/// Le paramètre `limit` : absent → `default` ; au-dessus de `max` → `max` ; ce qui n'est pas un entier positif → 400.
pub fn limit<S>(request: &Request<S>, default: u32, max: u32) -> Result<u32, ApiError> {
    let Some(text) = parameter(request, "limit")? else {
        return Ok(default);
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // Que des chiffres : ce qui ne tient pas dans un u32 dépasse aussi `max`.
    match text.parse().unwrap_or(max) {
        number if digits && number > 0 => Ok(number.min(max)),
        _ => Err(ApiError::bad_request("limit must be a positive whole number")),
    }
}

/// Le paramètre `name`, choisi parmi `choices` ; absent → `None` ; autre → 400 qui les cite.
pub fn choice<T: Copy, S>(
    request: &Request<S>,
    name: &str,
    choices: &[(&str, T)],
) -> Result<Option<T>, ApiError> {
    let Some(text) = parameter(request, name)? else {
        return Ok(None);
    };
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
        return Ok(Some(*value));
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    Err(ApiError::bad_request(format!("{name} must be one of {}", words.join(", "))))
}

fn parameter<S>(request: &Request<S>, name: &str) -> Result<Option<String>, ApiError> {
    let mut values = request.url().query_pairs().filter(|(key, _)| key == name);
    let first = values.next().map(|(_, value)| value.into_owned());
    match values.next() {
        None => Ok(first),
        Some(_) => Err(ApiError::bad_request(format!("{name} must be given once"))),
    }
}
