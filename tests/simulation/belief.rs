//! Des carnets qui mentent, de toutes les façons, pendant que le leader parle et que le suiveur meurt : rien ne s'échange ni ne
//! s'évalue à un prix qui n'en est pas un, et l'allocation est atteinte dès que les carnets disent vrai.

use std::time::Duration;

use calvalot::domain::belief::SECOND_READING;
use calvalot::sim::Misquote;
use fastrand::Rng;
use rust_decimal::dec;

use crate::tally::Tally;
use crate::universe::Universe;
use crate::{mend, play, proof, reach, scenario};

/// Une vie où seuls les carnets mentent.
fn misled(seed: u64) -> Tally {
    let mut dice = Rng::with_seed(seed);
    let mut universe = Universe::new(seed, 0);
    universe.world.leader().set_target(&scenario::target(&mut dice));
    if dice.u8(0..3) == 0 {
        scenario::lie(&universe, &mut dice);
    }
    universe.start();
    for _ in 0..dice.u32(4..10) {
        universe.pass(Duration::from_secs(dice.u64(1..600)), None);
        scenario::lie(&universe, &mut dice);
        if dice.bool() {
            universe.world.leader().set_target(&scenario::target(&mut dice));
        }
        if dice.u8(0..4) == 0 {
            scenario::move_prices(&universe, &mut dice);
        }
        universe.pass(Duration::from_secs(dice.u64(1..600)), dice.bool().then(|| dice.u64(1..100)));
        if !universe.is_alive() {
            universe.start();
        }
        if dice.bool() {
            scenario::heal(&mut universe);
        }
    }
    mend(&mut universe);
    reach(&mut universe, &scenario::target(&mut dice));
    proof::no_value_was_false(&universe);
    assert!(!universe.books(|db| db.agent()).dead, "killed by a price that was none");
    Tally::of(&universe)
}

#[test]
fn bad_ticks_of_every_kind_decide_nothing() {
    play(misled, &[]);
}

/// Le carnet tombe de 40 % et les échanges avec lui ; la moyenne suit en cinq minutes.
#[test]
fn a_real_crash_costs_ten_seconds() {
    let mut universe = Universe::following(&[("BTCUSDC", dec!(0.4))]);
    let exchange = universe.world.exchange();
    let before = exchange.price("BTCUSDC");
    exchange.set_price("BTCUSDC", before * dec!(0.6));
    exchange.set_average("BTCUSDC", before);
    let orders = exchange.accepted_orders().len();
    universe.world.leader().set_target(&[("BTCUSDC", dec!(0.1))]);
    let polls = universe.world.leader().polls();
    let mut spoken = None;
    while universe.world.exchange().accepted_orders().len() == orders {
        if spoken.is_none() && universe.world.leader().polls() > polls {
            spoken = Some(universe.elapsed());
        }
        universe.pass(Duration::from_millis(1), None);
        assert!(universe.elapsed() < Duration::from_secs(3 * 3600), "it was never sold");
    }
    let took = universe.elapsed() - spoken.expect("the leader was asked first");
    assert!(took >= SECOND_READING && took < SECOND_READING + Duration::from_secs(2), "sold after {took:?}");
    universe.pass(Duration::from_secs(60), None);
    proof::no_signal_is_open(&universe);
}

/// Le leader tient encore à un coin dont la bourse ne montre plus le prix : le reste de son allocation ne l'attend pas sans fin, et lui suit
/// dès que son prix revient.
#[test]
fn a_price_that_is_gone_never_keeps_the_rest_of_an_allocation_from_being_reached() {
    let mut universe = Universe::following(&[("BTCUSDC", dec!(0.4))]);
    universe.world.exchange().misquote("XRPUSDC", Misquote::Times(dec!(1000)), 1_000_000);
    let target = [("BTCUSDC", dec!(0.1)), ("ETHUSDC", dec!(0.5)), ("XRPUSDC", dec!(0.1))];
    universe.world.leader().set_target(&target);
    universe.pass(Duration::from_secs(600), None);
    let orders = universe.world.exchange().accepted_orders().len();
    universe.pass(Duration::from_secs(3600), None);
    proof::allocation_is(&universe, &target[..2]);
    assert!(universe.world.exchange().accepted_orders().len() > orders, "for a while it waits");
    let aim = universe.books(|db| db.aim()).expect("one is aimed at");
    assert!(aim.reached_at.is_none() && aim.waiting_for.is_some_and(|told| told.contains("XRP")));
    universe.world.exchange().quote_truly("XRPUSDC");
    universe.pass(Duration::from_secs(3600), None);
    proof::allocation_is(&universe, &target);
    proof::no_value_was_false(&universe);
}
