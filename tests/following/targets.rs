//! Les signaux de version 2 : une allocation à atteindre.

use calvalot::config::Config;
use calvalot::domain::money::{Eur, Weight};
use calvalot::domain::policy::Policy;
use calvalot::sim::{Script, Status, World};
use rust_decimal::{Decimal, dec};

use crate::follower::{Folder, Follower, config, decimal, still_world, until};
use crate::{code, list, near, settled, status, trades_of, weight};

/// Sans seuil : tout écart que la bourse permet de corriger l'est.
fn unbounded(config: Config) -> Config {
    Config { policy: Policy { threshold: Weight::ZERO, ..config.policy }, ..config }
}

#[test]
fn each_change_of_the_leaders_mind_is_followed() {
    let folder = Folder::new();
    let world = World::start(Script { seed: 7, signal_every: 3, ..Script::default() }).unwrap();
    let follower = Follower::of(&world, &folder);
    until("five signals are executed", || {
        let signals = list(follower.site(), "/api/signals");
        (signals.iter().filter(|signal| signal["status"] == "executed").count() > 5).then_some(())
    });
    for trade in list(follower.site(), "/api/trades?limit=100") {
        assert!(decimal(&trade["amount_usdt"]) >= Decimal::from(5), "{trade} is below the minimum");
    }
}

#[test]
fn sales_come_before_purchases_and_pay_for_them() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("SOLUSDC", dec!(0.5)), ("XRPUSDC", dec!(0.5))]);
    let follower = Follower::of(&world, &folder);
    follower.site().closed_signal("initial_sync");
    let id = world.leader().set_target(&[("BNBUSDC", dec!(0.45)), ("BTCUSDC", dec!(0.45))]);
    let signal = follower.site().closed_signal(&id);
    assert_eq!(status(&signal), ("executed", 4));
    let sides: Vec<String> = trades_of(follower.site(), &id).into_iter().map(|(side, _)| side).collect();
    assert_eq!(sides, ["SELL", "SELL", "BUY", "BUY"]);
    for coin in ["BNBUSDC", "BTCUSDC"] {
        near(weight(follower.site(), coin), dec!(0.45));
        assert_eq!(code(&signal, coin), "traded");
    }
}

/// Le pas de la bourse laisse une poussière : moins d'un pas, jamais plus.
#[test]
fn an_exit_sells_the_whole_position_but_for_dust_under_a_step() {
    let (world, folder) = (still_world(), Folder::new());
    let targets = [("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.3))];
    world.leader().set_target(&targets);
    let follower = Follower::of(&world, &folder);
    follower.site().closed_signal("initial_sync");
    let id = world.leader().set_target(&[]);
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 3));
    let steps = [("BTCUSDC", dec!(0.00001)), ("ETHUSDC", dec!(0.0001)), ("SOLUSDC", dec!(0.001))];
    for position in list(follower.site(), "/api/positions") {
        let (_, step) = steps.iter().find(|(coin, _)| position["coin"] == *coin).unwrap();
        assert!(decimal(&position["quantity"]) < *step, "{position}");
    }
    // La poussière ne fait échouer aucun signal suivant.
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 1));
}

#[test]
fn a_drift_below_the_threshold_is_left_and_one_above_is_not() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let now = weight(follower.site(), "BTCUSDC");
    let id = world.leader().set_target(&[("BTCUSDC", now + dec!(0.0045))]);
    let signal = follower.site().closed_signal(&id);
    assert_eq!((status(&signal), code(&signal, "BTCUSDC")), (("executed", 0), "within_threshold".to_owned()));
    assert_eq!(code(&signal, "ETHUSDC"), "nothing_to_do");
    for shift in [dec!(0.0065), dec!(-0.0065)] {
        let now = weight(follower.site(), "BTCUSDC");
        let id = world.leader().set_target(&[("BTCUSDC", now + shift)]);
        assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 1), "a shift of {shift}");
        assert!((weight(follower.site(), "BTCUSDC") - now - shift).abs() < dec!(0.0005));
    }
}

