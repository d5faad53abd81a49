//! La page : les fichiers de `static/` sans leurs commentaires, dans le binaire, tels quels et compressés.
//!
//! La table vient de `build/page.rs` : ajouter un fichier, c'est le poser dans `static/`. Rien n'est lu sur le disque ni
//! compressé en route. Invariant : chaque forme a l'`ETag` des octets qui partent, donc une page gardée par le
//! navigateur est toujours la bonne, et une version nouvelle se voit au premier chargement.

mod coding;

use http_types::{Body, StatusCode};
use smol::io::Cursor;
use tide::{Request, Response};

use super::errors::ApiError;
use super::front::answers::Lasting;
use super::routes::Routes;
use coding::Coding;

/// Un fichier servi.
pub struct File {
    /// Son nom sous `static/`.
    pub name: &'static str,
    /// Son chemin dans l'adresse.
    pub path: &'static str,
    content_type: &'static str,
    plain: Form,
    gzip: Form,
}

/// Une forme d'un fichier, et son étiquette.
struct Form {
    tag: &'static str,
    bytes: &'static [u8],
}

/// Tous les fichiers de la page.
pub static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

const _: () = assert!(!FILES.is_empty(), "static/ was not there when build/page.rs looked");

/// Ce que la page a le droit de faire : n'appeler que nous, n'exécuter que nos fichiers, n'être dans aucun cadre.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Ajoute les fichiers de la page à la table des routes.
pub fn add_to<S: Clone + Send + Sync + 'static>(routes: Routes<S>) -> Routes<S> {
    FILES.iter().fold(routes, |routes, file| {
        routes.get(file.path, move |request: Request<S>| async move { Ok(answer(file, &request)?) })
    })
}

fn answer<S>(file: &File, request: &Request<S>) -> Result<Response, ApiError> {
    let (form, coding) = match coding::choose(values(request, "accept-encoding")) {
        Some(Coding::Identity) => (&file.plain, None),
        Some(Coding::Gzip) => (&file.gzip, Some("gzip")),
        None => {
            let message = "this file is sent as it is or as gzip, and Accept-Encoding refuses both";
            return Err(ApiError::new(StatusCode::NotAcceptable, message));
        }
    };
    let mut response = match known(file, form, request) {
        Some(tag) => Response::builder(StatusCode::NotModified).header("etag", tag).build(),
        None => whole(file, form, coding),
    };
    response.insert_ext(Lasting);
    response.insert_header("vary", "accept-encoding");
    response.insert_header("cache-control", "no-cache");
    if file.content_type.starts_with("text/html") {
        response.insert_header("content-security-policy", POLICY);
        response.insert_header("referrer-policy", "no-referrer");
    }
    Ok(response)
}

fn whole(file: &File, form: &Form, coding: Option<&str>) -> Response {
    let mut response = Response::builder(StatusCode::Ok)
        .body(Body::from_reader(Cursor::new(form.bytes), Some(form.bytes.len())))
        .header("content-type", file.content_type)
        .header("etag", form.tag)
        .build();
    if let Some(coding) = coding {
        response.insert_header("content-encoding", coding);
    }
    response
}

/// L'étiquette de la forme que le client a déjà, quelle qu'elle soit : les deux disent la même chose. `None` s'il n'a
/// rien d'actuel.
fn known<S>(file: &File, chosen: &Form, request: &Request<S>) -> Option<&'static str> {
    let mut items = values(request, "if-none-match").flat_map(|value| value.split(','));
    items.find_map(|item| match weak(item) {
        "*" => Some(chosen.tag),
        tag => [file.plain.tag, file.gzip.tag].into_iter().find(|own| *own == tag),
    })
}

/// Une étiquette lue dans `If-None-Match`, sans sa marque de faiblesse : la comparaison y est toujours faible.
fn weak(item: &str) -> &str {
    let item = item.trim();
    item.strip_prefix("W/").unwrap_or(item)
}

fn values<'a, S>(request: &'a Request<S>, name: &str) -> impl Iterator<Item = &'a str> {
    request.header(name).into_iter().flatten().map(|value| value.as_str())
}
