//! Un ordre tel que la bourse le garde, et ses écritures : réponse d'envoi, d'annulation, requête, transactions.
//!
//! Ne décide rien : le moteur remplit, ceci dit. Identifiants et heures sont des entiers, chaque montant un texte.

use rust_decimal::Decimal;

use super::visibility::{Sight, Stamp};
use crate::sim::json::{Json, object};
use crate::sim::market::{Level, Listing};

const ARCHIVED_AFTER_MS: i64 = 90 * 86_400_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderSide {
    Buy,
    Sell,
}

/// Ce qu'un ordre LIMIT fait de ce qu'il n'a pas exécuté sur-le-champ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeInForce {
    /// Il reste ouvert.
    Gtc,
    /// Il s'éteint.
    Ioc,
    /// Il n'exécute rien s'il ne peut tout exécuter.
    Fok,
}

/// Ce qui était demandé au marché, en quantité de base ou en montant de cotation, ou à un prix limite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Quantity(Decimal),
    Amount(Decimal),
    Limit { price: Decimal, quantity: Decimal, time_in_force: TimeInForce },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderStatus {
    New,
    PartiallyFilled,
    Filled,
    Canceled,
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    pub trade_id: i64,
    pub price: Decimal,
    pub quantity: Decimal,
    pub commission: Decimal,
    pub commission_asset: String,
}

#[derive(Clone, Debug)]
pub struct Order {
    pub id: i64,
    pub client_id: String,
    pub pair: String,
    pub side: OrderSide,
    pub asked: Asked,
    /// Demandée, ou calculée par le moteur pour un ordre au montant.
    pub quantity: Decimal,
    pub executed: Decimal,
    /// Somme des exécutions en monnaie de cotation, avant commission.
    pub quote: Decimal,
    pub status: OrderStatus,
    pub expiry_reason: Option<&'static str>,
    pub time_ms: i64,
    pub updated_ms: i64,
    pub fills: Vec<Fill>,
    pub(super) strategy: [Option<i64>; 2],
    pub(super) stamp: Stamp,
    pub(super) canceled: Option<Stamp>,
}

/// Forme demandée par `newOrderRespType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseType {
    Ack,
    Result,
    Full,
}

impl OrderSide {
    pub(super) fn text(self) -> &'static str {
        match self {
            OrderSide::Buy => "BUY",
            OrderSide::Sell => "SELL",
        }
    }
}

impl OrderStatus {
    /// L'état d'un ordre ouvert dont tant est exécuté.
    pub(super) fn open(executed: Decimal) -> OrderStatus {
        if executed.is_zero() { OrderStatus::New } else { OrderStatus::PartiallyFilled }
    }

    pub(super) fn is_open(self) -> bool {
        matches!(self, OrderStatus::New | OrderStatus::PartiallyFilled)
    }

    fn text(self) -> &'static str {
        match self {
            OrderStatus::New => "NEW",
            OrderStatus::PartiallyFilled => "PARTIALLY_FILLED",
            OrderStatus::Filled => "FILLED",
            OrderStatus::Canceled => "CANCELED",
            OrderStatus::Expired => "EXPIRED",
        }
    }
}

impl TimeInForce {
    fn text(self) -> &'static str {
        match self {
            TimeInForce::Gtc => "GTC",
            TimeInForce::Ioc => "IOC",
            TimeInForce::Fok => "FOK",
        }
    }
}

impl Order {
    /// L'actif et le montant que le reste d'un ordre ouvert immobilise : rien pour un ordre au marché.
    pub(super) fn due(&self, listing: &Listing) -> (&'static str, Decimal) {
        let left = self.quantity - self.executed;
        match (self.asked, self.side) {
            (Asked::Limit { price, .. }, OrderSide::Buy) => {
                (listing.quote, Level { price, quantity: left }.quote())
            }
            (Asked::Limit { .. }, OrderSide::Sell) => (listing.base, left),
            (Asked::Quantity(_) | Asked::Amount(_), _) => (listing.base, Decimal::ZERO),
        }
    }

    /// Une lecture en retard voit encore ouvert un ordre annulé depuis peu.
    pub(super) fn status_through(&self, sight: Sight) -> OrderStatus {
        match &self.canceled {
            Some(stamp) if !sight.sees(stamp) => OrderStatus::open(self.executed),
            _ => self.status,
        }
    }

    /// Annulé ou éteint sans exécution, depuis plus de 90 jours ou `at_once` : la bourse ne le rend plus.
    pub(super) fn is_archived(&self, now_ms: i64, at_once: bool) -> bool {
        matches!(self.status, OrderStatus::Canceled | OrderStatus::Expired)
            && self.executed.is_zero()
            && (at_once || now_ms - self.updated_ms > ARCHIVED_AFTER_MS)
    }

