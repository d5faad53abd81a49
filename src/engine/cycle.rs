//! Un tour : demander au leader et à la bourse, recevoir le signal, exécuter ce qui attend, évaluer.
//!
//! Rien n'est exécuté sans marché complet et cash connu ; un signal reçu attend alors, au grand
//! livre, le tour suivant.

use std::time::Duration;

use smol::future::zip;

use super::Engine;
use super::standing::{UNSHOWN, dropped, in_time};
use super::story::{Shown, Story};
use crate::clock;
use crate::domain::aim::{REPLACED, TAKEN_OUT};
use crate::domain::market::{self, Coin, Market, PerCoin, Unknown};
use crate::domain::moment::Moment;
use crate::domain::poll::PollOutcome;
use crate::domain::portfolio::Holdings;
use crate::domain::reconcile::Reconciliation;
use crate::domain::signal::Instruction;
use crate::domain::survival::{self, Averages};
use crate::exchange::{AccountState, Trouble};
use crate::leader::{LeaderError, Reply};
use crate::ledger::{CycleRecord, Db, Fate, LedgerError, PendingSignal};

/// Depuis combien de temps un prix doit manquer pour que l'allocation qui le veut s'approche sans lui.
const GONE: Duration = Duration::from_secs(15 * 60);

impl Engine {
    /// Fait un tour complet et l'écrit au grand livre.
    pub(super) async fn cycle(&mut self) -> Result<(), LedgerError> {
        self.begun = clock::now();
        self.is_on_course = false;
        let (reply, account) = self.observe().await;
        let now = clock::now();
        self.open_account(account.as_ref(), now).await?;
        let reconciliation = self.reconcile(account).await?;
        self.watch_withdrawal(reconciliation, self.begun).await?;
        let agent = self.ledger.with(|db| db.agent()).await?;
        let (mut story, shown) = self.hear(reply, &agent, now).await?;
        let market = self.market(shown.as_ref(), now).await?;
        if let Ok(market) = &market {
            self.venue.sweep(market).await?;
        }
        self.tell_trouble(&story, &market);
        let buried = if agent.dead { self.bury_pending().await } else { Ok(()) };
        let followed = match buried {
            Ok(()) => self.follow(&market, shown.as_ref(), &mut story).await,
            failed => failed,
        };
        let followed = match followed {
            Ok(()) if !agent.dead && !agent.paused => self.tell_hindered(&market, shown.as_ref()).await,
            followed => followed,
        };
        if let Err(error) = followed {
            log::error!("signal_not_finished reason={error}");
            story.outcome = PollOutcome::Error;
            story.error = Some(error.to_string());
        }
        self.venue.heed_movements().await?;
        self.close(story, now).await
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

    /// Vrai tant que le capital n'est pas compté ; il ne cesse pas de l'être.
    async fn holds_nothing(&mut self) -> Result<bool, LedgerError> {
        if !self.is_opened {
            self.is_opened = self.ledger.with(|db| db.holdings()).await?.is_some();
        }
        Ok(!self.is_opened)
    }

    /// Le marché de ce qui est tenu ou visé, ou ce qui en manque, cash compris.
    async fn market(
        &mut self,
        shown: Option<&Shown>,
        now: Moment,
    ) -> Result<Result<Market, Vec<Unknown>>, LedgerError> {
        let market = self.sight.known(self.needed(shown).await?, now);
        if market.is_ok() && self.holds_nothing().await? {
            let reason = self.unopened.clone().unwrap_or_else(|| "the opening is not booked yet".to_owned());
            return Ok(Err(vec![Unknown { what: "cash".to_owned(), reason, since: None }]));
        }
        Ok(market)
    }

    /// Les coins qu'il faut connaître pour suivre : tenus, visés par ce qui attend et vaut encore, ou par ce que le leader montre. Ce
    /// dont le prix manque depuis [`GONE`] n'est plus attendu pour viser le reste d'une allocation.
    pub(super) async fn needed(&self, shown: Option<&Shown>) -> Result<PerCoin<bool>, LedgerError> {
        let (holdings, pending) = self.ledger.with(|db| Ok((db.holdings()?, db.due()?))).await?;
        let (mut needed, now) = (holdings.unwrap_or_default().held(), clock::now());
        let (pending, signals) = in_time(pending, self.ages());
        let dropped = dropped(&pending, &signals, shown, (now, self.ages()));
        let open = signals.iter().zip(&dropped).filter(|(_, dropped)| dropped.is_none());
        let open = open.filter_map(|(signal, _)| Some(&signal.as_ref().ok()?.instruction));
        let shown = shown.and_then(Shown::target).map(Instruction::Target);
        for instruction in open.chain(&shown) {
            for coin in Coin::ALL {
                let is_gone = matches!(instruction, Instruction::Target(_)) && self.is_gone(coin, now);
                needed[coin] |= instruction.names(coin) && !is_gone;
            }
        }
        Ok(needed)
    }

    /// Vrai si le prix ou les règles de ce coin manquent depuis longtemps, là où d'autres sont lus ; ce qui se lit encore entre deux
    /// tours éloignés ne manque pas.
    fn is_gone(&self, coin: Coin, now: Moment) -> bool {
        let is_read = self.sight.read_since(Moment(0), now).get(coin).is_some();
        !is_read && self.manner.poll_interval * self.lacking[coin] >= GONE
    }

    /// Suit le leader si tout est connu ; sinon quitte ce qui peut l'être, et dit ce que les signaux attendent.
    async fn follow(
        &mut self,
        market: &Result<Market, Vec<Unknown>>,
        shown: Option<&Shown>,
        story: &mut Story,
    ) -> Result<(), LedgerError> {
        let shut = self.shut();
        self.count_lacking();
        let obstacle = self.obstacle(market);
        let trades = match (market, &obstacle) {
            (Ok(market), None) => self.carry_out(market, shown, story).await?,
            (_, Some(_)) if shut.is_none() => match self.leave(shown).await? {
                0 => self.serve_wishes().await?,
                left => left,
            },
            _ => 0,
        };
        if let Some(reason) = obstacle
            && !self.ledger.with(|db| db.due()).await?.is_empty()
        {
            story.outcome = PollOutcome::Waiting;
            story.trades = (trades > 0).then_some(trades);
            story.error = Some(reason.clone());
            self.ledger.with(move |db| db.postpone(&reason)).await?;
        }
        if trades > 0 {
            let account = self.reception.during(&self.sight, self.venue.read()).await;
            self.reconcile(account).await?;
        }
        Ok(())
    }

    /// Pourquoi rien ne s'échange : d'un fichier qui n'est plus à sa place, ce qui se ferait serait perdu.
    pub(super) fn shut(&self) -> Option<String> {
        self.ledger.displaced().or_else(|| self.venue.obstacle())
    }

    /// De même, ou faute de cours de ce tour.
    fn obstacle(&self, market: &Result<Market, Vec<Unknown>>) -> Option<String> {
        match market {
            Ok(market) => self.shut().or_else(|| self.out_of_date(market)),
            Err(unknown) => Some(market::told(unknown)),
        }
    }

    fn out_of_date(&self, market: &Market) -> Option<String> {
        if !self.venue.fills_as_read() || market.read_at >= self.begun {
            return None;
        }
        Some(self.venue.closed().unwrap_or_else(|| market::told(&self.sight.unread(market, self.begun))))
    }

    /// Retient ce qui empêche de viser l'allocation à ce tour, si elle n'est pas atteinte ou ne l'est plus.
    async fn tell_hindered(
        &self,
        market: &Result<Market, Vec<Unknown>>,
        shown: Option<&Shown>,
    ) -> Result<(), LedgerError> {
        let shown = shown.filter(|shown| shown.target().is_some());
        let row = shown.map(|shown| shown.named.row);
        let expired = shown.and_then(|shown| shown.expired(self.begun));
        let obstacle = expired.or_else(|| self.obstacle(market));
        if self.is_on_course && obstacle.is_none() {
            return Ok(());
        }
        let hinder = move |db: &mut Db| {
            let reason = match db.aim()? {
                None => return Ok(()),
                Some(aim)
                    if row == Some(aim.signal) && db.pending()?.iter().any(PendingSignal::takes_all) =>
                {
                    Some(TAKEN_OUT.to_owned())
                }
                Some(aim) if row == Some(aim.signal) => obstacle,
                Some(aim) if db.is_replaced(aim.signal)? => Some(REPLACED.to_owned()),
                Some(_) => Some(UNSHOWN.to_owned()),
            };
            reason.map_or(Ok(()), |reason| db.hinder_aim(&reason, clock::now()))
        };
        self.ledger.with(hinder).await
    }

    /// Exécute les signaux qui attendent, puis poursuit l'allocation que le leader montre ; rend combien de trades.
    async fn carry_out(
        &mut self,
        market: &Market,
        shown: Option<&Shown>,
        story: &mut Story,
    ) -> Result<u32, LedgerError> {
        let carried = self.carry_out_pending(market, shown).await?;
        let carried = match shown {
            // Ce tour a déjà échangé : il regarde seulement si tout est atteint.
            Some(shown) => match self.pursue(shown, market, carried.is_none()).await? {
                Some(pursued) => {
                    self.pursue(shown, market, false).await?;
                    Some(pursued)
                }
                None => carried,
            },
            None => carried,
        };
        let trades = carried.as_ref().map_or(0, |carried| carried.trades);
        if let Some(carried) = carried {
            story.take(carried);
        }
        Ok(trades)
    }

    /// Évalue ce qui est tenu, si tout en est connu, et écrit le tour.
    async fn close(&mut self, story: Story, now: Moment) -> Result<(), LedgerError> {
        let readings = self.sight.rows();
        let read =
            |db: &Db| Ok((db.holdings()?, db.judges_the_dead()?, db.is_judged()?, db.has_stop_loss()?));
        let (holdings, judges, judged, limited) = self.ledger.with(move |db| db.at_once(read)).await?;
        let known = holdings.and_then(|holdings| {
            // Ce que le programme Python disait mort se juge une fois, tous les prix connus.
            let needed = if judges { PerCoin::from_fn(|_| true) } else { holdings.held() };
            Some((self.sight.known(needed, now).ok()?, holdings))
        });
        let averages = match &known {
            Some((market, holdings)) if judged => self.witness(market, holdings, limited).await?,
            _ => None,
        };
        let market = known.map(|(market, _)| market);
        let tried = self.tried();
        let fate = self
            .ledger
            .with(move |db| {
                let known = market.zip(db.holdings()?);
                let averaged = known.as_ref().zip(averages);
                let averaged = averaged.and_then(|((_, holdings), averages)| averages.value(holdings));
                let valuation = known.and_then(|(market, holdings)| holdings.value(&market));
                let record = CycleRecord {
                    outcome: story.outcome.word(),
                    signal_id: story.signal_id,
                    trades: story.trades,
                    error: story.error,
                    leader_error: story.leader_error,
                    readings,
                    valuation,
                    averaged,
                    tried,
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
    async fn witness(
        &mut self,
        market: &Market,
        holdings: &Holdings,
        limited: bool,
    ) -> Result<Option<Averages>, LedgerError> {
        let Some(total) = holdings.value(market).map(|value| value.total_eur) else { return Ok(None) };
        if !self.venue.is_compared() {
            return Ok(None);
        }
        let is_at_stake = survival::is_low(total)
            || limited && self.ledger.with(move |db| db.reaches_stop_loss(total)).await?;
        if !is_at_stake {
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
        let strange = matches!(
            story.outcome,
            PollOutcome::Rejected
                | PollOutcome::OldSignal
                | PollOutcome::ExpiredSignal
                | PollOutcome::ChangedSignal
        );
        let said = story.leader_error.as_ref().or(story.error.as_ref().filter(|_| strange));
        let leader = said.map(|reason| format!("leader: {reason}"));
        let unknown = market.as_ref().err().map(|unknown| market::told(unknown));
        let parts: Vec<String> = [leader, unknown, self.venue.closed()].into_iter().flatten().collect();
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
