//! Le rythme des écritures : tant par minute, de chacun et de tous.
//!
//! Chaque écriture coûte une transaction, une ligne du grand livre et de la carte SD. Une personne en fait quelques-unes par
//! jour ; ce qui en fait des milliers se trompe ou veut du mal. Une demande que l'on refuse ne compte pas. Refusée d'ici, elle
//! n'a rien changé et sa clé (`Idempotency-Key`) n'est pas prise : elle peut être redite telle quelle.
//! Invariants : un inconnu ne prend jamais la seconde moitié de ce que tous ont ensemble ; ni la pause, ni « tout vendre », ni ce qui
//! est demandé de cette machine ne se refusent pour ce que d'autres ont demandé.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_types::{Method, StatusCode};
use tide::{Middleware, Next, Request};

use super::caller::{Caller, Standing};
use super::errors::ApiError;
use crate::clock;

/// Écritures par minute de toutes les adresses ensemble.
const ALL: u32 = 120;
/// Celles d'une adresse.
const EACH: u32 = 60;
/// Adresses retenues ; au-delà, la plus ancienne est oubliée.
const ADDRESSES: usize = 256;

const MINUTE: Duration = Duration::from_secs(60);

/// Ce qui arrête : cela n'attend personne.
const URGENT: [&str; 2] = ["/api/agent/toggle", "/api/agent/sell-all"];

/// Mis sur une réponse : la demande n'a rien changé, et ne compte pas.
pub(super) struct Unchanged;

/// Ce qui reste à écrire, qui se remplit de lui-même en une minute.
#[derive(Clone, Copy)]
struct Allowance {
    most: u32,
    spent: f64,
    at: Instant,
}

impl Allowance {
    fn new(most: u32, now: Instant) -> Self {
        Allowance { most, spent: 0.0, at: now }
    }

    fn settle(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64() / MINUTE.as_secs_f64();
        self.spent = (self.spent - passed * f64::from(self.most)).max(0.0);
        self.at = now;
    }

    /// Dans combien de secondes une écriture de plus tiendra dans `share` de ce qui est permis ; 0 : maintenant.
    fn wait(&self, share: f64) -> u64 {
        let beyond = self.spent + 1.0 - f64::from(self.most) * share;
        (beyond.max(0.0) / f64::from(self.most) * MINUTE.as_secs_f64()).ceil() as u64
    }
}

struct Spent {
    all: Allowance,
    each: BTreeMap<Writer, Allowance>,
}

/// Qui écrit, et si c'est ce qui arrête : ses autres écritures n'y font rien.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Writer {
    address: IpAddr,
    urgent: bool,
}

impl Writer {
    fn of<S>(caller: &Caller, request: &Request<S>) -> Writer {
        Writer { address: caller.household, urgent: URGENT.contains(&request.url().path()) }
    }

    /// Vrai si ce que les autres demandent ne le retient pas.
    fn is_apart(self) -> bool {
        self.urgent || self.address.is_loopback()
    }
}

/// Le middleware qui compte les écritures.
pub(super) struct Writes(Mutex<Spent>);

impl Default for Writes {
    fn default() -> Self {
        let all = Allowance::new(ALL, clock::instant());
        Writes(Mutex::new(Spent { all, each: BTreeMap::new() }))
    }
}

impl Writes {
    /// Prend une écriture, ou dit dans combien de secondes il y en aura une.
    fn take(&self, writer: Writer, standing: Standing, now: Instant) -> Result<(), u64> {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Spent { all, each } = &mut *spent;
        if !each.contains_key(&writer) && each.len() >= ADDRESSES {
            let oldest = each.iter().min_by_key(|(_, allowance)| allowance.at).map(|(writer, _)| *writer);
            oldest.map(|writer| each.remove(&writer));
        }
        let own = each.entry(writer).or_insert_with(|| Allowance::new(EACH, now));
        all.settle(now);
        own.settle(now);
        let share = if standing == Standing::Stranger { 0.5 } else { 1.0 };
        let common = if writer.is_apart() { 0 } else { all.wait(share) };
        match common.max(own.wait(1.0)) {
            0 => {
                all.spent += if writer.is_apart() { 0.0 } else { 1.0 };
                own.spent += 1.0;
                Ok(())
            }
            seconds => Err(seconds),
        }
    }

    fn give_back(&self, writer: Writer) {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !writer.is_apart() {
            spent.all.spent = (spent.all.spent - 1.0).max(0.0);
        }
        if let Some(own) = spent.each.get_mut(&writer) {
            own.spent = (own.spent - 1.0).max(0.0);
        }
    }
}

#[tide::utils::async_trait]
impl<S: Clone + Send + Sync + 'static> Middleware<S> for Writes {
    async fn handle(&self, request: Request<S>, next: Next<'_, S>) -> tide::Result {
        let caller = match request.ext::<Caller>() {
            Some(caller) if !matches!(request.method(), Method::Get | Method::Head) => caller.clone(),
            _ => return Ok(next.run(request).await),
        };
        let writer = Writer::of(&caller, &request);
        if let Err(seconds) = self.take(writer, caller.standing, clock::instant()) {
            let message = format!(
                "too many changes were asked for in a minute: nothing was changed, try again in {seconds} s"
            );
            return Err(ApiError::new(StatusCode::TooManyRequests, message).after(seconds).into());
        }
        let response = next.run(request).await;
        if response.status().is_client_error() || response.ext::<Unchanged>().is_some() {
            self.give_back(writer);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn at(number: u32) -> Writer {
        Writer { address: Ipv4Addr::from_bits(number).into(), urgent: false }
    }

    #[test]
    fn nobody_writes_more_than_his_share_and_a_minute_gives_it_back() {
        let (writes, now) = (Writes::default(), clock::instant());
        let take = |address, standing, now| writes.take(at(address), standing, now);
        for _ in 0..EACH {
            assert_eq!(take(1, Standing::Neighbour, now), Ok(()));
        }
        assert_eq!(take(1, Standing::Neighbour, now), Err(1), "the wait for the next one");
        assert_eq!(take(2, Standing::Stranger, now), Err(1), "half of all is spent: no stranger any more");
        for _ in 0..ALL - EACH {
            assert_eq!(take(3, Standing::Owner, now), Ok(()));
        }
        assert_eq!(take(4, Standing::Owner, now), Err(1));
        writes.give_back(at(3));
        assert_eq!(take(3, Standing::Owner, now), Ok(()), "what was refused does not count");
        for own in [1, 4] {
            let stops = Writer { urgent: true, ..at(own) };
            assert_eq!(writes.take(stops, Standing::Neighbour, now), Ok(()), "what stops waits for nobody");
        }
        let here = Writer { address: Ipv4Addr::LOCALHOST.into(), urgent: false };
        assert_eq!(
            writes.take(here, Standing::Neighbour, now),
            Ok(()),
            "nor what is asked from this machine"
        );
        let later = now + MINUTE;
        for _ in 0..EACH {
            assert_eq!(take(1, Standing::Neighbour, later), Ok(()));
        }
    }

    #[test]
    fn a_thousand_addresses_are_not_all_remembered() {
        let (writes, now) = (Writes::default(), clock::instant());
        for address in 0..2000 {
            writes.take(at(address), Standing::Neighbour, now).ok();
        }
        assert!(writes.0.lock().unwrap().each.len() <= ADDRESSES);
    }
}
