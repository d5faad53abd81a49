//! La poursuite : ce que l'allocation du leader demande encore une fois son signal clos, et ce qui en écarte ensuite.
//!
//! Ce qui n'a pas pu se faire (paire arrêtée, ordre à moitié servi, refus, borne d'un jour) est tenté de nouveau, sans bruit ; de
//! l'argent qui vient ou part est mis au travail ; un écart que les prix ont creusé est corrigé s'il en vaut le coût. Invariants :
//! rien n'est visé que le leader ne montre à ce tour, ni de ce qui a expiré ; un signal clos garde son statut ; ce qui s'échange
//! porte son nom, et la borne d'un jour tient pour tout.

use rust_decimal::{Decimal, dec};

use super::Engine;
use super::actions::effective;
use super::arrived::Pursued;
use super::execute::{Remainder, decisions, unopened};
use super::holdback::{Holdback, Purpose};
use super::story::{Carried, Shown};
use crate::clock;
use crate::domain::aim::{self, Aim, Cause};
use crate::domain::market::{Coin, Market};
use crate::domain::order::{self, Left};
use crate::domain::plan::Plan;
use crate::domain::policy;
use crate::domain::poll::PollOutcome;
use crate::domain::portfolio::{Holdings, Valuation};
use crate::domain::signal::{Instruction, Target};
use crate::domain::turnover::{self, Spare};
use crate::ledger::{Db, Decision, LedgerError};

/// Ce que les prix seuls font échanger en un jour, en part de ce que le leader peut en faire échanger.
const PART_OF_DRIFT: Decimal = dec!(0.333);

/// Où l'on en est de ce que l'on vise.
struct Course {
    aim: Aim,
    /// D'autres signaux ont pu se dire avant celui-ci sans être entendus.
    missed: bool,
    /// Le dernier mouvement d'argent.
    flow: i64,
    holdback: Holdback,
    holdings: Holdings,
}

impl Engine {
    /// Vise l'allocation que le leader montre, si elle n'est pas atteinte ou ne l'est plus. Sans `acts`, regarde seulement si elle l'est.
    pub(super) async fn pursue(
        &mut self,
        shown: &Shown,
        market: &Market,
        acts: bool,
    ) -> Result<Option<Carried>, LedgerError> {
        let now = clock::now();
        let Some(target) = shown.target().filter(|_| shown.signal.expired(now).is_none()) else {
            return Ok(None);
        };
        let Some(Course { mut aim, missed, flow, holdback, holdings }) = self.course(shown).await? else {
            return Ok(None);
        };
        self.is_on_course = true;
        let holdings = holdback.followed(&holdings);
        let Some(valuation) = holdings.value(market) else { return Ok(None) };
        if aim.contradicted.is_none() {
            aim.contradicted = Some(self.contradicted(shown, &target, &valuation, missed).await?);
            // Jugé une fois, aux prix des actions : les suivants en écarteraient de même.
            self.keep(&aim).await?;
        }
        let target = effective(target, shown, &aim, missed, (&holdback, &valuation));
        let strayed = self.strays(&target, &valuation);
        let threshold = self.manner.policy.threshold;
        let rules = || aim::rules_apart(&target, &valuation, &market.pairs, threshold);
        if self.obeyed(shown, &aim, (&target, &valuation)).await? {
            return self.reach(aim, rules()).await.map(|()| None);
        }
        let eased = aim.rules.as_ref().is_some_and(|rules| aim::is_outdated(rules, &market.pairs));
        let leaves = aim::left_behind(&target, &valuation, threshold);
        // Atteinte, et rien n'en a écarté : le tour ordinaire ne cherche pas de plan.
        let stays = !strayed && !eased && leaves.is_empty() && flow <= aim.movement;
        if aim.reached_at.is_some() && stays {
            return Ok(None);
        }
        let plan = self.plan(&Instruction::Target(target), &holdings, &holdback, market);
        let moved = plan.moved(&market.pairs);
        let worth = aim::is_worth(moved, plan.cost(&market.pairs));
        let leaves = plan.sales.iter().any(|sale| leaves.contains(&sale.coin()));
        if !opened(&mut aim, flow, eased || leaves, strayed && worth) {
            return Ok(None);
        }
        if aim.cause == Cause::Drift && moved.is_positive() && !worth {
            return self.wait_for(aim, Some(TOO_DEAR.to_owned())).await.map(|()| None);
        }
        let plan =
            self.rest(Pursued::of(&aim, flow), (&target, plan), (&holdings, &valuation), &holdback, market);
        let plan = turnover::within(plan, self.spare(&valuation, aim.cause).await?, &market.pairs);
        if !acts {
            if !waits(&plan) {
                self.explain(shown.named.row, &plan.left).await?;
                self.reach(aim, rules()).await?;
            }
            return Ok(None);
        }
        self.act_on(aim, rules(), shown, (target, plan), market).await
    }

