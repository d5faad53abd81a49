//! Les connexions sans place : dites une fois par minute, avec leur nombre.
//!
//! Chacune une ligne, une foule remplirait le journal, et la carte SD avec lui.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use async_io::Timer;
use smol::{LocalExecutor, Task};

const MINUTE: Duration = Duration::from_secs(60);

/// Le compte, et qui le dira.
#[derive(Default)]
pub(super) struct TurnedAway {
    count: Rc<Cell<u64>>,
    teller: RefCell<Option<Task<()>>>,
}

impl TurnedAway {
    /// Une de plus ; la première d'une foule est dite aussitôt.
    pub fn count(&self, executor: &LocalExecutor<'static>) {
        self.count.set(self.count.get() + 1);
        let mut teller = self.teller.borrow_mut();
        if teller.as_ref().is_none_or(Task::is_finished) {
            let count = self.count.clone();
            *teller = Some(executor.spawn(async move {
                while count.get() > 0 {
                    tell(&count);
                    Timer::after(MINUTE).await;
                }
            }));
        }
    }
}

impl Drop for TurnedAway {
    fn drop(&mut self) {
        if self.count.get() > 0 {
            tell(&self.count);
        }
    }
}

fn tell(count: &Cell<u64>) {
    // Hors de la ligne : un journal qui ne la veut pas n'en lirait pas les arguments.
    let count = count.take();
    log::warn!("connections_turned_away count={count} reason=all_places_answering");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_one_line_and_the_next_ones_wait_for_their_minute() {
        let (executor, away) = (LocalExecutor::new(), TurnedAway::default());
        for _ in 0..100 {
            away.count(&executor);
        }
        while executor.try_tick() {}
        assert_eq!(away.count.get(), 0, "all of them are told, together");
        for _ in 0..50 {
            away.count(&executor);
            while executor.try_tick() {}
        }
        assert_eq!(away.count.get(), 50, "they wait for the next line");
    }
}
