//! Ce qu'une personne veut, sous une graine : reprendre de l'argent ou tout vendre, pendant que tout casse et que le suiveur
//! meurt n'importe où. Jamais vendu deux fois, jamais racheté avec ce qui est mis de côté, jamais compté avant d'être parti
//! ni deux fois, jamais défait par le leader. `WISH=7` en rejoue une seule.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use calvalot::domain::booking::Booking;
use calvalot::domain::market::Coin;
use calvalot::domain::money::{Eur, Quantity, Usdc};
use calvalot::domain::movement::Kind;
use calvalot::domain::order::Side;
use calvalot::domain::reconcile::Asset;
use calvalot::domain::withdrawal::Asked;
use calvalot::ledger::WithdrawalRequest;
use calvalot::ledger::views::Withdrawal;
use calvalot::sim::{Fault, Misquote, On, Reply};
use fastrand::Rng;
use rust_decimal::{Decimal, dec};

use crate::universe::Universe;
use crate::{proof, scenario, settle};

/// Assez pour un passage ordinaire des tests.
const SEEDS: u64 = 16;

/// Ce qu'une position peut garder : un minimum de la bourse, à sa marge près, et le mouvement des prix.
const DUST: Decimal = dec!(6);

/// Un suiveur qui a atteint une première allocation.
fn settled(seed: u64, dice: &mut Rng) -> Universe {
    let mut universe = Universe::new(seed, dice.i64(-30_000..30_000));
    let bnb = dice.bool();
    universe.world.exchange().edit_account(|account| account.bnb_fees = bnb);
    universe.start();
    universe.world.leader().set_target(&scenario::target(dice));
    settle(&mut universe);
    universe
}

/// Casse, tue, relance, fait parler le leader ; à la fin tout remarche.
fn trouble(universe: &mut Universe, dice: &mut Rng, look: impl Fn(&Universe)) {
    for _ in 0..dice.u32(1..4) {
        if dice.bool() {
            scenario::break_something(universe, dice);
            // Ce qu'un autre prend au compte ne se distingue pas de ce que la personne en sort.
            for (asset, taken) in universe.borrowed.drain(..) {
                let exchange = universe.world.exchange();
                exchange.set_balance(asset, exchange.balance(asset).free + taken);
            }
        }
        if dice.bool() {
            universe.world.leader().set_target(&scenario::target(dice));
        }
        if dice.bool() {
            universe.machine().network.set_fuse(dice.u32(1..5), dice.bool());
        }
        let steps = dice.bool().then(|| dice.u64(1..400));
        universe.pass(Duration::from_secs(dice.u64(1..300)), steps);
        look(universe);
        if !universe.is_alive() {
            universe.pass(Duration::from_secs(dice.u64(0..200)), None);
            universe.start();
        }
    }
    scenario::heal(universe);
    if !universe.is_alive() {
        universe.start();
    }
    settle(universe);
    look(universe);
}

fn newest(universe: &Universe) -> Option<Withdrawal> {
    universe.books(|db| db.withdrawals(Some(1))).pop()
}

/// Ce qui est mis de côté est en cash, et n'est pas compté parti.
fn kept_aside(universe: &Universe) {
    let (cash, aside) = universe.books(|db| Ok((db.cash()?.unwrap_or_default(), db.set_aside()?)));
    assert!(aside <= cash.booked, "{aside} set aside of {} of cash", cash.booked);
    let taken = newest(universe).map(|withdrawal| withdrawal.taken).unwrap_or_default();
    assert_eq!(taken, booked(universe), "booked twice, or without being gone");
}

/// Ce que les mouvements ont repris.
fn booked(universe: &Universe) -> Usdc {
    let audit = universe.books(|db| db.audit());
    assert!(audit.damage.is_empty(), "{:?}", audit.damage);
    let opening = universe.books(|db| db.account()).initial;
    let withdrawn = universe.books(|db| db.marks(None, calvalot::clock::now()));
    let count = withdrawn.iter().filter(|mark| mark.kind == Kind::Withdrawal.word()).count();
    assert!(count <= 2, "{count} movements");
    // L'ouverture est de 1000 EUR au cours du départ, et rien d'autre n'entre ici.
    let rate = universe.world.exchange().price("EURUSDC");
    Usdc::new(opening.decimal() * rate) - audit.brought.cash
}

