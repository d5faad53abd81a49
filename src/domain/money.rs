//! L'argent : un type par dimension, des décimaux exacts, et seulement les opérations qui ont un sens.
//!
//! | opération | résultat | arrondi |
//! |---|---|---|
//! | `Price × Quantity` | `Usdc` | aucun |
//! | `Usdc ÷ Price` | `Quantity` | vers le bas, 8 décimales |
//! | `Eur × Rate` | `Usdc` | vers le bas, 8 décimales |
//! | `Usdc ÷ Rate` | `Eur` | vers le bas, 8 décimales |
//! | `Usdc ÷ Usdc` | `Weight` | 28 chiffres |
//!
//! Invariant : une valeur lue du dehors passe par `parse`, qui borne grandeur et décimales ; aucune
//! opération d'ici ne peut donc déborder. `f64` n'apparaît qu'à la sortie, pour être affiché.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// Décimales que la bourse tient pour ses montants (`quoteAssetPrecision`, `baseAssetPrecision`).
const PLACES: u32 = 8;

/// Au-delà, ce n'est plus un nombre de ce métier ; en deçà, aucun produit ne déborde `Decimal`.
const LIMIT: i64 = 1_000_000_000_000;

/// Le texte n'est pas un montant utilisable : illisible, hors bornes ou trop précis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnAmount(String);

impl fmt::Display for NotAnAmount {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "not a usable amount: {:?}", self.0)
    }
}

fn parse(text: &str) -> Result<Decimal, NotAnAmount> {
    let refused = || NotAnAmount(text.chars().take(40).collect());
    // `Decimal` accepterait aussi un `+` et des `_`.
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte)) {
        return Err(refused());
    }
    let value = Decimal::from_str_exact(text).map_err(|_| refused())?;
    let value = value.normalize();
    if value.scale() > 12 || value.abs() > Decimal::from(LIMIT) {
        return Err(refused());
    }
    Ok(value)
}

fn floor(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::ToNegativeInfinity)
}

fn ceil(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::ToPositiveInfinity)
}

/// Au plus près, comme la page (`Intl.NumberFormat`) ; zéro n'a pas de signe.
fn nearest(value: Decimal, places: usize) -> Decimal {
    let places = u32::try_from(places).unwrap_or(PLACES);
    let nearest = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    if nearest.is_zero() { Decimal::ZERO } else { nearest }
}

macro_rules! dimension {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(Decimal);

        impl $name {
            pub const ZERO: $name = $name(Decimal::ZERO);

            /// Valeur écrite dans le code ou déjà bornée.
            pub const fn new(value: Decimal) -> Self {
                $name(value)
            }

            /// Lit un décimal exact ; refuse l'exposant, le signe `+`, l'infini et ce qui déborde.
            pub fn parse(text: &str) -> Result<Self, NotAnAmount> {
                parse(text).map($name)
            }

            pub fn decimal(self) -> Decimal {
                self.0
            }

            /// Pour l'affichage et les métriques seulement.
            pub fn to_f64(self) -> f64 {
                self.0.to_f64().unwrap_or(f64::NAN)
            }

            pub fn is_zero(self) -> bool {
                self.0.is_zero()
            }

            pub fn is_positive(self) -> bool {
                self.0 > Decimal::ZERO
            }

            /// Arrondi vers moins l'infini à `places` décimales.
            pub fn floor(self, places: u32) -> Self {
                $name(floor(self.0, places))
            }

            /// Arrondi vers plus l'infini à `places` décimales.
            pub fn ceil(self, places: u32) -> Self {
                $name(ceil(self.0, places))
            }

            /// Multiplie par un nombre sans dimension.
            pub fn times(self, factor: Decimal) -> Self {
                $name(self.0 * factor)
            }
        }

        impl fmt::Display for $name {
            /// Aux décimales demandées, le même chiffre que la page : au plus près, et une moitié s'éloigne de zéro. Une limite s'arrondit
            /// d'abord du côté où elle tient.
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                match f.precision() {
                    Some(places) => write!(f, "{:.*}", places, nearest(self.0, places)),
                    None => write!(f, "{}", self.0.normalize()),
                }
            }
        }

        impl Add for $name {
            type Output = $name;
            fn add(self, other: $name) -> $name {
                $name(self.0 + other.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: $name) {
                self.0 += other.0;
            }
        }

        impl Sub for $name {
            type Output = $name;
            fn sub(self, other: $name) -> $name {
                $name(self.0 - other.0)
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: $name) {
                self.0 -= other.0;
            }
        }

        impl Neg for $name {
            type Output = $name;
            fn neg(self) -> $name {
                $name(-self.0)
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = $name>>(values: I) -> $name {
                values.fold($name::ZERO, |total, value| total + value)
            }
        }
    };
}

dimension!(
    /// Une quantité d'une crypto-monnaie.
    Quantity
);
dimension!(
    /// Un prix : USDC pour une unité de la crypto-monnaie.
    Price
);
dimension!(
    /// Un montant en USDC.
    Usdc
);
dimension!(
    /// Un montant en euros.
    Eur
);
dimension!(
    /// Le cours de l'euro : USDC pour 1 EUR (le prix de la paire EURUSDC).
    Rate
);
dimension!(
    /// Une part d'un tout : 0,15 est 15 %.
    Weight
);
dimension!(
    /// Un rendement : 0,15 est un gain de 15 %, −1 une perte de tout.
    Return
);

