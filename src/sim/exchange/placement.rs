//! L'envoi d'un ordre : paramètres, droits, filtres, moteur, soldes, journal. Dans cet ordre, tout ou rien.
//!
//! Un `newClientOrderId` n'est unique que parmi les ordres ouverts : le même, renvoyé après une exécution, achète
//! une seconde fois. C'est le piège que le client doit éviter ; la bourse ne l'en protège pas.

use rust_decimal::Decimal;

use super::engine::{Match, match_order};
use super::order::{Asked, Fill, Order, OrderSide, OrderStatus, ResponseType, TimeInForce};
use super::params::Params;
use super::refusal::Refusal;
use super::state::State;
use super::ticket::{KNOWN, Ticket};
use crate::sim::json::{Json, object};
use crate::sim::market::{Level, Listing, MAX_OPEN_ORDERS, Status, Symbol};

impl State {
    pub(super) fn place_order(&mut self, params: &Params) -> Result<Json, Refusal> {
        params.only(&KNOWN, true)?;
        let ticket = Ticket::read(self.one(params)?.pair, params)?;
        let order = self.place(&ticket)?;
        let receipt = order.receipt(ticket.response_type);
        let stamp_ms = params.time("timestamp")?.unwrap_or_default() / 1_000;
        self.misquotes.accept(&order.pair, order.id, stamp_ms);
        self.journal.push(order);
        Ok(receipt)
    }

    /// Ce que la personne pose sur la page de la bourse : mêmes contrôles, hors du journal.
    pub(super) fn place_by_hand(
        &mut self,
        pair: &str,
        side: OrderSide,
        asked: Asked,
    ) -> Result<Order, Refusal> {
        let pair = self.market.find(pair).expect("a listed pair").pair;
        let client_id = Some(format!("web_{}", self.draw_client_id()));
        let (response_type, strategy) = (ResponseType::Full, [None; 2]);
        let order = self.place(&Ticket { pair, side, asked, client_id, response_type, strategy })?;
        self.by_hand.push(order.clone());
        Ok(order)
    }

    fn place(&mut self, ticket: &Ticket) -> Result<Order, Refusal> {
        let now_ms = self.clock.now_ms();
        self.limits.admit_order(now_ms)?;
        let found = self.check(ticket)?;
        let order = self.execute(ticket, found)?;
        if order.executed.is_zero() {
            self.limits.count_unfilled(now_ms);
        }
        self.orders.push(order.clone());
        self.remember_balances();
        Ok(order)
    }

    /// Contrôles de l'API et filtres, sans le moteur : ni solde ni identifiant.
    pub(super) fn test_order(&mut self, params: &Params) -> Result<Json, Refusal> {
        params.only(&[&KNOWN[..], &["computeCommissionRates"]].concat(), true)?;
        let symbol = self.one(params)?;
        self.check_filters(symbol, &Ticket::read(symbol.pair, params)?)?;
        if params.flag("computeCommissionRates")? != Some(true) {
            return Ok(object! {});
        }
        let none = || object! { "maker": Decimal::ZERO, "taker": Decimal::ZERO };
        Ok(object! {
            "standardCommissionForOrder": object! { "maker": self.account.maker, "taker": self.account.taker },
            "specialCommissionForOrder": none(),
            "taxCommissionForOrder": none(),
            "discount": self.discount(),
        })
    }

    fn check(&self, ticket: &Ticket) -> Result<Match, Refusal> {
        let symbol = self.market.find(ticket.pair).ok_or_else(Refusal::invalid_symbol)?;
        let listing = &symbol.listing;
        match listing.status {
            Status::Trading => {}
            Status::CancelOnly => {
                return Err(Refusal::engine("This order type is not possible in this trading phase."));
            }
            Status::Halt | Status::Break | Status::EndOfDay => {
                return Err(Refusal::new(-1013, "Market is closed."));
            }
        }
        self.check_rights(listing, ticket.asked)?;
        let found = self.check_filters(symbol, ticket)?;
        let same = |order: &Order| Some(&order.client_id) == ticket.client_id.as_ref();
        if self.orders.iter().any(|order| order.status.is_open() && same(order)) {
            return Err(Refusal::engine("Duplicate order sent."));
        }
        let paid = match ticket.side {
            OrderSide::Buy => listing.quote,
            OrderSide::Sell => listing.base,
        };
        self.account.require(paid, found.needed)?;
        Ok(found)
    }

    /// Les filtres de la paire, puis ceux qui regardent le compte.
    fn check_filters(&self, symbol: &Symbol, ticket: &Ticket) -> Result<Match, Refusal> {
        let listing = &symbol.listing;
        let found = match_order(symbol, ticket.side, ticket.asked)?;
        let open = || self.orders.iter().filter(|order| order.status.is_open() && order.pair == symbol.pair);
        if open().count() >= MAX_OPEN_ORDERS {
            return Err(Refusal::filter("MAX_NUM_ORDERS"));
        }
        if let (OrderSide::Buy, Some(limit)) = (ticket.side, listing.max_position) {
            let held = self.account.balance(listing.base);
            let buys = open().filter(|order| order.side == OrderSide::Buy);
            let coming: Decimal = buys.map(|order| order.quantity - order.executed).sum();
            if held.free + held.locked + coming + found.quantity > limit {
                return Err(Refusal::filter("MAX_POSITION"));
            }
        }
        for (asset, limit) in &self.account.max_assets {
            let moved = match *asset {
                asset if asset == listing.base => found.quantity,
                asset if asset == listing.quote => found.notional,
                _ => continue,
            };
            if moved > *limit {
                return Err(Refusal::filter("MAX_ASSET"));
            }
        }
        Ok(found)
    }

