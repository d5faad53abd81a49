//! `GET /api/budget/marks` : ce que le graphique de la valeur marque.

use http_types::StatusCode;
use miniserde::Serialize;

use super::Request;
use super::budget::period;
use super::errors::ApiError;
use super::json::json;
use crate::clock;
use crate::domain::money::Eur;
use crate::ledger::views::Mark;

#[derive(Serialize)]
struct Marks {
    marks: Vec<MarkView>,
}

#[derive(Serialize)]
struct MarkView {
    kind: String,
    at: String,
    amount_eur: Option<f64>,
    buys: u32,
    sells: u32,
    signal: Option<i64>,
}

impl From<Mark> for MarkView {
    fn from(mark: Mark) -> Self {
        let Mark { kind, at, amount, buys, sells, signal } = mark;
        MarkView { kind, at: clock::utc(at), amount_eur: amount.map(Eur::to_f64), buys, sells, signal }
    }
}

/// Les dépôts, corrections et retraits un par un, les trades par groupes.
pub async fn marks(request: Request) -> tide::Result {
    let period = period(&request)?;
    let now = clock::now();
    let marks = request.state().ledger.with(move |db| db.marks(period, now)).await.map_err(ApiError::from)?;
    Ok(json(StatusCode::Ok, &Marks { marks: marks.into_iter().map(MarkView::from).collect() }))
}
