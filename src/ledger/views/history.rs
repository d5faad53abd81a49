//! L'histoire de la valeur.

use std::time::Duration;

use rusqlite::{Row, params};

use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Usdc};
use crate::ledger::cycle::FULL_DETAIL;
use crate::ledger::{Db, LedgerError};

/// Un relevé de valeur.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub id: i64,
    pub total_eur: Eur,
    pub coins_usdc: Usdc,
    pub cash_usdc: Usdc,
    pub deposited_eur: Eur,
    pub at: Moment,
}

/// Les derniers relevés après `?1`, du plus récent au plus ancien.
const NEWEST: &str = "SELECT id, total_eur, coins_usdc, cash_usdc, deposited_eur, at FROM snapshots
    WHERE at > ?1 ORDER BY at DESC, id DESC LIMIT ?2";

/// Le premier relevé de chaque intervalle de `?2` millisecondes, de `?1` à `?3` : une recherche par l'index pour chacun.
const ONE_A_SLOT: &str = "WITH RECURSIVE slot (start) AS (SELECT ?1 UNION ALL
        SELECT start + ?2 FROM slot WHERE start + ?2 <= ?3)
    SELECT id, total_eur, coins_usdc, cash_usdc, deposited_eur, at FROM slot CROSS JOIN snapshots ON id =
        (SELECT id FROM snapshots WHERE at >= start AND at < start + ?2 ORDER BY at, id LIMIT 1)";

/// Les relevés de plus d'un mois ne sont gardés qu'un par heure : plus serré, on y verrait des trous.
const KEPT_STEP: i64 = 3_600_000;

impl Db {
    /// Les relevés des `period` derniers temps (tous si `None`), du plus récent au plus ancien, au plus `limit`.
    ///
    /// S'il y en a davantage, la durée est coupée en intervalles égaux : le premier relevé de chacun, et le tout dernier.
    /// Un intervalle vide n'en a pas : deux points sont à moins de deux intervalles, ou c'est qu'il en manquait entre eux.
    /// Chacun est cherché par l'index, sans lire les autres ; un extrême entre deux points n'est donc pas montré.
    pub fn snapshots(
        &self,
        period: Option<Duration>,
        limit: u32,
        now: Moment,
    ) -> Result<Vec<Snapshot>, LedgerError> {
        let start = period.map_or(Moment(0), |period| now.minus(period));
        let (first, last, many) = self.extent(start, limit)?;
        let newest = |limit: u32| self.snapshots_of(NEWEST, params![start, limit]);
        if !many {
            return newest(limit);
        }
        // Un intervalle de moins que de points : le tout dernier relevé s'ajoute.
        let mut slot = (last.0 - first.0) / (i64::from(limit) - 1).max(1) + 1;
        if first < now.minus(FULL_DETAIL) {
            slot = slot.max(KEPT_STEP);
        }
        let mut points = newest(1)?;
        let latest = points.last().map(|point| point.id);
        let slots = self.snapshots_of(ONE_A_SLOT, params![first, slot, last])?;
        points.extend(slots.into_iter().rev().filter(|point| Some(point.id) != latest));
        points.truncate(limit as usize);
        Ok(points)
    }

    /// Le plus que tout ait valu depuis `since`, d'après les relevés ; rien s'il n'y en a pas.
    pub fn highest_since(&self, since: Moment) -> Result<Usdc, LedgerError> {
        let mut statement =
            self.connection.prepare_cached("SELECT coins_usdc, cash_usdc FROM snapshots WHERE at >= ?1")?;
        let mut totals =
            statement.query_map([since], |row| Ok(row.get::<_, Usdc>(0)? + row.get::<_, Usdc>(1)?))?;
        totals.try_fold(Usdc::ZERO, |highest, total| Ok(highest.max(total?)))
    }

    fn snapshots_of(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Snapshot>, LedgerError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params, snapshot)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Le premier et le dernier instant des relevés d'après `start`, et s'il y en a plus de `limit`.
    fn extent(&self, start: Moment, limit: u32) -> Result<(Moment, Moment, bool), LedgerError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT coalesce((SELECT min(at) FROM snapshots WHERE at > ?1), 0),
                 coalesce((SELECT max(at) FROM snapshots WHERE at > ?1), 0),
                 (SELECT count(*) FROM (SELECT 1 FROM snapshots WHERE at > ?1 LIMIT ?2 + 1)) > ?2",
        )?;
        Ok(statement.query_row(params![start, limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
    }
}

fn snapshot(row: &Row) -> rusqlite::Result<Snapshot> {
    Ok(Snapshot {
        id: row.get(0)?,
        total_eur: row.get(1)?,
        coins_usdc: row.get(2)?,
        cash_usdc: row.get(3)?,
        deposited_eur: row.get(4)?,
        at: row.get(5)?,
    })
}
