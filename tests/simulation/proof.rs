//! Ce qui doit être vrai à la fin de chaque histoire.

use std::collections::BTreeMap;

use calvalot::clock;
use calvalot::domain::doubt::ATTEMPTS;
use calvalot::domain::intent::State;
use calvalot::domain::market::Coin;
use calvalot::domain::order::Side;
use calvalot::ledger::views::{Intent, Selection};
use calvalot::sim::OrderSide;
use rust_decimal::{Decimal, dec};

use crate::universe::{USDC, Universe};

/// Au plus une exécution par nom, et pour chacune exactement un trade du grand livre, à son numéro.
pub fn each_order_once(universe: &Universe) {
    let mut executed: BTreeMap<String, calvalot::sim::Order> = BTreeMap::new();
    for order in universe.world.exchange().accepted_orders() {
        if order.executed > Decimal::ZERO {
            let twice = executed.insert(order.client_id.clone(), order);
            assert!(twice.is_none(), "executed twice: {twice:?}");
        }
    }
    let intents = universe.books(|db| db.orders(10_000));
    let (filled, ended): (Vec<_>, Vec<_>) = intents.iter().partition(|intent| intent.state == State::Filled);
    for intent in filled {
        let Some(sent) = &intent.sent else { continue };
        // Adopté sous un nom déjà pris, son numéro le distingue.
        let name = sent.client_id.split('+').next().unwrap_or_default();
        let Some(order) = executed.remove(name) else {
            panic!("{intent:?} is in the books and was never executed")
        };
        assert_eq!(intent.coin.pair(), order.pair);
        assert_eq!(intent.side == Side::Buy, order.side == OrderSide::Buy);
        // Qui l'a booké de sa main n'a pas donné ce numéro.
        let number = intent.order_id.or(intent.by_hand.map(|_| order.id));
        assert_eq!(number, Some(order.id), "{intent:?}");
    }
    for intent in ended {
        let order = intent.sent.as_ref().and_then(|sent| executed.remove(&sent.client_id));
        assert!(order.is_none() || intent.state.is_in_doubt(), "{intent:?} was executed: {order:?}");
    }
    assert!(executed.is_empty(), "executed and not ours: {executed:?}");
}

/// Aucun ordre tenu pour absent n'a été exécuté : sa seconde tentative en aurait fait deux.
pub fn no_absence_was_wrong(universe: &Universe) {
    let late = universe.books(|db| db.late());
    assert!(late.is_empty(), "executed after it was proved absent: {late:?}");
}

/// Rien n'a été envoyé sur un carnet qui mentait.
pub fn no_order_was_misled(universe: &Universe) {
    let misled = universe.world.exchange().misled_orders();
    assert!(misled.is_empty(), "sent on a price that was none: {misled:?}");
}

/// Aucun relevé ne vient d'un carnet qui mentait : sans mouvement d'argent, les vrais prix, qui ne bougent que de quelques
/// pour cent à la fois, ne font ni perdre ni gagner la moitié.
pub fn no_value_was_false(universe: &Universe) {
    let now = clock::now();
    let snapshots = universe.books(move |db| db.snapshots(None, 100_000, now));
    let values = || snapshots.iter().map(|snapshot| snapshot.total_eur.decimal());
    if let (Some(least), Some(most)) = (values().min(), values().max()) {
        assert!(most < least * dec!(1.6), "a value that was none was kept: from {least} to {most} EUR");
    }
}

