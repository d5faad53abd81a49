//! L'envoi d'un ordre : paramètres, droits, filtres, moteur, soldes, journal. Dans cet ordre, tout ou rien.
//!
//! Un `newClientOrderId` n'est unique que parmi les ordres ouverts : le même, renvoyé après une exécution, achète
//! une seconde fois. C'est le piège que le client doit éviter ; la bourse ne l'en protège pas.

use rust_decimal::Decimal;

use super::engine::{Match, match_market};
use super::order::{Asked, Fill, Order, OrderSide, OrderStatus, ResponseType};
use super::params::Params;
use super::refusal::Refusal;
use super::{Exchange, State};
use crate::sim::json::{Json, object};
use crate::sim::market::{Listing, Status};

const KNOWN: [&str; 15] = [
    "symbol",
    "side",
    "type",
    "quantity",
    "quoteOrderQty",
    "newClientOrderId",
    "newOrderRespType",
    "selfTradePreventionMode",
    "strategyId",
    "strategyType",
    "timeInForce",
    "price",
    "stopPrice",
    "icebergQty",
    "computeCommissionRates",
];

/// Un ordre lu et légal, avant tout filtre.
struct Ticket {
    pair: &'static str,
    side: OrderSide,
    asked: Asked,
    client_id: Option<String>,
    response_type: ResponseType,
    strategy: [Option<i64>; 2],
}

impl State {
    pub(super) fn place_order(&mut self, params: &Params) -> Result<Json, Refusal> {
        let ticket = self.read_ticket(params)?;
        let now_ms = self.clock.now_ms();
        self.limits.admit_order(now_ms)?;
        let found = self.check(&ticket)?;
        let order = self.execute(ticket.side, &ticket, found);
        if order.status != OrderStatus::Filled {
            self.limits.count_unfilled(now_ms);
        }
        let receipt = order.receipt(ticket.response_type);
        self.accept(order);
        Ok(receipt)
    }

    /// Contrôles de l'API et filtres, sans le moteur : ni solde ni identifiant.
    pub(super) fn test_order(&mut self, params: &Params) -> Result<Json, Refusal> {
        let ticket = self.read_ticket(params)?;
        let symbol = self.market.find(ticket.pair).ok_or_else(Refusal::invalid_symbol)?;
        match_market(symbol, ticket.side, ticket.asked)?;
        if params.flag("computeCommissionRates")? != Some(true) {
            return Ok(object! {});
        }
        let none = || object! { "maker": Decimal::ZERO, "taker": Decimal::ZERO };
        Ok(object! {
            "standardCommissionForOrder": object! { "maker": self.account.maker, "taker": self.account.taker },
            "specialCommissionForOrder": none(),
            "taxCommissionForOrder": none(),
            "discount": self.discount(),
        })
    }

    fn read_ticket(&self, params: &Params) -> Result<Ticket, Refusal> {
        params.only(&KNOWN, true)?;
        let pair = self.one(params)?.pair;
        let side = match params.require("side")? {
            "BUY" => OrderSide::Buy,
            "SELL" => OrderSide::Sell,
            _ => return Err(Refusal::new(-1117, "Invalid side.")),
        };
        match params.require("type")? {
            "MARKET" => {}
            "LIMIT" | "LIMIT_MAKER" | "STOP_LOSS" | "STOP_LOSS_LIMIT" | "TAKE_PROFIT"
            | "TAKE_PROFIT_LIMIT" => {
                return Err(Refusal::new(-1014, "Unsupported order combination."));
            }
            _ => return Err(Refusal::new(-1116, "Invalid orderType.")),
        }
        let asked = match (params.amount("quantity")?, params.amount("quoteOrderQty")?) {
            (Some(quantity), None) => Asked::Quantity(quantity),
            (None, Some(amount)) => Asked::Amount(amount),
            (Some(_), Some(_)) => return Err(Refusal::combination()),
            (None, None) => {
                let text = "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!";
                return Err(Refusal::new(-1102, text));
            }
        };
        for name in ["timeInForce", "price", "stopPrice", "icebergQty"] {
            if params.get(name).is_some() {
                return Err(Refusal::new(-1106, format!("Parameter '{name}' sent when not required.")));
            }
        }
        let response_type = match params.get("newOrderRespType") {
            None | Some("FULL") => ResponseType::Full,
            Some("RESULT") => ResponseType::Result,
            Some("ACK") => ResponseType::Ack,
            Some(_) => {
                return Err(Refusal::new(-1130, "Data sent for parameter 'newOrderRespType' is not valid."));
            }
        };
        let strategy = [params.integer("strategyId")?, params.integer("strategyType")?];
        if strategy[1].is_some_and(|kind| kind < 1_000_000) {
            return Err(Refusal::new(-1134, "strategyType was less than 1000000."));
        }
        let client_id = params.client_id("newClientOrderId")?.map(str::to_owned);
        Ok(Ticket { pair, side, asked, client_id, response_type, strategy })
    }

