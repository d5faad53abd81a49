//! `calvalot demo`, le vrai programme : la même graine donne la même histoire, quelle que soit la machine.
//!
//! À 1200 fois la vitesse un tour dure un dixième de seconde. On compare ce que les grands livres ont
//! écrit, sans les heures ; jamais le temps que cela a pris.

mod follower;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use follower::{Folder, Site, decimal, free_port, samples, until};
use rusqlite::Connection;
use rust_decimal::{Decimal, dec};
use serde_json::Value;

/// Les trades et les signaux que l'on compare.
const TRADES: usize = 25;
const SIGNALS: usize = 12;

/// Une démonstration en marche ; la lâcher la tue.
struct Demo {
    child: Child,
    site: Site,
    /// Ce qu'elle a dit en démarrant.
    greeting: String,
}

impl Demo {
    /// `temporary` est le dossier où le système lui fait poser ses fichiers temporaires.
    fn start(temporary: &Path, arguments: &[&str]) -> Demo {
        let port = free_port();
        let mut child = Command::new(env!("CARGO_BIN_EXE_calvalot"))
            .arg("demo")
            .args(["--port", &port.to_string(), "--speed", "1200"])
            .args(arguments)
            .env_clear()
            .env("TMPDIR", temporary)
            .current_dir(temporary)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut greeting = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped"));
        while !greeting.contains("ledger: ") {
            let read = lines.read_line(&mut greeting).expect("the greeting is text");
            assert!(read > 0, "it ended after {greeting:?}");
        }
        // Le journal, lu pour que son tuyau ne se remplisse pas.
        let mut log = child.stderr.take().expect("stderr is piped");
        thread::spawn(move || log.read_to_end(&mut Vec::new()));
        assert!(greeting.contains(&format!("http://localhost:{port}/")), "no address in {greeting:?}");
        Demo { child, site: Site::at(port), greeting }
    }

    /// Attend qu'il y ait de quoi comparer.
    fn wait_for_history(&self) {
        let count = |name: &str| -> Option<f64> {
            let page = self.site.try_get("/metrics")?.body;
            Some(samples(&page, name).iter().map(|(_, value)| value).sum())
        };
        until("there is a history", || {
            let (trades, signals) = (count("calvalot_trades_total")?, count("calvalot_signals")?);
            (trades > TRADES as f64 && signals > SIGNALS as f64 + 1.0).then_some(())
        });
    }

