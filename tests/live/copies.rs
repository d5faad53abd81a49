//! Un grand livre est tout le passé d'un compte : une copie plus ancienne, une seconde copie, un passé oublié se voient
//! avant qu'un ordre ne parte, et une personne en sort.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use calvalot::config::Config;
use rust_decimal::dec;
use serde_json::Value;

use super::follower::{Follower, Site, until};
use super::{Bench, Target};

const FIRST: Target = &[("BTCUSDC", dec!(0.4))];
const SECOND: Target = &[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.2))];

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

/// Un suiveur dont le grand livre a été remis comme il était avant `second` ; rend aussi le nom de ce signal.
fn set_back(bench: &Bench, second: Target) -> (Follower, String) {
    let follower = bench.settled(FIRST);
    follower.stop();
    let copy = bench.folder.path().join("copy");
    copy_folder(bench.folder.path(), &copy);
    let follower = bench.follow();
    let signal = bench.world.leader().set_target(second);
    follower.site().closed_signal(&signal);
    follower.site().wait_polls(2);
    follower.stop();
    put_back(&copy, bench.folder.path());
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
    }
}
