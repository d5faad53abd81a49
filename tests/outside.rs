//! Ce que le leader ou la bourse peuvent répondre de pire : rien ne plante, ne bloque, ne grossit, ni
//! ne se négocie sur de l'inconnu ; la raison est dite, et le suiveur reprend seul.

mod follower;

use std::time::Duration;

use calvalot::sim::{Fault, On, Reply, Side, Status, Wire};
use follower::{Folder, Follower, Process, Site, samples, still_world, until};
use rust_decimal::dec;
use serde_json::Value;

const TICKER: &str = "/api/v3/ticker/bookTicker";
const INFO: &str = "/api/v3/exchangeInfo";

/// Qui répond mal.
#[derive(Clone, Copy, Debug)]
enum Who {
    Leader,
    Prices,
    Rules,
}

const EVERYONE: [Who; 3] = [Who::Leader, Who::Prices, Who::Rules];

impl Who {
    fn on(self) -> On {
        match self {
            Who::Leader => On::leader(),
            Who::Prices => On::exchange(TICKER),
            Who::Rules => On::exchange(INFO),
        }
    }

    /// Les raisons que le statut en donne.
    fn reasons(self, status: &Value) -> Vec<String> {
        let reason = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let unknown = status["unknown"].as_array().expect("a list");
        let about = |word: &'static str| {
            unknown.iter().filter(move |unknown| reason(&unknown["what"]).starts_with(word))
        };
        match self {
            Who::Leader => vec![reason(&status["leader"]["error"])],
            Who::Prices => about("price").map(|unknown| reason(&unknown["reason"])).collect(),
            Who::Rules => about("rules").map(|unknown| reason(&unknown["reason"])).collect(),
        }
    }

    /// Vrai si les métriques le disent aussi.
    fn is_in_metrics(self, page: &str) -> bool {
        let unknown = |word: &str| {
            samples(page, "calvalot_reading_unknown")
                .iter()
                .any(|(labels, value)| labels.contains(word) && *value == 1.0)
        };
        match self {
            Who::Leader => samples(page, "calvalot_leader_connected") == [(String::new(), 0.0)],
            Who::Prices => unknown("price "),
            Who::Rules => unknown("rules "),
        }
    }
}

/// Un suiveur neuf face à cette panne, qui dure : il tourne, ne fait rien, dit pourquoi ; puis elle
/// cesse, et il suit.
fn check(who: Who, fault: Fault, polls: u32, expected: &str) {
    let what = format!("{who:?} {fault:.200?}");
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    world.fault(who.on(), fault);
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    until("the first question is asked", || (!world.hits().is_empty()).then_some(()));
    check_alive(site, &what);
    site.wait_polls(polls);
    check_alive(site, &what);
    let status = site.json("/api/agent/status");
    let reasons = who.reasons(&status);
    assert!(
        reasons.iter().any(|reason| !reason.is_empty() && reason.contains(expected)),
        "{what}: {reasons:?}"
    );
    assert_eq!(status["state"], "ACTIVE", "{what}");
    assert!(who.is_in_metrics(&site.get("/metrics").body), "{what}");
    assert_eq!(site.json("/api/trades").as_array().unwrap().len(), 0, "{what}: traded on the unknown");
    world.clear_faults();
    let sync = site.closed_signal("initial_sync");
    assert_eq!((sync["status"].as_str(), sync["trades"].as_u64()), (Some("executed"), Some(1)), "{what}");
}

fn check_alive(site: Site, what: &str) {
    for path in ["/", "/health", "/metrics", "/api/budget", "/api/budget/history", "/api/positions"] {
        assert_eq!(site.get(path).status, 200, "{what}: {path}");
    }
}

