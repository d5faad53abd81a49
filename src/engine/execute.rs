//! L'exécution des signaux qui attendent : reprendre ce qu'une interruption a laissé, planifier, vendre, puis
//! acheter avec le cash qui est réellement là, clore.
//!
//! Chaque étape est écrite avant la suivante. Tué n'importe où, le signal est encore `received` : il
//! est planifié à nouveau depuis ce qui est vrai, et ce qui a déjà été échangé n'est pas refait. Un coin dont un
//! ordre est en doute n'est pas touché ; les autres vont leur chemin, et le signal attend.

use rust_decimal::{Decimal, dec};

use super::Engine;
use super::holdback::{self, Holdback, Purpose};
use super::standing::{dropped, held, in_time};
use super::story::{Carried, Shown};
use crate::clock;
use crate::domain::aim::Cause;
use crate::domain::market::{Coin, Market, Pairs, PerCoin};
use crate::domain::money::{Rate, Weight};
use crate::domain::order::{self, Left, Order, Side, Size};
use crate::domain::plan::{self, Plan, Want};
use crate::domain::poll::PollOutcome;
use crate::domain::portfolio::Holdings;
use crate::domain::signal::{Instruction, Signal};
use crate::domain::survival::DEAD;
use crate::domain::turnover;
use crate::domain::wish::Wish;
use crate::ledger::views::Trade;
use crate::ledger::{Db, Decision, LedgerError, PendingSignal, SignalStatus};

/// La part d'un achat voulu qui en fait un achat entier : le reste n'est que d'arrondis.
const NEARLY_ALL: Decimal = dec!(0.99);

/// Ce qu'un plan a laissé, et les coins que le signal attend encore.
#[derive(Debug, Default)]
pub(super) struct Remainder {
    pub left: Vec<(Coin, Left)>,
    pub pending: Vec<(Coin, Left)>,
}

impl Engine {
    /// Exécute les signaux qui attendent, du plus ancien au plus récent ; `None` s'il n'y en a pas.
    pub(super) async fn carry_out_pending(
        &mut self,
        market: &Market,
        shown: Option<&Shown>,
    ) -> Result<Option<Carried>, LedgerError> {
        let pending = self.ledger.with(|db| db.due()).await?;
        if pending.is_empty() {
            return Ok(None);
        }
        // Les écrans montrent les prix auxquels on s'apprête à traiter.
        self.keep_readings().await?;
        self.ledger.with(|db| db.interrupt_intents(clock::now())).await?;
        let ages = self.ages();
        let (pending, signals) = in_time(pending, ages);
        let (mut carried, mut trades) = (None, 0);
        let dropped = dropped(&pending, &signals, shown, (clock::now(), ages));
        for ((entry, signal), why) in pending.iter().zip(signals).zip(dropped) {
            let held = signal.as_ref().ok().and_then(|signal| held(entry, signal, shown));
            if let (None, Some(reason)) = (&why, held) {
                let (row, kept) = (entry.row, reason.clone());
                self.ledger.with(move |db| db.hold(row, &kept)).await?;
                // D'un leader qui se tait, le silence est l'issue du tour.
                let story = shown.map(|_| (entry.signal_id.clone(), PollOutcome::Waiting, Some(reason)));
                carried = carried.or(story);
                continue;
            }
            let remainder = match (signal, why) {
                (_, Some(why)) => Ok(self.drop(entry, &why).await?),
                (Ok(signal), None) => match self.trade(entry, &signal, market).await {
                    // Contraire à la comptabilité : réessayer donnerait la même chose.
                    Err(LedgerError::Refused(reason)) => Err(reason),
                    done => Ok(done?),
                },
                (Err(reason), None) => Err(reason),
            };
            let (status, made) = self.settle(entry, remainder, market.rate).await?;
            trades += made;
            let (outcome, error) = match status {
                None => (PollOutcome::Waiting, self.told_pending(entry).await?),
                Some(SignalStatus::Executed) => (PollOutcome::Executed, None),
                Some(SignalStatus::Skipped(reason)) => (PollOutcome::Skipped, Some(reason)),
                Some(SignalStatus::Error(reason)) => (PollOutcome::Error, Some(reason)),
            };
            carried = Some((entry.signal_id.clone(), outcome, error));
        }
        Ok(carried.map(|(signal_id, outcome, error)| Carried { signal_id, outcome, trades, error }))
    }

