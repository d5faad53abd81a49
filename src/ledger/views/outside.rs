//! Le dehors vu du grand livre : les dernières lectures, celles qui sont fraîches, ce qui manque.

use rusqlite::Connection;
use rusqlite::OptionalExtension;

use crate::domain::market::{self, Coin, PerCoin, Quote, Reading, Unknown};
use crate::domain::moment::Moment;
use crate::domain::money::{Price, Rate, Weight};
use crate::ledger::{Db, LedgerError, ReadingRow};

/// Ce que le marché disait à la dernière lecture, et ce qu'on n'en sait plus.
#[derive(Clone, Debug)]
pub struct Outside {
    pub prices: PerCoin<Option<Price>>,
    pub rate: Option<Rate>,
    pub unknown: Vec<Unknown>,
}

/// Les prix qui sont frais à `now`.
pub(in crate::ledger) fn fresh_prices(
    connection: &Connection,
    now: Moment,
) -> Result<PerCoin<Option<Price>>, LedgerError> {
    let readings = readings(connection)?;
    Ok(PerCoin::from_fn(|coin| fresh(&readings, &market::price_of(coin), now).map(Quote::mid)))
}

fn fresh(readings: &[ReadingRow], what: &str, now: Moment) -> Option<Quote> {
    let reading = readings.iter().find(|reading| reading.what == what)?;
    let (bid, ask) = reading.bid_ask?;
    market::fresh(&Some(Reading { value: Quote::new(bid, ask).ok()?, at: reading.at? }), now)
}

fn readings(connection: &Connection) -> Result<Vec<ReadingRow>, LedgerError> {
    let mut statement = connection.prepare_cached("SELECT what, bid, ask, at, failure FROM readings")?;
    let rows = statement.query_map([], |row| {
        let (bid, ask): (Option<Price>, Option<Price>) = (row.get(1)?, row.get(2)?);
        let (at, failure) = (row.get(3)?, row.get(4)?);
        Ok(ReadingRow { what: row.get(0)?, bid_ask: bid.zip(ask), at, failure, doubted: false })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Db {
    /// Les prix et le cours de l'euro qui sont frais à `now`, et ce qui manque à ce qui est tenu ou visé, cash compris.
    pub fn outside(&self, now: Moment) -> Result<Outside, LedgerError> {
        let readings = readings(&self.connection)?;
        let find = |what: &str| readings.iter().find(|reading| reading.what == what);
        let quote = |what: &str| fresh(&readings, what, now);
        let spare = self.spare_readings()?;
        let mut unknown: Vec<Unknown> = market::everything()
            .into_iter()
            .filter(|what| !spare.contains(what))
            .filter_map(|what| {
                let reading = find(&what);
                let at = reading.and_then(|reading| reading.at);
                market::missing(what, at, reading.and_then(|reading| reading.failure.as_deref()), now)
            })
            .collect();
        if self.account()?.cash.is_none() {
            let reason = "the budget is booked in USDC once the EUR rate, and in live the account, are known"
                .to_owned();
            unknown.push(Unknown { what: "cash".to_owned(), reason, since: None });
        }
        Ok(Outside {
            prices: PerCoin::from_fn(|coin| quote(&market::price_of(coin)).map(Quote::mid)),
            rate: quote(market::EURO).map(|quote| Rate::new(quote.mid().decimal())),
            unknown,
        })
    }

    /// Le nom de ce qui n'a pas à être su : d'un coin ni tenu ni visé.
    fn spare_readings(&self) -> Result<Vec<String>, LedgerError> {
        let held = self.holdings()?.unwrap_or_default().held();
        let aimed = self.leader_target()?;
        // Avant la première allocation, rien n'est encore de trop.
        if Coin::ALL.into_iter().all(|coin| aimed[coin].is_none()) {
            return Ok(Vec::new());
        }
        let is_spare = |coin: &Coin| !held[*coin] && aimed[*coin].is_none_or(Weight::is_zero);
        let spare = Coin::ALL.into_iter().filter(is_spare);
        Ok(spare.flat_map(|coin| [market::price_of(coin), market::rules_of(coin)]).collect())
    }

    /// Pourquoi l'heure de la machine n'est pas tenue pour juste à `now` ; `None` si elle l'est.
    pub fn clock_unknown(&self, now: Moment) -> Result<Option<Unknown>, LedgerError> {
        let sql = "SELECT at, failure FROM readings WHERE what = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let read = statement.query_row([market::CLOCK], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (at, failure): (Option<Moment>, Option<String>) = read.unwrap_or_default();
        Ok(market::missing(market::CLOCK.to_owned(), at, failure.as_deref(), now))
    }
}
