//! Ce qui entre au compte ou en sort sans ordre : retraits, dépôts, conversions, gestes d'un autre.
//!
//! Avec les exécutions et leurs commissions, ces mouvements font tout ce qu'un solde a changé depuis le départ.

use rust_decimal::Decimal;

use super::refusal::Refusal;
use super::state::State;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovementKind {
    Withdrawn,
    Brought,
    /// Des miettes d'un actif devenues du BNB : un mouvement de chaque.
    Converted,
    /// Un test a écrit le solde.
    Written,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    pub kind: MovementKind,
    pub asset: String,
    /// Négatif s'il sort du compte.
    pub amount: Decimal,
    pub at_ms: i64,
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
}
