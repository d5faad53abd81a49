//! Reprendre de l'argent, et tout vendre, sur un compte réel : rien n'est compté avant d'être parti, ni deux fois ; rien
//! n'est vendu deux fois, quel que soit l'instant où le programme meurt ; le leader n'en défait rien.

use calvalot::sim::{Fault, Lag, On, Reply, Status, View, Wire};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

use crate::books::number;
use crate::follower::{Process, Site, decimal, until};
use crate::{Bench, ORDER, together};

const PATH: &str = "/api/budget/withdrawals";
const SELL_ALL: &str = "/api/agent/sell-all";
const UNDERSTOOD: &str = r#"{"understood": true}"#;
const TAKEN: &str = "SELECT count(*) FROM movements WHERE kind = 'withdrawal'";

fn ask(site: Site, eur: u32) -> Value {
    let answer = site.send("POST", PATH, &format!(r#"{{"amount_eur": {eur}}}"#));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// Attend que le dernier retrait en soit là.
fn reached(site: Site, status: &str) -> Value {
    until(&format!("the withdrawal is {status}"), || {
        let newest = serde_json::from_str::<Value>(&site.try_get(PATH)?.body).ok()?["withdrawals"][0].clone();
        (newest["status"] == status).then_some(newest)
    })
}

/// Une personne sort cet argent du compte.
fn take_out(bench: &mut Bench, usdc: Decimal) {
    let held = bench.exchange().balance("USDC").free;
    bench.exchange().set_balance("USDC", held - usdc);
    // Ce que le compte tenait au départ ne s'y compte plus.
    bench.start.entry("USDC".to_owned()).or_default().free -= usdc;
}

/// Ce que le leader voit suivi : le cash des livres, moins ce qui est mis de côté.
fn spendable(site: Site) -> Decimal {
    let budget = site.json("/api/budget");
    decimal(&budget["cash_usdt"]) - decimal(&budget["set_aside_usdc"])
}

#[test]
fn a_withdrawal_is_not_booked_before_it_is_gone_nor_twice_and_nothing_is_bought_with_it() {
    let mut bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.5)), ("ETHUSDC", dec!(0.3))]);
    let site = follower.site();
    let value = decimal(&site.json("/api/budget")["total_value_eur"]);
    let told = ask(site, 600);
    let open = reached(site, "set_aside");
    let aside = decimal(&open["set_aside_usdc"]);
    assert_eq!(aside, decimal(&told["amount_usdc"]));
    assert!(decimal(&open["amount_usdt_sold"]) < aside, "the cash comes first: {open}");
    bench.check();
    // Ce qui est mis de côté reste à la personne, et ne s'investit pas.
    assert!((decimal(&site.json("/api/budget")["total_value_eur"]) - value).abs() < dec!(2));
    bench.reach(&follower, &[("SOLUSDC", dec!(0.98))]);
    site.wait_polls(3);
    assert!(spendable(site) >= Decimal::ZERO, "bought with money set aside");
    assert_eq!(number(&bench.books(), TAKEN), 0, "booked before it is gone");
    let again = site.send("POST", PATH, r#"{"amount_eur": 5}"#);
    assert_eq!((again.status, again.body.contains("still open")), (409, true), "{}", again.body);
    take_out(&mut bench, aside);
    let done = reached(site, "completed");
    assert_eq!((decimal(&done["taken_usdc"]), &done["can_cancel"]), (aside, &false.into()));
    assert!((decimal(&done["amount_eur_received"]) - dec!(600)).abs() < dec!(0.01), "{done}");
    site.wait_polls(4);
    assert_eq!(number(&bench.books(), TAKEN), 1);
    let deposited = decimal(&site.json("/api/budget")["total_deposited_eur"]);
    assert!((deposited - dec!(400)).abs() < dec!(0.01), "{deposited}");
    bench.check_settled();
    // Et ce qui reste suit le leader.
    bench.reach(&follower, &[("BTCUSDC", dec!(0.5))]);
    bench.check_settled();
}

