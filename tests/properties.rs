//! Les propriétés de l'argent, sous des signaux, des prix et des règles tirés au hasard : ce qu'un
//! plan et son exécution simulée ne font jamais, et où ils arrivent. `approach` : le meilleur plan d'une allocation ; `figures` : celles des chiffres montrés ; `moves` :
//! celles de l'argent qui vient et part ; `reach` : ce qu'un capital permet de suivre ; `raising` : celles de ce qui est vendu pour une personne ;
//! `turnover` : la borne d'un jour.

#[path = "properties/approach.rs"]
mod approach;
#[path = "properties/figures.rs"]
mod figures;
#[path = "properties/moves.rs"]
mod moves;
#[path = "properties/raising.rs"]
mod raising;
#[path = "properties/reach.rs"]
mod reach;
#[path = "properties/turnover.rs"]
mod turnover;

use calvalot::domain::book;
use calvalot::domain::depth::{self, Depth, Level};
use calvalot::domain::market::{Coin, Market, Pair, Pairs, PerCoin, Quote, Rules};
use calvalot::domain::moment::Moment;
use calvalot::domain::money::{Price, Quantity, Rate, Usdc, Weight};
use calvalot::domain::order::{self, Left, Order, Size};
use calvalot::domain::plan::{self, Plan};
use calvalot::domain::policy::Policy;
use calvalot::domain::portfolio::{Holdings, Position, Valuation};
use calvalot::domain::signal::{Action, Instruction, Target};
use calvalot::paper;
use proptest::prelude::*;
use rust_decimal::{Decimal, dec};

const THRESHOLD: Decimal = dec!(0.005);

#[derive(Clone, Debug)]
struct Case {
    market: Market,
    holdings: Holdings,
    instruction: Instruction,
}

fn pair() -> impl Strategy<Value = (Quote, Rules)> {
    // Prix de 0,05 à 200 000 USDC ; pas de 1e-5 à 10 ; carnet serré ; minimum de 1 à 20 USDC.
    let top = prop_oneof![Just(0i64), 1i64..10_000_000].prop_map(|top| Quantity::new(Decimal::new(top, 3)));
    let price = (5i64..2_000_000_000, 0i64..20, top).prop_map(|(cents, spread, top)| {
        let bid = Decimal::new(cents, 4).max(dec!(0.05));
        let ask = bid + bid * Decimal::new(spread, 4);
        let quote = Quote::new(Price::new(bid), Price::new(ask.round_dp(8)));
        quote.expect("a tight book is a price").with_tops(top, top)
    });
    (price, 0u32..6, 1i64..20, prop::bool::weighted(0.05)).prop_map(|(quote, places, minimum, halted)| {
        let step = Quantity::new(Decimal::new(1, places));
        let rules = Rules {
            halted: halted.then(|| "HALT".to_owned()),
            step,
            min_quantity: step,
            max_quantity: Quantity::new(dec!(9000)),
            min_notional: Usdc::new(Decimal::from(minimum)),
            max_notional: None,
            tick: Some(Price::new(dec!(0.0001))),
            market: true,
        };
        (quote, rules)
    })
}

fn instruction() -> impl Strategy<Value = Instruction> {
    let weights = prop::array::uniform5(prop_oneof![Just(0u32), 1u32..400]).prop_map(|parts| {
        let total = parts.iter().sum::<u32>().max(1000);
        let weight =
            |coin: Coin| Weight::new(Decimal::from(parts[coin as usize]) / Decimal::from(total)).floor(6);
        Instruction::Target(Target::new(PerCoin::from_fn(weight)).expect("parts of a whole"))
    });
    let actions = prop::array::uniform5((0u8..4, 0i64..=1000)).prop_map(|actions| {
        Instruction::Actions(PerCoin::from_fn(|coin| {
            let (kind, part) = actions[coin as usize];
            let part = Weight::new(Decimal::new(part, 3));
            match kind {
                0 => None,
                1 => Some(Action::Hold),
                2 => Some(Action::Buy(part)),
                _ => Some(Action::Sell(part)),
            }
        }))
    });
    prop_oneof![3 => weights, 1 => actions]
}

