//! Pourquoi la bourse n'a pas répondu ce qu'on lui demandait, et ce que cela veut dire pour une lecture.
//!
//! Le code d'un refus est stable, son texte non : seul le code décide. HTML, corps vide et charabia sont des
//! réponses comme les autres. Invariant : toute réponse autre que 200 devient exactement une [`Trouble`], et
//! celles qui demandent une personne disent quoi faire ([`remedy`]).

use super::wire;
use crate::exchange::trouble::{KeyTrouble, Trouble};
use crate::fetch::{Answer, FetchError, beginning, opening};

/// Ce que veut dire l'absence de réponse.
pub(super) fn without_answer(error: &FetchError) -> Trouble {
    let reason = format!("the exchange {error}");
    match error {
        FetchError::BadCertificate(flaw) if flaw.is_about_the_hour() => Trouble::Certificate(reason),
        _ => Trouble::Failed(reason),
    }
}

/// La décision que porte cette réponse, qui n'a pas le statut 200.
pub(super) fn of(answer: &Answer) -> Trouble {
    let status = answer.status;
    let reason = told(status, &answer.body);
    let Some(refusal) = wire::refusal(&answer.body) else {
        return match status {
            451 => Trouble::Restricted(reason),
            _ => Trouble::Failed(reason),
        };
    };
    match (status, refusal.code) {
        (451, _) => Trouble::Restricted(reason),
        (500.., _) => Trouble::Failed(reason),
        (_, -1121) => Trouble::UnknownSymbol(reason),
        (_, -2013) => Trouble::UnknownOrder(reason),
        (_, -2026) => Trouble::ArchivedOrder(reason),
        _ if is_about_the_hour(&refusal) => Trouble::Clock(reason),
        (_, -1022) => Trouble::Key(KeyTrouble::WrongSecret, reason),
        (_, -2008) => Trouble::Key(KeyTrouble::Unknown, reason),
        (_, -2014) => Trouble::Key(KeyTrouble::Malformed, reason),
        (_, -2015 | -1002) => Trouble::Key(KeyTrouble::NotAllowed, reason),
        (_, -1000 | -1001 | -1003 | -1006 | -1007 | -1008 | -1015) => Trouble::Failed(reason),
        _ => Trouble::Refused(reason),
    }
}

/// Quoi faire, pour une personne.
pub fn remedy(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Failed(_) => {
            "check the network of this machine, then try again in some minutes; if BINANCE_URL is set, check it"
        }
        Trouble::Silence(_) => {
            "wait until then; other programs behind the same Internet address count too, stop those that ask a lot"
        }
        Trouble::Clock(_) | Trouble::Certificate(_) => {
            "set the clock of this machine right (see the line clock), then try again"
        }
        Trouble::Restricted(_) => {
            "Binance does not serve the place this machine is in: it cannot trade from here, do not try to get \
             round it"
        }
        Trouble::UnknownSymbol(_)
        | Trouble::UnknownOrder(_)
        | Trouble::ArchivedOrder(_)
        | Trouble::Refused(_) => "update the program; if it stays, report this line to its authors",
        Trouble::Key(KeyTrouble::Malformed, _) => {
            "copy BINANCE_API_KEY again from Binance: 64 letters and digits, nothing around them"
        }
        Trouble::Key(KeyTrouble::Unknown, _) => {
            "this key is not of this exchange: a key of the test network needs BINANCE_TESTNET=true, a real one \
             BINANCE_TESTNET=false"
        }
        Trouble::Key(KeyTrouble::WrongSecret, _) => {
            "the secret is not the one of BINANCE_API_KEY: copy both again (Binance shows a secret only once: make a \
             new key if it is lost); with BINANCE_API_SECRET_FILE, the public half of that file is not the one \
             Binance has for this key"
        }
        Trouble::Key(KeyTrouble::NotAllowed, _) => {
            "Binance does not say which of three it is: the key was deleted or miscopied, the Internet address \
             of this machine is not in the key's list of IPs, or reading is not enabled for the key; look at it \
             in Binance's API Management"
        }
    }
}

/// Une réponse 200 qui n'a pas la forme attendue.
pub(super) fn unreadable(answer: &Answer) -> Trouble {
    Trouble::Failed(unreadable_body(&answer.body))
}

/// La demande n'est pas datée de l'heure de la bourse : -1021, ou le code, que ses documents ne disent pas,
/// d'un `timestamp` de plus de dix secondes en avance, refusé comme un paramètre mal fait.
pub(super) fn is_about_the_hour(refusal: &wire::Refusal) -> bool {
    match refusal.code {
        -1021 => true,
        -1102..=-1100 | -1130 => refusal.msg.contains("'timestamp'"),
        _ => false,
    }
}

