//! Une allocation reste à atteindre tant que le leader la montre : ce qui n'a pas pu se faire se fait ensuite, ce qui vient est mis au
//! travail, et rien n'est suivi de ce qu'il ne montre plus.

use std::time::Duration;

use calvalot::config::Config;
use calvalot::domain::money::Weight;
use calvalot::domain::policy::Policy;
use calvalot::sim::{Book, Fault, Level, On, Status, World};
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};

use crate::follower::{Folder, Follower, Site, config, decimal, still_world, until};
use crate::{code, list, near, settled, status, target, trades_of, waits_for, weight};

fn with(world: &World, folder: &Folder, policy: Policy) -> Follower {
    Follower::start(Config { policy, ..config(world, folder) })
}

/// La moitié en ETH, dite sous ce nom à cette heure.
fn said(id: &str, at: &str) -> String {
    format!(
        r#"{{"version":2,"signal_id":"{id}","timestamp":"{at}","portfolio_state":{{"positions":[
            {{"coin":"ETHUSDC","pct_of_portfolio":0.5}}]}}}}"#
    )
}

const LONG_AGO: &str = "2026-01-02T03:04:05Z";

fn loose() -> Policy {
    Policy { turnover: Weight::new(dec!(1000)), ..Policy::default() }
}

fn reached(site: Site, id: &str) {
    until(&format!("the target of {id} is reached"), || {
        let target = target(site);
        (target["signal_id"] == id && target["reached_at"].is_string()).then_some(())
    });
}

/// La part d'un coin finit là.
fn becomes(site: Site, coin: &str, share: Decimal) {
    until(&format!("{coin} is {share} of it"), || {
        ((weight(site, coin) - share).abs() < dec!(0.006)).then_some(())
    });
}

#[test]
fn what_was_halted_when_the_leader_left_it_is_never_kept_until_he_speaks_again() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("XRPUSDC", dec!(0.4)), ("BTCUSDC", dec!(0.2))]);
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    site.closed_signal("initial_sync");
    world.exchange().set_status("XRPUSDC", Status::Break);
    site.wait_polls(2);
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.2))]);
    let signal = site.closed_signal(&id);
    assert_eq!(status(&signal), ("skipped", 0));
    assert_eq!(signal["reached_at"], Value::Null);
    until("what it waits for is told", || {
        let told = target(site)["waiting_for"].as_str().map(str::to_owned);
        told.filter(|told| told.contains("XRPUSDC") && told.contains("does not trade"))
    });
    world.exchange().set_status("XRPUSDC", Status::Trading);
    becomes(site, "XRPUSDC", dec!(0));
    reached(site, &id);
    let signal = site.signal(&id).expect("it is known");
    assert_eq!(status(&signal), ("skipped", 1), "the signal keeps its status, its trades bear its name");
    assert!(signal["reached_at"].is_string());
    assert_eq!(trades_of(site, &id), [("SELL".to_owned(), "XRPUSDC".to_owned())]);
}

#[test]
fn what_a_filter_capped_follows_at_later_polls() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("XRPUSDC", dec!(0.8))]);
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    site.closed_signal("initial_sync");
    let held = decimal(&list(site, "/api/positions")[0]["quantity"]);
    world
        .exchange()
        .edit_listing("XRPUSDC", |listing| listing.market_max_quantity = (held / dec!(3)).round_dp(0));
    site.wait_polls(2);
    let id = world.leader().set_target(&[]);
    site.closed_signal(&id);
    becomes(site, "XRPUSDC", dec!(0));
    reached(site, &id);
    assert!(trades_of(site, &id).len() > 2, "{:?}", trades_of(site, &id));
}

#[test]
fn a_deposit_never_lies_idle_until_the_next_signal() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    site.send("POST", "/api/budget/deposit", r#"{"amount_eur": 1000}"#);
    becomes(site, "BTCUSDC", dec!(0.5));
    let trades = list(site, "/api/trades");
    assert_eq!(trades.len(), 2, "{trades:?}");
    let bought = decimal(&trades[0]["amount_usdt"]);
    assert!((bought - dec!(541)).abs() < dec!(5), "{bought} for half of 1000 EUR");
    // Atteinte, elle n'est plus touchée.
    site.wait_polls(4);
    assert_eq!(list(site, "/api/trades"), trades);
    assert_eq!(target(site)["cause"], "money");
}

