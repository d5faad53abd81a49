//! Quand un carnet est un prix : s'il ne s'éloigne pas du dernier cru, si le prix moyen de la bourse le dit aussi, ou s'il se
//! répète et que les derniers échanges le disent.
//!
//! Invariant : ce qui n'est pas cru n'est pas un cours ; rien ne s'échange, ne s'évalue ni ne se compte dessus. Un témoin qui
//! ne répond pas ne prouve rien. Les témoins ne se demandent que l'un après l'autre, et s'il le faut : [`Claim::rule`]
//! dit lequel.

use std::fmt;
use std::time::Duration;

use rust_decimal::{Decimal, dec};

use super::market::{Doubt, FRESH, Quote, Reading};
use super::money::Price;

/// Entre la première lecture d'un cours qui n'est pas cru et celle qui peut le redire : un vrai krach coûte cela, une lecture
/// fausse ne dure guère plus.
pub const SECOND_READING: Duration = Duration::from_secs(10);

/// De combien un coin peut s'éloigner sans que rien d'autre ne soit demandé.
pub const NEAR: Decimal = dec!(0.03);

/// De même l'euro, qui compte ce qu'une personne verse.
pub const NEAR_EURO: Decimal = dec!(0.01);

/// Deux lectures, ou une lecture et les échanges, qui disent le même prix.
const SAME: Decimal = dec!(0.01);

/// Ce qu'un carnet prétend, et ce à quoi le comparer.
pub struct Claim<'a> {
    pub pair: &'a str,
    pub shown: &'a Reading<Quote>,
    /// Le dernier cours cru.
    pub last: Option<&'a Reading<Quote>>,
    /// La première lecture de ce qui n'est pas cru.
    pub first: Option<&'a Reading<Quote>>,
    /// L'écart au-delà duquel rien n'est cru sur parole.
    pub near: Decimal,
    /// Le temps qui sépare deux lectures d'un même prix pour qu'elles en soient deux.
    pub gap: Duration,
}

/// Qui peut dire si un carnet est un prix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// Le prix moyen que la bourse publie.
    Average,
    /// Les derniers échanges.
    Trades,
}

/// Ce que les témoins ont dit, ou pourquoi ils n'ont rien dit ; `None` tant qu'ils ne sont pas demandés.
#[derive(Clone, Debug, Default)]
pub struct Testimony {
    pub average: Option<Result<Price, String>>,
    pub trades: Option<Result<Vec<Price>, String>>,
}

/// Ce qu'il en est d'un carnet.
#[derive(Clone, Debug, PartialEq)]
pub enum Ruling {
    Believed,
    /// Pourquoi, pour une personne.
    Doubted(String),
    /// Personne ne peut le dire avant d'avoir entendu celui-là.
    Ask(Witness),
}

impl Claim<'_> {
    /// Ce qu'il en est, d'après ce que les témoins ont dit jusqu'ici.
    pub fn rule(&self, heard: &Testimony) -> Ruling {
        let (pair, shown) = (self.pair, self.shown.value.mid());
        if self.recent_last().is_some_and(|last| is_within(shown, last, self.near)) {
            return Ruling::Believed;
        }
        let average = match &heard.average {
            None => return Ruling::Ask(Witness::Average),
            Some(Err(reason)) => {
                let last = self.recent_last();
                let shows = last.map(|last| format!(" shows {} its last price and", Ratio(shown, last)));
                let shows = shows.unwrap_or_default();
                return Ruling::Doubted(format!(
                    "{pair}{shows} cannot be compared with its average price: not believed yet ({reason})"
                ));
            }
            Some(Ok(average)) => *average,
        };
        if is_within(shown, average, self.near) {
            return Ruling::Believed;
        }
        let shows = format!("{pair} shows {} its average price", Ratio(shown, average));
        if !self.is_repeated() {
            return Ruling::Doubted(format!("{shows}: not believed yet, a second reading must say the same"));
        }
        match &heard.trades {
            None => Ruling::Ask(Witness::Trades),
            Some(Err(reason)) => Ruling::Doubted(format!(
                "{shows} again, and its last trades are not known: not believed yet ({reason})"
            )),
            Some(Ok(trades)) if median(trades).is_some_and(|traded| is_within(shown, traded, SAME)) => {
                Ruling::Believed
            }
            Some(Ok(_)) => {
                Ruling::Doubted(format!("{shows} again, and its last trades deny it: not believed"))
            }
        }
    }

    /// Le dernier cours cru, s'il est encore frais : plus vieux, il ne dit rien de maintenant.
    fn recent_last(&self) -> Option<Price> {
        let at = self.shown.at;
        let recent = self.last.filter(|last| at.since(last.at) <= FRESH && last.at.since(at) <= FRESH);
        recent.map(|last| last.value.mid())
    }

    /// Vrai si la première lecture disait déjà ce prix, assez tôt pour que ce soit la seconde.
    fn is_repeated(&self) -> bool {
        self.first.is_some_and(|first| self.shown.at.since(first.at) >= self.gap && self.repeats(first))
    }

    fn repeats(&self, first: &Reading<Quote>) -> bool {
        is_within(self.shown.value.mid(), first.value.mid(), SAME)
    }

    /// Ce qu'il reste de ce carnet s'il n'est pas cru : la première des lectures qui le disent.
    pub fn doubt(&self) -> Doubt {
        // Une horloge reculée ferait attendre la seconde lecture d'autant.
        let same = self.first.filter(|first| self.repeats(first) && first.at <= self.shown.at);
        Doubt { last: self.last.cloned(), first: same.unwrap_or(self.shown).clone() }
    }
}

