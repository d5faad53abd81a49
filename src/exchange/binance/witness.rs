//! Ce qui dit si un carnet est un prix : le prix moyen que la bourse publie, les derniers échanges.
//!
//! N'en décide pas : [`belief`] dit quel témoin entendre, et ce qu'il prouve. Invariant : un cours qui n'est pas cru n'en
//! remplace pas un autre, il l'ôte.

use std::time::Duration;

use super::{EURO, EURO_RANGE, Exchange, wire};
use crate::domain::belief::{self, Claim, Ruling, Testimony, Witness};
use crate::domain::market::{Coin, Doubt, PerCoin, Quote, Reading, Readings};
use crate::domain::money::{Price, Rate};
use crate::domain::survival::Averages;
use crate::exchange::trouble::Trouble;

/// Combien d'échanges disent le prix : le milieu de cinq ne tient pas à l'un d'eux.
const TRADES: usize = 5;

/// Ce qu'une lecture d'un carnet a donné.
pub(super) enum Judged {
    /// Et ce qu'un témoin en a dit, s'il l'a fallu.
    Believed(Reading<Quote>, Option<Reading<Price>>),
    Doubted(Doubt, String),
    Unread(String),
}

impl Judged {
    /// Retient ce qui a été lu ; ce qui n'est pas cru ôte le cours d'avant.
    pub(super) fn keep(
        self,
        quote: &mut Option<Reading<Quote>>,
        doubt: &mut Option<Doubt>,
        anchor: &mut Option<Reading<Price>>,
        failure: &mut Option<String>,
    ) {
        match self {
            Judged::Believed(believed, said) => {
                (*quote, *doubt, *failure) = (Some(believed), None, None);
                if said.is_some() {
                    *anchor = said;
                }
            }
            Judged::Doubted(first, reason) => (*quote, *doubt, *failure) = (None, Some(first), Some(reason)),
            Judged::Unread(reason) => *failure = Some(reason),
        }
    }
}

impl Exchange {
    /// Juge ce que montre le carnet de `symbol` ; n'entend un témoin que s'il le faut.
    pub(super) async fn judged(
        &self,
        symbol: &'static str,
        shown: Result<Reading<Quote>, String>,
        readings: &Readings,
        gap: Duration,
    ) -> (&'static str, Judged) {
        let shown = match shown {
            Ok(shown) => shown,
            Err(reason) => return (symbol, Judged::Unread(reason)),
        };
        let (quote, doubt, anchor, near) = match Coin::from_pair(symbol) {
            Some(coin) => {
                (&readings.quotes[coin], &readings.doubts[coin], &readings.anchors[coin], belief::NEAR)
            }
            None => (&readings.euro, &readings.euro_doubt, &readings.euro_anchor, belief::NEAR_EURO),
        };
        let claim = Claim {
            pair: symbol,
            shown: &shown,
            last: quote.as_ref().or(doubt.as_ref().and_then(|doubt| doubt.last.as_ref())),
            anchor: anchor.as_ref(),
            first: doubt.as_ref().map(|doubt| &doubt.first),
            near,
            gap,
        };
        let mut heard = Testimony::default();
        let judged = loop {
            match claim.rule(&heard) {
                Ruling::Believed(said) => {
                    let at = shown.at;
                    break Judged::Believed(shown, said.map(|value| Reading { value, at }));
                }
                Ruling::Doubted(reason) => break Judged::Doubted(claim.doubt(), reason),
                Ruling::Ask(Witness::Average) => heard.average = Some(said(self.average(symbol).await)),
                Ruling::Ask(Witness::Trades) => heard.trades = Some(said(self.last_trades(symbol).await)),
            }
        };
        (symbol, judged)
    }

    /// Les prix moyens de ces coins et de l'euro. S'il en manque un, il n'y en a aucun.
    pub async fn averages(&self, coins: &[Coin]) -> Result<Averages, Trouble> {
        let rate = self.average(EURO).await?;
        if !EURO_RANGE.contains(&rate.decimal()) {
            return Err(Trouble::Failed(format!("{rate} USDC for one euro is no exchange rate")));
        }
        let mut averages = Averages { coins: PerCoin::default(), rate: Rate::new(rate.decimal()) };
        for coin in coins {
            averages.coins[*coin] = Some(self.average(coin.pair()).await?);
        }
        Ok(averages)
    }

    async fn average(&self, symbol: &str) -> Result<Price, Trouble> {
        let answer = self.get(&format!("/api/v3/avgPrice?symbol={symbol}")).await?;
        let price = wire::decoded::<wire::AveragePrice>(&answer.body)
            .and_then(|average| Price::parse(&average.price).ok().filter(|price| price.is_positive()));
        price
            .ok_or_else(|| Trouble::Failed(format!("the exchange's answer has no average price of {symbol}")))
    }

    async fn last_trades(&self, symbol: &str) -> Result<Vec<Price>, Trouble> {
        let answer = self.get(&format!("/api/v3/trades?symbol={symbol}&limit={TRADES}")).await?;
        let unreadable =
            || Trouble::Failed(format!("the exchange's answer has no list of trades of {symbol}"));
        let trades: Vec<wire::PublicTrade> = wire::decoded(&answer.body).ok_or_else(unreadable)?;
        let price =
            |trade: wire::PublicTrade| Price::parse(&trade.price).ok().filter(|price| price.is_positive());
        trades.into_iter().map(price).collect::<Option<Vec<Price>>>().ok_or_else(unreadable)
    }
}

fn said<T>(heard: Result<T, Trouble>) -> Result<T, String> {
    heard.map_err(|trouble| trouble.to_string())
}
