//! Une réponse sans fin : comment elle part, ce qui l'arrête, et à qui elle cède.

use std::net::TcpStream;
use std::time::Duration;

use calvalot::api::front::Limits;

use crate::server::{Client, Server, patient};

const SHORT: Duration = Duration::from_millis(200);

/// Un client qui a reçu le premier morceau de `/quiet`, après quoi plus rien ne part.
fn reading(server: &Server) -> Client {
    let mut client = server.connect();
    client.send(b"GET /quiet HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let head = client.head().expect("an answer");
    assert_eq!((head.status, head.header("transfer-encoding")), (200, Some("chunked")));
    assert_eq!(head.header("connection"), Some("close"), "nothing else will be served on it");
    assert_eq!(client.chunk(), b"here\n");
    client
}

#[test]
fn a_feed_is_framed_as_its_client_can_read_it() {
    let server = Server::start(patient());
    for version in ["1.0", "1.1"] {
        let mut client = server.connect();
        client.send(format!("GET /brief HTTP/{version}\r\nHost: localhost\r\n\r\n").as_bytes());
        let reply = client.reply().expect("an answer");
        assert_eq!((reply.status, reply.text()), (200, "one\ntwo\n"), "{version}");
        assert_eq!(reply.header("transfer-encoding").is_some(), version == "1.1", "{version}");
        assert_eq!(client.rest(), b"", "{version}");
    }
    let mut client = server.connect();
    client.send(b"HEAD /quiet HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(client.head().expect("an answer").status, 200);
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_quiet_feed_outlives_every_delay() {
    let server = Server::start(Limits { answer: SHORT, write: SHORT, idle: SHORT, ..patient() });
    let reader = reading(&server);
    let mut idle = server.connect();
    idle.send(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // Servie, puis fermée pour n'avoir rien demandé de plus : tous ces délais sont passés.
    idle.rest();
    assert!(!reader.has_news(), "the feed was closed");
}

#[test]
fn a_client_that_leaves_or_speaks_again_ends_its_feed_at_once() {
    let server = Server::start(patient());
    drop(reading(&server));
    server.dropped.recv_blocking().unwrap();
    reading(&server).half_close();
    server.dropped.recv_blocking().unwrap();
    let mut talkative = reading(&server);
    talkative.send(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    server.dropped.recv_blocking().unwrap();
    server.assert_serves("feeds that ended");
}

#[test]
fn a_client_that_does_not_read_its_feed_is_cut_while_others_are_served() {
    let server = Server::start(Limits { write: SHORT, ..patient() });
    let mut deaf = server.connect();
    deaf.send(b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n");
    server.assert_serves("a client that does not read");
    server.dropped.recv_blocking().unwrap();
    server.assert_serves("a client that did not read");
}

#[test]
fn a_feed_gives_way_before_a_request_that_arrives() {
    let server = Server::start(Limits { connections: 2, ..patient() });
    let mut arriving = server.connect();
    arriving.send(
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
          Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    );
    assert_eq!(arriving.reply().unwrap().status, 100);
    let _reader = reading(&server);
    server.assert_serves("a full house");
    server.dropped.recv_blocking().unwrap();
    arriving.send(b"{}");
    assert_eq!(arriving.reply().unwrap().status, 200);
}

/// Le délai d'arrêt du banc est bien plus long que la patience d'un client : ici rien ne l'attend.
#[test]
fn a_stop_waits_for_no_feed_and_begins_none() {
    let mut server = Server::start(patient());
    let mut late = server.connect();
    late.send(b"GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n");
    server.entered.recv_blocking().unwrap();
    let mut reader = reading(&server);
    server.begin_stop();
    server.dropped.recv_blocking().unwrap();
    assert_eq!(reader.rest(), b"");
    while TcpStream::connect(server.address).is_ok() {}
    server.release.send_blocking(()).unwrap();
    let reply = late.reply().unwrap();
    assert_eq!((reply.status, reply.header("connection")), (503, Some("close")));
    server.join();
}
