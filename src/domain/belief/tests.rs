//! Une lecture, puis des suites de lectures : ce qui est cru, et ce que personne ne croit.

use proptest::prelude::*;

use super::*;
use crate::domain::moment::Moment;

const NOW: Moment = Moment(1_790_000_000_000);

fn reading(mid: Decimal, seconds_ago: i64) -> Reading<Quote> {
    let price = Price::new(mid);
    Reading {
        value: Quote::new(price, price).expect("it is a price"),
        at: Moment(NOW.0 - seconds_ago * 1000),
    }
}

/// Ce qu'il en est de `shown`, après `last`, qu'un témoin disait aussi, et `first`, à tant de secondes, quand les témoins disent
/// cela.
fn rule(
    shown: Decimal,
    last: Option<(Decimal, i64)>,
    first: Option<(Decimal, i64)>,
    average: Option<Decimal>,
    trades: &[Decimal],
) -> Ruling {
    let shown = reading(shown, 0);
    let [last, first] = [last, first].map(|read| read.map(|(mid, ago)| reading(mid, ago)));
    let anchor = last.as_ref().map(confirmed);
    let claim = Claim {
        pair: "BTCUSDC",
        shown: &shown,
        last: last.as_ref(),
        anchor: anchor.as_ref(),
        first: first.as_ref(),
        near: NEAR,
        gap: SECOND_READING,
    };
    hear(&claim, average, trades)
}

/// Le prix d'une lecture, tel qu'un témoin le dirait au même instant.
fn confirmed(reading: &Reading<Quote>) -> Reading<Price> {
    Reading { value: reading.value.mid(), at: reading.at }
}

/// Ce qu'il en est quand les témoins disent cela, chacun demandé une fois au plus.
fn hear(claim: &Claim, average: Option<Decimal>, trades: &[Decimal]) -> Ruling {
    let mut heard = Testimony::default();
    loop {
        match claim.rule(&heard) {
            Ruling::Ask(Witness::Average) => {
                assert!(heard.average.is_none(), "asked twice");
                heard.average = Some(average.map(Price::new).ok_or_else(|| "no answer".to_owned()));
            }
            Ruling::Ask(Witness::Trades) => {
                assert!(heard.trades.is_none(), "asked twice");
                heard.trades = Some(Ok(trades.iter().copied().map(Price::new).collect()));
            }
            ruling => return ruling,
        }
    }
}

#[test]
fn a_price_is_believed_when_two_agree() {
    let (last, here) = (Some((dec!(100), 120)), dec!(100));
    let old = Some((dec!(100), 181));
    let crash = [dec!(60.3), dec!(59.8), dec!(60.1), dec!(99), dec!(60)];
    let cases = [
        ("near the last", dec!(103), last, None, None, vec![], true),
        ("away, and the average says so too", dec!(104), last, None, Some(dec!(102)), vec![], true),
        ("away, once", dec!(60), last, None, Some(here), crash.to_vec(), false),
        ("away, twice too soon", dec!(60), last, Some((dec!(60.2), 9)), Some(here), crash.to_vec(), false),
        ("a crash", dec!(60), last, Some((dec!(60.2), 10)), Some(here), crash.to_vec(), true),
        ("another price", dec!(60), last, Some((dec!(61), 10)), Some(here), crash.to_vec(), false),
        ("the trades deny it", dec!(60), last, Some((dec!(60.2), 10)), Some(here), vec![here; 5], false),
        ("no trade is known", dec!(60), last, Some((dec!(60.2), 10)), Some(here), vec![], false),
        ("the average is silent", dec!(60), last, Some((dec!(60.2), 10)), None, crash.to_vec(), false),
        ("near one that is too old", dec!(103), old, None, Some(dec!(60)), vec![], false),
        ("the first ever", dec!(100), None, None, Some(dec!(98)), vec![], true),
        ("the first ever, alone", dec!(100), None, None, Some(dec!(90)), vec![], false),
    ];
    for (what, shown, last, first, average, trades, believed) in cases {
        let ruling = rule(shown, last, first, average, &trades);
        assert_eq!(matches!(ruling, Ruling::Believed(_)), believed, "{what}: {ruling:?}");
    }
}

