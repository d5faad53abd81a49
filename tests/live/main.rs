//! Négocier pour de vrai, vu du dehors : le suiveur en `live` face à la bourse simulée, par HTTP.
//!
//! L'oracle est double : le journal des ordres que la bourse a acceptés, que rien n'efface, et les soldes du
//! compte. Après chaque histoire le grand livre doit en être l'image exacte ([`Bench::check`]).

#[path = "../books/mod.rs"]
mod books;
#[path = "../fake/mod.rs"]
mod fake;
#[path = "../follower/mod.rs"]
mod follower;

mod access;
mod answers;
mod balances;
mod booking;
mod copies;
mod crashes;
mod crowd;
mod depth;
mod differences;
mod fees;
mod money;
mod priceless;
mod recovery;
mod refusals;
mod silence;
mod speed;
mod stop_loss;
mod targets;
mod views;
mod ways;
mod withdrawals;

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use calvalot::config::{Config, Mode};
use calvalot::sim::{Balance, Exchange, Fault, Level, On, Order, Pace, Script, World};
use follower::{Folder, Follower, config, until};
use rusqlite::Connection;
use rust_decimal::{Decimal, dec};
use serde_json::Value;

const ORDER: &str = "/api/v3/order";
const ACCOUNT: &str = "/api/v3/account";