fn is_within(price: Price, of: Price, part: Decimal) -> bool {
    let (price, of) = (price.decimal(), of.decimal());
    (price - of).abs() <= of * part
}

/// Le prix du milieu : un échange ou deux, à un prix de hasard, n'y changent rien.
fn median(prices: &[Price]) -> Option<Price> {
    let mut sorted = prices.to_vec();
    sorted.sort();
    sorted.get(sorted.len() / 2).copied()
}

/// De combien un prix s'éloigne d'un autre, à peu près, pour être lu : `10 times`, `7 % above`.
struct Ratio(Price, Price);

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Ratio(price, of) = self;
        let ratio = price.decimal() / of.decimal();
        if ratio >= Decimal::TWO || ratio <= dec!(0.5) {
            return write!(f, "{} times", ratio.round_sf(2).unwrap_or(ratio).normalize());
        }
        let way = if ratio > Decimal::ONE { "above" } else { "below" };
        let percent = (ratio - Decimal::ONE).abs() * Decimal::ONE_HUNDRED;
        write!(f, "{} % {way}", percent.round_sf(2).unwrap_or(percent).normalize())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::moment::Moment;

    const NOW: Moment = Moment(1_790_000_000_000);

    fn reading(mid: Decimal, seconds_ago: i64) -> Reading<Quote> {
        let price = Price::new(mid);
        Reading {
            value: Quote::new(price, price).expect("it is a price"),
            at: Moment(NOW.0 - seconds_ago * 1000),
        }
    }

    /// Ce qu'il en est de `shown`, après `last` et `first`, à tant de secondes, quand les témoins disent cela.
    fn rule(
        shown: Decimal,
        last: Option<(Decimal, i64)>,
        first: Option<(Decimal, i64)>,
        average: Option<Decimal>,
        trades: &[Decimal],
    ) -> Ruling {
        let shown = reading(shown, 0);
        let [last, first] = [last, first].map(|read| read.map(|(mid, ago)| reading(mid, ago)));
        let claim = Claim {
            pair: "BTCUSDC",
            shown: &shown,
            last: last.as_ref(),
            first: first.as_ref(),
            near: NEAR,
            gap: SECOND_READING,
        };
        let mut heard = Testimony::default();
        loop {
            match claim.rule(&heard) {
                Ruling::Ask(Witness::Average) => {
                    assert!(heard.average.is_none(), "asked twice");
                    heard.average = Some(average.map(Price::new).ok_or_else(|| "no answer".to_owned()));
                }
                Ruling::Ask(Witness::Trades) => {
                    assert!(heard.trades.is_none(), "asked twice");
                    heard.trades = Some(Ok(trades.iter().copied().map(Price::new).collect()));
                }
                ruling => return ruling,
            }
        }
    }

    #[test]
    fn a_price_is_believed_when_two_agree() {
        let (last, here) = (Some((dec!(100), 120)), dec!(100));
        let old = Some((dec!(100), 181));
        let crash = [dec!(60.3), dec!(59.8), dec!(60.1), dec!(99), dec!(60)];
        let cases = [
            ("near the last", dec!(103), last, None, None, vec![], true),
            ("away, and the average says so too", dec!(104), last, None, Some(dec!(102)), vec![], true),
            ("away, once", dec!(60), last, None, Some(here), crash.to_vec(), false),
            (
                "away, twice too soon",
                dec!(60),
                last,
                Some((dec!(60.2), 9)),
                Some(here),
                crash.to_vec(),
                false,
            ),
            ("a crash", dec!(60), last, Some((dec!(60.2), 10)), Some(here), crash.to_vec(), true),
            ("another price", dec!(60), last, Some((dec!(61), 10)), Some(here), crash.to_vec(), false),
            ("the trades deny it", dec!(60), last, Some((dec!(60.2), 10)), Some(here), vec![here; 5], false),
            ("no trade is known", dec!(60), last, Some((dec!(60.2), 10)), Some(here), vec![], false),
            ("the average is silent", dec!(60), last, Some((dec!(60.2), 10)), None, crash.to_vec(), false),
            ("near one that is too old", dec!(103), old, None, Some(dec!(60)), vec![], false),
            ("the first ever", dec!(100), None, None, Some(dec!(98)), vec![], true),
            ("the first ever, alone", dec!(100), None, None, Some(dec!(90)), vec![], false),
        ];
        for (what, shown, last, first, average, trades, believed) in cases {
            let ruling = rule(shown, last, first, average, &trades);
            assert_eq!(ruling == Ruling::Believed, believed, "{what}: {ruling:?}");
        }
    }

    #[test]
    fn a_person_reads_how_far_away_it_is() {
        let (last, average) = (Some((dec!(100), 60)), Some(dec!(100)));
        let told = |shown, average| match rule(shown, last, None, average, &[]) {
            Ruling::Doubted(reason) => reason,
            ruling => panic!("{ruling:?}"),
        };
        let second = "its average price: not believed yet, a second reading must say the same";
        let cases = [
            (dec!(1003), "10 times"),
            (dec!(100_000), "1000 times"),
            (dec!(1), "0.01 times"),
            (dec!(0.00000001), "0.0000000001 times"),
            (dec!(107), "7 % above"),
            (dec!(60), "40 % below"),
        ];
        for (shown, how) in cases {
            assert_eq!(told(shown, average), format!("BTCUSDC shows {how} {second}"));
        }
        assert_eq!(
            told(dec!(1000), None),
            "BTCUSDC shows 10 times its last price and cannot be compared with its average price: not believed yet \
             (no answer)"
        );
    }

    #[test]
    fn what_is_not_believed_is_remembered_from_its_first_reading_on() {
        let (last, first) = (reading(dec!(100), 60), reading(dec!(60), 5));
        let after = |shown: &Reading<Quote>, first: &Reading<Quote>| {
            let (last, first) = (Some(&last), Some(first));
            let claim = Claim { pair: "BTCUSDC", shown, last, first, near: NEAR, gap: SECOND_READING };
            claim.doubt()
        };
        let same = after(&reading(dec!(60.5), 0), &first);
        assert_eq!((same.first, same.last), (first.clone(), Some(last.clone())));
        let other = reading(dec!(50), 0);
        assert_eq!(after(&other, &first).first, other);
        // Lue à une heure qui n'est pas encore : elle ne compte plus.
        let again = reading(dec!(60), 0);
        assert_eq!(after(&again, &reading(dec!(60), -3600)).first, again);
    }

    proptest! {
        /// Aussi souvent qu'il se montre, d'aussi loin que ce soit.
        #[test]
        fn what_average_and_trades_deny_is_never_believed(
            shown in (1i64..1_000_000_000, 0u32..9), truth in 1i64..1_000_000, ago in 0i64..1_000,
        ) {
            let (shown, truth) = (Decimal::new(shown.0, shown.1), Decimal::new(truth, 2));
            prop_assume!((shown - truth).abs() > truth * NEAR);
            let ruling = rule(shown, Some((truth, ago)), Some((shown, ago)), Some(truth), &[truth; 5]);
            prop_assert!(matches!(ruling, Ruling::Doubted(_)), "{:?}", ruling);
        }
    }
}
