//! Les fautes du programme Python, une par test, sous le nom de ce qui ne doit plus arriver.
//!
//! Lues dans sa source publique (`AlexandreFrancony/Calv-a-lot`, révision c3f9ff3). Celles qui ne
//! concernent que le mode réel attendent avec lui.

mod follower;

use std::time::Duration;

use calvalot::config::{Config, Secret};
use calvalot::sim::{Fault, On, World};
use follower::{Folder, Follower, Process, config, decimal, samples, still_world, until};
use rust_decimal::dec;

const TICKER: &str = "/api/v3/ticker/bookTicker";

/// Un suiveur qui a déjà suivi une première allocation, moitié BTC, moitié cash.
fn settled(world: &World, folder: &Folder) -> Follower {
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let follower = Follower::of(world, folder);
    follower.site().closed_signal("initial_sync");
    follower.site().wait_polls(2);
    follower
}

/// `app/services/follower.py` recalculait le cash simulé au cours du moment.
#[test]
fn the_cash_never_moves_with_the_euro_rate() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let before = follower.site().json("/api/budget");
    world.exchange().set_price("EURUSDC", dec!(1.20));
    let after = until("the new rate is read", || {
        let budget = follower.site().json("/api/budget");
        (budget["eurusdc_rate"] != before["eurusdc_rate"]).then_some(budget)
    });
    assert_eq!(after["cash_usdt"], before["cash_usdt"]);
    assert_eq!(after["total_value_usdt"], before["total_value_usdt"]);
}

/// Un dépôt augmentait le total versé et jamais le cash : il se lisait comme une perte.
#[test]
fn a_deposit_is_never_a_loss() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let before = follower.site().json("/api/budget");
    let answer = follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 200}"#);
    assert_eq!((answer.status, answer.json()["total_deposited_eur"].as_f64()), (200, Some(1200.0)));
    let after = follower.site().json("/api/budget");
    let rate = dec!(1) / decimal(&before["eurusdc_rate"]);
    let moved = decimal(&after["cash_usdt"]) - decimal(&before["cash_usdt"]);
    assert!((moved - dec!(200) * rate).abs() < dec!(0.001), "the cash moved by {moved}");
    assert!((decimal(&after["pnl_eur"]) - decimal(&before["pnl_eur"])).abs() < dec!(0.001));
}

/// Sans cours de l'euro, il prenait 0,92.
#[test]
fn an_unknown_euro_rate_is_never_guessed() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    world.fault(On::exchange(TICKER), Fault::body("[]"));
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(2);
    let budget = follower.site().json("/api/budget");
    assert!(
        budget["eurusdc_rate"].is_null()
            && budget["total_value_eur"].is_null()
            && budget["cash_usdt"].is_null()
    );
    let answer = follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 50}"#);
    assert_eq!(answer.status, 503, "{}", answer.body);
    world.clear_faults();
    follower.site().closed_signal("initial_sync");
    assert_eq!(follower.site().json("/api/budget")["total_deposited_eur"], 1000.0);
}

/// Un prix manquant valait zéro : la valeur s'effondrait, et l'agent pouvait en mourir.
#[test]
fn a_missing_price_never_counts_as_zero() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder).stop();
    world.fault(On::exchange(TICKER), Fault::body("[]"));
    let follower = Follower::of(&world, &folder);
    let snapshots = follower.site().json("/api/budget/history");
    follower.site().wait_polls(6);
    let (budget, status) = (follower.site().json("/api/budget"), follower.site().json("/api/agent/status"));
    assert!(budget["portfolio_usdt"].is_null() && budget["total_value_eur"].is_null(), "{budget}");
    assert_eq!(status["state"], "ACTIVE");
    assert!(status["unknown"].as_array().unwrap().iter().any(|unknown| unknown["what"] == "price BTCUSDC"));
    assert_eq!(follower.site().json("/api/budget/history"), snapshots, "a snapshot was made on a guess");
    let page = follower.site().get("/metrics").body;
    assert!(samples(&page, "calvalot_portfolio_value_eur").is_empty());
    assert!(
        samples(&page, "calvalot_reading_unknown").contains(&(r#"reading="price BTCUSDC""#.to_owned(), 1.0))
    );
}

/// Une seule évaluation basse tuait, pour toujours.
#[test]
fn one_low_reading_never_kills_and_several_do_for_ever() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(1))]);
    let follower = Follower::of(&world, &folder);
    follower.site().closed_signal("initial_sync");
    let price = world.exchange().price("BTCUSDC");
    // Le reste du cash, sous 5 EUR, ne suffit pas à survivre.
    assert!(decimal(&follower.site().json("/api/budget")["cash_usdt"]) < dec!(5));
    follower.stop();
    world.exchange().set_price("BTCUSDC", dec!(1));
    one_cycle(&world, &folder);
    world.exchange().set_price("BTCUSDC", price);
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(3);
    assert_eq!(follower.site().json("/api/agent/status")["state"], "ACTIVE");
    world.exchange().set_price("BTCUSDC", dec!(1));
    until("the agent is dead", || {
        (follower.site().json("/api/agent/status")["state"] == "DEAD").then_some(())
    });
    world.exchange().set_price("BTCUSDC", price);
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.9))]);
    let signal = follower.site().closed_signal(&id);
    assert_eq!(signal["status"], "skipped");
    assert_eq!(signal["trades"], 0);
    follower.stop();
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(2);
    assert_eq!(follower.site().json("/api/agent/status")["state"], "DEAD");
    assert_eq!(samples(&follower.site().get("/metrics").body, "calvalot_agent_state").len(), 3);
}

