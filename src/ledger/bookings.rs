//! Ce qu'une personne fait compter : dépôt, correction, écart d'un actif, quantités brutes du programme Python.
//!
//! Invariants : au compte réel, rien ne s'ajoute aux livres qui n'y soit, au-delà d'eux, au dernier rapprochement ; rien
//! n'en est ôté qui n'en soit parti ; ni l'un ni l'autre tant qu'un ordre a pu changer l'actif sans qu'on le sache.

use rusqlite::Connection;

use super::requests::{self, RequestKey};
use super::{
    Db, LedgerError, account, balances, foreign, last_known, movements, survival, takeover, views,
    withdrawals,
};
use crate::domain::booking::{self, Booked, Booking, Footing};
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Price, Quantity, Usdc};
use crate::domain::movement::{Kind, Moved, Movement};
use crate::domain::reconcile::{Asset, Line};

const NO_ACCOUNT: &str = "a simulation has no account to compare the books with: nothing was changed";

/// La ligne d'une correction qui n'a rien changé.
const UNCHANGED: i64 = 0;

impl Db {
    /// Compte ce qu'une personne demande ; `request` le nomme, si elle y tient : redit, il n'est pas refait.
    ///
    /// # Errors
    /// Quand les livres ou le compte s'y opposent, ou qu'il manque une connaissance. Rien n'a alors changé.
    pub fn enter(
        &mut self,
        booking: &Booking,
        footing: &Footing,
        request: Option<&RequestKey>,
        now: Moment,
    ) -> Result<Booked, LedgerError> {
        let transaction = self.transaction()?;
        let kept = request.map(|request| requests::made(&transaction, request, now)).transpose()?;
        match (kept.flatten(), *booking) {
            (Some(UNCHANGED), Booking::Correction { total, .. }) => return Ok(unchanged(total, footing)),
            (Some(row), _) => return movements::booked(&transaction, row),
            (None, _) => {}
        }
        foreign::refuse_evidence(&transaction)?;
        let live = is_live(&transaction)?;
        if !live {
            account::open(&transaction, footing.rate, None, now)?;
        } else if views::holdings(&transaction)?.is_none() {
            return Err(LedgerError::Unknown(
                "the opening is not booked yet: nothing was changed".to_owned(),
            ));
        }
        let movements = wanted(&transaction, booking, footing, (live, now))?;
        if let (Booking::Correction { total, .. }, [movement]) = (*booking, movements.as_slice())
            && movement.eur.is_zero()
        {
            // Le total est déjà celui-là : rien n'a bougé, rien ne s'inscrit, que la clé.
            if let Some(request) = request {
                requests::keep(&transaction, request, UNCHANGED, now)?;
                transaction.commit()?;
            }
            return Ok(unchanged(total, footing));
        }
        for movement in movements {
            withdrawals::refuse_to_add_to_all(&transaction, &movement)?;
            let warning = survival::warning(&transaction, &movement, now)?;
            movements::write(&transaction, &movement, now)?;
            // Ce qui ne se peut pas est dit avant ce qui se regretterait.
            if let (Some(warning), Booking::Correction { understood: false, .. }) = (warning, booking) {
                return Err(LedgerError::Refused(warning));
            }
        }
        if let Booking::TakeOver = booking {
            takeover::confirm(&transaction)?;
        }
        let row = movements::last(&transaction)?;
        if let Some(request) = request {
            requests::keep(&transaction, request, row, now)?;
        }
        let booked = movements::booked(&transaction, row)?;
        transaction.commit()?;
        Ok(booked)
    }
}

/// Ce que répond une correction vers le total qui est déjà là.
fn unchanged(total: Eur, footing: &Footing) -> Booked {
    Booked { movement: Movement::of_euros(Kind::Correction, Eur::ZERO, footing.rate), deposited: total }
}

fn is_live(connection: &Connection) -> Result<bool, LedgerError> {
    Ok(connection.query_row("SELECT mode = 'live' FROM agent", [], |row| row.get(0))?)
}

