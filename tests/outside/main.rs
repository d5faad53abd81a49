//! Ce que le leader ou la bourse peuvent répondre de pire : rien ne plante, ne bloque, ne grossit, ni
//! ne se négocie sur de l'inconnu ; la raison est dite, et le suiveur reprend seul.
//!
//! `wire` abîme la réponse, `values` ce qu'elle dit, `memory` la compte.

#[path = "../follower/mod.rs"]
mod follower;

#[cfg(target_os = "linux")]
mod memory;
mod values;
mod wire;

use calvalot::sim::{Fault, On};
use follower::{Folder, Follower, Site, samples, still_world, until};
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
