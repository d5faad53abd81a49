//! Ce qui a été échangé, en un jour ou en tout par paire, sens et mode : combien de fois, pour combien, avec quels frais.
//!
//! Les montants sont des décimaux exacts, que SQLite ne sait pas additionner. La somme est gardée, et chaque
//! demande n'y ajoute que les trades venus depuis : un trade écrit ne change plus. Invariant : une somme ne décroît
//! jamais, et se retrouve la même après un redémarrage.

use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::Usdc;
use crate::domain::order::Side;
use crate::ledger::{Db, LedgerError};

/// Ce qui a été échangé d'une paire, dans un sens, pour de vrai ou non.
#[derive(Clone, Debug, PartialEq)]
pub struct Traded {
    pub coin: Coin,
    pub side: Side,
    pub simulated: bool,
    pub trades: u32,
    /// Frais non déduits.
    pub amount: Usdc,
    pub fees: Usdc,
}

/// La somme, jusqu'au trade `last` compris.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Turnover {
    last: i64,
    sums: Vec<Traded>,
}

impl Turnover {
    fn add(&mut self, trade: Traded) {
        let same = |sum: &&mut Traded| {
            (sum.coin, sum.side, sum.simulated) == (trade.coin, trade.side, trade.simulated)
        };
        match self.sums.iter_mut().find(same) {
            Some(sum) => {
                sum.trades += trade.trades;
                sum.amount += trade.amount;
                sum.fees += trade.fees;
            }
            None => self.sums.push(trade),
        }
    }
}

impl Db {
    /// Ce qui a été échangé depuis toujours ; rien d'une paire jamais échangée.
    pub fn turnover(&mut self) -> Result<Vec<Traded>, LedgerError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, coin, side, simulated, amount, fee_usdc FROM trades WHERE id > ?1 ORDER BY id",
        )?;
        let mut rows = statement.query([self.turnover.last])?;
        while let Some(row) = rows.next()? {
            let trade = Traded {
                coin: row.get(1)?,
                side: row.get(2)?,
                simulated: row.get(3)?,
                trades: 1,
                amount: row.get(4)?,
                fees: row.get(5)?,
            };
            self.turnover.add(trade);
            self.turnover.last = row.get(0)?;
        }
        Ok(self.turnover.sums.clone())
    }

    /// Ce qui s'est échangé depuis `since` pour suivre le leader ; ce qu'une personne a voulu n'en est pas.
    pub fn traded_since(&self, since: Moment) -> Result<Usdc, LedgerError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT amount FROM trades WHERE at >= ?1 AND NOT EXISTS
                 (SELECT 1 FROM signals WHERE signals.signal_id = trades.signal_id AND wish IS NOT NULL)",
        )?;
        let amounts = statement.query_map([since], |row| row.get::<_, Usdc>(0))?;
        Ok(amounts.sum::<Result<Usdc, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::{Decimal, dec};

    use super::*;
    use crate::domain::money::Eur;
    use crate::ledger::in_memory;

    fn write(db: &Db, side: Side, amount: Decimal, simulated: bool) -> Result<(), LedgerError> {
        let values = rusqlite::params![Coin::Btc, side, Usdc::new(amount), simulated];
        db.connection.execute(
            "INSERT INTO trades (coin, side, quantity, price, amount, fee_usdc, simulated, at)
             VALUES (?1, ?2, '1', '1', ?3, '0.1', ?4, 1)",
            values,
        )?;
        Ok(())
    }

    #[test]
    fn only_what_is_new_is_added_and_to_the_last_digit() {
        let ledger = in_memory("dry_run", Eur::new(dec!(100)), Moment(0)).expect("a ledger");
        let told = smol::block_on(ledger.with(|db| {
            assert!(db.turnover()?.is_empty());
            for amount in [dec!(0.1), dec!(0.2)] {
                write(db, Side::Buy, amount, true)?;
            }
            let first = db.turnover()?;
            write(db, Side::Buy, dec!(0.3), true)?;
            write(db, Side::Buy, dec!(7), false)?;
            write(db, Side::Sell, dec!(9), true)?;
            // Ce qui est déjà compté n'est pas relu.
            db.connection.execute("UPDATE trades SET amount = '1000' WHERE id = 1", [])?;
            Ok((first, db.turnover()?, db.turnover()?))
        }));
        let (first, second, third) = told.expect("the sums");
        let sum = |side, simulated, trades, amount, fees| Traded {
            coin: Coin::Btc,
            side,
            simulated,
            trades,
            amount: Usdc::new(amount),
            fees: Usdc::new(fees),
        };
        assert_eq!(first, [sum(Side::Buy, true, 2, dec!(0.3), dec!(0.2))]);
        let all = [
            sum(Side::Buy, true, 3, dec!(0.6), dec!(0.3)),
            sum(Side::Buy, false, 1, dec!(7), dec!(0.1)),
            sum(Side::Sell, true, 1, dec!(9), dec!(0.1)),
        ];
        assert_eq!((&second[..], third), (&all[..], second.clone()));
    }
}
