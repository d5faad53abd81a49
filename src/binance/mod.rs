//! La bourse : demander, et se taire quand elle le demande.
//!
//! `public` lit les cours et les règles, `wire` connaît la forme de ses réponses ; les demandes
//! signées viendront à côté. De l'étage 1, elle se sert du domaine, de `fetch` et de `clock`.
//! Invariant : après un 429, un 418 ou un 403, aucun appel ne part avant la fin de l'attente,
//! mesurée à l'horloge monotone ; l'ignorer vaut un bannissement de l'adresse, jusqu'à trois jours.

mod public;
mod rules;
mod wire;

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

use crate::clock;
use crate::domain::moment::Moment;
use crate::fetch::{Answer, Client};

/// Les réponses pour nos six paires font une quinzaine de kilo-octets. Un document JSON hostile prend,
/// une fois lu, cent fois sa taille en mémoire : la marge n'est pas plus large.
const BODY_LIMIT: usize = 64 * 1024;

/// Le code d'un symbole que la bourse ne connaît pas.
const UNKNOWN_SYMBOL: i64 = -1121;

/// La bourse, à une adresse.
pub struct Exchange {
    base_url: String,
    fetch: Client,
    pause: Cell<Option<Pause>>,
}

/// L'attente que la bourse a imposée.
#[derive(Clone, Copy, Debug)]
struct Pause {
    status: u16,
    over: Instant,
    /// La même fin, pour les phrases.
    until: Moment,
}

/// Pourquoi un appel n'a rien rendu.
#[derive(Clone, Debug, PartialEq)]
enum Trouble {
    /// Un des symboles demandés n'existe pas : les autres peuvent l'être un par un.
    UnknownSymbol(String),
    Failed(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Trouble::UnknownSymbol(reason) | Trouble::Failed(reason) => f.write_str(reason),
        }
    }
}

impl Exchange {
    /// La bourse à `base_url`, sans le chemin.
    pub fn new(base_url: &str, fetch: Client) -> Exchange {
        Exchange { base_url: base_url.trim_end_matches('/').to_owned(), fetch, pause: Cell::new(None) }
    }

    /// Lit `call` (chemin et paramètres déjà encodés) ; une réponse rendue a le statut 200.
    async fn get(&self, call: &str) -> Result<Answer, Trouble> {
        if let Some(pause) = self.pause.get().filter(|pause| Instant::now() < pause.over) {
            return Err(Trouble::Failed(pause.reason()));
        }
        let answer = self.fetch.get(&format!("{}{call}", self.base_url), &[], BODY_LIMIT).await;
        let answer = answer.map_err(|error| Trouble::Failed(format!("the exchange {error}")))?;
        if answer.status == 200 {
            return Ok(answer);
        }
        if let Some(pause) = Pause::asked_by(&answer, Instant::now()) {
            // Deux appels vont ensemble : la plus longue attente vaut pour les deux.
            let longest = self.pause.get().filter(|earlier| earlier.over > pause.over).unwrap_or(pause);
            self.pause.set(Some(longest));
            log::warn!(
                "exchange asked for silence status={} until={}",
                pause.status,
                clock::rfc3339(longest.until)
            );
            return Err(Trouble::Failed(longest.reason()));
        }
        Err(refusal(&answer))
    }
}

impl Pause {
    /// L'attente que demande cette réponse ; sans `Retry-After`, une durée qui dépasse celle pour
    /// laquelle la bourse compte (une minute) ou bannit d'abord (deux minutes).
    fn asked_by(answer: &Answer, now: Instant) -> Option<Pause> {
        let default = match answer.status {
            429 => Duration::from_secs(60),
            403 => Duration::from_secs(120),
            418 => Duration::from_secs(600),
            _ => return None,
        };
        let wait = answer.retry_after.unwrap_or(default).max(Duration::from_secs(1));
        Some(Pause {
            status: answer.status,
            over: now + wait,
            until: Moment(answer.at.0.saturating_add(wait.as_millis() as i64)),
        })
    }

    fn reason(&self) -> String {
        let until = clock::utc(self.until);
        format!("the exchange answered {} and is not called again before {until} UTC", self.status)
    }
}

/// Traduit un refus : son code et son texte s'il en porte, sinon le début de ce qui est venu.
fn refusal(answer: &Answer) -> Trouble {
    let status = answer.status;
    match wire::refusal(&answer.body) {
        Some(wire::Refusal { code, msg }) => {
            let reason = format!("the exchange answered {status}: {code} {msg}");
            if code == UNKNOWN_SYMBOL { Trouble::UnknownSymbol(reason) } else { Trouble::Failed(reason) }
        }
        None => {
            Trouble::Failed(format!("the exchange answered {status}, starting with {}", answer.opening()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<u64>, body: &str) -> Answer {
        let retry_after = retry_after.map(Duration::from_secs);
        Answer { status, retry_after, body: body.into(), at: Moment(1_767_225_600_000) }
    }

    #[test]
    fn silence_lasts_as_long_as_the_exchange_asks_or_a_sensible_time() {
        let now = Instant::now();
        let cases = [
            (429, Some(7), Some(7)),
            (429, None, Some(60)),
            (429, Some(0), Some(1)),
            (418, Some(259_200), Some(259_200)),
            (418, None, Some(600)),
            (403, None, Some(120)),
            (500, Some(30), None),
            (451, None, None),
        ];
        for (status, asked, expected) in cases {
            let pause = Pause::asked_by(&answer(status, asked, ""), now);
            assert_eq!(pause.map(|pause| (pause.over - now).as_secs()), expected, "{status} {asked:?}");
        }
    }

    #[test]
    fn the_reason_for_silence_says_until_when() {
        let pause = Pause::asked_by(&answer(429, Some(90), ""), Instant::now()).unwrap();
        assert_eq!(
            pause.reason(),
            "the exchange answered 429 and is not called again before 2026-01-01 00:01:30 UTC"
        );
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
            (504, "", r#"the exchange answered 504, starting with """#),
            (400, r#"{"code":"x"}"#, r#"the exchange answered 400, starting with "{\"code\":\"x\"}""#),
        ];
        for (status, body, expected) in cases {
            assert_eq!(refusal(&answer(status, None, body)), Trouble::Failed(expected.to_owned()), "{body}");
        }
        let unknown = refusal(&answer(400, None, r#"{"code":-1121,"msg":"Invalid symbol."}"#));
        assert!(matches!(unknown, Trouble::UnknownSymbol(_)));
    }
}
