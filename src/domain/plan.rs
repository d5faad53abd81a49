//! Le plan : ce qu'il faut vendre et acheter pour suivre le leader, et pourquoi le reste attend.
//!
//! Deux fonctions pures. [`plan`] donne les ventes, les achats souhaités et la raison de chaque coin
//! laissé ; [`purchases`] partage ensuite le cash réellement disponible, une fois les ventes faites.
//! Chaque coin finit dans exactement une des listes. Aucun plafond par position : le suiveur fait
//! confiance au leader.

use rust_decimal::{Decimal, dec};

use super::cost;
use super::market::{Coin, Market, PerCoin};
use super::money::{Usdc, Weight};
use super::order::{Left, Order};
use super::portfolio::{Holdings, Valuation};
use super::raise;
use super::signal::{Action, Instruction, Target};

/// Ce qui resterait d'une position sous ce montant est vendu avec elle (le seuil du leader).
const DUST: Usdc = Usdc::new(dec!(2.50));

/// Reprises du plan d'une allocation, coûts compris.
const REVISIONS: u32 = 2;

/// Le résultat de [`plan`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub sales: Vec<Order>,
    pub wants: Vec<Want>,
    pub left: Vec<(Coin, Left)>,
}

/// Un achat souhaité, avant partage du cash.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Want {
    pub coin: Coin,
    pub amount: Usdc,
}

/// Ce qu'il faut d'un coin.
enum Need {
    Sell { amount: Usdc, whole: bool },
    Buy(Usdc),
    Nothing(Left),
}

/// Traduit la consigne en ventes, souhaits d'achat et raisons. `threshold` est l'écart de part
/// (version 2) sous lequel un coin n'est pas touché.
///
/// Échanger coûte : une allocation se vise sur ce qui restera une fois les coûts payés. Ce reste
/// dépend du plan, et le plan de lui, de moins en moins : chaque reprise divise l'écart par plus de cent.
pub fn plan(instruction: &Instruction, holdings: &Holdings, market: &Market, threshold: Weight) -> Plan {
    if let Instruction::Raise(amount) = instruction {
        let (sales, left) = raise::raise(*amount, holdings, market);
        return Plan { sales, wants: Vec::new(), left };
    }
    let valuation = holdings.value(market);
    let mut plan = draft(instruction, holdings, &valuation, market, threshold);
    if let Instruction::Target(_) = instruction {
        for _ in 0..REVISIONS {
            let left = Valuation { total: valuation.total - plan.cost(market), ..valuation };
            plan = draft(instruction, holdings, &left, market, threshold);
        }
    }
    plan
}

fn draft(
    instruction: &Instruction,
    holdings: &Holdings,
    valuation: &Valuation,
    market: &Market,
    threshold: Weight,
) -> Plan {
    let mut plan = Plan::default();
    for coin in Coin::ALL {
        let need = match instruction {
            Instruction::Target(target) => toward(target, coin, valuation, market, threshold),
            Instruction::Actions(actions) => obey(actions, coin, valuation),
            Instruction::Raise(_) => Need::Nothing(Left::NothingToDo),
        };
        match need {
            Need::Nothing(reason) => plan.left.push((coin, reason)),
            Need::Buy(amount) => want(coin, amount, market, &mut plan),
            Need::Sell { amount, whole } => sell(coin, amount, whole, holdings, market, &mut plan),
        }
    }
    plan
}

impl Plan {
    /// Ce qu'il échange en tout.
    pub fn moved(&self, market: &Market) -> Usdc {
        let sales = self.sales.iter().map(|order| order.value_at(market.quotes[order.coin()].mid()));
        sales.chain(self.wants.iter().map(|want| want.amount)).sum()
    }

    /// Ce qu'il perdra de valeur en s'exécutant.
    pub fn cost(&self, market: &Market) -> Usdc {
        let sales = self.sales.iter().map(|order| {
            let coin = order.coin();
            let value = order.value_at(market.quotes[coin].mid());
            value.times(Decimal::ONE - cost::returned_by_one(coin, market))
        });
        let purchases = self
            .wants
            .iter()
            .map(|want| want.amount.times(Decimal::ONE - cost::bought_by_one(want.coin, market)));
        sales.chain(purchases).sum()
    }
}

