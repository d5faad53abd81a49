//! Ce qui n'est pas su n'arrête que ce qui en a besoin.

use calvalot::sim::{Fault, On, Wire, World};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

use crate::follower::{Folder, Follower, Site, still_world, until};
use crate::{code, list, near, settled, status, trades_of, weight};

const TICKER: &str = "/api/v3/ticker/bookTicker";

/// Le carnet de cette paire n'est plus montré.
fn hide(world: &World, pair: &str) {
    let (from, to) = (pair.to_owned(), pair.replace("USDC", "XXXX"));
    world.fault(On::exchange(TICKER), Fault::processed(Wire::Rewrite { from, to }));
}

/// La bourse ne connaît plus cette paire, et refuse toute liste où elle est.
fn delist(world: &World, pair: &str) {
    for path in [TICKER, "/api/v3/exchangeInfo"] {
        let refusal = || Fault::answer(calvalot::sim::Reply::code(400, -1121, "Invalid symbol."));
        world.fault(On::exchange(path).about(pair), refusal());
    }
}

fn total(site: Site) -> Value {
    site.json("/api/budget")["total_value_eur"].clone()
}

#[test]
fn a_coin_that_is_neither_held_nor_aimed_at_never_stops_the_others() {
    for gone in [hide as fn(&World, &str), delist] {
        let (world, folder) = (still_world(), Folder::new());
        gone(&world, "XRPUSDC");
        let follower = settled(&world, &folder);
        let site = follower.site();
        near(weight(site, "BTCUSDC"), dec!(0.5));
        let id = world.leader().set_target(&[("ETHUSDC", dec!(0.5))]);
        assert_eq!(status(&site.closed_signal(&id)), ("executed", 2));
        assert!(total(site).is_number());
        assert_eq!(list_of_unknown(site), [""; 0]);
    }
}

/// Dès le premier tour sans prix, avant qu'ils ne soient trop vieux.
#[test]
fn a_simulation_says_at_once_that_nothing_is_traded_while_the_exchange_is_away_and_goes_on_by_itself() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    let told = || {
        let closed = site.json("/api/exchange")["closed_reason"].as_str().map(str::to_owned);
        let ways = site.json("/api/ways");
        let pause = ways.as_array()?.iter().find(|way| way["name"] == "pause")?;
        Some((closed, pause["about"].as_str()?.to_owned()))
    };
    until("it follows", || told().filter(|told| *told == (None, "it follows the leader".to_owned())));
    world.fault(On::whole_exchange(), Fault::unprocessed(Wire::Close));
    let away = until("it is said", || {
        told().filter(|(closed, about)| closed.is_some() && about.contains("nothing"))
    });
    assert!(away.0.is_some_and(|reason| reason.contains("goes on by itself")), "{}", away.1);
    assert!(away.1.starts_with("nothing is traded now: the prices were not read"), "{}", away.1);
    assert_eq!(site.json("/api/exchange")["trading_open"], Value::Null);
    world.clear_faults();
    until("it follows again", || told().filter(|(closed, _)| closed.is_none()));
}

fn list_of_unknown(site: Site) -> Vec<String> {
    let unknown = site.json("/api/agent/status")["unknown"].as_array().cloned().unwrap_or_default();
    unknown.iter().filter_map(|unknown| unknown["what"].as_str().map(str::to_owned)).collect()
}

/// Ce que le leader quitte se vend, quand le prix d'un autre qui est tenu manque ; rien d'autre ne se fait, et rien n'est évalué.
#[test]
fn what_the_leader_leaves_is_sold_though_the_price_of_another_is_missing() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.3))]);
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    site.closed_signal("initial_sync");
    follower.stop();
    hide(&world, "ETHUSDC");
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.6))]);
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    until("what it leaves is sold", || (!trades_of(site, &id).is_empty()).then_some(()));
    site.wait_polls(3);
    assert_eq!(trades_of(site, &id), [("SELL".to_owned(), "BTCUSDC".to_owned())]);
    assert!(total(site).is_null(), "there is no total without a price of what is held");
    let waits = site.signal(&id).expect("it is known");
    assert_eq!(waits["status"], "received");
    assert!(waits["waiting_for"].as_str().is_some_and(|told| told.contains("price ETHUSDC")), "{waits}");
    world.clear_faults();
    assert_eq!(status(&site.closed_signal(&id)), ("executed", 2));
    near(weight(site, "SOLUSDC"), dec!(0.6));
}

