//! Les ordres du compte que les livres n'ont pas : ceux d'autrui, montrés et jamais comptés, et ceux qui portent un nom
//! d'ici, l'indice d'une copie ou d'un passé perdu ([`super::adoption`]).

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::views::Prepared;
use super::{Db, LedgerError};
use crate::domain::execution::Report;
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::{Quantity, Usdc};
use crate::domain::order::Side;
use crate::domain::order_name::OrderName;

/// Un ordre que les livres n'ont pas.
#[derive(Clone, Debug)]
pub struct ForeignOrder {
    pub coin: Coin,
    pub order_id: i64,
    pub client_id: String,
    pub side: Side,
    pub executed: Quantity,
    pub amount: Option<Usdc>,
    pub at: Moment,
    pub bears: Bears,
}

/// De qui un ordre porte le nom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bears {
    /// D'autrui.
    Nothing,
    /// De ce grand livre, qui ne le connaît pas : il est plus vieux que le compte, ou une copie de lui échange.
    OurTag,
    /// D'un autre grand livre de ce programme, d'avant celui-ci sur ce compte, ou qui y échange aussi.
    AnotherTag,
}

impl Bears {
    fn word(self) -> Option<&'static str> {
        match self {
            Bears::Nothing => None,
            Bears::OurTag => Some("ours"),
            Bears::AnotherTag => Some("another"),
        }
    }

    fn from_word(word: Option<&str>) -> Bears {
        match word {
            Some("ours") => Bears::OurTag,
            Some(_) => Bears::AnotherTag,
            None => Bears::Nothing,
        }
    }
}

/// Jusqu'où les ordres d'une paire sont lus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderMark {
    /// Le dernier vu ; zéro avant la première lecture.
    pub last: i64,
    /// Vrai si tout ce qui était là à la première lecture est lu.
    pub whole: bool,
}

impl ForeignOrder {
    /// Comme la bourse l'a raconté quand il a été vu.
    pub fn told(&self) -> Report {
        Report {
            order_id: self.order_id,
            client_id: self.client_id.clone(),
            coin: self.coin,
            side: self.side,
            ended: true,
            status: "seen before".to_owned(),
            executed: self.executed,
            amount: self.amount,
            at: self.at,
        }
    }

    /// Comme elle le raconterait, s'il a fini sans rien échanger il y a trop longtemps pour qu'elle le montre.
    pub fn archived(&self) -> Report {
        Report { status: "archived".to_owned(), executed: Quantity::ZERO, amount: None, ..self.told() }
    }
}

/// Ce qu'une lecture des ordres du compte a montré de neuf.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub foreign: usize,
    pub evidence: usize,
}

const COLUMNS: &str = "coin, order_id, client_id, side, executed, amount, at, bears";

impl Db {
    /// Jusqu'où les ordres de cette paire sont lus.
    pub fn order_mark(&self, coin: Coin) -> Result<OrderMark, LedgerError> {
        let sql = "SELECT order_id, whole FROM order_marks WHERE coin = ?1";
        let read = |row: &Row| Ok(OrderMark { last: row.get(0)?, whole: row.get(1)? });
        Ok(self.connection.query_row_cached(sql, [coin], read).optional()?.unwrap_or_default())
    }

    /// Retient ce que montrent ces ordres, lus depuis le dernier vu ; `more` s'il y en a d'autres, à lire plus tard. De ceux
    /// qui étaient là à la première lecture, ceux d'autrui ne nous regardent pas ; un nom d'ici y est déjà un indice. Celui que
    /// seul son nom fait connaître d'un ordre en doute se relira, avec ce qui le suit : un autre peut porter ce nom.
    pub fn see_orders(&mut self, coin: Coin, reports: &[Report], more: bool) -> Result<Seen, LedgerError> {
        let OrderMark { last, whole } = self.order_mark(coin)?;
        let (mut unknown, mut read, mut held) = (Vec::new(), last, false);
        let tag = self.tag()?;
        for report in reports {
            held |= !more && self.knows_by_name_in_doubt(report)?;
            if !held {
                read = read.max(report.order_id);
            }
            if self.knows(report)? {
                continue;
            }
            let bears = match OrderName::parse(&report.client_id) {
                Some(name) if name.is_kin(&tag) => Bears::OurTag,
                Some(_) => Bears::AnotherTag,
                None => Bears::Nothing,
            };
            if whole || bears != Bears::Nothing {
                unknown.push((report, bears));
            }
        }
        let transaction = self.transaction()?;
        let mut seen = Seen::default();
        for (report, bears) in unknown {
            let fresh = insert(&transaction, report, bears)?;
            match bears {
                Bears::Nothing => seen.foreign += fresh,
                _ => seen.evidence += fresh,
            }
        }
        transaction.execute(
            "INSERT INTO order_marks (coin, order_id, whole) VALUES (?1, ?2, ?3)
             ON CONFLICT (coin) DO UPDATE SET order_id = ?2, whole = ?3 WHERE order_id <> ?2 OR whole <> ?3",
            params![coin, read, whole || !more],
        )?;
        transaction.commit()?;
        Ok(seen)
    }

