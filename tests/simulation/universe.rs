//! Des suiveurs entiers, leur leader, leur bourse et le temps, dans un seul fil : même graine, même histoire.
//!
//! Le temps n'avance que quand tout attend. Un suiveur peut être coupé à chaque attente et à chaque écriture ; sa
//! base, le monde et les demandes parties lui survivent.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use calvalot::clock::simulated::Installed;
use calvalot::domain::market::Coin;
use calvalot::domain::moment::Moment;
use calvalot::domain::refusal::Refusal;
use calvalot::engine::{Commands, Decision};
use calvalot::ledger::{Db, LedgerError};
use calvalot::sim::{Direct, Hour, Listing, Pace, Script};
use rust_decimal::{Decimal, dec};
use smol::LocalExecutor;

use crate::machine::{LedgerCopy, Machine};
use crate::network::SimulatedNetwork;

/// Le 21 septembre 2026, à la bourse comme au départ de la machine.
pub const START: Moment = Moment(1_790_000_000_000);

/// Ce que le compte tient d'abord. Le BNB n'est pas aux livres : il paie des frais.
pub const USDC: Decimal = dec!(1500);
pub const BNB: Decimal = dec!(0.02);

/// Reprises au même instant, au-delà desquelles le suiveur tourne en rond.
const SPINS: u32 = 20_000;

pub struct Universe {
    pub world: Direct,
    /// Il y en a toujours une.
    pub machines: Vec<Machine>,
    /// Ce que le compte tient qui n'est pas à nous, cash à part.
    pub others: Vec<(&'static str, Decimal)>,
    /// Ce qu'un autre a pris au compte, et les règles d'avant leur changement.
    pub borrowed: Vec<(&'static str, Decimal)>,
    pub listings: Vec<(&'static str, Listing)>,
    seed: u64,
    executor: Rc<LocalExecutor<'static>>,
    time: Installed,
    micros: Arc<AtomicI64>,
    origin: Instant,
    /// Le pas le plus gros de chaque paire depuis que le leader a parlé.
    steps: BTreeMap<&'static str, Decimal>,
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
        let machines = vec![Machine::new(network)];
        let origin = time.clock().instant();
        let (borrowed, listings) = (Vec::new(), Vec::new());
        Universe {
            world,
            machines,
            others: vec![("BNB", BNB)],
            borrowed,
            listings,
            seed,
            executor,
            time,
            micros,
            origin,
            steps: BTreeMap::new(),
        }
    }

    /// Une machine de plus sur le même compte, éteinte, dont le livre est cette copie ; rend son rang.
    pub fn add_machine(&mut self, copy: &LedgerCopy) -> usize {
        let rank = self.machines.len();
        let seed = self.seed.wrapping_add(rank as u64);
        let network = SimulatedNetwork::new(self.world.clone(), self.executor.clone(), seed);
        let mut machine = Machine::new(network);
        machine.put_back(copy);
        self.machines.push(machine);
        rank
    }

    /// La première machine : la seule, dans la plupart des histoires.
    pub fn machine(&self) -> &Machine {
        &self.machines[0]
    }

    pub fn start(&mut self) {
        self.machines[0].start();
    }

    pub fn kill(&mut self) {
        self.machines[0].kill();
    }

    pub fn is_alive(&self) -> bool {
        self.machine().is_alive()
    }

    pub fn books<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Db) -> Result<T, LedgerError> + Send + 'static,
    ) -> T {
        self.machine().books(job)
    }

    pub fn copy_ledger(&self) -> LedgerCopy {
        self.machine().copy_ledger()
    }

    pub fn put_back(&mut self, copy: &LedgerCopy) {
        self.machines[0].put_back(copy);
    }

