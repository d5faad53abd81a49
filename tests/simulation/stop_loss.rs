//! La perte que l'on se fixe, sous une graine, pendant que tout casse et que le suiveur meurt n'importe où : une vraie chute
//! vend tout, une fois, et plus rien ne suit le leader ; ce qui n'en est pas une (un faux cours, un retrait, un dépôt, un recul
//! moindre) n'arrête rien. `STOP=7` en rejoue une seule.

use std::panic::catch_unwind;
use std::time::Duration;

use calvalot::domain::booking::Booking;
use calvalot::domain::market::Coin;
use calvalot::domain::money::Eur;
use calvalot::domain::order::Side;
use calvalot::domain::stop_loss::{Choice, Limit};
use calvalot::domain::withdrawal::Asked;
use calvalot::ledger::WithdrawalRequest;
use calvalot::sim::Misquote;
use fastrand::Rng;
use rust_decimal::{Decimal, dec};

use crate::universe::Universe;
use crate::{mend, proof, rest, scenario, settle};

/// Assez pour un passage ordinaire des tests.
const SEEDS: u64 = 12;

const HELD: &[(&str, Decimal)] = &[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.3)), ("XRPUSDC", dec!(0.2))];

const PAIRS: [&str; 5] = ["BNBUSDC", "BTCUSDC", "ETHUSDC", "SOLUSDC", "XRPUSDC"];

/// Ce qu'une position peut garder : un minimum de la bourse, à sa marge près.
const DUST: Decimal = dec!(6);

/// Un suiveur qui tient presque tout en coins, à 20 % de son plus haut.
fn limited(seed: u64, dice: &mut Rng) -> Universe {
    let mut universe = Universe::new(seed, dice.i64(-30_000..30_000));
    universe.start();
    universe.world.leader().set_target(HELD);
    settle(&mut universe);
    let choice = Choice::Own(Limit::parse("20").expect("a limit"));
    let set = universe.ask(async move |commands| commands.stop_loss(choice, false).await);
    assert!(matches!(set, Some(Ok(Some(_)))), "{set:?}");
    universe.pass(Duration::from_secs(1200), None);
    universe
}

fn fall(universe: &Universe, factor: Decimal) {
    let exchange = universe.world.exchange();
    for pair in PAIRS {
        exchange.set_price(pair, (exchange.price(pair) * factor).round_dp(4));
    }
}

/// Le suiveur meurt où il en est, et revient.
fn survive(universe: &mut Universe, dice: &mut Rng) {
    for _ in 0..dice.u32(1..5) {
        if dice.bool() {
            universe.machine().network.set_fuse(dice.u32(1..5), dice.bool());
        }
        let steps = dice.bool().then(|| dice.u64(1..400));
        universe.pass(Duration::from_secs(dice.u64(1..400)), steps);
        if !universe.is_alive() {
            universe.pass(Duration::from_secs(dice.u64(0..200)), None);
            universe.start();
        }
    }
}

/// Ce qu'un autre a pris revient : un compte qui tient moins que les livres n'est pas jugé.
fn give_back(universe: &mut Universe) {
    for (asset, taken) in universe.borrowed.drain(..) {
        let exchange = universe.world.exchange();
        exchange.set_balance(asset, exchange.balance(asset).free + taken);
    }
}

