//! Les textes que chaque tour lit, préparés une fois : SQLite met plus longtemps à en préparer un qu'à l'exécuter.
//!
//! Ce qui écrit ne l'est jamais d'avance : c'est en le préparant que `changes` apprend ce qui change.

use rusqlite::{Connection, Params, Result, Row};

/// Combien restent préparés : assez pour tous ceux d'un tour, sans quoi le plus ancien, oublié, serait toujours celui qui vient.
pub(in crate::ledger) const KEPT: usize = 64;

pub(in crate::ledger) trait Prepared {
    /// Comme `query_row` de rusqlite, sans préparer de nouveau un texte déjà vu.
    fn query_row_cached<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T>;
}

impl Prepared for Connection {
    fn query_row_cached<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut statement = self.prepare_cached(sql)?;
        debug_assert!(statement.readonly(), "it writes: {sql}");
        statement.query_row(params, read)
    }
}
