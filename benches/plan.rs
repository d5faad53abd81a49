//! Ce que coûte de chercher le meilleur plan, et ce qu'un capital permet de suivre : `cargo bench --bench plan`.
//!
//! Les cas vont de tout en cash et rien d'arrondi à 60 EUR où chaque minimum compte. Une machine n'en vaut pas une autre : on
//! compare aussi à ce que coûte, dans la même course, d'évaluer mille fois ce qui est tenu.

use std::hint::black_box;
use std::time::{Duration, Instant};

use calvalot::domain::market::{Coin, Market, Pair, Pairs, PerCoin, Quote, Rules};
use calvalot::domain::moment::Moment;
use calvalot::domain::money::{Price, Quantity, Rate, Usdc, Weight};
use calvalot::domain::plan;
use calvalot::domain::portfolio::{Holdings, Position};
use calvalot::domain::reach;
use calvalot::domain::signal::{Instruction, Target};
use rust_decimal::{Decimal, dec};

/// La promesse : un plan en moins que cela.
const LIMIT: Duration = Duration::from_millis(1);

const THRESHOLD: Weight = Weight::new(dec!(0.005));

const ROUNDS: u32 = 200;

/// Un cas, ce qui est tenu en USDC (le cash en dernier), et ce qui est visé.
type Case = (&'static str, [Decimal; 6], [Decimal; 5]);

/// `halted` : une paire ne se négocie pas.
fn market(halted: Option<Coin>) -> Market {
    let usual =
        [(dec!(650.12), 3), (dec!(68012.34), 5), (dec!(3400.5), 4), (dec!(180.02), 3), (dec!(0.6012), 1)];
    Market {
        pairs: Pairs::all(|coin| {
            let (bid, places) = usual[coin as usize];
            let quote = Quote::new(Price::new(bid), Price::new(bid * dec!(1.0001))).expect("a price");
            let step = Quantity::new(Decimal::new(1, places));
            let rules = Rules {
                halted: (halted == Some(coin)).then(|| "BREAK".to_owned()),
                step,
                min_quantity: step,
                max_quantity: Quantity::new(dec!(9000)),
                min_notional: Usdc::new(dec!(5)),
                max_notional: None,
                tick: None,
                market: true,
            };
            Pair { quote, rules }
        }),
        rate: Rate::new(dec!(1.08)),
        read_at: Moment(0),
    }
}

fn time(mut work: impl FnMut()) -> Duration {
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        work();
    }
    begun.elapsed() / ROUNDS
}

fn main() {
    let (halted, open) = (market(Some(Coin::Sol)), market(None));
    let cases: [(Case, &Market); 5] = [
        (
            ("5000 USDC of cash", [dec!(0), dec!(0), dec!(0), dec!(0), dec!(0), dec!(5000)], [dec!(0.2); 5]),
            &open,
        ),
        (
            ("65 USDC of cash", [dec!(0), dec!(0), dec!(0), dec!(0), dec!(0), dec!(65)], [dec!(0.19); 5]),
            &open,
        ),
        (
            (
                "65 USDC, weights at the minimum",
                [dec!(0), dec!(0), dec!(0), dec!(0), dec!(0), dec!(65)],
                [dec!(0.08), dec!(0.07), dec!(0.06), dec!(0.65), dec!(0.09)],
            ),
            &open,
        ),
        (
            (
                "65 USDC, all to be moved",
                [dec!(20), dec!(4), dec!(14), dec!(6), dec!(21), dec!(0.4)],
                [dec!(0.08), dec!(0.3), dec!(0.1), dec!(0.32), dec!(0.2)],
            ),
            &open,
        ),
        (
            (
                "65 USDC, a pair halted",
                [dec!(8), dec!(4), dec!(10), dec!(26), dec!(16), dec!(1)],
                [dec!(0.2), dec!(0.3), dec!(0.08), dec!(0), dec!(0.4)],
            ),
            &halted,
        ),
    ];
    let (mut worst, mut slowest) = (Duration::ZERO, Duration::ZERO);
    for ((name, held, aimed), market) in cases {
        let positions = PerCoin::from_fn(|coin| {
            let invested = Usdc::new(held[coin as usize]);
            Position { quantity: invested.buys_at(market.pairs.mid(coin).expect("a price")), invested }
        });
        let holdings = Holdings { positions, cash: Usdc::new(held[5]) };
        let weights = PerCoin::from_fn(|coin| Weight::new(aimed[coin as usize]));
        let aimed = Target::new(weights).expect("parts of a whole");
        let target = Instruction::Target(aimed);
        let valued = time(|| (0..1000).for_each(|_| _ = black_box(holdings.value(black_box(market)))));
        let planned = time(|| {
            black_box(plan::plan(&target, black_box(&holdings), market, THRESHOLD));
        });
        let ratio = planned.as_secs_f64() / valued.as_secs_f64();
        println!("{name:34} {:8.1} us, {ratio:5.2} of a thousand valuations", planned.as_secs_f64() * 1e6);
        worst = worst.max(planned);
        slowest = slowest.max(time(|| {
            black_box(reach::reach(&aimed, black_box(&holdings), market, THRESHOLD));
        }));
    }
    println!("worst: {:.3} ms, aim {} ms", worst.as_secs_f64() * 1e3, LIMIT.as_millis());
    // Une fois par lecture du marché, au plus (engine/reach.rs).
    println!("how much of the leader a capital follows, worst: {:.3} ms", slowest.as_secs_f64() * 1e3);
}
