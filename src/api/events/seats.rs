//! Les places des flux : combien à la fois, combien à un même client, et qui cède la sienne.
//!
//! Invariant : au plus `STREAMS` places prises, au plus [`EACH`] par client, et nul n'en perd une pour quelqu'un dont on ne
//! sait pas plus que de lui.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smol::channel::{self, Receiver, Sender};

use super::STREAMS;
use crate::api::caller::{Caller, Standing};
use crate::api::errors::ApiError;

/// Les flux d'un même client : les écrans d'une personne.
const EACH: usize = 4;

struct Taken {
    id: u64,
    household: IpAddr,
    standing: Standing,
    /// La lâcher dit au flux qu'il a perdu sa place.
    _kept: Sender<()>,
}

#[derive(Default)]
struct Table {
    /// De la plus ancienne à la plus récente.
    taken: Vec<Taken>,
    next: u64,
}

/// La table des places.
#[derive(Clone, Default)]
pub(super) struct Seats(Arc<Mutex<Table>>);

/// La place d'un flux ; elle la rend en disparaissant.
pub(super) struct Seat {
    seats: Seats,
    id: u64,
    lost: Receiver<()>,
}

impl Seats {
    /// Une place, au besoin prise à quelqu'un dont on sait moins.
    pub fn take(&self, caller: &Caller) -> Result<Seat, ApiError> {
        let mut table = self.table();
        let own = table.taken.iter().filter(|taken| taken.household == caller.household).count();
        if own >= EACH {
            return Err(refusal(format!("{own} streams of this address are open already")));
        }
        if table.taken.len() >= STREAMS {
            let least = table.taken.iter().enumerate().min_by_key(|(_, taken)| taken.standing);
            match least.filter(|(_, taken)| taken.standing < caller.standing) {
                Some((at, _)) => drop(table.taken.remove(at)),
                None => return Err(refusal(format!("{STREAMS} streams are open already"))),
            }
        }
        let id = table.next;
        table.next += 1;
        let (kept, lost) = channel::bounded(1);
        let Caller { household, standing, .. } = *caller;
        table.taken.push(Taken { id, household, standing, _kept: kept });
        Ok(Seat { seats: self.clone(), id, lost })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Se termine quand la place est cédée à un autre.
    pub async fn lost(&self) {
        // Rien n'y est jamais envoyé : seule la fin de l'autre bout termine ceci.
        while self.lost.recv().await.is_ok() {}
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.table().taken.retain(|taken| taken.id != self.id);
    }
}

fn refusal(reason: String) -> ApiError {
    ApiError::busy(format!("{reason}: read the parts from time to time"), 10)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn caller(number: u8, standing: Standing) -> Caller {
        Caller::test(Ipv4Addr::new(10, 0, 0, number).into(), standing)
    }

    fn is_lost(seat: &Seat) -> bool {
        smol::block_on(smol::future::poll_once(seat.lost())).is_some()
    }

    #[test]
    fn one_client_never_has_all_the_places_and_the_owner_comes_before_a_stranger() {
        let seats = Seats::default();
        let of = |number, standing| seats.take(&caller(number, standing));
        let mut strangers = Vec::new();
        for number in [1, 1, 1, 1, 2, 2, 2, 2] {
            strangers.push(of(number, Standing::Stranger).expect("a place"));
            assert!(of(1, Standing::Owner).is_err() || number != 1 || strangers.len() < EACH);
        }
        assert!(of(3, Standing::Stranger).is_err(), "no more of those than there are");
        let neighbour = of(3, Standing::Neighbour).expect("a stranger makes room");
        assert!(is_lost(&strangers[0]) && !is_lost(&strangers[1]), "the oldest of them");
        let owners: Vec<Seat> =
            [4, 4, 4, 4, 5, 5, 5].map(|number| of(number, Standing::Owner).expect("a place")).into();
        assert!(strangers.iter().all(is_lost) && !is_lost(&neighbour));
        let last = of(5, Standing::Owner).expect("a neighbour makes room for an owner");
        assert!(is_lost(&neighbour));
        assert!(of(6, Standing::Owner).is_err() && !is_lost(&owners[0]), "no owner for another");
        drop((strangers, neighbour, last));
        assert!(of(6, Standing::Stranger).is_ok(), "whoever leaves gives up the place");
    }
}
