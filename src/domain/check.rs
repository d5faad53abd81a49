//! Un essai du dehors et son issue : ce que `calvalot check` montre et ce qui ouvre ou ferme l'échange réel.

/// Un essai et son issue.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    pub test: &'static str,
    pub verdict: Verdict,
    /// Ce qu'on a trouvé, ou pourquoi on n'a pas essayé.
    pub found: String,
    /// Quoi faire ; toujours là pour un défaut, parfois à côté de ce qui va.
    pub advice: Option<String>,
    /// Vrai si la bourse n'a pas répondu : ce n'est ni bon ni mauvais, et se refait dès qu'elle répond.
    pub unanswered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    Fault,
    NotTested,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Fine => "fine",
            Verdict::Fault => "fault",
            Verdict::NotTested => "not_tested",
        }
    }

    pub fn from_word(word: &str) -> Option<Verdict> {
        [Verdict::Fine, Verdict::Fault, Verdict::NotTested].into_iter().find(|verdict| verdict.word() == word)
    }

    /// Vrai si `test`, fini ainsi, ferme l'échange réel : un défaut, ou rien de su là où il faut savoir.
    pub fn stops_trading(self, test: &str) -> bool {
        match self {
            Verdict::Fine => false,
            Verdict::Fault => DECISIVE.contains(&test),
            Verdict::NotTested => REQUIRED.contains(&test),
        }
    }
}

/// L'écart d'horloge, en millisecondes, au-delà duquel l'heure de la machine est fausse.
pub const CLOCK_WRONG: u64 = 60_000;

/// La phrase qui dit que l'heure de la machine, en avance de `lead` millisecondes, est fausse, et quoi faire ; `None` si
/// elle ne l'est pas.
pub fn wrong_clock(lead: i64) -> Option<String> {
    let distance = lead.unsigned_abs();
    let way = if lead < 0 { "behind" } else { "ahead of" };
    let wrong = || {
        format!("the clock of this machine is {} s {way} the exchange's: {SET_THE_CLOCK}", distance / 1000)
    };
    (distance > CLOCK_WRONG).then(wrong)
}

/// Quoi faire d'une horloge fausse.
pub const SET_THE_CLOCK: &str = "a Raspberry Pi has no clock of its own and takes the time from the network: \
                                 `timedatectl` shows whether it is synchronized, `sudo timedatectl set-ntp true` \
                                 switches that on; if it stays wrong, the network blocks NTP (UDP port 123): allow \
                                 it in the router";

/// Tous les essais, dans l'ordre de la table : une liste close, que les mesures ont pour étiquettes.
pub const TESTS: [&str; 15] = [
    "configuration",
    "disk",
    "ledger",
    "orders",
    "leader",
    "clock",
    "exchange",
    "pairs",
    "minima",
    "key",
    "key rights",
    "key IPs",
    "account",
    "account pairs",
    "balance",
];

/// Les essais dont un défaut ferme l'échange réel. Les autres défauts gênent, et se disent : le moteur tient
/// compte pour chaque coin d'une paire arrêtée, d'un solde court, d'un ordre en doute.
pub const DECISIVE: [&str; 6] = ["disk", "clock", "exchange", "key", "key rights", "account"];

/// Ceux qui doivent aussi avoir pu se faire. Le réseau d'essai ne dit rien des droits d'une clé, et tous les
/// disques ne disent pas leur place.
pub const REQUIRED: [&str; 4] = ["clock", "exchange", "key", "account"];

impl Check {
    pub fn fine(test: &'static str, found: impl Into<String>) -> Check {
        Check { test, verdict: Verdict::Fine, found: found.into(), advice: None, unanswered: false }
    }

    pub fn fault(test: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Check {
        Check { verdict: Verdict::Fault, advice: Some(remedy.into()), ..Check::fine(test, found) }
    }

    pub fn not_tested(test: &'static str, reason: impl Into<String>) -> Check {
        Check { verdict: Verdict::NotTested, ..Check::fine(test, reason) }
    }

    /// Va, mais mérite qu'on le dise.
    pub fn remark(test: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Check {
        Check { advice: Some(advice.into()), ..Check::fine(test, found) }
    }

    /// Le même, faute de réponse.
    pub fn unanswered(self) -> Check {
        Check { unanswered: true, ..self }
    }

    /// Vrai si cet essai ferme l'échange réel : un défaut, ou rien de su là où il faut savoir.
    pub fn stops_trading(&self) -> bool {
        self.verdict.stops_trading(self.test)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_tested_is_no_permission() {
        let untested = |test| Check::not_tested(test, "nobody answered").stops_trading();
        let at_fault = |test| Check::fault(test, "wrong", "mend it").stops_trading();
        for test in REQUIRED {
            assert!(untested(test) && at_fault(test), "{test}");
        }
        for test in ["disk", "key rights"] {
            assert!(!untested(test) && at_fault(test), "{test}");
        }
        for test in DECISIVE {
            assert!(!Check::remark(test, "fine", "but").stops_trading(), "{test}");
        }
        assert!(DECISIVE.iter().chain(&REQUIRED).all(|test| TESTS.contains(test)));
        assert!(!untested("minima") && !at_fault("minima"));
    }
}
