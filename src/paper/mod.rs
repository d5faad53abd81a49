//! Le compte simulé, petit frère du compte réel : mêmes intentions, mêmes livres, mais les exécutions se calculent ici.

mod execution;

use std::sync::Arc;

use crate::clock;
use crate::domain::market::{Coin, Pairs};
use crate::domain::order::{Left, Order};
use crate::ledger::{Ledger, LedgerError, Outcome};
use crate::logging::orders as told;
use crate::metrics::Instruments;

pub use execution::execute;

/// Le compte simulé.
pub struct PaperAccount {
    ledger: Ledger,
    instruments: Arc<Instruments>,
}

impl PaperAccount {
    pub fn new(ledger: Ledger, instruments: Arc<Instruments>) -> PaperAccount {
        PaperAccount { ledger, instruments }
    }

    /// Abandonne ce qu'un arrêt a laissé : rien n'en est parti.
    pub async fn take_up(&mut self) -> Result<(), LedgerError> {
        self.ledger.with(|db| db.interrupt_intents(clock::now())).await
    }

    /// Écrit les intentions, les exécute, écrit leurs issues ; rend celles qui n'ont rien échangé.
    pub async fn execute(
        &self,
        signal: i64,
        orders: &[Order],
        pairs: &Pairs,
    ) -> Result<Vec<(Coin, Left)>, LedgerError> {
        let (now, planned) = (clock::now(), orders.to_vec());
        let intents = self.ledger.with(move |db| db.write_intents(signal, &planned, now)).await?;
        let mut refused = Vec::new();
        for (intent, order) in intents.into_iter().zip(orders) {
            let (now, executed) = (clock::now(), execute(order, pairs));
            let outcome = match &executed {
                Ok(fill) => Outcome::Filled(fill.clone()),
                Err(reason) => Outcome::Refused(reason.clone()),
            };
            self.ledger.with(move |db| db.book(intent, None, &outcome, now)).await?;
            match executed {
                Ok(fill) => {
                    told::traded(&fill);
                    self.instruments.traded(&fill, pairs.mid(fill.coin));
                }
                Err(reason) => {
                    told::refused(order, &reason);
                    refused.push((order.coin(), Left::Refused(reason)));
                }
            }
        }
        Ok(refused)
    }
}
