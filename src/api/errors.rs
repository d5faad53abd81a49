//! Ce que l'API répond quand elle refuse.
//!
//! Un refus a un statut et une phrase, `{"error":"…"}` ; un 500 ne montre jamais l'intérieur, qui va au journal.

use std::collections::BTreeMap;
use std::fmt;

use http_types::StatusCode;
use tide::Response;

use super::json::json;

/// Un refus : le statut et une phrase qui dit ce qui ne va pas et quoi faire. `?` le rend à tide tel quel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    message: String,
}

impl ApiError {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        ApiError { status, message: message.into() }
    }

    /// 400 : l'entrée ne convient pas.
    pub fn bad_request(message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::BadRequest, message)
    }

    /// 409 : la demande est claire mais l'état ne la permet pas.
    pub fn conflict(message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::Conflict, message)
    }

    /// 503 : il manque quelque chose pour répondre, cela peut revenir.
    pub fn unavailable(message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::ServiceUnavailable, message)
    }

    /// 500, sans rien dire de l'intérieur.
    pub fn internal() -> Self {
        ApiError::new(StatusCode::InternalServerError, "something went wrong here; see the log")
    }

    /// Le même, d'un autre statut.
    pub(super) fn with(self, status: StatusCode) -> Self {
        ApiError { status, ..self }
    }

    /// La réponse JSON de ce refus.
    pub fn into_response(self) -> Response {
        json(self.status, &BTreeMap::from([("error", self.message)]))
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", u16::from(self.status), self.message)
    }
}

// Pas de `std::error::Error` : tide convertit ceux-là en 500, cette conversion-ci garde le statut.
impl From<ApiError> for tide::Error {
    fn from(error: ApiError) -> Self {
        tide::Error::from_str(error.status, error)
    }
}
