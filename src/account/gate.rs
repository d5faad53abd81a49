//! La porte de l'échange réel : ouverte ou fermée par les essais du dehors, refaits à un rythme qui ne vaut pas un
//! bannissement.
//!
//! Invariant : fermée tant que chaque essai qu'il faut n'a pas été fait et trouvé bon.

use std::time::{Duration, Instant};

use super::comeback::{Comeback, Heard};
use crate::clock;
use crate::domain::check::{Check, REQUIRED, Verdict};
use crate::domain::reconcile::Shortage;

/// Entre deux tables d'essais, quand tout va.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Avant de refaire une table d'essais qui ferme l'échange ; double à chaque fois, jusqu'à un quart d'heure.
const FIRST_RETRY: Duration = Duration::from_secs(60);
const LONGEST_RETRY: Duration = Duration::from_secs(15 * 60);

/// L'échange, ouvert ou fermé par les essais du dehors. Fermé au départ.
pub(super) struct Gate {
    /// Ce qui le ferme.
    pub closed: Option<String>,
    /// Quand refaire les essais.
    pub next: Instant,
    retry: Duration,
    /// D'un ordre refusé, avant quand rien ne l'ouvre, fût-ce une table où tout va.
    held_until: Instant,
    /// Jusqu'où allaient les mouvements du capital dont les essais parlent ; `None` si on ne le sait pas.
    pub moved: Option<i64>,
    /// Les essais ont manqué d'argent, et ce qui manquait alors au compte ; `None` tant qu'il n'a pas été comparé depuis.
    lacks_money: bool,
    shortage: Option<Shortage>,
    /// Fermé par l'essai de l'heure, entre autres : la bourse ne répondait pas, ou l'heure était fausse.
    pub wants_the_hour: bool,
    comeback: Comeback,
}

impl Gate {
    pub fn new() -> Gate {
        Gate {
            closed: Some("the checks are not made yet".to_owned()),
            next: clock::instant(),
            retry: FIRST_RETRY,
            held_until: clock::instant(),
            moved: None,
            lacks_money: false,
            shortage: None,
            wants_the_hour: false,
            comeback: Comeback::default(),
        }
    }

    /// Ouvre ou ferme d'après les essais.
    pub fn judge(&mut self, checks: &[Check]) {
        self.wants_the_hour = checks.iter().any(|check| check.test == "clock" && check.stops_trading());
        self.lacks_money =
            checks.iter().any(|check| check.test == "balance" && check.verdict == Verdict::Fault);
        self.shortage = None;
        let stops: Vec<&Check> = checks.iter().filter(|check| check.stops_trading()).collect();
        let unreached = !stops.is_empty() && stops.iter().all(|check| check.unanswered);
        let faults = stops.iter().map(|check| format!("{}: {}", check.test, check.found));
        let missing = REQUIRED.iter().filter(|test| !checks.iter().any(|check| check.test == **test));
        let missing = missing.map(|test| format!("{test}: not tested"));
        let faults: Vec<String> = faults.chain(missing).collect();
        if faults.is_empty() && clock::instant() < self.held_until {
            self.next = self.held_until;
        } else if faults.is_empty() {
            self.closed = None;
            // Ce à quoi la bourse n'a pas répondu ne reste pas dit tout un jour, ni un défaut qui ne ferme rien : une paire qui se
            // négocie de nouveau, un compte qui y a droit, des prix, un leader, une personne l'ôtent sans que rien ne le dise ici.
            // Une table pèse à peine plus que deux tours. Ce qui va, et ce qu'un conseil accompagne, attend son jour.
            let passes = checks.iter().any(|check| check.unanswered || check.verdict == Verdict::Fault);
            self.next = clock::instant() + if passes { LONGEST_RETRY } else { DAY };
        } else {
            self.shut(faults.join("; "));
        }
        self.comeback.tried(unreached);
    }

    /// Ferme pour une raison que le réseau revenu n'ôte pas. La première fois depuis que tout allait, les essais se refont aussitôt, pour
    /// dire laquelle ; ils n'ouvrent pas plus tôt.
    pub fn close(&mut self, reason: String) {
        let is_first = self.retry == FIRST_RETRY;
        self.shut(reason);
        self.held_until = self.next;
        if is_first {
            self.next = clock::instant();
        }
        self.comeback.tried(false);
    }

    /// Jusqu'à de nouveaux essais, chaque fois plus tard : insister vaudrait un bannissement.
    fn shut(&mut self, reason: String) {
        self.closed = Some(reason);
        self.next = clock::instant() + self.retry;
        self.retry = (self.retry * 2).min(LONGEST_RETRY);
    }

    /// Les essais ne disent plus ce qui est : ils sont à refaire. Fermée, elle garde son rythme.
    pub fn refresh(&mut self) {
        if self.closed.is_none() {
            self.next = clock::instant();
        }
    }

    /// La bourse répond, ou non, à une lecture. Fermée seulement faute de l'avoir atteinte, elle se refait dès qu'elle répond.
    pub fn heed_answer(&mut self, heard: Heard, answered: bool) {
        if self.comeback.heed(heard, answered) {
            self.next = clock::instant();
        }
    }

    /// Un autre capital que celui dont parlent les essais.
    pub fn heed_movement(&mut self, last: i64) {
        if self.moved != Some(last) {
            self.refresh();
        }
    }

    /// Ce qui manque au compte. Des essais qui en ont manqué disent d'apporter de l'argent : revenu, ou parti des livres, on ne le demande
    /// plus.
    pub fn heed_shortage(&mut self, shortage: Shortage) {
        let before = self.shortage.replace(shortage);
        if self.lacks_money && before.is_some_and(|before| before != shortage) {
            self.refresh();
        }
    }

