//! Les écritures : ce que chacune change, au centime, et ce qu'elle ne change pas.

use calvalot::sim::World;
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};

use crate::follower::{Folder, Follower, decimal, still_world, until};
use crate::{base, settled};

/// Un suiveur qui ne tient que son cash : 1000 EUR comptés à l'ouverture.
fn idle(world: &World, folder: &Folder) -> Follower {
    world.leader().no_signal();
    let follower = Follower::of(world, folder);
    until("the opening is booked", || {
        follower.site().json("/api/budget")["total_value_eur"].is_number().then_some(())
    });
    follower
}

/// Attend que le cours de l'euro soit lu à `rate` USDC.
fn rate(world: &World, follower: &Follower, rate: Decimal) {
    world.exchange().set_price("EURUSDC", rate);
    until("the rate is read", || {
        let found = decimal(&follower.site().json("/api/budget")["eurusdc_rate"]);
        ((dec!(1) / found - rate).abs() < dec!(0.0000001)).then_some(())
    });
}

fn cash(follower: &Follower) -> Decimal {
    decimal(&follower.site().json("/api/budget")["cash_usdt"])
}

fn movements(folder: &Folder) -> Vec<(String, String, String)> {
    let connection = base(folder);
    let mut statement = connection.prepare("SELECT kind, eur, usdc FROM movements ORDER BY id").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn deposits_and_corrections_move_the_cash_at_the_rate_of_now() {
    let (world, folder) = (still_world(), Folder::new());
    world.exchange().set_price("EURUSDC", dec!(1.10));
    let follower = idle(&world, &folder);
    assert_eq!(cash(&follower), dec!(1100));
    let (deposit, correct) = (("POST", "amount_eur"), ("PUT", "total_eur"));
    let cases = [
        (dec!(1.25), deposit, "80", dec!(1080), dec!(100)),
        (dec!(1.25), deposit, "0.01", dec!(1080.01), dec!(0.0125)),
        (dec!(1.00), deposit, "100000", dec!(101080.01), dec!(100000)),
        (dec!(1.00), deposit, "5e1", dec!(101130.01), dec!(50)),
        (dec!(1.00), correct, "1200", dec!(1200), dec!(-99930.01)),
        (dec!(1.20), correct, "1300.50", dec!(1300.5), dec!(120.6)),
        (dec!(1.20), correct, "1300.5", dec!(1300.5), dec!(0)),
        (dec!(0.80), correct, "1000", dec!(1000), dec!(-240.4)),
    ];
    let mut expected = cash(&follower);
    for (usdc_for_one, (method, field), amount, total, moved) in cases {
        rate(&world, &follower, usdc_for_one);
        let answer =
            follower.site().send(method, "/api/budget/deposit", &format!(r#"{{"{field}": {amount}}}"#));
        assert_eq!(answer.status, 200, "{method} {amount}: {}", answer.body);
        let reply = answer.json();
        assert_eq!((&reply["ok"], reply.as_object().map(|reply| reply.len())), (&true.into(), Some(2)));
        assert_eq!(decimal(&reply["total_deposited_eur"]), total, "{method} {amount}");
        expected += moved;
        assert_eq!(cash(&follower), expected, "{method} {amount}");
    }
    let budget = follower.site().json("/api/budget");
    assert_eq!(decimal(&budget["initial_total_eur"]), dec!(1000), "what was put first stays");
    assert_eq!(decimal(&budget["total_deposited_eur"]), dec!(1000));
    assert_eq!(movements(&folder).len(), 8, "a correction to the total that already is changes nothing");
    follower.stop();
    let follower = idle(&world, &folder);
    assert_eq!(cash(&follower), expected, "and after a restart too");
}

#[test]
fn a_correction_the_cash_does_not_cover_changes_nothing() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder); // 60 % en coins : 400 EUR de cash à peu près
    let (before, booked) = (cash(&follower), movements(&folder));
    for total in ["0", "100", "599"] {
        let body = format!(r#"{{"total_eur": {total}}}"#);
        let answer = follower.site().send("PUT", "/api/budget/deposit", &body);
        assert_eq!(answer.status, 409, "{total}: {}", answer.body);
        assert!(answer.json()["error"].as_str().unwrap().contains("cash"), "{}", answer.body);
    }
    assert_eq!((cash(&follower), movements(&folder)), (before, booked));
    assert_eq!(follower.site().json("/api/budget")["total_deposited_eur"], 1000.0);
    let answer = follower.site().send("PUT", "/api/budget/deposit", r#"{"total_eur": 610}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(cash(&follower) >= Decimal::ZERO);
}

#[test]
fn everything_can_be_taken_back_from_an_account_of_cash() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = idle(&world, &folder);
    let answer =
        follower.site().send("PUT", "/api/budget/deposit", r#"{"total_eur": 0, "understood": true}"#);
    assert_eq!(answer.json(), json!({"ok": true, "total_deposited_eur": 0.0}));
    let budget = follower.site().json("/api/budget");
    assert_eq!((decimal(&budget["cash_usdt"]), &budget["pnl_pct"]), (dec!(0), &Value::Null));
}

/// 1000 EUR en sont devenus 2880 : ce qui en est repris au-delà de la mise est noté, et le reste se suit encore.
#[test]
fn more_than_was_put_in_can_be_taken_out_and_the_rest_is_never_abandoned() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(1))]);
    let follower = Follower::of(&world, &folder);
    follower.site().closed_signal("initial_sync");
    world.exchange().set_price("BTCUSDC", world.exchange().price("BTCUSDC") * dec!(2.88));
    let id = world.leader().set_target(&[]);
    follower.site().closed_signal(&id);
    let before = follower.site().json("/api/budget");
    let refused = follower.site().send("PUT", "/api/budget/deposit", r#"{"total_eur": -5000}"#);
    assert_eq!(refused.status, 409, "{}", refused.body);
    let answer = follower.site().send("PUT", "/api/budget/deposit", r#"{"total_eur": -1000}"#);
    assert_eq!(answer.json(), json!({"ok": true, "total_deposited_eur": -1000.0}));
    let after = follower.site().json("/api/budget");
    assert_eq!(after["pnl_pct"], Value::Null, "a part of less than nothing says nothing");
    for (field, places) in [("pnl_eur", 4), ("return_pct", 4)] {
        let [one, other] = [&before, &after].map(|budget| decimal(&budget[field]).round_dp(places));
        assert_eq!(one, other, "{field}");
    }
    follower.site().wait_polls(2);
    let page = follower.site().get("/metrics").body;
    let drawdown = crate::follower::samples(&page, "calvalot_drawdown_ratio");
    assert!(drawdown.iter().all(|(_, value)| *value < 0.05), "{drawdown:?}");
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    assert_eq!(follower.site().closed_signal(&id)["status"], "executed");
    let report = calvalot::verify::verify(&folder.db()).unwrap();
    assert_eq!(report.differences, 0, "{}", report.text);
}

#[test]
fn a_deposit_said_twice_under_one_key_is_never_booked_twice() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = idle(&world, &folder);
    let under = |key: &str, amount: &str| {
        let body = format!(r#"{{"amount_eur": {amount}}}"#);
        let request = format!(
            "POST /api/budget/deposit HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            follower.site().address(),
            body.len()
        );
        follower.site().raw(request.as_bytes()).expect("an answer")
    };
    let first = under("a-key", "50");
    assert_eq!((first.status, first.json()["total_deposited_eur"].as_f64()), (200, Some(1050.0)));
    assert_eq!(under("another", "20").json()["total_deposited_eur"], 1070.0);
    let again = under("a-key", "50");
    assert_eq!((again.status, again.body), (200, first.body), "the answer of then");
    assert_eq!(under("a-key", "51").status, 409);
    let long = "x".repeat(65);
    for key in [long.as_str(), "two words"] {
        assert_eq!(under(key, "5").status, 400, "{key}");
    }
    assert_eq!(follower.site().json("/api/budget")["total_deposited_eur"], 1070.0);
    assert_eq!(movements(&folder).len(), 3);
}

/// Vers le total qui est déjà là, elle ne change rien ; redite après un dépôt, elle ne le reprend pas.
#[test]
fn a_correction_that_changed_nothing_is_not_done_when_its_request_is_said_again() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = idle(&world, &folder);
    let correct = || {
        let body = r#"{"total_eur": 1000}"#;
        let request = format!(
            "PUT /api/budget/deposit HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nIdempotency-Key: first\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            follower.site().address(),
            body.len()
        );
        follower.site().raw(request.as_bytes()).expect("an answer")
    };
    let first = correct();
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 500}"#).status, 200);
    let again = correct();
    assert_eq!((again.status, &again.body), (200, &first.body), "the answer of then");
    assert_eq!(follower.site().json("/api/budget")["total_deposited_eur"], 1500.0);
}

