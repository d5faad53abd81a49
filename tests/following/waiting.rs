//! Ce qui attend : un prix inconnu, une pause, un leader muet, de l'argent qui arrive entre deux signaux.

use std::time::Duration;

use calvalot::config::Config;
use calvalot::domain::policy::Policy;
use calvalot::sim::{Fault, On, Side, World};
use rust_decimal::dec;
use serde_json::Value;

use crate::follower::{Folder, Follower, config, still_world, until};
use crate::{code, list, near, settled, status, weight};

const TICKER: &str = "/api/v3/ticker/bookTicker";

/// Un suiveur redémarré sans aucun prix.
fn blinded(world: &World, folder: &Folder) -> Follower {
    settled(world, folder).stop();
    world.fault(On::exchange(TICKER), Fault::body("[]"));
    Follower::of(world, folder)
}

fn received(follower: &Follower, id: &str) -> Value {
    until("the signal is received", || {
        follower.site().signal(id).filter(|signal| signal["status"] == "received")
    })
}

#[test]
fn a_signal_waits_for_a_price_and_says_so() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = blinded(&world, &folder);
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    let signal = received(&follower, &id);
    assert!(signal["executed_at"].is_null() && signal["decisions"].as_array().unwrap().is_empty());
    follower.site().wait_polls(2);
    let agent = follower.site().json("/api/agent/status");
    assert_eq!((&agent["last_poll"]["status"], &agent["waiting_signals"]), (&"waiting".into(), &1.into()));
    assert!(agent["last_poll"]["error"].as_str().unwrap().contains("price"), "{agent}");
    world.clear_faults();
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 2));
    assert_eq!(follower.site().json("/api/agent/status")["waiting_signals"], 0);
    near(weight(follower.site(), "ETHUSDC"), dec!(0.5));
}

#[test]
fn one_pair_that_is_needed_and_missing_is_enough_to_wait() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder).stop();
    let fault =
        Fault::processed(calvalot::sim::Wire::Rewrite { from: "ETHUSDC".into(), to: "XXXUSDC".into() });
    world.fault(On::exchange(TICKER), fault);
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.5))]);
    let follower = Follower::of(&world, &folder);
    received(&follower, &id);
    follower.site().wait_polls(2);
    let agent = follower.site().json("/api/agent/status");
    let unknown: Vec<&str> =
        agent["unknown"].as_array().unwrap().iter().filter_map(|unknown| unknown["what"].as_str()).collect();
    assert_eq!(unknown, ["price ETHUSDC"]);
    assert!(list(follower.site(), "/api/trades").len() == 1, "a sale that is no exit waits with it");
    world.clear_faults();
    assert_eq!(status(&follower.site().closed_signal(&id)).0, "executed");
}

/// Les prix d'avant sont encore frais : une bourse qui ne répond plus n'aurait rien exécuté non plus.
#[test]
fn an_exchange_that_is_gone_fills_nothing_at_the_prices_of_before() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    world.fault(On::exchange(TICKER), Fault::body("[]"));
    follower.site().wait_polls(2);
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    received(&follower, &id);
    follower.site().wait_polls(2);
    let signal = received(&follower, &id);
    assert!(signal["decisions"].as_array().unwrap().is_empty(), "{signal}");
    assert!(
        signal["waiting_for"].as_str().is_some_and(|reason| reason.contains("the last poll")),
        "{signal}"
    );
    world.clear_faults();
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 2));
}

#[test]
fn of_several_waiting_allocations_only_the_newest_is_followed() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = blinded(&world, &folder);
    let targets = ["ETHUSDC", "SOLUSDC", "BNBUSDC"].map(|coin| {
        let id = world.leader().set_target(&[(coin, dec!(0.5))]);
        received(&follower, &id);
        id
    });
    world.clear_faults();
    assert_eq!(status(&follower.site().closed_signal(&targets[2])), ("executed", 2));
    for old in &targets[..2] {
        let signal = follower.site().closed_signal(old);
        assert_eq!(status(&signal), ("skipped", 0));
        let reason = format!("superseded by the newer target of {}", targets[2]);
        assert!(signal["error_message"].as_str().unwrap().contains(&reason), "{signal}");
        assert_eq!(code(&signal, "XRPUSDC"), "superseded");
    }
    near(weight(follower.site(), "BNBUSDC"), dec!(0.5));
    assert!(weight(follower.site(), "ETHUSDC").is_zero() && weight(follower.site(), "SOLUSDC").is_zero());
}

