//! Ce qu'un plan ne doit pas toucher : les coins et le cash d'ordres en doute, ce qui est déjà décidé, ce que le
//! compte ne tient pas.
//!
//! Lu au grand livre avant chaque plan ; en simulation tout y est vide.

use std::time::Duration;

use crate::domain::cash::Cash;
use crate::domain::doubt::ATTEMPTS;
use crate::domain::intent::State;
use crate::domain::market::{Coin, Pairs, PerCoin};
use crate::domain::moment::Moment;
use crate::domain::money::{Quantity, Usdc};
use crate::domain::order::{Left, Order, Size};
use crate::domain::plan::Want;
use crate::domain::portfolio::Holdings;
use crate::domain::reconcile::{CASH, Shortage};
use crate::domain::recourse::{self, Hand};
use crate::domain::signal::Ages;
use crate::domain::wish;
use crate::ledger::views::Intent;
use crate::ledger::{Db, LedgerError, PendingSignal};

/// Envois que la bourse n'a pas traités, après lesquels un coin est laissé pour ce signal.
const PATIENCE: usize = 5;

/// Ce que la bourse ne traite pas en ce moment (marché fermé, carnet vide, trop de demandes), le souhait d'une personne le
/// retente ensuite à ce pas, tant qu'il attend le marché.
const SLOWLY: Duration = Duration::from_secs(15 * 60);

/// Le plus long pas entre deux tentatives d'une allocation.
const SLOWEST: Duration = Duration::from_secs(3600);

/// Pour quoi l'on planifie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Un signal du leader, encore ouvert.
    Signal,
    /// Le souhait d'une personne : rien n'en est décidé d'avance, et un refus ne l'arrête pas.
    Wish,
    /// L'allocation d'un signal clos : de même, à un pas qui s'allonge.
    Aim,
}

impl Purpose {
    pub fn of(entry: &PendingSignal) -> Purpose {
        if entry.wish.is_some() { Purpose::Wish } else { Purpose::Signal }
    }
}

/// Ce qu'un plan ne doit pas toucher.
#[derive(Debug)]
pub(super) struct Holdback {
    frozen: PerCoin<Option<Left>>,
    decided: PerCoin<bool>,
    wished: bool,
    /// Les ventes en doute dont l'issue se saura sans personne.
    pub(super) selling: Vec<(Coin, Quantity)>,
    /// Pourquoi rien ne s'achète ; `None` si l'on peut.
    no_purchase: Option<Left>,
    shortage: Shortage,
    /// Le cash, et ce que les achats en doute en ont peut-être dépensé.
    cash: Cash,
    /// Vrai si du cash manque aux achats, qu'une vente pas encore faite ou un ordre en doute leur rendra peut-être.
    pub awaits_cash: bool,
}

impl Holdback {
    pub fn read(
        db: &Db,
        signal: i64,
        purpose: Purpose,
        shortage: Shortage,
        (ages, now): (Ages, Moment),
    ) -> Result<Holdback, LedgerError> {
        let doubtful = db.doubtful()?;
        let (tried, decisions) = (db.intents_of(signal)?, db.decisions(signal)?);
        let by_hand = db.left_by_hand(signal)?;
        let frozen = PerCoin::from_fn(|coin| {
            let doubt = doubtful.iter().find(|intent| intent.coin == coin).map(doubted);
            doubt.or_else(|| match purpose {
                Purpose::Wish => worn_out(coin, &tried, now),
                Purpose::Aim if by_hand.contains(&coin) => Some(Left::Settled),
                Purpose::Aim => spaced_out(coin, &tried, ages.rhythm, now),
                Purpose::Signal => exhausted(coin, &tried, ages.oldest_action, now)
                    // Réglé sous un autre signal que celui-ci n'a pas suivi : rien n'en est renvoyé non plus.
                    .or_else(|| by_hand.contains(&coin).then_some(Left::Settled)),
            })
        });
        let selling = doubtful.iter().filter_map(|intent| match intent.size {
            Size::Sell(quantity) if intent.state != State::Stuck => Some((intent.coin, quantity)),
            _ => None,
        });
        let cash = db.cash()?.unwrap_or_default();
        let late = db.late()?.pop().map(|intent| {
            Left::Stuck(format!("an order of {} was executed after it had seemed absent", intent.coin))
        });
        let lack = shortage.usdc;
        let short = lack.missing.is_positive().then_some(Left::AccountShort { asset: CASH, lack });
        Ok(Holdback {
            frozen,
            decided: PerCoin::from_fn(|coin| {
                purpose == Purpose::Signal && decisions.iter().any(|decision| decision.coin == coin)
            }),
            wished: purpose == Purpose::Wish,
            selling: selling.collect(),
            no_purchase: late.or(short),
            shortage,
            cash,
            awaits_cash: false,
        })
    }

