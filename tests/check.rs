//! `calvalot check`, le vrai programme face au monde simulé : chaque défaut provoqué a sa ligne, qui dit quoi
//! faire, et aucun secret n'est écrit.

mod follower;

use std::process::{Command, Stdio};
use std::time::Duration;

use calvalot::config::{Config, Mode};
use calvalot::domain::check::{Check, DECISIVE, REQUIRED, TESTS};
use calvalot::sim::{Fault, On, OrderSide, Reply, Script, Side, Status, Wire, World};
use follower::{Folder, Follower, Process, config, still_world, until};
use rust_decimal::dec;

const ACCOUNT: &str = "/api/v3/account";
const RIGHTS: &str = "/sapi/v1/account/apiRestrictions";

/// Une valeur fausse, que la table ne doit pas montrer non plus.
const WRONG: &str = "wr0ngAndHidden";

/// Une installation à vérifier : un monde, un dossier, et ce qui s'ajoute à l'environnement.
struct Setup {
    world: World,
    folder: Folder,
    environment: Vec<(&'static str, String)>,
}

/// Qui lit s'en va avant la première ligne (`| head -1`) : la fin est la même, sans un cri.
#[test]
fn a_reader_that_goes_away_makes_no_command_panic() {
    let setup = Setup::live();
    let process = Process::run(&setup.world, &setup.folder);
    until("it follows", || (process.site().polls() >= 1.0).then_some(()));
    let port = process.site().address().port().to_string();
    for words in
        [&["--help"][..], &["--version"], &["check"], &["verify", "--offline"], &["decide"], &["healthcheck"]]
    {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
        command.args(words).env_clear().envs(setup.environment.iter().cloned()).env("PORT", &port);
        command
            .env("TRADING_MODE", "dry_run")
            .current_dir(setup.folder.path())
            .stdin(Stdio::null())
            .stdout(writer);
        let output = command.output().expect("the program starts");
        let error = String::from_utf8(output.stderr).expect("text");
        assert_eq!((output.status.code(), error.as_str()), (Some(0), ""), "{words:?}");
    }
}

/// Ce que la commande a répondu.
#[derive(Debug)]
struct Table {
    code: Option<i32>,
    out: String,
    error: String,
}

impl Setup {
    /// Un monde immobile, une clé, et un leader qui veut des parts assez grandes.
    fn new() -> Setup {
        let (world, folder) = (still_world(), Folder::new());
        world.leader().set_target(&[("BTCUSDC", dec!(0.5)), ("ETHUSDC", dec!(0.25))]);
        let environment = follower::environment(&world, &folder).into_iter().chain(follower::key()).collect();
        Setup { world, folder, environment }
    }

    fn live() -> Setup {
        Setup::new().with("TRADING_MODE", "live")
    }

    fn with(mut self, name: &'static str, value: &str) -> Setup {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.to_owned()));
        self
    }

    fn check(&self) -> Table {
        let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
        command.arg("check").env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        let output = command.output().expect("the program starts");
        let table = Table {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("text"),
            error: String::from_utf8(output.stderr).expect("text"),
        };
        let script = Script::default();
        for secret in [&script.secret, &script.api_key, &script.api_secret, WRONG] {
            assert!(!table.out.contains(secret) && !table.error.contains(secret), "a secret in {table:?}");
        }
        assert!(!table.error.contains("panicked"), "{table:?}");
        table
    }

    /// Un seul défaut : sa ligne contient `found`, la suivante `remedy`.
    fn check_fault(&self, test: &str, found: &str, remedy: &str) {
        let table = self.check();
        assert_eq!(table.code, Some(1), "{}", table.out);
        assert_eq!(table.error, "calvalot: 1 fault\n", "{}", table.out);
        let (verdict, line, advice) = table.line(test);
        assert_eq!(verdict, "FAULT", "{test}:\n{}", table.out);
        assert!(line.contains(found), "{found:?} is not in {line:?}");
        assert!(advice.contains(remedy), "{remedy:?} is not in {advice:?}");
    }

