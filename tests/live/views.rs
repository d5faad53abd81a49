//! Ce que les lectures montrent en retard ou en double : rien n'en est tiré trop tôt.

use calvalot::sim::{Fault, Lag, View, Wire};
use rust_decimal::{Decimal, dec};

use crate::follower::until;
use crate::{Bench, ORDER, status};

/// La réponse perdue, puis chaque vue en retard de quelques lectures : « -2013 » n'est pas une absence.
#[test]
fn an_order_seen_late_is_adopted_when_it_shows() {
    for (view, reads) in [(View::Order, 2), (View::MyTrades, 2), (View::AllOrders, 3), (View::Account, 3)] {
        let bench = Bench::new();
        let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
        bench.exchange().set_lag(view, Lag::Reads(reads));
        bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
        let signal = bench.reach(&follower, &[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))]);
        assert_eq!(status(&signal), ("executed", 1), "{view:?}: {signal}");
        assert_eq!(bench.orders("ETHUSDC").len(), 1, "{view:?}");
        if view == View::Order {
            assert!(bench.exchange().calls(ORDER) > 2 + reads, "{view:?}: it was asked for again");
        }
        bench.check_settled();
    }
}

/// Des soldes d'avant les ordres ne font ni vendre ni acheter de travers.
#[test]
fn balances_that_lag_behind_the_orders_only_delay() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.9))]);
    bench.exchange().set_lag(View::Account, Lag::Reads(2));
    for target in [&[("ETHUSDC", dec!(0.9))][..], &[("SOLUSDC", dec!(0.9))], &[]] {
        assert_eq!(status(&bench.reach(&follower, target)).0, "executed");
        bench.check();
    }
    for (asset, step) in [("BTC", dec!(0.00001)), ("ETH", dec!(0.0001)), ("SOL", dec!(0.001))] {
        assert!(bench.exchange().balance(asset).free < step, "{asset} was not all sold");
    }
}

/// Le réseau a livré deux fois la même demande : la bourse achète deux fois. Nous n'en comptons qu'une, l'autre
/// est montrée comme n'étant pas de nous, et rien n'est vendu pour « réparer ».
#[test]
fn a_request_delivered_twice_is_booked_once_and_the_other_is_shown() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.2))]);
    bench.strike(|on| on.nth(1), Fault::twice());
    let signal = bench.reach(&follower, &[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.3))]);
    assert_eq!(status(&signal), ("executed", 1));
    let [first, second] = &bench.orders("ETHUSDC")[..] else { panic!("{:?}", bench.orders("ETHUSDC")) };
    assert_eq!(first.client_id, second.client_id);
    follower.site().wait_polls(2);
    let difference = "SELECT held || ' ' || booked FROM balances WHERE asset = 'ETH'";
    let told = until("the difference is kept", || {
        let told = bench.told(difference);
        let (held, booked) = told.split_once(' ')?;
        let [held, booked] = [held, booked].map(|text| text.parse::<Decimal>().expect("a decimal"));
        (held == booked * dec!(2)).then_some(held)
    });
    assert_eq!(told, bench.exchange().balance("ETH").free);
    follower.stop();
    let follower = bench.follow();
    let foreign = "SELECT group_concat(order_id, ' ') FROM foreign_orders";
    until("the other order is shown", || (bench.told(foreign) == first.id.to_string()).then_some(()));
    follower.site().wait_polls(3);
    assert_eq!(bench.exchange().accepted_orders().len(), 3, "nothing was done about it");
}
