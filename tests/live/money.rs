//! L'argent qu'une personne apporte, reprend ou compte, face à un compte réel : jamais plus que ce qui est là, jamais ce
//! qu'un ordre en doute a peut-être déjà pris.

use calvalot::sim::{Fault, On, Wire};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

use crate::follower::{Answer, Follower, decimal};
use crate::{Bench, ORDER, status};

/// Corrige le total déposé.
fn correct(follower: &Follower, total: Decimal) -> Answer {
    follower.site().send("PUT", "/api/budget/deposit", &format!(r#"{{"total_eur": {total}}}"#))
}

fn error(answer: &Answer) -> String {
    let told: Value = answer.json();
    told["error"].as_str().unwrap_or_else(|| panic!("no reason in {told}")).to_owned()
}

fn cash(follower: &Follower) -> Decimal {
    decimal(&follower.site().json("/api/budget")["cash_usdt"])
}

/// Un achat de 70 % est exécuté, sa réponse perdue : reprendre son cash le rendrait négatif une fois l'achat trouvé.
#[test]
fn a_correction_never_takes_cash_that_an_order_in_doubt_may_have_spent() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.1))]);
    bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
    bench.world.fault(On::exchange(ORDER).method("GET"), Fault::unprocessed(Wire::Close));
    let id = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.1)), ("ETHUSDC", dec!(0.7))]);
    bench.wait_states("ETHUSDC", "unknown");
    let before = cash(&follower);
    let answer = correct(&follower, dec!(300));
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(error(&answer).contains("an order in doubt"), "{}", answer.body);
    assert_eq!(cash(&follower), before);
    // Ce que l'achat ne peut pas avoir pris reste à la personne.
    let answer = correct(&follower, dec!(900));
    assert_eq!(answer.status, 200, "{}", answer.body);
    bench.world.clear_faults();
    assert_eq!(status(&follower.site().closed_signal(&id)).0, "executed");
    assert!(cash(&follower) >= Decimal::ZERO);
    bench.check();
}
