//! Les mouvements au grand livre : le mouvement, le cash ou la position qu'il change, et le total déposé, ensemble.

use rusqlite::{Connection, Row, params};

use super::{LedgerError, balances, flows, positions, seal, survival, views};
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Quantity};
use crate::domain::movement::{Moved, Movement};
use crate::domain::portfolio::Holdings;
use crate::domain::reconcile::Asset;
use crate::domain::{book, booking};

/// Un mouvement, et le dernier trade qui le précédait : de quoi refaire les livres dans leur ordre.
pub(super) struct Booked {
    pub movement: Movement,
    /// `None` pour les plus anciens, qui ne changeaient que le cash.
    pub after_trade: Option<i64>,
}

/// Écrit ce mouvement, et ce qu'il change. L'ouverture a déjà son total déposé.
///
/// # Errors
/// Quand il prendrait plus que ce que les livres tiennent ; rien n'est alors à garder de la transaction.
pub(super) fn write(connection: &Connection, movement: &Movement, now: Moment) -> Result<(), LedgerError> {
    let before = views::holdings(connection)?
        .ok_or_else(|| LedgerError::Refused("the opening is not booked yet".to_owned()))?;
    let after = book::moved(&before, movement);
    survival::refuse_to_feed_the_dead(connection, movement)?;
    refuse_overdraft(connection, movement, &after)?;
    insert(connection, movement, now)?;
    seal::change(connection, &seal::ACCOUNT, 1, |connection| {
        let deposited: Eur =
            connection.query_row("SELECT deposited_eur FROM account", [], |row| row.get(0))?;
        let sql = "UPDATE account SET deposited_eur = ?1, cash = ?2";
        connection.execute(sql, params![deposited + movement.eur, after.cash])
    })?;
    positions::keep(connection, &before, &after, now)?;
    if !movement.usdc.is_zero() {
        balances::follow(connection, Asset::Cash, Quantity::new(movement.usdc.decimal()))?;
    }
    if let Some(moved) = movement.moved {
        balances::follow(connection, Asset::Coin(moved.coin), moved.quantity)?;
    }
    flows::value_last(connection, movement.rate, now)
}

/// Refuse ce qui prendrait plus que les livres ne tiennent, ou du cash qu'un achat en doute a peut-être déjà dépensé.
fn refuse_overdraft(
    connection: &Connection,
    movement: &Movement,
    after: &Holdings,
) -> Result<(), LedgerError> {
    let overdrawn =
        after.positions.iter().any(|(_, position)| position.quantity.decimal().is_sign_negative());
    if let (true, Some(moved)) = (overdrawn, movement.moved) {
        let reason = format!("the books hold less {} than that: nothing was changed", moved.coin);
        return Err(LedgerError::Refused(reason));
    }
    let cash = views::cash(connection)?.unwrap_or_default();
    let taken = -movement.usdc;
    if !taken.is_positive() || taken <= cash.free() {
        return Ok(());
    }
    // Ce qui manque se voit aux centimes.
    let (word, free, taken) = (movement.kind.word(), cash.free().floor(2), taken.ceil(2));
    if cash.aside.is_positive() {
        return Err(LedgerError::Refused(format!(
            "{:.2} USDC are kept for a withdrawal: the {free:.2} left do not cover this {word} of {taken:.2}; take them out \
             once they are set aside, or call it off first, nothing was changed",
            cash.aside
        )));
    }
    let told = if cash.reserved.is_positive() {
        format!(
            "an order in doubt may have spent {:.2} of the {:.2} USDC of cash: the {free:.2} left do not cover this \
             {word} of {taken:.2}; wait until that order is known, nothing was changed",
            cash.reserved, cash.booked
        )
    } else {
        format!("the cash of {free:.2} USDC does not cover this {word} of {taken:.2}: nothing was changed")
    };
    Err(LedgerError::Refused(told))
}

/// Écrit la seule ligne du mouvement.
pub(super) fn insert(connection: &Connection, movement: &Movement, now: Moment) -> Result<(), LedgerError> {
    let moved = movement.moved;
    connection.execute(
        "INSERT INTO movements (kind, eur, rate, usdc, at, coin, quantity, worth, after_trade)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, (SELECT coalesce(max(id), 0) FROM trades))",
        params![
            movement.kind,
            movement.eur,
            movement.rate,
            movement.usdc,
            now,
            moved.map(|moved| moved.coin),
            moved.map(|moved| moved.quantity),
            moved.map(|moved| moved.worth)
        ],
    )?;
    seal::lay(connection, &seal::MOVEMENTS, connection.last_insert_rowid())
}

/// La ligne du dernier.
pub(super) fn last(connection: &Connection) -> Result<i64, LedgerError> {
    Ok(connection.query_row("SELECT max(id) FROM movements", [], |row| row.get(0))?)
}

/// Ce que cette ligne a compté, et le total déposé juste après elle.
pub(super) fn booked(connection: &Connection, row: i64) -> Result<booking::Booked, LedgerError> {
    let mut statement = connection.prepare("SELECT eur FROM movements WHERE id <= ?1")?;
    let eur = statement.query_map([row], |row| row.get::<_, Eur>(0))?;
    let deposited = eur.collect::<Result<Vec<_>, _>>()?.into_iter().sum();
    let sql = format!("SELECT {COLUMNS} FROM movements WHERE id = ?1");
    let Booked { movement, .. } = connection.query_row(&sql, [row], read)?;
    Ok(booking::Booked { movement, deposited })
}

const COLUMNS: &str = "kind, eur, rate, usdc, coin, quantity, worth, after_trade";

/// Tous, dans leur ordre.
pub(super) fn all(connection: &Connection) -> Result<Vec<Booked>, LedgerError> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM movements ORDER BY id"))?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row) -> rusqlite::Result<Booked> {
    let moved = match (row.get(4)?, row.get(5)?, row.get(6)?) {
        (Some(coin), Some(quantity), Some(worth)) => Some(Moved { coin, quantity, worth }),
        _ => None,
    };
    let movement =
        Movement { kind: row.get(0)?, eur: row.get(1)?, rate: row.get(2)?, usdc: row.get(3)?, moved };
    Ok(Booked { movement, after_trade: row.get(7)? })
}
