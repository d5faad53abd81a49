//! Le moteur : le seul endroit où les étapes sont mises dans l'ordre.
//!
//! Une tâche possède tout son état. Ce qui peut lui arriver est une liste close : l'heure d'un tour,
//! l'heure d'une lecture du marché, une commande. Les commandes sont servies même pendant qu'un tour
//! attend le réseau (`reception`), et jamais pendant qu'un signal est exécuté. Le moteur ne sait pas si l'échange est réel :
//! sa place ([`Venue`]) le sait. L'arrêter, c'est lâcher sa tâche : chaque écriture est entière ou absente, et un signal
//! interrompu est repris au démarrage.

mod actions;
mod arrived;
mod command;
mod commands;
mod cycle;
mod depth;
mod execute;
mod exits;
mod hearing;
mod holdback;
mod outlook;
mod pursuit;
mod reach;
mod reception;
mod sight;
mod standing;
mod story;
mod wishes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use smol::future::FutureExt;

pub use crate::venue::Decision;
pub use commands::Commands;

use crate::clock;
use crate::domain::market::PerCoin;
use crate::domain::moment::Moment;
use crate::domain::policy::Policy;
use crate::exchange::Exchange;
use crate::leader::Leader;
use crate::ledger::{Db, Ledger, LedgerError, Outlook};
use crate::metrics::Instruments;
use crate::venue::Venue;
use arrived::Arrived;
use command::Command;
use reception::Reception;
use sight::Sight;
use wishes::Withdrawn;

/// Comment l'on suit.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Entre deux demandes au leader.
    pub poll_interval: Duration,
    /// Entre deux lectures du marché, quand le leader est interrogé moins souvent.
    pub market_interval: Duration,
    /// Entre deux lectures d'un cours qui n'est pas cru à la première.
    pub second_reading: Duration,
    pub policy: Policy,
}

/// Le moteur et ce qu'il possède.
pub struct Engine {
    ledger: Ledger,
    leader: Leader,
    exchange: Exchange,
    manner: Manner,
    venue: Venue,
    sight: Sight,
    reception: Reception,
    instruments: Arc<Instruments>,
    /// Ce que les écrans savent déjà de l'accès à la bourse.
    outlook: Option<Outlook>,
    /// Le capital est compté.
    is_opened: bool,
    /// Pourquoi il ne l'est pas encore, quand ce n'est pas faute de cours.
    unopened: Option<String>,
    withdrawn: Option<Withdrawn>,
    /// Combien de tours de suite chaque paire a manqué, là où d'autres étaient lues.
    lacking: PerCoin<u32>,
    /// Quand était le dernier tour, s'il a pu essayer ce qu'une personne veut vendre.
    tried_at: Option<Instant>,
    /// La dernière panne dite au journal, pour ne la dire qu'une fois.
    trouble: Option<String>,
    /// Le signal que montre le leader pendant une pause, et depuis quand.
    overheard: Option<(String, Moment)>,
    /// Ce qui est en place de ce que l'on vise.
    arrived: Arrived,
    /// Quand le tour a commencé : un prix d'avant n'est plus celui auquel envoyer sans borne.
    begun: Moment,
    /// Ce tour a visé ce que le leader montre : rien ne l'en a empêché qu'il n'ait dit.
    is_on_course: bool,
    next_poll: Instant,
    next_market: Instant,
}

/// Ce avec quoi un moteur travaille.
pub struct Means {
    pub ledger: Ledger,
    pub leader: Leader,
    pub exchange: Exchange,
    pub instruments: Arc<Instruments>,
}

enum Event {
    Tick,
    Command(Command),
}

