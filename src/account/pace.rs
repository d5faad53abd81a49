//! Quand refaire ce qui a manqué : au bout d'une minute, puis de deux fois plus, jusqu'à dix minutes.
//!
//! Invariant : ce qui manque toujours ne se redemande pas plus de quinze fois dans la première heure, ni de six dans les
//! suivantes ; le balayage, dont tout dépend, trente ([`Pace::failed_within`]).

use std::time::{Duration, Instant};

use crate::clock;

const FIRST: Duration = Duration::from_secs(60);
pub(super) const LONGEST: Duration = Duration::from_secs(600);

/// Le rythme d'une chose qui manque peut-être.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    failures: u32,
}

impl Pace {
    /// Elle a encore manqué ; rend quand la refaire, au plus tard dans [`LONGEST`].
    pub fn failed(&mut self) -> Instant {
        self.failed_within(LONGEST)
    }

    /// De même, au plus dans `longest` : ce qui ferme tout, et coûte peu à redemander.
    pub fn failed_within(&mut self, longest: Duration) -> Instant {
        let wait = FIRST.saturating_mul(1 << self.failures.min(8)).min(longest);
        self.failures += 1;
        clock::instant() + wait
    }

    /// Elle n'a pas manqué : la prochaine fois sera une première.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::simulated::Installed;
    use crate::domain::moment::Moment;

    #[test]
    fn what_always_fails_is_tried_again_more_and_more_seldom() {
        let _time = Installed::at(Moment(0));
        let mut pace = Pace::default();
        let mut wait = || (pace.failed() - clock::instant()).as_secs();
        assert_eq!([(); 7].map(|()| wait()), [60, 120, 240, 480, 600, 600, 600]);
        pace.succeeded();
        assert_eq!((pace.failed() - clock::instant()).as_secs(), 60);
    }

    #[test]
    fn what_closes_everything_is_never_left_for_longer_than_it_may_be() {
        let _time = Installed::at(Moment(0));
        let mut pace = Pace::default();
        let mut wait = || (pace.failed_within(Duration::from_secs(150)) - clock::instant()).as_secs();
        assert_eq!([(); 4].map(|()| wait()), [60, 120, 150, 150]);
    }
}
