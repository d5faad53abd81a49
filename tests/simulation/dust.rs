//! De la poussière convertie sur la bourse par la personne, sous une graine, pendant que des choses cassent et que le suiveur
//! meurt : ce coin s'achète encore, et les livres sont ceux de la bourse.

use std::time::Duration;

use fastrand::Rng;
use rust_decimal::{Decimal, dec};

use crate::tally::Tally;
use crate::universe::Universe;
use crate::{play, reach, scenario, settle};

/// Ceux dont le compte ne tient rien d'autre que ce qui a été acheté.
const ASSETS: [(&str, &str); 4] =
    [("BTCUSDC", "BTC"), ("ETHUSDC", "ETH"), ("SOLUSDC", "SOL"), ("XRPUSDC", "XRP")];

fn convert(seed: u64) -> Tally {
    let mut dice = Rng::with_seed(seed ^ 0x6475_7374);
    let mut universe = Universe::new(seed, 0);
    let bnb = dice.bool();
    universe.world.exchange().edit_account(|account| account.bnb_fees = bnb);
    universe.start();
    let (pair, asset) = ASSETS[dice.usize(0..4)];
    universe.world.leader().set_target(&[(pair, dec!(0.3))]);
    settle(&mut universe);
    for _ in 0..dice.u32(0..3) {
        scenario::break_something(&mut universe, &mut dice);
        // Ce qu'un autre prend pour un temps n'est pas de la poussière.
        for (borrowed, taken) in universe.borrowed.drain(..) {
            let exchange = universe.world.exchange();
            exchange.set_balance(borrowed, exchange.balance(borrowed).free + taken);
        }
    }
    let exchange = universe.world.exchange();
    let worth = Decimal::new(dice.i64(1..80), 2);
    let gone = (worth / exchange.price(pair)).round_dp(8);
    exchange.set_balance(asset, exchange.balance(asset).free - gone);
    universe.others.push((asset, -gone));
    let steps = dice.bool().then(|| dice.u64(1..400));
    universe.pass(Duration::from_secs(dice.u64(1..300)), steps);
    scenario::heal(&mut universe);
    if !universe.is_alive() {
        universe.start();
    }
    settle(&mut universe);
    let target = [(pair, dec!(0.6))];
    reach(&mut universe, &target);
    Tally::of(&universe)
}

#[test]
fn dust_converted_at_any_moment_never_keeps_a_coin_from_being_bought() {
    play(convert, &[]);
}
