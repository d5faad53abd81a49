//! Le moteur : le seul endroit où les étapes sont mises dans l'ordre.
//!
//! Une tâche possède tout son état. Ce qui peut lui arriver est une liste close : l'heure d'un tour,
//! l'heure d'une lecture du marché, une commande. Les commandes sont servies même pendant qu'un tour
//! attend le réseau, et jamais pendant qu'un signal est exécuté. Arrêter le moteur, c'est lâcher sa
//! tâche : chaque écriture est entière ou absente, et un signal interrompu est repris au démarrage.

mod command;
mod cycle;
mod desk;
mod execute;
mod holdback;
mod resolve;
mod scan;
mod send;
mod upkeep;
mod venue;

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use smol::channel::Receiver;
use smol::future::FutureExt;

pub use command::{Commands, Refusal};
pub use desk::{Desk, Preflight};
pub use venue::Venue;

use crate::clock;
use crate::domain::market::{self, Market, Readings, Unknown};
use crate::domain::moment::Moment;
use crate::domain::money::{Rate, Weight};
use crate::exchange::Exchange;
use crate::leader::Leader;
use crate::ledger::{Db, Ledger, LedgerError, Outlook};
use crate::metrics::Instruments;
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
    venue: Venue,
    readings: Readings,
    /// Quand l'heure de la machine a été trouvée juste pour la dernière fois, ou pourquoi elle ne l'est pas.
    hour: Result<Moment, String>,
    /// Ce que les écrans savent déjà de l'accès à la bourse.
    outlook: Option<Outlook>,
    commands: Receiver<Command>,
    instruments: Arc<Instruments>,
    /// La dernière panne dite au journal, pour ne la dire qu'une fois.
    trouble: Option<String>,
    next_poll: Instant,
    next_market: Instant,
    /// Rien ne se fait avant : ce qui vient d'échouer est encore dû, et le refaire sans cesse n'aiderait pas.
    not_before: Instant,
}

/// Après un échec du grand livre, avant de réessayer.
const BREATH: Duration = Duration::from_secs(5);

enum Event {
    Tick,
    Command(Command),
}

/// Le marché, et quand l'heure de la machine a été trouvée juste, ou pourquoi elle ne l'est pas.
type Outside = (Readings, Result<Moment, String>);

/// Relit le marché, puis l'heure.
async fn look_outside(exchange: Rc<Exchange>, readings: Readings) -> Outside {
    (exchange.refresh(readings).await, exchange.check_clock().await)
}

impl Engine {
    /// Un moteur prêt à tourner, et la poignée qui lui envoie des commandes.
    pub fn new(
        ledger: Ledger,
        leader: Leader,
        exchange: Exchange,
        manner: Manner,
        venue: Venue,
    ) -> (Engine, Commands) {
        let (commands, queue) = Commands::channel();
        let engine = Engine {
            ledger,
            leader: Rc::new(leader),
            exchange: Rc::new(exchange),
            manner,
            venue,
            readings: Readings::default(),
            hour: Err("not read yet".to_owned()),
            outlook: None,
            commands: queue,
            instruments: Arc::new(Instruments::new(&[], &[])),
            trouble: None,
            next_poll: clock::instant(),
            next_market: clock::instant(),
            not_before: clock::instant(),
        };
        (engine, commands)
    }

    /// Le même, dont les tours et les trades sont mesurés par `instruments`.
    pub fn measured_by(self, instruments: Arc<Instruments>) -> Engine {
        Engine { instruments, ..self }
    }

    /// Tourne pour toujours. Ce qu'un arrêt a laissé est repris d'abord ; le premier tour est immédiat.
    pub async fn run(mut self) {
        if let Err(error) = self.take_up().await {
            log::error!("recovery_failed reason={error}");
        }
        loop {
            match self.wait(self.next_due()).await {
                Event::Command(command) => self.obey(command).await,
                Event::Tick => self.tick().await,
            }
        }
    }

