//! `calvalot sell-all` : tout vendre et s'arrêter, demandé au programme qui tourne sur cette machine.
//!
//! Lui seul tient le grand livre et la clé : sans lui rien ne se vend. Invariant : rien n'est demandé avant que la personne
//! n'ait lu ce que cela fait et ne fait pas, et dit oui.

use std::time::Duration;

use crate::local;

/// La vente s'écrit, elle ne se fait pas pendant la demande.
const PATIENCE: Duration = Duration::from_secs(40);

/// Demande au programme sur ce port ; rend ce qui va se passer.
///
/// # Errors
/// La phrase qui dit pourquoi rien n'a été demandé, et quoi faire.
pub fn ask(port: u16) -> Result<String, String> {
    let start = "start calvalot, then ask again; or sell on the exchange's own page";
    local::expect_calvalot(port).map_err(|reason| format!("{reason}: {start}"))?;
    // Une réponse perdue se redemande : ce qui est ouvert ne s'ouvre pas deux fois.
    let lost = |reason| format!("{reason}: ask again, it is done only once");
    let answer = local::post(port, "/api/agent/sell-all", "{\"understood\":true}", PATIENCE).map_err(lost)?;
    match answer.status {
        200 => Ok("it sells at its next poll, within two minutes, then stays paused; the page says what is sold, and what is \
                   left as dust"
            .to_owned()),
        status => Err(format!("status {status} {}", answer.body)),
    }
}
