//! Le silence que la bourse demande : plus aucun appel d'aucune sorte avant sa fin, même après un redémarrage.

use std::time::Duration;

use calvalot::config::Config;
use calvalot::sim::{Fault, On, Reply};
use rust_decimal::dec;

use crate::follower::{Follower, until};
use crate::{Bench, Target, status, together};

const TARGET: Target<'static> = &[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.2))];

/// Les trois façons de le demander, avec ou sans `Retry-After`.
fn demands(seconds: u32) -> Vec<Reply> {
    let retry_after = seconds.to_string();
    vec![
        Reply::too_many_requests(seconds),
        Reply::banned(seconds, i64::MAX / 1000),
        Reply::firewall().header("Retry-After", &retry_after),
        Reply::code(429, -1015, "Too many new orders.").header("Retry-After", &retry_after),
    ]
}

/// Un suiveur à qui la bourse répond cela à son prochain ordre, tous les appels étant désormais notés.
fn silenced(bench: &Bench, reply: &Reply) -> (Follower, String) {
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
    bench.strike(|on| on.nth(1), Fault::answer(reply.clone()));
    bench.world.fault(On::whole_exchange(), Fault::slow(Duration::ZERO));
    let id = bench.world.leader().set_target(TARGET);
    until("the silence is in the ledger", || (until_when(bench) > 0).then_some(()));
    (follower, id)
}

/// La fin du silence d'après le grand livre, en millisecondes Unix.
fn until_when(bench: &Bench) -> i64 {
    bench.told("SELECT CAST(silent_until AS TEXT) FROM exchange").parse().unwrap_or(0)
}

fn now() -> i64 {
    calvalot::clock::now().0
}

#[test]
fn no_call_leaves_before_the_silence_is_over_and_then_it_goes_on() {
    together(&demands(3), |reply| {
        let bench = Bench::new();
        let (follower, id) = silenced(&bench, reply);
        let (end, calls) = (until_when(&bench), bench.world.hits().len());
        // Lus avant l'heure : un appel vu alors est parti trop tôt, si lente que soit la machine.
        until("the silence is over", || {
            let seen = bench.world.hits().len();
            assert!(seen == calls || now() >= end, "{reply:?}: a call left before the end");
            (seen > calls).then_some(())
        });
        assert_eq!(status(&follower.site().closed_signal(&id)).0, "executed", "{reply:?}");
        bench.check_settled();
    });
}

#[test]
fn a_restart_does_not_break_the_silence() {
    together(&demands(3600)[..2], |reply| {
        let bench = Bench::new();
        let (follower, id) = silenced(&bench, reply);
        follower.site().wait_polls(2);
        let calls = bench.world.hits().len();
        follower.stop();
        let follower = bench.follow();
        follower.site().wait_polls(4);
        assert_eq!(bench.world.hits().len(), calls, "{reply:?}: {:?}", bench.world.hits().last());
        assert_eq!(follower.site().signal(&id).unwrap()["status"], "received");
        assert!(bench.closed().contains("not called again before"), "{}", bench.closed());
        assert_eq!(follower.site().get("/health").status, 200);
        bench.check();
    });
}

/// Tué juste après le refus, bien avant le tour suivant : le silence est déjà écrit.
#[test]
fn the_silence_is_written_down_at_once() {
    let bench = Bench::new();
    bench.settled(&[("BTCUSDC", dec!(0.3))]).stop();
    bench.strike(|on| on.nth(1), Fault::answer(Reply::too_many_requests(3600)));
    bench.world.leader().set_target(TARGET);
    let follower = Follower::start(Config { poll_interval: Duration::from_secs(3600), ..bench.config() });
    until("the silence is in the ledger", || (until_when(&bench) > 0).then_some(()));
    drop(follower);
}
