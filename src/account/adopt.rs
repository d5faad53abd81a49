//! Ce qu'une personne décide quand le grand livre n'est pas seul : adopter ce que le compte en sait, ou le laisser dehors.

use std::collections::BTreeSet;

use super::LiveAccount;
use super::held::WATCHED;
use super::question::{Finding, find, question};
use crate::clock;
use crate::domain::execution::{self, BnbPrice, Executions};
use crate::domain::lost_past::{self, Brought, LostOrder, LostPast, Payer};
use crate::domain::money::{Price, Rate, Usdc};
use crate::domain::portfolio::Holdings;
use crate::domain::recourse::Hand;
use crate::domain::refusal::Refusal;
use crate::exchange::{Sighting, Trouble};
use crate::ledger::{Bears, CROWDED, Db, ForeignOrder, Outcome};
use crate::logging::orders as told;

/// Ce qu'une personne a décidé dans le passé perdu n'est pas à la bourse : elle regarde d'abord.
const PAUSED: &str = "orders of a past that this ledger had lost were adopted: what you decided in it (pause, sell all, stop loss, \
                      deposits, withdrawals, differences) is not in the books; look at the cash and the positions, then resume";

/// De même quand rien n'était perdu : ces ordres portaient un nom qui avait déjà servi.
const SECONDS: &str = "orders under names that had served already were adopted: look at the cash and the positions, then resume";

/// De même quand il reste dehors.
const OUTSIDE: &str = "orders of a past that this ledger had lost were left outside: what they bought is not in the books, nor what you \
                       decided in it; look at the cash and the positions, then resume";

impl LiveAccount {
    /// Met aux livres, dans leur ordre, les ordres qui portent notre étiquette et qu'ils ne connaissent pas, comme la bourse
    /// les raconte, et met en pause. Ce qu'ils ont dépensé de plus que le cash est compté comme déposé : le passé perdu l'avait
    /// versé. Rend ce qui l'a été ; ceux qui l'ont été malgré un autre le restent.
    ///
    /// # Errors
    /// Quand il n'y en a pas, qu'une copie tourne encore ici, ou que la bourse ne peut pas dire tout de l'un d'eux.
    pub async fn adopt(&mut self, bnb: Option<Price>, rate: Option<Rate>) -> Result<Brought, Refusal> {
        self.is_alone_here().await?;
        let orders = self.ledger.with(|db| db.evidence()).await?;
        let ours: Vec<ForeignOrder> =
            orders.into_iter().filter(|order| order.bears == Bears::OurTag).collect();
        if ours.is_empty() {
            return Err(Refusal::conflict("no order under this ledger's name is unknown to it"));
        }
        let (mut told, mut left) = (Vec::new(), None);
        for order in &ours {
            match self.tell(order, bnb).await {
                Ok(lost) => told.push(lost),
                // Celui-là n'arrête pas les autres.
                Err(reason) => left = left.or(Some((order.order_id, reason))),
            }
        }
        self.mark_seconds(&mut told).await?;
        let payer = self.payer(left.is_none(), bnb).await?;
        let mut past = LostPast::of(told);
        // Une ouverture ne se compte pas pour rien.
        let holdings = if past.is_empty() { Holdings::default() } else { self.opened(rate).await? };
        let beyond = past.beyond(&holdings);
        let deposit = match (payer, beyond) {
            (Payer::Deposit, beyond) if beyond.is_positive() => {
                Some(lost_past::deposit(beyond, rate.ok_or_else(unknown_rate)?))
            }
            (Payer::Awaited, _) => {
                if let Some(unpaid) = past.keep_paid(&holdings) {
                    let reason = "the outcome of an order in doubt, which may have paid for it, comes first"
                        .to_owned();
                    left = left.or(Some((unpaid.report.order_id, reason)));
                }
                None
            }
            _ => None,
        };
        let brought = Brought {
            orders: past.orders().len(),
            deposited: deposit.as_ref().map(|deposit| deposit.eur).unwrap_or_default(),
            of_others: if payer == Payer::Settled { beyond } else { Usdc::ZERO },
            unread: self.unread_coins,
        };
        if !past.is_empty() {
            let adopted = past.clone();
            let reason = if past.orders().iter().all(|order| order.second) { SECONDS } else { PAUSED };
            let adopt = move |db: &mut Db| db.adopt(&adopted, deposit.as_ref(), reason, clock::now());
            self.ledger.with(adopt).await?;
        }
        past.orders().iter().filter_map(|order| order.fill.as_ref()).for_each(told::traded);
        self.weigh_evidence().await?;
        let done = brought.orders;
        match left {
            None => Ok(brought),
            Some((id, reason)) => Err(Refusal::Unknown(format!(
                "order {id} could not be adopted, {done} were: {reason}; try again, or leave what is left of them outside"
            ))),
        }
    }