    /// Laisse passer ce temps. Après `steps` reprises de suiveurs, celui qui a eu la dernière est coupé net.
    pub fn pass(&mut self, duration: Duration, mut steps: Option<u64>) {
        let end = self.elapsed() + duration;
        let (mut at, mut spins) = (self.elapsed(), 0);
        while self.elapsed() < end {
            spins = if at == self.elapsed() { spins + 1 } else { 0 };
            at = self.elapsed();
            assert!(spins < SPINS, "the follower works without end and no time passes");
            let mut moved = false;
            for machine in &mut self.machines {
                if machine.resume() {
                    moved = true;
                    if steps.as_mut().is_some_and(|left| {
                        *left = left.saturating_sub(1);
                        *left == 0
                    }) {
                        steps = None;
                        machine.kill();
                    }
                }
            }
            while self.executor.try_tick() {
                moved = true;
            }
            for machine in &mut self.machines {
                if machine.network.is_blown() && machine.is_alive() {
                    machine.kill();
                }
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

    /// Le leader vient de parler : ce qu'un gros pas a empêché avant ne compte plus.
    pub fn judge_anew(&mut self) {
        self.steps.clear();
        for pair in Coin::ALL.map(Coin::pair) {
            self.note_step(pair);
        }
    }

    /// Le pas d'une paire vient peut-être de grossir.
    pub fn note_step(&mut self, pair: &'static str) {
        let mut step = Decimal::ZERO;
        self.world.exchange().edit_listing(pair, |listing| step = listing.step_size);
        let known = self.steps.entry(pair).or_default();
        *known = step.max(*known);
    }

    /// Le pas le plus gros de cette paire depuis que le leader a parlé.
    pub fn coarsest_step(&self, pair: &str) -> Decimal {
        self.steps.get(pair).copied().unwrap_or_default()
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

    /// Un suiveur qui a atteint cette allocation, et suit.
    pub fn following(target: &[(&str, Decimal)]) -> Universe {
        let mut universe = Universe::new(1, 0);
        universe.world.leader().set_target(target);
        universe.start();
        universe.pass(Duration::from_secs(3600), None);
        universe
    }

    /// Apporte au compte ce qui n'est pas à nous.
    pub fn bring(&mut self, asset: &'static str, quantity: Decimal) {
        self.world.exchange().person().bring(asset, quantity);
        self.others.push((asset, quantity));
    }

    /// Ce que le compte tenait de cet actif qui n'est pas à nous.
    pub fn brought(&self, asset: &str) -> Decimal {
        let of_this = self.others.iter().filter(|(brought, _)| *brought == asset);
        of_this.map(|(_, quantity)| *quantity).sum()
    }

    /// Une personne a regardé cet ordre et le libère ; rend ce qu'il en est advenu.
    pub fn release(&mut self, intent: i64) -> Option<String> {
        self.decide(intent, Decision::Release)
    }

    /// Une personne décide de cet ordre ; rend ce qu'il en est advenu.
    pub fn decide(&mut self, intent: i64, decision: Decision) -> Option<String> {
        self.ask(async move |commands| commands.decide(intent, decision).await)?.ok()
    }

    /// La personne a regardé, et reprend.
    pub fn resume(&mut self) {
        let resumed = self.ask(async |commands| commands.pause(Some(false)).await);
        assert!(matches!(resumed, Some(Ok(false))), "{resumed:?}");
    }

    /// Une personne demande quelque chose ; rend ce qui lui est répondu, si quelqu'un répond.
    pub fn ask<T: 'static>(
        &mut self,
        asking: impl AsyncFnOnce(Commands) -> Result<T, Refusal> + 'static,
    ) -> Option<Result<T, Refusal>> {
        let commands = self.machine().commands()?;
        self.hear(async move { asking(commands).await })
    }

    /// Ce qu'une personne entend du suiveur dans la minute.
    pub fn hear<T: 'static>(&mut self, asked: impl Future<Output = T> + 'static) -> Option<T> {
        let (reply, answer) = smol::channel::bounded(1);
        let asking = async move {
            reply.try_send(asked.await).ok();
        };
        self.executor.spawn(asking).detach();
        self.pass(Duration::from_secs(60), None);
        answer.try_recv().ok()
    }
}