/// Le compte se lit en retard de quelques tours : ce que la vente a rapporté n'y est pas encore, et n'est pas parti.
#[test]
fn what_a_late_account_does_not_show_yet_is_not_booked_as_taken_out() {
    let mut bench = Bench::holding(&[("USDC", dec!(1082.40))]);
    let follower = bench.settled(&[("BTCUSDC", dec!(0.5)), ("ETHUSDC", dec!(0.3)), ("XRPUSDC", dec!(0.19))]);
    let site = follower.site();
    bench.exchange().set_lag(View::Account, Lag::Reads(4));
    ask(site, 200);
    let open = reached(site, "set_aside");
    site.wait_polls(12);
    assert_eq!(number(&bench.books(), TAKEN), 0, "nobody took anything: {}", site.json(PATH));
    let aside = decimal(&open["set_aside_usdc"]);
    take_out(&mut bench, aside);
    assert_eq!(decimal(&reached(site, "completed")["taken_usdc"]), aside);
    bench.exchange().set_lag(View::Account, Lag::None);
    bench.check_settled();
}

/// Le dernier retrait, une fois que cela en est vu parti.
fn seen_taken(site: Site, wanted: Decimal) -> Value {
    until(&format!("{wanted} is seen taken"), || {
        let newest = site.json(PATH)["withdrawals"][0].clone();
        (decimal(&newest["taken_usdc"]) == wanted).then_some(newest)
    })
}

/// Où le compte ne tient que le capital, une part partie ne peut être que de lui.
#[test]
fn a_part_taken_out_is_booked_and_the_rest_waits() {
    let mut bench = Bench::holding(&[("USDC", dec!(1100))]);
    bench.exchange().set_price("EURUSDC", dec!(1.10));
    let follower = bench.settled(&[("BTCUSDC", dec!(0.9))]);
    let site = follower.site();
    ask(site, 500);
    let aside = decimal(&reached(site, "set_aside")["set_aside_usdc"]);
    assert_eq!(aside, aside.trunc_with_scale(2), "what a person takes out are whole cents");
    take_out(&mut bench, dec!(100));
    let part = seen_taken(site, dec!(100));
    assert_eq!((&part["status"], decimal(&part["set_aside_usdc"])), (&"set_aside".into(), aside - dec!(100)));
    // Moins d'un USDC : personne ne le sortirait.
    take_out(&mut bench, aside - dec!(100.7));
    let done = reached(site, "completed");
    assert_eq!(decimal(&done["taken_usdc"]), aside - dec!(0.7), "{done}");
    assert_eq!(number(&bench.books(), TAKEN), 2);
    bench.check_settled();
}

