//! Ce qui a changé : les tables qu'une transaction faite a pu écrire, dites à qui regarde le grand livre.
//!
//! SQLite nomme, quand il prépare une instruction, les tables qu'elle écrira (`authorizer`) ; c'est gardé jusqu'à la fin
//! de la transaction, oublié si elle est annulée. Son `update_hook` ne suffirait pas : il se tait pour une table `WITHOUT
//! ROWID` et pour un `DELETE` sans condition. Une écriture n'est donc jamais préparée d'avance (`prepare_cached`), elle ne
//! serait annoncée que la première fois : `tests/architecture.rs` y veille.
//! Invariant : une annonce oubliée est impossible ; une annonce de trop l'est aussi quand un travail n'a changé aucune
//! ligne, non quand il en a changé d'autres. Un regard ne retient rien ni personne, il peut ne jamais lire.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_listener::Event;
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// Ce que le fil du grand livre et les regards partagent.
#[derive(Clone, Default)]
pub(super) struct Changes(Arc<Shared>);

#[derive(Default)]
struct Shared {
    tables: Mutex<Tables>,
    announced: Event,
    /// Dans combien de transactions l'une d'elles échouera ; zéro, aucune.
    refused: AtomicU32,
}

#[derive(Default)]
struct Tables {
    /// Écrites par la transaction ouverte.
    open: BTreeSet<String>,
    /// Écrites par une transaction faite, pas encore annoncées.
    done: BTreeSet<String>,
    /// Les lignes que SQLite avait changées à la dernière annonce.
    rows: u64,
    /// Le rang de la dernière annonce, et de celle de chaque table.
    announcements: u64,
    announced: BTreeMap<String, u64>,
}

/// Un regard sur le grand livre : les tables écrites depuis la dernière fois.
pub struct Watch {
    changes: Changes,
    seen: u64,
}

