//! `Accept-Encoding` : sous quelle forme ce client veut lire (RFC 9110, 12.5.3).
//!
//! Sans l'en-tête, rien n'est compressé : qui ne dit rien ne sait peut-être pas décompresser. Un élément illisible compte
//! comme absent. À poids égal, ce qui est court l'emporte.

/// La forme sous laquelle part un fichier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Coding {
    Identity,
    Gzip,
}

/// Les poids que le client donne, en millièmes ; `None` : pas nommé.
#[derive(Default)]
struct Weights {
    gzip: Option<u16>,
    identity: Option<u16>,
    /// `*`, tout ce qui n'est pas nommé.
    others: Option<u16>,
}

/// La forme à envoyer à qui a écrit ces valeurs d'`Accept-Encoding` ; `None` s'il refuse les deux.
pub(super) fn choose<'a>(values: impl Iterator<Item = &'a str>) -> Option<Coding> {
    let mut weights = Weights::default();
    for item in values.flat_map(|value| value.split(',')) {
        weights.read(item);
    }
    let gzip = weights.gzip.or(weights.others).unwrap_or(0);
    // Non compressé reste permis tant que rien ne l'exclut.
    let identity = weights.identity.or(weights.others);
    if gzip > 0 && identity.is_none_or(|identity| gzip >= identity) {
        return Some(Coding::Gzip);
    }
    (identity != Some(0)).then_some(Coding::Identity)
}

impl Weights {
    fn read(&mut self, item: &str) {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = match (parts.next(), parts.next()) {
            (None, _) => Some(1000),
            (Some(parameter), None) => weight(parameter),
            _ => None,
        };
        let Some(weight) = weight else { return };
        match name.as_str() {
            "gzip" | "x-gzip" => self.gzip = Some(weight),
            "identity" => self.identity = Some(weight),
            "*" => self.others = Some(weight),
            _ => {}
        }
    }
}

/// `q=0.5`, en millièmes.
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    let (whole, decimals) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    if !name.trim().eq_ignore_ascii_case("q") || !digits {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Option<Coding>) {
        assert_eq!(choose([value].into_iter()), expected, "{value:?}");
    }

    #[test]
    fn a_client_gets_the_form_it_asks_for() {
        use Coding::{Gzip, Identity};
        check("gzip", Some(Gzip));
        check("gzip, deflate", Some(Gzip));
        check("br;q=1.0, GZIP ; Q=0.8, *;q=0.1", Some(Gzip));
        check("x-gzip", Some(Gzip));
        check("*", Some(Gzip));
        check("gzip;q=0.5, identity;q=0.5", Some(Gzip));
        check("identity;q=0, gzip;q=0.001", Some(Gzip));
        check("*;q=0, gzip", Some(Gzip));
        check("", Some(Identity));
        check("br", Some(Identity));
        check("identity", Some(Identity));
        check("gzip;q=0", Some(Identity));
        check("gzip;q=0.000, *", Some(Identity));
        check("gzip;q=0.4, identity;q=0.5", Some(Identity));
        check("gzip;q=2", Some(Identity));
        check("gzip;q=0.1234", Some(Identity));
        check("gzip;q=", Some(Identity));
        check("gzip;level=9", Some(Identity));
        check("gzip;q=1;q=1", Some(Identity));
        check("gzip;q=-1", Some(Identity));
        check("identity;q=0", None);
        check("*;q=0", None);
        check("gzip;q=0, identity;q=0", None);
        check("br, identity;q=0.0", None);
    }

    #[test]
    fn a_header_said_twice_is_one_list_and_one_never_said_asks_for_nothing() {
        assert_eq!(choose(["br", "gzip"].into_iter()), Some(Coding::Gzip));
        assert_eq!(choose([].into_iter()), Some(Coding::Identity));
    }
}
