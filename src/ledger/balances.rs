//! Le rapprochement : ce que le compte tient, à côté de ce que le grand livre en dit. Rien n'est jamais réparé.
//!
//! Le compte peut tenir plus (l'argent d'un autre usage) ; tant que rien n'est en doute, ce surplus est retenu :
//! nos ordres ne le changent pas, et il prouve plus tard qu'un ordre inconnu n'a pas eu lieu.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::{Db, LedgerError, views};
use crate::domain::market::{Coin, PerCoin};
use crate::domain::moment::Moment;
use crate::domain::money::{Quantity, Usdc};

/// Une comparaison qui n'a pas changé ne se récrit qu'au bout de ce temps : le compte est lu à chaque tour, et une
/// carte SD s'use.
const RENEWED_AFTER: Duration = Duration::from_secs(600);

/// Ce que le compte tient de chaque actif, libre et bloqué.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    pub usdc: Usdc,
    pub coins: PerCoin<Quantity>,
}

impl Db {
    /// Compare le compte au grand livre et retient la comparaison ; rien tant que l'ouverture n'est pas comptée.
    pub fn reconcile(&mut self, held: &Held, now: Moment) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        if let Some(surplus) = surpluses(&transaction, held)? {
            let doubtful: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM intents WHERE state IN ('planned', 'sent', 'unknown', 'stuck'))",
                [],
                |row| row.get(0),
            )?;
            for (asset, held, booked, surplus) in surplus {
                transaction.execute(
                    "INSERT INTO balances (asset, held, booked, at, surplus) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (asset) DO UPDATE SET held = ?2, booked = ?3, at = ?4,
                         surplus = coalesce(?5, surplus)
                     WHERE held <> ?2 OR booked <> ?3 OR surplus IS NOT coalesce(?5, surplus)
                         OR at NOT BETWEEN ?6 AND ?4",
                    params![
                        asset,
                        held,
                        booked,
                        now,
                        (!doubtful).then_some(surplus),
                        now.minus(RENEWED_AFTER)
                    ],
                )?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Vrai si ce que le compte tient de `coin` et d'USDC est ce qu'il serait sans aucun des ordres en doute.
    pub fn unmoved(&self, coin: Coin, held: &Held) -> Result<bool, LedgerError> {
        let Some(now) = surpluses(&self.connection, held)? else { return Ok(false) };
        for (asset, _, _, surplus) in now.iter().filter(|line| [coin.asset(), "USDC"].contains(&line.0)) {
            let before: Option<Option<Quantity>> = self
                .connection
                .query_row("SELECT surplus FROM balances WHERE asset = ?1", [asset], |row| row.get(0))
                .optional()?;
            if before.flatten() != Some(*surplus) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

type Line = (&'static str, Quantity, Quantity, Quantity);

/// De chaque actif : ce que tient le compte, ce que dit le grand livre, et la différence, à laquelle les frais
/// payés avec le BNB des autres sont rendus.
fn surpluses(connection: &Connection, held: &Held) -> Result<Option<Vec<Line>>, LedgerError> {
    let Some(holdings) = views::holdings(connection)? else { return Ok(None) };
    let fees: Quantity = connection.query_row("SELECT bnb_of_others FROM account", [], |row| row.get(0))?;
    let line = |asset, held: Quantity, booked: Quantity| {
        let given_back = if asset == "BNB" { fees } else { Quantity::ZERO };
        (asset, held, booked, held - booked + given_back)
    };
    let cash = line("USDC", Quantity::new(held.usdc.decimal()), Quantity::new(holdings.cash.decimal()));
    let coins = Coin::ALL.map(|coin| line(coin.asset(), held.coins[coin], holdings.positions[coin].quantity));
    Ok(Some([cash].into_iter().chain(coins).collect()))
}
