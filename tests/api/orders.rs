//! `GET /api/orders` et la libération d'un ordre : ce qui est montré, ce qui est refusé, ce qui en change.

use calvalot::sim::{Fault, On, Wire};
use serde_json::{Value, json};

use crate::follower::{Folder, Follower, Site, decimal, still_world, until};
use crate::live::{self, Live};
use crate::{base, check, list, settled};

const ORDER: [(&str, &str); 18] = [
    ("id", "int"),
    ("signal_id", "text"),
    ("coin", "text"),
    ("action", "BUY|SELL"),
    ("spend_usdt", "number?"),
    ("quantity", "number?"),
    ("attempt", "int"),
    ("attempts", "int"),
    ("state", "planned|sent|unknown|stuck|filled|refused|absent|abandoned"),
    ("reason", "text?"),
    ("client_id", "text?"),
    ("order_id", "int?"),
    ("doubted", "bool"),
    ("late", "bool"),
    ("needs_person", "bool"),
    ("is_simulated", "flag"),
    ("created_at", "at"),
    ("ended_at", "at?"),
];

const LOOKED: &str = r#"{"looked": true}"#;

fn order(site: Site, id: u64) -> Value {
    let orders = list(site, "/api/orders?limit=100");
    orders.into_iter().find(|order| order["id"] == id).unwrap_or_else(|| panic!("no order {id}"))
}

fn release(site: Site, id: u64) -> (u16, Value) {
    let answer = site.send("POST", &format!("/api/orders/{id}/release"), LOOKED);
    (answer.status, answer.json())
}

#[test]
fn simulated_orders_have_no_name_at_the_exchange_and_lead_to_their_trade() {
    let (world, folder) = (still_world(), Folder::new());
    let follower: Follower = settled(&world, &folder);
    let orders = list(follower.site(), "/api/orders");
    assert_eq!(orders.len(), 2);
    for order in &orders {
        check("order", order, &ORDER);
        assert_eq!(
            (&order["is_simulated"], &order["client_id"], &order["reason"]),
            (&1.into(), &Value::Null, &Value::Null)
        );
        assert_eq!((&order["state"], &order["signal_id"]), (&"filled".into(), &"initial_sync".into()));
    }
    let trades = list(follower.site(), "/api/trades");
    let of = |list: &[Value], field: &str| -> Vec<u64> {
        list.iter().filter_map(|row| row[field].as_u64()).collect()
    };
    assert_eq!(of(&trades, "order"), of(&orders, "id"), "both are newest first");
    assert_eq!(list(follower.site(), "/api/orders?limit=1").len(), 1);
}

/// La réponse se perd, l'ordre est exécuté : l'ordre fini dit encore pourquoi on a douté.
#[test]
fn an_order_in_doubt_is_shown_and_then_how_it_ended() {
    let post = || On::exchange("/api/v3/order").method("POST");
    let live = Live::start(|world| {
        world.fault(post().nth(1), Fault::processed(Wire::Reset));
    });
    let doubted = until("an order that was in doubt is filled", || {
        let orders = serde_json::from_str::<Value>(&live.site().try_get("/api/orders")?.body).ok()?;
        let ended = |order: &&Value| order["state"] == "filled" && order["doubted"] == true;
        orders.as_array()?.iter().find(ended).cloned()
    });
    check("order", &doubted, &ORDER);
    assert!(doubted["reason"].is_string() && doubted["order_id"].is_u64(), "{doubted}");
    live.site().closed_signal("initial_sync");
    let connection = base(&live.folder);
    for order in list(live.site(), "/api/orders") {
        check("order", &order, &ORDER);
        let (spend, name): (String, String) = connection
            .query_row("SELECT spend, client_id FROM intents WHERE id = ?1", [order["id"].as_i64()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(decimal(&order["spend_usdt"]), spend.parse().unwrap());
        assert_eq!((&order["client_id"], &order["is_simulated"]), (&name.into(), &0.into()));
        assert_eq!(
            (&order["attempt"], &order["attempts"], &order["late"]),
            (&1.into(), &2.into(), &false.into())
        );
    }
    let trades = list(live.site(), "/api/trades");
    assert!(trades.len() == 2 && trades.iter().all(|trade| trade["is_simulated"] == 0), "{trades:?}");
}

#[test]
fn what_needs_a_person_comes_first_and_is_released_once() {
    let live = Live::settled_with(live::ROWS);
    let orders = list(live.site(), "/api/orders");
    let ids: Vec<u64> = orders.iter().filter_map(|order| order["id"].as_u64()).collect();
    assert_eq!(ids, [92, 91, 93, 2, 1]);
    let needs: Vec<bool> = orders.iter().filter_map(|order| order["needs_person"].as_bool()).collect();
    assert_eq!(needs, [true, true, false, false, false]);
    let stuck = &orders[1];
    assert_eq!((&stuck["attempt"], decimal(&stuck["spend_usdt"]).to_string().as_str()), (&2.into(), "30.5"));
    assert!(stuck["ended_at"].is_null() && stuck["quantity"].is_null(), "{stuck}");

    let (status, done) = release(live.site(), 92);
    assert_eq!((status, &done["ok"], &done["state"]), (200, &true.into(), &"filled".into()), "{done}");
    assert_eq!(order(live.site(), 92)["late"], false);
    let (status, done) = release(live.site(), 91);
    assert_eq!((status, &done["state"]), (200, &"absent".into()), "{done}");
    assert!(done["outcome"].as_str().is_some_and(|text| !text.is_empty()));
    assert_eq!(order(live.site(), 91)["state"], "absent");
    for id in [1, 91, 92, 93] {
        let (status, refusal) = release(live.site(), id);
        assert_eq!(status, 409, "{id}: {refusal}");
    }
    let (status, refusal) = release(live.site(), 94);
    assert_eq!((status, &refusal), (404, &json!({"error": "there is no order 94"})));
}

#[test]
fn nothing_is_released_while_the_exchange_cannot_be_asked() {
    let live = Live::settled_with(live::ROWS);
    live.world.fault(On::whole_exchange(), Fault::unprocessed(Wire::Close));
    let (status, refusal) = release(live.site(), 91);
    assert_eq!(status, 503, "{refusal}");
    assert_eq!(order(live.site(), 91)["state"], "stuck");
}
