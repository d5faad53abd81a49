//! `GET /api/events` : ce qui est annoncé et ce qui ne l'est pas, à combien de clients, et ce qu'ils ne peuvent pas
//! retenir.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;

use calvalot::api::parts::TABLES;
use calvalot::config::Config;
use calvalot::network::Network;
use calvalot::sim::World;
use rust_decimal::dec;
use serde_json::Value;

use crate::follower::{Folder, Follower, Process, Site, config, still_world, until};
use crate::{base, hourly};

/// Un client du flux.
struct Events {
    head: String,
    body: BufReader<TcpStream>,
}

impl Events {
    /// Un flux ouvert, dont le premier mot reste à lire.
    fn ask(site: Site) -> Events {
        Events::ask_with(site, "")
    }

    /// De même, avec ces en-têtes en plus.
    fn ask_with(site: Site, headers: &str) -> Events {
        let request = format!("GET /api/events HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", site.address());
        let mut body = BufReader::new(site.asking(request.as_bytes()).expect("somebody listens"));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(body.read_line(&mut head).expect("a head") > 0, "{head}");
        }
        Events { head, body }
    }

    /// Un flux qui a dit bonjour : ce qui change ensuite est annoncé.
    fn open(site: Site) -> Events {
        let mut events = Events::ask(site);
        assert!(events.head.starts_with("HTTP/1.1 200 "), "{}", events.head);
        let hello = events.next().expect("a first word");
        assert!(hello.contains("event: hello\n"), "{hello}");
        events
    }

    /// Le morceau suivant, un événement entier ; `None` quand la connexion finit.
    fn next(&mut self) -> Option<String> {
        let mut size = String::new();
        if self.body.read_line(&mut size).ok()? == 0 {
            return None;
        }
        let size = usize::from_str_radix(size.trim_end(), 16).expect("the size of a chunk");
        if size == 0 {
            return None;
        }
        let mut piece = vec![0; size + 2];
        self.body.read_exact(&mut piece).ok()?;
        let text = String::from_utf8(piece).expect("text").strip_suffix("\r\n").expect("its end").to_owned();
        assert!(text.ends_with("\n\n"), "a piece is a whole event: {text:?}");
        Some(text)
    }

    /// Les parties annoncées jusqu'à ce que `last` en soit, celle-ci comprise.
    fn until(&mut self, last: &[&str]) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        while !last.iter().all(|part| seen.contains(*part)) {
            let text = self.next().unwrap_or_else(|| panic!("it ended after {seen:?}, before {last:?}"));
            if text == "event: alive\ndata: {}\n\n" {
                continue;
            }
            let data = text.strip_prefix("event: changed\ndata: ").unwrap_or_else(|| panic!("{text:?}"));
            let value: Value = serde_json::from_str(data).expect("JSON");
            let parts = value["parts"].as_array().expect("a list");
            assert!(!parts.is_empty(), "{text:?}");
            seen.extend(parts.iter().map(|part| part.as_str().expect("a name").to_owned()));
        }
        seen
    }
}

/// Un suiveur dont plus rien ne bouge sans le test, et un flux ouvert.
fn quiet(world: &World, folder: &Folder) -> (Follower, Events) {
    let follower = hourly(world, folder);
    until("the first poll is written down", || (follower.site().polls() >= 1.0).then_some(()));
    let events = Events::open(follower.site());
    (follower, events)
}

fn set(parts: &[&str]) -> BTreeSet<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

#[test]
fn the_first_word_is_the_version_and_how_soon_to_come_back() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = Follower::of(&world, &folder);
    let mut events = Events::ask(follower.site());
    let head = events.head.to_ascii_lowercase();
    for line in
        ["http/1.1 200 ok", "content-type: text/event-stream", "cache-control: no-store", "connection: close"]
    {
        assert!(head.lines().any(|found| found == line), "{line} is not in {head}");
    }
    let version = follower.site().json("/health")["version"].clone();
    assert_eq!(
        events.next().unwrap(),
        format!("retry: 2000\nevent: hello\ndata: {{\"version\":{version}}}\n\n")
    );
}