fn a_true_fall_stops_it_once(seed: u64) {
    let mut dice = Rng::with_seed(seed);
    let mut universe = limited(seed, &mut dice);
    fall(&universe, dec!(0.6));
    for _ in 0..dice.u32(1..4) {
        if dice.bool() {
            scenario::break_something(&mut universe, &mut dice);
        }
        if dice.bool() {
            universe.world.leader().set_target(&scenario::target(&mut dice));
        }
        survive(&mut universe, &mut dice);
        give_back(&mut universe);
    }
    mend(&mut universe);
    settle(&mut universe);
    // Le leader parle encore : personne ne l'écoute.
    universe.world.leader().set_target(HELD);
    rest(&mut universe);
    let agent = universe.books(|db| db.agent());
    let reason = agent.paused_reason.unwrap_or_default();
    assert!(agent.paused && reason.starts_with("the stop loss was reached") && !agent.dead, "{reason:?}");
    assert!(reason.ends_with("(sell-all-1)"), "{reason}: twice");
    let told = universe.books(|db| db.selling_all()).expect("the pause is its own");
    assert!(told.done, "{told:?}");
    for left in &told.left {
        let (coin, quantity) = (left.open.coin, left.open.position.quantity.decimal());
        let value = quantity * universe.world.exchange().price(coin.pair());
        let refused = left.decision.as_ref().is_some_and(|decision| decision.code == "refused");
        assert!(value < DUST || refused, "{coin}: {value} USDC left: {left:?}");
    }
    nothing_is_bought_after_the_first_sale_of_all(&universe);
    proof::no_signal_is_open(&universe);
}

fn nothing_is_bought_after_the_first_sale_of_all(universe: &Universe) {
    let signals = universe.books(|db| db.signals(&calvalot::ledger::views::Selection::last(10_000)));
    let sale = signals.iter().find(|signal| signal.signal_id == "sell-all-1").expect("it is there").id;
    let intents = universe.books(|db| db.orders(10_000));
    let first = intents.iter().filter(|intent| intent.signal == sale).map(|intent| intent.id).min();
    let bought = |id: i64| intents.iter().any(|intent| intent.side == Side::Buy && intent.id > id);
    assert!(!first.is_some_and(bought), "bought after everything was sold");
}

fn what_is_no_fall_stops_nothing(seed: u64) {
    let mut dice = Rng::with_seed(seed);
    let mut universe = limited(seed, &mut dice);
    for _ in 0..dice.u32(2..6) {
        match dice.u8(0..5) {
            0 => {
                let factor = [dec!(10), dec!(1000), dec!(0.01), dec!(0.1)][dice.usize(0..4)];
                let pair = Coin::ALL[dice.usize(0..Coin::ALL.len())].pair();
                universe.world.exchange().misquote(pair, Misquote::Times(factor), dice.u64(1..4));
            }
            1 => {
                let asked = Asked::Euros(Eur::new(Decimal::from(dice.u32(20..300))));
                let request = WithdrawalRequest { asked, understood: true, key: None };
                universe.ask(async move |commands| commands.withdraw(request).await);
                survive(&mut universe, &mut dice);
                let aside = universe.books(|db| db.set_aside()).decimal();
                let exchange = universe.world.exchange();
                exchange.set_balance("USDC", exchange.balance("USDC").free - aside);
            }
            2 => {
                let deposit = Booking::Deposit(Eur::new(Decimal::from(dice.u32(20..100))));
                universe.ask(async move |commands| commands.enter(deposit, None).await);
            }
            3 => fall(&universe, dec!(1.02)),
            _ => fall(&universe, dec!(0.98)),
        }
        survive(&mut universe, &mut dice);
        universe.pass(Duration::from_secs(900), None);
        let agent = universe.books(|db| db.agent());
        assert!(!agent.paused && !agent.dead, "{:?}", agent.paused_reason);
    }
    let told = universe.books(|db| db.stop_loss());
    assert!(told.reached.is_none() && told.low_in_a_row == 0, "{told:?}");
}

#[test]
fn a_stop_loss_sells_everything_once_at_a_true_fall_and_never_otherwise() {
    let only = crate::number("STOP");
    let seeds = only.map_or(1..=crate::number("SEEDS").unwrap_or(SEEDS), |only| only..=only);
    let mut failed = Vec::new();
    for seed in seeds {
        if catch_unwind(|| a_true_fall_stops_it_once(seed)).is_err() {
            failed.push(format!("a true fall {seed}"));
        }
        if catch_unwind(|| what_is_no_fall_stops_nothing(seed)).is_err() {
            failed.push(format!("no fall {seed}"));
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}
