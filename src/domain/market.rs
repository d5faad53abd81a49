//! Ce qu'on sait de la bourse : les cours, le cours de l'euro, les règles de chaque paire.
//!
//! Inconnu n'est pas zéro. Une lecture ([`Reading`]) a un âge ; [`Readings::complete`] ne rend un
//! [`Market`] que si tout ce qu'il faut est là et frais. Un ordre demande sa [`Pair`], une évaluation celles de tout ce qui est
//! tenu : on ne peut pas décider sur un prix qu'on n'a pas.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::time::Duration;

use rust_decimal::{Decimal, dec};

use super::moment::Moment;
use super::money::{Price, Quantity, Rate, Usdc};

/// Au-delà, une lecture ne vaut plus rien pour décider.
pub const FRESH: Duration = Duration::from_secs(180);

/// Écart achat-vente au-delà duquel un carnet n'est pas un prix (5 % du milieu).
const SILLY_SPREAD: Decimal = dec!(0.05);

/// Les crypto-monnaies suivies, toutes contre USDC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coin {
    Bnb,
    Btc,
    Eth,
    Sol,
    Xrp,
}

impl Coin {
    /// Toutes, dans l'ordre de leur paire.
    pub const ALL: [Coin; 5] = [Coin::Bnb, Coin::Btc, Coin::Eth, Coin::Sol, Coin::Xrp];

    /// Le symbole de la paire à la bourse, et le nom dans l'API.
    pub fn pair(self) -> &'static str {
        match self {
            Coin::Bnb => "BNBUSDC",
            Coin::Btc => "BTCUSDC",
            Coin::Eth => "ETHUSDC",
            Coin::Sol => "SOLUSDC",
            Coin::Xrp => "XRPUSDC",
        }
    }

    /// L'actif lui-même, celui dans lequel un achat paie ses frais.
    pub fn asset(self) -> &'static str {
        &self.pair()[..3]
    }

    pub fn from_pair(pair: &str) -> Option<Coin> {
        Coin::ALL.into_iter().find(|coin| coin.pair() == pair)
    }

    /// Celle dont c'est l'actif, si on la suit.
    pub fn from_asset(asset: &str) -> Option<Coin> {
        Coin::ALL.into_iter().find(|coin| coin.asset() == asset)
    }

    /// Glissement simulé d'un ordre au marché : 0,02 % pour BTC et ETH, 0,05 % pour les autres
    /// (les valeurs du leader, pour que les deux simulations se comparent).
    pub fn slippage(self) -> Decimal {
        match self {
            Coin::Btc | Coin::Eth => dec!(0.0002),
            Coin::Bnb | Coin::Sol | Coin::Xrp => dec!(0.0005),
        }
    }
}

impl fmt::Display for Coin {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.pair())
    }
}

/// Une valeur par crypto-monnaie, pour toutes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PerCoin<T>([T; 5]);

impl<T> PerCoin<T> {
    pub fn from_fn(mut value: impl FnMut(Coin) -> T) -> Self {
        PerCoin(Coin::ALL.map(&mut value))
    }

    pub fn iter(&self) -> impl Iterator<Item = (Coin, &T)> {
        Coin::ALL.into_iter().zip(&self.0)
    }
}

impl PerCoin<bool> {
    /// Ceux qui en sont.
    pub fn chosen(&self) -> impl Iterator<Item = Coin> {
        Coin::ALL.into_iter().filter(|coin| self[*coin])
    }
}

impl<T> Index<Coin> for PerCoin<T> {
    type Output = T;
    fn index(&self, coin: Coin) -> &T {
        &self.0[coin as usize]
    }
}

impl<T> IndexMut<Coin> for PerCoin<T> {
    fn index_mut(&mut self, coin: Coin) -> &mut T {
        &mut self.0[coin as usize]
    }
}

/// Le sommet d'un carnet : meilleur achat, meilleure vente.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quote {
    bid: Price,
    ask: Price,
    /// Ce qui est à acheter et à vendre à ces prix ; zéro s'il n'est pas su.
    tops: [Quantity; 2],
}