    fn next_due(&self) -> Instant {
        let usual = self.next_poll.min(self.next_market);
        let due = match &self.venue {
            Venue::Paper => usual,
            Venue::Live(desk) => usual.min(desk.next_due()),
        };
        due.max(self.not_before)
    }

    /// Fait tout ce dont c'est l'heure, puis garde ce que la bourse en a demandé : un silence qu'un arrêt ferait
    /// oublier vaudrait un bannissement.
    async fn tick(&mut self) {
        self.act().await;
        if let Err(error) = self.keep_outlook().await {
            log::error!("outlook_not_kept reason={error}");
        }
    }

    /// Le compte réel passe avant le tour.
    async fn act(&mut self) {
        match self.tend().await {
            // Un tour avancé reprend ce qui n'attendait que cela.
            Ok(true) => self.next_poll = clock::instant(),
            Ok(false) => {}
            Err(error) => {
                log::error!("account_not_tended reason={error}");
                self.not_before = clock::instant() + BREATH;
            }
        }
        let now = clock::instant();
        if self.next_poll <= now {
            self.next_poll = now + self.manner.poll_interval;
            self.next_market = now + self.manner.market_interval;
            let failure = self.cycle().await.err().map(|error| error.to_string());
            match (self.ledger.tell_unwritten(failure.clone()), failure) {
                // Une fois : un disque plein l'est des jours, et le journal est peut-être sur le même.
                (true, Some(reason)) => log::error!("cycle_failed reason={reason}"),
                (true, None) => log::info!("ledger_written_again"),
                (false, _) => {}
            }
            self.instruments.polled(clock::instant().saturating_duration_since(now));
        } else if self.next_market <= now {
            self.next_market = now + self.manner.market_interval;
            match self.refresh_market().await {
                Ok(true) => self.next_poll = clock::instant(),
                Ok(false) => {}
                Err(error) => log::error!("market_not_kept reason={error}"),
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
        let look = look_outside(self.exchange.clone(), self.readings.clone());
        let outside = self.obeying(look).await;
        self.take_in(outside);
        self.keep_readings().await?;
        let waits = |db: &mut Db| Ok(!db.agent()?.paused && !db.pending()?.is_empty());
        Ok(self.known(clock::now()).is_ok() && self.ledger.with(waits).await?)
    }

    /// Retient ce qui vient d'être lu.
    fn take_in(&mut self, (readings, hour): Outside) {
        if let Venue::Live(desk) = &mut self.venue {
            desk.heed_the_hour(hour.is_ok());
        }
        (self.readings, self.hour) = (readings, hour);
    }

    async fn keep_readings(&self) -> Result<(), LedgerError> {
        let rows = self.reading_rows();
        self.ledger.with(move |db| db.keep_readings(&rows)).await
    }

    /// Le marché complet, à une heure juste ; sinon tout ce qui manque. À une heure fausse, rien de ce que l'on daterait
    /// n'a de sens.
    fn known(&self, now: Moment) -> Result<Market, Vec<Unknown>> {
        let market = self.readings.complete(now);
        let (at, failure) = (self.hour.as_ref().ok().copied(), self.hour.as_ref().err());
        match market::missing(market::CLOCK.to_owned(), at, failure.map(String::as_str), now) {
            None => market,
            Some(clock) => Err(market.err().into_iter().flatten().chain([clock]).collect()),
        }
    }

    /// Le cours de l'euro auquel compter de l'argent ; `None` s'il n'est pas frais ou l'heure pas juste.
    fn rate(&self, now: Moment) -> Option<Rate> {
        self.hour.as_ref().ok().and(self.readings.rate(now))
    }

    async fn obey(&mut self, command: Command) {
        if let Command::Release { intent, reply } = command {
            let released = self.release(intent).await;
            // Un demandeur parti entre-temps n'attend plus de réponse.
            reply.try_send(released).ok();
            return;
        }
        let rate = self.rate(clock::now());
        if command.carry_out(&self.ledger, rate).await {
            // Reprendre, c'est suivre tout de suite.
            self.next_poll = clock::instant();
        }
    }
}
