//! Les réponses perdues : ce que la bourse a fait est adopté, ce qu'on ne sait pas n'est jamais refait.

use std::time::Duration;

use calvalot::sim::{Fault, Reply, Wire};
use rust_decimal::dec;

use crate::follower::{until, within};
use crate::{Bench, ORDER, status, together};

/// Chaque façon de ne pas savoir.
pub fn lost() -> Vec<(&'static str, Wire)> {
    let html = "<html><body>502 Bad Gateway</body></html>";
    let code = |status, code| Wire::Canned(Reply::code(status, code, "Unexpected response."));
    vec![
        ("reset", Wire::Reset),
        ("close", Wire::Close),
        ("silence", Wire::Silence),
        ("truncated", Wire::Truncate),
        ("garbage", Wire::Raw(b"\x00\xff\r\n\r\n".to_vec())),
        ("-1000", code(500, -1000)),
        ("-1001", code(500, -1001)),
        ("-1006", code(500, -1006)),
        ("-1007", code(504, -1007)),
        ("-1008", code(503, -1008)),
        ("-1007 as a 408", code(408, -1007)),
        ("-2010 duplicate", Wire::Canned(Reply::code(400, -2010, "Duplicate order sent."))),
        ("502 in HTML", Wire::Canned(Reply::html(502, html))),
        ("empty 504", Wire::Canned(Reply::empty(504))),
        ("empty object", Wire::Canned(Reply::json(200, "{}".to_owned()))),
        ("200 in HTML", Wire::Canned(Reply::html(200, html))),
        ("empty 200", Wire::Canned(Reply::empty(200))),
        (
            "another order",
            Wire::Rewrite { from: "\"clientOrderId\":\"cal".into(), to: "\"clientOrderId\":\"not".into() },
        ),
        ("no status", Wire::Rewrite { from: "\"status\"".into(), to: "\"state\"".into() }),
        ("unknown status", Wire::Rewrite { from: "\"FILLED\"".into(), to: "\"MELTED\"".into() }),
    ]
}

/// Une vente et deux achats, dont un perdu : tout finit comme si de rien n'était.
#[test]
fn an_order_whose_answer_was_lost_is_adopted_as_the_exchange_tells_it() {
    together(&lost(), |(name, wire)| {
        let bench = Bench::new();
        let follower = bench.settled(&[("BTCUSDC", dec!(0.4))]);
        bench.strike(|on| on.nth(2), Fault::processed(wire.clone()));
        let signal =
            bench.reach(&follower, &[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.2))]);
        assert_eq!(status(&signal), ("executed", 3), "{name}: {signal}");
        assert_eq!(bench.exchange().accepted_orders().len(), 4, "{name}");
        bench.check_settled();
    });
}

/// De même quand c'est la vente qui est perdue : les achats attendent son cash.
#[test]
fn a_sale_whose_answer_was_lost_still_pays_for_the_purchases() {
    together(&[("reset", Wire::Reset), ("truncated", Wire::Truncate)], |(name, wire)| {
        let bench = Bench::new();
        let follower = bench.settled(&[("BTCUSDC", dec!(0.95))]);
        bench.strike(|on| on.nth(1), Fault::processed(wire.clone()));
        let signal = bench.reach(&follower, &[("ETHUSDC", dec!(0.5)), ("SOLUSDC", dec!(0.4))]);
        assert_eq!(status(&signal).0, "executed", "{name}: {signal}");
        assert_eq!(bench.orders("BTCUSDC").len(), 2, "{name}");
        let (eth, sol) = (bench.exchange().price("ETHUSDC"), bench.exchange().price("SOLUSDC"));
        let worth = bench.exchange().balance("ETH").free * eth + bench.exchange().balance("SOL").free * sol;
        assert!(worth > dec!(900), "{name}: only {worth} USDC were invested again");
        bench.check();
    });
}

/// L'ordre n'est jamais arrivé, mais rien ne le prouve encore : il n'est pas refait, son coin n'est pas touché,
/// et les autres vont leur chemin.
#[test]
fn nothing_is_sent_again_while_an_order_is_unknown_and_the_other_coins_go_on() {
    together(&lost(), |(name, wire)| {
        if matches!(wire, Wire::Rewrite { .. } | Wire::Truncate) {
            return; // Sans traitement, il n'y a pas de vraie réponse à abîmer.
        }
        let bench = Bench::new();
        let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
        bench.strike(|on| on.nth(1), Fault::unprocessed(wire.clone()));
        let first = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))]);
        bench.wait_states("ETHUSDC", "unknown");
        let (sent, asked) = (bench.world.hits().len(), bench.exchange().calls(ORDER));
        let second = bench.world.leader().set_target(&[("ETHUSDC", dec!(0.5)), ("SOLUSDC", dec!(0.2))]);
        until("the other coins go on", || {
            (bench.orders("BTCUSDC").len() == 2 && bench.orders("SOLUSDC").len() == 1).then_some(())
        });
        until("it is asked for", || (bench.exchange().calls(ORDER) >= asked + 4).then_some(()));
        follower.site().wait_polls(3);
        bench.wait_states("ETHUSDC", "unknown");
        assert!(bench.orders("ETHUSDC").is_empty() && bench.world.hits().len() == sent, "{name}");
        for id in [first, second] {
            assert_eq!(follower.site().signal(&id).unwrap()["status"], "received", "{name}: {id} must wait");
        }
        bench.check();
    });
}

/// Le seul test qui attend la preuve pour de vrai : plus d'une minute, c'est son sujet.
#[test]
fn an_order_that_never_arrived_is_proved_absent_and_sent_once_more_under_another_name() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
    bench.strike(|on| on.nth(1), Fault::unprocessed(Wire::Reset));
    let id = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))]);
    bench.wait_states("ETHUSDC", "unknown");
    let signal = within(Duration::from_secs(300), "absence is proved", || {
        follower.site().signal(&id).filter(|signal| signal["status"] != "received")
    });
    assert_eq!(status(&signal), ("executed", 1));
    bench.wait_states("ETHUSDC", "absent filled");
    let names = bench.told("SELECT group_concat(client_id, ' ') FROM intents WHERE coin = 'ETHUSDC'");
    let (first, second) = names.split_once(' ').expect("two attempts");
    assert!(first != second && first.ends_with("-1") && second.ends_with("-2"), "{names}");
    assert_eq!(bench.orders("ETHUSDC")[0].client_id, second);
    bench.check_settled();
}
