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

/// Par paire, ce qu'elle montre et pour combien de lectures encore.
#[derive(Default)]
pub(super) struct Misquotes(BTreeMap<&'static str, (Misquote, u64)>);

impl Misquotes {
    pub(super) fn set(&mut self, pair: &'static str, misquote: Misquote, readings: u64) {
        self.0.insert(pair, (misquote, readings));
    }

    pub(super) fn clear(&mut self, pair: &str) {
        self.0.remove(pair);
    }

    /// Le carnet tel que cette lecture le montre ; elle est comptée.
    pub(super) fn show(&mut self, pair: &str, book: &Book) -> Book {
        let Some((misquote, left)) = self.0.get_mut(pair).filter(|(_, left)| *left > 0) else {
            return book.clone();
        };
        *left -= 1;
        let show = |levels: &[Level]| -> Vec<Level> {
            levels.iter().map(|level| Level { price: misquote.price(level.price), ..*level }).collect()
        };
        Book { bids: show(&book.bids), asks: show(&book.asks) }
    }
}
