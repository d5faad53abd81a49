//! Ce qu'une personne fait d'un ordre qui l'attendait : elle a regardé la bourse, et elle en finit.
//!
//! Invariant : de ce qui demande une personne, il y a toujours une sortie qui ne dépend pas de la bourse.

use super::LiveAccount;
use super::doubts::corroborate;
use super::question::{Finding, find, question};
use crate::clock;
use crate::domain::by_hand::{Asked, ByHand};
use crate::domain::execution::BnbPrice;
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::Price;
use crate::domain::recourse::Way;
use crate::domain::refusal::Refusal;
use crate::ledger::views::Intent;
use crate::ledger::{LedgerError, Outcome};

/// Ce qu'une personne décide d'un ordre.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Le demander une fois encore, ou dire vue une exécution apprise tard.
    Release,
    /// Le booker ainsi.
    Book(ByHand),
    /// Le finir sans rien booker.
    Settle,
}

impl LiveAccount {
    /// Fait ce qu'une personne a décidé de cet ordre ; rend ce qu'il en est advenu.
    ///
    /// # Errors
    /// La phrase à lui rendre quand l'ordre ne demande personne, que ses chiffres ne peuvent pas être les siens, ou que la
    /// bourse ne décide rien.
    pub async fn decide(
        &mut self,
        id: i64,
        decision: Decision,
        bnb: Option<Price>,
    ) -> Result<String, Refusal> {
        let Some(intent) = self.ledger.with(move |db| db.intent(id)).await? else {
            return Err(Refusal::conflict("there is no such order"));
        };
        let ways = intent.case(clock::now()).ways();
        let told = match decision {
            Decision::Release if ways.contains(&Way::Acknowledge) => {
                self.ledger.with(move |db| db.acknowledge_late(id)).await?;
                "acknowledged: purchases go on".to_owned()
            }
            Decision::Release if ways.contains(&Way::Release) => self.release(&intent, bnb).await?,
            Decision::Book(typed) if ways.contains(&Way::Book) => self.book(&intent, &typed, bnb).await?,
            Decision::Settle if ways.contains(&Way::Settle) => {
                self.end(&intent, None, Outcome::Settled, clock::now()).await?;
                "settled: nothing was booked, and its coin is left until the next signal".to_owned()
            }
            _ => return Err(Refusal::conflict("this order does not wait for a person in that way")),
        };
        self.unbooked.release(id);
        self.unread.release(id);
        Ok(told)
    }

    /// S'il est à la bourse, il est compté ; sinon il est tenu pour absent.
    async fn release(&mut self, intent: &Intent, bnb: Option<Price>) -> Result<String, Refusal> {
        let Some(sent) = &intent.sent else {
            return Err(Refusal::conflict("this order was never sent"));
        };
        let answer = question(&self.account, intent, &sent.client_id).await;
        let else_ = "book it as the page of the exchange shows it, or settle it";
        match find(intent, answer, BnbPrice::or_unknown(bnb)) {
            Finding::Ended(order_id, outcome, at) => {
                let told = match outcome {
                    Outcome::Unprocessed(_) => "the order ended and exchanged nothing: nothing was booked",
                    _ => "the exchange has this order: it is in the books now",
                };
                self.released(intent, order_id, outcome, at).await?;
                Ok(told.to_owned())
            }
            Finding::Absent => {
                // Ce que la bourse montre d'un côté ne se tient pas pour absent parce qu'elle l'ignore de l'autre.
                let stamped_at = sent.stamped_at;
                let traces = corroborate(&self.account, intent.coin, &sent.client_id, stamped_at).await;
                if let Err(trace) = traces {
                    return Err(Refusal::Unknown(format!(
                        "nothing was changed: the exchange says that it does not know this order, and {trace}; try again, or \
                         look at it on the exchange and {else_}"
                    )));
                }
                let outcome = Outcome::ProvedAbsent("a person looked: it was never executed".to_owned());
                self.released(intent, None, outcome, clock::now()).await?;
                Ok("the exchange does not know this order: it is taken as never executed".to_owned())
            }
            Finding::Open(_, reason) => Err(Refusal::Unknown(format!(
                "nothing was changed: {reason}; try again, or look at it on the exchange and {else_}"
            ))),
            Finding::Strange(_, reason) => Err(Refusal::Conflict(format!(
                "nothing was changed, what the exchange tells cannot be counted: {reason}; {else_}"
            ))),
        }
    }

    /// Écrit la fin d'un ordre libéré : qui l'a libéré l'a regardé.
    async fn released(
        &mut self,
        intent: &Intent,
        order_id: Option<i64>,
        outcome: Outcome,
        at: Moment,
    ) -> Result<(), LedgerError> {
        self.end(intent, order_id, outcome, at).await?;
        if intent.late {
            let id = intent.id;
            self.ledger.with(move |db| db.acknowledge_late(id)).await?;
        }
        Ok(())
    }

    async fn book(&mut self, intent: &Intent, typed: &ByHand, bnb: Option<Price>) -> Result<String, Refusal> {
        let (coin, now) = (intent.coin, clock::now());
        let prices = self.ledger.with(move |db| Ok(db.outside(now)?.prices)).await?;
        let paid_in = Coin::ALL.into_iter().find(|coin| coin.asset() == typed.fee_asset);
        let fee_price = paid_in.and_then(|coin| prices[coin]);
        let asked = Asked { coin, side: intent.side, size: intent.size };
        let fill = typed
            .fill(asked, prices[coin], fee_price, BnbPrice::or_unknown(bnb))
            .map_err(Refusal::Conflict)?;
        // L'heure où il est parti : c'est celle que la bourse lui donne, à peu près.
        let at = intent.sent.as_ref().map_or(now, |sent| sent.stamped_at);
        self.end(intent, None, Outcome::BookedByHand(fill), at).await?;
        Ok("booked by hand: it is in the books as you entered it".to_owned())
    }
}
