//! La perte que l'on se fixe : si loin sous le plus haut, tout se vend, et l'on s'arrête.
//!
//! Le plus haut est celui d'un euro resté là ([`Drawdown`]), depuis que la limite est mise ou que l'on a repris : ni un dépôt ni
//! un retrait ne la fait atteindre, ni ne la cache. Une valeur n'en est un que si [`READINGS`] relevés de suite l'ont tenue, et
//! elle n'est atteinte qu'après autant d'évaluations, comme la mort : un faux cours n'en fait ni l'un ni l'autre.

use std::fmt;

use rust_decimal::{Decimal, dec};

use super::drawdown::Drawdown;
use super::money::Weight;
use super::survival::READINGS;

/// Ce qu'elle fait, et de quoi elle ne protège pas : ce qu'une personne lit avant de la mettre.
pub const TELLS: &str = "once the value is that many percent below the highest it held since this was set or since you last resumed \
    (deposits and withdrawals aside), in five complete valuations in a row that the exchange's average prices confirm, every position \
    is sold to USDC as in sell all and stop, and following is paused until you resume it, which starts a new highest; it does not \
    protect from a fall between two polls, nor during those five: what is then sold is sold at the prices of that moment, which may be \
    far lower; nor while a pair is halted, the exchange is away, this program is stopped or paused, or where a price is not known; what \
    is below the exchange's minima stays as dust; selling may be taxable";

/// Une limite, une part du plus haut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit(Weight);

/// Pourquoi un texte n'en est pas une, et quoi écrire.
pub type Wrong = (String, String);

impl Limit {
    const LEAST: Decimal = dec!(1);
    const MOST: Decimal = dec!(90);

    /// Une limite en pour cent, `None` si c'est 0.
    ///
    /// # Errors
    /// Ce qui ne va pas, et quoi écrire.
    pub fn parse(text: &str) -> Result<Option<Limit>, Wrong> {
        let remedy =
            || "write a percentage from 1 to 90 with a point, like 20 or 12.5, or 0 for none".to_owned();
        let number = text.strip_suffix('%').unwrap_or(text).trim_end();
        let Ok(percent) = Weight::parse(number).map(Weight::decimal) else {
            return Err((format!("{text:?} is no number"), remedy()));
        };
        match percent {
            percent if percent.is_zero() => Ok(None),
            percent if percent != percent.round_dp(2) => {
                Err((format!("{text} has more than two decimals"), remedy()))
            }
            percent if (Limit::LEAST..=Limit::MOST).contains(&percent) => {
                Ok(Some(Limit(Weight::new(percent / Decimal::ONE_HUNDRED))))
            }
            // Une fraction écrite comme celle du seuil.
            percent if percent > Decimal::ZERO && percent < Limit::LEAST => {
                let meant = (percent * Decimal::ONE_HUNDRED).normalize();
                let fits = meant <= Limit::MOST;
                let meant = format!("{}; for {meant} % write {meant}", remedy());
                Err((format!("{text} is less than 1 %"), if fits { meant } else { remedy() }))
            }
            _ => Err((format!("{text} is out of range"), remedy())),
        }
    }

    /// Celle d'une part que nous avons écrite.
    pub fn of(part: Weight) -> Option<Limit> {
        part.is_positive().then_some(Limit(part))
    }

    pub fn part(self) -> Weight {
        self.0
    }

    /// Vrai si un recul pareil l'atteint, aux arrondis près de ce qui l'a mesuré.
    pub fn is_reached(self, fall: Weight) -> bool {
        fall.decimal().round_dp(8) >= self.0.decimal()
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} %", self.0.percent())
    }
}

/// Qui l'a fixée.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// Une personne, par la page ou l'API : cela l'emporte.
    Person,
    /// `STOP_LOSS_PCT`.
    Configuration,
}

impl SetBy {
    /// Le mot de l'API.
    pub fn word(self) -> &'static str {
        match self {
            SetBy::Person => "page",
            SetBy::Configuration => "env",
        }
    }
}

/// Ce qu'une personne choisit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// Cette limite, ou aucune.
    Own(Option<Limit>),
    /// Ce que dit `STOP_LOSS_PCT`.
    AsConfigured,
}

impl Choice {
    /// De qui sera la limite.
    pub fn set_by(self) -> SetBy {
        match self {
            Choice::Own(_) => SetBy::Person,
            Choice::AsConfigured => SetBy::Configuration,
        }
    }
}

/// Pourquoi celle que dit `STOP_LOSS_PCT` ne vaut pas ; `None` si elle vaut.
pub fn overruled(configured: Option<Limit>, limit: Option<Limit>) -> Option<String> {
    let said = |limit: Option<Limit>| limit.map_or("none".to_owned(), |limit| limit.to_string());
    (configured != limit).then(|| {
        let (set, configured) = (said(limit), said(configured));
        format!("what was set on the page wins: {set}, and STOP_LOSS_PCT says {configured}")
    })
}

/// Le recul qui compte pour elle.
pub fn drawdown() -> Drawdown {
    Drawdown::held(READINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_percentage_and_nothing_that_only_looks_like_one() {
        let cases: [(&str, Option<Decimal>); 6] = [
            ("0", None),
            ("0.00", None),
            ("1", Some(dec!(0.01))),
            ("20", Some(dec!(0.2))),
            ("12.5 %", Some(dec!(0.125))),
            ("90", Some(dec!(0.9))),
        ];
        for (text, expected) in cases {
            let limit = Limit::parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
            assert_eq!(limit.map(|limit| limit.part().decimal()), expected, "{text}");
        }
        for text in ["", "-5", "0.2", "0.99", "90.01", "100", "1e1", "20,5", "12.345", "twenty", "%", "NaN"] {
            let (wrong, remedy) = Limit::parse(text).expect_err(text);
            assert!(!wrong.is_empty() && remedy.contains("from 1 to 90"), "{text}: {wrong}; {remedy}");
        }
        let (_, remedy) = Limit::parse("0.2").expect_err("a fraction");
        assert!(remedy.ends_with("for 20 % write 20"), "{remedy}");
    }

    #[test]
    fn a_limit_is_reached_at_it_and_not_before() {
        let limit = Limit::parse("20").expect("a limit").expect("one");
        for (fall, expected) in
            [(dec!(0.1999), false), (dec!(0.1999999999999), true), (dec!(0.2), true), (dec!(0.5), true)]
        {
            assert_eq!(limit.is_reached(Weight::new(fall)), expected, "{fall}");
        }
        assert_eq!(limit.to_string(), "20 %");
    }
}
