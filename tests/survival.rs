//! Ce que la fin d'un tour décide pour longtemps : la survie, et les relevés gardés.

mod follower;

use calvalot::clock;
use calvalot::domain::booking::{Booking, Footing};
use calvalot::domain::execution::Report;
use calvalot::domain::market::{Coin, PerCoin};
use calvalot::domain::moment::Moment;
use calvalot::domain::money::{Eur, Quantity, Rate, Usdc};
use calvalot::domain::order::Side;
use calvalot::domain::order_name::OrderName;
use calvalot::domain::portfolio::Valuation;
use calvalot::ledger::{self, CycleRecord, Fate, Ledger, LedgerThread};
use calvalot::sim::{Book, Fault, Level, On, Wire, World};
use follower::{Folder, Follower, still_world, until};
use rust_decimal::{Decimal, dec};

/// Un grand livre ouvert avec 100 EUR, à un dollar l'euro.
fn open(folder: &Folder) -> (Ledger, LedgerThread) {
    let (ledger, thread) =
        ledger::open(&folder.db(), "dry_run", Eur::new(dec!(100)), clock::now()).expect("a new ledger opens");
    smol::block_on(ledger.with(|db| db.book_opening(RATE, None, clock::now())))
        .expect("the opening is booked");
    (ledger, thread)
}

const RATE: Rate = Rate::new(dec!(1));

/// Le total déposé devient celui-ci.
fn correct(ledger: &Ledger, total: Decimal) {
    let correction = Booking::Correction { total: Eur::new(total), understood: true };
    let correct = move |db: &mut ledger::Db| db.enter(&correction, &Footing::of(RATE), None, clock::now());
    smol::block_on(ledger.with(correct)).expect("the cash covers it");
}

fn pause(ledger: &Ledger, paused: bool) {
    smol::block_on(ledger.with(move |db| db.set_paused(Some(paused), clock::now()))).expect("it is paused");
}

/// Clôt un tour où tout vaut `eur`, aux prix moyens aussi, sur des cours lus à `read_at` ; vrai si l'agent en meurt.
fn close(ledger: &Ledger, eur: Decimal, read_at: i64) -> bool {
    close_beside(ledger, eur, Some(eur), read_at)
}

/// De même, où tout vaut `averaged` aux prix moyens, s'ils sont connus.
fn close_beside(ledger: &Ledger, eur: Decimal, averaged: Option<Decimal>, read_at: i64) -> bool {
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
        valuation: Some(valuation),
        averaged: averaged.map(Eur::new),
        ..CycleRecord::default()
    };
    let closed = smol::block_on(ledger.with(move |db| db.close_cycle(&record, clock::now())));
    closed.expect("a cycle is closed") == Some(Fate::Dead)
}

/// Une bourse devenue muette laisse la même lecture à tous les tours de trois minutes.
#[test]
fn one_reading_judged_by_many_polls_never_kills() {
    let folder = Folder::new();
    let (ledger, thread) = open(&folder);
    for poll in 0..20 {
        assert!(!close(&ledger, dec!(1), 1_000), "poll {poll} of the same reading killed");
    }
    for reading in 2..5 {
        assert!(!close(&ledger, dec!(1), reading * 1_000), "reading {reading} killed");
    }
    assert!(close(&ledger, dec!(1), 5_000), "the fifth reading did not kill");
    drop(ledger);
    thread.join();
}

#[test]
fn a_reading_that_is_high_enough_starts_the_count_again() {
    let folder = Folder::new();
    let (ledger, thread) = open(&folder);
    let low = [dec!(4.99); 4];
    for (rank, eur) in low.into_iter().chain([dec!(5)]).chain(low).enumerate() {
        assert!(!close(&ledger, eur, rank as i64), "{eur} at {rank} killed");
    }
    assert!(close(&ledger, dec!(4.99), 19));
    drop(ledger);
    thread.join();
}