#[test]
fn waiting_actions_are_all_executed_in_their_order() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = blinded(&world, &folder);
    let actions =
        [[("ETHUSDC", "BUY", dec!(0.2))], [("ETHUSDC", "SELL", dec!(0.1))], [("SOLUSDC", "BUY", dec!(0.1))]];
    let ids = actions.map(|actions| {
        let id = world.leader().set_actions(&actions, None);
        received(&follower, &id);
        id
    });
    assert_eq!(follower.site().json("/api/agent/status")["waiting_signals"], 3);
    world.clear_faults();
    for id in &ids {
        assert_eq!(status(&follower.site().closed_signal(id)), ("executed", 1), "{id}");
    }
    let trades = list(follower.site(), "/api/trades?limit=3");
    let order: Vec<&str> = trades.iter().rev().map(|trade| trade["signal_id"].as_str().unwrap()).collect();
    assert_eq!(order, ids);
    near(weight(follower.site(), "ETHUSDC"), dec!(0.1));
    near(weight(follower.site(), "SOLUSDC"), dec!(0.1));
}

/// Sans cours de l'euro il n'y a pas encore de cash : la toute première fois attend aussi.
#[test]
fn the_initial_sync_waits_for_the_euro_rate_and_takes_the_newest_allocation() {
    let (world, folder) = (still_world(), Folder::new());
    let fault =
        Fault::processed(calvalot::sim::Wire::Rewrite { from: "EURUSDC".into(), to: "EURXXXX".into() });
    world.fault(On::exchange(TICKER), fault);
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let follower = Follower::of(&world, &folder);
    received(&follower, "initial_sync");
    let id = world.leader().set_target(&[("SOLUSDC", dec!(0.3))]);
    received(&follower, &id);
    let unknown = follower.site().json("/api/budget")["unknown"].clone();
    let named: Vec<&str> =
        unknown.as_array().unwrap().iter().filter_map(|unknown| unknown["what"].as_str()).collect();
    assert_eq!(named, ["EUR rate", "cash"]);
    world.clear_faults();
    assert_eq!(status(&follower.site().closed_signal("initial_sync")), ("executed", 1));
    near(weight(follower.site(), "SOLUSDC"), dec!(0.3));
    assert!(weight(follower.site(), "BTCUSDC").is_zero());
}

/// L'intervalle est d'une heure : seule la reprise peut avoir fait poser la question.
#[test]
fn a_resumed_agent_asks_the_leader_at_once() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let hourly = Config { poll_interval: Duration::from_secs(3600), ..config(&world, &folder) };
    let follower = Follower::start(hourly);
    until("the first poll is made", || (follower.site().polls() > 0.0).then_some(()));
    let toggle =
        |body: &str| follower.site().send("POST", "/api/agent/toggle", body).json()["status"].clone();
    assert_eq!(toggle(r#"{"paused": true}"#), "paused");
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    assert_eq!(toggle("{}"), "resumed");
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 2));
}

