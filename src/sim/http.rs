//! Le petit serveur HTTP/1.1 du monde simulé, sur la boucle locale, et les pannes telles qu'on les voit sur le fil.
//!
//! Il lit une requête entière (tête de 64 Ko, corps de 1 Mo au plus), demande à la contrepartie sa réponse, et
//! l'écrit, saine ou abîmée. Il ne connaît ni signal ni ordre. Le dernier octet de la requête reste dans le noyau
//! tant que le sort de la connexion n'est pas décidé : fermer avec un octet non lu est ce qui fait partir un RST.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Arc;

use smol::channel::{Receiver, Sender};
use smol::future::or;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::{Async, LocalExecutor, Task, Timer};

use super::fault::{Fault, Faults, Handling, Side, Wire};

const HEAD_LIMIT: usize = 64 * 1024;
const BODY_LIMIT: usize = 1024 * 1024;

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// Brute, sans le `?`, à l'octet près : la signature porte sur elle.
    pub(super) query: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    keep_alive: bool,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

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
        Reply::json(status, super::json::object! { "code": code, "msg": msg }.to_string())
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

/// Le leader ou la bourse, vus du serveur.
pub(super) trait Counterpart {
    /// Une requête est arrivée, quel que soit son sort.
    fn arrived(&self, path: &str);
    fn answer(&self, request: &Request) -> Reply;
}

/// Ouvre ou ferme le port ; `done` répond quand c'est fait.
pub(super) struct Gate {
    pub(super) open: bool,
    pub(super) done: Sender<io::Result<()>>,
}

pub(super) struct Site {
    pub(super) side: Side,
    pub(super) counterpart: Arc<dyn Counterpart + Send + Sync>,
    pub(super) faults: Arc<Faults>,
}

/// Sert jusqu'à ce que l'autre bout de `gate` disparaisse ; ses connexions s'en vont avec lui.
pub(super) async fn serve(
    executor: Rc<LocalExecutor<'_>>,
    listener: Async<TcpListener>,
    address: SocketAddr,
    gate: Receiver<Gate>,
    site: Rc<Site>,
) {
    enum Event {
        Gate(Option<Gate>),
        Accepted(io::Result<(Async<TcpStream>, SocketAddr)>),
    }
    let mut listener = Some(listener);
    let mut connections: Vec<Task<()>> = Vec::new();
    loop {
        let asked = async { Event::Gate(gate.recv().await.ok()) };
        let event = match &listener {
            Some(open) => or(asked, async { Event::Accepted(open.accept().await) }).await,
            None => asked.await,
        };
        match event {
            Event::Gate(None) => return,
            Event::Gate(Some(Gate { open: true, done })) => {
                let outcome = if listener.is_none() { reopen(address, &mut listener) } else { Ok(()) };
                answer_gate(&done, outcome).await;
            }
            Event::Gate(Some(Gate { open: false, done })) => {
                listener = None;
                for connection in connections.drain(..) {
                    connection.cancel().await;
                }
                answer_gate(&done, Ok(())).await;
            }
            Event::Accepted(Ok((stream, _))) => {
                connections.retain(|connection| !connection.is_finished());
                connections.push(executor.spawn(converse(stream, site.clone())));
            }
            Event::Accepted(Err(error)) => {
                log::debug!("accept_failed side={:?} error={error}", site.side)
            }
        }
    }
}

fn reopen(address: SocketAddr, listener: &mut Option<Async<TcpListener>>) -> io::Result<()> {
    *listener = Some(Async::<TcpListener>::bind(address)?);
    Ok(())
}

async fn answer_gate(done: &Sender<io::Result<()>>, outcome: io::Result<()>) {
    if done.send(outcome).await.is_err() {
        log::debug!("gate_abandoned");
    }
}

async fn converse(mut stream: Async<TcpStream>, site: Rc<Site>) {
    if let Err(error) = exchange_requests(&mut stream, &site).await {
        log::debug!("connection_ended side={:?} error={error}", site.side);
    }
}

