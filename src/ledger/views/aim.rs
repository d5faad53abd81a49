//! Ce que l'on vise, et ce qu'une personne en a voulu.

use rusqlite::{OptionalExtension, params};

use super::prepared::Prepared;
use crate::domain::aim::{Aim, Cause};
use crate::domain::market::{Coin, PerCoin};
use crate::domain::moment::Moment;
use crate::domain::signal::INITIAL_SYNC;
use crate::ledger::{Db, LedgerError};

/// Les coins que nomme ce texte.
fn listed(told: &str) -> PerCoin<bool> {
    PerCoin::from_fn(|coin: Coin| told.split(' ').any(|name| name == coin.pair()))
}

/// Une allocation que le premier démarrage a trouvée déjà vieille.
#[derive(Clone, Copy, Debug)]
pub struct OldTarget {
    pub said_at: Moment,
    /// Une personne attend la suivante.
    pub declined: bool,
}

impl Db {
    /// Ce que l'on vise ; `None` avant la première allocation.
    pub fn aim(&self) -> Result<Option<Aim>, LedgerError> {
        let sql =
            "SELECT signal, cause, since, reached_at, movement, waiting_for, rules, contradicted FROM aim";
        let aim = self.connection.query_row_cached(sql, [], |row| {
            let cause: String = row.get(1)?;
            Ok(Aim {
                signal: row.get(0)?,
                cause: Cause::from_word(&cause).unwrap_or(Cause::Signal),
                since: row.get(2)?,
                reached_at: row.get(3)?,
                movement: row.get(4)?,
                waiting_for: row.get(5)?,
                rules: row.get(6)?,
                contradicted: row.get::<_, Option<String>>(7)?.map(|told| listed(&told)),
            })
        });
        Ok(aim.optional()?)
    }

    /// Le dernier mouvement qui a changé ce que l'on a ; la poussière n'en est pas un.
    pub fn last_flow(&self) -> Result<i64, LedgerError> {
        let sql = "SELECT coalesce(max(id), 0) FROM movements WHERE kind <> 'dust'";
        Ok(self.connection.query_row_cached(sql, [], |row| row.get(0))?)
    }

    /// L'allocation déjà vieille dont une personne décide, ou a décidé d'attendre la suivante ; `None` s'il n'y en a pas qui vaille à `now`.
    pub fn old_target(&self, now: Moment) -> Result<Option<OldTarget>, LedgerError> {
        let sql = "SELECT said_at, received_at, old_target = 'declined' FROM signals
                   WHERE signal_id = ?1 AND status = 'received' AND old_target IN ('asked', 'declined')
                       AND (expires_at IS NULL OR expires_at >= ?2)";
        let old = self.connection.query_row_cached(sql, params![INITIAL_SYNC, now], |row| {
            let (said_at, received_at): (Option<Moment>, Moment) = (row.get(0)?, row.get(1)?);
            Ok(OldTarget { said_at: said_at.unwrap_or(received_at), declined: row.get(2)? })
        });
        Ok(old.optional()?)
    }

    /// Vrai si d'autres signaux ont pu se dire avant celui-ci sans être entendus.
    pub fn has_missed(&self, signal: i64) -> Result<bool, LedgerError> {
        let sql = "SELECT missed IS NOT NULL FROM signals WHERE id = ?1";
        Ok(self.connection.query_row_cached(sql, [signal], |row| row.get(0))?)
    }

    /// Vrai si une personne n'a pas voulu, ou pas encore, de cette allocation.
    pub fn is_declined(&self, signal: i64) -> Result<bool, LedgerError> {
        let sql = "SELECT coalesce(old_target <> 'taken', 0) FROM signals WHERE id = ?1";
        Ok(self.connection.query_row_cached(sql, [signal], |row| row.get(0))?)
    }
}
