//! Un ordre envoyé, et ce que chaque réponse en dit.

use std::time::Duration;

use calvalot::domain::book::Fill;
use calvalot::domain::execution::{self, BnbPrice, Execution, Report};
use calvalot::domain::market::Coin;
use calvalot::domain::money::{Quantity, Usdc};
use calvalot::domain::order::Side;
use calvalot::exchange::{Account, Credentials, NewKey, Placed, Reaction, Refusal, Trouble};
use calvalot::fetch::OneShot;
use calvalot::sim::{self, Asked, Fault, On, OrderSide, Reply, Script, Status, Wire};
use rust_decimal::dec;
use smol::block_on;

use crate::fake::Fake;
use crate::{Desk, ORDER, accepted};

fn order() -> On {
    On::exchange(ORDER).method("POST")
}

fn reaction(placed: Placed) -> Option<Reaction> {
    match placed {
        Placed::Refused(Refusal { then, reason }) => {
            assert!(reason.starts_with("the exchange "), "{reason}");
            Some(then)
        }
        Placed::Unknown(reason) => {
            assert!(reason.starts_with("the exchange"), "{reason}");
            None
        }
        accepted => panic!("it was accepted: {accepted:?}"),
    }
}

/// L'exécution complète que la réponse raconte.
fn whole(report: &Report, executions: &[Execution], what: &str) -> Fill {
    let together = executions.iter().collect();
    execution::fill(report, &together, BnbPrice::Awaited).expect("whole").expect(what)
}

#[test]
fn an_amount_is_spent_then_a_quantity_is_sold() {
    let desk = Desk::open();
    let (report, executions) = accepted(desk.buy("bot-buy-1", dec!(250.25)));
    let bought = report.executed;
    assert_eq!((report.client_id.as_str(), report.coin, report.side), ("bot-buy-1", Coin::Btc, Side::Buy));
    assert!(report.ended && report.status == "FILLED", "{report:?}");
    let fill = whole(&report, &executions, "something was bought");
    assert_eq!(report.amount, Some(fill.amount));
    assert!(fill.amount <= Usdc::new(dec!(250.25)) && fill.fees.coin.is_positive(), "{fill:?}");

    let state = block_on(desk.account.state()).expect("an account");
    let owned = state.balances.coins[Coin::Btc].total();
    assert_eq!(owned, bought - fill.fees.coin);
    let (report, executions) = accepted(desk.place(&desk.selling("bot-sell-1", owned.decimal())));
    assert_eq!((report.side, report.ended), (Side::Sell, true));
    let fill = whole(&report, &executions, "something was sold");
    assert!(fill.fees.usdc.is_positive() && fill.quantity <= owned, "{fill:?}");

    let orders = desk.world.exchange().accepted_orders();
    let asked: Vec<_> = orders.iter().map(|order| (order.side, order.asked)).collect();
    assert_eq!(
        asked,
        [
            (OrderSide::Buy, Asked::Amount(dec!(250.25))),
            (OrderSide::Sell, Asked::Quantity(fill.quantity.decimal()))
        ]
    );
    let state = block_on(desk.account.state()).expect("an account");
    assert_eq!(state.balances.usdc.free.decimal(), desk.world.exchange().balance("USDC").free);
}

/// Une demande d'une ligne, sans corps : rien qu'un intermédiaire ait à garder, à attendre ou à refaire.
#[test]
fn an_order_is_one_post_with_everything_in_its_query() {
    let desk = Desk::open();
    let fake = Fake::answering("504 Gateway Timeout", "");
    let script = Script::default();
    let credentials = Credentials::hmac(&script.api_key, &script.api_secret);
    let account = Account::new(desk.account.exchange().at(&fake.url), credentials);
    let ticket = desk.buying("bot-1", dec!(25.50));
    assert_eq!(reaction(block_on(account.place(&desk.sender, &ticket))), None);
    let [head] = fake.requests().try_into().expect("one request");
    let query = "symbol=BTCUSDC&side=BUY&type=MARKET&quoteOrderQty=25.5&newClientOrderId=bot-1\
                 &newOrderRespType=FULL&recvWindow=5000";
    let expected = format!("POST {ORDER}?{query}&timestamp={}&signature=", ticket.stamped_at.0);
    assert!(head.starts_with(&expected), "{head}");
    let head = head.to_lowercase();
    assert!(head.contains(&format!("x-mbx-apikey: {}\r\n", script.api_key.to_lowercase())), "{head}");
    assert!(head.contains("content-length: 0\r\n"), "{head}");
    for absent in ["expect:", "transfer-encoding:", &script.api_secret.to_lowercase()] {
        assert!(!head.contains(absent), "{head}");
    }
}

