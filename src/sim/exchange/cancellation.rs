//! L'annulation d'un ordre ouvert : ce qu'il immobilisait redevient libre, ses exécutions restent.

use super::key::Key;
use super::order::{Order, OrderStatus};
use super::params::Params;
use super::refusal::Refusal;
use super::state::State;
use crate::sim::json::Json;

const KNOWN: [&str; 5] = ["symbol", "orderId", "origClientOrderId", "newClientOrderId", "cancelRestrictions"];

impl State {
    pub(super) fn cancel_order(&mut self, params: &Params) -> Result<Json, Refusal> {
        params.only(&KNOWN, true)?;
        let pair = self.one(params)?.pair;
        let key = Key::read(params)?;
        let only = match params.get("cancelRestrictions") {
            None => None,
            Some("ONLY_NEW") => Some(OrderStatus::New),
            Some("ONLY_PARTIALLY_FILLED") => Some(OrderStatus::PartiallyFilled),
            Some(_) => return Err(Refusal::new(-1145, "Invalid cancelRestrictions")),
        };
        let cancel_id = params.client_id("newClientOrderId")?.map(str::to_owned);
        if !self.account.can_trade {
            return Err(Refusal::cancellation("This account may not place or cancel orders."));
        }
        let found = self
            .orders
            .iter()
            .position(|order| order.pair == pair && order.status.is_open() && key.names(order));
        let rank = found.ok_or_else(|| Refusal::cancellation("Unknown order sent."))?;
        key.agrees(&self.orders[rank])?;
        if only.is_some_and(|status| status != self.orders[rank].status) {
            return Err(Refusal::cancellation("Order was not canceled due to cancel restrictions."));
        }
        let cancel_id = cancel_id.unwrap_or_else(|| self.draw_client_id());
        self.cancel(rank);
        Ok(self.orders[rank].cancellation(&cancel_id))
    }

    pub(super) fn cancel_by_hand(&mut self, order_id: i64) -> Result<(), Refusal> {
        let open = |order: &Order| order.id == order_id && order.status.is_open();
        let rank = self.orders.iter().position(open);
        self.cancel(rank.ok_or_else(|| Refusal::cancellation("Unknown order sent."))?);
        Ok(())
    }

    fn cancel(&mut self, rank: usize) {
        let now_ms = self.clock.now_ms();
        let order = &mut self.orders[rank];
        let listing = &self.market.find(&order.pair).expect("a listed pair").listing;
        let (asset, due) = order.due(listing);
        self.account.unlock(asset, due);
        order.status = OrderStatus::Canceled;
        order.updated_ms = now_ms;
        order.canceled = Some(self.visibility.stamp(now_ms));
        let canceled = order.clone();
        if let Some(entry) =
            self.journal.iter_mut().chain(&mut self.by_hand).find(|entry| entry.id == canceled.id)
        {
            *entry = canceled;
        }
        self.remember_balances();
    }
}