#[test]
fn a_paused_agent_keeps_polling_and_neither_takes_nor_executes_a_signal() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = blinded(&world, &folder);
    let waiting = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    received(&follower, &waiting);
    follower.site().send("POST", "/api/agent/toggle", r#"{"paused": true}"#);
    world.clear_faults();
    let unseen = world.leader().set_target(&[("SOLUSDC", dec!(0.5))]);
    let before = world.leader().polls();
    follower.site().wait_polls(4);
    assert!(world.leader().polls() >= before + 3, "a paused agent still shows whether its leader answers");
    assert_eq!(follower.site().signal(&waiting).unwrap()["status"], "received");
    assert!(follower.site().signal(&unseen).is_none());
    let agent = follower.site().json("/api/agent/status");
    assert_eq!((&agent["last_poll"]["status"], &agent["running"]), (&"paused".into(), &false.into()));
    assert_eq!(agent["leader"]["connected"], true);
    follower.site().send("POST", "/api/agent/toggle", r#"{"paused": false}"#);
    assert_eq!(status(&follower.site().closed_signal(&unseen)), ("executed", 2));
    assert_eq!(follower.site().closed_signal(&waiting)["status"], "skipped");
}

#[test]
fn a_leader_that_goes_away_is_shown_and_followed_again_when_it_is_back() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    world.refuse_connections(Side::Leader).unwrap();
    let away = until("the leader is away", || {
        let agent = follower.site().json("/api/agent/status");
        (agent["last_poll"]["status"] == "leader_unreachable").then_some(agent)
    });
    assert_eq!(away["leader"]["connected"], false);
    assert!(away["leader"]["error"].is_string() && away["leader"]["last_contact"].is_number(), "{away}");
    assert_eq!(follower.site().get("/health").status, 200, "the loop turns all the same");
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    world.accept_connections(Side::Leader).unwrap();
    assert_eq!(status(&follower.site().closed_signal(&id)), ("executed", 2));
    // Le signal est clos avant que son tour ne soit écrit.
    until("the leader is back", || {
        let leader = follower.site().json("/api/agent/status")["leader"].clone();
        (leader["connected"] == true && leader["error"].is_null()).then_some(())
    });
}

/// Une réponse qui n'est pas un signal n'est pas « pas de signal ».
#[test]
fn an_answer_that_is_no_signal_is_said_and_changes_nothing() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let before = list(follower.site(), "/api/signals").len();
    for raw in
        ["<html>maintenance</html>", "[]", "{}", r#"{"signal_id":""}"#, r#"{"signal_id":"initial_sync"}"#]
    {
        world.leader().set_raw(raw);
        follower.site().wait_polls(2);
        let agent = follower.site().json("/api/agent/status");
        assert_eq!(agent["last_poll"]["status"], "invalid_signal", "{raw}");
        assert!(agent["last_poll"]["error"].is_string(), "{raw}");
    }
    assert_eq!(list(follower.site(), "/api/signals").len(), before);
}

fn allocation(id: &str, weights: &str) -> String {
    format!(r#"{{"signal_id":"{id}","version":2,"portfolio_state":{{"positions":[{weights}]}}}}"#)
}

fn last_poll(follower: &Follower, status: &str) -> Value {
    until(&format!("the last poll is {status}"), || {
        let poll = follower.site().json("/api/agent/status")["last_poll"].clone();
        (poll["status"] == status).then_some(poll)
    })
}

/// Un leader qui a repris son compteur, ou corrige sans le changer.
#[test]
fn an_allocation_that_changes_under_its_id_is_followed_and_the_same_said_otherwise_is_not_followed_twice() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let (btc, eth) =
        (r#"{"coin":"BTCUSDC","pct_of_portfolio":0.4}"#, r#"{"coin":"ETHUSDC","pct_of_portfolio":0.5}"#);
    world.leader().set_raw(allocation("one", btc));
    assert_eq!(status(&follower.site().closed_signal("one")).0, "executed");
    world.leader().set_raw(allocation("one", eth));
    assert_eq!(status(&follower.site().closed_signal("one #2")), ("executed", 2));
    near(weight(follower.site(), "ETHUSDC"), dec!(0.5));
    let count = list(follower.site(), "/api/signals").len();
    world.leader().set_raw(
        allocation("one", eth).replace("\"version\"", "\"reasoning\":\"said otherwise\",\"version\""),
    );
    follower.site().wait_polls(3);
    last_poll(&follower, "already_processed");
    assert_eq!(list(follower.site(), "/api/signals").len(), count);
}

/// Le leader montre l'ancien, le nouveau, l'ancien ; ce qui n'est pas suivi se dit.
fn alternates(world: &World, follower: &Follower, old: &str, new: &str) {
    for (shown, status) in [(old, "old_signal"), (new, "already_processed"), (old, "old_signal")] {
        world.leader().set_raw(shown);
        let poll = last_poll(follower, status);
        assert_eq!(poll["error"].is_string(), status == "old_signal", "{poll}");
    }
}

/// Un cache, ou un second serveur, rend une réponse d'avant : elle n'est plus le mot du leader.
#[test]
fn a_signal_that_the_leader_had_replaced_is_never_followed_again() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let first = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    let old = world.leader().signal().expect("it is shown");
    follower.site().closed_signal(&first);
    let second = world.leader().set_target(&[("SOLUSDC", dec!(0.5))]);
    let new = world.leader().signal().expect("it is shown");
    follower.site().closed_signal(&second);
    let trades = list(follower.site(), "/api/trades").len();
    alternates(&world, &follower, &old, &new);
    assert_eq!(list(follower.site(), "/api/trades").len(), trades);
}

