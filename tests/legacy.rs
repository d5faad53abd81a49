//! La base du programme Python, telle qu'il la fait, reprise par le démon.
//!
//! Ce que l'on a choisi pour un coin inconnu : ses lignes restent dans les tables `python_*`,
//! l'argent qu'il a coûté ou rapporté compte toujours, et le reste est repris sans lui.

mod follower;
mod python;

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use calvalot::config::{Config, Mode};
use calvalot::sim::{Book, Fault, On, Pace, Script, World};
use follower::{Folder, Follower, config, decimal, still_world, until};
use python::python;
use rusqlite::Connection;
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};

/// Quatre mois de simulation : 400 EUR déposés, BTC et SOL tenus, ETH vendu, un retrait.
const HISTORY: &str = r#"
INSERT INTO budget VALUES (1, 100.0, 400.0, 'ACTIVE', '2026-02-24 18:30:05', '2026-03-01 09:00:00');
INSERT INTO trades (coin, action, amount_usdt, price, quantity, fee_usdt, signal_id, is_simulated, created_at) VALUES
    ('BTCUSDC', 'BUY', 150.25, 68012.34, 0.00220915888, 0.15025, 'initial_sync', 1, '2026-02-24 18:32:00'),
    ('ETHUSDC', 'BUY', 60.1, 2450.5, 0.02452560702, 0.0601, 'initial_sync', 1, '2026-02-24 18:32:01'),
    ('ETHUSDC', 'SELL', 58.75, 2395.45, 0.02452560702, NULL, 'sig-2', 1, '2026-03-02 07:00:00'),
    ('SOLUSDC', 'BUY', 30.0, 142.857142857, 0.21, 0.03, NULL, NULL, '2026-03-02 07:00:01');
INSERT INTO positions VALUES
    ('BTCUSDC', 0.00220915888, 68012.34, 150.25, '2026-02-24 18:32:00'),
    ('ETHUSDC', 0, 0, 0, '2026-03-02 07:00:00'),
    ('SOLUSDC', 0.21, 142.857142857, 30.0, '2026-03-02 07:00:01'),
    ('XRPUSDC', 1e-12, 0.5, -1e-13, '2026-03-02 07:00:01');
INSERT INTO signals (signal_id, confidence, reasoning, actions, portfolio_state, status, error_message, received_at,
    executed_at) VALUES
    ('sig-1', 0.72, 'Ouverture', '[{"coin": "BTCUSDC", "action": "BUY", "pct_of_capital": 0.4}]',
     '{"positions": [{"coin": "BTCUSDC", "pct_of_portfolio": 0.4}]}', 'executed', NULL, '2026-02-24 18:31:59',
     '2026-02-24 18:32:02'),
    ('sig-2', NULL, NULL, '[]', 'null', 'skipped', 'SELL ETHUSDC: $1.20 < min $5', '2026-03-02 06:59:59', NULL),
    ('sig-3', 'high', 'x', 'null', NULL, 'rejected', 'Coin inconnu: DOGEUSDC', '2026-03-03 06:59:59', NULL),
    ('sig-4', 1, '', '[]', 'null', 'error', 'timeout', '2026-03-04 06:59:59', NULL),
    ('sig-5', 0.5, 'Coupure', '[{"coin": "BTCUSDC", "action": "SELL", "pct_of_capital": 0.4}]', 'null', 'received',
     NULL, '2026-03-05 06:59:59', NULL),
    ('sig-6', 0.5, 'Jamais su', '[]', 'null', NULL, NULL, '2026-03-06 06:59:59', NULL);
INSERT INTO budget_snapshots (total_value_eur, portfolio_value_usdt, cash_usdt, created_at) VALUES
    (399.5, 210.35, 222.5, '2026-02-24 18:32:03'), (NULL, 210.0, 222.0, '2026-02-25 18:32:03'),
    (401.123456789, 181.0, 251.0, '2026-03-02 07:00:02');
INSERT INTO withdrawals (amount_eur_requested, amount_usdt_sold, amount_eur_received, eurusdc_rate, positions_sold,
    status, is_simulated, created_at) VALUES
    (20, 21.7, 19.98, 0.92, '[{"coin": "ETHUSDC", "quantity": 0.01}]', 'completed', 1, '2026-03-10 10:00:00'),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-03-11 10:00:00');
