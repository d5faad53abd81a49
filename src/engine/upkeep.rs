//! Ce que le compte réel demande hors des tours : l'heure, les essais, les ordres d'autrui, le rapprochement.

use std::time::Duration;

use super::Engine;
use super::desk::{self, SCAN_EVERY, Scanned};
use super::resolve::question;
use super::venue::Venue;
use crate::binance::{AccountState, Balances, Silence, Trouble};
use crate::clock;
use crate::domain::execution::{self, Report};
use crate::domain::market::{Coin, PerCoin};
use crate::ledger::views::Intent;
use crate::ledger::{ClockReading, Held, LedgerError, Outcome, Outlook, Silenced};

/// Les ordres finis sans exécution restent surveillés tant de temps.
const WATCHED: Duration = Duration::from_secs(7 * 24 * 3600);

/// Avant de refaire un balayage qui a manqué.
const RETRY_SCAN: Duration = Duration::from_secs(60);

/// Pages d'ordres lues d'un coup, au plus.
const PAGES: usize = 10;

impl Engine {
    /// Reprend le silence que la bourse demandait avant le démarrage, et les ordres en doute.
    pub(super) async fn take_up(&mut self) -> Result<(), LedgerError> {
        let before = self.ledger.with(|db| db.exchange_state()).await?;
        if let Some(Silenced { status, from, until }) = before.silenced {
            self.exchange.keep_silent(Silence { status, from, until });
        }
        self.recover().await
    }

    /// Fait ce dont c'est l'heure. Rend vrai si un ordre en doute a fini : son signal peut être repris.
    pub(super) async fn tend(&mut self) -> Result<bool, LedgerError> {
        let Venue::Live(desk) = &self.venue else { return Ok(false) };
        let exchange = desk.account.exchange().clone();
        if exchange.needs_synchronising() && exchange.silence().is_none() {
            // Une mesure manquée se dit au tour, qui mesure aussi.
            self.obeying(async move { exchange.synchronise().await }).await.ok();
        }
        self.run_checks().await?;
        self.scan().await?;
        self.ask_doubtful().await
    }

    /// Refait la table des essais quand c'est l'heure, et ouvre ou ferme l'échange.
    async fn run_checks(&mut self) -> Result<(), LedgerError> {
        let Venue::Live(desk) = &self.venue else { return Ok(()) };
        if desk.gate.next > clock::instant() {
            return Ok(());
        }
        let examination = (desk.preflight)();
        let checks = self.obeying(examination).await;
        let (kept, now) = (checks.clone(), clock::now());
        self.ledger.with(move |db| db.keep_checks(&kept, now)).await?;
        let Venue::Live(desk) = &mut self.venue else { return Ok(()) };
        let before = desk.gate.closed.clone();
        desk.gate.judge(&checks);
        if desk.gate.closed != before {
            match &desk.gate.closed {
                Some(reason) => log::warn!("not_trading reason={reason:?}"),
                None => log::info!("trading_open"),
            }
        }
        Ok(())
    }

    /// Balaie les ordres du compte : ceux d'autrui sont retenus, les nôtres crus finis sans exécution revus.
    async fn scan(&mut self) -> Result<(), LedgerError> {
        let Venue::Live(desk) = &self.venue else { return Ok(()) };
        if desk.next_scan > clock::instant() {
            return Ok(());
        }
        let mut scanned = self.scan_coins().await?;
        if scanned.is_ok() {
            scanned = self.look_for_late().await?;
        }
        let Venue::Live(desk) = &mut self.venue else { return Ok(()) };
        desk.next_scan = clock::instant() + if scanned.is_ok() { SCAN_EVERY } else { RETRY_SCAN };
        desk.scanned = scanned;
        Ok(())
    }

    /// S'arrête à la première panne, qui vaut pour les suivants.
    async fn scan_coins(&mut self) -> Result<Scanned, LedgerError> {
        for coin in Coin::ALL {
            let scanned = self.scan_coin(coin).await?;
            if scanned.is_err() {
                return Ok(scanned);
            }
        }
        Ok(Ok(()))
    }

