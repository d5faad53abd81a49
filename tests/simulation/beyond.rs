//! Au-delà de ce que les règles supportent : le suiveur ne peut plus tout empêcher, alors il le voit, s'arrête
//! d'acheter et appelle une personne.

use std::time::Duration;

use calvalot::domain::intent::State;
use calvalot::ledger::views::Selection;
use calvalot::sim::{Fault, Lag, On, View, Wire};
use rust_decimal::{Decimal, dec};

use crate::universe::Universe;

const HOUR: Duration = Duration::from_secs(3600);

/// Un suiveur qui tient un peu de tout, et suit.
fn following() -> Universe {
    let mut universe = Universe::new(1, 0);
    universe.world.leader().set_target(&[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.2))]);
    universe.start();
    universe.pass(HOUR, None);
    universe
}

fn orders() -> On {
    On::exchange("/api/v3/order").method("POST")
}

fn executed(universe: &Universe, pair: &str) -> usize {
    let orders = universe.world.exchange().accepted_orders();
    orders.iter().filter(|order| order.pair == pair && order.executed > Decimal::ZERO).count()
}

/// Le réseau livre deux fois la même demande, et la bourse n'y voit rien (fiche, piège 1).
#[test]
fn a_request_delivered_twice_is_shown_and_never_counted_as_ours() {
    let mut universe = following();
    universe.world.fault(orders().next(1), Fault::twice());
    universe.world.leader().set_target(&[
        ("BTCUSDC", dec!(0.2)),
        ("ETHUSDC", dec!(0.2)),
        ("SOLUSDC", dec!(0.2)),
    ]);
    universe.pass(HOUR * 2, None);
    assert_eq!(executed(&universe, "SOLUSDC"), 2);
    let trades = universe.books(|db| db.trades(&Selection::last(100)));
    assert_eq!(trades.iter().filter(|trade| trade.coin.pair() == "SOLUSDC").count(), 1);
    let foreign = universe.books(|db| db.foreign_orders(10));
    assert_eq!(foreign.iter().map(|order| order.coin.pair()).collect::<Vec<_>>(), ["SOLUSDC"]);
    let balances = universe.books(|db| db.balances());
    let sol = balances.iter().find(|balance| balance.asset == "SOL").expect("reconciled");
    assert_eq!(
        sol.line.held(),
        sol.line.booked + foreign[0].executed - foreign[0].executed.times(dec!(0.001))
    );
}

/// Une bourse qui montre un ordre plus de deux minutes après l'avoir exécuté, partout à la fois.
#[test]
fn an_order_that_appears_after_its_absence_was_proved_stops_purchases_until_a_person_has_looked() {
    let mut universe = following();
    for view in [View::Order, View::AllOrders, View::MyTrades, View::Account] {
        universe.world.exchange().set_lag(view, Lag::For(HOUR / 2));
    }
    universe.world.fault(orders().next(1), Fault::processed(Wire::Reset));
    universe.world.leader().set_target(&[
        ("BTCUSDC", dec!(0.2)),
        ("ETHUSDC", dec!(0.2)),
        ("SOLUSDC", dec!(0.2)),
    ]);
    universe.pass(HOUR * 2, None);
    let late = universe.books(|db| db.late());
    assert_eq!((late.len(), executed(&universe, "SOLUSDC")), (1, 3), "what is too much is sold: {late:?}");
    assert_eq!((late[0].state, late[0].attempt), (State::Filled, 1));
    universe.world.leader().set_target(&[("BTCUSDC", dec!(0.2)), ("XRPUSDC", dec!(0.3))]);
    universe.pass(HOUR, None);
    assert_eq!(executed(&universe, "XRPUSDC"), 0, "bought while a person must look");
    assert_eq!(executed(&universe, "SOLUSDC"), 4, "what the leader leaves is sold");
    assert!(universe.release(late[0].id).is_some());
    universe.pass(HOUR, None);
    assert_eq!(executed(&universe, "XRPUSDC"), 1);
    crate::proof::books_are_the_exchange_s(&universe);
}

