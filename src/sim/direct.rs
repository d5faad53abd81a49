//! Le monde sans réseau : le leader, la bourse et les pannes, à qui l'on remet une requête en main propre.
//!
//! Ni fil, ni port, ni attente : les délais d'une panne sont dits ([`Arrival::before`], [`Arrival::after`]) et
//! c'est l'appelant qui les fait passer, sur l'horloge qu'il veut. [`super::World`] n'est que cela derrière
//! deux ports. Cloner donne une poignée de plus sur le même monde.

use std::sync::Arc;
use std::time::Duration;

use super::counterpart::Counterpart;
use super::exchange::Exchange;
use super::fault::{Fault, Faults, Handling, Hit, On, Side};
use super::leader::Leader;
use super::reply::Reply;
use super::request::Request;
use super::script::Script;
use super::wire::Wire;

#[derive(Clone)]
pub struct Direct {
    leader: Arc<Leader>,
    exchange: Arc<Exchange>,
    faults: Arc<Faults>,
}

impl Direct {
    pub fn new(script: Script) -> Direct {
        Direct {
            leader: Arc::new(Leader::new(&script)),
            exchange: Arc::new(Exchange::new(&script)),
            faults: Arc::new(Faults::new(script.seed)),
        }
    }

    /// Une requête atteint cette contrepartie : elle est comptée, son sort est tiré. `target` est le chemin et
    /// la chaîne de requête, à l'octet près.
    pub fn arrive(
        &self,
        side: Side,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Arrival {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        self.receive(side, Request::new(method, target, headers, body))
    }

    pub(super) fn receive(&self, side: Side, request: Request) -> Arrival {
        let counterpart: Arc<dyn Counterpart + Send + Sync> = match side {
            Side::Leader => self.leader.clone(),
            Side::Exchange => self.exchange.clone(),
        };
        counterpart.arrived(&request.path);
        let fault = self.faults.strike(side, &request).unwrap_or_else(Fault::none);
        let Fault { handling, before, after, wire } = fault;
        Arrival { before, after, counterpart, request, handling, wire }
    }

    pub fn leader(&self) -> &Leader {
        &self.leader
    }

    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Pose une règle de panne ; elles s'ajoutent, la première qui se déclenche l'emporte.
    pub fn fault(&self, on: On, fault: Fault) {
        self.faults.add(on, fault);
    }

    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// Les pannes qui ont frappé, dans l'ordre.
    pub fn hits(&self) -> Vec<Hit> {
        self.faults.hits()
    }
}

/// Une requête arrivée, son sort tiré, que personne n'a encore traitée. La lâcher la perd en route.
#[must_use]
pub struct Arrival {
    /// À laisser passer avant de traiter.
    pub before: Duration,
    /// À laisser passer entre le traitement et ce qui revient.
    pub after: Duration,
    counterpart: Arc<dyn Counterpart + Send + Sync>,
    request: Request,
    handling: Handling,
    wire: Wire,
}

impl Arrival {
    /// Traite la requête, à l'heure de cet appel, et dit ce qui revient.
    pub fn process(self) -> Delivery {
        let (reply, wire) = self.handle();
        Delivery::of(reply, &wire)
    }

    pub(super) fn handle(self) -> (Reply, Wire) {
        let reply = match self.handling {
            Handling::Skipped => Reply::empty(200),
            Handling::Once => self.counterpart.answer(&self.request),
            Handling::Twice => {
                self.counterpart.answer(&self.request);
                self.counterpart.answer(&self.request)
            }
        };
        (reply, self.wire)
    }
}

/// Ce que le client a reçu.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// Une réponse entière. Celle qui vient goutte à goutte l'est aussi : sa lenteur n'est pas rendue.
    Whole(Reply),
    /// Connexion fermée ou rompue, corps coupé, octets qui ne sont pas du HTTP.
    Cut,
    /// Rien, aussi longtemps que le client attende.
    Never,
    /// Plus d'octets que personne n'en veut.
    Unbounded,
}

