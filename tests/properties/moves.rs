//! L'argent qui vient et part : un aller et retour ne perd ni ne gagne rien, et la poussière d'un jour est bornée.

use calvalot::domain::book;
use calvalot::domain::cash::Cash;
use calvalot::domain::dust;
use calvalot::domain::market::{Coin, PerCoin};
use calvalot::domain::money::{Price, Quantity, Rate, Usdc};
use calvalot::domain::movement::{Kind, Moved, Movement};
use calvalot::domain::portfolio::{Holdings, Position};
use calvalot::domain::survival::{self, Reading};
use proptest::prelude::*;
use rust_decimal::{Decimal, dec};

fn amount(most: i64) -> impl Strategy<Value = Decimal> {
    (0..most).prop_map(|units| Decimal::new(units, 8))
}

fn holdings() -> impl Strategy<Value = Holdings> {
    let position = (amount(10_000_000_000), amount(1_000_000_000_000)).prop_map(|(quantity, invested)| {
        let invested = if quantity.is_zero() { Decimal::ZERO } else { invested };
        Position { quantity: Quantity::new(quantity), invested: Usdc::new(invested) }
    });
    (prop::array::uniform5(position), amount(1_000_000_000_000)).prop_map(|(positions, cash)| Holdings {
        positions: PerCoin::from_fn(|coin| positions[coin as usize]),
        cash: Usdc::new(cash),
    })
}

fn rate() -> impl Strategy<Value = Rate> {
    (5000i64..20_000).prop_map(|rate| Rate::new(Decimal::new(rate, 4)))
}

proptest! {
    /// Compter un coin, puis le dire parti, rend les quantités et les euros, et ne rend pas un prix de revient négatif.
    #[test]
    fn what_is_counted_and_written_off_leaves_what_was_there(
        before in holdings(), quantity in amount(1_000_000_000), price in 1i64..20_000_000, rate in rate()
    ) {
        prop_assume!(!quantity.is_zero());
        let (coin, quantity) = (Coin::Sol, Quantity::new(quantity));
        let worth = (Price::new(Decimal::new(price, 2)) * quantity).floor(8);
        let come = Movement::of_coin(Kind::Count, Moved { coin, quantity, worth }, rate);
        let gone = Movement::of_coin(Kind::WriteOff, Moved { coin, quantity: -quantity, worth }, rate);
        let after = book::moved(&book::moved(&before, &come), &gone);
        prop_assert_eq!(after.cash, before.cash);
        for other in Coin::ALL {
            prop_assert_eq!(after.positions[other].quantity, before.positions[other].quantity);
        }
        let position = after.positions[coin];
        prop_assert!(position.invested >= Usdc::ZERO);
        prop_assert!(!position.quantity.is_zero() || position.invested.is_zero());
        // Les arrondis sont contre nous : un aller et retour ne crée pas d'euros.
        let made = come.eur + gone.eur;
        prop_assert!(!made.is_positive() && -made.decimal() <= dec!(0.00000001), "{made}");
    }

    /// Ce qui est compté en USDC l'est exactement, et ne vaut jamais plus d'euros qu'il n'en vient.
    #[test]
    fn usdc_are_counted_exactly_and_never_worth_more_than_they_are(usdc in amount(1_000_000_000_000), rate in rate()) {
        let usdc = Usdc::new(usdc);
        let movement = Movement::of_usdc(Kind::Count, usdc, rate);
        prop_assert_eq!(movement.usdc, usdc);
        prop_assert!(movement.eur.to_usdc(rate) <= usdc);
    }

    /// Quels que soient les manques d'un jour, ce qui s'en efface est borné par la limite, ou par un pas qui vaut plus.
    #[test]
    fn the_dust_of_a_day_is_bounded(
        gone in prop::collection::vec(amount(500_000_000), 1..40), price in 1i64..10_000_000, places in 0u32..6
    ) {
        let (price, step) = (Price::new(Decimal::new(price, 4)), Quantity::new(Decimal::new(1, places)));
        let limit = Usdc::new(dec!(1)).max(price * step);
        let mut today = Usdc::ZERO;
        for gone in gone {
            if let Some(worth) = dust::worth(Quantity::new(gone), step, price, today) {
                prop_assert!(worth >= Usdc::ZERO);
                today += worth;
            }
        }
        prop_assert!(today <= limit, "{today} of {limit}");
    }

    /// Le cash libre n'est ni négatif, ni plus que ce qui resterait si tous les achats en doute avaient eu lieu.
    #[test]
    fn free_cash_survives_every_order_in_doubt(booked in -1_000i64..1_000_000, spends in prop::collection::vec(0i64..100_000, 0..6)) {
        let reserved: Usdc = spends.iter().map(|spend| Usdc::new(Decimal::new(*spend, 2))).sum();
        let cash = Cash { booked: Usdc::new(Decimal::new(booked, 2)), reserved, aside: Usdc::ZERO };
        let left = cash.booked - cash.free() - reserved;
        prop_assert!(cash.free() >= Usdc::ZERO);
        prop_assert!(cash.free().is_zero() || left >= Usdc::ZERO);
    }

    /// Une lecture isolée, un carnet démenti ou non confirmé ne mènent jamais à la mort.
    #[test]
    fn fewer_than_five_low_readings_in_a_row_never_kill(readings in prop::collection::vec(0u8..3, 0..60)) {
        let (mut low, mut run) = (0, 0);
        for reading in readings {
            let reading = [Reading::Well, Reading::Low, Reading::Unproved][reading as usize];
            low = survival::count(low, reading);
            run = match reading {
                Reading::Well => 0,
                Reading::Low => run + 1,
                Reading::Unproved => run,
            };
            prop_assert_eq!(low >= survival::READINGS, run >= 5);
        }
    }
}
