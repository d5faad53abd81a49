//! Ce que l'API accepte et ce qu'elle répond quand elle refuse.
//!
//! Un seul endroit donne aux réponses d'erreur leur forme, `{"error":"…"}` : une route échoue, le front
//! refuse, tide ne trouve rien, tout sort pareil. Un 500 ne montre jamais l'intérieur, qui va au journal.
//! `Routes` tient la liste des méthodes de chaque chemin, que tide ne sait pas dire, pour l'en-tête `Allow`.
//! Invariant : aucune réponse 4xx ou 5xx ne sort sans un corps JSON.

use std::collections::BTreeMap;
use std::fmt;

use http_types::{Method, StatusCode};
use smol::io::AsyncReadExt;
use tide::{Endpoint, Middleware, Next, Request, Response, Server};

use super::guard::Guard;

/// Taille d'un corps JSON, comme celle du front.
const BODY: u64 = 64 * 1024;

/// Un refus : le statut et une phrase qui dit ce qui ne va pas et quoi faire. `?` le rend à tide tel quel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    message: String,
}

impl ApiError {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        ApiError { status, message: message.into() }
    }

    /// 400 : l'entrée ne convient pas.
    pub fn bad_request(message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::BadRequest, message)
    }

    /// 409 : la demande est claire mais l'état ne la permet pas.
    pub fn conflict(message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::Conflict, message)
    }

    /// 503 : il manque quelque chose pour répondre, cela peut revenir.
    pub fn unavailable(message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::ServiceUnavailable, message)
    }

    /// 500, sans rien dire de l'intérieur.
    pub fn internal() -> Self {
        ApiError::new(StatusCode::InternalServerError, "something went wrong here; see the log")
    }

    /// La réponse JSON de ce refus.
    pub fn into_response(self) -> Response {
        json(self.status, &BTreeMap::from([("error", self.message)]))
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", u16::from(self.status), self.message)
    }
}

// Pas de `std::error::Error` : tide convertit ceux-là en 500, cette conversion-ci garde le statut.
impl From<ApiError> for tide::Error {
    fn from(error: ApiError) -> Self {
        tide::Error::from_str(error.status, error)
    }
}

/// Une réponse JSON, jamais gardée en cache.
pub fn json(status: StatusCode, value: &impl miniserde::Serialize) -> Response {
    Response::builder(status)
        .body(miniserde::json::to_string(value))
        .content_type("application/json")
        .header("cache-control", "no-store")
        .build()
}

/// Le middleware qui donne leur forme aux refus.
struct Errors {
    allow: BTreeMap<&'static str, String>,
}

#[tide::utils::async_trait]
impl<S: Clone + Send + Sync + 'static> Middleware<S> for Errors {
    async fn handle(&self, request: Request<S>, next: Next<'_, S>) -> tide::Result {
        let (method, path) = (request.method(), request.url().path().to_owned());
        let mut response = next.run(request).await;
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            return Ok(response);
        }
        if let Some(error) = response.take_error() {
            response = self.explain(error, method, &path).into_response();
        } else if !has_json(&response) {
            response = self.describe(status, method, &path).into_response();
        }
        if status == StatusCode::MethodNotAllowed {
            response.insert_header("allow", self.allowed(&path));
        }
        Ok(response)
    }
}

impl Errors {
    fn explain(&self, error: tide::Error, method: Method, path: &str) -> ApiError {
        let status = error.status();
        error.downcast().unwrap_or_else(|error| {
            if status.is_server_error() {
                log::error!("request_failed method={method} path={path} error=\"{error}\"");
            }
            self.describe(status, method, path)
        })
    }

    fn describe(&self, status: StatusCode, method: Method, path: &str) -> ApiError {
        match status {
            StatusCode::NotFound => ApiError::new(status, format!("there is nothing at {path}")),
            StatusCode::MethodNotAllowed => {
                let allowed = self.allowed(path);
                ApiError::new(status, format!("{method} is not possible here, use {allowed}"))
            }
            status if status.is_server_error() => ApiError { status, ..ApiError::internal() },
            status => ApiError::new(status, status.canonical_reason().to_ascii_lowercase()),
        }
    }

