//! Le petit serveur HTTP/1.1 du monde simulé, sur la boucle locale.
//!
//! Il lit une requête entière (tête de 64 Ko, corps de 1 Mo au plus), la remet à [`Direct`] et écrit ce qui en
//! revient. Il ne connaît ni signal ni ordre. Le dernier octet de la requête reste dans le noyau
//! tant que le sort de la connexion n'est pas décidé : fermer avec un octet non lu est ce qui fait partir un RST.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;

use smol::channel::{Receiver, Sender};
use smol::future::or;
use smol::io::AsyncReadExt;
use smol::{Async, LocalExecutor, Task, Timer};

use super::direct::Direct;
use super::fault::Side;
use super::request::Request;
use super::wire::Wire;

const HEAD_LIMIT: usize = 64 * 1024;
const BODY_LIMIT: usize = 1024 * 1024;

/// Ouvre ou ferme le port ; `done` répond quand c'est fait.
pub(super) struct Gate {
    pub(super) open: bool,
    pub(super) done: Sender<io::Result<()>>,
}

pub(super) struct Site {
    pub(super) side: Side,
    pub(super) direct: Direct,
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
        let keep_alive = request.keep_alive();
        let arrival = site.direct.receive(site.side, request);
        Timer::after(arrival.before).await;
        let after = arrival.after;
        let (reply, wire) = arrival.handle();
        Timer::after(after).await;
        if matches!(wire, Wire::Reset) {
            return Ok(());
        }
        stream.read_exact(&mut [0]).await?;
        if !wire.write(reply, stream, keep_alive).await? {
            return Ok(());
        }
    }
    Ok(())
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
    let mut headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    // En HTTP/1.0, une connexion qui dure se demande.
    if head.version == Some(0) {
        headers.push(("Connection".to_owned(), "close".to_owned()));
    }
    let method = head.method.unwrap_or("GET");
    let mut request = Request::new(method, head.path.unwrap_or("/"), headers, &[]);
    if request.header("Transfer-Encoding").is_some() {
        return Err(io::Error::other("chunked request"));
    }
    let length = match request.header("Content-Length") {
        Some(text) => text.parse::<usize>().map_err(io::Error::other)?,
        None => 0,
    };
    if length > BODY_LIMIT {
        return Err(io::Error::other("body too long"));
    }
    let end = start + length;
    Ok(buffer.get(start..end).map(|body| {
        request.body = body.to_vec();
        (request, end)
    }))
}
