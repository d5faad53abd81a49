//! Des octets reçus à une requête : la tête seule, sans socket et sans attente.
//!
//! Refuse tout ce qui pourrait être compris autrement par un autre programme sur le chemin : fin de ligne sans CR,
//! longueurs répétées ou à côté d'un `Transfer-Encoding`, deux `Host`, cible absolue d'un autre hôte. Un en-tête qui ne dit
//! rien de cela et n'est pas de l'ASCII (le nom d'une personne, qu'un mandataire ajoute) est seulement laissé de côté.
//! Invariant : aucun octet reçu ne fait paniquer `http_types`, tout y entre vérifié.

use http_types::headers::{HeaderName, HeaderValue};
use http_types::{Method, StatusCode, Url, Version};
use httparse::{EMPTY_HEADER, Status};

use super::Limits;
use super::host::Host;
use crate::api::errors::ApiError;

/// Une tête complète.
pub(super) struct Head {
    /// Octets occupés par la tête dans le tampon.
    pub size: usize,
    pub body: Body,
    pub expects_continue: bool,
    pub keep_alive: bool,
    /// La requête, sans son corps.
    pub request: http_types::Request,
}

/// Ce que la tête annonce de son corps.
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// Tant d'octets, 0 s'il n'y en a pas.
    Length(usize),
    /// En morceaux, jusqu'à celui qui est vide.
    Chunks,
}

/// Les en-têtes qui disent où une requête commence, finit, et à qui elle va : chez eux rien n'est laissé de côté.
const FRAMING: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "expect"];

/// Le début du nom des seuls témoins qui sont à nous.
const OWN_COOKIES: &str = "calvalot";

/// Lit la tête au début de `bytes` ; `None` tant qu'il manque des octets.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Result<Option<Head>, ApiError> {
    let mut headers = vec![EMPTY_HEADER; limits.headers];
    let mut parsed = httparse::Request::new(&mut headers);
    let window = &bytes[..bytes.len().min(limits.head)];
    let size = match parsed.parse(window) {
        Ok(Status::Complete(size)) => size,
        Ok(Status::Partial) if bytes.len() < limits.head => return Ok(None),
        Ok(Status::Partial) => return Err(too_long(window)),
        Err(error) => return Err(unreadable(error, window)),
    };
    if has_lone_line_feed(&window[..size]) {
        return Err(bad("lines must end with CR LF"));
    }
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version) else {
        return Err(bad("the request line is incomplete"));
    };
    let method = known_method(method)?;
    let fields = Fields::read(parsed.headers, minor, limits)?;
    let url = url(target, fields.host)?;

    let mut request = http_types::Request::new(method, url);
    request.set_version(Some(if minor == 0 { Version::Http1_0 } else { Version::Http1_1 }));
    for (name, value) in fields.kept {
        request.append_header(name, value);
    }
    Ok(Some(Head {
        size,
        body: fields.body,
        expects_continue: fields.expects_continue,
        keep_alive: minor == 1 && !fields.close,
        request,
    }))
}

/// Ce que disent les en-têtes.
struct Fields<'a> {
    host: Option<&'a str>,
    body: Body,
    close: bool,
    expects_continue: bool,
    kept: Vec<(HeaderName, HeaderValue)>,
}

