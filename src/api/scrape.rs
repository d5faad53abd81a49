//! `GET /metrics` : les chiffres du grand livre et de la machine, pour Prometheus.

use std::iter;

use http_types::StatusCode;
use tide::Response;

use super::budget::{aimed, value_of, values_of};
use super::errors::ApiError;
use super::{Request, State};
use crate::clock;
use crate::domain::allocation::Allocation;
use crate::domain::check::Verdict;
use crate::domain::market::{Coin, PerCoin};
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Price, Return, Usdc, Weight};
use crate::domain::others::Others;
use crate::domain::reconcile::CASH;
use crate::ledger::views::{Account, Agent, Balance, Outside};
use crate::ledger::{Db, LedgerError, StopLoss};
use crate::metrics::{
    self, Exchange, Figures, Following, Format, Holding, Money, OfOthers, Place, Reconciled, Traded,
};

/// La page des métriques, dans le format que le demandeur accepte.
pub async fn metrics(request: Request) -> tide::Result {
    let accept = request.header("accept").map(|values| values.iter().map(|value| value.as_str()));
    let accept = accept.map_or_else(String::new, |values| values.collect::<Vec<&str>>().join(","));
    let format = Format::accepted(&accept);
    let (state, now) = (request.state().clone(), clock::now());
    let figures = read(&state, now).await.map_err(ApiError::from)?;
    Ok(Response::builder(StatusCode::Ok)
        .body(metrics::page(&figures, &state.instruments, format))
        .content_type(format.content_type())
        .header("cache-control", "no-store")
        .build())
}

async fn read(state: &State, now: Moment) -> Result<Figures, LedgerError> {
    let (version, place) = (state.version.clone(), state.place.clone());
    let mut figures = state.ledger.with(move |db| figures(db, version, &place, now)).await?;
    if state.ledger.trouble().is_some() {
        figures.exchange.trading_open = figures.exchange.trading_open.map(|_| false);
    }
    Ok(figures)
}

/// Tout se lit sur le fil du grand livre, le disque aussi : c'est lui qui peut faire attendre.
fn figures(db: &mut Db, version: String, place: &Place, now: Moment) -> Result<Figures, LedgerError> {
    let (agent, account, outside, counts) = (db.agent()?, db.account()?, db.outside(now)?, db.counts()?);
    let coins = values_of(&db.open_positions()?, &outside.prices);
    let set_aside = db.set_aside()?;
    let held = account.cash.zip(coins).and_then(|(cash, coins)| Allocation::of(&coins, cash - set_aside));
    Ok(Figures {
        money: money(db, &account, &outside, held)?,
        following: following(db, counts.polls, counts.signals, held)?,
        market: metrics::Market {
            prices: each(|coin| outside.prices[coin].map(Price::to_f64)),
            eur_rate: outside.rate.map(|rate| rate.to_f64()),
            unknown: outside.unknown.into_iter().map(|unknown| unknown.what).collect(),
        },
        orders: metrics::Orders { outcomes: counts.orders, late: counts.late, foreign: counts.foreign },
        exchange: exchange(db, &agent, now)?,
        machine: place.look(account.created_at.seconds()),
        stop_loss: stop_loss(db.stop_loss()?),
        agent: metrics::Agent { version, mode: agent.mode, dead: agent.dead, paused: agent.paused },
    })
}

