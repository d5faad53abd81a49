//! Ce qu'une personne décide d'un grand livre qui n'est pas seul sur son compte : `POST /api/exchange/adopt`, `disown`,
//! `machine`.

use http_types::StatusCode;
use miniserde::{Deserialize, Serialize};

use super::Request;
use super::body::json_body;
use super::errors::ApiError;
use super::json::json;
use crate::domain::lost_past::Brought;
use crate::ledger::{Bears, CROWDED, ForeignOrder};

/// Ce qu'une personne peut en faire, et ce qui s'ensuivra.
#[derive(Serialize)]
pub(super) struct Way {
    pub way: &'static str,
    pub consequence: &'static str,
}

const ADOPT: Way = Way {
    way: "adopt",
    consequence: "each of these orders is put into the books as the exchange tells it, with its trades and fees; \
                  what they spent beyond the cash of the books is counted as deposited; it is then paused until you resume \
                  it; what you had decided since is not known here, and a withdrawal or a sale of everything that still \
                  sells is called off, and so is a withdrawal whose money these orders spent; stop any other copy of this ledger first, or it goes on \
                  trading with the same money",
};

const DISOWN: Way = Way {
    way: "disown",
    consequence: "these orders stay outside the books, what they bought or sold too, and this ledger goes on under a new name; \
                  a withdrawal that is open is called off; if they were its own, it is paused until you resume it, and a sale of \
                  everything that still sells is called off; stop whatever sent them first, or both trade with the same money",
};

const MOVE_HERE: Way = Way {
    way: "move_here",
    consequence: "this ledger trades from this machine from now on; if the first one still runs, both trade with the same money",
};

/// Les issues, d'après ce qui le dit : des ordres à nous, ceux d'un autre grand livre, ou une autre machine. Une copie qui
/// tourne ici s'arrête ailleurs que sur un écran.
pub(super) fn ways(reason: &str, evidence: &[ForeignOrder]) -> Vec<Way> {
    match evidence.first() {
        _ if reason == CROWDED => Vec::new(),
        None => vec![MOVE_HERE],
        Some(_) if evidence.iter().any(|order| order.bears == Bears::OurTag) => vec![ADOPT, DISOWN],
        Some(_) => vec![DISOWN],
    }
}

#[derive(Deserialize)]
struct Alone {
    other_is_off: bool,
}

#[derive(Deserialize)]
struct Move {
    first_is_off: bool,
}

#[derive(Serialize)]
struct Decided {
    ok: bool,
    outcome: String,
}

fn decided(outcome: String) -> tide::Result {
    Ok(json(StatusCode::Ok, &Decided { ok: true, outcome }))
}

fn orders(count: usize) -> String {
    format!("{count} order{}", if count == 1 { "" } else { "s" })
}

/// La personne dit que rien d'autre n'échange sur ce compte.
async fn alone(request: &mut Request) -> Result<(), tide::Error> {
    let example = "{\"other_is_off\": true}";
    let Alone { other_is_off } = json_body(request, &["other_is_off"], example).await?;
    if other_is_off {
        return Ok(());
    }
    let first =
        "stop any other copy of this ledger, and any other ledger, first, then say other_is_off: true";
    Err(ApiError::bad_request(first).into())
}

/// Les ordres que seul le compte connaissait sont mis aux livres.
pub async fn adopt(mut request: Request) -> tide::Result {
    alone(&mut request).await?;
    let brought: Brought = request.state().commands.adopt().await.map_err(ApiError::from)?;
    let Brought { orders: count, deposited, .. } = brought;
    let more = [brought.unpaid(), brought.unread()].into_iter().flatten();
    let more: String = more.map(|told| format!("; {told}")).collect();
    let spent = match deposited.is_zero() {
        true => String::new(),
        false => format!("; {deposited} EUR were counted as deposited: these orders spent them"),
    };
    decided(format!(
        "{} adopted{spent}{more}; it is paused: look at the cash and the positions, then resume",
        orders(count)
    ))
}

/// Ces ordres restent dehors.
pub async fn disown(mut request: Request) -> tide::Result {
    alone(&mut request).await?;
    let count = request.state().commands.disown().await.map_err(ApiError::from)?;
    decided(format!("{} left outside the books", orders(count)))
}

/// La machine d'avant est éteinte.
pub async fn machine(mut request: Request) -> tide::Result {
    let example = "{\"first_is_off\": true}";
    let Move { first_is_off } = json_body(&mut request, &["first_is_off"], example).await?;
    if !first_is_off {
        return Err(ApiError::bad_request("switch the first machine off, then say first_is_off: true").into());
    }
    request.state().commands.move_here().await.map_err(ApiError::from)?;
    decided("this ledger trades from this machine now".to_owned())
}