/// Un suiveur qui ne fait qu'un tour, puis s'arrête.
fn one_cycle(world: &World, folder: &Folder) {
    let follower =
        Follower::start(Config { poll_interval: Duration::from_secs(3600), ..config(world, folder) });
    until("the cycle is made", || {
        let budget = follower.site().json("/api/budget");
        budget["total_value_eur"].is_number().then_some(())
    });
    follower.stop();
}

/// Les frais simulés étaient notés et jamais pris.
#[test]
fn fees_are_never_left_out_of_the_books() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let (trade, position) =
        (follower.site().json("/api/trades")[0].clone(), follower.site().json("/api/positions")[0].clone());
    assert_eq!(trade["fee_asset"], "BTC");
    assert_eq!(decimal(&position["quantity"]), decimal(&trade["quantity"]) - decimal(&trade["fee"]));
    assert!((decimal(&trade["fee"]) - decimal(&trade["quantity"]) * dec!(0.001)).abs() < dec!(0.00000002));
    let id = world.leader().set_target(&[]);
    follower.site().closed_signal(&id);
    let before = decimal(&follower.site().json("/api/budget")["cash_usdt"]);
    let sale = follower.site().json("/api/trades")[0].clone();
    assert_eq!((sale["action"].as_str(), sale["fee_asset"].as_str()), (Some("SELL"), Some("USDC")));
    let opening = dec!(1000) / decimal(&follower.site().json("/api/budget")["eurusdc_rate"]);
    let expected =
        opening - decimal(&trade["amount_usdt"]) + decimal(&sale["amount_usdt"]) - decimal(&sale["fee"]);
    assert!((before - expected).abs() < dec!(0.0001), "cash {before}, expected {expected}");
}

/// Le drapeau de la synchronisation initiale vivait en mémoire.
#[test]
fn the_initial_sync_is_never_done_twice() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let id = world.leader().set_target(&[]);
    follower.site().closed_signal(&id);
    let trades = follower.site().json("/api/trades?limit=100");
    assert_eq!(trades.as_array().map(Vec::len), Some(2));
    follower.stop();
    // Plus aucune position, et un signal de version 1 qui en porterait une.
    let id = world.leader().set_actions(&[("BTCUSDC", "HOLD", dec!(0))], Some(&[("BTCUSDC", dec!(0.5))]));
    let follower = Follower::of(&world, &folder);
    follower.site().closed_signal(&id);
    follower.site().wait_polls(2);
    assert_eq!(follower.site().json("/api/trades?limit=100"), trades);
}

/// Un signal interrompu restait `received` : déjà vu, jamais exécuté.
#[test]
fn an_interrupted_signal_is_never_lost() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder).stop();
    world.fault(On::exchange(TICKER), Fault::body("[]"));
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    let process = Process::run(&world, &folder);
    until("the signal is received", || {
        process.site().signal(&id).filter(|signal| signal["status"] == "received")
    });
    process.kill();
    world.clear_faults();
    let follower = Follower::of(&world, &folder);
    let signal = follower.site().closed_signal(&id);
    assert_eq!((signal["status"].as_str(), signal["trades"].as_u64()), (Some("executed"), Some(2)));
}

