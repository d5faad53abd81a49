//! `calvalot restore` d'un livre d'argent réel, le vrai programme : d'une copie de n'importe quel âge ou de rien, ce que le
//! compte a fait revient aux livres ordre par ordre, `verify` s'accorde au dernier chiffre, et rien n'est refait.

#[path = "books/mod.rs"]
mod books;
#[path = "follower/mod.rs"]
mod follower;
#[path = "python/mod.rs"]
mod python;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use calvalot::sim::{Fault, On, Pace, Script, Wire, World};
use follower::{Folder, Process, Site, environment, key, until};
use rust_decimal::{Decimal, dec};

const FIRST: [(&str, Decimal); 1] = [("BTCUSDC", dec!(0.4))];
const SECOND: [(&str, Decimal); 3] = [("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.2))];

fn world() -> World {
    let balances = vec![("USDC".to_owned(), dec!(2000)), ("BNB".to_owned(), dec!(0.05))];
    let script = Script { pace: Pace::Frozen, balances, ..Script::default() };
    World::start(script).expect("the loopback has free ports")
}

/// Le programme, avec ces mots ; rend son code et tout ce qu'il dit.
fn calvalot(world: &World, folder: &Folder, words: &[&str]) -> (i32, String) {
    calvalot_with(world, folder, words, &[])
}

fn calvalot_with(world: &World, folder: &Folder, words: &[&str], more: &[(&str, &str)]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_calvalot"))
        .env_clear()
        .envs(environment(world, folder))
        .envs(key())
        .env("TRADING_MODE", "live")
        .env("INITIAL_BUDGET_EUR", "1000")
        .envs(more.iter().copied())
        .current_dir(folder.path())
        .args(words)
        .output()
        .expect("the program runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

/// Le programme en marche, qui répond.
fn start(world: &World, folder: &Folder) -> Process {
    let process = Process::live(world, folder);
    until("it answers", || process.site().try_get("/api/agent/status"));
    process
}

/// Suit ces cibles l'une après l'autre, puis est tué.
fn follow(world: &World, folder: &Folder, targets: &[&[(&str, Decimal)]]) {
    let process = start(world, folder);
    for target in targets {
        let id = world.leader().set_target(target);
        process.site().closed_signal(&id);
        until("nothing is open", || {
            let open = "SELECT count(*) FROM signals WHERE status = 'received'";
            (books::number(&books::open(&folder.db()), open) == 0).then_some(())
        });
    }
    process.kill();
}

fn orders(world: &World) -> usize {
    world.exchange().accepted_orders().len()
}

/// Remet cette copie sans que la bourse en dise rien, et laisse dehors ce qu'elle n'a pas ; rend le programme en marche.
fn left_outside(world: &World, folder: &Folder, copy: &str) -> Process {
    world.fault(On::whole_exchange(), Fault::unprocessed(Wire::Close));
    calvalot(world, folder, &["restore", copy]);
    world.clear_faults();
    let process = start(world, folder);
    let site = process.site();
    until("it is not alone", || site.json("/api/exchange")["not_alone"].is_object().then_some(()));
    assert_eq!(site.send("POST", "/api/exchange/disown", r#"{"other_is_off": true}"#).status, 200);
    process
}

/// Un livre remis attend en pause qu'une personne ait regardé ; elle reprend.
fn resume(site: Site) {
    let status = site.json("/api/agent/status");
    let reason = status["paused_reason"].as_str().unwrap_or_default();
    assert!(reason.contains("then resume"), "it goes on as if nothing had been decided since: {status}");
    let resumed = site.send("POST", "/api/agent/toggle", r#"{"paused": false}"#);
    assert_eq!(resumed.status, 200, "{}", resumed.body);
}

/// Le livre est ce que le compte a fait, et le suivre encore ne refait rien.
fn check_given_back(world: &World, folder: &Folder) {
    check_followed(world, folder);
    books::check_settled(&books::open(&folder.db()));
}

/// De même, d'un livre dont des trades viennent d'ailleurs que d'ordres d'ici.
fn check_followed(world: &World, folder: &Folder) {
    let (code, said) = calvalot(world, folder, &["verify"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("the exchange agrees"), "{said}");
    let before = orders(world);
    let process = start(world, folder);
    let site = process.site();
    until("trading is open", || site.json("/api/exchange")["trading_open"].as_bool().filter(|open| *open));
    resume(site);
    site.wait_polls(3);
    assert_eq!(orders(world), before, "it did again what was done");
    let id = world.leader().set_target(&FIRST);
    site.closed_signal(&id);
    assert!(orders(world) > before, "it follows");
    process.kill();
}

#[test]
fn a_copy_of_real_money_gets_back_what_the_account_did_since_and_nothing_is_sent_again() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    let (code, copy) = calvalot(&world, &folder, &["backup", "copy.db"]);
    assert_eq!(code, 0, "{copy}");
    follow(&world, &folder, &[&SECOND]);
    let lost = positions(&folder.db());
    let (code, said) = calvalot(&world, &folder, &["restore", "copy.db"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("3 orders that only the account knew are in the books now"), "{said}");
    assert_eq!(positions(&folder.db()), lost, "it is not the ledger that was lost");
    check_given_back(&world, &folder);
}

#[test]
fn a_ledger_that_is_lost_is_made_again_of_what_the_account_remembers() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST, &SECOND]);
    let lost = positions(&folder.db());
    let other = Folder::new();
    let (code, said) = calvalot(&world, &other, &["restore"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("4 orders, 4 executed") && said.contains("Say it with --yes"), "{said}");
    assert!(!other.db().exists(), "it was made before anybody agreed");
    // Ni commencé de rien sans que l'essai le dise.
    let (code, said) = calvalot(&world, &other, &["check"]);
    assert!(code == 1 && said.contains("this account remembers a ledger of calvalot"), "{code} {said}");
    assert!(
        said.contains("4 orders, the last of") && said.contains("`calvalot restore` gives it back"),
        "{said}"
    );
    let (code, said) = calvalot(&world, &other, &["restore", "--yes"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(coins(positions(&other.db())), coins(lost));
    check_given_back(&world, &other);
}

/// La base du programme Python est tout ce qu'il reste : ce que le compte a fait depuis s'y ajoute, elle n'est pas refaite de
/// rien.
#[test]
fn a_ledger_of_the_python_version_that_is_all_that_is_left_gets_the_orders_made_since() {
    let rows = "
        INSERT INTO budget VALUES (1, 1000.0, 1000.0, 'ACTIVE', '2026-02-24 18:30:05', '2026-03-01 09:00:00');
        INSERT INTO trades (coin, action, amount_usdt, price, quantity, signal_id, is_simulated) VALUES
            ('BTCUSDC', 'BUY', 120, 60000, 0.002, 'initial_sync', 0);
        INSERT INTO positions (coin, quantity, avg_entry_price, total_invested_usdt) VALUES ('BTCUSDC', 0.002, 60000, 120);";
    let (world, folder) = (world(), python::python(rows));
    world.exchange().set_balance("BTC", dec!(0.002));
    follow(&world, &folder, &[&FIRST, &SECOND]);
    let lost = positions(&folder.db());
    let other = python::python(rows);
    let (code, said) = calvalot(&world, &other, &["restore"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("orders, 4 executed") && said.contains("Say it with --yes"), "{said}");
    let (code, said) = calvalot(&world, &other, &["restore", "--yes"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(positions(&other.db()), lost, "it is not the ledger that was lost");
    check_followed(&world, &other);
}

/// La bourse qui se tait en plein récit ne laisse pas un livre à moitié ; un livre que quelqu'un a commencé de neuf, sans rien
/// envoyer, peut encore devenir celui qui est perdu.
#[test]
fn a_lost_ledger_is_made_whole_or_not_at_all_and_also_where_a_new_one_was_begun() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST, &SECOND]);
    let lost = positions(&folder.db());
    let other = Folder::new();
    world.fault(On::exchange("/api/v3/myTrades"), Fault::unprocessed(Wire::Close));
    let (code, said) = calvalot(&world, &other, &["restore", "--yes"]);
    assert_eq!(code, 3, "{said}");
    assert!(!other.db().exists(), "half a ledger was made");
    world.clear_faults();
    let before = orders(&world);
    let process = start(&world, &other);
    until("it says that another ledger traded here", || {
        let told = process.site().json("/api/exchange")["not_alone"]["reason"].as_str()?.to_owned();
        told.contains("another ledger of calvalot").then_some(())
    });
    process.kill();
    assert_eq!(orders(&world), before);
    let (code, said) = calvalot(&world, &other, &["restore", "--yes"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(coins(positions(&other.db())), coins(lost));
    check_given_back(&world, &other);
}

/// Reprise par une personne avant d'être comparée, elle n'envoie rien tant que les ordres du compte ne se lisent pas ; ce qui
/// lui manque la ferme dès qu'ils se lisent.
#[test]
fn a_copy_put_back_while_the_exchange_is_away_sends_nothing_before_it_is_compared() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    calvalot(&world, &folder, &["backup", "copy.db"]);
    follow(&world, &folder, &[&SECOND]);
    world.fault(On::whole_exchange(), Fault::unprocessed(Wire::Close));
    let (code, said) = calvalot(&world, &folder, &["restore", "copy.db"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("run `calvalot restore` again without a file"), "{said}");
    assert!(
        said.contains("looks for it itself before it sends an order") && !said.contains("--offline"),
        "{said}"
    );
    world.clear_faults();
    world.fault(On::exchange("/api/v3/allOrders"), Fault::unprocessed(Wire::Close));
    let before = orders(&world);
    let process = start(&world, &folder);
    let site = process.site();
    resume(site);
    let id = world.leader().set_target(&SECOND);
    until("it is received", || site.signal(&id));
    site.wait_polls(3);
    assert_eq!(orders(&world), before, "it sent an order before it was compared");
    world.clear_faults();
    process.kill();
    let process = start(&world, &folder);
    let site = process.site();
    until("it says that it is not alone", || {
        site.json("/api/exchange")["not_alone"].is_object().then_some(())
    });
    site.wait_polls(3);
    process.kill();
    assert_eq!(orders(&world), before);
    let (code, said) = calvalot(&world, &folder, &["check"]);
    assert!(code == 1 && said.contains("older than the account"), "{code} {said}");
    let (code, said) = calvalot(&world, &folder, &["restore"]);
    assert_eq!(code, 0, "{said}");
    check_given_back(&world, &folder);
}

/// Ni pause ni souhait révoqué : un livre à qui rien ne manque, ou que la bourse n'a pas pu compléter, n'est pas un livre remis.
#[test]
fn a_ledger_that_lacks_nothing_or_could_not_be_compared_is_not_changed_by_a_restore_without_a_file() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    let process = start(&world, &folder);
    let site = process.site();
    until("trading is open", || site.json("/api/exchange")["trading_open"].as_bool().filter(|open| *open));
    // Les ordres du compte ne se lisent pas : rien ne part, et le souhait reste ouvert.
    world.fault(On::exchange("/api/v3/allOrders"), Fault::unprocessed(Wire::Close));
    let withdrawal = r#"{"amount_eur": 900, "understood": true}"#;
    assert_eq!(site.send("POST", "/api/budget/withdrawals", withdrawal).status, 200);
    process.kill();
    let untouched = || {
        let decided = "SELECT (SELECT count(*) FROM agent WHERE paused = 0)
                           + (SELECT count(*) FROM signals WHERE wish IS NOT NULL AND status = 'received')";
        assert_eq!(
            books::number(&books::open(&folder.db()), decided),
            2,
            "what a person decided was changed"
        );
    };
    let (code, said) = calvalot(&world, &folder, &["restore"]);
    assert!(code == 3 && said.contains("nothing was changed") && !said.contains("--offline"), "{said}");
    untouched();
    world.clear_faults();
    let (code, said) = calvalot(&world, &folder, &["restore"]);
    assert!(code == 0 && said.contains("nothing was changed"), "{said}");
    let (code, said) = calvalot(&world, &folder, &["restore", "copy.db", "--tag", "0a1b2c3d"]);
    assert!(code == 2 && said.contains("--tag is for a ledger that is lost"), "{said}");
    untouched();
}

/// Un ordre que la bourse ne raconte pas encore laisse le livre comme il est, les autres ordres aussi.
#[test]
fn a_ledger_that_lacks_orders_gets_all_of_them_or_is_not_changed() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    calvalot(&world, &folder, &["backup", "copy.db"]);
    follow(&world, &folder, &[&SECOND]);
    let lost = positions(&folder.db());
    let other = Folder::new();
    fs::copy(folder.path().join("copy.db"), other.db()).unwrap();
    let before = positions(&other.db());
    for rank in 2..10 {
        world.fault(On::exchange("/api/v3/myTrades").nth(rank), Fault::unprocessed(Wire::Close));
    }
    let (code, said) = calvalot(&world, &other, &["restore"]);
    assert_eq!(code, 3, "{said}");
    assert_eq!(positions(&other.db()), before, "half of it was given back");
    assert_eq!(books::number(&books::open(&other.db()), "SELECT paused FROM agent"), 0);
    world.clear_faults();
    let (code, said) = calvalot(&world, &other, &["restore"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(positions(&other.db()), lost);
}

/// Les ordres d'un autre compte ne sont pas de ces livres, fussent-ils sous un nom à eux.
#[test]
fn nothing_of_another_account_is_booked_by_putting_a_copy_back() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    calvalot(&world, &folder, &["backup", "copy.db"]);
    let copied = positions(&folder.db());
    follow(&world, &folder, &[&SECOND]);
    let lost = positions(&folder.db());
    world.exchange().edit_account(|account| account.uid += 1);
    for words in [vec!["restore", "copy.db"], vec!["restore"]] {
        let (code, said) = calvalot(&world, &folder, &words);
        assert!(
            code == 1 && said.contains("another account") && said.contains("nothing of it was booked"),
            "{said}"
        );
        assert_eq!(positions(&folder.db()), copied, "{words:?}");
    }
    world.exchange().edit_account(|account| account.uid -= 1);
    let (code, said) = calvalot(&world, &folder, &["restore"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(positions(&folder.db()), lost);
}

/// Les dépôts ne sont pas à la bourse ; ce que les ordres ont dépensé au-delà du cash a été versé, et le reste est à compter.
#[test]
fn what_a_lost_deposit_bought_is_not_cut_out_of_the_positions() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    calvalot(&world, &folder, &["backup", "copy.db"]);
    let process = start(&world, &folder);
    let site = process.site();
    until("trading is open", || site.json("/api/exchange")["trading_open"].as_bool().filter(|open| *open));
    until("it is counted", || {
        (site.send("POST", "/api/budget/deposit", r#"{"amount_eur": 500}"#).status == 200).then_some(())
    });
    let id = world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.7))]);
    site.closed_signal(&id);
    process.kill();
    let lost = positions(&folder.db());
    let other = Folder::new();
    fs::copy(folder.path().join("copy.db"), other.db()).unwrap();
    let (code, with_a_copy) = calvalot(&world, &folder, &["restore", "copy.db"]);
    assert_eq!(code, 0, "{with_a_copy}");
    let (code, without) = calvalot(&world, &other, &["restore"]);
    assert_eq!(code, 0, "{without}");
    for (ledger, said) in [(&folder, with_a_copy), (&other, without)] {
        assert!(said.contains("EUR were counted as deposited: the orders spent them"), "{said}");
        assert_eq!(coins(positions(&ledger.db())), coins(lost.clone()));
        let of_others = "SELECT count(*) FROM of_others";
        assert_eq!(books::number(&books::open(&ledger.db()), of_others), 0, "of others: {said}");
    }
    check_given_back(&world, &folder);
}

#[test]
fn a_copy_of_real_money_is_not_put_back_without_what_it_takes_to_compare_it() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    calvalot(&world, &folder, &["backup", "copy.db"]);
    follow(&world, &folder, &[&SECOND]);
    let before = positions(&folder.db());
    let wrong = [
        ("TRADING_MODE", "dry_run", 1, "copy.db is a ledger of real money: set TRADING_MODE=live"),
        ("BINANCE_API_KEY", "", 2, "BINANCE_API_KEY"),
        ("LEADER_URL", "", 2, "LEADER_URL"),
    ];
    for (variable, value, expected, reason) in wrong {
        let (code, said) = calvalot_with(&world, &folder, &["restore", "copy.db"], &[(variable, value)]);
        assert!(code == expected && said.contains(reason) && !said.contains("--offline"), "{code}: {said}");
        assert_eq!(positions(&folder.db()), before, "it was put in place");
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(!names.into_iter().any(|name| name.to_string_lossy().contains("restor")), "{said}");
    }
}

/// Sans copie, ni le fichier vide d'une coupure ni un livre abîmé ne barre le retour : ce qui est là est gardé.
#[test]
fn a_ledger_that_is_empty_or_damaged_is_made_again_without_a_copy_and_what_is_left_of_it_is_kept() {
    for (size, word) in [(0, "is empty"), (5000, "is damaged")] {
        let (world, folder) = (world(), Folder::new());
        follow(&world, &folder, &[&FIRST, &SECOND]);
        let lost = positions(&folder.db());
        // Le journal de la dernière vie revient dans la base.
        assert_eq!(calvalot(&world, &folder, &["backup", "elsewhere.db"]).0, 0);
        File::options().write(true).open(folder.db()).unwrap().set_len(size).unwrap();
        let left = fs::read(folder.db()).unwrap();
        let (code, said) = calvalot(&world, &folder, &["check"]);
        assert!(
            code != 0 && said.contains(word) && said.contains("`calvalot restore` without a file"),
            "{said}"
        );
        let (code, said) = calvalot(&world, &folder, &["restore"]);
        assert!(code == 1 && said.contains("is kept aside") && said.contains("--yes"), "{said}");
        assert_eq!(fs::read(folder.db()).unwrap(), left, "it was changed before anybody agreed");
        let (code, said) = calvalot(&world, &folder, &["restore", "--yes"]);
        assert_eq!(code, 0, "{said}");
        let coins =
            |all: Vec<[String; 2]>| all.into_iter().filter(|row| row[0] != "cash").collect::<Vec<_>>();
        assert_eq!(coins(positions(&folder.db())), coins(lost));
        check_given_back(&world, &folder);
    }
}

/// « Tout vendre » n'est pas dans la copie : le livre remis ne rachète rien tant qu'une personne n'a pas regardé.
#[test]
fn what_was_sold_to_stop_is_not_bought_again_by_a_copy_that_does_not_know_it() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    calvalot(&world, &folder, &["backup", "copy.db"]);
    let process = start(&world, &folder);
    let id = world.leader().set_target(&SECOND);
    process.site().closed_signal(&id);
    let sold = process.site().send("POST", "/api/agent/sell-all", r#"{"understood": true}"#);
    assert_eq!(sold.status, 200, "{}", sold.body);
    until("all is sold", || {
        process.site().json("/api/agent/status")["selling_all"]["done"].as_bool().filter(|done| *done)
    });
    process.kill();
    let before = orders(&world);
    let (code, said) = calvalot(&world, &folder, &["restore", "copy.db"]);
    assert!(code == 0 && said.contains("it is paused"), "{said}");
    let process = start(&world, &folder);
    until("trading is open", || {
        process.site().json("/api/exchange")["trading_open"].as_bool().filter(|open| *open)
    });
    process.site().wait_polls(3);
    assert_eq!(orders(&world), before, "what was sold was bought again");
    resume(process.site());
}

/// Un souhait ouvert dans la copie a pu être révoqué, ou mené à bien, dans le passé qu'elle n'a pas : rien ne se vend sans la
/// personne.
#[test]
fn what_was_wished_in_a_copy_is_not_sold_by_the_ledger_that_is_put_back() {
    let wishes = [
        ("/api/agent/sell-all", r#"{"understood": true}"#),
        ("/api/budget/withdrawals", r#"{"amount_eur": 900, "understood": true}"#),
    ];
    for (path, body) in wishes {
        let (world, folder) = (world(), Folder::new());
        follow(&world, &folder, &[&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.4))]]);
        let process = start(&world, &folder);
        let site = process.site();
        until("it is followed", || site.json("/api/exchange")["trading_open"].as_bool().filter(|open| *open));
        // Les ordres du compte ne se lisent pas : rien ne part, et le souhait reste ouvert.
        world.fault(On::exchange("/api/v3/allOrders"), Fault::unprocessed(Wire::Close));
        until("it is asked", || (site.send("POST", path, body).status == 200).then_some(()));
        site.wait_polls(2);
        assert_eq!(calvalot(&world, &folder, &["backup", "copy.db"]).0, 0);
        process.kill();
        world.clear_faults();
        let (code, said) = calvalot(&world, &folder, &["restore", "copy.db"]);
        assert_eq!(code, 0, "{said}");
        let wish = "SELECT count(*) FROM signals WHERE wish IS NOT NULL AND status = 'skipped'
                        AND error_message LIKE '%was put back%'";
        assert_eq!(books::number(&books::open(&folder.db()), wish), 1);
        let before = orders(&world);
        let process = start(&world, &folder);
        let site = process.site();
        until("trading is open", || {
            site.json("/api/exchange")["trading_open"].as_bool().filter(|open| *open)
        });
        site.wait_polls(3);
        assert_eq!(orders(&world), before, "{path}: it sold unasked");
        resume(site);
        let id = world.leader().set_target(&SECOND);
        site.closed_signal(&id);
        process.kill();
        books::check_settled(&books::open(&folder.db()));
    }
}

/// Deux ordres sous un nom : le second, adopté, est aux livres, et le reste pour tous ceux qui le cherchent.
#[test]
fn an_order_adopted_under_a_name_that_served_twice_is_known_ever_after() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    world.fault(On::exchange("/api/v3/order").method("POST").next(1), Fault::twice());
    follow(&world, &folder, &[&[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.2))]]);
    // Sans rien à suivre, ce qui a été acheté deux fois reste.
    world.leader().no_signal();
    let process = start(&world, &folder);
    let site = process.site();
    until("it is not alone", || site.json("/api/exchange")["not_alone"].is_object().then_some(()));
    assert_eq!(site.send("POST", "/api/exchange/adopt", r#"{"other_is_off": true}"#).status, 200);
    until("trading is open", || site.json("/api/exchange")["trading_open"].as_bool().filter(|open| *open));
    resume(site);
    process.kill();
    for _ in 0..2 {
        let (code, said) = calvalot(&world, &folder, &["restore"]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("nothing was changed"), "{said}");
    }
    let process = start(&world, &folder);
    let site = process.site();
    until("trading is open", || site.json("/api/exchange")["trading_open"].as_bool().filter(|open| *open));
    assert!(site.json("/api/exchange")["not_alone"].is_null());
    process.kill();
    let (code, said) = calvalot(&world, &folder, &["verify"]);
    assert!(code == 0 && said.contains("the exchange agrees (3 orders)"), "{said}");
}

/// Laissés dehors par une personne, ils le restent : rien n'a été perdu depuis.
#[test]
fn what_was_left_outside_is_not_brought_in_by_putting_a_ledger_back() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    assert_eq!(calvalot(&world, &folder, &["backup", "older.db"]).0, 0);
    follow(&world, &folder, &[&SECOND]);
    let process = left_outside(&world, &folder, "older.db");
    process.kill();
    let before = positions(&folder.db());
    assert_eq!(calvalot(&world, &folder, &["backup", "copy.db"]).0, 0);
    let (with_a_copy, without) = (["restore", "copy.db"], ["restore"]);
    for (words, told) in
        [(&with_a_copy[..], "0 orders that only the account knew"), (&without, "nothing was changed")]
    {
        let (code, said) = calvalot(&world, &folder, words);
        assert!(code == 0 && said.contains(told), "{said}");
        assert_eq!(positions(&folder.db()), before);
    }
}

/// Laisser des ordres dehors change le nom du livre, non sa famille : une copie d'avant retrouve aussi ceux d'après. Ce qu'une
/// personne a laissé dehors y reste, tant que le livre qui le sait est là.
#[test]
fn a_copy_of_before_a_change_of_name_gets_back_the_orders_of_both_names() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    calvalot(&world, &folder, &["backup", "copy.db"]);
    fs::copy(folder.path().join("copy.db"), folder.path().join("older.db")).unwrap();
    follow(&world, &folder, &[&SECOND]);
    let process = left_outside(&world, &folder, "older.db");
    let site = process.site();
    // Avant de reprendre : ce que le leader montrait encore serait suivi d'abord, avec un compte qui n'est plus celui des livres.
    let id = world.leader().set_target(&FIRST);
    resume(site);
    site.closed_signal(&id);
    let id = world.leader().set_target(&SECOND);
    site.closed_signal(&id);
    process.kill();
    let (code, said) = calvalot(&world, &folder, &["verify"]);
    assert!(code == 0 && said.contains("the exchange agrees"), "{said}");
    let names: BTreeSet<String> =
        world.exchange().accepted_orders().iter().map(|order| order.client_id[..12].to_owned()).collect();
    assert_eq!(names.len(), 2, "the name did not change: {names:?}");
    let number = |folder: &Folder, sql: &str| books::number(&books::open(&folder.db()), sql) as usize;
    let filled = "SELECT count(*) FROM intents WHERE state = 'filled'";
    let outside = number(&folder, "SELECT count(*) FROM foreign_orders WHERE settled = 1");
    let (before, other) = (positions(&folder.db()), Folder::new());
    assert!(outside > 0, "the test shows nothing");
    fs::copy(folder.path().join("copy.db"), other.db()).unwrap();
    let (code, said) = calvalot(&world, &folder, &["restore", "copy.db"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(number(&folder, filled), orders(&world) - outside, "what was left outside was brought in");
    assert_eq!(coins(positions(&folder.db())), coins(before));
    let process = start(&world, &folder);
    process.site().wait_polls(2);
    assert!(process.site().json("/api/exchange")["not_alone"].is_null());
    process.kill();
    let (code, said) = calvalot(&world, &other, &["restore"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(number(&other, filled), orders(&world), "an order of the account is in no book");
}

/// Laissés dehors d'une copie plus ancienne, remise d'abord par erreur, ces ordres sont le passé de la bonne : ils y reviennent, et
/// rien n'est refait.
#[test]
fn what_was_left_outside_of_a_worse_copy_comes_back_with_the_better_one() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    assert_eq!(calvalot(&world, &folder, &["backup", "worse.db"]).0, 0);
    follow(&world, &folder, &[&[("BTCUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.2))]]);
    assert_eq!(calvalot(&world, &folder, &["backup", "better.db"]).0, 0);
    follow(&world, &folder, &[&[("BTCUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.4))]]);
    let lost = positions(&folder.db());
    left_outside(&world, &folder, "worse.db").kill();
    let (code, said) = calvalot(&world, &folder, &["restore", "better.db"]);
    assert!(code == 0 && !said.contains("left outside"), "{said}");
    assert_eq!(coins(positions(&folder.db())), coins(lost));
    check_given_back(&world, &folder);
}

/// La copie a été prise pendant qu'une vente était en doute : ce qu'elle a rendu a payé la suite, et personne ne l'a versé.
#[test]
fn the_proceeds_of_a_sale_in_doubt_are_not_counted_as_a_deposit_by_putting_its_copy_back() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&[("BTCUSDC", dec!(0.95))]]);
    let process = start(&world, &folder);
    let order = |method| On::exchange("/api/v3/order").method(method);
    world.fault(order("POST").next(1), Fault::processed(Wire::Close));
    world.fault(order("GET"), Fault::unprocessed(Wire::Close));
    let sold = world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let site = process.site();
    until("the sale is in doubt", || {
        let orders = site.json("/api/orders").as_array()?.clone();
        orders.iter().any(|order| order["state"] == "unknown").then_some(())
    });
    assert_eq!(calvalot(&world, &folder, &["backup", "copy.db"]).0, 0);
    world.clear_faults();
    site.closed_signal(&sold);
    let spent = world.leader().set_target(&[("BTCUSDC", dec!(0.5)), ("ETHUSDC", dec!(0.48))]);
    site.closed_signal(&spent);
    process.kill();
    let lost = positions(&folder.db());
    let (code, said) = calvalot(&world, &folder, &["restore", "copy.db"]);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("deposited"), "{said}");
    assert_eq!(positions(&folder.db()), lost);
    let in_doubt = "SELECT count(*) FROM intents WHERE state IN ('sent', 'unknown')";
    assert_eq!(books::number(&books::open(&folder.db()), in_doubt), 0);
    check_given_back(&world, &folder);
}

/// Un achat que le réseau a livré deux fois, en doute, et une copie de ce moment ; rend le programme en marche.
fn delivered_twice(world: &World, folder: &Folder) -> Process {
    follow(world, folder, &[&[("BTCUSDC", dec!(0.1))]]);
    let process = start(world, folder);
    let order = |method| On::exchange("/api/v3/order").method(method);
    world.fault(order("POST").next(1), Fault { wire: Wire::Close, ..Fault::twice() });
    world.fault(order("GET"), Fault::unprocessed(Wire::Close));
    world.leader().set_target(&[("BTCUSDC", dec!(0.1)), ("ETHUSDC", dec!(0.3))]);
    let site = process.site();
    until("the purchase is in doubt", || {
        let orders = site.json("/api/orders").as_array()?.clone();
        orders.iter().any(|order| order["state"] == "unknown").then_some(())
    });
    assert_eq!(calvalot(world, folder, &["backup", "copy.db"]).0, 0);
    process
}

/// L'un finit l'intention, l'autre est adopté, d'un coup.
#[test]
fn a_purchase_in_doubt_that_was_delivered_twice_comes_back_at_the_first_asking() {
    let (world, folder) = (world(), Folder::new());
    let process = delivered_twice(&world, &folder);
    process.kill();
    world.clear_faults();
    let (code, said) = calvalot(&world, &folder, &["restore", "copy.db"]);
    assert!(code == 0 && said.contains("2 orders that only the account knew"), "{said}");
    let filled = "SELECT count(*) FROM intents WHERE state = 'filled'";
    assert_eq!(books::number(&books::open(&folder.db()), filled) as usize, orders(&world));
}

/// Un ordre en doute a un nom et pas encore de numéro : le premier de deux finit l'intention, l'autre se voit encore ensuite.
#[test]
fn what_was_delivered_a_second_time_is_seen_after_a_start_with_the_first_in_doubt() {
    let (world, folder) = (world(), Folder::new());
    delivered_twice(&world, &folder).kill();
    world.clear_faults();
    let process = start(&world, &folder);
    let site = process.site();
    let orders =
        until("the second is seen", || site.json("/api/exchange")["not_alone"]["orders"].as_array().cloned());
    assert_eq!(orders.len(), 1, "{orders:?}");
}

/// De même, et le second laissé dehors par une personne.
fn second_left_outside(world: &World, folder: &Folder) -> Process {
    let process = delivered_twice(world, folder);
    world.clear_faults();
    let site = process.site();
    until("the second is seen", || site.json("/api/exchange")["not_alone"].is_object().then_some(()));
    assert_eq!(site.send("POST", "/api/exchange/disown", r#"{"other_is_off": true}"#).status, 200);
    process
}

/// La seconde fois, laissée dehors d'un livre qui tient la première, y reste quand la copie revient.
#[test]
fn what_was_delivered_a_second_time_and_left_outside_stays_outside() {
    let (world, folder) = (world(), Folder::new());
    second_left_outside(&world, &folder).kill();
    let (code, said) = calvalot(&world, &folder, &["restore", "copy.db"]);
    assert!(code == 0 && said.contains("left outside the ledger of before, and of this one: 1 of"), "{said}");
    let filled = "SELECT count(*) FROM intents WHERE state = 'filled'";
    assert_eq!(books::number(&books::open(&folder.db()), filled) as usize, orders(&world) - 1);
}

/// La seconde fois n'a rien coûté aux livres : rendue avec le reste, elle ne leur prend que ce qu'aucun achat d'après n'a dépensé.
#[test]
fn what_was_delivered_a_second_time_does_not_take_the_money_of_what_was_bought_later() {
    let (world, folder) = (world(), Folder::new());
    let process = second_left_outside(&world, &folder);
    let site = process.site();
    resume(site);
    let target = [("BTCUSDC", dec!(0.1)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.5))];
    site.closed_signal(&world.leader().set_target(&target));
    process.kill();
    let sol = |folder: &Folder| positions(&folder.db()).into_iter().find(|[coin, _]| coin == "SOLUSDC");
    let bought = sol(&folder);
    let card = Folder::new();
    fs::copy(folder.path().join("copy.db"), card.path().join("copy.db")).expect("it is there");
    let (code, said) = calvalot(&world, &card, &["restore", "copy.db"]);
    assert!(code == 0 && said.contains("3 orders that only the account knew"), "{said}");
    assert!(!said.contains("deposited"), "{said}");
    assert_eq!(sol(&card), bought);
}

/// Les deux ventes d'une demande livrée deux fois étaient d'ici, et ont payé la suite : rien n'avait été versé.
#[test]
fn a_sale_delivered_twice_pays_for_what_was_bought_with_it() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&[("BTCUSDC", dec!(0.6))]]);
    assert_eq!(calvalot(&world, &folder, &["backup", "copy.db"]).0, 0);
    let process = start(&world, &folder);
    let site = process.site();
    until("trading is open", || site.json("/api/exchange")["trading_open"].as_bool().filter(|open| *open));
    world.fault(On::exchange("/api/v3/order").method("POST").next(1), Fault::twice());
    world.leader().set_target(&[("BTCUSDC", dec!(0.3))]);
    until("the second is seen", || site.json("/api/exchange")["not_alone"].is_object().then_some(()));
    assert_eq!(site.send("POST", "/api/exchange/adopt", r#"{"other_is_off": true}"#).status, 200);
    resume(site);
    site.closed_signal(&world.leader().set_target(&[("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.68))]));
    process.kill();
    let lost = positions(&folder.db());
    let card = Folder::new();
    fs::copy(folder.path().join("copy.db"), card.path().join("copy.db")).expect("it is there");
    let (code, said) = calvalot(&world, &card, &["restore", "copy.db"]);
    assert!(code == 0 && !said.contains("deposited"), "{said}");
    assert_eq!(positions(&card.db()), lost);
}

/// Ce que le leader redit encore a été fait dans le passé que la copie n'a pas : une action n'est pas une allocation, et ne
/// se refait pas.
#[test]
fn actions_that_were_done_before_a_copy_was_put_back_are_not_done_again() {
    for by_hand in [false, true] {
        let (world, folder) = (world(), Folder::new());
        follow(&world, &folder, &[&FIRST]);
        calvalot(&world, &folder, &["backup", "copy.db"]);
        let process = start(&world, &folder);
        let id = world.leader().set_actions(&[("XRPUSDC", "BUY", dec!(0.2))], None);
        assert_eq!(process.site().closed_signal(&id)["status"], "executed");
        process.kill();
        let done = orders(&world);
        if by_hand {
            world.fault(On::whole_exchange(), Fault::unprocessed(Wire::Close));
        }
        let (code, said) = calvalot(&world, &folder, &["restore", "copy.db"]);
        assert_eq!(code, if by_hand { 3 } else { 0 }, "{said}");
        world.clear_faults();
        let process = start(&world, &folder);
        let site = process.site();
        if by_hand {
            until("it says that it is not alone", || {
                site.json("/api/exchange")["not_alone"].is_object().then_some(())
            });
            let adopted = site.send("POST", "/api/exchange/adopt", r#"{"other_is_off": true}"#);
            assert_eq!(adopted.status, 200, "{}", adopted.body);
        }
        resume(site);
        let signal = site.closed_signal(&id);
        assert_eq!(signal["status"], "skipped", "{signal}");
        let told = signal["error_message"].as_str().expect("why");
        assert!(told.contains("may have been done in a past"), "{told}");
        site.wait_polls(2);
        assert_eq!(orders(&world), done, "it did again what was done");
        let next = world.leader().set_actions(&[("XRPUSDC", "BUY", dec!(0.1))], None);
        assert_eq!(site.closed_signal(&next)["status"], "executed", "a new action is followed");
        assert_eq!(orders(&world), done + 1);
        process.kill();
        books::check_settled(&books::open(&folder.db()));
    }
}

/// Ce que des ordres laissés dehors ont dépensé n'est pas ce qu'une personne a repris, dans la copie qui revient non plus.
#[test]
fn a_withdrawal_of_the_copy_is_called_off_with_what_was_left_outside() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    let process = start(&world, &folder);
    let site = process.site();
    until("a withdrawal is opened", || {
        let asked = site.send("POST", "/api/budget/withdrawals", r#"{"amount_eur": 100}"#);
        (asked.status == 200).then_some(())
    });
    let newest = |site: Site| site.json("/api/budget/withdrawals")["withdrawals"][0]["status"].clone();
    until("it is set aside", || (newest(site) == "set_aside").then_some(()));
    calvalot(&world, &folder, &["backup", "copy.db"]);
    fs::copy(folder.path().join("copy.db"), folder.path().join("older.db")).unwrap();
    assert_eq!(site.send("POST", "/api/budget/withdrawals/1/cancel", "{}").status, 200);
    process.kill();
    follow(&world, &folder, &[&SECOND]);
    left_outside(&world, &folder, "older.db").kill();
    let (code, said) = calvalot(&world, &folder, &["restore", "copy.db"]);
    assert!(code == 0 && said.contains("left outside the ledger of before"), "{said}");
    let process = start(&world, &folder);
    process.site().wait_polls(4);
    assert_eq!(newest(process.site()), "cancelled");
    assert_eq!(
        books::number(&books::open(&folder.db()), "SELECT count(*) FROM movements WHERE kind = 'withdrawal'"),
        0
    );
}

/// Laissés dehors, puis la copie d'avant remise encore : ce que ces ordres ont fait ne se refait pas non plus.
#[test]
fn actions_whose_orders_were_left_outside_are_not_done_again_by_putting_the_copy_back() {
    let (world, folder) = (world(), Folder::new());
    follow(&world, &folder, &[&FIRST]);
    calvalot(&world, &folder, &["backup", "copy.db"]);
    fs::copy(folder.path().join("copy.db"), folder.path().join("older.db")).unwrap();
    let process = start(&world, &folder);
    let id = world.leader().set_actions(&[("XRPUSDC", "BUY", dec!(0.2))], None);
    assert_eq!(process.site().closed_signal(&id)["status"], "executed");
    process.kill();
    let done = orders(&world);
    left_outside(&world, &folder, "older.db").kill();
    let (code, said) = calvalot(&world, &folder, &["restore", "copy.db"]);
    assert!(code == 0 && said.contains("left outside the ledger of before, and of this one: 1 of"), "{said}");
    let process = start(&world, &folder);
    resume(process.site());
    assert_eq!(process.site().closed_signal(&id)["status"], "skipped");
    process.site().wait_polls(2);
    assert_eq!(orders(&world), done, "it did again what was done");
}

/// Sans le cash : ce qu'un livre refait de rien ne peut pas savoir.
fn coins(all: Vec<[String; 2]>) -> BTreeMap<String, String> {
    all.into_iter().filter(|row| row[0] != "cash").map(|[coin, quantity]| (coin, quantity)).collect()
}

/// Les quantités et le cash que tient ce livre.
fn positions(path: &Path) -> Vec<[String; 2]> {
    assert!(fs::metadata(path).is_ok(), "there is no ledger");
    let books = books::open(path);
    let sql = "SELECT coin, quantity FROM positions WHERE quantity <> '0' UNION ALL SELECT 'cash', cash FROM account ORDER BY 1";
    let mut statement = books.prepare(sql).expect("the tables are ours");
    let rows = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?])).expect("the tables are ours");
    rows.map(Result::unwrap).collect()
}