#[test]
fn a_drift_that_prices_dug_is_corrected_beyond_the_threshold_only() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    let price = world.exchange().price("BTCUSDC");
    world.exchange().set_price("BTCUSDC", price * dec!(1.15));
    site.wait_polls(4);
    assert_eq!(list(site, "/api/trades").len(), 1, "3.5 % of drift is left alone");
    world.exchange().set_price("BTCUSDC", price * dec!(1.3));
    becomes(site, "BTCUSDC", dec!(0.5));
    assert_eq!(target(site)["cause"], "drift");
    let trades = list(site, "/api/trades").len();
    site.wait_polls(4);
    assert_eq!(list(site, "/api/trades").len(), trades);
}

#[test]
fn a_threshold_of_zero_leaves_the_drift_of_prices_alone() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let follower = with(&world, &folder, Policy { reaim_threshold: Weight::ZERO, ..loose() });
    follower.site().closed_signal("initial_sync");
    world.exchange().set_price("BTCUSDC", world.exchange().price("BTCUSDC") * dec!(2));
    follower.site().wait_polls(5);
    assert_eq!(list(follower.site(), "/api/trades").len(), 1);
}

/// Le leader se tait, puis autant que le capital est versé ; rend ce qu'il montrait.
fn deposited_in_silence(world: &World, site: Site) -> String {
    let shown = world.leader().signal().expect("a signal");
    world.leader().no_signal();
    // Un tour commencé avant l'a peut-être entendu encore.
    site.wait_polls(1);
    site.send("POST", "/api/budget/deposit", r#"{"amount_eur": 1000}"#);
    shown
}

/// Un leader qui se tait, ou qui dit autre chose, n'est pas suivi sur ce qu'il disait.
#[test]
fn nothing_is_aimed_at_that_the_leader_does_not_show_now() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    let shown = deposited_in_silence(&world, site);
    site.wait_polls(4);
    near(weight(site, "BTCUSDC"), dec!(0.25));
    world.leader().set_raw("{}");
    site.wait_polls(3);
    near(weight(site, "BTCUSDC"), dec!(0.25));
    world.leader().set_raw(shown);
    becomes(site, "BTCUSDC", dec!(0.5));
}

/// Une paire arrêtée, ou dont le carnet n'offre rien, tient l'allocation ouverte : ce n'est pas une raison d'échanger les autres à chaque
/// mouvement de leur prix.
#[test]
fn a_hindered_coin_never_has_the_others_traded_at_each_poll() {
    type Switch = fn(&World);
    let halts: [Switch; 2] = [
        |world| world.exchange().set_status("XRPUSDC", Status::Halt),
        |world| world.exchange().set_status("XRPUSDC", Status::Trading),
    ];
    let empties: [Switch; 2] = [
        |world| {
            let price = world.exchange().price("XRPUSDC");
            let level =
                |part: Decimal| vec![Level { price: (price * part).round_dp(4), quantity: dec!(100) }];
            world.exchange().set_book("XRPUSDC", Book { bids: level(dec!(0.99)), asks: level(dec!(1.01)) });
        },
        |world| world.exchange().set_price("XRPUSDC", world.exchange().price("XRPUSDC")),
    ];
    for [hinder, free] in [halts, empties] {
        let (world, folder) = (still_world(), Folder::new());
        hinder(&world);
        let id = world.leader().set_target(&[
            ("BTCUSDC", dec!(0.45)),
            ("ETHUSDC", dec!(0.45)),
            ("XRPUSDC", dec!(0.05)),
        ]);
        let follower = with(&world, &folder, loose());
        let site = follower.site();
        site.closed_signal(&id);
        site.wait_polls(3);
        let (before, eth) = (list(site, "/api/trades").len(), world.exchange().price("ETHUSDC"));
        for factor in [dec!(1.029), dec!(1), dec!(1.029), dec!(1), dec!(1.029)] {
            world.exchange().set_price("ETHUSDC", (eth * factor).round_dp(2));
            site.wait_polls(2);
        }
        assert_eq!(list(site, "/api/trades").len(), before);
        // De l'argent qui vient n'attend pas ce coin, si peu qu'il en écarte les autres.
        site.send("POST", "/api/budget/deposit", r#"{"amount_eur": 80}"#);
        becomes(site, "BTCUSDC", dec!(0.45));
        // Le dernier venu, tout est rendu juste, une fois.
        free(&world);
        becomes(site, "XRPUSDC", dec!(0.05));
        reached(site, &id);
        near(weight(site, "ETHUSDC"), dec!(0.45));
        near(weight(site, "BTCUSDC"), dec!(0.45));
    }
}

/// Ce qui a été versé pendant que le leader ne dit rien n'est pas dit placé.
#[test]
fn an_allocation_is_never_called_reached_while_a_deposit_waits_for_the_leader() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    let shown = deposited_in_silence(&world, site);
    waits_for(site, "does not show");
    assert_eq!(target(site)["reached_at"], Value::Null);
    assert_eq!(target(site)["cause"], "money");
    world.leader().set_raw(shown);
    until("it is placed", || target(site)["reached_at"].is_string().then_some(()));
    assert_eq!(target(site)["waiting_for"], Value::Null);
}

