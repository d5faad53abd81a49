//! Un grand livre est tout le passé d'un compte : une copie plus ancienne, une seconde copie, un passé oublié se voient
//! avant qu'un ordre ne parte, et une personne en sort.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use calvalot::config::{Config, Mode};
use calvalot::sim::{Fault, On, Reply, Status, Wire};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

use super::follower::{Follower, Site, config, samples, until};
use super::{Bench, Target};

const FIRST: Target = &[("BTCUSDC", dec!(0.4))];
pub const SECOND: Target = &[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.2))];

/// Copie la base et ce qui l'accompagne, comme qui copie le dossier.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it is ours");
    for entry in fs::read_dir(from).expect("it is there").map(Result::unwrap) {
        if entry.path().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("it is copied");
        }
    }
}

fn put_back(copy: &Path, folder: &Path) {
    for entry in fs::read_dir(folder).expect("it is there").map(Result::unwrap) {
        if entry.path().is_file() {
            fs::remove_file(entry.path()).expect("it is ours");
        }
    }
    copy_folder(copy, folder);
}

/// Arrête ce suiveur et copie son dossier ; rend où.
fn copied(bench: &Bench, follower: Follower) -> PathBuf {
    follower.stop();
    let copy = bench.folder.path().join("copy");
    copy_folder(bench.folder.path(), &copy);
    copy
}

/// Un suiveur dont le grand livre a été remis comme il était avant `second` ; rend aussi le nom de ce signal.
pub fn set_back(bench: &Bench, second: Target) -> (Follower, String) {
    set_back_while(bench, second, || {})
}

/// De même, remis pendant que `begin` a commencé.
pub fn set_back_while(bench: &Bench, second: Target, begin: impl FnOnce()) -> (Follower, String) {
    let follower = bench.settled(FIRST);
    let copy = copied(bench, follower);
    let follower = bench.follow();
    let signal = bench.world.leader().set_target(second);
    follower.site().closed_signal(&signal);
    follower.site().wait_polls(2);
    follower.stop();
    put_back(&copy, bench.folder.path());
    begin();
    (bench.follow(), signal)
}

/// Attend qu'il dise ne pas être seul ; rend pourquoi.
fn not_alone(site: Site) -> Value {
    until("it says that it is not alone", || {
        let told = site.json("/api/exchange")["not_alone"].clone();
        told.is_object().then_some(told)
    })
}

/// Une personne le dit ; rend le statut de la réponse.
fn say(site: Site, word: &str, body: &str) -> u16 {
    site.send("POST", &format!("/api/exchange/{word}"), body).status
}

fn ways(told: &Value) -> Vec<&str> {
    told["ways"].as_array().expect("a list").iter().map(|way| way["way"].as_str().unwrap()).collect()
}