    /// Aucun défaut, mais cet essai n'a pas pu se faire : pourquoi, et quoi faire.
    fn check_untested(&self, test: &str, found: &str, remedy: &str) {
        let table = self.check();
        assert_eq!(table.code, Some(1), "{}", table.out);
        assert_eq!(table.error, "calvalot: not all could be tested, try again\n", "{}", table.out);
        let (verdict, line, advice) = table.line(test);
        assert_eq!(verdict, "-", "{}", table.out);
        assert!(line.contains(found) && advice.contains(remedy), "{line:?} {advice:?}");
    }

    /// Aucun défaut, mais cette ligne porte un conseil qui contient `advice`.
    fn check_remark(&self, test: &str, found: &str, expected: &str) {
        let table = self.check();
        assert_eq!((table.code, table.error.as_str()), (Some(0), ""), "{}", table.out);
        let (verdict, line, advice) = table.line(test);
        assert_eq!(verdict, "ok", "{}", table.out);
        assert!(line.contains(found) && advice.contains(expected), "{line:?} {advice:?}");
    }
}

impl Table {
    /// Le verdict d'un essai, ce qui a été trouvé, et le conseil qui suit (vide s'il n'y en a pas).
    fn line(&self, test: &str) -> (&str, &str, &str) {
        let lines: Vec<&str> = self.out.lines().collect();
        let start = format!("{test:<14} ");
        let at = lines.iter().position(|line| line.starts_with(&start));
        let at = at.unwrap_or_else(|| panic!("no line {test} in\n{}", self.out));
        let (verdict, found) = lines[at][15..].split_once(' ').expect("a verdict and a text");
        let advice = lines.get(at + 1).and_then(|line| line.trim_start().strip_prefix("-> "));
        (verdict, found.trim_start(), advice.unwrap_or_default())
    }

