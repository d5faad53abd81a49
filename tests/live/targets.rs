//! L'ordinaire : une allocation se fait en ordres réels, une sortie vend tout, un ordre peut finir à moitié.

use calvalot::sim::{Book, Fault, On, OrderSide, OrderStatus, Reply, Wire};
use rust_decimal::{Decimal, dec};

use crate::follower::{Site, decimal, until};
use crate::{Bench, ORDER, code, levels, status};

#[test]
fn a_target_is_reached_with_real_orders_and_the_books_are_the_exchanges() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3)), ("XRPUSDC", dec!(0.2))]);
    bench.check_settled();
    let signal =
        bench.reach(&follower, &[("BTCUSDC", dec!(0.1)), ("BNBUSDC", dec!(0.4)), ("SOLUSDC", dec!(0.3))]);
    assert_eq!(status(&signal), ("executed", 5));
    bench.check_settled();
    let journal = bench.exchange().accepted_orders();
    let sides: Vec<OrderSide> = journal[3..].iter().map(|order| order.side).collect();
    use OrderSide::{Buy, Sell};
    assert_eq!(sides, [Sell, Sell, Sell, Buy, Buy], "sales pay for purchases");
    let positions = follower.site().json("/api/positions");
    for (coin, weight) in [("BTCUSDC", dec!(0.1)), ("BNBUSDC", dec!(0.4)), ("SOLUSDC", dec!(0.3))] {
        let found = positions.as_array().unwrap().iter().find(|position| position["coin"] == coin).unwrap();
        assert!((decimal(&found["weight"]) - weight).abs() < dec!(0.005), "{found}");
    }
    let trades = follower.site().json("/api/trades?limit=100");
    assert!(trades.as_array().unwrap().iter().all(|trade| trade["is_simulated"] == 0), "{trades}");
}

/// Les frais d'un achat sont pris dans ce qu'il apporte : ce que l'on possède n'est pas un nombre de pas.
#[test]
fn an_exit_sells_what_is_owned_down_to_the_step_and_keeps_the_dust() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4)), ("XRPUSDC", dec!(0.4))]);
    assert_eq!(status(&bench.reach(&follower, &[])), ("executed", 2));
    for (pair, asset, step) in [("BTCUSDC", "BTC", dec!(0.00001)), ("XRPUSDC", "XRP", dec!(0.1))] {
        let [bought, sold] = &bench.orders(pair)[..] else { panic!("{:?}", bench.orders(pair)) };
        let owned = bought.executed - bought.fills.iter().map(|fill| fill.commission).sum::<Decimal>();
        assert_eq!(sold.executed, (owned / step).floor() * step, "{pair}");
        let dust = bench.exchange().balance(asset).free;
        assert!(dust > Decimal::ZERO && dust < step, "{dust} {asset}");
    }
    bench.check_settled();
    // La poussière ne fait échouer aucun signal suivant.
    assert_eq!(status(&bench.reach(&follower, &[("XRPUSDC", dec!(0.3))])), ("executed", 1));
    bench.check_settled();
}

#[test]
fn an_order_that_expires_half_way_is_booked_for_what_it_did() {
    let bench = Bench::new();
    let follower = bench.settled(&[("SOLUSDC", dec!(0.5))]);
    let (sol, eth) = (bench.exchange().price("SOLUSDC"), bench.exchange().price("ETHUSDC"));
    // La règle d'écart arrête la marche au premier niveau ; le carnet en montre un autre.
    let thin = |price: Decimal, quantity: Decimal| Book {
        bids: levels(&[(price - dec!(0.01), quantity), ((price * dec!(0.998)).round_dp(2), dec!(100))]),
        asks: levels(&[(price + dec!(0.01), quantity), ((price * dec!(1.002)).round_dp(2), dec!(100))]),
    };
    for (pair, price) in [("SOLUSDC", sol), ("ETHUSDC", eth)] {
        bench.exchange().edit_listing(pair, |listing| {
            (listing.reference_price, listing.price_range) = (Some(price), Some(dec!(0.001)));
        });
    }
    bench.exchange().set_book("SOLUSDC", thin(sol, dec!(1)));
    bench.exchange().set_book("ETHUSDC", thin(eth, dec!(0.01)));
    let signal = bench.reach(&follower, &[("ETHUSDC", dec!(0.5))]);
    assert_eq!(status(&signal), ("executed", 2));
    for (pair, executed) in [("SOLUSDC", dec!(1)), ("ETHUSDC", dec!(0.01))] {
        let order = bench.orders(pair).pop().unwrap();
        assert_eq!((order.status, order.executed), (OrderStatus::Expired, executed), "{pair}");
    }
    bench.check_settled();
}

