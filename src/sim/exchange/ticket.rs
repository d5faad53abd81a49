//! Un ordre lu dans les paramètres d'une requête, légal, avant tout filtre.
//!
//! MARKET et LIMIT seulement : les autres types, et les ordres iceberg, reçoivent -1014.

use rust_decimal::Decimal;

use super::order::{Asked, OrderSide, ResponseType, TimeInForce};
use super::params::Params;
use super::refusal::Refusal;

pub(super) const KNOWN: [&str; 14] = [
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
];

pub(super) struct Ticket {
    pub(super) pair: &'static str,
    pub(super) side: OrderSide,
    pub(super) asked: Asked,
    pub(super) client_id: Option<String>,
    pub(super) response_type: ResponseType,
    pub(super) strategy: [Option<i64>; 2],
}

impl Ticket {
    pub(super) fn read(pair: &'static str, params: &Params) -> Result<Ticket, Refusal> {
        let side = match params.require("side")? {
            "BUY" => OrderSide::Buy,
            "SELL" => OrderSide::Sell,
            _ => return Err(Refusal::new(-1117, "Invalid side.")),
        };
        let unsupported = || Refusal::new(-1014, "Unsupported order combination.");
        let asked = match params.require("type")? {
            "MARKET" => read_market(params)?,
            "LIMIT" if params.get("icebergQty").is_some() => return Err(unsupported()),
            "LIMIT" => read_limit(params)?,
            "LIMIT_MAKER" | "STOP_LOSS" | "STOP_LOSS_LIMIT" | "TAKE_PROFIT" | "TAKE_PROFIT_LIMIT" => {
                return Err(unsupported());
            }
            _ => return Err(Refusal::new(-1116, "Invalid orderType.")),
        };
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
}

fn read_market(params: &Params) -> Result<Asked, Refusal> {
    let asked = match (params.amount("quantity")?, params.amount("quoteOrderQty")?) {
        (Some(quantity), None) => Asked::Quantity(quantity),
        (None, Some(amount)) => Asked::Amount(amount),
        (Some(_), Some(_)) => return Err(Refusal::combination()),
        (None, None) => {
            let text = "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!";
            return Err(Refusal::new(-1102, text));
        }
    };
    forbid(params, &["timeInForce", "price", "stopPrice", "icebergQty"])?;
    Ok(asked)
}

fn read_limit(params: &Params) -> Result<Asked, Refusal> {
    let time_in_force = match params.require("timeInForce")? {
        "GTC" => TimeInForce::Gtc,
        "IOC" => TimeInForce::Ioc,
        "FOK" => TimeInForce::Fok,
        _ => return Err(Refusal::new(-1115, "Invalid timeInForce.")),
    };
    let amount = |name: &str| -> Result<Decimal, Refusal> {
        params.amount(name)?.ok_or_else(|| Refusal::missing(name))
    };
    let (quantity, price) = (amount("quantity")?, amount("price")?);
    forbid(params, &["quoteOrderQty", "stopPrice"])?;
    Ok(Asked::Limit { price, quantity, time_in_force })
}

fn forbid(params: &Params, names: &[&str]) -> Result<(), Refusal> {
    match names.iter().find(|name| params.get(name).is_some()) {
        Some(name) => Err(Refusal::new(-1106, format!("Parameter '{name}' sent when not required."))),
        None => Ok(()),
    }
}
