//! Les bornes : le temps, la taille, le nombre, et l'arrêt. Un test court attend une condition, jamais une durée.

use std::net::TcpStream;
use std::time::Duration;

use calvalot::api::front::Limits;

use crate::server::{Client, Server, patient};

const SHORT: Duration = Duration::from_millis(200);

const HELLO: &[u8] = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Un envoi dont le corps, `{}`, attend que le front l'appelle.
const WAITING: &[u8] = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
    Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";

/// Une connexion déjà servie : le délai court ne compte plus qu'à partir du premier octet de la requête suivante. Sur une
/// machine chargée, il peut passer entre l'ouverture et le premier envoi ; alors on rouvre.
fn established(server: &Server) -> Client {
    loop {
        let mut client = server.connect();
        client.send(HELLO);
        if client.reply().is_some() {
            return client;
        }
    }
}

/// Envoie `start`, puis un octet entre deux requêtes d'un autre client, jusqu'à ce que le front s'en lasse.
fn drip(start: &[u8]) {
    let limits = Limits { request: SHORT, head: 1 << 24, body: 1 << 24, ..patient() };
    let server = Server::start(limits);
    let (mut slow, mut other) = (established(&server), established(&server));
    slow.send(start);
    while !slow.has_news() {
        slow.send(b"a");
        other.send(HELLO);
        assert_eq!(other.reply().expect("an answer to the other client").text(), "hello");
    }
    let reply = slow.reply().expect("an answer to the slow client");
    assert_eq!(reply.status, 408);
    reply.assert_is_json_error("a slow request");
    assert_eq!(slow.rest(), b"");
    other.send(HELLO);
    assert_eq!(other.reply().expect("an answer to the other client").text(), "hello");
}

