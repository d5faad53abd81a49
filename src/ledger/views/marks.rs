//! Ce qu'un graphique de la valeur marque : l'argent apporté ou repris, et les trades par groupes.

use std::time::Duration;

use rusqlite::{Connection, Row, params};

use crate::domain::moment::Moment;
use crate::domain::money::Eur;
use crate::ledger::{Db, LedgerError};

/// Groupes de trades au plus : la période en a autant d'intervalles égaux.
const GROUPS: i64 = 200;

/// Mouvements et retraits au plus, les plus récents ; la poussière n'a que les places qu'ils laissent.
const FLOWS: u32 = 400;

/// Une marque.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Le mot du mouvement (`deposit`, `write_off`…), `withdrawal` ou `trades`.
    pub kind: String,
    /// Pour un groupe, l'instant du premier trade.
    pub at: Moment,
    /// L'argent, dans le sens du mot : un retrait est positif, une correction a son signe ; `None` pour un groupe.
    pub amount: Option<Eur>,
    pub buys: u32,
    pub sells: u32,
    /// Le signal dont viennent tous les trades du groupe ; `None` s'il y en a plusieurs ou aucun.
    pub signal: Option<i64>,
}

impl Db {
    /// Les marques des `period` derniers temps (tous si `None`), de la plus ancienne à la plus récente ; six cents au plus.
    pub fn marks(&self, period: Option<Duration>, now: Moment) -> Result<Vec<Mark>, LedgerError> {
        let start = match period {
            Some(period) => now.minus(period),
            None => first(&self.connection)?.unwrap_or(now),
        };
        let mut marks = flows(&self.connection, start)?;
        marks.extend(trades(&self.connection, start, now)?);
        marks.sort_by_key(|mark| mark.at);
        Ok(marks)
    }
}

/// Un rien avant la première marque possible.
fn first(connection: &Connection) -> Result<Option<Moment>, LedgerError> {
    let sql = "SELECT min(at) - 1 FROM (SELECT min(at) AS at FROM trades
                   UNION ALL SELECT min(at) FROM movements UNION ALL SELECT min(at) FROM withdrawals WHERE signal IS NULL)";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

fn flows(connection: &Connection, start: Moment) -> Result<Vec<Mark>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, at, iif(kind = 'withdrawal', ltrim(eur, '-'), eur), 0, 0, NULL, id FROM movements
         WHERE kind NOT IN ('opening', 'dust') AND at > ?1
         UNION ALL SELECT 'withdrawal', at, received_eur, 0, 0, NULL, id FROM withdrawals
         WHERE signal IS NULL AND at > ?1
         ORDER BY at DESC, kind, id DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![start, FLOWS], mark)?;
    let mut flows: Vec<Mark> = rows.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare_cached(
        "SELECT kind, at, eur, 0, 0, NULL FROM movements WHERE kind = 'dust' AND at > ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let places = FLOWS.saturating_sub(flows.len() as u32);
    let dust = statement.query_map(params![start, places], mark)?;
    flows.extend(dust.collect::<Result<Vec<_>, _>>()?);
    flows.reverse();
    Ok(flows)
}

fn trades(connection: &Connection, start: Moment, now: Moment) -> Result<Vec<Mark>, LedgerError> {
    let slot = (now.0.saturating_sub(start.0) / GROUPS).max(1);
    let mut statement = connection.prepare_cached(
        "SELECT 'trades', first, NULL, buys, sells,
             iif(named = trades AND low = high, (SELECT id FROM signals WHERE signal_id = low), NULL)
         FROM (SELECT min(at) AS first, sum(side = 'BUY') AS buys, sum(side = 'SELL') AS sells, count(*) AS trades,
                   count(signal_id) AS named, min(signal_id) AS low, max(signal_id) AS high
               FROM trades WHERE at > ?1 GROUP BY min((at - ?1) / ?2, ?3))
         ORDER BY first",
    )?;
    let rows = statement.query_map(params![start, slot, GROUPS - 1], mark)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn mark(row: &Row) -> rusqlite::Result<Mark> {
    Ok(Mark {
        kind: row.get(0)?,
        at: row.get(1)?,
        amount: row.get(2)?,
        buys: row.get(3)?,
        sells: row.get(4)?,
        signal: row.get(5)?,
    })
}
