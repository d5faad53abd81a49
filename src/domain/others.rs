//! Ce que nos ordres ont pris à la part du compte qui n'est pas aux livres, par actif ; négatif, ce qu'ils lui ont donné.
//!
//! Un ordre exécuté au-delà de ce que les livres tiennent est un fait : l'excès est d'autrui, payé et reçu. Invariant :
//! ce que les livres gagnent et ce qui est compté ici font ensemble, au dernier chiffre, ce que la bourse a échangé ;
//! aucun actif n'y est pour zéro.

use std::collections::BTreeMap;

use super::money::Quantity;

/// Une quantité par actif, qu'on le suive ou non.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others(BTreeMap<String, Quantity>);

impl Others {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ce qui leur a été pris de cet actif.
    pub fn of(&self, asset: &str) -> Quantity {
        self.0.get(asset).copied().unwrap_or_default()
    }

    pub fn take(&mut self, asset: &str, quantity: Quantity) {
        if quantity.is_zero() {
            return;
        }
        let taken = self.of(asset) + quantity;
        if taken.is_zero() {
            self.0.remove(asset);
        } else {
            self.0.insert(asset.to_owned(), taken);
        }
    }

    pub fn give(&mut self, asset: &str, quantity: Quantity) {
        self.take(asset, -quantity);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, Quantity)> {
        self.0.iter().map(|(asset, quantity)| (asset.as_str(), *quantity))
    }

    /// Ce qu'il faut à `before` pour devenir celui-ci.
    pub fn less(mut self, before: &Others) -> Others {
        for (asset, quantity) in before.iter() {
            self.give(asset, quantity);
        }
        self
    }

    /// Les deux ensemble.
    pub fn and(mut self, more: &Others) -> Others {
        for (asset, quantity) in more.iter() {
            self.take(asset, quantity);
        }
        self
    }
}

impl FromIterator<(String, Quantity)> for Others {
    fn from_iter<T: IntoIterator<Item = (String, Quantity)>>(quantities: T) -> Others {
        let mut others = Others::default();
        for (asset, quantity) in quantities {
            others.take(&asset, quantity);
        }
        others
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;

    #[test]
    fn what_is_given_back_leaves_no_trace() {
        let of = |quantity| Quantity::new(quantity);
        let mut others =
            Others::from_iter([("BNB".to_owned(), of(dec!(2))), ("ETH".to_owned(), of(dec!(0)))]);
        others.give("BNB", of(dec!(1.5)));
        assert_eq!(others.iter().collect::<Vec<_>>(), [("BNB", of(dec!(0.5)))]);
        others.give("BNB", of(dec!(0.5)));
        assert!(others.is_empty());
        assert_eq!(others.of("BNB"), Quantity::ZERO);
    }
}
