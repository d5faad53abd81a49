//! Un coin que la bourse ne montre plus : il ne ferme rien aux autres, et ce qui ne revient jamais a une issue.

use calvalot::sim::{Fault, On, Reply, Wire};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

use crate::follower::{Follower, Site, decimal, until};
use crate::{Bench, status};

const TICKER: &str = "/api/v3/ticker/bookTicker";

/// Le carnet de cette paire n'est plus montré.
fn hide(bench: &Bench, pair: &str) {
    let (from, to) = (pair.to_owned(), pair.replace("USDC", "XXXX"));
    bench.world.fault(On::exchange(TICKER), Fault::processed(Wire::Rewrite { from, to }));
}

/// La bourse ne connaît plus cette paire, et refuse toute liste où elle est.
fn delist(bench: &Bench, pair: &str) {
    for path in [TICKER, "/api/v3/exchangeInfo"] {
        let refusal = Fault::answer(Reply::code(400, -1121, "Invalid symbol."));
        bench.world.fault(On::exchange(path).about(pair), refusal);
    }
}

const MANNERS: [fn(&Bench, &str); 2] = [hide, delist];

/// La ligne de cet essai.
fn check_of(site: Site, test: &str) -> Value {
    let exchange = site.json("/api/exchange");
    let checks = exchange["checks"].as_array().expect("a list");
    checks.iter().find(|check| check["test"] == test).cloned().unwrap_or_default()
}

/// Celle de la bourse.
fn checked(site: Site) -> Value {
    check_of(site, "exchange")
}

fn sell_all(site: Site) -> Value {
    site.json("/api/agent/status")["selling_all"].clone()
}

fn way(site: Site, name: &str) -> Value {
    until(&format!("{name} can be decided"), || {
        let ways = site.json("/api/ways");
        ways.as_array()?.iter().find(|way| way["name"] == name).cloned()
    })
}

fn verify(bench: &Bench) {
    let report = calvalot::verify::verify(&bench.folder.db()).expect("it is read");
    assert_eq!(report.differences, 0, "{}", report.text);
}

/// Le même suiveur, arrêté le temps de changer sa base.
fn restarted(bench: &Bench, follower: Follower, sql: &str) -> Follower {
    follower.stop();
    bench.books().execute_batch(sql).expect("it is writable");
    bench.follow()
}

#[test]
fn a_coin_without_a_price_that_is_neither_held_nor_aimed_at_never_closes_trading() {
    for gone in MANNERS {
        let bench = Bench::new();
        gone(&bench, "XRPUSDC");
        let follower = bench.settled(&[("BTCUSDC", dec!(0.5))]);
        let signal = bench.reach(&follower, &[("BTCUSDC", dec!(0.1))]);
        assert_eq!(status(&signal), ("executed", 1));
        until("the screens know that it is open", || bench.closed().is_empty().then_some(()));
        let pairs = check_of(follower.site(), "account pairs");
        assert!(pairs["found"].as_str().is_some_and(|found| !found.contains("-1121")), "{pairs}");
        let line = checked(follower.site());
        assert_eq!((&line["verdict"], &line["stops_trading"]), (&"fine".into(), &false.into()), "{line}");
        assert!(line["found"].as_str().is_some_and(|found| found.contains("price XRPUSDC")), "{line}");
        bench.check_settled();
    }
}

#[test]
fn an_exchange_that_shows_no_pair_at_all_never_leaves_trading_open() {
    let bench = Bench::new();
    hide(&bench, "USDC");
    let follower = bench.follow();
    until("it is closed for that", || bench.closed().contains("unknown price").then_some(()));
    assert_eq!(checked(follower.site())["stops_trading"], true);
}

