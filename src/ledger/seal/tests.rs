//! Les sceaux d'un petit grand livre où tout est arrivé, toujours le même : ce qu'une main y change est nommé.

use std::time::Duration;

use rust_decimal::dec;

use super::*;
use crate::domain::book::{FeeApart, Fees, Fill};
use crate::domain::booking::{Booking, Footing};
use crate::domain::market::{Coin, Market, Pair, Pairs, Quote, Rules};
use crate::domain::moment::Moment;
use crate::domain::money::{Eur, Price, Quantity, Rate, Usdc};
use crate::domain::order::{Order, Side};
use crate::ledger::opening::settled;
use crate::ledger::{CycleRecord, Db, Origin, Outcome, Received, Verdict};

const NONE: [&str; 0] = [];

fn market() -> Market {
    let (bid, ask) = (Price::new(dec!(99)), Price::new(dec!(100)));
    let (step, most) = (Quantity::new(dec!(0.01)), Quantity::new(dec!(1000)));
    let (min_notional, halted) = (Usdc::new(dec!(5)), None);
    Market {
        pairs: Pairs::all(|_| Pair {
            quote: Quote::new(bid, ask).expect("a quote"),
            rules: Rules {
                halted: halted.clone(),
                step,
                min_quantity: step,
                max_quantity: most,
                min_notional,
                max_notional: None,
                tick: None,
                market: true,
            },
        }),
        rate: Rate::new(dec!(1.25)),
        read_at: Moment(5),
    }
}

fn purchase(coin: Coin) -> Order {
    Order::buy(coin, Usdc::new(dec!(50)), &market().pairs).expect("an order")
}

fn fill(coin: Coin) -> Fill {
    let fees = Fees {
        coin: Quantity::new(dec!(0.0005)),
        bnb: Quantity::new(dec!(0.001)),
        bnb_price: Price::new(dec!(600)),
        ..Fees::default()
    };
    let (quantity, price) = (Quantity::new(dec!(0.5)), Price::new(dec!(100)));
    Fill { coin, side: Side::Buy, quantity, price, amount: price * quantity, fees }
}

fn signal() -> Received {
    Received {
        meaning: None,
        is_outlived: false,
        said_at: None,
        expires_at: None,
        heard_at: Moment(0),
        unheard_since: Moment(0),
        is_old: false,
        signal_id: "sig-1".to_owned(),
        version: Some(2),
        confidence: None,
        reasoning: String::new(),
        actions: "[]".to_owned(),
        portfolio_state: None,
        payload: "{}".to_owned(),
        target: None,
        verdict: Verdict::Accepted,
    }
}

fn poll(db: &mut Db, at: i64) -> Result<(), LedgerError> {
    let valuation = Some(db.holdings()?.expect("it is open").value(&market()).expect("all is known"));
    let record = CycleRecord { outcome: "executed", valuation, ..CycleRecord::default() };
    db.close_cycle(&record, Moment(at)).map(|_| ())
}

fn enter(db: &mut Db, booking: Booking, at: Moment) -> Result<(), LedgerError> {
    db.enter(&booking, &Footing::of(Rate::new(dec!(1.25))), None, at).map(|_| ())
}

