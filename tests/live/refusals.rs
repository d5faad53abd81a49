//! Les refus, un par réaction : abandonner, relire, réduire, attendre, mesurer l'heure à nouveau.
//!
//! Ceux qui ferment l'échange sont dans `access`, ceux qui demandent le silence dans `silence`.

use calvalot::config::Config;
use calvalot::domain::money::Eur;
use calvalot::sim::{Fault, Reply, Status};
use rust_decimal::dec;
use serde_json::Value;

use crate::follower::{Follower, until};
use crate::{Bench, Target, code, status};

const TARGET: Target<'static> = &[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))];

fn refusal(code: i64, text: &str) -> Fault {
    Fault::answer(Reply::code(400, code, text))
}

/// Un refus pour de bon n'est pas essayé deux fois ; un autre l'est, jusqu'à ce que cela passe.
#[test]
fn a_refusal_is_final_or_tried_again_and_never_in_doubt() {
    let cases = [
        (-1013, "Filter failure: LOT_SIZE", "refused"),
        (-1013, "Filter failure: NOTIONAL", "refused"),
        (-1111, "Parameter 'quantity' has too much precision.", "refused"),
        (-1102, "Mandatory parameter 'side' was not sent.", "refused"),
        (-1121, "Invalid symbol.", "refused"),
        (-2010, "Market orders are not supported for this symbol.", "refused"),
        (-2010, "This symbol is not permitted for this account.", "refused"),
        (-2010, "This symbol is restricted for this account.", "refused"),
        (-2010, "Account has insufficient balance for requested action.", "abandoned filled"),
        (-1013, "Market is closed.", "abandoned filled"),
        (-2010, "This order type is not possible in this trading phase.", "abandoned filled"),
        (-2010, "Order book liquidity is less than LOT_SIZE filter minimum quantity.", "abandoned filled"),
        (-1112, "No orders on book for symbol.", "abandoned filled"),
        (-1015, "Too many new orders.", "abandoned filled"),
    ];
    for (number, text, expected) in cases {
        let bench = Bench::new();
        let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
        bench.strike(|on| on.nth(1), refusal(number, text));
        let signal = bench.reach(&follower, TARGET);
        let expected_code = if expected == "refused" { "refused" } else { "traded" };
        assert_eq!(code(&signal, "ETHUSDC"), expected_code, "{number} {text}: {signal}");
        if expected == "refused" {
            assert!(signal["error_message"].as_str().unwrap().contains(text), "{signal}");
            follower.site().wait_polls(2);
        }
        bench.wait_states("ETHUSDC", expected);
        bench.check_settled();
    }
}

/// Un pas élargi entre deux lectures : l'ordre est refusé, le suivant obéit à la nouvelle règle.
#[test]
fn rules_that_changed_are_read_again() {
    let bench = Bench::new();
    let follower = bench.settled(&[("ETHUSDC", dec!(0.5))]);
    bench.exchange().edit_listing("ETHUSDC", |listing| listing.step_size = dec!(0.01));
    follower.site().wait_polls(2);
    assert_eq!(status(&bench.reach(&follower, &[])), ("executed", 1));
    assert_eq!(bench.orders("ETHUSDC").pop().unwrap().executed.normalize().scale(), 2);
    bench.check_settled();
}

/// Toujours trop peu : cinq fois, puis le signal dit pourquoi. Les autres coins n'attendent pas.
#[test]
fn an_order_refused_again_and_again_is_given_up() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
    bench.strike(|on| on, refusal(-2010, "Account has insufficient balance for requested action."));
    let signal = bench.reach(&follower, TARGET);
    assert_eq!(status(&signal), ("error", 0));
    assert!(signal["error_message"].as_str().unwrap().contains("tried 5 times"), "{signal}");
    assert_eq!(bench.world.hits().len(), 5);
    bench.world.clear_faults();
    assert_eq!(status(&bench.reach(&follower, &[("ETHUSDC", dec!(0.3))])).0, "executed");
    bench.check_settled();
}

#[test]
fn a_pair_in_cancel_only_is_left_and_the_others_are_traded() {
    let bench = Bench::new();
    bench.exchange().set_status("ETHUSDC", Status::CancelOnly);
    let follower = bench.settled(TARGET);
    let signal = follower.site().signal("initial_sync").unwrap();
    assert_eq!((status(&signal), code(&signal, "ETHUSDC")), (("executed", 1), "halted".to_owned()));
    bench.check_settled();
}

/// L'heure de la bourse s'écarte de la nôtre, dans un sens puis dans l'autre : -1021, une mesure, et l'on reprend.
#[test]
fn an_hour_that_is_no_longer_the_exchanges_is_measured_again() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
    let mut target = vec![("BTCUSDC", dec!(0.3))];
    for (skew, coin) in [(40_000, "ETHUSDC"), (-40_000, "SOLUSDC"), (0, "XRPUSDC")] {
        bench.exchange().set_skew(skew);
        target.push((coin, dec!(0.15)));
        assert_eq!(status(&bench.reach(&follower, &target)), ("executed", 1), "{skew} ms");
        assert_eq!(bench.orders(coin).len(), 1);
    }
    until("it is open", || bench.closed().is_empty().then_some(()));
    bench.check_settled();
}

/// La bourse ne veut pas de la vente d'un coin : ce qu'elle rapporterait n'achète rien, qu'il faudrait revendre aussitôt.
#[test]
fn what_a_refused_sale_would_bring_never_buys_what_is_then_sold_again() {
    let bench = Bench::holding(&[("USDC", dec!(112))]);
    let before = [
        ("BTCUSDC", dec!(0.2885)),
        ("XRPUSDC", dec!(0.1636)),
        ("BNBUSDC", dec!(0.1502)),
        ("ETHUSDC", dec!(0.3499)),
    ];
    bench.world.leader().set_target(&before);
    let follower = Follower::start(Config { initial_budget: Eur::new(dec!(75)), ..bench.config() });
    let site = follower.site();
    site.closed_signal("initial_sync");
    site.wait_polls(2);
    bench.strike(|on| on.about("BNBUSDC"), refusal(-1013, "Filter failure: LOT_SIZE"));
    bench.exchange().set_status("XRPUSDC", Status::Halt);
    site.wait_polls(2);
    let id = bench.world.leader().set_target(&[
        ("BTCUSDC", dec!(0.0251)),
        ("XRPUSDC", dec!(0.3116)),
        ("ETHUSDC", dec!(0.0721)),
        ("SOLUSDC", dec!(0.5433)),
    ]);
    site.closed_signal(&id);
    site.wait_polls(2);
    let deposit = site.send("POST", "/api/budget/deposit", r#"{"amount_eur": 22.5}"#);
    assert_eq!(deposit.status, 200, "{}", deposit.body);
    site.wait_polls(5);
    let trades = site.json("/api/trades?limit=100");
    let done = |action: &str, coin: &str| {
        let is_it =
            |trade: &Value| trade["action"] == action && trade["coin"] == coin && trade["signal_id"] == id;
        trades.as_array().expect("a list").iter().any(is_it)
    };
    assert!(done("SELL", "BTCUSDC") && done("BUY", "SOLUSDC"), "{trades}");
    for coin in ["BNBUSDC", "BTCUSDC", "SOLUSDC", "XRPUSDC"] {
        assert!(!(done("BUY", coin) && done("SELL", coin)), "{coin}: {trades}");
    }
    bench.check();
}