/// Rend vrai si le retrait a été mené jusqu'à son terme.
fn withdraw(seed: u64) -> bool {
    let mut dice = Rng::with_seed(seed);
    let mut universe = settled(seed, &mut dice);
    let asked = match dice.u8(0..4) {
        0 => Asked::All,
        _ => Asked::Euros(Eur::new(Decimal::from(dice.u32(20..900)))),
    };
    let request = WithdrawalRequest { asked, understood: true, key: None };
    let opened = universe.ask(async move |commands| commands.withdraw(request).await);
    assert!(matches!(opened, Some(Ok((_, Some(_))))), "{opened:?}");
    trouble(&mut universe, &mut dice, kept_aside);
    let open = newest(&universe).expect("it was opened");
    let gone = open.status == "set_aside";
    if gone {
        assert_eq!(open.taken, Usdc::ZERO, "booked before it is gone");
        if let Asked::Euros(_) = asked
            && open.sold.is_positive()
        {
            let wanted = open.wanted.expect("an amount");
            assert!(open.set_aside >= wanted.times(dec!(0.9)), "{open:?}");
        }
        take_out(&mut universe, &mut dice, open.set_aside);
        let done = newest(&universe).expect("it is there");
        assert_eq!((done.status.as_str(), done.taken), ("completed", open.set_aside), "{done:?}");
        // Rendu, pour que le compte soit celui du départ aux ordres près.
        let exchange = universe.world.exchange();
        exchange.set_balance("USDC", exchange.balance("USDC").free + open.set_aside.decimal());
    }
    proof::each_order_once(&universe);
    proof::books_are_the_exchange_s(&universe);
    proof::no_signal_is_open(&universe);
    gone
}

/// Une personne sort l'argent, en une ou deux fois, pendant que tout casse.
fn take_out(universe: &mut Universe, dice: &mut Rng, aside: Usdc) {
    let first = if dice.bool() { aside } else { aside.times(dec!(0.4)).floor(8) };
    for part in [first, aside - first] {
        let exchange = universe.world.exchange();
        exchange.set_balance("USDC", exchange.balance("USDC").free - part.decimal());
        trouble(universe, dice, kept_aside);
    }
}

fn sell_all(seed: u64) {
    let mut dice = Rng::with_seed(seed);
    let mut universe = settled(seed, &mut dice);
    let purchases = |universe: &Universe| {
        let intents = universe.books(|db| db.orders(10_000));
        intents.iter().filter(|intent| intent.side == Side::Buy).count()
    };
    let before = purchases(&universe);
    let opened = universe.ask(async move |commands| commands.sell_all(None).await);
    assert!(matches!(opened, Some(Ok(()))), "{opened:?}");
    trouble(&mut universe, &mut dice, |_| {});
    assert_eq!(purchases(&universe), before, "bought again");
    assert!(universe.books(|db| db.agent()).paused);
    let told = universe.books(|db| db.selling_all()).expect("the pause is its own");
    assert!(told.done, "{told:?}");
    for left in &told.left {
        let (coin, quantity) = (left.open.coin, left.open.position.quantity.decimal());
        let value = quantity * universe.world.exchange().price(coin.pair());
        let refused = left.decision.as_ref().is_some_and(|decision| decision.code == "refused");
        assert!(value < DUST || refused, "{coin}: {value} USDC left: {left:?}");
    }
    proof::each_order_once(&universe);
    proof::books_are_the_exchange_s(&universe);
    proof::no_signal_is_open(&universe);
}

#[test]
fn withdrawals_and_sell_all_killed_anywhere_sell_nothing_twice_and_are_never_undone() {
    let seeds = crate::number("SEEDS").unwrap_or(SEEDS);
    let only = crate::number("WISH");
    let (next, cores) = (AtomicU64::new(1), thread::available_parallelism().map_or(1, usize::from));
    let work = || {
        let (mut failed, mut gone) = (Vec::new(), 0);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > seeds {
                return (failed, gone);
            }
            if only.is_some_and(|only| only != seed) {
                continue;
            }
            match catch_unwind(|| withdraw(seed)) {
                Ok(taken) => gone += u64::from(taken),
                Err(_) => failed.push(format!("withdraw {seed}")),
            }
            if catch_unwind(|| sell_all(seed)).is_err() {
                failed.push(format!("sell all {seed}"));
            }
        }
    };
    let lived: Vec<(Vec<String>, u64)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("failures are caught")).collect()
    });
    let gone: u64 = lived.iter().map(|(_, gone)| gone).sum();
    let failed: Vec<&String> = lived.iter().flat_map(|(failed, _)| failed).collect();
    assert!(failed.is_empty(), "{} of {seeds} seeds failed: {failed:?}", failed.len());
    assert!(
        only.is_some() || gone * 3 > seeds * 2,
        "only {gone} of {seeds} were taken out: too little to prove"
    );
}

const HELD: &[(&str, Decimal)] = &[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.3))];

fn held(universe: &Universe, coin: Coin) -> Decimal {
    universe.books(|db| db.holdings()).expect("open").positions[coin].quantity.decimal()
}

