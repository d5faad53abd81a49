//! Le plan : ce qu'il faut vendre et acheter pour suivre le leader, et pourquoi le reste attend.
//!
//! Deux fonctions pures. [`plan`] donne les ventes, les achats souhaités et la raison de chaque coin
//! laissé ; [`purchases`] partage ensuite le cash réellement disponible, une fois les ventes faites.
//! Chaque coin finit dans exactement une des listes. Aucun plafond par position : le suiveur fait
//! confiance au leader.

use rust_decimal::{Decimal, dec};

use super::cost;
use super::market::{Coin, Market, Pair, Pairs, PerCoin};
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
        let (sales, left) = raise::raise(*amount, holdings, &market.pairs);
        return Plan { sales, wants: Vec::new(), left };
    }
    let Some(valuation) = holdings.value(market) else {
        let left = Coin::ALL.into_iter().map(|coin| (coin, Left::Unknown)).collect();
        return Plan { left, ..Plan::default() };
    };
    let pairs = &market.pairs;
    let mut plan = draft(instruction, holdings, &valuation, pairs, threshold);
    if let Instruction::Target(_) = instruction {
        for _ in 0..REVISIONS {
            let left = Valuation { total: valuation.total - plan.cost(pairs), ..valuation };
            plan = draft(instruction, holdings, &left, pairs, threshold);
        }
    }
    plan
}

fn draft(
    instruction: &Instruction,
    holdings: &Holdings,
    valuation: &Valuation,
    pairs: &Pairs,
    threshold: Weight,
) -> Plan {
    let mut plan = Plan::default();
    for coin in Coin::ALL {
        let need = match instruction {
            Instruction::Target(target) => toward(target, coin, valuation, pairs, threshold),
            Instruction::Actions(actions) => obey(actions, coin, valuation),
            Instruction::Raise(_) => Need::Nothing(Left::NothingToDo),
        };
        match need {
            Need::Nothing(reason) => plan.left.push((coin, reason)),
            Need::Buy(amount) => want(coin, amount, pairs, &mut plan),
            Need::Sell { amount, whole } => sell(coin, amount, whole, holdings, pairs, &mut plan),
        }
    }
    plan
}

impl Plan {
    /// Ce plan, où rien ne s'achète de plus que dans l'autre.
    pub fn buying_no_more_than(self, other: &Plan) -> Plan {
        let mut bounded = Plan { sales: self.sales, left: self.left, wants: Vec::new() };
        for want in self.wants {
            match other.wants.iter().find(|same| same.coin == want.coin) {
                Some(same) => bounded.wants.push(Want { amount: same.amount.min(want.amount), ..want }),
                None => {
                    let reason = other.left.iter().find(|(coin, _)| *coin == want.coin);
                    let reason = reason.map_or(Left::NothingToDo, |(_, reason)| reason.clone());
                    bounded.left.push((want.coin, reason));
                }
            }
        }
        bounded
    }