"#;

/// Un suiveur qui a fait quelques tours sur la base reprise, face à un leader sans signal.
fn taken_over(world: &World, folder: &Folder) -> Follower {
    world.leader().no_signal();
    let follower = Follower::of(world, folder);
    follower.site().wait_polls(2);
    follower
}

/// `found` porte au moins les champs de `expected`.
fn has(found: &Value, expected: &Value) {
    for (field, value) in expected.as_object().unwrap() {
        let same = match (found[field].as_f64(), value.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() < 1e-8,
            _ => found[field] == *value,
        };
        assert!(same, "{field} is {} and was {value}", found[field]);
    }
}

fn list(follower: &Follower, path: &str) -> Vec<Value> {
    follower.site().json(path).as_array().unwrap().clone()
}

fn tables(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut names =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").unwrap();
    let names = names.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

/// Le vrai programme, qui ne doit pas démarrer.
fn refused(world: &World, folder: &Folder) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
    command
        .env_clear()
        .envs(follower::environment(world, folder))
        .env("PORT", follower::free_port().to_string())
        .current_dir(folder.path());
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_history_is_shown_as_it_was() {
    let (world, folder) = (still_world(), python(HISTORY));
    let follower = taken_over(&world, &folder);
    has(
        &follower.site().json("/api/budget"),
        &json!({"status": "ACTIVE", "initial_total_eur": 100, "total_deposited_eur": 400, "positions_count": 2,
                "created_at": "2026-02-24 18:30:05", "withdrawn_eur": 19.98, "mode": "dry_run", "paused": false}),
    );
    let trades = list(&follower, "/api/trades");
    assert_eq!(trades.len(), 4);
    has(
        &trades[0],
        &json!({"id": 4, "coin": "SOLUSDC", "action": "BUY", "amount_usdt": 30, "price": 142.857142857,
                "quantity": 0.21, "fee_usdt": 0.03, "signal_id": null, "is_simulated": 1,
                "created_at": "2026-03-02 07:00:01"}),
    );
    has(&trades[1], &json!({"action": "SELL", "fee_usdt": 0, "signal_id": "sig-2", "amount_usdt": 58.75}));
    has(&trades[3], &json!({"id": 1, "quantity": 0.00220916, "fee": 0.15025, "fee_asset": "USDC"}));
    let positions = list(&follower, "/api/positions");
    assert_eq!(positions.len(), 2, "{positions:?}");
    has(
        &positions[0],
        &json!({"coin": "BTCUSDC", "quantity": 0.00220916, "total_invested_usdt": 150.25,
                "updated_at": "2026-02-24 18:32:00", "leader_weight": null}),
    );
    assert!((decimal(&positions[0]["avg_entry_price"]) - dec!(68012.34)).abs() < dec!(0.1));
    has(&positions[1], &json!({"coin": "SOLUSDC", "quantity": 0.21, "total_invested_usdt": 30}));
}

#[test]
fn the_signals_snapshots_and_withdrawals_are_shown_as_they_were() {
    let (world, folder) = (still_world(), python(HISTORY));
    let follower = taken_over(&world, &folder);
    let signals = list(&follower, "/api/signals");
    let expected = [
        json!({"signal_id": "sig-6", "status": "skipped", "error_message": "interrupted under the Python program"}),
        json!({"signal_id": "sig-5", "status": "skipped", "error_message": "interrupted under the Python program"}),
        json!({"signal_id": "sig-4", "status": "error", "confidence": 1, "error_message": "timeout"}),
        json!({"signal_id": "sig-3", "status": "rejected", "confidence": null, "actions": [],
               "error_message": "Coin inconnu: DOGEUSDC"}),
        json!({"signal_id": "sig-2", "status": "skipped", "confidence": null, "reasoning": "", "trades": 1,
               "portfolio_state": null, "executed_at": null}),
        json!({"id": 1, "signal_id": "sig-1", "status": "executed", "confidence": 0.72, "reasoning": "Ouverture",
               "actions": [{"coin": "BTCUSDC", "action": "BUY", "pct_of_capital": 0.4}],
               "portfolio_state": {"positions": [{"coin": "BTCUSDC", "pct_of_portfolio": 0.4}]},
               "error_message": null, "received_at": "2026-02-24 18:31:59", "executed_at": "2026-02-24 18:32:02",
               "version": null, "decisions": []}),
    ];
    assert_eq!(signals.len(), expected.len());
    for (signal, expected) in signals.iter().zip(&expected) {
        has(signal, expected);
    }
    let history = list(&follower, "/api/budget/history");
    let old: Vec<&Value> = history.iter().filter(|snapshot| snapshot["id"].as_i64() <= Some(3)).collect();
    assert_eq!(old.len(), 2, "the incomplete snapshot is left where it was");
    has(old[0], &json!({"id": 3, "total_value_eur": 401.12345679, "created_at": "2026-03-02 07:00:02"}));
    has(
        old[1],
        &json!({"id": 1, "total_value_eur": 399.5, "portfolio_value_usdt": 210.35, "cash_usdt": 222.5,
                "deposited_eur": 400}),
    );
    let withdrawals = follower.site().json("/api/budget/withdrawals");
    has(&withdrawals, &json!({"total_usdt": 21.7, "total_eur": 19.98}));
    has(
        &withdrawals["withdrawals"][1],
        &json!({"id": 1, "amount_eur_requested": 20, "amount_usdt_sold": 21.7, "amount_eur_received": 19.98,
                "eurusdc_rate": 0.92, "positions_sold": [{"coin": "ETHUSDC", "quantity": 0.01}],
                "status": "completed", "is_simulated": 1, "created_at": "2026-03-10 10:00:00"}),
    );
    has(
        &withdrawals["withdrawals"][0],
        &json!({"eurusdc_rate": null, "positions_sold": [], "status": "completed"}),
    );
}

/// Les dépôts au cours de l'ouverture, moins ce qui a été acheté, plus ce qui a été vendu, moins les retraits.
#[test]
fn the_cash_is_what_the_deposits_and_the_trades_leave() {
    let (world, folder) = (still_world(), python(HISTORY));
    world.exchange().set_price("EURUSDC", dec!(1.25));
    let follower = taken_over(&world, &folder);
    let rate = dec!(1) / decimal(&follower.site().json("/api/budget")["eurusdc_rate"]);
    let traded: Decimal = dec!(-150.25) - dec!(60.1) + dec!(58.75) - dec!(30.0) - dec!(21.7);
    let expected = dec!(400) * rate + traded;
    let cash = decimal(&follower.site().json("/api/budget")["cash_usdt"]);
    assert!((cash - expected).abs() < dec!(0.00001), "{cash} and not {expected}");
    follower.stop();
    world.exchange().set_price("EURUSDC", dec!(1.1));
    let follower = taken_over(&world, &folder);
    assert_eq!(decimal(&follower.site().json("/api/budget")["cash_usdt"]), cash, "it is booked once");
}

#[test]
fn a_second_start_takes_nothing_over_again() {
    let (world, folder) = (still_world(), python(HISTORY));
    let paths = ["/api/trades", "/api/signals", "/api/budget/withdrawals"];
    let read = |follower: &Follower| paths.map(|path| follower.site().json(path));
    let follower = taken_over(&world, &folder);
    let before = read(&follower);
    follower.stop();
    let old = ["budget", "budget_snapshots", "positions", "signals", "trades", "withdrawals"];
    let found = tables(&folder.db());
    assert!(old.iter().all(|table| found.contains(&format!("python_{table}"))), "{found:?}");
    let kept: i64 = Connection::open(folder.db())
        .unwrap()
        .query_row("SELECT count(*) FROM python_positions", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 4, "the old tables are kept whole");
    let follower = taken_over(&world, &folder);
    assert_eq!(read(&follower), before);
    assert_eq!(tables(&folder.db()), found);
}

/// L'ancien programme l'avait faite : ses trades le disent, même si tout a été vendu depuis.
#[test]
fn the_initial_sync_of_the_old_program_is_not_done_again() {
    let (world, folder) = (still_world(), python(HISTORY));
    let connection = Connection::open(folder.db()).unwrap();
    connection.execute_batch("UPDATE positions SET quantity = 0").unwrap();
    drop(connection);
    let id = world.leader().set_actions(&[("BTCUSDC", "HOLD", dec!(0))], Some(&[("BTCUSDC", dec!(0.5))]));
    let follower = Follower::of(&world, &folder);
    assert_eq!(follower.site().closed_signal(&id)["status"], "executed");
    assert!(follower.site().signal("initial_sync").is_none());
    assert_eq!(list(&follower, "/api/trades").len(), 4);
}

#[test]
fn a_signal_the_old_program_knew_is_not_executed_again_and_a_new_one_is() {
    let (world, folder) = (still_world(), python(HISTORY));
    let raw = |id: &str| {
        format!(
            r#"{{"version":2,"signal_id":"{id}","portfolio_state":{{"positions":[
                {{"coin":"ETHUSDC","pct_of_portfolio":0.5}}]}}}}"#
        )
    };
    world.leader().set_raw(raw("sig-6"));
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(3);
    assert_eq!(list(&follower, "/api/trades").len(), 4);
    assert_eq!(follower.site().json("/api/agent/status")["last_poll"]["status"], "already_processed");
    world.leader().set_raw(raw("sig-7"));
    let signal = follower.site().closed_signal("sig-7");
    assert_eq!(
        (signal["status"].as_str(), signal["trades"].as_u64()),
        (Some("executed"), Some(3)),
        "{signal}"
    );
    let coins: Vec<Value> =
        list(&follower, "/api/positions").into_iter().map(|position| position["coin"].clone()).collect();
    assert!(coins.contains(&json!("ETHUSDC")), "{coins:?}");
    let report = calvalot::verify::verify(&folder.db()).unwrap();
    assert_eq!(report.differences, 0, "{}", report.text);
}