type Target<'a> = &'a [(&'a str, Decimal)];

/// Un monde immobile, un grand livre, et ce que le compte tenait au départ.
struct Bench {
    world: World,
    folder: Folder,
    start: BTreeMap<String, Balance>,
    /// Entre deux tours.
    pace: Duration,
}

impl Bench {
    /// 2000 USDC : plus que le capital, comme sur un compte qui sert aussi à autre chose.
    fn new() -> Bench {
        Bench::holding(&[("USDC", dec!(2000))])
    }

    fn holding(balances: &[(&str, Decimal)]) -> Bench {
        let balances = balances.iter().map(|(asset, free)| ((*asset).to_owned(), *free)).collect();
        let script = Script { pace: Pace::Frozen, balances, ..Script::default() };
        let world = World::start(script).expect("the loopback has free ports");
        // Un tour toutes les 50 ms ferait ce que personne ne fait : passer les limites de débit.
        world.exchange().set_weight_limit(i64::from(u32::MAX));
        world.exchange().set_raw_limit(i64::from(u32::MAX));
        let pace = Duration::from_millis(50);
        Bench { start: world.exchange().balances(), world, folder: Folder::new(), pace }
    }

    /// Des tours moins pressés, pour les histoires qui durent.
    fn every(self, pace: Duration) -> Bench {
        Bench { pace, ..self }
    }

    fn exchange(&self) -> &Exchange {
        self.world.exchange()
    }

    fn config(&self) -> Config {
        Config { mode: Mode::Live, poll_interval: self.pace, ..config(&self.world, &self.folder) }
    }

    fn follow(&self) -> Follower {
        Follower::start(self.config())
    }

    /// Un suiveur qui a déjà atteint cette allocation.
    fn settled(&self, target: Target) -> Follower {
        self.world.leader().set_target(target);
        let follower = self.follow();
        follower.site().closed_signal("initial_sync");
        follower.site().wait_polls(2);
        follower
    }

    /// Le leader veut autre chose ; rend le signal une fois clos.
    fn reach(&self, follower: &Follower, target: Target) -> Value {
        let id = self.world.leader().set_target(target);
        follower.site().closed_signal(&id)
    }

    /// Frappe les envois d'ordres de cette panne, à la place que dit `when`.
    fn strike(&self, when: impl FnOnce(On) -> On, fault: Fault) {
        self.world.fault(when(On::exchange(ORDER).method("POST")), fault);
    }

    fn books(&self) -> Connection {
        books::open(&self.folder.db())
    }

    /// Une réponse du grand livre, un texte ; vide si elle est nulle ou s'il n'y en a pas.
    fn told(&self, sql: &str) -> String {
        let told = self.books().query_row(sql, [], |row| row.get::<_, Option<String>>(0));
        told.ok().flatten().unwrap_or_default()
    }

    /// Attend que les intentions de cette paire en soient là, de la plus ancienne à la plus récente.
    fn wait_states(&self, pair: &str, states: &str) {
        let sql = format!(
            "SELECT group_concat(state, ' ') FROM (SELECT state FROM intents WHERE coin = '{pair}' ORDER BY id)"
        );
        until(&format!("{pair} is {states}"), || (self.told(&sql) == states).then_some(()));
    }

    /// Pourquoi rien ne s'échange ; vide si l'on peut.
    fn closed(&self) -> String {
        self.told("SELECT closed FROM exchange")
    }

    /// Les ordres de cette paire que la bourse a acceptés.
    fn orders(&self, pair: &str) -> Vec<Order> {
        self.exchange().accepted_orders().into_iter().filter(|order| order.pair == pair).collect()
    }

    /// Au plus un ordre exécuté par intention, et le grand livre est au dernier chiffre ce que tient la bourse.
    fn check(&self) {
        let books = self.books();
        books::check_consistent(&books);
        check_once(&books, &self.exchange().accepted_orders());
        for (asset, change) in booked_changes(&books) {
            let held = self.exchange().balance(&asset).free;
            let moved = held - self.start.get(&asset).copied().unwrap_or_default().free;
            assert_eq!(moved, change, "{asset} of the account is not what the books tell");
        }
    }

    /// De plus, plus rien n'attend.
    fn check_settled(&self) {
        books::check_settled(&self.books());
        self.check();
    }
}

/// Chaque ordre accepté a une intention, son nom n'a servi qu'une fois, et elle est exécutée s'il l'est.
fn check_once(books: &Connection, journal: &[Order]) {
    let mut names: Vec<&str> = journal.iter().map(|order| order.client_id.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), journal.len(), "a name was sent twice: {journal:#?}");
    for order in journal.iter().filter(|order| !order.executed.is_zero()) {
        let sql = "SELECT state || ' ' || coalesce(reason, '') FROM intents WHERE client_id = ?1";
        let state: String = books.query_row(sql, [&order.client_id], |row| row.get(0)).expect("it is ours");
        assert!(state.starts_with("filled "), "{state}: {order:?}");
    }
}

/// De combien le grand livre dit que chaque actif du compte a changé depuis le départ.
fn booked_changes(books: &Connection) -> Vec<(String, Decimal)> {
    let sql = "SELECT 'USDC', cash, '0' FROM account
               UNION ALL SELECT 'USDC', '0', usdc FROM movements
               UNION ALL SELECT asset, '0', quantity FROM of_others
               UNION ALL SELECT replace(coin, 'USDC', ''), '0', quantity FROM movements WHERE coin IS NOT NULL
               UNION ALL SELECT replace(coin, 'USDC', ''), quantity, '0' FROM positions";
    let mut statement = books.prepare(sql).expect("the tables are ours");
    let rows = statement.query_map([], |row| {
        let text = |index| row.get::<_, Option<String>>(index);
        let decimal = |text: Option<String>| text.map_or(Decimal::ZERO, |text| text.parse().unwrap());
        Ok((row.get::<_, String>(0)?, decimal(text(1)?) - decimal(text(2)?)))
    });
    let mut changes = BTreeMap::<String, Decimal>::new();
    for (asset, change) in rows.expect("the tables are ours").map(Result::unwrap) {
        *changes.entry(asset).or_default() += change;
    }
    changes.into_iter().collect()
}

/// Un carnet d'un côté : prix et quantités, le meilleur d'abord.
fn levels(levels: &[(Decimal, Decimal)]) -> Vec<Level> {
    levels.iter().map(|(price, quantity)| Level { price: *price, quantity: *quantity }).collect()
}

fn status(signal: &Value) -> (&str, u64) {
    (signal["status"].as_str().expect("a word"), signal["trades"].as_u64().expect("a count"))
}

/// Le code de la décision prise pour un coin.
fn code(signal: &Value, coin: &str) -> String {
    let decisions = signal["decisions"].as_array().expect("a list");
    let decision = decisions.iter().find(|decision| decision["coin"] == coin);
    decision.unwrap_or_else(|| panic!("nothing on {coin} in {signal}"))["code"].as_str().unwrap().to_owned()
}

/// Mène ces histoires ensemble : chacune attend bien plus qu'elle ne travaille. Pas plus de [`SEATS`] à la fois dans tout ce
/// programme : à vingt-quatre il tenait 910 descripteurs, et au-delà de mille libcurl ne se connecte plus.
fn together<T: Sync>(cases: &[T], story: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| {
                let _seat = Seat::take();
                story(case);
            });
        }
    });
}

const SEATS: usize = 14;

static FREE_SEATS: (Mutex<usize>, Condvar) = (Mutex::new(SEATS), Condvar::new());

/// Une place tenue, rendue quand on la lâche, même par une histoire qui finit mal.
struct Seat;

impl Seat {
    fn take() -> Seat {
        let free = FREE_SEATS.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free =
            FREE_SEATS.1.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Seat
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *FREE_SEATS.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        FREE_SEATS.1.notify_one();
    }
}
