//! Ce qu'une personne décide d'un grand livre qui n'est pas seul sur son compte : `POST /api/exchange/adopt`, `disown`,
//! `machine`.

use http_types::StatusCode;
use miniserde::{Deserialize, Serialize};

use super::Request;
use super::body::json_body;
use super::errors::ApiError;
use super::json::json;

#[derive(Deserialize)]
struct Adopt {
    other_is_off: bool,
}

#[derive(Deserialize)]
struct Disown {
    looked: bool,
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

/// Les ordres que seul le compte connaissait sont mis aux livres.
pub async fn adopt(mut request: Request) -> tide::Result {
    let example = "{\"other_is_off\": true}";
    let Adopt { other_is_off } = json_body(&mut request, &["other_is_off"], example).await?;
    if !other_is_off {
        return Err(ApiError::bad_request(
            "stop any other copy of this ledger first, then say other_is_off: true",
        )
        .into());
    }
    let count = request.state().commands.adopt().await.map_err(ApiError::from)?;
    decided(format!("{} adopted: the books have what the account had", orders(count)))
}

/// Ces ordres restent dehors.
pub async fn disown(mut request: Request) -> tide::Result {
    let Disown { looked } = json_body(&mut request, &["looked"], "{\"looked\": true}").await?;
    if !looked {
        return Err(
            ApiError::bad_request("look at these orders on Binance first, then say looked: true").into()
        );
    }
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
