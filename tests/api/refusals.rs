//! Ce qui est refusé : le statut, le corps JSON, et rien de changé au grand livre.

use rusqlite::Connection;

use crate::follower::{Answer, Folder, Site, still_world};
use crate::{base, restarted_with, settled};

/// Tout ce qu'une écriture pourrait changer.
fn books(connection: &Connection) -> Vec<String> {
    let rows = "SELECT initial_eur || ' ' || deposited_eur || ' ' || cash FROM account
        UNION ALL SELECT state || ' ' || paused FROM agent
        UNION ALL SELECT kind || ' ' || eur || ' ' || usdc FROM movements
        UNION ALL SELECT coin || ' ' || quantity || ' ' || invested FROM positions
        UNION ALL SELECT signal_id || ' ' || status FROM signals
        UNION ALL SELECT count(*) FROM trades";
    let mut statement = connection.prepare(rows).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
    rows.map(|row| format!("{:?}", row.unwrap())).collect()
}

fn request(site: Site, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        site.address(),
        body.len()
    );
    site.raw(text.as_bytes()).unwrap_or_else(|| panic!("no answer to {method} {path}"))
}

fn error(answer: &Answer) -> String {
    assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
    let error = answer.json();
    assert_eq!(error.as_object().map(serde_json::Map::len), Some(1), "{error}");
    error["error"].as_str().unwrap_or_else(|| panic!("no reason in {error}")).to_owned()
}

const JSON: &str = "Content-Type: application/json\r\n";

#[test]
fn what_is_not_there_and_what_cannot_be_done_there_is_said_in_json() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let cases = [
        ("GET", "/nowhere", 404, None),
        ("GET", "/api", 404, None),
        ("GET", "/api/budget/nothing", 404, None),
        ("GET", "/static/index.html", 404, None),
        ("GET", "/../Cargo.toml", 404, None),
        ("POST", "/nowhere", 404, None),
        ("POST", "/api/budget", 405, Some("GET, HEAD")),
        ("PUT", "/api/trades", 405, Some("GET, HEAD")),
        ("DELETE", "/api/signals", 405, Some("GET, HEAD")),
        ("PATCH", "/health", 405, Some("GET, HEAD")),
        ("POST", "/metrics", 405, Some("GET, HEAD")),
        ("POST", "/", 405, Some("GET, HEAD")),
        ("GET", "/api/budget/deposit", 405, Some("POST, PUT")),
        ("DELETE", "/api/budget/deposit", 405, Some("POST, PUT")),
        ("GET", "/api/agent/toggle", 405, Some("POST")),
        ("PUT", "/api/agent/toggle", 405, Some("POST")),
        ("POST", "/api/orders", 405, Some("GET, HEAD")),
        ("PUT", "/api/exchange", 405, Some("GET, HEAD")),
        ("GET", "/api/orders/1/release", 405, Some("POST")),
        ("GET", "/api/orders/1", 404, None),
        ("GET", "/api/exchange/takeover", 405, Some("POST")),
        ("GET", "/api/exchange/differences/XRP/count", 405, Some("POST")),
        ("POST", "/api/exchange/differences/DOGE/count", 404, None),
        ("POST", "/api/exchange/differences/XRPUSDC/count", 404, None),
        ("POST", "/api/orders/1/release/now", 404, None),
        ("OPTIONS", "/api/budget", 405, Some("GET, HEAD")),
        ("OPTIONS", "/api/agent/toggle", 405, Some("POST")),
    ];
    for (method, path, status, allow) in cases {
        let answer = request(follower.site(), method, path, JSON, "{}");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert!(!error(&answer).is_empty());
        let header = answer.head.lines().find_map(|line| line.strip_prefix("allow: "));
        assert_eq!(header, allow, "{method} {path}");
        assert!(!answer.head.to_lowercase().contains("access-control"), "{method} {path}");
    }
    let head = request(follower.site(), "HEAD", "/nowhere", "", "");
    assert_eq!((head.status, head.body.as_str()), (404, ""));
}

