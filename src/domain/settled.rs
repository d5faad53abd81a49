//! Les écarts qu'une personne a réglés, et ce qu'ils expliquent d'un ordre appris après eux.

use rust_decimal::{Decimal, dec};

use super::money::{Quantity, Usdc};
use super::order::Side;

/// Ce que des frais changent à une exécution, largement.
const NEARLY: Decimal = dec!(0.01);

/// Ce qu'une personne a réglé des écarts d'un coin et des USDC : compté, ou effacé en négatif.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    pub coin: Vec<Quantity>,
    pub usdc: Vec<Usdc>,
}

impl Settled {
    /// Vrai si cela explique cette exécution, à des frais près : une moitié d'elle est aux livres par ce que la personne en a dit,
    /// et bookée elle s'y compterait deux fois. L'autre a été payée d'un autre argent, ou reste un écart.
    pub fn explains(&self, side: Side, executed: Quantity, amount: Usdc) -> bool {
        let sign = match side {
            Side::Buy => Decimal::ONE,
            Side::Sell => -Decimal::ONE,
        };
        let is = |found: Decimal, wanted: Decimal| (found - wanted).abs() <= wanted.abs() * NEARLY;
        self.coin.iter().any(|found| is(found.decimal(), sign * executed.decimal()))
            || self.usdc.iter().any(|found| is(found.decimal(), -sign * amount.decimal()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_amount_explains_a_trade() {
        let explains = |coin: &[Decimal], usdc: &[Decimal], side, executed, amount| {
            let coin = coin.iter().map(|&found| Quantity::new(found)).collect();
            let usdc = usdc.iter().map(|&found| Usdc::new(found)).collect();
            Settled { coin, usdc }.explains(side, Quantity::new(executed), Usdc::new(amount))
        };
        let bought =
            |coin: &[Decimal], usdc: &[Decimal]| explains(coin, usdc, Side::Buy, dec!(0.1316), dec!(324.93));
        assert!(bought(&[dec!(0.1315)], &[dec!(-325.2)]));
        assert!(bought(&[dec!(0.5), dec!(0.1315)], &[]), "paid with the money of another use");
        assert!(bought(&[], &[dec!(-325.2)]), "the coins are beyond the books, to be counted");
        assert!(!bought(&[dec!(0.5)], &[dec!(-10)]), "his own");
        assert!(!bought(&[dec!(-0.1316)], &[dec!(324.93)]), "that is a sale");
        assert!(explains(&[dec!(-0.1316)], &[dec!(324.6)], Side::Sell, dec!(0.1316), dec!(324.93)));
    }
}
