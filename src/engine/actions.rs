//! Les actions de version 1 et l'allocation qui les accompagne : quand elles suffisent, quand elle se vise, quand elle les contredit.
//!
//! Invariant : ce qu'une action a fait n'est pas défait pour une allocation d'avant elle ; ce qu'elle n'a pas pu faire se vise.

use rust_decimal::dec;

use super::Engine;
use super::holdback::Holdback;
use super::story::Shown;
use crate::domain::aim::{self, Aim, Cause};
use crate::domain::market::PerCoin;
use crate::domain::money::Weight;
use crate::domain::order::{self, Side};
use crate::domain::portfolio::Valuation;
use crate::domain::signal::{Instruction, Target};
use crate::ledger::LedgerError;

/// De combien ce que mènent des actions peut différer de l'allocation qui les accompagne : frais, arrondis, prix de l'instant.
const OBEYED: Weight = Weight::new(dec!(0.01));

impl Engine {
    /// Vrai si les actions de la version 1 viennent d'être faites, toutes, et ont mené à son allocation, à peu près : elles seules
    /// décident alors. Ce que l'une n'a pas pu faire se vise, comme le reste d'une allocation.
    pub(super) async fn obeyed(
        &self,
        shown: &Shown,
        aim: &Aim,
        (target, valuation): (&Target, &Valuation),
    ) -> Result<bool, LedgerError> {
        let is_of_actions = matches!(shown.signal.instruction, Instruction::Actions(_));
        if !is_of_actions || aim.cause != Cause::Signal || aim.reached_at.is_some() {
            return Ok(false);
        }
        let is_near = aim::drift(target, valuation).is_none_or(|drift| drift <= OBEYED);
        let row = shown.named.row;
        let decisions = self.ledger.with(move |db| db.decisions(row)).await?;
        let are_done = decisions.iter().all(|decision| !order::is_obstacle(&decision.code));
        let leaves = aim::left_behind(target, valuation, self.manner.policy.threshold);
        Ok(is_near && are_done && leaves.is_empty())
    }

    /// Les coins dont ce signal vient de changer la part, et que son allocation remettrait où ils étaient ([`Signal::contradicted`]).
    pub(super) async fn contradicted(
        &self,
        shown: &Shown,
        target: &Target,
        valuation: &Valuation,
        missed: bool,
    ) -> Result<PerCoin<bool>, LedgerError> {
        if missed || !matches!(shown.signal.instruction, Instruction::Actions(_)) {
            return Ok(PerCoin::default());
        }
        let trades = self.trades_of(&shown.named.name).await?;
        let mut before = PerCoin::from_fn(|coin| valuation.weight(coin));
        for trade in &trades {
            let part = trade.amount.share_of(valuation.total);
            before[trade.coin] = match trade.side {
                Side::Buy => before[trade.coin] - part,
                Side::Sell => before[trade.coin] + part,
            };
        }
        let former = self.ledger.with(|db| db.former_target()).await?;
        Ok(shown.signal.contradicted(target, valuation, &before, &former))
    }
}

/// Ce qui se vise de cette allocation : ni ce que les actions qu'elle accompagne disent de garder ou de faire autrement, si rien n'a pu
/// manquer, ni ce dont une personne a réglé l'ordre, qui attend le signal suivant.
pub(super) fn effective(
    target: Target,
    shown: &Shown,
    aim: &Aim,
    missed: bool,
    (holdback, valuation): (&Holdback, &Valuation),
) -> Target {
    let target = if missed { target } else { shown.signal.held(target, valuation) };
    let target = target.keeping(&holdback.settled(), valuation);
    target.keeping(&aim.contradicted.unwrap_or_default(), valuation)
}