impl<'a> Fields<'a> {
    fn read(headers: &[httparse::Header<'a>], minor: u8, limits: &Limits) -> Result<Self, ApiError> {
        let mut fields = Fields {
            host: None,
            body: Body::Length(0),
            close: false,
            expects_continue: false,
            kept: Vec::with_capacity(headers.len()),
        };
        let (mut length, mut coding) = (None, None);
        for header in headers {
            let lower = header.name.to_ascii_lowercase();
            if lower == "cookie" {
                fields.keep_own_cookies(header.value);
                continue;
            }
            let value = std::str::from_utf8(header.value).ok().filter(|value| value.is_ascii());
            let Some(value) = value else {
                if FRAMING.contains(&lower.as_str()) {
                    return Err(bad(format!("the {} header must be ASCII", header.name)));
                }
                continue;
            };
            match lower.as_str() {
                "host" => once(&mut fields.host, value, "Host")?,
                "content-length" => once(&mut length, value, "Content-Length")?,
                "transfer-encoding" => once(&mut coding, value, "Transfer-Encoding")?,
                "connection" => fields.close |= has_token(value, "close"),
                "expect" if minor == 1 => fields.expects_continue = expectation(value)?,
                _ => {}
            }
            fields.keep(header.name, value)?;
        }
        if fields.host.is_none() && minor == 1 {
            return Err(bad("the Host header is missing"));
        }
        fields.body = body(length, coding, minor, limits.body)?;
        Ok(fields)
    }

    fn keep(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        let name = HeaderName::from_bytes(name.as_bytes().to_vec());
        let name = name.map_err(|_| bad("header names must be ASCII"))?;
        let value = HeaderValue::from_bytes(value.as_bytes().to_vec());
        self.kept.push((name, value.map_err(|_| bad("header values must be ASCII"))?));
        Ok(())
    }

    /// Le navigateur envoie à tous les ports d'une machine les témoins posés par les autres programmes, avec n'importe quels
    /// octets : aucun ne doit coûter sa page à quelqu'un, et seuls les nôtres vont plus loin.
    fn keep_own_cookies(&mut self, value: &[u8]) {
        let pairs = value.split(|byte| *byte == b';').filter_map(|pair| std::str::from_utf8(pair).ok());
        let own = pairs
            .map(str::trim)
            .filter(|pair| pair.starts_with(OWN_COOKIES) && pair.bytes().all(|byte| byte.is_ascii_graphic()));
        for pair in own {
            // Des octets visibles d'ASCII : rien ne peut y manquer.
            if self.keep("cookie", pair).is_err() {
                log::debug!("cookie_dropped");
            }
        }
    }
}

fn once<'a>(slot: &mut Option<&'a str>, value: &'a str, name: &str) -> Result<(), ApiError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(bad(format!("the {name} header must be sent once"))),
    }
}

fn has_token(list: &str, token: &str) -> bool {
    list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token))
}

fn expectation(value: &str) -> Result<bool, ApiError> {
    if value.eq_ignore_ascii_case("100-continue") {
        return Ok(true);
    }
    let status = StatusCode::ExpectationFailed;
    Err(ApiError::new(status, "the only expectation known here is 100-continue"))
}

fn body(length: Option<&str>, coding: Option<&str>, minor: u8, limit: usize) -> Result<Body, ApiError> {
    match (length, coding) {
        (None, None) => Ok(Body::Length(0)),
        (Some(_), Some(_)) => Err(bad("Content-Length and Transfer-Encoding contradict each other")),
        (None, Some(_)) if minor == 0 => Err(bad("HTTP/1.0 has no Transfer-Encoding")),
        (None, Some(coding)) if coding.eq_ignore_ascii_case("chunked") => Ok(Body::Chunks),
        (None, Some(_)) => {
            Err(ApiError::new(StatusCode::NotImplemented, "this transfer coding is not known here"))
        }
        (Some(digits), None) => parse_length(digits, limit).map(Body::Length),
    }
}

fn parse_length(digits: &str, limit: usize) -> Result<usize, ApiError> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad("Content-Length must be a whole number"));
    }
    // Que des chiffres : ce qui ne tient pas dans un usize est trop grand, comme le reste.
    match digits.parse::<usize>() {
        Ok(length) if length <= limit => Ok(length),
        _ => Err(too_large(limit)),
    }
}

/// Le refus d'un corps de plus de `limit` octets.
pub(super) fn too_large(limit: usize) -> ApiError {
    let message = format!("the body must not be larger than {limit} bytes");
    ApiError::new(StatusCode::PayloadTooLarge, message)
}

fn known_method(method: &str) -> Result<Method, ApiError> {
    // http_types ignore la casse ; pour HTTP, `get` n'est pas GET.
    let upper = !method.bytes().any(|byte| byte.is_ascii_lowercase());
    let method = method.parse().ok().filter(|_| upper);
    method.ok_or_else(|| ApiError::new(StatusCode::NotImplemented, "this method is not known here"))
}

