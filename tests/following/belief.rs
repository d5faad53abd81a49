//! Un cours faux ne décide de rien : ni échange, ni valeur, ni versement, ni mort ; un vrai krach se suit à la seconde lecture.

use std::time::Duration;

use calvalot::config::Config;
use calvalot::sim::{Fault, Misquote, On, Wire, World};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

use crate::follower::{Folder, Follower, Site, config, decimal, still_world, until};
use crate::{list, near, settled, status, weight};

const TICKER: &str = "/api/v3/ticker/bookTicker";

/// Un suiveur qui n'attend pas dix secondes pour relire.
fn hasty(world: &World, folder: &Folder) -> Config {
    Config { second_reading: Duration::from_millis(100), ..config(world, folder) }
}

/// Attend que le marché ait été lu tant de fois encore.
fn wait_readings(world: &World, count: u64) {
    let before = world.exchange().calls(TICKER);
    until("the market is read", || (world.exchange().calls(TICKER) >= before + count).then_some(()));
}

/// Un suiveur presque tout investi ; rend aussi combien de trades il y a fallu.
fn invested(world: &World, folder: &Folder) -> (Follower, usize) {
    world.leader().set_target(&[("BTCUSDC", dec!(0.5)), ("XRPUSDC", dec!(0.45))]);
    let follower = Follower::start(hasty(world, folder));
    follower.site().closed_signal("initial_sync");
    follower.site().wait_polls(2);
    let trades = list(follower.site(), "/api/trades?limit=100").len();
    (follower, trades)
}

/// Pourquoi `what` n'est pas connu ; `None` s'il l'est.
fn unknown(site: Site, what: &str) -> Option<String> {
    let status = site.json("/api/agent/status");
    let found =
        status["unknown"].as_array().expect("a list").iter().find(|unknown| unknown["what"] == what).cloned();
    found.map(|unknown| unknown["reason"].as_str().expect("a reason").to_owned())
}

fn average_is(world: &World, pair: &str, price: Decimal) {
    world.exchange().set_average(pair, price);
}

/// Tous les relevés gardés, et ce qui s'y est mis et échangé.
fn nothing_came_of_it(site: Site, trades: usize) {
    for snapshot in list(site, "/api/budget/history?limit=5000") {
        let value = decimal(&snapshot["total_value_eur"]);
        assert!((value - dec!(1000)).abs() < dec!(10), "a value that was none was kept: {snapshot}");
    }
    let kept = list(site, "/api/trades?limit=100");
    assert_eq!(kept.len(), trades, "{kept:?}");
    assert_eq!(site.json("/api/agent/status")["state"], "ACTIVE");
}

const LIES: [Misquote; 6] = [
    Misquote::Times(dec!(10)),
    Misquote::Times(dec!(1000)),
    Misquote::Times(dec!(0.1)),
    Misquote::Times(dec!(0.01)),
    Misquote::At(dec!(0.00000001)),
    Misquote::At(dec!(1_000_000_000)),
];

#[test]
fn a_false_book_trades_nothing_is_worth_nothing_and_kills_nobody() {
    let (world, folder) = (still_world(), Folder::new());
    let (follower, trades) = invested(&world, &folder);
    for lie in LIES {
        for readings in [1, 2, 3] {
            for pair in ["BTCUSDC", "XRPUSDC"] {
                world.exchange().misquote(pair, lie, readings);
            }
            wait_readings(&world, readings + 2);
        }
    }
    until("the last is over", || unknown(follower.site(), "price XRPUSDC").is_none().then_some(()));
    nothing_came_of_it(follower.site(), trades);
}

/// Un signal pendant que le carnet ment : il attend, puis s'exécute au vrai prix.
#[test]
fn a_signal_that_meets_a_false_book_waits_for_a_price() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("XRPUSDC", dec!(0.5))]);
    let follower = Follower::start(hasty(&world, &folder));
    follower.site().closed_signal("initial_sync");
    let price = world.exchange().price("XRPUSDC");
    for (rank, lie) in LIES.into_iter().enumerate() {
        world.exchange().misquote("XRPUSDC", lie, u64::MAX);
        until("it is not believed", || {
            unknown(follower.site(), "price XRPUSDC").filter(|reason| !reason.contains("last reading"))
        });
        let wanted = if rank % 2 == 0 { dec!(0.4) } else { dec!(0.5) };
        let id = world.leader().set_target(&[("XRPUSDC", wanted)]);
        follower.site().wait_polls(8);
        let waiting = follower.site().signal(&id).expect("it was received");
        assert_eq!(status(&waiting), ("received", 0), "{lie:?}: {waiting}");
        world.exchange().quote_truly("XRPUSDC");
        assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 1), "{lie:?}");
        near(weight(follower.site(), "XRPUSDC"), wanted);
    }
    for trade in list(follower.site(), "/api/trades?limit=100") {
        let paid = decimal(&trade["price"]);
        assert!((paid - price).abs() < price * dec!(0.01), "traded at a price that was none: {trade}");
    }
}

