//! Le dehors tel que le moteur le voit : le marché, et l'heure de la machine.
//!
//! Invariant : à une heure fausse il n'y a ni marché ni cours ; rien de ce que l'on daterait n'aurait de sens.

use std::time::Duration;

use crate::clock;
use crate::domain::booking::Footing;
use crate::domain::market::{self, Coin, Market, Pairs, PerCoin, Quote, Readings, Unknown};
use crate::domain::moment::Moment;
use crate::domain::money::{Price, Rate};
use crate::exchange::Exchange;
use crate::ledger::ReadingRow;
use crate::venue::Venue;

/// Les dernières lectures du dehors.
pub(super) struct Sight {
    readings: Readings,
    /// Quand l'heure de la machine a été trouvée juste pour la dernière fois, ou pourquoi elle ne l'est pas.
    hour: Result<Moment, String>,
    /// Quand le compte réel a été rapproché des livres, et au bout de combien de temps cela ne vaut plus rien.
    compared_at: Option<Moment>,
    patience: Duration,
    /// Entre deux lectures qui font croire un cours.
    gap: Duration,
    /// Vrai quand une autre main a changé le compte réel, et que ses ordres ne sont pas encore regardés.
    unlooked: bool,
}

/// Tours après lesquels un rapprochement ne vaut plus rien pour compter.
const POLLS: u32 = 3;

impl Sight {
    /// Rien n'est lu.
    pub fn new(poll_interval: Duration, gap: Duration) -> Sight {
        Sight {
            readings: Readings::default(),
            hour: Err("not read yet".to_owned()),
            compared_at: None,
            patience: market::FRESH.max(poll_interval * POLLS),
            gap,
            unlooked: false,
        }
    }

    /// Relit le marché, puis l'heure ; ce qui n'a pas pu l'être garde sa lecture d'avant.
    pub async fn renewed(&self, exchange: &Exchange) -> Sight {
        let readings = exchange.refresh(self.readings.clone(), self.gap).await;
        let hour = exchange.check_clock().await;
        Sight { readings, hour, ..*self }
    }

    /// Vrai si un cours y a été lu depuis `before`, cru ou non : la bourse répond.
    pub fn is_newer_than(&self, before: &Sight) -> bool {
        self.readings.last_shown() > before.readings.last_shown()
    }

    /// Dans combien de temps relire un cours qui n'est pas encore cru ; `None` s'il n'y en a pas.
    pub fn second_reading(&self) -> Option<Duration> {
        self.readings.doubted().any(|doubted| doubted).then_some(self.gap)
    }

    /// Retient quand le compte a été rapproché des livres, et s'il faut d'abord en regarder les ordres.
    pub fn heed_comparison(&mut self, venue: &Venue) {
        (self.compared_at, self.unlooked) = (venue.compared_at(), venue.awaits_a_look());
    }

    /// Vrai s'il faut regarder les ordres du compte avant d'en rien conclure.
    pub fn is_unlooked(&self) -> bool {
        self.unlooked
    }

    /// Vrai si le rapprochement du compte et des livres vaut encore.
    pub fn is_compared(&self, now: Moment) -> bool {
        self.compared_at.is_some_and(|at| now.since(at) <= self.patience)
    }

    /// Ce sur quoi compter ce qu'une personne demande ; `None` sans cours de l'euro.
    pub fn footing(&self, now: Moment) -> Option<Footing> {
        let quotes = &self.readings.quotes;
        let prices = PerCoin::from_fn(|coin| market::fresh(&quotes[coin], now).map(Quote::mid));
        Some(Footing { rate: self.rate(now)?, prices, compared: self.is_compared(now) })
    }

    /// Pourquoi l'heure n'est pas tenue pour juste ; `None` si elle l'est.
    pub fn wrong_hour(&self) -> Option<String> {
        self.hour.as_ref().err().cloned()
    }

    /// Le marché de ces coins, à une heure juste ; sinon tout ce qui manque.
    pub fn known(&self, needed: PerCoin<bool>, now: Moment) -> Result<Market, Vec<Unknown>> {
        let market = self.readings.complete(needed, now);
        match self.doubted_hour(now) {
            None => market,
            Some(clock) => Err(market.err().into_iter().flatten().chain([clock]).collect()),
        }
    }

    /// Les paires lues depuis `since`, à une heure juste : un coin se vend sans rien savoir des autres.
    pub fn read_since(&self, since: Moment, now: Moment) -> Pairs {
        let pairs = match self.doubted_hour(now) {
            None => self.readings.pairs(now),
            Some(_) => Pairs::default(),
        };
        Pairs::new(PerCoin::from_fn(|coin| pairs.get(coin).filter(|_| self.has_read(coin, since)).cloned()))
    }

    /// Ce qui n'a pas été lu depuis `since`, des cours dont ce marché tient.
    pub fn unread(&self, market: &Market, since: Moment) -> Vec<Unknown> {
        let prices = self.readings.each().into_iter().take(Coin::ALL.len() + 1);
        let unread = prices.filter_map(|(what, at, failure)| {
            let at = at.filter(|at| *at < since && *at >= market.read_at)?;
            let reason = failure.unwrap_or("not read in the last poll").to_owned();
            Some(Unknown { what, reason, since: Some(at) })
        });
        unread.collect()
    }

    /// Vrai si le prix de ce coin a été lu depuis `since`.
    pub fn has_read(&self, coin: Coin, since: Moment) -> bool {
        self.readings.quotes[coin].as_ref().is_some_and(|quote| quote.at >= since)
    }

    /// Le cours de l'euro auquel compter de l'argent ; `None` s'il n'est pas frais ou l'heure pas juste.
    pub fn rate(&self, now: Moment) -> Option<Rate> {
        self.readings.rate(now).filter(|_| self.doubted_hour(now).is_none())
    }

    /// Ce qui manque à l'heure de la machine pour qu'on s'y fie : fausse, ou vérifiée il y a trop longtemps.
    fn doubted_hour(&self, now: Moment) -> Option<Unknown> {
        let (what, at, failure) = self.hour();
        market::missing(what, at, failure, now)
    }

    fn hour(&self) -> (String, Option<Moment>, Option<&str>) {
        let (at, failure) = (self.hour.as_ref().ok(), self.hour.as_ref().err());
        (market::CLOCK.to_owned(), at.copied(), failure.map(String::as_str))
    }

    /// Le prix auquel des frais en BNB comptent, s'il est frais.
    pub fn bnb_price(&self) -> Option<Price> {
        Some(market::fresh(&self.readings.quotes[Coin::Bnb], clock::now())?.mid())
    }

    /// Les lectures telles que le grand livre les garde pour les écrans.
    pub fn rows(&self) -> Vec<ReadingRow> {
        let readings = &self.readings;
        let quotes = readings.quotes.iter().map(|(_, quote)| quote).chain([&readings.euro]);
        let bid_asks = quotes.map(|quote| quote.as_ref().map(|quote| (quote.value.bid(), quote.value.ask())));
        let each = readings.each().into_iter().chain([self.hour()]);
        let doubted = readings.doubted().chain(std::iter::repeat(false));
        each.zip(bid_asks.chain(std::iter::repeat(None)).zip(doubted))
            .map(|((what, at, failure), (bid_ask, doubted))| ReadingRow {
                what,
                bid_ask,
                at,
                failure: failure.map(str::to_owned),
                doubted,
            })
            .collect()
    }
}
