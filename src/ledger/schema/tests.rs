//! Une base d'une version d'avant, amenée à celle d'aujourd'hui : ce qu'elle garde, ce qu'elle y gagne.

use super::*;
use crate::ledger::Db;

/// Une base de la première version, avec un trade simulé et un signal encore ouvert.
const OLD: &str = "
    INSERT INTO agent (id, mode) VALUES (1, 'dry_run');
    INSERT INTO account (id, initial_eur, deposited_eur, cash, created_at) VALUES (1, '100', '100', '8', 1);
    INSERT INTO signals (id, signal_id, reasoning, actions, payload, status, received_at)
        VALUES (1, 'a', '', '[]', '{}', 'received', 1);
    INSERT INTO intents (id, signal, coin, side, spend, state, created_at)
        VALUES (1, 1, 'BTCUSDC', 'BUY', '50', 'filled', 1), (2, 1, 'ETHUSDC', 'BUY', '50', 'planned', 1);
    INSERT INTO trades (intent, coin, side, quantity, price, amount, fee, fee_asset, fee_usdc, simulated, at)
        VALUES (1, 'BTCUSDC', 'BUY', '1', '50', '50', '0.001', 'BTC', '0.05', 1, 1),
               (NULL, 'BTCUSDC', 'SELL', '1', '50', '50', '0.05', 'USDC', '0.05', 1, 1);
    INSERT INTO movements (kind, eur, rate, usdc, at)
        VALUES ('opening', '100', '1.08', '108', 10), ('deposit', '50', '1.08', '54', 40),
               ('correction', '-30', '1.08', '-32.4', 45);
    INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at)
        VALUES ('9', '1', '1', '100', 5), ('101.5', '1', '1', '100', 20), ('102.25', '1', '1', '100', 30),
               ('160', '1', '1', '120', 50);
";

#[test]
fn a_base_of_the_first_version_keeps_everything() {
    let db = Connection::open_in_memory().expect("memory");
    db.execute_batch("PRAGMA foreign_keys = OFF").expect("a pragma");
    db.execute_batch(FIRST).expect("the first version");
    db.execute_batch(OLD).expect("its rows");
    db.pragma_update(None, "user_version", 1).expect("its version");
    migrate(&db).expect("it is brought up to date");
    let text = |sql: &str| db.query_row(sql, [], |row| row.get::<_, String>(0)).expect("one row");
    let fees = "SELECT group_concat(fee_coin || '/' || fee_cash || '/' || fee_bnb, ' ') FROM trades";
    assert_eq!(text(fees), "0.001/0/0 0/0.05/0");
    let intents = "SELECT group_concat(id || state || attempt || coalesce(client_id, '-'), ' ') FROM intents";
    assert_eq!(text(intents), "1filled1- 2planned1-");
    assert_eq!(text("SELECT tag FROM agent").len(), 8);
    // Le dépôt, du relevé d'avant ; l'ouverture, du premier d'après.
    let values = "SELECT group_concat(kind || ' ' || coalesce(value_eur, '-') || ' ' || coalesce(valued_at, '-'), ', ')
                  FROM movements";
    assert_eq!(text(values), "opening 101.5 20, deposit 152.25 30, correction 122.25 30");
    assert_eq!(version(&db).expect("ours"), MIGRATIONS.len());
    db.execute_batch("PRAGMA foreign_keys = ON").expect("a pragma");
    let mut broken = db.prepare("PRAGMA foreign_key_check").expect("a pragma");
    assert!(!broken.exists([]).expect("it runs"), "a table points nowhere");
    assert_eq!(seal::breaches(&db).expect("they are read"), [""; 0]);
    let orphan = "INSERT INTO intents (signal, coin, side, spend, state, created_at)
                  VALUES (9, 'BTCUSDC', 'BUY', '1', 'planned', 1)";
    assert!(db.execute(orphan, []).is_err());
}

#[test]
fn a_base_of_before_the_seals_is_sealed_once_and_never_again() {
    let db = Connection::open_in_memory().expect("memory");
    for script in ["PRAGMA foreign_keys = OFF", FIRST, OLD, LIVE, FIGURES] {
        db.execute_batch(script).expect("the version before");
    }
    db.execute("INSERT INTO pulse (id, polled_at, outcome) VALUES (1, 1, 'no_signal')", []).expect("a poll");
    db.pragma_update(None, "user_version", 3).expect("its version");
    migrate(&db).expect("it is brought up to date");
    let breaches = || seal::breaches(&db).expect("they are read");
    assert_eq!(breaches(), [""; 0]);
    let hand = "UPDATE snapshots SET total_eur = '102' WHERE id = 2; DELETE FROM snapshots WHERE id = 4;
                UPDATE movements SET rate = '1.09' WHERE id = 2; DELETE FROM trades WHERE id = 2;
                INSERT INTO positions (coin, quantity, invested, updated_at) VALUES ('BTCUSDC', '1', '1', 1)";
    db.execute_batch(hand).expect("it is writable");
    let seen = [
        "movements 2 is not as it was written: rate",
        "positions BTCUSDC was not written by calvalot",
        "trades has 1 of the 2 rows that were written, without 2",
        "snapshots 2 is not as it was written: total_eur",
        "snapshots has 3 of the 4 rows that were written",
    ];
    assert_eq!(breaches(), seen);
    migrate(&db).expect("there is nothing to do");
    assert_eq!(breaches(), seen);
}

