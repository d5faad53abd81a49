//! Quelles lignes d'une longue liste : les dernières, celles d'avant, celles d'un coin ou d'un signal.

use crate::domain::market::Coin;

/// Au plus `limit` lignes, de la plus récente à la plus ancienne ; ce qui est `None` ne restreint rien.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    pub limit: u32,
    /// Les lignes plus anciennes que celle-ci.
    pub before: Option<i64>,
    pub coin: Option<Coin>,
    /// L'identifiant que le leader a donné au signal.
    pub signal: Option<String>,
}

impl Selection {
    /// Les `limit` dernières lignes.
    pub fn last(limit: u32) -> Selection {
        Selection { limit, ..Selection::default() }
    }
}
