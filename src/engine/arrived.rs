//! Ce qui est déjà en place d'une allocation que l'on vise encore : une paire arrêtée, ou un carnet trop mince, n'est pas une raison
//! d'échanger les autres coins à chaque tour.
//!
//! En mémoire seulement : un redémarrage regarde tout une fois de plus. Invariant : un coin qui s'est écarté de sa cible au-delà de
//! ce qu'on laisse faire n'est plus en place, et rien ne l'est plus de ce qui l'était avant que de l'argent ne vienne ou ne parte.

use crate::domain::aim::Aim;
use crate::domain::market::{Coin, PerCoin};
use crate::domain::moment::Moment;
use crate::domain::order::Left;
use crate::domain::plan::Plan;

/// Ce qui est visé, depuis quand, et le dernier mouvement d'argent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pursued {
    signal: i64,
    since: Moment,
    flow: i64,
}

impl Pursued {
    pub fn of(aim: &Aim, flow: i64) -> Pursued {
        Pursued { signal: aim.signal, since: aim.since, flow }
    }
}

/// Les coins en place de ce qui est visé.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    of: Option<Pursued>,
    coins: PerCoin<bool>,
    /// Vrai si le dernier envoi n'a pas pris tout ce qui était voulu : le plan, lui, n'en sait rien.
    cut_short: bool,
}

impl Arrived {
    /// Ceux qui le sont encore.
    pub fn of(&self, pursued: Pursued, is_near: impl Fn(Coin) -> bool) -> PerCoin<bool> {
        let same = self.of == Some(pursued);
        PerCoin::from_fn(|coin| same && self.coins[coin] && is_near(coin))
    }

    /// Vrai si quelque chose qui passe empêche ce plan, ou empêchait le dernier.
    pub fn is_hindered(&self, plan: &Plan) -> bool {
        self.cut_short || plan.is_hindered()
    }

    /// Retient si ce qui devait s'échanger l'a été en entier.
    pub fn heed_sent(&mut self, sent: &[Coin], left: &[(Coin, Left)]) {
        self.cut_short = left.iter().any(|(coin, reason)| sent.contains(coin) && reason.passes());
    }

    /// Retient ceux que ce plan ne touche pas, et que rien n'empêche d'être où ils vont.
    pub fn heed(&mut self, pursued: Pursued, plan: &Plan) {
        self.of = Some(pursued);
        self.coins = PerCoin::from_fn(|coin| {
            let hindered = plan.left.iter().any(|(left, reason)| *left == coin && reason.passes());
            !plan.coins().contains(&coin) && !hindered
        });
    }
}
