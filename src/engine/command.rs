//! Les commandes de l'utilisateur : pause, argent à compter ou à reprendre, tout vendre, perte à ne pas dépasser, ordre à finir. Le seul chemin de la page vers le
//! moteur, par une file bornée.

use smol::channel::{self, Receiver, Sender, TrySendError};

use super::sight::Sight;
use crate::clock;
use crate::domain::booking::{Booked, Booking, Footing};
use crate::domain::lost_past::Brought;
use crate::domain::market::{self, Coin, Market};
use crate::domain::moment::Moment;
use crate::domain::money::{Usdc, Weight};
use crate::domain::reach::Reach;
use crate::domain::refusal::Refusal;
use crate::domain::stop_loss::{Choice, Limit};
use crate::domain::withdrawal::{Asked, Terms};
use crate::ledger::{Ledger, RequestKey, WithdrawalRequest};
use crate::venue::{Decision, Venue};

/// Commandes en attente au plus.
const QUEUE: usize = 16;

type Reply<T> = Sender<Result<T, Refusal>>;

/// Une commande et qui attend sa réponse.
pub enum Command {
    Pause {
        wanted: Option<bool>,
        reply: Reply<bool>,
    },
    /// Une personne fait compter quelque chose ; la clé nomme la demande, si elle y tient.
    Enter {
        booking: Booking,
        request: Option<RequestKey>,
        reply: Reply<Booked>,
    },
    /// Adopter les ordres de ce grand livre que seul le compte connaît.
    Adopt {
        reply: Reply<Brought>,
    },
    /// Les laisser dehors.
    Disown {
        reply: Reply<usize>,
    },
    /// La machine d'avant est éteinte.
    MoveHere {
        reply: Reply<()>,
    },
    /// Ce que le capital permet de suivre du leader.
    Reach {
        threshold: Weight,
        reply: Reply<Reach>,
    },
    /// Ce que ferait un retrait ; rien n'est ouvert.
    WithdrawalTerms {
        asked: Asked,
        reply: Reply<Terms>,
    },
    Withdraw {
        request: WithdrawalRequest,
        reply: Reply<(i64, Option<Terms>)>,
    },
    CancelWithdrawal {
        id: i64,
        reply: Reply<()>,
    },
    /// La personne l'a sorti, et le compte ne le montre pas.
    TakenOut {
        id: i64,
        part: Option<Usdc>,
        reply: Reply<()>,
    },
    SellAll {
        request: Option<RequestKey>,
        reply: Reply<()>,
    },
    /// Suivre l'allocation que le premier démarrage a trouvée vieille, ou attendre la suivante.
    SettleOldTarget {
        follow: bool,
        reply: Reply<()>,
    },
    /// La perte qu'une personne se fixe ; rend celle qui vaut.
    StopLoss {
        choice: Choice,
        understood: bool,
        reply: Reply<Option<Limit>>,
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

impl Command {
    /// Vrai si elle conclut de ce que le compte réel tient : ses ordres sont regardés avant, si une autre main l'a changé.
    pub(super) fn concludes_from_the_account(&self) -> bool {
        matches!(self, Command::Enter { .. } | Command::TakenOut { .. })
    }

    /// Vrai si elle attend que le compte soit libre.
    pub(super) fn waits(&self, sight: &Sight) -> bool {
        self.concerns_the_account() || (self.concludes_from_the_account() && sight.is_unlooked())
    }

    /// Vrai si elle touche au compte réel : elle attend qu'il soit libre.
    pub(super) fn concerns_the_account(&self) -> bool {
        match self {
            Command::Pause { .. }
            | Command::Enter { .. }
            | Command::Reach { .. }
            | Command::WithdrawalTerms { .. }
            | Command::Withdraw { .. }
            | Command::CancelWithdrawal { .. }
            | Command::TakenOut { .. }
            | Command::SettleOldTarget { .. }
            | Command::SellAll { .. }
            | Command::StopLoss { .. } => false,
            Command::Decide { .. }
            | Command::Adopt { .. }
            | Command::Disown { .. }
            | Command::MoveHere { .. } => true,
        }
    }

    /// Exécute sur le compte une commande qui le concerne, et répond ; rend vrai si elle a réussi.
    pub(super) async fn carry_out_at(self, venue: &mut Venue, sight: &Sight) -> bool {
        let bnb = sight.bnb_price();
        match self {
            Command::Decide { intent, decision, reply } => {
                answer(reply, venue.decide(intent, decision, bnb).await)
            }
            Command::Adopt { reply } => answer(reply, venue.adopt(bnb, sight.rate(clock::now())).await),
            Command::Disown { reply } => answer(reply, venue.disown().await),
            Command::MoveHere { reply } => answer(reply, venue.move_here().await),
            Command::Pause { .. }
            | Command::Enter { .. }
            | Command::Reach { .. }
            | Command::WithdrawalTerms { .. }
            | Command::Withdraw { .. }
            | Command::CancelWithdrawal { .. }
            | Command::TakenOut { .. }
            | Command::SettleOldTarget { .. }
            | Command::SellAll { .. }
            | Command::StopLoss { .. } => false,
        }
    }

    /// Exécute la commande et répond ; rend vrai si un tour est à faire tout de suite. Un demandeur parti entre-temps
    /// n'attend plus de réponse : la commande vaut quand même.
    pub(super) async fn carry_out(self, ledger: &Ledger, sight: &Sight) -> bool {
        let now = clock::now();
        match self {
            Command::Pause { wanted, reply } => {
                let paused = pause(ledger, wanted).await;
                let resumed = matches!(paused, Ok(false));
                reply.try_send(paused).ok();
                resumed
            }
            Command::Enter { booking, request, reply } => {
                let booked = enter(ledger, booking, request, sight.footing(now)).await;
                // Un écart réglé libère ce qui l'attendait.
                let cash = matches!(booking, Booking::Deposit(_) | Booking::Correction { .. });
                let settled = booked.is_ok() && !cash;
                reply.try_send(booked).ok();
                settled
            }
            Command::WithdrawalTerms { asked, reply } => {
                reply.try_send(withdrawal_terms(ledger, sight, asked).await).ok();
                false
            }
            Command::Withdraw { request, reply } => {
                let opened = withdraw(ledger, sight, request).await;
                let begins = matches!(opened, Ok((_, Some(_))));
                reply.try_send(opened).ok();
                begins
            }
            Command::CancelWithdrawal { id, reply } => {
                reply.try_send(cancel_withdrawal(ledger, id).await).ok();
                false
            }
            Command::TakenOut { id, part, reply } => {
                reply.try_send(taken_out(ledger, sight, id, part).await).ok();
                false
            }
            Command::SellAll { request, reply } => {
                let opened = ledger.with(move |db| db.open_sell_all(request.as_ref(), now)).await;
                if let Ok(Some(name)) = &opened {
                    log::warn!("selling_all id={name}");
                }
                answer(reply, opened.map(drop).map_err(Refusal::from))
            }
            Command::SettleOldTarget { follow, reply } => {
                answer(reply, settle_old_target(ledger, follow).await)
            }
            Command::StopLoss { choice, understood, reply } => {
                reply.try_send(stop_loss(ledger, choice, understood).await).ok();
                false
            }
            // L'affaire du compte ([`Command::concerns_the_account`]), et de qui retient la réponse.
            Command::Reach { .. }
            | Command::Decide { .. }
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

/// De quoi estimer un retrait : les prix, si la valeur est connue.
async fn priced(ledger: &Ledger, sight: &Sight) -> Result<Market, Refusal> {
    let Some(holdings) = ledger.with(|db| db.holdings()).await? else {
        return Err(unknown("the budget is not booked yet"));
    };
    let now = clock::now();
    sight.known(holdings.held(), now).map_err(|missing| {
        let reason = market::told(&missing);
        let lacks = |coin: &Coin| {
            let names = [market::price_of(*coin), market::rules_of(*coin)];
            missing.iter().any(|unknown| names.contains(&unknown.what))
        };
        let lost: Vec<&str> = Coin::ALL.into_iter().filter(lacks).map(Coin::asset).collect();
        // Une bourse qui ne montre rien du tout n'a perdu aucune paire.
        let is_there = !sight.read_since(Moment(0), now).is_empty();
        if lost.is_empty() || !is_there { unknown(&reason) } else { lost_price(&reason, &lost.join(", ")) }
    })
}

/// Un coin tenu n'a plus de prix : attendre n'y fera peut-être rien.
fn lost_price(reason: &str, assets: &str) -> Refusal {
    Refusal::Unknown(format!(
        "the value is not known now ({reason}): nothing was changed; withdrawals wait for {assets}: what never has a price again is \
         moved or converted on the exchange, then written off (in a simulation it can be written off after a day)"
    ))
}

async fn withdrawal_terms(ledger: &Ledger, sight: &Sight, asked: Asked) -> Result<Terms, Refusal> {
    let market = priced(ledger, sight).await?;
    Ok(ledger.with(move |db| db.withdrawal_terms(asked, &market)).await?)
}

/// Ouvre un retrait, si la valeur est connue.
async fn withdraw(
    ledger: &Ledger,
    sight: &Sight,
    request: WithdrawalRequest,
) -> Result<(i64, Option<Terms>), Refusal> {
    let (market, now) = (priced(ledger, sight).await?, clock::now());
    let opened = ledger.with(move |db| db.open_withdrawal(&request, &market, now)).await?;
    if let (id, Some(terms)) = &opened {
        log::info!("withdrawal_opened id={id} eur={} usdc={}", terms.requested, terms.usdc);
    }
    Ok(opened)
}

async fn pause(ledger: &Ledger, wanted: Option<bool>) -> Result<bool, Refusal> {
    let paused = ledger.with(move |db| db.set_paused(wanted, clock::now())).await?;
    log::info!("agent_paused paused={paused}");
    Ok(paused)
}

async fn cancel_withdrawal(ledger: &Ledger, id: i64) -> Result<(), Refusal> {
    let now = clock::now();
    ledger.with(move |db| db.cancel_withdrawal(id, now)).await?;
    log::info!("withdrawal_cancelled id={id}");
    Ok(())
}

async fn settle_old_target(ledger: &Ledger, follow: bool) -> Result<(), Refusal> {
    let now = clock::now();
    ledger.with(move |db| db.settle_old_target(follow, now)).await?;
    log::info!("old_target_settled follow={follow}");
    Ok(())
}

/// Constate un retrait que la personne dit avoir sorti, au cours du moment.
async fn taken_out(ledger: &Ledger, sight: &Sight, id: i64, part: Option<Usdc>) -> Result<(), Refusal> {
    let now = clock::now();
    let Some(rate) = sight.rate(now) else { return Err(unknown("the EUR rate")) };
    ledger.with(move |db| db.taken_out(id, part, rate, now)).await?;
    log::info!("withdrawal_taken id={id} said_by=person");
    Ok(())
}

/// Fixe la perte à laquelle tout se vend.
async fn stop_loss(ledger: &Ledger, choice: Choice, understood: bool) -> Result<Option<Limit>, Refusal> {
    let limit = ledger.with(move |db| db.choose_stop_loss(choice, understood)).await?;
    let told = limit.map_or("none".to_owned(), |limit| limit.to_string());
    log::info!("stop_loss_set limit={told:?} set_by={}", choice.set_by().word());
    Ok(limit)
}

fn unknown(reason: &str) -> Refusal {
    Refusal::Unknown(format!(
        "the value is not known now ({reason}): nothing was changed, try again in a few minutes"
    ))
}

async fn enter(
    ledger: &Ledger,
    booking: Booking,
    request: Option<RequestKey>,
    footing: Option<Footing>,
) -> Result<Booked, Refusal> {
    let Some(footing) = footing else {
        let reason =
            "the EUR rate or the hour is not known now, so nothing was booked: try again in a few minutes";
        return Err(Refusal::Unknown(reason.to_owned()));
    };
    let now = clock::now();
    let booked = ledger
        .with(move |db| db.enter(&booking, &footing, request.as_ref(), now))
        .await
        .map_err(Refusal::from)?;
    let Booked { movement, deposited } = booked;
    let (kind, eur, usdc) = (movement.kind.word(), movement.eur, movement.usdc);
    match movement.moved {
        None => log::info!("booked kind={kind} eur={eur} usdc={usdc} deposited_eur={deposited}"),
        Some(moved) => log::info!(
            "booked kind={kind} eur={eur} coin={} quantity={} deposited_eur={deposited}",
            moved.coin,
            moved.quantity
        ),
    }
    Ok(booked)
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
