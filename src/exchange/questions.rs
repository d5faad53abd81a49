//! Interroger la bourse longtemps sans gêner le démon, qui partage avec nous l'adresse IP qu'elle compte.
//!
//! Invariants : jamais plus de [`ALLOWANCE`] par minute de la bourse, et plus une question de cette minute quand
//! d'autres en demandent trop ; rien ne part pendant un silence ; une lecture manquée est refaite une fois.

use std::time::Duration;

use super::trouble::Trouble;
use super::{Account, AccountState};
use crate::clock;
use crate::domain::execution::{Executions, Report};
use crate::domain::market::Coin;

/// Le poids que nous nous accordons par minute, sur 6000.
const ALLOWANCE: u64 = 800;

/// Ordres que la bourse rend au plus d'une traite, page par page ; s'il y en a tant, il y en a d'autres.
const LISTED: usize = 1000;
const PER_PAGE: usize = 50;

/// Les poids : le compte, une page d'ordres, les exécutions d'un ordre.
const ACCOUNT_WEIGHT: u64 = 20;
const PAGE_WEIGHT: u64 = 20;
const EXECUTIONS_WEIGHT: u64 = 5;

/// Le poids des cinq lectures qui mesurent l'heure.
const CLOCK_WEIGHT: u64 = 5;

const MINUTE_MS: i64 = 60_000;

/// Avant de refaire une lecture qui a manqué.
const BEFORE_RETRY: Duration = Duration::from_secs(1);

/// Le compte, interrogé à son rythme.
pub struct Questions<'a> {
    account: &'a Account,
    /// La minute de la bourse, et ce que nous y avons demandé.
    minute: i64,
    spent: u64,
}