#[test]
fn a_paused_agent_stays_paused() {
    let (world, folder) = (still_world(), python(HISTORY));
    Connection::open(folder.db()).unwrap().execute_batch("UPDATE budget SET status = 'PAUSED'").unwrap();
    let follower = taken_over(&world, &folder);
    let status = follower.site().json("/api/agent/status");
    has(&status, &json!({"state": "ACTIVE", "paused": true, "paused_reason": null, "running": false}));
}

/// L'ancien programme comptait mal le cash : ce qu'il disait mort vaut encore 400 EUR, et une personne le reprend.
#[test]
fn an_agent_the_old_program_called_dead_is_never_buried_while_it_is_worth_something() {
    let (world, folder) = (still_world(), python(HISTORY));
    Connection::open(folder.db()).unwrap().execute_batch("UPDATE budget SET status = 'DEAD'").unwrap();
    // Sans tous les prix, on n'en sait rien, et personne ne le reprend.
    world.exchange().set_book("XRPUSDC", Book { bids: Vec::new(), asks: Vec::new() });
    let follower = taken_over(&world, &folder);
    let told = || follower.site().json("/api/agent/status");
    let reason = |status: &Value| status["paused_reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason(&told()).contains("once every price is known"), "{}", told());
    let resume = || follower.site().send("POST", "/api/agent/toggle", r#"{"paused": false}"#);
    assert_eq!(resume().status, 409);
    world.exchange().set_price("XRPUSDC", dec!(0.5));
    let status = until("it is judged", || Some(told()).filter(|status| reason(status).contains("worth")));
    has(&status, &json!({"state": "ACTIVE", "paused": true, "running": false}));
    // Rien ne se suit sans elle : un signal reste chez le leader.
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    follower.site().wait_polls(2);
    assert_eq!(follower.site().signal(&id), None);
    assert_eq!(resume().status, 200);
    assert_eq!(follower.site().closed_signal(&id)["status"], "executed");
    has(&told(), &json!({"state": "ACTIVE", "paused": false, "paused_reason": null}));
}

#[test]
fn an_agent_the_old_program_called_dead_and_worth_nothing_stays_dead() {
    let rows = "INSERT INTO budget VALUES (1, 100.0, 100.0, 'DEAD', '2026-02-24 18:30:05', '2026-03-01 09:00:00');
        INSERT INTO trades (coin, action, amount_usdt, price, quantity) VALUES ('BTCUSDC', 'BUY', 500, 68000, 0.00001);
        INSERT INTO positions (coin, quantity, total_invested_usdt) VALUES ('BTCUSDC', 0.00001, 500);";
    let (world, folder) = (still_world(), python(rows));
    let follower = taken_over(&world, &folder);
    until("it is judged", || (follower.site().json("/api/budget")["status"] == "DEAD").then_some(()));
    let status = follower.site().json("/api/agent/status");
    has(&status, &json!({"state": "DEAD", "paused_reason": null, "running": false}));
}

/// Trois achats réels, notés sans les frais pris dans le coin ; 90 000 USDC de BTC, pour que ce ne soit pas de la poussière.
const REAL: &str = r#"
INSERT INTO budget VALUES (1, 100000.0, 100000.0, 'ACTIVE', '2026-02-24 18:30:05', '2026-03-01 09:00:00');
INSERT INTO trades (coin, action, amount_usdt, price, quantity, fee_usdt, signal_id, is_simulated, created_at) VALUES
    ('BTCUSDC', 'BUY', 60000, 60000, 1.0, 60, 'initial_sync', 0, '2026-02-24 18:32:00'),
    ('ETHUSDC', 'BUY', 2400, 2400, 1.0, 2.4, 'initial_sync', 0, '2026-02-24 18:32:01');
INSERT INTO positions VALUES
    ('BTCUSDC', 1.0, 60000, 60000, '2026-02-24 18:32:00'), ('ETHUSDC', 1.0, 2400, 2400, '2026-02-24 18:32:01');
"#;

/// Le suiveur d'argent réel qui reprend ces achats, sur un compte qui tient cela, le leader encore muet.
fn taken_over_live(held: &[(&str, Decimal)]) -> (World, Folder, Follower) {
    let balances = held.iter().map(|(asset, free)| ((*asset).to_owned(), *free)).collect();
    let world = World::start(Script { pace: Pace::Frozen, balances, ..Script::default() }).unwrap();
    world.exchange().set_weight_limit(i64::from(u32::MAX));
    let folder = python(REAL);
    world.leader().no_signal();
    let live =
        Config { mode: Mode::Live, poll_interval: Duration::from_millis(100), ..config(&world, &folder) };
    let follower = Follower::start(live);
    (world, folder, follower)
}

/// Le compte tient 0,1 % de moins de chaque coin : montré, tous ensemble, confirmé une fois, puis suivi.
#[test]
fn gross_quantities_of_the_old_program_never_freeze_a_coin_for_ever() {
    let held = [("USDC", dec!(200_000)), ("BTC", dec!(0.999)), ("ETH", dec!(0.999)), ("XRP", dec!(0))];
    let (world, folder, follower) = taken_over_live(&held);
    let exchange = until("it is shown", || {
        let exchange = follower.site().json("/api/exchange");
        let told = exchange["closed_reason"].as_str()?.contains("confirm it on the page");
        (told && exchange["takeover"].as_array()?.len() == 2).then_some(exchange)
    });
    let expected = json!({"coin": "BTCUSDC", "booked": 1.0, "held": 0.999, "quantity": 0.001});
    has(&exchange["takeover"][0], &expected);
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.1)), ("ETHUSDC", dec!(0.1))]);
    follower.site().wait_polls(4);
    assert_eq!(world.exchange().calls("/api/v3/order"), 0, "nothing is traded before");
    let confirm = || follower.site().send("POST", "/api/exchange/takeover", r#"{"understood": true}"#);
    let answer = confirm();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(confirm().status, 409, "once");
    assert_eq!(follower.site().closed_signal(&id)["status"], "executed");
    let books = Connection::open(folder.db()).unwrap();
    let sql = "SELECT group_concat(kind || ' ' || coin || ' ' || quantity, ', ') FROM movements WHERE coin IS NOT NULL";
    let moved: String = books.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(moved, "write_off BTCUSDC -0.001, write_off ETHUSDC -0.001");
    assert_eq!(follower.site().json("/api/exchange")["takeover"], json!([]));
    let report = calvalot::verify::verify(&folder.db()).unwrap();
    assert_eq!(report.differences, 0, "{}", report.text);
}

