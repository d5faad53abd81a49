//! Un passé vécu par le programme : chaque signal est planifié et exécuté comme le moteur le fait en simulation,
//! chaque relevé est une évaluation complète. Seules les heures sont écrites d'avance.

use std::path::Path;

use calvalot::clock;
use calvalot::domain::market::{Coin, Market, PerCoin};
use calvalot::domain::moment::Moment;
use calvalot::domain::money::{Eur, Weight};
use calvalot::domain::order::Order;
use calvalot::domain::plan::{self, Plan};
use calvalot::domain::portfolio::{Holdings, Valuation};
use calvalot::domain::signal::{Instruction, Target};
use calvalot::ledger::{self, Db, Decision, LedgerError, Outcome, Received, SignalStatus, Verdict};
use calvalot::paper;
use rusqlite::{Connection, params};
use rust_decimal::{Decimal, dec};
use serde_json::json;

use super::prices;

const MINUTE: i64 = 60_000;
const DAY: i64 = 1_440 * MINUTE;

/// Un passé de `days` jours, qui finit maintenant, avec au moins `trades` trades.
pub fn grow(base: &Path, days: u32, trades: u32) -> Result<(), LedgerError> {
    if base.exists() {
        return Err(LedgerError::Refused(format!("{} exists already", base.display())));
    }
    let end = clock::now();
    let start = Moment(end.0 - i64::from(days) * DAY);
    let (ledger, thread) = ledger::open(base, "dry_run", Eur::new(dec!(1000)), start)?;
    let lived = smol::block_on(ledger.with(move |db| live(db, start, end, trades)));
    drop(ledger);
    thread.join();
    write(base, &lived?)
}

/// Une évaluation complète, et quand.
struct Snapshot {
    valuation: Valuation,
    at: Moment,
}

fn live(db: &mut Db, start: Moment, end: Moment, trades: u32) -> Result<Vec<Snapshot>, LedgerError> {
    let market_at = |at: Moment| prices::market((end.0 - at.0) as f64 / DAY as f64, at);
    db.book_opening(market_at(start).rate, None, start)?;
    let (mut done, mut signals, mut snapshots) = (0u32, 0u32, Vec::new());
    // Un signal déplace presque toujours les cinq monnaies : l'écart laisse à chacun sa place dans le temps.
    let gap = (end.0 - start.0) / i64::from(trades / 5 + 1);
    for at in moments(start, end) {
        let market = market_at(at);
        let last = end.0 - at.0 < 2 * MINUTE;
        while done < trades && (last || at.0 - start.0 >= gap * i64::from(signals)) {
            signals += 1;
            done += follow(db, signals, &market, at)?;
        }
        snapshots.push(valued(db, &market, at)?);
    }
    Ok(snapshots)
}

/// Les instants des relevés : ceux que le programme garde, un peu plus espacés. Le dernier est la fin.
fn moments(start: Moment, end: Moment) -> Vec<Moment> {
    let mut at = start;
    let mut moments = Vec::new();
    while at < end {
        moments.push(at);
        let left = end.0 - at.0;
        let step = if left > 31 * DAY {
            60
        } else if left > DAY {
            10
        } else {
            2
        };
        at = Moment(at.0 + step * MINUTE);
    }
    moments.push(end);
    moments
}

/// Reçoit, planifie, exécute et clôt un signal ; rend le nombre de ses trades.
fn follow(db: &mut Db, rank: u32, market: &Market, at: Moment) -> Result<u32, LedgerError> {
    let target = target(rank);
    let received = Received { heard_at: at, ..received(rank, &target) };
    db.receive(&received, false, at)?;
    let pending = db.pending()?;
    let row = pending.first().ok_or_else(|| LedgerError::Refused("no signal waits".to_owned()))?.row;
    let threshold = Weight::new(dec!(0.005));
    let instruction = Instruction::Target(target);
    let Plan { sales, wants, mut left, .. } = plan::plan(&instruction, &holdings(db)?, market, threshold);
    let mut decisions = execute(db, row, &sales, market, at)?;
    let (orders, short) = plan::purchases(&instruction, &wants, holdings(db)?.cash, &market.pairs);
    left.extend(short);
    decisions.extend(execute(db, row, &orders, market, at)?);
    let trades = decisions.len() as u32;
    decisions.extend(left.iter().map(|(coin, reason)| Decision {
        coin: *coin,
        decision: "left".to_owned(),
        code: reason.code().to_owned(),
        reason: reason.to_string(),
    }));
    db.close_signal(row, &SignalStatus::Executed, &decisions, at)?;
    Ok(trades)
}