    /// SIGTERM ; rend le code de sortie.
    fn terminate(mut self) -> Option<i32> {
        let sent = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(sent.expect("kill exists").success());
        until("the program ends", || self.child.try_wait().expect("it is ours")).code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Les premiers trades et les premiers signaux d'un grand livre, sans leurs heures.
fn story(folder: &Folder) -> Vec<String> {
    let connection = Connection::open(folder.db()).unwrap();
    let read = |sql: &str, count: usize| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([count as i64], |row| row.get(0)).unwrap();
        let rows: Vec<String> = rows.map(Result::unwrap).collect();
        assert_eq!(rows.len(), count, "{sql}");
        rows
    };
    let trades =
        "SELECT signal_id || ' ' || side || ' ' || coin || ' ' || quantity || ' ' || price || ' ' || amount
        || ' ' || fee_coin || ' ' || fee_cash FROM trades ORDER BY id LIMIT ?1";
    let signals = "SELECT signal_id || ' ' || status || ' ' || reasoning || ' ' || actions || ' ' || portfolio_state
        || ' ' || coalesce(confidence, '') || ' ' || coalesce(error_message, '') FROM signals ORDER BY id LIMIT ?1";
    [read(trades, TRADES), read(signals, SIGNALS)].concat()
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_seed_another() {
    let folders = [Folder::new(), Folder::new(), Folder::new()];
    let demos: Vec<Demo> = folders
        .iter()
        .zip(["3", "3", "4"])
        .map(|(folder, seed)| {
            let db = folder.db();
            Demo::start(folder.path(), &["--seed", seed, "--db", db.to_str().unwrap()])
        })
        .collect();
    for demo in demos {
        demo.wait_for_history();
        assert_eq!(demo.terminate(), Some(0));
    }
    let [one, again, other] = folders.each_ref().map(story);
    for (at, (one, again)) in one.iter().zip(&again).enumerate() {
        assert_eq!(one, again, "seed 3 tells two stories from line {at} on");
    }
    assert_ne!(one[..TRADES], other[..TRADES]);
    assert_ne!(one[TRADES..], other[TRADES..]);
}

/// Ce que vaut un pas d'un coin, en part du tout : l'écart que la bourse ne permet pas d'éviter.
fn step(coin: &str, total: Decimal, price: Decimal) -> Decimal {
    let step = match coin {
        "BTCUSDC" => dec!(0.00001),
        "ETHUSDC" => dec!(0.0001),
        "XRPUSDC" => dec!(0.1),
        _ => dec!(0.001),
    };
    step * price / total
}

/// Le plus grand écart entre ce qui est tenu et ce que le leader vise, au-delà du seuil et d'un pas.
fn excess(site: Site) -> Option<Decimal> {
    let signals = site.try_get("/api/signals?limit=1")?.json();
    let positions = site.try_get("/api/positions")?.json();
    let targets = signals[0]["portfolio_state"]["positions"].as_array()?;
    let total = decimal(&site.json("/api/budget")["total_value_usdt"]);
    let prices = site.json("/api/prices");
    let of = |list: &[Value], coin: &str, field: &str| {
        let found = list.iter().find(|entry| entry["coin"] == coin);
        found
            .and_then(|entry| entry[field].as_f64())
            .map_or(Decimal::ZERO, |_| decimal(&found.expect("it was found")[field]))
    };
    let positions = positions.as_array()?;
    let each = prices.as_object()?.iter().map(|(coin, price)| {
        let drift = of(positions, coin, "weight") - of(targets, coin, "pct_of_portfolio");
        drift.abs() - dec!(0.005) - step(coin, total, decimal(price))
    });
    each.max()
}

#[test]
fn the_positions_come_to_the_leaders_target_again_and_again() {
    const POLLS: f64 = 300.0;
    let folder = Folder::new();
    let demo = Demo::start(folder.path(), &["--seed", "3"]);
    until("it answers", || demo.site.try_get("/health"));
    let mut followed: Vec<String> = Vec::new();
    while followed.len() < 4 {
        let polls = demo.site.polls();
        assert!(polls < POLLS, "after {polls} polls only {followed:?} were reached");
        let newest = demo.site.json("/api/signals?limit=1");
        let Some(id) = newest[0]["signal_id"].as_str() else { continue };
        let reached =
            newest[0]["status"] == "executed" && excess(demo.site).is_some_and(|excess| excess <= dec!(0));
        if reached && !followed.iter().any(|seen| seen == id) {
            followed.push(id.to_owned());
        }
    }
    let signals = demo.site.json("/api/signals?limit=100");
    for id in &followed {
        let signal = signals.as_array().unwrap().iter().find(|signal| signal["signal_id"] == **id);
        assert_eq!(signal.map(|signal| &signal["status"]), Some(&"executed".into()), "{id}");
    }
}

#[test]
fn without_a_place_for_its_ledger_it_leaves_nothing_behind() {
    let folder = Folder::new();
    let demo = Demo::start(folder.path(), &[]);
    demo.site.wait_polls(2);
    let ledger = demo.greeting.split("ledger: ").nth(1).unwrap().trim().trim_end_matches(')').to_owned();
    assert!(Path::new(&ledger).is_file() && ledger.starts_with(folder.path().to_str().unwrap()), "{ledger}");
    assert!(demo.greeting.contains("seed "), "{}", demo.greeting);
    assert_eq!(demo.terminate(), Some(0));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Un grand livre gardé se reprend : la démonstration suivante continue sur lui.
#[test]
fn with_a_place_for_its_ledger_it_keeps_it() {
    let folder = Folder::new();
    let db = folder.db();
    let arguments = ["--db", db.to_str().unwrap()];
    let demo = Demo::start(folder.path(), &arguments);
    demo.site.closed_signal("initial_sync");
    assert_eq!(demo.terminate(), Some(0));
    let demo = Demo::start(folder.path(), &arguments);
    until("it answers", || demo.site.try_get("/health"));
    assert!(demo.site.signal("initial_sync").is_some_and(|signal| signal["status"] == "executed"));
}

/// Ce qu'une démonstration refuse, avec ce qui l'en sort : ses options, elle n'a pas d'environnement.
fn check_refused(folder: &Folder, arguments: &[&str], told: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_calvalot"))
        .arg("demo")
        .args(arguments)
        .env_clear()
        .env("TMPDIR", folder.path())
        .output()
        .expect("the program runs");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(told) && !said.contains("DB_PATH") && !said.contains("another PORT"), "{said}");
    assert!(!said.contains("Open http"), "an address where nothing answers: {said}");
}

#[test]
fn a_demo_that_cannot_start_names_no_variable_and_no_address() {
    let folder = Folder::new();
    let db = folder.db();
    let db = db.to_str().unwrap();
    let demo = Demo::start(folder.path(), &["--db", db]);
    check_refused(&folder, &["--db", db], "a second one needs a --db of its own");
    let port = demo.greeting.split("localhost:").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    check_refused(&folder, &["--port", port], "set another --port");
}

/// Son compte est neuf, le livre ne l'est pas : tout ce qu'il tient manquerait.
#[test]
fn real_orders_of_a_demo_are_not_followed_on_with_another_account() {
    let folder = Folder::new();
    let db = folder.db();
    let db = db.to_str().unwrap();
    let demo = Demo::start(folder.path(), &["--live", "--db", db]);
    until("it answers", || demo.site.try_get("/health"));
    assert_eq!(demo.terminate(), Some(0));
    check_refused(&folder, &["--live", "--db", db], "begins with a new account each time: set another --db");
    check_refused(&folder, &["--db", db], "is a ledger of real orders: set another --db");
}
