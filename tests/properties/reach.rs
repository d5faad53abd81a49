//! Ce qu'un capital permet de suivre : ce qui est annoncé est ce que les plans atteignent, exécutés et mesurés à part.

use calvalot::domain::market::{Pair, Pairs};
use calvalot::domain::money::{Eur, Quantity, Weight};
use calvalot::domain::portfolio::Holdings;
use calvalot::domain::reach::{Reach, reach};
use calvalot::domain::signal::Instruction;
use rust_decimal::{Decimal, dec};

use super::approach::{drift, number, usual_case};
use super::{Case, THRESHOLD, pair_of, run};

/// Plus en version finale (`.ci/run`).
const CASES: u64 = if cfg!(debug_assertions) { 400 } else { 10_000 };

/// Ce dont ce qui s'exécute diffère de ce qui est prévu : les centimes et les pas des arrondis.
const ROUNDING: f64 = 0.0002;

/// Le capital de deux chiffres juste au-dessous ; `None` sous le plus petit.
fn below(capital: Decimal) -> Option<Decimal> {
    let unit = [1, 10, 100, 1000].map(Decimal::from).into_iter().rfind(|unit| *unit * dec!(10) < capital)?;
    Some(capital - unit)
}

/// Les dix capitaux de deux chiffres qui le suivent.
fn above(capital: Decimal) -> impl Iterator<Item = Decimal> {
    std::iter::successors(Some(capital), |capital| {
        let unit =
            [1, 10, 100, 1000].map(Decimal::from).into_iter().rfind(|unit| *unit * dec!(10) <= *capital)?;
        Some(*capital + unit).filter(|next| *next < dec!(100_000))
    })
    .skip(1)
    .take(10)
}

/// Le même suiveur, sans rien que ce capital en cash.
fn with_only(case: &Case, capital: Decimal) -> Case {
    let cash = Eur::new(capital).to_usdc(case.market.rate);
    Case { holdings: Holdings { cash, ..Holdings::default() }, ..case.clone() }
}

#[test]
fn what_is_told_is_what_plans_reach_and_a_little_less_capital_does_not() {
    let mut enoughs = 0;
    for seed in 0..CASES {
        let mut case = usual_case(&mut fastrand::Rng::with_seed(seed));
        let Instruction::Target(target) = case.instruction else { panic!("a target") };
        let threshold = Weight::new(THRESHOLD);
        let hindered = reach(&target, &case.holdings, &case.market, threshold);
        // Une pause ou un plafond n'est pas une affaire de capital : rien n'en change ce qui est annoncé.
        case.market.pairs = Pairs::all(|coin| {
            let Pair { quote, mut rules } = pair_of(&case.market, coin).clone();
            (rules.halted, rules.max_notional) = (None, None);
            rules.max_quantity = Quantity::new(dec!(1_000_000_000));
            Pair { quote, rules }
        });
        let found = reach(&target, &case.holdings, &case.market, threshold);
        assert_eq!(found, hindered, "seed {seed}");
        let Some(Reach { followed, enough, .. }) = found else { continue };
        let reached = 1.0 - drift(&case, &run(&case).after);
        let told = number(followed.decimal());
        assert!((reached - told).abs() < ROUNDING, "seed {seed}: {reached} reached, {told} told");
        let Some(enough) = enough.map(Eur::decimal) else { continue };
        enoughs += 1;
        let reached = |capital: Decimal| {
            let case = with_only(&case, capital);
            1.0 - drift(&case, &run(&case).after)
        };
        let with = reached(enough);
        assert!(with > 0.99 - ROUNDING, "seed {seed}: {with} with {enough} EUR");
        for more in above(enough) {
            let with = reached(more);
            assert!(with > 0.99 - ROUNDING, "seed {seed}: {with} with {more} EUR, told {enough}");
        }
        if let Some(less) = below(enough) {
            let without = reached(less);
            assert!(without < 0.99 + ROUNDING, "seed {seed}: {without} with {less} EUR, told {enough}");
        }
    }
    assert!(enoughs > CASES / 4, "only {enoughs} of {CASES} have a capital that is enough");
}