#[test]
fn an_allocation_that_waited_is_not_followed_once_the_leader_shows_it_no_more() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    world.fault(On::exchange("/api/v3/ticker/bookTicker"), Fault::body("[]"));
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
    until("it waits", || site.signal(&id).filter(|signal| signal["status"] == "received"));
    // Celle d'avant n'est plus dite atteinte : on est déjà en route vers l'autre.
    assert_eq!(target(site)["reached_at"], Value::Null);
    waits_for(site, "has replaced this allocation");
    world.leader().no_signal();
    site.wait_polls(1);
    world.clear_faults();
    let told =
        |signal: &Value| signal["waiting_for"].as_str().is_some_and(|told| told.contains("does not show"));
    until("it is told", || site.signal(&id).filter(told));
    assert!(trades_of(site, &id).is_empty());
}

/// Une allocation que l'on apprend après une pause est celle où l'on va, même si ses actions n'en disent rien.
#[test]
fn what_was_said_during_a_pause_is_never_missing_for_ever() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_actions(&[("BTCUSDC", "BUY", dec!(0.4))], Some(&[("BTCUSDC", dec!(0.4))]));
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    site.closed_signal("initial_sync");
    let pause = |paused: bool| {
        let body = format!(r#"{{"paused": {paused}}}"#);
        assert_eq!(site.send("POST", "/api/agent/toggle", &body).status, 200);
    };
    pause(true);
    site.wait_polls(2);
    let both = [("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.2))];
    let missed = world.leader().set_actions(&[("ETHUSDC", "BUY", dec!(0.2))], Some(&both));
    site.wait_polls(2);
    let id = world.leader().set_actions(&[("ETHUSDC", "HOLD", dec!(0))], Some(&both));
    pause(false);
    site.closed_signal(&id);
    becomes(site, "ETHUSDC", dec!(0.2));
    // Un tour commencé avant le dernier mot, fini après la pause, a vu celui d'avant : la même allocation, sous son nom.
    let trades = [trades_of(site, &missed), trades_of(site, &id)].concat();
    assert_eq!(trades, [("BUY".to_owned(), "ETHUSDC".to_owned())]);
}

/// Ce que ses actions disent de garder est gardé, quoi qu'en dise l'allocation qui les accompagne, si rien n'a pu manquer.
#[test]
fn what_the_leader_says_to_hold_is_held() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    // Un mot qui ne dit pas d'allocation n'est pas en route pour toujours : celle d'avant reste atteinte.
    let silent = world.leader().set_actions(&[("BTCUSDC", "HOLD", dec!(0))], None);
    site.closed_signal(&silent);
    assert!(target(site)["reached_at"].is_string(), "{}", target(site));
    let id = world.leader().set_actions(&[("BTCUSDC", "HOLD", dec!(0))], Some(&[("BTCUSDC", dec!(0.2))]));
    site.closed_signal(&id);
    site.wait_polls(4);
    near(weight(site, "BTCUSDC"), dec!(0.5));
}

/// Tout en SOL, tout en XRP, à chaque tour : ce que cela peut coûter en un jour est borné, et dit.
/// Le premier démarrage trouve une allocation de trois semaines : une personne en décide.
#[test]
fn an_old_allocation_is_never_taken_over_without_asking() {
    for follow in [true, false] {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().set_raw(said("old", LONG_AGO));
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        let asked = |status: &Value| status["old_target"].is_object();
        let status = until("it is asked", || Some(site.json("/api/agent/status")).filter(asked));
        assert!(decimal(&status["old_target"]["age_seconds"]) > dec!(86400), "{status}");
        assert_eq!(status["leader"]["said_at"], "2026-01-02 03:04:05");
        site.wait_polls(3);
        assert_eq!(list(site, "/api/trades").len(), 0);
        let ways: Vec<Value> = list(site, "/api/ways");
        let offered = |name: &str| ways.iter().any(|way| way["name"] == name);
        assert!(offered("take-over") && offered("wait-for-next"), "{ways:?}");
        // Ce qui empêche de suivre d'abord ; et tant que ce n'est pas décidé, il n'est pas dit qu'il suit.
        assert_eq!([&ways[0]["name"], &ways[1]["name"]], ["take-over", "wait-for-next"]);
        let pause = ways.iter().find(|way| way["name"] == "pause").expect("it can be paused");
        assert!(
            pause["about"].as_str().is_some_and(|told| told.contains("waits for you to decide")),
            "{pause}"
        );
        let settle = |follow: bool| {
            site.send("POST", "/api/agent/old-target", &json!({ "follow": follow }).to_string()).status
        };
        assert_eq!(settle(follow), 200);
        if follow {
            becomes(site, "ETHUSDC", dec!(0.5));
            assert_eq!(settle(true), 409, "there is nothing left to decide");
            continue;
        }
        site.wait_polls(4);
        assert_eq!(list(site, "/api/trades").len(), 0);
        // Elle reste offerte ; la suivante, d'aujourd'hui, est suivie sans demander.
        assert_eq!(site.json("/api/agent/status")["old_target"]["declined"], true);
        world.leader().set_target(&[("BTCUSDC", dec!(0.4))]);
        becomes(site, "BTCUSDC", dec!(0.4));
        assert_eq!(site.json("/api/agent/status")["old_target"], Value::Null);
    }
}

#[test]
fn who_has_no_screen_can_say_beforehand_that_an_old_allocation_is_followed() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_raw(
        r#"{"version":2,"signal_id":"old","created_at":1700000000,"portfolio_state":{"positions":[
            {"coin":"ETHUSDC","pct_of_portfolio":0.5}]}}"#,
    );
    let follower = with(&world, &folder, Policy { follow_old_target: true, ..loose() });
    becomes(follower.site(), "ETHUSDC", dec!(0.5));
}

