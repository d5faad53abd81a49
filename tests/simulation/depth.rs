//! Des carnets minces pendant que le leader parle et que des réponses se perdent : aucun ordre ne glisse au-delà de la borne,
//! chacun part une fois, et l'allocation est atteinte dès que les carnets se regarnissent.

use std::time::Duration;

use fastrand::Rng;
use rust_decimal::{Decimal, dec};

use crate::tally::Tally;
use crate::universe::Universe;
use crate::{mend, play, proof, reach, scenario, settle};

/// La borne d'un ordre, et un pas de cotation.
const BOUND: Decimal = dec!(0.0055);

/// Une vie où des carnets s'amincissent entre deux signaux ; les prix ne bougent pas.
fn thinned(seed: u64) -> Tally {
    let mut dice = Rng::with_seed(seed);
    let mut universe = Universe::new(seed, 0);
    universe.start();
    for _ in 0..dice.u32(2..6) {
        for _ in 0..dice.u32(1..4) {
            scenario::thin_out(&mut universe, &mut dice);
        }
        if dice.u8(0..3) == 0 {
            scenario::lose_orders(&universe, &mut dice);
        }
        universe.world.leader().set_target(&scenario::target(&mut dice));
        universe.pass(Duration::from_secs(dice.u64(300..900)), None);
        universe.world.clear_faults();
        settle(&mut universe);
    }
    for order in universe.world.exchange().accepted_orders() {
        let mid = universe.world.exchange().price(&order.pair);
        for fill in &order.fills {
            assert!((fill.price - mid).abs() <= mid * BOUND, "it slipped from {mid}: {order:?}");
        }
    }
    proof::no_value_was_false(&universe);
    mend(&mut universe);
    reach(&mut universe, &scenario::target(&mut dice));
    Tally::of(&universe)
}

#[test]
fn no_order_slips_further_than_the_bound_however_thin_the_books() {
    play(thinned, &[]);
}
