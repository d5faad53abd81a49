//! La table des routes, et la forme que prend tout refus qui en sort.
//!
//! Un seul endroit la donne : une route échoue, le front refuse, tide ne trouve rien, tout sort pareil. La liste des
//! méthodes de chaque chemin, que tide ne sait pas dire, fait l'en-tête `Allow`. Invariant : aucune réponse 4xx ou 5xx ne
//! sort sans un corps JSON.

use std::collections::BTreeMap;

use http_types::{Method, StatusCode};
use tide::{Endpoint, Middleware, Next, Request, Response, Server};

use super::errors::ApiError;
use super::guard::Guard;

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
            status if status.is_server_error() => ApiError::internal().with(status),
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

fn has_json(response: &Response) -> bool {
    response.header("content-type").is_some_and(|value| value.last().as_str().starts_with("application/json"))
}
