//! De vrais ordres, en vrai HTTP, face à la bourse simulée : ce qui part, une fois, et ce qu'on en sait ensuite.
//!
//! `placing` envoie et lit les réponses, `once` prouve qu'un ordre ne part jamais deux fois, `history` relit ce
//! qui a été fait, `hours` dérègle les horloges.

#[path = "../fake/mod.rs"]
mod fake;

mod history;
mod hours;
mod once;
mod placing;

use std::time::Duration;

use calvalot::clock;
use calvalot::domain::belief::SECOND_READING;
use calvalot::domain::execution::{Execution, Report};
use calvalot::domain::market::{Coin, Market, PerCoin, Readings};
use calvalot::domain::moment::Moment;
use calvalot::domain::money::{Quantity, Usdc};
use calvalot::domain::order::Order;
use calvalot::exchange::{Account, Credentials, Exchange, Placed, Ticket};
use calvalot::fetch::{Client, OneShot, SEND_LIMIT, TIME_LIMIT};
use calvalot::sim::{Pace, Script, World};
use rust_decimal::{Decimal, dec};
use smol::block_on;

const ORDER: &str = "/api/v3/order";

/// Un monde, son marché, et un compte ouvert dont l'heure est mesurée.
struct Desk {
    world: World,
    market: Market,
    account: Account,
    sender: OneShot,
}

impl Desk {
    fn open() -> Desk {
        let script = Script::default();
        Desk::with(Credentials::hmac(&script.api_key, &script.api_secret))
    }

    fn with(credentials: Credentials) -> Desk {
        let script = Script { pace: Pace::Frozen, ..Script::default() };
        let world = World::start(script).expect("the loopback has free ports");
        let exchange = Exchange::binance(&world.exchange_url(), client());
        let readings = block_on(exchange.refresh(Readings::default(), SECOND_READING));
        let market =
            readings.complete(PerCoin::from_fn(|_| true), clock::now()).expect("everything is known");
        let account = Account::new(exchange, credentials);
        let desk = Desk { world, market, account, sender: sender() };
        desk.synchronise();
        desk
    }

    fn synchronise(&self) {
        block_on(self.account.exchange().synchronise()).expect("the exchange tells its time");
    }

    fn stamp(&self) -> Moment {
        self.account.exchange().server_clock().expect("its clock was measured").stamp()
    }

    fn buying(&self, client_id: &str, amount: Decimal) -> Ticket {
        self.ticket(client_id, Order::buy(Coin::Btc, Usdc::new(amount), &self.market.pairs))
    }

    fn selling(&self, client_id: &str, quantity: Decimal) -> Ticket {
        let quantity = Quantity::new(quantity);
        self.ticket(client_id, Order::sell(Coin::Btc, quantity, quantity, &self.market.pairs))
    }

    fn ticket<E: std::fmt::Debug>(&self, client_id: &str, order: Result<Order, E>) -> Ticket {
        let order = order.expect("an order that obeys the rules");
        Ticket {
            client_id: client_id.to_owned(),
            order,
            stamped_at: self.stamp(),
            window: Duration::from_secs(5),
        }
    }

    fn place(&self, ticket: &Ticket) -> Placed {
        block_on(self.account.place(&self.sender, ticket))
    }

    fn buy(&self, client_id: &str, amount: Decimal) -> Placed {
        self.place(&self.buying(client_id, amount))
    }

    /// Achète pour 25 USDC, ce qui doit réussir.
    fn bought(&self, client_id: &str) -> (Report, Vec<Execution>) {
        accepted(self.buy(client_id, dec!(25)))
    }
}

fn client() -> Client {
    Client::new(TIME_LIMIT).expect("a client")
}

fn sender() -> OneShot {
    OneShot::new(SEND_LIMIT).expect("a sender")
}

fn accepted(placed: Placed) -> (Report, Vec<Execution>) {
    match placed {
        Placed::Accepted(report, executions) => (report, executions),
        other => panic!("it was not accepted: {other:?}"),
    }
}
