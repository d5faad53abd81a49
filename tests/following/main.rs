//! Suivre le leader, vu du dehors : le chemin entier, du signal aux écrans.
//!
//! `actions` : les signaux de version 1 ; `targets` : ceux de version 2 ; `sync` : la première fois ; `pursuit` : une allocation reste à
//! atteindre ; `reached` : ce qui est dit
//! atteint l'est ; `turnover` : la borne d'un jour ; `unknown` : ce qui n'est pas su ; `belief` : les cours qui n'en sont pas ; `depth` : les carnets minces ; `waiting` : ce qui attend, la pause, les pannes
//! du leader.

#[path = "../follower/mod.rs"]
mod follower;

mod actions;
mod belief;
mod depth;
mod pursuit;
mod reached;
mod sync;
mod targets;
mod turnover;
mod unknown;
mod waiting;

use calvalot::sim::World;
use follower::{Folder, Follower, Site, decimal, until};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

/// Un suiveur qui a déjà suivi une première allocation, moitié BTC, moitié cash.
fn settled(world: &World, folder: &Folder) -> Follower {
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let follower = Follower::of(world, folder);
    follower.site().closed_signal("initial_sync");
    follower.site().wait_polls(2);
    follower
}

fn list(site: Site, path: &str) -> Vec<Value> {
    site.json(path).as_array().expect("a list").clone()
}

/// Les trades d'un signal, du plus ancien au plus récent : sens et coin.
fn trades_of(site: Site, id: &str) -> Vec<(String, String)> {
    let trades = list(site, "/api/trades?limit=100");
    let word = |trade: &Value, field: &str| trade[field].as_str().expect("a word").to_owned();
    let of_signal = trades.iter().rev().filter(|trade| trade["signal_id"] == id);
    of_signal.map(|trade| (word(trade, "action"), word(trade, "coin"))).collect()
}

/// La part d'un coin dans le tout ; zéro s'il n'est pas tenu.
fn weight(site: Site, coin: &str) -> Decimal {
    let positions = list(site, "/api/positions");
    positions
        .iter()
        .find(|position| position["coin"] == coin)
        .map_or(Decimal::ZERO, |position| decimal(&position["weight"]))
}

fn near(found: Decimal, expected: Decimal) {
    assert!((found - expected).abs() < dec!(0.002), "{found} is not about {expected}");
}

/// L'allocation visée, et où l'on en est.
fn target(site: Site) -> Value {
    site.json("/api/agent/status")["target"].clone()
}

/// Ce qui empêche de l'atteindre parle de cela.
fn waits_for(site: Site, what: &str) {
    until(what, || target(site)["waiting_for"].as_str()?.contains(what).then_some(()));
}

/// Le code de la décision prise pour un coin.
fn code(signal: &Value, coin: &str) -> String {
    let decisions = signal["decisions"].as_array().expect("a list");
    let decision = decisions.iter().find(|decision| decision["coin"] == coin);
    decision.unwrap_or_else(|| panic!("nothing on {coin} in {signal}"))["code"].as_str().unwrap().to_owned()
}

fn status(signal: &Value) -> (&str, u64) {
    (signal["status"].as_str().expect("a word"), signal["trades"].as_u64().expect("a count"))
}
