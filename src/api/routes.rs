//! La table des routes, et la forme que prend tout refus qui en sort.
//!
//! Un seul endroit la donne : une route échoue, le front refuse, tide ne trouve rien, tout sort pareil. Ce qui n'est pas dans
//! la table est dit avant tout le reste : qui se trompe d'adresse ou de méthode n'apprend rien d'un refus de son type ou de son
//! origine. Invariant : aucune réponse 4xx ou 5xx ne sort d'une route sans un corps JSON.

use std::collections::BTreeMap;

use http_types::{Method, StatusCode};
use tide::{Endpoint, Middleware, Next, Request, Response, Server};

use super::errors::ApiError;
use super::guard::{Admission, Guard};
use super::lists::{Listed, Turns};
use super::writes::Writes;

/// La table des routes.
pub struct Routes<S> {
    app: Server<S>,
    table: Table,
    turns: Turns,
}

/// Ce qui est possible à un chemin.
#[derive(Default)]
struct Ways {
    /// Dans l'ordre d'`Allow`.
    methods: Vec<Method>,
    admission: Admission,
}

type Table = BTreeMap<&'static str, Ways>;

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub fn new(state: S) -> Self {
        Routes { app: Server::with_state(state), table: BTreeMap::new(), turns: Turns::default() }
    }

    /// Une lecture ; HEAD suit.
    pub fn get(mut self, path: &'static str, endpoint: impl Endpoint<S>) -> Self {
        self.add(path, &[Method::Get, Method::Head], endpoint);
        self
    }

    /// Une lecture qui répond sous quelque nom qu'on nous joigne : rien n'y est à cacher.
    pub fn get_by_any_name(mut self, path: &'static str, endpoint: impl Endpoint<S>) -> Self {
        self.add(path, &[Method::Get, Method::Head], endpoint).any_name = true;
        self
    }

    /// La lecture d'une liste, qui peut être longue : chacune à son tour.
    pub fn list(self, path: &'static str, endpoint: impl Endpoint<S>) -> Self {
        let listed = Listed::new(endpoint, &self.turns);
        self.get(path, listed)
    }

    pub fn post(mut self, path: &'static str, endpoint: impl Endpoint<S>) -> Self {
        self.add(path, &[Method::Post], endpoint);
        self
    }

    /// Un envoi qui peut n'avoir ni corps ni type.
    pub fn post_even_bare(mut self, path: &'static str, endpoint: impl Endpoint<S>) -> Self {
        self.add(path, &[Method::Post], endpoint).bare = true;
        self
    }

    pub fn put(mut self, path: &'static str, endpoint: impl Endpoint<S>) -> Self {
        self.add(path, &[Method::Put], endpoint);
        self
    }

    fn add(&mut self, path: &'static str, methods: &[Method], endpoint: impl Endpoint<S>) -> &mut Admission {
        // HEAD suit GET, tide y pourvoit.
        self.app.at(path).method(methods[0], endpoint);
        let ways = self.table.entry(path).or_default();
        ways.methods.extend(methods);
        &mut ways.admission
    }

    /// L'application complète : ce qui n'est pas dans la table, les refus mis en forme, la garde, le rythme des écritures, puis
    /// les routes. Qui doit se nommer le fera entre la garde et les écritures.
    pub fn guarded(mut self, guard: Guard) -> Server<S> {
        self.app.with(Errors { table: self.table });
        self.app.with(guard);
        self.app.with(Writes::default());
        self.app
    }
}

/// Le middleware qui sait ce qui existe, et donne leur forme aux refus.
struct Errors {
    table: Table,
}

#[tide::utils::async_trait]
impl<S: Clone + Send + Sync + 'static> Middleware<S> for Errors {
    async fn handle(&self, mut request: Request<S>, next: Next<'_, S>) -> tide::Result {
        let (method, path) = (request.method(), request.url().path().to_owned());
        let Some((_, ways)) = self.table.iter().find(|(route, _)| is_at(route, &path)) else {
            return Ok(describe(StatusCode::NotFound, &path).into_response());
        };
        if !ways.methods.contains(&method) {
            let allowed: Vec<&str> = ways.methods.iter().map(AsRef::as_ref).collect();
            let allowed = allowed.join(", ");
            let message = format!("{method} is not possible here, use {allowed}");
            let mut response = ApiError::new(StatusCode::MethodNotAllowed, message).into_response();
            response.insert_header("allow", allowed);
            return Ok(response);
        }
        request.set_ext(ways.admission);
        let mut response = next.run(request).await;
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            return Ok(response);
        }
        if let Some(error) = response.take_error() {
            response = explain(error, method, &path).into_response();
        } else if !has_json(&response) {
            response = describe(status, &path).into_response();
        }
        Ok(response)
    }
}

fn explain(error: tide::Error, method: Method, path: &str) -> ApiError {
    let status = error.status();
    error.downcast().unwrap_or_else(|error| {
        if status.is_server_error() {
            log::error!("request_failed method={method} path={path} error=\"{error}\"");
        }
        describe(status, path)
    })
}

fn describe(status: StatusCode, path: &str) -> ApiError {
    match status {
        StatusCode::NotFound => ApiError::new(status, format!("there is nothing at {path}")),
        status if status.is_server_error() => ApiError::internal().with(status),
        status => ApiError::new(status, status.canonical_reason().to_ascii_lowercase()),
    }
}

/// Vrai si `path` est un de ceux de cette route, où `:nom` est un morceau quelconque.
fn is_at(route: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (route.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == found => {}
            (Some(wanted), Some(found)) if wanted.starts_with(':') && !found.is_empty() => {}
            _ => return false,
        }
    }
}

fn has_json(response: &Response) -> bool {
    response.header("content-type").is_some_and(|value| value.last().as_str().starts_with("application/json"))
}
