//! Ce que la bourse nous demande et nous apprend d'elle-même, gardé d'un démarrage à l'autre : le compte, le
//! silence, l'heure, la dernière table d'essais.

use rusqlite::{Connection, params};

use super::{Db, LedgerError};
use crate::domain::check::Check;
use crate::domain::moment::Moment;

/// Un silence que la bourse a demandé.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silenced {
    /// Le statut HTTP qui le demandait.
    pub status: u16,
    pub from: Moment,
    pub until: Moment,
}

/// L'heure de la machine face à celle de la bourse, en millisecondes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockReading {
    /// De combien la machine avance.
    pub lead: i64,
    /// L'erreur la plus grande possible.
    pub margin: i64,
    pub at: Moment,
}

/// D'où part un ordre ; le premier lie le grand livre à ce compte et à cette machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    pub uid: Option<i64>,
    pub machine: Option<String>,
}

impl Origin {
    pub(super) fn bind(&self, connection: &Connection) -> Result<(), LedgerError> {
        connection.execute(
            "UPDATE exchange SET uid = coalesce(uid, ?1), machine = coalesce(machine, ?2)
             WHERE uid IS NULL OR machine IS NULL",
            params![self.uid, self.machine],
        )?;
        Ok(())
    }
}

/// Pourquoi il n'est pas seul, quand c'est d'une copie qui tourne sur cette machine : aucun écran n'y peut rien.
pub const CROWDED: &str =
    "this ledger, or a second copy of it, already trades on this machine: stop the other program";

/// Où en est l'accès à la bourse.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlook {
    pub silenced: Option<Silenced>,
    pub clock: Option<ClockReading>,
    /// Pourquoi rien ne s'échange pour de vrai ; `None` si l'on peut, et en simulation.
    pub closed: Option<String>,
    /// Pourquoi ce grand livre n'est peut-être pas seul sur son compte ; `None` s'il l'est, et en simulation.
    pub not_alone: Option<String>,
}

impl Db {
    /// Vrai si ce compte est celui du premier ordre, ou qu'il n'y en a pas encore eu.
    pub fn recognise_account(&self, uid: i64) -> Result<bool, LedgerError> {
        Ok(self.account_uid()?.is_none_or(|kept| kept == uid))
    }

    /// Vrai si le grand livre a déjà échangé d'une autre machine que celle-ci ; une machine sans nom ne dit rien.
    pub fn is_elsewhere(&self, here: Option<&str>) -> Result<bool, LedgerError> {
        let sql = "SELECT machine FROM exchange";
        let kept: Option<String> = self.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(kept.as_deref().zip(here).is_some_and(|(kept, here)| kept != here))
    }

    /// Le grand livre échange désormais de cette machine.
    ///
    /// # Errors
    /// Quand c'est déjà d'elle : il n'y a rien à en dire.
    pub fn move_to(&mut self, here: Option<&str>) -> Result<(), LedgerError> {
        if !self.is_elsewhere(here)? {
            let reason = "this ledger trades from this machine already: nothing was changed";
            return Err(LedgerError::Refused(reason.to_owned()));
        }
        self.connection.execute("UPDATE exchange SET machine = ?1", [here])?;
        Ok(())
    }

    /// Retient où en est l'accès à la bourse ; une heure mesurée n'est pas oubliée.
    pub fn keep_outlook(&mut self, outlook: &Outlook) -> Result<(), LedgerError> {
        let (silenced, clock) = (outlook.silenced, outlook.clock);
        self.connection.execute(
            "UPDATE exchange SET silent_status = ?1, silent_from = ?2, silent_until = ?3, closed = ?4, not_alone = ?8,
                 clock_lead = coalesce(?5, clock_lead), clock_margin = coalesce(?6, clock_margin),
                 clock_at = coalesce(?7, clock_at)",
            params![
                silenced.map(|silenced| silenced.status),
                silenced.map(|silenced| silenced.from),
                silenced.map(|silenced| silenced.until),
                outlook.closed,
                clock.map(|clock| clock.lead),
                clock.map(|clock| clock.margin),
                clock.map(|clock| clock.at),
                outlook.not_alone,
            ],
        )?;
        Ok(())
    }

    /// Remplace la table des essais.
    pub fn keep_checks(&mut self, checks: &[Check], now: Moment) -> Result<(), LedgerError> {
        let transaction = self.transaction()?;
        transaction.execute("DELETE FROM checks", [])?;
        for (rank, check) in checks.iter().enumerate() {
            transaction.execute(
                "INSERT INTO checks (rank, test, verdict, found, advice, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![rank as i64, check.test, check.verdict.word(), check.found, check.advice, now],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }
}
