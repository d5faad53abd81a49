//! L'horloge simulée d'un fil : elle n'avance que si on l'avance, et attendre y est gratuit.
//!
//! Une simulation l'installe, fait tourner ses tâches jusqu'à ce que toutes attendent, puis va à la prochaine
//! échéance. L'heure murale s'y règle à part : une horloge qui saute ne touche pas à la monotone.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::domain::moment::Moment;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Simulated>>> = const { RefCell::new(None) };
}

/// Une horloge simulée. La lâcher ne la désinstalle pas : [`Installed`] le fait.
pub struct Simulated {
    origin: Instant,
    elapsed: Cell<Duration>,
    /// L'heure murale à l'origine, sauts compris.
    wall: Cell<Moment>,
    alarms: RefCell<BTreeMap<(Instant, u64), Waker>>,
    next_alarm: Cell<u64>,
}

/// L'horloge de ce fil, le temps que cette poignée vit.
pub struct Installed(Rc<Simulated>);

/// L'horloge simulée de ce fil, s'il en a une.
pub(super) fn current() -> Option<Rc<Simulated>> {
    CURRENT.with_borrow(Clone::clone)
}

impl Installed {
    /// Installe sur ce fil une horloge arrêtée à `wall`.
    pub fn at(wall: Moment) -> Installed {
        let simulated = Rc::new(Simulated {
            origin: Instant::now(),
            elapsed: Cell::new(Duration::ZERO),
            wall: Cell::new(wall),
            alarms: RefCell::default(),
            next_alarm: Cell::new(0),
        });
        CURRENT.set(Some(simulated.clone()));
        Installed(simulated)
    }

    pub fn clock(&self) -> &Simulated {
        &self.0
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

impl Simulated {
    pub fn wall(&self) -> Moment {
        Moment(self.wall.get().0 + self.elapsed.get().as_millis() as i64)
    }

    pub fn instant(&self) -> Instant {
        self.origin + self.elapsed.get()
    }

    /// Fait sauter l'heure murale de tant de millisecondes, en avant ou en arrière.
    pub fn jump(&self, milliseconds: i64) {
        self.wall.set(Moment(self.wall.get().0 + milliseconds));
    }

    /// Va à la prochaine échéance et réveille qui l'attend ; rend faux si personne n'attend.
    pub fn advance(&self) -> bool {
        let Some(((deadline, _), waker)) = self.alarms.borrow_mut().pop_first() else {
            return false;
        };
        self.elapsed.set(deadline.saturating_duration_since(self.origin).max(self.elapsed.get()));
        waker.wake();
        true
    }

    pub(super) async fn sleep_until(&self, deadline: Instant) {
        let alarm = Alarm { simulated: self, key: (deadline, self.next_alarm.get()) };
        self.next_alarm.set(self.next_alarm.get() + 1);
        poll_fn(|context| {
            if self.instant() >= deadline {
                return Poll::Ready(());
            }
            self.alarms.borrow_mut().insert(alarm.key, context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Une attente ; abandonnée, elle ne réveille plus personne.
struct Alarm<'a> {
    simulated: &'a Simulated,
    key: (Instant, u64),
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.simulated.alarms.borrow_mut().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use smol::future::{block_on, poll_once, zip};

    use super::*;
    use crate::clock;

    #[test]
    fn waiting_takes_no_time_and_ends_in_the_order_of_the_deadlines() {
        let installed = Installed::at(Moment(1_000));
        let seen = RefCell::new(Vec::new());
        let wait = async |seconds: u64| {
            clock::sleep(Duration::from_secs(seconds)).await;
            seen.borrow_mut().push((seconds, clock::now().0));
        };
        let mut both = Box::pin(zip(wait(7200), wait(3600)));
        block_on(async {
            while poll_once(&mut both).await.is_none() {
                assert!(installed.clock().advance());
            }
        });
        assert_eq!(*seen.borrow(), [(3600, 3_601_000), (7200, 7_201_000)]);
        assert!(!installed.clock().advance());
    }

    #[test]
    fn the_wall_clock_jumps_alone() {
        let installed = Installed::at(Moment(1_000));
        let before = clock::instant();
        installed.clock().jump(-5_000);
        assert_eq!((clock::now(), clock::instant()), (Moment(-4_000), before));
        drop(installed);
        assert!(clock::now().0 > 1_600_000_000_000);
    }

    #[test]
    fn an_abandoned_wait_wakes_nobody() {
        let installed = Installed::at(Moment(0));
        block_on(async {
            assert!(poll_once(clock::sleep(Duration::from_secs(1))).await.is_none());
        });
        assert!(!installed.clock().advance());
    }
}
