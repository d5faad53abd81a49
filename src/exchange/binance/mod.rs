//! Binance : demander, ordonner, et se taire quand elle le demande.
//!
//! `public` lit les cours et les règles sans clé, `witness` ce qui dit si un cours en est un. Avec une clé, par des `request` que les `credentials` signent
//! à l'heure de `clock`, `account` lit le compte, `history` les ordres passés, et `orders` en envoie. `wire`
//! connaît la forme des réponses, `reports` ce qu'elles disent d'un ordre ; `trouble` juge le refus d'une
//! lecture, `refusal` celui d'un ordre ; `endpoint` nomme chaque demande pour qui les compte. Tout cela dans les mots
//! de [`super`], communs à toute bourse.
//! Invariants : rien ici n'envoie un ordre deux fois ; après un 429, un 418 ou un 403 ([`Silence`]), aucun
//! appel ne part, ordre ou lecture.

mod account;
mod book;
mod clock;
mod endpoint;
mod history;
mod orders;
mod public;
mod refusal;
mod reports;
mod request;
mod rules;
mod silence;
mod trouble;
mod wire;
mod witness;

use std::rc::Rc;
use std::time::Instant;

use rust_decimal::{Decimal, dec};

use super::asked::{Asked, Code, Endpoint, Watcher};
use super::trouble::Trouble;
use crate::clock::instant;
use crate::fetch::{Answer, Client, FetchError};

use clock::Timekeeper;
use silence::Limits;
use trouble::unreadable;

pub use account::Account;
pub use silence::{WEIGHT_LIMIT, WEIGHT_WATCHED};
pub use trouble::remedy;

/// La paire dont le prix est le cours de l'euro.
const EURO: &str = "EURUSDC";

/// USDC pour un euro : au-dehors, ce n'est pas un cours. Il compte les versements pour toujours, une
/// valeur absurde ne se rattraperait pas (l'euro est resté de 0,8 à 1,6 dollar depuis sa création).
const EURO_RANGE: std::ops::RangeInclusive<Decimal> = dec!(0.5)..=dec!(2);

/// Les réponses pour nos six paires font une quinzaine de kilo-octets. Un document JSON hostile prend,
/// une fois lu, cent fois sa taille en mémoire : la marge n'est pas plus large.
const BODY_LIMIT: usize = 64 * 1024;

/// La bourse, à une adresse ; la cloner partage tout.
#[derive(Clone)]
pub struct Exchange {
    base_url: String,
    fetch: Client,
    /// Commun à toutes les adresses de la bourse : elle compte par adresse IP.
    limits: Rc<Limits>,
    /// Commun aussi : ses machines ont la même heure.
    timekeeper: Rc<Timekeeper>,
    watcher: Option<Rc<Watcher>>,
}

impl Exchange {
    /// La bourse à `base_url`, sans le chemin.
    pub fn new(base_url: &str, fetch: Client) -> Exchange {
        Exchange {
            base_url: base_url.trim_end_matches('/').to_owned(),
            fetch,
            limits: Rc::default(),
            timekeeper: Rc::default(),
            watcher: None,
        }
    }

    /// La même, dont `watcher` apprend chaque demande finie, à toutes ses adresses.
    pub fn watched_by(self, watcher: Rc<Watcher>) -> Exchange {
        Exchange { watcher: Some(watcher), ..self }
    }

    /// La même bourse à une autre adresse : un silence demandé par l'une vaut pour l'autre, et l'heure
    /// mesurée à l'une est celle de l'autre.
    pub fn at(&self, base_url: &str) -> Exchange {
        Exchange {
            limits: self.limits.clone(),
            timekeeper: self.timekeeper.clone(),
            watcher: self.watcher.clone(),
            ..Exchange::new(base_url, self.fetch.clone())
        }
    }

    /// Lit `call` (chemin et paramètres déjà encodés) ; une réponse rendue a le statut 200.
    async fn get(&self, call: &str) -> Result<Answer, Trouble> {
        self.get_with(call, &[]).await
    }

    async fn get_with(&self, call: &str, headers: &[(&str, &str)]) -> Result<Answer, Trouble> {
        if let Some(silence) = self.silence() {
            return Err(Trouble::Silence(silence.to_string()));
        }
        let sent = instant();
        let answer = self.fetch.get(&self.url(call), headers, BODY_LIMIT).await;
        let silence = answer.as_ref().ok().and_then(|answer| self.heed(answer));
        if let Some(endpoint) = endpoint::read_by(call) {
            self.tell(endpoint, sent, &answer);
        }
        let answer = answer.map_err(|error| trouble::without_answer(&error))?;
        if let Some(silence) = silence {
            return Err(Trouble::Silence(silence.to_string()));
        }
        if answer.status == 200 {
            return Ok(answer);
        }
        let trouble = trouble::of(&answer);
        if let Trouble::Clock(_) = trouble {
            self.timekeeper.doubt();
        }
        Err(trouble)
    }

    /// Apprend une demande finie à qui les compte.
    fn tell(&self, endpoint: Endpoint, sent: Instant, answer: &Result<Answer, FetchError>) {
        if let Some(watcher) = &self.watcher {
            let code = Code::of(answer.as_ref().ok().map(|answer| answer.status));
            let took = instant().saturating_duration_since(sent);
            watcher(Asked { endpoint, code, took, used_weight: self.used_weight() });
        }
    }

    fn url(&self, call: &str) -> String {
        format!("{}{call}", self.base_url)
    }
}
