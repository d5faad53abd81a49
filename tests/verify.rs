//! `calvalot verify`, par le vrai programme : des livres justes concordent, des livres touchés non ; ceux d'un
//! compte réel se comparent aussi à la bourse simulée, en vrai HTTP.

mod follower;

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use calvalot::clock;
use calvalot::config::{Config, Mode};
use calvalot::domain::belief::SECOND_READING;
use calvalot::domain::market::{Coin, PerCoin, Readings};
use calvalot::domain::money::Usdc;
use calvalot::domain::order::Order;
use calvalot::exchange::{Account, Credentials, Exchange, Placed, Ticket};
use calvalot::fetch::{Client, OneShot, SEND_LIMIT, TIME_LIMIT};
use calvalot::ledger::reseal;
use calvalot::sim::{Fault, On, Pace, Reply, Script, Side, Wire, World};
use follower::{Folder, Follower, config, still_world, until};
use rusqlite::Connection;
use rust_decimal::{Decimal, dec};
use smol::block_on;

const ORDER: &str = "/api/v3/order";
const ALL_ORDERS: &str = "/api/v3/allOrders";
const MY_TRADES: &str = "/api/v3/myTrades";

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
        ("DELETE FROM trades WHERE id = 1", "rows that were written, without 1\n"),
        ("DELETE FROM signals WHERE id = 1", "needs a row of signals that is not there"),
        ("UPDATE trades SET amount = '0.01' WHERE id = 1", "FAULT cash (USDC)"),
        ("UPDATE trades SET price = '7' WHERE id = 1", "trade 1 has "),
        ("UPDATE trades SET fee_usdc = '7' WHERE id = 1", "trade 1 has fees of 7 USDC, and they come to "),
        ("UPDATE movements SET rate = '1.5' WHERE id = 2", "movement 2 has "),
        ("UPDATE intents SET spend = '0.5' WHERE id = 1", "trade 1 is larger than its intent 1"),
        ("UPDATE snapshots SET deposited_eur = '12' WHERE id = 2", "snapshot 2 has 12 EUR of deposits"),
        ("UPDATE intents SET state = 'refused' WHERE id = 1", "belongs to an intent that is not filled"),
        (
            "DELETE FROM movements WHERE kind = 'deposit'",
            "FAULT deposits (EUR)    kept 1070, replayed 994.75",
        ),
    ] {
        let copy = folder.path().join("touched.db");
        std::fs::copy(folder.db(), &copy).unwrap();
        let hand = Connection::open(&copy).unwrap();
        hand.execute_batch(&format!("PRAGMA foreign_keys = OFF; {touch}")).unwrap();
        drop(hand);
        let output = verify(&copy);
        let text = text(&output);
        assert_eq!(output.status.code(), Some(1), "{touch}: {text}");
        assert!(text.contains(expected), "{touch}: {text}");
        assert!(text.contains("keep a copy of this file"), "{touch}: {text}");
    }
}

/// Ce qu'aucun compte ne prouve, un sceau le voit : de chaque table, chaque colonne, la première ligne et la dernière.
fn check_every_figure_is_sealed(folder: &Folder, tables: &[&str]) {
    let books = Connection::open(folder.db()).unwrap();
    let texts = |sql: &str| -> Vec<String> {
        let mut statement = books.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let (mut seen, mut unnamed) = (0, 0);
    for table in tables {
        let columns =
            format!("SELECT name FROM pragma_table_info('{table}') WHERE name NOT IN ('seal', 'reason')");
        let columns = texts(&columns);
        let key = columns.iter().find(|name| ["id", "coin"].contains(&name.as_str())).unwrap();
        let ends = texts(&format!(
            "SELECT {key} || '' FROM (SELECT min({key}) AS {key} FROM {table}
                                   UNION SELECT max({key}) FROM {table})"
        ));
        assert!(!ends.is_empty(), "{table}");
        for (column, row) in columns.iter().flat_map(|column| ends.iter().map(move |row| (column, row))) {
            let touched = folder.path().join("touched.db");
            std::fs::copy(folder.db(), &touched).unwrap();
            let hand = Connection::open(&touched).unwrap();
            hand.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").unwrap();
            let touch = format!(
                "UPDATE {table} SET {column} = iif(typeof({column}) = 'integer', {column} + 900000,
                     coalesce({column}, '') || '1') WHERE {key} = '{row}'"
            );
            assert_eq!(hand.execute(&touch, []).unwrap(), 1, "{touch}");
            drop(hand);
            let renamed = || row.parse::<i64>().map_or(format!("{row}1"), |id| (id + 900_000).to_string());
            let name = if column == key { renamed() } else { row.clone() };
            let expected = format!("{table} {name} is not as it was written");
            let told = match calvalot::verify::verify(&touched) {
                Ok(report) => report.text,
                Err(error) => error.to_string(),
            };
            assert!(told.contains(&expected), "{touch}: {told}");
            unnamed += usize::from(!told.contains(&format!("{expected}: {column}")));
            seen += 1;
        }
    }
    // L'octet d'une colonne se trompe une fois sur 256.
    assert!(seen > 40 && unnamed < 7, "{unnamed} columns of {seen} were not named");
}

