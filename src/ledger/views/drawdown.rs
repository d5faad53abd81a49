//! Le recul depuis le plus haut, relevé après relevé depuis l'ouverture.
//!
//! Gardé en mémoire : chaque demande ne lit que les relevés venus depuis la précédente. Ceux d'avant l'ouverture, repris
//! du programme Python, ne disent pas ce qui était versé à leur moment, et ne comptent pas.

use rusqlite::Connection;

use crate::domain::drawdown::{Drawdown, Level};
use crate::domain::money::{Eur, Weight};
use crate::ledger::{Db, LedgerError};

/// Le recul, jusqu'au relevé `last` compris.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Followed {
    last: i64,
    drawdown: Drawdown,
}

impl Followed {
    /// Celui-ci, des relevés d'après `snapshot` seulement.
    pub fn after(snapshot: i64, drawdown: Drawdown) -> Followed {
        Followed { last: snapshot, drawdown }
    }

    /// Le recul, une fois les relevés venus depuis suivis.
    pub fn go_on(&mut self, connection: &Connection) -> Result<&Drawdown, LedgerError> {
        let mut statement = connection.prepare_cached(
            "SELECT id, total_eur, deposited_eur FROM snapshots
             WHERE id > ?1 AND at >= (SELECT at FROM movements WHERE kind = 'opening') ORDER BY id",
        )?;
        let mut rows = statement.query([self.last])?;
        while let Some(row) = rows.next()? {
            self.drawdown.reach(Level { value: row.get(1)?, deposited: row.get(2)? });
            self.last = row.get(0)?;
        }
        Ok(&self.drawdown)
    }
}

/// Cette valeur, à ce qui est déposé aujourd'hui.
pub(in crate::ledger) fn level(connection: &Connection, value: Eur) -> Result<Level, LedgerError> {
    let deposited = connection.query_row("SELECT deposited_eur FROM account", [], |row| row.get(0))?;
    Ok(Level { value, deposited })
}

impl Db {
    /// Le recul si tout vaut `value` maintenant ; `None` avant le premier relevé.
    pub fn drawdown(&mut self, value: Eur) -> Result<Option<Weight>, LedgerError> {
        let level = level(&self.connection, value)?;
        Ok(self.followed.go_on(&self.connection)?.at(level))
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::{Decimal, dec};

    use super::*;
    use crate::domain::moment::Moment;
    use crate::domain::money::Rate;
    use crate::ledger::in_memory;

    fn write(db: &Db, value: Decimal, at: i64) -> Result<(), LedgerError> {
        db.connection.execute(
            "INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at)
             VALUES (?1, '0', '0', '100', ?2)",
            rusqlite::params![Eur::new(value), at],
        )?;
        Ok(())
    }

    #[test]
    fn it_goes_on_from_the_last_snapshot_and_begins_at_the_opening() {
        let ledger = in_memory("dry_run", Eur::new(dec!(100)), Moment(0)).expect("a ledger");
        let told = smol::block_on(ledger.with(|db| {
            // D'avant l'ouverture.
            write(db, dec!(1000), 5)?;
            let before = db.drawdown(Eur::new(dec!(100)))?;
            db.book_opening(Rate::new(dec!(1)), None, Moment(10))?;
            write(db, dec!(100), 20)?;
            write(db, dec!(200), 30)?;
            let first = db.drawdown(Eur::new(dec!(150)))?;
            // Ce qui est déjà suivi n'est pas relu, même réduit à rien.
            db.connection.execute("DELETE FROM snapshots", [])?;
            write(db, dec!(50), 40)?;
            db.connection.execute("UPDATE snapshots SET id = 1000", [])?;
            Ok((before, first, db.drawdown(Eur::new(dec!(50)))?))
        }));
        let (before, first, second) = told.expect("the drawdown");
        let ratio = |value| Some(Weight::new(value));
        assert_eq!((before, first, second), (None, ratio(dec!(0.25)), ratio(dec!(0.75))));
    }
}
