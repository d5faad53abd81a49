//! Une demande au programme qui tourne sur cette machine, par la boucle locale et rien d'autre.
//!
//! Invariant : la réponse, quelle qu'elle soit, vient dans le temps permis, et ne dépasse pas [`LARGEST`].

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use miniserde::json::{self, Object, Value};

/// Pour une lecture, en tout ; le délai de l'image est plus long.
const TIME_LIMIT: Duration = Duration::from_secs(3);

/// Les réponses que l'on demande ainsi font quelques milliers d'octets.
const LARGEST: usize = 256 * 1024;

/// Ce qui a été répondu.
pub struct Answer {
    pub status: u16,
    /// Sans caractère qui salirait un terminal.
    pub body: String,
}

impl Answer {
    /// Le texte de ce champ de la réponse, un objet.
    pub fn said(&self, field: &str) -> Option<String> {
        text(json::from_str::<Object>(&self.body).ok()?.get(field)?)
    }

    /// Pourquoi c'est refusé, en une phrase.
    pub fn refusal(&self) -> String {
        self.said("error").unwrap_or_else(|| format!("status {} {}", self.status, self.body))
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// Lit `path`.
pub fn get(port: u16, path: &str) -> Result<Answer, String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    ask(port, &request, TIME_LIMIT)
}

/// Le programme sur ce port est bien calvalot.
///
/// # Errors
/// La phrase qui dit que rien ne répond, ou que c'est autre chose.
pub fn expect_calvalot(port: u16) -> Result<(), String> {
    let health = get(port, "/health")?;
    let ours = health.body.contains("\"service\":\"calvalot\"");
    if ours { Ok(()) } else { Err(format!("what answers on port {port} is not calvalot")) }
}

/// Envoie `body`, du JSON, à `path` ; la réponse a `limit` pour venir.
pub fn send(port: u16, method: &str, path: &str, body: &str, limit: Duration) -> Result<Answer, String> {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    ask(port, &request, limit)
}

fn ask(port: u16, request: &str, limit: Duration) -> Result<Answer, String> {
    let deadline = Instant::now() + limit;
    let answer = converse(port, request, deadline).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("no answer on port {port} within {} s", limit.as_secs())
        }
        _ => format!("no answer on port {port}: {error}"),
    })?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("an answer that is not whole")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Ok(Answer { status, body: body.chars().filter(|character| !character.is_control()).collect() })
}

fn converse(port: u16, request: &str, deadline: Instant) -> std::io::Result<String> {
    let mut stream = connect(port, deadline)?;
    stream.set_write_timeout(Some(left(deadline)?))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while answer.len() < LARGEST {
        stream.set_read_timeout(Some(left(deadline)?))?;
        match stream.read(&mut piece)? {
            0 => break,
            count => answer.extend_from_slice(&piece[..count]),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Le programme écoute IPv4 et IPv6 ensemble, ou l'un des deux.
fn connect(port: u16, deadline: Instant) -> std::io::Result<TcpStream> {
    let at = |address: IpAddr| {
        let limit = left(deadline)?;
        TcpStream::connect_timeout(&SocketAddr::new(address, port), limit)
    };
    at(Ipv4Addr::LOCALHOST.into()).or_else(|error| at(Ipv6Addr::LOCALHOST.into()).map_err(|_| error))
}

/// Ce qui reste du temps permis ; une durée nulle voudrait dire sans limite.
fn left(deadline: Instant) -> std::io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(std::io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}
