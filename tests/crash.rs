//! Coupé n'importe où, le suiveur reprend où il en était : aucun signal perdu, aucun fait deux fois.
//!
//! Deux façons de couper : tuer le vrai programme à des moments tirés d'une graine, et faire échouer
//! une écriture précise du grand livre par un déclencheur SQLite, pour passer par chaque étape sans
//! dépendre du hasard.

mod books;
mod follower;

use books::{check_consistent, check_settled, number};
use calvalot::sim::{Fault, On, Script, Side, World};
use follower::{Folder, Follower, Process, Site, decimal, still_world, until};
use rust_decimal::{Decimal, dec};

const KILLS: u32 = 24;

/// Tue le vrai programme encore et encore sous un leader qui change d'avis à chaque demande.
#[test]
fn a_process_killed_at_any_moment_loses_no_signal_and_does_none_twice() {
    for seed in [1, 2] {
        eprintln!("seed {seed}");
        let script = Script { seed, signal_every: 1, ..Script::default() };
        let world = World::start(script).expect("the loopback has free ports");
        let folder = Folder::new();
        let mut dice = fastrand::Rng::with_seed(seed);
        for _ in 0..KILLS / 2 {
            let process = Process::run(&world, &folder);
            live_a_while(&world, process.site(), &mut dice);
            process.kill();
            if folder.db().exists() {
                let books = books::open(&folder.db());
                if number(&books, "PRAGMA user_version") > 0 {
                    check_consistent(&books);
                }
            }
        }
        let target = [("BTCUSDC", dec!(0.3)), ("ETHUSDC", dec!(0.25)), ("XRPUSDC", dec!(0.2))];
        let last = world.leader().set_target(&target);
        let process = Process::run(&world, &folder);
        process.site().closed_signal(&last);
        process.site().wait_polls(1);
        check_allocation(process.site(), &target);
        assert_eq!(process.terminate(), Some(0));
        check_settled(&books::open(&folder.db()));
    }
}

/// Laisse vivre le programme jusqu'à un moment tiré au sort, que des faits marquent et non une durée.
fn live_a_while(world: &World, site: Site, dice: &mut fastrand::Rng) {
    let polled = world.leader().requests();
    let asked = |count: u64| (world.leader().requests() >= polled + count).then_some(());
    match dice.u32(0..8) {
        0 => until("the process has made its file or answers", || site.try_get("/health").map(drop)),
        1 => until("a second poll begins", || asked(2)),
        2 => {
            until("a poll is done", || (site.polls() >= 1.0).then_some(()));
            until("another poll begins", || asked(2));
        }
        _ => until("a poll begins", || asked(1)),
    }
    // Chaque lecture passe par le fil du grand livre, entre deux écritures.
    for _ in 0..dice.u32(0..12) {
        site.try_get("/health");
    }
}

fn check_allocation(site: Site, target: &[(&str, Decimal)]) {
    let positions = site.json("/api/positions");
    let weight = |pair: &str| {
        let found = positions.as_array().unwrap().iter().find(|position| position["coin"] == pair);
        found.map_or(Decimal::ZERO, |position| decimal(&position["weight"]))
    };
    for pair in ["BNBUSDC", "BTCUSDC", "ETHUSDC", "SOLUSDC", "XRPUSDC"] {
        let wanted = target.iter().find(|(coin, _)| *coin == pair).map_or(Decimal::ZERO, |(_, part)| *part);
        // Le seuil, et autant pour les pas du marché depuis les trades.
        assert!((weight(pair) - wanted).abs() < dec!(0.01), "{pair}: {} for {wanted}", weight(pair));
    }
}

