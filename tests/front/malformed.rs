//! Ce qui n'est pas une requête : chaque cas reçoit son statut en JSON, perd sa connexion, et ne coûte rien aux autres.

use crate::server::{Server, patient};

/// Une requête GET dont seules ces lignes d'en-tête changent.
fn get(headers: &str) -> Vec<u8> {
    format!("GET /hello HTTP/1.1\r\n{headers}\r\n").into_bytes()
}

/// Une requête GET bien nommée, avec ces lignes en plus.
fn with(headers: &str) -> Vec<u8> {
    get(&format!("Host: localhost\r\n{headers}"))
}

/// Une requête dont seule la première ligne change.
fn line(line: &str) -> Vec<u8> {
    format!("{line}\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// Un envoi JSON avec ces lignes, puis ces octets.
fn post(headers: &str, rest: &str) -> Vec<u8> {
    let fixed = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
    format!("{fixed}\r\n{headers}\r\n{rest}").into_bytes()
}

/// Le même, en morceaux.
fn chunked(chunks: &str) -> Vec<u8> {
    post("Transfer-Encoding: chunked\r\n", chunks)
}

fn cases() -> Vec<(&'static str, Vec<u8>, u16)> {
    let smuggled = "0\r\n\r\nGET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let many: String = (0..100).map(|at| format!("X-{at}: y\r\n")).collect();
    let bytes =
        |text: &[u8]| [b"GET /hello HTTP/1.1\r\nHost: localhost\r\nX-A: ", text, b"\r\n\r\n"].concat();
    vec![
        ("TLS on the plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 400),
        ("zero bytes", vec![0; 64], 400),
        ("a method alone", line("GET"), 400),
        ("HTTP/0.9", b"GET /hello\r\n\r\n".to_vec(), 400),
        ("a word after the version", line("GET /hello HTTP/1.1 more"), 400),
        ("two spaces in the request line", line("GET  /hello HTTP/1.1"), 400),
        ("a tab in the request line", line("GET\t/hello HTTP/1.1"), 400),
        ("a space before the method", line(" GET /hello HTTP/1.1"), 400),
        ("a lower-case method", line("get /hello HTTP/1.1"), 501),
        ("an unknown method", line("BREW /hello HTTP/1.1"), 501),
        ("a NUL in the method", line("G\0T /hello HTTP/1.1"), 400),
        ("a NUL in the target", line("GET /hel\0lo HTTP/1.1"), 400),
        ("a target without a slash", line("GET hello HTTP/1.1"), 400),
        ("the target *", line("OPTIONS * HTTP/1.1"), 400),
        ("CONNECT", line("CONNECT localhost:80 HTTP/1.1"), 400),
        ("UTF-8 in the target", line("GET /h\u{e9}llo HTTP/1.1"), 400),
        ("a fragment in the target", line("GET /hello#x HTTP/1.1"), 400),
        ("a backslash in the target", line("GET /\\hello HTTP/1.1"), 400),
        ("a target of 33000 bytes", line(&format!("GET /{} HTTP/1.1", "a".repeat(33000))), 414),
        ("an endless request line", vec![b'A'; 33000], 414),
        ("HTTP/2.0", line("GET /hello HTTP/2.0"), 505),
        ("the HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 505),
        ("HTTP/1.2", line("GET /hello HTTP/1.2"), 505),
        ("another protocol", line("GET /hello HTTPS/1.1"), 400),
        ("a lower-case version", line("GET /hello http/1.1"), 400),
        ("an absolute target elsewhere", line("GET http://evil.example/hello HTTP/1.1"), 400),
        ("an absolute target on another port", line("GET http://localhost:1/hello HTTP/1.1"), 400),
        ("an absolute target of another scheme", line("GET ftp://localhost/hello HTTP/1.1"), 400),
        ("an absolute target with a user", line("GET http://a@localhost/hello HTTP/1.1"), 400),
        ("no Host", get(""), 400),
        ("two Hosts", with("Host: localhost\r\n"), 400),
        ("two Hosts that differ", with("host: evil.example\r\n"), 400),
        ("an empty Host", get("Host:\r\n"), 400),
        ("a Host with a user", get("Host: a@localhost\r\n"), 400),
        ("a Host with a path", get("Host: localhost/a\r\n"), 400),
        ("a Host with a query", get("Host: localhost?a\r\n"), 400),
        ("a Host with a list", get("Host: localhost, evil.example\r\n"), 400),
        ("a Host with a port too large", get("Host: localhost:65536\r\n"), 400),
        ("a Host with a signed port", get("Host: localhost:+80\r\n"), 400),
        ("a Host with an IPv6 zone", get("Host: [fe80::1%25eth0]\r\n"), 400),
        ("a Host with an open bracket", get("Host: [::1\r\n"), 400),
        ("a header without a colon", with("nonsense\r\n"), 400),
        ("a space before the colon", with("X-A : b\r\n"), 400),
        ("an empty header name", with(": b\r\n"), 400),
        ("a folded header", with("X-A: b\r\n c\r\n"), 400),
        ("a folded first header", get(" Host: localhost\r\n"), 400),
        ("a header name with UTF-8", with("X-\u{e9}: b\r\n"), 400),
        ("a NUL in a header value", bytes(b"a\0b"), 400),
        ("a bare CR in a header value", bytes(b"a\rb"), 400),
        ("a control character in a header value", bytes(b"a\x01b"), 400),
        ("UTF-8 in the Host", get("Host: caf\u{e9}\r\n"), 400),
        ("UTF-8 in the length", post("Content-Length: \u{662}\r\n", "{}"), 400),
        ("UTF-8 in the coding", post("Transfer-Encoding: chunked\u{e9}\r\n", smuggled), 400),
        ("UTF-8 in the connection", with("Connection: clos\u{e9}\r\n"), 400),
        ("lines that end with LF alone", b"GET /hello HTTP/1.1\nHost: localhost\n\n".to_vec(), 400),
        ("one LF among CR LF", b"GET /hello HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n".to_vec(), 400),
        ("an end of headers with LF alone", b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\n".to_vec(), 400),
        ("101 headers", with(&many), 431),
        ("a header of 33000 bytes", with(&format!("X-A: {}\r\n", "a".repeat(33000))), 431),
        ("the same length twice", post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), 400),
        ("two lengths", post("Content-Length: 2\r\ncontent-length: 3\r\n", "{}"), 400),
        ("a list of lengths", post("Content-Length: 2, 2\r\n", "{}"), 400),
        ("a length with a sign", post("Content-Length: +2\r\n", "{}"), 400),
        ("a negative length", post("Content-Length: -1\r\n", ""), 400),
        ("a hexadecimal length", post("Content-Length: 0x2\r\n", "{}"), 400),
        ("a length with a space", post("Content-Length: 2 2\r\n", "{}"), 400),
        ("an empty length", post("Content-Length:\r\n", "{}"), 400),
        ("a length one above the limit", post("Content-Length: 65537\r\n", ""), 413),
        ("a length no machine has", post("Content-Length: 99999999999999999999999\r\n", ""), 413),
        ("a body above the limit that comes", post("Content-Length: 200000\r\n", &"a".repeat(200_000)), 413),
        ("a chunk of no size", chunked("\r\n{}\r\n0\r\n\r\n"), 400),
        ("a chunk size that is no number", chunked("zz\r\n{}\r\n0\r\n\r\n"), 400),
        ("a chunk size with a sign", chunked("+2\r\n{}\r\n0\r\n\r\n"), 400),
        ("a chunk size with 0x", chunked("0x2\r\n{}\r\n0\r\n\r\n"), 400),
        ("a chunk size with a space before it", chunked(" 2\r\n{}\r\n0\r\n\r\n"), 400),
        ("a chunk size of nine digits", chunked("000000002\r\n{}\r\n0\r\n\r\n"), 400),
        ("a chunk size that ends with LF alone", chunked("2\n{}\r\n0\r\n\r\n"), 400),
        ("a chunk longer than it says", chunked("2\r\n{}}\r\n0\r\n\r\n"), 400),
        ("a chunk shorter than it says", chunked("3\r\n{}\r\n0\r\n\r\n"), 400),
        ("a chunk extension with a bare CR", chunked("2;a=\rb\r\n{}\r\n0\r\n\r\n"), 400),
        ("an endless chunk extension", chunked(&format!("2;{}", "a".repeat(9000))), 400),
        ("endless fields after the body", chunked(&format!("0\r\n{}", "A: b\r\n".repeat(400))), 400),
        ("a chunk one byte above the limit", chunked("10001\r\n"), 413),
        ("chunks above the limit together", chunked(&format!("ffff\r\n{}\r\n2\r\n", "a".repeat(65535))), 413),
        ("a chunk no machine has", chunked("ffffffff\r\n"), 413),
        (
            "chunked after a length",
            post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", smuggled),
            400,
        ),
        (
            "chunked before a length",
            post("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", smuggled),
            400,
        ),
        ("a coding that looks like chunked", post("Transfer-Encoding: xchunked\r\n", smuggled), 501),
        ("chunked behind another coding", post("Transfer-Encoding: gzip, chunked\r\n", smuggled), 501),
        ("two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", ""), 400),
        ("chunked behind a vertical tab", post("Transfer-Encoding: \x0bchunked\r\n", smuggled), 400),
        ("chunked in HTTP/1.0", b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(), 400),
        ("an unknown expectation", post("Content-Length: 2\r\nExpect: tea\r\n", "{}"), 417),
    ]
}

#[test]
fn a_malformed_request_gets_its_status_loses_its_connection_and_costs_nobody_else_anything() {
    let server = Server::start(patient());
    for (case, bytes, status) in cases() {
        let mut client = server.connect();
        client.send(&bytes);
        let reply = client.reply().unwrap_or_else(|| panic!("no answer to {case}"));
        assert_eq!(reply.status, status, "{case}: {}", reply.text());
        reply.assert_is_json_error(case);
        assert_eq!(reply.header("connection"), Some("close"), "{case}");
        assert_eq!(client.rest(), b"", "something after the refusal of {case}");
        server.assert_serves(case);
    }
}

#[test]
fn a_request_cut_short_is_refused_and_costs_nobody_else_anything() {
    let server = Server::start(patient());
    let cases = [
        ("half a method", b"GE".to_vec()),
        ("a request line", b"GET /hello HTTP/1.1\r\n".to_vec()),
        ("half a header", b"GET /hello HTTP/1.1\r\nHost: loc".to_vec()),
        ("headers without their end", b"GET /hello HTTP/1.1\r\nHost: localhost\r\n".to_vec()),
        ("half a chunk size", chunked("2")),
        ("half a chunk", chunked("5\r\nab")),
        ("chunks without their end", chunked("2\r\n{}\r\n")),
        ("no body", post("Content-Length: 5\r\n", "")),
        ("half a body", post("Content-Length: 5\r\n", "ab")),
    ];
    for (case, bytes) in cases {
        let mut client = server.connect();
        client.send(&bytes);
        client.half_close();
        let reply = client.reply().unwrap_or_else(|| panic!("no answer to {case}"));
        assert_eq!(reply.status, 400, "{case}");
        let mut gone = server.connect();
        gone.send(&bytes);
        drop(gone);
        server.assert_serves(case);
    }
}

#[test]
fn an_unusual_request_that_is_right_is_served() {
    let server = Server::start(patient());
    let cases = [
        ("empty lines first", line("\r\n\r\nGET /hello HTTP/1.1")),
        ("an absolute target", line("GET http://LOCALHOST/hello HTTP/1.1")),
        ("an absolute target with a query", line("GET http://localhost/hello?a=b HTTP/1.1")),
        ("a path that climbs", line("GET /a/../hello HTTP/1.1")),
        ("a cookie of another program, in UTF-8", with("Cookie: name=\u{e9}\r\n")),
        ("100 headers", with(&(0..99).map(|at| format!("X-{at}: y\r\n")).collect::<String>())),
        ("the name of a person, in UTF-8", with("Remote-Name: \u{c9}lodie\r\n")),
        (
            "the name of a person, in Latin-1",
            b"GET /hello HTTP/1.1\r\nHost: localhost\r\nX: \xc9\r\n\r\n".to_vec(),
        ),
        ("cookies of other programs, 12000 bytes", with(&format!("Cookie: a={}\r\n", "b".repeat(12000)))),
        ("header names in odd letters", get("hOsT: localhost\r\n")),
        ("a GET with a body", [with("Content-Length: 2\r\n"), b"{}".to_vec()].concat()),
        ("HTTP/1.0", line("GET /hello HTTP/1.0")),
    ];
    for (case, bytes) in cases {
        let mut client = server.connect();
        client.send(&bytes);
        let reply = client.reply().unwrap_or_else(|| panic!("no answer to {case}"));
        assert_eq!((reply.status, reply.text()), (200, "hello"), "{case}");
    }
}
