//! Ce qu'une personne dit d'un écart entre le compte et les livres : parti, ou à elle aussi ; et jamais autre chose que ce
//! qui est là.

use calvalot::sim::{Fault, On, Wire};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

use crate::follower::{Answer, Follower, decimal, until};
use crate::{Bench, ORDER, status};

/// Quelqu'un d'autre que nous en prend, ou en apporte.
fn take(bench: &Bench, asset: &str, amount: Decimal) {
    bench.exchange().set_balance(asset, bench.exchange().balance(asset).free - amount);
}

/// La ligne de cet actif, une fois que `seen` y est.
fn line(follower: &Follower, asset: &str, seen: impl Fn(&Value) -> bool) -> Value {
    until(&format!("the difference of {asset} is shown"), || {
        let exchange = follower.site().json("/api/exchange");
        let lines = exchange["reconciliation"].as_array()?;
        lines.iter().find(|line| line["asset"] == asset && seen(line)).cloned()
    })
}

fn settle(follower: &Follower, asset: &str, word: &str, quantity: Decimal) -> Answer {
    let path = format!("/api/exchange/differences/{asset}/{word}");
    follower.site().send("POST", &path, &format!(r#"{{"quantity": "{quantity}"}}"#))
}

/// La même demande, sous cette clé.
fn settle_under(follower: &Follower, key: &str, asset: &str, word: &str, quantity: Decimal) -> Answer {
    let body = format!(r#"{{"quantity": "{quantity}"}}"#);
    let request = format!(
        "POST /api/exchange/differences/{asset}/{word} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {key}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        follower.site().address(),
        body.len()
    );
    follower.site().raw(request.as_bytes()).expect("an answer")
}

fn error(answer: &Answer) -> String {
    answer.json()["error"].as_str().unwrap_or_else(|| panic!("no reason in {}", answer.body)).to_owned()
}

/// `kind, coin ou USDC, quantité` de chaque mouvement après l'ouverture.
fn moved(bench: &Bench) -> String {
    bench.told(
        "SELECT group_concat(kind || ' ' || coalesce(coin, 'USDC') || ' ' || coalesce(quantity, usdc), ', ')
         FROM (SELECT * FROM movements WHERE kind <> 'opening' ORDER BY id)",
    )
}

fn verify(bench: &Bench) {
    let report = calvalot::verify::verify(&bench.folder.db()).expect("it is read");
    assert_eq!(report.differences, 0, "{}", report.text);
}

/// La moitié du BTC est vendue à la main : dite, elle quitte les livres une fois, et le coin se négocie de nouveau.
#[test]
fn a_coin_sold_by_hand_is_never_short_for_ever() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.2))]);
    let half = (bench.exchange().balance("BTC").free / dec!(2)).round_dp(5);
    take(&bench, "BTC", half);
    let seen = line(&follower, "BTC", |line| decimal(&line["missing"]) > Decimal::ZERO);
    assert_eq!(decimal(&seen["missing"]), half);
    let id = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.6)), ("ETHUSDC", dec!(0.2))]);
    follower.site().wait_polls(3);
    assert_eq!(follower.site().signal(&id).unwrap()["status"], "received", "it waits");
    let before = follower.site().json("/api/budget");
    for wrong in [half - dec!(0.00001), half + dec!(0.00001)] {
        let answer = settle(&follower, "BTC", "write-off", wrong);
        assert_eq!(answer.status, 409, "{}", answer.body);
        assert!(error(&answer).contains(&format!("{} BTC is missing", half.normalize())), "{}", answer.body);
    }
    let answer = settle_under(&follower, "one", "BTC", "write-off", half);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(decimal(&answer.json()["quantity"]), -half);
    let again = settle_under(&follower, "one", "BTC", "write-off", half);
    assert_eq!((again.status, &again.body), (200, &answer.body), "it is not done again");
    let other = settle_under(&follower, "one", "BTC", "count", half);
    assert_eq!(other.status, 409, "{}", other.body);
    assert_eq!(status(&follower.site().closed_signal(&id)).0, "executed");
    assert_eq!(moved(&bench), format!("write_off BTCUSDC {}", -half.normalize()));
    // Ce n'est ni un gain, ni une perte.
    let after = follower.site().json("/api/budget");
    let gained = decimal(&after["pnl_eur"]) - decimal(&before["pnl_eur"]);
    assert!(gained.abs() < dec!(2), "{gained} EUR gained by it");
    let returned = decimal(&after["return_pct"]) - decimal(&before["return_pct"]);
    assert!(returned.abs() < dec!(0.2), "{returned} % returned by it");
    assert_eq!(
        bench.exchange().balance("BTC").free.to_string().parse::<Decimal>().unwrap(),
        bench.told("SELECT quantity FROM positions WHERE coin = 'BTCUSDC'").parse::<Decimal>().unwrap()
    );
    verify(&bench);
}