/// Ce qu'on dit d'une réponse 200 qui n'a pas la forme attendue.
pub(super) fn unreadable_body(body: &[u8]) -> String {
    format!("the exchange's answer cannot be read, it starts with {}", opening(body))
}

/// Ce que dit une réponse autre que 200, en une phrase.
pub(super) fn told(status: u16, body: &[u8]) -> String {
    match wire::refusal(body) {
        Some(wire::Refusal { code, msg }) => {
            format!("the exchange answered {status}: {code} {}", excerpt(&msg))
        }
        None => format!("the exchange answered {status}{}", beginning(body)),
    }
}

/// Le texte d'un refus n'est pas de nous : court, et sur une ligne.
fn excerpt(text: &str) -> String {
    text.chars().take(200).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use isahc::http::HeaderMap;

    use super::*;
    use crate::domain::moment::Moment;
    use crate::fetch::Flaw;

    fn trouble(status: u16, body: &str) -> Trouble {
        let headers = HeaderMap::new();
        of(&Answer { status, headers, retry_after: None, body: body.into(), at: Moment(0) })
    }

    #[test]
    fn a_refusal_is_told_with_what_the_exchange_said() {
        let cases = [
            (
                500,
                r#"{"code":-1001,"msg":"Internal error"}"#,
                "the exchange answered 500: -1001 Internal error",
            ),
            (502, "<html>", r#"the exchange answered 502, starting with "<html>""#),
            (504, "", "the exchange answered 504 with an empty page"),
            (400, r#"{"code":"x"}"#, r#"the exchange answered 400, starting with "{\"code\":\"x\"}""#),
        ];
        for (status, body, expected) in cases {
            assert_eq!(trouble(status, body), Trouble::Failed(expected.to_owned()), "{body}");
        }
    }

    #[test]
    fn a_certificate_from_another_time_is_not_a_dead_network() {
        let trouble = |error| without_answer(&error);
        let bad = |flaw| trouble(FetchError::BadCertificate(flaw));
        for flaw in [Flaw::TooEarly(Moment(0)), Flaw::TooLate(Moment(0))] {
            assert!(matches!(bad(flaw), Trouble::Certificate(_)));
        }
        for flaw in [Flaw::OtherName, Flaw::UnknownIssuer] {
            assert!(matches!(bad(flaw), Trouble::Failed(_)));
        }
        let expected = Trouble::Failed("the exchange cannot be reached: no route".to_owned());
        assert_eq!(trouble(FetchError::Unreachable("no route".to_owned())), expected);
    }

    #[test]
    fn an_hour_far_ahead_is_refused_as_a_parameter() {
        let malformed = |parameter| {
            let msg =
                format!("Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed.");
            trouble(400, &format!(r#"{{"code":-1102,"msg":"{msg}"}}"#))
        };
        assert!(matches!(malformed("timestamp"), Trouble::Clock(_)));
        assert!(matches!(malformed("symbol"), Trouble::Refused(_)));
    }

    #[test]
    fn a_code_is_a_decision() {
        let of = |status, code: i64| trouble(status, &format!(r#"{{"code":{code},"msg":"a\ntext"}}"#));
        let said = |status: u16, code: i64| format!("the exchange answered {status}: {code} a text");
        let key = |trouble, status, code| Trouble::Key(trouble, said(status, code));
        assert_eq!(of(400, -1121), Trouble::UnknownSymbol(said(400, -1121)));
        assert_eq!(of(400, -1021), Trouble::Clock(said(400, -1021)));
        assert_eq!(of(400, -2013), Trouble::UnknownOrder(said(400, -2013)));
        assert_eq!(of(400, -2026), Trouble::ArchivedOrder(said(400, -2026)));
        assert_eq!(of(400, -1022), key(KeyTrouble::WrongSecret, 400, -1022));
        assert_eq!(of(401, -2008), key(KeyTrouble::Unknown, 401, -2008));
        assert_eq!(of(401, -2014), key(KeyTrouble::Malformed, 401, -2014));
        assert_eq!(of(401, -2015), key(KeyTrouble::NotAllowed, 401, -2015));
        assert_eq!(of(451, 0), Trouble::Restricted(said(451, 0)));
        assert_eq!(of(400, -1102), Trouble::Refused(said(400, -1102)));
        assert_eq!(of(400, -1003), Trouble::Failed(said(400, -1003)));
        // Une panne interne reste passagère, quel que soit le code qu'elle porte.
        assert_eq!(of(503, -2015), Trouble::Failed(said(503, -2015)));
    }
}