/// Un signal mal fait levait une exception après avoir été noté : bloqué en `received`.
#[test]
fn a_malformed_signal_never_stays_open_nor_trades() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let trades = follower.site().json("/api/trades");
    for (rank, positions) in [
        r#"[{"coin":"DOGEUSDC","pct_of_portfolio":0.5}]"#,
        r#"[{"coin":"BTCUSDC","pct_of_portfolio":"0.5"}]"#,
        r#"[{"coin":"BTCUSDC","pct_of_portfolio":-0.5}]"#,
        r#"[{"coin":"BTCUSDC","pct_of_portfolio":0.9},{"coin":"ETHUSDC","pct_of_portfolio":0.9}]"#,
        r#"{"coin":"BTCUSDC"}"#,
        "null",
    ]
    .iter()
    .enumerate()
    {
        let id = format!("bad-{rank}");
        world.leader().set_raw(format!(
            r#"{{"version":2,"signal_id":"{id}","portfolio_state":{{"positions":{positions}}}}}"#
        ));
        let signal = follower.site().closed_signal(&id);
        assert_eq!(signal["status"], "rejected", "{positions}");
        assert!(!signal["error_message"].as_str().unwrap_or_default().is_empty(), "{positions}");
    }
    assert_eq!(follower.site().json("/api/trades"), trades);
}

/// `portfolio_state` sans `positions` se lisait comme « tout vendre ».
#[test]
fn a_missing_allocation_never_sells_everything() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    world.leader().set_raw(r#"{"version":2,"signal_id":"empty","portfolio_state":{"total_value":100}}"#);
    assert_eq!(follower.site().closed_signal("empty")["status"], "rejected");
    assert_eq!(follower.site().json("/api/positions").as_array().unwrap().len(), 1);
}

/// La simulation achetait des fractions que la bourse refuse.
#[test]
fn a_simulated_order_never_ignores_the_exchanges_steps() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("XRPUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.004))]);
    let follower = Follower::of(&world, &folder);
    let sync = follower.site().closed_signal("initial_sync");
    for trade in follower.site().json("/api/trades").as_array().unwrap() {
        let step = if trade["coin"] == "BTCUSDC" { dec!(0.00001) } else { dec!(0.1) };
        assert!((decimal(&trade["quantity"]) % step).is_zero(), "{trade}");
    }
    let sol =
        sync["decisions"].as_array().unwrap().iter().find(|decision| decision["coin"] == "SOLUSDC").unwrap();
    assert_eq!(sol["decision"], "left");
}

/// Le premier achat prenait tout le cash, le dernier n'avait rien.
#[test]
fn the_first_purchase_never_takes_the_cash_of_the_others() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    // Deux achats de 60 % chacun du capital pour 50 % de cash.
    let id =
        world.leader().set_actions(&[("ETHUSDC", "BUY", dec!(0.6)), ("SOLUSDC", "BUY", dec!(0.6))], None);
    assert_eq!(follower.site().closed_signal(&id)["trades"], 2);
    let trades = follower.site().json("/api/trades?limit=2");
    let (one, other) = (decimal(&trades[0]["amount_usdt"]), decimal(&trades[1]["amount_usdt"]));
    assert!((one - other).abs() < dec!(2), "{one} and {other} are no equal shares");
}

/// Les raisons disparaissaient dès qu'un autre coin était négocié.
#[test]
fn the_reason_of_a_coin_is_never_lost_because_another_was_traded() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let id =
        world.leader().set_actions(&[("ETHUSDC", "BUY", dec!(0.2)), ("SOLUSDC", "BUY", dec!(0.001))], None);
    let signal = follower.site().closed_signal(&id);
    assert_eq!(signal["status"], "executed");
    let decisions = signal["decisions"].as_array().unwrap();
    assert_eq!(decisions.len(), 5);
    let sol = decisions.iter().find(|decision| decision["coin"] == "SOLUSDC").unwrap();
    assert_eq!(sol["code"], "below_minimum");
}

/// Les relevés n'étaient faits qu'à l'arrivée d'un signal.
#[test]
fn the_chart_never_waits_for_a_signal() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let before = follower.site().json("/api/budget/history").as_array().unwrap().len();
    follower.site().wait_polls(4);
    assert!(follower.site().json("/api/budget/history").as_array().unwrap().len() >= before + 4);
}

/// L'année affichée s'arrêtait aux 5000 derniers relevés, une semaine, et rien ne restait après un mois.
#[test]
fn a_long_period_is_never_cut_to_its_last_days() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder).stop();
    let connection = rusqlite::Connection::open(folder.db()).unwrap();
    connection
        .execute_batch(
            "WITH RECURSIVE hour(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM hour WHERE n < 8700)
             INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at)
             SELECT '1000', '500', '580', '1000', (SELECT max(at) FROM snapshots) - n * 3600000 FROM hour;",
        )
        .unwrap();
    drop(connection);
    let follower = Follower::of(&world, &folder);
    let year = follower.site().json("/api/budget/history?period=1y&limit=500");
    let year = year.as_array().unwrap();
    assert!(year.len() > 400 && year.len() <= 500, "{} points", year.len());
    let (newest, oldest) =
        (year[0]["created_at"].as_str().unwrap(), year[year.len() - 1]["created_at"].as_str().unwrap());
    assert_ne!(newest[..4], oldest[..4], "the year from {oldest} to {newest} was cut");
    let day = follower.site().json("/api/budget/history?period=1d&limit=500");
    assert!(day.as_array().unwrap().len() >= 24);
}