fn toward(target: &Target, coin: Coin, valuation: &Valuation, market: &Market, threshold: Weight) -> Need {
    let (weight, held) = (target.weight(coin), valuation.coins[coin]);
    if weight.is_zero() && held.is_zero() {
        return Need::Nothing(Left::NothingToDo);
    }
    let delta = valuation.total.part(weight) - held;
    let drift = delta.share_of(valuation.total);
    if drift.abs() < threshold || delta.is_zero() {
        return Need::Nothing(Left::WithinThreshold { drift: drift.abs(), threshold });
    }
    let step = market.rules[coin].step;
    if delta.abs() < market.quotes[coin].mid() * step {
        return Need::Nothing(Left::WithinStep { step });
    }
    if delta.is_positive() {
        Need::Buy(delta.times(Decimal::ONE / cost::bought_by_one(coin, market)))
    } else {
        Need::Sell { amount: -delta, whole: weight.is_zero() }
    }
}

fn obey(actions: &PerCoin<Option<Action>>, coin: Coin, valuation: &Valuation) -> Need {
    match actions[coin] {
        None | Some(Action::Hold) => Need::Nothing(Left::NothingToDo),
        Some(Action::Buy(part) | Action::Sell(part)) if part.is_zero() => Need::Nothing(Left::NothingToDo),
        Some(Action::Buy(part)) => Need::Buy(valuation.total.part(part)),
        Some(Action::Sell(part)) => Need::Sell { amount: valuation.total.part(part), whole: false },
    }
}

fn want(coin: Coin, amount: Usdc, market: &Market, plan: &mut Plan) {
    match Order::buy(coin, amount, market) {
        // Le montant que la bourse prendrait en un ordre : le cash n'est pas réservé à ce qui dépasse.
        Ok(order) => plan.wants.push(Want { coin, amount: order.value_at(market.quotes[coin].ask()) }),
        Err(reason) => plan.left.push((coin, reason)),
    }
}

fn sell(coin: Coin, amount: Usdc, whole: bool, holdings: &Holdings, market: &Market, plan: &mut Plan) {
    let owned = holdings.positions[coin].quantity;
    if owned.is_zero() {
        return plan.left.push((coin, Left::NoPosition));
    }
    let mid = market.quotes[coin].mid();
    let part = amount.buys_at(mid).floor_to_step(market.rules[coin].step);
    let wanted = if whole || mid * (owned - part.min(owned)) < DUST { owned } else { part };
    match Order::sell(coin, wanted, owned, market) {
        Ok(order) => plan.sales.push(order),
        Err(reason) => plan.left.push((coin, reason)),
    }
}

/// Partage `cash` entre les achats souhaités. S'il suffit, chacun a ce qu'il voulait ; sinon chacun a
/// sa part en proportion, mais jamais moins que le minimum de la bourse tant que le cash couvre les
/// minima de tous. S'il ne les couvre pas, les plus petits souhaits attendent.
pub fn purchases(wants: &[Want], cash: Usdc, market: &Market) -> (Vec<Order>, Vec<(Coin, Left)>) {
    let mut wants: Vec<Want> = wants.to_vec();
    wants.sort_by_key(|want| (std::cmp::Reverse(want.amount), want.coin));
    let mut left = Vec::new();
    while let Some(&smallest) = wants.last() {
        let minima: Usdc = wants.iter().map(|want| Order::minimum_purchase(want.coin, market)).sum();
        if minima <= cash {
            break;
        }
        let minimum = Order::minimum_purchase(smallest.coin, market);
        left.push((smallest.coin, Left::CashShort { available: cash.max(Usdc::ZERO), minimum }));
        wants.pop();
    }
    let mut orders = Vec::new();
    for want in share(&wants, cash, market) {
        match Order::buy(want.coin, want.amount, market) {
            Ok(order) => orders.push(order),
            Err(reason) => left.push((want.coin, reason)),
        }
    }
    (orders, left)
}

/// Répartit le cash, que l'on sait couvrir tous les minima : qui aurait moins que son minimum le
/// reçoit, les autres se partagent le reste en proportion, jusqu'à ce que plus rien ne bouge.
fn share(wants: &[Want], cash: Usdc, market: &Market) -> Vec<Want> {
    let total: Usdc = wants.iter().map(|want| want.amount).sum();
    if total <= cash {
        return wants.to_vec();
    }
    let (mut shared, mut open, mut rest) = (Vec::new(), wants.to_vec(), cash);
    loop {
        let total: Usdc = open.iter().map(|want| want.amount).sum();
        let ratio = rest.share_of(total).decimal().min(Decimal::ONE);
        let portion = |want: &Want| want.amount.times(ratio).floor(2);
        let (short, fair): (Vec<Want>, Vec<Want>) =
            open.iter().partition(|want| portion(want) < Order::minimum_purchase(want.coin, market));
        if short.is_empty() {
            shared.extend(fair.iter().map(|want| Want { coin: want.coin, amount: portion(want) }));
            return shared;
        }
        for want in &short {
            let amount = Order::minimum_purchase(want.coin, market);
            rest -= amount;
            shared.push(Want { coin: want.coin, amount });
        }
        open = fair;
    }
}