#[test]
fn the_age_of_an_action_is_the_one_that_was_set() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[]);
    let hour = Duration::from_secs(3600);
    let follower = with(&world, &folder, Policy { action_age: hour, ..loose() });
    follower.site().closed_signal("initial_sync");
    for (id, minutes, expected) in [("young", 50, "executed"), ("old", 70, "skipped")] {
        let said = calvalot::clock::now().minus(Duration::from_secs(60 * minutes)).0 / 1000;
        world.leader().set_raw(format!(
            r#"{{"signal_id":"{id}","timestamp":{said},"actions":[
                {{"coin":"BTCUSDC","action":"BUY","pct_of_capital":0.1}}]}}"#
        ));
        assert_eq!(follower.site().closed_signal(id)["status"], expected, "{id}");
    }
}

/// Un leader devenu fou n'écrit pas sans fin chez nous.
#[test]
fn no_more_signals_are_kept_in_a_day_than_an_honest_leader_sends() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    let outcome = || site.json("/api/agent/status")["last_poll"]["status"].as_str().map(str::to_owned);
    let mut sent = 0;
    until("it is enough", || {
        sent += 1;
        world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
        site.wait_polls(1);
        (outcome().as_deref() == Some("too_many_signals")).then_some(())
    });
    assert!(sent >= 100, "after {sent}");
    let kept: i64 = rusqlite::Connection::open(folder.db())
        .unwrap()
        .query_row("SELECT count(*) FROM signals WHERE signal_id <> 'initial_sync'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 200);
    let error = site.json("/api/agent/status")["last_poll"]["error"].as_str().unwrap_or_default().to_owned();
    assert!(error.contains("200 signals in a day"), "{error}");
}

