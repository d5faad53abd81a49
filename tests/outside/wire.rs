//! La réponse n'arrive pas, ou pas entière, ou pas d'ici, ou c'est un refus.

use std::time::Duration;

use calvalot::sim::{Fault, On, Reply, Side, Wire};
use rust_decimal::dec;

use crate::follower::{Folder, Follower, still_world, until};
use crate::{EVERYONE, INFO, TICKER, Who, check, check_alive};

#[test]
fn an_answer_broken_on_the_wire_is_told_and_survived() {
    let cases = [
        (Wire::Close, "did not send a whole answer"),
        (Wire::Reset, "did not send a whole answer"),
        (Wire::Truncate, "did not send a whole answer"),
        (Wire::Huge(50_000_000), "sent an answer of more than"),
        (Wire::Endless, "sent an answer of more than"),
        (Wire::Nested(100_000), ""),
        (Wire::LongHead(1_000_000), "did not send a whole answer"),
        (Wire::Raw(b"\x00\xff no HTTP at all \r\n\r\n".to_vec()), "did not send a whole answer"),
        (Wire::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n[]".to_vec()), ""),
        (Wire::Raw(b"HTTP/1.1 999 ?\r\nContent-Length: 2\r\n\r\n[]".to_vec()), ""),
    ];
    for who in EVERYONE {
        for (wire, expected) in &cases {
            check(who, Fault::processed(wire.clone()), 2, expected);
        }
    }
}

#[test]
fn an_answer_that_never_ends_costs_its_time_limit_and_no_more() {
    let slow = [Wire::Silence, Wire::Drip(Duration::from_secs(1))];
    let cases: Vec<_> = EVERYONE.into_iter().flat_map(|who| slow.clone().map(|wire| (who, wire))).collect();
    std::thread::scope(|scope| {
        for (who, wire) in cases {
            scope.spawn(move || check(who, Fault::processed(wire), 1, "did not answer within 10 s"));
        }
    });
}

/// Un symbole disparu fait demander chacun pour soi : six attentes, mais une seule limite.
#[test]
fn pairs_asked_one_by_one_slowly_share_one_time_limit() {
    let (world, folder) = (still_world(), Folder::new());
    let slow =
        Fault { before: Duration::from_secs(4), ..Fault::answer(Reply::code(400, -1121, "Invalid symbol.")) };
    world.fault(On::exchange(INFO), slow);
    let follower = Follower::of(&world, &folder);
    until("the first poll is over", || (follower.site().polls() > 0.0).then_some(()));
    let reasons = Who::Rules.reasons(&follower.site().json("/api/agent/status"));
    assert!(reasons.iter().all(|reason| reason.contains("within 10 s")), "{reasons:?}");
    // Une pour toutes, puis trois en 10 s ; le tour suivant en a peut-être commencé une.
    assert!(world.exchange().calls(INFO) <= 5, "{} calls", world.exchange().calls(INFO));
}

#[test]
fn a_pause_is_obeyed_while_everyone_is_silent() {
    let (world, folder) = (still_world(), Folder::new());
    world.fault(On::any(), Fault::unprocessed(Wire::Silence));
    let follower = Follower::of(&world, &folder);
    until("the first question is asked", || (!world.hits().is_empty()).then_some(()));
    let answer = follower.site().send("POST", "/api/agent/toggle", r#"{"paused": true}"#);
    assert_eq!(answer.json()["status"], "paused");
    assert_eq!(follower.site().polls(), 0.0, "the question was still open");
}

#[test]
fn a_status_that_is_no_success_is_told_and_survived() {
    let soon = |reply: Reply| reply.header("Retry-After", "1");
    let cases = [
        (Reply::json(500, r#"{"code":-1001,"msg":"Internal error"}"#.to_owned()), "500"),
        (Reply::html(502, "<html><body>Bad Gateway</body></html>"), "502"),
        (Reply::empty(503), "503"),
        (Reply::json(504, "{}".to_owned()), "504"),
        (Reply::restricted_location(), "451"),
        (Reply::code(400, -1121, "Invalid symbol."), "400"),
        (Reply::too_many_requests(1), "429"),
        (soon(Reply::banned(1, 0)), "418"),
        (Reply::json(201, "[]".to_owned()), "201"),
    ];
    for who in EVERYONE {
        for (reply, expected) in &cases {
            check(who, Fault::answer(reply.clone()), 2, expected);
        }
    }
    check(Who::Prices, Fault::answer(soon(Reply::firewall())), 2, "403");
    check(Who::Leader, Fault::answer(Reply::firewall()), 2, "web page");
    check(Who::Leader, Fault::answer(Reply::empty(403)), 2, "SIGNAL_SECRET");
    check(Who::Leader, Fault::answer(Reply::empty(404)), 2, "LEADER_URL");
}

#[test]
fn a_redirection_is_told_and_its_target_never_called() {
    let elsewhere = still_world();
    // Un chemin que nul autre ne demande : le port a pu être celui d'un monde fermé.
    const THERE: &str = "/redirected";
    let location = format!("{}{THERE}", elsewhere.exchange_url());
    for who in [Who::Leader, Who::Prices, Who::Rules] {
        check(who, Fault::answer(Reply::redirect(&location)), 3, "301");
    }
    assert_eq!(elsewhere.exchange().calls(THERE), 0);
    smol::block_on(isahc::get_async(&location)).expect("it answers");
    assert_eq!(elsewhere.exchange().calls(THERE), 1, "who would call it would be seen");
}

#[test]
fn a_closed_port_is_told_and_followed_again_once_it_opens() {
    for (side, who) in [(Side::Leader, Who::Leader), (Side::Exchange, Who::Prices)] {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
        world.refuse_connections(side).expect("the port closes");
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        site.wait_polls(3);
        check_alive(site, "a closed port");
        let reasons = who.reasons(&site.json("/api/agent/status"));
        assert!(reasons.iter().any(|reason| reason.contains("cannot be reached")), "{side:?}: {reasons:?}");
        assert!(who.is_in_metrics(&site.get("/metrics").body), "{side:?}");
        world.accept_connections(side).expect("the port opens");
        assert_eq!(site.closed_signal("initial_sync")["trades"], 1, "{side:?}");
        // En cours de route aussi : fermé, rouvert, et le signal suivant est suivi.
        world.refuse_connections(side).expect("the port closes");
        site.wait_polls(3);
        world.accept_connections(side).expect("the port opens");
        let id = world.leader().set_target(&[("ETHUSDC", dec!(0.4))]);
        assert_eq!(site.closed_signal(&id)["trades"], 2, "{side:?}");
    }
}

#[test]
fn an_exchange_that_asks_for_silence_is_not_called_until_it_is_over() {
    for reply in [Reply::too_many_requests(3600), Reply::banned(3600, 1_790_000_000_000)] {
        let (world, folder) = (still_world(), Folder::new());
        let status = reply.status.to_string();
        world.fault(On::exchange(TICKER).next(1), Fault::answer(reply));
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        site.wait_polls(2);
        let calls = || world.exchange().calls(TICKER) + world.exchange().calls(INFO);
        let before = calls();
        assert!((1..=2).contains(&before), "{before} calls");
        site.wait_polls(10);
        assert_eq!(calls(), before, "called in spite of {status}");
        let reasons = Who::Prices.reasons(&site.json("/api/agent/status"));
        assert!(!reasons.is_empty(), "{status}: no reason");
        for reason in reasons {
            assert!(reason.contains(&status) && reason.contains("not called again before"), "{reason}");
        }
    }
}
