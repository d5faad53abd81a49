//! Ce que le compte réel demande hors des tours : l'heure, les essais, le balayage, le rapprochement.

use super::Engine;
use super::desk;
use super::venue::Venue;
use crate::clock;
use crate::domain::market::PerCoin;
use crate::exchange::{AccountState, Balances, Silence, Trouble};
use crate::ledger::{ClockReading, Held, LedgerError, Outlook, Silenced};

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
        self.measure_hour().await;
        self.run_checks().await?;
        self.scan().await?;
        self.ask_doubtful().await
    }

    /// Mesure l'heure de la bourse quand il le faut. Une mesure qui manque est dite une fois : la précédente sert encore.
    async fn measure_hour(&mut self) {
        let Venue::Live(desk) = &self.venue else { return };
        let exchange = desk.account.exchange().clone();
        if !exchange.needs_synchronising() || exchange.silence().is_some() {
            return;
        }
        let measured = self.obeying(async move { exchange.synchronise().await }).await;
        let missed = measured.err().map(|trouble| trouble.to_string());
        let Venue::Live(desk) = &mut self.venue else { return };
        if let Some(reason) = missed.as_ref().filter(|_| desk.measure_missed != missed) {
            log::warn!("clock_not_measured reason={reason}");
        }
        desk.measure_missed = missed;
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

/// Ce que le compte tient, libre et bloqué.
pub(super) fn held(balances: &Balances) -> Held {
    Held { usdc: balances.usdc.total(), coins: PerCoin::from_fn(|coin| balances.coins[coin].total()) }
}
