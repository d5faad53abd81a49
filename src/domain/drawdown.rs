//! Le recul : de combien un euro resté là depuis le début est sous le plus haut qu'il ait valu.
//!
//! L'euro suit la valeur du tout d'un relevé au suivant, l'argent apporté ou repris entre les deux mis à part : un
//! retrait n'est pas une perte, un dépôt n'est pas un gain. Invariant : le recul est entre 0 et 1, ou n'est pas connu.

use std::collections::VecDeque;

use rust_decimal::{Decimal, dec};

use super::money::{Eur, Weight};

/// Sous un centime il n'y a rien à suivre : seuls des arrondis y bougeraient.
const CENT: Eur = Eur::new(dec!(0.01));

/// Une valeur, et ce qui avait été versé en tout à ce moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    pub value: Eur,
    pub deposited: Eur,
}

/// Ce qu'est devenu l'euro, relevé après relevé.
#[derive(Clone, Debug)]
pub struct Drawdown {
    last: Option<Level>,
    /// `None` quand il ne se compte plus : il a dépassé ce qu'un décimal tient.
    euro: Option<Decimal>,
    /// `None` tant qu'aucune valeur n'a été tenue assez longtemps.
    highest: Option<Decimal>,
    /// Ce qu'il valait aux derniers relevés : le moindre en est la valeur tenue.
    recent: VecDeque<Decimal>,
    /// Combien de relevés de suite font une valeur tenue.
    held_for: usize,
}

impl Default for Drawdown {
    fn default() -> Drawdown {
        Drawdown::held(1)
    }
}

impl Drawdown {
    /// Celui dont le plus haut est une valeur que `readings` relevés de suite ont tenue : un faux cours n'en fait pas un.
    pub fn held(readings: u32) -> Drawdown {
        Drawdown {
            last: None,
            euro: Some(Decimal::ONE),
            highest: None,
            recent: VecDeque::new(),
            held_for: readings.max(1) as usize,
        }
    }

    /// Va jusqu'à ce relevé.
    pub fn reach(&mut self, level: Level) {
        self.euro = self.euro_at(level);
        self.last = Some(level);
        let Some(euro) = self.euro else { return };
        if self.recent.len() == self.held_for {
            self.recent.pop_front();
        }
        self.recent.push_back(euro);
        if self.recent.len() == self.held_for {
            self.highest = self.highest.max(self.recent.iter().min().copied());
        }
    }

    /// Le recul si tout en est là ; `None` avant le premier relevé, ou le premier plus haut.
    pub fn at(&self, level: Level) -> Option<Weight> {
        self.last?;
        self.below(self.euro_at(level)?)
    }

    /// Le recul au dernier relevé.
    pub fn now(&self) -> Option<Weight> {
        self.below(self.euro?)
    }

    fn below(&self, euro: Decimal) -> Option<Weight> {
        Some(Weight::new(Decimal::ONE - euro / self.highest?.max(euro)))
    }

