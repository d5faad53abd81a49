//! L'histoire que tire une graine : ce que veut le leader, ce que font les prix, ce qui casse, quand le suiveur meurt.

use std::time::Duration;

use calvalot::sim::{Book, Fault, Lag, Level, Misquote, On, Reply, View, Wire};
use fastrand::Rng;
use rust_decimal::Decimal;

use crate::universe::Universe;

const PAIRS: [&str; 5] = ["BNBUSDC", "BTCUSDC", "ETHUSDC", "SOLUSDC", "XRPUSDC"];

/// Ce dont le suiveur lit le carnet.
const QUOTED: [&str; 6] = ["BNBUSDC", "BTCUSDC", "ETHUSDC", "SOLUSDC", "XRPUSDC", "EURUSDC"];

/// Le retard de lecture le plus long que les règles de preuve supportent : une minute après qu'un ordre ne peut plus
/// arriver.
const LONGEST_LAG: u64 = 70;

/// Ce que le leader a publié : l'identifiant, et l'allocation s'il en a donné une.
pub type Published = (String, Option<Vec<(&'static str, Decimal)>>);

/// Le leader change d'avis.
pub fn speak(universe: &Universe, dice: &mut Rng) -> Published {
    if dice.u8(0..4) == 0 {
        let pair = PAIRS[dice.usize(0..5)];
        let side = if dice.bool() { "BUY" } else { "SELL" };
        return (universe.world.leader().set_actions(&[(pair, side, percent(dice, 5..60))], None), None);
    }
    let target = target(dice);
    (universe.world.leader().set_target(&target), Some(target))
}

/// Une allocation, quelques coins à la fois, un peu de cash.
pub fn target(dice: &mut Rng) -> Vec<(&'static str, Decimal)> {
    let mut left = 95;
    let mut target = Vec::new();
    for pair in PAIRS {
        let part = if dice.bool() { dice.i64(0..=left.min(50)) } else { 0 };
        if part >= 3 {
            left -= part;
            target.push((pair, Decimal::new(part, 2)));
        }
    }
    if target.is_empty() { vec![("BTCUSDC", Decimal::new(30, 2))] } else { target }
}

fn percent(dice: &mut Rng, range: std::ops::Range<i64>) -> Decimal {
    Decimal::new(dice.i64(range), 2)
}

/// Les prix bougent de quelques pour cent.
pub fn move_prices(universe: &Universe, dice: &mut Rng) {
    for pair in PAIRS {
        let mid = universe.world.exchange().price(pair);
        let factor = Decimal::new(dice.i64(9_700..=10_300), 4);
        universe.world.exchange().set_price(pair, mid * factor);
    }
}

/// Pose une panne au hasard ; elle dure jusqu'à [`heal`].
pub fn break_something(universe: &mut Universe, dice: &mut Rng) {
    let world = universe.world.clone();
    match dice.u8(0..17) {
        0..6 => world.fault(orders(dice), lost(dice)),
        12 => borrow(universe, dice),
        13 => coarsen(universe, dice),
        14 => starve(universe, dice),
        6 => world.fault(On::whole_exchange().chance(0.3), lost(dice)),
        7 => world.fault(orders(dice), Fault::late(Duration::from_secs(dice.u64(1..40)))),
        8 => world.fault(On::whole_exchange().chance(0.2), Fault::answer(limited(dice))),
        9 => world.fault(orders(dice), garbled(dice)),
        10 => world.fault(orders(dice), Fault::answer(refused(dice))),
        11 | 15 => lag(universe, dice),
        _ => shift(universe, dice),
    }
}

/// Un ou deux carnets montrent n'importe quoi, plus loin que les vrais prix n'ont pu aller, pour quelques lectures ou jusqu'à [`heal`] ; ce qui s'y échange reste vrai.
pub fn lie(universe: &Universe, dice: &mut Rng) {
    let factors = ["10", "1000", "0.1", "0.01", "1.5", "0.6", "1.3", "0.7"];
    for _ in 0..dice.u8(1..=2) {
        let pair = QUOTED[dice.usize(0..6)];
        let misquote = match dice.usize(0..10) {
            8 => Misquote::At(Decimal::new(1, 8)),
            9 => Misquote::At(Decimal::from(1_000_000_000)),
            rank => Misquote::Times(factors[rank].parse().expect("a decimal")),
        };
        let readings = if dice.bool() { dice.u64(1..5) } else { 1_000_000 };
        universe.world.exchange().misquote(pair, misquote, readings);
    }
}

/// Des réponses à des ordres se perdent, jusqu'à [`heal`].
pub fn lose_orders(universe: &Universe, dice: &mut Rng) {
    universe.world.fault(orders(dice), lost(dice));
}

/// Un carnet mince jusqu'au prochain prix : quelques dizaines d'USDC par niveau, loin les uns des autres.
pub fn thin_out(universe: &mut Universe, dice: &mut Rng) {
    let pair = PAIRS[dice.usize(0..5)];
    let (apart, worth) = (Decimal::new(dice.i64(1..=30), 3), Decimal::from(dice.i64(2..200)));
    let exchange = universe.world.exchange();
    let (mut tick, mut step) = (Decimal::ZERO, Decimal::ZERO);
    exchange.edit_listing(pair, |listing| (tick, step) = (listing.tick_size, listing.step_size));
    let mid = exchange.price(pair);
    let side = |direction: Decimal| -> Vec<Level> {
        let level = |rank: i64| {
            let price = mid * (Decimal::ONE + direction * apart * Decimal::from(rank)) + direction * tick;
            let price = (price / tick).floor() * tick;
            Level { price, quantity: ((worth / price) / step).ceil() * step }
        };
        (0..12).map(level).collect()
    };
    exchange.set_book(pair, Book { bids: side(Decimal::NEGATIVE_ONE), asks: side(Decimal::ONE) });
}

/// Tout remarche, et l'heure de la machine est de nouveau juste.
pub fn heal(universe: &mut Universe) {
    universe.world.clear_faults();
    universe.machine().network.set_down(false);
    universe.machine().network.remove_fuse();
    universe.books(|db| db.refuse_writes(false));
    universe.machine().network.set_latency(Duration::from_millis(80));
    *universe.machine().fault.borrow_mut() = None;
    universe.set_right();
    let exchange = universe.world.exchange();
    exchange.set_skew(0);
    exchange.set_drift(0);
    exchange.edit_account(|account| account.can_trade = true);
    for view in [View::Order, View::AllOrders, View::MyTrades, View::Account] {
        exchange.set_lag(view, Lag::None);
    }
    QUOTED.iter().for_each(|pair| exchange.quote_truly(pair));
    for (pair, listing) in universe.listings.drain(..).rev() {
        exchange.edit_listing(pair, |changed| *changed = listing);
    }
    for (asset, taken) in universe.borrowed.drain(..) {
        exchange.set_balance(asset, exchange.balance(asset).free + taken);
    }
    // Un carnet imposé tient jusqu'au prochain prix.
    for pair in PAIRS {
        exchange.set_price(pair, exchange.price(pair));
    }
}

fn orders(dice: &mut Rng) -> On {
    let posts = On::exchange("/api/v3/order").method("POST");
    match dice.u8(0..3) {
        0 => posts.chance(0.7),
        1 => posts.nth(dice.u64(1..4)),
        _ => posts,
    }
}

/// Une réponse perdue, l'ordre traité ou non.
fn lost(dice: &mut Rng) -> Fault {
    let wire = match dice.u8(0..10) {
        0 => Wire::Close,
        1 => Wire::Reset,
        2 => Wire::Silence,
        3 => Wire::Truncate,
        4 => Wire::Canned(Reply::code(504, -1007, "Timeout waiting for response from backend server.")),
        5 => Wire::Canned(Reply::code(500, -1006, "An unexpected response was received.")),
        6 => Wire::Canned(Reply::code(503, -1008, "Server is currently overloaded.")),
        7 => Wire::Canned(Reply::html(502, "<html>Bad Gateway</html>")),
        8 => Wire::Canned(Reply::empty(504)),
        _ => Wire::Raw(b"garbage\r\n".to_vec()),
    };
    if dice.bool() { Fault::processed(wire) } else { Fault::unprocessed(wire) }
}

fn limited(dice: &mut Rng) -> Reply {
    match dice.u8(0..3) {
        0 => Reply::too_many_requests(dice.u32(1..120)),
        1 => Reply::banned(dice.u32(60..600), 1_790_000_600_000),
        _ => Reply::firewall(),
    }
}

fn refused(dice: &mut Rng) -> Reply {
    match dice.u8(0..5) {
        0 => Reply::code(400, -1021, "Timestamp for this request is outside of the recvWindow."),
        1 => Reply::code(400, -2010, "Account has insufficient balance for requested action."),
        2 => Reply::code(400, -1013, "Filter failure: LOT_SIZE"),
        3 => Reply::code(401, -2015, "Invalid API-key, IP, or permissions for action."),
        _ => Reply::restricted_location(),
    }
}

/// Un champ en moins, d'un autre type, ou d'une valeur qu'on ne connaît pas ; l'ordre est traité.
fn garbled(dice: &mut Rng) -> Fault {
    let (from, to) = match dice.u8(0..5) {
        0 => ("\"executedQty\"", "\"executed\""),
        1 => ("\"status\":\"FILLED\"", "\"status\":\"CONTEMPLATED\""),
        4 => ("\"status\":\"FILLED\"", "\"status\":7"),
        2 => ("\"cummulativeQuoteQty\":\"", "\"cummulativeQuoteQty\":\"-"),
        _ => ("\"fills\":[", "\"odd\":7,\"fills\":["),
    };
    Fault::processed(Wire::Rewrite { from: from.to_owned(), to: to.to_owned() })
}

/// Quelqu'un d'autre prend une part d'un actif du compte ; [`heal`] la rend.
fn borrow(universe: &mut Universe, dice: &mut Rng) {
    let asset = ["USDC", "BNB", "BTC", "ETH", "SOL", "XRP"][dice.usize(0..6)];
    let exchange = universe.world.exchange();
    let free = exchange.balance(asset).free;
    let taken = free * Decimal::new(dice.i64(1..=100), 2);
    exchange.set_balance(asset, free - taken);
    universe.borrowed.push((asset, taken));
}

/// Les règles d'une paire changent en route ; [`heal`] les remet.
fn coarsen(universe: &mut Universe, dice: &mut Rng) {
    let pair = PAIRS[dice.usize(0..5)];
    universe.world.exchange().edit_listing(pair, |listing| {
        universe.listings.push((pair, listing.clone()));
        listing.step_size *= Decimal::TEN;
        listing.min_quantity = listing.step_size;
    });
    universe.note_step(pair);
}

/// Un carnet presque vide : l'ordre finit incomplet, ou sans rien.
fn starve(universe: &mut Universe, dice: &mut Rng) {
    let pair = PAIRS[dice.usize(0..5)];
    let mut book = universe.world.exchange().book(pair);
    book.asks.truncate(dice.usize(0..2));
    book.bids.truncate(1);
    universe.world.exchange().set_book(pair, book);
}

fn lag(universe: &Universe, dice: &mut Rng) {
    let (seconds, all) = (Duration::from_secs(dice.u64(1..=LONGEST_LAG)), dice.bool());
    for view in [View::Order, View::AllOrders, View::MyTrades, View::Account] {
        if all || dice.bool() {
            universe.world.exchange().set_lag(view, Lag::For(seconds));
        }
    }
    if dice.bool() {
        universe.world.fault(orders(dice), lost(dice));
    }
}

/// Ce qui n'est pas une réponse : heures, réseau, droits, disque plein, commissions.
fn shift(universe: &Universe, dice: &mut Rng) {
    let exchange = universe.world.exchange();
    match dice.u8(0..9) {
        7 | 8 => universe.books(|db| db.refuse_writes(true)),
        0 => exchange.set_skew(dice.i64(-20_000..20_000)),
        1 => exchange.set_drift(dice.i64(-400..400)),
        2 => universe.jump(dice.i64(-40_000..40_000)),
        3 => universe.machine().network.set_down(true),
        4 => universe.machine().network.set_latency(Duration::from_secs(dice.u64(1..8))),
        5 => exchange.edit_account(|account| account.can_trade = false),
        _ => *universe.machine().fault.borrow_mut() = Some("the key is not accepted".to_owned()),
    }
    if dice.bool() {
        let bnb = dice.bool();
        exchange.edit_account(|account| account.bnb_fees = bnb);
    }
    if dice.u8(0..4) == 0 {
        universe.world.fault(On::leader().chance(0.5), lost(dice));
    }
}
