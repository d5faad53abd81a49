//! La poussière : ce qui manque au compte et que personne n'aurait pu échanger.
//!
//! Convertie par la bourse, ou mangée par des frais : elle ne vaut pas qu'on dérange quelqu'un, et ne doit rien bloquer.
//! Invariant : en un jour, il ne s'en efface pas plus d'un actif que la limite ; au-delà, ce n'est plus de la poussière.

use rust_decimal::dec;

use super::money::{Price, Quantity, Usdc};

/// Ce qui peut s'effacer d'un actif en un jour.
const A_DAY: Usdc = Usdc::new(dec!(1));

/// Ce que vaut ce qui est parti, si ce n'est que de la poussière : moins d'un pas, ou presque rien ; `None` sinon, ou s'il
/// s'en est déjà effacé trop (`today`).
pub fn worth(gone: Quantity, step: Quantity, price: Price, today: Usdc) -> Option<Usdc> {
    let worth = (price * gone).ceil(8);
    let limit = A_DAY.max(price * step);
    let is_dust = gone.is_positive() && (gone < step || worth < A_DAY);
    (is_dust && today + worth <= limit).then_some(worth)
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn only_what_nobody_could_trade_is_dust_and_not_much_of_it_a_day() {
        let cases: [([Decimal; 4], Option<Decimal>); 8] = [
            ([dec!(0.0998), dec!(0.1), dec!(0.5), dec!(0)], Some(dec!(0.0499))),
            ([dec!(0.1), dec!(0.1), dec!(0.5), dec!(0)], Some(dec!(0.05))),
            ([dec!(2), dec!(0.1), dec!(0.5), dec!(0)], None),
            // Moins d'un pas, mais un pas vaut cher.
            ([dec!(0.9), dec!(1), dec!(30), dec!(0)], Some(dec!(27))),
            ([dec!(0.9), dec!(1), dec!(30), dec!(27)], None),
            // Goutte à goutte.
            ([dec!(0.5), dec!(0.1), dec!(1), dec!(0.5)], Some(dec!(0.5))),
            ([dec!(0.5), dec!(0.1), dec!(1), dec!(0.51)], None),
            ([dec!(0), dec!(0.1), dec!(1), dec!(0)], None),
        ];
        for ([gone, step, price, today], expected) in cases {
            let found = worth(Quantity::new(gone), Quantity::new(step), Price::new(price), Usdc::new(today));
            assert_eq!(found.map(Usdc::decimal), expected, "{gone} of {step} at {price} after {today}");
        }
    }
}