/// Un texte sans fin n'est ni gardé ni suivi.
#[test]
fn a_signal_larger_than_any_honest_one_is_not_kept() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let padding = "x".repeat(17 * 1024);
    world.leader().set_raw(format!(
        r#"{{"version":2,"signal_id":"large","reasoning":"{padding}","portfolio_state":{{"positions":[]}}}}"#
    ));
    let site = follower.site();
    until("it is refused", || {
        (site.json("/api/agent/status")["last_poll"]["status"] == "invalid_signal").then_some(())
    });
    assert!(site.signal("large").is_none());
    near(weight(site, "BTCUSDC"), dec!(0.5));
}

/// L'allocation d'une version 1 se vise pour ce qu'elle est : ce que le leader veut, dans toute la borne d'un jour.
#[test]
fn the_state_after_a_pause_is_reached_and_not_called_reached_before() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_actions(&[("BTCUSDC", "BUY", dec!(1.0))], Some(&[("BTCUSDC", dec!(1.0))]));
    let follower = with(&world, &folder, Policy::default());
    let site = follower.site();
    site.closed_signal("initial_sync");
    site.wait_polls(2);
    assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": true}"#).status, 200);
    let id = world.leader().set_actions(&[("BTCUSDC", "HOLD", dec!(0))], Some(&[("ETHUSDC", dec!(1.0))]));
    site.wait_polls(2);
    assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": false}"#).status, 200);
    becomes(site, "ETHUSDC", dec!(1.0));
    reached(site, &id);
    let target = target(site);
    assert_eq!(target["cause"], "signal", "{target}");
}

/// Vieille de trois semaines, une allocation se demande, de quelque version qu'elle soit.
#[test]
fn the_state_of_old_actions_is_never_taken_over_at_a_first_start_without_a_word() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_actions(&[("BTCUSDC", "BUY", dec!(0.2))], Some(&[("BTCUSDC", dec!(0.5))]));
    let said = world.leader().signal().expect("it is shown");
    let date = said.find("\"timestamp\":\"").expect("it is dated") + 13;
    world.leader().set_raw(format!("{}2020-01-01T00:00:00Z{}", &said[..date], &said[date + 20..]));
    let follower = with(&world, &folder, loose());
    let site = follower.site();
    until("it asks", || {
        let old = site.json("/api/agent/status")["old_target"].clone();
        old.is_object().then_some(())
    });
    site.wait_polls(3);
    assert_eq!(list(site, "/api/trades").len(), 0);
    let taken = site.send("POST", "/api/agent/old-target", r#"{"follow": true}"#);
    assert_eq!(taken.status, 200, "{}", taken.body);
    becomes(site, "BTCUSDC", dec!(0.5));
}

