//! Les réponses : cadrage, enchaînement, erreurs, entrées typées, page.

use std::collections::BTreeSet;
use std::path::Path;

use calvalot::api::page::FILES;

use crate::server::{Client, Reply, Server, patient};

fn get(client: &mut Client, path: &str) -> Reply {
    client.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
    client.reply().unwrap_or_else(|| panic!("no answer to {path}"))
}

fn echo(body: &str) -> String {
    let head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn every_answer_says_its_length_its_date_and_is_not_sniffed() {
    let server = Server::start(patient());
    let mut client = server.connect();
    for path in ["/hello", "/", "/nowhere"] {
        let reply = get(&mut client, path);
        assert_eq!(reply.header("content-length"), Some(reply.body.len().to_string().as_str()));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert!(reply.header("date").is_some_and(|date| date.ends_with(" GMT") && date.len() == 29));
        assert_eq!(reply.header("connection"), None);
    }
}

#[test]
fn a_connection_serves_many_requests_until_its_client_asks_to_close() {
    let server = Server::start(patient());
    let mut client = server.connect();
    for at in 0..50 {
        assert_eq!(get(&mut client, "/hello").text(), "hello", "request {at}");
    }
    client.send(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: x, Close\r\n\r\n");
    assert_eq!(client.reply().unwrap().header("connection"), Some("close"));
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_client_of_http_1_0_gets_its_answer_and_the_end_of_the_connection() {
    let server = Server::start(patient());
    for (path, body) in [("/hello", "hello"), ("/stream", "streamed")] {
        let mut client = server.connect();
        client.send(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes());
        let reply = client.reply().unwrap();
        assert_eq!((reply.text(), reply.header("transfer-encoding")), (body, None));
        assert_eq!(client.rest(), b"");
    }
}

#[test]
fn requests_sent_together_are_answered_in_order() {
    let server = Server::start(patient());
    let mut client = server.connect();
    let bodies: Vec<String> = (0..40).map(|at| format!("{at}").repeat(at * 20)).collect();
    let requests: String = bodies.iter().map(|body| echo(body) + "\r\n").collect();
    client.send(requests.as_bytes());
    for body in &bodies {
        assert_eq!(client.reply().unwrap().text(), body);
    }
    let mut split = server.connect();
    for byte in (echo("one") + &echo("two")).as_bytes() {
        split.send(&[*byte]);
    }
    assert_eq!((split.reply().unwrap().text(), split.reply().unwrap().text()), ("one", "two"));
}

#[test]
fn a_refused_request_ends_the_ones_sent_behind_it() {
    let server = Server::start(patient());
    let mut client = server.connect();
    client.send((echo("one") + "BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n" + &echo("two")).as_bytes());
    assert_eq!(client.reply().unwrap().text(), "one");
    assert_eq!(client.reply().unwrap().status, 501);
    assert_eq!(client.rest(), b"");
}

#[test]
fn head_gives_the_headers_of_get_and_no_body() {
    let server = Server::start(patient());
    let mut client = server.connect();
    for (path, length) in [("/hello", Some("5")), ("/stream", None), ("/large", Some("20000000"))] {
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        let reply = client.head().unwrap();
        assert_eq!((reply.status, reply.header("content-length")), (200, length), "{path}");
    }
    assert_eq!(get(&mut client, "/hello").text(), "hello");
}

#[test]
fn a_client_that_waits_for_a_go_ahead_gets_it() {
    let server = Server::start(patient());
    let mut client = server.connect();
    let request = echo("{}").replace("Host:", "Expect: 100-Continue\r\nHost:");
    let (head, body) = request.split_at(request.len() - 2);
    client.send(head.as_bytes());
    assert_eq!(client.reply().unwrap().status, 100);
    client.send(body.as_bytes());
    assert_eq!(client.reply().unwrap().text(), "{}");
}

#[test]
fn a_body_in_chunks_is_read_and_what_follows_it_is_the_next_request() {
    let server = Server::start(patient());
    let chunked = |coding: &str, chunks: &str| {
        let head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
        format!("{head}\r\nTransfer-Encoding: {coding}\r\n\r\n{chunks}")
    };
    let whole = chunked("chunked", "2\r\n{\"\r\n6;ext=1\r\na\":7}\n\r\n0\r\nDigest: x\r\n\r\n");
    let mut client = server.connect();
    client.send((whole.clone() + &echo("two") + &chunked("cHuNkEd", "0\r\n\r\n")).as_bytes());
    assert_eq!(client.reply().unwrap().text(), "{\"a\":7}\n");
    assert_eq!(client.reply().unwrap().text(), "two");
    assert_eq!(client.reply().unwrap().text(), "");
    let mut split = server.connect();
    for byte in (whole + &echo("two")).as_bytes() {
        split.send(&[*byte]);
    }
    assert_eq!((split.reply().unwrap().text(), split.reply().unwrap().text()), ("{\"a\":7}\n", "two"));
    let limit = "a".repeat(65536);
    let mut client = server.connect();
    client.send(
        chunked(
            "chunked",
            &format!("8000\r\n{}\r\n8000\r\n{}\r\n0\r\n\r\n", &limit[..32768], &limit[32768..]),
        )
        .as_bytes(),
    );
    assert_eq!(client.reply().unwrap().text(), limit);
    let mut waiting = server.connect();
    let (head, body) = (
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
        "2\r\n{}\r\n0\r\n\r\n",
    );
    waiting.send(head.as_bytes());
    assert_eq!(waiting.reply().unwrap().status, 100);
    waiting.send(body.as_bytes());
    assert_eq!(waiting.reply().unwrap().text(), "{}");
}

#[test]
fn a_body_of_unknown_length_goes_in_chunks_and_a_large_one_arrives_whole() {
    let server = Server::start(patient());
    let mut client = server.connect();
    let reply = get(&mut client, "/stream");
    assert_eq!((reply.text(), reply.header("content-length")), ("streamed", None));
    let reply = get(&mut client, "/large");
    assert!(reply.body.len() == 20_000_000 && reply.body.iter().all(|byte| *byte == b'x'));
    assert_eq!(get(&mut client, "/hello").text(), "hello");
}

#[test]
fn a_panic_is_a_500_or_a_closed_connection_and_nobody_else_notices() {
    let server = Server::start(patient());
    let mut other = server.connect();
    assert_eq!(get(&mut other, "/hello").status, 200);
    let mut client = server.connect();
    let reply = get(&mut client, "/panic");
    assert_eq!(reply.status, 500);
    reply.assert_is_json_error("/panic");
    assert!(!reply.text().contains("panics"));
    for path in ["/bad-body", "/short"] {
        let mut client = server.connect();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        assert!(client.rest().len() < 1000, "{path}");
    }
    assert_eq!(get(&mut other, "/hello").status, 200);
}

#[test]
fn a_header_cannot_write_another_one() {
    let server = Server::start(patient());
    let reply = get(&mut server.connect(), "/inject");
    assert_eq!((reply.status, reply.header("x-a"), reply.header("x-evil")), (200, None, None));
}

#[test]
fn every_refusal_is_json_that_helps_and_hides_the_inside() {
    let server = Server::start(patient());
    let cases = [
        ("GET", "/nowhere", 404, "there is nothing at /nowhere", None),
        ("GET", "/hello/", 404, "there is nothing at /hello/", None),
        ("GET", "/echo", 405, "GET is not possible here, use POST, PUT", Some("POST, PUT")),
        ("POST", "/hello", 405, "POST is not possible here, use GET, HEAD", Some("GET, HEAD")),
        ("DELETE", "/echo", 405, "DELETE is not possible here, use POST, PUT", Some("POST, PUT")),
        ("GET", "/conflict", 409, "not now", None),
        ("GET", "/broken", 500, "something went wrong here; see the log", None),
        ("GET", "/plain", 503, "something went wrong here; see the log", None),
    ];
    for (method, path, status, message, allow) in cases {
        let mut client = server.connect();
        let headers = "Host: localhost\r\nContent-Type: application/json";
        client.send(format!("{method} {path} HTTP/1.1\r\n{headers}\r\n\r\n").as_bytes());
        let reply = client.reply().unwrap();
        let expected = format!(r#"{{"error":"{message}"}}"#);
        assert_eq!((reply.status, reply.text()), (status, expected.as_str()), "{method} {path}");
        assert_eq!(reply.header("allow"), allow, "{method} {path}");
    }
}

#[test]
fn a_body_that_is_not_the_expected_json_is_refused_with_the_expected_shape() {
    let server = Server::start(patient());
    let ask = |body: &[u8]| {
        let mut client = server.connect();
        let head = "POST /amount HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
        client.send(format!("{head}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
        client.send(body);
        client.reply().unwrap()
    };
    assert_eq!(ask(br#"{"amount": 7}"#).text(), "7");
    let nested = "[".repeat(65000);
    let wrong: [&[u8]; 8] = [
        b"",
        b"{}",
        b"7",
        br#"{"amount": "7"}"#,
        br#"{"amount": 7} 8"#,
        b"\xff",
        b"\x1f\x8b",
        nested.as_bytes(),
    ];
    for body in wrong {
        let reply = ask(body);
        let expected = r#"{"error":"the body must be JSON like {\"amount\": 50}"}"#;
        assert_eq!((reply.status, reply.text()), (400, expected), "{:?}", &body[..body.len().min(20)]);
    }
}

#[test]
fn a_limit_is_a_positive_number_capped_and_a_period_is_one_of_the_known_ones() {
    let server = Server::start(patient());
    let good = [
        ("/list", "20 None"),
        ("/list?limit=1", "1 None"),
        ("/list?limit=100&period=1w", "100 Some(7)"),
        ("/list?limit=101", "100 None"),
        ("/list?limit=99999999999999999999&other=x", "100 None"),
        ("/list?limit=007&period=1%64", "7 Some(1)"),
    ];
    for (path, expected) in good {
        assert_eq!(get(&mut server.connect(), path).text(), expected, "{path}");
    }
    let bad =
        ["limit=", "limit=0", "limit=00", "limit=-1", "limit=+1", "limit=1.5", "limit=abc", "limit=1e3"];
    let odd = [
        "limit=%31%00",
        "limit=1&limit=2",
        "limit=%D9%A1",
        "period=",
        "period=2d",
        "period=1D",
        "period=1d&period=1w",
    ];
    for query in bad.iter().chain(&odd) {
        let reply = get(&mut server.connect(), &format!("/list?{query}"));
        assert_eq!(reply.status, 400, "{query}");
        reply.assert_is_json_error(query);
    }
    assert!(get(&mut server.connect(), "/list?period=x").text().contains("period must be one of 1d, 1w"));
}

#[test]
fn the_page_is_served_under_a_strict_policy_and_revalidated_by_its_tag() {
    let server = Server::start(patient());
    for file in FILES {
        let mut client = server.connect();
        let reply = get(&mut client, file.path);
        assert_eq!(reply.status, 200, "{}", file.path);
        assert_eq!(reply.header("cache-control"), Some("no-cache"));
        let html = reply.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        let policy = reply.header("content-security-policy").unwrap_or_default();
        assert_eq!(html, policy.starts_with("default-src 'none'; script-src 'self'; "), "{}", file.path);
        let tag = reply.header("etag").unwrap();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 18, "{tag}");
        let known = [tag.to_owned(), format!("W/{tag}"), format!("\"a\", {tag}"), "*".to_owned()];
        for (known, status) in known.iter().map(|tag| (tag.as_str(), 304)).chain([("\"a\"", 200), ("a", 200)])
        {
            let ask =
                format!("GET {} HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {known}\r\n\r\n", file.path);
            client.send(ask.as_bytes());
            let reply = client.reply().unwrap();
            assert_eq!((reply.status, reply.header("etag")), (status, Some(tag)), "{known}");
        }
    }
}

#[test]
fn every_file_of_the_page_is_in_the_table() {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
    let mut found = BTreeSet::new();
    walk(&root, &root, &mut found);
    assert_eq!(found, FILES.iter().map(|file| file.name.to_owned()).collect());
}

/// Un mandataire peut nous servir sous un chemin à lui, qu'il ôte : une adresse qui part de la racine n'y mènerait plus.
#[test]
fn no_file_of_the_page_names_an_address_from_the_root() {
    let server = Server::start(patient());
    let roots = ["/api", "/js", "/css", "/health", "/metrics"];
    for file in FILES {
        let reply = get(&mut server.connect(), file.path);
        for root in roots {
            for before in ["\"", "'", "`", "url("] {
                assert!(!reply.text().contains(&format!("{before}{root}")), "{}: {before}{root}", file.path);
            }
        }
    }
}
