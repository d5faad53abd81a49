//! La synchronisation initiale : une fois, dès que le leader dit son allocation.

use rust_decimal::{Decimal, dec};

use crate::follower::{Folder, Follower, decimal, still_world};
use crate::{list, near, status, trades_of, weight};

#[test]
fn a_blank_follower_takes_over_the_leaders_allocation() {
    let (world, folder) = (still_world(), Folder::new());
    let targets = [("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.25)), ("SOLUSDC", dec!(0.1))];
    let id = world.leader().set_target(&targets);
    let follower = Follower::of(&world, &folder);
    let sync = follower.site().closed_signal("initial_sync");
    assert_eq!(status(&sync), ("executed", 3));
    assert!(sync["reasoning"].as_str().unwrap().contains(&id), "it says where it comes from: {sync}");
    for (coin, target) in targets {
        assert!((weight(follower.site(), coin) - target).abs() < dec!(0.005), "{coin} is off its target");
    }
    for position in list(follower.site(), "/api/positions") {
        let (_, target) = targets.iter().find(|(coin, _)| position["coin"] == *coin).unwrap();
        assert_eq!(decimal(&position["leader_weight"]), *target);
    }
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 0), "nothing is left to do for it");
    let trades = list(follower.site(), "/api/trades");
    assert!(trades.iter().all(|trade| trade["signal_id"] == "initial_sync" && trade["is_simulated"] == 1));
}

#[test]
fn it_is_tried_again_until_the_leader_has_a_signal() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().no_signal();
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(3);
    let before = follower.site().json("/api/agent/status");
    assert_eq!(before["last_poll"]["status"], "no_signal");
    assert_eq!(
        (&before["leader"]["connected"], before["leader"]["last_signal_at"].is_null()),
        (&true.into(), true)
    );
    assert!(list(follower.site(), "/api/signals").is_empty());
    world.leader().set_target(&[("XRPUSDC", dec!(0.6))]);
    assert_eq!(status(&follower.site().closed_signal("initial_sync")), ("executed", 1));
    near(weight(follower.site(), "XRPUSDC"), dec!(0.6));
    assert!(follower.site().json("/api/agent/status")["leader"]["last_signal_at"].is_string());
}

/// Son allocation est celle d'après ses actions : les exécuter aussi achèterait deux fois.
#[test]
fn a_signal_of_actions_with_an_allocation_starts_it_and_is_then_skipped() {
    let (world, folder) = (still_world(), Folder::new());
    let portfolio = [("BTCUSDC", dec!(0.3)), ("BNBUSDC", dec!(0.2))];
    let id = world.leader().set_actions(&[("BTCUSDC", "BUY", dec!(0.3))], Some(&portfolio));
    let follower = Follower::of(&world, &folder);
    assert_eq!(status(&follower.site().closed_signal("initial_sync")), ("executed", 2));
    let signal = follower.site().closed_signal(&id);
    assert_eq!(status(&signal), ("skipped", 0));
    assert!(signal["error_message"].as_str().unwrap().contains("initial sync"), "{signal}");
    follower.site().wait_polls(2);
    for (coin, target) in portfolio {
        near(weight(follower.site(), coin), target);
    }
    let id = world.leader().set_actions(&[("BTCUSDC", "BUY", dec!(0.1))], Some(&portfolio));
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 1), "the next one is followed");
    near(weight(follower.site(), "BTCUSDC"), dec!(0.4));
}

#[test]
fn there_is_none_when_positions_exist() {
    let (world, folder) = (still_world(), Folder::new());
    let id = world.leader().set_actions(&[("ETHUSDC", "BUY", dec!(0.2))], None);
    let follower = Follower::of(&world, &folder);
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 1));
    let id = world.leader().set_actions(&[("SOLUSDC", "BUY", dec!(0.1))], Some(&[("BTCUSDC", dec!(0.9))]));
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 1));
    assert!(follower.site().signal("initial_sync").is_none());
    assert_eq!(weight(follower.site(), "BTCUSDC"), Decimal::ZERO);
    near(weight(follower.site(), "SOLUSDC"), dec!(0.1));
}

#[test]
fn a_rejected_signal_does_not_start_it_and_the_next_good_one_does() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_raw(
        r#"{"version":2,"signal_id":"bad","portfolio_state":{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":7}]}}"#,
    );
    let follower = Follower::of(&world, &folder);
    assert_eq!(status(&follower.site().closed_signal("bad")), ("rejected", 0));
    assert!(follower.site().signal("initial_sync").is_none());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    assert_eq!(status(&follower.site().closed_signal("initial_sync")), ("executed", 1));
}

#[test]
fn an_empty_allocation_is_an_allocation() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[]);
    let follower = Follower::of(&world, &folder);
    assert_eq!(status(&follower.site().closed_signal("initial_sync")), ("executed", 0));
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 1));
    assert_eq!(trades_of(follower.site(), "initial_sync"), []);
}
