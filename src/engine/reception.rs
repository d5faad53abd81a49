//! Qui attend le moteur : les commandes sont servies pendant que lui-même attend le dehors.
//!
//! Invariant : une commande qui touche au compte attend que le compte soit libre ; les autres n'attendent que le grand
//! livre. Aucune n'est perdue ni servie deux fois.

use std::collections::VecDeque;

use smol::channel::Receiver;
use smol::future::FutureExt;

use super::command::Command;
use super::reach::Reckoning;
use super::sight::Sight;
use crate::ledger::Ledger;

/// La file des commandes, et de quoi y répondre.
pub(super) struct Reception {
    queue: Receiver<Command>,
    ledger: Ledger,
    /// Celles qui attendent que le compte soit libre.
    deferred: VecDeque<Command>,
    /// Vrai si une commande servie demande un tour tout de suite.
    hurried: bool,
    reckoning: Reckoning,
}

impl Reception {
    pub fn new(queue: Receiver<Command>, ledger: Ledger) -> Reception {
        Reception {
            queue,
            ledger,
            deferred: VecDeque::new(),
            hurried: false,
            reckoning: Reckoning::default(),
        }
    }

    /// La plus ancienne des commandes qui attendaient que le compte soit libre.
    pub fn take_deferred(&mut self) -> Option<Command> {
        self.deferred.pop_front()
    }

    /// La prochaine commande. Si l'appelant s'en va avant, elle reste.
    pub async fn next(&self) -> Command {
        match self.queue.recv().await {
            Ok(command) => command,
            Err(_) => smol::future::pending().await,
        }
    }

    /// Exécute une commande qui ne touche pas au compte et y répond.
    pub async fn serve(&mut self, command: Command, sight: &Sight) {
        match command {
            Command::Reach { threshold, reply } => {
                reply.try_send(self.reckoning.reach(&self.ledger, sight, threshold).await).ok();
            }
            command => self.hurried |= command.carry_out(&self.ledger, sight).await,
        }
    }

    /// Attend `work`, en servant les commandes qui arrivent entre-temps.
    pub async fn during<T>(&mut self, sight: &Sight, work: impl Future<Output = T>) -> T {
        let mut work = Box::pin(work);
        loop {
            let done = async { Ok(work.as_mut().await) };
            let command = async { Err(self.next().await) };
            match done.or(command).await {
                Ok(value) => return value,
                Err(command) if command.waits(sight) => self.deferred.push_back(command),
                Err(command) => self.serve(command, sight).await,
            }
        }
    }

    /// Vrai, une fois, si une commande servie demande un tour tout de suite.
    pub fn is_hurried(&mut self) -> bool {
        std::mem::take(&mut self.hurried)
    }
}
