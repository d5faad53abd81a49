//! Quand un carnet est un prix : s'il ne s'éloigne ni du dernier cru ni de ce qu'un témoin a dit en dernier (l'ancre), si le
//! prix moyen de la bourse le dit aussi, ou s'il se répète et que les derniers échanges le disent.
//!
//! Invariants : ce qui n'est pas cru n'est pas un cours ; rien ne s'échange, ne s'évalue ni ne se compte dessus. Rien n'est
//! cru sur parole loin de l'ancre : un mensonge ne va pas à petits pas plus loin que d'un grand. L'ancre est le prix que le
//! témoin a dit, pas le carnet qu'il a fait croire. Un témoin qui ne répond pas ne prouve rien : loin de l'ancre, ce carnet
//! attend, même près du dernier cru (le prix moyen vient du même serveur que le carnet, qui ne manque guère seul) ; près d'elle,
//! ce qu'il avait dit vaut encore. Les témoins ne se demandent que l'un après l'autre, et s'il le faut : [`Claim::rule`] dit
//! lequel.

use std::fmt;
use std::time::Duration;

use rust_decimal::{Decimal, dec};

use super::market::{Doubt, FRESH, Quote, Reading};
use super::moment::Moment;
use super::money::Price;

/// Entre la première lecture d'un cours qui n'est pas cru et celle qui peut le redire : un vrai krach coûte cela, une lecture
/// fausse ne dure guère plus.
pub const SECOND_READING: Duration = Duration::from_secs(10);

/// Au-delà, ce qu'un témoin a dit se redemande : un carnet qui ne bouge pas peut mentir aussi.
pub const VOUCHED: Duration = Duration::from_secs(3600);

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
    /// Le prix qu'un témoin a dit en dernier, quand il a fait croire un carnet.
    pub anchor: Option<&'a Reading<Price>>,
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
    /// Et le prix qu'en dit le témoin, la nouvelle ancre ; `None` s'il l'est sur parole.
    Believed(Option<Price>),
    /// Pourquoi, pour une personne.
    Doubted(String),
    /// Personne ne peut le dire avant d'avoir entendu celui-là.
    Ask(Witness),
}

impl Claim<'_> {
    /// Ce qu'il en est, d'après ce que les témoins ont dit jusqu'ici.
    pub fn rule(&self, heard: &Testimony) -> Ruling {
        let (pair, shown) = (self.pair, self.shown.value.mid());
        let known = self.known();
        let strays = known.into_iter().flatten().find(|(_, price)| !is_within(shown, *price, self.near));
        let is_near = known.is_some() && strays.is_none();
        if is_near && self.is_vouched() {
            return Ruling::Believed(None);
        }
        let average = match &heard.average {
            None => return Ruling::Ask(Witness::Average),
            Some(Err(_)) if is_near => return Ruling::Believed(None),
            Some(Err(reason)) => {
                let shows = strays.map(|(what, price)| format!(" shows {} {what} and", Ratio(shown, price)));
                let shows = shows.unwrap_or_default();
                return Ruling::Doubted(format!(
                    "{pair}{shows} cannot be compared with its average price: not believed yet ({reason})"
                ));
            }
            Some(Ok(average)) => *average,
        };
        if is_within(shown, average, self.near) {
            return Ruling::Believed(Some(average));
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
            Some(Ok(trades)) => match median(trades).filter(|&traded| is_within(shown, traded, SAME)) {
                Some(traded) => Ruling::Believed(Some(traded)),
                None => Ruling::Doubted(format!("{shows} again, and its last trades deny it: not believed")),
            },
        }
    }

    /// Ce dont un carnet cru sur parole ne s'éloigne pas ; `None` s'il manque l'un ou l'autre. Trop vieux, le dernier cru ne dit
    /// rien de maintenant.
    fn known(&self) -> Option<[(&'static str, Price); 2]> {
        let last = self.last.filter(|last| self.is_read_within(FRESH, last.at))?;
        Some([
            ("its last price", last.value.mid()),
            ("the last price that was confirmed", self.anchor?.value),
        ])
    }

    /// Vrai si l'ancre n'a pas encore à être redemandée.
    fn is_vouched(&self) -> bool {
        self.anchor.is_some_and(|anchor| self.is_read_within(VOUCHED, anchor.at))
    }

    /// Une horloge reculée date une lecture d'après celle-ci.
    fn is_read_within(&self, time: Duration, read_at: Moment) -> bool {
        let at = self.shown.at;
        at.since(read_at) <= time && read_at.since(at) <= time
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
mod tests;
