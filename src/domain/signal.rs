//! Le signal du leader, une fois validé : ce qu'il demande, dans les types du métier.
//!
//! Le texte reçu est décodé ailleurs (`leader`) ; un `Signal` qui existe est un signal valable :
//! coins connus, parts entre 0 et 1, une seule consigne par coin.

use std::time::Duration;

use rust_decimal::{Decimal, dec};

use super::market::{Coin, PerCoin};
use super::moment::Moment;
use super::money::{Usdc, Weight};
use super::order::Left;
use super::policy;
use super::portfolio::Valuation;
use super::recourse;

/// L'identifiant sous lequel la synchronisation initiale est tenue au grand livre.
pub const INITIAL_SYNC: &str = "initial_sync";

/// L'identifiant sous lequel le sont les ordres que seul le compte connaissait encore.
pub const ADOPTED: &str = "adopted";

/// De combien une même part peut se dire autrement : arrondis, frais, prix de l'instant.
const SAME: Weight = Weight::new(dec!(0.0075));

/// Somme des parts au-delà de laquelle une allocation n'est pas un arrondi mais une erreur.
const MOST: Decimal = dec!(1.05);

/// Un signal valable.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    pub id: String,
    pub instruction: Instruction,
    /// L'allocation du leader, quand le signal la porte (toujours en version 2).
    pub target: Option<Target>,
    /// Quand le leader l'a dit, à son heure ; `None` s'il ne le dit pas.
    pub said_at: Option<Moment>,
    /// Jusqu'à quand il veut qu'il soit suivi ; `None` : jusqu'au suivant.
    pub expires_at: Option<Moment>,
}

impl Signal {
    /// Pourquoi rien n'en est fait à `now`, reçu à `received_at` ; `None` s'il vaut encore. Une action voulait le prix de son moment,
    /// que l'on apprend à son rythme ; une allocation vaut jusqu'à la suivante, ou jusqu'à ce que le leader a dit.
    pub fn outlived(&self, received_at: Moment, now: Moment, ages: Ages) -> Option<Left> {
        if let Some(expired) = self.expired(now) {
            return Some(Left::Expired(expired));
        }
        let said_at = self.said_at.map_or(received_at, |said| said.min(received_at));
        let age = matches!(self.instruction, Instruction::Actions(_)).then(|| now.since(said_at));
        age.filter(|&age| recourse::is_too_old(Some(age), ages.oldest_action) && age > ages.rhythm * 2)
            .map(Left::TooOld)
    }

    /// Depuis quand il a expiré ; `None` s'il vaut encore.
    pub fn expired(&self, now: Moment) -> Option<Duration> {
        self.expires_at.filter(|&at| at < now).map(|at| now.since(at))
    }

    /// Cette allocation, où les coins qu'une action dit de garder restent ce qu'ils sont : le leader le demande.
    pub fn held(&self, target: Target, valuation: &Valuation) -> Target {
        let Instruction::Actions(actions) = &self.instruction else { return target };
        target.keeping(&PerCoin::from_fn(|coin| matches!(actions[coin], Some(Action::Hold))), valuation)
    }

    /// Les coins où cette allocation déferait l'action qui l'accompagne parce qu'elle est d'avant elle : celle que l'on tenait alors
    /// (`before`), ou celle que le leader disait déjà (`former`). Autre, elle sait ce qui a manqué ici, et se vise.
    pub fn contradicted(
        &self,
        target: &Target,
        valuation: &Valuation,
        before: &PerCoin<Weight>,
        former: &PerCoin<Option<Weight>>,
    ) -> PerCoin<bool> {
        let Instruction::Actions(actions) = &self.instruction else { return PerCoin::default() };
        PerCoin::from_fn(|coin| {
            let (held, wanted) = (valuation.weight(coin), target.weight(coin));
            let undoes = match actions[coin] {
                Some(Action::Buy(_)) => held > wanted + SAME,
                Some(Action::Sell(_)) => wanted > held + SAME,
                Some(Action::Hold) | None => false,
            };
            let is_of = |earlier: Weight| (wanted - earlier).abs() <= SAME;
            undoes && (is_of(before[coin]) || former[coin].is_some_and(is_of))
        })
    }

    /// Vrai si le leader l'a dit il y a plus d'un jour.
    pub fn is_old(&self, now: Moment) -> bool {
        self.said_at.is_some_and(|said| now.since(said) > policy::DAY)
    }

