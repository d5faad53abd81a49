//! Suivre le leader, vu du dehors : le chemin entier, du signal aux écrans.

mod follower;

use calvalot::sim::{Script, World};
use follower::{Folder, Follower, decimal, still_world, until};
use rust_decimal::{Decimal, dec};

#[test]
fn a_blank_follower_takes_over_the_leaders_allocation() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.25)), ("SOLUSDC", dec!(0.1))]);
    let follower = Follower::of(&world, &folder);
    let sync = follower.site().closed_signal("initial_sync");
    assert_eq!(sync["status"], "executed");
    let positions = follower.site().json("/api/positions");
    for (coin, target) in [("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.25)), ("SOLUSDC", dec!(0.1))] {
        let position =
            positions.as_array().unwrap().iter().find(|position| position["coin"] == coin).unwrap();
        let drift = (decimal(&position["weight"]) - target).abs();
        assert!(drift < dec!(0.005), "{coin} is {drift} off its target");
        assert_eq!(decimal(&position["leader_weight"]), target);
    }
    assert!(
        follower
            .site()
            .json("/api/trades")
            .as_array()
            .unwrap()
            .iter()
            .all(|trade| { trade["signal_id"] == "initial_sync" && trade["is_simulated"] == 1 })
    );
}

#[test]
fn each_change_of_the_leaders_mind_is_followed() {
    let folder = Folder::new();
    let world = World::start(Script { seed: 7, signal_every: 3, ..Script::default() }).unwrap();
    let follower = Follower::of(&world, &folder);
    until("five signals are executed", || {
        let signals = follower.site().json("/api/signals");
        let executed = signals.as_array()?.iter().filter(|signal| signal["status"] == "executed").count();
        (executed > 5).then_some(())
    });
    for trade in follower.site().json("/api/trades?limit=100").as_array().unwrap() {
        assert!(decimal(&trade["amount_usdt"]) >= Decimal::from(5), "{trade} is below the minimum");
    }
}