#[test]
fn what_is_locked_by_an_open_order_is_still_owned() {
    let desk = Desk::open();
    let rested = desk.world.exchange().rest_order("ETHUSDC", OrderSide::Buy, dec!(100), dec!(1), "by-hand");
    assert!(rested.is_some());
    let state = block_on(desk.account.state()).expect("an account");
    let usdc = state.balances.usdc;
    assert_eq!((usdc.free.decimal(), usdc.locked.decimal()), (dec!(900), dec!(100)));
    assert_eq!(usdc.total().decimal(), dec!(1000));
    assert_eq!(state.balances.coins[Coin::Sol].total(), Quantity::ZERO);
    assert!(state.uid > 0);
}

/// Trente paires : presque toutes leurs signatures ont un `+` ou un `/`, que l'adresse doit encoder.
#[test]
fn a_key_of_one_s_own_places_orders() {
    for run in 0..30 {
        let key = NewKey::generate();
        let credentials =
            Credentials::ed25519(&Script::default().api_key, &key.private).expect("a private key");
        let desk = Desk::with(credentials);
        desk.world.exchange().register_public_key(&key.public);
        desk.bought(&format!("bot-{run}"));
    }
}

/// Les refus que la bourse simulée décide elle-même.
#[test]
fn the_exchange_refuses_with_a_reason_and_nothing_is_executed() {
    let check = |expected: Reaction, spoil: fn(&sim::Exchange)| {
        let desk = Desk::open();
        let ticket = desk.buying("bot-1", dec!(25));
        spoil(desk.world.exchange());
        assert_eq!(reaction(desk.place(&ticket)), Some(expected));
        assert!(desk.world.exchange().accepted_orders().is_empty());
    };
    check(Reaction::Shrink, |exchange| exchange.set_balance("USDC", dec!(24)));
    check(Reaction::RefreshRules, |exchange| {
        exchange.edit_listing("BTCUSDC", |listing| listing.min_notional = dec!(50))
    });
    check(Reaction::Later, |exchange| exchange.set_status("BTCUSDC", Status::Halt));
    check(Reaction::Later, |exchange| exchange.set_status("BTCUSDC", Status::CancelOnly));
    check(Reaction::GiveUp, |exchange| {
        exchange.edit_listing("BTCUSDC", |listing| listing.quote_order_allowed = false)
    });
    check(Reaction::Stop, |exchange| exchange.edit_account(|account| account.can_trade = false));
    check(Reaction::Stop, |exchange| exchange.edit_account(|account| account.key_may_trade = false));
    check(Reaction::GiveUp, |exchange| exchange.edit_account(|account| account.permissions.clear()));
    check(Reaction::Resynchronise, |exchange| exchange.set_skew(60_000));
    check(Reaction::Later, |exchange| exchange.set_weight_limit(0));
}

