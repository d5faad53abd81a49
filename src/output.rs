//! Ce qui s'écrit pour qui a tapé la commande : la seule place d'où elle part vers la sortie.
//!
//! Invariant : un lecteur qui s'en va (`| head -1`) n'arrête pas ce qui est en train de se faire, et n'en change pas l'issue.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Écrit ce texte et finit la ligne.
pub fn say(text: impl Display) {
    print(format_args!("{text}\n"));
}

/// Écrit ce texte tel quel, sans attendre la fin de la ligne.
pub fn print(text: impl Display) {
    let mut output = io::stdout().lock();
    if let Err(error) = write!(output, "{text}").and_then(|()| output.flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        complain(format_args!("calvalot: this could not be written: {error}"));
    }
}

/// Dit ce qui ne va pas, là où cela se dit ; si personne n'y est, il reste le code de sortie.
pub fn complain(text: impl Display) {
    writeln!(io::stderr(), "{text}").ok();
}
