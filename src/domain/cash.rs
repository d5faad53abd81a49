//! Le cash que l'on peut prendre : celui des livres, moins ce que des achats dont l'issue n'est pas connue ont peut-être
//! déjà dépensé, moins ce qu'une personne veut reprendre.
//!
//! La seule définition : un plan n'achète qu'avec lui, et une personne ne reprend que lui.

use super::money::Usdc;

/// Le cash des livres, et ce qui n'en est plus à prendre.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cash {
    pub booked: Usdc,
    /// Ce que les achats en doute dépenseraient.
    pub reserved: Usdc,
    /// Ce qu'un retrait ouvert veut, réuni ou pas encore : il peut dépasser le cash.
    pub aside: Usdc,
}

impl Cash {
    /// Ce qui est là, quoi qu'il advienne de ces achats et de ce retrait ; jamais négatif.
    pub fn free(self) -> Usdc {
        (self.booked - self.reserved - self.aside).max(Usdc::ZERO)
    }

    /// Ce qui suit le leader ; négatif tant que des ventes doivent encore réunir ce qu'une personne reprend.
    pub fn followed(self) -> Usdc {
        self.booked - self.aside
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;

    #[test]
    fn what_may_be_spent_already_or_is_set_aside_is_not_free() {
        for (booked, reserved, aside, free, followed) in [
            (dec!(100), dec!(0), dec!(0), dec!(100), dec!(100)),
            (dec!(100), dec!(70), dec!(0), dec!(30), dec!(100)),
            (dec!(100), dec!(100.01), dec!(0), dec!(0), dec!(100)),
            (dec!(100), dec!(10), dec!(62.5), dec!(27.5), dec!(37.5)),
            (dec!(100), dec!(0), dec!(250), dec!(0), dec!(-150)),
            // Une exécution apprise tard a pu prendre plus que ce qui était là.
            (dec!(-3), dec!(0), dec!(0), dec!(0), dec!(-3)),
        ] {
            let [booked, reserved, aside] = [booked, reserved, aside].map(Usdc::new);
            let cash = Cash { booked, reserved, aside };
            assert_eq!((cash.free(), cash.followed()), (Usdc::new(free), Usdc::new(followed)), "{cash:?}");
        }
    }
}