/// Un carnet vidé montre n'importe quoi ; les échanges des dernières minutes, non.
#[test]
fn a_book_that_the_average_prices_deny_never_kills() {
    let folder = Folder::new();
    let (ledger, thread) = open(&folder);
    for rank in 0..20 {
        assert!(!close_beside(&ledger, dec!(1), Some(dec!(99)), rank), "denied at {rank}, and killed");
    }
    for rank in 20..40 {
        assert!(!close_beside(&ledger, dec!(1), None, rank), "unproved at {rank}, and killed");
    }
    // Ce qui n'est pas su ne compte ni pour ni contre.
    for rank in 40..44 {
        assert!(!close(&ledger, dec!(1), rank));
    }
    assert!(!close_beside(&ledger, dec!(1), None, 44));
    assert!(close(&ledger, dec!(1), 45));
    drop(ledger);
    thread.join();
}

/// Les livres sont plus vieux que le compte : ce qu'ils tiennent a peut-être été vendu avant de baisser.
#[test]
fn books_that_orders_of_a_lost_past_deny_never_kill() {
    let folder = Folder::new();
    let (ledger, thread) = open(&folder);
    let order = |tag: String| Report {
        order_id: 7,
        client_id: OrderName { tag, intent: 9, attempt: 1 }.to_string(),
        coin: Coin::Xrp,
        side: Side::Sell,
        ended: true,
        status: "FILLED".to_owned(),
        executed: Quantity::new(dec!(40)),
        amount: Some(Usdc::new(dec!(98))),
        at: Moment(0),
    };
    let see = move |db: &mut ledger::Db| db.see_orders(Coin::Xrp, &[order(db.tag()?)], false);
    assert_eq!(smol::block_on(ledger.with(see)).expect("it is seen").evidence, 1);
    for rank in 0..20 {
        assert!(!close(&ledger, dec!(1), rank), "killed at {rank}");
    }
    smol::block_on(ledger.with(|db| db.disown("left outside", clock::now()))).expect("a person decides");
    pause(&ledger, false);
    for rank in 20..24 {
        assert!(!close(&ledger, dec!(1), rank));
    }
    assert!(close(&ledger, dec!(1), 24), "a true fall kills");
    drop(ledger);
    thread.join();
}

/// 99 des 100 EUR sont repris : ce n'est pas une perte. Dix y reviennent, et ce qui baisse ensuite en est une.
#[test]
fn what_a_movement_leaves_never_kills_until_another_leaves_a_budget() {
    let folder = Folder::new();
    let (ledger, thread) = open(&folder);
    for rank in 0..4 {
        assert!(!close(&ledger, dec!(4.99), rank));
    }
    for (total, from) in [(dec!(1), 100), (dec!(9.99), 200)] {
        correct(&ledger, total);
        for rank in from..from + 20 {
            assert!(!close(&ledger, dec!(1), rank), "what was taken out killed at {rank}");
        }
    }
    correct(&ledger, dec!(10));
    for rank in 300..304 {
        assert!(!close(&ledger, dec!(4.99), rank), "killed by readings of before at {rank}");
    }
    assert!(close(&ledger, dec!(4.99), 304), "ten euros that fell below five");
    drop(ledger);
    thread.join();
}

#[test]
fn nothing_is_judged_while_paused() {
    let folder = Folder::new();
    let (ledger, thread) = open(&folder);
    for rank in 0..4 {
        assert!(!close(&ledger, dec!(1), rank));
    }
    pause(&ledger, true);
    for rank in 10..30 {
        assert!(!close(&ledger, dec!(1), rank), "killed in a pause");
    }
    pause(&ledger, false);
    for rank in 40..44 {
        assert!(!close(&ledger, dec!(1), rank), "killed by readings of before the pause");
    }
    assert!(close(&ledger, dec!(1), 44));
    drop(ledger);
    thread.join();
}

#[test]
fn a_ledger_never_begins_with_less_than_ten_euros_and_an_old_one_goes_on() {
    let folder = Folder::new();
    let begin = |eur: Decimal| ledger::open(&folder.db(), "dry_run", Eur::new(eur), clock::now());
    let refused = begin(dec!(9.99)).err().expect("too little").to_string();
    assert!(refused.contains("INITIAL_BUDGET_EUR is 9.99") && refused.contains("10 EUR"), "{refused}");
    let (ledger, thread) = begin(dec!(10)).expect("enough");
    drop(ledger);
    thread.join();
    let (ledger, thread) = begin(dec!(5)).expect("it began with ten");
    drop(ledger);
    thread.join();
}

