//! La perte que l'on se fixe, en simulation : ce qui l'atteint, ce qui ne l'atteint pas, qui la fixe.

mod follower;

use calvalot::clock;
use calvalot::config::Config;
use calvalot::domain::booking::{Booking, Footing};
use calvalot::domain::market::PerCoin;
use calvalot::domain::moment::Moment;
use calvalot::domain::money::{Eur, Rate, Usdc};
use calvalot::domain::portfolio::Valuation;
use calvalot::domain::stop_loss::{Choice, Limit};
use calvalot::ledger::{self, CycleRecord, Fate, Ledger, LedgerError, LedgerThread};
use calvalot::sim::World;
use follower::{Folder, Follower, Process, Site, config, still_world, until};
use rust_decimal::{Decimal, dec};
use serde_json::Value;

const RATE: Rate = Rate::new(dec!(1));
const PATH: &str = "/api/agent/stop-loss";

fn limit(percent: &str) -> Option<Limit> {
    Limit::parse(percent).expect("a limit")
}

/// Un grand livre ouvert avec 100 EUR, à un dollar l'euro, et ses tours, clos un à un.
struct Books {
    ledger: Ledger,
    thread: LedgerThread,
    polls: i64,
}

impl Books {
    /// Une limite de 20 %, et assez de relevés à 100 EUR pour que ce soit le plus haut.
    fn limited(folder: &Folder) -> Books {
        let mut books = Books::open(folder);
        books.with(|db| db.configure_stop_loss(limit("20"))).expect("it is kept");
        books.hold(dec!(100));
        books
    }

    fn open(folder: &Folder) -> Books {
        let (ledger, thread) = ledger::open(&folder.db(), "dry_run", Eur::new(dec!(100)), clock::now())
            .expect("a new ledger opens");
        smol::block_on(ledger.with(|db| db.book_opening(RATE, None, clock::now()))).expect("it is booked");
        Books { ledger, thread, polls: 0 }
    }

    fn with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut ledger::Db) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        smol::block_on(self.ledger.with(job))
    }

    /// Clôt un tour où tout vaut `eur` d'après les carnets, et `averaged` d'après les prix moyens.
    fn beside(&mut self, eur: Decimal, averaged: Option<Decimal>) -> bool {
        self.polls += 1;
        self.close(eur, averaged, self.polls)
    }

    fn close(&self, eur: Decimal, averaged: Option<Decimal>, read_at: i64) -> bool {
        let (total, read_at) = (Usdc::new(eur), Moment(read_at));
        let total_eur = Eur::new(eur);
        let valuation = Valuation { cash: total, coins: PerCoin::default(), total, total_eur, read_at };
        let record = CycleRecord {
            outcome: "already_processed",
            valuation: Some(valuation),
            averaged: averaged.map(Eur::new),
            ..CycleRecord::default()
        };
        let fate = self.with(move |db| db.close_cycle(&record, clock::now())).expect("a cycle is closed");
        assert_ne!(fate, Some(Fate::Dead));
        fate.is_some()
    }

    /// Clôt un tour où tout vaut `eur`, aux prix moyens aussi ; vrai si tout s'arrête.
    fn poll(&mut self, eur: Decimal) -> bool {
        self.beside(eur, Some(eur))
    }

    /// Cinq relevés à ce prix, dont rien ne sort.
    fn hold(&mut self, eur: Decimal) {
        for _ in 0..5 {
            assert!(!self.poll(eur), "stopped at {eur}");
        }
    }

    /// Cinq relevés à ce prix ; tout s'arrête au dernier, et pas avant.
    fn stops_at(&mut self, eur: Decimal) {
        for poll in 1..5 {
            assert!(!self.poll(eur), "stopped at the reading {poll} of {eur}");
        }
        assert!(self.poll(eur), "the fifth reading of {eur} did not stop it");
    }

    fn pause(&self, paused: bool) {
        self.with(move |db| db.set_paused(Some(paused), clock::now())).expect("it is paused");
    }

    fn choose(&self, percent: &str) -> Result<Option<Limit>, LedgerError> {
        let choice = Choice::Own(limit(percent));
        self.with(move |db| db.choose_stop_loss(choice, false))
    }

    /// Le total déposé devient celui-ci.
    fn deposited(&self, total: Decimal) {
        let correction = Booking::Correction { total: Eur::new(total), understood: true };
        self.with(move |db| db.enter(&correction, &Footing::of(RATE), None, clock::now()))
            .expect("the cash covers it");
    }

    /// Le programme s'arrête, et revient.
    fn restart(self, folder: &Folder) -> Books {
        let polls = self.polls;
        drop(self.ledger);
        self.thread.join();
        let (ledger, thread) = ledger::open(&folder.db(), "dry_run", Eur::new(dec!(100)), clock::now())
            .expect("the ledger opens again");
        Books { ledger, thread, polls }
    }
}

