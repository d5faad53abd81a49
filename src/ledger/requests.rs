//! Les demandes faites sous une clé : redite, une demande n'est pas refaite, et a la réponse de la première.
//!
//! Invariants : la clé s'écrit dans la transaction de ce qu'elle demande, et seulement si cela s'est fait ; une clé ne
//! sert qu'à une demande ; il n'en reste qu'un nombre borné, et un jour.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::LedgerError;
use crate::domain::moment::Moment;

/// Au-delà, une clé est oubliée.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// Clés gardées au plus, les plus récentes : bien plus que des personnes n'en font en un jour. Refuser la suivante fermerait
/// aussi la sortie.
const MOST: u32 = 4096;

/// Une clé, et la demande qu'elle nomme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    pub key: String,
    /// La demande entière, en un texte.
    pub wish: String,
}

/// La ligne que cette demande a déjà faite ; `None` si elle est neuve.
///
/// # Errors
/// Quand la clé a servi à une autre demande.
pub(super) fn made(
    connection: &Connection,
    request: &RequestKey,
    now: Moment,
) -> Result<Option<i64>, LedgerError> {
    let sql = "SELECT wish, made FROM requests WHERE key = ?1 AND at > ?2";
    let kept: Option<(String, i64)> = connection
        .query_row(sql, params![request.key, now.minus(KEPT)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match kept {
        Some((wish, _)) if wish != request.wish => Err(LedgerError::Refused(
            "this Idempotency-Key was used for another request: take a new one, nothing was changed"
                .to_owned(),
        )),
        kept => Ok(kept.map(|(_, made)| made)),
    }
}

/// Retient ce que cette demande a fait.
pub(super) fn keep(
    connection: &Connection,
    request: &RequestKey,
    made: i64,
    now: Moment,
) -> Result<(), LedgerError> {
    let sql = "DELETE FROM requests WHERE at <= ?1 OR key = ?2";
    connection.execute(sql, params![now.minus(KEPT), request.key])?;
    let kept: u32 = connection.query_row("SELECT count(*) FROM requests", [], |row| row.get(0))?;
    if kept >= MOST {
        let oldest = "DELETE FROM requests WHERE key = (SELECT key FROM requests ORDER BY at LIMIT 1)";
        connection.execute(oldest, [])?;
    }
    connection.execute(
        "INSERT INTO requests (key, wish, made, at) VALUES (?1, ?2, ?3, ?4)",
        params![request.key, request.wish, made, now],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(key: usize, wish: &str) -> RequestKey {
        RequestKey { key: format!("key-{key}"), wish: wish.to_owned() }
    }

    #[test]
    fn a_key_serves_one_request_for_a_day_and_there_are_never_too_many() {
        let db = Connection::open_in_memory().expect("memory");
        db.execute_batch("CREATE TABLE requests (key TEXT PRIMARY KEY, wish TEXT, made INTEGER, at INTEGER)")
            .expect("the table");
        for key in 0..MOST as usize {
            let request = asked(key, "deposit 5");
            assert_eq!(made(&db, &request, Moment(key as i64)).expect("it is read"), None);
            keep(&db, &request, key as i64 * 10, Moment(key as i64)).expect("it is kept");
        }
        let count: u32 =
            db.query_row("SELECT count(*) FROM requests", [], |row| row.get(0)).expect("a count");
        assert_eq!(count, MOST);
        let (first, now) = (asked(0, "deposit 5"), Moment(5000));
        assert_eq!(made(&db, &first, now).expect("it is read"), Some(0));
        let other = made(&db, &asked(0, "deposit 6"), now);
        assert!(matches!(other, Err(LedgerError::Refused(_))), "{other:?}");
        keep(&db, &asked(5000, "deposit 5"), 1, now).expect("it is kept");
        assert_eq!(made(&db, &first, now).expect("it is read"), None, "the oldest makes room");
        let (second, kept) = (asked(1, "deposit 5"), Some(10));
        assert_eq!(made(&db, &second, now).expect("it is read"), kept, "and no other");
        let later = Moment(5000 + KEPT.as_millis() as i64);
        assert_eq!(made(&db, &second, later).expect("it is read"), None, "a day later it is forgotten");
    }
}