fn case() -> impl Strategy<Value = Case> {
    let pairs = prop::array::uniform5(pair());
    // Ce qui est possédé, en cents de valeur, et la poussière sous le pas.
    let owned = prop::array::uniform5((prop_oneof![Just(0i64), 1i64..500_000], 0i64..100));
    (pairs, owned, 0i64..5_000_000, instruction()).prop_map(|(pairs, owned, cash, instruction)| {
        let market = Market {
            pairs: Pairs::all(|coin| {
                let (quote, rules) = pairs[coin as usize].clone();
                Pair { quote, rules }
            }),
            rate: Rate::new(dec!(1.08)),
            read_at: Moment(0),
        };
        let positions = PerCoin::from_fn(|coin| {
            let (cents, dust) = owned[coin as usize];
            let invested = Usdc::new(Decimal::new(cents, 2));
            let bought = invested.buys_at(pair_of(&market, coin).quote.mid());
            let quantity =
                if cents == 0 { Quantity::ZERO } else { bought + Quantity::new(Decimal::new(dust, 8)) };
            Position { quantity, invested }
        });
        Case { market, holdings: Holdings { positions, cash: Usdc::new(Decimal::new(cash, 2)) }, instruction }
    })
}

struct Run {
    orders: Vec<Order>,
    left: Vec<(Coin, Left)>,
    /// Le cash couvrait tous les achats souhaités.
    cash_allowed: bool,
    after: Holdings,
}

/// Planifie et exécute comme le moteur : les ventes, puis les achats avec le cash qui est là.
fn run(case: &Case) -> Run {
    let Plan { sales, wants, mut left, .. } =
        plan::plan(&case.instruction, &case.holdings, &case.market, Weight::new(THRESHOLD));
    let after_sales = execute(&case.holdings, &sales, &case.market);
    let cash_allowed = wants.iter().map(|want| want.amount).sum::<Usdc>() <= after_sales.cash;
    let (purchases, short) = plan::purchases(&case.instruction, &wants, after_sales.cash, &case.market.pairs);
    left.extend(short);
    let after = execute(&after_sales, &purchases, &case.market);
    Run { orders: sales.into_iter().chain(purchases).collect(), left, cash_allowed, after }
}

fn execute(holdings: &Holdings, orders: &[Order], market: &Market) -> Holdings {
    orders.iter().fold(*holdings, |holdings, order| {
        let sent = sent(order, market);
        let fill =
            paper::execute(&sent, &market.pairs).expect("an order that obeys the rules is not refused");
        book::apply(&holdings, &fill).expect("a fill never overdraws")
    })
}

