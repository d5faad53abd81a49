//! Par quoi une requête désigne un ordre : `orderId`, `origClientOrderId`, ou les deux, qui doivent s'accorder.

use super::order::Order;
use super::params::Params;
use super::refusal::Refusal;

pub(super) struct Key<'a> {
    id: Option<i64>,
    client_id: Option<&'a str>,
}

impl<'a> Key<'a> {
    pub(super) fn read(params: &'a Params) -> Result<Key<'a>, Refusal> {
        let key = Key { id: params.integer("orderId")?, client_id: params.client_id("origClientOrderId")? };
        if key.id.is_none() && key.client_id.is_none() {
            let text = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!";
            return Err(Refusal::new(-1102, text));
        }
        Ok(key)
    }

    /// L'`orderId` l'emporte ; [`Key::agrees`] dit ensuite si l'autre est bien le sien.
    pub(super) fn names(&self, order: &Order) -> bool {
        match self.id {
            Some(id) => order.id == id,
            None => self.client_id == Some(order.client_id.as_str()),
        }
    }

    pub(super) fn agrees(&self, order: &Order) -> Result<(), Refusal> {
        match self.client_id {
            Some(client_id) if client_id != order.client_id => {
                Err(Refusal::new(-2039, "Client order ID is not correct for this order ID."))
            }
            _ => Ok(()),
        }
    }
}
