//! Ce que la bourse dit s'être passé est booké, quoi que ce soit : des frais dans n'importe quel actif, des milliers
//! d'exécutions, un ordre archivé.

use calvalot::sim::{Book, Fault, On, OrderStatus, Reply, Wire};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

use crate::follower::{decimal, until};
use crate::{Bench, ORDER, levels, status};

/// Deux niveaux : les FDUSD du compte ne paient que le premier, les DOGE l'autre.
fn two_levels(bench: &Bench) {
    let (price, cent) = (bench.exchange().price("ETHUSDC"), dec!(0.01));
    let side = |away: Decimal| levels(&[(price + away, dec!(0.02)), (price + away * dec!(2), dec!(90))]);
    bench.exchange().set_book("ETHUSDC", Book { bids: side(-cent), asks: side(cent) });
}

#[test]
fn a_commission_in_assets_nobody_follows_is_booked_apart_and_blocks_nothing() {
    let bench = Bench::holding(&[("USDC", dec!(2000)), ("FDUSD", dec!(0.12)), ("DOGE", dec!(90))]);
    bench.exchange().edit_account(|account| {
        account.fee_assets = vec![("FDUSD".to_owned(), dec!(1)), ("DOGE".to_owned(), dec!(0.1))];
    });
    two_levels(&bench);
    let follower = bench.settled(&[("ETHUSDC", dec!(0.5))]);
    bench.check_settled();
    let order = &bench.orders("ETHUSDC")[0];
    let paid = |asset: &str| -> Decimal {
        let fills = order.fills.iter().filter(|fill| fill.commission_asset == asset);
        fills.map(|fill| fill.commission).sum()
    };
    assert!(paid("FDUSD") > Decimal::ZERO && paid("DOGE") > Decimal::ZERO, "{order:?}");
    let trade = &follower.site().json("/api/trades")[0];
    assert_eq!(trade["fee_usdt"], Value::Null, "its value is not known: {trade}");
    let fees: Vec<(&str, Decimal)> = trade["fees"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|fee| (fee["asset"].as_str().expect("a word"), decimal(&fee["amount"])))
        .collect();
    assert_eq!(fees, [("DOGE", paid("DOGE")), ("FDUSD", paid("FDUSD"))], "{trade}");
    let others = follower.site().json("/api/exchange")["of_others"].clone();
    assert_eq!(others[0]["asset"], "DOGE", "{others}");
    assert_eq!(decimal(&others[1]["quantity"]), paid("FDUSD"), "{others}");
    let metrics = follower.site().get("/metrics").body;
    assert!(metrics.contains("calvalot_of_others_unfollowed_assets 2") && !metrics.contains("DOGE"));
    // La suite va son chemin, et le reste de leurs soldes avec.
    for target in [&[("ETHUSDC", dec!(0.2))][..], &[]] {
        assert_eq!(status(&bench.reach(&follower, target)).0, "executed");
        bench.check_settled();
    }
}

/// Plus que mille, et plus qu'une réponse n'en porte : la question les additionne toutes.
#[test]
fn an_order_of_thousands_of_executions_is_booked_whole() {
    let bench = Bench::new();
    let (price, tick) = (bench.exchange().price("XRPUSDC").round_dp(3), dec!(0.0001));
    let asks: Vec<(Decimal, Decimal)> =
        (1..=6_000).map(|rank| (price + tick * Decimal::from(rank / 20), dec!(0.1))).collect();
    let book = Book { bids: levels(&[(price - tick, dec!(5000))]), asks: levels(&asks) };
    bench.exchange().set_book("XRPUSDC", book);
    let follower = bench.settled(&[("XRPUSDC", dec!(0.25))]);
    let fills = bench.orders("XRPUSDC")[0].fills.len();
    assert!(fills > 1_000, "only {fills} executions");
    assert_eq!(crate::books::number(&bench.books(), "SELECT count(*) FROM trades"), 1);
    bench.check_settled();
    drop(follower);
}

/// Elle ne le montre plus, et dit pourquoi : il a fini sans rien échanger, il est planifié à nouveau.
#[test]
fn an_order_that_the_exchange_archived_ended_and_exchanged_nothing() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
    let archived =
        Reply::code(400, -2026, "Order was canceled or expired with no executed qty over 90 days ago.");
    bench.world.fault(On::exchange(ORDER).method("GET").next(1), Fault::answer(archived));
    bench.strike(|on| on.nth(1), Fault::unprocessed(Wire::Reset));
    let signal = bench.reach(&follower, &[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))]);
    assert_eq!(status(&signal), ("executed", 1));
    bench.wait_states("ETHUSDC", "abandoned filled");
    assert!(bench.told("SELECT reason FROM intents WHERE state = 'abandoned'").contains("archived"));
    bench.check_settled();
}

/// Quel que soit le mot de sa fin, et que la réponse à l'envoi ou une question le dise.
#[test]
fn an_order_that_ended_with_nothing_exchanged_is_planned_again_whatever_the_word() {
    for (lost, word) in [(false, "EXPIRED"), (true, "EXPIRED"), (true, "CANCELED"), (true, "REJECTED")] {
        let bench = Bench::new().every(std::time::Duration::from_secs(2));
        let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
        let price = bench.exchange().price("BTCUSDC");
        let expire = |reference: Option<Decimal>| {
            bench.exchange().edit_listing("BTCUSDC", |listing| {
                listing.reference_price = reference;
                listing.price_range = reference.map(|_| dec!(0.05));
            });
        };
        expire(Some(price * dec!(2)));
        if lost {
            bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
        }
        let rewritten = Wire::Rewrite { from: "\"EXPIRED\"".into(), to: format!("\"{word}\"") };
        bench.world.fault(On::exchange(ORDER).method("GET"), Fault::processed(rewritten));
        let id = bench.world.leader().set_target(&[]);
        until("the order ended", || {
            let orders = bench.orders("BTCUSDC");
            orders
                .last()
                .filter(|order| order.status == OrderStatus::Expired && order.executed.is_zero())
                .cloned()
        });
        expire(None);
        assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 1), "{lost} {word}");
        bench.wait_states("BTCUSDC", "filled abandoned filled");
        assert!(bench.exchange().balance("BTC").free < dec!(0.00001), "{lost} {word}: the coin was kept");
        bench.check_settled();
    }
}
