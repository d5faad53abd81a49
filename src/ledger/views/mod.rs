//! Les lectures du grand livre : ce que les écrans, les métriques et le moteur demandent.
//!
//! Aucune n'écrit. Ce qui n'est pas connu est `None`, jamais zéro.

mod account;
mod history;
mod outside;
mod pulse;
mod signals;
mod trades;

pub use account::{Account, Agent, OpenPosition, holdings};
pub use history::{Snapshot, Withdrawal};
pub use outside::Outside;
pub use pulse::{Counts, Pulse};
pub use signals::{Decided, Signal};
pub use trades::Trade;
