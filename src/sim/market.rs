//! Les paires cotées, leurs règles ([`Listing`]), leur prix et leur carnet.
//!
//! Un prix suit un chemin tiré de la graine : un pas au hasard et un rappel vers le prix de départ, si bien que
//! rien ne s'emballe. Tout est décimal et aligné sur le pas de cotation. Milieu, carnet et moyenne d'une paire
//! changent ensemble : aucune lecture ne contredit l'autre. Un ordre ne creuse pas le carnet ; il est regarni
//! aussitôt, de sorte que le prix ne dépend que de la graine et des pas.

use std::collections::VecDeque;

use rust_decimal::{Decimal, RoundingStrategy, dec};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Trading,
    Halt,
    Break,
    EndOfDay,
    CancelOnly,
}

impl Status {
    pub(super) fn text(self) -> &'static str {
        match self {
            Status::Trading => "TRADING",
            Status::Halt => "HALT",
            Status::Break => "BREAK",
            Status::EndOfDay => "END_OF_DAY",
            Status::CancelOnly => "CANCEL_ONLY",
        }
    }
}

/// Sous quelle forme la bourse publie le montant minimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotionalFilter {
    Notional,
    MinNotional,
}

/// Décimales d'un montant en monnaie de cotation.
const QUOTE_PRECISION: u32 = 8;
/// Ordres ouverts par paire et par compte, au plus.
pub(super) const MAX_OPEN_ORDERS: usize = 200;
/// Un prix limite s'écarte de celui des filtres d'au plus ces facteurs, vers le haut et vers le bas.
pub(super) const PERCENT_PRICE: [Decimal; 2] = [dec!(5), dec!(0.2)];

/// Les règles d'une paire. Zéro désactive un pas ou un minimum, comme chez la bourse.
#[derive(Clone, Debug)]
pub struct Listing {
    pub base: &'static str,
    pub quote: &'static str,
    pub status: Status,
    pub tick_size: Decimal,
    pub step_size: Decimal,
    pub min_quantity: Decimal,
    pub max_quantity: Decimal,
    pub market_step_size: Decimal,
    pub market_min_quantity: Decimal,
    pub market_max_quantity: Decimal,
    pub notional_filter: NotionalFilter,
    pub min_notional: Decimal,
    pub min_notional_applies_to_market: bool,
    pub max_notional: Decimal,
    pub max_notional_applies_to_market: bool,
    pub max_position: Option<Decimal>,
    pub spot_trading_allowed: bool,
    pub market_orders_allowed: bool,
    pub limit_orders_allowed: bool,
    pub quote_order_allowed: bool,
    /// ET de OU, comparé aux permissions du compte.
    pub permission_sets: Vec<Vec<&'static str>>,
    /// Prix de référence ; à défaut c'est la moyenne qui sert aux filtres.
    pub reference_price: Option<Decimal>,
    /// Écart toléré autour du prix de référence pendant l'exécution (0,05 = 5 %).
    pub price_range: Option<Decimal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    pub price: Decimal,
    pub quantity: Decimal,
}

impl Level {
    /// Ce que la quantité coûte, à la précision de la monnaie de cotation.
    pub(super) fn quote(self) -> Decimal {
        (self.price * self.quantity).trunc_with_scale(QUOTE_PRECISION)
    }
}

/// Le meilleur niveau d'abord, des deux côtés. Deux niveaux peuvent être au même prix : ce sont deux ordres.
#[derive(Clone, Debug)]
pub struct Book {
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
}

pub(super) struct Symbol {
    pub(super) pair: &'static str,
    pub(super) listing: Listing,
    pub(super) mid: Decimal,
    pub(super) book: Book,
    /// Numéro de version du carnet.
    pub(super) update_id: i64,
    start: Decimal,
    /// Amplitude d'un pas, en millionièmes.
    sway: i64,
    recent: VecDeque<Decimal>,
    average: Option<Decimal>,
}

impl Symbol {
    /// Le VWAP publié, à huit décimales.
    pub(super) fn average(&self) -> Decimal {
        let count = Decimal::from(self.recent.len().max(1));
        let mean = || (self.recent.iter().sum::<Decimal>() / count).round_dp(8);
        self.average.unwrap_or_else(mean)
    }