/// L'adresse demandée. Une cible absolue doit nommer le même hôte que `Host` : la RFC 9112 la ferait gagner, ce qui
/// donnerait deux hôtes à la même requête.
fn url(target: &str, host: Option<&str>) -> Result<Url, ApiError> {
    if !target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#' && byte != b'\\') {
        return Err(bad("the request target has a character that must be percent-encoded"));
    }
    if host.is_some_and(|host| Host::parse(host).is_none()) {
        return Err(bad("the Host header is not a host name with an optional port"));
    }
    let path = match target.split_once("://") {
        Some((scheme, rest)) if !target.starts_with('/') => {
            let start = rest.find(['/', '?']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(start);
            let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
            let same = host.is_none_or(|host| Host::parse(host) == Host::parse(authority));
            if !web || !same || Host::parse(authority).is_none() {
                return Err(bad("an absolute target must name the same host as the Host header"));
            }
            path
        }
        _ if target.starts_with('/') => target,
        _ => return Err(bad("the request target must be a path")),
    };
    // Seul le chemin sert au routage ; sans Host (HTTP/1.0) il faut tout de même un hôte pour former une adresse.
    let url = Url::parse(&format!("http://{}{path}", host.unwrap_or("localhost")));
    url.map_err(|_| bad("the request target cannot be read"))
}

fn has_lone_line_feed(head: &[u8]) -> bool {
    let follows_cr = |at: usize| at > 0 && head[at - 1] == b'\r';
    head.iter().enumerate().any(|(at, byte)| *byte == b'\n' && !follows_cr(at))
}

fn too_long(window: &[u8]) -> ApiError {
    let limit = window.len();
    if window.trim_ascii_start().contains(&b'\n') {
        let message = format!(
            "the browser sent more than {limit} bytes of headers, most likely cookies that other programs left under this \
             name: delete the cookies of this address, or open the page under another name or by its number"
        );
        return ApiError::new(StatusCode::RequestHeaderFieldsTooLarge, message);
    }
    ApiError::new(StatusCode::UriTooLong, format!("the address must be shorter than {limit} bytes"))
}

/// Vrai si cette tête, même coupée, est celle d'une page que quelqu'un ouvre : lui lit une phrase, un programme du JSON.
pub(super) fn opens_a_page(bytes: &[u8]) -> bool {
    let mut lines = bytes.trim_ascii_start().split(|byte| *byte == b'\n');
    let asks = lines.next().is_some_and(|line| line.starts_with(b"GET /") && !line.starts_with(b"GET /api/"));
    asks && lines.any(|line| {
        let line = String::from_utf8_lossy(line).to_ascii_lowercase();
        line.strip_prefix("accept:").is_some_and(|kinds| kinds.contains("text/html"))
    })
}

fn unreadable(error: httparse::Error, window: &[u8]) -> ApiError {
    match error {
        httparse::Error::TooManyHeaders => {
            ApiError::new(StatusCode::RequestHeaderFieldsTooLarge, "the request has too many headers")
        }
        httparse::Error::Version if names_a_version(window) => {
            ApiError::new(StatusCode::HttpVersionNotSupported, "only HTTP/1.0 and HTTP/1.1 are spoken here")
        }
        httparse::Error::HeaderName => bad("a header name has a forbidden character"),
        httparse::Error::HeaderValue => bad("a header value has a forbidden character"),
        _ => bad("this is not an HTTP/1.1 request"),
    }
}

/// Vrai si la ligne de requête finit comme `HTTP/2.0` : une autre version, et non du bruit.
fn names_a_version(window: &[u8]) -> bool {
    let line = window.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let last = line.trim_ascii_end().rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    last.strip_prefix(b"HTTP/").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit))
}

fn bad(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_read_past_them(
            start in prop::sample::select(vec!["", "GET / HTTP/1.1\r\nHost: ", "GET http://a", "POST /"]),
            noise in prop::collection::vec(any::<u8>(), 0..200),
            end in prop::sample::select(vec!["", "\r\n\r\n", " HTTP/1.1\r\nHost: a\r\n\r\n"]),
        ) {
            let bytes = [start.as_bytes(), &noise, end.as_bytes()].concat();
            if let Ok(Some(head)) = parse(&bytes, &Limits::default()) {
                prop_assert!(head.size <= bytes.len());
            }
        }

        #[test]
        fn printable_targets_and_hosts_never_make_it_panic(target in "[!-~]{0,40}", host in "[ -~]{0,40}") {
            let text = format!("GET /{target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            if let Ok(head) = parse(text.as_bytes(), &Limits::default()) {
                prop_assert_eq!(head.map(|head| head.size), Some(text.len()));
            }
        }
    }
}
