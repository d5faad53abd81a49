//! Les signaux de version 1 : des achats et des ventes, chacun une part du capital entier.

use rust_decimal::{Decimal, dec};

use crate::follower::{Folder, Follower, decimal, still_world};
use crate::{code, list, near, settled, status, trades_of, weight};

#[test]
fn a_purchase_is_a_part_of_the_whole_capital_not_of_the_cash() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let id = world.leader().set_actions(&[("ETHUSDC", "BUY", dec!(0.3))], None);
    let signal = follower.site().closed_signal(&id);
    assert_eq!(status(&signal), ("executed", 1));
    assert!(signal["error_message"].is_null() && signal["executed_at"].is_string(), "{signal}");
    near(weight(follower.site(), "ETHUSDC"), dec!(0.3));
    near(weight(follower.site(), "BTCUSDC"), dec!(0.5));
}

#[test]
fn a_sale_is_a_part_of_the_whole_capital_and_never_more_than_is_owned() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let id = world.leader().set_actions(&[("BTCUSDC", "SELL", dec!(0.2))], None);
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 1));
    near(weight(follower.site(), "BTCUSDC"), dec!(0.3));
    let owned = decimal(&list(follower.site(), "/api/positions")[0]["quantity"]);
    let id = world.leader().set_actions(&[("BTCUSDC", "SELL", dec!(0.9))], None);
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 1));
    let sold = decimal(&list(follower.site(), "/api/trades")[0]["quantity"]);
    assert!(sold <= owned && owned - sold < dec!(0.00001), "{sold} of {owned} was sold");
    let cash = decimal(&follower.site().json("/api/budget")["cash_usdt"]);
    let total = decimal(&follower.site().json("/api/budget")["total_value_usdt"]);
    assert!(total - cash < Decimal::ONE, "only dust is left: {cash} of {total}");
}

/// La vente libère le cash que l'achat prend.
#[test]
fn the_sale_of_a_signal_comes_before_its_purchase() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(1))]);
    let follower = Follower::of(&world, &folder);
    follower.site().closed_signal("initial_sync");
    let actions = [("ETHUSDC", "BUY", dec!(0.4)), ("BTCUSDC", "SELL", dec!(0.5))];
    let id = world.leader().set_actions(&actions, None);
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 2));
    let expected = [("SELL", "BTCUSDC"), ("BUY", "ETHUSDC")];
    assert_eq!(trades_of(follower.site(), &id), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    near(weight(follower.site(), "ETHUSDC"), dec!(0.4));
}

#[test]
fn what_asks_for_nothing_is_done_without_a_trade() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let trades = list(follower.site(), "/api/trades").len();
    let cases: [&[(&str, &str, Decimal)]; 4] = [
        &[("BTCUSDC", "HOLD", dec!(0))],
        &[("BTCUSDC", "HOLD", dec!(0.4)), ("ETHUSDC", "BUY", dec!(0))],
        &[("BTCUSDC", "SELL", dec!(0))],
        &[],
    ];
    for actions in cases {
        let id = world.leader().set_actions(actions, None);
        let signal = follower.site().closed_signal(&id);
        assert_eq!(status(&signal), ("executed", 0), "{actions:?}");
        assert_eq!(code(&signal, "BTCUSDC"), "nothing_to_do");
    }
    assert_eq!(list(follower.site(), "/api/trades").len(), trades);
}

#[test]
fn what_cannot_be_done_is_skipped_with_its_reason() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let cases = [
        ([("XRPUSDC", "SELL", dec!(0.2))], "XRPUSDC: nothing to sell", "no_position"),
        ([("SOLUSDC", "BUY", dec!(0.001))], "below the exchange's minimum", "below_minimum"),
        ([("BTCUSDC", "SELL", dec!(0.001))], "below the exchange's minimum", "below_minimum"),
    ];
    for (actions, reason, expected) in cases {
        let id = world.leader().set_actions(&actions, None);
        let signal = follower.site().closed_signal(&id);
        assert_eq!(status(&signal), ("skipped", 0));
        assert!(signal["error_message"].as_str().unwrap().contains(reason), "{signal}");
        assert!(signal["executed_at"].is_null());
        assert_eq!(code(&signal, actions[0].0), expected);
    }
}

/// Un signal mal fait a son identifiant et sa raison, et rien n'en est exécuté, pas même ce qui est bon.
#[test]
fn a_signal_with_one_bad_action_is_rejected_whole() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let trades = list(follower.site(), "/api/trades").len();
    let cases = [
        (r#"{"coin":"DOGEUSDC","action":"BUY","pct_of_capital":0.1}"#, "DOGEUSDC"),
        (r#"{"coin":"ETHUSDC","action":"SHORT","pct_of_capital":0.1}"#, "SHORT"),
        (r#"{"coin":"ETHUSDC","action":"BUY","pct_of_capital":1.5}"#, "1.5"),
        (r#"{"coin":"ETHUSDC","action":"BUY"}"#, "pct_of_capital"),
        (r#"{"coin":"BTCUSDC","action":"SELL","pct_of_capital":0.1}"#, "contradicts"),
    ];
    for (rank, (bad, word)) in cases.iter().enumerate() {
        let good = r#"{"coin":"BTCUSDC","action":"BUY","pct_of_capital":0.1}"#;
        world.leader().set_raw(format!(r#"{{"signal_id":"v1-{rank}","actions":[{good},{bad}]}}"#));
        let signal = follower.site().closed_signal(&format!("v1-{rank}"));
        assert_eq!(status(&signal), ("rejected", 0), "{bad}");
        assert!(signal["error_message"].as_str().unwrap().contains(word), "{word}: {signal}");
    }
    assert_eq!(list(follower.site(), "/api/trades").len(), trades);
}
