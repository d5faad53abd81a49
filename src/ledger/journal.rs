//! Les écritures du grand livre. Chacune est une transaction entière ou rien.
//!
//! Invariants : le cash et les positions ne changent que par un mouvement ou un trade écrit dans la
//! même transaction ; une intention n'est exécutée qu'une fois ; un signal clos ne se rouvre pas.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::views;
use super::{Db, LedgerError};
use crate::domain::book::{self, Fee, Fill};
use crate::domain::intent::{Event, State};
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Price, Rate, Usdc};
use crate::domain::order::{Order, Size};
use crate::domain::portfolio::Valuation;
use crate::domain::signal::{INITIAL_SYNC, Target};
use crate::domain::survival;

/// Les relevés plus vieux que cela sont réduits à un par heure.
const FULL_DETAIL: Duration = Duration::from_secs(31 * 24 * 3600);

/// Tours entre deux réductions : environ un jour à deux minutes.
const THINNING_EVERY: i64 = 720;

/// Un signal tel que le leader l'a envoyé, prêt à être écrit.
#[derive(Clone, Debug)]
pub struct Received {
    pub signal_id: String,
    pub version: Option<u32>,
    pub confidence: Option<f64>,
    pub reasoning: String,
    pub actions: String,
    pub portfolio_state: Option<String>,
    pub payload: String,
    pub target: Option<Target>,
    pub verdict: Verdict,
}

/// Ce qu'on fait d'un signal à sa réception.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// À exécuter.
    Accepted,
    /// Invalide : jamais exécuté.
    Rejected(String),
    /// Valable, mais rien n'en sera fait.
    Skipped(String),
}

/// Un signal qui attend d'être exécuté.
#[derive(Clone, Debug)]
pub struct PendingSignal {
    pub row: i64,
    pub signal_id: String,
    pub payload: String,
}

/// Comment un signal finit.
#[derive(Clone, Debug, PartialEq)]
pub enum SignalStatus {
    Executed,
    Skipped(String),
    Error(String),
}

/// Ce qui a été décidé d'un coin pour un signal.
#[derive(Clone, Debug)]
pub struct Decision {
    pub coin: Coin,
    pub decision: &'static str,
    pub code: &'static str,
    pub reason: String,
}

/// L'issue d'une intention.
#[derive(Clone, Debug)]
pub enum Outcome {
    Filled(Fill),
    Refused(String),
}

/// La fin d'un tour : ce que les écrans en diront.
#[derive(Clone, Debug)]
pub struct CycleRecord {
    pub outcome: &'static str,
    pub signal_id: Option<String>,
    pub trades: Option<u32>,
    pub error: Option<String>,
    /// `None` si le leader a répondu comme il doit.
    pub leader_error: Option<String>,
    pub readings: Vec<ReadingRow>,
    pub valuation: Option<Valuation>,
}

/// Une lecture du dehors telle qu'elle est gardée pour les écrans.
#[derive(Clone, Debug)]
pub struct ReadingRow {
    pub what: String,
    pub bid_ask: Option<(Price, Price)>,
    pub at: Option<Moment>,
    pub failure: Option<String>,
}

