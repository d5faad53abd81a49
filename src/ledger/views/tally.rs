//! Les signaux, par statut.
//!
//! Un signal clos le reste : le compte de ceux d'avant le premier encore ouvert est gardé, et chaque demande n'y ajoute que
//! ceux qui se sont clos depuis. Une année se compte donc une fois, et non à chaque lecture des mesures.

use rusqlite::params;

use crate::ledger::{Db, LedgerError};

/// Le compte par statut, jusqu'au signal `last` compris.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Tally {
    last: i64,
    closed: Vec<(String, u32)>,
}

impl Db {
    /// Combien de signaux ont ce statut ; rien d'un statut que nul n'a.
    pub fn signals_by_status(&mut self) -> Result<Vec<(String, u32)>, LedgerError> {
        let last = "SELECT coalesce((SELECT min(id) - 1 FROM signals WHERE status = 'received'), max(id), 0) FROM signals";
        let last: i64 = self.connection.query_row(last, [], |row| row.get(0))?;
        // La première fois, l'index est bien plus court que la table ; ensuite, il serait lu en entier pour rien.
        let table = if self.tally.last == 0 { "signals" } else { "signals NOT INDEXED" };
        let newly = self.count_between(table, self.tally.last, last)?;
        add(&mut self.tally.closed, newly);
        self.tally.last = last;
        let mut counts = self.tally.closed.clone();
        add(&mut counts, self.count_between("signals NOT INDEXED", last, i64::MAX)?);
        Ok(counts)
    }

    fn count_between(&self, table: &str, after: i64, upto: i64) -> Result<Vec<(String, u32)>, LedgerError> {
        let sql = format!("SELECT status, count(*) FROM {table} WHERE id > ?1 AND id <= ?2 GROUP BY status");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![after, upto], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn add(counts: &mut Vec<(String, u32)>, more: Vec<(String, u32)>) {
    for (status, count) in more {
        match counts.iter_mut().find(|(known, _)| *known == status) {
            Some((_, total)) => *total += count,
            None => counts.push((status, count)),
        }
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;
    use crate::domain::moment::Moment;
    use crate::domain::money::Eur;
    use crate::ledger::in_memory;

    #[test]
    fn the_kept_count_is_that_of_the_table_whatever_closes_and_when() {
        let ledger = in_memory("dry_run", Eur::new(dec!(100)), Moment(1)).expect("a new ledger");
        let job = |db: &mut Db| {
            let counted = |db: &mut Db| -> Result<(), LedgerError> {
                let sql = "SELECT status, count(*) FROM signals GROUP BY status ORDER BY status";
                let mut statement = db.connection.prepare(sql)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                let expected: Vec<(String, u32)> = rows.collect::<Result<_, _>>()?;
                drop(statement);
                let mut found = db.signals_by_status()?;
                found.sort();
                assert_eq!(found, expected);
                Ok(())
            };
            let add = "INSERT INTO signals (signal_id, reasoning, actions, status, received_at, payload)
                 VALUES (?1, '', '[]', ?2, 1, iif(?2 = 'received', '{}', NULL))";
            let close = "UPDATE signals SET status = 'skipped', payload = NULL WHERE signal_id = ?1";
            counted(db)?;
            for (id, status) in [("a", "executed"), ("b", "received"), ("c", "error"), ("d", "received")] {
                db.connection.execute(add, [id, status])?;
                counted(db)?;
            }
            for id in ["d", "b"] {
                db.connection.execute(close, [id])?;
                counted(db)?;
            }
            assert_eq!(db.tally.last, 4);
            db.connection.execute(add, ["e", "executed"])?;
            counted(db)
        };
        smol::block_on(ledger.with(job)).expect("it is counted");
    }
}
