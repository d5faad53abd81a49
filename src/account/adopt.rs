//! Ce qu'une personne décide quand le grand livre n'est pas seul : adopter ce que le compte en sait, ou le laisser dehors.

use super::LiveAccount;
use crate::clock;
use crate::domain::execution::{self, BnbPrice, Executions};
use crate::domain::money::Price;
use crate::domain::refusal::Refusal;
use crate::exchange::{Sighting, Trouble};
use crate::ledger::{Bears, ForeignOrder};
use crate::logging::orders as told;

/// Ce qu'une personne a décidé dans le passé perdu n'est pas à la bourse : elle regarde d'abord.
const PAUSED: &str = "orders of a past that this ledger had lost were adopted: what you decided in it (pause, sell all, deposits, \
                      withdrawals, differences) is not in the books; look at the cash and the positions, then resume";

/// De même quand il reste dehors.
const OUTSIDE: &str = "orders of a past that this ledger had lost were left outside: what they bought is not in the books, nor what you \
                       decided in it; look at the cash and the positions, then resume";

impl LiveAccount {
    /// Met aux livres, dans leur ordre, les ordres qui portent notre étiquette et qu'ils ne connaissent pas, comme la bourse
    /// les raconte, et met en pause. Rend combien ; ceux qui l'ont été malgré un autre le restent.
    ///
    /// # Errors
    /// Quand il n'y en a pas, ou que la bourse ne peut pas dire tout de l'un d'eux.
    pub async fn adopt(&mut self, bnb: Option<Price>) -> Result<usize, Refusal> {
        let orders = self.ledger.with(|db| db.evidence()).await?;
        let ours: Vec<ForeignOrder> =
            orders.into_iter().filter(|order| order.bears == Bears::OurTag).collect();
        if ours.is_empty() {
            return Err(Refusal::conflict("no order under this ledger's name is unknown to it"));
        }
        self.ledger.with(|db| db.suspend(PAUSED, clock::now())).await?;
        let (mut done, mut left) = (0, None);
        for order in &ours {
            match self.adopt_one(order, bnb).await {
                Ok(()) => done += 1,
                // Celui-là n'arrête pas les autres.
                Err(reason) => left = left.or(Some((order.order_id, reason))),
            }
        }
        self.weigh_evidence().await?;
        match left {
            None => Ok(done),
            Some((id, reason)) => Err(Refusal::Unknown(format!(
                "order {id} could not be adopted, {done} were: {reason}; try again, or leave what is left of them outside"
            ))),
        }
    }

    async fn adopt_one(&mut self, order: &ForeignOrder, bnb: Option<Price>) -> Result<(), String> {
        let (coin, order_id) = (order.coin, order.order_id);
        let said = |trouble: Trouble| trouble.to_string();
        let sighting = self.account.order_numbered(coin, order_id).await.map_err(said)?;
        let report = match sighting {
            Sighting::Seen(report) => report,
            Sighting::Archived => order.archived(),
            Sighting::Unseen => return Err("the exchange does not show it now".to_owned()),
        };
        let executions = match report.executed.is_zero() {
            true => Executions::default(),
            false => self.account.executions(coin, order_id).await.map_err(said)?,
        };
        let fill = execution::fill(&report, &executions, BnbPrice::or_unknown(bnb))
            .map_err(|incomplete| incomplete.to_string())?;
        let booked = fill.clone();
        let adopted = self.ledger.with(move |db| db.adopt(&report, booked.as_ref(), clock::now()));
        adopted.await.map_err(|error| error.to_string())?;
        if let Some(fill) = &fill {
            told::traded(fill);
        }
        Ok(())
    }

    /// Laisse dehors tous les ordres qui portent un nom d'ici et que les livres n'ont pas : le grand livre prend une autre
    /// étiquette. Rend combien.
    ///
    /// # Errors
    /// Quand il n'y en a pas.
    pub async fn disown(&mut self) -> Result<usize, Refusal> {
        if self.ledger.with(|db| db.evidence()).await?.is_empty() {
            return Err(Refusal::conflict("no order under a name of calvalot's is unknown to this ledger"));
        }
        let count = self.ledger.with(|db| db.disown(OUTSIDE, clock::now())).await?;
        self.weigh_evidence().await?;
        Ok(count)
    }

    /// Une personne dit que la machine d'avant est éteinte : le grand livre échange désormais d'ici.
    pub async fn move_here(&mut self) -> Result<(), Refusal> {
        let here = self.machine.clone();
        self.ledger.with(move |db| db.move_to(here.as_deref())).await?;
        Ok(self.weigh_evidence().await?)
    }
}
