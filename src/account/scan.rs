//! Le balayage des ordres du compte : ceux que les livres n'ont pas sont retenus ([`super::evidence`]), les nôtres crus
//! finis sans exécution revus.
//!
//! Invariant : rien ne s'échange tant que le dernier balayage n'a pas tout lu et tout compté (`LiveAccount::scanned`).

use std::time::Duration;

use super::LiveAccount;
use super::doubts::question;
use crate::clock;
use crate::domain::execution;
use crate::domain::money::Price;
use crate::ledger::{LedgerError, Outcome};

/// Entre deux balayages.
const EVERY: Duration = Duration::from_secs(3600);

/// Avant de refaire un balayage qui a manqué.
const RETRY: Duration = Duration::from_secs(60);

/// Les ordres finis sans exécution restent surveillés tant de temps.
const WATCHED: Duration = Duration::from_secs(7 * 24 * 3600);

/// Ce qui arrête un balayage.
pub(super) enum Cut {
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
        self.look_for_others().await?;
        self.look_for_late(bnb).await
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
