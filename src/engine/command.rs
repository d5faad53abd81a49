//! Une commande de l'utilisateur : pause, argent à compter ou à reprendre, tout vendre, perte à ne pas dépasser, ordre à finir ; et ce que
//! le moteur en fait.

use smol::channel::Sender;

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

pub(super) type Reply<T> = Sender<Result<T, Refusal>>;

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
