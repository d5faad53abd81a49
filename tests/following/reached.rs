//! Ce qui est dit atteint l'est : ce qu'une action n'a pas pu faire, ce qu'une règle d'un moment a empêché se fait ensuite.

use std::mem::swap;
use std::time::Duration;

use calvalot::config::Config;
use calvalot::domain::market::Coin;
use calvalot::domain::money::{Eur, Weight};
use calvalot::domain::policy::Policy;
use calvalot::sim::{Fault, Listing, On, Status, World};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

use crate::follower::{Folder, Follower, Site, config, still_world, until};
use crate::{code, list, near, target, trades_of, weight};

const BOTH: [(&str, Decimal); 2] = [("BTCUSDC", dec!(0.5)), ("XRPUSDC", dec!(0.04))];

/// Un suiveur qui tient ces deux-là, et qu'aucun écart de prix ne fait bouger si `policy` le dit.
fn holding(world: &World, folder: &Folder, policy: Policy) -> Follower {
    world.leader().set_target(&BOTH);
    let follower = Follower::start(Config { policy, ..config(world, folder) });
    follower.site().closed_signal("initial_sync");
    follower.site().wait_polls(2);
    follower
}

fn never_again() -> Policy {
    Policy { reaim_threshold: Weight::ZERO, ..Policy::default() }
}

/// Met cette règle de XRP à la place de la vraie, puis la vraie à la sienne.
fn lie(world: &World, told: Decimal, of: fn(&mut Listing) -> &mut Decimal) -> impl FnMut() {
    let mut other = told;
    move || world.exchange().edit_listing("XRPUSDC", |listing| swap(of(listing), &mut other))
}

fn is_reached(site: Site) {
    until("it is reached", || target(site)["reached_at"].is_string().then_some(()));
}

fn is_left(site: Site, coin: &str) {
    until(&format!("{coin} is sold"), || (weight(site, coin) < dec!(0.001)).then_some(()));
    is_reached(site);
}

/// Moins que ce que les prix ont le droit d'écarter, mais le leader l'a dit.
#[test]
fn what_an_action_could_not_do_is_never_called_reached() {
    for policy in [Policy::default(), never_again()] {
        let (world, folder) = (still_world(), Folder::new());
        let follower = holding(&world, &folder, policy);
        let site = follower.site();
        let halt = |status: Status| world.exchange().set_status("XRPUSDC", status);
        halt(Status::Break);
        site.wait_polls(1);
        let id =
            world.leader().set_actions(&[("XRPUSDC", "SELL", dec!(1.0))], Some(&[("BTCUSDC", dec!(0.5))]));
        assert_eq!(code(&site.closed_signal(&id), "XRPUSDC"), "halted");
        site.wait_polls(2);
        assert_eq!(target(site)["reached_at"], Value::Null);
        near(weight(site, "XRPUSDC"), dec!(0.04));
        halt(Status::Trading);
        is_left(site, "XRPUSDC");
        assert_eq!(trades_of(site, &id), [("SELL".to_owned(), "XRPUSDC".to_owned())]);
    }
}

#[test]
fn an_action_that_came_too_late_never_leaves_its_coin_kept() {
    let (world, folder) = (still_world(), Folder::new());
    let policy = Policy { action_age: Duration::from_millis(1), ..never_again() };
    let follower = holding(&world, &folder, policy);
    let site = follower.site();
    let id = world.leader().set_actions(&[("BTCUSDC", "SELL", dec!(1.0))], Some(&[("XRPUSDC", dec!(0.04))]));
    site.closed_signal(&id);
    is_left(site, "BTCUSDC");
    near(weight(site, "XRPUSDC"), dec!(0.04));
}

/// Ce que le leader quitte, ou réduit, dès que la règle n'est plus celle-là.
#[test]
fn what_a_rule_of_a_moment_kept_is_never_kept_for_ever() {
    for share in [dec!(0), dec!(0.02)] {
        let (world, folder) = (still_world(), Folder::new());
        let follower = holding(&world, &folder, never_again());
        let site = follower.site();
        let mut switch = lie(&world, dec!(1000), |listing| &mut listing.min_notional);
        switch();
        site.wait_polls(1);
        let id = world.leader().set_target(&[("BTCUSDC", dec!(0.5)), ("XRPUSDC", share)]);
        site.closed_signal(&id);
        until("the rules allow no more", || target(site)["reached_at"].is_string().then_some(()));
        near(weight(site, "XRPUSDC"), dec!(0.04));
        switch();
        until(&format!("XRP is {share}"), || {
            ((weight(site, "XRPUSDC") - share).abs() < dec!(0.002)).then_some(())
        });
        is_reached(site);
        assert_eq!(target(site)["cause"], "signal");
        let trades = list(site, "/api/trades").len();
        site.wait_polls(4);
        assert_eq!(list(site, "/api/trades").len(), trades, "and nothing else is done for it");
    }
}

