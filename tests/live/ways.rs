//! Les issues, toutes au même endroit (`GET /api/ways`) : ce qui attend une personne y a la sienne, et la suivre à la lettre
//! suffit. `calvalot decide` ne fait rien d'autre.

use calvalot::sim::{Fault, On, OrderSide, Reply};
use rust_decimal::dec;
use serde_json::{Value, json};

use crate::follower::{Answer, Follower, Site, until};
use crate::{Bench, copies};

const ALL_ORDERS: &str = "/api/v3/allOrders";

fn ways(site: Site) -> Vec<Value> {
    site.json("/api/ways").as_array().expect("a list").clone()
}

fn names(site: Site) -> Vec<String> {
    ways(site).iter().map(|way| way["name"].as_str().expect("a name").to_owned()).collect()
}

/// L'issue de ce nom, une fois qu'elle y est.
fn way(site: Site, name: &str) -> Value {
    until(&format!("{name} can be decided"), || ways(site).into_iter().find(|way| way["name"] == name))
}

/// La suit, avec ces champs de plus.
fn decide(site: Site, name: &str, fields: &[(&str, &str)]) -> Answer {
    let way = way(site, name);
    assert!(way["consequence"].as_str().is_some_and(|text| text.len() > 20), "{way}");
    let mut body = way["body"].clone();
    for (field, text) in fields {
        let known =
            ["needs", "takes"].iter().any(|list| way[list].as_array().unwrap().contains(&json!(field)));
        assert!(known, "{field} is not asked for: {way}");
        body[field] = if field.ends_with("_eur") { json!(text.parse::<f64>().unwrap()) } else { json!(text) };
    }
    site.send(
        way["method"].as_str().expect("a method"),
        way["path"].as_str().expect("a path"),
        &body.to_string(),
    )
}

/// La suit, et elle est faite : ce n'est plus à décider.
fn decided(site: Site, name: &str, fields: &[(&str, &str)]) {
    let answer = decide(site, name, fields);
    assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    until(&format!("{name} is no more to decide"), || {
        (!names(site).iter().any(|one| one == name)).then_some(())
    });
}

#[test]
fn nothing_waits_for_anybody_and_the_pause_and_a_sale_of_everything_are_all_there_is() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4))]);
    let site = follower.site();
    // Le compte a de l'argent d'un autre usage : on peut le compter, rien n'y oblige.
    assert_eq!(
        names(site),
        ["count-USDC", "pause", "withdraw", "withdraw-all", "correct", "sell-all", "stop-loss"]
    );
    decided(site, "pause", &[]);
    assert_eq!(site.json("/api/agent/status")["paused"], true);
    // Ce qui empêche de suivre vient avant ce que rien n'oblige à compter.
    assert_eq!(names(site)[..2], ["resume", "count-USDC"]);
    decided(site, "resume", &[]);
    assert_eq!(site.json("/api/agent/status")["paused"], false);
    assert_eq!(decide(site, "stop-loss", &[("pct", "much")]).status, 400);
    assert_eq!(decide(site, "stop-loss", &[("pct", "25")]).status, 200);
    assert_eq!(site.json("/api/agent/status")["stop_loss"]["pct"], 25.0);
    decided(site, "stop-loss-off", &[]);
    assert!(site.json("/api/agent/status")["stop_loss"]["pct"].is_null());
    decided(site, "sell-all", &[]);
    let selling = way(site, "resume");
    assert!(
        selling["about"].as_str().is_some_and(|text| text.contains("sold") || text.contains("paused")),
        "{selling}"
    );
}

#[test]
fn what_differs_is_written_off_or_counted_to_the_last_digit_by_what_is_offered() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4))]);
    let site = follower.site();
    let held = bench.exchange().balance("BTC").free;
    bench.exchange().set_balance("BTC", held / dec!(2));
    decided(site, "write-off-BTC", &[]);
    bench.exchange().set_balance("XRP", dec!(12.345678));
    assert_eq!(decide(site, "count-XRP", &[("quantity", "2.345678")]).status, 200);
    until("the rest can be counted", || {
        let about = way(site, "count-XRP")["about"].as_str()?.to_owned();
        about.contains(" 10 XRP more").then_some(())
    });
    decided(site, "count-XRP", &[]);
    let report = calvalot::verify::verify(&bench.folder.db()).expect("it is read");
    assert_eq!(report.differences, 0, "{}", report.text);
    let line = site.json("/api/exchange")["reconciliation"].as_array().unwrap().clone();
    let xrp = line.iter().find(|line| line["asset"] == "XRP").unwrap();
    assert_eq!(xrp["difference"], 0.0, "{xrp}");
}

