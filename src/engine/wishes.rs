//! Les souhaits d'une personne, menés à bien par la machine des signaux : ce qu'ils attendent encore, quand ils sont
//! atteints, et ce que le compte montre parti.
//!
//! Invariants : un souhait est jugé de nouveau à chaque tour, depuis ce qui est vrai, jusqu'à ce qu'il soit atteint ou que
//! plus rien ne puisse se vendre ; ce qui ne dépend que du marché n'est attendu qu'un jour. Rien n'est constaté parti sans
//! deux tours de suite qui le montrent.

use std::time::{Duration, Instant};

use rust_decimal::{Decimal, dec};

use super::Engine;
use super::execute::Remainder;
use super::holdback::{Holdback, Purpose};
use super::standing::read_again;
use crate::clock;
use crate::domain::cost;
use crate::domain::market::{Coin, Market, PerCoin};
use crate::domain::moment::Moment;
use crate::domain::money::{Usdc, Weight};
use crate::domain::order::{Left, Order};
use crate::domain::plan;
use crate::domain::portfolio::Holdings;
use crate::domain::reconcile::Reconciliation;
use crate::domain::signal::Instruction;
use crate::domain::wish;
use crate::domain::withdrawal;
use crate::ledger::{Db, LedgerError, PendingSignal};

/// Ce qui vaut soudain trop peu pour se vendre est attendu ce temps : un carnet vide ou faux se remplit.
const UNBELIEVED: Duration = Duration::from_secs(3600);

/// De combien de fois un achat doit avoir dépassé le minimum pour que ce soit soudain.
const FALLEN: Decimal = dec!(2);

/// Tours de suite où la bourse doit montrer d'autres paires que celle que l'on renonce à vendre.
const LACKING_POLLS: u32 = 3;

/// Une lecture du compte peut ne pas encore montrer un ordre fini depuis moins que cela.
const LAG: Duration = Duration::from_secs(75);

/// Tours de suite qui doivent montrer la même part partie.
const LOOKS: u32 = 2;

/// De même, tant qu'un ordre a fini depuis moins que [`LONGEST_LAG`] : d'un compte lu très en retard, ce qu'une vente vient de rapporter
/// semblerait parti.
const LOOKS_AFTER_AN_ORDER: u32 = 6;
const LONGEST_LAG: Duration = Duration::from_secs(600);

/// Ce qui semble parti d'un retrait.
#[derive(Clone, Copy)]
pub(super) struct Withdrawn {
    part: Usdc,
    /// Depuis quand, et à combien de tours de suite.
    since: Instant,
    polls: u32,
}

impl Engine {
    /// Retient ce qu'un souhait attend encore, une fois ses ventes de ce tour faites.
    pub(super) async fn await_wish(
        &mut self,
        entry: &PendingSignal,
        instruction: &Instruction,
        market: &Market,
        remainder: &mut Remainder,
    ) -> Result<(), LedgerError> {
        let (holdback, holdings) = (self.holdback(entry.row, Purpose::Wish).await?, self.holdings().await?);
        if let Instruction::Raise(amount) = instruction
            && withdrawal::is_raised(*amount, holdback.spared(holdings.cash))
        {
            // Le reste n'a plus à se vendre, quoi qui l'en ait empêché.
            remainder.left.iter_mut().for_each(|(_, left)| *left = Left::NothingToDo);
            return self.await_reading(remainder).await;
        }
        // Ce que la bourse ne montre plus n'est pas à vendre, et le reste ne l'attend pas ([`Engine::serve_wishes`]).
        let lost: Vec<Coin> = Coin::ALL
            .into_iter()
            .filter(|coin| holdings.held()[*coin] && market.pairs.get(*coin).is_none())
            .collect();
        remainder.left.retain(|(coin, _)| !lost.contains(coin));
        remainder.left.extend(lost.iter().map(|coin| (*coin, Left::Unknown)));
        for coin in Coin::ALL {
            let told = remainder.left.iter().any(|(known, _)| *known == coin);
            remainder.left.extend(holdback.short_of(coin).filter(|_| !told).map(|reason| (coin, reason)));
        }
        // Ce qui peut encore se vendre, et n'a pas pu à ce tour, ou pas entier.
        let rest = plan::plan(instruction, &holdback.sellable(&holdings, market), market, Weight::ZERO).sales;
        let rest: Vec<Coin> = rest.iter().map(Order::coin).collect();
        let patient = entry.tried_for < wish::PATIENCE;
        let young = entry.tried_for < UNBELIEVED;
        let fallen = |coin: Coin| {
            market
                .pairs
                .get(coin)
                .is_some_and(|pair| holdings.positions[coin].invested > pair.rules.min_notional.times(FALLEN))
        };
        let waits = |coin: Coin, left: &Left| match left {
            Left::Halted(_) | Left::AccountShort { .. } => patient,
            // Acheté pour bien plus que le minimum : le prix de ce tour n'est pas cru sur parole.
            Left::BelowMinimum { .. } | Left::BelowStep { .. } => young && fallen(coin),
            other => other.is_pending(),
        };
        remainder.pending =
            remainder.left.iter().filter(|(coin, left)| waits(*coin, left)).cloned().collect();
        for coin in rest.into_iter().filter(|_| patient) {
            let told =
                remainder.left.iter().find(|(known, _)| *known == coin).map(|(_, left)| left.to_string());
            let reason = told.unwrap_or_else(|| "the rest is sold at the next poll".to_owned());
            if !remainder.pending.iter().any(|(known, _)| *known == coin) {
                remainder.pending.push((coin, Left::Later(reason)));
            }
        }
        if remainder.pending.is_empty() { self.await_reading(remainder).await } else { Ok(()) }
    }

