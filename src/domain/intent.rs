//! La vie d'une intention : un ordre décidé, depuis qu'il est écrit jusqu'à ce qu'on sache sa fin.
//!
//! ```text
//! simulé   planned ─> filled | refused | abandoned
//! réel     sent ─> filled | refused | abandoned (la bourse ne l'a pas traité)
//!            └──> unknown ─> filled | abandoned | absent | stuck
//!                                        stuck ─> filled | abandoned | absent (une personne a regardé)
//! ```
//!
//! Invariants : une intention n'est envoyée qu'une fois ; elle finit une fois. La seule suite d'une fin sans
//! exécution est d'apprendre, tard, qu'il y en a eu une : elle se compte, ou demande une personne. « Finie sans rien
//! échanger » a un seul sens, d'où qu'on l'apprenne : abandonnée, et le signal est planifié à nouveau.

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
    /// Refusée pour de bon.
    Refused,
    /// Prouvée jamais arrivée.
    Absent,
    /// Jamais traitée (interrompue avant l'envoi, bourse qui fait attendre), ou finie sans rien échanger : le signal est
    /// planifié à nouveau.
    Abandoned,
}

/// Ce qui arrive à une intention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Filled,
    /// La bourse ne l'exécutera pas, et le refera savoir de la même façon.
    Refused,
    /// Rien n'a été échangé : pas traité, ou fini ainsi, la bourse le dit ; le temps ou une nouvelle décision peut y
    /// remédier.
    Unprocessed,
    /// Pas de réponse dont on puisse être sûr.
    Lost,
    /// Les règles de [`super::doubt`] l'ont prouvée absente, ou une personne l'a dit.
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
            // Un refus est la réponse à l'envoi : d'une question, on apprend une fin.
            (State::Planned | State::Sent, Event::Refused) => Some(State::Refused),
            (State::Planned | State::Sent | State::Unknown | State::Stuck, Event::Unprocessed) => {
                Some(State::Abandoned)
            }
            (State::Sent | State::Unknown, Event::Lost) => Some(State::Unknown),
            (State::Unknown | State::Stuck, Event::ProvedAbsent) => Some(State::Absent),
            (State::Unknown, Event::GivenUp) => Some(State::Stuck),
            // Apprise tard : c'est un fait, il se compte.
            (State::Refused | State::Absent | State::Abandoned, Event::Filled) => Some(State::Filled),
            // De même, et il ne se laisse pas compter.
            (State::Refused | State::Absent | State::Abandoned, Event::GivenUp) => Some(State::Stuck),
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

    /// Ce qui est preuve : la bourse raconte son exécution, ou dit qu'il a fini sans rien échanger ; les règles du doute,
    /// ou une personne, l'ont dit absent. Un refus n'en est une qu'en réponse à l'envoi ; le silence, jamais.
    #[test]
    fn what_is_in_doubt_ends_only_by_what_is_proof() {
        let proofs = [Event::Filled, Event::Unprocessed, Event::ProvedAbsent];
        for state in [State::Unknown, State::Stuck] {
            for event in EVENTS {
                let ends = state.next(event).is_some_and(|next| !next.is_in_doubt());
                assert_eq!(ends, proofs.contains(&event), "{state:?} {event:?}");
            }
        }
        let answers = [Event::Filled, Event::Unprocessed, Event::Refused];
        for event in EVENTS {
            let ends = State::Sent.next(event).is_some_and(|next| !next.is_in_doubt());
            assert_eq!(ends, answers.contains(&event), "{event:?}");
        }
    }

    /// D'une fin sans exécution ne sort qu'une exécution apprise tard.
    #[test]
    fn an_end_without_an_execution_is_only_undone_by_one_learned_late() {
        for state in [State::Refused, State::Absent, State::Abandoned] {
            for event in EVENTS {
                let expected = match event {
                    Event::Filled => Some(State::Filled),
                    Event::GivenUp => Some(State::Stuck),
                    _ => None,
                };
                assert_eq!(state.next(event), expected, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn a_state_is_read_back_by_its_word() {
        for state in State::ALL {
            assert_eq!(State::from_word(state.word()), Some(state));
        }
        assert_eq!(State::from_word("gone"), None);
    }
}