/// L'ordre tel qu'il part : au marché s'il prend un peu du meilleur prix, sinon borné, d'un carnet qui a tout à ce prix.
fn sent(order: &Order, market: &Market) -> Order {
    let pair = pair_of(market, order.coin());
    let most = Policy::default().max_slippage;
    let there = |price: Price| vec![Level { price, quantity: Quantity::new(dec!(1_000_000_000)) }];
    let book = Depth::new(there(pair.quote.bid()), there(pair.quote.ask())).expect("a book");
    let fitted = depth::at_the_top(order, pair.quote, most)
        .filter(|_| pair.rules.market)
        .unwrap_or_else(|| depth::fit(order, &book, pair, most));
    fitted.order.expect("the book holds it")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_is_off_a_step_or_under_a_minimum(case in case()) {
        for order in run(&case).orders {
            let rules = &pair_of(&case.market, order.coin()).rules;
            prop_assert!(rules.halted.is_none());
            let fill = paper::execute(&order, &case.market.pairs).expect("an order that obeys the rules is not refused");
            prop_assert_eq!(fill.quantity.floor_to_step(rules.step), fill.quantity);
            prop_assert!(fill.quantity >= rules.min_quantity && fill.quantity <= rules.max_quantity);
            prop_assert!(fill.amount >= rules.min_notional, "{:?} is worth {}", order, fill.amount);
            if let Size::Spend(amount) = order.size() {
                prop_assert_eq!(amount.floor(2), amount);
                prop_assert!(fill.amount <= amount);
            }
        }
    }

    #[test]
    fn never_more_is_spent_or_sold_than_there_is(case in case()) {
        let Run { orders, after, .. } = run(&case);
        prop_assert!(after.cash >= Usdc::ZERO);
        for (coin, position) in after.positions.iter() {
            prop_assert!(position.quantity >= Quantity::ZERO, "{coin}");
            prop_assert!(position.invested >= Usdc::ZERO, "{coin}");
        }
        for order in orders {
            if let Size::Sell(quantity) = order.size() {
                prop_assert!(quantity <= case.holdings.positions[order.coin()].quantity);
            }
        }
    }

    #[test]
    fn every_coin_is_either_traded_or_has_its_reason(case in case()) {
        let Run { orders, left, .. } = run(&case);
        for coin in Coin::ALL {
            let traded = orders.iter().filter(|order| order.coin() == coin).count();
            let reasons = left.iter().filter(|(other, _)| *other == coin).count();
            prop_assert_eq!(traded + reasons, 1, "{} was traded {} times and left {} times", coin, traded, reasons);
        }
    }

    #[test]
    fn a_target_is_reached_within_the_threshold_and_one_order_of_each(case in case()) {
        let Instruction::Target(target) = case.instruction else { return Ok(()) };
        let Run { left, cash_allowed, after, .. } = run(&case);
        let (before, value) = (worth(&case.holdings, &case.market), worth(&after, &case.market));
        // Un pas de chacun, ou son minimum : ce que l'un ne peut rendre manque à un autre.
        let orders = Coin::ALL.into_iter().map(|coin| {
            let pair = pair_of(&case.market, coin);
            (pair.quote.ask() * pair.rules.step).max(Order::minimum_purchase(pair))
        });
        let tolerance = Weight::new(THRESHOLD) + orders.sum::<Usdc>().share_of(value.total);
        for coin in Coin::ALL {
            let obstacle = left.iter().any(|(other, reason)| *other == coin && order::is_obstacle(reason.code()));
            let Pair { quote, rules } = pair_of(&case.market, coin);
            let capped = before.coins[coin].max(before.total.part(target.weight(coin))) >= quote.bid() * rules.max_quantity;
            if obstacle || capped || before.total.is_zero() {
                continue;
            }
            let drift = value.weight(coin) - target.weight(coin);
            prop_assert!(drift <= tolerance, "{coin} is {drift} over its target, tolerance {tolerance}");
            if cash_allowed {
                prop_assert!(-drift <= tolerance, "{coin} is {drift} under its target, tolerance {tolerance}");
            }
        }
    }

    #[test]
    fn short_cash_is_shared_between_actions_and_nobody_starves_while_it_covers_the_minima(
        case in case(),
        amounts in prop::array::uniform5(0i64..100_000),
        cash in 0i64..50_000,
    ) {
        let cash = Usdc::new(Decimal::new(cash, 2));
        let (market, actions) = (&case.market, Instruction::Actions(PerCoin::default()));
        let wants: Vec<plan::Want> = Coin::ALL.into_iter()
            .map(|coin| (coin, Usdc::new(Decimal::new(amounts[coin as usize], 2))))
            .map(|(coin, amount)| plan::Want { coin, amount, gap: amount })
            .filter(|want| Order::buy(want.coin, want.amount, &market.pairs).is_ok())
            .collect();
        let (orders, left) = plan::purchases(&actions, &wants, cash, &market.pairs);
        let spent: Usdc = orders.iter().map(|order| order.value_at(pair_of(market, order.coin()).quote.ask())).sum();
        prop_assert!(spent <= cash);
        prop_assert_eq!(orders.len() + left.len(), wants.len());
        let minima: Usdc = wants.iter().map(|want| Order::minimum_purchase(pair_of(market, want.coin))).sum();
        if minima <= cash {
            prop_assert!(left.is_empty(), "{left:?} starved with {cash} for minima of {minima}");
        }
        for order in &orders {
            let wanted = wants.iter().find(|want| want.coin == order.coin()).expect("only what is wanted is bought");
            prop_assert!(order.value_at(pair_of(market, order.coin()).quote.ask()) <= wanted.amount);
        }
    }
}

#[test]
fn what_would_remain_under_two_and_a_half_usdc_is_sold_with_the_rest() {
    let market = plain_market();
    let holdings = Holdings {
        positions: PerCoin::from_fn(|coin| match coin {
            Coin::Sol => Position { quantity: Quantity::new(dec!(1)), invested: Usdc::new(dec!(100)) },
            _ => Position::default(),
        }),
        cash: Usdc::ZERO,
    };
    // 100 USDC de SOL ; vendre 98 % n'en laisserait que 2.
    let mut sell = PerCoin::from_fn(|_| None);
    sell[Coin::Sol] = Some(Action::Sell(Weight::new(dec!(0.98))));
    let plan = plan::plan(&Instruction::Actions(sell), &holdings, &market, Weight::new(THRESHOLD));
    assert_eq!(plan.sales.iter().map(Order::size).collect::<Vec<_>>(), [Size::Sell(Quantity::new(dec!(1)))]);
}

fn worth(holdings: &Holdings, market: &Market) -> Valuation {
    holdings.value(market).expect("all is known")
}

fn pair_of(market: &Market, coin: Coin) -> &Pair {
    market.pairs.get(coin).expect("all are known")
}

fn plain_market() -> Market {
    let price = Price::new(dec!(100));
    Market {
        pairs: Pairs::all(|_| Pair {
            quote: Quote::new(price, price).expect("a price"),
            rules: Rules {
                halted: None,
                step: Quantity::new(dec!(0.001)),
                min_quantity: Quantity::new(dec!(0.001)),
                max_quantity: Quantity::new(dec!(9000)),
                min_notional: Usdc::new(dec!(5)),
                max_notional: None,
                tick: None,
                market: true,
            },
        }),
        rate: Rate::new(dec!(1.08)),
        read_at: Moment(0),
    }
}
