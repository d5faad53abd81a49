//! Les commandes de l'utilisateur : pause, dépôt, correction. Le seul chemin de la page vers le
//! moteur, par une file bornée.

use smol::channel::{self, Receiver, Sender};

use crate::clock;
use crate::domain::money::{Eur, Rate};
use crate::domain::refusal::Refusal;
use crate::ledger::{Ledger, LedgerError};
use crate::venue::Decision;

/// Commandes en attente au plus.
const QUEUE: usize = 8;

type Reply<T> = Sender<Result<T, Refusal>>;

/// Une commande et qui attend sa réponse.
pub enum Command {
    Pause {
        wanted: Option<bool>,
        reply: Reply<bool>,
    },
    Deposit {
        amount: Eur,
        reply: Reply<Eur>,
    },
    CorrectDeposits {
        total: Eur,
        reply: Reply<Eur>,
    },
    /// Une personne a regardé cet ordre à la bourse, et en décide ; le compte s'en charge.
    Decide {
        intent: i64,
        decision: Decision,
        reply: Reply<String>,
    },
}

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

    /// Compte un dépôt ; rend le total déposé.
    pub async fn deposit(&self, amount: Eur) -> Result<Eur, Refusal> {
        self.ask(|reply| Command::Deposit { amount, reply }).await
    }

    /// Corrige le total déposé ; le rend.
    pub async fn correct_deposits(&self, total: Eur) -> Result<Eur, Refusal> {
        self.ask(|reply| Command::CorrectDeposits { total, reply }).await
    }

    /// Finit un ordre qui attendait une personne comme elle en décide ; rend ce qu'il en est advenu.
    pub async fn decide(&self, intent: i64, decision: Decision) -> Result<String, Refusal> {
        self.ask(|reply| Command::Decide { intent, decision, reply }).await
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Refusal> {
        let stopping = || Refusal::Failed("the agent is stopping: nothing was changed".to_owned());
        let (reply, answer) = channel::bounded(1);
        self.0.send(command(reply)).await.map_err(|_| stopping())?;
        answer.recv().await.map_err(|_| stopping())?
    }
}

impl Command {
    /// Vrai si elle touche au compte réel : elle attend qu'il soit libre.
    pub(super) fn concerns_the_account(&self) -> bool {
        matches!(self, Command::Decide { .. })
    }

    /// Exécute la commande et répond ; rend vrai si l'agent vient d'être repris. Un demandeur parti
    /// entre-temps n'attend plus de réponse : la commande vaut quand même.
    pub(super) async fn carry_out(self, ledger: &Ledger, rate: Option<Rate>) -> bool {
        let now = clock::now();
        match self {
            Command::Pause { wanted, reply } => {
                let paused = ledger.with(move |db| db.set_paused(wanted)).await;
                let resumed = matches!(paused, Ok(false));
                if let Ok(paused) = paused {
                    log::info!("agent_paused paused={paused}");
                }
                reply.try_send(paused.map_err(Refusal::from)).ok();
                resumed
            }
            Command::Deposit { amount, reply } => {
                let total = book(ledger, rate, move |db, rate| db.deposit(amount, rate, now)).await;
                if let Ok(total) = &total {
                    log::info!("deposit_booked eur={amount} total_eur={total}");
                }
                reply.try_send(total).ok();
                false
            }
            Command::CorrectDeposits { total, reply } => {
                let total = book(ledger, rate, move |db, rate| db.correct_deposits(total, rate, now)).await;
                if let Ok(total) = &total {
                    log::info!("deposits_corrected total_eur={total}");
                }
                reply.try_send(total).ok();
                false
            }
            Command::Decide { .. } => false,
        }
    }
}

async fn book(
    ledger: &Ledger,
    rate: Option<Rate>,
    job: impl FnOnce(&mut crate::ledger::Db, Rate) -> Result<Eur, LedgerError> + Send + 'static,
) -> Result<Eur, Refusal> {
    let Some(rate) = rate else {
        let reason =
            "the EUR rate or the hour is not known now, so nothing was booked: try again in a few minutes";
        return Err(Refusal::Unknown(reason.to_owned()));
    };
    Ok(ledger.with(move |db| job(db, rate)).await?)
}
