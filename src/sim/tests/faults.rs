//! Chaque panne fait sur le fil ce qu'elle dit, et l'oracle sait si l'ordre a été exécuté.

use std::time::Duration;

use super::*;
use crate::sim::{Fault, On, Reply, Side, Wire};

#[test]
fn a_fault_cuts_the_wire_before_or_after_processing() {
    let cases = [
        (Fault::unprocessed(Wire::Close), ErrorKind::UnexpectedEof, 0),
        (Fault::processed(Wire::Close), ErrorKind::UnexpectedEof, 1),
        (Fault::unprocessed(Wire::Reset), ErrorKind::ConnectionReset, 0),
        (Fault::processed(Wire::Reset), ErrorKind::ConnectionReset, 1),
    ];
    for (fault, expected, orders) in cases {
        let world = frozen();
        world.fault(On::exchange(ORDER).method("POST"), fault.clone());
        let outcome = receive(send_signed(&world, "POST", ORDER, &buy("cut")));
        assert_eq!(outcome.err().map(|error| error.kind()), Some(expected), "{fault:?}");
        assert_eq!(world.exchange().accepted_orders().len(), orders, "{fault:?}");
        assert_eq!((world.hits().len(), world.exchange().calls(ORDER)), (1, 1));
        assert_eq!(world.hits()[0].side, Side::Exchange);
        world.clear_faults();
        assert_eq!(place(&world, &buy("again")).status, 200);
    }
}

