//! Combien d'allers-retours de la bourse un signal prend : compté en temps simulé, où rien d'autre n'en prend.

use std::time::Duration;

use rust_decimal::{Decimal, dec};

use crate::universe::Universe;

/// L'aller comme le retour, au plus.
const ONE_WAY: Duration = Duration::from_millis(500);

/// Deux ventes et trois achats : chacun ne coûte pas un aller-retour de plus.
#[test]
fn a_signal_takes_at_most_three_round_trips_for_any_number_of_coins() {
    let mut universe = Universe::new(4, 0);
    universe.world.leader().set_target(&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.4))]);
    universe.start();
    universe.pass(Duration::from_secs(600), None);
    universe.machine().network.set_latency(ONE_WAY);
    let before = universe.world.exchange().accepted_orders().len();
    let target: Vec<(&str, Decimal)> =
        ["BTCUSDC", "ETHUSDC", "SOLUSDC", "XRPUSDC", "BNBUSDC"].map(|pair| (pair, dec!(0.15))).to_vec();
    universe.world.leader().set_target(&target);
    let polls = universe.world.leader().polls();
    let mut answered = None;
    while universe.world.exchange().accepted_orders().len() < before + 5 {
        universe.pass(Duration::from_millis(1), None);
        if answered.is_none() && universe.world.leader().polls() > polls {
            answered = Some(universe.elapsed());
        }
        assert!(universe.elapsed() < Duration::from_secs(3600), "the orders were never sent");
    }
    let taken = universe.elapsed() - answered.expect("the leader was asked first") + ONE_WAY;
    assert!(taken <= 3 * (ONE_WAY * 2), "{taken:?} with round trips of at most {:?}", ONE_WAY * 2);
}
