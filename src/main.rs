//! Le programme : lire la ligne de commande, exécuter, dire l'erreur, rendre le code de sortie.

use std::process::ExitCode;

use calvalot::{cli, output};

fn main() -> ExitCode {
    match cli::main(lexopt::Parser::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(failure.message());
            ExitCode::from(failure.exit_code())
        }
    }
}