    /// Ce qu'il demande, en quelques mots : le même sens donne le même texte, quoi que le leader dise de plus.
    pub fn meaning(&self) -> String {
        let word = |(coin, action): (Coin, &Option<Action>)| match action {
            Some(Action::Buy(part)) => Some(format!("+{}{part}", coin.asset())),
            Some(Action::Sell(part)) => Some(format!("-{}{part}", coin.asset())),
            Some(Action::Hold) | None => None,
        };
        let words: Vec<String> = match &self.instruction {
            Instruction::Actions(actions) => actions.iter().filter_map(word).collect(),
            Instruction::Target(target) => {
                Coin::ALL.map(|coin| format!("{}{}", coin.asset(), target.weight(coin))).to_vec()
            }
            Instruction::Raise(amount) => vec![amount.to_string()],
        };
        words.join(" ")
    }
}

/// L'horloge d'un autre peut avancer d'autant sur la nôtre.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// Quand le leader dit avoir parlé ; `None` s'il ne le dit pas, ou si ce n'était pas encore à la réception : ce n'est pas une date.
pub fn dated(said_at: Option<Moment>, received_at: Moment) -> Option<Moment> {
    said_at.filter(|said| said.since(received_at) <= AHEAD)
}

/// Ce qui fait vieillir une action.
#[derive(Clone, Copy, Debug)]
pub struct Ages {
    /// Celui au-delà duquel elle n'est plus faite.
    pub oldest_action: Duration,
    /// Entre deux demandes au leader : l'apprendre prend ce temps.
    pub rhythm: Duration,
}

/// Ce que le signal demande de faire.
#[derive(Clone, Debug, PartialEq)]
pub enum Instruction {
    /// Version 1 : des achats et ventes, chacun une part du capital du suiveur.
    Actions(PerCoin<Option<Action>>),
    /// Version 2 : l'allocation à atteindre.
    Target(Target),
    /// Le cash à réunir, coûts payés : une personne le reprend ([`super::wish`]).
    Raise(Usdc),
}

impl Instruction {
    /// Vrai si elle demande quelque chose de ce coin.
    pub fn names(&self, coin: Coin) -> bool {
        match self {
            Instruction::Actions(actions) => matches!(actions[coin], Some(Action::Buy(_) | Action::Sell(_))),
            Instruction::Target(target) => !target.weight(coin).is_zero(),
            Instruction::Raise(_) => false,
        }
    }
}

/// Une action de la version 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    Buy(Weight),
    Sell(Weight),
    Hold,
}

/// L'allocation visée : la part de chaque coin, le reste en cash.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target(PerCoin<Weight>);

impl Target {
    /// Cette allocation, où ces coins restent ce qu'ils sont.
    pub fn keeping(self, kept: &PerCoin<bool>, valuation: &Valuation) -> Target {
        Target(PerCoin::from_fn(|coin| if kept[coin] { valuation.weight(coin) } else { self.weight(coin) }))
    }

    /// Une allocation de parts entre 0 et 1 dont la somme ne dépasse pas 1,05 ; au-dessus de 1
    /// (arrondis du leader) elle est ramenée à 1 en proportion. L'erreur dit laquelle est refusée.
    pub fn new(weights: PerCoin<Weight>) -> Result<Target, String> {
        let mut total = Weight::ZERO;
        for (coin, &weight) in weights.iter() {
            if weight < Weight::ZERO || weight > Weight::new(Decimal::ONE) {
                return Err(format!("pct_of_portfolio of {coin} is {weight}, not between 0 and 1"));
            }
            total += weight;
        }
        if total > Weight::new(MOST) {
            return Err(format!("the allocation adds up to {} %, more than 100 %", total.percent()));
        }
        if total > Weight::new(Decimal::ONE) {
            let scale = Decimal::ONE / total.decimal();
            return Ok(Target(PerCoin::from_fn(|coin| weights[coin].times(scale).floor(12))));
        }
        Ok(Target(weights))
    }

    pub fn weight(&self, coin: Coin) -> Weight {
        self.0[coin]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_that_is_not_yet_is_none() {
        let received_at = Moment(1_790_000_000_000);
        for (ahead_seconds, is_date) in
            [(-86_400, true), (0, true), (300, true), (301, false), (400 * 86_400, false)]
        {
            let said_at = Some(Moment(received_at.0 + ahead_seconds * 1000));
            assert_eq!(dated(said_at, received_at), said_at.filter(|_| is_date), "{ahead_seconds}");
        }
        assert_eq!(dated(None, received_at), None);
    }
}
