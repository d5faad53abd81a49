//! La lecture d'un carnet entier (`depth`).
//!
//! Invariant : un carnet dont une ligne ne se lit pas n'est pas un carnet.

use super::{Exchange, wire};
use crate::domain::depth::{Depth, Level};
use crate::domain::market::Coin;
use crate::domain::money::{Price, Quantity};
use crate::exchange::trouble::Trouble;
use crate::fetch::together;

/// Les niveaux d'un côté, au plus : ce que la bourse donne au moindre poids (5).
const LEVELS: usize = 100;

impl Exchange {
    /// Les carnets de ces coins, lus ensemble.
    pub async fn depths(&self, coins: &[Coin]) -> Vec<Result<Depth, Trouble>> {
        together(coins.iter().map(|coin| self.depth(*coin))).await
    }

    async fn depth(&self, coin: Coin) -> Result<Depth, Trouble> {
        let pair = coin.pair();
        let answer = self.get(&format!("/api/v3/depth?symbol={pair}&limit={LEVELS}")).await?;
        let unreadable = || Trouble::Failed(format!("the exchange's answer has no book of {pair}"));
        let depth: wire::Depth = wire::decoded(&answer.body).ok_or_else(unreadable)?;
        let (bids, asks) = levels(&depth.bids).zip(levels(&depth.asks)).ok_or_else(unreadable)?;
        Depth::new(bids, asks).ok_or_else(unreadable)
    }
}

fn levels(lines: &[Vec<String>]) -> Option<Vec<Level>> {
    let level = |line: &Vec<String>| {
        let [price, quantity, ..] = line.as_slice() else { return None };
        Some(Level { price: Price::parse(price).ok()?, quantity: Quantity::parse(quantity).ok()? })
    };
    lines.iter().map(level).collect()
}