/// Une ouverture, un dépôt, des ordres de toutes les fins, des relevés, un retrait.
fn live(db: &mut Db) -> Result<(), LedgerError> {
    db.connection.execute("UPDATE agent SET tag = '0000feed'", [])?;
    let rate = Rate::new(dec!(1.25));
    db.book_opening(rate, None, Moment(10))?;
    poll(db, 20)?;
    db.receive(&signal(), false, Moment(30))?;
    let simulated = db.write_intents(1, &[purchase(Coin::Bnb), purchase(Coin::Btc)], Moment(40))?;
    for (intent, coin) in simulated.into_iter().zip([Coin::Bnb, Coin::Btc]) {
        db.book(intent, None, &Outcome::Filled(fill(coin)), Moment(50))?;
    }
    let window = (Moment(60), Duration::from_secs(5));
    let real = db.write_sendings(
        1,
        &[purchase(Coin::Eth), purchase(Coin::Sol)],
        window,
        (&Origin::default(), Moment(60)),
    )?;
    db.book(real[0].intent, Some(7), &Outcome::Lost("silence".to_owned()), Moment(70))?;
    db.annotate(real[0].intent, Some(7), "asked")?;
    db.book(real[0].intent, None, &Outcome::ProvedAbsent("nowhere".to_owned()), Moment(80))?;
    let mut bought = fill(Coin::Eth);
    bought.fees.apart.push(FeeApart { asset: "BNB".to_owned(), quantity: Quantity::new(dec!(0.001)) });
    db.book(real[0].intent, Some(8), &Outcome::Filled(bought), Moment(85))?;
    db.acknowledge_late(real[0].intent)?;
    db.write_intents(1, &[purchase(Coin::Xrp)], Moment(87))?;
    db.interrupt_intents(Moment(90))?;
    enter(db, Booking::Deposit(Eur::new(dec!(40))), Moment(100))?;
    enter(db, Booking::Correction { total: Eur::new(dec!(1030)), understood: false }, Moment(110))?;
    poll(db, 120)?;
    db.connection.execute(
        "INSERT INTO withdrawals (requested_eur, sold_usdc, received_eur, positions_sold, status, simulated, at)
         VALUES ('1', '1', '1', '[]', 'completed', 1, 1)",
        [],
    )?;
    lay(&db.connection, &WITHDRAWALS, db.connection.last_insert_rowid())?;
    db.connection.execute("INSERT INTO of_others (asset, quantity) VALUES ('FDUSD', '1')", [])?;
    lay(&db.connection, &OF_OTHERS, "FDUSD")
}

fn ledger() -> Db {
    let memory = Connection::open_in_memory().expect("memory");
    let mut db = settled(memory, "dry_run", Eur::new(dec!(1000)), Moment(1)).expect("a ledger");
    live(&mut db).expect("a life");
    db.connection
        .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        .expect("pragmas");
    assert_eq!(found(&db), NONE);
    db
}

fn found(db: &Db) -> Vec<String> {
    breaches(&db.connection).expect("it is read")
}

fn do_by_hand(db: &Db, sql: &str) {
    let rows = db.connection.execute(sql, []).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert!(rows > 0, "{sql} touched nothing");
}

/// Ce que l'on trouve après ce geste, qui n'est pas gardé.
fn found_after(db: &Db, sql: &str) -> Vec<String> {
    // Défait en la quittant, même par un essai qui échoue.
    let _hand = db.connection.unchecked_transaction().expect("a transaction");
    do_by_hand(db, sql);
    found(db)
}

fn keys(db: &Db, table: &Table) -> Vec<String> {
    let sql = format!("SELECT {} FROM {}", table.key(), table.name);
    let mut statement = db.connection.prepare(&sql).expect("a table");
    let keys = statement.query_map([], |row| row.get::<_, Value>(0)).expect("it is read");
    let line = |key| Line { key, kept: None, due: Vec::new() };
    keys.map(|key| line(key.expect("a key")).name()).collect()
}

fn columns(db: &Db, table: &Table) -> Vec<(String, String)> {
    let mut statement =
        db.connection.prepare("SELECT name, type FROM pragma_table_info(?1)").expect("a table");
    let columns =
        statement.query_map([table.name], |row| Ok((row.get(0)?, row.get(1)?))).expect("it is read");
    columns.collect::<Result<_, _>>().expect("columns")
}

/// L'octet d'une colonne se trompe une fois sur 256 : la ligne est nommée alors sans elle.
#[test]
fn every_column_that_a_hand_changes_is_named_with_its_row_whatever_the_table() {
    let db = ledger();
    let (mut seen, mut unnamed) = (0, 0);
    for table in TABLES {
        let sealed =
            columns(&db, table).into_iter().filter(|(name, _)| table.columns.contains(&name.as_str()));
        for (column, kind) in sealed {
            for key in keys(&db, table) {
                let value = match kind.as_str() {
                    "INTEGER" => format!("coalesce({column}, 0) + 900000"),
                    _ => format!("coalesce({column}, '') || '1'"),
                };
                let touch =
                    format!("UPDATE {} SET {column} = {value} WHERE {} = '{key}'", table.name, table.key());
                let key = match (column == table.key(), key.parse::<i64>()) {
                    (true, Ok(number)) => (number + 900000).to_string(),
                    (true, Err(_)) => format!("{key}1"),
                    (false, _) => key,
                };
                let row = format!("{} {key} is not as it was written", table.name);
                let found = found_after(&db, &touch);
                let named = format!("{row}: {column}");
                assert!(found == [row] || found == [named.as_str()], "{touch}: {found:?}");
                unnamed += usize::from(found != [named]);
                seen += 1;
            }
        }
    }
    assert!(seen > 150 && unnamed < 5, "{unnamed} columns of {seen} are not named");
    assert_eq!(found(&db), NONE);
}

