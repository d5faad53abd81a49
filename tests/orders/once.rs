//! Un ordre part une fois. La prise d'en face garde ses connexions ouvertes, répond au premier ordre, puis lâche
//! la connexion dès qu'elle a lu le suivant : c'est là que libcurl renvoie de lui-même ce qu'il avait envoyé sur
//! une connexion réutilisée, et qu'un ordre en devient deux.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use calvalot::domain::market::Coin;
use calvalot::exchange::{Account, Credentials, Exchange, Placed};
use calvalot::fetch::SEND_LIMIT;
use calvalot::sim::{Fault, On};
use isahc::{AsyncReadResponseExt, HttpClient, Request};
use rust_decimal::dec;
use smol::block_on;

use crate::{Desk, ORDER, accepted, client, sender};

/// Comment la connexion meurt, une fois l'ordre lu.
#[derive(Clone, Copy, Debug)]
enum Death {
    Fin,
    /// Le dernier octet de la demande reste à lire : le noyau envoie un RST.
    Reset,
    /// Une réponse commence.
    CutHead,
    CutBody,
}

const DEATHS: [Death; 4] = [Death::Fin, Death::Reset, Death::CutHead, Death::CutBody];

/// Une demande reçue.
struct Seen {
    connection: usize,
    /// `POST` et le nom de l'ordre, ou `GET` et le chemin.
    what: String,
}

/// La prise d'en face ; elle vit jusqu'à la fin de l'essai.
struct Trap {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Trap {
    /// Répond aux lectures et aux ordres dont le nom commence par `first`, lâche les autres.
    fn set(death: Death) -> Trap {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free local port");
        let url = format!("http://{}", listener.local_addr().expect("a local address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let log = log.clone();
                let mut stream = stream.expect("a connection");
                thread::spawn(move || while serve(&mut stream, connection, death, &log).is_some() {});
            }
        });
        Trap { url, seen }
    }

    /// Combien de fois chaque ordre est arrivé, et sur quelles connexions.
    fn orders(&self) -> BTreeMap<String, Vec<usize>> {
        let mut orders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for seen in self.seen.lock().expect("no panic while held").iter() {
            if let Some(name) = seen.what.strip_prefix("POST ") {
                orders.entry(name.to_owned()).or_default().push(seen.connection);
            }
        }
        orders
    }

    /// Combien de demandes chaque connexion a portées.
    fn loads(&self) -> BTreeMap<usize, usize> {
        let mut loads = BTreeMap::new();
        for seen in self.seen.lock().expect("no panic while held").iter() {
            *loads.entry(seen.connection).or_default() += 1;
        }
        loads
    }
}

/// Une demande ; `None` quand la connexion est finie.
fn serve(stream: &mut TcpStream, connection: usize, death: Death, log: &Mutex<Vec<Seen>>) -> Option<()> {
    let head = read_all_but_one_byte(stream)?;
    let target = head.split(' ').nth(1)?;
    let name = target.split("newClientOrderId=").nth(1).and_then(|rest| rest.split('&').next());
    let what = match name {
        Some(name) if head.starts_with("POST ") => format!("POST {name}"),
        _ => format!("GET {}", target.split('?').next()?),
    };
    log.lock().expect("no panic while held").push(Seen { connection, what: what.clone() });
    let body = match what.strip_prefix("POST ") {
        Some(name) if name.starts_with("first") => receipt(name),
        Some(_) => return die(stream, death),
        None => format!(r#"{{"serverTime":{}}}"#, calvalot::clock::now().0),
    };
    stream.read_exact(&mut [0]).ok()?;
    let length = body.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).ok()
}

fn read_all_but_one_byte(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

fn die(stream: &mut TcpStream, death: Death) -> Option<()> {
    let text = match death {
        Death::Reset => return None,
        Death::Fin => "",
        Death::CutHead => "HTTP/1.1 200 OK\r\nContent-Le",
        Death::CutBody => {
            "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{\"symbol\":\"BTCUSDC\",\"orderId\":7"
        }
    };
    stream.read_exact(&mut [0]).ok()?;
    stream.write_all(text.as_bytes()).ok()?;
    None
}

fn receipt(name: &str) -> String {
    format!(
        r#"{{"symbol":"BTCUSDC","orderId":7,"clientOrderId":"{name}","transactTime":1790000000500,
        "executedQty":"0.00000000","cummulativeQuoteQty":"0.00000000","status":"EXPIRED","side":"BUY","fills":[]}}"#
    )
}

/// Un compte devant cette prise.
fn account(trap: &Trap) -> Account {
    let exchange = Exchange::binance(&trap.url, client());
    block_on(exchange.synchronise()).expect("it tells the time");
    Account::new(exchange, Credentials::hmac("key", "secret"))
}

#[test]
fn an_order_is_never_sent_twice_nor_on_a_connection_that_served() {
    let desk = Desk::open();
    let sender = sender();
    for death in DEATHS {
        let trap = Trap::set(death);
        let account = account(&trap);
        let place = |name: &str| block_on(account.place(&sender, &desk.buying(name, dec!(25))));
        for round in 0..50 {
            accepted(place(&format!("first-{round}")));
            let placed = place(&format!("next-{round}"));
            assert!(matches!(placed, Placed::Unknown(_)), "{death:?}: {placed:?}");
        }
        let (orders, loads) = (trap.orders(), trap.loads());
        assert_eq!(orders.len(), 100, "{death:?}");
        for (name, connections) in orders {
            assert_eq!(connections.len(), 1, "{death:?}: {name} was sent {} times", connections.len());
            assert_eq!(loads[&connections[0]], 1, "{death:?}: {name} shared its connection");
        }
    }
}

/// Le même piège prend bien ce qu'il doit prendre : un client qui garde ses connexions y envoie des ordres deux
/// fois. S'il n'y tombait plus, l'essai d'au-dessus ne prouverait plus rien.
#[test]
fn a_client_that_keeps_its_connections_falls_into_the_same_trap() {
    let trap = Trap::set(Death::Fin);
    let client = HttpClient::new().expect("a client");
    let post = |name: &str| {
        let url = format!("{}{ORDER}?newClientOrderId={name}&signature=0", trap.url);
        let request = Request::post(url).body(()).expect("a request");
        block_on(async { client.send_async(request).await?.bytes().await.map_err(Into::into) })
            .map_err(|error: isahc::Error| error.to_string())
    };
    for round in 0..50 {
        post(&format!("first-{round}")).expect("an answer");
        assert!(post(&format!("next-{round}")).is_err());
    }
    let twice = trap.orders().values().filter(|connections| connections.len() > 1).count();
    assert!(twice > 0, "nothing was sent twice");
}

/// La bourse attend son moteur dix secondes avant de dire qu'elle ne sait pas : on l'écoute jusque-là.
#[test]
fn an_answer_that_takes_more_than_ten_seconds_is_waited_for() {
    assert!(SEND_LIMIT > Duration::from_secs(12));
    let desk = Desk::open();
    let slow = Fault::slow(Duration::from_millis(10_500));
    desk.world.fault(On::exchange(ORDER).method("POST"), slow);
    let (report, _) = desk.bought("bot-1");
    assert!(report.ended);
    desk.world.clear_faults();
    assert!(block_on(desk.account.order(Coin::Btc, "bot-1")).expect("an answer").seen().is_some());
}
