//! Un carnet mince en simulation : elle le traverse comme le ferait un ordre réel, et pas au-delà de la borne.

use calvalot::config::Config;
use calvalot::domain::money::{Eur, Weight};
use calvalot::domain::policy::Policy;
use calvalot::sim::{Book, Level, World};
use rust_decimal::{Decimal, dec};

use crate::follower::{Folder, Follower, Site, config, decimal, still_world, until};
use crate::{code, list, status, weight};

/// Cent USDC par niveau, les niveaux à tant l'un de l'autre.
fn steep(mid: Decimal, apart: Decimal) -> Book {
    let side = |factor: Decimal, best: Decimal| {
        let mut price = best;
        let lines = (0..30).map(|_| {
            let line = Level { price, quantity: (dec!(100) / price).round_dp(3) };
            price = (price * factor).round_dp(2);
            line
        });
        lines.collect::<Vec<_>>()
    };
    Book { bids: side(dec!(1) - apart, mid - dec!(0.01)), asks: side(dec!(1) + apart, mid + dec!(0.01)) }
}

/// 5000 EUR, la moitié voulue dans ce coin.
fn invested(world: &World, folder: &Folder, max_slippage: Decimal) -> Follower {
    world.exchange().set_price("EURUSDC", dec!(1.25));
    world.leader().set_target(&[("SOLUSDC", dec!(0.5))]);
    let budget = Eur::new(dec!(5000));
    Follower::start(Config {
        initial_budget: budget,
        policy: Policy { max_slippage: Weight::new(max_slippage), ..Policy::default() },
        ..config(world, folder)
    })
}

fn bought(site: Site) -> (Decimal, Decimal) {
    let trades = list(site, "/api/trades?limit=100");
    let amount = trades.iter().map(|trade| decimal(&trade["amount_usdt"])).sum();
    let quantity: Decimal = trades.iter().map(|trade| decimal(&trade["quantity"])).sum();
    (amount, quantity)
}

#[test]
fn a_thin_book_never_costs_more_than_the_bound_in_a_simulation_either() {
    let (world, folder) = (still_world(), Folder::new());
    let mid = world.exchange().price("SOLUSDC");
    world.exchange().set_book("SOLUSDC", steep(mid, dec!(0.03)));
    let follower = invested(&world, &folder, dec!(0.005));
    let signal = follower.site().closed_signal("initial_sync");
    assert_eq!(status(&signal), ("executed", 1), "{signal}");
    let trades = list(follower.site(), "/api/trades?limit=100");
    let first = decimal(&trades.last().expect("one")["amount_usdt"]);
    assert!(first < dec!(101), "more than the first level was taken at once: {first}");
    follower.site().wait_polls(5);
    for trade in list(follower.site(), "/api/trades?limit=100") {
        let paid = decimal(&trade["price"]);
        assert!((paid - mid).abs() <= mid * dec!(0.005), "it slipped: {trade}");
    }
    let value = decimal(&follower.site().json("/api/budget")["total_value_eur"]);
    assert!(value > dec!(4990), "{value} of 5000 EUR are left");
}

/// Plusieurs niveaux à portée : la simulation paie leur moyenne, non le meilleur prix.
#[test]
fn a_simulated_purchase_walks_the_book_it_read() {
    let (world, folder) = (still_world(), Folder::new());
    let mid = world.exchange().price("SOLUSDC");
    world.exchange().set_book("SOLUSDC", steep(mid, dec!(0.002)));
    let follower = invested(&world, &folder, dec!(0.02));
    follower.site().closed_signal("initial_sync");
    let (amount, quantity) = bought(follower.site());
    let slipped = amount / quantity / mid - dec!(1);
    assert!(amount > dec!(900), "about ten levels stand within 2 %: {amount}");
    assert!(slipped > dec!(0.005) && slipped < dec!(0.02), "{slipped}");
}

#[test]
fn a_book_with_nothing_near_the_middle_is_left_alone_until_it_is_good_again() {
    let (world, folder) = (still_world(), Folder::new());
    let mid = world.exchange().price("SOLUSDC");
    let level = |price: Decimal| vec![Level { price: price.round_dp(2), quantity: dec!(100) }];
    world
        .exchange()
        .set_book("SOLUSDC", Book { bids: level(mid * dec!(0.99)), asks: level(mid * dec!(1.01)) });
    let follower = invested(&world, &folder, dec!(0.005));
    let site = follower.site();
    let signal = site.closed_signal("initial_sync");
    assert_eq!((status(&signal).1, code(&signal, "SOLUSDC")), (0, "thin_book".to_owned()), "{signal}");
    let target = || site.json("/api/agent/status")["target"].clone();
    until("what is missing is told", || {
        let told = target();
        told["waiting_for"].as_str()?.starts_with("SOLUSDC: the book holds 0.00 of ").then_some(())
    });
    site.wait_polls(2);
    assert!(target()["reached_at"].is_null() && list(site, "/api/trades?limit=100").is_empty());
    world.exchange().set_price("SOLUSDC", mid);
    until("the rest is bought", || target()["reached_at"].is_string().then_some(()));
    assert!(bought(site).0 > dec!(3000), "half of 5000 EUR at 1.25");
}

/// Le carnet ne prend d'abord qu'une part : ce qui en reste se vend ensuite, que le leader parte ou que la personne reprenne tout.
#[test]
fn what_a_thin_book_cuts_is_never_left_too_small_to_be_sold() {
    let leaves = |world: &World, _: Site| {
        world.leader().set_target(&[]);
    };
    let takes_out = |_: &World, site: Site| {
        let asked = site.send("POST", "/api/agent/sell-all", r#"{"understood": true}"#);
        assert_eq!(asked.status, 200, "{}", asked.body);
    };
    for ask in [&leaves as &dyn Fn(&World, Site), &takes_out] {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().set_target(&[("SOLUSDC", dec!(0.8))]);
        let budget = Eur::new(dec!(25));
        let follower = Follower::start(Config { initial_budget: budget, ..config(&world, &folder) });
        let site = follower.site();
        site.closed_signal("initial_sync");
        let mid = world.exchange().price("SOLUSDC");
        let held = weight(site, "SOLUSDC") * decimal(&site.json("/api/budget")["total_value_usdt"]);
        // Quatre USDC de moins que ce qui est tenu : moins que ce que la bourse vend.
        let level = |quantity: Decimal| vec![Level { price: mid, quantity: quantity.round_dp(3) }];
        let thin = Book {
            bids: level((held - dec!(4)) / mid),
            asks: vec![Level { price: mid + dec!(0.01), quantity: dec!(9) }],
        };
        world.exchange().set_book("SOLUSDC", thin);
        ask(&world, site);
        until("a part is sold", || (list(site, "/api/trades").len() > 1).then_some(()));
        let trades = list(site, "/api/trades");
        let first = trades.iter().rev().find(|trade| trade["action"] == "SELL").expect("a part is sold");
        assert!(held - decimal(&first["amount_usdt"]) > dec!(5), "the rest can be sold: {first}");
        world.exchange().set_price("SOLUSDC", mid);
        until("all of it is sold", || (weight(site, "SOLUSDC") < dec!(0.01)).then_some(()));
    }
}
