//! La personne à qui le compte appartient, sous une graine : elle sort et apporte de l'argent et des monnaies, convertit de la
//! poussière, échange à la main, immobilise, retire par la page et se ravise, change ce dont ses frais se paient ; la bourse
//! range ses vieux ordres. Pendant ce temps tout casse, et le suiveur meurt n'importe où.
//!
//! À la fin elle se sert des sorties que la page lui offre, et rien d'autre : les livres sont alors le compte, à la dernière
//! décimale, et le leader est suivi.

use std::collections::BTreeMap;
use std::time::Duration;

use calvalot::domain::booking::Booking;
use calvalot::domain::market::Coin;
use calvalot::domain::money::{Eur, Quantity};
use calvalot::domain::reconcile::Asset;
use calvalot::domain::withdrawal::Asked;
use calvalot::ledger::WithdrawalRequest;
use calvalot::sim::{self, OrderSide, TimeInForce};
use fastrand::Rng;
use rust_decimal::{Decimal, dec};

use crate::tally::Tally;
use crate::universe::Universe;
use crate::{PAUSE, chapter, mend, play, reach, rest, scenario, settle};

const ASSETS: [&str; 6] = ["USDC", "BNB", "BTC", "ETH", "SOL", "XRP"];

/// Ce dont personne n'attendait que des frais se paient.
const PROMOTION: &str = "FDUSD";

/// Regards au plus avant que tout écart soit réglé.
const LOOKS: u32 = 12;

fn own(seed: u64) -> Tally {
    let mut dice = Rng::with_seed(seed ^ 0x7065_7273);
    let mut universe = Universe::new(seed, 0);
    universe.start();
    universe.world.leader().set_target(&scenario::target(&mut dice));
    settle(&mut universe);
    for _ in 0..dice.u32(2..6) {
        pay_fees_otherwise(&mut universe, &mut dice);
        chapter(&mut universe, &mut dice);
        // Ce qu'un autre prend pour un temps ne se distingue pas de ce que la personne sort.
        return_what_was_borrowed(&mut universe);
        act(&mut universe, &mut dice);
        let steps = dice.bool().then(|| dice.u64(1..400));
        universe.pass(Duration::from_secs(dice.u64(1..2_000)), steps);
        if !universe.is_alive() {
            universe.start();
        }
        assert!(!universe.books(|db| db.agent()).dead, "it died of what its person took out");
    }
    mend(&mut universe);
    rest(&mut universe);
    put_in_order(&mut universe);
    let target = scenario::target(&mut dice);
    reach(&mut universe, &target);
    books_are_the_account(&universe);
    Tally::of(&universe)
}

fn return_what_was_borrowed(universe: &mut Universe) {
    for (asset, taken) in universe.borrowed.drain(..) {
        let exchange = universe.world.exchange();
        exchange.set_balance(asset, exchange.balance(asset).free + taken);
    }
}

/// Ce que le compte tient de chaque actif.
fn held(universe: &Universe) -> BTreeMap<&'static str, Decimal> {
    let exchange = universe.world.exchange();
    let total = |asset| {
        let balance = exchange.balance(asset);
        balance.free + balance.locked
    };
    ASSETS.iter().map(|asset| (*asset, total(asset))).collect()
}

/// Ce que la personne fait à la bourse, en un instant ; le monde retient ce qui n'est pas de nous.
fn at_the_exchange(universe: &mut Universe, deed: impl FnOnce(&sim::Exchange)) {
    let before = held(universe);
    deed(universe.world.exchange());
    for (asset, now) in held(universe) {
        universe.others.push((asset, now - before[asset]));
    }
}

/// Un geste de la personne.
fn act(universe: &mut Universe, dice: &mut Rng) {
    let asset = ASSETS[dice.usize(0..ASSETS.len())];
    let part = Decimal::new(dice.i64(1..=100), 2);
    let coin = Coin::ALL[dice.usize(0..Coin::ALL.len())];
    match dice.u8(0..9) {
        0 => at_the_exchange(universe, |exchange| {
            let gone = (exchange.balance(asset).free * part).trunc_with_scale(8);
            if gone > Decimal::ZERO {
                exchange.person().withdraw(asset, gone).expect("it is free");
            }
        }),
        1 => at_the_exchange(universe, |exchange| {
            let price = if asset == "USDC" { Decimal::ONE } else { exchange.price(&format!("{asset}USDC")) };
            exchange.person().bring(asset, (dec!(400) * part / price).round_dp(8));
        }),
        2 if asset != "BNB" => at_the_exchange(universe, |exchange| {
            exchange.person().convert_to_bnb(asset).ok();
        }),
        3 => at_the_exchange(universe, |exchange| {
            // Ce qui est petit pour la bourse est refusé, et rien n'a bougé.
            let quantity = (exchange.balance(coin.asset()).free * part).trunc_with_scale(2);
            exchange.person().place(coin.pair(), OrderSide::Sell, sim::Asked::Quantity(quantity)).ok();
        }),
        4 => at_the_exchange(universe, |exchange| {
            let price = exchange.price(coin.pair()) * dec!(0.7);
            let quantity = (exchange.balance("USDC").free * part / price).trunc_with_scale(2);
            let asked =
                sim::Asked::Limit { price: price.round_dp(1), quantity, time_in_force: TimeInForce::Gtc };
            exchange.person().place(coin.pair(), OrderSide::Buy, asked).ok();
        }),
        5 => universe.world.exchange().archive_at_once(dice.bool()),
        6 | 7 => ask_for_money(universe, dice),
        _ => drop(settle_differences(universe)),
    }
}

