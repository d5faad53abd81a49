//! Les deux formats de la page, et lequel veut celui qui la lit.

use std::fmt::Write;

const OPEN_METRICS: &str = "application/openmetrics-text";
const TEXT: &str = "text/plain";

/// Le format demandé par qui lit la page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    OpenMetrics,
    Text,
}

impl Format {
    /// OpenMetrics si l'en-tête `Accept` le nomme sans lui préférer le texte, le texte de Prometheus sinon.
    pub fn accepted(accept: &str) -> Format {
        let (open_metrics, text) = (weight(accept, OPEN_METRICS), weight(accept, TEXT));
        if open_metrics > 0.0 && open_metrics >= text { Format::OpenMetrics } else { Format::Text }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// La page OpenMetrics `page`, dans ce format.
    pub(super) fn of(self, page: &str) -> String {
        match self {
            Format::OpenMetrics => page.to_owned(),
            Format::Text => as_text(page),
        }
    }
}

/// Le plus grand poids (`q`, 1 s'il n'est pas dit) que l'en-tête donne à ce type ; 0 s'il ne le nomme pas.
fn weight(accept: &str, kind: &str) -> f32 {
    let weights = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(kind));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
        named.then(|| weight.unwrap_or(1.0))
    });
    weights.fold(0.0, f32::max)
}

/// Le format texte de Prometheus : un compteur y porte son nom entier dans `HELP` et `TYPE`, et la
/// marque de fin n'existe pas.
fn as_text(page: &str) -> String {
    let counters: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut text = String::with_capacity(page.len());
    for line in page.lines().filter(|line| *line != "# EOF") {
        let described = ["# HELP ", "# TYPE "].into_iter().find_map(|start| {
            let (name, rest) = line.strip_prefix(start)?.split_once(' ')?;
            counters.contains(&name).then_some((start, name, rest))
        });
        let written = match described {
            Some((start, name, rest)) => writeln!(text, "{start}{name}_total {rest}"),
            None => writeln!(text, "{line}"),
        };
        written.expect("a String takes every write");
    }
    text
}