    fn allowed(&self, path: &str) -> &str {
        let here = self.allow.iter().find(|(route, _)| is_at(route, path));
        here.map_or("GET, HEAD", |(_, methods)| methods.as_str())
    }
}

/// Vrai si `path` est un de ceux de cette route, où `:nom` est un morceau quelconque.
fn is_at(route: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (route.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == found || wanted.starts_with(':') => {}
            _ => return false,
        }
    }
}

/// La table des routes.
pub struct Routes<S> {
    app: Server<S>,
    allow: BTreeMap<&'static str, String>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub fn new(state: S) -> Self {
        Routes { app: Server::with_state(state), allow: BTreeMap::new() }
    }

    /// Une lecture ; HEAD suit.
    pub fn get(self, path: &'static str, endpoint: impl Endpoint<S>) -> Self {
        self.add(path, Method::Get, "GET, HEAD", endpoint)
    }

    pub fn post(self, path: &'static str, endpoint: impl Endpoint<S>) -> Self {
        self.add(path, Method::Post, "POST", endpoint)
    }

    pub fn put(self, path: &'static str, endpoint: impl Endpoint<S>) -> Self {
        self.add(path, Method::Put, "PUT", endpoint)
    }

    fn add(mut self, path: &'static str, method: Method, allowed: &str, endpoint: impl Endpoint<S>) -> Self {
        self.app.at(path).method(method, endpoint);
        let methods = self.allow.entry(path).or_default();
        if !methods.is_empty() {
            methods.push_str(", ");
        }
        methods.push_str(allowed);
        self
    }

    /// L'application complète : les refus mis en forme, la garde, puis les routes.
    pub fn guarded(mut self, guard: Guard) -> Server<S> {
        self.app.with(Errors { allow: self.allow });
        self.app.with(guard);
        self.app
    }
}

fn has_json(response: &Response) -> bool {
    response.header("content-type").is_some_and(|value| value.last().as_str().starts_with("application/json"))
}

/// Vrai si le corps est annoncé, une seule fois, comme du JSON.
pub(super) fn is_json<S>(request: &Request<S>) -> bool {
    let mut types = request.header("content-type").into_iter().flatten();
    let essence = types.next().and_then(|value| value.as_str().split(';').next());
    let json = essence.is_some_and(|text| text.trim().eq_ignore_ascii_case("application/json"));
    json && types.next().is_none()
}

/// Le refus d'un corps qui n'est pas annoncé comme du JSON.
pub(super) fn not_json() -> ApiError {
    let message = "send a JSON body with Content-Type: application/json";
    ApiError::new(StatusCode::UnsupportedMediaType, message)
}

/// Le corps JSON de la requête. `example` est cité dans le refus : miniserde ne dit pas ce qui cloche. Un champ qui n'est
/// pas de `fields` est refusé : mal écrit, il passerait pour absent, et `{}` veut parfois dire quelque chose.
pub async fn json_body<T, S>(request: &mut Request<S>, fields: &[&str], example: &str) -> Result<T, ApiError>
where
    T: miniserde::Deserialize,
{
    if !is_json(request) {
        return Err(not_json());
    }
    let expected = || ApiError::bad_request(format!("the body must be JSON like {example}"));
    let mut text = String::new();
    let mut body = request.take_body().take(BODY + 1);
    body.read_to_string(&mut text).await.map_err(|_| expected())?;
    if text.len() as u64 > BODY {
        let message = format!("the body must not be larger than {BODY} bytes");
        return Err(ApiError::new(StatusCode::PayloadTooLarge, message));
    }
    let object: miniserde::json::Object = miniserde::json::from_str(&text).map_err(|_| expected())?;
    if !object.keys().all(|field| fields.contains(&field.as_str())) {
        return Err(expected());
    }
    miniserde::json::from_str(&text).map_err(|_| expected())
}
