//! Le monde simulé tout seul, dans son propre processus, pour qui n'est pas en Rust : `benches/footprint` mesure
//! ainsi le démon, et lui seul ; `tests/clients` y mène des clients que personne ici n'a écrits ; `tests/browser` y
//! met la page dans chacun de ses états.
//!
//! Écrit d'abord son environnement : trois lignes que l'on peut donner telles quelles à `calvalot run`, puis la clé
//! de la bourse et son secret. Ensuite, chaque ligne de l'entrée standard est un ordre (`command.rs`), auquel répond
//! une ligne de JSON, ou `error: ` et la raison. Tourne jusqu'à ce que l'entrée standard se ferme.

mod command;

use std::io;

use calvalot::sim::{Script, World};

fn main() -> io::Result<()> {
    let script = Script::default();
    let world = World::start(script.clone())?;
    println!("LEADER_URL={}", world.leader_url());
    println!("BINANCE_URL={}", world.exchange_url());
    println!("SIGNAL_SECRET={}", script.secret);
    println!("BINANCE_API_KEY={}", script.api_key);
    println!("BINANCE_API_SECRET={}", script.api_secret);
    for line in io::stdin().lines() {
        match command::obey(&world, &line?) {
            Ok(answer) => println!("{answer}"),
            Err(reason) => println!("error: {reason}"),
        }
    }
    Ok(())
}
