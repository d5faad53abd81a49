//! Le banc : un front sur une vraie socket, dans son propre fil, et un client qui écrit des octets bruts.
//!
//! Les délais du banc sont très longs : un test qui en veut un court le demande, et aucun ne dépend de la vitesse.

use std::future::pending;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use async_io::Async;
use calvalot::api::body::json_body;
use calvalot::api::errors::ApiError;
use calvalot::api::front::feed::Feed;
use calvalot::api::front::{Front, Limits};
use calvalot::api::guard::Guard;
use calvalot::api::json::json;
use calvalot::api::page;
use calvalot::api::parameters::{choice, limit};
use calvalot::api::routes::Routes;
use calvalot::network::Network;
use smol::channel::{Receiver, Sender, unbounded};
use smol::io::{AsyncBufRead, AsyncRead};
use smol::stream::{self, Stream, StreamExt};
use tide::{Body, Request, Response, StatusCode};

/// Bien plus que ce qu'une machine chargée demande ; ce n'est atteint que par un test qui échoue.
pub const LONG: Duration = Duration::from_secs(120);

pub fn patient() -> Limits {
    // `/large` fait 20 Mo.
    let answers = 64 << 20;
    Limits {
        request: LONG,
        answer: LONG,
        write: LONG,
        idle: 2 * LONG,
        stop: 2 * LONG,
        answers,
        ..Limits::default()
    }
}

/// Ce que les routes d'essai disent au test, et inversement.
#[derive(Clone)]
struct Signals {
    entered: Sender<()>,
    release: Receiver<()>,
    dropped: Sender<()>,
}

pub struct Server {
    pub address: SocketAddr,
    /// Une requête est entrée dans `/wait`.
    pub entered: Receiver<()>,
    /// Laisse sortir une requête de `/wait`.
    pub release: Sender<()>,
    /// Un corps sans fin a été abandonné.
    pub dropped: Receiver<()>,
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(limits: Limits) -> Server {
        Server::behind(limits, &[])
    }

    /// De même, derrière ces mandataires.
    pub fn behind(limits: Limits, proxies: &[&str]) -> Server {
        let proxies = proxies.iter().map(|proxy| Network::parse(proxy).expect("an address")).collect();
        let (entered_in, entered) = unbounded();
        let (release, release_out) = unbounded();
        let (dropped_in, dropped) = unbounded();
        let (stop, stopped) = unbounded::<()>();
        let signals = Signals { entered: entered_in, release: release_out, dropped: dropped_in };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let executor = Rc::new(smol::LocalExecutor::new());
            let front = Front::new(executor.clone(), app(signals, proxies), limits);
            let listeners = vec![Async::new(listener).unwrap()];
            let stop = async move {
                // Le signal est la fermeture du canal.
                while stopped.recv().await.is_ok() {}
            };
            smol::block_on(executor.run(front.serve(listeners, stop)));
        });
        Server { address, entered, release, dropped, stop, thread: Some(thread) }
    }

    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        Client { stream, buffer: Vec::new() }
    }

    /// Une nouvelle connexion est servie.
    #[track_caller]
    pub fn assert_serves(&self, after: &str) {
        let mut client = self.connect();
        client.send(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let reply = client.reply().unwrap_or_else(|| panic!("no answer after {after}"));
        assert_eq!((reply.status, reply.text()), (200, "hello"), "after {after}");
    }

    /// Demande l'arrêt, sans l'attendre.
    pub fn begin_stop(&self) {
        self.stop.close();
    }

    /// Attend que le front ait rendu la main ; échoue s'il a paniqué.
    pub fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.begin_stop();
        self.release.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the front panicked");
        }
    }
}

#[derive(miniserde::Deserialize)]
struct Amount {
    amount: u64,
}

fn app(signals: Signals, proxies: Vec<Network>) -> tide::Server<Signals> {
    let routes = Routes::new(signals)
        .get("/hello", |_| async { Ok("hello") })
        .post("/echo", |mut request: Request<Signals>| async move { request.body_bytes().await.map(bytes) })
        .put("/echo", |_| async { Ok("put") })
        .post("/amount", |mut request: Request<Signals>| async move {
            let body: Amount = json_body(&mut request, &["amount"], r#"{"amount": 50}"#).await?;
            Ok(json(StatusCode::Ok, &body.amount))
        })
        .get("/list", |request: Request<Signals>| async move {
            let period = choice(&request, "period", &[("1d", 1), ("1w", 7)])?;
            Ok(format!("{} {period:?}", limit(&request, 20, 100)?))
        })
        .get("/panic", panics)
        .get_by_any_name("/health", |_| async { Ok("well") })
        .post_even_bare("/turn", |_| async { Ok("turned") })
        .get("/api/figures", |_| async { Ok("7") })
        .get("/conflict", |_| async { Err::<Response, _>(ApiError::conflict("not now").into()) })
        .get("/broken", |_| async { Err::<Response, _>(tide::Error::from_str(500, "secret detail")) })
        .get("/plain", |_| async { Ok(Response::builder(503).body("plain").build()) })
        .get("/inject", |_| async { Ok(Response::builder(200).header("x-a", "b\r\nx-evil: 1").build()) })
        .get("/stream", |_| async { Ok(body(Body::from_reader(&b"streamed"[..], None))) })
        .get("/short", |_| async { Ok(body(Body::from_reader(&b"five!"[..], Some(10)))) })
        .get("/bad-body", |_| async { Ok(body(Body::from_reader(Panicking, Some(10)))) })
        .get("/large", |_| async { Ok(bytes(vec![b'x'; 20_000_000])) })
        .get("/endless", |request: Request<Signals>| async move {
            Ok(body(Body::from_reader(Endless { _told: Told(request.state().dropped.clone()) }, None)))
        })
        .get("/brief", |request| fed(request, stream::iter(["one\n".to_owned(), "two\n".to_owned()])))
        .get("/quiet", |request| fed(request, stream::once("here\n".to_owned()).chain(stream::pending())))
        .get("/flood", |request| fed(request, stream::repeat("x".repeat(4096))))
        .get("/late", |request: Request<Signals>| async move {
            request.state().entered.send(()).await?;
            request.state().release.recv().await?;
            fed(request, stream::pending()).await
        })
        .get("/never", |_| pending::<tide::Result<Response>>())
        .get("/wait", |request: Request<Signals>| async move {
            request.state().entered.send(()).await?;
            request.state().release.recv().await?;
            Ok("waited")
        });
    let guard = Guard::new(["calv.example.org", "Other.Example.", "not a name"]).behind(proxies);
    page::add_to(routes).guarded(guard)
}

async fn panics(request: Request<Signals>) -> tide::Result<Response> {
    panic!("a handler asked for {} panics", request.url().path())
}

fn bytes(bytes: Vec<u8>) -> Response {
    body(Body::from_bytes(bytes))
}

fn body(body: Body) -> Response {
    Response::builder(200).body(body).build()
}

/// Une réponse faite de ces morceaux, qui dit quand on l'abandonne.
async fn fed(
    request: Request<Signals>,
    pieces: impl Stream<Item = String> + Send + 'static,
) -> tide::Result<Response> {
    let told = Told(request.state().dropped.clone());
    let pieces = pieces.map(move |piece| {
        let _kept = &told;
        piece
    });
    let mut response = Response::new(StatusCode::Ok);
    response.insert_ext(Feed::new(pieces));
    Ok(response)
}

/// Dit quand ce qui la tient disparaît.
struct Told(Sender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.try_send(()).unwrap();
    }
}

