//! Le plan : ce qu'il faut vendre et acheter pour suivre le leader, et pourquoi le reste attend.
//!
//! Deux fonctions pures. [`plan`] donne les ventes, les achats souhaités et la raison de chaque coin
//! laissé ; [`purchases`] partage ensuite le cash réellement disponible, une fois les ventes faites.
//! Chaque coin finit dans exactement une des listes. Une allocation s'approche au mieux
//! ([`super::approach`]) ; une action de version 1 se fait telle que dite. Aucun plafond par position :
//! le suiveur fait confiance au leader.

use rust_decimal::{Decimal, dec};

use super::approach::{self, Approach};
use super::cost;
use super::market::{Coin, Market, Pair, Pairs, PerCoin};
use super::money::{Usdc, Weight};
use super::order::{Left, Order};
use super::portfolio::Holdings;
use super::purchase;
use super::raise;
use super::signal::{Action, Instruction, Target};

pub use super::purchase::Want;

/// Ce qui resterait d'une position sous ce montant est vendu avec elle (le seuil du leader).
const DUST: Usdc = Usdc::new(dec!(2.50));

/// Le résultat de [`plan`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub sales: Vec<Order>,
    pub wants: Vec<Want>,
    pub left: Vec<(Coin, Left)>,
    /// Ce qui s'achèterait de plus, si le compte tenait tout ce que disent les livres.
    pub withheld: Usdc,
}

/// Traduit la consigne en ventes, souhaits d'achat et raisons. `threshold` est l'écart de part
/// (version 2) sous lequel un coin n'est pas touché.
pub fn plan(instruction: &Instruction, holdings: &Holdings, market: &Market, threshold: Weight) -> Plan {
    let unknown = || Plan {
        left: Coin::ALL.into_iter().map(|coin| (coin, Left::Unknown)).collect(),
        ..Plan::default()
    };
    match instruction {
        Instruction::Target(_) | Instruction::Actions(_) if holdings.value(market).is_none() => unknown(),
        Instruction::Target(target) => {
            let Approach { sales, wants, left, .. } =
                approach::approach(target, holdings, &market.pairs, threshold);
            Plan { sales, wants, left, ..Plan::default() }
        }
        Instruction::Raise(amount) => {
            let (sales, left) = raise::raise(*amount, holdings, &market.pairs);
            Plan { sales, left, ..Plan::default() }
        }
        Instruction::Actions(actions) => {
            let total = holdings.value(market).map(|value| value.total).unwrap_or_default();
            obey(actions, total, holdings, &market.pairs)
        }
    }
}

/// Chaque action est une part de `total`, ce que tout vaut.
fn obey(actions: &PerCoin<Option<Action>>, total: Usdc, holdings: &Holdings, pairs: &Pairs) -> Plan {
    let mut plan = Plan::default();
    for (coin, action) in actions.iter() {
        match action {
            None | Some(Action::Hold) => plan.left.push((coin, Left::NothingToDo)),
            Some(Action::Buy(part) | Action::Sell(part)) if part.is_zero() => {
                plan.left.push((coin, Left::NothingToDo));
            }
            Some(Action::Buy(part)) => want(coin, total.part(*part), pairs, &mut plan),
            Some(Action::Sell(part)) => sell(coin, total.part(*part), holdings, pairs, &mut plan),
        }
    }
    plan
}

impl Plan {
    /// Ce plan, où rien ne s'achète de plus que dans l'autre.
    pub fn buying_no_more_than(self, other: &Plan) -> Plan {
        let mut bounded = Plan { sales: self.sales, left: self.left, ..Plan::default() };
        for want in self.wants {
            match other.wants.iter().find(|same| same.coin == want.coin) {
                Some(same) => {
                    let amount = same.amount.min(want.amount);
                    bounded.withheld += want.amount - amount;
                    bounded.wants.push(Want { amount, ..want });
                }
                None => {
                    bounded.withheld += want.amount;
                    bounded.left.push((want.coin, other.reason(want.coin)));
                }
            }
        }
        bounded
    }

    /// Ce plan, où ne s'échange que ce que l'autre échange aussi, dans le même sens.
    pub fn agreeing_with(self, other: &Plan) -> Plan {
        let (sales, unsold): (Vec<Order>, Vec<Order>) = self
            .sales
            .into_iter()
            .partition(|sale| other.sales.iter().any(|same| same.coin() == sale.coin()));
        let (wants, unwanted): (Vec<Want>, Vec<Want>) =
            self.wants.into_iter().partition(|want| other.wants.iter().any(|same| same.coin == want.coin));
        let coins = unsold.iter().map(Order::coin).chain(unwanted.iter().map(|want| want.coin));
        let left = self.left.into_iter().chain(coins.map(|coin| (coin, other.reason(coin)))).collect();
        Plan { sales, wants, left, withheld: self.withheld }
    }

    /// Pourquoi il laisse ce coin.
    fn reason(&self, coin: Coin) -> Left {
        let reason = self.left.iter().find(|(left, _)| *left == coin);
        reason.map_or(Left::NothingToDo, |(_, reason)| reason.clone())
    }

