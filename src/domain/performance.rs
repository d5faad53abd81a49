//! Le rendement pondéré par le temps : ce qu'a gagné un euro resté là du début à la fin, quels que soient l'argent
//! apporté ou repris en chemin.
//!
//! Entre deux mouvements, le rendement est la valeur de la fin sur celle du début ; les stades se multiplient. Il ne
//! faut donc de valeur qu'au début, à chaque mouvement et maintenant : les relevés entre deux n'y changent rien.

use std::fmt;

use rust_decimal::{Decimal, dec};

use super::moment::Moment;
use super::money::{Eur, Return};

/// Sous un centime il n'y a rien à faire fructifier : seuls des arrondis y bougeraient.
const CENT: Eur = Eur::new(dec!(0.01));

/// De l'argent apporté (positif) ou repris (négatif).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    pub amount: Eur,
    /// La valeur du tout juste après ; `None` si elle n'est pas connue.
    pub after: Option<Eur>,
}

/// Ce dont un rendement se calcule, depuis `since`.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    pub since: Moment,
    /// La valeur à ce moment ; `None` si elle n'est pas connue.
    pub start: Option<Eur>,
    /// Les mouvements depuis, dans leur ordre.
    pub flows: Vec<Flow>,
}

/// Pourquoi il n'y a pas de rendement. Le texte est celui que l'utilisateur lit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmeasured {
    ValueUnknown,
    StartUnknown,
    FlowUnvalued,
    NothingInvested,
    TooLarge,
}

impl fmt::Display for Unmeasured {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Unmeasured::ValueUnknown => "the value is not known now",
            Unmeasured::StartUnknown => "the value at the beginning is not known yet",
            Unmeasured::FlowUnvalued => "the value at a deposit or a correction is not known yet",
            Unmeasured::NothingInvested => "there has been nothing to earn on",
            Unmeasured::TooLarge => "it is too large to be counted",
        })
    }
}

impl Track {
    /// Le rendement jusqu'à la valeur `now`, ou pourquoi il n'y en a pas.
    pub fn measure(&self, now: Option<Eur>) -> Result<Return, Unmeasured> {
        let (now, mut base) =
            (now.ok_or(Unmeasured::ValueUnknown)?, self.start.ok_or(Unmeasured::StartUnknown)?);
        let (mut growth, mut invested) = (Decimal::ONE, false);
        let mut stage = |base: Eur, end: Eur| {
            // Un arrondi peut laisser un rien de moins que zéro ; davantage contredirait la valeur d'après.
            if end < -CENT {
                return Err(Unmeasured::FlowUnvalued);
            }
            if base >= CENT {
                invested = true;
                let factor = end.max(Eur::ZERO).decimal().checked_div(base.decimal());
                growth = factor.and_then(|factor| growth.checked_mul(factor)).ok_or(Unmeasured::TooLarge)?;
            }
            Ok(())
        };
        for flow in &self.flows {
            let after = flow.after.ok_or(Unmeasured::FlowUnvalued)?;
            stage(base, after - flow.amount)?;
            base = after;
        }
        stage(base, now)?;
        if invested { Ok(Return::new(growth - Decimal::ONE)) } else { Err(Unmeasured::NothingInvested) }
    }

    /// Ce que la valeur a gagné, ou perdu, sans les mouvements ; `None` si une des deux valeurs n'est pas connue.
    pub fn gain(&self, now: Option<Eur>) -> Option<Eur> {
        Some(now? - self.start? - self.flows.iter().map(|flow| flow.amount).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// La valeur de départ, les mouvements avec la valeur d'après, la valeur finale, le rendement attendu.
    type Stages<'a> = (Decimal, &'a [(Decimal, Decimal)], Decimal, Decimal);

    fn eur(value: Decimal) -> Eur {
        Eur::new(value)
    }

    fn measure(start: Decimal, flows: &[(Decimal, Decimal)], now: Decimal) -> Result<Decimal, Unmeasured> {
        let flows =
            flows.iter().map(|(amount, after)| Flow { amount: eur(*amount), after: Some(eur(*after)) });
        let track = Track { since: Moment(0), start: Some(eur(start)), flows: flows.collect() };
        track.measure(Some(eur(now))).map(Return::decimal)
    }

    #[test]
    fn the_stages_between_flows_are_chained() {
        let cases: [Stages; 6] = [
            (dec!(100), &[], dec!(120), dec!(0.2)),
            // +10 %, un gros dépôt, −10 % : le dépôt n'y est pour rien.
            (dec!(100), &[(dec!(9890), dec!(10000))], dec!(9000), dec!(-0.01)),
            // Un retrait de la moitié, puis +50 %.
            (dec!(100), &[(dec!(-50), dec!(50))], dec!(75), dec!(0.5)),
            // Tout est repris, puis il revient de l'argent : le temps vide ne compte pas.
            (dec!(100), &[(dec!(-110), dec!(0)), (dec!(50), dec!(50))], dec!(55), dec!(0.21)),
            // De la poussière d'arrondi n'est pas un placement.
            (
                dec!(100.00000001),
                &[(dec!(-100), dec!(0.00000001)), (dec!(50), dec!(50.00000003))],
                dec!(50.00000003),
                dec!(0),
            ),
            (dec!(100), &[], dec!(0), dec!(-1)),
        ];
        for (start, flows, now, expected) in cases {
            assert_eq!(measure(start, flows, now), Ok(expected), "{start} {flows:?} {now}");
        }
    }

    #[test]
    fn what_cannot_be_known_is_said_and_never_infinite() {
        assert_eq!(measure(dec!(0), &[], dec!(0)), Err(Unmeasured::NothingInvested));
        assert_eq!(measure(dec!(0), &[], dec!(100)), Err(Unmeasured::NothingInvested));
        assert_eq!(measure(dec!(100), &[(dec!(50), dec!(40))], dec!(40)), Err(Unmeasured::FlowUnvalued));
        let huge = dec!(1_000_000_000_000);
        let flows = [(-huge, dec!(0.01)), (dec!(0), huge), (-huge, dec!(0.01)), (dec!(0), huge)];
        assert_eq!(measure(dec!(0.01), &flows, dec!(1)), Err(Unmeasured::TooLarge));
        let unknown = Flow { amount: eur(dec!(5)), after: None };
        let track = Track { since: Moment(0), start: Some(eur(dec!(1))), flows: vec![unknown] };
        assert_eq!(track.measure(Some(eur(dec!(6)))), Err(Unmeasured::FlowUnvalued));
        assert_eq!(track.measure(None), Err(Unmeasured::ValueUnknown));
        assert_eq!(track.gain(Some(eur(dec!(7)))), Some(eur(dec!(1))));
        let track = Track { start: None, ..track };
        assert_eq!(track.measure(Some(eur(dec!(6)))), Err(Unmeasured::StartUnknown));
        assert_eq!(track.gain(Some(eur(dec!(7)))), None);
    }
}
