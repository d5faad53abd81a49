//! Le balayage des ordres du compte : ceux d'autrui sont retenus, les nôtres crus finis sans exécution revus.
//!
//! Invariant : rien ne s'échange tant que le dernier balayage n'a pas tout lu et tout compté (`Desk::scanned`).

use std::time::Duration;

use super::Engine;
use super::resolve::question;
use super::venue::Venue;
use crate::clock;
use crate::domain::execution::{self, Report};
use crate::domain::market::Coin;
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

impl Engine {
    /// Balaie quand c'est l'heure, et retient si tout est su, ou ce qui a manqué.
    pub(super) async fn scan(&mut self) -> Result<(), LedgerError> {
        let Venue::Live(desk) = &self.venue else { return Ok(()) };
        if desk.next_scan > clock::instant() {
            return Ok(());
        }
        let scanned = match self.scan_orders().await {
            Ok(()) => Ok(()),
            Err(Cut::Outside(reason)) => Err(reason),
            Err(Cut::Ledger(error)) => return Err(error),
        };
        let Venue::Live(desk) = &mut self.venue else { return Ok(()) };
        desk.next_scan = clock::instant() + if scanned.is_ok() { EVERY } else { RETRY };
        desk.scanned = scanned;
        Ok(())
    }

    /// S'arrête à la première panne, qui vaut pour la suite.
    async fn scan_orders(&mut self) -> Result<(), Cut> {
        for coin in Coin::ALL {
            self.scan_coin(coin).await?;
        }
        self.look_for_late().await
    }

    /// Retient les ordres d'autrui depuis le dernier vu.
    async fn scan_coin(&mut self, coin: Coin) -> Result<(), Cut> {
        let mut mark = self.ledger.with(move |db| db.order_mark(coin)).await?;
        for _ in 0..PAGES {
            let Venue::Live(desk) = &self.venue else { return Ok(()) };
            let account = desk.account.clone();
            let page = async move {
                match mark {
                    // Ce qui précède le premier démarrage ne nous regarde pas.
                    None => account.last_order(coin).await.map(|last| last.into_iter().collect()),
                    Some(mark) => account.orders_from(coin, mark + 1).await,
                }
            };
            let unread = |trouble| Cut::Outside(format!("the orders could not be read: {trouble}"));
            let reports: Vec<Report> = self.obeying(page).await.map_err(unread)?;
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
    async fn look_for_late(&mut self) -> Result<(), Cut> {
        let since = clock::now().minus(WATCHED);
        let unexecuted = self.ledger.with(move |db| db.unexecuted(since)).await?;
        if !unexecuted.is_empty() && self.bnb_price().is_none() {
            // Au démarrage rien n'est lu encore ; des frais en BNB ne se comptent pas sans lui.
            self.refresh_market().await?;
        }
        for intent in unexecuted {
            let (Venue::Live(desk), Some(sent)) = (&self.venue, &intent.sent) else { continue };
            let (account, coin, name) = (desk.account.clone(), intent.coin, sent.client_id.clone());
            let answer = self.obeying(async move { question(&account, coin, &name).await }).await;
            let unread = |trouble| Cut::Outside(format!("an order of {coin} could not be read: {trouble}"));
            let Some((report, executions)) = answer.map_err(unread)? else { continue };
            let order = report.order_id;
            match execution::fill(&report, &executions, self.bnb_price()) {
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