/// Rien ne manquait à la reprise : ce qui manque plus tard n'est pas la faute de l'ancien programme, et ne ferme rien.
#[test]
fn what_is_missing_years_later_is_not_blamed_on_the_old_program() {
    let held = [("USDC", dec!(200_000)), ("BTC", dec!(1)), ("ETH", dec!(1))];
    let (world, _folder, follower) = taken_over_live(&held);
    let site = follower.site();
    let open = |exchange: &Value| exchange["trading_open"] == true;
    until("trading is open", || open(&site.json("/api/exchange")).then_some(()));
    site.wait_polls(3);
    let eth = world.exchange().balance("ETH").free;
    world.exchange().set_balance("ETH", eth - dec!(0.002));
    until("it is seen", || {
        let exchange = site.json("/api/exchange");
        let lines = exchange["reconciliation"].as_array()?;
        lines.iter().any(|line| line["asset"] == "ETH" && line["missing"] == 0.002).then_some(())
    });
    site.wait_polls(2);
    let exchange = site.json("/api/exchange");
    assert!(open(&exchange) && exchange["takeover"] == json!([]), "{exchange}");
}

#[test]
fn an_unknown_coin_stops_neither_the_start_nor_the_screens() {
    let rows = "
        INSERT INTO trades (coin, action, amount_usdt, price, quantity) VALUES
            ('BTCUSDT', 'BUY', 10, 50000, 0.0002), ('BTCUSDT', 'SELL', 4, 50000, 0.00008);
        INSERT INTO positions (coin, quantity, total_invested_usdt) VALUES ('BTCUSDT', 0.00012, 6);";
    let (world, folder) = (still_world(), python(&format!("{HISTORY}{rows}")));
    let follower = taken_over(&world, &folder);
    for path in ["/api/budget", "/api/trades", "/api/positions", "/api/signals", "/metrics"] {
        assert_eq!(follower.site().get(path).status, 200, "{path}");
    }
    assert_eq!(list(&follower, "/api/trades").len(), 4);
    assert_eq!(list(&follower, "/api/positions").len(), 2);
    let budget = follower.site().json("/api/budget");
    assert!(budget["total_value_eur"].is_number(), "{budget}");
    let rate = dec!(1) / decimal(&budget["eurusdc_rate"]);
    let spent = dec!(150.25) + dec!(60.1) - dec!(58.75) + dec!(30.0) + dec!(21.7) + dec!(10) - dec!(4);
    let missing = decimal(&budget["cash_usdt"]) - (dec!(400) * rate - spent);
    assert!(missing.abs() < dec!(0.00001), "the money moved all the same: {missing}");
}