/// Les mouvements que cela demande ; au moins un.
fn wanted(
    connection: &Connection,
    booking: &Booking,
    footing: &Footing,
    (live, now): (bool, Moment),
) -> Result<Vec<Movement>, LedgerError> {
    let one = match *booking {
        Booking::Deposit(eur) => brought(connection, Kind::Deposit, eur, footing, live)?,
        Booking::Correction { total, .. } => {
            let deposited: Eur =
                connection.query_row("SELECT deposited_eur FROM account", [], |row| row.get(0))?;
            brought(connection, Kind::Correction, total - deposited, footing, live)?
        }
        Booking::WriteOff(Asset::Coin(coin), quantity) if !live => {
            write_off_lost(connection, coin, quantity, footing, now)?
        }
        Booking::WriteOff(asset, quantity) => {
            let line = compared(connection, asset, footing, live)?;
            write_off(connection, line, asset, quantity, footing)?
        }
        Booking::Count(asset, quantity) => {
            count(compared(connection, asset, footing, live)?, asset, quantity, footing)?
        }
        Booking::TakeOver => return taken_over(connection, footing, live),
    };
    Ok(vec![one])
}

/// Des euros apportés ou repris ; au compte réel, pas plus qu'il n'y en a au-delà des livres.
fn brought(
    connection: &Connection,
    kind: Kind,
    eur: Eur,
    footing: &Footing,
    live: bool,
) -> Result<Movement, LedgerError> {
    let movement = Movement::of_euros(kind, eur, footing.rate);
    // Un mort n'en fera rien : ce n'est pas ce qui manque au compte qu'il faut dire d'abord.
    survival::refuse_to_feed_the_dead(connection, &movement)?;
    if live && movement.usdc.is_positive() {
        let beyond = compared(connection, Asset::Cash, footing, live)?.beyond();
        if movement.usdc > Usdc::new(beyond.decimal()) {
            let most = Usdc::new(beyond.decimal()).to_eur(footing.rate);
            return Err(LedgerError::Refused(format!(
                "the account holds {beyond:.2} USDC more than the books, so {:.2} EUR at most can be counted: bring \
                 the money to Binance first, nothing was changed",
                most.floor(2)
            )));
        }
    }
    Ok(movement)
}

fn write_off(
    connection: &Connection,
    line: Line,
    asset: Asset,
    quantity: Quantity,
    footing: &Footing,
) -> Result<Movement, LedgerError> {
    let (name, gone) = (asset.name(), line.gone());
    if line.reserved.is_positive() && gone.is_positive() {
        return Err(LedgerError::Refused(format!(
            "a withdrawal to take out explains {} {name} of what is missing: say that you took it out, or call it off \
             first, nothing was changed",
            gone.min(line.reserved)
        )));
    }
    if quantity != gone || gone.is_zero() {
        return Err(LedgerError::Refused(format!(
            "{gone} {name} is missing now, not {quantity}: look again, nothing was changed"
        )));
    }
    match asset {
        Asset::Cash => moved(Kind::WriteOff, asset, -quantity, footing),
        Asset::Coin(coin) => gone_coin(connection, coin, quantity, footing),
    }
}

/// En simulation, la position dont rien ne se sait plus depuis [`booking::LOST`] : aucun compte ne dit qu'elle est partie.
fn write_off_lost(
    connection: &Connection,
    coin: Coin,
    quantity: Quantity,
    footing: &Footing,
    now: Moment,
) -> Result<Movement, LedgerError> {
    let unpriced = last_known::unpriced(connection, now)?;
    let Some(lost) = unpriced.iter().find(|one| one.coin == coin) else {
        return Err(LedgerError::Refused(NO_ACCOUNT.to_owned()));
    };
    if lost.unknown_for < booking::LOST {
        return Err(LedgerError::Refused(format!(
            "the price or the rules of {coin} have been unknown for less than a day and may come back: nothing was changed"
        )));
    }
    if quantity != lost.quantity {
        let (held, name) = (lost.quantity, coin.asset());
        return Err(LedgerError::Refused(format!(
            "the books hold {held} {name}, not {quantity}: look again, nothing was changed"
        )));
    }
    gone_coin(connection, coin, quantity, footing)
}

