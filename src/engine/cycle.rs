//! Un tour : demander au leader et à la bourse, recevoir le signal, exécuter ce qui attend, évaluer.
//!
//! Rien n'est exécuté sans marché complet et cash connu ; un signal reçu attend alors, au grand
//! livre, le tour suivant.

use smol::future::zip;

use super::Engine;
use super::execute::Carried;
use crate::clock;
use crate::domain::market::{self, Coin, Market, Unknown};
use crate::domain::moment::Moment;
use crate::domain::poll::PollOutcome;
use crate::domain::reconcile::Reconciliation;
use crate::domain::signal::Signal;
use crate::domain::survival::{Averages, DEAD};
use crate::exchange::{AccountState, Trouble};
use crate::leader::{LeaderError, Received, Reply};
use crate::ledger::views::Agent;
use crate::ledger::{self, CycleRecord, Db, Fate, LedgerError, Novelty, Verdict};

/// Ce qu'un tour aura à dire de lui.
#[derive(Debug)]
struct Story {
    outcome: PollOutcome,
    signal_id: Option<String>,
    trades: Option<u32>,
    error: Option<String>,
    leader_error: Option<String>,
}

impl Story {
    fn of(outcome: PollOutcome) -> Story {
        Story { outcome, signal_id: None, trades: None, error: None, leader_error: None }
    }

    fn about(outcome: PollOutcome, signal_id: &str) -> Story {
        Story { signal_id: Some(signal_id.to_owned()), ..Story::of(outcome) }
    }
}

impl Engine {
    /// Fait un tour complet et l'écrit au grand livre.
    pub(super) async fn cycle(&mut self) -> Result<(), LedgerError> {
        let begun = clock::now();
        let (reply, account) = self.observe().await;
        let now = clock::now();
        self.open_account(account.as_ref(), now).await?;
        let reconciliation = self.reconcile(account).await?;
        self.watch_withdrawal(reconciliation, begun).await?;
        let agent = self.ledger.with(|db| db.agent()).await?;
        let mut story = self.receive(reply, &agent, now).await?;
        let market = self.market(now).await?;
        if let Ok(market) = &market {
            self.venue.sweep(market).await?;
        }
        self.tell_trouble(&story, &market);
        let buried = if agent.dead { self.bury_pending().await } else { Ok(()) };
        let followed = match buried {
            Ok(()) => self.follow(&market, &mut story, begun).await,
            failed => failed,
        };
        if let Err(error) = followed {
            log::error!("signal_not_finished reason={error}");
            story.outcome = PollOutcome::Error;
            story.error = Some(error.to_string());
        }
        self.venue.heed_movements().await?;
        self.close(story, market.ok(), now).await
    }

    /// Interroge en même temps le leader, la bourse et, s'il est réel, le compte.
    async fn observe(&mut self) -> (Result<Reply, LeaderError>, Option<Result<AccountState, Trouble>>) {
        let outside = zip(self.leader.poll(clock::now()), self.sight.renewed(&self.exchange));
        let all = zip(outside, self.venue.read());
        let ((reply, sight), account) = self.reception.during(&self.sight, all).await;
        self.take_in(sight);
        (reply, account)
    }

    async fn reconcile(
        &mut self,
        account: Option<Result<AccountState, Trouble>>,
    ) -> Result<Option<Reconciliation>, LedgerError> {
        let reconciliation = self.venue.reconcile(account).await?;
        self.sight.heed_comparison(&self.venue);
        Ok(reconciliation)
    }

    /// Compte le capital, s'il ne l'est pas, dès que le cours de l'euro est su et, s'il est réel, que le compte est lu.
    async fn open_account(
        &mut self,
        account: Option<&Result<AccountState, Trouble>>,
        now: Moment,
    ) -> Result<(), LedgerError> {
        let (Some(rate), true) = (self.sight.rate(now), self.holds_nothing().await?) else {
            return Ok(());
        };
        let there = match self.venue.capital(account) {
            Ok(there) => there,
            Err(reason) => {
                self.unopened = Some(reason);
                return Ok(());
            }
        };
        let readings = self.sight.rows();
        let open = move |db: &mut Db| {
            // Ce qu'une base reprise tient déjà est évalué avec son cash.
            db.keep_readings(&readings)?;
            db.book_opening(rate, there, now)
        };
        self.unopened = match self.ledger.with(open).await {
            Ok(Some(cash)) => {
                log::info!("account_opened cash_usdc={cash} rate={rate}");
                None
            }
            Ok(None) => None,
            Err(LedgerError::Refused(reason)) => {
                if self.unopened.as_ref().is_some_and(|told| *told != reason) {
                    self.venue.heed_capital();
                }
                Some(reason)
            }
            Err(error) => return Err(error),
        };
        Ok(())
    }

    async fn holds_nothing(&self) -> Result<bool, LedgerError> {
        Ok(self.ledger.with(|db| db.holdings()).await?.is_none())
    }