#[test]
fn a_base_without_any_row_starts_with_the_budget_of_now() {
    let (world, folder) = (still_world(), python(""));
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let follower = Follower::of(&world, &folder);
    assert_eq!(follower.site().closed_signal("initial_sync")["status"], "executed");
    has(
        &follower.site().json("/api/budget"),
        &json!({"initial_total_eur": 1000, "total_deposited_eur": 1000, "status": "ACTIVE"}),
    );
}

/// L'ancien programme comptait le capital initial quand rien n'avait été déposé.
#[test]
fn no_deposit_means_the_initial_budget() {
    let (world, folder) = (still_world(), python("INSERT INTO budget (initial_total_eur) VALUES (150)"));
    let follower = taken_over(&world, &folder);
    has(
        &follower.site().json("/api/budget"),
        &json!({"initial_total_eur": 150, "total_deposited_eur": 150, "positions_count": 0}),
    );
}

/// Tant que le cours de l'euro n'est pas su, le cash d'une base reprise ne l'est pas non plus.
#[test]
fn nothing_is_booked_before_the_euro_rate_is_known() {
    let (world, folder) = (still_world(), python(HISTORY));
    world.fault(On::exchange("/api/v3/ticker/bookTicker"), Fault::body("[]"));
    let follower = taken_over(&world, &folder);
    assert!(follower.site().json("/api/budget")["cash_usdt"].is_null());
    let report = calvalot::verify::verify(&folder.db()).unwrap();
    assert!(report.text.ends_with("the books agree; the opening is not booked yet\n"), "{}", report.text);
    world.clear_faults();
    follower::until("the opening is booked", || {
        follower.site().json("/api/budget")["cash_usdt"].is_number().then_some(())
    });
}

