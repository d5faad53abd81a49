//! La vie d'une connexion : lire une requête entière, la confier à tide, envoyer la réponse, recommencer, se fermer.
//!
//! Chaque attente a son échéance, hors celle du prochain morceau d'un `Feed`, et chaque tampon sa borne. Les requêtes
//! enchaînées sont servies l'une après l'autre, dans l'ordre. Invariant : après un refus rien n'est plus lu comme une
//! requête, la connexion se ferme.

use std::future::Future;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use async_io::{Async, Timer};
use http_types::{Method, Response, StatusCode, Version};
use smol::future::{self, FutureExt};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::stream::{Stream, StreamExt};

use super::Limits;
use super::answers::{Answers, Held, Lasting};
use super::chunks::Chunks;
use super::feed::Feed;
use super::head::{self, Body, Head};
use super::places::{Phase, Place};
use super::reply::{self, Framing};
use crate::api::errors::ApiError;

/// Octets demandés à la socket en une fois.
const READ: usize = 4096;
/// Octets jetés au plus, pour qu'un client refusé ait le temps de lire pourquoi.
const DISCARDED: usize = 256 * 1024;
/// Durée de cette dernière attente.
const LINGER: Duration = Duration::from_secs(1);

pub(super) struct Connection<'a, S> {
    stream: &'a Async<TcpStream>,
    peer: SocketAddr,
    app: &'a tide::Server<S>,
    limits: &'a Limits,
    answers: &'a Answers,
    place: &'a Place,
    /// Ce qui est lu et pas encore servi.
    buffer: Vec<u8>,
}

/// Ce qu'une lecture a donné.
enum Read {
    Bytes,
    End,
    TooLate,
}

/// Une requête entière et le cadrage de sa réponse.
struct Asked {
    request: http_types::Request,
    framing: Framing,
}