    /// Le marché complet, ou ce qui manque, cash compris.
    async fn market(&self, now: Moment) -> Result<Result<Market, Vec<Unknown>>, LedgerError> {
        let market = self.sight.known(now);
        if market.is_ok() && self.holds_nothing().await? {
            let reason = self.unopened.clone().unwrap_or_else(|| "the opening is not booked yet".to_owned());
            return Ok(Err(vec![Unknown { what: "cash".to_owned(), reason, since: None }]));
        }
        Ok(market)
    }

    /// Écrit le signal reçu, s'il est nouveau, et ce qu'il en sera.
    async fn receive(
        &self,
        reply: Result<Reply, LeaderError>,
        agent: &Agent,
        now: Moment,
    ) -> Result<Story, LedgerError> {
        let received = match reply {
            Err(error) => return Ok(failed(&error)),
            Ok(_) if agent.paused => return Ok(Story::of(PollOutcome::Paused)),
            Ok(Reply::NoSignal) => return Ok(Story::of(PollOutcome::NoSignal)),
            Ok(Reply::Signal(received)) => received,
        };
        let mut entry = entry(&received);
        let carries_target = received.verdict.as_ref().is_ok_and(|signal| signal.target.is_some());
        let rhythm = self.manner.poll_interval;
        let outlived = |signal: &Signal| signal.outlived(now, now, rhythm).is_some();
        entry.is_outlived = received.verdict.as_ref().is_ok_and(outlived);
        // Une allocation qui a expiré n'est pas à reprendre : la première qui vaut le sera.
        let opens_sync = carries_target && !entry.is_outlived && !agent.dead && self.is_blank().await?;
        if agent.dead && matches!(entry.verdict, Verdict::Accepted) {
            entry.verdict = Verdict::Skipped(DEAD.to_owned());
        } else if opens_sync && received.version == 1 {
            // L'allocation que porte un signal de version 1 est celle d'après ses actions.
            entry.verdict = Verdict::Skipped("the initial sync takes over its allocation".to_owned());
        }
        let verdict = entry.verdict.clone();
        let novelty = self.ledger.with(move |db| db.receive(&entry, opens_sync, now)).await?;
        let untaken =
            |outcome, reason: String| Story { error: Some(reason), ..Story::about(outcome, &received.id) };
        let name = match (novelty, verdict.clone()) {
            (Novelty::Fresh(name), _) => name,
            (Novelty::Known, _) => return Ok(Story::about(PollOutcome::AlreadyProcessed, &received.id)),
            (Novelty::Old, _) => {
                let reason = format!(
                    "the leader shows {} again, which it had replaced: an old answer, not followed",
                    received.id
                );
                return Ok(untaken(PollOutcome::OldSignal, reason));
            }
            (Novelty::Changed, Verdict::Rejected(reason)) => {
                return Ok(untaken(PollOutcome::Rejected, reason));
            }
            (Novelty::Changed, _) => {
                let reason = format!(
                    "the leader changed the actions of {} after they were received: they are not followed",
                    received.id
                );
                return Ok(untaken(PollOutcome::ChangedSignal, reason));
            }
        };
        let (outcome, reason) = match verdict {
            Verdict::Accepted => (PollOutcome::Waiting, None),
            Verdict::Rejected(reason) => (PollOutcome::Rejected, Some(reason)),
            Verdict::Skipped(reason) => (PollOutcome::Skipped, Some(reason)),
        };
        log::info!("signal_received id={name:?} outcome={} reason={reason:?}", outcome.word());
        Ok(Story { error: reason, ..Story::about(outcome, &name) })
    }

    /// Vrai tant que le suiveur n'a rien : ni synchronisation initiale aboutie, ni position.
    async fn is_blank(&self) -> Result<bool, LedgerError> {
        self.ledger.with(|db| Ok(!db.initial_sync_done()? && db.open_positions()?.is_empty())).await
    }

