//! Les commandes de l'utilisateur : pause, dépôt, correction, retrait, tout vendre. Le seul chemin de la page vers le
//! moteur, par une file bornée.

use smol::channel::{self, Receiver, Sender};

use super::sight::Sight;
use crate::clock;
use crate::domain::market;
use crate::domain::money::{Eur, Rate};
use crate::domain::refusal::Refusal;
use crate::domain::withdrawal::Terms;
use crate::ledger::{Db, Ledger, LedgerError, WithdrawalRequest};

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
    Withdraw {
        request: WithdrawalRequest,
        reply: Reply<(i64, Option<Terms>)>,
    },
    CancelWithdrawal {
        id: i64,
        reply: Reply<()>,
    },
    SellAll {
        reply: Reply<()>,
    },
    /// Une personne a regardé cet ordre à la bourse ; le compte s'en charge.
    Release {
        intent: i64,
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

    /// Ouvre un retrait ; rend son numéro et ce qu'il fera, ou `None` si la même demande l'avait déjà ouvert.
    pub async fn withdraw(&self, request: WithdrawalRequest) -> Result<(i64, Option<Terms>), Refusal> {
        self.ask(|reply| Command::Withdraw { request, reply }).await
    }

    /// Révoque un retrait.
    pub async fn cancel_withdrawal(&self, id: i64) -> Result<(), Refusal> {
        self.ask(|reply| Command::CancelWithdrawal { id, reply }).await
    }

    /// Vend tout et met en pause.
    pub async fn sell_all(&self) -> Result<(), Refusal> {
        self.ask(|reply| Command::SellAll { reply }).await
    }

    /// Libère un ordre qui attendait une personne ; rend ce qu'il en est advenu.
    pub async fn release(&self, intent: i64) -> Result<String, Refusal> {
        self.ask(|reply| Command::Release { intent, reply }).await
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
        matches!(self, Command::Release { .. })
    }

    /// Exécute la commande et répond ; rend vrai si elle demande un tour tout de suite. Un demandeur parti entre-temps
    /// n'attend plus de réponse : la commande vaut quand même.
    pub(super) async fn carry_out(self, ledger: &Ledger, sight: &Sight) -> bool {
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
                let total =
                    book(ledger, sight.rate(now), move |db, rate| db.deposit(amount, rate, now)).await;
                if let Ok(total) = &total {
                    log::info!("deposit_booked eur={amount} total_eur={total}");
                }
                reply.try_send(total).ok();
                false
            }
            Command::CorrectDeposits { total, reply } => {
                let correct = move |db: &mut Db, rate| db.correct_deposits(total, rate, now);
                let total = book(ledger, sight.rate(now), correct).await;
                if let Ok(total) = &total {
                    log::info!("deposits_corrected total_eur={total}");
                }
                reply.try_send(total).ok();
                false
            }
            Command::Withdraw { request, reply } => {
                let opened = withdraw(ledger, sight, request).await;
                let begins = matches!(opened, Ok((_, Some(_))));
                reply.try_send(opened).ok();
                begins
            }
            Command::CancelWithdrawal { id, reply } => {
                let cancelled = ledger.with(move |db| db.cancel_withdrawal(id, now)).await;
                if cancelled.is_ok() {
                    log::info!("withdrawal_cancelled id={id}");
                }
                reply.try_send(cancelled.map_err(Refusal::from)).ok();
                false
            }
            Command::SellAll { reply } => {
                let opened = ledger.with(move |db| db.open_sell_all(now)).await;
                if let Ok((name, true)) = &opened {
                    log::warn!("selling_all id={name}");
                }
                let begins = opened.is_ok();
                reply.try_send(opened.map(drop).map_err(Refusal::from)).ok();
                begins
            }
            Command::Release { .. } => false,
        }
    }
}

/// Ouvre un retrait, si la valeur est connue.
async fn withdraw(
    ledger: &Ledger,
    sight: &Sight,
    request: WithdrawalRequest,
) -> Result<(i64, Option<Terms>), Refusal> {
    let now = clock::now();
    let market = match sight.known(now) {
        Ok(market) if ledger.with(|db| db.holdings()).await?.is_some() => market,
        Ok(_) => return Err(unknown("the budget is not booked yet")),
        Err(missing) => return Err(unknown(&market::told(&missing))),
    };
    let opened = ledger.with(move |db| db.open_withdrawal(&request, &market, now)).await?;
    if let (id, Some(terms)) = &opened {
        log::info!("withdrawal_opened id={id} eur={} usdc={}", terms.requested, terms.usdc);
    }
    Ok(opened)
}

fn unknown(reason: &str) -> Refusal {
    Refusal::Unknown(format!(
        "the value is not known now ({reason}): nothing was changed, try again in a few minutes"
    ))
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
