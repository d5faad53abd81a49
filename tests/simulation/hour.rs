//! Un Raspberry Pi n'a pas d'horloge à lui : il démarre à l'heure de son dernier arrêt, ou en 1970. À une heure fausse,
//! rien ne s'échange, rien ne s'évalue, rien n'est daté ; à l'heure juste, tout reprend de soi-même.

use std::time::Duration;

use calvalot::clock;
use calvalot::domain::moment::Moment;
use rust_decimal::{Decimal, dec};

use crate::proof;
use crate::universe::{START, Universe};

const HOUR: Duration = Duration::from_secs(3600);
const TARGET: [(&str, Decimal); 2] = [("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.2))];

/// Une machine qui avance de `lead` millisecondes, à laquelle le leader a quelque chose à dire.
fn started(lead: i64) -> Universe {
    let mut universe = Universe::new(1, lead);
    universe.world.leader().set_target(&TARGET);
    universe.start();
    universe.pass(HOUR, None);
    universe
}

/// Les heures des relevés, de la plus récente à la plus ancienne.
fn valued(universe: &Universe) -> Vec<Moment> {
    let snapshots = universe.books(|db| db.snapshots(None, 100_000, clock::now()));
    snapshots.iter().map(|snapshot| snapshot.at).collect()
}

/// Pourquoi l'heure n'est pas tenue pour juste.
fn reason(universe: &Universe) -> Option<String> {
    let now = clock::now();
    universe.books(move |db| db.clock_unknown(now)).map(|unknown| unknown.reason)
}

fn check_nothing_was_done(universe: &Universe) {
    assert_eq!(universe.world.exchange().accepted_orders().len(), 0);
    assert_eq!(valued(universe), []);
    assert!(universe.books(|db| db.account()).cash.is_none(), "the opening was booked at a wrong hour");
    let now = clock::now();
    let outside = universe.books(move |db| db.outside(now));
    assert!(outside.unknown.iter().any(|unknown| unknown.what == "clock"), "{:?}", outside.unknown);
    assert!(outside.rate.is_some(), "only the clock is missing: {:?}", outside.unknown);
}

fn check_it_follows(universe: &Universe) {
    assert_eq!(reason(universe), None);
    proof::no_signal_is_open(universe);
    proof::allocation_is(universe, &TARGET);
    proof::books_are_the_exchange_s(universe);
    assert!(universe.books(|db| db.account()).created_at >= START, "the ledger began at a wrong hour");
    let valued = valued(universe);
    assert!(!valued.is_empty() && valued.is_sorted_by(|later, earlier| later > earlier), "{valued:?}");
    assert!(valued.iter().all(|at| *at > START), "{valued:?}");
}

#[test]
fn a_machine_that_starts_in_the_past_does_nothing_until_it_has_the_hour() {
    // 1970 ; l'heure du dernier arrêt ; si peu que le leader s'y laisse prendre ; et en avance.
    for lead in [-START.0, -5 * 24 * 3_600_000, -200_000, 3_600_000] {
        let mut universe = started(lead);
        check_nothing_was_done(&universe);
        let way = if lead < 0 { "behind" } else { "ahead of" };
        let told = reason(&universe).expect("it is said");
        assert!(told.starts_with("the clock of this machine is ") && told.contains(way), "{told}");
        universe.set_right();
        universe.pass(HOUR / 2, None);
        check_it_follows(&universe);
    }
}

#[test]
fn a_clock_less_than_a_minute_off_stops_nothing() {
    for lead in [-59_000, 59_000] {
        let universe = started(lead);
        assert_eq!(reason(&universe), None);
        proof::allocation_is(&universe, &TARGET);
    }
}

/// La base a des lignes d'hier soir, la machine se réveille hier matin.
#[test]
fn nothing_is_dated_before_the_newest_line_of_the_ledger() {
    let mut universe = started(0);
    let before = valued(&universe);
    universe.kill();
    universe.jump(-12 * 3_600_000);
    universe.start();
    universe.pass(HOUR, None);
    assert_eq!(valued(&universe), before);
    universe.set_right();
    universe.pass(HOUR / 2, None);
    assert!(valued(&universe).len() > before.len());
    check_it_follows(&universe);
}

#[test]
fn a_clock_that_jumps_under_a_running_follower_stops_it_for_as_long() {
    for jump in [-24 * 3_600_000, 24 * 3_600_000] {
        let mut universe = started(0);
        universe.jump(jump);
        let before = valued(&universe);
        universe.world.leader().set_target(&[("XRPUSDC", dec!(0.3))]);
        universe.pass(HOUR, None);
        assert_eq!(valued(&universe), before);
        assert_eq!(universe.world.exchange().accepted_orders().len(), 2, "traded at a wrong hour");
        universe.set_right();
        universe.world.leader().set_target(&TARGET);
        universe.pass(HOUR / 2, None);
        check_it_follows(&universe);
    }
}
