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
    /// Vrai si ce défaut ferme l'échange réel.
    pub fn stops_trading(&self) -> bool {
        self.verdict == Verdict::Fault && DECISIVE.contains(&self.test)
    }
}
