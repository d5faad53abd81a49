//! L'heure que le monde simulé croit : celle de la machine, ou celle qu'un test fait avancer.
//!
//! Rien d'autre dans `sim` ne lit une horloge. En microsecondes depuis 1970.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

#[derive(Clone, Debug, Default)]
pub enum Hour {
    #[default]
    Machine,
    /// Avance quand le test l'écrit, et reste immobile sinon.
    Set(Arc<AtomicI64>),
}

impl Hour {
    pub(super) fn now_micros(&self) -> i64 {
        match self {
            Hour::Machine => {
                let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                i64::try_from(since_epoch.unwrap_or_default().as_micros()).unwrap_or(i64::MAX)
            }
            Hour::Set(micros) => micros.load(Ordering::SeqCst),
        }
    }
}
