//! Les pannes : sur quoi ([`On`]), ce qui arrive ([`Fault`]), et la liste de celles qui ont frappé ([`Hit`]).
//!
//! Une panne a deux faces indépendantes : ce que la contrepartie fait de la requête ([`Handling`]) et ce qui
//! revient sur le fil ([`Wire`]). « Exécuté puis coupé » et « coupé sans exécuter » sont donc deux valeurs,
//! jamais deux mécanismes. La première règle qui se déclenche l'emporte ; toutes celles qui visent la requête
//! l'ont comptée. Le hasard vient de la graine du monde et de la place de la règle.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::reply::Reply;
use super::request::Request;
use super::wire::Wire;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Leader,
    Exchange,
}

/// Les requêtes qu'une règle vise, et lesquelles d'entre elles elle frappe (toutes, sauf mention contraire).
#[derive(Clone, Debug)]
pub struct On {
    side: Option<Side>,
    path: Option<String>,
    method: Option<String>,
    about: Option<String>,
    when: When,
}

#[derive(Clone, Copy, Debug)]
enum When {
    Always,
    Next(u64),
    Nth(u64),
    Chance(f64),
}

impl On {
    fn side(side: Option<Side>, path: Option<&str>) -> On {
        On { side, path: path.map(str::to_owned), method: None, about: None, when: When::Always }
    }

    pub fn any() -> On {
        On::side(None, None)
    }

    pub fn leader() -> On {
        On::side(Some(Side::Leader), None)
    }

    /// `path` exact, tel que `/api/v3/order`.
    pub fn exchange(path: &str) -> On {
        On::side(Some(Side::Exchange), Some(path))
    }

    pub fn whole_exchange() -> On {
        On::side(Some(Side::Exchange), None)
    }

    pub fn method(self, method: &str) -> On {
        On { method: Some(method.to_owned()), ..self }
    }

    /// Celles dont la chaîne de requête parle de `what`, telle qu'une paire.
    pub fn about(self, what: &str) -> On {
        On { about: Some(what.to_owned()), ..self }
    }

    /// Les `count` premières requêtes visées.
    pub fn next(self, count: u64) -> On {
        On { when: When::Next(count), ..self }
    }

    /// La `rank`-ième requête visée depuis la pose de la règle ; la première est 1.
    pub fn nth(self, rank: u64) -> On {
        On { when: When::Nth(rank), ..self }
    }

    /// Une part des requêtes, de 0 à 1, tirée de la graine.
    pub fn chance(self, share: f64) -> On {
        On { when: When::Chance(share), ..self }
    }

    fn covers(&self, side: Side, Request { method, path, query, .. }: &Request) -> bool {
        self.side.is_none_or(|wanted| wanted == side)
            && self.path.as_ref().is_none_or(|wanted| wanted == path)
            && self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.about.as_ref().is_none_or(|wanted| query.contains(wanted))
    }
}

/// Ce que la contrepartie fait de la requête.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    Skipped,
    Once,
    /// La requête arrive deux fois, à l'octet près ; c'est la seconde réponse qui revient.
    Twice,
}

#[derive(Clone, Debug)]
pub struct Fault {
    pub handling: Handling,
    /// Attente avant le traitement : l'heure des contrôles est celle de la fin de l'attente.
    pub before: Duration,
    /// Attente entre le traitement et la réponse.
    pub after: Duration,
    pub wire: Wire,
}

impl Fault {
    fn new(handling: Handling, wire: Wire) -> Fault {
        Fault { handling, before: Duration::ZERO, after: Duration::ZERO, wire }
    }

    /// La contrepartie ne voit pas la requête.
    pub fn unprocessed(wire: Wire) -> Fault {
        Fault::new(Handling::Skipped, wire)
    }

    /// La contrepartie a traité la requête ; seule la réponse souffre.
    pub fn processed(wire: Wire) -> Fault {
        Fault::new(Handling::Once, wire)
    }

    /// Une autre réponse, requête non traitée.
    pub fn answer(reply: Reply) -> Fault {
        Fault::unprocessed(Wire::Canned(reply))
    }

    /// 200 et ce texte annoncé comme JSON, requête non traitée.
    pub fn body(text: &str) -> Fault {
        Fault::answer(Reply::json(200, text.to_owned()))
    }