/// Des actions ne se font pas deux fois : changées sous leur nom, elles ne se font pas, et c'est dit tant que cela dure.
#[test]
fn actions_that_change_after_they_were_received_are_not_done() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let id = world.leader().set_actions(&[("ETHUSDC", "BUY", dec!(0.1))], None);
    follower.site().closed_signal(&id);
    let trades = list(follower.site(), "/api/trades").len();
    let said = world.leader().signal().expect("it is shown");
    world.leader().set_raw(said.replace("0.1", "0.2"));
    assert!(last_poll(&follower, "changed_signal")["error"].as_str().unwrap().contains(&id));
    world.leader().set_raw(said.replace("BUY", "SHORT"));
    last_poll(&follower, "rejected");
    assert_eq!(list(follower.site(), "/api/trades").len(), trades);
    world.leader().set_raw(said);
    last_poll(&follower, "already_processed");
}

/// Une action d'un autre temps voulait un autre prix ; une allocation expirée n'est plus celle du leader.
#[test]
fn what_is_of_another_time_is_not_followed_and_says_how_old_it_is() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let trades = list(follower.site(), "/api/trades").len();
    let action = r#"{"signal_id":"of-2020","timestamp":"2020-01-01T00:00:00Z",
        "actions":[{"coin":"ETHUSDC","action":"BUY","pct_of_capital":0.2}]}"#;
    let target = allocation("expired", r#"{"coin":"ETHUSDC","pct_of_portfolio":0.5}"#)
        .replace("\"version\"", "\"expires_at\":\"2020-01-01T00:00:00Z\",\"version\"");
    for (id, text, why, told) in
        [("of-2020", action, "too_old", "days old"), ("expired", &target, "expired", "expired ")]
    {
        world.leader().set_raw(text);
        let signal = follower.site().closed_signal(id);
        assert_eq!((status(&signal), code(&signal, "ETHUSDC").as_str()), (("skipped", 0), why));
        assert!(signal["error_message"].as_str().unwrap().contains(told), "{signal}");
    }
    assert_eq!(list(follower.site(), "/api/trades").len(), trades);
    // Le leader en repousse la fin : son allocation vaut de nouveau.
    world.leader().set_raw(target.replace("2020", "2120"));
    assert_eq!(status(&follower.site().closed_signal("expired #2")).0, "executed");
    near(weight(follower.site(), "ETHUSDC"), dec!(0.5));
}

