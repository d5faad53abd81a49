//! La personne à qui le compte appartient, sur la page de la bourse : elle retire, apporte, convertit, échange à la
//! main.
//!
//! Rien ne passe par l'API : ni clé, ni signature, ni le journal des ordres acceptés. Les mêmes soldes, filtres et
//! carnets valent pour elle, et les lectures signées montrent ses ordres comme les autres. Une paire inconnue, un
//! montant nul ou négatif est une faute du test.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rust_decimal::{Decimal, dec};

use super::movement::MovementKind;
use super::order::{Asked, Order, OrderSide};
use super::refusal::Refusal;
use super::state::State;

/// Ce que la bourse retient d'une conversion de miettes.
const CONVERSION_FEE: Decimal = dec!(0.02);

pub struct Person<'a> {
    state: &'a Mutex<State>,
}

impl<'a> Person<'a> {
    pub(super) fn new(state: &'a Mutex<State>) -> Person<'a> {
        Person { state }
    }

    /// Sort ce montant du compte.
    ///
    /// # Errors
    /// Le refus de la bourse, en toutes lettres, quand ce qui est libre n'y suffit pas.
    pub fn withdraw(&self, asset: &str, amount: Decimal) -> Result<(), String> {
        assert!(amount > Decimal::ZERO, "withdraws {amount} {asset}");
        self.lock().move_asset(MovementKind::Withdrawn, asset, -amount).map_err(told)
    }

    /// Apporte ce montant au compte.
    pub fn bring(&self, asset: &str, amount: Decimal) {
        assert!(amount > Decimal::ZERO, "brings {amount} {asset}");
        let brought = self.lock().move_asset(MovementKind::Brought, asset, amount);
        brought.expect("an account takes anything");
    }

    /// Le bouton des petits montants : tout ce qui est libre de cet actif devient du BNB, au milieu des carnets, moins
    /// 2 %. Rend le BNB reçu. La vraie bourse ne l'offre que sous quelques dollars ; celle-ci le permet toujours.
    ///
    /// # Errors
    /// Quand il n'y a rien de libre, ou que cela ne fait pas un satoshi de BNB.
    pub fn convert_to_bnb(&self, asset: &str) -> Result<Decimal, String> {
        assert!(asset != "BNB", "BNB is what it converts to");
        let mut state = self.lock();
        let dust = state.account.balance(asset).free;
        let mid = |pair: &str| state.market.find(pair).expect("a listed pair").mid;
        let price = if asset == "USDC" { Decimal::ONE } else { mid(&format!("{asset}USDC")) };
        let worth = dust * price / mid("BNBUSDC") * (Decimal::ONE - CONVERSION_FEE);
        let received = worth.trunc_with_scale(8);
        if received.is_zero() {
            return Err(format!("there is nothing of {asset} to convert"));
        }
        state.move_asset(MovementKind::Converted, asset, -dust).map_err(told)?;
        state.move_asset(MovementKind::Converted, "BNB", received).map_err(told)?;
        Ok(received)
    }

    /// Pose un ordre à la main, MARKET ou LIMIT, sous un identifiant que la bourse donne. Un LIMIT qui ne trouve
    /// personne reste ouvert et immobilise son dû.
    ///
    /// # Errors
    /// Le refus de la bourse, en toutes lettres.
    pub fn place(&self, pair: &str, side: OrderSide, asked: Asked) -> Result<Order, String> {
        self.lock().place_by_hand(pair, side, asked).map_err(told)
    }

    /// Annule un ordre ouvert, le sien ou celui d'un programme.
    ///
    /// # Errors
    /// Quand aucun ordre ouvert n'a ce numéro.
    pub fn cancel(&self, order_id: i64) -> Result<(), String> {
        self.lock().cancel_by_hand(order_id).map_err(told)
    }

    /// Ses ordres, dans l'ordre, tels qu'ils sont maintenant.
    pub fn orders(&self) -> Vec<Order> {
        self.lock().by_hand.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told(refusal: Refusal) -> String {
    refusal.text
}