    async fn scan_coin(&mut self, coin: Coin) -> Result<Scanned, LedgerError> {
        let mut mark = self.ledger.with(move |db| db.order_mark(coin)).await?;
        for _ in 0..PAGES {
            let Venue::Live(desk) = &self.venue else { return Ok(Ok(())) };
            let account = desk.account.clone();
            let page = async move {
                match mark {
                    // Ce qui précède le premier démarrage ne nous regarde pas.
                    None => account.last_order(coin).await.map(|last| last.into_iter().collect()),
                    Some(mark) => account.orders_from(coin, mark + 1).await,
                }
            };
            let reports: Vec<Report> = match self.obeying(page).await {
                Ok(reports) => reports,
                Err(trouble) => return Ok(Err(format!("the orders could not be read: {trouble}"))),
            };
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
                return Ok(Ok(()));
            }
            mark = newest;
        }
        // Le balayage reprendra là.
        Ok(Err(format!("the account has more orders of {coin}, they are being read")))
    }

    /// Redemande les ordres crus sans exécution : une exécution apprise tard est comptée, et arrête les achats.
    async fn look_for_late(&mut self) -> Result<Scanned, LedgerError> {
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
            let (report, executions) = match answer {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                Err(trouble) => return Ok(Err(format!("an order of {coin} could not be read: {trouble}"))),
            };
            match execution::fill(&report, &executions, self.bnb_price()) {
                Ok(None) => {}
                Ok(Some(fill)) => {
                    log::error!("order_executed_late coin={coin} order={}", report.order_id);
                    let (id, order_id) = (intent.id, Some(report.order_id));
                    self.ledger
                        .with(move |db| db.book(id, order_id, &Outcome::Filled(fill), report.at))
                        .await?;
                }
                Err(incomplete) => {
                    let order = report.order_id;
                    return Ok(Err(format!(
                        "order {order} of {coin} executed late, not booked: {incomplete}"
                    )));
                }
            }
        }
        Ok(Ok(()))
    }

    /// Lit le compte et le rapproche du grand livre.
    pub(super) async fn read_account(&mut self) -> Result<(), LedgerError> {
        let Venue::Live(desk) = &self.venue else { return Ok(()) };
        let account = desk.account.clone();
        let state = self.obeying(async move { account.state().await }).await;
        self.reconcile(state).await
    }

    /// Retient ce que le compte tient, à côté de ce que disent les livres.
    pub(super) async fn reconcile(
        &mut self,
        state: Result<AccountState, Trouble>,
    ) -> Result<(), LedgerError> {
        let Venue::Live(desk) = &mut self.venue else { return Ok(()) };
        desk.account_read = Err("the account is not read yet".to_owned());
        let state = match state {
            Ok(state) => state,
            Err(trouble) => {
                desk.account_read = Err(format!("the account could not be read: {trouble}"));
                return Ok(());
            }
        };
        let (uid, now, balances) = (state.uid, clock::now(), held(&state.balances));
        let compared = self.ledger.with(move |db| {
            // Les soldes d'un autre compte ne diraient rien du nôtre.
            if !db.recognise_account(uid)? {
                return Ok(None);
            }
            db.reconcile(&balances, now)?;
            Ok(Some(db.holdings()?))
        });
        let compared = compared.await?;
        let Venue::Live(desk) = &mut self.venue else { return Ok(()) };
        let Some(holdings) = compared else {
            let other = "the key opens another account than the one this ledger began with";
            desk.account_read = Err(other.to_owned());
            return Ok(());
        };
        desk.shortage =
            holdings.map(|holdings| desk::shortage(&state.balances, &holdings)).unwrap_or_default();
        if state.can_trade {
            desk.account_read = Ok(());
        } else {
            desk.account_read = Err("the account may not trade".to_owned());
        }
        Ok(())
    }

    /// Garde pour les écrans, et pour après un redémarrage, ce que la bourse demande et l'état de l'échange.
    pub(super) async fn keep_outlook(&mut self) -> Result<(), LedgerError> {
        let silenced = self.exchange.silence();
        let clock = self.exchange.server_clock().map(|server| {
            let (lead, at) = server.measured();
            ClockReading { lead, margin: server.margin.as_millis() as i64, at }
        });
        let outlook = Outlook {
            silenced: silenced.map(|Silence { status, from, until }| Silenced { status, from, until }),
            clock,
            closed: self.closed(),
        };
        if self.outlook.as_ref() != Some(&outlook) {
            let kept = outlook.clone();
            self.ledger.with(move |db| db.keep_outlook(&kept)).await?;
            self.outlook = Some(outlook);
        }
        Ok(())
    }
}

/// Un second ordre sous un de nos noms (une demande que le réseau a livrée deux fois) n'est pas le nôtre : nous n'en
/// avons envoyé qu'un.
fn is_ours(report: &Report, intent: Option<Intent>) -> bool {
    intent.is_some_and(|intent| intent.order_id.is_none_or(|ours| ours == report.order_id))
}

/// Ce que le compte tient, libre et bloqué.
pub(super) fn held(balances: &Balances) -> Held {
    Held { usdc: balances.usdc.total(), coins: PerCoin::from_fn(|coin| balances.coins[coin].total()) }
}
