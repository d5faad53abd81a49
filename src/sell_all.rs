//! `calvalot sell-all` : tout vendre et s'arrêter, demandé au programme qui tourne sur cette machine.
//!
//! Lui seul tient le grand livre et la clé : sans lui rien ne se vend. Invariant : rien n'est demandé avant que la personne
//! n'ait lu ce que cela fait et ne fait pas, et dit oui.

use std::time::Duration;

use miniserde::{Deserialize, json};

use crate::local;

/// La vente s'écrit, elle ne se fait pas pendant la demande.
const PATIENCE: Duration = Duration::from_secs(40);

/// Ce que la réponse en dit.
#[derive(Deserialize)]
struct Asked {
    selling_all: Option<Selling>,
}

#[derive(Deserialize)]
struct Selling {
    waiting_for: Option<String>,
}

/// Demande au programme sur ce port ; rend ce qui va se passer.
///
/// # Errors
/// La phrase qui dit pourquoi rien n'a été demandé, et quoi faire.
pub fn ask(port: u16) -> Result<String, String> {
    let start = "start calvalot, then ask again; or sell on the exchange's own page";
    local::expect_calvalot(port).map_err(|reason| format!("{reason}: {start}"))?;
    // Une réponse perdue se redemande : ce qui est ouvert ne s'ouvre pas deux fois.
    let lost = |reason| format!("{reason}: ask again, it is done only once");
    let answer =
        local::send(port, "POST", "/api/agent/sell-all", "{\"understood\":true}", PATIENCE).map_err(lost)?;
    match answer.status {
        200 => Ok(told(&answer.body)),
        _ => Err(answer.refusal()),
    }
}

fn told(body: &str) -> String {
    let then = "then stays paused; the page says what is sold, and what is left as dust";
    let asked: Option<Asked> = json::from_str(body).ok();
    match asked.and_then(|asked| asked.selling_all?.waiting_for) {
        None => format!("it sells at its next poll, within two minutes, {then}"),
        Some(reason) => format!("it cannot sell now: {reason}; it sells as soon as it can, {then}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_sold_now_is_not_promised_within_two_minutes() {
        let closed = r#"{"ok":true,"selling_all":{"since":"","done":false,"waiting_for":"key rights: it may not trade","left":[]}}"#;
        let said = told(closed);
        assert!(said.starts_with("it cannot sell now: key rights: it may not trade; "), "{said}");
        assert!(!said.contains("two minutes"), "{said}");
        let open = r#"{"ok":true,"selling_all":{"since":"","done":false,"waiting_for":null,"left":[]}}"#;
        assert!(told(open).contains("within two minutes"));
    }
}