/// Chaque écriture qu'un signal demande, et ce qui la fait échouer.
const STEPS: [(&str, &str); 11] = [
    ("the signal", "BEFORE INSERT ON signals"),
    ("the intents", "BEFORE INSERT ON intents"),
    ("the last of the intents", "BEFORE INSERT ON intents WHEN NEW.coin = 'SOLUSDC'"),
    ("the end of an intent", "BEFORE UPDATE ON intents WHEN NEW.state = 'filled'"),
    ("the first trade", "BEFORE INSERT ON trades"),
    ("the last trade", "BEFORE INSERT ON trades WHEN NEW.coin = 'SOLUSDC'"),
    ("a position", "BEFORE UPDATE ON positions"),
    ("the cash", "BEFORE UPDATE ON account"),
    ("a decision", "BEFORE INSERT ON decisions"),
    ("the signal's end", "BEFORE UPDATE ON signals WHEN NEW.status <> 'received'"),
    ("the poll's end", "BEFORE INSERT ON polls"),
];

/// Ce que le leader dit pendant que l'écriture échoue : trois trades, une fois la moitié en BTC.
fn three_trades(world: &World) -> String {
    world.leader().set_target(&[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.2))])
}

/// Les mêmes, en actions de la version 1 : chacune ne doit jamais se faire deux fois.
fn three_actions(world: &World) -> String {
    let actions =
        [("BTCUSDC", "SELL", dec!(0.3)), ("ETHUSDC", "BUY", dec!(0.3)), ("SOLUSDC", "BUY", dec!(0.2))];
    world.leader().set_actions(&actions, None)
}

fn half_in_btc(world: &World, folder: &Folder) {
    world.leader().set_target(&[("BTCUSDC", dec!(0.5))]);
    let follower = Follower::of(world, folder);
    follower.site().closed_signal("initial_sync");
    follower.site().wait_polls(1);
    follower.stop();
}

fn break_ledger(folder: &Folder, when: &str) {
    let trigger = format!("CREATE TRIGGER broken {when} BEGIN SELECT RAISE(FAIL, 'broken by a test'); END");
    books::open(&folder.db()).execute_batch(&trigger).expect("the trigger is set");
}

fn mend_ledger(folder: &Folder) {
    books::open(&folder.db()).execute_batch("DROP TRIGGER broken").expect("the trigger is dropped");
}

/// Après la réparation : le signal est suivi une fois, en trois trades, et l'allocation est là.
fn check_followed(site: Site, folder: &Folder, id: &str, step: &str) {
    let signal = site.closed_signal(id);
    assert_eq!((signal["status"].as_str(), signal["trades"].as_u64()), (Some("executed"), Some(3)), "{step}");
    site.wait_polls(2);
    check_allocation(site, &[("BTCUSDC", dec!(0.2)), ("ETHUSDC", dec!(0.3)), ("SOLUSDC", dec!(0.2))]);
    check_settled(&books::open(&folder.db()));
}

fn fails_then_goes_on(step: &str, when: &str, speak: fn(&World) -> String) {
    let (world, folder) = (still_world(), Folder::new());
    half_in_btc(&world, &folder);
    break_ledger(&folder, when);
    let id = speak(&world);
    let follower = Follower::of(&world, &folder);
    let asked = world.leader().requests();
    until("it fails several times", || (world.leader().requests() >= asked + 4).then_some(()));
    check_unfinished(&folder, &id, step);
    let status = follower.site().get("/health").status;
    assert!(status == 200 || status == 503, "{step}: {status}");
    mend_ledger(&folder);
    check_followed(follower.site(), &folder, &id, step);
}

/// Tant que l'écriture échoue : rien à moitié fait, et le signal est ouvert, à moins que tout ne soit fait.
fn check_unfinished(folder: &Folder, id: &str, step: &str) {
    let books = books::open(&folder.db());
    check_consistent(&books);
    let closed = format!("SELECT count(*) FROM signals WHERE signal_id = '{id}' AND status <> 'received'");
    let expected = if step == "the poll's end" { 1 } else { 0 };
    assert_eq!(number(&books, &closed), expected, "{step}");
}

#[test]
fn a_write_that_fails_leaves_the_signal_open_and_nothing_half_done() {
    for (step, when) in STEPS {
        fails_then_goes_on(step, when, three_trades);
    }
}