impl<'a, S> Connection<'a, S>
where
    S: Clone + Send + Sync + 'static,
{
    pub(super) fn new(
        stream: &'a Async<TcpStream>,
        peer: SocketAddr,
        app: &'a tide::Server<S>,
        (limits, answers): (&'a Limits, &'a Answers),
        place: &'a Place,
    ) -> Self {
        Connection { stream, peer, app, limits, answers, place, buffer: Vec::new() }
    }

    /// Sert la connexion jusqu'à sa fin.
    pub(super) async fn run(mut self) {
        if let Err(error) = self.serve().await {
            log::debug!("connection_lost peer={} error=\"{error}\"", self.peer);
        }
    }

    async fn serve(&mut self) -> io::Result<()> {
        let mut wait = self.limits.request;
        while self.wait_for_first_byte(wait).await? {
            wait = self.limits.idle;
            let asked = match self.read_request().await? {
                Ok(asked) => asked,
                Err(refusal) => return self.refuse(refusal).await,
            };
            let mut framing = asked.framing;
            self.place.enter(Phase::Answering);
            let mut response = self.answer(asked.request).await;
            if let Some(pieces) = Feed::take_from(&mut response) {
                if !self.place.stopping() {
                    return self.relay(response, pieces, framing).await;
                }
                response = ApiError::unavailable("the program is stopping").into_response().into();
            }
            framing.keep_alive &= !self.place.stopping();
            let _held = self.hold(&mut response);
            if !self.send(response, framing).await? {
                return self.hang_up().await;
            }
            self.place.enter(Phase::Idle);
            // Un client qui enchaîne sans répit ne prend pas le fil aux autres.
            future::yield_now().await;
        }
        Ok(())
    }

    /// Attend qu'une requête commence ; faux s'il n'y en aura plus.
    async fn wait_for_first_byte(&mut self, limit: Duration) -> io::Result<bool> {
        let deadline = Instant::now() + limit;
        loop {
            // Certains clients ajoutent une ligne vide après un corps : elle n'est le début de rien.
            while self.buffer.starts_with(b"\r\n") {
                self.buffer.drain(..2);
            }
            if !self.buffer.is_empty() {
                return Ok(true);
            }
            if self.place.stopping() {
                return Ok(false);
            }
            self.buffer = Vec::new();
            if !matches!(self.fill(deadline).await?, Read::Bytes) {
                return Ok(false);
            }
        }
    }

    async fn read_request(&mut self) -> io::Result<Result<Asked, ApiError>> {
        self.place.enter(Phase::Reading);
        let deadline = Instant::now() + self.limits.request;
        let mut unread = 0;
        let mut head = loop {
            // Une tête qui goutte n'est pas relue à chaque octet : seule une ligne de plus peut changer ce qu'on en pense.
            let news = &self.buffer[unread..];
            if unread == 0 || news.contains(&b'\n') || self.buffer.len() >= self.limits.head {
                match head::parse(&self.buffer, self.limits) {
                    Ok(Some(head)) => break head,
                    Ok(None) => {}
                    Err(refusal) => return Ok(Err(refusal)),
                }
            }
            unread = self.buffer.len();
            if let Some(refusal) = unfinished(self.fill(deadline).await?) {
                return Ok(Err(refusal));
            }
        };
        if let Some(refusal) = self.read_body(&mut head, deadline).await? {
            return Ok(Err(refusal));
        }
        let framing = Framing {
            head_only: head.request.method() == Method::Head,
            old_client: head.request.version() == Some(Version::Http1_0),
            keep_alive: head.keep_alive,
        };
        head.request.set_peer_addr(Some(self.peer));
        Ok(Ok(Asked { request: head.request, framing }))
    }

    async fn read_body(&mut self, head: &mut Head, deadline: Instant) -> io::Result<Option<ApiError>> {
        let arrived = self.buffer.len() - head.size;
        let awaited = match head.body {
            Body::Length(length) => arrived < length,
            Body::Chunks => arrived == 0,
        };
        if head.expects_continue && awaited {
            let go_on = reply::write_all(self.stream, b"HTTP/1.1 100 Continue\r\n\r\n");
            before(deadline, go_on).await.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))?;
        }
        let body = match head.body {
            Body::Length(length) => {
                let whole = head.size + length;
                while self.buffer.len() < whole {
                    if let Some(refusal) = unfinished(self.fill(deadline).await?) {
                        return Ok(Some(refusal));
                    }
                }
                let body = self.buffer[head.size..whole].to_vec();
                self.buffer.drain(..whole);
                body
            }
            Body::Chunks => {
                self.buffer.drain(..head.size);
                let mut chunks = Chunks::new(self.limits.body);
                loop {
                    match chunks.read(&mut self.buffer) {
                        Ok(true) => break chunks.into_body(),
                        Ok(false) => {}
                        Err(refusal) => return Ok(Some(refusal)),
                    }
                    if let Some(refusal) = unfinished(self.fill(deadline).await?) {
                        return Ok(Some(refusal));
                    }
                }
            }
        };
        if !body.is_empty() {
            head.request.set_body(body);
        }
        Ok(None)
    }

    async fn answer(&self, mut request: http_types::Request) -> Response {
        request.ext_mut().insert(self.answers.room());
        let (method, path) = (request.method(), request.url().path().to_owned());
        let answer = AssertUnwindSafe(self.app.respond::<_, Response>(request)).catch_unwind();
        match before(Instant::now() + self.limits.answer, answer).await {
            Some(Ok(Ok(response))) => response,
            Some(Ok(Err(error))) => {
                log::error!("request_failed method={method} path={path} error=\"{error}\"");
                ApiError::internal().into_response().into()
            }
            Some(Err(_)) => {
                log::error!("handler_panicked method={method} path={path}");
                ApiError::internal().into_response().into()
            }
            None => {
                log::error!("answer_too_slow method={method} path={path}");
                let message = "the answer took too long; look at the state before trying again";
                let late = ApiError::new(StatusCode::ServiceUnavailable, message);
                late.into_response().into()
            }
        }
    }

    /// La place de cette réponse parmi celles qui sont en route ; s'il n'y en a plus, elle devient un refus, qui n'en prend pas.
    fn hold(&self, response: &mut Response) -> Option<Held> {
        if response.ext().get::<Lasting>().is_some() {
            return None;
        }
        let held = self.answers.hold(response.len().unwrap_or_default());
        if held.is_none() {
            log::debug!("answer_held_back peer={} size={:?}", self.peer, response.len());
            *response = ApiError::no_room().into_response().into();
        }
        held
    }

    async fn send(&self, response: Response, framing: Framing) -> io::Result<bool> {
        self.place.enter(Phase::Writing);
        self.in_time(reply::send(self.stream, response, framing)).await
    }

    /// Relaie une réponse sans fin jusqu'à ce que son client parte ou ne lise plus.
    async fn relay(
        &self,
        response: Response,
        mut pieces: impl Stream<Item = String> + Unpin,
        framing: Framing,
    ) -> io::Result<()> {
        self.place.enter(Phase::Streaming);
        let relaying = async move {
            self.in_time(reply::begin(self.stream, &response, framing)).await?;
            let mut ended = framing.head_only;
            while !ended {
                let piece = pieces.next().await.unwrap_or_default();
                ended = piece.is_empty();
                self.in_time(reply::send_piece(self.stream, &piece, framing)).await?;
            }
            Ok(())
        };
        // Rien n'est attendu de lui : un octet, une fin ou une erreur, il en a fini.
        let (mut stream, mut byte) = (self.stream, [0]);
        let leaving = async { stream.read(&mut byte).await.map(drop) };
        future::or(relaying, leaving).await?;
        self.hang_up().await
    }

    async fn in_time<T>(&self, writing: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let written = before(Instant::now() + self.limits.write, writing).await;
        written.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn refuse(&self, refusal: ApiError) -> io::Result<()> {
        log::debug!("request_refused peer={} reason=\"{refusal}\"", self.peer);
        let framing = Framing { head_only: false, old_client: false, keep_alive: false };
        let response = match head::opens_a_page(&self.buffer) {
            true => refusal.into_page(),
            false => refusal.into_response(),
        };
        self.send(response.into(), framing).await?;
        self.hang_up().await
    }

    /// Ferme sans perdre la réponse : une socket fermée avec des octets non lus envoie un RST, qui l'effacerait chez le
    /// client. On annonce donc la fin, puis on jette un peu ce qui arrive encore.
    async fn hang_up(&self) -> io::Result<()> {
        self.place.enter(Phase::Idle);
        self.stream.get_ref().shutdown(Shutdown::Write)?;
        if self.place.stopping() {
            return Ok(());
        }
        let mut stream = self.stream;
        let discard = async {
            let mut bin = vec![0; READ];
            let mut discarded = 0;
            while discarded < DISCARDED {
                match stream.read(&mut bin).await? {
                    0 => break,
                    size => discarded += size,
                }
            }
            Ok(())
        };
        before(Instant::now() + LINGER, discard).await.unwrap_or(Ok(()))
    }

    async fn fill(&mut self, deadline: Instant) -> io::Result<Read> {
        let old = self.buffer.len();
        self.buffer.resize(old + READ, 0);
        let mut stream = self.stream;
        let read = before(deadline, stream.read(&mut self.buffer[old..])).await;
        let size = match &read {
            Some(Ok(size)) => *size,
            _ => 0,
        };
        self.buffer.truncate(old + size);
        match read {
            None => Ok(Read::TooLate),
            Some(Ok(0)) => Ok(Read::End),
            Some(Ok(_)) => Ok(Read::Bytes),
            Some(Err(error)) => Err(error),
        }
    }
}

/// Le refus d'une requête qui ne finit pas d'arriver.
fn unfinished(read: Read) -> Option<ApiError> {
    let (status, message) = match read {
        Read::Bytes => return None,
        Read::End => (StatusCode::BadRequest, "the connection ended inside the request"),
        Read::TooLate => (StatusCode::RequestTimeout, "the request took too long to arrive"),
    };
    Some(ApiError::new(status, message))
}

/// Le résultat de `work`, ou `None` si l'échéance passe avant.
pub(in crate::api) async fn before<T>(deadline: Instant, work: impl Future<Output = T>) -> Option<T> {
    let late = async {
        Timer::at(deadline).await;
        None
    };
    future::or(async { Some(work.await) }, late).await
}

/// Refuse une connexion sans place, sans jamais attendre : ce qui ne part pas d'un coup est perdu.
pub(super) async fn turn_away(mut stream: &Async<TcpStream>) {
    let text = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    if future::poll_once(stream.write_all(text.as_bytes())).await.is_none() {
        log::debug!("connection_turned_away answer=lost");
    }
}