/// De même dès le premier tour sans ce prix, tant que le dernier lu vaut encore ; d'une allocation comme d'une action.
#[test]
fn what_the_leader_leaves_never_waits_for_the_price_of_another_to_grow_old() {
    type Ask = fn(&World) -> String;
    let targets: Ask = |world| world.leader().set_target(&[("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.6))]);
    let acts: Ask = |world| {
        world.leader().set_actions(&[("BTCUSDC", "SELL", dec!(1)), ("SOLUSDC", "BUY", dec!(0.3))], None)
    };
    for ask in [targets, acts] {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.3))]);
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        site.closed_signal("initial_sync");
        hide(&world, "ETHUSDC");
        site.wait_polls(2);
        let id = ask(&world);
        until("what it leaves is sold", || (!trades_of(site, &id).is_empty()).then_some(()));
        site.wait_polls(2);
        assert_eq!(trades_of(site, &id), [("SELL".to_owned(), "BTCUSDC".to_owned())]);
        let waits = site.signal(&id).expect("it is known");
        assert!(waits["waiting_for"].as_str().is_some_and(|told| told.contains("price ETHUSDC")), "{waits}");
        world.clear_faults();
        assert_eq!(status(&site.closed_signal(&id)), ("executed", 2));
    }
}

/// Des actions attendent l'une derrière l'autre : la dernière sort d'un coin que la première achèterait encore.
#[test]
fn what_an_action_leaves_is_never_bought_again_by_an_older_one_that_waited() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))]);
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    site.closed_signal("initial_sync");
    hide(&world, "ETHUSDC");
    site.wait_polls(2);
    let bought = world.leader().set_actions(&[("BTCUSDC", "BUY", dec!(0.2))], None);
    until("it waits", || site.signal(&bought).filter(|signal| signal["status"] == "received"));
    let left = world.leader().set_actions(&[("BTCUSDC", "SELL", dec!(1))], None);
    until("it waits too", || site.signal(&left).filter(|signal| signal["status"] == "received"));
    site.wait_polls(3);
    world.clear_faults();
    site.closed_signal(&left);
    near(weight(site, "BTCUSDC"), dec!(0));
}

#[test]
fn selling_for_usdc_never_waits_for_the_euro_rate() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder).stop();
    hide(&world, "EURUSDC");
    let id = world.leader().set_target(&[("ETHUSDC", dec!(0.4))]);
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    until("what it leaves is sold", || (!trades_of(site, &id).is_empty()).then_some(()));
    site.wait_polls(2);
    assert_eq!(trades_of(site, &id), [("SELL".to_owned(), "BTCUSDC".to_owned())]);
    world.clear_faults();
    assert_eq!(status(&site.closed_signal(&id)), ("executed", 2));
    near(weight(site, "ETHUSDC"), dec!(0.4));
    assert!(weight(site, "BTCUSDC") < Decimal::new(1, 3));
}

