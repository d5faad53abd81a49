//! Les ordres qui attendent quelqu'un : comment chacun se finit, et ce qu'ils retiennent d'ici là.

use std::time::Duration;

use super::way_out::WayOut;
use crate::domain::moment::Moment;
use crate::domain::order::Size;
use crate::domain::recourse::{self, Way};
use crate::ledger::views::Intent;

/// Comment finir un ordre qui attend quelqu'un.
pub(super) fn ended(order: &Intent, oldest_action: Duration, now: Moment) -> Vec<WayOut> {
    let case = order.case(now);
    let (id, coin, side) = (order.id, order.coin.asset(), order.side.word());
    let size = match order.size {
        Size::Spend(usdc) => format!("{side} {coin} for {usdc:.2} USDC"),
        Size::Sell(quantity) => format!("{side} {quantity} {coin}"),
    };
    let reason =
        order.reason.as_deref().filter(|reason| !reason.is_empty()).map(|reason| format!(": {reason}"));
    let about = format!(
        "order {id}, {size}, {} old{}",
        recourse::told(now.since(order.created_at)),
        reason.unwrap_or_default()
    );
    let way = |&way: &Way| {
        let path = |word| format!("/api/orders/{id}/{word}");
        let named = WayOut::new(format!("{}-{id}", way.word()), &about, case.consequence(way, oldest_action));
        match way {
            Way::Release | Way::Acknowledge => named.post(path("release")).yes("looked"),
            Way::Settle => named.post(path("settle")).yes("looked"),
            Way::Book => {
                let (needs, takes): (&'static [_], &'static [_]) =
                    (&["quantity", "usdc"], &["fee", "fee_asset"]);
                WayOut { needs, takes, ..named.post(path("book")) }
            }
        }
    };
    case.ways().iter().map(way).collect()
}

/// Ce qu'ils retiennent du suivi : tous les achats si l'un est venu tard, sinon une monnaie.
pub(super) fn held_back(orders: &[Intent], now: Moment) -> String {
    let waits = |order: &&Intent| !order.case(now).ways().is_empty();
    let waiting: Vec<&Intent> = orders.iter().filter(waits).collect();
    let late = |order: &&&Intent| order.case(now).ways().contains(&Way::Acknowledge);
    match (waiting.iter().find(late), waiting.first()) {
        (Some(late), _) => format!(", but buys nothing: order {} waits for you", late.id),
        (None, Some(stuck)) => {
            format!(", but not in {}: order {} waits for you", stuck.coin.asset(), stuck.id)
        }
        (None, None) => String::new(),
    }
}