#[test]
fn five_readings_in_a_row_stop_it_and_four_never_do() {
    let folder = Folder::new();
    let mut books = Books::limited(&folder);
    for _ in 0..3 {
        for _ in 0..4 {
            assert!(!books.poll(dec!(80)), "four readings stopped it");
        }
        assert!(!books.poll(dec!(80.01)));
    }
    books.stops_at(dec!(80));
    let agent = books.with(|db| db.agent()).expect("it is read");
    let reason = agent.paused_reason.expect("a reason");
    assert!(agent.paused && reason.contains("20 % below its highest") && reason.ends_with("(sell-all-1)"));
    let pending = books.with(|db| db.pending()).expect("they are read");
    assert_eq!(pending.len(), 1, "one sale of everything");
    // En pause, plus rien n'est jugé.
    for _ in 0..20 {
        assert!(!books.poll(dec!(10)), "stopped twice");
    }
    assert_eq!(books.with(|db| db.pending()).expect("they are read").len(), 1);
}

/// Un faux cours, haut ou bas, n'est ni un plus haut ni une perte.
#[test]
fn a_bad_tick_never_stops_it() {
    let folder = Folder::new();
    let mut books = Books::limited(&folder);
    for _ in 0..20 {
        assert!(!books.beside(dec!(10), Some(dec!(100))), "the average prices deny it");
    }
    for _ in 0..20 {
        assert!(!books.beside(dec!(10), None), "nothing confirms it");
    }
    for wrong in [dec!(1000), dec!(100000), dec!(1)] {
        assert!(!books.poll(wrong));
        books.hold(dec!(100));
        for _ in 0..3 {
            assert!(!books.poll(wrong));
        }
        books.hold(dec!(100));
    }
    // Ce qu'on ne sait pas ne compte ni pour ni contre.
    for _ in 0..4 {
        assert!(!books.poll(dec!(70)));
    }
    assert!(!books.beside(dec!(70), None));
    assert!(books.poll(dec!(70)));
}

#[test]
fn one_reading_judged_by_many_polls_never_stops_it() {
    let folder = Folder::new();
    let books = Books::limited(&folder);
    for _ in 0..20 {
        assert!(!books.close(dec!(50), Some(dec!(50)), 1_000));
    }
}

#[test]
fn neither_a_deposit_nor_a_withdrawal_is_a_fall_or_hides_one() {
    let folder = Folder::new();
    let mut books = Books::limited(&folder);
    books.deposited(dec!(40));
    books.hold(dec!(40));
    books.deposited(dec!(1000));
    books.hold(dec!(1000));
    books.hold(dec!(810));
    // Reste à 19 % sous le plus haut, quoi qu'il en soit repris ou versé.
    books.deposited(dec!(500));
    books.hold(dec!(310));
    books.stops_at(dec!(300));
}

/// Placer beaucoup d'argent à côté de peu coûte une part de ce qui est placé, pas du peu qu'il y avait.
#[test]
fn what_a_large_deposit_costs_to_place_is_never_a_fall_of_what_was_there() {
    let folder = Folder::new();
    let mut books = Books::limited(&folder);
    books.deposited(dec!(10_000));
    books.hold(dec!(9_970));
    // Ni ce qu'il gagne d'abord un plus haut d'où tout semblerait tomber.
    books.deposited(dec!(20));
    books.hold(dec!(20));
    books.deposited(dec!(10_000));
    books.hold(dec!(10_100));
    books.hold(dec!(10_000));
    books.stops_at(dec!(7_900));
}

#[test]
fn the_highest_is_followed_and_a_restart_forgets_nothing_of_it() {
    let folder = Folder::new();
    let mut books = Books::limited(&folder);
    books.hold(dec!(150));
    books.hold(dec!(121));
    for _ in 0..3 {
        assert!(!books.poll(dec!(120)));
    }
    let mut books = books.restart(&folder);
    assert!(!books.poll(dec!(120)), "the fourth");
    assert!(books.poll(dec!(120)), "the fifth");
    let books = books.restart(&folder);
    assert_eq!(books.with(|db| db.pending()).expect("they are read").len(), 1);
    assert!(books.with(|db| db.agent()).expect("it is read").paused);
}

#[test]
fn nothing_is_judged_in_a_pause_and_resuming_starts_from_a_new_highest() {
    let folder = Folder::new();
    let mut books = Books::limited(&folder);
    for _ in 0..4 {
        assert!(!books.poll(dec!(70)));
    }
    books.pause(true);
    books.hold(dec!(60));
    books.hold(dec!(60));
    books.pause(false);
    books.hold(dec!(60));
    books.hold(dec!(49));
    // Reprendre ce qui n'est pas en pause ne change rien.
    books.pause(false);
    books.stops_at(dec!(48));
    assert!(books.with(|db| db.stop_loss()).expect("it is read").reached.is_some());
    books.pause(false);
    assert!(books.with(|db| db.stop_loss()).expect("it is read").reached.is_none());
    assert!(books.with(|db| db.pending()).expect("they are read").is_empty(), "it is called off");
    books.hold(dec!(48));
    books.hold(dec!(39));
    books.stops_at(dec!(38));
}

