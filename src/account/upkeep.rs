//! Ce que le compte réel demande hors des ordres : l'heure, les essais, le rapprochement.

use super::LiveAccount;
use super::comeback::Heard;
use crate::clock;
use crate::domain::market::{Coin, Market};
use crate::domain::reconcile::{Line, Reconciliation};
use crate::exchange::{AccountState, OTHER_ACCOUNT, Trouble};
use crate::ledger::{Db, LedgerError};
use crate::logging::orders as told;

impl LiveAccount {
    /// Mesure l'heure de la bourse quand il le faut. Une mesure qui manque est dite une fois : la précédente sert encore.
    pub(super) async fn measure_hour(&mut self) {
        let exchange = self.account.exchange();
        if !exchange.needs_synchronising() || exchange.silence().is_some() {
            return;
        }
        let missed = exchange.synchronise().await.err().map(|trouble| trouble.to_string());
        if let Some(reason) = missed.as_ref().filter(|_| self.measure_missed != missed) {
            log::warn!("clock_not_measured reason={reason}");
        }
        self.measure_missed = missed;
    }

    /// Refait la table des essais quand c'est l'heure, et ouvre ou ferme l'échange : fermé aussi quand elle ne s'écrit pas.
    pub(super) async fn run_checks(&mut self) {
        if self.gate.next > clock::instant() {
            return;
        }
        self.gate.moved = self.ledger.with(|db| db.last_movement()).await.ok();
        let checks = (self.preflight)().await;
        let before = self.gate.closed.clone();
        self.gate.judge(&checks);
        let now = clock::now();
        let kept = self.ledger.with(move |db| db.keep_checks(&checks, now)).await;
        if let Err(error) = kept
            && self.gate.closed.is_none()
        {
            self.gate.close(format!("the checks could not be written down: {error}"));
        }
        if self.gate.closed != before {
            match (&self.gate.closed, &self.not_alone) {
                (Some(reason), _) => log::warn!("not_trading reason={reason:?}"),
                (None, None) => log::info!("trading_open"),
                // Les essais vont, et rien ne s'échange pour autant.
                (None, Some(_)) => {}
            }
        }
    }

    /// Ce que les essais disaient du capital n'est plus vrai quand il a bougé, ou que l'ouverture est comptée : ils se refont
    /// sans attendre leur jour.
    pub async fn heed_movements(&mut self) -> Result<(), LedgerError> {
        let last = self.ledger.with(|db| db.last_movement()).await?;
        self.gate.heed_movement(last);
        Ok(())
    }

    /// Le compte n'a toujours pas de quoi commencer, et n'a plus ce que les essais en disent.
    pub fn heed_capital(&mut self) {
        self.gate.refresh();
    }

    /// Lit le compte ; à rapprocher du grand livre ([`LiveAccount::reconcile`]).
    pub async fn read(&self) -> Result<AccountState, Trouble> {
        self.account.state().await
    }

    /// Retient ce que le compte tient, à côté de ce que disent les livres ; rend la comparaison si c'est bien le
    /// nôtre.
    pub async fn reconcile(
        &mut self,
        state: Result<AccountState, Trouble>,
    ) -> Result<Option<Reconciliation>, LedgerError> {
        let unread = Err("the account is not read yet".to_owned());
        let was_unread = std::mem::replace(&mut self.account_read, unread).is_err();
        self.seen = None;
        // Le premier ordre de chaque signal est précédé d'un regard, à chaque tour où il en part.
        self.vouched = None;
        self.heed_answer(Heard::Account, state.is_ok());
        let AccountState { uid, balances, can_trade, .. } = match state {
            Ok(state) => state,
            Err(trouble) => {
                if matches!(trouble, Trouble::Key(..)) && !was_unread {
                    // Une clé morte entre-temps : la table d'essais la disait bonne, et le dirait jusqu'à demain.
                    self.gate.refresh();
                }
                self.account_read = Err(format!("the account could not be read: {trouble}"));
                return Ok(None);
            }
        };
        let now = clock::now();
        let compared = self.ledger.with(move |db| {
            // Les soldes d'un autre compte ne diraient rien du nôtre.
            if !db.recognise_account(uid)? {
                return Ok(None);
            }
            Ok(Some((db.reconcile(&balances, now)?, db.takeover()?)))
        });
        let Some((compared, takeover)) = compared.await? else {
            self.account_read = Err(OTHER_ACCOUNT.to_owned());
            return Ok(None);
        };
        let reconciliation = compared.map(|(reconciliation, _)| reconciliation);
        if compared.is_some_and(|(_, moved)| moved) {
            // Une personne, ou des ordres d'ici que les livres n'ont pas : on regarde avant d'en rien conclure.
            self.looked = false;
            self.next_scan = clock::instant();
        }
        self.uid = Some(uid);
        self.unconfirmed = unconfirmed(&takeover);
        self.seen = reconciliation;
        self.compared_at = reconciliation.map(|_| now).or(self.compared_at);
        self.shortage = reconciliation.map(|reconciliation| reconciliation.shortage()).unwrap_or_default();
        self.gate.heed_shortage(self.shortage);
        self.account_read = if can_trade { Ok(()) } else { Err("the account may not trade".to_owned()) };
        if was_unread && self.scanned.is_err() {
            // La bourse répond de nouveau : ce qu'elle taisait se relit sans attendre.
            self.next_scan = clock::instant();
        }
        Ok(reconciliation)
    }

    /// Efface la poussière que deux tours de suite ont vu manquer : elle ne bloque rien.
    pub async fn sweep(&mut self, market: &Market) -> Result<(), LedgerError> {
        let before = std::mem::replace(&mut self.seen_before, self.seen);
        let (Some(before), Some(mut seen)) = (before, self.seen) else { return Ok(()) };
        // Ce qu'une personne doit confirmer n'est pas effacé sans elle.
        if !self.looked || self.unconfirmed.is_some() {
            return Ok(());
        }
        if !std::mem::replace(&mut self.taken_over, true) {
            self.ledger.with(Db::end_takeover).await?;
        }
        if seen.lines().all(|(_, line)| line.gone().is_zero()) {
            return Ok(());
        }
        let (now, market) = (clock::now(), market.clone());
        let swept = match self.ledger.with(move |db| db.sweep(&before, &seen, &market, now)).await {
            // De la poussière n'arrête rien d'autre.
            Err(LedgerError::Refused(reason)) => {
                log::warn!("dust_kept reason={reason:?}");
                return Ok(());
            }
            swept => swept?,
        };
        for movement in &swept {
            told::swept(movement);
            seen = seen.after(movement);
        }
        (self.seen, self.seen_before, self.shortage) = (Some(seen), Some(seen), seen.shortage());
        Ok(())
    }
}

/// Ce qu'une base du programme Python compte de trop, en une phrase ; `None` si rien.
fn unconfirmed(takeover: &[(Coin, Line)]) -> Option<String> {
    let each = takeover.iter().map(|(coin, line)| format!("{} {}", line.gone(), coin.asset()));
    let list: Vec<String> = each.collect();
    (!list.is_empty()).then(|| {
        format!(
            "the Python version counted coins without the fees taken in them, and the account holds less: {}; confirm it \
             on the page, once",
            list.join(", ")
        )
    })
}
