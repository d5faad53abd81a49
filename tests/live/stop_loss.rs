//! La perte que l'on se fixe, sur un compte réel : atteinte pendant qu'un signal du leader attend, le programme tué en pleine
//! vente, l'argent retiré ; une vente, une pause, et des livres qui sont le compte.

use calvalot::config::Config;
use calvalot::domain::stop_loss::Limit;
use calvalot::sim::{Fault, On, Status, Wire};
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};

use crate::books::number;
use crate::follower::{Follower, Process, Site, decimal, until};
use crate::{Bench, ORDER};

const SALES: &str = "SELECT count(*) FROM signals WHERE wish = 'sell_all'";

fn limit() -> Option<Limit> {
    Limit::parse("20").expect("a limit")
}

fn status(site: Site) -> Option<Value> {
    Some(site.try_get("/api/agent/status").filter(|answer| answer.status == 200)?.json())
}

/// Un suiveur à cette allocation, dont le plus haut est su.
fn limited(bench: &Bench, target: crate::Target) -> Follower {
    bench.world.leader().set_target(target);
    let follower = Follower::start(Config { stop_loss: limit(), ..bench.config() });
    follower.site().closed_signal("initial_sync");
    knows_its_highest(follower.site());
    follower
}

fn knows_its_highest(site: Site) {
    until("it knows its highest", || status(site)?["stop_loss"]["below_highest_pct"].as_f64());
}

fn fall(bench: &Bench, pairs: &[&str], factor: Decimal) {
    for pair in pairs {
        let price = bench.exchange().price(pair);
        bench.exchange().set_price(pair, (price * factor).round_dp(2));
    }
}

/// Tout est vendu et en pause ; rien de plus que des restes.
fn is_sold(site: Site) -> Value {
    until("all is sold", || status(site).filter(|status| status["selling_all"]["done"] == true))
}

#[test]
fn a_fall_is_noticed_while_a_signal_waits_and_nothing_follows_the_leader_after_it() {
    let bench = Bench::new();
    let follower = limited(&bench, &[("BTCUSDC", dec!(0.6)), ("ETHUSDC", dec!(0.3))]);
    let site = follower.site();
    // Un ordre en doute tient le signal ouvert.
    bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
    bench.world.fault(On::exchange(ORDER).method("GET"), Fault::unprocessed(Wire::Reset));
    let waiting = bench.world.leader().set_target(&[
        ("BTCUSDC", dec!(0.6)),
        ("ETHUSDC", dec!(0.3)),
        ("SOLUSDC", dec!(0.1)),
    ]);
    bench.wait_states("SOLUSDC", "unknown");
    fall(&bench, &["BTCUSDC", "ETHUSDC"], dec!(0.7));
    until("it is reached", || (!status(site)?["stop_loss"]["reached"].is_null()).then_some(()));
    bench.world.clear_faults();
    let told = is_sold(site);
    assert_eq!((&told["paused"], &told["state"]), (&json!(true), &json!("ACTIVE")), "{told}");
    site.closed_signal(&waiting);
    let before = bench.exchange().accepted_orders().len();
    bench.world.leader().set_target(&[("SOLUSDC", dec!(0.9))]);
    site.wait_polls(5);
    assert_eq!(bench.exchange().accepted_orders().len(), before, "it follows on");
    assert_eq!(number(&bench.books(), SALES), 1);
    bench.check_settled();
}

/// Tué entre deux ventes : le reste se vend, une fois.
#[test]
fn killed_while_it_sells_everything_is_sold_once() {
    let bench = Bench::new();
    bench.world.leader().set_target(&[("BTCUSDC", dec!(0.5)), ("ETHUSDC", dec!(0.4))]);
    let run = || {
        let key = crate::follower::key();
        let more = [("TRADING_MODE", "live".to_owned()), ("STOP_LOSS_PCT", "20".to_owned())];
        Process::with(&bench.world, &bench.folder, more.into_iter().chain(key).collect())
    };
    let process = run();
    until("it is there", || process.site().try_get("/health"));
    process.site().closed_signal("initial_sync");
    // Sans rien à suivre, la chute n'est pas une dérive à corriger.
    bench.world.leader().no_signal();
    knows_its_highest(process.site());
    // La première vente part et sa réponse se perd ; la seconde est arrêtée.
    bench.exchange().set_status("ETHUSDC", Status::Halt);
    bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
    fall(&bench, &["BTCUSDC", "ETHUSDC"], dec!(0.6));
    until("it sells", || (bench.orders("BTCUSDC").len() > 1).then_some(()));
    process.kill();
    let process = run();
    until("it is there", || process.site().try_get("/health"));
    until("it waits for the halted pair", || {
        status(process.site()).filter(|status| !status["selling_all"]["waiting_for"].is_null())
    });
    bench.exchange().set_status("ETHUSDC", Status::Trading);
    is_sold(process.site());
    for asset in ["BTC", "ETH"] {
        assert!(bench.exchange().balance(asset).free < dec!(0.0002), "{asset}");
    }
    assert_eq!((bench.orders("BTCUSDC").len(), bench.orders("ETHUSDC").len()), (2, 2), "sold twice");
    assert_eq!(number(&bench.books(), SALES), 1);
    bench.check_settled();
}

/// Ce qu'une personne reprend n'est pas une perte ; ce qui reste est gardé.
#[test]
fn what_a_person_takes_out_is_no_loss_and_what_is_left_is_still_watched() {
    let mut bench = Bench::new();
    let follower = limited(&bench, &[("BTCUSDC", dec!(0.9))]);
    let site = follower.site();
    let answer = site.send("POST", "/api/budget/withdrawals", r#"{"amount_eur": 600}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let newest = || site.json("/api/budget/withdrawals")["withdrawals"][0].clone();
    let open = until("it is set aside", || Some(newest()).filter(|one| one["status"] == "set_aside"));
    let aside = decimal(&open["set_aside_usdc"]);
    let held = bench.exchange().balance("USDC").free;
    bench.exchange().set_balance("USDC", held - aside);
    bench.start.entry("USDC".to_owned()).or_default().free -= aside;
    until("it is taken", || (newest()["status"] == "completed").then_some(()));
    site.wait_polls(12);
    let told = status(site).expect("an answer");
    assert_eq!((&told["running"], &told["stop_loss"]["low_readings"]), (&json!(true), &json!(0)), "{told}");
    fall(&bench, &["BTCUSDC"], dec!(0.6));
    is_sold(site);
    bench.check_settled();
}

/// Qui a vendu dehors n'a pas perdu ce que le coin perd ensuite.
#[test]
fn what_left_the_account_by_another_hand_is_not_judged() {
    let bench = Bench::new();
    let follower = limited(&bench, &[("BTCUSDC", dec!(0.9))]);
    let site = follower.site();
    bench.exchange().set_balance("BTC", Decimal::ZERO);
    let missing = |line: &Value| line["asset"] == "BTC" && !line["missing"].is_null();
    until("it is seen gone", || {
        site.json("/api/exchange")["reconciliation"].as_array()?.iter().any(missing).then_some(())
    });
    fall(&bench, &["BTCUSDC"], dec!(0.5));
    site.wait_polls(15);
    let told = status(site).expect("an answer");
    assert_eq!((&told["running"], &told["stop_loss"]["low_readings"]), (&json!(true), &json!(0)), "{told}");
}
