//! Ce que la personne fait de son compte, et ce qu'un programme en lit.

use super::*;
use crate::sim::exchange::{Asked, MovementKind, OrderStatus, TimeInForce};

const START: [(&str, Decimal); 1] = [("USDC", Decimal::ONE_THOUSAND)];

/// `free` et `locked`, tels que `GET account` les dit.
fn account_of(world: &World, asset: &str) -> Option<(String, String)> {
    let account = signed(world, "GET", "/api/v3/account", "omitZeroBalances=true").value();
    let lines = list(at(&account, "balances"));
    let line = lines.iter().find(|line| text(line, "asset") == asset)?;
    Some((text(line, "free").to_owned(), text(line, "locked").to_owned()))
}

fn limit(price: &str, quantity: &str) -> Asked {
    Asked::Limit { price: decimal(price), quantity: decimal(quantity), time_in_force: TimeInForce::Gtc }
}

#[test]
fn what_a_person_takes_out_or_brings_in_is_what_the_account_says() {
    let world = frozen();
    let person = world.exchange().person();
    person.withdraw("USDC", decimal("50.5")).unwrap();
    person.bring("SOL", decimal("2"));
    assert_eq!(account_of(&world, "USDC"), Some(("949.50000000".to_owned(), "0.00000000".to_owned())));
    assert_eq!(account_of(&world, "SOL"), Some(("2.00000000".to_owned(), "0.00000000".to_owned())));
    assert!(person.withdraw("USDC", decimal("949.51")).unwrap_err().contains("insufficient balance"));
    assert!(person.withdraw("BTC", decimal("0.1")).is_err());
    person.withdraw("SOL", decimal("2")).unwrap();
    assert_eq!(account_of(&world, "SOL"), None);
    let moves = world.exchange().movements();
    let kinds: Vec<_> = moves.iter().map(|moved| (moved.kind, moved.asset.as_str(), moved.amount)).collect();
    assert_eq!(
        kinds,
        [
            (MovementKind::Withdrawn, "USDC", decimal("-50.5")),
            (MovementKind::Brought, "SOL", decimal("2")),
            (MovementKind::Withdrawn, "SOL", decimal("-2")),
        ]
    );
    assert_balances(&world, &START);
}

#[test]
fn dust_becomes_bnb_and_leaves_no_order_behind() {
    let world = frozen();
    let person = world.exchange().person();
    world.exchange().set_price("XRPUSDC", decimal("2"));
    world.exchange().set_price("BNBUSDC", decimal("500"));
    person.bring("XRP", decimal("0.0998"));
    // 0,0998 × 2 / 500, moins 2 %.
    assert_eq!(person.convert_to_bnb("XRP"), Ok(decimal("0.00039121")));
    assert_eq!(world.exchange().balance("XRP").free, Decimal::ZERO);
    assert_eq!(world.exchange().balance("BNB").free, decimal("0.00039121"));
    assert!(person.convert_to_bnb("XRP").is_err(), "there is nothing left");
    assert!(world.exchange().accepted_orders().is_empty() && person.orders().is_empty());
    assert_eq!(list(&signed(&world, "GET", "/api/v3/allOrders", "symbol=XRPUSDC").value()).len(), 0);
    assert_balances(&world, &START);
}

#[test]
fn an_order_of_one_s_own_locks_its_amount_until_it_is_cancelled() {
    let world = frozen();
    let person = world.exchange().person();
    let order = person.place("BTCUSDC", OrderSide::Buy, limit("20000", "0.001")).unwrap();
    assert_eq!((order.status, order.client_id.starts_with("web_")), (OrderStatus::New, true));
    assert_eq!(account_of(&world, "USDC"), Some(("980.00000000".to_owned(), "20.00000000".to_owned())));
    let open = signed(&world, "GET", "/api/v3/openOrders", "").value();
    assert_eq!(text(&list(&open)[0], "clientOrderId"), order.client_id);
    assert!(world.exchange().accepted_orders().is_empty(), "the journal is the programs'");
    assert!(person.withdraw("USDC", decimal("981")).is_err(), "what is locked stays");
    person.cancel(order.id).unwrap();
    assert_eq!(person.orders()[0].status, OrderStatus::Canceled);
    assert_eq!(account_of(&world, "USDC"), Some(("1000.00000000".to_owned(), "0.00000000".to_owned())));
    assert_eq!(person.cancel(order.id), Err("Unknown order sent.".to_owned()));
    place(&world, "symbol=BTCUSDC&side=BUY&type=LIMIT&timeInForce=GTC&price=20000&quantity=0.001");
    let ours = world.exchange().accepted_orders()[0].id;
    person.cancel(ours).unwrap();
    assert_eq!(world.exchange().accepted_orders()[0].status, OrderStatus::Canceled);
    assert_balances(&world, &START);
}

