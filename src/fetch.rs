//! Le seul client HTTP du programme, borné en temps et en mémoire : [`Client`] lit, [`OneShot`] envoie.
//!
//! Étage 0,5 avec `clock` : le leader et la bourse s'en servent, il ne connaît ni l'un ni l'autre.
//! Il ne suit aucune redirection et ne décompresse rien (une bombe gzip ne grossit pas).
//! Invariants : un appel se termine dans sa limite de temps et ne garde jamais plus que sa limite
//! d'octets ; un appel abandonné est fermé à l'octet suivant, au plus tard à sa limite de temps, et
//! avec le client. Un `POST` part une fois, sur une connexion qui n'a servi à rien d'autre : sur une
//! connexion réutilisée qui meurt, libcurl renvoie de lui-même la demande.

mod certificate;
mod together;

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use isahc::config::{Configurable, VersionNegotiation};
use isahc::error::ErrorKind;
use isahc::http::{HeaderMap, Uri};
use isahc::{HttpClient, HttpClientBuilder, Request};
use smol::future::or;
use smol::io::AsyncReadExt;

use crate::clock;
use crate::domain::moment::Moment;

pub use certificate::Flaw;
pub use together::together;

/// Le temps qu'un appel peut prendre en tout, du nom de la machine au dernier octet.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Le temps d'un envoi : la bourse attend son moteur 10 s, puis le dit ; la couper plus tôt fabriquerait des
/// issues inconnues.
pub const SEND_LIMIT: Duration = Duration::from_secs(15);

const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Plus long que l'attente entre deux interrogations : la connexion resservira.
const IDLE_CONNECTION: Duration = Duration::from_secs(150);

const CONNECTIONS: usize = 8;

/// Comment curl commence à dire que la poignée de main a échoué, autrement que par le certificat.
const NO_HANDSHAKE: &str = "[35]";

/// Aucun certificat d'autorité n'a pu être lu : personne ne peut être cru.
const NO_AUTHORITY: &str = "this machine has no authorities to check its certificate with: install ca-certificates, or \
                            correct SSL_CERT_FILE if it is set";

/// La plus longue attente demandée à laquelle on croit (le plus long bannissement est de 3 jours).
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3 * 86_400);

/// Lit. À construire une fois ; le cloner partage ses connexions.
#[derive(Clone)]
pub struct Client {
    line: Line,
    time_limit: Duration,
}

/// Envoie. Chaque demande a sa connexion ; rien ne la refait.
#[derive(Clone)]
pub struct OneShot {
    line: Line,
    time_limit: Duration,
}

/// Par où passe une demande.
#[derive(Clone)]
enum Line {
    Http(HttpClient),
    Simulated(Rc<dyn Network>),
}

/// Un réseau qui n'en est pas un : celui d'une simulation.
pub trait Network {
    /// Porte la demande et rend ce qui en revient ; la limite de temps est tenue par l'appelant.
    fn carry(&self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answer, FetchError>>>>;
}

/// Une demande, prête à partir ; son corps est vide.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(String, String)>,
    /// Les octets de réponse que l'on garde au plus.
    pub limit: usize,
}

/// Une réponse arrivée entière, quel que soit son statut.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// L'attente demandée par l'en-tête `Retry-After`, s'il est en secondes.
    pub retry_after: Option<Duration>,
    pub body: Vec<u8>,
    /// Quand le dernier octet est arrivé.
    pub at: Moment,
}

/// Pourquoi il n'y a pas de réponse.
#[derive(Clone, Debug, PartialEq)]
pub enum FetchError {
    /// Rien n'a été demandé : pas de nom, pas de route, pas de connexion.
    Unreachable(String),
    /// La demande est peut-être arrivée, la réponse non, ou pas entière.
    Broken(String),
    /// La limite de temps est passée.
    TooSlow(Duration),
    /// La réponse dépasse ce nombre d'octets.
    TooLarge(usize),
    /// Le certificat n'est pas bon : rien n'a été demandé.
    BadCertificate(Flaw),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            FetchError::Unreachable(reason) => write!(f, "cannot be reached: {reason}"),
            FetchError::Broken(reason) => write!(f, "did not send a whole answer: {reason}"),
            FetchError::TooSlow(limit) => write!(f, "did not answer within {} s", limit.as_secs_f32()),
            FetchError::TooLarge(limit) => write!(f, "sent an answer of more than {limit} bytes"),
            FetchError::BadCertificate(flaw) => write!(f, "showed a certificate that {flaw}"),
        }
    }
}

