//! Le grand livre est une valeur : il se copie et se remet, et deux suiveurs peuvent en avoir chacun un.

use std::time::Duration;

use calvalot::clock;
use calvalot::domain::moment::Moment;
use calvalot::ledger::Bears;
use calvalot::ledger::views::Selection;
use calvalot::sim::OrderSide;
use rust_decimal::{Decimal, dec};

use crate::machine::Machine;
use crate::universe::Universe;

const HOUR: Duration = Duration::from_secs(3600);
const BEFORE: [(&str, Decimal); 1] = [("BTCUSDC", dec!(0.4))];
const AFTER: [(&str, Decimal); 2] = [("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.3))];

/// Un suiveur qui suit [`BEFORE`] depuis une heure.
fn following() -> Universe {
    let mut universe = Universe::new(1, 0);
    universe.world.leader().set_target(&BEFORE);
    universe.start();
    universe.pass(HOUR, None);
    universe
}

/// Ce qu'un livre a noté d'échanges et de signaux.
fn noted(machine: &Machine) -> (usize, usize) {
    let trades = machine.books(|db| db.trades(&Selection::last(1_000)));
    let signals = machine.books(|db| db.signals(&Selection::last(1_000)));
    (trades.len(), signals.len())
}

/// L'heure du dernier relevé d'un livre.
fn last_valued(machine: &Machine) -> Moment {
    machine.books(|db| db.snapshots(None, 100_000, clock::now()))[0].at
}

#[test]
fn a_ledger_put_back_knows_nothing_of_what_came_after_the_copy() {
    let mut universe = following();
    let (copy, before) = (universe.copy_ledger(), noted(universe.machine()));
    universe.world.leader().set_target(&AFTER);
    universe.pass(HOUR, None);
    let after = noted(universe.machine());
    assert!(after.0 > before.0 && after.1 > before.1, "{after:?} is no more than {before:?}");
    let newer = universe.copy_ledger();
    universe.kill();
    universe.put_back(&copy);
    assert_eq!(noted(universe.machine()), before);
    universe.put_back(&newer);
    assert_eq!(noted(universe.machine()), after);
    crate::proof::books_are_the_exchange_s(&universe);
    universe.start();
    universe.pass(HOUR, None);
    crate::proof::allocation_is(&universe, &AFTER);
}

#[test]
fn a_copy_put_back_under_a_living_follower_is_read_at_its_next_start() {
    let mut universe = following();
    let (copy, copied_at) = (universe.copy_ledger(), last_valued(universe.machine()));
    universe.put_back(&copy);
    universe.pass(HOUR, None);
    assert_eq!(last_valued(universe.machine()), copied_at, "it wrote to a ledger it had not opened");
    universe.kill();
    universe.start();
    universe.pass(HOUR, None);
    assert!(last_valued(universe.machine()) > copied_at);
}

#[test]
fn two_followers_live_at_once_on_one_account_each_with_its_own_ledger() {
    let mut universe = following();
    let copy = universe.copy_ledger();
    let second = universe.add_machine(&copy);
    let copied_at = last_valued(&universe.machines[second]);
    let polls = universe.world.leader().polls();
    universe.machines[second].start();
    universe.pass(HOUR, None);
    assert!(universe.world.leader().polls() > polls + 50, "two of them ask each two minutes");
    let both = [0, second].map(|rank| last_valued(&universe.machines[rank]));
    assert!(both.iter().all(|at| *at > copied_at), "{both:?} and {copied_at:?}");
    universe.kill();
    universe.pass(HOUR, None);
    assert_eq!(last_valued(universe.machine()), both[0], "the first is dead");
    assert!(last_valued(&universe.machines[second]) > both[1], "the second lives");
}

#[test]
fn a_copy_left_outside_that_still_trades_is_noticed_by_both_names_and_never_followed_twice() {
    let mut universe = following();
    universe.world.exchange().person().bring("USDC", dec!(3000));
    let copy = universe.copy_ledger();
    universe.world.leader().set_target(&AFTER);
    universe.pass(HOUR, None);
    let second = universe.add_machine(&copy);
    universe.machines[second].start();
    universe.pass(HOUR, None);
    // Une personne dit que l'autre est éteinte, et elle ne l'est pas.
    let commands = universe.machines[second].commands().expect("it lives");
    let chosen = async move {
        commands.disown().await?;
        commands.pause(Some(false)).await
    };
    assert!(matches!(universe.hear(chosen), Some(Ok(false))));
    universe.pass(2 * HOUR, None);
    let doubted = universe.books(|db| db.evidence());
    assert!(doubted.iter().all(|order| order.bears == Bears::OurTag), "{doubted:?}");
    assert!(!doubted.is_empty(), "the first does not see the second");
    let sent = |universe: &Universe| universe.world.exchange().accepted_orders().len();
    let (before, trades) = (sent(&universe), noted(&universe.machines[second]).0);
    universe.world.leader().set_target(&BEFORE);
    universe.pass(HOUR, None);
    let followed = noted(&universe.machines[second]).0 - trades;
    assert!(followed > 0, "the second is the one that a person chose");
    assert_eq!(sent(&universe) - before, followed, "the first followed it too");
}

/// Un livre neuf lit tout ce que le compte a fait avant de rien envoyer, mille ordres à la fois.
#[test]
fn a_past_behind_thousands_of_orders_of_others_is_found_before_anything_is_sent() {
    let blank = Universe::new(1, 0).copy_ledger();
    let mut universe = Universe::new(1, 0);
    let price = universe.world.exchange().price("BTCUSDC").round_dp(0) / dec!(2);
    for n in 0..2500 {
        let name = format!("theirs-{n}");
        let id = universe.world.exchange().rest_order("BTCUSDC", OrderSide::Buy, price, dec!(0.0002), &name);
        universe.world.exchange().person().cancel(id.expect("the balance covers it")).expect("it rests");
    }
    universe.world.leader().set_target(&BEFORE);
    universe.start();
    universe.pass(HOUR, None);
    universe.kill();
    let before = universe.world.exchange().accepted_orders().len();
    let second = universe.add_machine(&blank);
    universe.machines[second].start();
    universe.pass(HOUR, None);
    let seen = universe.machines[second].books(|db| db.foreign_orders(10_000));
    assert!(!seen.is_empty() && seen.iter().all(|order| order.bears == Bears::AnotherTag), "{}", seen.len());
    assert_eq!(
        universe.world.exchange().accepted_orders().len(),
        before,
        "it bought what was bought already"
    );
}