/// Un représentant de chaque réaction, par une réponse toute faite (la table entière est dans
/// `binance/refusal.rs`).
#[test]
fn each_kind_of_refusal_is_told_from_the_unknown() {
    let cases = [
        (Reply::code(400, -1102, "Mandatory parameter 'side' was not sent."), Some(Reaction::GiveUp)),
        (Reply::code(400, -1013, "Filter failure: LOT_SIZE"), Some(Reaction::RefreshRules)),
        (
            Reply::code(400, -1111, "Parameter 'quantity' has too much precision."),
            Some(Reaction::RefreshRules),
        ),
        (
            Reply::code(400, -2010, "Account has insufficient balance for requested action."),
            Some(Reaction::Shrink),
        ),
        (Reply::code(400, -1112, "No orders on book for symbol."), Some(Reaction::Later)),
        (Reply::code(429, -1015, "Too many new orders."), Some(Reaction::Later)),
        (Reply::too_many_requests(60), Some(Reaction::Later)),
        (Reply::banned(600, 0), Some(Reaction::Later)),
        (Reply::firewall(), Some(Reaction::Later)),
        (Reply::code(400, -1021, "Timestamp for this request is outside."), Some(Reaction::Resynchronise)),
        (Reply::code(401, -2015, "Invalid API-key, IP, or permissions."), Some(Reaction::Stop)),
        (Reply::code(400, -1022, "Signature for this request is not valid."), Some(Reaction::Stop)),
        (Reply::code(400, -9876, "A code of tomorrow."), Some(Reaction::Stop)),
        (Reply::restricted_location(), Some(Reaction::Stop)),
        (Reply::code(400, -2010, "Duplicate order sent."), None),
        (Reply::code(504, -1007, "Timeout waiting for response."), None),
        (Reply::code(408, -1007, "Timeout waiting for response."), None),
        (Reply::code(400, -1006, "Execution status unknown."), None),
        (Reply::code(503, -1008, "Server is currently overloaded."), None),
        (Reply::code(500, -2010, "Account has insufficient balance."), None),
        (Reply::html(502, "<html>Bad Gateway</html>"), None),
        (Reply::empty(504), None),
        (Reply::html(400, "<html>Bad Request</html>"), None),
        (Reply::html(404, "<html>Not Found</html>"), None),
        (Reply::redirect("http://127.0.0.1:1/"), None),
        (Reply::json(200, "{}".to_owned()), None),
        (Reply::empty(200), None),
        (Reply::empty(204), None),
    ];
    for (reply, expected) in cases {
        let desk = Desk::open();
        desk.world.fault(order(), Fault::answer(reply.clone()));
        assert_eq!(reaction(desk.buy("bot-1", dec!(25))), expected, "{reply:?}");
        assert_eq!(desk.world.exchange().calls(ORDER), 1, "{reply:?}");
    }
}

/// Exécuté, et mal dit : l'ordre existe, et rien ne le fait passer pour un refus.
#[test]
fn an_order_executed_and_told_badly_is_unknown() {
    let rewrite = |from: &str, to: &str| Wire::Rewrite { from: from.to_owned(), to: to.to_owned() };
    let wires = [
        Wire::Close,
        Wire::Reset,
        Wire::Truncate,
        Wire::Huge(50_000_000),
        Wire::Endless,
        Wire::Nested(20_000),
        Wire::LongHead(1_000_000),
        Wire::Raw(b"\x00\xff no HTTP at all \r\n\r\n".to_vec()),
        Wire::Raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 99\r\n\r\n{\"code\":-2010,".to_vec()),
        Wire::Canned(Reply::code(504, -1007, "Timeout waiting for response.")),
        Wire::Canned(Reply::code(503, -1008, "Server is currently overloaded.")),
        Wire::Canned(Reply::html(502, "<html>")),
        rewrite("bot-1", "bot-2"),
        rewrite("\"BUY\"", "\"SELL\""),
        rewrite("BTCUSDC", "ETHUSDC"),
        rewrite("\"orderId\":", "\"orderId\":0,\"id\":"),
        rewrite("\"fills\":[", "\"fills\":[{},"),
        rewrite("\"status\"", "\"state\""),
    ];
    for wire in wires {
        let desk = Desk::open();
        let what = format!("{wire:.100?}");
        desk.world.fault(order(), Fault::processed(wire));
        assert_eq!(reaction(desk.buy("bot-1", dec!(25))), None, "{what}");
        assert_eq!(desk.world.exchange().accepted_orders().len(), 1, "{what}");
        desk.world.clear_faults();
        let report = block_on(desk.account.order(Coin::Btc, "bot-1")).expect("an answer");
        assert!(report.seen().is_some_and(|report| report.ended && report.executed.is_positive()), "{what}");
    }
}

