//! `GET /api/events` : ce qui vient de changer, dit à qui regarde, sans qu'il ait à demander.
//!
//! Le flux (*server-sent events*) nomme des parties, jamais leurs valeurs : la page relit celles-là, et un flux perdu ne
//! coûte rien de plus qu'une relecture. Il n'interroge pas la base, il attend qu'une transaction soit faite.
//! Invariant : au plus `STREAMS` flux, et chacun ne retient que son rang dans les annonces, quoi que fasse son client.

mod seats;

use std::time::{Duration, Instant};

use async_io::Timer;
use http_types::StatusCode;
use miniserde::{Serialize, json};
use smol::future;
use smol::stream::{self, Stream, StreamExt};
use tide::{Endpoint, Response};

use super::caller::Caller;
use super::errors::ApiError;
use super::front::before;
use super::front::feed::Feed;
use super::parts::{self, Part};
use super::{Request, State};
use crate::ledger::Watch;
use seats::{Seat, Seats};

/// Les flux à la fois : de quoi suivre sur chaque écran d'une maison, et un huitième des places du front.
const STREAMS: usize = 8;

/// Un client qui a perdu le fil revient après cela, en millisecondes.
const RETRY: u32 = 2000;

/// Un événement et non un commentaire : la page doit l'entendre pour remarquer un fil muet.
const ALIVE: &str = "event: alive\ndata: {}\n\n";

const PACE: Pace = Pace {
    gather: Duration::from_millis(200),
    alive: Duration::from_secs(10),
    ageing: Duration::from_secs(60),
};

/// Le rythme d'un flux.
#[derive(Clone, Copy)]
struct Pace {
    /// Après un changement, le temps que ceux du même tour le rejoignent.
    gather: Duration,
    /// Sans rien à dire, un mot quand même : qui n'entend plus rien sait alors que l'autre est parti.
    alive: Duration,
    /// Sans changement, ce que le temps seul change est à relire.
    ageing: Duration,
}

/// La route, et les places qu'elle donne.
#[derive(Default)]
pub(super) struct Events {
    seats: Seats,
}

#[tide::utils::async_trait]
impl Endpoint<State> for Events {
    async fn call(&self, request: Request) -> tide::Result {
        let caller = request.ext::<Caller>().ok_or_else(ApiError::internal)?;
        let seat = self.seats.take(caller)?;
        let state = request.state();
        let reader = Reader { watch: state.ledger.watch(), pace: PACE, told: Instant::now(), seat };
        let mut response = Response::builder(StatusCode::Ok)
            .header("content-type", "text/event-stream")
            .header("cache-control", "no-store")
            // nginx attendrait d'avoir plusieurs kilooctets à relayer.
            .header("x-accel-buffering", "no")
            .build();
        response.insert_ext(Feed::new(events(&state.version, reader)));
        Ok(response)
    }
}

#[derive(Serialize)]
struct Hello<'a> {
    version: &'a str,
}

#[derive(Serialize)]
struct Changed<'a> {
    parts: &'a [Part],
}

fn events(version: &str, reader: Reader) -> impl Stream<Item = String> + Send + 'static {
    let hello = format!("retry: {RETRY}\n{}", event("hello", &Hello { version }));
    let next = |mut reader: Reader| async { Some((reader.next().await?, reader)) };
    stream::once(hello).chain(stream::unfold(reader, next))
}

fn event(name: &str, data: &impl Serialize) -> String {
    // Du JSON de miniserde tient sur une ligne.
    format!("event: {name}\ndata: {}\n\n", json::to_string(data))
}

/// Un client qui lit le flux.
struct Reader {
    watch: Watch,
    pace: Pace,
    /// Le dernier changement annoncé.
    told: Instant,
    seat: Seat,
}

impl Reader {
    /// Le prochain mot à lui dire, au plus tard après `Pace::alive` ; `None` si sa place est cédée.
    async fn next(&mut self) -> Option<String> {
        let Reader { watch, pace, told, seat } = self;
        let lost = async {
            seat.lost().await;
            None
        };
        future::or(lost, async { Some(word(watch, pace, told).await) }).await
    }
}

