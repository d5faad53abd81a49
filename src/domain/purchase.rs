//! Le partage du cash entre des achats souhaités.
//!
//! Pour des actions, en proportion : chacune a été demandée. Pour une allocation, l'ensemble d'achats qui s'en approche le plus ; à
//! égalité, le moins d'ordres. Invariant : jamais plus que le cash, jamais moins que le minimum de la bourse.

use rust_decimal::{Decimal, dec};

use super::lot::{Purchase, Terms};
use super::market::{Coin, Pairs};
use super::money::Usdc;
use super::order::{Left, Order};

/// Deux partages plus proches que cette part du cash se valent.
const ALIKE: Decimal = dec!(0.001);

/// Un achat souhaité, avant partage du cash.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Want {
    pub coin: Coin,
    pub amount: Usdc,
    /// La valeur qui manque à ce coin pour être à sa cible ; le minimum de la bourse peut vouloir plus.
    pub gap: Usdc,
}

/// Ce qu'il faut savoir d'un achat pour lui donner sa part.
#[derive(Clone, Copy)]
pub struct Portion {
    pub wanted: Usdc,
    pub least: Usdc,
}

/// Les achats d'actions. Si le cash suffit, chacun a ce qu'il voulait ; sinon chacun a sa part en proportion, mais jamais moins
/// que le minimum de la bourse tant que le cash couvre les minima de tous. S'il ne les couvre pas, les plus petits attendent.
pub fn shared(wants: &[Want], cash: Usdc, pairs: &Pairs) -> (Vec<Order>, Vec<(Coin, Left)>) {
    let mut wants: Vec<Want> = wants.to_vec();
    wants.sort_by_key(|want| (std::cmp::Reverse(want.amount), want.coin));
    let least = |want: &Want| pairs.get(want.coin).map(Order::minimum_purchase).unwrap_or_default();
    let mut left = Vec::new();
    while let Some(smallest) = wants.last().copied() {
        if wants.iter().map(least).sum::<Usdc>() <= cash {
            break;
        }
        left.push((smallest.coin, short(&smallest, cash, pairs)));
        wants.pop();
    }
    let portions: Vec<Portion> =
        wants.iter().map(|want| Portion { wanted: want.amount, least: least(want) }).collect();
    let shares = share(&portions, cash);
    let mut orders = Vec::new();
    for (want, amount) in wants.iter().zip(shares) {
        match Order::buy(want.coin, amount, pairs) {
            Ok(order) => orders.push(order),
            Err(reason) => left.push((want.coin, reason)),
        }
    }
    (orders, left)
}

/// Les achats qui approchent le plus d'une allocation avec ce cash.
pub fn nearest(wants: &[Want], cash: Usdc, pairs: &Pairs) -> (Vec<Order>, Vec<(Coin, Left)>) {
    let mut left = Vec::new();
    let mut open: Vec<(Want, Terms)> = Vec::new();
    for want in wants {
        match Terms::of(want.coin, pairs) {
            Ok(terms) => open.push((*want, terms)),
            Err(reason) => left.push((want.coin, reason)),
        }
    }
    let mut tries: Vec<(u32, Vec<Usdc>, Usdc)> = Vec::new();
    for set in 0u32..1 << open.len() {
        let chosen: Vec<&(Want, Terms)> = members(&open, set).collect();
        let wanted: Vec<(Usdc, &Terms)> = chosen.iter().map(|(want, terms)| (want.amount, terms)).collect();
        for bought in allotments(&wanted, cash) {
            // Ce que le minimum fait acheter au-delà de la cible n'en rapproche pas.
            let nearer = chosen.iter().zip(&bought).map(|((want, _), bought)| bought.worth.min(want.gap));
            tries.push((set, bought.iter().map(|purchase| purchase.amount).collect(), nearer.sum()));
        }
    }
    let most = tries.iter().map(|(_, _, gain)| *gain).max().unwrap_or_default();
    let alike = tries.iter().filter(|(_, _, gain)| *gain + cash.times(ALIKE) >= most);
    let best = alike.min_by_key(|(set, _, gain)| (set.count_ones(), std::cmp::Reverse(*gain)));
    let Some((set, amounts, _)) = best else { return (Vec::new(), left) };
    let mut orders = Vec::new();
    for ((want, _), amount) in members(&open, *set).zip(amounts) {
        match Order::buy(want.coin, *amount, pairs) {
            Ok(order) => orders.push(order),
            Err(reason) => left.push((want.coin, reason)),
        }
    }
    let spent: Usdc = amounts.iter().copied().sum();
    let waiting = members(&open, !set).map(|(want, _)| (want.coin, short(want, cash - spent, pairs)));
    left.extend(waiting);
    (orders, left)
}