/// Ses lignes sont scellées comme elles ont été reprises : aucune n'en bouge plus sans que cela se voie.
#[test]
fn a_row_taken_over_that_a_hand_changes_removes_or_adds_is_named() {
    let (world, folder) = (still_world(), python(HISTORY));
    taken_over(&world, &folder).stop();
    let proved = || calvalot::verify::verify(&folder.db()).unwrap();
    assert_eq!(proved().differences, 0, "{}", proved().text);
    let hand = "UPDATE withdrawals SET rate = '0.93' WHERE id = 1; DELETE FROM withdrawals WHERE id = 2;
        UPDATE trades SET price = '1' WHERE id = 3; UPDATE snapshots SET total_eur = '1' WHERE id = 3;
        UPDATE positions SET updated_at = 1 WHERE coin = 'SOLUSDC'; UPDATE account SET initial_eur = '1';
        INSERT INTO trades (coin, side, quantity, price, amount, fee_usdc, simulated, at)
            VALUES ('BTCUSDC', 'BUY', '1', '1', '1', '0', 1, 1);";
    Connection::open(folder.db()).unwrap().execute_batch(hand).unwrap();
    let text = proved().text;
    for seen in [
        "withdrawals 1 is not as it was written",
        "withdrawals has 1 of the 2 rows that were written, without 2\n",
        "trades 3 is not as it was written",
        "trades 5 was not written by calvalot\n",
        "snapshots 3 is not as it was written",
        "positions SOLUSDC is not as it was written",
        "account 1 is not as it was written",
        "7 differences: ",
    ] {
        assert!(text.contains(seen), "{seen} is not in {text}");
    }
}