/// Le prochain mot.
async fn word(watch: &mut Watch, pace: &Pace, told: &mut Instant) -> String {
    let alive = Instant::now() + pace.alive;
    loop {
        let stale = *told + pace.ageing;
        let parts = match before(alive.min(stale), watch.changed()).await {
            Some(()) => {
                Timer::after(pace.gather).await;
                let tables = watch.take();
                parts::showing(tables.iter().map(String::as_str))
            }
            None if stale <= alive => parts::AGEING.to_vec(),
            None => return ALIVE.to_owned(),
        };
        if !parts.is_empty() {
            *told = Instant::now();
            return event("changed", &Changed { parts: &parts });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use rust_decimal::dec;

    use super::*;
    use crate::api::caller::Standing;
    use crate::domain::market::Coin;
    use crate::domain::moment::Moment;
    use crate::domain::money::Eur;
    use crate::ledger::{Db, Ledger, LedgerError, Outlook, in_memory};

    const NEVER: Duration = Duration::from_secs(3600);
    const SOON: Duration = Duration::from_millis(1);

    /// Un grand livre et un client qui le lit à ce rythme, bonjour entendu.
    fn read(pace: Pace) -> (Ledger, impl Stream<Item = String> + Unpin) {
        let ledger = in_memory("dry_run", Eur::new(dec!(100)), Moment(1)).expect("a new ledger");
        let caller = Caller::test(Ipv4Addr::LOCALHOST.into(), Standing::Neighbour);
        let seat = Seats::default().take(&caller).expect("a free seat");
        let reader = Reader { watch: ledger.watch(), pace, told: Instant::now(), seat };
        let mut events = Box::pin(events("1.0", reader));
        let hello = "retry: 2000\nevent: hello\ndata: {\"version\":\"1.0\"}\n\n";
        assert_eq!(next(&mut events), hello);
        (ledger, events)
    }

    fn next(events: &mut (impl Stream<Item = String> + Unpin)) -> String {
        smol::block_on(events.next()).expect("it never ends")
    }

    fn write(ledger: &Ledger, job: impl FnOnce(&mut Db) -> Result<(), LedgerError> + Send + 'static) {
        smol::block_on(ledger.with(job)).expect("it is written");
    }

    #[test]
    fn all_that_changes_together_is_one_event() {
        let (ledger, mut events) = read(Pace { gather: SOON, alive: NEVER, ageing: NEVER });
        write(&ledger, |db| db.recognise_account(7).map(drop));
        for _ in 0..3 {
            write(&ledger, |db| db.set_paused(None, Moment(0)).map(drop));
        }
        let all = "event: changed\ndata: {\"parts\":[\"status\",\"budget\",\"exchange\",\"orders\",\"signals\"]}\n\n";
        assert_eq!(next(&mut events), all);
        write(&ledger, |db| db.keep_outlook(&Outlook::default()));
        assert_eq!(
            next(&mut events),
            "event: changed\ndata: {\"parts\":[\"status\",\"exchange\",\"withdrawals\"]}\n\n"
        );
    }

    #[test]
    fn a_word_is_said_though_nothing_that_shows_has_changed() {
        let (ledger, mut events) = read(Pace { gather: SOON, alive: SOON, ageing: NEVER });
        write(&ledger, |db| db.see_orders(Coin::Btc, &[], true).map(drop));
        assert_eq!(next(&mut events), ALIVE);
        assert_eq!(next(&mut events), ALIVE);
    }

    #[test]
    fn what_time_alone_changes_is_to_be_read_again_now_and_then() {
        let (_ledger, mut events) = read(Pace { gather: SOON, alive: NEVER, ageing: SOON });
        let aged = "event: changed\ndata: {\"parts\":[\"status\",\"budget\",\"exchange\",\"positions\"]}\n\n";
        assert_eq!(next(&mut events), aged);
        assert_eq!(next(&mut events), aged);
    }
}
