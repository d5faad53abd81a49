//! Ce qui dit que ce grand livre n'est pas seul sur son compte, ou qu'il est plus vieux que lui.
//!
//! Un ordre qui porte son étiquette et qu'il ne connaît pas, ou connaît sous un autre numéro, vient d'une copie de lui ou
//! d'un passé qu'il a perdu ; celui d'un autre grand livre de ce programme, d'un passé qu'on oublie, ou qui échange
//! encore. Une copie ouverte sur une autre machine se voit plus tôt. Invariant : tant qu'une personne n'en a pas décidé,
//! rien ne part ; regardé au démarrage, à chaque balayage, et une fois encore avant le premier ordre de chaque signal.

use std::time::Duration;

use super::LiveAccount;
use super::berth::Berth;
use super::scan::Cut;
use crate::clock;
use crate::domain::execution::Report;
use crate::domain::market::Coin;
use crate::exchange::{Account, Trouble};
use crate::fetch::together;
use crate::ledger::{Bears, CROWDED, Db, ForeignOrder, LedgerError, OrderMark, Origin, Seen};

/// Milliers d'ordres lus d'un coup, au plus, de chaque paire.
const THOUSANDS: usize = 10;

/// De même tant que n'est pas lu tout ce qui était là à la première lecture : les cinq paires en sont là ensemble, et la
/// bourse compte.
const FIRST_THOUSANDS: usize = 1;

/// Les ordres d'une paire depuis le dernier vu.
struct News {
    reports: Vec<Report>,
    /// Il y en a d'autres, à lire plus tard.
    more: bool,
}

impl LiveAccount {
    /// Retient les ordres du compte que les livres n'ont pas, depuis le dernier vu de chaque paire ; rend ce qui a manqué à
    /// chacune.
    pub(super) async fn look_for_others(&mut self) -> Result<Vec<(Coin, Result<(), Cut>)>, LedgerError> {
        let looked = together(Coin::ALL.into_iter().map(|coin| self.look_at(coin))).await;
        self.weigh_evidence().await?;
        self.looked |= looked.iter().all(Result::is_ok);
        Ok(Coin::ALL.into_iter().zip(looked).collect())
    }

    async fn look_at(&self, coin: Coin) -> Result<(), Cut> {
        let mark = self.ledger.with(move |db| db.order_mark(coin)).await?;
        let News { reports, more } = match news(&self.account, coin, mark).await {
            // Une paire que la bourse ne connaît plus : aucun ordre n'y est plus à craindre, et les autres n'en attendent rien.
            Err(Trouble::UnknownSymbol(_)) => return Ok(()),
            read => read?,
        };
        let seen = self.ledger.with(move |db| db.see_orders(coin, &reports, more)).await?;
        tell(coin, seen);
        // Le balayage reprendra là.
        if more { Err(Cut::Unfinished) } else { Ok(()) }
    }

    /// Relit au grand livre les indices dont personne n'a décidé, la machine d'où il échangeait, et prend sa place sur celle-ci.
    pub(super) async fn weigh_evidence(&mut self) -> Result<(), LedgerError> {
        let here = self.machine.clone();
        let read = move |db: &mut Db| Ok((db.evidence()?, db.is_elsewhere(here.as_deref())?, db.tag()?));
        let (orders, elsewhere, tag) = self.ledger.with(read).await?;
        let elsewhere = elsewhere.then(|| ELSEWHERE.to_owned());
        let taken = self.is_taken(&tag).then(|| CROWDED.to_owned());
        // D'une copie qui tourne encore ici, rien ne se décide avant qu'elle ne s'arrête.
        let reason = taken.or_else(|| told(&orders)).or(elsewhere);
        if let Some(reason) = reason.as_ref().filter(|_| self.not_alone != reason) {
            log::error!("ledger_not_alone reason={reason:?}");
        }
        self.not_alone = reason;
        Ok(())
    }

    /// Vrai si une copie tient la place de ce grand livre ici ; la prend si elle est libre.
    fn is_taken(&mut self, tag: &str) -> bool {
        if self.keeps_berth && !self.berth.as_ref().is_some_and(|berth| berth.is_of(tag)) {
            self.berth = Berth::take(tag);
        }
        self.is_crowded()
    }

