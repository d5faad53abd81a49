//! Jusqu'où vont les livres : des numéros qui ne font que monter tant qu'ils sont les mêmes.

use rusqlite::Connection;

use crate::ledger::LedgerError;

/// Les derniers numéros des intentions, des signaux, des trades et des mouvements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ledger) struct Height([i64; 4]);

impl Height {
    /// Ceux que le fichier tient en ce moment.
    pub fn of(connection: &Connection) -> Result<Height, LedgerError> {
        let mut statement = connection.prepare_cached(
            "SELECT (SELECT coalesce(max(id), 0) FROM intents), (SELECT coalesce(max(id), 0) FROM signals),
                 (SELECT coalesce(max(id), 0) FROM trades), (SELECT coalesce(max(id), 0) FROM movements)",
        )?;
        let read = |row: &rusqlite::Row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
        Ok(Height(statement.query_row([], read)?))
    }

    /// Vrai si ces livres ont perdu quelque chose depuis `before`.
    pub fn is_below(self, before: Height) -> bool {
        self.0.iter().zip(before.0).any(|(now, before)| *now < before)
    }
}