#[test]
fn a_person_reads_how_far_away_it_is() {
    let (last, average) = (Some((dec!(100), 60)), Some(dec!(100)));
    let told = |shown, average| match rule(shown, last, None, average, &[]) {
        Ruling::Doubted(reason) => reason,
        ruling => panic!("{ruling:?}"),
    };
    let second = "its average price: not believed yet, a second reading must say the same";
    let cases = [
        (dec!(1003), "10 times"),
        (dec!(100_000), "1000 times"),
        (dec!(1), "0.01 times"),
        (dec!(0.00000001), "0.0000000001 times"),
        (dec!(107), "7 % above"),
        (dec!(60), "40 % below"),
    ];
    for (shown, how) in cases {
        assert_eq!(told(shown, average), format!("BTCUSDC shows {how} {second}"));
    }
    assert_eq!(
        told(dec!(1000), None),
        "BTCUSDC shows 10 times its last price and cannot be compared with its average price: not believed yet \
         (no answer)"
    );
}

/// Ce qu'un suiveur retient d'un cours, de lecture en lecture.
#[derive(Default)]
struct Memory {
    last: Option<Reading<Quote>>,
    anchor: Option<Reading<Price>>,
    first: Option<Reading<Quote>>,
}

impl Memory {
    /// Lit `shown` tant de secondes après le début ; vrai si c'est cru.
    fn read(
        &mut self,
        shown: Decimal,
        seconds: i64,
        near: Decimal,
        average: Option<Decimal>,
        trades: &[Decimal],
    ) -> bool {
        let shown = reading(shown, -seconds);
        let claim = Claim {
            pair: "BTCUSDC",
            shown: &shown,
            last: self.last.as_ref(),
            anchor: self.anchor.as_ref(),
            first: self.first.as_ref(),
            near,
            gap: SECOND_READING,
        };
        match hear(&claim, average, trades) {
            Ruling::Believed(said) => {
                let said = said.map(|value| Reading { value, at: shown.at });
                *self = Memory { anchor: said.or(self.anchor.take()), last: Some(shown), first: None };
                true
            }
            _ => {
                let Doubt { last, first } = claim.doubt();
                (self.last, self.first) = (last, Some(first));
                false
            }
        }
    }
}

#[test]
fn a_lie_goes_no_further_in_small_steps_than_in_a_large_one() {
    for (step, near) in [(dec!(1.009), NEAR_EURO), (dec!(1.015), NEAR), (dec!(0.985), NEAR)] {
        for average in [Some(dec!(100)), None] {
            let (mut memory, mut shown) = (Memory::default(), dec!(100));
            assert!(memory.read(shown, 0, near, Some(shown), &[]));
            for poll in 1..60 {
                shown = (shown * step).round_dp(8);
                let believed = memory.read(shown, poll * 60, near, average, &[dec!(100); 5]);
                let truly = (shown - dec!(100)).abs() <= near * dec!(100);
                assert_eq!(believed, truly, "{shown}, while the average is {average:?}");
            }
        }
    }
}

/// Un carnet qui ne bouge pas n'est pas plus vrai qu'un autre, dès que le prix moyen le dit ; un prix moyen qui se tait n'y change
/// rien.
#[test]
fn a_book_that_stands_still_is_not_believed_for_long_once_its_average_has_left() {
    let (here, gone) = (dec!(100), dec!(90));
    for (average, believed_for) in [(Some(gone), 60), (Some(here), 90), (None, 90)] {
        let mut memory = Memory::default();
        assert!(memory.read(here, 0, NEAR, Some(here), &[]));
        let left =
            (1..=90).take_while(|poll| memory.read(here, poll * 60, NEAR, average, &[gone; 5])).count();
        assert_eq!(left, believed_for, "{average:?}");
    }
}

#[test]
fn a_price_that_left_what_was_confirmed_is_told_so_when_nobody_confirms_it() {
    let (shown, last, anchor) = (reading(dec!(104), 0), reading(dec!(102), 60), reading(dec!(100), 120));
    let anchor = confirmed(&anchor);
    let (pair, near, gap) = ("BTCUSDC", NEAR, SECOND_READING);
    let claim =
        Claim { pair, shown: &shown, last: Some(&last), anchor: Some(&anchor), first: None, near, gap };
    assert_eq!(
        hear(&claim, None, &[]),
        Ruling::Doubted(
            "BTCUSDC shows 4 % above the last price that was confirmed and cannot be compared with its average price: not \
             believed yet (no answer)"
                .to_owned()
        )
    );
}

