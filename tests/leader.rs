//! Le leader vu par une vraie prise : toute réponse, même absurde, finit en valeur, en un temps et
//! une mémoire bornés.

mod fake;

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::Duration;

use calvalot::domain::market::Coin;
use calvalot::domain::moment::Moment;
use calvalot::domain::signal::{Action, Instruction};
use calvalot::fetch::{Client, FetchError, TIME_LIMIT};
use calvalot::leader::{Leader, LeaderError, Reply, decode};
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
        match poll(&Fake::answering(status, "<html>"), TIME_LIMIT) {
            Err(LeaderError::Refused(reason)) => assert!(reason.contains(word), "{reason}"),
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

/// Ce que le signal demande, en une ligne : les actions ou l'allocation, dans l'ordre des coins ; ou
/// la phrase de son refus.
fn verdict(payload: &str) -> String {
    let signal = match decode(payload).unwrap_or_else(|fault| panic!("{payload}: {fault}")).verdict {
        Ok(signal) => signal,
        Err(reason) => return reason,
    };
    let asked = Coin::ALL.iter().filter_map(|coin| match &signal.instruction {
        Instruction::Target(target) => Some(target.weight(*coin))
            .filter(|part| !part.is_zero())
            .map(|part| format!("{} {part}", coin.asset())),
        Instruction::Actions(actions) => actions[*coin].map(|action| match action {
            Action::Buy(part) => format!("+{} {part}", coin.asset()),
            Action::Sell(part) => format!("-{} {part}", coin.asset()),
            Action::Hold => format!("={}", coin.asset()),
        }),
    });
    asked.collect::<Vec<_>>().join(", ")
}

fn with_actions(actions: &str) -> String {
    verdict(&format!(r#"{{"signal_id":"a","actions":[{actions}]}}"#))
}

fn with_positions(positions: &str) -> String {
    verdict(&format!(r#"{{"signal_id":"a","version":2,"portfolio_state":{{"positions":{positions}}}}}"#))
}

#[test]
fn actions_are_read_exactly_or_refused_with_their_place() {
    let buy = |part: &str| format!(r#"{{"coin":"BTCUSDC","action":"BUY","pct_of_capital":{part}}}"#);
    let sell = r#"{"coin":"BTCUSDC","action":"SELL","pct_of_capital":0.25}"#;
    let number =
        |got: &str| format!("actions[0].pct_of_capital: expected a number between 0 and 1, got {got}");
    let cases = [
        (String::new(), "".to_owned()),
        (buy("0.1"), "+BTC 0.1".to_owned()),
        (buy("1"), "+BTC 1".to_owned()),
        (buy("0"), "+BTC 0".to_owned()),
        (buy("-0.0"), "+BTC 0".to_owned()),
        (buy("1e-7"), "+BTC 0.0000001".to_owned()),
        (buy("0.30000000000000004"), "+BTC 0.3".to_owned()),
        (buy("0.9999999999999999"), "+BTC 0.999999999999".to_owned()),
        (buy("5e-324"), "+BTC 0".to_owned()),
        (sell.to_owned(), "-BTC 0.25".to_owned()),
        ([buy("0.25"), buy("0.5")].join(","), "+BTC 0.75".to_owned()),
        ([sell, sell].join(","), "-BTC 0.5".to_owned()),
        (r#"{"coin":"XRPUSDC","action":"HOLD"}"#.to_owned(), "=XRP".to_owned()),
        (r#"{"action":"HOLD","pct_of_capital":0}"#.to_owned(), "".to_owned()),
        (r#"{"coin":"","action":"HOLD","reason":[1]}"#.to_owned(), "".to_owned()),
        (buy(r#""NaN""#), number(r#""NaN""#)),
        (buy(r#""0.1""#), number(r#""0.1""#)),
        (buy("-0.1"), number("-0.1")),
        (buy("1.0000001"), number("1.0000001")),
        (buy("25"), number("25")),
        (buy("null"), number("null")),
        (buy("true"), number("true")),
        (buy("[0.1]"), number("an array")),
        (buy("{}"), number("an object")),
        (r#"{"coin":"BTCUSDC","action":"BUY"}"#.to_owned(), "actions[0].pct_of_capital: missing".to_owned()),
        (r#"{"coin":"BTCUSDC"}"#.to_owned(), "actions[0].action: missing".to_owned()),
        (r#"{"action":"BUY","pct_of_capital":0.1}"#.to_owned(), "actions[0].coin: missing".to_owned()),
        (
            r#"{"coin":7,"action":"SELL","pct_of_capital":0.1}"#.to_owned(),
            "actions[0].coin: expected a text, got 7".to_owned(),
        ),
        (
            r#"{"coin":"DOGEUSDC","action":"HOLD"}"#.to_owned(),
            r#"actions[0].coin: unknown coin "DOGEUSDC""#.to_owned(),
        ),
        (
            r#"{"coin":"btcusdc","action":"BUY","pct_of_capital":0.1}"#.to_owned(),
            r#"actions[0].coin: unknown coin "btcusdc""#.to_owned(),
        ),
        (
            r#"{"coin":"BTCUSDC","action":"SHORT","pct_of_capital":0.1}"#.to_owned(),
            r#"actions[0].action: expected BUY, SELL or HOLD, got "SHORT""#.to_owned(),
        ),
        (r#"{"coin":"BTCUSDC","action":"HOLD","pct_of_capital":"x"}"#.to_owned(), number(r#""x""#)),
        ("7".to_owned(), "actions[0]: expected an object, got 7".to_owned()),
        ([&buy("0.1"), sell].join(","), "actions[1]: contradicts an earlier action for BTCUSDC".to_owned()),
        (
            [&buy("0.1"), r#"{"coin":"BTCUSDC","action":"HOLD"}"#].join(","),
            "actions[1]: contradicts an earlier action for BTCUSDC".to_owned(),
        ),
        (
            [buy("0.6"), buy("0.6")].join(","),
            "actions[1]: adds up to more than the whole capital for BTCUSDC".to_owned(),
        ),
    ];
    for (actions, expected) in cases {
        assert_eq!(with_actions(&actions), expected, "{actions}");
    }
}

#[test]
fn an_allocation_is_read_exactly_or_refused_with_its_place() {
    let place = "portfolio_state.positions";
    let cases = [
        ("[]", "".to_owned()),
        (
            r#"[{"coin":"ETHUSDC","pct_of_portfolio":0.4},{"coin":"BTCUSDC","pct_of_portfolio":0.35,"pnl":-1}]"#,
            "BTC 0.35, ETH 0.4".to_owned(),
        ),
        (r#"[{"coin":"BTCUSDC","pct_of_portfolio":1e-12}]"#, "BTC 0.000000000001".to_owned()),
        (r#"[{"coin":"BTCUSDC","pct_of_portfolio":1e-13}]"#, "".to_owned()),
        (
            r#"[{"coin":"BTCUSDC","pct_of_portfolio":0.1},{"coin":"BTCUSDC","pct_of_portfolio":0.1}]"#,
            format!("{place}[1].coin: BTCUSDC is there twice"),
        ),
        (r#"[{"coin":"USDC","pct_of_portfolio":0.1}]"#, format!(r#"{place}[0].coin: unknown coin "USDC""#)),
        (r#"[{"coin":"BTCUSDC","pct_of_portfolio":1e999}]"#, "not JSON".to_owned()),
        (
            r#"[{"coin":"BTCUSDC","pct_of_portfolio":40}]"#,
            format!("{place}[0].pct_of_portfolio: expected a number between 0 and 1, got 40"),
        ),
        (r#"[{"coin":"BTCUSDC"}]"#, format!("{place}[0].pct_of_portfolio: missing")),
        (
            r#"[{"coin":"BTCUSDC","pct_of_portfolio":0.9},{"coin":"ETHUSDC","pct_of_portfolio":0.9}]"#,
            "portfolio_state: the allocation adds up to 180 %, more than 100 %".to_owned(),
        ),
        ("null", format!("{place}: expected an array, got null")),
        ("{}", format!("{place}: expected an array, got an object")),
    ];
    for (positions, expected) in cases {
        assert_eq!(with_positions(positions), expected, "{positions}");
    }
}

#[test]
fn a_signal_with_a_fault_anywhere_is_refused_as_a_whole() {
    let cases = [
        (r#""version":2"#, "portfolio_state: missing, version 2 needs it"),
        (r#""version":2,"portfolio_state":null"#, "portfolio_state: missing, version 2 needs it"),
        (r#""version":2,"portfolio_state":{}"#, "portfolio_state.positions: missing"),
        (r#""version":2,"portfolio_state":[]"#, "portfolio_state: expected an object, got an array"),
        (r#""version":1,"portfolio_state":{"cash":1}"#, "portfolio_state.positions: missing"),
        (r#""version":3,"actions":"?""#, "version: 3 is newer than this follower understands, update it"),
        (r#""version":0"#, "version: expected a whole number from 1, got 0"),
        (r#""version":-1"#, "version: expected a whole number from 1, got -1"),
        (r#""version":"2""#, r#"version: expected a whole number from 1, got "2""#),
        (r#""version":1.5"#, "version: expected a whole number from 1, got 1.5"),
        (r#""version":null"#, "version: expected a whole number from 1, got null"),
        (r#""actions":null"#, "actions: expected an array, got null"),
        (r#""actions":{"0":1}"#, "actions: expected an array, got an object"),
        (r#""confidence":"0.7""#, r#"confidence: expected a number, got "0.7""#),
        (r#""reasoning":12"#, "reasoning: expected a text, got 12"),
    ];
    for (fields, expected) in cases {
        assert_eq!(verdict(&format!(r#"{{"signal_id":"a",{fields}}}"#)), expected, "{fields}");
    }
    let deep = format!(
        r#"{{"signal_id":"a","actions":{}{},"portfolio_state":{{"positions":[]}}}}"#,
        "[".repeat(40),
        "]".repeat(40)
    );
    let received = decode(&deep).expect("it has an id");
    assert_eq!(received.verdict, Err("nested deeper than 32 levels".to_owned()));
    assert_eq!((received.actions_json.as_str(), received.portfolio_json), ("[]", None));
}

#[test]
fn a_signal_needs_an_id_of_its_own() {
    let (long, longest) = (format!("{:?}", "é".repeat(129)), format!("{:?}", "é".repeat(128)));
    let useless = [
        "null",
        r#""""#,
        r#""  ""#,
        "1.5",
        "true",
        "[]",
        r#""a\nb""#,
        r#""\u0000""#,
        r#""initial_sync""#,
        &long,
    ];
    for id in useless {
        let fault = decode(&format!(r#"{{"signal_id":{id}}}"#)).expect_err(id);
        assert!(fault.starts_with("signal_id: "), "{fault}");
    }
    for (id, expected) in
        [("17", "17"), ("-3", "-3"), (r#""2026-é""#, "2026-é"), (&longest, &"é".repeat(128))]
    {
        assert_eq!(decode(&format!(r#"{{"signal_id":{id}}}"#)).expect(id).id, expected);
    }
}

#[test]
fn what_is_stored_is_what_was_sent() {
    let payload = r#"{"signal_id":"a","confidence":0.72,"reasoning":"on \"achète\"","actions":[{"coin":"BTCUSDC",
        "action":"BUY","pct_of_capital":0.1}],"portfolio_state":{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":0.4}]}}"#;
    let received = decode(payload).expect("a signal");
    assert_eq!(
        (received.version, received.confidence, received.reasoning.as_str()),
        (1, Some(0.72), "on \"achète\"")
    );
    assert_eq!(received.actions_json, r#"[{"action":"BUY","coin":"BTCUSDC","pct_of_capital":0.1}]"#);
    assert_eq!(
        received.portfolio_json.as_deref(),
        Some(r#"{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":0.4}]}"#)
    );
    assert_eq!(decode(&received.payload).as_ref(), Ok(&received));
    let signal = received.verdict.expect("a valid signal");
    assert!(matches!(signal.instruction, Instruction::Actions(_)));
    assert_eq!(signal.target.map(|target| target.weight(Coin::Btc).to_string()), Some("0.4".to_owned()));
    let bare = decode(r#"{"signal_id":"b","reasoning":null,"confidence":null}"#).expect("a signal");
    assert_eq!((bare.confidence, bare.reasoning.as_str(), bare.actions_json.as_str()), (None, "", "[]"));
}
