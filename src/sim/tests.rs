//! Le monde simulé vu du fil, par un `TcpStream` nu qui voit les octets et les coupures.
//!
//! Les comptes se vérifient sur l'oracle de la bourse, jamais sur les réponses seules. Ce que voit un vrai client
//! HTTP est dans `tests/sim.rs`.

mod faults;
mod open_orders;
mod orders;
mod person;
mod reads;
mod weights;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::SystemTime;

use miniserde::json::{self, Value};
use rust_decimal::{Decimal, dec};

use super::signature::hmac_hex;
use super::{Balance, OrderSide, Pace, Script, World};

const ORDER: &str = "/api/v3/order";

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn unix_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn value(&self) -> Value {
        json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Statut, code et texte d'un refus.
    fn refusal(&self) -> (u16, i64, String) {
        let value = self.value();
        let Value::Number(json::Number::I64(code)) = at(&value, "code") else {
            panic!("no code: {}", self.body)
        };
        (self.status, *code, text(&value, "msg").to_owned())
    }
}

fn at<'a>(value: &'a Value, key: &str) -> &'a Value {
    let Value::Object(fields) = value else { panic!("not an object") };
    fields.get(key).unwrap_or_else(|| panic!("no field {key}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    let Value::String(text) = at(value, key) else { panic!("{key} is not a text") };
    text
}

fn list(value: &Value) -> &[Value] {
    let Value::Array(values) = value else { panic!("not an array") };
    values
}

/// Envoie une requête sur une connexion neuve, sans rien lire.
fn send(url: &str, method: &str, target: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n{headers}\r\n").unwrap();
    stream
}

fn receive(mut stream: TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let whole = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = whole.split_once("\r\n\r\n").ok_or(ErrorKind::UnexpectedEof)?;
    let status = head.get(9..12).and_then(|text| text.parse().ok()).ok_or(ErrorKind::InvalidData)?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

fn frozen() -> World {
    let balances = vec![("USDC".to_owned(), Decimal::ONE_THOUSAND)];
    World::start(Script { pace: Pace::Frozen, balances, ..Script::default() }).unwrap()
}

fn get(world: &World, target: &str) -> Answer {
    receive(send(&world.exchange_url(), "GET", target, "")).unwrap()
}

/// Une requête signée, avec l'heure de la machine et une fenêtre de 5 s.
fn signed_target(path: &str, params: &str) -> String {
    stamped_target(path, params, &format!("timestamp={}", unix_ms()))
}

fn stamped_target(path: &str, params: &str, stamp: &str) -> String {
    let payload = if params.is_empty() { stamp.to_owned() } else { format!("{params}&{stamp}") };
    let signature = hmac_hex(&Script::default().api_secret, payload.as_bytes());
    format!("{path}?{payload}&signature={signature}")
}

fn send_signed(world: &World, method: &str, path: &str, params: &str) -> TcpStream {
    let key = format!("X-MBX-APIKEY: {}\r\n", Script::default().api_key);
    send(&world.exchange_url(), method, &signed_target(path, params), &key)
}

fn signed(world: &World, method: &str, path: &str, params: &str) -> Answer {
    receive(send_signed(world, method, path, params)).unwrap()
}

fn place(world: &World, params: &str) -> Answer {
    signed(world, "POST", ORDER, params)
}

fn buy(client_id: &str) -> String {
    format!("symbol=BTCUSDC&side=BUY&type=MARKET&quoteOrderQty=25&newClientOrderId={client_id}")
}

fn poll_now(world: &World) -> Answer {
    let timestamp = (unix_ms() / 1_000).to_string();
    let signature = hmac_hex(&Script::default().secret, timestamp.as_bytes());
    let headers = format!("X-Signal-Timestamp: {timestamp}\r\nX-Signal-Signature: {signature}\r\n");
    receive(send(&world.leader_url(), "GET", "/api/signal/latest", &headers)).unwrap()
}

/// Les soldes que l'oracle impose : départ, exécutions, commissions, ce qu'une personne a fait.
fn expected_balances(world: &World, start: &[(&str, Decimal)]) -> BTreeMap<String, Decimal> {
    let mut held: BTreeMap<String, Decimal> =
        start.iter().map(|(asset, free)| (asset.to_string(), *free)).collect();
    for moved in world.exchange().movements() {
        *held.entry(moved.asset).or_default() += moved.amount;
    }
    let by_hand = world.exchange().person().orders();
    for order in world.exchange().accepted_orders().into_iter().chain(by_hand) {
        let base = order.pair.trim_end_matches("USDC");
        for fill in &order.fills {
            let sign = if order.side == OrderSide::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
            *held.entry(base.to_owned()).or_default() += sign * fill.quantity;
            *held.entry("USDC".to_owned()).or_default() -= sign * fill.quote();
            *held.entry(fill.commission_asset.clone()).or_default() -= fill.commission;
        }
    }
    held
}

fn assert_balances(world: &World, start: &[(&str, Decimal)]) {
    for (asset, expected) in expected_balances(world, start) {
        let Balance { free, locked } = world.exchange().balance(&asset);
        assert!(free >= Decimal::ZERO && locked >= Decimal::ZERO, "{asset}: {free} and {locked}");
        assert_eq!(free + locked, expected, "{asset}");
    }
}
