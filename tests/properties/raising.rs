//! Réunir un montant : jamais trop vendu, jamais plus que ce qui est là, atteint dès que les règles le permettent.

use calvalot::domain::cash::Cash;
use calvalot::domain::cost;
use calvalot::domain::market::{Coin, Market, PerCoin};
use calvalot::domain::money::{Eur, Quantity, Usdc, Weight};
use calvalot::domain::order::{Order, Size};
use calvalot::domain::plan;
use calvalot::domain::portfolio::{Holdings, Position};
use calvalot::domain::raise;
use calvalot::domain::signal::Instruction;
use calvalot::domain::withdrawal::{self, Asked};
use proptest::prelude::*;
use rust_decimal::{Decimal, dec};

use super::{case, execute, pair_of, plain_market, worth};

const CENT: Usdc = Usdc::new(dec!(0.01));

/// Ce que rend la vente de cette quantité.
fn returned(coin: Coin, quantity: Quantity, market: &Market) -> Usdc {
    let quote = pair_of(market, coin).quote;
    (quote.mid() * quantity).times(cost::returned_by_one(coin, quote))
}

fn sold(order: &Order) -> Quantity {
    match order.size() {
        Size::Sell(quantity) => quantity,
        Size::Spend(_) => panic!("a purchase raises nothing"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_more_is_sold_to_raise_an_amount_than_is_held_or_needed(case in case(), part in 0i64..1200) {
        let (holdings, market) = (case.holdings, &case.market);
        let all = holdings.cash + raise::most(&holdings, &market.pairs);
        let amount = all.times(Decimal::new(part, 3)).floor(8);
        let (sales, left) = raise::raise(amount, &holdings, &market.pairs);
        for coin in Coin::ALL {
            let named = sales.iter().filter(|order| order.coin() == coin).count()
                + left.iter().filter(|(other, _)| *other == coin).count();
            prop_assert_eq!(named, 1, "{}", coin);
        }
        let mut spare = CENT + CENT;
        for order in &sales {
            let coin = order.coin();
            prop_assert!(sold(order) <= holdings.positions[coin].quantity, "{coin}");
            spare += returned(coin, pair_of(market, coin).rules.step, market);
        }
        spare += sales
            .iter()
            .map(|order| returned(order.coin(), Order::smallest_sale(pair_of(market, order.coin())), market))
            .max()
            .unwrap_or_default();
        let after = execute(&holdings, &sales, market);
        if amount <= holdings.cash {
            prop_assert!(sales.is_empty());
        } else {
            prop_assert!(after.cash <= amount + spare, "{} for {amount}, at most {spare} more", after.cash);
        }
        if amount + CENT + CENT <= all {
            prop_assert!(after.cash >= amount, "{} of {amount}, {all} were there", after.cash);
        }
    }

    #[test]
    fn what_a_withdrawal_promises_can_be_raised_and_is_never_more_than_the_value(
        case in case(),
        cents in 1i64..5_000_000,
        reserved in 0i64..5_000_000,
    ) {
        let (holdings, market) = (case.holdings, &case.market);
        let reserved = Usdc::new(Decimal::new(reserved, 2));
        let cash = Cash { booked: holdings.cash, reserved, aside: Usdc::ZERO };
        let amount = Eur::new(Decimal::new(cents, 2));
        for asked in [Asked::Euros(amount), Asked::All] {
            let Ok(terms) = withdrawal::terms(asked, &holdings, cash, market, true) else { continue };
            let spendable = Holdings { cash: cash.free(), ..holdings };
            prop_assert!(terms.usdc <= worth(&spendable, market).total);
            prop_assert!(terms.left >= Eur::ZERO);
            let after = execute(&spendable, &terms.sales, market);
            prop_assert!(after.cash + CENT + CENT >= terms.usdc, "{} of {}", after.cash, terms.usdc);
        }
    }

    #[test]
    fn a_plan_that_leaves_an_amount_aside_never_spends_it(case in case(), aside in 0i64..5_000_000) {
        let aside = Usdc::new(Decimal::new(aside, 2));
        let cash = |booked| Cash { booked, reserved: Usdc::ZERO, aside };
        let followed = Holdings { cash: cash(case.holdings.cash).followed(), ..case.holdings };
        let plan = plan::plan(&case.instruction, &followed, &case.market, Weight::new(super::THRESHOLD));
        let after_sales = execute(&case.holdings, &plan.sales, &case.market);
        let free = cash(after_sales.cash).free();
        let (orders, _) = plan::purchases(&case.instruction, &plan.wants, free, &case.market.pairs);
        let after = execute(&after_sales, &orders, &case.market);
        prop_assert!(orders.is_empty() || after.cash >= aside, "{} left of {aside} set aside", after.cash);
    }
}

/// Le cash, le montant, et ce qui est vendu à peu près.
type Raised<'a> = (Decimal, Decimal, &'a [(Coin, Decimal)]);

/// Trois positions de 100, 60 et 6 USDC.
fn three(cash: Decimal) -> Holdings {
    let position = |quantity: Decimal| Position {
        quantity: Quantity::new(quantity),
        invested: Usdc::new(quantity * dec!(100)),
    };
    let mut positions = PerCoin::from_fn(|_| Position::default());
    positions[Coin::Btc] = position(dec!(1));
    positions[Coin::Eth] = position(dec!(0.6));
    positions[Coin::Xrp] = position(dec!(0.06));
    Holdings { positions, cash: Usdc::new(cash) }
}

#[test]
fn each_position_gives_in_proportion_and_what_is_too_small_is_taken_from_the_largest() {
    let market = plain_market();
    let cases: [Raised; 6] = [
        (dec!(0), dec!(83), &[(Coin::Btc, dec!(0.53)), (Coin::Eth, dec!(0.301))]),
        // Le cash d'abord.
        (dec!(90), dec!(83), &[]),
        // Sous le minimum, la plus grande donne le sien.
        (dec!(82), dec!(83), &[(Coin::Btc, dec!(0.052))]),
        // La part des autres est sous leur minimum.
        (dec!(0), dec!(12), &[(Coin::Btc, dec!(0.121))]),
        (dec!(0), dec!(165), &[(Coin::Btc, dec!(0.996)), (Coin::Eth, dec!(0.598)), (Coin::Xrp, dec!(0.06))]),
        // Plus que tout : tout.
        (dec!(0), dec!(500), &[(Coin::Btc, dec!(1)), (Coin::Eth, dec!(0.6)), (Coin::Xrp, dec!(0.06))]),
    ];
    for (cash, amount, expected) in cases {
        let plan = plan::plan(
            &Instruction::Raise(Usdc::new(amount)),
            &three(cash),
            &market,
            Weight::new(super::THRESHOLD),
        );
        let found: Vec<(Coin, Decimal)> =
            plan.sales.iter().map(|order| (order.coin(), sold(order).decimal())).collect();
        assert!(plan.wants.is_empty());
        assert_eq!(found.len(), expected.len(), "{amount} with {cash}: {found:?}");
        for ((coin, quantity), (other, about)) in found.iter().zip(expected) {
            assert!(coin == other && (quantity - about).abs() < dec!(0.006), "{amount}: {found:?}");
        }
    }
}
