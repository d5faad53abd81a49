//! Ce que les chiffres d'une ligne se doivent entre eux et à ceux des autres lignes : ce qui se prouve sans sceau, même
//! d'une base qui n'en avait pas, et même de nous.
//!
//! Rien n'est écrit. Invariant : toute règle d'ici découle de la façon dont nous écrivons ces lignes ; un fait de la
//! bourse, même étrange, n'en dément aucune.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row};

use super::{LedgerError, fills, flows, movements};
use crate::domain::book::Fill;
use crate::domain::money::{Eur, Price, Quantity, Rate, Usdc};
use crate::domain::order::Side;

/// Décimales d'un prix moyen, et d'un montant simulé.
const PLACES: u32 = 8;

/// Ce qui ne s'accorde pas ; vide si tout s'accorde.
pub(super) fn disagreements(connection: &Connection) -> Result<Vec<String>, LedgerError> {
    let mut found = trades(connection)?;
    found.extend(rates(connection)?);
    found.extend(deposits(connection)?);
    found.extend(flows::disagreements(connection)?);
    Ok(found)
}

/// Un trade à nous, et ce que son intention en voulait.
struct Booked {
    id: i64,
    fill: Fill,
    fee_usdc: Usdc,
    simulated: bool,
    intent: i64,
    spend: Option<Usdc>,
    quantity: Option<Quantity>,
    /// Ce qu'il n'a pas comme son intention.
    strange: Option<String>,
}

fn trades(connection: &Connection) -> Result<Vec<String>, LedgerError> {
    let mut statement = connection.prepare(&format!(
        "SELECT {}, trades.id, trades.fee_usdc, trades.simulated, intents.id, intents.spend, intents.quantity,
             nullif(iif(trades.coin = intents.coin, '', ' coin') || iif(trades.side = intents.side, '', ' side')
                 || iif(trades.at = intents.ended_at, '', ' hour')
                 || iif(trades.signal_id = signals.signal_id, '', ' signal'), '')
         FROM trades JOIN intents ON intents.id = trades.intent JOIN signals ON signals.id = intents.signal
         ORDER BY trades.id",
        fills::COLUMNS
    ))?;
    let booked = statement.query_map([], |row| {
        let after = |index: usize| fills::COUNT + index;
        Ok(Booked {
            id: row.get(after(0))?,
            fill: fills::read(row)?,
            fee_usdc: row.get(after(1))?,
            simulated: row.get(after(2))?,
            intent: row.get(after(3))?,
            spend: row.get(after(4))?,
            quantity: row.get(after(5))?,
            strange: row.get(after(6))?,
        })
    })?;
    let mut found = Vec::new();
    for trade in booked {
        found.extend(trade?.faults());
    }
    Ok(found)
}

impl Booked {
    fn faults(&self) -> Vec<String> {
        let Booked { id, fill, fee_usdc, intent, .. } = self;
        let mut faults = Vec::new();
        if !self.is_priced() {
            let (price, amount, quantity) = (fill.price, fill.amount, fill.quantity);
            faults.push(format!(
                "trade {id} has {quantity} for {amount} USDC, and that is not its price of {price}"
            ));
        }
        if *fee_usdc != fill.fee_usdc() {
            faults.push(format!(
                "trade {id} has fees of {fee_usdc} USDC, and they come to {}",
                fill.fee_usdc()
            ));
        }
        if let Some(strange) = &self.strange {
            faults.push(format!("trade {id} is not as its intent {intent}:{strange}"));
        }
        let over = self.spend.is_some_and(|spend| fill.amount > spend)
            || self.quantity.is_some_and(|quantity| fill.quantity > quantity);
        if over {
            faults.push(format!("trade {id} is larger than its intent {intent}"));
        }
        faults
    }

    /// Le prix d'un ordre réel est la moyenne de ses exécutions ; en simulation, c'est lui qui fait le montant.
    fn is_priced(&self) -> bool {
        let Fill { quantity, price, amount, side, .. } = self.fill;
        match (self.simulated, side) {
            (false, _) => amount.per(quantity).map(|mean: Price| mean.floor(PLACES)) == Some(price),
            (true, Side::Buy) => (price * quantity).ceil(PLACES) == amount,
            (true, Side::Sell) => (price * quantity).floor(PLACES) == amount,
        }
    }
}

/// Un mouvement est compté à son cours : en euros, ou en ce qui est venu ou parti.
fn rates(connection: &Connection) -> Result<Vec<String>, LedgerError> {
    let mut statement = connection.prepare(
        "SELECT id, eur, rate, usdc, iif(quantity LIKE '-%', '-', '') || worth FROM movements
         WHERE kind <> 'dust' ORDER BY id",
    )?;
    let rows = statement.query_map([], |row: &Row| {
        let (id, eur, rate): (i64, Eur, Rate) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (cash, worth): (Usdc, Option<Usdc>) = (row.get(3)?, row.get(4)?);
        let usdc = worth.unwrap_or(cash);
        let told =
            || format!("movement {id} has {usdc} USDC for {eur} EUR, and that is not its rate of {rate}");
        Ok((eur.to_usdc(rate) != usdc && usdc.to_eur(rate) != eur).then(told))
    })?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Un relevé ne connaît, des dépôts, qu'un total qu'ils ont eu.
fn deposits(connection: &Connection) -> Result<Vec<String>, LedgerError> {
    let booked = movements::all(connection)?;
    // Avant l'ouverture, les relevés d'une base reprise sont les seuls.
    if booked.is_empty() {
        return Ok(Vec::new());
    }
    let (mut totals, mut total) = (BTreeSet::new(), Eur::ZERO);
    for booked in booked {
        total += booked.movement.eur;
        totals.insert(total);
    }
    let sql = "SELECT min(id), count(*), deposited_eur FROM snapshots GROUP BY deposited_eur ORDER BY 1";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let (id, count, deposited): (i64, i64, Eur) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        Ok((!totals.contains(&deposited))
            .then(|| format!("snapshot {id}{more} has {deposited} EUR of deposits, a total that never was")))
    })?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}
