//! Recule d'autant chaque instant d'une base. Le schéma les nomme `at`, `…_at`, `silent_from` et `silent_until`.

use std::path::Path;

use calvalot::ledger::{self, LedgerError};
use rusqlite::{Connection, OpenFlags};

const INSTANTS: &str = "
    SELECT tables.name, columns.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' AND columns.type = 'INTEGER'
        AND (columns.name = 'at' OR columns.name LIKE '%\\_at' ESCAPE '\\'
            OR columns.name IN ('silent_from', 'silent_until'))";

pub fn shift(base: &Path, seconds: u32) -> Result<(), LedgerError> {
    let mut connection = Connection::open_with_flags(base, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let transaction = connection.transaction()?;
    let instants: Vec<(String, String)> = transaction
        .prepare(INSTANTS)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (table, column) in instants {
        transaction.execute(
            &format!("UPDATE {table} SET {column} = {column} - ?1 WHERE {column} IS NOT NULL"),
            [i64::from(seconds) * 1000],
        )?;
    }
    ledger::reseal(&transaction)?;
    Ok(transaction.commit()?)
}
