//! Les refus de la bourse : statut HTTP, code, texte. Les textes sont ceux de la fiche Binance, 3.3 et 5.2.

use crate::sim::reply::Reply;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: i64,
    pub(super) text: String,
    pub(super) retry_after: Option<i64>,
}

impl Refusal {
    pub(super) fn new(code: i64, text: impl Into<String>) -> Refusal {
        Refusal { status: 400, code, text: text.into(), retry_after: None }
    }

    pub(super) fn unauthorized(code: i64, text: &str) -> Refusal {
        Refusal { status: 401, ..Refusal::new(code, text) }
    }

    pub(super) fn slow_down(status: u16, code: i64, text: String, retry_after: i64) -> Refusal {
        Refusal { status, code, text, retry_after: Some(retry_after) }
    }

    pub(super) fn filter(name: &str) -> Refusal {
        Refusal::new(-1013, format!("Filter failure: {name}"))
    }

    pub(super) fn missing(parameter: &str) -> Refusal {
        let text = format!("Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed.");
        Refusal::new(-1102, text)
    }

    pub(super) fn illegal(parameter: &str, range: &str) -> Refusal {
        let text = format!("Illegal characters found in parameter '{parameter}'; legal range is '{range}'.");
        Refusal::new(-1100, text)
    }

    /// Refus du moteur, après les contrôles de l'API.
    pub(super) fn engine(text: &str) -> Refusal {
        Refusal::new(-2010, text)
    }

    pub(super) fn cancellation(text: &str) -> Refusal {
        Refusal::new(-2011, text)
    }

    pub(super) fn invalid_symbol() -> Refusal {
        Refusal::new(-1121, "Invalid symbol.")
    }

    pub(super) fn combination() -> Refusal {
        Refusal::new(-1128, "Combination of optional parameters invalid.")
    }

    pub(super) fn reply(&self) -> Reply {
        let reply = Reply::code(self.status, self.code, &self.text);
        match self.retry_after {
            Some(seconds) => reply.header("Retry-After", &seconds.to_string()),
            None => reply,
        }
    }
}
