//! Pourquoi une bourse n'a pas répondu ce qu'on lui demandait, dans les mots de tous.
//!
//! Chaque variante est une décision pour l'appelant. Quoi faire, pour une personne, dépend de la bourse
//! ([`super::Exchange::remedy`]).

use std::fmt;

/// Pourquoi un appel n'a rien rendu.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// Un des symboles demandés n'existe pas, ou plus : les autres peuvent l'être un par un, et aucun ordre d'ici n'y arrive plus.
    UnknownSymbol(String),
    /// Elle ne voit pas cet ordre, ce qui ne prouve pas qu'il n'existe pas.
    UnknownOrder(String),
    /// Cet ordre a fini sans rien échanger, il y a si longtemps qu'elle ne le montre plus.
    ArchivedOrder(String),
    /// Elle ne répond pas, ou mal : une lecture se refait plus tard.
    Failed(String),
    /// Son certificat n'est pas valable à l'heure de cette machine : c'est presque toujours elle qui est fausse.
    Certificate(String),
    /// Elle a demandé le silence : rien ne part avant sa fin.
    Silence(String),
    /// La demande n'est pas datée de son heure : mesurer l'heure à nouveau.
    Clock(String),
    /// La clé ne va pas : quelqu'un doit agir.
    Key(KeyTrouble, String),
    /// Elle ne sert pas l'endroit d'où part la demande.
    Restricted(String),
    /// Elle refuse pour de bon : refaire la même demande ne servirait à rien.
    Refused(String),
}

/// Ce qui ne va pas dans une clé.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyTrouble {
    /// Le texte n'a pas la forme d'une clé.
    Malformed,
    /// Cette bourse-ci ne connaît pas cette clé.
    Unknown,
    /// Clé, adresse IP ou droit ; la bourse ne dit pas lequel.
    NotAllowed,
    /// Le secret n'est pas celui de la clé.
    WrongSecret,
}

impl Trouble {
    /// Vrai si rien n'a répondu à la question, ou pas de quoi en conclure quelque chose.
    pub fn is_no_answer(&self) -> bool {
        matches!(self, Trouble::Failed(_))
    }

    /// Vrai si toute autre demande aurait le même sort : ce n'est pas la faute de celle-ci.
    pub fn holds_for_all(&self) -> bool {
        match self {
            Trouble::Certificate(_)
            | Trouble::Silence(_)
            | Trouble::Clock(_)
            | Trouble::Key(..)
            | Trouble::Restricted(_) => true,
            Trouble::UnknownSymbol(_)
            | Trouble::UnknownOrder(_)
            | Trouble::ArchivedOrder(_)
            | Trouble::Failed(_)
            | Trouble::Refused(_) => false,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Trouble::UnknownSymbol(reason)
            | Trouble::UnknownOrder(reason)
            | Trouble::ArchivedOrder(reason)
            | Trouble::Failed(reason)
            | Trouble::Certificate(reason)
            | Trouble::Silence(reason)
            | Trouble::Clock(reason)
            | Trouble::Key(_, reason)
            | Trouble::Restricted(reason)
            | Trouble::Refused(reason) => f.write_str(reason),
        }
    }
}
