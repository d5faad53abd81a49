//! La poignée par laquelle la page parle au moteur : le seul chemin vers lui, par une file bornée.

use smol::channel::{self, Receiver, Sender, TrySendError};

use super::command::{Command, Reply};
use crate::domain::booking::{Booked, Booking};
use crate::domain::lost_past::Brought;
use crate::domain::money::{Usdc, Weight};
use crate::domain::reach::Reach;
use crate::domain::refusal::Refusal;
use crate::domain::stop_loss::{Choice, Limit};
use crate::domain::withdrawal::{Asked, Terms};
use crate::ledger::{RequestKey, WithdrawalRequest};
use crate::venue::Decision;

/// Commandes en attente au plus.
const QUEUE: usize = 16;

/// La poignée qui envoie des commandes au moteur.
#[derive(Clone)]
pub struct Commands(Sender<Command>);

impl Commands {
    pub(super) fn channel() -> (Commands, Receiver<Command>) {
        let (sender, receiver) = channel::bounded(QUEUE);
        (Commands(sender), receiver)
    }

    /// Met en pause, reprend, ou retourne l'état si `wanted` est `None` ; rend l'état.
    pub async fn pause(&self, wanted: Option<bool>) -> Result<bool, Refusal> {
        self.ask(|reply| Command::Pause { wanted, reply }).await
    }

    /// Fait compter cela aux livres ; rend ce qui l'a été. Une demande redite sous la même clé n'est pas refaite.
    pub async fn enter(&self, booking: Booking, request: Option<RequestKey>) -> Result<Booked, Refusal> {
        self.ask(|reply| Command::Enter { booking, request, reply }).await
    }

    /// Finit un ordre qui attendait une personne comme elle en décide ; rend ce qu'il en est advenu.
    pub async fn decide(&self, intent: i64, decision: Decision) -> Result<String, Refusal> {
        self.ask(|reply| Command::Decide { intent, decision, reply }).await
    }

    /// Adopte les ordres de ce grand livre que seul le compte connaît ; rend ce qui l'a été.
    pub async fn adopt(&self) -> Result<Brought, Refusal> {
        self.ask(|reply| Command::Adopt { reply }).await
    }

    /// Laisse dehors les ordres qui portent un nom d'ici et que les livres n'ont pas ; rend combien.
    pub async fn disown(&self) -> Result<usize, Refusal> {
        self.ask(|reply| Command::Disown { reply }).await
    }

    /// Dit que la machine d'où ce grand livre échangeait est éteinte.
    pub async fn move_here(&self) -> Result<(), Refusal> {
        self.ask(|reply| Command::MoveHere { reply }).await
    }

    /// Rend ce que le capital permet de suivre du leader aux prix du moment ; `Unknown` dit ce qui n'en est pas connu.
    pub async fn reach(&self, threshold: Weight) -> Result<Reach, Refusal> {
        self.ask(|reply| Command::Reach { threshold, reply }).await
    }

    /// Rend ce que ferait un retrait aux prix du moment, sans l'ouvrir.
    pub async fn withdrawal_terms(&self, asked: Asked) -> Result<Terms, Refusal> {
        self.ask(|reply| Command::WithdrawalTerms { asked, reply }).await
    }

    /// Ouvre un retrait ; rend son numéro et ce qu'il fera, ou `None` si la même demande l'avait déjà ouvert.
    pub async fn withdraw(&self, request: WithdrawalRequest) -> Result<(i64, Option<Terms>), Refusal> {
        self.ask(|reply| Command::Withdraw { request, reply }).await
    }

    /// Révoque un retrait.
    pub async fn cancel_withdrawal(&self, id: i64) -> Result<(), Refusal> {
        self.ask(|reply| Command::CancelWithdrawal { id, reply }).await
    }

    /// Dit sorti ce qui restait à prendre d'un retrait, ou cette part : le reste n'est plus mis de côté.
    pub async fn taken_out(&self, id: i64, part: Option<Usdc>) -> Result<(), Refusal> {
        self.ask(|reply| Command::TakenOut { id, part, reply }).await
    }

    /// Vend tout et met en pause. Une demande redite sous la même clé n'est pas refaite.
    pub async fn sell_all(&self, request: Option<RequestKey>) -> Result<(), Refusal> {
        self.ask(|reply| Command::SellAll { request, reply }).await
    }

    /// Suit l'allocation que le premier démarrage a trouvée vieille, ou attend la suivante.
    pub async fn settle_old_target(&self, follow: bool) -> Result<(), Refusal> {
        self.ask(|reply| Command::SettleOldTarget { follow, reply }).await
    }

    /// Fixe la perte à laquelle tout se vend ; rend celle qui vaut.
    pub async fn stop_loss(&self, choice: Choice, understood: bool) -> Result<Option<Limit>, Refusal> {
        self.ask(|reply| Command::StopLoss { choice, understood, reply }).await
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Refusal> {
        let stopping = || Refusal::Failed("the agent is stopping: nothing was changed".to_owned());
        let (reply, answer) = channel::bounded(1);
        // Attendre une place tiendrait celle d'une requête, et à 64 plus rien ne répondrait ; ce serait aussi autant de
        // volontés d'un autre moment.
        self.0.try_send(command(reply)).map_err(|error| match error {
            TrySendError::Full(_) => Refusal::Busy(format!(
                "{QUEUE} requests wait for the agent already, who is busy with the exchange: nothing was changed, look at the \
                 state and try again in a moment"
            )),
            TrySendError::Closed(_) => stopping(),
        })?;
        answer.recv().await.map_err(|_| stopping())?
    }
}

#[cfg(test)]
mod tests {
    use smol::future::poll_once;

    use super::*;

    /// Le moteur attend la bourse : ce qui lui est demandé n'attend pas sans fin, ni sans nombre.
    #[test]
    fn no_more_than_a_few_requests_wait_and_the_others_are_told_at_once() {
        let (commands, queue) = Commands::channel();
        let mut waiting = Vec::new();
        for rank in 0..64 {
            let mut asked = Box::pin(commands.pause(None));
            match smol::block_on(poll_once(&mut asked)) {
                None => waiting.push(asked),
                Some(answer) => {
                    assert!(rank >= QUEUE && matches!(answer, Err(Refusal::Busy(_))), "{rank}: {answer:?}");
                }
            }
        }
        assert_eq!((waiting.len(), queue.len()), (QUEUE, QUEUE));
    }
}