#[test]
fn an_answer_broken_on_the_wire_is_told_and_survived() {
    let cases = [
        (Wire::Close, "did not send a whole answer"),
        (Wire::Reset, "did not send a whole answer"),
        (Wire::Truncate, "did not send a whole answer"),
        (Wire::Huge(50_000_000), "sent an answer of more than"),
        (Wire::Endless, "sent an answer of more than"),
        (Wire::Nested(100_000), ""),
        (Wire::LongHead(1_000_000), "did not send a whole answer"),
        (Wire::Raw(b"\x00\xff no HTTP at all \r\n\r\n".to_vec()), "did not send a whole answer"),
        (Wire::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n[]".to_vec()), ""),
        (Wire::Raw(b"HTTP/1.1 999 ?\r\nContent-Length: 2\r\n\r\n[]".to_vec()), ""),
    ];
    for who in EVERYONE {
        for (wire, expected) in &cases {
            check(who, Fault::processed(wire.clone()), 2, expected);
        }
    }
}

#[test]
fn an_answer_that_never_ends_costs_its_time_limit_and_no_more() {
    let slow = [Wire::Silence, Wire::Drip(Duration::from_secs(1))];
    let cases: Vec<_> = EVERYONE.into_iter().flat_map(|who| slow.clone().map(|wire| (who, wire))).collect();
    std::thread::scope(|scope| {
        for (who, wire) in cases {
            scope.spawn(move || check(who, Fault::processed(wire), 1, "did not answer within 10 s"));
        }
    });
}

#[test]
fn a_pause_is_obeyed_while_everyone_is_silent() {
    let (world, folder) = (still_world(), Folder::new());
    world.fault(On::any(), Fault::unprocessed(Wire::Silence));
    let follower = Follower::of(&world, &folder);
    until("the first question is asked", || (!world.hits().is_empty()).then_some(()));
    let answer = follower.site().send("POST", "/api/agent/toggle", r#"{"paused": true}"#);
    assert_eq!(answer.json()["status"], "paused");
    assert_eq!(follower.site().polls(), 0.0, "the question was still open");
}

#[test]
fn a_status_that_is_no_success_is_told_and_survived() {
    let soon = |reply: Reply| reply.header("Retry-After", "1");
    let cases = [
        (Reply::json(500, r#"{"code":-1001,"msg":"Internal error"}"#.to_owned()), "500"),
        (Reply::html(502, "<html><body>Bad Gateway</body></html>"), "502"),
        (Reply::empty(503), "503"),
        (Reply::json(504, "{}".to_owned()), "504"),
        (Reply::restricted_location(), "451"),
        (Reply::code(400, -1121, "Invalid symbol."), "400"),
        (Reply::too_many_requests(1), "429"),
        (soon(Reply::banned(1, 0)), "418"),
        (Reply::json(201, "[]".to_owned()), "201"),
    ];
    for who in EVERYONE {
        for (reply, expected) in &cases {
            check(who, Fault::answer(reply.clone()), 2, expected);
        }
    }
    check(Who::Prices, Fault::answer(soon(Reply::firewall())), 2, "403");
    check(Who::Leader, Fault::answer(Reply::firewall()), 2, "SIGNAL_SECRET");
    check(Who::Leader, Fault::answer(Reply::empty(404)), 2, "LEADER_URL");
}

#[test]
fn a_body_that_makes_no_sense_is_told_and_survived() {
    let nonsense = [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "[[]]",
        "[null]",
        "[{}]",
        "true",
        "\"text\"",
        "NaN",
        "1e999",
        "-1e999",
        "[NaN]",
        "[1e999]",
        "{\"a\":",
        "<html><body>Welcome</body></html>",
        "\u{feff}[]",
        "[] []",
        r#"{"symbols":null}"#,
        r#"{"symbols":[{"symbol":7}]}"#,
        r#"[{"symbol":"BTCUSDC"}]"#,
        r#"{"signal_id":null}"#,
        r#"{"signal_id":{}}"#,
        r#"{"signal_id":""}"#,
        r#"{"signal_id":1e999}"#,
        r#"{"signal_id":"initial_sync","version":2,"portfolio_state":{"positions":[]}}"#,
    ];
    for who in EVERYONE {
        for text in nonsense {
            check(who, Fault::body(text), 2, "");
        }
        let binary = Reply { body: vec![0xff, 0xfe, 0x00, 0x80], ..Reply::empty(200) };
        check(who, Fault::answer(binary), 2, "not");
    }
}

/// La vraie réponse, un champ abîmé partout.
fn rewrite(from: &str, to: &str) -> Fault {
    Fault::processed(Wire::Rewrite { from: from.to_owned(), to: to.to_owned() })
}

#[test]
fn a_price_that_is_none_is_unknown() {
    let instead =
        [r#""bidPrice":7,"x":"#, r#""bidPrice":null,"x":"#, r#""bidPrice":["1"],"x":"#, r#""other":"#];
    for field in instead {
        check(Who::Prices, rewrite(r#""bidPrice":"#, field), 2, "expected fields");
    }
    for start in ["-", "NaN", "1e", "Infinity", "0x", " ", "+", "999999999999999", "0.0000000000000000001"] {
        check(Who::Prices, rewrite(r#""bidPrice":""#, &format!(r#""bidPrice":"{start}"#)), 2, "bid");
    }
    for text in ["", "0", "1e999", "NaN", "-0"] {
        check(Who::Prices, rewrite(r#""askPrice":""#, &format!(r#""askPrice":"{text}","x":""#)), 2, "ask");
    }
    // Croisé, puis absurdement large.
    check(Who::Prices, rewrite(r#""bidPrice":""#, r#""bidPrice":"9"#), 2, "too far apart");
    check(Who::Prices, rewrite(r#""askPrice":""#, r#""askPrice":"9"#), 2, "too far apart");
    check(Who::Prices, rewrite(r#""symbol":"BTCUSDC""#, r#""symbol":"BTCUSDT""#), 2, "has no BTCUSDC");
}

#[test]
fn rules_that_are_none_are_unknown() {
    let cases = [
        (r#""filters":"#, r#""other":"#, "expected fields"),
        (r#""filters":"#, r#""filters":{},"x":"#, "expected fields"),
        (r#""status":"TRADING""#, r#""status":7"#, "expected fields"),
        (r#""orderTypes":"#, r#""other":"#, "expected fields"),
        (r#""isSpotTradingAllowed":true"#, r#""isSpotTradingAllowed":"yes""#, "expected fields"),
        (r#""symbols":"#, r#""symbols":{},"x":"#, "cannot be read"),
        (r#""LOT_SIZE""#, r#""ANOTHER_SIZE""#, "LOT_SIZE is missing"),
        (r#""stepSize":""#, r#""stepSize":"-"#, "stepSize"),
        (r#""stepSize":""#, r#""stepSize":"NaN"#, "stepSize"),
        (r#""stepSize":""#, r#""stepSize":"0","x":""#, "no quantity to trade"),
        (r#""minQty":"#, r#""minQty":null,"x":"#, "minQty"),
        (r#""minQty":""#, r#""minQty":"999999999999","x":""#, "no quantity to trade"),
        (r#""minNotional":""#, r#""minNotional":"1e999","x":""#, "minNotional"),
        (r#""minNotional":""#, r#""minNotional":"-5","x":""#, "minNotional"),
        (r#""symbol":"ETHUSDC""#, r#""symbol":"ETHUSDT""#, "has no ETHUSDC"),
    ];
    for (from, to, expected) in cases {
        check(Who::Rules, rewrite(from, to), 2, expected);
    }
}

/// Un signal qui a un identifiant et un défaut est refusé, ou n'en est pas un ; rien n'est négocié.
#[test]
fn a_signal_of_wrong_types_trades_nothing() {
    let (world, folder) = (still_world(), Folder::new());
    let deep = format!(r#","update":{}{}"#, "[".repeat(20_000), "]".repeat(20_000));
    let long = format!(r#","reasoning":"{}""#, "a".repeat(70_000));
    let fields = [
        r#","version":"2""#,
        r#","version":-1"#,
        r#","version":1e999"#,
        r#","version":3"#,
        r#","confidence":NaN"#,
        r#","confidence":1e999"#,
        r#","confidence":"high""#,
        r#","reasoning":[]"#,
        r#","actions":{}"#,
        r#","actions":[null]"#,
        r#","actions":[{"coin":"BTCUSDC","action":"ALL"}]"#,
        r#","actions":[{"coin":"BTCUSDC","action":"BUY","pct_of_capital":1e999}]"#,
        r#","portfolio_state":[]"#,
        r#","portfolio_state":{"positions":null}"#,
        r#","portfolio_state":{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":NaN}]}"#,
        r#","portfolio_state":{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":1e999}]}"#,
        r#","portfolio_state":{"positions":[{"coin":"BTCUSDC","pct_of_portfolio":1.5}]}"#,
        r#","portfolio_state":{"positions":[{"coin":["BTCUSDC"],"pct_of_portfolio":0.5}]}"#,
        &deep,
        &long,
    ];
    world.leader().no_signal();
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    for (rank, field) in fields.iter().enumerate() {
        let (id, what) = (format!("wrong-{rank}"), format!("{field:.80}"));
        world.leader().set_raw(format!(r#"{{"signal_id":"{id}"{field}}}"#));
        until(&format!("{what} is told"), || {
            let refused = site.signal(&id).is_some_and(|signal| signal["status"] == "rejected");
            let error = site.json("/api/agent/status")["leader"]["error"].is_string();
            (refused || error).then_some(())
        });
        world.leader().no_signal();
        site.wait_polls(2);
        check_alive(site, &what);
    }
    assert_eq!(site.json("/api/trades").as_array().unwrap().len(), 0);
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    assert_eq!(site.closed_signal(&id)["status"], "executed");
}

#[test]
fn a_redirection_is_told_and_its_target_never_called() {
    let elsewhere = still_world();
    let cases = [
        (Who::Leader, format!("{}/api/signal/latest", elsewhere.leader_url())),
        (Who::Prices, format!("{}{TICKER}", elsewhere.exchange_url())),
        (Who::Rules, format!("{}{INFO}", elsewhere.exchange_url())),
    ];
    for (who, location) in cases {
        check(who, Fault::answer(Reply::redirect(&location)), 3, "301");
    }
    let called = elsewhere.exchange().calls(TICKER) + elsewhere.exchange().calls(INFO);
    assert_eq!((elsewhere.leader().requests(), called), (0, 0));
}

#[test]
fn a_closed_port_is_told_and_followed_again_once_it_opens() {
    for (side, who) in [(Side::Leader, Who::Leader), (Side::Exchange, Who::Prices)] {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
        world.refuse_connections(side).expect("the port closes");
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        site.wait_polls(3);
        check_alive(site, "a closed port");
        let reasons = who.reasons(&site.json("/api/agent/status"));
        assert!(reasons.iter().any(|reason| reason.contains("cannot be reached")), "{side:?}: {reasons:?}");
        assert!(who.is_in_metrics(&site.get("/metrics").body), "{side:?}");
        world.accept_connections(side).expect("the port opens");
        assert_eq!(site.closed_signal("initial_sync")["trades"], 1, "{side:?}");
        // En cours de route aussi : fermé, rouvert, et le signal suivant est suivi.
        world.refuse_connections(side).expect("the port closes");
        site.wait_polls(3);
        world.accept_connections(side).expect("the port opens");
        let id = world.leader().set_target(&[("ETHUSDC", dec!(0.4))]);
        assert_eq!(site.closed_signal(&id)["trades"], 2, "{side:?}");
    }
}

#[test]
fn an_exchange_that_asks_for_silence_is_not_called_until_it_is_over() {
    for reply in [Reply::too_many_requests(3600), Reply::banned(3600, 1_790_000_000_000)] {
        let (world, folder) = (still_world(), Folder::new());
        let status = reply.status.to_string();
        world.fault(On::exchange(TICKER).next(1), Fault::answer(reply));
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        site.wait_polls(2);
        let calls = || world.exchange().calls(TICKER) + world.exchange().calls(INFO);
        let before = calls();
        assert!((1..=2).contains(&before), "{before} calls");
        site.wait_polls(10);
        assert_eq!(calls(), before, "called in spite of {status}");
        let reasons = Who::Prices.reasons(&site.json("/api/agent/status"));
        assert!(!reasons.is_empty(), "{status}: no reason");
        for reason in reasons {
            assert!(reason.contains(&status) && reason.contains("not called again before"), "{reason}");
        }
    }
}

#[test]
fn a_halted_pair_leaves_only_its_coin() {
    for status in [Status::Halt, Status::Break, Status::EndOfDay, Status::CancelOnly] {
        let (world, folder) = (still_world(), Folder::new());
        world.exchange().set_status("ETHUSDC", status);
        world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3)), ("XRPUSDC", dec!(0.2))]);
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        let sync = site.closed_signal("initial_sync");
        assert_eq!(sync["trades"], 2, "{status:?}");
        let decisions = sync["decisions"].as_array().unwrap().clone();
        let eth = decisions.iter().find(|decision| decision["coin"] == "ETHUSDC").unwrap();
        assert_eq!(eth["decision"], "left", "{status:?}");
        assert!(eth["reason"].as_str().unwrap().contains("does not trade this pair"), "{eth}");
        let budget = site.json("/api/budget");
        assert_eq!(budget["unknown"].as_array().unwrap().len(), 0, "{budget}");
        world.exchange().set_status("ETHUSDC", Status::Trading);
        site.wait_polls(2);
        let target = [("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.4)), ("XRPUSDC", dec!(0.2))];
        let id = world.leader().set_target(&target);
        assert_eq!(site.closed_signal(&id)["trades"], 1, "{status:?}");
    }
}

fn prices(coin: &str, euro: &str) -> Fault {
    let ticker =
        |(symbol, price)| format!(r#"{{"symbol":"{symbol}","bidPrice":"{price}","askPrice":"{price}"}}"#);
    let coins = ["BNBUSDC", "BTCUSDC", "ETHUSDC", "SOLUSDC", "XRPUSDC"].map(|pair| (pair, coin));
    let all: Vec<String> = coins.into_iter().chain([("EURUSDC", euro)]).map(ticker).collect();
    Fault::body(&format!("[{}]", all.join(",")))
}

/// Des prix au bord du lisible, et des règles aussi : on suit comme on peut, aucune page ne se perd.
#[test]
fn prices_at_the_edge_of_the_possible_crash_nothing() {
    let steps = ["0.000000000001", "1000000000000"];
    for step in steps {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("XRPUSDC", dec!(0.3))]);
        for field in ["stepSize", "minQty"] {
            let from = format!(r#""{field}":""#);
            world.fault(On::exchange(INFO), rewrite(&from, &format!(r#""{field}":"{step}","x":""#)));
        }
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        site.wait_polls(2);
        for (coin, euro) in [
            ("0.000000000001", "1.08"),
            ("1000000000", "1.08"),
            ("0.000000000001", "0.51"),
            ("1", "1000000000"),
            ("1", "0.000000000001"),
            ("1000000000", "1.99"),
            ("100", "1.08"),
        ] {
            world.clear_faults();
            world.fault(On::exchange(TICKER), prices(coin, euro));
            world.leader().set_target(&[("BTCUSDC", dec!(0.4)), ("SOLUSDC", dec!(0.2))]);
            site.wait_polls(3);
            world.leader().set_target(&[("XRPUSDC", dec!(0.9))]);
            site.wait_polls(3);
            check_alive(site, &format!("step {step}, coin {coin}, euro {euro}"));
        }
    }
}

/// Un euro qui n'en est pas un compterait le capital de travers, pour toujours.
#[test]
fn an_absurd_euro_rate_is_unknown_and_opens_no_account() {
    for euro in ["1000000000", "3", "0.3", "0.000000000001"] {
        let (world, folder) = (still_world(), Folder::new());
        world.fault(On::exchange(TICKER), prices("100", euro));
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        site.wait_polls(2);
        let budget = site.json("/api/budget");
        assert!(budget["cash_usdt"].is_null() && budget["eurusdc_rate"].is_null(), "{euro}: {budget}");
        let unknown = budget["unknown"].as_array().unwrap().clone();
        let rate = unknown.iter().find(|unknown| unknown["what"] == "EUR rate").expect("the rate is unknown");
        assert!(rate["reason"].as_str().unwrap().contains("euro"), "{rate}");
        world.clear_faults();
        site.closed_signal("initial_sync");
        assert_eq!(site.json("/api/budget")["total_deposited_eur"], 1000.0);
    }
}

/// La mémoire résidente au plus haut, en kilo-octets.
#[cfg(target_os = "linux")]
fn peak_memory(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux tells the peak");
    line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).expect("a size in kB")
}

#[cfg(target_os = "linux")]
#[test]
fn no_answer_grows_the_memory() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let process = Process::run(&world, &folder);
    process.site().closed_signal("initial_sync");
    process.site().wait_polls(2);
    check_alive(process.site(), "before");
    let before = peak_memory(&process);
    let wires = [
        Wire::Huge(50_000_000),
        Wire::Endless,
        Wire::Nested(100_000),
        Wire::Nested(30_000),
        Wire::LongHead(10_000_000),
        Wire::Truncate,
    ];
    // Ce qui tient dans la limite et coûte le plus une fois lu.
    let dense = ["[],", "[1],", r#"{"a":1},"#]
        .map(|item| Fault::body(&format!("[{}0]", item.repeat(60_000 / item.len()))));
    for fault in wires.map(Fault::processed).into_iter().chain(dense) {
        let hits = world.hits().len();
        world.fault(On::any(), fault);
        until("every one has answered so twice", || (world.hits().len() >= hits + 6).then_some(()));
        world.clear_faults();
    }
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    assert_eq!(process.site().closed_signal(&id)["status"], "executed");
    check_alive(process.site(), "after");
    let growth = peak_memory(&process).saturating_sub(before);
    eprintln!("peak {before} kB before, {growth} kB more after");
    assert!(growth < 16 * 1024, "{growth} kB more after huge answers");
}
