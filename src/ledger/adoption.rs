//! Ce qu'une personne décide des ordres qui portent un nom d'ici et que les livres n'ont pas : les adopter, ordre par
//! ordre, comme la bourse les raconte, ou les laisser dehors.
//!
//! Invariants : un ordre adopté est une intention finie, à son numéro, son trade avec elle ; une intention n'en prend pas
//! une autre ; laissés dehors, le grand livre change d'étiquette, pour qu'aucun de ses noms n'ait déjà servi.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Db, ForeignOrder, LedgerError, Outcome, foreign, intents, movements, seal, signals, wishes, withdrawals,
};
use crate::clock;
use crate::domain::book::Fill;
use crate::domain::doubt::{ATTEMPTS, WINDOW};
use crate::domain::execution::Report;
use crate::domain::intent::State;
use crate::domain::lost_past::{LostOrder, LostPast};
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::movement::Movement;
use crate::domain::order::Side;
use crate::domain::order_name::{self, OrderName};
use crate::domain::signal::ADOPTED;

/// Pourquoi un souhait que tenait un grand livre remis n'est pas mené à bien.
const PAST_LACKED: &str =
    "called off: the ledger was put back, or orders that it lacked were; ask again if it is still wanted";

impl Db {
    /// Un passé a manqué à ce grand livre : il attend en pause, s'il vit, qu'une personne ait regardé, et dit pourquoi. Ce
    /// qu'elle y voulait vendre n'est pas vendu sans elle : ce passé l'a peut-être révoqué, ou mené à bien.
    pub fn suspend(&mut self, reason: &str, now: Moment) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        suspend(&transaction, reason, now)?;
        Ok(transaction.commit()?)
    }

    /// Met aux livres ces ordres finis, avec ce qu'ils ont exécuté, et d'abord ce qui est à compter comme déposé, et les met en
    /// pause : tout, ou rien.
    pub fn adopt(
        &mut self,
        past: &LostPast,
        deposit: Option<&Movement>,
        reason: &str,
        now: Moment,
    ) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        suspend(&transaction, reason, now)?;
        if let Some(deposit) = deposit {
            movements::write(&transaction, deposit, now)?;
        }
        for LostOrder { report, fill, ends, .. } in past.orders() {
            match (ends, fill) {
                (Some(intent), Some(fill)) => {
                    let outcome = Outcome::Filled(fill.clone());
                    intents::book(&transaction, *intent, Some(report.order_id), &outcome, report.at)?;
                }
                (_, fill) => adopt(&transaction, report, fill.as_ref(), now)?,
            }
        }
        Ok(transaction.commit()?)
    }

    /// Laisse dehors tous ces ordres, et prend une autre étiquette ; rend combien. Ce qu'ils ont dépensé passerait pour ce qu'une
    /// personne a repris : un retrait ouvert est révoqué. Si de ses propres ordres en sont, rien n'est vendu sans elle.
    pub fn disown(&mut self, reason: &str, now: Moment) -> Result<usize, LedgerError> {
        let transaction = self.transaction()?;
        let ours = "SELECT EXISTS (SELECT 1 FROM foreign_orders WHERE bears = 'ours' AND settled = 0)";
        if transaction.query_row(ours, [], |row| row.get(0))? {
            suspend(&transaction, reason, now)?;
        }
        withdrawals::call_off_open(&transaction, PAST_LACKED, now)?;
        let sql = "UPDATE foreign_orders SET settled = 1 WHERE bears IS NOT NULL AND settled = 0";
        let settled = transaction.execute(sql, [])?;
        signals::doubt_actions(&transaction)?;
        change_tag(&transaction)?;
        transaction.commit()?;
        Ok(settled)
    }

    /// Laisse dehors ce qu'une personne a laissé dehors du livre `there`, que celui-ci remplace ; rend combien. Rien si c'en était un
    /// autre, ou s'il a un de ces ordres : c'est d'un livre plus ancien que lui qu'elle en avait décidé.
    pub fn keep_outside(&mut self, there: &Db) -> Result<usize, LedgerError> {
        let is_left = |left: &[ForeignOrder], order: &ForeignOrder| {
            left.iter().any(|left| (left.coin, left.order_id) == (order.coin, order.order_id))
        };
        let (mut orders, already) = (there.left_outside()?, self.left_outside()?);
        orders.retain(|order| !is_left(&already, order));
        let mut are_its_own = !order_name::are_kin(&there.tag()?, &self.tag()?);
        for order in &orders {
            // Un second sous un nom que l'autre livre avait aussi ne dit rien du premier.
            let is_second = there.intent_named(&order.client_id)?.is_some();
            are_its_own |= !is_second && self.knows(&order.told())?;
        }
        if are_its_own {
            return Ok(0);
        }
        let transaction = self.transaction()?;
        for order in &orders {
            foreign::insert(&transaction, &order.told(), order.bears)?;
            let sql = "UPDATE foreign_orders SET settled = 1 WHERE coin = ?1 AND order_id = ?2";
            transaction.execute(sql, params![order.coin, order.order_id])?;
        }
        if !orders.is_empty() {
            // Ce qu'ils ont dépensé passerait pour ce qu'une personne a repris ; leurs noms ne servent pas deux fois.
            withdrawals::call_off_open(&transaction, PAST_LACKED, clock::now())?;
            change_tag(&transaction)?;
        }
        transaction.commit()?;
        Ok(orders.len())
    }

    /// Donne à un grand livre sans passé l'étiquette d'un autre, qui est perdu.
    ///
    /// # Errors
    /// S'il a déjà envoyé un ordre.
    pub fn take_tag(&mut self, tag: &str) -> Result<(), LedgerError> {
        let sql = "UPDATE agent SET tag = ?1 WHERE tag = ?1 OR NOT EXISTS (SELECT 1 FROM intents WHERE client_id IS NOT NULL)";
        if self.connection.execute(sql, [tag])? == 0 {
            return Err(LedgerError::Refused("this ledger has a past of its own".to_owned()));
        }
        Ok(())
    }
}

