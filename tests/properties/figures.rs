//! Les propriétés des chiffres montrés : un rendement que l'argent apporté ou repris ne fausse pas, un écart au leader
//! qui est une distance.

use std::time::Duration;

use calvalot::domain::allocation::Allocation;
use calvalot::domain::booking::{Booking, Footing};
use calvalot::domain::market::PerCoin;
use calvalot::domain::moment::Moment;
use calvalot::domain::money::{Eur, Rate, Return, Usdc, Weight};
use calvalot::domain::performance::{Flow, Track};
use calvalot::domain::portfolio::Holdings;
use calvalot::ledger::{self, CycleRecord, Ledger};
use proptest::prelude::*;
use rust_decimal::{Decimal, dec};
use smol::block_on;

/// Ce que vingt divisions à 28 chiffres peuvent perdre.
const NOTHING: Decimal = dec!(0.00000000000000000001);

/// Un début, puis des étapes : la croissance jusqu'à un mouvement, et ce mouvement, en part de la valeur d'alors.
fn stages() -> impl Strategy<Value = Vec<(Decimal, Decimal)>> {
    let growth = (500i64..2000).prop_map(|thousandths| Decimal::new(thousandths, 3));
    let flow = (-900i64..100_000).prop_map(|thousandths| Decimal::new(thousandths, 3));
    prop::collection::vec((growth, flow), 0..6)
}

fn money() -> impl Strategy<Value = Decimal> {
    (100i64..100_000_000).prop_map(|cents| Decimal::new(cents, 2))
}

/// Le parcours de ces étapes, et la valeur où il mène.
fn walk(start: Decimal, stages: &[(Decimal, Decimal)]) -> (Track, Eur) {
    let (mut value, mut flows) = (start, Vec::new());
    for (growth, part) in stages {
        let before = (value * growth).round_dp(12);
        let amount = (before * part).round_dp(12);
        value = before + amount;
        flows.push(Flow { amount: Eur::new(amount), after: Some(Eur::new(value)) });
    }
    (Track { since: Moment(0), start: Some(Eur::new(start)), flows }, Eur::new(value))
}

fn measure(track: &Track, now: Eur) -> Decimal {
    track.measure(Some(now)).map(Return::decimal).expect("all is known and something is invested")
}