/// Le prix moyen des cinq minutes d'avant, d'un marché qui va d'un pas toutes les dix secondes.
fn lagging(prices: &[Decimal]) -> Decimal {
    let recent = &prices[prices.len().saturating_sub(30)..];
    (recent.iter().sum::<Decimal>() / Decimal::from(recent.len())).round_dp(8)
}

#[test]
fn what_is_not_believed_is_remembered_from_its_first_reading_on() {
    let (last, first) = (reading(dec!(100), 60), reading(dec!(60), 5));
    let after = |shown: &Reading<Quote>, first: &Reading<Quote>| {
        let (last, first) = (Some(&last), Some(first));
        let (pair, anchor, near, gap) = ("BTCUSDC", None, NEAR, SECOND_READING);
        Claim { pair, shown, last, anchor, first, near, gap }.doubt()
    };
    let same = after(&reading(dec!(60.5), 0), &first);
    assert_eq!((same.first, same.last), (first.clone(), Some(last.clone())));
    let other = reading(dec!(50), 0);
    assert_eq!(after(&other, &first).first, other);
    // Lue à une heure qui n'est pas encore : elle ne compte plus.
    let again = reading(dec!(60), 0);
    assert_eq!(after(&again, &reading(dec!(60), -3600)).first, again);
}

proptest! {
    /// Aussi souvent qu'il se montre, d'aussi loin que ce soit.
    #[test]
    fn what_average_and_trades_deny_is_never_believed(
        shown in (1i64..1_000_000_000, 0u32..9), truth in 1i64..1_000_000, ago in 0i64..1_000,
    ) {
        let (shown, truth) = (Decimal::new(shown.0, shown.1), Decimal::new(truth, 2));
        prop_assume!((shown - truth).abs() > truth * NEAR);
        let ruling = rule(shown, Some((truth, ago)), Some((shown, ago)), Some(truth), &[truth; 5]);
        prop_assert!(matches!(ruling, Ruling::Doubted(_)), "{:?}", ruling);
    }

    /// De quelque façon qu'il s'en éloigne, si les échanges ne le suivent pas.
    #[test]
    fn what_is_believed_is_never_further_from_the_average_than_it_may_be(
        steps in proptest::collection::vec((-40i64..=40, 5i64..400), 1..80),
    ) {
        let (truth, mut memory) = (dec!(100), Memory::default());
        let (mut shown, mut seconds) = (truth, 0);
        for (step, wait) in steps {
            shown = (shown * (Decimal::ONE + Decimal::new(step, 3))).round_dp(8);
            seconds += wait;
            if memory.read(shown, seconds, NEAR, Some(truth), &[truth; 5]) {
                prop_assert!((shown - truth).abs() <= truth * NEAR, "{shown}");
            }
        }
    }

    /// Une heure d'un vrai mouvement, le prix moyen cinq minutes derrière : au pire la seconde lecture, dix secondes plus tard.
    #[test]
    fn a_market_that_really_moves_never_waits_for_more_than_a_second_reading(
        percents in proptest::collection::vec(-200i64..=200, 60), is_euro: bool,
    ) {
        let (mut memory, mut prices) = (Memory::default(), vec![dec!(100)]);
        let near = if is_euro { NEAR_EURO } else { NEAR };
        for (poll, percent) in (0i64..).zip(percents) {
            for sixth in 0..6 {
                let step = Decimal::new(percent, 4) / dec!(6);
                let price = (prices[prices.len() - 1] * (Decimal::ONE + step)).round_dp(8);
                prices.push(price);
                let seconds = poll * 60 + sixth * 10;
                let is_second = sixth == 1 && memory.first.is_some();
                if sixth == 0 || is_second {
                    let believed = memory.read(price, seconds, near, Some(lagging(&prices)), &[price; 5]);
                    prop_assert!(believed || !is_second, "{price} at {seconds} s");
                }
            }
        }
    }
}
