//! `calvalot verify`, par le vrai programme : des livres justes concordent, des livres touchés non.

mod follower;

use std::path::Path;
use std::process::{Command, Output};

use calvalot::sim::{Script, World};
use follower::{Folder, Follower, still_world, until};
use rusqlite::Connection;
use rust_decimal::dec;

fn verify(db: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
    command.env_clear().arg("verify").arg("--db").arg(db).output().expect("the program runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Un grand livre où l'on a acheté, vendu, déposé et corrigé.
fn busy_ledger() -> (World, Folder) {
    let folder = Folder::new();
    let world = World::start(Script { seed: 5, signal_every: 2, ..Script::default() }).expect("free ports");
    let follower = Follower::of(&world, &folder);
    until("purchases and sales are made", || {
        let trades = follower.site().json("/api/trades?limit=100");
        let count = |side| trades.as_array().unwrap().iter().filter(|trade| trade["action"] == side).count();
        (count("BUY") > 5 && count("SELL") > 2).then_some(())
    });
    assert_eq!(follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 75.25}"#).status, 200);
    assert_eq!(follower.site().send("PUT", "/api/budget/deposit", r#"{"total_eur": 1070}"#).status, 200);
    // La base se lit aussi pendant que le démon tourne.
    let output = verify(&folder.db());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    follower.stop();
    (world, folder)
}

#[test]
fn books_that_agree_are_proved_to_the_last_decimal() {
    let (_world, folder) = busy_ledger();
    let output = verify(&folder.db());
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("3 movements") && text.ends_with("the books agree\n"), "{text}");
    assert!(text.contains("ok    deposits (EUR)    1070\n") && text.contains("ok    cash (USDC)"), "{text}");
}

#[test]
fn a_book_that_was_touched_is_shown_with_what_it_should_be() {
    let (_world, folder) = busy_ledger();
    for (touch, expected) in [
        ("UPDATE account SET cash = '1.00000001'", "FAULT cash (USDC)       kept 1.00000001, replayed "),
        ("UPDATE account SET deposited_eur = '9999'", "FAULT deposits (EUR)    kept 9999, replayed 1070"),
        (
            "UPDATE positions SET quantity = '7' WHERE coin = 'BTCUSDC'",
            "FAULT BTCUSDC           kept 7, replayed ",
        ),
        ("UPDATE positions SET invested = '0.5' WHERE quantity <> '0'", " invested  kept 0.5, replayed "),
        ("DELETE FROM trades WHERE id = 1", "is filled and has no trade"),
        ("UPDATE trades SET amount = '0.01' WHERE id = 1", "FAULT cash (USDC)"),
        ("UPDATE intents SET state = 'refused' WHERE id = 1", "belongs to an intent that is not filled"),
        (
            "DELETE FROM movements WHERE kind = 'deposit'",
            "FAULT deposits (EUR)    kept 1070, replayed 994.75",
        ),
    ] {
        let copy = folder.path().join("touched.db");
        std::fs::copy(folder.db(), &copy).unwrap();
        Connection::open(&copy).unwrap().execute_batch(touch).unwrap();
        let output = verify(&copy);
        let text = text(&output);
        assert_eq!(output.status.code(), Some(1), "{touch}: {text}");
        assert!(text.contains(expected), "{touch}: {text}");
        assert!(text.contains("keep a copy of this file"), "{touch}: {text}");
    }
}

#[test]
fn verifying_changes_nothing() {
    let (_world, folder) = busy_ledger();
    let before = std::fs::read(folder.db()).unwrap();
    verify(&folder.db());
    assert_eq!(std::fs::read(folder.db()).unwrap(), before);
}

#[test]
fn a_ledger_whose_account_is_not_open_yet_agrees() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    world.refuse_connections(calvalot::sim::Side::Exchange).unwrap();
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(1);
    let output = verify(&folder.db());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("the opening is not booked yet"));
}

#[test]
fn what_is_no_ledger_is_refused_with_a_sentence() {
    let folder = Folder::new();
    let missing = verify(&folder.db());
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("calvalot.db"), "{missing:?}");
    std::fs::write(folder.db(), "not a database at all, by any means").unwrap();
    assert_eq!(verify(&folder.db()).status.code(), Some(1));
    std::fs::remove_file(folder.db()).unwrap();
    Connection::open(folder.db()).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let newer = verify(&folder.db());
    assert_eq!(newer.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&newer.stderr).contains("version 99"), "{newer:?}");
}
