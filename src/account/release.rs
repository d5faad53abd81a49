//! Ce qu'une personne dit d'un ordre qui l'attendait, après l'avoir regardé à la bourse.

use super::LiveAccount;
use super::doubts::{Finding, find, question};
use crate::clock;
use crate::domain::intent::State;
use crate::domain::money::Price;
use crate::domain::refusal::Refusal;
use crate::ledger::Outcome;

impl LiveAccount {
    /// Une personne a regardé cet ordre à la bourse. S'il y est, il est compté ; sinon il est tenu pour absent.
    ///
    /// # Errors
    /// La phrase à lui rendre quand l'ordre ne demande personne, ou que la bourse ne peut être interrogée.
    pub async fn release(&mut self, id: i64, bnb: Option<Price>) -> Result<String, Refusal> {
        let Some(intent) = self.ledger.with(move |db| db.intent(id)).await? else {
            return Err(Refusal::conflict("there is no such order"));
        };
        if intent.late {
            self.ledger.with(move |db| db.acknowledge_late(id)).await?;
            return Ok("acknowledged: purchases go on".to_owned());
        }
        let (Some(sent), State::Stuck) = (&intent.sent, intent.state) else {
            return Err(Refusal::conflict("this order does not wait for a person"));
        };
        let answer = question(&self.account, intent.coin, &sent.client_id).await;
        match find(&intent, answer, bnb) {
            Finding::Ended(order_id, outcome, at) => {
                self.end(&intent, Some(order_id), outcome, at).await?;
                Ok("the exchange has this order: it is in the books now".to_owned())
            }
            Finding::Absent => {
                let outcome = Outcome::ProvedAbsent("a person looked: it was never executed".to_owned());
                self.end(&intent, None, outcome, clock::now()).await?;
                Ok("the exchange does not know this order: it is taken as never executed".to_owned())
            }
            Finding::Open(_, reason) | Finding::Strange(_, reason) => {
                Err(Refusal::Unknown(format!("nothing was changed: {reason}")))
            }
        }
    }
}
