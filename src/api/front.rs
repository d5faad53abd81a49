//! Le front HTTP : accepte les connexions, borne tout ce qu'elles coûtent, confie chaque requête à tide.
//!
//! tide apporte les routes ; la socket, la lecture, les délais et l'arrêt sont ici, parce que son propre serveur n'a
//! aucune limite. Un client malformé, lent ou bavard ne coûte jamais plus que sa propre connexion, et une route qui
//! panique ne coûte qu'un 500. Tout vit sur l'exécuteur de l'appelant : aucun fil n'est créé.
//! Invariant : au plus `Limits::connections` connexions, chacune avec une échéance, toutes finies quand `serve` rend. Seule
//! une réponse sans fin (`feed`) n'en a pas : elle cède sa place avant toute requête, et l'arrêt ne l'attend pas.

pub mod answers;
mod chunks;
mod connection;
pub mod feed;
mod head;
pub mod host;
mod places;
mod reply;
mod turned_away;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::{Duration, Instant};

use async_io::{Async, Timer};
use smol::future::{self, FutureExt};
use smol::{LocalExecutor, Task};

use crate::network::household;
use answers::Answers;
pub(super) use connection::before;
use connection::{Connection, turn_away};
use places::{Place, Places};
use turned_away::TurnedAway;

/// Ce qu'un client peut coûter.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Octets de la ligne de requête et des en-têtes.
    pub head: usize,
    /// Nombre d'en-têtes.
    pub headers: usize,
    /// Octets du corps.
    pub body: usize,
    /// Octets de toutes les réponses en route.
    pub answers: usize,
    /// Connexions à la fois.
    pub connections: usize,
    /// Durée pour qu'une requête arrive entière, corps compris.
    pub request: Duration,
    /// Durée pour qu'une route réponde.
    pub answer: Duration,
    /// Durée pour que la réponse parte entière, ou chaque morceau d'une réponse sans fin.
    pub write: Duration,
    /// Durée sans rien demander, entre deux requêtes.
    pub idle: Duration,
    /// À l'arrêt, durée laissée aux requêtes en cours.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            // Les témoins des autres programmes d'une machine, et ce qu'ajoute un mandataire.
            head: 32 * 1024,
            headers: 100,
            body: 64 * 1024,
            answers: 4 * 1024 * 1024,
            connections: 64,
            request: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            write: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            stop: Duration::from_secs(2),
        }
    }
}

/// Le front, prêt à servir `app` sur un exécuteur.
pub struct Front<S> {
    executor: Rc<LocalExecutor<'static>>,
    app: tide::Server<S>,
    limits: Rc<Limits>,
    places: Places,
    answers: Answers,
    turned_away: TurnedAway,
}

impl<S> Front<S>
where
    S: Clone + Send + Sync + 'static,
{
    pub fn new(executor: Rc<LocalExecutor<'static>>, app: tide::Server<S>, limits: Limits) -> Self {
        let (answers, turned_away) = (Answers::new(limits.answers), TurnedAway::default());
        Front { executor, app, limits: Rc::new(limits), places: Places::default(), answers, turned_away }
    }

    /// Sert tous les `listeners` jusqu'à ce que `stop` se termine, puis finit proprement : plus de nouvelle connexion,
    /// les inactives fermées, les requêtes en cours menées à bien tant que `Limits::stop` le permet.
    pub async fn serve(self, listeners: Vec<Async<TcpListener>>, stop: impl Future<Output = ()>) {
        let front = Rc::new(self);
        let accepting: Vec<Task<()>> = listeners
            .into_iter()
            .map(|listener| front.executor.spawn(front.clone().accept_from(listener)))
            .collect();
        stop.await;
        // Avant toute attente : dès que plus rien n'est accepté, chaque réponse doit dire qu'elle est la dernière.
        front.places.begin_stop();
        for task in accepting {
            task.cancel().await;
        }
        front.finish().await;
    }

    async fn accept_from(self: Rc<Self>, listener: Async<TcpListener>) {
        let mut healthy = true;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    healthy = true;
                    self.welcome(stream, peer).await;
                }
                Err(error) => {
                    // Le plus souvent il n'y a plus de descripteur : insister occuperait le fil pour rien.
                    if healthy {
                        log::warn!("accept_failed error=\"{error}\"");
                    }
                    healthy = false;
                    Timer::after(Duration::from_millis(200)).await;
                }
            }
            future::yield_now().await;
        }
    }

    async fn welcome(self: &Rc<Self>, stream: Async<TcpStream>, peer: SocketAddr) {
        let Some(place) = self.places.take(self.limits.connections, household(peer.ip())) else {
            self.turned_away.count(&self.executor);
            return turn_away(&stream).await;
        };
        if let Err(error) = prepare(&stream, &self.limits) {
            log::debug!("connection_lost peer={peer} error=\"{error}\"");
            return;
        }
        let id = place.id();
        let task = self.executor.spawn(self.clone().converse(stream, peer, place));
        self.places.own(id, task);
    }

    async fn converse(self: Rc<Self>, stream: Async<TcpStream>, peer: SocketAddr, place: Place) {
        let connection = Connection::new(&stream, peer, &self.app, (&self.limits, &self.answers), &place);
        // Les routes sont déjà protégées ; ceci couvre le reste, dont la lecture d'un corps de réponse.
        if AssertUnwindSafe(connection.run()).catch_unwind().await.is_err() {
            log::error!("connection_panicked peer={peer}");
        }
    }

    async fn finish(&self) {
        let deadline = Instant::now() + self.limits.stop;
        let mut cut = 0;
        let (asked, others): (Vec<_>, Vec<_>) =
            self.places.close().into_iter().partition(|(_, asked)| *asked);
        for (task, _) in others {
            task.cancel().await;
        }
        for (mut task, _) in asked {
            if before(deadline, &mut task).await.is_none() {
                task.cancel().await;
                cut += 1;
            }
        }
        log::info!("front_stopped requests_cut={cut}");
    }
}

/// Octets que le noyau garde pour une connexion, dans chaque sens ; il en compte le double. Sans cela, il en prend des
/// mégaoctets pour qui ne lit pas, et ils sont au compte de notre conteneur.
#[cfg(target_os = "linux")]
const KERNEL_BUFFER: usize = 32 * 1024;

fn prepare(stream: &Async<TcpStream>, limits: &Limits) -> io::Result<()> {
    // Un téléphone parti sans rien dire n'accuse plus réception : sans cela, le noyau insisterait un quart d'heure.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, limits.write.as_millis() as u32) {
        log::debug!("user_timeout_not_set error=\"{error}\"");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::net::sockopt::set_socket_send_buffer_size(stream, KERNEL_BUFFER)
        .and_then(|()| rustix::net::sockopt::set_socket_recv_buffer_size(stream, KERNEL_BUFFER))
    {
        log::debug!("buffers_not_bounded error=\"{error}\"");
    }
    stream.get_ref().set_nodelay(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_client_that_acknowledges_nothing_is_given_up_as_soon_as_one_that_does_not_read() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let stream = Async::new(TcpStream::connect(address).expect("it listens")).expect("a socket");
        prepare(&stream, &Limits::default()).expect("a socket takes its options");
        let limit = rustix::net::sockopt::tcp_user_timeout(&stream).expect("an option that can be read");
        assert_eq!(limit, 30_000);
    }
}
