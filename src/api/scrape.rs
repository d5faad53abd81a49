//! `GET /metrics` : les chiffres du grand livre, pour Prometheus.

use http_types::StatusCode;
use tide::Response;

use super::budget::value_of;
use super::errors::ApiError;
use super::{Request, State};
use crate::clock;
use crate::domain::check::Verdict;
use crate::domain::market;
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Price, Usdc};
use crate::ledger::views::Balance;
use crate::ledger::{Db, LedgerError};
use crate::metrics::{self, Figures, Format, Holding, Reconciled};

/// La page des métriques, dans le format que le demandeur accepte.
pub async fn metrics(request: Request) -> tide::Result {
    let accept = request.header("accept").map_or("", |values| values.as_str());
    let format = Format::accepted(accept);
    let (state, now) = (request.state().clone(), clock::now());
    let version = state.version.clone();
    let figures = read(&state, version, now).await.map_err(ApiError::from)?;
    Ok(Response::builder(StatusCode::Ok)
        .body(metrics::page(&figures, format))
        .content_type(format.content_type())
        .header("cache-control", "no-store")
        .build())
}

async fn read(state: &State, version: String, now: Moment) -> Result<Figures, LedgerError> {
    state.ledger.with(move |db| figures(db, version, now)).await
}

fn figures(db: &mut Db, version: String, now: Moment) -> Result<Figures, LedgerError> {
    let (agent, account, counts) = (db.agent()?, db.account()?, db.counts()?);
    let (positions, outside, pulse) = (db.open_positions()?, db.outside(now)?, db.pulse()?);
    let total = account.cash.zip(value_of(&positions, &outside.prices)).map(|(cash, coins)| cash + coins);
    let readings = market::everything().into_iter().chain(["cash".to_owned()]);
    let is_unknown = |what: &str| outside.unknown.iter().any(|unknown| unknown.what == what);
    let holdings = positions.iter().map(|open| Holding {
        coin: open.coin,
        quantity: open.position.quantity.to_f64(),
        value_usdc: outside.prices[open.coin].map(|price| (price * open.position.quantity).to_f64()),
    });
    let prices = outside.prices.iter().filter_map(|(coin, price)| Some((coin, price.map(Price::to_f64)?)));
    let (live, outlook, checked, balances) =
        (agent.is_live(), db.exchange_state()?, db.checks()?, db.balances()?);
    let checks = checked.iter().filter(|check| check.verdict != Verdict::NotTested);
    let silenced = outlook.silenced.filter(|silenced| silenced.until > now);
    Ok(Figures {
        version,
        mode: agent.mode,
        dead: agent.dead,
        paused: agent.paused,
        value_eur: total.zip(outside.rate).map(|(total, rate)| total.to_eur(rate)).map(Eur::to_f64),
        value_usdc: total.map(Usdc::to_f64),
        cash_usdc: account.cash.map(Usdc::to_f64),
        net_deposits_eur: (account.deposited - account.withdrawn).to_f64(),
        leader_connected: pulse.as_ref().is_some_and(|pulse| pulse.leader_error.is_none()),
        leader_contact: pulse.as_ref().and_then(|pulse| pulse.leader_contact_at).map(Moment::seconds),
        last_poll: pulse.as_ref().map(|pulse| pulse.polled_at.seconds()),
        polls: counts.polls,
        signals: counts.signals,
        trades: counts.trades,
        positions: holdings.collect(),
        prices: prices.collect(),
        eur_rate: outside.rate.map(|rate| rate.to_f64()),
        readings: readings.map(|what| (what.clone(), is_unknown(&what))).collect(),
        orders: counts.orders,
        late_orders: counts.late,
        foreign_orders: counts.foreign,
        trading_open: live.then_some(outlook.closed.is_none()),
        checks: checks.map(|check| (check.test.clone(), check.verdict == Verdict::Fine)).collect(),
        clock_lead: outlook.clock.map(|clock| clock.lead as f64 / 1000.0),
        silent_until: silenced.map(|silenced| silenced.until.seconds()),
        balances: balances.iter().map(reconciled).collect(),
    })
}

fn reconciled(balance: &Balance) -> Reconciled {
    Reconciled {
        asset: balance.asset.clone(),
        difference: balance.difference().to_f64(),
        missing: balance.shortage().to_f64(),
    }
}