#[test]
fn a_deposit_and_a_pause_announce_what_shows_them_and_nothing_else() {
    let (world, folder) = (still_world(), Folder::new());
    let (follower, mut events) = quiet(&world, &folder);
    // Ce que le moteur garde encore après le premier tour l'est quand il sert une commande.
    let paused = follower.site().send("POST", "/api/agent/toggle", "{\"paused\": true}");
    assert_eq!(paused.status, 200, "{}", paused.body);
    let seen = events.until(&["status"]);
    assert!(seen.is_superset(&set(&["status", "budget"])), "{seen:?}");
    let deposit = follower.site().send("POST", "/api/budget/deposit", "{\"amount_eur\": 50}");
    assert_eq!(deposit.status, 200, "{}", deposit.body);
    assert_eq!(events.until(&["history"]), set(&["status", "budget", "positions", "history"]));
    follower.site().send("POST", "/api/agent/toggle", "{\"paused\": true}");
    assert_eq!(events.until(&["status"]), set(&["status", "budget", "exchange", "signals"]));
}

#[test]
fn a_write_that_is_refused_announces_nothing() {
    let (world, folder) = (still_world(), Folder::new());
    let (follower, mut events) = quiet(&world, &folder);
    base(&folder).execute_batch("UPDATE account SET cash = '1'").unwrap();
    for (method, path, body, status) in [
        ("PUT", "/api/budget/deposit", "{\"total_eur\": 0}", 409),
        ("POST", "/api/budget/deposit", "{\"amount_eur\": -5}", 400),
        ("POST", "/api/orders/7/release", "{\"looked\": true}", 404),
    ] {
        let refused = follower.site().send(method, path, body);
        assert_eq!(refused.status, status, "{path}: {}", refused.body);
    }
    follower.site().send("POST", "/api/agent/toggle", "{\"paused\": true}");
    let seen = events.until(&["status"]);
    assert!(!["positions", "history", "orders"].iter().any(|part| seen.contains(*part)), "{seen:?}");
}

#[test]
fn a_poll_with_a_new_signal_announces_all_that_it_moved() {
    let (world, folder) = (still_world(), Folder::new());
    let (follower, mut events) = quiet(&world, &folder);
    world.leader().set_target(&[("BTCUSDC", dec!(0.4))]);
    for paused in ["true", "false"] {
        follower.site().send("POST", "/api/agent/toggle", &format!("{{\"paused\": {paused}}}"));
    }
    events.until(&["signals", "orders", "trades", "positions", "budget", "history", "status"]);
    follower.site().closed_signal("initial_sync");
}

/// Derrière un mandataire cru, qui dit d'où vient chacun.
fn proxied(world: &World, folder: &Folder) -> Follower {
    let trusted_proxies = vec![Network::parse("127.0.0.1").expect("an address")];
    Follower::start(Config { trusted_proxies, ..config(world, folder) })
}

fn from(address: &str, site: Site) -> Events {
    Events::ask_with(site, &format!("X-Forwarded-For: 198.51.100.1, {address}\r\n"))
}

fn is_open(events: &Events) -> bool {
    events.head.starts_with("HTTP/1.1 200 ")
}

#[test]
fn four_follow_from_one_address_eight_in_all_and_whoever_leaves_gives_up_the_place() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = proxied(&world, &folder);
    let site = follower.site();
    let addresses = ["192.168.1.5", "192.168.1.5", "192.168.1.5", "192.168.1.5", "fd00::1:2", "fd00::1:3"];
    let mut crowd: Vec<Events> = addresses.iter().map(|address| from(address, site)).collect();
    assert!(crowd.iter().all(is_open));
    assert!(!is_open(&from("192.168.1.5", site)), "a fifth of one address");
    crowd.extend(["fd00::1:4", "fd00::1:5"].map(|address| from(address, site)));
    assert!(crowd.iter().all(is_open));
    let refused = follower.site().get("/api/events");
    assert_eq!(refused.status, 503);
    assert!(refused.json()["error"].as_str().unwrap().contains("streams"), "{}", refused.body);
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    assert_eq!(follower.site().get("/health").status, 200);
    // Rien n'est écrit entre-temps : le départ seul suffit.
    crowd.pop();
    until("the place is free again", || is_open(&from("192.168.1.6", site)).then_some(()));
}

