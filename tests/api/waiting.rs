//! Ce qu'un signal attend, et chacun de ses coins : dit tant qu'il attend, effacé quand il est clos.

use calvalot::sim::{Fault, On, Reply, Wire, World};
use rust_decimal::dec;
use serde_json::{Value, json};

use crate::follower::{Folder, Follower, Site, still_world, until};
use crate::live::{self, Live};
use crate::{base, check, reads, settled};

const COINS: [&str; 5] = ["BNBUSDC", "BTCUSDC", "ETHUSDC", "SOLUSDC", "XRPUSDC"];

/// Attend que `shown` soit vrai du signal ; le rend.
fn signal(site: Site, id: &str, shown: impl Fn(&Value) -> bool) -> Value {
    until("the signal says what it waits for", || site.signal(id).filter(&shown))
}

/// La décision et le code de chaque coin, dans leur ordre.
fn codes(signal: &Value) -> Vec<(&str, &str)> {
    let decisions = signal["decisions"].as_array().unwrap();
    let coins: Vec<&str> = decisions.iter().filter_map(|decision| decision["coin"].as_str()).collect();
    assert_eq!(coins, COINS, "every coin has one answer: {signal}");
    for decision in decisions {
        check("decision", decision, &reads::DECISION);
    }
    decisions.iter().map(|one| (one["decision"].as_str().unwrap(), one["code"].as_str().unwrap())).collect()
}

fn says(signal: &Value, words: &str) -> bool {
    signal["waiting_for"].as_str().is_some_and(|text| text.contains(words))
}

fn orders() -> On {
    On::exchange("/api/v3/order").method("POST")
}

#[test]
fn a_signal_that_nothing_can_be_done_of_says_what_is_missing() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder).stop();
    world.fault(On::exchange("/api/v3/ticker/bookTicker"), Fault::body("[]"));
    let follower = Follower::of(&world, &folder);
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    let blind = signal(follower.site(), &id, |signal| says(signal, "price ETHUSDC"));
    assert_eq!((&blind["status"], &blind["decisions"]), (&"received".into(), &json!([])));
    follower.site().send("POST", "/api/agent/toggle", r#"{"paused": true}"#);
    assert!(says(&follower.site().signal(&id).unwrap(), "paused"));
    follower.stop();
    world.fault(On::whole_exchange(), Fault::unprocessed(Wire::Silence));
    let follower = Follower::of(&world, &folder);
    until("it answers", || follower.site().try_get("/health"));
    assert!(says(&follower.site().signal(&id).unwrap(), "paused"));
    follower.site().send("POST", "/api/agent/toggle", r#"{"paused": false}"#);
    assert!(says(&follower.site().signal(&id).unwrap(), "it has just started"));
    follower.stop();
    world.clear_faults();
    let follower = Follower::of(&world, &folder);
    let closed = follower.site().closed_signal(&id);
    assert!(closed["waiting_for"].is_null(), "{closed}");
    let decided: Vec<&str> = codes(&closed).into_iter().map(|(decision, _)| decision).collect();
    assert_eq!(decided, ["left", "sold", "bought", "left", "left"]);
}

/// La vente est partie et rien ne prouve ce qu'elle est devenue : elle est en doute, et les achats attendent son cash.
#[test]
fn each_coin_that_waits_has_its_reason_beside_those_that_are_decided() {
    let live = Live::start(|world: &World| {
        world.leader().set_target(&[("BTCUSDC", dec!(0.95))]);
    });
    live.site().closed_signal("initial_sync");
    live.world.fault(orders().nth(1), Fault::unprocessed(Wire::Reset));
    let id = live.world.leader().set_target(&[("ETHUSDC", dec!(0.5)), ("SOLUSDC", dec!(0.4))]);
    let open = signal(live.site(), &id, |signal| says(signal, "BTCUSDC: an order of this coin is in doubt"));
    let waits = ("waiting", "cash_awaited");
    let nothing = ("left", "nothing_to_do");
    assert_eq!(codes(&open), [nothing, ("waiting", "in_doubt"), waits, waits, nothing]);
    assert!(says(&open, "; ETHUSDC, SOLUSDC: waits for the cash of a sale"), "{open}");
}

#[test]
fn a_signal_that_the_exchange_keeps_waiting_says_so() {
    let live = Live::start(|_| {});
    live.site().closed_signal("initial_sync");
    live.world.fault(orders().nth(1), Fault::answer(Reply::too_many_requests(3600)));
    let id = live.world.leader().set_target(&[
        ("BTCUSDC", dec!(0.4)),
        ("ETHUSDC", dec!(0.2)),
        ("SOLUSDC", dec!(0.2)),
    ]);
    let open = signal(live.site(), &id, |signal| says(signal, "asked for silence until"));
    let near = ("left", "within_threshold");
    let nothing = ("left", "nothing_to_do");
    assert_eq!(codes(&open), [nothing, near, near, ("waiting", "later"), nothing]);
}

#[test]
fn a_coin_that_a_person_must_look_at_is_said_to_be_stuck() {
    let live = Live::settled_with(live::ROWS);
    let id = live.world.leader().set_target(&[("BTCUSDC", dec!(0.4)), ("SOLUSDC", dec!(0.2))]);
    for word in ["paused", "resumed"] {
        assert_eq!(live.site().send("POST", "/api/agent/toggle", "{}").json()["status"], word);
    }
    let open = signal(live.site(), &id, |signal| says(signal, "a person must look"));
    let codes = codes(&open);
    assert_eq!((codes[2], codes[3]), (("sold", "traded"), ("waiting", "stuck")), "{open}");
}

/// Un signal que les livres ou son propre texte interdisent finit en erreur, et chaque coin le dit.
#[test]
fn a_signal_that_ends_in_error_has_a_reason_for_each_coin() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder).stop();
    world.fault(On::exchange("/api/v3/ticker/bookTicker"), Fault::body("[]"));
    let follower = Follower::of(&world, &folder);
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    signal(follower.site(), &id, |signal| says(signal, "price ETHUSDC"));
    follower.stop();
    base(&folder).execute("UPDATE signals SET payload = 'torn' WHERE status = 'received'", []).unwrap();
    world.clear_faults();
    // Le leader ne le montre plus : de lui, son texte reviendrait.
    world.leader().no_signal();
    let follower = Follower::of(&world, &folder);
    let closed = follower.site().closed_signal(&id);
    assert_eq!((&closed["status"], &closed["waiting_for"]), (&"error".into(), &Value::Null));
    assert_eq!(codes(&closed), [("left", "refused"); 5]);
}
