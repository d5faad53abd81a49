//! La borne d'un jour : ce qui s'échange d'un coin pour un autre n'en dépasse jamais ; ce qui sort vers le cash n'est jamais retenu.

use calvalot::domain::turnover::{self, Spare};

use super::*;

fn spare(cents: i64) -> Spare {
    Spare { amount: Usdc::new(Decimal::new(cents, 2)), of_drift: false }
}

/// Ce que cette vente rend, au milieu du carnet.
fn sold(order: &Order, pairs: &Pairs) -> Usdc {
    order.value_at(pairs.mid(order.coin()).expect("it was planned at a price"))
}

proptest! {
    #[test]
    fn what_only_goes_to_cash_is_never_held_and_what_is_exchanged_never_exceeds_the_bound(
        case in case(), cents in -100_000i64..2_000_000,
    ) {
        let pairs = &case.market.pairs;
        let plan = plan::plan(&case.instruction, &case.holdings, &case.market, Weight::new(THRESHOLD));
        let exit = (plan.sold(pairs) - plan.bought() - plan.cost(pairs)).max(Usdc::ZERO);
        let bounded = turnover::within(plan.clone(), spare(cents), pairs);
        if plan.wants.is_empty() {
            prop_assert_eq!(&bounded, &plan, "an exit was held");
        }
        let hair = Usdc::new(dec!(0.0001));
        let room = (spare(cents).amount - exit).max(Usdc::ZERO);
        let moved = bounded.moved(pairs);
        let is_pure_exit = bounded == plan && plan.wants.is_empty();
        prop_assert!(is_pure_exit || moved <= exit + room + hair, "{moved} moved of {exit} and {room}");
        // Ce qu'une sortie laisse de place n'est pas aux achats.
        let swapped = bounded.bought() + (bounded.sold(pairs) - exit).max(Usdc::ZERO);
        prop_assert!(is_pure_exit || swapped <= room + hair, "{swapped} exchanged of {room}");
        for sale in &bounded.sales {
            let whole = plan.sales.iter().find(|order| order.coin() == sale.coin()).expect("it was planned");
            prop_assert!(sold(sale, pairs) <= sold(whole, pairs));
            // Ce qui reste d'une vente coupée se vendra le lendemain.
            let pair = pairs.get(sale.coin()).expect("it was planned at a price");
            if let (Size::Sell(whole), Size::Sell(part)) = (whole.size(), sale.size()) {
                prop_assert!(part == whole || whole - part >= Order::smallest_sale(pair));
            }
        }
    }
}
