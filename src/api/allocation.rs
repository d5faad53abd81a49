//! `GET /api/allocation/outlook` : ce que le capital permet de suivre du leader, et celui qu'il y faudrait.

use http_types::StatusCode;
use miniserde::Serialize;
use rust_decimal::Decimal;

use super::Request;
use super::errors::ApiError;
use super::json::json;
use crate::domain::money::{Eur, Weight};
use crate::domain::reach::{NEARLY_ALL, Reach};
use crate::domain::refusal::Refusal;

#[derive(Serialize)]
struct Outlook {
    capital_eur: Option<f64>,
    followed_pct: Option<f64>,
    nearly_all_pct: f64,
    nearly_all_eur: Option<f64>,
    reason: Option<String>,
}

impl Outlook {
    fn of(Reach { capital, followed, enough }: Reach) -> Outlook {
        let beyond = "no capital is enough: what is missing is below the rebalance threshold".to_owned();
        Outlook {
            capital_eur: Some(capital.to_f64()),
            followed_pct: Some(percent(followed)),
            nearly_all_pct: percent(NEARLY_ALL),
            nearly_all_eur: enough.map(Eur::to_f64),
            reason: enough.is_none().then_some(beyond),
        }
    }

    fn unknown(reason: String) -> Outlook {
        Outlook {
            capital_eur: None,
            followed_pct: None,
            nearly_all_pct: percent(NEARLY_ALL),
            nearly_all_eur: None,
            reason: Some(reason),
        }
    }
}

/// Ce que le capital permet ; ce qui n'est pas connu est `null`, avec sa raison.
pub async fn outlook(request: Request) -> tide::Result {
    let state = request.state();
    let outlook = match state.commands.reach(state.policy.threshold).await {
        Ok(reach) => Outlook::of(reach),
        Err(Refusal::Unknown(reason)) => Outlook::unknown(reason),
        Err(refusal) => return Err(ApiError::from(refusal).into()),
    };
    Ok(json(StatusCode::Ok, &outlook))
}

/// Vers le bas : 98,999 n'est pas 99.
fn percent(weight: Weight) -> f64 {
    weight.times(Decimal::ONE_HUNDRED).floor(2).to_f64()
}