    fn check(&self, ticket: &Ticket) -> Result<Match, Refusal> {
        let symbol = self.market.find(ticket.pair).ok_or_else(Refusal::invalid_symbol)?;
        let listing = &symbol.listing;
        match listing.status {
            Status::Trading => {}
            Status::CancelOnly => {
                return Err(Refusal::engine("This order type is not possible in this trading phase."));
            }
            Status::Halt | Status::Break | Status::EndOfDay => {
                return Err(Refusal::new(-1013, "Market is closed."));
            }
        }
        self.check_rights(listing, ticket.asked)?;
        let found = match_market(symbol, ticket.side, ticket.asked)?;
        if let (OrderSide::Buy, Some(limit)) = (ticket.side, listing.max_position) {
            let held = self.account.balance(listing.base);
            if held.free + held.locked + found.quantity > limit {
                return Err(Refusal::filter("MAX_POSITION"));
            }
        }
        let is_open = |order: &Order| order.status == OrderStatus::New;
        let same = |order: &Order| Some(&order.client_id) == ticket.client_id.as_ref();
        if self.orders.iter().any(|order| is_open(order) && same(order)) {
            return Err(Refusal::engine("Duplicate order sent."));
        }
        let paid = match ticket.side {
            OrderSide::Buy => listing.quote,
            OrderSide::Sell => listing.base,
        };
        self.account.require(paid, found.needed)?;
        Ok(found)
    }

    fn check_rights(&self, listing: &Listing, asked: Asked) -> Result<(), Refusal> {
        let permitted = |set: &Vec<&str>| set.iter().any(|name| self.account.permissions.contains(name));
        let text = if !self.account.can_trade {
            "This account may not place or cancel orders."
        } else if !listing.spot_trading_allowed || !listing.permission_sets.iter().all(permitted) {
            "This symbol is not permitted for this account."
        } else if !listing.market_orders_allowed {
            "Market orders are not supported for this symbol."
        } else if !listing.quote_order_allowed && matches!(asked, Asked::Amount(_)) {
            "Quote order qty market orders are not support for this symbol."
        } else {
            return Ok(());
        };
        Err(Refusal::engine(text))
    }

    /// Échange ce que le moteur a trouvé ; plus rien ici ne peut refuser.
    fn execute(&mut self, side: OrderSide, ticket: &Ticket, found: Match) -> Order {
        let bnb_price = self.market.find("BNBUSDC").map_or(Decimal::ONE, |symbol| symbol.mid);
        let mut order = self.open(ticket, found.quantity);
        let symbol = self.market.find(ticket.pair).expect("a checked pair");
        for level in found.fills {
            let (commission, commission_asset) =
                self.account.settle(&symbol.listing, side, level.price, level.quantity, bnb_price);
            order.executed += level.quantity;
            order.quote += level.price * level.quantity;
            let trade_id = self.next_trade_id;
            self.next_trade_id += 1;
            let (price, quantity) = (level.price, level.quantity);
            order.fills.push(Fill { trade_id, price, quantity, commission, commission_asset });
        }
        order.expiry_reason = found.expiry_reason;
        order.status = if found.expiry_reason.is_some() { OrderStatus::Expired } else { OrderStatus::Filled };
        order
    }

    /// Un ordre neuf, numéroté, encore vide.
    fn open(&mut self, ticket: &Ticket, quantity: Decimal) -> Order {
        let id = self.next_order_id;
        self.next_order_id += 1;
        let time_ms = self.clock.now_ms();
        let drawn = || std::iter::repeat_with(|| self.dice.alphanumeric()).take(22).collect();
        Order {
            id,
            client_id: ticket.client_id.clone().unwrap_or_else(drawn),
            pair: ticket.pair.to_owned(),
            side: ticket.side,
            asked: ticket.asked,
            quantity,
            executed: Decimal::ZERO,
            quote: Decimal::ZERO,
            status: OrderStatus::New,
            expiry_reason: None,
            time_ms,
            fills: Vec::new(),
            strategy: ticket.strategy,
            stamp: self.visibility.stamp(time_ms),
        }
    }

    fn accept(&mut self, order: Order) {
        self.journal.push(order.clone());
        self.orders.push(order);
        self.remember_balances();
    }
}

impl Exchange {
    /// Pose un ordre LIMIT qui restera ouvert, son dû immobilisé ; rend son `orderId`, ou `None` sans le solde.
    pub fn rest_order(
        &self,
        pair: &str,
        side: OrderSide,
        price: Decimal,
        quantity: Decimal,
        client_id: &str,
    ) -> Option<i64> {
        let mut state = self.lock();
        let symbol = state.market.find(pair).expect("a listed pair");
        let (pair, base, quote) = (symbol.pair, symbol.listing.base, symbol.listing.quote);
        let (asset, due) = match side {
            OrderSide::Buy => (quote, price * quantity),
            OrderSide::Sell => (base, quantity),
        };
        state.account.lock(asset, due).ok()?;
        let ticket = Ticket {
            pair,
            side,
            asked: Asked::Resting { price, quantity },
            client_id: Some(client_id.to_owned()),
            response_type: ResponseType::Full,
            strategy: [None; 2],
        };
        let order = state.open(&ticket, quantity);
        let id = order.id;
        state.orders.push(order);
        state.remember_balances();
        Some(id)
    }
}
