//! Les types du métier comme valeurs de colonnes : montants en texte exact, instants en entiers.
//!
//! Ce que nous avons écrit se relit tel quel, sans les bornes de ce qui vient du dehors : une somme de
//! nombres admis peut les dépasser, et rendrait ses voisines illisibles.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rust_decimal::Decimal;

use crate::domain::check::Verdict;
use crate::domain::intent::State;
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Price, Quantity, Rate, Usdc, Weight};
use crate::domain::movement::Kind;
use crate::domain::order::Side;
use crate::domain::recourse::Hand;
use crate::domain::wish::Wish;
use crate::domain::withdrawal::Stage;

macro_rules! decimal_column {
    ($($name:ident),*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.to_string().into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef) -> FromSqlResult<Self> {
                exact(value.as_str()?).map($name::new)
            }
        }
    )*};
}

decimal_column!(Price, Quantity, Usdc, Eur, Rate, Weight);

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef) -> FromSqlResult<Self> {
        value.as_i64().map(Moment)
    }
}

impl ToSql for Coin {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.pair().into())
    }
}

impl FromSql for Coin {
    fn column_result(value: ValueRef) -> FromSqlResult<Self> {
        let pair = value.as_str()?;
        Coin::from_pair(pair).ok_or_else(|| unreadable(format!("unknown coin {pair:?}")))
    }
}

impl ToSql for Side {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.word().into())
    }
}

impl FromSql for Side {
    fn column_result(value: ValueRef) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Side::from_word(word).ok_or_else(|| unreadable(format!("unknown side {word:?}")))
    }
}

impl ToSql for Hand {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.word().into())
    }
}

impl FromSql for Hand {
    fn column_result(value: ValueRef) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Hand::from_word(word).ok_or_else(|| unreadable(format!("unknown hand {word:?}")))
    }
}

impl ToSql for Kind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.word().into())
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Kind::from_word(word).ok_or_else(|| unreadable(format!("unknown movement {word:?}")))
    }
}

impl FromSql for Wish {
    fn column_result(value: ValueRef) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Wish::from_word(word).ok_or_else(|| unreadable(format!("unknown wish {word:?}")))
    }
}

impl FromSql for Stage {
    fn column_result(value: ValueRef) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Stage::from_word(word).ok_or_else(|| unreadable(format!("unknown withdrawal {word:?}")))
    }
}

impl FromSql for Verdict {
    fn column_result(value: ValueRef) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Verdict::from_word(word).ok_or_else(|| unreadable(format!("unknown verdict {word:?}")))
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        State::from_word(word).ok_or_else(|| unreadable(format!("unknown state {word:?}")))
    }
}

fn exact(text: &str) -> FromSqlResult<Decimal> {
    Decimal::from_str_exact(text).map_err(|error| unreadable(format!("{text:?}: {error}")))
}

fn unreadable(reason: String) -> FromSqlError {
    FromSqlError::Other(reason.into())
}
