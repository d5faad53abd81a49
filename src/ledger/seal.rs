//! Les sceaux : de quoi voir qu'une ligne n'est plus celle que nous avons écrite, et laquelle de ses colonnes.
//!
//! Chaque ligne d'une table scellée porte l'empreinte de ses colonnes : quelques octets de la ligne entière, puis un de
//! chacune, qui la nomme. Il est posé quand la ligne est écrite, dans la même transaction ; `seals` compte celles qui l'ont
//! été, pour qu'une de moins se voie. Ce n'est pas un secret : un sceau montre une main, non un faussaire qui le referait.
//! Invariant : quand nous changeons une ligne, la différence de ses deux empreintes s'ajoute à son sceau ; il n'est donc
//! juste après que s'il l'était avant, et nomme toujours ce qu'une autre main y a changé.

use std::ops::Range;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use sha2::{Digest, Sha256};

use super::LedgerError;
use super::views::Prepared;

/// Une table scellée.
///
/// NULL n'est dans aucune empreinte : une colonne neuve, ajoutée à la fin de la liste et NULL dans les lignes d'avant, ne
/// change aucun sceau. Une migration qui la remplit efface d'abord ces sceaux (`UPDATE … SET seal = NULL`), et porte le
/// rang de `schema::SEALED`.
pub(super) struct Table {
    name: &'static str,
    /// Ce que le sceau couvre ; la première nomme la ligne. Rien ne s'y déplace, ni ne s'y retire.
    columns: &'static [&'static str],
}

pub(super) const ACCOUNT: Table = Table {
    name: "account",
    columns: &["id", "initial_eur", "deposited_eur", "brought_usdc", "cash", "created_at", "bnb_of_others"],
};

pub(super) const MOVEMENTS: Table = Table {
    name: "movements",
    columns: &[
        "id",
        "kind",
        "eur",
        "rate",
        "usdc",
        "at",
        "value_eur",
        "valued_at",
        "coin",
        "quantity",
        "worth",
        "after_trade",
    ],
};

pub(super) const POSITIONS: Table =
    Table { name: "positions", columns: &["coin", "quantity", "invested", "updated_at"] };

/// Sans `reason`, qui n'est que des mots.
pub(super) const INTENTS: Table = Table {
    name: "intents",
    columns: &[
        "id",
        "signal",
        "coin",
        "side",
        "spend",
        "quantity",
        "attempt",
        "state",
        "client_id",
        "stamped_at",
        "window",
        "order_id",
        "doubted",
        "late",
        "created_at",
        "ended_at",
        "by_hand",
        "accounted",
    ],
};

pub(super) const TRADES: Table = Table {
    name: "trades",
    columns: &[
        "id",
        "intent",
        "signal_id",
        "coin",
        "side",
        "quantity",
        "price",
        "amount",
        "fee_coin",
        "fee_cash",
        "fee_bnb",
        "bnb_price",
        "fee_usdc",
        "simulated",
        "at",
    ],
};

pub(super) const TRADE_FEES: Table =
    Table { name: "trade_fees", columns: &["id", "trade", "asset", "quantity"] };

pub(super) const OF_OTHERS: Table = Table { name: "of_others", columns: &["asset", "quantity"] };

pub(super) const WITHDRAWALS: Table = Table {
    name: "withdrawals",
    columns: &[
        "id",
        "requested_eur",
        "sold_usdc",
        "received_eur",
        "rate",
        "positions_sold",
        "status",
        "simulated",
        "at",
        "signal",
        "wanted_usdc",
        "set_aside_usdc",
        "taken_usdc",
        "level_usdc",
        "ended_at",
    ],
};

/// Nous en effaçons : comptés dans `pulse`, que chaque tour récrit déjà.
pub(super) const SNAPSHOTS: Table = Table {
    name: "snapshots",
    columns: &["id", "total_eur", "coins_usdc", "cash_usdc", "deposited_eur", "at"],
};

const TABLES: [&Table; 9] =
    [&ACCOUNT, &MOVEMENTS, &POSITIONS, &INTENTS, &TRADES, &TRADE_FEES, &OF_OTHERS, &WITHDRAWALS, &SNAPSHOTS];

/// Octets de l'empreinte d'une ligne entière.
const WHOLE: usize = 6;

/// Lignes nommées au plus, par table.
const NAMED: usize = 20;

/// Une ligne telle qu'elle est : ce qui la nomme, le sceau qu'elle porte, celui qu'elle devrait porter.
struct Line {
    key: Value,
    kept: Option<Vec<u8>>,
    due: Vec<u8>,
}

impl Line {
    fn number(&self) -> Option<i64> {
        if let Value::Integer(number) = self.key { Some(number) } else { None }
    }

