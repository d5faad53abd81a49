//! Un carnet mince ne ruine personne : un ordre n'en prend que ce qui est près du milieu, envoyé une fois, booké tel quel.

use calvalot::config::Config;
use calvalot::domain::money::Eur;
use calvalot::sim::{Asked, Book, Fault, On, Order, OrderSide, OrderStatus, TimeInForce, Wire};
use rust_decimal::{Decimal, dec};

use crate::follower::{Follower, decimal, until};
use crate::{Bench, ORDER, code, levels, status};

/// Cent USDC par niveau, les niveaux à 3 % l'un de l'autre.
fn steep(mid: Decimal, tick: Decimal) -> Book {
    let side = |factor: Decimal, best: Decimal| {
        let mut price = best;
        let lines = (0..30).map(|_| {
            let line = (price, (dec!(100) / price).round_dp(3));
            price = (price * factor).round_dp(2);
            line
        });
        levels(&lines.collect::<Vec<_>>())
    };
    Book { bids: side(dec!(0.97), mid - tick), asks: side(dec!(1.03), mid + tick) }
}

/// Ce que cet ordre demandait : la quantité et le prix limite d'un IOC.
fn limit(order: &Order) -> (Decimal, Decimal) {
    match order.asked {
        Asked::Limit { price, quantity, time_in_force: TimeInForce::Ioc } => (quantity, price),
        other => panic!("{other:?} is no LIMIT IOC"),
    }
}

/// 5000 EUR, la moitié dans un coin dont le carnet est presque vide.
#[test]
fn a_thin_book_never_costs_more_than_the_bound() {
    let bench = Bench::holding(&[("USDC", dec!(10_000))]);
    bench.exchange().set_price("EURUSDC", dec!(1.25));
    let mid = bench.exchange().price("SOLUSDC");
    bench.exchange().set_book("SOLUSDC", steep(mid, dec!(0.01)));
    bench.world.leader().set_target(&[("SOLUSDC", dec!(0.5))]);
    let config = Config { initial_budget: Eur::new(dec!(5000)), ..bench.config() };
    let follower = Follower::start(config);
    let signal = follower.site().closed_signal("initial_sync");
    assert_eq!(status(&signal), ("executed", 1), "{signal}");
    let bought = &bench.orders("SOLUSDC")[0];
    let (quantity, price) = limit(bought);
    assert!(price <= mid * dec!(1.005) && quantity * mid < dec!(101), "{bought:?}");
    assert_eq!((bought.status, bought.executed), (OrderStatus::Filled, quantity));
    follower.site().wait_polls(5);
    for order in bench.orders("SOLUSDC") {
        let paid = order.quote / order.executed;
        assert!((paid - mid).abs() <= mid * dec!(0.005), "it slipped: {order:?}");
    }
    let value = decimal(&follower.site().json("/api/budget")["total_value_eur"]);
    assert!(value > dec!(4990), "{value} of 5000 EUR are left");
    bench.check();
}

#[test]
fn a_sale_in_a_thin_book_gives_away_no_more_than_the_bound() {
    let bench = Bench::new();
    let follower = bench.settled(&[("SOLUSDC", dec!(0.5))]);
    let mid = bench.exchange().price("SOLUSDC");
    bench.exchange().set_book("SOLUSDC", steep(mid, dec!(0.01)));
    let before = bench.orders("SOLUSDC").len();
    let signal = bench.reach(&follower, &[]);
    assert_eq!(status(&signal), ("executed", 1), "{signal}");
    let sold = &bench.orders("SOLUSDC")[before];
    assert_eq!(sold.side, OrderSide::Sell);
    let (quantity, price) = limit(sold);
    assert!(price >= mid * dec!(0.995) && quantity * mid < dec!(101), "{sold:?}");
    bench.check();
}

#[test]
fn a_book_with_nothing_near_the_middle_is_left_alone_and_said() {
    let bench = Bench::new();
    let mid = bench.exchange().price("SOLUSDC");
    let wide = Book {
        bids: levels(&[(mid * dec!(0.99), dec!(100))]),
        asks: levels(&[(mid * dec!(1.01), dec!(100))]),
    };
    bench.exchange().set_book("SOLUSDC", wide);
    bench.world.leader().set_target(&[("SOLUSDC", dec!(0.5)), ("BTCUSDC", dec!(0.2))]);
    let follower = bench.follow();
    let signal = follower.site().closed_signal("initial_sync");
    assert_eq!((status(&signal), code(&signal, "SOLUSDC")), (("executed", 1), "thin_book".to_owned()));
    follower.site().wait_polls(2);
    assert_eq!(bench.orders("SOLUSDC").len(), 0);
    assert!(signal["decisions"].to_string().contains("within 0.5 % of the middle"), "{signal}");
    bench.check_settled();
}

/// Les carnets d'ordinaire sont profonds : un petit ordre ne demande rien de plus.
#[test]
fn a_slight_order_goes_at_the_market_without_reading_the_book() {
    let bench = Bench::new();
    let mid = bench.exchange().price("SOLUSDC");
    let deep = Book {
        bids: levels(&[(mid - dec!(0.01), dec!(1000))]),
        asks: levels(&[(mid + dec!(0.01), dec!(1000))]),
    };
    bench.exchange().set_book("SOLUSDC", deep);
    bench.settled(&[("SOLUSDC", dec!(0.5))]);
    assert_eq!(bench.exchange().calls("/api/v3/depth"), 0);
    assert!(matches!(bench.orders("SOLUSDC")[0].asked, Asked::Amount(_)));
    bench.check_settled();
}