/// Ce que la page fixe l'emporte, et dure ; rendu à `.env`, c'est lui qui vaut.
#[test]
fn what_a_person_sets_wins_over_the_configuration_until_she_gives_it_back() {
    let folder = Folder::new();
    let mut books = Books::limited(&folder);
    assert_eq!(books.choose("40").expect("it is set"), limit("40"));
    books.hold(dec!(70));
    books.hold(dec!(70));
    let mut books = books.restart(&folder);
    assert_eq!(books.with(|db| db.configure_stop_loss(limit("10"))).expect("it is kept"), limit("40"));
    books.hold(dec!(70));
    assert_eq!(books.choose("0").expect("it is off"), None);
    books.hold(dec!(20));
    books.hold(dec!(100));
    let back = books.with(|db| db.choose_stop_loss(Choice::AsConfigured, false));
    assert_eq!(back.expect("it is given back"), limit("10"));
    // Remise, elle compte de là.
    books.hold(dec!(100));
    books.hold(dec!(91));
    books.stops_at(dec!(90));
}

#[test]
fn a_limit_that_is_reached_already_is_not_set_before_it_is_understood() {
    let folder = Folder::new();
    let mut books = Books::limited(&folder);
    books.hold(dec!(85));
    let refused = books.choose("15").expect_err("it would sell at once").to_string();
    assert!(
        refused.contains("15 % below its highest") && refused.contains("\"understood\": true"),
        "{refused}"
    );
    books.hold(dec!(85));
    let choice = Choice::Own(limit("15"));
    let set = books.with(move |db| db.choose_stop_loss(choice, true));
    assert_eq!(set.expect("it is understood"), limit("15"));
    books.stops_at(dec!(85));
}

/// Presque tout en BTC, suivi à 20 % de son plus haut.
fn limited(world: &World, folder: &Folder) -> Follower {
    world.leader().set_target(&[("BTCUSDC", dec!(0.6)), ("ETHUSDC", dec!(0.35))]);
    let follower = Follower::start(Config { stop_loss: limit("20"), ..config(world, folder) });
    follower.site().closed_signal("initial_sync");
    knows_its_highest(follower.site());
    follower
}

fn stop_loss(site: Site) -> Value {
    site.json("/api/agent/status")["stop_loss"].clone()
}

fn knows_its_highest(site: Site) {
    until("it knows its highest", || stop_loss(site)["below_highest_pct"].as_f64());
}

/// Tout ne vaut plus que cette part.
fn fall(world: &World, factor: Decimal) {
    for pair in ["BTCUSDC", "ETHUSDC"] {
        world.exchange().set_price(pair, (world.exchange().price(pair) * factor).round_dp(2));
    }
}

/// Tout est vendu, en pause, une fois.
fn is_sold(site: Site) {
    let sold = until("all is sold", || {
        let status = site.json("/api/agent/status");
        (status["selling_all"]["done"] == true).then_some(status)
    });
    assert_eq!((&sold["paused"], &sold["running"]), (&true.into(), &false.into()), "{sold}");
    assert!(
        sold["stop_loss"]["reached"]["below_highest_pct"].as_f64().is_some_and(|fall| fall >= 20.0),
        "{sold}"
    );
    assert!(
        sold["paused_reason"].as_str().is_some_and(|reason| reason.starts_with("the stop loss was reached"))
    );
    let trades = site.json("/api/trades?limit=100");
    let sales = trades.as_array().expect("a list").iter().filter(|trade| trade["action"] == "SELL").count();
    assert_eq!(sales, 2, "{trades}");
    assert_eq!(
        follower::samples(&site.get("/metrics").body, "calvalot_stop_loss_reached"),
        [(String::new(), 1.0)]
    );
}

