//! La page : les fichiers de `static/`, dans le binaire, tels quels.
//!
//! Ajouter un fichier, c'est ajouter sa ligne à `FILES` ; un test compare la table au dossier. Rien n'est lu sur le
//! disque. Invariant : l'`ETag` est celui des octets servis, donc une page gardée par le navigateur est toujours la
//! bonne, et une version nouvelle se voit au premier chargement.

use std::sync::LazyLock;

use http_types::{Body, StatusCode};
use sha2::{Digest, Sha256};
use smol::io::Cursor;
use tide::{Request, Response};

use super::errors::Routes;

/// Un fichier servi.
pub struct File {
    /// Son nom sous `static/`.
    pub name: &'static str,
    /// Son chemin dans l'adresse.
    pub path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! embed {
    ($name:literal, $path:expr, $content_type:expr) => {
        File {
            name: $name,
            path: $path,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../../static/", $name)),
        }
    };
    ($name:literal, $content_type:expr) => {
        embed!($name, concat!("/", $name), $content_type)
    };
}

/// Tous les fichiers de la page.
pub static FILES: &[File] = &[
    embed!("index.html", "/", HTML),
    embed!("css/calvalot.css", CSS),
    embed!("js/account.js", SCRIPT),
    embed!("js/allocation.js", SCRIPT),
    embed!("js/api.js", SCRIPT),
    embed!("js/chart-reading.js", SCRIPT),
    embed!("js/chart-table.js", SCRIPT),
    embed!("js/chart-ui.js", SCRIPT),
    embed!("js/chart.js", SCRIPT),
    embed!("js/coin.js", SCRIPT),
    embed!("js/command.js", SCRIPT),
    embed!("js/confirm.js", SCRIPT),
    embed!("js/decision.js", SCRIPT),
    embed!("js/details.js", SCRIPT),
    embed!("js/dom.js", SCRIPT),
    embed!("js/dust.js", SCRIPT),
    embed!("js/feed.js", SCRIPT),
    embed!("js/follow.js", SCRIPT),
    embed!("js/format.js", SCRIPT),
    embed!("js/head.js", SCRIPT),
    embed!("js/language.js", SCRIPT),
    embed!("js/list.js", SCRIPT),
    embed!("js/live.js", SCRIPT),
    embed!("js/main.js", SCRIPT),
    embed!("js/marks.js", SCRIPT),
    embed!("js/memory.js", SCRIPT),
    embed!("js/money.js", SCRIPT),
    embed!("js/order.js", SCRIPT),
    embed!("js/orders.js", SCRIPT),
    embed!("js/pause.js", SCRIPT),
    embed!("js/positions.js", SCRIPT),
    embed!("js/release.js", SCRIPT),
    embed!("js/section.js", SCRIPT),
    embed!("js/signals.js", SCRIPT),
    embed!("js/situation.js", SCRIPT),
    embed!("js/theme-first.js", SCRIPT),
    embed!("js/theme.js", SCRIPT),
    embed!("js/trades.js", SCRIPT),
    embed!("js/value.js", SCRIPT),
    embed!("js/withdrawals.js", SCRIPT),
    embed!("js/words-en.js", SCRIPT),
    embed!("js/words-fr.js", SCRIPT),
    embed!("js/words.js", SCRIPT),
];

/// Ce que la page a le droit de faire : n'appeler que nous, n'exécuter que nos fichiers, n'être dans aucun cadre.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Les étiquettes de `FILES`, dans le même ordre.
static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| FILES.iter().map(|file| tag(file.bytes)).collect());

/// Ajoute les fichiers de la page à la table des routes.
pub fn add_to<S: Clone + Send + Sync + 'static>(routes: Routes<S>) -> Routes<S> {
    FILES.iter().zip(TAGS.iter()).fold(routes, |routes, (file, tag)| {
        routes.get(file.path, move |request: Request<S>| async move {
            Ok(answer(file, tag, request.header("if-none-match").into_iter().flatten()))
        })
    })
}

fn answer<'a>(
    file: &File,
    tag: &str,
    known: impl Iterator<Item = &'a http_types::headers::HeaderValue>,
) -> Response {
    let mut known = known.flat_map(|value| value.as_str().split(','));
    let fresh = known.any(|item| matches!(item.trim(), "*") || weak(item) == tag);
    let mut response = match fresh {
        true => Response::new(StatusCode::NotModified),
        false => Response::builder(StatusCode::Ok)
            .body(Body::from_reader(Cursor::new(file.bytes), Some(file.bytes.len())))
            .header("content-type", file.content_type)
            .build(),
    };
    response.insert_header("etag", tag);
    response.insert_header("cache-control", "no-cache");
    if file.content_type == HTML {
        response.insert_header("content-security-policy", POLICY);
    }
    response
}

/// Une étiquette lue dans `If-None-Match`, sans sa marque de faiblesse : la comparaison y est toujours faible.
fn weak(item: &str) -> &str {
    let item = item.trim();
    item.strip_prefix("W/").unwrap_or(item)
}

fn tag(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}
