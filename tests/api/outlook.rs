//! Ce que le capital permet de suivre du leader : les champs, et ce qui n'est pas connu.

use calvalot::config::Config;
use calvalot::domain::money::Eur;
use calvalot::sim::{Fault, On, Status, Wire};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

use crate::follower::{Folder, Follower, Site, config, decimal, still_world, until};
use crate::{base, check, settled};

const FIELDS: [(&str, &str); 5] = [
    ("capital_eur", "number?"),
    ("followed_pct", "number?"),
    ("nearly_all_pct", "number"),
    ("nearly_all_eur", "number?"),
    ("reason", "text?"),
];

fn outlook(site: Site) -> Value {
    let outlook = site.json("/api/allocation/outlook");
    check("outlook", &outlook, &FIELDS);
    assert_eq!(decimal(&outlook["nearly_all_pct"]), dec!(99));
    outlook
}

fn reason(outlook: &Value) -> &str {
    outlook["reason"].as_str().unwrap_or_default()
}

fn is_unknown(outlook: &Value) -> bool {
    ["capital_eur", "followed_pct", "nearly_all_eur"].iter().all(|field| outlook[field].is_null())
}

fn budget_of(euros: Decimal, config: Config) -> Config {
    Config { initial_budget: Eur::new(euros), ..config }
}

/// 3 % d'un capital de 60 EUR est sous le minimum de 5 USDC ; l'acheter tout de même serait en tenir 8 %.
#[test]
fn a_small_capital_knows_how_much_it_follows_and_what_almost_all_takes() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("SOLUSDC", dec!(0.9)), ("XRPUSDC", dec!(0.03)), ("ETHUSDC", dec!(0.03))]);
    let follower = Follower::start(budget_of(dec!(60), config(&world, &folder)));
    let site = follower.site();
    site.closed_signal("initial_sync");
    site.wait_polls(1);
    let found = outlook(site);
    let (followed, enough) = (decimal(&found["followed_pct"]), decimal(&found["nearly_all_eur"]));
    assert!((dec!(90)..dec!(99)).contains(&followed), "{found}");
    assert!((dec!(61)..dec!(250)).contains(&enough), "{found}");
    assert_eq!(found["reason"], Value::Null);
    // Tout est fait : ce qui peut être suivi l'est.
    let drift = decimal(&site.json("/api/budget")["drift_pct"]);
    assert!((Decimal::ONE_HUNDRED - drift - followed).abs() < dec!(0.1), "{drift} away, {found}");
    follower.stop();
    // Avec ce capital, il l'est presque tout entier.
    let larger = Folder::new();
    let follower = Follower::start(budget_of(enough, config(&world, &larger)));
    let site = follower.site();
    site.closed_signal("initial_sync");
    site.wait_polls(1);
    let drift = decimal(&site.json("/api/budget")["drift_pct"]);
    assert!(drift <= dec!(1.05), "{drift} away with {enough}");
}

/// Ce que la page en dit en dépend : rien n'est tenu, tout ce qui se peut est fait, et la part suivie n'est que le cash du leader.
#[test]
fn a_capital_that_can_buy_nothing_follows_the_cash_of_the_leader_only() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.15)), ("ETHUSDC", dec!(0.1)), ("BNBUSDC", dec!(0.1))]);
    let follower = Follower::start(budget_of(dec!(10), config(&world, &folder)));
    let site = follower.site();
    site.closed_signal("initial_sync");
    site.wait_polls(1);
    assert_eq!(decimal(&outlook(site)["followed_pct"]), dec!(65));
    let (budget, status) = (site.json("/api/budget"), site.json("/api/agent/status"));
    assert_eq!(budget["positions_count"], 0, "{budget}");
    let held = |share: &Value| share["coin"] != "USDC" && share["weight"] != 0.0;
    assert!(!budget["allocation"].as_array().is_some_and(|shares| shares.iter().any(held)), "{budget}");
    assert!(status["target"]["reached_at"].is_string(), "{status}");
}

#[test]
fn an_allocation_that_was_never_said_is_null_with_its_reason_and_never_zero() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().no_signal();
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(2);
    let found = outlook(follower.site());
    assert_eq!(reason(&found), "the leader has not said an allocation yet");
    assert!(is_unknown(&found), "{found}");
}

#[test]
fn a_price_that_is_not_known_matters_only_of_a_coin_held_or_aimed_at() {
    let (world, folder) = (still_world(), Folder::new());
    settled(&world, &folder).stop();
    world.fault(On::exchange("/api/v3/ticker/bookTicker"), Fault::body("[]"));
    let follower = Follower::of(&world, &folder);
    let found = until("the price is missing", || {
        let found = outlook(follower.site());
        reason(&found).contains("price BTCUSDC").then_some(found)
    });
    assert!(is_unknown(&found), "{found}");
    assert!(!reason(&found).contains("SOLUSDC"), "{found}");
}

#[test]
fn nothing_is_known_of_a_budget_that_is_not_booked() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.4))]);
    world.fault(On::whole_exchange(), Fault::unprocessed(Wire::Close));
    let follower = Follower::of(&world, &folder);
    let found = until("the signal is received", || {
        let found = outlook(follower.site());
        (reason(&found) == "the budget is not booked yet").then_some(found)
    });
    assert!(is_unknown(&found), "{found}");
}

#[test]
fn a_halted_pair_is_not_told_as_a_lack_of_capital() {
    let (world, folder) = (still_world(), Folder::new());
    world.exchange().set_status("ETHUSDC", Status::Break);
    let follower = settled(&world, &folder);
    let found = outlook(follower.site());
    assert!(decimal(&found["followed_pct"]) > dec!(99), "{found}");
    assert!(decimal(&follower.site().json("/api/budget")["drift_pct"]) > dec!(19));
}

#[test]
fn a_pause_changes_nothing_of_what_the_capital_allows_and_death_ends_it() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let before = outlook(follower.site());
    follower.site().send("POST", "/api/agent/toggle", r#"{"paused": true}"#);
    assert_eq!(outlook(follower.site()), before);
    follower.stop();
    base(&folder).execute_batch("UPDATE agent SET state = 'DEAD'").unwrap();
    let follower = Follower::of(&world, &folder);
    until("it answers", || follower.site().try_get("/health"));
    let found = outlook(follower.site());
    assert!(is_unknown(&found) && reason(&found).contains("DEAD"), "{found}");
}

#[test]
fn of_a_leader_all_in_cash_everything_is_followed() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[]);
    let follower = Follower::of(&world, &folder);
    follower.site().closed_signal("initial_sync");
    follower.site().wait_polls(1);
    let found = outlook(follower.site());
    assert_eq!((decimal(&found["followed_pct"]), decimal(&found["nearly_all_eur"])), (dec!(100), dec!(10)));
}

/// La page dit alors que rien ne peut être suivi : une part suivie la démentirait.
#[test]
fn less_than_five_euros_are_never_said_to_follow_a_part_of_the_leader() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let site = follower.site();
    assert!(outlook(site)["followed_pct"].is_number());
    let all = r#"{"all": true, "understood": true}"#;
    assert_eq!(site.send("POST", "/api/budget/withdrawals", all).status, 200);
    let found = until("next to nothing is left", || Some(outlook(site)).filter(is_unknown));
    assert_eq!(reason(&found), "there is no capital to follow with");
}