fn money(
    db: &mut Db,
    account: &Account,
    outside: &Outside,
    held: Option<Allocation>,
) -> Result<Money, LedgerError> {
    let (positions, turnover, track) = (db.open_positions()?, db.turnover()?, db.track()?);
    let total = account.cash.zip(value_of(&positions, &outside.prices)).map(|(cash, coins)| cash + coins);
    let value = total.zip(outside.rate).map(|(total, rate)| total.to_eur(rate));
    let drawdown = value.map(|value| db.drawdown(value)).transpose()?.flatten();
    let positions = positions.iter().map(|open| Holding {
        coin: open.coin,
        quantity: open.position.quantity.to_f64(),
        value_usdc: outside.prices[open.coin].map(|price| (price * open.position.quantity).to_f64()),
        weight: held.map(|held| held.coins[open.coin].to_f64()),
    });
    let traded = turnover.iter().map(|sum| Traded {
        coin: sum.coin,
        side: sum.side,
        simulated: sum.simulated,
        trades: sum.trades,
        amount_usdc: sum.amount.to_f64(),
        fees_usdc: sum.fees.to_f64(),
    });
    Ok(Money {
        value_eur: value.map(Eur::to_f64),
        value_usdc: total.map(Usdc::to_f64),
        cash_usdc: account.cash.map(Usdc::to_f64),
        net_deposits_eur: (account.deposited - account.withdrawn).to_f64(),
        return_ratio: track.and_then(|track| track.measure(value).ok()).map(Return::to_f64),
        drawdown_ratio: drawdown.map(Weight::to_f64),
        positions: positions.collect(),
        traded: traded.collect(),
    })
}

fn following(
    db: &Db,
    polls: Vec<(String, u32)>,
    signals: Vec<(String, u32)>,
    held: Option<Allocation>,
) -> Result<Following, LedgerError> {
    let (pulse, target) = (db.pulse()?, db.leader_target()?);
    let drift = held.zip(aimed(&target)).map(|(held, aimed)| held.drift(&aimed));
    Ok(Following {
        leader_connected: pulse.as_ref().is_some_and(|pulse| pulse.leader_error.is_none()),
        leader_contact: pulse.as_ref().and_then(|pulse| pulse.leader_contact_at).map(Moment::seconds),
        last_poll: pulse.as_ref().map(|pulse| pulse.polled_at.seconds()),
        last_signal: db.last_signal_at()?.map(Moment::seconds),
        polls,
        signals,
        targets: each(|coin| target[coin].map(Weight::to_f64)),
        drift_ratio: drift.map(Weight::to_f64),
    })
}

fn exchange(db: &Db, agent: &Agent, now: Moment) -> Result<Exchange, LedgerError> {
    let (outlook, checked, balances) = (db.exchange_state()?, db.checks()?, db.balances()?);
    let others = db.of_others()?;
    let checks = checked.iter().filter(|check| check.verdict != Verdict::NotTested);
    let silenced = outlook.silenced.filter(|silenced| silenced.until > now);
    Ok(Exchange {
        trading_open: agent.is_live().then_some(outlook.closed.is_none()),
        alone: agent.is_live().then_some(outlook.not_alone.is_none()),
        checks: checks.map(|check| (check.test.clone(), check.verdict == Verdict::Fine)).collect(),
        clock_lead: outlook.clock.map(|clock| clock.lead as f64 / 1000.0),
        silent_until: silenced.map(|silenced| silenced.until.seconds()),
        balances: balances.iter().map(reconciled).collect(),
        of_others: agent.is_live().then(|| of_others(&others)),
    })
}

fn stop_loss(kept: StopLoss) -> metrics::StopLoss {
    metrics::StopLoss {
        limit_ratio: kept.limit.map(|limit| limit.part().to_f64()),
        drawdown_ratio: kept.fall.map(Weight::to_f64),
        reached: kept.reached.is_some(),
    }
}

fn of_others(others: &Others) -> OfOthers {
    let assets = || iter::once(CASH).chain(Coin::ALL.map(Coin::asset));
    OfOthers {
        followed: assets().map(|asset| (asset, others.of(asset).to_f64())).collect(),
        unfollowed: others.iter().filter(|(asset, _)| assets().all(|followed| followed != *asset)).count(),
    }
}

fn reconciled(balance: &Balance) -> Reconciled {
    Reconciled {
        asset: balance.asset.clone(),
        difference: balance.line.difference().to_f64(),
        missing: balance.line.shortage().to_f64(),
    }
}

fn each(value: impl FnMut(Coin) -> Option<f64>) -> PerCoin<Option<f64>> {
    PerCoin::from_fn(value)
}
