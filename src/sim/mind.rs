//! L'avis du leader scripté : une allocation, et la façon dont il en change.
//!
//! Tiré de la graine seule. Les poids sont des millièmes dont la somme ne dépasse jamais 950 : il reste toujours
//! du cash. Chaque changement dit en anglais ce qu'il fait, et ne dit que cela.

use rust_decimal::Decimal;

const COINS: [&str; 5] = ["BTCUSDC", "ETHUSDC", "BNBUSDC", "SOLUSDC", "XRPUSDC"];
const CEILING: i64 = 950;

pub(super) struct Mind {
    /// Millièmes du capital, dans l'ordre de `COINS`.
    weights: [i64; COINS.len()],
    dice: fastrand::Rng,
}

/// Ce que le leader publie quand il change d'avis.
pub(super) struct Opinion {
    pub(super) targets: Vec<(String, Decimal)>,
    /// `BUY` ou `SELL`, et la part du capital déplacée.
    pub(super) moves: Vec<(String, &'static str, Decimal)>,
    pub(super) confidence: Decimal,
    pub(super) reasoning: String,
}

impl Mind {
    pub(super) fn new(seed: u64) -> Mind {
        // Une autre suite que celle des prix, pour la même graine.
        Mind { weights: [0; COINS.len()], dice: fastrand::Rng::with_seed(seed ^ 0x6c65_6164_6572) }
    }

    pub(super) fn first(&mut self) -> Opinion {
        let cut = |dice: &mut fastrand::Rng, low: i64, high: i64| dice.i64(low..=high) * 5;
        let btc = cut(&mut self.dice, 60, 80);
        let eth = cut(&mut self.dice, 30, 44);
        let third = self.dice.usize(2..COINS.len());
        let mut next = [btc, eth, 0, 0, 0];
        next[third] = cut(&mut self.dice, 16, 28);
        self.adopt(next, "Opening allocation: a core in BTC and ETH, some cash kept aside.")
    }

    pub(super) fn change(&mut self) -> Opinion {
        loop {
            let (next, why) = self.draw();
            if next != self.weights {
                return self.adopt(next, &why);
            }
        }
    }

    /// Un avis possible ; parfois le même que celui d'avant.
    fn draw(&mut self) -> ([i64; COINS.len()], String) {
        let held: Vec<usize> = (0..COINS.len()).filter(|&coin| self.weights[coin] > 0).collect();
        let absent: Vec<usize> = (0..COINS.len()).filter(|&coin| self.weights[coin] == 0).collect();
        let mut next = self.weights;
        let choice = self.dice.u32(0..100);
        let why = match (choice, held.as_slice(), absent.as_slice()) {
            (0..25, [_, _, ..], _) => {
                let out = held[self.dice.usize(0..held.len())];
                next[out] = 0;
                format!("{} lost its trend, closing the position.", name(out))
            }
            (25..55, _, [_, ..]) => {
                let entering = absent[self.dice.usize(0..absent.len())];
                next[entering] = self.dice.i64(16..=50) * 5;
                format!("{} breaks out on volume, opening a position.", name(entering))
            }
            (55..75, [_, _, ..], _) => {
                let from = held[self.dice.usize(0..held.len())];
                let to = (from + self.dice.usize(1..COINS.len())) % COINS.len();
                let moved = (next[from] / 2 / 5 * 5).max(5);
                next[from] -= moved;
                next[to] += moved;
                format!("Rotating from {} into {} on relative strength.", name(from), name(to))
            }
            (75..85, [_, ..], _) => {
                let coin = held[self.dice.usize(0..held.len())];
                next[coin] = (next[coin] - self.dice.i64(2..=4)).max(1);
                format!("Small trim of {} after the move.", name(coin))
            }
            (85..92, [_, _, ..], _) => {
                next = next.map(|weight| weight / 2 / 5 * 5);
                "Volatility is rising, halving every position.".to_owned()
            }
            _ => {
                next = [350, 200, 80, 100, 70];
                if self.weights.iter().sum::<i64>() < 500 {
                    "Broad recovery, back to a diversified allocation.".to_owned()
                } else {
                    "Rebalancing to the usual diversified allocation.".to_owned()
                }
            }
        };
        (next, why)
    }

    /// Prend ces poids, ramenés sous le plafond, et en tire ce qu'il faut publier.
    fn adopt(&mut self, mut next: [i64; COINS.len()], why: &str) -> Opinion {
        let total: i64 = next.iter().sum();
        if total > CEILING {
            next = next.map(|weight| weight * CEILING / total);
        }
        let mut moves = Vec::new();
        for (coin, pair) in COINS.iter().enumerate() {
            let shift = next[coin] - self.weights[coin];
            if shift != 0 {
                let action = if shift > 0 { "BUY" } else { "SELL" };
                moves.push((pair.to_string(), action, Decimal::new(shift.abs(), 3)));
            }
        }
        self.weights = next;
        let held = COINS.iter().zip(next).filter(|(_, weight)| *weight > 0);
        Opinion {
            targets: held.map(|(pair, weight)| (pair.to_string(), Decimal::new(weight, 3))).collect(),
            reasoning: describe(why, &moves),
            moves,
            confidence: Decimal::new(self.dice.i64(55..=92), 2),
        }
    }
}

fn name(coin: usize) -> &'static str {
    COINS[coin].trim_end_matches("USDC")
}

fn describe(why: &str, moves: &[(String, &str, Decimal)]) -> String {
    let percent = |share: &Decimal| (share * Decimal::ONE_HUNDRED).normalize();
    let line = |(pair, action, share): &(String, &str, Decimal)| {
        let verb = if *action == "BUY" { "buy" } else { "sell" };
        format!("{verb} {} ({} %)", pair.trim_end_matches("USDC"), percent(share))
    };
    let list: Vec<String> = moves.iter().map(line).collect();
    if list.is_empty() { why.to_owned() } else { format!("{why} Now: {}.", list.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_stay_below_the_capital_and_follow_the_moves() {
        let mut mind = Mind::new(5);
        let mut opinion = mind.first();
        let (mut exits, mut entries, mut small) = (0, 0, 0);
        for _ in 0..500 {
            let before = opinion.targets;
            opinion = mind.change();
            assert!(!opinion.moves.is_empty(), "{}", opinion.reasoning);
            let total: Decimal = opinion.targets.iter().map(|(_, weight)| weight).sum();
            assert!(total <= Decimal::new(CEILING, 3), "{total}");
            assert!(opinion.targets.iter().all(|(_, weight)| weight.scale() <= 3 && *weight > Decimal::ZERO));
            let holds =
                |targets: &[(String, Decimal)], pair: &str| targets.iter().any(|(held, _)| held == pair);
            exits += before.iter().filter(|(pair, _)| !holds(&opinion.targets, pair)).count();
            entries += opinion.targets.iter().filter(|(pair, _)| !holds(&before, pair)).count();
            small += opinion.moves.iter().filter(|(_, _, share)| *share < Decimal::new(5, 3)).count();
        }
        assert!(exits > 20 && entries > 20 && small > 20, "exits={exits} entries={entries} small={small}");
    }
}