impl Delivery {
    fn of(reply: Reply, wire: &Wire) -> Delivery {
        match wire {
            Wire::AsIs
            | Wire::Canned(_)
            | Wire::Rewrite { .. }
            | Wire::Nested(_)
            | Wire::LongHead(_)
            | Wire::Drip(_) => Delivery::Whole(wire.reshape(reply)),
            // Une réponse sans corps ne se coupe pas.
            Wire::Truncate if reply.status == 204 => Delivery::Whole(reply),
            Wire::Close | Wire::Reset | Wire::Truncate | Wire::Raw(_) => Delivery::Cut,
            Wire::Silence => Delivery::Never,
            Wire::Huge(_) | Wire::Endless => Delivery::Unbounded,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::sim::hour::Hour;
    use crate::sim::script::Pace;
    use crate::sim::signature::hmac_hex;

    const ORDER: &str = "/api/v3/order";
    const START: i64 = 1_790_000_000_000_000;

    fn world() -> (Direct, Arc<AtomicI64>) {
        let micros = Arc::new(AtomicI64::new(START));
        let hour = Hour::Set(micros.clone());
        (Direct::new(Script { pace: Pace::Frozen, hour, ..Script::default() }), micros)
    }

    /// Un achat signé à l'heure du départ, dans une fenêtre de 5 s.
    fn buy(world: &Direct) -> Arrival {
        let script = Script::default();
        let payload = format!(
            "symbol=BTCUSDC&side=BUY&type=MARKET&quoteOrderQty=25&newClientOrderId=a&timestamp={}",
            START / 1_000
        );
        let signature = hmac_hex(&script.api_secret, payload.as_bytes());
        let target = format!("{ORDER}?{payload}&signature={signature}");
        world.arrive(Side::Exchange, "POST", &target, &[("X-MBX-APIKEY", &script.api_key)], b"")
    }

    fn whole(delivery: Delivery) -> (u16, String) {
        let Delivery::Whole(reply) = delivery else { panic!("{delivery:?} is not whole") };
        (reply.status, String::from_utf8(reply.body).unwrap())
    }

    fn poll(world: &Direct, seconds: i64) -> (u16, String) {
        let seconds = seconds.to_string();
        let signature = hmac_hex(&Script::default().secret, seconds.as_bytes());
        let headers = [("X-Signal-Timestamp", seconds.as_str()), ("X-Signal-Signature", &signature)];
        whole(world.arrive(Side::Leader, "GET", "/api/signal/latest", &headers, b"").process())
    }

    #[test]
    fn an_order_is_judged_at_the_hour_it_is_processed() {
        let (world, micros) = world();
        world.fault(On::exchange(ORDER).nth(2), Fault::late(Duration::from_secs(6)));
        let (status, body) = whole(buy(&world).process());
        assert!(status == 200 && body.contains(r#""transactTime":1790000000000"#), "{body}");
        let late = buy(&world);
        micros.fetch_add(i64::try_from(late.before.as_micros()).unwrap(), Ordering::SeqCst);
        assert!(whole(late.process()).1.contains("-1021"));
        assert_eq!(world.exchange().accepted_orders().len(), 1);
        assert_eq!((world.exchange().calls(ORDER), world.hits().len()), (2, 1));
    }

    #[test]
    fn the_leader_lives_at_the_hour_of_the_world() {
        let (world, micros) = world();
        assert_eq!(poll(&world, START / 1_000_000).0, 200);
        assert_eq!(poll(&world, START / 1_000_000 - 301).0, 403);
        micros.store(START + 3_600_000_000, Ordering::SeqCst);
        assert_eq!(poll(&world, START / 1_000_000).0, 403);
        world.leader().set_target(&[("BTCUSDC", rust_decimal::Decimal::ONE)]);
        let told = poll(&world, START / 1_000_000 + 3_600).1;
        assert!(told.contains(r#""timestamp":"2026-09-21T15:13:20Z""#), "{told}");
    }

    #[test]
    fn what_comes_back_follows_the_fault_and_so_does_what_was_done() {
        let canned = Wire::Canned(Reply::code(504, -1007, "Timeout."));
        let rewritten = Wire::Rewrite { from: "FILLED".to_owned(), to: "GONE".to_owned() };
        let cases = [
            (Fault::unprocessed(Wire::Close), "Cut", 0),
            (Fault::processed(Wire::Close), "Cut", 1),
            (Fault::processed(Wire::Reset), "Cut", 1),
            (Fault::processed(Wire::Truncate), "Cut", 1),
            (Fault::processed(Wire::Raw(b"\x00".to_vec())), "Cut", 1),
            (Fault::processed(Wire::Silence), "Never", 1),
            (Fault::processed(Wire::Huge(1_000_000_000)), "Unbounded", 1),
            (Fault::processed(Wire::Endless), "Unbounded", 1),
            (Fault::processed(canned), "-1007", 1),
            (Fault::processed(rewritten), "GONE", 1),
            (Fault::unprocessed(Wire::Nested(3)), "[[[]]]", 0),
            (Fault::processed(Wire::LongHead(9)), "X-Padding", 1),
            (Fault::processed(Wire::Drip(Duration::from_secs(9))), "FILLED", 1),
            (Fault::twice(), "FILLED", 2),
        ];
        for (fault, expected, orders) in cases {
            let (world, _) = world();
            world.fault(On::any(), fault.clone());
            let told = match buy(&world).process() {
                Delivery::Whole(reply) => {
                    format!("{:?} {}", reply.headers, String::from_utf8_lossy(&reply.body))
                }
                other => format!("{other:?}"),
            };
            assert!(told.contains(expected), "{fault:?} gave {told}");
            assert_eq!(world.exchange().accepted_orders().len(), orders, "{fault:?}");
        }
    }

    #[test]
    fn an_arrival_nobody_processes_is_lost_on_the_way() {
        let (world, _) = world();
        drop(buy(&world));
        assert_eq!(world.exchange().calls(ORDER), 1);
        assert!(world.exchange().accepted_orders().is_empty());
    }
}
