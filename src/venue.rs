//! Où les ordres s'exécutent : la simulation, ou le compte réel. Un choix fermé, fait une fois ; le moteur n'en demande
//! rien d'autre.

use std::time::Instant;

use crate::account::LiveAccount;
use crate::domain::lost_past::Brought;
use crate::domain::market::{Coin, Market, Pairs};
use crate::domain::moment::Moment;
use crate::domain::money::{Price, Rate, Usdc};
use crate::domain::order::{Left, Order};
use crate::domain::reconcile::{Reconciliation, Shortage};
use crate::domain::refusal::Refusal;
use crate::exchange::{AccountState, Trouble};
use crate::ledger::LedgerError;
use crate::paper::PaperAccount;

pub use crate::account::Decision;

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
    pub async fn wants_a_price(&self) -> bool {
        match self {
            Venue::Paper(_) => false,
            Venue::Live(account) => account.wants_a_price().await,
        }
    }

    /// Fait ce dont c'est l'heure. `bnb` est le prix du BNB, s'il est frais. Rend vrai si un signal peut être repris.
    pub async fn tend(&mut self, bnb: Option<Price>) -> bool {
        match self {
            Venue::Paper(_) => false,
            Venue::Live(account) => account.tend(bnb).await,
        }
    }

    /// Un tour sait l'heure juste, ou pourquoi pas.
    pub fn heed_the_hour(&mut self, wrong: Option<String>) {
        if let Venue::Live(account) = self {
            account.heed_the_hour(wrong);
        }
    }

    /// Les cours viennent d'être lus, ou pas.
    pub fn heed_prices(&mut self, read: bool) {
        match self {
            Venue::Paper(account) => account.heed_prices(read),
            Venue::Live(account) => account.heed_prices(read),
        }
    }

    /// Lit le compte ; `None` s'il est simulé.
    pub async fn read(&self) -> Option<Result<AccountState, Trouble>> {
        match self {
            Venue::Paper(_) => None,
            Venue::Live(account) => Some(account.read().await),
        }
    }

    /// Ce que le compte réel a de libre pour ouvrir le grand livre, `None` en simulation, où rien ne borne le capital ; ou
    /// pourquoi on ne le sait pas.
    pub fn capital(&self, state: Option<&Result<AccountState, Trouble>>) -> Result<Option<Usdc>, String> {
        match (self, state) {
            (Venue::Paper(_), _) => Ok(None),
            (Venue::Live(_), Some(Ok(state))) => Ok(Some(state.balances.usdc.free)),
            (Venue::Live(_), Some(Err(trouble))) => Err(format!("the account could not be read: {trouble}")),
            (Venue::Live(_), None) => Err("the account is not read yet".to_owned()),
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

    /// Quand le compte réel a été rapproché des livres pour la dernière fois.
    pub fn compared_at(&self) -> Option<Moment> {
        match self {
            Venue::Paper(_) => None,
            Venue::Live(account) => account.compared_at(),
        }
    }

    /// Pourquoi, si le compte réel n'est pas rapproché des livres, il ne l'est pas ; `None` en simulation.
    pub fn uncompared(&self) -> Option<String> {
        match self {
            Venue::Paper(_) => None,
            Venue::Live(account) => Some(account.uncompared()),
        }
    }

    /// Vrai si ce que disent les livres a été comparé au compte à ce tour ; en simulation, il n'y a pas d'autre compte.
    pub fn is_compared(&self) -> bool {
        match self {
            Venue::Paper(_) => true,
            Venue::Live(account) => account.is_compared(),
        }
    }

    /// Vrai si une autre main a changé le compte réel, et que ses ordres ne sont pas encore regardés.
    pub fn awaits_a_look(&self) -> bool {
        match self {
            Venue::Paper(_) => false,
            Venue::Live(account) => account.awaits_a_look(),
        }
    }

    /// Un tour a pu changer le capital, dont les essais du dehors parlent.
    pub async fn heed_movements(&mut self) -> Result<(), LedgerError> {
        match self {
            Venue::Paper(_) => Ok(()),
            Venue::Live(account) => account.heed_movements().await,
        }
    }

    /// Ce que le compte a pour commencer n'est plus ce qu'il avait, et ne suffit pas.
    pub fn heed_capital(&mut self) {
        if let Venue::Live(account) = self {
            account.heed_capital();
        }
    }

    /// Efface des livres la poussière qui n'est plus au compte ; une fois par tour.
    pub async fn sweep(&mut self, market: &Market) -> Result<(), LedgerError> {
        match self {
            Venue::Paper(_) => Ok(()),
            Venue::Live(account) => account.sweep(market).await,
        }
    }

    /// Écrit les intentions, les exécute, écrit leurs issues ; rend celles qui n'ont rien échangé, ou dont on ne sait pas.
    pub async fn execute(
        &mut self,
        signal: i64,
        orders: &[Order],
        pairs: &Pairs,
    ) -> Result<Vec<(Coin, Left)>, LedgerError> {
        match self {
            _ if orders.is_empty() => Ok(Vec::new()),
            Venue::Paper(account) => account.execute(signal, orders, pairs).await,
            Venue::Live(account) => account.execute(signal, orders, pairs).await,
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

    /// Pourquoi l'échange n'est pas à dire ouvert ; `None` s'il l'est. Simulé, il ne l'est pas d'une bourse qui ne se lit pas.
    pub fn closed(&self) -> Option<String> {
        match self {
            Venue::Paper(account) => account.closed(),
            Venue::Live(account) => account.closed(),
        }
    }

    /// Vrai si un ordre ne s'y exécute qu'à un prix de ce tour même : une bourse qui ne se lit pas n'aurait rien exécuté non plus.
    pub fn fills_as_read(&self) -> bool {
        matches!(self, Venue::Paper(_))
    }

    /// Pourquoi le grand livre n'est peut-être pas seul sur son compte ; `None` s'il l'est, et en simulation.
    pub fn not_alone(&self) -> Option<String> {
        match self {
            Venue::Paper(_) => None,
            Venue::Live(account) => account.not_alone(),
        }
    }

    /// Met aux livres les ordres de ce grand livre que seul le compte connaît ; rend ce qui l'a été.
    pub async fn adopt(&mut self, bnb: Option<Price>, rate: Option<Rate>) -> Result<Brought, Refusal> {
        self.live()?.adopt(bnb, rate).await
    }

    /// Laisse dehors les ordres qui portent un nom d'ici et que les livres n'ont pas ; rend combien.
    pub async fn disown(&mut self) -> Result<usize, Refusal> {
        self.live()?.disown().await
    }

    /// Une personne dit que la machine d'avant est éteinte.
    pub async fn move_here(&mut self) -> Result<(), Refusal> {
        self.live()?.move_here().await
    }

    fn live(&mut self) -> Result<&mut LiveAccount, Refusal> {
        match self {
            Venue::Paper(_) => Err(Refusal::conflict("a simulation has no account at the exchange")),
            Venue::Live(account) => Ok(account),
        }
    }

    /// Une personne a regardé cet ordre à la bourse, et en décide ; rend ce qu'il en est advenu.
    pub async fn decide(
        &mut self,
        intent: i64,
        decision: Decision,
        bnb: Option<Price>,
    ) -> Result<String, Refusal> {
        match self {
            Venue::Paper(_) => Err(Refusal::conflict("no simulated order waits for a person")),
            Venue::Live(account) => account.decide(intent, decision, bnb).await,
        }
    }
}