/// Met aux livres cet ordre fini, qu'aucune intention d'ici n'attend.
fn adopt(
    connection: &Connection,
    report: &Report,
    fill: Option<&Fill>,
    now: Moment,
) -> Result<(), LedgerError> {
    signals::doubt_actions(connection)?;
    let signal = signal(connection, now)?;
    let name = OrderName::parse(&report.client_id);
    let number = match name.as_ref().map(|name| name.intent) {
        Some(id) if free(connection, "id", &id)? => Some(id),
        _ => None,
    };
    let client_id = match free(connection, "client_id", &report.client_id)? {
        true => report.client_id.clone(),
        // Un second ordre sous le même nom : son numéro le distingue.
        false => format!("{}+{}", report.client_id, report.order_id),
    };
    let (spend, quantity) = match report.side {
        Side::Buy => (Some(fill.map(|fill| fill.amount).or(report.amount).unwrap_or_default()), None),
        Side::Sell => (None, Some(report.executed)),
    };
    let state = if fill.is_some() { State::Filled } else { State::Refused };
    connection.execute(
        "INSERT INTO intents (id, signal, coin, side, spend, quantity, attempt, state, reason, client_id, stamped_at,
             window, order_id, created_at, ended_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?11, ?11)",
        params![
            number,
            signal,
            report.coin,
            report.side,
            spend,
            quantity,
            name.map_or(1, |name| name.attempt.clamp(1, ATTEMPTS)),
            state.word(),
            format!("adopted: the account had it, {}", report.status),
            client_id,
            report.at,
            WINDOW.as_millis() as i64,
            report.order_id,
        ],
    )?;
    let intent = connection.last_insert_rowid();
    seal::lay(connection, &seal::INTENTS, intent)?;
    if let Some(fill) = fill {
        intents::book_fill(connection, intent, fill, report.at)?;
        withdrawals::call_off_uncovered(connection, PAST_LACKED, now)?;
    }
    let sql = "DELETE FROM foreign_orders WHERE coin = ?1 AND order_id = ?2";
    connection.execute(sql, params![report.coin, report.order_id])?;
    Ok(())
}

fn change_tag(connection: &Connection) -> Result<(), LedgerError> {
    let tag: String = connection.query_row("SELECT tag FROM agent", [], |row| row.get(0))?;
    let next = order_name::next_tag(&tag, fastrand::u16(..));
    connection.execute("UPDATE agent SET tag = ?1", [next])?;
    Ok(())
}

fn suspend(connection: &Connection, reason: &str, now: Moment) -> Result<(), LedgerError> {
    wishes::call_off_sell_all(connection, PAST_LACKED)?;
    withdrawals::call_off_sales(connection, PAST_LACKED, now)?;
    let sql = "UPDATE agent SET paused = 1, paused_reason = ?1 WHERE state <> 'DEAD'";
    connection.execute(sql, [reason])?;
    Ok(())
}

fn free<T: rusqlite::ToSql>(connection: &Connection, column: &str, value: &T) -> Result<bool, LedgerError> {
    let sql = format!("SELECT NOT EXISTS (SELECT 1 FROM intents WHERE {column} = ?1)");
    Ok(connection.query_row(&sql, [value], |row| row.get(0))?)
}

/// La ligne de signal à laquelle se rattachent les ordres adoptés.
fn signal(connection: &Connection, now: Moment) -> Result<i64, LedgerError> {
    let sql = "SELECT id FROM signals WHERE signal_id = ?1";
    if let Some(row) = connection.query_row(sql, [ADOPTED], |row| row.get(0)).optional()? {
        return Ok(row);
    }
    connection.execute(
        "INSERT INTO signals (signal_id, reasoning, actions, status, received_at, executed_at)
         VALUES (?1, 'orders of this ledger that only the account still knew', '[]', 'executed', ?2, ?2)",
        params![ADOPTED, now],
    )?;
    let row = connection.last_insert_rowid();
    for coin in Coin::ALL {
        connection.execute(
            "INSERT INTO decisions (signal, coin, decision, code, reason)
             VALUES (?1, ?2, 'left', 'adopted', 'what the account had is in the books')",
            params![row, coin],
        )?;
    }
    Ok(row)
}
