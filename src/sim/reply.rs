//! Une réponse HTTP, et son écriture sur le fil, saine ou abîmée par une panne.
//!
//! Les réponses toutes faites sont celles qu'un client rencontre devant la vraie bourse : débit, bannissement,
//! pare-feu, redirection. Un corps énorme est écrit par morceaux, jamais entier en mémoire.

use std::io;
use std::net::TcpStream;

use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::{Async, Timer};

use super::fault::Wire;
use super::json::object;

/// Une réponse entière, prête à être écrite.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn empty(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn json(status: u16, body: String) -> Reply {
        let reply = Reply { body: body.into_bytes(), ..Reply::empty(status) };
        reply.header("Content-Type", "application/json;charset=UTF-8")
    }

    pub fn html(status: u16, body: &str) -> Reply {
        Reply { body: body.into(), ..Reply::empty(status) }.header("Content-Type", "text/html")
    }

    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// La forme des refus de la bourse : `{"code":-1007,"msg":"…"}`.
    pub fn code(status: u16, code: i64, msg: &str) -> Reply {
        Reply::json(status, object! { "code": code, "msg": msg }.to_string())
    }

    /// Limite de débit atteinte.
    pub fn too_many_requests(retry_after: u32) -> Reply {
        Reply::code(429, -1003, "Too many requests; current limit is 6000 requests per 1 MINUTE.")
            .header("Retry-After", &retry_after.to_string())
    }

    /// Adresse bannie jusqu'à `until_ms`.
    pub fn banned(retry_after: u32, until_ms: i64) -> Reply {
        let msg = format!("Way too much request weight used; IP banned until {until_ms}.");
        Reply::code(418, -1003, &msg).header("Retry-After", &retry_after.to_string())
    }

    /// Le pare-feu qui précède la bourse.
    pub fn firewall() -> Reply {
        Reply::html(
            403,
            "<html><head><title>403 Forbidden</title></head><body>Request blocked.</body></html>",
        )
    }

    pub fn restricted_location() -> Reply {
        Reply::code(451, 0, "Service unavailable from a restricted location according to 'b. Eligibility'.")
    }

    pub fn redirect(location: &str) -> Reply {
        Reply::empty(301).header("Location", location)
    }

    fn head(&self, length: usize, keep_alive: bool) -> String {
        let connection = if keep_alive { "keep-alive" } else { "close" };
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // Un 204 n'a ni corps ni longueur (RFC 9110, 8.6).
        if self.status != 204 {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head.push_str(&format!("Connection: {connection}\r\n\r\n"));
        head
    }

    fn bytes(&self, keep_alive: bool) -> Vec<u8> {
        let mut bytes = self.head(self.body.len(), keep_alive).into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Ce que devient une réponse que la panne laisse entière ; les autres pannes n'y changent rien.
    pub(super) fn reshaped(mut self, wire: &Wire) -> Reply {
        match wire {
            Wire::Canned(other) => other.clone(),
            Wire::Rewrite { from, to } => {
                self.body = String::from_utf8_lossy(&self.body).replace(from, to).into_bytes();
                self
            }
            Wire::Nested(depth) => Reply::json(200, "[".repeat(*depth) + &"]".repeat(*depth)),
            Wire::LongHead(length) => self.header("X-Padding", &"a".repeat(*length)),
            _ => self,
        }
    }

    /// Vrai si la connexion peut servir encore.
    pub(super) async fn write(
        self,
        stream: &mut Async<TcpStream>,
        wire: Wire,
        keep_alive: bool,
    ) -> io::Result<bool> {
        match wire {
            Wire::AsIs | Wire::Canned(_) | Wire::Rewrite { .. } | Wire::Nested(_) | Wire::LongHead(_) => {
                stream.write_all(&self.reshaped(&wire).bytes(keep_alive)).await?;
            }
            Wire::Drip(interval) => {
                for byte in self.bytes(keep_alive) {
                    stream.write_all(&[byte]).await?;
                    Timer::after(interval).await;
                }
            }
            Wire::Truncate => {
                stream.write_all(self.head(self.body.len().max(2), false).as_bytes()).await?;
                stream.write_all(&self.body[..self.body.len() / 2]).await?;
                return Ok(false);
            }
            Wire::Huge(length) => {
                write_huge(stream, length).await?;
                return Ok(false);
            }
            Wire::Endless => return write_endless(stream).await,
            Wire::Raw(bytes) => {
                stream.write_all(&bytes).await?;
                return Ok(false);
            }
            Wire::Silence => {
                while stream.read(&mut [0; 1024]).await? > 0 {}
                return Ok(false);
            }
            Wire::Close | Wire::Reset => return Ok(false),
        }
        Ok(keep_alive)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        418 => "I'm a teapot",
        429 => "Too Many Requests",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

async fn write_huge(stream: &mut Async<TcpStream>, length: u64) -> io::Result<()> {
    let opening = br#"{"padding":""#;
    let closing = br#""}"#;
    let frame = (opening.len() + closing.len()) as u64;
    let head =
        Reply::json(200, String::new()).head(usize::try_from(length.max(frame)).unwrap_or(usize::MAX), false);
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(opening).await?;
    let chunk = [b'a'; 64 * 1024];
    let mut left = length.saturating_sub(frame);
    while left > 0 {
        let size = left.min(chunk.len() as u64) as usize;
        stream.write_all(&chunk[..size]).await?;
        left -= size as u64;
    }
    stream.write_all(closing).await
}

/// Ne finit que par une erreur : le client s'en est allé.
async fn write_endless(stream: &mut Async<TcpStream>) -> io::Result<bool> {
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n")
        .await?;
    let chunk = format!("4000\r\n{}\r\n", "[],".repeat(0x4000 / 3 + 1).split_at(0x4000).0);
    loop {
        stream.write_all(chunk.as_bytes()).await?;
    }
}