/// Le même, vu dès un redémarrage : ses frais sont en BNB, dont rien n'a encore dit le prix.
#[test]
fn an_order_executed_late_is_counted_at_a_start_before_anything_is_bought() {
    let mut universe = following();
    universe.world.exchange().edit_account(|account| account.bnb_fees = true);
    for view in [View::Order, View::AllOrders, View::MyTrades, View::Account] {
        universe.world.exchange().set_lag(view, Lag::For(HOUR / 2));
    }
    universe.world.fault(orders().next(1), Fault::processed(Wire::Reset));
    universe.world.leader().set_target(&[
        ("BTCUSDC", dec!(0.2)),
        ("ETHUSDC", dec!(0.2)),
        ("SOLUSDC", dec!(0.2)),
    ]);
    universe.pass(Duration::from_secs(600), None);
    universe.kill();
    for view in [View::Order, View::AllOrders, View::MyTrades, View::Account] {
        universe.world.exchange().set_lag(view, Lag::None);
    }
    universe.world.leader().set_target(&[("XRPUSDC", dec!(0.3))]);
    universe.start();
    universe.pass(Duration::from_secs(100), None);
    assert_eq!(universe.books(|db| db.late()).len(), 1);
    assert_eq!(executed(&universe, "XRPUSDC"), 0, "bought before what was executed late was counted");
}

/// La bourse oublie tout (remise à zéro du réseau d'essai) pendant qu'un ordre est en doute.
#[test]
fn after_a_wipe_an_order_in_doubt_is_never_taken_for_absent() {
    let mut universe = following();
    universe.world.fault(orders().next(1), Fault::processed(Wire::Reset));
    universe.world.fault(On::exchange("/api/v3/order").method("GET"), Fault::unprocessed(Wire::Close));
    universe.world.leader().set_target(&[
        ("BTCUSDC", dec!(0.2)),
        ("ETHUSDC", dec!(0.2)),
        ("SOLUSDC", dec!(0.2)),
    ]);
    universe.pass(Duration::from_secs(150), None);
    universe.world.exchange().wipe();
    universe.world.clear_faults();
    universe.pass(HOUR * 2, None);
    assert_eq!(executed(&universe, "SOLUSDC"), 1);
    let doubtful = universe.books(|db| db.doubtful());
    let states: Vec<(&str, State)> =
        doubtful.iter().map(|intent| (intent.coin.pair(), intent.state)).collect();
    assert_eq!(states, [("SOLUSDC", State::Stuck)], "{doubtful:?}");
}

/// Envoyé deux fois sans jamais arriver : une personne regarde, ce coin attend le signal suivant, les autres non.
#[test]
fn an_order_that_never_arrives_waits_for_a_person_and_the_others_go_on() {
    let mut universe = following();
    universe.world.fault(orders(), Fault::unprocessed(Wire::Close));
    universe.world.leader().set_target(&[
        ("BTCUSDC", dec!(0.2)),
        ("ETHUSDC", dec!(0.2)),
        ("SOLUSDC", dec!(0.2)),
    ]);
    universe.pass(HOUR, None);
    let stuck = universe.books(|db| db.doubtful());
    assert_eq!((stuck.len(), stuck[0].state, stuck[0].attempt), (1, State::Stuck, 2), "{stuck:?}");
    universe.world.clear_faults();
    let target =
        [("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.2)), ("SOLUSDC", dec!(0.2)), ("XRPUSDC", dec!(0.1))];
    universe.world.leader().set_target(&target);
    universe.pass(HOUR, None);
    assert_eq!((executed(&universe, "SOLUSDC"), executed(&universe, "XRPUSDC")), (0, 1));
    assert!(universe.release(stuck[0].id).is_some());
    universe.pass(HOUR, None);
    assert_eq!(executed(&universe, "SOLUSDC"), 1, "the signal that still waited takes it up");
    crate::proof::no_signal_is_open(&universe);
    crate::proof::allocation_is(&universe, &target);
    let signals = universe.books(|db| db.signals(&Selection::last(10)));
    assert!(signals.iter().all(|signal| signal.status != "error"), "{signals:?}");
}
