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
}

/// Les essais sans lesquels rien ne s'échange. Les autres défauts gênent, et se disent.
const DECISIVE: [&str; 6] = ["configuration", "clock", "exchange", "key", "key rights", "account"];

impl Check {
    pub fn fine(test: &'static str, found: impl Into<String>) -> Check {
        Check { test, verdict: Verdict::Fine, found: found.into(), advice: None }
    }

    pub fn fault(test: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Check {
        Check { test, verdict: Verdict::Fault, found: found.into(), advice: Some(remedy.into()) }
    }

    pub fn not_tested(test: &'static str, reason: impl Into<String>) -> Check {
        Check { test, verdict: Verdict::NotTested, found: reason.into(), advice: None }
    }

    /// Va, mais mérite qu'on le dise.
    pub fn remark(test: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Check {
        Check { advice: Some(advice.into()), ..Check::fine(test, found) }
    }

    /// Vrai si cet essai ferme l'échange réel : par son défaut, ou, pour la clé, faute d'avoir pu être fait.
    pub fn stops_trading(&self) -> bool {
        match self.verdict {
            Verdict::Fine => false,
            Verdict::Fault => DECISIVE.contains(&self.test),
            Verdict::NotTested => self.test == "key",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trading_stops_for_what_it_cannot_do_without() {
        for test in DECISIVE {
            assert!(Check::fault(test, "wrong", "do this").stops_trading(), "{test}");
            assert!(!Check::remark(test, "well", "but").stops_trading(), "{test}");
        }
        for test in ["leader", "pairs", "minima", "balance", "disk", "key IPs"] {
            assert!(!Check::fault(test, "wrong", "do this").stops_trading(), "{test}");
        }
        // Une clé qu'on n'a pas pu essayer n'est pas une bonne clé ; ses droits, le réseau d'essai ne les dit pas.
        assert!(Check::not_tested("key", "no clock").stops_trading());
        assert!(!Check::not_tested("key rights", "the test network does not tell").stops_trading());
    }
}
