//! Le cash que l'on peut prendre : celui des livres, moins ce que des achats dont l'issue n'est pas connue ont peut-être
//! déjà dépensé.
//!
//! La seule définition : un plan n'achète qu'avec lui, et une personne ne reprend que lui.

use super::money::Usdc;

/// Le cash des livres, et la part qui en est peut-être déjà partie.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cash {
    pub booked: Usdc,
    /// Ce que les achats en doute dépenseraient.
    pub reserved: Usdc,
}

impl Cash {
    /// Ce qui est là, quoi qu'il advienne de ces achats ; jamais négatif.
    pub fn free(self) -> Usdc {
        (self.booked - self.reserved).max(Usdc::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;

    #[test]
    fn what_may_be_spent_already_is_not_free() {
        for (booked, reserved, free) in [
            (dec!(100), dec!(0), dec!(100)),
            (dec!(100), dec!(70), dec!(30)),
            (dec!(100), dec!(100.01), dec!(0)),
            // Une exécution apprise tard a pu prendre plus que ce qui était là.
            (dec!(-3), dec!(0), dec!(0)),
        ] {
            let cash = Cash { booked: Usdc::new(booked), reserved: Usdc::new(reserved) };
            assert_eq!(cash.free(), Usdc::new(free), "{cash:?}");
        }
    }
}
