//! Un corps sans fin : des morceaux de texte, chacun parti dès qu'il est prêt, tant que le client est là.
//!
//! Une route pose un `Feed` dans sa réponse ; le front le relaie hors de ses délais ordinaires. Le `Feed` disparaît avec
//! la connexion, quelle que soit sa fin, et avec lui ce qu'il tient.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use http_types::Response;
use smol::stream::Stream;

type Pieces = Pin<Box<dyn Stream<Item = String> + Send>>;

/// Les morceaux à venir. Le verrou n'est là que pour `http_types`, qui veut pouvoir partager ce que porte une réponse.
pub struct Feed(Mutex<Pieces>);

impl Feed {
    pub fn new(pieces: impl Stream<Item = String> + Send + 'static) -> Self {
        Feed(Mutex::new(Box::pin(pieces)))
    }

    /// Les morceaux que porte `response`, qui ne les porte plus ; `None` si son corps est ordinaire.
    pub(super) fn take_from(response: &mut Response) -> Option<Pieces> {
        let Feed(pieces) = response.ext_mut().remove()?;
        Some(pieces.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}
