//! `GET /api/orders` et la libération d'un ordre : ce qui est montré, ce qui est refusé, ce qui en change.

use calvalot::sim::{Fault, On, Reply, Wire};
use rust_decimal::dec;
use serde_json::{Value, json};

use crate::follower::{Folder, Follower, Site, decimal, still_world, until};
use crate::live::{self, Live};
use crate::{base, check, list, settled};

const ORDER: [(&str, &str); 21] = [
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
    ("by_hand", "booked|settled?"),
    ("is_simulated", "flag"),
    ("created_at", "at"),
    ("ended_at", "at?"),
    ("age_seconds", "int"),
    ("ways", "list"),
];

const LOOKED: &str = r#"{"looked": true}"#;

fn order(site: Site, id: u64) -> Value {
    let orders = list(site, "/api/orders?limit=100");
    orders.into_iter().find(|order| order["id"] == id).unwrap_or_else(|| panic!("no order {id}"))
}

fn release(site: Site, id: u64) -> (u16, Value) {
    post(site, id, "release", LOOKED)
}

fn post(site: Site, id: u64, way: &str, body: &str) -> (u16, Value) {
    let answer = site.send("POST", &format!("/api/orders/{id}/{way}"), body);
    (answer.status, answer.json())
}

/// Ce qu'une personne peut faire de cet ordre, et ce qui s'ensuivra.
fn ways(order: &Value) -> Vec<(&str, &str)> {
    let ways = order["ways"].as_array().expect("a list").iter();
    let ways = ways.map(|way| {
        check("way", way, &[("way", "release|book|settle|acknowledge"), ("consequence", "text")]);
        (way["way"].as_str().expect("a word"), way["consequence"].as_str().expect("a sentence"))
    });
    ways.collect()
}

