//! Ce qu'une personne fait compter aux livres, et ce que l'on sait du dehors quand elle le demande.

use std::time::Duration;

use super::market::{Coin, PerCoin};
use super::moment::Moment;
use super::money::{Eur, Price, Quantity, Rate};
use super::movement::Movement;
use super::reconcile::Asset;
use super::recourse;

/// Ce qu'une personne demande de compter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Booking {
    Deposit(Eur),
    /// Le total déposé est celui-ci ; la personne sait, ou pas, ce que veut dire une reprise qui ne laisse presque rien.
    Correction {
        total: Eur,
        understood: bool,
    },
    /// « Je l'ai vendu, ou déplacé » : cela n'est plus au compte.
    WriteOff(Asset, Quantity),
    /// « C'est aussi à moi » : cela est au compte, et pas encore aux livres.
    Count(Asset, Quantity),
    /// Les quantités brutes du programme Python deviennent ce que le compte tient.
    TakeOver,
}

/// Depuis combien de temps le prix d'un coin doit manquer pour qu'une simulation, que rien ne contredit, s'en défasse.
pub const LOST: Duration = Duration::from_secs(24 * 3600);

/// Le dernier prix que l'on a su d'un coin, et de quand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LastPrice {
    pub price: Price,
    pub at: Moment,
}

/// À quel prix les livres perdent ce qui est parti ; `unpriced` si son prix n'est pas connu : le dernier, s'il y en a eu un.
pub fn told(unpriced: Option<Option<LastPrice>>, now: Moment) -> String {
    match unpriced {
        None => "the books lose it at the price of now, as money taken out".to_owned(),
        Some(Some(LastPrice { price, at })) => {
            let age = recourse::told(now.since(at));
            format!(
                "its price is not known now, so the books lose it at the last one known, {price} USDC, {age} old, as money taken out"
            )
        }
        Some(None) => {
            "its price is not known and never was, so the books lose it at 0 USDC: what it cost is a loss"
                .to_owned()
        }
    }
}

/// Ce que l'on sait du dehors, frais.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Footing {
    pub rate: Rate,
    pub prices: PerCoin<Option<Price>>,
    /// Vrai si le compte réel a été rapproché des livres il y a peu.
    pub compared: bool,
}

impl Footing {
    /// Un cours, et rien d'autre.
    pub fn of(rate: Rate) -> Footing {
        Footing { rate, prices: PerCoin::default(), compared: false }
    }

    /// Le prix de ce coin, s'il est frais.
    pub fn price(&self, coin: Coin) -> Option<Price> {
        self.prices[coin]
    }
}

/// Ce qui a été compté.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Booked {
    pub movement: Movement,
    /// Le total déposé juste après.
    pub deposited: Eur,
}
