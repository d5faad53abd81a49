//! Ce que la bourse dit s'être passé est toujours compté ; ce qui ne peut pas l'être ferme l'échange, ne retient que soi,
//! se refait à un rythme tranquille, et une personne peut toujours en finir.

use std::time::Duration;

use calvalot::domain::booking::Booking;
use calvalot::domain::by_hand::ByHand;
use calvalot::domain::intent::State;
use calvalot::domain::market::Coin;
use calvalot::domain::money::{Quantity, Usdc};
use calvalot::domain::reconcile::Asset;
use calvalot::engine::Decision;
use calvalot::ledger::views::{Intent, Selection};
use calvalot::sim::{Fault, Lag, On, View, Wire};
use rust_decimal::{Decimal, dec};

use crate::proof;
use crate::universe::Universe;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

const VIEWS: [View; 4] = [View::Order, View::AllOrders, View::MyTrades, View::Account];

type Target<'a> = &'a [(&'static str, Decimal)];

const HELD: Target<'static> = &[("BTCUSDC", dec!(0.2)), ("SOLUSDC", dec!(0.2))];
const THREE: Target<'static> = &[
    ("BTCUSDC", dec!(0.2)),
    ("SOLUSDC", dec!(0.2)),
    ("BNBUSDC", dec!(0.1)),
    ("ETHUSDC", dec!(0.2)),
    ("XRPUSDC", dec!(0.1)),
];

fn orders() -> On {
    On::exchange("/api/v3/order").method("POST")
}

fn lists(universe: &Universe) -> u64 {
    universe.world.exchange().calls("/api/v3/allOrders")
}

fn closed(universe: &Universe) -> Option<String> {
    universe.books(|db| db.exchange_state()).closed
}

fn last_of(universe: &Universe, coin: Coin) -> Intent {
    let intents = universe.books(|db| db.orders(1_000));
    let of_coin = intents.into_iter().filter(|intent| intent.coin == coin);
    of_coin.max_by_key(|intent| intent.id).expect("it was wanted")
}

fn states(universe: &Universe, coins: &[Coin]) -> Vec<State> {
    coins.iter().map(|coin| last_of(universe, *coin).state).collect()
}

fn sent(universe: &Universe) -> usize {
    universe.world.exchange().accepted_orders().len()
}

/// Une vente exécutée sans que la bourse ne le montre, puis refaite : le compte en tenait assez pour les deux.
fn sold_twice(universe: &mut Universe) {
    universe.bring("SOL", dec!(50));
    universe.pass(HOUR, None);
    for view in VIEWS {
        universe.world.exchange().set_lag(view, Lag::For(HOUR / 2));
    }
    universe.world.fault(orders().next(1), Fault::processed(Wire::Reset));
    universe.world.leader().set_target(&[("BTCUSDC", dec!(0.2))]);
    universe.pass(HOUR / 4, None);
    let states: Vec<State> = universe
        .books(|db| db.orders(10))
        .iter()
        .filter(|intent| intent.coin == Coin::Sol)
        .map(|intent| intent.state)
        .collect();
    assert_eq!(states, [State::Filled, State::Absent, State::Filled], "newest first");
}

#[test]
fn a_sale_executed_twice_is_booked_and_what_it_sold_of_others_is_theirs_to_the_last_digit() {
    let mut universe = Universe::following(HELD);
    sold_twice(&mut universe);
    let before = universe.books(|db| db.holdings()).expect("open");
    universe.pass(HOUR, None);
    let late = universe.books(|db| db.late());
    assert_eq!(late.iter().map(|intent| intent.coin).collect::<Vec<_>>(), [Coin::Sol]);
    let (after, others) = universe.books(|db| Ok((db.holdings()?.expect("open"), db.of_others()?)));
    // La position n'avait plus qu'une poussière : presque tout était à d'autres, et le produit avec.
    assert!(after.positions[Coin::Sol].quantity.is_zero());
    assert!(others.of("SOL").is_positive() && others.of("USDC") < Quantity::new(dec!(-150)), "{others:?}");
    assert!((after.cash - before.cash).decimal() < dec!(1), "{after:?}");
    proof::books_are_the_exchange_s(&universe);
    assert_eq!(closed(&universe), None);
    assert!(universe.release(late[0].id).is_some());
    universe.world.leader().set_target(HELD);
    universe.pass(HOUR, None);
    proof::books_are_the_exchange_s(&universe);
    proof::allocation_is(&universe, HELD);
}

/// Le même, quand le grand livre ne prend pas ce trade : ce fut une règle de la base, à jamais.
#[test]
fn a_late_order_that_cannot_be_booked_closes_trading_quietly_and_then_waits_for_a_person() {
    let mut universe = Universe::following(HELD);
    sold_twice(&mut universe);
    universe.books(|db| db.refuse_trades(Some(Coin::Sol)));
    let before = (sent(&universe), lists(&universe));
    universe.pass(HOUR / 2 + MINUTE * 20, None);
    let reason = closed(&universe).expect("closed while it is not booked");
    assert!(reason.contains("SOLUSDC") && reason.contains("a rule of this table"), "{reason}");
    universe.world.leader().set_target(THREE);
    universe.pass(MINUTE * 9, None);
    assert_eq!(sent(&universe), before.0, "something was sent while an order was not booked");
    universe.pass(HOUR, None);
    assert!(lists(&universe) - before.1 < 5 * 25, "{} lists in two hours", lists(&universe) - before.1);
    let stuck = universe.books(|db| db.doubtful());
    assert_eq!(
        stuck.iter().map(|intent| (intent.coin, intent.state)).collect::<Vec<_>>(),
        [(Coin::Sol, State::Stuck)]
    );
    assert_eq!(closed(&universe), None, "a person was called: the other coins go on");
    // Exécuté après qu'on l'a cru absent : les achats attendent cette personne, et rien d'autre n'est perdu.
    universe.books(|db| db.refuse_trades(None));
    let told = universe.release(stuck[0].id).expect("it is released");
    assert!(told.contains("in the books"), "{told}");
    assert!(universe.books(|db| db.late()).is_empty(), "who released it has seen it");
    universe.pass(HOUR, None);
    proof::books_are_the_exchange_s(&universe);
    proof::no_signal_is_open(&universe);
    proof::allocation_is(&universe, THREE);
}

/// Trois réponses perdues ; le grand livre ne prend pas l'une.
fn three_in_doubt(universe: &mut Universe) {
    universe.world.fault(orders().next(3), Fault::processed(Wire::Reset));
    universe.world.leader().set_target(THREE);
}

const BOUGHT: [Coin; 3] = [Coin::Bnb, Coin::Eth, Coin::Xrp];

#[test]
fn an_order_that_cannot_be_booked_closes_trading_and_starves_no_other() {
    let mut universe = Universe::following(HELD);
    universe.books(|db| db.refuse_trades(Some(Coin::Eth)));
    three_in_doubt(&mut universe);
    universe.pass(MINUTE * 4, None);
    assert_eq!(states(&universe, &BOUGHT), [State::Filled, State::Unknown, State::Filled]);
    let reason = closed(&universe).expect("closed while it is not booked");
    assert!(reason.contains("ETHUSDC") && reason.contains("a rule of this table"), "{reason}");
    let before = (sent(&universe), universe.world.exchange().calls("/api/v3/order"));
    universe.world.leader().set_target(HELD);
    universe.pass(MINUTE * 20, None);
    assert_eq!(sent(&universe), before.0, "something was sent while an order was not booked");
    let asked = universe.world.exchange().calls("/api/v3/order") - before.1;
    assert!((2..8).contains(&asked), "asked {asked} times in 20 minutes");
    universe.books(|db| db.refuse_trades(None));
    universe.pass(HOUR / 4, None);
    assert_eq!((states(&universe, &[Coin::Eth]), closed(&universe)), (vec![State::Filled], None));
    universe.pass(HOUR, None);
    proof::each_order_once(&universe);
    proof::books_are_the_exchange_s(&universe);
    proof::allocation_is(&universe, HELD);
}

#[test]
fn an_order_that_can_never_be_booked_waits_for_a_person_who_can_always_end_it() {
    for by_hand in [true, false] {
        let mut universe = Universe::following(HELD);
        universe.books(|db| db.refuse_trades(Some(Coin::Eth)));
        three_in_doubt(&mut universe);
        universe.pass(HOUR, None);
        let stuck = last_of(&universe, Coin::Eth);
        assert_eq!((stuck.state, closed(&universe)), (State::Stuck, None), "{stuck:?}");
        assert!(stuck.reason.as_ref().is_some_and(|reason| reason.contains("a rule of this table")));
        if by_hand {
            universe.books(|db| db.refuse_trades(None));
            let orders = universe.world.exchange().accepted_orders();
            let order = orders.iter().rfind(|order| order.pair == "ETHUSDC").expect("it was executed");
            let fee: Decimal = order.fills.iter().map(|fill| fill.commission).sum();
            let typed = ByHand {
                quantity: Quantity::new(order.executed),
                usdc: Usdc::new(order.quote),
                fee: Quantity::new(fee),
                fee_asset: order.fills[0].commission_asset.clone(),
            };
            assert!(universe.decide(stuck.id, Decision::Book(typed)).is_some());
            universe.pass(HOUR, None);
            proof::books_are_the_exchange_s(&universe);
            proof::allocation_is(&universe, THREE);
        } else {
            // Même quand le grand livre n'en prend pas le trade.
            assert!(universe.decide(stuck.id, Decision::Settle).is_some());
            assert_eq!(last_of(&universe, Coin::Eth).state, State::Absent);
            universe.pass(MINUTE * 10, None);
            assert!(universe.books(|db| db.doubtful()).is_empty());
            // Une exécution qui se montre encore est un fait : bookée tard, comme toute autre.
            universe.books(|db| db.refuse_trades(None));
            universe.pass(HOUR * 2, None);
            let late = universe.books(|db| db.late());
            assert_eq!(late.iter().map(|intent| intent.id).collect::<Vec<_>>(), [stuck.id]);
            proof::books_are_the_exchange_s(&universe);
        }
        proof::each_order_once(&universe);
    }
}

/// Réglé, puis ce qu'il avait changé au compte noté par la personne : ce qu'il a exécuté est aux livres.
#[test]
fn an_order_settled_together_with_its_difference_is_not_booked_a_second_time_when_it_shows() {
    let mut universe = Universe::following(HELD);
    universe.books(|db| db.refuse_trades(Some(Coin::Eth)));
    three_in_doubt(&mut universe);
    universe.pass(HOUR, None);
    let stuck = last_of(&universe, Coin::Eth);
    assert!(universe.decide(stuck.id, Decision::Settle).is_some());
    universe.pass(MINUTE * 10, None);
    let difference = |universe: &Universe, asset: &str| {
        let lines = universe.books(|db| db.balances());
        lines.iter().find(|line| line.asset == asset).expect("a line").line.difference()
    };
    // Ce qu'il a coûté était de l'argent d'un autre usage : rien n'en manque.
    let bought = difference(&universe, "ETH");
    assert!(bought.is_positive() && difference(&universe, "USDC").is_positive(), "{bought}");
    let booking = Booking::Count(Asset::Coin(Coin::Eth), bought);
    let booked = universe.ask(async move |commands| commands.enter(booking, None).await);
    assert!(matches!(booked, Some(Ok(_))), "{booked:?}");
    universe.books(|db| db.refuse_trades(None));
    universe.pass(HOUR * 3, None);
    assert!(universe.books(|db| db.late()).is_empty(), "it was counted twice");
    assert!(difference(&universe, "ETH").is_zero(), "{}", difference(&universe, "ETH"));
    assert_eq!(closed(&universe), None);
    // Jugé une fois : des coins à elle, arrivés plus tard, n'y changent rien.
    universe.bring("ETH", bought.decimal());
    universe.pass(HOUR * 3, None);
    assert!(universe.books(|db| db.late()).is_empty(), "her own coins undid it");
}

/// Chaque écriture, l'une après l'autre, échoue une fois pendant que trois ordres trouvés sont comptés.
#[test]
fn whichever_write_fails_trading_is_closed_the_others_are_booked_and_it_recovers() {
    let mut held = 0;
    for nth in 1..=24 {
        let mut universe = Universe::following(HELD);
        three_in_doubt(&mut universe);
        let executed = |universe: &Universe| {
            let orders = universe.world.exchange().accepted_orders();
            orders.iter().filter(|order| order.executed > Decimal::ZERO).count()
        };
        let before = executed(&universe);
        while executed(&universe) < before + 3 {
            universe.pass(Duration::from_millis(20), None);
        }
        universe.books(move |db| {
            db.refuse_write(nth);
            Ok(())
        });
        universe.pass(Duration::from_secs(45), None);
        let states = states(&universe, &BOUGHT);
        let waiting = states.iter().filter(|state| **state != State::Filled).count();
        assert!(waiting <= 1, "write {nth}: {states:?}");
        if waiting == 1 {
            held += 1;
            assert!(closed(&universe).is_some(), "write {nth}: open while {states:?}");
        }
        universe.pass(MINUTE * 12, None);
        assert_eq!(closed(&universe), None, "write {nth}");
        universe.pass(HOUR, None);
        proof::each_order_once(&universe);
        proof::books_are_the_exchange_s(&universe);
        proof::no_signal_is_open(&universe);
        proof::allocation_is(&universe, THREE);
    }
    assert!(held >= 3, "only {held} of these writes were of an order");
}

/// Un disque plein pendant une heure, alors que trois ordres trouvés sont à compter : rien ne part, rien ne s'affole.
#[test]
fn while_nothing_can_be_written_nothing_is_sent_nor_asked_without_end() {
    let mut universe = Universe::following(HELD);
    three_in_doubt(&mut universe);
    universe.pass(Duration::from_millis(3_000), None);
    universe.books(|db| db.refuse_writes(true));
    universe.world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let before = (sent(&universe), lists(&universe), universe.world.exchange().calls("/api/v3/order"));
    universe.pass(HOUR, None);
    assert_eq!(sent(&universe), before.0);
    assert!(lists(&universe) - before.1 <= 5 * 15, "{} lists in an hour", lists(&universe) - before.1);
    let asked = universe.world.exchange().calls("/api/v3/order") - before.2;
    assert!(asked <= 60, "{asked} questions in an hour");
    universe.books(|db| db.refuse_writes(false));
    universe.pass(HOUR / 2, None);
    assert_eq!((states(&universe, &BOUGHT), closed(&universe)), (vec![State::Filled; 3], None));
    universe.pass(HOUR, None);
    proof::each_order_once(&universe);
    proof::books_are_the_exchange_s(&universe);
}

/// Une paire dont la liste ne se lit pas n'empêche pas de revoir les autres.
#[test]
fn a_list_that_cannot_be_read_closes_trading_and_does_not_hide_a_late_order_of_another_coin() {
    let mut universe = Universe::following(HELD);
    sold_twice(&mut universe);
    let garbled = Wire::Rewrite { from: "\"BTCUSDC\"".to_owned(), to: "\"DOGEUSDC\"".to_owned() };
    universe.world.fault(On::exchange("/api/v3/allOrders"), Fault::processed(garbled));
    universe.world.exchange().rest_order(
        "BTCUSDC",
        calvalot::sim::OrderSide::Buy,
        dec!(1000),
        dec!(0.01),
        "theirs",
    );
    let before = lists(&universe);
    universe.pass(HOUR * 2, None);
    let reason = closed(&universe).expect("closed while a list cannot be read");
    assert!(reason.contains("BTCUSDC could not be read"), "{reason}");
    assert!(reason.ends_with("it is asked again by itself, within 2 minutes"), "{reason}");
    assert_eq!(universe.books(|db| db.late()).len(), 1, "the other coin's order is booked");
    assert!(lists(&universe) - before < 5 * 65, "{} lists in two hours", lists(&universe) - before);
    universe.world.clear_faults();
    // Si longtemps qu'elle ait manqué.
    universe.pass(HOUR / 20, None);
    assert_eq!(closed(&universe), None);
}

/// Ce que la bourse raconte d'un ordre appris tard ne se compte pas : une personne, et les autres vont leur chemin.
#[test]
fn a_late_order_whose_sums_are_strange_waits_for_a_person_and_is_not_asked_for_twice() {
    let mut universe = Universe::following(HELD);
    sold_twice(&mut universe);
    let strange = Wire::Rewrite {
        from: "\"cummulativeQuoteQty\":\"".to_owned(),
        to: "\"cummulativeQuoteQty\":\"9".to_owned(),
    };
    universe.world.fault(On::exchange("/api/v3/order").method("GET"), Fault::processed(strange));
    universe.pass(HOUR * 2, None);
    let stuck = universe.books(|db| db.doubtful());
    assert_eq!(
        stuck.iter().map(|intent| (intent.coin, intent.state)).collect::<Vec<_>>(),
        [(Coin::Sol, State::Stuck)]
    );
    assert_eq!(closed(&universe), None);
    assert_eq!(universe.release(stuck[0].id), None, "it cannot be counted");
    assert!(universe.decide(stuck[0].id, Decision::Settle).is_some());
    universe.pass(HOUR * 3, None);
    // Elle le sait : ce n'est pas redemandé à la même personne.
    assert!(universe.books(|db| db.doubtful()).is_empty());
    assert_eq!(closed(&universe), None);
    let signals = universe.books(|db| db.signals(&Selection::last(1)));
    assert_eq!(signals[0].status, "executed");
}
