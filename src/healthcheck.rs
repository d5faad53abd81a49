//! `calvalot healthcheck` : ce que Docker demande au programme, sans shell ni curl dans l'image.
//!
//! Demande `/health` au programme qui tourne sur cette machine. Invariant : ce qui en est dit tient en une ligne.

use crate::local;

/// La santé que dit le programme sur ce port ; l'erreur dit pourquoi elle n'est pas bonne ou pas connue.
pub fn ask(port: u16) -> Result<String, String> {
    let local::Answer { status, body } = local::get(port, "/health")?;
    // Un autre programme sur ce port peut dire 200 à tout.
    match status {
        200 if body.contains("\"service\":\"calvalot\"") => Ok(body),
        _ => Err(format!("status {status} {body}")),
    }
}
