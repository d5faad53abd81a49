//! La rotation : ce qui s'échange en un jour, ventes et achats ensemble.
//!
//! Un leader qui retourne tout à chaque tour ne coûte que ce que cette borne laisse. Invariants : ce qui dépasse est laissé avec sa
//! raison, et ce qui reste du plan garde ses proportions ; ce qui ne fait que sortir vers le cash n'est pas retenu, où la borne
//! tiendrait un capital dans ce que le leader fuit : les achats, bornés, la bornent.

use rust_decimal::Decimal;

use super::market::Pairs;
use super::money::Usdc;
use super::order::{Left, Order, Size};
use super::plan::{Plan, Want};

/// Ce qui peut encore s'échanger aujourd'hui.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spare {
    pub amount: Usdc,
    /// De la part que l'on en laisse aux écarts que creusent les prix seuls.
    pub of_drift: bool,
}

/// Le plan ramené à ce qui peut encore s'échanger, en proportion.
pub fn within(plan: Plan, Spare { amount, of_drift }: Spare, pairs: &Pairs) -> Plan {
    let spare = amount.max(Usdc::ZERO);
    let (sold, exit) = (plan.sold(pairs), exit(&plan, pairs));
    let (swapped, room) = (plan.moved(pairs) - exit, (spare - exit).max(Usdc::ZERO));
    if swapped <= room {
        return plan;
    }
    let share = room.share_of(swapped).decimal();
    let of_sales = (exit + (sold - exit).times(share)).share_of(sold).decimal();
    let mut bounded = Plan { left: plan.left, withheld: plan.withheld, ..Plan::default() };
    for order in plan.sales {
        bounded.sales.extend(reduced(&order, of_sales, pairs));
        bounded.left.push((order.coin(), Left::Turnover { spare: spare.floor(2), of_drift }));
    }
    for Want { coin, amount, gap } in plan.wants {
        let (amount, gap) = (amount.times(share).floor(2), gap.times(share));
        if Order::buy(coin, amount, pairs).is_ok() {
            bounded.wants.push(Want { coin, amount, gap });
        }
        bounded.left.push((coin, Left::Turnover { spare: spare.floor(2), of_drift }));
    }
    bounded
}

/// Ce que les ventes de ce plan rapportent de plus que ses achats ne prennent, coûts payés.
fn exit(plan: &Plan, pairs: &Pairs) -> Usdc {
    let (sold, bought) = (plan.sold(pairs), plan.bought());
    if bought.is_zero() { sold } else { (sold - bought - plan.cost(pairs)).max(Usdc::ZERO) }
}

/// La vente de cette part de ce que l'ordre vendait, si la bourse la prendrait.
fn reduced(order: &Order, share: Decimal, pairs: &Pairs) -> Option<Order> {
    let Size::Sell(quantity) = order.size() else { return None };
    Order::sell(order.coin(), quantity.times(share), quantity, pairs).ok()
}