/// Rien n'est en doute, et le grand livre dit du compte ce que la bourse en dit, à la dernière décimale.
pub fn books_are_the_exchange_s(universe: &Universe) {
    let doubtful = universe.books(|db| db.doubtful());
    assert!(doubtful.is_empty(), "still in doubt: {doubtful:?}");
    let audit = universe.books(|db| db.audit());
    let kept = audit.kept.expect("the opening is booked");
    assert_eq!(kept, audit.replayed, "the books do not add up");
    assert_eq!(audit.of_others, audit.replayed_of_others, "what is of others does not add up");
    assert!(audit.damage.is_empty(), "{:?}", audit.damage);
    let balance = |asset: &str| {
        let balance = universe.world.exchange().balance(asset);
        balance.free + balance.locked
    };
    let opening = audit.brought.cash.decimal();
    // Ce que nos ordres n'ont pas changé est encore là.
    let of_others = |asset: &str| audit.of_others.of(asset).decimal();
    let cash = balance("USDC") - USDC - universe.brought("USDC");
    assert_eq!(kept.cash.decimal() - opening, cash + of_others("USDC"), "USDC");
    for coin in Coin::ALL {
        // La poussière effacée des livres pendant qu'un autre l'avait prise est revenue : elle n'est plus à nous.
        let swept = audit.brought.positions[coin].quantity.decimal();
        let (booked, held) = (kept.positions[coin].quantity.decimal() - swept, balance(coin.asset()));
        let before = universe.brought(coin.asset());
        assert_eq!(booked, held - before + of_others(coin.asset()), "{coin}");
    }
}

/// Chaque signal que le suiveur a reçu est clos.
pub fn no_signal_is_open(universe: &Universe) {
    let pending = universe.books(|db| db.pending());
    assert!(pending.is_empty(), "still open: {:?}", pending.iter().map(|p| &p.signal_id).collect::<Vec<_>>());
}

/// Chaque coin d'un signal planifié a une réponse et une seule ; un signal clos n'attend plus rien.
pub fn every_coin_has_its_answer(universe: &Universe) {
    for signal in universe.books(|db| db.signals(&Selection::last(10_000))) {
        let open = signal.status == "received";
        let waits = signal.decisions.iter().any(|decision| decision.decision == "waiting");
        assert!(open || (!waits && signal.waiting_for.is_none()), "it is closed: {signal:?}");
        let coins: Vec<Coin> = signal.decisions.iter().map(|decision| decision.coin).collect();
        let planned = !coins.is_empty() || signal.status == "executed";
        assert!(!planned || coins == Coin::ALL, "a coin has no answer, or two: {signal:?}");
        assert!(!open || coins.is_empty() || (waits && signal.waiting_for.is_some()), "{signal:?}");
    }
}

/// Vrai si une personne a réglé un ordre de ce signal, ou s'il n'est jamais arrivé deux fois : son coin attend alors le suivant.
pub fn leaves_a_coin(universe: &Universe, id: &str) -> bool {
    let intents = universe.books(|db| db.orders(10_000));
    let of_signal: Vec<&Intent> = intents.iter().filter(|intent| intent.signal_id == id).collect();
    let lost = |coin: Coin| {
        let absent = |intent: &&&Intent| intent.coin == coin && intent.state == State::Absent;
        of_signal.iter().filter(absent).count() >= ATTEMPTS as usize
    };
    of_signal.iter().any(|intent| intent.by_hand.is_some()) || Coin::ALL.into_iter().any(lost)
}

/// L'allocation est celle du leader, au seuil, au pas et au minimum de la bourse près : le pas le plus gros qui a valu
/// depuis que le leader a parlé, car le plan en a peut-être été tenu.
pub fn allocation_is(universe: &Universe, target: &[(&str, Decimal)]) {
    let holdings = universe.books(|db| db.holdings()).expect("the opening is booked");
    let value = |coin: Coin| {
        holdings.positions[coin].quantity.decimal() * universe.world.exchange().price(coin.pair())
    };
    let total: Decimal = holdings.cash.decimal() + Coin::ALL.into_iter().map(value).sum::<Decimal>();
    for coin in Coin::ALL {
        let wanted =
            target.iter().find(|(pair, _)| *pair == coin.pair()).map_or(Decimal::ZERO, |(_, part)| *part);
        let off = value(coin) - wanted * total;
        let step = universe.coarsest_step(coin.pair()) * universe.world.exchange().price(coin.pair());
        let least = dec!(6).max(step * dec!(1.03) + step * dec!(1.5));
        let signals = || universe.books(|db| db.signals(&Selection::last(1)));
        assert!(
            off.abs() < total * dec!(0.012) + least,
            "{coin}: {off} USDC from {wanted} of {total}, a step is {step} USDC; {:?}",
            signals()
        );
    }
}