#[test]
fn a_base_of_real_trades_is_refused_in_dry_run_with_the_way_out_and_left_as_it_was() {
    let rows = "INSERT INTO trades (coin, action, amount_usdt, price, quantity, is_simulated) VALUES
        ('BTCUSDC', 'BUY', 10, 50000, 0.0002, 0);";
    let (world, folder) = (still_world(), python(&format!("{HISTORY}{rows}")));
    let before = tables(&folder.db());
    let (code, message) = refused(&world, &folder);
    assert_eq!(code, Some(1));
    for word in ["live", "dry_run", "DB_PATH"] {
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(tables(&folder.db()), before, "the old program can still use it");
}

#[test]
fn a_file_that_is_no_base_is_refused_by_its_name_and_left_as_it_was() {
    let mut torn = std::fs::read(python(HISTORY).db()).unwrap();
    torn.truncate(5000);
    torn[4096..].fill(0xA5);
    let bodies = [b"this is not a database, only text that is long enough to be a header".repeat(20), torn];
    for body in bodies {
        let (world, folder) = (still_world(), Folder::new());
        std::fs::write(folder.db(), &body).unwrap();
        let (code, message) = refused(&world, &folder);
        assert_eq!(code, Some(1), "{message}");
        for word in ["calvalot.db", "DB_PATH"] {
            assert!(message.contains(word), "{word} is not in: {message}");
        }
        assert_eq!(std::fs::read(folder.db()).unwrap(), body);
    }
}

fn page_size(folder: &Folder) -> u32 {
    let base = Connection::open(folder.db()).unwrap();
    base.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap()
}

/// Un tour écrit des pages entières : les grandes de l'ancien programme useraient la carte trois fois plus.
#[test]
fn a_base_of_large_pages_is_made_again_with_small_ones_and_loses_nothing() {
    let (world, folder) = (still_world(), python(HISTORY));
    // D'une fois coupée : pas une base, et personne ne s'en sert.
    let leftover = folder.path().join("calvalot.db-new");
    std::fs::write(&leftover, "half of it").unwrap();
    assert_eq!(page_size(&folder), 4096);
    let rows = |table: &str| -> Vec<String> {
        let base = Connection::open(folder.db()).unwrap();
        let mut statement = base.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
        let width = statement.column_count();
        let texts = statement.query_map([], |row| {
            (0..width).map(|at| row.get::<_, rusqlite::types::Value>(at)).collect::<Result<Vec<_>, _>>()
        });
        texts.unwrap().map(|row| format!("{:?}", row.unwrap())).collect()
    };
    let before: Vec<_> = ["trades", "signals", "budget_snapshots"].map(rows).into();
    taken_over(&world, &folder).stop();
    let kept: Vec<_> = ["python_trades", "python_signals", "python_budget_snapshots"].map(rows).into();
    assert_eq!((page_size(&folder), kept, leftover.exists()), (1024, before, false));
    let report = calvalot::verify::verify(&folder.db()).unwrap();
    assert_eq!(report.differences, 0, "{}", report.text);
}

#[test]
fn a_base_that_somebody_reads_keeps_its_pages_until_the_next_start() {
    let (world, folder) = (still_world(), python(HISTORY));
    let reader = Connection::open(folder.db()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM trades").unwrap();
    taken_over(&world, &folder).stop();
    assert_eq!(page_size(&folder), 4096);
    drop(reader);
    taken_over(&world, &folder).stop();
    assert_eq!(page_size(&folder), 1024);
}

/// Le grand livre ne se lit pas en arrière : une base plus récente que le programme est refusée.
#[test]
fn a_base_of_a_newer_program_is_refused() {
    let (world, folder) = (still_world(), Folder::new());
    Follower::start(config(&world, &folder)).stop();
    Connection::open(folder.db()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let (code, message) = refused(&world, &folder);
    assert_eq!(code, Some(1));
    assert!(message.contains("update the program"), "{message}");
}

/// On n'y sait ni quand les dépôts furent faits, ni ce que tout valait aux retraits : le rendement part de l'ouverture. Si
/// rien n'est entré ni sorti, il part du début.
#[test]
fn the_return_begins_where_the_money_that_came_and_went_is_known() {
    let (world, folder) = (still_world(), python(HISTORY));
    world.exchange().set_price("EURUSDC", dec!(1.25));
    let follower = taken_over(&world, &folder);
    let budget = follower.site().json("/api/budget");
    assert!(budget["return_since"].as_str() > Some("2026-08"), "since the opening: {budget}");
    assert!(decimal(&budget["return_pct"]).abs() < dec!(0.000001), "no price has moved since: {budget}");
    follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 5000}"#);
    let after = follower.site().json("/api/budget");
    assert!(decimal(&after["return_pct"]).abs() < dec!(0.000001), "{after}");
    follower.stop();
    let quiet = "UPDATE budget SET initial_total_eur = 400; DELETE FROM withdrawals";
    let folder = python(&format!("{HISTORY}; {quiet};"));
    let follower = taken_over(&world, &folder);
    let budget = follower.site().json("/api/budget");
    assert_eq!(budget["return_since"], "2026-02-24 18:30:05");
    let growth = decimal(&budget["total_value_eur"]) / dec!(400) - dec!(1);
    assert!((decimal(&budget["return_pct"]) - growth * dec!(100)).abs() < dec!(0.000001), "{budget}");
    assert!(growth.abs() > dec!(0.001), "{budget}");
}

/// Le cours de l'euro suffit à compter l'ouverture ; ce que tout y valait attend alors le premier relevé.
#[test]
fn an_opening_without_every_price_is_valued_by_the_first_snapshot() {
    let (world, folder) = (still_world(), python(HISTORY));
    let renamed = calvalot::sim::Wire::Rewrite { from: "BTCUSDC".into(), to: "XXXUSDC".into() };
    world.fault(On::exchange("/api/v3/ticker/bookTicker"), Fault::processed(renamed));
    let follower = taken_over(&world, &folder);
    follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 100}"#);
    let blind = follower.site().json("/api/budget");
    has(
        &blind,
        &json!({"total_deposited_eur": 500, "return_pct": null, "return_unknown": "the value is not known now"}),
    );
    world.clear_faults();
    let budget = follower::until("the portfolio is valued", || {
        let budget = follower.site().json("/api/budget");
        budget["return_pct"].is_number().then_some(budget)
    });
    assert!(decimal(&budget["return_pct"]).abs() < dec!(0.000001), "{budget}");
    let report = calvalot::verify::verify(&folder.db()).unwrap();
    assert_eq!(report.differences, 0, "{}", report.text);
}
