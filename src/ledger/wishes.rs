//! Les souhaits d'une personne au grand livre : ouverts une fois, menés à bien comme des signaux, révoqués une fois.
//!
//! Invariants : « tout vendre » et la pause qui le suit s'écrivent ensemble, à l'ouverture : une coupure n'importe où ne
//! laisse ni l'un sans l'autre, ni deux fois le même ; le reprendre révoque ce qui n'en est pas fait.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::{Db, LedgerError, RequestKey, aim, requests};
use crate::domain::aim::Cause;
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::Usdc;
use crate::domain::wish::{self, Wish};

/// Écrit la ligne d'un souhait, à mener à bien ; rend son rang. `amount` : ce qu'il réunit, tout si `None`.
pub(super) fn insert(
    connection: &Connection,
    wish: Wish,
    number: i64,
    amount: Option<Usdc>,
    reasoning: &str,
    now: Moment,
) -> Result<i64, LedgerError> {
    let name = wish.name(number);
    if is_taken(connection, &name)? {
        return Err(LedgerError::Refused(format!("a signal of the leader already bears the name {name}")));
    }
    connection.execute(
        "INSERT INTO signals (signal_id, reasoning, actions, payload, status, received_at, wish)
         VALUES (?1, ?2, '[]', ?3, 'received', ?4, ?5)",
        params![name, reasoning, wish::payload(amount), now, wish.word()],
    )?;
    Ok(connection.last_insert_rowid())
}

fn is_taken(connection: &Connection, name: &str) -> Result<bool, LedgerError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM signals WHERE signal_id = ?1)";
    Ok(connection.query_row(sql, [name], |row| row.get(0))?)
}

/// Clôt un souhait qui n'est pas mené à bout. Ce qui en est vendu le reste ; un ordre en doute se saura sans lui.
pub(super) fn call_off(connection: &Connection, row: i64, reason: &str) -> Result<(), LedgerError> {
    let open = "SELECT EXISTS (SELECT 1 FROM signals WHERE id = ?1 AND status = 'received')";
    if !connection.query_row(open, [row], |row| row.get(0))? {
        // Ses ventes sont finies, et ce qu'elles ont réuni n'est plus pour lui : il ne reste pas dit exécuté.
        connection.execute(
            "UPDATE signals SET status = 'skipped', error_message = ?2, executed_at = NULL WHERE id = ?1",
            params![row, reason],
        )?;
        return Ok(());
    }
    let planned = "SELECT EXISTS (SELECT 1 FROM decisions WHERE signal = ?1)
                       OR EXISTS (SELECT 1 FROM waits WHERE signal = ?1)";
    if connection.query_row(planned, [row], |row| row.get(0))? {
        for coin in Coin::ALL {
            connection.execute(
                "INSERT OR IGNORE INTO decisions (signal, coin, decision, code, reason)
                 VALUES (?1, ?2, 'left', 'superseded', ?3)",
                params![row, coin, reason],
            )?;
        }
    }
    connection.execute("DELETE FROM waits WHERE signal = ?1", [row])?;
    connection.execute(
        "UPDATE signals SET status = 'skipped', error_message = ?2, payload = NULL, waiting_for = NULL WHERE id = ?1",
        params![row, reason],
    )?;
    Ok(())
}

/// « Tout vendre », tel qu'il est ouvert.
pub(super) struct Sale {
    pub row: i64,
    pub name: String,
    /// Il ne l'était pas déjà.
    pub begins: bool,
}

/// Ouvre « tout vendre », s'il ne l'est pas, et met en pause pour cette raison-ci.
pub(super) fn sell_all(
    connection: &Connection,
    why: &str,
    paused_for: &str,
    now: Moment,
) -> Result<Sale, LedgerError> {
    let open = open_sell_all(connection)?;
    let begins = open.is_none();
    let (row, name) = match open {
        Some(open) => open,
        None => {
            let sql = "SELECT count(*) + 1 FROM signals WHERE wish = ?1";
            let mut number = connection.query_row(sql, [Wish::SellAll.word()], |row| row.get(0))?;
            // Un leader d'avant que ces noms ne soient réservés a pu s'en servir.
            while is_taken(connection, &Wish::SellAll.name(number))? {
                number += 1;
            }
            let row = insert(connection, Wish::SellAll, number, None, why, now)?;
            (row, Wish::SellAll.name(number))
        }
    };
    let reason = format!("{paused_for} ({name})");
    connection.execute("UPDATE agent SET paused = 1, paused_reason = ?1", [reason])?;
    if begins {
        aim::reopen(connection, Cause::Money, now)?;
    }
    Ok(Sale { row, name, begins })
}

/// Révoque « tout vendre », s'il n'est pas mené à bout.
pub(super) fn call_off_sell_all(connection: &Connection, reason: &str) -> Result<(), LedgerError> {
    match open_sell_all(connection)? {
        Some((row, _)) => call_off(connection, row, reason),
        None => Ok(()),
    }
}

fn open_sell_all(connection: &Connection) -> Result<Option<(i64, String)>, LedgerError> {
    let sql = "SELECT id, signal_id FROM signals WHERE status = 'received' AND wish = ?1";
    let open =
        connection.query_row(sql, [Wish::SellAll.word()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(open)
}

/// Compte aux souhaits ouverts ce temps, où leurs ventes ont pu s'essayer.
pub(super) fn count_tried(connection: &Connection, tried: Duration) -> Result<(), LedgerError> {
    let open = "UPDATE signals SET tried_for = tried_for + ?1 WHERE status = 'received' AND wish IS NOT NULL";
    connection.execute(open, [tried.as_millis() as i64])?;
    Ok(())
}

impl Db {
    /// Ouvre « tout vendre » et met en pause ; rend son nom si c'est cette fois-ci. Ouvert, il l'est déjà ; redite sous sa clé,
    /// la demande n'est pas refaite.
    pub fn open_sell_all(
        &mut self,
        request: Option<&RequestKey>,
        now: Moment,
    ) -> Result<Option<String>, LedgerError> {
        let transaction = self.transaction()?;
        let made = request.map(|request| requests::made(&transaction, request, now)).transpose()?;
        if made.flatten().is_some() {
            return Ok(None);
        }
        let why = "a person sells all and stops";
        let Sale { row, name, begins } =
            sell_all(&transaction, why, "a person asked to sell all and stop", now)?;
        if let Some(request) = request {
            requests::keep(&transaction, request, row, now)?;
        }
        transaction.commit()?;
        Ok(begins.then_some(name))
    }
}
