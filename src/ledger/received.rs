//! Un signal du leader tel qu'il arrive, et la ligne qui le garde.
//!
//! Invariant : un nom n'est pris qu'une fois.

use rusqlite::{Connection, OptionalExtension, params};

use super::LedgerError;
use crate::domain::moment::Moment;
use crate::domain::signal::Target;

/// Un signal tel que le leader l'a envoyé, prêt à être écrit.
#[derive(Clone, Debug)]
pub struct Received {
    pub signal_id: String,
    pub version: Option<u32>,
    pub confidence: Option<f64>,
    pub reasoning: String,
    pub actions: String,
    pub portfolio_state: Option<String>,
    pub payload: String,
    pub target: Option<Target>,
    /// Ce qu'il demande ; `None` s'il est rejeté.
    pub meaning: Option<String>,
    /// Il n'est plus de ce moment.
    pub is_outlived: bool,
    /// Quand le leader l'a dit, à son heure ; `None` s'il ne le dit pas.
    pub said_at: Option<Moment>,
    /// Jusqu'à quand le leader veut qu'il soit suivi ; `None` : jusqu'au suivant.
    pub expires_at: Option<Moment>,
    /// Quand il a été vu pour la première fois.
    pub heard_at: Moment,
    /// Sans un tour entendu depuis, d'autres ont pu se dire avant lui.
    pub unheard_since: Moment,
    /// Son allocation est vieille : au premier démarrage, une personne en décide.
    pub is_old: bool,
    pub verdict: Verdict,
}

/// Ce qu'on fait d'un signal à sa réception.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// À exécuter.
    Accepted,
    /// Invalide : jamais exécuté.
    Rejected(String),
    /// Valable, mais rien n'en sera fait.
    Skipped(String),
}

/// Écrit ce signal sous ce nom ; rend sa ligne, ou `None` si le nom est pris.
pub(super) fn insert(
    connection: &Connection,
    signal: &Received,
    name: &str,
) -> Result<Option<i64>, LedgerError> {
    let leader_id = (name != signal.signal_id).then_some(&signal.signal_id);
    let (status, message, payload) = match &signal.verdict {
        Verdict::Accepted => ("received", None, Some(&signal.payload)),
        Verdict::Rejected(reason) => ("rejected", Some(reason), None),
        Verdict::Skipped(reason) => ("skipped", Some(reason), None),
    };
    let inserted = connection.query_row(
        "INSERT INTO signals (signal_id, version, confidence, reasoning, actions, portfolio_state, payload, status,
             error_message, received_at, leader_id, meaning, said_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT (signal_id) DO NOTHING
         RETURNING id",
        params![
            name,
            signal.version,
            signal.confidence,
            signal.reasoning,
            signal.actions,
            signal.portfolio_state,
            payload,
            status,
            message,
            signal.heard_at,
            leader_id,
            signal.meaning,
            signal.said_at,
            signal.expires_at,
        ],
        |row| row.get(0),
    );
    Ok(inserted.optional()?)
}
