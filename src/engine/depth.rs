//! Ce qui part d'un plan : chaque ordre, dans ce que le carnet de son coin offre à un écart supportable du milieu.
//!
//! Le carnet entier ne se lit que pour un ordre qui prend plus qu'un peu du meilleur prix, dont le prix n'a pas été lu à ce tour, ou dont
//! la paire ne prend pas d'ordre au marché. Ce qui n'y tient pas, ou dont le carnet ne se lit pas, ne part pas.

use super::Engine;
use crate::domain::depth::{self, Fitted};
use crate::domain::market::{Coin, Pairs};
use crate::domain::order::{Left, Order};
use crate::ledger::LedgerError;

impl Engine {
    /// Exécute ces ordres ; rend ceux qui n'ont rien échangé, dont on ne sait pas, ou que le carnet n'a pas pris entiers.
    pub(super) async fn execute(
        &mut self,
        signal: i64,
        orders: &[Order],
        pairs: &Pairs,
    ) -> Result<Vec<(Coin, Left)>, LedgerError> {
        let fitted = self.fitted(orders, pairs).await;
        let sent: Vec<Order> = fitted.iter().filter_map(|fitted| fitted.order).collect();
        let mut left = self.venue.execute(signal, &sent, pairs).await?;
        for (order, fitted) in orders.iter().zip(fitted) {
            let Some(reason) = fitted.left else { continue };
            if fitted.order.is_some() {
                // Du coin, la décision dira ce qui a été échangé.
                log::info!(
                    "order_cut side={} coin={} reason=\"{reason}\"",
                    order.side().word(),
                    order.coin()
                );
            }
            // Ce qu'un envoi a appris du coin l'emporte.
            if !left.iter().any(|(coin, _)| *coin == order.coin()) {
                left.push((order.coin(), reason));
            }
        }
        Ok(left)
    }

    async fn fitted(&self, orders: &[Order], pairs: &Pairs) -> Vec<Fitted> {
        let most = self.manner.policy.max_slippage;
        let top = |order: &Order| match pairs.get(order.coin()) {
            Some(pair) if pair.rules.market && self.sight.has_read(order.coin(), self.begun) => {
                depth::at_the_top(order, pair.quote, most)
            }
            Some(_) => None,
            // Rien ne part d'une paire qui n'est pas connue.
            None => Some(Fitted { order: None, left: Some(Left::Unknown) }),
        };
        let tops: Vec<Option<Fitted>> = orders.iter().map(top).collect();
        let unread = orders.iter().zip(&tops).filter(|(_, top)| top.is_none());
        let unread: Vec<Coin> = unread.map(|(order, _)| order.coin()).collect();
        let mut books = self.exchange.depths(&unread).await.into_iter();
        let fitted = orders.iter().zip(tops).map(|(order, top)| {
            top.or_else(|| {
                Some(match books.next()? {
                    Ok(depth) => depth::fit(order, &depth, pairs.get(order.coin())?, most),
                    Err(trouble) => {
                        let reason = Left::Later(format!("its book could not be read: {trouble}"));
                        Fitted { order: None, left: Some(reason) }
                    }
                })
            })
        });
        fitted.flatten().collect()
    }
}