#[test]
fn the_toggle_turns_over_without_a_word_and_sets_with_one() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let cases = [
        ("{}", "paused"),
        ("{}", "resumed"),
        (r#"{"paused": true}"#, "paused"),
        (r#"{"paused": true}"#, "paused"),
        ("{}", "resumed"),
        (r#"{"paused": false}"#, "resumed"),
        (r#"{"paused": null}"#, "paused"),
        (r#"{"paused": false}"#, "resumed"),
    ];
    for (body, status) in cases {
        let answer = follower.site().send("POST", "/api/agent/toggle", body);
        assert_eq!((answer.status, answer.json()), (200, json!({"status": status})), "{body}");
        let paused = status == "paused";
        let agent = follower.site().json("/api/agent/status");
        assert_eq!((&agent["paused"], &agent["running"]), (&paused.into(), &(!paused).into()), "{body}");
        assert_eq!(follower.site().json("/api/budget")["paused"], paused);
    }
}

/// Le moteur les fait l'une après l'autre : aucune ne se perd.
#[test]
fn deposits_made_together_are_all_booked() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = idle(&world, &folder);
    let site = follower.site();
    let threads: Vec<_> = (0..12)
        .map(|_| {
            std::thread::spawn(move || {
                site.send("POST", "/api/budget/deposit", r#"{"amount_eur": 10}"#).status
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 200);
    }
    assert_eq!(site.json("/api/budget")["total_deposited_eur"], 1120.0);
    assert_eq!(movements(&folder).len(), 13);
}

/// Ce qui en fait des milliers se trompe ou veut du mal ; la demande refusée ainsi peut être redite telle quelle.
#[test]
fn thousands_of_deposits_a_minute_are_not_booked_and_the_key_of_a_refused_one_is_not_taken() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = idle(&world, &folder);
    let ask = |key: usize| {
        let body = r#"{"amount_eur": 0.01}"#;
        let request = format!(
            "POST /api/budget/deposit HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Idempotency-Key: {key}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            follower.site().address(),
            body.len()
        );
        follower.site().raw(request.as_bytes()).expect("an answer")
    };
    let mut key = 0;
    let refused = until("it is too many", || {
        key += 1;
        Some(ask(key)).filter(|answer| answer.status == 429)
    });
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    assert!(refused.json()["error"].as_str().unwrap().contains("nothing was changed"), "{}", refused.body);
    assert_eq!(follower.site().get("/api/budget").status, 200, "reading goes on");
    let before = movements(&folder).len();
    until("its turn comes", || (ask(key).status == 200).then_some(()));
    until("it is said again", || (ask(key).status == 200).then_some(()));
    assert_eq!(movements(&folder).len(), before + 1, "refused, then booked, then the same request");
}