    /// Exécute les signaux qui attendent, si tout est connu.
    async fn follow(
        &mut self,
        market: &Result<Market, Vec<Unknown>>,
        story: &mut Story,
        begun: Moment,
    ) -> Result<(), LedgerError> {
        let obstacle = match market {
            // D'un fichier qui n'est plus à sa place, ce qui se ferait serait perdu.
            Ok(market) => {
                let outside = self.venue.obstacle().or_else(|| self.venue.out_of_date(market, begun));
                self.ledger.displaced().or(outside)
            }
            Err(unknown) => Some(market::told(unknown)),
        };
        match (market, obstacle) {
            (Ok(market), None) => {
                if let Some(carried) = self.carry_out_pending(market).await? {
                    let Carried { signal_id, outcome, trades, error } = carried;
                    story.outcome = outcome;
                    story.signal_id = Some(signal_id);
                    story.trades = Some(trades);
                    story.error = error;
                    if trades > 0 {
                        let account = self.reception.during(&self.sight, self.venue.read()).await;
                        self.reconcile(account).await?;
                    }
                }
            }
            (_, Some(reason)) if !self.ledger.with(|db| db.due()).await?.is_empty() => {
                story.outcome = PollOutcome::Waiting;
                story.error = Some(reason.clone());
                self.ledger.with(move |db| db.postpone(&reason)).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn close(&mut self, story: Story, market: Option<Market>, now: Moment) -> Result<(), LedgerError> {
        let readings = self.sight.rows();
        let averages = self.witness(market.as_ref()).await?;
        let fate = self
            .ledger
            .with(move |db| {
                let known = market.zip(db.holdings()?);
                let averaged = known.as_ref().zip(averages);
                let averaged = averaged.and_then(|((_, holdings), averages)| averages.value(holdings));
                let valuation = known.map(|(market, holdings)| holdings.value(&market));
                let record = CycleRecord {
                    outcome: story.outcome.word(),
                    signal_id: story.signal_id,
                    trades: story.trades,
                    error: story.error,
                    leader_error: story.leader_error,
                    readings,
                    valuation,
                    averaged,
                };
                db.close_cycle(&record, now)
            })
            .await?;
        match fate {
            Some(Fate::Dead) => log::error!("agent_dead reason=\"value below 5 EUR\""),
            Some(Fate::StoppedOut(reason)) => {
                log::error!("stop_loss_reached reason={reason:?}");
                // Ce qui est à vendre n'attend pas le tour d'après.
                self.next_poll = clock::instant();
            }
            None => {}
        }
        Ok(())
    }

    /// Les prix moyens, si une évaluation basse pourrait tuer ou tout vendre : ils la confirment ou la démentent. Rien ne se juge d'un compte qui
    /// n'a pas été lu : ce que disent les livres n'y est peut-être plus.
    async fn witness(&mut self, market: Option<&Market>) -> Result<Option<Averages>, LedgerError> {
        let Some(market) = market.filter(|_| self.venue.is_compared()) else { return Ok(None) };
        let (holdings, judged) = self.ledger.with(|db| Ok((db.holdings()?, db.is_judged()?))).await?;
        let Some(holdings) = holdings.filter(|_| judged) else { return Ok(None) };
        let total = holdings.value(market).total_eur;
        if !self.ledger.with(move |db| db.is_at_stake(total)).await? {
            return Ok(None);
        }
        let held = Coin::ALL.into_iter().filter(|coin| !holdings.positions[*coin].quantity.is_zero());
        let held: Vec<Coin> = held.collect();
        let averages = self.reception.during(&self.sight, self.exchange.averages(&held)).await;
        if let Err(trouble) = &averages {
            log::warn!("value_not_judged reason=\"the average prices could not be read: {trouble}\"");
        }
        Ok(averages.ok())
    }

    /// Dit une panne au journal quand elle commence, change ou finit.
    fn tell_trouble(&mut self, story: &Story, market: &Result<Market, Vec<Unknown>>) {
        let strange = matches!(story.outcome, PollOutcome::OldSignal | PollOutcome::ChangedSignal);
        let said = story.leader_error.as_ref().or(story.error.as_ref().filter(|_| strange));
        let leader = said.map(|reason| format!("leader: {reason}"));
        let unknown = market.as_ref().err().map(|unknown| market::told(unknown));
        let parts: Vec<String> = [leader, unknown, self.venue.obstacle()].into_iter().flatten().collect();
        let trouble = (!parts.is_empty()).then(|| parts.join("; "));
        if trouble != self.trouble {
            match &trouble {
                Some(reason) => log::warn!("not_following reason={reason:?}"),
                None => log::info!("following_again"),
            }
            self.trouble = trouble;
        }
    }
}

fn failed(error: &LeaderError) -> Story {
    let outcome = match error {
        LeaderError::Unreachable(_) => PollOutcome::LeaderUnreachable,
        LeaderError::Refused(_) => PollOutcome::LeaderRefused,
        LeaderError::InvalidSignal(_) => PollOutcome::InvalidSignal,
    };
    Story { error: Some(error.to_string()), leader_error: Some(error.to_string()), ..Story::of(outcome) }
}

fn entry(received: &Received) -> ledger::Received {
    let (target, verdict) = match &received.verdict {
        Ok(Signal { target, .. }) => (*target, Verdict::Accepted),
        Err(reason) => (None, Verdict::Rejected(reason.clone())),
    };
    ledger::Received {
        meaning: received.verdict.as_ref().ok().map(Signal::meaning),
        signal_id: received.id.clone(),
        version: Some(received.version),
        confidence: received.confidence,
        reasoning: received.reasoning.clone(),
        actions: received.actions_json.clone(),
        portfolio_state: received.portfolio_json.clone(),
        payload: received.payload.clone(),
        target,
        is_outlived: false,
        verdict,
    }
}