    /// Retient, à chaque tour, combien de fois de suite une paire a manqué là où d'autres étaient lues.
    pub(super) fn count_lacking(&mut self) {
        let pairs = self.sight.read_since(self.begun, clock::now());
        for coin in Coin::ALL {
            let lacks = pairs.get(coin).is_none() && !pairs.is_empty();
            self.lacking[coin] = if lacks { self.lacking[coin].saturating_add(1) } else { 0 };
        }
    }

    /// Le temps depuis le tour d'avant, si l'un et l'autre pouvaient essayer ce qu'une personne veut vendre : ce qu'un arrêt ou une
    /// panne ont duré n'a rien essayé.
    pub(super) fn tried(&mut self) -> Duration {
        let is_open = self.shut().is_none() && !self.sight.read_since(self.begun, clock::now()).is_empty();
        let before = std::mem::replace(&mut self.tried_at, is_open.then(clock::instant));
        let passed = before.zip(self.tried_at).map(|(before, now)| now.saturating_duration_since(before));
        passed.unwrap_or_default().min(self.manner.poll_interval * 2)
    }

    /// Mène à bout les souhaits quand le marché du leader n'est pas tout su : ce qui est tenu leur suffit. Ce que la bourse ne montre
    /// plus n'en est pas vendu, une fois qu'il est attendu depuis [`wish::PATIENCE`]. Rend combien de trades.
    pub(super) async fn serve_wishes(&mut self) -> Result<u32, LedgerError> {
        let (due, now) = (self.ledger.with(|db| db.due()).await?, clock::now());
        let wishes: Vec<PendingSignal> = due.into_iter().filter(|entry| entry.wish.is_some()).collect();
        if wishes.is_empty() {
            return Ok(0);
        }
        let Some(held) = self.ledger.with(|db| Ok(db.holdings()?.map(|holdings| holdings.held()))).await?
        else {
            return Ok(0);
        };
        let pairs = self.sight.read_since(self.begun, now);
        let lost = |coin: Coin| held[coin] && pairs.get(coin).is_none();
        let none_is_lost = !Coin::ALL.into_iter().any(lost);
        let all_are_gone =
            Coin::ALL.into_iter().filter(|coin| lost(*coin)).all(|coin| self.lacking[coin] >= LACKING_POLLS);
        let is_over = |entry: &PendingSignal| entry.tried_for >= wish::PATIENCE;
        let over: Vec<PendingSignal> =
            wishes.into_iter().filter(|entry| none_is_lost || (all_are_gone && is_over(entry))).collect();
        if over.is_empty() || pairs.is_empty() {
            return Ok(0);
        }
        let there = PerCoin::from_fn(|coin| held[coin] && pairs.get(coin).is_some());
        let Ok(market) = self.sight.known(there, now) else { return Ok(0) };
        let market = Market { pairs, ..market };
        self.keep_readings().await?;
        self.ledger.with(|db| db.interrupt_intents(clock::now())).await?;
        let mut trades = 0;
        for entry in over {
            let Ok(signal) = read_again(&entry) else { continue };
            let before = self.trades_of(&entry.signal_id).await?.len() as u32;
            let remainder = match self.trade(&entry, &signal, &market).await {
                Err(LedgerError::Refused(reason)) => Err(reason),
                done => Ok(done?),
            };
            trades += self.settle(&entry, remainder, market.rate).await?.1.saturating_sub(before);
        }
        Ok(trades)
    }

