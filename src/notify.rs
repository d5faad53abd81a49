//! Ce que systemd veut entendre d'un service `Type=notify` : prêt, vivant, en train de partir.
//!
//! Un datagramme par nouvelle, sur la socket que nomme `NOTIFY_SOCKET` (sd_notify(3)) ; sans elle, rien. Ne décide pas
//! de ce que vivre veut dire : l'appelant en donne l'épreuve. Invariant : une nouvelle qui ne part pas est dite au
//! journal et n'arrête rien, et aucun envoi n'attend.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::clock;

/// Qui surveille ce programme, si quelqu'un le fait.
pub struct Supervisor {
    socket: Option<UnixDatagram>,
    /// Le silence au bout duquel systemd tue le programme.
    patience: Option<Duration>,
}

/// Une nouvelle, dans les mots du protocole.
#[derive(Clone, Copy, Debug)]
pub enum News {
    Ready,
    Alive,
    Stopping,
}

impl News {
    fn words(self) -> &'static str {
        match self {
            News::Ready => "READY=1",
            News::Alive => "WATCHDOG=1",
            News::Stopping => "STOPPING=1",
        }
    }
}

impl Supervisor {
    /// Celui que nomme l'environnement du processus.
    pub fn from_environment() -> Supervisor {
        let socket = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
        let socket = socket.and_then(|name| {
            let connected = connect(&name);
            connected.inspect_err(|error| log::warn!("supervisor_unreachable reason=\"{error}\"")).ok()
        });
        Supervisor { socket, patience: patience(|name| env::var(name).ok(), std::process::id()) }
    }

    pub fn tell(&self, news: News) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = socket.send(news.words().as_bytes()) {
            log::warn!("supervisor_not_told news={} reason=\"{error}\"", news.words());
        }
    }

    /// Dit que le programme vit, deux fois par délai, tant que `lives` répond oui. Sans surveillance, rend aussitôt.
    pub async fn reassure(&self, lives: impl AsyncFn() -> bool) {
        let (Some(_), Some(patience)) = (&self.socket, self.patience) else { return };
        loop {
            if lives().await {
                self.tell(News::Alive);
            }
            clock::sleep(patience / 2).await;
        }
    }
}

/// Un nom qui commence par `@` est abstrait : il n'est dans aucun dossier.
fn connect(name: &OsString) -> io::Result<UnixDatagram> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(abstract_name) => SocketAddr::from_abstract_name(abstract_name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// `WATCHDOG_USEC`, s'il est pour ce processus.
fn patience(get: impl Fn(&str) -> Option<String>, own: u32) -> Option<Duration> {
    let other = get("WATCHDOG_PID").is_some_and(|id| id != own.to_string());
    let microseconds: u64 = get("WATCHDOG_USEC")?.parse().ok()?;
    Some(Duration::from_micros(microseconds)).filter(|patience| !other && !patience.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patience_is_that_of_this_process_or_none() {
        let check = |usec: Option<&str>, pid: Option<&str>, expected: Option<u64>| {
            let get = |name: &str| if name == "WATCHDOG_PID" { pid } else { usec }.map(str::to_owned);
            assert_eq!(patience(get, 42), expected.map(Duration::from_secs), "{usec:?} {pid:?}");
        };
        check(Some("120000000"), Some("42"), Some(120));
        check(Some("120000000"), None, Some(120));
        check(Some("120000000"), Some("43"), None);
        check(Some("0"), None, None);
        check(Some("soon"), None, None);
        check(None, Some("42"), None);
    }
}
