//! Le balayage des ordres du compte : ceux d'autrui sont retenus, les nôtres crus finis sans exécution revus.
//!
//! Invariant : rien ne s'échange tant que le dernier balayage n'a pas tout lu et tout compté (`LiveAccount::scanned`).

use std::time::Duration;

use super::LiveAccount;
use super::doubts::question;
use crate::clock;
use crate::domain::execution::{self, Report};
use crate::domain::market::Coin;
use crate::domain::money::Price;
use crate::ledger::views::Intent;
use crate::ledger::{LedgerError, Outcome};

/// Entre deux balayages.
const EVERY: Duration = Duration::from_secs(3600);

/// Avant de refaire un balayage qui a manqué.
const RETRY: Duration = Duration::from_secs(60);

/// Les ordres finis sans exécution restent surveillés tant de temps.
const WATCHED: Duration = Duration::from_secs(7 * 24 * 3600);

/// Pages d'ordres lues d'un coup, au plus.
const PAGES: usize = 10;

/// Ce qui arrête un balayage.
enum Cut {
    /// Nos livres ne se lisent ou ne s'écrivent pas.
    Ledger(LedgerError),
    /// La bourse n'a pas tout dit, ou pas encore ; à redemander.
    Outside(String),
}

impl From<LedgerError> for Cut {
    fn from(error: LedgerError) -> Cut {
        Cut::Ledger(error)
    }
}

impl LiveAccount {
    /// Balaie quand c'est l'heure, et retient si tout est su, ou ce qui a manqué.
    pub(super) async fn scan(&mut self, bnb: Option<Price>) -> Result<(), LedgerError> {
        if self.next_scan > clock::instant() {
            return Ok(());
        }
        let scanned = match self.scan_orders(bnb).await {
            Ok(()) => Ok(()),
            Err(Cut::Outside(reason)) => Err(reason),
            Err(Cut::Ledger(error)) => return Err(error),
        };
        self.next_scan = clock::instant() + if scanned.is_ok() { EVERY } else { RETRY };
        self.scanned = scanned;
        Ok(())
    }

    /// Vrai si ce dont c'est l'heure demandera le prix du BNB : un ordre dont les frais ont été pris en BNB ne se compte
    /// pas sans lui.
    pub async fn wants_a_price(&self) -> Result<bool, LedgerError> {
        if !self.due_doubts().is_empty() {
            return Ok(true);
        }
        let since = clock::now().minus(WATCHED);
        let scans = self.next_scan <= clock::instant();
        Ok(scans && !self.ledger.with(move |db| db.unexecuted(since)).await?.is_empty())
    }

    /// S'arrête à la première panne, qui vaut pour la suite.
    async fn scan_orders(&mut self, bnb: Option<Price>) -> Result<(), Cut> {
        for coin in Coin::ALL {
            self.scan_coin(coin).await?;
        }
        self.look_for_late(bnb).await
    }

    /// Retient les ordres d'autrui depuis le dernier vu.
    async fn scan_coin(&mut self, coin: Coin) -> Result<(), Cut> {
        let mut mark = self.ledger.with(move |db| db.order_mark(coin)).await?;
        for _ in 0..PAGES {
            let page = match mark {
                // Ce qui précède le premier démarrage ne nous regarde pas.
                None => self.account.last_order(coin).await.map(|last| last.into_iter().collect()),
                Some(mark) => self.account.orders_from(coin, mark + 1).await,
            };
            let unread = |trouble| Cut::Outside(format!("the orders could not be read: {trouble}"));
            let reports: Vec<Report> = page.map_err(unread)?;
            let first = mark.is_none();
            let newest = reports.iter().map(|report| report.order_id).max();
            let seen = newest.or(mark).unwrap_or(0);
            let fresh = self
                .ledger
                .with(move |db| {
                    let mut foreign = Vec::new();
                    for report in reports.into_iter().filter(|_| !first) {
                        if !is_ours(&report, db.intent_named(&report.client_id)?) {
                            foreign.push(report);
                        }
                    }
                    db.keep_foreign(coin, &foreign, seen)
                })
                .await?;
            if fresh > 0 {
                log::warn!("foreign_orders coin={coin} count={fresh}");
            }
            if first || newest.is_none() {
                return Ok(());
            }
            mark = newest;
        }
        // Le balayage reprendra là.
        Err(Cut::Outside(format!("the account has more orders of {coin}, they are being read")))
    }

    /// Redemande les ordres crus sans exécution : une exécution apprise tard est comptée, et arrête les achats.
    async fn look_for_late(&mut self, bnb: Option<Price>) -> Result<(), Cut> {
        let since = clock::now().minus(WATCHED);
        let unexecuted = self.ledger.with(move |db| db.unexecuted(since)).await?;
        for intent in unexecuted {
            let (coin, Some(sent)) = (intent.coin, &intent.sent) else { continue };
            let answer = question(&self.account, coin, &sent.client_id).await;
            let unread = |trouble| Cut::Outside(format!("an order of {coin} could not be read: {trouble}"));
            let Some((report, executions)) = answer.map_err(unread)? else { continue };
            let order = report.order_id;
            match execution::fill(&report, &executions, bnb) {
                Ok(None) => {}
                Ok(Some(fill)) => {
                    log::error!("order_executed_late coin={coin} order={order}");
                    let (id, at) = (intent.id, report.at);
                    self.ledger.with(move |db| db.book(id, Some(order), &Outcome::Filled(fill), at)).await?;
                }
                Err(incomplete) => {
                    log::error!("order_executed_late coin={coin} order={order} not_booked={incomplete}");
                    let late = format!("order {order} of {coin} executed late, not booked: {incomplete}");
                    return Err(Cut::Outside(late));
                }
            }
        }
        Ok(())
    }
}

/// Un second ordre sous un de nos noms (une demande que le réseau a livrée deux fois) n'est pas le nôtre : nous n'en
/// avons envoyé qu'un.
fn is_ours(report: &Report, intent: Option<Intent>) -> bool {
    intent.is_some_and(|intent| intent.order_id.is_none_or(|ours| ours == report.order_id))
}
