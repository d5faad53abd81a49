//! L'état de la bourse : marché, compte, ordres, limites, heure.
//!
//! Il ne répond à rien et ne décide rien : `calls` dit qui répond, et chaque réponse est dans son fichier.

use std::collections::BTreeMap;

use ed25519_compact::PublicKey;
use rust_decimal::Decimal;

use super::account::{Account, Balances};
use super::clock::Clock;
use super::limits::Limits;
use super::misquote::Misquotes;
use super::movement::{Movement, MovementKind};
use super::order::Order;
use super::refusal::Refusal;
use super::visibility::{Stamp, Visibility};
use crate::sim::market::Market;
use crate::sim::script::{Pace, Script};

/// Ce qu'une recherche par `origClientOrderId` rend quand plusieurs ordres le portent (fiche 13.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameId {
    Latest,
    Earliest,
}

pub(super) struct State {
    pub(super) pace: Pace,
    pub(super) api_key: String,
    pub(super) api_secret: String,
    /// Si elle est là, la clé est Ed25519 et le secret ne sert plus.
    pub(super) public_key: Option<PublicKey>,
    pub(super) clock: Clock,
    pub(super) market: Market,
    pub(super) limits: Limits,
    pub(super) account: Account,
    pub(super) opening_balances: Vec<(String, Decimal)>,
    /// Soldes après chaque changement : ce que lit une vue en retard.
    pub(super) past_balances: Vec<(Stamp, Balances)>,
    pub(super) orders: Vec<Order>,
    pub(super) journal: Vec<Order>,
    /// Les ordres de la personne, qui ne sont pas au journal.
    pub(super) by_hand: Vec<Order>,
    pub(super) movements: Vec<Movement>,
    pub(super) misquotes: Misquotes,
    /// Un ordre fini sans exécution est archivé aussitôt, et non après 90 jours.
    pub(super) archives_at_once: bool,
    pub(super) next_order_id: i64,
    pub(super) next_trade_id: i64,
    pub(super) dice: fastrand::Rng,
    pub(super) visibility: Visibility,
    pub(super) same_id: SameId,
    pub(super) calls: BTreeMap<String, u64>,
}

impl State {
    /// Ajoute ce montant, peut-être négatif, à ce qui est libre d'un actif ; tout ou rien.
    pub(super) fn move_asset(
        &mut self,
        kind: MovementKind,
        asset: &str,
        amount: Decimal,
    ) -> Result<(), Refusal> {
        self.account.require(asset, -amount)?;
        self.account.set_free(asset, self.account.balance(asset).free + amount);
        let at_ms = self.clock.now_ms();
        self.movements.push(Movement { kind, asset: asset.to_owned(), amount, at_ms });
        self.remember_balances();
        Ok(())
    }

    pub(super) fn new(script: &Script) -> State {
        let mut state = State {
            pace: script.pace,
            api_key: script.api_key.clone(),
            api_secret: script.api_secret.clone(),
            public_key: None,
            clock: Clock::new(script.hour.clone()),
            market: Market::new(script.seed),
            limits: Limits::new(),
            account: Account::new(&script.balances),
            opening_balances: script.balances.clone(),
            past_balances: Vec::new(),
            orders: Vec::new(),
            journal: Vec::new(),
            by_hand: Vec::new(),
            movements: Vec::new(),
            misquotes: Misquotes::default(),
            archives_at_once: false,
            next_order_id: 100_001,
            next_trade_id: 20_001,
            dice: fastrand::Rng::with_seed(script.seed ^ 0x0072_6465_7273),
            visibility: Visibility::new(),
            same_id: SameId::Latest,
            calls: BTreeMap::new(),
        };
        state.remember_balances();
        state
    }

    /// Garde les soldes d'après ce changement pour les lectures en retard ; les plus vieux s'en vont.
    pub(super) fn remember_balances(&mut self) {
        let stamp = self.visibility.stamp(self.clock.now_ms());
        if self.past_balances.len() == 1_024 {
            self.past_balances.remove(0);
        }
        self.past_balances.push((stamp, self.account.balances.clone()));
    }
}
