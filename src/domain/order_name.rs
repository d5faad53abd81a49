//! Le nom que porte chacun de nos ordres à la bourse : de quel grand livre, quelle intention, quelle tentative.
//!
//! Deux grands livres n'ont pas la même étiquette, et un grand livre ne donne pas deux fois le même nom : un ordre qui
//! porte le nôtre et que nous ne connaissons pas est donc d'une copie de nous, ou d'après la nôtre. Qui laisse des ordres
//! dehors change d'étiquette, non de famille : une copie qu'il croyait éteinte se reconnaît encore.

use std::fmt;

/// Les chiffres d'une étiquette qui disent sa famille.
const FAMILY: usize = 4;

/// Le nom d'un ordre : `cal-1f00aa33-7-1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderName {
    /// Huit chiffres hexadécimaux minuscules.
    pub tag: String,
    pub intent: i64,
    pub attempt: u32,
}

impl OrderName {
    /// Le nom que ce texte dit ; `None` si ce n'en est pas un que nous donnons.
    pub fn parse(text: &str) -> Option<OrderName> {
        let mut parts = text.strip_prefix("cal-")?.split('-');
        let (tag, intent, attempt) = (parts.next()?, parts.next()?, parts.next()?);
        let hexadecimal = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        let name =
            OrderName { tag: tag.to_owned(), intent: intent.parse().ok()?, attempt: attempt.parse().ok()? };
        let sensible = tag.len() == 8 && tag.bytes().all(hexadecimal) && name.intent > 0;
        (sensible && parts.next().is_none() && name.to_string() == text).then_some(name)
    }

    /// Vrai si un grand livre de cette étiquette, ou une copie de lui, l'a donné.
    pub fn is_kin(&self, tag: &str) -> bool {
        are_kin(&self.tag, tag)
    }
}

/// Vrai si ces étiquettes sont d'un seul grand livre, de ses copies et de ses noms d'après.
pub fn are_kin(tag: &str, other: &str) -> bool {
    tag[..FAMILY] == other[..FAMILY]
}

/// L'étiquette que prend un grand livre de celle-ci qui laisse des ordres dehors ; `drawn` vient du hasard.
pub fn next_tag(tag: &str, drawn: u16) -> String {
    let next = |drawn: u16| format!("{}{drawn:04x}", &tag[..FAMILY]);
    if next(drawn) == tag { next(drawn.wrapping_add(1)) } else { next(drawn) }
}

impl fmt::Display for OrderName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let OrderName { tag, intent, attempt } = self;
        write!(f, "cal-{tag}-{intent}-{attempt}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_outside_changes_the_tag_and_not_the_family() {
        let next = next_tag("1f00aa33", 0xaa33);
        assert_eq!((next.as_str(), next_tag("1f00aa33", 7).as_str()), ("1f00aa34", "1f000007"));
        let named = |tag: &str| OrderName::parse(&format!("cal-{tag}-7-1")).expect("a name");
        assert!(named(&next).is_kin("1f00aa33") && named("1f00aa33").is_kin(&next));
        assert!(!named("1f01aa33").is_kin("1f00aa33"));
    }

    #[test]
    fn a_name_is_read_back_and_nothing_else_is_one() {
        let name = OrderName { tag: "1f00aa33".to_owned(), intent: 7, attempt: 1 };
        assert_eq!(OrderName::parse(&name.to_string()), Some(name));
        for text in [
            "",
            "cal-",
            "cal-1f00aa33",
            "cal-1f00aa33-7",
            "cal-1f00aa33-7-1-2",
            "cal-1F00AA33-7-1",
            "cal-1f00aa3-7-1",
            "cal-1f00aa33-0-1",
            "cal-1f00aa33--7-1",
            "cal-1f00aa33-+7-1",
            "cal-1f00aa33-07-1",
            "x-cal-1f00aa33-7-1",
            "web_1234",
        ] {
            assert_eq!(OrderName::parse(text), None, "{text:?}");
        }
    }
}
