//! S'approcher d'une allocation : jamais plus loin que ce que trouve un compte de tous les ordres possibles, jamais refusé par la
//! bourse, jamais plus de dépensé que ce qui est là, jamais moins bien suivi avec plus de capital.

use calvalot::domain::allocation::Allocation;
use calvalot::domain::market::{Coin, Market, Pair, Pairs, PerCoin, Quote, Rules};
use calvalot::domain::moment::Moment;
use calvalot::domain::money::{Price, Quantity, Rate, Usdc, Weight};
use calvalot::domain::order::{Order, Size};
use calvalot::domain::plan;
use calvalot::domain::portfolio::{Holdings, Position};
use calvalot::domain::signal::{Instruction, Target};
use calvalot::paper;
use proptest::prelude::*;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, dec};

use super::{Case, Run, execute, pair_of, run, worth};

const THRESHOLD: f64 = 0.005;

/// Ce dont deux plans peuvent différer et se valoir.
const ALIKE: f64 = THRESHOLD / 10.0;

/// Ce qu'un échange doit rapprocher, en part de ce qu'il déplace.
const WORTH: f64 = 0.1;

/// Une paire aux pas si grands que l'on peut tous les essayer : prix du pas et minimum en cents, écart du carnet.
fn coarse_pair() -> impl Strategy<Value = (i64, i64, i64, bool)> {
    (300i64..1200, 100i64..2000, 0i64..20, prop::bool::weighted(0.1))
}

/// Peu de capital, de grands pas : chaque coin n'a qu'une dizaine d'ordres possibles.
fn coarse_case() -> impl Strategy<Value = Case> {
    let pairs = prop::array::uniform5(coarse_pair());
    let owned = prop::array::uniform5(prop_oneof![2 => Just(0i64), 1 => 1i64..4000]);
    let parts = prop::array::uniform5(prop_oneof![1 => Just(0i64), 2 => 1i64..60]);
    (pairs, owned, 0i64..6000, parts, 0i64..30).prop_map(|(pairs, owned, cash, parts, aside)| {
        let market = Market {
            pairs: Pairs::all(|coin| {
                let (notch, minimum, spread, halted) = pairs[coin as usize];
                let bid = Decimal::new(notch, 0);
                let ask = bid + bid * Decimal::new(spread, 4);
                let quote = Quote::new(Price::new(bid), Price::new(ask)).expect("a tight book is a price");
                let rules = Rules {
                    halted: halted.then(|| "HALT".to_owned()),
                    step: Quantity::new(dec!(0.01)),
                    min_quantity: Quantity::new(dec!(0.01)),
                    max_quantity: Quantity::new(dec!(9000)),
                    min_notional: Usdc::new(Decimal::new(minimum, 2)),
                    max_notional: None,
                    tick: Some(Price::new(dec!(0.01))),
                    market: true,
                };
                Pair { quote, rules }
            }),
            rate: Rate::new(dec!(1.08)),
            read_at: Moment(0),
        };
        let positions = PerCoin::from_fn(|coin| {
            let invested = Usdc::new(Decimal::new(owned[coin as usize], 2));
            Position { quantity: invested.buys_at(pair_of(&market, coin).quote.mid()), invested }
        });
        let total = Decimal::from((parts.iter().sum::<i64>() + aside).max(1));
        let weight = |coin: Coin| Weight::new(Decimal::from(parts[coin as usize]) / total).floor(6);
        let target = Target::new(PerCoin::from_fn(weight)).expect("parts of a whole");
        Case {
            market,
            holdings: Holdings { positions, cash: Usdc::new(Decimal::new(cash, 2)) },
            instruction: Instruction::Target(target),
        }
    })
}

/// Ce qu'un ordre ferait d'un coin : sa valeur après lui, le cash qu'il rend ou prend, celui qu'il lui faut.
#[derive(Clone, Copy)]
struct Outcome {
    value: f64,
    cash: f64,
    needed: f64,
}

pub fn number(value: Decimal) -> f64 {
    value.to_f64().expect("a number")
}