#[test]
fn a_threshold_of_zero_leaves_only_what_the_exchange_would_refuse() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let follower = Follower::start(unbounded(config(&world, &folder)));
    follower.site().closed_signal("initial_sync");
    let now = weight(follower.site(), "BTCUSDC");
    // 0,6 % de 1000 EUR : sous le seuil habituel, au-dessus des 5 USDC de la bourse.
    let id = world.leader().set_target(&[("BTCUSDC", now + dec!(0.006))]);
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 1));
    let now = weight(follower.site(), "BTCUSDC");
    let id = world.leader().set_target(&[("BTCUSDC", now + dec!(0.002))]);
    let signal = follower.site().closed_signal(&id);
    assert_eq!((status(&signal), code(&signal, "BTCUSDC")), (("skipped", 0), "below_minimum".to_owned()));
    assert_eq!(code(&signal, "ETHUSDC"), "nothing_to_do");
}

/// Les frais laissent une poussière sous le pas : on ne peut pas faire mieux, ce n'est pas un échec.
#[test]
fn a_dust_no_order_can_reach_is_no_obstacle() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("XRPUSDC", dec!(0.5))]);
    let follower = Follower::start(unbounded(config(&world, &folder)));
    follower.site().closed_signal("initial_sync");
    for trades in [1, 0] {
        let id = world.leader().set_target(&[]);
        let signal = follower.site().closed_signal(&id);
        assert_eq!(status(&signal), ("executed", trades));
        let expected = if trades == 0 { "dust" } else { "traded" };
        assert_eq!(code(&signal, "XRPUSDC"), expected);
    }
    assert_eq!(
        follower.site().json("/api/positions").as_array().unwrap().len(),
        1,
        "the dust stays in the books"
    );
}

#[test]
fn an_allocation_below_every_minimum_is_skipped_with_a_reason_for_each_coin() {
    let (world, folder) = (still_world(), Folder::new());
    let coins = ["BNBUSDC", "BTCUSDC", "ETHUSDC", "SOLUSDC", "XRPUSDC"];
    world.leader().set_target(&coins.map(|coin| (coin, dec!(0.04))));
    let small = Config { initial_budget: Eur::new(dec!(20)), ..config(&world, &folder) };
    let follower = Follower::start(small);
    let signal = follower.site().closed_signal("initial_sync");
    assert_eq!(status(&signal), ("skipped", 0));
    let message = signal["error_message"].as_str().unwrap();
    for coin in coins {
        assert!(message.contains(coin), "{coin} has no reason in {message:?}");
        assert_eq!(code(&signal, coin), "below_minimum");
    }
    assert_eq!(signal["decisions"].as_array().unwrap().len(), 5);
}

#[test]
fn a_pair_the_exchange_has_halted_is_left_and_the_others_are_traded() {
    let (world, folder) = (still_world(), Folder::new());
    world.exchange().set_status("ETHUSDC", Status::Break);
    world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))]);
    let follower = Follower::of(&world, &folder);
    let signal = follower.site().closed_signal("initial_sync");
    assert_eq!(status(&signal), ("executed", 1));
    assert_eq!((code(&signal, "BTCUSDC"), code(&signal, "ETHUSDC")), ("traded".into(), "halted".into()));
}

/// Un signal est connu par ce qu'il demande sous son identifiant, pas par ce qu'il dit autour : ni avant, ni après un redémarrage.
#[test]
fn the_same_signal_said_with_other_words_is_never_executed_twice() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.4))]);
    follower.site().closed_signal(&id);
    let reached = |signal: &serde_json::Value| signal["reached_at"].is_string();
    let first = until("it is reached", || follower.site().signal(&id).filter(reached));
    let before = list(follower.site(), "/api/trades");
    let other = format!(
        r#"{{"version":2,"signal_id":"{id}","reasoning":"another","portfolio_state":{{"positions":[
            {{"pct_of_portfolio":0.40,"coin":"BTCUSDC","pnl":3}}]}}}}"#
    );
    world.leader().set_raw(other);
    follower.site().wait_polls(3);
    assert_eq!(follower.site().json("/api/agent/status")["last_poll"]["status"], "already_processed");
    follower.stop();
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(3);
    assert_eq!(list(follower.site(), "/api/trades"), before);
    assert_eq!(follower.site().signal(&id), Some(first));
    let positions = list(follower.site(), "/api/positions");
    assert_eq!(decimal(&positions[0]["leader_weight"]), dec!(0.4));
}