fn allocation() -> impl Strategy<Value = Allocation> {
    let parts = prop::array::uniform5(prop_oneof![Just(0i64), 1i64..100_000]);
    (parts, 1i64..100_000).prop_map(|(coins, cash)| {
        let usdc = |cents: i64| Usdc::new(Decimal::new(cents, 2));
        let coins = PerCoin::from_fn(|coin| usdc(coins[coin as usize]));
        Allocation::of(&coins, usdc(cash)).expect("it is worth something")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn money_that_comes_or_goes_while_no_price_moves_changes_no_return(
        start in money(),
        stages in stages(),
        still in prop::collection::vec(-900i64..100_000, 0..6),
    ) {
        let (mut track, mut value) = walk(start, &stages);
        let before = measure(&track, value);
        for part in still {
            let amount = value.times(Decimal::new(part, 3)).floor(12);
            value += amount;
            track.flows.push(Flow { amount, after: Some(value) });
            prop_assert!((measure(&track, value) - before).abs() < NOTHING * (before + dec!(2)));
        }
    }

    #[test]
    fn without_flows_the_return_is_the_value_over_the_initial_less_one(start in money(), now in money()) {
        let (track, _) = walk(start, &[]);
        prop_assert_eq!(measure(&track, Eur::new(now)), now / start - Decimal::ONE);
    }

    #[test]
    fn the_return_is_the_product_of_the_growths_whatever_the_flows(start in money(), stages in stages()) {
        let (track, value) = walk(start, &stages);
        let growth: Decimal = stages.iter().map(|(growth, _)| *growth).product();
        prop_assert!((measure(&track, value) + Decimal::ONE - growth).abs() < dec!(0.0000001) * growth);
    }

    #[test]
    fn ten_times_the_money_has_the_same_return(start in money(), stages in stages(), last in 1i64..3000) {
        let (track, value) = walk(start, &stages);
        let now = value.times(Decimal::new(last, 3));
        let scaled = |eur: Eur| eur.times(dec!(10));
        let flows = track.flows.iter();
        let flows = flows.map(|flow| Flow { amount: scaled(flow.amount), after: flow.after.map(scaled) });
        let large = Track { start: track.start.map(scaled), flows: flows.collect(), ..track };
        let (one, ten) = (measure(&track, now), measure(&large, scaled(now)));
        prop_assert!((one - ten).abs() < NOTHING * (one + dec!(2)), "{} and {}", one, ten);
    }

    #[test]
    fn the_drift_is_a_distance(one in allocation(), other in allocation(), third in allocation()) {
        let rounding = Weight::new(NOTHING);
        prop_assert_eq!(one.drift(&one), Weight::ZERO);
        prop_assert_eq!(one.drift(&other), other.drift(&one));
        prop_assert!(one.drift(&third) <= one.drift(&other) + other.drift(&third) + rounding);
        prop_assert!(one.drift(&other) <= Weight::new(Decimal::ONE) + rounding);
        // Ce qu'il faut prendre aux uns est ce qu'il faut donner aux autres.
        let over = |weight: Weight, other: Weight| (weight - other).max(Weight::ZERO);
        let coins = one.coins.iter().map(|(coin, &weight)| over(weight, other.coins[coin]));
        let taken: Weight = coins.chain([over(one.cash, other.cash)]).sum();
        prop_assert!((one.drift(&other) - taken).abs() < rounding);
    }
}

/// Ce qui peut arriver au grand livre entre deux mesures.
#[derive(Clone, Debug)]
enum Step {
    /// L'euro change de cours, en dix-millièmes d'USDC.
    Euro(i64),
    Poll,
    Deposit(i64),
    /// Le total déposé est corrigé à tant d'euros.
    Correct(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (9000i64..13_000).prop_map(Step::Euro),
        Just(Step::Poll),
        (1i64..50_000).prop_map(Step::Deposit),
        (1000i64..60_000).prop_map(Step::Correct),
    ]
}

/// Un grand livre tout en cash : sa valeur en euros ne dépend que du cours de l'euro.
struct Books {
    ledger: Ledger,
    rate: Rate,
    cash: Usdc,
    now: Moment,
}

impl Books {
    fn open(rate: Rate) -> Books {
        let now = Moment(1_790_000_000_000);
        let ledger = ledger::in_memory("dry_run", Eur::new(dec!(1000)), now).expect("a base in memory");
        let cash = block_on(ledger.with(move |db| db.book_opening(rate, None, now))).expect("it is written");
        Books { ledger, rate, cash: cash.expect("it was not open"), now }
    }

    fn value(&self) -> Eur {
        self.cash.to_eur(self.rate)
    }

    fn poll(&self) {
        let (now, cash, total_eur) = (self.now, self.cash, self.value());
        let valuation = calvalot::domain::portfolio::Valuation {
            cash,
            coins: PerCoin::default(),
            total: cash,
            total_eur,
            read_at: now,
        };
        let record =
            CycleRecord { outcome: "no_signal", valuation: Some(valuation), ..CycleRecord::default() };
        block_on(self.ledger.with(move |db| db.close_cycle(&record, now))).expect("it is written");
    }

    fn take(&mut self, step: &Step) {
        self.now = Moment(self.now.0 + 60_000);
        let (rate, now) = (self.rate, self.now);
        match *step {
            Step::Euro(rate) => self.rate = Rate::new(Decimal::new(rate, 4)),
            Step::Poll => self.poll(),
            Step::Deposit(eur) => {
                let eur = Eur::new(Decimal::from(eur));
                block_on(
                    self.ledger
                        .with(move |db| db.enter(&Booking::Deposit(eur), &Footing::of(rate), None, now)),
                )
                .expect("it is booked");
            }
            Step::Correct(total) => {
                let correction =
                    Booking::Correction { total: Eur::new(Decimal::from(total)), understood: true };
                // Refusée si le cash ne la couvre pas : rien ne change.
                block_on(self.ledger.with(move |db| db.enter(&correction, &Footing::of(rate), None, now)))
                    .ok();
            }
        }
        let holdings = block_on(self.ledger.with(|db| db.holdings())).expect("it is read");
        self.cash = holdings.map_or(Usdc::ZERO, |holdings: Holdings| holdings.cash);
    }

    fn track(&self) -> Track {
        block_on(self.ledger.with(|db| db.track())).expect("it is read").expect("the account is open")
    }

    fn today(&self, midnight: Moment) -> Track {
        block_on(self.ledger.with(move |db| db.today(midnight))).expect("it is read")
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Le rendement du cash est celui de l'euro, quand et combien que l'on dépose, et si souvent que l'on relève.
    #[test]
    fn the_ledger_keeps_a_return_that_deposits_corrections_and_polls_do_not_move(
        steps in prop::collection::vec(step(), 1..25),
    ) {
        let first = Rate::new(dec!(1.08));
        let mut books = Books::open(first);
        for step in &steps {
            books.take(step);
        }
        // Il ne reste parfois que des centimes, où les arrondis pèsent.
        prop_assume!(books.track().flows.iter().all(|flow| flow.after > Some(Eur::new(dec!(1)))));
        let expected = first.decimal() / books.rate.decimal() - Decimal::ONE;
        let found = measure(&books.track(), books.value());
        prop_assert!((found - expected).abs() < dec!(0.000001), "{} and not {}", found, expected);
        let silent: Vec<&Step> = steps.iter().filter(|step| !matches!(step, Step::Poll)).collect();
        let mut unpolled = Books::open(first);
        for step in silent {
            unpolled.take(step);
        }
        prop_assert_eq!(measure(&unpolled.track(), unpolled.value()), found);
    }

    /// La journée part de ce que tout valait la veille, et les mouvements n'y changent rien non plus.
    #[test]
    fn the_day_is_measured_from_the_last_snapshot_before_midnight(
        before in prop::collection::vec(step(), 0..12),
        after in prop::collection::vec(step(), 0..12),
    ) {
        let mut books = Books::open(Rate::new(dec!(1.08)));
        for step in before.iter().chain([&Step::Poll]) {
            books.take(step);
        }
        let (eve, value, midnight) = (books.rate, books.value(), Moment(books.now.0 + 30_000));
        let deposited = books.track().flows.len();
        for step in &after {
            books.take(step);
        }
        let today = books.today(midnight);
        let flows = books.track().flows.split_off(deposited);
        prop_assert_eq!(&today, &Track { since: midnight, start: Some(value), flows: flows.clone() });
        let moved: Eur = flows.iter().map(|flow| flow.amount).sum();
        prop_assert_eq!(today.gain(Some(books.value())), Some(books.value() - value - moved));
        prop_assume!(value > Eur::new(dec!(1)));
        prop_assume!(flows.iter().all(|flow| flow.after > Some(Eur::new(dec!(1)))));
        let expected = eve.decimal() / books.rate.decimal() - Decimal::ONE;
        prop_assert!((measure(&today, books.value()) - expected).abs() < dec!(0.000001));
    }
}

/// Un relevé d'avant la veille n'est pas la valeur de minuit : la journée part alors du premier d'après.
#[test]
fn a_day_that_follows_a_long_absence_begins_with_its_first_snapshot() {
    let mut books = Books::open(Rate::new(dec!(1.08)));
    books.take(&Step::Poll);
    let last = books.now;
    let hours = |hours: u64| Duration::from_secs(hours * 3600).as_millis() as i64;
    let midnight = |hour: u64| Moment(last.0 + hours(hour));
    assert_eq!(books.today(midnight(24)).start, Some(books.value()));
    let absent = books.today(Moment(midnight(24).0 + 1));
    assert_eq!((absent.start, absent.gain(Some(books.value()))), (None, None));
    books.now = midnight(30);
    books.take(&Step::Deposit(500));
    books.take(&Step::Poll);
    let back = books.today(midnight(29));
    assert_eq!((back.since, back.start, back.flows.len()), (books.now, Some(books.value()), 0));
}

/// L'heure d'un relevé ne dit pas s'il compte un dépôt du même instant ; ce qu'il en sait le dit.
#[test]
fn a_deposit_of_the_very_instant_of_a_snapshot_is_counted_once() {
    let orders = [[Step::Poll, Step::Deposit(500)], [Step::Deposit(500), Step::Poll]];
    for (steps, flows) in orders.iter().zip([1, 0]) {
        let mut books = Books::open(Rate::new(dec!(1.08)));
        books.take(&steps[0]);
        books.now = Moment(books.now.0 - 60_000);
        books.take(&steps[1]);
        let today = books.today(Moment(books.now.0 + 1));
        assert_eq!(
            (today.flows.len(), today.gain(Some(books.value()))),
            (flows, Some(Eur::ZERO)),
            "{steps:?}"
        );
    }
}