/// La règle d'écart autour du prix de référence arrête l'ordre avant sa première exécution.
#[test]
fn an_order_that_exchanges_nothing_is_tried_five_times_and_then_never_at_each_poll() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.2))]);
    let reference = bench.exchange().price("ETHUSDC") / dec!(2);
    bench.exchange().edit_listing("ETHUSDC", |listing| {
        (listing.reference_price, listing.price_range) = (Some(reference.round_dp(2)), Some(dec!(0.05)));
    });
    let signal =
        bench.reach(&follower, &[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.3))]);
    assert_eq!((status(&signal), code(&signal, "ETHUSDC")), (("executed", 1), "refused".to_owned()));
    let tried = bench.orders("ETHUSDC");
    assert!(tried.iter().all(|order| order.status == OrderStatus::Expired && order.executed.is_zero()));
    assert!(tried.len() >= 5, "{tried:?}");
    let reason = signal["decisions"].to_string();
    assert!(reason.contains("tried 5 times") && reason.contains("EXPIRED"), "{reason}");
    bench.check_settled();
    // L'allocation reste visée, à des pauses qui s'allongent.
    follower.site().wait_polls(30);
    let more = bench.orders("ETHUSDC").len() - 5;
    assert!(more <= 12, "{more} more in 30 polls");
}

/// Ce qu'une personne reprend n'est pas une affaire de prix : ni la raison, ni la borne des écarts.
#[test]
fn what_a_withdrawal_moves_is_never_called_drift() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.3))]);
    let site = follower.site();
    let cause = |expected: &str| {
        until(&format!("the target is reached for {expected}"), || {
            let target = site.json("/api/agent/status")["target"].clone();
            (target["cause"] == expected && target["reached_at"].is_string()).then_some(())
        });
    };
    cause("signal");
    assert_eq!(site.send("POST", "/api/budget/withdrawals", r#"{"amount_eur": 200}"#).status, 200);
    cause("money");
    let count = bench.exchange().accepted_orders().len();
    assert_eq!(site.send("POST", "/api/budget/withdrawals/1/cancel", "{}").status, 200);
    until("what is called off is put to work", || {
        (bench.exchange().accepted_orders().len() > count).then_some(())
    });
    cause("money");
}

/// La réponse à un achat de cette paire est perdue, et ce que la bourse en dit ensuite n'est pas lui : une personne le règle.
fn settles(bench: &Bench, site: Site, pair: &str) {
    bench.wait_states(pair, "stuck");
    let orders = site.json("/api/orders");
    let stuck = orders.as_array().expect("a list").iter().find(|order| order["state"] == "stuck");
    let path = format!("/api/orders/{}/settle", stuck.expect("one waits for a person")["id"]);
    assert_eq!(site.send("POST", &path, r#"{"looked": true}"#).status, 200);
}

fn mislead(bench: &Bench) {
    bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
    let (from, to) = ("\"BUY\"".to_owned(), "\"SELL\"".to_owned());
    bench.world.fault(On::exchange(ORDER).method("GET"), Fault::processed(Wire::Rewrite { from, to }));
}

/// La première copie et le signal dont elle vient ont la même allocation, et sont ouverts ensemble.
#[test]
fn what_a_person_settled_is_never_sent_again_by_another_signal_that_was_open() {
    let bench = Bench::new();
    mislead(&bench);
    let id = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.1))]);
    let follower = bench.follow();
    let site = follower.site();
    settles(&bench, site, "BTCUSDC");
    site.closed_signal("initial_sync");
    let signal = site.closed_signal(&id);
    site.wait_polls(3);
    assert_eq!(bench.orders("BTCUSDC").len(), 1, "{signal}");
    assert_eq!(bench.orders("ETHUSDC").len(), 1, "{signal}");
}

#[test]
fn a_coin_that_a_person_settled_is_no_drift_to_correct_at_each_poll() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
    let site = follower.site();
    mislead(&bench);
    let id = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))]);
    settles(&bench, site, "ETHUSDC");
    site.closed_signal(&id);
    let target = || site.json("/api/agent/status")["target"].clone();
    until("what can be reached is", || target()["reached_at"].is_string().then_some(()));
    let reached = target();
    site.wait_polls(4);
    assert_eq!(target(), reached, "it was aimed at again");
    assert_eq!(bench.orders("ETHUSDC").len(), 1);
}

/// La bourse dit ne pas connaître un ordre que sa propre liste montre.
#[test]
fn an_order_that_the_list_shows_is_never_taken_as_absent_by_who_releases_it() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.1))]);
    bench.strike(|on| on.next(1), Fault::processed(Wire::Reset));
    let unknown = Reply::code(400, -2013, "Order does not exist.");
    bench.world.fault(On::exchange(ORDER).method("GET"), Fault::answer(unknown));
    let id = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.1)), ("ETHUSDC", dec!(0.3))]);
    bench.wait_states("ETHUSDC", "unknown");
    follower.stop();
    bench.books().execute("UPDATE intents SET state = 'stuck' WHERE state = 'unknown'", []).unwrap();
    calvalot::ledger::reseal(&bench.books()).unwrap();
    let follower = bench.follow();
    let site = follower.site();
    let release = until("the exchange is asked", || {
        let release = site.send("POST", "/api/orders/2/release", r#"{"looked": true}"#);
        release.body.contains("does not know this order").then_some(release)
    });
    assert_eq!(
        (release.status, release.body.contains("nothing was changed")),
        (503, true),
        "{}",
        release.body
    );
    site.wait_polls(3);
    assert_eq!(bench.orders("ETHUSDC").len(), 1);
    bench.world.clear_faults();
    until("it is released", || {
        (site.send("POST", "/api/orders/2/release", r#"{"looked": true}"#).status == 200).then_some(())
    });
    site.closed_signal(&id);
    bench.check_settled();
}
