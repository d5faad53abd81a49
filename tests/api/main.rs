//! Le contrat `docs/api.md`, champ par champ, sur le démon entier et en vrai HTTP.
//!
//! `reads` : les champs et l'ordre ; `figures` : rendement, journée, écart, marques ; `limits` : `limit`, `period`, HEAD,
//! santé ; `writes` : les dépôts et la pause ; `refusals` : ce qui est refusé, et que rien n'en change ; `orders` et
//! `exchange` : un compte réel, que `live` met en place ; `waiting` : ce qu'un signal attend ; `withdrawals` : reprendre et tout vendre ; `outlook` : ce que le capital permet de suivre ; `metrics`, `page` et `events`.

#[path = "../follower/mod.rs"]
mod follower;

mod events;
mod exchange;
mod figures;
mod limits;
mod live;
mod metrics;
mod orders;
mod outlook;
mod page;
mod reads;
mod refusals;
mod waiting;
mod withdrawals;
mod writes;

use std::time::Duration;

use calvalot::config::Config;
use calvalot::sim::World;
use follower::{Folder, Follower, Site, config};
use rusqlite::Connection;
use rust_decimal::dec;
use serde_json::Value;

/// Un suiveur qui a suivi une première allocation : 40 % de BTC, 20 % d'ETH.
fn settled(world: &World, folder: &Folder) -> Follower {
    world.leader().set_target(&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.2))]);
    let follower = Follower::of(world, folder);
    follower.site().closed_signal("initial_sync");
    follower.site().wait_polls(2);
    follower
}

/// Le même, redémarré sur `rows` en plus dans sa base ; il ne fait plus qu'un tour par heure.
fn restarted_with(world: &World, folder: &Folder, rows: &str) -> Follower {
    settled(world, folder).stop();
    base(folder).execute_batch(rows).unwrap();
    hourly(world, folder)
}

/// Un suiveur qui ne fait que le premier tour, et qui l'a fait.
fn hourly(world: &World, folder: &Folder) -> Follower {
    let before = world.leader().polls();
    let hourly = Config { poll_interval: Duration::from_secs(3600), ..config(world, folder) };
    let follower = Follower::start(hourly);
    follower::until("the only poll is made", || {
        let prices = follower.site().try_get("/api/prices")?.json();
        (world.leader().polls() > before && prices.as_object()?.len() == 5).then_some(())
    });
    follower
}

fn base(folder: &Folder) -> Connection {
    let connection = Connection::open(folder.db()).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    connection
}

fn list(site: Site, path: &str) -> Vec<Value> {
    site.json(path).as_array().expect("a list").clone()
}

/// `value` a exactement ces champs, chacun de ce type. `?` : peut être `null`.
fn check(what: &str, value: &Value, fields: &[(&str, &str)]) {
    let object = value.as_object().unwrap_or_else(|| panic!("{what}: {value} is no object"));
    let named: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    for name in object.keys() {
        assert!(named.contains(&name.as_str()), "{what}.{name} is not in the contract");
    }
    for (name, kind) in fields {
        let found = object.get(*name).unwrap_or_else(|| panic!("{what}.{name} is missing"));
        assert!(is_of(found, kind), "{what}.{name} is {found}, expected {kind}");
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind.strip_suffix('?') {
        Some(_) if value.is_null() => true,
        Some(kind) => is_of(value, kind),
        None => match kind {
            "null" => value.is_null(),
            "int" => value.is_u64(),
            "flag" => value == 0 || value == 1,
            "number" => value.is_number(),
            "text" => value.is_string(),
            "bool" => value.is_boolean(),
            "list" => value.is_array(),
            "object" => value.is_object(),
            "at" => value.as_str().is_some_and(is_utc),
            words => words.split('|').any(|word| value == word),
        },
    }
}

/// `YYYY-MM-DD HH:MM:SS`.
fn is_utc(text: &str) -> bool {
    looks_like(text, "0000-00-00 00:00:00")
}

/// `text` a la forme de `model`, où `0` est un chiffre.
fn looks_like(text: &str, model: &str) -> bool {
    text.len() == model.len()
        && text.bytes().zip(model.bytes()).all(|(one, other)| match other {
            b'0' => one.is_ascii_digit(),
            _ => one == other,
        })
}