#[test]
fn an_answer_that_does_not_come_in_time_is_unknown() {
    let desk = Desk::open();
    desk.world.fault(order(), Fault::processed(Wire::Silence));
    let impatient = OneShot::new(Duration::from_millis(300)).expect("a sender");
    let ticket = desk.buying("bot-1", dec!(25));
    assert_eq!(reaction(block_on(desk.account.place(&impatient, &ticket))), None);
    assert_eq!(desk.world.exchange().accepted_orders().len(), 1);
}

#[test]
fn an_order_that_could_not_be_sent_is_for_later() {
    let desk = Desk::open();
    desk.world.refuse_connections(sim::Side::Exchange).expect("the port closes");
    let ticket = desk.buying("bot-1", dec!(25));
    assert_eq!(reaction(desk.place(&ticket)), Some(Reaction::Later));
    desk.world.accept_connections(sim::Side::Exchange).expect("the port opens");
    assert_eq!(desk.world.exchange().calls(ORDER), 0);
}

/// Un ordre incomplètement exécuté a fini ; ce qui a été échangé compte.
#[test]
fn an_order_that_found_no_more_book_has_ended() {
    let desk = Desk::open();
    let mut book = desk.world.exchange().book("BTCUSDC");
    let ticket = desk.buying("bot-1", dec!(900));
    book.asks.truncate(1);
    book.asks[0].quantity = dec!(0.0005);
    desk.world.exchange().set_book("BTCUSDC", book);
    let (report, executions) = accepted(desk.place(&ticket));
    assert_eq!((report.status.as_str(), report.ended), ("EXPIRED", true));
    assert_eq!((report.executed.decimal(), executions.len()), (dec!(0.0005), 1));
}

/// Ordres et lectures se taisent ensemble, et un refus d'ordre fait taire comme un autre.
#[test]
fn a_silence_stops_orders_and_reads() {
    for reply in [Reply::too_many_requests(60), Reply::banned(600, 0), Reply::firewall()] {
        let desk = Desk::open();
        desk.world.fault(order().next(1), Fault::answer(reply.clone()));
        assert_eq!(reaction(desk.buy("bot-1", dec!(25))), Some(Reaction::Later));
        let silence = desk.account.exchange().silence().expect("it asked for silence");
        assert_eq!(silence.status, reply.status);
        assert_eq!(reaction(desk.buy("bot-2", dec!(25))), Some(Reaction::Later));
        let read = block_on(desk.account.order(Coin::Btc, "bot-1"));
        assert!(matches!(read, Err(Trouble::Silence(_))), "{read:?}");
        assert_eq!(desk.world.exchange().calls(ORDER), 1, "something was sent during the silence");
        assert!(desk.world.exchange().accepted_orders().is_empty());

        // Gardé, il vaut après un redémarrage.
        let restarted = Desk::open();
        let ticket = restarted.buying("bot-3", dec!(25));
        restarted.account.exchange().keep_silent(silence);
        assert_eq!(reaction(restarted.place(&ticket)), Some(Reaction::Later));
        assert_eq!(restarted.world.exchange().calls(ORDER), 0);
    }
}

#[test]
fn a_silence_asked_of_a_read_stops_orders() {
    let desk = Desk::open();
    desk.world.fault(On::exchange("/api/v3/account"), Fault::answer(Reply::too_many_requests(60)));
    assert!(matches!(block_on(desk.account.state()), Err(Trouble::Silence(_))));
    assert_eq!(reaction(desk.buy("bot-1", dec!(25))), Some(Reaction::Later));
    assert_eq!(desk.world.exchange().calls(ORDER), 0);
}

/// Le piège que la bourse tend : deux fois le même ordre en sont deux, même sous le même nom.
#[test]
fn the_exchange_itself_does_not_stop_a_second_order() {
    let desk = Desk::open();
    let ticket = desk.buying("bot-1", dec!(25));
    let (first, second) = (accepted(desk.place(&ticket)), accepted(desk.place(&ticket)));
    assert_ne!(first.0.order_id, second.0.order_id);
}
