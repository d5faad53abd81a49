//! Ce que l'on a su en dernier d'une paire que la bourse ne montre plus : à quel prix, et depuis quand plus rien.
//!
//! Invariant : rien de ce qui se traite ou s'évalue n'en vient ; ce n'est que de quoi retirer des livres ce qui n'a plus de prix.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::views::Prepared;
use super::{Db, LedgerError, views};
use crate::domain::booking::LastPrice;
use crate::domain::market::{self, Coin, Quote};
use crate::domain::moment::Moment;
use crate::domain::money::{Price, Quantity};

/// Devant le nom d'une lecture, celle qu'un démarrage a trouvée : elle ne vaut plus que pour ceci.
const BEFORE: &str = "last ";

/// Un coin tenu dont le prix ou les règles ne sont pas connus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unpriced {
    pub coin: Coin,
    pub quantity: Quantity,
    /// Depuis quand.
    pub unknown_for: Duration,
    /// Vrai si c'est le prix qui manque.
    pub lacks_price: bool,
    /// Le dernier que l'on en ait su.
    pub last: Option<LastPrice>,
}

/// Met de côté, à un démarrage, ce qui était su : plus rien n'en est cru.
pub(super) fn set_aside(connection: &Connection) -> Result<(), LedgerError> {
    let sql = "INSERT INTO readings (what, bid, ask, at)
               SELECT ?1 || what, bid, ask, at FROM readings WHERE at IS NOT NULL AND substr(what, 1, 5) <> ?1
               ON CONFLICT (what) DO UPDATE SET bid = excluded.bid, ask = excluded.ask, at = excluded.at";
    connection.execute(sql, [BEFORE])?;
    connection.execute("DELETE FROM readings WHERE substr(what, 1, 5) <> ?1", [BEFORE])?;
    Ok(())
}

/// Ce qui est tenu, et dont le prix ou les règles ne sont pas connus à `now`.
pub(super) fn unpriced(connection: &Connection, now: Moment) -> Result<Vec<Unpriced>, LedgerError> {
    let holdings = views::holdings(connection)?.unwrap_or_default();
    let mut found = Vec::new();
    for (coin, position) in holdings.positions.iter().filter(|(_, position)| !position.quantity.is_zero()) {
        let quoted = last_read(connection, &market::price_of(coin))?;
        let ruled = last_read(connection, &market::rules_of(coin))?;
        let (lacks_price, lacks_rules) = (quoted.is_missing(now), ruled.is_missing(now));
        // Avant la première lecture de ce démarrage, rien ne manque encore.
        if !is_asked(connection, coin)? || (!lacks_price && !lacks_rules) {
            continue;
        }
        let missing = [(lacks_price, quoted.at), (lacks_rules, ruled.at)];
        let known = missing.iter().filter(|(lacks, _)| *lacks).filter_map(|(_, at)| *at).min();
        let since = match known {
            Some(at) => at,
            None => opened_at(connection)?.unwrap_or(now),
        };
        let last = match quoted.price() {
            Some(last) => Some(last),
            None => last_traded(connection, coin)?,
        };
        found.push(Unpriced {
            coin,
            quantity: position.quantity,
            unknown_for: now.since(since),
            lacks_price,
            last,
        });
    }
    Ok(found)
}

/// Le dernier prix su de ce coin.
pub(super) fn last_price(connection: &Connection, coin: Coin) -> Result<Option<LastPrice>, LedgerError> {
    match last_read(connection, &market::price_of(coin))?.price() {
        Some(last) => Ok(Some(last)),
        None => last_traded(connection, coin),
    }
}

/// Une lecture d'avant, ou de ce démarrage.
#[derive(Default)]
struct LastRead {
    quote: Option<Quote>,
    at: Option<Moment>,
    is_current: bool,
}

impl LastRead {
    fn is_missing(&self, now: Moment) -> bool {
        let at = self.at.filter(|_| self.is_current);
        market::missing(String::new(), at, None, now).is_some()
    }

    fn price(&self) -> Option<LastPrice> {
        Some(LastPrice { price: self.quote?.mid(), at: self.at? })
    }
}

/// Vrai si le prix de ce coin a été demandé depuis le démarrage.
fn is_asked(connection: &Connection, coin: Coin) -> Result<bool, LedgerError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM readings WHERE what = ?1)";
    Ok(connection.query_row_cached(sql, [market::price_of(coin)], |row| row.get(0))?)
}

fn last_read(connection: &Connection, what: &str) -> Result<LastRead, LedgerError> {
    let sql = "SELECT bid, ask, at, what = ?1 FROM readings WHERE what IN (?1, ?2) AND at IS NOT NULL
               ORDER BY at DESC, what = ?1 DESC LIMIT 1";
    let found = connection.query_row_cached(sql, params![what, format!("{BEFORE}{what}")], |row| {
        let (bid, ask): (Option<Price>, Option<Price>) = (row.get(0)?, row.get(1)?);
        let quote = bid.zip(ask).and_then(|(bid, ask)| Quote::new(bid, ask).ok());
        Ok(LastRead { quote, at: row.get(2)?, is_current: row.get(3)? })
    });
    Ok(found.optional()?.unwrap_or_default())
}

/// Le prix du dernier trade de ce coin.
fn last_traded(connection: &Connection, coin: Coin) -> Result<Option<LastPrice>, LedgerError> {
    let sql = "SELECT price, at FROM trades WHERE coin = ?1 ORDER BY id DESC LIMIT 1";
    let traded =
        connection.query_row_cached(sql, [coin], |row| Ok(LastPrice { price: row.get(0)?, at: row.get(1)? }));
    Ok(traded.optional()?)
}

fn opened_at(connection: &Connection) -> Result<Option<Moment>, LedgerError> {
    let sql = "SELECT at FROM movements WHERE kind = 'opening'";
    Ok(connection.query_row_cached(sql, [], |row| row.get(0)).optional()?)
}

impl Db {
    /// Ce qui est tenu, et dont le prix ou les règles ne sont pas connus à `now`.
    pub fn unpriced(&self, now: Moment) -> Result<Vec<Unpriced>, LedgerError> {
        unpriced(&self.connection, now)
    }
}
