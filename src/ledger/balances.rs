//! Le rapprochement : ce que le compte tient, à côté de ce que le grand livre en dit. Rien n'est jamais réparé.
//!
//! Le compte peut tenir plus (l'argent d'un autre usage) ; tant que rien n'est en doute, ce surplus est retenu :
//! nos ordres ne le changent pas, et il prouve plus tard qu'un ordre inconnu n'a pas eu lieu.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::{Db, LedgerError, others, views};
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::Quantity;
use crate::domain::reconcile::{Balances, CASH, Reconciliation};

/// Une comparaison qui n'a pas changé ne se récrit qu'au bout de ce temps : le compte est lu à chaque tour, et une
/// carte SD s'use.
const RENEWED_AFTER: Duration = Duration::from_secs(600);

impl Db {
    /// Compare le compte au grand livre, retient la comparaison et la rend ; `None` tant que l'ouverture n'est pas comptée.
    pub fn reconcile(
        &mut self,
        balances: &Balances,
        now: Moment,
    ) -> Result<Option<Reconciliation>, LedgerError> {
        let transaction = self.transaction()?;
        let reconciliation = compared(&transaction, balances)?;
        if let Some(reconciliation) = &reconciliation {
            let doubtful: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM intents WHERE state IN ('planned', 'sent', 'unknown', 'stuck'))",
                [],
                |row| row.get(0),
            )?;
            for (asset, line) in reconciliation.lines() {
                transaction.execute(
                    "INSERT INTO balances (asset, held, booked, at, surplus) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (asset) DO UPDATE SET held = ?2, booked = ?3, at = ?4,
                         surplus = coalesce(?5, surplus)
                     WHERE held <> ?2 OR booked <> ?3 OR surplus IS NOT coalesce(?5, surplus)
                         OR at NOT BETWEEN ?6 AND ?4",
                    params![
                        asset,
                        line.held(),
                        line.booked,
                        now,
                        (!doubtful).then_some(line.surplus()),
                        now.minus(RENEWED_AFTER)
                    ],
                )?;
            }
        }
        transaction.commit()?;
        Ok(reconciliation)
    }

    /// Vrai si ce que le compte tient de `coin` et d'USDC est ce qu'il serait sans aucun des ordres en doute.
    pub fn unmoved(&self, coin: Coin, balances: &Balances) -> Result<bool, LedgerError> {
        let Some(now) = compared(&self.connection, balances)? else { return Ok(false) };
        for (asset, line) in now.lines().filter(|(asset, _)| [coin.asset(), CASH].contains(asset)) {
            let before: Option<Option<Quantity>> = self
                .connection
                .query_row("SELECT surplus FROM balances WHERE asset = ?1", [asset], |row| row.get(0))
                .optional()?;
            if before.flatten() != Some(line.surplus()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn compared(connection: &Connection, balances: &Balances) -> Result<Option<Reconciliation>, LedgerError> {
    let Some(holdings) = views::holdings(connection)? else { return Ok(None) };
    Ok(Some(Reconciliation::of(balances, &holdings, &others::all(connection)?)))
}
