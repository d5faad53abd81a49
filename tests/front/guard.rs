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
        for (method, path) in [("GET", "/hello"), ("HEAD", "/hello"), ("POST", "/echo"), ("POST", "/turn")] {
            let mut client = server.connect();
            client.send(format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
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

#[test]
fn what_is_not_there_is_said_before_anything_else_is_found_wrong() {
    let server = Server::start(patient());
    for headers in [
        "Host: localhost\r\n",
        "Host: evil.example\r\n",
        "Host: localhost\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n",
        "Host: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n",
    ] {
        for (method, path, status, allow) in [
            ("POST", "/nowhere", 404, None),
            ("DELETE", "/nowhere", 404, None),
            ("POST", "/hello", 405, Some("GET, HEAD")),
            ("DELETE", "/echo", 405, Some("POST, PUT")),
            ("PATCH", "/health", 405, Some("GET, HEAD")),
        ] {
            let mut client = server.connect();
            client.send(format!("{method} {path} HTTP/1.1\r\n{headers}\r\n{{}}").as_bytes());
            let reply = client.reply().unwrap();
            assert_eq!((reply.status, reply.header("allow")), (status, allow), "{method} {path} {headers}");
        }
    }
}

#[test]
fn health_answers_whoever_asks_by_whatever_name_and_nothing_else_does() {
    let server = Server::start(patient());
    for host in ["calvalot:8080", "evil.example", "calv.example.org"] {
        assert_eq!(ask(&server, "GET", "/health", &format!("Host: {host}\r\n")).text(), "well", "{host}");
    }
    for (path, status) in [("/health", 200), ("/hello", 421)] {
        let mut client = server.connect();
        client.send(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes());
        assert_eq!(client.reply().unwrap().status, status, "{path}");
    }
}

/// Comme le faisait l'ancien programme ; un navigateur ne peut pas l'envoyer pour le compte d'un autre site.
#[test]
fn a_bare_post_is_taken_where_it_may_be_and_never_from_a_browser() {
    let server = Server::start(patient());
    let bare = "Host: localhost\r\n";
    let cases = [
        ("nothing at all", "/turn", "", 200),
        ("a length of none", "/turn", "Content-Length: 0\r\n", 200),
        ("the type of an empty aiohttp", "/turn", "Content-Type: application/octet-stream\r\n", 200),
        ("another route", "/echo", "", 415),
        ("a page of ours", "/turn", "Origin: http://localhost\r\n", 415),
        ("an opaque page", "/turn", "Origin: null\r\n", 415),
        ("a browser", "/turn", "Sec-Fetch-Mode: no-cors\r\n", 415),
        ("another site", "/turn", "Sec-Fetch-Site: cross-site\r\n", 415),
        ("a link", "/turn", "Referer: http://evil.example/\r\n", 415),
        ("an empty form", "/turn", "Content-Type: application/x-www-form-urlencoded\r\n", 415),
        ("an empty text", "/turn", "Content-Type: text/plain\r\n", 415),
    ];
    for (case, path, headers, status) in cases {
        assert_eq!(ask(&server, "POST", path, &format!("{bare}{headers}")).status, status, "{case}");
    }
    let mut client = server.connect();
    client.send(format!("POST /turn HTTP/1.1\r\n{bare}Content-Length: 2\r\n\r\n{{}}").as_bytes());
    assert_eq!(client.reply().unwrap().status, 415, "a body without a type");
}

#[test]
fn another_site_reads_no_figures_and_the_page_opens_from_a_link_anywhere() {
    let server = Server::start(patient());
    let navigation = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    let cases = [
        ("/", navigation, 200),
        ("/css/calvalot.css", "Sec-Fetch-Site: cross-site\r\n", 200),
        ("/api/figures", "", 200),
        ("/api/figures", "Sec-Fetch-Site: same-origin\r\n", 200),
        ("/api/figures", "Sec-Fetch-Site: none\r\n", 200),
        ("/api/figures", "Origin: http://localhost\r\n", 200),
        ("/api/figures", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", 403),
        ("/api/figures", "Sec-Fetch-Site: same-site\r\n", 403),
        ("/api/figures", navigation, 403),
        ("/api/figures", "Origin: http://evil.example\r\n", 403),
        ("/api/figures", "Origin: null\r\n", 403),
    ];
    for (path, headers, status) in cases {
        let reply = ask(&server, "GET", path, &format!("Host: localhost\r\n{headers}"));
        assert_eq!(reply.status, status, "{path} {headers}");
    }
}

#[test]
fn only_a_proxy_that_was_named_is_believed_and_only_about_names_that_are_ours() {
    let cases = [
        ("the name it was reached by", "X-Forwarded-Host: calv.example.org\r\n", 200, 421),
        ("the last of several", "X-Forwarded-Host: evil.example, calv.example.org\r\n", 200, 421),
        (
            "the last of several lines",
            "X-Forwarded-Host: evil.example\r\nX-Forwarded-Host: localhost\r\n",
            200,
            421,
        ),
        ("what a client added before", "X-Forwarded-Host: calv.example.org, evil.example\r\n", 421, 421),
        ("a name that is not ours", "X-Forwarded-Host: evil.example\r\n", 421, 421),
        ("no name", "X-Forwarded-Host: a b\r\n", 421, 421),
        ("another header", "Forwarded: host=localhost\r\n", 421, 421),
    ];
    for (proxies, believed) in
        [(&["127.0.0.1"][..], true), (&["10.0.0.0/8", "127.0.0.0/8"], true), (&["10.0.0.1"], false)]
    {
        let server = Server::behind(patient(), proxies);
        for (case, headers, if_believed, otherwise) in cases {
            let reply = ask(&server, "GET", "/hello", &format!("Host: inside\r\n{headers}"));
            assert_eq!(reply.status, if believed { if_believed } else { otherwise }, "{case} {proxies:?}");
        }
        let json = "Content-Type: application/json\r\nX-Forwarded-Host: calv.example.org\r\nX-Forwarded-Proto: https\r\n";
        for (origin, status) in [
            ("https://calv.example.org", 200),
            ("http://calv.example.org", 403),
            ("https://evil.example", 403),
            ("http://127.0.0.1", 403),
        ] {
            let headers = format!("Host: 127.0.0.1\r\n{json}Origin: {origin}\r\n");
            let expected = if believed {
                status
            } else if origin == "http://127.0.0.1" {
                200
            } else {
                403
            };
            assert_eq!(ask(&server, "POST", "/echo", &headers).status, expected, "{origin} {proxies:?}");
        }
    }
}