    fn verdicts(&self) -> Vec<(&str, &str)> {
        TESTS.into_iter().map(|test| (test, self.line(test).0)).collect()
    }
}

#[test]
fn all_is_well_and_nothing_has_changed() {
    let setup = Setup::live();
    let table = setup.check();
    assert_eq!((table.code, table.error.as_str()), (Some(0), ""), "{}", table.out);
    for (test, verdict) in table.verdicts() {
        assert_eq!(verdict, "ok", "{test}:\n{}", table.out);
        assert_eq!(table.line(test).2, "", "an advice where all is well");
    }
    assert_eq!(table.out.lines().count(), TESTS.len(), "{}", table.out);
    assert!(setup.world.exchange().accepted_orders().is_empty());
    let left = std::fs::read_dir(setup.folder.path()).expect("the folder").count();
    assert_eq!(left, 0, "it left something behind");
}

/// Chaque ligne que la commande montre, et ce qu'elle ferme quand elle est un défaut ou n'a pas pu se faire.
#[test]
fn what_closes_live_trading_is_decided_for_each_line() {
    // Une configuration fausse arrête le démarrage : sa ligne n'a que des remarques. Sans leader il n'y a rien à
    // suivre. Une paire arrêtée, un achat trop petit, un solde court, un ordre en doute ne gênent que leur coin.
    let decided = [
        ("configuration", false, false),
        ("disk", true, false),
        ("ledger", false, false),
        ("orders", false, false),
        ("leader", false, false),
        ("clock", true, true),
        ("exchange", true, true),
        ("pairs", false, false),
        ("minima", false, false),
        ("key", true, true),
        ("key rights", true, false),
        ("key IPs", false, false),
        ("account", true, true),
        ("account pairs", false, false),
        ("balance", false, false),
    ];
    let table = Setup::live().check();
    let shown: Vec<&str> = table.out.lines().map(|line| line[..15].trim_end()).collect();
    assert_eq!(shown, decided.map(|(test, ..)| test));
    for (test, at_fault, untested) in decided {
        assert_eq!(Check::fault(test, "wrong", "mend it").stops_trading(), at_fault, "{test}");
        assert_eq!(Check::not_tested(test, "nobody answered").stops_trading(), untested, "{test}");
    }
    for test in DECISIVE.iter().chain(&REQUIRED) {
        assert!(shown.contains(test), "no line is called {test}");
    }
}

#[test]
fn what_could_not_be_tested_is_not_all_well() {
    let setup = Setup::live();
    setup.world.fault(On::exchange("/api/v3/time"), Fault::answer(Reply::empty(504)));
    let table = setup.check();
    assert_eq!(table.code, Some(1), "{}", table.out);
    assert_eq!(table.error, "calvalot: not all could be tested, try again\n", "{}", table.out);
    assert!(!table.out.contains("FAULT") && table.line("key").0 == "-", "{}", table.out);
    let simulation = setup.with("TRADING_MODE", "dry_run").check();
    assert_eq!(simulation.code, Some(0), "{}", simulation.out);
}

#[test]
fn a_simulation_needs_no_key_and_says_so() {
    let setup = Setup::new().with("BINANCE_API_KEY", "").with("BINANCE_API_SECRET", "");
    let table = setup.check();
    assert_eq!(table.code, Some(0), "{}", table.out);
    for test in ["key", "key rights", "key IPs", "account", "account pairs", "balance"] {
        assert_eq!(table.line(test), ("-", "not needed for dry_run", ""), "{}", table.out);
    }
    assert_eq!(setup.world.exchange().calls(ACCOUNT), 0);
    let live = setup.with("TRADING_MODE", "live");
    live.check_fault("key", "live needs one", "BINANCE_API_KEY");
    assert_eq!(live.check().line("balance").0, "-");
}

#[test]
fn a_key_in_a_simulation_is_tested() {
    let table = Setup::new().check();
    assert_eq!(table.code, Some(0), "{}", table.out);
    assert!(table.verdicts().iter().all(|(_, verdict)| *verdict == "ok"), "{}", table.out);
    assert!(table.line("balance").1.contains("1000.00 USDC free"), "{}", table.out);
}

#[test]
fn a_configuration_that_cannot_be_read_ends_with_2() {
    let table = Setup::new().with("PORT", "0").with("ALLOW_WITHDRAWAL_KEY", "maybe").check();
    assert_eq!((table.code, table.out.as_str()), (Some(2), ""));
    assert!(table.error.contains("PORT") && table.error.contains("ALLOW_WITHDRAWAL_KEY"), "{}", table.error);
}

#[test]
fn half_a_key_is_told_to_be_half_set() {
    Setup::live().with("BINANCE_API_SECRET", "").check_fault("key", "BINANCE_API_SECRET: not set", "secret");
    Setup::live().with("BINANCE_API_KEY", "wrong key").check_fault("key", "no key has", "copy it again");
}

#[test]
fn a_disk_where_nothing_can_be_written_is_a_fault() {
    let setup = Setup::live();
    let file = setup.folder.path().join("file");
    std::fs::write(&file, "no folder").expect("a file");
    let below = file.join("calvalot.db").display().to_string();
    setup.with("DB_PATH", &below).with("CONFIG_PATH", "none.json").check_fault(
        "disk",
        "cannot write in",
        "DB_PATH",
    );
}

/// La copie n'arrête aucun échange, mais c'est avant d'en avoir besoin que cela s'apprend.
#[test]
fn a_folder_of_copies_where_nothing_can_be_written_is_not_well() {
    let setup = Setup::live();
    setup.world.exchange().set_balance("USDC", dec!(2000));
    let copies = setup.folder.path().join("backups");
    std::fs::write(&copies, "no folder").expect("a file");
    let expected = format!("no copy can be made in {}", copies.display());
    setup.check_remark("disk", "is writable", &expected);
}

#[test]
fn a_ledger_is_looked_at_while_the_daemon_runs_and_belongs_to_its_mode() {
    let setup = Setup::new();
    let process = Process::run(&setup.world, &setup.folder);
    until("it follows", || (process.site().polls() >= 1.0).then_some(()));
    let table = setup.check();
    assert_eq!(table.code, Some(0), "{}", table.out);
    assert!(table.line("ledger").1.contains("a ledger of dry_run, 1000 EUR deposited"), "{}", table.out);
    process.site().wait_polls(1);
    assert_eq!(process.terminate(), Some(0));
    assert_eq!(setup.check().line("ledger").0, "ok");
    assert!(!setup.folder.path().join("calvalot.db-wal").exists(), "it left something behind");
    let odd = setup.folder.path().join("a%20b?c#d.db");
    std::fs::copy(setup.folder.db(), &odd).expect("a copy");
    let setup = setup.with("DB_PATH", &odd.display().to_string());
    assert!(setup.check().line("ledger").1.contains("a ledger of dry_run"), "an odd name");
    let db = setup.folder.db().display().to_string();
    let setup = setup.with("DB_PATH", &db).with("TRADING_MODE", "live");
    setup.check_fault("ledger", "belongs to dry_run and TRADING_MODE is live", "another DB_PATH for live");
    let books = rusqlite::Connection::open(setup.folder.db()).expect("the database");
    books.execute_batch("PRAGMA user_version = 99").expect("the database is writable");
    drop(books);
    setup.check_fault("ledger", "version 99", "");
    std::fs::write(setup.folder.db(), "this is no database at all".repeat(100)).expect("a file");
    setup.check_fault("ledger", "not a database", "put a good copy back with `calvalot restore FILE`");
}

/// Pose à sa place une base du programme Python, vide.
fn python_tables(setup: &Setup) {
    let books = rusqlite::Connection::open(setup.folder.db()).expect("a database");
    for table in ["budget", "trades", "positions", "signals", "budget_snapshots", "withdrawals"] {
        let sql = format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY)");
        books.execute_batch(&sql).expect("it is writable");
    }
}

