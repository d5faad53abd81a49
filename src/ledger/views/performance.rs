//! De quoi mesurer ce que l'argent a rapporté : depuis le début, et depuis minuit.
//!
//! Rien de cela n'est tenu à jour : quelques mouvements et un ou deux relevés suffisent, jamais une année.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::moment::Moment;
use crate::domain::money::Eur;
use crate::domain::performance::{Flow, Track};
use crate::ledger::{Db, LedgerError};

/// Un relevé plus vieux que cela à minuit n'est plus ce que tout valait la veille.
const THE_DAY_BEFORE: Duration = Duration::from_secs(24 * 3600);

/// Un mouvement après l'ouverture, et le total déposé une fois qu'il est fait.
struct Booked {
    flow: Flow,
    deposited: Eur,
    at: Moment,
}

struct Opening {
    eur: Eur,
    value: Option<Eur>,
    at: Moment,
}

/// Un relevé d'où l'on part.
struct Baseline {
    total: Eur,
    deposited: Eur,
    at: Moment,
}

impl Db {
    /// Le parcours depuis le début ; `None` tant que l'ouverture n'est pas comptée.
    ///
    /// Une base du programme Python ne sait ni quand on y a déposé, ni ce que tout valait quand on en a retiré. Si rien
    /// n'y est entré ni sorti, le capital initial est le début ; sinon c'est l'ouverture, où le cash fut compté.
    pub fn track(&self) -> Result<Option<Track>, LedgerError> {
        let Some(opening) = opening(&self.connection)? else {
            return Ok(None);
        };
        let sql = "SELECT initial_eur, created_at, EXISTS (SELECT 1 FROM withdrawals WHERE signal IS NULL)
                   FROM account";
        let (initial, created_at, withdrew): (Eur, Moment, bool) =
            self.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let flows = booked(&self.connection, opening.eur)?.into_iter().map(|booked| booked.flow).collect();
        let untouched = opening.eur == initial && !withdrew;
        let (since, start) =
            if untouched { (created_at, Some(initial)) } else { (opening.at, opening.value) };
        Ok(Some(Track { since, start, flows }))
    }

    /// Le parcours depuis `midnight`, à partir du dernier relevé d'avant s'il est de la veille, sinon du premier d'après,
    /// dont l'instant est alors le début. Le jour du premier démarrage, c'est le parcours entier.
    pub fn today(&self, midnight: Moment) -> Result<Track, LedgerError> {
        if let Some(track) = self.track()?
            && track.since >= midnight
        {
            return Ok(track);
        }
        let unknown = Track { since: midnight, start: None, flows: Vec::new() };
        let Some(opening) = opening(&self.connection)? else {
            return Ok(unknown);
        };
        let eve = midnight.minus(THE_DAY_BEFORE).max(opening.at);
        let before = "at >= ?1 AND at < ?2 ORDER BY at DESC, id DESC";
        let found = match baseline(&self.connection, before, eve, midnight)? {
            Some(baseline) => Some((midnight, baseline)),
            None => {
                let after = "at >= ?1 AND at >= ?2 ORDER BY at, id";
                baseline(&self.connection, after, opening.at, midnight)?
                    .map(|baseline| (baseline.at, baseline))
            }
        };
        let Some((since, baseline)) = found else {
            return Ok(unknown);
        };
        let booked = booked(&self.connection, opening.eur)?;
        // À un rien près, l'heure ne dit pas si un relevé compte un mouvement : le total déposé le dit.
        let counted = |count: &usize| {
            let deposited = if *count == 0 { opening.eur } else { booked[*count - 1].deposited };
            deposited == baseline.deposited
        };
        let earlier = booked.iter().filter(|booked| booked.at <= baseline.at).count();
        let mut nearest = (earlier..=booked.len()).chain((0..earlier).rev());
        let Some(counted) = nearest.find(counted) else {
            return Ok(Track { since, ..unknown });
        };
        let flows = booked.into_iter().skip(counted).map(|booked| booked.flow).collect();
        Ok(Track { since, start: Some(baseline.total), flows })
    }
}

fn opening(connection: &Connection) -> Result<Option<Opening>, LedgerError> {
    let sql = "SELECT eur, value_eur, at FROM movements WHERE kind = 'opening'";
    let opening = connection
        .query_row(sql, [], |row| Ok(Opening { eur: row.get(0)?, value: row.get(1)?, at: row.get(2)? }));
    Ok(opening.optional()?)
}

fn booked(connection: &Connection, opening: Eur) -> Result<Vec<Booked>, LedgerError> {
    let mut statement = connection
        .prepare_cached("SELECT eur, value_eur, at FROM movements WHERE kind <> 'opening' ORDER BY id")?;
    let mut rows = statement.query([])?;
    let (mut booked, mut deposited) = (Vec::new(), opening);
    while let Some(row) = rows.next()? {
        let (amount, after): (Eur, Option<Eur>) = (row.get(0)?, row.get(1)?);
        deposited += amount;
        booked.push(Booked { flow: Flow { amount, after }, deposited, at: row.get(2)? });
    }
    Ok(booked)
}

fn baseline(
    connection: &Connection,
    clause: &str,
    from: Moment,
    midnight: Moment,
) -> Result<Option<Baseline>, LedgerError> {
    let sql = format!("SELECT total_eur, deposited_eur, at FROM snapshots WHERE {clause} LIMIT 1");
    let mut statement = connection.prepare_cached(&sql)?;
    let baseline = statement.query_row(params![from, midnight], |row| {
        Ok(Baseline { total: row.get(0)?, deposited: row.get(1)?, at: row.get(2)? })
    });
    Ok(baseline.optional()?)
}
