//! Pourquoi un certificat n'est pas bon, et ce qu'une personne peut y faire.
//!
//! isahc sait qu'un certificat est refusé et oublie ce que curl en a dit : on refait la poignée de main, et elle seule,
//! pour l'entendre. Invariant : une faute qui peut venir de l'heure de cette machine le dit d'abord, avec la date qu'elle
//! croit être ; un Raspberry Pi se réveille en 1970.

use std::env;
use std::fmt;

use curl::easy::{Easy, SslOpt};
use isahc::http::Uri;

use super::{CONNECT_LIMIT, is_loopback};
use crate::clock;
use crate::domain::moment::Moment;

/// Ce qui précède le mot de rustls dans le texte de curl.
const BEFORE: &str = "invalid peer certificate: ";

/// Ce qui ne va pas dans un certificat.
#[derive(Clone, Debug, PartialEq)]
pub enum Flaw {
    /// Pas encore valable, à cette heure de la machine.
    TooEarly(Moment),
    /// Plus valable, à cette heure de la machine.
    TooLate(Moment),
    /// Fait pour un autre nom que celui de l'adresse.
    OtherName,
    /// Signé par personne que cette machine connaisse.
    UnknownIssuer,
    /// Autre chose, telle que la bibliothèque le dit.
    Other(String),
}

/// Ce qui ne va pas dans le certificat que montre l'adresse de `url`.
pub(super) async fn examine(url: &str) -> Flaw {
    let Some(origin) = origin(url) else { return Flaw::Other("no address".to_owned()) };
    // curl attend sans rendre la main, dans sa limite de temps.
    match smol::unblock(move || greet(&origin)).await {
        Ok(()) => Flaw::Other("it was refused, and accepted right after".to_owned()),
        Err(error) => Flaw::told(error.extra_description().unwrap_or(error.description()), clock::now()),
    }
}

/// L'adresse sans ce qu'on y demandait, qui peut être signé.
fn origin(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    Some(format!("{}://{}/", uri.scheme_str()?, uri.authority()?))
}

/// Se présente, avec les autorités qu'isahc prendrait, et raccroche.
fn greet(origin: &str) -> Result<(), curl::Error> {
    let mut easy = Easy::new();
    easy.url(origin)?;
    easy.connect_only(true)?;
    easy.timeout(CONNECT_LIMIT)?;
    if is_loopback(origin) {
        easy.noproxy("*")?;
    }
    match env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()) {
        Some(path) => easy.cainfo(path)?,
        None => easy.ssl_options(SslOpt::new().native_ca(true))?,
    }
    easy.perform()
}

impl Flaw {
    /// Ce que dit `text`, la raison d'un refus, à `now`, heure de la machine.
    pub(super) fn told(text: &str, now: Moment) -> Flaw {
        let word = text.split_once(BEFORE).map_or(text, |(_, word)| word);
        match word {
            "NotValidYet" => Flaw::TooEarly(now),
            "Expired" => Flaw::TooLate(now),
            "NotValidForName" => Flaw::OtherName,
            "UnknownIssuer" => Flaw::UnknownIssuer,
            other => Flaw::Other(other.to_owned()),
        }
    }

    /// Vrai si une heure fausse de cette machine peut en être la cause.
    pub fn is_about_the_hour(&self) -> bool {
        matches!(self, Flaw::TooEarly(_) | Flaw::TooLate(_))
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Flaw::TooEarly(now) => write!(
                f,
                "is not valid yet: the clock of this machine says that it is {}, which is most likely wrong: set it \
                 right",
                date(*now)
            ),
            Flaw::TooLate(now) => write!(
                f,
                "has expired: the clock of this machine says that it is {}; if that is wrong, set it right; if not, \
                 whoever runs that address has to renew its certificate",
                date(*now)
            ),
            Flaw::OtherName => f.write_str(
                "is for another name than this address: correct the address, or look for what answers in its place \
                 (the login page of a network, a proxy)",
            ),
            Flaw::UnknownIssuer => f.write_str(
                "is not trusted, nobody whom this machine knows has signed it: install ca-certificates if it is \
                 missing, or look for what answers in its place (the login page of a network, a proxy, an antivirus)",
            ),
            Flaw::Other(reason) => write!(f, "is not valid: {reason}"),
        }
    }
}

/// Le jour seulement : la phrase ne doit pas changer à chaque tour.
fn date(moment: Moment) -> String {
    clock::utc(moment).split(' ').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Comme curl le dit ; `.ci/tls` voit qu'il le dit encore.
    fn flaw(word: &str) -> Flaw {
        let text = format!("rustls_connection_process_new_packets: invalid peer certificate: {word}");
        Flaw::told(&text, Moment(12_000))
    }

    #[test]
    fn only_the_address_is_greeted() {
        let asked = "https://user@example.org:8443/api/v3/account?timestamp=1&signature=2";
        assert_eq!(origin(asked).as_deref(), Some("https://user@example.org:8443/"));
        assert_eq!(origin("nowhere"), None);
    }

    #[test]
    fn a_certificate_of_another_time_names_the_clock_of_this_machine_and_its_date() {
        for word in ["NotValidYet", "Expired"] {
            let flaw = flaw(word);
            assert!(flaw.is_about_the_hour(), "{flaw}");
            let told = flaw.to_string();
            assert!(told.contains("the clock of this machine says that it is 1970-01-01"), "{told}");
        }
    }

    #[test]
    fn a_certificate_that_no_hour_would_make_good_does_not_accuse_the_clock() {
        let cases = [
            ("NotValidForName", "is for another name"),
            ("UnknownIssuer", "is not trusted"),
            ("Revoked", "is not valid: Revoked"),
            ("ExpiredRevocationList", "is not valid: ExpiredRevocationList"),
        ];
        for (word, expected) in cases {
            let flaw = flaw(word);
            assert!(!flaw.is_about_the_hour() && !flaw.to_string().contains("clock"), "{flaw}");
            assert!(flaw.to_string().starts_with(expected), "{flaw}");
        }
        assert_eq!(Flaw::told("no reason", Moment(0)), Flaw::Other("no reason".to_owned()));
    }
}
