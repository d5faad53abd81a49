//! Le grand livre relu depuis le début : ce que ses mouvements et ses trades racontent, à côté de ce
//! qu'il tient.
//!
//! Rien n'est écrit ; une transaction donne de tout le même instant, même quand le démon tourne à côté.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::fills::Trade;
use super::movements::Booked;
use super::views::{self, Intent};
use super::{Db, LedgerError, figures, fills, legacy, movements, others, positions, seal};
use crate::domain::book::{self, Effect, Event, Fill};
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Usdc};
use crate::domain::movement::Kind;
use crate::domain::order::Side;
use crate::domain::others::Others;
use crate::domain::portfolio::Holdings;
use crate::domain::settled::Settled;

/// Les deux récits d'un grand livre, et ce qui les compose.
#[derive(Clone, Debug)]
pub struct Audit {
    pub mode: String,
    pub movements: usize,
    pub trades: usize,
    /// Ce que la base tient ; `None` tant que l'ouverture n'est pas comptée.
    pub kept: Option<Holdings>,
    /// Ce que les mouvements ont apporté et repris, sans les trades.
    pub brought: Holdings,
    /// Ce que nos ordres ont pris à la part du compte qui n'est pas aux livres : ce que la base tient, ce que les trades
    /// donnent.
    pub of_others: Others,
    pub replayed_of_others: Others,
    /// Ce que les mouvements et les trades donnent.
    pub replayed: Holdings,
    pub kept_deposits: Eur,
    pub replayed_deposits: Eur,
    /// Ce que SQLite trouve d'abîmé dans le fichier, les lignes que leur sceau dément, celles qui se démentent entre elles.
    pub damage: Vec<String>,
}

/// Une intention réelle, et le trade que le grand livre en a.
#[derive(Clone, Debug)]
pub struct LiveOrder {
    pub intent: Intent,
    pub fill: Option<Fill>,
    /// Les écarts qu'une personne a réglés depuis.
    pub settled: Settled,
}

impl Db {
    /// Relit tout, au même instant.
    pub fn audit(&self) -> Result<Audit, LedgerError> {
        read(&*self.connection.unchecked_transaction()?)
    }

    /// Toutes les intentions d'un grand livre réel, dans l'ordre, au même instant que leurs trades.
    pub fn live_orders(&self) -> Result<Vec<LiveOrder>, LedgerError> {
        let transaction = self.connection.unchecked_transaction()?;
        let fills = fills::all(&transaction)?.into_iter().map(|trade| (trade.intent, trade.fill));
        let mut fills: BTreeMap<i64, Fill> = fills.collect();
        let order = |intent: Intent| {
            let (fill, settled) = (fills.remove(&intent.id), self.settled_since(intent.id)?);
            Ok(LiveOrder { intent, fill, settled })
        };
        self.all_intents()?.into_iter().map(order).collect()
    }
}

/// Ce que des octets disent est dit même si un nombre touché ne se lit plus.
fn read(connection: &Connection) -> Result<Audit, LedgerError> {
    let damage = damage(connection)?;
    let told = |error: LedgerError| match damage.is_empty() {
        true => error,
        false => LedgerError::Refused(format!("{}; {error}", damage.join("; "))),
    };
    let audit = replay(connection).map_err(told)?;
    Ok(Audit { damage: [damage, audit.damage].concat(), ..audit })
}

