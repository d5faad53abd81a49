//! Les lectures du grand livre : ce que les écrans, les métriques et le moteur demandent.
//!
//! Aucune n'écrit. Ce qui n'est pas connu est `None`, jamais zéro.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Db, LedgerError, PendingSignal, ReadingRow};
use crate::domain::market::{self, Coin, PerCoin, Quote, Reading, Unknown};
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Price, Quantity, Rate, Usdc, Weight};
use crate::domain::order::Side;
use crate::domain::portfolio::{Holdings, Position};
use crate::domain::signal::INITIAL_SYNC;

/// L'agent : son mode, son état, sa pause.
#[derive(Clone, Debug)]
pub struct Agent {
    pub mode: String,
    pub dead: bool,
    pub paused: bool,
}

/// Le compte : ce qui a été mis, ce qui est en cash.
#[derive(Clone, Debug)]
pub struct Account {
    pub initial: Eur,
    pub deposited: Eur,
    pub withdrawn: Eur,
    pub cash: Option<Usdc>,
    pub created_at: Moment,
}

/// Une position ouverte.
#[derive(Clone, Debug)]
pub struct OpenPosition {
    pub coin: Coin,
    pub position: Position,
    pub updated_at: Moment,
}

/// Un trade, tel qu'il est au grand livre.
#[derive(Clone, Debug)]
pub struct Trade {
    pub id: i64,
    pub coin: Coin,
    pub side: Side,
    pub amount: Usdc,
    pub price: Price,
    pub quantity: Quantity,
    pub fee: Quantity,
    pub fee_asset: String,
    pub fee_usdc: Usdc,
    pub signal_id: Option<String>,
    pub simulated: bool,
    pub at: Moment,
}

/// Un signal et ce qu'il en est advenu.
#[derive(Clone, Debug)]
pub struct Signal {
    pub id: i64,
    pub signal_id: String,
    pub version: Option<u32>,
    pub confidence: Option<f64>,
    pub reasoning: String,
    pub actions: String,
    pub portfolio_state: Option<String>,
    pub status: String,
    pub error_message: Option<String>,
    pub received_at: Moment,
    pub executed_at: Option<Moment>,
    pub trades: u32,
    pub decisions: Vec<Decided>,
}

/// Ce qui a été décidé d'un coin.
#[derive(Clone, Debug)]
pub struct Decided {
    pub coin: Coin,
    pub decision: String,
    pub code: String,
    pub reason: String,
}

/// Un relevé de valeur.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub id: i64,
    pub total_eur: Eur,
    pub coins_usdc: Usdc,
    pub cash_usdc: Usdc,
    pub deposited_eur: Eur,
    pub at: Moment,
}

/// Un retrait.
#[derive(Clone, Debug)]
pub struct Withdrawal {
    pub id: i64,
    pub requested: Eur,
    pub sold: Usdc,
    pub received: Eur,
    pub rate: Option<Rate>,
    pub positions_sold: String,
    pub status: String,
    pub simulated: bool,
    pub at: Moment,
}

/// Le dernier tour.
#[derive(Clone, Debug)]
pub struct Pulse {
    pub polled_at: Moment,
    pub outcome: String,
    pub signal_id: Option<String>,
    pub trades: Option<u32>,
    pub error: Option<String>,
    pub leader_contact_at: Option<Moment>,
    pub leader_error: Option<String>,
}

/// Les comptes qui ne font que croître, et ceux des signaux.
#[derive(Clone, Debug)]
pub struct Counts {
    pub polls: Vec<(String, u32)>,
    pub signals: Vec<(String, u32)>,
    pub trades: Vec<(Coin, Side, u32)>,
}

/// Ce que le marché disait à la dernière lecture, et ce qu'on n'en sait plus.
#[derive(Clone, Debug)]
pub struct Outside {
    pub prices: PerCoin<Option<Price>>,
    pub rate: Option<Rate>,
    pub unknown: Vec<Unknown>,
}