    fn check_rights(&self, listing: &Listing, asked: Asked) -> Result<(), Refusal> {
        let permitted = |set: &Vec<&str>| set.iter().any(|name| self.account.permissions.contains(name));
        let text = if !self.account.can_trade {
            "This account may not place or cancel orders."
        } else if !listing.spot_trading_allowed || !listing.permission_sets.iter().all(permitted) {
            "This symbol is not permitted for this account."
        } else if !listing.market_orders_allowed && !matches!(asked, Asked::Limit { .. }) {
            "Market orders are not supported for this symbol."
        } else if !listing.limit_orders_allowed && matches!(asked, Asked::Limit { .. }) {
            "This order type is not possible in this trading phase."
        } else if !listing.quote_order_allowed && matches!(asked, Asked::Amount(_)) {
            "Quote order qty market orders are not support for this symbol."
        } else {
            return Ok(());
        };
        Err(Refusal::engine(text))
    }

    /// Immobilise ce que l'ordre paiera et ce qui restera ouvert, puis échange ce que le moteur a trouvé.
    fn execute(&mut self, ticket: &Ticket, found: Match) -> Result<Order, Refusal> {
        let bnb_price = self.market.find("BNBUSDC").map_or(Decimal::ONE, |symbol| symbol.mid);
        let mut order = self.open(ticket, found.quantity);
        order.executed = found.fills.iter().map(|level| level.quantity).sum();
        order.quote = found.fills.iter().map(|level| level.quote()).sum();
        order.expiry_reason = found.expiry_reason;
        order.status = match found.expiry_reason {
            Some(_) => OrderStatus::Expired,
            None if order.executed == order.quantity => OrderStatus::Filled,
            None => OrderStatus::open(order.executed),
        };
        let listing = &self.market.find(ticket.pair).ok_or_else(Refusal::invalid_symbol)?.listing;
        let (asset, paid) = match ticket.side {
            OrderSide::Buy => (listing.quote, order.quote),
            OrderSide::Sell => (listing.base, order.executed),
        };
        let left = if order.status.is_open() { order.due(listing).1 } else { Decimal::ZERO };
        self.account.lock(asset, paid + left)?;
        for fill in found.fills {
            let (commission, commission_asset) = self.account.settle(listing, ticket.side, fill, bnb_price);
            let Level { price, quantity } = fill;
            let trade_id = self.next_trade_id;
            self.next_trade_id += 1;
            order.fills.push(Fill { trade_id, price, quantity, commission, commission_asset });
        }
        Ok(order)
    }

    /// Un ordre neuf, numéroté, encore vide.
    fn open(&mut self, ticket: &Ticket, quantity: Decimal) -> Order {
        let id = self.next_order_id;
        self.next_order_id += 1;
        let time_ms = self.clock.now_ms();
        Order {
            id,
            client_id: ticket.client_id.clone().unwrap_or_else(|| self.draw_client_id()),
            pair: ticket.pair.to_owned(),
            side: ticket.side,
            asked: ticket.asked,
            quantity,
            executed: Decimal::ZERO,
            quote: Decimal::ZERO,
            status: OrderStatus::New,
            expiry_reason: None,
            time_ms,
            updated_ms: time_ms,
            fills: Vec::new(),
            strategy: ticket.strategy,
            stamp: self.visibility.stamp(time_ms),
            canceled: None,
        }
    }

    /// L'identifiant que la bourse donne à qui n'en donne pas.
    pub(super) fn draw_client_id(&mut self) -> String {
        std::iter::repeat_with(|| self.dice.alphanumeric()).take(22).collect()
    }

    /// Un ordre LIMIT posé sans passer par l'API, ses filtres ni le journal : il reste ouvert et immobilise son dû.
    /// Rend son `orderId`, ou `None` sans le solde.
    pub(super) fn rest(
        &mut self,
        pair: &str,
        side: OrderSide,
        price: Decimal,
        quantity: Decimal,
        client_id: &str,
    ) -> Option<i64> {
        let Symbol { pair, listing, .. } = self.market.find(pair).expect("a listed pair");
        let ticket = Ticket {
            pair,
            side,
            asked: Asked::Limit { price, quantity, time_in_force: TimeInForce::Gtc },
            client_id: Some(client_id.to_owned()),
            response_type: ResponseType::Full,
            strategy: [None; 2],
        };
        let listing = listing.clone();
        let order = self.open(&ticket, quantity);
        let (asset, due) = order.due(&listing);
        self.account.lock(asset, due).ok()?;
        let id = order.id;
        self.orders.push(order);
        self.remember_balances();
        Some(id)
    }
}
