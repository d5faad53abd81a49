//! Ce que la bourse dit d'un ordre et de ses exécutions, du fil au domaine.
//!
//! Pur. Invariant : un champ qui n'a pas de sens (nombre illisible ou négatif, paire qu'on ne suit pas, sens
//! inconnu) rend tout illisible (`None`), jamais une valeur par défaut ; un mot d'état inconnu n'est pas une fin.

use super::wire;
use crate::domain::execution::{Execution, Report};
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::domain::money::{Price, Quantity, Usdc};
use crate::domain::order::Side;

/// Les états dont un ordre ne sort plus (docs Binance Spot, « Order status »).
const ENDED: [&str; 5] = ["FILLED", "EXPIRED", "EXPIRED_IN_MATCH", "CANCELED", "REJECTED"];

/// Un ordre relu. Un montant négatif dit que la bourse ne le sait plus.
pub fn record(order: wire::Order) -> Option<Report> {
    let amount = Usdc::parse(&order.amount).ok()?;
    Some(Report {
        order_id: id(order.order_id)?,
        client_id: order.client_id,
        coin: Coin::from_pair(&order.symbol)?,
        side: Side::from_word(&order.side)?,
        ended: ENDED.contains(&order.status.as_str()),
        status: word(&order.status),
        executed: Quantity::parse(&order.executed).ok().filter(|executed| *executed >= Quantity::ZERO)?,
        amount: Some(amount).filter(|amount| *amount >= Usdc::ZERO),
        at: Moment(order.time),
    })
}

/// La réponse à l'envoi d'un ordre, et les exécutions qu'elle montre.
pub fn receipt(receipt: wire::Receipt) -> Option<(Report, Vec<Execution>)> {
    let report = record(wire::Order {
        symbol: receipt.symbol,
        order_id: receipt.order_id,
        client_id: receipt.client_id,
        executed: receipt.executed,
        amount: receipt.amount,
        status: receipt.status,
        side: receipt.side,
        time: receipt.time,
    })?;
    let executions: Option<Vec<Execution>> =
        receipt.fills.into_iter().map(|fill| execution_of(&report, fill)).collect();
    Some((report, executions?))
}

/// Une exécution montrée avec son ordre : sans montant, qui est le produit exact.
fn execution_of(report: &Report, fill: wire::Fill) -> Option<Execution> {
    let price = Price::parse(&fill.price).ok().filter(|price| price.is_positive())?;
    let quantity = Quantity::parse(&fill.quantity).ok().filter(|quantity| quantity.is_positive())?;
    Some(Execution {
        trade_id: id(fill.trade_id)?,
        order_id: report.order_id,
        coin: report.coin,
        side: report.side,
        price,
        quantity,
        amount: exact_product(price, quantity)?,
        commission: commission(&fill.commission)?,
        commission_asset: word(&fill.commission_asset),
        at: report.at,
    })
}

/// Une exécution relue.
pub fn trade(trade: wire::Trade) -> Option<Execution> {
    Some(Execution {
        trade_id: id(trade.id)?,
        order_id: id(trade.order_id)?,
        coin: Coin::from_pair(&trade.symbol)?,
        side: if trade.is_buyer { Side::Buy } else { Side::Sell },
        price: Price::parse(&trade.price).ok().filter(|price| price.is_positive())?,
        quantity: Quantity::parse(&trade.quantity).ok().filter(|quantity| quantity.is_positive())?,
        amount: Usdc::parse(&trade.amount).ok().filter(|amount| *amount >= Usdc::ZERO)?,
        commission: commission(&trade.commission)?,
        commission_asset: word(&trade.commission_asset),
        at: Moment(trade.time),
    })
}

/// La bourse numérote à partir de 1 ; -1 y veut dire « aucun ».
fn id(id: i64) -> Option<i64> {
    Some(id).filter(|id| *id > 0)
}

/// Un mot de la bourse, que l'on garde et que l'on montre.
fn word(text: &str) -> String {
    text.chars().take(40).collect()
}

fn commission(text: &str) -> Option<Quantity> {
    Quantity::parse(text).ok().filter(|commission| *commission >= Quantity::ZERO)
}

/// `None` si le produit a plus de chiffres qu'un `Decimal` : il serait arrondi.
fn exact_product(price: Price, quantity: Quantity) -> Option<Usdc> {
    let scale = price.decimal().scale() + quantity.decimal().scale();
    Some(price * quantity).filter(|amount| amount.decimal().scale() == scale)
}