    /// Revoit ce qu'un plan laisse : un coin au sort scellé n'est pas rejugé ; celui d'un ordre en doute ne peut pas
    /// l'être encore, même s'il semble n'y avoir rien à faire.
    pub fn review(&self, left: &mut Vec<(Coin, Left)>) {
        left.retain(|(coin, _)| !self.decided[*coin]);
        for (coin, reason) in left {
            let frozen = self.frozen[*coin].clone().filter(|frozen| frozen.is_pending() || self.wished);
            // Une personne n'attend pas un achat : ce que le compte tient de moins est ce qui n'est pas vendu.
            let short = self.short_of(*coin).filter(|_| self.wished);
            if let Some(held_back) = frozen.or(short) {
                *reason = held_back;
            }
        }
    }

    /// Les ventes permises ; une vente que le compte ne couvre pas est ramenée à ce qu'il tient.
    pub fn allow_sales(
        &mut self,
        sales: Vec<Order>,
        holdings: &Holdings,
        pairs: &Pairs,
        left: &mut Vec<(Coin, Left)>,
    ) -> Vec<Order> {
        let mut allowed = Vec::new();
        for order in sales {
            let coin = order.coin();
            match (&self.frozen[coin], order.size()) {
                _ if self.decided[coin] => {}
                (Some(reason), _) => {
                    left.push((coin, reason.clone()));
                    self.awaits_cash |= matches!(reason, Left::InDoubt(_));
                }
                (None, Size::Sell(wanted)) if self.shortage.coins[coin].missing.is_positive() => {
                    let held = holdings.positions[coin].quantity - self.shortage.coins[coin].missing;
                    let covered = Order::sell(coin, wanted, held.max(Quantity::ZERO), pairs).ok();
                    if covered != Some(order) {
                        // Les soldes sont peut-être seulement en retard : le reste, et son cash, attendent.
                        left.extend(self.short_of(coin).map(|reason| (coin, reason)));
                        self.awaits_cash = true;
                    }
                    allowed.extend(covered);
                }
                (None, _) => allowed.push(order),
            }
        }
        allowed
    }

    /// Les achats permis.
    pub fn allow_purchases(&self, wants: Vec<Want>, left: &mut Vec<(Coin, Left)>) -> Vec<Want> {
        let mut allowed = Vec::new();
        for want in wants.into_iter().filter(|want| !self.decided[want.coin]) {
            match self.obstacle(want.coin) {
                Some(reason) => left.push((want.coin, reason)),
                None => allowed.push(want),
            }
        }
        allowed
    }

    fn obstacle(&self, coin: Coin) -> Option<Left> {
        self.frozen[coin].clone().or_else(|| self.no_purchase.clone()).or_else(|| self.short_of(coin))
    }

    /// Les coins dont une personne a réglé un ordre : ils restent ce qu'ils sont.
    pub fn settled(&self) -> PerCoin<bool> {
        PerCoin::from_fn(|coin| self.frozen[coin] == Some(Left::Settled))
    }

    /// Vrai si ce coin n'est pas touché à ce tour.
    pub fn is_frozen(&self, coin: Coin) -> bool {
        self.frozen[coin].is_some()
    }

