//! La garde : qu'aucune page web d'ailleurs ne puisse lire nos chiffres, mettre l'agent en pause ou noter un dépôt.
//!
//! Deux attaques, deux règles. (a) Un site peut faire pointer son propre nom vers l'adresse du Pi (« DNS rebinding ») :
//! pour le navigateur il est alors de la même origine, et lit tout. Son nom le trahit : `Host` doit donc être une
//! adresse, `localhost`, un nom en `.local` ou un nom que la personne a écrit dans `ALLOWED_HOSTS`. (b) Un site peut
//! envoyer un formulaire : une écriture doit donc être du JSON, ce qu'un navigateur n'envoie pas ailleurs sans demander
//! d'abord (OPTIONS, toujours refusé), et son origine, si elle est dite, doit être la nôtre.
//! Invariant : aucun en-tête CORS ne sort d'ici, et `X-Forwarded-*`, que n'importe qui peut écrire, n'est jamais cru.

use http_types::{Method, StatusCode};
use tide::{Middleware, Next, Request};

use super::body::{is_json, not_json};
use super::errors::ApiError;
use super::front::host::{Host, Name};

/// Les noms sous lesquels ce programme répond, en plus des adresses, de `localhost` et de `*.local`.
pub struct Guard {
    allowed: Vec<Name>,
}

impl Guard {
    /// `allowed` : les noms d'`ALLOWED_HOSTS`, un port éventuel est sans effet.
    pub fn new<T: AsRef<str>>(allowed: impl IntoIterator<Item = T>) -> Self {
        let mut names = Vec::new();
        for text in allowed {
            match Host::parse(text.as_ref().trim()) {
                Some(host) => names.push(host.name),
                None => log::warn!("allowed_host_ignored value={:?}", text.as_ref()),
            }
        }
        Guard { allowed: names }
    }

    fn check<S>(&self, request: &Request<S>) -> Result<(), ApiError> {
        let host = self.check_host(request)?;
        match request.method() {
            Method::Get | Method::Head => Ok(()),
            // La demande préalable d'un navigateur pour le compte d'un autre site : la réponse est non.
            Method::Options => Err(ApiError::new(
                StatusCode::MethodNotAllowed,
                "OPTIONS is not answered: other origins may not use this API",
            )),
            _ if !is_json(request) => Err(not_json()),
            _ => check_origin(request, &host),
        }
    }

    fn check_host<S>(&self, request: &Request<S>) -> Result<Host, ApiError> {
        let text = single(request, "host")?.unwrap_or_default();
        match Host::parse(text) {
            Some(host) if self.knows(&host.name) => Ok(host),
            _ => Err(ApiError::new(
                StatusCode::MisdirectedRequest,
                format!(
                    "the name {text:?} is not known here: use the address, or add the name to ALLOWED_HOSTS"
                ),
            )),
        }
    }

    fn knows(&self, name: &Name) -> bool {
        let usual = match name {
            Name::Address(_) => true,
            // `.local` est résolu sur le réseau de la maison (mDNS), pas par le DNS d'un inconnu.
            Name::Dns(text) => text == "localhost" || text.ends_with(".local"),
        };
        usual || self.allowed.contains(name)
    }
}

#[tide::utils::async_trait]
impl<S: Clone + Send + Sync + 'static> Middleware<S> for Guard {
    async fn handle(&self, request: Request<S>, next: Next<'_, S>) -> tide::Result {
        if let Err(refusal) = self.check(&request) {
            log::debug!(
                "request_refused method={} path={} reason=\"{refusal}\"",
                request.method(),
                request.url().path()
            );
            return Err(refusal.into());
        }
        Ok(next.run(request).await)
    }
}

/// L'origine d'une écriture. Sans `Origin` ni `Sec-Fetch-Site` ce n'est pas un navigateur : le JSON exigé suffit.
fn check_origin<S>(request: &Request<S>, host: &Host) -> Result<(), ApiError> {
    let site = single(request, "sec-fetch-site")?;
    if !matches!(site, None | Some("same-origin" | "none")) {
        return Err(foreign("this request comes from another site"));
    }
    let Some(origin) = single(request, "origin")? else {
        return Ok(());
    };
    if is_own_origin(origin, host, site == Some("same-origin")) {
        return Ok(());
    }
    Err(foreign(
        "Origin is not the address this program was reached at; behind a proxy, let it pass the Host header on",
    ))
}

/// Vrai si `origin` désigne `host`. Sans port écrit, chacun a celui du schéma de l'origine : derrière un mandataire TLS,
/// `Host: nom` répond à `https://nom`. Un mandataire peut aussi effacer de `Host` un port inhabituel : seul le
/// navigateur sait alors que l'origine est la même, et il faut qu'il l'ait dit (`same_origin`).
fn is_own_origin(origin: &str, host: &Host, same_origin: bool) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let usual_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let Some(origin) = Host::parse(authority) else {
        return false;
    };
    let same_port = origin.port.unwrap_or(usual_port) == host.port.unwrap_or(usual_port);
    let erased_port = host.port.is_none() && scheme == "https" && same_origin;
    origin.name == host.name && (same_port || erased_port)
}

fn foreign(message: &str) -> ApiError {
    ApiError::new(StatusCode::Forbidden, message)
}

/// La valeur d'un en-tête qui ne peut pas être répété.
fn single<'a, S>(request: &'a Request<S>, name: &str) -> Result<Option<&'a str>, ApiError> {
    let mut values = request.header(name).into_iter().flatten();
    let first = values.next().map(|value| value.as_str());
    match values.next() {
        None => Ok(first),
        Some(_) => Err(ApiError::bad_request(format!("the {name} header must be sent once"))),
    }
}