    /// Ce qui reste à faire de ce plan : les coins déjà en place n'y sont pas touchés tant que quelque chose en empêche d'autres ; sitôt
    /// que rien n'empêche plus rien, le tout s'équilibre, comme si rien ne l'avait empêché.
    fn rest(
        &mut self,
        pursued: Pursued,
        (target, plan): (&Target, Plan),
        (holdings, valuation): (&Holdings, &Valuation),
        holdback: &Holdback,
        market: &Market,
    ) -> Plan {
        let threshold = self.manner.policy.reaim_threshold;
        let is_near = |coin: Coin| {
            let apart = (valuation.weight(coin) - target.weight(coin)).abs();
            threshold.is_zero() || apart <= threshold
        };
        let arrived = self.arrived.of(pursued, is_near);
        if !self.arrived.is_hindered(&plan) || !arrived.iter().any(|(_, &arrived)| arrived) {
            self.arrived.heed(pursued, &plan);
            return plan;
        }
        let kept = Instruction::Target(target.keeping(&arrived, valuation));
        // Ce que les coins gardés changent du reste n'est pas de l'allocation : seul, il en écarterait.
        let rest = self.plan(&kept, holdings, holdback, market).agreeing_with(&plan);
        self.arrived.heed(pursued, &rest);
        if waits(&rest) { rest } else { plan }
    }

    /// Fait ce qui reste d'une allocation, et écrit où l'on en est.
    async fn act_on(
        &mut self,
        aim: Aim,
        rules: Option<String>,
        shown: &Shown,
        (target, plan): (Target, Plan),
        market: &Market,
    ) -> Result<Option<Carried>, LedgerError> {
        let (row, name) = (shown.named.row, shown.named.name.clone());
        let aimed = Instruction::Target(target);
        self.ledger.with(|db| db.interrupt_intents(clock::now())).await?;
        let before = self.trades_of(&name).await?.len();
        let holdback = self.holdback(row, Purpose::Aim).await?;
        let withheld = if plan.withheld.is_zero() { None } else { holdback.told() };
        let sent = plan.coins();
        let Remainder { left, .. } = self.fulfil(row, (&aimed, plan), holdback, &market.pairs).await?;
        self.arrived.heed_sent(&sent, &left);
        let trades = self.trades_of(&name).await?.split_off(before);
        let waiting_for = told(&left).or(withheld);
        if trades.is_empty() {
            return match waiting_for {
                None if aim.reached_at.is_none() => {
                    self.explain(row, &left).await?;
                    self.reach(aim, rules).await.map(|()| None)
                }
                waiting_for => self.wait_for(aim, waiting_for).await.map(|()| None),
            };
        }
        log::info!("target_pursued id={name:?} cause={} trades={}", aim.cause.word(), trades.len());
        let made = decisions(&trades, &[]);
        self.ledger.with(move |db| db.decide_again(row, &made)).await?;
        let count = trades.len() as u32;
        self.wait_for(aim, waiting_for).await?;
        Ok(Some(Carried { signal_id: name, outcome: PollOutcome::Executed, trades: count, error: None }))
    }

    /// Où l'on en est de ce signal ; `None` si une personne n'en veut pas, ou tant qu'un signal du leader est ouvert, ou que se vend ce
    /// qu'une personne reprend : cela passe d'abord.
    async fn course(&self, shown: &Shown) -> Result<Option<Course>, LedgerError> {
        let (row, shortage, ages, now) = (shown.named.row, self.venue.shortage(), self.ages(), clock::now());
        let read = move |db: &mut Db| {
            if !db.pending()?.is_empty() || db.is_declined(row)? {
                return Ok(None);
            }
            let aim = match db.aim()? {
                Some(aim) if aim.signal == row => aim,
                _ => db.aim_at(row, now)?,
            };
            db.at_once(|db| {
                Ok(Some(Course {
                    aim,
                    missed: db.has_missed(row)?,
                    flow: db.last_flow()?,
                    holdback: Holdback::read(db, row, Purpose::Aim, shortage, (ages, now))?,
                    holdings: db.holdings()?.ok_or_else(unopened)?,
                }))
            })
        };
        self.ledger.with(read).await
    }

    /// Vrai si ce qui est tenu s'écarte de cette allocation plus qu'on ne le laisse faire.
    fn strays(&self, target: &Target, valuation: &Valuation) -> bool {
        let threshold = self.manner.policy.reaim_threshold;
        !threshold.is_zero() && aim::drift(target, valuation).is_some_and(|drift| drift > threshold)
    }

