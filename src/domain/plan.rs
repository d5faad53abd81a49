//! Le plan : ce qu'il faut vendre et acheter pour suivre le leader, et pourquoi le reste attend.
//!
//! Deux fonctions pures. [`plan`] donne les ventes, les achats souhaités et la raison de chaque coin
//! laissé ; [`purchases`] partage ensuite le cash réellement disponible, une fois les ventes faites.
//! Chaque coin finit dans exactement une des listes. Une allocation s'approche au mieux
//! ([`super::approach`]) ; une action de version 1 se fait telle que dite. Aucun plafond par position :
//! le suiveur fait confiance au leader.

use rust_decimal::dec;

use super::approach::{self, Approach};
use super::market::{Coin, Market, PerCoin};
use super::money::{Usdc, Weight};
use super::order::{Left, Order};
use super::portfolio::Holdings;
use super::purchase;
use super::raise;
use super::signal::{Action, Instruction};

pub use super::purchase::Want;

/// Ce qui resterait d'une position sous ce montant est vendu avec elle (le seuil du leader).
const DUST: Usdc = Usdc::new(dec!(2.50));

/// Le résultat de [`plan`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub sales: Vec<Order>,
    pub wants: Vec<Want>,
    pub left: Vec<(Coin, Left)>,
}

/// Traduit la consigne en ventes, souhaits d'achat et raisons. `threshold` est l'écart de part
/// (version 2) sous lequel un coin n'est pas touché.
pub fn plan(instruction: &Instruction, holdings: &Holdings, market: &Market, threshold: Weight) -> Plan {
    match instruction {
        Instruction::Target(target) => {
            let Approach { sales, wants, left, .. } = approach::approach(target, holdings, market, threshold);
            Plan { sales, wants, left }
        }
        Instruction::Raise(amount) => {
            let (sales, left) = raise::raise(*amount, holdings, market);
            Plan { sales, wants: Vec::new(), left }
        }
        Instruction::Actions(actions) => obey(actions, holdings, market),
    }
}

/// Chaque action est une part de ce que tout vaut.
fn obey(actions: &PerCoin<Option<Action>>, holdings: &Holdings, market: &Market) -> Plan {
    let (mut plan, total) = (Plan::default(), holdings.value(market).total);
    for (coin, action) in actions.iter() {
        match action {
            None | Some(Action::Hold) => plan.left.push((coin, Left::NothingToDo)),
            Some(Action::Buy(part) | Action::Sell(part)) if part.is_zero() => {
                plan.left.push((coin, Left::NothingToDo));
            }
            Some(Action::Buy(part)) => want(coin, total.part(*part), market, &mut plan),
            Some(Action::Sell(part)) => sell(coin, total.part(*part), holdings, market, &mut plan),
        }
    }
    plan
}

fn want(coin: Coin, amount: Usdc, market: &Market, plan: &mut Plan) {
    match Order::buy(coin, amount, market) {
        // Le montant que la bourse prendrait en un ordre : le cash n'est pas réservé à ce qui dépasse.
        Ok(order) => {
            let amount = order.value_at(market.quotes[coin].ask());
            plan.wants.push(Want { coin, amount, gap: amount });
        }
        Err(reason) => plan.left.push((coin, reason)),
    }
}

fn sell(coin: Coin, amount: Usdc, holdings: &Holdings, market: &Market, plan: &mut Plan) {
    let owned = holdings.positions[coin].quantity;
    if owned.is_zero() {
        return plan.left.push((coin, Left::NoPosition));
    }
    let mid = market.quotes[coin].mid();
    let part = amount.buys_at(mid).floor_to_step(market.rules[coin].step);
    let wanted = if mid * (owned - part.min(owned)) < DUST { owned } else { part };
    match Order::sell(coin, wanted, owned, market) {
        Ok(order) => plan.sales.push(order),
        Err(reason) => plan.left.push((coin, reason)),
    }
}

/// Les achats que permet le cash réellement là, une fois les ventes faites, et pourquoi les autres attendent.
pub fn purchases(
    instruction: &Instruction,
    wants: &[Want],
    cash: Usdc,
    market: &Market,
) -> (Vec<Order>, Vec<(Coin, Left)>) {
    match instruction {
        Instruction::Target(_) => purchase::nearest(wants, cash, market),
        Instruction::Actions(_) | Instruction::Raise(_) => purchase::shared(wants, cash, market),
    }
}
