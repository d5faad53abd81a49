//! La borne de ce qui s'échange en un jour : elle tient un leader qui retourne tout sans fin, jamais un capital dans ce qu'il fuit.

use calvalot::config::Config;
use calvalot::domain::policy::Policy;
use calvalot::sim::World;
use rust_decimal::{Decimal, dec};

use crate::follower::{Folder, Follower, Site, config, decimal, still_world, until};
use crate::{list, target, waits_for, weight};

/// Retourne tout de SOL à XRP et retour, tant de fois ; rend le dernier signal.
fn flip(world: &World, site: Site, times: usize) -> String {
    let mut last = String::new();
    for turn in 0..times {
        let coin = if turn % 2 == 0 { "XRPUSDC" } else { "SOLUSDC" };
        last = world.leader().set_target(&[(coin, dec!(1))]);
        site.closed_signal(&last);
    }
    last
}

/// Un suiveur tout en SOL.
fn invested(world: &World, folder: &Folder) -> Follower {
    world.leader().set_target(&[("SOLUSDC", dec!(1))]);
    let follower = Follower::start(Config { policy: Policy::default(), ..config(world, folder) });
    follower.site().closed_signal("initial_sync");
    follower
}

#[test]
fn a_leader_that_flips_at_each_poll_never_costs_more_than_the_turnover_of_a_day() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = invested(&world, &folder);
    let site = follower.site();
    let last = flip(&world, site, 30);
    let trades = list(site, "/api/trades?limit=100");
    let traded: Decimal = trades.iter().map(|trade| decimal(&trade["amount_usdt"])).sum();
    let budget = site.json("/api/budget");
    let (total, rate) = (decimal(&budget["total_value_eur"]), decimal(&budget["eurusdc_rate"]));
    let capital = dec!(1000) / rate;
    assert!(traded <= capital * dec!(3), "{traded} of {capital}");
    assert!(total > dec!(993), "{total} EUR are left of 1000");
    waits_for(site, "MAX_TURNOVER");
    assert_eq!(target(site)["signal_id"], last);
}

/// La borne est usée : ce que le leader fuit se vend quand même.
#[test]
fn what_the_leader_leaves_for_cash_is_never_held_by_the_turnover_of_a_day() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = invested(&world, &folder);
    let site = follower.site();
    flip(&world, site, 6);
    let held = || weight(site, "SOLUSDC") + weight(site, "XRPUSDC");
    assert!(held() > dec!(0.9));
    // La part qui ne fait que sortir, d'abord ; ce qui s'échange d'un coin pour un autre attend son jour.
    let most = if weight(site, "SOLUSDC") > weight(site, "XRPUSDC") { "SOLUSDC" } else { "XRPUSDC" };
    let half = world.leader().set_target(&[(most, dec!(0.4))]);
    site.closed_signal(&half);
    until("what is left for cash is sold", || (held() < dec!(0.41)).then_some(()));
    let none = world.leader().set_target(&[]);
    site.closed_signal(&none);
    until("all of it", || (held() < dec!(0.001)).then_some(()));
    let again = world.leader().set_target(&[("BTCUSDC", dec!(1))]);
    site.closed_signal(&again);
    site.wait_polls(2);
    assert_eq!(weight(site, "BTCUSDC"), Decimal::ZERO, "purchases wait: they are the bound");
}

/// Ce qu'une personne reprend ne rend pas plus petit ce que le leader peut encore faire échanger ce jour-là.
#[test]
fn money_taken_out_never_uses_up_what_may_be_traded_in_a_day() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = invested(&world, &folder);
    let site = follower.site();
    let taken = site.send("POST", "/api/budget/withdrawals", r#"{"amount_eur": 800}"#);
    assert_eq!(taken.status, 200, "{}", taken.body);
    let left = || decimal(&site.json("/api/budget")["total_value_eur"]);
    until("it is taken", || (left() < dec!(201)).then_some(()));
    let id = world.leader().set_target(&[("XRPUSDC", dec!(1))]);
    site.closed_signal(&id);
    assert!(weight(site, "XRPUSDC") > dec!(0.98), "{}", target(site));
}
