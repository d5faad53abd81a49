//! Ce que la fin d'un tour décide pour longtemps : la survie, et les relevés gardés.

mod follower;

use calvalot::clock;
use calvalot::domain::market::PerCoin;
use calvalot::domain::moment::Moment;
use calvalot::domain::money::{Eur, Usdc};
use calvalot::domain::portfolio::Valuation;
use calvalot::ledger::{self, CycleRecord, Ledger, LedgerThread};
use follower::Folder;
use rust_decimal::{Decimal, dec};

fn open(folder: &Folder) -> (Ledger, LedgerThread) {
    ledger::open(&folder.db(), "dry_run", Eur::new(dec!(100)), clock::now()).expect("a new ledger opens")
}

/// Clôt un tour où tout vaut `eur`, sur des cours lus à `read_at` ; vrai si l'agent en meurt.
fn close(ledger: &Ledger, eur: Decimal, read_at: i64) -> bool {
    let total = Usdc::new(eur);
    let valuation = Valuation {
        cash: total,
        coins: PerCoin::default(),
        total,
        total_eur: Eur::new(eur),
        read_at: Moment(read_at),
    };
    let record = CycleRecord {
        outcome: "already_processed",
        signal_id: None,
        trades: None,
        error: None,
        leader_error: None,
        readings: Vec::new(),
        valuation: Some(valuation),
    };
    smol::block_on(ledger.with(move |db| db.close_cycle(&record, clock::now()))).expect("a cycle is closed")
}

/// Une bourse devenue muette laisse la même lecture à tous les tours de trois minutes.
#[test]
fn one_reading_judged_by_many_polls_never_kills() {
    let folder = Folder::new();
    let (ledger, thread) = open(&folder);
    for poll in 0..20 {
        assert!(!close(&ledger, dec!(1), 1_000), "poll {poll} of the same reading killed");
    }
    assert!(!close(&ledger, dec!(1), 2_000), "the second reading killed");
    assert!(close(&ledger, dec!(1), 3_000), "the third reading did not kill");
    drop(ledger);
    thread.join();
}

#[test]
fn a_reading_that_is_high_enough_starts_the_count_again() {
    let folder = Folder::new();
    let (ledger, thread) = open(&folder);
    for (rank, eur) in [dec!(4.99), dec!(4.99), dec!(5), dec!(4.99), dec!(4.99)].into_iter().enumerate() {
        assert!(!close(&ledger, eur, rank as i64), "{eur} at {rank} killed");
    }
    assert!(close(&ledger, dec!(4.99), 9));
    drop(ledger);
    thread.join();
}

#[test]
fn snapshots_older_than_a_month_are_kept_one_an_hour() {
    let folder = Folder::new();
    let (ledger, thread) = open(&folder);
    // Deux jours d'il y a quarante, un relevé toutes les dix minutes ; le prochain porte un numéro rond.
    let books = rusqlite::Connection::open(folder.db()).expect("the ledger is there");
    let start = clock::now().0 / 3_600_000 * 3_600_000 - 40 * 86_400_000;
    books
        .execute_batch(&format!(
            "WITH RECURSIVE slot(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM slot WHERE n < 287)
             INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at)
             SELECT '1', '0', '1', '1', {start} + n * 600000 FROM slot;
             UPDATE snapshots SET id = 719 WHERE id = 288;
             INSERT INTO movements (kind, eur, rate, usdc, at, value_eur, valued_at)
                 VALUES ('opening', '1', '1', '1', {start}, '1', {start} + 3000000);"
        ))
        .expect("old snapshots are written");
    close(&ledger, dec!(100), 1);
    let kept: i64 = books.query_row("SELECT count(*) FROM snapshots", [], |row| row.get(0)).expect("a count");
    assert_eq!(kept, 48 + 1 + 1, "two days by the hour, the one that values a movement, and the one of now");
    drop(ledger);
    thread.join();
}
