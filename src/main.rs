//! Le programme : lire la ligne de commande, exécuter, dire l'erreur, rendre le code de sortie.

use std::process::ExitCode;

use calvalot::{cli, output, undumpable};

fn main() -> ExitCode {
    if let Err(error) = undumpable::forbid() {
        output::complain(format_args!("calvalot: a crash would write secrets to the disk: {error}"));
    }
    match cli::main(lexopt::Parser::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(failure.message());
            ExitCode::from(failure.exit_code())
        }
    }
}