#[test]
fn a_figure_that_a_hand_takes_away_is_named_too() {
    let db = ledger();
    let touch = "UPDATE movements SET value_eur = NULL WHERE id = 2";
    assert_eq!(found_after(&db, touch), ["movements 2 is not as it was written: value_eur"]);
    let same = "UPDATE movements SET rate = '1.250' WHERE id = 2";
    assert_eq!(found_after(&db, same), ["movements 2 is not as it was written: rate"], "the same number");
}

#[test]
fn every_row_that_a_hand_removes_is_missed_and_its_number_is_told() {
    let db = ledger();
    for table in TABLES {
        let keys = keys(&db, table);
        for key in &keys {
            let gone =
                found_after(&db, &format!("DELETE FROM {} WHERE {} = '{key}'", table.name, table.key()));
            let numbered = table.name != "snapshots" && key.parse::<i64>().is_ok();
            let which = if numbered { format!(", without {key}") } else { String::new() };
            let (left, all) = (keys.len() - 1, keys.len());
            let expected = format!("{} has {left} of the {all} rows that were written{which}", table.name);
            assert_eq!(gone, [expected]);
        }
        assert!(!keys.is_empty(), "{} has no row", table.name);
    }
}

#[test]
fn every_row_that_a_hand_adds_is_told_with_its_number() {
    let db = ledger();
    for table in TABLES {
        let (names, key) = (table.columns[1..].join(", "), table.key());
        let new = if key == "id" { "900000" } else { "'DOGEUSDC'" };
        let unique = [("intent", "NULL"), ("client_id", "NULL"), ("asset", "'DOGE'")];
        let values = unique.iter().fold(names.clone(), |values, (column, none)| {
            values
                .split(", ")
                .map(|name| if name == *column { *none } else { name })
                .collect::<Vec<_>>()
                .join(", ")
        });
        let copy = |more: &str, seal: &str| {
            format!(
                "INSERT INTO {0} ({key}, {names}{more}) SELECT {new}, {values}{seal} FROM {0} ORDER BY {key} DESC LIMIT 1",
                table.name
            )
        };
        let mut expected =
            vec![format!("{} {} was not written by calvalot", table.name, new.trim_matches('\''))];
        assert_eq!(found_after(&db, &copy("", "")), expected);
        // Une ligne qui emporte le sceau d'une autre n'en est pas plus la nôtre.
        let all = keys(&db, table).len();
        let told = found_after(&db, &copy(", seal", ", seal"));
        expected[0] = format!("{} has {} of the {all} rows that were written", table.name, all + 1);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains(" is not as it was written: "), "{told:?}");
        assert_eq!(told[1..], expected[..]);
    }
}

/// Le démon écrit à côté de ce qu'une main a changé : l'un ne couvre pas l'autre.
#[test]
fn what_we_write_later_never_makes_right_what_a_hand_has_changed() {
    let mut db = ledger();
    do_by_hand(&db, "UPDATE account SET initial_eur = '99'");
    do_by_hand(&db, "UPDATE positions SET updated_at = 3 WHERE coin = 'BNBUSDC'");
    do_by_hand(
        &db,
        "INSERT INTO positions (coin, quantity, invested, updated_at) VALUES ('XRPUSDC', '0', '0', 1)",
    );
    do_by_hand(&db, "DELETE FROM trades WHERE id = 3");
    let expected = [
        "account 1 is not as it was written: initial_eur",
        "positions BNBUSDC is not as it was written: updated_at",
        "positions XRPUSDC was not written by calvalot",
        "trades has 2 of the 3 rows that were written, without 3",
    ];
    assert_eq!(found(&db), expected);
    let again = db.write_intents(1, &[purchase(Coin::Xrp)], Moment(200)).expect("it is written");
    db.book(again[0], None, &Outcome::Filled(fill(Coin::Xrp)), Moment(210)).expect("it is booked");
    enter(&mut db, Booking::Deposit(Eur::new(dec!(1))), Moment(220)).expect("it is booked");
    assert_eq!(found(&db)[..3], expected[..3]);
    // Le nouveau trade a repris le numéro : un de moins a été écrit, on ne sait plus lequel.
    assert_eq!(found(&db)[3..], ["trades has 3 of the 4 rows that were written"]);
}