/// Où il tient d'autre argent, seul le montant, tout entier, le dit ; ou la personne.
#[test]
fn what_is_taken_out_beside_other_money_is_told_by_its_amount_or_by_the_person_and_by_nothing_else() {
    let mut bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.9))]);
    let site = follower.site();
    ask(site, 500);
    let aside = decimal(&reached(site, "set_aside")["set_aside_usdc"]);
    // Ses ventes ont changé les livres : rien ne se dépose avant que le compte leur soit de nouveau comparé.
    site.wait_polls(2);
    // Un dépôt pris dans ce que le compte tient d'autre n'est pas un retrait.
    assert_eq!(site.send("POST", "/api/budget/deposit", r#"{"amount_eur": 100}"#).status, 200);
    site.wait_polls(4);
    seen_taken(site, dec!(0));
    // De l'argent d'un autre usage arrive, puis s'en va, en plus petit ou en plus grand que ce qui est attendu.
    for others in [dec!(-300), dec!(150), dec!(700)] {
        take_out(&mut bench, others);
        site.wait_polls(4);
        seen_taken(site, dec!(0));
    }
    take_out(&mut bench, aside + dec!(0.01));
    seen_taken(site, aside);
    reached(site, "completed");
    assert_eq!(number(&bench.books(), TAKEN), 1);
    // Celui-ci se confond avec une dépense de la personne, qui dit l'avoir sorti.
    let id = ask(site, 100)["id"].clone();
    let aside = decimal(&reached(site, "set_aside")["set_aside_usdc"]);
    take_out(&mut bench, aside + dec!(60));
    site.wait_polls(4);
    seen_taken(site, dec!(0));
    let path = format!("{PATH}/{id}/taken");
    assert_eq!(site.send("POST", &path, r#"{"taken_out": false}"#).status, 400);
    let told = site.send("POST", &path, r#"{"taken_out": true}"#);
    assert_eq!(
        (told.status, &told.json()["withdrawal"]["status"]),
        (200, &"completed".into()),
        "{}",
        told.body
    );
    assert_eq!(site.send("POST", &path, r#"{"taken_out": true}"#).status, 409, "it is done once");
    site.wait_polls(3);
    assert_eq!(number(&bench.books(), TAKEN), 2);
    bench.check_settled();
}

/// À côté d'autre argent, une part sortie ne se voit pas ; dite, elle est notée, et de ce qui reste rien n'est pris à l'autre
/// argent.
#[test]
fn a_part_said_to_be_taken_is_booked_alone_and_the_money_of_another_use_is_never_invested() {
    let mut bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.9))]);
    let site = follower.site();
    let beyond = |bench: &Bench| {
        bench.exchange().balance("USDC").free - decimal(&site.json("/api/budget")["cash_usdt"])
    };
    let before = beyond(&bench);
    let id = ask(site, 100)["id"].clone();
    let aside = decimal(&reached(site, "set_aside")["set_aside_usdc"]);
    take_out(&mut bench, dec!(60));
    site.wait_polls(4);
    seen_taken(site, dec!(0));
    let say = |body: &str| site.send("POST", &format!("{PATH}/{id}/taken"), body);
    for refused in [r#""usdc": 0"#, r#""usdc": "-1""#, r#""usdc": "a""#, r#""usdc": null, "eur": 3"#] {
        let answer = say(&format!("{{\"taken_out\": true, {refused}}}"));
        assert_eq!(answer.status, 400, "{refused}: {}", answer.body);
    }
    let more = say(&format!(r#"{{"taken_out": true, "usdc": "{}"}}"#, aside + dec!(0.01)));
    assert_eq!((more.status, more.body.contains("still to be taken out")), (409, true), "{}", more.body);
    let told = say(r#"{"taken_out": true, "usdc": "60"}"#);
    let withdrawal = &told.json()["withdrawal"];
    assert_eq!((told.status, &withdrawal["status"]), (200, &"completed".into()), "{}", told.body);
    assert_eq!(decimal(&withdrawal["taken_usdc"]), dec!(60));
    assert_eq!(say(r#"{"taken_out": true, "usdc": "1"}"#).status, 409, "it is done once");
    // Le reste suit de nouveau le leader, et lui seul.
    bench.reach(&follower, &[("BTCUSDC", dec!(0.98))]);
    bench.check_settled();
    assert_eq!(beyond(&bench), before);
}

/// Sur un compte qui ne tient que le capital, ce qui en est parti avant d'être demandé manque aux livres : le demander
/// ensuite le note, et rien n'est bloqué.
#[test]
fn money_that_was_taken_out_before_it_was_asked_for_is_noted_by_asking_and_stops_nothing() {
    let mut bench = Bench::holding(&[("USDC", dec!(1100))]);
    bench.exchange().set_price("EURUSDC", dec!(1.10));
    let follower = bench.settled(&[("BTCUSDC", dec!(0.5))]);
    let site = follower.site();
    take_out(&mut bench, dec!(330));
    site.wait_polls(3);
    assert_eq!(number(&bench.books(), TAKEN), 0, "nobody asked for it");
    assert_eq!(decimal(&ask(site, 300)["amount_usdc"]), dec!(330));
    let done = reached(site, "completed");
    assert_eq!(decimal(&done["taken_usdc"]), dec!(330));
    assert_eq!(bench.reach(&follower, &[("BTCUSDC", dec!(0.6))])["status"], "executed");
    let budget = site.json("/api/budget");
    assert!((decimal(&budget["total_deposited_eur"]) - dec!(700)).abs() < dec!(0.01), "{budget}");
    bench.check_settled();
}

#[test]
fn what_is_called_off_is_invested_again_and_never_booked() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.9))]);
    let site = follower.site();
    let id = ask(site, 500)["id"].clone();
    reached(site, "set_aside");
    let cancel = || site.send("POST", &format!("{PATH}/{id}/cancel"), "{}");
    let answer = cancel();
    assert_eq!((answer.status, &answer.json()["withdrawal"]["status"]), (200, &"cancelled".into()));
    assert_eq!(cancel().status, 409);
    // Son signal ne dit pas exécuté ce que la liste dit révoqué.
    let signal = site.closed_signal(&format!("withdrawal-{id}"));
    let told = (&signal["status"], &signal["error_message"], &signal["executed_at"]);
    assert_eq!(told, (&"skipped".into(), &"called off by a person".into(), &Value::Null));
    assert_eq!(decimal(&site.json("/api/budget")["set_aside_usdc"]), Decimal::ZERO);
    bench.reach(&follower, &[("BTCUSDC", dec!(0.91))]);
    assert!(spendable(site) < dec!(120), "{}", spendable(site));
    assert_eq!(number(&bench.books(), TAKEN), 0);
    bench.check_settled();
}

/// Le cash que l'ordre en doute a peut-être dépensé n'est promis à personne.
#[test]
fn what_an_order_in_doubt_may_have_spent_is_not_promised() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.2))]);
    let site = follower.site();
    bench.strike(|on| on.nth(1), Fault::unprocessed(Wire::Reset));
    bench.world.leader().set_target(&[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.7))]);
    bench.wait_states("ETHUSDC", "unknown");
    let answer = site.send("POST", PATH, r#"{"amount_eur": 900}"#);
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body.contains("an order in doubt may have spent"), "{}", answer.body);
    // De tout reprendre, la valeur est dite entière, ce doute compris.
    let all = site.send("POST", PATH, r#"{"all": true, "preview": true}"#).json();
    let (asked, value) =
        (all["amount_eur"].as_f64().unwrap(), site.json("/api/budget")["total_value_eur"].clone());
    assert!((asked - value.as_f64().unwrap()).abs() < 0.1, "{all} of {value}");
    assert!(all["amount_usdc"].as_f64().unwrap() < asked, "what may be spent is not promised: {all}");
    ask(site, 250);
    // Le cash est peut-être dépensé : il faut vendre, et rien n'est offert à prendre tant que ce n'est pas su.
    until("it is sold for", || (bench.orders("BTCUSDC").len() == 2).then_some(()));
    site.wait_polls(3);
    assert_eq!(site.json(PATH)["withdrawals"][0]["status"], "selling");
    assert_eq!(bench.orders("BTCUSDC").len(), 2, "sold twice");
    bench.check();
    // Révoqué avant d'être offert : rien n'en reste, que du cash.
    let id = site.json(PATH)["withdrawals"][0]["id"].clone();
    assert_eq!(site.send("POST", &format!("{PATH}/{id}/cancel"), "{}").status, 200);
    let closed = site.closed_signal(&format!("withdrawal-{id}"));
    assert_eq!(closed["status"], "skipped", "{closed}");
    site.wait_polls(3);
    assert_eq!(bench.orders("BTCUSDC").len(), 2, "sold though it was called off");
    assert_eq!(site.json("/api/budget")["set_aside_usdc"], 0.0);
}