    /// Vrai si les livres connaissent cet ordre du compte. Un second sous un de nos noms (une demande que le réseau a livrée
    /// deux fois, un autre d'une copie) n'est pas le nôtre : nous n'en avons envoyé qu'un ; adopté, il l'est à son numéro.
    pub fn knows(&self, report: &Report) -> Result<bool, LedgerError> {
        let named = self.intent_named(&report.client_id)?;
        let is_named = named.is_some_and(|intent| intent.order_id.is_none() && intent.may_be(report));
        Ok(is_named || self.knows_by_number(report)?)
    }

    /// Vrai si son nom est celui d'un ordre en doute, dont le numéro n'est pas connu.
    fn knows_by_name_in_doubt(&self, report: &Report) -> Result<bool, LedgerError> {
        let named = self.intent_named(&report.client_id)?;
        Ok(named.is_some_and(|intent| intent.order_id.is_none() && intent.state.is_in_doubt()))
    }

    /// Vrai s'ils en ont le numéro.
    pub fn knows_by_number(&self, report: &Report) -> Result<bool, LedgerError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM intents WHERE coin = ?1 AND order_id = ?2)";
        Ok(self.connection.query_row_cached(sql, params![report.coin, report.order_id], |row| row.get(0))?)
    }

    /// Un nom d'ici vu sur un compte, dont une personne a décidé qu'il reste dehors.
    pub fn settle_others(&mut self) -> Result<(), LedgerError> {
        let sql = "UPDATE foreign_orders SET settled = 1 WHERE bears = 'another'";
        self.connection.execute(sql, [])?;
        Ok(())
    }

    /// Les derniers ordres que les livres n'ont pas, du plus récent au plus ancien.
    pub fn foreign_orders(&self, limit: u32) -> Result<Vec<ForeignOrder>, LedgerError> {
        self.unknown_orders("1 = 1 ORDER BY at DESC", limit)
    }

    /// Ceux qui portent un nom d'ici et dont personne n'a décidé, du plus ancien au plus récent.
    pub fn evidence(&self) -> Result<Vec<ForeignOrder>, LedgerError> {
        self.unknown_orders("bears IS NOT NULL AND settled = 0 ORDER BY at, order_id", u32::MAX)
    }

    fn unknown_orders(&self, clause: &str, limit: u32) -> Result<Vec<ForeignOrder>, LedgerError> {
        let sql = format!("SELECT {COLUMNS} FROM foreign_orders WHERE {clause} LIMIT ?1");
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map([limit], order)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Ceux qu'une personne a laissés dehors.
    pub fn left_outside(&self) -> Result<Vec<ForeignOrder>, LedgerError> {
        self.unknown_orders("settled = 1", u32::MAX)
    }

    /// L'étiquette que portent les ordres de ce grand livre.
    pub fn tag(&self) -> Result<String, LedgerError> {
        Ok(self.connection.query_row_cached("SELECT tag FROM agent", [], |row| row.get(0))?)
    }
}

/// Vrai si le compte a des ordres qui portent un nom d'ici, que les livres n'ont pas, et dont personne n'a décidé : tout ce
/// qu'il tient a pu en changer.
pub(super) fn has_evidence(connection: &Connection) -> Result<bool, LedgerError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM foreign_orders WHERE bears IS NOT NULL AND settled = 0)";
    Ok(connection.query_row_cached(sql, [], |row| row.get(0))?)
}

/// Refuse de compter ce que de tels ordres expliquent peut-être : adoptés ensuite, ils le compteraient deux fois.
pub(super) fn refuse_evidence(connection: &Connection) -> Result<(), LedgerError> {
    if !has_evidence(connection)? {
        return Ok(());
    }
    let reason = "the account has orders of calvalot's that the books do not have: adopt them or leave them outside first, nothing \
                  was changed";
    Err(LedgerError::Refused(reason.to_owned()))
}

pub(super) fn insert(connection: &Connection, report: &Report, bears: Bears) -> Result<usize, LedgerError> {
    Ok(connection.execute(
        "INSERT OR IGNORE INTO foreign_orders (coin, order_id, client_id, side, executed, amount, at, bears)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            report.coin,
            report.order_id,
            report.client_id,
            report.side,
            report.executed,
            report.amount,
            report.at,
            bears.word()
        ],
    )?)
}

fn order(row: &Row) -> rusqlite::Result<ForeignOrder> {
    let bears: Option<String> = row.get(7)?;
    Ok(ForeignOrder {
        coin: row.get(0)?,
        order_id: row.get(1)?,
        client_id: row.get(2)?,
        side: row.get(3)?,
        executed: row.get(4)?,
        amount: row.get(5)?,
        at: row.get(6)?,
        bears: Bears::from_word(bears.as_deref()),
    })
}