    /// Clôt les signaux qui attendaient quand l'agent est mort ; le souhait d'une personne lui survit.
    pub(super) async fn bury_pending(&self) -> Result<(), LedgerError> {
        let pending = self.ledger.with(|db| db.pending()).await?;
        for entry in pending.into_iter().filter(|entry| entry.wish.is_none()) {
            let now = clock::now();
            let status = SignalStatus::Skipped(DEAD.to_owned());
            self.ledger.with(move |db| db.close_signal(entry.row, &status, &[], now)).await?;
        }
        Ok(())
    }

    /// Ce qui reste d'un signal que l'on ne suit plus : rien, sauf l'ordre dont l'issue n'est pas connue.
    async fn drop(&self, entry: &PendingSignal, why: &Left) -> Result<Remainder, LedgerError> {
        let row = entry.row;
        let doubtful = self.ledger.with(move |db| db.doubtful()).await?;
        let pending = doubtful.iter().filter(|intent| intent.signal == row);
        let pending = pending.map(|intent| (intent.coin, holdback::doubted(intent))).collect();
        let left = Coin::ALL.into_iter().map(|coin| (coin, why.clone())).collect();
        Ok(Remainder { left, pending })
    }

    /// Vend puis achète ce que le signal demande ; rend ce qui est laissé, avec ses raisons.
    pub(super) async fn trade(
        &mut self,
        entry: &PendingSignal,
        signal: &Signal,
        market: &Market,
    ) -> Result<Remainder, LedgerError> {
        let done = self.trades_of(&entry.signal_id).await?;
        let instruction = without_done(&signal.instruction, &done);
        let holdback = self.holdback(entry.row, Purpose::of(entry)).await?;
        let holdings = self.holdings().await?;
        let plan = match entry.wish {
            Some(_) => plan::plan(&instruction, &holdback.sellable(&holdings, market), market, Weight::ZERO),
            None => {
                let followed = holdback.followed(&holdings);
                let plan = self.plan(&instruction, &followed, &holdback, market);
                match followed.value(market) {
                    Some(value) => {
                        turnover::within(plan, self.spare(&value, Cause::Signal).await?, &market.pairs)
                    }
                    None => plan,
                }
            }
        };
        let mut remainder = self.fulfil(entry.row, (&instruction, plan), holdback, &market.pairs).await?;
        if entry.wish.is_some() {
            remainder.pending.clear();
            self.await_wish(entry, &instruction, market, &mut remainder).await?;
        }
        Ok(remainder)
    }

    /// Vend, puis achète avec le cash qui est là, ce que ce plan d'une consigne demande au nom de ce signal ; rend ce qui est laissé.
    pub(super) async fn fulfil(
        &mut self,
        signal: i64,
        (instruction, plan): (&Instruction, Plan),
        mut holdback: Holdback,
        pairs: &Pairs,
    ) -> Result<Remainder, LedgerError> {
        let Plan { sales, wants, left, .. } = plan;
        let mut remainder = Remainder { left, pending: Vec::new() };
        holdback.review(&mut remainder.left);
        let holdings = self.holdings().await?;
        let planned = sales.clone();
        let sales = holdback.allow_sales(sales, &holdings, pairs, &mut remainder.left);
        let unsold = self.execute(signal, &sales, pairs).await?;
        holdback.await_cash_of(&unsold);
        let wanted = holdback.allow_purchases(wants, &mut remainder.left);
        let holdings = self.holdings().await?;
        let cash = holdback.spendable(holdings.cash);
        let is_sold = sales == planned && unsold.is_empty();
        let wants = match instruction {
            Instruction::Target(target) if !is_sold => {
                // Une vente n'a pas rendu ce que les achats en attendaient.
                let (followed, threshold) = (holdback.followed(&holdings), self.manner.policy.threshold);
                let (wants, left) = plan::reviewed(&wanted, target, &followed, pairs, threshold);
                remainder.left.extend(left);
                wants
            }
            _ => wanted.clone(),
        };
        remainder.left.extend(unsold);
        holdback.await_reserve(&wanted);
        let (orders, short) = plan::purchases(instruction, &wants, cash, pairs);
        remainder.left.extend(short);
        remainder.left.extend(self.execute(signal, &orders, pairs).await?);
        remainder.pending = remainder.left.iter().filter(|(_, left)| left.is_pending()).cloned().collect();
        if holdback.awaits_cash {
            // Un achat qui a eu tout ce qu'il voulait n'attend rien de plus.
            let funded = |want: &&Want| orders.iter().any(|order| is_whole(order, want));
            let short = wanted.iter().filter(|want| !funded(want));
            remainder.pending.extend(short.map(|want| (want.coin, Left::CashAwaited)));
        }
        Ok(remainder)
    }