fn short(want: &Want, cash: Usdc, pairs: &Pairs) -> Left {
    let minimum = pairs.get(want.coin).map(Order::minimum_purchase).unwrap_or_default();
    Left::CashShort { available: cash.max(Usdc::ZERO), minimum }
}

fn members<T>(all: &[T], set: u32) -> impl Iterator<Item = &T> {
    all.iter().enumerate().filter(move |(rank, _)| set & (1 << rank) != 0).map(|(_, one)| one)
}

/// Ce que chacun achète de ce cash, au pas : ce qu'il voulait s'il suffit, sinon sa part, ou tout, des plus grands pas aux plus
/// petits ; ce que les pas des uns ne prennent pas va aux autres. Rien si leurs minima n'y tiennent pas.
pub fn allotments(wants: &[(Usdc, &Terms)], cash: Usdc) -> Vec<Vec<Purchase>> {
    let whole: Vec<Purchase> = wants.iter().map(|(amount, terms)| terms.amount(*amount)).collect();
    if spent(&whole) <= cash {
        return vec![whole];
    }
    let portions: Vec<Portion> =
        wants.iter().map(|(wanted, terms)| Portion { wanted: *wanted, least: terms.least }).collect();
    if portions.iter().map(|portion| portion.least).sum::<Usdc>() > cash {
        return Vec::new();
    }
    let by_share = share(&portions, cash);
    let least = portions.iter().map(|portion| portion.least).collect();
    [by_share, least].map(|amounts: Vec<Usdc>| filled(wants, &amounts, cash)).to_vec()
}

fn spent(purchases: &[Purchase]) -> Usdc {
    purchases.iter().map(|purchase| purchase.amount).sum()
}

/// Ces montants, ramenés au pas, et le reste du cash donné à qui en voulait plus, du plus grand pas au plus petit.
fn filled(wants: &[(Usdc, &Terms)], amounts: &[Usdc], cash: Usdc) -> Vec<Purchase> {
    let mut bought: Vec<Purchase> =
        wants.iter().zip(amounts).map(|((_, terms), amount)| terms.trimmed(*amount)).collect();
    let mut by_notch: Vec<usize> = (0..wants.len()).collect();
    by_notch.sort_by_key(|&rank| std::cmp::Reverse(wants[rank].1.notch()));
    for rank in by_notch {
        let (wanted, terms) = wants[rank];
        let free = (cash - spent(&bought) + bought[rank].amount).floor(2);
        let more = terms.trimmed(free.min(wanted));
        if more.worth > bought[rank].worth && more.amount <= free {
            bought[rank] = more;
        }
    }
    bought
}

/// Répartit un cash que l'on sait couvrir tous les minima : qui aurait moins que son minimum le reçoit, les autres se partagent le
/// reste en proportion, jusqu'à ce que plus rien ne bouge.
fn share(portions: &[Portion], cash: Usdc) -> Vec<Usdc> {
    let total: Usdc = portions.iter().map(|portion| portion.wanted).sum();
    let mut shares: Vec<Usdc> = portions.iter().map(|portion| portion.wanted).collect();
    if total <= cash {
        return shares;
    }
    let (mut open, mut rest): (Vec<usize>, Usdc) = ((0..portions.len()).collect(), cash);
    loop {
        let total: Usdc = open.iter().map(|&rank| portions[rank].wanted).sum();
        let ratio = rest.share_of(total).decimal().min(Decimal::ONE);
        for &rank in &open {
            shares[rank] = portions[rank].wanted.times(ratio).floor(2);
        }
        let (short, fair): (Vec<usize>, Vec<usize>) =
            open.iter().partition(|&&rank| shares[rank] < portions[rank].least);
        if short.is_empty() {
            return shares;
        }
        for rank in short {
            shares[rank] = portions[rank].least;
            rest -= shares[rank];
        }
        open = fair;
    }
}