#[test]
fn a_silent_or_dripping_answer_keeps_the_connection_open() {
    let world = frozen();
    world.fault(On::exchange(ORDER), Fault::processed(Wire::Silence));
    let mut silent = send_signed(&world, "POST", ORDER, &buy("silence"));
    while world.exchange().accepted_orders().is_empty() {
        std::thread::yield_now();
    }
    silent.set_nonblocking(true).unwrap();
    assert_eq!(silent.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);

    world.fault(On::leader(), Fault::processed(Wire::Drip(Duration::from_secs(3_600))));
    let mut dripping = send(&world.leader_url(), "GET", "/", "");
    assert_eq!(dripping.read(&mut [0; 64]).unwrap(), 1);
    dripping.set_nonblocking(true).unwrap();
    assert_eq!(dripping.read(&mut [0; 64]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_truncated_body_promises_more_than_it_brings() {
    let world = frozen();
    world.fault(On::exchange(ORDER), Fault::processed(Wire::Truncate));
    let answer = place(&world, &buy("half"));
    let promised: usize = answer.header("Content-Length").unwrap().parse().unwrap();
    assert!(answer.body.len() < promised && answer.body.starts_with(r#"{"symbol":"BTCUSDC""#));
    assert_eq!(world.exchange().accepted_orders().len(), 1);
}

#[test]
fn a_canned_answer_comes_back_whether_or_not_the_order_was_executed() {
    let unknown = Reply::code(504, -1007, "Timeout waiting for response from backend server.");
    for (orders, fault) in [(1, Fault::processed(Wire::Canned(unknown.clone()))), (0, Fault::answer(unknown))]
    {
        let world = frozen();
        world.fault(On::exchange(ORDER).next(1), fault);
        assert_eq!(place(&world, &buy("lost")).refusal().1, -1007);
        assert_eq!(world.exchange().accepted_orders().len(), orders);
    }
    let world = frozen();
    let replies = [
        (Reply::too_many_requests(30), 429, Some(("Retry-After", "30"))),
        (Reply::banned(120, 1_790_000_000_000), 418, Some(("Retry-After", "120"))),
        (Reply::firewall(), 403, Some(("Content-Type", "text/html"))),
        (Reply::restricted_location(), 451, None),
        (Reply::html(502, "<html></html>"), 502, None),
        (Reply::empty(504), 504, Some(("Content-Length", "0"))),
        (Reply::redirect("http://127.0.0.1:1/"), 301, Some(("Location", "http://127.0.0.1:1/"))),
    ];
    for (reply, status, header) in replies {
        world.clear_faults();
        world.fault(On::any(), Fault::answer(reply));
        for answer in [get(&world, "/api/v3/time"), poll_now(&world)] {
            assert_eq!(answer.status, status);
            assert!(header.is_none_or(|(name, value)| answer.header(name) == Some(value)), "{}", answer.head);
        }
    }
    assert_eq!(world.leader().polls(), 0);
}

#[test]
fn an_order_delivered_twice_is_bought_twice() {
    let world = frozen();
    world.fault(On::exchange(ORDER).method("POST"), Fault::twice());
    assert_eq!(place(&world, &buy("echo")).status, 200);
    let ids: Vec<String> =
        world.exchange().accepted_orders().into_iter().map(|order| order.client_id).collect();
    assert_eq!(ids, ["echo", "echo"]);
}

#[test]
fn a_delayed_order_is_judged_when_it_arrives() {
    let world = frozen();
    let wait = Duration::from_millis(120);
    let hurried = format!("{}&recvWindow=60", buy("late"));
    world.fault(On::exchange(ORDER).nth(1), Fault::late(wait));
    world.fault(On::exchange(ORDER).nth(2), Fault::slow(wait));
    assert_eq!(place(&world, &hurried).refusal().1, -1021);
    assert!(world.exchange().accepted_orders().is_empty());
    assert_eq!(place(&world, &buy("slow")).status, 200);
    assert_eq!(world.exchange().accepted_orders().len(), 1);
}

#[test]
fn garbage_comes_in_every_shape() {
    let world = frozen();
    let leader_gives = |wire: Wire| {
        world.clear_faults();
        world.fault(On::leader(), Fault::processed(wire));
        poll_now(&world)
    };
    let huge = leader_gives(Wire::Huge(3_000_000));
    assert_eq!((huge.body.len(), huge.header("Content-Length")), (3_000_000, Some("3000000")));
    assert!(json::from_str::<Value>(&huge.body).is_ok());
    let nested = leader_gives(Wire::Nested(100_000));
    assert_eq!(nested.body.len(), 200_000);
    assert!(nested.body.starts_with("[[[") && nested.body.ends_with("]]]"));
    assert!(leader_gives(Wire::LongHead(50_000)).head.len() > 50_000);
    let (from, to) = (r#""version":2"#.to_owned(), r#""version":"two""#.to_owned());
    assert!(leader_gives(Wire::Rewrite { from, to }).body.contains(r#""version":"two""#));
    world.clear_faults();
    world.fault(On::leader(), Fault::body("NaN"));
    assert_eq!(poll_now(&world).body, "NaN");

    world.clear_faults();
    world.fault(On::any(), Fault::processed(Wire::Raw(b"\x00\xff not http".to_vec())));
    let mut raw = Vec::new();
    send(&world.exchange_url(), "GET", "/api/v3/time", "").read_to_end(&mut raw).unwrap();
    assert_eq!(raw, b"\x00\xff not http");

    world.clear_faults();
    world.fault(On::any(), Fault::processed(Wire::Endless));
    let mut endless = vec![0; 2_000_000];
    send(&world.exchange_url(), "GET", "/api/v3/time", "").read_exact(&mut endless).unwrap();
    assert!(String::from_utf8_lossy(&endless).contains("Transfer-Encoding: chunked"));
}

#[test]
fn a_closed_door_refuses_connections_until_it_opens_again() {
    let world = frozen();
    let address = world.leader_url().trim_start_matches("http://").to_owned();
    let mut living = TcpStream::connect(&address).unwrap();
    living.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert!(living.read(&mut [0; 512]).unwrap() > 0);
    world.refuse_connections(Side::Leader).unwrap();
    assert_eq!(TcpStream::connect(&address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(living.read(&mut [0; 512]).unwrap(), 0, "the living connection fell too");
    assert_eq!(get(&world, "/api/v3/ping").body, "{}");
    world.accept_connections(Side::Leader).unwrap();
    assert_eq!(poll_now(&world).status, 200);
}
