//! `/api/budget` et ce qui est dessous : la valeur, son histoire, les dépôts.

use std::time::Duration;

use http_types::StatusCode;
use miniserde::{Deserialize, Serialize};
use rust_decimal::{Decimal, dec};

use super::Request;
use super::agent::UnknownStatus;
use super::body::json_body;
use super::errors::ApiError;
use super::front::answers::Room;
use super::idempotency;
use super::json::{json, list};
use super::parameters::{choice, limit};
use crate::clock;
use crate::domain::allocation::Allocation;
use crate::domain::booking::Booking;
use crate::domain::market::{Coin, PerCoin};
use crate::domain::money::{Eur, Price, Return, Usdc, Weight};
use crate::domain::performance::{Track, Unmeasured};
use crate::domain::portfolio::Holdings;
use crate::ledger::views::{Account, Agent, OpenPosition, Outside, Snapshot};
use crate::ledger::{Db, RequestKey};

/// Relevés en une réponse, au plus.
const MOST: u32 = 5000;
/// Pour qui demande une période sans dire combien, ce qu'un écran en dessine : tous ceux d'un jour, un par pixel de la page.
const DRAWN: u32 = 1000;

/// Octets d'un relevé, à peu près, une fois écrit.
const ROW: usize = 160;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Serialize)]
struct Budget {
    status: &'static str,
    initial_total_eur: f64,
    total_deposited_eur: f64,
    positions_count: usize,
    created_at: String,
    cash_usdt: Option<f64>,
    portfolio_usdt: Option<f64>,
    total_value_usdt: Option<f64>,
    total_value_eur: Option<f64>,
    eurusdc_rate: Option<f64>,
    mode: String,
    paused: bool,
    withdrawn_eur: f64,
    pnl_eur: Option<f64>,
    pnl_pct: Option<f64>,
    unknown: Vec<UnknownStatus>,
    return_pct: Option<f64>,
    return_since: Option<String>,
    return_unknown: Option<String>,
    today: Today,
    drift_pct: Option<f64>,
    allocation: Vec<Share>,
    set_aside_usdc: f64,
}

/// La journée en cours, dans le fuseau du programme.
#[derive(Serialize)]
struct Today {
    since: String,
    change_eur: Option<f64>,
    return_pct: Option<f64>,
}

/// La part d'un coin, ou du cash, ici et chez le leader.
#[derive(Serialize)]
struct Share {
    coin: &'static str,
    weight: Option<f64>,
    leader_weight: Option<f64>,
}

/// Ce que le grand livre sait de la valeur, au même instant.
struct Known {
    agent: Agent,
    account: Account,
    positions: Vec<OpenPosition>,
    outside: Outside,
    target: PerCoin<Option<Weight>>,
    track: Option<Track>,
    today: Track,
    set_aside: Usdc,
}

/// La valeur du portefeuille ; ce qui n'est pas connu est `null`.
pub async fn budget(request: Request) -> tide::Result {
    let now = clock::now();
    let read = move |db: &mut Db| {
        Ok(Known {
            agent: db.agent()?,
            account: db.account()?,
            positions: db.open_positions()?,
            outside: db.outside(now)?,
            target: db.leader_target()?,
            track: db.track()?,
            today: db.today(clock::midnight(now))?,
            set_aside: db.set_aside()?,
        })
    };
    let known = request.state().ledger.with(read).await.map_err(ApiError::from)?;
    Ok(json(StatusCode::Ok, &summarize(known)))
}