    /// Ce qu'il vend et achète.
    pub fn coins(&self) -> Vec<Coin> {
        self.sales.iter().map(Order::coin).chain(self.wants.iter().map(|want| want.coin)).collect()
    }

    /// Vrai si quelque chose qui passe en retient une part.
    pub fn is_hindered(&self) -> bool {
        self.left.iter().any(|(_, left)| left.passes()) || !self.withheld.is_zero()
    }

    /// Ce qu'il échange en tout.
    pub fn moved(&self, pairs: &Pairs) -> Usdc {
        self.sold(pairs) + self.bought()
    }

    /// Ce qu'il vend, au milieu des carnets.
    pub fn sold(&self, pairs: &Pairs) -> Usdc {
        self.sales.iter().filter_map(|order| Some(order.value_at(pairs.mid(order.coin())?))).sum()
    }

    /// Ce qu'il achète.
    pub fn bought(&self) -> Usdc {
        self.wants.iter().map(|want| want.amount).sum()
    }

    /// Ce qu'il perdra de valeur en s'exécutant.
    pub fn cost(&self, pairs: &Pairs) -> Usdc {
        let sales = self.sales.iter().filter_map(|order| {
            let quote = pairs.get(order.coin())?.quote;
            Some(order.value_at(quote.mid()).times(Decimal::ONE - cost::returned_by_one(order.coin(), quote)))
        });
        let purchases = self.wants.iter().filter_map(|want| {
            let quote = pairs.get(want.coin)?.quote;
            Some(want.amount.times(Decimal::ONE - cost::bought_by_one(want.coin, quote)))
        });
        sales.chain(purchases).sum()
    }
}

fn want(coin: Coin, amount: Usdc, pairs: &Pairs, plan: &mut Plan) {
    let Some(Pair { quote, .. }) = pairs.get(coin) else { return plan.left.push((coin, Left::Unknown)) };
    match Order::buy(coin, amount, pairs) {
        // Le montant que la bourse prendrait en un ordre : le cash n'est pas réservé à ce qui dépasse.
        Ok(order) => {
            let amount = order.value_at(quote.ask());
            plan.wants.push(Want { coin, amount, gap: amount });
        }
        Err(reason) => plan.left.push((coin, reason)),
    }
}

fn sell(coin: Coin, amount: Usdc, holdings: &Holdings, pairs: &Pairs, plan: &mut Plan) {
    let owned = holdings.positions[coin].quantity;
    if owned.is_zero() {
        return plan.left.push((coin, Left::NoPosition));
    }
    let Some(Pair { quote, rules }) = pairs.get(coin) else { return plan.left.push((coin, Left::Unknown)) };
    let mid = quote.mid();
    let part = amount.buys_at(mid).floor_to_step(rules.step);
    let wanted = if mid * (owned - part.min(owned)) < DUST { owned } else { part };
    match Order::sell(coin, wanted, owned, pairs) {
        Ok(order) => plan.sales.push(order),
        Err(reason) => plan.left.push((coin, reason)),
    }
}

/// Ces achats, revus quand une vente n'a pas rendu ce qu'ils en attendaient : ceux, et au plus autant, qui rapprochent encore de `target` avec
/// le cash de `holdings` ; et pourquoi les autres attendent.
pub fn reviewed(
    wants: &[Want],
    target: &Target,
    holdings: &Holdings,
    pairs: &Pairs,
    threshold: Weight,
) -> (Vec<Want>, Vec<(Coin, Left)>) {
    let is_wanted = |coin: Coin| wants.iter().any(|want| want.coin == coin);
    let open = pairs.closing(|coin| !is_wanted(coin));
    let Approach { wants: again, left: reasons, drift, .. } =
        approach::approach(target, holdings, &open, threshold);
    let (mut kept, mut left) = (Vec::new(), Vec::new());
    for Want { coin, amount, .. } in wants {
        match again.iter().find(|same| same.coin == *coin) {
            Some(same) => kept.push(Want { amount: same.amount.min(*amount), ..*same }),
            None => {
                let reason = reasons.iter().find(|(same, _)| same == coin).map(|(_, reason)| reason.clone());
                // Celui-là se vendrait plutôt, ce qu'un achat manqué ne fait pas faire.
                left.push((*coin, reason.unwrap_or(Left::NoNearer { drift })));
            }
        }
    }
    (kept, left)
}

/// Les achats que permet le cash réellement là, une fois les ventes faites, et pourquoi les autres attendent.
pub fn purchases(
    instruction: &Instruction,
    wants: &[Want],
    cash: Usdc,
    pairs: &Pairs,
) -> (Vec<Order>, Vec<(Coin, Left)>) {
    match instruction {
        Instruction::Target(_) => purchase::nearest(wants, cash, pairs),
        Instruction::Actions(_) | Instruction::Raise(_) => purchase::shared(wants, cash, pairs),
    }
}