fn words(order: &Value) -> Vec<&str> {
    ways(order).into_iter().map(|(word, _)| word).collect()
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
    assert_eq!(words(&orders[0]), ["acknowledge"]);
    assert_eq!(words(stuck), ["release", "book", "settle"]);
    assert!(orders[2..].iter().all(|order| words(order).is_empty()), "{orders:?}");
    assert!(stuck["age_seconds"].as_u64().is_some_and(|age| age > 86_400), "{stuck}");
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

/// Une personne le booke tel que la page de la bourse le montre, en texte ou en nombres ; ce qui ne peut pas être cet ordre
/// est refusé avec une phrase, et rien ne change.
#[test]
fn a_stuck_order_is_booked_by_hand_as_the_exchange_shows_it() {
    let live = Live::settled_with(live::ROWS);
    let price = live.world.exchange().price("SOLUSDC");
    let quantity = (dec!(30) / price).round_dp(3);
    let body = |quantity: &str, usdc: &str, fee: &str| {
        format!(r#"{{"quantity": {quantity}, "usdc": {usdc}, "fee": {fee}, "fee_asset": "USDC"}}"#)
    };
    let shown = format!("\"{quantity}\"");
    for (body, status, said) in [
        (body(&shown, "\"31\"", "\"0\""), 409, "was to spend 30.5 USDC, and 31 is more"),
        (body("\"500\"", "\"30\"", "\"0\""), 409, "check quantity and usdc"),
        (body("0", "\"30\"", "0"), 409, "above 0"),
        (body(&shown, "\"30\"", "30"), 409, "more than was traded"),
        (body("\"a lot\"", "\"30\"", "0"), 400, "quantity must be a number"),
        (body(&shown, "null", "0"), 400, "usdc must be a number"),
        (r#"{"quantity": "1"}"#.to_owned(), 400, "must be JSON like"),
        (r#"{"quantity": "1", "usdc": "1", "price": "1"}"#.to_owned(), 400, "must be JSON like"),
        (LOOKED.to_owned(), 400, "must be JSON like"),
    ] {
        let (found, refusal) = post(live.site(), 91, "book", &body);
        let told = refusal["error"].as_str().unwrap_or_default().to_owned();
        assert!(found == status && told.contains(said), "{body}: {found} {refusal}");
        assert_eq!(order(live.site(), 91)["state"], "stuck");
    }
    let (status, done) = post(live.site(), 91, "book", &body(&shown, "29.99", "\"0.03\""));
    assert_eq!((status, &done["ok"], &done["state"]), (200, &true.into(), &"filled".into()), "{done}");
    let booked = order(live.site(), 91);
    check("order", &booked, &ORDER);
    assert_eq!((&booked["by_hand"], &booked["reason"]), (&"booked".into(), &"booked by hand".into()));
    assert!(ways(&booked).is_empty() && booked["needs_person"] == false, "{booked}");
    let trade = &list(live.site(), "/api/trades?limit=1")[0];
    assert_eq!((&trade["order"], &trade["coin"]), (&91.into(), &"SOLUSDC".into()));
    assert_eq!(
        [&trade["quantity"], &trade["amount_usdt"], &trade["fee_usdt"]].map(decimal),
        [quantity.normalize(), dec!(29.99), dec!(0.03)]
    );
    for (id, way, body) in [
        (91, "book", body(&shown, "30", "0")),
        (91, "settle", LOOKED.to_owned()),
        (1, "settle", LOOKED.to_owned()),
    ] {
        let (status, refusal) = post(live.site(), id, way, &body);
        assert_eq!(status, 409, "{id} {way}: {refusal}");
    }
    assert_eq!(post(live.site(), 94, "book", &body(&shown, "30", "0")).0, 404);
}

#[test]
fn a_stuck_order_is_settled_without_the_exchange_and_nothing_is_booked() {
    let live = Live::settled_with(live::ROWS);
    live.world.fault(On::whole_exchange(), Fault::unprocessed(Wire::Close));
    let trades = list(live.site(), "/api/trades").len();
    assert_eq!(post(live.site(), 91, "settle", r#"{"looked": false}"#).0, 400);
    let (status, done) = post(live.site(), 91, "settle", LOOKED);
    assert_eq!((status, &done["state"]), (200, &"absent".into()), "{done}");
    let settled = order(live.site(), 91);
    assert_eq!((&settled["by_hand"], settled["ways"].as_array().map(Vec::len)), (&"settled".into(), Some(0)));
    assert!(settled["reason"].as_str().is_some_and(|reason| reason.contains("a person settled it")));
    assert_eq!(list(live.site(), "/api/trades").len(), trades);
}

/// Ce que la bourse dit ne se compte pas : la personne l'apprend, avec ce qu'elle peut faire d'autre, et le fait.
#[test]
fn a_release_that_cannot_be_counted_says_what_else_a_person_can_do() {
    let live = Live::settled_with(live::ROWS);
    live.world.fault(On::exchange("/api/v3/order").method("GET"), Fault::unprocessed(Wire::Close));
    let (status, refusal) = release(live.site(), 91);
    let told = refusal["error"].as_str().unwrap_or_default();
    assert!(status == 503 && told.contains("book it") && told.contains("settle it"), "{status} {refusal}");
    live.world.clear_faults();
    // Le premier achat de BTC, sous le nom de cet ordre : il est là, et n'est pas lui.
    let name = base(&live.folder)
        .query_row("SELECT client_id FROM intents WHERE id = 1", [], |row| row.get::<_, String>(0))
        .unwrap();
    let another = [("\"side\":\"BUY\"", "\"side\":\"SELL\"")];
    base(&live.folder)
        .execute_batch(&format!(
            "UPDATE intents SET client_id = 'gone' WHERE id = 1;
             UPDATE intents SET client_id = '{name}', coin = 'BTCUSDC' WHERE id = 91;"
        ))
        .unwrap();
    for (from, to) in another {
        let wire = Wire::Rewrite { from: from.to_owned(), to: to.to_owned() };
        live.world.fault(On::exchange("/api/v3/order").method("GET"), Fault::processed(wire));
    }
    let (status, refusal) = release(live.site(), 91);
    let told = refusal["error"].as_str().unwrap_or_default();
    assert!(
        status == 409 && told.contains("cannot be counted") && told.contains("settle it"),
        "{status} {refusal}"
    );
    assert_eq!(order(live.site(), 91)["state"], "stuck");
    assert_eq!(post(live.site(), 91, "settle", LOOKED).0, 200);
}

/// Fini sans rien échanger, il y a si longtemps que la bourse l'a archivé : libéré, il est fini.
#[test]
fn an_order_that_the_exchange_archived_can_be_released() {
    let live = Live::settled_with(live::ROWS);
    let archived = Reply::code(400, -2026, "Order was archived.");
    live.world.fault(On::exchange("/api/v3/order").method("GET"), Fault::answer(archived));
    let (status, done) = release(live.site(), 91);
    assert_eq!((status, &done["state"]), (200, &"abandoned".into()), "{done}");
    assert!(order(live.site(), 91)["reason"].as_str().is_some_and(|reason| reason.contains("archived")));
}

/// Un ordre bloqué d'une action vieille de semaines : ce que dit la libération est ce qui se fait.
#[test]
fn a_release_tells_by_its_age_whether_the_order_would_be_sent_again() {
    const OLD: &str = r#"
        INSERT INTO signals (id, signal_id, version, reasoning, actions, payload, status, received_at) VALUES
            (90, 'old', 1, '', '[]', '{"signal_id": "old", "actions": [{"coin": "SOLUSDC", "action": "BUY",
                "pct_of_capital": 0.03}]}', 'received', 1790000000000);
        INSERT INTO intents (id, signal, coin, side, spend, quantity, attempt, state, client_id, stamped_at, window,
            created_at) VALUES
            (95, 90, 'SOLUSDC', 'BUY', '30.5', NULL, 1, 'stuck', 'cal-x-95-1', 1790000000000, 5000, 1790000000000);"#;
    let live = Live::settled_with(OLD);
    let stuck = order(live.site(), 95);
    let told = ways(&stuck)[0].1.to_owned();
    assert!(told.contains("given up, not sent again") && told.contains("days old"), "{told}");
    let sent = live.world.exchange().accepted_orders().len();
    assert_eq!(release(live.site(), 95).0, 200);
    let closed = live.site().closed_signal("old");
    let reason = closed["error_message"].as_str().unwrap_or_default();
    assert!(closed["status"] == "skipped" && reason.contains("days old"), "{closed}");
    assert_eq!(live.world.exchange().accepted_orders().len(), sent);
}

/// Ce qui attend quelqu'un est aussi parmi toutes les issues, et suivre l'une d'elles à la lettre suffit.
#[test]
fn an_order_that_needs_a_person_is_ended_by_the_ways_that_are_listed() {
    let live = Live::settled_with(live::ROWS);
    let site = live.site();
    let named = |name: &str| list(site, "/api/ways").into_iter().find(|way| way["name"] == name);
    let follow = |name: &str, fields: Value| {
        let way = named(name).unwrap_or_else(|| panic!("there is no {name}"));
        let mut body = way["body"].as_object().expect("an object").clone();
        body.extend(fields.as_object().expect("an object").clone());
        site.send("POST", way["path"].as_str().expect("a path"), &Value::Object(body).to_string())
    };
    for name in ["release-91", "book-91", "settle-91", "acknowledge-92"] {
        let way = named(name).unwrap_or_else(|| panic!("there is no {name}"));
        check(
            "way",
            &way,
            &[
                ("name", "text"),
                ("about", "text"),
                ("consequence", "text"),
                ("method", "POST|PUT"),
                ("path", "text"),
                ("body", "object"),
                ("needs", "list"),
                ("takes", "list"),
            ],
        );
        let consequence = order(site, name[name.len() - 2..].parse().expect("a number"));
        assert!(ways(&consequence).iter().any(|(_, told)| way["consequence"] == **told), "{way}");
    }
    // Ce qu'ils retiennent, là où il est dit ce qui est suivi.
    let now = || named("pause").expect("it can be paused")["about"].as_str().unwrap_or_default().to_owned();
    assert!(now().contains(", but buys nothing: order 92 waits for you"), "{}", now());
    assert_eq!(follow("acknowledge-92", json!({})).status, 200);
    assert!(now().contains(", but not in SOL: order 91 waits for you"), "{}", now());
    let book = named("book-91").expect("it is there");
    assert_eq!(book["needs"], json!(["quantity", "usdc"]));
    let booked =
        follow("book-91", json!({"quantity": "0.2", "usdc": "30.5", "fee": "0.03", "fee_asset": "USDC"}));
    assert_eq!(booked.status, 200, "{}", booked.body);
    assert!(named("book-91").is_none() && named("acknowledge-92").is_none());
}
