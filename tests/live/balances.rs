//! Le rapprochement : quelqu'un d'autre touche au compte. C'est montré, cela retient des achats, jamais réparé.

use rust_decimal::{Decimal, dec};
use serde_json::Value;

use crate::follower::until;
use crate::{Bench, status};

/// Prend cela du compte, comme un retrait fait à la main.
fn take(bench: &Bench, asset: &str, amount: Decimal) {
    bench.exchange().set_balance(asset, bench.exchange().balance(asset).free - amount);
}

/// Attend que le grand livre sache qu'il manque à cet actif.
fn wait_difference(bench: &Bench, asset: &str) {
    let sql = format!("SELECT held || ' ' || booked FROM balances WHERE asset = '{asset}'");
    until("the difference is kept", || {
        let told = bench.told(&sql);
        let (held, booked) = told.split_once(' ')?;
        let [held, booked] = [held, booked].map(|text| text.parse::<Decimal>().expect("a decimal"));
        (held < booked && held == bench.exchange().balance(asset).free).then_some(())
    });
}

#[test]
fn a_coin_taken_from_the_account_is_not_bought_until_it_is_back() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.2))]);
    let half = (bench.exchange().balance("BTC").free / dec!(2)).round_dp(8);
    take(&bench, "BTC", half);
    wait_difference(&bench, "BTC");
    let id = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.6)), ("SOLUSDC", dec!(0.2))]);
    until("the others go on", || {
        (bench.orders("SOLUSDC").len() == 1 && bench.orders("ETHUSDC").len() == 2).then_some(())
    });
    follower.site().wait_polls(3);
    let signal = follower.site().signal(&id).unwrap();
    assert_eq!(signal["status"], "received", "{signal}");
    let agent = follower.site().json("/api/agent/status");
    assert!(
        agent["last_poll"]["error"].as_str().unwrap().contains("BTC"),
        "it says what is missing: {agent}"
    );
    assert_eq!(bench.orders("BTCUSDC").len(), 1);
    take(&bench, "BTC", -half);
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 3));
    bench.check_settled();
}

/// Ce qui manque n'est pas compté pour acheter autre chose ; revenu, il l'est, sans que le leader ait à reparler.
#[test]
fn an_allocation_is_never_called_reached_while_the_account_holds_less_than_the_books() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4))]);
    let site = follower.site();
    let taken = (bench.exchange().balance("BTC").free / dec!(5)).round_dp(5);
    take(&bench, "BTC", taken);
    wait_difference(&bench, "BTC");
    let id = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.3))]);
    let bought = || bench.exchange().balance("ETH").free;
    site.closed_signal(&id);
    let target = || site.json("/api/agent/status")["target"].clone();
    until("it says what it waits for", || target()["waiting_for"].as_str()?.contains("BTC").then_some(()));
    let short = bought();
    site.wait_polls(3);
    assert_eq!((target()["reached_at"].clone(), bought()), (Value::Null, short));
    take(&bench, "BTC", -taken);
    until("it is reached", || target()["reached_at"].is_string().then_some(()));
    // Le cinquième de 0,4, dont trois dixièmes vont à ce coin.
    let more = bought() - short;
    assert!((more / bought() - dec!(0.08)).abs() < dec!(0.01), "{more} more of {}", bought());
    bench.check_settled();
}

#[test]
fn of_a_coin_taken_from_the_account_what_is_there_is_sold_and_the_rest_when_it_is_back() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4))]);
    let taken = (bench.exchange().balance("BTC").free / dec!(2)).round_dp(8);
    take(&bench, "BTC", taken);
    wait_difference(&bench, "BTC");
    let id = bench.world.leader().set_target(&[]);
    until("all that was there is sold", || {
        (bench.exchange().balance("BTC").free < dec!(0.00001)).then_some(())
    });
    follower.site().wait_polls(3);
    assert_eq!(follower.site().signal(&id).unwrap()["status"], "received", "the rest is still to sell");
    crate::books::check_consistent(&bench.books());
    take(&bench, "BTC", -taken);
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 2));
    bench.check();
}

#[test]
fn usdc_taken_from_the_account_stops_every_purchase_and_no_sale() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.6))]);
    let taken = bench.exchange().balance("USDC").free - dec!(100);
    take(&bench, "USDC", taken);
    wait_difference(&bench, "USDC");
    let id = bench.world.leader().set_target(&[
        ("BTCUSDC", dec!(0.4)),
        ("ETHUSDC", dec!(0.2)),
        ("SOLUSDC", dec!(0.1)),
    ]);
    until("the sale goes on", || (bench.orders("BTCUSDC").len() == 2).then_some(()));
    follower.site().wait_polls(3);
    assert_eq!(bench.exchange().accepted_orders().len(), 2, "nothing is bought");
    let agent = follower.site().json("/api/agent/status");
    assert!(agent["last_poll"]["error"].as_str().unwrap().contains("USDC"), "{agent}");
    take(&bench, "USDC", -taken);
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 3));
    bench.check_settled();
}

/// Un compte qui n'a que le capital : un achat en doute y prend du cash sans que les livres le sachent. Ce n'est
/// pas un manque, et les autres achats vont leur chemin.
/// Qui obéirait à une vieille ligne enverrait l'argent deux fois.
#[test]
fn money_that_is_back_is_never_asked_for_again() {
    let bench = Bench::new();
    drop(bench.settled(&[("BTCUSDC", dec!(0.4))]));
    take(&bench, "USDC", dec!(1500));
    let follower = bench.follow();
    let balance = || {
        let checks = follower.site().json("/api/exchange")["checks"].clone();
        checks.as_array()?.iter().find(|check| check["test"] == "balance").cloned()
    };
    let verdict = |wanted: &str| {
        until(wanted, || balance().filter(|check| check["verdict"] == wanted));
    };
    verdict("fault");
    follower.site().wait_polls(2);
    take(&bench, "USDC", dec!(-1500));
    verdict("fine");
}

#[test]
fn what_an_order_in_doubt_has_spent_is_not_missing() {
    use calvalot::sim::{Fault, On, Wire};

    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.1))]);
    let spare = bench.exchange().balance("USDC").free
        - bench.told("SELECT cash FROM account").parse::<Decimal>().expect("a decimal");
    take(&bench, "USDC", spare - dec!(1));
    bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
    bench.world.fault(On::exchange(crate::ORDER).method("GET"), Fault::unprocessed(Wire::Close));
    bench.world.leader().set_target(&[("BTCUSDC", dec!(0.1)), ("ETHUSDC", dec!(0.3))]);
    wait_difference(&bench, "USDC");
    let id = bench.world.leader().set_target(&[
        ("BTCUSDC", dec!(0.1)),
        ("ETHUSDC", dec!(0.3)),
        ("SOLUSDC", dec!(0.3)),
    ]);
    until("the other coin is bought", || (bench.orders("SOLUSDC").len() == 1).then_some(()));
    bench.world.clear_faults();
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 1));
    take(&bench, "USDC", dec!(1) - spare);
    bench.check_settled();
}