/// Un corps dont la lecture panique.
struct Panicking;

impl AsyncRead for Panicking {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        panic!("a body panics")
    }
}

impl AsyncBufRead for Panicking {
    fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        panic!("a body panics")
    }

    fn consume(self: Pin<&mut Self>, _: usize) {}
}

/// Un corps sans fin, qui dit quand on l'abandonne.
struct Endless {
    _told: Told,
}

impl AsyncRead for Endless {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        out.fill(b'x');
        Poll::Ready(Ok(out.len()))
    }
}

impl AsyncBufRead for Endless {
    fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Poll::Ready(Ok(&[b'x'; 4096]))
    }

    fn consume(self: Pin<&mut Self>, _: usize) {}
}

pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub fn assert_is_json_error(&self, case: &str) {
        assert_eq!(self.header("content-type"), Some("application/json"), "{case}");
        assert!(self.text().starts_with(r#"{"error":""#), "{case}: {}", self.text());
    }
}

impl Client {
    /// Envoie ; un front qui a déjà refusé et fermé n'est pas une erreur ici.
    pub fn send(&mut self, bytes: &[u8]) {
        if let Err(error) = self.stream.write_all(bytes) {
            assert!(error.kind() != io::ErrorKind::WouldBlock, "the front no longer reads");
        }
    }

    pub fn half_close(&self) {
        // Une connexion déjà fermée en face ne peut plus l'être : rien à vérifier.
        self.stream.shutdown(Shutdown::Write).ok();
    }

    /// La réponse suivante, ou `None` si la connexion se ferme avant sa tête.
    pub fn reply(&mut self) -> Option<Reply> {
        let mut reply = self.head()?;
        reply.body = match (reply.header("content-length"), reply.header("transfer-encoding")) {
            (Some(length), _) => self.take(length.parse().unwrap()),
            (None, Some("chunked")) => self.chunks(),
            _ if reply.status == 100 || reply.status == 304 => Vec::new(),
            _ => self.rest(),
        };
        Some(reply)
    }

    /// La tête de la réponse suivante, sans son corps.
    pub fn head(&mut self) -> Option<Reply> {
        let end = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end;
            }
            if self.read() == 0 {
                return None;
            }
        };
        let head = String::from_utf8(self.take(end + 4)).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
        let pair = |line: &str| line.split_once(": ").map(|(key, value)| (key.to_owned(), value.to_owned()));
        Some(Reply { status, headers: lines.map(|line| pair(line).unwrap()).collect(), body: Vec::new() })
    }

    /// Tout ce qui arrive jusqu'à la fermeture.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.read() > 0 {}
        std::mem::take(&mut self.buffer)
    }

    /// Vrai dès que le front a dit quelque chose ou fermé ; n'attend pas.
    pub fn has_news(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        !matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let chunk = self.chunk();
            if chunk.is_empty() {
                return body;
            }
            body.extend(chunk);
        }
    }

    /// Le morceau suivant ; le dernier est vide.
    pub fn chunk(&mut self) -> Vec<u8> {
        while find(&self.buffer, b"\r\n").is_none() {
            assert!(self.read() > 0, "the chunks stop early");
        }
        let line = find(&self.buffer, b"\r\n").unwrap();
        let size = String::from_utf8(self.take(line + 2)).unwrap();
        let chunk = self.take(usize::from_str_radix(size.trim(), 16).unwrap());
        assert_eq!(self.take(2), b"\r\n");
        chunk
    }

    fn take(&mut self, size: usize) -> Vec<u8> {
        while self.buffer.len() < size && self.read() > 0 {}
        self.buffer.drain(..size.min(self.buffer.len())).collect()
    }

    fn read(&mut self) -> usize {
        let mut piece = [0; 65536];
        match self.stream.read(&mut piece) {
            Ok(size) => {
                self.buffer.extend_from_slice(&piece[..size]);
                size
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("the front neither answers nor closes: {error}"),
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