#[test]
fn a_book_that_lies_for_long_is_denied_by_the_trades() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let follower = Follower::start(hasty(&world, &folder));
    follower.site().closed_signal("initial_sync");
    let trades = list(follower.site(), "/api/trades?limit=100").len();
    world.exchange().misquote("BTCUSDC", Misquote::Times(dec!(10)), u64::MAX);
    let told = until("the trades deny it", || {
        unknown(follower.site(), "price BTCUSDC").filter(|reason| reason.contains("trades"))
    });
    assert_eq!(
        told,
        "BTCUSDC shows 10 times its average price again, and its last trades deny it: not believed"
    );
    nothing_came_of_it(follower.site(), trades);
}

/// Le carnet, puis les échanges, sont tombés ; la moyenne de cinq minutes, pas encore.
#[test]
fn a_real_crash_is_followed_after_the_second_reading() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let hourly = Config { poll_interval: Duration::from_secs(3600), ..hasty(&world, &folder) };
    let follower = Follower::start(Config { market_interval: Duration::from_millis(50), ..hourly });
    follower.site().closed_signal("initial_sync");
    let before = world.exchange().price("BTCUSDC");
    let fallen = before * dec!(0.6);
    world.exchange().set_price("BTCUSDC", fallen);
    average_is(&world, "BTCUSDC", before);
    let told = until("it is not believed at once", || unknown(follower.site(), "price BTCUSDC"));
    assert_eq!(
        told,
        "BTCUSDC shows 40 % below its average price: not believed yet, a second reading must say the same"
    );
    let shown = || follower.site().json("/api/prices")["BTCUSDC"].as_f64();
    until("it is believed", || {
        shown().filter(|price| Decimal::try_from(*price).is_ok_and(|price| (price - fallen).abs() < dec!(50)))
    });
    assert_eq!(unknown(follower.site(), "price BTCUSDC"), None);
}

/// Rien n'est relu avant le prochain tour, dans une heure, que la seconde lecture.
#[test]
fn the_second_reading_does_not_wait_for_the_next_poll() {
    let (world, folder) = (still_world(), Folder::new());
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    average_is(&world, "BTCUSDC", world.exchange().price("BTCUSDC") * dec!(2));
    let follower =
        Follower::start(Config { poll_interval: Duration::from_secs(3600), ..hasty(&world, &folder) });
    assert_eq!(follower.site().closed_signal("initial_sync")["status"], "executed");
    assert_eq!(status(&follower.site().closed_signal(&id)).0, "executed");
}

#[test]
fn a_price_whose_average_cannot_be_asked_is_not_believed() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled_hastily(&world, &folder);
    world.fault(On::exchange("/api/v3/avgPrice"), Fault::unprocessed(Wire::Close));
    let fallen = world.exchange().price("BTCUSDC") * dec!(0.6);
    world.exchange().set_price("BTCUSDC", fallen);
    let told = until("it is not believed", || unknown(follower.site(), "price BTCUSDC"));
    assert!(told.starts_with("BTCUSDC shows 40 % below its last price and cannot be compared"), "{told}");
    wait_readings(&world, 20);
    assert!(unknown(follower.site(), "price BTCUSDC").is_some());
    world.clear_faults();
    until("it is asked again", || unknown(follower.site(), "price BTCUSDC").is_none().then_some(()));
}