#[test]
fn an_order_in_doubt_is_sold_with_the_rest_once_it_is_known() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.2))]);
    let site = follower.site();
    bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
    bench.world.fault(On::exchange(ORDER).method("GET"), Fault::unprocessed(Wire::Reset));
    bench.world.leader().set_target(&[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.7))]);
    bench.wait_states("ETHUSDC", "unknown");
    assert_eq!(site.send("POST", SELL_ALL, UNDERSTOOD).status, 200);
    let waits = |one: &Value| one["waiting_for"].as_str().is_some_and(|text| text.contains("in doubt"));
    let selling = || Some(site.json("/api/agent/status")["selling_all"].clone());
    until("it waits for the doubt", || selling().filter(waits));
    bench.world.clear_faults();
    until("all is sold", || selling().filter(|one| one["done"] == true));
    assert_eq!(bench.exchange().balance("ETH").free.round_dp(3), Decimal::ZERO);
    bench.check_settled();
}

/// Ce qui reste d'une vente d'avant n'est pas « plus près de la cible qu'un pas » : c'est de la poussière, partout.
#[test]
fn dust_is_called_dust_by_the_decision_and_by_what_is_left() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.2))]);
    let site = follower.site();
    bench.reach(&follower, &[("ETHUSDC", dec!(0.3))]);
    assert!(bench.exchange().balance("BTC").free > Decimal::ZERO, "no dust is left");
    assert_eq!(site.send("POST", SELL_ALL, UNDERSTOOD).status, 200);
    let selling = || Some(site.json("/api/agent/status")["selling_all"].clone());
    let done = until("all is sold", || selling().filter(|one| one["done"] == true));
    let left = done["left"].as_array().unwrap().iter().find(|left| left["coin"] == "BTCUSDC").unwrap();
    assert_eq!(left["code"], "dust", "{done}");
    let id = bench.told("SELECT signal_id FROM signals WHERE signal_id LIKE 'sell-all-%'");
    assert_eq!(crate::code(&site.closed_signal(&id), "BTCUSDC"), "dust");
    assert_eq!(
        site.json("/api/budget")["positions_count"],
        site.json("/api/positions").as_array().unwrap().len()
    );
}

