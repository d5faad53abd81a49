//! L'en-tête `Idempotency-Key` : la clé sous laquelle une demande ne se fait qu'une fois, même redite.

use super::Request;
use super::errors::ApiError;
use crate::ledger::RequestKey;

const HEADER: &str = "Idempotency-Key";

/// Caractères d'une clé, au plus.
const LONGEST: usize = 64;

/// La clé de la demande, s'il y en a une ; `wish` la dit en entier, une autre ne peut pas se servir de la même clé.
pub(super) fn key(request: &Request, wish: impl FnOnce() -> String) -> Result<Option<RequestKey>, ApiError> {
    let mut values = request.header(HEADER).into_iter().flatten();
    let Some(key) = values.next().map(|value| value.as_str()) else { return Ok(None) };
    let is_key = (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_key || values.next().is_some() {
        let reason = format!("{HEADER} must be sent once, with 1 to {LONGEST} visible ASCII characters");
        return Err(ApiError::bad_request(reason));
    }
    Ok(Some(RequestKey { key: key.to_owned(), wish: wish() }))
}