    /// Réponse à POST order.
    pub(super) fn receipt(&self, response_type: ResponseType) -> Json {
        let mut json = object! {
            "symbol": self.pair.as_str(), "orderId": self.id, "orderListId": -1i64,
            "clientOrderId": self.client_id.as_str(), "transactTime": Json::time(self.time_ms),
        };
        if response_type == ResponseType::Ack {
            return json;
        }
        self.push_amounts(&mut json, self.status);
        json.push("workingTime", Json::time(self.time_ms));
        if response_type == ResponseType::Full {
            json.push("fills", self.fills.iter().map(Fill::receipt).collect::<Vec<Json>>());
        }
        json.push("selfTradePreventionMode", "EXPIRE_MAKER");
        self.push_labels(&mut json);
        json
    }

    /// Réponse à DELETE order.
    pub(super) fn cancellation(&self, cancel_id: &str) -> Json {
        let mut json = object! {
            "symbol": self.pair.as_str(), "origClientOrderId": self.client_id.as_str(), "orderId": self.id,
            "orderListId": -1i64, "clientOrderId": cancel_id, "transactTime": Json::time(self.updated_ms),
        };
        self.push_amounts(&mut json, self.status);
        json.push("selfTradePreventionMode", "EXPIRE_MAKER");
        self.push_labels(&mut json);
        json
    }

    /// Réponse aux requêtes : GET order, openOrders, allOrders. Ni exécutions ni commission.
    pub(super) fn record(&self, sight: Sight) -> Json {
        let mut json = object! {
            "symbol": self.pair.as_str(), "orderId": self.id, "orderListId": -1i64,
            "clientOrderId": self.client_id.as_str(),
        };
        let status = self.status_through(sight);
        self.push_amounts(&mut json, status);
        for name in ["stopPrice", "icebergQty"] {
            json.push(name, Decimal::ZERO);
        }
        json.push("time", Json::time(self.time_ms));
        let updated_ms = if status == self.status { self.updated_ms } else { self.time_ms };
        json.push("updateTime", Json::time(updated_ms));
        json.push("isWorking", true);
        json.push("workingTime", Json::time(self.time_ms));
        json.push("selfTradePreventionMode", "EXPIRE_MAKER");
        self.push_labels(&mut json);
        json
    }

    /// Réponses de myTrades, une par exécution.
    pub(super) fn trades(&self) -> impl Iterator<Item = (i64, Json)> {
        self.fills.iter().map(|fill| {
            let json = object! {
                "symbol": self.pair.as_str(), "id": fill.trade_id, "orderId": self.id, "orderListId": -1i64,
                "price": fill.price, "qty": fill.quantity, "quoteQty": fill.quote(),
                "commission": fill.commission, "commissionAsset": fill.commission_asset.as_str(),
                "time": Json::time(self.time_ms), "isBuyer": self.side == OrderSide::Buy, "isMaker": false, "isBestMatch": true,
            };
            (fill.trade_id, json)
        })
    }

    fn push_amounts(&self, json: &mut Json, status: OrderStatus) {
        let zero = Decimal::ZERO;
        let (kind, price, asked_amount, time_in_force) = match self.asked {
            Asked::Quantity(_) => ("MARKET", zero, zero, TimeInForce::Gtc),
            Asked::Amount(amount) => ("MARKET", zero, amount, TimeInForce::Gtc),
            Asked::Limit { price, time_in_force, .. } => ("LIMIT", price, zero, time_in_force),
        };
        json.push("price", price);
        json.push("origQty", self.quantity);
        json.push("executedQty", self.executed);
        json.push("origQuoteOrderQty", asked_amount);
        json.push("cummulativeQuoteQty", self.quote);
        json.push("status", status.text());
        json.push("timeInForce", time_in_force.text());
        json.push("type", kind);
        json.push("side", self.side.text());
    }

    fn push_labels(&self, json: &mut Json) {
        for (name, value) in ["strategyId", "strategyType"].into_iter().zip(self.strategy) {
            if let Some(value) = value {
                json.push(name, value);
            }
        }
        if let Some(reason) = self.expiry_reason {
            json.push("expiryReason", reason);
        }
    }
}

impl Fill {
    pub fn quote(&self) -> Decimal {
        Level { price: self.price, quantity: self.quantity }.quote()
    }

    fn receipt(&self) -> Json {
        object! {
            "price": self.price, "qty": self.quantity, "commission": self.commission,
            "commissionAsset": self.commission_asset.as_str(), "tradeId": self.trade_id,
        }
    }
}