    /// Ce qui peut encore s'échanger aujourd'hui pour cette raison. Le capital est le plus grand du jour : de l'argent qui part, ou une
    /// baisse, n'use pas de ce qui est permis.
    pub(super) async fn spare(&self, valuation: &Valuation, cause: Cause) -> Result<Spare, LedgerError> {
        let of_drift = cause == Cause::Drift;
        let since = clock::now().minus(policy::DAY);
        let (traded, highest) =
            self.ledger.with(move |db| Ok((db.traded_since(since)?, db.highest_since(since)?))).await?;
        let most = valuation.total.max(highest).part(self.manner.policy.turnover);
        let most = if of_drift { most.times(PART_OF_DRIFT) } else { most };
        Ok(Spare { amount: most - traded, of_drift })
    }

    /// Écrit pourquoi une allocation atteinte laisse ce qu'elle laisse : ce qui l'empêchait d'abord a pu passer.
    async fn explain(&self, row: i64, left: &[(Coin, Left)]) -> Result<(), LedgerError> {
        let known = self.ledger.with(move |db| db.decisions(row)).await?;
        let is_outdated = |(coin, left): &&(Coin, Left)| {
            let of = |decision: &&Decision| decision.coin == *coin && order::is_of_a_plan(&decision.code);
            known.iter().find(of).is_some_and(|decision| decision.code != left.code())
        };
        let renewed: Vec<(Coin, Left)> = left.iter().filter(is_outdated).cloned().collect();
        if renewed.is_empty() {
            return Ok(());
        }
        let renewed = decisions(&[], &renewed);
        self.ledger.with(move |db| db.decide_again(row, &renewed)).await
    }

    async fn reach(&self, aim: Aim, rules: Option<String>) -> Result<(), LedgerError> {
        let waiting_for = aim.contradicted.as_ref().and_then(aim::contradiction);
        let reached = Aim { reached_at: Some(clock::now()), waiting_for, rules, ..aim };
        log::info!("target_reached signal={} cause={}", reached.signal, reached.cause.word());
        self.ledger.with(move |db| db.keep_aim(&reached)).await
    }

    /// Retient ce qui empêche d'atteindre ce qui est visé ; dit deux fois, ce n'est écrit qu'une.
    async fn wait_for(&self, aim: Aim, waiting_for: Option<String>) -> Result<(), LedgerError> {
        self.keep(&Aim { waiting_for, ..aim }).await
    }

    async fn keep(&self, aim: &Aim) -> Result<(), LedgerError> {
        let aim = aim.clone();
        let keep = move |db: &mut Db| {
            if db.aim()?.as_ref() == Some(&aim) { Ok(()) } else { db.keep_aim(&aim) }
        };
        self.ledger.with(keep).await
    }
}

/// Vrai si ce plan n'est pas tout ce qui se peut : il échange, ou ce qui l'en empêche passe.
fn waits(plan: &Plan) -> bool {
    !plan.coins().is_empty() || plan.is_hindered()
}

/// Vrai si c'est à viser, ou de nouveau : de l'argent est venu ou parti (`flow` en est le dernier mouvement), ce que les règles empêchaient ne l'est
/// plus (`eased`), ou les prix en ont écarté de ce qui vaut d'être corrigé.
fn opened(aim: &mut Aim, flow: i64, eased: bool, strayed: bool) -> bool {
    let is_reached = aim.reached_at.is_some();
    let cause = match (flow > aim.movement, is_reached) {
        (true, true) => Cause::Money,
        (true, false) if aim.cause == Cause::Drift => Cause::Money,
        (false, true) if eased => Cause::Signal,
        (false, true) if strayed => Cause::Drift,
        _ => return !is_reached,
    };
    let signal = aim.signal;
    let (since, rules, contradicted) = (clock::now(), aim.rules.take(), aim.contradicted);
    *aim = Aim {
        signal,
        cause,
        since,
        reached_at: None,
        movement: flow,
        waiting_for: None,
        rules,
        contradicted,
    };
    log::info!("target_aimed_at_again signal={signal} cause={}", cause.word());
    true
}

/// La raison d'un écart qui ne vaut pas ce qu'il coûterait.
const TOO_DEAR: &str = "the book is too wide now: coming nearer would cost more than it is worth";

/// Ce qui empêche d'atteindre une allocation, en une phrase ; `None` si rien qui passe.
fn told(left: &[(Coin, Left)]) -> Option<String> {
    let passing = left.iter().filter(|(_, left)| left.passes());
    let sentence: Vec<String> = passing.map(|(coin, left)| format!("{coin}: {left}")).collect();
    (!sentence.is_empty()).then(|| sentence.join("; "))
}
