//! La vitesse, comptée en allers-retours et non en temps : toutes les ventes ensemble, puis tous les achats.
//!
//! Un relais se tient devant la bourse et garde chaque réponse à un ordre jusqu'à ce que tous ceux de son sens
//! soient arrivés : un suiveur qui attendrait l'un pour envoyer l'autre n'en aurait aucune.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use calvalot::config::{AccountAccess, Config};
use rust_decimal::dec;

use crate::fake::Fake;
use crate::follower::Follower;
use crate::{Bench, Target, status};

/// Au-delà, le relais répond quand même : le journal dira que l'ordre attendait seul.
const PATIENCE: Duration = Duration::from_secs(8);

/// Ce qui passe par le relais, dans l'ordre, et combien d'ordres de chaque sens il attend.
#[derive(Default)]
struct Turnstile {
    log: Mutex<Vec<String>>,
    expected: Mutex<BTreeMap<&'static str, usize>>,
    moved: Condvar,
}

impl Turnstile {
    fn note(&self, event: String) {
        self.log.lock().unwrap().push(event);
        self.moved.notify_all();
    }

    /// Garde une réponse jusqu'à ce que tous les ordres de ce sens soient là.
    fn hold(&self, side: &'static str) {
        let expected = self.expected.lock().unwrap().get(side).copied().unwrap_or(0);
        let arrived = format!("{side} arrives");
        let missing =
            |log: &mut Vec<String>| log.iter().filter(|event| **event == arrived).count() < expected;
        let log = self.log.lock().unwrap();
        drop(self.moved.wait_timeout_while(log, PATIENCE, missing).unwrap());
    }

    /// Transmet la demande, garde la réponse s'il le faut, la rend.
    fn pass(&self, upstream: &str, head: &str, stream: &mut TcpStream) -> std::io::Result<()> {
        let side = ["SELL", "BUY"].into_iter().find(|side| head.contains(&format!("side={side}&")));
        let what = side.unwrap_or_else(|| head.split([' ', '?']).nth(1).map_or("", |path| path)).to_owned();
        self.note(format!("{what} arrives"));
        let mut exchange = TcpStream::connect(upstream)?;
        exchange.write_all(head.trim_end().as_bytes())?;
        exchange.write_all(b"\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        exchange.read_to_end(&mut answer)?;
        if let Some(side) = side {
            self.hold(side);
        }
        self.note(format!("{what} answered"));
        stream.write_all(&answer)
    }
}

#[test]
fn all_sales_are_in_flight_together_and_then_all_purchases() {
    let bench = Bench::new();
    for pair in ["BTCUSDC", "ETHUSDC", "BNBUSDC", "SOLUSDC", "XRPUSDC"] {
        // Profonds : rien d'autre n'est à lire entre deux ordres.
        bench.exchange().shred_book(pair, dec!(1_000_000), 1);
    }
    let turnstile = Arc::new(Turnstile::default());
    let (relay, upstream) = (turnstile.clone(), bench.world.exchange_url().replace("http://", ""));
    // Une connexion que le client lâche n'est l'affaire que du client.
    let front = Fake::serving(move |head, stream| drop(relay.pass(&upstream, head, stream)));
    let ordinary = bench.config();
    let account = AccountAccess { url: front.url.clone(), ..ordinary.account.clone() };
    let follower = Follower::start(Config { exchange_url: front.url.clone(), account, ..ordinary });
    let reach = |target: Target, sales: usize, purchases: usize| {
        turnstile.expected.lock().unwrap().extend([("SELL", sales), ("BUY", purchases)]);
        turnstile.log.lock().unwrap().clear();
        let id = bench.world.leader().set_target(target);
        let signal = follower.site().closed_signal(&id);
        assert_eq!(status(&signal).0, "executed", "{signal}");
        check_rounds(&turnstile.log.lock().unwrap(), sales, purchases);
    };
    let all = ["BTCUSDC", "ETHUSDC", "BNBUSDC", "SOLUSDC", "XRPUSDC"];
    reach(&all.map(|coin| (coin, dec!(0.18))), 0, 5);
    reach(&[("XRPUSDC", dec!(0.35)), ("SOLUSDC", dec!(0.5))], 3, 2);
    reach(&all.map(|coin| (coin, dec!(0.19))), 2, 3);
    bench.check_settled();
}

/// Un aller-retour pour les ventes, un pour les achats, et rien d'autre entre le premier et le dernier.
fn check_rounds(log: &[String], sales: usize, purchases: usize) {
    let is_order = |event: &String| event.starts_with("SELL") || event.starts_with("BUY");
    let first = log.iter().position(is_order).expect("orders were sent");
    let last = log.iter().rposition(is_order).expect("orders were sent");
    let round = |side: &str, count: usize| {
        ["arrives", "answered"].map(|what| vec![format!("{side} {what}"); count]).concat()
    };
    assert_eq!(
        log[first..=last],
        [round("SELL", sales), round("BUY", purchases)].concat(),
        "one after the other"
    );
}