#[test]
fn no_figure_changed_by_hand_leaves_the_books_in_agreement() {
    let (_world, folder) = busy_ledger();
    check_every_figure_is_sealed(
        &folder,
        &["movements", "trades", "intents", "snapshots", "account", "positions"],
    );
    let live = Live::new();
    check_every_figure_is_sealed(&live.folder, &["trades", "intents", "account"]);
}

#[test]
fn a_number_that_is_none_any_more_is_named_too() {
    let (_world, folder) = busy_ledger();
    Connection::open(folder.db())
        .unwrap()
        .execute("UPDATE trades SET price = 'much' WHERE id = 2", [])
        .unwrap();
    let output = verify(&folder.db());
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("trades 2 is not as it was written"), "{told}");
}

/// Un sceau n'est pas un secret ; ce qui se compte se voit sans lui.
#[test]
fn figures_that_contradict_each_other_are_seen_under_good_seals() {
    let (_world, folder) = busy_ledger();
    for (touch, expected) in [
        ("UPDATE trades SET price = price + 1 WHERE id = 1", "and that is not its price of "),
        ("UPDATE trades SET fee_usdc = '0' WHERE id = 1", "has fees of 0 USDC"),
        ("UPDATE trades SET signal_id = 'another' WHERE id = 1", "trade 1 is not as its intent 1: signal\n"),
        ("UPDATE trades SET coin = 'XRPUSDC' WHERE id = 1", "trade 1 is not as its intent 1: coin\n"),
        ("UPDATE trades SET at = at + 1 WHERE id = 1", "trade 1 is not as its intent 1: hour\n"),
        ("UPDATE intents SET spend = '0.5' WHERE id = 1", "trade 1 is larger than its intent 1\n"),
        ("UPDATE movements SET rate = rate + 1 WHERE id = 1", "and that is not its rate of "),
        ("UPDATE snapshots SET deposited_eur = '9'", " more has 9 EUR of deposits, a total that never was\n"),
        ("DELETE FROM intents WHERE id = 1", "needs a row of intents that is not there\n"),
    ] {
        let copy = folder.path().join("touched.db");
        std::fs::copy(folder.db(), &copy).unwrap();
        let hand = Connection::open(&copy).unwrap();
        hand.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        hand.execute_batch(touch).unwrap();
        calvalot::ledger::reseal(&hand).unwrap();
        drop(hand);
        let report = calvalot::verify::verify(&copy).unwrap();
        assert!(report.text.contains(expected), "{touch}: {}", report.text);
        assert!(!report.text.contains("written"), "{touch}: {}", report.text);
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

/// Un grand livre réel où tout est arrivé : des achats, une vente, des frais en BNB puis dans l'actif reçu, un
/// ordre refusé, un ordre dont la réponse s'est perdue.
struct Live {
    world: World,
    folder: Folder,
}

impl Live {
    fn new() -> Live {
        let live = Live::untraded();
        let follower = live.follow();
        follower.site().closed_signal("initial_sync");
        let orders = |pair| On::exchange(ORDER).method("POST").about(pair);
        live.world.fault(orders("ETHUSDC").next(1), Fault::processed(Wire::Reset));
        let refused = Reply::code(400, -1013, "Filter failure: LOT_SIZE");
        live.world.fault(orders("XRPUSDC"), Fault::answer(refused));
        let target =
            [("BTCUSDC", dec!(0.1)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.2)), ("XRPUSDC", dec!(0.1))];
        let id = live.world.leader().set_target(&target);
        follower.site().closed_signal(&id);
        live.world.clear_faults();
        until("nothing is in doubt", || {
            let ended = live.count("state IN ('filled', 'refused')") == live.count("1 = 1");
            (ended && live.count("state = 'filled'") == 5).then_some(())
        });
        // Le démon tourne : la base et la bourse se lisent quand même.
        live.check(0, "the exchange agrees (");
        follower.stop();
        live
    }

    /// Un compte prêt, que personne n'a encore suivi.
    fn untraded() -> Live {
        let balances = vec![("USDC".to_owned(), dec!(2000)), ("BNB".to_owned(), dec!(0.0008))];
        let script = Script { pace: Pace::Frozen, balances, ..Script::default() };
        let world = World::start(script).expect("free ports");
        world.exchange().edit_account(|account| account.bnb_fees = true);
        world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.2))]);
        Live { world, folder: Folder::new() }
    }

    fn follow(&self) -> Follower {
        let poll_interval = Duration::from_secs(1);
        Follower::start(Config { mode: Mode::Live, poll_interval, ..config(&self.world, &self.folder) })
    }

    fn books(&self) -> Connection {
        Connection::open(self.folder.db()).expect("the ledger is there")
    }

    fn count(&self, clause: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM intents WHERE {clause}");
        self.books().query_row(&sql, [], |row| row.get(0)).expect("the tables are ours")
    }

    fn text(&self, sql: &str) -> String {
        self.books().query_row(sql, [], |row| row.get(0)).expect("one text")
    }

    fn verify(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let script = Script::default();
        let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
        command
            .env_clear()
            .current_dir(self.folder.path())
            .envs(follower::environment(&self.world, &self.folder))
            .envs(follower::key())
            .env("TRADING_MODE", "live")
            .envs(environment.iter().copied())
            .arg("verify")
            .args(arguments);
        let output = command.output().expect("the program runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!error.contains("panicked"), "{error}");
        for secret in [&script.api_key, &script.api_secret] {
            assert!(!error.contains(secret) && !text(&output).contains(secret), "a secret is told");
        }
        output
    }

    /// Vérifie, attend ce code de sortie et ces mots ; rend le texte.
    fn check(&self, code: i32, expected: &str) -> String {
        let output = self.verify(&[], &[]);
        let text = text(&output);
        assert_eq!(output.status.code(), Some(code), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains(expected), "{expected:?} is not in {text}");
        text
    }

    /// Un autre programme achète sur le même compte.
    fn buy_by_hand(&self, client_id: &str) {
        let script = Script::default();
        let exchange =
            Exchange::binance(&self.world.exchange_url(), Client::new(TIME_LIMIT).expect("a client"));
        let server = block_on(exchange.synchronise()).expect("the exchange tells its time");
        let readings = block_on(exchange.refresh(Readings::default(), SECOND_READING));
        let market =
            readings.complete(PerCoin::from_fn(|_| true), clock::now()).expect("everything is known");
        let order = Order::buy(Coin::Xrp, Usdc::new(dec!(50)), &market.pairs).expect("an order");
        let (stamped_at, window) = (server.stamp(), Duration::from_secs(5));
        let ticket = Ticket { client_id: client_id.to_owned(), order, stamped_at, window };
        let account = Account::new(exchange, Credentials::hmac(&script.api_key, &script.api_secret));
        let placed = block_on(account.place(&OneShot::new(SEND_LIMIT).expect("a sender"), &ticket));
        assert!(matches!(placed, Placed::Accepted(..)), "{placed:?}");
    }
}

