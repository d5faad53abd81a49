//! Les lectures de listes : chacune à son tour, et pas plus qu'il n'en peut attendre.
//!
//! Une liste peut faire des centaines de kilo-octets, le temps de la lire et de l'écrire : à 64 à la fois, une machine de
//! 32 Mo n'y tiendrait pas. Ce qui en part ensuite est borné par le front (`front/answers`). Invariant : une seule liste se
//! prépare, et au plus [`WAITING`] attendent, ce qui laisse au reste la moitié des places.

use std::sync::Arc;

use smol::lock::Semaphore;
use tide::{Endpoint, Request};

use super::errors::ApiError;

/// Celles qui attendent leur tour : de quoi ouvrir la page sur plusieurs écrans à la fois.
const WAITING: usize = 32;

/// À qui de préparer sa liste.
#[derive(Clone)]
pub(super) struct Turns {
    queue: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Turns { queue: Arc::new(Semaphore::new(WAITING)), turn: Arc::new(Semaphore::new(1)) }
    }
}

/// Une route qui attend son tour.
pub(super) struct Listed<E> {
    endpoint: E,
    turns: Turns,
}

impl<E> Listed<E> {
    pub fn new(endpoint: E, turns: &Turns) -> Self {
        Listed { endpoint, turns: turns.clone() }
    }
}

#[tide::utils::async_trait]
impl<S: Clone + Send + Sync + 'static, E: Endpoint<S>> Endpoint<S> for Listed<E> {
    async fn call(&self, request: Request<S>) -> tide::Result {
        let Some(_waiting) = self.turns.queue.try_acquire() else {
            return Err(ApiError::busy("too many lists are being read: ask again in a moment", 2).into());
        };
        let _turn = self.turns.turn.acquire().await;
        self.endpoint.call(request).await
    }
}
