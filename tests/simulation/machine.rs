//! Une machine : son grand livre, son réseau, et le suiveur qui y vit.
//!
//! Plusieurs peuvent suivre le même compte, chacune avec son livre. Un livre se copie et se remet ; le suiveur coupé, le
//! livre et les demandes parties lui survivent.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use calvalot::account::LiveAccount;
use calvalot::clock;
use calvalot::domain::belief::SECOND_READING;
use calvalot::domain::check::{Check, REQUIRED};
use calvalot::domain::money::{Eur, Weight};
use calvalot::domain::policy::Policy;
use calvalot::engine::{Commands, Engine, Manner, Means};
use calvalot::exchange::{Account, Credentials, Exchange};
use calvalot::fetch::{Client, OneShot};
use calvalot::leader::Leader;
use calvalot::ledger::{self, Db, Ledger, LedgerError};
use calvalot::metrics::Instruments;
use calvalot::sim::Script;
use calvalot::venue::Venue;
use rust_decimal::{Decimal, dec};

use crate::network::{EXCHANGE, LEADER, SimulatedNetwork};

const MODE: &str = "live";
const BUDGET: Decimal = dec!(1000);

/// Un grand livre entier, tel qu'il était.
#[derive(Clone)]
pub struct LedgerCopy(Vec<u8>);

impl LedgerCopy {
    /// Un livre qui reprend d'ici.
    fn open(&self) -> Ledger {
        ledger::in_memory_again(&self.0, MODE, Eur::new(BUDGET), clock::now()).expect("a whole copy")
    }
}

pub struct Machine {
    pub network: Rc<SimulatedNetwork>,
    pub ledger: Ledger,
    /// Ce que les essais du dehors trouvent à redire.
    pub fault: Rc<RefCell<Option<String>>>,
    /// Les bornes de qui la possède ; celle d'un jour est lâche, car les histoires font tenir des mois en des heures.
    pub policy: Policy,
    follower: Option<Follower>,
    /// Coupures.
    pub kills: u64,
}

struct Follower {
    life: Pin<Box<dyn Future<Output = ()>>>,
    awake: Arc<Awake>,
    waker: Waker,
    commands: Commands,
}

struct Awake(AtomicBool);

impl Wake for Awake {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Machine {
    /// Une machine au livre tout neuf, éteinte.
    pub fn new(network: Rc<SimulatedNetwork>) -> Machine {
        let ledger = ledger::in_memory(MODE, Eur::new(BUDGET), clock::now()).expect("a new ledger");
        let policy = Policy { turnover: Weight::new(dec!(1000)), ..Policy::default() };
        Machine { network, ledger, fault: Rc::default(), policy, follower: None, kills: 0 }
    }

    /// Démarre le suiveur sur le livre qui est là.
    pub fn start(&mut self) {
        let script = Script::default();
        let client = Client::over(self.network.clone());
        let exchange = Exchange::binance(EXCHANGE, client.clone());
        let credentials = Credentials::hmac(&script.api_key, &script.api_secret);
        let fault = self.fault.clone();
        let preflight = Box::new(move || {
            let well = REQUIRED.map(|test| Check::fine(test, "well"));
            let found = fault.borrow().clone();
            let fault = found.map(|found| Check::fault("key", found, "mend it"));
            let checks: Vec<Check> = well.into_iter().chain(fault).collect();
            Box::pin(std::future::ready(checks)) as Pin<Box<dyn Future<Output = Vec<Check>>>>
        });
        let account = Account::new(exchange.clone(), credentials);
        let instruments = Arc::new(Instruments::new(&[], &[]));
        let (sender, ledger) = (OneShot::over(self.network.clone()), self.ledger.clone());
        let live = LiveAccount::new(account, sender, preflight, ledger.clone(), instruments.clone());
        let leader = Leader::new(LEADER, &script.secret, "simulated", client);
        let manner = Manner {
            poll_interval: Duration::from_secs(120),
            market_interval: Duration::from_secs(120),
            second_reading: SECOND_READING,
            policy: self.policy,
        };
        let (engine, commands) =
            Engine::new(Means { ledger, leader, exchange, instruments }, manner, Venue::Live(Box::new(live)));
        let awake = Arc::new(Awake(AtomicBool::new(true)));
        let waker = Waker::from(awake.clone());
        self.follower = Some(Follower { life: Box::pin(engine.run()), awake, waker, commands });
    }

    /// Coupe le suiveur où il en est. Ce qui est en route arrive quand même.
    pub fn kill(&mut self) {
        self.follower = None;
        self.kills += 1;
    }

    pub fn is_alive(&self) -> bool {
        self.follower.is_some()
    }

    /// Reprend le suiveur s'il est réveillé ; faux s'il n'y avait rien à faire.
    pub fn resume(&mut self) -> bool {
        let Some(follower) = &mut self.follower else { return false };
        let awake = follower.awake.0.swap(false, Ordering::Relaxed);
        if awake {
            let waker = follower.waker.clone();
            assert!(follower.life.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        awake
    }

    /// De quoi demander quelque chose au suiveur, s'il vit.
    pub fn commands(&self) -> Option<Commands> {
        self.follower.as_ref().map(|follower| follower.commands.clone())
    }

    /// Lit le grand livre.
    pub fn books<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Db) -> Result<T, LedgerError> + Send + 'static,
    ) -> T {
        smol::future::block_on(self.ledger.with(job)).expect("the ledger can be read")
    }

    pub fn copy_ledger(&self) -> LedgerCopy {
        LedgerCopy(self.books(Db::image))
    }

    /// Met cette copie à la place du livre. Comme un fichier remplacé sous lui, un suiveur qui vit garde celui qu'il a
    /// ouvert : il ne lit la copie qu'à son prochain départ.
    pub fn put_back(&mut self, copy: &LedgerCopy) {
        self.ledger = copy.open();
    }
}
