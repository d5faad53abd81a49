//! Combien d'allers-retours de la bourse un signal prend : compté en temps simulé, où rien d'autre n'en prend.

use std::time::Duration;

use rust_decimal::{Decimal, dec};

use crate::universe::Universe;

/// L'aller comme le retour, au plus.
const ONE_WAY: Duration = Duration::from_millis(500);

/// Deux ventes et trois achats, à la bourse de tous les jours : le meilleur prix y suffit.
#[test]
fn a_signal_takes_at_most_three_round_trips_for_any_number_of_coins() {
    let taken = reaching(true);
    assert!(taken <= 3 * (ONE_WAY * 2), "{taken:?} with round trips of at most {:?}", ONE_WAY * 2);
}

/// Les carnets se lisent tous ensemble, avant les ventes et avant les achats.
#[test]
fn thin_books_cost_at_most_one_round_trip_more_for_sales_and_one_for_purchases() {
    let taken = reaching(false);
    assert!(taken <= 5 * (ONE_WAY * 2), "{taken:?} with round trips of at most {:?}", ONE_WAY * 2);
}

/// Le temps de la réponse du leader au dernier ordre, quand les carnets sont profonds ou non.
fn reaching(deep: bool) -> Duration {
    let mut universe = Universe::new(4, 0);
    universe.world.leader().set_target(&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.4))]);
    universe.start();
    universe.pass(Duration::from_secs(600), None);
    universe.machine().network.set_latency(ONE_WAY);
    let before = universe.world.exchange().accepted_orders().len();
    let pairs = ["BTCUSDC", "ETHUSDC", "SOLUSDC", "XRPUSDC", "BNBUSDC"];
    let exchange = universe.world.exchange();
    for pair in pairs.iter().filter(|_| deep) {
        exchange.shred_book(pair, dec!(1_000_000) / exchange.price(pair), 1);
    }
    let target: Vec<(&str, Decimal)> = pairs.map(|pair| (pair, dec!(0.15))).to_vec();
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
    universe.elapsed() - answered.expect("the leader was asked first") + ONE_WAY
}
