//! Un ordre prêt à partir, et ce qu'on en sait une fois parti, dans les mots de tous.

use std::time::Duration;

use crate::domain::execution::{Execution, Report};
use crate::domain::moment::Moment;
use crate::domain::order::Order;

/// Un ordre prêt à partir, tel qu'il est écrit au grand livre.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Neuf à chaque essai : la bourse n'en garde l'unicité que parmi les ordres ouverts. De 1 à 36 lettres
    /// sans accent, chiffres, `-` ou `_`.
    pub client_id: String,
    pub order: Order,
    /// L'heure de la bourse dont la demande est datée ([`super::ServerClock::stamp`]).
    pub stamped_at: Moment,
    /// Passé ce temps après `stamped_at`, la bourse ne prend plus l'ordre ; une minute au plus.
    pub window: Duration,
}

/// Ce qu'on sait d'un ordre après l'avoir envoyé.
#[derive(Clone, Debug, PartialEq)]
pub enum Placed {
    /// La bourse l'a : ce qu'elle en dit, et les exécutions qu'elle a montrées.
    Accepted(Report, Vec<Execution>),
    /// Il n'a sûrement pas été exécuté.
    Refused(Refusal),
    /// Il existe peut-être. Ne jamais le renvoyer ; demander.
    Unknown(String),
}

/// Ce que la bourse dit d'un ordre que l'on nomme.
#[derive(Clone, Debug, PartialEq)]
pub enum Sighting {
    /// Elle ne le voit pas, ce qui n'est une preuve qu'avec d'autres.
    Unseen,
    /// Il a fini sans rien échanger, il y a si longtemps qu'elle ne le montre plus.
    Archived,
    Seen(Report),
}

impl Sighting {
    /// L'ordre, s'il est montré.
    pub fn seen(self) -> Option<Report> {
        match self {
            Sighting::Seen(report) => Some(report),
            Sighting::Unseen | Sighting::Archived => None,
        }
    }
}

/// Un ordre que la bourse n'a sûrement pas exécuté.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Ce qu'elle a dit, en une phrase.
    pub reason: String,
    pub then: Reaction,
}

/// Ce qu'il faut faire d'un refus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// La même demande serait encore refusée.
    GiveUp,
    /// Abandonner, et relire les règles des paires : elles ont changé, ou nous les avons mal lues.
    RefreshRules,
    /// Le solde est plus petit qu'on ne croyait : le relire et réduire, une fois.
    Shrink,
    /// Rien n'a été traité, ou rien n'est parti, et le temps l'arrange.
    Later,
    /// L'heure est à mesurer de nouveau.
    Resynchronise,
    /// La clé, ses droits, le compte, le lieu : plus d'ordre avant qu'une personne y ait remédié.
    Stop,
}
