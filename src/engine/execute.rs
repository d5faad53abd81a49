//! L'exécution des signaux qui attendent : abandonner ce qu'une interruption a laissé, planifier,
//! vendre, puis acheter avec le cash qui est réellement là, clore.
//!
//! Chaque étape est écrite avant la suivante. Tué n'importe où, le signal est encore `received` : il
//! est planifié à nouveau depuis ce qui est vrai, et ce qui a déjà été échangé n'est pas refait.

use super::Engine;
use super::cycle::DEAD;
use crate::clock;
use crate::domain::market::{Coin, Market, PerCoin};
use crate::domain::order::{Left, Order, Side};
use crate::domain::plan::{self, Plan};
use crate::domain::poll::PollOutcome;
use crate::domain::portfolio::Holdings;
use crate::domain::signal::{INITIAL_SYNC, Instruction, Signal};
use crate::leader;
use crate::ledger::views::Trade;
use crate::ledger::{Decision, LedgerError, Outcome, PendingSignal, SignalStatus};
use crate::paper;

/// Ce qui a été exécuté à ce tour : le dernier signal, et les trades de tous.
#[derive(Debug)]
pub(super) struct Carried {
    pub signal_id: String,
    pub outcome: PollOutcome,
    pub trades: u32,
    pub error: Option<String>,
}

impl Engine {
    /// Exécute les signaux qui attendent, du plus ancien au plus récent ; `None` s'il n'y en a pas.
    pub(super) async fn carry_out_pending(&self, market: &Market) -> Result<Option<Carried>, LedgerError> {
        let pending = self.ledger.with(|db| db.pending()).await?;
        let Some(last) = pending.last() else {
            return Ok(None);
        };
        // Les écrans montrent les prix auxquels on s'apprête à traiter.
        self.keep_readings().await?;
        self.abandon_intents().await?;
        let signals: Vec<Result<Signal, String>> = pending.iter().map(read_again).collect();
        let newest_target = signals.iter().rposition(sets_target);
        let mut carried = Carried {
            signal_id: last.signal_id.clone(),
            outcome: PollOutcome::Executed,
            trades: 0,
            error: None,
        };
        for (rank, (entry, signal)) in pending.iter().zip(signals).enumerate() {
            let superseded = newest_target.filter(|&newest| rank < newest && entry.signal_id != INITIAL_SYNC);
            let left = match (signal, superseded) {
                (_, Some(newest)) => {
                    let by = &pending[newest].signal_id;
                    Ok(all_left(&Left::Superseded(by.clone())))
                }
                (Ok(signal), None) => match self.trade(entry, &signal, market).await {
                    // Contraire à la comptabilité : réessayer donnerait la même chose.
                    Err(LedgerError::Refused(reason)) => Err(reason),
                    done => Ok(done?),
                },
                (Err(reason), None) => Err(reason),
            };
            let (status, trades) = self.close_pending(entry, left).await?;
            carried.trades += trades;
            (carried.outcome, carried.error) = match status {
                SignalStatus::Executed => (PollOutcome::Executed, None),
                SignalStatus::Skipped(reason) => (PollOutcome::Skipped, Some(reason)),
                SignalStatus::Error(reason) => (PollOutcome::Error, Some(reason)),
            };
        }
        Ok(Some(carried))
    }

    /// Abandonne les intentions qui n'ont pas été exécutées.
    async fn abandon_intents(&self) -> Result<(), LedgerError> {
        let now = clock::now();
        let abandoned = self.ledger.with(move |db| db.abandon_intents(now)).await?;
        if abandoned > 0 {
            log::warn!("intents_abandoned count={abandoned}");
        }
        Ok(())
    }

    /// Clôt les signaux qui attendaient quand l'agent est mort.
    pub(super) async fn bury_pending(&self) -> Result<(), LedgerError> {
        for entry in self.ledger.with(|db| db.pending()).await? {
            let now = clock::now();
            let status = SignalStatus::Skipped(DEAD.to_owned());
            self.ledger.with(move |db| db.close_signal(entry.row, &status, &[], now)).await?;
        }
        Ok(())
    }

    /// Vend puis achète ce que le signal demande ; rend ce qui est laissé, avec ses raisons.
    async fn trade(
        &self,
        entry: &PendingSignal,
        signal: &Signal,
        market: &Market,
    ) -> Result<Vec<(Coin, Left)>, LedgerError> {
        let id = entry.signal_id.clone();
        let done = self.ledger.with(move |db| db.trades_of(&id)).await?;
        let instruction = without_done(&signal.instruction, &done);
        let Plan { sales, wants, mut left } =
            plan::plan(&instruction, &self.holdings().await?, market, self.manner.threshold);
        left.extend(self.execute(entry.row, &sales, market).await?);
        let (orders, short) = plan::purchases(&wants, self.holdings().await?.cash, market);
        left.extend(short);
        left.extend(self.execute(entry.row, &orders, market).await?);
        Ok(left)
    }

    async fn holdings(&self) -> Result<Holdings, LedgerError> {
        let unknown = || LedgerError::Refused("the opening is not booked yet".to_owned());
        self.ledger.with(|db| db.holdings()).await?.ok_or_else(unknown)
    }