/// Ce qu'une vente en doute rendra n'est pas demandé aux autres positions.
#[test]
fn a_sale_in_doubt_is_not_made_up_for_by_another() {
    let bench = bench();
    let follower = bench.follow();
    let site = follower.site();
    site.closed_signal("initial_sync");
    site.wait_polls(2);
    bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
    bench.world.fault(On::exchange(ORDER).method("GET"), Fault::unprocessed(Wire::Reset));
    ask(site, 700);
    until("one sale is in doubt", || {
        (!bench.told("SELECT state FROM intents WHERE state = 'unknown'").is_empty()).then_some(())
    });
    site.wait_polls(5);
    let sold = || bench.exchange().accepted_orders().len() - 2;
    assert_eq!(sold(), 2, "the other position made up for it");
    bench.world.clear_faults();
    reached(site, "set_aside");
    site.wait_polls(2);
    assert_eq!(sold(), 2);
    bench.check_settled();
}

/// Un carnet trop court n'en prend qu'une part, une paire arrêtée rien : le reste est vendu ensuite.
#[test]
fn what_could_not_be_sold_at_once_is_sold_later() {
    let bench = Bench::new();
    let follower = bench.settled(&[("BTCUSDC", dec!(0.4)), ("SOLUSDC", dec!(0.4))]);
    let site = follower.site();
    let sol = bench.exchange().price("SOLUSDC");
    let full = bench.exchange().book("SOLUSDC");
    let mut thin = full.clone();
    thin.bids = crate::levels(&[(sol - dec!(0.01), dec!(1))]);
    bench.exchange().set_book("SOLUSDC", thin);
    bench.exchange().set_status("BTCUSDC", Status::Halt);
    site.wait_polls(3);
    assert_eq!(site.send("POST", SELL_ALL, UNDERSTOOD).status, 200);
    until("a part is sold", || (bench.orders("SOLUSDC").len() > 1).then_some(()));
    bench.exchange().set_book("SOLUSDC", full);
    bench.exchange().set_status("BTCUSDC", Status::Trading);
    let selling = || Some(site.json("/api/agent/status")["selling_all"].clone());
    until("all is sold", || selling().filter(|one| one["done"] == true));
    for (asset, step) in [("BTC", dec!(0.00001)), ("SOL", dec!(0.001))] {
        assert!(bench.exchange().balance(asset).free < step, "{asset}");
    }
    bench.check_settled();
}

/// Un rien qui part pendant qu'un retrait vend encore n'arrête ni les ventes, ni le reste.
#[test]
fn dust_that_goes_while_a_withdrawal_sells_stops_nothing() {
    let bench = Bench::holding(&[("USDC", dec!(1250))]);
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.3))]);
    let site = follower.site();
    bench.exchange().set_status("SOLUSDC", Status::Halt);
    let all = site.send("POST", "/api/budget/withdrawals", r#"{"all": true, "understood": true}"#);
    assert_eq!(all.status, 200, "{}", all.body);
    until("BTC is sold", || (bench.exchange().accepted_orders().len() == 3).then_some(()));
    // Atteinte auparavant, l'allocation ne l'est plus.
    let target = site.json("/api/agent/status")["target"].clone();
    assert!(target["reached_at"].is_null() && target.to_string().contains("being taken out"), "{target}");
    bench.exchange().set_balance("USDC", bench.exchange().balance("USDC").free - dec!(0.4));
    let polls = site.polls();
    site.wait_polls(5);
    assert!(site.polls() > polls);
    assert_eq!(site.get("/health").status, 200, "{}", site.get("/health").body);
    let added = site.send("POST", "/api/budget/deposit", r#"{"amount_eur": 20}"#);
    assert!(added.status == 409 && added.body.contains("would go with it"), "{}", added.body);
    bench.exchange().set_status("SOLUSDC", Status::Trading);
    let gathered = reached(site, "set_aside");
    assert!(decimal(&gathered["set_aside_usdc"]) > dec!(1000), "{gathered}");
    assert_eq!(bench.exchange().accepted_orders().len(), 4);
}

/// Où le coup tombe.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// La demande est écrite, rien n'en est fait.
    Asked,
    /// Les ventes sont exécutées, aucune réponse n'est revenue.
    Executed,
    /// L'exécution ne s'écrit pas.
    Unwritten,
    /// Tout est vendu, le souhait n'est pas clos.
    Open,
    /// Parti du compte, pas encore compté.
    Gone,
}

const BLOWS: [Blow; 4] = [Blow::Asked, Blow::Executed, Blow::Unwritten, Blow::Open];

