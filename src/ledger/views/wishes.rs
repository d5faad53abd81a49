//! « Tout vendre et s'arrêter », tel que les écrans le montrent : depuis quand, et ce qui en reste.

use rusqlite::OptionalExtension;

use super::OpenPosition;
use crate::domain::moment::Moment;
use crate::domain::wish::Wish;
use crate::ledger::{Db, Decision, LedgerError};

/// « Tout vendre », en cours ou fini tant que la pause qu'il a mise dure.
#[derive(Clone, Debug)]
pub struct SellingAll {
    pub since: Moment,
    pub done: bool,
    /// Ce qu'il attend, s'il attend.
    pub waiting_for: Option<String>,
    pub left: Vec<LeftOver>,
}

/// Ce qui n'est pas vendu, et pourquoi, une fois que c'est su.
#[derive(Clone, Debug)]
pub struct LeftOver {
    pub open: OpenPosition,
    pub decision: Option<Decision>,
}

impl Db {
    /// Le dernier « tout vendre » ; `None` si aucun n'est ouvert et que la pause n'est pas la sienne.
    pub fn selling_all(&self) -> Result<Option<SellingAll>, LedgerError> {
        // Avant son premier tour, ce qui ferme l'échange est déjà ce qu'il attend.
        let sql = "SELECT id, received_at, status <> 'received', iif(status = 'received',
                       coalesce(waiting_for, (SELECT closed FROM exchange)), NULL) FROM signals
                   WHERE wish = ?1 AND (status = 'received' OR EXISTS
                       (SELECT 1 FROM agent WHERE paused AND instr(paused_reason, '(' || signal_id || ')')))
                   ORDER BY id DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement
            .query_row([Wish::SellAll.word()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let Some((row, since, done, waiting_for)) = found else { return Ok(None) };
        let mut decisions = self.decisions(row)?;
        decisions.extend(self.waits(row)?);
        let left = self.open_positions()?.into_iter().map(|open| {
            let decision = decisions.iter().find(|decision| decision.coin == open.coin).cloned();
            LeftOver { open, decision }
        });
        Ok(Some(SellingAll { since, done, waiting_for, left: left.collect() }))
    }
}