/// Demande de tout vendre, pendant que quelque chose l'empêche ; rien n'est dit fini tant que cela dure.
fn held_up(universe: &mut Universe, meanwhile: Duration) {
    let opened = universe.ask(async move |commands| commands.sell_all(None).await);
    assert!(matches!(opened, Some(Ok(()))), "{opened:?}");
    universe.pass(meanwhile, None);
    let told = universe.books(|db| db.selling_all()).expect("it is open");
    assert!(!told.done && held(universe, Coin::Btc) > dec!(0.001), "{told:?}");
}

fn all_is_sold(universe: &Universe) {
    let told = universe.books(|db| db.selling_all()).expect("the pause is its own");
    assert!(told.done, "{told:?}");
    let step = dec!(0.00001);
    assert!(held(universe, Coin::Btc) < step, "{told:?}");
    proof::each_order_once(universe);
    proof::books_are_the_exchange_s(universe);
}

/// Un marché vide est justement de l'heure où l'on veut tout vendre : son prix se lit partout, et remonte.
#[test]
fn a_low_book_never_ends_a_sale_of_everything_with_the_coins_kept() {
    for factor in [dec!(0.001), dec!(0.005)] {
        let mut universe = Universe::following(HELD);
        let price = universe.world.exchange().price("BTCUSDC");
        universe.world.exchange().set_price("BTCUSDC", price * factor);
        held_up(&mut universe, Duration::from_secs(1200));
        assert!(held(&universe, Coin::Eth) < dec!(0.001), "the other was not sold");
        universe.world.exchange().set_price("BTCUSDC", price);
        universe.pass(Duration::from_secs(600), None);
        all_is_sold(&universe);
    }
}

/// Un carnet faux l'est aussi : ce qu'il montre n'est pas un prix.
#[test]
fn a_false_book_never_ends_a_sale_of_everything_with_the_coins_kept() {
    for factor in [dec!(0.001), dec!(1000)] {
        let mut universe = Universe::following(HELD);
        universe.world.exchange().misquote("BTCUSDC", Misquote::Times(factor), 1_000_000);
        held_up(&mut universe, Duration::from_secs(1200));
        universe.world.exchange().quote_truly("BTCUSDC");
        universe.pass(Duration::from_secs(600), None);
        all_is_sold(&universe);
    }
}

/// Un marché fermé ou vide n'est pas un refus : il se retente, un jour.
#[test]
fn what_the_exchange_does_not_process_for_hours_is_sold_when_it_does() {
    for (code, text) in [(-1013, "Market is closed."), (-2010, "Order book liquidity is less than LOT_SIZE")]
    {
        let mut universe = Universe::following(HELD);
        let on = On::exchange("/api/v3/order").method("POST");
        universe.world.fault(on, Fault::answer(Reply::code(400, code, text)));
        held_up(&mut universe, Duration::from_secs(6 * 3600));
        let tried = universe.books(|db| db.orders(10_000)).len();
        assert!(tried < 100, "{tried} orders in six hours");
        universe.world.clear_faults();
        universe.pass(Duration::from_secs(1800), None);
        all_is_sold(&universe);
    }
}

/// Ce qui est parti parce qu'on l'a sorti n'est pas aussi un écart à effacer.
#[test]
fn what_a_withdrawal_explains_is_never_written_off_beside_it() {
    let mut universe = Universe::following(HELD);
    let exchange = universe.world.exchange();
    let own = universe.books(|db| db.holdings()).expect("open").cash.decimal();
    exchange.set_balance("USDC", own);
    let request = WithdrawalRequest { asked: Asked::Euros(Eur::new(dec!(50))), understood: true, key: None };
    assert!(
        universe
            .ask(async move |commands| commands.withdraw(request).await)
            .is_some_and(|opened| opened.is_ok())
    );
    universe.pass(Duration::from_secs(1200), None);
    let aside = newest(&universe).expect("it was opened").set_aside;
    assert!(aside.is_positive());
    universe.world.exchange().set_balance("USDC", own - aside.decimal());
    // Un tour l'a vu, deux le compteront : entre les deux, il semble manquer.
    let quantity = Quantity::new(aside.decimal());
    let answers: Vec<String> = (0..3)
        .map(|_| {
            let write_off = Booking::WriteOff(Asset::Cash, quantity);
            format!("{:?}", universe.ask(async move |commands| commands.enter(write_off, None).await))
        })
        .collect();
    assert!(answers.iter().all(|answer| answer.contains("nothing was changed")), "{answers:?}");
    assert!(answers.iter().any(|answer| answer.contains("say that you took it out")), "{answers:?}");
    universe.pass(Duration::from_secs(1200), None);
    let done = newest(&universe).expect("it is there");
    assert_eq!((done.status.as_str(), done.taken), ("completed", aside), "{done:?}");
}