async fn exchange_requests(stream: &mut Async<TcpStream>, site: &Site) -> io::Result<()> {
    stream.get_ref().set_nodelay(true)?;
    while let Some(request) = read_request(stream).await? {
        site.counterpart.arrived(&request.path);
        let fault = site.faults.strike(site.side, &request.method, &request.path).unwrap_or_else(Fault::none);
        Timer::after(fault.before).await;
        let reply = match fault.handling {
            Handling::Skipped => Reply::empty(200),
            Handling::Once => site.counterpart.answer(&request),
            Handling::Twice => {
                site.counterpart.answer(&request);
                site.counterpart.answer(&request)
            }
        };
        Timer::after(fault.after).await;
        if matches!(fault.wire, Wire::Reset) {
            return Ok(());
        }
        stream.read_exact(&mut [0]).await?;
        if !write_reply(stream, reply, fault.wire, request.keep_alive).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Vrai si la connexion peut servir encore.
async fn write_reply(
    stream: &mut Async<TcpStream>,
    mut reply: Reply,
    wire: Wire,
    keep_alive: bool,
) -> io::Result<bool> {
    match wire {
        Wire::AsIs => stream.write_all(&reply.bytes(keep_alive)).await?,
        Wire::Canned(other) => stream.write_all(&other.bytes(keep_alive)).await?,
        Wire::Rewrite { from, to } => {
            reply.body = String::from_utf8_lossy(&reply.body).replace(&from, &to).into_bytes();
            stream.write_all(&reply.bytes(keep_alive)).await?;
        }
        Wire::Nested(depth) => {
            let body = "[".repeat(depth) + &"]".repeat(depth);
            stream.write_all(&Reply::json(200, body).bytes(keep_alive)).await?;
        }
        Wire::LongHead(length) => {
            let reply = reply.header("X-Padding", &"a".repeat(length));
            stream.write_all(&reply.bytes(keep_alive)).await?;
        }
        Wire::Drip(interval) => {
            for byte in reply.bytes(keep_alive) {
                stream.write_all(&[byte]).await?;
                Timer::after(interval).await;
            }
        }
        Wire::Truncate => {
            stream.write_all(reply.head(reply.body.len().max(2), false).as_bytes()).await?;
            stream.write_all(&reply.body[..reply.body.len() / 2]).await?;
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

/// La requête suivante, moins son dernier octet qui reste à lire ; `None` si le client s'en est allé.
async fn read_request(stream: &mut Async<TcpStream>) -> io::Result<Option<Request>> {
    let mut buffer: Vec<u8> = Vec::new();
    let mut peeked = [0; 16 * 1024];
    loop {
        let ready = stream.peek(&mut peeked).await?;
        if ready == 0 {
            return Ok(None);
        }
        let read = buffer.len();
        buffer.extend_from_slice(&peeked[..ready]);
        if let Some((request, length)) = parse(&buffer)? {
            stream.read_exact(&mut peeked[..length - read - 1]).await?;
            return Ok(Some(request));
        }
        if buffer.len() > HEAD_LIMIT + BODY_LIMIT {
            return Err(io::Error::other("request too long"));
        }
        stream.read_exact(&mut peeked[..ready]).await?;
    }
}

/// La requête et le nombre d'octets qu'elle occupe, ou `None` s'il en manque.
fn parse(buffer: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut slots);
    let start = match head.parse(buffer).map_err(io::Error::other)? {
        httparse::Status::Complete(start) => start,
        httparse::Status::Partial if buffer.len() > HEAD_LIMIT => {
            return Err(io::Error::other("head too long"));
        }
        httparse::Status::Partial => return Ok(None),
    };
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let target = head.path.unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: head.method.unwrap_or("GET").to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Vec::new(),
        keep_alive: head.version == Some(1),
    };
    if request.header("Transfer-Encoding").is_some() {
        return Err(io::Error::other("chunked request"));
    }
    request.keep_alive &=
        request.header("Connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"));
    let length = match request.header("Content-Length") {
        Some(text) => text.parse::<usize>().map_err(io::Error::other)?,
        None => 0,
    };
    if length > BODY_LIMIT {
        return Err(io::Error::other("body too long"));
    }
    let end = start + length;
    Ok(buffer.get(start..end).map(|body| (Request { body: body.to_vec(), ..request }, end)))
}
