//! La rotation : ce qui s'échange en un jour, ventes et achats ensemble.
//!
//! Un leader qui retourne tout à chaque tour ne coûte que ce que cette borne laisse. Invariants : ce qui dépasse est laissé avec sa
//! raison, et ce qui part garde les proportions du plan, autant que les minimums le permettent ; ce qui reste d'une vente se vendra
//! encore ; ce qui ne fait que sortir vers le cash n'est pas retenu, où la borne tiendrait un capital dans ce que le leader fuit : les
//! achats, bornés, la bornent.

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
pub fn within(plan: Plan, spare: Spare, pairs: &Pairs) -> Plan {
    let most = spare.amount.max(Usdc::ZERO);
    let (sold, exit) = (plan.sold(pairs), exit(&plan, pairs));
    let (swapped, room) = (plan.moved(pairs) - exit, (most - exit).max(Usdc::ZERO));
    if swapped <= room {
        return plan;
    }
    let share = room.share_of(swapped).decimal();
    let of_sales = (exit + (sold - exit).times(share)).share_of(sold).decimal();
    let Plan { sales, wants, left, withheld } = plan;
    let mut sales_now: Vec<Option<Order>> =
        sales.iter().map(|sale| part_of_sale(sale, value(sale, pairs).times(of_sales), pairs)).collect();
    let mut wants_now: Vec<Option<Want>> =
        wants.iter().map(|want| part_of_purchase(want, want.amount.times(share), pairs)).collect();
    // Ce que les minimums n'ont pas laissé réduire autant prend la place qui reste, l'un après l'autre. Celle d'une sortie n'est qu'aux
    // ventes : un achat y passerait la borne.
    let bought: Usdc = wants_now.iter().flatten().map(|want| want.amount).sum();
    let mut sold: Usdc = sales_now.iter().flatten().map(|sale| value(sale, pairs)).sum();
    for (sale, part) in sales.iter().zip(&mut sales_now).filter(|(_, part)| part.is_none()) {
        *part = part_of_sale(sale, exit + room - bought - sold, pairs);
        sold += part.map_or(Usdc::ZERO, |part| value(&part, pairs));
    }
    let mut room = room - bought - (sold - exit).max(Usdc::ZERO);
    for (want, part) in wants.iter().zip(&mut wants_now).filter(|(_, part)| part.is_none()) {
        *part = part_of_purchase(want, room, pairs);
        room -= part.map_or(Usdc::ZERO, |part| part.amount);
    }
    let cut_sales = sales.iter().zip(&sales_now).filter(|(sale, part)| part.as_ref() != Some(*sale));
    let cut_wants = wants.iter().zip(&wants_now).filter(|(want, part)| part.as_ref() != Some(*want));
    let cut = cut_sales.map(|(sale, _)| sale.coin()).chain(cut_wants.map(|(want, _)| want.coin));
    let reason = Left::Turnover { spare: most.floor(2), of_drift: spare.of_drift };
    let left = left.into_iter().chain(cut.map(|coin| (coin, reason.clone()))).collect();
    Plan {
        sales: sales_now.into_iter().flatten().collect(),
        wants: wants_now.into_iter().flatten().collect(),
        left,
        withheld,
    }
}

/// Ce que les ventes de ce plan rapportent de plus que ses achats ne prennent, coûts payés.
fn exit(plan: &Plan, pairs: &Pairs) -> Usdc {
    let (sold, bought) = (plan.sold(pairs), plan.bought());
    if bought.is_zero() { sold } else { (sold - bought - plan.cost(pairs)).max(Usdc::ZERO) }
}

/// Ce que vaut cette vente, au milieu du carnet.
fn value(sale: &Order, pairs: &Pairs) -> Usdc {
    pairs.mid(sale.coin()).map_or(Usdc::ZERO, |mid| sale.value_at(mid))
}

/// Ce qui part de cette vente dans ce montant : le reste, un autre jour, se vend encore.
fn part_of_sale(sale: &Order, most: Usdc, pairs: &Pairs) -> Option<Order> {
    let (Size::Sell(quantity), Some(pair)) = (sale.size(), pairs.get(sale.coin())) else { return None };
    let part = Order::part_of_sale(quantity, most.buys_at(pair.quote.mid()), pair)?;
    if part == quantity { Some(*sale) } else { Order::sell(sale.coin(), part, quantity, pairs).ok() }
}

/// Ce qui part de cet achat dans ce montant.
fn part_of_purchase(want: &Want, most: Usdc, pairs: &Pairs) -> Option<Want> {
    let amount = Order::part_of_purchase(want.amount, most.floor(2), pairs.get(want.coin)?).floor(2);
    Order::buy(want.coin, amount, pairs).ok()?;
    Some(Want { coin: want.coin, amount, gap: want.gap.times(amount.share_of(want.amount).decimal()) })
}
