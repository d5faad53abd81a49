//! Le moteur : le seul endroit où les étapes sont mises dans l'ordre.
//!
//! Une tâche possède tout son état. Ce qui peut lui arriver est une liste close : l'heure d'un tour,
//! l'heure d'une lecture du marché, une commande. Les commandes sont servies même pendant qu'un tour
//! attend le réseau, et jamais pendant qu'un signal est exécuté. Arrêter le moteur, c'est lâcher sa
//! tâche : chaque écriture est entière ou absente, et un signal interrompu est repris au démarrage.

mod command;
mod cycle;
mod execute;

use std::rc::Rc;
use std::time::{Duration, Instant};

use smol::channel::Receiver;
use smol::future::FutureExt;

pub use command::{Commands, Refusal};

use crate::binance::Exchange;
use crate::clock;
use crate::domain::market::Readings;
use crate::domain::money::Weight;
use crate::leader::Leader;
use crate::ledger::{Db, Ledger, LedgerError};
use command::Command;

/// Comment l'on suit.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Entre deux demandes au leader.
    pub poll_interval: Duration,
    /// Entre deux lectures du marché, quand le leader est interrogé moins souvent.
    pub market_interval: Duration,
    /// L'écart de part qui est laissé.
    pub threshold: Weight,
}

/// Le moteur et ce qu'il possède.
pub struct Engine {
    ledger: Ledger,
    leader: Rc<Leader>,
    exchange: Rc<Exchange>,
    manner: Manner,
    readings: Readings,
    commands: Receiver<Command>,
    /// La dernière panne dite au journal, pour ne la dire qu'une fois.
    trouble: Option<String>,
    next_poll: Instant,
}

enum Event {
    Tick,
    Command(Command),
}

impl Engine {
    /// Un moteur prêt à tourner, et la poignée qui lui envoie des commandes.
    pub fn new(ledger: Ledger, leader: Leader, exchange: Exchange, manner: Manner) -> (Engine, Commands) {
        let (commands, queue) = Commands::channel();
        let engine = Engine {
            ledger,
            leader: Rc::new(leader),
            exchange: Rc::new(exchange),
            manner,
            readings: Readings::default(),
            commands: queue,
            trouble: None,
            next_poll: clock::instant(),
        };
        (engine, commands)
    }

    /// Tourne pour toujours ; le premier tour est immédiat.
    pub async fn run(mut self) {
        let mut next_market = clock::instant();
        loop {
            match self.wait(self.next_poll.min(next_market)).await {
                Event::Command(command) => self.obey(command).await,
                Event::Tick if self.next_poll <= clock::instant() => {
                    self.next_poll = clock::instant() + self.manner.poll_interval;
                    next_market = clock::instant() + self.manner.market_interval;
                    if let Err(error) = self.cycle().await {
                        log::error!("cycle_failed reason={error}");
                    }
                }
                Event::Tick => {
                    next_market = clock::instant() + self.manner.market_interval;
                    match self.refresh_market().await {
                        // Un tour avancé reprend ce qui n'attendait qu'une lecture.
                        Ok(true) => self.next_poll = clock::instant(),
                        Ok(false) => {}
                        Err(error) => log::error!("market_not_kept reason={error}"),
                    }
                }
            }
        }
    }

    async fn wait(&self, deadline: Instant) -> Event {
        let tick = async {
            clock::sleep_until(deadline).await;
            Event::Tick
        };
        tick.or(self.next_command()).await
    }

    async fn next_command(&self) -> Event {
        match self.commands.recv().await {
            Ok(command) => Event::Command(command),
            Err(_) => smol::future::pending().await,
        }
    }

    /// Attend `work`, en servant les commandes qui arrivent entre-temps.
    async fn obeying<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = Box::pin(work);
        loop {
            let done = async { Ok(work.as_mut().await) };
            let command = async { Err(self.next_command().await) };
            match done.or(command).await {
                Ok(value) => return value,
                Err(Event::Command(command)) => self.obey(command).await,
                Err(Event::Tick) => {}
            }
        }
    }

    /// Relit le marché ; rend vrai si un signal attend et que plus rien ne lui manque.
    async fn refresh_market(&mut self) -> Result<bool, LedgerError> {
        let (exchange, readings) = (self.exchange.clone(), self.readings.clone());
        self.readings = self.obeying(async move { exchange.refresh(readings).await }).await;
        self.keep_readings().await?;
        let waits = |db: &mut Db| Ok(!db.agent()?.paused && !db.pending()?.is_empty());
        Ok(self.readings.complete(clock::now()).is_ok() && self.ledger.with(waits).await?)
    }

    async fn keep_readings(&self) -> Result<(), LedgerError> {
        let rows = cycle::reading_rows(&self.readings);
        self.ledger.with(move |db| db.keep_readings(&rows)).await
    }

    async fn obey(&mut self, command: Command) {
        let rate = self.readings.rate(clock::now());
        if command.carry_out(&self.ledger, rate).await {
            // Reprendre, c'est suivre tout de suite.
            self.next_poll = clock::instant();
        }
    }
}
