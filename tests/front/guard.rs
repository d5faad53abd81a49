//! La garde, règle par règle : qui peut lire, qui peut écrire.

use crate::server::{Reply, Server, patient};

fn ask(server: &Server, method: &str, path: &str, headers: &str) -> Reply {
    let mut client = server.connect();
    client.send(format!("{method} {path} HTTP/1.1\r\n{headers}\r\n").as_bytes());
    client.reply().unwrap_or_else(|| panic!("no answer to {method} {path} {headers}"))
}

#[test]
fn only_an_address_localhost_local_names_and_allowed_hosts_are_answered() {
    let server = Server::start(patient());
    let known = ["127.0.0.1", "192.168.1.20:8080", "[::1]", "[fe80::1]:8080", "localhost:80", "LOCALHOST."];
    let named =
        ["pi.local", "my_pi.home.local:8080", "PI.Local.", "calv.example.org", "CALV.example.ORG.:8443"];
    for host in known.iter().chain(&named).chain(&["other.example"]) {
        let reply = ask(&server, "GET", "/hello", &format!("Host: {host}\r\n"));
        assert_eq!(reply.status, 200, "{host}");
    }
    let rebound = ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "x.calv.example.org"];
    let tricks = ["127.1", "0x7f.0.0.1", "2130706433", "local", "evillocal", "notlocalhost", "calv.example"];
    for host in rebound.iter().chain(&tricks) {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            let mut client = server.connect();
            client.send(format!("{method} /hello HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
            assert_eq!(client.head().unwrap().status, 421, "{method} {host}");
        }
        let reply = ask(&server, "GET", "/hello", &format!("Host: {host}\r\n"));
        reply.assert_is_json_error(host);
        assert!(reply.text().contains("ALLOWED_HOSTS"), "{}", reply.text());
    }
}

#[test]
fn a_request_without_a_host_is_not_answered_even_in_http_1_0() {
    let server = Server::start(patient());
    let mut client = server.connect();
    client.send(b"GET /hello HTTP/1.0\r\n\r\n");
    assert_eq!(client.reply().unwrap().status, 421);
}

#[test]
fn a_forwarded_host_is_never_believed() {
    let server = Server::start(patient());
    let headers = "Host: evil.example\r\nX-Forwarded-Host: localhost\r\nForwarded: host=localhost\r\n";
    assert_eq!(ask(&server, "GET", "/hello", headers).status, 421);
}

#[test]
fn a_write_must_be_json_from_the_same_origin() {
    let json = "Content-Type: application/json";
    let cases = [
        ("a script", "localhost:8080", json, 200),
        ("a charset", "localhost", "Content-Type: Application/JSON; charset=utf-8", 200),
        ("no type", "localhost", "X-A: b", 415),
        ("a form", "localhost", "Content-Type: application/x-www-form-urlencoded", 415),
        ("plain text", "localhost", "Content-Type: text/plain", 415),
        ("a multipart form", "localhost", "Content-Type: multipart/form-data; boundary=a", 415),
        ("JSON as a parameter", "localhost", "Content-Type: text/plain; a=application/json", 415),
        ("a longer type", "localhost", "Content-Type: application/json-seq", 415),
        ("two types", "localhost", "Content-Type: application/json\r\nContent-Type: text/plain", 415),
        ("the page", "localhost:8080", "Origin: http://localhost:8080\r\nSec-Fetch-Site: same-origin", 200),
        ("the page, other letters", "PI.local.", "Origin: http://pi.local", 200),
        ("the page by IPv6", "[::1]:8080", "Origin: http://[0:0::1]:8080", 200),
        ("the usual port, written", "localhost:80", "Origin: http://localhost", 200),
        ("another site", "localhost:8080", "Origin: http://evil.example", 403),
        ("another name of ours", "localhost:8080", "Origin: http://127.0.0.1:8080", 403),
        ("another port", "localhost:8080", "Origin: http://localhost:3000", 403),
        ("the usual port for another", "localhost:8080", "Origin: http://localhost", 403),
        ("an opaque origin", "localhost", "Origin: null", 403),
        ("an empty origin", "localhost", "Origin:", 403),
        ("an extension", "localhost", "Origin: chrome-extension://localhost", 403),
        ("an origin with a path", "localhost", "Origin: http://localhost/a", 403),
        ("an origin with a user", "localhost", "Origin: http://a@localhost", 403),
        ("a name that begins alike", "localhost", "Origin: http://localhost.evil.example", 403),
        ("two origins", "localhost", "Origin: http://localhost\r\nOrigin: http://evil.example", 400),
        ("a typed address", "localhost", "Sec-Fetch-Site: none", 200),
        ("cross-site", "localhost", "Sec-Fetch-Site: cross-site", 403),
        ("same-site", "localhost", "Sec-Fetch-Site: same-site", 403),
        ("same-site, origin ours", "localhost", "Origin: http://localhost\r\nSec-Fetch-Site: same-site", 403),
        ("a TLS proxy", "calv.example.org", "Origin: https://calv.example.org", 200),
        ("a TLS proxy with ports", "calv.example.org:8443", "Origin: https://calv.example.org:8443", 200),
        ("a TLS proxy, port 443", "calv.example.org:443", "Origin: https://calv.example.org", 200),
        ("a TLS proxy, port 80", "calv.example.org:80", "Origin: https://calv.example.org", 403),
        ("a port the proxy erased", "calv.example.org", "Origin: https://calv.example.org:8443", 403),
        (
            "a port the proxy erased, vouched for by the browser",
            "calv.example.org",
            "Origin: https://calv.example.org:8443\r\nSec-Fetch-Site: same-origin",
            200,
        ),
        (
            "another name, whatever the browser says",
            "calv.example.org",
            "Origin: https://evil.example\r\nSec-Fetch-Site: same-origin",
            403,
        ),
        ("a proxy that hides the name", "127.0.0.1:8080", "Origin: https://calv.example.org", 403),
    ];
    let server = Server::start(patient());
    for (case, host, headers, status) in cases {
        let types = if headers.contains("Content-Type") || case == "no type" { "" } else { json };
        let lines = [&format!("Host: {host}"), types, headers].map(str::to_owned);
        let lines: String =
            lines.iter().filter(|line| !line.is_empty()).map(|line| format!("{line}\r\n")).collect();
        for method in ["POST", "PUT"] {
            let reply = ask(&server, method, "/echo", &lines);
            assert_eq!(reply.status, status, "{case}, {method}: {}", reply.text());
            assert_eq!(reply.header("access-control-allow-origin"), None, "{case}");
            if status != 200 {
                reply.assert_is_json_error(case);
            }
        }
    }
}

#[test]
fn a_page_elsewhere_that_asks_first_is_told_no_and_gets_no_cors_header() {
    let server = Server::start(patient());
    let headers = "Host: localhost\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n";
    let reply = ask(&server, "OPTIONS", "/echo", headers);
    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("allow"), Some("POST, PUT"));
    assert_eq!(reply.header("access-control-allow-origin"), None);
    assert_eq!(reply.header("access-control-allow-methods"), None);
}