#[test]
fn live_books_are_those_of_the_exchange_and_only_ours_count() {
    let live = Live::new();
    let text = live.check(0, "the exchange agrees (6 orders)\n");
    assert!(text.contains("ok    BTCUSDC           2 executed, 0 not executed\n"), "{text}");
    assert!(text.contains("1 not executed"), "{text}");
    assert!(live.count("state = 'filled' AND order_id IS NOT NULL") >= 4);
    live.buy_by_hand("by-hand-1");
    live.check(0, "1 order of the account not ours\n");
    let tag = live.text("SELECT tag FROM agent");
    let name = format!("cal-{tag}-99-1");
    live.buy_by_hand(&name);
    let text = live.check(1, &format!("FAULT XRPUSDC           BUY {name}: the ledger does not know it"));
    assert!(text.contains("the books agree\n") && text.contains("1 difference with the exchange"), "{text}");
    assert!(!text.contains("the exchange agrees"), "{text}");
}

#[test]
fn every_trade_that_was_touched_is_shown_with_what_the_exchange_has() {
    let live = Live::new();
    let names = |clause: &str| {
        live.text(&format!(
            "SELECT group_concat(client_id) FROM (SELECT client_id FROM intents WHERE {clause} ORDER BY id)"
        ))
    };
    let filled = names("state = 'filled'");
    let filled: Vec<&str> = filled.split(',').collect();
    let refused = names("state = 'refused'");
    let trade = |name: &str| format!("intent = (SELECT id FROM intents WHERE client_id = '{name}')");
    live.books()
        .execute_batch(&format!(
            "UPDATE trades SET quantity = '7' WHERE {};
             UPDATE trades SET fee_cash = '0.12345678' WHERE {};
             DELETE FROM trades WHERE {};
             DELETE FROM trades WHERE {};
             DELETE FROM intents WHERE client_id = '{}';
             UPDATE intents SET order_id = NULL WHERE state = 'filled';
             UPDATE intents SET state = 'filled' WHERE client_id = '{refused}';
             INSERT INTO trades (intent, coin, side, quantity, price, amount, fee_usdc, simulated, at)
             SELECT id, coin, side, '1', '1', '1', '0', 0, 0 FROM intents WHERE client_id = '{refused}';",
            trade(filled[0]),
            trade(filled[1]),
            trade(filled[2]),
            trade(filled[3]),
            filled[3],
        ))
        .expect("the ledger is writable");
    let text = live.check(1, "5 differences with the exchange: look at these orders on Binance");
    let line = |name: &str| {
        let found = text.lines().find(|line| line.contains(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("{name} is not in {text}"))
    };
    assert!(line(filled[0]).contains("quantity kept 7, the exchange has 0."), "{text}");
    assert!(line(filled[1]).contains("fee in USDC kept 0.12345678, the exchange has 0"), "{text}");
    assert!(line(filled[2]).contains("the ledger has no trade of it, the exchange has 0."), "{text}");
    assert!(line(filled[3]).contains("the ledger does not know it"), "{text}");
    assert!(line(&refused).contains("kept as executed, the exchange executed nothing"), "{text}");
}

/// Le réseau peut livrer deux fois une demande partie une fois.
#[test]
fn an_order_that_was_executed_twice_is_shown_with_both() {
    let live = Live::untraded();
    live.world.fault(On::exchange(ORDER).method("POST").next(1), Fault::twice());
    let follower = live.follow();
    follower.site().closed_signal("initial_sync");
    follower.stop();
    let orders = live.world.exchange().accepted_orders();
    let twins: Vec<_> = orders.iter().filter(|order| order.client_id == orders[0].client_id).collect();
    let expected = format!(
        "{}: the exchange executed it as orders {} and {}\n",
        twins[0].client_id, twins[0].id, twins[1].id
    );
    let text = live.check(1, &expected);
    assert!(text.contains("the books agree\n") && text.contains("1 difference with"), "{text}");
}

#[test]
fn what_the_ledger_takes_as_never_executed_is_asked_too() {
    let live = Live::new();
    let name = live.text("SELECT client_id FROM intents WHERE state = 'filled' LIMIT 1");
    live.books()
        .execute_batch(&format!(
            "DELETE FROM trades WHERE intent = (SELECT id FROM intents WHERE client_id = '{name}');
             UPDATE intents SET state = 'absent' WHERE client_id = '{name}';"
        ))
        .expect("the ledger is writable");
    let text = live.check(1, &format!("{name}: it is kept as absent, the exchange has it as order "));
    assert!(text.ends_with("the exchange may be late, then verify again\n"), "{text}");
    live.books()
        .execute_batch("UPDATE intents SET state = 'stuck' WHERE state = 'absent'")
        .expect("writable");
    let text = live.check(1, "1 order in doubt, not compared\n");
    assert!(text.contains("the exchange agrees") && !text.contains(&name), "{text}");
    live.world.exchange().wipe();
    let text = live.check(1, "4 differences with the exchange");
    assert_eq!(text.matches("the exchange executed nothing").count(), 4, "{text}");
}

#[test]
fn an_exchange_that_does_not_answer_is_no_proof_and_no_difference() {
    let live = Live::new();
    live.world.refuse_connections(Side::Exchange).expect("the port closes");
    let text =
        live.check(3, "the exchange could not be asked, after 0 orders: the exchange cannot be reached");
    assert!(text.contains("the books agree\n") && text.contains("  -> check the network"), "{text}");
    let offline = live.verify(&["--offline"], &[]);
    assert_eq!(offline.status.code(), Some(0), "{offline:?}");
    assert!(text.starts_with(&self::text(&offline)), "{offline:?}");
    live.world.accept_connections(Side::Exchange).expect("the port opens");
    // Une lecture manquée est refaite ; deux de suite arrêtent.
    let cut = || Fault::unprocessed(Wire::Close);
    live.world.fault(On::exchange(MY_TRADES).next(1), cut());
    live.check(0, "the exchange agrees (6 orders)");
    live.world.fault(On::exchange(MY_TRADES), cut());
    live.check(3, "did not send a whole answer");
    live.books().execute_batch("UPDATE account SET cash = '1'").expect("writable");
    live.check(1, "FAULT cash (USDC)");
}

#[test]
fn a_key_that_does_not_open_the_account_of_the_ledger_proves_nothing() {
    let live = Live::new();
    let wrong = live.verify(&[], &[("BINANCE_API_SECRET", "wrong")]);
    assert_eq!(wrong.status.code(), Some(3));
    assert!(text(&wrong).contains("-1022") && text(&wrong).contains("copy both again"), "{wrong:?}");
    for environment in
        [[("BINANCE_API_KEY", ""), ("BINANCE_API_SECRET", "")], [("LEADER_URL", ""), ("PORT", "0")]]
    {
        let without = live.verify(&[], &environment);
        assert_eq!(without.status.code(), Some(2), "{without:?}");
        assert!(
            String::from_utf8_lossy(&without.stderr).contains("--offline leaves that out"),
            "{without:?}"
        );
    }
    live.world.exchange().edit_account(|account| account.uid = 7);
    live.check(3, "the key opens another account than the one this ledger began with");
    assert_eq!(verify(&live.folder.db()).status.code(), Some(2), "no configuration at all");
}

#[test]
fn a_silence_is_obeyed_whether_it_is_asked_for_now_or_was_before() {
    let live = Live::new();
    live.world.fault(On::exchange(MY_TRADES), Fault::answer(Reply::too_many_requests(30)));
    let before = live.world.exchange().calls(MY_TRADES);
    live.check(3, "the exchange answered 429 and is not called again before");
    assert_eq!(live.world.exchange().calls(MY_TRADES), before + 1, "it insisted");
    let now = clock::now().0;
    let silence = format!(
        "UPDATE exchange SET silent_status = 418, silent_from = {}, silent_until = {}",
        now - 1000,
        now + 3_600_000
    );
    live.books().execute_batch(&silence).expect("writable");
    let calls =
        || [ORDER, ALL_ORDERS, MY_TRADES, "/api/v3/time"].map(|path| live.world.exchange().calls(path));
    let before = calls();
    live.check(3, "the exchange answered 418 and is not called again before");
    assert_eq!(calls(), before, "a call was made");
}

/// Des frais dans un actif que nous ne suivons pas : notés à part, vérifiés comme les autres, et une main s'y voit.
#[test]
fn fees_in_any_asset_are_compared_and_a_hand_on_them_is_seen() {
    let live = Live::untraded();
    live.world.exchange().set_balance("FDUSD", dec!(50));
    live.world.exchange().edit_account(|account| account.fee_assets = vec![("FDUSD".to_owned(), dec!(1))]);
    let follower = live.follow();
    follower.site().closed_signal("initial_sync");
    follower.stop();
    let text = live.check(0, "the exchange agrees (2 orders)");
    assert!(text.contains("ok    FDUSD of others   0."), "{text}");
    live.books().execute_batch("UPDATE trade_fees SET quantity = '0.5' WHERE id = 1").expect("writable");
    let text = live.check(1, "fee in FDUSD kept 0.5, the exchange has 0.");
    assert!(text.contains("trade_fees 1 is not as it was written: quantity"), "{text}");
    assert!(text.contains("FAULT FDUSD of others   kept 0."), "{text}");
}

/// Ce qu'une personne a booké se compare dès que la bourse le montre ; tant qu'elle ne le montre pas, c'est dit.
#[test]
fn an_order_booked_by_hand_is_compared_as_soon_as_the_exchange_shows_it() {
    let live = Live::new();
    let by_hand = "UPDATE intents SET by_hand = 'booked', order_id = NULL WHERE state = 'filled' AND id = 1";
    live.books().execute_batch(by_hand).expect("writable");
    reseal(&live.books()).expect("its rows are sealed again");
    live.check(0, "the exchange agrees (6 orders)");
    live.books().execute_batch("UPDATE trades SET quantity = '7' WHERE intent = 1").expect("writable");
    let text = live.check(1, "quantity kept 7, the exchange has 0.");
    assert!(text.contains("-1-1, booked by hand: quantity"), "{text}");
    live.world.exchange().wipe();
    let text = live.check(1, "1 order booked by hand, which the exchange does not show: not compared\n");
    assert_eq!(text.matches("the exchange executed nothing").count(), 4, "{text}");
}

/// Ce qu'une personne a mal recopié ne rougit pas `verify` pour toujours : c'est dit à chaque fois, et le reste s'accorde.
#[test]
fn a_slip_in_an_order_booked_by_hand_is_told_and_hides_no_difference() {
    let live = Live::new();
    let books = live.books();
    // Jamais revendu : rien d'autre ne s'en déduit.
    let sql = "SELECT trades.quantity, amount, price, fee_coin, fee_usdc, positions.quantity
               FROM trades JOIN positions USING (coin) WHERE coin = 'SOLUSDC'";
    let read = |row: &rusqlite::Row| {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?])
    };
    let texts: [String; 6] = books.query_row(sql, [], read).expect("it is there");
    let [quantity, amount, before, fee, fees, held] =
        texts.map(|text| text.parse::<Decimal>().expect("a decimal"));
    let slip = quantity - dec!(0.001);
    let price = (amount / slip).trunc_with_scale(8);
    let [now, then] = [fee * price, fee * before].map(|part| part.trunc_with_scale(8));
    let sql = "UPDATE trades SET quantity = ?1, price = ?2, fee_usdc = ?3 WHERE coin = 'SOLUSDC'";
    let booked = [slip, price, fees + now - then].map(|figure| figure.normalize().to_string());
    books.execute(sql, booked).expect("writable");
    let sql = "UPDATE positions SET quantity = ?1 WHERE coin = 'SOLUSDC'";
    books.execute(sql, [(held - dec!(0.001)).to_string()]).expect("writable");
    books.execute("UPDATE intents SET by_hand = 'booked' WHERE coin = 'SOLUSDC'", []).expect("writable");
    reseal(&books).expect("its rows are sealed again");
    let text = live.check(0, "1 order ended by hand otherwise than the exchange tells");
    assert!(text.contains(", booked by hand: quantity kept"), "{text}");
    assert!(text.contains("the exchange agrees (5 orders)"), "{text}");
}