fn replay(connection: &Connection) -> Result<Audit, LedgerError> {
    let (booked, fills) = (movements::all(connection)?, fills::all(connection)?);
    let (mode, kept_deposits, brought): (String, Eur, Usdc) =
        connection.query_row("SELECT mode, deposited_eur, brought_usdc FROM account, agent", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let moved = || booked.iter().map(|booked| &booked.movement);
    // Ce qu'une base reprise avait déjà gagné ou dépensé vient avec l'ouverture, qui ne rend pas le cash négatif.
    let opening = moved().find(|movement| movement.kind == Kind::Opening).map(|opening| opening.usdc);
    let cash = opening.map_or(Usdc::ZERO, |usdc| (usdc + brought).max(Usdc::ZERO) - usdc);
    let start = Holdings { positions: legacy::brought_positions(connection)?, cash };
    // Avant l'ouverture, rien n'a encore compté ce qui est versé.
    let deposits = moved().map(|movement| movement.eur).sum();
    let replayed_deposits = if booked.is_empty() { kept_deposits } else { deposits };
    let brought = moved().fold(start, |holdings, movement| book::moved(&holdings, movement));
    let trades = fills.len();
    let Effect { holdings: replayed, others: replayed_of_others } =
        book::replay(start, in_order(&booked, fills));
    Ok(Audit {
        mode,
        movements: booked.len(),
        trades,
        kept: views::holdings(connection)?,
        brought,
        of_others: others::all(connection)?,
        replayed_of_others,
        replayed,
        kept_deposits,
        replayed_deposits,
        damage: figures::disagreements(connection)?,
    })
}

/// Compte de nouveau les livres d'une version qui laissait un achat prendre plus que le cash : ce qu'il a pris de plus est
/// d'autrui. Des autres livres, rien ne change.
pub(super) fn recount(connection: &Connection) -> Result<(), LedgerError> {
    let Audit { kept: Some(kept), brought, replayed, of_others, replayed_of_others, .. } =
        replay(connection)?
    else {
        return Ok(());
    };
    let spent: Usdc = fills::all(connection)?
        .iter()
        .map(|Trade { fill, .. }| match fill.side {
            Side::Buy => fill.amount + fill.fees.usdc,
            Side::Sell => fill.fees.usdc - fill.amount,
        })
        .sum();
    // Comme cette version les comptait, et non comme une autre main les aurait laissés.
    if kept.cash != brought.cash - spent || kept.cash == replayed.cash {
        return Ok(());
    }
    log::warn!("books_recounted cash={} was={}", replayed.cash, kept.cash);
    let at: Moment = connection.query_row("SELECT max(at) FROM trades", [], |row| row.get(0))?;
    positions::keep(connection, &kept, &replayed, at)?;
    others::add(connection, &replayed_of_others.less(&of_others))?;
    seal::change(connection, &seal::ACCOUNT, 1, |connection| {
        connection.execute("UPDATE account SET cash = ?1", [replayed.cash])
    })?;
    Ok(())
}

/// Les mouvements et les exécutions, dans l'ordre où ils ont été comptés.
fn in_order(booked: &[Booked], fills: Vec<Trade>) -> Vec<Event> {
    let (mut events, mut fills) = (Vec::new(), fills.into_iter().peekable());
    for Booked { movement, after_trade } in booked {
        while let Some(trade) = fills.next_if(|trade| Some(trade.id) <= *after_trade) {
            events.push(Event::Filled(trade.fill));
        }
        events.push(Event::Moved(*movement));
    }
    events.extend(fills.map(|trade| Event::Filled(trade.fill)));
    events
}

/// Ce qui se voit sans lire un nombre.
fn damage(connection: &Connection) -> Result<Vec<String>, LedgerError> {
    let lines = |sql: &str| -> Result<Vec<String>, LedgerError> {
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    let mut damage = lines("PRAGMA integrity_check")?;
    damage.retain(|line| line != "ok");
    damage.extend(seal::breaches(connection)?);
    damage.extend(lines(
        "SELECT 'intent ' || id || ' is filled and has no trade' FROM intents
         WHERE state = 'filled' AND id NOT IN (SELECT intent FROM trades WHERE intent IS NOT NULL)
         UNION ALL
         SELECT 'trade ' || trades.id || ' belongs to an intent that is not filled' FROM trades
         JOIN intents ON intents.id = trades.intent WHERE intents.state <> 'filled'
         UNION ALL
         SELECT \"table\" || coalesce(' ' || rowid, '') || ' needs a row of ' || parent || ' that is not there'
         FROM pragma_foreign_key_check",
    )?);
    Ok(damage)
}