    /// Un ordre a été accepté : tout va vraiment.
    pub fn proved(&mut self) {
        self.retry = FIRST_RETRY;
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;
    use crate::clock::simulated::Installed;
    use crate::domain::check::{DECISIVE, TESTS};
    use crate::domain::moment::Moment;
    use crate::domain::money::Quantity;
    use crate::domain::reconcile::Lack;

    fn wait(gate: &Gate) -> u64 {
        (gate.next - clock::instant()).as_secs()
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
        let small = [&well[..], &[Check::remark("minima", "too little for XRP", "deposit")]].concat();
        gate.judge(&small);
        assert_eq!((gate.closed.as_deref(), wait(&gate)), (None, 24 * 3600));
        let in_part =
            [&well[..], &[Check::remark("exchange", "no price of XRP", "wait").unanswered()]].concat();
        gate.judge(&in_part);
        assert_eq!(
            (gate.closed.as_deref(), wait(&gate)),
            (None, 900),
            "it closes nothing, and is looked at again"
        );
        gate.judge(&small);
        // Un dépôt change ce que valent ces essais ; le même n'en refait pas.
        gate.moved = Some(1);
        for (last, expected) in [(1, 24 * 3600), (2, 0)] {
            gate.heed_movement(last);
            assert_eq!(wait(&gate), expected, "{last}");
        }
        gate.judge(&well[1..]);
        gate.heed_movement(2);
        assert_ne!(wait(&gate), 0, "closed, a movement has it insist");
        assert_eq!(gate.closed, Some(format!("{}: not tested", REQUIRED[0])));
        assert!(!gate.wants_the_hour);
        // Ouvrir ne suffit pas : seul un ordre accepté efface les refus d'avant.
        gate.close("refused".to_owned());
        assert_eq!(wait(&gate), 900);
        gate.proved();
        gate.close("refused".to_owned());
        assert_eq!(wait(&gate), 0, "what is wrong is looked for at once");
        gate.judge(&well);
        assert_eq!(
            (gate.closed.as_deref(), wait(&gate)),
            (Some("refused"), 60),
            "and nothing opens for that"
        );
        gate.close("refused".to_owned());
        assert_eq!(wait(&gate), 120);
    }

    #[test]
    fn a_fault_that_closes_nothing_is_not_told_for_a_day() {
        let _time = Installed::at(Moment(0));
        let well = REQUIRED.map(|test| Check::fine(test, "well"));
        for test in TESTS.into_iter().filter(|test| !DECISIVE.contains(test)) {
            let mut gate = Gate::new();
            gate.judge(&[&well[..], &[Check::fault(test, "wrong", "wait")]].concat());
            assert_eq!((gate.closed.as_deref(), wait(&gate)), (None, 900), "{test}");
            gate.judge(&well);
            assert_eq!(wait(&gate), 24 * 3600, "{test}");
        }
    }

    #[test]
    fn checks_that_lacked_money_are_made_again_once_it_is_another_amount_and_once() {
        let _time = Installed::at(Moment(0));
        let well = REQUIRED.map(|test| Check::fine(test, "well"));
        let short = Shortage {
            usdc: Lack { missing: Quantity::new(dec!(40)), ..Lack::default() },
            ..Shortage::default()
        };
        let poor = [&well[..], &[Check::fault("balance", "40 USDC short", "bring them")]].concat();
        let mut gate = Gate::new();
        gate.judge(&poor);
        for (shortage, expected) in [(short, 900), (short, 900), (Shortage::default(), 0)] {
            gate.heed_shortage(shortage);
            assert_eq!(wait(&gate), expected, "{shortage:?}");
        }
        gate.judge(&poor);
        gate.heed_shortage(Shortage::default());
        gate.heed_shortage(Shortage::default());
        assert_eq!(wait(&gate), 900, "nothing has changed since");
        gate.judge(&well);
        gate.heed_shortage(short);
        gate.heed_shortage(Shortage::default());
        assert_eq!(wait(&gate), 24 * 3600, "they lacked nothing");
    }

    #[test]
    fn an_exchange_that_answers_again_has_the_checks_made_again_at_once_and_once_and_no_other_fault_does() {
        let _time = Installed::at(Moment(0));
        let checked = |test: &'static str, line: Check| {
            REQUIRED.map(|name| if name == test { line.clone() } else { Check::fine(name, "well") })
        };
        let unreached = checked("exchange", Check::fault("exchange", "nobody answers", "wait").unanswered());
        let mut gate = Gate::new();
        let mut waits = Vec::new();
        for _ in 0..3 {
            gate.judge(&unreached);
            gate.heed_answer(Heard::Account, true);
            waits.push(wait(&gate));
        }
        assert_eq!(waits, [0, 120, 240], "once: what goes on failing keeps its pace");
        gate.heed_answer(Heard::Account, false);
        gate.heed_answer(Heard::Account, true);
        assert_eq!(wait(&gate), 0, "gone, and back");
        let full = Check::fault("disk", "full", "make room");
        let others = [
            checked("key", Check::fault("key", "not accepted", "mend it")).to_vec(),
            checked("exchange", Check::fault("exchange", "it wants silence", "wait")).to_vec(),
            // Le réseau revenu n'y change rien.
            [&unreached[..], &[full]].concat(),
        ];
        for checks in others {
            let mut gate = Gate::new();
            gate.heed_answer(Heard::Account, false);
            gate.judge(&checks);
            gate.heed_answer(Heard::Account, true);
            gate.heed_answer(Heard::Prices, true);
            assert_eq!(wait(&gate), 60, "{checks:?}");
        }
    }
}
