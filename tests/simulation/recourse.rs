//! Ce qui suit un ordre qui n'a rien échangé : planifié à nouveau, abandonné à cause de son âge, ou laissé par une personne.

use std::time::Duration;

use calvalot::domain::intent::State;
use calvalot::domain::market::Coin;
use calvalot::domain::money::Quantity;
use calvalot::engine::Decision;
use calvalot::ledger::views::{Intent, Selection};
use calvalot::sim::{Fault, On, Wire};
use rust_decimal::{Decimal, dec};

use crate::proof;
use crate::universe::Universe;

const HOUR: Duration = Duration::from_secs(3600);

const HELD: &[(&str, Decimal)] = &[("BTCUSDC", dec!(0.2)), ("SOLUSDC", dec!(0.2))];

fn orders() -> On {
    On::exchange("/api/v3/order").method("POST")
}

fn intents_of(universe: &Universe, coin: Coin) -> Vec<Intent> {
    let mut intents = universe.books(|db| db.orders(1_000));
    intents.retain(|intent| intent.coin == coin);
    intents.sort_by_key(|intent| intent.id);
    intents
}

fn states_of(universe: &Universe, coin: Coin) -> Vec<State> {
    intents_of(universe, coin).iter().map(|intent| intent.state).collect()
}

/// Tout ordre de cette paire finit EXPIRED sans rien échanger, tant que son prix de référence est loin du carnet.
fn expire(universe: &Universe, expires: bool) {
    let far = expires.then(|| universe.world.exchange().price("SOLUSDC") * dec!(2));
    universe.world.exchange().edit_listing("SOLUSDC", |listing| {
        listing.reference_price = far;
        listing.price_range = far.map(|_| dec!(0.05));
    });
}

/// La réponse à l'envoi le dit, ou une question plus tard : c'est la même chose.
#[test]
fn a_sale_that_ended_with_nothing_exchanged_is_planned_again_wherever_it_is_learned() {
    for lost in [false, true] {
        let mut universe = Universe::following(HELD);
        expire(&universe, true);
        if lost {
            universe.world.fault(orders().next(1), Fault::processed(Wire::Reset));
        }
        let before = universe.world.exchange().accepted_orders().len();
        let id = universe.world.leader().set_target(&[("BTCUSDC", dec!(0.2))]);
        while universe.world.exchange().accepted_orders().len() == before {
            universe.pass(Duration::from_millis(100), None);
        }
        expire(&universe, false);
        universe.pass(HOUR, None);
        assert_eq!(
            states_of(&universe, Coin::Sol),
            [State::Filled, State::Abandoned, State::Filled],
            "{lost}"
        );
        let signals = universe.books(|db| db.signals(&Selection::last(1)));
        assert_eq!(
            (signals[0].signal_id.as_str(), signals[0].status.as_str()),
            (id.as_str(), "executed"),
            "{lost}"
        );
        let left = universe.books(|db| db.holdings()).expect("open").positions[Coin::Sol].quantity;
        assert!(left < Quantity::new(dec!(0.001)), "{lost}: {left} SOL were kept");
        proof::books_are_the_exchange_s(&universe);
    }
}

/// Ce n'est pas sans fin : cinq fois, d'où qu'on l'apprenne.
#[test]
fn an_order_that_always_ends_with_nothing_exchanged_is_given_up_after_five_times_then_tried_more_and_more_seldom()
 {
    for lost in [false, true] {
        let mut universe = Universe::following(HELD);
        expire(&universe, true);
        if lost {
            universe.world.fault(orders(), Fault::processed(Wire::Reset));
        }
        universe.world.leader().set_target(&[("BTCUSDC", dec!(0.2))]);
        universe.pass(HOUR * 2, None);
        let states = states_of(&universe, Coin::Sol);
        let tried = &states[1..];
        assert!(tried.iter().all(|state| *state == State::Abandoned), "{lost}: {tried:?}");
        assert!((7..=14).contains(&tried.len()), "{lost}: {} times in two hours", tried.len());
        let signals = universe.books(|db| db.signals(&Selection::last(1)));
        let told = signals[0].error_message.clone().unwrap_or_default();
        assert!(signals[0].status == "error" && told.contains("tried 5 times"), "{lost}: {told}");
        proof::books_are_the_exchange_s(&universe);
    }
}

/// L'argent d'une personne bouge pendant un doute : cela ne le prolonge pas, et n'en fait pas un second ordre.
#[test]
fn money_that_a_person_moves_meanwhile_never_keeps_an_order_in_doubt() {
    for arrived in [false, true] {
        let mut universe = Universe::following(HELD);
        let fault = if arrived { Fault::processed(Wire::Reset) } else { Fault::unprocessed(Wire::Reset) };
        universe.world.fault(orders().next(1), fault);
        let target = [("BTCUSDC", dec!(0.2)), ("SOLUSDC", dec!(0.2)), ("XRPUSDC", dec!(0.2))];
        universe.world.leader().set_target(&target);
        while universe.books(|db| db.doubtful()).is_empty() {
            universe.pass(Duration::from_secs(1), None);
        }
        universe.bring("USDC", dec!(300));
        universe.pass(Duration::from_secs(10 * 60), None);
        let states = states_of(&universe, Coin::Xrp);
        let expected: &[State] = if arrived { &[State::Filled] } else { &[State::Absent, State::Filled] };
        assert_eq!(states, expected, "{arrived}");
        proof::each_order_once(&universe);
        proof::books_are_the_exchange_s(&universe);
    }
}