#[test]
fn what_is_at_the_account_is_counted_and_never_more_than_that() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4))]);
    // Ce qui est compté n'est pas mis au travail : le leader ne montre plus rien.
    bench.world.leader().no_signal();
    take(&bench, "BTC", dec!(-0.002));
    line(&follower, "BTC", |line| decimal(&line["beyond"]) == dec!(0.002));
    let usdc = decimal(&line(&follower, "USDC", |_| true)["beyond"]);
    for (asset, quantity) in [("BTC", dec!(0.00200001)), ("USDC", usdc + dec!(0.01))] {
        let answer = settle(&follower, asset, "count", quantity);
        assert_eq!(answer.status, 409, "{}", answer.body);
        assert!(error(&answer).contains("beyond the books"), "{}", answer.body);
    }
    let before = follower.site().json("/api/budget");
    assert_eq!(settle(&follower, "BTC", "count", dec!(0.002)).status, 200);
    let answer = settle(&follower, "USDC", "count", dec!(125));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let rate = dec!(1) / decimal(&before["eurusdc_rate"]);
    let eur = decimal(&answer.json()["amount_eur"]);
    assert!((eur - dec!(125) / rate).abs() < dec!(0.000001), "{eur} EUR at {rate}");
    // Ce qui vient d'être compté ne l'est pas deux fois.
    let answer = settle(&follower, "BTC", "count", dec!(0.002));
    assert!([409, 503].contains(&answer.status), "{}", answer.body);
    assert_eq!(moved(&bench), "count BTCUSDC 0.002, count USDC 125");
    let after = follower.site().json("/api/budget");
    assert_eq!(decimal(&after["pnl_eur"]).round_dp(4), decimal(&before["pnl_eur"]).round_dp(4));
    assert_eq!(decimal(&after["cash_usdt"]) - decimal(&before["cash_usdt"]), dec!(125));
    let marks = follower.site().json("/api/budget/marks");
    let kinds: Vec<&str> =
        marks["marks"].as_array().unwrap().iter().filter_map(|mark| mark["kind"].as_str()).collect();
    assert!(kinds.iter().filter(|kind| **kind == "count").count() == 2, "{kinds:?}");
    verify(&bench);
}

/// Un ordre en doute a pu changer l'actif : ce que l'on voit n'est pas sûr.
#[test]
fn nothing_is_written_off_nor_counted_while_an_order_in_doubt_may_explain_it() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4)), ("XRPUSDC", dec!(0.1))]);
    bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
    bench.world.fault(On::exchange(ORDER).method("GET"), Fault::unprocessed(Wire::Close));
    bench.world.leader().set_target(&[("XRPUSDC", dec!(0.1))]);
    bench.wait_states("BTCUSDC", "filled unknown");
    let seen = line(&follower, "BTC", |line| decimal(&line["difference"]) < Decimal::ZERO);
    let gone = -decimal(&seen["difference"]);
    assert_eq!(decimal(&seen["missing"]), Decimal::ZERO, "what that order may have sold is not missing");
    let usdc = decimal(&line(&follower, "USDC", |_| true)["beyond"]);
    for (asset, word, quantity) in
        [("BTC", "write-off", gone), ("USDC", "count", usdc), ("BNB", "count", dec!(1))]
    {
        let answer = settle(&follower, asset, word, quantity);
        assert_eq!(answer.status, 409, "{asset}: {}", answer.body);
        assert!(error(&answer).contains("an order in doubt"), "{}", answer.body);
    }
    take(&bench, "XRP", dec!(-10));
    line(&follower, "XRP", |line| decimal(&line["beyond"]) == dec!(10));
    assert_eq!(settle(&follower, "XRP", "count", dec!(10)).status, 200, "XRP has nothing to do with it");
    bench.world.clear_faults();
    bench.wait_states("BTCUSDC", "filled filled");
    assert_eq!(moved(&bench), "count XRPUSDC 10");
    verify(&bench);
}