/// Ce que `calvalot restore` remet : une sauvegarde faite avant une mise à jour sert encore après elle.
#[test]
fn a_copy_of_a_base_of_the_first_version_is_of_today_s_and_leaves_it_as_it_was() {
    let folder = std::env::temp_dir().join(format!("calvalot-first-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (from, to) = (folder.join("old.db"), folder.join("new.db"));
    let db = Connection::open(&from).expect("a file");
    db.execute_batch(FIRST).expect("the first version");
    db.execute_batch(OLD).expect("its rows");
    db.pragma_update(None, "user_version", 1).expect("its version");
    drop(db);
    let before = std::fs::read(&from).expect("a file");
    assert!(crate::ledger::copy(&from, &to).expect("it is copied"));
    assert_eq!(std::fs::read(&from).expect("a file"), before);
    let copy = crate::ledger::look(&to).expect("it is read").expect("it is of today");
    let deposited = copy.account().expect("an account").deposited;
    assert_eq!(deposited, crate::domain::money::Eur::new(rust_decimal::dec!(100)));
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

/// Une base réelle d'avant le partage : des frais en BNB d'autrui, et un achat de 40 payé par 30 de cash.
const OVERDRAWN: &str = "
    INSERT INTO agent (id, mode, tag) VALUES (1, 'live', 'x');
    INSERT INTO account (id, initial_eur, deposited_eur, cash, created_at, bnb_of_others)
        VALUES (1, '100', '100', '-10', 1, '0.02');
    INSERT INTO movements (kind, eur, rate, usdc, at, value_eur, valued_at, after_trade)
        VALUES ('opening', '100', '1', '100', 1, '100', 1, 0);
    INSERT INTO signals (id, signal_id, reasoning, actions, status, received_at)
        VALUES (1, 'a', '', '[]', 'executed', 1);
    INSERT INTO intents (id, signal, coin, side, spend, state, client_id, stamped_at, window, created_at, ended_at)
        VALUES (1, 1, 'BTCUSDC', 'BUY', '70', 'filled', 'n1', 1, 1, 1, 1),
               (2, 1, 'ETHUSDC', 'BUY', '40', 'filled', 'n2', 1, 1, 1, 2);
    INSERT INTO trades (intent, signal_id, coin, side, quantity, price, amount, fee_bnb, bnb_price, fee_usdc,
        simulated, at) VALUES (1, 'a', 'BTCUSDC', 'BUY', '7', '10', '70', '0.02', '600', '12', 0, 1),
               (2, 'a', 'ETHUSDC', 'BUY', '4', '10', '40', '0', '0', '0', 0, 2);
    INSERT INTO positions (coin, quantity, invested, updated_at)
        VALUES ('BTCUSDC', '7', '70', 1), ('ETHUSDC', '4', '40', 2);
";

#[test]
fn what_is_of_others_is_taken_over_and_a_cash_below_zero_is_recounted() {
    let connection = Connection::open_in_memory().expect("memory");
    connection.execute_batch("PRAGMA foreign_keys = OFF").expect("a pragma");
    connection.execute_batch(&MIGRATIONS[..SHARED - 1].concat()).expect("the version before");
    connection.execute_batch(OVERDRAWN).expect("its rows");
    for table in [&seal::ACCOUNT, &seal::MOVEMENTS, &seal::POSITIONS, &seal::TRADES] {
        seal::lay_bare(&connection, table).expect("its seals");
    }
    connection.pragma_update(None, "user_version", SHARED as u32 - 1).expect("its version");
    migrate(&connection).expect("it is brought up to date");
    // Une colonne neuve et NULL n'est dans aucun sceau : celui d'avant serait le même.
    seal::lay_bare(&connection, &seal::INTENTS).expect("its seals");
    let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).expect("one row");
    assert_eq!(text("SELECT cash FROM account"), "0");
    let others =
        "SELECT group_concat(asset || ' ' || quantity, ', ') FROM (SELECT * FROM of_others ORDER BY asset)";
    assert_eq!(text(others), "BNB 0.02, ETH -1, USDC 10");
    let positions = "SELECT group_concat(coin || ' ' || quantity || ' ' || invested, ', ') FROM positions";
    assert_eq!(text(positions), "BTCUSDC 7 70, ETHUSDC 3 30");
    let audit = Db::of(connection).audit().expect("it can be read");
    assert_eq!((audit.kept, audit.of_others), (Some(audit.replayed), audit.replayed_of_others));
    assert_eq!(audit.damage, Vec::<String>::new());
}