fn settled_hastily(world: &World, folder: &Folder) -> Follower {
    settled(world, folder).stop();
    let follower = Follower::start(hasty(world, folder));
    until("the prices are known", || {
        let status = follower.site().json("/api/agent/status");
        status["unknown"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
    follower
}

#[test]
fn a_deposit_during_a_false_euro_rate_is_refused_for_the_moment() {
    let (world, folder) = (still_world(), Folder::new());
    world.exchange().set_price("EURUSDC", dec!(1.25));
    let follower = settled_hastily(&world, &folder);
    // 55 %, et aussi peu que 2 %.
    for factor in [dec!(1.552), dec!(1.02)] {
        world.exchange().misquote("EURUSDC", Misquote::Times(factor), u64::MAX);
        let told = until("the rate is not believed", || unknown(follower.site(), "EUR rate"));
        assert!(told.starts_with("EURUSDC shows "), "{told}");
        let before = follower.site().json("/api/budget");
        let refused = follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 1000}"#);
        assert!((400..=503).contains(&refused.status), "{}", refused.body);
        let after = follower.site().json("/api/budget");
        for field in ["cash_usdt", "total_deposited_eur"] {
            assert_eq!(after[field], before[field], "{field}");
        }
        world.exchange().quote_truly("EURUSDC");
        until("the rate is known", || unknown(follower.site(), "EUR rate").is_none().then_some(()));
    }
    let booked = follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 1000}"#);
    assert_eq!(booked.status, 200, "{}", booked.body);
    let cash = decimal(&follower.site().json("/api/budget")["cash_usdt"]);
    assert!((cash - dec!(1875)).abs() < dec!(2), "{cash} is not 625 and 1250 USDC");
}

/// Un carnet qui s'éloigne de son vrai prix par pas de ce facteur, lu à chacun.
fn creep(world: &World, pair: &str, step: Decimal, steps: u32, mut at_each: impl FnMut(Decimal)) {
    let mut factor = Decimal::ONE;
    for _ in 0..steps {
        factor = (factor * step).round_dp(6);
        world.exchange().misquote(pair, Misquote::Times(factor), u64::MAX);
        wait_readings(world, 2);
        at_each(factor);
    }
}

#[test]
fn a_deposit_is_never_booked_at_a_rate_that_the_average_denies_however_small_the_steps_it_took() {
    let (world, folder) = (still_world(), Folder::new());
    world.exchange().set_price("EURUSDC", dec!(1.25));
    let follower = settled_hastily(&world, &folder);
    let cash = || decimal(&follower.site().json("/api/budget")["cash_usdt"]);
    let deposit = || {
        let before = cash();
        let answer = follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 100}"#);
        (answer.status == 200, cash() - before)
    };
    let mut refused = 0;
    creep(&world, "EURUSDC", dec!(1.009), 45, |factor| {
        let (is_booked, usdc) = deposit();
        let most = if is_booked { dec!(126.26) } else { Decimal::ZERO };
        assert!(usdc <= most, "{usdc} USDC for 100 EUR, at {factor} times the rate");
        refused += u32::from(!is_booked);
    });
    assert!(refused >= 40, "refused {refused} times");
    let told = unknown(follower.site(), "EUR rate").expect("it is not believed");
    assert!(told.contains("its average price"), "{told}");
    world.exchange().quote_truly("EURUSDC");
    until("the rate is known", || unknown(follower.site(), "EUR rate").is_none().then_some(()));
    let (is_booked, usdc) = deposit();
    assert!(is_booked && (usdc - dec!(125)).abs() < dec!(0.1), "{usdc}");
}

/// Par pas que rien ne démentait un à un, jusqu'aux trois cinquièmes de son prix.
#[test]
fn a_coin_whose_price_lies_in_small_steps_is_neither_traded_nor_worth_less_than_its_average_allows() {
    let (world, folder) = (still_world(), Folder::new());
    let (follower, trades) = invested(&world, &folder);
    creep(&world, "BTCUSDC", dec!(0.985), 34, |_| ());
    let told = unknown(follower.site(), "price BTCUSDC").expect("it is not believed");
    assert!(told.contains("40 % below its average price"), "{told}");
    follower.site().wait_polls(2);
    for snapshot in list(follower.site(), "/api/budget/history?limit=5000") {
        let value = decimal(&snapshot["total_value_eur"]);
        // Trois centièmes de la moitié, et ce que les échanges ont coûté.
        assert!(value > dec!(980), "a value that was none was kept: {snapshot}");
    }
    let kept = list(follower.site(), "/api/trades?limit=100");
    assert_eq!(kept.len(), trades, "{kept:?}");
}

/// Rien n'était cru avant : ni au premier départ, ni à un autre.
#[test]
fn nothing_is_believed_of_a_false_book_at_a_start() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    world.exchange().misquote("EURUSDC", Misquote::Times(dec!(1.5)), u64::MAX);
    let follower = Follower::start(hasty(&world, &folder));
    wait_readings(&world, 15);
    let budget = follower.site().json("/api/budget");
    assert_eq!(budget["cash_usdt"], Value::Null, "the budget was booked at a rate that was none: {budget}");
    world.exchange().quote_truly("EURUSDC");
    follower.site().closed_signal("initial_sync");
    follower.stop();
    world.exchange().misquote("BTCUSDC", Misquote::Times(dec!(10)), u64::MAX);
    let follower = Follower::start(hasty(&world, &folder));
    until("it is not believed", || {
        unknown(follower.site(), "price BTCUSDC").filter(|reason| reason.contains("10 times"))
    });
    wait_readings(&world, 15);
    nothing_came_of_it(follower.site(), 1);
}