fn block(bench: &Bench, when: &str) {
    let fails = "BEGIN SELECT RAISE(FAIL, 'blocked by a test'); END";
    bench.books().execute_batch(&format!("CREATE TRIGGER blow BEFORE {when} {fails}")).expect("it is set");
}

/// Fait `wish`, tue le programme là, lève ce qui le retenait, et le relance.
fn struck(bench: &Bench, blow: Blow, wish: impl Fn(Site)) -> Process {
    let process = Process::live(&bench.world, &bench.folder);
    process.site().closed_signal("initial_sync");
    process.site().wait_polls(1);
    let before = bench.exchange().accepted_orders().len();
    match blow {
        Blow::Asked => block(bench, "INSERT ON intents"),
        Blow::Executed => {
            bench.strike(|on| on, Fault::processed(Wire::Silence));
        }
        Blow::Unwritten => block(bench, "UPDATE ON intents WHEN NEW.state = 'filled'"),
        Blow::Open | Blow::Gone => {
            block(bench, "UPDATE ON signals WHEN NEW.wish IS NOT NULL AND NEW.status <> 'received'");
        }
    }
    wish(process.site());
    let sold = || bench.exchange().accepted_orders().len() - before;
    let states = |state: &str| number(&bench.books(), &format!("SELECT count(*) FROM intents WHERE {state}"));
    until(&format!("{blow:?}"), || match blow {
        Blow::Asked => Some(()),
        Blow::Executed | Blow::Unwritten => (sold() == 2).then_some(()),
        Blow::Open | Blow::Gone => (sold() == 2 && states("state = 'sent'") == 0).then_some(()),
    });
    process.kill();
    bench.world.clear_faults();
    bench.books().execute_batch("DROP TRIGGER IF EXISTS blow").expect("dropped");
    Process::live(&bench.world, &bench.folder)
}

/// Sans cash : ce qui se vend en proportion laisse l'allocation atteinte, et rien n'est à viser de nouveau.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.world.leader().set_target(&[("BTCUSDC", dec!(0.65)), ("ETHUSDC", dec!(0.35))]);
    bench
}

#[test]
fn a_withdrawal_killed_anywhere_sells_nothing_twice_and_is_booked_once() {
    together(&[BLOWS[0], BLOWS[1], BLOWS[2], BLOWS[3], Blow::Gone], |&blow| {
        let mut bench = bench();
        let process = struck(&bench, blow, |site| drop(ask(site, 700)));
        let open = reached(process.site(), "set_aside");
        let aside = decimal(&open["set_aside_usdc"]);
        assert!(aside * dec!(1.25) > dec!(0), "{open}");
        assert_eq!(number(&bench.books(), TAKEN), 0, "{blow:?}: booked before it is gone");
        if matches!(blow, Blow::Gone) {
            block(&bench, "INSERT ON movements");
        }
        take_out(&mut bench, aside);
        let process = if matches!(blow, Blow::Gone) {
            process.site().wait_polls(4);
            process.kill();
            bench.books().execute_batch("DROP TRIGGER blow").expect("dropped");
            Process::live(&bench.world, &bench.folder)
        } else {
            process
        };
        reached(process.site(), "completed");
        process.site().wait_polls(2);
        assert_eq!(number(&bench.books(), TAKEN), 1, "{blow:?}");
        let sales = bench.exchange().accepted_orders().into_iter().skip(2).collect::<Vec<_>>();
        let pairs: Vec<&str> = sales.iter().map(|order| order.pair.as_str()).collect();
        assert_eq!(pairs.len(), 2, "{blow:?} sold twice: {pairs:?}");
        assert_eq!(process.terminate(), Some(0));
        bench.check_settled();
    });
}

#[test]
fn selling_all_killed_anywhere_sells_nothing_twice_and_ends_paused() {
    together(&BLOWS, |&blow| {
        let bench = bench();
        let process = struck(&bench, blow, |site| {
            assert_eq!(site.send("POST", SELL_ALL, UNDERSTOOD).status, 200);
        });
        bench.world.leader().set_target(&[("SOLUSDC", dec!(0.9))]);
        let site = process.site();
        until(&format!("{blow:?}: all is sold"), || {
            let status = serde_json::from_str::<Value>(&site.try_get("/api/agent/status")?.body).ok()?;
            (status["selling_all"]["done"] == true && status["paused"] == true).then_some(())
        });
        site.wait_polls(2);
        let pairs: Vec<String> =
            bench.exchange().accepted_orders().into_iter().skip(2).map(|order| order.pair).collect();
        assert_eq!(pairs.len(), 2, "{blow:?} sold twice, or bought again: {pairs:?}");
        let wishes = "SELECT count(*) FROM signals WHERE wish = 'sell_all'";
        assert_eq!(number(&bench.books(), wishes), 1);
        assert_eq!(process.terminate(), Some(0));
        bench.check_settled();
    });
}

