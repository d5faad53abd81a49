//! Le monde simulé tout seul, dans son propre processus : `benches/footprint` mesure ainsi le démon, et lui seul.
//!
//! Écrit trois lignes, que l'on peut donner telles quelles à `calvalot run` comme environnement, puis tourne
//! jusqu'à ce que son entrée standard se ferme.

use std::io::{self, Read};

use calvalot::sim::{Script, World};

fn main() -> io::Result<()> {
    let script = Script::default();
    let secret = script.secret.clone();
    let world = World::start(script)?;
    println!("LEADER_URL={}", world.leader_url());
    println!("BINANCE_URL={}", world.exchange_url());
    println!("SIGNAL_SECRET={secret}");
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
