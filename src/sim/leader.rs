//! Le leader simulé : vérifie le HMAC, sert le dernier signal, change d'avis selon son script.
//!
//! Refuse (403) une signature fausse ou absente et une heure écartée de plus de 300 s. Son compteur n'avance
//! qu'aux demandes acceptées : la suite des signaux ne dépend que de la graine et de leur nombre. Dès qu'un test
//! impose un signal, le script se tait.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::counterpart::Counterpart;
use super::hour::Hour;
use super::json::{Json, object};
use super::mind::{Mind, Opinion};
use super::reply::Reply;
use super::request::Request;
use super::script::{Pace, Script};
use super::signature::hmac_hex;

const PATH: &str = "/api/signal/latest";
const TOLERANCE_SECONDS: i64 = 300;

pub struct Leader {
    secret: String,
    signal_every: u64,
    state: Mutex<State>,
}

struct State {
    hour: Hour,
    /// `None` quand un test tient la plume, ou sous [`Pace::Frozen`].
    mind: Option<Mind>,
    signal: Option<String>,
    signals: u64,
    polls: u64,
    refused: u64,
    requests: u64,
    version_header: Option<String>,
}

impl Leader {
    pub(super) fn new(script: &Script) -> Leader {
        let mut mind = Mind::new(script.seed);
        let opening = mind.first();
        let mut state = State {
            hour: script.hour.clone(),
            mind: (script.pace == Pace::Stepped).then_some(mind),
            signal: None,
            signals: 0,
            polls: 0,
            refused: 0,
            requests: 0,
            version_header: None,
        };
        state.publish_opinion(&opening);
        Leader {
            secret: script.secret.clone(),
            signal_every: u64::from(script.signal_every.max(1)),
            state: Mutex::new(state),
        }
    }

    /// Publie un signal de version 2 ; rend son identifiant.
    pub fn set_target(&self, targets: &[(&str, Decimal)]) -> String {
        let targets: Vec<(String, Decimal)> =
            targets.iter().map(|(pair, weight)| (pair.to_string(), *weight)).collect();
        let opinion = Opinion {
            moves: targets.iter().map(|(pair, weight)| (pair.clone(), "BUY", *weight)).collect(),
            targets,
            confidence: Decimal::new(72, 2),
            reasoning: "Target set by hand.".to_owned(),
        };
        let mut state = self.lock();
        state.mind = None;
        state.publish_opinion(&opinion)
    }

    /// Publie un signal de version 1 ; rend son identifiant. Une action est (`coin`, `BUY|SELL|HOLD`, part).
    pub fn set_actions(
        &self,
        actions: &[(&str, &str, Decimal)],
        portfolio: Option<&[(&str, Decimal)]>,
    ) -> String {
        let mut state = self.lock();
        state.mind = None;
        let actions = actions.iter().map(|(coin, action, share)| action_json(coin, action, *share)).collect();
        let portfolio = portfolio
            .map(|positions| positions_json(positions.iter().map(|(coin, weight)| (*coin, *weight))));
        let reasoning = "Actions set by hand.";
        state.publish(1, Decimal::new(72, 2), reasoning, actions, portfolio)
    }

    /// Sert ce texte tel quel, fût-ce du JSON faux.
    pub fn set_raw(&self, text: impl Into<String>) {
        let mut state = self.lock();
        state.mind = None;
        state.signal = Some(text.into());
    }

    /// Répond désormais 204.
    pub fn no_signal(&self) {
        let mut state = self.lock();
        state.mind = None;
        state.signal = None;
    }

    /// Le texte JSON du dernier signal.
    pub fn signal(&self) -> Option<String> {
        self.lock().signal.clone()
    }

    /// Demandes acceptées.
    pub fn polls(&self) -> u64 {
        self.lock().polls
    }

    /// Demandes refusées pour leur signature ou leur heure.
    pub fn refused(&self) -> u64 {
        self.lock().refused
    }

    /// Requêtes arrivées, pannes comprises.
    pub fn requests(&self) -> u64 {
        self.lock().requests
    }

    /// Le `X-Follower-Version` de la dernière demande acceptée.
    pub fn last_version_header(&self) -> Option<String> {
        self.lock().version_header.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admits(&self, request: &Request, now_seconds: i64) -> bool {
        let Some(timestamp) = request.header("X-Signal-Timestamp") else {
            return false;
        };
        let Ok(seconds) = timestamp.parse::<i64>() else {
            return false;
        };
        let signature = request.header("X-Signal-Signature").unwrap_or_default();
        seconds.abs_diff(now_seconds) <= TOLERANCE_SECONDS.unsigned_abs()
            && hmac_hex(&self.secret, timestamp.as_bytes()) == signature
    }
}

impl Counterpart for Leader {
    fn arrived(&self, _path: &str) {
        self.lock().requests += 1;
    }

    fn answer(&self, request: &Request) -> Reply {
        if request.path != PATH {
            return error(404, "not found");
        }
        if request.method != "GET" {
            return error(405, "method not allowed");
        }
        let mut state = self.lock();
        if !self.admits(request, state.hour.now_micros().div_euclid(1_000_000)) {
            state.refused += 1;
            return error(403, "invalid signature or timestamp");
        }
        let due = state.polls > 0 && state.polls.is_multiple_of(self.signal_every);
        if let Some(opinion) = state.mind.as_mut().filter(|_| due).map(Mind::change) {
            state.publish_opinion(&opinion);
        }
        state.polls += 1;
        state.version_header = request.header("X-Follower-Version").map(str::to_owned);
        match &state.signal {
            Some(signal) => Reply::json(200, signal.clone()),
            None => Reply::empty(204),
        }
    }
}

impl State {
    fn publish_opinion(&mut self, opinion: &Opinion) -> String {
        let actions =
            opinion.moves.iter().map(|(coin, action, share)| action_json(coin, action, *share)).collect();
        let positions = positions_json(opinion.targets.iter().map(|(coin, weight)| (coin.as_str(), *weight)));
        self.publish(2, opinion.confidence, &opinion.reasoning, actions, Some(positions))
    }

    fn publish(
        &mut self,
        version: i64,
        confidence: Decimal,
        reasoning: &str,
        actions: Vec<Json>,
        portfolio: Option<Json>,
    ) -> String {
        self.signals += 1;
        let id = format!("sig-{:04}", self.signals);
        let now = Timestamp::from_microsecond(self.hour.now_micros()).unwrap_or_default();
        let mut signal = object! {
            "version": version,
            "signal_id": id.as_str(),
            "timestamp": format!("{now:.0}"),
            "confidence": Json::Number(confidence),
            "reasoning": reasoning,
            "actions": actions,
        };
        if let Some(portfolio) = portfolio {
            signal.push("portfolio_state", portfolio);
        }
        self.signal = Some(signal.to_string());
        id
    }
}

fn action_json(coin: &str, action: &str, share: Decimal) -> Json {
    object! { "coin": coin, "action": action, "pct_of_capital": Json::Number(share) }
}

fn positions_json<'a>(positions: impl Iterator<Item = (&'a str, Decimal)>) -> Json {
    let list =
        positions.map(|(coin, weight)| object! { "coin": coin, "pct_of_portfolio": Json::Number(weight) });
    object! { "positions": list.collect::<Vec<Json>>() }
}

fn error(status: u16, what: &str) -> Reply {
    Reply::json(status, object! { "error": what }.to_string())
}