    /// Le plus haut prix limite.
    pub(super) fn max_price(&self) -> Decimal {
        (self.start * Decimal::from(15)).round_dp(0).max(Decimal::ONE_HUNDRED)
    }

    /// Le prix auquel les filtres se mesurent : ni le bid ni l'ask.
    pub(super) fn filter_price(&self) -> Decimal {
        self.listing.reference_price.unwrap_or_else(|| self.average())
    }

    pub(super) fn set_average(&mut self, average: Decimal) {
        self.average = Some(average);
    }

    /// Carnet imposé, jusqu'au prochain mouvement de la paire.
    pub(super) fn set_book(&mut self, book: Book) {
        self.book = book;
        self.update_id += 1;
    }

    /// Un carnet en miettes, jusqu'au prochain mouvement de la paire : de chaque côté, tant d'ordres d'une telle quantité,
    /// tous au meilleur prix.
    pub(super) fn shred_book(&mut self, quantity: Decimal, orders: usize) {
        let tick = self.listing.tick_size;
        let side = |price: Decimal| vec![Level { price, quantity }; orders];
        self.set_book(Book { bids: side(self.mid - tick), asks: side(self.mid + tick) });
    }

    /// Place le prix, et la moyenne avec lui.
    pub(super) fn set_price(&mut self, mid: Decimal, dice: &mut fastrand::Rng) {
        self.recent.clear();
        self.average = None;
        self.move_to(mid, dice);
    }

    fn step(&mut self, dice: &mut fastrand::Rng) {
        let noise = Decimal::from(dice.i64(-self.sway..=self.sway));
        let pull = (self.start - self.mid) / self.start * Decimal::from(3_000);
        let factor = Decimal::ONE + (noise + pull) / Decimal::from(1_000_000);
        self.move_to(self.mid * factor, dice);
    }

    fn move_to(&mut self, mid: Decimal, dice: &mut fastrand::Rng) {
        let tick = self.listing.tick_size;
        self.mid = floor_to(mid, tick).max(tick * Decimal::TWO);
        if self.recent.len() == 5 {
            self.recent.pop_front();
        }
        self.recent.push_back(self.mid);
        self.book = self.draw_book(dice);
        self.update_id += 1;
    }

    /// Vingt niveaux par côté : les premiers minces, pour qu'un ordre ordinaire en traverse plusieurs.
    fn draw_book(&self, dice: &mut fastrand::Rng) -> Book {
        let tick = self.listing.tick_size;
        let gap = floor_to(self.mid * Decimal::new(5, 5), tick).max(tick);
        let mut side = |direction: Decimal| -> Vec<Level> {
            (0..20i64)
                .map(|rank| {
                    let price = self.mid + direction * (tick + gap * Decimal::from(rank));
                    let value = Decimal::from(dice.i64(40..=240) * (rank + 1) * (rank + 1));
                    let step = self.listing.step_size.max(Decimal::new(1, 8));
                    Level { price, quantity: floor_to(value / price.max(tick), step).max(step) }
                })
                .filter(|level| level.price > Decimal::ZERO)
                .collect()
        };
        Book { bids: side(Decimal::NEGATIVE_ONE), asks: side(Decimal::ONE) }
    }
}

pub(super) struct Market {
    symbols: Vec<Symbol>,
    dice: fastrand::Rng,
}

impl Market {
    pub(super) fn new(seed: u64) -> Market {
        let mut market = Market { symbols: Vec::new(), dice: fastrand::Rng::with_seed(seed) };
        // Pas et minima : des valeurs vraisemblables, pas celles du jour ; prix et remous sont inventés.
        market.list("BTCUSDC", "BTC", ["68012.34", "0.01", "0.00001", "9000"], 2_000);
        market.list("ETHUSDC", "ETH", ["2451.70", "0.01", "0.0001", "9000"], 3_000);
        market.list("BNBUSDC", "BNB", ["641.20", "0.01", "0.001", "9000"], 2_500);
        market.list("SOLUSDC", "SOL", ["152.36", "0.01", "0.001", "90000"], 4_500);
        market.list("XRPUSDC", "XRP", ["2.1374", "0.0001", "0.1", "9000000"], 5_000);
        market.list("EURUSDC", "EUR", ["1.0823", "0.0001", "0.1", "9000000"], 400);
        market
    }

