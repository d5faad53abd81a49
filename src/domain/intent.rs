//! La vie d'une intention : un ordre décidé, depuis qu'il est écrit jusqu'à ce qu'on sache sa fin.
//!
//! Écrite avant tout envoi, elle ne quitte `Planned` qu'une fois. En `dry_run` l'exécution est
//! calculée ici même ; le mode réel ajoutera l'état « envoyé, issue inconnue ».

/// L'état d'une intention au grand livre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Écrite, rien n'est parti.
    Planned,
    /// Exécutée : le trade est au grand livre.
    Filled,
    /// Refusée pour de bon : rien n'a été échangé.
    Refused,
    /// Abandonnée avant l'envoi par une interruption : le signal est planifié à nouveau.
    Abandoned,
}

/// Ce qui arrive à une intention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Filled,
    Refused,
    Interrupted,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Filled => "filled",
            State::Refused => "refused",
            State::Abandoned => "abandoned",
        }
    }

    /// L'état suivant ; `None` si l'événement ne peut pas arriver dans cet état.
    pub fn next(self, event: Event) -> Option<State> {
        match (self, event) {
            (State::Planned, Event::Filled) => Some(State::Filled),
            (State::Planned, Event::Refused) => Some(State::Refused),
            (State::Planned, Event::Interrupted) => Some(State::Abandoned),
            (State::Filled | State::Refused | State::Abandoned, _) => None,
        }
    }
}