/// Rien n'a changé des règles : c'est lui qui vaut de nouveau assez pour se vendre.
#[test]
fn what_was_worth_too_little_to_be_left_is_left_once_it_is_worth_more() {
    let (world, folder) = (still_world(), Folder::new());
    world.exchange().edit_listing("XRPUSDC", |listing| listing.min_notional = dec!(60));
    world.leader().set_target(&[("BTCUSDC", dec!(0.5)), ("XRPUSDC", dec!(0.07))]);
    let follower = Follower::start(Config { policy: never_again(), ..config(&world, &folder) });
    let site = follower.site();
    site.closed_signal("initial_sync");
    site.wait_polls(2);
    let times = |factor: Decimal| {
        let price = world.exchange().price("XRPUSDC");
        world.exchange().set_price("XRPUSDC", price * factor);
    };
    times(dec!(0.5));
    site.wait_polls(1);
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    site.closed_signal(&id);
    until("it is worth too little", || target(site)["reached_at"].is_string().then_some(()));
    assert!(weight(site, "XRPUSDC") > dec!(0.03));
    times(dec!(2));
    is_left(site, "XRPUSDC");
}

/// Atteinte, une allocation dit de chaque coin pourquoi il en est là, et non ce qui l'empêchait d'abord.
#[test]
fn what_a_reached_allocation_leaves_is_never_told_by_what_hindered_it_first() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = holding(&world, &folder, Policy::default());
    let site = follower.site();
    world.exchange().edit_listing("SOLUSDC", |listing| listing.min_notional = dec!(60));
    let halted = ["ETHUSDC", "SOLUSDC"];
    let set = |status: Status| halted.iter().for_each(|pair| world.exchange().set_status(pair, status));
    set(Status::Break);
    site.wait_polls(1);
    let wanted = [BOTH[0], BOTH[1], ("ETHUSDC", dec!(0.2)), ("SOLUSDC", dec!(0.02))];
    let id = world.leader().set_target(&wanted);
    let signal = site.closed_signal(&id);
    assert_eq!(halted.map(|coin| code(&signal, coin)), ["halted", "halted"]);
    set(Status::Trading);
    is_reached(site);
    let signal = site.signal(&id).expect("it is kept");
    assert_eq!(halted.map(|coin| code(&signal, coin)), ["traded", "below_minimum"], "{signal}");
}

/// Une paire arrêtée dont rien ne s'achèterait de toute façon tient l'allocation ouverte : ce qu'elle a fait acheter n'est pas revendu.
#[test]
fn what_was_bought_is_never_sold_again_while_another_coin_is_halted() {
    let (world, folder) = (still_world(), Folder::new());
    world.exchange().set_status("BTCUSDC", Status::Break);
    world.leader().set_target(&[
        ("ETHUSDC", dec!(0.5661)),
        ("SOLUSDC", dec!(0.3288)),
        ("BTCUSDC", dec!(0.0285)),
        ("XRPUSDC", dec!(0.0453)),
        ("BNBUSDC", dec!(0.0313)),
    ]);
    let follower = Follower::start(Config { initial_budget: Eur::new(dec!(44)), ..config(&world, &folder) });
    let site = follower.site();
    site.closed_signal("initial_sync");
    site.wait_polls(2);
    // Acheté au minimum, au-delà de sa part, il s'en écarte encore un peu.
    let price = world.exchange().price("XRPUSDC");
    world.exchange().set_price("XRPUSDC", price * dec!(1.02));
    site.wait_polls(6);
    let trades = list(site, "/api/trades?limit=100");
    let sold: Vec<&Value> = trades.iter().filter(|trade| trade["action"] == "SELL").collect();
    assert!(trades.len() >= 3 && sold.is_empty(), "{trades:?}");
}

/// Là où les minimums décident, une paire arrêtée quelques tours puis libre ne laisse pas où l'on est ce qu'elle avait fait garder.
#[test]
fn a_coin_freed_after_a_halt_is_never_followed_worse_than_without_it() {
    let small = [("BTCUSDC", dec!(0.0945)), ("BNBUSDC", dec!(0.0888)), ("XRPUSDC", dec!(0.0835))];
    let wanted = [
        ("ETHUSDC", dec!(0.5661)),
        ("SOLUSDC", dec!(0.3288)),
        ("BTCUSDC", dec!(0.0285)),
        ("XRPUSDC", dec!(0.0453)),
        ("BNBUSDC", dec!(0.0313)),
    ];
    let ends = [false, true].map(|halts| {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().set_target(&small);
        let follower =
            Follower::start(Config { initial_budget: Eur::new(dec!(61)), ..config(&world, &folder) });
        let site = follower.site();
        is_reached(site);
        if halts {
            world.exchange().set_status("ETHUSDC", Status::Halt);
            site.wait_polls(1);
        }
        let id = world.leader().set_target(&wanted);
        site.closed_signal(&id);
        site.wait_polls(3);
        world.exchange().set_status("ETHUSDC", Status::Trading);
        is_reached(site);
        Coin::ALL.map(|coin| weight(site, coin.pair()))
    });
    for (plain, halted) in ends[0].into_iter().zip(ends[1]) {
        assert!((plain - halted).abs() < dec!(0.02), "{ends:?}");
    }
}