/// Ce qu'une personne a réglé au dehors a peut-être été vendu : son souhait ne le revend pas, avec ce qui est à elle.
#[test]
fn a_sale_settled_outside_is_sent_again_by_no_wish() {
    for (path, body) in [(SELL_ALL, UNDERSTOOD), (PATH, r#"{"amount_eur": 500}"#)] {
        let bench = Bench::holding(&[("USDC", dec!(2000)), ("BTC", dec!(1))]);
        let follower = bench.settled(&[("BTCUSDC", dec!(0.9))]);
        let site = follower.site();
        bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
        let (from, to) = ("\"SELL\"".to_owned(), "\"BUY\"".to_owned());
        bench.world.fault(On::exchange(ORDER).method("GET"), Fault::processed(Wire::Rewrite { from, to }));
        assert_eq!(site.send("POST", path, body).status, 200);
        bench.wait_states("BTCUSDC", "filled stuck");
        let id = site.json("/api/orders")[0]["id"].clone();
        let settled = site.send("POST", &format!("/api/orders/{id}/settle"), r#"{"looked": true}"#);
        assert_eq!(settled.status, 200, "{}", settled.body);
        site.wait_polls(4);
        assert_eq!(bench.orders("BTCUSDC").len(), 2, "{path}: settled, and sold again");
    }
}

/// D'autre argent que le nôtre sort pendant qu'un retrait attend : ce que nos ordres lui ont rendu n'y change rien.
#[test]
fn money_of_another_use_is_not_booked_as_taken_where_our_orders_have_given_to_it() {
    let bench = Bench::holding(&[("USDC", dec!(1250)), ("ETH", dec!(1))]);
    let follower = bench.settled(&[("ETHUSDC", dec!(0.4))]);
    let site = follower.site();
    bench.world.fault(On::exchange(ORDER).method("POST").next(1), Fault::twice());
    bench.world.leader().set_target(&[]);
    until("the second sale is seen", || site.json("/api/exchange")["not_alone"].is_object().then_some(()));
    let adopt = |way: &str| site.send("POST", &format!("/api/exchange/{way}"), r#"{"other_is_off": true}"#);
    let adopted = adopt("adopt");
    assert_eq!(adopted.status, 200, "{}", adopted.body);
    assert!(!adopted.body.contains("deposited"), "{}", adopted.body);
    until("it may be settled", || site.json("/api/exchange")["trading_open"].as_bool().filter(|open| *open));
    let others = site.json("/api/exchange")["of_others"].to_string();
    assert!(others.contains("USDC"), "the test shows nothing: {others}");
    ask(site, 200);
    reached(site, "set_aside");
    site.wait_polls(2);
    bench.exchange().set_balance("USDC", bench.exchange().balance("USDC").free - dec!(5));
    site.wait_polls(5);
    let open = reached(site, "set_aside");
    assert_eq!(open["taken_usdc"].as_f64(), Some(0.0), "{open}");
}

/// L'achat qu'une personne avait réglé se montre, et a dépensé l'argent mis de côté : il n'est plus à prendre, et c'est dit.
#[test]
fn what_an_order_learned_late_has_spent_is_no_more_to_be_taken_out() {
    let bench = Bench::holding(&[("USDC", dec!(5000))]);
    let follower = bench.settled(&[("BTCUSDC", dec!(0.1))]);
    let site = follower.site();
    bench.world.fault(On::exchange(ORDER).method("POST").next(1), Fault::processed(Wire::Reset));
    let unknown = Reply::code(400, -2013, "Order does not exist.");
    bench.world.fault(On::exchange(ORDER).method("GET"), Fault::answer(unknown));
    bench.world.leader().set_target(&[("BTCUSDC", dec!(0.1)), ("ETHUSDC", dec!(0.7))]);
    let doubtful = until("the purchase is in doubt", || {
        let orders = site.json("/api/orders").as_array()?.clone();
        orders.into_iter().find(|order| order["coin"] == "ETHUSDC" && order["state"] != "sent")
    });
    let id = doubtful["id"].as_i64().unwrap();
    follower.stop();
    bench.books().execute("UPDATE intents SET state = 'stuck' WHERE id = ?1", [id]).unwrap();
    calvalot::ledger::reseal(&bench.books()).unwrap();
    let follower = bench.follow();
    let site = follower.site();
    until("it is settled", || {
        let settle = site.send("POST", &format!("/api/orders/{id}/settle"), r#"{"looked": true}"#);
        (settle.status == 200).then_some(())
    });
    until("a withdrawal is opened", || {
        (site.send("POST", PATH, r#"{"amount_eur": 800}"#).status == 200).then_some(())
    });
    reached(site, "set_aside");
    follower.stop();
    bench.world.clear_faults();
    let follower = bench.follow();
    let called_off = reached(follower.site(), "cancelled");
    assert_eq!(called_off["taken_usdc"].as_f64(), Some(0.0), "{called_off}");
}

/// Un achat qu'une personne a réglé pendant que le retrait attendait a dépensé de l'argent : ce n'est pas elle qui l'a sorti.
#[test]
fn what_a_settled_purchase_has_spent_is_not_booked_as_taken_out() {
    let bench = Bench::holding(&[("USDC", dec!(1250))]);
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
    let site = follower.site();
    ask(site, 50);
    let id = reached(site, "set_aside")["id"].clone();
    until("what is left follows the leader again", || {
        let target = site.json("/api/agent/status")["target"].clone();
        (target["cause"] == "money" && target["reached_at"].is_string()).then_some(())
    });
    bench.strike(|on| on.nth(1), Fault::processed(Wire::Reset));
    let (from, to) = ("\"BUY\"".to_owned(), "\"SELL\"".to_owned());
    bench.world.fault(On::exchange(ORDER).method("GET"), Fault::processed(Wire::Rewrite { from, to }));
    bench.world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.3))]);
    bench.wait_states("ETHUSDC", "stuck");
    let order = site.json("/api/orders")[0]["id"].clone();
    let settled = site.send("POST", &format!("/api/orders/{order}/settle"), r#"{"looked": true}"#);
    assert_eq!(settled.status, 200, "{}", settled.body);
    let still_there = |site: Site| {
        site.wait_polls(5);
        let open = reached(site, "set_aside");
        assert_eq!(open["taken_usdc"].as_f64(), Some(0.0), "{open}");
    };
    still_there(site);
    // Ses coins comptés, la bourse le dit enfin : ce qu'il a dépensé manque toujours, et personne ne l'a sorti.
    let beyond = bench.exchange().balance("ETH").free;
    let counted = format!(r#"{{"quantity": "{beyond}"}}"#);
    let counted = site.send("POST", "/api/exchange/differences/ETH/count", &counted);
    assert_eq!(counted.status, 200, "{}", counted.body);
    follower.stop();
    bench.world.clear_faults();
    let follower = bench.follow();
    let site = follower.site();
    until("it is accounted for", || {
        site.json("/api/orders").to_string().contains("it is not booked again").then_some(())
    });
    still_there(site);
    let taken = site.send("POST", &format!("{PATH}/{id}/taken"), r#"{"taken_out": true}"#);
    assert_eq!(taken.status, 200, "{}", taken.body);
    assert_eq!(reached(site, "completed")["id"], id);
}

/// Des frais pris en USDC sur ce qui est mis de côté n'empêchent ni de le sortir, ni de le dire.
#[test]
fn a_withdrawal_that_a_fee_has_shortened_is_neither_called_off_nor_stuck() {
    let bench = Bench::holding(&[("USDC", dec!(4000))]);
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
    let site = follower.site();
    ask(site, 200);
    reached(site, "set_aside");
    bench.exchange().edit_account(|account| account.fee_assets = vec![("USDC".to_owned(), dec!(1))]);
    // Un carnet profond, où l'achat dépense tout.
    bench.exchange().shred_book("ETHUSDC", dec!(1000), 1);
    let id = bench.world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.7))]);
    site.closed_signal(&id);
    let open = reached(site, "set_aside");
    let (aside, cash) = (decimal(&open["set_aside_usdc"]), decimal(&site.json("/api/budget")["cash_usdt"]));
    assert!(cash < aside && cash > aside - dec!(1), "the test shows nothing: {cash} of {aside}");
    let id = open["id"].as_i64().unwrap();
    let taken = site.send("POST", &format!("{PATH}/{id}/taken"), r#"{"taken_out": true}"#);
    assert_eq!(taken.status, 200, "{}", taken.body);
    reached(site, "completed");
}