    fn name(&self) -> String {
        match &self.key {
            Value::Text(name) => name.clone(),
            key => self.number().map_or_else(|| format!("{key:?}"), |number| number.to_string()),
        }
    }
}

impl Table {
    fn key(&self) -> &'static str {
        self.columns[0]
    }

    fn select(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|column| format!("quote({column})")).collect();
        format!("SELECT {}, seal, {} FROM {}", self.key(), columns.join(", "), self.name)
    }

    fn line(&self, row: &Row) -> rusqlite::Result<Line> {
        let values = (0..self.columns.len()).map(|index| row.get(index + 2));
        let values: Vec<String> = values.collect::<Result<_, _>>()?;
        Ok(Line { key: row.get(0)?, kept: row.get(1)?, due: self.fingerprint(&values) })
    }

    /// `values` sont des littéraux SQL : deux valeurs n'ont jamais le même.
    fn fingerprint(&self, values: &[String]) -> Vec<u8> {
        let (mut whole, mut columns) = (Sha256::new_with_prefix(self.name), Vec::new());
        for (column, value) in self.columns.iter().zip(values) {
            let known = value != "NULL";
            let text = format!("\n{column}={value}");
            columns.push(if known { Sha256::digest(&text)[0] } else { 0 });
            if known {
                whole.update(&text);
            }
        }
        [&whole.finalize()[..WHOLE], &columns].concat()
    }

    /// En quoi cette ligne n'est pas celle que nous avons écrite.
    fn breach(&self, line: &Line) -> Option<String> {
        let row = format!("{} {}", self.name, line.name());
        let Some(kept) = &line.kept else {
            return Some(format!("{row} was not written by calvalot"));
        };
        let difference = difference(kept, &line.due);
        let touched = |at: usize| difference.get(WHOLE + at).is_some_and(|byte| *byte != 0);
        let columns: Vec<&str> =
            (0..self.columns.len()).filter(|at| touched(*at)).map(|at| self.columns[at]).collect();
        let which = if columns.is_empty() { String::new() } else { format!(": {}", columns.join(", ")) };
        difference.iter().any(|byte| *byte != 0).then(|| format!("{row} is not as it was written{which}"))
    }

    /// Combien de lignes ont été écrites, et le plus grand de leurs numéros ; `None` si ce n'est pas encore compté.
    fn written(&self, connection: &Connection) -> Result<Option<(i64, i64)>, LedgerError> {
        if self.name == SNAPSHOTS.name {
            let sql = "SELECT snapshots FROM pulse";
            let written: Option<Option<i64>> =
                connection.query_row_cached(sql, [], |row| row.get(0)).optional()?;
            return Ok(written.flatten().map(|written| (written, 0)));
        }
        let sql = "SELECT rows, last FROM seals WHERE name = ?1";
        let written = connection.query_row_cached(sql, [self.name], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(Some(written.optional()?.unwrap_or_default()))
    }

    fn breaches(&self, connection: &Connection) -> Result<Vec<String>, LedgerError> {
        let written = self.written(connection)?;
        let last = written.map_or(0, |(_, last)| last);
        let mut statement = connection.prepare(&format!("{} ORDER BY {}", self.select(), self.key()))?;
        let mut rows = statement.query([])?;
        let (mut found, mut sealed, mut missing, mut next) = (Vec::new(), 0, Vec::new(), 1);
        while let Some(row) = rows.next()? {
            let line = self.line(row)?;
            sealed += i64::from(line.kept.is_some());
            if let Some(number) = line.number() {
                missing.push(next..number.min(last + 1));
                next = number + 1;
            }
            found.extend(self.breach(&line));
        }
        missing.push(next..last + 1);
        if found.len() > NAMED {
            let more = found.len() - NAMED;
            found.truncate(NAMED);
            found.push(format!("{more} more rows of {} are not as they were written", self.name));
        }
        if let Some((written, _)) = written.filter(|(written, _)| *written != sealed) {
            let which = named(&missing, written - sealed);
            found.push(format!("{} has {sealed} of the {written} rows that were written{which}", self.name));
        }
        Ok(found)
    }
}

/// Les numéros qui manquent, s'ils sont justement `lost` : une base reprise en a sauté d'autres.
fn named(missing: &[Range<i64>], lost: i64) -> String {
    let count: i64 = missing.iter().map(|range| (range.end - range.start).max(0)).sum();
    if lost <= 0 || count != lost {
        return String::new();
    }
    let numbers = missing.iter().cloned().flatten().take(NAMED).map(|number| number.to_string());
    format!(", without {}", numbers.collect::<Vec<_>>().join(", "))
}