    /// Vrai si une copie tenait cette place quand elle a été demandée.
    pub(super) fn is_crowded(&self) -> bool {
        self.keeps_berth && self.berth.is_none()
    }

    /// Redemande la place qu'une copie tenait : ses ordres sont alors à regarder. Ce que le grand livre ne dit pas laisse fermé.
    pub(super) async fn claim_berth(&mut self) {
        if !self.is_crowded() {
            return;
        }
        if let Err(error) = self.weigh_evidence().await {
            log::error!("evidence_not_read error={error}");
        } else if self.berth.is_some() {
            self.next_scan = clock::instant();
        }
    }

    /// Regarde une fois encore, avant le premier ordre de ce signal, et de nouveau si ses ventes ont duré ; rend pourquoi rien ne doit
    /// partir.
    pub(super) async fn vouch_for(&mut self, signal: i64) -> Result<Option<String>, LedgerError> {
        let asked = clock::instant();
        if self.vouched.is_some_and(|(vouched, at)| vouched == signal && asked - at < VOUCHED) {
            return Ok(None);
        }
        for (coin, looked) in self.look_for_others().await? {
            if let Err(cut) = looked {
                // Dit fermé tant que ce n'est pas lu ; regardé de nouveau au tour suivant.
                let told = cut.told();
                self.unvouched = Some(format!(
                    "the orders of {coin} {told}; it is asked again by itself, at the next poll"
                ));
                return Ok(self.unvouched.clone());
            }
        }
        self.unvouched = None;
        if self.not_alone.is_none() {
            self.vouched = Some((signal, asked));
        }
        Ok(self.not_alone.clone())
    }

    /// D'où partent les ordres : le compte et la machine, que le premier lie au grand livre.
    pub(super) fn origin(&self) -> Origin {
        Origin { uid: self.uid, machine: self.machine.clone() }
    }
}

/// Ce que vaut un regard : le temps de vendre, à une bourse qui répond.
const VOUCHED: Duration = Duration::from_secs(2);

/// La phrase d'un grand livre qui échangeait d'une autre machine.
const ELSEWHERE: &str = "this ledger traded from another machine: say that the first one is off for good, or two copies of \
                         it will trade with the same money";

/// Depuis le premier de tous, à la première lecture : un passé d'ici peut être derrière mille ordres d'autrui.
async fn news(account: &Account, coin: Coin, mark: OrderMark) -> Result<News, Trouble> {
    let thousands = if mark.whole { THOUSANDS } else { FIRST_THOUSANDS };
    let (mut reports, mut last) = (Vec::new(), mark.last);
    for _ in 0..thousands {
        let page = account.orders_from(coin, last + 1).await?;
        let full = page.len() >= 1000;
        last = page.iter().map(|report| report.order_id).max().unwrap_or(last);
        reports.extend(page);
        if !full {
            return Ok(News { reports, more: false });
        }
    }
    Ok(News { reports, more: true })
}

fn tell(coin: Coin, Seen { foreign, evidence }: Seen) {
    if foreign > 0 {
        log::warn!("foreign_orders coin={coin} count={foreign}");
    }
    if evidence > 0 {
        log::error!("unknown_orders_under_our_name coin={coin} count={evidence}");
    }
}

/// Ce que disent ces indices, en une phrase ; `None` s'il n'y en a pas.
fn told(orders: &[ForeignOrder]) -> Option<String> {
    let ours: Vec<&ForeignOrder> = orders.iter().filter(|order| order.bears == Bears::OurTag).collect();
    let of = |orders: &[&ForeignOrder]| {
        let first = orders.first()?;
        let (count, side, coin) = (orders.len(), first.side.word(), first.coin);
        let s = if count == 1 { "" } else { "s" };
        let since = clock::utc(first.at);
        Some(format!("{count} order{s}, the first {side} {coin} {} of {since} UTC", first.client_id))
    };
    if let Some(orders) = of(&ours) {
        return Some(format!(
            "the account has orders under this ledger's name that it does not know ({orders}): this ledger is older than the \
             account, or a second copy of it trades; stop the other copy, then adopt them"
        ));
    }
    let others: Vec<&ForeignOrder> = orders.iter().collect();
    let orders = of(&others)?;
    Some(format!(
        "another ledger of calvalot trades, or traded, on this account ({orders}), and an account has one: put that ledger back \
         with calvalot restore, or stop it for good and leave its orders outside"
    ))
}