/// Tout vendre : de même, l'un n'attend pas l'autre.
#[test]
fn selling_all_never_keeps_a_coin_for_the_price_of_another() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.4))]);
    let follower = Follower::of(&world, &folder);
    follower.site().closed_signal("initial_sync");
    follower.stop();
    hide(&world, "ETHUSDC");
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    assert_eq!(site.send("POST", "/api/agent/sell-all", r#"{"understood": true}"#).status, 200);
    let sold = || -> Vec<String> {
        let trades = list(site, "/api/trades");
        let sales = trades.iter().filter(|trade| trade["action"] == "SELL");
        sales.filter_map(|trade| trade["coin"].as_str().map(str::to_owned)).collect()
    };
    until("BTC is sold", || (sold() == ["BTCUSDC"]).then_some(()));
    assert_eq!(site.json("/api/agent/status")["selling_all"]["done"], false);
    world.clear_faults();
    until("ETH is sold too", || (sold() == ["ETHUSDC", "BTCUSDC"]).then_some(()));
    until("it is done", || (site.json("/api/agent/status")["selling_all"]["done"] == true).then_some(()));
}

/// Un jour sans prix : en simulation aucun compte ne dira que c'est parti, une personne le peut.
#[test]
fn a_simulated_position_without_a_price_is_never_given_up_before_a_day_nor_kept_for_ever() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))]);
    let follower = Follower::of(&world, &folder);
    follower.site().closed_signal("initial_sync");
    let held = list(follower.site(), "/api/positions");
    let eth = held.iter().find(|one| one["coin"] == "ETHUSDC").expect("it is held")["quantity"].clone();
    let write_off = |site: Site| {
        site.send("POST", "/api/exchange/differences/ETH/write-off", &format!(r#"{{"quantity": "{eth}"}}"#))
    };
    assert_eq!(write_off(follower.site()).status, 409, "its price is known");
    follower.stop();
    hide(&world, "ETHUSDC");
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    until("it is refused for that", || {
        let answer = write_off(site);
        (answer.status == 409 && answer.body.contains("less than a day")).then_some(())
    });
    follower.stop();
    let books = rusqlite::Connection::open(folder.db()).expect("the database");
    let earlier = "UPDATE readings SET at = at - 90000000 WHERE what LIKE '%ETHUSDC'";
    books.execute_batch(earlier).expect("it is writable");
    drop(books);
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    let way = until("it can be given up", || {
        list(site, "/api/ways").into_iter().find(|way| way["name"] == "write-off-ETH")
    });
    assert_eq!(way["body"]["quantity"].as_str(), Some(eth.to_string().as_str()), "{way}");
    let told = way["consequence"].as_str().unwrap_or_default();
    assert!(told.contains("the last one known") && told.contains("25 hours old"), "{told}");
    let asked = || site.send("POST", "/api/budget/withdrawals", r#"{"amount_eur": 20}"#);
    let refused = asked();
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.body.contains("wait for ETH:"), "{}", refused.body);
    let answer = write_off(site);
    assert_eq!(answer.status, 200, "{}", answer.body);
    until("the total is known", || total(site).is_number().then_some(()));
    until("a withdrawal is taken", || (asked().status == 200).then_some(()));
    let report = calvalot::verify::verify(&folder.db()).expect("it is read");
    assert_eq!(report.differences, 0, "{}", report.text);
}

/// Tout vendre finit, en simulation aussi, et dit ce qui est resté.
#[test]
fn selling_all_never_waits_more_than_a_day_for_a_price() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))]);
    let follower = Follower::of(&world, &folder);
    follower.site().closed_signal("initial_sync");
    follower.stop();
    hide(&world, "ETHUSDC");
    let follower = Follower::of(&world, &folder);
    assert_eq!(follower.site().send("POST", "/api/agent/sell-all", r#"{"understood": true}"#).status, 200);
    until("BTC is sold", || (trades_of(follower.site(), "sell-all-1").len() == 1).then_some(()));
    follower.site().wait_polls(4);
    assert_eq!(follower.site().json("/api/agent/status")["selling_all"]["done"], false);
    follower.stop();
    let books = rusqlite::Connection::open(folder.db()).expect("the database");
    let asked_earlier = "UPDATE signals SET received_at = received_at - 90000000 WHERE wish = 'sell_all'";
    books.execute_batch(asked_earlier).expect("it is writable");
    drop(books);
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(4);
    let told = &follower.site().json("/api/agent/status")["selling_all"]["done"];
    assert_eq!(told, false, "a day in which the program was off tried nothing");
    follower.stop();
    let books = rusqlite::Connection::open(folder.db()).expect("the database");
    let tried = "UPDATE signals SET tried_for = 90000000 WHERE wish = 'sell_all' AND tried_for > 0";
    assert_eq!(books.execute(tried, []).expect("it is writable"), 1, "the time of the polls is counted");
    drop(books);
    let follower = Follower::of(&world, &folder);
    let closed = follower.site().closed_signal("sell-all-1");
    assert_eq!(status(&closed), ("executed", 1));
    assert_eq!(code(&closed, "ETHUSDC"), "unknown");
}

/// Ce qu'une allocation attendait ne retient pas celle qui la remplace, ni ce qui vient après.
#[test]
fn a_price_that_only_a_replaced_allocation_needed_never_holds_the_next() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    hide(&world, "XRPUSDC");
    let first = world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("XRPUSDC", dec!(0.1))]);
    until("it waits for a price", || site.signal(&first).filter(|signal| signal["waiting_for"].is_string()));
    let next = world.leader().set_target(&[("ETHUSDC", dec!(0.4))]);
    assert_eq!(status(&site.closed_signal(&next)), ("executed", 2));
    let replaced = site.closed_signal(&first);
    assert_eq!(status(&replaced), ("skipped", 0), "{replaced}");
    near(weight(site, "ETHUSDC"), dec!(0.4));
}
