//! Le retour d'une bourse que l'on n'atteignait pas : ce qu'elle taisait se refait dès qu'une lecture revient, une fois.
//!
//! Invariant : rien n'est avancé deux fois par une même sorte de lecture sans que l'une d'elles ait manqué entre-temps ; ce qui
//! manque pour une autre raison que le réseau garde son rythme.

/// Ce qui se lit de la bourse à chaque tour, et dit si elle répond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Prices,
    Account,
}

/// Une chose qui a peut-être manqué faute de réponse.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Comeback {
    unreached: bool,
    /// Les lectures déjà revenues, dans l'ordre de [`Heard`].
    back: [bool; 2],
}

impl Comeback {
    /// La chose vient d'être essayée ; `unreached` : elle n'a manqué que faute de réponse.
    pub fn tried(&mut self, unreached: bool) {
        if !self.unreached {
            self.back = [false; 2];
        }
        self.unreached = unreached;
    }

    /// Une lecture est revenue, ou a manqué ; vrai si la chose est à refaire sans attendre.
    pub fn heed(&mut self, heard: Heard, answered: bool) -> bool {
        let was_back = std::mem::replace(&mut self.back[heard as usize], answered);
        self.unreached && answered && !was_back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_reached_is_tried_again_once_for_each_reading_that_comes_back() {
        let mut comeback = Comeback::default();
        assert!(!comeback.heed(Heard::Prices, true), "nothing was missing");
        comeback.tried(true);
        assert!(comeback.heed(Heard::Prices, true), "the outage was shorter than a poll");
        comeback.tried(true);
        assert!(!comeback.heed(Heard::Prices, true), "it has been tried again already");
        assert!(comeback.heed(Heard::Account, true), "the account comes back after the prices");
        comeback.tried(true);
        assert!(!comeback.heed(Heard::Account, true));
        assert!(
            !comeback.heed(Heard::Account, false) && comeback.heed(Heard::Account, true),
            "gone, and back"
        );
        comeback.tried(false);
        assert!(
            !comeback.heed(Heard::Account, false) && !comeback.heed(Heard::Account, true),
            "another fault"
        );
    }
}
