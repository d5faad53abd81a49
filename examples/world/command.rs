//! Une ligne, un geste sur le monde simulé : régler le marché, le compte, le leader ou les pannes, ou lire les livres
//! de la bourse.
//!
//! Les montants sont des textes, dans les deux sens : aucun ne traverse un flottant. Les livres sont ceux de la
//! bourse, jamais ce qu'elle a répondu ; une paire inconnue y est une faute de qui écrit, et arrête tout.

use std::str::{FromStr, SplitWhitespace};

use calvalot::sim::{
    Asked, Balance, Book, Fault, Fill, Handling, Lag, Listing, Misquote, NotionalFilter, On, Order,
    OrderSide, Reply, Side, Status, TimeInForce, View, Wire, World,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Ce que la ligne rapporte ; `"ok"` quand elle ne demandait rien.
pub fn obey(world: &World, line: &str) -> Result<Value, String> {
    let exchange = world.exchange();
    let words = &mut Words(line.split_whitespace());
    match words.word()? {
        "journal" => return Ok(exchange.accepted_orders().iter().map(order).collect()),
        "balances" => return Ok(exchange.balances().iter().map(balance).collect()),
        "calls" => return Ok(exchange.calls(words.word()?).into()),
        "price" => exchange.set_price(words.word()?, words.read()?),
        "empty-book" => exchange.set_book(words.word()?, Book { bids: Vec::new(), asks: Vec::new() }),
        "status" => exchange.set_status(words.word()?, status(words.word()?)?),
        "rule" => {
            let (pair, rule) = (words.word()?, rule(words)?);
            exchange.edit_listing(pair, rule);
        }
        "balance" => exchange.set_balance(words.word()?, words.read()?),
        "rest-buy" => {
            let (pair, price, quantity, id) = (words.word()?, words.read()?, words.read()?, words.word()?);
            exchange.rest_order(pair, OrderSide::Buy, price, quantity, id).ok_or("not enough to rest it")?;
        }
        "person" => return person(world, words),
        "shred-book" => exchange.shred_book(words.word()?, words.read()?, words.read()?),
        "average" => exchange.set_average(words.word()?, words.read()?),
        "misquote" => exchange.misquote(words.word()?, misquote(words)?, words.read()?),
        "quote-truly" => exchange.quote_truly(words.word()?),
        "archive-at-once" => exchange.archive_at_once(true),
        "fee-in" => {
            let fee = (words.word()?.to_owned(), words.read()?);
            exchange.edit_account(|account| account.fee_assets = vec![fee]);
        }
        "bnb-fees" => exchange.edit_account(|account| account.bnb_fees = true),
        "freeze-account" => exchange.edit_account(|account| account.can_trade = false),
        "freeze-key" => exchange.edit_account(|account| account.key_may_trade = false),
        "public-key" => exchange.register_public_key(&pem(words.word()?)),
        "weight-limit" => exchange.set_weight_limit(words.read()?),
        "order-limit" => exchange.set_order_limit(words.read()?),
        "skew-ms" => exchange.set_skew(words.read()?),
        "lag-reads" => exchange.set_lag(view(words.word()?)?, Lag::Reads(words.read()?)),
        "wipe" => exchange.wipe(),
        "target" => return Ok(world.leader().set_target(&shares(words)?).into()),
        "signal" => world.leader().set_raw(words.rest()),
        "no-signal" => world.leader().no_signal(),
        "close" => world.refuse_connections(side(words.word()?)?).map_err(|error| error.to_string())?,
        "open" => world.accept_connections(side(words.word()?)?).map_err(|error| error.to_string())?,
        "clear-faults" => world.clear_faults(),
        "fault" => {
            let on = On::exchange(words.word()?).method(words.word()?).next(words.read()?);
            world.fault(on, fault(words)?);
        }
        other => return Err(format!("no command {other}")),
    }
    Ok("ok".into())
}

/// Un geste de la personne sur la page de la bourse : `withdraw USDC 50`, `sell BTCUSDC 0.001`, `rest BTCUSDC 50000 0.001`.
/// Rapporte le numéro d'un ordre, le BNB d'une conversion.
fn person(world: &World, words: &mut Words) -> Result<Value, String> {
    let person = world.exchange().person();
    let ordered = |placed: Result<Order, String>| placed.map(|order| order.id.into());
    match words.word()? {
        "withdraw" => person.withdraw(words.word()?, words.read()?)?,
        "bring" => person.bring(words.word()?, words.read()?),
        "convert" => return Ok(person.convert_to_bnb(words.word()?)?.to_string().into()),
        "buy" => {
            return ordered(person.place(words.word()?, OrderSide::Buy, Asked::Amount(words.read()?)));
        }
        "sell" => {
            return ordered(person.place(words.word()?, OrderSide::Sell, Asked::Quantity(words.read()?)));
        }
        "rest" => {
            let (pair, price, quantity) = (words.word()?, words.read()?, words.read()?);
            let asked = Asked::Limit { price, quantity, time_in_force: TimeInForce::Gtc };
            return ordered(person.place(pair, OrderSide::Buy, asked));
        }
        "cancel" => person.cancel(words.read()?)?,
        other => return Err(format!("no gesture {other}")),
    }
    Ok("ok".into())
}

fn misquote(words: &mut Words) -> Result<Misquote, String> {
    Ok(match words.word()? {
        "times" => Misquote::Times(words.read()?),
        "at" => Misquote::At(words.read()?),
        other => return Err(format!("no misquote {other}")),
    })
}

/// `BTCUSDC 0.4 ETHUSDC 0.3`.
fn shares<'a>(words: &mut Words<'a>) -> Result<Vec<(&'a str, Decimal)>, String> {
    let mut shares = Vec::new();
    while let Some(pair) = words.0.next() {
        shares.push((pair, words.read()?));
    }
    Ok(shares)
}

