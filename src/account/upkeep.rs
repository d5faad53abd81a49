//! Ce que le compte réel demande hors des ordres : l'heure, les essais, le rapprochement.

use super::LiveAccount;
use crate::clock;
use crate::domain::reconcile::Reconciliation;
use crate::exchange::{AccountState, Trouble};
use crate::ledger::LedgerError;

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

    /// Refait la table des essais quand c'est l'heure, et ouvre ou ferme l'échange.
    pub(super) async fn run_checks(&mut self) -> Result<(), LedgerError> {
        if self.gate.next > clock::instant() {
            return Ok(());
        }
        let checks = (self.preflight)().await;
        let (kept, now) = (checks.clone(), clock::now());
        self.ledger.with(move |db| db.keep_checks(&kept, now)).await?;
        let before = self.gate.closed.clone();
        self.gate.judge(&checks);
        if self.gate.closed != before {
            match &self.gate.closed {
                Some(reason) => log::warn!("not_trading reason={reason:?}"),
                None => log::info!("trading_open"),
            }
        }
        Ok(())
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
        self.account_read = Err("the account is not read yet".to_owned());
        let AccountState { uid, balances, can_trade, .. } = match state {
            Ok(state) => state,
            Err(trouble) => {
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
            Ok(Some(db.reconcile(&balances, now)?))
        });
        let Some(reconciliation) = compared.await? else {
            let other = "the key opens another account than the one this ledger began with";
            self.account_read = Err(other.to_owned());
            return Ok(None);
        };
        self.shortage = reconciliation.map(|reconciliation| reconciliation.shortage()).unwrap_or_default();
        self.account_read = if can_trade { Ok(()) } else { Err("the account may not trade".to_owned()) };
        Ok(reconciliation)
    }
}
