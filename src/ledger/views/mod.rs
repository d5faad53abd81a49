//! Les lectures du grand livre : ce que les écrans, les métriques et le moteur demandent.
//!
//! Aucune n'écrit. Ce qui n'est pas connu est `None`, jamais zéro.

mod account;
mod aim;
mod cash;
mod drawdown;
mod height;
mod history;
mod marks;
mod orders;
mod outlook;
mod outside;
mod performance;
mod prepared;
mod pulse;
mod selection;
mod signals;
mod tally;
mod trades;
mod turnover;
mod wishes;
mod withdrawals;

pub use account::{Account, Agent, OpenPosition, holdings};
pub use aim::OldTarget;
pub(super) use cash::{cash, reserved};
pub(in crate::ledger) use drawdown::{Followed, level};
pub(in crate::ledger) use height::Height;
pub use history::Snapshot;
pub use marks::Mark;
pub use orders::{Intent, Sent};
pub use outlook::{Balance, Checked};
pub(super) use outlook::{doubted, is_doubted};
pub use outside::Outside;
pub(super) use outside::fresh_prices;
pub(in crate::ledger) use prepared::{KEPT, Prepared};
pub use pulse::{Counts, Pulse};
pub use selection::Selection;
pub use signals::Signal;
pub(in crate::ledger) use signals::leader_target;
pub(super) use tally::Tally;
pub use trades::Trade;
pub use turnover::Traded;
pub(in crate::ledger) use turnover::Turnover;
pub use wishes::{LeftOver, SellingAll};
pub use withdrawals::Withdrawal;
pub(super) use withdrawals::aside;
pub(in crate::ledger) use withdrawals::sold;
