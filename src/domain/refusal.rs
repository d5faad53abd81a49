//! Pourquoi la demande d'une personne n'a rien changé : une décision pour qui répond, une phrase pour elle.

use std::fmt;

/// Pourquoi une demande n'a rien changé.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Il manque une connaissance ; réessayer plus tard.
    Unknown(String),
    /// La comptabilité s'y oppose.
    Conflict(String),
    /// Trop de demandes attendent déjà.
    Busy(String),
    /// Le grand livre n'a pas pu être écrit, ou le moteur s'arrête.
    Failed(String),
}

impl Refusal {
    pub fn conflict(reason: impl Into<String>) -> Refusal {
        Refusal::Conflict(reason.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Refusal::Unknown(reason)
            | Refusal::Conflict(reason)
            | Refusal::Busy(reason)
            | Refusal::Failed(reason) => f.write_str(reason),
        }
    }
}
