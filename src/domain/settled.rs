//! Les écarts qu'une personne a réglés, et ce qu'ils expliquent d'un ordre appris après eux.

use rust_decimal::{Decimal, dec};

use super::money::{Quantity, Usdc};
use super::order::Side;

/// Ce que des frais changent à une exécution, largement.
const NEARLY: Decimal = dec!(0.01);

/// Ce qu'une personne a réglé des écarts d'un coin et des USDC depuis la fin d'un ordre : compté, ou effacé en négatif ; et ce que
/// le compte tient encore de plus que les livres.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    pub coin: Vec<Quantity>,
    pub usdc: Vec<Usdc>,
    pub coin_beyond: Quantity,
    pub usdc_beyond: Usdc,
}

impl Settled {
    /// Vrai si elle n'a rien réglé.
    pub fn is_nothing(&self) -> bool {
        self.coin.is_empty() && self.usdc.is_empty()
    }

    /// Vrai si cela explique cette exécution, à des frais près : une moitié d'elle est aux livres par ce que la personne en a dit,
    /// et bookée elle s'y compterait deux fois. L'autre a été payée d'un autre argent, ou reste un écart.
    pub fn explains(&self, side: Side, executed: Quantity, amount: Usdc) -> bool {
        let sign = match side {
            Side::Buy => Decimal::ONE,
            Side::Sell => -Decimal::ONE,
        };
        let coin = Half {
            settled: self.coin.iter().map(|found| found.decimal()).collect(),
            beyond: self.coin_beyond.decimal(),
        };
        let usdc = Half {
            settled: self.usdc.iter().map(|found| found.decimal()).collect(),
            beyond: self.usdc_beyond.decimal(),
        };
        coin.explains(sign * executed.decimal()) || usdc.explains(-sign * amount.decimal())
    }
}

/// Ce qu'une personne a réglé d'un actif, et ce que le compte en tient encore de plus que les livres.
struct Half {
    settled: Vec<Decimal>,
    beyond: Decimal,
}

impl Half {
    /// Vrai si `change`, qu'un ordre a fait de cet actif, est dans ce qui a été réglé : à lui seul, ou avec autre chose, et le compte
    /// ne l'a alors plus au-delà des livres.
    fn explains(&self, change: Decimal) -> bool {
        let least = change * (Decimal::ONE - NEARLY);
        let holds = |found: Decimal| if change.is_sign_negative() { found <= least } else { found >= least };
        let alone = self.settled.iter().any(|found| (found - change).abs() <= change.abs() * NEARLY);
        alone || (holds(self.settled.iter().sum()) && !holds(self.beyond))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Un achat de 0,1316 pour 324,93 USDC, réglé par la personne.
    fn bought(coin: &[Decimal], usdc: &[Decimal], beyond: [Decimal; 2]) -> bool {
        let settled = Settled {
            coin: coin.iter().map(|&found| Quantity::new(found)).collect(),
            usdc: usdc.iter().map(|&found| Usdc::new(found)).collect(),
            coin_beyond: Quantity::new(beyond[0]),
            usdc_beyond: Usdc::new(beyond[1]),
        };
        settled.explains(Side::Buy, Quantity::new(dec!(0.1316)), Usdc::new(dec!(324.93)))
    }

    #[test]
    fn what_was_settled_explains_a_trade_unless_the_account_still_shows_it() {
        let (even, rich) = ([dec!(0), dec!(0)], [dec!(0), dec!(4000)]);
        assert!(bought(&[dec!(0.1315)], &[dec!(-325.2)], even));
        assert!(bought(&[dec!(0.1315)], &[], rich), "paid with the money of another use");
        assert!(bought(&[dec!(0.3315)], &[], rich), "counted with his own");
        assert!(bought(&[], &[dec!(-595.41)], [dec!(0.1316), dec!(0)]), "written off with another order's");
        assert!(bought(&[dec!(0.1315)], &[], [dec!(1), dec!(4000)]), "by its own amount, beside his own");
        assert!(
            !bought(&[dec!(0.5)], &[], [dec!(0.1316), dec!(4000)]),
            "his own: the order's are still beyond the books"
        );
        assert!(!bought(&[], &[], even));
        assert!(!bought(&[dec!(-0.1316)], &[], even), "that was a sale");
        assert!(!bought(&[], &[dec!(-10)], even));
    }

    #[test]
    fn a_sale_is_explained_by_the_coins_written_off_or_the_cash_counted() {
        let sold = |coin: Decimal, usdc: Decimal| {
            let settled = Settled {
                coin: vec![Quantity::new(coin)],
                usdc: vec![Usdc::new(usdc)],
                ..Settled::default()
            };
            settled.explains(Side::Sell, Quantity::new(dec!(0.1316)), Usdc::new(dec!(324.93)))
        };
        assert!(sold(dec!(-0.2), dec!(0)) && sold(dec!(0), dec!(324.6)));
        assert!(!sold(dec!(0.1316), dec!(-324.93)), "that was a purchase");
    }
}
