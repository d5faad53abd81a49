//! Les frais, pris dans le coin acheté, en USDC ou en BNB : les livres les suivent au dernier chiffre.

use std::collections::BTreeSet;

use calvalot::sim::Book;
use rust_decimal::{Decimal, dec};

use crate::{Bench, Target, levels};

const WITHOUT_BNB: Target<'static> = &[("BTCUSDC", dec!(0.4)), ("ETHUSDC", dec!(0.4))];
const WITH_BNB: Target<'static> = &[("BTCUSDC", dec!(0.4)), ("BNBUSDC", dec!(0.4))];

/// Les actifs où la bourse a pris ses commissions.
fn paid_in(bench: &Bench) -> BTreeSet<String> {
    let journal = bench.exchange().accepted_orders();
    journal.into_iter().flat_map(|order| order.fills).map(|fill| fill.commission_asset).collect()
}

/// Achète, allège, tout vend : (frais en BNB, BNB d'un autre usage sur le compte, cible, où les frais sont pris).
#[test]
fn fees_are_booked_in_the_asset_they_were_taken_in() {
    let cases: [(bool, Decimal, Target, &[&str]); 5] = [
        (false, dec!(0), WITHOUT_BNB, &["BTC", "ETH", "USDC"]),
        (false, dec!(0), WITH_BNB, &["BNB", "BTC", "USDC"]),
        (true, dec!(1), WITHOUT_BNB, &["BNB"]),
        (true, dec!(1), WITH_BNB, &["BNB"]),
        // Sans BNB d'avance : le premier achat en manque peut-être, la dernière vente aussi.
        (true, dec!(0), WITH_BNB, &["BNB"]),
    ];
    for (bnb_fees, held, target, expected) in cases {
        let case = format!("BNB fees {bnb_fees}, {held} BNB held, {target:?}");
        let bench = Bench::holding(&[("USDC", dec!(2000)), ("BNB", held)]);
        bench.exchange().edit_account(|account| account.bnb_fees = bnb_fees);
        let follower = bench.settled(target);
        bench.check_settled();
        let half: Vec<(&str, Decimal)> =
            target.iter().map(|(coin, weight)| (*coin, weight / dec!(2))).collect();
        for next in [&half[..], &[]] {
            bench.reach(&follower, next);
            bench.check_settled();
        }
        let paid = paid_in(&bench);
        assert!(expected.iter().all(|asset| paid.contains(*asset)), "{case}: {paid:?}");
        assert_eq!(bench.exchange().accepted_orders().len(), 6, "{case}");
    }
}

/// Assez de BNB pour les frais du premier niveau du carnet, pas pour les suivants.
#[test]
fn one_order_may_pay_in_two_assets() {
    let bench = Bench::holding(&[("USDC", dec!(2000)), ("BNB", dec!(0.0001))]);
    bench.exchange().edit_account(|account| account.bnb_fees = true);
    let (price, cent) = (bench.exchange().price("ETHUSDC"), dec!(0.01));
    let side = |away: Decimal| levels(&[(price + away, dec!(0.01)), (price + away * dec!(2), dec!(9))]);
    bench.exchange().set_book("ETHUSDC", Book { bids: side(-cent), asks: side(cent) });
    let follower = bench.settled(&[("ETHUSDC", dec!(0.5))]);
    assert_eq!(paid_in(&bench), ["BNB", "ETH"].map(str::to_owned).into());
    bench.check_settled();
    bench.exchange().set_balance("BNB", bench.exchange().balance("BNB").free + dec!(0.0001));
    bench.reach(&follower, &[]);
    let sale = bench.orders("ETHUSDC").pop().unwrap();
    let assets: BTreeSet<String> = sale.fills.into_iter().map(|fill| fill.commission_asset).collect();
    assert_eq!(assets, ["BNB", "USDC"].map(str::to_owned).into());
    bench.exchange().set_balance("BNB", bench.exchange().balance("BNB").free - dec!(0.0001));
    bench.check_settled();
}
