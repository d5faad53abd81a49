//! Ce que le capital permet de suivre du leader, tel qu'on le répond à qui le demande.
//!
//! Rien n'en est écrit et rien n'en est décidé. Invariant : le compte, qui essaie des dizaines de plans, n'est fait qu'une fois par marché,
//! allocation et capital, si souvent qu'on le demande ; ce qui n'est pas connu n'est jamais compté.

use super::sight::Sight;
use crate::clock;
use crate::domain::market::{self, Coin, Market, PerCoin};
use crate::domain::money::Weight;
use crate::domain::portfolio::Holdings;
use crate::domain::reach::{self, Reach};
use crate::domain::refusal::Refusal;
use crate::domain::signal::Target;
use crate::domain::survival::{self, DEAD};
use crate::ledger::{Db, Ledger, LedgerError};

/// Tout ce dont dépend la réponse.
#[derive(PartialEq)]
struct Question {
    target: Target,
    holdings: Holdings,
    market: Market,
    threshold: Weight,
}

/// La dernière question et sa réponse.
#[derive(Default)]
pub(super) struct Reckoning(Option<(Question, Option<Reach>)>);

impl Reckoning {
    /// Ce que le capital des livres permet de suivre, aux prix du moment. `Unknown` dit ce qui n'en est pas connu.
    pub async fn reach(
        &mut self,
        ledger: &Ledger,
        sight: &Sight,
        threshold: Weight,
    ) -> Result<Reach, Refusal> {
        let (target, holdings) = ledger.with(followed).await?.map_err(Refusal::Unknown)?;
        let held = holdings.held();
        let needed = PerCoin::from_fn(|coin: Coin| held[coin] || !target.weight(coin).is_zero());
        let missing = |missing: Vec<market::Unknown>| Refusal::Unknown(market::told(&missing));
        let market = sight.known(needed, clock::now()).map_err(missing)?;
        let too_little = || Refusal::Unknown("there is no capital to follow with".to_owned());
        self.answer(Question { target, holdings, market, threshold })
            .filter(|reach| !survival::is_low(reach.capital))
            .ok_or_else(too_little)
    }

    fn answer(&mut self, question: Question) -> Option<Reach> {
        if let Some((asked, answer)) = &self.0
            && *asked == question
        {
            return *answer;
        }
        let Question { target, holdings, market, threshold } = &question;
        let answer = reach::reach(target, holdings, market, *threshold);
        self.0 = Some((question, answer));
        answer
    }
}

/// L'allocation que le leader a dite en dernier, et ce qui la suit ; l'erreur de dedans dit ce qui n'en est pas connu.
fn followed(db: &mut Db) -> Result<Result<(Target, Holdings), String>, LedgerError> {
    if db.agent()?.dead {
        return Ok(Err(DEAD.to_owned()));
    }
    let weights = db.leader_target()?;
    if weights.iter().all(|(_, weight)| weight.is_none()) {
        return Ok(Err("the leader has not said an allocation yet".to_owned()));
    }
    let (Some(holdings), Some(cash)) = (db.holdings()?, db.cash()?) else {
        return Ok(Err("the budget is not booked yet".to_owned()));
    };
    let target = Target::new(PerCoin::from_fn(|coin| weights[coin].unwrap_or_default()));
    Ok(target.map(|target| (target, Holdings { cash: cash.followed(), ..holdings })))
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;
    use crate::domain::market::Pairs;
    use crate::domain::moment::Moment;
    use crate::domain::money::{Rate, Usdc};

    /// Tout en cash, de `usdc` : rien du marché n'en est demandé que le cours de l'euro.
    fn question(usdc: u32) -> Question {
        Question {
            target: Target::new(PerCoin::default()).expect("all in cash"),
            holdings: Holdings { cash: Usdc::new(usdc.into()), ..Holdings::default() },
            market: Market { pairs: Pairs::default(), rate: Rate::new(dec!(1.08)), read_at: Moment(0) },
            threshold: Weight::new(dec!(0.005)),
        }
    }

    #[test]
    fn the_same_question_is_never_reckoned_twice_and_another_always_is() {
        // Une réponse que le compte ne donnerait pas.
        let mut reckoning = Reckoning(Some((question(60), None)));
        assert_eq!(reckoning.answer(question(60)), None);
        let other = reckoning.answer(question(61)).expect("it is reckoned");
        assert!(other.capital.is_positive(), "{other:?}");
        assert!(reckoning.answer(question(60)).is_some());
    }
}