impl Db {
    fn transaction(&mut self) -> Result<Transaction<'_>, LedgerError> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    /// Pose l'agent et le compte à la création ; vérifie le mode. Les lectures du dehors sont
    /// oubliées : au démarrage rien n'est su tant que rien n'est relu.
    pub(super) fn settle(&mut self, mode: &str, initial: Eur, now: Moment) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        transaction.execute("INSERT OR IGNORE INTO agent (id, mode) VALUES (1, ?1)", [mode])?;
        transaction.execute(
            "INSERT OR IGNORE INTO account (id, initial_eur, deposited_eur, created_at) VALUES (1, ?1, ?1, ?2)",
            params![initial, now],
        )?;
        let kept: String = transaction.query_row("SELECT mode FROM agent", [], |row| row.get(0))?;
        if kept != mode {
            return Err(LedgerError::Refused(format!(
                "this database belongs to {kept} and TRADING_MODE is {mode}: set another DB_PATH for {mode}, \
                 or set TRADING_MODE={kept}"
            )));
        }
        transaction.execute("DELETE FROM readings", [])?;
        transaction.commit()?;
        Ok(())
    }

    /// Compte le capital initial en USDC, une seule fois, au cours du moment. Rend le cash si c'est
    /// cette fois-ci.
    pub fn book_opening(&mut self, rate: Rate, now: Moment) -> Result<Option<Usdc>, LedgerError> {
        let transaction = self.transaction()?;
        let opened = open_account(&transaction, rate, now)?;
        transaction.commit()?;
        Ok(opened)
    }

    /// Compte un dépôt ; rend le total déposé.
    pub fn deposit(&mut self, eur: Eur, rate: Rate, now: Moment) -> Result<Eur, LedgerError> {
        self.move_cash("deposit", rate, now, |deposited| deposited + eur)
    }

    /// Corrige le total déposé ; la différence bouge le cash au cours du moment.
    pub fn correct_deposits(&mut self, total: Eur, rate: Rate, now: Moment) -> Result<Eur, LedgerError> {
        self.move_cash("correction", rate, now, |_| total)
    }

    fn move_cash(
        &mut self,
        kind: &str,
        rate: Rate,
        now: Moment,
        total: impl FnOnce(Eur) -> Eur,
    ) -> Result<Eur, LedgerError> {
        let transaction = self.transaction()?;
        open_account(&transaction, rate, now)?;
        let (deposited, cash): (Eur, Usdc) =
            transaction.query_row("SELECT deposited_eur, cash FROM account", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let total = total(deposited);
        let eur = total - deposited;
        let usdc = eur.to_usdc(rate);
        if cash + usdc < Usdc::ZERO {
            return Err(LedgerError::Refused(format!(
                "the cash of {cash:.2} USDC does not cover this correction of {usdc:.2}: nothing was changed"
            )));
        }
        transaction.execute(
            "INSERT INTO movements (kind, eur, rate, usdc, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![kind, eur, rate, usdc, now],
        )?;
        transaction
            .execute("UPDATE account SET deposited_eur = ?1, cash = ?2", params![total, cash + usdc])?;
        transaction.commit()?;
        Ok(total)
    }

    /// Met en pause, reprend, ou retourne l'état si `paused` est `None` ; rend l'état.
    pub fn set_paused(&mut self, paused: Option<bool>) -> Result<bool, LedgerError> {
        Ok(self.connection.query_row(
            "UPDATE agent SET paused = coalesce(?1, 1 - paused) RETURNING paused",
            [paused],
            |row| row.get(0),
        )?)
    }

    /// Écrit un signal jamais vu ; rend faux s'il est déjà connu. Avec `opens_sync`, la
    /// synchronisation initiale s'ouvre sur lui dans la même transaction : coupé entre les deux, il
    /// serait pris pour un autre signal, et suivi une seconde fois.
    pub fn receive(&mut self, signal: &Received, opens_sync: bool, now: Moment) -> Result<bool, LedgerError> {
        let transaction = self.transaction()?;
        if opens_sync {
            open_initial_sync(&transaction, signal, now)?;
        }
        let fresh = insert_signal(&transaction, signal, now)?;
        if let Some(target) = signal.target.filter(|_| fresh) {
            for coin in Coin::ALL {
                transaction.execute(
                    "INSERT INTO leader_target (coin, weight) VALUES (?1, ?2)
                     ON CONFLICT (coin) DO UPDATE SET weight = ?2",
                    params![coin, target.weight(coin)],
                )?;
            }
        }
        transaction.commit()?;
        Ok(fresh)
    }

    /// Abandonne les intentions qu'une interruption a laissées : rien n'en était parti.
    pub fn abandon_intents(&mut self, now: Moment) -> Result<usize, LedgerError> {
        Ok(self.connection.execute(
            "UPDATE intents SET state = 'abandoned', ended_at = ?1 WHERE state = 'planned'",
            [now],
        )?)
    }

    /// Écrit les intentions, toutes ou aucune, avant que rien ne parte ; rend leurs numéros.
    pub fn write_intents(
        &mut self,
        signal: i64,
        orders: &[Order],
        now: Moment,
    ) -> Result<Vec<i64>, LedgerError> {
        let transaction = self.transaction()?;
        let mut rows = Vec::with_capacity(orders.len());
        for order in orders {
            let (spend, quantity) = match order.size() {
                Size::Spend(amount) => (Some(amount), None),
                Size::Sell(quantity) => (None, Some(quantity)),
            };
            transaction.execute(
                "INSERT INTO intents (signal, coin, side, spend, quantity, state, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'planned', ?6)",
                params![signal, order.coin(), order.side(), spend, quantity, now],
            )?;
            rows.push(transaction.last_insert_rowid());
        }
        transaction.commit()?;
        Ok(rows)
    }

    /// Écrit l'issue d'une intention et, si elle est exécutée, le trade, la position et le cash.
    pub fn book(
        &mut self,
        intent: i64,
        outcome: &Outcome,
        simulated: bool,
        now: Moment,
    ) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        let (event, reason) = match outcome {
            Outcome::Filled(_) => (Event::Filled, None),
            Outcome::Refused(reason) => (Event::Refused, Some(reason)),
        };
        let next = State::Planned.next(event).map(State::word);
        let moved = transaction.execute(
            "UPDATE intents SET state = ?2, reason = ?3, ended_at = ?4 WHERE id = ?1 AND state = 'planned'",
            params![intent, next, reason, now],
        )?;
        if moved != 1 {
            return Err(LedgerError::Refused(format!("intent {intent} has already ended")));
        }
        if let Outcome::Filled(fill) = outcome {
            book_fill(&transaction, intent, fill, simulated, now)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Clôt un signal, avec ce qui a été décidé de chaque coin.
    pub fn close_signal(
        &mut self,
        row: i64,
        status: &SignalStatus,
        decisions: &[Decision],
        now: Moment,
    ) -> Result<(), LedgerError> {
        let (word, message) = match status {
            SignalStatus::Executed => ("executed", None),
            SignalStatus::Skipped(message) => ("skipped", Some(message)),
            SignalStatus::Error(message) => ("error", Some(message)),
        };
        let executed_at = (*status == SignalStatus::Executed).then_some(now);
        let transaction = self.transaction()?;
        transaction.execute(
            "UPDATE signals SET status = ?2, error_message = ?3, executed_at = ?4, payload = NULL
             WHERE id = ?1 AND status = 'received'",
            params![row, word, message, executed_at],
        )?;
        for decision in decisions {
            transaction.execute(
                "INSERT OR REPLACE INTO decisions (signal, coin, decision, code, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![row, decision.coin, decision.decision, decision.code, decision.reason],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Clôt un tour en une transaction : lectures, relevé, survie, pouls. Rend vrai si l'agent vient
    /// de mourir.
    pub fn close_cycle(&mut self, record: &CycleRecord, now: Moment) -> Result<bool, LedgerError> {
        let transaction = self.transaction()?;
        keep_readings(&transaction, &record.readings)?;
        transaction.execute(
            "INSERT INTO polls (outcome, count) VALUES (?1, 1) ON CONFLICT DO UPDATE SET count = count + 1",
            [record.outcome],
        )?;
        transaction.execute(
            "INSERT INTO pulse (id, polled_at, outcome, signal_id, trades, error, leader_contact_at, leader_error)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE SET polled_at = ?1, outcome = ?2, signal_id = ?3, trades = ?4, error = ?5,
                 leader_contact_at = coalesce(?6, leader_contact_at), leader_error = ?7",
            params![
                now,
                record.outcome,
                record.signal_id,
                record.trades,
                record.error,
                record.leader_error.is_none().then_some(now),
                record.leader_error
            ],
        )?;
        let died = match &record.valuation {
            Some(valuation) => {
                snapshot(&transaction, valuation, now)?;
                survive(&transaction, valuation)?
            }
            None => false,
        };
        transaction.commit()?;
        Ok(died)
    }

    /// Garde les lectures entre deux tours, sans compter de tour.
    pub fn keep_readings(&mut self, readings: &[ReadingRow]) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        keep_readings(&transaction, readings)?;
        transaction.commit()?;
        Ok(())
    }
}

fn open_account(connection: &Connection, rate: Rate, now: Moment) -> Result<Option<Usdc>, LedgerError> {
    let unopened: Option<(Eur, Usdc)> = connection
        .query_row("SELECT deposited_eur, brought_usdc FROM account WHERE cash IS NULL", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((deposited, brought)) = unopened else {
        return Ok(None);
    };
    let usdc = deposited.to_usdc(rate);
    // Une base reprise peut avoir dépensé un rien de plus que ce cours ne donne.
    let cash = (usdc + brought).max(Usdc::ZERO);
    connection.execute(
        "INSERT INTO movements (kind, eur, rate, usdc, at) VALUES ('opening', ?1, ?2, ?3, ?4)",
        params![deposited, rate, usdc, now],
    )?;
    connection.execute("UPDATE account SET cash = ?1", [cash])?;
    Ok(Some(cash))
}

/// Ouvre la synchronisation initiale sur `signal`, ou la met à jour tant qu'elle n'a pas abouti.
fn open_initial_sync(connection: &Connection, signal: &Received, now: Moment) -> Result<(), LedgerError> {
    let sync = Received {
        signal_id: INITIAL_SYNC.to_owned(),
        reasoning: format!("initial sync from {}", signal.signal_id),
        actions: "[]".to_owned(),
        verdict: Verdict::Accepted,
        ..signal.clone()
    };
    if !insert_signal(connection, &sync, now)? {
        connection.execute(
            "UPDATE signals SET payload = ?2, portfolio_state = ?3, reasoning = ?4
             WHERE signal_id = ?1 AND status = 'received'",
            params![sync.signal_id, sync.payload, sync.portfolio_state, sync.reasoning],
        )?;
    }
    Ok(())
}

fn insert_signal(connection: &Connection, signal: &Received, now: Moment) -> Result<bool, LedgerError> {
    let (status, message, payload) = match &signal.verdict {
        Verdict::Accepted => ("received", None, Some(&signal.payload)),
        Verdict::Rejected(reason) => ("rejected", Some(reason), None),
        Verdict::Skipped(reason) => ("skipped", Some(reason), None),
    };
    let inserted = connection.execute(
        "INSERT INTO signals (signal_id, version, confidence, reasoning, actions, portfolio_state, payload, status,
             error_message, received_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (signal_id) DO NOTHING",
        params![
            signal.signal_id,
            signal.version,
            signal.confidence,
            signal.reasoning,
            signal.actions,
            signal.portfolio_state,
            payload,
            status,
            message,
            now
        ],
    )?;
    Ok(inserted == 1)
}

fn book_fill(
    connection: &Connection,
    intent: i64,
    fill: &Fill,
    simulated: bool,
    now: Moment,
) -> Result<(), LedgerError> {
    let holdings = views::holdings(connection)?
        .ok_or_else(|| LedgerError::Refused("a fill came before the opening was booked".to_owned()))?;
    let after = book::apply(&holdings, fill).map_err(|error| LedgerError::Refused(error.to_string()))?;
    let (fee, fee_asset) = match fill.fee {
        Fee::Coin(quantity) => (quantity.to_string(), fill.coin.asset()),
        Fee::Usdc(amount) => (amount.to_string(), "USDC"),
    };
    connection.execute(
        "INSERT INTO trades (intent, signal_id, coin, side, quantity, price, amount, fee, fee_asset, fee_usdc,
             simulated, at)
         VALUES (?1, (SELECT signal_id FROM signals JOIN intents ON signals.id = intents.signal
                      WHERE intents.id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            intent,
            fill.coin,
            fill.side,
            fill.quantity,
            fill.price,
            fill.amount,
            fee,
            fee_asset,
            fill.fee_usdc(),
            simulated,
            now
        ],
    )?;
    let position = after.positions[fill.coin];
    connection.execute(
        "INSERT INTO positions (coin, quantity, invested, updated_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (coin) DO UPDATE SET quantity = ?2, invested = ?3, updated_at = ?4",
        params![fill.coin, position.quantity, position.invested, now],
    )?;
    connection.execute("UPDATE account SET cash = ?1", [after.cash])?;
    Ok(())
}

fn keep_readings(connection: &Connection, readings: &[ReadingRow]) -> Result<(), LedgerError> {
    for reading in readings {
        let (bid, ask) = reading.bid_ask.unzip();
        connection.execute(
            "INSERT INTO readings (what, bid, ask, at, failure) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (what) DO UPDATE SET bid = coalesce(?2, bid), ask = coalesce(?3, ask),
                 at = coalesce(?4, at), failure = ?5",
            params![reading.what, bid, ask, reading.at, reading.failure],
        )?;
    }
    Ok(())
}

fn snapshot(connection: &Connection, valuation: &Valuation, now: Moment) -> Result<(), LedgerError> {
    connection.execute(
        "INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at)
         VALUES (?1, ?2, ?3, (SELECT deposited_eur FROM account), ?4)",
        params![
            valuation.total_eur,
            (valuation.total - valuation.cash).floor(8),
            valuation.cash.floor(8),
            now
        ],
    )?;
    if connection.last_insert_rowid() % THINNING_EVERY == 0 {
        connection.execute(
            "DELETE FROM snapshots WHERE at < ?1 AND id NOT IN
                 (SELECT min(id) FROM snapshots WHERE at < ?1 GROUP BY at / 3600000)",
            [now.minus(FULL_DETAIL)],
        )?;
    }
    Ok(())
}

fn survive(connection: &Connection, valuation: &Valuation) -> Result<bool, LedgerError> {
    let (state, low): (String, u32) =
        connection
            .query_row("SELECT state, low_in_a_row FROM agent", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let low_now = survival::count(low, valuation.total_eur);
    let dies = state == "ACTIVE" && low_now >= survival::READINGS;
    if dies {
        connection.execute("UPDATE agent SET state = 'DEAD'", [])?;
    }
    if low_now != low {
        connection.execute("UPDATE agent SET low_in_a_row = ?1", [low_now])?;
    }
    Ok(dies)
}
