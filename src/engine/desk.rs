//! Le compte réel, vu du moteur : l'accès, ce qu'on en sait à cet instant, et si l'on peut y échanger.
//!
//! Invariant : rien ne part tant que les essais du dehors ne sont pas bons ([`Gate`]), que l'heure de la bourse
//! n'est pas connue, et que le compte n'a pas été lu à ce tour.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::holdback::Shortage;
use crate::clock;
use crate::domain::check::{Check, REQUIRED};
use crate::domain::doubt::Doubt;
use crate::domain::market::PerCoin;
use crate::domain::money::{Quantity, Usdc};
use crate::domain::portfolio::Holdings;
use crate::exchange::{Account, Balances};
use crate::fetch::OneShot;

/// Entre deux tables d'essais, quand tout va.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Avant de refaire une table d'essais qui ferme l'échange ; double à chaque fois, jusqu'à un quart d'heure.
const FIRST_RETRY: Duration = Duration::from_secs(60);
const LONGEST_RETRY: Duration = Duration::from_secs(15 * 60);

/// Fait la table des essais du dehors.
pub type Preflight = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Vec<Check>>>>>;

/// L'accès au compte réel et ce qu'on en sait.
pub struct Desk {
    pub(super) account: Rc<Account>,
    pub(super) sender: OneShot,
    pub(super) preflight: Preflight,
    pub(super) gate: Gate,
    /// Bon quand le compte a été lu à ce tour, qu'il est le nôtre et peut négocier ; sinon pourquoi pas.
    pub(super) account_read: Result<(), String>,
    pub(super) shortage: Shortage,
    /// Les ordres en doute, et quand demander.
    pub(super) doubts: BTreeMap<i64, (Doubt, Instant)>,
    /// Bon quand le dernier balayage des ordres du compte a tout lu et tout compté ; sinon ce qui a manqué.
    pub(super) scanned: Result<(), String>,
    pub(super) next_scan: Instant,
    /// Pourquoi la dernière mesure de l'heure de la bourse a manqué.
    pub(super) measure_missed: Option<String>,
    /// Vrai quand le dernier tour ne tenait pas l'heure pour juste.
    hour_missed: bool,
}

impl Desk {
    /// Un compte dont on ne sait encore rien.
    pub fn new(account: Account, sender: OneShot, preflight: Preflight) -> Desk {
        Desk {
            account: Rc::new(account),
            sender,
            preflight,
            gate: Gate::new(),
            account_read: Err("the account is not read yet".to_owned()),
            shortage: Shortage::default(),
            doubts: BTreeMap::new(),
            scanned: Err("the orders of the account are not read yet".to_owned()),
            next_scan: clock::instant(),
            measure_missed: None,
            hour_missed: false,
        }
    }

    /// Pourquoi rien ne s'échange maintenant ; `None` si l'on peut.
    pub(super) fn obstacle(&self) -> Option<String> {
        if let Some(reason) = &self.gate.closed {
            return Some(reason.clone());
        }
        let exchange = self.account.exchange();
        if let Some(silence) = exchange.silence() {
            let until = clock::utc(silence.until);
            return Some(format!("the exchange asked for silence until {until} UTC ({})", silence.status));
        }
        if exchange.server_clock().is_none() {
            return Some("the exchange's clock is not known yet".to_owned());
        }
        self.scanned.clone().and(self.account_read.clone()).err()
    }

    /// Un tour sait l'heure juste, ou pas. Quand elle le redevient, ce qu'elle empêchait se refait sans attendre : c'est
    /// un Raspberry Pi qui vient d'apprendre l'heure, ou son réseau qui arrive.
    pub(super) fn heed_the_hour(&mut self, right: bool) {
        if right && self.hour_missed && self.gate.wants_the_hour {
            self.gate.next = clock::instant();
            self.next_scan = clock::instant();
        }
        self.hour_missed = !right;
    }

    /// La prochaine chose à faire d'elle-même.
    pub(super) fn next_due(&self) -> Instant {
        let questions = self.doubts.values().map(|(_, at)| *at);
        questions.chain([self.gate.next, self.next_scan]).min().unwrap_or(self.next_scan)
    }
}

/// L'échange, ouvert ou fermé par les essais du dehors. Fermé au départ.
pub(super) struct Gate {
    /// Ce qui le ferme.
    pub closed: Option<String>,
    /// Quand refaire les essais.
    pub next: Instant,
    retry: Duration,
    /// Fermé par l'essai de l'heure, entre autres : la bourse ne répondait pas, ou l'heure était fausse.
    pub wants_the_hour: bool,
}

impl Gate {
    fn new() -> Gate {
        Gate {
            closed: Some("the checks are not made yet".to_owned()),
            next: clock::instant(),
            retry: FIRST_RETRY,
            wants_the_hour: false,
        }
    }

