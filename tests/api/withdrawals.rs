//! Reprendre de l'argent, et tout vendre, en simulation : ce qui est répondu, vendu, compté et refusé.

use calvalot::sim::{Fault, On, Status};
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};

use crate::follower::{Answer, Folder, Follower, Site, decimal, still_world, until};
use crate::{base, check, list, settled};

pub const WITHDRAWAL: [(&str, &str); 15] = [
    ("id", "int"),
    ("amount_eur_requested", "number"),
    ("amount_usdt_sold", "number"),
    ("amount_eur_received", "number"),
    ("eurusdc_rate", "number?"),
    ("positions_sold", "list"),
    ("status", "text"),
    ("is_simulated", "flag"),
    ("created_at", "at"),
    ("wanted_usdc", "number?"),
    ("set_aside_usdc", "number"),
    ("taken_usdc", "number"),
    ("waiting_for", "text?"),
    ("can_cancel", "bool"),
    ("ended_at", "at?"),
];

const PATH: &str = "/api/budget/withdrawals";

fn ask(site: Site, body: &str) -> Answer {
    site.send("POST", PATH, body)
}

fn newest(site: Site) -> Value {
    site.json(PATH)["withdrawals"][0].clone()
}

/// Attend que le dernier retrait en soit là.
fn ended(site: Site, status: &str) -> Value {
    until("the withdrawal is there", || Some(newest(site)).filter(|one| one["status"] == status))
}

fn budget(site: Site, field: &str) -> Decimal {
    decimal(&site.json("/api/budget")[field])
}

fn close(one: Decimal, other: Decimal) -> bool {
    (one - other).abs() < dec!(0.02)
}

