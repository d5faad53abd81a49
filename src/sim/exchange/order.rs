//! Un ordre tel que la bourse le garde, et ses trois écritures : réponse d'envoi, requête, transactions.
//!
//! Ne décide rien : le moteur remplit, ceci dit. Identifiants et heures sont des entiers, chaque montant un texte.

use rust_decimal::Decimal;

use super::visibility::Stamp;
use crate::sim::json::{Json, object};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderSide {
    Buy,
    Sell,
}

/// Ce qui était demandé : une quantité de base, ou un montant de cotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Quantity(Decimal),
    Amount(Decimal),
    /// Ordre LIMIT ouvert, posé par un test.
    Resting {
        price: Decimal,
        quantity: Decimal,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderStatus {
    New,
    Filled,
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
    pub fills: Vec<Fill>,
    pub(super) strategy: [Option<i64>; 2],
    pub(super) stamp: Stamp,
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

impl Order {
    /// Réponse à POST order.
    pub(super) fn receipt(&self, response_type: ResponseType) -> Json {
        let mut json = object! {
            "symbol": self.pair.as_str(), "orderId": self.id, "orderListId": -1i64,
            "clientOrderId": self.client_id.as_str(), "transactTime": self.time_ms,
        };
        if response_type == ResponseType::Ack {
            return json;
        }
        self.push_amounts(&mut json);
        json.push("workingTime", self.time_ms);
        if response_type == ResponseType::Full {
            json.push("fills", self.fills.iter().map(Fill::receipt).collect::<Vec<Json>>());
        }
        json.push("selfTradePreventionMode", "EXPIRE_MAKER");
        self.push_labels(&mut json);
        json
    }

    /// Réponse aux requêtes : GET order, openOrders, allOrders. Ni exécutions ni commission.
    pub(super) fn record(&self) -> Json {
        let mut json = object! {
            "symbol": self.pair.as_str(), "orderId": self.id, "orderListId": -1i64,
            "clientOrderId": self.client_id.as_str(),
        };
        self.push_amounts(&mut json);
        for name in ["stopPrice", "icebergQty"] {
            json.push(name, Decimal::ZERO);
        }
        json.push("time", self.time_ms);
        json.push("updateTime", self.time_ms);
        json.push("isWorking", true);
        json.push("workingTime", self.time_ms);
        json.push("selfTradePreventionMode", "EXPIRE_MAKER");
        self.push_labels(&mut json);
        json
    }

    /// Réponses de myTrades, une par exécution.
    pub(super) fn trades(&self) -> impl Iterator<Item = (i64, Json)> {
        self.fills.iter().map(|fill| {
            let json = object! {
                "symbol": self.pair.as_str(), "id": fill.trade_id, "orderId": self.id, "orderListId": -1i64,
                "price": fill.price, "qty": fill.quantity, "quoteQty": fill.price * fill.quantity,
                "commission": fill.commission, "commissionAsset": fill.commission_asset.as_str(),
                "time": self.time_ms, "isBuyer": self.side == OrderSide::Buy, "isMaker": false, "isBestMatch": true,
            };
            (fill.trade_id, json)
        })
    }

    fn push_amounts(&self, json: &mut Json) {
        let (kind, price, asked_amount) = match self.asked {
            Asked::Quantity(_) => ("MARKET", Decimal::ZERO, Decimal::ZERO),
            Asked::Amount(amount) => ("MARKET", Decimal::ZERO, amount),
            Asked::Resting { price, .. } => ("LIMIT", price, Decimal::ZERO),
        };
        let status = match self.status {
            OrderStatus::New => "NEW",
            OrderStatus::Filled => "FILLED",
            OrderStatus::Expired => "EXPIRED",
        };
        json.push("price", price);
        json.push("origQty", self.quantity);
        json.push("executedQty", self.executed);
        json.push("origQuoteOrderQty", asked_amount);
        json.push("cummulativeQuoteQty", self.quote);
        json.push("status", status);
        json.push("timeInForce", "GTC");
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
    fn receipt(&self) -> Json {
        object! {
            "price": self.price, "qty": self.quantity, "commission": self.commission,
            "commissionAsset": self.commission_asset.as_str(), "tradeId": self.trade_id,
        }
    }
}
