//! Le souhait d'une personne, que mène à bien la machine des signaux : reprendre de l'argent, ou tout vendre et s'arrêter.
//!
//! Un souhait est une ligne des signaux dont le texte est de nous. Invariants : le leader ne peut ni porter son nom, ni le
//! dépasser, ni défaire ce qu'il a vendu tant qu'il est ouvert.

use std::time::Duration;

use super::market::PerCoin;
use super::money::{Usdc, Weight};
use super::signal::{Instruction, Target};

/// Ce que « tout vendre » fait et ne fait pas : ce qu'une personne lit avant de le vouloir.
pub const SELL_ALL_TELLS: &str = "this sells every position to USDC at the prices of the moment, which may be bad, but none further than \
    MAX_SLIPPAGE_PCT from the middle of its book as it was last read, and pauses following; it sends no money anywhere: the USDC stay where \
    they are traded, on your exchange account or in the simulation; what is below the exchange's minima stays as dust, and a pair that is halted, without a price, or whose book \
    holds too little that near, is tried again for a day, then stays; selling may be taxable; following goes on only when you resume it, and never \
    where the agent is DEAD";

/// Une paire arrêtée, ce que le compte tient de moins ou ce que la bourse ne traite pas n'est attendu que ce temps.
pub const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Le texte d'un souhait qui prend tout.
const EVERYTHING: &str = "all";

/// La sorte d'un souhait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Withdrawal,
    SellAll,
}

impl Wish {
    const ALL: [Wish; 2] = [Wish::Withdrawal, Wish::SellAll];

    /// Le mot du grand livre.
    pub fn word(self) -> &'static str {
        match self {
            Wish::Withdrawal => "withdrawal",
            Wish::SellAll => "sell_all",
        }
    }

    pub fn from_word(word: &str) -> Option<Wish> {
        Wish::ALL.into_iter().find(|wish| wish.word() == word)
    }

    /// Le nom sous lequel le `number`-ième est tenu parmi les signaux.
    pub fn name(self, number: i64) -> String {
        format!("{}{number}", self.prefix())
    }

    fn prefix(self) -> &'static str {
        match self {
            Wish::Withdrawal => "withdrawal-",
            Wish::SellAll => "sell-all-",
        }
    }
}

/// Vrai si un signal de ce nom passerait pour un souhait.
pub fn is_reserved(id: &str) -> bool {
    let numbered = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    Wish::ALL.iter().any(|wish| id.strip_prefix(wish.prefix()).is_some_and(numbered))
}

/// Le texte gardé d'un souhait : ce montant, ou tout.
pub fn payload(amount: Option<Usdc>) -> String {
    amount.map_or(EVERYTHING.to_owned(), |amount| amount.to_string())
}

/// Vrai si ce souhait prend tout : plus rien ne suit le leader tant qu'il est ouvert.
pub fn takes_all(payload: &str) -> bool {
    payload == EVERYTHING
}

/// La consigne d'un souhait.
///
/// # Errors
/// Un texte que nous n'avons pas écrit.
pub fn instruction(payload: &str) -> Result<Instruction, String> {
    if takes_all(payload) {
        return Target::new(PerCoin::from_fn(|_| Weight::ZERO)).map(Instruction::Target);
    }
    let amount = Usdc::parse(payload).map_err(|error| format!("no wish of ours: {error}"))?;
    Ok(Instruction::Raise(amount))
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;
    use crate::domain::market::Coin;

    #[test]
    fn a_wish_is_read_back_as_it_was_written() {
        let amount = Usdc::new(dec!(62.50));
        assert_eq!(instruction(&payload(Some(amount))), Ok(Instruction::Raise(amount)));
        let Ok(Instruction::Target(target)) = instruction(&payload(None)) else { panic!("no target") };
        assert!(Coin::ALL.iter().all(|coin| target.weight(*coin).is_zero()));
        assert!(instruction("{}").is_err());
        for wish in Wish::ALL {
            assert_eq!(Wish::from_word(wish.word()), Some(wish));
            assert!(is_reserved(&wish.name(7)));
        }
    }

    #[test]
    fn only_a_name_of_ours_is_reserved() {
        for id in ["withdrawal", "withdrawal-", "withdrawal-x", "sell-all-1b", "s1", "sell-all"] {
            assert!(!is_reserved(id), "{id}");
        }
    }
}
