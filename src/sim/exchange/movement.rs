//! Ce qui entre au compte ou en sort sans ordre : retraits, dépôts, conversions, gestes d'un autre.
//!
//! Avec les exécutions et leurs commissions, ces mouvements font tout ce qu'un solde a changé depuis le départ.

use rust_decimal::Decimal;

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