/// Un secret faux se lisait « pas de signal ».
#[test]
fn a_refusing_leader_is_never_shown_as_one_without_a_signal() {
    let (world, folder) = (still_world(), Folder::new());
    let wrong = Config { secret: Secret::new("another secret".to_owned()), ..config(&world, &folder) };
    let follower = Follower::start(wrong);
    follower.site().wait_polls(1);
    let status = follower.site().json("/api/agent/status");
    assert_eq!(status["last_poll"]["status"], "leader_refused");
    assert_eq!(status["leader"]["connected"], false);
    assert!(status["leader"]["error"].as_str().unwrap().contains("SIGNAL_SECRET"), "{status}");
}

/// La pause vivait en mémoire, et le bilan de santé la prenait pour une panne.
#[test]
fn a_pause_is_never_forgotten_nor_taken_for_a_fault() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    assert_eq!(
        follower.site().send("POST", "/api/agent/toggle", r#"{"paused": true}"#).json()["status"],
        "paused"
    );
    follower.stop();
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(3);
    let status = follower.site().json("/api/agent/status");
    assert_eq!((status["paused"].as_bool(), status["running"].as_bool()), (Some(true), Some(false)));
    assert_eq!(status["last_poll"]["status"], "paused");
    assert!(follower.site().signal(&id).is_none(), "a paused agent took a signal");
    assert_eq!(follower.site().get("/health").status, 200);
    assert_eq!(
        follower.site().send("POST", "/api/agent/toggle", r#"{"paused": false}"#).json()["status"],
        "resumed"
    );
    assert_eq!(follower.site().closed_signal(&id)["status"], "executed");
}

/// `float("nan")` passait les deux comparaisons et empoisonnait le total.
#[test]
fn a_deposit_that_is_no_amount_is_never_booked() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    for amount in ["NaN", "1e999", "-5", "0", "100001", "\"50\"", "true", "null", "0.001", "[]"] {
        let answer =
            follower.site().send("POST", "/api/budget/deposit", &format!(r#"{{"amount_eur": {amount}}}"#));
        assert_eq!(answer.status, 400, "{amount}: {}", answer.body);
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(follower.site().json("/api/budget")["total_deposited_eur"], 1000.0);
}

/// `limit=-1` rendait toute la table.
#[test]
fn a_limit_that_is_no_number_never_returns_everything() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    for path in ["/api/trades", "/api/signals", "/api/budget/history", "/api/budget/withdrawals"] {
        for limit in ["-1", "0", "x", "1.5", ""] {
            let answer = follower.site().get(&format!("{path}?limit={limit}"));
            assert_eq!(answer.status, 400, "{path}?limit={limit}: {}", answer.body);
        }
    }
}

/// Un formulaire d'une autre page pouvait mettre l'agent en pause.
#[test]
fn a_page_from_elsewhere_never_pauses_the_agent() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let host = follower.site().address();
    for headers in [
        format!("Host: {host}\r\nContent-Type: text/plain"),
        format!("Host: {host}\r\nContent-Type: application/json\r\nOrigin: http://evil.example"),
        "Host: evil.example\r\nContent-Type: application/json".to_owned(),
    ] {
        let request = format!(
            "POST /api/agent/toggle HTTP/1.1\r\n{headers}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        );
        let answer = follower.site().raw(request.as_bytes()).unwrap();
        assert!((400..500).contains(&answer.status), "{headers}: {}", answer.status);
    }
    assert_eq!(follower.site().json("/api/agent/status")["paused"], false);
}

/// Le leader pouvait demander une mise à jour, que l'hôte faisait.
#[test]
fn the_leader_never_causes_an_update() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    world.leader().set_raw(
        r#"{"version":2,"signal_id":"update","portfolio_state":{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":0.5}]},
            "update":{"required":true,"latest_version":"abc"}}"#,
    );
    follower.site().closed_signal("update");
    follower.stop();
    let files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(files.iter().all(|name| name.starts_with("calvalot.db")), "{files:?}");
}
