//! Ce qui revient sur le fil, sain ou abîmé par une panne, et comment cela s'écrit.
//!
//! Un corps énorme est écrit par morceaux, jamais entier en mémoire.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::{Async, Timer};

use super::reply::Reply;

/// Ce qui revient sur le fil.
#[derive(Clone, Debug)]
pub enum Wire {
    /// La vraie réponse.
    AsIs,
    /// Fermeture sans un octet.
    Close,
    /// RST sans un octet.
    Reset,
    /// Rien, la connexion restant ouverte jusqu'à ce que le client la lâche.
    Silence,
    /// La vraie réponse, coupée au milieu du corps, `Content-Length` annonçant le tout.
    Truncate,
    /// La vraie réponse, un octet par intervalle.
    Drip(Duration),
    /// Une autre réponse.
    Canned(Reply),
    /// La vraie réponse, un texte du corps remplacé partout par un autre : champ en trop, absent, d'un autre
    /// type. Sans effet si le texte n'y est pas.
    Rewrite { from: String, to: String },
    /// 200 et un corps JSON de tant d'octets, jamais entier en mémoire.
    Huge(u64),
    /// 200 et un corps en morceaux (`chunked`) qui ne finit pas.
    Endless,
    /// 200 et tant de crochets ouvrants, puis autant de fermants.
    Nested(usize),
    /// Une réponse dont un en-tête a tant d'octets.
    LongHead(usize),
    /// Des octets quelconques à la place d'une réponse HTTP, puis fermeture.
    Raw(Vec<u8>),
}

impl Wire {
    /// Ce que devient une réponse que la panne laisse entière ; les autres pannes n'y changent rien.
    pub(super) fn reshape(&self, mut reply: Reply) -> Reply {
        match self {
            Wire::Canned(other) => other.clone(),
            Wire::Rewrite { from, to } => {
                reply.body = String::from_utf8_lossy(&reply.body).replace(from, to).into_bytes();
                reply
            }
            Wire::Nested(depth) => Reply::json(200, "[".repeat(*depth) + &"]".repeat(*depth)),
            Wire::LongHead(length) => reply.header("X-Padding", &"a".repeat(*length)),
            _ => reply,
        }
    }

    /// Écrit cette réponse ; vrai si la connexion peut servir encore.
    pub(super) async fn write(
        self,
        reply: Reply,
        stream: &mut Async<TcpStream>,
        keep_alive: bool,
    ) -> io::Result<bool> {
        match self {
            Wire::AsIs | Wire::Canned(_) | Wire::Rewrite { .. } | Wire::Nested(_) | Wire::LongHead(_) => {
                stream.write_all(&self.reshape(reply).bytes(keep_alive)).await?;
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
