//! Un mouvement : de l'argent ou un coin apporté, repris, ou dont les livres apprennent qu'il n'est plus là.
//!
//! Ce n'est jamais un trade. Invariants : un mouvement change le cash ou une position, pas les deux ; ce qu'il change du
//! total déposé est sa valeur au cours du moment, ou rien s'il n'est l'œuvre de personne (poussière, frais).

use super::market::Coin;
use super::money::{Eur, Quantity, Rate, Usdc};

/// Ce qu'est un mouvement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Le premier argent, une fois.
    Opening,
    Deposit,
    /// Le total déposé était mal noté.
    Correction,
    Withdrawal,
    /// Parti du compte sans nous.
    WriteOff,
    /// Au compte, et désormais suivi.
    Count,
    /// Ce que personne ne pourrait échanger, et qui n'est plus là.
    Dust,
}

impl Kind {
    pub const ALL: [Kind; 7] = [
        Kind::Opening,
        Kind::Deposit,
        Kind::Correction,
        Kind::Withdrawal,
        Kind::WriteOff,
        Kind::Count,
        Kind::Dust,
    ];

    /// Le mot du grand livre et de l'API.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Opening => "opening",
            Kind::Deposit => "deposit",
            Kind::Correction => "correction",
            Kind::Withdrawal => "withdrawal",
            Kind::WriteOff => "write_off",
            Kind::Count => "count",
            Kind::Dust => "dust",
        }
    }

    pub fn from_word(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Un mouvement, avec son signe : négatif pour ce qui part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Movement {
    pub kind: Kind,
    /// Ce qu'il change au total déposé.
    pub eur: Eur,
    pub rate: Rate,
    /// Ce qu'il change au cash.
    pub usdc: Usdc,
    /// Ce qu'il change à une position.
    pub moved: Option<Moved>,
}

impl Movement {
    /// Du cash, compté en euros.
    pub fn of_euros(kind: Kind, eur: Eur, rate: Rate) -> Movement {
        Movement { kind, eur, rate, usdc: eur.to_usdc(rate), moved: None }
    }

    /// Du cash, compté en USDC.
    pub fn of_usdc(kind: Kind, usdc: Usdc, rate: Rate) -> Movement {
        Movement { kind, eur: usdc.to_eur(rate), rate, usdc, moved: None }
    }

    /// Un coin, compté à ce qu'il vaut.
    pub fn of_coin(kind: Kind, moved: Moved, rate: Rate) -> Movement {
        let value = match moved.worth.is_zero() {
            true => Usdc::ZERO,
            false if moved.quantity.is_positive() => moved.worth,
            false => -moved.worth,
        };
        Movement { kind, eur: value.to_eur(rate), rate, usdc: Usdc::ZERO, moved: Some(moved) }
    }
}

/// Un coin venu ou parti.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    pub coin: Coin,
    pub quantity: Quantity,
    /// Sa valeur au marché à ce moment, toujours positive : ce que coûte une position à qui la reçoit.
    pub worth: Usdc,
}
