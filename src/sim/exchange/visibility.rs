//! Le retard des lectures sur le moteur : un ordre exécuté peut rester invisible un temps, ou quelques lectures.
//!
//! Chaque vue a son retard. Un retard compté en lectures est déterministe : c'est celui qu'un test préfère.

use std::time::Duration;

/// Une source de lecture qui peut être en retard ; openOrders suit `Order`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Order,
    AllOrders,
    MyTrades,
    Account,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lag {
    None,
    For(Duration),
    /// Les tant de lectures qui suivent le changement ne le voient pas.
    Reads(u64),
}

/// Le moment d'un changement, en heure de bourse et en lectures faites par vue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    at_ms: i64,
    reads: [u64; 4],
}

pub(super) struct Visibility {
    lags: [Lag; 4],
    reads: [u64; 4],
}

/// Une lecture en cours : ce qu'elle voit ne change pas pendant qu'elle se fait.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    lag: Lag,
    view: View,
    reads: u64,
    now_ms: i64,
}

impl Visibility {
    pub(super) fn new() -> Visibility {
        Visibility { lags: [Lag::None; 4], reads: [0; 4] }
    }

    pub(super) fn set(&mut self, view: View, lag: Lag) {
        self.lags[view as usize] = lag;
    }

    pub(super) fn stamp(&self, now_ms: i64) -> Stamp {
        Stamp { at_ms: now_ms, reads: self.reads }
    }

    /// Compte une lecture de `view` et rend ce qu'elle voit.
    pub(super) fn read(&mut self, view: View, now_ms: i64) -> Sight {
        let reads = self.reads[view as usize];
        self.reads[view as usize] += 1;
        Sight { lag: self.lags[view as usize], view, reads, now_ms }
    }
}

impl Sight {
    pub(super) fn sees(&self, stamp: &Stamp) -> bool {
        match self.lag {
            Lag::None => true,
            Lag::For(wait) => {
                self.now_ms - stamp.at_ms >= i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
            }
            Lag::Reads(count) => self.reads - stamp.reads[self.view as usize] >= count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_stays_hidden_for_its_time_or_its_reads() {
        let mut visibility = Visibility::new();
        visibility.set(View::Order, Lag::Reads(2));
        visibility.set(View::Account, Lag::For(Duration::from_secs(10)));
        let stamp = visibility.stamp(1_000);
        let mut seen = |view, now_ms| visibility.read(view, now_ms).sees(&stamp);
        assert_eq!([(); 3].map(|()| seen(View::Order, 1_000)), [false, false, true]);
        assert_eq!([10_999, 11_000].map(|now| seen(View::Account, now)), [false, true]);
        assert!(seen(View::MyTrades, 1_000));
    }
}