    /// Ce que le compte tient de moins de ce coin.
    pub fn missing(&self, coin: Coin) -> Quantity {
        self.shortage.coins[coin].missing
    }

    /// Le cash des livres moins ce qu'un achat en doute a peut-être dépensé : ce qu'un retrait peut avoir.
    pub fn spared(&self, booked: Usdc) -> Usdc {
        booked - self.cash.reserved
    }

    /// Ce qui suit le leader : sans ce qu'une personne reprend.
    pub fn followed(&self, holdings: &Holdings) -> Holdings {
        Holdings { cash: self.cash.followed(), ..*holdings }
    }

    /// Ce que le compte tient de ce qui suit le leader ; `None` s'il tient tout.
    pub fn present(&self, followed: &Holdings) -> Option<Holdings> {
        let short = Coin::ALL.into_iter().any(|coin| self.missing(coin).is_positive());
        let mut present = *followed;
        for coin in Coin::ALL {
            let position = &mut present.positions[coin];
            position.quantity = (position.quantity - self.missing(coin)).max(Quantity::ZERO);
        }
        short.then_some(present)
    }

    /// Ce que le compte tient de moins de ce coin ; `None` s'il en tient assez.
    pub fn short_of(&self, coin: Coin) -> Option<Left> {
        let lack = self.shortage.coins[coin];
        lack.missing.is_positive().then_some(Left::AccountShort { asset: coin.asset(), lack })
    }

    /// Retient qu'une de ces ventes sera peut-être encore faite : les achats n'en ont pas eu le cash.
    pub fn await_cash_of(&mut self, unsold: &[(Coin, Left)]) {
        self.awaits_cash |= unsold.iter().any(|(_, left)| matches!(left, Left::InDoubt(_) | Left::Later(_)));
    }

    /// Le cash dont les achats disposent, quand les livres en tiennent `booked`.
    pub fn spendable(&mut self, booked: Usdc) -> Usdc {
        self.cash.booked = booked;
        self.cash.free()
    }

    /// Retient que ces achats auraient eu plus de cash sans un ordre dont l'issue se saura bientôt.
    pub fn await_reserve(&mut self, wants: &[Want]) {
        let in_doubt = self.frozen.iter().any(|(_, left)| matches!(left, Some(Left::InDoubt(_))));
        let wanted: Usdc = wants.iter().map(|want| want.amount).sum();
        self.awaits_cash |= in_doubt && self.cash.reserved.is_positive() && wanted > self.cash.free();
    }

    /// Ce qui retient un signal, en une phrase ; `None` si rien ne le retient plus.
    pub fn told(&self) -> Option<String> {
        let frozen = self.frozen.iter().filter_map(|(coin, left)| Some((coin, left.as_ref()?)));
        let frozen =
            frozen.filter(|(_, left)| left.is_pending()).map(|(coin, left)| format!("{coin}: {left}"));
        let short = Coin::ALL.into_iter().filter_map(|coin| Some(self.short_of(coin)?.to_string()));
        let sentence: Vec<String> =
            frozen.chain(self.no_purchase.iter().map(Left::to_string)).chain(short).collect();
        (!sentence.is_empty()).then(|| sentence.join("; "))
    }
}

/// Pourquoi le coin d'un ordre dont l'issue n'est pas connue n'est pas touché.
pub(super) fn doubted(intent: &Intent) -> Left {
    let reason = intent.reason.clone().unwrap_or_else(|| "its answer is not known yet".to_owned());
    if intent.state == State::Stuck { Left::Stuck(reason) } else { Left::InDoubt(reason) }
}

