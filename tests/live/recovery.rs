//! La reprise au démarrage : ce qu'un arrêt a laissé en l'air, et ce que d'autres ont fait sur le compte.

use calvalot::config::{Config, Mode};
use calvalot::daemon;
use calvalot::sim::{Fault, On, OrderSide, Side, Wire};
use rust_decimal::dec;

use crate::follower::{Follower, Process, until};
use crate::{Bench, ORDER, Target, status};

const TARGET: Target<'static> = &[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.2))];

/// Tué quand les trois ordres sont exécutés et qu'aucune réponse n'est revenue ; rend leur signal.
fn killed_in_flight(bench: &Bench) -> String {
    let id = bench.world.leader().set_target(TARGET);
    bench.strike(|on| on.next(3), Fault::processed(Wire::Silence));
    let process = Process::live(&bench.world, &bench.folder);
    until("the orders are executed", || (bench.exchange().accepted_orders().len() == 3).then_some(()));
    process.kill();
    assert_eq!(bench.told("SELECT group_concat(state, ' ') FROM intents"), "sent sent sent");
    id
}

#[test]
fn orders_left_in_flight_are_asked_for_before_anything_is_sent() {
    let bench = Bench::new();
    let id = killed_in_flight(&bench);
    // Le leader muet : seule la reprise peut les avoir adoptés.
    bench.world.refuse_connections(Side::Leader).unwrap();
    bench.world.fault(On::exchange(ORDER), Fault::slow(std::time::Duration::ZERO));
    let follower = bench.follow();
    for pair in ["BTCUSDC", "ETHUSDC", "SOLUSDC"] {
        bench.wait_states(pair, "filled");
    }
    bench.check();
    bench.world.accept_connections(Side::Leader).unwrap();
    follower.site().closed_signal(&id);
    assert_eq!(status(&follower.site().signal("initial_sync").unwrap()), ("executed", 3));
    let asked: Vec<String> = bench.world.hits().into_iter().map(|hit| hit.method).collect();
    assert_eq!(asked[..3], ["POST"; 3], "the lost ones");
    assert!(asked[3..].iter().all(|method| method == "GET") && asked.len() >= 6, "{asked:?}");
    bench.check_settled();
}

/// Tant que la bourse ne dit pas ce qu'ils sont devenus, rien n'est renvoyé ; un nouveau signal non plus n'y touche.
#[test]
fn while_the_exchange_does_not_tell_nothing_is_sent_again() {
    let bench = Bench::new();
    killed_in_flight(&bench);
    bench.world.fault(On::exchange(ORDER).method("GET"), Fault::unprocessed(Wire::Close));
    let follower = bench.follow();
    follower.site().wait_polls(3);
    let id = bench.world.leader().set_target(&[("ETHUSDC", dec!(0.6)), ("XRPUSDC", dec!(0.1))]);
    until("the other coin goes on", || (bench.orders("XRPUSDC").len() == 1).then_some(()));
    follower.site().wait_polls(3);
    assert_eq!(bench.exchange().accepted_orders().len(), 4);
    assert_eq!(
        bench.told("SELECT group_concat(DISTINCT state) FROM intents WHERE coin <> 'XRPUSDC'"),
        "unknown"
    );
    bench.world.clear_faults();
    assert_eq!(status(&follower.site().closed_signal(&id)).0, "executed");
    bench.check();
}

/// Avant le premier démarrage cela ne nous regarde pas ; après, c'est montré. Dans les deux cas on n'y touche pas.
#[test]
fn orders_of_others_are_shown_never_touched_nor_counted() {
    let bench = Bench::new();
    let price = bench.exchange().price("BTCUSDC").round_dp(0) / dec!(2);
    let rest = |name: &str| {
        let id = bench.exchange().rest_order("BTCUSDC", OrderSide::Buy, price, dec!(0.001), name);
        id.expect("the balance covers it").to_string()
    };
    rest("before");
    bench.settled(&[("BTCUSDC", dec!(0.3))]).stop();
    let theirs = rest("theirs");
    let locked = bench.exchange().balance("USDC").locked;
    let follower = bench.follow();
    let foreign = "SELECT group_concat(client_id || ' ' || order_id || ' ' || executed) FROM foreign_orders";
    until("it is shown", || (bench.told(foreign) == format!("theirs {theirs} 0")).then_some(()));
    assert_eq!(status(&bench.reach(&follower, TARGET)).0, "executed");
    assert_eq!(bench.exchange().balance("USDC").locked, locked, "they still rest");
    assert_eq!(bench.exchange().calls("/api/v3/openOrders"), 0);
    crate::books::check_settled(&bench.books());
    assert_eq!(bench.exchange().accepted_orders().len(), 3, "the journal has ours only");
}

#[test]
fn a_ledger_serves_one_mode_only() {
    let refused = |config: Config| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        daemon::run(config, listener, async {}).expect_err("the start is refused").to_string()
    };
    for (first, second) in [(Mode::Live, Mode::DryRun), (Mode::DryRun, Mode::Live)] {
        let bench = Bench::new();
        Follower::start(Config { mode: first, ..bench.config() }).stop();
        let reason = refused(Config { mode: second, ..bench.config() });
        assert!(
            reason.contains(&format!("belongs to {}", first.word())) && reason.contains("DB_PATH"),
            "{reason}"
        );
        assert_eq!(bench.exchange().calls(ORDER), 0);
    }
}