/// Tous les ordres d'un coin que la bourse prendrait, un par nombre de pas.
fn outcomes(coin: Coin, case: &Case, total: f64) -> Vec<Outcome> {
    let (pairs, owned) = (&case.market.pairs, case.holdings.positions[coin].quantity);
    let pair = pair_of(&case.market, coin);
    let mid_price = pair.quote.mid();
    let mid = number(mid_price.decimal());
    let held = mid * number(owned.decimal());
    let mut all = vec![Outcome { value: held, cash: 0.0, needed: 0.0 }];
    let Instruction::Target(target) = case.instruction else { panic!("a target") };
    if (number(target.weight(coin).decimal()) * total - held).abs() < THRESHOLD * total {
        return all;
    }
    let step = pair.rules.step;
    for steps in 1.. {
        let quantity = step.times(Decimal::from(steps));
        if quantity > owned {
            break;
        }
        if let Ok(order) = Order::sell(coin, quantity, owned, pairs) {
            let fill = paper::execute(&order, pairs).expect("an order that obeys the rules is filled");
            let value = held - mid * number(fill.quantity.decimal());
            let cash = number((fill.amount - fill.fees.usdc).decimal());
            all.push(Outcome { value, cash, needed: 0.0 });
        }
    }
    // D'un achat borné, la bourse retient un dixième de pour cent de plus que ce que demande le carnet.
    let ask = pair.quote.ask();
    let (price, bound) =
        [coin.slippage(), dec!(0.001)].map(|more| ask.times(Decimal::ONE + more).ceil(8)).into();
    let least = Order::minimum_purchase(pair);
    for steps in 1.. {
        let amount = (bound * step.times(Decimal::from(steps))).ceil(2).max(least);
        let needed = number(amount.decimal());
        if needed > total {
            break;
        }
        if Order::buy(coin, amount, pairs).is_ok() {
            let quantity = amount.buys_at(bound).floor_to_step(step);
            let value = held + number((mid_price * quantity.times(dec!(0.999))).decimal());
            all.push(Outcome { value, cash: -number((price * quantity).decimal()), needed });
        }
    }
    all
}

/// Le plus petit écart que laisse un choix d'un ordre par coin, tous essayés ; `dear` si ce qui bouge doit en valoir la peine.
fn least_drift(case: &Case, dear: bool) -> f64 {
    let valuation = worth(&case.holdings, &case.market);
    let total = number(valuation.total.decimal());
    let Instruction::Target(target) = case.instruction else { panic!("a target") };
    let weights = Coin::ALL.map(|coin| number(target.weight(coin).decimal()));
    let choices = Coin::ALL.map(|coin| outcomes(coin, case, total));
    let start = number(case.holdings.cash.decimal());
    let mut least = f64::INFINITY;
    let mut at = [0usize; 5];
    loop {
        let chosen = [0, 1, 2, 3, 4].map(|coin: usize| choices[coin][at[coin]]);
        let sold: f64 = chosen.iter().filter(|one| one.cash > 0.0).map(|one| one.cash).sum();
        let needed: f64 = chosen.iter().map(|one| one.needed).sum();
        if needed <= start + sold + 1e-7 {
            let cash = start + chosen.iter().map(|one| one.cash).sum::<f64>();
            let all = cash + chosen.iter().map(|one| one.value).sum::<f64>();
            let apart: f64 =
                chosen.iter().zip(weights).map(|(one, weight)| (one.value - weight * all).abs()).sum();
            let aside = (1.0 - weights.iter().sum::<f64>()).max(0.0);
            let moved: f64 =
                chosen.iter().zip(&choices).map(|(one, all)| (one.value - all[0].value).abs()).sum();
            least = least.min(
                ((apart + (cash - aside * all).abs()) / 2.0 + if dear { WORTH * moved } else { 0.0 }) / all,
            );
        }
        let Some(next) = (0..5).find(|&coin| at[coin] + 1 < choices[coin].len()) else { return least };
        at[..next].fill(0);
        at[next] += 1;
    }
}

pub fn drift(case: &Case, holdings: &Holdings) -> f64 {
    let Instruction::Target(target) = case.instruction else { panic!("a target") };
    let valuation = worth(holdings, &case.market);
    let held = Allocation::of(&valuation.coins, valuation.cash).expect("it is worth something");
    number(held.drift(&Allocation::aimed(PerCoin::from_fn(|coin| target.weight(coin)))).decimal())
}