/// Pourquoi le souhait d'une personne ne tente plus rien pour ce coin ; `None` s'il le peut encore : un refus se corrige
/// souvent de lui-même, cinq non ; ce qu'elle a réglé au dehors a peut-être été vendu.
fn worn_out(coin: Coin, tried: &[Intent], now: Moment) -> Option<Left> {
    if tried.iter().any(|intent| intent.coin == coin && intent.by_hand == Some(Hand::Settled)) {
        return Some(Left::Settled);
    }
    let ended = |state: State| {
        tried
            .iter()
            .filter(move |intent| intent.coin == coin && intent.state == state && intent.sent.is_some())
    };
    let (refused, absent) = (ended(State::Refused).count(), ended(State::Absent).count());
    let unprocessed: Vec<&Intent> = ended(State::Abandoned).collect();
    let last = tried.iter().rfind(|intent| intent.coin == coin && intent.state != State::Filled);
    let told = last.and_then(|intent| intent.reason.clone()).unwrap_or_default();
    let begun = unprocessed.first().map_or(now, |intent| intent.created_at);
    if refused >= PATIENCE || absent >= ATTEMPTS as usize || now.since(begun) >= wish::PATIENCE {
        return Some(Left::Refused(format!("tried {} times: {told}", refused + absent + unprocessed.len())));
    }
    let ended_at = unprocessed.last().filter(|_| unprocessed.len() >= PATIENCE)?.ended_at?;
    (now.since(ended_at) < SLOWLY).then_some(Left::Later(told))
}

/// Pourquoi une allocation ne tente rien pour ce coin à ce tour ; `None` si elle le peut : après un échec elle attend de plus en plus
/// longtemps, jusqu'à une heure, et une heure d'emblée après un refus. Ce qui n'est jamais arrivé attend le signal suivant.
fn spaced_out(coin: Coin, tried: &[Intent], rhythm: Duration, now: Moment) -> Option<Left> {
    let real: Vec<&Intent> =
        tried.iter().filter(|intent| intent.coin == coin && intent.sent.is_some()).collect();
    let absent = real.iter().filter(|intent| intent.state == State::Absent).count();
    if absent >= ATTEMPTS as usize {
        return Some(Left::Refused(format!("sent {absent} times, and it never reached the exchange")));
    }
    let failed: Vec<&Intent> =
        real.into_iter().rev().take_while(|intent| intent.state != State::Filled).collect();
    let (last, first) = (failed.first()?, failed.last()?);
    let ended_at = last.ended_at?;
    let wait = match last.state {
        State::Refused => SLOWEST,
        _ => (ended_at.since(first.created_at) / 2).max(rhythm * PATIENCE as u32).min(SLOWEST),
    };
    let reason = || last.reason.clone().unwrap_or_default();
    (now.since(ended_at) < wait).then(|| Left::Later(reason()))
}

/// Pourquoi ce signal ne tente plus rien pour ce coin ; `None` s'il le peut encore.
fn exhausted(coin: Coin, tried: &[Intent], oldest_action: Duration, now: Moment) -> Option<Left> {
    let real = || tried.iter().filter(|intent| intent.coin == coin && intent.sent.is_some());
    let told = |intent: &Intent| intent.reason.clone().unwrap_or_default();
    if let Some(refused) = real().rfind(|intent| intent.state == State::Refused) {
        return Some(Left::Refused(told(refused)));
    }
    if real().any(|intent| intent.by_hand == Some(Hand::Settled)) {
        return Some(Left::Settled);
    }
    let unexecuted = real().rfind(|intent| matches!(intent.state, State::Absent | State::Abandoned));
    let age = unexecuted.and_then(|intent| intent.origin.action_age(now));
    if let Some(age) = age.filter(|age| recourse::is_too_old(Some(*age), oldest_action)) {
        return Some(Left::TooOld(age));
    }
    // Une personne l'a libéré : à ce signal, il a déjà eu ses tentatives.
    let absent = real().filter(|intent| intent.state == State::Absent).count();
    if absent >= ATTEMPTS as usize {
        return Some(Left::Refused(format!("sent {absent} times, and it never reached the exchange")));
    }
    let abandoned: Vec<&Intent> = real().filter(|intent| intent.state == State::Abandoned).collect();
    let last = abandoned.last().filter(|_| abandoned.len() >= PATIENCE)?;
    Some(Left::Refused(format!("tried {} times: {}", abandoned.len(), told(last))))
}
