//! Le rapprochement : ce que le compte tient, à côté de ce que le grand livre en dit. Rien n'est jamais réparé.
//!
//! Le compte peut tenir plus (l'argent d'un autre usage) ; tant que rien n'est en doute, ce surplus est retenu :
//! nos ordres ne le changent pas, et il prouve plus tard qu'un ordre inconnu n'a pas eu lieu.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::views::Prepared;
use super::{Db, LedgerError, others, views};
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::Quantity;
use crate::domain::order::Side;
use crate::domain::reconcile::{Asset, Balances, Line, Reconciliation};

/// Une comparaison qui n'a pas changé ne se récrit qu'au bout de ce temps : le compte est lu à chaque tour, et une
/// carte SD s'use.
const RENEWED_AFTER: Duration = Duration::from_secs(600);

impl Db {
    /// Compare le compte au grand livre, retient la comparaison et la rend, avec vrai si une autre main que nos ordres l'a
    /// changé depuis la dernière ; `None` tant que l'ouverture n'est pas comptée.
    pub fn reconcile(
        &mut self,
        balances: &Balances,
        now: Moment,
    ) -> Result<Option<(Reconciliation, bool)>, LedgerError> {
        let transaction = self.transaction()?;
        let reconciliation = compared(&transaction, balances)?;
        let mut moved = false;
        if let Some(reconciliation) = &reconciliation {
            let doubtful: bool = transaction.query_row_cached(
                "SELECT EXISTS (SELECT 1 FROM intents WHERE state IN ('planned', 'sent', 'unknown', 'stuck'))",
                [],
                |row| row.get(0),
            )?;
            for (asset, line) in reconciliation.lines() {
                moved |= !doubtful && surplus(&transaction, asset)? != Some(line.surplus());
                transaction.execute(
                    "INSERT INTO balances (asset, held, booked, at, surplus, locked, reserved)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?7, ?8)
                     ON CONFLICT (asset) DO UPDATE SET held = ?2, booked = ?3, at = ?4,
                         surplus = coalesce(?5, surplus), locked = ?7, reserved = ?8
                     WHERE held <> ?2 OR booked <> ?3 OR surplus IS NOT coalesce(?5, surplus)
                         OR locked <> ?7 OR reserved <> ?8 OR at NOT BETWEEN ?6 AND ?4",
                    params![
                        asset.name(),
                        line.held(),
                        line.booked,
                        now,
                        (!doubtful).then_some(line.surplus()),
                        now.minus(RENEWED_AFTER),
                        line.locked,
                        line.reserved
                    ],
                )?;
            }
        }
        transaction.commit()?;
        Ok(reconciliation.map(|reconciliation| (reconciliation, moved)))
    }

    /// Vrai si ce que le compte tient de `coin` et d'USDC est ce qu'il serait sans aucun des ordres en doute. Vrai aussi si un
    /// seul de tous les actifs a bougé, et à l'inverse de ce qu'un ordre de ce côté en aurait fait : c'est d'une personne.
    pub fn unmoved(&self, coin: Coin, side: Side, balances: &Balances) -> Result<bool, LedgerError> {
        let Some(now) = compared(&self.connection, balances)? else { return Ok(false) };
        let mut moved = Vec::new();
        for (asset, line) in now.lines() {
            let Some(before) = surplus(&self.connection, asset)? else { return Ok(false) };
            if line.surplus() != before {
                moved.push((asset, line.surplus() > before));
            }
        }
        let gains = if side == Side::Buy { Asset::Coin(coin) } else { Asset::Cash };
        let concerned = |asset| [Asset::Cash, Asset::Coin(coin)].contains(&asset);
        Ok(match moved.as_slice() {
            [(asset, rose)] if concerned(*asset) => *rose != (*asset == gains),
            moved => !moved.iter().any(|(asset, _)| concerned(*asset)),
        })
    }
}

/// Un mouvement vient d'ajouter `added` à ce que les livres tiennent : le rapprochement le suit, comme ce que le compte
/// tient d'autre.
pub(super) fn follow(connection: &Connection, asset: Asset, added: Quantity) -> Result<(), LedgerError> {
    let sql = "SELECT booked FROM balances WHERE asset = ?1";
    let booked: Option<Quantity> =
        connection.query_row_cached(sql, [asset.name()], |row| row.get(0)).optional()?;
    let Some(booked) = booked else { return Ok(()) };
    let surplus = surplus(connection, asset)?.map(|surplus| surplus - added);
    connection.execute(
        "UPDATE balances SET booked = ?2, surplus = ?3 WHERE asset = ?1",
        params![asset.name(), booked + added, surplus],
    )?;
    Ok(())
}

/// Ce que le compte tenait d'autre, lu quand rien n'était en doute.
fn surplus(connection: &Connection, asset: Asset) -> Result<Option<Quantity>, LedgerError> {
    let sql = "SELECT surplus FROM balances WHERE asset = ?1";
    let surplus: Option<Option<Quantity>> =
        connection.query_row_cached(sql, [asset.name()], |row| row.get(0)).optional()?;
    Ok(surplus.flatten())
}

/// Le compte et les livres d'un actif au dernier rapprochement, s'il y en a eu.
pub(super) fn kept(connection: &Connection, asset: Asset) -> Result<Option<Line>, LedgerError> {
    let sql = "SELECT held, locked, booked, reserved FROM balances WHERE asset = ?1";
    let line = connection.query_row_cached(sql, [asset.name()], |row| {
        let (held, locked): (Quantity, Quantity) = (row.get(0)?, row.get(1)?);
        let (booked, reserved) = (row.get(2)?, row.get(3)?);
        Ok(Line { free: held - locked, locked, booked, reserved, ..Line::default() })
    });
    Ok(line.optional()?)
}

/// Le même ; `None` aussi si les livres ont changé depuis autrement que par un mouvement.
pub(super) fn line(connection: &Connection, asset: Asset) -> Result<Option<Line>, LedgerError> {
    let Some(holdings) = views::holdings(connection)? else { return Ok(None) };
    let now = match asset {
        Asset::Cash => Quantity::new(holdings.cash.decimal()),
        Asset::Coin(coin) => holdings.positions[coin].quantity,
    };
    Ok(kept(connection, asset)?.filter(|line| line.booked == now))
}

/// Vrai si un ordre dont l'issue n'est pas connue a pu changer cet actif.
pub(super) fn is_in_doubt(connection: &Connection, asset: Asset) -> Result<bool, LedgerError> {
    Ok(views::is_doubted(&views::doubted(connection)?, asset))
}

fn compared(connection: &Connection, balances: &Balances) -> Result<Option<Reconciliation>, LedgerError> {
    let Some(holdings) = views::holdings(connection)? else { return Ok(None) };
    let (others, mut reserved) = (others::all(connection)?, views::reserved(connection)?);
    // Ce qu'une personne a peut-être déjà repris.
    reserved.usdc += views::aside(connection, holdings.cash)?;
    Ok(Some(Reconciliation::of(balances, &holdings, &others, &reserved)))
}