    /// Un retrait n'est offert à prendre que si l'on saura voir qu'il est pris.
    async fn await_reading(&self, remainder: &mut Remainder) -> Result<(), LedgerError> {
        if self.ledger.with(|db| db.awaits_reading()).await? {
            let reason = Left::Later(
                "the account is read once more, with no order in doubt, before it may be taken out"
                    .to_owned(),
            );
            remainder.pending.extend(Coin::ALL.map(|coin| (coin, reason.clone())));
        }
        Ok(())
    }

    /// Constate ce qui est parti d'un retrait, quand assez de tours de suite le montrent. `read_at` précède la lecture.
    pub(super) async fn watch_withdrawal(
        &mut self,
        reconciliation: Option<Reconciliation>,
        read_at: Moment,
    ) -> Result<(), LedgerError> {
        let Some(Reconciliation { usdc: seen, .. }) = reconciliation else {
            return Ok(());
        };
        let interval = self.manner.poll_interval;
        let (quiet, settled) = (read_at.minus(LAG.min(interval)), read_at.minus(LONGEST_LAG));
        let read = move |db: &mut Db| {
            let gone = db.withdrawn(&seen, quiet)?;
            Ok((gone, gone.is_some() && db.has_ended_since(settled)?))
        };
        let (gone, is_after_an_order) = self.ledger.with(read).await?;
        let now = clock::instant();
        let seen = self.withdrawn.filter(|seen| Some(seen.part) == gone);
        self.withdrawn = gone.map(|part| match seen {
            Some(seen) => Withdrawn { polls: seen.polls + 1, ..seen },
            None => Withdrawn { part, since: now, polls: 1 },
        });
        let (Some(Withdrawn { part, since, polls }), Some(rate)) =
            (self.withdrawn, self.sight.rate(clock::now()))
        else {
            return Ok(());
        };
        let looks = if is_after_an_order { LOOKS_AFTER_AN_ORDER } else { LOOKS };
        // Un tour hâté ne vaut pas un second regard ; des ordres d'ici que les livres n'ont pas peuvent l'avoir dépensé.
        if self.venue.awaits_a_look()
            || polls < looks
            || now.saturating_duration_since(since) < LAG.min(interval) / 2 * (looks - 1)
        {
            return Ok(());
        }
        self.withdrawn = None;
        let at = clock::now();
        match self.ledger.with(move |db| db.book_withdrawn(part, rate, at)).await {
            Ok(done) => log::info!("withdrawal_taken usdc={part} rate={rate} completed={done}"),
            // Contraire à la comptabilité : le tour n'en dépend pas.
            Err(LedgerError::Refused(reason)) => {
                log::warn!("withdrawal_not_booked usdc={part} reason={reason}")
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Ce dont un souhait peut disposer : ni le cash qu'un achat en doute a peut-être dépensé, ni un coin gelé, ni ce que le
/// compte ne tient pas ; le cash d'une vente en doute est compté, pour ne pas vendre deux fois.
impl Holdback {
    pub fn sellable(&self, holdings: &Holdings, market: &Market) -> Holdings {
        let mut sellable = *holdings;
        sellable.cash = self.spared(holdings.cash) + self.expected(market);
        for coin in Coin::ALL {
            let position = &mut sellable.positions[coin];
            position.quantity = match self.is_frozen(coin) || market.pairs.get(coin).is_none() {
                true => Default::default(),
                false => (position.quantity - self.missing(coin)).max(Default::default()),
            };
        }
        sellable
    }

    /// Ce que rendraient les ventes en doute.
    fn expected(&self, market: &Market) -> Usdc {
        let sold = self.selling.iter().filter_map(|(coin, quantity)| {
            let quote = market.pairs.get(*coin)?.quote;
            Some((quote.mid() * *quantity).times(cost::returned_by_one(*coin, quote)))
        });
        sold.sum()
    }
}
