//! Ce qu'un ordre a échangé, et ce que chaque actif y a payé de frais : la même forme des deux côtés.

use crate::domain::book::Fill;
use crate::domain::execution::Executions;
use crate::domain::money::Quantity;
use crate::domain::reconcile::CASH;

/// Ce que le grand livre a d'un ordre, comme la bourse le dirait.
pub(super) fn kept(fill: &Fill) -> Executions {
    let Fill { coin, quantity, amount, ref fees, .. } = *fill;
    let mut kept = Executions { quantity, amount, ..Executions::default() };
    kept.pay(coin.asset(), fees.coin);
    kept.pay(CASH, Quantity::new(fees.usdc.decimal()));
    kept.pay("BNB", fees.bnb);
    for fee in &fees.apart {
        kept.pay(&fee.asset, fee.quantity);
    }
    kept
}

/// Ce en quoi `told`, la version de la bourse, n'est pas `kept` ; vide si c'est la même.
pub(super) fn differences(kept: &Executions, told: &Executions) -> Vec<String> {
    let mut found = Vec::new();
    if kept.quantity != told.quantity {
        found.push(format!("quantity kept {}, the exchange has {}", kept.quantity, told.quantity));
    }
    if kept.amount != told.amount {
        found.push(format!("USDC kept {}, the exchange has {}", kept.amount, told.amount));
    }
    let fee = |sums: &Executions, asset: &str| sums.commissions.get(asset).copied().unwrap_or_default();
    let mut assets: Vec<&String> = kept.commissions.keys().chain(told.commissions.keys()).collect();
    assets.sort_unstable();
    assets.dedup();
    for asset in assets {
        let (kept, told) = (fee(kept, asset), fee(told, asset));
        if kept != told {
            found.push(format!("fee in {asset} kept {kept}, the exchange has {told}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;
    use crate::domain::book::{FeeApart, Fees};
    use crate::domain::execution::Execution;
    use crate::domain::market::Coin;
    use crate::domain::money::{Price, Usdc};
    use crate::domain::order::Side;

    /// Un achat de BNB paie en BNB, qu'il le prenne dans l'achat ou à côté : la bourse ne les distingue pas.
    #[test]
    fn the_same_order_is_the_same_on_both_sides_whatever_paid_its_fees() {
        let fees = Fees {
            coin: Quantity::new(dec!(0.001)),
            usdc: Usdc::new(dec!(0.5)),
            bnb: Quantity::new(dec!(0.002)),
            bnb_price: Price::new(dec!(600)),
            apart: vec![FeeApart { asset: "FDUSD".to_owned(), quantity: Quantity::new(dec!(0.2)) }],
        };
        let (quantity, amount) = (Quantity::new(dec!(3.0)), Usdc::new(dec!(300)));
        let price = Price::new(dec!(100));
        let fill = Fill { coin: Coin::Bnb, side: Side::Buy, quantity, price, amount, fees };
        let found = |told: &[Execution]| differences(&kept(&fill), &told.iter().collect());
        let told = [
            Execution::example(dec!(1), dec!(0.003), "BNB"),
            Execution::example(dec!(1), dec!(0.50), "USDC"),
            Execution::example(dec!(0.5), dec!(0), "ETH"),
            Execution::example(dec!(0.5), dec!(0.2), "FDUSD"),
        ];
        assert_eq!(found(&told), Vec::<String>::new());
        let expected = [
            "quantity kept 3, the exchange has 2",
            "USDC kept 300, the exchange has 200",
            "fee in DOGE kept 0, the exchange has 7",
            "fee in FDUSD kept 0.2, the exchange has 0",
            "fee in USDC kept 0.5, the exchange has 0",
        ];
        let told =
            [Execution::example(dec!(1), dec!(0.003), "BNB"), Execution::example(dec!(1), dec!(7), "DOGE")];
        assert_eq!(found(&told), expected);
    }
}