/// Le suiveur entier, un tour toutes les 20 ms, presque tout en BTC.
fn invested(world: &World, folder: &Folder) -> Follower {
    world.leader().set_target(&[("BTCUSDC", dec!(0.999))]);
    let follower = Follower::of(world, folder);
    follower.site().closed_signal("initial_sync");
    follower
}

fn state(follower: &Follower) -> String {
    follower.site().json("/api/agent/status")["state"].as_str().expect("a word").to_owned()
}

/// Le carnet du BTC montre mille fois moins ; ce qui s'y échange n'a pas bougé.
fn empty_the_book(world: &World) {
    let price = world.exchange().price("BTCUSDC") / dec!(1000);
    let level = |price: Decimal| vec![Level { price: price.round_dp(2), quantity: dec!(1) }];
    let book = Book { bids: level(price), asks: level(price + dec!(0.01)) };
    world.exchange().set_book("BTCUSDC", book);
}

#[test]
fn a_false_book_never_kills_and_a_true_fall_does_for_good() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = invested(&world, &folder);
    empty_the_book(&world);
    until("the false book is not believed", || {
        follower.site().json("/api/budget")["total_value_eur"].is_null().then_some(())
    });
    follower.site().wait_polls(12);
    assert_eq!(state(&follower), "ACTIVE", "the average prices deny it");
    let price = world.exchange().price("BTCUSDC");
    world.exchange().set_average("BTCUSDC", price / dec!(1000));
    until("it dies", || (state(&follower) == "DEAD").then_some(()));
    world.exchange().set_price("BTCUSDC", price);
    follower.site().wait_polls(3);
    assert_eq!(state(&follower), "DEAD");
    for (method, body) in [("POST", r#"{"amount_eur": 50}"#), ("PUT", r#"{"total_eur": 1200}"#)] {
        let answer = follower.site().send(method, "/api/budget/deposit", body);
        assert_eq!(answer.status, 409, "{method}: {}", answer.body);
        assert!(answer.body.contains("DEAD"), "{}", answer.body);
    }
    let resumed = follower.site().send("POST", "/api/agent/toggle", r#"{"paused": false}"#);
    assert_eq!((resumed.status, resumed.body.contains("DEAD")), (409, true), "{}", resumed.body);
}

#[test]
fn an_average_price_that_cannot_be_read_never_kills() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = invested(&world, &folder);
    world.fault(On::exchange("/api/v3/avgPrice"), Fault::unprocessed(Wire::Close));
    let price = world.exchange().price("BTCUSDC");
    world.exchange().set_price("BTCUSDC", price / dec!(1000));
    until("the averages are asked for", || (world.exchange().calls("/api/v3/avgPrice") > 12).then_some(()));
    assert_eq!(state(&follower), "ACTIVE");
    world.clear_faults();
    until("it dies", || (state(&follower) == "DEAD").then_some(()));
}

/// Tout est repris sauf un euro, en cash : dit avant, puis fait, et personne n'en meurt ; l'argent remis sert.
#[test]
fn taking_nearly_everything_out_is_said_before_and_never_kills() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().no_signal();
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(2);
    let correct = |body: &str| follower.site().send("PUT", "/api/budget/deposit", body);
    for total in ["1", "4.99", "0"] {
        let answer = correct(&format!(r#"{{"total_eur": {total}}}"#));
        assert_eq!(answer.status, 409, "{total}: {}", answer.body);
        assert!(answer.body.contains("under 5 EUR") && answer.body.contains("understood"), "{}", answer.body);
    }
    assert_eq!(follower.site().json("/api/budget")["total_deposited_eur"], 1000.0);
    let answer = correct(r#"{"total_eur": 1, "understood": true}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    follower.site().wait_polls(12);
    assert_eq!(state(&follower), "ACTIVE");
    let answer = follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 500}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    assert_eq!(follower.site().closed_signal("initial_sync")["status"], "executed");
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
                 VALUES ('deposit', '1', '1', '1', {start}, '1', {start} + 3000000);"
        ))
        .expect("old snapshots are written");
    close(&ledger, dec!(100), 1);
    let kept: i64 = books.query_row("SELECT count(*) FROM snapshots", [], |row| row.get(0)).expect("a count");
    assert_eq!(kept, 48 + 1 + 1, "two days by the hour, the one that values a movement, and the one of now");
    drop(ledger);
    thread.join();
}