impl Engine {
    /// Un moteur prêt à tourner, et la poignée qui lui envoie des commandes.
    pub fn new(means: Means, manner: Manner, venue: Venue) -> (Engine, Commands) {
        let Means { ledger, leader, exchange, instruments } = means;
        let (commands, queue) = Commands::channel();
        let engine = Engine {
            reception: Reception::new(queue, ledger.clone()),
            ledger,
            leader,
            exchange,
            manner,
            venue,
            sight: Sight::new(manner.poll_interval, manner.second_reading),
            instruments,
            outlook: None,
            is_opened: false,
            unopened: None,
            withdrawn: None,
            lacking: PerCoin::default(),
            tried_at: None,
            trouble: None,
            overheard: None,
            arrived: Arrived::default(),
            begun: Moment(0),
            is_on_course: false,
            next_poll: clock::instant(),
            next_market: clock::instant(),
        };
        (engine, commands)
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
            if self.reception.is_hurried() {
                // Reprendre, c'est suivre tout de suite.
                self.next_poll = clock::instant();
            }
        }
    }

    fn next_due(&self) -> Instant {
        let usual = self.next_poll.min(self.next_market);
        self.venue.next_due().map_or(usual, |due| usual.min(due))
    }

    async fn wait(&mut self, deadline: Instant) -> Event {
        let tick = async {
            clock::sleep_until(deadline).await;
            Event::Tick
        };
        if let Some(command) = self.reception.take_deferred() {
            return Event::Command(command);
        }
        tick.or(async { Event::Command(self.reception.next().await) }).await
    }

    async fn obey(&mut self, command: Command) {
        if !command.concerns_the_account() {
            // Ce dont elle conclut se regarde d'abord ; un signal libéré par là est repris.
            if command.concludes_from_the_account() && self.sight.is_unlooked() && self.tend().await {
                self.next_poll = clock::instant();
            }
            return self.reception.serve(command, &self.sight).await;
        }
        if self.sight.bnb_price().is_none()
            && let Err(error) = self.refresh_market().await
        {
            log::error!("market_not_kept reason={error}");
        }
        if command.carry_out_at(&mut self.venue, &self.sight).await {
            self.next_poll = clock::instant();
        }
        self.try_to_keep_outlook().await;
    }

    /// Ce qui empêche d'écrire est dit une fois : chaque seconde, le journal en serait plein.
    async fn try_to_keep_outlook(&mut self) {
        if let Err(error) = self.keep_outlook().await
            && self.ledger.trouble().is_none()
        {
            log::error!("outlook_not_kept reason={error}");
        }
    }

    /// Fait tout ce dont c'est l'heure, puis garde ce que la bourse en a demandé : un silence qu'un arrêt ferait
    /// oublier vaudrait un bannissement.
    async fn tick(&mut self) {
        self.act().await;
        self.try_to_keep_outlook().await;
    }

    /// Le compte passe avant le tour.
    async fn act(&mut self) {
        if self.tend().await {
            // Un tour avancé reprend ce qui n'attendait que cela.
            self.next_poll = clock::instant();
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

    /// Laisse le compte faire ce dont c'est l'heure. Rend vrai si un signal peut être repris.
    async fn tend(&mut self) -> bool {
        if self.sight.bnb_price().is_none()
            && self.venue.wants_a_price().await
            // Au démarrage rien n'est lu encore ; des frais en BNB n'ont pas de valeur sans lui.
            && let Err(error) = self.refresh_market().await
        {
            log::error!("market_not_kept reason={error}");
        }
        let bnb = self.sight.bnb_price();
        let ended = self.reception.during(&self.sight, self.venue.tend(bnb)).await;
        self.sight.heed_comparison(&self.venue);
        ended
    }

    /// Relit le marché ; rend vrai si un signal attend et que plus rien ne lui manque.
    async fn refresh_market(&mut self) -> Result<bool, LedgerError> {
        let sight = self.reception.during(&self.sight, self.sight.renewed(&self.exchange)).await;
        self.take_in(sight);
        self.keep_readings().await?;
        let waits = |db: &mut Db| Ok(!db.due()?.is_empty());
        let needed = self.needed(None).await?;
        Ok(self.sight.known(needed, clock::now()).is_ok() && self.ledger.with(waits).await?)
    }

    /// Retient ce qui vient d'être lu.
    fn take_in(&mut self, sight: Sight) {
        self.venue.heed_the_hour(sight.wrong_hour());
        self.venue.heed_prices(sight.is_newer_than(&self.sight));
        if let Some(wait) = sight.second_reading() {
            self.next_market = self.next_market.min(clock::instant() + wait);
        }
        self.sight = sight;
    }

    async fn keep_readings(&self) -> Result<(), LedgerError> {
        let rows = self.sight.rows();
        self.ledger.with(move |db| db.keep_readings(&rows)).await
    }
}
