//! Ce que veut dire une réponse à un ordre, quand ce n'est pas le récit de l'ordre.
//!
//! Le statut et le code décident ; un texte ne départage que là où le code ne dit pas assez : -2010, -1013, et
//! un paramètre mal fait qui serait l'heure.
//! Source : docs Binance Spot, « Error codes » et « General API information » (HTTP return codes). Invariant :
//! n'est un refus que ce qui ne peut pas avoir été exécuté ; tout le reste est inconnu ([`judged`] rend
//! `None`), et un refus jamais vu arrête le négoce.

use super::trouble::{is_about_the_hour, told};
use super::wire;
use crate::exchange::order::{Reaction, Refusal};

use Reaction::{GiveUp, Later, RefreshRules, Resynchronise, Shrink, Stop};

/// Le refus que porte cette réponse à un ordre ; `None` s'il n'est pas sûr que l'ordre n'existe pas.
pub(super) fn judged(status: u16, body: &[u8]) -> Option<Refusal> {
    let then = reaction(status, wire::refusal(body).as_ref())?;
    Some(Refusal { reason: told(status, body), then })
}

fn reaction(status: u16, refusal: Option<&wire::Refusal>) -> Option<Reaction> {
    // Un code qui laisse l'issue ouverte la laisse ouverte quel que soit le statut.
    let code = refusal.map(|refusal| refusal.code);
    if code.is_some_and(leaves_it_open) {
        return None;
    }
    match status {
        // Les documents du Spot ne nomment pas 408 ; ceux des Futures en font l'attente du moteur.
        408 => None,
        403 | 418 | 429 => Some(Later),
        451 => Some(Stop),
        400..500 => refusal.and_then(by_code),
        _ => None,
    }
}

/// -1000, -1001, -1006, -1007, -1008 : l'issue est inconnue, la bourse le dit. -2011, -2013, -2026, -2039
/// répondent à d'autres demandes et ne disent rien de l'ordre envoyé.
fn leaves_it_open(code: i64) -> bool {
    matches!(code, -1000 | -1001 | -1006 | -1007 | -1008 | -2011 | -2013 | -2026 | -2039)
}

fn by_code(refusal: &wire::Refusal) -> Option<Reaction> {
    Some(match refusal.code {
        -1002 | -1016 | -1022 | -2008 | -2014 | -2015 => Stop,
        -1003 | -1015 | -1112 => Later,
        -1013 if says(refusal, "market is closed") => Later,
        -1013 | -1111 => RefreshRules,
        _ if is_about_the_hour(refusal) => Resynchronise,
        -1014 | -1020 | -1108 => GiveUp,
        -1106..=-1100 | -1119..=-1115 | -1121 | -1125 | -1127 | -1128 | -1131..=-1130 => GiveUp,
        -1134 | -1151 | -1220 | -2043 => GiveUp,
        -2010 => return by_text(refusal),
        _ => Stop,
    })
}

/// -2010 est le refus du moteur : seul son texte dit pourquoi.
fn by_text(refusal: &wire::Refusal) -> Option<Reaction> {
    // Un ordre *ouvert* porte déjà ce nom : c'est le nôtre, à retrouver.
    if says(refusal, "duplicate order") {
        return None;
    }
    let known = [
        ("insufficient balance", Shrink),
        ("market is closed", Later),
        ("not possible in this trading phase", Later),
        ("order book liquidity is less than", Later),
        // Une paire fermée à ce compte ne ferme que cette paire ; les autres suivent.
        ("this symbol is not permitted", GiveUp),
        ("this symbol is restricted", GiveUp),
        ("market orders are not support", GiveUp),
        ("price * qty is zero or less", GiveUp),
    ];
    let found = known.into_iter().find(|(text, _)| says(refusal, text));
    // Compte fermé (« disabled on this account », « may not place or cancel orders »…), ou un texte
    // jamais vu : dans les deux cas quelqu'un doit regarder.
    Some(found.map_or(Stop, |(_, reaction)| reaction))
}