fn summarize(known: Known) -> Budget {
    let Known { agent, account, positions, outside, target, track, today, set_aside } = known;
    let coins = values_of(&positions, &outside.prices);
    let portfolio = coins.as_ref().map(|coins| coins.iter().map(|(_, &value)| value).sum());
    let held = account.cash.zip(coins).and_then(|(cash, coins)| Allocation::of(&coins, cash - set_aside));
    let aimed = aimed(&target);
    let total = account.cash.zip(portfolio).map(|(cash, portfolio)| cash + portfolio);
    let total_eur = total.zip(outside.rate).map(|(total, rate)| total.to_eur(rate));
    let pnl = total_eur.map(|total| total + account.withdrawn - account.deposited);
    let measured = track.as_ref().ok_or(Unmeasured::ValueUnknown).and_then(|track| track.measure(total_eur));
    Budget {
        status: if agent.dead { "DEAD" } else { "ACTIVE" },
        initial_total_eur: account.initial.to_f64(),
        total_deposited_eur: account.deposited.to_f64(),
        positions_count: positions.len(),
        created_at: clock::utc(account.created_at),
        cash_usdt: account.cash.map(Usdc::to_f64),
        portfolio_usdt: portfolio.map(Usdc::to_f64),
        total_value_usdt: total.map(Usdc::to_f64),
        total_value_eur: total_eur.map(Eur::to_f64),
        eurusdc_rate: outside.rate.map(|rate| 1.0 / rate.to_f64()),
        mode: agent.mode,
        paused: agent.paused,
        withdrawn_eur: account.withdrawn.to_f64(),
        pnl_eur: pnl.map(Eur::to_f64),
        pnl_pct: pnl
            .filter(|_| account.deposited.is_positive())
            .map(|pnl| pnl.to_f64() / account.deposited.to_f64() * 100.0),
        unknown: outside.unknown.into_iter().map(UnknownStatus::from).collect(),
        return_pct: measured.ok().map(percent),
        return_since: track.map(|track| clock::utc(track.since)),
        return_unknown: measured.err().map(|reason| reason.to_string()),
        today: Today {
            since: clock::utc(today.since),
            change_eur: today.gain(total_eur).map(Eur::to_f64),
            return_pct: today.measure(total_eur).ok().map(percent),
        },
        drift_pct: held.zip(aimed).map(|(held, aimed)| held.drift(&aimed).to_f64() * 100.0),
        allocation: shares(&positions, held, aimed),
        set_aside_usdc: set_aside.to_f64(),
    }
}

/// La valeur des positions ; `None` dès qu'il manque le prix de l'une.
pub(super) fn value_of(positions: &[OpenPosition], prices: &PerCoin<Option<Price>>) -> Option<Usdc> {
    values_of(positions, prices).map(|coins| coins.iter().map(|(_, &value)| value).sum())
}

/// Ce que vaut chaque position ; `None` dès qu'il manque le prix de l'une.
pub(super) fn values_of(
    positions: &[OpenPosition],
    prices: &PerCoin<Option<Price>>,
) -> Option<PerCoin<Usdc>> {
    let mut holdings = Holdings::default();
    for open in positions {
        holdings.positions[open.coin] = open.position;
    }
    holdings.coins_at(prices)
}

/// L'allocation du leader ; `None` tant qu'aucun signal n'en a porté une.
pub(super) fn aimed(target: &PerCoin<Option<Weight>>) -> Option<Allocation> {
    let known = target.iter().any(|(_, weight)| weight.is_some());
    known.then(|| Allocation::aimed(PerCoin::from_fn(|coin| target[coin].unwrap_or_default())))
}

/// Les coins tenus ou visés, dans leur ordre, puis le cash.
fn shares(positions: &[OpenPosition], held: Option<Allocation>, aimed: Option<Allocation>) -> Vec<Share> {
    let concerned = |coin: &Coin| {
        positions.iter().any(|open| open.coin == *coin)
            || aimed.is_some_and(|aimed| aimed.coins[*coin].is_positive())
    };
    let share = |coin: &'static str, of: &dyn Fn(&Allocation) -> Weight| Share {
        coin,
        weight: held.as_ref().map(of).map(Weight::to_f64),
        leader_weight: aimed.as_ref().map(of).map(Weight::to_f64),
    };
    let coins = Coin::ALL.into_iter().filter(concerned);
    coins
        .map(|coin| share(coin.pair(), &|allocation| allocation.coins[coin]))
        .chain([share("USDC", &|allocation| allocation.cash)])
        .collect()
}

fn percent(measured: Return) -> f64 {
    measured.times(Decimal::ONE_HUNDRED).to_f64()
}