    /// Ce qu'il échange en tout.
    pub fn moved(&self, pairs: &Pairs) -> Usdc {
        let sales = self.sales.iter().filter_map(|order| Some(order.value_at(pairs.mid(order.coin())?)));
        sales.chain(self.wants.iter().map(|want| want.amount)).sum()
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

fn toward(target: &Target, coin: Coin, valuation: &Valuation, pairs: &Pairs, threshold: Weight) -> Need {
    let (weight, held) = (target.weight(coin), valuation.coins[coin]);
    if weight.is_zero() && held.is_zero() {
        return Need::Nothing(Left::NothingToDo);
    }
    let delta = valuation.total.part(weight) - held;
    let drift = delta.share_of(valuation.total);
    if drift.abs() < threshold || delta.is_zero() {
        return Need::Nothing(Left::WithinThreshold { drift: drift.abs(), threshold });
    }
    let Some(Pair { quote, rules }) = pairs.get(coin) else { return Need::Nothing(Left::Unknown) };
    let step = rules.step;
    if delta.abs() < quote.mid() * step {
        return Need::Nothing(Left::WithinStep { step });
    }
    if delta.is_positive() {
        Need::Buy(delta.times(Decimal::ONE / cost::bought_by_one(coin, *quote)))
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

fn want(coin: Coin, amount: Usdc, pairs: &Pairs, plan: &mut Plan) {
    let Some(Pair { quote, .. }) = pairs.get(coin) else { return plan.left.push((coin, Left::Unknown)) };
    match Order::buy(coin, amount, pairs) {
        // Le montant que la bourse prendrait en un ordre : le cash n'est pas réservé à ce qui dépasse.
        Ok(order) => plan.wants.push(Want { coin, amount: order.value_at(quote.ask()) }),
        Err(reason) => plan.left.push((coin, reason)),
    }
}

fn sell(coin: Coin, amount: Usdc, whole: bool, holdings: &Holdings, pairs: &Pairs, plan: &mut Plan) {
    let owned = holdings.positions[coin].quantity;
    if owned.is_zero() {
        return plan.left.push((coin, Left::NoPosition));
    }
    let Some(Pair { quote, rules }) = pairs.get(coin) else { return plan.left.push((coin, Left::Unknown)) };
    let mid = quote.mid();
    let part = amount.buys_at(mid).floor_to_step(rules.step);
    let wanted = if whole || mid * (owned - part.min(owned)) < DUST { owned } else { part };
    match Order::sell(coin, wanted, owned, pairs) {
        Ok(order) => plan.sales.push(order),
        Err(reason) => plan.left.push((coin, reason)),
    }
}

/// Partage `cash` entre les achats souhaités. S'il suffit, chacun a ce qu'il voulait ; sinon chacun a
/// sa part en proportion, mais jamais moins que le minimum de la bourse tant que le cash couvre les
/// minima de tous. S'il ne les couvre pas, les plus petits souhaits attendent.
pub fn purchases(wants: &[Want], cash: Usdc, pairs: &Pairs) -> (Vec<Order>, Vec<(Coin, Left)>) {
    let least = |want: &Want| pairs.get(want.coin).map(Order::minimum_purchase);
    let (known, unknown): (Vec<Want>, Vec<Want>) = wants.iter().partition(|want| least(want).is_some());
    let least = |want: &Want| least(want).unwrap_or_default();
    let mut left: Vec<(Coin, Left)> = unknown.into_iter().map(|want| (want.coin, Left::Unknown)).collect();
    let mut wants = known;
    wants.sort_by_key(|want| (std::cmp::Reverse(want.amount), want.coin));
    while let Some(&smallest) = wants.last() {
        let minima: Usdc = wants.iter().map(least).sum();
        if minima <= cash {
            break;
        }
        let minimum = least(&smallest);
        left.push((smallest.coin, Left::CashShort { available: cash.max(Usdc::ZERO), minimum }));
        wants.pop();
    }
    let mut orders = Vec::new();
    for want in share(&wants, cash, least) {
        match Order::buy(want.coin, want.amount, pairs) {
            Ok(order) => orders.push(order),
            Err(reason) => left.push((want.coin, reason)),
        }
    }
    (orders, left)
}

/// Répartit le cash, que l'on sait couvrir tous les minima : qui aurait moins que son minimum le
/// reçoit, les autres se partagent le reste en proportion, jusqu'à ce que plus rien ne bouge.
fn share(wants: &[Want], cash: Usdc, least: impl Fn(&Want) -> Usdc) -> Vec<Want> {
    let total: Usdc = wants.iter().map(|want| want.amount).sum();
    if total <= cash {
        return wants.to_vec();
    }
    let (mut shared, mut open, mut rest) = (Vec::new(), wants.to_vec(), cash);
    loop {
        let total: Usdc = open.iter().map(|want| want.amount).sum();
        let ratio = rest.share_of(total).decimal().min(Decimal::ONE);
        let portion = |want: &Want| want.amount.times(ratio).floor(2);
        let (short, fair): (Vec<Want>, Vec<Want>) = open.iter().partition(|want| portion(want) < least(want));
        if short.is_empty() {
            shared.extend(fair.iter().map(|want| Want { coin: want.coin, amount: portion(want) }));
            return shared;
        }
        for want in &short {
            let amount = least(want);
            rest -= amount;
            shared.push(Want { coin: want.coin, amount });
        }
        open = fair;
    }
}
