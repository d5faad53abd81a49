//! Les lignes du journal qui parlent d'un ordre, ou de la poussière qu'il laisse : les mêmes mots, qu'il soit réel ou simulé.

use crate::domain::book::Fill;
use crate::domain::market::Coin;
use crate::domain::movement::Movement;
use crate::domain::order::Order;

/// Un ordre part.
pub fn sent(order: &Order, client_id: &str, attempt: u32) {
    let (side, coin) = (order.side().word(), order.coin());
    log::info!("order_sent side={side} coin={coin} id={client_id} attempt={attempt}");
}

/// Un trade est aux livres.
pub fn traded(fill: &Fill) {
    log::info!(
        "trade side={} coin={} quantity={} price={} amount_usdc={}",
        fill.side.word(),
        fill.coin,
        fill.quantity,
        fill.price,
        fill.amount
    );
}

/// Un refus définitif a arrêté l'ordre.
pub fn refused(order: &Order, reason: &str) {
    log::warn!("order_refused side={} coin={} reason={reason:?}", order.side().word(), order.coin());
}

/// La bourse ne l'a pas traité.
pub fn not_processed(coin: Coin, reason: &str) {
    log::warn!("order_not_processed coin={coin} reason={reason:?}");
}

/// Son issue n'est pas connue.
pub fn in_doubt(coin: Coin, client_id: &str, reason: &str) {
    log::warn!("order_in_doubt coin={coin} id={client_id} reason={reason:?}");
}

/// Une personne doit regarder.
pub fn stuck(coin: Coin, reason: &str) {
    log::error!("order_stuck coin={coin} reason={reason:?}");
}

/// De la poussière qui n'est plus au compte n'est plus aux livres.
pub fn swept(dust: &Movement) {
    match dust.moved {
        Some(moved) => log::warn!("dust_written_off coin={} quantity={}", moved.coin, -moved.quantity),
        None => log::warn!("dust_written_off usdc={}", -dust.usdc),
    }
}