impl Quote {
    /// Un carnet vide, croisé ou absurdement large n'est pas un prix.
    pub fn new(bid: Price, ask: Price) -> Result<Quote, String> {
        if !bid.is_positive() || !ask.is_positive() || ask > Price::new(dec!(1_000_000_000)) {
            return Err(format!("bid {bid} and ask {ask} are no price"));
        }
        let quote = Quote { bid, ask, tops: [Quantity::ZERO; 2] };
        if ask < bid || (ask - bid).decimal() > quote.mid().decimal() * SILLY_SPREAD {
            return Err(format!("bid {bid} and ask {ask} are too far apart to be a price"));
        }
        Ok(quote)
    }

    /// Le même, où tant est demandé au meilleur achat et offert à la meilleure vente.
    pub fn with_tops(self, bid: Quantity, ask: Quantity) -> Quote {
        Quote { tops: [bid, ask], ..self }
    }

    pub fn bid_quantity(self) -> Quantity {
        self.tops[0]
    }

    pub fn ask_quantity(self) -> Quantity {
        self.tops[1]
    }

    pub fn bid(self) -> Price {
        self.bid
    }

    pub fn ask(self) -> Price {
        self.ask
    }

    /// Le milieu, auquel une position est évaluée.
    pub fn mid(self) -> Price {
        (self.bid + self.ask).times(dec!(0.5))
    }
}

/// Les règles d'une paire pour un ordre au marché (`exchangeInfo`, filtres LOT_SIZE,
/// MARKET_LOT_SIZE, NOTIONAL ou MIN_NOTIONAL).
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Pourquoi la paire ne se négocie pas en ce moment ; `None` si elle se négocie.
    pub halted: Option<String>,
    pub step: Quantity,
    pub min_quantity: Quantity,
    pub max_quantity: Quantity,
    pub min_notional: Usdc,
    pub max_notional: Option<Usdc>,
    /// Le pas des prix limites (PRICE_FILTER), zéro s'il est éteint ; `None` si la paire n'en prend pas.
    pub tick: Option<Price>,
    /// Vrai si elle prend des ordres au marché, par montant ; sinon à un prix limite seulement.
    pub market: bool,
}

/// Ce qu'un ordre d'un coin demande de savoir : son carnet, ses règles.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub quote: Quote,
    pub rules: Rules,
}

impl Pair {
    /// Pourquoi aucun ordre n'y peut partir en ce moment ; `None` s'il en peut. Un plus grand ordre plus petit que le moindre n'est pas
    /// une règle qui dure.
    pub fn closed(&self) -> Option<String> {
        let Pair { quote, rules } = self;
        let worth = quote.ask() * rules.max_quantity;
        let largest = rules.max_notional.map_or(worth, |most| most.min(worth));
        let is_shut = largest < rules.min_notional || rules.max_quantity < rules.min_quantity;
        rules.halted.clone().or_else(|| is_shut.then(|| SHUT.to_owned()))
    }
}

/// Ce que l'on dit d'une paire dont le plus grand ordre est plus petit que le moindre.
const SHUT: &str = "its largest order is below its smallest";

/// De même, d'une paire où un plan n'échange rien.
const CLOSED: &str = "CLOSED";

/// Les paires connues et fraîches ; les autres manquent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs(PerCoin<Option<Pair>>);

impl Pairs {
    pub fn new(pairs: PerCoin<Option<Pair>>) -> Pairs {
        Pairs(pairs)
    }

    /// Toutes.
    pub fn all(mut pair: impl FnMut(Coin) -> Pair) -> Pairs {
        Pairs(PerCoin::from_fn(|coin| Some(pair(coin))))
    }

    pub fn get(&self, coin: Coin) -> Option<&Pair> {
        self.0[coin].as_ref()
    }

    /// Les mêmes, où rien ne s'échange de ces coins.
    pub fn closing(&self, is_closed: impl Fn(Coin) -> bool) -> Pairs {
        let closed = |coin: Coin| {
            let pair = self.get(coin)?.clone();
            let rules = Rules { halted: Some(CLOSED.to_owned()), ..pair.rules.clone() };
            Some(if is_closed(coin) { Pair { rules, ..pair } } else { pair })
        };
        Pairs(PerCoin::from_fn(closed))
    }

