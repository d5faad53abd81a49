//! Ce que le leader dit à un tour : un signal est écrit s'il est nouveau, et rien n'est conclu de ce qui n'est pas d'aujourd'hui.

use super::Engine;
use super::story::{self, Shown, Story};
use crate::domain::market;
use crate::domain::moment::Moment;
use crate::domain::policy;
use crate::domain::poll::PollOutcome;
use crate::domain::signal::Ages;
use crate::domain::survival::DEAD;
use crate::leader::{LeaderError, Received, Reply};
use crate::ledger::views::Agent;
use crate::ledger::{self, LedgerError, Named, Novelty, Verdict};

/// Tours sans lesquels le leader a pu dire ce que l'on n'a pas entendu.
const DEAF_POLLS: u32 = 3;

impl Engine {
    /// Écrit le signal reçu, s'il est nouveau, et ce qu'il en sera ; rend aussi celui que le leader montre, s'il est valable.
    pub(super) async fn hear(
        &mut self,
        reply: Result<Reply, LeaderError>,
        agent: &Agent,
        now: Moment,
    ) -> Result<(Story, Option<Shown>), LedgerError> {
        let received = match reply {
            Err(error) => return Ok((Story::failed(&error), None)),
            Ok(reply) if agent.paused => {
                self.overhear(&reply, now);
                return Ok((Story::of(PollOutcome::Paused), None));
            }
            Ok(Reply::NoSignal) => return Ok((Story::of(PollOutcome::NoSignal), None)),
            Ok(Reply::Signal(received)) => received,
        };
        let mut entry = self.entry(&received, agent, now);
        let overheard = self.overheard.take().filter(|(id, _)| *id == received.id);
        entry.heard_at = overheard.map_or(now, |(_, at)| at);
        // Une allocation qui a expiré n'est pas à reprendre : la première qui vaut le sera.
        let said = received.verdict.as_ref().ok();
        let expired = said.and_then(|signal| signal.expires_at).filter(|&at| at < now);
        let opens_sync = received.verdict.is_ok()
            && entry.target.is_some()
            && expired.is_none()
            && !agent.dead
            && self.is_blank().await?;
        if opens_sync && received.version == 1 {
            // L'allocation que porte un signal de version 1 est celle d'après ses actions.
            entry.verdict = Verdict::Skipped("its allocation is left to the initial sync".to_owned());
        }
        let verdict = entry.verdict.clone();
        let novelty = self.ledger.with(move |db| db.receive(&entry, opens_sync, now)).await?;
        let mut story = told(&novelty, verdict, &received);
        if let (Novelty::Known(Named { name, .. }), Some(at)) = (&novelty, expired) {
            let reason = story::expired(name, at);
            story = Story { error: Some(reason), ..Story::about(PollOutcome::ExpiredSignal, name) };
        }
        let shown = match (novelty, received.verdict) {
            (Novelty::Fresh(named) | Novelty::Known(named), Ok(signal)) if !agent.dead => {
                Some(Shown { named, signal })
            }
            _ => None,
        };
        Ok((story, shown))
    }

    /// Retient depuis quand le leader montre ce qu'une pause empêche de recevoir : une action y vieillit. Un redémarrage l'oublie.
    fn overhear(&mut self, reply: &Reply, now: Moment) {
        self.overheard = match (reply, self.overheard.take()) {
            (Reply::NoSignal, _) => None,
            (Reply::Signal(shown), Some((id, at))) if id == shown.id => Some((id, at)),
            (Reply::Signal(shown), _) => Some((shown.id.clone(), now)),
        };
    }

    /// Le signal tel que le grand livre le reçoit.
    fn entry(&self, received: &Received, agent: &Agent, now: Moment) -> ledger::Received {
        let signal = received.verdict.as_ref().ok();
        let verdict = match &received.verdict {
            Ok(_) if agent.dead => Verdict::Skipped(DEAD.to_owned()),
            Ok(_) => Verdict::Accepted,
            Err(reason) => Verdict::Rejected(reason.clone()),
        };
        ledger::Received {
            meaning: signal.map(|signal| signal.meaning()),
            signal_id: received.id.clone(),
            version: Some(received.version),
            confidence: received.confidence,
            reasoning: received.reasoning.clone(),
            actions: received.actions_json.clone(),
            portfolio_state: received.portfolio_json.clone(),
            payload: received.payload.clone(),
            heard_at: now,
            target: signal.and_then(|signal| signal.target),
            is_outlived: signal.is_some_and(|signal| signal.outlived(now, now, self.ages()).is_some()),
            said_at: signal.and_then(|signal| signal.said_at),
            expires_at: signal.and_then(|signal| signal.expires_at),
            unheard_since: now.minus((self.manner.poll_interval * DEAF_POLLS).max(market::FRESH)),
            is_old: !self.manner.policy.follow_old_target && signal.is_some_and(|signal| signal.is_old(now)),
            verdict,
        }
    }

    /// Ce qui fait vieillir une action.
    pub(super) fn ages(&self) -> Ages {
        Ages { oldest_action: self.manner.policy.action_age, rhythm: self.manner.poll_interval }
    }

    /// Vrai tant que le suiveur n'a rien : ni synchronisation initiale aboutie, ni position.
    async fn is_blank(&self) -> Result<bool, LedgerError> {
        self.ledger.with(|db| Ok(!db.initial_sync_done()? && db.open_positions()?.is_empty())).await
    }
}

/// Ce que ce signal fait du tour.
fn told(novelty: &Novelty, verdict: Verdict, received: &Received) -> Story {
    let id = &received.id;
    let untaken = |outcome, reason: String| Story { error: Some(reason), ..Story::about(outcome, id) };
    let (name, verdict) = match (novelty, verdict) {
        (Novelty::Fresh(Named { name, .. }), verdict) => (name, verdict),
        (Novelty::Known(_), Verdict::Rejected(reason)) => return untaken(PollOutcome::Rejected, reason),
        (Novelty::Known(_), _) => return Story::about(PollOutcome::AlreadyProcessed, id),
        (Novelty::Old, _) => {
            let reason =
                format!("the leader shows {id} again, which it had replaced: an old answer, not followed");
            return untaken(PollOutcome::OldSignal, reason);
        }
        (Novelty::Changed, Verdict::Rejected(reason)) => return untaken(PollOutcome::Rejected, reason),
        (Novelty::Changed, _) => {
            let reason = format!(
                "the leader changed what {id} asks after it was received: the change is not followed"
            );
            return untaken(PollOutcome::ChangedSignal, reason);
        }
        (Novelty::OneTooMany, _) => {
            let reason = format!(
                "the leader has sent {} signals in a day, more than any honest one: {id} is not followed yet",
                policy::MOST_SIGNALS
            );
            return untaken(PollOutcome::TooManySignals, reason);
        }
    };
    let (outcome, reason) = match verdict {
        Verdict::Accepted => (PollOutcome::Waiting, None),
        Verdict::Rejected(reason) => (PollOutcome::Rejected, Some(reason)),
        Verdict::Skipped(reason) => (PollOutcome::Skipped, Some(reason)),
    };
    log::info!("signal_received id={name:?} outcome={} reason={reason:?}", outcome.word());
    Story { error: reason, ..Story::about(outcome, name) }
}