/// Ce qu'une personne a à décider d'une vieille allocation le reste, quoi qu'elle reprenne ou vende entre-temps.
#[test]
fn what_is_asked_about_an_old_allocation_is_never_lost_by_taking_all_out_or_selling_all() {
    for declines in [false, true] {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().set_raw(said("old", LONG_AGO));
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        let old = || site.json("/api/agent/status")["old_target"].clone();
        let asked = || old()["declined"] == declines;
        until("it is asked", || old().is_object().then_some(()));
        if declines {
            assert_eq!(site.send("POST", "/api/agent/old-target", r#"{"follow": false}"#).status, 200);
        }
        let all = r#"{"all": true, "understood": true}"#;
        assert_eq!(site.send("POST", "/api/budget/withdrawals", all).status, 200);
        site.wait_polls(2);
        assert_eq!(site.send("POST", "/api/agent/sell-all", r#"{"understood": true}"#).status, 200);
        until("all is sold", || {
            (site.json("/api/agent/status")["selling_all"]["done"] == true).then_some(())
        });
        assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": false}"#).status, 200);
        site.send("POST", "/api/budget/deposit", r#"{"amount_eur": 1000}"#);
        site.wait_polls(2);
        assert!(asked(), "{}", site.json("/api/agent/status"));
        assert_eq!(list(site, "/api/trades").len(), 0, "nothing of it was followed unasked");
        assert_eq!(site.send("POST", "/api/agent/old-target", r#"{"follow": true}"#).status, 200);
        becomes(site, "ETHUSDC", dec!(0.5));
    }
}

/// Ce qui empêche est ce qui empêche maintenant : ni une paire qui va de nouveau, ni rien du tout quand le leader ne dit plus d'allocation.
#[test]
fn what_an_allocation_waits_for_is_never_an_old_reason() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    world.exchange().set_status("ETHUSDC", Status::Break);
    site.wait_polls(1);
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.5)), ("ETHUSDC", dec!(0.2))]);
    site.closed_signal(&id);
    waits_for(site, "ETH");
    let shown = world.leader().signal().expect("a signal");
    let pause = |paused: bool| {
        let body = format!(r#"{{"paused": {paused}}}"#);
        assert_eq!(site.send("POST", "/api/agent/toggle", &body).status, 200);
    };
    pause(true);
    world.exchange().set_status("ETHUSDC", Status::Trading);
    waits_for(site, "paused");
    pause(false);
    reached(site, &id);
    // D'une version 1 sans allocation, de l'argent qui vient attend la suivante, et c'est dit.
    world.leader().set_actions(&[("BTCUSDC", "HOLD", dec!(0))], None);
    site.wait_polls(1);
    site.send("POST", "/api/budget/deposit", r#"{"amount_eur": 1000}"#);
    waits_for(site, "has replaced this allocation");
    // Remontrée telle quelle, c'est une vieille réponse : elle n'est pas dite à suivre de nouveau.
    world.leader().set_raw(shown.clone());
    site.wait_polls(2);
    waits_for(site, "has replaced this allocation");
    assert_eq!(site.json("/api/agent/status")["last_poll"]["status"], "old_signal");
    world.leader().set_raw(shown.replace(&id, "again"));
    reached(site, "again");
}

/// Tout se reprend : ce que l'allocation attendait auparavant n'est plus ce qui l'empêche, et ce qu'elle disait des coins n'est plus vrai.
#[test]
fn what_is_taken_out_is_never_told_by_what_was_waited_for_before() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.5)), ("XRPUSDC", dec!(0.2))]);
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    site.closed_signal("initial_sync");
    world.exchange().set_status("SOLUSDC", Status::Break);
    site.wait_polls(1);
    let wanted = [("BTCUSDC", dec!(0.5)), ("XRPUSDC", dec!(0.2)), ("SOLUSDC", dec!(0.2))];
    let id = world.leader().set_target(&wanted);
    assert_eq!(code(&site.closed_signal(&id), "BTCUSDC"), "within_threshold");
    waits_for(site, "SOL");
    world.exchange().set_status("XRPUSDC", Status::Break);
    site.wait_polls(1);
    let all = r#"{"all": true, "understood": true}"#;
    assert_eq!(site.send("POST", "/api/budget/withdrawals", all).status, 200);
    waits_for(site, "everything is being taken out");
    world.exchange().set_status("SOLUSDC", Status::Trading);
    site.wait_polls(2);
    waits_for(site, "everything is being taken out");
    world.exchange().set_status("XRPUSDC", Status::Trading);
    reached(site, &id);
    let signal = site.signal(&id).expect("it is kept");
    assert_ne!(code(&signal, "BTCUSDC"), "within_threshold", "nothing of it is held: {signal}");
}

/// Le leader ne dit plus d'allocation : celle qui se demandait n'est plus à prendre, et rien ne dit qu'une autre la remplace.
#[test]
fn what_names_no_allocation_is_never_called_a_newer_one() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_raw(said("old", LONG_AGO));
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    let old = || site.json("/api/agent/status")["old_target"].clone();
    until("it is asked", || old().is_object().then_some(()));
    let id = world.leader().set_actions(&[("SOLUSDC", "BUY", dec!(0.2))], None);
    site.closed_signal(&id);
    let row = site.closed_signal("old");
    let told = row["error_message"].as_str().unwrap_or_default();
    assert!(told.contains(&format!("superseded by {id}, which names no allocation")), "{row}");
}