impl Client {
    /// Le client, avec la limite de temps de chaque appel ([`TIME_LIMIT`] hors des essais).
    pub fn new(time_limit: Duration) -> Result<Client, FetchError> {
        let http = settings(time_limit).connection_cache_ttl(IDLE_CONNECTION);
        Ok(Client { line: Line::build(http)?, time_limit })
    }

    /// Le même, par un réseau simulé.
    pub fn over(network: Rc<dyn Network>) -> Client {
        Client { line: Line::Simulated(network), time_limit: TIME_LIMIT }
    }

    /// Lit `url`, au plus `limit` octets.
    pub async fn get(&self, url: &str, headers: &[(&str, &str)], limit: usize) -> Result<Answer, FetchError> {
        self.line.carry(Call::new("GET", url, headers, limit), self.time_limit).await
    }
}

impl OneShot {
    /// Avec la limite de temps de chaque envoi ([`SEND_LIMIT`] hors des essais).
    pub fn new(time_limit: Duration) -> Result<OneShot, FetchError> {
        let http = settings(time_limit).connection_cache_size(0);
        Ok(OneShot { line: Line::build(http)?, time_limit })
    }

    /// Le même, par un réseau simulé.
    pub fn over(network: Rc<dyn Network>) -> OneShot {
        OneShot { line: Line::Simulated(network), time_limit: SEND_LIMIT }
    }

    /// Envoie un `POST` sans corps à `url`, une fois. [`FetchError::was_not_sent`] dit quand il est sûr que
    /// rien n'est parti ; dans tout autre échec, la demande est peut-être arrivée.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        limit: usize,
    ) -> Result<Answer, FetchError> {
        self.line.carry(Call::new("POST", url, headers, limit), self.time_limit).await
    }
}

impl Call {
    fn new(method: &'static str, url: &str, headers: &[(&str, &str)], limit: usize) -> Call {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Call { method, url: url.to_owned(), headers, limit }
    }
}

fn settings(time_limit: Duration) -> HttpClientBuilder {
    HttpClient::builder()
        .timeout(time_limit)
        .connect_timeout(CONNECT_LIMIT)
        .version_negotiation(VersionNegotiation::http11())
        .automatic_decompression(false)
        .max_connections(CONNECTIONS)
        .default_header("user-agent", concat!("calvalot/", env!("CARGO_PKG_VERSION")))
        .default_header("accept", "application/json")
}

impl Line {
    fn build(http: HttpClientBuilder) -> Result<Line, FetchError> {
        let http = http.build().map_err(|error| FetchError::Unreachable(error.to_string()))?;
        Ok(Line::Http(http))
    }

    async fn carry(&self, call: Call, time_limit: Duration) -> Result<Answer, FetchError> {
        // La minuterie couvre ce que curl ne borne pas lui-même (la fin d'une résolution de nom).
        let time_is_up = async {
            clock::sleep(time_limit).await;
            Err(FetchError::TooSlow(time_limit))
        };
        let carried = async {
            match self {
                Line::Http(http) => transfer(http, &call, time_limit).await,
                Line::Simulated(network) => network.carry(call).await,
            }
        };
        or(carried, time_is_up).await
    }
}

async fn transfer(http: &HttpClient, call: &Call, time_limit: Duration) -> Result<Answer, FetchError> {
    let decide = |error: isahc::Error| FetchError::of(&error, time_limit);
    let mut request = Request::builder().method(call.method).uri(&call.url);
    if is_loopback(&call.url) {
        request = request.proxy(None);
    }
    if call.method == "POST" {
        // Sans longueur annoncée, un intermédiaire peut refuser (411) ; libcurl n'annonce pas un corps absent.
        request = request.header("content-length", "0");
    }
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    let request = request.body(()).map_err(|error| FetchError::Unreachable(error.to_string()))?;
    let response = match http.send_async(request).await {
        Err(error) if error.kind() == ErrorKind::BadServerCertificate => {
            return Err(FetchError::BadCertificate(certificate::examine(&call.url).await));
        }
        sent => sent.map_err(decide)?,
    };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    let read = response.into_body().take(call.limit as u64 + 1).read_to_end(&mut body).await;
    // Une réponse a commencé : quoi qu'il arrive ensuite, la demande est partie.
    read.map_err(|error| match decide(error.into()) {
        FetchError::Unreachable(reason) => FetchError::Broken(reason),
        error => error,
    })?;
    if body.len() > call.limit {
        return Err(FetchError::TooLarge(call.limit));
    }
    Ok(Answer::new(status, headers, body))
}