    fn euro_at(&self, level: Level) -> Option<Decimal> {
        let Some(last) = self.last.filter(|last| last.value >= CENT) else { return self.euro };
        let flow = level.deposited - last.deposited;
        let (brought, taken) = (flow.max(Eur::ZERO), (-flow).max(Eur::ZERO));
        // Ce qui est apporté est là dès le relevé d'avant : ce qu'il perd en s'y mettant n'est pas perdu par ce qui y était.
        let (before, after) = (last.value + brought, (level.value + taken).max(Eur::ZERO));
        self.euro?.checked_mul(after.decimal().checked_div(before.decimal())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ce que tout vaut, et ce qui a été versé.
    type Told = (Decimal, Decimal);

    fn level((value, deposited): Told) -> Level {
        Level { value: Eur::new(value), deposited: Eur::new(deposited) }
    }

    fn after(levels: &[Told], now: Told) -> Option<Decimal> {
        let mut drawdown = Drawdown::default();
        for &past in levels {
            drawdown.reach(level(past));
        }
        drawdown.at(level(now)).map(Weight::decimal)
    }

    #[test]
    fn only_what_the_money_did_by_itself_counts() {
        let hundred = dec!(100);
        let cases: [(&[Told], Told, Decimal); 12] = [
            (&[(hundred, hundred)], (hundred, hundred), dec!(0)),
            (&[(hundred, hundred)], (dec!(80), hundred), dec!(0.2)),
            (&[(hundred, hundred), (dec!(200), hundred)], (dec!(150), hundred), dec!(0.25)),
            // Un plus haut nouveau n'a pas de recul.
            (&[(hundred, hundred), (dec!(50), hundred)], (dec!(120), hundred), dec!(0)),
            // Ni un dépôt ni un retrait n'y changent rien.
            (&[(hundred, hundred), (dec!(80), hundred)], (dec!(1080), dec!(1100)), dec!(0.2)),
            (&[(hundred, hundred), (dec!(80), hundred)], (dec!(40), dec!(60)), dec!(0.2)),
            // Dix pour cent de perdus sur mille n'en font pas cent sur les cent du début.
            (&[(hundred, hundred), (dec!(1000), dec!(1000))], (dec!(900), dec!(1000)), dec!(0.1)),
            // Un gros dépôt à côté de peu : ce qu'il coûte de le placer est le sien, ce qu'il gagne aussi.
            (&[(dec!(20), dec!(20))], (dec!(1000), dec!(1020)), dec!(20) / dec!(1020)),
            (&[(dec!(20), dec!(20)), (dec!(1040), dec!(1020))], (dec!(1040), dec!(1020)), dec!(0)),
            // De même un gros retrait : ce qu'il coûte de vendre est au tout d'avant.
            (&[(dec!(1020), dec!(1020))], (dec!(9.8), dec!(20)), dec!(10.2) / dec!(1020)),
            // Tout est perdu : un dépôt n'y fait rien.
            (&[(hundred, hundred), (dec!(0), hundred)], (dec!(50), dec!(150)), dec!(1)),
            // Tout est repris, puis il revient de l'argent : le temps vide ne compte pas.
            (
                &[(hundred, hundred), (dec!(0), dec!(0)), (dec!(50), dec!(50))],
                (dec!(45), dec!(50)),
                dec!(0.1),
            ),
        ];
        for (levels, now, expected) in cases {
            assert_eq!(after(levels, now), Some(expected), "{levels:?} {now:?}");
        }
    }

    #[test]
    fn a_value_that_was_not_held_is_no_height() {
        let after = |held: u32, values: &[i64], now: i64| {
            let mut drawdown = Drawdown::held(held);
            for &value in values {
                drawdown.reach(level((Decimal::from(value), dec!(100))));
            }
            drawdown.at(level((Decimal::from(now), dec!(100)))).map(Weight::decimal)
        };
        let cases: [(&[i64], Option<Decimal>); 6] = [
            (&[100, 100], None),
            (&[100, 100, 100], Some(dec!(0.5))),
            // Un faux cours, d'abord, ensuite, deux fois de suite, puis trop bas.
            (&[1000, 100, 100, 100], Some(dec!(0.5))),
            (&[100, 100, 100, 1000, 1000, 100], Some(dec!(0.5))),
            (&[100, 100, 100, 1, 100], Some(dec!(0.5))),
            // Tenue, elle en est un : le moindre des trois.
            (&[100, 100, 100, 210, 200, 250, 100], Some(dec!(0.75))),
        ];
        for (values, expected) in cases {
            assert_eq!(after(3, values, 50), expected, "{values:?}");
        }
        assert_eq!(after(1, &[100, 1000, 100], 50), Some(dec!(0.95)));
    }

    #[test]
    fn what_cannot_be_counted_is_not_known() {
        assert_eq!(after(&[], (dec!(100), dec!(100))), None);
        let huge = dec!(1_000_000_000_000);
        // Mille milliards gagnés sur un centime, repris, et encore.
        let levels: Vec<Told> = (0..3)
            .map(|times| Decimal::from(times) * (dec!(0.01) - huge))
            .flat_map(|deposited| [(dec!(0.01), deposited), (huge, deposited)])
            .collect();
        assert_eq!(after(&levels, (dec!(1), dec!(1))), None);
    }
}
