//! Le silence qu'une bourse demande, dans les mots de tous.

use std::fmt;

use crate::clock;
use crate::domain::moment::Moment;

/// Un silence que la bourse a demandé, à l'heure murale de cette machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silence {
    /// Le statut de la réponse qui l'a demandé : 429, 418 ou 403.
    pub status: u16,
    pub from: Moment,
    pub until: Moment,
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let until = clock::utc(self.until);
        write!(f, "the exchange answered {} and is not called again before {until} UTC", self.status)
    }
}
