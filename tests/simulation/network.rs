//! Le réseau de la simulation : des latences tirées de la graine, et des demandes qui arrivent même si qui les a
//! envoyées n'est plus là.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use calvalot::clock;
use calvalot::fetch::{Answer, Call, FetchError, Network};
use calvalot::sim::{Delivery, Direct, Side};
use isahc::http::{HeaderMap, HeaderName, HeaderValue};
use smol::LocalExecutor;
use smol::channel;

pub const LEADER: &str = "http://leader.test";
pub const EXCHANGE: &str = "http://exchange.test";

/// Porte les demandes du suiveur au monde simulé.
pub struct SimulatedNetwork {
    world: Direct,
    executor: Rc<LocalExecutor<'static>>,
    dice: RefCell<fastrand::Rng>,
    /// Plus rien ne se connecte : ni leader ni bourse.
    down: Cell<bool>,
    /// L'aller d'une demande, au plus ; le retour de même.
    latency: Cell<Duration>,
    fuse: Rc<Fuse>,
}

/// Coupe le suiveur autour d'un ordre : quand il part, ou quand la bourse vient de le traiter.
#[derive(Default)]
struct Fuse {
    orders: Cell<Option<u32>>,
    once_processed: Cell<bool>,
    blown: Cell<bool>,
}

impl Fuse {
    fn burn(&self, method: &str, processed: bool) {
        if method == "POST" && self.once_processed.get() == processed {
            let left = self.orders.get().map(|left| left.saturating_sub(1));
            self.blown.set(self.blown.get() || left == Some(0));
            self.orders.set(left.filter(|left| *left > 0));
        }
    }
}

impl SimulatedNetwork {
    pub fn new(world: Direct, executor: Rc<LocalExecutor<'static>>, seed: u64) -> Rc<SimulatedNetwork> {
        let dice = RefCell::new(fastrand::Rng::with_seed(seed ^ 0x6e65_7477_6f72_6b00));
        let latency = Cell::new(Duration::from_millis(80));
        Rc::new(SimulatedNetwork {
            world,
            executor,
            dice,
            down: Cell::new(false),
            latency,
            fuse: Rc::default(),
        })
    }

    pub fn set_down(&self, down: bool) {
        self.down.set(down);
    }

    /// Coupe le suiveur au `orders`-ième ordre à venir, parti ou traité.
    pub fn set_fuse(&self, orders: u32, once_processed: bool) {
        self.fuse.orders.set(Some(orders));
        self.fuse.once_processed.set(once_processed);
    }

    pub fn remove_fuse(&self) {
        self.fuse.orders.set(None);
        self.fuse.blown.set(false);
    }

    /// Vrai, une fois, quand le suiveur doit être coupé.
    pub fn is_blown(&self) -> bool {
        self.fuse.blown.take()
    }

    pub fn set_latency(&self, latency: Duration) {
        self.latency.set(latency);
    }

    fn delay(&self) -> Duration {
        let most = self.latency.get().as_micros() as u64;
        Duration::from_micros(self.dice.borrow_mut().u64(0..=most))
    }
}

impl Network for SimulatedNetwork {
    fn carry(&self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answer, FetchError>>>> {
        if self.down.get() {
            return Box::pin(async { Err(FetchError::Unreachable("no route".to_owned())) });
        }
        let (going, coming, kept) = (self.delay(), self.delay(), self.dice.borrow_mut().bool());
        let (reply, answer) = channel::bounded(1);
        let (world, limit, fuse) = (self.world.clone(), call.limit, self.fuse.clone());
        fuse.burn(call.method, false);
        let journey = async move {
            clock::sleep(going).await;
            // Coupé avant que la demande n'arrive : elle est en route, ou ne l'est pas.
            if reply.is_closed() && !kept {
                return;
            }
            let (side, target) = split(&call.url);
            let headers: Vec<(&str, &str)> =
                call.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let arrival = world.arrive(side, call.method, target, &headers, b"");
            clock::sleep(arrival.before).await;
            let after = arrival.after;
            let delivery = arrival.process();
            fuse.burn(call.method, true);
            clock::sleep(after + coming).await;
            reply.try_send(delivery).ok();
        };
        self.executor.spawn(journey).detach();
        Box::pin(async move {
            match answer.recv().await {
                Ok(Delivery::Whole(reply)) if reply.body.len() > limit => Err(FetchError::TooLarge(limit)),
                Ok(Delivery::Whole(reply)) => {
                    Ok(Answer::new(reply.status, headers(&reply.headers), reply.body))
                }
                Ok(Delivery::Unbounded) => Err(FetchError::TooLarge(limit)),
                Ok(Delivery::Never) => smol::future::pending().await,
                Ok(Delivery::Cut) | Err(_) => Err(FetchError::Broken("cut".to_owned())),
            }
        })
    }
}

fn split(url: &str) -> (Side, &str) {
    match url.strip_prefix(LEADER) {
        Some(target) => (Side::Leader, target),
        None => (Side::Exchange, url.strip_prefix(EXCHANGE).expect("one of the two hosts")),
    }
}

fn headers(pairs: &[(String, String)]) -> HeaderMap {
    let parsed = pairs.iter().filter_map(|(name, value)| {
        Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
    });
    parsed.collect()
}