/// 1000 USDC de plus que les livres : 800 EUR à 1,25, et pas un centime de plus.
#[test]
fn a_deposit_is_never_larger_than_what_the_account_holds_beyond_the_books() {
    let bench = Bench::new();
    bench.exchange().set_price("EURUSDC", dec!(1.25));
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4))]);
    let beyond = decimal(&line(&follower, "USDC", |_| true)["beyond"]);
    let most = (beyond / dec!(1.25)).round_dp_with_strategy(2, rust_decimal::RoundingStrategy::ToZero);
    let deposit = |eur: Decimal| {
        follower.site().send("POST", "/api/budget/deposit", &format!(r#"{{"amount_eur": {eur}}}"#))
    };
    let total = |eur: Decimal| {
        follower.site().send("PUT", "/api/budget/deposit", &format!(r#"{{"total_eur": {eur}}}"#))
    };
    let (over, one) = (most + dec!(0.01), dec!(0.01));
    for answer in [deposit(over), deposit(dec!(3800)), total(dec!(1000) + over)] {
        assert_eq!(answer.status, 409, "{}", answer.body);
        assert!(error(&answer).contains(&format!("{most:.2} EUR at most")), "{}", answer.body);
    }
    let answer = deposit(most);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(deposit(one).status, 409, "all of it is counted");
    let signal = bench.reach(&follower, &[("BTCUSDC", dec!(0.9))]);
    assert_eq!(status(&signal).0, "executed", "{signal}");
    bench.check_settled();
}

#[test]
fn a_simulation_has_no_account_to_differ_from() {
    let (world, folder) = (crate::follower::still_world(), crate::follower::Folder::new());
    world.leader().no_signal();
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(2);
    for (path, body) in [
        ("/api/exchange/differences/USDC/count", r#"{"quantity": "5"}"#),
        ("/api/exchange/differences/BTC/write-off", r#"{"quantity": "5"}"#),
        ("/api/exchange/takeover", r#"{"understood": true}"#),
    ] {
        let answer = follower.site().send("POST", path, body);
        assert_eq!(answer.status, 409, "{path}: {}", answer.body);
    }
}

/// 100 EUR voulus à 1,25, et un centime de moins au compte : ouvert dans ce qui est là, et suivi.
#[test]
fn a_cent_that_is_missing_at_the_opening_never_blocks_everything() {
    let bench = Bench::holding(&[("USDC", dec!(124.99))]);
    bench.exchange().set_price("EURUSDC", dec!(1.25));
    let target: &[(&str, Decimal)] = &[("BTCUSDC", dec!(0.5))];
    let id = bench.world.leader().set_target(target);
    let budget = calvalot::domain::money::Eur::new(dec!(100));
    let follower = Follower::start(calvalot::config::Config { initial_budget: budget, ..bench.config() });
    assert_eq!(status(&follower.site().closed_signal("initial_sync")), ("executed", 1));
    follower.site().closed_signal(&id);
    let told = follower.site().json("/api/budget");
    for field in ["initial_total_eur", "total_deposited_eur"] {
        assert_eq!(decimal(&told[field]), dec!(99.992), "{field}");
    }
    bench.check_settled();
}

/// Moins que le moindre capital : fermé, avec ce qu'il faut apporter ; ouvert dès que c'est là.
#[test]
fn an_account_with_next_to_nothing_never_opens_and_says_what_to_bring() {
    let bench = Bench::holding(&[("USDC", dec!(3.2))]);
    bench.exchange().set_price("EURUSDC", dec!(1.25));
    bench.world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let follower = bench.follow();
    let sentence = "the account holds 3.20 USDC free: bring at least 12.50 USDC (10 EUR)";
    until("it says what to bring", || bench.closed().contains(sentence).then_some(()));
    until("the poll says it too", || {
        let agent = follower.site().json("/api/agent/status");
        agent["last_poll"]["error"].as_str().unwrap_or_default().contains(sentence).then_some(())
    });
    let unopened = follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 50}"#);
    assert_eq!(unopened.status, 503, "{}", unopened.body);
    bench.exchange().set_balance("USDC", dec!(1250));
    assert_eq!(status(&follower.site().closed_signal("initial_sync")), ("executed", 1));
    assert_eq!(follower.site().json("/api/budget")["total_deposited_eur"], 1000.0);
    until("it is open", || bench.closed().is_empty().then_some(()));
}

/// Le cours seul ne suffit pas : tant que le compte n'a pas été lu, rien n'est compté.
#[test]
fn nothing_is_booked_before_the_account_is_read() {
    let bench = Bench::holding(&[("USDC", dec!(500))]);
    bench.world.fault(On::exchange(crate::ACCOUNT), Fault::unprocessed(Wire::Close));
    bench.world.leader().no_signal();
    let follower = bench.follow();
    follower.site().wait_polls(4);
    assert_eq!(bench.told("SELECT cash FROM account"), "");
    bench.world.clear_faults();
    until("it is opened", || (!bench.told("SELECT cash FROM account").is_empty()).then_some(()));
    assert_eq!(bench.told("SELECT cash FROM account"), "500");
}

/// Ce qui est parti du compte n'est pas une valeur qui ferait acheter davantage d'autre chose.
#[test]
fn a_coin_that_is_gone_is_never_counted_for_what_is_bought() {
    let bench = Bench::new();
    let follower = bench.settled(&[("ETHUSDC", dec!(0.5))]);
    let before = bench.exchange().balance("USDC").free;
    take(&bench, "ETH", bench.exchange().balance("ETH").free);
    line(&follower, "ETH", |line| decimal(&line["missing"]) > dec!(0));
    let id = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    until("BTC is bought", || (!bench.orders("BTCUSDC").is_empty()).then_some(()));
    follower.site().wait_polls(3);
    // 1000 EUR dont la moitié n'est plus là : la moitié du reste.
    let spent = before - bench.exchange().balance("USDC").free;
    assert!((spent - dec!(270)).abs() < dec!(10), "{spent} USDC");
    let gone = decimal(&line(&follower, "ETH", |_| true)["missing"]);
    assert_eq!(settle(&follower, "ETH", "write-off", gone).status, 200);
    follower.site().closed_signal(&id);
    follower.site().wait_polls(4);
    let spent = before - bench.exchange().balance("USDC").free;
    assert!((spent - dec!(270)).abs() < dec!(10), "{spent} USDC after it is written off");
    verify(&bench);
}