impl Price {
    /// Le plus grand multiple du pas de cotation qui ne dépasse pas le prix ; un pas nul laisse huit décimales.
    pub fn floor_to_tick(self, tick: Price) -> Price {
        if tick.is_zero() {
            return self.floor(PLACES);
        }
        Price(self.0.checked_div(tick.0).unwrap_or_default().floor() * tick.0)
    }

    /// Le plus petit multiple du pas de cotation qui n'est pas sous le prix ; un pas nul laisse huit décimales.
    pub fn ceil_to_tick(self, tick: Price) -> Price {
        let floor = self.floor_to_tick(tick);
        match floor < self {
            true if tick.is_zero() => self.ceil(PLACES),
            true => floor + tick,
            false => floor,
        }
    }
}

impl Mul<Quantity> for Price {
    type Output = Usdc;
    fn mul(self, quantity: Quantity) -> Usdc {
        Usdc(self.0 * quantity.0)
    }
}

impl Quantity {
    /// Le plus grand multiple de `step` qui ne dépasse pas la quantité ; un pas nul n'arrondit pas, un pas
    /// trop fin pour être compté ne laisse rien.
    pub fn floor_to_step(self, step: Quantity) -> Quantity {
        if step.0.is_zero() {
            return self;
        }
        Quantity(self.0.checked_div(step.0).unwrap_or_default().floor() * step.0)
    }

    /// Le plus petit multiple de `step` qui n'est pas en dessous de la quantité ; un pas nul n'arrondit pas.
    pub fn ceil_to_step(self, step: Quantity) -> Quantity {
        let floor = self.floor_to_step(step);
        if floor < self { floor + step } else { floor }
    }
}

impl Usdc {
    /// Ce que ce montant achète à ce prix, à la huitième décimale inférieure ; rien à prix nul.
    pub fn buys_at(self, price: Price) -> Quantity {
        Quantity(floor(self.0.checked_div(price.0).unwrap_or_default(), PLACES))
    }

    /// La contre-valeur en euros ; rien à cours nul.
    pub fn to_eur(self, rate: Rate) -> Eur {
        Eur(floor(self.0.checked_div(rate.0).unwrap_or_default(), PLACES))
    }

    pub fn abs(self) -> Usdc {
        Usdc(self.0.abs())
    }

    /// La part que ce montant représente dans `total` ; nulle si `total` l'est.
    pub fn share_of(self, total: Usdc) -> Weight {
        Weight(self.0.checked_div(total.0).unwrap_or_default())
    }

    /// Cette part de ce montant.
    pub fn part(self, weight: Weight) -> Usdc {
        Usdc(self.0 * weight.0)
    }

    /// Le prix moyen d'une quantité qui a coûté ce montant ; aucun si elle est nulle.
    pub fn per(self, quantity: Quantity) -> Option<Price> {
        self.0.checked_div(quantity.0).map(Price)
    }
}

impl Eur {
    /// La contre-valeur en USDC, à la huitième décimale inférieure.
    pub fn to_usdc(self, rate: Rate) -> Usdc {
        Usdc(floor(self.0 * rate.0, PLACES))
    }
}

impl Weight {
    pub fn abs(self) -> Weight {
        Weight(self.0.abs())
    }

    /// En pour cent, pour les phrases.
    pub fn percent(self) -> Decimal {
        (self.0 * Decimal::ONE_HUNDRED).round_dp(2).normalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_that_are_no_plain_decimal_are_refused() {
        for text in [
            "",
            "NaN",
            "inf",
            "1e-5",
            "0,001",
            "1 000",
            "1000000000001",
            "0.0000000000001",
            "--1",
            "+1",
            "1_000",
        ] {
            assert!(Usdc::parse(text).is_err(), "{text:?} was accepted");
        }
        assert_eq!(Usdc::parse("68012.34000000").unwrap().to_string(), "68012.34");
    }

    #[test]
    fn a_quantity_is_floored_to_its_step() {
        let cases = [
            ("0.00036999", "0.00001", "0.00036"),
            ("0.789", "0.001", "0.789"),
            ("0.0009", "0.001", "0"),
            ("5", "0", "5"),
            ("1000000000000", "0.000000000001", "1000000000000"),
        ];
        for (quantity, step, expected) in cases {
            let floored = Quantity::parse(quantity).unwrap().floor_to_step(Quantity::parse(step).unwrap());
            assert_eq!(floored.to_string(), expected, "{quantity} by {step}");
        }
        let (sum, step) =
            (Quantity::new(Decimal::from(u64::MAX)), Quantity::parse("0.000000000001").unwrap());
        assert_eq!(sum.floor_to_step(step), Quantity::ZERO);
    }

    /// Les mêmes, chiffre pour chiffre, que ceux que `tests/page/format.test.mjs` attend de la page.
    #[test]
    fn an_amount_that_is_told_is_the_figure_that_the_page_shows() {
        for (amount, told) in [
            ("390.0055", "390.01"),
            ("297.785", "297.79"),
            ("297.7849", "297.78"),
            ("1.005", "1.01"),
            ("-1.005", "-1.01"),
            ("-0.004", "0.00"),
            ("12", "12.00"),
        ] {
            assert_eq!(format!("{:.2}", Eur::parse(amount).unwrap()), told, "{amount}");
        }
        assert_eq!(format!("{:.0}", Eur::parse("4.5").unwrap()), "5");
    }

    #[test]
    fn euros_and_usdc_never_gain_by_a_round_trip() {
        let rate = Rate::parse("1.08337").unwrap();
        for text in ["100", "0.01", "33.33", "99999.99"] {
            let eur = Eur::parse(text).unwrap();
            assert!(eur.to_usdc(rate).to_eur(rate) <= eur);
        }
    }
}