fn says(refusal: &wire::Refusal, text: &str) -> bool {
    refusal.msg.to_ascii_lowercase().contains(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: Option<Reaction> = None;

    fn check(status: u16, code: i64, text: &str, expected: Option<Reaction>) {
        let body = format!(r#"{{"code":{code},"msg":"{text}"}}"#);
        let judged = judged(status, body.as_bytes());
        assert_eq!(judged.as_ref().map(|refusal| refusal.then), expected, "{status} {body}");
        if let Some(refusal) = judged {
            assert_eq!(refusal.reason, format!("the exchange answered {status}: {code} {text}"));
        }
    }

    /// Chaque code de la documentation, après l'envoi d'un ordre.
    #[test]
    fn every_code_is_a_decision() {
        let decided: [(&[i64], Option<Reaction>); 8] = [
            (&[-1000, -1001, -1006, -1007, -1008], UNKNOWN),
            (&[-2011, -2013, -2026, -2039], UNKNOWN),
            (&[-1002, -1016, -1022, -2008, -2014, -2015], Some(Stop)),
            (&[-1003, -1015, -1112], Some(Later)),
            (&[-1013, -1111], Some(RefreshRules)),
            (&[-1021], Some(Resynchronise)),
            (
                &[
                    -1014, -1020, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1115, -1116,
                    -1117, -1118, -1119, -1121, -1125, -1127, -1128, -1130, -1131, -1134, -1151, -1220,
                    -2043,
                ],
                Some(GiveUp),
            ),
            // Jamais vus : refusés, et quelqu'un regarde.
            (&[-1, 0, 1, -1004, -1099, -1107, -1122, -2021, -4131, -9999, i64::MIN, i64::MAX], Some(Stop)),
        ];
        for (codes, expected) in decided {
            for code in codes {
                check(400, *code, "a text", expected);
            }
        }
    }

    /// Chaque texte de -2010, et ceux de -1013 ; la casse n'y change rien.
    #[test]
    fn every_text_of_the_engine_is_a_decision() {
        let texts = [
            ("Account has insufficient balance for requested action.", Some(Shrink)),
            ("Duplicate order sent.", UNKNOWN),
            ("Market is closed.", Some(Later)),
            ("This order type is not possible in this trading phase.", Some(Later)),
            ("This action is disabled on this account.", Some(Stop)),
            ("This account may not place or cancel orders.", Some(Stop)),
            ("This symbol is not permitted for this account.", Some(GiveUp)),
            ("This symbol is restricted for this account.", Some(GiveUp)),
            ("Rest API trading is not enabled.", Some(Stop)),
            ("Market orders are not supported for this symbol.", Some(GiveUp)),
            ("Quote order qty market orders are not support for this symbol.", Some(GiveUp)),
            ("Order book liquidity is less than LOT_SIZE filter minimum quantity.", Some(Later)),
            ("Order book liquidity is less than MARKET_LOT_SIZE filter minimum quantity.", Some(Later)),
            ("Order book liquidity is less than symbol minimum quantity.", Some(Later)),
            ("Price * QTY is zero or less.", Some(GiveUp)),
            ("A text of tomorrow.", Some(Stop)),
            ("", Some(Stop)),
        ];
        for (text, expected) in texts {
            check(400, -2010, text, expected);
            check(400, -2010, &text.to_uppercase(), expected);
        }
        for filter in [
            "LOT_SIZE",
            "MARKET_LOT_SIZE",
            "NOTIONAL",
            "MIN_NOTIONAL",
            "PRICE_FILTER",
            "PERCENT_PRICE",
            "PERCENT_PRICE_BY_SIDE",
            "MAX_POSITION",
            "MAX_NUM_ORDERS",
            "EXCHANGE_MAX_NUM_ORDERS",
        ] {
            check(400, -1013, &format!("Filter failure: {filter}"), Some(RefreshRules));
        }
        check(400, -1013, "Invalid quantity.", Some(RefreshRules));
        check(400, -1013, "Market is closed.", Some(Later));
        let hour = "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.";
        check(400, -1102, hour, Some(Resynchronise));
    }

    /// Le statut d'abord : 5xx est inconnu quel que soit le code, un silence et un lieu interdit ne le sont pas.
    #[test]
    fn every_status_is_a_decision() {
        for status in [400, 401, 404, 409, 422] {
            check(status, -2015, "a text", Some(Stop));
            check(status, -1007, "a text", UNKNOWN);
        }
        for status in [500, 501, 502, 503, 504, 599, 408, 200, 202, 100, 301, 307, 0, 999] {
            for code in [-2015, -2010, -1013, -1021, -1007, -1] {
                check(status, code, "Account has insufficient balance.", UNKNOWN);
            }
        }
        for status in [403, 418, 429] {
            check(status, -1003, "a text", Some(Later));
            check(status, -1015, "a text", Some(Later));
            check(status, -2015, "a text", Some(Later));
            check(status, -1007, "a text", UNKNOWN);
        }
        check(451, 0, "Service unavailable from a restricted location.", Some(Stop));
    }

    /// Une page, un corps vide, un JSON d'une autre forme : rien n'est sûr, hors des statuts qui disent tout.
    #[test]
    fn an_answer_that_is_no_refusal_is_unknown() {
        let strange: [&[u8]; 9] = [
            b"",
            b"<html>",
            b"{}",
            b"null",
            b"[]",
            br#"{"code":"-2010","msg":"x"}"#,
            br#"{"code":-2010.5,"msg":"x"}"#,
            br#"{"code":-2010}"#,
            b"\xff\xfe",
        ];
        for body in strange {
            for status in [200, 400, 401, 404, 408, 500, 503] {
                assert_eq!(judged(status, body), None, "{status} {body:?}");
            }
            for (status, then) in [(403, Later), (418, Later), (429, Later), (451, Stop)] {
                assert_eq!(judged(status, body).map(|refusal| refusal.then), Some(then), "{status} {body:?}");
            }
        }
    }
}