/// Les positions et le cash ; `None` tant que l'ouverture n'est pas comptée.
pub fn holdings(connection: &Connection) -> Result<Option<Holdings>, LedgerError> {
    let cash: Option<Usdc> = connection.query_row("SELECT cash FROM account", [], |row| row.get(0))?;
    let Some(cash) = cash else {
        return Ok(None);
    };
    let mut holdings = Holdings { cash, ..Holdings::default() };
    for open in open_positions(connection)? {
        holdings.positions[open.coin] = open.position;
    }
    Ok(Some(holdings))
}

fn open_positions(connection: &Connection) -> Result<Vec<OpenPosition>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT coin, quantity, invested, updated_at FROM positions WHERE quantity <> '0' ORDER BY coin",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(OpenPosition {
            coin: row.get(0)?,
            position: Position { quantity: row.get(1)?, invested: row.get(2)? },
            updated_at: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Db {
    pub fn holdings(&self) -> Result<Option<Holdings>, LedgerError> {
        holdings(&self.connection)
    }

    pub fn open_positions(&self) -> Result<Vec<OpenPosition>, LedgerError> {
        open_positions(&self.connection)
    }

    pub fn agent(&self) -> Result<Agent, LedgerError> {
        Ok(self.connection.query_row("SELECT mode, state = 'DEAD', paused FROM agent", [], |row| {
            Ok(Agent { mode: row.get(0)?, dead: row.get(1)?, paused: row.get(2)? })
        })?)
    }

    pub fn account(&self) -> Result<Account, LedgerError> {
        let withdrawn = self.withdrawals(None)?.iter().map(|withdrawal| withdrawal.received).sum();
        Ok(self.connection.query_row(
            "SELECT initial_eur, deposited_eur, cash, created_at FROM account",
            [],
            |row| {
                Ok(Account {
                    initial: row.get(0)?,
                    deposited: row.get(1)?,
                    withdrawn,
                    cash: row.get(2)?,
                    created_at: row.get(3)?,
                })
            },
        )?)
    }

    /// Les trades, du plus récent au plus ancien.
    pub fn trades(&self, limit: u32) -> Result<Vec<Trade>, LedgerError> {
        self.trades_where("1 = 1 ORDER BY id DESC LIMIT ?1", params![limit])
    }

    /// Les trades d'un signal, du plus ancien au plus récent.
    pub fn trades_of(&self, signal_id: &str) -> Result<Vec<Trade>, LedgerError> {
        self.trades_where("signal_id = ?1 ORDER BY id", params![signal_id])
    }

    fn trades_where(&self, clause: &str, params: impl rusqlite::Params) -> Result<Vec<Trade>, LedgerError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT id, coin, side, amount, price, quantity, fee, fee_asset, fee_usdc, signal_id, simulated, at
             FROM trades WHERE {clause}"
        ))?;
        let rows = statement.query_map(params, |row| {
            Ok(Trade {
                id: row.get(0)?,
                coin: row.get(1)?,
                side: row.get(2)?,
                amount: row.get(3)?,
                price: row.get(4)?,
                quantity: row.get(5)?,
                fee: row.get(6)?,
                fee_asset: row.get(7)?,
                fee_usdc: row.get(8)?,
                signal_id: row.get(9)?,
                simulated: row.get(10)?,
                at: row.get(11)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Les signaux, du plus récent au plus ancien.
    pub fn signals(&self, limit: u32) -> Result<Vec<Signal>, LedgerError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, signal_id, version, confidence, reasoning, actions, portfolio_state, status, error_message,
                 received_at, executed_at, (SELECT count(*) FROM trades WHERE trades.signal_id = signals.signal_id)
             FROM signals ORDER BY id DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([limit], signal_row)?;
        let mut signals: Vec<Signal> = rows.collect::<Result<_, _>>()?;
        for signal in &mut signals {
            signal.decisions = self.decisions(signal.id)?;
        }
        Ok(signals)
    }

    fn decisions(&self, signal: i64) -> Result<Vec<Decided>, LedgerError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT coin, decision, code, reason FROM decisions WHERE signal = ?1 ORDER BY coin",
        )?;
        let rows = statement.query_map([signal], |row| {
            Ok(Decided { coin: row.get(0)?, decision: row.get(1)?, code: row.get(2)?, reason: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Les signaux à exécuter, dans l'ordre de leur réception.
    pub fn pending(&self) -> Result<Vec<PendingSignal>, LedgerError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, signal_id, payload FROM signals WHERE status = 'received' ORDER BY id",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(PendingSignal { row: row.get(0)?, signal_id: row.get(1)?, payload: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Vrai si la synchronisation initiale a été menée à sa fin, quelle qu'elle soit, par nous ou par le
    /// programme Python, dont les trades n'ont pas d'intention.
    pub fn initial_sync_done(&self) -> Result<bool, LedgerError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM signals WHERE signal_id = ?1 AND status <> 'received')
                       OR EXISTS (SELECT 1 FROM trades WHERE signal_id = ?1 AND intent IS NULL)";
        Ok(self.connection.query_row(sql, [INITIAL_SYNC], |row| row.get(0))?)
    }

    /// La réception du dernier signal du leader.
    pub fn last_signal_at(&self) -> Result<Option<Moment>, LedgerError> {
        let sql = "SELECT received_at FROM signals WHERE signal_id <> ?1 ORDER BY id DESC LIMIT 1";
        Ok(self.connection.query_row(sql, [INITIAL_SYNC], |row| row.get(0)).optional()?)
    }

    /// L'allocation du leader dans son dernier signal qui en portait une.
    pub fn leader_target(&self) -> Result<PerCoin<Option<Weight>>, LedgerError> {
        let mut target = PerCoin::default();
        let mut statement = self.connection.prepare_cached("SELECT coin, weight FROM leader_target")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            target[row.get::<_, Coin>(0)?] = Some(row.get(1)?);
        }
        Ok(target)
    }

    /// Les relevés des `period` derniers temps (tous si `None`), du plus récent au plus ancien, au
    /// plus `limit` : au-delà, un par intervalle égal, sur toute la durée.
    pub fn snapshots(
        &self,
        period: Option<Duration>,
        limit: u32,
        now: Moment,
    ) -> Result<Vec<Snapshot>, LedgerError> {
        let start = period.map_or(Moment(0), |period| now.minus(period));
        let (count, first, last): (i64, Option<i64>, Option<i64>) = self.connection.query_row(
            "SELECT count(*), min(at), max(at) FROM snapshots WHERE at > ?1",
            [start],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let (first, last) = (first.unwrap_or(0), last.unwrap_or(0));
        let slot = if count <= i64::from(limit) { 0 } else { (last - first) / i64::from(limit) + 1 };
        let mut statement = self.connection.prepare_cached(
            "SELECT id, total_eur, coins_usdc, cash_usdc, deposited_eur, at FROM snapshots
             WHERE at > ?1 AND (?2 = 0 OR id IN
                 (SELECT max(id) FROM snapshots WHERE at > ?1 GROUP BY (at - ?3) / max(?2, 1)))
             ORDER BY at DESC, id DESC LIMIT ?4",
        )?;
        let rows = statement.query_map(params![start, slot, first, limit], |row| {
            Ok(Snapshot {
                id: row.get(0)?,
                total_eur: row.get(1)?,
                coins_usdc: row.get(2)?,
                cash_usdc: row.get(3)?,
                deposited_eur: row.get(4)?,
                at: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Les retraits, du plus récent au plus ancien ; tous si `limit` est `None`.
    pub fn withdrawals(&self, limit: Option<u32>) -> Result<Vec<Withdrawal>, LedgerError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, requested_eur, sold_usdc, received_eur, rate, positions_sold, status, simulated, at
             FROM withdrawals ORDER BY id DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([limit.map_or(-1, i64::from)], |row| {
            Ok(Withdrawal {
                id: row.get(0)?,
                requested: row.get(1)?,
                sold: row.get(2)?,
                received: row.get(3)?,
                rate: row.get(4)?,
                positions_sold: row.get(5)?,
                status: row.get(6)?,
                simulated: row.get(7)?,
                at: row.get(8)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Le dernier tour ; `None` avant le premier.
    pub fn pulse(&self) -> Result<Option<Pulse>, LedgerError> {
        let sql =
            "SELECT polled_at, outcome, signal_id, trades, error, leader_contact_at, leader_error FROM pulse";
        let pulse = self.connection.query_row(sql, [], |row| {
            Ok(Pulse {
                polled_at: row.get(0)?,
                outcome: row.get(1)?,
                signal_id: row.get(2)?,
                trades: row.get(3)?,
                error: row.get(4)?,
                leader_contact_at: row.get(5)?,
                leader_error: row.get(6)?,
            })
        });
        Ok(pulse.optional()?)
    }

    /// Les comptes pour les métriques.
    pub fn counts(&self) -> Result<Counts, LedgerError> {
        let pairs = |sql: &str| -> Result<Vec<(String, u32)>, LedgerError> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        let mut statement =
            self.connection.prepare_cached("SELECT coin, side, count(*) FROM trades GROUP BY coin, side")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(Counts {
            polls: pairs("SELECT outcome, count FROM polls")?,
            signals: pairs("SELECT status, count(*) FROM signals GROUP BY status")?,
            trades: rows.collect::<Result<_, _>>()?,
        })
    }

    /// Les prix et le cours de l'euro qui sont frais à `now`, et tout ce qui manque, cash compris.
    pub fn outside(&self, now: Moment) -> Result<Outside, LedgerError> {
        let readings = self.readings()?;
        let find = |what: &str| readings.iter().find(|reading| reading.what == what);
        let quote = |what: &str| {
            let reading = find(what)?;
            let (bid, ask) = reading.bid_ask?;
            market::fresh(&Some(Reading { value: Quote::new(bid, ask).ok()?, at: reading.at? }), now)
        };
        let mut unknown: Vec<Unknown> = market::everything()
            .into_iter()
            .filter_map(|what| {
                let reading = find(&what);
                let at = reading.and_then(|reading| reading.at);
                market::missing(what, at, reading.and_then(|reading| reading.failure.as_deref()), now)
            })
            .collect();
        if self.account()?.cash.is_none() {
            let reason = "the budget is booked in USDC at the first known EUR rate".to_owned();
            unknown.push(Unknown { what: "cash".to_owned(), reason, since: None });
        }
        Ok(Outside {
            prices: PerCoin::from_fn(|coin| quote(&market::price_of(coin)).map(Quote::mid)),
            rate: quote(market::EURO).map(|quote| Rate::new(quote.mid().decimal())),
            unknown,
        })
    }

    fn readings(&self) -> Result<Vec<ReadingRow>, LedgerError> {
        let mut statement =
            self.connection.prepare_cached("SELECT what, bid, ask, at, failure FROM readings")?;
        let rows = statement.query_map([], |row| {
            let (bid, ask): (Option<Price>, Option<Price>) = (row.get(1)?, row.get(2)?);
            Ok(ReadingRow { what: row.get(0)?, bid_ask: bid.zip(ask), at: row.get(3)?, failure: row.get(4)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn signal_row(row: &Row) -> rusqlite::Result<Signal> {
    Ok(Signal {
        id: row.get(0)?,
        signal_id: row.get(1)?,
        version: row.get(2)?,
        confidence: row.get(3)?,
        reasoning: row.get(4)?,
        actions: row.get(5)?,
        portfolio_state: row.get(6)?,
        status: row.get(7)?,
        error_message: row.get(8)?,
        received_at: row.get(9)?,
        executed_at: row.get(10)?,
        trades: row.get(11)?,
        decisions: Vec::new(),
    })
}