fn execute(
    db: &mut Db,
    row: i64,
    orders: &[Order],
    market: &Market,
    at: Moment,
) -> Result<Vec<Decision>, LedgerError> {
    let mut decisions = Vec::new();
    for (intent, order) in db.write_intents(row, orders, at)?.into_iter().zip(orders) {
        let fill = match paper::execute(order, &market.pairs) {
            Ok(fill) => fill,
            Err(reason) => {
                db.book(intent, None, &Outcome::Refused(reason), at)?;
                continue;
            }
        };
        let reason = format!("{} for {:.2} USDC at {}", fill.quantity, fill.amount, fill.price);
        let decision = if fill.side.word() == "BUY" { "bought" } else { "sold" }.to_owned();
        db.book(intent, None, &Outcome::Filled(fill), at)?;
        decisions.push(Decision { coin: order.coin(), decision, code: "traded".to_owned(), reason });
    }
    Ok(decisions)
}

fn valued(db: &Db, market: &Market, at: Moment) -> Result<Snapshot, LedgerError> {
    let unknown = || LedgerError::Unknown("a price is missing".to_owned());
    Ok(Snapshot { valuation: holdings(db)?.value(market).ok_or_else(unknown)?, at })
}

fn holdings(db: &Db) -> Result<Holdings, LedgerError> {
    db.holdings()?.ok_or_else(|| LedgerError::Refused("the opening is not booked".to_owned()))
}

/// Écrit les relevés comme la fin d'un tour le fait, mais en une transaction : un par un, chacun attendrait le disque.
fn write(base: &Path, snapshots: &[Snapshot]) -> Result<(), LedgerError> {
    let mut connection = Connection::open(base)?;
    let transaction = connection.transaction()?;
    for Snapshot { valuation, at } in snapshots {
        transaction.execute(
            "INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at)
             VALUES (?1, ?2, ?3, (SELECT deposited_eur FROM account), ?4)",
            params![valuation.total_eur, valuation.total - valuation.cash, valuation.cash, at],
        )?;
    }
    ledger::reseal(&transaction)?;
    Ok(transaction.commit()?)
}

/// Des parts qui tournent : chaque signal en déplace cinq, et laisse un dixième de cash.
fn target(rank: u32) -> Target {
    let shares = [dec!(0.34), dec!(0.24), dec!(0.14), dec!(0.10), dec!(0.08)];
    let weights =
        PerCoin::from_fn(|coin| Weight::new(shares[(coin as usize + rank as usize) % shares.len()]));
    Target::new(weights).expect("shares that add up to less than one")
}

fn received(rank: u32, target: &Target) -> Received {
    let share = |target: &Target, coin: Coin| target.weight(coin).decimal();
    let before = (rank > 1).then(|| self::target(rank - 1));
    let positions: Vec<_> = Coin::ALL
        .iter()
        .map(|coin| json!({ "coin": coin.pair(), "pct_of_portfolio": number(share(target, *coin)) }))
        .collect();
    let actions: Vec<_> = Coin::ALL
        .iter()
        .map(|coin| {
            let moved = share(target, *coin) - before.map_or(Decimal::ZERO, |before| share(&before, *coin));
            let action = if moved.is_sign_negative() { "SELL" } else { "BUY" };
            json!({ "coin": coin.pair(), "action": action, "pct_of_capital": number(moved.abs()) })
        })
        .collect();
    Received {
        meaning: None,
        is_outlived: false,
        said_at: None,
        expires_at: None,
        heard_at: Moment(0),
        unheard_since: Moment(0),
        is_old: false,
        signal_id: format!("past-{rank:04}"),
        version: Some(2),
        confidence: Some(0.55 + f64::from(rank % 8) / 20.0),
        reasoning: "Rotating the whole allocation by one coin, some cash kept aside.".to_owned(),
        actions: json!(actions).to_string(),
        portfolio_state: Some(json!({ "positions": positions }).to_string()),
        payload: "{}".to_owned(),
        target: Some(*target),
        verdict: Verdict::Accepted,
    }
}

fn number(share: Decimal) -> f64 {
    share.try_into().expect("a share is a small number")
}
