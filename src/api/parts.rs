//! Les parties de l'écran, et quelles tables du grand livre chacune montre.
//!
//! Le seul endroit qui le sache : une table écrite fait relire ces parties-là. Un essai compare `TABLES` au schéma ;
//! une table que rien ne montre y est aussi, sans partie.

use std::collections::BTreeSet;

use miniserde::Serialize;

/// Une partie, du nom que `docs/api.md` lui donne.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Part {
    /// `/api/agent/status` et `/health`.
    #[serde(rename = "status")]
    Status,
    /// `/api/budget` et `/api/allocation/outlook`.
    #[serde(rename = "budget")]
    Budget,
    #[serde(rename = "exchange")]
    Exchange,
    #[serde(rename = "orders")]
    Orders,
    /// `/api/positions` et `/api/prices`.
    #[serde(rename = "positions")]
    Positions,
    #[serde(rename = "signals")]
    Signals,
    #[serde(rename = "trades")]
    Trades,
    /// Le graphique, et ce qui y est marqué.
    #[serde(rename = "history")]
    History,
    #[serde(rename = "withdrawals")]
    Withdrawals,
}

use Part::{Budget, Exchange, History, Orders, Positions, Signals, Status, Trades, Withdrawals};

/// Chaque table, et les parties où l'on en voit quelque chose : un essai regarde ce que chaque route lit. Sur le
/// graphique sont aussi marqués les dépôts, les signaux, les trades et les retraits.
pub const TABLES: &[(&str, &[Part])] = &[
    ("agent", &[Status, Budget, Exchange, Signals]),
    ("stop_loss", &[Status]),
    ("account", &[Status, Budget, Positions]),
    ("movements", &[Status, Budget, History]),
    ("positions", &[Status, Budget, Positions]),
    ("signals", &[Status, Signals, Orders, History, Withdrawals]),
    ("leader_target", &[Status, Budget, Positions]),
    ("aim", &[Status, Orders]),
    ("decisions", &[Status, Signals]),
    ("waits", &[Status, Signals]),
    ("intents", &[Orders, Exchange]),
    ("trades", &[Trades, Signals, History]),
    ("trade_fees", &[Trades]),
    ("withdrawals", &[Status, Budget, Positions, Withdrawals, History]),
    ("snapshots", &[Status, Budget, History]),
    ("readings", &[Status, Budget, Positions]),
    ("polls", &[]),
    ("pulse", &[Status]),
    ("exchange", &[Status, Exchange, Withdrawals]),
    ("balances", &[Exchange]),
    ("of_others", &[Exchange]),
    ("foreign_orders", &[Exchange]),
    ("order_marks", &[]),
    ("checks", &[Exchange]),
    ("seals", &[]),
    ("requests", &[]),
];

/// Ce que le temps seul change : une lecture vieillit, un tour manque, un silence finit.
pub const AGEING: &[Part] = &[Status, Budget, Exchange, Positions];

/// Les parties à relire quand ces tables ont été écrites, chacune une fois ; vide si aucune ne s'y voit.
pub fn showing<'a>(tables: impl IntoIterator<Item = &'a str>) -> Vec<Part> {
    let shown = |table| TABLES.iter().filter(move |(name, _)| *name == table);
    let parts = tables.into_iter().flat_map(shown).flat_map(|(_, parts)| *parts);
    parts.copied().collect::<BTreeSet<Part>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use http_types::{Method, Request, Response, Url};
    use rust_decimal::dec;

    use super::*;
    use crate::api::guard::Guard;
    use crate::api::{State, app};
    use crate::clock;
    use crate::domain::moment::Moment;
    use crate::domain::money::Eur;
    use crate::domain::policy::Policy;
    use crate::engine::{Engine, Manner, Means};
    use crate::exchange::Exchange as Market;
    use crate::fetch;
    use crate::leader::Leader;
    use crate::ledger::{Ledger, Received, Verdict, in_memory};
    use crate::metrics::{Instruments, Place};
    use crate::paper::PaperAccount;
    use crate::venue::Venue;

    const ROUTES: [(Part, &str); 12] = [
        (Status, "/api/agent/status"),
        (Status, "/health"),
        (Budget, "/api/budget"),
        (Exchange, "/api/exchange"),
        (Orders, "/api/orders"),
        (Positions, "/api/positions"),
        (Positions, "/api/prices"),
        (Signals, "/api/signals"),
        (Trades, "/api/trades"),
        (History, "/api/budget/history?period=1d"),
        (History, "/api/budget/marks?period=1d"),
        (Withdrawals, "/api/budget/withdrawals"),
    ];

    /// Un grand livre qui a reçu un signal : de quoi lire ce qui en a été décidé.
    fn ledger() -> Ledger {
        let now = clock::now();
        let ledger = in_memory("live", Eur::new(dec!(100)), now).expect("a new ledger");
        let signal = Received {
            meaning: None,
            is_outlived: false,
            said_at: None,
            expires_at: None,
            heard_at: Moment(0),
            unheard_since: Moment(0),
            is_old: false,
            signal_id: "one".to_owned(),
            version: Some(2),
            confidence: None,
            reasoning: String::new(),
            actions: "[]".to_owned(),
            portfolio_state: None,
            payload: "{}".to_owned(),
            target: None,
            verdict: Verdict::Accepted,
        };
        smol::block_on(ledger.with(move |db| db.receive(&signal, false, now))).expect("it is received");
        ledger
    }

    fn application(ledger: Ledger) -> tide::Server<State> {
        let fetch = fetch::Client::new(fetch::TIME_LIMIT).expect("a client");
        let leader = Leader::new("http://127.0.0.1:9", "secret", "test", fetch.clone());
        let market = Market::binance("http://127.0.0.1:9", fetch);
        let poll_interval = Duration::from_secs(120);
        let manner = Manner {
            poll_interval,
            market_interval: poll_interval,
            second_reading: poll_interval,
            policy: Policy::default(),
        };
        let instruments = Arc::new(Instruments::new(&[], &[]));
        let venue = Venue::Paper(PaperAccount::new(ledger.clone(), instruments.clone()));
        let means =
            Means { ledger: ledger.clone(), leader, exchange: market, instruments: instruments.clone() };
        let (_, commands) = Engine::new(means, manner, venue);
        let version = "test".to_owned();
        let state = State {
            ledger,
            commands,
            version,
            poll_interval,
            policy: Policy::default(),
            started: clock::instant(),
            instruments,
            place: Place::of(Path::new("nowhere")),
        };
        app(state, Guard::new([""; 0]))
    }

    #[test]
    fn a_part_is_named_when_any_table_that_it_reads_is_written() {
        let ledger = ledger();
        let app = application(ledger.clone());
        let mut forgotten = Vec::new();
        for (part, path) in ROUTES {
            let read = smol::block_on(ledger.with(|db| db.record_reads())).expect("it records");
            let url = Url::parse(&format!("http://localhost{path}")).expect("an address");
            let mut request = Request::new(Method::Get, url);
            request.insert_header("host", "localhost");
            let response: Response = smol::block_on(app.respond(request)).expect("an answer");
            assert_eq!(u16::from(response.status()), 200, "{path}");
            let read = read.lock().expect("nobody panicked").clone();
            assert!(!read.is_empty(), "{path} read nothing");
            let silent = read.into_iter().filter(|table| !showing([table.as_str()]).contains(&part));
            forgotten
                .extend(silent.map(|table| format!("{path} reads {table}, which does not name {part:?}")));
        }
        assert!(forgotten.is_empty(), "{}", forgotten.join("\n"));
    }
}
