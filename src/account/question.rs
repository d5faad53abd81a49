//! Ce que la bourse sait d'un de nos ordres, et ce que cela vaut pour son intention. Le même sens partout où on le
//! demande : dans le doute, au balayage, quand une personne le libère.

use crate::clock;
use crate::domain::execution::{self, BnbPrice, Executions, Incomplete, Report};
use crate::domain::moment::Moment;
use crate::exchange::{Account, Sighting, Trouble};
use crate::ledger::Outcome;
use crate::ledger::views::Intent;

/// Ce que la bourse répond d'un ordre.
pub(super) enum Told {
    Unseen,
    Archived,
    Seen(Report, Executions),
}

/// Ce qu'une question a appris.
pub(super) enum Finding {
    /// L'ordre a fini, à cette heure de la bourse ; son numéro, s'il est connu.
    Ended(Option<i64>, Outcome, Moment),
    /// La bourse ne le connaît pas, à cette réponse.
    Absent,
    /// Rien de sûr : son numéro s'il est connu, et pourquoi.
    Open(Option<i64>, String),
    /// Il est là, et ne se compte pas ; sans numéro, c'est l'ordre d'une copie sous le même nom.
    Strange(Option<i64>, String),
}

/// Ce que la bourse dit de l'ordre de cette intention : à son numéro s'il est connu, sinon sous son nom.
pub(super) async fn question(account: &Account, intent: &Intent, name: &str) -> Result<Told, Trouble> {
    let coin = intent.coin;
    let sighting = match intent.order_id {
        Some(number) => account.order_numbered(coin, number).await?,
        None => account.order(coin, name).await?,
    };
    let report = match sighting {
        Sighting::Unseen => return Ok(Told::Unseen),
        Sighting::Archived => return Ok(Told::Archived),
        Sighting::Seen(report) => report,
    };
    let executed = report.ended && !report.executed.is_zero();
    let executions =
        if executed { account.executions(coin, report.order_id).await? } else { Executions::default() };
    Ok(Told::Seen(report, executions))
}

/// Ce que vaut cette réponse pour l'intention. « Fini sans rien échanger » n'a qu'un sens : rien n'a été traité, le signal
/// est planifié à nouveau.
pub(super) fn find(intent: &Intent, answer: Result<Told, Trouble>, bnb: BnbPrice) -> Finding {
    let (report, executions) = match answer {
        Err(trouble) => return Finding::Open(None, trouble.to_string()),
        Ok(Told::Unseen) => return Finding::Absent,
        Ok(Told::Archived) => {
            let reason = "the exchange archived it: it ended and exchanged nothing".to_owned();
            return Finding::Ended(None, Outcome::Unprocessed(reason), clock::now());
        }
        Ok(Told::Seen(report, executions)) => (report, executions),
    };
    let order_id = report.order_id;
    if !intent.may_be(&report) {
        return Finding::Strange(None, format!("order {order_id} bears its name and is another order"));
    }
    match execution::fill(&report, &executions, bnb) {
        Ok(Some(fill)) => Finding::Ended(Some(order_id), Outcome::Filled(fill), report.at),
        Ok(None) => Finding::Ended(Some(order_id), Outcome::nothing_exchanged(&report.status), report.at),
        Err(Incomplete::Strange(reason)) => Finding::Strange(Some(order_id), reason),
        Err(other) => Finding::Open(Some(order_id), other.to_string()),
    }
}
