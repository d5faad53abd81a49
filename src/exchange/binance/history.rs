//! Les ordres passés et leurs exécutions, relus à la bourse.
//!
//! Ces lectures prouvent ce qui a été fait, et surtout ce qui ne l'a pas été : un élément d'une autre paire ou
//! illisible fait échouer toute la lecture, rien n'en est jamais écarté. Elles se font par pages courtes
//! ([`PAGE`] éléments, une trentaine de kilo-octets), dans la limite de mémoire commune. Source : docs Binance
//! Spot, « Query order », « All orders », « Account trade list ». La base d'où elles viennent peut être en
//! retard de plusieurs secondes sur le moteur.

use std::time::Duration;

use miniserde::Deserialize;

use super::account::Account;
use super::request::Request;
use super::{reports, unreadable, wire};
use crate::domain::execution::{Execution, Executions, Report};
use crate::domain::market::Coin;
use crate::domain::moment::Moment;
use crate::exchange::order::Sighting;
use crate::exchange::server_clock::later;
use crate::exchange::trouble::Trouble;

/// Éléments demandés à la fois.
const PAGE: usize = 50;

/// Éléments rendus au plus.
const MOST: usize = 1000;

/// La bourse ne regarde que le jour qui suit `startTime`.
const DAY: Duration = Duration::from_secs(86_400);

/// Lectures au plus : de quoi traverser deux mois sans un ordre, puis lire [`MOST`] éléments.
const MOST_READINGS: u32 = 80;

/// Pages lues au plus des exécutions d'un ordre : vingt mille d'entre elles, le tiers de ce qu'une adresse peut demander en
/// une minute.
const MOST_PAGES: u32 = 400;

/// Une liste d'une paire, et comment ses éléments se lisent.
struct List<W, T> {
    path: &'static str,
    coin: Coin,
    /// L'ordre dont ce sont les exécutions, s'il n'y en a qu'un.
    order: Option<i64>,
    /// Le paramètre qui fait commencer la liste à un numéro, compris.
    cursor: &'static str,
    read: fn(W) -> Option<T>,
    id: fn(&T) -> i64,
    is_of: fn(&T, Coin, Option<i64>) -> bool,
}

/// Où commence une page.
#[derive(Clone, Copy)]
enum From {
    /// Nulle part : ce sont les derniers éléments.
    End,
    Time(Moment),
    Id(i64),
}

impl Account {
    /// L'ordre qui porte ce nom (`GET /api/v3/order`, poids 4), ou que la bourse ne le voit pas (-2013), ou l'a archivé
    /// (-2026). Quand plusieurs le portent, elle choisit.
    pub async fn order(&self, coin: Coin, client_id: &str) -> Result<Sighting, Trouble> {
        let is_asked = |report: &Report| report.client_id == client_id;
        self.one_order(coin, ("origClientOrderId", client_id), is_asked).await
    }

    /// De même, l'ordre de ce numéro.
    pub async fn order_numbered(&self, coin: Coin, order_id: i64) -> Result<Sighting, Trouble> {
        let is_asked = |report: &Report| report.order_id == order_id;
        self.one_order(coin, ("orderId", &order_id.to_string()), is_asked).await
    }

    async fn one_order(
        &self,
        coin: Coin,
        (parameter, value): (&str, &str),
        is_asked: impl Fn(&Report) -> bool,
    ) -> Result<Sighting, Trouble> {
        let request = Request::new("/api/v3/order").with("symbol", coin.pair()).with(parameter, value);
        let answer = match self.read(request).await {
            Err(Trouble::UnknownOrder(_)) => return Ok(Sighting::Unseen),
            Err(Trouble::ArchivedOrder(_)) => return Ok(Sighting::Archived),
            answer => answer?,
        };
        let report = wire::decoded(&answer.body).and_then(reports::record);
        let report = report.filter(|report| report.coin == coin && is_asked(report));
        report.map(Sighting::Seen).ok_or_else(|| unreadable(&answer))
    }

    /// Toutes les exécutions de cet ordre, additionnées page par page (`GET /api/v3/myTrades`, poids 5 par page).
    pub async fn executions(&self, coin: Coin, order_id: i64) -> Result<Executions, Trouble> {
        let list = List { order: Some(order_id), ..trades(coin) };
        let (mut together, mut next) = (Executions::default(), 0);
        for _ in 0..MOST_PAGES {
            let page = self.page(&list, From::Id(next), PAGE).await?;
            page.iter().for_each(|execution| together.add(execution));
            match page.iter().map(list.id).max() {
                Some(last) if page.len() == PAGE => next = last.saturating_add(1),
                _ => return Ok(together),
            }
        }
        let most = MOST_PAGES as usize * PAGE;
        Err(Trouble::Failed(format!("order {order_id} has more than {most} trades")))
    }

    /// Les exécutions de cette paire depuis `since`, à l'heure de la bourse (`GET /api/v3/myTrades`, poids 20
    /// par page), dans l'ordre. Plus de 1000 sont une erreur : ce ne serait pas tout.
    pub async fn executions_since(&self, coin: Coin, since: Moment) -> Result<Vec<Execution>, Trouble> {
        whole(self.pages(&trades(coin), From::Time(since)).await?)
    }

