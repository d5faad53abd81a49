//! Ce qui ne va pas dans la configuration : une ligne par défaut, qui dit quoi faire.

use std::fmt;

/// Un défaut : quelle variable, ce qui ne va pas, quoi faire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub variable: String,
    pub wrong: String,
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}; {}", self.variable, self.wrong, self.remedy)
    }
}

/// Pourquoi il n'y a pas de configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Ni leader ni secret : rien n'a encore été réglé, ce n'est pas une faute.
    NotConfigured,
    Invalid(Vec<Fault>),
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Faults::NotConfigured => f.write_str(
                "not configured yet: set LEADER_URL and SIGNAL_SECRET (the leader gives you both), in .env\n\
                 to see it work first: `calvalot demo` needs nothing",
            ),
            Faults::Invalid(faults) => {
                let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
        }
    }
}