    /// Écrit les intentions, les exécute, écrit leurs issues ; rend celles qui ont été refusées.
    async fn execute(
        &self,
        signal: i64,
        orders: &[Order],
        market: &Market,
    ) -> Result<Vec<(Coin, Left)>, LedgerError> {
        if orders.is_empty() {
            return Ok(Vec::new());
        }
        let (now, planned) = (clock::now(), orders.to_vec());
        let intents = self.ledger.with(move |db| db.write_intents(signal, &planned, now)).await?;
        let mut refused = Vec::new();
        for (intent, order) in intents.into_iter().zip(orders) {
            let outcome = match paper::execute(order, market) {
                Ok(fill) => Outcome::Filled(fill),
                Err(reason) => {
                    refused.push((order.coin(), Left::Refused(reason.clone())));
                    Outcome::Refused(reason)
                }
            };
            let (now, booked) = (clock::now(), outcome.clone());
            self.ledger.with(move |db| db.book(intent, &booked, now)).await?;
            tell(order, &outcome);
        }
        Ok(refused)
    }

    /// Clôt un signal d'après ses trades et ce qui est laissé ; rend son état et ses trades.
    async fn close_pending(
        &self,
        entry: &PendingSignal,
        left: Result<Vec<(Coin, Left)>, String>,
    ) -> Result<(SignalStatus, u32), LedgerError> {
        let id = entry.signal_id.clone();
        let trades = self.ledger.with(move |db| db.trades_of(&id)).await?;
        let (status, left) = match left {
            Ok(left) => (verdict(&trades, &left), left),
            Err(reason) => {
                self.abandon_intents().await?;
                (SignalStatus::Error(reason), Vec::new())
            }
        };
        log::info!("signal_closed id={:?} status={status:?} trades={}", entry.signal_id, trades.len());
        let (row, now, closing, decisions) =
            (entry.row, clock::now(), status.clone(), decisions(&trades, &left));
        self.ledger.with(move |db| db.close_signal(row, &closing, &decisions, now)).await?;
        Ok((status, trades.len() as u32))
    }
}

fn tell(order: &Order, outcome: &Outcome) {
    match outcome {
        Outcome::Filled(fill) => log::info!(
            "trade side={} coin={} quantity={} price={} amount_usdc={}",
            fill.side.word(),
            fill.coin,
            fill.quantity,
            fill.price,
            fill.amount
        ),
        Outcome::Refused(reason) => {
            log::warn!("order_refused side={} coin={} reason={reason:?}", order.side().word(), order.coin());
        }
    }
}

/// Le signal gardé au grand livre, décodé à nouveau. La synchronisation initiale garde le texte du
/// signal dont elle vient : elle n'en suit que l'allocation.
fn read_again(entry: &PendingSignal) -> Result<Signal, String> {
    let signal = leader::decode(&entry.payload)?.verdict?;
    if entry.signal_id != INITIAL_SYNC {
        return Ok(signal);
    }
    let target = signal.target.ok_or("the signal behind the initial sync has no allocation")?;
    Ok(Signal { id: INITIAL_SYNC.to_owned(), instruction: Instruction::Target(target), target: Some(target) })
}

fn sets_target(signal: &Result<Signal, String>) -> bool {
    matches!(signal, Ok(Signal { instruction: Instruction::Target(_), .. }))
}

/// Les actions de la version 1 moins celles qui sont faites ; une allocation se replanifie entière.
fn without_done(instruction: &Instruction, done: &[Trade]) -> Instruction {
    match instruction {
        Instruction::Target(target) => Instruction::Target(*target),
        Instruction::Actions(actions) => Instruction::Actions(PerCoin::from_fn(|coin| {
            actions[coin].filter(|_| !done.iter().any(|trade| trade.coin == coin))
        })),
    }
}

fn all_left(reason: &Left) -> Vec<(Coin, Left)> {
    Coin::ALL.into_iter().map(|coin| (coin, reason.clone())).collect()
}

/// `executed` s'il y a eu des trades ou s'il n'y avait rien à faire, `skipped` si rien n'a pu l'être,
/// `error` si la bourse a refusé ce que nous croyions juste.
fn verdict(trades: &[Trade], left: &[(Coin, Left)]) -> SignalStatus {
    let obstacles: Vec<&(Coin, Left)> = left.iter().filter(|(_, reason)| reason.is_obstacle()).collect();
    if !trades.is_empty() || obstacles.is_empty() {
        return SignalStatus::Executed;
    }
    let sentence: Vec<String> = obstacles.iter().map(|(coin, reason)| format!("{coin}: {reason}")).collect();
    let refused = obstacles.iter().any(|(_, reason)| matches!(reason, Left::Refused(_)));
    if refused {
        SignalStatus::Error(sentence.join("; "))
    } else {
        SignalStatus::Skipped(sentence.join("; "))
    }
}

/// Une décision par coin : ce qui a été échangé l'emporte sur ce qui a été laissé ensuite.
fn decisions(trades: &[Trade], left: &[(Coin, Left)]) -> Vec<Decision> {
    let kept = left.iter().map(|(coin, reason)| Decision {
        coin: *coin,
        decision: "left",
        code: reason.code(),
        reason: reason.to_string(),
    });
    let traded = trades.iter().map(|trade| Decision {
        coin: trade.coin,
        decision: if trade.side == Side::Buy { "bought" } else { "sold" },
        code: "traded",
        reason: format!("{} for {:.2} USDC at {}", trade.quantity, trade.amount, trade.price),
    });
    kept.chain(traded).collect()
}
