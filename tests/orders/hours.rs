//! Des horloges fausses, qui dérivent, qui sautent : l'ordre part à l'heure de la bourse, ou il est dit pourquoi.

use std::time::Duration;

use calvalot::clock;
use calvalot::clock::simulated::Installed;
use calvalot::domain::moment::Moment;
use calvalot::exchange::{Placed, Reaction, Refusal, Trouble};
use rust_decimal::dec;
use smol::block_on;

use crate::Desk;

fn is_refused_for_its_hour(placed: &Placed) -> bool {
    matches!(placed, Placed::Refused(Refusal { then: Reaction::Resynchronise, .. }))
}

#[test]
fn an_order_is_dated_at_the_exchange_s_hour_whatever_the_machine_s() {
    for skew in [5_000, -5_000, 300_000, -300_000, 86_400_000, -86_400_000] {
        let desk = Desk::open();
        assert!(!desk.account.exchange().needs_synchronising());
        desk.world.exchange().set_skew(skew);
        let placed = desk.buy("bot-1", dec!(25));
        assert!(is_refused_for_its_hour(&placed), "{skew}: {placed:?}");
        assert!(desk.account.exchange().needs_synchronising(), "{skew}");
        assert!(desk.world.exchange().accepted_orders().is_empty());
        desk.synchronise();
        assert!(!desk.account.exchange().needs_synchronising());
        let (report, _) = desk.bought("bot-2");
        let lead = clock::now().0 + skew - report.at.0;
        assert!((0..10_000).contains(&lead), "{skew}: at {:?}", report.at);
    }
}

/// Une heure de la bourse qui va vingt fois trop vite, ou dix fois trop lentement.
#[test]
fn a_clock_that_drifts_is_found_out_and_measured_again() {
    for drift in [20_000_000, -900_000] {
        let desk = Desk::open();
        desk.world.exchange().set_weight_limit(1_000_000);
        desk.world.exchange().set_drift(drift);
        let trouble = loop {
            if let Err(trouble) = block_on(desk.account.key_rights()) {
                break trouble;
            }
        };
        assert!(matches!(trouble, Trouble::Clock(_)), "{drift}: {trouble:?}");
        assert!(desk.account.exchange().needs_synchronising());
        desk.synchronise();
        let mut ticket = desk.buying("bot-1", dec!(25));
        ticket.window = Duration::from_secs(60);
        let placed = desk.place(&ticket);
        assert!(matches!(placed, Placed::Accepted(..)), "{drift}: {placed:?}");
    }
}

#[test]
fn a_wall_clock_that_jumps_changes_no_order_and_asks_for_a_measure() {
    let installed = Installed::at(Moment(1_790_000_000_000));
    let desk = Desk::open();
    for (round, jump) in [-86_400_000, 3_600_000, 300].into_iter().enumerate() {
        assert!(!desk.account.exchange().needs_synchronising(), "{jump}");
        installed.clock().jump(jump);
        assert!(desk.account.exchange().needs_synchronising(), "{jump}");
        desk.bought(&format!("bot-{round}"));
        desk.synchronise();
    }
}

/// Une mesure manquée laisse la précédente, et reste à faire.
#[test]
fn a_measure_that_fails_leaves_the_one_before() {
    let installed = Installed::at(Moment(1_790_000_000_000));
    let desk = Desk::open();
    let before = desk.account.exchange().server_clock();
    installed.clock().jump(60_000);
    desk.world.refuse_connections(calvalot::sim::Side::Exchange).expect("the port closes");
    assert!(block_on(desk.account.exchange().synchronise()).is_err());
    assert_eq!(desk.account.exchange().server_clock(), before);
    assert!(before.is_some() && desk.account.exchange().needs_synchronising());
}
