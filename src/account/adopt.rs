//! Ce qu'une personne décide quand le grand livre n'est pas seul : adopter ce que le compte en sait, ou le laisser dehors.

use std::collections::BTreeSet;

use super::LiveAccount;
use super::held::WATCHED;
use crate::clock;
use crate::domain::book::Fill;
use crate::domain::cash;
use crate::domain::execution::{self, BnbPrice, Executions, Report};
use crate::domain::money::{Eur, Price, Rate, Usdc};
use crate::domain::movement::{Kind, Movement};
use crate::domain::order::Side;
use crate::domain::recourse::Hand;
use crate::domain::refusal::Refusal;
use crate::exchange::{Sighting, Trouble};
use crate::ledger::{Bears, Brought, Db, ForeignOrder};
use crate::logging::orders as told;

/// Un ordre à mettre aux livres, et ce qu'il a exécuté.
type Adopted = (Report, Option<Fill>);

/// Ce qu'une personne a décidé dans le passé perdu n'est pas à la bourse : elle regarde d'abord.
const PAUSED: &str = "orders of a past that this ledger had lost were adopted: what you decided in it (pause, sell all, deposits, \
                      withdrawals, differences) is not in the books; look at the cash and the positions, then resume";

/// De même quand il reste dehors.
const OUTSIDE: &str = "orders of a past that this ledger had lost were left outside: what they bought is not in the books, nor what you \
                       decided in it; look at the cash and the positions, then resume";

/// Ce qui a pu payer des ordres que le cash des livres ne paie pas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Money {
    /// Ce que le passé perdu avait versé.
    Deposited,
    /// Un ordre qui n'est pas encore dit, ou en doute : rien n'est inventé, seuls entrent ceux que le cash couvre.
    Awaited,
    /// Une vente qu'une personne a réglée et que la bourse peut dire encore : le reste est pris à ce qui est d'autrui, et se voit.
    Settled,
}

impl LiveAccount {
    /// Met aux livres, dans leur ordre, les ordres qui portent notre étiquette et qu'ils ne connaissent pas, comme la bourse
    /// les raconte, et met en pause. Ce qu'ils ont dépensé de plus que le cash est compté comme déposé : le passé perdu l'avait
    /// versé. Rend ce qui l'a été ; ceux qui l'ont été malgré un autre le restent.
    ///
    /// # Errors
    /// Quand il n'y en a pas, ou que la bourse ne peut pas dire tout de l'un d'eux.
    pub async fn adopt(&mut self, bnb: Option<Price>, rate: Option<Rate>) -> Result<Brought, Refusal> {
        let orders = self.ledger.with(|db| db.evidence()).await?;
        let ours: Vec<ForeignOrder> =
            orders.into_iter().filter(|order| order.bears == Bears::OurTag).collect();
        if ours.is_empty() {
            return Err(Refusal::conflict("no order under this ledger's name is unknown to it"));
        }
        let (mut told, mut left) = (Vec::new(), None);
        for order in &ours {
            match self.tell(order, bnb).await {
                Ok(adopted) => told.push(adopted),
                // Celui-là n'arrête pas les autres.
                Err(reason) => left = left.or(Some((order.order_id, reason))),
            }
        }
        let money = self.money(left.is_none()).await?;
        let all = told.len();
        let mut deposit = self.cover(&mut told, money, rate).await?;
        let mut brought = Brought::default();
        if left.is_none() && told.len() < all {
            let reason = "an order in doubt may have paid for it".to_owned();
            left = ours.get(told.len()).map(|order| (order.order_id, reason));
        }
        if !told.is_empty() {
            self.ledger.with(|db| db.suspend(PAUSED, clock::now())).await?;
        }
        for (report, fill) in told {
            let (id, booked, first) = (report.order_id, fill.clone(), deposit);
            let adopt = move |db: &mut Db| db.adopt(&report, booked.as_ref(), first.as_ref(), clock::now());
            match self.ledger.with(adopt).await {
                Ok(()) => {
                    brought.orders += 1;
                    brought.deposited += deposit.take().map_or(Eur::ZERO, |deposit| deposit.eur);
                    if let Some(fill) = &fill {
                        told::traded(fill);
                    }
                }
                Err(error) => left = left.or(Some((id, error.to_string()))),
            }
        }
        self.weigh_evidence().await?;
        let done = brought.orders;
        match left {
            None => Ok(brought),
            Some((id, reason)) => Err(Refusal::Unknown(format!(
                "order {id} could not be adopted, {done} were: {reason}; try again, or leave what is left of them outside"
            ))),
        }
    }

