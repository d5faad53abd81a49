//! L'argent qu'une personne apporte, reprend ou compte, face à un compte réel : jamais plus que ce qui est là, jamais ce
//! qu'un ordre en doute a peut-être déjà pris.

use calvalot::sim::{Fault, On, Wire};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

use crate::follower::{Answer, Follower, decimal};
use crate::{Bench, ORDER, status};

/// Corrige le total déposé.
fn correct(follower: &Follower, total: Decimal) -> Answer {
    follower.site().send("PUT", "/api/budget/deposit", &format!(r#"{{"total_eur": {total}}}"#))
}

fn error(answer: &Answer) -> String {
    let told: Value = answer.json();
    told["error"].as_str().unwrap_or_else(|| panic!("no reason in {told}")).to_owned()
}

fn cash(follower: &Follower) -> Decimal {
    decimal(&follower.site().json("/api/budget")["cash_usdt"])
}

/// Un achat de 70 % est exécuté, sa réponse perdue : reprendre son cash le rendrait négatif une fois l'achat trouvé.
#[test]
fn a_correction_never_takes_cash_that_an_order_in_doubt_may_have_spent() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.1))]);
    bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
    bench.world.fault(On::exchange(ORDER).method("GET"), Fault::unprocessed(Wire::Close));
    let id = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.1)), ("ETHUSDC", dec!(0.7))]);
    bench.wait_states("ETHUSDC", "unknown");
    let before = cash(&follower);
    let answer = correct(&follower, dec!(300));
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(error(&answer).contains("an order in doubt"), "{}", answer.body);
    assert_eq!(cash(&follower), before);
    // Ce que l'achat ne peut pas avoir pris reste à la personne.
    let answer = correct(&follower, dec!(900));
    assert_eq!(answer.status, 200, "{}", answer.body);
    bench.world.clear_faults();
    assert_eq!(status(&follower.site().closed_signal(&id)).0, "executed");
    assert!(cash(&follower) >= Decimal::ZERO);
    bench.check();
}

/// Ce que le grand livre tient de ce coin.
fn booked(bench: &Bench, pair: &str) -> Decimal {
    bench.told(&format!("SELECT quantity FROM positions WHERE coin = '{pair}'")).parse().expect("a decimal")
}

/// Quelqu'un d'autre que nous en prend.
fn take(bench: &Bench, asset: &str, amount: Decimal) {
    bench.exchange().set_balance(asset, bench.exchange().balance(asset).free - amount);
}

/// Moins d'un pas de XRP, converti sur la bourse par la personne : le coin se négocie comme avant.
#[test]
fn dust_that_is_gone_never_blocks_a_coin() {
    let bench = Bench::new();
    let follower = bench.settled(&[("XRPUSDC", dec!(0.2)), ("BTCUSDC", dec!(0.2))]);
    let before = booked(&bench, "XRPUSDC");
    take(&bench, "XRP", dec!(0.0998));
    take(&bench, "USDC", bench.exchange().balance("USDC").free - cash(&follower) + dec!(0.3));
    let signal = bench.reach(&follower, &[("XRPUSDC", dec!(0.5)), ("BTCUSDC", dec!(0.2))]);
    assert_eq!(status(&signal).0, "executed", "{signal}");
    assert_eq!(bench.orders("XRPUSDC").len(), 2);
    let dust =
        "SELECT group_concat(coalesce(coin, 'USDC') || ' ' || coalesce(quantity, usdc) || ' ' || eur, ', ')
                FROM (SELECT * FROM movements WHERE kind = 'dust' ORDER BY coin)";
    assert_eq!(bench.told(dust), "USDC -0.3 0, XRPUSDC -0.0998 0");
    assert!(booked(&bench, "XRPUSDC") > before);
    assert_eq!(bench.exchange().balance("XRP").free, booked(&bench, "XRPUSDC"));
    let budget = follower.site().json("/api/budget");
    assert_eq!(budget["total_deposited_eur"], 1000.0);
    let report = calvalot::verify::verify(&bench.folder.db()).unwrap();
    assert_eq!(report.differences, 0, "{}", report.text);
}

/// Goutte à goutte, ce n'est plus de la poussière : au-delà d'un USDC par jour, une personne le voit.
#[test]
fn what_drips_away_is_shown_and_never_eaten_without_end() {
    let bench = Bench::new();
    let follower = bench.settled(&[("XRPUSDC", dec!(0.2))]);
    let price = bench.exchange().price("XRPUSDC");
    let drop = (dec!(0.6) / price).round_dp(4);
    take(&bench, "XRP", drop);
    let swept = "SELECT count(*) FROM movements WHERE kind = 'dust'";
    crate::follower::until("the first is swept", || {
        (bench.told(&format!("SELECT '' || ({swept})")) == "1").then_some(())
    });
    take(&bench, "XRP", drop);
    follower.site().wait_polls(6);
    assert_eq!(bench.told(&format!("SELECT '' || ({swept})")), "1", "a second one the same day");
    let exchange = follower.site().json("/api/exchange");
    let lines = exchange["reconciliation"].as_array().expect("a list");
    let xrp = lines.iter().find(|line| line["asset"] == "XRP").expect("it is there");
    assert_eq!(decimal(&xrp["missing"]), drop, "{xrp}");
}

/// Un ordre de la personne immobilise 20 USDC : le moteur, la page et la mesure disent le même manque, et que rien n'est
/// parti.
#[test]
fn what_an_order_of_the_person_locks_is_never_told_as_gone_nor_as_nothing() {
    use calvalot::sim::OrderSide;

    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4))]);
    take(&bench, "USDC", bench.exchange().balance("USDC").free - cash(&follower));
    let price = bench.exchange().price("BTCUSDC").round_dp(0) / dec!(2);
    let quantity = (dec!(20) / price).round_dp(5);
    bench.exchange().rest_order("BTCUSDC", OrderSide::Buy, price, quantity, "theirs").expect("it rests");
    let locked = bench.exchange().balance("USDC").locked;
    bench.world.leader().set_target(&[("BTCUSDC", dec!(0.6))]);
    let sentence =
        format!("{locked:.2} USDC less free than the books, {locked:.2} of it locked in an order of yours");
    crate::follower::until("the engine says so", || {
        let agent = follower.site().json("/api/agent/status");
        agent["last_poll"]["error"].as_str().unwrap_or_default().contains(&sentence).then_some(())
    });
    let exchange = follower.site().json("/api/exchange");
    let usdc = &exchange["reconciliation"][0];
    let figures = ["missing", "missing_locked", "locked"].map(|name| decimal(&usdc[name]));
    assert_eq!(figures, [locked; 3], "{usdc}");
    assert_eq!(decimal(&usdc["difference"]), dec!(0), "{usdc}");
    let page = follower.site().get("/metrics").body;
    let missing = crate::follower::samples(&page, "calvalot_reconciliation_missing");
    let told = missing.iter().find(|(labels, _)| labels.contains("USDC")).map(|(_, value)| value.to_string());
    assert_eq!(told.as_deref(), Some(locked.normalize().to_string().as_str()));
}
