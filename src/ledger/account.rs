//! Le compte et l'agent : le cash par ses mouvements, le total déposé, la pause.
//!
//! Invariant : le cash ne change ici que par un mouvement écrit dans la même transaction, au cours du
//! moment ; il ne devient jamais négatif.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Db, LedgerError, flows, movements, seal, wishes};
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Rate, Usdc};
use crate::domain::movement::{Kind, Movement};

/// Ce qu'un signal attend tant qu'un tour ne l'a pas dit mieux.
const JUST_STARTED: &str = "it has just started: nothing is read yet";

/// Pose l'agent et le compte à la création ; vérifie le mode. Les lectures du dehors sont oubliées et
/// l'échange réel est fermé : au démarrage rien n'est su tant que rien n'est relu.
pub(super) fn settle(
    connection: &Connection,
    mode: &str,
    initial: Eur,
    now: Moment,
) -> Result<(), LedgerError> {
    connection.execute(
        "INSERT OR IGNORE INTO agent (id, mode, tag) VALUES (1, ?1, lower(hex(randomblob(4))))",
        [mode],
    )?;
    let created = connection.execute(
        "INSERT OR IGNORE INTO account (id, initial_eur, deposited_eur, created_at) VALUES (1, ?1, ?1, ?2)",
        params![initial, now],
    )?;
    if created == 1 {
        seal::lay(connection, &seal::ACCOUNT, 1)?;
    }
    let booked: Eur = connection.query_row("SELECT initial_eur FROM account", [], |row| row.get(0))?;
    if booked != initial {
        log::info!("initial_budget_kept eur={booked} configured={initial} reason=\"it counts only once\"");
    }
    let kept: String = connection.query_row("SELECT mode FROM agent", [], |row| row.get(0))?;
    if kept != mode {
        return Err(LedgerError::Refused(format!(
            "this database belongs to {kept} and TRADING_MODE is {mode}: set another DB_PATH for {mode}, \
             or set TRADING_MODE={kept}"
        )));
    }
    connection.execute("DELETE FROM readings", [])?;
    connection.execute(
        "UPDATE exchange SET closed = iif(?1 = 'live', 'it has just started: nothing is checked yet', NULL)",
        [mode],
    )?;
    connection.execute("UPDATE signals SET waiting_for = ?1 WHERE status = 'received'", [JUST_STARTED])?;
    Ok(())
}

impl Db {
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
        self.move_cash(Kind::Deposit, rate, now, |deposited| deposited + eur)
    }

    /// Corrige le total déposé ; la différence bouge le cash au cours du moment.
    pub fn correct_deposits(&mut self, total: Eur, rate: Rate, now: Moment) -> Result<Eur, LedgerError> {
        self.move_cash(Kind::Correction, rate, now, |_| total)
    }

    fn move_cash(
        &mut self,
        kind: Kind,
        rate: Rate,
        now: Moment,
        total: impl FnOnce(Eur) -> Eur,
    ) -> Result<Eur, LedgerError> {
        let transaction = self.transaction()?;
        open_account(&transaction, rate, now)?;
        let deposited: Eur =
            transaction.query_row("SELECT deposited_eur FROM account", [], |row| row.get(0))?;
        let total = total(deposited);
        let eur = total - deposited;
        let movement = Movement { kind, eur, rate, usdc: eur.to_usdc(rate), moved: None };
        movements::write(&transaction, &movement, now)?;
        transaction.commit()?;
        Ok(total)
    }

    /// Met en pause, reprend, ou retourne l'état si `paused` est `None` ; rend l'état. Reprendre révoque « tout vendre ».
    pub fn set_paused(&mut self, paused: Option<bool>) -> Result<bool, LedgerError> {
        let transaction = self.transaction()?;
        let paused: bool = transaction.query_row(
            "UPDATE agent SET paused = coalesce(?1, 1 - paused),
                 paused_reason = iif(coalesce(?1, 1 - paused) = paused, paused_reason, NULL) RETURNING paused",
            [paused],
            |row| row.get(0),
        )?;
        if !paused {
            wishes::call_off_sell_all(&transaction)?;
        }
        transaction.commit()?;
        Ok(paused)
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
    let opening = Movement { kind: Kind::Opening, eur: deposited, rate, usdc, moved: None };
    movements::insert(connection, &opening, now)?;
    // La base a pu être faite à une heure fausse (1970 sur un Raspberry Pi) ; celle-ci est juste. Reprise du programme
    // Python, elle garde son début.
    seal::change(connection, &seal::ACCOUNT, 1, |connection| {
        connection.execute(
            "UPDATE account SET cash = ?1, created_at =
                 iif(EXISTS (SELECT 1 FROM trades) OR EXISTS (SELECT 1 FROM snapshots), created_at, ?2)",
            params![cash, now],
        )
    })?;
    flows::value_last(connection, rate, now)?;
    Ok(Some(cash))
}