/// Demande un retrait ; le révoque parfois, ou sort plus ou moins que ce qui est de côté.
fn ask_for_money(universe: &mut Universe, dice: &mut Rng) {
    let asked = if dice.u8(0..4) == 0 {
        Asked::All
    } else {
        Asked::Euros(Eur::new(Decimal::from(dice.u32(20..400))))
    };
    let request = WithdrawalRequest { asked, understood: true, key: None };
    universe.ask(async move |commands| commands.withdraw(request).await);
    let steps = dice.bool().then(|| dice.u64(1..400));
    universe.pass(Duration::from_secs(dice.u64(1..1_000)), steps);
    let aside = universe.books(|db| db.set_aside()).decimal();
    let part = [dec!(1), dec!(0.5), dec!(1.1), dec!(0)][dice.usize(0..4)];
    at_the_exchange(universe, |exchange| {
        let gone = (aside * part).min(exchange.balance("USDC").free).trunc_with_scale(8);
        if gone > Decimal::ZERO {
            exchange.person().withdraw("USDC", gone).expect("it is free");
        }
    });
    if dice.bool() {
        universe.pass(Duration::from_secs(dice.u64(1..600)), None);
        call_off(universe);
    }
}

/// Révoque le retrait ouvert, s'il y en a un.
pub fn call_off(universe: &mut Universe) {
    let open = universe
        .books(|db| db.withdrawals(Some(1)))
        .pop()
        .filter(|last| last.status == "selling" || last.status == "set_aside");
    if let Some(open) = open {
        universe.ask(async move |commands| commands.cancel_withdrawal(open.id).await);
    }
}

/// De quoi ses commissions se paient, s'il y en a assez.
fn pay_fees_otherwise(universe: &mut Universe, dice: &mut Rng) {
    let (bnb, odd) = (dice.bool(), dice.u8(0..3) == 0);
    universe.world.exchange().set_balance(PROMOTION, dec!(0.4));
    universe.world.exchange().edit_account(|account| {
        account.bnb_fees = bnb;
        account.fee_assets = odd.then(|| (PROMOTION.to_owned(), Decimal::ONE)).into_iter().collect();
    });
}

/// Dit de chaque écart ce qu'il est, comme la page l'offre ; une sortie refusée le sera dite une autre fois. Rend combien
/// l'ont été.
pub fn settle_differences(universe: &mut Universe) -> usize {
    let mut settled = 0;
    for balance in universe.books(|db| db.balances()) {
        let asset = Asset::from_name(&balance.asset).expect("a known asset");
        let (gone, beyond) = (balance.line.gone(), balance.line.beyond());
        let booking = match (gone.is_positive(), beyond.is_positive()) {
            (true, _) => Booking::WriteOff(asset, gone),
            (_, true) => Booking::Count(asset, beyond),
            _ => continue,
        };
        let answer = universe.ask(async move |commands| commands.enter(booking, None).await);
        settled += usize::from(matches!(answer, Some(Ok(_))));
    }
    settled
}

/// La personne remet de l'ordre : annule ses ordres, referme ce qu'elle avait demandé, rapporte de quoi suivre, et dit de
/// chaque écart ce qu'il est, jusqu'à ce qu'il n'y en ait plus.
fn put_in_order(universe: &mut Universe) {
    at_the_exchange(universe, |exchange| {
        for order in exchange.person().orders() {
            exchange.person().cancel(order.id).ok();
        }
        exchange.person().bring("USDC", dec!(500));
        exchange.archive_at_once(false);
        exchange.edit_account(|account| (account.bnb_fees, account.fee_assets) = (false, Vec::new()));
    });
    for _ in 0..LOOKS {
        universe.pass(PAUSE, None);
        call_off(universe);
        settle_differences(universe);
        universe.pass(PAUSE, None);
        let settled = universe.books(|db| db.balances());
        if settled.iter().all(|balance| balance.line.difference() == Quantity::ZERO) {
            return;
        }
    }
    panic!("no way back: {:?}", universe.books(|db| db.balances()));
}

/// Rien du compte n'est plus hors des livres, ni rien des livres hors du compte.
fn books_are_the_account(universe: &Universe) {
    let holdings = universe.books(|db| db.holdings()).expect("the opening is booked");
    let held = held(universe);
    assert_eq!(holdings.cash.decimal(), held["USDC"], "USDC");
    for coin in Coin::ALL {
        assert_eq!(holdings.positions[coin].quantity.decimal(), held[coin.asset()], "{coin}");
    }
}

#[test]
fn whatever_its_person_does_with_the_account_there_is_a_way_back_and_the_books_are_true() {
    play(own, &[]);
}
