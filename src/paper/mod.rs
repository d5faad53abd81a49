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

/// Pourquoi une bourse qui ne se lit pas n'exécute rien.
const GONE: &str = "the prices were not read in the last poll: an exchange that is gone fills no order, and it goes on by itself \
    once they are read";

/// Le compte simulé.
pub struct PaperAccount {
    ledger: Ledger,
    instruments: Arc<Instruments>,
    /// Vrai si la dernière lecture n'a rien rendu.
    gone: bool,
}

impl PaperAccount {
    pub fn new(ledger: Ledger, instruments: Arc<Instruments>) -> PaperAccount {
        PaperAccount { ledger, instruments, gone: false }
    }

    /// Les cours viennent d'être lus, ou pas.
    pub fn heed_prices(&mut self, read: bool) {
        self.gone = !read;
    }

    /// Pourquoi rien ne s'exécute en ce moment ; `None` si la bourse se lit.
    pub fn closed(&self) -> Option<String> {
        self.gone.then(|| GONE.to_owned())
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