/// Une première allocation expirée n'est pas à reprendre, et n'empêche pas de reprendre la suivante.
#[test]
fn the_initial_sync_takes_over_the_first_allocation_that_has_not_expired() {
    let (world, folder) = (still_world(), Folder::new());
    let state = r#""portfolio_state":{"positions":[{"coin":"ETHUSDC","pct_of_portfolio":0.5}]}"#;
    let expired = r#""expires_at":"2020-01-01T00:00:00Z""#;
    world.leader().set_raw(format!(r#"{{"signal_id":"of-2020",{expired},"actions":[],{state}}}"#));
    let follower = Follower::of(&world, &folder);
    assert_eq!(follower.site().closed_signal("of-2020")["status"], "skipped");
    world.leader().set_raw(format!(r#"{{"signal_id":"of-today","actions":[],{state}}}"#));
    assert_eq!(status(&follower.site().closed_signal("initial_sync")), ("executed", 1));
    near(weight(follower.site(), "ETHUSDC"), dec!(0.5));
}

/// Rejeté une fois, un signal que l'on comprend maintenant est suivi.
#[test]
fn a_signal_once_rejected_is_judged_again_when_its_text_is_understood() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let unknown = allocation("new", r#"{"coin":"DOGEUSDC","pct_of_portfolio":0.5}"#);
    world.leader().set_raw(&unknown);
    assert_eq!(follower.site().closed_signal("new")["status"], "rejected");
    follower.site().wait_polls(2);
    last_poll(&follower, "rejected");
    world.leader().set_raw(unknown.replace("DOGE", "ETH"));
    assert_eq!(status(&follower.site().closed_signal("new #2")).0, "executed");
    near(weight(follower.site(), "ETHUSDC"), dec!(0.5));
}

/// Qui interroge le leader une fois par heure voit quand même des prix de l'instant.
#[test]
fn prices_stay_fresh_between_two_polls_however_far_apart() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let hourly = Config {
        poll_interval: Duration::from_secs(3600),
        market_interval: Duration::from_millis(20),
        ..config(&world, &folder)
    };
    let follower = Follower::start(hourly);
    follower.site().closed_signal("initial_sync");
    until("the only poll ends", || (follower.site().polls() == 1.0).then_some(()));
    world.exchange().set_price("BTCUSDC", dec!(50000));
    let shown = || follower.site().json("/api/prices")["BTCUSDC"].as_f64();
    until("the new price is shown", || shown().filter(|price| (price - 50000.0).abs() < 50.0));
    assert_eq!(follower.site().polls(), 1.0);
    assert_eq!(
        follower.site().json("/api/budget/history").as_array().unwrap().len(),
        1,
        "a reading is no poll"
    );
}

#[test]
fn a_signal_that_waited_for_a_price_does_not_wait_for_the_next_poll_too() {
    let (world, folder) = (still_world(), Folder::new());
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    world.refuse_connections(Side::Exchange).unwrap();
    let hourly = Config {
        poll_interval: Duration::from_secs(3600),
        market_interval: Duration::from_millis(20),
        ..config(&world, &folder)
    };
    let follower = Follower::start(hourly);
    until("the first poll ends", || (follower.site().polls() == 1.0).then_some(()));
    assert_eq!(follower.site().json("/api/agent/status")["last_poll"]["status"], "waiting");
    world.accept_connections(Side::Exchange).unwrap();
    assert_eq!(follower.site().closed_signal(&id)["status"], "executed");
    follower.site().closed_signal("initial_sync");
    until("the poll that took it up ends", || (follower.site().polls() == 2.0).then_some(()));
}

#[test]
fn the_leader_is_told_our_version() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = Follower::start(Config { version: "0.1.0+abc".to_owned(), ..config(&world, &folder) });
    follower.site().wait_polls(1);
    assert_eq!(world.leader().last_version_header().as_deref(), Some("0.1.0+abc"));
    assert_eq!(follower.site().json("/api/agent/status")["version"], "0.1.0+abc");
}

/// Deux serveurs, dont l'un retient l'ancienne réponse : sous un seul nom aussi, ce qui a été remplacé ne l'est qu'une fois.
#[test]
fn one_id_with_two_texts_in_turn_is_never_followed_back_and_forth() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let said = |coin: &str| {
        format!(
            r#"{{"version":2,"signal_id":"one","actions":[],"portfolio_state":{{"positions":[{{"coin":"{coin}","pct_of_portfolio":0.5}}]}}}}"#
        )
    };
    let (old, new) = (said("ETHUSDC"), said("SOLUSDC"));
    world.leader().set_raw(&old);
    follower.site().closed_signal("one");
    world.leader().set_raw(&new);
    follower.site().closed_signal("one #2");
    let trades = list(follower.site(), "/api/trades").len();
    alternates(&world, &follower, &old, &new);
    assert_eq!(list(follower.site(), "/api/trades").len(), trades);
    // Daté d'après, c'est le mot d'aujourd'hui.
    world.leader().set_raw(old.replace("\"actions\"", "\"timestamp\":\"2099-01-01T00:00:00Z\",\"actions\""));
    follower.site().closed_signal("one #3");
}

/// Ce qui n'est pas compris ne remplace rien.
#[test]
fn a_word_that_is_rejected_never_ends_the_allocation_it_interrupts() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    let valid = world.leader().signal().expect("it is shown");
    follower.site().closed_signal(&id);
    world.leader().set_raw(
        r#"{"version":2,"signal_id":"lost","actions":[],"portfolio_state":{"positions":[],"cash_pct":0.0}}"#,
    );
    for _ in 0..2 {
        assert!(last_poll(&follower, "rejected")["error"].is_string(), "said while it lasts");
        follower.site().wait_polls(1);
    }
    world.leader().set_raw(valid);
    last_poll(&follower, "already_processed");
    let deposit = follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 1000}"#);
    assert_eq!(deposit.status, 200, "{}", deposit.body);
    until("the deposit is put to work", || {
        let share = weight(follower.site(), "ETHUSDC");
        ((share - dec!(0.5)).abs() < dec!(0.01)).then_some(())
    });
}