/// L'argent qu'un achat en doute aurait dépensé n'est plus là : rien ne dit que ce n'est pas lui.
#[test]
fn money_that_is_gone_meanwhile_is_never_taken_for_a_proof_that_a_purchase_did_not_happen() {
    let mut universe = Universe::following(HELD);
    universe.world.fault(orders().next(1), Fault::unprocessed(Wire::Reset));
    let target = [("BTCUSDC", dec!(0.2)), ("SOLUSDC", dec!(0.2)), ("XRPUSDC", dec!(0.2))];
    universe.world.leader().set_target(&target);
    while universe.books(|db| db.doubtful()).is_empty() {
        universe.pass(Duration::from_secs(1), None);
    }
    universe.world.exchange().person().withdraw("USDC", dec!(200)).expect("it is there");
    universe.pass(Duration::from_secs(10 * 60), None);
    assert_eq!(states_of(&universe, Coin::Xrp), [State::Unknown]);
    universe.pass(HOUR, None);
    assert_eq!(states_of(&universe, Coin::Xrp), [State::Stuck]);
}

/// Un ordre de XRP dont rien ne se prouve pendant une demi-heure, et qu'une personne doit regarder.
fn stuck(universe: &mut Universe) -> Intent {
    universe.world.fault(orders().next(1), Fault::unprocessed(Wire::Close));
    universe.world.fault(On::exchange("/api/v3/order").method("GET"), Fault::unprocessed(Wire::Close));
    universe.pass(HOUR, None);
    universe.world.clear_faults();
    let stuck = universe.books(|db| db.doubtful());
    assert_eq!(
        stuck.iter().map(|intent| (intent.coin, intent.state)).collect::<Vec<_>>(),
        [(Coin::Xrp, State::Stuck)]
    );
    stuck[0].clone()
}

#[test]
fn an_action_whose_order_is_released_late_is_not_sent_at_a_price_of_another_time() {
    let mut universe = Universe::following(HELD);
    let id = universe.world.leader().set_actions(&[("XRPUSDC", "BUY", dec!(0.2))], None);
    let stuck = stuck(&mut universe);
    universe.pass(HOUR * 6, None);
    assert!(universe.release(stuck.id).is_some());
    universe.pass(HOUR, None);
    assert_eq!(states_of(&universe, Coin::Xrp), [State::Absent]);
    let signals = universe.books(|db| db.signals(&Selection::last(1)));
    let told = signals[0].error_message.clone().unwrap_or_default();
    assert_eq!((signals[0].signal_id.as_str(), signals[0].status.as_str()), (id.as_str(), "skipped"));
    assert!(told.contains("its signal is 6 hours old"), "{told}");
    proof::every_coin_has_its_answer(&universe);
    proof::books_are_the_exchange_s(&universe);
}

#[test]
fn a_target_whose_order_is_released_late_is_planned_anew() {
    let mut universe = Universe::following(HELD);
    let target = [("BTCUSDC", dec!(0.2)), ("SOLUSDC", dec!(0.2)), ("XRPUSDC", dec!(0.2))];
    universe.world.leader().set_target(&target);
    let stuck = stuck(&mut universe);
    universe.pass(HOUR * 6, None);
    assert!(universe.release(stuck.id).is_some());
    universe.pass(HOUR, None);
    assert_eq!(states_of(&universe, Coin::Xrp), [State::Absent, State::Filled]);
    proof::no_signal_is_open(&universe);
    proof::allocation_is(&universe, &target);
    proof::books_are_the_exchange_s(&universe);
}

/// Réglé au dehors : ce signal n'y touche plus, le suivant en décide.
#[test]
fn a_coin_whose_order_a_person_settled_is_left_until_the_next_signal() {
    let mut universe = Universe::following(HELD);
    let target = [("BTCUSDC", dec!(0.2)), ("SOLUSDC", dec!(0.2)), ("XRPUSDC", dec!(0.2))];
    universe.world.leader().set_target(&target);
    let stuck = stuck(&mut universe);
    let told = universe.decide(stuck.id, Decision::Settle).expect("it is settled");
    assert!(told.contains("nothing was booked"), "{told}");
    universe.pass(HOUR, None);
    assert_eq!(states_of(&universe, Coin::Xrp), [State::Absent]);
    proof::no_signal_is_open(&universe);
    let signals = universe.books(|db| db.signals(&Selection::last(1)));
    let xrp = signals[0].decisions.iter().find(|decision| decision.coin == Coin::Xrp).expect("decided");
    assert_eq!(xrp.code, "settled", "{xrp:?}");
    assert_eq!(universe.decide(stuck.id, Decision::Settle), None, "once");
    let target = [("BTCUSDC", dec!(0.2)), ("SOLUSDC", dec!(0.2)), ("XRPUSDC", dec!(0.25))];
    universe.world.leader().set_target(&target);
    universe.pass(HOUR, None);
    proof::allocation_is(&universe, &target);
    proof::books_are_the_exchange_s(&universe);
}
