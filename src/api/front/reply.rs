//! Une réponse sur la socket : ses en-têtes communs, sa longueur, son corps par morceaux.
//!
//! Le cadrage (`Content-Length`, `Transfer-Encoding`, `Connection`, `Date`) n'appartient qu'à ce fichier : ce qu'une
//! route en dirait est écarté. Invariant : ce qui part tient dans la longueur annoncée, sinon la connexion se ferme.

use std::io::{self, Write};
use std::net::TcpStream;

use async_io::Async;
use http_types::{Body, Response, StatusCode};
use smol::io::{AsyncBufReadExt, AsyncWriteExt};

/// Taille à partir de laquelle ce qui est prêt part sur la socket : une grande page n'est jamais copiée entière.
const PIECE: usize = 16 * 1024;

/// Ce que la requête impose à sa réponse.
#[derive(Clone, Copy)]
pub(super) struct Framing {
    /// HEAD : les en-têtes seuls.
    pub head_only: bool,
    /// HTTP/1.0 : pas de morceaux, la fin de la connexion est la fin du corps.
    pub old_client: bool,
    pub keep_alive: bool,
}

/// Comment le corps se termine pour celui qui le lit.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Length(usize),
    Chunks,
    Close,
    NoBody,
}

/// Envoie la réponse ; vrai si la connexion peut servir à la requête suivante.
pub(super) async fn send(
    stream: &Async<TcpStream>,
    mut response: Response,
    framing: Framing,
) -> io::Result<bool> {
    let end = end_of(&response, framing);
    let keep_alive = framing.keep_alive && end != End::Close;
    let mut out = head(&response, end, keep_alive)?;
    if !framing.head_only && end != End::NoBody {
        send_body(stream, response.take_body(), end, &mut out).await?;
    }
    write_all(stream, &out).await?;
    Ok(keep_alive)
}

/// Envoie la tête d'une réponse sans fin ; la connexion ne servira plus à rien d'autre.
pub(super) async fn begin(
    stream: &Async<TcpStream>,
    response: &Response,
    framing: Framing,
) -> io::Result<()> {
    write_all(stream, &head(response, endless(framing), false)?).await
}

/// Envoie un de ses morceaux ; un morceau vide est sa fin.
pub(super) async fn send_piece(stream: &Async<TcpStream>, piece: &str, framing: Framing) -> io::Result<()> {
    if endless(framing) == End::Close {
        return write_all(stream, piece.as_bytes()).await;
    }
    let mut out = Vec::with_capacity(piece.len() + 16);
    chunk(&mut out, piece.as_bytes())?;
    write_all(stream, &out).await
}

pub(super) async fn write_all(mut stream: &Async<TcpStream>, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await
}

fn end_of(response: &Response, framing: Framing) -> End {
    match (response.status(), response.len()) {
        (StatusCode::NoContent | StatusCode::NotModified, _) => End::NoBody,
        (_, Some(length)) => End::Length(length),
        (_, None) => endless(framing),
    }
}

/// Comment finit un corps dont la longueur n'est pas connue.
fn endless(framing: Framing) -> End {
    if framing.old_client { End::Close } else { End::Chunks }
}

fn head(response: &Response, end: End, keep_alive: bool) -> io::Result<Vec<u8>> {
    let status = response.status();
    let mut out = Vec::with_capacity(1024);
    write!(out, "HTTP/1.1 {} {}\r\n", u16::from(status), status.canonical_reason())?;
    for (name, values) in response {
        let ours = ["content-length", "transfer-encoding", "connection", "date"];
        if ours.contains(&name.as_str()) {
            continue;
        }
        for value in values {
            // http_types laisse passer CR et LF : un en-tête ne doit pas pouvoir en écrire un second.
            if value.as_str().bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
                log::error!("header_dropped name={name} reason=control_character");
                continue;
            }
            write!(out, "{name}: {value}\r\n")?;
        }
    }
    out.extend_from_slice(b"x-content-type-options: nosniff\r\n");
    if let Some(date) = now() {
        write!(out, "date: {date}\r\n")?;
    }
    match end {
        End::Length(length) => write!(out, "content-length: {length}\r\n")?,
        End::Chunks => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        End::Close | End::NoBody => {}
    }
    if !keep_alive {
        out.extend_from_slice(b"connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
    Ok(out)
}

async fn send_body(stream: &Async<TcpStream>, mut body: Body, end: End, out: &mut Vec<u8>) -> io::Result<()> {
    let mut sent = 0;
    loop {
        let ready = body.fill_buf().await?;
        let piece = &ready[..ready.len().min(PIECE)];
        let size = piece.len();
        sent += size;
        match end {
            End::Length(length) if sent > length => return Err(wrong_length()),
            // Le morceau de taille 0 est aussi celui qui termine le corps.
            End::Chunks => chunk(out, piece)?,
            _ => out.extend_from_slice(piece),
        }
        if size == 0 {
            break;
        }
        body.consume(size);
        if out.len() >= PIECE || end == End::Chunks {
            write_all(stream, out).await?;
            out.clear();
        }
    }
    match end {
        End::Length(length) if sent != length => Err(wrong_length()),
        _ => Ok(()),
    }
}

fn chunk(out: &mut Vec<u8>, piece: &[u8]) -> io::Result<()> {
    write!(out, "{:x}\r\n", piece.len())?;
    out.extend_from_slice(piece);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

fn wrong_length() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the body is not as long as announced")
}

/// L'heure au format de HTTP ; elle ne sert qu'à l'en-tête `Date`, jamais à une décision.
fn now() -> Option<String> {
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    printer.timestamp_to_rfc9110_string(&jiff::Timestamp::now()).ok()
}