    /// Le plan d'une consigne du leader. Ce que le compte ne tient plus n'est pas compté pour acheter davantage d'autre chose ; ce n'est
    /// peut-être qu'un retard, dont rien de plus ne se vend.
    pub(super) fn plan(
        &self,
        instruction: &Instruction,
        followed: &Holdings,
        holdback: &Holdback,
        market: &Market,
    ) -> Plan {
        let plan_of =
            |holdings: &Holdings| plan::plan(instruction, holdings, market, self.manner.policy.threshold);
        match holdback.present(followed) {
            Some(present) => plan_of(followed).buying_no_more_than(&plan_of(&present)),
            None => plan_of(followed),
        }
    }

    pub(super) async fn trades_of(&self, signal: &str) -> Result<Vec<Trade>, LedgerError> {
        let id = signal.to_owned();
        self.ledger.with(move |db| db.trades_of(&id)).await
    }

    pub(super) async fn holdback(&self, signal: i64, purpose: Purpose) -> Result<Holdback, LedgerError> {
        let (shortage, ages, now) = (self.venue.shortage(), self.ages(), clock::now());
        self.ledger.with(move |db| Holdback::read(db, signal, purpose, shortage, (ages, now))).await
    }

    pub(super) async fn holdings(&self) -> Result<Holdings, LedgerError> {
        self.ledger.with(|db| db.holdings()).await?.ok_or_else(unopened)
    }

    /// Clôt un signal d'après ses trades et ce qui est laissé, ou retient ce qui en est déjà décidé s'il attend
    /// encore un coin (`None`) ; rend son état et ses trades.
    pub(super) async fn settle(
        &self,
        entry: &PendingSignal,
        remainder: Result<Remainder, String>,
        rate: Rate,
    ) -> Result<(Option<SignalStatus>, u32), LedgerError> {
        let (id, row, wish) = (entry.signal_id.clone(), entry.row, entry.wish);
        let (trades, before) =
            self.ledger.with(move |db| Ok((db.trades_of(&id)?, db.decisions(row)?))).await?;
        let count = trades.len() as u32;
        let now = clock::now();
        let (status, decisions) = match remainder {
            Ok(Remainder { left, pending }) => {
                let mut decisions = decisions(&trades, &left);
                if wish.is_some() {
                    // Ce qui a été vendu d'un coin ne dit pas pourquoi le reste ne l'est pas.
                    decisions.sort_by_key(|decision| order::is_obstacle(&decision.code));
                }
                if !pending.is_empty() {
                    let decided = without(decisions, &pending);
                    self.ledger.with(move |db| db.decide(row, &decided, &awaited(&pending))).await?;
                    return Ok((None, count));
                }
                let all: Vec<Decision> = before.into_iter().chain(decisions).collect();
                (verdict(&trades, &all), all)
            }
            Err(reason) => {
                self.ledger.with(|db| db.interrupt_intents(clock::now())).await?;
                let told = |coin: &Coin| before.iter().any(|decision| decision.coin == *coin);
                let untold = Coin::ALL.into_iter().filter(|coin| !told(coin));
                let left: Vec<(Coin, Left)> =
                    untold.map(|coin| (coin, Left::Refused(reason.clone()))).collect();
                (SignalStatus::Error(reason), decisions(&trades, &left))
            }
        };
        log::info!("signal_closed id={:?} status={status:?} trades={count}", entry.signal_id);
        let closing = status.clone();
        let close = move |db: &mut Db| match wish {
            Some(Wish::Withdrawal) => db.close_withdrawal(row, &closing, &decisions, rate, now),
            _ => db.close_signal(row, &closing, &decisions, now),
        };
        self.ledger.with(close).await?;
        Ok((Some(status), count))
    }