#[test]
fn a_pair_that_takes_market_orders_only_is_cut_to_what_is_near() {
    let bench = Bench::new();
    bench.exchange().edit_listing("SOLUSDC", |listing| listing.limit_orders_allowed = false);
    let mid = bench.exchange().price("SOLUSDC");
    bench.exchange().set_book("SOLUSDC", steep(mid, dec!(0.01)));
    bench.settled(&[("SOLUSDC", dec!(0.5))]);
    let Asked::Amount(amount) = bench.orders("SOLUSDC")[0].asked else {
        panic!("{:?}", bench.orders("SOLUSDC"))
    };
    assert!(amount < dec!(101), "{amount}");
    bench.check();
}

/// Le carnet ne se lit pas : rien ne part à l'aveugle ; lu, l'ordre part, une fois.
#[test]
fn an_order_waits_for_a_book_that_cannot_be_read() {
    let bench = Bench::new();
    bench.world.fault(On::exchange("/api/v3/depth"), Fault::unprocessed(Wire::Close));
    bench.world.leader().set_target(&[("BTCUSDC", dec!(0.3))]);
    let follower = bench.follow();
    until("the book was asked for", || (bench.exchange().calls("/api/v3/depth") > 3).then_some(()));
    assert_eq!(bench.exchange().accepted_orders().len(), 0);
    bench.world.clear_faults();
    assert_eq!(status(&follower.site().closed_signal("initial_sync")).0, "executed");
    follower.site().wait_polls(2);
    assert_eq!(bench.orders("BTCUSDC").len(), 1);
    bench.check_settled();
}

/// La réponse d'un achat limité se perd : il est adopté tel quel, et d'ici là son prix limite est gardé de côté.
#[test]
fn a_bounded_order_whose_answer_was_lost_is_found_by_its_name_and_never_sent_again() {
    let bench = Bench::new();
    bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
    bench.world.leader().set_target(&[("BTCUSDC", dec!(0.3))]);
    let follower = bench.follow();
    let signal = follower.site().closed_signal("initial_sync");
    assert_eq!(status(&signal), ("executed", 1));
    follower.site().wait_polls(2);
    let [order] = &bench.orders("BTCUSDC")[..] else { panic!("{:?}", bench.orders("BTCUSDC")) };
    let (quantity, price) = limit(order);
    let spend: Decimal = bench.told("SELECT spend FROM intents").parse().expect("a decimal");
    assert_eq!(spend, quantity * price, "what it may have spent");
    assert!(order.quote <= spend, "{order:?}");
    bench.check_settled();
}

/// Le carnet se vide le temps d'y arriver : ce qui s'éteint est booké pour ce qu'il a fait.
#[test]
fn a_bounded_order_that_ends_half_way_or_with_nothing_is_booked_as_the_exchange_tells_it() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.2))]);
    let eth = bench.exchange().price("ETHUSDC");
    // La règle d'écart arrête la marche au premier niveau, et ce que le carnet montre derrière ne s'échange pas.
    let book = Book {
        bids: levels(&[(eth - dec!(0.01), dec!(9))]),
        asks: levels(&[(eth + dec!(0.01), dec!(0.01)), (eth + dec!(2), dec!(9))]),
    };
    bench.exchange().set_book("ETHUSDC", book);
    bench.exchange().edit_listing("ETHUSDC", |listing| {
        (listing.reference_price, listing.price_range) = (Some(eth), Some(dec!(0.0005)));
    });
    let signal = bench.reach(&follower, &[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.3))]);
    assert_eq!(status(&signal), ("executed", 1), "{signal}");
    let order = &bench.orders("ETHUSDC")[0];
    limit(order);
    assert_eq!((order.status, order.executed), (OrderStatus::Expired, dec!(0.01)));
    assert_eq!(bench.exchange().calls(ORDER), 2, "sent once, and nothing was to be asked");
    bench.check();
}

/// Le prix d'avant n'est plus celui du carnet : un petit ordre non plus ne part pas sans borne.
#[test]
fn a_small_order_is_never_sent_unbounded_on_a_price_that_this_poll_has_not_read() {
    let bench = Bench::new();
    let follower = bench.settled(&[("XRPUSDC", dec!(0.4))]);
    let before = bench.exchange().accepted_orders().len();
    bench.world.fault(On::exchange("/api/v3/ticker/bookTicker"), Fault::unprocessed(Wire::Close));
    follower.site().wait_polls(2);
    let halved = bench.exchange().price("XRPUSDC") / dec!(2);
    bench.exchange().set_price("XRPUSDC", halved);
    bench.world.leader().set_target(&[("XRPUSDC", dec!(0.385))]);
    follower.site().wait_polls(4);
    assert_eq!(bench.exchange().accepted_orders().len(), before, "sold at half of the price it knew");
}

#[test]
fn a_pair_that_takes_limits_only_is_traded_at_a_limit() {
    let bench = Bench::new();
    for pair in ["ETHUSDC", "SOLUSDC"] {
        bench.exchange().edit_listing(pair, |listing| listing.market_orders_allowed = false);
    }
    let follower = bench.settled(&[("ETHUSDC", dec!(0.4)), ("SOLUSDC", dec!(0.02))]);
    assert_eq!(bench.exchange().accepted_orders().len(), 2);
    bench.reach(&follower, &[("ETHUSDC", dec!(0.2))]);
    for order in bench.exchange().accepted_orders() {
        limit(&order);
    }
    bench.check();
}
