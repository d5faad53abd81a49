//! Deux suiveurs du même passé sur le même compte, sous une graine : une copie du livre, de n'importe quel moment, démarre sur une
//! seconde machine pendant que la première vit. Aucune intention n'est envoyée par les deux, et celui que la personne garde
//! reprend ce que l'autre a fait.

use std::collections::BTreeMap;
use std::time::Duration;

use calvalot::domain::intent::State;
use calvalot::engine::Decision;
use calvalot::sim::{Lag, View};
use fastrand::Rng;
use rust_decimal::Decimal;

use crate::machine::Machine;
use crate::tally::Tally;
use crate::universe::Universe;
use crate::{PAUSE, chapter, play, reach, rest, scenario};

/// Le temps qu'il faut à un suiveur pour lire le compte, et à un signal pour être suivi.
const LOOK: Duration = Duration::from_secs(20 * 60);

/// Une demande, de la lecture des ordres à l'envoi : deux copies qui y sont ensemble ne se voient pas. La limite connue.
const SAME_WINDOW: Duration = Duration::from_secs(1);

fn live_twice(seed: u64) -> Tally {
    let mut dice = Rng::with_seed(seed ^ 0x7477_696e);
    let mut universe = Universe::new(seed, 0);
    universe.start();
    for _ in 0..dice.u32(1..3) {
        chapter(&mut universe, &mut dice);
    }
    let copy = universe.copy_ledger();
    for _ in 0..dice.u32(0..2) {
        chapter(&mut universe, &mut dice);
    }
    universe.add_machine(&copy);
    calm(&mut universe, &mut dice);
    for _ in 0..dice.u32(1..4) {
        universe.world.leader().set_target(&scenario::target(&mut dice));
        scenario::move_prices(&universe, &mut dice);
        universe.judge_anew();
        if dice.bool() {
            scenario::break_something(&mut universe, &mut dice);
            see_at_once(&universe);
        }
        let steps = dice.bool().then(|| dice.u64(1..600));
        universe.pass(Duration::from_secs(dice.u64(60..2_000)), steps);
        if collided(&universe) {
            return Tally::of(&universe);
        }
        calm(&mut universe, &mut dice);
    }
    universe.pass(LOOK, None);
    if collided(&universe) {
        return Tally::of(&universe);
    }
    let adopted = keep_one(&mut universe, &mut dice);
    rest(&mut universe);
    let target = scenario::target(&mut dice);
    reach(&mut universe, &target);
    let mut tally = Tally::of(&universe);
    tally.set_back = u64::from(adopted > 0);
    tally
}

/// Tout remarche ; les deux repartent, l'un après l'autre.
fn calm(universe: &mut Universe, dice: &mut Rng) {
    scenario::heal(universe);
    universe.machines.iter_mut().for_each(Machine::kill);
    for rank in 0..universe.machines.len() {
        universe.machines[rank].start();
        universe.pass(Duration::from_secs(dice.u64(20..100)), None);
    }
}

/// Une liste en retard, ou un réseau lent, cacherait à l'un ce que l'autre vient d'envoyer : la limite connue, en plus long.
fn see_at_once(universe: &Universe) {
    universe.machine().network.set_latency(Duration::from_millis(80));
    for view in [View::Order, View::AllOrders, View::MyTrades, View::Account] {
        universe.world.exchange().set_lag(view, Lag::None);
    }
}

/// Aucun nom n'a été exécuté deux fois, par qui que ce soit ; rend vrai si cela est arrivé dans une même fenêtre : chacun a
/// regardé avant que l'ordre de l'autre n'y soit.
fn collided(universe: &Universe) -> bool {
    let mut executed = BTreeMap::<String, Vec<i64>>::new();
    for order in universe.world.exchange().accepted_orders() {
        if order.executed > Decimal::ZERO {
            executed.entry(order.client_id).or_default().push(order.time_ms);
        }
    }
    executed.retain(|_, moments| moments.len() > 1);
    let apart = |moments: &Vec<i64>| Duration::from_millis(moments[moments.len() - 1].abs_diff(moments[0]));
    assert!(executed.values().all(|moments| apart(moments) < SAME_WINDOW), "sent twice: {executed:?}");
    !executed.is_empty()
}

/// La personne éteint l'un des deux pour de bon, et dit à l'autre de reprendre ce qui lui manque, tant qu'il y en a ; rend
/// combien d'ordres. Ce que l'autre a exécuté sous un nom que celui-ci tenait pour refusé, elle l'a vu ; un ordre en doute sous le
/// nom d'un ordre de l'autre, elle le règle.
fn keep_one(universe: &mut Universe, dice: &mut Rng) -> usize {
    if dice.bool() {
        universe.machines.swap(0, 1);
    }
    universe.machines.pop().expect("there are two").kill();
    let mut adopted = 0;
    loop {
        universe.pass(PAUSE, None);
        for late in universe.books(|db| db.late()) {
            universe.release(late.id);
        }
        for stuck in universe.books(|db| db.doubtful()) {
            if stuck.state == State::Stuck && universe.release(stuck.id).is_none() {
                universe.decide(stuck.id, Decision::Settle);
            }
        }
        let missing = universe.books(|db| db.evidence()).len();
        if missing == 0 {
            universe.resume();
            return adopted;
        }
        let brought = universe.ask(async |commands| commands.adopt().await.map(|brought| brought.orders));
        assert_eq!(brought, Some(Ok(missing)));
        adopted += missing;
    }
}

#[test]
fn two_copies_alive_at_once_never_send_the_same_and_either_can_go_on_alone() {
    if let Some(tally) = play(live_twice, &[1802]) {
        assert!(tally.set_back > 0, "no copy ever missed what the other did: {tally:?}");
    }
}
