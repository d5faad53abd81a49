//! Ce qu'une personne peut faire d'un ordre qui l'attend, et ce qui s'ensuivra.
//!
//! Invariant : un ordre qui demande une personne peut toujours être fini par elle, et ce qu'on lui annonce est ce qui se
//! fera : l'âge d'une action décide, pour ces phrases comme pour le plan ([`is_too_old`]).

use std::time::Duration;

use super::doubt::ATTEMPTS;
use super::intent::State;

/// Comment une personne a fini un ordre sans la bourse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// Booké tel que la page de la bourse le montrait.
    Booked,
    /// Réglé au dehors, ou sans rien à booker.
    Settled,
}

impl Hand {
    pub fn word(self) -> &'static str {
        match self {
            Hand::Booked => "booked",
            Hand::Settled => "settled",
        }
    }

    pub fn from_word(word: &str) -> Option<Hand> {
        [Hand::Booked, Hand::Settled].into_iter().find(|hand| hand.word() == word)
    }
}

/// Ce qu'une personne peut faire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Le demander une fois encore ; s'il n'y est pas, il n'a pas eu lieu.
    Release,
    /// Le booker tel que la page de la bourse le montre.
    Book,
    /// Le finir sans rien booker.
    Settle,
    /// Dire qu'elle a vu une exécution apprise tard.
    Acknowledge,
}

impl Way {
    pub fn word(self) -> &'static str {
        match self {
            Way::Release => "release",
            Way::Book => "book",
            Way::Settle => "settle",
            Way::Acknowledge => "acknowledge",
        }
    }
}

/// Un ordre qui attend peut-être une personne, et le signal qui l'a voulu.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    pub state: State,
    /// Exécuté après qu'on l'a cru absent, et personne ne l'a regardé.
    pub late: bool,
    pub attempt: u32,
    /// Vrai si son signal, encore ouvert, sera planifié à nouveau.
    pub signal_is_open: bool,
    /// L'âge de son signal, si c'est une action de la version 1 ; `None` pour une allocation, qui ne vieillit pas.
    pub action_age: Option<Duration>,
}

/// Vrai si une action de cet âge n'est plus refaite : le prix n'est plus celui qu'elle voulait.
pub fn is_too_old(action_age: Option<Duration>, oldest_action: Duration) -> bool {
    action_age.is_some_and(|age| age > oldest_action)
}

impl Case {
    /// Ce qu'une personne peut faire maintenant ; rien d'un ordre qui ne l'attend pas.
    pub fn ways(&self) -> &'static [Way] {
        match (self.state, self.late) {
            (State::Stuck, _) => &[Way::Release, Way::Book, Way::Settle],
            (_, true) => &[Way::Acknowledge],
            (_, false) => &[],
        }
    }

    /// Ce qui s'ensuivra, en une ou deux phrases ; une action plus vieille que `oldest_action` n'est plus refaite.
    pub fn consequence(&self, way: Way, oldest_action: Duration) -> String {
        match way {
            Way::Release => format!(
                "The exchange is asked once more, and what it says was traded is booked. If nothing was, {}.",
                self.afterwards(oldest_action)
            ),
            Way::Book => "What you enter goes into the books as the trade of this order: quantity and usdc are what was exchanged, \
                          before fees, as the page of the exchange shows it. The order is not sent again, and its signal goes \
                          on from there."
                .to_owned(),
            Way::Settle => "The order ends here: nothing is booked, nothing is sent again for it, and its coin is left \
                            until the next signal. If the exchange executed it, book it instead, or the books will not \
                            be what the account holds; should it show an execution later, that is booked then."
                .to_owned(),
            Way::Acknowledge => "The order is in the books already: purchases, which wait for somebody to have seen it, \
                                 go on."
                .to_owned(),
        }
    }

    /// Ce que devient un ordre libéré qui n'a pas été exécuté.
    fn afterwards(&self, oldest_action: Duration) -> String {
        match self.action_age {
            _ if !self.signal_is_open => {
                "it is not sent again: its signal is closed, and the next one decides".to_owned()
            }
            Some(age) if is_too_old(self.action_age, oldest_action) => {
                format!("it is given up, not sent again: its signal is {} old", told(age))
            }
            _ if self.attempt >= ATTEMPTS => {
                "this was the last attempt: its coin is left until the next signal, or planned anew at the prices of now if the \
                 order ended without a trade"
                    .to_owned()
            }
            Some(_) => "it is sent again at the price of now".to_owned(),
            None => "its signal is planned anew at the prices of now, which may send it again".to_owned(),
        }
    }
}

/// Un âge, en mots.
pub fn told(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    let (count, unit) = match minutes {
        0..120 => (minutes, "minute"),
        120..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUCK: Case =
        Case { state: State::Stuck, late: false, attempt: 1, signal_is_open: true, action_age: None };

    #[test]
    fn whatever_needs_a_person_can_be_ended_by_one() {
        for state in State::ALL {
            for late in [false, true] {
                let ways = Case { state, late, ..STUCK }.ways();
                let needs = late || state == State::Stuck;
                assert_eq!(ways.is_empty(), !needs, "{state:?} {late}");
                // Celle qui ne demande rien à la bourse.
                assert!(!needs || ways.contains(&Way::Settle) || ways == [Way::Acknowledge]);
            }
        }
    }

    #[test]
    fn a_release_says_whether_the_order_would_be_sent_again() {
        let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
        let cases = [
            (STUCK, "planned anew at the prices of now, which may send it again"),
            (Case { action_age: minutes(14), ..STUCK }, "sent again at the price of now"),
            (
                Case { action_age: minutes(16), ..STUCK },
                "given up, not sent again: its signal is 16 minutes old",
            ),
            (
                Case { action_age: minutes(3 * 1440), ..STUCK },
                "given up, not sent again: its signal is 3 days old",
            ),
            (Case { action_age: minutes(180), attempt: 2, ..STUCK }, "its signal is 3 hours old"),
            (Case { attempt: 2, ..STUCK }, "this was the last attempt"),
            (Case { signal_is_open: false, action_age: minutes(1), ..STUCK }, "its signal is closed"),
        ];
        for (case, expected) in cases {
            let found = case.consequence(Way::Release, Duration::from_secs(15 * 60));
            assert!(found.contains(expected), "{found}");
        }
    }
}
