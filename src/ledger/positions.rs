//! Les positions au grand livre : ce qu'un trade ou un mouvement leur a fait, écrit avec lui.

use rusqlite::{Connection, params};

use super::{LedgerError, seal};
use crate::domain::moment::Moment;
use crate::domain::portfolio::Holdings;

/// Écrit les positions qui ne sont plus, après, ce qu'elles étaient avant.
pub(super) fn keep(
    connection: &Connection,
    before: &Holdings,
    after: &Holdings,
    at: Moment,
) -> Result<(), LedgerError> {
    let changed = after.positions.iter().filter(|(coin, after)| before.positions[*coin] != **after);
    for (coin, position) in changed {
        seal::change(connection, &seal::POSITIONS, coin, |connection| {
            connection.execute(
                "INSERT INTO positions (coin, quantity, invested, updated_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (coin) DO UPDATE SET quantity = ?2, invested = ?3, updated_at = ?4",
                params![coin, position.quantity, position.invested, at],
            )
        })?;
    }
    Ok(())
}