#[test]
fn a_fall_below_the_limit_sells_everything_pauses_is_told_and_the_leader_undoes_nothing() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = limited(&world, &folder);
    let site = follower.site();
    fall(&world, dec!(0.7));
    is_sold(site);
    let before = site.json("/api/trades?limit=100").as_array().expect("a list").len();
    world.leader().set_target(&[("BTCUSDC", dec!(0.9))]);
    site.wait_polls(5);
    assert!(site.json("/api/trades?limit=100").as_array().expect("a list").len() == before, "it follows on");
    // Reprendre en est la seule issue, et commence un nouveau plus haut.
    let ways = site.json("/api/ways");
    let resume = ways.as_array().expect("a list").iter().find(|way| way["name"] == "resume").expect("a way");
    assert!(resume["consequence"].as_str().is_some_and(|text| text.contains("new highest")), "{resume}");
    assert_eq!(site.send("POST", "/api/agent/toggle", r#"{"paused": false}"#).status, 200);
    until("it follows again", || {
        let status = site.json("/api/agent/status");
        (status["running"] == true && status["stop_loss"]["reached"].is_null()).then_some(())
    });
    site.wait_polls(12);
    let status = site.json("/api/agent/status");
    assert_eq!(
        (&status["running"], &status["stop_loss"]["low_readings"]),
        (&true.into(), &0.into()),
        "{status}"
    );
}

#[test]
fn a_book_that_the_average_prices_deny_never_stops_it() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = limited(&world, &folder);
    let truth = world.exchange().price("BTCUSDC");
    world.exchange().set_price("BTCUSDC", (truth / dec!(10)).round_dp(2));
    world.exchange().set_average("BTCUSDC", truth);
    follower.site().wait_polls(20);
    let status = follower.site().json("/api/agent/status");
    assert_eq!(
        (&status["running"], &status["stop_loss"]["low_readings"]),
        (&true.into(), &0.into()),
        "{status}"
    );
}

#[test]
fn what_is_set_on_the_page_takes_effect_and_nonsense_is_refused_with_a_sentence() {
    let (world, folder) = (still_world(), Folder::new());
    let follower = limited(&world, &folder);
    let site = follower.site();
    let set = |body: &str| site.send("PUT", PATH, body);
    for body in [
        r#"{"pct": 0.2}"#,
        r#"{"pct": 91}"#,
        r#"{"pct": -3}"#,
        r#"{"pct": "much"}"#,
        r#"{"pct": 12.345}"#,
        r#"{"pct": null}"#,
        r#"{}"#,
        r#"{"pct": 20, "as_configured": true}"#,
        r#"{"percent": 20}"#,
    ] {
        let answer = set(body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        assert!(answer.json()["error"].as_str().is_some_and(|said| said.contains("pct")), "{}", answer.body);
    }
    assert_eq!((&stop_loss(site)["pct"], &stop_loss(site)["set_by"]), (&20.0.into(), &"env".into()));
    let answer = set(r#"{"pct": "35.5"}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let kept = answer.json()["stop_loss"].clone();
    assert_eq!(
        (&kept["pct"], &kept["set_by"], &kept["env_pct"]),
        (&35.5.into(), &"page".into(), &20.0.into())
    );
    fall(&world, dec!(0.7));
    site.wait_polls(12);
    assert_eq!(site.json("/api/agent/status")["running"], true, "the limit is 35.5 now");
    let refused = set(r#"{"pct": 10}"#);
    assert_eq!((refused.status, refused.body.contains("understood")), (409, true), "{}", refused.body);
    assert_eq!(set(r#"{"as_configured": true, "understood": true}"#).status, 200);
    is_sold(site);
}

#[test]
fn off_it_never_stops_anything() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.9))]);
    let follower = Follower::of(&world, &folder);
    follower.site().closed_signal("initial_sync");
    assert_eq!(
        (stop_loss(follower.site())["pct"].is_null(), stop_loss(follower.site())["set_by"].is_null()),
        (true, true)
    );
    fall(&world, dec!(0.3));
    follower.site().wait_polls(15);
    assert_eq!(follower.site().json("/api/agent/status")["running"], true);
}

/// Tué pendant qu'il compte, puis une fois atteinte : une vente, une pause.
#[test]
fn killed_in_the_middle_it_stops_once() {
    let (world, folder) = (still_world(), Folder::new());
    world.leader().set_target(&[("BTCUSDC", dec!(0.6)), ("ETHUSDC", dec!(0.35))]);
    let run = || Process::with(&world, &folder, vec![("STOP_LOSS_PCT", "20".to_owned())]);
    let process = run();
    let ready = until("it is there", || process.site().try_get("/health").map(|_| process.site()));
    ready.closed_signal("initial_sync");
    knows_its_highest(ready);
    fall(&world, dec!(0.7));
    until("it counts", || stop_loss(process.site())["low_readings"].as_u64().filter(|low| *low >= 2));
    process.kill();
    let process = run();
    until("it goes on counting", || {
        let status = process.site().try_get("/api/agent/status")?.json();
        let stop = &status["stop_loss"];
        (stop["low_readings"].as_u64() > Some(2) || !stop["reached"].is_null()).then_some(())
    });
    until("it is reached", || (!stop_loss(process.site())["reached"].is_null()).then_some(()));
    process.kill();
    let process = run();
    until("it is there", || process.site().try_get("/health"));
    is_sold(process.site());
    process.site().wait_polls(3);
    is_sold(process.site());
    assert!(process.site().signal("sell-all-2").is_none(), "twice");
}
