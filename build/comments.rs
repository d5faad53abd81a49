//! Un quart de la page est fait de commentaires et de types, écrits pour qui la change : ils ne voyagent pas.
//!
//! Tombent les lignes qu'un commentaire tient tout entières, et le retrait des autres. Les lignes restent là, vides : leurs
//! numéros dans le navigateur sont ceux des sources. Rien n'est compris du langage, donc ce qui pourrait tromper est refusé.

/// `source` sans ses lignes de commentaire ni son retrait ; `Err(ligne)` là où l'on ne peut pas en être sûr.
pub fn without(name: &str, source: &str) -> Result<String, usize> {
    if name.ends_with(".html") || name.ends_with(".svg") {
        return Ok(source.to_owned());
    }
    let mut kept = String::with_capacity(source.len());
    let mut inside = false;
    for (rank, line) in source.lines().enumerate() {
        let start = line.trim_start();
        let opens = !inside && start.starts_with("/*");
        let commented = inside || opens || (name.ends_with(".js") && start.starts_with("//"));
        if inside || opens {
            let after = start.find("*/").map(|end| start[end + 2..].trim());
            match after {
                // Le type d'une expression : la ligne est du code.
                Some(code) if opens && !code.is_empty() => kept.push_str(start.trim_end()),
                Some(code) if !code.is_empty() => return Err(rank + 1),
                _ => {}
            }
            inside = after.is_none();
        } else if !commented {
            // Un texte entre accents graves qui tiendrait plusieurs lignes pourrait en avoir une qui ressemble à cela.
            if line.matches('`').count() % 2 != 0 {
                return Err(rank + 1);
            }
            kept.push_str(line.trim());
        }
        kept.push('\n');
    }
    if inside { Err(source.lines().count()) } else { Ok(kept) }
}