/// Tout vendre vend les autres, attend un jour celui qui n'a plus de prix, et finit ; déplacé, il quitte les livres au dernier prix su.
#[test]
fn a_held_coin_that_is_delisted_never_keeps_the_others_nor_stays_in_the_books_for_ever() {
    for gone in MANNERS {
        let bench = Bench::new();
        let follower = bench.settled(&[("BTCUSDC", dec!(0.4)), ("XRPUSDC", dec!(0.2))]);
        follower.stop();
        gone(&bench, "XRPUSDC");
        let follower = bench.follow();
        let answer = follower.site().send("POST", "/api/agent/sell-all", r#"{"understood": true}"#);
        assert_eq!(answer.status, 200, "{}", answer.body);
        until("BTC is sold", || (bench.orders("BTCUSDC").len() == 2).then_some(()));
        until("the screens know that it is open", || bench.closed().is_empty().then_some(()));
        assert_eq!(sell_all(follower.site())["done"], false);
        // Un jour d'essais n'y a rien fait.
        let tried = "UPDATE signals SET tried_for = 90000000 WHERE wish = 'sell_all'";
        let follower = restarted(&bench, follower, tried);
        let site = follower.site();
        let done = until("it ends", || Some(sell_all(site)).filter(|sale| sale["done"] == true));
        let left = done["left"].as_array().expect("a list");
        let xrp = left.iter().find(|left| left["coin"] == "XRPUSDC").expect("it is left");
        assert_eq!(xrp["code"], "unknown", "{done}");
        let answer = site.send("POST", "/api/budget/withdrawals", r#"{"amount_eur": 50}"#);
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(
            answer.body.contains("wait for XRP:") && !answer.body.contains("few minutes"),
            "{}",
            answer.body
        );
        // La personne l'a converti là-bas.
        let held = bench.exchange().balance("XRP").free;
        bench.exchange().set_balance("XRP", Decimal::ZERO);
        let told = way(site, "write-off-XRP")["consequence"].as_str().unwrap_or_default().to_owned();
        assert!(told.contains("the last one known") && told.contains(" old, as money taken out"), "{told}");
        let body = format!(r#"{{"quantity": "{}"}}"#, held.normalize());
        let answer = site.send("POST", "/api/exchange/differences/XRP/write-off", &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let worth = decimal(&answer.json()["amount_usdt"]);
        let price = bench.exchange().price("XRPUSDC");
        assert!((worth + held * price).abs() < dec!(1), "{worth} for {held} at {price}");
        until("the total is known", || site.json("/api/budget")["total_value_eur"].is_number().then_some(()));
        until("a withdrawal is", || {
            let answer = site.send("POST", "/api/budget/withdrawals", r#"{"amount_eur": 50}"#);
            (answer.status == 200).then_some(())
        });
        verify(&bench);
    }
}

#[test]
fn what_never_had_a_price_is_never_booked_at_one_nor_kept_for_the_lack_of_it() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4))]);
    bench.world.leader().no_signal();
    bench.exchange().set_balance("XRP", dec!(50));
    way(follower.site(), "count-XRP");
    let count = "/api/exchange/differences/XRP/count";
    assert_eq!(follower.site().send("POST", count, r#"{"quantity": "50"}"#).status, 200);
    hide(&bench, "XRPUSDC");
    let follower = restarted(&bench, follower, "DELETE FROM readings");
    let site = follower.site();
    bench.exchange().set_balance("XRP", Decimal::ZERO);
    let before = decimal(&site.json("/api/budget")["total_deposited_eur"]);
    until("it is told to be worth nothing", || {
        let told = way(site, "write-off-XRP");
        told["consequence"].as_str()?.contains("lose it at 0 USDC").then_some(())
    });
    let answer = site.send("POST", "/api/exchange/differences/XRP/write-off", r#"{"quantity": "50"}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(decimal(&answer.json()["amount_eur"]), Decimal::ZERO);
    until("the total is known", || site.json("/api/budget")["total_value_eur"].is_number().then_some(()));
    assert_eq!(decimal(&site.json("/api/budget")["total_deposited_eur"]), before);
    verify(&bench);
}
