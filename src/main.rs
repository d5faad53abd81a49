//! Le programme : lire la ligne de commande, exécuter, dire l'erreur, rendre le code de sortie.

use std::process::ExitCode;

fn main() -> ExitCode {
    match calvalot::cli::main(lexopt::Parser::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.message());
            ExitCode::from(failure.exit_code())
        }
    }
}
