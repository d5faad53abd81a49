//! Les commandes de l'utilisateur : pause, dépôt, correction. Le seul chemin de la page vers le
//! moteur, par une file bornée.

use smol::channel::{self, Receiver, Sender};

use crate::clock;
use crate::domain::money::{Eur, Price, Rate};
use crate::domain::refusal::Refusal;
use crate::ledger::{Db, Ledger, LedgerError};
use crate::venue::{Decision, Venue};

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
        understood: bool,
        reply: Reply<Eur>,
    },
    /// Adopter les ordres de ce grand livre que seul le compte connaît.
    Adopt {
        reply: Reply<usize>,
    },
    /// Les laisser dehors.
    Disown {
        reply: Reply<usize>,
    },
    /// La machine d'avant est éteinte.
    MoveHere {
        reply: Reply<()>,
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
    pub async fn correct_deposits(&self, total: Eur, understood: bool) -> Result<Eur, Refusal> {
        self.ask(|reply| Command::CorrectDeposits { total, understood, reply }).await
    }

    /// Finit un ordre qui attendait une personne comme elle en décide ; rend ce qu'il en est advenu.
    pub async fn decide(&self, intent: i64, decision: Decision) -> Result<String, Refusal> {
        self.ask(|reply| Command::Decide { intent, decision, reply }).await
    }

    /// Adopte les ordres de ce grand livre que seul le compte connaît ; rend combien.
    pub async fn adopt(&self) -> Result<usize, Refusal> {
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
        match self {
            Command::Pause { .. } | Command::Deposit { .. } | Command::CorrectDeposits { .. } => false,
            Command::Decide { .. }
            | Command::Adopt { .. }
            | Command::Disown { .. }
            | Command::MoveHere { .. } => true,
        }
    }

    /// Exécute sur le compte une commande qui le concerne, et répond ; rend vrai si elle a réussi. `bnb` est le prix du
    /// BNB, s'il est frais.
    pub(super) async fn carry_out_at(self, venue: &mut Venue, bnb: Option<Price>) -> bool {
        match self {
            Command::Decide { intent, decision, reply } => {
                answer(reply, venue.decide(intent, decision, bnb).await)
            }
            Command::Adopt { reply } => answer(reply, venue.adopt(bnb).await),
            Command::Disown { reply } => answer(reply, venue.disown().await),
            Command::MoveHere { reply } => answer(reply, venue.move_here().await),
            Command::Pause { .. } | Command::Deposit { .. } | Command::CorrectDeposits { .. } => false,
        }
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
            Command::CorrectDeposits { total, understood, reply } => {
                let correct = move |db: &mut Db, rate| db.correct_deposits(total, understood, rate, now);
                let total = book(ledger, rate, correct).await;
                if let Ok(total) = &total {
                    log::info!("deposits_corrected total_eur={total}");
                }
                reply.try_send(total).ok();
                false
            }
            // L'affaire du compte ([`Command::concerns_the_account`]).
            Command::Decide { .. }
            | Command::Adopt { .. }
            | Command::Disown { .. }
            | Command::MoveHere { .. } => false,
        }
    }
}

/// Répond ; un demandeur parti entre-temps n'attend plus de réponse.
fn answer<T>(reply: Reply<T>, done: Result<T, Refusal>) -> bool {
    let succeeded = done.is_ok();
    reply.try_send(done).ok();
    succeeded
}

async fn book(
    ledger: &Ledger,
    rate: Option<Rate>,
    job: impl FnOnce(&mut Db, Rate) -> Result<Eur, LedgerError> + Send + 'static,
) -> Result<Eur, Refusal> {
    let Some(rate) = rate else {
        let reason =
            "the EUR rate or the hour is not known now, so nothing was booked: try again in a few minutes";
        return Err(Refusal::Unknown(reason.to_owned()));
    };
    Ok(ledger.with(move |db| job(db, rate)).await?)
}