#[test]
fn a_head_that_drips_in_is_cut_while_others_are_served() {
    drip(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
}

#[test]
fn a_body_that_drips_in_is_cut_while_others_are_served() {
    drip(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n");
}

#[test]
fn a_connection_that_says_nothing_is_closed_without_a_word() {
    let server = Server::start(Limits { request: SHORT, ..patient() });
    assert_eq!(server.connect().rest(), b"");
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let server = Server::start(Limits { idle: SHORT, ..patient() });
    let mut client = server.connect();
    client.send(HELLO);
    assert_eq!(client.reply().unwrap().status, 200);
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_client_that_does_not_read_is_cut_while_others_are_served() {
    let server = Server::start(Limits { write: SHORT, ..patient() });
    let mut client = server.connect();
    client.send(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n");
    server.assert_serves("a client that does not read");
    server.dropped.recv_blocking().unwrap();
    client.rest();
    server.assert_serves("a client that did not read");
}

#[test]
fn a_route_that_never_answers_becomes_a_503() {
    let server = Server::start(Limits { answer: SHORT, ..patient() });
    let mut client = server.connect();
    client.send(b"GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let reply = client.reply().unwrap();
    assert_eq!(reply.status, 503);
    reply.assert_is_json_error("/never");
}

#[test]
fn a_new_client_is_served_though_two_hundred_connections_hold_on() {
    for start in [
        "",
        "GET /hello HTTP/1.1\r\nHost: ",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
    ] {
        let server = Server::start(patient());
        let crowd = (0..200).map(|_| {
            let mut client = server.connect();
            client.send(start.as_bytes());
            client
        });
        let crowd: Vec<_> = crowd.collect();
        server.assert_serves(start);
        // Les plus anciennes ont cédé, la dernière tient encore : une seule a fait place au client servi.
        assert!(crowd[0].has_news() && !crowd[199].has_news(), "{start}");
    }
}

#[test]
fn an_idle_connection_gives_way_before_a_request_that_arrives() {
    let server = Server::start(Limits { connections: 2, ..patient() });
    let mut arriving = server.connect();
    arriving.send(WAITING);
    assert_eq!(arriving.reply().unwrap().status, 100);
    let mut idle = server.connect();
    idle.send(HELLO);
    assert_eq!(idle.reply().unwrap().status, 200);
    server.assert_serves("a full house");
    assert_eq!(idle.rest(), b"");
    arriving.send(b"{}");
    assert_eq!(arriving.reply().unwrap().status, 200);
}

#[test]
fn a_request_being_answered_never_gives_way() {
    let server = Server::start(Limits { connections: 1, ..patient() });
    let mut client = server.connect();
    client.send(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    server.entered.recv_blocking().unwrap();
    assert_eq!(server.connect().reply().unwrap().status, 503);
    server.release.send_blocking(()).unwrap();
    assert_eq!(client.reply().unwrap().text(), "waited");
}

#[test]
fn a_body_may_have_exactly_the_limit_and_not_one_byte_more() {
    let server = Server::start(patient());
    for (size, status) in [(65535, 200), (65536, 200), (65537, 413)] {
        let mut client = server.connect();
        let head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
        client.send(format!("{head}\r\nContent-Length: {size}\r\n\r\n").as_bytes());
        client.send(&vec![b'a'; size]);
        let reply = client.reply().unwrap();
        assert_eq!(reply.status, status, "{size}");
        assert!(status != 200 || reply.body.len() == size, "{size}");
    }
}

#[test]
fn a_head_may_have_exactly_the_limit_and_not_one_byte_more() {
    let server = Server::start(patient());
    for (size, status) in [(32767, 200), (32768, 200), (32769, 431)] {
        let mut head = b"GET /hello HTTP/1.1\r\nHost: localhost\r\nX-A: ".to_vec();
        head.resize(size - 4, b'a');
        head.extend_from_slice(b"\r\n\r\n");
        let mut client = server.connect();
        client.send(&head);
        assert_eq!(client.reply().unwrap().status, status, "{size}");
    }
}

/// Une personne lit une phrase, un programme du JSON ; une tête trop longue n'est pourtant jamais lue en entier.
#[test]
fn a_head_that_is_too_long_is_told_to_a_person_in_a_page_and_to_a_program_in_json() {
    let server = Server::start(patient());
    let browser = "Accept: text/html,application/xhtml+xml\r\n";
    for (target, accept, page) in [
        ("/", browser, true),
        ("/?signal=a", browser, true),
        ("/api/budget", browser, false),
        ("/", "Accept: */*\r\n", false),
        ("/", "", false),
    ] {
        let mut client = server.connect();
        let cookies = "a".repeat(40_000);
        client.send(
            format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{accept}Cookie: {cookies}\r\n\r\n")
                .as_bytes(),
        );
        let reply = client.reply().expect("an answer");
        assert_eq!(reply.status, 431, "{target} {accept}");
        assert!(reply.text().contains("cookies"), "{}", reply.text());
        if page {
            assert_eq!(reply.header("content-type"), Some("text/html;charset=utf-8"), "{target} {accept}");
            assert!(reply.text().contains("efface les cookies"), "{}", reply.text());
        } else {
            reply.assert_is_json_error(target);
        }
    }
}

#[test]
fn answers_that_nobody_reads_are_bounded_together_and_the_others_are_told() {
    let server = Server::start(Limits { answers: 100_000_000, ..patient() });
    let large = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let readers: Vec<(Client, u16)> = (0..8)
        .map(|_| {
            let mut client = server.connect();
            client.send(large);
            let head = client.head().expect("an answer");
            if head.status == 503 {
                assert_eq!(head.header("retry-after"), Some("10"));
            }
            (client, head.status)
        })
        .collect();
    let statuses: Vec<u16> = readers.iter().map(|(_, status)| *status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 503, 503, 503, 503], "20 MB each, half of what is left of 100");
    server.assert_serves("answers that nobody reads");
    drop(readers);
    // Le départ seul de qui ne lisait pas rend sa place, quand le front s'en aperçoit.
    loop {
        let mut client = server.connect();
        client.send(large);
        if client.head().expect("an answer").status == 200 {
            break;
        }
    }
}

#[test]
fn a_stop_closes_idle_connections_and_returns() {
    let mut server = Server::start(patient());
    let mut fresh = server.connect();
    let mut idle = server.connect();
    idle.send(HELLO);
    assert_eq!(idle.reply().unwrap().status, 200);
    server.begin_stop();
    server.join();
    assert_eq!((idle.rest(), fresh.rest()), (vec![], vec![]));
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn a_stop_lets_a_request_under_way_finish_and_takes_no_new_one() {
    let mut server = Server::start(patient());
    let mut client = server.connect();
    client
        .send(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    server.entered.recv_blocking().unwrap();
    server.begin_stop();
    while TcpStream::connect(server.address).is_ok() {}
    server.release.send_blocking(()).unwrap();
    let reply = client.reply().unwrap();
    assert_eq!((reply.text(), reply.header("connection")), ("waited", Some("close")));
    assert_eq!(client.rest(), b"");
    server.join();
}

#[test]
fn a_stop_lets_an_answer_go_out_whole() {
    let mut server = Server::start(patient());
    let mut client = server.connect();
    client.send(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(client.head().unwrap().status, 200);
    server.begin_stop();
    while TcpStream::connect(server.address).is_ok() {}
    assert_eq!(client.rest().len(), 20_000_000);
    server.join();
}

#[test]
fn a_stop_lets_a_request_that_arrives_finish() {
    let mut server = Server::start(patient());
    let mut client = established(&server);
    client.send(WAITING);
    assert_eq!(client.reply().unwrap().status, 100);
    server.begin_stop();
    while TcpStream::connect(server.address).is_ok() {}
    client.send(b"{}");
    let reply = client.reply().expect("an answer to the request that was arriving");
    assert_eq!((reply.text(), reply.header("connection")), ("{}", Some("close")));
    server.join();
}

#[test]
fn a_stop_does_not_wait_for_ever_for_a_request_under_way() {
    let mut server = Server::start(Limits { stop: SHORT, ..patient() });
    let mut answering = server.connect();
    answering.send(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    server.entered.recv_blocking().unwrap();
    server.begin_stop();
    server.join();
    assert_eq!(answering.rest(), b"");
}