    /// Vrai si aucune n'est connue.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, pair)| pair.is_none())
    }

    /// Le milieu de son carnet, s'il est connu.
    pub fn mid(&self, coin: Coin) -> Option<Price> {
        self.get(coin).map(|pair| pair.quote.mid())
    }
}

/// Une valeur lue au dehors, et quand.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading<T> {
    pub value: T,
    pub at: Moment,
}

/// Un cours que le carnet a montré et qui n'est pas encore cru ([`super::belief`]) : il n'y en a alors pas.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubt {
    /// Le dernier qui l'a été.
    pub last: Option<Reading<Quote>>,
    /// La lecture qu'une seconde doit redire.
    pub first: Reading<Quote>,
}

/// Ce qui manque à une évaluation complète, pourquoi, et depuis quand on l'ignore.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    pub what: String,
    pub reason: String,
    /// Dernière fois qu'on l'a su ; `None` si on ne l'a jamais su.
    pub since: Option<Moment>,
}

/// Les dernières lectures, bonnes ou vieilles, et la dernière panne de chacune.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    pub quotes: PerCoin<Option<Reading<Quote>>>,
    pub euro: Option<Reading<Quote>>,
    pub rules: PerCoin<Option<Reading<Rules>>>,
    pub failures: Failures,
    /// Ce qui est montré sans être cru ; le cours, lui, manque.
    pub doubts: PerCoin<Option<Doubt>>,
    pub euro_doubt: Option<Doubt>,
    /// Le prix qu'un témoin a dit d'un carnet qui a été cru, le dernier de chacun, et quand ([`super::belief`]).
    pub anchors: PerCoin<Option<Reading<Price>>>,
    pub euro_anchor: Option<Reading<Price>>,
}

/// Pourquoi la dernière tentative n'a rien rendu, là où elle n'a rien rendu.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    pub quotes: PerCoin<Option<String>>,
    pub euro: Option<String>,
    pub rules: PerCoin<Option<String>>,
}

/// Le marché, connu et frais : tout ce dont on a besoin, et peut-être davantage.
#[derive(Clone, Debug, PartialEq)]
pub struct Market {
    pub pairs: Pairs,
    pub rate: Rate,
    /// L'instant du plus ancien de ces cours.
    pub read_at: Moment,
}

/// Le nom du cours de l'euro parmi les lectures.
pub const EURO: &str = "EUR rate";

/// Le nom de l'heure de la machine parmi les lectures.
pub const CLOCK: &str = "clock";

/// Le nom d'un cours parmi les lectures.
pub fn price_of(coin: Coin) -> String {
    format!("price {coin}")
}

/// Le nom des règles d'une paire parmi les lectures.
pub fn rules_of(coin: Coin) -> String {
    format!("rules {coin}")
}

/// Tout ce qu'une évaluation demande au dehors, l'heure comprise.
pub fn everything() -> Vec<String> {
    let prices = Coin::ALL.into_iter().map(price_of);
    let rules = Coin::ALL.into_iter().map(rules_of);
    prices.chain([EURO.to_owned()]).chain(rules).chain([CLOCK.to_owned()]).collect()
}

impl Readings {
    /// Le marché, si le cours de l'euro et la paire de chaque coin qu'il faut sont frais à `now` ; sinon ce qui manque. Un coin ni
    /// tenu ni visé n'a pas à être connu.
    pub fn complete(&self, needed: PerCoin<bool>, now: Moment) -> Result<Market, Vec<Unknown>> {
        let spare: Vec<String> = Coin::ALL
            .into_iter()
            .filter(|coin| !needed[*coin])
            .flat_map(|coin| [price_of(coin), rules_of(coin)])
            .collect();
        let unknown: Vec<Unknown> = self
            .each()
            .into_iter()
            .filter_map(|(what, at, failure)| missing(what, at, failure, now))
            .filter(|unknown| !spare.contains(&unknown.what))
            .collect();
        let pairs = self.pairs(now);
        // Ce dont on n'a pas besoin peut être d'avant.
        let known = Coin::ALL.into_iter().filter(|coin| needed[*coin] && pairs.get(*coin).is_some());
        let instants = known.map(|coin| instant(&self.quotes[coin])).chain([instant(&self.euro)]);
        let market = self.rate(now).zip(instants.flatten().min());
        match market {
            Some((rate, read_at)) if unknown.is_empty() => Ok(Market { pairs, rate, read_at }),
            _ => Err(unknown),
        }
    }

