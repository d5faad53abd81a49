//! La vie d'une intention : un ordre décidé, depuis qu'il est écrit jusqu'à ce qu'on sache sa fin.
//!
//! ```text
//! simulé   planned ─> filled | refused | abandoned
//! réel     sent ─> filled | refused | abandoned (la bourse ne l'a pas traité)
//!            └──> unknown ─> filled | refused | absent | stuck
//!                                        stuck ─> filled | refused | absent (une personne a regardé)
//! ```
//!
//! Invariants : une intention n'est envoyée qu'une fois ; elle finit une fois. La seule suite d'une fin sans
//! exécution est d'apprendre, tard, qu'il y en a eu une.

/// L'état d'une intention au grand livre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Écrite pour la simulation, pas encore exécutée.
    Planned,
    /// Écrite, et peut-être partie : aucun octet n'est parti avant qu'elle ne soit au disque.
    Sent,
    /// Partie, issue inconnue : on demande.
    Unknown,
    /// On ne saura pas seul : une personne doit regarder.
    Stuck,
    /// Exécutée : le trade est au grand livre.
    Filled,
    /// Refusée pour de bon, ou finie sans rien échanger.
    Refused,
    /// Prouvée jamais arrivée.
    Absent,
    /// Jamais traitée (interrompue avant l'envoi, bourse qui fait attendre) : le signal est planifié à nouveau.
    Abandoned,
}

/// Ce qui arrive à une intention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Filled,
    /// La bourse ne l'exécutera pas, et le refera savoir de la même façon.
    Refused,
    /// Rien n'a été traité ; le temps ou une nouvelle décision peut y remédier.
    Unprocessed,
    /// Pas de réponse dont on puisse être sûr.
    Lost,
    /// Les règles de [`super::doubt`] l'ont prouvée absente.
    ProvedAbsent,
    /// Rien ne se laisse prouver, ou les tentatives sont épuisées.
    GivenUp,
}

impl State {
    pub const ALL: [State; 8] = [
        State::Planned,
        State::Sent,
        State::Unknown,
        State::Stuck,
        State::Filled,
        State::Refused,
        State::Absent,
        State::Abandoned,
    ];

    pub fn word(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Sent => "sent",
            State::Unknown => "unknown",
            State::Stuck => "stuck",
            State::Filled => "filled",
            State::Refused => "refused",
            State::Absent => "absent",
            State::Abandoned => "abandoned",
        }
    }

    pub fn from_word(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Vrai tant que l'ordre a pu changer ce que l'on possède sans que le grand livre le sache : son coin et
    /// son cash ne sont pas touchés.
    pub fn is_in_doubt(self) -> bool {
        matches!(self, State::Sent | State::Unknown | State::Stuck)
    }

    /// L'état suivant ; `None` si l'événement ne peut pas arriver dans cet état.
    pub fn next(self, event: Event) -> Option<State> {
        match (self, event) {
            (State::Planned | State::Sent | State::Unknown | State::Stuck, Event::Filled) => {
                Some(State::Filled)
            }
            (State::Planned | State::Sent | State::Unknown | State::Stuck, Event::Refused) => {
                Some(State::Refused)
            }
            (State::Planned | State::Sent, Event::Unprocessed) => Some(State::Abandoned),
            (State::Sent | State::Unknown, Event::Lost) => Some(State::Unknown),
            (State::Unknown | State::Stuck, Event::ProvedAbsent) => Some(State::Absent),
            (State::Unknown, Event::GivenUp) => Some(State::Stuck),
            // Apprise tard : c'est un fait, il se compte.
            (State::Refused | State::Absent | State::Abandoned, Event::Filled) => Some(State::Filled),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 6] =
        [Event::Filled, Event::Refused, Event::Unprocessed, Event::Lost, Event::ProvedAbsent, Event::GivenUp];

    #[test]
    fn nothing_follows_an_execution_and_nothing_is_sent_again() {
        for event in EVENTS {
            assert_eq!(State::Filled.next(event), None, "{event:?}");
            for state in State::ALL {
                let next = state.next(event);
                assert!(next != Some(State::Sent) && next != Some(State::Planned), "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn what_is_in_doubt_never_ends_unproved() {
        for state in [State::Unknown, State::Stuck] {
            assert_eq!(state.next(Event::Unprocessed), None);
        }
        assert_eq!(State::Sent.next(Event::ProvedAbsent), None);
    }

    #[test]
    fn a_state_is_read_back_by_its_word() {
        for state in State::ALL {
            assert_eq!(State::from_word(state.word()), Some(state));
        }
        assert_eq!(State::from_word("gone"), None);
    }
}