    /// Ce que tiennent les livres ; une copie d'avant l'ouverture est ouverte au capital voulu, que le passé perdu avait.
    async fn opened(&self, rate: Option<Rate>) -> Result<Holdings, Refusal> {
        if let Some(holdings) = self.ledger.with(|db| db.holdings()).await? {
            return Ok(holdings);
        }
        let rate = rate.ok_or_else(unknown_rate)?;
        let opened = self.ledger.with(move |db| {
            db.book_opening(rate, None, clock::now())?;
            db.holdings()
        });
        Ok(opened.await?.unwrap_or_default())
    }

    /// Ce qui a pu payer des ordres que le cash des livres ne paie pas ; `whole` : la bourse les a tous dits.
    async fn payer(&self, whole: bool, bnb: Option<Price>) -> Result<Payer, Refusal> {
        let since = clock::now().minus(WATCHED);
        let known = move |db: &mut Db| {
            let mut settled = db.unexecuted(since)?;
            settled.retain(|intent| intent.by_hand == Some(Hand::Settled) && !intent.accounted);
            let mut unpaid = Vec::new();
            for intent in settled {
                // Ce qu'elle a changé n'est aux livres par rien.
                if db.settled_since(intent.id)?.is_nothing() {
                    unpaid.push(intent);
                }
            }
            Ok((!db.doubtful()?.is_empty(), unpaid))
        };
        let (is_in_doubt, settled) = self.ledger.with(known).await?;
        let mut payer = if is_in_doubt || !whole { Payer::Awaited } else { Payer::Deposit };
        for intent in settled {
            let Some(sent) = &intent.sent else { continue };
            let told = question(&self.account, &intent, &sent.client_id).await;
            match find(&intent, told, BnbPrice::or_unknown(bnb)) {
                Finding::Absent
                | Finding::Ended(_, Outcome::Unprocessed(_), _)
                | Finding::Strange(None, _) => {}
                Finding::Strange(Some(_), _) => payer = payer.with(false, intent.side),
                // Le balayage la comptera, ou la bourse ne répond pas.
                Finding::Ended(..) | Finding::Open(..) => payer = Payer::Awaited,
            }
        }
        Ok(payer)
    }

    /// Marque ceux dont un autre portait déjà le nom : une copie, ou le réseau qui a livré deux fois une demande.
    async fn mark_seconds(&self, orders: &mut [LostOrder]) -> Result<(), Refusal> {
        let names: Vec<String> = orders.iter().map(|order| order.report.client_id.clone()).collect();
        let another = move |db: &mut Db| {
            let mut seen = BTreeSet::new();
            let is_another = |name: String| Ok(db.intent_named(&name)?.is_some() || !seen.insert(name));
            names.into_iter().map(is_another).collect()
        };
        let seconds: Vec<bool> = self.ledger.with(another).await?;
        for (order, second) in orders.iter_mut().zip(seconds) {
            order.second = second;
        }
        Ok(())
    }

    /// Cet ordre, et ce qu'il a exécuté, comme la bourse les raconte.
    async fn tell(&mut self, order: &ForeignOrder, bnb: Option<Price>) -> Result<LostOrder, String> {
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
        Ok(LostOrder { report, fill, ends: None, second: false })
    }

    /// Laisse dehors tous les ordres qui portent un nom d'ici et que les livres n'ont pas : le grand livre prend une autre
    /// étiquette. Rend combien.
    ///
    /// # Errors
    /// Quand il n'y en a pas, ou qu'une copie tourne encore ici.
    pub async fn disown(&mut self) -> Result<usize, Refusal> {
        self.is_alone_here().await?;
        if self.ledger.with(|db| db.evidence()).await?.is_empty() {
            return Err(Refusal::conflict("no order under a name of calvalot's is unknown to this ledger"));
        }
        let count = self.ledger.with(|db| db.disown(OUTSIDE, clock::now())).await?;
        self.weigh_evidence().await?;
        Ok(count)
    }

    /// Une personne dit que la machine d'avant est éteinte : le grand livre échange désormais d'ici.
    ///
    /// # Errors
    /// Quand une copie tourne encore ici.
    pub async fn move_here(&mut self) -> Result<(), Refusal> {
        self.is_alone_here().await?;
        let here = self.machine.clone();
        self.ledger.with(move |db| db.move_to(here.as_deref())).await?;
        Ok(self.weigh_evidence().await?)
    }

    /// Refuse tant qu'une copie tourne encore sur cette machine : à deux, ils échangeraient le même argent.
    async fn is_alone_here(&mut self) -> Result<(), Refusal> {
        self.weigh_evidence().await?;
        if self.is_crowded() { Err(Refusal::conflict(CROWDED)) } else { Ok(()) }
    }
}

fn unknown_rate() -> Refusal {
    Refusal::Unknown("the EUR rate is not known now: nothing was adopted, try again".to_owned())
}