#[test]
fn what_a_withdrawal_would_do_is_told_and_asking_it_opens_nothing() {
    let (world, folder) = (still_world(), Folder::new());
    world.exchange().set_price("EURUSDC", dec!(1.25));
    let follower = settled(&world, &folder);
    let site = follower.site();
    let cash = budget(site, "cash_usdt");
    for body in [r#"{"amount_eur": 800, "preview": true}"#, r#"{"all": true, "preview": true}"#] {
        let answer = ask(site, body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let told = answer.json();
        let fields: Vec<&String> = told.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["amount_eur", "amount_usdc", "left_eur", "ok", "preview", "sales"], "{told}");
    }
    let refused = ask(site, r#"{"amount_eur": 5000, "preview": true}"#);
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("is more than the value"), "{}", refused.body);
    site.wait_polls(2);
    assert_eq!(site.json(PATH)["withdrawals"], json!([]));
    assert_eq!(budget(site, "cash_usdt"), cash);
    let told = ask(site, r#"{"amount_eur": 800, "preview": true}"#).json();
    let done = ask(site, r#"{"amount_eur": 800}"#).json();
    for field in ["amount_eur", "amount_usdc", "sales", "left_eur"] {
        assert_eq!(told[field], done[field], "{field}");
    }
}

#[test]
fn money_taken_out_in_simulation_is_sold_in_proportion_booked_once_and_no_gain_nor_loss() {
    let (world, folder) = (still_world(), Folder::new());
    world.exchange().set_price("EURUSDC", dec!(1.25));
    let follower = settled(&world, &folder);
    let site = follower.site();
    // 1250 USDC : 500 de BTC, 250 d'ETH, 500 de cash à peu près. 800 EUR en veulent 1000.
    let before = site.json("/api/budget");
    let (before, pnl) = (decimal(&before["total_value_eur"]), decimal(&before["pnl_eur"]));
    let answer = ask(site, r#"{"amount_eur": 800}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.json();
    let fields = [
        ("ok", "bool"),
        ("id", "int"),
        ("status", "selling"),
        ("amount_eur", "number"),
        ("amount_usdc", "number"),
        ("eurusdc_rate", "number"),
        ("sales", "list"),
        ("left_eur", "number"),
        ("waiting_for", "text?"),
    ];
    check("answer", &told, &fields);
    assert_eq!((decimal(&told["amount_usdc"]), decimal(&told["eurusdc_rate"])), (dec!(1000), dec!(0.8)));
    let coins: Vec<&str> =
        told["sales"].as_array().unwrap().iter().filter_map(|sale| sale["coin"].as_str()).collect();
    assert_eq!(coins, ["BTCUSDC", "ETHUSDC"]);
    let done = ended(site, "completed");
    check("withdrawal", &done, &WITHDRAWAL);
    assert_eq!(
        (decimal(&done["taken_usdc"]), decimal(&done["amount_eur_received"])),
        (dec!(1000), dec!(800))
    );
    assert_eq!((&done["can_cancel"], &done["set_aside_usdc"]), (&false.into(), &json!(0.0)));
    assert_eq!(done["positions_sold"].as_array().map(Vec::len), Some(2));
    let weight = |coin: usize| decimal(&list(site, "/api/positions")[coin]["value_usdt"]);
    assert!((weight(0) / weight(1) - dec!(2)).abs() < dec!(0.05), "in proportion");
    // D'une seule réponse : un tour peut passer entre deux.
    let after = site.json("/api/budget");
    let after = |field: &str| decimal(&after[field]);
    assert_eq!(after("total_deposited_eur"), dec!(200));
    assert_eq!(after("withdrawn_eur"), dec!(0), "the net deposits know it");
    let costs = before - after("total_value_eur") - dec!(800);
    assert!(costs > dec!(0) && costs < dec!(2), "{costs}");
    assert!(
        close(after("pnl_eur"), pnl - costs),
        "taken out is no loss: {} of {pnl} - {costs}",
        after("pnl_eur")
    );
    let marks = site.json("/api/budget/marks");
    let marks = marks["marks"].as_array().unwrap();
    let taken: Vec<&Value> = marks.iter().filter(|mark| mark["kind"] == "withdrawal").collect();
    assert_eq!(taken.len(), 1, "{marks:?}");
    assert_eq!(decimal(&taken[0]["amount_eur"]), dec!(800));
    site.wait_polls(3);
    let movements = "SELECT count(*) FROM movements WHERE kind = 'withdrawal'";
    assert_eq!(base(&folder).query_row(movements, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    assert!(budget(site, "return_pct").abs() < dec!(0.5), "{}", budget(site, "return_pct"));
}

#[test]
fn profit_can_be_taken_out_below_what_was_put_in() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    world.leader().no_signal();
    let site = follower.site();
    for (pair, price) in [("BTCUSDC", dec!(5)), ("ETHUSDC", dec!(5))] {
        let now = world.exchange().price(pair);
        world.exchange().set_price(pair, now * price);
    }
    until("the gain is seen", || (budget(site, "total_value_eur") > dec!(3000)).then_some(()));
    assert_eq!(ask(site, r#"{"amount_eur": 2000}"#).status, 200);
    ended(site, "completed");
    assert_eq!(budget(site, "total_deposited_eur"), dec!(-1000));
    assert!(close(budget(site, "pnl_eur"), budget(site, "total_value_eur") + dec!(1000)));
    assert!(budget(site, "return_pct") > dec!(200));
}

#[test]
fn a_leader_s_target_beside_a_withdrawal_is_reached_with_what_is_left() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    assert_eq!(ask(site, r#"{"amount_eur": 900}"#).status, 200);
    let signal = world.leader().set_target(&[("SOLUSDC", dec!(0.9))]);
    ended(site, "completed");
    let closed = site.closed_signal(&signal);
    assert_eq!(closed["status"], "executed", "{closed}");
    let value = budget(site, "total_value_eur");
    assert!(value > dec!(95) && value < dec!(100), "{value}");
    assert_eq!(budget(site, "total_deposited_eur"), dec!(100));
}

#[test]
fn what_cannot_be_taken_out_is_refused_with_a_sentence_and_changes_nothing() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    let cases = [
        (r#"{"amount_eur": 1001}"#, 409, "more than the value"),
        (r#"{"amount_eur": 999}"#, 409, "at most"),
        (r#"{"amount_eur": 996}"#, 409, "would be left"),
        (r#"{"all": true}"#, 409, "nothing to follow with"),
        (r#"{"amount_eur": 0}"#, 400, "amount_eur"),
        (r#"{"amount_eur": 0.001}"#, 400, "amount_eur"),
        (r#"{"amount_eur": -5}"#, 400, "amount_eur"),
        (r#"{"amount_eur": 5, "all": true}"#, 400, "either"),
        (r#"{"all": false}"#, 400, "either"),
        ("{}", 400, "either"),
        (r#"{"amount": 5}"#, 400, "amount_eur"),
    ];
    for (body, status, words) in cases {
        let answer = ask(site, body);
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert!(answer.json()["error"].as_str().unwrap().contains(words), "{body}: {}", answer.body);
    }
    assert_eq!(site.json(PATH), json!({"withdrawals": [], "total_usdt": 0.0, "total_eur": 0.0}));
    let cancel = |id: &str| site.send("POST", &format!("{PATH}/{id}/cancel"), "{}").status;
    assert_eq!((cancel("7"), cancel("x")), (404, 404));
    // Sans prix, ce qui serait vendu n'est pas connu.
    world.fault(On::exchange("/api/v3/ticker/bookTicker"), Fault::body("[]"));
    follower.stop();
    let follower = Follower::of(&world, &folder);
    until("it answers", || follower.site().try_get("/health"));
    let answer = ask(follower.site(), r#"{"amount_eur": 5}"#);
    assert_eq!(answer.status, 503, "{}", answer.body);
}

#[test]
fn a_request_repeated_under_its_name_is_not_a_second_withdrawal() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    let ask = |key: &str, body: &str| {
        let request = format!(
            "POST {PATH} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            site.address(),
            body.len()
        );
        site.raw(request.as_bytes()).expect("an answer")
    };
    let first = ask("one", r#"{"amount_eur": 20}"#).json();
    ended(site, "completed");
    let second = ask("one", r#"{"amount_eur": 20}"#);
    assert_eq!((second.status, &second.json()["id"]), (200, &first["id"]), "{}", second.body);
    assert_eq!(second.json()["status"], "completed");
    let other = ask("one", r#"{"amount_eur": 21}"#);
    assert_eq!(other.status, 409, "{}", other.body);
    assert_eq!(ask("", r#"{"amount_eur": 20}"#).status, 400);
    assert_eq!(ask("two", r#"{"amount_eur": 20}"#).status, 200);
    ended(site, "completed");
    assert_eq!(budget(site, "total_deposited_eur"), dec!(960));
}

#[test]
fn everything_is_taken_out_and_nothing_is_bought_again() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    let answer = ask(site, r#"{"all": true, "understood": true}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let signal = world.leader().set_target(&[("SOLUSDC", dec!(0.9))]);
    let done = ended(site, "completed");
    assert!(decimal(&done["amount_eur_received"]) > dec!(998), "{done}");
    site.closed_signal(&signal);
    let cash = decimal(&site.json("/api/budget")["cash_usdt"]);
    assert_eq!(cash, dec!(0));
    let trades = list(site, &format!("/api/trades?signal_id={signal}"));
    assert!(trades.is_empty(), "{trades:?}");
}

fn paused(site: Site) -> Value {
    site.json("/api/agent/status")
}

fn trades_since(site: Site, before: usize) -> Vec<Value> {
    let all = list(site, "/api/trades?limit=100");
    all[..all.len() - before].to_vec()
}

#[test]
fn all_is_sold_once_and_the_agent_stays_stopped_whatever_the_leader_wants() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    let sell = |body: &str| site.send("POST", "/api/agent/sell-all", body);
    for body in ["{}", r#"{"understood": false}"#] {
        let answer = sell(body);
        assert_eq!(answer.status, 409, "{}", answer.body);
        for words in ["sends no money", "dust", "halted", "prices", "tax"] {
            assert!(answer.body.contains(words), "{words}: {}", answer.body);
        }
    }
    assert_eq!((&paused(site)["selling_all"], &paused(site)["paused_reason"]), (&Value::Null, &Value::Null));
    let before = list(site, "/api/trades?limit=100").len();
    world.leader().set_target(&[("SOLUSDC", dec!(0.9))]);
    for _ in 0..2 {
        let answer = sell(r#"{"understood": true}"#);
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let done = until("all is sold", || Some(paused(site)).filter(|one| one["selling_all"]["done"] == true));
    assert_eq!(done["paused"], true);
    assert!(done["paused_reason"].as_str().unwrap().contains("sell all and stop"), "{done}");
    site.wait_polls(5);
    let trades = trades_since(site, before);
    let sold: Vec<&Value> = trades.iter().filter(|trade| trade["action"] == "SELL").collect();
    let mut coins: Vec<&str> = sold.iter().filter_map(|trade| trade["coin"].as_str()).collect();
    coins.sort_unstable();
    coins.dedup();
    assert_eq!(coins.len(), sold.len(), "sold twice: {trades:?}");
    for left in done["selling_all"]["left"].as_array().unwrap() {
        let fields = [
            ("coin", "text"),
            ("quantity", "number"),
            ("value_usdt", "number?"),
            ("code", "text?"),
            ("reason", "text?"),
        ];
        check("left", left, &fields);
        assert!(decimal(&left["value_usdt"]) < dec!(6), "{left}");
    }
    assert!(list(site, "/api/positions").iter().all(|one| decimal(&one["value_usdt"]) < dec!(6)));
    // Reprendre n'exécute pas ce que le leader voulait avant, mais ce qu'il veut ensuite.
    assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": false}"#).status, 200);
    site.wait_polls(3);
    let agent = paused(site);
    assert_eq!((&agent["selling_all"], &agent["paused_reason"]), (&Value::Null, &Value::Null));
    let next = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    assert_eq!(site.closed_signal(&next)["status"], "executed");
}

#[test]
fn a_halted_pair_is_sold_when_it_trades_again_and_resuming_calls_it_off() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    let halt = |status: Status| world.exchange().set_status("BTCUSDC", status);
    halt(Status::Break);
    site.wait_polls(2);
    assert_eq!(site.send("POST", "/api/agent/sell-all", r#"{"understood": true}"#).status, 200);
    let waits = |one: &Value| one["waiting_for"].as_str().is_some_and(|text| text.contains("BREAK"));
    let open = until("it waits for the pair", || Some(paused(site)["selling_all"].clone()).filter(waits));
    assert_eq!(open["done"], false);
    let btc = open["left"].as_array().unwrap().iter().find(|left| left["coin"] == "BTCUSDC").unwrap();
    assert_eq!(btc["code"], "halted", "{open}");
    assert!(
        list(site, "/api/positions")
            .iter()
            .all(|one| one["coin"] != "ETHUSDC" || decimal(&one["value_usdt"]) < dec!(1))
    );
    halt(Status::Trading);
    until("all is sold", || Some(paused(site)).filter(|one| one["selling_all"]["done"] == true));
    // De nouveau, et repris avant la fin : ce qui reste n'est plus vendu.
    site.send("POST", "/api/agent/toggle", r#"{"paused": false}"#);
    let next = world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    site.closed_signal(&next);
    halt(Status::Break);
    site.wait_polls(2);
    site.send("POST", "/api/agent/sell-all", r#"{"understood": true}"#);
    until("it waits for the pair", || Some(paused(site)["selling_all"].clone()).filter(waits));
    site.send("POST", "/api/agent/toggle", "{}");
    assert_eq!(paused(site)["selling_all"], Value::Null);
    halt(Status::Trading);
    site.wait_polls(4);
    let closed = site.closed_signal("sell-all-2");
    assert_eq!(closed["status"], "skipped", "{closed}");
    let btc = list(site, "/api/positions").into_iter().find(|one| one["coin"] == "BTCUSDC").unwrap();
    assert!(decimal(&btc["value_usdt"]) > dec!(100), "{btc}");
}

#[test]
fn both_work_for_an_agent_that_is_paused_or_dead() {
    for state in ["UPDATE agent SET paused = 1", "UPDATE agent SET state = 'DEAD'"] {
        let (world, folder) = (still_world(), Folder::new());
        settled(&world, &folder).stop();
        base(&folder).execute_batch(state).unwrap();
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        until("the value is known", || {
            site.try_get("/api/budget")?.json()["total_value_eur"].is_number().then_some(())
        });
        until("it is asked", || (ask(site, r#"{"amount_eur": 700}"#).status == 200).then_some(()));
        let done = ended(site, "completed");
        assert_eq!(decimal(&done["amount_eur_received"]), dec!(700), "{state}");
        assert_eq!(site.send("POST", "/api/agent/sell-all", r#"{"understood": true}"#).status, 200);
        until("all is sold", || Some(paused(site)).filter(|one| one["selling_all"]["done"] == true));
        assert!(list(site, "/api/positions").iter().all(|one| decimal(&one["value_usdt"]) < dec!(6)));
    }
}

/// Ce qu'un retrait laisse n'est ramené à rien tant que l'on est en pause.
#[test]
fn what_a_withdrawal_leaves_is_never_promised_to_follow_while_it_is_paused() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    let promised = || {
        let ways = site.json("/api/ways");
        let ways = ways.as_array().expect("a list");
        let way = ways.iter().find(|way| way["name"] == "withdraw").expect("it can be withdrawn");
        way["consequence"].as_str().expect("a text").to_owned()
    };
    assert!(promised().contains("what is left is then brought to the leader's allocation"), "{}", promised());
    assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": true}"#).status, 200);
    assert!(promised().contains("once you resume it, what is left is brought"), "{}", promised());
}

/// Ce que `pause` arrêterait est dit tel qu'il est.
#[test]
fn what_follows_nothing_is_never_said_to_follow_the_leader() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    let now = || {
        let ways = list(site, "/api/ways");
        let way = ways.iter().find(|way| way["name"] == "pause").expect("it can be paused");
        way["about"].as_str().expect("a text").to_owned()
    };
    assert_eq!(now(), "it follows the leader");
    let all = r#"{"all": true, "understood": true}"#;
    assert_eq!(site.send("POST", "/api/budget/withdrawals", all).status, 200);
    until("it says that nothing can be followed", || {
        let now = now();
        assert!(!now.contains("it follows"), "{now}");
        now.contains("less than 5 EUR are left").then_some(())
    });
}