    /// Ouvre ou ferme d'après les essais.
    pub fn judge(&mut self, checks: &[Check]) {
        self.wants_the_hour = checks.iter().any(|check| check.test == "clock" && check.stops_trading());
        let faults = checks.iter().filter(|check| check.stops_trading());
        let faults = faults.map(|check| format!("{}: {}", check.test, check.found));
        let missing = REQUIRED.iter().filter(|test| !checks.iter().any(|check| check.test == **test));
        let missing = missing.map(|test| format!("{test}: not tested"));
        let faults: Vec<String> = faults.chain(missing).collect();
        if faults.is_empty() {
            self.closed = None;
            self.next = clock::instant() + DAY;
        } else {
            self.close(faults.join("; "));
        }
    }

    /// Ferme jusqu'à de nouveaux essais, chaque fois plus tard : insister vaudrait un bannissement.
    pub fn close(&mut self, reason: String) {
        self.closed = Some(reason);
        self.next = clock::instant() + self.retry;
        self.retry = (self.retry * 2).min(LONGEST_RETRY);
    }

    /// Un ordre a été accepté : tout va vraiment.
    pub fn proved(&mut self) {
        self.retry = FIRST_RETRY;
    }
}

/// Ce qui manque, libre, au compte pour ce que disent les livres.
pub(super) fn shortage(balances: &Balances, holdings: &Holdings) -> Shortage {
    let missing = |booked: Quantity, free: Quantity| (booked - free).max(Quantity::ZERO);
    Shortage {
        usdc: (holdings.cash - balances.usdc.free).max(Usdc::ZERO),
        coins: PerCoin::from_fn(|coin| missing(holdings.positions[coin].quantity, balances.coins[coin].free)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::simulated::Installed;
    use crate::domain::moment::Moment;

    fn wait(gate: &Gate) -> u64 {
        (gate.next - clock::instant()).as_secs()
    }

    #[test]
    fn a_clock_that_is_right_again_has_the_checks_made_again_at_once_and_once() {
        use crate::exchange::{Credentials, Exchange};
        use crate::fetch::{Client, TIME_LIMIT};
        let _time = Installed::at(Moment(0));
        let exchange = Exchange::binance("http://127.0.0.1:1", Client::new(TIME_LIMIT).unwrap());
        let account = Account::new(exchange, Credentials::hmac("key", "secret"));
        let none = || Box::pin(std::future::ready(Vec::new())) as Pin<Box<dyn Future<Output = Vec<Check>>>>;
        let mut desk = Desk::new(account, OneShot::new(TIME_LIMIT).unwrap(), Box::new(none));
        let faulty = |test| {
            REQUIRED.map(|name| match name == test {
                true => Check::not_tested(name, "nobody answers"),
                false => Check::fine(name, "well"),
            })
        };
        for (test, expected) in [("clock", [60, 0]), ("key", [120, 120])] {
            desk.gate.judge(&faulty(test));
            desk.next_scan = desk.gate.next;
            desk.heed_the_hour(false);
            let before = wait(&desk.gate);
            desk.heed_the_hour(true);
            assert_eq!([before, wait(&desk.gate)], expected, "{test}");
            assert_eq!(desk.next_scan, desk.gate.next, "{test}");
        }
        // Elle l'était déjà : rien n'est revenu.
        desk.gate.judge(&faulty("clock"));
        desk.heed_the_hour(true);
        assert_eq!(wait(&desk.gate), 240);
    }

    #[test]
    fn a_closed_gate_is_tried_again_at_a_pace_that_earns_no_ban() {
        let _time = Installed::at(Moment(0));
        let mut gate = Gate::new();
        assert!(gate.closed.is_some() && wait(&gate) == 0, "closed, and examined at once");
        let well = REQUIRED.map(|test| Check::fine(test, "well"));
        let wrong = well.clone().map(|check| match check.test {
            "key" => Check::fault("key", "not accepted", "mend it"),
            _ => check,
        });
        let waits: Vec<u64> = (0..6)
            .map(|_| {
                gate.judge(&wrong);
                assert_eq!(gate.closed.as_deref(), Some("key: not accepted"));
                wait(&gate)
            })
            .collect();
        assert_eq!(waits, [60, 120, 240, 480, 900, 900]);
        let small = [&well[..], &[Check::fault("minima", "too little for XRP", "deposit")]].concat();
        gate.judge(&small);
        assert_eq!((gate.closed.as_deref(), wait(&gate)), (None, 24 * 3600));
        gate.judge(&well[1..]);
        assert_eq!(gate.closed, Some(format!("{}: not tested", REQUIRED[0])));
        assert!(!gate.wants_the_hour);
        // Ouvrir ne suffit pas : seul un ordre accepté efface les refus d'avant.
        gate.close("refused".to_owned());
        assert_eq!(wait(&gate), 900);
        gate.proved();
        gate.close("refused".to_owned());
        assert_eq!(wait(&gate), 60);
    }
}
