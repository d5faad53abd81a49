//! Les réponses en route : ce qu'elles tiennent de mémoire toutes ensemble, tant que leurs clients les lisent.
//!
//! Invariant : jamais plus de `limit` octets, et la moitié de ce qui reste est à ce qui viendra : ceux qui demandent de longues
//! listes et ne les lisent pas n'ôtent pas à la page ses réponses, qui sont courtes.

use std::cell::Cell;
use std::rc::Rc;

/// Marque une réponse dont les octets sont déjà dans le programme : la faire partir ne tient rien de plus.
pub struct Lasting;

/// Ce qu'une réponse peut faire d'octets au moment où sa requête arrive : une route qui la sait longue peut ne pas la préparer.
#[derive(Clone, Copy)]
pub struct Room(pub usize);

/// Ce qui reste de place.
#[derive(Clone)]
pub(super) struct Answers(Rc<Cell<usize>>);

/// La place d'une réponse ; elle la rend en disparaissant.
pub(super) struct Held {
    free: Rc<Cell<usize>>,
    size: usize,
}

impl Answers {
    pub fn new(limit: usize) -> Self {
        Answers(Rc::new(Cell::new(limit)))
    }

    /// La plus longue des réponses qui auraient de la place.
    pub fn room(&self) -> Room {
        Room(self.0.get() / 2)
    }

    /// De la place pour `size` octets ; `None` si ce qui est en route n'en laisse pas assez.
    pub fn hold(&self, size: usize) -> Option<Held> {
        let free = self.0.get();
        (size <= self.room().0).then(|| {
            self.0.set(free - size);
            Held { free: self.0.clone(), size }
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.free.set(self.free.get() + self.size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_answers_that_nobody_reads_leave_room_for_small_ones_and_give_it_back() {
        let answers = Answers::new(4000);
        let large: Vec<Held> = (0..64).filter_map(|_| answers.hold(800)).collect();
        assert_eq!(large.len(), 4);
        let small = (0..64).filter_map(|_| answers.hold(5)).collect::<Vec<Held>>();
        assert_eq!(small.len(), 64);
        drop((large, small));
        assert_eq!(answers.0.get(), 4000);
    }
}
