//! La poussière au grand livre : ce qui manque au compte et que personne ne pourrait échanger est effacé, et noté.
//!
//! Invariants : seulement vers le bas, tant que rien n'est en doute de cet actif, et si le tour d'avant a vu le même
//! manque ; des soldes peuvent être en retard. Des USDC qui manquent pendant un retrait sont peut-être les siens.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::{Db, LedgerError, balances, foreign, movements, withdrawals};
use crate::domain::dust;
use crate::domain::market::Market;
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Price, Quantity, Usdc};
use crate::domain::movement::{Kind, Moved, Movement};
use crate::domain::reconcile::{Asset, Reconciliation};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Un centime d'USDC : il ne s'en échange pas moins.
const CENT: Quantity = Quantity::new(rust_decimal::dec!(0.01));

impl Db {
    /// Efface la poussière que `now_seen` montre comme `before`, le rapprochement du tour d'avant ; rend ce qui l'a été.
    pub fn sweep(
        &mut self,
        before: &Reconciliation,
        now_seen: &Reconciliation,
        market: &Market,
        now: Moment,
    ) -> Result<Vec<Movement>, LedgerError> {
        let transaction = self.transaction()?;
        let mut swept = Vec::new();
        if foreign::has_evidence(&transaction)? {
            return Ok(swept);
        }
        for (asset, line) in now_seen.lines() {
            if asset == Asset::Cash && withdrawals::is_open(&transaction)? {
                continue;
            }
            let gone = line.gone();
            // Une personne a pu faire compter autre chose entre-temps.
            let is_kept = balances::line(&transaction, asset)?
                .is_some_and(|kept| kept.difference() == line.difference());
            let is_the_same = !gone.is_zero() && before.line(asset).gone() == gone;
            if !is_the_same || !is_kept || balances::is_in_doubt(&transaction, asset)? {
                continue;
            }
            let (step, price) = match asset {
                Asset::Cash => (CENT, Price::new(rust_decimal::Decimal::ONE)),
                Asset::Coin(coin) => {
                    let Some(pair) = market.pairs.get(coin) else { continue };
                    (pair.rules.step, pair.quote.mid())
                }
            };
            let today = swept_since(&transaction, asset, now.minus(DAY))?;
            let Some(worth) = dust::worth(gone, step, price, today) else { continue };
            let (usdc, moved) = match asset {
                Asset::Cash => (-worth, None),
                Asset::Coin(coin) => (Usdc::ZERO, Some(Moved { coin, quantity: -gone, worth })),
            };
            let movement = Movement { kind: Kind::Dust, eur: Eur::ZERO, rate: market.rate, usdc, moved };
            movements::write(&transaction, &movement, now)?;
            swept.push(movement);
        }
        transaction.commit()?;
        Ok(swept)
    }
}

/// Ce qui s'est effacé de cet actif depuis `since`.
fn swept_since(connection: &Connection, asset: Asset, since: Moment) -> Result<Usdc, LedgerError> {
    let coin = match asset {
        Asset::Cash => None,
        Asset::Coin(coin) => Some(coin),
    };
    let sql = "SELECT usdc, worth FROM movements WHERE kind = 'dust' AND coin IS ?1 AND at > ?2";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map(params![coin, since], |row| {
        let (usdc, worth): (Usdc, Option<Usdc>) = (row.get(0)?, row.get(1)?);
        Ok(worth.unwrap_or(-usdc))
    })?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().sum())
}