impl FetchError {
    fn of(error: &isahc::Error, time_limit: Duration) -> FetchError {
        // Ce que dit la bibliothèque au-dessus est souvent « unknown error » ; curl sait.
        let cause = std::error::Error::source(error);
        let reason = cause.map_or_else(|| error.to_string(), ToString::to_string);
        match error.kind() {
            ErrorKind::Timeout => FetchError::TooSlow(time_limit),
            ErrorKind::BadServerCertificate => FetchError::BadCertificate(Flaw::Other(reason)),
            ErrorKind::InvalidTlsConfiguration => FetchError::Unreachable(NO_AUTHORITY.to_owned()),
            ErrorKind::ConnectionFailed if reason.starts_with(NO_HANDSHAKE) => {
                FetchError::Unreachable(format!(
                    "it hung up before the connection was secure, or does not speak https at all: {reason}"
                ))
            }
            ErrorKind::ConnectionFailed | ErrorKind::NameResolution | ErrorKind::InvalidRequest => {
                FetchError::Unreachable(reason)
            }
            _ => FetchError::Broken(reason),
        }
    }

    /// Vrai s'il est sûr que pas un octet de la demande n'est parti.
    pub fn was_not_sent(&self) -> bool {
        matches!(self, FetchError::Unreachable(_) | FetchError::BadCertificate(_))
    }
}

impl Answer {
    /// La réponse, à l'heure de maintenant.
    pub fn new(status: u16, headers: HeaderMap, body: Vec<u8>) -> Answer {
        let retry_after = headers.get("retry-after").and_then(|value| seconds(value.to_str().ok()?));
        Answer { status, headers, retry_after, body, at: clock::now() }
    }

    /// Le corps comme texte ; s'il n'en est pas un, la phrase qui le dit.
    pub fn text(&self) -> Result<&str, String> {
        std::str::from_utf8(&self.body).map_err(|_| "the answer is not text".to_owned())
    }

    /// La valeur d'un en-tête, si c'est un nombre entier.
    pub fn number(&self, header: &str) -> Option<u64> {
        self.headers.get(header)?.to_str().ok()?.trim().parse().ok()
    }

    /// Vrai si le corps est une page web : un programme n'en envoie pas, ce qui est sur le chemin si.
    pub fn is_page(&self) -> bool {
        let start = self.body.trim_ascii_start();
        let start = String::from_utf8_lossy(&start[..start.len().min(15)]).to_ascii_lowercase();
        start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head")
    }

    /// Le début du corps, pour les phrases.
    pub fn opening(&self) -> String {
        opening(&self.body)
    }

    /// La suite de « a répondu 503 » ; voir [`beginning`].
    pub fn beginning(&self) -> String {
        beginning(&self.body)
    }
}

/// La suite de « a répondu 503 » : le début de ce corps, ou qu'il n'y en a pas.
pub fn beginning(body: &[u8]) -> String {
    if body.is_empty() {
        " with an empty page".to_owned()
    } else {
        format!(", starting with {}", opening(body))
    }
}

/// Le début d'un corps, pour les phrases : de quoi reconnaître une page HTML.
pub fn opening(body: &[u8]) -> String {
    let start = &body[..body.len().min(60)];
    format!("{:?}", String::from_utf8_lossy(start))
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
}

/// Une adresse de cette machine ne passe par aucun proxy, quoi que dise l'environnement.
fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_machine_is_recognized() {
        for url in ["http://127.0.0.1:8080/x", "http://LOCALHOST/", "http://[::1]:9/", "http://127.8.8.8"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["https://example.org/127.0.0.1", "http://127.0.0.1.example.org/", "http://10.0.0.1", ""] {
            assert!(!is_loopback(url), "{url}");
        }
    }

    #[test]
    fn only_what_never_connected_was_surely_not_sent() {
        let reason = || "reason".to_owned();
        for error in [FetchError::Unreachable(reason()), FetchError::BadCertificate(Flaw::OtherName)] {
            assert!(error.was_not_sent(), "{error}");
        }
        for error in
            [FetchError::Broken(reason()), FetchError::TooSlow(CONNECT_LIMIT), FetchError::TooLarge(1)]
        {
            assert!(!error.was_not_sent(), "{error}");
        }
    }

    #[test]
    fn connecting_has_a_limit_of_its_own() {
        for limit in [TIME_LIMIT, SEND_LIMIT] {
            assert!(CONNECT_LIMIT < limit);
        }
    }

    #[test]
    fn a_retry_after_is_whole_seconds_and_never_absurd() {
        assert_eq!(seconds(" 30 "), Some(Duration::from_secs(30)));
        assert_eq!(seconds("99999999999"), Some(LONGEST_RETRY_AFTER));
        for text in ["", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }
}
