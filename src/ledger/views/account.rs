//! Ce que l'on possède : l'agent, le compte, les positions. Tant que l'ouverture n'est pas comptée, le
//! cash n'est pas connu, et ce que l'on possède non plus.

use rusqlite::Connection;

use super::prepared::Prepared;
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Usdc};
use crate::domain::portfolio::{Holdings, Position};
use crate::ledger::{Db, LedgerError};

/// L'agent : son mode, son état, sa pause.
#[derive(Clone, Debug)]
pub struct Agent {
    pub mode: String,
    pub dead: bool,
    pub paused: bool,
    /// Pourquoi il est en pause, si ce n'est pas seulement parce qu'une personne l'a voulu.
    pub paused_reason: Option<String>,
}

impl Agent {
    /// Vrai si les ordres de ce grand livre sont réels.
    pub fn is_live(&self) -> bool {
        self.mode == "live"
    }
}

/// Le compte : ce qui a été mis, ce qui est en cash.
#[derive(Clone, Debug)]
pub struct Account {
    pub initial: Eur,
    pub deposited: Eur,
    /// Les retraits du programme Python : les nôtres sont des mouvements, le total déposé les connaît.
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

/// Les positions et le cash ; `None` tant que l'ouverture n'est pas comptée.
pub fn holdings(connection: &Connection) -> Result<Option<Holdings>, LedgerError> {
    let cash: Option<Usdc> = connection.query_row_cached("SELECT cash FROM account", [], |row| row.get(0))?;
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
        let sql = "SELECT mode, state = 'DEAD', paused, iif(paused, paused_reason, NULL) FROM agent";
        Ok(self.connection.query_row_cached(sql, [], |row| {
            Ok(Agent {
                mode: row.get(0)?,
                dead: row.get(1)?,
                paused: row.get(2)?,
                paused_reason: row.get(3)?,
            })
        })?)
    }

    pub fn account(&self) -> Result<Account, LedgerError> {
        let sql = "SELECT received_eur FROM withdrawals WHERE signal IS NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let withdrawn = statement.query_map([], |row| row.get::<_, Eur>(0))?;
        let withdrawn = withdrawn.collect::<Result<Vec<_>, _>>()?.into_iter().sum();
        Ok(self.connection.query_row_cached(
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
}