#[test]
fn strangers_who_took_every_place_make_room_for_whoever_is_at_home() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = proxied(&world, &folder);
    let site = follower.site();
    let mut strangers: Vec<Events> = (0..8).map(|at| from(&format!("203.0.113.{}", at / 4), site)).collect();
    assert!(strangers.iter().all(is_open));
    assert!(!is_open(&from("203.0.113.9", site)), "no stranger for another");
    let mut home = from("192.168.1.5", site);
    assert!(is_open(&home) && home.next().expect("a first word").contains("event: hello"));
    while strangers[0].next().is_some() {}
    assert!(strangers[1].next().expect("a first word").contains("event: hello"), "one of them, the oldest");
    let owner = Events::ask_with(site, "X-Forwarded-For: 203.0.113.9\r\nRemote-User: alex\r\n");
    assert!(is_open(&owner), "wherever he is");
    while strangers[1].next().is_some() {}
}

#[test]
fn an_address_that_anybody_can_write_gives_no_more_places() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = Follower::of(&world, &folder);
    let ask = |at: u8| {
        let headers = format!("X-Forwarded-For: 192.168.1.{at}\r\nRemote-User: alex\r\n");
        Events::ask_with(follower.site(), &headers)
    };
    let crowd: Vec<Events> = (0..4).map(ask).collect();
    assert!(crowd.iter().all(is_open) && !is_open(&ask(9)));
}

#[test]
fn another_site_takes_no_place() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = Follower::of(&world, &folder);
    for headers in
        ["Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", "Origin: http://evil.example\r\n"]
    {
        for _ in 0..9 {
            let refused = Events::ask_with(follower.site(), headers);
            assert!(refused.head.starts_with("HTTP/1.1 403 "), "{}", refused.head);
        }
    }
    assert!(is_open(&Events::ask(follower.site())));
}

#[test]
fn a_client_that_never_reads_holds_up_nobody() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = Follower::of(&world, &folder);
    let deaf = Events::ask(follower.site());
    let mut other = Events::open(follower.site());
    follower.site().wait_polls(20);
    other.until(&["status", "history"]);
    let deposit = follower.site().send("POST", "/api/budget/deposit", "{\"amount_eur\": 50}");
    assert_eq!(deposit.status, 200, "{}", deposit.body);
    drop(deaf);
}

#[test]
fn head_says_what_get_would_and_another_host_hears_nothing() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = Follower::of(&world, &folder);
    let ask = |method: &str, host: &str| {
        let request = format!("{method} /api/events HTTP/1.1\r\nHost: {host}\r\n\r\n");
        follower.site().raw(request.as_bytes()).expect("an answer that ends")
    };
    // Plus que de places : aucune n'est gardée.
    for _ in 0..20 {
        let head = ask("HEAD", "localhost");
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        assert!(head.head.contains("content-type: text/event-stream"), "{}", head.head);
    }
    assert_eq!(ask("GET", "evil.example\r\nConnection: close").status, 421);
    assert_eq!(follower.site().send("POST", "/api/events", "{}").status, 405);
}

#[test]
fn an_open_stream_does_not_hold_up_the_end() {
    let (world, folder) = (still_world(), Folder::new());
    let process = Process::run(&world, &folder);
    until("it follows", || (process.site().polls() >= 1.0).then_some(()));
    let mut events = Events::open(process.site());
    assert_eq!(process.terminate(), Some(0));
    while events.next().is_some() {}
}

#[test]
fn every_table_of_the_ledger_is_shown_somewhere_or_known_to_be_shown_nowhere() {
    let (world, folder) = (still_world(), Folder::new());
    let _follower = hourly(&world, &folder);
    let base = base(&folder);
    let mut statement = base.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let found: BTreeSet<String> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mapped: Vec<&str> = TABLES.iter().map(|(table, _)| *table).collect();
    assert_eq!(found, set(&mapped));
    assert_eq!(mapped.len(), found.len(), "a table is mapped twice");
}
