//! Le leader vu par une vraie prise : toute réponse, même absurde, finit en valeur, en un temps et
//! une mémoire bornés.

mod fake;

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::Duration;

use calvalot::domain::moment::Moment;
use calvalot::fetch::{Client, FetchError, TIME_LIMIT};
use calvalot::leader::{Leader, LeaderError, Reply};
use fake::{Fake, response};
use smol::block_on;

const NOW: Moment = Moment(1_767_225_600_789);
const SHORT: Duration = Duration::from_millis(700);

/// Garde-fou d'un essai qui n'arriverait jamais à sa condition ; aucun résultat n'en dépend.
const GIVE_UP: Duration = Duration::from_secs(60);

fn poll(fake: &Fake, limit: Duration) -> Result<Reply, LeaderError> {
    let client = Client::new(limit).expect("a client");
    block_on(Leader::new(&fake.url, "s3cret", "0.1.0+abc", client).poll(NOW))
}

fn unreachable(fake: &Fake, limit: Duration) -> String {
    match poll(fake, limit) {
        Err(LeaderError::Unreachable(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_request_is_signed_and_names_our_version() {
    let fake = Fake::answering("204 No Content", "");
    assert_eq!(poll(&fake, TIME_LIMIT), Ok(Reply::NoSignal));
    let head = fake.requests().remove(0).to_ascii_lowercase();
    for line in [
        "get /api/signal/latest http/1.1",
        "x-signal-timestamp: 1767225600",
        "x-signal-signature: bba1593c5e0035b85b991f483c61885f6eb00f47bf70df381d3f0ab2118023c5",
        "x-follower-version: 0.1.0+abc",
    ] {
        assert!(head.lines().any(|there| there == line), "{line} is not in {head}");
    }
}

#[test]
fn a_signal_arrives_as_it_was_sent() {
    let payload =
        r#"{"signal_id":"a1","version":2,"portfolio_state":{"positions":[]},"update":{"required":true}}"#;
    match poll(&Fake::answering("200 OK", payload), TIME_LIMIT) {
        Ok(Reply::Signal(received)) => {
            assert_eq!((received.id.as_str(), received.payload.as_str()), ("a1", payload));
            assert!(received.verdict.is_ok());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_says_who_must_act() {
    for (status, word) in [("403 Forbidden", "SIGNAL_SECRET"), ("404 Not Found", "switched its signal off")] {
        match poll(&Fake::answering(status, "{\"error\": \"no\"}"), TIME_LIMIT) {
            Err(LeaderError::Refused(reason)) => assert!(reason.contains(word), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
}

/// Qui cherche la faute dans son secret la cherche au mauvais endroit.
#[test]
fn a_web_page_in_the_leader_s_place_is_not_told_as_a_wrong_secret() {
    let pages =
        ["<!DOCTYPE html><title>Attention Required!</title>", "\r\n<html><body>Sign in</body></html>"];
    for (status, page) in
        [("403 Forbidden", pages[0]), ("403 Forbidden", pages[1]), ("401 Unauthorized", pages[1])]
    {
        match poll(&Fake::answering(status, page), TIME_LIMIT) {
            Err(LeaderError::Refused(reason)) => {
                assert!(reason.starts_with(&format!("a web page answered {}", &status[..3])), "{reason}");
                assert!(!reason.contains("SIGNAL_SECRET"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_failing_leader_is_told_with_its_answer() {
    for (status, body) in
        [("500 Oops", "{}"), ("502 Bad Gateway", "<html>"), ("401 No", ""), ("201 Created", "{}")]
    {
        let reason = unreachable(&Fake::answering(status, body), TIME_LIMIT);
        assert!(reason.contains(&status[..3]) && reason.contains(body), "{reason}");
    }
}

#[test]
fn what_is_no_signal_is_told_as_such() {
    let deep = "[".repeat(60_000);
    let closed = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let objects = r#"{"a":"#.repeat(12_000);
    let bodies = [
        "",
        "<!DOCTYPE html><p>login</p>",
        "null",
        "[]",
        "12",
        "{}",
        "{\"signal_id\":",
        &deep,
        &closed,
        &objects,
    ];
    for body in bodies {
        match poll(&Fake::answering("200 OK", body), TIME_LIMIT) {
            Err(LeaderError::InvalidSignal(reason)) => assert!(reason.len() < 300, "{reason}"),
            other => panic!("{other:?} for {:.40}", body),
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_no_signal() {
    let fake = Fake::serving(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n\xff\xfe{"));
    });
    assert!(matches!(poll(&fake, TIME_LIMIT), Err(LeaderError::InvalidSignal(_))));
}

#[test]
fn a_hundred_thousand_brackets_are_too_much_to_read() {
    let fake = Fake::answering("200 OK", "[".repeat(100_000));
    assert!(matches!(poll(&fake, TIME_LIMIT), Err(LeaderError::InvalidSignal(_))));
}

#[test]
fn half_a_body_is_no_signal() {
    let fake = Fake::serving(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"signal_id\":\"a\"}"));
    });
    let reason = unreachable(&fake, TIME_LIMIT);
    assert!(reason.contains("whole answer"), "{reason}");
}

#[test]
fn a_connection_closed_or_garbled_is_no_answer() {
    for text in ["", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-"] {
        unreachable(&Fake::serving(move |_, stream| drop(stream.write_all(text.as_bytes()))), TIME_LIMIT);
    }
}

#[test]
fn nobody_listening_is_said_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    drop(listener);
    let client = Client::new(TIME_LIMIT).expect("a client");
    let answer = block_on(Leader::new(&url, "s", "v", client).poll(NOW));
    match answer {
        Err(LeaderError::Unreachable(reason)) => assert!(reason.contains("cannot be reached"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_byte_at_a_time_ends_at_the_limit() {
    let fake = Fake::serving(|_, stream| {
        let mut open = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n").is_ok();
        while open {
            sleep(Duration::from_millis(20));
            open = stream.write_all(b" ").is_ok();
        }
    });
    let reason = unreachable(&fake, SHORT);
    assert!(reason.contains("within 0.7 s"), "{reason}");
}

#[test]
fn silence_ends_at_the_limit() {
    let fake = Fake::serving(|_, stream| drop(stream.read(&mut [0; 1])));
    let reason = unreachable(&fake, SHORT);
    assert!(reason.contains("within 0.7 s"), "{reason}");
}

#[test]
fn a_redirection_is_not_followed() {
    let target = Fake::answering("200 OK", r#"{"signal_id":"stolen"}"#);
    let text = response("302 Found", &format!("Location: {}\r\n", target.url), "");
    let fake = Fake::serving(move |_, stream| drop(stream.write_all(text.as_bytes())));
    let reason = unreachable(&fake, TIME_LIMIT);
    assert!(reason.contains("302") && reason.contains("LEADER_URL"), "{reason}");
    assert!(target.requests().is_empty());
}

#[test]
fn an_endless_answer_is_cut_and_not_kept() {
    const HUGE: usize = 50_000_000;
    for head in ["Content-Length: 50000000", "Transfer-Encoding: chunked", "X-No-Length: true"] {
        let (sent, written) = channel();
        let fake = Fake::serving(move |_, stream| {
            drop(write!(stream, "HTTP/1.1 200 OK\r\n{head}\r\n\r\n"));
            let block = format!("{:x}\r\n{}\r\n", 10_000, " ".repeat(10_000));
            let mut total = 0;
            while total < HUGE && stream.write_all(block.as_bytes()).is_ok() {
                total += block.len();
            }
            sent.send(total).expect("the test waits for it");
        });
        assert!(matches!(poll(&fake, TIME_LIMIT), Err(LeaderError::InvalidSignal(_))), "{head}");
        let total = written.recv_timeout(GIVE_UP).expect("the server is cut off");
        assert!(total < HUGE, "{total} bytes were taken");
    }
}

/// Abandonne un appel dès qu'il est arrivé à `fake`, qui le signale.
fn abandon(client: &Client, fake: &Fake, was_asked: Receiver<()>) {
    let arrived = smol::unblock(move || was_asked.recv_timeout(GIVE_UP).expect("the call arrives"));
    block_on(smol::future::or(
        async {
            client.get(&fake.url, &[], 1000).await.expect_err("no whole answer was sent");
        },
        arrived,
    ));
}

#[test]
fn an_abandoned_call_is_closed_at_the_next_byte() {
    let (asked, was_asked) = channel();
    let (closed, was_closed) = channel();
    let fake = Fake::serving(move |_, stream| {
        asked.send(()).expect("the test waits for it");
        while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").is_ok() {
            sleep(Duration::from_millis(5));
        }
        closed.send(()).expect("the test waits for it");
    });
    let client = Client::new(GIVE_UP * 2).expect("a client");
    abandon(&client, &fake, was_asked);
    was_closed.recv_timeout(GIVE_UP).expect("the connection is closed");
}

#[test]
fn dropping_the_client_closes_even_a_silent_call() {
    let (asked, was_asked) = channel();
    let (closed, was_closed) = channel();
    let fake = Fake::serving(move |_, stream| {
        asked.send(()).expect("the test waits for it");
        // Rend 0 ou une erreur quand l'autre côté a fermé.
        closed.send(stream.read(&mut [0; 1])).expect("the test waits for it");
    });
    let client = Client::new(GIVE_UP * 2).expect("a client");
    abandon(&client, &fake, was_asked);
    drop(client);
    let read = was_closed.recv_timeout(GIVE_UP).expect("the connection is closed");
    assert!(!matches!(read, Ok(1..)));
}

#[test]
fn a_body_of_exactly_the_limit_is_read() {
    let fake = Fake::answering("200 OK", "x".repeat(1000));
    let client = Client::new(TIME_LIMIT).expect("a client");
    let read = |limit| block_on(client.get(&fake.url, &[], limit));
    assert_eq!(read(1000).map(|answer| answer.body.len()), Ok(1000));
    assert_eq!(read(999), Err(FetchError::TooLarge(999)));
}
