//! Où les ordres s'exécutent : la simulation, ou le compte réel. Un choix fermé, fait une fois ; le moteur n'en demande
//! rien d'autre.

use std::time::Instant;

use crate::account::LiveAccount;
use crate::domain::market::{Coin, Market};
use crate::domain::money::Price;
use crate::domain::order::{Left, Order};
use crate::domain::reconcile::{Reconciliation, Shortage};
use crate::domain::refusal::Refusal;
use crate::exchange::{AccountState, Trouble};
use crate::ledger::LedgerError;
use crate::paper::PaperAccount;

/// Où les ordres s'exécutent.
pub enum Venue {
    Paper(PaperAccount),
    Live(Box<LiveAccount>),
}

impl Venue {
    /// Reprend ce qu'un arrêt a laissé.
    pub async fn take_up(&mut self) -> Result<(), LedgerError> {
        match self {
            Venue::Paper(account) => account.take_up().await,
            Venue::Live(account) => account.take_up().await,
        }
    }

    /// La prochaine chose à faire d'elle-même ; `None` s'il n'y en a pas.
    pub fn next_due(&self) -> Option<Instant> {
        match self {
            Venue::Paper(_) => None,
            Venue::Live(account) => Some(account.next_due()),
        }
    }

    /// Vrai si [`Venue::tend`] demanderait maintenant le prix du BNB.
    pub async fn wants_a_price(&self) -> Result<bool, LedgerError> {
        match self {
            Venue::Paper(_) => Ok(false),
            Venue::Live(account) => account.wants_a_price().await,
        }
    }

    /// Fait ce dont c'est l'heure. `bnb` est le prix du BNB, s'il est frais. Rend vrai si un signal peut être repris.
    pub async fn tend(&mut self, bnb: Option<Price>) -> Result<bool, LedgerError> {
        match self {
            Venue::Paper(_) => Ok(false),
            Venue::Live(account) => account.tend(bnb).await,
        }
    }

    /// Un tour sait l'heure juste, ou pas.
    pub fn heed_the_hour(&mut self, right: bool) {
        if let Venue::Live(account) = self {
            account.heed_the_hour(right);
        }
    }

    /// Lit le compte ; `None` s'il est simulé.
    pub async fn read(&self) -> Option<Result<AccountState, Trouble>> {
        match self {
            Venue::Paper(_) => None,
            Venue::Live(account) => Some(account.read().await),
        }
    }

    /// Rapproche ce qui vient d'être lu de ce que disent les livres ; rend le rapprochement si c'est bien notre compte, et
    /// réel.
    pub async fn reconcile(
        &mut self,
        state: Option<Result<AccountState, Trouble>>,
    ) -> Result<Option<Reconciliation>, LedgerError> {
        match (self, state) {
            (Venue::Live(account), Some(state)) => account.reconcile(state).await,
            _ => Ok(None),
        }
    }

    /// Écrit les intentions, les exécute, écrit leurs issues ; rend celles qui n'ont rien échangé, ou dont on ne sait pas.
    pub async fn execute(
        &mut self,
        signal: i64,
        orders: &[Order],
        market: &Market,
    ) -> Result<Vec<(Coin, Left)>, LedgerError> {
        match self {
            _ if orders.is_empty() => Ok(Vec::new()),
            Venue::Paper(account) => account.execute(signal, orders, market).await,
            Venue::Live(account) => account.execute(signal, orders, market).await,
        }
    }

    /// Ce qui manque au compte réel ; rien en simulation.
    pub fn shortage(&self) -> Shortage {
        match self {
            Venue::Paper(_) => Shortage::default(),
            Venue::Live(account) => account.shortage(),
        }
    }

    /// Pourquoi rien ne s'échange pour de vrai ; `None` si l'on peut, et en simulation.
    pub fn obstacle(&self) -> Option<String> {
        match self {
            Venue::Paper(_) => None,
            Venue::Live(account) => account.obstacle(),
        }
    }

    /// Une personne a regardé cet ordre à la bourse ; rend ce qu'il en est advenu.
    pub async fn release(&mut self, intent: i64, bnb: Option<Price>) -> Result<String, Refusal> {
        match self {
            Venue::Paper(_) => Err(Refusal::conflict("no simulated order waits for a person")),
            Venue::Live(account) => account.release(intent, bnb).await,
        }
    }
}