#[test]
fn an_older_copy_of_the_ledger_sends_nothing_until_a_person_has_adopted_what_it_lacks() {
    let bench = Bench::new();
    let (follower, second) = set_back(&bench, SECOND);
    let site = follower.site();
    let before = bench.exchange().accepted_orders().len();
    let told = not_alone(site);
    assert!(told["reason"].as_str().unwrap().contains("older than the account"), "{told}");
    assert_eq!(ways(&told), ["adopt", "disown"]);
    assert_eq!(told["orders"].as_array().map(Vec::len), Some(before - 1), "{told}");
    site.wait_polls(5);
    assert_eq!(bench.exchange().accepted_orders().len(), before, "it traded");
    let answer = site.get("/health");
    let health = answer.json();
    assert_eq!((answer.status, health["status"].as_str()), (503, Some("degraded")), "{health}");
    assert!(health["account"].as_str().unwrap().contains("older than the account"), "{health}");
    assert_eq!(say(site, "adopt", r#"{"other_is_off": false}"#), 400);
    assert_eq!(say(site, "adopt", r#"{"other_is_off": true}"#), 200);
    until("it trades again", || site.json("/api/exchange")["trading_open"].as_bool().filter(|open| *open));
    assert_eq!(site.json("/api/exchange")["not_alone"], Value::Null);
    assert_eq!(site.get("/health").status, 200);
    let status = site.json("/api/agent/status");
    assert!(
        status["paused_reason"].as_str().is_some_and(|reason| reason.contains("then resume")),
        "{status}"
    );
    assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": false}"#).status, 200);
    site.closed_signal(&second);
    bench.check_settled();
    // Il est là où il était : le signal que le leader montre encore n'y change rien, le suivant est suivi.
    assert_eq!(bench.exchange().accepted_orders().len(), before, "it did again what was done");
    bench.reach(&follower, FIRST);
    bench.check_settled();
}

/// Une vente qui n'est jamais partie, qu'une personne tient pour réglée ; rend le programme en marche.
fn settles_a_sale_that_never_was(bench: &Bench, follower: Follower) -> Follower {
    bench.strike(|on| on.next(1), Fault::unprocessed(Wire::Close));
    bench.world.leader().set_target(&[("BTCUSDC", dec!(0.3))]);
    bench.wait_states("BTCUSDC", "filled unknown");
    follower.stop();
    bench.books().execute("UPDATE intents SET state = 'stuck' WHERE state = 'unknown'", []).unwrap();
    calvalot::ledger::reseal(&bench.books()).unwrap();
    let follower = bench.follow();
    until("it is settled", || {
        let settle = follower.site().send("POST", "/api/orders/2/settle", r#"{"looked": true}"#);
        (settle.status == 200).then_some(())
    });
    follower
}

/// Ce que le passé perdu avait versé, ses ordres l'ont dépensé : adopté, rien n'en est coupé, et rien ne se vend pour cela. Une
/// vente réglée que la bourse n'a jamais vue n'a rien payé.
#[test]
fn what_a_lost_deposit_bought_comes_back_whole_when_it_is_adopted() {
    adopts_what_a_lost_deposit_bought(|_, follower| follower);
    adopts_what_a_lost_deposit_bought(settles_a_sale_that_never_was);
}

fn adopts_what_a_lost_deposit_bought(before: impl Fn(&Bench, Follower) -> Follower) {
    let bench = Bench::holding(&[("USDC", dec!(4000))]);
    let follower = before(&bench, bench.settled(FIRST));
    let copy = copied(&bench, follower);
    let follower = bench.follow();
    follower.site().wait_polls(2);
    let deposit = follower.site().send("POST", "/api/budget/deposit", r#"{"amount_eur": 1000}"#);
    assert_eq!(deposit.status, 200, "{}", deposit.body);
    bench.reach(&follower, &[("BTCUSDC", dec!(0.35)), ("ETHUSDC", dec!(0.65))]);
    let held = |site: Site| {
        let positions = site.json("/api/positions").as_array().expect("a list").clone();
        let of = |row: &Value| (row["coin"].to_string(), row["quantity"].to_string());
        positions.iter().map(of).collect::<Vec<_>>()
    };
    let lost = held(follower.site());
    follower.stop();
    put_back(&copy, bench.folder.path());
    let follower = bench.follow();
    let site = follower.site();
    not_alone(site);
    let adopted = site.send("POST", "/api/exchange/adopt", r#"{"other_is_off": true}"#);
    assert_eq!(adopted.status, 200, "{}", adopted.body);
    assert!(
        adopted.body.contains("EUR were counted as deposited: these orders spent them"),
        "{}",
        adopted.body
    );
    assert_eq!(held(site), lost);
    assert_eq!(site.json("/api/exchange")["of_others"], serde_json::json!([]));
    let before = bench.exchange().accepted_orders().len();
    assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": false}"#).status, 200);
    site.wait_polls(4);
    assert_eq!(bench.exchange().accepted_orders().len(), before, "it sold what the deposit had bought");
    bench.check_settled();
}

/// Un ordre qui a peut-être rendu l'argent ne se lit pas encore : rien n'est compté comme déposé à sa place.
#[test]
fn no_deposit_is_made_up_while_an_order_that_may_have_paid_cannot_be_read() {
    let bench = Bench::new();
    let (follower, _) = set_back(&bench, &[("ETHUSDC", dec!(0.95))]);
    let site = follower.site();
    let orders = not_alone(site)["orders"].clone();
    let unread = On::exchange("/api/v3/order").method("GET").about("BTCUSDC");
    bench.world.fault(unread, Fault::unprocessed(Wire::Reset));
    let adopted = site.send("POST", "/api/exchange/adopt", r#"{"other_is_off": true}"#);
    assert_eq!(adopted.status, 503, "{}: {orders}", adopted.body);
    assert_eq!(site.json("/api/budget")["total_deposited_eur"], 1000.0);
    bench.world.clear_faults();
    assert_eq!(say(site, "adopt", r#"{"other_is_off": true}"#), 200);
    assert_eq!(site.json("/api/budget")["total_deposited_eur"], 1000.0);
    assert_eq!(site.json("/api/exchange")["of_others"], serde_json::json!([]));
}

#[test]
fn what_is_left_outside_the_books_stays_outside_and_no_name_serves_twice() {
    let bench = Bench::new();
    // De l'argent d'à côté : les livres n'y perdent rien.
    let (follower, _) = set_back(&bench, &[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.3))]);
    let site = follower.site();
    not_alone(site);
    let lost = bench.exchange().accepted_orders().len() - 1;
    assert_eq!(say(site, "disown", r#"{"other_is_off": true}"#), 200);
    until("it trades again", || site.json("/api/exchange")["trading_open"].as_bool().filter(|open| *open));
    // Ce qu'une personne avait décidé dans ce passé ne se sait pas : elle regarde, puis reprend.
    let reason = site.json("/api/agent/status")["paused_reason"].clone();
    assert!(reason.as_str().is_some_and(|reason| reason.contains("left outside")), "{reason}");
    assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": false}"#).status, 200);
    bench.reach(&follower, &[("XRPUSDC", dec!(0.3))]);
    let orders = bench.exchange().accepted_orders();
    let mut names: Vec<&str> = orders.iter().map(|order| order.client_id.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), orders.len(), "a name served twice");
    let foreign = site.json("/api/exchange")["foreign_orders"].as_array().map(Vec::len);
    assert_eq!(foreign, Some(lost));
}

#[test]
fn a_new_ledger_on_an_account_with_a_past_is_not_the_first() {
    let bench = Bench::new();
    bench.settled(FIRST).stop();
    let other = Bench { folder: super::Folder::new(), ..bench };
    let follower = other.follow();
    let told = not_alone(follower.site());
    assert!(told["reason"].as_str().unwrap().contains("another ledger of calvalot"), "{told}");
    assert_eq!(ways(&told), ["disown"]);
    follower.site().wait_polls(3);
    assert_eq!(other.exchange().accepted_orders().len(), 1, "it bought what was bought already");
    assert_eq!(say(follower.site(), "disown", r#"{"other_is_off": true}"#), 200);
    until("it begins anew", || (other.exchange().accepted_orders().len() == 2).then_some(()));
}

#[test]
fn a_copy_opened_on_another_machine_waits_for_a_word() {
    let bench = Bench::new();
    bench.settled(FIRST).stop();
    let machine_id = bench.folder.path().join("machine-id");
    fs::write(&machine_id, "0123456789abcdef0123456789abcdef\n").expect("it is written");
    // La machine d'avant n'avait peut-être pas de nom : celle-ci en prend un autre que le sien.
    bench.books().execute("UPDATE exchange SET machine = 'another'", []).expect("it is ours");
    let config = || Config { machine_id: machine_id.clone(), ..bench.config() };
    let follower = Follower::start(config());
    let site = follower.site();
    let told = not_alone(site);
    assert!(told["reason"].as_str().unwrap().contains("another machine"), "{told}");
    assert_eq!(ways(&told), ["move_here"]);
    bench.world.leader().set_target(SECOND);
    site.wait_polls(5);
    assert_eq!(bench.exchange().accepted_orders().len(), 1, "it traded");
    assert_eq!(say(site, "machine", r#"{"first_is_off": false}"#), 400);
    assert_eq!(say(site, "machine", r#"{"first_is_off": true}"#), 200);
    until("it follows", || (bench.exchange().accepted_orders().len() > 1).then_some(()));
    follower.stop();
    // Dit une fois : la même machine n'est pas une autre.
    let follower = Follower::start(config());
    follower.site().wait_polls(3);
    assert_eq!(follower.site().json("/api/exchange")["not_alone"], Value::Null);
    bench.check();
}

#[test]
fn two_copies_started_in_one_second_never_both_send_and_the_second_never_goes_on_as_if_alone() {
    let bench = Bench::new();
    bench.settled(FIRST).stop();
    let copy = super::Folder::new();
    copy_folder(bench.folder.path(), copy.path());
    let before = bench.exchange().accepted_orders().len();
    let signal = bench.world.leader().set_target(SECOND);
    let beside = Config { mode: Mode::Live, poll_interval: bench.pace, ..config(&bench.world, &copy) };
    let (first, second) = (bench.follow(), Follower::start(beside));
    let is_closed = |follower: &Follower| {
        let signal = follower.site().signal(&signal);
        signal.is_some_and(|signal| signal["status"] != "received")
    };
    // L'une ou l'autre a pris la place.
    let holds = until("one of them follows", || {
        is_closed(&first).then_some(true).or_else(|| is_closed(&second).then_some(false))
    });
    let (first, second) = if holds { (first, second) } else { (second, first) };
    let told = not_alone(second.site());
    assert!(told["reason"].as_str().unwrap().contains("on this machine"), "{told}");
    assert_eq!(ways(&told), Vec::<&str>::new());
    for (path, yes) in [("adopt", "other_is_off"), ("disown", "other_is_off"), ("machine", "first_is_off")] {
        assert_eq!(
            say(second.site(), path, &format!(r#"{{"{yes}": true}}"#)),
            409,
            "{path} beside the other"
        );
    }
    assert_eq!(second.site().get("/health").status, 503);
    second.site().wait_polls(3);
    let sent = bench.exchange().accepted_orders().len();
    assert_eq!(sent - before, SECOND.len(), "one copy sent what the other had sent");
    first.stop();
    until("it sees what the first has done", || {
        (ways(&not_alone(second.site())) == ["adopt", "disown"]).then_some(())
    });
    assert_eq!(bench.exchange().accepted_orders().len(), sent);
}

#[test]
fn a_start_on_another_machine_never_looks_well_until_the_exchange_has_answered() {
    let bench = Bench::new();
    bench.settled(FIRST).stop();
    bench.books().execute("UPDATE exchange SET machine = 'another'", []).expect("it is ours");
    let machine_id = bench.folder.path().join("machine-id");
    fs::write(&machine_id, "0123456789abcdef0123456789abcdef\n").expect("it is written");
    bench.world.fault(On::whole_exchange(), Fault::unprocessed(Wire::Silence));
    let follower = Follower::start(Config { machine_id, ..bench.config() });
    not_alone(follower.site());
    assert_eq!(follower.site().get("/health").status, 503);
    let done = samples(&follower.site().get("/metrics").body, "calvalot_poll_duration_seconds_count");
    assert!(done.iter().all(|(_, polls)| *polls == 0.0), "it said so after a poll only: {done:?}");
}

/// Refusé, parce que des ordres d'ici que les livres n'ont pas l'expliquent peut-être.
fn check_unexplained(site: Site, path: &str, body: &str) {
    let answer = site.send("POST", path, body);
    assert_eq!((answer.status, answer.body.contains("adopt them")), (409, true), "{path}: {}", answer.body);
}

/// Le suiveur d'une copie où 200 EUR étaient mis de côté, et que le passé perdu a révoqués et dépensés pour suivre `second`.
fn set_aside_in_a_lost_past(bench: &Bench, second: Target) -> Follower {
    let follower = bench.settled(&[("BTCUSDC", dec!(0.3))]);
    let site = follower.site();
    assert_eq!(site.send("POST", "/api/budget/withdrawals", r#"{"amount_eur": 200}"#).status, 200);
    until("it is set aside", || (newest(site)["status"] == "set_aside").then_some(()));
    let copy = copied(bench, follower);
    let follower = bench.follow();
    let id = newest(follower.site())["id"].clone();
    let answer = follower.site().send("POST", &format!("/api/budget/withdrawals/{id}/cancel"), "{}");
    assert_eq!(answer.status, 200, "{}", answer.body);
    bench.reach(&follower, second);
    follower.stop();
    put_back(&copy, bench.folder.path());
    bench.follow()
}

/// Le dernier retrait.
fn newest(site: Site) -> Value {
    site.json("/api/budget/withdrawals")["withdrawals"][0].clone()
}

/// De l'argent mis de côté dans la copie, que le passé perdu a révoqué et dépensé : le compte le montre parti, et personne ne
/// l'a sorti. Ce qu'il tient de plus ou de moins est de ces ordres : compté, il le serait deux fois.
#[test]
fn nothing_is_concluded_from_what_the_orders_of_a_lost_past_have_changed() {
    let bench = Bench::holding(&[("USDC", dec!(1250))]);
    let follower = set_aside_in_a_lost_past(&bench, &[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.75))]);
    let site = follower.site();
    let id = newest(site)["id"].clone();
    not_alone(site);
    site.wait_polls(5);
    let open = newest(site);
    assert_eq!((&open["status"], open["taken_usdc"].as_f64()), (&"set_aside".into(), Some(0.0)), "{open}");
    check_unexplained(site, &format!("/api/budget/withdrawals/{id}/taken"), r#"{"taken_out": true}"#);
    check_unexplained(site, "/api/budget/deposit", r#"{"amount_eur": 10}"#);
    let lines = site.json("/api/exchange")["reconciliation"].as_array().expect("a list").clone();
    let of = |asset: &str| lines.iter().find(|line| line["asset"] == asset).expect("a line").clone();
    let bought = of("ETH")["beyond"].as_f64().expect("a number");
    assert!(bought > 0.1, "the test shows nothing: {lines:?}");
    let sold = -of("BTC")["difference"].as_f64().expect("a number");
    check_unexplained(site, "/api/exchange/differences/ETH/count", &format!(r#"{{"quantity": "{bought}"}}"#));
    check_unexplained(
        site,
        "/api/exchange/differences/BTC/write-off",
        &format!(r#"{{"quantity": "{sold}"}}"#),
    );
    assert_eq!(say(site, "adopt", r#"{"other_is_off": true}"#), 200);
    // L'argent mis de côté est dépensé : plus rien ne se vend pour lui.
    let ended = newest(site);
    assert_eq!((&ended["status"], ended["taken_usdc"].as_f64()), (&"cancelled".into(), Some(0.0)), "{ended}");
    let before = bench.exchange().accepted_orders().len();
    assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": false}"#).status, 200);
    site.wait_polls(4);
    assert_eq!(bench.exchange().accepted_orders().len(), before, "it sold for a withdrawal of another time");
    bench.check_settled();
}

/// Laissés dehors, ils ont dépensé de l'argent du compte : il n'est pas celui d'un retrait que la copie tient pour ouvert.
#[test]
fn what_orders_left_outside_have_spent_is_not_taken_for_a_withdrawal() {
    let bench = Bench::holding(&[("USDC", dec!(1250))]);
    let follower = set_aside_in_a_lost_past(&bench, &[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.65))]);
    let site = follower.site();
    not_alone(site);
    assert_eq!(say(site, "disown", r#"{"other_is_off": true}"#), 200);
    site.wait_polls(5);
    let ended = newest(site);
    assert_eq!((&ended["status"], ended["taken_usdc"].as_f64()), (&"cancelled".into(), Some(0.0)), "{ended}");
    assert_eq!(site.json("/api/budget")["total_deposited_eur"], 1000.0);
}

/// « Tout vendre » que la copie tenait encore ouvert était mené à bien : laissés dehors, ses ordres ne le font pas refaire.
#[test]
fn what_a_person_wanted_sold_in_a_lost_past_is_not_sold_again_when_its_orders_are_left_outside() {
    let bench = Bench::new();
    let target: Target = &[("BTCUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.3))];
    let follower = bench.settled(target);
    bench.exchange().set_status("SOLUSDC", Status::Halt);
    let sell_all = |site: Site| site.send("POST", "/api/agent/sell-all", r#"{"understood": true}"#).status;
    assert_eq!(sell_all(follower.site()), 200);
    until("BTC is sold", || (bench.exchange().accepted_orders().len() == 3).then_some(()));
    follower.site().wait_polls(2);
    let copy = copied(&bench, follower);
    bench.exchange().set_status("SOLUSDC", Status::Trading);
    let follower = bench.follow();
    let done = |site: Site| site.json("/api/agent/status")["selling_all"]["done"] == true;
    until("all is sold", || done(follower.site()).then_some(()));
    assert_eq!(follower.site().send("POST", "/api/agent/toggle", r#"{"paused": false}"#).status, 200);
    bench.reach(&follower, &[("BTCUSDC", dec!(0.2)), ("SOLUSDC", dec!(0.4))]);
    follower.stop();
    put_back(&copy, bench.folder.path());
    let follower = bench.follow();
    let site = follower.site();
    not_alone(site);
    let before = bench.exchange().accepted_orders().len();
    assert_eq!(say(site, "disown", r#"{"other_is_off": true}"#), 200);
    until("trading opens", || site.json("/api/exchange")["trading_open"].as_bool().filter(|open| *open));
    site.wait_polls(4);
    assert_eq!(bench.exchange().accepted_orders().len(), before, "it sold what nobody wants sold");
    let status = site.json("/api/agent/status");
    assert_eq!((&status["paused"], &status["selling_all"]), (&true.into(), &Value::Null), "{status}");
}

/// Un ordre que la bourse ne montre plus, ou pas encore, n'empêche pas d'adopter les autres.
#[test]
fn an_order_of_a_lost_past_that_cannot_be_read_keeps_no_other_from_being_adopted() {
    let bench = Bench::new();
    let (follower, _) =
        set_back(&bench, &[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.2)), ("SOLUSDC", dec!(0.2))]);
    let site = follower.site();
    let orders = not_alone(site)["orders"].as_array().map(Vec::len);
    assert_eq!(orders, Some(2));
    let first = On::exchange("/api/v3/order").method("GET").about("ETHUSDC");
    bench.world.fault(first, Fault::answer(Reply::code(400, -2013, "Order does not exist.")));
    let answer = site.send("POST", "/api/exchange/adopt", r#"{"other_is_off": true}"#);
    assert_eq!((answer.status, answer.body.contains("1 were")), (503, true), "{}", answer.body);
    assert_eq!(not_alone(site)["orders"].as_array().map(Vec::len), Some(1));
    bench.world.clear_faults();
    assert_eq!(say(site, "adopt", r#"{"other_is_off": true}"#), 200);
    bench.check();
}

/// De même d'un ordre archivé : il a fini sans rien échanger.
#[test]
fn an_archived_order_of_a_lost_past_is_adopted_as_what_it_was() {
    let bench = Bench::new();
    let follower = bench.settled(FIRST);
    let copy = copied(&bench, follower);
    // Loin de son prix de référence, tout ordre finit EXPIRED sans rien échanger.
    let far = |far: Option<Decimal>| {
        bench.exchange().edit_listing("SOLUSDC", |listing| {
            listing.reference_price = far;
            listing.price_range = far.map(|_| dec!(0.05));
        });
    };
    far(Some(bench.exchange().price("SOLUSDC") * dec!(2)));
    let follower = bench.follow();
    bench.world.leader().set_target(&[
        ("BTCUSDC", dec!(0.4)),
        ("ETHUSDC", dec!(0.2)),
        ("SOLUSDC", dec!(0.2)),
    ]);
    let coin = |pair: &str| bench.exchange().accepted_orders().iter().any(|order| order.pair == pair);
    until("both are sent", || (coin("SOLUSDC") && coin("ETHUSDC")).then_some(()));
    follower.site().wait_polls(1);
    follower.stop();
    put_back(&copy, bench.folder.path());
    let follower = bench.follow();
    let site = follower.site();
    not_alone(site);
    bench.exchange().archive_at_once(true);
    let answer = site.send("POST", "/api/exchange/adopt", r#"{"other_is_off": true}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    bench.check();
}

/// Ses prix connus ou non, une paire que la bourse ne connaît plus n'a plus d'ordre d'ici : les autres n'en attendent rien.
#[test]
fn a_pair_whose_orders_the_exchange_no_longer_lists_keeps_no_other_from_trading() {
    let bench = Bench::new();
    let follower = bench.settled(FIRST);
    for path in ["/api/v3/allOrders", "/api/v3/myTrades", "/api/v3/order"] {
        let unknown = Fault::answer(Reply::code(400, -1121, "Invalid symbol."));
        bench.world.fault(On::exchange(path).method("GET").about("XRPUSDC"), unknown);
    }
    bench.reach(&follower, &[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.3))]);
    follower.stop();
    let follower = bench.follow();
    bench.reach(&follower, FIRST);
    bench.check_settled();
}

/// Ce qui est fait du grand livre d'un suiveur qui vit.
#[derive(Clone, Copy, Debug)]
enum Taken {
    Away,
    Replaced,
    /// Son journal seul, par celui d'une copie : ce que fait `cp` d'un dossier sur l'autre.
    Back,
}

#[test]
fn a_ledger_taken_away_replaced_or_put_back_under_a_follower_closes_trading_within_a_poll() {
    for taken in [Taken::Away, Taken::Replaced, Taken::Back] {
        let bench = Bench::new();
        let follower = bench.settled(FIRST);
        let (site, db) = (follower.site(), bench.folder.db());
        let (folder, copy) = (bench.folder.path(), bench.folder.path().join("copy"));
        fs::create_dir(&copy).expect("a folder");
        let kept = ["", "-wal", "-shm"].map(|suffix| format!("calvalot.db{suffix}"));
        for name in &kept {
            fs::copy(folder.join(name), copy.join(name)).expect("it is copied");
        }
        if let Taken::Back = taken {
            bench.reach(&follower, SECOND);
        }
        let take = || match taken {
            Taken::Away => drop(fs::remove_file(&db)),
            Taken::Replaced => drop(fs::rename(copy.join(&kept[0]), &db)),
            // Sans le tronquer d'abord : SQLite lit l'index où il est.
            Taken::Back => kept[1..].iter().for_each(|name| {
                let bytes = fs::read(copy.join(name)).expect("it was copied");
                let mut file = File::options().write(true).open(folder.join(name)).expect("it is there");
                file.write_all(&bytes).expect("it is written over");
                file.set_len(bytes.len() as u64).expect("it is cut");
            }),
        };
        let before = bench.exchange().accepted_orders().len();
        // Un travail en cours a pu récrire par-dessus, et rien n'est alors perdu : jusqu'à ce que cela prenne.
        let health = until("it is noticed", || {
            take();
            Some(site.get("/health")).filter(|health| health.status == 503)
        });
        assert_ne!(health.json()["ledger"], "written", "{health:?}");
        bench.world.leader().set_target(&[("XRPUSDC", dec!(0.3))]);
        let polls = bench.world.leader().polls();
        until("it polls", || (bench.world.leader().polls() > polls + 5).then_some(()));
        let orders = bench.exchange().accepted_orders().len();
        assert_eq!(orders, before, "{taken:?}: it traded in a ledger that is not its own");
        if let Taken::Back = taken {
            follower.stop_lost();
        }
    }
}