fn side(word: &str) -> Result<Side, String> {
    Ok(match word {
        "leader" => Side::Leader,
        "exchange" => Side::Exchange,
        other => return Err(format!("no side {other}")),
    })
}

/// La moitié publique d'une clé, dont la ligne ne porte que le base64.
fn pem(base64: &str) -> String {
    format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n")
}

/// `once truncate`, `skipped refusal 504 -1007 Timeout…`.
fn fault(words: &mut Words) -> Result<Fault, String> {
    let handling = match words.word()? {
        "skipped" => Handling::Skipped,
        "once" => Handling::Once,
        "twice" => Handling::Twice,
        other => return Err(format!("no handling {other}")),
    };
    let wire = match words.word()? {
        "as-is" => Wire::AsIs,
        "close" => Wire::Close,
        "reset" => Wire::Reset,
        "truncate" => Wire::Truncate,
        "refusal" => Wire::Canned(Reply::code(words.read()?, words.read()?, &words.rest())),
        "html" => Wire::Canned(Reply::html(words.read()?, "<html></html>")),
        "empty" => Wire::Canned(Reply::empty(words.read()?)),
        other => return Err(format!("no wire {other}")),
    };
    Ok(Fault { handling, ..Fault::processed(wire) })
}

fn rule(words: &mut Words) -> Result<impl FnOnce(&mut Listing) + use<>, String> {
    let change: fn(&mut Listing, Option<Decimal>) = match words.word()? {
        "min-notional-filter" => |listing, _| listing.notional_filter = NotionalFilter::MinNotional,
        "no-spot-trading" => |listing, _| listing.spot_trading_allowed = false,
        "no-market-orders" => |listing, _| listing.market_orders_allowed = false,
        "no-quote-orders" => |listing, _| listing.quote_order_allowed = false,
        "max-position" => |listing, limit| listing.max_position = limit,
        other => return Err(format!("no rule {other}")),
    };
    let value = words.0.next().map(parse).transpose()?;
    Ok(move |listing: &mut Listing| change(listing, value))
}

fn status(word: &str) -> Result<Status, String> {
    Ok(match word {
        "TRADING" => Status::Trading,
        "HALT" => Status::Halt,
        "BREAK" => Status::Break,
        "END_OF_DAY" => Status::EndOfDay,
        "CANCEL_ONLY" => Status::CancelOnly,
        other => return Err(format!("no status {other}")),
    })
}

fn view(word: &str) -> Result<View, String> {
    Ok(match word {
        "order" => View::Order,
        "allOrders" => View::AllOrders,
        "myTrades" => View::MyTrades,
        "account" => View::Account,
        other => return Err(format!("no view {other}")),
    })
}

fn balance((asset, held): (&String, &Balance)) -> (String, Value) {
    (asset.clone(), json!({ "free": held.free.to_string(), "locked": held.locked.to_string() }))
}

fn order(order: &Order) -> Value {
    json!({
        "id": order.id,
        "client_id": order.client_id,
        "pair": order.pair,
        "side": format!("{:?}", order.side).to_uppercase(),
        "status": format!("{:?}", order.status).to_uppercase(),
        "quantity": order.quantity.to_string(),
        "executed": order.executed.to_string(),
        "quote": order.quote.to_string(),
        "fills": order.fills.iter().map(fill).collect::<Value>(),
    })
}

fn fill(fill: &Fill) -> Value {
    json!({
        "trade_id": fill.trade_id,
        "price": fill.price.to_string(),
        "quantity": fill.quantity.to_string(),
        "commission": fill.commission.to_string(),
        "commission_asset": fill.commission_asset,
    })
}

/// Ce qui reste à lire de la ligne.
struct Words<'a>(SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn word(&mut self) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| "a word is missing".to_owned())
    }

    fn read<T: FromStr>(&mut self) -> Result<T, String> {
        parse(self.word()?)
    }

    fn rest(&mut self) -> String {
        self.0.by_ref().collect::<Vec<_>>().join(" ")
    }
}

fn parse<T: FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("{word} cannot be read"))
}
