//! Ce que tout valait à chaque mouvement d'argent : de quoi en séparer le rendement.
//!
//! Un mouvement se compte en cash et ne change pas la valeur du reste. La sienne est donc celle du moment, quand tous
//! les prix sont connus ; sinon celle du dernier relevé d'avant, à défaut du premier d'après, plus ce que les mouvements
//! ont changé entre les deux. Invariant : une valeur écrite ne change plus, et celle qui est tirée d'un relevé peut
//! toujours en être refaite ([`disagreements`]).

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::views::Prepared;
use super::{LedgerError, seal, views};
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Rate};

/// Un mouvement, et le total déposé juste après lui.
struct Movement {
    id: i64,
    opens: bool,
    at: Moment,
    eur: Eur,
    deposited: Eur,
    value: Option<Eur>,
    valued_at: Option<Moment>,
}

/// La valeur d'un relevé, et le total déposé qu'elle comprend.
struct Level {
    total: Eur,
    deposited: Eur,
    at: Moment,
}

/// Donne sa valeur au dernier mouvement, déjà compté en cash, par les prix frais à `now` ou par un relevé.
pub(super) fn value_last(connection: &Connection, rate: Rate, now: Moment) -> Result<(), LedgerError> {
    let prices = views::fresh_prices(connection, now)?;
    let holdings = views::holdings(connection)?;
    let value = holdings.and_then(|holdings| {
        let coins = holdings.coins_at(&prices)?;
        Some((holdings.cash + coins.iter().map(|(_, &value)| value).sum()).to_eur(rate))
    });
    if let Some(value) = value {
        let last: i64 = connection.query_row_cached("SELECT max(id) FROM movements", [], |row| row.get(0))?;
        let sql = "UPDATE movements SET value_eur = ?1, valued_at = at WHERE id = ?2";
        seal::change(connection, &seal::MOVEMENTS, last, |connection| {
            connection.execute(sql, params![value, last])
        })?;
    }
    appraise(connection)
}

/// Tire d'un relevé la valeur de chaque mouvement qui n'en a pas, s'il s'en trouve un.
pub(super) fn appraise(connection: &Connection) -> Result<(), LedgerError> {
    let unvalued = "SELECT EXISTS (SELECT 1 FROM movements WHERE value_eur IS NULL)";
    if !connection.query_row_cached(unvalued, [], |row| row.get::<_, bool>(0))? {
        return Ok(());
    }
    let movements = movements(connection)?;
    let Some(opening) = movements.first().map(|opening| opening.at) else {
        return Ok(());
    };
    for movement in movements.iter().filter(|movement| movement.value.is_none()) {
        let before = "WHERE at BETWEEN ?1 AND ?2 ORDER BY at DESC, id DESC";
        let after = "WHERE at >= ?1 AND at > ?2 ORDER BY at, id";
        for clause in [before, after] {
            let level = level(connection, clause, opening, movement.at)?;
            let known = level.and_then(|level| Some((told_by(&level, movement)?, level.at)));
            if let Some((value, at)) = known {
                let sql = "UPDATE movements SET value_eur = ?2, valued_at = ?3 WHERE id = ?1";
                seal::change(connection, &seal::MOVEMENTS, movement.id, |connection| {
                    connection.execute(sql, params![movement.id, value, at])
                })?;
                break;
            }
        }
    }
    Ok(())
}

/// Ce que les valeurs tirées d'un relevé ne disent pas comme lui ; vide si tout s'accorde.
pub(super) fn disagreements(connection: &Connection) -> Result<Vec<String>, LedgerError> {
    let mut found = Vec::new();
    for movement in movements(connection)? {
        let (Some(value), Some(valued_at)) = (movement.value, movement.valued_at) else {
            continue;
        };
        if valued_at == movement.at {
            continue;
        }
        let told: Vec<Option<Eur>> =
            levels_at(connection, valued_at)?.iter().map(|level| told_by(level, &movement)).collect();
        if !told.contains(&Some(value)) {
            found.push(format!("movement {} is valued {value} EUR, and its snapshot is not", movement.id));
        }
    }
    Ok(found)
}

/// La valeur après ce mouvement, d'après un relevé ; `None` si elle, ou celle d'avant, y serait négative : le cours de
/// l'euro a trop bougé entre les deux. Avant l'ouverture, il n'y en a pas.
fn told_by(level: &Level, movement: &Movement) -> Option<Eur> {
    let after = level.total + movement.deposited - level.deposited;
    let brought = if movement.opens { Eur::ZERO } else { movement.eur };
    (after >= Eur::ZERO && after >= brought).then_some(after)
}

fn movements(connection: &Connection) -> Result<Vec<Movement>, LedgerError> {
    let mut statement = connection
        .prepare("SELECT id, at, eur, value_eur, valued_at, kind = 'opening' FROM movements ORDER BY id")?;
    let mut rows = statement.query([])?;
    let (mut movements, mut deposited) = (Vec::new(), Eur::ZERO);
    while let Some(row) = rows.next()? {
        let eur: Eur = row.get(2)?;
        deposited += eur;
        movements.push(Movement {
            id: row.get(0)?,
            opens: row.get(5)?,
            at: row.get(1)?,
            eur,
            deposited,
            value: row.get(3)?,
            valued_at: row.get(4)?,
        });
    }
    Ok(movements)
}

fn level(
    connection: &Connection,
    clause: &str,
    opening: Moment,
    moved: Moment,
) -> Result<Option<Level>, LedgerError> {
    let sql = format!("SELECT total_eur, deposited_eur, at FROM snapshots {clause} LIMIT 1");
    Ok(connection.prepare(&sql)?.query_row([opening, moved], level_row).optional()?)
}

/// Les relevés de cet instant : un seul, si l'horloge n'a pas reculé.
fn levels_at(connection: &Connection, at: Moment) -> Result<Vec<Level>, LedgerError> {
    let mut statement =
        connection.prepare("SELECT total_eur, deposited_eur, at FROM snapshots WHERE at = ?1")?;
    let levels = statement.query_map([at], level_row)?;
    Ok(levels.collect::<Result<_, _>>()?)
}

fn level_row(row: &Row) -> rusqlite::Result<Level> {
    Ok(Level { total: row.get(0)?, deposited: row.get(1)?, at: row.get(2)? })
}
