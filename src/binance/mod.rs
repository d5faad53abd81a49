//! La bourse : demander, et se taire quand elle le demande.
//!
//! `public` lit les cours et les règles sans clé ; `account` lit le compte par des `request` que les
//! `credentials` signent, à l'heure de `clock`. `wire` connaît la forme des réponses, `trouble` ce que veut
//! dire un refus. De l'étage 1, elle se sert du domaine, de `fetch` et de `clock`. Aucun ordre ne part d'ici.
//! Invariant : après un 429, un 418 ou un 403, aucun appel ne part avant la fin de l'attente,
//! mesurée à l'horloge monotone ; l'ignorer vaut un bannissement de l'adresse, jusqu'à trois jours.

mod account;
mod clock;
mod credentials;
mod public;
mod request;
mod rules;
mod trouble;
mod wire;

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::clock as machine_clock;
use crate::domain::moment::Moment;
use crate::fetch::{Answer, Client};

pub use account::{Account, AccountState, KeyRights, PermissionSets};
pub use clock::ServerClock;
pub use credentials::{Credentials, NewKey, NotAPrivateKey};
pub use trouble::{KeyTrouble, Trouble};

/// Les réponses pour nos six paires font une quinzaine de kilo-octets. Un document JSON hostile prend,
/// une fois lu, cent fois sa taille en mémoire : la marge n'est pas plus large.
const BODY_LIMIT: usize = 64 * 1024;

/// Le poids qu'une adresse IP peut demander en une minute.
pub const WEIGHT_LIMIT: u64 = 6000;

/// Au-delà, quelqu'un demande beaucoup derrière la même adresse : un tour pèse 24.
pub const WEIGHT_WATCHED: u64 = WEIGHT_LIMIT / 5;

/// La bourse, à une adresse.
pub struct Exchange {
    base_url: String,
    fetch: Client,
    /// Commun à toutes les adresses de la bourse : elle compte par adresse IP.
    limits: Rc<Limits>,
}

/// Ce que la bourse nous laisse demander.
#[derive(Default)]
struct Limits {
    pause: Cell<Option<Pause>>,
    used_weight: Cell<Option<u64>>,
}

/// L'attente que la bourse a imposée.
#[derive(Clone, Copy, Debug)]
struct Pause {
    status: u16,
    over: Instant,
    /// La même fin, pour les phrases.
    until: Moment,
}

impl Exchange {
    /// La bourse à `base_url`, sans le chemin.
    pub fn new(base_url: &str, fetch: Client) -> Exchange {
        Exchange { base_url: base_url.trim_end_matches('/').to_owned(), fetch, limits: Rc::default() }
    }

    /// La même bourse à une autre adresse : un silence demandé par l'une vaut pour l'autre.
    pub fn at(&self, base_url: &str) -> Exchange {
        Exchange { limits: self.limits.clone(), ..Exchange::new(base_url, self.fetch.clone()) }
    }

    /// Le poids compté pour notre adresse IP dans la minute de la dernière réponse, s'il était dit.
    pub fn used_weight(&self) -> Option<u64> {
        self.limits.used_weight.get()
    }

    /// Lit `call` (chemin et paramètres déjà encodés) ; une réponse rendue a le statut 200.
    async fn get(&self, call: &str) -> Result<Answer, Trouble> {
        self.get_with(call, &[]).await
    }

    async fn get_with(&self, call: &str, headers: &[(&str, &str)]) -> Result<Answer, Trouble> {
        if let Some(pause) = self.limits.pause.get().filter(|pause| machine_clock::instant() < pause.over) {
            return Err(Trouble::Silence(pause.reason()));
        }
        let answer = self.fetch.get(&format!("{}{call}", self.base_url), headers, BODY_LIMIT).await;
        let answer = answer.map_err(|error| Trouble::without_answer(&error))?;
        self.limits.weigh(&answer);
        if answer.status == 200 {
            return Ok(answer);
        }
        if let Some(pause) = Pause::asked_by(&answer, machine_clock::instant()) {
            // Deux appels vont ensemble : la plus longue attente vaut pour les deux.
            let longest =
                self.limits.pause.get().filter(|earlier| earlier.over > pause.over).unwrap_or(pause);
            self.limits.pause.set(Some(longest));
            log::warn!(
                "exchange asked for silence status={} until={}",
                pause.status,
                machine_clock::rfc3339(longest.until)
            );
            return Err(Trouble::Silence(longest.reason()));
        }
        Err(Trouble::of(&answer))
    }
}

impl Limits {
    /// Retient le poids compté ; le dit une fois quand il passe le seuil surveillé.
    fn weigh(&self, answer: &Answer) {
        let Some(weight) = answer.number("x-mbx-used-weight-1m") else { return };
        let before = self.used_weight.replace(Some(weight)).unwrap_or_default();
        if before <= WEIGHT_WATCHED && weight > WEIGHT_WATCHED {
            log::warn!("exchange_weight_high used={weight} limit={WEIGHT_LIMIT}");
        }
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
        let until = machine_clock::utc(self.until);
        format!("the exchange answered {} and is not called again before {until} UTC", self.status)
    }
}

#[cfg(test)]
mod tests {
    use isahc::http::HeaderMap;

    use super::*;

    fn answer(status: u16, retry_after: Option<u64>, body: &str) -> Answer {
        let retry_after = retry_after.map(Duration::from_secs);
        Answer {
            status,
            headers: HeaderMap::new(),
            retry_after,
            body: body.into(),
            at: Moment(1_767_225_600_000),
        }
    }

    #[test]
    fn silence_lasts_as_long_as_the_exchange_asks_or_a_sensible_time() {
        let now = machine_clock::instant();
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
        let pause = Pause::asked_by(&answer(429, Some(90), ""), machine_clock::instant()).unwrap();
        assert_eq!(
            pause.reason(),
            "the exchange answered 429 and is not called again before 2026-01-01 00:01:30 UTC"
        );
    }
}
