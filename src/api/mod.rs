//! La surface HTTP : le front à nous, le routage de tide, les gardes, les erreurs, la page.
//!
//! L'ordre est celui d'une requête : `front` la lit sur la socket et borne tout ce qu'elle coûte, `errors` donne aux
//! refus leur forme, `guard` écarte ce qui ne vient pas d'ici et sait qui demande (`caller`), `writes` borne ce qui s'écrit,
//! puis une route répond. Une route lit le grand livre ou
//! envoie une commande au moteur ; elle ne sait rien d'autre. `docs/api.md` dit chaque champ.

pub mod body;
mod caller;
pub mod errors;
pub mod front;
pub mod guard;
pub mod json;
mod lists;
pub mod page;
pub mod parameters;
pub mod routes;

mod agent;
mod allocation;
mod budget;
mod copies;
mod differences;
mod events;
mod exchange;
mod health;
mod idempotency;
mod marks;
mod orders;
pub mod parts;
mod positions;
mod recourse;
mod scrape;
mod sell_all;
mod signals;
mod stop_loss;
mod target;
mod trades;
mod waiting_orders;
mod way_out;
mod ways;
mod withdrawals;
mod writes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::engine::Commands;
use crate::ledger::{Ledger, LedgerError};
use crate::metrics::{Instruments, Place};
use errors::ApiError;
use events::Events;
use guard::Guard;
use routes::Routes;

/// Ce que les routes ont sous la main.
#[derive(Clone)]
pub struct State {
    pub ledger: Ledger,
    pub commands: Commands,
    pub version: String,
    pub poll_interval: Duration,
    pub policy: Policy,
    /// À l'horloge monotone : l'autre peut être fausse au démarrage, et juste ensuite.
    pub started: Instant,
    pub instruments: Arc<Instruments>,
    pub place: Place,
}

type Request = tide::Request<State>;

/// Toutes les routes.
pub fn app(state: State, guard: Guard) -> tide::Server<State> {
    let routes = Routes::new(state)
        .get_by_any_name("/health", health::health)
        .get("/metrics", scrape::metrics)
        .get("/api/allocation/outlook", allocation::outlook)
        .get("/api/budget", budget::budget)
        .list("/api/budget/history", budget::history)
        .list("/api/budget/marks", marks::marks)
        .list("/api/budget/withdrawals", withdrawals::withdrawals)
        .post("/api/budget/withdrawals", withdrawals::withdraw)
        .post("/api/budget/withdrawals/:id/cancel", withdrawals::cancel)
        .post("/api/budget/withdrawals/:id/taken", withdrawals::taken)
        .post("/api/budget/deposit", budget::deposit)
        .put("/api/budget/deposit", budget::correct_deposits)
        .get("/api/positions", positions::positions)
        .get("/api/prices", positions::prices)
        .list("/api/trades", trades::trades)
        .list("/api/orders", orders::orders)
        .post("/api/orders/:id/release", recourse::release)
        .post("/api/orders/:id/book", recourse::book)
        .post("/api/orders/:id/settle", recourse::settle)
        .get("/api/exchange", exchange::exchange)
        .post("/api/exchange/adopt", copies::adopt)
        .post("/api/exchange/disown", copies::disown)
        .post("/api/exchange/machine", copies::machine)
        .post("/api/exchange/differences/:asset/write-off", differences::write_off)
        .post("/api/exchange/differences/:asset/count", differences::count)
        .post("/api/exchange/takeover", differences::take_over)
        .list("/api/signals", signals::signals)
        .get("/api/agent/status", agent::status)
        .post_even_bare("/api/agent/toggle", agent::toggle)
        .post("/api/agent/sell-all", sell_all::sell_all)
        .post("/api/agent/old-target", target::settle)
        .put("/api/agent/stop-loss", stop_loss::set)
        .get("/api/ways", ways::ways)
        .get("/api/events", Events::default());
    page::add_to(routes).guarded(guard)
}

impl From<LedgerError> for ApiError {
    fn from(error: LedgerError) -> Self {
        log::error!("read_failed reason={error}");
        error.remediable().map_or_else(ApiError::internal, ApiError::unavailable)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown(reason) => ApiError::unavailable(reason),
            Refusal::Conflict(reason) => ApiError::conflict(reason),
            Refusal::Busy(reason) => ApiError::busy(reason, 10),
            Refusal::Failed(reason) => {
                log::error!("command_failed reason={reason}");
                ApiError::internal()
            }
        }
    }
}