#[test]
fn a_database_of_the_python_version_is_left_for_the_first_start() {
    let setup = Setup::new();
    python_tables(&setup);
    let before = std::fs::read(setup.folder.db()).expect("the file");
    let table = setup.check();
    assert_eq!(table.code, Some(0), "{}", table.out);
    assert!(table.line("ledger").1.contains("the first start takes it over"), "{}", table.out);
    assert_eq!(std::fs::read(setup.folder.db()).expect("the file"), before);
}

#[test]
fn the_leader_s_faults_are_told_apart() {
    let setup = Setup::live().with("SIGNAL_SECRET", WRONG);
    setup.check_fault("leader", "refused our signature", "SIGNAL_SECRET");
    assert_eq!(setup.check().line("minima").0, "-");
    let setup = Setup::live();
    setup.world.leader().set_raw(r#"{"version": 7, "signal_id": "x"}"#);
    setup.check_fault("leader", "signal x is refused", "runs the leader");
    setup.world.leader().set_raw("<html>");
    setup.check_fault("leader", "no valid signal", "LEADER_URL");
    setup.world.leader().no_signal();
    let table = setup.check();
    assert_eq!((table.code, table.line("leader").0), (Some(0), "ok"), "{}", table.out);
    setup.world.refuse_connections(Side::Leader).expect("the port closes");
    setup.check_fault("leader", "cannot be reached", "LEADER_URL");
}

#[test]
fn a_clock_that_is_off_is_told_and_does_not_spoil_the_signatures() {
    for (skew, way) in [(-120_000, "ahead of"), (120_000, "behind")] {
        let setup = Setup::live();
        setup.world.exchange().set_skew(skew);
        setup.check_fault("clock", way, "timedatectl");
        assert_eq!(setup.check().line("key").0, "ok", "signed at the machine's time");
    }
    let setup = Setup::live();
    setup.world.exchange().set_skew(5_000);
    setup.check_remark("clock", "behind", "timedatectl");
}

#[test]
fn a_request_refused_for_its_time_is_told_so() {
    let setup = Setup::live();
    let refused = Reply::code(400, -1021, "Timestamp for this request is outside of the recvWindow.");
    setup.world.fault(On::exchange(ACCOUNT), Fault::answer(refused));
    setup.check_fault("key", "-1021", "clock");
}

#[test]
fn an_exchange_that_does_not_answer_is_told_once_per_reason() {
    let setup = Setup::live();
    setup.world.refuse_connections(Side::Exchange).expect("the port closes");
    setup.check_fault("exchange", "cannot be reached", "network");
    let table = setup.check();
    let expected = [
        ("configuration", "ok"),
        ("disk", "ok"),
        ("ledger", "ok"),
        ("orders", "ok"),
        ("leader", "ok"),
        ("clock", "-"),
        ("exchange", "FAULT"),
        ("pairs", "-"),
        ("minima", "-"),
        ("key", "-"),
        ("key rights", "-"),
        ("key IPs", "-"),
        ("account", "-"),
        ("account pairs", "-"),
        ("balance", "-"),
    ];
    assert_eq!(table.verdicts(), expected, "{}", table.out);
    assert_eq!(table.line("exchange").1.matches("cannot be reached").count(), 1, "{}", table.out);
}

#[test]
fn silence_asked_for_by_the_exchange_is_kept_by_every_later_test() {
    let setup = Setup::live();
    setup.world.fault(On::exchange(ACCOUNT), Fault::answer(Reply::too_many_requests(30)));
    setup.check_untested("key", "answered 429", "wait until then");
    let setup = Setup::live();
    setup.world.fault(On::exchange(RIGHTS), Fault::answer(Reply::banned(120, 1_790_000_000_000)));
    let table = setup.check();
    for test in ["key rights", "account pairs"] {
        assert!(table.line(test).1.contains("answered 418"), "{}", table.out);
    }
    assert_eq!(setup.world.exchange().calls("/api/v3/exchangeInfo"), 1, "it asked again");
}

#[test]
fn what_the_ledger_of_a_live_account_remembers_is_tested() {
    let setup = Setup::live();
    setup.world.exchange().set_balance("USDC", dec!(2000));
    let poll_interval = Duration::from_secs(1);
    let config = Config { mode: Mode::Live, poll_interval, ..config(&setup.world, &setup.folder) };
    let follower = Follower::start(config);
    follower.site().closed_signal("initial_sync");
    follower.stop();
    let table = setup.check();
    assert_eq!(table.code, Some(0), "{}", table.out);
    assert_eq!(table.line("orders"), ("ok", "none is in doubt", ""), "{}", table.out);
    let books = |sql: &str| {
        let books = rusqlite::Connection::open(setup.folder.db()).expect("the database");
        books.execute_batch(sql).expect("the database is writable");
    };
    books("UPDATE intents SET state = 'unknown' WHERE coin = 'BTCUSDC'");
    setup.check_remark("orders", "in doubt: BUY BTCUSDC (cal-", "until it is sure");
    books("UPDATE intents SET late = 1 WHERE coin = 'ETHUSDC'");
    setup.check_fault("orders", "executed late: BUY ETHUSDC (cal-", "release them on the page");
    books("UPDATE intents SET late = 0; UPDATE intents SET state = 'stuck' WHERE coin = 'BTCUSDC'");
    setup.check_fault("orders", "stuck: BUY BTCUSDC (cal-", "until a person has looked");
    books("UPDATE intents SET state = 'filled'");
    setup.world.exchange().edit_account(|account| account.uid += 1);
    setup.check_fault("account", "another account than the one this ledger began with", "another DB_PATH");
    setup.world.exchange().edit_account(|account| account.uid -= 1);
    let now = calvalot::clock::now().0;
    let silence = |from: i64, until: i64| {
        format!("UPDATE exchange SET silent_status = 418, silent_from = {from}, silent_until = {until}")
    };
    books(&silence(now - 3_600_000, now - 1));
    assert_eq!(setup.check().code, Some(0), "a silence that is over");
    books(&silence(now - 1000, now + 3_600_000));
    let calls =
        || ["/api/v3/time", "/api/v3/exchangeInfo", ACCOUNT].map(|path| setup.world.exchange().calls(path));
    let before = calls();
    setup.check_fault("exchange", "answered 418 and is not called again before", "wait until then");
    assert_eq!(calls(), before, "it called all the same");
}

#[test]
fn html_silence_and_nonsense_are_answers_like_others() {
    let cases = [
        (Fault::answer(Reply::html(502, "<html>bad gateway")), "502", "network"),
        (Fault::answer(Reply::empty(504)), "504", "network"),
        (Fault::answer(Reply::empty(200)), "cannot be read", "network"),
        (Fault::body(r#"{"canTrade":1}"#), "cannot be read", "network"),
        (Fault::unprocessed(Wire::Close), "did not send a whole answer", "network"),
        (Fault::processed(Wire::Truncate), "did not send a whole answer", "network"),
        (Fault::answer(Reply::firewall()), "answered 403", "wait until then"),
    ];
    for (fault, found, remedy) in cases {
        let setup = Setup::live();
        setup.world.fault(On::exchange(ACCOUNT), fault);
        setup.check_untested("key", found, remedy);
        assert_eq!(setup.check().line("account").1, "the exchange does not answer");
    }
    let setup = Setup::live();
    setup.world.fault(On::exchange(ACCOUNT), Fault::answer(Reply::restricted_location()));
    setup.check_fault("key", "451", "does not serve the place");
    assert_eq!(setup.check().line("account").1, "the key could not be tried");
}

#[test]
fn a_balance_that_cannot_be_read_is_no_zero() {
    let setup = Setup::live();
    let garbled = Wire::Rewrite { from: "\"free\":\"1000".to_owned(), to: "\"free\":\"1e3".to_owned() };
    setup.world.fault(On::exchange(ACCOUNT), Fault::processed(garbled));
    setup.check_untested("key", "cannot be read", "try again");
}

/// Le prix d'une monnaie n'est pas celui de l'euro.
#[test]
fn what_a_price_that_is_not_believed_leaves_known_is_tested_and_what_is_missing_is_named() {
    let setup = Setup::live();
    let path = "/api/v3/ticker/bookTicker";
    let unread =
        Wire::Rewrite { from: "\"symbol\":\"BTCUSDC\"".to_owned(), to: "\"symbol\":\"BTCUSDX\"".to_owned() };
    setup.world.fault(On::exchange(path), Fault::processed(unread));
    setup.check_remark("exchange", "unknown price BTCUSDC", "is not needed");
    let table = setup.check();
    assert_eq!((table.line("balance").0, table.line("pairs").0), ("ok", "ok"), "{}", table.out);
    assert_eq!(table.line("minima").1, "not known now: price BTCUSDC", "{}", table.out);
}

#[test]
fn a_ledger_that_is_dead_is_never_said_to_be_well() {
    let setup = Setup::new();
    let process = Process::run(&setup.world, &setup.folder);
    until("it follows", || (process.site().polls() >= 1.0).then_some(()));
    assert_eq!(process.terminate(), Some(0));
    let books = rusqlite::Connection::open(setup.folder.db()).expect("the database");
    books.execute_batch("UPDATE agent SET state = 'DEAD'").expect("the database is writable");
    drop(books);
    setup.check_fault("ledger", "DEAD: its value fell below 5 EUR", "another DB_PATH");
    assert_eq!(setup.check().line("orders").0, "ok");
}

#[test]
fn a_time_zone_that_does_not_exist_ends_before_anything_else() {
    let setup = Setup::new().with("TZ", "Europe/Pariss");
    let table = setup.check();
    assert_eq!((table.code, table.out.as_str()), (Some(2), ""));
    assert!(table.error.starts_with("TZ: \"Europe/Pariss\" is no time zone"), "{}", table.error);
    assert_eq!(Setup::new().with("TZ", "CET-1CEST").check().code, Some(0));
}

#[test]
fn a_pair_that_is_halted_is_a_fault() {
    let setup = Setup::live();
    setup.world.exchange().set_status("SOLUSDC", Status::Halt);
    setup.check_fault("pairs", "SOLUSDC is not traded now (HALT)", "wait");
}

#[test]
fn weights_below_the_minimum_are_named() {
    let setup = Setup::live().with("INITIAL_BUDGET_EUR", "10");
    setup.world.leader().set_target(&[("BTCUSDC", dec!(0.9)), ("XRPUSDC", dec!(0.02))]);
    setup.check_remark("minima", "XRPUSDC: 2.00 %", "would hold each of them");
    assert!(!setup.check().line("minima").1.contains("BTCUSDC"));
    setup.world.leader().set_target(&[("XRPUSDC", dec!(0.02))]);
    setup.check_fault("minima", "XRPUSDC: 2.00 %", "nothing could be bought");
}

/// Trois des quatre s'achètent, au moindre montant que la bourse prend : ce n'est pas rien.
#[test]
fn what_can_be_bought_in_part_is_never_said_to_be_nothing() {
    let setup = Setup::live().with("INITIAL_BUDGET_EUR", "20");
    let wanted = ["BTCUSDC", "ETHUSDC", "BNBUSDC", "SOLUSDC"].map(|coin| (coin, dec!(0.2)));
    setup.world.leader().set_target(&wanted);
    setup.check_remark(
        "minima",
        "USDC: 20.00 % is ",
        "puts their share into the others or leaves it in cash; a capital of ",
    );
    let table = setup.check();
    let left = wanted.iter().filter(|(coin, _)| table.line("minima").1.contains(coin)).count();
    assert_eq!(left, 1, "{}", table.out);
    let setup = setup.with("TRADING_MODE", "dry_run");
    assert_eq!(setup.check().line("minima").0, "ok");
    // Ce qu'il en faut est ce qu'il en faut.
    let text = table.line("minima").2.to_owned();
    let enough =
        text.split("a capital of ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a figure");
    let setup = setup.with("INITIAL_BUDGET_EUR", Box::leak(enough.to_owned().into_boxed_str()));
    assert!(setup.check().line("minima").1.contains("is enough"), "{}", setup.check().out);
}

#[test]
fn the_key_s_faults_are_told_apart() {
    Setup::live().with("BINANCE_API_SECRET", WRONG).check_fault(
        "key",
        "-1022",
        "the secret is not the one of BINANCE_API_KEY",
    );
    Setup::live().with("BINANCE_API_KEY", WRONG).check_fault("key", "-2015", "list of IPs");
    let codes = [(-2014, "64 letters and digits"), (-2008, "BINANCE_TESTNET")];
    for (code, remedy) in codes {
        let setup = Setup::live();
        setup.world.fault(On::exchange(ACCOUNT), Fault::answer(Reply::code(401, code, "refused")));
        setup.check_fault("key", &code.to_string(), remedy);
        assert_eq!(setup.check().line("account").1, "needs a key the exchange accepts");
    }
}

#[test]
fn the_key_s_rights_are_what_is_needed_and_no_more() {
    let setup = Setup::live();
    setup.world.exchange().edit_account(|account| account.key_may_withdraw = true);
    setup.check_fault("key rights", "may withdraw", "untick Enable Withdrawals");
    let setup = setup.with("ALLOW_WITHDRAWAL_KEY", "true");
    setup.check_remark("key rights", "withdraw", "safer");
    let setup = Setup::live();
    setup.world.exchange().edit_account(|account| account.key_may_trade = false);
    setup.check_fault("key rights", "may not trade", "tick Enable Spot");
    let setup = Setup::live();
    let blind =
        Wire::Rewrite { from: "\"enableReading\":true".to_owned(), to: "\"enableReading\":false".to_owned() };
    setup.world.fault(On::exchange(RIGHTS), Fault::processed(blind));
    setup.check_fault("key rights", "may not read", "tick Enable Reading");
    let setup = Setup::live();
    setup.world.exchange().edit_account(|account| account.key_ip_restricted = false);
    setup.check_remark("key IPs", "from everywhere", "restrict the key");
    let setup = Setup::live();
    setup.world.fault(On::exchange(RIGHTS), Fault::answer(Reply::empty(404)));
    setup.check_fault("key rights", "404", "");
    assert_eq!(setup.check().line("account").0, "ok");
}

#[test]
fn the_test_network_has_no_rights_to_tell() {
    let setup = Setup::live().with("BINANCE_TESTNET", "true");
    let table = setup.check();
    assert_eq!(table.code, Some(0), "{}", table.out);
    for test in ["key rights", "key IPs"] {
        assert_eq!(table.line(test).0, "-", "{}", table.out);
    }
    assert_eq!(setup.world.exchange().calls(RIGHTS), 0);
}

#[test]
fn an_account_that_may_not_trade_is_told_with_the_pairs() {
    let setup = Setup::live();
    setup.world.exchange().edit_account(|account| account.can_trade = false);
    setup.check_fault("account", "may not trade", "log in");
    let setup = Setup::live();
    setup
        .world
        .exchange()
        .edit_listing("XRPUSDC", |listing| listing.permission_sets = vec![vec!["TRD_GRP_9"]]);
    setup.check_fault("account pairs", "may not trade XRPUSDC", "ask its support");
}

#[test]
fn a_new_ledger_is_never_begun_with_less_than_ten_euros() {
    let setup = Setup::live().with("INITIAL_BUDGET_EUR", "9.99");
    let table = setup.check();
    let (verdict, found, advice) = table.line("ledger");
    assert!(verdict == "FAULT" && found.contains("9.99 EUR are too little"), "{}", table.out);
    assert!(advice.contains("INITIAL_BUDGET_EUR to 10"), "{advice}");
}

#[test]
fn the_money_for_the_first_purchases_is_there() {
    let setup = Setup::live();
    setup.world.exchange().set_balance("USDC", dec!(20));
    setup.check_fault("balance", "20.00 USDC free", "Spot wallet");
    setup.world.exchange().set_balance("USDC", dec!(0));
    setup.check_fault("balance", "0.00 USDC free", "Spot wallet");
}

/// Ce qui est bloqué n'est ni à apporter, ni à effacer.
#[test]
fn money_locked_in_an_order_of_ones_own_is_never_asked_for() {
    let setup = Setup::live();
    let process = Process::live(&setup.world, &setup.folder);
    until("it has begun", || {
        process.site().try_get("/api/budget")?;
        process.site().json("/api/budget")["cash_usdt"].as_f64()
    });
    assert_eq!(process.terminate(), Some(0));
    let exchange = setup.world.exchange();
    let kept = exchange.balance("USDC").free - dec!(950);
    assert!(exchange.rest_order("ETHUSDC", OrderSide::Buy, kept / dec!(10), dec!(10), "by-hand").is_some());
    setup.check_fault("balance", "locked in an order of yours", "cancelled on the exchange");
}

/// Rien ne commence là : ce que dit la configuration n'y manque pas.
#[test]
fn a_ledger_of_before_of_another_mode_or_lost_asks_for_nothing_to_begin_with() {
    let setup = Setup::live();
    setup.world.exchange().set_balance("USDC", dec!(20));
    let asks_nothing = |code, ledger: &str, why: &str| {
        let table = setup.check();
        assert_eq!(table.code, Some(code), "{}", table.out);
        assert_eq!(table.line("ledger").0, ledger, "{}", table.out);
        let (verdict, found, advice) = table.line("balance");
        assert_eq!((verdict, advice), ("-", ""), "{}", table.out);
        assert!(found.contains("20.00 USDC free") && found.contains(why), "{found}");
        assert_eq!(table.line("minima").0, "-", "{}", table.out);
    };
    python_tables(&setup);
    asks_nothing(0, "ok", "takes over is not counted yet");
    std::fs::remove_file(setup.folder.db()).expect("it is ours");
    let process = Process::run(&setup.world, &setup.folder);
    until("it follows", || (process.site().polls() >= 1.0).then_some(()));
    assert_eq!(process.terminate(), Some(0));
    asks_nothing(1, "FAULT", "the ledger is not known");
    std::fs::remove_file(setup.folder.db()).expect("it is ours");
    asks_nothing(1, "FAULT", "the ledger is not known");
}

#[test]
fn a_word_too_many_is_refused() {
    let setup = Setup::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_calvalot"));
    let output = command.args(["check", "now"]).env_clear().current_dir(setup.folder.path()).output();
    assert_eq!(output.expect("the program starts").status.code(), Some(2));
}