/// Vrai si un coin est si près du seuil que les coûts décident s'il est touché.
fn is_on_the_edge(case: &Case) -> bool {
    let Instruction::Target(target) = case.instruction else { panic!("a target") };
    let valuation = worth(&case.holdings, &case.market);
    Coin::ALL.into_iter().any(|coin| {
        let apart = number((valuation.weight(coin) - target.weight(coin)).abs().decimal());
        (apart - THRESHOLD).abs() < 0.003
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Aucune vente n'a été faite : ce qui s'achète quand même, du cash qui est là, n'écarte pas.
    #[test]
    fn what_is_bought_though_the_sales_failed_never_leads_farther(case in coarse_case()) {
        let Case { market, holdings, instruction } = &case;
        let Instruction::Target(target) = instruction else { panic!("a target") };
        let threshold = Weight::new(dec!(0.005));
        let planned = plan::plan(instruction, holdings, market, threshold);
        if planned.sales.is_empty() || planned.wants.is_empty() {
            return Ok(());
        }
        let (kept, left) = plan::reviewed(&planned.wants, target, holdings, &market.pairs, threshold);
        prop_assert_eq!(kept.len() + left.len(), planned.wants.len());
        let (orders, _) = plan::purchases(instruction, &kept, holdings.cash, &market.pairs);
        let found = drift(&case, &execute(holdings, &orders, market));
        let before = drift(&case, holdings);
        prop_assert!(found <= before + ALIKE, "{found}, {before} before");
    }

    #[test]
    fn no_choice_of_orders_comes_nearer_than_the_plan(case in coarse_case()) {
        if !worth(&case.holdings, &case.market).total.is_positive() || is_on_the_edge(&case) {
            return Ok(());
        }
        let (found, least) = (drift(&case, &run(&case).after), least_drift(&case, run(&case).orders.is_empty()));
        // D'aussi grands pas ne se combinent pas toujours au mieux ; jamais d'un pas entier.
        let total = number(worth(&case.holdings, &case.market).total.decimal());
        let notches = Coin::ALL.map(|coin| pair_of(&case.market, coin)).map(|pair| pair.quote.ask() * pair.rules.step);
        let step = notches.into_iter().map(|notch| number(notch.decimal())).fold(0.0, f64::max) / total;
        prop_assert!(found <= least + ALIKE + step, "{found} away where {least} could be");
    }
}

/// Une bourse comme la vraie : les pas et les minima d'aujourd'hui, des cours au hasard autour des siens.
fn usual_market(dice: &mut fastrand::Rng) -> Market {
    let usual = [(dec!(650), 3), (dec!(68000), 5), (dec!(3400), 4), (dec!(180), 3), (dec!(0.6), 1)];
    let mut quote = |price: Decimal| {
        let bid = (price * Decimal::new(dice.i64(300..3000), 3)).round_dp(4);
        let quote = Quote::new(Price::new(bid), Price::new(bid + bid * Decimal::new(dice.i64(0..10), 4)));
        // Rien au meilleur prix, ou de quoi y prendre un peu.
        let top = Usdc::new(Decimal::from([0, 0, 200, 5000][dice.usize(..4)])).buys_at(Price::new(bid));
        quote.expect("a price").with_tops(top, top)
    };
    let quotes = PerCoin::from_fn(|coin| quote(usual[coin as usize].0));
    let mut rules = |places: u32| {
        let step = Quantity::new(Decimal::new(1, places));
        Rules {
            halted: (dice.u8(..20) == 0).then(|| "BREAK".to_owned()),
            step,
            min_quantity: step,
            max_quantity: step.times(Decimal::from(dice.u32(200..2_000_000))),
            min_notional: Usdc::new(Decimal::from(dice.u8(1..11))),
            max_notional: (dice.u8(..10) == 0).then(|| Usdc::new(Decimal::from(dice.u32(20..5000)))),
            tick: Some(Price::new(dec!(0.0001))),
            market: true,
        }
    };
    let rules = PerCoin::from_fn(|coin| rules(usual[coin as usize].1));
    let pairs = Pairs::all(|coin| Pair { quote: quotes[coin], rules: rules[coin].clone() });
    Market { pairs, rate: Rate::new(dec!(1.08)), read_at: Moment(0) }
}

/// Un suiveur de 10 à 5 000 EUR, à n'importe quel moment, et une allocation.
pub fn usual_case(dice: &mut fastrand::Rng) -> Case {
    let market = usual_market(dice);
    let capital = Decimal::from(dice.u32(10..100)) * Decimal::from([1, 1, 5, 50][dice.usize(..4)]);
    let mut parts = || [0; 6].map(|_: u32| if dice.bool() { dice.u32(1..100) } else { 0 });
    let (held, mut aimed) = (parts(), parts());
    let all = |parts: &[u32]| Decimal::from(parts.iter().sum::<u32>().max(1));
    let positions = PerCoin::from_fn(|coin| {
        let invested = Usdc::new((capital * Decimal::from(held[coin as usize]) / all(&held)).round_dp(2));
        Position { quantity: invested.buys_at(pair_of(&market, coin).quote.mid()), invested }
    });
    let cash = Usdc::new((capital * Decimal::from(held[5]) / all(&held)).round_dp(2));
    aimed[5] += 1;
    let weight = |coin: Coin| Weight::new((Decimal::from(aimed[coin as usize]) / all(&aimed)).round_dp(6));
    let target = Target::new(PerCoin::from_fn(weight)).expect("parts of a whole");
    Case { market, holdings: Holdings { positions, cash }, instruction: Instruction::Target(target) }
}

/// Cent mille en version finale (`.ci/run`) ; moins sinon, pour ne pas attendre.
const CASES: u64 = if cfg!(debug_assertions) { 3000 } else { 100_000 };

/// Les filtres de la bourse, écrits d'après sa documentation : LOT_SIZE, MARKET_LOT_SIZE, NOTIONAL.
#[test]
fn no_order_of_a_hundred_thousand_plans_is_refused_by_a_filter_or_spends_what_is_not_there() {
    for seed in 0..CASES {
        let case = usual_case(&mut fastrand::Rng::with_seed(seed));
        let Run { orders, left, after, .. } = run(&case);
        assert!(after.cash >= Usdc::ZERO, "seed {seed}");
        for coin in Coin::ALL {
            let traded = orders.iter().filter(|order| order.coin() == coin).count();
            let told = left.iter().filter(|(other, _)| *other == coin).count();
            assert_eq!(traded + told, 1, "seed {seed}: {coin} in {orders:?} {left:?}");
        }
        for order in &orders {
            let Pair { quote, rules } = pair_of(&case.market, order.coin());
            let (quantity, notional) = match order.size() {
                Size::Sell(quantity) => (quantity, quote.bid() * quantity),
                Size::Spend(amount) => {
                    let quantity = amount.decimal() / quote.ask().decimal();
                    let steps = (quantity / rules.step.decimal()).floor();
                    let quantity = Quantity::new(steps * rules.step.decimal());
                    (quantity, quote.ask() * quantity)
                }
            };
            let told = format!("seed {seed}: {order:?} under {rules:?}");
            assert!((quantity.decimal() % rules.step.decimal()).is_zero(), "LOT_SIZE, {told}");
            assert!(
                quantity >= rules.min_quantity && quantity <= rules.max_quantity,
                "MARKET_LOT_SIZE, {told}"
            );
            assert!(notional >= rules.min_notional, "NOTIONAL, {told}");
            assert!(rules.max_notional.is_none_or(|most| notional <= most), "NOTIONAL, {told}");
            assert!(rules.halted.is_none(), "{told}");
        }
    }
}

/// Les mêmes cas, que rien ne plafonne ni n'arrête.
fn unhindered(case: Case) -> Case {
    let pairs = Pairs::all(|coin| {
        let Pair { quote, rules } = pair_of(&case.market, coin).clone();
        let max_quantity = Quantity::new(dec!(1_000_000));
        Pair { quote, rules: Rules { max_quantity, max_notional: None, halted: None, ..rules } }
    });
    Case { market: Market { pairs, ..case.market }, ..case }
}

/// À 10 EUR, des coins se disputent ce que les minima laissent : l'un ne se vend pas pour l'autre dans le même souffle.
#[test]
fn what_was_bought_from_cash_is_not_sold_and_bought_again_and_again_at_the_same_prices() {
    for seed in 0..CASES.min(5000) {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut case = unhindered(usual_case(&mut dice));
        case.market.pairs = Pairs::all(|coin| {
            let Pair { quote, rules } = pair_of(&case.market, coin).clone();
            Pair { quote, rules: Rules { min_notional: Usdc::new(dec!(5)), ..rules } }
        });
        let capital = Usdc::new(Decimal::from(dice.u32(10..70)));
        case.holdings = Holdings { cash: capital, ..Holdings::default() };
        case.holdings = run(&case).after;
        // Des pas qui tombent mal s'arrangent encore un peu.
        let mut moved = Usdc::ZERO;
        for _ in 0..8 {
            let Run { orders, after, .. } = run(&case);
            let value = |order: &Order| order.value_at(pair_of(&case.market, order.coin()).quote.mid());
            moved += orders.iter().map(value).sum();
            case.holdings = after;
        }
        assert!(moved <= capital.times(dec!(1.5)), "seed {seed}: {moved} moved again of {capital} USDC");
    }
}

/// Le même argent, puis plus : les pas font un peu de bruit, les minima n'en font qu'avec moins.
#[test]
fn more_capital_never_follows_worse_by_more_than_a_step_of_each_coin() {
    for seed in 0..CASES / 100 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut case = usual_case(&mut dice);
        // Les plafonds, eux, ne se lèvent pas avec le capital.
        case = unhindered(case);
        let steps: Usdc = Coin::ALL
            .into_iter()
            .map(|coin| pair_of(&case.market, coin))
            .map(|pair| pair.quote.ask() * pair.rules.step)
            .sum();
        let mut before = f64::INFINITY;
        for capital in (10..400).step_by(dice.usize(1..30)) {
            case.holdings = Holdings { cash: Usdc::new(Decimal::from(capital)), ..Holdings::default() };
            let found = drift(&case, &run(&case).after);
            let step = number(steps.decimal()) / capital as f64;
            assert!(
                found <= before + ALIKE + step,
                "seed {seed}: {found} with {capital}, {before} with less"
            );
            before = before.min(found);
        }
    }
}
