//! Ce qu'une personne fait compter aux livres, et ce que l'on sait du dehors quand elle le demande.

use super::market::{Coin, PerCoin};
use super::money::{Eur, Price, Quantity, Rate};
use super::movement::Movement;
use super::reconcile::Asset;

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
