//! `GET /api/exchange` : la bourse et le compte vus d'ici. Ce qui n'a pas été demandé ou pas appris est `null`.

use http_types::StatusCode;
use miniserde::Serialize;

use super::Request;
use super::copies::{self, Way};
use super::errors::ApiError;
use super::json::json;
use crate::clock;
use crate::domain::check;
use crate::domain::market::Coin;
use crate::domain::money::Usdc;
use crate::domain::reconcile::Line;
use crate::ledger::views::{Balance, Checked};
use crate::ledger::{Bears, ClockReading, ForeignOrder, Outlook, Silenced};

/// Les ordres d'autrui que l'on montre.
const FOREIGN_SHOWN: u32 = 20;

#[derive(Serialize)]
struct ExchangeView {
    mode: String,
    trading_open: Option<bool>,
    closed_reason: Option<String>,
    silence: Option<SilenceView>,
    clock: Option<ClockView>,
    checks: Vec<CheckView>,
    reconciliation: Vec<BalanceView>,
    uncompared: Option<String>,
    of_others: Vec<OthersView>,
    takeover: Vec<TakeoverView>,
    foreign_orders: Vec<ForeignView>,
    not_alone: Option<NotAlone>,
}

/// Pourquoi ce grand livre n'est peut-être pas seul sur son compte, et ce qu'une personne peut en faire.
#[derive(Serialize)]
struct NotAlone {
    reason: String,
    orders: Vec<ForeignView>,
    ways: Vec<Way>,
}

#[derive(Serialize)]
struct SilenceView {
    status: u16,
    from: f64,
    until: f64,
}

#[derive(Serialize)]
struct ClockView {
    lead_seconds: f64,
    margin_seconds: f64,
    measured_at: String,
    warning: Option<String>,
}

#[derive(Serialize)]
struct CheckView {
    test: String,
    verdict: &'static str,
    found: String,
    advice: Option<String>,
    stops_trading: bool,
    checked_at: String,
}

#[derive(Serialize)]
struct BalanceView {
    asset: String,
    held: f64,
    free: f64,
    locked: f64,
    booked: f64,
    difference: f64,
    missing: f64,
    missing_locked: f64,
    beyond: f64,
    in_doubt: bool,
    compared_at: String,
}

/// Ce que nos ordres ont pris d'un actif à la part du compte qui n'est pas aux livres ; négatif, ce qu'ils lui ont donné.
#[derive(Serialize)]
struct OthersView {
    asset: String,
    quantity: f64,
}

/// Un coin dont le programme Python a noté un rien de trop.
#[derive(Serialize)]
struct TakeoverView {
    coin: &'static str,
    booked: f64,
    held: f64,
    quantity: f64,
}

#[derive(Serialize)]
struct ForeignView {
    coin: &'static str,
    order_id: i64,
    client_id: String,
    action: &'static str,
    quantity: f64,
    amount_usdt: Option<f64>,
    created_at: String,
    bears: Option<&'static str>,
}

impl From<Silenced> for SilenceView {
    fn from(Silenced { status, from, until }: Silenced) -> Self {
        SilenceView { status, from: from.seconds(), until: until.seconds() }
    }
}

impl From<ClockReading> for ClockView {
    fn from(ClockReading { lead, margin, at }: ClockReading) -> Self {
        ClockView {
            lead_seconds: lead as f64 / 1000.0,
            margin_seconds: margin as f64 / 1000.0,
            measured_at: clock::utc(at),
            warning: check::wrong_clock(lead),
        }
    }
}

impl From<Checked> for CheckView {
    fn from(checked: Checked) -> Self {
        let stops_trading = checked.verdict.stops_trading(&checked.test);
        let Checked { test, verdict, found, advice, at } = checked;
        CheckView { test, verdict: verdict.word(), found, advice, stops_trading, checked_at: clock::utc(at) }
    }
}

impl From<Balance> for BalanceView {
    fn from(balance: Balance) -> Self {
        let line = balance.line;
        BalanceView {
            held: line.held().to_f64(),
            free: line.free.to_f64(),
            locked: line.locked.to_f64(),
            booked: line.booked.to_f64(),
            difference: line.difference().to_f64(),
            missing: line.shortage().to_f64(),
            missing_locked: line.locked_short().to_f64(),
            beyond: line.beyond().to_f64(),
            in_doubt: balance.in_doubt,
            asset: balance.asset,
            compared_at: clock::utc(balance.at),
        }
    }
}

impl From<ForeignOrder> for ForeignView {
    fn from(order: ForeignOrder) -> Self {
        ForeignView {
            coin: order.coin.pair(),
            order_id: order.order_id,
            client_id: order.client_id,
            action: order.side.word(),
            quantity: order.executed.to_f64(),
            amount_usdt: order.amount.map(Usdc::to_f64),
            created_at: clock::utc(order.at),
            bears: match order.bears {
                Bears::Nothing => None,
                Bears::OurTag => Some("ours"),
                Bears::AnotherTag => Some("another"),
            },
        }
    }
}

fn taken(coin: Coin, line: &Line) -> TakeoverView {
    TakeoverView {
        coin: coin.pair(),
        booked: line.booked.to_f64(),
        held: line.held().to_f64(),
        quantity: line.gone().to_f64(),
    }
}

/// L'accès à la bourse, les essais, le rapprochement, les ordres qui ne sont pas les nôtres.
pub async fn exchange(request: Request) -> tide::Result {
    let read = |db: &mut crate::ledger::Db| {
        let (agent, outlook) = (db.agent()?, db.exchange_state()?);
        let (foreign, evidence) = (db.foreign_orders(FOREIGN_SHOWN)?, db.evidence()?);
        let account = (db.balances()?, db.of_others()?, db.takeover()?);
        Ok((agent, outlook, db.checks()?, account, foreign, evidence))
    };
    let (agent, outlook, checks, (balances, others, takeover), foreign, evidence) =
        request.state().ledger.with(read).await.map_err(ApiError::from)?;
    let now = clock::now();
    let Outlook { silenced, clock, closed, not_alone } = outlook;
    let trouble = request.state().ledger.trouble().filter(|_| agent.is_live());
    let closed = trouble.or(closed);
    let view = ExchangeView {
        // En simulation rien ne s'échange pour de vrai : ni ouvert, ni fermé.
        trading_open: agent.is_live().then_some(closed.is_none()),
        mode: agent.mode,
        closed_reason: closed,
        silence: silenced.filter(|silenced| silenced.until > now).map(SilenceView::from),
        clock: clock.map(ClockView::from),
        checks: checks.into_iter().map(CheckView::from).collect(),
        reconciliation: balances.into_iter().map(BalanceView::from).collect(),
        uncompared: request.state().ledger.uncompared(),
        of_others: others
            .iter()
            .map(|(asset, quantity)| OthersView { asset: asset.to_owned(), quantity: quantity.to_f64() })
            .collect(),
        takeover: takeover.into_iter().map(|(coin, line)| taken(coin, &line)).collect(),
        foreign_orders: foreign.into_iter().map(ForeignView::from).collect(),
        not_alone: not_alone.map(|reason| NotAlone {
            ways: copies::ways(&reason, &evidence),
            reason,
            orders: evidence.into_iter().take(FOREIGN_SHOWN as usize).map(ForeignView::from).collect(),
        }),
    };
    Ok(json(StatusCode::Ok, &view))
}