    /// Les paires dont le carnet et les règles sont frais à `now`.
    pub fn pairs(&self, now: Moment) -> Pairs {
        Pairs(PerCoin::from_fn(|coin| {
            let rules = self.rules[coin].as_ref().filter(|reading| is_fresh(reading.at, now))?;
            Some(Pair { quote: fresh(&self.quotes[coin], now)?, rules: rules.value.clone() })
        }))
    }

    /// Chaque lecture : son nom, son instant, sa panne en cours.
    pub fn each(&self) -> Vec<(String, Option<Moment>, Option<&str>)> {
        let prices = Coin::ALL
            .into_iter()
            .map(|coin| (price_of(coin), instant(&self.quotes[coin]), self.failures.quotes[coin].as_deref()));
        let rules = Coin::ALL
            .into_iter()
            .map(|coin| (rules_of(coin), instant(&self.rules[coin]), self.failures.rules[coin].as_deref()));
        let euro = (EURO.to_owned(), instant(&self.euro), self.failures.euro.as_deref());
        prices.chain([euro]).chain(rules).collect()
    }

    /// Chaque cours, dans l'ordre de [`Readings::each`] : vrai s'il est montré et n'est pas cru.
    pub fn doubted(&self) -> impl Iterator<Item = bool> {
        self.doubts.iter().map(|(_, doubt)| doubt).chain([&self.euro_doubt]).map(Option::is_some)
    }

    /// Quand un cours a été montré pour la dernière fois, cru ou non.
    pub fn last_shown(&self) -> Option<Moment> {
        let believed = self.quotes.iter().map(|(_, quote)| quote).chain([&self.euro]).filter_map(instant);
        let doubts = self.doubts.iter().map(|(_, doubt)| doubt).chain([&self.euro_doubt]);
        believed.chain(doubts.flatten().map(|doubt| doubt.first.at)).max()
    }

    /// Le cours de l'euro, s'il est frais.
    pub fn rate(&self, now: Moment) -> Option<Rate> {
        let quote = fresh(&self.euro, now)?;
        Some(Rate::new(quote.mid().decimal()))
    }
}

/// Le carnet, s'il est frais à `now`.
pub fn fresh(reading: &Option<Reading<Quote>>, now: Moment) -> Option<Quote> {
    reading.as_ref().filter(|reading| is_fresh(reading.at, now)).map(|reading| reading.value)
}

/// Ce qui manque, si la lecture faite à `at` n'est plus fraîche à `now` : pourquoi et depuis quand.
pub fn missing(what: String, at: Option<Moment>, failure: Option<&str>, now: Moment) -> Option<Unknown> {
    if at.is_some_and(|at| is_fresh(at, now)) {
        return None;
    }
    let reason = failure.unwrap_or(match at {
        Some(_) => "the last reading is older than 3 minutes",
        None => "not read yet",
    });
    Some(Unknown { what, reason: reason.to_owned(), since: at })
}

/// Ce qui manque, une fois par raison : une panne en cache souvent plusieurs.
pub fn told(unknown: &[Unknown]) -> String {
    let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
    for Unknown { what, reason, .. } in unknown {
        match by_reason.iter_mut().find(|(known, _)| known == reason) {
            Some((_, whats)) => whats.push(what),
            None => by_reason.push((reason, vec![what])),
        }
    }
    let parts = by_reason.iter().map(|(reason, whats)| format!("unknown {}: {reason}", whats.join(", ")));
    parts.collect::<Vec<_>>().join("; ")
}

/// Une lecture datée du futur (horloge reculée) n'est pas fraîche non plus, passé le même délai.
fn is_fresh(at: Moment, now: Moment) -> bool {
    now.since(at) <= FRESH && at.since(now) <= FRESH
}

fn instant<T>(reading: &Option<Reading<T>>) -> Option<Moment> {
    reading.as_ref().map(|reading| reading.at)
}
