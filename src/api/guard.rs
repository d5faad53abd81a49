//! La garde : qu'aucune page web d'ailleurs ne puisse lire nos chiffres, mettre l'agent en pause ou noter un dépôt.
//!
//! Trois attaques, trois règles. (a) Un site peut faire pointer son propre nom vers l'adresse du Pi (« DNS rebinding ») :
//! pour le navigateur il est alors de la même origine, et lit tout. Son nom le trahit : `Host` doit donc être une
//! adresse, `localhost`, un nom en `.local` ou un nom que la personne a écrit dans `ALLOWED_HOSTS`. (b) Un site peut
//! envoyer un formulaire : une écriture doit donc être du JSON, ce qu'un navigateur n'envoie pas ailleurs sans demander
//! d'abord (OPTIONS, toujours refusé), et son origine, si elle est dite, doit être la nôtre. (c) Un site peut lire sans rien
//! voir, et prendre des places : ce que le navigateur dit venir d'ailleurs (`Sec-Fetch-Site`, `Origin`) ne lit pas l'API.
//! Invariant : aucun en-tête CORS ne sort d'ici, et `X-Forwarded-*`, que n'importe qui peut écrire, n'est cru que d'un
//! mandataire que la personne a nommé.

use http_types::{Method, StatusCode};
use tide::{Middleware, Next, Request};

use super::body::{is_json, not_json};
use super::caller::{Caller, Scheme, single};
use super::errors::ApiError;
use super::front::host::{Host, Name};
use crate::network::Network;

/// Ce que la garde laisse passer à une route ; rien de plus qu'ailleurs si elle ne dit rien.
#[derive(Clone, Copy, Default)]
pub(super) struct Admission {
    /// Sous quelque nom qu'on nous joigne.
    pub any_name: bool,
    /// Sans corps ni type, si aucun navigateur ne l'envoie.
    pub bare: bool,
}

/// Les noms sous lesquels ce programme répond, en plus des adresses, de `localhost` et de `*.local`, et les mandataires crus.
pub struct Guard {
    allowed: Vec<Name>,
    proxies: Vec<Network>,
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
        Guard { allowed: names, proxies: Vec::new() }
    }

    /// Croit ces mandataires.
    pub fn behind(self, proxies: Vec<Network>) -> Self {
        Guard { proxies, ..self }
    }

    fn check<S>(&self, request: &Request<S>, caller: &Caller) -> Result<(), ApiError> {
        let admission = request.ext::<Admission>().copied().unwrap_or_default();
        if admission.any_name {
            return Ok(());
        }
        let host = self.check_host(request, caller)?;
        match request.method() {
            Method::Get | Method::Head => check_reader(request, &host, caller),
            _ if is_json(request) => check_origin(request, &host, caller),
            _ if admission.bare && is_bare(request) => Ok(()),
            _ => Err(not_json()),
        }
    }

    fn check_host<S>(&self, request: &Request<S>, caller: &Caller) -> Result<Host, ApiError> {
        match caller.host(request)? {
            (_, Some(host)) if self.knows(&host.name) => Ok(host),
            (text, _) => Err(ApiError::new(
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
    async fn handle(&self, mut request: Request<S>, next: Next<'_, S>) -> tide::Result {
        let caller = Caller::of(&request, &self.proxies);
        if let Err(refusal) = self.check(&request, &caller) {
            log::debug!(
                "request_refused method={} path={} reason=\"{refusal}\"",
                request.method(),
                request.url().path()
            );
            return Err(refusal.into());
        }
        request.set_ext(caller);
        Ok(next.run(request).await)
    }
}

/// Une demande sans rien, de curl ou d'un automate, comme l'ancien programme les prenait : ni corps, ni type qu'un formulaire
/// aurait, ni rien de ce qu'un navigateur ajoute de lui-même à ce qu'il envoie.
pub(super) fn is_bare<S>(request: &Request<S>) -> bool {
    let browser = |name: &str| matches!(name, "origin" | "referer") || name.starts_with("sec-fetch-");
    let mut types = request.header("content-type").into_iter().flatten();
    // Celui-ci, qu'aiohttp met à un envoi vide, aucune page ne l'envoie ailleurs sans demander d'abord.
    let untyped = types.all(|value| value.as_str() == "application/octet-stream");
    untyped && request.len() == Some(0) && !request.iter().any(|(name, _)| browser(name.as_str()))
}

/// Les chiffres ne se lisent pas pour le compte d'un autre site : il n'en verrait rien, mais prendrait nos places. La page
/// elle-même s'ouvre par un lien d'où que ce soit.
fn check_reader<S>(request: &Request<S>, host: &Host, caller: &Caller) -> Result<(), ApiError> {
    let path = request.url().path();
    if path.starts_with("/api/") || path == "/metrics" { check_origin(request, host, caller) } else { Ok(()) }
}

/// L'origine d'une requête. Sans `Origin` ni `Sec-Fetch-Site` ce n'est pas un navigateur, ou il lit : d'une écriture, le JSON
/// exigé suffit alors.
fn check_origin<S>(request: &Request<S>, host: &Host, caller: &Caller) -> Result<(), ApiError> {
    let site = single(request, "sec-fetch-site")?;
    if !matches!(site, None | Some("same-origin" | "none")) {
        return Err(foreign("this request comes from another site"));
    }
    let Some(origin) = single(request, "origin")? else {
        return Ok(());
    };
    if is_own_origin(origin, host, caller.scheme, site == Some("same-origin")) {
        return Ok(());
    }
    Err(foreign(
        "Origin is not the address this program was reached at; behind a proxy, let it pass the Host header on, or name it in \
         TRUSTED_PROXY",
    ))
}

/// Vrai si `origin` désigne `host`, et son schéma celui qu'un mandataire dit. Sans port écrit, chacun a celui du schéma de
/// l'origine : derrière un mandataire TLS, `Host: nom` répond à `https://nom`. Un mandataire peut aussi effacer de `Host` un
/// port inhabituel : seul le navigateur sait alors que l'origine est la même, et il faut qu'il l'ait dit (`same_origin`).
fn is_own_origin(origin: &str, host: &Host, told: Option<Scheme>, same_origin: bool) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let Some(scheme) = Scheme::parse(scheme).filter(|scheme| told.is_none_or(|told| told == *scheme)) else {
        return false;
    };
    let usual_port = match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    let Some(origin) = Host::parse(authority) else {
        return false;
    };
    let same_port = origin.port.unwrap_or(usual_port) == host.port.unwrap_or(usual_port);
    let erased_port = host.port.is_none() && scheme == Scheme::Https && same_origin;
    origin.name == host.name && (same_port || erased_port)
}

fn foreign(message: &str) -> ApiError {
    ApiError::new(StatusCode::Forbidden, message)
}