#[derive(Serialize)]
struct SnapshotView {
    id: i64,
    total_value_eur: f64,
    portfolio_value_usdt: f64,
    cash_usdt: f64,
    created_at: String,
    deposited_eur: f64,
}

impl From<Snapshot> for SnapshotView {
    fn from(snapshot: Snapshot) -> Self {
        SnapshotView {
            id: snapshot.id,
            total_value_eur: snapshot.total_eur.to_f64(),
            portfolio_value_usdt: snapshot.coins_usdc.to_f64(),
            cash_usdt: snapshot.cash_usdc.to_f64(),
            created_at: clock::utc(snapshot.at),
            deposited_eur: snapshot.deposited_eur.to_f64(),
        }
    }
}

/// La durée demandée ; `None` : tout.
pub(super) fn period(request: &Request) -> Result<Option<Duration>, ApiError> {
    choice(request, "period", &[("1d", DAY), ("1w", DAY * 7), ("1m", DAY * 30), ("1y", DAY * 365)])
}

/// L'histoire de la valeur, pour le graphique.
pub async fn history(request: Request) -> tide::Result {
    let period = period(&request)?;
    let limit = limit(&request, if period.is_some() { DRAWN } else { MOST }, MOST)?;
    // Préparée pour être jetée, elle prendrait le temps de tous.
    if request.ext::<Room>().is_some_and(|Room(room)| limit as usize * ROW > *room) {
        return Err(ApiError::no_room().into());
    }
    let now = clock::now();
    let read = move |db: &mut Db| db.snapshots(period, limit, now);
    let snapshots = request.state().ledger.with(read).await.map_err(ApiError::from)?;
    Ok(list(StatusCode::Ok, snapshots.into_iter().map(SnapshotView::from)))
}

#[derive(Deserialize)]
struct Deposit {
    amount_eur: f64,
}

#[derive(Deserialize)]
struct Correction {
    total_eur: f64,
    understood: Option<bool>,
}

#[derive(Serialize)]
struct Deposited {
    ok: bool,
    total_deposited_eur: f64,
}

/// Compte un dépôt.
pub async fn deposit(mut request: Request) -> tide::Result {
    let Deposit { amount_eur } = json_body(&mut request, &["amount_eur"], "{\"amount_eur\": 50}").await?;
    let amount = euros(amount_eur)
        .filter(|&amount| amount.is_positive() && amount <= Eur::new(dec!(100_000)))
        .ok_or_else(|| ApiError::bad_request("amount_eur must be above 0, at most 100000, in cents"))?;
    let key = idempotency::key(&request, || format!("deposit {amount}"))?;
    deposited(&request, Booking::Deposit(amount), key).await
}

/// Corrige le total déposé.
pub async fn correct_deposits(mut request: Request) -> tide::Result {
    let fields = ["total_eur", "understood"];
    let Correction { total_eur, understood } =
        json_body(&mut request, &fields, "{\"total_eur\": 120}").await?;
    let total = euros(total_eur)
        .filter(|&total| -total <= Eur::new(dec!(1_000_000)) && total <= Eur::new(dec!(1_000_000)))
        .ok_or_else(|| ApiError::bad_request("total_eur must be from -1000000 to 1000000, in cents"))?;
    let key = idempotency::key(&request, || format!("correct {total}"))?;
    deposited(&request, Booking::Correction { total, understood: understood == Some(true) }, key).await
}

async fn deposited(request: &Request, booking: Booking, key: Option<RequestKey>) -> tide::Result {
    let booked = request.state().commands.enter(booking, key).await.map_err(ApiError::from)?;
    Ok(json(StatusCode::Ok, &Deposited { ok: true, total_deposited_eur: booked.deposited.to_f64() }))
}

/// Un montant en euros et centimes ; `None` si le nombre n'en est pas un.
pub(super) fn euros(number: f64) -> Option<Eur> {
    let amount = Eur::parse(&number.to_string()).ok()?;
    (amount == amount.floor(2)).then_some(amount)
}