    fn list(
        &mut self,
        pair: &'static str,
        base: &'static str,
        [start, tick, step, max]: [&str; 4],
        sway: i64,
    ) {
        let decimal = |text: &str| text.parse::<Decimal>().expect("a decimal written above");
        let listing = Listing {
            base,
            quote: "USDC",
            status: Status::Trading,
            tick_size: decimal(tick),
            step_size: decimal(step),
            min_quantity: decimal(step),
            max_quantity: decimal(max),
            market_step_size: Decimal::ZERO,
            market_min_quantity: Decimal::ZERO,
            market_max_quantity: decimal(max) / Decimal::from(64) + Decimal::new(52_621_715, 8),
            notional_filter: NotionalFilter::Notional,
            min_notional: Decimal::from(5),
            min_notional_applies_to_market: true,
            max_notional: Decimal::from(9_000_000),
            max_notional_applies_to_market: false,
            max_position: None,
            spot_trading_allowed: true,
            market_orders_allowed: true,
            limit_orders_allowed: true,
            quote_order_allowed: true,
            permission_sets: vec![vec!["SPOT", "MARGIN", "TRD_GRP_004"]],
            reference_price: None,
            price_range: None,
        };
        let start = decimal(start);
        let book = Book { bids: Vec::new(), asks: Vec::new() };
        let (recent, update_id) = (VecDeque::new(), 1);
        let mut symbol =
            Symbol { pair, listing, mid: start, book, update_id, start, sway, recent, average: None };
        symbol.set_price(start, &mut self.dice);
        self.symbols.push(symbol);
    }

    pub(super) fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    pub(super) fn find(&self, pair: &str) -> Option<&Symbol> {
        self.symbols.iter().find(|symbol| symbol.pair == pair)
    }

    /// La paire et les dés du marché.
    pub(super) fn find_mut(&mut self, pair: &str) -> Option<(&mut Symbol, &mut fastrand::Rng)> {
        let symbol = self.symbols.iter_mut().find(|symbol| symbol.pair == pair)?;
        Some((symbol, &mut self.dice))
    }

    /// Avance tous les prix d'un pas.
    pub(super) fn step(&mut self) {
        for symbol in &mut self.symbols {
            symbol.step(&mut self.dice);
        }
    }
}

/// Le plus grand multiple de `step` sous `value` ; `value` inchangée si le pas est nul.
pub(super) fn floor_to(value: Decimal, step: Decimal) -> Decimal {
    if step.is_zero() {
        return value;
    }
    (value / step).round_dp_with_strategy(0, RoundingStrategy::ToNegativeInfinity) * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_wander_on_their_tick_and_never_run_away() {
        let mut market = Market::new(11);
        let first: Vec<Decimal> = market.symbols().iter().map(|symbol| symbol.mid).collect();
        for _ in 0..5_000 {
            market.step();
            for (symbol, start) in market.symbols().iter().zip(&first) {
                assert!((symbol.mid % symbol.listing.tick_size).is_zero(), "{} {}", symbol.pair, symbol.mid);
                let ratio = symbol.mid / start;
                assert!(ratio > Decimal::new(8, 1) && ratio < Decimal::new(12, 1), "{} {ratio}", symbol.pair);
            }
        }
        assert!(market.symbols().iter().zip(&first).all(|(symbol, start)| symbol.mid != *start));
    }

    #[test]
    fn a_book_has_its_mid_in_the_middle_and_its_best_levels_first() {
        for symbol in Market::new(3).symbols() {
            let (bid, ask) = (symbol.book.bids[0].price, symbol.book.asks[0].price);
            assert_eq!((bid + ask) / Decimal::TWO, symbol.mid);
            assert!(symbol.book.bids.is_sorted_by(|a, b| a.price > b.price));
            assert!(symbol.book.asks.is_sorted_by(|a, b| a.price < b.price));
            assert!(
                symbol.book.asks.iter().all(|level| (level.quantity % symbol.listing.step_size).is_zero())
            );
        }
    }
}