    pub fn twice() -> Fault {
        Fault::new(Handling::Twice, Wire::AsIs)
    }

    /// Attend puis traite : une requête signée peut avoir expiré entre-temps.
    pub fn late(wait: Duration) -> Fault {
        Fault { before: wait, ..Fault::processed(Wire::AsIs) }
    }

    /// Traite puis fait attendre la réponse.
    pub fn slow(wait: Duration) -> Fault {
        Fault { after: wait, ..Fault::processed(Wire::AsIs) }
    }

    pub(super) fn none() -> Fault {
        Fault::processed(Wire::AsIs)
    }
}

/// Une panne qui a frappé.
#[derive(Clone, Debug)]
pub struct Hit {
    pub side: Side,
    pub method: String,
    pub path: String,
    pub fault: Fault,
}

struct Rule {
    on: On,
    fault: Fault,
    seen: u64,
    chance: fastrand::Rng,
}

impl Rule {
    fn fires(&mut self) -> bool {
        self.seen += 1;
        match self.on.when {
            When::Always => true,
            When::Next(count) => self.seen <= count,
            When::Nth(rank) => self.seen == rank,
            When::Chance(share) => self.chance.f64() < share,
        }
    }
}

#[derive(Default)]
struct Board {
    rules: Vec<Rule>,
    hits: Vec<Hit>,
}

pub(super) struct Faults {
    seed: u64,
    board: Mutex<Board>,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Faults {
        Faults { seed, board: Mutex::default() }
    }

    pub(super) fn add(&self, on: On, fault: Fault) {
        let mut board = self.board();
        let chance = fastrand::Rng::with_seed(self.seed.wrapping_add(board.rules.len() as u64));
        board.rules.push(Rule { on, fault, seen: 0, chance });
    }

    /// Lève toutes les règles ; la liste des coups portés reste.
    pub(super) fn clear(&self) {
        self.board().rules.clear();
    }

    pub(super) fn hits(&self) -> Vec<Hit> {
        self.board().hits.clone()
    }

    pub(super) fn strike(&self, side: Side, request: &Request) -> Option<Fault> {
        let Request { method, path, .. } = request;
        let mut board = self.board();
        let mut struck = None;
        for rule in board.rules.iter_mut().filter(|rule| rule.on.covers(side, request)) {
            if rule.fires() && struck.is_none() {
                struck = Some(rule.fault.clone());
            }
        }
        let fault = struck?;
        log::debug!("fault_hit side={side:?} method={method} path={path} wire={:?}", fault.wire);
        board.hits.push(Hit { side, method: method.to_owned(), path: path.to_owned(), fault: fault.clone() });
        Some(fault)
    }

    fn board(&self) -> std::sync::MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(on: On, calls: usize) -> Vec<bool> {
        let faults = Faults::new(7);
        faults.add(on, Fault::unprocessed(Wire::Close));
        (0..calls)
            .map(|_| {
                faults
                    .strike(
                        Side::Exchange,
                        &Request::new("GET", "/api/v3/time?symbol=BTCUSDC", Vec::new(), &[]),
                    )
                    .is_some()
            })
            .collect()
    }

    #[test]
    fn a_rule_strikes_the_calls_it_names() {
        let path = "/api/v3/time";
        assert_eq!(strikes(On::exchange(path), 3), [true, true, true]);
        assert_eq!(strikes(On::exchange(path).about("BTCUSDC"), 1), [true]);
        assert_eq!(strikes(On::exchange(path).about("XRPUSDC"), 1), [false]);
        assert_eq!(strikes(On::exchange(path).next(2), 3), [true, true, false]);
        assert_eq!(strikes(On::exchange(path).nth(2), 3), [false, true, false]);
        assert_eq!(strikes(On::exchange(path).method("POST"), 1), [false]);
        assert_eq!(strikes(On::leader(), 1), [false]);
        assert_eq!(strikes(On::any(), 1), [true]);
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed() {
        let once = strikes(On::any().chance(0.5), 64);
        assert_eq!(once, strikes(On::any().chance(0.5), 64));
        assert!(once.contains(&true) && once.contains(&false));
    }
}