impl Changes {
    /// Suit désormais ce que `connection` écrit.
    pub(super) fn follow(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let changes = self.clone();
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            changes.note(context.action);
            Authorization::Allow
        }))?;
        let changes = self.clone();
        connection.commit_hook(Some(move || {
            if changes.is_refused() {
                return true;
            }
            let mut tables = changes.lock();
            let mut open = mem::take(&mut tables.open);
            tables.done.append(&mut open);
            false
        }))?;
        let changes = self.clone();
        connection.rollback_hook(Some(move || changes.lock().open.clear()))
    }

    /// Fait échouer la `nth` transaction à venir, comme un disque qui la refuserait.
    pub(super) fn refuse(&self, nth: u32) {
        self.0.refused.store(nth, Ordering::Relaxed);
    }

    fn is_refused(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.0.refused.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) == Ok(1)
    }

    fn note(&self, action: AuthAction<'_>) {
        if let AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } = action
        {
            self.lock().open.insert(table_name.to_owned());
        }
    }

    /// Annonce ce que le travail qui vient de finir a écrit. Bien des tours ne trouvent rien à écrire : le même signal
    /// est encore chez le leader, aucune intention n'attend.
    pub(super) fn announce(&self, connection: &Connection) {
        let rows = connection.total_changes();
        let mut tables = self.lock();
        // Ce qui n'a pas été suivi d'un `COMMIT` n'a pas eu lieu.
        tables.open.clear();
        let done = mem::take(&mut tables.done);
        if mem::replace(&mut tables.rows, rows) == rows || done.is_empty() {
            return;
        }
        tables.announcements += 1;
        let rank = tables.announcements;
        tables.announced.extend(done.into_iter().map(|table| (table, rank)));
        drop(tables);
        self.0.announced.notify(usize::MAX);
    }

    pub(super) fn watch(&self) -> Watch {
        Watch { seen: self.lock().announcements, changes: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Attend qu'une table ait été écrite depuis [`Watch::take`], ou depuis que l'on regarde.
    pub async fn changed(&self) {
        loop {
            // L'oreille d'abord : une annonce entre les deux lignes n'est pas perdue.
            let announcement = self.changes.0.announced.listen();
            if self.changes.lock().announcements > self.seen {
                return;
            }
            announcement.await;
        }
    }

    /// Les tables écrites depuis la dernière fois, chacune une fois ; vide si rien ne l'a été.
    pub fn take(&mut self) -> Vec<String> {
        let tables = self.changes.lock();
        let news = tables.announced.iter().filter(|(_, rank)| **rank > self.seen);
        let news = news.map(|(table, _)| table.clone()).collect();
        self.seen = tables.announcements;
        news
    }
}

#[cfg(test)]
impl super::Db {
    /// Les tables lues à partir d'ici, pour l'essai qui compare ce qu'une route lit à ce qui l'annonce ; plus rien
    /// n'est annoncé.
    pub fn record_reads(&mut self) -> Result<Arc<Mutex<BTreeSet<String>>>, super::LedgerError> {
        let read = Arc::new(Mutex::new(BTreeSet::new()));
        let noted = read.clone();
        self.connection.authorizer(Some(move |context: AuthContext<'_>| {
            if let AuthAction::Read { table_name, .. } = context.action {
                noted.lock().unwrap_or_else(PoisonError::into_inner).insert(table_name.to_owned());
            }
            Authorization::Allow
        }))?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use crate::domain::moment::Moment;
    use crate::domain::money::Eur;
    use crate::ledger::{Db, Ledger, LedgerError, in_memory};

    const NOW: Moment = Moment(1);

    fn ledger() -> Ledger {
        in_memory("dry_run", Eur::new(dec!(100)), NOW).expect("a new ledger")
    }

    /// Ce que ce travail annonce.
    fn announced(
        ledger: &Ledger,
        job: impl FnOnce(&mut Db) -> Result<(), LedgerError> + Send + 'static,
    ) -> String {
        let mut watch = ledger.watch();
        // Un travail qui échoue annonce aussi, ou non : c'est ce qui est demandé.
        smol::block_on(ledger.with(job)).ok();
        watch.take().join(" ")
    }

    fn sql(ledger: &Ledger, text: &'static str) -> String {
        announced(ledger, move |db| Ok(db.connection.execute_batch(text)?))
    }

    #[test]
    fn every_kind_of_write_is_announced_whatever_the_table() {
        let ledger = ledger();
        let row = "INSERT INTO order_marks (coin, order_id) VALUES ('BTCUSDC', 1)";
        assert_eq!(sql(&ledger, row), "order_marks", "a table without rowid");
        assert_eq!(sql(&ledger, "UPDATE order_marks SET order_id = 2"), "order_marks");
        assert_eq!(sql(&ledger, "DELETE FROM order_marks"), "order_marks", "all rows at once");
        assert_eq!(
            sql(&ledger, "BEGIN; UPDATE agent SET paused = 1; UPDATE exchange SET uid = 1; COMMIT"),
            "agent exchange"
        );
        let twice =
            "BEGIN; UPDATE exchange SET uid = 2; COMMIT; BEGIN; UPDATE agent SET paused = 0; ROLLBACK";
        assert_eq!(sql(&ledger, twice), "exchange", "the first of two transactions is done");
    }

    #[test]
    fn what_is_read_refused_or_rolled_back_is_not_announced() {
        let ledger = ledger();
        assert_eq!(sql(&ledger, "SELECT count(*) FROM agent"), "");
        assert_eq!(sql(&ledger, "BEGIN; UPDATE agent SET paused = 1; ROLLBACK"), "");
        let second =
            "BEGIN; UPDATE agent SET paused = 1; ROLLBACK; BEGIN; UPDATE exchange SET uid = 1; COMMIT";
        assert_eq!(sql(&ledger, second), "exchange", "only the second of two transactions is done");
        assert_eq!(sql(&ledger, "UPDATE agent SET paused = 7"), "", "a CHECK refuses it");
        let dropped = announced(&ledger, |db| {
            let transaction = db.transaction()?;
            transaction.execute("UPDATE agent SET paused = 1", [])?;
            Err(LedgerError::Refused("after all not".to_owned()))
        });
        assert_eq!(dropped, "");
        assert_eq!(sql(&ledger, "DELETE FROM order_marks"), "", "there was none");
        assert_eq!(sql(&ledger, "UPDATE exchange SET uid = 5"), "exchange", "nothing of before is left over");
    }

    #[test]
    fn whoever_looks_late_sees_each_table_once_and_only_what_came_since() {
        let ledger = ledger();
        let (mut early, quiet) = (ledger.watch(), ledger.watch());
        for _ in 0..3 {
            sql(&ledger, "UPDATE agent SET paused = 1 - paused");
        }
        sql(&ledger, "UPDATE exchange SET uid = 1");
        assert_eq!(early.take(), ["agent", "exchange"]);
        assert_eq!(early.take(), [""; 0]);
        assert_eq!(ledger.watch().take(), [""; 0]);
        smol::block_on(quiet.changed());
        let none = smol::block_on(smol::future::poll_once(early.changed()));
        assert_eq!(none, None, "there is nothing new to wake for");
    }
}