/// Un coin parti, à son prix de maintenant ; à défaut au dernier que l'on en ait su, ou à rien : ce qui n'a plus de prix ne reste pas
/// pour cela dans les livres.
fn gone_coin(
    connection: &Connection,
    coin: Coin,
    quantity: Quantity,
    footing: &Footing,
) -> Result<Movement, LedgerError> {
    let last = || Ok::<_, LedgerError>(last_known::last_price(connection, coin)?.map(|last| last.price));
    let price = match footing.price(coin) {
        Some(price) => Some(price),
        None => last()?,
    };
    Ok(of_coin(Kind::WriteOff, coin, -quantity, price.unwrap_or_default(), footing))
}

fn count(line: Line, asset: Asset, quantity: Quantity, footing: &Footing) -> Result<Movement, LedgerError> {
    let (name, beyond) = (asset.name(), line.beyond());
    if quantity > beyond || !quantity.is_positive() {
        return Err(LedgerError::Refused(format!(
            "the account has {beyond} {name} free beyond the books, not {quantity}: look again, nothing was changed"
        )));
    }
    moved(Kind::Count, asset, quantity, footing)
}

/// Un actif venu ou parti, à sa valeur de maintenant.
fn moved(kind: Kind, asset: Asset, quantity: Quantity, footing: &Footing) -> Result<Movement, LedgerError> {
    let coin = match asset {
        Asset::Cash => return Ok(Movement::of_usdc(kind, Usdc::new(quantity.decimal()), footing.rate)),
        Asset::Coin(coin) => coin,
    };
    let Some(price) = footing.price(coin) else {
        return Err(LedgerError::Unknown(format!(
            "the price of {coin} is not known now, so nothing was booked: try again in a few minutes"
        )));
    };
    Ok(of_coin(kind, coin, quantity, price, footing))
}

fn of_coin(kind: Kind, coin: Coin, quantity: Quantity, price: Price, footing: &Footing) -> Movement {
    let size = if quantity.is_positive() { quantity } else { -quantity };
    Movement::of_coin(kind, Moved { coin, quantity, worth: (price * size).floor(8) }, footing.rate)
}

/// Chaque position à ce que le compte en tient.
fn taken_over(connection: &Connection, footing: &Footing, live: bool) -> Result<Vec<Movement>, LedgerError> {
    let short = takeover::short(connection)?;
    if short.is_empty() {
        return Err(LedgerError::Refused("there is nothing to confirm: nothing was changed".to_owned()));
    }
    let each = short.into_iter().map(|(coin, _)| {
        let asset = Asset::Coin(coin);
        let line = compared(connection, asset, footing, live)?;
        write_off(connection, line, asset, line.gone(), footing)
    });
    each.collect()
}

/// Le compte et les livres de cet actif, s'ils sont sûrs.
fn compared(
    connection: &Connection,
    asset: Asset,
    footing: &Footing,
    live: bool,
) -> Result<Line, LedgerError> {
    let name = asset.name();
    if !live {
        return Err(LedgerError::Refused(NO_ACCOUNT.to_owned()));
    }
    if balances::is_in_doubt(connection, asset)? {
        let stuck = "SELECT EXISTS (SELECT 1 FROM intents WHERE state = 'stuck')
                       AND NOT EXISTS (SELECT 1 FROM intents WHERE state IN ('sent', 'unknown'))";
        if connection.query_row(stuck, [], |row| row.get(0))? {
            return Err(LedgerError::Refused(format!(
                "an order that waits for a person may have changed what there is of {name}: release, book or settle it first, \
                 nothing was changed"
            )));
        }
        return Err(LedgerError::Refused(format!(
            "an order in doubt may have changed what there is of {name}: wait until it is known, nothing was changed"
        )));
    }
    let line = if footing.compared { balances::line(connection, asset)? } else { None };
    line.ok_or_else(|| {
        let reason = "the account was not compared with the books just now: try again after the next poll";
        LedgerError::Unknown(format!("{name}: {reason}, nothing was changed"))
    })
}
