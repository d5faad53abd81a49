//! Ce que les histoires ont fait vivre au suiveur : une simulation où rien n'arrive ne prouverait rien.

use std::ops::AddAssign;

use calvalot::domain::intent::State;

use crate::universe::Universe;

/// Comment les intentions ont fini, et par où elles sont passées.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    filled: u64,
    /// Dont la réponse s'était perdue, ou que l'arrêt avait coupées.
    adopted: u64,
    refused: u64,
    abandoned: u64,
    absent: u64,
    /// Une seconde tentative après une absence prouvée.
    second_attempts: u64,
    /// Une personne a dû regarder.
    released: u64,
    kills: u64,
    /// Des livres plus vieux que leur compte, dont une personne a adopté le reste.
    pub set_back: u64,
}

impl Tally {
    pub fn of(universe: &Universe) -> Tally {
        let intents = universe.books(|db| db.orders(10_000));
        let count = |state: State| intents.iter().filter(|intent| intent.state == state).count() as u64;
        let released = intents.iter().filter(|intent| {
            intent.reason.as_deref().is_some_and(|reason| reason.starts_with("a person looked"))
        });
        Tally {
            filled: count(State::Filled),
            adopted: intents.iter().filter(|intent| intent.doubted && intent.state == State::Filled).count()
                as u64,
            refused: count(State::Refused),
            abandoned: count(State::Abandoned),
            absent: count(State::Absent),
            second_attempts: intents.iter().filter(|intent| intent.attempt == 2).count() as u64,
            released: released.count() as u64,
            kills: universe.machine().kills,
            set_back: 0,
        }
    }

    /// Vrai si chaque chose est arrivée au moins une fois.
    pub fn is_full(&self) -> bool {
        let Tally { filled, adopted, refused, abandoned, absent, second_attempts, released, kills, .. } =
            *self;
        [filled, adopted, refused, abandoned, absent, second_attempts, released, kills]
            .iter()
            .all(|count| *count > 0)
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.filled += other.filled;
        self.adopted += other.adopted;
        self.refused += other.refused;
        self.abandoned += other.abandoned;
        self.absent += other.absent;
        self.second_attempts += other.second_attempts;
        self.released += other.released;
        self.kills += other.kills;
        self.set_back += other.set_back;
    }
}