impl<'a> Questions<'a> {
    pub fn new(account: &'a Account) -> Questions<'a> {
        Questions { account, minute: 0, spent: 0 }
    }

    /// Pose cette question, qui pèse `weight` au plus.
    pub async fn ask<T>(
        &mut self,
        weight: u64,
        question: impl AsyncFn(&Account) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        match self.ask_once(weight, &question).await {
            Err(Trouble::Failed(_) | Trouble::Clock(_)) => {
                clock::sleep(BEFORE_RETRY).await;
                self.ask_once(weight, &question).await
            }
            answer => answer,
        }
    }

    async fn ask_once<T>(
        &mut self,
        weight: u64,
        question: &impl AsyncFn(&Account) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let exchange = self.account.exchange();
        if exchange.needs_synchronising() {
            exchange.synchronise().await?;
            self.spent += CLOCK_WEIGHT;
        }
        self.wait_for_room(weight).await;
        question(self.account).await
    }

    /// Ce que la bourse dit du compte.
    pub async fn state(&mut self) -> Result<AccountState, Trouble> {
        self.ask(ACCOUNT_WEIGHT, Account::state).await
    }

    /// Tous les ordres de cette paire dont `wanted` veut, dans leur ordre, et le nombre des autres.
    pub async fn orders(
        &mut self,
        coin: Coin,
        wanted: impl Fn(&Report) -> bool,
    ) -> Result<(Vec<Report>, usize), Trouble> {
        let (mut found, mut others, mut from) = (Vec::new(), 0, 1);
        loop {
            let most = PAGE_WEIGHT * (LISTED / PER_PAGE + 1) as u64;
            let list =
                self.ask(most, async |account: &Account| account.orders_from(coin, from).await).await?;
            let count = list.len();
            self.give_back(most - PAGE_WEIGHT * (count / PER_PAGE + 1) as u64);
            from = list.iter().map(|report| report.order_id + 1).max().unwrap_or(from);
            let before = found.len();
            found.extend(list.into_iter().filter(|report| wanted(report)));
            others += count - (found.len() - before);
            if count < LISTED {
                return Ok((found, others));
            }
        }
    }

    /// Les derniers ordres d'une paire.
    pub async fn recent(&mut self, coin: Coin) -> Result<Vec<Report>, Trouble> {
        self.ask(PAGE_WEIGHT, async |account: &Account| account.recent_orders(coin).await).await
    }

    /// Les exécutions de cet ordre.
    pub async fn executions(&mut self, coin: Coin, order_id: i64) -> Result<Executions, Trouble> {
        let ask = async |account: &Account| account.executions(coin, order_id).await;
        let executions = self.ask(EXECUTIONS_WEIGHT, ask).await?;
        self.spent += EXECUTIONS_WEIGHT * (executions.count / PER_PAGE) as u64;
        Ok(executions)
    }

    /// Rend ce qu'une question a pesé de moins que ce qu'on craignait.
    pub fn give_back(&mut self, weight: u64) {
        self.spent = self.spent.saturating_sub(weight);
    }

    /// Compte `weight`, après avoir attendu la minute suivante s'il n'y a plus la place dans celle-ci.
    async fn wait_for_room(&mut self, weight: u64) {
        let exchange = self.account.exchange();
        let Some(server) = exchange.server_clock() else { return };
        let now = server.now().0;
        // Passé la moitié, d'autres derrière la même adresse ont plus besoin de la place que nous.
        let busy = exchange.used_weight().is_some_and(|used| used > exchange.weight_limit() / 2);
        if now.div_euclid(MINUTE_MS) != self.minute {
            (self.minute, self.spent) = (now.div_euclid(MINUTE_MS), 0);
        } else if self.spent > 0 && (busy || self.spent + weight > ALLOWANCE) {
            let left = MINUTE_MS - now.rem_euclid(MINUTE_MS);
            clock::sleep(Duration::from_millis(left.unsigned_abs())).await;
            (self.minute, self.spent) = (self.minute + 1, 0);
        }
        self.spent += weight;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::Pin;
    use std::rc::Rc;

    use isahc::http::HeaderMap;
    use smol::future::{block_on, poll_once};

    use super::*;
    use crate::clock::simulated::Installed;
    use crate::domain::moment::Moment;
    use crate::exchange::{Credentials, Exchange};
    use crate::fetch::{Answer, Call, Client, FetchError, Network};

    /// Une bourse qui ne dit que son heure, celle de la machine, et le poids compté pour tous.
    struct Clockwork(Cell<u64>);

    impl Network for Clockwork {
        fn carry(&self, _: Call) -> Pin<Box<dyn Future<Output = Result<Answer, FetchError>>>> {
            let body = format!(r#"{{"serverTime":{}}}"#, clock::now().0).into_bytes();
            let mut headers = HeaderMap::new();
            headers.insert("x-mbx-used-weight-1m", self.0.get().into());
            Box::pin(async move { Ok(Answer::new(200, headers, body)) })
        }
    }

    /// Combien de questions de ce poids partent dans chaque minute, quand tous ensemble en demandent `used`.
    fn asked(weight: u64, used: u64) -> Vec<usize> {
        let installed = Installed::at(Moment(1_790_000_000_000 / MINUTE_MS * MINUTE_MS));
        let network = Rc::new(Clockwork(Cell::new(used)));
        let exchange = Exchange::binance("http://exchange", Client::over(network));
        let account = Account::new(exchange, Credentials::hmac("key", "secret"));
        let (mut questions, counts) = (Questions::new(&account), Cell::new([0; 4]));
        let start = clock::instant();
        let mut all = Box::pin(async {
            while (clock::instant() - start).as_secs() < 180 {
                let asked = questions.ask(weight, async |_: &Account| Ok(())).await;
                asked.expect("the exchange answers");
                let minute = (clock::instant() - start).as_secs() / 60;
                counts.update(|mut counts| {
                    counts[minute as usize] += 1;
                    counts
                });
            }
        });
        block_on(async {
            while poll_once(&mut all).await.is_none() {
                assert!(installed.clock().advance());
            }
        });
        counts.get()[..3].to_vec()
    }

    #[test]
    fn a_minute_never_holds_more_than_its_allowance() {
        assert_eq!(asked(20, 100), [40, 40, 40]);
        assert_eq!(asked(420, 100), [1, 1, 1]);
    }

    #[test]
    fn others_behind_the_same_address_go_first() {
        assert_eq!(asked(20, 3_000), [40, 40, 40]);
        assert_eq!(asked(20, 3_001), [1, 1, 1]);
    }
}
