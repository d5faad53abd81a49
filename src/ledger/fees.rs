//! Les frais notés à part de la ligne de leur trade : un autre actif, ou une valeur inconnue.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::{LedgerError, seal};
use crate::domain::book::FeeApart;

/// Écrit ceux de ce trade.
pub(super) fn write(connection: &Connection, trade: i64, fees: &[FeeApart]) -> Result<(), LedgerError> {
    for FeeApart { asset, quantity } in fees {
        connection.execute(
            "INSERT INTO trade_fees (trade, asset, quantity) VALUES (?1, ?2, ?3)",
            params![trade, asset, quantity],
        )?;
        seal::lay(connection, &seal::TRADE_FEES, connection.last_insert_rowid())?;
    }
    Ok(())
}

/// Ceux des trades de `first` à `last`, par trade.
pub(super) fn between(
    connection: &Connection,
    first: i64,
    last: i64,
) -> Result<BTreeMap<i64, Vec<FeeApart>>, LedgerError> {
    let mut fees: BTreeMap<i64, Vec<FeeApart>> = BTreeMap::new();
    let mut statement = connection.prepare(
        "SELECT trade, asset, quantity FROM trade_fees WHERE trade BETWEEN ?1 AND ?2 ORDER BY trade, asset",
    )?;
    let mut rows = statement.query([first, last])?;
    while let Some(row) = rows.next()? {
        let fee = FeeApart { asset: row.get(1)?, quantity: row.get(2)? };
        fees.entry(row.get(0)?).or_default().push(fee);
    }
    Ok(fees)
}