/// Ce que le grand livre ne peut pas écrire de lui-même, `/health` le dit, et cesse de le dire.
#[test]
fn a_ledger_that_cannot_be_written_is_told_until_it_can() {
    let (world, folder) = (still_world(), Folder::new());
    half_in_btc(&world, &folder);
    let follower = Follower::of(&world, &folder);
    follower.site().wait_polls(1);
    let health = || follower.site().get("/health");
    assert_eq!((health().status, &health().json()["ledger"]), (200, &"written".into()));
    break_ledger(&folder, "BEFORE UPDATE ON pulse");
    let told = until("it is told", || Some(health()).filter(|answer| answer.status == 503)).json();
    let reason = told["ledger"].as_str().unwrap();
    assert!(reason.contains("could not be read or written") && reason.contains("broken by a test"), "{told}");
    mend_ledger(&folder);
    until("it is written again", || Some(health()).filter(|answer| answer.status == 200));
    check_settled(&books::open(&folder.db()));
}

#[test]
fn actions_interrupted_anywhere_are_each_done_once() {
    for (step, when) in STEPS {
        fails_then_goes_on(step, when, three_actions);
    }
}

#[test]
fn a_process_killed_at_a_given_step_finishes_the_signal_once_started_again() {
    for (step, when) in STEPS {
        let speak = if step.len() % 2 == 0 { three_trades } else { three_actions };
        let (world, folder) = (still_world(), Folder::new());
        half_in_btc(&world, &folder);
        break_ledger(&folder, when);
        let id = speak(&world);
        let asked = world.leader().requests();
        let process = Process::run(&world, &folder);
        until("it has failed once", || (world.leader().requests() >= asked + 2).then_some(()));
        process.kill();
        check_unfinished(&folder, &id, step);
        mend_ledger(&folder);
        let follower = Follower::of(&world, &folder);
        check_followed(follower.site(), &folder, &id, step);
    }
}

/// La synchronisation initiale s'ouvrait avant que le signal dont elle vient ne fût écrit : coupé entre
/// les deux, puis le leader muet le temps qu'elle se fasse, un signal de version 1 se faisait en plus.
#[test]
fn an_initial_sync_interrupted_as_it_opens_does_not_make_its_signal_count_twice() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().no_signal();
    Follower::of(&world, &folder).stop();
    break_ledger(&folder, "BEFORE INSERT ON signals WHEN NEW.signal_id <> 'initial_sync'");
    let id = world.leader().set_actions(&[("BTCUSDC", "BUY", dec!(0.4))], Some(&[("BTCUSDC", dec!(0.4))]));
    let follower = Follower::of(&world, &folder);
    let asked = world.leader().requests();
    until("it fails several times", || (world.leader().requests() >= asked + 3).then_some(()));
    world.refuse_connections(Side::Leader).expect("the port closes");
    mend_ledger(&folder);
    follower.site().wait_polls(3);
    world.accept_connections(Side::Leader).expect("the port opens again");
    follower.site().closed_signal(&id);
    follower.site().closed_signal("initial_sync");
    follower.site().wait_polls(2);
    check_allocation(follower.site(), &[("BTCUSDC", dec!(0.4))]);
    check_settled(&books::open(&folder.db()));
}

/// Le premier euro compté : coupé là, le capital n'est ni perdu ni compté deux fois.
#[test]
fn an_opening_interrupted_is_booked_once() {
    for when in ["BEFORE INSERT ON movements", "BEFORE UPDATE ON account"] {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().no_signal();
        world.fault(On::exchange("/api/v3/ticker/bookTicker"), Fault::body("[]"));
        let follower = Follower::of(&world, &folder);
        follower.site().wait_polls(1);
        follower.stop();
        let books = books::open(&folder.db());
        break_ledger(&folder, when);
        world.clear_faults();
        let follower = Follower::of(&world, &folder);
        let asked = world.leader().requests();
        until("it fails several times", || (world.leader().requests() >= asked + 3).then_some(()));
        assert_eq!(number(&books, "SELECT count(*) FROM movements"), 0, "{when}");
        assert_eq!(number(&books, "SELECT count(*) FROM account WHERE cash IS NULL"), 1, "{when}");
        mend_ledger(&folder);
        follower.site().wait_polls(2);
        assert_eq!(number(&books, "SELECT count(*) FROM movements"), 1, "{when}");
        check_settled(&books);
    }
}