#[test]
fn an_order_by_hand_obeys_the_same_rules_and_shows_among_the_others() {
    let world = frozen();
    let person = world.exchange().person();
    let buy = |amount: &str| person.place("SOLUSDC", OrderSide::Buy, Asked::Amount(decimal(amount)));
    assert_eq!(buy("4").unwrap_err(), "Filter failure: NOTIONAL");
    assert!(buy("1001").unwrap_err().contains("insufficient balance"));
    let bought = buy("100").unwrap();
    assert_eq!((bought.status, bought.fills.is_empty()), (OrderStatus::Filled, false));
    let query = format!("symbol=SOLUSDC&orderId={}", bought.id);
    let told = signed(&world, "GET", ORDER, &query).value();
    assert_eq!((text(&told, "status"), text(&told, "type")), ("FILLED", "MARKET"));
    assert_eq!(list(&signed(&world, "GET", "/api/v3/myTrades", &query).value()).len(), bought.fills.len());
    let held = world.exchange().balance("SOL").free;
    let sold = person.place("SOLUSDC", OrderSide::Sell, Asked::Quantity(held.trunc_with_scale(3))).unwrap();
    assert_eq!(list(&signed(&world, "GET", "/api/v3/allOrders", "symbol=SOLUSDC").value()).len(), 2);
    assert_eq!(person.orders().iter().map(|order| order.id).collect::<Vec<_>>(), [bought.id, sold.id]);
    assert!(world.exchange().accepted_orders().is_empty());
    assert_balances(&world, &START);
}

#[test]
fn whatever_a_person_and_a_program_do_no_balance_is_below_zero_and_all_of_it_adds_up() {
    let world = frozen();
    let person = world.exchange().person();
    person.bring("BNB", decimal("0.01"));
    person.bring("FDUSD", decimal("0.2"));
    let mut dice = fastrand::Rng::with_seed(11);
    for _ in 0..300 {
        world.exchange().step();
        let (bnb, odd) = (dice.bool(), dice.u8(0..4) == 0);
        world.exchange().edit_account(|account| {
            account.bnb_fees = bnb;
            account.fee_assets = odd.then(|| ("FDUSD".to_owned(), Decimal::ONE)).into_iter().collect();
        });
        let asset = ["BTC", "ETH", "BNB", "SOL", "XRP", "USDC"][dice.usize(0..6)];
        let pair = if asset == "USDC" { "BTCUSDC".to_owned() } else { format!("{asset}USDC") };
        let free = world.exchange().balance(asset).free;
        let part = (free * Decimal::new(dice.i64(1..=110), 2)).trunc_with_scale(3);
        let side = [OrderSide::Buy, OrderSide::Sell][dice.usize(0..2)];
        let amount = Decimal::from(dice.i64(6..300));
        match dice.u8(0..8) {
            0 if part > Decimal::ZERO => drop(person.withdraw(asset, part)),
            1 => person.bring(asset, Decimal::new(dice.i64(1..50), 3)),
            2 if asset != "BNB" && dice.u8(0..5) == 0 => drop(person.convert_to_bnb(asset)),
            3 => drop(person.place(&pair, side, Asked::Amount(amount))),
            4 => drop(person.place(&pair, OrderSide::Sell, Asked::Quantity(part))),
            5 => {
                let price = (world.exchange().price(&pair) * dec!(0.9)).trunc_with_scale(2);
                let (quantity, time_in_force) = ((amount / price).trunc_with_scale(3), TimeInForce::Gtc);
                drop(person.place(&pair, side, Asked::Limit { price, quantity, time_in_force }));
            }
            6 => {
                let orders = person.orders();
                let open = orders.iter().find(|order| order.status == OrderStatus::New);
                open.into_iter().for_each(|order| person.cancel(order.id).unwrap());
            }
            _ => drop(place(&world, &format!("symbol={pair}&side=BUY&type=MARKET&quoteOrderQty={amount}"))),
        }
        assert_balances(&world, &START);
    }
    let fees = person.orders().into_iter().flat_map(|order| order.fills);
    let assets: BTreeSet<String> = fees.map(|fill| fill.commission_asset).collect();
    assert!(["BNB", "FDUSD", "USDC"].iter().all(|asset| assets.contains(*asset)), "{assets:?}");
}
