//! Les écarts qu'une personne a réglés depuis la fin d'un ordre.

use rusqlite::params;

use super::{Db, LedgerError, balances};
use crate::domain::market::Coin;
use crate::domain::money::{Quantity, Usdc};
use crate::domain::reconcile::Asset;
use crate::domain::settled::Settled;

impl Db {
    /// Ce qu'une personne a réglé des écarts de son coin et des USDC depuis la fin de cette intention, et ce que le compte tenait
    /// de plus que les livres au dernier rapprochement.
    pub fn settled_since(&self, intent: i64) -> Result<Settled, LedgerError> {
        let coin: Coin =
            self.connection
                .query_row("SELECT coin FROM intents WHERE id = ?1", [intent], |row| row.get(0))?;
        let beyond = |asset| -> Result<Quantity, LedgerError> {
            Ok(balances::kept(&self.connection, asset)?.map(|line| line.difference()).unwrap_or_default())
        };
        let mut settled = Settled {
            coin_beyond: beyond(Asset::Coin(coin))?,
            usdc_beyond: Usdc::new(beyond(Asset::Cash)?.decimal()),
            ..Settled::default()
        };
        let mut statement = self.connection.prepare(
            "SELECT movements.quantity, usdc FROM movements JOIN intents ON intents.id = ?1
             WHERE movements.at >= ended_at AND kind IN ('count', 'write_off')
                 AND (movements.coin IS NULL OR movements.coin = ?2)",
        )?;
        let mut rows = statement.query(params![intent, coin])?;
        while let Some(row) = rows.next()? {
            match row.get::<_, Option<Quantity>>(0)? {
                Some(quantity) => settled.coin.push(quantity),
                None => settled.usdc.push(row.get(1)?),
            }
        }
        Ok(settled)
    }
}
