//! Ce que les écrans, et le prochain démarrage, sauront de l'accès à la bourse.

use super::Engine;
use crate::clock;
use crate::exchange::Silence;
use crate::ledger::{ClockReading, LedgerError, Outlook, Silenced};

impl Engine {
    /// Reprend le silence que la bourse demandait avant le démarrage, et ce que le compte avait laissé.
    pub(super) async fn take_up(&mut self) -> Result<(), LedgerError> {
        self.tell_comparison();
        let before = self.ledger.with(|db| db.exchange_state()).await?;
        if let Some(Silenced { status, from, until }) = before.silenced {
            self.exchange.keep_silent(Silence { status, from, until });
        }
        self.venue.take_up().await?;
        // Ce qui attend une personne se sait déjà : qui ouvre les écrans le lit sans attendre que la bourse réponde.
        if self.venue.not_alone().is_some() { self.keep_outlook().await } else { Ok(()) }
    }

    /// Dit si les écarts du compte peuvent se régler en ce moment : les écrans n'offrent pas ce qui serait refusé.
    fn tell_comparison(&self) {
        let stale = !self.sight.is_compared(clock::now());
        self.ledger.tell_uncompared(self.venue.uncompared().filter(|_| stale));
    }

    /// Garde ce que la bourse demande et l'état de l'échange ; rien n'est écrit si rien n'a changé.
    pub(super) async fn keep_outlook(&mut self) -> Result<(), LedgerError> {
        self.tell_comparison();
        let silenced = self.exchange.silence();
        let clock = self.exchange.server_clock().map(|server| {
            let (lead, at) = server.measured();
            ClockReading { lead, margin: server.margin.as_millis() as i64, at }
        });
        let outlook = Outlook {
            silenced: silenced.map(|Silence { status, from, until }| Silenced { status, from, until }),
            clock,
            closed: self.venue.closed().or_else(|| self.unopened.clone()),
            not_alone: self.venue.not_alone(),
        };
        if self.outlook.as_ref() != Some(&outlook) {
            let kept = outlook.clone();
            self.ledger.with(move |db| db.keep_outlook(&kept)).await?;
            self.outlook = Some(outlook);
        }
        Ok(())
    }
}