#[test]
fn a_body_that_is_not_what_the_route_takes_changes_nothing() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = restarted_with(&world, &folder, "");
    let before = books(&base(&folder));
    let (deposit, toggle, release) = ("/api/budget/deposit", "/api/agent/toggle", "/api/orders/1/release");
    let cases = [
        ("POST", deposit, ""),
        ("POST", deposit, "{}"),
        ("POST", deposit, "null"),
        ("POST", deposit, "50"),
        ("POST", deposit, "[50]"),
        ("POST", deposit, "amount_eur=50"),
        ("POST", deposit, r#"{"amount_eur":50"#),
        ("POST", deposit, r#"{"amount_eur":50}}"#),
        ("POST", deposit, r#"{"amount_eur":"50"}"#),
        ("POST", deposit, r#"{"amount_eur":[50]}"#),
        ("POST", deposit, r#"{"amount_eur":{"eur":50}}"#),
        ("POST", deposit, r#"{"total_eur":50}"#),
        ("POST", deposit, r#"{"amount_eur":50,"currency":"USD"}"#),
        ("POST", deposit, r#"{"AMOUNT_EUR":50}"#),
        ("PUT", deposit, ""),
        ("PUT", deposit, "{}"),
        ("PUT", deposit, r#"{"amount_eur":50}"#),
        ("PUT", deposit, r#"{"total_eur":null}"#),
        ("PUT", deposit, r#"{"total_eur":"1200"}"#),
        ("PUT", deposit, r#"{"total_eur":-1000000.01}"#),
        ("PUT", deposit, r#"{"total_eur":1200,"understood":"yes"}"#),
        ("POST", "/api/exchange/differences/XRP/count", "{}"),
        ("POST", "/api/exchange/differences/XRP/count", r#"{"quantity":5}"#),
        ("POST", "/api/exchange/differences/XRP/count", r#"{"quantity":"-5"}"#),
        ("POST", "/api/exchange/differences/XRP/count", r#"{"quantity":"1e3"}"#),
        ("POST", "/api/exchange/differences/USDC/write-off", r#"{"quantity":"0"}"#),
        ("POST", "/api/exchange/differences/USDC/write-off", r#"{"quantity":"5","force":true}"#),
        ("POST", "/api/exchange/takeover", "{}"),
        ("POST", "/api/exchange/takeover", r#"{"understood":false}"#),
        ("PUT", deposit, r#"{"total_eur":1000000.01}"#),
        ("PUT", deposit, r#"{"total_eur":1e300}"#),
        ("PUT", deposit, r#"{"total_eur":1200.001}"#),
        ("PUT", deposit, r#"{"total_eur":NaN}"#),
        ("PUT", deposit, r#"{"total_eur":1200,"force":true}"#),
        ("POST", toggle, ""),
        ("POST", toggle, "true"),
        ("POST", toggle, "[]"),
        ("POST", toggle, r#"{"paused":"true"}"#),
        ("POST", toggle, r#"{"paused":1}"#),
        ("POST", toggle, r#"{"pause":true}"#),
        ("POST", toggle, r#"{"paused":true,"until":"tomorrow"}"#),
        ("POST", toggle, r#"{"} or {":true}"#),
        ("POST", release, "{}"),
        ("POST", release, r#"{"looked":false}"#),
        ("POST", release, r#"{"looked":"yes"}"#),
        ("POST", release, r#"{"looked":true,"force":true}"#),
        ("POST", "/api/orders/0/release", r#"{"looked":true}"#),
        ("POST", "/api/orders/-1/release", r#"{"looked":true}"#),
        ("POST", "/api/orders/+1/release", r#"{"looked":true}"#),
        ("POST", "/api/orders/one/release", r#"{"looked":true}"#),
        ("POST", "/api/orders/99999999999999999999/release", r#"{"looked":true}"#),
    ];
    for (method, path, body) in cases {
        let answer = request(follower.site(), method, path, JSON, body);
        assert_eq!(answer.status, 400, "{method} {path} {body}: {}", answer.body);
        assert!(!error(&answer).is_empty());
    }
    assert_eq!(books(&base(&folder)), before);
}

#[test]
fn a_body_that_is_not_announced_as_json_or_too_large_changes_nothing() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = restarted_with(&world, &folder, "");
    let before = books(&base(&folder));
    let large = format!(r#"{{"amount_eur":50{}}}"#, " ".repeat(64 * 1024));
    let good = r#"{"amount_eur":50}"#;
    let cases = [
        ("", good, 415),
        ("Content-Type: text/plain\r\n", good, 415),
        ("Content-Type: application/x-www-form-urlencoded\r\n", "amount_eur=50", 415),
        ("Content-Type: application/jsonp\r\n", good, 415),
        ("Content-Type: multipart/form-data; boundary=x\r\n", good, 415),
        ("Content-Type: application/json\r\nContent-Type: text/plain\r\n", good, 415),
        (JSON, large.as_str(), 413),
        ("Content-Type: application/json\r\nOrigin: http://evil.example\r\n", good, 403),
        ("Content-Type: application/json\r\nSec-Fetch-Site: cross-site\r\n", good, 403),
    ];
    for (headers, body, status) in cases {
        for (method, path) in
            [("POST", "/api/budget/deposit"), ("PUT", "/api/budget/deposit"), ("POST", "/api/agent/toggle")]
        {
            let answer = request(follower.site(), method, path, headers, body);
            assert_eq!(answer.status, status, "{method} {path} {headers}: {}", answer.body);
            assert!(!error(&answer).is_empty());
        }
    }
    assert_eq!(books(&base(&folder)), before);
    let charset = "Content-Type: Application/JSON; charset=utf-8\r\n";
    let answer = request(follower.site(), "POST", "/api/budget/deposit", charset, good);
    assert_eq!(answer.status, 200, "and what is JSON is taken: {}", answer.body);
}

#[test]
fn only_the_names_of_this_machine_are_answered() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    for (host, status) in [
        ("127.0.0.1", 200),
        ("192.168.1.20:8080", 200),
        ("[::1]:8080", 200),
        ("localhost", 200),
        ("raspberrypi.local:8080", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
    ] {
        let text = format!("GET /api/budget HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = follower.site().raw(text.as_bytes()).unwrap();
        assert_eq!(answer.status, status, "{host}: {}", answer.body);
        assert!(status == 200 || !error(&answer).is_empty());
    }
}