    /// Les ordres de cette paire depuis `since`, à l'heure de la bourse (`GET /api/v3/allOrders`, poids 20 par
    /// page), dans l'ordre. Plus de 1000 sont une erreur : ce ne serait pas tout.
    pub async fn orders_since(&self, coin: Coin, since: Moment) -> Result<Vec<Report>, Trouble> {
        whole(self.pages(&orders(coin), From::Time(since)).await?)
    }

    /// Les ordres de cette paire à partir de `order_id`, compris (`GET /api/v3/allOrders`, poids 20 par page),
    /// dans l'ordre. S'ils sont 1000, la suite est à demander depuis le dernier.
    pub async fn orders_from(&self, coin: Coin, order_id: i64) -> Result<Vec<Report>, Trouble> {
        self.pages(&orders(coin), From::Id(order_id)).await
    }

    /// Les derniers ordres de cette paire (`GET /api/v3/allOrders`, poids 20), une page au plus, dans l'ordre.
    pub async fn recent_orders(&self, coin: Coin) -> Result<Vec<Report>, Trouble> {
        let list = orders(coin);
        let mut page = self.page(&list, From::End, PAGE).await?;
        page.sort_by_key(list.id);
        Ok(page)
    }

    /// Les pages l'une après l'autre, jusqu'à la dernière ou à [`MOST`] éléments.
    async fn pages<W: Deserialize, T>(&self, list: &List<W, T>, first: From) -> Result<Vec<T>, Trouble> {
        let (mut all, mut from) = (Vec::new(), first);
        for _ in 0..MOST_READINGS {
            let page = self.page(list, from, PAGE).await?;
            let (is_full, last) = (page.len() == PAGE, page.iter().map(list.id).max());
            if is_full && matches!(from, From::Time(_)) {
                self.check_beginning(list, from, &page).await?;
            }
            all.extend(page);
            from = match (from, last) {
                (_, Some(last)) if is_full => From::Id(last.saturating_add(1)),
                // Une page qui part d'une heure ne dit rien d'au-delà de son jour.
                (From::Time(since), last) if self.clock()?.now().since(since) >= DAY => match last {
                    Some(last) => From::Id(last.saturating_add(1)),
                    None => From::Time(later(since, DAY)),
                },
                _ => return Ok(all),
            };
            if all.len() >= MOST {
                return Ok(all);
            }
        }
        Err(Trouble::Failed(format!("the exchange's list does not end after {MOST_READINGS} pages")))
    }

    /// La documentation ne dit pas de quel bout est une page pleine qui part d'une heure. Du dernier, elle
    /// cacherait les premiers éléments ; une page d'un seul dit lequel.
    async fn check_beginning<W: Deserialize, T>(
        &self,
        list: &List<W, T>,
        from: From,
        page: &[T],
    ) -> Result<(), Trouble> {
        let first = self.page(list, from, 1).await?.first().map(list.id);
        if first.is_some() && first == page.iter().map(list.id).min() {
            return Ok(());
        }
        Err(Trouble::Failed("the exchange's list does not begin at the hour it was asked for".to_owned()))
    }

    async fn page<W: Deserialize, T>(
        &self,
        list: &List<W, T>,
        from: From,
        limit: usize,
    ) -> Result<Vec<T>, Trouble> {
        let mut request = Request::new(list.path).with("symbol", list.coin.pair());
        if let Some(order) = list.order {
            request = request.with("orderId", &order.to_string());
        }
        request = match from {
            From::End => request,
            From::Time(since) => request.with("startTime", &since.0.to_string()),
            From::Id(id) => request.with(list.cursor, &id.to_string()),
        };
        let answer = self.read(request.with("limit", &limit.to_string())).await?;
        let elements = wire::decoded::<Vec<W>>(&answer.body).map(|page| page.into_iter().map(list.read));
        let is_asked = |element: &T| {
            let follows = !matches!(from, From::Id(id) if (list.id)(element) < id);
            follows && (list.is_of)(element, list.coin, list.order)
        };
        let elements = elements.and_then(|page| page.collect::<Option<Vec<T>>>());
        let elements = elements.filter(|page| page.len() <= limit && page.iter().all(is_asked));
        elements.ok_or_else(|| unreadable(&answer))
    }
}

fn orders(coin: Coin) -> List<wire::Order, Report> {
    List {
        path: "/api/v3/allOrders",
        coin,
        order: None,
        cursor: "orderId",
        read: reports::record,
        id: |report| report.order_id,
        is_of: |report, coin, _| report.coin == coin,
    }
}

fn trades(coin: Coin) -> List<wire::Trade, Execution> {
    List {
        path: "/api/v3/myTrades",
        coin,
        order: None,
        cursor: "fromId",
        read: reports::trade,
        id: |execution| execution.trade_id,
        is_of: |execution, coin, order| {
            execution.coin == coin && order.is_none_or(|order| execution.order_id == order)
        },
    }
}

/// Une liste coupée n'est la preuve de rien.
fn whole<T>(list: Vec<T>) -> Result<Vec<T>, Trouble> {
    if list.len() < MOST {
        return Ok(list);
    }
    Err(Trouble::Failed(format!(
        "the exchange has {MOST} orders or trades, or more, where few were expected"
    )))
}