#[test]
fn a_snapshot_thinned_away_is_not_missed_and_one_that_a_hand_removed_is() {
    let mut db = ledger();
    let hour = 3_600_000;
    for at in [hour, hour + 1, 2 * hour, 2 * hour + 1] {
        poll(&mut db, at).expect("a poll");
    }
    do_by_hand(&db, "DELETE FROM snapshots WHERE id = 3");
    let missed = ["snapshots has 5 of the 6 rows that were written"];
    assert_eq!(found(&db), missed);
    // Le prochain porte un numéro rond : ceux d'il y a plus d'un mois sont réduits à un par heure.
    do_by_hand(
        &db,
        "INSERT INTO snapshots (id, total_eur, coins_usdc, cash_usdc, deposited_eur, at)
         VALUES (719, '1', '1', '1', '1', 3600001)",
    );
    poll(&mut db, 4_000_000_000).expect("a poll");
    assert_eq!(keys(&db, &SNAPSHOTS).len(), 4, "one of each hour, and the one of now");
    assert_eq!(found(&db), ["snapshots has 4 of the 5 rows that were written"]);
}

#[test]
fn a_thousand_rows_that_a_hand_changed_are_told_in_a_few_lines() {
    let db = ledger();
    let rows = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000)
                INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at) SELECT 1, 1, 1, 1, n FROM n";
    let told = found_after(&db, rows);
    assert_eq!(told.len(), NAMED + 1);
    assert_eq!(told[NAMED], "980 more rows of snapshots are not as they were written");
}

#[test]
fn every_column_of_a_sealed_table_is_sealed_or_is_known_not_to_be() {
    let db = ledger();
    let without = ["intents reason"];
    for table in TABLES {
        let all = columns(&db, table).into_iter().map(|(name, _)| name).filter(|name| name != "seal");
        let bare = all.filter(|name| !table.columns.contains(&name.as_str()));
        let bare: Vec<String> = bare.map(|name| format!("{} {name}", table.name)).collect();
        assert!(bare.iter().all(|name| without.contains(&name.as_str())), "no seal covers {bare:?}");
    }
}

#[test]
fn a_column_added_later_changes_no_seal_while_nothing_is_in_it() {
    const LONGER: Table = Table {
        name: "withdrawals",
        columns: &[
            "id",
            "requested_eur",
            "sold_usdc",
            "received_eur",
            "rate",
            "positions_sold",
            "status",
            "simulated",
            "at",
            "asset",
        ],
    };
    let db = ledger();
    db.connection.execute_batch("ALTER TABLE withdrawals ADD COLUMN asset TEXT").expect("a new column");
    let told = || LONGER.breaches(&db.connection).expect("it is read");
    assert_eq!(told(), NONE);
    do_by_hand(&db, "UPDATE withdrawals SET asset = 'BTC'");
    assert_eq!(told(), ["withdrawals 1 is not as it was written: asset"]);
}

#[test]
fn a_base_given_a_past_by_hand_can_be_sealed_anew() {
    let db = ledger();
    do_by_hand(&db, "UPDATE trades SET at = at - 10");
    do_by_hand(&db, "DELETE FROM snapshots WHERE id = 1");
    do_by_hand(&db, "DELETE FROM movements WHERE id = 3");
    assert_eq!(found(&db).len(), 5, "{:?}", found(&db));
    reseal(&db.connection).expect("it is sealed");
    assert_eq!(found(&db), NONE);
}
