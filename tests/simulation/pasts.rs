//! Un livre remis comme il était : à un moment quelconque, après quoi l'histoire a continué sans lui.

use std::time::Duration;

use calvalot::clock;
use calvalot::domain::booking::Booking;
use calvalot::domain::intent::State;
use calvalot::domain::money::Eur;
use calvalot::domain::withdrawal::Asked;
use calvalot::engine::Decision;
use calvalot::ledger::{Bears, WithdrawalRequest};
use fastrand::Rng;
use rust_decimal::dec;

use crate::tally::Tally;
use crate::universe::Universe;
use crate::{chapter, person, reach, rest, scenario};

/// Le temps qu'il faut à un suiveur pour lire le compte, et à un signal pour être suivi s'il l'était.
const LOOK: Duration = Duration::from_secs(20 * 60);

const SOME: Eur = Eur::new(dec!(200));

/// Une vie dont le livre est remis à un moment passé ; panique si une promesse n'est pas tenue.
pub fn relive(seed: u64) -> Tally {
    let mut dice = Rng::with_seed(seed ^ 0x7061_7374);
    let mut universe = Universe::new(seed, 0);
    let bnb = dice.bool();
    universe.world.exchange().edit_account(|account| account.bnb_fees = bnb);
    universe.start();
    let (before, after) = (dice.u32(1..4), dice.u32(1..4));
    for _ in 0..before {
        chapter(&mut universe, &mut dice);
    }
    // La copie est d'un instant où une personne voulait tout vendre ; elle a changé d'avis depuis.
    let wished = dice.u32(0..3) == 0;
    if wished {
        scenario::heal(&mut universe);
        universe.books(|db| db.open_sell_all(None, clock::now()));
    }
    // Ou de l'argent à sortir, qu'elle a laissé investir depuis.
    let withdrawn = !wished && dice.u32(0..3) == 0;
    if withdrawn {
        scenario::heal(&mut universe);
        let request = WithdrawalRequest { asked: Asked::Euros(SOME), understood: true, key: None };
        universe.ask(async move |commands| commands.withdraw(request).await);
        universe.pass(LOOK, None);
    }
    let copy = universe.copy_ledger();
    if wished {
        universe.books(|db| db.set_paused(Some(false), clock::now()));
    }
    if withdrawn {
        person::call_off(&mut universe);
    }
    // Ce qu'elle y verse, la copie n'en sait rien, et les ordres d'après le dépensent.
    if dice.u32(0..3) == 0 {
        scenario::heal(&mut universe);
        universe.pass(LOOK, None);
        universe.ask(async |commands| commands.enter(Booking::Deposit(SOME), None).await);
    }
    for _ in 0..after {
        chapter(&mut universe, &mut dice);
    }
    scenario::heal(&mut universe);
    universe.kill();
    // Ce qui était en route arrive encore.
    universe.pass(Duration::from_secs(300), None);
    universe.put_back(&copy);
    universe.start();
    let adopted = catch_up(&mut universe);
    let taken = universe.books(|db| db.withdrawals(None)).iter().any(|kept| !kept.taken.is_zero());
    assert!(!taken, "what the lost orders spent was taken for money that a person took out");
    person::call_off(&mut universe);
    universe.resume();
    rest(&mut universe);
    let target = scenario::target(&mut dice);
    reach(&mut universe, &target);
    let mut tally = Tally::of(&universe);
    tally.set_back = u64::from(adopted);
    tally
}

/// Regarde le suiveur attendre s'il lui manque quelque chose, puis l'adopter ; rend s'il lui manquait quelque chose.
fn catch_up(universe: &mut Universe) -> bool {
    let sent = |universe: &Universe| universe.world.exchange().accepted_orders().len();
    let before = sent(universe);
    universe.pass(LOOK, None);
    let evidence = universe.books(|db| db.evidence());
    if evidence.is_empty() {
        return false;
    }
    assert!(evidence.iter().all(|order| order.bears == Bears::OurTag), "{evidence:?}");
    assert_eq!(sent(universe), before, "it traded on a past that it did not know: {evidence:?}");
    // La personne voit ce que ces ordres ont changé, et voudrait le compter.
    assert_eq!(person::settle_differences(universe), 0, "counted before, it is counted twice");
    adopt(universe, evidence.len());
    universe.pass(LOOK, None);
    assert_eq!(sent(universe), before, "it traded before a person had looked");
    true
}

/// Adopte ces ordres ; ceux qu'un ordre en doute a peut-être payés attendent qu'une personne l'ait fini.
fn adopt(universe: &mut Universe, mut missing: usize) {
    for _ in 0..4 {
        let adopted = universe.ask(async |commands| commands.adopt().await.map(|brought| brought.orders));
        let adopted = adopted.expect("it answers");
        if adopted == Ok(missing) {
            return assert_eq!(universe.books(|db| db.evidence()).len(), 0);
        }
        missing = universe.books(|db| db.evidence()).len();
        let doubtful = universe.books(|db| db.doubtful());
        assert!(!doubtful.is_empty(), "{missing} left without a reason: {adopted:?}");
        for stuck in doubtful {
            if stuck.state == State::Stuck && universe.release(stuck.id).is_none() {
                universe.decide(stuck.id, Decision::Settle);
            }
        }
        universe.pass(LOOK, None);
    }
    panic!("{missing} are still to be adopted");
}
