//! Ce qu'un ordre a échangé, et ce que chaque actif y a payé de frais : la même forme des deux côtés.

use std::collections::BTreeMap;

use crate::domain::book::Fill;
use crate::domain::execution::Execution;
use crate::domain::money::{Quantity, Usdc};

/// Les sommes d'un ordre, frais non déduits.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sums {
    quantity: Quantity,
    amount: Usdc,
    /// Par actif, sans ceux qui n'ont rien payé.
    fees: BTreeMap<String, Quantity>,
}

impl Sums {
    /// Ce que le grand livre en a.
    pub(super) fn kept(fill: &Fill) -> Sums {
        let mut sums = Sums { quantity: fill.quantity, amount: fill.amount, ..Sums::default() };
        sums.pay(fill.coin.asset(), fill.fees.coin);
        sums.pay("USDC", Quantity::new(fill.fees.usdc.decimal()));
        sums.pay("BNB", fill.fees.bnb);
        sums
    }

    /// Ce que la bourse en dit.
    pub(super) fn told(executions: &[Execution]) -> Sums {
        let mut sums = Sums {
            quantity: executions.iter().map(|execution| execution.quantity).sum(),
            amount: executions.iter().map(|execution| execution.amount).sum(),
            ..Sums::default()
        };
        for execution in executions {
            sums.pay(&execution.commission_asset, execution.commission);
        }
        sums
    }

    fn pay(&mut self, asset: &str, fee: Quantity) {
        if !fee.is_zero() {
            *self.fees.entry(asset.to_owned()).or_default() += fee;
        }
    }

    /// Ce en quoi `told`, la version de la bourse, n'est pas celle-ci ; vide si c'est la même.
    pub(super) fn differences(&self, told: &Sums) -> Vec<String> {
        let mut found = Vec::new();
        if self.quantity != told.quantity {
            found.push(format!("quantity kept {}, the exchange has {}", self.quantity, told.quantity));
        }
        if self.amount != told.amount {
            found.push(format!("USDC kept {}, the exchange has {}", self.amount, told.amount));
        }
        let fee = |sums: &Sums, asset: &str| sums.fees.get(asset).copied().unwrap_or_default();
        let mut assets: Vec<&String> = self.fees.keys().chain(told.fees.keys()).collect();
        assets.sort_unstable();
        assets.dedup();
        for asset in assets {
            let (kept, told) = (fee(self, asset), fee(told, asset));
            if kept != told {
                found.push(format!("fee in {asset} kept {kept}, the exchange has {told}"));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;
    use crate::domain::book::Fees;
    use crate::domain::market::Coin;
    use crate::domain::money::Price;
    use crate::domain::order::Side;

    /// Un achat de BNB paie en BNB, qu'il le prenne dans l'achat ou à côté : la bourse ne les distingue pas.
    #[test]
    fn the_same_order_is_the_same_on_both_sides_whatever_paid_its_fees() {
        let fees = Fees {
            coin: Quantity::new(dec!(0.001)),
            usdc: Usdc::new(dec!(0.5)),
            bnb: Quantity::new(dec!(0.002)),
            bnb_price: Price::new(dec!(600)),
        };
        let (quantity, amount) = (Quantity::new(dec!(3.0)), Usdc::new(dec!(300)));
        let price = Price::new(dec!(100));
        let fill = Fill { coin: Coin::Bnb, side: Side::Buy, quantity, price, amount, fees };
        let told = [
            Execution::example(dec!(1), dec!(0.003), "BNB"),
            Execution::example(dec!(1), dec!(0.50), "USDC"),
            Execution::example(dec!(1), dec!(0), "ETH"),
        ];
        assert_eq!(Sums::kept(&fill).differences(&Sums::told(&told)), Vec::<String>::new());
        let expected = [
            "quantity kept 3, the exchange has 2",
            "USDC kept 300, the exchange has 200",
            "fee in USDC kept 0.5, the exchange has 0",
        ];
        let told =
            [Execution::example(dec!(1), dec!(0.003), "BNB"), Execution::example(dec!(1), dec!(0), "USDC")];
        assert_eq!(Sums::kept(&fill).differences(&Sums::told(&told)), expected);
    }
}