    /// Ce qu'un signal attend, en une phrase.
    async fn told_pending(&self, entry: &PendingSignal) -> Result<Option<String>, LedgerError> {
        Ok(self.holdback(entry.row, Purpose::of(entry)).await?.told())
    }
}

/// Vrai si cet ordre achète tout ce qui était voulu, aux arrondis près.
fn is_whole(order: &Order, want: &Want) -> bool {
    let whole = want.amount.times(NEARLY_ALL);
    order.coin() == want.coin && matches!(order.size(), Size::Spend(amount) if amount >= whole)
}

/// Les décisions des coins qui n'attendent plus rien.
fn without(decisions: Vec<Decision>, pending: &[(Coin, Left)]) -> Vec<Decision> {
    let waits = |coin: Coin| pending.iter().any(|(pending, _)| *pending == coin);
    decisions.into_iter().filter(|decision| !waits(decision.coin)).collect()
}

/// Ce que chaque coin attend ; d'un coin qui attend deux choses, la première.
fn awaited(pending: &[(Coin, Left)]) -> Vec<Decision> {
    let of = |coin: Coin| pending.iter().find(|(pending, _)| *pending == coin);
    let waits = Coin::ALL.into_iter().filter_map(of);
    waits.map(|(coin, reason)| unsettled(*coin, "waiting", reason)).collect()
}

/// Les actions de la version 1 moins celles qui sont faites ; une allocation se replanifie entière.
fn without_done(instruction: &Instruction, done: &[Trade]) -> Instruction {
    match instruction {
        Instruction::Target(target) => Instruction::Target(*target),
        Instruction::Raise(amount) => Instruction::Raise(*amount),
        Instruction::Actions(actions) => Instruction::Actions(PerCoin::from_fn(|coin| {
            actions[coin].filter(|_| !done.iter().any(|trade| trade.coin == coin))
        })),
    }
}

/// `executed` s'il y a eu des trades ou s'il n'y avait rien à faire, `skipped` si rien n'a pu l'être,
/// `error` si la bourse a refusé ce que nous croyions juste.
fn verdict(trades: &[Trade], decisions: &[Decision]) -> SignalStatus {
    let obstacles: Vec<&Decision> =
        decisions.iter().filter(|decision| order::is_obstacle(&decision.code)).collect();
    if !trades.is_empty() || obstacles.is_empty() {
        return SignalStatus::Executed;
    }
    let sentence: Vec<String> =
        obstacles.iter().map(|decision| format!("{}: {}", decision.coin, decision.reason)).collect();
    if obstacles.iter().any(|decision| decision.code == "refused") {
        SignalStatus::Error(sentence.join("; "))
    } else {
        SignalStatus::Skipped(sentence.join("; "))
    }
}

/// Une décision par coin : ce qui a été échangé l'emporte sur ce qui a été laissé ensuite.
pub(super) fn decisions(trades: &[Trade], left: &[(Coin, Left)]) -> Vec<Decision> {
    let kept = left.iter().map(|(coin, reason)| unsettled(*coin, "left", reason));
    let traded = trades.iter().map(|trade| Decision {
        coin: trade.coin,
        decision: if trade.side == Side::Buy { "bought" } else { "sold" }.to_owned(),
        code: "traded".to_owned(),
        reason: format!("{} for {:.2} USDC at {}", trade.quantity, trade.amount, trade.price),
    });
    kept.chain(traded).collect()
}

fn unsettled(coin: Coin, decision: &str, reason: &Left) -> Decision {
    let (code, reason) = (reason.code().to_owned(), reason.to_string());
    Decision { coin, decision: decision.to_owned(), code, reason }
}

/// Rien n'est encore tenu dont on puisse planifier.
pub(super) fn unopened() -> LedgerError {
    LedgerError::Refused("the opening is not booked yet".to_owned())
}
