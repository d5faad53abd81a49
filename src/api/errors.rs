//! Ce que l'API répond quand elle refuse.
//!
//! Un refus a un statut et une phrase, `{"error":"…"}`, ou la phrase seule dans une page pour qui en ouvrait une ; un 500 ne montre jamais l'intérieur, qui va au journal.

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
    /// Dans combien de secondes redemander, si cela se sait.
    after: Option<u64>,
}

impl ApiError {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        ApiError { status, message: message.into(), after: None }
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

    /// 503 pour un moment : trop de choses à la fois.
    pub fn busy(message: impl Into<String>, seconds: u64) -> Self {
        ApiError::unavailable(message).after(seconds)
    }

    /// 503 : d'autres réponses tiennent la mémoire de celle-ci.
    pub(super) fn no_room() -> Self {
        let reason = "other answers are on their way to clients that do not read them: ask again in a moment";
        ApiError::busy(reason, 10)
    }

    /// Le même, qui dit quand redemander.
    pub(super) fn after(self, seconds: u64) -> Self {
        ApiError { after: Some(seconds), ..self }
    }

    /// 500, sans rien dire de l'intérieur.
    pub fn internal() -> Self {
        ApiError::new(StatusCode::InternalServerError, "something went wrong here; see the log")
    }

    /// Le même, d'un autre statut.
    pub(super) fn with(self, status: StatusCode) -> Self {
        ApiError { status, ..self }
    }

    /// La même phrase dans une page, pour la personne qui en ouvrait une.
    pub(super) fn into_page(self) -> Response {
        let sentence = self.message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let status = u16::from(self.status);
        // La seule qu'une personne rencontre sans rien avoir fait pour.
        let french = match self.status {
            StatusCode::RequestHeaderFieldsTooLarge => {
                "<p lang=\"fr\">Le navigateur envoie trop de choses avec sa demande, sans doute des cookies que d'autres \
                 programmes ont laissés sous ce nom : efface les cookies de cette adresse, ou ouvre la page sous un autre nom \
                 ou par son numéro.</p>"
            }
            _ => "",
        };
        Response::builder(self.status)
            .body(format!(
                "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
                 content=\"width=device-width\"><title>Calv-a-lot</title><h1>Calv-a-lot</h1>\
                 <p>This page cannot be shown ({status}): {sentence}.</p>{french}"
            ))
            .content_type("text/html; charset=utf-8")
            .header("cache-control", "no-store")
            .header("content-security-policy", "default-src 'none'; frame-ancestors 'none'")
            .build()
    }

    /// La réponse JSON de ce refus.
    pub fn into_response(self) -> Response {
        let mut response = json(self.status, &BTreeMap::from([("error", self.message)]));
        if let Some(seconds) = self.after {
            response.insert_header("retry-after", seconds.to_string());
        }
        response
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
