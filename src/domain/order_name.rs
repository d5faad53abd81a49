//! Le nom que porte chacun de nos ordres à la bourse : de quel grand livre, quelle intention, quelle tentative.
//!
//! Deux grands livres n'ont pas la même étiquette, et un grand livre ne donne pas deux fois le même nom : un ordre qui
//! porte le nôtre et que nous ne connaissons pas est donc d'une copie de nous, ou d'après la nôtre.

use std::fmt;

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