/// Fait, puis expiré : ce qui n'est plus suivi se dit.
#[test]
fn an_allocation_that_has_expired_is_never_shown_as_followed() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    let valid = world.leader().signal().expect("it is shown");
    follower.site().closed_signal(&id);
    world
        .leader()
        .set_raw(valid.replace("\"actions\"", "\"expires_at\":\"2020-01-01T00:00:00Z\",\"actions\""));
    let poll = last_poll(&follower, "expired_signal");
    assert!(poll["error"].as_str().unwrap().contains("expired on 2020-01-01"), "{poll}");
}

/// L'allocation d'actions suit les prix ; une autre sous le même nom n'est pas suivie en silence.
#[test]
fn another_state_under_the_id_of_actions_is_said_and_not_followed() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let id = world.leader().set_actions(
        &[("ETHUSDC", "BUY", dec!(0.1))],
        Some(&[("BTCUSDC", dec!(0.5)), ("ETHUSDC", dec!(0.1))]),
    );
    let said = world.leader().signal().expect("it is shown");
    follower.site().closed_signal(&id);
    let leader_weight = |coin: &str| {
        let positions = list(follower.site(), "/api/positions");
        positions.iter().find(|one| one["coin"] == coin).map(|one| one["leader_weight"].clone())
    };
    world.leader().set_raw(said.replace(r#""pct_of_portfolio":0.5"#, r#""pct_of_portfolio":0.51"#));
    until("the page knows it", || (leader_weight("BTCUSDC")? == 0.51).then_some(()));
    last_poll(&follower, "already_processed");
    let trades = list(follower.site(), "/api/trades").len();
    world.leader().set_raw(said.replace(r#""pct_of_portfolio":0.5"#, r#""pct_of_portfolio":0.9"#));
    assert!(last_poll(&follower, "changed_signal")["error"].as_str().unwrap().contains(&id));
    follower.site().wait_polls(2);
    assert_eq!(list(follower.site(), "/api/trades").len(), trades);
    assert_eq!(leader_weight("BTCUSDC"), Some(Value::from(0.51)));
}

/// Le prix que voulait une action est celui de quand le leader l'a montrée, pas de la fin d'une pause.
#[test]
fn actions_shown_throughout_a_pause_are_never_done_at_its_end() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder).stop();
    let policy = Policy { action_age: Duration::from_millis(100), ..config(&world, &folder).policy };
    let follower = Follower::start(Config { policy, ..config(&world, &folder) });
    let site = follower.site();
    assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": true}"#).status, 200);
    let id = world.leader().set_actions(&[("ETHUSDC", "BUY", dec!(0.3))], None);
    let undated = world.leader().signal().expect("it is shown");
    let date = undated.find("\"timestamp\":\"").expect("it is dated");
    world.leader().set_raw(format!("{}{}", &undated[..date], &undated[date + 35..]));
    site.wait_polls(20);
    assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": false}"#).status, 200);
    let signal = site.closed_signal(&id);
    assert_eq!(code(&signal, "ETHUSDC"), "too_old", "{signal}");
}

#[test]
fn a_date_of_the_leader_that_is_not_yet_is_never_told_as_one() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_raw(
        r#"{"version":2,"signal_id":"tomorrow","timestamp":"2099-01-02T03:04:05Z","portfolio_state":{"positions":[
            {"coin":"ETHUSDC","pct_of_portfolio":0.5}]}}"#,
    );
    let follower = Follower::of(&world, &folder);
    follower.site().closed_signal("tomorrow");
    let leader = &follower.site().json("/api/agent/status")["leader"];
    assert!(leader["said_at"].is_null() && leader["last_signal_at"].is_string(), "{leader}");
}