/// La différence de deux sceaux ; il manque à un plus court les colonnes ajoutées depuis, qui y étaient NULL.
fn difference(one: &[u8], other: &[u8]) -> Vec<u8> {
    let byte = |seal: &[u8], at: usize| seal.get(at).copied().unwrap_or_default();
    (0..one.len().max(other.len())).map(|at| byte(one, at) ^ byte(other, at)).collect()
}

/// Ce que les sceaux démentent ; vide si chaque ligne est celle que nous avons écrite, et qu'il n'en manque pas.
pub(super) fn breaches(connection: &Connection) -> Result<Vec<String>, LedgerError> {
    let found = TABLES.iter().map(|table| table.breaches(connection));
    Ok(found.collect::<Result<Vec<_>, _>>()?.concat())
}

/// Scelle une ligne neuve, et la compte.
pub(super) fn lay(connection: &Connection, table: &Table, key: impl ToSql + Copy) -> Result<(), LedgerError> {
    if let Some(line) = read(connection, table, key)? {
        keep(connection, table, key, &line.due)?;
        count(connection, table, 1, line.number())?;
    }
    Ok(())
}

/// Fait `write`, qui change la ligne `key` ou la crée, et son sceau avec elle.
pub(super) fn change<T>(
    connection: &Connection,
    table: &Table,
    key: impl ToSql + Copy,
    write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, LedgerError> {
    let before = read(connection, table, key)?;
    let written = write(connection)?;
    match (before, read(connection, table, key)?) {
        (None, Some(_)) => lay(connection, table, key)?,
        (Some(Line { kept: Some(kept), due, .. }), Some(after)) if due != after.due => {
            keep(connection, table, key, &difference(&kept, &difference(&due, &after.due)))?;
        }
        _ => {}
    }
    Ok(written)
}

/// Ne compte plus ces lignes, que nous avons effacées.
pub(super) fn forget(connection: &Connection, table: &Table, rows: i64) -> Result<(), LedgerError> {
    count(connection, table, -rows, None)
}

fn read(connection: &Connection, table: &Table, key: impl ToSql) -> Result<Option<Line>, LedgerError> {
    let sql = format!("{} WHERE {} = ?1", table.select(), table.key());
    Ok(connection.query_row_cached(&sql, [key], |row| table.line(row)).optional()?)
}

fn keep(connection: &Connection, table: &Table, key: impl ToSql, seal: &[u8]) -> Result<(), LedgerError> {
    let sql = format!("UPDATE {} SET seal = ?1 WHERE {} = ?2", table.name, table.key());
    connection.execute(&sql, params![seal, key])?;
    Ok(())
}

/// Compte `more` lignes de plus ; `last` est le plus grand de leurs numéros, s'ils en ont.
fn count(connection: &Connection, table: &Table, more: i64, last: Option<i64>) -> Result<(), LedgerError> {
    if table.name == SNAPSHOTS.name {
        let sql =
            "UPDATE pulse SET snapshots = coalesce(snapshots + ?1, (SELECT count(seal) FROM snapshots))";
        connection.execute(sql, [more])?;
    } else {
        connection.execute(
            "INSERT INTO seals (name, rows, last) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET rows = rows + ?2, last = max(last, ?3)",
            params![table.name, more, last.unwrap_or_default()],
        )?;
    }
    Ok(())
}

/// Scelle et compte les lignes sans sceau : celles d'une version qui n'en posait pas.
pub(super) fn lay_everywhere(connection: &Connection) -> Result<(), LedgerError> {
    TABLES.iter().try_for_each(|table| lay_bare(connection, table))
}

/// De même, dans une seule table.
pub(super) fn lay_bare(connection: &Connection, table: &Table) -> Result<(), LedgerError> {
    let mut bare = connection.prepare(&format!("{} WHERE seal IS NULL", table.select()))?;
    let lines: Vec<Line> = bare.query_map([], |row| table.line(row))?.collect::<Result<_, _>>()?;
    let update = format!("UPDATE {} SET seal = ?1 WHERE {} = ?2", table.name, table.key());
    let mut update = connection.prepare(&update)?;
    for line in &lines {
        update.execute(params![line.due, line.key])?;
    }
    count(connection, table, lines.len() as i64, lines.iter().filter_map(Line::number).max())
}

/// Scelle de nouveau toutes les lignes de la base, comme elles sont : pour qui lui a donné un passé de sa main.
pub fn reseal(connection: &Connection) -> Result<(), LedgerError> {
    for table in TABLES {
        connection.execute(&format!("UPDATE {} SET seal = NULL", table.name), [])?;
    }
    connection.execute_batch("DELETE FROM seals; UPDATE pulse SET snapshots = NULL")?;
    lay_everywhere(connection)
}

#[cfg(test)]
mod tests;