/// Une règle qui contredit l'autre n'est pas du leader, ni d'un minimum : rien n'en est dit de faux, et elle ne dure pas.
#[test]
fn a_largest_order_below_the_smallest_is_never_told_as_a_minimum() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = holding(&world, &folder, never_again());
    let site = follower.site();
    let mut switch = lie(&world, dec!(0.1), |listing| &mut listing.market_max_quantity);
    switch();
    site.wait_polls(1);
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let signal = site.closed_signal(&id);
    assert_eq!(code(&signal, "XRPUSDC"), "halted", "{signal}");
    assert!(signal.to_string().contains("its largest order is below its smallest"), "{signal}");
    assert_eq!(target(site)["reached_at"], Value::Null);
    switch();
    is_left(site, "XRPUSDC");
}

/// L'allocation qui les accompagne est celle d'avant, ou fausse : ce que les actions ont fait n'est pas défait, et c'est dit.
#[test]
fn what_an_action_did_is_never_undone_for_its_own_allocation() {
    let before = [("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.2))];
    let (sold, bought) = (("ETHUSDC", "SELL", dec!(1.0)), ("SOLUSDC", "BUY", dec!(0.2)));
    let more = ("ETHUSDC", "BUY", dec!(0.1));
    type Case<'a> = (&'a [(&'a str, &'a str, Decimal)], [Decimal; 3]);
    let cases: [Case; 4] = [
        (&[sold], [dec!(0.4), dec!(0), dec!(0)]),
        (&[bought], [dec!(0.4), dec!(0.2), dec!(0.2)]),
        (&[more], [dec!(0.4), dec!(0.3), dec!(0)]),
        (&[sold, bought], [dec!(0.4), dec!(0), dec!(0.2)]),
    ];
    for (actions, shares) in cases {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().set_target(&before);
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        site.closed_signal("initial_sync");
        site.wait_polls(2);
        let id = world.leader().set_actions(actions, Some(&before));
        site.closed_signal(&id);
        let told = until("it is said", || target(site)["waiting_for"].as_str().map(str::to_owned));
        assert!(told.contains("contradicts his actions on"), "{told}");
        // Ni au tour suivant, ni quand de l'argent vient.
        assert_eq!(site.send("POST", "/api/budget/deposit", r#"{"amount_eur": 20}"#).status, 200);
        until("the deposit is looked at", || (target(site)["cause"] == "money").then_some(()));
        until("and reached", || target(site)["reached_at"].is_string().then_some(()));
        assert_eq!(target(site)["waiting_for"], told.as_str());
        let coins = ["BTCUSDC", "ETHUSDC", "SOLUSDC"];
        for (coin, share) in coins.into_iter().zip(shares) {
            let found = weight(site, coin);
            assert!((found - share).abs() < dec!(0.015), "{actions:?}: {coin} is {found}");
        }
    }
}

/// Un leader que l'on n'a pas entendu, de l'argent qui vient d'arriver, une action qui n'a pas pu se faire : ce qui diffère alors est
/// d'ici, et son allocation, vraie, se vise.
#[test]
fn a_state_that_knows_what_was_missed_here_is_never_called_a_contradiction() {
    let before = [("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.2))];
    type Story = fn(&World, Site) -> String;
    let unheard: Story = |world, _| {
        // Il avait dit d'acheter 0,2 d'ETH entre deux tours.
        world.leader().set_actions(
            &[("ETHUSDC", "SELL", dec!(0.1))],
            Some(&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.3))]),
        )
    };
    let halted: Story = |world, site| {
        world.exchange().set_status("ETHUSDC", Status::Break);
        site.wait_polls(1);
        let more = [("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.4))];
        let id = world.leader().set_actions(&[("ETHUSDC", "BUY", dec!(0.2))], Some(&more));
        site.closed_signal(&id);
        let less = [("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.3))];
        let id = world.leader().set_actions(&[("ETHUSDC", "SELL", dec!(0.1))], Some(&less));
        site.closed_signal(&id);
        world.exchange().set_status("ETHUSDC", Status::Trading);
        id
    };
    let deposited: Story = |world, site| {
        let id = world.leader().set_actions(
            &[("BTCUSDC", "SELL", dec!(0.1)), ("ETHUSDC", "BUY", dec!(0.1))],
            Some(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))]),
        );
        assert_eq!(site.send("POST", "/api/budget/deposit", r#"{"amount_eur": 2000}"#).status, 200);
        id
    };
    for (story, shares) in [
        (unheard, [dec!(0.4), dec!(0.3)]),
        (halted, [dec!(0.4), dec!(0.3)]),
        (deposited, [dec!(0.3), dec!(0.3)]),
    ] {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().set_target(&before);
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        site.closed_signal("initial_sync");
        site.wait_polls(2);
        let id = story(&world, site);
        for (coin, share) in ["BTCUSDC", "ETHUSDC"].into_iter().zip(shares) {
            let near = || (weight(site, coin) - share).abs() < dec!(0.012);
            until(&format!("{coin} is {share} of it"), || near().then_some(()));
        }
        until("it is reached", || {
            let target = target(site);
            (target["signal_id"] == id && target["reached_at"].is_string()).then_some(())
        });
        assert_eq!(target(site)["waiting_for"], Value::Null);
    }
}

/// Un leader qui a perdu son état montre une liste vide ; ce n'est pas tout vendre.
#[test]
fn an_empty_list_beside_an_action_is_never_an_order_to_sell_everything() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = holding(&world, &folder, Policy::default());
    let site = follower.site();
    let id = world.leader().set_actions(&[("BTCUSDC", "SELL", dec!(0.1))], Some(&[]));
    site.closed_signal(&id);
    site.wait_polls(3);
    near(weight(site, "BTCUSDC"), dec!(0.4));
    near(weight(site, "XRPUSDC"), dec!(0.04));
}

/// Le leader en avance la fin, sous le même nom ou un autre, pendant que le premier démarrage attend un prix.
#[test]
fn a_first_allocation_is_never_followed_once_it_has_expired() {
    for renamed in [false, true] {
        let (world, folder) = (still_world(), Folder::new());
        world.fault(On::exchange("/api/v3/ticker/bookTicker"), Fault::body("[]"));
        let state = [("BTCUSDC", dec!(0.4))];
        let id = world.leader().set_actions(&[("BTCUSDC", "BUY", dec!(0.4))], Some(&state));
        let follower = Follower::of(&world, &folder);
        let site = follower.site();
        until("it waits", || site.signal("initial_sync").filter(|sync| sync["status"] == "received"));
        let said = world.leader().signal().expect("it is shown");
        let ended = said.replacen('{', r#"{"expires_at":"2026-01-02T03:04:05Z","#, 1);
        world.leader().set_raw(if renamed { ended.replace(&id, "another") } else { ended });
        site.wait_polls(1);
        world.clear_faults();
        until("it is said", || {
            let told = site.json("/api/agent/status")["last_poll"]["error"].as_str()?.contains("expired on");
            told.then_some(())
        });
        site.wait_polls(3);
        assert_eq!(list(site, "/api/trades").len(), 0, "it is of another time");
        // Le leader la redit sans fin : elle vaut de nouveau.
        world.leader().set_raw(if renamed { said.replace(&id, "a third") } else { said });
        until("it is followed", || (weight(site, "BTCUSDC") > dec!(0.39)).then_some(()));
    }
}

#[test]
fn a_yes_to_an_old_allocation_that_has_expired_is_never_kept_for_another() {
    let (world, folder) = (still_world(), Folder::new());
    let old = |id: &str, expires: &str| {
        format!(
            r#"{{"version":2,"signal_id":"{id}","timestamp":"2026-01-02T03:04:05Z",{expires}"portfolio_state":{{"positions":[
                {{"coin":"ETHUSDC","pct_of_portfolio":0.5}}]}}}}"#
        )
    };
    world.leader().set_raw(old("old", ""));
    let follower = Follower::of(&world, &folder);
    let site = follower.site();
    let asked = |site: Site| site.json("/api/agent/status")["old_target"].is_object();
    until("it is asked", || asked(site).then_some(()));
    world.leader().set_raw(old("old", r#""expires_at":"2026-01-03T03:04:05Z","#));
    until("it is no longer", || (!asked(site)).then_some(()));
    let yes = site.send("POST", "/api/agent/old-target", r#"{"follow": true}"#);
    assert_eq!(yes.status, 409, "{}", yes.body);
    world.leader().set_raw(old("older", ""));
    until("the next one is asked", || asked(site).then_some(()));
    site.wait_polls(3);
    assert_eq!(list(site, "/api/trades").len(), 0);
}