#[test]
fn a_withdrawal_is_taken_in_part_or_called_off_by_what_is_offered() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4))]);
    let site = follower.site();
    decided(site, "withdraw", &[("amount_eur", "20.5")]);
    decided(site, "taken-1", &[("usdc", "10")]);
    assert_eq!(site.json("/api/budget/withdrawals")["withdrawals"][0]["status"], "completed");
    assert_eq!(site.send("POST", "/api/budget/withdrawals", r#"{"amount_eur": 20}"#).status, 200);
    way(site, "taken-2");
    // Son propre ordre en retient : ce n'est pas encore à sortir.
    let free = bench.exchange().balance("USDC").free;
    let resting = ((free - dec!(5)) / dec!(20000)).round_dp(4);
    bench.exchange().rest_order("BTCUSDC", OrderSide::Buy, dec!(20000), resting, "mine").expect("it rests");
    until("it says what holds them", || {
        let about = way(site, "taken-2")["about"].as_str()?.to_owned();
        about.contains("an open order of yours holds").then_some(())
    });
    decided(site, "cancel-2", &[]);
    assert_eq!(decide(site, "correct", &[("total_eur", "900")]).status, 200);
    assert_eq!(site.json("/api/budget")["total_deposited_eur"], 900.0);
    assert_eq!(decide(site, "withdraw", &[("amount_eur", "0.001")]).status, 400);
    decided(site, "withdraw-all", &[]);
    assert!(!names(site).iter().any(|name| name.ends_with("-2")), "{:?}", names(site));
}

#[test]
fn a_ledger_that_is_not_alone_is_led_back_to_following_by_what_is_offered() {
    let bench = Bench::new();
    let (follower, _): (Follower, String) = copies::set_back(&bench, copies::SECOND);
    let site = follower.site();
    way(site, "adopt");
    let before = names(site);
    assert!(before.contains(&"disown".to_owned()), "{before:?}");
    // Ce que ces ordres expliquent ne se compte pas d'abord.
    assert!(
        !before.iter().any(|name| name.starts_with("count") || name.starts_with("write-off")),
        "{before:?}"
    );
    decided(site, "adopt", &[]);
    decided(site, "resume", &[]);
    until("trading is open", || (site.json("/api/exchange")["trading_open"] == true).then_some(()));
}

/// Une paire n'est pas lue : ses ordres expliquent peut-être ce qui diffère, et le régler serait refusé à chaque tour.
#[test]
fn what_differs_is_never_offered_to_settle_while_the_account_cannot_be_compared_with_the_books() {
    let bench = Bench::new();
    let (follower, _): (Follower, String) = copies::set_back_while(&bench, copies::SECOND, || {
        let away = Fault::answer(Reply::code(503, -1000, "away"));
        bench.world.fault(On::exchange(ALL_ORDERS).about("SOLUSDC"), away);
    });
    let site = follower.site();
    let adopted = decide(site, "adopt", &[]);
    assert_eq!(adopted.status, 200, "{}", adopted.body);
    let outcome = adopted.json()["outcome"].as_str().unwrap_or_default().to_owned();
    assert!(outcome.contains("the orders of SOLUSDC could not be read yet"), "{outcome}");
    assert!(!outcome.contains("BTCUSDC"), "{outcome}");
    site.wait_polls(3);
    let exchange = site.json("/api/exchange");
    let differs = |line: &Value| line["asset"] == "SOL" && line["beyond"] != 0.0;
    assert!(exchange["reconciliation"].as_array().unwrap().iter().any(differs), "{exchange}");
    assert!(exchange["uncompared"].as_str().unwrap().contains("SOLUSDC could not be read"), "{exchange}");
    let offered = names(site);
    let settles = |name: &String| name.starts_with("count") || name.starts_with("write-off");
    assert!(!offered.iter().any(settles), "{offered:?}");
    bench.world.clear_faults();
    // Une autre main a changé le compte : ses ordres se relisent sans attendre.
    bench.exchange().set_balance("XRP", dec!(1));
    // Ceux de cette paire sont d'ici aussi.
    decided(site, "adopt", &[]);
    until("it is compared", || site.json("/api/exchange")["uncompared"].is_null().then_some(()));
    way(site, "count-USDC");
}

/// Ce qui ne se peut pas maintenant est dit avant, et n'est pas promis.
#[test]
fn what_cannot_be_traded_now_is_not_promised() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4))]);
    let site = follower.site();
    bench.exchange().edit_account(|account| account.can_trade = false);
    until("pause does not say that it follows", || {
        let told = way(site, "pause")["about"].as_str()?.to_owned();
        told.contains("nothing is traded now: ").then_some(())
    });
    decided(site, "pause", &[]);
    for name in ["resume", "withdraw", "withdraw-all", "sell-all"] {
        until(&format!("{name} says that it waits"), || {
            let told = way(site, name)["consequence"].as_str()?.to_owned();
            told.contains("nothing can be bought or sold now: ").then_some(())
        });
    }
    assert_eq!(decide(site, "withdraw", &[("amount_eur", "20")]).status, 200);
    let open = site.json("/api/budget/withdrawals")["withdrawals"][0].clone();
    assert_eq!(open["status"], "selling");
    assert!(open["waiting_for"].as_str().is_some_and(|reason| reason.contains("trade")), "{open}");
    let about = way(site, "cancel-1")["about"].to_string();
    assert!(about.contains("it waits: "), "{about}");
}
