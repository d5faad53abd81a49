//! La meilleure approche d'une allocation : de tous les ensembles de coins à vendre et à acheter que permettent les pas, les minima,
//! les plafonds et les pauses, celui dont la répartition, coûts payés, s'écarte le moins de la cible.
//!
//! Avec cinq coins, tous les ensembles s'essaient. Deux plans dont l'écart diffère de moins d'un dixième du seuil se valent : on
//! prend alors celui qui laisse les coins au plus près (le cash n'est que ce qui reste), puis celui qui a le moins d'ordres. Un
//! coin plus près de sa cible que le seuil n'est pas touché, et rien ne l'est pour s'en approcher de moins d'un dixième de ce qui
//! bougerait : des coins que leurs minima opposent se vendraient l'un pour l'autre sans fin. Invariant : chaque coin est vendu, acheté, ou laissé avec sa raison.

use rust_decimal::{Decimal, dec};

use super::lot::{Ideal, Lot, Move, Purchase, Trade};
use super::market::{Coin, Pairs, PerCoin};
use super::money::{Usdc, Weight};
use super::order::{Left, Order, Side};
use super::portfolio::Holdings;
use super::purchase::{self, Want};
use super::signal::Target;

/// De quelle part du seuil deux plans peuvent différer et se valoir.
const ALIKE: Decimal = dec!(0.1);

/// Ce dont un plan doit approcher de la cible, en part de ce qu'il déplace, pour qu'il ne vaille pas mieux ne rien faire.
const WORTH: Decimal = dec!(0.1);

/// La part du tout sous laquelle un pas ne se voit pas : le précédent et le suivant se valent.
const INVISIBLE: Decimal = dec!(0.0001);

/// L'approche choisie.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Approach {
    pub sales: Vec<Order>,
    pub wants: Vec<Want>,
    pub left: Vec<(Coin, Left)>,
    /// L'écart qui restera, une fois tout fait.
    pub drift: Weight,
}

/// Un plan essayé.
struct Trial {
    /// Un mouvement par coin échangé, comme souhaité : le cash n'en permet peut-être qu'une part.
    moves: PerCoin<Option<Move>>,
    orders: usize,
    /// L'écart de toute la répartition, et celui des coins seuls.
    drift: Weight,
    apart: Weight,
    /// Ce qui bouge, en part du tout.
    moved: Weight,
    /// Ce qui vaudra tout, et le cash qui restera.
    total: Usdc,
    cash: Usdc,
}

/// Un ensemble de coins à vendre et à acheter, et le moins d'écart qu'il peut laisser.
#[derive(Clone, Copy, Default)]
struct Hope {
    sides: PerCoin<Option<Side>>,
    orders: usize,
    drift: Weight,
}

impl Hope {
    fn with(mut self, coin: Coin, side: Side) -> Hope {
        self.sides[coin] = Some(side);
        self.orders += 1;
        self
    }
}

struct Search<'a> {
    target: &'a Target,
    lots: PerCoin<Lot>,
    cash: Usdc,
    total: Usdc,
    threshold: Weight,
    trials: Vec<Trial>,
}

/// Cherche la meilleure approche de `target`. `threshold` est l'écart de part sous lequel un coin n'est pas touché.
pub fn approach(target: &Target, holdings: &Holdings, pairs: &Pairs, threshold: Weight) -> Approach {
    let lots = PerCoin::from_fn(|coin| Lot::of(coin, holdings.positions[coin].quantity, pairs));
    let total = holdings.cash + lots.iter().map(|(_, lot)| lot.held).sum();
    let mut search = Search { target, lots, cash: holdings.cash, total, threshold, trials: Vec::new() };
    search.trials.push(search.weighed(PerCoin::default(), PerCoin::default()));
    search.explore();
    let Some(best) = search.best() else { return Approach::default() };
    search.told(best, pairs)
}

/// Le cash que rendent les ventes.
fn returned(moves: &PerCoin<Option<Move>>) -> Usdc {
    let returned = moves.iter().filter_map(|(_, made)| match made.as_ref()?.trade {
        Trade::Sell { returned, .. } => Some(returned),
        Trade::Buy(_) => None,
    });
    returned.sum()
}

