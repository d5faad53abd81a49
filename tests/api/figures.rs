//! Les chiffres du tableau de bord : le rendement, la journée, l'écart au leader, la répartition, les marques.

use calvalot::clock;
use calvalot::domain::moment::Moment;
use calvalot::sim::{Fault, On, Wire, World};
use rust_decimal::{Decimal, dec};
use serde_json::{Value, json};

use crate::follower::{Folder, Follower, Process, Site, decimal, still_world, until};
use crate::{base, check, hourly, list, restarted_with, settled};

const DEPOSIT: &str = "/api/budget/deposit";

fn budget(site: Site) -> Value {
    site.json("/api/budget")
}

fn near(one: Decimal, other: Decimal, tolerance: Decimal) {
    assert!((one - other).abs() < tolerance, "{one} and not {other}");
}

fn book(site: Site, method: &str, body: &str) {
    let answer = site.send(method, DEPOSIT, body);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// Change le prix du BTC et attend que le suiveur le sache.
fn move_price(world: &World, site: Site, price: Decimal) {
    world.exchange().set_price("BTCUSDC", price);
    let known = || {
        let book = world.exchange().book("BTCUSDC");
        let middle = (book.bids[0].price + book.asks[0].price) / dec!(2);
        (decimal(&site.json("/api/prices")["BTCUSDC"]) == middle).then_some(())
    };
    until("the new price is read", known);
}

#[test]
fn the_return_is_that_of_the_money_that_stayed_whatever_came_and_went() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    // Ce qui vient n'est pas mis au travail : acheter coûte.
    world.leader().no_signal();
    let site = follower.site();
    let first = budget(site);
    let value = |budget: &Value| decimal(&budget["total_value_eur"]);
    let measured = |budget: &Value| decimal(&budget["return_pct"]);
    near(measured(&first), (value(&first) / dec!(1000) - dec!(1)) * dec!(100), dec!(0.000001));
    assert_eq!((&first["return_since"], &first["return_unknown"]), (&first["created_at"], &Value::Null));
    for (method, body) in [
        ("POST", r#"{"amount_eur": 0.01}"#),
        ("POST", r#"{"amount_eur": 90000}"#),
        ("PUT", r#"{"total_eur": 1000}"#),
        ("POST", r#"{"amount_eur": 2500.5}"#),
    ] {
        book(site, method, body);
        near(measured(&budget(site)), measured(&first), dec!(0.000001));
    }
    let before = value(&budget(site));
    move_price(&world, site, world.exchange().price("BTCUSDC") * dec!(1.5));
    let moved = budget(site);
    assert!(value(&moved) > before * dec!(1.02), "{moved}");
    let growth = (dec!(1) + measured(&first) / dec!(100)) * value(&moved) / before;
    near(measured(&moved), (growth - dec!(1)) * dec!(100), dec!(0.000001));
    book(site, "POST", r#"{"amount_eur": 20000}"#);
    let diluted = budget(site);
    near(measured(&diluted), measured(&moved), dec!(0.000001));
    // Le gain sur le déposé, lui, se dilue : c'est une autre question.
    assert!(decimal(&diluted["pnl_pct"]) < decimal(&moved["pnl_pct"]) / dec!(3), "{moved} {diluted}");
}

/// Ni prix, ni leader, ni cash : tout manque, et le dit.
#[test]
fn what_is_not_known_has_no_figure_and_says_why() {
    let (world, folder) = (still_world(), Folder::new());
    world.fault(On::leader(), Fault::unprocessed(Wire::Silence));
    let follower = Follower::of(&world, &folder);
    until("it answers", || follower.site().try_get("/health"));
    let nothing = budget(follower.site());
    assert_eq!(
        (&nothing["return_pct"], &nothing["return_since"], &nothing["drift_pct"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(nothing["return_unknown"], "the value is not known now");
    check("today", &nothing["today"], &[("since", "at"), ("change_eur", "null"), ("return_pct", "null")]);
    assert_eq!(nothing["allocation"], json!([{"coin": "USDC", "weight": null, "leader_weight": null}]));
    assert_eq!(follower.site().json("/api/budget/marks"), json!({"marks": []}));
}

#[test]
fn a_missing_price_takes_away_what_depends_on_it_and_nothing_else() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = restarted_with(&world, &folder, "");
    let forget = "UPDATE readings SET at = 1790000000000 WHERE what = 'price BTCUSDC'";
    base(&folder).execute_batch(forget).unwrap();
    let blind = budget(follower.site());
    for field in ["return_pct", "drift_pct"] {
        assert!(blind[field].is_null(), "{field}: {blind}");
    }
    assert_eq!(blind["return_unknown"], "the value is not known now");
    assert!(blind["today"]["change_eur"].is_null() && blind["today"]["return_pct"].is_null(), "{blind}");
    for share in blind["allocation"].as_array().unwrap() {
        assert!(share["weight"].is_null() && share["leader_weight"].is_number(), "{share}");
    }
}

/// La valeur d'un dépôt fait sans le prix du BTC est celle du dernier relevé, et se prouve.
#[test]
fn a_deposit_made_while_a_price_is_unknown_is_valued_by_the_last_snapshot() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = restarted_with(&world, &folder, "");
    let site = follower.site();
    // Ce qui est déposé n'est pas mis au travail : acheter coûte.
    world.leader().no_signal();
    let before = budget(site);
    let forget = "UPDATE readings SET at = 1790000000000 WHERE what = 'price BTCUSDC'";
    base(&folder).execute_batch(forget).unwrap();
    book(site, "POST", r#"{"amount_eur": 4000}"#);
    for word in ["paused", "resumed"] {
        assert_eq!(site.send("POST", "/api/agent/toggle", "{}").json()["status"], word);
    }
    let after = until("the price is read again", || {
        let after = budget(site);
        after["return_pct"].is_number().then_some(after)
    });
    near(decimal(&after["return_pct"]), decimal(&before["return_pct"]), dec!(0.000001));
    near(decimal(&after["total_deposited_eur"]), dec!(5000), dec!(0.01));
    let proved = || calvalot::verify::verify(&folder.db()).unwrap();
    assert_eq!(proved().differences, 0, "{}", proved().text);
    let touch = "UPDATE movements SET value_eur = value_eur + 1 WHERE valued_at <> at";
    assert_eq!(base(&folder).execute(touch, []).unwrap(), 1, "one movement is valued by a snapshot");
    assert!(proved().text.contains("FAULT file              movement 2 is valued"), "{}", proved().text);
}

#[test]
fn the_allocation_has_every_coin_held_or_aimed_at_and_the_cash_last() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let close = decimal(&budget(follower.site())["drift_pct"]);
    assert!(close >= dec!(0) && close < dec!(1), "a portfolio that has just followed: {close}");
    follower.stop();
    // Le leader vise autre chose que ce qui est tenu ; il ne sera plus suivi : le suiveur est en pause.
    base(&folder)
        .execute_batch(
            "UPDATE agent SET paused = 1;
             UPDATE leader_target SET weight = '0.25' WHERE coin = 'SOLUSDC';
             UPDATE leader_target SET weight = '0' WHERE coin = 'ETHUSDC';
             UPDATE positions SET quantity = '0', invested = '0' WHERE coin = 'XRPUSDC';",
        )
        .unwrap();
    let follower = hourly(&world, &folder);
    let budget = budget(follower.site());
    let allocation = budget["allocation"].as_array().unwrap();
    let coins: Vec<&str> = allocation.iter().filter_map(|share| share["coin"].as_str()).collect();
    assert_eq!(coins, ["BTCUSDC", "ETHUSDC", "SOLUSDC", "USDC"]);
    let fields = [("coin", "text"), ("weight", "number"), ("leader_weight", "number")];
    allocation.iter().for_each(|share| check("share", share, &fields));
    for position in list(follower.site(), "/api/positions") {
        let share = allocation.iter().find(|share| share["coin"] == position["coin"]).unwrap();
        for field in ["weight", "leader_weight"] {
            assert_eq!(share[field], position[field], "{field} of {position}");
        }
    }
    let column =
        |field: &str| -> Vec<Decimal> { allocation.iter().map(|share| decimal(&share[field])).collect() };
    let (held, aimed) = (column("weight"), column("leader_weight"));
    assert_eq!(aimed, [dec!(0.4), dec!(0), dec!(0.25), dec!(0.35)]);
    near(held.iter().sum(), dec!(1), dec!(0.0000001));
    let moved: Decimal = held.iter().zip(&aimed).map(|(held, aimed)| (held - aimed).abs()).sum();
    near(decimal(&budget["drift_pct"]), moved * dec!(50), dec!(0.000001));
    assert!(moved > dec!(0.3), "{moved}");
}

#[test]
fn the_day_is_counted_from_local_midnight_without_what_was_deposited() {
    let (world, folder) = (still_world(), Folder::new());
    // L'ouverture et un relevé de la veille, un peu avant minuit, où tout valait 800 EUR.
    let eve = clock::midnight(clock::now()).0 - 60_000;
    let rows = format!(
        "UPDATE movements SET at = {eve} - 86400000;
         UPDATE account SET created_at = {eve} - 86400000;
         INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at) VALUES
             ('700', '500', '300', '1000', {eve} - 120000), ('800', '500', '300', '1000', {eve});"
    );
    let follower = restarted_with(&world, &folder, &rows);
    let site = follower.site();
    book(site, "POST", r#"{"amount_eur": 500}"#);
    let budget = budget(site);
    let today = &budget["today"];
    check("today", today, &[("since", "at"), ("change_eur", "number"), ("return_pct", "number")]);
    let midnight = clock::utc(Moment(eve + 60_000));
    assert!(
        today["since"] == midnight.as_str() || today["since"] == clock::utc(clock::midnight(clock::now())),
        "{today}"
    );
    let value = decimal(&budget["total_value_eur"]);
    near(decimal(&today["change_eur"]), value - dec!(1300), dec!(0.000001));
    near(
        decimal(&today["return_pct"]),
        ((value - dec!(500)) / dec!(800) - dec!(1)) * dec!(100),
        dec!(0.00001),
    );
}

/// Tant qu'aucun relevé n'est fait, la journée est celle du calendrier : minuit à l'heure de `TZ`.
#[test]
fn midnight_is_that_of_the_time_zone_of_the_process() {
    for (zone, midnight) in [("<+0530>-5:30", "18:30:00"), ("<-03>3", "03:00:00")] {
        let (world, folder) = (still_world(), Folder::new());
        world.fault(On::whole_exchange(), Fault::unprocessed(Wire::Silence));
        let process = Process::with(&world, &folder, vec![("TZ", zone.to_owned())]);
        let budget = until("it answers", || process.site().try_get("/api/budget")).json();
        let since = budget["today"]["since"].as_str().unwrap();
        assert!(since.ends_with(midnight), "{zone}: {since}");
    }
}

#[test]
fn a_day_that_began_with_the_follower_counts_from_its_start() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = settled(&world, &folder);
    let budget = budget(follower.site());
    let today = &budget["today"];
    assert_eq!(today["since"], budget["return_since"]);
    assert_eq!((&today["change_eur"], &today["return_pct"]), (&budget["pnl_eur"], &budget["return_pct"]));
    assert!(!today["change_eur"].is_null(), "{budget}");
}

#[test]
fn deposits_corrections_and_withdrawals_are_marked_one_by_one_and_trades_together() {
    let (world, folder) = (still_world(), Folder::new());
    let rows = "
        INSERT INTO withdrawals (requested_eur, sold_usdc, received_eur, positions_sold, status, simulated, at)
            SELECT '20', '21', '19.5', '[]', 'completed', 1, min(at) - 3600000 FROM snapshots;
        INSERT INTO trades (signal_id, coin, side, quantity, price, amount, fee_usdc, simulated, at)
            SELECT 'initial_sync', 'BTCUSDC', 'SELL', '1', '1', '1', '0', 1, min(at) - 80000000 FROM snapshots
            UNION ALL SELECT NULL, 'BTCUSDC', 'BUY', '1', '1', '1', '0', 1, min(at) - 60000000 FROM snapshots
            UNION ALL SELECT 'unheard of', 'BTCUSDC', 'BUY', '1', '1', '1', '0', 1, min(at) - 40000000 FROM snapshots
            UNION ALL SELECT 'unheard of', 'BTCUSDC', 'BUY', '1', '1', '1', '0', 1, min(at) - 9000000000 FROM snapshots;";
    let follower = restarted_with(&world, &folder, rows);
    let site = follower.site();
    book(site, "POST", r#"{"amount_eur": 50}"#);
    book(site, "PUT", r#"{"total_eur": 1040.5}"#);
    let day = site.json("/api/budget/marks?period=1d");
    let marks = day["marks"].as_array().unwrap();
    for mark in marks {
        let fields = [
            ("kind", "deposit|correction|withdrawal|trades"),
            ("at", "at"),
            ("amount_eur", "number?"),
            ("buys", "int"),
            ("sells", "int"),
            ("signal", "int?"),
        ];
        check("mark", mark, &fields);
    }
    assert!(marks.is_sorted_by_key(|mark| mark["at"].as_str().unwrap().to_owned()), "{day}");
    let sync = site.signal("initial_sync").unwrap()["id"].clone();
    let told: Vec<Value> = marks
        .iter()
        .map(|mark| json!([mark["kind"], mark["amount_eur"], mark["buys"], mark["sells"], mark["signal"]]))
        .collect();
    let expected = [
        json!(["trades", null, 0, 1, sync]),
        json!(["trades", null, 1, 0, null]),
        json!(["trades", null, 1, 0, null]),
        json!(["withdrawal", 19.5, 0, 0, null]),
        json!(["trades", null, 2, 0, sync]),
        json!(["deposit", 50.0, 0, 0, null]),
        json!(["correction", -9.5, 0, 0, null]),
    ];
    assert_eq!(told, expected);
    let all = site.json("/api/budget/marks");
    assert_eq!(
        all["marks"].as_array().unwrap().iter().map(|mark| mark["buys"].as_u64().unwrap()).sum::<u64>(),
        5
    );
    let refused = site.get("/api/budget/marks?period=2d");
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (400, &"period must be one of 1d, 1w, 1m, 1y".into())
    );
}

#[test]
fn the_marks_are_never_more_than_six_hundred() {
    let (world, folder) = (still_world(), Folder::new());
    let rows = "
        WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 1500)
        INSERT INTO trades (signal_id, coin, side, quantity, price, amount, fee_usdc, simulated, at)
        SELECT 'x' || n, 'BTCUSDC', iif(n % 3, 'BUY', 'SELL'), '1', '1', '1', '0', 1,
            (SELECT max(at) FROM snapshots) - n * 57000 FROM n;
        WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 900)
        INSERT INTO withdrawals (requested_eur, sold_usdc, received_eur, positions_sold, status, simulated, at)
        SELECT '1', '1.1', n, '[]', 'completed', 1, (SELECT max(at) FROM snapshots) - n * 60000 FROM n;";
    let follower = restarted_with(&world, &folder, rows);
    let day = follower.site().json("/api/budget/marks?period=1d");
    let marks = day["marks"].as_array().unwrap();
    let of = |kind: &str| marks.iter().filter(|mark| mark["kind"] == kind).collect::<Vec<&Value>>();
    assert_eq!(of("withdrawal").len(), 400);
    assert_eq!(of("withdrawal")[399]["amount_eur"], 1.0, "the newest ones are shown");
    let groups = of("trades");
    assert!(groups.len() > 190 && groups.len() <= 200, "{}", groups.len());
    let count = |field: &str| groups.iter().map(|mark| mark[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!((count("buys"), count("sells")), (1002, 501), "none is lost, with the two of the sync");
    assert!(
        groups.iter().take(150).all(|mark| mark["signal"].is_null()),
        "a group of several signals has none"
    );
}

/// Une année à deux minutes, avec une semaine et une heure sans rien.
const YEAR: &str = "
    CREATE TEMP TABLE last AS SELECT max(at) AS at FROM snapshots;
    WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 262000)
    INSERT INTO snapshots (total_eur, coins_usdc, cash_usdc, deposited_eur, at)
    SELECT '1000.12345678', '500.12345678', '580.12345678', '1000', last.at - n * 120000 FROM n, last
    WHERE n NOT BETWEEN 50000 AND 55040 AND n NOT BETWEEN 100 AND 130;";

#[test]
fn a_year_of_snapshots_is_even_in_time_and_keeps_its_ends_and_its_gaps() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = restarted_with(&world, &folder, YEAR);
    let connection = base(&folder);
    let end = |function: &str| -> i64 {
        connection.query_row(&format!("SELECT {function}(at) FROM snapshots"), [], |row| row.get(0)).unwrap()
    };
    let ends = [clock::utc(Moment(end("max"))), clock::utc(Moment(end("min")))];
    for limit in [2, 3, 100, 1000, 5000] {
        let year = list(follower.site(), &format!("/api/budget/history?limit={limit}"));
        assert!(year.len() <= limit && year.len() * 3 >= limit, "{} of {limit}", year.len());
        let at = |point: &Value| point["created_at"].as_str().unwrap().to_owned();
        assert_eq!([at(&year[0]), at(&year[year.len() - 1])], ends, "{limit}: the ends are there");
        let steps = steps(&connection, &year);
        assert!(steps.iter().all(|step| *step > 0), "{limit}: newest first, each once");
        // Deux points voisins sont à moins de deux intervalles ; la semaine vide, elle, en fait plus de trois dès 1000.
        let slot = ((end("max") - end("min")) / (limit as i64 - 1) + 1).max(3_600_000);
        let wider = |times: i64| steps.iter().filter(|step| **step >= times * slot).count();
        assert!(wider(2) <= 1, "{limit}: {} holes that are none", wider(2));
        assert_eq!(wider(3), usize::from(limit >= 1000), "{limit}: the empty week");
    }
    let day = list(follower.site(), "/api/budget/history?period=1d&limit=500");
    let hole = steps(&connection, &day).into_iter().filter(|step| *step > 3 * 180_000).collect::<Vec<_>>();
    assert_eq!(hole.len(), 1, "an hour without snapshots is a gap in a day: {hole:?}");
    assert_eq!(list(follower.site(), "/api/budget/history?limit=1").len(), 1);
}

/// Les écarts entre deux points, du plus récent au plus ancien, en millisecondes.
fn steps(connection: &rusqlite::Connection, points: &[Value]) -> Vec<i64> {
    let mut statement = connection.prepare("SELECT at FROM snapshots WHERE id = ?1").unwrap();
    let at = |point: &Value| statement.query_row([point["id"].as_i64()], |row| row.get(0)).unwrap();
    let moments: Vec<i64> = points.iter().map(at).collect();
    moments.windows(2).map(|pair| pair[0] - pair[1]).collect()
}
