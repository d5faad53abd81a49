//! Un suiveur entier, son leader, sa bourse et le temps, dans un seul fil : même graine, même histoire.
//!
//! Le temps n'avance que quand tout attend. Le suiveur peut être coupé à chaque attente et à chaque écriture ; sa
//! base, le monde et les demandes parties lui survivent.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use calvalot::account::LiveAccount;
use calvalot::clock::{self, simulated::Installed};
use calvalot::domain::check::{Check, REQUIRED};
use calvalot::domain::moment::Moment;
use calvalot::domain::money::{Eur, Weight};
use calvalot::domain::refusal::Refusal;
use calvalot::engine::{Commands, Engine, Manner, Means};
use calvalot::exchange::{Account, Credentials, Exchange};
use calvalot::fetch::{Client, OneShot};
use calvalot::leader::Leader;
use calvalot::ledger::{self, Db, Ledger, LedgerError};
use calvalot::metrics::Instruments;
use calvalot::sim::{Direct, Hour, Listing, Pace, Script};
use calvalot::venue::Venue;
use rust_decimal::{Decimal, dec};
use smol::LocalExecutor;

use crate::network::{EXCHANGE, LEADER, SimulatedNetwork};

/// Le 21 septembre 2026, à la bourse comme au départ de la machine.
pub const START: Moment = Moment(1_790_000_000_000);

/// Ce que le compte tient d'abord. Le BNB n'est pas aux livres : il paie des frais.
pub const USDC: Decimal = dec!(1500);
pub const BNB: Decimal = dec!(0.02);

/// Reprises au même instant, au-delà desquelles le suiveur tourne en rond.
const SPINS: u32 = 20_000;

pub struct Universe {
    pub world: Direct,
    pub network: Rc<SimulatedNetwork>,
    pub ledger: Ledger,
    /// Ce que les essais du dehors trouvent à redire.
    pub fault: Rc<RefCell<Option<String>>>,
    /// Ce qu'un autre a pris au compte, et les règles d'avant leur changement.
    pub borrowed: Vec<(&'static str, Decimal)>,
    pub listings: Vec<(&'static str, Listing)>,
    executor: Rc<LocalExecutor<'static>>,
    time: Installed,
    micros: Arc<AtomicI64>,
    origin: Instant,
    follower: Option<Follower>,
    /// Un carnet a été trop court pour un ordre entier.
    pub starved: bool,
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

impl Universe {
    /// Un monde tout neuf ; la machine y avance de `lead` millisecondes sur la bourse.
    pub fn new(seed: u64, lead: i64) -> Universe {
        let time = Installed::at(Moment(START.0 + lead));
        let micros = Arc::new(AtomicI64::new(START.0 * 1000));
        let world = Direct::new(Script {
            seed,
            pace: Pace::Frozen,
            hour: Hour::Set(micros.clone()),
            balances: vec![("USDC".to_owned(), USDC), ("BNB".to_owned(), BNB)],
            ..Script::default()
        });
        let executor = Rc::new(LocalExecutor::new());
        let network = SimulatedNetwork::new(world.clone(), executor.clone(), seed);
        let ledger = ledger::in_memory("live", Eur::new(dec!(1000)), clock::now()).expect("a new ledger");
        let origin = time.clock().instant();
        let fault = Rc::default();
        let (borrowed, listings) = (Vec::new(), Vec::new());
        Universe {
            world,
            network,
            ledger,
            fault,
            borrowed,
            listings,
            executor,
            time,
            micros,
            origin,
            follower: None,
            starved: false,
            kills: 0,
        }
    }

    /// Démarre le suiveur sur ce que le précédent a laissé.
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
            threshold: Weight::new(dec!(0.005)),
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

    /// Laisse passer ce temps. Après `steps` reprises du suiveur, il est coupé net.
    pub fn pass(&mut self, duration: Duration, mut steps: Option<u64>) {
        let end = self.elapsed() + duration;
        let (mut at, mut spins) = (self.elapsed(), 0);
        while self.elapsed() < end {
            spins = if at == self.elapsed() { spins + 1 } else { 0 };
            at = self.elapsed();
            assert!(spins < SPINS, "the follower works without end and no time passes");
            let mut moved = false;
            if let Some(follower) = &mut self.follower
                && follower.awake.0.swap(false, Ordering::Relaxed)
            {
                moved = true;
                let waker = follower.waker.clone();
                assert!(follower.life.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                if steps.as_mut().is_some_and(|left| {
                    *left = left.saturating_sub(1);
                    *left == 0
                }) {
                    steps = None;
                    self.kill();
                }
            }
            while self.executor.try_tick() {
                moved = true;
            }
            if self.network.is_blown() && self.is_alive() {
                self.kill();
            }
            if !moved && !self.advance() {
                return;
            }
        }
    }

    /// Va à la prochaine échéance du monde.
    fn advance(&mut self) -> bool {
        let advanced = self.time.clock().advance();
        let micros = START.0 * 1000 + self.elapsed().as_micros() as i64;
        self.micros.store(micros, Ordering::Relaxed);
        advanced
    }

    /// Le temps simulé depuis le départ.
    pub fn elapsed(&self) -> Duration {
        self.time.clock().instant() - self.origin
    }

    /// L'horloge de la machine saute, l'autre non.
    pub fn jump(&self, milliseconds: i64) {
        self.time.clock().jump(milliseconds);
    }

    /// Le réseau remet la machine à l'heure vraie.
    pub fn set_right(&self) {
        let wall = START.0 + self.elapsed().as_millis() as i64;
        self.jump(wall - self.time.clock().wall().0);
    }

    /// Lit le grand livre.
    pub fn books<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Db) -> Result<T, LedgerError> + Send + 'static,
    ) -> T {
        smol::future::block_on(self.ledger.with(job)).expect("the ledger can be read")
    }

    /// Une personne demande quelque chose ; rend ce qui lui est répondu, si quelqu'un répond.
    pub fn ask<T: 'static>(
        &mut self,
        asking: impl AsyncFnOnce(Commands) -> Result<T, Refusal> + 'static,
    ) -> Option<Result<T, Refusal>> {
        let commands = self.follower.as_ref()?.commands.clone();
        let (reply, answer) = smol::channel::bounded(1);
        let asked = async move {
            reply.try_send(asking(commands).await).ok();
        };
        self.executor.spawn(asked).detach();
        self.pass(Duration::from_secs(60), None);
        answer.try_recv().ok()
    }

    /// Une personne a regardé cet ordre et le libère ; rend ce qu'il en est advenu.
    pub fn release(&mut self, intent: i64) -> Option<String> {
        self.ask(async move |commands| commands.release(intent).await)?.ok()
    }
}