impl Search<'_> {
    /// Essaie les ensembles, du plus prometteur au moins, tant que l'un peut encore valoir le meilleur.
    fn explore(&mut self) {
        let mut hopes: Vec<Hope> = self.hopes();
        hopes.sort_by_key(|hope| (hope.drift, hope.orders));
        let mut least: Option<Weight> = None;
        for hope in hopes {
            if least.is_some_and(|least| hope.drift > least + self.threshold.times(ALIKE)) {
                return;
            }
            let found = self.tried_set(&hope.sides);
            least = found.iter().map(|trial| trial.drift).chain(least).min();
            self.trials.extend(found);
        }
    }

    /// Chaque ensemble permis de ventes et d'achats, et le moins d'écart qu'il peut laisser.
    fn hopes(&self) -> Vec<Hope> {
        let mut hopes = vec![Hope::default()];
        let mut options = PerCoin::from_fn(|_| Vec::new());
        let mut costs = Usdc::ZERO;
        for coin in Coin::ALL {
            let (lot, aim) = (&self.lots[coin], self.aim(coin, self.total));
            if !self.is_worth(coin, aim, self.total) {
                continue;
            }
            // Acheter au-delà de la cible n'approche de rien ; vendre en deçà peut payer mieux.
            let sides = if lot.held > aim { &[Side::Sell][..] } else { &[Side::Sell, Side::Buy] };
            let ideals = sides.iter().map(|&side| lot.ideal(side, aim).map(|ideal| (side, ideal)));
            options[coin] = ideals.flatten().collect();
            costs += options[coin].iter().map(|(_, ideal)| ideal.cost).max().unwrap_or_default();
            let before = hopes.clone();
            hopes.extend(before.into_iter().flat_map(|hope| {
                options[coin].iter().map(move |(side, _)| hope.with(coin, *side)).collect::<Vec<Hope>>()
            }));
        }
        // Les coûts déplacent les cibles d'autant : ce que l'un d'eux cacherait ne décide pas.
        let spare = costs.share_of(self.scale(self.total));
        for hope in &mut hopes {
            hope.drift = match self.least_apart(hope, &options) {
                Some(apart) => apart.share_of(self.scale(self.total)) - spare,
                None => Weight::new(Decimal::MAX),
            };
        }
        hopes.retain(|hope| hope.drift < Weight::new(Decimal::MAX));
        hopes
    }

    /// Le moins d'écart que cet ensemble peut laisser, en USDC ; `None` si le cash n'y suffit pas.
    fn least_apart(&self, hope: &Hope, options: &PerCoin<Vec<(Side, Ideal)>>) -> Option<Usdc> {
        let (mut cash, mut apart, mut slack, mut buys) = (self.cash, Usdc::ZERO, Usdc::ZERO, false);
        let mut aimed = Usdc::ZERO;
        for (coin, lot) in self.lots.iter() {
            let aim = self.aim(coin, self.total);
            aimed += aim;
            let chosen = hope.sides[coin].and_then(|side| options[coin].iter().find(|(s, _)| *s == side));
            let after = match chosen {
                Some((side, ideal)) => {
                    (cash, slack, buys) =
                        (cash + ideal.cash, slack + ideal.slack, buys || *side == Side::Buy);
                    ideal.after
                }
                None => lot.held,
            };
            apart += (after - aim).abs();
        }
        let missing = if buys { (-cash).max(Usdc::ZERO) } else { Usdc::ZERO };
        let aside = (self.total.max(Usdc::ZERO) - aimed).max(Usdc::ZERO);
        let apart = (apart + missing + (cash + missing - aside).abs()).times(dec!(0.5));
        // Un coût de moins, et ce qui manque d'un rien suffit.
        (missing <= slack.times(dec!(1.1))).then_some(apart)
    }

    /// Ce à quoi se mesure un écart. D'un tout qui ne vaut rien, chaque USDC compte autant.
    fn scale(&self, total: Usdc) -> Usdc {
        if total.is_positive() { total } else { Usdc::new(Decimal::ONE) }
    }

    /// La valeur visée d'un coin quand tout vaut `total` ; rien, s'il ne vaut rien (une personne en reprend plus).
    fn aim(&self, coin: Coin, total: Usdc) -> Usdc {
        total.max(Usdc::ZERO).part(self.target.weight(coin))
    }

    /// Vrai si ce coin est assez loin de sa cible pour être touché.
    fn is_worth(&self, coin: Coin, aim: Usdc, total: Usdc) -> bool {
        let gap = (aim - self.lots[coin].held).abs();
        gap.is_positive() && gap >= total.max(Usdc::ZERO).part(self.threshold)
    }

    /// Les plans qui échangent ces coins et eux seuls, chacun aux pas qui entourent sa cible.
    fn tried_set(&self, sides: &PerCoin<Option<Side>>) -> Vec<Trial> {
        // Échanger coûte : la cible se vise sur ce qui restera.
        let members = || sides.iter().filter_map(|(coin, side)| Some((coin, (*side)?)));
        let ideal = |(coin, side): (Coin, Side)| self.lots[coin].ideal(side, self.aim(coin, self.total));
        let left = self.total - members().filter_map(ideal).map(|ideal| ideal.cost).sum();
        let visible = self.total.max(Usdc::ZERO).times(INVISIBLE);
        let mut ways = Vec::new();
        for (coin, side) in members() {
            let aim = self.aim(coin, left);
            if !self.is_worth(coin, aim, left) {
                return Vec::new();
            }
            ways.push((coin, self.lots[coin].toward(side, aim, visible)));
        }
        let count: usize = ways.iter().map(|(_, ways)| ways.len()).product();
        let mut trials = Vec::new();
        for mut rank in 0..count {
            let mut moves = PerCoin::default();
            for (coin, ways) in &ways {
                moves[*coin] = Some(ways[rank % ways.len()]);
                rank /= ways.len();
            }
            trials.extend(self.tried(moves));
        }
        trials
    }

    /// Ce que ces mouvements laissent, de chaque façon dont le cash y suffit, partagé s'il le faut.
    fn tried(&self, mut moves: PerCoin<Option<Move>>) -> Vec<Trial> {
        let wanted = moves.iter().filter_map(|(_, made)| made.as_ref()?.purchase());
        let wanted: Usdc = wanted.map(|purchase| purchase.amount).sum();
        if wanted.is_zero() || wanted <= self.cash + returned(&moves) {
            return vec![self.weighed(moves, moves)];
        }
        let bought = self.afford(&mut moves);
        bought.into_iter().map(|made| self.weighed(moves, made)).collect()
    }

    /// Le plan `wanted`, et ce qu'il laisse quand c'est `made` qui se fait.
    fn weighed(&self, wanted: PerCoin<Option<Move>>, made: PerCoin<Option<Move>>) -> Trial {
        let (mut cash, mut orders, mut moved) = (self.cash + returned(&made), 0, returned(&made));
        let mut after = PerCoin::from_fn(|coin| self.lots[coin].held);
        for (coin, made) in made.iter().filter_map(|(coin, made)| Some((coin, made.as_ref()?))) {
            orders += 1;
            after[coin] = made.after;
            let spent = made.purchase().map(|purchase| purchase.spent).unwrap_or_default();
            (cash, moved) = (cash - spent, moved + spent);
        }
        let total = cash + after.iter().map(|(_, &value)| value).sum();
        let (mut aimed, mut apart) = (Usdc::ZERO, Usdc::ZERO);
        for (coin, &value) in after.iter() {
            let aim = self.aim(coin, total);
            aimed += aim;
            apart += (value - aim).abs();
        }
        let cash_apart = (cash - (total.max(Usdc::ZERO) - aimed).max(Usdc::ZERO)).abs();
        let scale = self.scale(total);
        let drift = (apart + cash_apart).share_of(scale).times(dec!(0.5));
        let (apart, moved) = (apart.share_of(scale), moved.share_of(scale));
        Trial { moves: wanted, orders, drift, apart, moved, total, cash }
    }

    /// Ce que le cash permet de ces achats, de chaque façon ; s'il n'en couvre pas les minima, les ventes grandissent pour eux.
    fn afford(&self, moves: &mut PerCoin<Option<Move>>) -> Vec<PerCoin<Option<Move>>> {
        let (mut coins, mut wanted, mut least) = (Vec::new(), Vec::new(), Usdc::ZERO);
        for (coin, made) in moves.iter() {
            if let (Some(purchase), Some(terms)) =
                (made.as_ref().and_then(Move::purchase), self.lots[coin].terms())
            {
                coins.push(coin);
                least += terms.least;
                wanted.push((purchase.amount, terms));
            }
        }
        let mut finest = Coin::ALL;
        finest.sort_by_key(|&coin| self.lots[coin].notch);
        for coin in finest {
            let missing = least - self.cash - returned(moves);
            if let Some(Move { trade: Trade::Sell { quantity, .. }, .. }) = moves[coin]
                && missing.is_positive()
            {
                moves[coin] = self.lots[coin].sell_more(quantity, missing);
            }
        }
        let made = |bought: Vec<Purchase>| {
            let mut made = *moves;
            for (&coin, purchase) in coins.iter().zip(bought) {
                made[coin] = Some(self.lots[coin].buy(purchase));
            }
            made
        };
        purchase::allotments(&wanted, self.cash + returned(moves)).into_iter().map(made).collect()
    }

    /// Le meilleur des plans essayés.
    fn best(&self) -> Option<&Trial> {
        let alike = self.threshold.times(ALIKE);
        let least = self.trials.iter().map(|trial| trial.drift).min()?;
        let near = || self.trials.iter().filter(|trial| trial.drift <= least + alike);
        let apart = near().map(|trial| trial.apart).min()?;
        let nearest = near().filter(|trial| trial.apart <= apart + alike);
        let best = nearest.min_by_key(|trial| (trial.orders, trial.drift))?;
        let wanted = best.moved.times(WORTH);
        let is_as_good = |idle: &&Trial| idle.drift - best.drift < wanted && idle.apart - best.apart < wanted;
        Some(self.trials.iter().find(|trial| trial.orders == 0).filter(is_as_good).unwrap_or(best))
    }

    fn told(&self, best: &Trial, pairs: &Pairs) -> Approach {
        let mut approach = Approach { drift: best.drift, ..Approach::default() };
        for (coin, made) in best.moves.iter() {
            match made.map(|made| made.trade) {
                None => approach.left.push((coin, self.reason(coin, best, pairs))),
                Some(Trade::Buy(purchase)) => {
                    let gap = self.aim(coin, best.total) - self.lots[coin].held;
                    approach.wants.push(Want { coin, amount: purchase.amount, gap });
                }
                Some(Trade::Sell { quantity, .. }) => match self.lots[coin].sale_of(quantity, pairs) {
                    Ok(order) => approach.sales.push(order),
                    Err(reason) => approach.left.push((coin, reason)),
                },
            }
        }
        approach
    }

    /// Pourquoi ce coin n'est pas touché.
    fn reason(&self, coin: Coin, best: &Trial, pairs: &Pairs) -> Left {
        let (lot, aim) = (&self.lots[coin], self.aim(coin, best.total));
        let gap = aim - lot.held;
        if self.target.weight(coin).is_zero() && lot.held.is_zero() {
            return Left::NothingToDo;
        }
        let (drift, threshold) = (gap.share_of(best.total).abs(), self.threshold);
        if drift < threshold || gap.is_zero() {
            return Left::WithinThreshold { drift, threshold };
        }
        if gap.abs() < lot.notch {
            if aim.is_zero() {
                return Left::Dust;
            }
            return Left::WithinStep { step: lot.step };
        }
        if let Some(reason) = lot.refused(aim, pairs) {
            return reason;
        }
        let minimum = pairs.get(coin).map(Order::minimum_purchase).unwrap_or_default();
        if gap.is_positive() && best.cash < minimum {
            return Left::CashShort { available: best.cash.max(Usdc::ZERO), minimum };
        }
        Left::NoNearer { drift }
    }
}
