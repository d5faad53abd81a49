//! Les carnets montrés faux : un prix d'ailleurs pour quelques lectures, pendant que les échanges se font au vrai.
//!
//! Ne change que ce qu'une lecture du carnet montre (`bookTicker`, `depth`). Le moteur, la moyenne et le dernier prix
//! restent ceux du marché.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::sim::market::{Book, Level};

/// Ce qu'un carnet montre à la place de ses prix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misquote {
    /// Chaque prix multiplié : 10, 1000, 0.01.
    Times(Decimal),
    /// Tous les niveaux à ce prix, achat et vente.
    At(Decimal),
}

impl Misquote {
    fn price(self, price: Decimal) -> Decimal {
        match self {
            Misquote::Times(factor) => (price * factor).round_dp(8),
            Misquote::At(shown) => shown,
        }
    }
}

/// Par paire, ce qu'elle montre et pour combien de lectures encore ; et quand, si la dernière lecture en était une.
#[derive(Default)]
pub(super) struct Misquotes {
    shown: BTreeMap<&'static str, (Misquote, u64)>,
    lied_at: BTreeMap<&'static str, i64>,
    /// Les ordres datés d'après la lecture d'un carnet faux de leur paire.
    pub(super) misled: Vec<i64>,
}

impl Misquotes {
    pub(super) fn set(&mut self, pair: &'static str, misquote: Misquote, readings: u64) {
        self.shown.insert(pair, (misquote, readings));
    }

    /// Un ordre de cette paire, daté de `stamp_ms`, est accepté.
    pub(super) fn accept(&mut self, pair: &str, order: i64, stamp_ms: i64) {
        if self.lied_at.get(pair).is_some_and(|at| *at <= stamp_ms) {
            self.misled.push(order);
        }
    }

    /// L'heure de la bourse saute : un ordre daté d'avant ne se compare plus à une lecture d'après.
    pub(super) fn lose_the_hour(&mut self) {
        self.lied_at.clear();
    }

    pub(super) fn clear(&mut self, pair: &str) {
        self.shown.remove(pair);
    }

    /// Le carnet tel que cette lecture, faite à `now_ms`, le montre ; elle est comptée.
    pub(super) fn show(&mut self, pair: &'static str, book: &Book, now_ms: i64) -> Book {
        let Some((misquote, left)) = self.shown.get_mut(pair).filter(|(_, left)| *left > 0) else {
            self.lied_at.remove(pair);
            return book.clone();
        };
        *left -= 1;
        self.lied_at.insert(pair, now_ms);
        let show = |levels: &[Level]| -> Vec<Level> {
            levels.iter().map(|level| Level { price: misquote.price(level.price), ..*level }).collect()
        };
        Book { bids: show(&book.bids), asks: show(&book.asks) }
    }
}