    /// Ce qui a pu payer des ordres que le cash des livres ne paie pas ; `whole` : la bourse les a tous dits.
    async fn money(&self, whole: bool) -> Result<Money, Refusal> {
        let since = clock::now().minus(WATCHED);
        let known = move |db: &mut Db| {
            let is_in_doubt = !db.doubtful()?.is_empty();
            let mut settled = false;
            for sale in db.unexecuted(since)? {
                let is_sale = sale.by_hand == Some(Hand::Settled) && sale.side == Side::Sell;
                settled |= is_sale && !sale.is_accounted() && db.settled_since(sale.id)?.is_nothing();
            }
            Ok((is_in_doubt, settled))
        };
        Ok(match self.ledger.with(known).await? {
            (true, _) => Money::Awaited,
            _ if !whole => Money::Awaited,
            (false, true) => Money::Settled,
            (false, false) => Money::Deposited,
        })
    }

    /// Ce qui est à compter comme déposé : ce que ces ordres ont dépensé de plus que le cash, si rien d'autre n'a pu le payer. Ceux
    /// qui doivent attendre en sont ôtés.
    async fn cover(
        &self,
        told: &mut Vec<Adopted>,
        money: Money,
        rate: Option<Rate>,
    ) -> Result<Option<Movement>, Refusal> {
        let cash =
            self.ledger.with(|db| db.holdings()).await?.map(|holdings| holdings.cash).unwrap_or_default();
        let seconds = self.under_names_that_served(told).await?;
        let fills = || told.iter().zip(&seconds).map(|((_, fill), second)| fill.as_ref().filter(|_| !second));
        let beyond = cash::beyond(cash, fills());
        match money {
            _ if !beyond.is_positive() => {}
            Money::Settled => {}
            Money::Awaited => {
                let covered = cash::after(cash, fills()).take_while(|cash| *cash >= Usdc::ZERO).count();
                told.truncate(covered);
            }
            Money::Deposited => {
                let unknown = || {
                    Refusal::Unknown(
                        "the EUR rate is not known now: nothing was adopted, try again".to_owned(),
                    )
                };
                let rate = rate.ok_or_else(unknown)?;
                return Ok(Some(Movement::of_euros(Kind::Deposit, beyond.to_eur(rate).ceil(2), rate)));
            }
        }
        Ok(None)
    }

    /// Pour chacun, vrai si un autre portait déjà son nom : une copie, ou le réseau qui a livré deux fois une demande. Rien n'avait
    /// été versé pour lui.
    async fn under_names_that_served(&self, told: &[Adopted]) -> Result<Vec<bool>, Refusal> {
        let names: Vec<String> = told.iter().map(|(report, _)| report.client_id.clone()).collect();
        let another = move |db: &mut Db| {
            let mut seen = BTreeSet::new();
            let is_another = |name: String| Ok(db.intent_named(&name)?.is_some() || !seen.insert(name));
            names.into_iter().map(is_another).collect()
        };
        Ok(self.ledger.with(another).await?)
    }

    /// Cet ordre, et ce qu'il a exécuté, comme la bourse les raconte.
    async fn tell(&mut self, order: &ForeignOrder, bnb: Option<Price>) -> Result<Adopted, String> {
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
        Ok((report, fill))
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
