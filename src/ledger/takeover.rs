//! Une base du programme Python en réel : il notait les quantités sans les frais pris dans le coin, et le compte en tient
//! un rien de moins. Cela est montré, et confirmé une fois. Où il n'en manque rien, ce qui manquera un jour aura une autre cause.

use rusqlite::Connection;

use super::{Db, LedgerError, balances, foreign};
use crate::domain::market::Coin;
use crate::domain::reconcile::{Asset, Line};

/// Ce que des frais expliquent d'une position ; au-delà, c'est un écart comme un autre.
const EXPLAINED: rust_decimal::Decimal = rust_decimal::dec!(0.01);

/// Les coins dont le compte tient un rien de moins, tant que personne ne l'a confirmé.
pub(super) fn short(connection: &Connection) -> Result<Vec<(Coin, Line)>, LedgerError> {
    let sql = "SELECT takeover IS 'pending' FROM agent";
    if !connection.query_row(sql, [], |row| row.get::<_, bool>(0))? {
        return Ok(Vec::new());
    }
    let mut short = Vec::new();
    for coin in Coin::ALL {
        let line = balances::kept(connection, Asset::Coin(coin))?;
        let explained =
            |line: &Line| line.gone().is_positive() && line.gone() <= line.booked.times(EXPLAINED);
        short.extend(line.filter(explained).map(|line| (coin, line)));
    }
    Ok(short)
}

/// Retient qu'une personne l'a confirmé.
pub(super) fn confirm(connection: &Connection) -> Result<(), LedgerError> {
    connection.execute("UPDATE agent SET takeover = 'confirmed'", [])?;
    Ok(())
}

/// Ce qui sera à confirmer d'une base reprise du programme Python.
pub(super) fn await_confirmation(connection: &Connection) -> Result<(), LedgerError> {
    connection.execute(
        "UPDATE agent SET takeover = 'pending' WHERE mode = 'live'
             AND EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'python_positions')",
        [],
    )?;
    Ok(())
}

impl Db {
    /// Les coins dont une base reprise compte un rien de trop, tant que personne ne l'a confirmé.
    pub fn takeover(&self) -> Result<Vec<(Coin, Line)>, LedgerError> {
        short(&self.connection)
    }

    /// Finit la reprise dont il n'y a rien à confirmer : le compte, regardé, tient ce que disent les livres.
    pub fn end_takeover(&mut self) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        if short(&transaction)?.is_empty() && !foreign::has_evidence(&transaction)? {
            let sql = "UPDATE agent SET takeover = 'confirmed' WHERE takeover = 'pending'";
            transaction.execute(sql, [])?;
        }
        Ok(transaction.commit()?)
    }
}
