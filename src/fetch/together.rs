//! Plusieurs demandes menées ensemble, dans une seule tâche.

use std::pin::Pin;
use std::task::Poll;

/// Attend toutes ces tâches, menées ensemble ; rend leurs résultats dans l'ordre.
pub async fn together<F: Future>(tasks: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut tasks: Vec<Pin<Box<F>>> = tasks.map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = tasks.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (task, output) in tasks.iter_mut().zip(&mut outputs).filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(value) = task.as_mut().poll(context) {
                *output = Some(value);
            }
        }
        if outputs.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
